"""Pages as a PDF, written one by one: a picture in JPEG of high quality for each, with its boxes.

JPEG without colour subsampling, so that letters stay clear. There is no date in it, so the same story gives the same
bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO

from anystory.pages.archive import plain
from anystory.pages.layout import Page

QUALITY = 95


class _Writer:
    """The objects of a PDF, written as they come (ISO 32000, 7.5)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: list[int] = []
        file.write(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> int:
        """The number of an object that is written later."""
        self._places.append(0)
        return len(self._places)

    def add(self, body: str, stream: bytes | None = None, number: int = 0) -> int:
        """Write an object, a dictionary's inside where it has a stream; returns its number."""
        number = number or self.reserve()
        self._places[number - 1] = self._file.tell()
        self._file.write(f"{number} 0 obj\n".encode())
        if stream is None:
            self._file.write(body.encode())
        else:
            self._file.write(f"<< {body} /Length {len(stream)} >>\nstream\n".encode())
            self._file.write(stream)
            self._file.write(b"\nendstream")
        self._file.write(b"\nendobj\n")
        return number

    def close(self, root: int, info: int) -> None:
        """Write the table of the objects."""
        start, count = self._file.tell(), len(self._places) + 1
        self._file.write(f"xref\n0 {count}\n0000000000 65535 f \n".encode())
        self._file.write("".join(f"{place:010d} 00000 n \n" for place in self._places).encode())
        trailer = f"trailer\n<< /Size {count} /Root {root} 0 R /Info {info} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        self._file.write(trailer.encode())


def pdf(file: BinaryIO, pages: Iterable[Page], title: str, author: str, language: str, backwards: bool) -> None:
    """Write pages into an open file. `language` is an ISO code; `backwards`: the book is read from right to left."""
    writer = _Writer(file)
    root, tree = writer.reserve(), writer.reserve()
    leaves = []
    for page in pages:
        leaves.append(_page(writer, tree, page))
    kids = " ".join(f"{leaf} 0 R" for leaf in leaves)
    writer.add(f"<< /Type /Pages /Count {len(leaves)} /Kids [{kids}] >>", number=tree)
    way = " /ViewerPreferences << /Direction /R2L >>" if backwards else ""
    writer.add(f"<< /Type /Catalog /Pages {tree} 0 R /Lang ({language}){way} >>", number=root)
    who = f" /Author {_string(plain(author))}" if author else ""
    info = writer.add(f"<< /Title {_string(plain(title) or 'A story')}{who} /Creator (AnyStory) >>")
    writer.close(root, info)


def _page(writer: _Writer, tree: int, page: Page) -> int:
    """Write a page; returns its number."""
    buffer = io.BytesIO()
    page.image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    across, down = page.image.size
    kind = f"/Type /XObject /Subtype /Image /Width {across} /Height {down} /ColorSpace /DeviceRGB /BitsPerComponent 8"
    picture = writer.add(f"{kind} /Filter /DCTDecode", buffer.getvalue())
    width, height = page.points
    drawn = writer.add("", f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Picture Do Q".encode())
    media = f"[0 0 {width:.3f} {height:.3f}]"
    boxes = f"/MediaBox {media}"
    if page.trim:
        left, top, right, bottom = page.trim
        boxes += f" /BleedBox {media} /TrimBox [{left:.3f} {height - bottom:.3f} {right:.3f} {height - top:.3f}]"
    resources = f"/Resources << /XObject << /Picture {picture} 0 R >> >>"
    return writer.add(f"<< /Type /Page /Parent {tree} 0 R {boxes} {resources} /Contents {drawn} 0 R >>")


def _string(text: str) -> str:
    """A text as PDF has it: in UTF-16 with its mark, as hexadecimal digits."""
    return f"<feff{text.encode('utf-16-be').hex()}>"
