"""Scripts written for other programs read back as the same panels."""

import json

import pytest

from anystory.__main__ import main
from anystory.script.exports.fountain import to_fountain
from anystory.script.exports.sheet import to_csv
from anystory.script.exports.storyboarder import to_storyboarder
from anystory.script.read import read_script
from anystory.story.model import CastMember, Line, Panel, Script

CAST = (CastMember("Mia"), CastMember("McTom"), CastMember("小明"))
SCRIPT = Script(
    (
        Panel(
            "Mia packs a *big* basket_case", ("Mia",), 'Early, "morning"',
            (Line("Mia", "Ready?"), Line("McTom", "No: wait!")),
        ),
        Panel("EXT. is what it says TO:", (), "", ()),
        Panel("小明, Mia walk", ("Mia", "小明"), "Later", (Line("小明", "好！"),)),
    ),
    CAST,
    title="The picnic",
)  # fmt: skip


def told(panels):
    return [(p.prompt, p.caption, p.dialogue) for p in panels]


@pytest.mark.parametrize(("write", "form"), [(to_fountain, "screenplay"), (to_csv, "sheet")])
def test_what_is_written_reads_back(write, form):
    reading = read_script(write(SCRIPT), cast=CAST, form=form)
    assert not reading.errors and not reading.left_out
    assert told(reading.script.panels) == told(SCRIPT.panels)
    assert reading.script.panels[2].cast == ("Mia", "小明")


def test_a_sheet_has_no_formulas():
    script = Script((Panel('=HYPERLINK("x")', ()), Panel("+1", ())), ())
    assert "\n1, =" not in to_csv(script) and '" =HYPERLINK' in to_csv(script) and ", +1," not in to_csv(script)[:3]
    assert [p.prompt for p in read_script(to_csv(script), form="sheet").script.panels] == ['=HYPERLINK("x")', "+1"]


def test_a_storyboarder_project():
    text, files = to_storyboarder(SCRIPT, 1.5, {1, 3})
    data = json.loads(text)
    assert data["aspectRatio"] == 1.5 and len({board["uid"] for board in data["boards"]}) == 3
    assert files == {1: "board-1-P0001-reference.png", 3: "board-3-P0003-reference.png"}
    assert [board["layers"] for board in data["boards"]][1] == {}
    panels = read_script(text, cast=CAST, form="data").script.panels
    assert [(p.prompt, p.dialogue) for p in panels] == [(p.prompt, p.dialogue) for p in SCRIPT.panels]


@pytest.mark.parametrize("end", [".fountain", ".csv", ".storyboarder"])
def test_a_script_file_is_exported_by_the_command(tmp_path, end):
    (tmp_path / "a.txt").write_text("cast: Mia\n\nMia walks # Night\n> Mia: Hi")
    assert main(["export", str(tmp_path / "a.txt"), "--out", str(tmp_path / f"b{end}")]) == 0
    assert "Mia walks" in (tmp_path / f"b{end}").read_text(encoding="utf-8-sig")
