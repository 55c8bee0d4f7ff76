"""STAND-IN: a row of figures on the ground of a painted place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from anystory.shot import Shot
from anystory.sketch.compose import Coat, Sketch
from anystory.sketch.cutout import Cutout
from anystory.sketch.scenery import paint
from anystory.sketch.staging import Placed, Staging
from anystory.steering import Layout


def sketching(
    shot: Shot,
    cutouts: Sequence[Cutout],
    *,
    width: int,
    height: int,
    seed: int,
    story_seed: int,
    layout: Layout = Layout(),
) -> Iterator[Coat]:
    """A coat for the place and for each role; the last has the sketch."""
    digest = hashlib.sha256(f"{story_seed} {shot.setting}".encode()).digest()
    painting = paint(shot.place, shot.time, shot.weather, shot.medium, int.from_bytes(digest[:4], "big"))
    image = Image.fromarray(painting.render(width, height, grain=True).picture())
    holders = np.full((height, width), len(cutouts), np.uint8)
    yield Coat("the place", holders.copy(), np.asarray(image))
    boxes = {place.name: place.box for place in layout.places if place.box and layout.strength}
    rng, placed, nobody = np.random.default_rng(seed), [], Placed("", "stands", (0.0, 0.0, 0.0, 0.0))
    for index, cutout in enumerate(cutouts):
        feet = 0.85 + 0.1 * rng.random()
        middle = (index + 1) / (len(cutouts) + 1)
        x0, y0, x1, y1 = boxes.get(cutout.name, (middle - 0.15, feet - 0.4, middle + 0.15, feet))
        box = (round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height))
        figure = Image.fromarray(cutout.pixels).resize((box[2] - box[0], box[3] - box[1]))
        image.paste(figure, box[:2], figure)
        mask = Image.new("L", image.size)
        mask.paste(figure.getchannel("A"), box[:2])
        holders[np.asarray(mask) >= 128] = index
        placed.append(Placed(cutout.name, "stands", (x0, y0, x1, y1), depth=y1, contact=y1))
        last = index == len(cutouts) - 1
        sketch = _sketch(image, holders, shot, placed) if last else None
        yield Coat(cutout.name, holders.copy(), np.asarray(image), sketch)
    if not cutouts:
        yield Coat("the light", holders, np.asarray(image), _sketch(image, holders, shot, [nobody][:0]))


def _sketch(image: Image.Image, holders: np.ndarray, shot: Shot, placed: Sequence[Placed]) -> Sketch:
    masks = holders == np.arange(len(placed), dtype=np.uint8)[:, None, None]
    return Sketch(image, masks, shot, Staging((0.0, 0.0, 1.0, 1.0), tuple(placed)))


def sketch(
    shot: Shot,
    cutouts: Sequence[Cutout],
    *,
    width: int,
    height: int,
    seed: int,
    story_seed: int,
    layout: Layout = Layout(),
) -> Sketch:
    """The finished sketch."""
    asked = {"width": width, "height": height, "seed": seed, "story_seed": story_seed, "layout": layout}
    *_, last = sketching(shot, cutouts, **asked)
    return last.sketch
