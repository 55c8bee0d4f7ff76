"""Where a panel is, as against the places that its line only speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anystory.sketch.language.lexicon import NEAR, SURE
from anystory.sketch.language.parts import hollow
from anystory.sketch.language.sentence import APPEARING, REAL, RELATIONS, STILL, Act, Mention, Sentence
from anystory.sketch.scenery import PLACES
from anystory.sketch.words import listed, vocabulary
from anystory.story.shot import Thing

HERE, NAMED, AFAR, NOWHERE = 3, 2, 1, 0
"""How surely a mention tells where the panel is: it says so; it is named as if it were seen all around; it is only
seen, or gone towards; it is left, dreamt of or not there."""

MOTION = ("walks", "runs", "rides", "flies", "climbs", "swims", "sneaks", "crawls", "dives", "jumps", "falls")
IN_THE_AIR = ("flies", "floats", "falls", "rides", "swims", "dances", "dives", "jumps", "sits", "sleeps", "lies")
MAKING = ("works", "paints", "writes", "reads", "cooks", "carries", "holds", "takes", "gives", "thinks")
"""Actions whose object, though the name of a place, is not where one is: "draws a castle"."""
HOMEWARD = ("runs", "rides", "jumps", "flies", "carries", "pulls")
"""Actions that are seen on the way: "drives home"."""
HOME = ("home", "casa", "a casa")
"""Words for home without whose it is."""
SHORES = ("beach", "island", "pier", "harbour", "lighthouse")
"""From where some swim in the sea while others stay."""
VESSELS = frozenset(("boat", "ship", "raft", "canoe"))
THROUGH, AT_IT = ("of", "from", "through", SURE), ("on", "at", "next to", "in front of")
"""How one who looks out is to a window: 趴在窗台上看 …"""
WITHIN_IT = ("inside", "里面", "里头", "dentro", "adentro")
OPENED = (
    "egg",
    "backpack",
    "suitcase",
    "jar",
    "bottle",
    "present",
    "letter",
    "shell",
    "pumpkin",
    "wardrobe",
    "machine",
)
"""What one looks inside, besides what is hollow."""
BEDDED = ("hospital", "train", "camp")
"""Places, no bedrooms, where one may lie in bed."""
HOUSED = ("garden", "street", "village", "castle", "school", "playground", "farm", "city", "station")
"""From where one may go in without saying where."""
UNDER_NO_SKY = ("space", "underwater", "stadium", "stage")
"""Places above which one who flies is still there."""
WHEELED = ("car", "bus", "taxi", "truck", "van", "train", "tram", "cart", "caravan")
SHIPS = ("ship", "aboard", "board", "nave", "barco", "船上")
"""Last words of phrases for the ship of which a story has told before."""
ROOFED = ("house", "tower", "train", "ship", "bus", "submarine", "rocket", "car", "cave", "tent", "barn", "church")
"""What is hollow and large enough to be where the story is."""
VAGUE = ("snow", "room", "meadow", "inside", "outside")
"""Places that another one of the same line makes more precise: "at home in the kitchen", "in the snow by the lake"."""

WORLDS = ("underwater", "candy land", "mushroom forest", "dinosaur valley", "space")
WITHIN = ("castle", "palace", "garden", "forest", "city", "village", "cave", "mountains", "meadow", "jungle", "canyon")
"""Places that a world of its own may have, and remain one."""


@dataclass(frozen=True)
class Spot:
    """A place that a line says: its key, whose it is, `guessed` if it is only the nearest to what is said, `afar` if it
    is only seen, `open` if it is a home of which no room is named or is like a room only, `tent` if a tent
    is called so too, `which` of its kind
    ("other", "same", "first" or ""), and its `word` in the line."""

    place: str
    which: str = ""
    owner: str = ""
    guessed: bool = False
    afar: bool = False
    open: bool = False
    tent: bool = False
    word: str = ""


@dataclass
class PlaceOwners:
    """Which of a story's places of a kind is meant: "village 1". Grows while a story is read."""

    owners: dict[str, list[str]] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)

    def name(self, spot: Spot) -> str:
        """The name of the setting a spot means, a new one where it is the first or "another"."""
        known = self.owners.setdefault(spot.place, [])
        number = self._number(spot, known)
        if number > len(known):
            known.append(spot.owner)
        self.latest[spot.place] = number
        return f"{spot.place} {number}"

    def _number(self, spot: Spot, known: list[str]) -> int:
        latest = self.latest.get(spot.place, 1)
        if not known:
            return 1
        if spot.which == "other":
            return 3 - latest if len(known) == 2 else len(known) + 1
        if spot.which == "first":
            return 1
        if not spot.owner:
            return latest
        if spot.owner in known:
            return known.index(spot.owner) + 1
        if not known[latest - 1]:
            known[latest - 1] = spot.owner
            return latest
        return len(known) + 1


def indoors(place: str) -> bool:
    """Whether a place has no weather because it has a roof; under water and in space there is none either."""
    return PLACES[place].weathers == ("",) and place not in ("space", "underwater")


def spot_of(sentence: Sentence, here: str, members: Sequence[str] = (), known: Sequence[str] = ()) -> Spot | None:
    """The place that a line says the panel is at, or None. `here`: where the story is, "" while nothing is known, so
    that a place that is only seen will do; `members`: who is in the panel; `known`: where
    the story was before, the latest first, or where a story begins the place where the first of the cast belongs, which
    tells what ship "the ship" is."""
    best: tuple[int, Mention, str] | None = None
    named = [place_of(mention) for mention in sentence.mentions if mention.kind == "place" and mention.state == REAL]
    framed = out_of_a_window(sentence)
    for mention in sentence.mentions:
        if mention.kind != "place":
            continue
        strength = _strength(mention, not sentence.acts)
        if mention.word == "fort" and here and indoors(here):
            continue  # one of chairs and blankets
        if mention.value == "inside" and here and not indoors(here) and _of_a_thing(mention):
            continue  # "a cat at the window watches them", "a hat at the window of the carriage"
        if place_of(mention) == "rooftop" and _of_vehicle(mention, sentence):
            continue
        if mention.word in WITHIN_IT and _of_vessel(mention, sentence):
            continue
        if strength < NAMED and not (not here and strength == AFAR):
            continue
        back = known if not here or mention.word.split()[-1] in SHIPS else ()
        place = _shared(mention, sentence.language, (here, *back, *named)) or place_of(mention)
        if here and mention.acts and place not in known and place in PLACES and not indoors(place):
            continue  # "the city stayed where it was", told of from elsewhere
        if place == "sea" and here in SHORES and _apart(mention, members):
            continue
        if framed and mention.value != "inside" and _through_it(mention):
            continue
        if place == "bedroom" and here in BEDDED and mention.prep == SURE:
            continue  # one of its own beds
        if members and mention.value != "inside" and here and indoors(here) and seen_outside(sentence):
            continue
        found = (strength, mention, place)
        if place == "sky" and only_of_things(sentence):
            continue
        if mention.thing and made_of_something(sentence, mention):
            continue  # "on a bed of moss"
        if best is None or _better(found, best):
            best = found
    if best is None:
        return None
    strength, mention, place = best
    near = mention.value.endswith(NEAR)
    return Spot(
        place,
        mention.which if mention.which in ("other", "same", "first") else "",
        mention.owner,
        near,
        strength == AFAR,
        place == "room" and (near or _names_no_room(mention, sentence.language)),
        place == "shop" and mention.word.split()[-1] in ("tienda", "tiendas"),
        mention.word,
    )


def made_of_something(sentence: Sentence, mention: Mention) -> bool:
    """Whether what is called a piece of furniture is none: a bed of leaves, a shower of petals."""
    return any(other.of is mention and other.prep == "of" and other.kind == "thing" for other in sentence.mentions)


def out_of_a_window(sentence: Sentence) -> bool:
    """Whether somebody of the cast looks through a window, so that what else is told is seen there."""
    looking = any(act.actors and act.state == REAL and act.action in ("looks", "peeks") for act in sentence.acts)
    return looking and any(
        "window" in (mention.value, mention.thing)
        and mention.act is not None
        and bool(mention.act.actors)
        and (mention.act.action in ("looks", "peeks") if mention.prep in THROUGH else mention.prep in AT_IT)
        for mention in sentence.mentions
    )


def seen_outside(sentence: Sentence) -> bool:
    """Whether a line tells of what others do outside, and of nobody of the cast: "cows graze in the fields outside"."""
    told = any(mention.kind == "place" and mention.value == "outside" for mention in sentence.mentions)
    return told and any(act.doers for act in sentence.acts) and not any(act.actors for act in sentence.acts)


def _of_a_thing(mention: Mention) -> bool:
    """Whether only something that is nobody of the cast is said to be there."""
    return mention.act is None and mention.of is not None and mention.of.kind == "thing"


def _through_it(mention: Mention) -> bool:
    """Whether a place is what somebody at a window sees: "peers out; a ship is tossing on the waves"."""
    act = mention.act
    return act is not None and mention.prep not in ("of", "to") and (not act.actors or act.action in ("looks", "peeks"))


def _of_vessel(mention: Mention, sentence: Sentence) -> bool:
    """Whether "inside" is said of something that was just named: "opens the box; inside is a ring"."""
    told = sentence.mentions[: next(at for at, one in enumerate(sentence.mentions) if one is mention)]
    vessel = next((one for one in reversed(told) if one.kind == "thing"), None)
    return vessel is not None and _opens(vessel.value)


def held_open(things: Sequence[Thing]) -> bool:
    """Whether the last of the things of a panel is one into which the next may look."""
    return bool(things) and _opens(things[-1].concept)


def _opens(concept: str) -> bool:
    return (concept in hollow() or concept in OPENED) and concept not in ROOFED


def _of_vehicle(mention: Mention, sentence: Sentence) -> bool:
    """Whether a roof is that of a car."""
    return any(other.of is mention and other.prep == "of" and other.value in WHEELED for other in sentence.mentions)


def _shared(mention: Mention, language: str, near: Sequence[str]) -> str:
    """Where one is who is at a part that several places have, a yard or a shore, by which of them is `near`; or ""."""
    for part in vocabulary()["shared_parts"]:
        if mention.word in listed(part[language]):
            return next((part["at"][place] for place in near if place in part["at"]), "")
    return ""


def _apart(mention: Mention, members: Sequence[str]) -> bool:
    """Whether only some of a panel are there: "Tom digs while Mia swims in the sea"."""
    return mention.act is not None and bool(mention.act.actors) and bool(set(members) - set(mention.act.actors))


def only_of_things(sentence: Sentence) -> bool:
    """Whether of all that a line tells of only a plane, a bird or a kite is in the air."""
    aloft = [act for act in sentence.acts if act.action in IN_THE_AIR]
    return any(act.doers for act in aloft) and not any(act.actors for act in aloft)


def _names_no_room(mention: Mention, language: str) -> bool:
    """Whether a word for indoors leaves it open which room is meant: "home"."""
    words = listed(vocabulary()["unnamed_room"][language])
    return mention.word in words or mention.word.split()[-1] in words


def left_of(sentence: Sentence) -> list[str]:
    """The places that a line says are left."""
    left = []
    for mention in sentence.mentions:
        leaving = mention.act is not None and "leaves" in mention.act.manners and mention.role in ("object", "prep")
        if mention.kind == "place" and mention.state == REAL and (mention.prep == "from" or leaving):
            left += _options(mention)
    return left


def sails(sentence: Sentence) -> bool:
    """Whether somebody of the cast is on the water in a boat."""
    aboard = any(not VESSELS.isdisjoint(targets) for _, targets in sentence.relations.values())
    return aboard and any(act.action == "rides" and act.actors and act.state == REAL for act in sentence.acts)


def building_of(sentence: Sentence) -> str:
    """The room of the house that a line names last, or "": where one is who goes inside then."""
    named = [mention for mention in sentence.mentions if mention.kind == "place" and mention.state == REAL]
    rooms = [_options(mention)[0] for mention in named if mention.value.startswith("#")]
    return next((room for room in reversed(rooms) if indoors(room)), "")


def goes_out(sentence: Sentence) -> bool:
    """Whether somebody of the cast leaves a house that is not named: "when they come out"."""
    return any("exits" in act.manners and act.actors and act.state == REAL for act in sentence.acts)


def goes_somewhere(sentence: Sentence) -> bool:
    """Whether somebody of the cast comes to another place, or time has passed."""
    arrives = {"reaches", "enters", "leaves", "exits"}
    went = any(
        act.actors and act.state == REAL and (act.manners & arrives or act.action in MOTION) for act in sentence.acts
    )
    return went or any(mention.kind == "place" and mention.prep in ("to", "toward") for mention in sentence.mentions)


def goes_in(sentence: Sentence, here: str) -> bool:
    """Whether somebody of the cast goes into a house that is not named: "it rains, and she comes in"."""
    entering = [act for act in sentence.acts if "enters" in act.manners and act.actors and act.state == REAL]
    return here in HOUSED and any(
        not any(mention.act is act and mention.kind in ("place", "thing") for mention in sentence.mentions)
        for act in entering
    )


def _options(mention: Mention) -> list[str]:
    if mention.value.startswith("#"):
        building = vocabulary()["buildings"][int(mention.value[1:])]
        return [building["in"], building["at"], building["by"]]
    return [mention.value]


def place_of(mention: Mention) -> str:
    """The place's key; of a building the inside or what is before it."""
    if not mention.value.startswith("#"):
        flown_over = mention.act is not None and mention.act.action in ("flies", "rides", "floats")
        over = flown_over and (mention.prep == "above" or (mention.role == "object" and not mention.prep))
        place = mention.value.removesuffix(NEAR)
        act = mention.act
        aloft = act is not None and bool(act.actors) and act.action != "rides" and mention.prep == "above"
        high = aloft and flown_over and place in PLACES and not indoors(place) and place not in UNDER_NO_SKY
        return "sky" if high or (over and place == "rooftop") else place
    building = vocabulary()["buildings"][int(mention.value[1:])]
    manners = mention.act.manners if mention.act is not None else frozenset()
    if mention.prep == "above":
        return building.get("over", building["by"])
    if mention.prep == "on":
        return building.get("on", building["in"])
    if mention.prep in ("in", "through", "under") or "enters" in manners:
        return building["in"]
    found = mention.act is not None and mention.act.action == "looks" and not mention.prep
    if "passes" in manners or (found and building["in"] == "room"):
        return building["by"]  # "finds a cottage"
    doing = mention.act.action if mention.act is not None else ""
    if "over" in building and mention.role == "object" and doing in ("flies", "rides", "swims"):
        return building["over"]
    alone = mention.role == "subject" and mention.act is None
    if (
        mention.prep in ("at", "to", "of")
        or alone
        or (mention.role == "object" and mention.prep == "" and _moves(mention.act))
    ):
        return building["at"]
    return building["by"]


def _moves(act: Act | None) -> bool:
    return act is not None and (act.action in MOTION or bool(act.manners & {"reaches", "enters"}))


def _strength(mention: Mention, still: bool) -> int:
    """`still`: the line has no verb at all."""
    if mention.state != REAL:
        return NOWHERE
    act, prep = mention.act, mention.prep
    manners = act.manners if act is not None else frozenset()
    if "leaves" in manners and prep in ("", "of", "to", "from"):
        return NOWHERE
    if act is not None and act.word.startswith(APPEARING) and not prep:
        return AFAR  # "a lighthouse appeared"
    if "due" in manners and mention.role in ("object", "prep"):
        return AFAR  # "the mail must reach the camp by Friday"
    if mention.value in ("inside", "outside"):
        return _indoors_or_out(mention, act)
    if mention.value == "sky" and mention.word.endswith((" above", " over")):
        return HERE if act is None or act.actors else NOWHERE  # "high above the town"
    if mention.value == "sky" and not _in_the_air(mention, still):
        return NOWHERE
    if mention.distance == "far" or mention.passing or _done_far_off(act):
        return AFAR
    if prep == "of":
        return AFAR
    seen = act is not None and (act.action in ("looks", "points") or "sees" in manners) and "reaches" not in manners
    if prep in ("to", SURE) and mention.word in HOME and act is not None and act.action in HOMEWARD:
        return NOWHERE  # "lo lleva a casa"
    if prep == SURE:
        return NAMED if seen and mention.of is not None else HERE
    if prep == "at" and seen:
        return AFAR
    if prep in RELATIONS or prep == "through":
        return NAMED if seen and mention.of is not None else HERE
    if prep == "to" and act is None and mention.of is None:
        return NAMED
    if prep == "to":
        return HERE if act is not None and not seen and act.action not in ("talks", "waves") else AFAR
    if prep in ("toward", "with"):
        return AFAR
    if prep == "from" and act is not None and act.action in STILL and act.actors:
        return HERE
    if prep:
        return NOWHERE
    return _ungoverned(mention, act, manners, seen)


def _ungoverned(mention: Mention, act: Act | None, manners: frozenset[str], seen: bool) -> int:
    """A place without a preposition: subject, object, or all there is."""
    if mention.attribute:
        return AFAR
    if mention.role == "subject" and act is not None and act.action == "looks":
        return AFAR  # "the village looks like a toy"
    if mention.role == "subject":
        return HERE if act is None else NAMED
    if manners & {"reaches", "enters", "passes"}:
        return HERE
    if seen:
        return AFAR
    if act is not None and (act.action in MAKING or (mention.word == "home" and act.action in HOMEWARD)):
        return NOWHERE
    if act is not None and act.action in MOTION:
        return HERE
    if act is not None and act.doers and not act.actors and act.action == "works":
        return NAMED  # "a pink cloud filled the laboratory"
    there = act is not None and act.action in ("stands", "") and not manners & {"is", "exists"}
    return NAMED if act is None or there else AFAR  # "I was a castle"


def _done_far_off(act: Act | None) -> bool:
    """Whether only what is seen far away does it: "a herd moves along the river, far away"."""
    return act is not None and not act.actors and any(doer.distance == "far" for doer in act.doers)


def _indoors_or_out(mention: Mention, act: Act | None) -> int:
    """ "goes outside", but not "looks outside" or "it snows outside"."""
    if act is None:
        return NAMED
    seen = act.action in ("looks", "points", "listens") or "sees" in act.manners
    if mention.value == "inside" and mention.prep == SURE:
        return HERE  # "looks out of the window"
    return HERE if act.actors and not seen and "leaves" not in act.manners else NOWHERE


def _in_the_air(mention: Mention, still: bool) -> bool:
    """Whether "in the sky" is said of somebody up there, not of a bird that is seen."""
    if mention.of is not None and mention.of.kind == "thing":
        return False
    if mention.act is None:
        return still or mention.role != "subject"
    return bool(mention.act.actors) and mention.act.action in IN_THE_AIR


def _better(new: tuple[int, Mention, str], old: tuple[int, Mention, str]) -> bool:
    """Whether a later mention tells better where the panel is than the one before."""
    strength, mention, place = new
    known, other, before = old
    if place == before:
        return strength > known or (bool(mention.which == "other") and other.which != "other")
    for one, two, new_one in ((before, place, False), (place, before, True)):
        if one in WORLDS and two in WITHIN and min(strength, known) >= NAMED:
            return new_one  # the palace under the sea
    if min(strength, known) < NAMED <= max(strength, known):
        return strength > known
    if (
        "camp" in (other.value, mention.value)
        and bool(other.thing) != bool(mention.thing)
        and min(strength, known) >= NAMED
    ):
        return bool(other.thing)  # "by the fire in the kitchen"
    if (before in VAGUE) != (place in VAGUE):
        return before in VAGUE and strength >= NAMED and mention.prep not in ("behind", "next to", "in front of")
    if strength != known:
        return strength > known
    if other.role == "subject" and other.act is None and mention.prep in (*RELATIONS, SURE):
        return True  # "the ship smokes on the ice"
    if other.role == "subject" and other.act is None and mention.prep == "to" and _moves(mention.act):
        return True  # "the sea is calm, and they row to the pier"
    if other.attribute != mention.attribute:
        return other.attribute
    if (
        mention.act is other.act is not None
        and other.prep in ("through", "above")
        and mention.prep in ("in", "on", "to", SURE)
    ):
        return True  # "across the street and into the park"
    later = mention.act is not None and other.act is not None and mention.act.number > other.act.number
    return later and _moves(mention.act) and mention.prep not in ("next to", "at")


def seen_from_afar(mention: Mention) -> bool:
    """Whether a place is there without being where the panel is."""
    return mention.kind == "place" and _strength(mention, False) == AFAR


def vague_snow(sentence: Sentence) -> bool:
    """Whether a line speaks of snow that lies: "in the snow"."""
    return any(m.kind == "place" and m.value == "snow" and m.state == REAL for m in sentence.mentions)


def allowed(value: str, possible: Sequence[str], order: Mapping[str, tuple[str, ...]]) -> str:
    """A time or weather that a place can show: the same, else the nearest in `order`, "" where it shows none."""
    if value in possible:
        return value
    return next((other for other in order.get(value, ()) if other in possible), possible[0])
