"""Another colour for a drawing in its own shading: what is of its main colour's family turns, the rest stays.

Computed in OKLab, where lightness, colourfulness and hue are apart: https://bottosson.github.io/posts/oklab.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

COLOURS = {
    "red": "#e53935",
    "orange": "#fb8c00",
    "yellow": "#fdd835",
    "green": "#43a047",
    "blue": "#1e88e5",
    "purple": "#8e24aa",
    "pink": "#f06292",
    "brown": "#795548",
    "black": "#3a3a3c",
    "white": "#f5f5f5",
    "grey": "#9e9e9e",
    "gold": "#e0a526",
    "silver": "#b9c3cb",
}
"""The colours a line can say, each as a drawing of that colour has it."""

GREYNESS = 0.04
"""OKLab chroma below which a colour has no hue worth the name."""

_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip  # noqa: E501
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip  # noqa: E501
_FROM_LAB, _FROM_LMS = np.linalg.inv(_TO_LAB), np.linalg.inv(_TO_LMS)

# Where an SVG says a colour, as #rgb or #rrggbb; a reference such as url(#abc) is none.
_PAINT = re.compile(r"((?:fill|stroke|stop-color|flood-color|lighting-color)\s*[=:]\s*[\"']?\s*)#([0-9a-fA-F]{3,6})\b")


def rgb(colour: str) -> np.ndarray:
    """ "#rrggbb" or one of `COLOURS` as float64 (3,) in 0 to 255. Raises ValueError for another word."""
    text = COLOURS.get(colour, colour)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError(f"{colour!r} is not a colour; say #rrggbb or one of {', '.join(COLOURS)}.")
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.float64)


def oklab(colours: np.ndarray) -> np.ndarray:
    """RGB (..., 3) in 0 to 255 as OKLab (..., 3): lightness in 0 to 1, then two axes of colour."""
    share = np.asarray(colours, np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T


def from_oklab(lab: np.ndarray) -> np.ndarray:
    """The inverse of `oklab`, clipped to 0 to 255."""
    linear = np.clip((np.asarray(lab) @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def name_of(colour: str) -> str:
    """The key of `COLOURS` that one would call "#rrggbb" by; neither gold nor silver."""
    lab = oklab(rgb(colour))
    chroma, hue = float(np.hypot(*lab[1:])), float(np.degrees(np.arctan2(lab[2], lab[1]))) % 360
    warm = 20 <= hue <= 90
    if chroma < 0.015 or (chroma < GREYNESS and not warm):
        return "black" if lab[0] < 0.42 else "white" if lab[0] > 0.88 else "grey"
    if warm and lab[0] < 0.68 and chroma < 0.12:
        return "brown"
    hued = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
    return min(hued, key=lambda name: float(np.linalg.norm((lab - oklab(rgb(name))) * (0.6, 1, 1))))


def membership(lab: np.ndarray, main: np.ndarray) -> np.ndarray:
    """How far each OKLab colour (..., 3) is of the family of the colour `main` (3,), 0 to 1: of its hue, shaded or lit;
    or, where `main` is grey, as grey and about as light. Black outlines and eyes are of no coloured family."""
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    vivid = float(np.hypot(*main[1:]))
    if vivid < GREYNESS:
        grey = 1 - _ramp(chroma, GREYNESS, 1.5 * GREYNESS)
        return grey * (1 - _ramp(np.abs(light - main[0]), 0.24, 0.34))
    turn = np.arctan2(lab[..., 2], lab[..., 1]) - np.arctan2(main[2], main[1])
    apart = np.degrees(np.abs(np.angle(np.exp(1j * turn))))
    # A light tint of the colour may be paler than a shade of it, which would be the brown of a stem or an eye.
    least = np.where(light > main[0], 0.12, 0.3) * vivid
    dark = min(0.36, main[0] - 0.05)
    return (1 - _ramp(apart, 26, 40)) * _ramp(chroma, least, 1.5 * least) * _ramp(light, dark - 0.08, dark)


def recoloured(colours: np.ndarray, main: str, colour: str) -> np.ndarray:
    """RGB colours (..., 3) of a drawing whose main colour is `main`, in 0 to 255, after its family has turned to
    `colour`; both "#rrggbb" or one of `COLOURS`. Who was darker in the family stays darker."""
    lab, start, goal = oklab(colours), oklab(rgb(main)), oklab(rgb(colour))
    share = membership(lab, start)[..., None]
    light = lab[..., 0]
    lit = np.where(
        light < start[0],
        light * goal[0] / max(start[0], 1e-6),
        goal[0] + (light - start[0]) * (1 - goal[0]) / max(1 - start[0], 1e-6),
    )
    vivid = float(np.hypot(*start[1:]))
    # Tints and shades keep how colourful they are beside the main colour.
    chroma = np.hypot(lab[..., 1], lab[..., 2]) / vivid if vivid >= GREYNESS else np.ones_like(light)
    vividness = float(np.hypot(*goal[1:]))
    # Nothing as light as that is more colourful on a screen.
    chroma = np.minimum(np.minimum(chroma, 1.25), 1.6 * (1 - lit) / max(vividness, 1e-6))
    turned = np.stack([lit, goal[1] * chroma, goal[2] * chroma], axis=-1)
    return from_oklab(lab + share * (turned - lab))


def recoloured_svg(svg: str, main: str, colour: str) -> str:
    """An SVG whose colours, where they are written #rgb or #rrggbb, went through `recoloured`."""
    found = sorted({match[2] for match in _PAINT.finditer(svg)})
    full = ["".join(c * 2 for c in text) if len(text) < 6 else text for text in found]
    if not full:
        return svg
    values = np.array([rgb(f"#{text}") for text in full])
    turned = dict(zip(found, np.rint(recoloured(values, main, colour)).astype(int).tolist(), strict=True))
    return _PAINT.sub(lambda match: match[1] + "#{:02x}{:02x}{:02x}".format(*turned[match[2]]), svg)


def _ramp(value: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, smooth between."""
    t = np.clip((value - low) / (np.asarray(high) - low), 0, 1)
    return t * t * (3 - 2 * t)


@lru_cache(maxsize=256)
def is_like(main: str, colour: str) -> bool:
    """Whether a drawing of the main colour `main` ("#rrggbb") already has the colour one asks for."""
    return bool(main) and name_of(main) == {"gold": "yellow", "silver": "grey"}.get(colour, colour)
