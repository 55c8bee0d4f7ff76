"""Contact sheets of what the sketch makes of lines: every place by day and by night, every action, every comic mark,
and pictures that nobody prepared; and the lines of any script, each by itself. The pictures of docs/sketch.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from anystory.api import load_story
from anystory.backends.storybook import StorybookBackend
from anystory.cast.images import open_image
from anystory.cast.segment import Segmenter
from anystory.cast.shelf import shelf
from anystory.fonts import font
from anystory.render.portraits import draw_cast, with_drawn
from anystory.sketch.cutout import prepare
from anystory.sketch.read import read_story
from anystory.sketch.scenery import MEDIUM_PHRASES, MEDIUMS, PLACES
from anystory.sketch.sketcher import sketch
from anystory.sketch.words import vocabulary
from anystory.story.model import Panel, Script, Subject
from anystory.typeset import wrap

CELL, MARGIN, LINE, TEXT, QUALITY = 256, 6, 17, 13, 80

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


ACROSS, DOWN = 4, 5
"""Lines on a sheet of a script's."""


@dataclass(frozen=True)
class SheetLine:
    """One cell: a panel, what is written under it, and the seed of its place and of how they stand there."""

    panel: Panel
    label: str
    seed: int


def sheets(out: Path, pictures: Path) -> Iterator[Path]:
    """Write every sheet to the folder `out`; `pictures` is the folder of the unprepared ones. Yields the files."""
    out.mkdir(parents=True, exist_ok=True)
    kept = tuple(example.subject() for example in shelf())
    for time in ("day", "night"):
        yield _written(_places(time), kept, 8, out / f"places-{time}.webp")
    yield _written(_actions(), kept, 8, out / "actions.webp")
    names = [one.name for one in kept]
    shown = [_shown(number, line, mark, names) for number, (mark, line) in enumerate(MARKED.items())]
    yield _written(shown, kept, 6, out / "marks.webp")
    segmenter = Segmenter()
    unprepared = []
    for name, file in UNPREPARED.items():
        image = open_image(pictures / file)
        unprepared.append(Subject(name, image.convert("RGB"), segmenter.cut(image)))
    shown = [_shown(number, line, line, UNPREPARED) for number, line in enumerate(PICTURED)]
    yield _written(shown, unprepared, 3, out / "pictures.webp", 384)


def line_sheets(script: Path, out: Path, cell: int = CELL, across: int = ACROSS, down: int = DOWN) -> Iterator[Path]:
    """Write the panels of a script to sheets `across` x `down` in the folder `out`, each read by itself and drawn at
    `cell` pixels, with its number and its words below. Yields the files. Raises AnyStoryError for a script that cannot
    be used."""
    backend = StorybookBackend()
    story = load_story(script, backend)
    drawn = [event.subject for event in draw_cast(story, backend, Segmenter()) if event.subject]
    subjects = with_drawn(story, drawn).subjects
    out.mkdir(parents=True, exist_ok=True)
    panels = story.script.panels
    shown = [SheetLine(panel, f"{number} {panel.prompt}", number) for number, panel in enumerate(panels, 1)]
    for sheet, first in enumerate(range(0, len(shown), across * down), 1):
        path = out / f"{script.stem}-{sheet}.webp"
        yield _written(shown[first : first + across * down], subjects, across, path, cell, rows_of_words=3)


def _shown(number: int, line: str, label: str, names: Iterable[str]) -> SheetLine:
    return SheetLine(Panel(line, tuple(name for name in names if name in line)), label, number)


def _places(time: str) -> list[SheetLine]:
    """Every place with two of the shelf in it, the mediums in turn."""
    cast = [example.name for example in shelf()]
    shown = []
    for number, place in enumerate(PLACES.values()):
        medium = MEDIUMS[number % len(MEDIUMS)]
        pair = cast[number % len(cast)], cast[(number * 5 + 3) % len(cast)]
        pair = pair if pair[0] != pair[1] else (pair[0], cast[(number + 1) % len(cast)])
        moment = "at night" if time == "night" else "by day"
        words = f"{pair[0]} and {pair[1]} {place.phrases[0]} {moment}, {MEDIUM_PHRASES[medium][0]}"
        shown.append(_shown(number, words, f"{place.empty}, {medium}", cast))
    return shown


def _actions() -> list[SheetLine]:
    actions = list(vocabulary()["actions"])
    lines = (LINES.get(action) or f"Leo {action} {GROUNDS[n % len(GROUNDS)]}" for n, action in enumerate(actions))
    cast = [example.name for example in shelf()]
    return [_shown(number, line, actions[number], cast) for number, line in enumerate(lines)]


def _written(
    shown: Sequence[SheetLine],
    subjects: Sequence[Subject],
    columns: int,
    path: Path,
    cell: int = CELL,
    rows_of_words: int = 1,
) -> Path:
    """A sheet of one cell for each line, every one read by itself, drawn at twice its size."""
    cutouts = {subject.name: prepare(subject) for subject in subjects}
    rows = -(-len(shown) // columns)
    step, line = cell + MARGIN, LINE * rows_of_words
    paper = Image.new("RGB", (columns * step + MARGIN, rows * (step + line) + MARGIN), "white")
    pen = ImageDraw.Draw(paper)
    for place, one in enumerate(shown):
        (shot,) = read_story(Script((one.panel,)), subjects)
        cast = [cutouts[role.name] for role in shot.roles]
        made = sketch(shot, cast, width=2 * cell, height=2 * cell, seed=one.seed, story_seed=one.seed)
        x, y = MARGIN + place % columns * step, MARGIN + place // columns * (step + line)
        paper.paste(made.image.resize((cell, cell), Image.Resampling.BOX), (x, y))
        for number, words in enumerate(wrap(one.label, TEXT, cell)[:rows_of_words]):
            pen.text((x, y + cell + 2 + number * LINE), words, "#333333", font(TEXT))
    paper.save(path, quality=QUALITY, method=6)
    return path
