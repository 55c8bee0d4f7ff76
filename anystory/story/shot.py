"""What one line of a script shows: the place and its moment, who does what and where, what lies about. Words only: it
is read by `anystory.sketch.read` and staged by `anystory.sketch.staging`.

Every value is a key of `anystory/sketch/words.yaml` unless it is said otherwise; "" stands for what nobody said.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Role:
    """What one member of the cast does in a panel.

    `action`: what it does ("stands", "sits", "hides" …). `where`: "left", "right", "middle", "far left", "far right".
    `distance`: "near" or "far". `size`: "tiny", "small", "big" or "huge", said of it in this line. `height`: how tall
    it is in metres, from its own `height` or the words of its description; the same in every panel. `relation` to
    `targets`: "behind", "in front of", "next to", "on", "under", "above", "in", "between"; a target is the name of a
    member of the cast, or the concept of a thing, or a part of the place ("tree"). `toward`: the name of whom it acts
    on or looks at, or the concept of a thing that lives. `holds`: the concept of a thing. `mood`: "happy", "sad",
    "angry", "afraid", "sleepy", "surprised", "in love" … `facing`: where its picture looks, as somebody said, "left",
    "right" or "front"; "" leaves it to the picture.
    """

    name: str
    action: str = "stands"
    where: str = ""
    distance: str = ""
    size: str = ""
    height: float = 1.7
    relation: str = ""
    targets: tuple[str, ...] = ()
    toward: str = ""
    holds: str = ""
    mood: str = ""
    facing: str = ""


@dataclass(frozen=True)
class Thing:
    """Something a line tells of that is no member of the cast. `concept`: what it is, in English, in the singular, in
    lower case ("umbrella", "apple tree"); `word`: as it is written; `held_by`: who holds it, a name or the concept of
    a thing that lives; `where`, `distance`, `size`, `action`, `toward`, `relation` and `targets` as of a `Role`, but
    that `action` is "" where it does nothing, and `relation` "of" where it belongs to its target, as the candles of a
    cake. `own`: the file of the story's own drawing of it, `look` the hash of what that shows; "" for one of the
    library."""

    concept: str
    word: str = ""
    count: int = 1
    colour: str = ""
    size: str = ""
    held_by: str = ""
    where: str = ""
    distance: str = ""
    relation: str = ""
    targets: tuple[str, ...] = ()
    action: str = ""
    toward: str = ""
    own: str = ""
    look: str = ""


@dataclass(frozen=True)
class Shot:
    """What one panel shows.

    `place`: a key of `anystory.sketch.scenery.PLACES`, or "" for a plain ground. `setting`: which of the story's places
    of that kind it is, "village 1", or the name of one of the story's own; the same words in another panel mean the
    same place. `own`: the file of an own place's picture, `look` the hash of what that shows; "" where it is painted.
    `time`, `weather`, `medium`: of `scenery.TIMES`, `WEATHERS` and `MEDIUMS`, or "" where the place shows none.
    `framing`: "close-up", "medium", "wide", "from above" or "from below"; "" for the usual. `roles`: one for every
    member of the panel's cast, in its order. `speakers`: who says something in the panel's dialogue, in order, once for
    each balloon. `carried`: which of "place", "time", "weather", "medium" stayed as they were in the panel before;
    `guessed`: those that nobody said and nothing was before, or that were taken for the nearest known word. `unread`:
    words of the line that mean nothing to the sketch.
    """

    place: str = "meadow"
    setting: str = "meadow 1"
    time: str = "day"
    weather: str = "clear"
    medium: str = "watercolour"
    framing: str = ""
    roles: tuple[Role, ...] = ()
    things: tuple[Thing, ...] = ()
    speakers: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    guessed: tuple[str, ...] = field(default=())
    unread: tuple[str, ...] = ()
    own: str = ""
    look: str = ""
