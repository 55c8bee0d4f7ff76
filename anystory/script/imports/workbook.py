"""The first sheet of an Excel workbook (.xlsx) as a table in text, which `anystory.script.imports.sheet` reads on."""

from __future__ import annotations

import io
import re
import zipfile
from itertools import islice
from xml.etree import ElementTree

from anystory.errors import DAMAGE, Message
from anystory.script.form import MAX_BYTES, MAX_PANELS, ScriptError
from anystory.script.imports.sheet import HEADING_ROWS, LASTING, column

MAX_ROWS = 5 * MAX_PANELS
"""Rows that are looked at for what is merged or missing; no script has as many panels."""

MAX_PART = 20 * MAX_BYTES
"""Bytes that one part of a workbook may have unpacked."""


def to_table(data: bytes, name: str) -> str:
    """The cells of the first sheet of a workbook called `name`, separated by tabs. Raises `ScriptError` for what is no
    workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            names = book.namelist()
            shared = _strings(book) if "xl/sharedStrings.xml" in names else []
            sheet = xml_part(book, _first(book))
    except (*DAMAGE, KeyError, ElementTree.ParseError, RuntimeError, OSError) as error:
        raise ScriptError(
            Message("{name} is not an Excel workbook that can be read; save it as .xlsx or .csv.", name=name)
        ) from error
    rows: list[list[str]] = []
    for row in sheet.iterfind(".//{*}row"):
        cells: list[str] = []
        for cell in row.iterfind("{*}c"):
            index = _column(cell.get("r", ""), len(cells))
            cells += [""] * (index - len(cells)) + [_value(cell, shared)]
        number = re.fullmatch(r"\d{1,7}", row.get("r", ""))
        if number and len(rows) < MAX_ROWS:  # a row that is empty may not be there
            rows += [[]] * (min(int(number[0]), MAX_ROWS) - 1 - len(rows))
        rows.append(cells)
    for merged in islice(sheet.iterfind(".//{*}mergeCell"), MAX_ROWS):
        _carry(rows, merged.get("ref", ""))
    return "".join("\t".join(map(_quoted, row)) + "\n" for row in rows)


def _carry(rows: list[list[str]], merged: str) -> None:
    """Write what merged cells say into each of their rows, where the column is one for what lasts."""
    corners = re.fullmatch(r"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})", merged)
    if not corners:
        return
    index, first, last = _column(corners[1], 0), int(corners[2]) - 1, int(corners[3])
    above = {column(row[index]) for row in rows[: min(first, HEADING_ROWS)] if index < len(row)}
    if above & LASTING and first < len(rows) and index < len(rows[first]):
        for number in range(first + 1, min(last, len(rows), MAX_ROWS)):
            row = rows[number] + [""] * (index + 1 - len(rows[number]))
            rows[number] = [*row[:index], rows[first][index], *row[index + 1 :]]


def _first(book: zipfile.ZipFile) -> str:
    """The part that has the first sheet, in the order of the tabs."""
    relation = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    first = xml_part(book, "xl/workbook.xml").find(".//{*}sheet")
    wanted = None if first is None else first.get(relation)
    for entry in xml_part(book, "xl/_rels/workbook.xml.rels"):
        if entry.get("Id") == wanted:
            target = entry.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(wanted)


def xml_part(book: zipfile.ZipFile, part: str) -> ElementTree.Element:
    """A part of an office program's file. Raises KeyError where it is not there, too large or has entities."""
    with book.open(part) as file:
        data = file.read(MAX_PART + 1)
    if len(data) > MAX_PART or b"<!ENTITY" in data:
        raise KeyError(part)
    return ElementTree.fromstring(data)


def _strings(book: zipfile.ZipFile) -> list[str]:
    """Texts that cells refer to by number, without the readings that stand above Japanese."""
    return [_text(entry) for entry in xml_part(book, "xl/sharedStrings.xml").iterfind("{*}si")]


def _text(entry: ElementTree.Element) -> str:
    parts = [*entry.iterfind("{*}t"), *entry.iterfind("{*}r/{*}t")]
    return "".join(part.text or "" for part in parts)


def _column(reference: str, otherwise: int) -> int:
    """The column, from 0, of a cell such as `AB7`."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if not letters:
        return otherwise
    index = 0
    for letter in letters[0]:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> str:
    kind, value = cell.get("t", "n"), cell.findtext("{*}v") or ""
    if kind == "s":
        return shared[int(value)] if re.fullmatch("[0-9]{1,9}", value) and int(value) < len(shared) else ""
    if kind == "inlineStr":
        inline = cell.find("{*}is")
        return "" if inline is None else _text(inline)
    return re.sub(r"\.0$", "", value) if kind == "n" else "" if kind == "e" else value


def _quoted(cell: str) -> str:
    cell = cell.strip()
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[\t\r\n"]', cell) else cell
