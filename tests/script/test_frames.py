"""The size and the shape of frames in every form a script has."""

import json

import pytest

from anystory.script.edits import plain_text, with_frames, with_panel
from anystory.script.exports.sheet import to_csv
from anystory.script.form import ScriptError
from anystory.script.read import parse_script, read_script
from anystory.script.write import dump_script, script_lines
from anystory.story.model import Panel, Script

PANELS = (Panel("the sea", size="96x64"), Panel("a hill", shape="21:9"), Panel("a wood", size=64), Panel("a town"))
WHOLE = Script(PANELS, shape="3:4", size=128)

PLAIN = """size: 128
shape: 3:4

[size: 96x64] the sea
[shape: 21:9] a hill
[size: 64] a wood
a town"""

YAML = """
size: 128
shape: 3:4
panels:
  - {prompt: the sea, size: 96x64}
  - {prompt: a hill, shape: "21:9"}
  - {prompt: a wood, size: 64}
  - a town
"""


@pytest.mark.parametrize("text", [PLAIN, YAML, json.dumps(dump_script(WHOLE)), script_lines(WHOLE), plain_text(WHOLE)])
def test_text_yaml_and_json_say_the_same(text):
    assert parse_script(text) == WHOLE == parse_script(dump_script(WHOLE))


def test_a_square_is_written_as_a_number():
    written = dump_script(WHOLE)
    assert (written["size"], written["shape"]) == (128, "3:4")
    assert [(panel.get("size"), panel.get("shape")) for panel in written["panels"]] == [
        ("96x64", None), (None, "21:9"), (64, None), (None, None)
    ]  # fmt: skip


def test_shapes_are_written_in_other_ways_too():
    for text in ("[shape: 16/9] a", "[shape：16：9] a", "[shape: 16x9] a", "shape: 16 : 9\na"):
        script = parse_script(text)
        assert script.shape or script.panels[0].shape == "16:9", text
    assert parse_script("[size: 96 × 64] a").panels[0].size == (96, 64)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[shape: 5:4] a", r"'5:4'; frames can be 21:9, 16:9"),
        ("shape: wide\na", r"'wide'; frames can be"),
        ("[size: 96x8] a", r"size '96x8' must be a whole number from 16 to 4096, or two such as 1344x768"),
        ("[size: big] a", r"size 'big' must be"),
        ("size: 5000\na", r"size 5000 must be"),
        ("b\n[size: 96x64] [shape: 1:1] a", r"Panel 2 has both sides of its size and the shape 1:1; leave one out"),
        ("size: 96x64\nshape: 1:1\na", r"The story has both sides"),
        ("a\nshape: 16:9\nb", r"shape must come before the first panel"),
    ],
)
def test_what_is_no_frame_is_told(text, says):
    with pytest.raises(ScriptError, match=says):
        parse_script(text)


def test_a_shot_list_keeps_what_the_whole_story_asked_for():
    table = parse_script(to_csv(WHOLE))
    assert [(panel.size, panel.shape) for panel in table.panels] == [
        ((96, 64), ""), ((128, 128), "21:9"), ((64, 64), ""), ((128, 128), "3:4")
    ]  # fmt: skip


def test_a_card_changes_a_panels_frame_and_leaves_the_storys():
    text = with_panel(PLAIN, 4, Panel("a town", shape="16:9"))
    assert text.splitlines()[:2] == PLAIN.splitlines()[:2] and read_script(text).script.panels[3].shape == "16:9"


def test_pages_take_the_place_of_the_storys_shape_and_go_again():
    fitted = with_frames(PLAIN, "pages", "manga")
    script = parse_script(fitted)
    assert (script.pages, script.shape, script.size, script.panels) == ("manga", "", (128, 128), PANELS)
    assert parse_script(script_lines(script)) == parse_script(dump_script(script)) == script
    assert with_frames(with_frames(fitted, "pages", "splash"), "pages", "manga") == fitted
    assert parse_script(with_frames(fitted, "pages", "")).pages == ""
    strip = with_frames("size: 96x64\n\na hill", "pages", "strip")
    assert parse_script(strip) == Script((Panel("a hill"),), pages="strip")
    with pytest.raises(ScriptError, match=r"no layout 'magna'; the layouts are frames, one, strip"):
        parse_script("pages: magna\na hill")
    with pytest.raises(ScriptError, match="a shape and pages that give each panel its own"):
        parse_script("pages: manga\nshape: 16:9\na hill")


def test_the_shape_and_the_size_of_a_story_are_written_into_its_text():
    wide = with_frames("pages: manga\nsize: 96\n\na hill", "shape", "16:9")
    assert wide == "shape: 16:9\nsize: 96\n\na hill" and with_frames(wide, "shape", "") == "size: 96\n\na hill"
    assert with_frames(wide, "size", "128") == "size: 128\nshape: 16:9\n\na hill", "a side goes with any shape"
    assert with_frames(wide, "size", "96x64") == "size: 96x64\n\na hill"
    assert with_frames("size: 96x64\na hill", "shape", "3:4") == "shape: 3:4\na hill"
    with pytest.raises(ValueError, match="'big' is not a size"):
        with_frames(wide, "size", "big")
