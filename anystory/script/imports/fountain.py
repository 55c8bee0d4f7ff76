r"""Screenplays in Fountain: a heading tells place and time, each paragraph of action is a panel, dialogue its balloons.

    Title: The picnic

    EXT. HILL - DAY

    Mochi packs a basket.

    MOCHI
    Ready?

becomes the panel "Mochi packs a basket, hill, day" in which Mochi says "Ready?". Who speaks is in the cast, and in the
panel unless they are only heard (V.O., O.S.). Centred text and lyrics become captions. Transitions, parentheticals,
notes, sections, synopses and what the title page has besides are left out, and listed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from anystory.errors import Message
from anystory.script.form import NEWLINE, Parsed, Span
from anystory.script.imports.panels import Panels, sentence
from anystory.story.names import folded
from anystory.story.prompt import find_names

HEADING = re.compile(
    r"(?:(?:INT|EXT|EST)\.?\s*/\s*(?:INT|EXT)|INT|EXT|EST|I/E)[. ]\s*(?=\S)"
    r"|(?:内外|内|外|內外|內)景[.。、 \u3000]\s*(?=\S)",
    re.IGNORECASE,
)
SIGN = re.compile(rf"^[ \t]*(?-i:{HEADING.pattern})", re.MULTILINE)
"""A line that tells a screenplay from other text, in capitals as every program writes them."""

TRANSITION = re.compile(r"[^a-z]*\bTO:$|(?:FADE (?:IN|OUT)|CUT TO BLACK|THE END|SMASH CUT)\b[.:]?$")
CUE = re.compile(r"(?=[^a-z]*[^\W\d_])(?P<name>[^a-z(:]*[^a-z(:\s^])\s*+(?P<how>(?:\([^)]*\)\s*+)*+)\^?$")
SPECIAL = re.compile(rf"[>~#=@!]|\.[^.]|(?-i:{HEADING.pattern})")
"""What begins a line that does not go on with the action above."""

UNSEEN = re.compile(r"\b(?:V\.?\s?O|O\.?\s?S|O\.?\s?C|OFF)\b", re.IGNORECASE)
TITLE_KEY = re.compile(r"([A-Za-z][A-Za-z ]{0,30}):[ \t]*(.*)$")
REMARK = re.compile(r"/\*.*?(?:\*/|\Z)|\[\[.*?(?:\]\]|\Z)", re.DOTALL)
EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|_)(?=\S)(.+?)(?<=\S)\1")

Lines = list[tuple[int, str]]
"""Lines, each with the place where it begins."""


def is_fountain(text: str) -> bool:
    """Whether a text is a screenplay by its headings."""
    return SIGN.search(text) is not None


def parse_fountain(text: str, known: Sequence[str] = ()) -> Parsed:
    """Take a screenplay apart; `known` are the names of characters there are already."""
    return _Screenplay(text, known).read()


class _Screenplay:
    """A screenplay in the reading: the place and the time that the last heading told, and the panel in the making."""

    def __init__(self, text: str, known: Sequence[str]) -> None:
        self.panels = Panels(text, known)
        self.text = text
        self.place: list[str] = []
        self.heading: Span | None = None  # of the place, until a panel is there
        self.panel: dict[str, Any] | None = None
        self.span: Span = (0, 0)

    def read(self) -> Parsed:
        blanked = self.text.lstrip("\ufeff").rjust(len(self.text))
        for remark in REMARK.finditer(blanked):
            self.panels.leave_out(remark.span(), Message("a note"))
        # Not with spaces: two of them are a line of dialogue that is meant to be empty.
        blanked = REMARK.sub(lambda hit: re.sub(r"[^\r\n]", "\t", hit[0]), blanked)
        paragraphs = _paragraphs(blanked)
        if paragraphs and TITLE_KEY.match(paragraphs[0][0][1]) and not HEADING.match(paragraphs[0][0][1]):
            self.title_page(paragraphs.pop(0))
        for lines in paragraphs:
            self.paragraph(lines)
        self.close()
        self.leave_heading()
        return self.panels.parsed()

    def leave_heading(self) -> None:
        if self.heading:
            self.panels.leave_out(self.heading, Message("a heading with no panel below it"))

    def title_page(self, lines: Lines) -> None:
        key = ""
        for start, line in lines:
            span = start, start + len(line)
            entry = None if line[:1].isspace() else TITLE_KEY.match(line)
            key, value = (entry[1].casefold(), entry[2]) if entry else (key, line.strip())
            if key == "title" and value:
                told = self.panels.data.get("title")
                self.panels.set("title", " ".join(filter(None, (told, _plain(value)))), span)
            elif value:
                self.panels.leave_out(span, Message("of the title page only the title is kept"))

    def paragraph(self, lines: Lines) -> None:
        """Lines without an empty one between them: one element, or a heading with what is written close below it."""
        while lines:
            start, line = lines[0][0], lines[0][1].strip()
            span, forced = (start, start + len(lines[0][1])), line[:1]
            if re.fullmatch(r"={3,}", line):
                lines = lines[1:]
            elif (forced == "." and line[1:2] not in (".", "")) or HEADING.match(line):
                self.close()
                self.leave_heading()
                self.place, self.heading = _place(line.lstrip(".")), span
                lines = lines[1:]
            elif forced in ("#", "="):
                self.panels.leave_out(span, Message("a section or synopsis"))
                lines = lines[1:]
            elif (forced == ">" and line.endswith("<")) or forced == "~":
                self.caption(_plain(line[1:].removesuffix("<" if forced == ">" else "").strip()), span)
                lines = lines[1:]
            elif forced == ">" or (forced not in "!@" and TRANSITION.match(line)):
                self.panels.leave_out(span, Message("a transition"))
                lines = lines[1:]
            elif forced == "@" or (forced != "!" and len(lines) > 1 and CUE.match(line)):
                self.dialogue(line.lstrip("@"), lines, span)
                return
            else:
                end = next((k for k in range(1, len(lines)) if SPECIAL.match(lines[k][1].strip())), len(lines))
                self.action(lines[:end])
                lines = lines[end:]

    def action(self, lines: Lines) -> None:
        """A paragraph of action, which is a panel."""
        self.close()
        words = " ".join(_plain(line.strip().removeprefix("!")) for _, line in lines)
        self.open((lines[0][0], lines[-1][0] + len(lines[-1][1])), words)

    def dialogue(self, cue: str, lines: Lines, span: Span) -> None:
        match = re.match(r"(?P<name>[^(^]+)(?P<how>.*)$", cue)
        name = self.name(match["name"].strip() if match else cue, span)
        words = []
        for how in re.findall(r"\(([^()]+)\)", match["how"] if match else ""):
            if not re.fullmatch(r"CONT['’]?D\.?", how) and not UNSEEN.match(how):
                at = lines[0][0] + max(lines[0][1].find(how), 0)
                self.panels.leave_out((at, at + len(how)), Message("how something is said"))
        for start, line in lines[1:]:
            if re.fullmatch(r"\s*\(.*\)\s*", line):
                self.panels.leave_out((start, start + len(line)), Message("how something is said"))
            else:
                words.append(_plain(line.strip()))
        panel = self.panel if self.panel is not None else self.open((span[0], lines[-1][0] + len(lines[-1][1])), "")
        self.span = self.span[0], lines[-1][0] + len(lines[-1][1])
        if any(words):
            panel["dialogue"].append({"who": name, "say": " ".join(filter(None, words))})
        if not (match and UNSEEN.search(match["how"])):
            panel["cast"].append(name)

    def name(self, cue: str, span: Span) -> str:
        """Who speaks, spelt as the action spells them; a cue has capitals only."""
        whole = re.compile(rf"(?<!\w){re.escape(cue)}(?!\w)", re.IGNORECASE)
        spelt = (hit[0] for hit in whole.finditer(self.text))
        mixed = next((words for words in spelt if not words.isupper() and words[:1].isupper()), None)
        return self.panels.introduce(mixed or (cue.title() if cue.isupper() else cue), span)

    def caption(self, words: str, span: Span) -> None:
        panel = self.panel if self.panel is not None else self.open(span, "")
        panel["caption"] = " ".join(filter(None, (panel["caption"], words)))

    def open(self, span: Span, words: str) -> dict[str, Any]:
        self.panel = {"words": words, "caption": "", "dialogue": [], "cast": []}
        self.span = span
        return self.panel

    def close(self) -> None:
        """Put the panel in the making among the panels."""
        if self.panel is None:
            return
        self.heading = None
        words, told = self.panel.pop("words"), list(dict.fromkeys(self.panel.pop("cast")))
        named = {folded(hit.name) for hit in find_names(words, told)}
        present = [name for name in told if folded(name) not in named] if not words else []
        prompt = sentence([words or " and ".join(present), *self.place]) or self.panel["caption"]
        self.panels.add(self.span, words, told, prompt=prompt, **self.panel)
        self.panel = None


def _paragraphs(text: str) -> list[Lines]:
    """Runs of lines that are not empty; two spaces are a line of dialogue that is meant to be."""
    found: list[Lines] = [[]]
    start = 0
    for end, after in [*(hit.span() for hit in NEWLINE.finditer(text)), (len(text), len(text))]:
        line = text[start:end].rstrip() or ("" if text[start:end] != "  " else "  ")
        if line:
            found[-1].append((start, line))
        elif found[-1]:
            found.append([])
        start = after
    return [lines for lines in found if lines]


def _place(heading: str) -> list[str]:
    """A heading in words for a picture: `EXT. HILL - DAY #3#` is ["hill", "day"]."""
    words = HEADING.sub("", re.sub(r"#[^#]*#\s*$", "", heading), count=1)
    parts = [part.strip(" .") for part in re.split(r"(?<!\s)\s+[-–—]+\s+", words)]
    return [part.lower() if part.isupper() else part for part in parts if part]


def _plain(words: str) -> str:
    """Words without the marks of emphasis."""
    for _ in range(3):
        words = EMPHASIS.sub(r"\2", words)
    return re.sub(r"\\([*_(])", r"\1", words).strip()
