"""The first table of an HTML text that holds panels, as rows for `anystory.script.imports.sheet`."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from anystory.script.form import Span
from anystory.script.imports.sheet import HEADING_ROWS, LASTING, Cell, column, is_head

TAG = re.compile(r"<(?P<end>/?)(?P<name>table|tr|td|th)\b(?P<how>[^<>]*)>", re.IGNORECASE)
BREAK = re.compile(r"<(?:br|/p|/li|/div|/?table|/tr|/t[dh])\b[^<>]*>", re.IGNORECASE)
MOST = 100
"""Columns and rows that one cell may stand for."""


@dataclass
class _Table:
    """A table as far as it is read. `spread`, by column: in how many rows more a cell stands, and what it says there;
    `opened`: the cell that is being read."""

    start: int
    rows: list[list[Cell]] = field(default_factory=list)
    spread: dict[int, tuple[int, Cell]] = field(default_factory=dict)
    opened: re.Match[str] | None = None


def html_table(text: str) -> tuple[Span, list[list[Cell]]] | None:
    """Where the table is, and its cells with their places; None where none has a heading for the panels' words. What a
    cell over several rows says is in each of them where its column is one of what lasts."""
    tables: list[_Table] = []  # each in a cell of the one before
    for tag in TAG.finditer(text):
        name, ends = tag["name"].lower(), bool(tag["end"])
        if name == "table" and not ends:
            tables.append(_Table(tag.start()))
            continue
        if not tables:
            continue
        table = tables[-1]
        if table.rows and table.opened:
            _enter(table, _words(text[table.opened.end() : tag.start()]), tag.start())
        table.opened = tag if name in ("td", "th") and not ends else None
        if name in ("tr", "table") and table.rows:
            _spill(table.rows[-1], table.spread)
        if name == "tr" and not ends:
            table.rows.append([])
        elif name == "table":
            tables.pop()
            if any(map(is_head, table.rows[:HEADING_ROWS])):
                return (table.start, tag.end()), table.rows
    return None


def _words(cell: str) -> str:
    lines = html.unescape(re.sub(r"<[^<>]*>", "", BREAK.sub("\n", re.sub(r"\s+", " ", cell)))).split("\n")
    return "\n".join(filter(None, (line.strip() for line in lines)))


def _enter(table: _Table, words: str, end: int) -> None:
    """Add the open cell to the last row, behind those that stand there from the rows above."""
    row, opened = table.rows[-1], table.opened
    assert opened is not None
    _spill(row, table.spread)
    down, along = (_number(opened["how"], kind) for kind in ("rowspan", "colspan"))
    if down > 1:
        heads = [head for head in table.rows[:HEADING_ROWS] if len(row) < len(head) and is_head(head)]
        lasts = any(column(head[len(row)][0]) in LASTING for head in heads)
        table.spread[len(row)] = down - 1, (words if lasts else "", (opened.end(), end))
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
