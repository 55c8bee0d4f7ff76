import json

import pytest
import yaml
from PIL import Image

from anystory import script as module
from anystory.script import ScriptError, dump_script, load_script, parse_script
from anystory.story import CastMember, Line, Panel, Script

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
            Panel("they rest", (), "Later"),
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
        ("Mia\n[NC]", 2, "no prompt; say what is to be seen"),
        ("Mia\n[NC] # a caption", 2, "no prompt"),
        ("title: a\ntitle: b\nMia", 2, "title is given twice"),
        ("Mia\nstyle: ink", 2, "style must come before the first panel"),
        ("cast:\nMia", 1, "needs a name"),
        ("cast: Bob\ncast: BOB\nMia", 2, "Two characters are named 'BOB'"),
        ("cast: Background\nMia", 1, "Nobody can be named 'Background'"),
        ("cast: nc\nMia", 1, "Nobody can be named 'nc'"),
        ("cast: B[o]b\nMia", 1, "none of"),
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
        ("{name: Tom}", "[Tom]", 8, "Expected name, image, mask, description here, not a list"),
        ("mia.png", "nobody.png", 5, r"no picture file '.*nobody\.png'; check image"),
        ("mia-mask.png", "{a: b}", 6, "mask must be a path, not a mapping"),
        ("mia.png", "x" * 300, 5, "no picture file"),
        ("mia.png", '"a\\0b"', 5, "no picture file"),
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


def test_two_documents_and_lists_are_refused(folder):
    assert refusal("panels: [x]\n---\npanels: [y]").line is not None
    (folder / "a.yaml").write_text("- Mia\n- Tom")
    with pytest.raises(ScriptError, match="Line 1: Expected title, style, cast, panels here, not a list"):
        load_script(folder / "a.yaml")
    (folder / "a.yaml").write_text("")
    with pytest.raises(ScriptError, match="no panels"):
        load_script(folder / "a.yaml")


def test_files_that_cannot_be_read(folder):
    for name, data, words in (
        ("a.yaml", b"panels:\n- Zo\xeb", r"Line 2: a\.yaml is not UTF-8"),
        ("a.txt", b"x" * 500_001, r"a\.txt is larger than 500 kB"),
        ("a.docx", b"Mia", r"a\.docx is no script; give a \.txt"),
    ):
        (folder / name).write_bytes(data)
        with pytest.raises(ScriptError, match=words):
            load_script(folder / name)
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
    example = module.__doc__.split("a line a panel:\n", 1)[-1].split("\n\n`title`", 1)[0]
    lines = [line.strip() for line in example.splitlines()]
    script = parse_script("\n".join(lines[lines.index("title: A day out") :]), cast=[CastMember("Tom")])
    assert [(panel.cast, panel.caption) for panel in script.panels] == [
        (("Mia",), "Early in the morning"),
        (("Tom", "Mia"), ""),
        ((), ""),
    ]
