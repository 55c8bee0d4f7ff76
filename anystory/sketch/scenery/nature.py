"""Places under the open sky where nobody lives."""

from __future__ import annotations

import math

import numpy as np

from anystory.sketch.scenery import motifs as m
from anystory.sketch.scenery.colour import dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, motif
from anystory.sketch.scenery.place import DRY, FLOWERING, place


def _green(p: Painter) -> str:
    return p.pick("#7cc04f", "#6fb55f", "#93c25a", "#8aba4a", "#62b36f")


@place(
    "meadow",
    "in a meadow",
    "on a flowery meadow",
    "in a field of flowers",
    "among wild flowers",
    empty="a meadow",
    weathers=FLOWERING,
)
def meadow(p: Painter) -> None:
    horizon = p.between(48, 60)
    m.sky(p, horizon)
    hill = p.pick("#86b86a", "#9bbf62", "#6fae7a")
    for far, y in ((0.6, horizon - 3), (0.42, horizon + 3)):
        p.ridge(y, 9, p.ground(hill, far), waves=p.between(1, 2.4), far=far)
    edge = p.ridge(horizon + 8, 5, p.ground(_green(p), 0.22), waves=1.5, far=0.25)
    for x in p.spread(p.count(2, 5)):
        leaf = p.tone(p.pick(*m.GREENS), 0.2)
        m.tree(p, x, edge(x) + 1, p.between(10, 19), leaf, 0.2, "round")
    near = _green(p)
    p.ridge(horizon + 16, 4, p.ground(near), shade=p.ground(mix(near, "#3d8038", 0.45)), waves=p.between(0.8, 1.6))
    blade = p.ground(mix(near, "#2a6b2c", 0.4))
    m.tufts(p, horizon + 20, 99, 26, blade)
    m.flowers(p, horizon + 19, 97, p.count(26, 44))
    side = p.sign()
    if p.chance(0.35):
        m.fence(p, horizon + 20, p.between(6, 8), p.tone(p.pick("#fbf6ea", "#c9a07a")))
        m.flowers(p, horizon + 21, 97, 12)
    p.layer("a bush", 84)
    m.bush(p, 50 - side * p.between(28, 44), 85, p.between(9, 13), p.tone(p.pick(*m.GREENS)))
    if p.chance(0.55):
        p.layer("a tree", 83)
        m.tree(
            p,
            50 + side * p.between(34, 46),
            84,
            p.between(56, 74),
            p.tone(p.pick(*m.GREENS)),
            0.0,
            p.pick("round", "wide", "birch"),
        )
    m.grass_front(p, blade, height=p.between(7, 12))
    m.flowers(p, 92, 99, 9)
    m.weather(p, horizon)


@place(
    "forest",
    "in the forest",
    "in a forest",
    "in the woods",
    "among the trees",
    "in a clearing in the woods",
    empty="a forest",
    ground=(0.8, 0.95),
)
def forest(p: Painter) -> None:
    horizon = p.between(58, 66)
    m.sky(p, horizon, clouds=0.3)
    kind = p.pick("pines", "leaves", "mixed")
    greens = m.AUTUMN if p.chance(0.25) else m.GREENS
    back = p.pick("#4f8f6a", "#5f9a5a", "#4a8a7a")
    for far, y, n, h in ((0.6, horizon - 4, 15, 34), (0.38, horizon + 1, 11, 44)):
        tint = p.tone(back, far)
        p.ridge(y, 5, p.ground(back, far), far=far)
        for x in p.spread(n, -4, 104, 0.9):
            tall = h * p.between(0.75, 1.15)
            if kind == "pines" or (kind == "mixed" and p.chance(0.5)):
                m.pine(p, x, y + 3, tall, mix(tint, dark(tint, 0.2), p.between(0, 1)), far)
            else:
                m.tree(p, x, y + 3, tall * 0.9, p.tone(p.pick(*greens), far), far, "tall" if p.chance(0.4) else "round")
    soil = p.pick("#7da35a", "#8a9a55", "#6f9a5f", "#a89a62")
    p.ridge(horizon + 4, 3, p.ground(soil, 0.08), shade=p.ground(mix(soil, "#4a5a30", 0.5)), waves=1.4)
    if p.chance(0.6):
        bend, path = p.between(-14, 14), p.ground("#cdb184")
        cx = p.between(40, 60)
        left = [(cx - 2, horizon + 5), (cx - 8 + bend, horizon + 14), (cx - 22, 102)]
        p.poly(
            [*left, (cx + 22, 102), (cx + 8 + bend, horizon + 14), (cx + 2, horizon + 5)],
            path,
            shade=dark(path, 0.12),
            smooth=False,
            detail=True,
        )
    for side in (-1, 1):
        for _ in range(p.count(1, 2)):
            x = 50 + side * p.between(30, 50)
            y, h = p.between(horizon + 8, horizon + 15), p.between(56, 74)
            if kind == "pines":
                m.pine(p, x, y, h, p.tone(p.pick("#2f7a55", "#3f7f4a", "#2f6f62")))
            else:
                m.tree(p, x, y, h, p.tone(p.pick(*greens)), 0.0, p.pick("round", "wide", "birch"))
    if p.time in ("day", "sunrise") and p.weather in ("clear", ""):
        with p.lighting():
            for x in p.spread(3, 15, 85):
                w = p.between(4, 8)
                beam = rgb("#fff6c8")
                p.veil([(x, 0), (x + w, 0), (x - 14 + w * 1.8, 88), (x - 20, 88)], beam, beam, 0.26, 0.0)
    m.tufts(p, horizon + 12, 98, 18, p.ground(mix(soil, "#2a5a2c", 0.5)))
    for x in p.spread(p.count(0, 4)):
        m.mushroom(p, x, p.between(80, 97), p.between(3, 5.5), p.tone(p.pick("#d9453a", "#c98a4a", "#e6b04a")))
    p.layer("a bush", 83)
    x = p.between(-2, 16) if p.chance(0.5) else p.between(84, 102)
    m.bush(p, x, 84, p.between(9, 14), p.tone(p.pick(*m.GREENS)))
    if p.chance(0.5):
        p.layer("a tree", 101)
        x, bark = p.sign() * p.between(44, 50) + 50, p.tone("#5f4432")
        w = p.between(5, 8)
        p.poly(
            [(x - w * 1.6, 102), (x - w, 86), (x - w * 0.9, -2), (x + w * 0.9, -2), (x + w, 86), (x + w * 1.6, 102)],
            bark,
            shade=dark(bark, 0.3),
        )
        for y in p.spread(6, 4, 92):
            p.line(
                [(x + p.between(-0.6, 0.4) * w, y), (x + p.between(-0.5, 0.5) * w, y + p.between(4, 9))],
                dark(bark, 0.3),
                0.5,
            )
        m.bush(p, x, 101, w * 1.8, p.tone(p.pick(*m.GREENS)))
    else:
        m.grass_front(p, p.tone("#3f7f45"), height=11, name="ferns")
    m.weather(p, horizon)


@place(
    "mountains",
    "in the mountains",
    "on a mountain meadow",
    "below snowy peaks",
    "high in the mountains",
    empty="mountains",
)
def mountains(p: Painter) -> None:
    horizon = p.between(60, 68)
    m.sky(p, horizon)
    stone = p.pick("#8a93ad", "#9a8fa8", "#7f97a8", "#a3978f", "#8792b8")
    cap = p.tone("#ffffff", 0.12)
    for far, height, n in ((0.5, 52, p.count(2, 3)), (0.28, 36, p.count(2, 4))):
        colour = p.tone(stone, far)
        edge = p.range(horizon + 2, height, colour, peaks=n, far=far)
        for x, y, h in edge.peaks:
            if far < 0.4 and p.chance(0.4):
                continue
            low, w = y + h * 0.3, h * 0.24
            snow = [
                (x, y - 0.4),
                (x + 4.2, y + h * 0.17),
                (x + w, low),
                (x + w * 0.4, low - h * 0.08),
                (x + w * 0.1, low + h * 0.08),
                (x - w * 0.3, low - h * 0.06),
                (x - w * 0.8, low),
                (x - 4.2, y + h * 0.18),
            ]
            p.poly(snow, mix(cap, p.haze, far * 0.6), far=far)
            p.poly(
                [(x, y), (x + 4.2, y + h * 0.17), (x + w, low), (x + w * 0.4, low - h * 0.08), (x + 0.5, y + h * 0.12)],
                mix(dark(cap, 0.16), p.haze, far * 0.6),
                detail=True,
            )
    wood = p.pick("#3f7a5f", "#4a7f4f", "#3f6f6a")
    edge = p.ridge(horizon + 2, 5, p.ground(wood, 0.3), waves=2.5, far=0.3)
    for x in p.spread(24, -2, 102, 0.9):
        m.pine(p, x, edge(x) + 1.5, p.between(6, 11), p.tone(wood, p.between(0.2, 0.35)), 0.3)
    green = _green(p)
    p.ridge(horizon + 9, 4, p.ground(green), shade=p.ground(mix(green, "#4a7038", 0.5)), waves=1.2)
    if p.chance(0.4):
        m.house(p, p.between(15, 85), horizon + 13, 10, 5.5, 0.1)
    for _ in range(p.count(2, 5)):
        m.rock(p, p.between(0, 100), p.between(horizon + 14, 84), p.between(2, 5), p.tone(stone))
    m.flowers(p, 80, 97, p.count(8, 20))
    m.tufts(p, horizon + 14, 98, 16, p.ground(mix(green, "#2a6b2c", 0.4)))
    side = p.sign()
    p.layer("a pine tree", 85)
    m.pine(p, 50 + side * p.between(36, 46), 86, p.between(36, 52), p.tone("#2f6f52"))
    p.layer("a rock", 104)
    m.rock(p, 50 - side * p.between(36, 48), 103, p.between(10, 16), p.tone(stone))
    m.weather(p, horizon)


@place(
    "desert",
    "in the desert",
    "in a desert",
    "among sand dunes",
    "on the sand of the desert",
    empty="a desert",
    weathers=("clear", "cloudy"),
)
def desert(p: Painter) -> None:
    horizon = p.between(50, 60)
    m.sky(p, horizon, clouds=0.4)
    sand = p.pick("#ecc682", "#e8b46a", "#e6a86a", "#f0d49a")
    if p.chance(0.5):
        mesa = p.pick("#c9764a", "#b5654a", "#c98a5a")
        for x in p.spread(p.count(1, 3), 5, 95):
            w, h, far = p.between(8, 16), p.between(12, 24), p.between(0.25, 0.5)
            colour = p.tone(mesa, far)
            p.poly(
                [
                    (x - w, horizon + 4),
                    (x - w * 0.62, horizon - h),
                    (x + w * 0.6, horizon - h + 1),
                    (x + w, horizon + 4),
                ],
                colour,
                shade=dark(colour, 0.14),
                far=far,
            )
            for k in (0.25, 0.5, 0.72):
                p.line(
                    [
                        (x - w * (0.62 + 0.3 * k), horizon - h * (1 - k)),
                        (x + w * (0.6 + 0.32 * k), horizon - h * (1 - k) + 0.4),
                    ],
                    dark(colour, 0.13),
                    0.6,
                )
    else:
        colour = p.tone("#e8d09a", 0.35)
        for _ in range(p.count(1, 2)):
            x, h = p.between(15, 85), p.between(12, 22)
            p.poly([(x - h * 0.9, horizon + 3), (x, horizon - h), (x + h * 0.9, horizon + 3)], colour, far=0.3)
            p.poly(
                [(x, horizon - h), (x + h * 0.9, horizon + 3), (x + h * 0.25, horizon + 3)],
                dark(colour, 0.2),
                detail=True,
            )
    for k, far in enumerate((0.36, 0.18, 0.0)):
        colour = p.tone(mix(sand, "#c98a5a", 0.12 * k), far)
        y = horizon + 2 + 10 * k
        edge = p.ridge(y, 8, colour, shade=mix(colour, dark(colour, 0.3), 0.5), waves=p.between(0.8, 2), far=far)
        for line in range(3):
            xs = np.linspace(p.between(0, 50), p.between(55, 100), 9)
            p.line(
                [(x, edge(x) + 4 + 3 * line + 0.4 * math.sin(x / 3)) for x in xs], dark(colour, 0.1), 0.35, smooth=True
            )
    for x in p.spread(p.count(1, 3), 5, 95):
        m.cactus(
            p, x, p.between(horizon + 18, 80), p.between(9, 17), p.tone(p.pick("#4f9b5a", "#5f8f4a", "#3f8f72"), 0.1)
        )
    m.tufts(p, horizon + 26, 98, 8, p.tone("#a89a4a"))
    side = p.sign()
    if p.chance(0.6):
        p.layer("a cactus", 86)
        m.cactus(p, 50 + side * p.between(36, 46), 87, p.between(26, 42), p.tone(p.pick("#4f9b5a", "#3f8f62")))
    else:
        p.layer("rocks", 86)
        for dx, w in ((0, 9), (8, 6)):
            m.rock(p, 50 + side * (40 + dx), 87 + dx / 4, w, p.tone("#b5794f"))
    p.layer("a dune", 104)
    p.ridge(101, 9, p.tone(mix(sand, "#b5703f", 0.3)), waves=1.0, floor=106)
    m.weather(p, horizon)


@place(
    "snow",
    "in the snow",
    "in a snowy landscape",
    "on a snowy hill",
    "in deep snow",
    empty="a snowy landscape",
    weathers=("clear", "cloudy", "snow", "fog"),
)
def snow(p: Painter) -> None:
    horizon = p.between(52, 62)
    m.sky(p, horizon, clouds=0.6)
    if p.chance(0.5):
        p.range(horizon + 2, 26, p.tone("#b9c9e0", 0.4), peaks=4, far=0.4)
    for far, y in ((0.35, horizon), (0.15, horizon + 7)):
        shade = p.tone("#c3d3ea", far)
        edge = p.ridge(y, 8, p.snow(far), shade=shade, waves=p.between(1, 2), far=far)
        for x in p.spread(p.count(5, 9), -3, 103, 0.9):
            h = p.between(9, 18) * (1.4 - far)
            _white_pine(p, x, edge(x) + 1.5, h, far)
    if p.chance(0.55):
        m_x = p.between(15, 85)
        _snow_house(p, m_x, horizon + 15)
    near = p.snow()
    p.ridge(horizon + 16, 5, near, shade=p.tone("#bccfe8"), waves=1.3)
    for _ in range(7):
        x, y = p.between(0, 100), p.between(horizon + 22, 98)
        p.line([(x - 5, y), (x, y - 0.9), (x + 6, y)], p.tone("#c3d3ea"), 0.5, smooth=True)
    if p.chance(0.35):
        _snowman(p, p.between(8, 24) if p.chance(0.5) else p.between(76, 92), p.between(80, 84))
    side = p.sign()
    p.layer("a snowy pine tree", 86)
    _white_pine(p, 50 + side * p.between(37, 47), 87, p.between(34, 52), 0.0)
    p.layer("a snowdrift", 104)
    p.ridge(101, 9, p.snow(), shade=p.tone("#c3d3ea"), waves=1.1, floor=106)
    m.weather(p, horizon)


@motif
def _white_pine(p: Painter, x: float, y: float, h: float, far: float) -> None:
    now, p.snowy = p.snowy, True
    m.pine(p, x, y, h, p.tone(p.pick("#3f7a6a", "#4a8275", "#3f6f7a"), far), far)
    p.snowy = now


@motif
def _snow_house(p: Painter, x: float, y: float) -> None:
    now, p.snowy = p.snowy, True
    m.house(p, x, y, p.between(15, 20), p.between(8, 10), 0.05)
    p.snowy = now


@motif
def _snowman(p: Painter, x: float, y: float) -> None:
    white = p.snow()
    for dy, r in ((0, 5.5), (-8, 4), (-14, 2.9)):
        p.oval(x, y - r * 0.7 + dy, r, r * 0.95, white, shade=dark(white, 0.16))
    coal = p.tone("#3a3a44")
    for dx, dy in ((-1, -15.8), (1, -15.8), (0, -9), (0, -11.5)):
        p.oval(x + dx, y + dy, 0.45, 0.45, coal, detail=True)
    p.poly([(x, y - 15), (x + 3, y - 14.4), (x, y - 14)], p.tone("#f08a3a"))
    p.rect(x - 2.6, y - 13.2, 5.2, 1.3, p.tone(p.pick(*m.BRIGHTS)), r=0.5)
    p.rect(x - 3.2, y - 18.6, 6.4, 1, coal)
    p.rect(x - 2, y - 22, 4, 3.6, coal)


@place(
    "lake",
    "at the lake",
    "by a lake",
    "on the shore of a lake",
    "beside a quiet lake",
    empty="a lake",
    ground=(0.84, 0.95),
    water=(0.6, 0.74),
)
def lake(p: Painter) -> None:
    horizon = p.between(44, 52)
    m.sky(p, horizon)
    hill = p.pick("#5f8f7a", "#6f8f5a", "#5a7f8f", "#7f86a8")
    if p.chance(0.5):
        p.range(horizon + 2, 28, p.tone(hill, 0.5), peaks=p.count(3, 5), far=0.5)
    p.ridge(horizon - 2, 12, p.ground(hill, 0.42), waves=p.between(1.5, 2.5), far=0.4)
    edge = p.ridge(horizon + 1, 2, p.ground("#4b8f55", 0.3), far=0.3)
    for x in p.spread(18, -2, 102, 0.9):
        if p.chance(0.7):
            m.pine(p, x, edge(x) + 1, p.between(6, 12), p.tone("#2f6f55", 0.26), 0.26)
        else:
            m.tree(p, x, edge(x) + 1, p.between(6, 10), p.tone(p.pick(*m.GREENS), 0.25), 0.26, "round")
    tint = p.pick("#4fa0c0", "#5fb0b8", "#4a8fc0")
    m.water(p, horizon + 3, 80, tint)
    reflect = dark(p.tone(tint, 0.2), 0.35)
    p.veil([(-2, horizon + 3), (102, horizon + 3), (102, horizon + 12), (-2, horizon + 12)], reflect, reflect, 0.6, 0.0)
    if p.chance(0.5):
        m.sailboat(p, p.between(12, 88), horizon + p.between(8, 14), p.between(4, 6.5), 0.1)
    bank = p.pick("#8ab85a", "#a8b86a", "#7aae62")
    p.ridge(79, 4, p.ground(bank), shade=p.ground(mix(bank, "#4a6a35", 0.5)), waves=1.2)
    m.puddles(p, 84, 97)
    m.flowers(p, 84, 97, p.count(4, 12))
    m.tufts(p, 83, 98, 18, p.ground(mix(bank, "#2a6b2c", 0.4)))
    _reeds(p, 86, p.sign())
    if p.chance(0.6):
        m.grass_front(p, p.ground(mix(bank, "#2a5a2c", 0.5)), height=8)
    m.weather(p, horizon)


@motif
def _reeds(p: Painter, y: float, side: int) -> None:
    p.layer("reeds", y)
    green, brown = p.tone("#6a9a45"), p.tone("#7a4f2f")
    for x in np.sort(50 + side * p.several(15, 30, 49)):
        h, lean = p.between(12, 24), p.between(-2, 2)
        base = y + p.between(-1, 1.5)
        p.line([(x, base), (x + lean * 0.3, base - h * 0.6), (x + lean, base - h)], green, 0.55, smooth=True)
        if p.chance(0.5):
            p.line([(x + lean, base - h + 1), (x + lean * 1.1, base - h - 3)], brown, 1.3)
        p.poly([(x, base), (x + lean * 2 + 2, base - h * 0.7), (x + 0.9, base)], dark(green, 0.15), detail=True)


@place(
    "river",
    "by a river",
    "at the river",
    "on the bank of a river",
    "beside a stream",
    empty="a river",
    ground=(0.86, 0.95),
    water=(0.68, 0.8),
)
def river(p: Painter) -> None:
    horizon = p.between(46, 54)
    m.sky(p, horizon)
    hill = p.pick("#86b86a", "#6fae7a", "#9bb85f")
    p.ridge(horizon - 1, 12, p.ground(hill, 0.5), waves=p.between(1, 2), far=0.5)
    edge = p.ridge(horizon + 4, 5, p.ground(_green(p), 0.28), far=0.3)
    for x in p.spread(p.count(6, 9), -2, 102):
        m.tree(p, x, edge(x) + 1, p.between(9, 17), p.tone(p.pick(*m.GREENS), 0.25), 0.25)
    near = _green(p)
    p.ridge(horizon + 10, 2, p.ground(near, 0.1), shade=p.ground(mix(near, "#4a8038", 0.3)))
    # The stream winds from the far meadow and passes before the viewer from side to side.
    x0, bend = p.between(30, 70), p.sign()
    tint = p.tone(p.pick("#4fa8cc", "#5ab8c8", "#4a90c9"))
    y = horizon + 10
    left = [(x0 - 1, y), (x0 - 3 + bend * 12, y + 5), (x0 - 8 - bend * 6, y + 10), (-6, 72), (-8, 84)]
    right = [(108, 85), (106, 70), (x0 + 9 - bend * 2, y + 10), (x0 + 3 + bend * 15, y + 5), (x0 + 1, y)]
    p.poly([*left, *right], mix(tint, p.haze, 0.25), shade=tint, smooth=True)
    m.glints(p, horizon + 19, 82, 16, mix(tint, p.tone("#ffffff"), 0.45))
    for _ in range(p.count(2, 5)):
        m.rock(p, p.between(5, 95), p.between(72, 80), p.between(2, 4), p.tone("#9a9aa0"))
    if p.chance(0.5):
        bx = x0 + bend * p.between(4, 9)
        _footbridge(p, bx, horizon + 19)
    p.ridge(84, 3, p.ground(near), shade=p.ground(mix(near, "#3d8038", 0.5)), waves=1.4)
    m.flowers(p, 88, 98, p.count(6, 14))
    m.tufts(p, 87, 99, 16, p.ground(mix(near, "#2a6b2c", 0.4)))
    if p.chance(0.5):
        _reeds(p, 88, p.sign())
    else:
        p.layer("rocks", 89)
        side = p.sign()
        for dx, w in ((0, 8), (9, 5)):
            m.rock(p, 50 + side * (38 + dx), 89 + dx / 5, w, p.tone("#9a9aa0"))
    m.weather(p, horizon)


@motif
def _footbridge(p: Painter, x: float, y: float) -> None:
    wood, w = p.tone("#a8764a"), 22.0
    ts = np.linspace(-1, 1, 9)
    arch = [(x + t * w, y - 5 * (1 - t * t)) for t in ts]
    p.poly([*arch, *((a, b + 2.2) for a, b in arch[::-1])], wood, shade=dark(wood, 0.2))
    for a, b in arch:
        p.rect(a - 0.4, b - 5, 0.8, 5, wood)
    p.line([(a, b - 5) for a, b in arch], pale(wood, 0.15), 0.9, smooth=True)


@place(
    "waterfall",
    "at a waterfall",
    "by a waterfall",
    "in front of a waterfall",
    "below a roaring waterfall",
    empty="a waterfall",
    ground=(0.85, 0.95),
    weathers=("clear", "cloudy", "rain", "fog"),
    water=(0.76, 0.84),
)
def waterfall(p: Painter) -> None:
    horizon = 40.0
    m.sky(p, horizon, clouds=0.7)
    stone = p.pick("#8a7f86", "#7f8a86", "#9a8a78", "#7a8299")
    green = p.pick("#5f9f55", "#6faa4f", "#4f9a68")
    cx, w, top = p.between(38, 62), p.between(9, 15), p.between(14, 24)
    far = p.tone(green, 0.4)
    p.ridge(top + 6, 10, p.tone(green, 0.35), waves=3, far=0.35)
    for x in p.spread(8, -2, 102):
        m.tree(p, x, top + 6, p.between(8, 14), mix(far, p.tone(p.pick(*m.GREENS), 0.2), 0.6), 0.3)
    rockc = p.tone(stone, 0.1)
    for side in (-1, 1):
        edge = cx + side * w * 0.8
        out = 50 + side * 54
        steps = [
            (edge, top),
            (edge + side * 8, top - 3),
            (edge + side * 20, top + p.between(2, 7)),
            (out, top + p.between(0, 6)),
        ]
        p.poly([*steps, (out, 76), (edge + side * 3, 76), (edge + side * 1.5, 50)], rockc, shade=dark(rockc, 0.2))
        for _ in range(9):
            x, y, v = edge + side * p.between(4, 34), p.between(top + 10, 68), p.between(3, 5.5)
            face = mix(rockc, dark(rockc, 0.3) if p.chance(0.5) else pale(rockc, 0.2), 0.6)
            p.rect(x - v, y - v * 0.7, 2 * v, v * p.between(1, 1.5), face, r=v * 0.4, detail=True)
        for x in (edge + side * 5, edge + side * 17, edge + side * 31):
            m.bush(p, x, top + p.between(1, 5), p.between(4.5, 7.5), p.tone(p.pick(*m.GREENS), 0.08))
        for _ in range(3):
            m.bush(
                p, edge + side * p.between(6, 34), p.between(35, 66), p.between(3, 5), p.tone(p.pick(*m.GREENS), 0.05)
            )
    fall = p.tone("#cfeaf6")
    drop = np.linspace(0, 1, 8)
    ys = top + 1 + (73 - top) * drop
    left = cx - w * (1 - 0.2 * np.sin(np.pi * drop * 1.6) + 0.25 * drop**2)
    right = cx + w * (1 - 0.16 * np.sin(np.pi * drop * 2.0 + 0.3) + 0.25 * drop**2)
    outline = [*zip(left, ys, strict=True), *zip(right[::-1], ys[::-1], strict=True)]
    p.poly(outline, fall, shade=p.tone("#a8d6ea"))
    for x in p.spread(12, cx - w * 0.85, cx + w * 0.85):
        y0, h = p.between(top, 50), p.between(10, 26)
        p.line(
            [(x, y0), (x + (x - cx) * 0.06, min(y0 + h, 72))],
            p.tone(p.pick("#ffffff", "#86c3de", "#ffffff")),
            p.between(0.5, 1.2),
        )
    pool = p.tone(p.pick("#4fb0bf", "#4aa0c4", "#58b8a8"))
    p.ridge(73, 1.5, mix(pool, p.haze, 0.15), shade=pool, waves=3)
    m.glints(p, 75, 86, 14, mix(pool, p.tone("#ffffff"), 0.5))
    for k in range(7):
        p.mist(cx + (k - 3) * w * 0.42, 73 + p.between(-1.5, 1.5), w * 0.6, p.between(3, 6), p.tone("#ffffff"), 0.75)
    for _ in range(5):
        m.rock(p, p.between(3, 97), p.between(78, 84), p.between(2.5, 5), p.tone(stone))
    p.ridge(86, 3, p.tone(green), shade=p.tone(mix(green, "#2d5028", 0.5)), waves=1.5)
    m.tufts(p, 88, 98, 14, p.tone(mix(green, "#1f5a2c", 0.5)))
    side = p.sign()
    p.layer("a rock", 88)
    m.rock(p, 50 + side * p.between(36, 46), 89, p.between(9, 13), p.tone(stone))
    if p.chance(0.7):
        m.grass_front(p, p.tone("#3f7f45"), height=10, name="ferns")
    m.weather(p, horizon + 15)


@place(
    "jungle",
    "in the jungle",
    "in a jungle",
    "in the rainforest",
    "among palms and vines",
    empty="a jungle",
    weathers=("clear", "cloudy", "rain", "fog"),
)
def jungle(p: Painter) -> None:
    horizon = 62.0
    m.sky(p, horizon, clouds=0.2)
    for far, y in ((0.62, 40), (0.42, 50), (0.25, 58)):
        green = p.pick("#4f9a6a", "#5fa055", "#3f8f6a")
        for x in p.spread(8, -5, 105):
            p.blob(x, y + p.between(-6, 4), p.between(12, 18), p.between(12, 20), p.tone(green, far), lobes=9, far=far)
        p.ridge(y + 12, 4, p.tone(green, far), far=far)
        for x in p.spread(3, 0, 100):
            m.palm(p, x, y + 14, p.between(30, 44), far)
    soil = p.pick("#6f9a4a", "#7f8f4a", "#5f9a58")
    p.ridge(70, 4, p.tone(soil, 0.05), shade=p.tone(mix(soil, "#2f4a20", 0.5)), waves=1.5)
    for side in (-1, 1):
        x = 50 + side * p.between(34, 46)
        if p.chance(0.5):
            m.palm(p, x, p.between(76, 82), p.between(52, 64))
        else:
            m.tree(p, x, p.between(76, 82), p.between(64, 78), p.tone(p.pick("#2f8a4a", "#4f9f3f")), 0, "wide")
    vine = p.tone("#3f7a3a")
    for x in p.spread(p.count(4, 7), -5, 105, 1.0):
        w, h = p.between(6, 14), p.between(10, 32)
        p.line([(x, -2), (x + w * 0.3, h * 0.8), (x + w * 0.6, h), (x + w, -2)], vine, p.between(0.6, 1.1), smooth=True)
        for t in np.linspace(0.15, 0.85, 5):
            p.oval(x + w * t, h * math.sin(math.pi * t) * 0.9, 1.4, 0.8, pale(vine, 0.15), detail=True)
    for side in (-1, 1):
        for _ in range(3):
            _big_leaf(p, 50 + side * p.between(24, 50), p.between(76, 82), p.between(12, 20), -side)
    m.tufts(p, 78, 98, 20, p.tone(mix(soil, "#1f5a2c", 0.5)))
    for _ in range(p.count(2, 5)):
        x, y = p.between(4, 96), p.between(80, 97)
        p.blob(x, y, 1.8, 1.6, p.tone(p.pick("#ef4f6f", "#ff9a3f", "#e07fe0")), lobes=5, detail=True)
    p.layer("big leaves", 104)
    for side in (-1, 1):
        for k in range(p.count(2, 4)):
            _big_leaf(p, 50 + side * p.between(38, 52), 104, p.between(18, 28), -side * (1 - 0.5 * (k % 2)))
    p.layer("leaves", 150)
    for x in p.spread(7, -4, 104):
        _big_leaf(p, x, -4, -p.between(8, 15) * (0.5 + abs(x - 50) / 50), p.sign())
    m.weather(p, horizon)


@motif
def _big_leaf(p: Painter, x: float, y: float, h: float, lean: float) -> None:
    """A broad leaf that grows from (x, y) up by `h` (down where negative), leaning to a side."""
    green = p.tone(p.pick("#2f8a4a", "#3f9b45", "#2f7a55", "#5aa83f"))
    tip, w = (x + lean * abs(h) * 0.6, y - h), abs(h) * 0.2
    mid = (x + lean * abs(h) * 0.18, y - h * 0.55)
    p.poly(
        [(x, y), (mid[0] - w, mid[1]), tip, (mid[0] + w, mid[1] + h * 0.05)],
        green,
        shade=dark(green, 0.25),
        smooth=True,
    )
    p.line(
        [(x, y), mid, (mid[0] + (tip[0] - mid[0]) * 0.8, mid[1] + (tip[1] - mid[1]) * 0.8)],
        pale(green, 0.25),
        0.45,
        smooth=True,
    )


@place(
    "field",
    "in a wheat field",
    "in a golden field",
    "among ripe wheat",
    "in a corn field",
    empty="a wheat field",
    weathers=("clear", "cloudy", "rain", "fog"),
)
def field(p: Painter) -> None:
    horizon = p.between(46, 56)
    m.sky(p, horizon)
    gold = p.pick("#e6bf4a", "#ddb04a", "#f0cf62", "#d9a84a")
    p.ridge(horizon - 2, 7, p.tone("#86a86a", 0.5), waves=1.5, far=0.5)
    edge = p.ridge(horizon + 2, 4, p.tone(p.pick("#9bb85f", "#c9b84f"), 0.35), far=0.35)
    for x in p.spread(p.count(3, 6)):
        m.tree(p, x, edge(x) + 1, p.between(6, 11), p.tone(p.pick(*m.GREENS), 0.3), 0.3, "round")
    if p.chance(0.5):
        _windmill(p, p.between(12, 88), horizon + 4, p.between(20, 28))
    p.ridge(horizon + 6, 3, p.tone(gold, 0.2), shade=p.tone(gold), waves=1.2, floor=102)
    cx = p.between(35, 65)
    for row in range(14):
        y = horizon + 9 + (74 - horizon) * (row / 13) ** 1.3 * 0.9
        h = 1.6 + 4.5 * (y - horizon) / 40
        tint = p.tone(mix(gold, "#b5803a", 0.22 * (row % 3)), max(0, 0.2 - row * 0.02))
        gap = 2 + 12 * (y - horizon) / 40
        _wheat(p, y, h, tint, (cx - gap, cx + gap))
    path = p.tone("#d9bd86")
    p.poly(
        [(cx - 1.6, horizon + 8), (cx + 1.6, horizon + 8), (cx + 20, 102), (cx - 20, 102)],
        path,
        shade=dark(path, 0.12),
        detail=True,
    )
    _wheat(p, 79, 9, p.tone(gold), (cx - 15, cx + 15))
    p.layer("tall wheat", 87)
    _wheat(p, 88, p.between(12, 16), p.tone(mix(gold, "#c9903a", 0.3)), p.pick((18, 82), (-9, 82), (18, 109)))
    p.layer("wheat", 104)
    _wheat(p, 104, p.between(7, 9), p.tone(mix(gold, "#b5803a", 0.5)), (-9, -9))
    m.weather(p, horizon)


@motif
def _wheat(p: Painter, y: float, h: float, colour: tuple, gap: tuple[float, float]) -> None:
    stems, ears = [], []
    for x in np.arange(-1, 102, max(0.9, h * 0.16)):
        if gap[0] < x < gap[1]:
            continue
        lean, tall = p.between(-0.12, 0.22) * h, h * p.between(0.75, 1.1)
        stems.append(f"M{x:.1f} {y:.1f}L{x + lean:.1f} {y - tall:.1f}")
        w = max(0.35, h * 0.07)
        ears.append(
            f"M{x + lean:.1f} {y - tall:.1f}q{-w:.2f} {-h * 0.14:.2f} {lean * 0.3:.2f} {-h * 0.32:.2f}"
            f"q{w * 1.6:.2f} {h * 0.14:.2f} {-lean * 0.3:.2f} {h * 0.32:.2f}z"
        )
    for a, b in ((-2.0, gap[0]), (gap[1], 102.0)):
        if b > a:
            # The foot of the corn is as ragged as its top, or it would be a box.
            xs = np.arange(a, b + h * 0.1, h * 0.1)
            foot = [(x, y + h * (0.07 if k % 2 else -0.05)) for k, x in enumerate(xs)]
            body = [(a - h * 0.05, y - h * 0.42), *((x, y - h * 0.5) for x in (a, b)), (b + h * 0.05, y - h * 0.42)]
            p.poly([*body, *foot[::-1]], colour, shade=dark(colour, 0.14), detail=True)
    p.strokes("".join(stems), dark(colour, 0.18), max(0.22, h * 0.035))
    p.areas("".join(ears), pale(colour, 0.2))


@motif
def _windmill(p: Painter, x: float, y: float, h: float) -> None:
    wall = p.tone("#f4ead6", 0.15)
    p.poly(
        [(x - h * 0.2, y), (x - h * 0.12, y - h * 0.7), (x + h * 0.12, y - h * 0.7), (x + h * 0.2, y)],
        wall,
        shade=dark(wall, 0.15),
        far=0.1,
    )
    roof = p.tone("#b5483a", 0.15)
    p.poly([(x - h * 0.15, y - h * 0.69), (x, y - h * 0.9), (x + h * 0.15, y - h * 0.69)], roof, far=0.1)
    m.pane(p, x - h * 0.04, y - h * 0.45, h * 0.08, h * 0.1, far=0.15)
    turn, sail = p.between(0, 1.5), p.tone("#fffaf0", 0.1)
    for k in range(4):
        a = turn + k * math.pi / 2
        ux, uy = math.cos(a), math.sin(a)
        hub = (x, y - h * 0.72)
        tip = (hub[0] + ux * h * 0.5, hub[1] + uy * h * 0.5)
        side = (-uy * h * 0.1, ux * h * 0.1)
        p.poly(
            [
                (hub[0] + ux * h * 0.1, hub[1] + uy * h * 0.1),
                tip,
                (tip[0] + side[0], tip[1] + side[1]),
                (hub[0] + ux * h * 0.12 + side[0], hub[1] + uy * h * 0.12 + side[1]),
            ],
            sail,
        )
        p.line([hub, tip], p.tone("#6b4a35", 0.15), 0.5)


@place(
    "cave",
    "in a cave",
    "inside a dark cave",
    "in the cave",
    "deep in a cave",
    empty="a cave",
    times=("",),
    weathers=("",),
    ground=(0.84, 0.95),
)
def cave(p: Painter) -> None:
    stone = p.pick("#7a6a80", "#82695a", "#5c7086", "#66668c")
    glow = rgb(p.pick("#ffb45e", "#7fe3ee", "#b49aff", "#ffe09a"))
    deep, mouth = dark(stone, 0.75), p.between(35, 65)
    p.horizon = 76
    p.wash(0, 101, deep, dark(stone, 0.6))
    p.glow(mouth, 50, 62, glow, 0.85)
    p.glow(mouth, 54, 26, pale(glow, 0.6), 0.8)
    for layer, (shade, reach, crown) in enumerate(((0.62, 21, 26), (0.42, 31, 17), (0.2, 43, 7))):
        colour = mix(dark(stone, shade), glow, 0.1 - 0.04 * layer)
        floor = 72 + 4 * layer
        arch = [
            (mouth - reach * math.cos(a) + p.between(-2, 2), floor - (floor - crown) * math.sin(a) + p.between(-2, 2))
            for a in np.linspace(0, math.pi, 15)
        ]
        rock = [
            (-4.0, 104.0),
            (arch[0][0], 104.0),
            *arch,
            (arch[-1][0], 104.0),
            (104.0, 104.0),
            (104.0, -4.0),
            (-4.0, -4.0),
        ]
        p.poly(rock, colour, shade=dark(colour, 0.3))
        for x in p.spread(8 - layer, 0, 100):
            w, h = p.between(3.5, 7), (26 - 4 * layer) * p.between(0.4, 1) * (0.55 + abs(x - mouth) / 60)
            p.poly(
                [
                    (x - w, -3),
                    (x - w * 0.4, h * 0.5),
                    (x + p.between(-1, 1), h),
                    (x + w * 0.45, h * 0.45),
                    (x + w, -3),
                ],
                colour,
                shade=mix(colour, glow, 0.16),
            )
        for x in p.spread(5, 0, 100):
            if abs(x - mouth) > 18 + 5 * layer:
                w, h = p.between(3, 6), p.between(7, 16)
                p.poly(
                    [
                        (x - w, floor + 2),
                        (x - w * 0.35, floor - h * 0.5),
                        (x, floor - h),
                        (x + w * 0.4, floor - h * 0.4),
                        (x + w, floor + 2),
                    ],
                    mix(colour, glow, 0.06),
                )
    floor = mix(dark(stone, 0.15), glow, 0.2)
    p.ridge(77, 4, floor, shade=dark(stone, 0.5), waves=2.5)
    p.mist(mouth, 86, 34, 8, glow, 0.35)
    for x in p.spread(p.count(2, 4)):
        if abs(x - 50) > 18:
            _crystals(p, x, p.between(80, 85), p.between(5, 10), glow)
    for _ in range(6):
        m.rock(p, p.between(0, 100), p.between(82, 99), p.between(1.5, 4), mix(dark(stone, 0.25), glow, 0.1))
    side = p.sign()
    p.layer("a rock", 88)
    m.rock(p, 50 + side * p.between(36, 46), 89, p.between(9, 14), mix(dark(stone, 0.2), glow, 0.08))
    p.layer("crystals" if p.chance(0.5) else "rocks", 104)
    for dx, w in ((0, 12), (12, 8)):
        m.rock(p, 50 - side * (52 - dx), 104, w, dark(stone, 0.55))


@motif
def _crystals(p: Painter, x: float, y: float, s: float, glow: tuple) -> None:
    p.glow(x, y - s * 0.7, s * 2.2, glow, 0.45)
    for dx, k, lean in ((-0.55, 0.9, -0.35), (0.55, 1.0, 0.4), (0.0, 1.7, 0.05)):
        cx, h, w = x + dx * s, s * k, s * 0.26
        tip = (cx + lean * s, y - h)
        p.poly(
            [
                (cx - w, y),
                (cx - w + lean * s * 0.7, y - h * 0.75),
                tip,
                (cx + w + lean * s * 0.7, y - h * 0.7),
                (cx + w, y),
            ],
            mix(glow, "#ffffff", 0.3),
            shade=mix(glow, "#40307f", 0.25),
        )
        p.poly(
            [(cx, y), (cx + lean * s * 0.7, y - h * 0.68), tip, (cx + w + lean * s * 0.7, y - h * 0.7), (cx + w, y)],
            mix(glow, "#30206f", 0.3),
            detail=True,
        )


@place(
    "garden",
    "in the garden",
    "in a garden",
    "in a flower garden",
    "among the flower beds",
    empty="a garden",
    ground=(0.85, 0.95),
    weathers=FLOWERING,
)
def garden(p: Painter) -> None:
    horizon = p.between(44, 52)
    m.sky(p, horizon)
    for x in p.spread(6, -4, 104):
        m.tree(p, x, horizon + 6, p.between(18, 30), p.tone(p.pick(*m.GREENS), 0.28), 0.28)
    hedge = p.tone(p.pick("#4f8f45", "#3f8a55"), 0.1)
    for x in np.linspace(-4, 104, 13):
        p.blob(x, horizon + 9, 7, 6, hedge, shade=dark(hedge, 0.2), lobes=8, far=0.15)
    lawn = _green(p)
    p.ridge(horizon + 14, 1.5, p.ground(lawn, 0.05), shade=p.ground(mix(lawn, "#3d8038", 0.4)))
    if p.chance(0.5):
        m.fence(p, horizon + 18, 9, p.tone(p.pick("#ffffff", "#c9a07a", "#b9d3d8")))
    if p.chance(0.5):
        _shed(p, p.between(12, 28) if p.chance(0.5) else p.between(72, 88), horizon + 20)
    path, cx = p.ground(p.pick("#e6d3a8", "#cfc6b8", "#d9b8a0")), p.between(40, 60)
    bend = p.between(-10, 10)
    p.poly(
        [
            (cx - 3 + bend, horizon + 15),
            (cx + 3 + bend, horizon + 15),
            (cx + 8, 78),
            (cx + 20, 102),
            (cx - 20, 102),
            (cx - 8, 78),
        ],
        path,
        shade=dark(path, 0.1),
        detail=True,
    )
    for k in range(7):
        y = 70 + 4.5 * k
        p.oval(cx + p.between(-1, 1) * (3 + k), y, 3 + 0.5 * k, 0.9 + 0.15 * k, dark(path, 0.1), detail=True)
    for side in (-1, 1):
        for row, y in enumerate((67, 73, 79)):
            a, b = sorted((cx + side * (11 + row * 4), cx + side * 60))
            soil = p.ground("#7a5a3f")
            p.poly([(a, y + 2), (b, y + 2), (b, y + 4), (a, y + 4)], soil, smooth=False)
            kind = p.pick("#e4504f", "#ffd94d", "#ff7fa8", "#a77be0", "#ffffff", "#f28a3a")
            for x in np.arange(max(a, -2) + 1, min(b, 102), 3.4 + 0.3 * row):
                leaf = p.tone("#4f9a45")
                p.blob(x, y + 2, 2.2, 2.2 + 0.3 * row, leaf, lobes=6, detail=True)
                if not p.snowy:
                    with p.weathering():
                        for dx, dy in ((-0.9, -0.4), (0.7, -1.2), (0.2, 0.6)):
                            p.oval(x + dx, y + 1 + dy, 0.85, 0.85, p.tone(kind, vary=0.03), detail=True)
    m.tufts(p, 90, 99, 12, p.ground(mix(lawn, "#2a6b2c", 0.4)))
    side = p.sign()
    p.layer("a rose bush", 87)
    m.bush(p, 50 + side * p.between(36, 45), 88, p.between(10, 13), p.tone(p.pick(*m.GREENS)))
    if not p.snowy:
        with p.weathering():
            for _ in range(9):
                rose = p.tone(p.pick("#e4405f", "#ff9ab8", "#fff0f0"))
                p.blob(50 + side * p.between(32, 48), p.between(78, 87), 1.3, 1.3, rose, lobes=5, detail=True)
    p.layer("flowers", 104)
    m.flowers(p, 95, 99, 16)
    m.weather(p, horizon)


@motif
def _shed(p: Painter, x: float, y: float) -> None:
    wood = p.tone(p.pick("#b5895a", "#8fb0a8", "#c9806a"))
    p.rect(x - 8, y - 12, 16, 12, wood, shade=dark(wood, 0.12))
    for k in range(1, 6):
        p.line([(x - 8 + 16 * k / 6, y - 12), (x - 8 + 16 * k / 6, y)], dark(wood, 0.15), 0.3)
    roof = p.ground(p.pick("#7a4f45", "#5f6f78"))
    p.poly([(x - 10, y - 11.5), (x, y - 19), (x + 10, y - 11.5)], roof)
    m.door(p, x - 2.5, y, 5, 9, p.tone("#6b4a35"))
    m.pane(p, x + 2, y - 9, 4, 4, bars=True)


@place(
    "volcano",
    "by a volcano",
    "at the foot of a volcano",
    "on a volcanic plain",
    "near rivers of lava",
    empty="a volcano",
    weathers=("clear", "cloudy"),
)
def volcano(p: Painter) -> None:
    horizon = p.between(56, 62)
    m.sky(p, horizon, clouds=0.3)
    rockc = p.pick("#6f5a60", "#5f5666", "#75605a")
    p.range(horizon + 3, 18, p.tone(rockc, 0.5), peaks=5, far=0.5)
    cx, h, w = p.between(32, 68), p.between(40, 48), p.between(34, 42)
    top = horizon - h + 6
    lava = (rgb("#ffd24a"), rgb("#f2542a"))
    for k in range(6):
        p.mist(cx + p.between(-4, 4) + k * 2, top - 3 - 4 * k, 7 + 2.6 * k, 5 + k, p.tone("#8a7f8a", 0.1), 0.8)
    p.glow(cx, top, 24, lava[1], 0.75)
    body = p.tone(rockc, 0.12)
    slope = [
        (cx - w, horizon + 6),
        (cx - w * 0.5, horizon - h * 0.35),
        (cx - 7, top),
        (cx - 3, top + 2),
        (cx + 3, top + 1.4),
        (cx + 7, top),
    ]
    p.poly([*slope, (cx + w * 0.48, horizon - h * 0.35), (cx + w, horizon + 6)], body, shade=dark(body, 0.2), far=0.1)
    p.poly(
        [
            (cx + 7, top),
            (cx + w * 0.48, horizon - h * 0.35),
            (cx + w, horizon + 6),
            (cx + w * 0.4, horizon + 6),
            (cx + 8, horizon - h * 0.4),
        ],
        dark(body, 0.2),
        detail=True,
    )
    p.poly(
        [(cx - 6, top + 0.6), (cx, top - 1.5), (cx + 6, top + 0.6), (cx + 3, top + 2.4), (cx - 3, top + 2.6)], lava[0]
    )
    for x in (cx - 3, cx + 2.5, cx):
        bend = p.between(-9, 9)
        pts = [(x, top + 1), (x + bend * 0.3, top + h * 0.3), (x + bend, top + h * 0.62), (x + bend * 1.5, horizon + 4)]
        p.line(pts, lava[1], 2.4, smooth=True)
        p.line(pts, lava[0], 1.0, smooth=True)
    for _ in range(9):
        r = p.between(0.4, 1.0)
        p.oval(cx + p.between(-16, 16), top - p.between(2, 18), r, r, p.pick(*lava), detail=True)
    soil = p.tone(mix(rockc, "#3a2f36", 0.35))
    p.ridge(horizon + 5, 4, soil, shade=dark(soil, 0.3), waves=2)
    # The lava bends aside, so that the middle stays ground to stand on.
    away = 50 + p.sign() * p.between(44, 50)
    pts = [
        (cx + (away - cx) * t**1.5 + p.between(-3, 3), horizon + 5 + (99 - horizon) * t) for t in np.linspace(0, 1, 7)
    ]
    p.glow(pts[2][0], pts[2][1], 24, lava[1], 0.3)
    for width, colour in ((5.0, lava[1]), (2.2, lava[0])):
        left = [(a - width * (0.3 + (b - horizon) / 26), b) for a, b in pts]
        right = [(a + width * (0.3 + (b - horizon) / 26), b) for a, b in pts[::-1]]
        p.poly([*left, *right], colour, smooth=True)
    for _ in range(10):
        m.rock(
            p, p.between(0, 100), p.between(horizon + 12, 98), p.between(1.5, 4.5), p.tone(mix(rockc, "#2f2630", 0.3))
        )
    side = p.sign()
    p.layer("a rock", 86)
    m.rock(p, 50 + side * p.between(36, 46), 87, p.between(9, 14), p.tone(rockc))
    p.layer("rocks", 104)
    m.rock(p, 50 - side * p.between(38, 50), 104, p.between(10, 15), p.tone(mix(rockc, "#2f2630", 0.4)))
    m.weather(p, horizon)


@place("canyon", "in a canyon", "in a red canyon", "between red cliffs", empty="a canyon", weathers=DRY)
def canyon(p: Painter) -> None:
    horizon = p.between(50, 58)
    m.sky(p, horizon, clouds=0.6)
    red = p.pick("#cf7448", "#c96a52", "#d98a55", "#b9604a")
    for far, reach, top in ((0.5, 22, 26), (0.28, 34, 16), (0.06, 46, 4)):
        for side in (-1, 1):
            colour = p.tone(red, far)
            edge = 50 + side * (54 - reach) + p.between(-3, 3)
            out = 50 + side * 56
            h = top + p.between(-4, 6)
            steps = [
                (out, h),
                (edge + side * 9, h + p.between(-2, 2)),
                (edge + side * 6, h + 10),
                (edge + side * 3, h + 12),
                (edge + side * 1, h + 24),
            ]
            p.poly(
                [*steps, (edge - side * 2, horizon + 9), (edge - side * 5, horizon + 14), (out, horizon + 20)],
                colour,
                shade=dark(colour, 0.2),
                far=far,
            )
            for k in range(1, 7):
                y = h + (horizon + 8 - h) * k / 7
                tint = pale(colour, 0.2) if k % 2 else dark(colour, 0.14)
                inner = edge + side * (7 - 1.2 * k)
                p.line(
                    [(out, y + p.between(-1, 1)), ((out + inner) / 2, y + p.between(-1, 1)), (inner + side * 2, y)],
                    tint,
                    p.between(0.6, 1.6),
                    smooth=True,
                )
    sand = p.tone(p.pick("#e8b47f", "#e0a878"))
    p.ridge(horizon + 10, 3, mix(sand, p.haze, 0.12), shade=dark(sand, 0.14), waves=1.5)
    if p.chance(0.5):
        tint, x0 = p.tone("#4fa0b8"), p.between(40, 60)
        p.poly(
            [
                (x0 - 1, horizon + 11),
                (x0 + 8, horizon + 16),
                (x0 - 6, horizon + 21),
                (x0 + 3, 80),
                (x0 + 14, 80),
                (x0 + 6, horizon + 21),
                (x0 + 16, horizon + 16),
                (x0 + 2, horizon + 11),
            ],
            tint,
            smooth=True,
        )
    for _ in range(p.count(4, 7)):
        m.rock(p, p.between(0, 100), p.between(horizon + 18, 84), p.between(1.5, 4), p.tone(red))
    for x in p.spread(p.count(1, 3)):
        if abs(x - 50) > 16:
            m.cactus(p, x, p.between(74, 82), p.between(8, 14), p.tone("#5f9a5a"))
    m.tufts(p, 80, 98, 8, p.tone("#a89a4a"))
    side = p.sign()
    p.layer("a boulder", 87)
    m.rock(p, 50 + side * p.between(36, 46), 88, p.between(10, 14), p.tone(red))
    p.layer("rocks", 104)
    m.rock(p, 50 - side * p.between(38, 50), 104, p.between(9, 14), p.tone(dark(red, 0.2)))
    m.weather(p, horizon)
