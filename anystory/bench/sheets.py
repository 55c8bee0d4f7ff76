"""Contact sheets of what the sketch makes of lines: every place by day and by night, every action, every comic mark,
and pictures that nobody prepared. The pictures of docs/sketch.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from anystory.cast.images import open_image
from anystory.cast.segment import Segmenter
from anystory.cast.shelf import shelf
from anystory.sketch.cutout import prepare
from anystory.sketch.read import read_story
from anystory.sketch.scenery import MEDIUM_PHRASES, MEDIUMS, PLACES
from anystory.sketch.sketcher import sketch
from anystory.sketch.words import vocabulary
from anystory.story.model import Panel, Script, Subject

CELL, MARGIN, LINE = 256, 6, 20

LINES = {
    "rides": "Tuk stands in the street, Nora rides Tuk",
    "hides": "Nora walks in the park, Leo hides behind a tree",
    "peeks": "Nora walks in the forest, Leo peeks out from behind a tree",
    "swims": "Nora stands at the lake, Goldie swims",
    "dives": "Nora stands at the lake, Goldie dives",
    "flies": "Drake flies over the village, Nora waves",
    "climbs": "Leo climbs a tree in the jungle",
    "chases": "Goldie chases Leo across the meadow",
    "follows": "Goldie follows Leo through the desert",
    "fights": "Brock fights Drake in front of the castle",
    "gives": "Nora gives Leo a flower in the garden",
    "hugs": "Nora hugs Leo at the station",
    "kisses": "Nora kisses Leo on the bridge",
    "sleeps": "At night Nora sleeps in the bedroom",
    "cooks": "Leo cooks in the kitchen",
    "falls": "Leo falls from the sky over the canyon",
    "floats": "Nora floats in space",
}
"""Actions that want a place or a partner of their own; the others are done on a meadow, in a park or in a room."""

GROUNDS = ("in the park", "on the beach", "in the living room", "in the village", "in the mountains")

MARKED = {
    "gloom": "Barnaby is sad in the park",
    "tears": "Luna cries on the beach",
    "anger": "Angry Brock stands in the meadow",
    "sweat": "Leo is afraid in the forest at night",
    "zzz": "Goldie sleeps in the living room",
    "!": "Nora is surprised in the street",
    "?": "Leo is puzzled in the village, ink",
    "idea": "Drake has an idea by the lake",
    "hearts": "Nora kisses Leo in the garden",
    "stars": "Barnaby is dizzy in the park, cut paper",
    "thought": "Nora thinks on the beach, in crayon",
    "music": "Leo sings in the mountains",
    "joy": "Nora laughs in the kitchen",
    "shout": "Leo shouts in the street",
    "impact": "Brock fights Drake in front of the castle",
    "speed": "Leo runs through the village",
    "dust": "Goldie chases Nora across the meadow",
    "splash": "Nora stands at the lake, Goldie dives",
}
"""A line for each mark."""

UNPREPARED = {"Eileen": "astronaut.jpg", "Zoe": "crayon.jpg", "Rob": "knight.png"}
"""Whose pictures they are: a photograph, a scan of a child's drawing, pixel art."""

PICTURED = (
    "Zoe and Rob walk in the forest on a sunny day",
    "Eileen and Rob in the street in the rain",
    "Zoe jumps on the beach at sunset, Rob waves",
    "Eileen and Zoe in front of the castle at night, in ink",
    "Rob runs through the snow, Eileen laughs, cut paper",
    "Eileen, Zoe and Rob in the kitchen, in crayon",
)


@dataclass(frozen=True)
class Shown:
    """One cell: a line of a script, and what is written under it."""

    line: str
    label: str


def sheets(out: Path, pictures: Path) -> Iterator[Path]:
    """Write every sheet to the folder `out`; `pictures` is the folder of the unprepared ones. Yields the files."""
    out.mkdir(parents=True, exist_ok=True)
    kept = tuple(example.subject() for example in shelf())
    for time in ("day", "night"):
        yield _written(_places(time), kept, 8, out / f"places-{time}.webp")
    yield _written(_actions(), kept, 8, out / "actions.webp")
    yield _written([Shown(line, mark) for mark, line in MARKED.items()], kept, 6, out / "marks.webp")
    segmenter = Segmenter()
    unprepared = []
    for name, file in UNPREPARED.items():
        image = open_image(pictures / file)
        unprepared.append(Subject(name, image.convert("RGB"), segmenter.cut(image)))
    yield _written([Shown(line, line) for line in PICTURED], unprepared, 3, out / "pictures.webp", 384)


def _places(time: str) -> list[Shown]:
    """Every place with two of the shelf in it, the mediums in turn."""
    cast = [example.name for example in shelf()]
    shown = []
    for number, place in enumerate(PLACES.values()):
        medium = MEDIUMS[number % len(MEDIUMS)]
        pair = cast[number % len(cast)], cast[(number * 5 + 3) % len(cast)]
        pair = pair if pair[0] != pair[1] else (pair[0], cast[(number + 1) % len(cast)])
        moment = "at night" if time == "night" else "by day"
        words = f"{pair[0]} and {pair[1]} {place.phrases[0]} {moment}, {MEDIUM_PHRASES[medium][0]}"
        shown.append(Shown(words, f"{place.empty}, {medium}"))
    return shown


def _actions() -> list[Shown]:
    actions = list(vocabulary()["actions"])
    return [
        Shown(LINES.get(action) or f"Leo {action} {GROUNDS[number % len(GROUNDS)]}", action)
        for number, action in enumerate(actions)
    ]


def _written(shown: Sequence[Shown], subjects: Sequence[Subject], columns: int, path: Path, cell: int = CELL) -> Path:
    """A sheet of one cell for each line, every one read by itself."""
    cutouts = {subject.name: prepare(subject) for subject in subjects}
    rows = -(-len(shown) // columns)
    step = cell + MARGIN
    paper = Image.new("RGB", (columns * step + MARGIN, rows * (step + LINE) + MARGIN), "white")
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(13)
    for number, one in enumerate(shown):
        cast = tuple(name for name in cutouts if name in one.line)
        (shot,) = read_story(Script((Panel(one.line, cast),)), subjects)
        made = sketch(
            shot, [cutouts[name] for name in cast], width=2 * cell, height=2 * cell, seed=number, story_seed=number
        )
        x, y = MARGIN + number % columns * step, MARGIN + number // columns * (step + LINE)
        paper.paste(made.image.resize((cell, cell), Image.Resampling.BOX), (x, y))
        label = one.label
        while font.getlength(label) > cell and " " in label:
            label = label.rsplit(" ", 1)[0].rstrip(",")
        pen.text((x, y + cell + 2), label, "#333333", font)
    paper.save(path, quality=82, method=6)
    return path
