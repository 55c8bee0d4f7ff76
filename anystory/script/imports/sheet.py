"""Shot lists as tables: CSV, TSV, Markdown, and what a workbook's sheet comes to. Columns are known by their headings.

A row is a panel. Headings may be English, Chinese or Spanish, in any order and case; what stands in the columns for the
place, the time and the camera goes into the panel's words. A column that is not known is left out, and listed.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anystory.errors import Message
from anystory.script.escapes import unquoted
from anystory.script.form import DURATIONS, NEWLINE, NOBODY, Parsed, Span, shown
from anystory.script.imports.panels import Panels, sentence
from anystory.script.values import seconds
from anystory.story.names import folded
from anystory.supplies import read_yaml

_BOOK = read_yaml(Path(__file__).parent / "headings.yaml", as_text=True)
KINDS = {folded(word): kind for kind, words in _BOOK["kinds"].items() for word in words}
TEXT = ("text", "texto", "texte")
OR_NUMBER = {folded(word): kind for kind, words in _BOOK["or_number"].items() for word in words}
NUMBER = re.compile(r"[#№]?\s*\d+(?:[.,\-]\d+)*\s*[A-Za-z]?[.)]?")
BREAK = re.compile(r"(?<!\s)\s*(?:[\r\n]+|<br\s*/?>)\s*", re.IGNORECASE)
BETWEEN = re.compile(r"(?<!\s)\s*(?:[,，、;；/&+\n]|\b(?:and|y|und|et)\b|和)\s*")
"""What stands between names."""
RULE = re.compile(r"\s*(?:\|\s*)?:?-+:?\s*(?:\|\s*:?-+:?\s*)*(?:\|\s*)?")
MAYBE = ("caption", "dialogue", "speaker", "cast", "place", "time", "camera", "style", "duration")
"""Kinds of columns in which there may be nothing."""

SINGLE = ("style", "seed", "size", "shape", "duration")
"""Kinds of columns of which a panel can have one cell."""

LASTING = {"place", "time", "style", "cast", "camera"}
"""Kinds of columns whose words hold for several panels where cells are merged; what is said is said once."""

HEADING_ROWS = 10
"""Rows among which the headings are, below a title."""

SEPARATORS = "\t;,|"

UNKNOWN = Message("a column of no known kind; call it Prompt, Caption, Dialogue, Characters or Location")

NOTHING = re.compile(r"[-–—/.]+|none|n/?a|null|无|無|没有|なし|ninguno|ninguna|sin diálogo", re.IGNORECASE)

QUOTES = ' "“”「」'

Cell = tuple[str, Span]


def column(heading: str, cells: Sequence[str] = ()) -> str | None:
    """What kind of column a heading is of, if need be by what is in its `cells`; None for one not known."""
    bare = re.sub(r"[*_`:：]+|\(.*\)|(?<![.#№\s])[.#№\s]+$", "", heading) or heading
    words = [*map(folded, (bare, *re.split(r"(?<!\s)\s*[/&|+]\s*", bare)))]  # Dialogue / VO
    if known := next((word for word in words if word in KINDS and words[0] not in OR_NUMBER), None):
        return KINDS[known]
    told = next((word for word in words if word in OR_NUMBER), "")
    return "number" if told and cells and all(map(NUMBER.fullmatch, cells)) else OR_NUMBER.get(told)


def is_nothing(cell: str) -> bool:
    """Whether a cell only says that there is nothing in it, as in `Dialogue: None`."""
    return NOTHING.fullmatch(cell.strip(" *_()[]（）\t").removesuffix(".")) is not None


def no_duration(value: object) -> str:
    """Why a duration is left out that a script cannot have."""
    low, high = DURATIONS
    return Message("{value} is no duration; write seconds from {low} to {high}", value=shown(value), low=low, high=high)


def said_after_all(cell: str) -> str:
    """A cell without the quotes that keep it from saying that there is nothing in it; see `kept`."""
    return unquoted(cell) if is_nothing(cell.strip(QUOTES)) else cell


def kept(words: str) -> str:
    """Words for a cell, in quotes where they would only say that there is nothing in it."""
    return f'"{words}"' if is_nothing(words.strip(QUOTES)) else words


def is_sheet(text: str) -> bool:
    """Whether a text without a name is a table: its first line has headings only, one of them for the panel's words,
    and as many cells as the line below."""
    lines = [line for line in NEWLINE.split(text.lstrip("\ufeff")) if line.strip()][:2]
    if len(lines) < 2:
        return False
    separator = _separator(lines[0])
    try:
        first, second = (next(csv.reader([line], delimiter=separator), []) for line in lines)
    except csv.Error:  # a cell longer than csv reads
        return False
    kinds = [column(cell) for cell in first]
    return len(first) > 1 and None not in kinds and "prompt" in kinds and len(second) > 1


def markdown_table(text: str) -> Span | None:
    """Where the first Markdown table is that has panels; None where none is."""
    lines = _spans(text)
    for index in range(1, len(lines)):
        (start, end), (begin, stop) = lines[index - 1 : index + 1]
        if "|" not in text[start:end] or not RULE.fullmatch(text, begin, stop):
            continue
        if "prompt" in (column(cell) for cell, _ in _row(text, (start, end))):
            last = index
            while last + 1 < len(lines) and "|" in text[slice(*lines[last + 1])]:
                last += 1
            return start, lines[last][1]
    return None


def parse_sheet(text: str, known: Sequence[str] = ()) -> Parsed:
    """Take a table apart whose cells are separated by commas, semicolons or tabs; `known` are the names of characters
    there are already."""
    source = text.removeprefix("\ufeff")
    shift = len(text) - len(source)
    separator = _separator("\n".join(itertools.islice(filter(str.strip, NEWLINE.split(source)), HEADING_ROWS)))
    return _panels(Panels(text, known), _cells(source, separator, shift))


def parse_table(text: str, span: Span, known: Sequence[str] = (), rows: Sequence[list[Cell]] = ()) -> Parsed:
    """Take the table apart that is at `span` of a text, a Markdown one where its `rows` are not given; the rest is left
    out."""
    panels = Panels(text, known)
    lines = _spans(text)
    inside = [line for line in lines if span[0] <= line[0] and line[1] <= span[1]]
    for start, end in lines:
        for beside in ((start, min(end, span[0])), (max(start, span[1]), end)):
            words = text[slice(*beside)].strip()
            at = text.find(words, beside[0])
            if title := re.match(r"title\s*[:：]\s*(?=\S)", words, re.IGNORECASE):
                panels.set("title", words[title.end() :], (at + title.end(), at + len(words)))
            elif words:
                panels.leave_out((at, at + len(words)), Message("beside the table of the panels"))
    return _panels(panels, rows or [_row(text, line) for line in inside if not RULE.fullmatch(text, *line)])


def _panels(panels: Panels, rows: Sequence[list[Cell]]) -> Parsed:
    rows = [row for row in rows if any(text for text, _ in row)]
    top = _headings(rows)
    for text, span in (cell for row in rows[:top] for cell in row):
        if text:
            panels.leave_out(span, Message("above the headings of the columns"))
    rows = rows[top:]
    head, body = (rows[0], rows[1:]) if rows else ([], [])
    filled = [[row[index][0] for row in body if index < len(row) and row[index][0]] for index in range(len(head))]
    kinds = [column(cell, filled[index]) for index, (cell, _) in enumerate(head)]
    seen = [index for index, kind in enumerate(kinds) if kind == "prompt"]
    for index in seen[1:] if len(seen) > 1 else ():  # beside what is seen, Text is what is read
        kinds[index] = "caption" if folded(head[index][0]) in TEXT else "prompt"
    for kind, (text, span) in zip(kinds, head, strict=True):
        if kind is None and text:
            panels.leave_out(span, UNKNOWN)
    for row in body:
        told: dict[str, list[str]] = {}
        for index, (text, span) in enumerate(row):
            kind = kinds[index] if index < len(kinds) else None
            if kind in MAYBE and is_nothing(text):
                continue
            if kind and text and (why := _unfit(kind, text)):
                panels.leave_out(span, why)
                continue
            text = said_after_all(text) if kind in ("caption", "style") else text
            if kind in SINGLE and text and told.get(kind, [text]) != [text]:
                panels.leave_out(span, Message("a second cell of a kind of which a panel has one"))
                continue
            if kind not in (None, "number") and text:
                told.setdefault(str(kind), []).append(text)
            elif kind is None and text and index >= len(kinds):
                panels.leave_out(span, Message("a cell without a heading"))
        if told:
            _add(panels, told, (row[0][1][0], row[-1][1][1]))
    return panels.parsed()


def _headings(rows: Sequence[list[Cell]]) -> int:
    """Which row has the headings: the first that reads so, else the first of all."""
    return next((index for index, row in enumerate(rows[:HEADING_ROWS]) if is_head(row)), 0)


def is_head(row: Sequence[Cell]) -> bool:
    """Whether a row calls two columns or more by what they hold, one of them for the panel's words."""
    kinds = [column(text) for text, _ in row if text]
    return "prompt" in kinds and sum(kind is not None for kind in kinds) > 1


def _add(panels: Panels, told: dict[str, list[str]], span: Span) -> None:
    listed = [name for cell in told.get("cast", ()) for name in _names(cell)]
    nobody = [name.upper() for name in listed] == [NOBODY]
    present = [] if nobody else [panels.introduce(name, span) for name in listed]
    speaker = [panels.introduce(name, span) for cell in told.get("speaker", ()) for name in _names(cell)]
    said: list[Any] = []
    for line in (line for cell in told.get("dialogue", ()) for line in BREAK.split(cell)):
        who = re.match(r"\s*([^:：]{1,40}?)\s*[:：]\s*(?=\S)(.+)", line, re.DOTALL)
        if who:
            said.append({"who": panels.introduce(who[1].strip(' "“'), span), "say": unquoted(who[2])})
        elif line.strip() and len(speaker or present) == 1:
            said.append({"who": (speaker or present)[0], "say": unquoted(line)})
        elif line.strip():
            said.append(line)  # of which the reader says that it is not told who says it
    seen = [_unbroken(cell) for cell in told.get("prompt", ())]
    words = [*seen, *(words for kind in ("place", "time", "camera") for words in told.get(kind, ()))]
    fields: dict[str, Any] = {key: told[key][0] for key in SINGLE if key in told}
    fields |= {
        "prompt": sentence(words),
        "caption": _unbroken(" ".join(told.get("caption", ()))),
        "dialogue": said,
    }
    there = [*present, *speaker, *(line["who"] for line in said if isinstance(line, dict))]
    panels.add(span, "" if nobody else sentence(seen), there, **fields)


def _unfit(kind: str, cell: str) -> str | None:
    """Why a cell of a kind is left out that no panel can have; None for one that is kept."""
    if kind == "time" and re.fullmatch(r"[\d:.,\s]+s?", cell):
        return Message("{time} is no time of day that a picture shows", time=cell)
    return no_duration(cell) if kind == "duration" and seconds(cell) is None else None


def _unbroken(cell: str) -> str:
    return BREAK.sub(" ", cell)


def _names(cell: str) -> list[str]:
    return [name for name in BETWEEN.split(cell) if any(map(str.isalnum, name))]


def _separator(lines: str) -> str:
    """What separates the cells of lines: what is most often in any of them, outside of quotes."""
    bare = NEWLINE.split(re.sub(r'"[^"]*"', "", lines))
    return max(SEPARATORS[:3], key=lambda separator: max(line.count(separator) for line in bare))


def _cells(text: str, separator: str, shift: int) -> list[list[Cell]]:
    """The rows of a table, every cell with its place. A quoted cell may have separators, breaks and doubled quotes."""
    cell = re.compile(rf'[ ]*"((?:[^"]|"")*)"[ ]*(?=[{separator}\r\n]|\Z)|([^{separator}\r\n]*)')
    rows: list[list[Cell]] = [[]]
    at = 0
    while at <= len(text):
        hit = cell.match(text, at)
        assert hit is not None  # as the second part matches anything
        words = hit[1].replace('""', '"') if hit[1] is not None else hit[2]
        rows[-1].append((words.strip(), (hit.start() + shift, hit.end() + shift)))
        at = hit.end()
        if at == len(text):
            break
        if text[at] == separator:
            at += 1
        else:
            newline = NEWLINE.match(text, at)
            at = newline.end() if newline else at + 1
            rows.append([])
    return [row for row in rows if row]


def _spans(text: str) -> list[Span]:
    """Where the lines of a text are."""
    ends = [hit.span() for hit in NEWLINE.finditer(text)]
    starts = [0, *(after for _, after in ends)]
    return list(zip(starts, [*(end for end, _ in ends), len(text)], strict=True))


def _row(text: str, span: Span) -> list[Cell]:
    """The cells of a line of a Markdown table."""
    found = [(hit[0], hit.span()) for hit in re.compile(r"(?:\\\||[^|\r\n])+").finditer(text, *span)]
    cells = [(words.replace("\\|", "|").replace("**", "").strip(), place) for words, place in found]
    line = text[slice(*span)].strip()
    if line.startswith("|") and cells and not cells[0][0] and text[span[0]] != "|":
        cells = cells[1:]
    return cells
