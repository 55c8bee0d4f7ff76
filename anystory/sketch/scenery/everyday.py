"""Places in which many stories begin: a hill, a road, a school, an attic, a hospital room, a tree house, a train."""

from __future__ import annotations

import math

import numpy as np

from anystory.sketch.scenery import motifs as m
from anystory.sketch.scenery.colour import Colour, dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, lighting, motif
from anystory.sketch.scenery.place import INDOORS, place


def _green(p: Painter) -> str:
    return p.pick("#7cc04f", "#6fb55f", "#93c25a", "#84b85a")


@place(
    "hill",
    "on a hill",
    "on top of a hill",
    "on a green hill",
    "high on a hilltop",
    empty="a hill",
    ground=(0.8, 0.94),
)
def hill(p: Painter) -> None:
    horizon = p.between(56, 62)
    m.sky(p, horizon, clouds=1.3)
    green = _green(p)
    for far, y in ((0.62, horizon - 4), (0.5, horizon + 1), (0.38, horizon + 7)):
        edge = p.ridge(y, 9, p.ground(p.pick("#86b86a", "#7aa86f", "#9bb85f"), far), waves=p.between(1.2, 2.4), far=far)
        for x in p.spread(5):
            leaf = p.tone(p.pick(*m.GREENS), far)
            p.blob(x, edge(x) + 0.6, p.between(1.5, 3), p.between(1.2, 2), leaf, lobes=7, detail=True)
    if p.chance(0.6):
        for x in p.spread(3, 12, 88):
            m.house(p, x, edge(x) + 2.5, p.between(4, 6), p.between(2.4, 3.4), 0.4)
    # The hilltop rises in the middle and falls away on both sides.
    top, middle = p.between(69, 72), p.between(42, 58)
    xs = np.linspace(-4, 104, 23)
    crest = top + 12 * ((xs - middle) / 58) ** 2
    turf = p.ground(green)
    p.poly(
        [*zip(xs, crest, strict=True), (104, 104), (-4, 104)],
        turf,
        shade=p.ground(mix(green, "#3d8038", 0.45)),
        smooth=False,
    )
    side = p.sign()
    path = p.ground("#dcc59a")
    foot = middle + side * 14
    p.poly(
        [
            (middle - 1.5, top + 1),
            (middle + 1.5, top + 1),
            (middle + side * 8 + 4, 82),
            (foot + 15, 102),
            (foot - 13, 102),
            (middle + side * 8 - 3, 82),
        ],
        path,
        shade=dark(path, 0.1),
        detail=True,
    )
    m.flowers(p, 78, 97, p.count(10, 22))
    m.tufts(p, 77, 98, 20, p.ground(mix(green, "#2a6b2c", 0.4)))
    tree = 50 - side * p.between(38, 43)
    p.layer("a tree", 82)
    m.tree(p, tree, 83, p.between(44, 58), p.tone(p.pick(*m.GREENS, "#e88fa8")), 0.0, p.pick("round", "wide"))
    p.layer("a rock", 89)
    m.rock(p, 50 + side * p.between(40, 46), 90, p.between(7, 10), p.tone("#a09a94"))
    m.grass_front(p, p.ground(mix(green, "#2a6b2c", 0.4)), height=8)
    m.weather(p, horizon)


@place(
    "road",
    "on a country road",
    "on a road",
    "on a path through the fields",
    "along a winding road",
    empty="a country road",
    ground=(0.82, 0.95),
)
def road(p: Painter) -> None:
    horizon = p.between(48, 56)
    m.sky(p, horizon)
    fields = ("#93c25a", "#d9c04f", "#7db356", "#c9a84a", "#a8c46a")
    for far, y in ((0.55, horizon - 3), (0.4, horizon + 2)):
        p.ridge(y, 9, p.ground(p.pick(*fields), far), waves=p.between(1, 2), far=far)
    edge = p.ridge(horizon + 8, 4, p.ground(p.pick(*fields), 0.2), waves=1.3, far=0.2)
    for x in p.spread(p.count(3, 6)):
        m.tree(p, x, edge(x) + 1, p.between(8, 14), p.tone(p.pick(*m.GREENS), 0.2), 0.2)
    green = _green(p)
    p.ridge(horizon + 14, 3, p.ground(green, 0.04), shade=p.ground(mix(green, "#3d8038", 0.4)), waves=1.2)
    away, bend = p.between(42, 58), p.sign() * p.between(5, 11)
    lane = p.ground(p.pick("#dcc59a", "#cfc0a8", "#c4b8a8"))
    # The road comes towards the viewer in two bends and fills the middle.
    rise = np.linspace(0, 1, 12)
    ys = horizon + 9 + (93 - horizon) * rise
    centre = away + (50 - away) * rise + bend * np.sin(rise * 2.2 * math.pi) * (1 - rise) * 1.2
    half = 1.0 + 35 * rise**1.5
    sides = [*zip(centre - half, ys, strict=True)], [*zip(centre + half, ys, strict=True)]
    p.poly([*sides[0], *sides[1][::-1]], lane, shade=dark(lane, 0.1), detail=True)
    for k in (-0.4, 0.4):
        p.line(list(zip(centre + k * half, ys, strict=True))[1:], dark(lane, 0.12), 0.7, smooth=True)
    m.puddles(p, 84, 96)
    for line in sides:
        for x, y in line[4:8]:
            m.tufts(p, y, y + 2, 2, p.ground(mix(green, "#2a6b2c", 0.4)), x - 3, x + 3)
    side = p.sign()
    _signpost(p, 50 + side * p.between(39, 43), 85, side)
    p.layer("a bush", 87)
    m.bush(p, 50 - side * p.between(40, 46), 88, p.between(8, 11), p.tone(p.pick(*m.GREENS)))
    m.grass_front(p, p.ground(mix(green, "#2a6b2c", 0.4)), height=8)
    m.weather(p, horizon)


@motif
def _signpost(p: Painter, x: float, y: float, side: int) -> None:
    p.layer("a signpost", y)
    wood = p.tone(p.pick("#a8764a", "#8f6442", "#b5895a"))
    p.rect(x - 0.9, y - 27, 1.8, 28, dark(wood, 0.15), shade=dark(wood, 0.3))
    for k, way in ((0, side), (1, -side)):
        top = y - 25 + 7 * k
        back, tip = x - way * 5, (x + way * 11, top + 2.4)
        board = [(back, top), (x + way * 8, top), tip, (x + way * 8, top + 4.8), (back, top + 4.8)]
        p.poly(board, wood, shade=dark(wood, 0.12))
        p.line([(x - way * 2.5, top + 2.4), (x + way * 6, top + 2.4)], dark(wood, 0.35), 0.5)


@place(
    "school",
    "in front of the school",
    "outside the school",
    "in the school yard",
    "at the school gate",
    empty="a school",
    ground=(0.83, 0.95),
)
def school(p: Painter) -> None:
    horizon = p.between(52, 57)
    m.sky(p, horizon)
    for x in p.spread(10, -4, 104):
        leaf = p.tone(p.pick(*m.GREENS), 0.34)
        p.blob(x, horizon + 6, 8, p.between(7, 11), leaf, lobes=8, far=0.34)
    green = _green(p)
    p.ridge(70, 2, p.ground(green, 0.05), shade=p.ground(mix(green, "#3d8038", 0.35)))
    _schoolhouse(p, 50 + p.between(-5, 5), 76)
    yard = p.ground(p.pick("#d6c8b0", "#cfc6b8", "#dcc9a6"))
    p.poly([(-4, 79), (20, 76), (80, 76), (104, 79), (104, 104), (-4, 104)], yard, shade=dark(yard, 0.08), detail=True)
    chalk = pale(yard, 0.5)
    x0 = p.pick(10.0, 62.0)
    for k in range(5):
        y = 80.5 + 0.4 * k
        p.line([(x0 + 5 * k, y), (x0 + 5 * k + 4.4, y), (x0 + 5 * k + 5, y + 3), (x0 + 5 * k + 0.4, y + 3)], chalk, 0.4)
    m.puddles(p, 84, 97)
    side = p.sign()
    p.layer("a tree", 85)
    m.tree(p, 50 + side * p.between(42, 46), 86, p.between(40, 52), p.tone(p.pick(*m.GREENS, *m.AUTUMN)), 0.0, "round")
    p.layer("a bicycle", 89)
    _bicycle(p, 50 - side * p.between(40, 43), 90, p.between(9, 10))
    m.weather(p, horizon)


@motif
def _schoolhouse(p: Painter, x: float, y: float) -> None:
    wall = p.tone(p.pick("#c9705a", "#e6c98a", "#d98f6a", "#b9c9d3"), 0.02)
    trim, roof = p.tone("#fbf6ea"), p.ground(p.pick("#6f4f4a", "#5d6b7d", "#8a4b3a"))
    w, h = 64.0, 22.0
    p.rect(x - w / 2, y - h, w, h, wall, shade=dark(wall, 0.12))
    p.poly(
        [
            (x - w * 0.53, y - h + 0.4),
            (x - w * 0.47, y - h - 8),
            (x + w * 0.47, y - h - 8),
            (x + w * 0.53, y - h + 0.4),
        ],
        roof,
    )
    p.rect(x - 9, y - h - 9, 18, h + 9, mix(wall, trim, 0.2), shade=dark(wall, 0.1))
    p.poly([(x - 11, y - h - 8.6), (x, y - h - 18), (x + 11, y - h - 8.6)], roof, shade=dark(roof, 0.15))
    p.rect(x - 2.4, y - h - 24, 4.8, 8, trim)
    p.poly([(x - 3.6, y - h - 23.6), (x, y - h - 29), (x + 3.6, y - h - 23.6)], roof)
    p.blob(x, y - h - 19.6, 1.3, 1.5, p.tone("#d9b04a"), lobes=5, detail=True)
    p.oval(x, y - h - 8.4, 3, 3, trim)
    p.oval(x, y - h - 8.4, 2.4, 2.4, p.glowing("#fff3b0", "#fffdf6"), detail=True)
    for dx, dy in ((0, -1.9), (1.3, 0.4)):
        p.line([(x, y - h - 8.4), (x + dx, y - h - 8.4 + dy)], rgb("#2a2a33"), 0.4)
    for k in (-2.4, -1.55, 1.55, 2.4):
        for row in (0.86, 0.46):
            m.pane(p, x + k * 10 - 2.6, y - h * row, 5.2, 6, bars=True)
    m.door(p, x, y, 9, 12, p.tone(p.pick("#3f6f8a", "#8a4f3a", "#4f7a55")), arched=True)
    for k in (1, 2):
        p.rect(x - 6 - k * 1.4, y - 2.2 + 1.2 * k, 12 + 2.8 * k, 1.4, p.ground("#cfc6b8"))
    pole = x + w * 0.42
    p.line([(pole, y), (pole, y - 36)], p.tone("#c9ced6"), 0.7)
    flag = p.tone(p.pick(*m.BRIGHTS))
    p.poly([(pole, y - 36), (pole + 8, y - 35), (pole + 7, y - 33), (pole + 8, y - 31), (pole, y - 30.6)], flag)


@motif
def _bicycle(p: Painter, x: float, y: float, s: float) -> None:
    frame, tyre = p.tone(p.pick(*m.BRIGHTS)), p.tone("#3b3f48")
    wheels = (x - s * 0.75, x + s * 0.75)
    turn = np.linspace(0, 2 * math.pi, 18)
    for cx in wheels:
        r = s * 0.48
        p.line([(cx + r * math.cos(a), y - r + r * math.sin(a)) for a in turn], tyre, 0.8, smooth=True)
        for a in np.linspace(0, math.pi, 4, endpoint=False):
            dx, dy = r * math.cos(a), r * math.sin(a)
            p.line([(cx - dx, y - r - dy), (cx + dx, y - r + dy)], mix(tyre, "#ffffff", 0.4), 0.2)
    hub, saddle, bars = y - s * 0.48, (x - s * 0.3, y - s * 1.15), (x + s * 0.5, y - s * 1.15)
    crank = (x - s * 0.12, hub)
    for a, b in ((crank, (wheels[0], hub)), (crank, saddle), ((wheels[0], hub), saddle), (saddle, bars), (crank, bars)):
        p.line([a, b], frame, 1.1)
    p.line([(wheels[1], hub), bars, (bars[0] - s * 0.05, y - s * 1.35), (bars[0] - s * 0.25, y - s * 1.36)], frame, 1.0)
    p.line([(saddle[0] - s * 0.2, saddle[1] - 0.6), (saddle[0] + s * 0.16, saddle[1] - 0.6)], tyre, 1.4)


@place(
    "attic",
    "in the attic",
    "in an attic",
    "up in the dusty attic",
    "under the roof",
    empty="an attic",
    weathers=INDOORS,
    ground=(0.85, 0.95),
)
def attic(p: Painter) -> None:
    p.horizon = y = p.between(70, 73)
    wood = p.tone(p.pick("#b5845a", "#a8764a", "#9a7a5f"))
    p.wash(0, y, dark(wood, 0.32), dark(wood, 0.12))
    apex = p.between(44, 56)
    end = p.tone(p.pick("#e6d3b0", "#d9c9b8", "#cfd3c4"))
    p.poly([(apex, 4), (84, y), (16, y)], end, shade=dark(end, 0.12), detail=True)
    for k in range(1, 9):
        t = k / 9
        p.line(
            [(apex + (16 - apex) * t, 4 + (y - 4) * t), (apex + (84 - apex) * t, 4 + (y - 4) * t)], dark(end, 0.1), 0.4
        )
    _round_window(p, apex, p.between(33, 37), p.between(8.5, 10))
    beam = dark(wood, 0.3)
    for t in (0.0, 0.34, 0.68):
        for side in (-1, 1):
            x = 50 + side * 54
            p.line(
                [(apex + side * 1, 3 - 8 * t), (50 + side * (34 + 22 * t) + (apex - 50) * (1 - t), y)], beam, 1.6 + t
            )
            p.line([(apex, 2 - 8 * t), (x, 2 - 8 * t + 26 * t)], dark(beam, 0.1), 0.4)
    p.rect(-2, 12, 104, 3, beam, shade=dark(beam, 0.2))
    m.boards(p, y, mix(wood, "#d0a870", 0.3))
    side = p.sign()
    for k in range(p.count(2, 3)):
        m.crate(p, 50 - side * (22 + 10 * k), y + 4 + k, p.between(9, 12))
    _trunk(p, 50 + side * p.between(14, 20), y + 6, p.between(15, 18))
    if p.chance(0.6):
        _rocking_horse(p, 50 - side * p.between(0, 6), y + 6, p.between(13, 15))
    p.line([(apex, -2), (apex, 17)], p.tone("#5f5a5a"), 0.4)
    if p.night or p.time == "sunset":
        with p.lighting():
            p.glow(apex, 19, 46, rgb("#ffd58a"), 0.6)
    p.oval(apex, 19, 1.7, 2.1, p.glowing("#fff3c4", "#fffbe6"), detail=True)
    web = mix(p.tone("#ffffff"), wood, 0.3)
    corner = 50 - side * 49
    for a in np.linspace(0.1, 1.45, 4):
        p.line([(corner, 15), (corner + side * 13 * math.cos(a), 15 + 13 * math.sin(a))], web, 0.2)
    for r in (4, 8, 12):
        arc = [(corner + side * r * math.cos(a), 15 + r * math.sin(a)) for a in np.linspace(0.1, 1.45, 4)]
        p.line(arc, web, 0.2)
    p.layer("a chest of drawers", 88)
    cx, front = 50 + side * p.between(41, 44), p.tone(p.pick("#8f5f3a", "#6f4a35", "#9a7a55"))
    p.rect(cx - 11, 62, 22, 27, front, r=0.8, shade=dark(front, 0.2))
    p.rect(cx - 12, 60.4, 24, 2.4, pale(front, 0.15), r=0.6)
    for k in range(3):
        p.rect(cx - 9.4, 64.4 + 8 * k, 18.8, 6.6, pale(front, 0.12), r=0.5)
        for dx in (-4, 4):
            p.oval(cx + dx, 67.7 + 8 * k, 0.8, 0.8, p.tone("#d9b04a"), detail=True)
    if p.chance(0.6):
        p.layer("a pile of boxes", 103)
        for dy, w in ((0, 17), (9, 13)):
            box = p.tone(p.pick("#c9a06a", "#b58f62", "#d9b984"))
            bx = 50 - side * 43 - w / 2 + p.between(-1, 1)
            p.rect(bx, 94 - dy, w, 9, box, shade=dark(box, 0.15))
            p.rect(bx + w * 0.42, 94 - dy, w * 0.16, 9, pale(box, 0.3), detail=True)


@motif
def _round_window(p: Painter, x: float, y: float, r: float) -> None:
    frame = p.tone("#8f6442")
    p.oval(x, y, r + 1.4, r + 1.4, frame)
    p.oval(x, y, r, r, p.sky_top, shade=p.haze, detail=True)
    with p.lighting():
        if p.night:
            for _ in range(8):
                a, far = p.between(0, 6.3), p.between(0.1, 0.85) * r
                p.oval(x + far * math.cos(a), y + far * math.sin(a), 0.25, 0.25, rgb("#ffffff"), detail=True)
            p.oval(x + r * 0.3, y - r * 0.3, r * 0.24, r * 0.24, rgb("#f8f2d4"), detail=True)
        else:
            light = rgb({"day": "#fffbe0", "sunrise": "#ffe3cf", "sunset": "#ffa860"}[p.time])
            p.veil([(x - r, y), (x + r, y), (x + r * 2.2, 101), (x - r * 1.2, 101)], light, light, 0.26, 0.04)
    for a, b in (((x - r, y), (x + r, y)), ((x, y - r), (x, y + r))):
        p.line([a, b], frame, 0.9)


@motif
def _trunk(p: Painter, x: float, y: float, w: float) -> None:
    leather, brass = p.tone(p.pick("#8f5a35", "#6f4f5a", "#4f6a5f")), p.tone("#d9b04a")
    p.rect(x - w / 2, y - w * 0.42, w, w * 0.42, leather, shade=dark(leather, 0.25))
    p.rect(x - w * 0.52, y - w * 0.58, w * 1.04, w * 0.2, pale(leather, 0.1), r=1.6)
    for dx in (-0.34, 0.26):
        p.rect(x + dx * w, y - w * 0.58, w * 0.08, w * 0.58, dark(leather, 0.3), detail=True)
    p.rect(x - w * 0.06, y - w * 0.44, w * 0.12, w * 0.12, brass, detail=True)


@motif
def _rocking_horse(p: Painter, x: float, y: float, s: float) -> None:
    coat, red, way = p.tone(p.pick("#f4ead6", "#c99a62", "#b5a8a0")), p.tone(p.pick(*m.BRIGHTS)), p.sign()
    for dx in (-0.3, 0.22):
        p.line([(x + dx * s, y - s * 0.45), (x + dx * 1.3 * s, y - s * 0.1)], coat, s * 0.1)
    p.oval(x, y - s * 0.52, s * 0.4, s * 0.17, coat)
    neck = [(0.2, -0.55), (0.34, -1.0), (0.52, -0.98), (0.66, -0.82), (0.6, -0.74), (0.46, -0.8), (0.4, -0.46)]
    p.poly([(x + way * a * s, y + b * s) for a, b in neck], coat)
    p.line([(x + way * a * s, y + b * s) for a, b in ((0.32, -1.0), (0.22, -0.85), (0.18, -0.62))], dark(red, 0.2), 1.3)
    p.line([(x - way * 0.38 * s, y - 0.56 * s), (x - way * 0.54 * s, y - 0.3 * s)], dark(red, 0.2), 1.3)
    p.rect(x - s * 0.16, y - s * 0.7, s * 0.3, s * 0.16, red, r=1)
    rocker = [(x + t * s * 0.62, y - s * 0.1 * t * t) for t in np.linspace(-1, 1, 9)]
    p.line(rocker, red, 1.3, smooth=True)


@place(
    "hospital",
    "in the hospital",
    "in a hospital room",
    "at the hospital",
    "beside a hospital bed",
    empty="a hospital room",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def hospital(p: Painter) -> None:
    p.horizon = y = p.between(69, 72)
    wall = p.tone(p.pick("#dcecec", "#e6eef2", "#e3eadb", "#f1e6e0"))
    p.wash(0, y, pale(wall, 0.2), wall)
    stripe = p.tone(p.pick("#8fc4c0", "#9fb8d9", "#b5d09a", "#e6b8a8"))
    p.rect(-2, y - 22, 104, 3, stripe)
    p.rect(-2, y - 2.6, 104, 3, p.tone("#fbf6ea"))
    m.tiles(p, y, p.tone("#f4f6f4"), p.tone(p.pick("#cfdfe0", "#d6dce6", "#dde3d0")))
    side = p.sign()
    white, steel = p.tone("#fdfdfb"), p.tone("#b9c3cb")
    _blind_window(p, 50 + side * 8 - 12, p.between(13, 16), 24, 25)
    cross = p.tone("#e0504f")
    sx = 50 - side * 12
    p.rect(sx - 5, 14, 10, 10, white, r=1)
    p.rect(sx - 1.1, 15.6, 2.2, 6.8, cross, detail=True)
    p.rect(sx - 3.4, 17.9, 6.8, 2.2, cross, detail=True)
    # The bed stands along the wall, its head at one side.
    cloth = p.tone(p.pick("#8fc0d9", "#a8d0b0", "#e6b8b0", "#b8b0d9"))
    head, foot = 50 - side * 42, 50 + side * 4
    left, w = min(head, foot), abs(head - foot)
    for x, h in ((head, 27), (foot, 17)):
        p.rect(x - 0.8, y + 8 - h, 1.6, h, steel, r=0.8)
        p.oval(x, y + 8.4, 1.5, 1.5, p.tone("#5f666e"))
    for k in (0, 6):
        p.rect(head - 0.8, y - 19 + k, 1.6, 1.2, dark(steel, 0.2), detail=True)
    p.rect(left, y - 1, w, 4, steel, shade=dark(steel, 0.2))
    p.rect(left + 0.6, y - 6.4, w - 1.2, 6, white, r=1.6, shade=dark(white, 0.08))
    p.rect(head + (2 if side > 0 else -13), y - 11, 11, 5.6, white, r=2.4, shade=dark(white, 0.12))
    cover = left + (14 if side > 0 else 0)
    p.rect(cover, y - 7.6, w - 14, 9.4, cloth, r=2, shade=dark(cloth, 0.12))
    p.rect(cover, y - 7.6, w - 14, 2, pale(cloth, 0.5), r=1, detail=True)
    drip = 50 - side * 30
    p.line([(drip, y + 3), (drip, y - 38)], steel, 0.7)
    p.line([(drip - 3, y - 38), (drip + 3, y - 38)], steel, 0.7)
    p.rect(drip + 1.2, y - 37.4, 3.6, 7, p.tone("#dff0f6"), r=1.2)
    p.line([(drip + 3, y - 30.4), (drip + 4.4, y - 20), (drip + side * 6, y - 9)], p.tone("#cfe0e8"), 0.3, smooth=True)
    _lamp_above(p, 50 - side * 36, y - 34)
    tx = 50 + side * 22
    p.rect(tx - 6, y - 12, 12, 14.6, white, r=0.8, shade=dark(white, 0.12))
    for k in range(2):
        p.rect(tx - 4.8, y - 9.8 + 6 * k, 9.6, 4.6, stripe, r=0.5)
    _vase(p, tx, y - 12)
    p.layer("a chair", 88)
    cx, seat = 50 + side * p.between(41, 44), p.tone(p.pick("#5f9ab5", "#7fb08a", "#d98f6a"))
    for dx in (-6.4, 5.2):
        p.rect(cx + dx, 80, 1.3, 9.4, steel)
    p.rect(cx - 7, 62, 14, 13, seat, r=2, shade=dark(seat, 0.15))
    p.rect(cx - 8, 77, 16, 4, pale(seat, 0.1), r=1.6, shade=dark(seat, 0.1))
    if p.chance(0.6):
        p.layer("a teddy bear", 103)
        _teddy(p, 50 - side * p.between(42, 45), 102, p.between(8, 9.5))


@motif
def _blind_window(p: Painter, x: float, y: float, w: float, h: float) -> None:
    white = p.tone("#fffdf8")
    p.rect(x - 1.5, y - 1.5, w + 3, h + 3, white)
    p.rect(x, y, w, h, p.sky_top, shade=p.haze, detail=True)
    land = p.tone(p.pick("#7fae5f", "#6f9f6a", "#8aa878"), 0.2)
    p.poly(
        [(x, y + h * 0.8), (x + w * 0.4, y + h * 0.72), (x + w, y + h * 0.84), (x + w, y + h), (x, y + h)],
        land,
        detail=True,
    )
    for k in range(4):
        p.rect(x, y + 0.4 + 1.9 * k, w, 1.3, mix(white, "#b9c9d0", 0.3), detail=True)
    p.rect(x + w / 2 - 0.5, y, 1, h, white, detail=True)
    if p.time in ("day", "sunrise", "sunset"):
        light = rgb({"day": "#fffbe0", "sunrise": "#ffe3cf", "sunset": "#ffa860"}[p.time])
        with p.lighting():
            p.veil([(x, y), (x + w, y), (x + w * 1.4 + 6, 101), (x + w * 0.3, 101)], light, light, 0.2, 0.05)


@lighting
def _lamp_above(p: Painter, x: float, y: float) -> None:
    p.rect(x - 7, y, 14, 2.2, p.tone("#e6ecee"), r=1)
    if p.night or p.time == "sunset":
        p.glow(x, y + 2, 34, rgb("#fff0c8"), 0.6)


@motif
def _vase(p: Painter, x: float, y: float) -> None:
    stem = p.tone("#5f9a4a")
    for dx in (-2.6, 0, 2.4):
        p.line([(x, y - 4), (x + dx, y - 9 - abs(dx) * 0.2)], stem, 0.5)
        bloom = p.tone(p.pick("#ff7fa8", "#ffd94d", "#e4504f", "#a77be0"))
        p.blob(x + dx, y - 9.6, 1.8, 1.7, bloom, lobes=6, detail=True)
    glass = p.tone("#9fd0e0")
    p.poly([(x - 1.8, y - 5), (x + 1.8, y - 5), (x + 1.3, y), (x - 1.3, y)], glass, shade=dark(glass, 0.2))


@motif
def _teddy(p: Painter, x: float, y: float, s: float) -> None:
    fur = p.tone(p.pick("#b5824f", "#c9a06a", "#8f6442"))
    for dx in (-0.5, 0.5):
        p.oval(x + dx * s * 1.1, y - s * 0.2, s * 0.34, s * 0.3, fur)
        p.oval(x + dx * s * 1.5, y - s * 0.85, s * 0.22, s * 0.36, fur)
        p.oval(x + dx * s, y - s * 2.05, s * 0.27, s * 0.27, fur)
    p.oval(x, y - s * 0.7, s * 0.62, s * 0.68, fur, shade=dark(fur, 0.15))
    p.oval(x, y - s * 1.6, s * 0.58, s * 0.53, fur)
    p.oval(x, y - s * 1.46, s * 0.26, s * 0.2, pale(fur, 0.5), detail=True)
    for dx in (-0.2, 0.2):
        p.oval(x + dx * s, y - s * 1.7, s * 0.07, s * 0.08, rgb("#2a2222"), detail=True)
    p.oval(x, y - s * 1.52, s * 0.09, s * 0.06, rgb("#3a2622"), detail=True)


@place(
    "tree house",
    "in a tree house",
    "up in the tree house",
    "in the tree house",
    "high up in a tree house",
    empty="high up in a tree",
    weathers=("clear", "cloudy", "rain", "fog"),
    ground=(0.83, 0.94),
)
def tree_house(p: Painter) -> None:
    horizon = p.between(58, 64)
    m.sky(p, horizon)
    for far, y in ((0.6, horizon), (0.42, horizon + 6)):
        leaf = p.tone(p.pick("#5f9a5a", "#4f8f6a", "#7aa84f"), far)
        for x in p.spread(9, -5, 105):
            p.blob(x, y + p.between(-2, 2), p.between(8, 12), p.between(6, 9), leaf, lobes=9, far=far)
        p.rect(-2, y + 3, 104, 50, leaf, detail=True)
    side, bark = p.sign(), p.tone(p.pick("#7a5638", "#6d4c3a"))
    tx = 50 + side * p.between(27, 31)
    trunk = [
        (tx - 11, 104),
        (tx - 8, 70),
        (tx - 7, 30),
        (tx - 13, -3),
        (tx + 13, -3),
        (tx + 7, 30),
        (tx + 8, 70),
        (tx + 11, 104),
    ]
    p.poly(trunk, bark, shade=dark(bark, 0.25))
    for _ in range(9):
        x, y = tx + p.between(-6, 6), p.between(4, 74)
        p.line([(x, y), (x + p.between(-0.8, 0.8), y + p.between(4, 9))], dark(bark, 0.28), 0.5)
    wood = p.tone(p.pick("#c99a62", "#b5895a", "#d0a870"))
    _cabin(p, 50 - side * p.between(18, 22), 76, wood)
    deck = mix(wood, "#a8703f", 0.3)
    p.wash(76, 101, dark(deck, 0.1), deck)
    for k in range(1, 6):
        y = 76 + 26 * (k / 6) ** 1.3
        p.line([(-2, y), (102, y)], dark(deck, 0.28), 0.35 + 0.07 * k)
    for _ in range(12):
        y = 76 + 26 * (p.count(0, 5) / 6) ** 1.3
        x = p.between(0, 100)
        p.line([(x, y + 0.3), (x, y + 3.4)], dark(deck, 0.28), 0.4)
    rope = p.tone("#e6d3a8")
    post = (50 + side * 6, 50 + side * 47)
    for x in post:
        p.rect(x - 1, 62, 2, 15.5, dark(wood, 0.2), r=0.5)
    for y in (64.5, 70.5):
        middle = (sum(post) / 2, y + 3.4)
        p.line([(post[0], y), middle, (post[1], y)], rope, 0.8, smooth=True)
    if p.chance(0.6):
        _lantern(p, 50 + side * 12, p.between(26, 30))
    for x in p.spread(7, -4, 104):
        leaf = p.tone(p.pick(*m.GREENS))
        p.blob(x, p.between(-3, 4), p.between(12, 16), p.between(9, 13), leaf, shade=dark(leaf, 0.2), lobes=9)
    m.puddles(p, 84, 96)
    p.layer("a crate", 89)
    m.crate(p, 50 - side * p.between(41, 45), 90, p.between(13, 16))
    p.layer("leaves", 105)
    leaf = p.tone(p.pick(*m.GREENS))
    for x in (50 + side * 52, 50 + side * 41):
        p.blob(x, 103, p.between(8, 11), p.between(6, 8), leaf, shade=dark(leaf, 0.25), lobes=9)
    m.weather(p, horizon)


@motif
def _cabin(p: Painter, x: float, y: float, wood: Colour) -> None:
    w, h = p.between(38, 42), p.between(32, 35)
    p.rect(x - w / 2, y - h, w, h, wood, shade=dark(wood, 0.15))
    for k in range(1, 7):
        p.line([(x - w / 2, y - h * k / 7), (x + w / 2, y - h * k / 7)], dark(wood, 0.2), 0.35)
    roof = p.tone(p.pick("#8a4b3a", "#5f7a55", "#5d6b7d"))
    p.poly([(x - w * 0.6, y - h + 1), (x, y - h - 15), (x + w * 0.6, y - h + 1)], roof, shade=dark(roof, 0.2))
    for k in (0.35, 0.65):
        half, row = w * 0.58 * k, y - h - 15 * (1 - k) + k
        p.line([(x - half, row), (x + half, row)], dark(roof, 0.2), 0.4)
    way = p.sign()
    m.door(p, x + way * w * 0.22, y, 11, 21, p.tone(p.pick(*m.BRIGHTS)), arched=True)
    m.pane(p, x - way * w * 0.24 - 5, y - h * 0.72, 10, 10, lit=1.0, bars=True)
    sign = pale(wood, 0.3)
    p.rect(x + way * w * 0.22 - 6, y - h + 3, 12, 4.4, sign, r=0.6)
    p.line([(x + way * w * 0.22 - 4, y - h + 5.2), (x + way * w * 0.22 + 4, y - h + 5.2)], dark(sign, 0.4), 0.5)


@motif
def _lantern(p: Painter, x: float, y: float) -> None:
    iron = p.tone("#3b4450")
    p.line([(x, y - 30), (x, y - 3)], p.tone("#e6d3a8"), 0.5)
    if p.night or p.time == "sunset":
        with p.lighting():
            p.glow(x, y, 26, rgb("#ffdf8a"), 0.75)
    p.rect(x - 2, y - 2.4, 4, 5, p.glowing("#ffedb0", "#f3ecd0"), r=0.8)
    p.rect(x - 2.6, y - 3.6, 5.2, 1.4, iron, r=0.5)
    p.rect(x - 2.6, y + 2.4, 5.2, 1.2, iron, r=0.5)


@place(
    "train",
    "on the train",
    "in a train",
    "inside a railway carriage",
    "in a train compartment",
    empty="a railway carriage",
    weathers=INDOORS,
    ground=(0.86, 0.95),
)
def train(p: Painter) -> None:
    p.horizon = y = p.between(73, 75)
    wall = p.tone(p.pick("#e6d3b0", "#d3dfd6", "#e0cfc4"))
    panel = p.tone(p.pick("#8f5f3a", "#6f7f5f", "#7a4a45", "#4f6a80"))
    p.wash(0, y, pale(wall, 0.15), wall)
    p.rect(-2, 50, 104, y - 48, panel, shade=dark(panel, 0.15))
    p.rect(-2, 48.6, 104, 2.2, pale(panel, 0.3))
    m.boards(p, y, p.tone(p.pick("#8f6f55", "#7f6a60", "#a08062")))
    land = p.pick("#7fae5f", "#93b85a", "#8aa878")
    for x in (5.0, 37.0, 69.0):
        _carriage_window(p, x, 17, 26, 26, land)
    rack = p.tone("#c9a24a")
    p.rect(-2, 9.6, 104, 1.2, rack)
    for x in range(0, 102, 6):
        p.line([(x, 10), (x + 2, 5)], rack, 0.4)
    for x in p.spread(p.count(3, 4), 2, 98):
        case, w = p.tone(p.pick("#8f5a35", "#c9503f", "#3f7f8f", "#d9a03f", "#6f5f8a")), p.between(10, 14)
        p.rect(x - w / 2, 2.4, w, 7.2, case, r=1.2, shade=dark(case, 0.2))
        p.rect(x - 1.6, 1, 3.2, 1.8, dark(case, 0.35), r=0.8)
    cloth = p.tone(p.pick("#b5404f", "#3f7f6a", "#4f6fa8", "#c9903f"))
    for x in (16.0, 84.0):
        _bench(p, x, y + 6, 30, cloth)
    for x in (34.0, 66.0):
        p.oval(x, 31, 1.3, 2.2, p.glowing("#fff3c4", "#fff6dc"), detail=True)
        if p.night or p.time == "sunset":
            with p.lighting():
                p.glow(x, 31, 26, rgb("#ffd58a"), 0.6)
    side = p.sign()
    p.layer("a seat", 90)
    _bench(p, 50 + side * p.between(43, 46), 92, 30, dark(cloth, 0.1))
    if p.chance(0.7):
        p.layer("a suitcase", 102)
        x, case = 50 - side * p.between(41, 45), p.tone(p.pick("#8f5a35", "#c9503f", "#3f7f8f", "#d9a03f"))
        p.rect(x - 3, 87, 6, 3, dark(case, 0.35), r=1.4)
        p.rect(x - 8, 89, 16, 12, case, r=1.6, shade=dark(case, 0.2))


@motif
def _carriage_window(p: Painter, x: float, y: float, w: float, h: float, land: str) -> None:
    frame = p.tone("#8f6442")
    p.rect(x - 1.6, y - 1.6, w + 3.2, h + 3.2, frame, r=3)
    p.rect(x, y, w, h, p.sky_top, r=2, shade=p.haze, detail=True)
    with p.lighting():
        if p.night:
            for _ in range(7):
                at = x + w * p.between(0.08, 0.92), y + h * p.between(0.06, 0.5)
                p.oval(*at, 0.25, 0.25, rgb("#ffffff"), detail=True)
        else:
            p.blob(x + w * p.between(0.25, 0.75), y + h * 0.2, w * 0.16, h * 0.07, rgb("#ffffff"), lobes=7, detail=True)
    for k, far in enumerate((0.4, 0.15)):
        foot = y + h
        top = y + h * (0.6 + 0.16 * k)
        hills = [(x + w * t, top - h * 0.1 * math.sin(t * 5 + x + 2 * k)) for t in np.linspace(0, 1, 9)]
        p.poly([*hills, (x + w, foot), (x, foot)], p.tone(land, far), detail=True)
    for at in p.spread(2, x + 4, x + w - 4):
        m.tree(p, at, y + h * 0.92, h * 0.26, p.tone(p.pick(*m.GREENS), 0.1), 0.1, "round")
    p.line([(x, y + h * 0.3), (x + w, y + h * 0.3)], frame, 0.8)


@motif
def _bench(p: Painter, x: float, y: float, w: float, cloth: Colour) -> None:
    p.rect(x - w / 2, y - w * 0.8, w, w * 0.52, cloth, r=3, shade=dark(cloth, 0.15))
    for k in (1, 2):
        p.line([(x - w / 2 + w * k / 3, y - w * 0.78), (x - w / 2 + w * k / 3, y - w * 0.3)], dark(cloth, 0.2), 0.4)
    p.rect(x - w * 0.52, y - w * 0.3, w * 1.04, w * 0.16, pale(cloth, 0.12), r=2, shade=dark(cloth, 0.12))
    p.rect(x - w * 0.48, y - w * 0.14, w * 0.96, w * 0.14, p.tone("#5f4a3f"))
