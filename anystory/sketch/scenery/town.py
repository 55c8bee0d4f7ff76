"""Places that people built, out of doors."""

from __future__ import annotations

import math

import numpy as np

from anystory.sketch.scenery import motifs as m
from anystory.sketch.scenery.colour import Colour, dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, motif
from anystory.sketch.scenery.place import place


def _green(p: Painter) -> str:
    return p.pick("#7cc04f", "#6fb55f", "#93c25a", "#84b85a")


def _stone(p: Painter) -> str:
    return p.pick("#b9b0a6", "#a9a6aa", "#c4b49c", "#b3a8b0")


@place(
    "street",
    "on a street",
    "on a city street",
    "in a street",
    "in town",
    "in front of colourful houses",
    empty="a street",
    ground=(0.86, 0.94),
)
def street(p: Painter) -> None:
    m.sky(p, 46)
    for x in p.spread(6, -4, 104):
        w = p.between(12, 18)
        m.townhouse(p, x - w / 2, 62, w, p.between(34, 44), 0.5)
    x, shop = -p.between(0, 8), p.count(0, 1)
    while x < 102:
        w = p.between(16, 23)
        m.townhouse(p, x, 72, w, p.between(32, 48), 0.03, shop=shop % 2 == 0)
        x, shop = x + w, shop + 1
    walk = p.ground(p.pick("#cfc6b8", "#c4c0c4", "#d6c4a8"))
    p.rect(-2, 71.5, 104, 9, walk, shade=dark(walk, 0.06))
    for x in range(-4, 104, 9):
        p.line([(50 + (x - 50) * 0.95, 72), (x, 80)], dark(walk, 0.14), 0.3)
    p.rect(-2, 80, 104, 2, dark(walk, 0.2))
    road = p.ground(p.pick("#7f828c", "#8a8784", "#75798a"))
    p.rect(-2, 82, 104, 22, road, shade=dark(road, 0.1))
    for x in np.arange(-6 + p.between(0, 8), 104, 20):
        p.poly([(x, 92), (x + 10, 92), (x + 10.6, 93.8), (x + 0.2, 93.8)], p.ground("#f4efe0"))
    m.puddles(p, 84, 97)
    for x in p.spread(p.count(1, 2), 6, 94):
        if p.chance(0.5):
            m.lamp(p, x, 80, p.between(26, 32))
        else:
            m.tree(p, x, 80, p.between(22, 30), p.tone(p.pick(*m.GREENS)), 0, "round")
    if p.chance(0.5):
        m.car(p, p.between(15, 85), 84.8, p.between(24, 30))
    side = p.sign()
    if p.chance(0.5):
        p.layer("a letter box", 86)
        x, red = 50 + side * p.between(38, 44), p.tone(p.pick("#d9453f", "#3f6fb5", "#e6b03a"))
        p.rect(x - 3.4, 70, 6.8, 16, red, r=2.5, shade=dark(red, 0.2))
        p.rect(x - 2.2, 74, 4.4, 1, dark(red, 0.5), detail=True)
        p.rect(x - 2, 77, 4, 3, p.tone("#fff8ec"), detail=True)
    else:
        p.layer("a flower tub", 86)
        x, clay = 50 + side * p.between(36, 43), p.tone("#b5694a")
        m.bush(p, x, 80, 8, p.tone(p.pick(*m.GREENS)))
        p.poly([(x - 7, 79), (x + 7, 79), (x + 5.5, 87), (x - 5.5, 87)], clay, shade=dark(clay, 0.2))
    m.weather(p, 62)


@place(
    "city",
    "in the big city",
    "among skyscrapers",
    "downtown",
    "in front of tall towers",
    "in a busy city",
    empty="a big city",
    ground=(0.86, 0.95),
)
def city(p: Painter) -> None:
    m.sky(p, 58, clouds=0.8)
    for far, n, low, high, base in ((0.6, 13, 20, 42, 64), (0.36, 9, 26, 52, 68), (0.12, 6, 22, 50, 74)):
        for x in p.spread(n, -4, 104, 0.8):
            w = p.between(8, 13) if far < 0.5 else p.between(5, 9)
            m.skyscraper(
                p, x - w / 2, base, w, p.between(low, high) * (1 if abs(x - 50) > 14 or far > 0.3 else 0.7), far
            )
    green = p.ground("#6fae5a")
    p.ridge(74, 1, green, waves=1)
    for x in p.spread(p.count(5, 8), 0, 100):
        m.tree(p, x, 77, p.between(10, 15), p.tone(p.pick(*m.GREENS)), 0, "round")
    walk = p.ground(p.pick("#cfc6b8", "#c9c9cf"))
    p.rect(-2, 76.5, 104, 4, walk)
    road = p.ground("#787c88")
    p.rect(-2, 80, 104, 24, road, shade=dark(road, 0.12))
    kind = p.pick("zebra", "lane")
    if kind == "zebra":
        cx = p.between(35, 65)
        for k in range(-4, 5):
            x = cx + 5 * k
            p.poly(
                [(x - 1.5, 81), (x + 1.5, 81), (x + 2 + k * 1.2, 101), (x - 2.4 + k * 1.2, 101)],
                p.ground("#f0ede4"),
                detail=True,
            )
    else:
        for x in range(-6, 104, 18):
            p.rect(x, 89.5, 10, 1.5, p.ground("#f4e6b0"))
    for x in p.spread(p.count(1, 3), 8, 92):
        m.car(p, x, p.between(83, 85), p.between(14, 18))
    m.puddles(p, 84, 97)
    side = p.sign()
    x = 50 + side * p.between(40, 45)
    p.layer("a traffic light", 88)
    iron = p.tone("#3f4550")
    p.rect(x - 0.8, 52, 1.6, 37, iron)
    p.rect(x - 3, 40, 6, 15, iron, r=1.5)
    on = p.count(0, 2)
    for k, c in enumerate(("#ff5a4a", "#ffd24a", "#5ae07a")):
        p.oval(x, 42.8 + 4.6 * k, 1.6, 1.6, rgb(c) if k == on else dark(c, 0.65), detail=True)
    if p.chance(0.6):
        p.layer("a hydrant", 104)
        hx, red = 50 - side * p.between(36, 44), p.tone(p.pick("#d9453f", "#e6b03a"))
        p.rect(hx - 3, 86, 6, 15, red, r=2.5, shade=dark(red, 0.2))
        p.rect(hx - 5, 91, 10, 3.4, dark(red, 0.1), r=1.4)
        p.rect(hx - 4, 99, 8, 3, dark(red, 0.2), r=1)
    m.weather(p, 66)


@place(
    "village",
    "in a village",
    "in the village",
    "in front of small houses",
    "in a little village",
    empty="a village",
    ground=(0.82, 0.95),
)
def village(p: Painter) -> None:
    horizon = p.between(46, 54)
    m.sky(p, horizon)
    hill = p.pick("#86b86a", "#7aa86f", "#9bb85f")
    p.ridge(horizon - 1, 14, p.ground(hill, 0.5), waves=p.between(1, 2), far=0.5)
    edge = p.ridge(horizon + 5, 7, p.ground(_green(p), 0.3), waves=p.between(1, 2), far=0.3)
    for x in p.spread(p.count(4, 6)):
        if p.chance(0.4):
            m.tree(p, x, edge(x) + 2, p.between(9, 13), p.tone(p.pick(*m.GREENS), 0.25), 0.25)
        m.house(p, x + 4, edge(x) + 3, p.between(7, 10), p.between(4, 6), 0.25)
    if p.chance(0.6):
        x, y = p.between(20, 80), horizon + 7
        wall = p.tone("#f4ead6", 0.15)
        p.rect(x - 3, y - 20, 6, 20, wall, shade=dark(wall, 0.1), far=0.15)
        roof = p.tone("#8a4b3a", 0.15)
        p.poly([(x - 4, y - 19.5), (x, y - 33), (x + 4, y - 19.5)], roof, far=0.15)
        p.oval(x, y - 14.5, 1.6, 1.6, p.glowing("#ffe69a", "#fffaf0"))
    green = _green(p)
    p.ridge(horizon + 14, 4, p.ground(green, 0.05), shade=p.ground(mix(green, "#3d8038", 0.4)), waves=1.4)
    xs = p.spread(3, 2, 98, 0.3)
    for x in xs:
        y = horizon + p.between(20, 24)
        m.house(p, x, y, p.between(19, 25), p.between(10, 13))
        if p.chance(0.6):
            m.bush(p, x + p.sign() * 12, y + 1, p.between(2.5, 4), p.tone(p.pick(*m.GREENS)))
    path = p.ground(p.pick("#dcc59a", "#cfc0a8"))
    cx = p.between(42, 58)
    p.poly(
        [
            (xs[1] - 2, horizon + 23),
            (xs[1] + 3, horizon + 23),
            (cx + 10, 82),
            (cx + 26, 102),
            (cx - 26, 102),
            (cx - 8, 82),
        ],
        path,
        shade=dark(path, 0.1),
        smooth=False,
        detail=True,
    )
    m.puddles(p, 82, 97)
    m.tufts(p, 80, 98, 14, p.ground(mix(green, "#2a6b2c", 0.4)))
    m.flowers(p, 80, 98, p.count(5, 14))
    side = p.sign()
    kind = p.pick("well", "fence", "bush")
    if kind == "well":
        _well(p, 50 + side * p.between(34, 40), 86)
    elif kind == "fence":
        gap = (-9, 78) if side > 0 else (22, 109)
        m.fence(p, 88, 11, p.tone(p.pick("#ffffff", "#c9a07a")), depth=87, gap=gap)
    else:
        p.layer("a bush", 86)
        m.bush(p, 50 + side * p.between(36, 44), 87, p.between(9, 12), p.tone(p.pick(*m.GREENS)))
    m.weather(p, horizon)


@motif
def _well(p: Painter, x: float, y: float) -> None:
    p.layer("a well", y)
    stone, wood = p.tone("#a8a29a"), p.tone("#8f6442")
    for dx in (-6, 5):
        p.rect(x + dx, y - 20, 1.3, 14, wood)
    roof = p.ground(p.pick(*m.ROOFS))
    p.poly([(x - 10, y - 18), (x, y - 26), (x + 10, y - 18)], roof, shade=dark(roof, 0.2))
    p.rect(x - 6, y - 16, 12, 1, dark(wood, 0.2))
    p.line([(x, y - 16), (x, y - 10)], p.tone("#e6d3a8"), 0.4)
    p.rect(x - 8, y - 9, 16, 9.6, stone, r=1, shade=dark(stone, 0.2))
    for r in range(3):
        for k in range(4):
            bx = x - 7.4 + 4 * k + (1.6 if r % 2 else 0)
            p.rect(bx, y - 8 + 3 * r, 3, 2.2, mix(stone, pale(stone, 0.3), p.between(0, 1)), r=0.7, detail=True)


@place(
    "park", "in the park", "in a park", "in a city park", "on a path in the park", empty="a park", ground=(0.84, 0.95)
)
def park(p: Painter) -> None:
    horizon = p.between(50, 56)
    m.sky(p, horizon)
    if p.chance(0.5):
        for x in p.spread(8, -4, 104):
            w = p.between(5, 9)
            m.skyscraper(p, x - w / 2, horizon + 4, w, p.between(10, 24), 0.62)
    greens = m.AUTUMN if p.chance(0.25) else (*m.GREENS, "#e88fa8")
    for x in p.spread(12, -4, 104):
        p.blob(x, horizon + 3, 7, p.between(6, 9), p.tone(p.pick(*greens), 0.4), lobes=8, far=0.4)
    green = _green(p)
    p.ridge(horizon + 7, 3, p.ground(green, 0.1), shade=p.ground(green))
    pond = p.chance(0.45)
    if pond:
        x, tint = p.between(25, 75), p.tone("#5fb0cc")
        p.oval(x, horizon + 13, 22, 4, p.ground(mix(green, "#4a7038", 0.5)))
        p.oval(x, horizon + 13.3, 20, 3.3, tint, shade=pale(tint, 0.2))
        m.glints(p, horizon + 12, horizon + 15, 4, pale(tint, 0.4))
    for x in p.spread(p.count(3, 5), 2, 98):
        m.tree(
            p,
            x,
            p.between(horizon + 11, horizon + 16),
            p.between(30, 44),
            p.tone(p.pick(*greens), 0.06),
            0.06,
            p.pick("round", "wide", "round", "birch"),
        )
    p.ridge(76, 2, p.ground(green), shade=p.ground(mix(green, "#3d8038", 0.4)))
    path = p.ground(p.pick("#e6d3a8", "#d6c8b0", "#dcc0a0"))
    y = p.between(83, 86)
    xs = np.linspace(-4, 104, 15)
    bend = 1.6 * np.sin(xs / p.between(14, 26) + p.between(0, 6))
    p.poly(
        [*zip(xs, y + bend, strict=True), *zip(xs[::-1], (y + 10 + 0.6 * bend)[::-1], strict=True)],
        path,
        shade=dark(path, 0.08),
        smooth=False,
    )
    m.puddles(p, 85, 93)
    bx = p.between(20, 80)
    m.bench(p, bx, y + 0.5, p.between(19, 23))
    m.lamp(p, bx + p.sign() * p.between(16, 22), y, p.between(30, 38))
    m.flowers(p, 94.5, 99, 12)
    side = p.sign()
    p.layer("a bush", 87)
    m.bush(p, 50 + side * p.between(38, 46), 88, p.between(9, 13), p.tone(p.pick(*m.GREENS)))
    m.grass_front(p, p.ground(mix(green, "#2a6b2c", 0.4)), height=7)
    m.weather(p, horizon)


@place(
    "playground",
    "on a playground",
    "on the playground",
    "at the playground",
    "between the slide and the swings",
    empty="a playground",
    ground=(0.84, 0.95),
)
def playground(p: Painter) -> None:
    horizon = p.between(48, 56)
    m.sky(p, horizon)
    for x in p.spread(11, -4, 104):
        p.blob(x, horizon + 3, 7.5, p.between(6, 10), p.tone(p.pick(*m.GREENS), 0.34), lobes=8, far=0.34)
    green = _green(p)
    p.ridge(horizon + 8, 2, p.ground(green, 0.05), shade=p.ground(mix(green, "#3d8038", 0.35)))
    m.fence(p, horizon + 13, 6, p.tone(p.pick("#ffffff", "#e6c08a", "#a9c9d9")))
    sand = p.ground("#eed9a6")
    p.poly(
        [(-4, 86), (8, 76), (40, 73.5), (70, 74), (94, 77), (104, 84), (104, 104), (-4, 104)],
        sand,
        shade=dark(sand, 0.08),
        smooth=True,
    )
    side = p.sign()
    _slide(p, 50 - side * p.between(20, 27), p.between(79, 81), side)
    _swings(p, 50 + side * p.between(18, 26), p.between(79, 82))
    if p.chance(0.5):
        x, y = 50 + side * p.between(-4, 4), 77
        plank = p.tone(p.pick(*m.BRIGHTS))
        tilt = 2.2 * p.sign()
        p.poly([(x - 1.5, y), (x, y - 4), (x + 1.5, y)], p.tone("#7f8790"))
        p.poly(
            [(x - 11, y - 4 - tilt), (x + 11, y - 4 + tilt), (x + 11, y - 2.8 + tilt), (x - 11, y - 2.8 - tilt)], plank
        )
    for _ in range(p.count(2, 4)):
        x, y, r = p.between(6, 94), p.between(80, 84), p.between(1.5, 2.4)
        ball = p.tone(p.pick(*m.BRIGHTS))
        p.oval(x, y - r, r, r, ball, shade=dark(ball, 0.2))
        p.oval(x - r * 0.3, y - r * 1.3, r * 0.3, r * 0.3, pale(ball, 0.6), detail=True)
    m.puddles(p, 84, 97)
    p.layer("a sandbox", 88)
    x, wood = 50 + side * p.between(40, 44), p.tone(p.pick("#c9935a", "#d9604a", "#4a90c9"))
    p.rect(x - 14, 85, 28, 4.5, wood, shade=dark(wood, 0.2))
    p.poly([(x - 6, 85), (x - 4.6, 80.5), (x - 0.6, 80.5), (x + 0.8, 85)], p.tone(p.pick(*m.BRIGHTS)))
    p.poly([(x + 3, 85), (x + 7, 79.5), (x + 11, 85)], dark(sand, 0.12))
    if p.chance(0.6):
        p.layer("a bush", 103)
        m.bush(p, 50 - side * p.between(40, 48), 102, p.between(9, 13), p.tone(p.pick(*m.GREENS)))
    m.weather(p, horizon)


@motif
def _slide(p: Painter, x: float, y: float, way: int) -> None:
    colour, frame = p.tone(p.pick(*m.BRIGHTS)), p.tone(p.pick(*m.BRIGHTS))
    for dx in (-12, -7):
        p.rect(x + way * dx - 0.6, y - 26, 1.2, 26, frame)
    for k in range(6):
        p.rect(x + way * -9.5 - 2.8, y - 4 - 4 * k, 5.6, 0.9, frame, detail=True)
    p.rect(x + way * -9.5 - 3.6, y - 24, 7.2, 1.6, dark(frame, 0.2))
    roof = p.tone(p.pick(*m.BRIGHTS))
    p.poly([(x + way * -9.5 - 5, y - 33), (x + way * -9.5, y - 39), (x + way * -9.5 + 5, y - 33)], roof)
    for dx in (-12.4, -6.8):
        p.rect(x + way * dx - 0.4, y - 33, 0.8, 9, frame)
    slope = [(-7, -25), (0, -18), (7, -8), (12, -2.4), (17, -1.8), (17, 0), (11, -0.4), (5, -6), (-2, -16), (-7, -22)]
    p.poly([(x + way * a, y + b) for a, b in slope], colour, shade=dark(colour, 0.15), smooth=False)
    p.line([(x + way * a, y + b) for a, b in slope[:5]], pale(colour, 0.35), 0.8, smooth=True)


@motif
def _swings(p: Painter, x: float, y: float) -> None:
    frame, w, h = p.tone(p.pick(*m.BRIGHTS)), 15.0, 30.0
    for side in (-1, 1):
        p.line([(x + side * w, y - h), (x + side * (w + 4), y)], frame, 1.3)
        p.line([(x + side * w, y - h), (x + side * (w - 4), y - 1.5)], dark(frame, 0.2), 1.1)
    p.line([(x - w, y - h), (x + w, y - h)], frame, 1.5)
    for cx in (-6.5, 6.5):
        lean = p.between(-2.5, 2.5)
        for dx in (-2, 2):
            p.line([(x + cx + dx, y - h), (x + cx + dx + lean, y - 9)], p.tone("#5f646c"), 0.4)
        p.rect(x + cx - 3 + lean, y - 9.4, 6, 1.3, p.tone(p.pick("#e0503f", "#4a90d9", "#8f6442")))


@place(
    "market",
    "at the market",
    "at a market",
    "among the market stalls",
    "on the market square",
    empty="a market",
    ground=(0.85, 0.95),
)
def market(p: Painter) -> None:
    m.sky(p, 40)
    x = -p.between(0, 8)
    while x < 102:
        w = p.between(13, 18)
        m.townhouse(p, x, 62, w, p.between(26, 38), 0.34)
        x += w
    pave = p.ground(_stone(p))
    p.ridge(62, 0.5, mix(pave, p.haze, 0.15), shade=pave)
    stones = []
    for r in range(9):
        y = 64 + 38 * (r / 9) ** 1.4
        for k in p.spread(int(18 - r), 0, 100):
            w = 1.2 + 0.35 * r
            stones.append(f"M{k - w:.1f} {y:.1f}q{w:.1f} {-w * 0.5:.1f} {2 * w:.1f} 0")
    p.strokes("".join(stones), dark(pave, 0.2), 0.35)
    rope = [(-3, 26), (25, 32), (50, 27), (75, 32), (103, 26)]
    p.line(rope, p.tone("#8a6a4a"), 0.4, smooth=True)
    for k in range(18):
        t = (k + 0.5) / 18 * 100
        y = float(np.interp(t, [a for a, _ in rope], [b + 0.6 for _, b in rope]))
        p.poly([(t - 1.6, y), (t + 1.6, y), (t, y + 3.6)], p.tone(p.pick(*m.BRIGHTS)), detail=True)
    for x in p.spread(3, -2, 102, 0.25):
        _stall(p, x, p.between(77, 80), p.between(27, 31))
    m.puddles(p, 86, 97)
    side = p.sign()
    p.layer("a market stall", 88)
    _counter(p, 50 + side * p.between(41, 45), 89, 30, 12)
    if p.chance(0.6):
        p.layer("a basket", 103)
        _basket(p, 50 - side * p.between(36, 44), 102, p.between(8, 11))
    m.weather(p, 60)


_FRUIT = ("#e4504f", "#f2a03f", "#f7d24a", "#7fb548", "#8f5fb0", "#d9753a")


@motif
def _stall(p: Painter, x: float, y: float, w: float) -> None:
    wood = p.tone("#a8764a")
    back = p.tone("#6b4f45", 0.1)
    p.rect(x - w * 0.44, y - w * 0.72, w * 0.88, w * 0.5, back, detail=True)
    for dx in (-0.46, 0.43):
        p.rect(x + dx * w, y - w * 0.9, w * 0.035, w * 0.9, wood)
    if p.night:
        with p.lighting():
            p.glow(x, y - w * 0.6, w * 0.5, rgb("#ffd98a"), 0.7)
    _counter(p, x, y, w, w * 0.3)
    m.awning(p, x - w * 0.54, y - w * 1.02, w * 1.08, w * 0.3, p.tone(p.pick(*m.BRIGHTS)))


@motif
def _counter(p: Painter, x: float, y: float, w: float, h: float) -> None:
    """A table of fruit in boxes."""
    wood = p.tone(p.pick("#b5824f", "#a8704a", "#c29a62"))
    n = max(3, round(w / 7))
    for k in range(n):
        colour, x0, part = p.pick(*_FRUIT), x - w / 2 + w * k / n, w / n
        for row in range(2):
            for c in range(4 - row):
                fx = x0 + part * (c + 0.5 + 0.5 * row) / 4
                p.oval(
                    fx,
                    y - h - part * (0.06 + 0.14 * row),
                    part * 0.14,
                    part * 0.14,
                    p.tone(colour, vary=0.03),
                    detail=part < 8,
                )
        p.rect(x0 + 0.2, y - h, part - 0.4, h * 0.28, pale(wood, 0.2))
    cloth = p.tone(p.pick("#fff3d8", *m.BRIGHTS))
    p.rect(x - w / 2, y - h * 0.72, w, h * 0.72, cloth, shade=dark(cloth, 0.16))
    for k in range(1, n * 2):
        p.line(
            [(x - w / 2 + w * k / n / 2, y - h * 0.7), (x - w / 2 + w * k / n / 2, y - 0.3)], dark(cloth, 0.12), 0.35
        )


@motif
def _basket(p: Painter, x: float, y: float, w: float) -> None:
    straw = p.tone("#c9935a")
    for _ in range(9):
        p.oval(
            x + p.between(-0.75, 0.75) * w,
            y - w * p.between(0.85, 1.1),
            w * 0.2,
            w * 0.2,
            p.tone(p.pick(*_FRUIT), vary=0.03),
        )
    p.poly(
        [(x - w, y - w * 0.85), (x + w, y - w * 0.85), (x + w * 0.75, y), (x - w * 0.75, y)],
        straw,
        shade=dark(straw, 0.2),
    )
    for k in (0.2, 0.42, 0.64):
        p.line([(x - w * (0.75 + 0.25 * k), y - w * k), (x + w * (0.75 + 0.25 * k), y - w * k)], dark(straw, 0.25), 0.5)


@place(
    "camp",
    "at a camp site",
    "at the camp",
    "by a camp fire",
    "next to a tent",
    empty="a camp site",
    ground=(0.83, 0.95),
)
def camp(p: Painter) -> None:
    horizon = p.between(50, 58)
    m.sky(p, horizon)
    p.range(horizon + 2, 24, p.tone(p.pick("#7f8fa8", "#8a8fa0"), 0.52), peaks=p.count(3, 5), far=0.52)
    for far, y, n, h in ((0.4, horizon + 2, 16, 20), (0.18, horizon + 7, 10, 30)):
        p.ridge(y - 1, 3, p.ground("#4f8f5f", far), far=far)
        for x in p.spread(n, -4, 104, 0.9):
            if far > 0.3 or abs(x - 50) > 12:
                m.pine(p, x, y + 1, h * p.between(0.7, 1.15), p.tone(p.pick("#2f7a55", "#3f7f4a", "#2f6f62"), far), far)
    green = _green(p)
    p.ridge(horizon + 11, 3, p.ground(green, 0.05), shade=p.ground(mix(green, "#3d7038", 0.5)), waves=1.3)
    side = p.sign()
    _tent(p, 50 - side * p.between(18, 25), p.between(78, 80), p.between(17, 21))
    if p.chance(0.5):
        _tent(p, 50 + side * p.between(24, 30), p.between(74, 76), p.between(12, 14))
    fx, fy = 50 + side * p.between(8, 16), p.between(80, 83)
    _fire(p, fx, fy, p.between(7, 9))
    for _ in range(3):
        m.rock(p, p.between(4, 96), p.between(76, 82), p.between(1.5, 3), p.tone("#9a9aa0"))
    m.tufts(p, 80, 98, 18, p.ground(mix(green, "#2a6b2c", 0.4)))
    m.puddles(p, 86, 97)
    p.layer("a log", 89)
    x, wood = 50 + side * p.between(40, 44), p.tone("#8f6442")
    p.rect(x - 13, 82, 26, 7, wood, r=3, shade=dark(wood, 0.25))
    p.oval(x - 12.4, 85.5, 2.3, 3.5, p.tone("#e0c094"))
    p.oval(x - 12.4, 85.5, 1.2, 1.9, p.tone("#c9a06a"))
    for y in (84, 86):
        p.line([(x - 8, y), (x + 10, y + 0.4)], dark(wood, 0.25), 0.4)
    p.layer("a pine tree", 103)
    m.pine(p, 50 - side * p.between(44, 49), 104, p.between(70, 84), p.tone("#2f6f52"))
    m.weather(p, horizon)


@motif
def _tent(p: Painter, x: float, y: float, w: float) -> None:
    colour = p.tone(p.pick("#e0703f", "#4a90c9", "#e0b03f", "#5aa86a", "#c9506f"))
    h = w * 1.05
    lean = p.sign() * w * 0.5
    p.poly(
        [(x, y - h), (x + lean * 1.2, y - h * 0.92), (x + lean * 2.9, y - 0.5), (x + lean * 1.8, y)], dark(colour, 0.25)
    )
    p.poly([(x - w, y), (x, y - h), (x + w, y)], colour, shade=dark(colour, 0.12))
    inside = rgb("#ffd98a") if p.night else p.tone("#5f4a45")
    p.poly([(x - w * 0.32, y), (x, y - h * 0.82), (x + w * 0.32, y)], inside)
    p.poly([(x - w * 0.32, y), (x, y - h * 0.82), (x - w * 0.55, y - h * 0.1)], pale(colour, 0.25))
    p.line([(x, y - h), (x, y - h - 2)], p.tone("#6b4a35"), 0.6)
    for side in (-1, 1):
        p.line([(x + side * w * 0.5, y - h * 0.5), (x + side * w * 1.2, y + 0.5)], p.tone("#f0e6d2"), 0.3)


@motif
def _fire(p: Painter, x: float, y: float, s: float) -> None:
    with p.lighting():
        p.glow(x, y - s * 0.5, s * (4.5 if p.night else 2.6), rgb("#ffae4a"), 0.85 if p.night else 0.5)
    for k in range(7):
        a = math.pi * k / 6
        m.rock(p, x - s * 0.95 * math.cos(a), y + s * 0.24 * math.sin(a), s * 0.2, p.tone("#8f8a88"))
    wood = p.tone("#7a4f2f")
    for side in (-1, 1):
        p.line([(x - side * s * 0.75, y + s * 0.1), (x + side * s * 0.5, y - s * 0.3)], wood, s * 0.2)
    for colour, k in (("#f2602a", 1.0), ("#ffab3a", 0.7), ("#ffe88a", 0.4)):
        w, h = s * 0.5 * k, s * 1.5 * k
        p.poly(
            [
                (x - w, y - h * 0.2),
                (x - w * 0.9, y - h * 0.5),
                (x - w * 0.25, y - h * 0.62),
                (x + w * 0.1, y - h),
                (x + w * 0.5, y - h * 0.6),
                (x + w * 1.05, y - h * 0.45),
                (x + w * 0.8, y - h * 0.1),
                (x, y),
            ],
            rgb(colour),
            smooth=True,
            detail=k < 1,
        )


@place(
    "castle",
    "in front of a castle",
    "at the castle",
    "near a castle",
    "outside the castle walls",
    empty="a castle",
    ground=(0.83, 0.95),
)
def castle(p: Painter) -> None:
    horizon = p.between(54, 60)
    m.sky(p, horizon)
    green = _green(p)
    p.range(horizon + 1, 18, p.tone("#8a97b0", 0.55), peaks=4, far=0.55)
    p.ridge(horizon - 1, 9, p.ground(green, 0.45), waves=1.5, far=0.45)
    stone = p.tone(p.pick("#bdb5ba", "#dccdb2", "#aaa6bc", "#ccb4aa", "#d4c4c8"), 0.06)
    roof = p.tone(p.pick("#5a5fa8", "#b5483a", "#3f7a8a", "#8a4f8f", "#4f6f9f"), 0.04)
    cx, base, s = p.between(38, 62), horizon + 12, p.between(0.9, 1.12)
    for dx, w, h in ((-12, 9, 44), (13, 10, 38), (1, 12, 52)):
        m.tower(p, cx + dx * s, base - 8, w * s, (h - 8) * s * p.between(0.85, 1), stone, roof, 0.08)
    wall = [(cx - 29 * s, base), (cx - 29 * s, base - 18 * s), (cx + 29 * s, base - 18 * s), (cx + 29 * s, base)]
    p.poly(wall, stone, shade=dark(stone, 0.1))
    for x in np.arange(cx - 29 * s, cx + 28 * s, 4.4 * s):
        p.rect(x, base - 20.6 * s, 2.5 * s, 3 * s, stone)
    for _ in range(16):
        bx, by = cx + p.between(-26, 24) * s, base - p.between(2, 16) * s
        p.rect(bx, by, 2.6, 1.1, dark(stone, 0.08), r=0.3, detail=True)
    for dx, h in ((-29, 27), (29, 25)):
        m.tower(p, cx + dx * s, base + 0.5, 10 * s, h * s, stone, roof)
    gate, g = p.tone("#6b4a35"), 6 * s
    turn = np.linspace(math.pi, 2 * math.pi, 9)
    p.poly(
        [
            (cx + g * 1.25, base),
            *((cx - g * 1.25 * math.cos(a) * -1, base - 8 * s + g * 1.25 * math.sin(a)) for a in turn),
            (cx + g * 1.25, base),
        ],
        dark(stone, 0.22),
    )
    p.poly(
        [(cx - g, base), *((cx + g * math.cos(a), base - 8 * s + g * math.sin(a)) for a in turn), (cx + g, base)],
        gate,
        shade=dark(gate, 0.3),
    )
    for k in range(-2, 3):
        p.line([(cx + k * g * 0.36, base), (cx + k * g * 0.36, base - 11 * s)], dark(gate, 0.4), 0.4)
    for dx in (-17, 17):
        m.pane(p, cx + dx * s - 1.2, base - 13 * s, 2.4, 4.4)
    p.ridge(base + 1, 2, p.ground(green), shade=p.ground(mix(green, "#3d7038", 0.5)))
    if p.chance(0.5):
        moat = p.tone("#5aa0c0")
        p.poly([(-4, base + 4), (104, base + 3), (104, base + 8), (-4, base + 9.5)], moat, shade=dark(moat, 0.15))
        m.glints(p, base + 4.5, base + 8, 8, pale(moat, 0.35))
        wood = p.tone("#8f6442")
        p.poly([(cx - g, base), (cx + g, base), (cx + g * 1.7, base + 11), (cx - g * 1.7, base + 11)], wood)
        for k in range(1, 6):
            t = k / 6
            p.line(
                [(cx - g * (1 + 0.7 * t), base + 11 * t), (cx + g * (1 + 0.7 * t), base + 11 * t)],
                dark(wood, 0.25),
                0.35,
            )
    path = p.ground("#dcc59a")
    p.poly(
        [(cx - g * 1.3, base + 10.5), (cx + g * 1.3, base + 10.5), (cx + 22, 102), (cx - 22, 102)],
        path,
        shade=dark(path, 0.1),
        detail=True,
    )
    m.flowers(p, 82, 98, p.count(4, 12))
    m.tufts(p, 80, 98, 12, p.ground(mix(green, "#2a6b2c", 0.4)))
    m.puddles(p, 84, 97)
    side = p.sign()
    p.layer("a bush", 87)
    m.bush(p, 50 + side * p.between(37, 45), 88, p.between(9, 12), p.tone(p.pick(*m.GREENS)))
    m.weather(p, horizon)


@place("farm", "on a farm", "at the farm", "in front of a barn", "in the farmyard", empty="a farm", ground=(0.83, 0.95))
def farm(p: Painter) -> None:
    horizon = p.between(48, 56)
    m.sky(p, horizon)
    for k, far in enumerate((0.5, 0.3)):
        colour = p.ground(p.pick("#d9c04f", "#9bbf4f", "#c9a84a", "#7db356"), far)
        edge = p.ridge(horizon + 5 * k, 8, colour, waves=1.3, far=far)
        for x in p.spread(9):
            p.line([(x, edge(x) + 1), (x + (x - 50) * 0.3, edge(x) + 10)], dark(colour, 0.1), 0.5)
    side = p.sign()
    x, y, w, h = 50 - side * p.between(12, 24), horizon + 19, p.between(30, 36), p.between(15, 19)
    red = p.tone(p.pick("#b5382f", "#a84a3a", "#8f3f3a", "#c25a3f"))
    if p.chance(0.7):
        sx, silo = x + side * w * 0.62, p.tone("#c9ced6", 0.05)
        p.rect(sx - 4.5, y - h * 1.75, 9, h * 1.75, silo, shade=dark(silo, 0.15))
        cap = p.ground("#8f9aa8")
        p.poly(
            [
                (sx - 4.5, y - h * 1.74),
                (sx - 3, y - h * 2.05),
                (sx, y - h * 2.15),
                (sx + 3, y - h * 2.05),
                (sx + 4.5, y - h * 1.74),
            ],
            cap,
            smooth=True,
        )
        for k in (0.4, 0.8, 1.2, 1.55):
            p.line([(sx - 4.5, y - h * k), (sx + 4.5, y - h * k)], dark(silo, 0.15), 0.35)
    front = [
        (x - w / 2, y),
        (x - w / 2, y - h),
        (x - w * 0.33, y - h * 1.45),
        (x, y - h * 1.75),
        (x + w * 0.33, y - h * 1.45),
        (x + w / 2, y - h),
        (x + w / 2, y),
    ]
    with p.showing("barn"):
        p.poly(front, red, shade=dark(red, 0.12))
        for k in range(1, 9):
            p.line([(x - w / 2 + w * k / 9, y), (x - w / 2 + w * k / 9, y - h)], dark(red, 0.15), 0.3)
        roof = p.ground("#6f5450")
        p.poly(
            [
                (x - w * 0.55, y - h * 0.96),
                (x - w * 0.36, y - h * 1.5),
                (x, y - h * 1.84),
                (x + w * 0.36, y - h * 1.5),
                (x + w * 0.55, y - h * 0.96),
                (x + w * 0.5, y - h * 0.92),
                (x + w * 0.32, y - h * 1.4),
                (x, y - h * 1.7),
                (x - w * 0.32, y - h * 1.4),
                (x - w * 0.5, y - h * 0.92),
            ],
            roof,
        )
        white = p.tone("#f8f0de")
        p.rect(x - w * 0.2, y - h * 0.8, w * 0.4, h * 0.8, white)
        p.rect(x - w * 0.18, y - h * 0.75, w * 0.36, h * 0.75, dark(red, 0.3))
        for a, b in ((-1, 1), (1, -1)):
            p.line([(x + a * w * 0.17, y - h * 0.74), (x + b * w * 0.17, y - 0.4)], white, 0.7)
        p.rect(x - w * 0.09, y - h * 1.3, w * 0.18, h * 0.26, p.glowing("#ffe08a", "#5a3a34"))
    green = p.pick("#7db356", "#93b85a", "#8aa84a")
    p.ridge(horizon + 19, 2, p.ground(green), shade=p.ground(mix(green, "#4d7038", 0.45)))
    for k in range(p.count(1, 3)):
        bx, by, r = 50 + side * p.between(8, 36), horizon + 22 + 2 * k, p.between(3.6, 4.8)
        hay = p.ground("#e6c25a")
        p.rect(bx, by - 2 * r, r * 1.6, 2 * r, dark(hay, 0.12), r=r * 0.4)
        p.oval(bx, by - r, r, r, hay)
        for q in (0.65, 0.32):
            p.oval(bx, by - r, r * q, r * q, mix(hay, dark(hay, 0.25), q), detail=True)
    if p.chance(0.6):
        m.tree(
            p, 50 + side * p.between(34, 44), horizon + 22, p.between(24, 32), p.tone(p.pick(*m.GREENS)), 0.02, "round"
        )
    path = p.ground("#d9bd86")
    p.poly(
        [(x - 4, y + 0.8), (x + 4, y + 0.8), (x + 22 + side * 6, 102), (x - 18 + side * 6, 102)],
        path,
        shade=dark(path, 0.1),
        detail=True,
    )
    m.tufts(p, 80, 98, 16, p.ground(mix(green, "#2a6b2c", 0.4)))
    m.puddles(p, 84, 97)
    p.layer("a fence", 87)
    rail = p.tone(p.pick("#f4ecd8", "#b5895a"))
    a, b = (76, 102) if side > 0 else (-2, 24)
    for k in (78.5, 83):
        p.rect(a, k, b - a, 1.7, dark(rail, 0.08))
    for fx in range(a, b, 9):
        p.rect(fx, 76, 2.1, 12.5, rail, shade=dark(rail, 0.15))
    m.grass_front(p, p.ground(mix(green, "#2a6b2c", 0.4)), height=8)
    m.weather(p, horizon)


@place(
    "station",
    "at the railway station",
    "on the platform",
    "at the train station",
    "beside a train",
    empty="a railway station",
    ground=(0.86, 0.95),
)
def station(p: Painter) -> None:
    horizon = p.between(42, 48)
    m.sky(p, horizon)
    hill = p.pick("#86b86a", "#7aa86f")
    edge = p.ridge(horizon + 2, 10, p.ground(hill, 0.45), waves=1.6, far=0.45)
    for x in p.spread(7):
        m.tree(p, x, edge(x) + 2, p.between(8, 13), p.tone(p.pick(*m.GREENS), 0.35), 0.35, "round")
    gravel = p.ground("#a8a098")
    p.rect(-2, 66, 104, 12, gravel, shade=dark(gravel, 0.15))
    _train(p, 72.5)
    for x in range(-2, 104, 5):
        p.rect(x, 73.6, 2.6, 2, p.ground("#6f5a4a"), detail=True)
    p.rect(-2, 73, 104, 0.9, p.tone("#8f949c"))
    walk = p.ground(p.pick("#cfc4b4", "#c4c0c4", "#d0b8a0"))
    p.rect(-2, 76.5, 104, 3, dark(walk, 0.25))
    p.rect(-2, 79, 104, 25, walk, shade=dark(walk, 0.08))
    p.rect(-2, 80.6, 104, 1.3, p.ground("#f2d24a"))
    for k in range(3):
        p.line([(-2, 86 + 5.5 * k), (102, 86 + 5.5 * k)], dark(walk, 0.12), 0.35)
    m.puddles(p, 84, 97)
    side = p.sign()
    roof, iron = p.ground(p.pick("#b5483a", "#3f6f6a", "#5d6b7d")), p.tone("#3f5560")
    p.layer("", 79.5)
    for x in (50 - side * 40, 50 + side * 6):
        p.rect(x - 0.9, 16, 1.8, 66, iron)
        for way in (-1, 1):
            p.line([(x, 24), (x + way * 6, 17)], iron, 0.9)
    a, b = (-4, 64) if side > 0 else (36, 104)
    p.rect(a, 11, b - a, 6.5, roof, shade=dark(roof, 0.2))
    for x in range(a, b - 2, 4):
        p.poly([(x, 17.5), (x + 4, 17.5), (x + 2, 20.4)], p.tone("#fff3d8"), detail=True)
    cx = 50 - side * 16
    p.line([(cx, 18), (cx, 23)], iron, 0.7)
    p.oval(cx, 28, 5.4, 5.4, iron)
    p.oval(cx, 28, 4.4, 4.4, p.glowing("#fff6d8", "#fffaf0"))
    for ang, r in ((p.between(0, 6.3), 3.6), (p.between(0, 6.3), 2.5)):
        p.line([(cx, 28), (cx + r * math.cos(ang), 28 + r * math.sin(ang))], rgb("#2a2a33"), 0.6)
    p.layer("a bench", 86)
    m.bench(p, 50 - side * p.between(37, 41), 87, p.between(20, 24))
    if p.chance(0.7):
        p.layer("a suitcase", 102)
        x, case = 50 + side * p.between(36, 43), p.tone(p.pick("#8f5a35", "#c9503f", "#3f7f8f", "#d9a03f"))
        p.rect(x - 3, 87, 6, 3, dark(case, 0.35), r=1.4)
        p.rect(x - 8, 89, 16, 12, case, r=1.6, shade=dark(case, 0.2))
        for dx in (-5, 4):
            p.rect(x + dx, 89, 1.3, 12, dark(case, 0.3), detail=True)
    m.weather(p, horizon + 8)


@motif
def _train(p: Painter, y: float) -> None:
    colour, cream = p.tone(p.pick("#c9453f", "#3f7f5f", "#3f6fa8", "#d98f3a")), p.tone("#fbf2dc")
    way, x = p.sign(), p.between(-14, 2)
    steam = p.chance(0.55)
    for k in range(5):
        left = x + 26 * k
        if steam and k == (4 if way > 0 else 0):
            _engine(p, left + 12, y, way, colour)
            continue
        p.rect(left, y - 20, 24.6, 17, colour, r=1.6, shade=dark(colour, 0.16))
        p.rect(left, y - 16.5, 24.6, 7, cream, detail=True)
        for w in range(4):
            m.pane(p, left + 1.6 + 5.8 * w, y - 15.8, 4.2, 5.4, lit=0.9)
        p.rect(left - 0.4, y - 21, 25.4, 1.8, p.ground("#6f747c"), r=0.8)
        for w in (5, 19.5):
            p.oval(left + w, y - 1.8, 2.3, 2.3, p.tone("#3f434c"))
            p.oval(left + w, y - 1.8, 0.9, 0.9, p.tone("#9a9fa8"), detail=True)


@motif
def _engine(p: Painter, x: float, y: float, way: int, colour: Colour) -> None:
    iron = p.tone("#3f434c")

    def at(dx: float) -> float:
        return x + way * dx

    def box(dx: float, top: float, w: float, h: float, c: Colour, r: float = 0.0) -> None:
        p.rect(at(dx) if way > 0 else at(dx) - w, y - top, w, h, c, r=r, shade=dark(c, 0.2))

    box(-12, 23, 9, 19, colour)
    m.pane(p, min(at(-10.5), at(-5.5)), y - 20.5, 5, 5, lit=0.9)
    box(-13, 24.4, 11, 1.8, iron, 0.6)
    box(-4, 15, 17, 11, iron, 2.5)
    for dx in (1, 6.5):
        box(dx, 15.2, 1.2, 11.2, p.tone("#d9b04a"))
    box(8, 21, 3, 7, iron)
    box(7, 22.4, 5, 2, p.tone("#d9b04a"))
    for k in range(4):
        p.mist(at(9.5 - 4 * k), y - 25 - 4 * k, 5 + 2.2 * k, 4 + k, p.tone("#ffffff"), 0.85)
    p.poly([(at(11), y - 4), (at(16), y), (at(11), y)], colour)
    box(-13, 4.4, 25, 1.8, colour)
    for dx, r in ((-8, 3.4), (0, 2.6), (7, 2.6)):
        p.oval(at(dx), y - r + 0.5, r, r, iron)
        p.oval(at(dx), y - r + 0.5, r * 0.55, r * 0.55, colour, detail=True)


@place(
    "bridge",
    "on a bridge",
    "on an old stone bridge",
    "on a bridge over the river",
    empty="a bridge",
    ground=(0.84, 0.95),
)
def bridge(p: Painter) -> None:
    horizon = p.between(40, 46)
    m.sky(p, horizon)
    hill = p.pick("#86b86a", "#6fae7a", "#8f9fb0")
    p.ridge(horizon - 2, 10, p.ground(hill, 0.5), waves=1.6, far=0.5)
    for side in (-1, 1):
        for k in range(4):
            w = p.between(8, 12)
            x = 50 + side * (24 + 9.5 * k)
            m.townhouse(p, x - w / 2, horizon + 9 + 1.4 * k, w, p.between(13, 20) + 2 * k, 0.3 - 0.06 * k)
    m.water(p, horizon + 7, 84, p.pick("#4f9fc0", "#4fa8a8", "#4a88b8"), far=0.2)
    for side in (-1, 1):
        bank = p.ground("#8ab85a", 0.08)
        p.poly(
            [(50 + side * 20, horizon + 7), (50 + side * 54, horizon + 9), (50 + side * 54, 84), (50 + side * 40, 84)],
            bank,
            shade=dark(bank, 0.15),
        )
    for _ in range(p.count(1, 2)):
        m.rowboat(p, p.between(38, 62), p.between(horizon + 14, 72), p.between(4, 6), p.tone(p.pick(*m.BRIGHTS)))
    stone = p.tone(_stone(p))
    top = 74.0
    p.rect(-2, top, 104, 8.5, stone, shade=dark(stone, 0.14))
    p.rect(-2, top - 2, 104, 2.6, pale(stone, 0.2))
    for r in range(2):
        for x in np.arange(-4 + 4 * r, 104, 8.6):
            p.rect(x, top + 1.2 + 3.6 * r, 7.8, 3, mix(stone, dark(stone, 0.2), p.between(0, 0.8)), r=0.6, detail=True)
    deck = p.ground(p.pick("#c9b8a0", "#bdb5ad"))
    p.rect(-2, 82, 104, 22, deck, shade=pale(deck, 0.12))
    stones = []
    for r in range(6):
        y = 84.5 + 3.2 * r
        for x in p.spread(15 - r, 0, 100):
            w = 2 + 0.5 * r
            stones.append(f"M{x - w:.1f} {y:.1f}q{w:.1f} {-w * 0.4:.1f} {2 * w:.1f} 0")
    p.strokes("".join(stones), dark(deck, 0.22), 0.4)
    for x in (p.between(10, 24), p.between(76, 90)):
        p.rect(x - 3, top - 5, 6, 14, pale(stone, 0.1), shade=dark(stone, 0.12))
        m.lamp(p, x, top - 5, p.between(24, 30))
    m.puddles(p, 85, 97)
    p.layer("a parapet", 104)
    p.rect(-2, 97, 104, 8, dark(stone, 0.12), shade=dark(stone, 0.3))
    p.rect(-2, 95.6, 104, 2, stone)
    m.weather(p, horizon)


@place(
    "rooftop",
    "on a rooftop",
    "on the roof",
    "above the roofs of the city",
    "on a roof terrace",
    empty="a rooftop",
    ground=(0.84, 0.95),
)
def rooftop(p: Painter) -> None:
    horizon = p.between(54, 60)
    m.sky(p, horizon, clouds=1.4)
    for far, n, low, high, base in ((0.62, 14, 8, 24, 64), (0.4, 9, 8, 22, 70)):
        for x in p.spread(n, -4, 104, 0.8):
            w = p.between(6, 11)
            m.skyscraper(p, x - w / 2, base, w, p.between(low, high), far)
    for x in p.spread(5, -2, 102):
        w, h, y = p.between(18, 26), p.between(4, 8), p.between(72, 76)
        roof = p.ground(p.pick(*m.ROOFS), 0.16)
        p.poly(
            [(x - w / 2, y), (x - w * 0.3, y - h), (x + w * 0.3, y - h), (x + w / 2, y)],
            roof,
            shade=dark(roof, 0.15),
            far=0.15,
        )
        p.rect(x + w * 0.1, y - h - 4, 3, 5, p.tone("#a8685a", 0.15), far=0.15)
        p.rect(x - w / 2, y - 0.2, w, 12, p.tone(p.pick(*m.WALLS), 0.16), far=0.15)
        for k in (-0.25, 0.1):
            m.pane(p, x + k * w, y + 1.5, w * 0.14, 4, far=0.15)
    brick = p.tone(p.pick("#b5705a", "#a8685f", "#c08a6a"))
    p.rect(-2, 76, 104, 8, brick, shade=dark(brick, 0.15))
    for r in range(2):
        for x in range(-3 + 3 * r, 104, 6):
            p.rect(x, 77.6 + 3 * r, 5.4, 2.4, mix(brick, dark(brick, 0.25), p.between(0, 0.8)), detail=True)
    p.rect(-2, 74.6, 104, 2.2, p.ground("#d9cfc0"))
    deck = p.ground(p.pick("#b0a79a", "#a3a0a8", "#b89a80"))
    p.rect(-2, 83, 104, 21, deck, shade=pale(deck, 0.1))
    for k in range(3):
        p.line([(-2, 88 + 5 * k), (102, 88 + 5 * k)], dark(deck, 0.12), 0.4)
    side = p.sign()
    x, tank = 50 - side * p.between(26, 34), p.tone(p.pick("#a8764a", "#8f949c"))
    for dx in (-5, 0, 5):
        p.rect(x + dx - 0.5, 60, 1, 22, dark(tank, 0.35))
    p.rect(x - 7.5, 42, 15, 19, tank, shade=dark(tank, 0.2))
    for dx in (-4, 0, 4):
        p.line([(x + dx, 42), (x + dx, 61)], dark(tank, 0.18), 0.35)
    cone = p.ground("#6f5f5a")
    p.poly([(x - 8.6, 42.3), (x, 35), (x + 8.6, 42.3)], cone)
    if p.chance(0.6):
        lx = 50 + side * p.between(4, 20)
        p.line([(lx - 16, 66), (lx, 70), (lx + 16, 66)], p.tone("#4a4f57"), 0.35, smooth=True)
        for dx in np.linspace(-14, 14, 9):
            p.oval(
                lx + dx,
                70.5 - abs(dx) * 0.24,
                0.8,
                0.9,
                p.glowing("#ffe69a", p.pick("#f7d24a", "#e4504f", "#5ab56a")),
                detail=True,
            )
    m.puddles(p, 86, 97)
    p.layer("a chimney", 88)
    cx, red = 50 + side * p.between(38, 43), p.tone("#b5604a")
    p.rect(cx - 5, 66, 10, 23, red, shade=dark(red, 0.2))
    p.rect(cx - 6, 64, 12, 3, p.ground("#8f5a4a"))
    for r in range(6):
        p.line([(cx - 5, 69 + 3.4 * r), (cx + 5, 69 + 3.4 * r)], dark(red, 0.2), 0.3)
    p.layer("a plant pot", 103)
    px, clay = 50 - side * p.between(38, 44), p.tone("#c9704a")
    m.bush(p, px, 94, 8, p.tone(p.pick(*m.GREENS)))
    p.poly([(px - 6, 92), (px + 6, 92), (px + 4.6, 102), (px - 4.6, 102)], clay, shade=dark(clay, 0.2))
    m.weather(p, horizon)


@place(
    "fair",
    "at the fair",
    "at the funfair",
    "in front of a big wheel",
    "at the amusement park",
    empty="a funfair",
    ground=(0.84, 0.95),
)
def fair(p: Painter) -> None:
    horizon = 58.0
    m.sky(p, horizon)
    for x in p.spread(12, -4, 104):
        p.blob(x, horizon + 4, 8, p.between(6, 9), p.tone(p.pick(*m.GREENS), 0.4), lobes=8, far=0.4)
    ground = p.ground(p.pick("#e0cba0", "#cfc6b8", "#a8c080"))
    p.ridge(70, 1.5, mix(ground, p.haze, 0.15), shade=ground)
    side = p.sign()
    cx, cy, r = 50 + side * p.between(14, 22), p.between(36, 40), p.between(25, 29)
    iron, turn = p.tone(p.pick(*m.BRIGHTS)), p.between(0, 1)
    for dx in (-0.5, 0.5):
        p.line([(cx, cy), (cx + dx * r, 73)], dark(iron, 0.25), 1.6)
    spokes = 12
    for k in range(spokes):
        a = turn + 2 * math.pi * k / spokes
        p.line([(cx, cy), (cx + r * math.cos(a), cy + r * math.sin(a))], iron, 0.45)
    ring = [(cx + r * math.cos(a), cy + r * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 40)]
    p.line(ring, iron, 1.1, smooth=True)
    p.line([(cx + (x - cx) * 0.86, cy + (y - cy) * 0.86) for x, y in ring], iron, 0.5, smooth=True)
    for k in range(spokes):
        a = turn + 2 * math.pi * k / spokes
        x, y, c = cx + r * math.cos(a), cy + r * math.sin(a), p.tone(p.pick(*m.BRIGHTS))
        p.rect(x - 2.4, y + 0.4, 4.8, 3.6, c, r=1.3, shade=dark(c, 0.2))
        p.poly([(x - 2.6, y + 0.6), (x, y - 1.6), (x + 2.6, y + 0.6)], dark(c, 0.15))
        if p.night:
            with p.lighting():
                p.glow(x, y, 3.5, rgb("#ffe69a"), 0.9)
    p.oval(cx, cy, 2.6, 2.6, dark(iron, 0.2))
    _big_top(p, 50 - side * p.between(22, 30), 74, p.between(19, 23))
    for x in (50 + side * p.between(34, 42), 50 - side * p.between(0, 6)):
        w = 14
        p.rect(x - w / 2, 66, w, 12, p.tone(p.pick(*m.WALLS)), shade=None)
        p.rect(x - w * 0.4, 68.5, w * 0.8, 5, p.glowing("#ffe08a", "#5a4a4f"))
        m.awning(p, x - w * 0.56, 63, w * 1.12, 4.6, p.tone(p.pick(*m.BRIGHTS)))
    rope = np.linspace(-3, 103, 28)
    ys = 27 + 5 * np.abs(np.sin(rope / 17 + p.between(0, 3)))
    p.line(list(zip(rope, ys, strict=True)), p.tone("#6b5a4a"), 0.35, smooth=True)
    for x, y in zip(rope, ys, strict=True):
        colour = p.pick(*m.BRIGHTS)
        if p.night:
            with p.lighting():
                p.glow(x, y + 1, 3, rgb(colour), 0.8)
        p.oval(x, y + 1, 0.8, 1, rgb(colour) if p.night else p.tone(colour), detail=True)
    m.puddles(p, 84, 97)
    p.layer("balloons", 88)
    bx = 50 + side * p.between(38, 44)
    for dx, dy in ((-4, 0), (4, 3), (0, -6)):
        c = p.tone(p.pick(*m.BRIGHTS))
        p.line([(bx + dx, 56 + dy), (bx, 88)], p.tone("#f0e6d2"), 0.35)
        p.oval(bx + dx, 50 + dy, 4.4, 5.4, c, shade=dark(c, 0.2))
        p.oval(bx + dx - 1.4, 48 + dy, 1, 1.5, pale(c, 0.6), detail=True)
    p.layer("a fence", 104)
    rail = p.tone(p.pick("#ffffff", "#e0503f", "#4a90c9"))
    m.fence(p, 104, 9, rail)
    m.weather(p, horizon)


@motif
def _big_top(p: Painter, x: float, y: float, w: float) -> None:
    red, white = p.tone(p.pick("#d9453f", "#3f7fc9", "#c9508f", "#e0903a")), p.tone("#fff8ec")
    edges = np.linspace(-1, 1, 9)
    for k in range(8):
        a, b, c = edges[k], edges[k + 1], red if k % 2 else white
        p.poly(
            [
                (x + a * w * 0.92, y - w * 0.62),
                (x + b * w * 0.92, y - w * 0.62),
                (x + b * w * 0.9, y),
                (x + a * w * 0.9, y),
            ],
            c,
            shade=dark(c, 0.15),
            far=0.05,
        )
    for k in range(8):
        a, b, c = edges[k], edges[k + 1], red if k % 2 else white
        p.poly(
            [
                (x, y - w * 1.35),
                (x + a * w * 0.35, y - w * 1.02),
                (x + a * w * 1.08, y - w * 0.6),
                (x + b * w * 1.08, y - w * 0.6),
                (x + b * w * 0.35, y - w * 1.02),
            ],
            c,
            shade=dark(c, 0.08),
            far=0.05,
        )
    p.poly([(x - w * 0.2, y), (x, y - w * 0.58), (x + w * 0.2, y)], p.glowing("#ffd98a", "#5a3a45"))
    p.line([(x, y - w * 1.35), (x, y - w * 1.6)], p.tone("#6b4a35"), 0.5)
    p.poly([(x, y - w * 1.6), (x + w * 0.28, y - w * 1.52), (x, y - w * 1.44)], p.tone("#f7d24a"))


@place(
    "stadium",
    "in a stadium",
    "on a football pitch",
    "on the football field",
    "in front of the goal",
    empty="a football pitch",
    ground=(0.82, 0.95),
)
def stadium(p: Painter) -> None:
    horizon = p.between(34, 40)
    m.sky(p, horizon)
    stand = p.tone(p.pick("#8fa0b5", "#b0a8b8", "#a0b0b0"), 0.15)
    p.poly(
        [(-2, horizon - 6), (50, horizon - 1), (102, horizon - 6), (102, 62), (-2, 62)],
        stand,
        shade=dark(stand, 0.15),
        far=0.15,
    )
    crowd = [p.tone(c, 0.18) for c in m.BRIGHTS]
    dots: list[list[str]] = [[] for _ in crowd]
    for r in range(6):
        y = horizon + 3 + r * (56 - horizon) / 6
        for x in np.arange(-1, 101, 2.5):
            k = p.count(0, len(crowd) + 2)
            if k < len(crowd):
                dots[k].append(f"M{x:.1f} {y:.1f}h1.6v1.9h-1.6z")
        p.line([(-2, y + 2.6), (102, y + 2.6)], dark(stand, 0.14), 0.5)
    for colour, d in zip(crowd, dots, strict=True):
        p.areas("".join(d), colour)
    roof = p.ground("#e6e9ee", 0.12)
    p.poly(
        [
            (-2, horizon - 12),
            (50, horizon - 5),
            (102, horizon - 12),
            (102, horizon - 6),
            (50, horizon - 1),
            (-2, horizon - 6),
        ],
        roof,
        shade=dark(roof, 0.15),
        far=0.1,
    )
    for x in (10, 90):
        p.line([(x, horizon), (x, 9)], p.tone("#6f7680", 0.1), 1)
        p.rect(x - 6, 4, 12, 6.5, p.tone("#5f6670", 0.1))
        for k in range(6):
            lx, ly = x - 4.4 + 4.4 * (k % 3), 5.8 + 3 * (k // 3)
            if p.night or p.weather in ("rain", "fog"):
                with p.lighting():
                    p.glow(lx, ly, 9, rgb("#fff6d8"), 0.5)
            p.oval(lx, ly, 1.1, 1.1, rgb("#fffbe6") if p.night else p.tone("#f6f3e6"), detail=True)
    p.rect(-2, 58, 104, 4.5, p.tone(p.pick("#3f6fa8", "#c9453f", "#3f7f5f"), 0.08))
    green = p.pick("#63b04a", "#5aa84f", "#6fb85a")
    p.wash(62, 101, p.ground(green, 0.12), p.ground(green))
    for k in range(6):
        if k % 2 == 0:
            a, b = 62 + 39 * (k / 6) ** 1.4, 62 + 39 * ((k + 1) / 6) ** 1.4
            p.rect(-2, a, 104, b - a, p.ground(mix(green, "#3f8a35", 0.35), 0.06), detail=True)
    white = p.ground("#ffffff") if not p.snowy else p.tone("#c9d6e6")
    p.line([(-2, 63.4), (102, 63.4)], white, 0.6)
    gx = p.between(38, 62)
    net = p.tone("#e8eef2", 0.1)
    d = "".join(f"M{gx - 12 + k:.1f} 48V62" for k in range(1, 24, 2)) + "".join(
        f"M{gx - 12:.1f} {48 + k}H{gx + 12:.1f}" for k in range(1, 14, 2)
    )
    p.strokes(d, net, 0.2, 0.8)
    p.line([(gx - 12, 63), (gx - 12, 47.6), (gx + 12, 47.6), (gx + 12, 63)], p.tone("#ffffff"), 1.0)
    p.line([(gx - 22, 63.4), (gx - 27, 70), (gx + 27, 70), (gx + 22, 63.4)], white, 0.6)
    turn = np.linspace(0, math.pi, 15)
    p.line([(gx + 38 * math.cos(a), 101 - 16 * math.sin(a)) for a in turn], white, 0.9, smooth=True)
    m.puddles(p, 82, 97)
    side = p.sign()
    p.layer("a corner flag", 86)
    x, flag = 50 + side * p.between(40, 45), p.tone(p.pick("#e4504f", "#f7d24a", "#f2803a"))
    p.rect(x - 0.5, 64, 1, 23, p.tone("#fff8ec"))
    p.poly([(x, 64), (x - side * 9, 67.4), (x, 71)], flag, shade=dark(flag, 0.15))
    if p.chance(0.6):
        p.layer("a football", 100)
        bx, by, r = 50 - side * p.between(34, 43), 96.0, 3.8
        ball = p.tone("#ffffff")
        p.oval(bx, by, r, r, ball, shade=dark(ball, 0.2))
        for a in range(5):
            q = a * 1.2566
            p.oval(
                bx + r * 0.72 * math.cos(q),
                by + r * 0.72 * math.sin(q),
                r * 0.2,
                r * 0.2,
                p.tone("#2f333c"),
                detail=True,
            )
        p.oval(bx, by, r * 0.28, r * 0.28, p.tone("#2f333c"), detail=True)
    m.weather(p, 56)
