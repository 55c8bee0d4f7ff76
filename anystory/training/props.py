"""Things to sit in, drawn in two halves: what lies behind whoever sits in it, and what hides the lower part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw

from anystory.story.english import indefinite

SIDE = 160
"""Pixels of a prop's square cell, which its width fills."""

_OVERSAMPLING = 3

COLOURS = {
    "red": "#d6463f",
    "orange": "#ee8a35",
    "yellow": "#f3c83c",
    "green": "#58a85a",
    "blue": "#4479c9",
    "purple": "#8a5cc0",
    "pink": "#ea86b0",
    "brown": "#94643e",
    "white": "#f1efe9",
}


@dataclass(frozen=True)
class WorldProp:
    """`cell` uint8 (2, 4, SIDE, SIDE), premultiplied: the back half, the front half. `name` with its article; `rim` and
    `floor` are the y of the front rim and of the bottom as shares of the cell."""

    name: str
    cell: torch.Tensor
    rim: float
    floor: float


class _Pen:
    """Draws in shares of the cell, with an outline as drawings have it."""

    def __init__(self, colour: str) -> None:
        self.image = Image.new("RGBA", (SIDE * _OVERSAMPLING,) * 2)
        self.draw = ImageDraw.Draw(self.image)
        self.colour = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])

    def shade(self, factor: float) -> tuple[int, int, int, int]:
        return (*np.clip(self.colour * factor, 0, 255).astype(int).tolist(), 255)

    def poly(self, points: list[tuple[float, float]], factor: float) -> None:
        scaled = [(x * self.image.width, y * self.image.width) for x, y in points]
        self.draw.polygon(scaled, fill=self.shade(factor))
        self.draw.line([*scaled, scaled[0]], fill=self.shade(0.5), width=5, joint="curve")

    def oval(self, x0: float, y0: float, x1: float, y1: float, factor: float) -> None:
        box = [v * self.image.width for v in (x0, y0, x1, y1)]
        self.draw.ellipse(box, fill=self.shade(factor), outline=self.shade(0.5), width=5)

    def line(self, points: list[tuple[float, float]], factor: float, width: float) -> None:
        scaled = [(x * self.image.width, y * self.image.width) for x, y in points]
        self.draw.line(scaled, fill=self.shade(factor), width=round(width * self.image.width), joint="curve")

    def done(self) -> torch.Tensor:
        pixels = np.asarray(self.image.reduce(_OVERSAMPLING).convert("RGBa").tobytes("raw", "RGBa"))
        array = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE, 4)
        return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _bowl(points: int, x0: float, x1: float, rim: float, floor: float, narrow: float) -> list[tuple[float, float]]:
    """The outline of something round below its rim, `narrow` (0–1) towards the floor."""
    t = np.linspace(0, np.pi, points)
    middle, half = (x0 + x1) / 2, (x1 - x0) / 2
    bottom = [
        (middle + half * np.sign(np.cos(a)) * abs(np.cos(a)) ** narrow, rim + (floor - rim) * np.sin(a) ** 0.7)
        for a in t
    ]
    return [(x0, rim), *bottom[::-1], (x1, rim)]


def _box(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.poly([(0.1, 0.42), (0.9, 0.42), (0.96, 0.55), (0.04, 0.55)], 0.62)
    back.poly([(0.1, 0.42), (0.02, 0.32), (0.3, 0.3), (0.36, 0.42)], 1.06)
    back.poly([(0.9, 0.42), (0.98, 0.32), (0.7, 0.3), (0.64, 0.42)], 1.06)
    front.poly([(0.04, 0.55), (0.96, 0.55), (0.93, 0.97), (0.07, 0.97)], 1.0)
    front.line([(0.5, 0.56), (0.5, 0.96)], 0.85, 0.05)
    return 0.55, 0.97


def _basket(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.oval(0.04, 0.42, 0.96, 0.66, 0.6)
    front.poly(_bowl(25, 0.04, 0.96, 0.54, 0.97, 0.35), 1.0)
    for k in range(4):
        y = 0.6 + 0.085 * k
        front.line([(0.08 + 0.03 * k, y), (0.92 - 0.03 * k, y)], 0.78, 0.012)
    for k in range(9):
        x = 0.14 + 0.09 * k
        front.line([(x, 0.56), (0.5 + (x - 0.5) * 0.82, 0.93)], 0.84, 0.012)
    return 0.54, 0.97


def _bucket(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.oval(0.08, 0.4, 0.92, 0.6, 0.6)
    front.poly([(0.08, 0.5), (0.92, 0.5), (0.78, 0.97), (0.22, 0.97)], 1.0)
    front.line([(0.1, 0.58), (0.9, 0.58)], 0.75, 0.03)
    front.line([(0.24, 0.55), (0.3, 0.92)], 1.25, 0.03)
    return 0.5, 0.97


def _boat(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.poly([(0.02, 0.56), (0.98, 0.56), (0.9, 0.68), (0.1, 0.68)], 0.6)
    front.poly([(0.0, 0.58), (0.14, 0.62), (0.86, 0.62), (1.0, 0.58), (0.84, 0.93), (0.16, 0.93)], 1.0)
    front.line([(0.06, 0.7), (0.94, 0.7)], 1.3, 0.03)
    return 0.6, 0.93


def _tub(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.oval(0.03, 0.5, 0.97, 0.68, 0.72)
    front.poly(_bowl(25, 0.03, 0.97, 0.59, 0.92, 0.3), 1.0)
    front.line([(0.04, 0.6), (0.96, 0.6)], 1.2, 0.03)
    for x in (0.2, 0.8):
        front.oval(x - 0.05, 0.88, x + 0.05, 0.98, 0.7)
    return 0.59, 0.97


def _pot(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.oval(0.1, 0.42, 0.9, 0.6, 0.5)
    front.poly([(0.16, 0.6), (0.84, 0.6), (0.72, 0.97), (0.28, 0.97)], 0.92)
    front.poly([(0.1, 0.5), (0.9, 0.5), (0.88, 0.63), (0.12, 0.63)], 1.0)
    return 0.5, 0.97


def _barrel(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.oval(0.14, 0.4, 0.86, 0.56, 0.5)
    front.poly([(0.14, 0.48), (0.86, 0.48), (0.93, 0.72), (0.86, 0.97), (0.14, 0.97), (0.07, 0.72)], 1.0)
    for x in (0.3, 0.5, 0.7):
        front.line([(x, 0.5), (x, 0.96)], 0.8, 0.01)
    for y in (0.56, 0.88):
        front.line([(0.11, y), (0.89, y)], 0.55, 0.03)
    return 0.48, 0.97


def _cup(back: _Pen, front: _Pen) -> tuple[float, float]:
    back.oval(0.06, 0.42, 0.8, 0.6, 0.62)
    front.oval(0.7, 0.56, 0.98, 0.84, 0.9)
    front.poly(_bowl(25, 0.06, 0.8, 0.51, 0.96, 0.3), 1.0)
    front.line([(0.14, 0.6), (0.2, 0.82)], 1.25, 0.03)
    return 0.51, 0.96


_KINDS: dict[str, Callable[[_Pen, _Pen], tuple[float, float]]] = {
    "box": _box,
    "basket": _basket,
    "bucket": _bucket,
    "boat": _boat,
    "bathtub": _tub,
    "flower pot": _pot,
    "barrel": _barrel,
    "teacup": _cup,
}


def props() -> list[WorldProp]:
    """Every kind in every colour, in a fixed order."""
    drawn = []
    for kind, draw in _KINDS.items():
        for name, colour in COLOURS.items():
            back, front = _Pen(colour), _Pen(colour)
            rim, floor = draw(back, front)
            drawn.append(
                WorldProp(f"{indefinite(name)} {name} {kind}", torch.stack([back.done(), front.done()]), rim, floor)
            )
    return drawn
