"""What is found in a line: acts and mentions, before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

REAL, NEGATED, UNREAL, LIKE = "", "negated", "unreal", "like"
"""Whether what is mentioned is there: not there, dreamt or told of, or only compared with."""

RELATIONS = ("in", "on", "under", "behind", "in front of", "next to", "left of", "right of", "above", "between", "at")
PREPOSITIONS = (*RELATIONS, "through", "to", "toward", "from", "with", "for", "of", "by", "like", "without", "object")
PRONOUNS = ("she", "he", "it", "they", "all", "i")

STATES = ("sits", "lies", "sleeps", "hides", "kneels", "stands", "stands on its head")
"""Actions whose participle tells what is done, "seated", "asleep": not something done to one."""
ALONE = (*STATES, "walks", "runs", "jumps", "flies", "floats", "falls", "swims", "dives", "peeks", "crawls", "sneaks",
         "dances", "cries", "laughs", "bows", "shouts", "thinks", "sings", "talks", "whispers")  # fmt: skip
"""Actions that have no object: a noun that follows one without a subject is the subject."""
STILL = (*STATES, "waves", "shouts", "sings", "laughs", "points", "looks", "talks", "plays", "reads", "cries", "peeks")
"""Actions that are done where one is: who waves from the bridge is on it."""

APPEARING = ("appear", "aparec", "出现", "浮现")
"""Beginnings of verbs whose subject comes into sight: "a lighthouse appeared"."""


@dataclass
class Act:
    """A verb with those who do it. `actors`: names; `toward`: names it is done to; `manners`: see words.yaml;
    `state`: REAL, NEGATED or UNREAL; `purpose`: "in order to"; `implied`: no subject was said in its clause; `doers`:
    the things, a dog or a bus, that do it; `word`: the verb as it is written."""

    action: str
    actors: list[str] = field(default_factory=list)
    toward: list[str] = field(default_factory=list)
    manners: frozenset[str] = frozenset()
    state: str = REAL
    purpose: bool = False
    passive: bool = False
    implied: bool = False
    thing: bool = False
    number: int = 0
    doers: list[Mention] = field(default_factory=list)
    word: str = ""


@dataclass
class Mention:
    """A noun of the line. `kind`: "name", "thing", "place" or "plain"; `value`: the concept or the place's key, of
    a place with several (see `buildings`) "#" and its number, or "inside" or "outside"; `thing`: the concept of a
    place that is also one, a barn. `prep`: what governs it; `of`: the noun before "of it" or "with it"; `part`: it
    may be a part of what "of" names, a roof; `passing`: it is said of a thing only, "a friend who lives by the
    sea"; `acts`: it is the subject of a verb; `doing`: the action of a participle before it, "a flying fish".
    `relation` and `targets`: where it is, as of a role."""

    kind: str
    value: str
    word: str
    names: list[str] = field(default_factory=list)
    count: int = 1
    colour: str = ""
    size: str = ""
    which: str = ""
    owner: str = ""
    thing: str = ""
    prep: str = ""
    role: str = ""
    state: str = REAL
    act: Act | None = None
    of: Mention | None = None
    attribute: bool = False
    part: bool = False
    passing: bool = False
    acts: bool = False
    doing: str = ""
    depicts: bool = False
    where: str = ""
    distance: str = ""
    relation: str = ""
    targets: list[str] = field(default_factory=list)
    held_by: str = ""


@dataclass
class Occasion:
    """A time or a weather of the line: its key, and whether it is so, or ends."""

    kind: str
    value: str
    text: str
    state: str = REAL
    ended: bool = False


@dataclass
class Clue:
    """Something of signs.yaml, by its number, in a line; `mention`: the noun that it is, if it is one; `doing`: it is
    what somebody does."""

    number: int
    state: str = REAL
    prep: str = ""
    mention: Mention | None = None
    doing: bool = False


@dataclass
class Sentence:
    """What the walk over a line found. `wheres`, `distances`, `sizes`, `moods`: {name: key}; `relations`: {name:
    (relation, targets)}; `holds`: {name: concept}; `meant`: names in the order in which they were meant; `narrator`:
    who says "I"."""

    language: str
    acts: list[Act] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    moments: list[Occasion] = field(default_factory=list)
    clues: list[Clue] = field(default_factory=list)
    framing: str = ""
    medium: str = ""
    wheres: dict[str, str] = field(default_factory=dict)
    distances: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)
    moods: dict[str, str] = field(default_factory=dict)
    relations: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    meant: list[str] = field(default_factory=list)
    narrator: str = ""
