"""How long a film stays at a panel, when its words appear, and the subtitles that say so."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anystory.story.model import Panel

LOOK = 2.0
"""Seconds to look at a picture without words."""
WORD, LETTER = 0.33, 0.2
"""Seconds a word takes, some 180 a minute, and a letter of a script that writes none apart, as Chinese and Thai do."""
LEAST, MOST = 2.5, 20.0
"""Seconds a panel stays that says nothing about it."""
FIRST = 0.4
"""Seconds until the first words appear, of a panel that stays long enough."""

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


@dataclass(frozen=True)
class Beat:
    """Words of a film: who says them, "" for a caption, and from when to when they are new, in seconds."""

    who: str
    words: str
    start: float
    end: float


def seconds_of(panel: Panel) -> float:
    """Seconds that a film stays at a panel: its `duration`, or `LOOK` and as long as its caption and its balloons take
    to read, to a tenth."""
    if panel.duration is not None:
        return panel.duration
    words = " ".join((panel.caption, *(line.say for line in panel.dialogue)))
    return round(min(max(LOOK + reading(words), LEAST), MOST), 1)


def reading(words: str) -> float:
    """Seconds that words take to read."""
    letters = {char for char in words if unicodedata.name(char, "").startswith(_UNSPACED)}
    spaced = "".join(" " if char in letters else char for char in words)
    count = sum(char in letters for char in words)
    return WORD * sum(any(map(str.isalnum, word)) for word in spaced.split()) + LETTER * count


def beats(panel: Panel) -> list[Beat]:
    """When the caption and then each balloon of a panel appear, counted from its beginning: one after the other, each
    as long before the next as it takes to read, within the time that the panel stays."""
    told = [("", panel.caption)] * bool(panel.caption) + [(line.who, line.say) for line in panel.dialogue]
    total = seconds_of(panel)
    first = min(FIRST, total / 10)
    shares = [max(reading(words), 0.5) for _, words in told]
    found, start = [], first
    for (who, words), share in zip(told, shares, strict=True):
        end = start + (total - first) * share / sum(shares)
        found.append(Beat(who, words, start, end))
        start = end
    return found


def timeline(panels: Iterable[Panel]) -> list[Beat]:
    """The beats of a whole film."""
    found, start = [], 0.0
    for panel in panels:
        found += [Beat(beat.who, beat.words, start + beat.start, start + beat.end) for beat in beats(panel)]
        start += seconds_of(panel)
    return found


def srt(told: Sequence[Beat]) -> str:
    """Subtitles in SubRip's form."""
    return "".join(
        f"{number}\n{_clock(beat.start, ',')} --> {_clock(beat.end, ',')}\n{_line(beat)}\n\n"
        for number, beat in enumerate(told, start=1)
    )


def vtt(told: Sequence[Beat]) -> str:
    """Subtitles as WebVTT, in which & and < are written as entities."""
    lines = ((beat, _line(beat).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")) for beat in told)
    return "WEBVTT\n\n" + "".join(
        f"{_clock(beat.start, '.')} --> {_clock(beat.end, '.')}\n{line}\n\n" for beat, line in lines
    )


def _line(beat: Beat) -> str:
    words = " ".join(beat.words.split())
    return f"{beat.who}: {words}" if beat.who else words


def _clock(seconds: float, point: str) -> str:
    whole = round(1000 * seconds)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
