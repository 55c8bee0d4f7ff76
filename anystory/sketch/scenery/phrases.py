"""What a scene is called: true phrases for its place, time, weather and medium, in several grammatical forms."""

from __future__ import annotations

import numpy as np

TIMES = ("day", "sunrise", "sunset", "night")
"""Times of day that a scene can show; "" where none can be seen (a cave, deep space)."""

WEATHERS = ("clear", "cloudy", "rain", "snow", "fog")
"""Weathers that a scene can show; "" where there is none (indoors, under water)."""

MEDIUMS = ("flat", "watercolour", "ink", "paper", "crayon")
"""Ways in which a scene is drawn."""

TIME_PHRASES: dict[str, tuple[str, ...]] = {
    "": ("",),
    "day": ("by day", "during the day", "in the daytime", "in broad daylight", "at midday", "in the afternoon", ""),
    "sunrise": ("at sunrise", "in the morning", "early in the morning", "at dawn", "at daybreak", "as the sun rises"),
    "sunset": ("at sunset", "in the evening", "at dusk", "at twilight", "as the sun sets"),
    "night": ("at night", "late at night", "in the middle of the night", "after dark", "in the dark of night"),
}
"""True of every scene of that time, in any weather."""

WEATHER_PHRASES: dict[str, tuple[str, ...]] = {
    "": ("",),
    "clear": ("", "in fine weather", "under a clear sky", "in good weather"),
    "cloudy": ("under a cloudy sky", "in cloudy weather", "under grey clouds", "under an overcast sky"),
    "rain": ("in the rain", "in rainy weather", "while it rains", "in heavy rain", "in wet weather"),
    "snow": ("in falling snow", "while it snows", "in snowy weather", "in a snowfall", "among snowflakes"),
    "fog": ("in the fog", "in thick fog", "in foggy weather", "in the mist", "in a veil of mist"),
}
"""True of every scene of that weather, at any time."""

_TIME_NOUNS = {"day": ("day", "afternoon"), "sunrise": ("morning",), "sunset": ("evening",), "night": ("night",)}
_WEATHER_ADJECTIVES = {
    "clear": ("clear", "fine"),
    "cloudy": ("cloudy", "grey", "overcast"),
    "rain": ("rainy", "wet"),
    "snow": ("snowy",),
    "fog": ("foggy", "misty"),
}
_BOTH: dict[tuple[str, str], tuple[str, ...]] = {
    ("day", "clear"): ("on a sunny day", "in the sunshine", "under a blue sky", "on a bright day"),
    ("sunrise", "clear"): ("on a fresh morning",),
    ("sunset", "clear"): ("on a mild evening",),
    ("night", "clear"): ("under the stars", "by moonlight", "on a starry night"),
}

MEDIUM_PHRASES: dict[str, tuple[str, ...]] = {
    "flat": ("as a flat illustration", "in flat colours", "as a vector picture"),
    "watercolour": ("in watercolour", "painted in watercolours", "as a watercolour"),
    "ink": ("in ink and wash", "drawn with pen and ink", "as an ink drawing"),
    "paper": ("in cut paper", "as a paper collage", "made of cut paper"),
    "crayon": ("in crayon", "drawn with crayons", "as a crayon drawing"),
}


def when(time: str, weather: str, rng: np.random.Generator) -> list[str]:
    """Zero to two phrases that say time and weather truly, "at night", "in the rain" or "on a rainy night"."""

    def pick(options: tuple[str, ...]) -> str:
        return options[rng.integers(len(options))]

    chance = rng.random()
    if time and weather and chance < 0.35:
        if (time, weather) in _BOTH and rng.random() < 0.7:
            return [pick(_BOTH[time, weather])]
        adjective = pick(_WEATHER_ADJECTIVES[weather])
        return [f"on {'an' if adjective[0] in 'aeiou' else 'a'} {adjective} {pick(_TIME_NOUNS[time])}"]
    said = []
    if chance < 0.9:
        said.append(pick(TIME_PHRASES[time]))
    if weather and rng.random() < (0.25 if weather == "clear" else 0.85):
        said.append(pick(WEATHER_PHRASES[weather]))
    if len(said) == 2 and rng.random() < 0.3:
        said.reverse()
    return [words for words in said if words]


def in_medium(medium: str, rng: np.random.Generator, share: float = 0.2) -> str:
    """A phrase for the medium in `share` of the calls, else ""."""
    options = MEDIUM_PHRASES[medium]
    return options[rng.integers(len(options))] if rng.random() < share else ""
