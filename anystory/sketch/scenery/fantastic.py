"""Places of stories: space, clouds, sweets, spirits and pirates."""

from __future__ import annotations

import math

import numpy as np

from anystory.sketch.scenery import motifs as m
from anystory.sketch.scenery.colour import dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, motif
from anystory.sketch.scenery.place import place


@motif
def _stars(p: Painter, count: int, low: float) -> None:
    for _ in range(count):
        r = p.between(0.12, 0.45)
        c = mix(p.pick("#ffffff", "#ffe9c0", "#c9dcff"), p.sky_top, p.between(0, 0.5))
        p.oval(p.between(0, 100), p.between(0, low), r, r, c, detail=True)


@motif
def _planet(p: Painter, x: float, y: float, r: float) -> None:
    colour = rgb(p.pick("#e08f5a", "#6fb0d9", "#c9a0e0", "#d9c07a", "#7fc9a0", "#d96f6f", "#5f8fd0"))
    p.glow(x, y, r * 1.7, colour, 0.35)
    ring = p.chance(0.4)
    if ring:
        back = [
            (x + r * 1.9 * math.cos(a), y + r * 0.5 * math.sin(a) - r * 0.1 * math.cos(a))
            for a in np.linspace(math.pi, 2 * math.pi, 15)
        ]
        p.line(back, mix(colour, "#ffffff", 0.35), r * 0.16, smooth=True)
    p.oval(x, y, r, r, pale(colour, 0.15), shade=dark(colour, 0.3))
    for k in range(p.count(2, 4)):
        t = p.between(-0.7, 0.7)
        half = r * math.sqrt(1 - t * t)
        if p.chance(0.5):
            p.line(
                [(x - half * 0.92, y + t * r), (x, y + t * r + r * 0.1), (x + half * 0.92, y + t * r)],
                mix(colour, "#ffffff" if k % 2 else "#402050", 0.2),
                r * p.between(0.08, 0.2),
                smooth=True,
            )
        else:
            q = r * p.between(0.1, 0.2)
            p.oval(x + half * p.between(-0.6, 0.6), y + t * r, q, q * 0.9, dark(colour, 0.22), detail=True)
    if ring:
        front = [
            (x + r * 1.9 * math.cos(a), y + r * 0.5 * math.sin(a) - r * 0.1 * math.cos(a))
            for a in np.linspace(0, math.pi, 15)
        ]
        p.line(front, mix(colour, "#ffffff", 0.5), r * 0.16, smooth=True)


@place(
    "space",
    "in space",
    "on the moon",
    "on a strange planet",
    "in outer space",
    "among the stars and planets",
    empty="outer space",
    times=("",),
    weathers=("",),
    ground=(0.84, 0.95),
)
def space(p: Painter) -> None:
    top, low = p.pick("#0e0f30", "#0c1a33", "#1e0f3a", "#0d2030"), p.pick("#35306f", "#1f4f78", "#5a2f70", "#2f5f6f")
    p.sky_top, p.haze = rgb(top), rgb(low)
    p.night = True
    p.horizon = 74
    p.wash(0, 101, p.sky_top, p.haze, torn=True)
    for _ in range(4):
        p.mist(
            p.between(0, 100),
            p.between(5, 60),
            p.between(18, 40),
            p.between(8, 18),
            rgb(p.pick("#8a4fc9", "#3f7fd0", "#d0508f", "#3fb0a8")),
            0.4,
        )
    _stars(p, p.count(60, 110), 78)
    for _ in range(p.count(2, 4)):
        x, y = p.between(4, 96), p.between(4, 60)
        for dx, dy in ((2.2, 0.3), (0.3, 2.2)):
            p.oval(x, y, dx, dy, rgb("#ffffff"), detail=True)
    for x in p.spread(p.count(1, 3), 10, 90):
        _planet(p, x, p.between(12, 48), p.between(5, 13))
    if p.chance(0.5):
        x, y, s = p.between(15, 85), p.between(14, 45), p.sign()
        p.line([(x, y), (x - s * 12, y - 6)], mix(low, "#ffffff", 0.5), 0.7)
        p.oval(x, y, 1, 1, rgb("#ffffff"))
    soil = p.pick("#9a9cb0", "#c07a62", "#8388ab", "#b5a582", "#8f7fb0")
    p.range(74, 14, mix(soil, low, 0.6), peaks=5, far=0.5)
    p.ridge(74, 5, mix(rgb(soil), rgb(low), 0.3), waves=2, far=0.3)
    p.ridge(79, 4, rgb(soil), shade=dark(soil, 0.4), waves=1.2)
    for x in p.spread(9):
        y = p.between(82, 99)
        w = 3 + 4 * (y - 80) / 20
        p.oval(x, y, w, w * 0.28, dark(soil, 0.34))
        p.oval(x, y + w * 0.06, w * 0.85, w * 0.2, dark(soil, 0.18), detail=True)
    if p.chance(0.5):
        _rocket(p, p.sign() * p.between(22, 32) + 50, 83, p.between(30, 38))
    side = p.sign()
    p.layer("a moon rock", 88)
    m.rock(p, 50 + side * p.between(37, 45), 89, p.between(9, 13), dark(soil, 0.1))
    if p.chance(0.6):
        p.layer("rocks", 104)
        m.rock(p, 50 - side * p.between(40, 50), 104, p.between(9, 13), dark(soil, 0.4))


@motif
def _rocket(p: Painter, x: float, y: float, h: float) -> None:
    body, red = rgb("#eef1f6"), rgb(p.pick("#e0503f", "#4a90d9", "#f2a03f", "#5ab56a"))
    for s in (-1, 1):
        p.poly(
            [
                (x + s * h * 0.13, y - h * 0.35),
                (x + s * h * 0.3, y - h * 0.12),
                (x + s * h * 0.28, y),
                (x + s * h * 0.12, y - h * 0.12),
            ],
            red,
        )
    p.poly(
        [
            (x - h * 0.12, y - h * 0.08),
            (x - h * 0.17, y - h * 0.45),
            (x - h * 0.1, y - h * 0.78),
            (x, y - h),
            (x + h * 0.1, y - h * 0.78),
            (x + h * 0.17, y - h * 0.45),
            (x + h * 0.12, y - h * 0.08),
        ],
        body,
        shade=dark(body, 0.15),
        smooth=False,
    )
    p.poly([(x - h * 0.1, y - h * 0.78), (x, y - h), (x + h * 0.1, y - h * 0.78)], red)
    p.oval(x, y - h * 0.56, h * 0.075, h * 0.075, red)
    p.oval(x, y - h * 0.56, h * 0.05, h * 0.05, rgb("#8fd6f0"))
    p.rect(x - h * 0.1, y - h * 0.09, h * 0.2, h * 0.05, rgb("#6f7686"))


@place(
    "spaceship",
    "in a spaceship",
    "aboard a spaceship",
    "on the bridge of a starship",
    "in the cockpit of a spaceship",
    empty="the inside of a spaceship",
    times=("",),
    weathers=("",),
    ground=(0.86, 0.95),
)
def spaceship(p: Painter) -> None:
    p.sky_top, p.haze = rgb(p.pick("#0e0f30", "#0c1a33", "#1e0f3a")), rgb(p.pick("#35306f", "#1f4f78", "#5a2f70"))
    hull, trim = rgb(p.pick("#9aa6b8", "#b5aec4", "#8fa8ad", "#c4bfb5")), rgb(p.pick(*m.BRIGHTS))
    p.horizon = 73
    p.wash(0, 74, dark(hull, 0.25), hull)
    top, low, cx = p.between(10, 14), p.between(46, 50), 50.0
    for grow, paint in ((3.4, pale(hull, 0.35)), (1.8, dark(hull, 0.4))):
        p.poly(
            [(10 - grow, low + grow), (18 - grow, top - grow), (82 + grow, top - grow), (90 + grow, low + grow)], paint
        )
    p.poly([(10, low), (18, top), (82, top), (90, low)], p.sky_top, shade=p.haze, detail=True)
    for _ in range(45):
        x, y, r = p.between(19, 81), p.between(top + 1, low - 1), p.between(0.12, 0.4)
        p.oval(x, y, r, r, rgb("#ffffff"), detail=True)
    _planet(p, p.between(28, 72), p.between(top + 10, low - 10), p.between(6, 10))
    for x in (36.5, 63.5):
        p.poly(
            [
                (x - 1 + (x - cx) * 0.1, low),
                (x - 1 - (x - cx) * 0.02, top),
                (x + 1 - (x - cx) * 0.02, top),
                (x + 1 + (x - cx) * 0.1, low),
            ],
            dark(hull, 0.2),
        )
    p.rect(-2, 52, 104, 3, trim)
    for x in p.spread(6, -2, 102, 0.1):
        p.rect(x - 7, 57, 14, 13, dark(hull, 0.1), r=1.4)
        kind = p.pick("lights", "screen", "vent")
        if kind == "lights":
            for k in range(8):
                p.oval(
                    x - 4.6 + 3 * (k % 4),
                    61 + 4.6 * (k // 4),
                    0.95,
                    0.95,
                    rgb(p.pick("#ff6a5a", "#ffd24a", "#6ae08a", "#6ab8ff")),
                    detail=True,
                )
        elif kind == "screen":
            p.rect(x - 5, 59, 10, 8.6, rgb("#173040"), r=0.8)
            p.line([(x - 4 + k, 64 - 2.6 * math.sin(k * p.between(0.6, 1.2))) for k in range(9)], rgb("#7fffc0"), 0.6)
        else:
            for k in range(4):
                p.rect(x - 5, 59.4 + 2.4 * k, 10, 1.1, dark(hull, 0.4), detail=True)
    floor = dark(hull, 0.3)
    p.wash(73, 101, dark(floor, 0.25), floor)
    for x in np.linspace(-70, 170, 13):
        p.line([(50 + (x - 50) * 0.45, 73), (x, 101)], dark(floor, 0.3), 0.4)
    for y in (76, 81, 88, 97):
        p.line([(-2, y), (102, y)], dark(floor, 0.3), 0.4)
    for s in (-1, 1):
        for k in range(4):
            y = 76 + 6 * k
            p.mist(50 + s * (26 + 6 * k), y, 3.6, 1.2, rgb("#9ff0ff"), 0.9)
    p.rect(-2, 71.4, 104, 2.4, pale(hull, 0.2))
    p.line([(0, 3), (100, 3)], pale(trim, 0.3), 1.1)
    for x in (20, 50, 80):
        p.glow(x, 3, 16, rgb("#eafaff"), 0.5)
    side = p.sign()
    p.layer("a control desk", 89)
    x = 50 + side * p.between(40, 44)
    p.poly([(x - 17, 90), (x - 15, 76), (x + 15, 76), (x + 17, 90)], hull, shade=dark(hull, 0.3))
    p.poly([(x - 18, 77), (x - 14, 70), (x + 14, 70), (x + 18, 77)], pale(hull, 0.25))
    for k in range(12):
        p.oval(
            x - 12 + 4.8 * (k % 6),
            72 + 2.8 * (k // 6),
            1,
            0.8,
            rgb(p.pick("#ff6a5a", "#ffd24a", "#6ae08a", "#6ab8ff")),
            detail=True,
        )
    p.line([(x + side * 4, 70), (x + side * 4, 65)], dark(hull, 0.4), 0.9)
    p.oval(x + side * 4, 64.4, 1.5, 1.5, rgb("#ff5a4a"))
    if p.chance(0.6):
        p.layer("a pilot's seat", 103)
        sx, c = 50 - side * p.between(38, 42), trim
        p.rect(sx - 8, 78, 16, 22, c, r=4, shade=dark(c, 0.3))
        p.rect(sx - 5, 74, 10, 6, pale(c, 0.1), r=2)
        for s in (-1, 1):
            p.rect(sx + s * 9 - 1.6, 88, 3.2, 10, dark(hull, 0.4), r=1)


@place(
    "sky",
    "in the sky",
    "above the clouds",
    "high in the sky",
    "up in the air",
    empty="the sky",
    weathers=("clear",),
    ground=(0.88, 0.95),
    floats=True,
)
def sky(p: Painter) -> None:
    m.sky(p, 84, clouds=1.2)
    lit = rgb({"day": "#ffffff", "sunrise": "#fff0ea", "sunset": "#ffc9ac", "night": "#5a6aa5"}[p.time])
    kind = p.pick("balloons", "islands", "kites", "plain", "rainbow")
    if kind == "balloons":
        for x in p.spread(p.count(2, 4), 8, 92):
            _balloon(p, x, p.between(16, 48), p.between(4, 8))
    elif kind == "islands":
        for x in p.spread(p.count(1, 2), 12, 88):
            _floating(p, x, p.between(30, 52), p.between(8, 13))
    elif kind == "kites":
        for x in p.spread(p.count(2, 3), 10, 90):
            y, s, c = p.between(15, 45), p.between(3.5, 5.5), p.tone(p.pick(*m.BRIGHTS))
            p.poly([(x, y - s * 1.2), (x + s, y), (x, y + s * 1.5), (x - s, y)], c)
            p.poly([(x, y - s * 1.2), (x + s, y), (x, y + s * 1.5)], pale(c, 0.25), detail=True)
            p.line(
                [(x, y + s * 1.5), (x + s * 0.7, y + s * 2.4), (x - s * 0.4, y + s * 3.2), (x + s * 0.4, y + s * 4.2)],
                dark(c, 0.2),
                0.4,
                smooth=True,
            )
    elif kind == "rainbow" and not p.night:
        with p.lighting():
            _rainbow(p, p.between(30, 70))
    for far, y in ((0.55, 72), (0.3, 80), (0.0, 88)):
        body = mix(lit, p.haze, far)
        for x in p.spread(6, -8, 108):
            w = p.between(13, 20)
            p.blob(
                x,
                y + p.between(-3, 3),
                w,
                w * p.between(0.5, 0.65),
                body,
                shade=mix(body, p.sky_top, 0.22),
                lobes=p.count(8, 11),
                far=0.5 + far * 0.4,
            )
        p.rect(-2, y + 5, 104, 103 - y - 5, mix(body, p.sky_top, 0.1), detail=True)
    p.layer("a cloud", 90)
    side = p.sign()
    for dx, w in ((0, 15), (14, 10)):
        p.blob(
            50 + side * (40 + dx - 4),
            90,
            w,
            w * 0.62,
            pale(lit, 0.2 if not p.night else 0.05),
            shade=mix(lit, p.sky_top, 0.22),
            lobes=9,
            far=0.3,
        )
    p.layer("clouds", 106)
    for x in p.spread(7, -6, 106):
        w = p.between(11, 16)
        p.blob(
            x,
            103,
            w,
            w * 0.6,
            pale(lit, 0.15 if not p.night else 0.0),
            shade=mix(lit, p.sky_top, 0.15),
            lobes=8,
            far=0.3,
        )


@motif
def _rainbow(p: Painter, x: float) -> None:
    for k, c in enumerate(("#ef5f5f", "#f2a04a", "#f7e06a", "#6fc97a", "#5fa8e0", "#9f7fd9")):
        r = 46 - 2.1 * k
        arch = [(x + r * math.cos(a), 78 - r * math.sin(a)) for a in np.linspace(0, math.pi, 22)]
        p.line(arch, mix(c, p.haze, 0.35), 2.3, smooth=True)


@motif
def _balloon(p: Painter, x: float, y: float, r: float) -> None:
    a, b = p.tone(p.pick(*m.BRIGHTS)), p.tone(p.pick(*m.BRIGHTS, "#fff8ec"))
    for k, (w, c) in enumerate(((1.0, a), (0.72, b), (0.42, a), (0.14, b))):
        shape = [
            (x - r * 0.28 * w, y + r * 1.25),
            (x - r * w, y + r * 0.15),
            (x - r * 0.8 * w, y - r * 0.65),
            (x, y - r * 1.05),
            (x + r * 0.8 * w, y - r * 0.65),
            (x + r * w, y + r * 0.15),
            (x + r * 0.28 * w, y + r * 1.25),
        ]
        p.poly(shape, c, shade=dark(c, 0.12), smooth=True, detail=k > 0)
    for s in (-1, 1):
        p.line([(x + s * r * 0.26, y + r * 1.25), (x + s * r * 0.2, y + r * 1.7)], p.tone("#6b4a35"), 0.3)
    p.rect(x - r * 0.25, y + r * 1.65, r * 0.5, r * 0.38, p.tone("#a8703f"), r=0.4)


@motif
def _floating(p: Painter, x: float, y: float, w: float) -> None:
    rock = p.tone("#9a8272", 0.1)
    p.poly(
        [
            (x - w, y),
            (x - w * 0.6, y + w * 0.55),
            (x - w * 0.2, y + w * 0.7),
            (x, y + w * 1.2),
            (x + w * 0.3, y + w * 0.65),
            (x + w * 0.7, y + w * 0.4),
            (x + w, y),
        ],
        rock,
        shade=dark(rock, 0.3),
        far=0.1,
    )
    grass = p.tone("#7fbf5a", 0.08)
    p.blob(x, y, w * 1.06, w * 0.22, grass, shade=dark(grass, 0.15), lobes=10, far=0.1)
    m.tree(p, x - w * 0.4, y - w * 0.05, w * 0.9, p.tone(p.pick(*m.GREENS), 0.08), 0.08, "round")
    m.house(p, x + w * 0.35, y - w * 0.02, w * 0.6, w * 0.35, 0.08)


@place(
    "candy land",
    "in candy land",
    "in a land of sweets",
    "among lollipops and sweets",
    empty="a land of sweets",
    weathers=("clear", "cloudy"),
    ground=(0.82, 0.95),
)
def candy(p: Painter) -> None:
    horizon = p.between(52, 58)
    m.sky(p, horizon)
    pinks = ("#f7b3cf", "#c9b3f0", "#a8e0d3", "#ffd9a0", "#f4a8a8")
    for far, y in ((0.45, horizon - 2), (0.22, horizon + 5)):
        c = p.tone(p.pick(*pinks), far)
        p.ridge(y, 12, c, waves=p.between(1.5, 2.5), far=far)
    edge_y = horizon + 12
    cake_x = p.between(25, 75)
    if p.chance(0.6):
        sponge, icing = p.tone("#e6b878", 0.06), p.tone(p.pick("#ffffff", "#ff9fc0", "#8f5a3a"), 0.04)
        for k, w in enumerate((17, 11.5, 6.5)):
            y = edge_y + 6 - 9.5 * k
            p.rect(cake_x - w, y - 9, 2 * w, 9.6, sponge, r=1, shade=dark(sponge, 0.15))
            drip = np.linspace(-w, w, 15)
            ys = y - 6.5 + 1.6 * np.abs(np.sin(drip * 0.9))
            p.poly(
                [
                    (cake_x - w - 0.6, y - 10.4),
                    (cake_x + w + 0.6, y - 10.4),
                    *zip(cake_x + drip[::-1] * 1.03, ys[::-1], strict=True),
                ],
                icing,
            )
        p.oval(cake_x, edge_y - 25.6, 2.2, 2.2, p.tone("#d9304a"))
    for x in p.spread(p.count(3, 5)):
        if abs(x - cake_x) > 16:
            _lollipop(p, x, p.between(edge_y + 1, edge_y + 7), p.between(18, 30))
    near = p.pick("#a8e0b0", "#f7c3d9", "#bfe3f0", "#fbe0a8")
    p.ridge(edge_y + 4, 3, p.tone(near), shade=p.tone(mix(near, "#d98fb0", 0.4)), waves=1.5)
    path, cx = p.tone(p.pick("#8f5a3a", "#fff3e0")), p.between(40, 60)
    p.poly(
        [(cx - 2, edge_y + 5), (cx + 2, edge_y + 5), (cx + 12, 82), (cx + 24, 102), (cx - 24, 102), (cx - 6, 82)],
        path,
        shade=dark(path, 0.12),
        detail=True,
    )
    for _ in range(30):
        x, y, r = p.between(0, 100), p.between(edge_y + 10, 99), p.between(0.5, 1.1)
        p.oval(x, y, r, r * 0.7, p.tone(p.pick(*m.BRIGHTS)), detail=True)
    for x in p.spread(4):
        c, y = p.tone(p.pick(*m.BRIGHTS)), p.between(edge_y + 9, 82)
        turn = np.linspace(math.pi, 2 * math.pi, 9)
        p.poly([(x + 3.4 * math.cos(a), y + 4 * math.sin(a)) for a in turn], c, shade=dark(c, 0.18))
        p.oval(x - 1, y - 2.4, 0.8, 0.6, pale(c, 0.7), detail=True)
    side = p.sign()
    p.layer("a lollipop", 87)
    _lollipop(p, 50 + side * p.between(36, 43), 88, p.between(42, 54))
    p.layer("a gumdrop", 103)
    x, c = 50 - side * p.between(38, 45), p.tone(p.pick(*m.BRIGHTS))
    turn = np.linspace(math.pi, 2 * math.pi, 11)
    p.poly(
        [(x - 9, 104), *((x + 8.4 * math.cos(a), 95 + 9 * math.sin(a)) for a in turn), (x + 9, 104)],
        c,
        shade=dark(c, 0.2),
    )
    for _ in range(14):
        p.oval(x + p.between(-7, 7), p.between(88, 102), 0.5, 0.5, pale(c, 0.7), detail=True)
    m.weather(p, horizon)


@motif
def _lollipop(p: Painter, x: float, y: float, h: float) -> None:
    p.rect(x - h * 0.022, y - h * 0.75, h * 0.044, h * 0.75, p.tone("#fff8ec"))
    a, r, cy = p.tone(p.pick(*m.BRIGHTS)), h * 0.24, y - h * 0.78
    p.oval(x, cy, r, r, a)
    turn = np.linspace(0, 5 * math.pi, 34)
    p.line(
        [(x + r * 0.92 * t / turn[-1] * math.cos(t), cy + r * 0.92 * t / turn[-1] * math.sin(t)) for t in turn],
        pale(a, 0.75),
        r * 0.16,
        smooth=True,
    )


@place(
    "mushroom forest",
    "in an enchanted forest",
    "among giant mushrooms",
    "in a magic forest",
    "in a fairy wood",
    empty="an enchanted forest",
    weathers=("clear", "fog"),
    ground=(0.83, 0.95),
)
def mushrooms(p: Painter) -> None:
    horizon = 60.0
    m.sky(p, horizon, clouds=0.3)
    hue = p.pick("#5f7fb0", "#6f6ab0", "#4f9a95", "#8a6fa8")
    for far, y, h in ((0.6, 58, 46), (0.38, 64, 40)):
        c = p.tone(hue, far)
        p.ridge(y, 4, c, far=far)
        for x in p.spread(7, -4, 104):
            w = p.between(1.6, 3)
            bend = p.between(-5, 5)
            p.line([(x, y + 4), (x + bend * 0.4, y - h * 0.5), (x + bend, y - h)], c, w, smooth=True)
            for dx, dy, r in ((-6, 4, 8), (6, 2, 8), (0, -3, 9)):
                p.blob(x + bend + dx, y - h + dy, r, r * 0.7, mix(c, dark(c, 0.2), p.between(0, 0.6)), lobes=8, far=far)
    soil = p.pick("#5f9a7a", "#6f8fa0", "#7f8fb0", "#6fa06a")
    p.ridge(68, 4, p.tone(soil, 0.1), shade=p.tone(mix(soil, "#2f3060", 0.5)), waves=1.6)
    caps = ("#e0504f", "#e08f4f", "#b06fd0", "#4fa0d0", "#ef7fa8", "#e6c04a")
    for x in p.spread(p.count(3, 4), 4, 96):
        h = p.between(26, 42) * (0.75 if abs(x - 50) < 18 else 1)
        y = p.between(72, 79)
        if p.night:
            with p.lighting():
                p.glow(x, y - h * 0.6, h * 0.7, rgb("#9ff0e0"), 0.4)
        m.mushroom(p, x, y, h, p.tone(p.pick(*caps), 0.04))
        if p.chance(0.4):
            p.rect(x - h * 0.05, y - h * 0.2, h * 0.1, h * 0.2, p.tone("#8f5a3a"), r=h * 0.05)
            m.pane(p, x - h * 0.03, y - h * 0.38, h * 0.06, h * 0.07, lit=1.0)
    for _ in range(p.count(5, 9)):
        m.mushroom(p, p.between(2, 98), p.between(80, 98), p.between(4, 7), p.tone(p.pick(*caps)))
    for _ in range(22):
        x, y, r = p.between(0, 100), p.between(24, 92), p.between(0.4, 0.8)
        p.glow(x, y, r * 5, rgb("#fff3a8"), 0.7)
        p.oval(x, y, r, r, rgb("#fffbe0"), detail=True)
    m.tufts(p, 80, 98, 16, p.tone(mix(soil, "#1f5a4c", 0.5)))
    side = p.sign()
    p.layer("a giant mushroom", 88)
    m.mushroom(p, 50 + side * p.between(42, 47), 89, p.between(38, 48), p.tone(p.pick(*caps)))
    m.grass_front(p, p.tone(mix(soil, "#1f5a4c", 0.5)), height=10, name="ferns")
    m.weather(p, horizon)


@place(
    "graveyard",
    "in front of a haunted house",
    "in a graveyard",
    "by a haunted house",
    "in a spooky old graveyard",
    empty="a haunted house",
    weathers=("clear", "cloudy", "fog", "rain"),
    times=("night", "sunset", "day"),
    ground=(0.83, 0.95),
)
def graveyard(p: Painter) -> None:
    horizon = p.between(56, 60)
    m.sky(p, horizon, clouds=0.8)
    hill = p.pick("#6f7f62", "#6a6f7f", "#7a7562")
    edge = p.ridge(horizon + 2, 12, p.tone(hill, 0.3), waves=1.2, far=0.3)
    hx = p.between(36, 64)
    _haunted(p, hx, edge(hx) + 4, p.between(0.9, 1.08))
    ground = p.pick("#6f8055", "#74756a", "#7f7a58")
    p.ridge(horizon + 12, 4, p.tone(ground, 0.04), shade=p.tone(mix(ground, "#2f3038", 0.5)), waves=1.6)
    path = p.tone("#a89a85")
    p.poly(
        [(hx - 2, horizon + 12), (hx + 2, horizon + 12), (54, 82), (72, 102), (34, 102), (44, 82)],
        path,
        shade=dark(path, 0.2),
        detail=True,
    )
    for side in (-1, 1):
        _bare_tree(p, 50 + side * p.between(33, 44), horizon + p.between(14, 20), p.between(34, 46), side)
    for x in p.spread(6, 2, 98):
        if abs(x - 52) > 9:
            _stone(p, x, p.between(horizon + 17, 82), p.between(5, 8))
    if p.chance(0.6):
        for x in p.spread(3):
            _pumpkin(p, x, p.between(81, 84), p.between(2.4, 3.6))
    bat = p.tone("#3a3444")
    for _ in range(p.count(3, 6)):
        x, y, s = p.between(6, 94), p.between(8, 40), p.between(1.6, 3)
        p.poly(
            [
                (x, y + s * 0.4),
                (x - s * 0.5, y),
                (x - s * 1.5, y - s * 0.3),
                (x - s * 0.6, y - s * 0.55),
                (x - s * 0.2, y - s * 0.2),
                (x, y - s * 0.5),
                (x + s * 0.2, y - s * 0.2),
                (x + s * 0.6, y - s * 0.55),
                (x + s * 1.5, y - s * 0.3),
                (x + s * 0.5, y),
            ],
            bat,
            detail=True,
        )
    m.tufts(p, 80, 98, 16, p.tone(mix(ground, "#2a3a2c", 0.5)))
    for _ in range(3):
        p.mist(p.between(0, 100), p.between(74, 84), p.between(20, 34), p.between(2, 4), p.tone("#dfe6ee"), 0.4)
    side = p.sign()
    p.layer("a gravestone", 88)
    _stone(p, 50 + side * p.between(36, 43), 89, p.between(14, 18))
    p.layer("an iron fence", 104)
    iron = p.tone("#3a3a44")
    p.rect(-2, 95, 104, 1, iron)
    p.rect(-2, 100, 104, 1, iron)
    for x in np.arange(1, 101, 5.5):
        p.rect(x - 0.45, 93.5, 0.9, 9, iron, detail=True)
        p.poly([(x - 1, 94), (x, 91.4), (x + 1, 94)], iron, detail=True)
    m.weather(p, horizon)


@motif
def _haunted(p: Painter, x: float, y: float, s: float) -> None:
    wall, roof = p.tone(p.pick("#7a7086", "#6f7a80", "#857566"), 0.08), p.tone("#4f4860", 0.08)
    lit = rgb("#ffd35a") if p.time != "day" else p.tone("#4a4656")

    def part(dx: float, w: float, h: float, peak: float) -> None:
        p.rect(x + (dx - w / 2) * s, y - h * s, w * s, h * s, wall, shade=dark(wall, 0.2))
        p.poly(
            [
                (x + (dx - w * 0.65) * s, y - h * s + 0.2),
                (x + dx * s + 0.8, y - (h + peak) * s),
                (x + (dx + w * 0.65) * s, y - h * s + 0.2),
            ],
            roof,
            shade=dark(roof, 0.2),
        )

    part(-13, 10, 26, 13)
    part(13, 9, 22, 11)
    part(0, 18, 18, 13)
    for dx, dy, w in ((-13, 21, 3), (13, 17, 2.8), (-5, 14, 3.4), (5, 14, 3.4), (0, 23, 2.6), (-13, 11, 3)):
        h = w * 1.5
        p.rect(x + (dx - w / 2) * s, y - dy * s, w * s, h * s, lit if p.chance(0.8) else dark(wall, 0.5), r=w * 0.5)
        p.line([(x + dx * s, y - dy * s), (x + dx * s, y + (h - dy) * s)], dark(wall, 0.5), 0.3)
    p.rect(x - 2.4 * s, y - 7.6 * s, 4.8 * s, 7.6 * s, p.tone("#4a3230"), r=2.2)


@motif
def _bare_tree(p: Painter, x: float, y: float, h: float, side: int) -> None:
    bark = p.tone("#50454c")
    p.poly(
        [
            (x - h * 0.07, y),
            (x - h * 0.035, y - h * 0.4),
            (x - side * h * 0.05, y - h * 0.7),
            (x + h * 0.03, y - h * 0.4),
            (x + h * 0.07, y),
        ],
        bark,
    )
    for t, reach, up in ((0.35, -0.3, 0.2), (0.45, 0.32, 0.24), (0.58, -0.26, 0.26), (0.64, 0.2, 0.3)):
        a = (x - side * h * 0.05 * t, y - h * t)
        b = (a[0] + side * reach * h * 0.6, a[1] - h * up * 0.4)
        c = (a[0] + side * reach * h, a[1] - h * up)
        p.line([a, b, c], bark, h * 0.03, smooth=True)
        p.line([b, (b[0] + reach * side * h * 0.1, b[1] - h * 0.16)], bark, h * 0.016)
        p.line([b, (b[0] + reach * side * h * 0.4, b[1] + h * 0.03)], bark, h * 0.014)


@motif
def _stone(p: Painter, x: float, y: float, h: float) -> None:
    grey = p.tone(p.pick("#9a9aa2", "#8f958f", "#a8a098"))
    lean = p.between(-0.1, 0.1) * h
    if p.chance(0.3):
        w = h * 0.14
        p.rect(x - w, y - h, 2 * w, h, grey, shade=dark(grey, 0.2))
        p.rect(x - h * 0.36, y - h * 0.76, h * 0.72, 2 * w, grey)
        return
    turn = np.linspace(math.pi, 2 * math.pi, 8)
    r = h * 0.34
    p.poly(
        [
            (x - r, y + 0.3),
            *((x + lean + r * math.cos(a), y - h * 0.66 + r * math.sin(a)) for a in turn),
            (x + r, y + 0.3),
        ],
        grey,
        shade=dark(grey, 0.25),
    )
    for k in range(3):
        p.line(
            [
                (x - r * 0.5 + lean * 0.6, y - h * (0.64 - 0.13 * k)),
                (x + r * 0.5 + lean * 0.6, y - h * (0.64 - 0.13 * k)),
            ],
            dark(grey, 0.3),
            0.35,
        )


@motif
def _pumpkin(p: Painter, x: float, y: float, r: float) -> None:
    c = p.tone("#e8863a")
    for dx in (-0.6, 0.6, 0.0):
        p.oval(x + dx * r, y - r * 0.75, r * 0.62, r * 0.8, mix(c, dark(c, 0.2), abs(dx)))
    p.rect(x - r * 0.12, y - r * 1.8, r * 0.24, r * 0.4, p.tone("#5f7a3a"))
    glow = rgb("#ffe08a") if p.night else p.tone("#5a2f1a")
    for dx in (-0.4, 0.4):
        p.poly(
            [(x + (dx - 0.2) * r, y - r * 0.75), (x + dx * r, y - r * 1.1), (x + (dx + 0.2) * r, y - r * 0.75)],
            glow,
            detail=True,
        )
    p.poly(
        [
            (x - r * 0.55, y - r * 0.55),
            (x + r * 0.55, y - r * 0.55),
            (x + r * 0.25, y - r * 0.25),
            (x - r * 0.25, y - r * 0.25),
        ],
        glow,
        detail=True,
    )


@place(
    "dinosaur valley",
    "in a prehistoric valley",
    "in the land of the dinosaurs",
    "in a primeval valley",
    empty="a prehistoric valley",
    weathers=("clear", "cloudy", "fog"),
    ground=(0.83, 0.95),
)
def dinosaurs(p: Painter) -> None:
    horizon = p.between(50, 56)
    m.sky(p, horizon)
    rock = p.pick("#9a8a86", "#8a86a0", "#a08f7a")
    edge = p.range(horizon + 2, 26, p.tone(rock, 0.5), peaks=4, far=0.5)
    x, y, _ = p.pick(*edge.peaks)
    for k in range(4):
        p.mist(x + 2 * k, y - 2 - 4 * k, 4 + 2 * k, 3 + k, p.tone("#e6e0e6", 0.2), 0.75)
    green = p.pick("#7fa85f", "#8fa855", "#6f9f6a")
    p.ridge(horizon + 3, 7, p.tone(green, 0.35), waves=2, far=0.35)
    for x in p.spread(p.count(1, 3), 10, 90):
        _long_neck(p, x, horizon + p.between(5, 9), p.between(10, 16))
    for x in p.spread(6):
        m.palm(p, x, horizon + 8, p.between(12, 20), 0.25)
    lake = p.tone("#6fb8b5", 0.1)
    lx = p.between(25, 75)
    p.ridge(horizon + 10, 4, p.tone(green, 0.12), shade=p.tone(green), waves=1.4)
    p.oval(lx, horizon + 16, 26, 4, lake, shade=pale(lake, 0.2))
    m.glints(p, horizon + 14.5, horizon + 18, 6, pale(lake, 0.4))
    p.ridge(horizon + 22, 4, p.tone(green), shade=p.tone(mix(green, "#3f5a30", 0.5)), waves=1.2)
    for _ in range(p.count(2, 3)):
        x, y, s = p.between(6, 94), p.between(8, horizon - 14), p.between(3, 5)
        c = p.tone("#7a6a6f", 0.3)
        p.poly(
            [
                (x - s * 1.6, y - s * 0.3),
                (x - s * 0.4, y - s * 0.35),
                (x, y - s * 0.1),
                (x + s * 0.4, y - s * 0.35),
                (x + s * 1.6, y - s * 0.2),
                (x + s * 0.3, y + s * 0.2),
                (x, y + s * 0.5),
                (x - s * 0.3, y + s * 0.2),
            ],
            c,
            detail=True,
        )
        p.poly([(x - s * 0.1, y), (x - s * 0.5, y - s * 0.6), (x + s * 0.2, y - s * 0.2)], c, detail=True)
    for x in p.spread(5):
        if abs(x - 50) > 20:
            _fern(p, x, p.between(76, 84), p.between(12, 20))
    if p.chance(0.6):
        nx = p.between(20, 80)
        nest = p.tone("#b5894f")
        for dx in (-2.6, 0, 2.6):
            p.oval(nx + dx, 80, 1.9, 2.7, p.tone("#f6ecd6"))
        p.poly([(nx - 7, 80.4), (nx + 7, 80.4), (nx + 5, 84), (nx - 5, 84)], nest, shade=dark(nest, 0.25))
    m.tufts(p, 84, 98, 14, p.tone(mix(green, "#2a5a2c", 0.5)))
    side = p.sign()
    p.layer("a fern", 89)
    _fern(p, 50 + side * p.between(44, 49), 90, p.between(28, 36))
    p.layer("big leaves", 104)
    for k in range(3):
        _fern(p, 50 - side * (40 + 6 * k), 105, p.between(16, 24))
    m.weather(p, horizon)


@motif
def _long_neck(p: Painter, x: float, y: float, s: float) -> None:
    skin, way = p.tone(p.pick("#7f9a86", "#8a86a5", "#a0876f"), 0.28), p.sign()
    for dx in (-0.45, -0.25, 0.25, 0.45):
        p.rect(
            x + dx * s - s * 0.07,
            y - s * 0.4,
            s * 0.14,
            s * 0.42,
            dark(skin, 0.1 if abs(dx) < 0.3 else 0.0),
            detail=True,
        )
    p.oval(x, y - s * 0.5, s * 0.62, s * 0.34, skin, far=0.3)
    p.line(
        [(x + way * s * 0.4, y - s * 0.6), (x + way * s * 0.75, y - s * 1.0), (x + way * s * 0.85, y - s * 1.55)],
        skin,
        s * 0.17,
        smooth=True,
    )
    p.oval(x + way * s * 0.95, y - s * 1.6, s * 0.18, s * 0.11, skin, detail=True)
    p.poly(
        [(x - way * s * 0.4, y - s * 0.7), (x - way * s * 1.3, y - s * 0.15), (x - way * s * 0.4, y - s * 0.3)],
        skin,
        detail=True,
    )


@motif
def _fern(p: Painter, x: float, y: float, h: float) -> None:
    green = p.tone(p.pick("#3f8f4a", "#5fa03f", "#3f7f5a"))
    for a in np.linspace(-1.15, 1.15, 7) + p.several(7, -0.08, 0.08):
        ts = np.linspace(0, 1, 7)
        xs = x + math.sin(a) * h * (0.5 * ts + 0.35 * ts**2)
        ys = y - h * (1.05 * ts * math.cos(a * 0.7) - 0.3 * abs(a) * ts**2)
        c = mix(green, dark(green, 0.3), p.between(0, 1))
        w = h * 0.075 * (1 - ts * 0.9)
        p.poly(
            [*zip(xs - w, ys, strict=True), *zip((xs + w)[::-1], (ys + w * 0.7)[::-1], strict=True)], c, smooth=False
        )
        p.line(list(zip(xs, ys, strict=True)), pale(c, 0.2), 0.35)


@place(
    "pirate ship",
    "on a pirate ship",
    "on the deck of a ship",
    "aboard a sailing ship",
    empty="the deck of a pirate ship",
    weathers=("clear", "cloudy", "rain", "fog"),
    ground=(0.84, 0.95),
)
def pirates(p: Painter) -> None:
    horizon = p.between(44, 50)
    m.sky(p, horizon)
    m.water(p, horizon, 80, p.pick("#3f8fb5", "#3fa0a8", "#4a7fc0"))
    if p.chance(0.5):
        x, w = p.between(10, 90), p.between(12, 18)
        p.poly(
            [
                (x - w, horizon + 0.8),
                (x - w * 0.4, horizon - w * 0.2),
                (x + w * 0.1, horizon - w * 0.34),
                (x + w * 0.6, horizon - w * 0.1),
                (x + w, horizon + 0.8),
            ],
            p.tone("#7f9a6a", 0.35),
            smooth=True,
            far=0.4,
        )
    wood, dusk = p.tone(p.pick("#a8703f", "#95603c", "#b58450")), p.tone("#5f4230")
    mast, sailc = 50 + p.between(-16, 16), p.tone(p.pick("#f6ecd6", "#f0d9c0", "#e6e0dc"))
    for s in (-1, 1):
        for k in range(3):
            p.line([(mast + s * 3, -4), (mast + s * (30 + 7 * k), 74)], dusk, 0.4)
        for k in range(9):
            t = (k + 1) / 10
            a, b = mast + s * (3 + 27 * t), mast + s * (3 + 41 * t)
            p.line([(a, -4 + 78 * t), (b, -4 + 78 * t)], dusk, 0.3)
    p.rect(mast - 2, -4, 4, 82, dusk, shade=dark(dusk, 0.2))
    p.rect(mast - 30, 6, 60, 2, dusk, r=1)
    belly = p.between(28, 36)
    p.poly(
        [
            (mast - 28, 8),
            (mast + 28, 8),
            (mast + 25, 20),
            (mast + 29, belly),
            (mast + 10, belly - 4),
            (mast - 10, belly - 4),
            (mast - 29, belly),
            (mast - 25, 20),
        ],
        sailc,
        shade=dark(sailc, 0.14),
        smooth=False,
    )
    for dx in (-14, 0, 14):
        p.line([(mast + dx, 8.4), (mast + dx * 1.02, belly - 4)], dark(sailc, 0.12), 0.35)
    emblem = p.tone(p.pick("#3a3440", "#b5303c", "#2f5f8a"))
    p.oval(mast, 19, 5, 5, emblem)
    m.star(p, mast, 19, 3.4, sailc, detail=True)
    p.rect(-2, 64, 104, 3, pale(wood, 0.15), shade=dark(wood, 0.1))
    for x in range(0, 102, 7):
        p.poly([(x, 67), (x + 2.4, 67), (x + 1.8, 71), (x + 2.4, 75), (x, 75), (x + 0.6, 71)], wood)
    p.rect(-2, 74.4, 104, 4, dark(wood, 0.2))
    m.boards(p, 78, pale(wood, 0.18))
    wx = 50 + p.sign() * p.between(22, 32)
    _wheel(p, wx, 70, p.between(8, 10), dusk)
    side = p.sign()
    m.puddles(p, 84, 97)
    p.layer("a barrel", 89)
    m.barrel(p, 50 + side * p.between(37, 42), 90, p.between(15, 19))
    p.layer("a cannon" if p.chance(0.5) else "a coil of rope", 103)
    cx = 50 - side * p.between(36, 41)
    if p.sheets[-1].name == "a cannon":
        iron = p.tone("#4a4a55")
        p.poly(
            [(cx - side * 9, 88), (cx + side * 11, 85), (cx + side * 11, 91.6), (cx - side * 9, 95)],
            iron,
            shade=dark(iron, 0.3),
        )
        p.rect(cx + side * 11 - 1.4, 84.2, 2.8, 8.2, pale(iron, 0.15), r=0.6)
        for dx in (-5, 5):
            p.oval(cx + dx, 97, 4.4, 4.4, p.tone("#7a5230"))
            p.oval(cx + dx, 97, 1.6, 1.6, iron, detail=True)
    else:
        rope = p.tone("#d9bd86")
        for k in range(4):
            p.oval(cx, 100 - 2.4 * k, 9 - 0.8 * k, 2.6, mix(rope, dark(rope, 0.25), (k % 2) * 0.7))
        p.oval(cx, 91.6, 3.6, 1.1, dark(rope, 0.5), detail=True)
    m.weather(p, horizon)


@motif
def _wheel(p: Painter, x: float, y: float, r: float, wood: tuple) -> None:
    p.rect(x - 2, y, 4, 12, dark(wood, 0.1))
    for k in range(8):
        a = k * math.pi / 4 + 0.2
        p.line([(x, y), (x + r * 1.25 * math.cos(a), y + r * 1.25 * math.sin(a))], wood, 1.0)
    ring = [(x + r * math.cos(a), y + r * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 26)]
    p.line(ring, pale(wood, 0.15), 1.6, smooth=True)
    p.oval(x, y, r * 0.24, r * 0.24, p.tone("#d9b04a"))
