"""The first table of an HTML text that holds panels, as rows for `anystory.script.imports.sheet`."""

from __future__ import annotations

import html
import re

from anystory.script.form import Span
from anystory.script.imports.sheet import HEADING_ROWS, LASTING, Cell, column, is_head

TAG = re.compile(r"<(?P<end>/?)(?P<name>table|tr|td|th)\b(?P<how>[^<>]*)>", re.IGNORECASE)
BREAK = re.compile(r"<(?:br|/p|/li|/div)\b[^<>]*>", re.IGNORECASE)
MOST = 100
"""Columns and rows that one cell may stand for."""


def html_table(text: str) -> tuple[Span, list[list[Cell]]] | None:
    """Where the table is, and its cells with their places; None where none has a heading for the panels' words. What a
    cell over several rows says is in each of them where its column is one of what lasts."""
    tables: list[tuple[int, list[list[Cell]]]] = []
    spread: dict[int, tuple[int, Cell]] = {}  # by column: in how many rows more a cell stands, and what it says there
    opened: re.Match[str] | None = None
    for tag in TAG.finditer(text):
        name, ends = tag["name"].lower(), bool(tag["end"])
        if opened and tables and tables[-1][1]:
            _enter(tables[-1][1], spread, _words(text[opened.end() : tag.start()]), opened, tag.start())
        opened = tag if name in ("td", "th") and not ends else None
        if name == "table" and not ends:
            tables.append((tag.start(), []))
            spread = {}
        if name in ("tr", "table") and tables and tables[-1][1]:
            _spill(tables[-1][1][-1], spread)
        if name == "tr" and not ends and tables:
            tables[-1][1].append([])
        elif name == "table" and ends and tables:
            start, rows = tables.pop()
            if any(map(is_head, rows[:HEADING_ROWS])):
                return (start, tag.end()), rows
    return None


def _words(cell: str) -> str:
    lines = html.unescape(re.sub(r"<[^<>]*>", "", BREAK.sub("\n", re.sub(r"\s+", " ", cell)))).split("\n")
    return "\n".join(filter(None, (line.strip() for line in lines)))


def _enter(
    rows: list[list[Cell]], spread: dict[int, tuple[int, Cell]], words: str, opened: re.Match[str], end: int
) -> None:
    """Add a cell to the last row, behind those that stand there from the rows above."""
    row = rows[-1]
    _spill(row, spread)
    down, along = (_number(opened["how"], kind) for kind in ("rowspan", "colspan"))
    if down > 1:
        heads = [head for head in rows[:HEADING_ROWS] if len(row) < len(head) and is_head(head)]
        lasts = any(column(head[len(row)][0]) in LASTING for head in heads)
        spread[len(row)] = down - 1, (words if lasts else "", (opened.end(), end))
    row.append((words, (opened.end(), end)))
    row += [("", (end, end))] * (along - 1)


def _spill(row: list[Cell], spread: dict[int, tuple[int, Cell]]) -> None:
    """Add to a row the cells that stand there from the rows above."""
    while len(row) in spread:
        more, cell = spread.pop(len(row))
        if more > 1:
            spread[len(row)] = more - 1, cell
        row.append(cell)


def _number(attributes: str, name: str) -> int:
    hit = re.search(rf"\b{name}\s*=\s*[\"']?(\d{{1,3}})", attributes, re.IGNORECASE)
    return min(max(int(hit[1]), 1), MOST) if hit else 1
