"""The painter: a sheet of SVG with the light of a time and a weather, drawn from back to front.

Coordinates are percent of the frame, x to the right and y down. Colours given to `tone` are those of a clear day.
"""

from __future__ import annotations

import colorsys
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import resvg_py
from PIL import Image

from anystory.sketch.scenery import styles

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]]

LIGHT: dict[str, Colour] = {
    "": (1.0, 1.0, 1.0),
    "day": (1.0, 1.0, 1.0),
    "sunrise": (1.0, 0.89, 0.86),
    "sunset": (0.98, 0.78, 0.69),
    "night": (0.45, 0.53, 0.79),
}
"""What the light of a time of day does to a colour."""

_DIMMED = {"": 1.0, "clear": 1.0, "cloudy": 0.93, "rain": 0.87, "snow": 0.97, "fog": 0.97}
_GREYED = {"": 0.0, "clear": 0.0, "cloudy": 0.22, "rain": 0.36, "snow": 0.2, "fog": 0.25}

_SKIES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("day", "clear"): (("#4aa8ea", "#cfeefb"), ("#63bdf0", "#eaf8ff"), ("#3f93dd", "#a9dcf5"), ("#72cde8", "#f3fbe6")),
    ("day", "cloudy"): (("#9fb2c4", "#dfe7ea"), ("#aab6c0", "#e4e2da")),
    ("day", "rain"): (("#66788c", "#aebbc4"), ("#71828f", "#b9c4c6")),
    ("day", "snow"): (("#b5c3d3", "#eef2f5"), ("#bfcad2", "#f3f2ee")),
    ("day", "fog"): (("#c6d0d4", "#e6ecec"), ("#cdd3d0", "#ecece4")),
    ("sunrise", "clear"): (
        ("#8fc0e8", "#ffe0c0"),
        ("#b9b4e6", "#ffd9cc"),
        ("#84cbe0", "#fff0bd"),
        ("#f3b6cf", "#fff0c4"),
    ),
    ("sunrise", "cloudy"): (("#b4aac6", "#fbd9bb"), ("#c3b3c0", "#fbe2bd")),
    ("sunrise", "rain"): (("#8f94b8", "#f0cfc6"), ("#9a94b4", "#f4d6be")),
    ("sunrise", "snow"): (("#c9bcd8", "#fde4d6"), ("#d2c2d2", "#fdeacb")),
    ("sunrise", "fog"): (("#dccbd6", "#fdeadb"), ("#e2cfcb", "#fdf0d5")),
    ("sunset", "clear"): (
        ("#5b4a8f", "#ff9a56"),
        ("#b8406f", "#ffb75a"),
        ("#3f4f92", "#ff7f6b"),
        ("#d8504c", "#ffcb62"),
    ),
    ("sunset", "cloudy"): (("#6a5a80", "#f0a070"), ("#7f5a74", "#f2ab74")),
    ("sunset", "rain"): (("#544e6e", "#c98f80"), ("#5f5068", "#d09a80")),
    ("sunset", "snow"): (("#7f72a4", "#f2b09a"), ("#8f7298", "#f6b898")),
    ("sunset", "fog"): (("#a5869c", "#f0b494"), ("#a080a4", "#f2ac98")),
    ("night", "clear"): (("#101b4a", "#3d5596"), ("#12243f", "#336787"), ("#21164f", "#5f539c")),
    ("night", "cloudy"): (("#222a42", "#4f5d7c"), ("#2a2a45", "#595a7d")),
    ("night", "rain"): (("#182030", "#3b475e"), ("#1c1f30", "#41475e")),
    ("night", "snow"): (("#232e54", "#5f6fa0"), ("#292d56", "#656c9a")),
    ("night", "fog"): (("#303a4d", "#65728a"), ("#35384f", "#6b728c")),
}

# A palette turns saturation and lightness, and tints: (saturation, lift, tint, share of the tint).
_PALETTES: dict[str, tuple[float, float, str, float]] = {
    "natural": (1.0, 0.0, "#ffffff", 0.0),
    "bright": (1.18, 0.02, "#ffffff", 0.0),
    "pastel": (0.8, 0.09, "#fff2ea", 0.08),
    "old": (0.78, 0.0, "#e0c48a", 0.14),
    "cool": (0.92, 0.0, "#7fb4d8", 0.1),
    "warm": (1.02, 0.0, "#f4a460", 0.1),
}


def rgb(colour: str | Colour) -> Colour:
    """A colour in [0, 1] from "#rrggbb"."""
    if isinstance(colour, str):
        return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return colour


def mix(a: str | Colour, b: str | Colour, share: float) -> Colour:
    """`a` with `share` of `b` in it."""
    return tuple(x + (y - x) * share for x, y in zip(rgb(a), rgb(b), strict=True))


def dark(colour: str | Colour, share: float = 0.2) -> Colour:
    """`colour` in the shade: darker and a little bluer."""
    return mix(colour, "#1c1838", share)


def pale(colour: str | Colour, share: float = 0.2) -> Colour:
    """`colour` in the light."""
    return mix(colour, "#fffdf0", share)


def _hex(colour: Colour) -> str:
    return "#%02x%02x%02x" % tuple(min(max(round(c * 255), 0), 255) for c in colour)  # noqa: UP031  the fastest way


_STRAY = np.array([[0.21, -0.5, 0.5, 1.2], [0.55, 1.3, -0.25, 0.6]])
"""Frequencies along x and y of the four waves of a hand's straying: two of dx, then two of dy."""


@dataclass
class Sheet:
    """One layer as it is being drawn; see `Layer` for `depth` and `name`."""

    depth: float
    name: str
    marks: list[str] = field(default_factory=list)
    defs: list[str] = field(default_factory=list)

    def render(self, width: int, height: int, window: tuple[float, float, float, float]) -> np.ndarray:
        """uint8 (height, width, 4), straight alpha: the part `window`, in shares of the square."""
        x0, y0, x1, y1 = (100 * share for share in window)
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x0:.4f} {y0:.4f} {x1 - x0:.4f} {y1 - y0:.4f}" '
            f'preserveAspectRatio="none" width="{width}" height="{height}">'
            f"<defs>{''.join(self.defs)}</defs>{''.join(self.marks)}</svg>"
        )
        with Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))) as image:
            return np.array(image.convert("RGBA"))


class Painter:
    """Draws one scene. `sheets[0]` is the background; `layer` begins another in front of it."""

    def __init__(self, time: str, weather: str, style: str, rng: np.random.Generator) -> None:
        self.time, self.weather, self.style, self.rng = time, weather, style, rng
        self.night, self.snowy, self.wet = time == "night", weather == "snow", weather == "rain"
        names = list(_PALETTES)
        self.palette = names[rng.integers(len(names))]
        skies = _SKIES.get((time, weather or "clear"), (("#888888", "#bbbbbb"),))
        self.sky_top, self.haze = (rgb(c) for c in skies[rng.integers(len(skies))])
        self.sun_x = 50.0
        self.sheets = [Sheet(0.0, "")]
        self._phase = rng.uniform(0, 2 * math.pi, (2, 4))

    @property
    def light(self) -> Colour:
        """RGB factors of the light on what stands in the scene."""
        return tuple(c * _DIMMED[self.weather] for c in LIGHT[self.time])

    # Chance.

    def pick(self, *options: str) -> str:
        return options[self.rng.integers(len(options))]

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def spread(self, count: int, low: float = 0.0, high: float = 100.0, loose: float = 0.7) -> np.ndarray:
        """`count` places between `low` and `high`, one in each of as many equal parts."""
        part = (high - low) / max(count, 1)
        return low + part * (np.arange(count) + 0.5 + self.rng.uniform(-0.5, 0.5, count) * loose)

    def pick_sign(self) -> int:
        return -1 if self.rng.random() < 0.5 else 1

    # Colour.

    def tone(self, colour: str | Colour, far: float = 0.0, vary: float = 0.02) -> Colour:
        """`colour` in this palette, weather and light, varied a little; `far` in [0, 1] fades it into the haze."""
        saturation, lift, tint, share = _PALETTES[self.palette]
        h, light, s = colorsys.rgb_to_hls(*rgb(colour))
        dh, dl, ds = (self.rng.normal(0, 1, 3) * (vary / 2, vary, vary)).tolist()
        light = min(max(light + dl, 0.0), 1.0)
        s = min(max((s + ds) * saturation, 0.0), 1.0)
        lit = mix(colorsys.hls_to_rgb((h + dh) % 1, light + lift * (1 - light), s), tint, share)
        grey = sum(lit) / 3
        lit = mix(lit, (grey, grey, grey), _GREYED[self.weather])
        lit = tuple(c * t * _DIMMED[self.weather] for c, t in zip(lit, LIGHT[self.time], strict=True))
        if self.weather == "fog":
            far = 1 - 0.8 * (1 - far) ** 3
        elif self.weather in ("rain", "snow"):
            far = 1 - 0.95 * (1 - far) ** 1.5
        return mix(lit, self.haze, far)

    def ground(self, colour: str | Colour, far: float = 0.0) -> Colour:
        """`tone` for what lies open to the sky: covered when it snows."""
        return mix(self.tone(colour, far), self.snow(far), 0.86) if self.snowy else self.tone(colour, far)

    def snow(self, far: float = 0.0) -> Colour:
        """Lying snow: it mirrors the sky, so that it stays pale in coloured light."""
        return mix(
            self.tone("#f6faff", far),
            {"sunrise": "#f6ecf6", "sunset": "#ecdcf0"}.get(self.time, "#ffffff"),
            0.0 if self.night else 0.55,
        )

    def glowing(self, colour: str, dim: str) -> Colour:
        """What is lit from inside: `colour` at night, `dim` in this light else."""
        return rgb(colour) if self.night else self.tone(dim, vary=0.01)

    # Layers.

    def layer(self, name: str, depth: float) -> None:
        """From here on draw a layer in front; `depth` in percent: the y of the line on which it stands."""
        self.sheets.append(Sheet(depth / 100, name))

    # Shapes. Colours here are final.

    def poly(
        self,
        points: Points,
        colour: Colour,
        *,
        shade: Colour | None = None,
        smooth: bool = False,
        far: float = 0.0,
        detail: bool = False,
    ) -> None:
        """A closed shape; `shade` is its colour at the bottom; a `detail` gets neither outline nor shadow."""
        xy = np.asarray(points, np.float64)
        low, high = xy.min(0), xy.max(0)
        size = 0.0 if detail else float((high - low).max())
        if not smooth and styles.WOBBLE[self.style] and size > 8:
            xy = _subdivided(xy, 7.0)
        d = _path(self._stray(xy, 0, detail), smooth)
        again = _path(self._stray(xy, 1), smooth) if styles.WOBBLE[self.style] and size else d
        if self.style == "ink":
            colour, shade = pale(colour, 0.1), shade and pale(shade, 0.1)
        paint = _hex(colour) if shade is None else self.gradient(colour, shade, low[1], high[1])
        self._mark(styles.shape(self.style, d, again, paint, _hex(dark(colour, 0.45)), size, far))

    def rect(self, x: float, y: float, w: float, h: float, colour: Colour, *, r: float = 0.0, **how: object) -> None:
        """A rectangle from its left top corner, with corners rounded by `r`."""
        r = min(r, w / 2, h / 2)
        if r <= 0:
            points = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        else:
            turn = np.linspace(0, math.pi / 2, 5)
            arcs = ((x + w - r, y + r, -90), (x + w - r, y + h - r, 0), (x + r, y + h - r, 90), (x + r, y + r, 180))
            points = [
                (cx + r * math.cos(a + math.radians(start)), cy + r * math.sin(a + math.radians(start)))
                for cx, cy, start in arcs
                for a in turn
            ]
        self.poly(points, colour, **how)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour, **how: object) -> None:
        turn = np.linspace(0, 2 * math.pi, 12, endpoint=False)
        self.poly(np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1), colour, smooth=True, **how)

    def blob(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        *,
        lobes: int = 9,
        floor: float = 9e9,
        **how: object,
    ) -> None:
        """A lumpy shape: a crown, a cloud, a bush. Nothing of it lies below `floor`."""
        knots = np.cumsum(self.rng.uniform(0.6, 1.4, lobes))
        knots = np.concatenate([[0], knots]) / knots[-1] * 2 * math.pi + self.between(0, 6.3)
        phase = np.linspace(0, 1, 6, endpoint=False)
        turn = (knots[:-1, None] + np.diff(knots)[:, None] * phase).ravel()
        bump = np.tile(np.sin(np.pi * phase) ** 0.7, lobes)
        reach = 0.84 + 0.2 * bump * np.repeat(self.rng.uniform(0.7, 1.1, lobes), len(phase))
        ys = np.minimum(y + ry * reach * np.sin(turn), floor)
        self.poly(np.stack([x + rx * reach * np.cos(turn), ys], 1), colour, smooth=True, **how)

    def line(self, points: Points, colour: Colour, width: float, *, smooth: bool = False, far: float = 0.0) -> None:
        xy = np.asarray(points, np.float64)
        d = _path(self._stray(xy, 0), smooth, closed=False)
        self._mark(styles.stroke(self.style, d, _hex(colour), _hex(dark(colour, 0.45)), width, far))

    def ridge(
        self,
        y: float,
        height: float,
        colour: Colour,
        *,
        shade: Colour | None = None,
        waves: float = 2.0,
        floor: float = 102.0,
        far: float = 0.0,
    ) -> Edge:
        """Rolling land around `y`, `height` from its lowest to its highest, filled down to `floor`."""
        xs = np.linspace(-3, 103, 25)
        ys = sum(
            self.rng.uniform(0.4, 1) / k * np.sin(2 * np.pi * (waves * k / 2 * xs / 100 + self.rng.random()))
            for k in (1, 2, 3)
        )
        ys = y - height * ((ys - ys.min()) / (np.ptp(ys) + 1e-6) - 0.5)
        self._land(xs, ys, colour, shade, floor, far, True)
        return Edge(xs, ys)

    def range(
        self, y: float, height: float, colour: Colour, *, peaks: int, far: float = 0.0, floor: float = 102.0
    ) -> Edge:
        """A jagged range of mountains with feet at about `y`; its light and dark faces are drawn too."""
        tops = self.spread(peaks, -8, 108)
        rise = self.rng.uniform(0.5, 1, peaks) * height
        xs, ys = [-4.0], [y - rise[0] * 0.4]
        for i, (x, h) in enumerate(zip(tops, rise, strict=True)):
            xs += [x - 4, x, x + 4]
            ys += [y - h * 0.8 + self.between(-1, 1), y - h, y - h * 0.82 + self.between(-1, 1)]
            if i + 1 < peaks:
                xs.append((x + tops[i + 1]) / 2)
                ys.append(y - min(h, rise[i + 1]) * self.between(0.2, 0.5))
        xs.append(104.0)
        ys.append(y - rise[-1] * 0.4)
        order = np.argsort(xs)
        xs, ys = np.array(xs)[order], np.array(ys)[order]
        self._land(xs, ys, colour, None, floor, far, False)
        for x, h in zip(tops, rise, strict=True):
            w = h * self.between(0.3, 0.45)
            side = [
                (x, y - h),
                (x + 4, y - h * 0.82),
                (x + w * 0.9, y - h * 0.35),
                (x + w * 0.35, y - h * 0.5),
                (x + w * 0.3, y - h * 0.2),
            ]
            self.poly([*side, (x - w * 0.1, y - h * 0.55)], dark(colour, 0.13 * (1 - far)), far=far, detail=True)
        return Edge(xs, ys, tuple(zip(tops, y - rise, rise, strict=True)))

    def _land(
        self,
        xs: np.ndarray,
        ys: np.ndarray,
        colour: Colour,
        shade: Colour | None,
        floor: float,
        far: float,
        smooth: bool,
    ) -> None:
        # A long straight underside keeps the smooth curve from swinging out there.
        under = [(103.0, floor), (103.5, floor + 1), (-3.5, floor + 1), (-3.0, floor)]
        points = [*zip(xs, ys, strict=True), *under]
        self.poly(points, colour, shade=shade, smooth=smooth, far=far)

    def wash(self, y0: float, y1: float, top: Colour, bottom: Colour, *, torn: bool = False) -> None:
        """A band across the frame that goes from one colour to another; where `torn`, in strips if of cut paper."""
        if self.style == "paper" and torn:
            steps = 5
            self._mark(f'<path d="M-2 {y0:.2f}H102V{y1 + 0.3:.2f}H-2z" fill="{_hex(top)}"/>')
            for k in range(1, steps):
                y = y0 + (y1 - y0) * (k / steps)
                colour = mix(top, bottom, k / (steps - 1))
                self.ridge(y, 3.5, colour, waves=self.between(1, 2.6), floor=y1 - 0.9)
            return
        paint = self.gradient(top, bottom, y0, y1)
        self._mark(f'<path d="M-2 {y0:.2f}H102V{y1 + 0.3:.2f}H-2z" fill="{paint}"/>')

    def glow(self, x: float, y: float, r: float, colour: Colour, strength: float = 0.6) -> None:
        """Soft light around a point."""
        name, paint = self._name(), _hex(colour)
        stops = "".join(
            f'<stop offset="{at}" stop-color="{paint}" stop-opacity="{strength * s:.3f}"/>'
            for at, s in ((0, 1), (0.25, 0.62), (0.5, 0.28), (0.75, 0.08), (1, 0))
        )
        self.sheets[-1].defs.append(
            f'<radialGradient id="{name}" gradientUnits="userSpaceOnUse" cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}">'
            f"{stops}</radialGradient>"
        )
        self._mark(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}" fill="url(#{name})"/>')

    def veil(self, points: Points, top: Colour, bottom: Colour, a0: float, a1: float, *, smooth: bool = False) -> None:
        """A see-through shape, of opacity `a0` at its top to `a1` at its bottom: a beam, a mist, a shadow."""
        xy = np.asarray(points, np.float64)
        paint = self.gradient(top, bottom, xy[:, 1].min(), xy[:, 1].max(), a0, a1)
        self._mark(f'<path d="{_path(xy, smooth)}" fill="{paint}"/>')

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.2) -> None:
        """A soft dark oval on the ground."""
        self.mist(x, y, rx, ry, rgb("#141030"), strength)

    def mist(self, x: float, y: float, rx: float, ry: float, colour: Colour, strength: float) -> None:
        """A soft oval of haze, smoke or light."""
        name, paint = self._name(), _hex(colour)
        self.sheets[-1].defs.append(
            f'<radialGradient id="{name}"><stop offset=".1" stop-color="{paint}" stop-opacity="{strength:.2f}"/>'
            f'<stop offset="1" stop-color="{paint}" stop-opacity="0"/></radialGradient>'
        )
        self._mark(f'<ellipse cx="{x:.2f}" cy="{y:.2f}" rx="{rx:.2f}" ry="{ry:.2f}" fill="url(#{name})"/>')

    def strokes(self, d: str, colour: Colour, width: float, alpha: float = 1.0) -> None:
        """Many plain lines as one path."""
        self._mark(
            f'<path d="{d}" fill="none" stroke="{_hex(colour)}" stroke-width="{width:.2f}" '
            f'stroke-opacity="{alpha:.2f}" stroke-linecap="round"/>'
        )

    def areas(self, d: str, colour: Colour) -> None:
        """Many plain small shapes as one path."""
        if d:
            self._mark(f'<path d="{d}" fill="{_hex(colour)}"/>')

    def gradient(self, top: Colour, bottom: Colour, y0: float, y1: float, a0: float = 1.0, a1: float = 1.0) -> str:
        """A paint that goes from `top` at `y0` to `bottom` at `y1`."""
        name = self._name()
        self.sheets[-1].defs.append(
            f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="{y0:.2f}" y2="{y1:.2f}">'
            f'<stop stop-color="{_hex(top)}" stop-opacity="{a0:.3f}"/>'
            f'<stop offset="1" stop-color="{_hex(bottom)}" stop-opacity="{a1:.3f}"/></linearGradient>'
        )
        return f"url(#{name})"

    def _name(self) -> str:
        return f"g{len(self.sheets[-1].defs)}"

    def _mark(self, svg: str) -> None:
        self.sheets[-1].marks.append(svg)

    def _stray(self, xy: np.ndarray, which: int, small: bool = False) -> np.ndarray:
        """`xy` as a hand would draw it: a smooth field moves neighbours alike, so that shapes stay together."""
        reach = styles.WOBBLE[self.style]
        if not reach:
            return xy
        # Small things keep their form and move as a whole.
        at = xy.mean(0, keepdims=True) if small else xy
        angles = at @ _STRAY + self._phase[which]
        waves = np.sin(angles).reshape(-1, 2, 2) @ (0.6 * reach, 0.36 * reach)
        return xy + waves


@dataclass(frozen=True)
class Edge:
    """The upper edge of a land: its y at any x, and its peaks (x, y, height) where it has some."""

    xs: np.ndarray
    ys: np.ndarray
    peaks: tuple[tuple[float, float, float], ...] = ()

    def __call__(self, x: float) -> float:
        return float(np.interp(x, self.xs, self.ys))


def _subdivided(xy: np.ndarray, step: float) -> np.ndarray:
    """A closed polygon with points added so that no side is longer than about `step`."""
    ends = np.concatenate([xy[1:], xy[:1]])
    parts = np.maximum(1, np.ceil(np.hypot(*(ends - xy).T) / step)).astype(int)
    return np.concatenate([a + (b - a) * (np.arange(n) / n)[:, None] for a, b, n in zip(xy, ends, parts, strict=True)])


def _path(xy: np.ndarray, smooth: bool, closed: bool = True) -> str:
    """SVG path data through the points; a smooth one is a Catmull-Rom curve."""
    end = "z" if closed else ""
    if not smooth or len(xy) < 3:
        return ("M%.2f %.2f" + "L%.2f %.2f" * (len(xy) - 1)) % tuple(xy.ravel().tolist()) + end
    around = np.concatenate([xy[-1:], xy, xy[:2]] if closed else [xy[:1], xy, xy[-1:]])
    # Each stretch from a to b bends as its neighbours before and beyond pull.
    before, a, b, beyond = around[:-3], around[1:-2], around[2:-1], around[3:]
    curves = np.concatenate([a + (b - before) / 6, b - (beyond - a) / 6, b], 1)
    form = "M%.2f %.2f" + "C%.2f %.2f %.2f %.2f %.2f %.2f" * len(curves)
    return form % (xy[0, 0], xy[0, 1], *curves.ravel().tolist()) + end
