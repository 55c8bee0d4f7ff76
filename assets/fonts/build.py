"""Makes the fonts: `python build.py FOLDER`; needs fontTools, which the app does not.

FOLDER holds the unpacked npm packages README.md lists. lettering.ttf is one font for many scripts: each of its sources
gives the characters the ones before it lack, scaled to one em, so that a line of mixed scripts is shaped and drawn in
one go. The others have a script each; emoji.tsv.xz has the drawings of emoji, all but those of other skins
and of flags, which are in flags.tsv.xz.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import tempfile
from pathlib import Path

from fontTools import merge, subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem

NAME = "AnyStory Lettering"
EM = 1000


def ranges(*pairs: tuple[int, int]) -> set[int]:
    return {code for first, last in pairs for code in range(first, last + 1)}


def decodable(codec: str, first: range, second: range) -> set[int]:
    """The characters of a two-byte character set."""
    found = set()
    for high in first:
        for low in second:
            try:
                found.add(ord(bytes((high, low)).decode(codec)))
            except (UnicodeDecodeError, TypeError):
                continue
    return found


LATIN = ranges((0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF))
MARKS = ranges((0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20BF), (0x2100, 0x214F), (0x2190, 0x21FF))
CHINESE = (
    decodable("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF))
    | decodable("shift_jis", range(0x81, 0x99), range(0x40, 0xFD))
    | ranges((0x3000, 0x30FF), (0xFF01, 0xFFEE), (0x2600, 0x266F))
)
ARABIC = ranges((0x600, 0x6FF), (0x750, 0x77F), (0x200C, 0x200F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF))
HEBREW = ranges((0x591, 0x5F4), (0xFB1D, 0xFB4F))

SOURCES = (
    ("expo-google-fonts-comic-relief-*/package/400Regular/*.ttf", LATIN | MARKS),
    ("expo-google-fonts-noto-sans-sc-*/package/500Medium/*.ttf", LATIN | MARKS | CHINESE),
    ("expo-google-fonts-noto-sans-arabic-*/package/500Medium/*.ttf", ARABIC),
    ("fontsource-noto-sans-hebrew-*/package/files/noto-sans-hebrew-hebrew-500-normal.woff2", HEBREW),
)

DEVANAGARI = ranges((0x900, 0x97F), (0x1CD0, 0x1CFF), (0x200C, 0x200D), (0x25CC, 0x25CC), (0xA8E0, 0xA8FF))
OTHERS = {
    "korean": (
        "expo-google-fonts-noto-sans-kr-*/package/500Medium/*.ttf",
        decodable("euc_kr", range(0xB0, 0xC9), range(0xA1, 0xFF)) | ranges((0x3130, 0x318F)),
    ),
    "thai": ("expo-google-fonts-noto-sans-thai-*/package/500Medium/*.ttf", ranges((0xE00, 0xE7F))),
    "devanagari": ("expo-google-fonts-noto-sans-devanagari-*/package/500Medium/*.ttf", DEVANAGARI),
}
FLAG = (
    '<g transform="translate(4 19) scale(.1875)">{body}</g>'
    '<path fill="none" stroke="#000" stroke-opacity=".25" d="M4 19h120v90H4z"/>'
)
"""How a flag of 640 x 480 stands where an emoji does, with a line around it, as some are white."""
SKINS = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}


def part(path: Path, wanted: set[int]) -> TTFont:
    """The glyphs of `wanted` out of a font, unhinted and at the common em."""
    options = subset.Options(hinting=False, glyph_names=False, notdef_outline=True)
    options.layout_features = [*options.layout_features, "mark", "mkmk", "init", "medi", "fina", "isol", "rlig"]
    options.drop_tables += ["DSIG", "STAT", "meta", "vhea", "vmtx", "VORG", "gasp", "BASE"]
    font = subset.load_font(str(path), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    font.flavor = None
    scale_upem(font, EM)
    return font


def other(folder: Path, name: str) -> TTFont:
    """The font of one script."""
    pattern, wanted = OTHERS[name]
    (path,) = folder.glob(pattern)
    font = part(path, wanted | {0x20, 0xA0})
    font["head"].created = font["head"].modified = 0
    font.recalcTimestamp = False
    return font


def emoji(package: Path) -> bytes:
    """A line for each emoji: its code points, a tab, the body of its SVG."""
    icons = json.loads((package / "icons.json").read_text())["icons"]
    names = json.loads((package / "chars.json").read_text())
    wanted = {codes: name for codes, name in names.items() if not SKINS & {*codes.split("-")} and name in icons}
    return listed({codes: icons[name]["body"] for codes, name in wanted.items()})


def flags(package: Path) -> bytes:
    """The same for the flags of countries, of two regional indicators, and of England, Scotland and Wales, of tags."""
    found = json.loads((package / "icons.json").read_text())
    aliases = {name: alias["parent"] for name, alias in found["aliases"].items()}
    bodies = {name: found["icons"][aliases.get(name, name)]["body"] for name in (*found["icons"], *aliases)}
    drawn = {}
    for name, body in bodies.items():
        code = name.removesuffix("-4x3")
        if re.fullmatch("[a-z]{2}", code) and code != "xx":  # which is no country
            drawn["-".join(f"{0x1F1E6 + ord(char) - ord('a'):x}" for char in code)] = FLAG.format(body=body)
        elif code in ("gb-eng", "gb-sct", "gb-wls"):
            tags = [f"{0xE0000 + ord(char):x}" for char in code.replace("-", "")]
            drawn["-".join(("1f3f4", *tags, "e007f"))] = FLAG.format(body=body)
    return listed(drawn)


def listed(drawings: dict[str, str]) -> bytes:
    """Drawings by their code points as the lines of a packed file."""
    lines = (f"{codes}\t{' '.join(body.split())}\n" for codes, body in sorted(drawings.items()))
    return lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)


def lettering(folder: Path) -> TTFont:
    """The font of many scripts."""
    covered: set[int] = set()
    with tempfile.TemporaryDirectory() as scratch:
        parts = []
        for index, (pattern, wanted) in enumerate(SOURCES):
            (path,) = folder.glob(pattern)
            font = part(path, wanted - covered)
            covered |= set(font.getBestCmap())
            parts.append(str(Path(scratch) / f"{index}.ttf"))
            font.save(parts[-1])
        font = merge.Merger().merge(parts)
    for record in font["name"].names:
        record.string = NAME.replace(" ", "" if record.nameID == 6 else " ")
    font["name"].names = [record for record in font["name"].names if record.nameID in (1, 4, 6)]
    font["name"].setName("Regular", 2, 3, 1, 0x409)
    font["head"].created = font["head"].modified = 0
    font.recalcTimestamp = False
    return font


def main(folder: Path, target: Path) -> None:
    for name, font in {"lettering": lettering(folder), **{name: other(folder, name) for name in OTHERS}}.items():
        font.save(target / f"{name}.ttf")
        print(f"{name}.ttf: {len(font.getBestCmap())} characters")
    (package,) = folder.glob("iconify-json-noto-*/package")
    (target / "emoji.tsv.xz").write_bytes(emoji(package))
    (package,) = folder.glob("iconify-json-flag-*/package")
    (target / "flags.tsv.xz").write_bytes(flags(package))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).parent)
