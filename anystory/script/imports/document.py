"""Documents of word processors (.docx, .odt) as text: a line for each paragraph, tables as in Markdown."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from anystory.errors import DAMAGE, Message
from anystory.script.form import ScriptError
from anystory.script.imports.workbook import xml_part

PARTS = {".docx": "word/document.xml", ".odt": "content.xml"}
"""Which part of a document has its words, by the end of the name."""

BREAKS = {"br": "\n", "cr": "\n", "line-break": "\n", "tab": "\t", "s": " ", "noBreakHyphen": "-"}
"""What stands for a character, by its tag without the namespace."""

HEADINGS = re.compile("title|titel|titre|t[ií]tulo|heading|berschrift|标题", re.IGNORECASE)

UNSEEN = frozenset(("del", "instrText", "delText", "annotation", "note", "tracked-changes", "footnoteReference"))
"""What is not of the text as it is read."""


def to_text(data: bytes, name: str) -> str:
    """The text of a document called `name`. Raises `ScriptError` for what is none."""
    kind = name[name.rindex(".") :].lower()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as document:
            root = xml_part(document, PARTS[kind])
        lines = [*_blocks(root)]
    except (*DAMAGE, KeyError, ElementTree.ParseError, RuntimeError, OSError) as error:
        raise ScriptError(
            Message("{name} is not a document that can be read; save it as .docx, .odt or .txt.", name=name)
        ) from error
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    heading = next((each for each in root.iter() if _name(each) in ("p", "h") and _words(each).strip()), None)
    if first is not None and heading is not None and _is_heading(heading) and ":" not in lines[first]:
        lines[first] = f"title: {lines[first]}"
    return "\n".join(lines) + "\n"


def _is_heading(paragraph: ElementTree.Element) -> bool:
    """Whether a paragraph is a heading, by its tag or by its style, which has a name in the writer's language."""
    style = paragraph.find("{*}pPr/{*}pStyle")
    named = "" if style is None else " ".join(style.attrib.values())
    return _name(paragraph) == "h" or HEADINGS.search(named) is not None


def _blocks(parent: ElementTree.Element, listed: bool = False) -> Iterator[str]:
    """The lines of a document, a part of one, or what is `listed` in it."""
    for child in parent:
        tag = _name(child)
        if tag in ("p", "h"):
            words = _words(child)
            mark = "- " if words.strip() and (listed or child.find("{*}pPr/{*}numPr") is not None) else ""
            yield mark + words
        elif tag in ("tbl", "table"):
            yield from _table(child)
        elif tag not in UNSEEN:
            yield from _blocks(child, listed or tag == "list-item")


def _table(table: ElementTree.Element) -> Iterator[str]:
    """A table as Markdown has it."""
    yield ""
    for index, row in enumerate(each for each in table.iter() if _name(each) in ("tr", "table-row")):
        cells = [
            "<br>".join(filter(None, map(str.strip, _blocks(cell)))).replace("|", "\\|")
            for cell in row
            if _name(cell) in ("tc", "table-cell", "covered-table-cell")
        ]
        yield f"| {' | '.join(cells)} |"
        if index == 0:
            yield f"|{' --- |' * max(len(cells), 1)}"
    yield ""


def _words(element: ElementTree.Element) -> str:
    """The words of a paragraph, without those that changes took out."""
    parts = [element.text or ""] if _name(element) not in ("p", "r") or element.tag.endswith("}p") else []
    for child in element:
        tag = _name(child)
        parts.append(BREAKS.get(tag, "") if tag not in UNSEEN else "")
        if tag not in UNSEEN and tag not in BREAKS:
            parts.append(_words(child))
        parts.append(child.tail or "")
    return re.sub(r"\s*\n\s*", "\n", "".join(parts)) if _name(element) in ("p", "h") else "".join(parts)


def _name(element: ElementTree.Element) -> str:
    """A tag without its namespace."""
    return str(element.tag).rpartition("}")[2]
