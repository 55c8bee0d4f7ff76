"""Painted places: the grounds on which the synthetic world puts its subjects.

Flat picture-book landscapes and rooms in depth layers, drawn with PIL at three times their size. Coordinates
are shares of the frame, x to the right and y down; every painter takes a `Painter` and draws back to front.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]]

TIMES = ("day", "sunrise", "sunset", "night")
_OVERSAMPLING = 3

LIGHT: dict[str, Colour] = {
    "": (1.0, 1.0, 1.0),
    "day": (1.0, 1.0, 1.0),
    "sunrise": (1.0, 0.9, 0.86),
    "sunset": (0.98, 0.76, 0.66),
    "night": (0.36, 0.43, 0.64),
}
"""What the light of a time of day does to a colour."""

_SKIES: dict[str, list[tuple[str, str]]] = {
    "day": [("#4aa8ea", "#cfeefb"), ("#6cc3f0", "#eaf8ff"), ("#3f93dd", "#a9dcf5"), ("#7fd0e8", "#f3fbef")],
    "sunrise": [("#8fb8e8", "#ffe3b8"), ("#b7a5dd", "#ffd9c2"), ("#7cc0dd", "#fff0b3")],
    "sunset": [("#5b4a8f", "#ff9a56"), ("#c2476c", "#ffc264"), ("#3f4f92", "#ff7f6b"), ("#e0574c", "#ffd36b")],
    "night": [("#0b1233", "#2c3f77"), ("#10182b", "#27506b"), ("#170f3a", "#49407f")],
}


def rgb(colour: str | Colour) -> Colour:
    """A colour in [0, 1] from "#rrggbb"."""
    if isinstance(colour, str):
        return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return colour


def mix(a: str | Colour, b: str | Colour, share: float) -> Colour:
    """`a` with `share` of `b` in it."""
    return tuple(x + (y - x) * share for x, y in zip(rgb(a), rgb(b), strict=True))


class Painter:
    """A canvas with the light of a time of day. Colours given to it are those of daylight."""

    def __init__(self, size: int, time: str, rng: np.random.Generator) -> None:
        self.side, self.time, self.rng = size * _OVERSAMPLING, time, rng
        self.image = Image.new("RGB", (self.side, self.side))
        self.draw = ImageDraw.Draw(self.image)
        self.haze: Colour = (1.0, 1.0, 1.0)
        self.night = time == "night"

    def tone(self, colour: str | Colour, far: float = 0.0, jitter: float = 0.02) -> Colour:
        """`colour` in this light, varied a little; `far` > 0 fades it into the haze at the horizon."""
        hue, light, saturation = colorsys.rgb_to_hls(*rgb(colour))
        hue, light, saturation = np.array((hue, light, saturation)) + self.rng.normal(0, (jitter / 2, jitter, jitter))
        lit = colorsys.hls_to_rgb(hue % 1, min(max(light, 0), 1), min(max(saturation, 0), 1))
        return mix(tuple(c * t for c, t in zip(lit, LIGHT[self.time], strict=True)), self.haze, far)

    def pick(self, *colours: str) -> str:
        return colours[self.rng.integers(len(colours))]

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    # Shapes. Colours here are final: pass them through `tone` first, or not at all for what shines by itself.

    def poly(self, points: Points, colour: Colour) -> None:
        self.draw.polygon([(x * self.side, y * self.side) for x, y in points], fill=_ink(colour))

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, radius: float = 0.0) -> None:
        box = [v * self.side for v in (x0, y0, x1, y1)]
        self.draw.rounded_rectangle(box, radius * self.side, fill=_ink(colour))

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self.draw.ellipse([v * self.side for v in (x - rx, y - ry, x + rx, y + ry)], fill=_ink(colour))

    def line(self, points: Points, colour: Colour, width: float) -> None:
        scaled = [(x * self.side, y * self.side) for x, y in points]
        self.draw.line(scaled, fill=_ink(colour), width=max(1, round(width * self.side)), joint="curve")

    def blend(
        self,
        shape: Callable[[ImageDraw.ImageDraw, int], None],
        top: Colour,
        bottom: Colour,
        span: tuple[float, float] = (0.0, 1.0),
        strength: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """Fill what `shape` draws on a mask with a gradient from `top` at span[0] to `bottom` at span[1]."""
        mask = Image.new("L", self.image.size)
        shape(ImageDraw.Draw(mask), round(255 * strength))
        if soft:
            mask = mask.filter(ImageFilter.BoxBlur(soft * self.side))
        share = np.clip((np.linspace(0, 1, self.side) - span[0]) / max(span[1] - span[0], 1e-6), 0, 1)[:, None]
        column = np.array(top) * (1 - share) + np.array(bottom) * share
        fill = np.broadcast_to((column * 255).clip(0, 255).astype(np.uint8)[:, None], (self.side, self.side, 3))
        self.image.paste(Image.fromarray(np.ascontiguousarray(fill)), mask=mask)

    def band(self, y0: float, y1: float, top: Colour, bottom: Colour) -> None:
        box = [0, y0 * self.side, self.side, y1 * self.side]
        self.blend(lambda mask, full: mask.rectangle(box, fill=full), top, bottom, (y0, y1))

    def ridge(
        self,
        y: float,
        height: float,
        top: Colour,
        bottom: Colour,
        *,
        waves: float = 2.0,
        jagged: bool = False,
        floor: float = 1.0,
    ) -> Callable[[float], float]:
        """A land's edge around `y`, `height` from its lowest to its highest, filled down to `floor`.
        Returns its y at any x."""
        xs = np.linspace(0, 1, 97)
        if jagged:
            knots = np.sort(self.rng.uniform(-0.1, 1.1, 2 * max(2, round(waves * 2)) + 1))
            heights = np.where(
                np.arange(len(knots)) % 2, self.rng.uniform(0.55, 1, len(knots)), self.rng.uniform(0, 0.4, len(knots))
            )
            ys = np.interp(xs, knots, heights) + self.rng.normal(0, 0.02, len(xs))
        else:
            ys = sum(
                self.rng.uniform(0.4, 1) / k * np.sin(2 * np.pi * (waves * k / 2 * xs + self.rng.random()))
                for k in (1, 2, 3)
            )
        ys = y - height * ((ys - ys.min()) / (np.ptp(ys) + 1e-6) - 0.5)
        points = [*zip(xs, ys, strict=True), (1, floor), (0, floor)]
        scaled = [(px * self.side, py * self.side) for px, py in points]
        self.blend(lambda mask, full: mask.polygon(scaled, fill=full), top, bottom, (float(ys.min()), floor))
        return lambda x: float(np.interp(x, xs, ys))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float = 0.6) -> None:
        """Soft light around a point."""
        axis = (np.arange(self.side) + 0.5) / self.side
        fall = np.clip(1 - np.hypot(axis[None] - x, axis[:, None] - y) / radius, 0, 1) ** 2 * (255 * strength)
        self.image.paste(_ink(colour), mask=Image.fromarray(fall.astype(np.uint8)))

    # Things that many places share.

    def sky(self, horizon: float, clouds: float = 1.0) -> None:
        """Sky down to `horizon` with the sun, the moon or stars that belong to the time."""
        top, low = (rgb(c) for c in _SKIES[self.time][self.rng.integers(len(_SKIES[self.time]))])
        self.haze = low
        self.band(0, 1, top, low)
        self.blend(lambda mask, full: mask.rectangle([0, 0, self.side, self.side], fill=full), top, low, (0, horizon))
        x = self.between(0.12, 0.88)
        if self.night:
            for _ in range(self.rng.integers(30, 80)):
                self.oval(
                    self.between(0, 1),
                    self.between(0, horizon),
                    r := self.between(0.001, 0.005),
                    r,
                    mix(top, "#ffffff", self.between(0.4, 1)),
                )
            y, r = self.between(0.1, 0.28), self.between(0.04, 0.08)
            self.glow(x, y, r * 4, rgb("#9fb6ff"), 0.35)
            self.oval(x, y, r, r, rgb("#f6f1d5"))
            if self.chance(0.5):
                self.oval(x + r * 0.45, y - r * 0.2, r * 0.85, r * 0.85, mix(top, low, y / horizon))
            else:
                self.oval(x - r * 0.3, y - r * 0.2, r * 0.2, r * 0.2, rgb("#ddd5b4"))
                self.oval(x + r * 0.3, y + r * 0.3, r * 0.14, r * 0.14, rgb("#ddd5b4"))
        elif self.time == "day":
            if self.chance(0.55):
                y, r = self.between(0.08, 0.24), self.between(0.045, 0.075)
                self.glow(x, y, r * 4, rgb("#fff6cf"), 0.6)
                self.oval(x, y, r, r, rgb("#ffe071"))
        else:
            r = self.between(0.06, 0.12)
            y = horizon - self.between(-0.02, 0.14)
            self.glow(x, y, r * 5, rgb("#fff0b0" if self.time == "sunrise" else "#ffb45e"), 0.75)
            self.oval(x, y, r, r, rgb("#fff3bd" if self.time == "sunrise" else "#ffdf8a"))
        for _ in range(self.rng.poisson(2.2 * clouds)):
            self.cloud(self.between(0, 1), self.between(0.05, max(0.1, horizon - 0.12)), self.between(0.06, 0.16))

    def cloud(self, x: float, y: float, size: float) -> None:
        body = {"day": "#ffffff", "sunrise": "#ffe9e0", "sunset": "#ffb59a", "night": "#46548a"}[self.time]
        blobs = [
            (0, 0, 0.5),
            *((self.between(-0.8, 0.8), self.between(-0.1, 0.1), self.between(0.25, 0.4)) for _ in range(4)),
        ]

        def shape(mask: ImageDraw.ImageDraw, full: int) -> None:
            for dx, dy, r in blobs:
                cx, cy, rr = (x + dx * size) * self.side, (y + dy * size) * self.side, r * size * self.side
                mask.ellipse([cx - rr, cy - rr, cx + rr, cy + rr], fill=full)
            # Flat-bellied, as picture books have them.
            mask.rectangle([0, (y + 0.18 * size) * self.side, self.side, self.side], fill=0)

        self.blend(shape, rgb(body), mix(body, self.haze, 0.55), (y - 0.5 * size, y + 0.2 * size), 0.95)

    def pine(self, x: float, y: float, height: float, colour: Colour, snow: bool = False) -> None:
        self.rect(x - height * 0.04, y - height * 0.2, x + height * 0.04, y, mix(colour, "#3a2418", 0.6))
        for k in range(3):
            base, wide = y - height * (0.12 + 0.27 * k), height * (0.3 - 0.07 * k)
            tip = (x, base - height * 0.4)
            self.poly([(x - wide, base), tip, (x + wide, base)], mix(colour, "#000000", 0.12 - 0.06 * k))
            if snow:
                self.poly(
                    [(x - wide * 0.45, base - height * 0.22), tip, (x + wide * 0.45, base - height * 0.22)],
                    mix(self.tone("#ffffff"), colour, 0.1),
                )

    def tree(self, x: float, y: float, height: float, colour: Colour) -> None:
        trunk = self.tone("#7a4f2f")
        self.poly(
            [
                (x - height * 0.06, y),
                (x - height * 0.03, y - height * 0.6),
                (x + height * 0.03, y - height * 0.6),
                (x + height * 0.06, y),
            ],
            trunk,
        )
        blobs = [(self.between(-0.2, 0.2), self.between(-0.88, -0.55), self.between(0.17, 0.25)) for _ in range(6)]
        for shade, dy in ((mix(colour, "#000000", 0.18), 0.03), (colour, 0.0)):
            for dx, by, r in blobs:
                self.oval(x + dx * height, y + (by + dy) * height, r * height, r * height, shade)
        for dx, by, r in blobs[:3]:
            self.oval(
                x + (dx - 0.05) * height,
                y + (by - 0.06) * height,
                r * 0.5 * height,
                r * 0.45 * height,
                mix(colour, "#ffffff", 0.12),
            )

    def palm(self, x: float, y: float, height: float) -> None:
        lean = self.between(-0.25, 0.25) * height
        top = (x + lean, y - height)
        spine = [(x + lean * t * t, y - height * t) for t in np.linspace(0, 1, 12)]
        self.line(spine, self.tone("#9b6b3f"), height * 0.07)
        leaf = self.tone(self.pick("#3f9b4f", "#2f8a5b", "#5aa83c"))
        for k in range(7):
            angle = math.pi * (k / 6) + self.between(-0.1, 0.1)
            reach = height * self.between(0.38, 0.5)
            tip = (top[0] - math.cos(angle) * reach, top[1] - math.sin(angle) * reach * 0.6 + reach * 0.3)
            bow = ((top[0] + tip[0]) / 2, min(top[1], tip[1]) - reach * 0.12)
            self.poly([top, bow, tip, (bow[0], bow[1] + reach * 0.16)], mix(leaf, "#000000", 0.1 * (k % 2)))

    def bush(self, x: float, y: float, size: float, colour: Colour) -> None:
        for dx, r in ((-0.5, 0.5), (0.5, 0.45), (0, 0.65)):
            self.oval(
                x + dx * size, y - r * size * 0.4, r * size, r * size * 0.8, mix(colour, "#000000", 0.1 * abs(dx))
            )

    def rock(self, x: float, y: float, size: float, colour: Colour) -> None:
        corners = [(-1, 0), (-0.8, -0.5), (-0.25, -0.85), (0.35, -0.75), (0.9, -0.3), (1, 0)]
        points = [(x + dx * size, y + dy * size * self.between(0.8, 1)) for dx, dy in corners]
        self.poly(points, colour)
        self.poly([points[1], points[2], points[3], (x + 0.05 * size, y - 0.4 * size)], mix(colour, "#ffffff", 0.2))

    def flowers(self, y0: float, y1: float, count: int) -> None:
        petals = [self.tone(self.pick("#ffffff", "#ffd94d", "#ff7fa8", "#e4504f", "#a77be0", "#6fa8ff")) for _ in "ab"]
        for _ in range(count):
            y = self.between(y0, y1)
            x, r = self.between(0, 1), 0.004 + 0.009 * (y - y0) / max(y1 - y0, 1e-6)
            colour = petals[self.rng.integers(2)]
            for k in range(5):
                self.oval(x + r * math.cos(k * 1.257), y + r * math.sin(k * 1.257), r * 0.7, r * 0.7, colour)
            self.oval(x, y, r * 0.6, r * 0.6, self.tone("#ffcf3f"))

    def tufts(self, y0: float, y1: float, count: int, colour: Colour) -> None:
        for _ in range(count):
            y = self.between(y0, y1)
            x, h = self.between(0, 1), 0.012 + 0.03 * (y - y0) / max(y1 - y0, 1e-6)
            for lean in (-0.5, 0, 0.5):
                self.poly([(x - 0.15 * h, y), (x + lean * h, y - h), (x + 0.15 * h, y)], colour)

    def pane(self, x0: float, y0: float, x1: float, y1: float, lit: float = 0.6) -> None:
        """A window of a house: dark or, at night, lit."""
        shines = self.night and self.chance(lit)
        self.rect(x0, y0, x1, y1, rgb(self.pick("#ffd76a", "#ffe69a")) if shines else self.tone("#8fc3dd", jitter=0.01))

    def house(self, x: float, y: float, width: float, height: float) -> None:
        wall = self.tone(self.pick("#f4e3c3", "#f2c9a1", "#e8b4a2", "#cfe0e8", "#f7f0e2", "#e6d27d", "#b9d3b0"))
        roof = self.tone(self.pick("#b5483a", "#8a4b3a", "#5d6b7d", "#c76b3b", "#7d3f57"))
        self.rect(x - width / 2, y - height, x + width / 2, y, wall)
        self.rect(x - width / 2, y - height, x - width * 0.3, y, mix(wall, "#000000", 0.06))
        peak = self.between(0.35, 0.6) * width
        if self.chance(0.5):
            cx = x + width * 0.22
            self.rect(cx, y - height - peak * 0.9, cx + width * 0.12, y - height, mix(roof, "#000000", 0.2))
        self.poly([(x - width * 0.6, y - height), (x, y - height - peak), (x + width * 0.6, y - height)], roof)
        self.rect(x - width * 0.09, y - height * 0.5, x + width * 0.09, y, self.tone(self.pick("#7a4a2b", "#4f6f8f")))
        for side in (-0.3, 0.3):
            cx = x + side * width
            self.pane(cx - width * 0.1, y - height * 0.75, cx + width * 0.1, y - height * 0.45)

    def waves(self, y0: float, y1: float, count: int, colour: Colour) -> None:
        for _ in range(count):
            y = y0 + (y1 - y0) * self.rng.random() ** 0.8
            near = (y - y0) / max(y1 - y0, 1e-6)
            x, w = self.between(-0.05, 1), 0.02 + 0.09 * near
            self.rect(x, y, x + w, y + 0.003 + 0.004 * near, colour, 0.003)

    def sea(self, horizon: float, floor: float) -> None:
        top, low = self.pick("#2f8fc4", "#2aa3b8", "#3777b8"), self.pick("#5cc5cf", "#57b5dc")
        self.band(horizon, floor, self.tone(top, 0.25), self.tone(low, 0.1))
        self.waves(horizon + 0.01, floor, 26, mix(self.tone(low), "#ffffff", 0.4 if not self.night else 0.2))


def _ink(colour: Colour) -> tuple[int, int, int]:
    return tuple(min(255, max(0, round(255 * c))) for c in colour)


# Places.


def _beach(p: Painter) -> None:
    horizon, shore = p.between(0.4, 0.52), p.between(0.6, 0.68)
    p.sky(horizon)
    p.sea(horizon, 0.75)
    sand = p.pick("#f3dca2", "#efd09a", "#f7e6bd")
    p.ridge(shore - 0.012, 0.035, mix(p.tone("#ffffff"), p.tone(sand), 0.15), p.tone("#ffffff"), waves=1.5)
    p.ridge(shore + 0.015, 0.04, p.tone(sand), p.tone(mix(sand, "#c99a5b", 0.35)), waves=1.5)
    for _ in range(12):
        p.oval(p.between(0, 1), p.between(shore + 0.08, 1), 0.006, 0.003, p.tone(mix(sand, "#a97b4b", 0.5)))
    if p.chance(0.7):
        p.palm(
            (p.pick("l", "r") == "l" and p.between(0.03, 0.15)) or p.between(0.85, 0.97),
            p.between(0.72, 0.8),
            p.between(0.35, 0.55),
        )
    if p.chance(0.4):
        p.rock(p.between(0, 1), shore + 0.02, p.between(0.03, 0.07), p.tone("#8d8f98"))


def _pier(p: Painter) -> None:
    horizon = p.between(0.42, 0.52)
    p.sky(horizon)
    p.ridge(horizon - 0.005, p.between(0.03, 0.08), p.tone("#5c8f7a", 0.5), p.tone("#5c8f7a", 0.5), floor=horizon)
    p.sea(horizon, 1)
    for _ in range(p.rng.integers(1, 4)):
        x, y, s = p.between(0.05, 0.95), p.between(horizon + 0.02, horizon + 0.1), p.between(0.04, 0.08)
        p.poly(
            [(x - s * 0.7, y), (x + s * 0.7, y), (x + s * 0.45, y + s * 0.3), (x - s * 0.45, y + s * 0.3)],
            p.tone(p.pick("#b5483a", "#4f6f8f", "#f1ead6")),
        )
        p.poly([(x, y - 0.02 * s), (x, y - s * 1.4), (x + s * 0.6, y - s * 0.1)], p.tone("#fbf6e6"))
    wood, deck = p.pick("#a8754a", "#9a7658", "#b98a5a"), p.between(0.7, 0.76)
    for x in np.linspace(0.08, 0.92, 4):
        p.rect(x - 0.015, deck - 0.16, x + 0.015, deck + 0.04, p.tone(mix(wood, "#000000", 0.25)), 0.01)
    p.rect(0, deck - 0.12, 1, deck - 0.1, p.tone(mix(wood, "#000000", 0.1)))
    for k in range(7):
        a, b = deck + (1 - deck) * (k / 7) ** 1.3, deck + (1 - deck) * ((k + 1) / 7) ** 1.3
        p.rect(0, a, 1, b, p.tone(wood, jitter=0.03))
        p.rect(0, b - 0.006, 1, b, p.tone(mix(wood, "#000000", 0.35)))


def _forest(p: Painter) -> None:
    p.sky(0.6, 0.4)
    green = p.pick("#2f7d4a", "#3d8b3f", "#2b6d5a", "#5c9440")
    for far, y, count, size in ((0.55, 0.6, 14, 0.34), (0.3, 0.66, 11, 0.48), (0.08, 0.72, 7, 0.66)):
        p.ridge(y, 0.03, p.tone(green, far), p.tone(green, far))
        for x in p.rng.uniform(-0.05, 1.05, count):
            (p.pine if p.chance(0.6) else p.tree)(
                x, y + p.between(0, 0.03), size * p.between(0.75, 1.1), p.tone(green, far, 0.03)
            )
    ground = p.pick("#6fa84a", "#7a9a4a", "#58935a")
    p.ridge(0.74, 0.03, p.tone(ground), p.tone(mix(ground, "#2c4a26", 0.4)))
    p.tufts(0.78, 1, 30, p.tone(mix(ground, "#24501f", 0.35)))
    for _ in range(p.rng.integers(0, 5)):
        x, y, s = p.between(0, 1), p.between(0.8, 0.98), p.between(0.02, 0.04)
        p.rect(x - s * 0.2, y - s, x + s * 0.2, y, p.tone("#f4ead6"))
        p.oval(x, y - s, s * 0.7, s * 0.4, p.tone("#d0453c"))


def _meadow(p: Painter) -> None:
    horizon = p.between(0.5, 0.58)
    p.sky(horizon, 1.4)
    green = p.pick("#7cc04f", "#8fc75a", "#5fb05a", "#a3c44d")
    p.ridge(horizon, 0.12, p.tone(green, 0.5), p.tone(green, 0.4), waves=1.5)
    edge = p.ridge(horizon + 0.08, 0.08, p.tone(green, 0.25), p.tone(green, 0.2), waves=2)
    for x in p.rng.uniform(0, 1, p.rng.integers(1, 5)):
        p.tree(x, edge(x) + 0.01, p.between(0.1, 0.18), p.tone("#4b8f45", 0.2))
    p.ridge(horizon + 0.17, 0.05, p.tone(green), p.tone(mix(green, "#2f7a35", 0.5)), waves=1.2)
    p.tufts(horizon + 0.22, 1, 26, p.tone(mix(green, "#2a6b2c", 0.4)))
    p.flowers(horizon + 0.22, 1, p.rng.integers(15, 50))


def _mountains(p: Painter) -> None:
    horizon = p.between(0.56, 0.64)
    p.sky(horizon)
    rock = p.pick("#7b86a8", "#8a7f8f", "#6d8796", "#96826f")
    for far, rise in ((0.55, p.between(0.3, 0.4)), (0.25, p.between(0.22, 0.3))):
        for _ in range(3):
            x, wide, tall = p.between(0, 1), rise * p.between(0.9, 1.3), rise * p.between(0.8, 1.2)
            peak, base = (x, horizon - tall), horizon + 0.1
            p.poly([(x - wide, base), peak, (x + wide, base)], p.tone(rock, far))
            p.poly([peak, (x + wide, base), (x + wide * 0.1, base)], p.tone(mix(rock, "#20283f", 0.3), far))
            cap = 0.35
            zig = [(x - wide * cap, horizon - tall + (base - horizon + tall) * cap)]
            zig += [
                (x + wide * cap * t, horizon - tall + (base - horizon + tall) * cap * s)
                for t, s in ((-0.5, 0.75), (-0.15, 1.05), (0.2, 0.75), (0.55, 1.05), (1, 1))
            ]
            p.poly([peak, *zig], p.tone("#ffffff", far * 0.6))
    green = p.pick("#6fae5a", "#7da052", "#4f9b6a")
    edge = p.ridge(horizon + 0.06, 0.06, p.tone(green, 0.25), p.tone(green, 0.15))
    for x in p.rng.uniform(0, 1, 12):
        p.pine(x, edge(x) + 0.03, p.between(0.07, 0.13), p.tone("#3b7a52", 0.2))
    p.ridge(horizon + 0.14, 0.04, p.tone(green), p.tone(mix(green, "#3a5a35", 0.5)))
    for _ in range(p.rng.integers(1, 5)):
        p.rock(p.between(0, 1), p.between(0.8, 0.98), p.between(0.02, 0.06), p.tone("#8f9198"))
    p.tufts(0.78, 1, 16, p.tone(mix(green, "#2c5a2c", 0.4)))


def _desert(p: Painter) -> None:
    horizon = p.between(0.5, 0.58)
    p.sky(horizon, 0.4)
    sand = p.pick("#eabf78", "#e2a562", "#f0cf8f", "#d98e5a")
    if p.chance(0.5):
        for x in p.rng.uniform(0, 1, 2):
            w, h = p.between(0.12, 0.25), p.between(0.1, 0.2)
            p.poly(
                [
                    (x - w / 2, horizon + 0.02),
                    (x - w * 0.4, horizon - h),
                    (x + w * 0.35, horizon - h),
                    (x + w / 2, horizon + 0.02),
                ],
                p.tone("#b8643f", 0.35),
            )
    for k, far in enumerate((0.4, 0.2, 0.0)):
        y = horizon + 0.02 + 0.1 * k
        p.ridge(y, 0.1 - 0.02 * k, p.tone(sand, far), p.tone(mix(sand, "#a8683a", 0.4), far), waves=1.5)
        for _ in range(p.rng.integers(0, 3)):
            x, h, green = p.between(0, 1), 0.08 + 0.05 * k, p.tone("#4f8f55", far)
            for dx, lift, tall in ((0, 0, 1), (-0.28, 0.3, 0.4), (0.28, 0.4, 0.4)):
                cx = x + dx * h
                p.rect(cx - 0.08 * h, y + 0.05 - (lift + tall) * h, cx + 0.08 * h, y + 0.05 - lift * h, green, 0.08 * h)
                if dx:
                    low, high = sorted((x, cx))
                    p.rect(
                        low - 0.05 * h,
                        y + 0.05 - (lift + 0.12) * h,
                        high + 0.05 * h,
                        y + 0.05 - lift * h,
                        green,
                        0.05 * h,
                    )
    for _ in range(10):
        y = p.between(0.8, 1)
        x = p.between(0, 1)
        p.rect(x, y, x + p.between(0.04, 0.12), y + 0.004, p.tone(mix(sand, "#a8683a", 0.35)), 0.002)


def _snow(p: Painter) -> None:
    horizon = p.between(0.52, 0.6)
    p.sky(horizon, 1.2)
    white = p.pick("#f4f9ff", "#eef3fb", "#fafcff")
    p.ridge(horizon - 0.06, 0.18, p.tone("#c3d3ea", 0.3), p.tone("#dfe9f5", 0.2), waves=1.5, jagged=True)
    for far, y, count, size in ((0.35, horizon + 0.03, 10, 0.16), (0.1, horizon + 0.1, 5, 0.26)):
        edge = p.ridge(y, 0.05, p.tone(white, far * 0.5), p.tone(mix(white, "#a9c2e0", 0.3)))
        for x in p.rng.uniform(-0.05, 1.05, count):
            p.pine(x, edge(x) + 0.02, size * p.between(0.7, 1.1), p.tone("#3f7a68", far), snow=True)
    p.ridge(horizon + 0.17, 0.04, p.tone(white), p.tone(mix(white, "#9db8dc", 0.45)))
    if p.chance(0.5):
        for _ in range(70):
            p.oval(
                p.between(0, 1), p.between(0, 1), r := p.between(0.003, 0.008), r, mix(p.tone(white), "#ffffff", 0.5)
            )


def _street(p: Painter) -> None:
    p.sky(0.6, 0.7)
    for far, low, high, base in ((0.55, 0.25, 0.45, 0.72), (0.1, 0.12, 0.34, 0.74)):
        x = -0.05
        while x < 1:
            w, top = p.between(0.12, 0.22), base - p.between(low, high) - 0.14
            wall = p.pick("#c9785a", "#8fa3b8", "#d9b88a", "#b0627a", "#7d93a8", "#e0c9a6", "#6f8f8a")
            p.rect(x, top, x + w, base, p.tone(wall, far))
            p.rect(x, top, x + w, top + 0.012, p.tone(mix(wall, "#000000", 0.25), far))
            if far < 0.5:
                columns, rows = max(2, round(w / 0.06)), int((base - 0.12 - top) / 0.075)
                for i in range(columns):
                    for j in range(rows):
                        cx, cy = x + w * (i + 0.5) / columns, top + 0.05 + 0.075 * j
                        p.pane(cx - 0.014, cy - 0.02, cx + 0.014, cy + 0.02)
                shop = p.tone(p.pick("#d9534f", "#3f8f7a", "#e0a13f", "#5a6fb0"))
                p.rect(x + 0.01, base - 0.1, x + w - 0.01, base - 0.075, shop)
                p.pane(x + 0.02, base - 0.07, x + w - 0.05, base - 0.015, 0.9)
            x += w + 0.004
    walk = p.tone("#b9b6b0")
    p.band(0.73, 0.81, walk, mix(walk, "#000000", 0.05))
    p.rect(0, 0.805, 1, 0.82, mix(walk, "#000000", 0.25))
    p.band(0.82, 1, p.tone("#6a6d76"), p.tone("#55585f"))
    for x in np.arange(-0.05 + p.between(0, 0.1), 1, 0.22):
        p.poly([(x, 0.915), (x + 0.1, 0.915), (x + 0.1, 0.93), (x - 0.004, 0.93)], p.tone("#f3edd8"))
    for x in (p.between(0.05, 0.25), p.between(0.75, 0.95)):
        p.rect(x - 0.006, 0.42, x + 0.006, 0.79, p.tone("#3b4048"))
        p.oval(x, 0.42, 0.022, 0.026, rgb("#fff0b3") if p.night else p.tone("#f3efe0"))
        if p.night:
            p.glow(x, 0.42, 0.2, rgb("#ffe08a"), 0.6)


def _village(p: Painter) -> None:
    horizon = p.between(0.52, 0.58)
    p.sky(horizon)
    green = p.pick("#7db356", "#93b85a", "#67a860")
    p.ridge(horizon - 0.02, 0.14, p.tone(green, 0.5), p.tone(green, 0.4), waves=1.5)
    p.ridge(horizon + 0.06, 0.04, p.tone(green, 0.15), p.tone(green, 0.1))
    for x in np.arange(p.between(-0.05, 0.1), 1.05, 0.24):
        if p.chance(0.4):
            p.tree(x + 0.13, horizon + 0.14, p.between(0.18, 0.26), p.tone("#4b8f45", 0.1))
        p.house(
            x + p.between(-0.02, 0.02), horizon + p.between(0.12, 0.16), p.between(0.15, 0.21), p.between(0.11, 0.16)
        )
    p.ridge(horizon + 0.16, 0.02, p.tone(green), p.tone(mix(green, "#3d7038", 0.4)))
    path = p.tone(p.pick("#d9bf92", "#c9b59a"))
    x = p.between(0.3, 0.7)
    p.poly([(x - 0.03, horizon + 0.17), (x + 0.03, horizon + 0.17), (x + 0.25, 1), (x - 0.25, 1)], path)
    p.tufts(horizon + 0.22, 1, 14, p.tone(mix(green, "#2a6b2c", 0.4)))


def _room(p: Painter) -> None:
    wall = p.tone(p.pick("#f2d9b8", "#cfe3df", "#f3c9c0", "#d9d3ea", "#f3e7b5", "#b9d3e8", "#e6efd6"))
    light = 0.75 if p.night else 1.0
    wall = tuple(light * c / t for c, t in zip(wall, LIGHT[p.time], strict=True)) if p.night else wall
    floor_y = p.between(0.68, 0.74)
    p.band(0, floor_y, wall, mix(wall, "#ffffff", 0.12))
    if p.chance(0.5):
        for x in np.arange(0.02, 1, (p.pick("a", "b") == "a" and 0.1) or 0.14):
            p.rect(x, 0, x + 0.03, floor_y, mix(wall, "#ffffff", 0.2))
    indoor = Painter.__new__(Painter)
    indoor.__dict__ = p.__dict__ | {"time": "day", "night": False}
    dim = "#6d5a3f" if p.night else "#000000"
    wood = mix(indoor.tone(p.pick("#b98050", "#a86f45", "#c99b6a", "#8a5f43")), dim, 0.25 if p.night else 0)
    x, y, w, h = p.between(0.15, 0.6), p.between(0.1, 0.16), p.between(0.22, 0.3), p.between(0.26, 0.32)
    top, low = (rgb(c) for c in _SKIES[p.time][p.rng.integers(len(_SKIES[p.time]))])
    p.rect(x - 0.02, y - 0.02, x + w + 0.02, y + h + 0.02, mix("#fbf6ea", dim, 0.2))
    box = [v * p.side for v in (x, y, x + w, y + h)]
    p.blend(lambda mask, full: mask.rectangle(box, fill=full), top, low, (y, y + h))
    if p.night:
        for _ in range(12):
            p.oval(p.between(x, x + w), p.between(y, y + h), 0.004, 0.004, rgb("#ffffff"))
    else:
        p.oval(x + w * p.between(0.2, 0.8), y + h * p.between(0.3, 0.8), 0.03, 0.03, rgb("#ffe08a"))
    p.rect(x + w / 2 - 0.006, y, x + w / 2 + 0.006, y + h, mix("#fbf6ea", dim, 0.2))
    p.rect(x, y + h / 2 - 0.006, x + w, y + h / 2 + 0.006, mix("#fbf6ea", dim, 0.2))
    if p.chance(0.6):
        cloth = mix(indoor.tone(p.pick("#d9605a", "#5a8fb8", "#e0b04f", "#7aa86a")), dim, 0.2)
        p.poly([(x - 0.05, y - 0.04), (x + 0.05, y - 0.04), (x - 0.01, y + h + 0.05), (x - 0.05, y + h + 0.05)], cloth)
        p.poly(
            [
                (x + w + 0.05, y - 0.04),
                (x + w - 0.05, y - 0.04),
                (x + w + 0.01, y + h + 0.05),
                (x + w + 0.05, y + h + 0.05),
            ],
            cloth,
        )
    p.band(floor_y, 1, wood, mix(wood, "#000000", 0.15))
    p.rect(0, floor_y - 0.025, 1, floor_y, mix("#fbf6ea", dim, 0.25))
    for k in range(1, 6):
        yy = floor_y + (1 - floor_y) * (k / 6) ** 1.3
        p.rect(0, yy, 1, yy + 0.004, mix(wood, "#000000", 0.22))
    left = x > 0.4
    bx = p.between(0.02, 0.08) if left else p.between(0.74, 0.8)
    shelf = mix(wood, "#3a2013", 0.3)
    p.rect(bx, 0.3, bx + 0.19, floor_y + 0.02, shelf)
    for row in range(3):
        sy = 0.33 + row * (floor_y - 0.33) / 3
        p.rect(bx + 0.012, sy, bx + 0.178, sy + 0.1, mix(shelf, "#000000", 0.35))
        cx = bx + 0.016
        while cx < bx + 0.155:
            bw = p.between(0.012, 0.024)
            p.rect(
                cx,
                sy + p.between(0.01, 0.035),
                cx + bw,
                sy + 0.1,
                mix(indoor.tone(p.pick("#c9504f", "#4f7fb0", "#e0b04f", "#5a9b6a", "#8a5fa8")), dim, 0.25),
            )
            cx += bw + 0.003
    p.oval(
        0.5,
        0.89,
        p.between(0.28, 0.4),
        0.075,
        mix(indoor.tone(p.pick("#c9605a", "#5a7fb0", "#d9b060", "#6a9b7a", "#b07fa8")), dim, 0.15),
    )
    if p.night:
        p.glow(bx + 0.1, 0.2, 0.6, rgb("#ffdf9a"), 0.35)


def _sky(p: Painter) -> None:
    p.sky(0.95, 1.5)
    for y, far in ((0.72, 0.5), (0.84, 0.25), (0.96, 0.0)):
        body = {"day": "#ffffff", "sunrise": "#ffe9e0", "sunset": "#ffb59a", "night": "#5a68a0"}[p.time]
        colour = mix(body, p.haze, far)
        for x in p.rng.uniform(-0.1, 1.1, 9):
            r = p.between(0.07, 0.15)
            p.oval(x, y + p.between(-0.02, 0.04), r, r * 0.75, colour)
        p.rect(0, y + 0.03, 1, 1, colour)


def _space(p: Painter) -> None:
    top, low = p.pick("#0a0b24", "#120a2e", "#061a2e"), p.pick("#2b1b54", "#123a5c", "#4a1f52")
    p.band(0, 1, rgb(top), rgb(low))
    for _ in range(3):
        p.glow(
            p.between(0, 1), p.between(0, 0.8), p.between(0.25, 0.5), rgb(p.pick("#6b3fa0", "#2f6fb0", "#b03f7a")), 0.35
        )
    for _ in range(110):
        p.oval(
            p.between(0, 1), p.between(0, 1), r := p.between(0.001, 0.005), r, mix(low, "#ffffff", p.between(0.4, 1))
        )
    for _ in range(p.rng.integers(1, 4)):
        x, y, r = p.between(0.05, 0.95), p.between(0.08, 0.55), p.between(0.04, 0.11)
        colour = rgb(p.pick("#e08f5a", "#6fb0d9", "#c9a0e0", "#d9c07a", "#7fc9a0", "#d96f6f"))
        p.oval(x, y, r, r, colour)
        p.oval(x - r * 0.25, y - r * 0.25, r * 0.55, r * 0.55, mix(colour, "#ffffff", 0.15))
        if p.chance(0.4):
            p.line([(x - r * 1.8, y + r * 0.5), (x + r * 1.8, y - r * 0.5)], mix(colour, "#ffffff", 0.45), 0.01)
    soil = p.pick("#8d8f9f", "#b0705a", "#7a7f9f", "#a89a7a")
    p.ridge(0.77, 0.05, rgb(soil), mix(soil, "#000000", 0.4), waves=1.2)
    for _ in range(8):
        x, y = p.between(0, 1), p.between(0.83, 0.99)
        p.oval(x, y, 0.03 + 0.04 * (y - 0.8), 0.012, mix(soil, "#000000", 0.35))
        p.oval(x, y + 0.004, 0.026 + 0.04 * (y - 0.8), 0.009, mix(soil, "#000000", 0.2))


def _underwater(p: Painter) -> None:
    top, low = p.pick("#5fd0e0", "#4fb8e0", "#6fd9c9"), p.pick("#0f4f8a", "#0f5f7a", "#1a4a7a")
    p.band(0, 1, rgb(top), rgb(low))
    for _ in range(5):
        x, w = p.between(0, 1), p.between(0.03, 0.08)
        ray = [(v * p.side, u * p.side) for v, u in ((x, 0), (x + w, 0), (x + w * 2.5 - 0.15, 0.8), (x - 0.15, 0.8))]
        p.blend(lambda mask, full, ray=ray: mask.polygon(ray, fill=full), rgb("#ffffff"), rgb(top), strength=0.13)
    p.ridge(0.7, 0.12, mix("#1f6f8a", low, 0.4), mix("#1f6f8a", low, 0.5), waves=2)
    for _ in range(6):
        x, y, s = p.between(0, 1), p.between(0.15, 0.6), p.between(0.015, 0.03)
        p.oval(x, y, s, s * 0.55, c := mix(p.pick("#ffb04f", "#ff7f7f", "#ffe06f"), top, 0.25))
        p.poly([(x + s * 0.7, y), (x + s * 1.5, y - s * 0.5), (x + s * 1.5, y + s * 0.5)], c)
    p.ridge(0.82, 0.04, mix("#e8d59a", low, 0.25), mix("#c9a86a", low, 0.4), waves=1.5)
    for _ in range(9):
        x, y, h = p.between(0, 1), p.between(0.82, 0.92), p.between(0.1, 0.28)
        colour = mix(p.pick("#2f9b6a", "#4fae5a", "#e0607a", "#e08f4f", "#a05fc0"), low, 0.2)
        bend = p.between(2, 4)
        for dx in (-0.02, 0, 0.02):
            p.line(
                [
                    (
                        x + dx + 0.015 * math.sin(bend * math.pi * t + dx * 90),
                        y - h * t * (1 - 12 * abs(dx) / 1.2 * 0.3),
                    )
                    for t in np.linspace(0, 1, 14)
                ],
                colour,
                0.014,
            )
    for _ in range(14):
        x, y, r = p.between(0, 1), p.between(0.05, 0.8), p.between(0.004, 0.012)
        p.oval(x, y, r, r, mix(top, "#ffffff", 0.5))
        p.oval(x, y, r * 0.7, r * 0.7, mix(top, low, y * 0.7))


def _castle(p: Painter) -> None:
    horizon = p.between(0.56, 0.62)
    p.sky(horizon)
    green = p.pick("#7db356", "#6fa35a", "#93b85a")
    p.ridge(horizon - 0.05, 0.14, p.tone(green, 0.5), p.tone(green, 0.4), waves=1.5)
    stone = p.pick("#b9b3b8", "#d9c9b0", "#a8a3b8", "#c9b0a8")
    roof = p.tone(p.pick("#5a5fa8", "#b5483a", "#3f7a8a", "#8a4f8f"))
    cx, base, s = p.between(0.35, 0.65), horizon + 0.1, p.between(0.9, 1.15)
    for dx, w, h in ((-0.3, 0.1, 0.34), (0.3, 0.1, 0.3), (-0.12, 0.1, 0.46), (0.13, 0.12, 0.42)):
        x, w, h = cx + dx * s, w * s, h * s
        p.rect(x - w / 2, base - h, x + w / 2, base, p.tone(stone, 0.1))
        p.rect(x + w * 0.15, base - h, x + w / 2, base, p.tone(mix(stone, "#20203f", 0.18), 0.1))
        p.poly([(x - w * 0.7, base - h), (x, base - h - w * 1.5), (x + w * 0.7, base - h)], roof)
        p.pane(x - w * 0.12, base - h * 0.8, x + w * 0.12, base - h * 0.65)
    p.rect(cx - 0.3 * s, base - 0.2 * s, cx + 0.3 * s, base, p.tone(stone, 0.05))
    for x in np.arange(cx - 0.3 * s, cx + 0.3 * s - 0.02, 0.06 * s):
        p.rect(x, base - 0.23 * s, x + 0.035 * s, base - 0.2 * s, p.tone(stone, 0.05, 0))
    p.rect(cx - 0.06 * s, base - 0.13 * s, cx + 0.06 * s, base, p.tone("#5a3a24"), 0.05 * s)
    p.ridge(horizon + 0.11, 0.03, p.tone(green), p.tone(mix(green, "#3d7038", 0.5)))
    p.poly(
        [(cx - 0.04, horizon + 0.115), (cx + 0.04, horizon + 0.115), (cx + 0.2, 1), (cx - 0.2, 1)], p.tone("#d9c39a")
    )
    for x in p.rng.uniform(0, 1, 3):
        p.bush(x, p.between(0.74, 0.8), p.between(0.03, 0.06), p.tone("#4b8f45"))


def _park(p: Painter) -> None:
    p.sky(0.6)
    green = p.pick("#7cc04f", "#6fb55f", "#93c25a")
    p.ridge(0.6, 0.05, p.tone("#5f9f55", 0.4), p.tone("#5f9f55", 0.4), waves=6)
    p.ridge(0.65, 0.03, p.tone(green, 0.1), p.tone(green))
    for x in p.rng.uniform(0, 1, 4):
        p.tree(
            x,
            p.between(0.66, 0.7),
            p.between(0.3, 0.44),
            p.tone(p.pick("#4b9b45", "#6fae3f", "#e0a03f", "#e88fa8", "#3f8f5a"), 0.1),
        )
    p.ridge(0.74, 0.02, p.tone(green), p.tone(mix(green, "#3d8038", 0.4)))
    path = p.tone(p.pick("#e6d3a8", "#cfc6b8"))
    p.ridge(0.8, 0.02, path, path, waves=0.8, floor=0.89)
    p.ridge(0.89, 0.02, p.tone(green), p.tone(mix(green, "#3d8038", 0.45)), waves=0.8)
    x, wood = p.between(0.1, 0.75), p.tone("#a86f45")
    for y in (0.69, 0.715, 0.75):
        p.rect(x, y, x + 0.2, y + 0.014, wood)
    for dx in (0.02, 0.17):
        p.rect(x + dx, 0.69, x + dx + 0.012, 0.79, p.tone("#4a4f57"))
    p.flowers(0.92, 1, 14)
    lamp = p.between(0.05, 0.95)
    p.rect(lamp - 0.006, 0.45, lamp + 0.006, 0.79, p.tone("#3b4a48"))
    p.oval(lamp, 0.44, 0.026, 0.026, rgb("#fff0b3") if p.night else p.tone("#f7f3e2"))
    if p.night:
        p.glow(lamp, 0.44, 0.25, rgb("#ffe08a"), 0.6)


def _farm(p: Painter) -> None:
    horizon = p.between(0.52, 0.58)
    p.sky(horizon)
    for k, far in enumerate((0.45, 0.25)):
        field = p.pick("#d9c04f", "#9bbf4f", "#c9a84a", "#7db356")
        p.ridge(horizon + 0.05 * k, 0.08, p.tone(field, far), p.tone(field, far), waves=1.3)
    x, y, w, h = p.between(0.15, 0.85), horizon + 0.16, p.between(0.24, 0.32), p.between(0.15, 0.2)
    red = p.tone(p.pick("#b5382f", "#a84a3a", "#8f3f3a"))
    p.rect(x - w / 2, y - h, x + w / 2, y, red)
    p.poly(
        [
            (x - w * 0.56, y - h),
            (x - w * 0.36, y - h * 1.5),
            (x, y - h * 1.8),
            (x + w * 0.36, y - h * 1.5),
            (x + w * 0.56, y - h),
        ],
        p.tone("#6a4a44"),
    )
    p.poly(
        [
            (x - w * 0.46, y - h),
            (x - w * 0.3, y - h * 1.4),
            (x, y - h * 1.65),
            (x + w * 0.3, y - h * 1.4),
            (x + w * 0.46, y - h),
        ],
        red,
    )
    p.rect(x - w * 0.2, y - h * 0.75, x + w * 0.2, y, p.tone("#f4ead6"))
    p.rect(x - w * 0.17, y - h * 0.7, x + w * 0.17, y, mix(red, "#000000", 0.25))
    p.line([(x - w * 0.17, y - h * 0.7), (x + w * 0.17, y)], p.tone("#f4ead6"), 0.008)
    p.line([(x + w * 0.17, y - h * 0.7), (x - w * 0.17, y)], p.tone("#f4ead6"), 0.008)
    green = p.pick("#7db356", "#93b85a", "#8aa84a")
    p.ridge(horizon + 0.16, 0.02, p.tone(green), p.tone(mix(green, "#4d7038", 0.45)))
    rail = p.tone("#f1e6cf")
    for fx in np.arange(0.02, 1, 0.12):
        p.rect(fx, horizon + 0.11, fx + 0.016, horizon + 0.22, rail)
    for fy in (0.135, 0.175):
        p.rect(0, horizon + fy, 1, horizon + fy + 0.013, rail)
    p.tufts(horizon + 0.25, 1, 22, p.tone(mix(green, "#2a6b2c", 0.4)))


def _lake(p: Painter) -> None:
    horizon = p.between(0.46, 0.54)
    p.sky(horizon)
    hill = p.pick("#5f8f7a", "#6f8f5a", "#5a7f8f")
    p.ridge(horizon - 0.06, 0.2, p.tone(hill, 0.55), p.tone(hill, 0.45), waves=2, jagged=p.chance(0.5))
    edge = p.ridge(horizon, 0.03, p.tone("#4b8f55", 0.3), p.tone("#4b8f55", 0.3))
    for x in p.rng.uniform(0, 1, 14):
        p.pine(x, edge(x) + 0.01, p.between(0.06, 0.12), p.tone("#2f6f55", 0.3))
    p.band(horizon + 0.02, 1, mix(p.haze, p.tone("#4fa0c0"), 0.5), p.tone("#3f8fb8"))
    p.waves(horizon + 0.04, 0.75, 16, mix(p.haze, "#ffffff", 0.3))
    bank = p.pick("#8ab85a", "#a8b86a", "#7aae62")
    p.ridge(0.75, 0.04, p.tone(bank), p.tone(mix(bank, "#4a6a35", 0.5)), waves=1.2)
    for _ in range(8):
        x, h = p.between(0, 1), p.between(0.06, 0.12)
        p.line([(x, 0.78), (x + 0.01, 0.78 - h)], p.tone("#5f8a3f"), 0.006)
        p.oval(x + 0.01, 0.78 - h, 0.007, 0.02, p.tone("#7a4f2f"))
    p.tufts(0.8, 1, 18, p.tone(mix(bank, "#2a6b2c", 0.4)))


def _cave(p: Painter) -> None:
    stone = p.pick("#6f6478", "#7a6a5f", "#56687a", "#5f5f7f")
    p.haze = mix(stone, "#000000", 0.4)
    p.band(0, 1, mix(stone, "#000000", 0.75), mix(stone, "#000000", 0.5))
    mouth, glow = p.between(0.35, 0.65), rgb(p.pick("#ffb45e", "#7fd9e8", "#a98fff", "#ffd98a"))
    p.glow(mouth, 0.5, 0.6, glow, 0.7)
    for shade, reach, n in ((0.45, 0.4, 9), (0.25, 0.28, 7)):
        colour = mix(stone, "#000000", shade)
        for x in np.linspace(-0.05, 1.05, n):
            w, h = p.between(0.08, 0.14), reach * p.between(0.3, 1) * (0.4 + 1.4 * abs(x - mouth))
            p.poly([(x - w, -0.01), (x + w, -0.01), (x + p.between(-0.02, 0.02), h)], colour)
        for side in (-1, 1):
            edge = 0.5 + side * 0.5
            p.poly(
                [
                    (edge, 0),
                    (edge - side * p.between(0.08, 0.2) * (1.3 - shade), 0.35),
                    (edge - side * p.between(0.05, 0.14), 0.8),
                    (edge, 1),
                ],
                colour,
            )
    p.ridge(0.76, 0.05, mix(stone, glow, 0.15), mix(stone, "#000000", 0.35), waves=3)
    for _ in range(p.rng.integers(2, 6)):
        x, s = (p.pick("l", "r") == "l" and p.between(0, 0.25)) or p.between(0.75, 1), p.between(0.03, 0.07)
        for dx, k in ((-0.5, 0.7), (0.5, 0.8), (0, 1.2)):
            cx = x + dx * s
            p.poly(
                [
                    (cx - s * 0.25, 0.8),
                    (cx - s * 0.15, 0.8 - s * k),
                    (cx + dx * s * 0.4, 0.8 - s * k * 1.5),
                    (cx + s * 0.3, 0.8),
                ],
                mix(glow, "#ffffff" if dx else stone, 0.25),
            )
    for _ in range(5):
        p.rock(p.between(0, 1), p.between(0.84, 0.99), p.between(0.02, 0.05), mix(stone, "#000000", 0.15))


def _stage(p: Painter) -> None:
    back, cloth = p.pick("#2f2a4f", "#3f2a3a", "#1f3a4f"), p.pick("#b02f3a", "#8a2f5a", "#2f5fa0", "#2f7a5a")
    p.band(0, 0.72, mix(back, "#000000", 0.3), rgb(back))
    for x in p.rng.uniform(0.2, 0.8, 2):
        cone = [(v * p.side, u * p.side) for v, u in ((x - 0.02, 0), (x + 0.02, 0), (x + 0.22, 0.85), (x - 0.22, 0.85))]
        p.blend(
            lambda mask, full, cone=cone: mask.polygon(cone, fill=full),
            rgb("#fff3c4"),
            rgb(back),
            strength=0.4,
            soft=0.01,
        )
    wood = p.pick("#b0793f", "#9a6a4a", "#c08f5a")
    p.band(0.72, 1, rgb(wood), mix(wood, "#000000", 0.25))
    for x in np.linspace(-0.6, 1.6, 14):
        p.line([(0.5 + (x - 0.5) * 0.6, 0.72), (x, 1)], mix(wood, "#000000", 0.25), 0.004)
    p.blend(
        lambda mask, full: mask.ellipse([0.15 * p.side, 0.78 * p.side, 0.85 * p.side, 0.97 * p.side], fill=full),
        rgb("#fff3c4"),
        rgb("#fff3c4"),
        strength=0.3,
        soft=0.01,
    )
    for k in range(6):
        shade = mix(cloth, "#000000", 0.22 * (k % 2))
        for side in (0, 1):
            a, b = abs(side - k * 0.03), abs(side - (k + 1) * 0.03)
            p.rect(min(a, b), 0, max(a, b) + 0.001, 0.76, shade)
    for k in range(9):
        p.oval((k + 0.5) / 9, 0.03, 0.07, 0.09, mix(cloth, "#000000", 0.15 * (k % 2)))


@dataclass(frozen=True)
class Place:
    """A kind of scene. `phrases` end a sentence ("a fox … at the beach"); `empty` names it bare; `ground` is the
    range of y where feet stand; `floats` says whether subjects mostly hang in it; `times` when it can be."""

    paint: Callable[[Painter], None]
    phrases: tuple[str, ...]
    empty: str
    ground: tuple[float, float] = (0.84, 0.95)
    floats: bool = False
    times: tuple[str, ...] = TIMES


PLACES: dict[str, Place] = {
    "beach": Place(_beach, ("at the beach", "on the beach", "on a sandy beach", "by the sea"), "a beach"),
    "pier": Place(_pier, ("on a wooden pier", "on a pier by the sea", "at the harbour"), "a wooden pier", (0.82, 0.95)),
    "forest": Place(_forest, ("in the forest", "in a forest", "in the woods", "among the trees"), "a forest"),
    "meadow": Place(_meadow, ("in a meadow", "on a flowery meadow", "in a field of flowers"), "a meadow"),
    "mountains": Place(_mountains, ("in the mountains", "on a mountain meadow", "below snowy peaks"), "mountains"),
    "desert": Place(_desert, ("in the desert", "in a desert", "among sand dunes"), "a desert"),
    "snow": Place(_snow, ("in the snow", "in a snowy landscape", "on a snowy hill", "in winter"), "a snowy landscape"),
    "street": Place(_street, ("in the city", "on a city street", "in a street", "in town"), "a city street"),
    "village": Place(_village, ("in a village", "in the village", "in front of small houses"), "a village"),
    "room": Place(_room, ("in a room", "in the living room", "at home", "indoors"), "a room", (0.84, 0.95)),
    "sky": Place(_sky, ("in the sky", "above the clouds", "high in the sky"), "the sky", (0.9, 0.96), True),
    "space": Place(
        _space,
        ("in space", "on the moon", "on a strange planet", "in outer space"),
        "outer space",
        (0.86, 0.95),
        False,
        ("",),
    ),
    "underwater": Place(
        _underwater,
        ("underwater", "under the sea", "at the bottom of the sea"),
        "the sea floor",
        (0.88, 0.95),
        True,
        ("",),
    ),
    "castle": Place(_castle, ("in front of a castle", "at the castle", "near a castle"), "a castle"),
    "park": Place(_park, ("in the park", "in a park", "in a city park"), "a park"),
    "farm": Place(_farm, ("on a farm", "at the farm", "in front of a barn"), "a farm"),
    "lake": Place(_lake, ("at the lake", "by a lake", "on the shore of a lake"), "a lake"),
    "cave": Place(_cave, ("in a cave", "inside a dark cave", "in the cave"), "a cave", (0.84, 0.95), False, ("",)),
    "stage": Place(_stage, ("on a stage", "on the stage", "in a theatre"), "a stage", (0.84, 0.94), False, ("",)),
}

TIME_PHRASES: dict[str, tuple[str, ...]] = {
    "": ("",),
    "day": ("by day", "on a sunny day", "during the day", "in the daytime", ""),
    "sunrise": ("at sunrise", "in the morning", "early in the morning", "at dawn"),
    "sunset": ("at sunset", "in the evening", "at dusk"),
    "night": ("at night", "under the stars", "by moonlight", "late at night"),
}


def paint(place: str, time: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """One scene as uint8 (size, size, 3)."""
    painter = Painter(size, time, rng)
    PLACES[place].paint(painter)
    return np.asarray(painter.image.reduce(_OVERSAMPLING))
