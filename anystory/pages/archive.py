"""Pages as archives, written one by one: a ZIP of PNG files, a comic-book archive (CBZ)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import BinaryIO
from xml.etree import ElementTree

from anystory.pages.layout import Page
from anystory.story.model import Script


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of files that are compressed already; the same files give the same bytes."""
    buffer = io.BytesIO()
    write_zip(buffer, files.items())
    return buffer.getvalue()


def write_zip(file: BinaryIO, files: Iterable[tuple[str, bytes]]) -> None:
    """As `zipped`, into an open file and one after the other."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data)


def page_file(number: int) -> str:
    """The name of a page's PNG file."""
    return f"{number:03d}.png"


def write_pages(file: BinaryIO, pages: Iterable[Page]) -> None:
    """Write pages as PNG files into a ZIP."""
    write_zip(file, ((page_file(number), page.png) for number, page in enumerate(pages, 1)))


def cbz(file: BinaryIO, pages: Iterable[Page], script: Script, author: str, language: str, backwards: bool) -> None:
    """Write pages as a comic-book archive: PNG files and ComicInfo.xml, whose elements are in the order of its schema
    (version 2.0, github.com/anansi-project/comicinfo). `language` is an ISO code; `backwards`: it is read from right to
    left."""
    listed = ElementTree.Element("Pages")
    with zipfile.ZipFile(file, "w") as archive:
        for index, page in enumerate(pages):
            data = page.png
            archive.writestr(zipfile.ZipInfo(page_file(index + 1)), data)
            attributes = {"Image": str(index), "ImageSize": str(len(data))}
            attributes |= {"ImageWidth": str(page.picture.width), "ImageHeight": str(page.picture.height)}
            ElementTree.SubElement(listed, "Page", attributes | ({"Type": "FrontCover"} if index == 0 else {}))
        info = ElementTree.Element("ComicInfo")
        for key, value in (
            ("Title", script.title or "A story"),
            ("Summary", " ".join(panel.caption for panel in script.panels if panel.caption)),
            ("Notes", "Made with AnyStory."),
            ("Writer", author),
            ("PageCount", str(len(listed))),
            ("LanguageISO", language),
            ("Manga", "YesAndRightToLeft" if backwards else "No"),
            ("Characters", ", ".join(member.name for member in script.cast)),
        ):
            if value:
                ElementTree.SubElement(info, key).text = plain(value)
        info.append(listed)
        ElementTree.indent(info)
        text = ElementTree.tostring(info, encoding="utf-8", xml_declaration=True)
        archive.writestr(zipfile.ZipInfo("ComicInfo.xml"), text)


def plain(text: str) -> str:
    """A text without the characters XML may not hold, on one line."""
    return " ".join(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).split())
