"""What time it is in a panel and what weather, as far as its line says."""

from __future__ import annotations

from anystory.sketch.language.sentence import LIKE, NEGATED, REAL, UNREAL, Sentence

NEAREST_TIMES: dict[str, tuple[str, ...]] = {
    "day": ("sunrise", "sunset", "night"),
    "sunrise": ("day", "sunset", "night"),
    "sunset": ("night", "day", "sunrise"),
    "night": ("sunset", "day", "sunrise"),
}
NEAREST_WEATHERS = {
    "clear": ("cloudy",),
    "cloudy": ("clear", "fog"),
    "rain": ("cloudy", "clear"),
    "snow": ("cloudy", "clear"),
    "fog": ("cloudy", "clear"),
}
OF_NIGHT = ("moon", "star", "firefly", "firework", "shooting star")
"""Things that are seen at night."""
_TELLING = ("rain", "snow", "fog", "cloudy", "clear")
"""Of several weathers in a line the first of these counts."""


def time_of(sentence: Sentence, now: str, sky: bool = True) -> str:
    """The time of day that a line says, or "". `now`: what it was; sunshine alone makes day only of night, and the sun
    that comes out by day no sunrise. `sky`: the place shows the time, so that stars are those of a night."""
    said = ""
    for moment in sentence.moments:
        if moment.kind != "times" or moment.state != REAL:
            continue
        shining = moment.value == "day" and _also_weather(sentence, moment.text)
        if shining and (said or now in ("day", "sunrise", "sunset")):
            continue
        if moment.value == "sunrise" and now == "day" and _also_weather(sentence, moment.text):
            continue
        if moment.value != "day" or not said:
            said = moment.value
    shown = any(mention.value in OF_NIGHT and mention.state == REAL for mention in sentence.mentions)
    return said or ("night" if shown and sky and now != "night" else "")


def _also_weather(sentence: Sentence, text: str) -> bool:
    return any(moment.kind == "weathers" and moment.text == text for moment in sentence.moments)


def weather_of(sentence: Sentence) -> str:
    """The weather that a line says, or "". What ends, or is denied, leaves a clear sky."""
    said = set()
    for moment in sentence.moments:
        if moment.kind != "weathers" or moment.state in (UNREAL, LIKE):
            continue
        over = moment.ended or moment.state == NEGATED
        if over and moment.value == "clear":
            said.add("cloudy" if moment.state == NEGATED else "clear")
        else:
            said.add("clear" if over else moment.value)
    return next((weather for weather in _TELLING if weather in said), "")
