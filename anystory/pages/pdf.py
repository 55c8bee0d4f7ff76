"""Pages as a PDF, written one by one: of each a JPEG of high quality, its boxes, and its letters as text.

The letters are those of embedded fonts, cut down to what is used (`anystory.pages.glyphs`). JPEG is without colour
subsampling, for outlines stay clear so. There is no date, so the same story gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import BinaryIO

from PIL import ImageColor

from anystory.pages.archive import plain
from anystory.pages.glyphs import FontFace, Glyph, glyphs
from anystory.pages.layout import Page
from anystory.typeset import SetLine, draw_emoji, write

QUALITY = 95

UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
{ranges}
endcmap CMapName currentdict /CMap defineresource pop end end"""


class _Writer:
    """The objects of a PDF, written as they come (ISO 32000, 7.5), and the fonts that its pages need."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: list[int] = []
        self._fonts: dict[str, tuple[int, FontFace]] = {}
        file.write(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> int:
        """The number of an object that is written later."""
        self._places.append(0)
        return len(self._places)

    def add(self, body: str, stream: bytes | None = None, number: int = 0) -> int:
        """Write an object, the inside of a dictionary where it has a stream; returns its number."""
        number = number or self.reserve()
        self._places[number - 1] = self._file.tell()
        self._file.write(f"{number} 0 obj\n".encode())
        if stream is None:
            self._file.write(body.encode())
        else:
            self._file.write(f"<< {body} /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
        self._file.write(b"\nendobj\n")
        return number

    def pack(self, body: str, stream: bytes) -> int:
        """Write an object with a stream that is compressed."""
        return self.add(f"{body} /Filter /FlateDecode", zlib.compress(stream, 9))

    def font(self, glyph: Glyph) -> int:
        """The number of the font of a glyph, which is used from now on."""
        number, font = self._fonts.setdefault(glyph.face, (0, FontFace(glyph.face)))
        if not number:
            number = self.reserve()
            self._fonts[glyph.face] = number, font
        font.used[glyph.number] = font.used.get(glyph.number) or glyph.text
        return number

    def close(self, root: int, info: int) -> None:
        """Write the fonts, and the table of the objects."""
        for number, font in self._fonts.values():
            self._embed(number, font)
        start, count = self._file.tell(), len(self._places) + 1
        self._file.write(f"xref\n0 {count}\n0000000000 65535 f \n".encode())
        self._file.write("".join(f"{place:010d} 00000 n \n" for place in self._places).encode())
        trailer = f"trailer\n<< /Size {count} /Root {root} 0 R /Info {info} 0 R >>\nstartxref\n{start}\n%%EOF\n"
        self._file.write(trailer.encode())

    def _embed(self, number: int, font: FontFace) -> None:
        """Write a font: its glyphs by their numbers (9.7), and what these stand for (9.10.3)."""
        data, is_cff = font.data, font.outlines == "CFF"
        tag = "".join(chr(ord("A") + byte % 26) for byte in hashlib.sha256(data).digest()[:6])
        name = f"{tag}+Lettering{number}"
        file = self.pack("/Subtype /OpenType" if is_cff else f"/Length1 {len(data)}", data)
        about = "/Flags 4 /FontBBox [-1000 -500 2000 1200] /ItalicAngle 0 /Ascent 900 /Descent -300"
        about += " /CapHeight 730 /StemV 80"
        described = self.add(
            f"<< /Type /FontDescriptor /FontName /{name} {about} /FontFile{3 if is_cff else 2} {file} 0 R >>"
        )
        widths = " ".join(f"{glyph} [{font.width(glyph):.0f}]" for glyph in sorted(font.used))
        kind = "/CIDFontType0" if is_cff else "/CIDFontType2 /CIDToGIDMap /Identity"
        system = "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        inner = self.add(
            f"<< /Type /Font /Subtype {kind} /BaseFont /{name} /CIDSystemInfo {system} "
            f"/FontDescriptor {described} 0 R /DW 1000 /W [{widths}] >>"
        )
        told = [f"<{glyph:04x}> <{_utf16(text)}>" for glyph, text in sorted(font.used.items()) if text]
        parts = [told[start : start + 100] for start in range(0, len(told), 100)]
        ranges = "\n".join(f"{len(part)} beginbfchar\n{chr(10).join(part)}\nendbfchar" for part in parts)
        stands = self.pack("", UNICODE.format(ranges=ranges).encode())
        self.add(
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
            f"/DescendantFonts [{inner} 0 R] /ToUnicode {stands} 0 R >>",
            number=number,
        )


def pdf(file: BinaryIO, pages: Iterable[Page], title: str, author: str, language: str, backwards: bool) -> None:
    """Write pages into an open file. `language` is an ISO code; `backwards`: the book is read from right to left."""
    writer = _Writer(file)
    root, tree = writer.reserve(), writer.reserve()
    leaves = [_page(writer, tree, page) for page in pages]
    kids = " ".join(f"{leaf} 0 R" for leaf in leaves)
    writer.add(f"<< /Type /Pages /Count {len(leaves)} /Kids [{kids}] >>", number=tree)
    way = " /ViewerPreferences << /Direction /R2L >>" if backwards else ""
    writer.add(f"<< /Type /Catalog /Pages {tree} 0 R /Lang ({language}){way} >>", number=root)
    who = f" /Author {_string(plain(author))}" if author else ""
    info = writer.add(f"<< /Title {_string(plain(title) or 'A story')}{who} /Creator (AnyStory) >>")
    writer.close(root, info)


def _page(writer: _Writer, tree: int, page: Page) -> int:
    """Write a page; returns its number."""
    picture, set_in, fonts = page.picture.copy(), list[str](), dict[int, None]()
    across, down = picture.size
    width, height = page.points
    scale = width / across
    for line in page.words:
        letters = glyphs(line)
        if letters is None:
            write(picture, [line])
            continue
        draw_emoji(picture, line)
        numbers = [writer.font(letter) for letter in letters]
        fonts |= dict.fromkeys(numbers)
        set_in.append(_text(line, letters, numbers, scale, height))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    kind = f"/Type /XObject /Subtype /Image /Width {across} /Height {down} /ColorSpace /DeviceRGB /BitsPerComponent 8"
    drawn = writer.add(f"{kind} /Filter /DCTDecode", buffer.getvalue())
    placed = f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Picture Do Q\n{''.join(set_in)}"
    contents = writer.pack("", placed.encode())
    media = f"[0 0 {width:.3f} {height:.3f}]"
    boxes = f"/MediaBox {media}"
    if page.trim:
        left, top, right, bottom = page.trim
        boxes += f" /BleedBox {media} /TrimBox [{left:.3f} {height - bottom:.3f} {right:.3f} {height - top:.3f}]"
    named = " ".join(f"/F{number} {number} 0 R" for number in fonts)
    resources = f"/Resources << /XObject << /Picture {drawn} 0 R >> /Font << {named} >> >>"
    return writer.add(f"<< /Type /Page /Parent {tree} 0 R {boxes} {resources} /Contents {contents} 0 R >>")


def _text(line: SetLine, letters: Sequence[Glyph], numbers: Sequence[int], scale: float, height: float) -> str:
    """What draws a line's glyphs, each in its place, and tells its words as they are read (14.9.4)."""
    ink = ImageColor.getrgb(line.ink) if isinstance(line.ink, str) else line.ink
    colour = " ".join(f"{value / 255:.3f}" for value in ink[:3])
    drawn = [f"/Span << /ActualText {_string(plain(line.text))} >> BDC BT {colour} rg\n"]
    for number, group in groupby(zip(numbers, letters, strict=True), lambda pair: pair[0]):
        drawn.append(f"/F{number} {line.size * scale:.3f} Tf\n")
        for _, letter in group:
            at = f"{letter.x * scale:.3f} {height - letter.y * scale:.3f}"
            drawn.append(f"1 0 0 1 {at} Tm <{letter.number:04x}> Tj\n")
    return "".join([*drawn, "ET EMC\n"])


def _utf16(text: str) -> str:
    """A text in UTF-16, as hexadecimal digits."""
    return text.encode("utf-16-be").hex()


def _string(text: str) -> str:
    """A text as PDF has it: in UTF-16 after its mark."""
    return f"<feff{_utf16(text)}>"
