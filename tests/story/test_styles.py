"""Presets: those supplied, one's own, and how a panel comes to its style."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from anystory.script.form import ScriptError
from anystory.script.read import load_script, parse_script
from anystory.script.write import dump_script, script_lines
from anystory.story.model import CastMember, Panel, Script, Style
from anystory.story.prompt import compose
from anystory.story.styles import NO_STYLE, SLOT, StyleError, all_styles, find_style, own_styles, presets, style_of

ROOT = Path(__file__).resolve().parents[2]

AUTHORS = (
    "(No style)",
    "Chinese painting",
    "Japanese Anime",
    "Pixar/Disney Character",
    "Photographic",
    "Comic book",
    "Line art",
    "Black and White Film Noir",
    "Isometric Rooms",
)
OWN = Style("Crayon", "{prompt}, drawn in wax crayon")


def test_sixteen_presets_and_more_with_the_authors_nine_first():
    names = [style.name for style in presets()]
    assert tuple(names[:9]) == AUTHORS and names[0] == NO_STYLE
    assert len(names) >= 16 and len({name.casefold() for name in names}) == len(names)
    assert len({style.template for style in presets()}) == len(names)


@pytest.mark.parametrize("style", presets(), ids=lambda style: style.name)
def test_every_preset_keeps_the_sentence_and_where_it_speaks_of_whom(style):
    panel, cast = Panel("Mia meets Tom"), [CastMember("Mia", description="small fox"), CastMember("Tom")]
    prompt = compose(panel, cast, style.template)
    assert "a small fox meets a character" in prompt.text and SLOT not in prompt.text
    assert [prompt.text[start:end] for start, end in prompt.mentions] == ["a small fox", "a character"]
    assert ",," not in prompt.text and prompt.text == prompt.text.strip(" ,")
    assert (prompt.text == "a small fox meets a character") == (style.name == NO_STYLE)


def test_words_before_the_sentence_move_the_mentions():
    prompt = compose(Panel("Mia runs."), [CastMember("Mia", description="fox")], "a print of {prompt}, in two inks.")
    assert prompt.text == "a print of a fox runs, in two inks" and prompt.mentions == ((11, 16),)
    assert compose(Panel(""), [], "{prompt}, in chalk").text == "in chalk"


def test_a_preset_is_found_in_any_case_and_words_are_not():
    assert find_style(" comic  BOOK ").name == "Comic book"
    assert find_style("comic") is None and find_style("") is None and find_style("crayon", [OWN]) == OWN


def test_ones_own_presets_reword_ours_in_their_place_and_add_to_them():
    mine = Style("LINE ART", "{prompt}, in one line")
    offered = all_styles([mine, OWN])
    assert offered[AUTHORS.index("Line art")] == mine and offered[-1] == OWN
    assert len(offered) == len(presets()) + 1 and find_style("line art", [mine]) == mine


def test_a_panels_style_comes_before_the_storys():
    plain, other, none = Panel("x"), Panel("x", style="Line art"), Panel("x", style=NO_STYLE)
    script = Script((plain, other, none), style="soft light, thick paper", styles=(OWN,))
    assert style_of(script, plain) == "soft light, thick paper"
    assert style_of(script, other) == find_style("Line art").template
    assert compose(none, [], style_of(script, none)).text == "x"
    assert style_of(Script((plain,), style="CRAYON", styles=(OWN,)), plain) == OWN.template
    assert style_of(Script((plain,)), plain) == ""


# --- in scripts ---------------------------------------------------------------------------------------------------

YAML = """\
style: Comic book
styles: {"Crayon": "{prompt}, drawn in wax crayon"}
panels:
  - prompt: Mia runs
    cast: []
    style: Crayon
  - "[style: Line art] the sea"
"""


def test_style_of_a_story_and_of_a_panel_in_every_form():
    script = parse_script(YAML)
    assert (script.style, script.styles, [p.style for p in script.panels]) == (
        "Comic book",
        (OWN,),
        ["Crayon", "Line art"],
    )
    text = "style: Comic book\n[NC] [style: soft light, thick paper] the sea\nthe sky [ Style :(No style)] # night\nx"
    panels = parse_script(text).panels
    assert [(p.style, p.prompt, p.caption) for p in panels] == [
        ("soft light, thick paper", "the sea", ""),
        (NO_STYLE, "the sky", "night"),
        ("", "x", ""),
    ]


def test_styles_survive_story_json_and_plain_text():
    script = parse_script(YAML)
    assert parse_script(json.loads(json.dumps(dump_script(script)))) == script
    again = parse_script(script_lines(script), cast=script.cast)
    assert [(p.prompt, p.cast, p.style) for p in again.panels] == [(p.prompt, p.cast, p.style) for p in script.panels]


def test_presets_beside_the_script_are_read_and_those_that_are_used_are_kept(tmp_path):
    (tmp_path / "styles.yaml").write_text(
        'Crayon: "{prompt}, drawn in wax crayon"\nFresco: "{prompt}, fresco"\nLine art: "{prompt}, in one line"\n'
    )
    (tmp_path / "story.txt").write_text("style: crayon\nx\n[style: line art] y")
    script = load_script(tmp_path / "story.txt")
    assert script.styles == (OWN, Style("Line art", "{prompt}, in one line"))
    assert [style_of(script, panel) for panel in script.panels] == [OWN.template, "{prompt}, in one line"]
    assert parse_script(dump_script(script)) == script  # without the file
    assert parse_script("style: crayon\nx").styles == () and own_styles(tmp_path / "nowhere") == ()
    (tmp_path / "story.yaml").write_text(YAML.replace("wax", "oil"))  # what the script itself has comes first
    assert load_script(tmp_path / "story.yaml").styles == (
        Style("Crayon", "{prompt}, drawn in oil crayon"),
        Style("Line art", "{prompt}, in one line"),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crayon: in crayon", r"'Crayon' must have \{prompt\} in it once"),
        ('Crayon: "{prompt} and {prompt}"', "once"),
        ("Crayon: [a, b]", "must be text"),
        ('"": "{prompt}"', "a style's name has 1 to 60 characters"),
        ('"a]": "{prompt}"', "none of"),
        ('Crayon: "{prompt}"\nCRAYON: "{prompt}"', "given twice"),
        ("- Crayon", "must hold lines such as"),
        ("Crayon: {prompt}, in crayon", "not YAML in line 1|must be text"),
        ("Crayon: '", "not YAML in line"),
        ('Crayon: "' + "x" * 1001 + '{prompt}"', "at most 1000 characters"),
        ("\n".join(f'a{n}: "{{prompt}}"' for n in range(201)), "201 styles; at most 200"),
        ("x" * 100_001, "larger than 100 kB"),
    ],
)
def test_a_wrong_file_of_presets_is_one_sentence(tmp_path, text, words):
    (tmp_path / "styles.yaml").write_text(text)
    (tmp_path / "story.txt").write_text("x")
    with pytest.raises(StyleError, match=words) as caught:
        own_styles(tmp_path)
    message = str(caught.value)
    assert message.startswith("styles.yaml") and message.endswith(".") and "\n" not in message
    with pytest.raises(ScriptError, match=words):
        load_script(tmp_path / "story.txt")


def test_wrong_presets_in_a_script_say_the_line():
    with pytest.raises(ScriptError, match=r"Line 2: styles: the style 'Crayon' must have"):
        parse_script(YAML.replace("{prompt}, ", ""))
    with pytest.raises(ScriptError, match="Line 1: style must be text"):
        parse_script(YAML.replace("style: Comic book", "style: [Comic book]"))


def test_a_file_that_is_not_utf_8(tmp_path):
    (tmp_path / "styles.yaml").write_bytes(b'Zo\xeb: "{prompt}"')
    with pytest.raises(StyleError, match="not UTF-8"):
        own_styles(tmp_path)


# --- the reference ------------------------------------------------------------------------------------------------


def test_the_examples_and_presets_of_the_reference_are_true(tmp_path):
    text = (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8")
    assert [style.name for style in presets() if style.name not in " ".join(text.split())] == []
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    plain = [block for kind, block in blocks if kind == ""]
    panels = [len(parse_script(block).panels) for block in plain if "layout" not in block]
    assert panels == [4, 3, 6, 2]
    board, *_ = [block for kind, block in blocks if kind == "json"]
    assert parse_script(board).panels[0].cast == ("小狐狸",)
    story, own = [block for kind, block in blocks if kind == "yaml"]
    for name in ("mia.png", "mia-mask.png", "tom.png", "tom-back.png", "tom-back-mask.png", "tom-place.png"):
        Image.new("RGB", (16, 16), "white").save(tmp_path / name)
    (tmp_path / "styles.yaml").write_text(own, encoding="utf-8")
    script = parse_script(story, tmp_path)
    assert [panel.cast for panel in script.panels] == [("Mia",), ("Mia", "Tom")] and script.panels[1].style == "Crayon"
    assert own_styles(tmp_path)[0].name == "Crayon"
