"""STAND-IN: what a line says, by the bare names of places, times and weathers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from anystory.shot import Role, Shot
from anystory.sketch.scenery import PLACES
from anystory.story import CastMember, Panel, Script, Subject

TIMES = {"day": "day", "sunrise": "sunrise", "morning": "sunrise", "sunset": "sunset", "evening": "sunset"}
TIMES |= {"night": "night"}
WEATHERS = {"rain": "rain", "snow": "snow", "fog": "fog", "clouds": "cloudy"}


def read_story(script: Script, cast: Sequence[CastMember | Subject]) -> list[Shot]:
    """The shots of a script's panels, in their order."""
    shots: list[Shot] = []
    for panel in script.panels:
        shots.append(read(panel, cast, shots[-1] if shots else None))
    return shots


def read(panel: Panel, cast: Sequence[CastMember | Subject], before: Shot | None) -> Shot:
    """What one panel says; what it does not say stays as it was `before`."""
    words = re.findall(r"\w+", panel.prompt.lower())
    start = before or Shot()
    place = next((word for word in words if word in PLACES), "")
    time = next((TIMES[word] for word in words if word in TIMES), "")
    weather = next((WEATHERS[word] for word in words if word in WEATHERS), "")
    said = {key: value for key, value in (("place", place), ("time", time), ("weather", weather)) if value}
    kind = PLACES[place or start.place]
    shot = replace(start, carried=tuple(key for key in ("place", "time", "weather") if before and key not in said))
    shot = replace(shot, guessed=() if before else tuple({"place", "time", "weather"} - said.keys()), **said)
    if place:
        shot = replace(shot, setting=f"{place} 1")
    shot = replace(
        shot,
        time=shot.time if shot.time in kind.times else kind.times[0],
        weather=shot.weather if shot.weather in kind.weathers else kind.weathers[0],
        guessed=tuple(sorted(shot.guessed)),
    )
    roles = tuple(Role(name) for name in panel.cast)
    return replace(shot, roles=roles, speakers=tuple(line.who for line in panel.dialogue))
