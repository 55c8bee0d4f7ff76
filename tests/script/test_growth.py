"""Whatever is written, and however long: a script is read in time that grows as its length does.

The work that is counted is calls of functions; repetitions within one pattern are no calls, so every construct is read
at the greatest length there is too: with a pattern that takes the square of it this file would not come to an end.
"""

from __future__ import annotations

import random
import re
import sys
from contextlib import suppress

import pytest

from anystory.script.form import MAX_BYTES, MAX_ERRORS, ScriptError, place
from anystory.script.read import read_script
from anystory.story.steering import PAINT, _placed, read_strengths

CAST = "".join(f"cast: Name {chr(97 + i % 26)}{chr(97 + i // 26)}\n" for i in range(50))

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
}  # fmt: skip


def read(text: str) -> None:
    with suppress(ScriptError):
        read_script(text)


def calls(text: str) -> int:
    """How many functions reading a text calls."""
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


@pytest.mark.parametrize("what", GROWING)
def test_the_longest_text_is_read_or_refused(what):
    text = GROWING[what](MAX_BYTES - 3000)
    assert MAX_BYTES // 2 < len(text) <= MAX_BYTES
    read(text)


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
    assert calls(text) < 10 * len(text)  # a call or two for every word, not for every letter
