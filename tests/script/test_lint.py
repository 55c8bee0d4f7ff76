"""The linter: every kind of finding with its place, what a fix does, and what only a backend can tell."""

import itertools
import json

import pytest
from PIL import Image

from anystory.backends.base import Request
from anystory.backends.memory import Planned
from anystory.backends.sdxl import AnyStoryBackend, capabilities
from anystory.model.plans import Plan
from anystory.script.form import NEWLINE, ScriptError
from anystory.script.lint import CODES, LETTERS, Finding, _slips, lint, mend
from anystory.script.read import parse_script, read_script
from anystory.story.capabilities import Capabilities
from anystory.story.model import CastMember, Prompt, Settings
from tests.script.test_storyboard import AUTHORS, RABBITS, text
from tests.tiny import sdxl_pipeline

CAST = (CastMember("Mia", description="a small fox"), CastMember("Tom"), CastMember("Mia Lu"), CastMember("小明"))


def found(source, *codes, cast=CAST, **options):
    """The findings of some codes (none: all), each checked to be whole."""
    findings = lint(source, cast=cast, **options)
    assert list(findings) == sorted(findings, key=lambda it: (it.start, CODES.index(it.code)))
    for finding in findings:
        lines = NEWLINE.split(source.removeprefix("\ufeff"))
        assert finding.code in CODES and finding.severity in ("error", "warning", "note")
        assert 1 <= finding.line <= len(lines) and 1 <= finding.column <= len(lines[finding.line - 1]) + 1
        assert 0 <= finding.start <= finding.end <= len(source)
        assert finding.message.endswith((".", "?")) and "\n" not in finding.message and len(finding.message) < 700
    return [finding for finding in findings if not codes or finding.code in codes]


def one(source, *codes, **options):
    findings = found(source, *codes, **options)
    assert len(findings) == 1, findings
    return findings[0]


def spot(finding):
    return finding.line, finding.column, finding.severity, finding.code


def test_nothing_is_wrong_with_a_good_script():
    assert lint("title: x\nstyle: Line art\nMia walks\n[Tom] runs # Later\n\n[NC] the sea\n小明走", cast=CAST) == ()


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("Tom sees no Mia", "[Tom] Tom sees no Mia"),
        ("Tom, not Mia, runs", "[Tom] Tom, not Mia, runs"),
        ("a room without Mia", "[NC] a room without Mia"),
        ("Tom corre sin Mia", "[Tom] Tom corre sin Mia"),
        ("Tom看不见小明", "[Tom] Tom看不见小明"),
    ],
)
def test_who_is_told_of_as_missing_is_in_the_panel_and_said_to_be(line, mended):
    finding = one(line, "absent")
    assert spot(finding) == (1, 1, "note", "absent") and mend(line, finding) == mended
    assert not found(mended, "absent")


@pytest.mark.parametrize(
    "line",
    ["Tom leaves without Mia noticing", "It is not Mia's hat", "No, Mia walks", "No Mia yet. Mia runs", "没有小明高"],
)
def test_who_is_there_all_the_same_is_not_said_to_be_missing(line):
    assert not found(line, "absent")


def test_two_who_are_drawn_from_the_same_words_are_said_to_look_the_same():
    text = "cast: Mia, a small fox\ncast: Ana, A small fox\ncast: Tom, a boy\n\nMia, Ana and Tom run"
    notes = [finding for finding in lint(text) if finding.code == "no-picture"]
    assert [finding.severity for finding in notes] == ["note", "warning", "note"]
    assert "Ana has no picture and is drawn as Mia is" in str(notes[1].message)


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "line", "column", "severity", "fix"),
    [
        ("Mia walks\n[Tim] runs", 2, 2, "error", "Tom"),
        ("[Tom,  Mai ] run", 1, 8, "error", "Mia"),
        ("  Mai walks", 1, 3, "warning", "Mia"),
        ("a picnic with Tim.", 1, 15, "warning", "Tom"),
        ("a picnic with Tim's dog", 1, 15, "warning", "Tom"),
        ("[NC] an owl sees Mai", 1, 18, "warning", "Mia"),
        ("a picnic with [Tim]", 1, 16, "warning", "Tom"),
        ("a picnic with [Ottokar]", 1, 16, "warning", None),
        ("Tom meets Mai Lu", 1, 11, "warning", "Mia Lu"),
        ("[Ottokar] runs", 1, 2, "error", None),
        ("panels:\n- prompt: x\n  cast: [Mia,  Tam]", 3, 16, "error", "Tom"),
        ("panels:\n- prompt: x\n  cast: ['Tam']", 3, 11, "error", "Tom"),
        ('panels:\n- prompt: Mia\n  dialogue:\n  - {who: "Tim", say: x}', 4, 12, "error", "Tom"),
        ('{"panels": [{"prompt": "Mia",\n\t"cast": ["Tim"]}]}', 2, 12, "error", "Tom"),
        ("panels:\n- >\n  Mia and\n  Tim run", 4, 3, "warning", "Tom"),
        ("Mia\r\n\r\n[Tim] runs", 3, 2, "error", "Tom"),
        ("\ufeff[Tim] runs", 1, 2, "error", "Tom"),
    ],
)
def test_unknown_names(source, line, column, severity, fix):
    finding = one(source, "unknown-name")
    assert spot(finding) == (line, column, severity, "unknown-name") and finding.fix == fix
    assert fix is None or repr(fix) in finding.message
    if fix:
        assert found(mend(source, finding), "unknown-name", "nobody") == []


@pytest.mark.parametrize(
    "source",
    [
        "Mia walks. The sea, too. To the left of Tom a Team of Mice",
        "mia meets a tim",
        "Tomato soup for Mia and the Tombstone",
        "Mia and Theodora",
        "a sign [keep out] for Tom",
        "Mia Lu and Mia",
        "小明和小红",
        "Tom meets TOM and TIM-BOB",
    ],
)
def test_words_that_are_no_misspelt_names(source):
    assert found(source, "unknown-name") == []


def test_slips_of_the_pen_are_counted_like_a_plain_search_does():
    def neighbours(word):
        letters = "abc"
        yield word
        for i in range(len(word) + 1):
            yield from (word[:i] + c + word[i:] for c in letters)
            yield from (word[:i] + c + word[i + 1 :] for c in letters if i < len(word))
            yield word[:i] + word[i + 1 :]
            yield word[:i] + word[i : i + 2][::-1] + word[i + 2 :]

    words = ["".join(w) for n in range(5) for w in itertools.product("abc", repeat=n)]
    for word in words[::3]:
        near = set(neighbours(word))
        assert {other: min(_slips(word, other), 2) for other in words} == {
            other: 0 if other == word else 1 if other in near else 2 for other in words
        }


def test_duplicate_names():
    assert spot(one("cast: Bob, a man\ncast: bob\nBob runs", "duplicate-name")) == (2, 7, "error", "duplicate-name")
    source = "cast:\n- {name: Bob, description: x}\n- name: BOB\npanels: [Bob]"
    assert spot(one(source, "duplicate-name")) == (3, 9, "error", "duplicate-name")
    data = json.loads(text(AUTHORS))
    data["角色表"][1]["alias"] = "ROLE-A"
    finding = one(text(data), "duplicate-name", cast=())
    assert text(data)[finding.start : finding.end] == "ROLE-A" and finding.line == 13


def test_nobody_in_a_panel():
    finding = one("Mia runs\nthe sea at night # Dark", "nobody")
    assert spot(finding) == (2, 1, "warning", "nobody") and "panel 2" in finding.message
    mended = mend("Mia runs\nthe sea at night # Dark", finding)
    assert mended == "Mia runs\n[NC] the sea at night # Dark" and found(mended) == []
    assert found("[NC] the sea") == [] and found("panels:\n- {prompt: x, cast: []}") == []
    for source in ("panels:\n- the sea", 'panels:\n- "the sea"', "panels:\n- prompt: the sea"):
        assert one(source).fix is None  # a bracket in front would need quotes
    assert found("[Tim] runs", "nobody") == [] and found("Tim runs", "nobody") == []  # the name is what is wrong


def test_a_character_without_picture_or_description(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "bob.png")
    cast = ["{name: Bob, image: bob.png}", "{name: Ann, description: a nun}", "name: Joe", "name: Eve"]
    source = "\n- ".join(["cast:", *cast]) + "\npanels:\n- Bob, Ann and Joe run"
    findings = found(source, cast=(), folder=tmp_path)
    assert [spot(finding) for finding in findings] == [(3, 10, "note", "no-picture"), (4, 9, "error", "no-picture")]
    assert "drawn from the description" in findings[0].message
    assert found(source, "no-picture", cast=[CastMember("Ann"), CastMember("joe")], folder=tmp_path) == []
    assert found("Zoe\u0308 meets Fern", cast=[CastMember("Zoe\u0308"), CastMember(" Fern ")]) == []


# --- panels -------------------------------------------------------------------------------------------------------


def test_a_panel_repeated():
    finding = one("Mia runs\nTom runs\nMia  runs. # Again\n", "repeated")
    assert spot(finding) == (3, 1, "warning", "repeated") and "Panel 3 repeats panel 1" in finding.message
    for other in ("[Tom] runs", "[NC] runs", "[Mia] [style: Line art] runs"):
        assert found(f"[Mia] runs\n{other}", "repeated") == []
    seeds = "panels:\n- {prompt: Mia, seed: 1}\n- {prompt: Mia, seed: %s}"
    assert found(seeds % 2, "repeated") == [] and one(seeds % 1, "repeated").line == 3
    assert found("[NC] ☀️\n[NC] 🌧️\nMia in __place__\nMia in __place__\n{Mia|Tom} sits\n{Mia|Tom} sits") == []
    assert one("[seed: 1] Mia in __place__\n[seed: 1] Mia in __place__").code == "repeated"


def test_a_hash_without_a_space():
    finding = one("Mia at noon#They met", "caption")
    assert spot(finding) == (1, 12, "warning", "caption")
    assert parse_script(mend("Mia at noon#They met", finding), cast=CAST).panels[0].caption == "They met"
    assert found("Mia plays C# music\nMia at no. 4 #4", "caption") == []


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("title: a\ntitle: b\nMia", 2, 1, "given twice"),
        ("Mia\nstyle: ink", 2, 1, "must come before"),
        ("panels:\n- Mia\nstyel: ink", 3, 1, "did you mean 'style'"),
        ("panels:\n- {prompt: Mia, seed:  x}", 2, 24, "must be a whole number"),
        ("", 1, 1, "no panels"),
        ("cast:\nMia", 1, 6, "needs a name"),
    ],
)
def test_what_else_keeps_a_script_from_being_read(source, line, column, words):
    finding = one(source, "script")
    assert spot(finding) == (line, column, "error", "script") and words in finding.message
    assert not finding.message.startswith("Line")


def test_a_wrong_key_is_mended():
    source = "panels:\n- Mia\nstyel: Line art"
    assert parse_script(mend(source, one(source)), cast=CAST).style == "Line art"


def test_everything_is_told_at_once_and_the_first_is_what_the_parser_raises():
    source = "cast: Bob, a man\n[Bib] runs\n[Bub] sits\ntitle: late"
    errors = [finding for finding in found(source, cast=()) if finding.severity == "error"]
    assert [finding.line for finding in errors] == [2, 3, 4]
    reading = read_script(source)
    with pytest.raises(ScriptError) as caught:
        parse_script(source)
    assert str(caught.value) == str(reading.errors[0])


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("panels: [", 1, 10),
        ("panels:\n- [Mia] runs", 2, 9),
        ('{"panels": ["a" "b"]}', 1, 17),
        ("panels: *a", 1, 9),
        ("panels: !!python/none x", 1, 9),
        ("panels:\n- a\x07b", 2, 4),
        ("panels: " + "[" * 3000, 1, 1),
        ("x" * 500_001, 1, 1),
    ],
)
def test_what_cannot_be_taken_apart_is_one_finding(source, line, column):
    finding = one(source)
    assert spot(finding) == (line, column, "error", "unreadable") and mend(source, finding) == source


def test_a_wrong_file_of_presets_is_a_finding(tmp_path):
    (tmp_path / "styles.yaml").write_text("Crayon: crayon")
    assert "styles.yaml" in one("Mia runs", "unreadable", folder=tmp_path).message


def test_styles_that_are_nearly_presets():
    source = "style: Comic bok\n[style: pixel  art] Mia runs\n[style: Line arts] Mia\n[style: soft light] Mia sits"
    findings = found(source, "style")
    assert [(*spot(f)[:3], f.fix) for f in findings] == [
        (1, 8, "warning", "Comic book"),
        (3, 9, "warning", "Line art"),
    ]
    for finding in findings[::-1]:
        source = mend(source, finding)
    assert found(source, "style") == []


def test_findings_do_not_depend_on_the_order_of_the_cast():
    source = "Tim and Mai run\n[Tim] sits\nMia Lu and Mai Lu"
    results = {lint(source, cast=order) for order in itertools.permutations(CAST)}
    assert len({tuple((f.line, f.column, f.code, f.fix) for f in result) for result in results}) == 1


def test_random_text_never_raises():
    import random

    chance = random.Random(0)
    pieces = [
        "[",
        "]",
        "#",
        ":",
        "\n",
        "- ",
        "{",
        "}",
        '"',
        "'",
        "Mia",
        "Mai",
        "小明",
        "style: ",
        "cast: ",
        "panels:",
        " ",
        "\t",
        "é",
    ]
    pieces += ["分镜头", "alias", "[NC]", ",", "\r", "\u2028", "\ufeff", "a small fox", "\\", "&a", "*a", "!", "0"]
    for _ in range(400):
        source = "".join(chance.choices(pieces, k=chance.randrange(30)))
        found(source, cast=chance.choice([(), CAST]))


# --- what a backend tells -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sdxl(tiny_backend):
    memory = Planned("sdxl", lambda plan: sdxl_pipeline(), [Plan("float32", "cpu", 0, 0)], print)
    return AnyStoryBackend(capabilities(memory.model, "sdxl", "1", 25), memory, lambda plan: "1")


def test_without_a_backend_nothing_is_said_of_it(tiny_backend):
    crowd = [CastMember(f"N{index}") for index in range(5)]
    source = "style: Line art\n" + ", ".join(member.name for member in crowd) + " сидят " + "far away " * 60
    assert found(source, cast=crowd) == []
    codes = [finding.code for finding in found(source, cast=crowd, backend=tiny_backend)]
    assert sorted(set(codes)) == ["crowded", "language", "style", "unread"]


def test_more_characters_than_the_backend_takes(tiny_backend):
    crowd = [CastMember(f"N{index}") for index in range(tiny_backend.about.max_subjects + 1)]
    names = [member.name for member in crowd]
    assert found(f"[{', '.join(names[1:])}] a race", cast=crowd, backend=tiny_backend) == []
    finding = one(f"[NC] x\n[{', '.join(names)}] a race", cast=crowd, backend=tiny_backend)
    assert spot(finding) == (2, 1, "error", "crowded")
    assert (
        f"Panel 2 has {len(crowd)} characters; mini takes at most {tiny_backend.about.max_subjects}" in finding.message
    )


def test_the_words_that_fall_off(tiny_backend, sdxl):
    source = "[NC] x\nMia walks in the forest " + "and on " * 22 + "to the beach at night # " + "long " * 90
    for backend, falls in ((tiny_backend, "beach at night"), (sdxl, "and on")):
        finding = one(source, "unread", backend=backend)
        line, column, severity, _ = spot(finding)
        assert (line, severity) == (2, "warning") and column > 10 and falls in finding.message
        assert source[finding.start : finding.end].startswith(("and", "on", "to", "the", "beach", "forest"))
        assert backend.about.name in finding.message
    assert found("Mia walks in the forest # " + "long " * 90, backend=tiny_backend) == []


def test_descriptions_take_room_too(tiny_backend):
    long = [CastMember("Mia", description="a fox " + "and a robot " * 20)]
    finding = one("Mia walks at night", "unread", cast=long, backend=tiny_backend)
    assert spot(finding)[:2] == (1, 5) and "walks at night" in finding.message


def test_unread_is_the_end_of_the_text_from_a_word_on(tiny_backend, sdxl):
    for backend in (tiny_backend, sdxl):
        assert backend.unread(Prompt("")) == backend.unread(Prompt("a fox on the beach")) == ""
        whole = " ".join(f"beach{index}" for index in range(60))
        lost = backend.unread(Prompt(whole))
        assert whole.endswith(lost) and lost.startswith("beach") and 0 < len(lost) < len(whole)
        assert backend.unread(Prompt(whole[: -len(lost)])) == ""
    chinese = "狐" * 100
    assert 0 < len(tiny_backend.unread(Prompt(chinese))) < 100


def test_checking_while_a_frame_is_made(tiny_backend):
    from dataclasses import replace

    steps = tiny_backend.denoise(Request(Prompt("a fox"), (), (), replace(tiny_backend.about.defaults, steps=2), 0))
    next(steps)
    assert tiny_backend.unread(Prompt("beach " * 99))  # does not wait for the frame
    steps.close()


@pytest.mark.parametrize(
    ("source", "line", "column", "letters", "words"),
    [
        ("Mia сидит в лесу, quietly", 1, 5, "Cyrillic", "сидит в лесу"),
        ("小明 walks in the 森林", 1, 17, "Chinese", "森林"),
        ("小明在森林里", 1, 3, "Chinese", "在森林里"),
        ("小明は歩く", 1, 3, "Japanese", "は歩く"),
        ("panels:\n- prompt: 小明 runs\n  cast: [Mia]", 2, 11, "Chinese", "小明"),
        ("cast: Bob, ein Mann aus Αθήνα\nBob sits", 1, 25, "Greek", "Αθήνα"),
    ],
)
def test_a_language_the_backend_does_not_read(tiny_backend, source, line, column, letters, words):
    finding = one(source, "language", backend=tiny_backend)
    assert spot(finding) == (line, column, "warning", "language")
    assert f"mini reads English, not {letters}" in finding.message and repr(words) in finding.message
    assert source[finding.start : finding.end] == words


def test_names_captions_and_dialogue_are_in_any_language(tiny_backend):
    source = "title: 路上\n小明 runs # 小明在路上\n[小明] sits\nÉlan für Mia — naïve “ﬁne” 5 × 3 🦊"
    assert found(source, "language", backend=tiny_backend) == []


def test_a_backend_that_reads_chinese(tiny_backend):
    class Reader:
        about = Capabilities("wide", "1", Settings(64), range(64, 129, 8), 4, ("English", "Chinese"))

        def unread(self, prompt, pictures=()):
            return ""

    assert found("小明在森林里", "language", backend=Reader()) == []
    assert one("小明は歩く", "language", backend=Reader()).message.startswith(
        "wide reads English and Chinese, not Japanese"
    )
    assert set(LETTERS.values()) >= {"Chinese", "Japanese", "Korean", "Cyrillic", "Arabic"}


def test_sizes_and_wildcards_that_there_are_not(tiny_backend, tmp_path):
    source = "[size: 60] Mia 60\n[size: 64] Mia\n[size: 4000] Mia"
    bad = found(source, "size", backend=tiny_backend)
    assert [(spot(f), f.fix) for f in bad] == [((1, 8, "error", "size"), "56"), ((3, 8, "error", "size"), "256")]
    assert "multiples of 8 from 16 to 256" in bad[0].message and found(source, "size") == []
    assert found(mend(source, bad[0]), "size", backend=tiny_backend)[0].line == 3

    source = "Mia {eats __fod__|sits __place__} __nothing like it__ \nTom __mine__"
    bad = found(source, "wildcard")
    assert [(f.line, f.column, f.fix) for f in bad] == [(1, 11, "__food__"), (1, 35, None), (2, 5, None)]
    (tmp_path / "wildcards.yaml").write_text("mine: [sits, __loop__]\nloop: [__mine__]")
    assert [f.line for f in lint(source, cast=CAST, folder=tmp_path) if f.code == "wildcard"][:2] == [1, 1]
    (tmp_path / "wildcards.yaml").write_text("mine: {}")
    (bad,) = [f for f in lint("Mia", cast=CAST, folder=tmp_path) if f.code == "wildcard"]
    assert "must be a list" in bad.message and bad.severity == "error"
    assert spot(one("Mia {walks|}\n[NC] {a {red|} kite|}")) == (2, 1, "warning", "wildcard")


def test_what_a_backend_cannot_follow_is_said(tiny_backend, sdxl):
    source = "style: Line art\nMia runs\n[style: (No style)] Mia sits\n[style: soft light] Tom runs"
    notes = found(source, backend=tiny_backend)
    assert [spot(note) for note in notes] == [(1, 8, "note", "style"), (4, 9, "note", "style")]
    assert notes[0].message == "mini cannot follow a style; 'Line art' is left out of what it reads."
    assert found(source, "style", backend=sdxl) == []
    drawn = "cast: Bob, a man\nBob runs"
    assert one(drawn, backend=sdxl, cast=()).severity == "note"
    finding = one(drawn, backend=tiny_backend, cast=())
    assert finding.severity == "warning" and "mini hardly draws a character from words" in finding.message


def test_storyboards_are_linted_where_they_stand(tiny_backend):
    source = text(AUTHORS).replace("walks alone", "и ROLE-C walks alone")
    findings = found(source, "unknown-name", "language", cast=(), backend=tiny_backend)
    assert [(f.code, source[f.start : f.end], f.line) for f in findings] == [
        ("language", "и", 28),
        ("unknown-name", "ROLE-C", 28),
    ]
    assert {finding.code for finding in found(text(RABBITS), cast=())} == {"no-picture"}


def test_mend_without_a_fix_changes_nothing():
    assert mend("abc", Finding(1, 1, 0, 2, "error", "script", "x.")) == "abc"
    assert mend("abc", Finding(1, 2, 1, 2, "error", "script", "x.", "B")) == "aBc"
