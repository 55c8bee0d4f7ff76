"""How words are written that would mean something else in a script: a backslash before a mark, quotes around quotes."""

from __future__ import annotations

import re

ESCAPED = "\n\\#>[]*"
"""What stands behind a backslash, the first as n. While a line is read, each is a character that no text has."""


def hidden(text: str) -> str:
    """A line with every escape as one character that nothing else looks for."""

    def code(hit: re.Match[str]) -> str:
        return chr(0xFDD0 + ESCAPED.index("\n" if hit[1] == "n" else hit[1]))

    return re.sub(r"\\([\\#>\[\]*n])", code, text)


def shown_again(text: str) -> str:
    """The text that `hidden` was given, without the backslashes."""
    return text.translate({0xFDD0 + index: char for index, char in enumerate(ESCAPED)})


def escaped(text: str, whole: bool = False) -> str:
    """Text as a line of plain text has it: with a backslash before backslashes that would mean something and, if
    `whole`, before all that may."""
    text = re.sub(r"\\(?=[\\#>\[\]*n]|$)", r"\\\\", text)
    text = re.sub(r"[#>\[\]*]", r"\\\g<0>", text) if whole else text
    return text.replace("\n", r"\n")


def literal(text: str) -> str:
    """Words of another form of script with the brackets hidden that have a backslash before them, as `bare` puts it
    there. No other backslash means anything in such a form."""

    def code(hit: re.Match[str]) -> str:
        taken, odd = divmod(len(hit[1]), 2)
        return "\\" * taken + (hidden(f"\\{hit[2]}") if odd else hit[2])

    return re.sub(r"(\\+)([\[\]])", code, text)


def bare(text: str) -> str:
    """Words for another form of script, in which no bracket means anything."""
    return re.sub(r"(\\*)([\[\]])", r"\1\1\\\2", text)


PAIRS = ('""', "“”", "「」")
"""The quotes in which what is said may stand, opening and closing."""


def unquoted(words: str) -> str:
    """What is said without the quotes around it."""
    words = words.strip()
    return words[1:-1].strip() if len(words) > 2 and words[0] + words[-1] in PAIRS else words


def quoted(words: str) -> str:
    """What is said as `unquoted` is to read it: in quotes where it has some of its own around it."""
    return words if unquoted(words) == words else f'"{words}"'
