"""Sentences that are true of a composed frame, and where in them each subject is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anystory.sketch.scenery import PLACES, in_medium, when
from anystory.story.english import indefinite
from anystory.training.art import ArtEntry, is_plural, noun_phrase
from anystory.training.bank import Ground

POSITIONS = {
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
    "middle": ("in the middle", "in the centre", "at the centre"),
    "far left": ("on the far left",),
    "second from the left": ("second from the left",),
    "third from the left": ("third from the left", "second from the right"),
    "far right": ("on the far right",),
}
SIZES = {
    "tiny": ("tiny", "very small"),
    "small": ("small", "little"),
    "big": ("big", "large"),
    "huge": ("huge", "giant"),
}
ACTIONS = {
    "stands": ("stands", "is standing", "waits", "poses"),
    "lies": ("lies on the ground", "lies down", "is lying on the ground", "lies on one side"),
    "stands on its head": ("stands on its head", "is upside down", "does a headstand"),
    "jumps": ("jumps", "leaps up", "is jumping", "jumps into the air"),
    "flies": ("flies", "is flying", "flies through the air", "soars"),
    "floats": ("floats", "hovers", "is floating", "floats in the air"),
    "falls": ("falls", "falls head first", "tumbles down", "is falling"),
    "swims": ("swims", "is swimming", "swims in the water", "bathes"),
    "dives": ("swims", "is swimming", "dives", "floats in the water"),
    "sits in": ("sits in {}", "is sitting in {}", "is in {}", "peeks out of {}"),
    "hides behind": ("hides behind {}", "is hiding behind {}", "peeks out from behind {}", "is behind {}"),
    "holds": ("holds {}", "carries {}", "is holding {}", "has {}"),
}
"""What a composition can show a subject do, and ways to say it; {} is with what or behind what."""

_ADJECTIVES = {"cute", "wild", "angry", "happy", "sad", "funny", "cold", "young", "old", "sleepy", "evil", "scary"}
_COLOUR_WORDS = re.compile(
    r"\b(red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|gr[ae]y|gold(en)?|silver|blond|dark|light)\b",
    re.IGNORECASE,
)
_KINDS = {
    "animal-bird": "bird",
    "animal-bug": "creature",
    "plant-flower": "plant",
    "plant-other": "plant",
    "food-fruit": "fruit",
    "food-vegetable": "vegetable",
    "transport-ground": "vehicle",
    "transport-air": "vehicle",
    "transport-water": "vehicle",
    "clothing": "piece of clothing",
    "musical-instrument": "instrument",
    "cat-face": "cat's face",
    "monkey-face": "monkey's face",
}
_GROUPS = {
    "animals-nature": "animal",
    "people-body": "person",
    "smileys-emotion": "face",
    "food-drink": "food",
    "own": "character",
}
_HUES = ((15, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (255, "blue"), (290, "purple"), (345, "pink"))


@dataclass(frozen=True)
class Told:
    """What can be said of one subject of a frame: `where`, `size` and `action` as in `world.Batch`; `object` fills the
    action's {}; `does` is what its drawing shows, `colours` the names of its main colours (at most two),
    `recoloured` whether they are not the drawing's own."""

    entry: ArtEntry
    where: str
    size: str
    action: str
    object: str
    does: str
    colours: tuple[str, ...]
    recoloured: bool
    x: float


def colour_names(pixels: np.ndarray) -> tuple[str, ...]:
    """The colours that most of a drawing shows, at most two, of premultiplied RGBA in [0, 1] (4, n); none if they are
    too many."""
    alpha = pixels[3]
    solid = alpha > 0.5
    if not solid.any():
        return ()
    rgb = np.clip(pixels[:3, solid] / alpha[solid], 0, 1)
    high, low = rgb.max(0), rgb.min(0)
    spread = np.maximum(high - low, 1e-6)
    red, green, blue = rgb
    hue = np.select(
        [high == red, high == green],
        [(green - blue) / spread % 6, (blue - red) / spread + 2],
        (red - green) / spread + 4,
    )
    degrees = hue * 60 % 360
    names = np.array([name for _, name in _HUES] + ["red"])[np.searchsorted([edge for edge, _ in _HUES], degrees)]
    names = np.where(np.isin(names, ("orange", "red")) & (high < 0.62) & (spread < 0.55), "brown", names)
    grey = np.select([high > 0.85, high < 0.28], ["white", "black"], "grey")
    names = np.where((spread / np.maximum(high, 1e-6) < 0.18) | (high < 0.16), grey, names)
    found, counts = np.unique(names, return_counts=True)
    shares = counts / counts.sum()
    order = np.argsort(-shares, kind="stable")
    if shares[order[0]] >= 0.6:
        return (str(found[order[0]]),)
    if len(order) > 1 and shares[order[1]] >= 0.25 and shares[order[:2]].sum() >= 0.7:
        return str(found[order[0]]), str(found[order[1]])
    return ()


def kind_of(entry: ArtEntry) -> str:
    """What kind of thing an entry is, in a word that is true of it whatever its colour."""
    if entry.text.endswith("with a face"):
        return "thing"
    return _KINDS.get(entry.subgroup) or _GROUPS.get(entry.group, "thing")


def caption(
    ground: Ground, subjects: Sequence[Told], behind: tuple[int, int] | None, rng: np.random.Generator
) -> tuple[str, list[tuple[int, int]]]:
    """A true sentence about one frame, and the span [start, end) in it of each subject's words.

    `behind` = (i, j): subject i is partly hidden by subject j."""

    def pick(options: Sequence[str]) -> str:
        return options[int(rng.integers(len(options)))]

    times = when(ground.time, ground.weather, rng)
    medium = in_medium(ground.medium, rng)
    place = PLACES[ground.place]
    if not subjects:
        bare = place.empty
        empty = bare if bare.split()[0] not in ("a", "an") else f"an empty {bare.split(' ', 1)[1]}"
        text = pick((empty, bare, f"nobody {pick(place.phrases)}", f"{bare}, nobody there"))
        return _ended(" ".join([text, *times]), medium), []

    # One subject of whom nothing is said is about the middle, as several are from left to right.
    everywhere = all(s.where for s in subjects)
    astray = len(subjects) == 1 and subjects[0].where != "middle"
    says_where = everywhere and (astray or rng.random() < 0.6) and not (behind and rng.random() < 0.8)
    order = [int(i) for i in (rng.permutation(len(subjects)) if says_where else np.argsort([s.x for s in subjects]))]
    hidden = list(behind) if behind is not None and not says_where else []
    hides = bool(hidden)
    if hides:
        order = hidden if rng.random() < 0.5 else hidden[::-1]
    phrases = _phrases(subjects, order, rng)
    spots = [pick(POSITIONS[s.where]) if says_where else "" for s in subjects]
    does = [_verb(s, len(subjects), rng) for s in subjects]
    # Called by a name that means several, they do it in the plural.
    does = [
        _in_plural(words) if words and is_plural(s.entry.text) and s.entry.text in phrase else words
        for words, s, phrase in zip(does, subjects, phrases, strict=True)
    ]
    scene = [pick(place.phrases)] if rng.random() < 0.9 else []
    scene += times
    ahead = bool(scene) and rng.random() < 0.25
    pieces: list[str | int] = [" ".join(scene) + ","] if ahead else []
    pieces += _clause(subjects, order, spots, does, hides and order == hidden, hides, rng)
    if not ahead:
        pieces += scene
    text, mentions = _join(pieces, phrases)
    return _ended(text, medium), mentions


def _ended(text: str, medium: str) -> str:
    return f"{text}, {medium}" if medium else text


def _verb(subject: Told, count: int, rng: np.random.Generator) -> str:
    """What the subject does, in words, or "": what is out of the ordinary is nearly always said."""
    if subject.does and rng.random() < 0.6 and subject.action == "stands":
        return subject.does
    plain = subject.action == "stands"
    # Who sits or rides in the drawing does not stand.
    if plain and (subject.does not in ("", "stands") or rng.random() < (0.4 if count == 1 else 0.65)):
        return ""
    if not plain and rng.random() < 0.1:
        return ""
    options = ACTIONS[subject.action]
    return options[rng.integers(len(options))].format(subject.object)


def _in_plural(words: str) -> str:
    """ "stands on its head" → "stand on their heads", "is in a box" → "are in a box"."""
    verb, _, rest = words.partition(" ")
    irregular = {"is": "are", "has": "have", "does": "do", "lies": "lie"}
    plain = re.sub(r"(?<=[^aeiou])ies$", "y", verb)
    plain = irregular.get(verb) or (plain if plain != verb else re.sub(r"(?<=sh|ch|ss|zz)es$|s$", "", verb))
    return f"{plain} {rest.replace('its head', 'their heads')}".strip()


def _phrases(subjects: Sequence[Told], order: Sequence[int], rng: np.random.Generator) -> list[str]:
    """What each subject is called, article included; `order` is the order of mention. Half of all are only "a
    character"; of the others a third are described instead of named, and all whose name speaks of a colour they do
    not have."""
    phrases, heard = [""] * len(subjects), list[str]()
    by_name = rng.random() < 0.5 if rng.random() < 0.7 else None
    for i in order:
        subject = subjects[i]
        named = rng.random() < 0.5 if by_name is None else by_name
        large = SIZES[subject.size][rng.integers(2)] if subject.size and rng.random() < 0.4 else ""
        described = _description(subject, large)
        if not named:
            phrase, key = _spaced(f"a {large} character"), ""
        elif described and (rng.random() < 0.33 or (subject.recoloured and _COLOUR_WORDS.search(subject.entry.text))):
            phrase, key = described, described
        elif subject.recoloured and _COLOUR_WORDS.search(subject.entry.text):
            phrase, key = _spaced(f"a {large} {kind_of(subject.entry)}"), ""
        else:
            fitting = [tag for tag in subject.entry.tags if tag in _ADJECTIVES]
            extra = fitting[rng.integers(len(fitting))] if fitting and rng.random() < 0.3 else ""
            phrase, key = noun_phrase(subject.entry.text, _spaced(f"{large} {extra}").strip()), subject.entry.text
        if key in heard and phrase.startswith(("a ", "an ")) and rng.random() < 0.5:
            bare = phrase.split(" ", 1)[1]
            phrase = f"a second {bare}" if heard.count(key) == 1 and rng.random() < 0.4 else f"another {bare}"
        heard.append(key)
        phrases[i] = phrase
    return phrases


def _description(subject: Told, large: str) -> str:
    """ "a big brown and white animal", or "" where no colour stands out."""
    if not subject.colours:
        return ""
    kind = kind_of(subject.entry)
    colour = " and ".join(subject.colours)
    words = f"{large} {colour} {kind}".strip()
    return f"some {words}" if kind == "food" else f"{indefinite(words)} {words}"


def _spaced(words: str) -> str:
    return " ".join(words.split())


def _clause(
    subjects: Sequence[Told],
    order: list[int],
    spots: Sequence[str],
    does: Sequence[str],
    hidden_first: bool,
    hides: bool,
    rng: np.random.Generator,
) -> list[str | int]:
    """The sentence's pieces about the subjects: words, and for a subject its index. `hides`: of two, one partly
    hides the other, which is the first or the second in `order`."""

    def pick(*options: str) -> str:
        return options[int(rng.integers(len(options)))]

    if len(order) == 1:
        return [f"{spots[0]},", 0, does[0]] if spots[0] and rng.random() < 0.15 else [0, does[0], spots[0]]
    if hides:
        a, b = order
        return [a, does[a], pick("behind", "partly hidden by") if hidden_first else "in front of", b]
    if len(order) == 2 and spots[0] and rng.random() < 0.3:
        a, b = order
        return [a, does[a], f"to the {subjects[a].where} of", b]
    if spots[0] and rng.random() < 0.25:
        pieces: list[str | int] = []
        for k, i in enumerate(order):
            pieces += ["" if not k else "and" if k == len(order) - 1 else ",", spots[i], i, does[i]]
        return pieces
    if len(order) == 2 and rng.random() < 0.5:
        a, b = order
        link = pick("and", "beside", "next to", "with", "together with")
        return [a, spots[a], does[a], link, b, spots[b], does[b] if link == "and" else ""]
    pieces = []
    for k, i in enumerate(order):
        if k:
            pieces.append("and" if k == len(order) - 1 else ",")
        pieces += [i, spots[i], does[i]]
    if not any(does) and all(s.action == "stands" and s.does in ("", "stands") for s in subjects):
        pieces.append(pick("", "", "stand", "stand together"))
    return pieces


def _join(pieces: Sequence[str | int], phrases: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The pieces as one sentence, and where in it each phrase stands."""
    text, mentions = "", [(0, 0)] * len(phrases)
    for piece in pieces:
        words = phrases[piece] if isinstance(piece, int) else piece
        if not words:
            continue
        if text and words != ",":
            text += " "
        if isinstance(piece, int):
            mentions[piece] = (len(text), len(text) + len(words))
        text += words
    return text, mentions
