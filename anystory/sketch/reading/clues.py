"""Where a panel is that names no place, by what is seen in it: a blackboard, dough, the rails."""

from __future__ import annotations

from functools import cache

from anystory.sketch.language.sentence import LIKE, REAL, Clue, Mention, Sentence
from anystory.sketch.language.tokens import language_of, units_of
from anystory.sketch.reading.places import indoors, made_of_something, only_of_things, out_of_a_window, seen_outside
from anystory.sketch.reading.things import VESSELS
from anystory.sketch.words import listed, signs

SURE, LIKELY = 3.0, 1.0
"""How much what is seen there tells of a place; of the other places where it is seen it tells half as much."""
WONDERS = ("mushroom forest", "candy land", "dinosaur valley", "waterfall", "volcano")
"""Places that are told of as another: a valley, a wood, a river of chocolate."""
DONE_AT = {"cooks": "kitchen", "swims": "lake"}
"""Where most people do what they do."""
CARRYING = ("carries", "holds", "gives", "takes", "throws", "catches")
"""Actions whose object may be anywhere."""
ROOMS = ("room", "bedroom", "kitchen", "bathroom")
"""The rooms of a home."""
FAR_OUT = ("space", "spaceship")
"""From where one thing alone leads nowhere: a whale made of stars."""
WATERS = ("sea", "lake", "beach", "pier", "harbour", "pirate ship", "underwater")
"""Places from which one dives down."""
WOODS = ("forest", "mushroom forest")
FURNITURE = (
    "bathtub",
    "bed",
    "crib",
    "desk",
    "fireplace",
    "fridge",
    "shower",
    "sink",
    "sofa",
    "stove",
    "toilet",
    "wardrobe",
)
"""What stands in rooms only: who is in it, on it or at it has come in."""
USED, INTO = ("in", "on", "under", "at", "to", "behind", "in front of"), ("climbs", "crawls", "jumps")
"""How one is to it, and actions that have it as an object: 爬进浴缸."""
FROM_AFAR = ("looks", "points", "waves", "shouts", "throws")
"""Actions that are done at it, and not there."""
HAUNTS = {
    "pirate ship": "pirate",
    "space": "astronaut, alien, cosmonaut, martian",
    "spaceship": "space captain, space pilot, commander, starship captain, robot captain",
    "underwater": "mermaid, fish, octopus, shark, jellyfish, seahorse, squid, clownfish, goldfish",
    "sea": "whale, dolphin, sailor, captain",
    "ice": "penguin, polar bear, seal, walrus",
    "farm": "farmer, hen, cow, calf, pig, piglet, rooster, chicken, chick, sheep, lamb, donkey, scarecrow, "
    "goose, turkey",
    "stadium": "goalkeeper, referee, footballer, athlete, striker, coach, runner, sprinter",
    "station": "conductor, stationmaster, train driver",
    "library": "librarian",
    "cafe": "waiter, waitress, barista",
    "shop": "shopkeeper, grocer, toymaker",
    "market": "fishmonger, merchant, stallholder",
    "fair": "clown, acrobat, juggler, ringmaster",
    "canyon": "cowboy, sheriff, outlaw",
    "village": "blacksmith, miller, villager",
    "lighthouse": "lighthouse keeper",
    "harbour": "fisherman",
    "palace": "king, queen, prince, princess, jester, museum guide, emperor",
    "castle": "knight",
    "classroom": "teacher, pupil, schoolmaster",
    "jungle": "monkey, tiger, parrot, gorilla, leopard, elephant, toucan, crocodile, jaguar, panther, sloth",
    "desert": "camel",
    "dinosaur valley": "dinosaur",
    "forest": "fox, owl, squirrel, deer, hedgehog, badger, wolf, bear, hare, fairy, elf, woodcutter, hunter, beetle, "
    "raccoon, mole, lumberjack, woodpecker, gnome, troll, goblin",
    "lake": "frog, duck, swan, duckling, toad",
    "river": "otter, beaver, heron, hippopotamus",
    "beach": "crab, seagull",
    "graveyard": "ghost, skeleton, vampire, zombie",
    "kitchen": "cook, baker",
    "cave": "bat",
    "bedroom": "toy soldier, rag doll",
    "stage": "ballerina, dancer, singer, actor, actress",
    "mountains": "goat, eagle",
    "sky": "pilot, cloud",
    "laboratory": "scientist, inventor, professor, carpenter, tailor, clockmaker, watchmaker",
    "street": "firefighter, postman, bus driver, taxi driver, police officer",
}
"""Where somebody belongs by the nouns of a description, where nothing else tells where a story begins."""
ABSENT = ("for", "like", "without", "toward")
"""Prepositions of what is not there."""


def shown_by(sentence: Sentence, here: str, housed: bool = False, haunt: str = "") -> str:
    """The place that most of what a line shows tells of, or "". `here`: where the story is, as far as it is known:
    then only what cannot be carried there counts, and what may as well be seen there moves it nowhere. `housed`: it is
    in a home, of which what is only likely tells the room; `haunt`: where somebody of the cast belongs, which tells a
    little less than what is only likely, but much where it is far out and what is seen may be there too: an
    astronaut's crater."""
    wonder = _wonder(sentence, here)
    if wonder:
        return wonder
    votes: dict[str, float] = {}
    kept, framed = False, out_of_a_window(sentence)
    for clue in clues_of(sentence):
        sign = signs()[clue.number]
        if sign.at[0] == "sky" and only_of_things(sentence):
            continue
        if not _there(clue) or (framed and clue.mention is not None and clue.mention.value != "window"):
            continue
        kept = kept or (here in sign.at and indoors(here))
        moves = sign.moves or (clue.doing and sign.sure) or _comes_in(sentence, clue, here)
        if not moves and (here or _in_hand(clue, sign.sure)):
            continue
        if here and indoors(here) and (_brought(clue) or _borne(clue)):
            continue
        if here and indoors(here) and not indoors(sign.at[0]) and (_looked_at(clue) or seen_outside(sentence)):
            continue
        if housed and not sign.moves and sign.at[0] not in ROOMS:
            continue
        if here in sign.at:
            return here
        told = (SURE if sign.sure else LIKELY) + 1 / (1 + len(sign.at))  # grass says less than dough
        for place in sign.at:
            votes[place] = votes.get(place, 0.0) + (told if place == sign.at[0] else 0.0 if here else told / 2)
    for act in sentence.acts:
        if not here and act.state == REAL and act.actors and act.action in DONE_AT:
            place = DONE_AT[act.action]
            votes[place] = votes.get(place, 0.0) + LIKELY
    if haunt and not here and votes:
        votes[haunt] = votes.get(haunt, 0.0) + (SURE if haunt in votes and haunt in FAR_OUT else LIKELY)
    found = max(votes, key=votes.__getitem__) if votes else ""
    if kept and found and not indoors(found):
        return ""  # sand all over the floor, and a door
    return "" if here in FAR_OUT and found and votes[found] < 2 * SURE else found


def tellers_of(sentence: Sentence, place: str, here: str) -> int:
    """How much of a line tells of a place first; what somebody does there, or how what is seen lies, as three."""
    told = [clue for clue in clues_of(sentence) if _there(clue) and signs()[clue.number].at[0] == place]
    done = any((clue.doing and signs()[clue.number].sure) or _comes_in(sentence, clue, here) for clue in told)
    return 3 if done or place == _wonder(sentence, here) else len(told)


@cache
def haunt_of(description: str) -> str:
    """The place where somebody of a description belongs, or "": a pirate's ship."""
    homes = {kind: place for place, kinds in HAUNTS.items() for kind in listed(kinds)}
    told = next((place for kind, place in homes.items() if " " in kind and kind in description.lower()), "")
    if told:
        return told
    for unit in units_of(description, {}, language_of(description)) if description.strip() else ():
        if unit.mark or any(kind in unit for kind in ("with", "in", "who")):
            return ""
        if unit.value("things") in homes:
            return homes[unit.value("things")]
    return ""


def surely_elsewhere(sentence: Sentence, place: str) -> bool:
    """Whether something is seen that is not seen at a place."""
    sure = [signs()[clue.number] for clue in clues_of(sentence) if _there(clue)]
    return any(sign.moves and place not in sign.at for sign in sure)


def clues_of(sentence: Sentence) -> list[Clue]:
    """What of signs.yaml a line has, in its words and in the things that they mean, each once."""
    found = list(sentence.clues)
    told = {(clue.number, id(clue.mention)) for clue in found}
    for mention in sentence.mentions:
        concept = mention.value if mention.kind == "thing" else mention.thing
        for number in _tellers().get(concept, ()):
            if (number, id(mention)) not in told:
                found.append(Clue(number, mention.state, mention.prep, mention))
    return found


@cache
def _tellers() -> dict[str, list[int]]:
    """The numbers of signs by concept."""
    found: dict[str, list[int]] = {}
    for number, sign in enumerate(signs()):
        for concept in sign.things:
            found.setdefault(concept, []).append(number)
    return found


def refined(sentence: Sentence, place: str) -> str:
    """A place that a line names, made more precise by what is seen there: a forest of giant mushrooms."""
    wonder = _wonder(sentence, place)
    if wonder:
        return wonder
    sure = [signs()[clue.number] for clue in clues_of(sentence) if _there(clue)]
    if place in FAR_OUT:
        return place  # the craters of the moon
    return next((sign.at[0] for sign in sure if sign.sure and sign.at[0] in WONDERS and place in sign.at), place)


def _wonder(sentence: Sentence, here: str) -> str:
    """Where they are by how what is seen lies to them, or "": down among the fish, below giant mushrooms, in a ship
    among planets. `here`: where the story is, or ""."""
    seen = [mention for mention in sentence.mentions if mention.kind == "thing" and mention.state == REAL]
    among = any(mention.value == "fish" and mention.prep in ("through", "between") for mention in seen)
    for act in sentence.acts:
        down = act.action in ("dives", "swims") and act.actors and act.state == REAL
        if down and here in WATERS and (among or "down" in act.manners):
            return "underwater"
    for mention in seen:
        if mention.value == "mushroom" and here in ("", *WOODS) and (_towers(mention, sentence) or _below(mention)):
            return "mushroom forest"
    aboard = any(mention.value == "ship" and mention.prep == "in" for mention in seen)
    if aboard and any(mention.value in ("planet", "asteroid", "comet") for mention in seen):
        return "spaceship"
    return ""


def _towers(mention: Mention, sentence: Sentence) -> bool:
    """Whether something is said to be huge, or is compared with what is: "taller than towers"."""
    tall = (other for other in sentence.mentions if other.state == LIKE and other.kind in ("thing", "place"))
    return mention.size == "huge" or (mention.role == "subject" and any(True for _ in tall))


def _below(mention: Mention) -> bool:
    """Whether somebody of the cast is under something."""
    return mention.prep == "under" and mention.act is not None and bool(mention.act.actors)


def _in_hand(clue: Clue, loose: bool) -> bool:
    """Whether what tells is only carried, given or taken; what is `loose`, a blanket, may be dragged about as well."""
    mention = clue.mention
    act = mention.act if mention is not None and mention.role == "object" else None
    return act is not None and act.action in (*CARRYING, *(("pulls",) if loose else ())) and not act.implied


def _comes_in(sentence: Sentence, clue: Clue, here: str) -> bool:
    """Whether somebody of the cast who was outdoors is in, on or at a piece of furniture; a bed may fly, or be of
    leaves."""
    mention = clue.mention
    act = mention.act if mention is not None and mention.value in FURNITURE else None
    if mention is None or act is None or not here or here == "sky" or indoors(here):
        return False
    if made_of_something(sentence, mention) or (mention.prep in ("at", "to") and act.action in FROM_AFAR):
        return False
    used = mention.prep in USED or (mention.role == "object" and act.action in INTO)
    return used and mention.state == act.state == REAL and bool(act.actors)


def room_of(sentence: Sentence) -> str:
    """The room that what is surely seen in a line tells of, or "": a blackboard."""
    seen = (signs()[clue.number] for clue in clues_of(sentence) if _there(clue))
    return next((sign.at[0] for sign in seen if sign.moves and indoors(sign.at[0])), "")


def _borne(clue: Clue) -> bool:
    """Whether somebody has what tells in their hands: a tent that is carried through the hall."""
    mention = clue.mention
    act = mention.act if mention is not None and mention.role == "object" else None
    return act is not None and act.action in ("carries", "holds", "gives") and not act.implied


def _looked_at(clue: Clue) -> bool:
    """Whether what tells is only looked at: "looks out at the city lights"."""
    mention = clue.mention
    return (
        mention is not None and mention.role == "object" and mention.act is not None and mention.act.action == "looks"
    )


def _brought(clue: Clue) -> bool:
    """Whether what tells is in something that can be carried anywhere: a bucket of sand."""
    mention = clue.mention
    return mention is not None and mention.prep == "of" and mention.of is not None and mention.of.value in VESSELS


def _there(clue: Clue) -> bool:
    """Whether what tells is there, and not far off, dreamt of or looked for."""
    mention = clue.mention
    if mention is None:
        return clue.state == REAL
    act, space = mention.act, signs()[clue.number].at[0] == "space"
    aim = act if mention.role == "object" else None
    elsewhere = aim is not None and (aim.action == "points" or bool(aim.manners & {"seeks", "leaves"}))
    elsewhere = elsewhere or (mention.distance == "far" and not space)
    elsewhere = elsewhere or (mention.prep == "from" and act is None)  # "the sailor from the boat"
    return mention.state == REAL and mention.prep not in ABSENT and not elsewhere
