"""How a scene is drawn: what each style makes of a shape, and the grain it leaves on the finished picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

WOBBLE = {"flat": 0.0, "watercolour": 0.55, "ink": 0.5, "paper": 0.0, "crayon": 0.45}
"""How far a hand strays from a true outline, in percent of the frame."""

_INK = "#2e2836"
_SMALL = 1.6
"""Shapes below this size, in percent of the frame, are details: they get no outline and no shadow."""


def shape(style: str, d: str, again: str, fill: str, dark: str, size: float, far: float) -> str:
    """SVG of a filled path `d`. `again` is the same path by another stroke of the hand, `fill` a paint, `dark` its
    colour in the shade, `size` its extent in percent of the frame, `far` in [0, 1] how hazy it is."""
    plain = f'<path d="{d}" fill="{fill}"/>'
    if size < _SMALL:
        return plain
    near = 1 - far
    if style == "watercolour":
        # Pigment gathers where the wash dries last: at its edge.
        return (
            f'{plain}<path d="{again}" fill="none" stroke="{dark}" stroke-opacity="{0.42 * near + 0.1:.2f}" '
            f'stroke-width="{min(0.3 + size / 60, 0.75):.2f}"/>'
        )
    if style == "ink":
        width = min(0.26 + size / 110, 0.62) * (0.45 + 0.55 * near)
        # The wash does not quite meet the line.
        moved = f'<path d="{d}" fill="{fill}" transform="translate(.35 .3)"/>' if size < 40 else ""
        pens = ((d, width, 0.3 + 0.6 * near), (again, width * 0.6, 0.15 + 0.4 * near))
        lines = (f'<path d="{line}" stroke-width="{w:.2f}" stroke-opacity="{a:.2f}"/>' for line, w, a in pens)
        return f'{plain}{moved}<g fill="none" stroke="{_INK}" stroke-linejoin="round">{"".join(lines)}</g>'
    if style == "paper":
        drop = min(0.35 + size / 45, 1.3)
        return (
            f'<g fill="#1a1020"><path d="{d}" fill-opacity=".1" stroke="#1a1020" stroke-opacity=".08" '
            f'stroke-width="{drop:.2f}" transform="translate({drop * 0.5:.2f} {drop * 0.8:.2f})"/><path d="{d}" '
            f'fill-opacity=".16" transform="translate({drop * 0.35:.2f} {drop * 0.55:.2f})"/></g>{plain}'
            f'<path d="{d}" fill="none" stroke="#fff" stroke-opacity=".22" stroke-width=".22"/>'
        )
    if style == "crayon":
        return (
            f'{plain}<path d="{again}" fill="none" stroke="{dark}" stroke-opacity="{0.35 + 0.45 * near:.2f}" '
            f'stroke-width="{min(0.45 + size / 80, 0.95):.2f}" stroke-linejoin="round"/>'
        )
    return plain


def stroke(style: str, d: str, colour: str, dark: str, width: float, far: float) -> str:
    """SVG of a line along `d`."""
    line = (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" stroke-linecap="round" '
        'stroke-linejoin="round"/>'
    )
    if style == "ink" and width > 0.7:
        return line.replace(colour, _INK).replace(f'"{width:.2f}"', f'"{width + 0.5:.2f}"') + line
    if style == "paper" and width > 0.5:
        return (
            f'<path d="{d}" fill="none" stroke="#1a1020" stroke-opacity=".2" stroke-width="{width:.2f}" '
            f'stroke-linecap="round" stroke-linejoin="round" transform="translate(.3 .5)"/>{line}'
        )
    if style in ("watercolour", "crayon") and width > 1.2:
        return line.replace(colour, dark).replace(f'"{width:.2f}"', f'"{width + 0.4:.2f}"') + line
    return line


def _clouds(rng: np.random.Generator, side: int, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise (side, side) of mean 0 and standard deviation 1 with `cells` (x, y) bumps across."""
    small = Image.fromarray(rng.normal(size=(cells[1] + 3, cells[0] + 3)).astype(np.float32))
    grown = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    return (grown - grown.mean()) / grown.std()


@lru_cache(maxsize=2)
def _grain(size: int) -> dict[str, np.ndarray]:
    """The tiles (2 size, 2 size) from which every picture's grain is cut: float32 about 0."""
    rng, side = np.random.default_rng(0), 2 * size
    fine = rng.normal(size=(side, side)).astype(np.float32)
    tooth = fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1) + np.roll(fine, (1, 1), (0, 1))
    tooth = tooth / tooth.std()
    pigment = (
        0.8 * _clouds(rng, side, (7, 7)) + 0.4 * _clouds(rng, side, (22, 22)) + 0.25 * _clouds(rng, side, (80, 80))
    )
    streaks = Image.fromarray(_clouds(rng, 2 * side, (60, 620))).rotate(14, Image.Resampling.BILINEAR)
    edge = side // 2
    streaks = np.asarray(streaks.crop((edge, edge, edge + side, edge + side)))
    fibres = 0.5 * _clouds(rng, side, (30, 30)) + 0.3 * _clouds(rng, side, (90, 160)) + 0.6 * tooth
    tiles = {"tooth": tooth, "pigment": pigment, "streaks": streaks, "fibres": fibres}
    return {name: np.ascontiguousarray(tile, np.float32) for name, tile in tiles.items()}


def finish(style: str, layers: list[np.ndarray], night: bool, rng: np.random.Generator) -> list[np.ndarray]:
    """Give the RGB of `layers`, uint8 (H, W, 3 or 4), the grain of the style: paper is the same under all."""
    if style == "flat":
        return layers
    side = max(layers[0].shape[:2])
    y, x = rng.integers(side, size=2)
    flips = rng.random(2) < 0.5
    return [_finish(style, layer, night, int(y), int(x), flips) for layer in layers]


def _finish(style: str, layer: np.ndarray, night: bool, y: int, x: int, flips: np.ndarray) -> np.ndarray:
    height, width = layer.shape[:2]

    def grain(name: str) -> np.ndarray:
        tile = _grain(max(height, width))[name][y : y + height, x : x + width]
        return tile[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1, None]

    colour = layer[..., :3].astype(np.float32) / 255
    if style == "watercolour":
        # Where there is more pigment, light passes it twice: darker and deeper.
        grey = colour.mean(-1, keepdims=True)
        colour = (grey + 1.18 * (colour - grey)).clip(0, 1) ** (0.92 + 0.1 * grain("pigment") + 0.03 * grain("tooth"))
        colour = 1 - (1 - colour) * (0.93 + 0.03 * grain("pigment"))
    elif style == "ink":
        colour = colour ** np.clip(1 + 0.14 * grain("pigment"), 0.6, 1.6) * (1 + 0.018 * grain("tooth"))
    elif style == "paper":
        colour = colour * (1 + 0.02 * grain("fibres"))
    else:
        sheet = np.array([0.17, 0.18, 0.27] if night else [0.99, 0.97, 0.91], np.float32)
        # Wax lies thicker where the colour is deep.
        depth = 0.35 + 0.65 * (1 - colour if night else colour).mean(-1, keepdims=True)
        bare = depth * np.clip(0.15 + 0.1 * grain("streaks") + 0.13 * grain("tooth"), 0, 0.6)
        colour = colour + (sheet - colour) * bare
    out = layer.copy()
    out[..., :3] = np.round(colour.clip(0, 1) * 255)
    return out
