"""The cast on an opened frame, as objects that are dragged, resized, flipped and turned where it is looked at.

The server takes a frame apart once; the browser moves the pieces (`js/arranging.js`) and tells at the end where
everybody is to be, which becomes the panel's layout.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from anystory.backends.base import STORYBOOK
from anystory.errors import AnyStoryError
from anystory.maps.overlay import colours_of
from anystory.project.folder import write_atomic
from anystory.render.session import Asked
from anystory.sketch.compose import Piece
from anystory.sketch.staging import Placed
from anystory.story.shot import Shot
from anystory.story.steering import BEYOND, TURN, Layout, Place, Steering, numbers
from ui.strip import FILE
from ui.studio import Shown, Studio

ARRANGING = (Path(__file__).parent / "js" / "arranging.js").read_text(encoding="utf-8")

SIDE = 768
"""Longer side in pixels of the layers: about as large as a frame is shown."""

KEPT = 200
"""Files of layers that a visitor has at a time, some 30 kB each."""

STANDS = 0.03
"""Who touches something this far above its ground is on something, and stays there only by itself."""

LEAST = 1.0
"""Degrees by which somebody is turned at least."""

WORDS = (
    *("flip", "left", "right", "smaller", "larger", "farther", "nearer", "free", "make"),
    *("object", "at", "full", "keys", "waits"),
)
"""What the objects and their tools are called, under `arrange.` of the page's words."""


def figure(item: Shown, say: Callable[..., str], source: str = "") -> str:
    """The picture of an opened frame: its own file, unless another `source` is given, and the words for what lies on
    it."""
    blanks = {name: f"{{{name}}}" for name in ("x", "y", "size", "turn")}  # which the browser fills in
    words = {word: say(f"arrange.{word}", **blanks) for word in WORDS}
    own = f"{FILE}{escape(str(item.file))}"
    width, height = item.still.size
    alt = escape(say("viewer.alt", number=item.number, prompt=item.panel.prompt))
    return (
        f'<div class="opened-frame{" tinted" * bool(source)}" data-id="{item.id}" data-number="{item.number}" '
        f"data-words='{escape(json.dumps(words))}'>"
        f'<img class="whole" width="{width}" height="{height}" src="{source or own}" alt="{alt}"></div>'
    )


def laid(studio: Studio, item: Shown | None, refused: int = 0) -> str:
    """The objects of an opened frame for the browser, as HTML without anything to see: of storybook's frames with the
    layers that they are made of, of a model's as boxes. `refused`, another number each time, puts them back where they
    are in the frame."""
    if item is None or not item.names:
        return ""
    data = _of_sketch(studio, item) if item.backend == STORYBOOK else _of_maps(item)
    if data is None:
        return ""
    # A model takes its time: its frame waits to be asked for.
    data["auto"] = data["own"] and studio.backends.loaded(item.backend) is not None
    data["of"], data["refused"] = item.token, refused
    return f"<div data-laid='{escape(json.dumps(data))}'></div>"


def asked_of(studio: Studio, item: Shown) -> Asked | None:
    """What a frame of storybook was made from; None where its panel can no longer be made."""
    try:
        story = item.job.story(studio.sketches.backend)
        return studio.sketches.of_frame(story, item.number, item.still.seed)
    except AnyStoryError:  # a wildcard's list or an own drawing has gone since
        return None


def shot_of(studio: Studio, item: Shown) -> Shot | None:
    """What storybook reads of a frame's panel, whatever made the frame; None where it cannot be read."""
    asked = asked_of(studio, item)
    return asked.request.prompt.shot if asked else None


def _of_sketch(studio: Studio, item: Shown) -> dict[str, Any] | None:
    asked = asked_of(studio, item)
    if asked is None or not asked.subjects:
        return None
    try:
        staging, size, layers = studio.sketches.layers(asked, SIDE)
    except (AnyStoryError, ValueError, OSError):
        return None
    layout = item.panel.steering.layout
    colours = colours_of([placed.name for placed in staging.placed], item.job.names)
    order = [layer.role for layer in layers if layer.role is not None]
    objects = [
        _object(staging.placed[layer.role], layer, number, colours[layer.role], layout)
        for number, layer in enumerate(layers)
        if layer.role is not None
    ]
    pieces = [
        {
            "source": f"{FILE}{_file(item, layer.picture)}",
            "box": [
                round(layer.middle[0] - layer.picture.width / 2, 1),
                round(layer.middle[1] - layer.picture.height / 2, 1),
                *layer.picture.size,
            ],
            "depth": min(max(layer.depth, -9.0), 9.0),
            "owner": order.index(layer.owner) if layer.owner in order else None,
        }
        for layer in layers
    ]
    files = sorted(item.job.visit.files.glob("layer-*.webp"), key=lambda file: file.stat().st_mtime)
    for old in files[:-KEPT]:
        old.unlink(missing_ok=True)
    return {"id": item.id, "size": list(size), "own": True, "layers": pieces, "objects": objects}


def _object(placed: Placed, layer: Piece, number: int, colour: str, layout: Layout) -> dict[str, Any]:
    """One of the cast. `pose`: the degrees of its angle that are not by hand; `keeps`: by hand it would stand where it
    stands by itself."""
    turn = dict(layout.turn).get(placed.name, 0.0)
    stands = placed.contact is None or abs(placed.depth - placed.contact) < STANDS
    return {
        "name": placed.name,
        "colour": colour,
        "layer": number,
        "middle": [round(at, 1) for at in layer.middle],
        "size": [round(side, 1) for side in layer.size],
        "angle": layer.angle,
        "pose": layer.angle - turn,
        "turned": bool(turn),
        "mirrored": layer.mirrored,
        "depth": placed.depth,
        "placed": any(place.name == placed.name for place in layout.places),
        "keeps": stands and placed.waterline is None,
    }


def _file(item: Shown, picture: Image.Image) -> str:
    """A layer as a file of the visitor's, under a name that changes with the picture."""
    digest = hashlib.sha256(picture.tobytes() + repr(picture.size).encode()).hexdigest()[:24]
    path = item.job.visit.files / f"layer-{digest}.webp"
    if path.exists():
        path.touch()
    else:
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=84, method=0)
        write_atomic({path: buffer.getvalue()})
    return escape(str(path))


def _of_maps(item: Shown) -> dict[str, Any]:
    """The cast of a model's frame: a box around where each is, which can only be moved and made larger or smaller."""
    maps, (width, height) = item.frame.maps, item.still.size
    scale = SIDE / max(width, height)
    size = round(width * scale), round(height * scale)
    names = maps.names[:-1]
    asked = {place.name: place.box for place in item.panel.steering.layout.places if place.box}
    objects = []
    for name, colour, held in zip(names, colours_of(names, item.job.names), maps.located(size), strict=True):
        found = Image.fromarray(held).getbbox()
        box = asked.get(name) or (found and tuple(at / side for at, side in zip(found, (*size, *size), strict=True)))
        x0, y0, x1, y1 = box or (0.35, 0.3, 0.65, 0.9)  # nobody sees them: somewhere to take hold of
        middle, sides = ((x0 + x1) / 2 * size[0], (y0 + y1) / 2 * size[1]), ((x1 - x0) * size[0], (y1 - y0) * size[1])
        objects.append(
            {"name": name, "colour": colour, "layer": None, "middle": middle, "size": sides, "angle": 0, "pose": 0}
            | {"turned": False, "mirrored": False, "depth": y1, "placed": name in asked, "keeps": False}
        )
    return {"id": item.id, "size": list(size), "own": False, "layers": [], "objects": objects}


def arranged(studio: Studio, item: Shown, before: Steering, told: Mapping[str, Any], strength: float) -> Steering:
    """How a panel is steered whose cast was moved about. `told` comes from the page, where anybody could have sent it;
    `strength` is that of a layout which is only begun, or which nobody heeded; what else the script says of how firmly
    and when stays. Raises ValueError with a sentence."""
    names, layout = item.names, before.layout
    freed = set(_texts(told.get("free"))) & set(names)
    objects = [one for one in _list(told.get("objects")) if isinstance(one, Mapping) and one.get("name") in names]
    boxes = {one["name"]: Place(one["name"], _box(one)) for one in objects if one["name"] not in freed}
    kept = {place.name: place for place in layout.places if place.name not in freed}
    places = tuple({**kept, **boxes}.values())
    flip = {name for name in layout.flip if name not in freed}
    turn = {name: degrees for name, degrees in layout.turn if name not in freed}
    begun = not layout.places and layout.strength == Layout.strength
    if begun or not layout.strength:
        layout = replace(layout, strength=strength)
    if not places and layout.strength == strength and (layout.start, layout.end) == (Layout.start, Layout.end):
        layout = Layout()  # nothing is left of what was begun here
    layout = Layout(places, layout.strength, layout.start, layout.end)
    asked = asked_of(studio, item) if item.backend == STORYBOOK else None
    if asked is not None:
        alone = {placed.name: placed for placed in studio.sketches.staging(asked, layout).placed}
        for one in objects:
            name, placed = one["name"], alone.get(one["name"])
            if placed is None or name in freed:
                continue
            flipped = (one.get("mirrored") is True) != placed.mirrored
            flip = flip | {name} if flipped else flip - {name}
            turn.pop(name, None)
            if one.get("turned") is True:
                (angle,) = numbers(one.get("angle"), 1, f"The turn of {name}")
                degrees = round(math.remainder(angle - (-placed.angle if flipped else placed.angle), 2 * TURN), 1)
                turn |= {name: degrees} if abs(degrees) >= LEAST else {}
    layout = Layout(
        layout.places,
        layout.strength,
        layout.start,
        layout.end,
        tuple(name for name in names if name in flip),
        tuple((name, turn[name]) for name in names if name in turn),
    )
    return replace(before, layout=layout)


def _box(one: Mapping[str, Any]) -> tuple[float, float, float, float]:
    low, high = BEYOND
    given = numbers(one.get("box"), 4, f"The box of {one['name']}")
    x0, y0, x1, y1 = (round(min(max(at, low), high), 4) for at in given)
    return x0, y0, x1, y1


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> Sequence[str]:
    return [one for one in _list(value) if isinstance(one, str)]
