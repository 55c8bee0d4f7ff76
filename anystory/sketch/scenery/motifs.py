"""Things that many places share: skies and weather, plants, water, buildings, furniture. `x`, `y` is where a thing
stands: the middle of its foot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from anystory.sketch.scenery.colour import Colour, dark, mix, pale, rgb
from anystory.sketch.scenery.draw import Painter, lighting, motif, weathering

WALLS = ("#f4e3c3", "#f2c9a1", "#e8b4a2", "#cfe0e8", "#f7f0e2", "#e6d27d", "#b9d3b0", "#d9b8d0", "#a9c9dd", "#e39c86")
ROOFS = ("#b5483a", "#8a4b3a", "#5d6b7d", "#c76b3b", "#7d3f57", "#4f6f78")
GREENS = ("#4b9b45", "#6fae3f", "#3f8f5a", "#7fb548", "#5aa06a", "#2f8a5b")
AUTUMN = ("#e0a03f", "#d9753a", "#c9553f", "#e6c04a", "#b5883f")
BRIGHTS = ("#e4504f", "#f2a03f", "#f7d24a", "#5ab56a", "#4a90d9", "#a77be0", "#ef7fa8", "#3fb5b0")


# Sky and weather.


@lighting
def sky(p: Painter, horizon: float, *, sun: tuple[float, float] = (12, 88), clouds: float = 1.0) -> None:
    """Sky down to `horizon`, with what belongs to the time and weather in it; the sun stands at an x within `sun`."""
    p.horizon = horizon
    p.wash(horizon + 3, 101, p.haze, p.haze)
    p.wash(0, horizon + 4, p.sky_top, p.haze, torn=True)
    with p.within(f"{p.time} {p.weather}"):
        _heaven(p, horizon, sun, clouds)


def _heaven(p: Painter, horizon: float, sun: tuple[float, float], clouds: float) -> None:
    """What hangs in the sky at this hour in this weather."""
    p.sun_x = x = p.between(*sun)
    if p.weather == "fog":
        if p.chance(0.5):
            disc = {"day": "#ffffff", "sunrise": "#ffe9b8", "sunset": "#ffc07a", "night": "#8f9bb5"}[p.time]
            y, r = horizon * p.between(0.35, 0.7), p.between(4, 6)
            p.glow(x, y, r * 3.5, rgb(disc), 0.6)
            p.oval(x, y, r, r, mix(disc, p.haze, 0.35), detail=True)
    elif p.weather in ("", "clear"):
        _lights(p, x, horizon)
        for cx in p.spread(round(p.between(0.5, 3.5) * clouds), -5, 105):
            cloud(p, cx, p.between(8, max(12, horizon * 0.62)), p.between(7, 14))
    else:
        if p.time in ("sunrise", "sunset"):
            glow = "#ffe6a8" if p.time == "sunrise" else "#ff8a4e"
            p.glow(x, horizon, 38, rgb(glow), 0.75 if p.weather != "rain" else 0.55)
        elif p.night and p.weather == "cloudy" and p.chance(0.6):
            p.glow(x, 18, 24, rgb("#a9b8e0"), 0.5)
        _overcast(p, horizon)


@motif
def _lights(p: Painter, x: float, horizon: float) -> None:
    """Sun, or moon and stars."""
    if p.night:
        for _ in range(p.count(25, 60)):
            r = p.between(0.12, 0.42)
            at = p.between(0, 100), horizon * p.between(0, 0.95)
            p.oval(*at, r, r, mix(p.sky_top, "#ffffff", p.between(0.45, 1)), detail=True)
        y, r = p.between(10, 26), p.between(4, 7.5)
        p.glow(x, y, r * 4.5, rgb("#9fb6ff"), 0.4)
        if p.chance(0.5):
            turn = np.linspace(-math.pi / 2, math.pi / 2, 9)
            outer = [(x + r * math.cos(a), y + r * math.sin(a)) for a in turn]
            inner = [(x + r * 0.45 * math.cos(a), y + r * math.sin(a)) for a in turn[::-1]]
            p.poly([*outer, *inner], rgb("#f8efc4"))
        else:
            p.oval(x, y, r, r, rgb("#f8f2d4"))
            for dx, dy, k in ((-0.3, -0.25, 0.22), (0.35, 0.3, 0.15), (0.1, -0.5, 0.1)):
                p.oval(x + dx * r, y + dy * r, k * r, k * r, rgb("#e0d6b0"), detail=True)
    elif p.time == "day":
        if p.chance(0.7):
            y, r = p.between(9, 22), p.between(4.5, 7.5)
            p.glow(x, y, r * 5, rgb("#fff6cf"), 0.7)
            p.oval(x, y, r, r, rgb("#ffe071"))
    else:
        early = p.time == "sunrise"
        r = p.between(6.5, 11)
        y = horizon - p.between(-1, 9)
        p.glow(x, y, r * 5, rgb("#fff4bf" if early else "#ffb057"), 0.85)
        p.oval(x, y, r, r, rgb("#fff1a8" if early else "#ffd36e"))


@motif
def _overcast(p: Painter, horizon: float) -> None:
    """Banks of cloud that hide the sky's light."""
    heavy = p.weather == "rain"
    body = mix(p.sky_top, p.haze, 0.35)
    for row, (y, share) in enumerate(((0.1, 0.0), (0.3, 0.35), (0.55, 0.6))):
        colour = dark(mix(body, p.haze, share), 0.16 if heavy else 0.03)
        lit = pale(mix(body, p.haze, share), 0.1 if heavy or p.night else 0.4)
        for x in p.spread(p.count(4, 5) - (row == 2), -10, 110):
            rx, cy = p.between(17, 27) * (1 - 0.2 * row), horizon * (y + p.between(-0.05, 0.05))
            ry = rx * p.between(0.3, 0.42)
            p.blob(x, cy, rx, ry, lit, shade=colour, lobes=p.count(8, 11), floor=cy + ry * 0.55, far=0.65)


@motif
def cloud(p: Painter, x: float, y: float, size: float) -> None:
    body = rgb({"day": "#ffffff", "sunrise": "#fff0ea", "sunset": "#ffbfa3", "night": "#4a5890", "": "#ffffff"}[p.time])
    under = mix(body, mix(p.haze, p.sky_top, 0.4), 0.5)
    floor = y + size * 0.2
    wide, tall = size * p.between(1.0, 1.5), size * p.between(0.45, 0.6)
    p.blob(x, y, wide, tall, body, shade=under, lobes=p.count(7, 10), floor=floor, far=0.6)


@weathering
def weather(p: Painter, horizon: float) -> None:
    """What falls or drifts in front of everything: call it last."""
    if p.weather == "rain":
        p.layer("", 200)
        colour = mix(p.haze, "#ffffff", 0.45)
        lean = p.between(-3, 3)
        for _ in range(3):
            part = [(p.between(-5, 105), p.between(-8, 100), p.between(3, 7)) for _ in range(38)]
            d = "".join(f"M{x:.1f} {y:.1f}l{lean * h / 6:.1f} {h:.1f}" for x, y, h in part)
            width, alpha = p.between(0.3, 0.55), p.between(0.55, 0.8)
            p.strokes(d, colour, width, alpha)
    elif p.weather == "snow":
        p.layer("", 200)
        flake = mix("#ffffff", p.haze, 0.25 if p.night else 0.05)
        for low, high, n in ((0.3, 0.55, 60), (0.6, 0.95, 34), (1.0, 1.5, 8)):
            for _ in range(n):
                r = p.between(low, high)
                p.oval(p.between(0, 100), p.between(0, 100), r, r, flake, detail=True)
    elif p.weather == "fog":
        p.layer("", 200)
        for y0, y1, a0, a1 in ((-2, horizon, 0.0, 0.42), (horizon, 102, 0.42, 0.12)):
            p.veil([(-2, y0), (102, y0), (102, y1), (-2, y1)], p.haze, p.haze, a0, a1)
        for _ in range(3):
            x, y, w = p.between(0, 100), p.between(horizon - 8, 90), p.between(30, 55)
            p.mist(x, y, w, p.between(4, 8), p.haze, 0.45)


@weathering
def puddles(p: Painter, y0: float, y1: float) -> None:
    """Rings of rain on the ground."""
    if p.wet:
        for _ in range(p.count(4, 7)):
            y = p.between(y0, y1)
            x, w = p.between(2, 98), 2.5 + 6 * (y - y0) / max(y1 - y0, 1)
            p.oval(x, y, w, w * 0.22, mix(p.haze, p.sky_top, 0.3), detail=True)
            p.oval(x + w * 0.1, y - 0.1, w * 0.45, w * 0.09, pale(p.haze, 0.35), detail=True)


# Plants.


@motif
def pine(p: Painter, x: float, y: float, h: float, colour: Colour, far: float = 0.0) -> None:
    p.rect(x - h * 0.035, y - h * 0.2, h * 0.07, h * 0.2, p.tone("#6b4a35", far), far=far, detail=h < 20)
    tiers = 3 if h < 24 else 4
    snow = p.snow(far * 0.6)
    for k in range(tiers):
        base = y - h * (0.1 + 0.74 * k / tiers)
        wide, tall = h * (0.27 - 0.17 * k / tiers), h * (0.5 - 0.2 * k / tiers)
        drop = h * 0.03
        shape = [
            (x - wide, base),
            (x - wide * 0.45, base + drop),
            (x, base - drop * 0.3),
            (x + wide * 0.5, base + drop),
            (x + wide, base),
        ]
        p.poly([*shape, (x, base - tall)], colour, shade=dark(colour, 0.16), far=far, detail=h < 9)
        if p.snowy:
            cap = [(x, base - tall), (x + wide * 0.6, base - tall * 0.4), (x + wide * 0.15, base - tall * 0.5)]
            with p.weathering():
                p.poly(
                    [*cap, (x - wide * 0.2, base - tall * 0.36), (x - wide * 0.6, base - tall * 0.4)],
                    snow,
                    detail=True,
                )


@motif
def tree(p: Painter, x: float, y: float, h: float, colour: Colour, far: float = 0.0, form: str = "") -> None:
    """A broadleaf: "round", "tall" (a poplar), "wide" or "birch"; any where no form is given."""
    form = form or p.pick("round", "round", "wide", "tall", "birch")
    white = form == "birch"
    trunk = p.tone("#efe9dd" if white else p.pick("#7a4f2f", "#6d4c3a", "#8a5f3f"), far)
    w = h * (0.045 if form in ("tall", "birch") else 0.06)
    detail = h < 12
    body = [(x - w * 1.5, y), (x - w * 0.8, y - h * 0.12), (x - w * 0.6, y - h * 0.6), (x + w * 0.6, y - h * 0.6)]
    p.poly(
        [*body, (x + w * 0.8, y - h * 0.12), (x + w * 1.5, y)], trunk, shade=dark(trunk, 0.18), far=far, detail=detail
    )
    if white and not detail:
        for k in p.spread(5, 0.1, 0.55):
            p.rect(x - w * 0.6, y - h * k, w * p.between(0.5, 0.9), h * 0.012, p.tone("#4a4440", far), detail=True)
    elif not detail:
        for side in (-1, 1):
            p.line([(x, y - h * 0.4), (x + side * h * 0.12, y - h * 0.58)], dark(trunk, 0.1), w * 0.8)
    rx, ry, cy = {
        "round": (0.3, 0.28, 0.7),
        "wide": (0.42, 0.25, 0.68),
        "tall": (0.15, 0.42, 0.58),
        "birch": (0.22, 0.34, 0.64),
    }[form]
    cx, cy = x + p.between(-0.02, 0.02) * h, y - h * cy
    lit, low = pale(colour, 0.16), dark(colour, 0.14)
    p.blob(cx, cy, rx * h, ry * h, colour, shade=dark(colour, 0.26), lobes=p.count(9, 12), far=far, detail=detail)
    if h < 9:
        return
    for dx, dy, k in ((0.4, 0.3, 0.42), (-0.32, -0.06, 0.52), (0.28, -0.34, 0.42), (-0.3, -0.42, 0.3)):
        tint = low if dy > 0.2 else mix(colour, lit, 0.5 - dy)
        p.blob(cx + dx * rx * h, cy + dy * ry * h, rx * h * k, ry * h * k, tint, lobes=7, detail=True)
    bears = h > 22 and p.chance(0.35)
    with p.weathering():
        if p.snowy:
            p.blob(cx, cy - ry * h * 0.62, rx * h * 0.62, ry * h * 0.32, p.snow(far), lobes=7, detail=True)
        elif bears:
            fruit, r = p.tone(p.pick("#e4504f", "#f2a03f", "#f7c6d8"), far), h * 0.018
            for _ in range(9):
                a, reach = p.between(0, 6.3), p.between(0.1, 0.8)
                p.oval(cx + rx * h * reach * math.cos(a), cy + ry * h * reach * math.sin(a), r, r, fruit, detail=True)


@motif
def palm(p: Painter, x: float, y: float, h: float, far: float = 0.0) -> None:
    lean = p.between(-0.3, 0.3) * h
    top = (x + lean, y - h)
    wood = p.tone("#a8763f", far)
    rise = np.linspace(0, 1, 9)
    left = [(x - h * (0.05 - 0.025 * t) + lean * t * t, y - h * t) for t in rise]
    right = [(x + h * (0.05 - 0.025 * t) + lean * t * t, y - h * t) for t in rise[::-1]]
    p.poly([*left, *right], wood, shade=dark(wood, 0.2), far=far)
    for t in np.linspace(0.1, 0.9, 8):
        cx, w = x + lean * t * t, h * (0.05 - 0.025 * t)
        p.line([(cx - w * 0.8, y - h * t), (cx + w * 0.8, y - h * t + h * 0.008)], dark(wood, 0.25), 0.3)
    leaf = p.tone(p.pick("#3f9b4f", "#2f8a5b", "#5aa83c"), far)
    for k in (0, 6, 1, 5, 2, 4, 3):
        angle = math.pi * k / 6 + p.between(-0.12, 0.12)
        reach, droop = h * p.between(0.42, 0.54), h * (0.3 - 0.26 * math.sin(angle))
        ts = np.linspace(0, 1, 6)
        xs = top[0] - math.cos(angle) * reach * ts
        ys = top[1] - math.sin(angle) * reach * 0.75 * ts - h * 0.16 * np.sin(np.pi * ts) + droop * ts**2
        width = h * 0.05 * np.sin(np.pi * np.clip(ts * 0.9 + 0.08, 0, 1))
        under = [(a, b + 2 * w) for a, b, w in zip(xs, ys, width, strict=True)]
        p.poly(
            [*zip(xs, ys - width * 0.2, strict=True), *under[::-1]], mix(leaf, dark(leaf, 0.3), (k % 2) * 0.6), far=far
        )
    for dx in (-0.025, 0.025, 0.0):
        p.oval(top[0] + dx * h, top[1] + h * 0.03, h * 0.028, h * 0.03, p.tone("#7a5230", far))


@motif
def bush(p: Painter, x: float, y: float, w: float, colour: Colour, far: float = 0.0) -> None:
    """`w` is half its width."""
    h = w * p.between(0.75, 1.0)
    p.blob(x, y - h * 0.55, w, h * 0.8, colour, shade=dark(colour, 0.26), lobes=p.count(8, 11), floor=y + 0.3, far=far)
    for dx, dy, k in ((-0.4, 0.66, 0.38), (0.35, 0.75, 0.34), (0.02, 0.95, 0.3)):
        p.blob(x + dx * w, y - h * dy, w * k, h * k * 0.7, pale(colour, 0.16), lobes=6, detail=True)
    blooms = w > 5 and p.chance(0.4)
    with p.weathering():
        if p.snowy:
            p.blob(x, y - h * 1.08, w * 0.7, h * 0.22, p.snow(far), lobes=6, detail=True)
        elif blooms:
            bloom = p.tone(p.pick("#ffffff", "#ff7fa8", "#f2d04a", "#e4504f", "#b08ae6"), far)
            for _ in range(10):
                r = w * p.between(0.05, 0.08)
                at = x + w * p.between(-0.75, 0.75), y - h * p.between(0.15, 1.05)
                p.oval(*at, r, r, bloom, detail=True)


@weathering
def flowers(p: Painter, y0: float, y1: float, count: int, x0: float = 0.0, x1: float = 100.0) -> None:
    if p.snowy:
        return
    kinds = p.shuffled(("#ffffff", "#ffd94d", "#ff7fa8", "#e4504f", "#a77be0", "#6fa8ff"))[:3]
    petals = [p.tone(kind) for kind in kinds]
    stem, heart = p.tone("#4f8a3a"), p.tone("#ffcf3f")
    for y in np.sort(p.several(count, y0, y1)):
        near = (y - y0) / max(y1 - y0, 1e-6)
        x, r = p.between(x0, x1), 0.45 + 0.75 * near
        colour = p.pick(*petals)
        p.line([(x, y + 3.2 * r), (x, y)], stem, 0.28 + 0.15 * near)
        if p.chance(0.4):
            cup = [
                (x - r, y - r),
                (x - r * 0.5, y - r * 0.35),
                (x, y - r * 1.1),
                (x + r * 0.5, y - r * 0.35),
                (x + r, y - r),
            ]
            p.poly([*cup, (x + r * 0.7, y + r * 0.6), (x - r * 0.7, y + r * 0.6)], colour, detail=True)
            continue
        for k in range(5):
            a = k * 1.2566 + 0.3
            p.oval(x + r * 0.8 * math.cos(a), y + r * 0.8 * math.sin(a), r * 0.58, r * 0.58, colour, detail=True)
        p.oval(x, y, r * 0.5, r * 0.5, heart, detail=True)


@motif
def tufts(p: Painter, y0: float, y1: float, count: int, colour: Colour, x0: float = 0.0, x1: float = 100.0) -> None:
    for y in np.sort(p.several(count, y0, y1)):
        x, h = p.between(x0, x1), 1.2 + 2.6 * (y - y0) / max(y1 - y0, 1e-6)
        for lean in (-0.55, 0.0, 0.5):
            p.poly(
                [(x - 0.16 * h, y), (x + lean * h, y - h * (1 - 0.25 * abs(lean))), (x + 0.16 * h, y)],
                colour,
                detail=True,
            )


@motif
def grass_front(p: Painter, colour: Colour, depth: float = 103, height: float = 9, name: str = "tall grass") -> None:
    """A layer of blades along the lower edge, high at one side."""
    p.layer(name, depth)
    side = 0.5 + p.sign() * p.between(0.45, 0.7)
    for x in p.spread(44, -2, 102):
        near = max(0.25, 1 - 1.3 * abs(x / 100 - side))
        h, lean = height * near * p.between(0.7, 1.3), p.between(-2.5, 2.5)
        tint = mix(colour, dark(colour, 0.35), p.between(0, 0.7))
        p.poly(
            [
                (x - 0.8, 102),
                (x + lean * 0.4 - 0.3, 101 - h * 0.6),
                (x + lean, 101 - h),
                (x + lean * 0.4 + 0.6, 101 - h * 0.55),
                (x + 0.9, 102),
            ],
            tint,
        )


@motif
def rock(p: Painter, x: float, y: float, w: float, colour: Colour, far: float = 0.0) -> None:
    """`w` is half its width."""
    h = w * p.between(0.75, 1.1)
    corners = [(-1, 0), (-0.86, -0.5), (-0.3, -0.95), (0.3, -0.88), (0.85, -0.4), (1, 0)]
    xy = [(x + dx * w, y + dy * h * p.between(0.85, 1.05)) for dx, dy in corners]
    p.poly([*xy, (x, y + h * 0.08)], colour, shade=dark(colour, 0.2), far=far)
    p.poly(
        [xy[1], xy[2], xy[3], (x + 0.1 * w, y - 0.5 * h), (x - 0.4 * w, y - 0.4 * h)], pale(colour, 0.22), detail=True
    )
    if p.snowy:
        cap = [xy[1], xy[2], xy[3], xy[4], (x + 0.2 * w, y - 0.62 * h), (x - 0.4 * w, y - 0.55 * h)]
        with p.weathering():
            p.poly(cap, p.snow(far), detail=True)


@motif
def cactus(p: Painter, x: float, y: float, h: float, colour: Colour, far: float = 0.0) -> None:
    w = h * 0.11
    for side in (-1, 1):
        at, up = y - h * p.between(0.3, 0.5), h * p.between(0.2, 0.35)
        reach = side * h * 0.24
        arm = [(x, at), (x + reach * 0.8, at), (x + reach, at - up * 0.3), (x + reach, at - up)]
        p.line(arm, dark(colour, 0.2), w * 1.25, far=far)
        p.line(arm, colour, w * 0.95, far=far)
    p.rect(x - w, y - h, 2 * w, h, colour, r=w, shade=dark(colour, 0.2), far=far)
    for dx in (-0.4, 0.1, 0.55):
        p.line([(x + dx * w, y - h * 0.93), (x + dx * w, y - h * 0.05)], dark(colour, 0.22), 0.25)
    if p.chance(0.5):
        p.blob(x, y - h, w * 0.7, w * 0.5, p.tone("#ef6fa0", far), lobes=5, detail=True)


@motif
def mushroom(p: Painter, x: float, y: float, h: float, cap: Colour) -> None:
    stem = p.tone("#f6ecd8")
    p.poly(
        [(x - h * 0.13, y), (x - h * 0.09, y - h * 0.6), (x + h * 0.09, y - h * 0.6), (x + h * 0.14, y)],
        stem,
        shade=dark(stem, 0.18),
    )
    turn = np.linspace(math.pi, 2 * math.pi, 11)
    top = [(x + h * 0.42 * math.cos(a), y - h * 0.52 + h * 0.48 * math.sin(a)) for a in turn]
    p.poly([*top, (x + h * 0.2, y - h * 0.47), (x - h * 0.2, y - h * 0.47)], cap, shade=dark(cap, 0.2))
    for dx, dy, r in ((-0.2, -0.68, 0.05), (0.06, -0.85, 0.06), (0.22, -0.64, 0.045), (-0.02, -0.62, 0.035)):
        p.oval(x + dx * h, y + dy * h, r * h, r * h * 0.85, pale(cap, 0.75), detail=True)


# Water.


@motif
def water(p: Painter, y0: float, y1: float, colour: str, *, far: float = 0.35) -> None:
    """Open water from its horizon `y0` to `y1`, with glints and the low sun's path."""
    low_sun = p.time in ("sunrise", "sunset")
    near = mix(p.tone(colour), p.sky_top, 0.38 if low_sun else 0.1)
    p.wash(y0, y1, mix(mix(near, p.haze, far), p.haze, 0.3), near)
    glints(p, y0 + 1.5, y1, 22, mix(mix(near, p.haze, 0.5), "#ffffff", 0.25))
    if p.weather == "clear" and (low_sun or p.night):
        shine = rgb({"sunrise": "#fff3c0", "sunset": "#ffc46a", "night": "#c3d0f5"}[p.time])
        with p.lighting():
            for y in np.linspace(y0 + 0.6, y0 + (y1 - y0) * 0.8, 13):
                w = 1.5 + 6 * (y - y0) / (y1 - y0) * p.between(0.5, 1.2)
                p.mist(p.sun_x + p.between(-1.5, 1.5), y, w * 1.6, 0.5 + w * 0.05, shine, 0.85)


@motif
def glints(p: Painter, y0: float, y1: float, count: int, colour: Colour) -> None:
    for y in np.sort(p.several(count, y0, y1)):
        near = (y - y0) / max(y1 - y0, 1e-6)
        x, w, h = p.between(0, 100), 2 + 6 * near, 0.16 + 0.5 * near
        p.poly(
            [(x - w, y), (x - w * 0.3, y - h), (x + w * 0.4, y - h * 0.5), (x + w, y), (x, y + h * 0.4)],
            colour,
            smooth=True,
            detail=True,
        )


@motif
def wave_front(p: Painter, y: float, colour: Colour, depth: float, name: str = "a wave", height: float = 5.0) -> None:
    """A layer: one row of waves with foam."""
    p.layer(name, depth)
    xs = np.linspace(-4, 104, 28)
    ys = y - height * np.abs(np.sin(xs / p.between(8, 13) + p.between(0, 3))) * p.between(0.7, 1)
    p.poly([*zip(xs, ys, strict=True), (104, 104), (-4, 104)], colour, shade=dark(colour, 0.18))
    p.line(list(zip(xs, ys + 0.7, strict=True)), mix(p.tone("#ffffff"), colour, 0.15), 0.9, smooth=True)
    glints(p, y + 0.5, max(y + 1, min(y + 14, 99)), 10, mix(colour, p.tone("#ffffff"), 0.4))


@motif
def sailboat(p: Painter, x: float, y: float, s: float, far: float = 0.0) -> None:
    hull, sail = p.tone(p.pick(*BRIGHTS), far), p.tone(p.pick("#ffffff", "#fff3d8", "#f6b9a0", "#f7d98a"), far)
    p.line([(x, y - s * 0.1), (x, y - s * 1.6)], p.tone("#6b4a35", far), max(0.3, s * 0.05))
    p.poly([(x + s * 0.08, y - s * 1.55), (x + s * 0.85, y - s * 0.35), (x + s * 0.08, y - s * 0.3)], sail, far=far)
    p.poly(
        [(x - s * 0.08, y - s * 1.35), (x - s * 0.6, y - s * 0.35), (x - s * 0.08, y - s * 0.3)],
        dark(sail, 0.1),
        far=far,
    )
    p.poly(
        [
            (x - s * 0.9, y - s * 0.25),
            (x + s * 1.0, y - s * 0.25),
            (x + s * 0.7, y + s * 0.12),
            (x - s * 0.65, y + s * 0.12),
        ],
        hull,
        shade=dark(hull, 0.25),
        far=far,
    )


@motif
def rowboat(p: Painter, x: float, y: float, s: float, colour: Colour) -> None:
    p.poly(
        [(x - s, y - s * 0.42), (x + s, y - s * 0.42), (x + s * 0.7, y + s * 0.05), (x - s * 0.75, y + s * 0.05)],
        colour,
        shade=dark(colour, 0.3),
    )
    p.poly(
        [(x - s, y - s * 0.42), (x + s, y - s * 0.42), (x + s * 0.93, y - s * 0.3), (x - s * 0.94, y - s * 0.3)],
        pale(colour, 0.4),
    )
    p.line([(x - s * 0.1, y - s * 0.6), (x + s * 0.7, y + s * 0.12)], p.tone("#a8763f"), max(0.5, s * 0.07))


# Buildings.


@motif
def pane(
    p: Painter, x: float, y: float, w: float, h: float, *, lit: float = 0.6, far: float = 0.0, bars: bool = False
) -> None:
    """A window of a house, dark or, at night, lit."""
    late, warm = p.between(0, 1), p.pick("#ffd76a", "#ffe69a")
    on = late < {"night": lit, "sunset": lit * 0.4}.get(p.time, 0.0)
    glass = mix(warm, p.haze, far * 0.6) if on else p.tone("#7fb3d0", far, 0.01)
    if bars:
        frame = p.tone("#fbf6ea", far)
        p.rect(x - w * 0.12, y - w * 0.12, w * 1.24, h + w * 0.24, frame, far=far)
    p.rect(x, y, w, h, glass, shade=None if on else dark(glass, 0.15), far=far, detail=w < 2 or bars)
    if bars:
        p.rect(x + w * 0.45, y, w * 0.1, h, frame, detail=True)
        p.rect(x, y + h * 0.46, w, w * 0.1, frame, detail=True)


@motif
def door(p: Painter, x: float, y: float, w: float, h: float, colour: Colour, *, arched: bool = False) -> None:
    frame = p.tone("#fbf6ea")
    r = w / 2 if arched else 0.3
    p.rect(x - w / 2 - 0.5, y - h - 0.5, w + 1, h + 0.5, frame, r=r)
    p.rect(x - w / 2, y - h, w, h, colour, r=r, shade=dark(colour, 0.15))
    p.oval(x + w * 0.3, y - h * 0.45, 0.35, 0.35, p.tone("#f2d27a"), detail=True)


@motif
def house(p: Painter, x: float, y: float, w: float, h: float, far: float = 0.0) -> None:
    """A cottage with a pitched roof; `h` is the height of its wall."""
    wall, roof = p.tone(p.pick(*WALLS), far), p.tone(p.pick(*ROOFS), far)
    peak = p.between(0.42, 0.68) * w
    left = x - w / 2
    chimney = p.chance(0.6)
    if chimney:
        cx = x + w * p.sign() * 0.22
        p.rect(cx - w * 0.06, y - h - peak * 0.85, w * 0.12, peak * 0.7, dark(roof, 0.2), far=far)
        if p.chance(0.5) and p.weather not in ("rain", "fog"):
            smoke, top = p.tone("#ffffff", 0.3), y - h - peak
            with p.weathering():
                for k in range(3):
                    p.mist(cx + k * w * 0.08, top - w * 0.12 * (k + 0.3), w * (0.1 + 0.05 * k), w * 0.06, smoke, 0.7)
    p.rect(left, y - h, w, h, wall, shade=dark(wall, 0.1), far=far)
    p.poly(
        [(left - w * 0.1, y - h + 0.3), (x, y - h - peak), (left + w * 1.1, y - h + 0.3)],
        roof,
        shade=dark(roof, 0.18),
        far=far,
    )
    with p.weathering():
        if p.snowy:
            cover = [
                (left - w * 0.12, y - h + 0.1),
                (x, y - h - peak - 0.6),
                (left + w * 1.12, y - h + 0.1),
                (left + w, y - h - w * 0.05),
                (x, y - h - peak * 0.72),
                (left, y - h - w * 0.05),
            ]
            p.poly(cover, p.snow(far), far=far)
        elif w > 14:
            for k in (0.35, 0.6, 0.82):
                half, row = w * 0.6 * k - 0.6, y - h - peak * (1 - k)
                p.line([(x - half, row), (x + half, row)], dark(roof, 0.16), 0.35)
    if w < 7:
        pane(p, x - w * 0.15, y - h * 0.7, w * 0.3, h * 0.4, far=far)
        return
    pane(p, x - w * 0.07, y - h - peak * 0.45, w * 0.14, w * 0.16, far=far, bars=w > 12)
    dx = p.sign() * w * 0.22
    door(p, x + dx, y, w * 0.2, h * 0.62, p.tone(p.pick(*BRIGHTS, "#7a4f35"), far), arched=p.chance(0.4))
    pane(p, x - dx - w * 0.12, y - h * 0.72, w * 0.24, h * 0.34, far=far, bars=True)
    if w > 14 and p.chance(0.5) and not p.snowy:
        box = x - dx - w * 0.15, y - h * 0.33
        with p.weathering():
            p.rect(*box, w * 0.3, h * 0.07, p.tone("#8a5a3a"), detail=True)
            for bx in np.linspace(box[0] + 0.5, box[0] + w * 0.3 - 0.5, 5):
                p.oval(bx, box[1] - 0.3, 0.7, 0.7, p.tone(p.pick("#e4504f", "#ff7fa8", "#ffd94d")), detail=True)


@motif
def townhouse(p: Painter, x: float, y: float, w: float, h: float, far: float = 0.0, *, shop: bool = False) -> None:
    """A tall narrow house; `x` is its left side. A `shop` has an awning and a wide window at street level."""
    wall, trim = p.tone(p.pick(*WALLS), far), p.tone("#fbf6ea", far)
    roof = p.tone(p.pick(*ROOFS), far)
    kind = p.pick("gable", "flat", "mansard", "steps")
    top = y - h
    if kind == "gable":
        p.poly(
            [(x - 0.5, top + 0.2), (x + w / 2, top - w * 0.55), (x + w + 0.5, top + 0.2)],
            roof,
            shade=dark(roof, 0.15),
            far=far,
        )
    elif kind == "mansard":
        p.poly(
            [
                (x - 0.5, top + 0.2),
                (x + w * 0.12, top - w * 0.4),
                (x + w * 0.88, top - w * 0.4),
                (x + w + 0.5, top + 0.2),
            ],
            roof,
            far=far,
        )
        pane(p, x + w * 0.4, top - w * 0.3, w * 0.2, w * 0.2, far=far, bars=True)
    p.rect(x, top, w, h, wall, shade=dark(wall, 0.12), far=far)
    if kind == "steps":
        for k in range(3):
            p.rect(x + w * 0.14 * k, top - w * 0.14 * (k + 1), w * (1 - 0.28 * k), w * 0.15, wall, far=far)
    elif kind == "flat":
        p.rect(x - 0.6, top - 1, w + 1.2, 1.8, trim, far=far)
    if p.snowy and kind != "steps":
        eaves, middle = (x - 0.8, x + w + 0.8), x + w / 2
        cover = {
            "gable": [(eaves[0], top + 0.2), (middle, top - w * 0.6), (eaves[1], top + 0.2), (middle, top - w * 0.42)],
            "mansard": [
                (eaves[0], top + 0.3),
                (x + w * 0.11, top - w * 0.44),
                (x + w * 0.89, top - w * 0.44),
                (eaves[1], top + 0.3),
                (x + w * 0.86, top - w * 0.2),
                (x + w * 0.14, top - w * 0.2),
            ],
            "flat": [(eaves[0], top - 0.6), (eaves[1], top - 0.6), (eaves[1], top - 2), (eaves[0], top - 2)],
        }[kind]
        with p.weathering():
            p.poly(cover, p.snow(far), far=far)
    street = min(h * 0.42, 15.0)
    rows = max(1, int((h - street) // 9))
    cols = 2 if w < 17 else 3
    ww = w / (cols * 2.1)
    for r in range(rows):
        for c in range(cols):
            wx = x + w * (c + 0.5) / cols - ww / 2
            wy = top + (h - street) * (r + 0.22) / rows
            pane(p, wx, wy, ww, min(ww * 1.4, (h - street) / rows * 0.62), far=far, bars=True)
    if shop:
        colour = p.tone(p.pick(*BRIGHTS), far)
        pane(p, x + w * 0.08, y - street * 0.68, w * 0.5, street * 0.5, lit=0.95, far=far)
        door(p, x + w * 0.79, y, w * 0.24, street * 0.68, p.tone(p.pick("#7a4f35", "#3f5f6a", "#8a3f3f"), far))
        awning(p, x + w * 0.02, y - street * 0.92, w * 0.96, street * 0.26, colour, far)
    else:
        door(
            p,
            x + w * p.between(0.3, 0.7),
            y,
            w * 0.26,
            street * 0.7,
            p.tone(p.pick(*BRIGHTS, "#7a4f35"), far),
            arched=p.chance(0.3),
        )


@motif
def awning(p: Painter, x: float, y: float, w: float, h: float, colour: Colour, far: float = 0.0) -> None:
    """Striped cloth with a scalloped edge; `x`, `y` its left top corner."""
    n = max(4, round(w / 3.2))
    white = p.tone("#fff8ec", far)
    for k in range(n):
        a, b = x + w * k / n, x + w * (k + 1) / n
        tint = colour if k % 2 == 0 else white
        p.poly(
            [(a, y), (b, y), (b, y + h * 0.7), ((a + b) / 2, y + h), (a, y + h * 0.7)],
            tint,
            shade=dark(tint, 0.12),
            far=far,
        )


@motif
def skyscraper(p: Painter, x: float, y: float, w: float, h: float, far: float = 0.0) -> None:
    """`x` is its left side."""
    wall = p.tone(p.pick("#8fa3b8", "#b8a99a", "#7d8fa8", "#c9b8a8", "#93a8a0", "#a99fb8", "#d0c4b0", "#6f87a0"), far)
    top = p.pick("flat", "flat", "step", "spire", "slant")
    if top == "step":
        p.rect(x + w * 0.18, y - h - w * 0.4, w * 0.64, w * 0.5, dark(wall, 0.05), far=far)
    elif top == "spire":
        p.poly([(x + w * 0.2, y - h), (x + w / 2, y - h - w * 0.9), (x + w * 0.8, y - h)], dark(wall, 0.1), far=far)
        p.line([(x + w / 2, y - h - w * 0.8), (x + w / 2, y - h - w * 1.3)], dark(wall, 0.2), 0.4)
    if top == "slant":
        p.poly([(x, y), (x, y - h), (x + w, y - h - w * 0.4), (x + w, y)], wall, shade=mix(wall, p.haze, 0.2), far=far)
    else:
        p.rect(x, y - h, w, h, wall, shade=mix(wall, p.haze, 0.2), far=far)
    p.rect(x + w * 0.8, y - h + 0.4, w * 0.2, h - 0.4, dark(wall, 0.1), detail=True)
    cols, rows = max(2, int(w / 2.6)), max(3, int(h / 3.6))
    dim = mix(dark(wall, 0.3), p.tone("#8fc3dd", far), 0.4)
    panes, lit = [], []
    on = {"night": 0.5, "sunset": 0.25}.get(p.time, 0.0)
    for r in range(rows):
        for c in range(cols):
            cx, cy = x + w * 0.78 * (c + 0.28) / cols + w * 0.04, y - h + h * (r + 0.35) / rows
            panes.append(f"M{cx:.2f} {cy:.2f}h{w * 0.44 / cols:.2f}v{h * 0.42 / rows:.2f}h{-w * 0.44 / cols:.2f}z")
            if p.between(0, 1) < on:
                lit.append(panes[-1])
    p.areas("".join(panes), dim)
    with p.lighting():
        p.areas("".join(lit), mix("#ffdf8a", p.haze, far * 0.5))


@motif
def tower(p: Painter, x: float, y: float, w: float, h: float, stone: Colour, roof: Colour, far: float = 0.0) -> None:
    """A round castle tower with a pointed roof."""
    p.rect(x - w / 2, y - h, w, h, stone, shade=dark(stone, 0.1), far=far)
    p.rect(x + w * 0.18, y - h, w * 0.32, h, dark(stone, 0.14), detail=True)
    p.rect(x - w * 0.6, y - h - w * 0.14, w * 1.2, w * 0.3, pale(stone, 0.1), far=far)
    p.poly(
        [(x - w * 0.68, y - h - w * 0.1), (x, y - h - w * 1.7), (x + w * 0.68, y - h - w * 0.1)],
        roof,
        shade=dark(roof, 0.2),
        far=far,
    )
    p.line([(x, y - h - w * 1.65), (x, y - h - w * 2.2)], p.tone("#6b4a35", far), 0.35)
    flag = p.tone(p.pick(*BRIGHTS), far)
    p.poly([(x, y - h - w * 2.2), (x + w * 0.6, y - h - w * 2.02), (x, y - h - w * 1.85)], flag, far=far)
    for k in (0.82, 0.5):
        if h * k > w:
            pane(p, x - w * 0.13, y - h * k, w * 0.26, w * 0.42, far=far)


@motif
def lamp(p: Painter, x: float, y: float, h: float) -> None:
    """A street lamp, which shines at night."""
    iron, s = p.tone("#3b4450"), h * 0.045
    p.rect(x - s * 0.28, y - h, s * 0.56, h, iron)
    p.rect(x - s * 0.7, y - s, s * 1.4, s, iron)
    shines = p.night or p.weather in ("fog", "rain")
    glass = rgb("#ffedb0") if shines else p.tone("#f3ecd0")
    if shines:
        with p.lighting():
            p.glow(x, y - h - s, h * 0.5, rgb("#ffdf8a"), 0.7 if p.night else 0.4)
    p.poly([(x - s * 0.7, y - h), (x - s, y - h - s * 1.9), (x + s, y - h - s * 1.9), (x + s * 0.7, y - h)], glass)
    p.poly([(x - s * 1.2, y - h - s * 1.85), (x, y - h - s * 2.9), (x + s * 1.2, y - h - s * 1.85)], iron)


@motif
def fence(
    p: Painter,
    y: float,
    h: float,
    colour: Colour,
    *,
    depth: float | None = None,
    gap: tuple[float, float] = (-9.0, -9.0),
) -> None:
    """Pickets across the frame but for `gap`; a layer of its own where a `depth` is given."""
    if depth is not None:
        p.layer("a fence", depth)
    for rail in (0.25, 0.65):
        for a, b in ((-2, gap[0]), (gap[1], 102)):
            if b - a > 1:
                p.rect(a, y - h * (rail + 0.06), b - a, h * 0.11, dark(colour, 0.1))
    for x in np.arange(-1 + p.between(0, 2), 102, h * 0.62):
        if gap[0] - h * 0.3 < x < gap[1]:
            continue
        w = h * 0.28
        p.poly(
            [(x, y), (x, y - h * 0.85), (x + w / 2, y - h), (x + w, y - h * 0.85), (x + w, y)],
            colour,
            shade=dark(colour, 0.1),
        )


@motif
def bench(p: Painter, x: float, y: float, w: float) -> None:
    """`x` its middle, `y` its feet."""
    wood, iron = p.tone(p.pick("#a86f45", "#8f6a4a", "#5f8a6a")), p.tone("#4a4f57")
    for dx in (-0.42, 0.38):
        p.rect(x + dx * w, y - w * 0.24, w * 0.05, w * 0.24, iron)
    for k in (0.5, 0.4):
        p.rect(x - w / 2, y - w * k, w, w * 0.065, wood)
    p.rect(x - w * 0.52, y - w * 0.27, w * 1.04, w * 0.075, pale(wood, 0.1))


@motif
def car(p: Painter, x: float, y: float, w: float, far: float = 0.0) -> None:
    body = p.tone(p.pick(*BRIGHTS), far)
    cabin = [
        (x - w * 0.28, y - w * 0.24),
        (x - w * 0.18, y - w * 0.42),
        (x + w * 0.16, y - w * 0.42),
        (x + w * 0.3, y - w * 0.24),
    ]
    p.poly(cabin, body, far=far)
    glass = p.tone("#bfe0ee", far)
    p.poly(
        [
            (x - w * 0.23, y - w * 0.25),
            (x - w * 0.15, y - w * 0.38),
            (x - w * 0.02, y - w * 0.38),
            (x - w * 0.02, y - w * 0.25),
        ],
        glass,
        detail=True,
    )
    p.poly(
        [
            (x + w * 0.02, y - w * 0.25),
            (x + w * 0.02, y - w * 0.38),
            (x + w * 0.13, y - w * 0.38),
            (x + w * 0.23, y - w * 0.25),
        ],
        glass,
        detail=True,
    )
    p.rect(x - w / 2, y - w * 0.26, w, w * 0.19, body, r=w * 0.07, shade=dark(body, 0.2), far=far)
    if p.night:
        with p.lighting():
            p.glow(x + w * 0.52, y - w * 0.15, w * 0.5, rgb("#fff0b0"), 0.7)
    p.oval(x + w * 0.46, y - w * 0.17, w * 0.035, w * 0.035, rgb("#fff3c4"), detail=True)
    for dx in (-0.28, 0.28):
        p.oval(x + dx * w, y - w * 0.07, w * 0.095, w * 0.095, p.tone("#33363f", far), far=far)
        p.oval(x + dx * w, y - w * 0.07, w * 0.045, w * 0.045, p.tone("#c9ced6", far), detail=True)


@motif
def barrel(p: Painter, x: float, y: float, h: float) -> None:
    wood, w = p.tone(p.pick("#a8703f", "#8f6442")), h * 0.36
    p.poly(
        [
            (x - w * 0.8, y),
            (x - w, y - h / 2),
            (x - w * 0.8, y - h),
            (x + w * 0.8, y - h),
            (x + w, y - h / 2),
            (x + w * 0.8, y),
        ],
        wood,
        shade=dark(wood, 0.2),
    )
    for dx in (-0.5, 0.0, 0.5):
        p.line(
            [(x + dx * w * 0.85, y - 0.4), (x + dx * w * 1.15, y - h / 2), (x + dx * w * 0.85, y - h + 0.4)],
            dark(wood, 0.22),
            0.4,
            smooth=True,
        )
    for k in (0.2, 0.78):
        p.rect(x - w * 0.94, y - h * k - h * 0.04, w * 1.88, h * 0.08, p.tone("#5f646c"))
    p.oval(x, y - h, w * 0.8, h * 0.07, pale(wood, 0.15))


@motif
def crate(p: Painter, x: float, y: float, w: float) -> None:
    wood = p.tone(p.pick("#c29a62", "#b58a55"))
    p.rect(x - w / 2, y - w * 0.8, w, w * 0.8, wood, shade=dark(wood, 0.12))
    for k in (0.0, 0.27, 0.54):
        p.line([(x - w / 2, y - w * k - w * 0.13), (x + w / 2, y - w * k - w * 0.13)], dark(wood, 0.25), 0.4)
    p.line([(x - w * 0.42, y - w * 0.08), (x + w * 0.42, y - w * 0.72)], dark(wood, 0.16), w * 0.1)
    for dx in (-0.5, 0.4):
        p.rect(x + dx * w, y - w * 0.8, w * 0.1, w * 0.8, pale(wood, 0.12))


@motif
def star(p: Painter, x: float, y: float, r: float, colour: Colour, **how: Any) -> None:
    """Five points."""
    turn = np.arange(10) * math.pi / 5 - math.pi / 2
    reach = np.where(np.arange(10) % 2, 0.42, 1.0) * r
    p.poly(np.stack([x + reach * np.cos(turn), y + reach * np.sin(turn)], 1), colour, **how)


@motif
def boards(p: Painter, y0: float, colour: Colour) -> None:
    """A floor of planks in perspective from `y0` to the lower edge."""
    p.wash(y0, 101, dark(colour, 0.16), colour)
    seam = dark(colour, 0.24)
    for x in np.linspace(-140, 240, 26):
        p.line([(50 + (x - 50) * 0.42, y0), (x, 101)], seam, 0.3)
    for _ in range(18):
        y = y0 + (100 - y0) * p.between(0.05, 1) ** 1.4
        x = p.between(0, 100)
        p.line([(x, y), (x + 3.5 * (y - y0) / (100 - y0) + 1, y)], seam, 0.3)


@motif
def tiles(p: Painter, y0: float, one: Colour, two: Colour) -> None:
    """A chequered floor in perspective from `y0` to the lower edge."""
    p.wash(y0, 101, dark(one, 0.1), one)
    edges = y0 + (101 - y0) * (np.linspace(0, 1, 7) ** 1.5)
    parts = []
    for r in range(6):
        s0, s1 = ((y - y0) / (101 - y0) * 0.75 + 0.45 for y in edges[r : r + 2])
        for c in range(-14, 14):
            if (r + c) % 2:
                continue
            xs = [50 + s * 11 * k for s, k in ((s0, c), (s0, c + 1), (s1, c + 1), (s1, c))]
            if max(xs) > 0 and min(xs) < 100:
                parts.append(
                    "M"
                    + "L".join(
                        f"{x:.1f} {y:.1f}"
                        for x, y in zip(xs, (edges[r], edges[r], edges[r + 1], edges[r + 1]), strict=True)
                    )
                    + "z"
                )
    p.areas("".join(parts), two)
