"""Pages as an e-book of fixed layout, written one by one: EPUB 3.3 (www.w3.org/TR/epub-33) with a JPEG for each.

What a page shows and says is told to who cannot see it. The book's identifier follows from its pages and its date is a
fixed one, so the same story gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from typing import BinaryIO
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from anystory.pages.archive import plain
from anystory.pages.layout import Page
from anystory.story.model import Script

QUALITY = 90
MODIFIED = "2000-01-01T00:00:00Z"
"""When the book was changed, which an EPUB must say: that of now would be another tomorrow."""

ENDS = ".!?…。！？؟।\"”»」'"
"""What a sentence ends with."""

CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""
XHTML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang={code} xml:lang={code}>
<head>{head}</head>
<body{way}>{body}</body>
</html>
"""
STYLE = "html, body { margin: 0; padding: 0; } img { display: block; width: 100%; height: 100%; }\n"
PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book" xml:lang={code}>
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>{language}</dc:language>{who}
<meta property="dcterms:modified">{modified}</meta>
<meta property="rendition:layout">pre-paginated</meta>
<meta property="rendition:spread">auto</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityHazard">none</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{items}
</manifest>
<spine page-progression-direction="{way}">
{order}
</spine>
</package>
"""


def epub(file: BinaryIO, pages: Iterable[Page], script: Script, author: str, language: str, backwards: bool) -> None:
    """Write pages into an open file. `language` is an ISO code; `backwards`: the book is read from right to left."""
    title, code = escape(plain(script.title) or "A story"), quoteattr(language)
    digest, count = hashlib.sha256(), 0
    with zipfile.ZipFile(file, "w") as archive:

        def put(name: str, data: str | bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
            archive.writestr(zipfile.ZipInfo(name), data, how)

        put("mimetype", "application/epub+zip", zipfile.ZIP_STORED)  # first, and as it is: it tells what this is
        put("META-INF/container.xml", CONTAINER)
        put("book/style.css", STYLE)
        for count, page in enumerate(pages, 1):
            buffer = io.BytesIO()
            page.image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
            digest.update(buffer.getvalue())
            put(f"book/{count:03d}.jpg", buffer.getvalue(), zipfile.ZIP_STORED)
            width, height = page.picture.size
            head = (
                f'<title>{title}, {count}</title><meta name="viewport" content="width={width}, height={height}"/>'
                '<link rel="stylesheet" type="text/css" href="style.css"/>'
            )
            body = f'<img src="{count:03d}.jpg" alt={quoteattr(shown(page, script))}/>'
            put(f"book/{count:03d}.xhtml", XHTML.format(code=code, head=head, way="", body=body))
        numbers = range(1, count + 1)
        places = "".join(f'<li><a href="{number:03d}.xhtml">{number}</a></li>' for number in numbers)
        body = (
            f'<nav epub:type="toc"><h1>{title}</h1><ol><li><a href="001.xhtml">{title}</a></li></ol></nav>'
            f'<nav epub:type="page-list" hidden="hidden"><ol>{places}</ol></nav>'
        )
        way, side = ("rtl", ("left", "right")) if backwards else ("ltr", ("right", "left"))
        put("book/nav.xhtml", XHTML.format(code=code, head=f"<title>{title}</title>", way=f' dir="{way}"', body=body))
        who = f"\n<dc:creator>{escape(plain(author))}</dc:creator>" if plain(author) else ""
        items = (
            f'<item id="page{number}" href="{number:03d}.xhtml" media-type="application/xhtml+xml"/>\n'
            f'<item id="picture{number}" href="{number:03d}.jpg" media-type="image/jpeg"'
            f"{' properties=' + quoteattr('cover-image') if number == 1 else ''}/>"
            for number in numbers
        )
        order = (
            f'<itemref idref="page{number}" properties="page-spread-{side[(number - 1) % 2]}"/>' for number in numbers
        )
        put(
            "book/package.opf",
            PACKAGE.format(
                code=code,
                identifier=UUID(bytes=digest.digest()[:16], version=5),
                title=title,
                language=escape(language),
                who=who,
                modified=MODIFIED,
                items="\n".join(items),
                way=way,
                order="\n".join(order),
            ),
        )


def shown(page: Page, script: Script) -> str:
    """What a page shows and says, for who cannot see it: of each panel in reading order its line, its caption and who
    says what, or of a page without pictures the words on it."""
    told = []
    for number in page.panels:
        panel = script.panels[number - 1]
        told += [panel.prompt, panel.caption, *(f"{line.who}: {line.say}" for line in panel.dialogue)]
    if not told:
        return plain(" ".join(line.text for line in page.words))
    return " ".join(text if text[-1] in ENDS else f"{text}." for text in map(plain, told) if text)
