"""The signs of comics that show what a cut-out cannot: tears, hearts, a "zzz", dust. Vector drawings of our own, in
colours that stand out on any place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from anystory.sketch.cutout import Cutout
from anystory.sketch.things.svg import SVG, rasterise

_PAPER = "#fffdf4"
_RIM = 9
"""How broad the pale rim is that keeps a sign apart from what is behind it, on a drawing 100 high; and the room
around it."""

_RIMMED = ("flat", "watercolour", "crayon", "")
"""Mediums in which a sign gets that rim; ink and cut paper draw edges of their own."""

_WATER, _BLUE, _ROSE, _RED, _GOLD, _NIGHT = "#4fa9e6", "#2f6db3", "#e5446d", "#d93a2b", "#f2b526", "#46508f"
_DUST, _EARTH, _GREY = "#f1e6d2", "#bda684", "#6f7488"


_Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class _Line:
    """A path of a drawing: filled where `fill` is a colour, drawn along with `width` where `stroke` is one."""

    d: str
    fill: str = "none"
    stroke: str = "none"
    width: float = 0.0


@dataclass(frozen=True)
class _Sign:
    """A drawing `width` wide and 100 high, its left part turned to whom it belongs to. `faint`: how opaque it is;
    what lies on the ground or trails behind somebody has no rim."""

    width: float
    lines: tuple[_Line, ...]
    faint: float = 1.0
    rimmed: bool = True


def _drop(x: float, y: float, size: float, turn: float = 0.0) -> tuple[_Line, ...]:
    """A drop, its tip up and turned clockwise by `turn` degrees, and the light on it."""
    outline: _Points = ((0, -1.3), (0.35, -0.7, 0.75, -0.2, 0.75, 0.3), (0.75, 0.72, 0.4, 1, 0, 1))
    outline += ((-0.4, 1, -0.75, 0.72, -0.75, 0.3), (-0.75, -0.2, -0.35, -0.7, 0, -1.3))
    shine = ((-0.38, 0.25), (-0.38, 0.5, -0.25, 0.62, -0.1, 0.68))
    return (
        _Line(_path(outline, x, y, size, turn) + "Z", _WATER),
        _Line(_path(shine, x, y, size, turn), stroke=_PAPER, width=0.2 * size),
    )


def _heart(x: float, y: float, size: float, turn: float) -> _Line:
    outline: _Points = ((0, 0.95), (-0.5, 0.5, -1.1, 0.15, -1.1, -0.35), (-1.1, -0.8, -0.75, -1, -0.52, -1))
    outline += ((-0.25, -1, -0.08, -0.85, 0, -0.62), (0.08, -0.85, 0.25, -1, 0.52, -1))
    outline += ((0.75, -1, 1.1, -0.8, 1.1, -0.35), (1.1, 0.15, 0.5, 0.5, 0, 0.95))
    return _Line(_path(outline, x, y, size, turn) + "Z", _ROSE)


def _path(points: Sequence[Sequence[float]], x: float, y: float, size: float, turn: float) -> str:
    """A path through `points`: first where it starts, then lines (2 numbers) or curves (6), scaled, turned and
    moved."""
    cos, sin = math.cos(math.radians(turn)) * size, math.sin(math.radians(turn)) * size

    def at(numbers: Sequence[float]) -> str:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return " ".join(f"{x + a * cos - b * sin:.2f} {y + a * sin + b * cos:.2f}" for a, b in pairs)

    first, *rest = points
    return f"M{at(first)}" + "".join(f"{'C' if len(point) == 6 else 'L'}{at(point)}" for point in rest)


def _z(x: float, y: float, size: float) -> _Line:
    points = ((-0.8, -1), (0.8, -1), (-0.8, 1), (0.8, 1))
    return _Line(_path(points, x, y, size, -8), stroke=_NIGHT, width=0.42 * size)


def _star(x: float, y: float, outer: float, inner: float, points: int, turn: float, colour: str) -> _Line:
    corners = []
    for i in range(2 * points):
        reach, angle = (inner if i % 2 else outer), math.pi * i / points - math.pi / 2
        corners.append((reach * math.cos(angle), reach * math.sin(angle)))
    return _Line(_path(corners, x, y, 1, turn) + "Z", colour, colour, 0.12 * outer)


def _ray(x: float, y: float, angle: float, near: float, far: float, colour: str, width: float = 7) -> _Line:
    """A stroke away from a point, `angle` degrees clockwise from straight up."""
    dx, dy = math.sin(math.radians(angle)), -math.cos(math.radians(angle))
    d = f"M{x + near * dx:.2f} {y + near * dy:.2f}L{x + far * dx:.2f} {y + far * dy:.2f}"
    return _Line(d, stroke=colour, width=width)


def _disc(x: float, y: float, radius: float, fill: str, stroke: str = "none", width: float = 0.0) -> _Line:
    arc = f"A{radius} {radius} 0 1 1"
    return _Line(f"M{x - radius} {y}{arc} {x + radius} {y}{arc} {x - radius} {y}Z", fill, stroke, width)


def _vein() -> tuple[_Line, ...]:
    bow = ((-0.9, -0.28), (-0.35, -0.28, -0.28, -0.35, -0.28, -0.9))
    return tuple(_Line(_path(bow, 50, 50, 48, turn + 8), stroke=_RED, width=11) for turn in (0, 90, 180, 270))


def _notes() -> tuple[_Line, ...]:
    head = ((-1, 0.1), (-1, -0.5, 0.9, -0.75, 0.95, -0.1), (0.95, 0.55, -0.9, 0.7, -1, 0.1))
    one = (
        _Line(_path(head, 20, 82, 14, 0) + "Z", _NIGHT),
        _Line("M32 80L32 34", stroke=_NIGHT, width=6),
        _Line("M32 34C34 46 47 46 46 62", stroke=_NIGHT, width=6),
    )
    pair = (
        _Line(_path(head, 72, 56, 13, 0) + "Z", _NIGHT),
        _Line(_path(head, 106, 48, 13, 0) + "Z", _NIGHT),
        _Line("M83 55L83 14L117 6L117 47", stroke=_NIGHT, width=6),
        _Line("M83 22L117 14", stroke=_NIGHT, width=8),
    )
    return one + pair


def _puff(x: float, y: float, size: float) -> tuple[_Line, ...]:
    """A little cloud, with a curl in it."""
    bumps = ((-0.75, 0.25, 0.55), (-0.1, -0.2, 0.8), (0.75, 0.2, 0.55), (0.1, 0.45, 0.65))
    edges = tuple(_disc(x + size * a, y + size * b, size * r, _EARTH, _EARTH, 3.5) for a, b, r in bumps)
    discs = tuple(_disc(x + size * a, y + size * b, size * r, _DUST) for a, b, r in bumps)
    curl = ((-0.45, 0.2), (-0.55, -0.35, 0.2, -0.5, 0.3, -0.05), (0.35, 0.3, -0.05, 0.35, -0.1, 0.1))
    return (*edges, *discs, _Line(_path(curl, x, y, size, 0), stroke=_EARTH, width=0.16 * size))


def _bulb() -> tuple[_Line, ...]:
    glass: _Points = ((-0.42, 0.95), (-0.42, 0.55, -0.95, 0.4, -0.95, -0.2), (-0.95, -0.75, -0.5, -1.1, 0, -1.1))
    glass += ((0.5, -1.1, 0.95, -0.75, 0.95, -0.2), (0.95, 0.4, 0.42, 0.55, 0.42, 0.95))
    rays = tuple(_ray(50, 48, angle, 34, 46, _GOLD, 6) for angle in (-110, -65, -22, 22, 65, 110))
    return (
        *rays,
        _Line(_path(glass, 50, 52, 25, 0) + "Z", "#ffd95e", "#c98d14", 4),
        _Line("M44 66L46 50L50 56L54 50L56 66", stroke="#c98d14", width=3),
        _Line("M41 81L59 81", stroke=_GREY, width=8),
        _Line("M44 91L56 91", stroke=_GREY, width=8),
    )


def _thought() -> tuple[_Line, ...]:
    bumps = ((44, 38, 22), (70, 26, 24), (96, 38, 22), (84, 50, 18), (58, 52, 18))
    rims = tuple(_disc(x, y, r, _GREY, _GREY, 8) for x, y, r in bumps)
    fills = tuple(_disc(x, y, r, _PAPER) for x, y, r in bumps)
    dots = tuple(_disc(x, 40, 5, _GREY) for x in (52, 70, 88))
    tail = (_disc(32, 76, 9, _PAPER, _GREY, 4), _disc(16, 91, 5.5, _PAPER, _GREY, 4))
    return (*rims, *fills, *dots, *tail)


def _speed() -> tuple[_Line, ...]:
    """Strokes that thin out to the right."""
    lines = []
    for y, start, end in ((12, 4, 140), (50, 0, 210), (88, 12, 170)):
        lines.append(_Line(f"M{start} {y - 6}L{end} {y}L{start} {y + 6}Q{start - 7} {y} {start} {y - 6}Z", _PAPER))
    return tuple(lines)


def _splash() -> tuple[_Line, ...]:
    drops = tuple(
        line
        for x, y, size, turn in (
            (12, 44, 8, -38),
            (38, 22, 9, -16),
            (70, 16, 10, 0),
            (102, 22, 9, 16),
            (128, 44, 8, 38),
        )
        for line in _drop(x, y, size, turn)
    )
    crown = "M6 94Q22 86 20 62Q34 80 46 78Q54 66 54 46Q62 70 70 74Q78 70 86 46Q86 66 94 78Q106 80 120 62Q118 86 134 94Z"
    return (_Line(crown, "#bfe3f7", _WATER, 3.5), *drops)


SIGNS: dict[str, _Sign] = {
    "tears": _Sign(74, (*_drop(20, 40, 17, -35), *_drop(48, 66, 19, -22))),
    "sweat": _Sign(96, (*_drop(18, 30, 15, 24), *_drop(48, 40, 18, 50), *_drop(66, 76, 15, 78))),
    "hearts": _Sign(100, (_heart(36, 58, 32, -10), _heart(80, 26, 16, 14))),
    "anger": _Sign(100, _vein()),
    "zzz": _Sign(106, (_z(16, 84, 12), _z(44, 58, 17), _z(82, 26, 22))),
    "!": _Sign(44, (_Line("M12 8Q22 2 32 8L26 64Q22 68 18 64Z", _RED), _disc(22, 86, 9, _RED))),
    "?": _Sign(
        66, (_Line("M13 26C13 4 54 4 53 29C52 48 33 46 33 66", stroke=_BLUE, width=13), _disc(33, 88, 8.5, _BLUE))
    ),
    "music": _Sign(126, _notes()),
    "stars": _Sign(
        130,
        (_star(20, 66, 17, 8, 5, -14, _GOLD), _star(64, 28, 22, 10, 5, 6, _GOLD), _star(108, 62, 17, 8, 5, 20, _GOLD)),
    ),
    "impact": _Sign(100, (_star(50, 50, 47, 24, 9, 8, "#f08a24"), _star(50, 50, 28, 14, 9, 20, "#ffe9a8"))),
    "idea": _Sign(100, _bulb()),
    "thought": _Sign(124, _thought()),
    "gloom": _Sign(
        120,
        (
            _Line(
                "M14 62C6 30 44 14 58 30C70 12 112 22 108 50C106 76 60 80 44 66C30 54 52 36 68 46C86 56 80 76 62 82",
                stroke="#5a607c",
                width=7,
            ),
        ),
    ),
    "joy": _Sign(76, tuple(_ray(-10, 104, angle, 46, 88, _GOLD, 9) for angle in (18, 44, 70))),
    "shout": _Sign(70, tuple(_ray(-30, 50, angle, 42, 92, _RED, 8) for angle in (58, 90, 122))),
    "speed": _Sign(210, _speed(), 0.9, rimmed=False),
    "dust": _Sign(190, (*_puff(40, 58, 32), *_puff(112, 70, 22), *_puff(164, 80, 13)), 0.88, rimmed=False),
    "splash": _Sign(140, _splash(), 0.92, rimmed=False),
}
"""By name. What is on one side of somebody is drawn for their right side."""


def aspect_of(name: str) -> float:
    """Width through height of a mark. Raises KeyError for an unknown one."""
    return (SIGNS[name].width + 2 * _RIM) / (100 + 2 * _RIM)


@lru_cache(maxsize=64)
def drawn(name: str, medium: str, height: int, pale: bool = False) -> Cutout:
    """A mark `height` pixels high as a cut-out, for a page of that medium; `pale`: what is behind it is, and strokes
    of chalk would not be seen. Raises KeyError for an unknown one."""
    sign = SIGNS[name]
    body = "".join(_svg(line) for line in sign.lines)
    if sign.rimmed and medium in _RIMMED:
        body = "".join(_svg(line, _RIM) for line in sign.lines) + body
    if name == "speed" and (pale or medium == "ink"):
        body = body.replace(_PAPER, _GREY)
    box = (-_RIM, -_RIM, sign.width + 2 * _RIM, 100 + 2 * _RIM)
    view = " ".join(f"{number:g}" for number in box)
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}"><g opacity="{sign.faint}" stroke-linecap="round" '
        f'stroke-linejoin="round">{body}</g></svg>'
    )
    return Cutout(name, rasterise(SVG(text, box), max(height, 1)))


def _svg(line: _Line, rim: int = 0) -> str:
    """A path; with a `rim` the paper that shows around it."""
    if rim:
        stroke, width = _PAPER, line.width + rim
        fill = _PAPER if line.fill != "none" else "none"
    else:
        stroke, width, fill = line.stroke, line.width, line.fill
    return f'<path d="{line.d}" fill="{fill}" stroke="{stroke}" stroke-width="{width:.2f}"/>'
