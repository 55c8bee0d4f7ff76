"""Places at, on and under the water."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from anystory.sketch.scenery import motifs as m
from anystory.sketch.scenery.colour import Colour, dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, lighting, motif
from anystory.sketch.scenery.place import place


def _sea(p: Painter) -> str:
    return p.pick("#3f9fc9", "#35b0b8", "#4a8fd0", "#4fbcc9")


def _sand(p: Painter) -> str:
    return p.pick("#f0d9a0", "#ecd2a8", "#f4e0b4", "#e8cc96")


@place(
    "beach",
    "at the beach",
    "on the beach",
    "on a sandy beach",
    "by the sea",
    "on the sand by the sea",
    empty="a beach",
    ground=(0.8, 0.95),
    water=(0.5, 0.64),
)
def beach(p: Painter) -> None:
    horizon = p.between(38, 46)
    m.sky(p, horizon)
    tint = _sea(p)
    m.water(p, horizon, 76, tint)
    if p.chance(0.5):
        land = p.tone(p.pick("#6f9a7a", "#8a9a6f"), 0.45)
        x, w = p.between(0, 100), p.between(12, 26)
        p.poly(
            [
                (x - w, horizon + 0.6),
                (x - w * 0.5, horizon - w * 0.14),
                (x, horizon - w * 0.3),
                (x + w * 0.5, horizon - w * 0.16),
                (x + w, horizon + 0.6),
            ],
            land,
            smooth=True,
            far=0.5,
        )
    for x in p.spread(p.count(0, 3), 5, 95):
        m.sailboat(p, x, horizon + p.between(2, 10), p.between(3, 6), 0.2)
    foam = mix(p.tone("#ffffff"), p.haze, 0.1)
    sand = p.ground(_sand(p))
    shallow = mix(p.tone(tint), sand, 0.35)
    p.ridge(66, 3, shallow, waves=2)
    p.ridge(70.5, 2.4, foam, waves=2.5)
    p.ridge(71.8, 2.2, dark(sand, 0.14), waves=2.5)
    p.ridge(75, 3, sand, shade=dark(sand, 0.1), waves=1.5)
    for _ in range(p.count(5, 9)):
        x, y = p.between(2, 98), p.between(79, 97)
        if p.chance(0.5):
            _shell(p, x, y, p.between(1, 1.8))
        else:
            p.oval(x, y, p.between(0.6, 1.4), 0.6, dark(sand, p.between(0.12, 0.3)), detail=True)
    if p.chance(0.3):
        m.star(p, p.between(10, 90), p.between(84, 96), p.between(2, 3), p.tone("#f28a4a"), smooth=True)
    if p.chance(0.4):
        _sandcastle(p, p.between(10, 30) if p.chance(0.5) else p.between(70, 90), p.between(79, 82), sand)
    m.puddles(p, 80, 97)
    side = p.sign()
    if p.chance(0.5):
        p.layer("a palm tree", 84)
        m.palm(p, 50 + side * p.between(38, 46), 85, p.between(48, 64))
    else:
        p.layer("a beach umbrella", 84)
        _parasol(p, 50 + side * p.between(40, 45), 85, p.between(28, 36))
    if p.chance(0.6):
        p.layer("a rock" if p.chance(0.5) else "rocks", 104)
        m.rock(p, 50 - side * p.between(38, 50), 103, p.between(8, 14), p.tone("#9a8f8a"))
    else:
        m.grass_front(p, p.tone("#8faa5a"), height=9, name="beach grass")
    m.weather(p, horizon)


@motif
def _shell(p: Painter, x: float, y: float, s: float) -> None:
    colour = p.tone(p.pick("#fbe3d3", "#f6b9a0", "#ffffff", "#e8a8b8"))
    turn = np.linspace(math.pi, 2 * math.pi, 7)
    p.poly(
        [(x, y + s * 0.5), *((x + s * math.cos(a), y + s * math.sin(a)) for a in turn)],
        colour,
        shade=dark(colour, 0.2),
        detail=True,
    )
    for a in turn[1:-1:2]:
        p.line([(x, y + s * 0.4), (x + s * 0.9 * math.cos(a), y + s * 0.9 * math.sin(a))], dark(colour, 0.2), 0.25)


@motif
def _sandcastle(p: Painter, x: float, y: float, sand: Colour) -> None:
    colour = dark(sand, 0.1)
    for dx, w, h in ((-5, 3.4, 6), (5, 3.4, 6), (0, 5, 9)):
        p.poly(
            [(x + dx - w * 0.6, y), (x + dx - w * 0.45, y - h), (x + dx + w * 0.45, y - h), (x + dx + w * 0.6, y)],
            colour,
            shade=dark(colour, 0.12),
        )
        for k in (-0.4, 0.0, 0.4):
            p.rect(x + dx + k * w - w * 0.1, y - h - 1, w * 0.2, 1.1, colour, detail=True)
    p.rect(x - 5, y - 3.4, 10, 3.4, colour, shade=dark(colour, 0.12))
    p.line([(x, y - 10), (x, y - 14)], p.tone("#6b4a35"), 0.4)
    p.poly([(x, y - 14), (x + 3, y - 13), (x, y - 12)], p.tone(p.pick(*m.BRIGHTS)))


@motif
def _parasol(p: Painter, x: float, y: float, h: float) -> None:
    colour, white = p.tone(p.pick(*m.BRIGHTS)), p.tone("#fff8ec")
    p.rect(x - h * 0.18, y - h * 0.06, h * 0.75, h * 0.06, p.tone(p.pick(*m.BRIGHTS)))
    p.line([(x, y), (x + h * 0.05, y - h)], p.tone("#f0e6d2"), 1.1)
    cx, cy, r = x + h * 0.045, y - h * 0.72, h * 0.55
    edges = np.linspace(-1, 1, 7)
    for k in range(6):
        a, b = edges[k], edges[k + 1]
        foot = [(cx + r * b, cy), (cx + r * (a + b) / 2, cy + h * 0.035), (cx + r * a, cy)]
        rise = [(cx + r * a * math.cos(t), cy - r * 0.6 * math.sin(t)) for t in np.linspace(0, math.pi / 2, 6)]
        fall = [(cx + r * b * math.cos(t), cy - r * 0.6 * math.sin(t)) for t in np.linspace(math.pi / 2, 0, 6)]
        p.poly([*rise, *fall, *foot[1:]], colour if k % 2 else white)


@place(
    "sea",
    "on the open sea",
    "at sea",
    "on the waves",
    "far out at sea",
    empty="the open sea",
    ground=(0.78, 0.92),
    weathers=("clear", "cloudy", "rain", "fog"),
    water=(0.62, 0.9),
)
def sea(p: Painter) -> None:
    horizon = p.between(40, 54)
    m.sky(p, horizon)
    tint = _sea(p)
    m.water(p, horizon, 101, tint, far=0.45)
    kind = p.pick("boats", "ship", "whale", "none", "boats")
    if kind == "ship":
        _steamer(p, p.between(20, 80), horizon + 2, p.between(16, 26))
    elif kind == "boats":
        for x in p.spread(p.count(1, 3), 5, 95):
            m.sailboat(p, x, horizon + p.between(2, 7), p.between(4, 8), 0.15)
    elif kind == "whale":
        _whale(p, p.between(25, 75), horizon + p.between(8, 11), p.between(8, 12))
    if p.weather != "rain":
        with p.weathering():
            for _ in range(p.count(2, 5)):
                _gull(p, p.between(5, 95), p.between(8, horizon - 6), p.between(1.5, 3))
    near = p.tone(tint)
    for k, y in enumerate((horizon + 9, horizon + 18, 79)):
        xs = np.linspace(-3, 103, 26)
        size = 1.2 + 0.8 * k
        ys = y - size * np.abs(np.sin(xs / (4 + 2.2 * k) + p.between(0, 3)))
        colour = mix(mix(near, p.haze, 0.4 - 0.17 * k), "#ffffff", 0.04)
        p.poly([*zip(xs, ys, strict=True), (103, 103), (-3, 103)], colour, shade=dark(colour, 0.12), far=0.4 - 0.15 * k)
        p.line(list(zip(xs, ys + 0.35, strict=True)), mix(p.tone("#ffffff"), colour, 0.35), 0.3 + 0.2 * k)
    m.wave_front(p, 88, mix(near, "#104060", 0.08), 93, height=p.between(4, 6))
    m.wave_front(p, 99, dark(near, 0.14), 110, height=p.between(5, 7))
    m.weather(p, horizon)


@motif
def _gull(p: Painter, x: float, y: float, s: float) -> None:
    p.line(
        [
            (x - s, y - s * 0.35),
            (x - s * 0.4, y - s * 0.45),
            (x, y),
            (x + s * 0.4, y - s * 0.45),
            (x + s, y - s * 0.35),
        ],
        dark(p.tone("#ffffff"), 0.35),
        0.5,
        smooth=True,
    )


@motif
def _steamer(p: Painter, x: float, y: float, s: float) -> None:
    hull = p.tone(p.pick("#3f5f8a", "#a83f3f", "#3f4f5a"), 0.15)
    white = p.tone("#fbf6ea", 0.12)
    p.rect(x - s * 0.55, y - s * 0.42, s * 1.0, s * 0.16, white, far=0.1)
    p.rect(x - s * 0.35, y - s * 0.54, s * 0.6, s * 0.13, white, far=0.1)
    for dx in (-0.22, 0.02):
        p.rect(x + dx * s, y - s * 0.8, s * 0.13, s * 0.27, p.tone("#e0503f", 0.12), far=0.1)
        for k in range(3):
            p.mist(
                x + dx * s + s * 0.07 - k * s * 0.12,
                y - s * (0.9 + 0.12 * k),
                s * (0.12 + 0.04 * k),
                s * 0.09,
                p.tone("#e8e8ee", 0.2),
                0.7,
            )
    p.poly(
        [(x - s * 0.8, y - s * 0.28), (x + s * 0.95, y - s * 0.3), (x + s * 0.72, y), (x - s * 0.7, y)],
        hull,
        shade=dark(hull, 0.2),
        far=0.1,
    )
    for dx in np.linspace(-0.55, 0.6, 8):
        r = s * 0.028
        p.oval(x + dx * s, y - s * 0.18, r, r, p.glowing("#ffe08a", "#dbe9ef"), detail=True)


@motif
def _whale(p: Painter, x: float, y: float, s: float) -> None:
    skin = p.tone(p.pick("#5f7f9f", "#4f6f8f"))
    turn = np.linspace(math.pi, 2 * math.pi, 9)
    p.poly([(x + s * math.cos(a), y + s * 0.55 * math.sin(a)) for a in turn], skin, shade=dark(skin, 0.15))
    tail = x + s * 1.35
    p.poly(
        [
            (tail - s * 0.1, y),
            (tail - s * 0.05, y - s * 0.4),
            (tail - s * 0.4, y - s * 0.75),
            (tail, y - s * 0.6),
            (tail + s * 0.4, y - s * 0.75),
            (tail + s * 0.05, y - s * 0.38),
            (tail + s * 0.1, y),
        ],
        skin,
    )
    p.oval(x - s * 0.6, y - s * 0.2, s * 0.06, s * 0.06, p.tone("#22283a"), detail=True)
    spout = p.tone("#e8f6fb")
    for dx in (-0.25, 0.25):
        p.line(
            [
                (x - s * 0.2, y - s * 0.55),
                (x - s * 0.2 + dx * s * 0.6, y - s * 1.0),
                (x - s * 0.2 + dx * s * 1.3, y - s * 0.8),
            ],
            spout,
            0.7,
            smooth=True,
        )


@place(
    "pier",
    "on a wooden pier",
    "on a pier by the sea",
    "on a jetty",
    empty="a wooden pier",
    ground=(0.82, 0.95),
    water=(0.5, 0.66),
)
def pier(p: Painter) -> None:
    horizon = p.between(38, 46)
    m.sky(p, horizon)
    tint = _sea(p)
    m.water(p, horizon, 101, tint)
    if p.chance(0.6):
        p.ridge(horizon - 1, 7, p.ground(p.pick("#6f9a7a", "#7f8fa8"), 0.5), waves=1.4, floor=horizon + 0.8, far=0.5)
    for x in p.spread(p.count(1, 3), 5, 95):
        m.sailboat(p, x, horizon + p.between(3, 12), p.between(4, 7), 0.15)
    wood = p.ground(p.pick("#b5895a", "#a87f62", "#c29a6a", "#9a8672"))
    far_y = p.between(66, 72)
    cx, w0 = p.between(40, 60), p.between(16, 24)
    left, right = (cx - w0, far_y), (cx + w0, far_y)
    for side in (-1, 1):
        for t in (0.0, 0.35, 0.75):
            x, y = cx + side * (w0 + (62 - w0) * t), far_y + (101 - far_y) * t
            p.rect(x - 1 - t, y - 1, 2 + 2 * t, 9 + 12 * t, dark(wood, 0.35))
    p.poly([left, right, (112, 102), (-12, 102)], wood, shade=pale(wood, 0.1))
    for k in range(1, 12):
        t = (k / 12) ** 1.5
        y = far_y + (102 - far_y) * t
        half = w0 + (62 - w0) * t
        p.line([(cx - half, y), (cx + half, y)], dark(wood, 0.28), 0.3 + 0.5 * t)
    for side in (-1, 1):
        rope, tops = p.tone("#e6d3a8"), []
        for t in (0.0, 0.22, 0.55):
            x, y, h = cx + side * (w0 + (62 - w0) * t), far_y + (102 - far_y) * t, 9 + 8 * t
            p.rect(x - 0.9 - 0.5 * t, y - h, 1.8 + t, h, dark(wood, 0.2), r=0.5)
            tops.append((x, y - h * 0.75))
            p.rect(x - 1 - 0.5 * t, y - h - 0.5, 2 + t, 1.2, p.ground("#d9c8a8"), detail=True)
        for a, b in pairwise(tops):
            p.line([a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 3), b], rope, 0.6, smooth=True)
    if p.chance(0.5):
        m.lamp(p, cx + p.sign() * (w0 - 2), far_y + 2, p.between(24, 30))
    m.puddles(p, 80, 97)
    side = p.sign()
    p.layer("a barrel", 89)
    m.barrel(p, 50 + side * p.between(36, 43), 90, p.between(12, 16))
    if p.chance(0.6):
        p.layer("a crate", 103)
        m.crate(p, 50 - side * p.between(40, 46), 103, p.between(14, 18))
    m.weather(p, horizon)


@place(
    "harbour",
    "at the harbour",
    "in the harbour",
    "at the port",
    "on the quay",
    empty="a harbour",
    ground=(0.84, 0.95),
    water=(0.56, 0.72),
)
def harbour(p: Painter) -> None:
    horizon = p.between(38, 44)
    m.sky(p, horizon)
    p.ridge(horizon - 2, 8, p.ground("#7f9a7a", 0.5), waves=1.5, far=0.5)
    side = p.sign()
    x = -3.0
    while x < 103:
        w = p.between(10, 15)
        m.townhouse(p, x, horizon + 9, w, p.between(14, 24), 0.12)
        x += w + 0.2
    quay = p.ground("#b0a79a", 0.1)
    p.rect(-2, horizon + 8.5, 104, 3.5, quay, shade=dark(quay, 0.2))
    tint = p.pick("#3f8fb5", "#4a9fa8", "#4a7fb0")
    m.water(p, horizon + 12, 101, tint, far=0.15)
    for k, bx in enumerate(p.spread(p.count(2, 3), 4, 96)):
        by, s = horizon + 17 + 4 * (k % 2), p.between(8, 11)
        if p.chance(0.65):
            m.sailboat(p, bx, by, s)
        else:
            _trawler(p, bx, by, s * 1.1)
        p.mist(bx, by + 1.6, s, 1.2, dark(p.tone(tint), 0.4), 0.6)
    if p.chance(0.6):
        _lighthouse(p, 50 - side * 43, horizon + 12, p.between(28, 36))
    stone = p.ground(p.pick("#b5a898", "#a3a09a", "#c2b09a"))
    p.rect(-2, 80, 104, 24, stone, shade=pale(stone, 0.12))
    p.rect(-2, 79, 104, 2.6, pale(stone, 0.25))
    for k in range(3):
        y = 84.5 + 5.5 * k
        p.line([(-2, y), (102, y)], dark(stone, 0.16), 0.4)
        for bx in p.spread(6):
            p.line([(bx, y), (bx, y + 5.5)], dark(stone, 0.16), 0.35)
    for bx in (p.between(12, 30), p.between(66, 88)):
        iron = p.tone("#4a4f57")
        p.rect(bx - 1.4, 78, 2.8, 4.6, iron, r=0.8)
        p.oval(bx, 78, 2.1, 1, iron)
    m.puddles(p, 84, 97)
    p.layer("a barrel", 88)
    m.barrel(p, 50 + side * p.between(38, 43), 89, p.between(11, 14))
    p.layer("crates", 103)
    m.crate(p, 50 - side * p.between(40, 46), 103, p.between(14, 18))
    m.weather(p, horizon)


@motif
def _trawler(p: Painter, x: float, y: float, s: float) -> None:
    hull = p.tone(p.pick(*m.BRIGHTS))
    cabin = p.tone("#fbf6ea")
    p.rect(x - s * 0.5, y - s * 0.85, s * 0.55, s * 0.55, cabin, shade=dark(cabin, 0.1))
    m.pane(p, x - s * 0.42, y - s * 0.75, s * 0.38, s * 0.2)
    p.line([(x + s * 0.3, y - s * 0.3), (x + s * 0.3, y - s * 1.2)], p.tone("#6b4a35"), 0.5)
    p.line([(x + s * 0.3, y - s * 1.15), (x + s * 0.85, y - s * 0.4)], p.tone("#6b4a35"), 0.3)
    p.poly(
        [
            (x - s * 0.9, y - s * 0.4),
            (x + s * 0.6, y - s * 0.35),
            (x + s * 1.0, y - s * 0.55),
            (x + s * 0.7, y + s * 0.1),
            (x - s * 0.75, y + s * 0.1),
        ],
        hull,
        shade=dark(hull, 0.25),
    )
    p.line([(x - s * 0.85, y - s * 0.26), (x + s * 0.86, y - s * 0.3)], pale(hull, 0.6), 0.5)


@motif
def _lighthouse(p: Painter, x: float, y: float, h: float) -> None:
    white, red = p.tone("#fbf6ea", 0.05), p.tone(p.pick("#d9453f", "#3f6fa8"), 0.05)
    w = h * 0.13
    for k in range(5):
        a, b = k / 5, (k + 1) / 5
        w0, w1 = w * (1 - 0.4 * a), w * (1 - 0.4 * b)
        tint = white if k % 2 == 0 else red
        p.poly(
            [
                (x - w0, y - h * 0.75 * a),
                (x - w1, y - h * 0.75 * b),
                (x + w1, y - h * 0.75 * b),
                (x + w0, y - h * 0.75 * a),
            ],
            tint,
        )
    p.rect(x - w * 0.85, y - h * 0.78, w * 1.7, h * 0.04, p.tone("#4a4f57"))
    if p.night or p.weather == "fog":
        with p.lighting():
            beam = rgb("#fff3b8")
            for side in (-1, 1):
                far = x + side * 110
                p.veil([(x, y - h * 0.85), (far, y - h * 1.3), (far, y - h * 0.55)], beam, beam, 0.12, 0.42)
            p.glow(x, y - h * 0.84, h * 0.35, rgb("#fff0a8"), 0.9)
    p.rect(x - w * 0.5, y - h * 0.9, w, h * 0.12, p.glowing("#fff3b0", "#dff0f5"))
    p.poly([(x - w * 0.65, y - h * 0.9), (x, y - h), (x + w * 0.65, y - h * 0.9)], red)


@place(
    "lighthouse",
    "by a lighthouse",
    "at the lighthouse",
    "on the cliffs by a lighthouse",
    empty="a lighthouse",
    ground=(0.82, 0.95),
)
def lighthouse(p: Painter) -> None:
    horizon = p.between(46, 54)
    m.sky(p, horizon)
    tint = _sea(p)
    m.water(p, horizon, 84, tint)
    for x in p.spread(p.count(0, 2), 5, 95):
        m.sailboat(p, x, horizon + p.between(2, 6), p.between(3, 5), 0.2)
    side = p.sign()
    cx = 50 + side * p.between(14, 24)
    stone = p.tone(p.pick("#9a8f8a", "#8a8f9a", "#a8927f"))
    cliff = [(cx - 26, 84), (cx - 22, 70), (cx - 15, 63), (cx + 14, 62), (cx + 24, 66), (cx + 30, 84)]
    p.poly(cliff, stone, shade=dark(stone, 0.25))
    for _ in range(8):
        x, y = cx + p.between(-20, 22), p.between(68, 80)
        p.poly(
            [(x - 2.5, y), (x - 1.5, y - 4), (x + 2, y - 4.6), (x + 3, y)],
            mix(stone, dark(stone, 0.3) if p.chance(0.5) else pale(stone, 0.2), 0.7),
            detail=True,
        )
    green = p.pick("#8ab85a", "#7fae5f", "#9bb85f")
    p.poly(
        [(cx - 18, 66.5), (cx - 13, 61.5), (cx + 14, 60.5), (cx + 24, 65.5), (cx + 10, 65), (cx - 6, 65.6)],
        p.ground(green),
        smooth=True,
    )
    if p.chance(0.6):
        m.house(p, cx + side * 11, 63, 11, 6)
    _lighthouse(p, cx - side * 2, 63, p.between(46, 54))
    for x in p.spread(8, cx - 30, cx + 34):
        p.mist(x, 82, 6, 2, p.tone("#ffffff"), 0.7)
    p.ridge(80, 5, p.ground(green), shade=p.ground(mix(green, "#4a6a35", 0.5)), waves=1.2)
    m.flowers(p, 84, 97, p.count(6, 14))
    m.tufts(p, 83, 98, 20, p.ground(mix(green, "#2a6b2c", 0.4)))
    m.puddles(p, 84, 97)
    p.layer("a rock", 88)
    m.rock(p, 50 - side * p.between(36, 45), 89, p.between(9, 13), stone)
    m.grass_front(p, p.ground(mix(green, "#2a5a2c", 0.4)), height=8)
    m.weather(p, horizon)


@place(
    "island",
    "on a desert island",
    "on a tropical island",
    "on a small island in the sea",
    empty="a small tropical island",
    ground=(0.8, 0.92),
    weathers=("clear", "cloudy", "rain"),
    water=(0.5, 0.66),
)
def island(p: Painter) -> None:
    horizon = p.between(44, 52)
    m.sky(p, horizon)
    tint = p.pick("#38b8c4", "#3fa8d0", "#4fc4bf")
    m.water(p, horizon, 101, tint)
    sand = p.tone(_sand(p))
    shallow = mix(p.tone(tint), "#c9fff0", 0.25 if not p.night else 0.08)
    p.poly(
        [(-8, 88), (6, 72), (30, 66), (70, 66), (94, 72), (108, 88), (90, 103), (10, 103)],
        shallow,
        smooth=True,
        far=0.6,
    )
    p.poly(
        [(-2, 90), (8, 77), (30, 70), (70, 70), (92, 77), (102, 90), (88, 100), (12, 100)],
        mix(p.tone("#ffffff"), shallow, 0.2),
        smooth=True,
        far=0.6,
    )
    p.poly(
        [(1, 89), (10, 78.5), (30, 71), (70, 71), (90, 78.5), (99, 89), (86, 97.5), (14, 97.5)],
        sand,
        shade=dark(sand, 0.1),
        smooth=True,
    )
    p.poly(
        [(26, 73.5), (34, 69), (52, 67.6), (68, 69.5), (75, 73.5), (50, 75)],
        p.tone(p.pick("#8ab85a", "#7aae62")),
        smooth=True,
    )
    for x in (p.between(28, 40), p.between(58, 70), p.between(44, 54)):
        m.palm(p, x, p.between(71, 74), p.between(36, 52))
    if p.chance(0.5):
        chest = p.between(22, 34) if p.chance(0.5) else p.between(66, 78)
        _chest(p, chest, p.between(77, 80), 8)
    for _ in range(6):
        _shell(p, p.between(14, 86), p.between(80, 94), p.between(0.9, 1.5))
    m.tufts(p, 74, 78, 8, p.tone("#6f9a45"), 26, 74)
    side = p.sign()
    p.layer("a palm tree", 86)
    m.palm(p, 50 + side * p.between(33, 38), 86.5, p.between(48, 60))
    m.wave_front(p, 99, p.tone(tint), 104, height=3)
    m.weather(p, horizon)


@motif
def _chest(p: Painter, x: float, y: float, w: float) -> None:
    wood, gold = p.tone("#8f5a35"), p.tone("#f2c94a")
    p.rect(x - w / 2, y - w * 0.45, w, w * 0.45, wood, shade=dark(wood, 0.2))
    for k in range(7):
        p.oval(x - w * 0.4 + w * 0.8 * k / 6, y - w * 0.5 - p.between(0, 0.8), w * 0.1, w * 0.1, gold, detail=True)
    p.poly(
        [
            (x - w / 2, y - w * 0.55),
            (x - w * 0.5, y - w * 0.85),
            (x - w * 0.3, y - w),
            (x + w * 0.3, y - w),
            (x + w * 0.5, y - w * 0.85),
            (x + w / 2, y - w * 0.55),
        ],
        dark(wood, 0.1),
    )
    for dx in (-0.3, 0.3):
        p.rect(x + dx * w - w * 0.04, y - w * 0.45, w * 0.08, w * 0.45, gold, detail=True)


@place(
    "ice",
    "on the ice",
    "in the Arctic",
    "among icebergs",
    "at the North Pole",
    empty="a field of ice",
    ground=(0.82, 0.95),
    weathers=("clear", "cloudy", "snow", "fog"),
    water=(0.56, 0.7),
)
def ice(p: Painter) -> None:
    horizon = p.between(42, 50)
    m.sky(p, horizon, clouds=0.6)
    if p.night and p.weather == "clear":
        _northern_lights(p)
    tint = p.pick("#4f8fb0", "#3f7fa8", "#5f9fb8")
    m.water(p, horizon, 101, tint)
    berg = p.tone("#e6f3fb", 0.12)
    for x in p.spread(p.count(2, 4), 2, 98):
        w, h, y = p.between(9, 18), p.between(10, 24), horizon + p.between(3, 9)
        top = [
            (x - w, y),
            (x - w * 0.75, y - h * 0.5),
            (x - w * 0.3, y - h * p.between(0.75, 1)),
            (x + w * 0.05, y - h * 0.8),
            (x + w * 0.4, y - h * p.between(0.6, 0.95)),
            (x + w * 0.8, y - h * 0.4),
            (x + w, y),
        ]
        p.poly(top, berg, shade=p.tone("#a9d3ea", 0.1), far=0.1)
        p.poly([top[3], top[4], top[5], top[6], (x + w * 0.3, y)], p.tone("#b9d9ee", 0.12), detail=True)
        p.mist(x, y + 2, w * 1.1, 2.2, berg, 0.5)
    floe = p.tone("#eef7fd")
    for x in p.spread(4):
        w, y = p.between(6, 12), p.between(horizon + 14, 72)
        p.poly(
            [
                (x - w, y),
                (x - w * 0.5, y - 1.6),
                (x + w * 0.6, y - 1.4),
                (x + w, y),
                (x + w * 0.6, y + 1.6),
                (x - w * 0.6, y + 1.4),
            ],
            floe,
            shade=p.tone("#b5d3e6"),
            far=0.1,
        )
    p.ridge(79, 3, p.tone("#a9cbe2"), waves=3)
    p.ridge(77, 3, p.snow(), shade=p.tone("#cfe3f2"), waves=3)
    for _ in range(6):
        x, y = p.between(0, 95), p.between(84, 98)
        p.line([(x, y), (x + 4, y + 1), (x + 7, y - 0.6)], p.tone("#bcd6e8"), 0.45)
    side = p.sign()
    if p.chance(0.45):
        _igloo(p, 50 - side * p.between(18, 32), 82, p.between(11, 15))
    p.layer("a block of ice", 88)
    x, w = 50 + side * p.between(36, 45), p.between(9, 13)
    block = [
        (x - w, 89),
        (x - w * 0.8, 89 - w * 1.1),
        (x - w * 0.2, 89 - w * 1.7),
        (x + w * 0.5, 89 - w * 1.2),
        (x + w, 89),
    ]
    p.poly(block, p.tone("#dff0fa"), shade=p.tone("#9fcbe6"))
    p.poly([block[2], block[3], block[4], (x + w * 0.2, 89)], p.tone("#b5d9ee"), detail=True)
    p.layer("a snowdrift", 104)
    p.ridge(101, 8, p.snow(), shade=p.tone("#c3d9ea"), waves=1.1, floor=106)
    m.weather(p, horizon)


@lighting
def _northern_lights(p: Painter) -> None:
    for colour in ("#5fe0a0", "#6fd0e0", "#b08af0"):
        xs = np.linspace(-5, 105, 9)
        base = p.between(12, 24) + 5 * np.sin(xs / p.between(12, 22) + p.between(0, 6))
        curtain = [*zip(xs, base - 16, strict=True), *zip(xs[::-1], base[::-1], strict=True)]
        p.veil(curtain, rgb(colour), rgb(colour), 0.0, 0.55)


@motif
def _igloo(p: Painter, x: float, y: float, r: float) -> None:
    white = p.tone("#eef6fc")
    turn = np.linspace(math.pi, 2 * math.pi, 13)
    p.poly([(x + r * math.cos(a), y + r * 0.85 * math.sin(a)) for a in turn], white, shade=p.tone("#bfd6e8"))
    for k in (0.25, 0.5, 0.74):
        half = r * math.sqrt(1 - k * k)
        p.line([(x - half, y - r * 0.85 * k), (x + half, y - r * 0.85 * k)], p.tone("#b0cbe0"), 0.4)
        for bx in p.spread(5, x - half, x + half, 0.3):
            p.line([(bx, y - r * 0.85 * k), (bx, y - r * 0.85 * k + r * 0.2)], p.tone("#b0cbe0"), 0.4)
    p.oval(x + r * 0.1, y - r * 0.02, r * 0.36, r * 0.4, white)
    p.oval(x + r * 0.1, y, r * 0.25, r * 0.3, p.tone("#3f5f7f"))
    p.rect(x - r * 1.1, y, r * 2.2, r * 0.5, p.tone("#f3faff"), detail=True)


@place(
    "underwater",
    "underwater",
    "under the sea",
    "at the bottom of the sea",
    "on the sea floor",
    "on a coral reef",
    empty="the sea floor",
    ground=(0.86, 0.95),
    floats=True,
    times=("",),
    weathers=("",),
)
def underwater(p: Painter) -> None:
    top, low = p.pick("#7fe0e6", "#62c8ea", "#86e3d2", "#5fb8e8"), p.pick("#0f5f9a", "#127088", "#1a5590", "#16648f")
    p.haze = mix(top, low, 0.55)
    p.horizon = 78
    p.wash(0, 101, rgb(top), rgb(low), torn=True)
    white = rgb("#ffffff")
    for x in p.spread(5, -5, 100):
        w = p.between(4, 9)
        p.veil([(x, -2), (x + w, -2), (x + w * 2.2 - 16, 84), (x - 18, 84)], white, white, 0.3, 0.0)
    for far, y in ((0.62, 62), (0.4, 72)):
        reef = p.tone(p.pick("#3f7f9a", "#5f6fa8", "#3f8f8a"), far)
        p.ridge(y, 12, reef, waves=p.between(1.5, 3), far=far)
        for x in p.spread(5):
            _coral(p, x, y + 4, p.between(10, 18), far)
    if p.chance(0.35):
        _wreck(p, p.between(25, 75), 80)
    for _ in range(p.count(2, 3)):
        _shoal(p, p.between(10, 90), p.between(14, 58))
    sand = p.tone("#ecd9a4", 0.12)
    p.ridge(80, 4, sand, shade=mix(sand, low, 0.35), waves=1.5)
    for _ in range(6):
        xs = np.linspace(x := p.between(0, 80), x + 16, 6)
        y = p.between(86, 98)
        p.line([(a, y + 0.5 * math.sin(a)) for a in xs], dark(sand, 0.12), 0.4, smooth=True)
    for x in p.spread(6):
        if abs(x - 50) > 14:
            _coral(p, x, p.between(82, 86), p.between(9, 17), 0.0)
    for x in p.spread(4):
        _weed(p, x, p.between(82, 87), p.between(16, 30), 0.05)
    for _ in range(3):
        m.star(p, p.between(5, 95), p.between(88, 97), p.between(1.5, 2.5), p.tone("#f2804a"), smooth=True)
    for _ in range(4):
        x, y = p.between(5, 95), p.between(10, 75)
        for k in range(4):
            r = p.between(0.5, 1.4)
            p.oval(x + p.between(-2, 2), y - 4 * k, r, r, mix(top, "#ffffff", 0.55), detail=True)
            p.oval(x + p.between(-2, 2), y - 4 * k, r * 0.6, r * 0.6, rgb(top), detail=True)
    side = p.sign()
    p.layer("a coral", 89)
    _coral(p, 50 + side * p.between(36, 44), 90, p.between(20, 28), 0.0)
    p.layer("seaweed", 104)
    for k in range(5):
        _weed(p, 50 - side * (52 - 5 * k + p.between(-2, 2)), 104, p.between(22, 44) - 4 * k, 0.0)


@motif
def _coral(p: Painter, x: float, y: float, h: float, far: float) -> None:
    colour = p.tone(p.pick("#ef6f7f", "#f29a4f", "#e07fc0", "#f7c94f", "#a87fe0", "#ff8f6f"), far)
    kind = p.pick("branches", "fan", "brain", "tubes")
    if kind == "branches":
        for a in np.linspace(-0.8, 0.8, 5) + p.several(5, -0.1, 0.1):
            tip = (x + math.sin(a) * h * 0.7, y - math.cos(a) * h)
            mid = (x + math.sin(a) * h * 0.3, y - h * 0.5)
            p.line([(x, y), mid, tip], colour, h * 0.1, smooth=True, far=far)
            p.line([mid, (mid[0] + math.sin(a + 0.7) * h * 0.25, mid[1] - h * 0.22)], colour, h * 0.075, far=far)
    elif kind == "fan":
        p.blob(x, y - h * 0.55, h * 0.5, h * 0.52, colour, shade=dark(colour, 0.2), lobes=9, floor=y, far=far)
        for a in np.linspace(-1, 1, 7):
            p.line(
                [
                    (x, y),
                    (x + math.sin(a) * h * 0.25, y - h * 0.5),
                    (x + math.sin(a) * h * 0.42, y - h * 0.5 - math.cos(a) * h * 0.35),
                ],
                dark(colour, 0.25),
                0.35,
                smooth=True,
            )
    elif kind == "brain":
        p.blob(x, y - h * 0.2, h * 0.55, h * 0.42, colour, shade=dark(colour, 0.25), lobes=12, floor=y + 0.5, far=far)
        for k in range(4):
            cx = x + h * (k - 1.5) * 0.22
            p.line(
                [
                    (cx - h * 0.08, y - h * 0.1),
                    (cx, y - h * 0.3),
                    (cx + h * 0.09, y - h * 0.15),
                    (cx + h * 0.1, y - h * 0.4),
                ],
                dark(colour, 0.25),
                0.5,
                smooth=True,
            )
    else:
        for dx, k in ((-0.28, 0.7), (0.28, 0.8), (0.0, 1.0)):
            w = h * 0.12
            p.rect(x + dx * h - w, y - h * k, 2 * w, h * k, colour, r=w, shade=dark(colour, 0.25), far=far)
            p.oval(x + dx * h, y - h * k + w * 0.6, w * 0.75, w * 0.45, dark(colour, 0.45), detail=True)


@motif
def _weed(p: Painter, x: float, y: float, h: float, far: float) -> None:
    green = p.tone(p.pick("#2f9b6a", "#4fae5a", "#3f8a4a", "#7fae4a"), far)
    ts, bend = np.linspace(0, 1, 9), p.between(1.5, 2.6)
    for dx in (-0.08, 0.08, 0.0):
        xs = x + dx * h + h * 0.07 * np.sin(bend * math.pi * ts + dx * 20) + dx * h * ts
        ys = y - h * (1 - abs(dx) * 3) * ts
        w = h * 0.045 * np.sin(np.pi * (0.12 + 0.85 * ts))
        p.poly(
            [*zip(xs - w, ys, strict=True), *zip((xs + w)[::-1], ys[::-1], strict=True)],
            mix(green, dark(green, 0.25), abs(dx) * 8),
            smooth=True,
            far=far,
        )


@motif
def _shoal(p: Painter, x: float, y: float) -> None:
    colour = p.tone(p.pick("#ffb04f", "#ff7f7f", "#ffe06f", "#f7f3e2"), 0.3)
    way = p.sign()
    for _ in range(p.count(3, 6)):
        cx, cy, s = x + p.between(-10, 10), y + p.between(-5, 5), p.between(1.2, 2.2)
        p.oval(cx, cy, s, s * 0.55, colour, detail=True)
        p.poly(
            [(cx - way * s * 0.7, cy), (cx - way * s * 1.6, cy - s * 0.55), (cx - way * s * 1.6, cy + s * 0.55)],
            colour,
            detail=True,
        )
        p.oval(cx + way * s * 0.5, cy - s * 0.12, s * 0.12, s * 0.12, rgb("#1c2a3a"), detail=True)


@motif
def _wreck(p: Painter, x: float, y: float) -> None:
    wood, way = p.tone("#6f5f58", 0.35), p.sign()
    hull = [(-24, -8), (22, -16), (26, -20), (18, 2), (-18, 3)]
    p.poly([(x + way * a, y + b) for a, b in hull], wood, shade=dark(wood, 0.2), far=0.3)
    p.line([(x, y - 11), (x + way * 6, y - 34)], wood, 1.4, far=0.3)
    p.line([(x + way * 3 - 7, y - 23), (x + way * 5 + 7, y - 26)], wood, 0.9, far=0.3)
    for k in range(4):
        p.oval(x + way * (-13 + 8 * k), y - 4 - k, 1.5, 1.5, dark(wood, 0.4), detail=True)
