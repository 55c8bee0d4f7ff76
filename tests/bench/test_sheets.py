"""Contact sheets of a script's lines."""

from pathlib import Path

from PIL import Image

from anystory.bench import __main__ as command
from anystory.bench.sheets import line_sheets
from anystory.script.read import load_script

HUNDRED = Path(__file__).parents[1] / "data" / "hundred.yaml"


def test_a_sheet_has_a_cell_for_every_line(tmp_path):
    (tmp_path / "two.txt").write_text(
        "cast: Mia, a girl\n\nMia holds a red kite\n[NC] the sea\nMia 在森林里\n", "utf-8"
    )
    first, second = line_sheets(tmp_path / "two.txt", tmp_path / "out", cell=64, across=2, down=1)
    assert [path.name for path in (first, second)] == ["two-1.webp", "two-2.webp"]
    sizes = [Image.open(path).size for path in (first, second)]
    assert sizes[0] == sizes[1] and sizes[0][0] == 2 * 64 + 3 * 6


def test_the_hundred_lines_are_a_script_and_the_command_says_what_it_cannot_read(tmp_path, capsys):
    script = load_script(HUNDRED)
    assert len(script.panels) == 100 and all(panel.cast for panel in script.panels)
    assert command.main(["sheets", "--lines", str(tmp_path / "none.txt"), "--out", str(tmp_path)]) == 2
    assert "none.txt" in capsys.readouterr().err
