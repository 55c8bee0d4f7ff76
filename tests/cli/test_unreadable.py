"""A frame that cannot be read costs the others nothing: every command names it and leaves it out."""

import pytest

from anystory.__main__ import main
from anystory.pages.export import PageError, export
from tests import stories


@pytest.fixture
def folder(tmp_path):
    made = stories.rendered(tmp_path / "story").folder
    (made / "frames" / "002.png").write_bytes(b"\x89PNG")
    return made


@pytest.mark.parametrize(
    "command", [("export", "book.pdf"), ("export", "pages"), ("maps", "sheet.png"), ("info", ""), ("look", "")]
)
def test_commands_name_it_and_go_on(folder, tmp_path, capsys, command):
    name, out = command
    assert main([name, str(folder), *(["--out", str(tmp_path / out)] if out else [])]) == 0
    said = capsys.readouterr()
    assert "Panel 2 has no readable frame" in said.err and "render it again" in said.err
    assert not out or (tmp_path / out).exists()


def test_a_story_of_which_no_frame_can_be_read_says_so(folder, tmp_path, capsys):
    for number in (1, 3):
        (folder / "frames" / f"00{number}.png").unlink()
    with pytest.raises(PageError, match="Panel 1 has no readable frame"):
        export(folder, tmp_path / "book.pdf")
    assert main(["maps", str(folder), "--out", str(tmp_path / "sheet.png")]) == 2
    assert "No frame in" in capsys.readouterr().err
