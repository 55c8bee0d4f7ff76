"""Scripts written for other programs read back as the same panels."""

import json
import random

import pytest
import yaml

from anystory.__main__ import main
from anystory.script.exports.fountain import to_fountain
from anystory.script.exports.sheet import to_csv
from anystory.script.exports.storyboarder import to_storyboarder
from anystory.script.read import read_script
from anystory.script.write import dump_script, script_lines
from anystory.story.model import CastMember, Line, Panel, Script
from anystory.story.prompt import find_names

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


NASTY = (
    "panels:", "title: x", "style:", "cast: Mia, ", "image: a.png", "segmenter:", "Drawing: fox", "- ", "* ", "• ",
    "1. ", "(1)", "①", "Panel 3: ", "第4格：", "#", "## ", "a # b", "a#b", "[", "[NC] ", "[seed: 7] ", "[Mia] ",
    "[Nobody]", "\\[a\\]", "[[ note ]]", "{", "{a|b}", "}", "```", "~~~", "```yaml", "FADE IN:", "INT. ",
    "EXT. HILL - DAY", "CUT TO:", "MIA (V.O.)", "@Mia", "!", ".", "...", "===", "> ", "> x <", "~", ",", ";", "|",
    "| a | b |", "--- ", "**bold**", "*a*", "_a_", "\\*", "\ufeff", "Mia: ", "Tom: hello", "Name: words", "Caption: ",
    "**Caption:** ", "Characters:", "\\", "\\n", "\\#", '"', "'", "“", '"quoted"', "“Ready?”", "<x>", "%YAML", "? ",
    "!tag", "&a ", "<<: ", "// ", "/* x */", "(x)", "Title: ", "Sure, here", "=1+1", "+1", "@", "null", "~", "true",
    "1", "角色表", "角色：", "Shot,Description", "Prompt,Caption", "boards:", '{"panels": []}', "[style: a] ",
    "[layout: Mia 0 0 1 1] ", "__place__", "C:\\x", "> Mia: hi", "- [ ] ",
)  # fmt: skip


def forms(script):
    """Every form in which a script is written, and how the file's name says what it is."""
    yield script_lines(script), None
    data = dump_script(script)
    yield yaml.safe_dump(data, allow_unicode=True, sort_keys=False), None
    yield json.dumps(data, ensure_ascii=False), "data"
    yield to_fountain(script), "screenplay"
    yield to_csv(script), "sheet"
    yield to_storyboarder(script, 1, ())[0], "data"


def test_words_that_look_like_something_else_read_back_in_every_form():
    pick = random.Random(5)
    for start in NASTY:
        words = " ".join(f"{start}{pick.choice(('', 'Mia walks', ' walks in', chr(92)))}".split())
        there = tuple(dict.fromkeys(hit.name for hit in find_names(words, ["Mia"])))
        alone = Panel(words, there)
        among = (
            Panel("McTom waits", ("McTom",)),
            Panel(words, there, words, (Line("McTom", words),)),
            Panel("a sea", ()),
        )
        for panels in ((alone,), among):
            script = Script(panels, CAST)
            for text, form in forms(script):
                reading = read_script(text, cast=CAST, form=form)
                assert not reading.errors and not reading.left_out, text
                assert told(reading.script.panels) == told(panels), text
