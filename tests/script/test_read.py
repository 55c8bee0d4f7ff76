import json
import random
from dataclasses import replace

import pytest
import yaml
from PIL import Image

from anystory.script import plain
from anystory.script.form import ScriptError, place
from anystory.script.read import load_script, parse_script, read_script
from anystory.script.write import dump_script, panel_lines, script_lines
from anystory.story.model import FACINGS, CastMember, Line, Panel, Script
from anystory.story.steering import Layout, Place, Steering

CAST = (CastMember("Mia", description="a small fox"), CastMember("Tom"), CastMember("Zoë"), CastMember("小明"))

FULL = """\
title: A day out
style: watercolour
cast:
  - name: Mia
    image: mia.png
    mask: mia-mask.png
    description: a small fox
  - {name: Tom}
panels:
  - Mia walks in the forest
  - prompt: they share an apple
    cast: [Tom, Mia]
    caption: Later
    dialogue:
      - {who: Mia, say: Half for you}
      - {who: tom, say: "No, thanks"}
    seed: 7
  - "[NC] the empty beach # Night"
"""


@pytest.fixture
def folder(tmp_path):
    for name in ("mia.png", "mia-mask.png"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    return tmp_path


def refusal(source, **options):
    """The error a source must give, checked to be a sentence that begins with its line."""
    with pytest.raises(ScriptError) as caught:
        parse_script(source, **options)
    error, message = caught.value, str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 700
    assert message.startswith(f"Line {error.line}: ") if error.line else not message.startswith("Line")
    assert error.span is None or (error.line, error.column) == place(source, error.span[0])
    return error


def one(line, cast=CAST):
    return parse_script(line, cast=cast).panels[0]


# --- plain text ---------------------------------------------------------------------------------------------------


def test_plain_text():
    text = """\ufefftitle: A day out\r
Style : water colour

# a remark
Mia walks in the forest # Early
they rest #Later
[Tom, mia] they share an apple
[NC] Tom's empty chair
[Tom][Zoë] a race"""
    assert parse_script(text, cast=CAST) == Script(
        panels=(
            Panel("Mia walks in the forest", ("Mia",), "Early"),
            Panel("they rest", ("Mia",), "Later"),
            Panel("they share an apple", ("Mia", "Tom")),
            Panel("Tom's empty chair"),
            Panel("a race", ("Tom", "Zoë")),
        ),
        cast=CAST,
        title="A day out",
        style="water colour",
    )


def test_cast_lines_add_and_describe():
    text = "cast: Tom, a boy, tall\ncast: Mia, never mind\ncast: Bob\nBob meets Tom"
    script = parse_script(text, cast=CAST[:2])
    assert script.cast == (CAST[0], CastMember("Tom", description="a boy, tall"), CastMember("Bob"))
    assert script.panels[0].cast == ("Tom", "Bob")


def test_cast_keeps_the_scripts_order_whatever_the_panel_says():
    assert one("小明, Zoë, Tom and Mia").cast == ("Mia", "Tom", "Zoë", "小明")
    assert one("[Tom, Mia, tom] dance").cast == ("Mia", "Tom")


def test_a_hash_without_a_space_is_no_caption_and_only_the_first_counts():
    assert one("Mia plays C# music") == Panel("Mia plays C# music", ("Mia",))
    assert one("Mia # one # two").caption == "one # two"
    assert one("Mia\t#one").caption == "one"


def test_brackets_inside_a_line():
    assert one("a picnic with [Mia] and [tom]") == Panel("a picnic with Mia and tom", ("Mia", "Tom"))
    assert one("see [Zoe]\u0308", [CastMember("Zoe")]).prompt == "see Zoë"  # composed again once the bracket is gone
    assert one("Mia reads a sign [keep out]").prompt == "Mia reads a sign [keep out]"


def test_full_width_commas_and_colons_are_separators_but_not_in_a_prompt():
    text = """cast：小明，一个男孩，很高
CAST： 小红,一个女孩
[小明，小红] 他们跑
[小明、小红] 一起跑
[NC] 说：海，天、云
[seed：7] [style：水彩，淡] [cast：小红、小明] 他们：走
[爸爸、妈妈, 小明] 一家人"""
    script = parse_script(text, cast=[CastMember("爸爸、妈妈")])
    assert script.cast[1:] == (
        CastMember("小明", description="一个男孩，很高"),
        CastMember("小红", description="一个女孩"),
    )
    assert script.panels == (
        Panel("他们跑", ("小明", "小红")),
        Panel("一起跑", ("小明", "小红")),
        Panel("说：海，天、云"),
        Panel("他们：走", ("小明", "小红"), seed=7, style="水彩，淡"),
        Panel("一家人", ("爸爸、妈妈", "小明")),
    )
    steered = "[小明、小红] [layout：小明 0 0 0.5 1；小红 0.5 0 1 1] [eta：小明 2；小红 1] 他们"
    placed = parse_script(steered, cast=script.cast).panels[0].steering
    assert [place.name for place in placed.layout.places] == ["小明", "小红"]
    assert placed.eta == (("小明", 2), ("小红", 1))
    assert parse_script("title：一天\n[seed：7] 一只猫").panels == (Panel("一只猫", seed=7),)
    error = refusal("小明\n[小红，小民] 他们跑", cast=CAST)
    assert error.line == 2 and "Nobody is named '小红'" in str(error)


def test_names_in_another_unicode_form_are_the_same():
    decomposed = "Zoe\u0308"
    panel = one(f"{decomposed} sings")
    assert panel == Panel("Zoë sings", ("Zoë",))
    assert parse_script("x", cast=[CastMember(decomposed)]).cast == (CastMember("Zoë"),)


def test_line_separators_inside_a_line_do_not_shift_line_numbers():
    assert refusal("a\u2028b\x0bc" + "\n[Bob] x", cast=CAST).line == 1  # \x0b is refused, on its own line
    assert refusal("a\u2028b\n[Bob] x", cast=CAST).line == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "no panels; write at least one"),
        ("\n# only a remark\n", None, "no panels"),
        ("Mia\n\n[Tim] runs", 3, r"Nobody is named 'Tim' \(did you mean 'Tom'\?\); the cast is Mia, Tom"),
        ("[] runs", 1, "Nobody is named ''"),
        ("> Mia: Hi", 1, "begins what is said in the panel above"),
        ("Mia\n> Hi", 2, "not clear who says 'Hi'; write `NAME: words`"),
        ("Mia\n\n> Mai: Hi", 3, "Nobody is named 'Mai'"),
        ("Mia\n> Mia: ", 2, "Mia says nothing"),
        ("Mia\n[seed: x] Mia", 2, "The seed 'x' must be a whole number"),
        ("Mia\n[size: 8] Mia", 2, "The size 8 must be a whole number from 16 to 4096"),
        ("Mia\n[NC]", 2, "no prompt; say what is to be seen"),
        ("Mia\n[NC] # a caption", 2, "no prompt"),
        ("title: a\ntitle: b\nMia", 2, "title is given twice"),
        ("Mia\nstyle: ink", 2, "style must come before the first panel"),
        ("cast:\nMia", 1, "needs a name"),
        ("cast: Bob\ncast: BOB\nMia", 2, "Two characters are named 'BOB'"),
        ("cast: Background\nMia", 1, "Nobody can be named 'Background'"),
        ("cast: nc\nMia", 1, "Nobody can be named 'nc'"),
        ("cast: B[o]b\nMia", 1, "none of"),
        ("panels: [Mia]\ncast: ['小明，小红']", 2, "none of"),
        ("cast: !!\nMia", 1, "must have a letter"),
        ("cast: " + "x" * 41 + "\nMia", 1, "41 characters; at most 40"),
        ("Mia\n" + "x" * 2001, 2, "prompt has 2001 characters; at most 2000"),
        ("Mia # " + "x" * 2001, 1, "caption has 2001 characters"),
        ("Mia\nMi\x07a", 2, r"control character U\+0007"),
    ],
)
def test_refusals_of_plain_text(text, line, words):
    error = refusal(text, cast=CAST)
    assert error.line == line
    with pytest.raises(ScriptError, match=words):
        raise error


def test_number_of_panels_is_bounded():
    assert len(parse_script("Mia\n" * 200).panels) == 200
    error = refusal("\n" + "Mia\n" * 201)
    assert "201 entries; at most 200" in str(error) and error.line == 202


def test_length_is_bounded():
    assert "at most 500000" in str(refusal("x" * 500_001))


def test_an_unknown_name_without_a_cast():
    assert "the cast is empty: add them to it" in str(refusal("[Mia] walks"))


def test_given_names_are_checked():
    assert "Two characters are named 'mia'" in str(refusal("x", cast=[CastMember("Mia"), CastMember("mia")]))
    assert "needs a name" in str(refusal("x", cast=[CastMember("  ")]))


# --- YAML and JSON ------------------------------------------------------------------------------------------------


def expected(folder):
    return Script(
        panels=(
            Panel("Mia walks in the forest", ("Mia",)),
            Panel(
                "they share an apple",
                ("Mia", "Tom"),
                "Later",
                (Line("Mia", "Half for you"), Line("Tom", "No, thanks")),
                7,
            ),
            Panel("the empty beach", (), "Night"),
        ),
        cast=(CastMember("Mia", folder / "mia.png", folder / "mia-mask.png", "a small fox"), CastMember("Tom")),
        title="A day out",
        style="watercolour",
    )


def test_yaml_file(folder):
    (folder / "story.yaml").write_text(FULL, encoding="utf-8")
    assert load_script(folder / "story.yaml") == expected(folder)


@pytest.mark.parametrize(
    ("cast", "prompt", "becomes"),
    [
        ([{"name": "Mia Lu", "alias": "Mia"}, "Tom"], "Mia Lu walks with Tom", "Mia Lu walks with Tom"),
        ([{"name": "Mia Lu", "alias": "Mia"}], "mia lu meets MIA", "mia lu meets Mia Lu"),
        ([{"name": "Amelia", "alias": "Mia"}, "Mia Lu"], "Mia Lu walks to Mia", "Mia Lu walks to Amelia"),
        ([{"name": "小狐狸", "alias": "狐狸"}], "小狐狸在跑，狐狸笑", "小狐狸在跑，小狐狸笑"),
    ],
)
def test_an_alias_within_a_name_is_part_of_that_name(cast, prompt, becomes):
    named = {"prompt": prompt, "cast": []}
    assert [panel.prompt for panel in parse_script({"cast": cast, "panels": [prompt, named]}).panels] == [becomes] * 2


def test_an_alias_within_a_name_of_a_storyboard_is_part_of_that_name():
    shot = {"Static Shot Description": "Tom Sawyer waits for Tom", "Characters Appearing": ["Tom"]}
    script = parse_script({"Characters": {"Tom": {"name_en": "Tom Sawyer"}}, "Shots": [shot]})
    assert script.panels == (Panel("Tom Sawyer waits for Tom Sawyer", ("Tom Sawyer",)),)


@pytest.mark.parametrize("layout", [{}, {"indent": "\t"}, {"indent": 2}, {"separators": (",", ":")}])
def test_json_file(folder, layout):
    text = json.dumps(yaml.safe_load(FULL), **layout)
    (folder / "story.json").write_text(text, encoding="utf-8-sig")
    assert load_script(str(folder / "story.json")) == expected(folder)


def test_text_file(folder):
    (folder / "story.txt").write_text("cast: Mia, a fox\nMia runs", encoding="utf-8")
    script = load_script(folder / "story.txt")
    assert script == Script((Panel("Mia runs", ("Mia",)),), (CastMember("Mia", description="a fox"),))
    assert load_script(folder / "story.txt", cast=[CastMember("Tom")]).cast[0].name == "Tom"


def test_mapping_and_pasted_text_agree_with_the_file(folder):
    assert parse_script(yaml.safe_load(FULL), folder) == expected(folder)
    assert parse_script(FULL, folder) == expected(folder)


def test_pictures_may_be_absolute(folder, tmp_path_factory):
    data = {"cast": [{"name": "Mia", "image": folder / "mia.png"}], "panels": ["Mia"]}
    assert parse_script(data, tmp_path_factory.mktemp("elsewhere")).cast[0].image == folder / "mia.png"


def test_pasted_text_names_no_pictures_of_this_machine(folder):
    error = refusal(FULL.replace("mia.png", str(folder / "mia.png")))
    assert error.line == 5 and "Pasted text cannot name a picture" in str(error)


def test_known_characters_keep_their_pictures(folder):
    known = CastMember("Mia", description="a red fox")
    script = parse_script(FULL, cast=[known, CastMember("Bob")])
    assert script.cast == (known, CastMember("Bob"), CastMember("Tom"))


def test_words_are_words():
    text = "panels:\n- {prompt: No, caption: 12:30}\n- prompt: 2024-01-01\n  caption: yes\n- nothing\n- 7"
    panels = parse_script(text).panels
    assert [(panel.prompt, panel.caption) for panel in panels] == [
        ("No", "12:30"),
        ("2024-01-01", "yes"),
        ("nothing", ""),
        ("7", ""),
    ]


def test_json_escapes_of_emoji_are_joined():
    script = parse_script(json.dumps({"panels": [{"prompt": "a 🦊 runs", "caption": 'a\nb\t"c" \\ /'}]}))
    assert script.panels[0] == Panel("a 🦊 runs", (), 'a\nb\t"c" \\ /')
    assert "half a character" in str(refusal('{"panels": ["a \\ud83e"]}'))


@pytest.mark.parametrize("empty", ["cast: []", "cast: [NC]"])
def test_an_empty_cast_means_nobody_and_none_means_the_named(empty):
    text = "cast: [Mia]\npanels:\n- prompt: Mia's house\n  "
    assert parse_script(text + empty).panels[0].cast == ()
    assert parse_script(text + "cast:").panels[0].cast == ("Mia",)


def test_block_text_and_seed_bounds():
    text = (
        "panels:\n- prompt: >\n    a long\n    line\n  seed: 4294967295\n- {prompt: x, seed: 0}\n- {prompt: x, seed: ~}"
    )
    panels = parse_script(text).panels
    assert panels[0].prompt == "a long line" and [panel.seed for panel in panels] == [2**32 - 1, 0, None]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("style:", "styel:", 2, r"no key 'styel' here \(did you mean 'style'\?\); the keys are title, style"),
        ("    mask:", "    msk:", 6, "did you mean 'mask'"),
        ("caption:", "captoin:", 13, "did you mean 'caption'"),
        ("say: Half", "sya: Half", 15, "did you mean 'say'"),
        ("seed: 7", "colour: 7", 17, "no key 'colour' here; the keys are prompt"),
        ("title: A day out", "title: [A]", 1, "title must be text, not a list"),
        ("they share an apple", "{a: b}", 11, "prompt must be text, not a mapping"),
        ("they share an apple", "", 11, "no prompt"),
        ("they share an apple", '" "', 11, "no prompt"),
        ("cast: [Tom, Mia]", "cast: Tom", 12, "cast must be a list, not text"),
        ("cast: [Tom, Mia]", "cast: [Tom, Mio]", 12, r"named 'Mio' \(did you mean 'Mia'\?\); the cast is Mia, Tom"),
        ("cast: [Tom, Mia]", "cast: [[Tom]]", 12, "A name must be text, not a list"),
        ("who: tom", "who: tam", 16, r"named 'tam' \(did you mean 'Tom'\?\)"),
        ("who: tom, ", "", 16, "Nobody is named ''"),
        ('"No, thanks"', '""', 16, "Tom says nothing"),
        ("{name: Tom}", "{name: mia}", 8, "Two characters are named 'mia'"),
        ("{name: Tom}", "{description: x}", 8, "needs a name"),
        (
            "{name: Tom}",
            "[Tom]",
            8,
            "Expected name, alias, image, mask, description, height, facing, drawing here, not a list",
        ),
        ("mia.png", "nobody.png", 5, r"no picture file '.*nobody\.png'; check image"),
        ("mia-mask.png", "{a: b}", 6, "mask must be a path, not a mapping"),
        ("mia.png", "x" * 300, 5, "no picture file"),
        ("mia.png", '"a\\0b"', 5, r"control character U\+0000 \('a\\x00b'\); \\ begins an escape in double quotes"),
        ("mia.png", r'"C:\temp\new.png"', 5, r"control character U\+0009 .* so write folders with /"),
        ("mia.png", r'"C:\Users\me\mia.png"', 5, r"not YAML: .*\\ begins an escape in double quotes"),
        (
            "mia.png",
            r"'C:\pictures\nobody.png'",
            5,
            r"no picture file.*check image, or put nobody\.png beside the script",
        ),
        ("seed: 7", "seed: -1", 17, "seed -1 must be a whole number from 0 to 4294967295"),
        ("seed: 7", "seed: 4294967296", 17, "seed 4294967296 must"),
        ("seed: 7", "seed: 1.5", 17, "seed '1.5' must"),
        ("seed: 7", "seed: [7]", 17, "must be a whole number"),
        ("seed: 7", "seed: 7\n    seed: 8", 18, "'seed' is given twice"),
        ("  - Mia walks", "  - [Mia] walks", 10, "not YAML: .*put quotes around text that begins with"),
        ("style: watercolour", "style: &a watercolour\nx: *a", 3, r"\*a repeats another part; write it out"),
        ("style: watercolour", "style: !!python/name:os.system", 2, "tag .* is not allowed"),
        ("style: watercolour", "style: !!python/object/apply:os.system [ls]", 2, "tag .* is not allowed"),
        ("style: watercolour", "style: 'open", 2, "not YAML: found unexpected end of stream"),
        ("    caption", "\tcaption", 13, "not YAML: .*a tab"),
        ("style: watercolour", "? [a]\n: b", 2, "A key must be a word"),
        ("style: watercolour", "style: water\x07", 2, r"character U\+0007 is not allowed"),
        ("cast:\n  - name", "cast:\n  - nmae", 4, "did you mean 'name'"),
    ],
)
def test_refusals_of_yaml_say_the_line(folder, old, new, line, words):
    assert old in FULL
    error = refusal(FULL.replace(old, new, 1), folder=folder)
    with pytest.raises(ScriptError, match=words):
        raise error
    assert error.line == line


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"panels": [{"prompt": 5}]}, "prompt must be text, not the int 5"),
        ({"panels": [{"prompt": "x", "seed": True}]}, "seed True"),
        ({"panels": [{"prompt": "x", "seed": 2**32}]}, "seed 4294967296"),
        ({"panels": [None]}, "not nothing"),
        ({"panels": "Mia"}, "panels must be a list, not text"),
        ({"panels": []}, "no panels"),
        ({}, "no panels"),
        ({"panels": ["x"], 5: 1}, "no key 5"),
        ({"panels": ["x"], "k" * 9999: 1}, "no key 'kkk"),
        ({"panels": [{"prompt": "x", "cast": ["M" * 9999]}]}, "Nobody is named 'MMM"),
        ({"panels": ["x"], "cast": [{"name": f"n{index}"} for index in range(51)]}, "51 entries; at most 50"),
    ],
)
def test_refusals_of_a_mapping_have_no_line(data, words):
    error = refusal(data)
    assert error.line is None
    with pytest.raises(ScriptError, match=words):
        raise error


def test_bombs_are_refused():
    pairs = zip("abcdefgh", "bcdefghi", strict=True)
    lol = "a: &a [x,x,x]\n" + "".join(f"{name}: &{name} [{f'*{last},' * 9}]\n" for last, name in pairs)
    assert refusal(lol + "panels: [*i]").line == 2
    assert "nested too deeply" in str(refusal("panels: " + "[" * 50_000))
    assert "nested too deeply" in str(refusal('{"panels": ' + "[" * 5000 + "]" * 5000 + "}"))


@pytest.mark.parametrize("facing", [*FACINGS, None])
def test_a_member_says_where_its_picture_looks(facing):
    member = {"name": "Mia", "facing": facing and facing.upper()}
    script = parse_script({"cast": [member], "panels": ["Mia runs"]})
    assert script.cast == (CastMember("Mia", facing=facing),)
    assert parse_script(json.dumps(dump_script(script))) == script
    known = [CastMember("Mia", description="a fox", facing="right")]
    assert parse_script({"cast": [member], "panels": ["Mia runs"]}, cast=known).cast == tuple(known)


@pytest.mark.parametrize(
    ("facing", "words"),
    [
        ("lefft", r"Mia cannot face 'lefft' \(did you mean 'left'\?\); choose left, right, front\."),
        ("up", r"Mia cannot face 'up'; choose left, right, front\."),
        (3, "facing must be text, not the int 3"),
    ],
)
def test_a_picture_looks_nowhere_else(facing, words):
    with pytest.raises(ScriptError, match=words):
        parse_script({"cast": [{"name": "Mia", "facing": facing}], "panels": ["Mia runs"]})


def test_two_documents_and_lists_are_refused(folder):
    assert refusal("panels: [x]\n---\npanels: [y]").line is not None
    (folder / "a.yaml").write_text("- Mia\n- Tom")
    with pytest.raises(
        ScriptError,
        match="Line 1: Expected title, style, styles, size, shape, pages, from_sketch, segmenter, cast, panels here, "
        "not a list",
    ):
        load_script(folder / "a.yaml")
    (folder / "a.yaml").write_text("")
    with pytest.raises(ScriptError, match="no panels"):
        load_script(folder / "a.yaml")


def test_files_that_cannot_be_read(folder):
    for name, data, words in (
        ("a.yaml", b"\xef\xbb\xbfpanels:\n- Zo\xeb", r"Line 2: a\.yaml is not UTF-8"),
        ("a.txt", b"x" * 500_001, r"a\.txt is larger than 500 kB"),
        ("a.rtf", b"Mia", r"a\.rtf is not a script; give a \.txt"),
    ):
        (folder / name).write_bytes(data)
        with pytest.raises(ScriptError, match=words) as caught:
            load_script(folder / name)
        assert caught.value.column == (5 if caught.value.line else None)
    with pytest.raises(ScriptError, match=r"'.*nobody\.txt' cannot be read \(No such file"):
        load_script(folder / "nobody.txt")
    (folder / "folder.txt").mkdir()
    with pytest.raises(ScriptError, match="cannot be read"):
        load_script(folder / "folder.txt")


# --- writing ------------------------------------------------------------------------------------------------------


def test_dump_and_parse_are_inverse(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    tricky = Script(
        panels=(
            Panel("Mia's chair # not a caption", ()),
            Panel("[NC] literally", ("Zoë",), "No", (Line("Zoë", "12:30"),), 0),
            Panel("two\nlines: {a}", ("小明",)),
        ),
        cast=CAST,
        title="null",
        style="yes",
    )
    for script in (expected(folder), tricky):
        data = dump_script(script)
        assert parse_script(data, elsewhere) == script
        assert parse_script(json.dumps(data), elsewhere) == script
        assert parse_script(json.dumps(data, ensure_ascii=False, indent=1), elsewhere) == script
        assert parse_script(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), elsewhere) == script


def test_a_bare_panel_dumps_to_what_it_needs():
    assert dump_script(Script((Panel("x"),))) == {"cast": [], "panels": [{"prompt": "x", "cast": []}]}


def test_the_docstrings_example_is_true(folder):
    example = plain.__doc__.split("\n\n`title`", 1)[0]
    lines = [line.strip() for line in example.splitlines()]
    script = parse_script("\n".join(lines[lines.index("title: A day out") :]), folder, cast=[CastMember("Tom")])
    assert (script.cast[1].image, script.cast[1].mask) == (folder / "mia.png", folder / "mia-mask.png")
    assert [(panel.cast, panel.caption) for panel in script.panels] == [
        (("Mia",), "Early in the morning"),
        (("Tom", "Mia"), ""),
        ((), ""),
        (("Tom", "Mia"), ""),
        (("Tom", "Mia"), ""),
    ]
    assert [panel.style for panel in script.panels] == ["", "", "", "Line art", ""]
    assert [place.name for place in script.panels[4].steering.layout.places] == ["Mia", "Tom"]


# Pictures, masks and the segmenter.


@pytest.fixture
def drawn(tmp_path):
    """A folder with a picture and its mask."""
    for name in ("mia.png", "mia mask.PNG"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_plain_text_names_pictures_and_masks_below_their_character(drawn):
    text = "segmenter: isnet-anime\ncast: Mia, a fox\nImage: mia.png\nmask:  mia mask.PNG\ncast: Tom\nMia meets Tom"
    (drawn / "a.txt").write_text(text)
    script = load_script(drawn / "a.txt")
    assert script.cast[0] == CastMember("Mia", drawn / "mia.png", drawn / "mia mask.PNG", "a fox")
    assert script.cast[1] == CastMember("Tom") and script.segmenter == "isnet-anime"
    assert [panel.prompt for panel in script.panels] == ["Mia meets Tom"]
    same = {"segmenter": "isnet-anime", "cast": [{"name": "Mia", "image": "mia.png", "mask": "mia mask.PNG"}, "Tom"]}
    read = parse_script(same | {"panels": ["Mia meets Tom"]}, drawn)
    assert (read.segmenter, read.cast[0].mask, read.panels) == (script.segmenter, script.cast[0].mask, script.panels)
    assert parse_script(dump_script(script), drawn) == script


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("image: mia.png\ncast: Mia\nMia", 1, "image belongs to a character; write `cast: NAME` above it"),
        ("cast: Mia\nmask: a.png\nimage: mia.png\nMia", 2, "There is no picture file '.*a.png'; check mask"),
        ("cast: Mia\nimage: mia.png\nmask: a.png\nmask: b.png\nMia", 4, "mask is given twice for one image; keep one"),
        ("cast: Mia\n" + "image: mia.png\n" * 9 + "Mia", 10, "Mia has 9 pictures; at most 8 are used"),
        ("cast: Mia\nimage: mia.png\nimage: b.png\nmask: c.png\nMia", 3, "There is no picture file '.*b.png'"),
        ("panels: [x]\ncast:\n- name: Mia\n  image: [mia.png, '']", 4, "Picture 2 of Mia is not named"),
        ("panels: [x]\ncast:\n- name: Mia\n  image: [mia.png]\n  mask: ['', mia.png]", 5, "2 masks for 1 pictures"),
        ("panels: [x]\ncast:\n- name: Mia\n  image:\n  - mia.png\n  - {a: b}", 6, "image must be a path"),
        ("cast: Mia\nMia walks\nmask: mia mask.PNG", 3, "mask must come before the first panel; move it up"),
        ("cast: Mia\nmask: mia mask.PNG\nMia", 2, "Mia has a mask but no image that it could be of"),
        ("panels: [x]\ncast:\n- name: Mia\n  mask: mia mask.PNG", 4, "Mia has a mask but no image"),
        (
            "segmenter: isnet-animee\nMia",
            1,
            "no segmentation model 'isnet-animee' .did you mean 'isnet-anime'",
        ),
        ("segmenter: bria-rmbg\nMia", 1, "no segmentation model 'bria-rmbg'; choose one of u2net, "),
    ],
)
def test_what_is_wrong_with_a_picture_a_mask_or_the_segmenter_is_said_with_its_line(drawn, text, line, says):
    with pytest.raises(ScriptError, match=says) as caught:
        parse_script(text, drawn)
    assert caught.value.line == line


def test_a_character_has_several_pictures_each_with_its_mask(drawn):
    text = "cast: Mia\nimage: mia.png\nimage: mia.png\nmask: mia mask.PNG\nimage: mia.png\nMia"
    script = parse_script(text, drawn)
    mia, mask = drawn / "mia.png", drawn / "mia mask.PNG"
    assert script.cast == (CastMember("Mia", mia, more=((mia, mask), (mia, None))),)
    assert parse_script(dump_script(script), drawn) == script
    assert parse_script(json.dumps(dump_script(script)), drawn) == script
    listed = {"name": "Mia", "image": ["mia.png", "mia.png", "mia.png"], "mask": [None, "mia mask.PNG"]}
    assert parse_script({"cast": [listed], "panels": ["Mia"]}, drawn).cast == script.cast
    assert parse_script(text.replace("mask:", "mask: mia mask.PNG\nimage: mia.png\nmask:", 1), drawn).cast[0].more == (
        (mia, mask), (mia, mask), (mia, None),
    )  # fmt: skip


def test_pasted_text_names_no_picture_and_a_prompt_may_begin_with_one(drawn):
    with pytest.raises(ScriptError, match="Pasted text cannot name a picture") as caught:
        parse_script("cast: Mia\nimage: mia.png\nMia")
    assert caught.value.line == 2
    assert parse_script("Image: a fox in the wood\nmask: a ball at night").panels[1].prompt == "mask: a ball at night"


def test_lines_of_plain_text_give_the_same_panels(folder):
    script = expected(folder)
    panels = (
        *script.panels,
        Panel("Tom's empty chair", ()),
        Panel("two foxes", ("Mia", "Tom"), "C# # later", style="Line art"),
        Panel("Mia sits", ("Mia",), style="(No style)"),
    )
    again = parse_script(script_lines(replace(script, panels=panels)), cast=script.cast)
    assert again.panels == panels and again.cast == script.cast
    lines = script_lines(Script((Panel("two\n  lines", (), "a\nb", told=True),)))
    assert lines == "[NC] two lines  # a\\nb"


NAMES = ("Mia", "Tom", "老海龟", "Dr: Who", "Will", "爸爸、妈妈")
SAID = (
    *NAMES, "walks", "a", "toy", "img", "#", "# 1", "[Mia]", "[NC]", "[seed: 3]", "[keep out]", "[", "]", "\\", "\\n",
    "\\#", ">", "> Mia: hi", "title: x", "cast: Bob", "panels: y", "{red|blue}", "{", "__place__", "“ok”", "🦊",
    "在海滩", ":", ",", ".", "，", "：", "、", "[老海龟，Mia]", "[seed：3]", "title：x", "cast：Bob",
)  # fmt: skip


def some_panel(pick):
    """A panel with any of what makes plain text hard to write."""

    def words(most, *more):
        return " ".join(pick.choices((*SAID, *more), k=pick.randint(1, most))).strip() or "x"

    names = sorted(pick.sample(NAMES, pick.randint(0, 3)), key=NAMES.index)
    return Panel(
        words(5),
        tuple(names),
        words(4, "\n", "# c") if pick.random() < 0.5 else "",
        tuple(Line(pick.choice(NAMES), words(4, "\n")) for _ in range(pick.randint(0, 2))),
        pick.choice((None, 0, 7, 2**32 - 1)),
        pick.choice(("", "Line art", "my [own] style \\")),
        Steering(Layout((Place(names[0], (0, 0.2, 0.5, 1)),), pick.choice((1, 0.5)))) if names else Steering(),
        pick.choice((None, 16, 192)),
    )


def test_any_script_is_written_in_every_form_and_read_back_the_same():
    pick = random.Random(8)
    cast = tuple(CastMember(name, description="a friend") for name in NAMES)
    for _ in range(150):
        script = Script(tuple(some_panel(pick) for _ in range(pick.randint(1, 4))), cast)
        lines = script_lines(script)
        for known in (cast, tuple(CastMember(name) for name in NAMES)):
            assert parse_script(lines, cast=known).panels == script.panels, lines
        assert parse_script(json.dumps(dump_script(script))) == script
        strings = [panel_lines(panel, cast) for panel in script.panels]
        assert parse_script({"panels": strings}, cast=cast).panels == script.panels


def test_plain_text_says_seed_size_and_dialogue():
    text = "[seed: 7] [Size:192] Mia and Tom  # Later\n\n  > mia: Half for you!\n# no\n"
    text += "> Tom：Thanks: a \\> b\\nc\n[cast: Tom] x"
    one, two = parse_script(text, cast=CAST).panels
    said = Line("Mia", "Half for you!"), Line("Tom", "Thanks: a > b\nc")
    assert one == Panel("Mia and Tom", ("Mia", "Tom"), "Later", said, 7, size=192) and two == Panel("x", ("Tom",))
    block = ["Mia walks # Noon\n> Tom: Hi", {"prompt": "[size: 64] Mia", "dialogue": ["Mia: Hi"]}]
    one, two = parse_script({"panels": block}, cast=CAST).panels
    assert one == Panel("Mia walks", ("Mia",), "Noon", (Line("Tom", "Hi"),))
    assert two == Panel("Mia", ("Mia",), dialogue=(Line("Mia", "Hi"),), size=64)


# --- places -------------------------------------------------------------------------------------------------------


def test_places_are_counted_as_an_editor_does():
    source = "\ufeffab\r\ncd\rE\u2028f\n\ng"
    assert [(char, place(source, source.index(char))) for char in "abcdEfg"] == [
        ("a", (1, 1)),
        ("b", (1, 2)),
        ("c", (2, 1)),
        ("d", (2, 2)),
        ("E", (3, 1)),
        ("f", (3, 3)),
        ("g", (5, 1)),
    ]


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        ("title:  A day\nMia # Noon", ("title",), "A day"),
        ("Mia runs # Noon", ("panels", 0), "Mia runs # Noon"),
        ("cast:  Bob , a man\nBob", ("cast", 0, "description"), " a man"),
        ("[Bob]  a man\n\nBob", ("cast", 0, "name"), "Bob"),
        ("panels: [ 'Mia runs' ]", ("panels", 0), "Mia runs"),
        ("panels:\n- {prompt:  Mia runs}", ("panels", 0, "prompt"), "Mia runs"),
        ('\ufeff{"panels":\t["Mia"]}', ("panels", 0), "Mia"),
        ('{"分镜头": [{"prompt": "a beach", "旁白": "夜"}]}', ("panels", 0, "caption"), "夜"),
    ],
)
def test_every_part_knows_its_place_in_the_source(source, path, words):
    reading = read_script(source, cast=CAST)
    assert source[slice(*reading.spans[path])] == words


@pytest.mark.parametrize("line", [r"\n", r"[NC] \n\n", "[Mia]\nMia\n> Mia: \\n"])
def test_breaks_alone_are_no_words(line):
    with pytest.raises(ScriptError, match=r"no prompt|says nothing"):
        parse_script(f"cast: Mia\n{line}")


def test_breaks_at_the_ends_are_left_out():
    script = parse_script("cast: Mia\n[style: ink\\n] \\nMia\\nruns\\n # Then\\n\n> Mia: \\nOh\\nno\\n")
    (panel,) = script.panels
    assert (panel.prompt, panel.caption, panel.style) == ("Mia\nruns", "Then", "ink")
    assert panel.dialogue == (Line("Mia", "Oh\nno"),)
    assert parse_script(dump_script(script)).panels == (replace(panel, told=True),)
