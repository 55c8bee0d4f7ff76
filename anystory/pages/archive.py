"""Pages as archives: a ZIP of PNG files, a comic-book archive (CBZ)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from xml.etree import ElementTree

from anystory.pages.layout import Page
from anystory.story.model import Script


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of files that are compressed already; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def page_file(number: int) -> str:
    """The name of a page's PNG file."""
    return f"{number:03d}.png"


def cbz(made: list[Page], script: Script) -> bytes:
    """The pages as a comic-book archive: PNG files and ComicInfo.xml."""
    info = ElementTree.Element("ComicInfo")
    summary = " ".join(panel.caption for panel in script.panels if panel.caption)
    cast = ", ".join(member.name for member in script.cast)
    for key, value in (
        ("Title", script.title or "A story"),
        ("Summary", summary),
        ("Notes", "Made with AnyStory."),
        ("PageCount", str(len(made))),
        ("Manga", "No"),
        ("Characters", cast),
    ):
        if value:
            ElementTree.SubElement(info, key).text = plain(value)
    listed = ElementTree.SubElement(info, "Pages")
    files = {page_file(k): page.png for k, page in enumerate(made, 1)}
    for index, (page, data) in enumerate(zip(made, files.values(), strict=True)):
        attributes = {"Image": str(index), "ImageSize": str(len(data))}
        attributes |= {"ImageWidth": str(page.image.width), "ImageHeight": str(page.image.height)}
        ElementTree.SubElement(listed, "Page", attributes | ({"Type": "FrontCover"} if index == 0 else {}))
    ElementTree.indent(info)
    text = ElementTree.tostring(info, encoding="utf-8", xml_declaration=True)
    return zipped({**files, "ComicInfo.xml": text})


def plain(text: str) -> str:
    """A text without the characters XML may not hold, on one line."""
    return " ".join(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).split())
