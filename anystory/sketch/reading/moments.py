"""What time it is in a panel and what weather, as far as its line says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anystory.sketch.language.sentence import LIKE, NEGATED, REAL, UNREAL, Mention, Sentence
from anystory.sketch.language.traditional import simplified

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
SKY = ("moon", "star", "shooting star")
"""Things that are seen in a clear sky."""
OVERHEAD = ("moon", "star", "luna", "estrell", "月", "星")
"""The same in words for a night: "moonlight", "bajo las estrellas", 星空."""
OF_NIGHT = (*SKY, "firefly", "firework")
"""Things that are seen at night."""
NEXT_DAYS = re.compile(
    r"\b(?:next|following) (?:day|morning|afternoon|evening|night|week|month|year|spring|summer|autumn|winter)\b"
    r"|\b(?:days|weeks?|months?|years?) (?:later|after|went by|passed)\b"
    r"|\bon (?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(?:días?|semanas?|mes|meses|años?) (?:después|más tarde)\b|\botro día\b"
    r"|\b(?:día|mañana|tarde|noche|semana|mes|año) siguiente\b"
    r"|\bel (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)\b"
    r"|第二[天日年]|次日|隔天|[天周月年](?:之后|后(?![来面边背院悔]))"
    r"|过了[一二两三四五六七八九十百几好多半\d]+个?(?:[天周月年]|星期)|星期[一二三四五六日天]|(?<!四)周[一二三四五六日](?!片)",
    re.IGNORECASE,
)
"""What says that it is another day; 那天后来 is the same, and 四周一片 is all around."""
HANDLING = ("works", "paints", "writes", "holds", "carries", "gives", "takes", "cooks", "eats", "pulls", "pushes")
"""Actions whose object is in the hands, and not in the sky."""
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
    shown = _overhead(sentence, OF_NIGHT, (REAL, NEGATED))
    return said or ("night" if shown and sky and now != "night" else "")


def starry(sentence: Sentence) -> bool:
    """Whether a line shows the stars or the moon, which no rain or snow of before still hides."""
    nights = [moment.text for moment in sentence.moments if moment.value == "night" and moment.state == REAL]
    return _overhead(sentence, SKY, (REAL,)) or any(word in night for night in nights for word in OVERHEAD)


def _overhead(sentence: Sentence, things: Sequence[str], states: Sequence[str]) -> bool:
    return any(
        mention.value in things and mention.state in states and not _handled(mention) for mention in sentence.mentions
    )


def _handled(mention: Mention) -> bool:
    """Whether a star is one of paper, that somebody hangs up, or of a firework what is only carried."""
    return mention.role == "object" and mention.act is not None and mention.act.action in HANDLING


def new_day(sentence: Sentence, text: str, now: str) -> bool:
    """Whether a line says that a night, or more, has passed, so that the rain of before need not fall any more."""
    said = [moment for moment in sentence.moments if moment.kind == "times" and moment.state == REAL]
    dawned = now == "night" and any(moment.value in ("day", "sunrise") for moment in said)
    return dawned or NEXT_DAYS.search(simplified(text)) is not None


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
