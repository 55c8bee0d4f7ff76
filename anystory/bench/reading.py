"""How well lines are read: each field of a labelled set against `anystory.sketch.read`, by language, and who is in each
panel ("who", the whole list) against `anystory.script.pronouns`; for the other fields that is told.

A set is a YAML list of stories: `language`, `cast` (name, description) and `panels`, each with its `text` and what a
reader would see: `place`, `time`, `weather`, `cast` (name, action, where, and optionally relation and target, mood),
`things` (concept, count, colour, and `maybe: true` for what is right whether it is found or not), and optionally
`framing` and `medium`. Where readers may differ, a place, time, weather or action is a list of which each is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from anystory.script.pronouns import People
from anystory.sketch.language.forms import english_nouns
from anystory.sketch.language.lexicon import lexicon
from anystory.sketch.read import read_story
from anystory.sketch.reading.moments import NEAREST_TIMES, NEAREST_WEATHERS
from anystory.sketch.reading.places import allowed
from anystory.sketch.scenery import PLACES
from anystory.story.model import CastMember, Panel, Script
from anystory.story.prompt import find_names
from anystory.story.shot import Role, Shot

FIELDS = (
    "who",
    "place",
    "time",
    "weather",
    "action",
    "where",
    "relation",
    "mood",
    "things",
    "count",
    "colour",
    "framing",
    "medium",
)

KIN = {
    "hill": ("meadow", "mountains"),
    "road": ("street", "meadow", "field", "village"),
    "attic": ("room", "bedroom"),
    "hospital": ("room",),
    "train": ("station",),
}
"""Places that are younger than the sets, by what a label calls them."""


@dataclass(frozen=True)
class Judged:
    """One answer to one label: of `field`, in a line of `language`; `weight` of `right` is its share of being right."""

    language: str
    field: str
    text: str
    wanted: str
    got: str

    @property
    def right(self) -> bool:
        return self.wanted == self.got


def judge(stories: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """Read all stories and compare. Things are judged twice each, as wanted ones found and as found ones wanted, so
    that the share that is right is their F1 score."""
    found: list[Judged] = []
    for story in stories:
        cast = tuple(CastMember(member["name"], description=member["description"]) for member in story["cast"])
        panels = tuple(
            Panel(panel["text"], tuple(member["name"] for member in panel["cast"])) for panel in story["panels"]
        )
        for panel, shot, who in zip(story["panels"], read_story(Script(panels, cast)), _casts(story), strict=True):
            there = {member["name"] for member in panel["cast"]}
            wanted = ", ".join(member.name for member in cast if member.name in there)
            found.append(Judged(story["language"], "who", panel["text"], wanted, who))
            for field, wanted, got in _compared(panel, shot):
                found.append(Judged(story["language"], field, panel["text"], wanted, got))
    return found


def _casts(story: Mapping[str, Any]) -> Iterator[str]:
    """Who is in each panel of a story by its words alone, in the cast's order."""
    people = People({member["name"]: member["description"] for member in story["cast"]})
    for panel in story["panels"]:
        named = [mention.name for mention in find_names(panel["text"], tuple(people.descriptions))]
        cast = [name for name in people.descriptions if name in (*named, *people.meant(panel["text"], named))]
        people.saw(panel["text"], cast)
        yield ", ".join(cast)


def _compared(panel: Mapping[str, Any], shot: Shot) -> Iterator[tuple[str, str, str]]:
    """(field, wanted, got) for everything that a panel's labels say. Times and weathers are wanted as far as the place
    can show them."""
    places = _accepted(panel["place"])
    right = places == [""] or bool({shot.place, *KIN.get(shot.place, ())} & set(places))
    yield "place", shot.place if right else "/".join(places), shot.place
    there = PLACES[shot.place]  # where the place is wrong, what it hides is not held against the moment
    for field, possible, order in (
        ("time", there.times, NEAREST_TIMES),
        ("weather", there.weathers, NEAREST_WEATHERS),
    ):
        got = getattr(shot, field)
        empty = "" if right else got
        wanted = [allowed(value or empty, possible, order) for value in _accepted(panel[field])]
        yield field, got if got in wanted else "/".join(wanted), got
    roles = {role.name: role for role in shot.roles}
    for label in panel["cast"]:
        yield from _role(label, roles[label["name"]])
    yield from _things(panel["things"], shot)
    for field in ("framing", "medium"):
        if field in panel:
            yield field, panel[field], getattr(shot, field)


def _accepted(label: str | list[str]) -> list[str]:
    """The answers that a label takes for right."""
    return [label] if isinstance(label, str) else label


def _role(label: Mapping[str, Any], role: Role) -> Iterator[tuple[str, str, str]]:
    actions = _accepted(label["action"])
    yield "action", role.action if role.action in actions else "/".join(actions), role.action
    where = role.distance if label["where"] in ("far", "near") or not role.where else role.where
    yield "where", label["where"], where
    if "relation" in label:
        target = label["target"]
        same = role.relation == label["relation"] and target in (*role.targets, *map(_concept, role.targets))
        same = same or (role.relation == label["relation"] and _concept(target) in role.targets)
        got = f"{role.relation} {','.join(role.targets)}"
        yield "relation", got if same else f"{label['relation']} {target}", got
    if "mood" in label:
        yield "mood", label["mood"], role.mood


def _things(labels: Sequence[Mapping[str, Any]], shot: Shot) -> Iterator[tuple[str, str, str]]:
    wanted = {_concept(label["concept"]): label for label in labels}
    got = {thing.concept: thing for thing in shot.things}
    for concept, label in wanted.items():
        if label.get("maybe"):
            continue
        yield "things", concept, concept if concept in got else "(missing)"
        if concept in got:
            yield "things", concept, concept
            yield "count", str(label.get("count", 1)), str(got[concept].count)
            yield "colour", label.get("colour", ""), got[concept].colour
    for concept in got:
        if concept not in wanted:
            yield "things", "(none)", concept


def _concept(word: str) -> str:
    """The concept of an English noun: "rock" and "stone" are one."""
    senses = [sense for noun in (word, *english_nouns(word)) for sense in lexicon("en").senses(tuple(noun.split()))]
    return next((sense.value for sense in senses if sense.kind == "things"), word)


def table(judged: Sequence[Judged]) -> str:
    """The share that is right by field and language, with how many labels it is of."""
    languages = sorted({one.language for one in judged})
    lines = ["field      " + "".join(f"{language:>14}" for language in (*languages, "all"))]
    for field in FIELDS:
        cells = []
        for language in (*languages, ""):
            those = [one.right for one in judged if one.field == field and language in ("", one.language)]
            cells.append(f"{sum(those) / len(those):>8.3f} {len(those):>5}" if those else f"{'–':>14}")
        lines.append(f"{field:<11}" + "".join(cells))
    return "\n".join(lines)


def load(path: Path) -> list[dict[str, Any]]:
    """The stories of a labelled set."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
