"""Rooms. Windows and light tell the time of day; there is no weather."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from anystory.sketch.scenery import motifs as m
from anystory.sketch.scenery.colour import Colour, dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, lighting, motif
from anystory.sketch.scenery.place import INDOORS, place

_WALLS = ("#f3dfc1", "#cfe3e0", "#f1c9b8", "#d8d3ea", "#cfdcb5", "#f4d98f", "#b9d3e6", "#eec3c9", "#e6dcc9", "#a9cdbb")
_FLOORS = ("#c08f5a", "#b0794a", "#9a6b48", "#d0a870", "#a88464")
_CLOTH = ("#c9506a", "#4f86b8", "#5f9f78", "#e0a040", "#8f6ab0", "#d9704a", "#3f8f95")


@motif
def _walls(p: Painter, y: float, *, pattern: bool = True) -> Colour:
    """Papered walls down to the skirting board at `y`; returns their colour."""
    wall = p.tone(p.pick(*_WALLS))
    p.wash(0, y, dark(wall, 0.05), wall)
    kind = p.pick("stripes", "dots", "panel", "plain") if pattern else "plain"
    if kind == "stripes":
        w = p.between(4, 7)
        p.areas(
            "".join(f"M{x:.1f} 0h{w / 2:.1f}V{y:.1f}h{-w / 2:.1f}z" for x in np.arange(0, 101, w)), pale(wall, 0.22)
        )
    elif kind == "dots":
        d = "".join(
            f"M{x + 3.5 * (r % 2):.1f} {4 + 5.5 * r:.1f}m-.7 0a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0 -1.4 0"
            for r in range(int(y / 5.5))
            for x in np.arange(0, 101, 7)
        )
        p.areas(d, pale(wall, 0.35))
    elif kind == "panel":
        low = p.tone(p.pick("#f6efe0", "#d9c3a0", "#b5cfc4"))
        p.rect(-2, y - 18, 104, 18, low, shade=dark(low, 0.06))
        p.rect(-2, y - 19.4, 104, 1.8, pale(low, 0.3))
        for x in range(2, 100, 14):
            p.rect(x, y - 15, 11, 12, dark(low, 0.06), detail=True)
            p.rect(x + 0.6, y - 14.4, 9.8, 10.8, low, detail=True)
    p.rect(-2, y - 2.6, 104, 3, p.tone("#fbf6ea"))
    return wall


@motif
def _window(p: Painter, x: float, y: float, w: float, h: float, *, curtains: bool = True) -> None:
    """A window with its view; `x`, `y` its left top corner. By day light falls from it."""
    white = p.tone("#fffaf0")
    p.rect(x - 1.5, y - 1.5, w + 3, h + 3, white)
    p.poly([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], p.sky_top, shade=p.haze, detail=True)
    _outside(p, x, y, w, h)
    land = p.tone(p.pick("#7fae5f", "#6f9f6a", "#8aa878"), 0.15)
    p.poly(
        [
            (x, y + h * 0.82),
            (x + w * 0.3, y + h * 0.72),
            (x + w * 0.65, y + h * 0.8),
            (x + w, y + h * 0.72),
            (x + w, y + h),
            (x, y + h),
        ],
        land,
        detail=True,
    )
    p.rect(x + w / 2 - 0.6, y, 1.2, h, white, detail=True)
    p.rect(x, y + h * 0.45, w, 1.1, white, detail=True)
    p.rect(x - 2.6, y + h + 1.2, w + 5.2, 1.8, white)
    if curtains:
        cloth = p.tone(p.pick(*_CLOTH))
        for side in (0, 1):
            edge = x - 4 if side == 0 else x + w + 4
            way = 1 if side == 0 else -1
            fold = [
                (edge, y - 4),
                (edge + way * w * 0.36, y - 4),
                (edge + way * w * 0.3, y + h * 0.4),
                (edge + way * 3.4, y + h * 0.66),
                (edge + way * 5, y + h + 5),
                (edge, y + h + 5),
            ]
            p.poly(fold, cloth, shade=dark(cloth, 0.16), smooth=False)
            for t in (0.3, 0.6):
                p.line(
                    [(edge + way * w * 0.36 * t, y - 3.5), (edge + way * 4 * t, y + h * 0.62)], dark(cloth, 0.18), 0.4
                )
        p.rect(x - 6, y - 5.4, w + 12, 1.5, p.tone("#a8763f"), r=0.7)
    if p.time in ("day", "sunrise", "sunset"):
        light = rgb({"day": "#fffbe0", "sunrise": "#ffe3cf", "sunset": "#ffa860"}[p.time])
        with p.lighting():
            p.veil([(x, y), (x + w, y), (x + w * 1.5 + 6, 101), (x + w * 0.2, 101)], light, light, 0.2, 0.05)


@lighting
def _outside(p: Painter, x: float, y: float, w: float, h: float) -> None:
    """What hangs in the sky behind a window."""
    cx, cy = x + w * p.between(0.3, 0.7), y + h * p.between(0.2, 0.35)
    if p.night:
        for _ in range(9):
            r = p.between(0.15, 0.35)
            p.oval(x + w * p.between(0.05, 0.95), y + h * p.between(0.05, 0.7), r, r, rgb("#ffffff"), detail=True)
        p.oval(cx, cy, w * 0.09, w * 0.09, rgb("#f8f2d4"), detail=True)
    elif p.time == "day":
        for dx in (0.25, 0.7):
            p.blob(x + w * dx, cy, w * 0.15, h * 0.07, rgb("#ffffff"), lobes=6, detail=True)
    else:
        sun = "#fff1a8" if p.time == "sunrise" else "#ffc050"
        p.oval(cx, y + h * 0.72, w * 0.17, w * 0.17, rgb(sun), detail=True)


@lighting
def _lamps_on(p: Painter, x: float, y: float, r: float = 46) -> None:
    """Lamplight, where it is dark."""
    if p.night or p.time == "sunset":
        p.glow(x, y, r, rgb("#ffd58a"), 0.62 if p.night else 0.35)


@motif
def _picture(p: Painter, x: float, y: float, w: float, h: float) -> None:
    p.rect(x, y, w, h, p.tone(p.pick("#a8763f", "#e6c06a", "#6b4a35", "#fbf6ea")))
    back = p.tone(p.pick("#cfe6f0", "#f6e6c0", "#f1c9b8", "#d9e6c9"))
    p.rect(x + 1, y + 1, w - 2, h - 2, back, detail=True)
    kind = p.pick("hills", "sun", "flower", "boat")
    if kind == "hills":
        p.poly(
            [
                (x + 1, y + h - 1),
                (x + w * 0.35, y + h * 0.45),
                (x + w * 0.6, y + h * 0.7),
                (x + w * 0.8, y + h * 0.5),
                (x + w - 1, y + h - 1),
            ],
            p.tone("#6fae6a"),
            detail=True,
        )
    elif kind == "sun":
        p.oval(x + w / 2, y + h / 2, w * 0.2, w * 0.2, p.tone("#f2b03f"), detail=True)
    elif kind == "flower":
        for k in range(5):
            a = k * 1.2566
            p.oval(
                x + w / 2 + w * 0.13 * math.cos(a),
                y + h * 0.45 + w * 0.13 * math.sin(a),
                w * 0.09,
                w * 0.09,
                p.tone("#e0607a"),
                detail=True,
            )
    else:
        p.poly(
            [(x + w * 0.25, y + h * 0.7), (x + w * 0.75, y + h * 0.7), (x + w * 0.5, y + h * 0.25)],
            p.tone("#d9604a"),
            detail=True,
        )


@motif
def _rug(p: Painter, x: float, y: float, rx: float, ry: float) -> None:
    cloth = p.tone(p.pick(*_CLOTH))
    p.oval(x, y, rx, ry, cloth)
    p.oval(x, y, rx * 0.84, ry * 0.82, pale(cloth, 0.4), detail=True)
    p.oval(x, y, rx * 0.7, ry * 0.66, mix(cloth, p.tone(p.pick(*_CLOTH)), 0.4), detail=True)


@motif
def _plant(p: Painter, x: float, y: float, h: float) -> None:
    green, clay = p.tone(p.pick(*m.GREENS)), p.tone(p.pick("#c9704a", "#e6dcc9", "#4f86b8", "#e0a040"))
    for a in p.shuffled(np.linspace(-1.1, 1.1, 8).tolist()):
        tip = (x + math.sin(a) * h * 0.5, y - h * 0.3 - math.cos(a) * h * 0.7)
        mid = (x + math.sin(a) * h * 0.22, y - h * 0.62)
        p.poly(
            [(x, y - h * 0.25), (mid[0] - h * 0.07, mid[1]), tip, (mid[0] + h * 0.07, mid[1])],
            mix(green, dark(green, 0.3), p.between(0, 1)),
            smooth=True,
        )
    p.poly(
        [(x - h * 0.2, y - h * 0.3), (x + h * 0.2, y - h * 0.3), (x + h * 0.15, y), (x - h * 0.15, y)],
        clay,
        shade=dark(clay, 0.2),
    )


@motif
def _books(p: Painter, x: float, y: float, w: float, h: float) -> None:
    """A row of books that stands on `y` from `x` on."""
    end = x + w
    while x < end - 1.2:
        b, tall = p.between(1.1, 2.1), h * p.between(0.68, 0.96)
        if p.chance(0.08):
            x += b
            continue
        b = min(b, end - x)
        c = p.tone(p.pick(*m.BRIGHTS, "#7a4f35", "#3f5f7a", "#e6dcc9"), vary=0.04)
        p.rect(x, y - tall, b, tall, c, detail=True)
        p.rect(x, y - tall * 0.82, b, tall * 0.1, pale(c, 0.4), detail=True)
        x += b + 0.08


@motif
def _bookcase(p: Painter, x: float, y: float, w: float, h: float, shelves: int, wood: Colour) -> None:
    """`x` its left side, `y` its foot."""
    p.rect(x, y - h, w, h, wood)
    p.rect(x + 1, y - h + 1.2, w - 2, h - 2.4, dark(wood, 0.4), detail=True)
    each = (h - 2.4) / shelves
    for k in range(shelves):
        foot = y - h + 1.2 + each * (k + 1)
        _books(p, x + 1.3, foot - 0.6, w - 2.8, each - 1.2)
        p.rect(x + 0.6, foot - 0.6, w - 1.2, 1.2, wood, detail=True)


@motif
def _pendant(p: Painter, x: float, length: float) -> None:
    shade = p.tone(p.pick(*_CLOTH, "#fbf6ea"))
    p.line([(x, -1), (x, length)], p.tone("#5f5a5a"), 0.5)
    _lamps_on(p, x, length + 4)
    p.oval(x, length + 5, 1.8, 1.6, p.glowing("#fff3c4", "#fffbe6"), detail=True)
    p.poly([(x - 2, length), (x + 2, length), (x + 6, length + 5), (x - 6, length + 5)], shade, shade=dark(shade, 0.12))


@motif
def _shade_lamp(p: Painter, x: float, y: float, h: float) -> None:
    """A standard lamp."""
    p.rect(x - 0.5, y - h, 1, h, p.tone("#6b5a4a"))
    p.oval(x, y, 3.4, 0.9, p.tone("#6b5a4a"))
    _lamps_on(p, x, y - h)
    c = p.glowing("#ffe2a0", p.pick("#f6e6c0", "#f1c9b8", "#cfe3e0"))
    p.poly([(x - 3, y - h - 6), (x + 3, y - h - 6), (x + 5, y - h + 2), (x - 5, y - h + 2)], c, shade=dark(c, 0.1))


@place(
    "room",
    "in a room",
    "in the living room",
    "at home",
    "in a cosy living room",
    empty="a living room",
    weathers=INDOORS,
    ground=(0.84, 0.95),
)
def room(p: Painter) -> None:
    p.horizon = y = p.between(66, 71)
    _walls(p, y)
    floor = p.tone(p.pick(*_FLOORS))
    side = p.sign()
    m.boards(p, y, floor)
    _window(p, 50 - side * 24 - 12, p.between(14, 19), p.between(21, 26), p.between(26, 31))
    for k in range(p.count(1, 2)):
        _picture(p, 50 + side * (6 + 15 * k) - 5, p.between(12, 20), p.between(9, 12), p.between(9, 13))
    wood = p.tone(p.pick("#8f5f3a", "#a8764a", "#6f4a35"))
    if p.chance(0.5):
        _bookcase(p, 50 + side * 36 - 10, y + 2, 20, p.between(30, 40), 3, wood)
    else:
        x = 50 + side * 36
        brick = p.tone(p.pick("#b5694a", "#a89a90"))
        with p.showing("fireplace"):
            p.rect(x - 11, y - 26, 22, 28, brick, shade=dark(brick, 0.15))
            p.rect(x - 13, y - 28, 26, 2.8, wood)
            p.rect(x - 7, y - 16, 14, 18, p.tone("#3a2c2c"), r=5)
            p.glow(x, y - 5, 16, rgb("#ffae4a"), 0.6)
            for c, k in (("#f2602a", 1.0), ("#ffc04a", 0.6)):
                p.poly(
                    [(x - 4 * k, y), (x - 3 * k, y - 5 * k), (x, y - 11 * k), (x + 3 * k, y - 5 * k), (x + 4 * k, y)],
                    rgb(c),
                    smooth=True,
                )
    sx, cloth = 50 - side * p.between(16, 22), p.tone(p.pick(*_CLOTH))
    _sofa(p, sx, y + 9, p.between(32, 38), cloth)
    _shade_lamp(p, sx - side * 23, y + 8, p.between(28, 34))
    _rug(p, 50 + p.between(-8, 8), 90, p.between(30, 38), p.between(6, 8))
    p.layer("an armchair", 87)
    ax, c2 = 50 + side * p.between(35, 39), p.tone(p.pick(*_CLOTH))
    _armchair(p, ax, 89, p.between(22, 26), c2)
    if p.chance(0.6):
        p.layer("a plant", 103)
        _plant(p, 50 - side * p.between(41, 46), 103, p.between(26, 36))


@motif
def _sofa(p: Painter, x: float, y: float, w: float, cloth: Colour) -> None:
    p.shadow(x, y + 1, w * 0.56, 2.5, 0.35)
    for dx in (-0.42, 0.38):
        p.rect(x + dx * w, y - 2, 1.6, 3, p.tone("#6b4a35"))
    p.rect(x - w * 0.46, y - w * 0.46, w * 0.92, w * 0.36, cloth, r=3, shade=dark(cloth, 0.14))
    for k in (-2, 0):
        p.rect(x + k * w * 0.2, y - w * 0.24, w * 0.4, w * 0.13, pale(cloth, 0.12), r=1.6)
    p.rect(x - w * 0.46, y - w * 0.13, w * 0.92, w * 0.1, dark(cloth, 0.1), r=1)
    for s in (-1, 1):
        p.rect(
            x + s * w * 0.46 - w * 0.06,
            y - w * 0.3,
            w * 0.12,
            w * 0.28,
            pale(cloth, 0.06),
            r=2.5,
            shade=dark(cloth, 0.14),
        )
    c = p.tone(p.pick(*m.BRIGHTS))
    q = w * 0.09
    px = x + w * p.between(-0.3, 0.3)
    p.poly(
        [(px - q, y - w * 0.22), (px - q * 0.7, y - w * 0.42), (px + q, y - w * 0.4), (px + q * 1.1, y - w * 0.22)],
        c,
        shade=dark(c, 0.15),
        smooth=False,
    )


@motif
def _armchair(p: Painter, x: float, y: float, w: float, cloth: Colour) -> None:
    p.rect(x - w * 0.36, y - w * 0.95, w * 0.72, w * 0.8, cloth, r=w * 0.2, shade=dark(cloth, 0.15))
    p.rect(x - w * 0.36, y - w * 0.42, w * 0.72, w * 0.18, pale(cloth, 0.14), r=1.6)
    p.rect(x - w * 0.4, y - w * 0.27, w * 0.8, w * 0.24, dark(cloth, 0.08), r=1)
    for s in (-1, 1):
        p.rect(
            x + s * w * 0.4 - w * 0.11,
            y - w * 0.52,
            w * 0.22,
            w * 0.5,
            pale(cloth, 0.06),
            r=w * 0.1,
            shade=dark(cloth, 0.15),
        )
        p.rect(x + s * w * 0.4 - 0.8, y - w * 0.04, 1.6, w * 0.06, p.tone("#6b4a35"))


@place(
    "bedroom",
    "in a bedroom",
    "in the bedroom",
    "beside a bed",
    "in a child's bedroom",
    empty="a bedroom",
    weathers=INDOORS,
    ground=(0.85, 0.95),
)
def bedroom(p: Painter) -> None:
    p.horizon = y = p.between(65, 70)
    _walls(p, y)
    m.boards(p, y, p.tone(p.pick(*_FLOORS)))
    side = p.sign()
    _window(p, 50 + side * 16 - 11, p.between(14, 18), p.between(20, 24), p.between(24, 28))
    bunting = np.linspace(4, 96, 13)
    for a, b in pairwise(bunting):
        p.poly(
            [(a, 5 + 3 * math.sin(a / 30)), (b, 5 + 3 * math.sin(b / 30)), ((a + b) / 2, 11)],
            p.tone(p.pick(*m.BRIGHTS)),
            detail=True,
        )
    wood, cloth = p.tone(p.pick("#a8764a", "#f0e6d6", "#7f5a3f", "#cfdcb5")), p.tone(p.pick(*_CLOTH))
    x0, w = (6.0, 44.0) if side > 0 else (50.0, 44.0)
    head = x0 if side > 0 else x0 + w
    foot = x0 + w if side > 0 else x0
    with p.showing("bed"):
        for x, h in ((head, 27), (foot, 17)):
            p.rect(x - 1.6, y + 10 - h, 3.2, h, wood, r=1.2, shade=dark(wood, 0.15))
        p.rect(x0, y - 1, w, 8, dark(wood, 0.12))
        white = p.tone("#fffaf2")
        p.rect(x0 + 1, y - 5, w - 2, 6, white, r=2)
        p.rect(head + (3 if side > 0 else -15), y - 9.5, 12, 6, white, r=2.6, shade=dark(white, 0.1))
        cover = x0 + (14 if side > 0 else 0)
        p.rect(cover, y - 6.4, w - 14, 12.4, cloth, r=2.4, shade=dark(cloth, 0.14))
        spots = "".join(
            f"M{cover + 2.2 + 4.6 * k + 2 * (row % 2):.1f} {y - 3.6 + 3.2 * row:.1f}"
            "a.8 .8 0 1 0 1.6 0a.8 .8 0 1 0 -1.6 0"
            for row in range(3)
            for k in range(6)
        )
        p.areas(spots, pale(cloth, 0.5))
    tx = 50 + side * 30
    p.rect(tx - 7, y - 12, 14, 15, wood, r=0.8, shade=dark(wood, 0.15))
    for k in range(2):
        p.rect(tx - 5.6, y - 10 + 6 * k, 11.2, 4.6, pale(wood, 0.15), r=0.5)
        p.oval(tx, y - 7.8 + 6 * k, 0.7, 0.7, dark(wood, 0.4), detail=True)
    lampc = p.glowing("#ffe2a0", p.pick("#f6e6c0", "#f1c9b8"))
    p.rect(tx - 0.5, y - 18, 1, 6, p.tone("#8f6442"))
    _lamps_on(p, tx, y - 19, 38)
    p.poly([(tx - 2.4, y - 24), (tx + 2.4, y - 24), (tx + 4.4, y - 17.4), (tx - 4.4, y - 17.4)], lampc)
    _picture(p, 50 - side * p.between(26, 36) - 6, p.between(18, 22), 12, 11)
    _rug(p, 50 + side * p.between(0, 10), 90, p.between(26, 34), p.between(5.5, 7.5))
    p.layer("a toy box", 88)
    bx, box = 50 + side * p.between(35, 39), p.tone(p.pick(*m.BRIGHTS))
    for k in range(4):
        c = p.tone(p.pick(*m.BRIGHTS))
        p.oval(bx - 7 + 4.6 * k, 77.4 - p.between(0, 2), 3, 3, c, shade=dark(c, 0.15))
    p.rect(bx - 11, 77, 22, 12.5, box, r=1, shade=dark(box, 0.2))
    p.rect(bx - 12, 76, 24, 2.6, pale(box, 0.2), r=0.8)
    if p.chance(0.6):
        p.layer("toy blocks", 103)
        for dx, dy in ((0, 0), (8.4, 0), (4.2, 8)):
            c = p.tone(p.pick(*m.BRIGHTS))
            p.rect(50 - side * 44 - 8 + dx, 94 - dy, 8, 8, c, r=0.7, shade=dark(c, 0.15))
            p.rect(50 - side * 44 - 6.4 + dx, 95.6 - dy, 4.8, 4.8, pale(c, 0.4), detail=True)


@place(
    "kitchen",
    "in the kitchen",
    "in a kitchen",
    "in a tidy kitchen",
    empty="a kitchen",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def kitchen(p: Painter) -> None:
    p.horizon = y = p.between(70, 74)
    _walls(p, y, pattern=False)
    tilec = p.tone(p.pick("#ffffff", "#dcecf0", "#f6ead0"))
    p.rect(-2, 34, 104, 20, tilec, detail=True)
    d = "".join(f"M{x:.1f} 34V54" for x in np.arange(0, 101, 5)) + "".join(f"M0 {34 + 4 * k}H100" for k in range(6))
    p.strokes(d, dark(tilec, 0.1), 0.3)
    m.tiles(p, y, p.tone(p.pick("#f4ead6", "#e6ecec")), p.tone(p.pick("#c9705a", "#7fa8b8", "#a8b88a", "#8f949c")))
    side = p.sign()
    front, top = (
        p.tone(p.pick("#7fb0a8", "#e6c27a", "#c9d6e0", "#d98f7a", "#f4efe2", "#8fa87a")),
        p.tone(p.pick("#a8764a", "#d9d3cc", "#6f6a6a")),
    )
    _window(p, 50 - side * 4 - 12, 14, 24, 24, curtains=p.chance(0.7))
    for a, b in ((-2, 32), (66, 102)):
        p.rect(a, 10, b - a, 20, front, shade=dark(front, 0.08))
        for k in range(2):
            x = a + (b - a) * k / 2
            p.rect(x + 1.2, 11.4, (b - a) / 2 - 2.4, 17, pale(front, 0.16), r=0.5)
            p.oval(x + (b - a) / 2 * (0.85 if k == 0 else 0.15), 24, 0.6, 0.6, p.tone("#6f6a6a"), detail=True)
    p.rect(-2, 55, 104, y - 54, front, shade=dark(front, 0.12))
    for x in np.arange(0, 100, 16.7):
        p.rect(x + 1, 58.5, 14.7, y - 60.5, pale(front, 0.14), r=0.6)
        p.rect(x + 5.4, 60.4, 6, 0.9, p.tone("#6f6a6a"), detail=True)
    p.rect(-2, 52.6, 104, 3.2, top, shade=dark(top, 0.12))
    sx = 50 + side * 30
    steel = p.tone("#dfe3e6")
    p.rect(sx - 10, 52, 20, y - 51.4, steel, r=0.8, shade=dark(steel, 0.12))
    p.rect(sx - 8, 59, 16, 9.4, p.tone("#4a4a55"), r=1)
    p.rect(sx - 7.4, 56.4, 14.8, 1, p.tone("#8f949c"), detail=True)
    for k in (-1, 1):
        p.rect(sx + 4.6 * k - 3, 50.6, 6, 1.6, p.tone("#4a4a55"), r=0.6)
    pot = p.tone(p.pick("#d9604a", "#4f86b8", "#8f949c", "#e0a040"))
    p.rect(sx - 8, 44.6, 8.4, 6.2, pot, r=1.2, shade=dark(pot, 0.2))
    p.rect(sx - 8.6, 43.8, 9.6, 1.3, pale(pot, 0.2), r=0.5)
    for k in range(2):
        p.mist(sx - 4 + p.between(-1, 1), 40 - 4 * k, 2.4 + k, 3, p.tone("#ffffff"), 0.7)
    x = 50 - side * 10
    p.line([(x, 52), (x, 46), (x + 3.4, 45), (x + 3.6, 48)], p.tone("#a9afb5"), 1.0, smooth=True)
    for k in range(p.count(2, 4)):
        c, jx = p.tone(p.pick(*m.BRIGHTS)), 50 - side * (24 + 6.4 * k)
        p.rect(jx - 2.2, 46.4, 4.4, 6.4, c, r=1, shade=dark(c, 0.2))
        p.rect(jx - 1.8, 45.2, 3.6, 1.5, p.tone("#fbf6ea"), r=0.4)
    _pendant(p, 50 + p.between(-8, 8), 4)
    p.layer("a kitchen table", 88)
    tx, wood = 50 + side * p.between(42, 46), p.tone(p.pick("#b5824f", "#c99a62", "#f0e6d6"))
    for dx in (-13, 11):
        p.rect(tx + dx, 78, 2.2, 11.4, dark(wood, 0.15))
    p.rect(tx - 17, 75.4, 34, 3.4, wood, r=0.8, shade=dark(wood, 0.15))
    bowl = p.tone(p.pick(*m.BRIGHTS))
    for k in range(5):
        p.oval(tx - 5 + 2.4 * k, 71.4 - (k % 2), 2, 2, p.tone(p.pick("#e4504f", "#f2a03f", "#7fb548", "#f7d24a")))
    p.poly([(tx - 7.6, 71.4), (tx + 7.6, 71.4), (tx + 4, 75.6), (tx - 4, 75.6)], bowl, shade=dark(bowl, 0.2))
    if p.chance(0.5):
        p.layer("a stool", 103)
        x = 50 - side * p.between(38, 43)
        for dx in (-5, 3.6):
            p.rect(x + dx, 90, 1.6, 13, dark(wood, 0.15))
        p.rect(x - 7, 88, 14, 3, p.tone(p.pick(*_CLOTH)), r=1.4)


@place(
    "bathroom",
    "in the bathroom",
    "in a bathroom",
    "beside the bathtub",
    empty="a bathroom",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def bathroom(p: Painter) -> None:
    p.horizon = y = p.between(68, 72)
    tilec = p.tone(p.pick("#cfe6ec", "#f1d6d6", "#d9ecd6", "#e6dff0", "#f4ecd0"))
    p.wash(0, y, pale(tilec, 0.15), tilec)
    grid = "".join(f"M{x:.1f} 24V{y:.1f}" for x in np.arange(0, 101, 7)) + "".join(
        f"M0 {v:.1f}H100" for v in np.arange(24, y, 7)
    )
    p.strokes(grid, pale(tilec, 0.55), 0.5)
    p.rect(-2, 21.4, 104, 3, p.tone(p.pick(*_CLOTH)))
    m.tiles(p, y, p.tone("#f6f6f2"), p.tone(p.pick("#6f9fb5", "#8fb0a0", "#c98f8f", "#7f86a8")))
    side = p.sign()
    _window(p, 50 - side * 14 - 9, 27, 18, 20, curtains=False)
    white = p.tone("#fbfdfd")
    bx = 50 - side * 21
    p.shadow(bx, y + 11, 26, 3, 0.35)
    for dx in (-17, 15):
        p.poly([(bx + dx, y + 7), (bx + dx + 3, y + 7), (bx + dx + 2.4, y + 11), (bx + dx, y + 11)], p.tone("#d9b04a"))
    p.poly(
        [
            (bx - 24, y - 9),
            (bx + 24, y - 9),
            (bx + 21, y + 5),
            (bx + 15, y + 8.4),
            (bx - 15, y + 8.4),
            (bx - 21, y + 5),
        ],
        white,
        shade=dark(white, 0.12),
    )
    for k in range(13):
        p.blob(
            bx - 20 + 3.3 * k,
            y - 10 - p.between(0, 2.6),
            3.4,
            2.8,
            p.tone("#ffffff"),
            shade=p.tone("#d9ecf4"),
            lobes=6,
            detail=True,
        )
    p.rect(bx - 25, y - 10, 50, 2.6, white, r=1.2)
    p.line(
        [(bx - side * 21, y - 10), (bx - side * 21, y - 17), (bx - side * 16, y - 17), (bx - side * 16, y - 15)],
        p.tone("#b9c0c6"),
        1.3,
        smooth=True,
    )
    if p.chance(0.6):
        duck = p.tone("#f7d24a")
        dx = bx + side * p.between(-6, 10)
        p.oval(dx, y - 13, 3.2, 2.2, duck)
        p.oval(dx + 2, y - 16, 1.7, 1.7, duck)
        p.poly([(dx + 3.4, y - 16.2), (dx + 5.2, y - 15.6), (dx + 3.4, y - 15.1)], p.tone("#f2803a"), detail=True)
        p.oval(dx + 2.3, y - 16.4, 0.35, 0.35, rgb("#22222a"), detail=True)
    wx = 50 + side * 28
    p.poly([(wx - 11, y - 20), (wx + 11, y - 20), (wx + 8, y - 12), (wx - 8, y - 12)], white, shade=dark(white, 0.14))
    p.rect(wx - 12, y - 21.6, 24, 2.4, white, r=1)
    p.rect(wx - 2.4, y - 12, 4.8, 13, white, shade=dark(white, 0.12))
    p.line([(wx, y - 21), (wx, y - 25.4), (wx + 3.4, y - 25.4)], p.tone("#b9c0c6"), 1.1, smooth=True)
    p.oval(wx, 30, 9.4, 11, p.tone(p.pick("#a8763f", "#fbf6ea", "#d9b04a")))
    glass = p.tone("#dcf0f6")
    p.oval(wx, 30, 7.9, 9.4, glass, shade=dark(glass, 0.12))
    p.line([(wx - 4, 33), (wx + 2, 24)], pale(glass, 0.7), 0.9)
    _lamps_on(p, wx, 16)
    p.oval(wx, 15.4, 2.8, 2.2, p.glowing("#fff3c4", "#fffbe6"))
    _rug(p, 50 + p.between(-6, 10), 91, 22, 5)
    p.layer("a laundry basket", 88)
    x, straw = 50 + side * p.between(38, 42), p.tone("#d9b070")
    for k in range(3):
        c = p.tone(p.pick(*_CLOTH))
        p.blob(x - 4 + 4 * k, 74.6, 4, 2.6, c, lobes=6)
    p.poly([(x - 8.4, 75), (x + 8.4, 75), (x + 6.8, 89), (x - 6.8, 89)], straw, shade=dark(straw, 0.2))
    for k in range(4):
        p.line([(x - 8 + 0.4 * k, 77.6 + 3 * k), (x + 8 - 0.4 * k, 77.6 + 3 * k)], dark(straw, 0.2), 0.45)


@place(
    "classroom",
    "in a classroom",
    "in the classroom",
    "at school",
    "in front of the blackboard",
    empty="a classroom",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def classroom(p: Painter) -> None:
    p.horizon = y = p.between(68, 72)
    _walls(p, y, pattern=p.chance(0.4))
    m.boards(p, y, p.tone(p.pick(*_FLOORS)))
    side = p.sign()
    bw, bx = p.between(48, 54), 50 - side * p.between(14, 18)
    frame = p.tone("#a8764a")
    with p.showing("blackboard"):
        p.rect(bx - bw / 2, 16, bw, 32, frame)
        board = p.tone(p.pick("#2f6b55", "#35604f", "#3a4a55"))
        p.rect(bx - bw / 2 + 1.5, 17.5, bw - 3, 29, board, shade=dark(board, 0.12))
        chalk = p.tone("#f4f4ea")
        kind = p.pick("shapes", "sums", "drawing")
        left = bx - bw / 2 + 5
        if kind == "shapes":
            for k, n in enumerate((3, 4, 6)):
                cx = left + 8 + 15 * k
                pts = [
                    (cx + 5 * math.cos(2 * math.pi * q / n - 1.57), 30 + 5 * math.sin(2 * math.pi * q / n - 1.57))
                    for q in range(n + 1)
                ]
                p.line(pts, chalk, 0.6)
        elif kind == "sums":
            for row in range(3):
                x = left
                for _ in range(p.count(5, 8)):
                    h = p.between(2, 3.4)
                    p.line(
                        [(x, 24 + 8 * row), (x + 1.6, 24 + 8 * row - h), (x + 2.6, 24 + 8 * row)],
                        chalk,
                        0.5,
                        smooth=True,
                    )
                    x += p.between(4, 5.4)
        else:
            p.oval(left + 8, 27, 3.4, 3.4, chalk, detail=True)
            p.line([(left, 42), (left + 10, 33), (left + 18, 40), (left + 28, 31), (left + 38, 42)], chalk, 0.6)
        p.rect(bx - bw / 2 - 1, 48, bw + 2, 1.6, frame)
    _window(p, 50 + side * 32 - 10, 14, 20, 28, curtains=p.chance(0.3))
    for k in range(2):
        p.rect(bx - 12 + 14 * k, 4, 10, 9, p.tone(p.pick(*m.BRIGHTS)))
        p.rect(bx - 10.6 + 14 * k, 5.4, 7.2, 6.2, p.tone("#fff8ec"), detail=True)
    gold = p.tone("#d9a84a")
    wood = p.tone(p.pick("#c99a62", "#b5824f"))
    dx = 50 - side * 4
    p.rect(dx - 15, y - 12, 30, 14.4, wood, shade=dark(wood, 0.15))
    p.rect(dx - 17, y - 14, 34, 2.8, pale(wood, 0.15))
    _books(p, dx - 13, y - 14, 7, 6)
    globe = p.tone("#5aa8d9")
    p.line([(dx + 9, y - 14), (dx + 9, y - 17)], gold, 1)
    p.oval(dx + 9, y - 21, 4.4, 4.4, globe)
    p.blob(dx + 8, y - 21.6, 2, 1.8, p.tone("#7fb55f"), lobes=5, detail=True)
    for x in (50 - side * 38, 50 + side * 10):
        _desk(p, x, 80, 18)
    p.layer("a school desk", 89)
    _desk(p, 50 + side * p.between(40, 44), 90, 28)
    if p.chance(0.6):
        p.layer("a school bag", 103)
        x, c = 50 - side * p.between(38, 43), p.tone(p.pick(*m.BRIGHTS))
        p.rect(x - 7, 86, 14, 16, c, r=3.4, shade=dark(c, 0.2))
        p.rect(x - 5, 93, 10, 7, pale(c, 0.15), r=1.4)
        p.line([(x - 2, 86), (x, 83.4), (x + 2, 86)], dark(c, 0.3), 0.9, smooth=True)


@motif
def _desk(p: Painter, x: float, y: float, w: float) -> None:
    wood, iron = p.tone("#d0a468"), p.tone("#6f7a85")
    for dx in (-0.42, 0.38):
        p.rect(x + dx * w, y - w * 0.44, w * 0.05, w * 0.44, iron)
    p.rect(x - w * 0.46, y - w * 0.44, w * 0.92, w * 0.1, dark(wood, 0.25))
    p.poly(
        [
            (x - w * 0.5, y - w * 0.45),
            (x - w * 0.44, y - w * 0.55),
            (x + w * 0.44, y - w * 0.55),
            (x + w * 0.5, y - w * 0.45),
        ],
        wood,
    )
    book = p.tone(p.pick(*m.BRIGHTS))
    p.poly(
        [
            (x - w * 0.2, y - w * 0.47),
            (x - w * 0.17, y - w * 0.53),
            (x + w * 0.06, y - w * 0.53),
            (x + w * 0.06, y - w * 0.47),
        ],
        book,
        detail=True,
    )
    p.line([(x + w * 0.16, y - w * 0.48), (x + w * 0.3, y - w * 0.52)], p.tone("#f2b03f"), 0.6)


@place(
    "library",
    "in the library",
    "in a library",
    "among bookshelves",
    "between tall shelves of books",
    empty="a library",
    weathers=INDOORS,
    ground=(0.85, 0.95),
)
def library(p: Painter) -> None:
    p.horizon = y = p.between(70, 74)
    wall = p.tone(p.pick("#6f5a4a", "#5f6f68", "#8a6f55", "#7f6a72"))
    p.wash(0, y, dark(wall, 0.1), wall)
    wood = p.tone(p.pick("#7a4f30", "#8f5f3a", "#6a4535"))
    m.boards(p, y, p.tone(p.pick("#a8744a", "#8f6040", "#b5845a")))
    arched = p.chance(0.6)
    gap = p.between(38, 62)
    _window(p, gap - 9, 12, 18, 36, curtains=not arched)
    for a, b in ((-3, gap - 14), (gap + 14, 103)):
        n = max(1, round((b - a) / 18))
        for k in range(n):
            _bookcase(p, a + (b - a) * k / n, y + 2, (b - a) / n, y - 1, 5, wood)
    x = gap + 14 + p.between(8, 16)
    if x < 94:
        rail = p.tone("#c99a62")
        for dx in (0, 5):
            p.line([(x + dx, 12), (x + dx - 3, y + 3)], rail, 1.1)
        for k in range(8):
            t = k / 8
            p.line([(x - 3 * t, 14 + (y - 12) * t), (x + 5 - 3 * t, 14 + (y - 12) * t)], rail, 0.8)
    _rug(p, 50, 91, 34, 6)
    side = p.sign()
    _pendant(p, gap, 3)
    p.layer("a reading table", 88)
    tx, top = 50 + side * p.between(42, 46), p.tone("#9a6a40")
    for dx in (-12, 10):
        p.rect(tx + dx, 78, 2.4, 11.6, dark(top, 0.2))
    p.rect(tx - 16, 75.4, 32, 3.2, top, r=0.6, shade=dark(top, 0.2))
    for k in range(p.count(2, 4)):
        c = p.tone(p.pick(*m.BRIGHTS))
        p.rect(tx - 12 + p.between(-1, 1), 73 - 2.4 * k, p.between(9, 12), 2.4, c, r=0.4)
    green = p.glowing("#7fdca0", "#3f8f62")
    _lamps_on(p, tx + 8, 70, 30)
    p.rect(tx + 7.4, 68, 1.2, 7.4, p.tone("#d9b04a"))
    p.poly([(tx + 2.4, 69), (tx + 4.4, 64.6), (tx + 11.6, 64.6), (tx + 13.6, 69)], green)
    if p.chance(0.6):
        p.layer("a pile of books", 103)
        x = 50 - side * p.between(38, 43)
        for k in range(p.count(4, 6)):
            c, w = p.tone(p.pick(*m.BRIGHTS, "#7a4f35")), p.between(13, 17)
            p.rect(x - w / 2 + p.between(-1.5, 1.5), 99 - 3.4 * k, w, 3.4, c, r=0.5, shade=dark(c, 0.15))


@place(
    "shop",
    "in a shop",
    "in the toy shop",
    "in a toy shop",
    "between shelves full of toys",
    empty="a toy shop",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def shop(p: Painter) -> None:
    p.horizon = y = p.between(70, 73)
    _walls(p, y, pattern=p.chance(0.5))
    m.tiles(p, y, p.tone("#f6ecd8"), p.tone(p.pick("#e6a08a", "#a8c9d9", "#d9c06a", "#b5a8d0")))
    side = p.sign()
    _window(p, 50 - side * 32 - 11, 16, 22, 32, curtains=False)
    wood = p.tone(p.pick("#c99a62", "#b5824f", "#f0e6d6"))
    a, b = (36.0, 100.0) if side > 0 else (0.0, 64.0)
    for sy in (28.0, 45.0, 62.0):
        p.rect(a, sy, b - a, 2, wood, shade=dark(wood, 0.15))
        x = a + 4
        while x < b - 5:
            x += _toy(p, x, sy) + p.between(1, 2.6)
    for x in (a, (a + b) / 2, b - 1.6):
        p.rect(x, 14, 1.6, y - 12, dark(wood, 0.1))
    n = 9
    for k in range(n):
        p.poly(
            [
                (100 * k / n, -1),
                (100 * (k + 1) / n, -1),
                (100 * (k + 1) / n, 5),
                (100 * (k + 0.5) / n, 8.4),
                (100 * k / n, 5),
            ],
            p.tone(m.BRIGHTS[k % 3]) if k % 2 else p.tone("#fff8ec"),
        )
    _pendant(p, 50 - side * 6, 9)
    p.layer("a shop counter", 88)
    x, c = 50 + side * p.between(44, 48), p.tone(p.pick(*_CLOTH))
    p.rect(x - 18, 73, 36, 16.4, c, shade=dark(c, 0.2))
    for k in range(4):
        p.rect(x - 16 + 8.4 * k, 75.6, 6.8, 11.6, pale(c, 0.16), r=0.6)
    p.rect(x - 19.4, 70.6, 38.8, 3, wood, r=0.6)
    till = p.tone("#8f6a4a")
    p.poly([(x - 6, 70.6), (x - 4.6, 64), (x + 4.6, 64), (x + 6, 70.6)], till, shade=dark(till, 0.2))
    p.rect(x - 4, 60.4, 8, 4, p.tone("#d9b04a"), r=0.6)
    for q in range(6):
        p.oval(x - 3 + 3 * (q % 3), 66 + 2 * (q // 3), 0.6, 0.6, p.tone("#fff8ec"), detail=True)
    if p.chance(0.6):
        p.layer("a big ball", 103)
        bx, r = 50 - side * p.between(38, 43), 8.0
        for k, q in enumerate((1.0, 0.78, 0.5, 0.2)):
            p.oval(bx, 95, r * q, r, p.tone(m.BRIGHTS[(k * 2) % 8]), detail=k > 0)


@motif
def _toy(p: Painter, x: float, y: float) -> float:
    """A toy on a shelf from `x` on; returns its width."""
    kind, c, c2 = (
        p.pick("bear", "ball", "boxes", "car", "rocket", "doll", "drum"),
        p.tone(p.pick(*m.BRIGHTS)),
        p.tone(p.pick(*m.BRIGHTS)),
    )
    if kind == "bear":
        fur = p.tone(p.pick("#b5824f", "#8f6442", "#e0c094"))
        for dx in (1.5, 5.5):
            p.oval(x + dx, y - 9.6, 1.3, 1.3, fur)
        p.oval(x + 3.5, y - 3, 3.2, 3.2, fur)
        p.oval(x + 3.5, y - 8, 2.7, 2.5, fur)
        p.oval(x + 3.5, y - 7.3, 1.2, 0.9, pale(fur, 0.5), detail=True)
        for dx in (2.5, 4.5):
            p.oval(x + dx, y - 8.5, 0.35, 0.35, rgb("#2a2222"), detail=True)
        return 7.0
    if kind == "ball":
        p.oval(x + 3.4, y - 3.4, 3.4, 3.4, c)
        p.oval(x + 3.4, y - 3.4, 1.5, 3.4, c2, detail=True)
        return 6.8
    if kind == "boxes":
        p.rect(x, y - 5, 6, 5, c, shade=dark(c, 0.15))
        p.rect(x + 2.4, y - 5, 1.2, 5, c2, detail=True)
        p.rect(x + 1, y - 9, 4.4, 4, c2)
        return 6.2
    if kind == "car":
        p.rect(x, y - 4.4, 9, 3, c, r=1)
        p.rect(x + 2, y - 6.6, 4.6, 2.6, pale(c, 0.3), r=0.8)
        for dx in (2, 7):
            p.oval(x + dx, y - 1.3, 1.3, 1.3, p.tone("#3f434c"))
        return 9.0
    if kind == "rocket":
        p.poly([(x + 0.4, y), (x + 1.6, y - 3.4), (x + 3.4, y - 3.4), (x + 4.6, y)], c2)
        p.poly(
            [(x + 1, y - 1.4), (x + 0.9, y - 7), (x + 2.5, y - 11), (x + 4.1, y - 7), (x + 4, y - 1.4)], c, smooth=False
        )
        p.oval(x + 2.5, y - 6.4, 0.9, 0.9, pale(c, 0.7), detail=True)
        return 5.0
    if kind == "doll":
        p.poly([(x, y), (x + 2, y - 6), (x + 3.6, y - 6), (x + 5.6, y)], c)
        p.oval(x + 2.8, y - 7.8, 2, 2, p.tone(p.pick("#f6d0a8", "#a8704a", "#e0b088")))
        p.poly(
            [(x + 0.8, y - 7.6), (x + 1.2, y - 10), (x + 4.4, y - 10), (x + 4.8, y - 7.6), (x + 2.8, y - 9)],
            p.tone(p.pick("#6b4a35", "#e6c06a", "#c9603a")),
            detail=True,
        )
        return 5.8
    p.rect(x, y - 5, 7, 5, c)
    p.rect(x - 0.2, y - 5.6, 7.4, 1.1, p.tone("#fff8ec"), detail=True)
    p.line([(x + 0.6, y - 4.4), (x + 3.5, y - 0.8), (x + 6.4, y - 4.4)], c2, 0.5)
    return 7.2


@place(
    "cafe",
    "in a café",
    "in the café",
    "at a café table",
    "in a cosy café",
    empty="a café",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def cafe(p: Painter) -> None:
    p.horizon = y = p.between(69, 73)
    brick = p.chance(0.5)
    wall = _walls(p, y, pattern=not brick)
    if brick:
        d = "".join(
            f"M{x + 4 * (r % 2):.1f} {3 * r + 1}h5.4v2h-5.4z"
            for r in range(int(y / 3))
            for x in np.arange(-4, 101, 8)
            if p.chance(0.35)
        )
        p.areas(d, dark(wall, 0.1))
    floor = p.pick("boards", "tiles")
    if floor == "boards":
        m.boards(p, y, p.tone(p.pick(*_FLOORS)))
    else:
        m.tiles(p, y, p.tone("#f4ead6"), p.tone("#5f5a5f"))
    side = p.sign()
    _window(p, 50 + side * 24 - 17, 18, 34, 34, curtains=False)
    n, cloth = 7, p.tone(p.pick(*_CLOTH))
    for k in range(n):
        x0 = 50 + side * 24 - 19 + 38 * k / n
        c = cloth if k % 2 else p.tone("#fff8ec")
        p.poly([(x0, 14), (x0 + 38 / n, 14), (x0 + 38 / n, 19), (x0 + 19 / n, 21.6), (x0, 19)], c)
    bx, board = 50 - side * 22, p.tone("#3f4a45")
    p.rect(bx - 15, 9, 30, 15, p.tone("#a8764a"))
    p.rect(bx - 13.8, 10.2, 27.6, 12.6, board, detail=True)
    for k in range(4):
        p.line([(bx - 11, 13 + 2.6 * k), (bx - 11 + p.between(8, 14), 13 + 2.6 * k)], p.tone("#f4f0e0"), 0.5)
    p.oval(bx + 8, 16, 3, 2.2, p.tone("#f4f0e0"), detail=True)
    wood = p.tone(p.pick("#a8764a", "#8f5f3a", "#c99a62"))
    for sy in (34.0, 44.0):
        p.rect(bx - 16, sy, 32, 1.6, wood)
        for k in range(8):
            c = p.tone(p.pick(*m.BRIGHTS, "#fff8ec"))
            p.rect(bx - 14.6 + 3.8 * k, sy - 3.6, 2.8, 3.6, c, r=0.6)
    p.rect(bx - 24, y - 16, 48, 18.4, wood, shade=dark(wood, 0.2))
    p.rect(bx - 26, y - 18.4, 52, 3, pale(wood, 0.2))
    p.rect(bx - 4, y - 15, 24, 9, p.tone("#dff0f2"), r=0.6)
    for k in range(6):
        c = p.tone(p.pick("#f1c9b8", "#8f5a3a", "#f6e0a8", "#ef9fb0"))
        p.blob(bx - 1 + 3.8 * k, y - 8, 1.8, 1.8, c, lobes=6, floor=y - 6.6)
    metal = p.tone("#b9c0c6")
    p.rect(bx - 20, y - 27, 11, 8.6, metal, r=1.2, shade=dark(metal, 0.2))
    p.rect(bx - 18.6, y - 25, 8, 2.4, p.tone("#4a4a55"), r=0.6)
    p.mist(bx - 14, y - 31, 3, 4, p.tone("#ffffff"), 0.7)
    for x in (bx - 10, bx + 12):
        _pendant(p, x, 3)
    _bistro(p, 50 + side * 14, y + 11, 15)
    p.layer("a café table", 89)
    _bistro(p, 50 + side * p.between(39, 43), 91, 24)
    if p.chance(0.6):
        p.layer("a plant", 103)
        _plant(p, 50 - side * p.between(41, 45), 103, p.between(24, 30))


@motif
def _bistro(p: Painter, x: float, y: float, w: float) -> None:
    iron, top = p.tone("#4a4a55"), p.tone(p.pick("#f6efe0", "#d98f7a", "#8fb8b0"))
    p.rect(x - w * 0.03, y - w * 0.62, w * 0.06, w * 0.6, iron)
    p.oval(x, y - w * 0.02, w * 0.22, w * 0.045, iron)
    p.oval(x, y - w * 0.64, w * 0.5, w * 0.11, dark(top, 0.2))
    p.oval(x, y - w * 0.67, w * 0.5, w * 0.11, top)
    for dx in (-0.2, 0.18):
        c = p.tone(p.pick(*m.BRIGHTS, "#ffffff"))
        p.rect(x + dx * w - w * 0.06, y - w * 0.82, w * 0.12, w * 0.13, c, r=w * 0.03, shade=dark(c, 0.15))
    p.mist(x - w * 0.2, y - w * 0.92, w * 0.06, w * 0.1, p.tone("#ffffff"), 0.7)


@place(
    "laboratory",
    "in a laboratory",
    "in the laboratory",
    "among bubbling flasks",
    "in a mad scientist's laboratory",
    empty="a laboratory",
    weathers=INDOORS,
    times=("",),
    ground=(0.86, 0.95),
)
def laboratory(p: Painter) -> None:
    p.horizon = y = p.between(69, 73)
    wall = p.tone(p.pick("#8fb0b8", "#a8b0c9", "#8fa89a", "#b5a8c4", "#7f97a8"))
    p.wash(0, y, dark(wall, 0.2), wall)
    grid = "".join(f"M{x:.1f} 0V{y:.1f}" for x in np.arange(0, 101, 16)) + "".join(
        f"M0 {v:.1f}H100" for v in np.arange(12, y, 14)
    )
    p.strokes(grid, dark(wall, 0.16), 0.4)
    m.tiles(p, y, p.tone("#e6ecee"), p.tone(p.pick("#a8b8c4", "#b0c4b4", "#b8aec9")))
    side = p.sign()
    mx, metal = 50 - side * 28, p.tone("#8f97a5")
    p.rect(mx - 17, 20, 34, y - 17, metal, r=1.6, shade=dark(metal, 0.2))
    p.rect(mx - 13, 25, 26, 16, p.tone("#22343c"), r=1.4)
    wave = [
        (mx - 12 + k, 33 + 5 * math.sin(k / p.between(1.4, 2.2)) * math.exp(-(((k - 12) / 8) ** 2)))
        for k in np.linspace(0, 24, 40)
    ]
    p.line(wave, rgb(p.pick("#7fffb0", "#7fe6ff", "#ffd27f")), 0.8)
    for k in range(12):
        c = rgb(p.pick("#ff6a5a", "#ffd24a", "#6ae08a", "#6ab8ff"))
        p.oval(mx - 12 + 4.8 * (k % 6), 46 + 4.4 * (k // 6), 1.2, 1.2, c)
    for k in range(2):
        dx = mx - 7 + 14 * k
        p.oval(dx, 59, 4, 4, p.tone("#f6f3e6"))
        a = p.between(-2.6, -0.6)
        p.line([(dx, 59), (dx + 3 * math.cos(a), 59 + 3 * math.sin(a))], rgb("#d9453f"), 0.6)
    sx = 50 + side * 22
    wood = p.tone("#c9b08a")
    for sy in (24.0, 38.0):
        p.rect(sx - 25, sy, 50, 1.6, wood)
        x = sx - 22.0
        while x < sx + 20:
            x += _flask(p, x, sy, p.between(6, 9)) + 1.4
    p.rect(sx - 27, y - 15, 54, 3, p.tone("#f0f3f4"))
    p.rect(sx - 25, y - 12, 50, 14, dark(wall, 0.3))
    for k in range(4):
        p.rect(sx - 23.6 + 12.2 * k, y - 10.4, 10.6, 10.6, dark(wall, 0.18), r=0.5)
    x = sx - 23.0
    while x < sx + 20:
        x += _flask(p, x, y - 15, p.between(9, 14)) + p.between(1, 4)
    pipe = p.tone("#c98f5a")
    p.line([(mx + 17 * side, 30), (50, 30), (50, 8), (sx + side * 20, 8), (sx + side * 20, -2)], pipe, 2)
    p.layer("a tank", 89)
    tx, c = 50 + side * p.between(36, 40), rgb(p.pick("#7fe6b0", "#7fd0ff", "#d09fff"))
    p.glow(tx, 66, 22, c, 0.5)
    p.rect(tx - 8, 48, 16, 36, mix(c, "#ffffff", 0.15), r=3, shade=mix(c, "#204060", 0.3))
    for _ in range(9):
        r = p.between(0.5, 1.2)
        p.oval(tx + p.between(-6, 6), p.between(52, 82), r, r, mix(c, "#ffffff", 0.6), detail=True)
    for ty in (45, 83):
        p.rect(tx - 9.6, ty, 19.2, 6.4, metal, r=1.2, shade=dark(metal, 0.25))
    if p.chance(0.6):
        p.layer("a barrel", 103)
        bx, yellow = 50 - side * p.between(38, 43), p.tone("#e6c04a")
        p.rect(bx - 7, 86, 14, 16, yellow, r=1.6, shade=dark(yellow, 0.2))
        for by in (89, 98):
            p.rect(bx - 7.4, by, 14.8, 1.3, dark(yellow, 0.3), detail=True)


@motif
def _flask(p: Painter, x: float, y: float, h: float) -> float:
    """A vessel on `y` from `x` on; returns its width."""
    c, glass = rgb(p.pick("#6ae08a", "#ff7a9a", "#6ab8ff", "#ffc24a", "#c08aff", "#5fe0d0")), p.tone("#e6f3f6")
    kind = p.pick("cone", "round", "tube")
    if kind == "cone":
        w = h * 0.8
        p.poly(
            [
                (x + w * 0.38, y - h),
                (x + w * 0.62, y - h),
                (x + w * 0.62, y - h * 0.6),
                (x + w, y),
                (x, y),
                (x + w * 0.38, y - h * 0.6),
            ],
            glass,
        )
        p.poly(
            [
                (x + w * 0.22, y - h * 0.36),
                (x + w * 0.78, y - h * 0.36),
                (x + w * 0.96, y - 0.3),
                (x + w * 0.04, y - 0.3),
            ],
            c,
            detail=True,
        )
    elif kind == "round":
        w = h * 0.74
        p.rect(x + w * 0.38, y - h, w * 0.24, h * 0.5, glass)
        p.oval(x + w / 2, y - w / 2, w / 2, w / 2, glass)
        turn = np.linspace(0, math.pi, 9)
        p.poly(
            [(x + w / 2 + w * 0.46 * math.cos(a), y - w * 0.5 + w * 0.46 * math.sin(a)) for a in turn], c, detail=True
        )
    else:
        w = h * 0.3
        p.rect(x, y - h, w, h, glass, r=w / 2)
        p.rect(x + 0.2, y - h * 0.6, w - 0.4, h * 0.58, c, r=w / 2, detail=True)
    for k in range(2):
        r = h * 0.035
        p.oval(x + w * p.between(0.35, 0.65), y - h * (0.12 + 0.1 * k), r, r, pale(c, 0.6), detail=True)
    return w


@place(
    "palace",
    "in a throne room",
    "in the palace",
    "before the throne",
    "in a grand hall",
    empty="a throne room",
    weathers=INDOORS,
    times=("day", "sunset", "night"),
    ground=(0.85, 0.95),
)
def palace(p: Painter) -> None:
    p.horizon = y = p.between(68, 72)
    stone = p.tone(p.pick("#d9cdbf", "#c4bccb", "#e0d3b5", "#bfc9d3"))
    p.wash(0, y, dark(stone, 0.2), stone)
    m.tiles(p, y, p.tone("#efe6d6"), p.tone(p.pick("#b08a8f", "#8f9fb5", "#c9b27a", "#9a8fb0")))
    red = p.tone(p.pick("#b02f3f", "#5f3f9a", "#2f5f9f", "#2f7a5f"))
    gold = p.tone("#e6bd55")
    for x in (22.0, 78.0):
        w = 13.0
        turn = np.linspace(math.pi, 2 * math.pi, 9)
        for grow, top, low in ((1.6, pale(stone, 0.3), pale(stone, 0.3)), (0.0, p.sky_top, p.haze)):
            r = w / 2 + grow
            p.poly(
                [
                    *((x + r * math.cos(a), 22 + r * 1.2 * math.sin(a)) for a in turn),
                    (x + r, 52 + grow),
                    (x - r, 52 + grow),
                ],
                top,
                shade=low,
            )
        if p.night:
            with p.lighting():
                for _ in range(6):
                    p.oval(x + p.between(-5, 5), p.between(18, 46), 0.3, 0.3, rgb("#ffffff"), detail=True)
        for dx in (-w / 6, w / 6):
            p.line([(x + dx, 15), (x + dx, 52)], dark(stone, 0.2), 0.5)
        p.line([(x - w / 2, 36), (x + w / 2, 36)], dark(stone, 0.2), 0.5)
        if not p.night:
            light = rgb("#fffbe0" if p.time == "day" else "#ffa860")
            with p.lighting():
                p.veil([(x - 6, 20), (x + 6, 20), (x + 22, 101), (x - 4, 101)], light, light, 0.2, 0.04)
    for x in (3.0, 38.0, 62.0, 97.0):
        p.rect(x - 3, 6, 6, y - 3, pale(stone, 0.15), shade=dark(stone, 0.1))
        for dx in (-1.2, 1.2):
            p.line([(x + dx, 10), (x + dx, y)], dark(stone, 0.12), 0.4)
        p.rect(x - 4.6, 4, 9.2, 4, pale(stone, 0.3), r=0.6)
        p.rect(x - 4.6, y - 1, 9.2, 4, pale(stone, 0.3), r=0.6)
    for x in (38.0, 62.0):
        p.poly([(x - 4, 13), (x + 4, 13), (x + 4, 34), (x, 30), (x - 4, 34)], red, shade=dark(red, 0.2))
        p.oval(x, 21, 2, 2, gold)
    p.poly([(42, y + 1), (58, y + 1), (76, 102), (24, 102)], red, shade=dark(red, 0.15), detail=True)
    for a, b in ((42, 24), (58, 76)):
        p.line([(a, y + 1), (b, 102)], gold, 0.9)
    for k, w in enumerate((18, 14)):
        p.rect(50 - w, y + 1 - 3.4 * k, 2 * w, 3.4, pale(stone, 0.25 - 0.1 * k), shade=dark(stone, 0.12))
    base = y - 2.4
    p.poly(
        [(42, base), (41, base - 24), (45, base - 30), (50, base - 34), (55, base - 30), (59, base - 24), (58, base)],
        gold,
        shade=dark(gold, 0.3),
    )
    p.poly(
        [(44.4, base - 2), (44, base - 22), (50, base - 29), (56, base - 22), (55.6, base - 2)],
        red,
        shade=dark(red, 0.2),
    )
    p.rect(43, base - 10, 14, 4, pale(red, 0.15), r=1)
    for s in (-1, 1):
        p.rect(50 + s * 8 - 1.6, base - 14, 3.2, 14, gold, r=1)
        p.oval(50 + s * 8, base - 14, 2, 2, pale(gold, 0.3))
    p.oval(50, base - 34, 1.8, 1.8, rgb("#e0405f"))
    cx = 50.0
    p.line([(cx, -2), (cx, 6)], gold, 0.6)
    p.oval(cx, 9, 13, 2.2, gold)
    for k in range(7):
        dx = -12 + 4 * k
        p.rect(cx + dx - 0.5, 4.6, 1, 3.6, p.tone("#fff8ec"), detail=True)
        if p.night or p.time == "sunset":
            with p.lighting():
                p.glow(cx + dx, 3.6, 5, rgb("#ffdf8a"), 0.8)
        p.oval(cx + dx, 3.8, 0.55, 1, rgb("#ffcf5a"), detail=True)
    _lamps_on(p, cx, 8, 60)
    side = p.sign()
    p.layer("a column", 89)
    x = 50 + side * p.between(42, 45)
    p.rect(x - 5, -2, 10, 92, pale(stone, 0.1), shade=dark(stone, 0.15))
    for dx in (-2.4, 0, 2.4):
        p.line([(x + dx, -2), (x + dx, 86)], dark(stone, 0.16), 0.5)
    p.rect(x - 7, 84, 14, 6, pale(stone, 0.3), r=0.8, shade=dark(stone, 0.1))
    if p.chance(0.6):
        p.layer("a suit of armour", 88)
        x = 50 - side * p.between(39, 43)
        steel = p.tone("#aab4c0")
        for dx in (-3, 0.6):
            p.rect(x + dx, 74, 2.6, 14, steel, r=0.8, shade=dark(steel, 0.25))
        p.poly(
            [(x - 5, 58), (x + 5, 58), (x + 4, 70), (x + 5, 75), (x - 5, 75), (x - 4, 70)],
            steel,
            shade=dark(steel, 0.2),
        )
        for s in (-1, 1):
            p.rect(x + s * 6 - 1.4, 59, 2.8, 13, steel, r=1.2, shade=dark(steel, 0.25))
        p.oval(x, 54, 3.4, 4, steel, shade=dark(steel, 0.2))
        p.rect(x - 2.4, 53, 4.8, 0.9, rgb("#2a2a33"), detail=True)
        p.poly([(x, 50), (x + 2, 44), (x + 6, 46), (x + 2, 49)], red, smooth=True)


@place(
    "stage",
    "on a stage",
    "on the stage",
    "in a theatre",
    "in the spotlight",
    empty="a stage",
    weathers=INDOORS,
    times=("",),
    ground=(0.84, 0.93),
)
def stage(p: Painter) -> None:
    back = p.pick("#3a3568", "#5a3048", "#24506a", "#2f4a55", "#4a3a60")
    cloth = p.tone(p.pick("#b5303c", "#93305f", "#2f62a8", "#2f7d5c", "#7a3a9a"))
    p.horizon = 72
    p.wash(0, 73, dark(back, 0.3), rgb(back))
    kind = p.pick("moon", "hills", "stars", "city")
    gold = p.tone("#e9c35f")
    if kind == "moon":
        p.oval(p.between(35, 65), 30, 12, 12, pale(back, 0.65))
    if kind in ("stars", "moon"):
        for _ in range(14):
            m.star(p, p.between(20, 80), p.between(14, 56), p.between(0.8, 1.9), gold, detail=True)
    if kind == "hills":
        for k, y in enumerate((50, 58, 66)):
            p.ridge(y, 9, pale(back, 0.38 - 0.14 * k), waves=2 + k, floor=73)
    if kind == "city":
        for x in p.spread(9, 14, 86):
            h = p.between(16, 40)
            p.rect(x - 4, 73 - h, 8, h, pale(back, p.between(0.12, 0.3)))
    light = rgb("#fff3c4")
    for x in p.spread(2, 22, 78):
        p.veil([(x - 2, -2), (x + 2, -2), (x + 24, 92), (x - 24, 92)], light, light, 0.42, 0.06)
    wood = p.tone(p.pick("#b57f48", "#a06f4c", "#c5955f"))
    p.wash(72, 101, dark(wood, 0.2), wood)
    for x in np.linspace(-60, 160, 19):
        p.line([(50 + (x - 50) * 0.62, 72), (x, 101)], dark(wood, 0.26), 0.35)
    p.mist(50, 87, 40, 11, light, 0.55)
    for side in (-1, 1):
        for k in range(5):
            c = mix(cloth, dark(cloth, 0.35), (k % 2) * 0.8)
            edge = 50 + side * 52
            a, b = edge - side * 4.2 * k, edge - side * 4.2 * (k + 1)
            p.poly([(a, -2), (b, -2), (b - side * 1.2 * math.sin(k), 40), (b, 77), (a, 77)], c, shade=dark(c, 0.2))
    n = 8
    for k in range(n):
        x = 100 * (k + 0.5) / n
        turn = np.linspace(0, math.pi, 9)
        c = mix(cloth, dark(cloth, 0.3), (k % 2) * 0.5)
        p.poly(
            [(x - 7, -2), *((x - 7.4 * math.cos(a), 3 + 8 * math.sin(a)) for a in turn), (x + 7, -2)],
            c,
            shade=dark(c, 0.2),
        )
        p.line([(x - 7.4 * math.cos(a), 3.6 + 8 * math.sin(a)) for a in turn], gold, 0.8, smooth=True)
    p.layer("a stage light", 97)
    p.rect(-2, 96, 104, 8, dark(wood, 0.35))
    p.rect(-2, 95.4, 104, 1.4, gold)
    for x in np.linspace(10, 90, 6):
        p.glow(x, 94.5, 7, light, 0.7)
        turn = np.linspace(math.pi, 2 * math.pi, 7)
        p.poly([(x + 3.4 * math.cos(a), 97 + 3.6 * math.sin(a)) for a in turn], p.tone("#c9a24a"))
    if p.chance(0.6):
        p.layer("a wooden box", 88)
        x = p.sign() * p.between(35, 40) + 50
        c = p.tone(p.pick(*m.BRIGHTS))
        p.rect(x - 7, 76, 14, 13, c, r=0.6, shade=dark(c, 0.2))
        m.star(p, x, 82.5, 4, gold)
