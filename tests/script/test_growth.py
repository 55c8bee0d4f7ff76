"""Whatever is written, and however long: a script is read, checked and shown in time that grows as its length does.

The work that is counted is calls of functions; repetitions within one pattern are no calls, so every construct is read
at the greatest length there is too: with a pattern that takes the square of it this file would not come to an end.
"""

from __future__ import annotations

import random
import re
import sys
from functools import cache
from types import SimpleNamespace

import pytest

from anystory.backends.base import STORYBOOK, Backend
from anystory.backends.load import load
from anystory.render.sketches import Sketches
from anystory.script.form import MAX_BYTES, MAX_ERRORS, ScriptError, place
from anystory.script.lint import lint
from anystory.script.pronouns import LONG, READ
from anystory.script.read import read_script
from anystory.story.steering import PAINT, _placed, read_strengths
from ui import board
from ui import script as page

NAMES = [f"Name {chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(50)]
CAST = "".join(f"cast: {name}\n" for name in NAMES)

WORK = 90
"""Calls for a character of a full panel: more, and the longest script takes more than seconds."""

GROWING = {
    "an open tag": lambda n: "[seed:" + " " * n + "x",
    "open tags": lambda n: "[seed:x " * (n // 8),
    "a name of spaces": lambda n: "[layout: M" + " " * n + "x] Mia",
    "numbers of a layout": lambda n: "[layout: M" + " 1" * (n // 2) + "x] Mia",
    "a long number": lambda n: "[layout: M " + "1" * n + "] Mia",
    "places": lambda n: "[layout:" + "a;" * (n // 2) + "] Mia",
    "a strength of spaces": lambda n: "[eta: M" + " " * n + "x y] Mia",
    "a file of dots": lambda n: "cast: A\nimage:" + ".png" * (n // 4) + "x",
    "a described name": lambda n: "[A] a fox" + " " * n + "x\n\nA runs",
    "an open bracket": lambda n: "[" * n,
    "brackets": lambda n: "[A]" * (n // 3),
    "captions": lambda n: "a #" * (n // 3),
    "spaces": lambda n: "a" + " " * n + "b",
    "a counted panel": lambda n: "Panel" + " " * n + "x",
    "a panel's number": lambda n: "## Panel 1" + " " * n + "x",
    "a heading": lambda n: "##" + " " * n + "x",
    "what is bold": lambda n: "**a " * (n // 4),
    "backslashes": lambda n: "\\" * n,
    "empty lines": lambda n: "\n" * n + "a",
    "panels": lambda n: "a b\n" * (n // 4),
    "long panels": lambda n: "cast: Mia\n" + ("Mia runs " * 200 + "\n") * (n // 1800),
    "fifty characters": lambda n: CAST + ("Name aa runs with Name ba and them " * 55 + "\n") * (n // 2000),
    "a dialogue": lambda n: "cast: Mia\nMia\n" + "> Mia: x\n" * (n // 9),
    "colons": lambda n: "cast: Mia\nMia\n> " + "a:" * (n // 2),
    "titles": lambda n: "title: a\n" * (n // 9),
    "members": lambda n: "".join(f"cast: n{i:06}\n" for i in range(n // 14)) + "a",
    "unknown names": lambda n: "cast: Mia\n" + ("[" + "q," * 300 + "] runs\n") * (n // 608),
    "braces": lambda n: "x {|" * (n // 4),
    "accents": lambda n: "cast: Mia\nMia" + "\u0301" * n,
    "unknown keys": lambda n: "panels: [a]\n" + "".join(f"k{i:06}: b\n" for i in range(n // 11)),
    "entries": lambda n: "panels: [" + "a," * (n // 2 - 5) + "]",
    "aliases": lambda n: "panels: [a]\ncast: [{name: Mia, alias: [" + "alias-x," * (n // 8 - 9) + "]}]",
    "HTML": lambda n: "<p>" + "<b>a</b></p> " * (n // 13),
    "open HTML": lambda n: "<p><li>" + "<p <!" * (n // 5 - 2),
    "an open part of HTML": lambda n: "<p><p>" + "<script " * (n // 8 - 1),
    "entities": lambda n: "<p><p>" + "&amp" * (n // 4 - 2),
    "a table of HTML": lambda n: "<table>" + "<tr><td rowspan=9>a" * (n // 19 - 1),
    "ends of tables": lambda n: "<table>" + "<tr>" * (n // 12 - 1) + "</table>" * (n // 12 - 1),
    "a remark of JSON": lambda n: "/*" * (n // 4) + "//a\n" * (n // 8),
    "emphasis": lambda n: "*" + "a " * (n // 2 - 1) + "\n" + "*a_",
    "a note": lambda n: "Panel 1 (" * (n // 9),
    "what is said": lambda n: "1. a\n2. b\n" + 'Mia: "a"\n' * (n // 9 - 2),
    "labels": lambda n: "1. a\n2. b\nDialogue:\n" + "- a: b\n" * (n // 7 - 4),
    "curly quotes": lambda n: "panels: [a]\nb: c: d\n" + "- “a, " * (n // 6 - 5),
    "a place of a screenplay": lambda n: "INT. HOUSE" + " " * n + "x - NIGHT\n\nA fox runs.\n",
    "action of a screenplay": lambda n: "INT. HOUSE - NIGHT\n\nFOX\nHi.\n\n" + "---\n" * (n // 4 - 9),
    "a cue of a screenplay": lambda n: "INT. HOUSE - NIGHT\n\nFOX" + " " * n + "X (\nWho?\n",
    "brackets of a cue": lambda n: "INT. HOUSE - NIGHT\n\nFOX " + "( " * (n // 2) + "\nWho?\n",
    "names of a sheet": lambda n: "panel,characters,prompt\n1,a" + " " * n + "b,c\n",
    "lines of a sheet": lambda n: "panel,dialogue,prompt\n1,a" + " " * n + "b,c\n",
    "names of records": lambda n: '{"panels": [{"prompt": "a", "characters": "a' + " " * n + 'b"}]}',
    "an aside of a member": lambda n: "cast: Mia" + " " * n + "x (a\nMia",
    "escaped lines": lambda n: 'panels: ["' + "\\n" * (n // 2 - 9) + '"]',
    "one word": lambda n: "a" * n,
    "ideographs": lambda n: "小狐狸跑，" * (n // 5),
    "accented words": lambda n: "el búho vio la niña. " * (n // 21),
    "emoji": lambda n: "🦊🌲👩‍🚀🏴‍☠️" * (n // 10),
    "kinds of brackets": lambda n: "[](){}" * (n // 6),
    "quotes": lambda n: "\"'“”«»「」" * (n // 8),
    "only colons": lambda n: ":" * n,
    "words of nobody": lambda n: "Mia: a word\n" * (n // 12),
    "words of somebody": lambda n: "cast: Mia\n" + "Mia: a word\n" * (n // 12 - 9),
    "words below panels": lambda n: "cast: Mia\n1. Mia\n2. Mia\n" + "Mia: a word\n" * (n // 12 - 9),
    "names of fifty": lambda n: CAST + " ".join(NAMES) * ((n - len(CAST)) // 400),
    "lines of fifty": lambda n: CAST + "\n".join(NAMES) * ((n - len(CAST)) // 400),
    "returns": lambda n: "\r\n" * (n // 2),
    "fences": lambda n: "```\na\n```\n" * (n // 10),
    "a table": lambda n: "| shot | text |\n|---|---|\n" + "| 1 | a |\n" * (n // 10 - 9),
    "nothing to see": lambda n: "a\u200d\u202e" * (n // 3),
    "half characters": lambda n: "\ud800" * n,
    "nothing at all": lambda n: "\0" * n,
}  # fmt: skip

PANELS = {
    "words": "The small fox runs through the forest while the moon rises, and she waves at it. ",
    "Spanish": "La zorra corre por el bosque, y el búho de Mia duerme en el árbol. ",
    "Chinese": "小狐狸在森林里奔跑，她看见一只猫头鹰，",
    "names in Chinese": "小狐和大熊",
    "Arabic": "ومريم تركض في الغابة ",
    "a name in one word with itself": "Mia",
    "an Arabic name in one word with itself": "مريم",
    "emoji": "🦊🌲👩‍🚀🏴‍☠️🐻‍❄️👍🏽",
    "names": "Mia and Tom meet ",
    "nearly names": "Mya met Tomm, Nia ",
    "nobody": "Mia is not Tom, without Mia, no Tom. ",
    "pronouns": "she waves at him and they laugh with her; ",
    "brackets": "[Mya] and [Tomm] ",
    "wildcards": "{a|b} __animal__ ",
    "bars": "|",
    "unknown lists": "__anmal__ ",
    "hashes": "x#yy z ",
    "stops": ": ",
    "owners": "Mia's hat, the wizard Tom waves, ",
    "quotations": 'Mia says "hello" and «hola» ',
}
"""What panels are full of."""


def full(words: str, width: int) -> str:
    """A script of 20 panels of about as many characters."""
    cast = "cast: Mia, a girl\ncast: Tom, a boy\ncast: 小狐\ncast: 大熊\ncast: مريم\n"
    return cast + "".join(f"{width} {number} {words * (width // len(words))}\n" for number in range(20))


@cache
def storybook() -> Backend:
    return load(STORYBOOK)


def read(text: str) -> None:
    """What the page does with a text while it is written, and so does `check`."""
    reading = page.read(text, "", "", (), (), storybook())
    page.feedback(reading)
    lint(text)


def calls(text: str) -> int:
    """How many functions that calls."""
    count = 0

    def told(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(told)
    try:
        read(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("what", GROWING)
def test_twice_the_length_is_at_most_about_twice_the_work(what):
    read(GROWING[what](2000))  # what is loaded or kept once
    short, long = (calls(GROWING[what](n)) for n in (6000, 12000))
    assert long < 2.6 * short + 2000, (short, long)


@pytest.mark.parametrize("what", PANELS)
def test_a_panel_of_twice_the_length_is_at_most_about_twice_the_work(what):
    read(full(PANELS[what], 300))
    short, long = (calls(full(PANELS[what], width)) for width in (900, 1800))
    assert long < 2.6 * short + 2000, (short, long)
    assert long < WORK * len(full(PANELS[what], 1800)), long


@pytest.mark.parametrize("what", GROWING)
def test_the_longest_text_is_read_or_refused(what):
    text = GROWING[what](MAX_BYTES - 3000)
    assert MAX_BYTES // 2 < len(text) <= MAX_BYTES
    read(text)


def test_of_a_kind_of_finding_the_first_are_told_and_that_there_are_more():
    found = [each for each in lint("cast: Mia\n" + "Nia Mya Mla Mja\n" * 150) if each.code == "unknown-name"]
    *told, last = found
    assert len(told) == MAX_ERRORS and last.severity == "note" and last.fix is None
    assert f"Only the first {MAX_ERRORS} findings of this kind are told" in last.message
    assert not any("Only the first" in each.message for each in lint("cast: Mia\n" + "Nia Mya Mla Mja\n" * 9))
    assert any("Only the first" in each.message for each in lint("title: a\n" * 5000))


def test_whom_words_mean_is_read_in_as_much_as_is_said():
    lines = "She runs " + "through the forest " * 15
    few, many = 9, READ // LONG + 9
    for count in (few, many):
        script = "cast: Mia, a girl\nMia waits\n" + "".join(f"{lines}{number}\n" for number in range(count))
        panels = read_script(script).script.panels
        shown = [number for number, panel in enumerate(panels, 1) if panel.cast]
        noted = [each.line for each in lint(script) if "write the names" in each.message]
        assert shown == [*range(1, len(shown) + 1)]
        assert (len(shown), noted) == ((few + 1, []) if count == few else (noted[0] - 2, [noted[0]]))


def test_sketches_are_asked_for_as_many_words_as_are_read_in_a_second(tmp_path):
    there = SimpleNamespace(story=tmp_path)
    studio = SimpleNamespace(sketches=Sketches())
    script = read_script("".join(f"[NC] a forest {number} {'by night ' * 100}\n" for number in range(90))).script
    wanted = board._wanted(studio, there, script, (), (), 0)
    assert len(wanted) == board.READ // len(script.panels[-1].prompt) and list(wanted) == [*range(1, len(wanted) + 1)]


@pytest.mark.parametrize("depth", [2000, MAX_BYTES - 10])
def test_what_is_nested_deeply_is_refused(depth):
    with pytest.raises(ScriptError, match="nested too deeply"):
        read_script("panels: " + "[" * depth)


def test_more_mistakes_than_anybody_reads_are_not_told():
    reading = read_script("title: a\n" * 5000)
    assert len(reading.errors) == MAX_ERRORS
    assert reading.errors[-1].line == MAX_ERRORS + 1
    wrong = read_script("cast: Mia\n" + ("[" + "q," * 300 + "] runs\n") * 9).errors
    assert len(wrong) == MAX_ERRORS


def test_words_of_a_layout_are_taken_apart_as_by_the_pattern_that_says_it():
    rng = random.Random(7)
    for _ in range(3000):
        part = "".join(rng.choice(["Mia", "a1", "1", ".5", "-2", "+", " ", "  ", "\t", f"{PAINT}xy"]) for _ in range(7))
        part = part.lstrip()
        if not part:
            continue
        paint = re.fullmatch(rf"\s*(.*?)\s+({PAINT}\S+)\s*", part, re.DOTALL)
        boxed = re.fullmatch(r"\s*(.*?)((?:(?:^|\s+)[+-]?[\d.]+){0,4})\s*", part, re.DOTALL)
        if paint and not re.search(r"\s", paint[2]) and len(part.split()) > 1:
            assert _placed(part) == (paint[1], paint[2])
        else:
            assert _placed(part) == (boxed[1], boxed[2].split()), part


def test_strengths_are_a_name_and_the_last_word():
    assert read_strengths("Mia 1.5; Tom Lu  0.8 ;x; ;") == {"Mia": "1.5", "Tom Lu": "0.8", "x": ""}


def test_places_are_those_of_an_editor():
    text = "\ufeffab\r\ncd\re\n\nf"
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue
        lines = re.split(r"\r\n|\r|\n", text[:offset].removeprefix("\ufeff"))
        assert place(text, offset) == (len(lines), len(lines[-1]) + 1), offset


def test_what_is_longer_than_a_panel_may_be_is_not_searched_for_names():
    text = GROWING["action of a screenplay"](12000)
    read(text)
    assert calls(text) < 20 * len(text)  # a call or two for every word, not for every letter
