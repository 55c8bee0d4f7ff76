"""What the lines of a story show: from a `Panel` to a `Shot`, in English, Chinese and Spanish, without a model.

    text --language--> Sentence --reading--> place, moment, roles, things --Reader--> Shot

What a line does not say stays as it was: a `Reader` keeps where the story is, at what time, in what weather, and
which of its places are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from anystory.sketch.language.company import Company
from anystory.sketch.language.grammar import parse
from anystory.sketch.language.sentence import Sentence
from anystory.sketch.language.tokens import language_of
from anystory.sketch.language.traditional import as_written
from anystory.sketch.own_places import OwnPlace, own_places
from anystory.sketch.reading.backstory import told_now
from anystory.sketch.reading.clues import haunt_of, refined, room_of, shown_by, surely_elsewhere, tellers_of
from anystory.sketch.reading.moments import NEAREST_TIMES, NEAREST_WEATHERS, new_day, starry, time_of, weather_of
from anystory.sketch.reading.own import OwnPlaces
from anystory.sketch.reading.places import (
    WITHIN_IT,
    PlaceOwners,
    Spot,
    allowed,
    building_of,
    goes_in,
    goes_out,
    goes_somewhere,
    held_open,
    indoors,
    left_of,
    sails,
    spot_of,
    vague_snow,
)
from anystory.sketch.reading.roles import RESTING, height_of, postures, roles_of
from anystory.sketch.reading.style import medium_of
from anystory.sketch.reading.things import at_no_wall, things_of
from anystory.sketch.scenery import PLACES
from anystory.sketch.shows import all_told
from anystory.sketch.words import vocabulary
from anystory.story.apposition import settled
from anystory.story.model import Panel, Script
from anystory.story.prompt import find_names, told_as
from anystory.story.shot import Role, Shot

PLACE, TIME, WEATHER, MEDIUM = "meadow", "day", "clear", "watercolour"
"""Where a story begins that does not say where, and how it is drawn that does not say how."""

SEASIDE = ("pirate ship", "island", "beach", "harbour", "pier", "lighthouse", "sea")
"""Where a boat is on the sea."""

PASSING = ("rain", "fog", "cloudy")
"""Weathers that a night ends; snow lies on."""
ONCE = "很久以前"
"""How a story begins, after its title too."""
TENTED = ("camp", "forest", "mountains", "lake")
"""Where the story is that calls a tent "tienda", as Spanish also calls a shop."""


class Character(Protocol):
    """Somebody of a story's cast: a `Subject` or a `CastMember`."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...


def read_story(script: Script, cast: Sequence[Character] | None = None) -> list[Shot]:
    """A shot for every panel of a script, each read as going on from the one before. `cast`: the script's own unless
    given, such as its subjects. Raises `ThingError` or `ImageError` for a place of its own that cannot be used."""
    places = own_places(script.places) if script.places is not None else ()
    members = script.cast if cast is None else cast
    reader, shots, start = Reader(members, script.style, places=places), [], ""
    for panel in script.panels:
        before = reader.known
        shots.append(reader.read(panel))
        if reader.known and not before and not reader.moved and all(shot.place == PLACE for shot in shots[:-1]):
            start = shots[-1].place  # told late: they were there from the beginning
    if not start or start == shots[0].place:
        return shots
    reader = Reader(members, script.style, places=places, start=start)
    return [reader.read(panel) for panel in script.panels]


def read(
    panel: Panel,
    cast: Sequence[Character],
    before: Shot | None = None,
    *,
    style: str = "",
    others: Iterable[str] = (),
) -> Shot:
    """What one panel shows. `cast`: the story's, or only the panel's, of which `panel.cast` are in it; `before`: the
    shot of the panel before; `style`: the story's, words or the name of a preset; `others`: names that are nobody of
    `cast`. A whole story is better read by `read_story`, which remembers more than the last shot."""
    return Reader(cast, style, before, others).read(panel)


def _directed(role: Role, shows: Mapping[tuple[str, str], str]) -> Role:
    """A role that does and feels what its panel is told to show; what it did is then done to nobody."""
    role = replace(role, mood=shows.get(("mood", role.name), role.mood))
    action = shows.get(("does", role.name), role.action)
    return role if action == role.action else replace(role, action=action, toward="", holds="")


class Reader:
    """Reads the panels of one story in their order."""

    def __init__(
        self,
        cast: Sequence[Character],
        style: str = "",
        before: Shot | None = None,
        others: Iterable[str] = (),
        places: Sequence[OwnPlace] = (),
        start: str = PLACE,
    ) -> None:
        self._cast = {member.name: member.description for member in cast}
        self._names = {**self._cast, **{name: "" for name in others if name not in self._cast}}
        self._told = told_as(self._names)
        self._heights = {
            member.name: getattr(member, "height", None) or height_of(member.description) for member in cast
        }
        self._facings = {member.name: getattr(member, "facing", None) or "" for member in cast}
        self._style = style
        self._settings = PlaceOwners()
        self._own = OwnPlaces(places)
        self._start = start  # where it begins if its first panel does not say where
        self.moved = False  # whether somebody of the last panel went somewhere
        self._before: Shot | None = None
        self._time, self._weather, self._outdoors = TIME, WEATHER, ""
        self._been: list[str] = []  # the places of the story, the latest first
        self._indoors = ""
        self._known = before is not None  # whether anything has told where the story is
        self._open = before is not None  # whether the room it is in, if it is in one, may be any
        self._told_place = False  # whether a line has said where it is, since it came there
        self._meant: list[str] = []
        self._narrator = self._topic = ""
        self._genders: dict[str, str] = {}
        self._rested: dict[str, Role] = {}
        if before is not None:
            self._remember(before)

    @property
    def known(self) -> bool:
        """Whether anything has told where the story is."""
        return self._known

    def read(self, panel: Panel) -> Shot:
        """The shot of the story's next panel."""
        members = [name for name in self._cast if name in panel.cast]
        language = language_of(panel.prompt, list(self._names))
        text = self._settled(panel.prompt, language)
        company = Company(self._names, members, self._meant, self._narrator, self._genders, self._topic)
        sentence = parse(text, company, language, self._own.kinds)
        said: set[str] = set()
        guessed: set[str] = set()
        shows = all_told(panel.shows, members)
        told = {kind: key for (kind, who), key in shows.items() if not who}
        spot = self._spot(self._of_now(sentence, panel.prompt, members, language), members, said, guessed)
        if "place" in told:
            spot, self._known = Spot(told["place"]), True
            guessed.discard("place")
        time, weather = self._moment(sentence, text, spot.place, said)
        time, weather = told.get("time", time), told.get("weather", weather)
        said |= told.keys() & {"place", "time", "weather"}
        if time == "sunrise" and "time" not in said and self._before is not None and spot.place != self._before.place:
            time = "day"  # it passes on the way
        if self._before is None and spot.place == PLACE and "place" not in said and weather == "snow":
            spot = replace(spot, place="snow")
        medium = self._medium(sentence, panel.style or self._style, said)
        own = self._own.meant(spot, "place" in said)
        kind = PLACES[spot.place] if own is None else own
        stayed = [field for field in ("place", "time", "weather", "medium") if field not in said | guessed]
        roles = roles_of(sentence, members, self._heights, self._facings, self._resting(spot.place), spot.place)
        shot = Shot(
            place=spot.place,
            setting=self._settings.name(spot) if own is None else own.name,
            time=(own.time if own is not None else "") or allowed(time, kind.times, NEAREST_TIMES),
            weather=allowed(weather, kind.weathers, NEAREST_WEATHERS),
            medium=medium,
            framing=told.get("shot", sentence.framing),
            roles=tuple(_directed(role, shows) for role in at_no_wall(roles, spot.place)),
            things=things_of(sentence, spot.place),
            speakers=tuple(line.who for line in panel.dialogue if line.who in members),
            carried=tuple(stayed) if self._before is not None else (),
            guessed=tuple([*stayed, *sorted(guessed)] if self._before is None else sorted(guessed)),
            unread=tuple(dict.fromkeys(as_written(word, text) for word in sentence.unread)),
            own=str(own.file) if own is not None else "",
            look=own.look if own is not None else "",
        )
        self._time, self._weather = time, weather
        self._meant = [*company.recent, *sentence.meant][-4:]
        self._narrator = sentence.narrator or self._narrator
        self._topic = next((act.actors[0] for act in reversed(sentence.acts) if len(act.actors) == 1), self._topic)
        self._open = spot.open
        if "place" in said or (self._before is not None and self._before.place != spot.place):
            self._told_place = "place" in said
        self.moved = goes_somewhere(sentence)
        self._visited(shot.place)
        self._indoors = building_of(sentence) or self._indoors
        self._rested = postures(shot.roles, sentence, self._resting(shot.place))
        self._before = shot
        return shot

    def _resting(self, place: str) -> Mapping[str, Role]:
        """Who has sat down or lain down before, if the story is still where it was."""
        return self._rested if self._before is not None and self._before.place == place else {}

    def _remember(self, shot: Shot) -> None:
        """Go on from a shot that was read elsewhere."""
        number = int(shot.setting.rpartition(" ")[2]) if shot.setting[-1:].isdigit() else 1
        self._settings.owners[shot.place] = [""] * number
        self._settings.latest[shot.place] = number
        self._time, self._weather = shot.time or TIME, shot.weather or WEATHER
        self._visited(shot.place)
        self._rested = {role.name: role for role in shot.roles if role.action in RESTING}
        self._before = shot

    def _visited(self, place: str) -> None:
        self._been = [place, *(other for other in self._been if other != place)]
        if indoors(place):
            self._indoors = place
        else:
            self._outdoors = place

    def _of_now(self, sentence: Sentence, text: str, members: Sequence[str], language: str) -> Sentence:
        """A line that was read, less what it tells of what was before the story, which may begin with that."""
        begins = self._before is None or (not self._known and ONCE in text)
        now = text if begins else told_now(text)
        if now == text:
            return sentence
        learned = dict(self._genders)
        company = Company(self._names, members, self._meant, self._narrator, learned, self._topic)
        return parse(self._settled(now, language), company, language, self._own.kinds)

    def _settled(self, text: str, language: str) -> str:
        """A line in which what says who somebody is does nothing."""
        return settled(text, find_names(text, self._names), self._told, shown=True) if language == "en" else text

    def _spot(self, sentence: Sentence, members: Sequence[str], said: set[str], guessed: set[str]) -> Spot:
        """Where the panel is: where its line says, else where the story was."""
        before = self._before
        begins = [haunt_of(self._cast[members[0]])] if members and before is None else []
        spot = spot_of(sentence, before.place if before is not None else "", members, begins or self._been)
        if spot is not None and spot.place == "snow" and before is not None and before.weather == "snow":
            spot = None  # it lies where they already are
        if spot is not None and spot.word in WITHIN_IT and before is not None and held_open(before.things):
            spot = None  # "They open the box. || Inside are letters."
        if spot is not None and spot.afar and surely_elsewhere(sentence, spot.place):
            spot = None
        if spot is not None and spot.afar and spot.place in SEASIDE and sails(sentence):
            spot = replace(spot, place="sea")  # "they row towards the island"
        where = spot.place if spot is not None else ""
        here = before.place if before is not None else ""
        if spot is not None and where not in ("inside", "outside"):
            (guessed if spot.guessed else said).add("place")
            self._known = True
            spot = replace(spot, place="camp") if spot.tent and here in TENTED else spot
            return self._hinted(spot, sentence, members) if spot.open else self._refined(spot, sentence)
        if here and indoors(here) and (where == "outside" or here in left_of(sentence) or goes_out(sentence)):
            guessed.add("place")
            return Spot(self._outside(here))
        where = "inside" if not where and goes_in(sentence, here) else where
        if where and (not here or (where == "inside") != indoors(here)):
            guessed.add("place")
            known = (room_of(sentence) or self._inside(here)) if where == "inside" else self._outdoors
            return Spot(known or vocabulary()[where]["place"])
        stays = Spot(here or self._start, open=here == "room" and self._open)
        hinted = self._hinted(stays, sentence, members)
        return stays if where == "inside" and not indoors(hinted.place) else hinted  # on a bench in the corridor

    @staticmethod
    def _refined(spot: Spot, sentence: Sentence) -> Spot:
        return replace(spot, place=refined(sentence, spot.place))

    def _hinted(self, spot: Spot, sentence: Sentence, members: Sequence[str]) -> Spot:
        """A spot that says little, or nothing, made more precise by what is seen there: at home, in the bath. Where
        nothing tells, a story begins where the first of its panel belongs."""
        known = "" if not self._known or spot.open else spot.place
        begins = not self._known and not spot.open and spot.place == self._start
        haunts = [haunt_of(self._cast[name]) for name in members] if begins else []
        haunt = next(filter(None, haunts), "")
        shown = shown_by(sentence, known, spot.open and self._known and not spot.guessed, haunt)
        if not shown and begins:
            return replace(spot, place=(next(iter(haunts), "") if self._start == PLACE else "") or spot.place)
        weather = weather_of(sentence)
        if shown and not indoors(shown) and weather and weather not in PLACES[shown].weathers:
            shown = ""  # it does not rain in a forest of giant mushrooms
        if not shown or (spot.open and self._known and not indoors(shown)):
            return spot
        if self._told_place and not spot.open and not self._leads_away(sentence, shown, spot.place):
            return spot
        if shown == "lake" and self._known and spot.place in SEASIDE:
            shown = "sea"  # a boat
        if shown == "snow" and self._known and indoors(spot.place):
            shown = self._outside(spot.place)
        self._known = True
        return replace(spot, place=shown)

    def _leads_away(self, sentence: Sentence, shown: str, here: str) -> bool:
        """Whether what is seen moves a story from where a line said that it is: it has been there, it is what somebody
        does that tells of it, or more than one thing does in a line in which somebody goes or nobody does anything."""
        scene = goes_somewhere(sentence) or not sentence.acts
        return shown in self._been or tellers_of(sentence, shown, here) > (1 if scene else 2)

    def _inside(self, here: str) -> str:
        """Where one is who goes in, or ""."""
        return vocabulary()["inside"]["of"].get(here) or self._indoors

    def _outside(self, here: str) -> str:
        """Where one is who goes out."""
        return vocabulary()["outside"]["of"].get(here) or self._outdoors or vocabulary()["outside"]["place"]

    def _moment(self, sentence: Sentence, text: str, place: str, said: set[str]) -> tuple[str, str]:
        """The story's time and weather, whether or not its place shows them."""
        sky = PLACES[place].times != ("",)
        time, weather = time_of(sentence, self._time, sky), weather_of(sentence)
        if not weather and place != "snow" and vague_snow(sentence):
            weather = "snow"
        said |= {field for field, value in (("time", time), ("weather", weather)) if value}
        passed = self._weather in PASSING and new_day(sentence, text, self._time)
        if not weather and (passed or (sky and starry(sentence))):
            weather = WEATHER
        return time or self._time, weather or self._weather

    def _medium(self, sentence: Sentence, style: str, said: set[str]) -> str:
        """How it is drawn: as the line says, else the style, else as before."""
        medium = sentence.medium or medium_of(style)
        if medium:
            said.add("medium")
            return medium
        return self._before.medium if self._before is not None else MEDIUM
