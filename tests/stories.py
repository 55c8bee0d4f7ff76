"""Stories with frames that nothing has rendered: discs on a ground, with the maps of where they are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from anystory.project.folder import Project, content
from anystory.story.model import (
    BACKGROUND,
    CastMember,
    Frame,
    Line,
    Panel,
    RoutingMaps,
    Script,
    Settings,
    Story,
    Subject,
    TraceRecorder,
)

COLOURS = {"Fox": "#e07020", "Owl": "#705030"}
PANELS = (
    Panel("Fox walks", ("Fox",), "One & <morning>", (Line("Fox", "Where am I?"),)),
    Panel(
        "Fox meets Owl",
        ("Fox", "Owl"),
        "",
        (Line("Owl", "Who are you?"), Line("Fox", "A fox.")),
        seed=9,
        style="Line art",
    ),
    Panel("an empty beach", (), "The end"),
)


def subject(name: str, size: int = 64) -> Subject:
    image, mask = Image.new("RGB", (size, size), "white"), Image.new("L", (size, size))
    for picture, colour in ((image, COLOURS.get(name, "green")), (mask, 255)):
        ImageDraw.Draw(picture).ellipse((8, 8, size - 8, size - 8), fill=colour)
    return Subject(name, image, mask, f"a {name.lower()}")


def story(panels: tuple[Panel, ...] = PANELS, title: str = "A & B: “meeting”", **settings) -> Story:
    cast = tuple(CastMember(name, description=f"a {name.lower()}") for name in ("Fox", "Owl", "Ghost"))
    cast = replace(cast[0], height=0.6, facing="left"), *cast[1:]
    return Story(
        Script(panels, cast, title, "Watercolour"), (subject("Fox"), subject("Owl")), Settings(size=64, **settings)
    )


def frame(names: tuple[str, ...], places: dict[str, tuple[float, float]] | None = None, size: int = 64, seed: int = 0):
    """A frame with a disc for each name, a quarter of it wide, its middle at a place in shares of the frame."""
    places = places or {name: ((k + 1) / (len(names) + 1), 0.65) for k, name in enumerate(names)}
    image = Image.new("RGB", (size, size), "#bcd8e0")
    ys, xs = (np.mgrid[:32, :32] + 0.5) / 32
    values = np.zeros((len(names) + 1, 32, 32), np.float32)
    for k, name in enumerate(names):
        x, y = places[name]
        box = [round(size * v) for v in (x - 0.125, y - 0.125, x + 0.125, y + 0.125)]
        ImageDraw.Draw(image).ellipse(box, fill=COLOURS.get(name, "green"))
        values[k] = (np.hypot(xs - x, ys - y) < 0.125) * np.float32(0.9)
    values[-1] = 1 - values[:-1].sum(axis=0)
    return Frame(image, RoutingMaps((*names, BACKGROUND), values), seed)


def rendered(folder, made: Story | None = None, trace: bool = False) -> Project:
    """A project folder with a frame for every panel of a story."""
    made = made or story()
    project = Project(folder)
    panels = made.script.panels
    keys = [f"key{k}" for k in range(len(panels))]
    project.begin(made, keys, [(*panel.cast, BACKGROUND) for panel in panels], "mini", "1.0")
    for number, panel in enumerate(panels, 1):
        seed = made.settings.seed + number - 1 if panel.seed is None else panel.seed
        picture = frame(panel.cast, seed=seed)
        if trace and panel.cast:
            recorder = TraceRecorder((*panel.cast, BACKGROUND))
            recorder.add(1, [np.zeros((4, 4), np.uint8)])
            picture = Frame(picture.image, picture.maps, seed, recorder.trace(1))
        project.save(number, picture, keys[number - 1], panel.prompt, made.settings, trace=trace)
    return project


def without_frame(folder, number: int) -> Project:
    """The project in a folder, whose story.json no longer lists the frame of a panel."""
    path = folder / "story.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["panels"] = [panel for panel in data["panels"] if panel["number"] != number]
    path.write_text(json.dumps(data), encoding="utf-8")
    return Project(folder)


def looks(made: Story) -> dict[str, str]:
    return {subject.name: content(subject) for subject in made.subjects}
