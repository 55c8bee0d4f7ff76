"""Colours, the palettes of places, and what hours and weathers do to them."""

from __future__ import annotations

from functools import cache

Colour = tuple[float, float, float]
"""RGB in [0, 1]."""

LIGHT: dict[str, Colour] = {
    "": (1.0, 1.0, 1.0),
    "day": (1.0, 1.0, 1.0),
    "sunrise": (1.0, 0.89, 0.86),
    "sunset": (0.98, 0.78, 0.69),
    "night": (0.5, 0.58, 0.83),
}
"""What the light of a time of day does to a colour."""

LAMPLIGHT: dict[str, Colour] = {"sunrise": (1.0, 0.95, 0.92), "sunset": (1.0, 0.88, 0.8), "night": (0.74, 0.66, 0.66)}
"""What it does in a room, where lamps are lit when it is dark."""

DIMMED = {"": 1.0, "clear": 1.0, "cloudy": 0.93, "rain": 0.87, "snow": 0.97, "fog": 0.97}
GREYED = {"": 0.0, "clear": 0.0, "cloudy": 0.22, "rain": 0.36, "snow": 0.2, "fog": 0.25}

SKIES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
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
PALETTES: dict[str, tuple[float, float, str, float]] = {
    "natural": (1.0, 0.0, "#ffffff", 0.0),
    "bright": (1.18, 0.02, "#ffffff", 0.0),
    "pastel": (0.8, 0.09, "#fff2ea", 0.08),
    "old": (0.78, 0.0, "#e0c48a", 0.14),
    "cool": (0.92, 0.0, "#7fb4d8", 0.1),
    "warm": (1.02, 0.0, "#f4a460", 0.1),
}


def rgb(colour: str | Colour) -> Colour:
    """A colour in [0, 1] from "#rrggbb"."""
    return _read(colour) if isinstance(colour, str) else colour


@cache
def _read(colour: str) -> Colour:
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return r, g, b


def mix(a: str | Colour, b: str | Colour, share: float) -> Colour:
    """`a` with `share` of `b` in it."""
    (r, g, blue), (x, y, z) = rgb(a), rgb(b)
    return r + (x - r) * share, g + (y - g) * share, blue + (z - blue) * share


def dark(colour: str | Colour, share: float = 0.2) -> Colour:
    """`colour` in the shade: darker and a little bluer."""
    return mix(colour, "#1c1838", share)


def pale(colour: str | Colour, share: float = 0.2) -> Colour:
    """`colour` in the light."""
    return mix(colour, "#fffdf0", share)


def hexed(colour: Colour) -> str:
    r, g, b = (0 if c <= 0 else 255 if c >= 1 else round(c * 255) for c in colour)
    return f"#{r:02x}{g:02x}{b:02x}"
