"""Panels for the tests of staging: cut-outs, places and shots, chosen by chance or made for one test."""

import functools
import random
from pathlib import Path

import numpy as np
from PIL import Image

from anystory.sketch.cutout import Cutout
from anystory.sketch.scenery import PLACES, paint
from anystory.sketch.stagecraft.poses import POSES
from anystory.sketch.staging import stage
from anystory.story.shot import Role, Shot
from anystory.story.steering import Layout

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SQUARE = (512, 512)
SHAPES = ((512, 512), (64, 64), (4096, 4096), (768, 256), (256, 768), (1024, 640), (300, 500))
FACE = 0.45
BESIDE = ("hides", "peeks", "climbs", "rides", "hugs", "kisses", "holds", "carries")
"""What puts somebody behind or over something."""

WHERE = ("far left", "left", "middle", "right", "far right")


@functools.cache
def painting(place="meadow", seed=3):
    return paint(place, PLACES[place].times[0], PLACES[place].weathers[0], "flat", seed)


def drawing(name, width=60, height=100, **how):
    """A picture of an oval."""
    y, x = np.mgrid[:height, :width] + 0.5
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[(2 * x / width - 1) ** 2 + (2 * y / height - 1) ** 2 <= 1] = (200, 90, 40, 255)
    return Cutout(name, pixels, **how)


@functools.cache
def asset(path):
    pixels = np.array(Image.open(ASSETS / path).convert("RGBA"))
    rows, columns = (np.flatnonzero((pixels[..., 3] > 127).any(axis)) for axis in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


REAL = (
    "example/bruno.png",
    "example/lola.png",
    "example/pip.png",
    "shelf/leo.webp",
    "shelf/tuk.webp",
    "shelf/sandy.webp",
)


def staged(*roles, place="meadow", size=SQUARE, seed=1, layout=Layout(), cuts=None, **shot):
    """The placed of roles, each an action or a `Role`; cut-outs are ovals where `cuts` has none of the name."""
    roles = [Role(f"P{i}", role) if isinstance(role, str) else role for i, role in enumerate(roles)]
    cutouts = [(cuts or {}).get(role.name) or drawing(role.name) for role in roles]
    return stage(Shot(place=place, roles=tuple(roles), **shot), cutouts, painting(place), size, seed, layout).placed


def random_panel(seed, most=12, related=False):
    """A shot, its cut-outs and the frame's size."""
    chance = random.Random(seed)
    names = [f"P{i}" for i in range(chance.randint(1, most))]
    actions = ["stands", *(action for action in POSES if related or action not in BESIDE)]
    roles, cutouts = [], []
    for name in names:
        how = {"where": chance.choice(WHERE)} if chance.random() < 0.2 else {}
        how |= {"distance": chance.choice(("near", "far"))} if chance.random() < 0.1 else {}
        how |= {"size": chance.choice(("tiny", "small", "big", "huge"))} if chance.random() < 0.1 else {}
        others = [other for other in names if other != name]
        if related and others:
            how["relation"] = chance.choice(
                ("", "behind", "in front of", "next to", "on", "under", "above", "in", "between")
            )
            how["targets"] = tuple(chance.sample(others, min(len(others), 1 + (how["relation"] == "between"))))
            how["toward"] = chance.choice(("", *others))
        action = chance.choice(actions) if chance.random() < 0.6 else "stands"
        roles.append(Role(name, action, height=chance.choice((0.1, 0.4, 1.2, 1.7, 3.0)), **how))
        facing, cut = chance.choice(("", "left", "right")), {"bottom"} if chance.random() < 0.08 else set()
        if chance.random() < 0.4:
            cutouts.append(Cutout(name, asset(chance.choice(REAL)), frozenset(cut), facing=facing))
        else:
            wide = chance.choice((30, 60, 90, 130))
            cutouts.append(drawing(name, wide, cut=frozenset(cut), facing=facing))
    shot = Shot(
        place=chance.choice(list(PLACES)),
        framing=chance.choice(("", "", "", "wide", "medium", "close-up", "from above", "from below")),
        roles=tuple(roles),
        speakers=tuple(chance.sample(names, min(len(names), chance.choice((0, 0, 1, 2))))),
    )
    return shot, cutouts, chance.choice(SHAPES)


def face(placed):
    """The box that nobody may cover: the upper part, of who does not stand upright all of it."""
    x0, y0, x1, y1 = placed.box
    return x0, y0, x1, y0 + FACE * (y1 - y0) if abs(placed.angle) < 50 else y1


def shared(a, b):
    """The area two boxes have in common."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def middle(placed):
    return (placed.box[0] + placed.box[2]) / 2


def tall(placed):
    return placed.box[3] - placed.box[1]


def hidden_share(placed, cutout, scene, window, size):
    """How much of a straight figure the layers in front of it, and the frame, hide: pixel by pixel."""
    rows, columns = cutout.pixels.shape[:2]
    hidden = seen = 0
    for row in range(0, rows, 2):
        for column in range(0, columns, 2):
            if cutout.pixels[row, column, 3] < 128:
                continue
            x = placed.box[0] + (column + 0.5) / columns * (placed.box[2] - placed.box[0])
            y = placed.box[1] + (row + 0.5) / rows * tall(placed)
            inside = 0 <= x < 1 and 0 <= y < 1
            covered = inside and any(
                layer.pixels[int(y * size), int(x * size), 3] >= 128
                for layer in scene.layers
                if layer.name and (layer.depth - window[1]) / (window[3] - window[1]) > placed.depth
            )
            hidden, seen = hidden + (covered or not inside), seen + (inside and not covered)
    return hidden / (hidden + seen)
