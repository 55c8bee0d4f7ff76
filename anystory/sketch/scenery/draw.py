"""The painter: sheets of vector graphics with the light of a time and a weather, drawn from back to front.

Coordinates are percent of the square, x to the right and y down. Colours given to `tone` are those of a clear day.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from anystory.sketch.scenery import mediums
from anystory.sketch.scenery.chance import Chance, Motif
from anystory.sketch.scenery.colour import (
    DIMMED,
    GREYED,
    LAMPLIGHT,
    LIGHT,
    PALETTES,
    SKIES,
    Colour,
    dark,
    hexed,
    mix,
    pale,
    rgb,
)
from anystory.sketch.scenery.paths import Edge, box, path, subdivided
from anystory.sketch.scenery.sheet import Box, Mark, Sheet

Points = Sequence[tuple[float, float]] | np.ndarray

P = ParamSpec("P")
T = TypeVar("T")

_STRAY = np.array([[0.21, -0.5, 0.5, 1.2], [0.55, 1.3, -0.25, 0.6]])
"""Frequencies along x and y of the four waves of a hand's straying: two of dx, then two of dy."""


def _scoped(stream: str) -> Callable[[Callable[Concatenate[Painter, P], T]], Callable[Concatenate[Painter, P], T]]:
    def decorate(draw: Callable[Concatenate[Painter, P], T]) -> Callable[Concatenate[Painter, P], T]:
        @wraps(draw)
        def drawn(p: Painter, /, *values: P.args, **how: P.kwargs) -> T:
            where = ",".join(f"{v:.2f}" for v in (*values, *how.values()) if isinstance(v, (int, float)))
            with p.within(f"{draw.__name__} {where}", stream):
                return draw(p, *values, **how)

        return drawn

    return decorate


motif = _scoped("")
"""A part of the picture that is drawn by chance of its own, named by what it is and where it stands (every number it
is called with): nothing that is drawn before it moves it, and it moves nothing that comes after."""

lighting = _scoped("light")
"""A motif that belongs to the hour: see `Painter`."""

weathering = _scoped("weather")
"""A motif that belongs to the weather: see `Painter`."""


class Painter:
    """Draws one place. `sheets[0]` is the background; `layer` begins another in front of it.

    The same name keeps every motif of its ground where it is at every hour and in every weather. For that what is
    drawn is of one of three streams. The ground is the same always but for its colours: code that draws it asks for
    the time or the weather only to choose a colour, never before it draws by chance. What only some hour shows is drawn
    in `with p.lighting():` or by a `lighting` function (the sky, lamps that shine), what only some weather shows in
    `with p.weathering():` or by a `weathering` function (snow that lies, flowers that snow covers). There chance is
    another, so that nothing else moves; and every motif has a chance of its own. Tones vary by one more, and a hand
    strays by its own too."""

    def __init__(self, time: str, weather: str, medium: str, name: str) -> None:
        self.time, self.weather, self.medium = time, weather, medium
        self.night, self.snowy, self.wet = time == "night", weather == "snow", weather == "rain"
        # Indoors, and only there, an hour shows and no weather does.
        self._lit = LIGHT[time] if weather else LAMPLIGHT.get(time, LIGHT[time])
        self._motif = Motif(name, "ground")
        self.palette = self.pick(*PALETTES)
        with self.lighting():
            skies = SKIES.get((time, weather or "clear"), (("#888888", "#bbbbbb"),))
            self.sky_top, self.haze = (rgb(c) for c in self.pick(*skies))
        self.sun_x = 50.0
        self.horizon = 0.0
        self.sheets = [Sheet(0.0, "")]
        self._defs: list[str] = []
        self._shown = ""
        self._named = 0
        self._phase = Chance(f"{name} hand").several(8, 0, 2 * math.pi).reshape(2, 4)

    @property
    def light(self) -> Colour:
        """RGB factors of the light on what stands in the scene."""
        r, g, b = (c * DIMMED[self.weather] for c in self._lit)
        return r, g, b

    # Streams.

    @contextmanager
    def within(self, name: str, stream: str = "") -> Iterator[None]:
        """What is drawn in here is a motif of that name. What belongs to the hour does so in all its parts."""
        outer = self._motif
        stream = "light" if outer.stream == "light" else stream or outer.stream
        self._motif = Motif(f"{outer.name}/{name}", stream)
        try:
            yield
        finally:
            self._motif = outer

    def lighting(self) -> AbstractContextManager[None]:
        """What is drawn in here only some hour shows."""
        return self.within("light", "light")

    def weathering(self) -> AbstractContextManager[None]:
        """What is drawn in here only some weather shows."""
        return self.within("weather", "weather")

    @contextmanager
    def showing(self, what: str) -> Iterator[None]:
        """What is drawn in here is `what` ("blackboard"), for whoever looks for it in the painting; chance is the
        same as without."""
        self._shown, before = f"/_{what.replace(' ', '_')}", self._shown
        try:
            yield
        finally:
            self._shown = before

    # Chance; see `Chance`.

    def pick(self, *options: T) -> T:
        return self._motif.chance.pick(*options)

    def between(self, low: float, high: float) -> float:
        return self._motif.chance.between(low, high)

    def count(self, low: int, high: int) -> int:
        return self._motif.chance.count(low, high)

    def chance(self, share: float) -> bool:
        return self._motif.chance.chance(share)

    def sign(self) -> int:
        return self._motif.chance.sign()

    def several(self, count: int, low: float, high: float) -> np.ndarray:
        return self._motif.chance.several(count, low, high)

    def spread(self, count: int, low: float = 0.0, high: float = 100.0, loose: float = 0.7) -> list[float]:
        return self._motif.chance.spread(count, low, high, loose)

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return self._motif.chance.shuffled(options)

    # Colour.

    def tone(self, colour: str | Colour, far: float = 0.0, vary: float = 0.02) -> Colour:
        """`colour` in this palette, weather and light, varied a little; `far` in [0, 1] fades it into the haze."""
        saturation, lift, tint, share = PALETTES[self.palette]
        h, light, s = colorsys.rgb_to_hls(*rgb(colour))
        dh, dl, ds = (vary * part for part in self._motif.variation(colour))
        light = min(max(light + dl, 0.0), 1.0)
        s = min(max((s + ds) * saturation, 0.0), 1.0)
        lit = mix(colorsys.hls_to_rgb((h + dh / 2) % 1, light + lift * (1 - light), s), tint, share)
        grey = sum(lit) / 3
        lit = mix(lit, (grey, grey, grey), GREYED[self.weather])
        r, g, b = (c * t * DIMMED[self.weather] for c, t in zip(lit, self._lit, strict=True))
        lit = r, g, b
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
        left, top, right, bottom = box(xy.ravel().tolist())
        size = 0.0 if detail else max(right - left, bottom - top)
        if not smooth and mediums.WOBBLE[self.medium] and size > 8:
            xy = subdivided(xy, 7.0)
        d, extent = path(self._stray(xy, 0, detail), smooth)
        again = path(self._stray(xy, 1), smooth)[0] if mediums.WOBBLE[self.medium] and size else d
        if self.medium == "ink":
            colour, shade = pale(colour, 0.1), shade and pale(shade, 0.1)
        paint = hexed(colour) if shade is None else self.gradient(colour, shade, top, bottom)
        svg = mediums.shape(self.medium, d, again, paint, hexed(dark(colour, 0.45)), size, far)
        self._mark(svg, extent, 0.0 if detail else mediums.REACH)

    def rect(self, x: float, y: float, w: float, h: float, colour: Colour, *, r: float = 0.0, **how: Any) -> None:
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

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour, **how: Any) -> None:
        turn = np.linspace(0, 2 * math.pi, 12, endpoint=False)
        self.poly(np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1), colour, smooth=True, **how)

    @motif
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
        **how: Any,
    ) -> None:
        """A lumpy shape: a crown, a cloud, a bush. Nothing of it lies below `floor`."""
        knots = np.cumsum(self.several(lobes, 0.6, 1.4))
        knots = np.concatenate([[0], knots]) / knots[-1] * 2 * math.pi + self.between(0, 6.3)
        phase = np.linspace(0, 1, 4, endpoint=False)
        turn = (knots[:-1, None] + np.diff(knots)[:, None] * phase).ravel()
        bump = np.tile(np.sin(np.pi * phase) ** 0.7, lobes)
        reach = 0.84 + 0.2 * bump * np.repeat(self.several(lobes, 0.7, 1.1), len(phase))
        ys = np.minimum(y + ry * reach * np.sin(turn), floor)
        self.poly(np.stack([x + rx * reach * np.cos(turn), ys], 1), colour, smooth=True, **how)

    def line(self, points: Points, colour: Colour, width: float, *, smooth: bool = False, far: float = 0.0) -> None:
        xy = np.asarray(points, np.float64)
        if not smooth and mediums.WOBBLE[self.medium]:
            xy = subdivided(xy, 7.0, closed=False)
        d, extent = path(self._stray(xy, 0), smooth, closed=False)
        svg = mediums.stroke(self.medium, d, hexed(colour), hexed(dark(colour, 0.45)), width, far)
        self._mark(svg, extent, 2 * width + 1)

    @motif
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
        ys = np.zeros(len(xs))
        for k in (1, 2, 3):
            ys += self.between(0.4, 1) / k * np.sin(2 * np.pi * (waves * k / 2 * xs / 100 + self.between(0, 1)))
        ys = y - height * ((ys - ys.min()) / (np.ptp(ys) + 1e-6) - 0.5)
        self._land(xs, ys, colour, shade, floor, far, True)
        return Edge(xs, ys)

    @motif
    def range(
        self, y: float, height: float, colour: Colour, *, peaks: int, far: float = 0.0, floor: float = 102.0
    ) -> Edge:
        """A jagged range of mountains with feet at about `y`; its light and dark faces are drawn too."""
        tops = self.spread(peaks, -8, 108)
        rise = self.several(peaks, 0.5, 1) * height
        across, up = [-4.0], [y - rise[0] * 0.4]
        for i, (x, h) in enumerate(zip(tops, rise, strict=True)):
            across += [x - 4, x, x + 4]
            up += [y - h * 0.8 + self.between(-1, 1), y - h, y - h * 0.82 + self.between(-1, 1)]
            if i + 1 < peaks:
                across.append((x + tops[i + 1]) / 2)
                up.append(y - min(h, rise[i + 1]) * self.between(0.2, 0.5))
        across.append(104.0)
        up.append(y - rise[-1] * 0.4)
        order = np.argsort(across)
        xs, ys = np.array(across)[order], np.array(up)[order]
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

    @motif
    def wash(self, y0: float, y1: float, top: Colour, bottom: Colour, *, torn: bool = False) -> None:
        """A band across the frame that goes from one colour to another; where `torn`, in strips if of cut paper."""
        if self.medium == "paper" and torn:
            steps = 5
            self._band(y0, y1, hexed(top))
            for k in range(1, steps):
                y = y0 + (y1 - y0) * (k / steps)
                colour = mix(top, bottom, k / (steps - 1))
                self.ridge(y, 3.5, colour, waves=self.between(1, 2.6), floor=y1 - 0.9)
            return
        self._band(y0, y1, self.gradient(top, bottom, y0, y1))

    def _band(self, y0: float, y1: float, paint: str) -> None:
        # It goes on under what is drawn below it, so that no seam shows at any size.
        y0, y1 = y0 if y0 > 0 else -2, y1 + 2
        wash = (y0, y1) if paint.startswith("url") else None
        self._mark(f'<path d="M-2 {y0:.2f}H102V{y1:.2f}H-2z" fill="{paint}"/>', (-2, y0, 102, y1), wash=wash)

    def glow(self, x: float, y: float, r: float, colour: Colour, strength: float = 0.6) -> None:
        """Soft light around a point."""
        name, paint = self._name(), hexed(colour)
        stops = "".join(
            f'<stop offset="{at}" stop-color="{paint}" stop-opacity="{strength * s:.3f}"/>'
            for at, s in ((0, 1), (0.25, 0.62), (0.5, 0.28), (0.75, 0.08), (1, 0))
        )
        self._defs.append(
            f'<radialGradient id="{name}" gradientUnits="userSpaceOnUse" cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}">'
            f"{stops}</radialGradient>"
        )
        circle = f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{r:.2f}" fill="url(#{name})"/>'
        self._mark(circle, (x - r, y - r, x + r, y + r))

    def veil(self, points: Points, top: Colour, bottom: Colour, a0: float, a1: float, *, smooth: bool = False) -> None:
        """A see-through shape, of opacity `a0` at its top to `a1` at its bottom: a beam, a mist, a shadow."""
        xy = np.asarray(points, np.float64)
        paint = self.gradient(top, bottom, xy[:, 1].min(), xy[:, 1].max(), a0, a1)
        d, extent = path(xy, smooth)
        self._mark(f'<path d="{d}" fill="{paint}"/>', extent)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.2) -> None:
        """A soft dark oval on the ground."""
        self.mist(x, y, rx, ry, rgb("#141030"), strength)

    def mist(self, x: float, y: float, rx: float, ry: float, colour: Colour, strength: float) -> None:
        """A soft oval of haze, smoke or light."""
        name, paint = self._name(), hexed(colour)
        self._defs.append(
            f'<radialGradient id="{name}"><stop offset=".1" stop-color="{paint}" stop-opacity="{strength:.2f}"/>'
            f'<stop offset="1" stop-color="{paint}" stop-opacity="0"/></radialGradient>'
        )
        oval = f'<ellipse cx="{x:.2f}" cy="{y:.2f}" rx="{rx:.2f}" ry="{ry:.2f}" fill="url(#{name})"/>'
        self._mark(oval, (x - rx, y - ry, x + rx, y + ry))

    def strokes(self, d: str, colour: Colour, width: float, alpha: float = 1.0) -> None:
        """Many plain lines as one path."""
        self._mark(
            f'<path d="{d}" fill="none" stroke="{hexed(colour)}" stroke-width="{width:.2f}" '
            f'stroke-opacity="{alpha:.2f}" stroke-linecap="round"/>',
            None,
        )

    def areas(self, d: str, colour: Colour) -> None:
        """Many plain small shapes as one path."""
        if d:
            self._mark(f'<path d="{d}" fill="{hexed(colour)}"/>', None)

    def gradient(self, top: Colour, bottom: Colour, y0: float, y1: float, a0: float = 1.0, a1: float = 1.0) -> str:
        """A paint that goes from `top` at `y0` to `bottom` at `y1`."""
        name = self._name()
        self._defs.append(
            f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="{y0:.2f}" y2="{y1:.2f}">'
            f'<stop stop-color="{hexed(top)}" stop-opacity="{a0:.3f}"/>'
            f'<stop offset="1" stop-color="{hexed(bottom)}" stop-opacity="{a1:.3f}"/></linearGradient>'
        )
        return f"url(#{name})"

    def _name(self) -> str:
        self._named += 1
        return f"g{self._named}"

    def _mark(self, svg: str, extent: Box | None, reach: float = 0.0, wash: tuple[float, float] | None = None) -> None:
        """Put down `svg` with the gradients made for it; `reach`: how far beyond its path it covers anything. `wash` as
        of a `Mark`."""
        if extent is not None:
            x0, y0, x1, y1 = extent
            extent = x0 - reach, y0 - reach, x1 + reach, y1 + reach
        name = self._motif.name + self._shown
        self.sheets[-1].marks.append(Mark(svg, "".join(self._defs), extent, name, self._motif.stream, wash))
        self._defs.clear()

    def _stray(self, xy: np.ndarray, which: int, small: bool = False) -> np.ndarray:
        """`xy` as a hand would draw it: a smooth field moves neighbours alike, so that shapes stay together."""
        reach = mediums.WOBBLE[self.medium]
        if not reach:
            return xy
        # Small things keep their form and move as a whole.
        at = xy.mean(0, keepdims=True) if small else xy
        angles = at @ _STRAY + self._phase[which]
        waves = np.sin(angles).reshape(-1, 2, 2) @ (0.6 * reach, 0.36 * reach)
        return xy + waves
