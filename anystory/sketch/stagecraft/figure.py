"""A cut-out as a figure of a panel: how large it is beside others, how much room it takes when turned, what of it is
seen where. Lengths are in frame heights, in x as in y.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anystory.sketch.bend import STRAIGHT, Bend, bent, tallness
from anystory.sketch.cutout import PIXELS, Cutout
from anystory.sketch.stagecraft.bends import FOURS, ON_A_SEAT, ROUND, TILT, UPRIGHT, bend_of
from anystory.sketch.stagecraft.poses import GROUND, LYING, SEATED, Pose, pose_of
from anystory.sketch.things.drawing import LibraryDrawing
from anystory.story.shot import Role

FACE = 0.48
"""The upper part of a figure that nobody covers."""

LEAST = 0.14
"""Nobody's long side is shorter than this share of the frame's shorter side, if there is room."""

_GROWN = 1.7  # metres
_HEIGHTS = (0.15, 4.0)  # metres; beyond, everybody is drawn as tall as these
_LEAST_THING = 0.05  # metres; the same of things
_POWER_OF_THINGS = 0.66  # the small ones are nearer to their real size
_POWER = 0.45  # drawn heights grow with real ones to this power: a mouse beside a horse can still be seen
SIZES = {"tiny": 0.42, "small": 0.72, "big": 1.35, "huge": 1.85}
_BROAD, _WIDE, _FRONTAL = 0.75, 1.25, 0.75
"""From which widths on, in heights, a picture is broad and wide, and from which likeness to its mirror image on it is
seen from in front."""

_SAMPLES = 64


@dataclass(frozen=True, eq=False)
class Figure:
    """The role number `index` and its cut-out, bent as `bend` says already. `turn`: degrees it is turned towards
    where it looks, in [-180, 180]. `lift`: how high its feet are above the ground, if they are. Things are figures
    too, numbered after the roles: `drawing` is what they are drawn as. `tall`: how tall it is beside a grown person
    when it is not bent, None for what its role and its picture's shape say; `part`: how much of that the bend
    leaves."""

    index: int
    role: Role
    cutout: Cutout
    pose: Pose
    turn: float
    lift: float
    drawing: LibraryDrawing | None = None
    tall: float | None = None
    bend: Bend = STRAIGHT
    part: float = 1.0

    @property
    def lifeless(self) -> bool:
        """Whether it is a thing without a face."""
        return self.drawing is not None and not self.drawing.living

    @cached_property
    def aspect(self) -> float:
        """Width through height of the picture."""
        height, width = self.cutout.pixels.shape[:2]
        return width / height

    @property
    def bust(self) -> bool:
        return "bottom" in self.cutout.cut

    @property
    def cut_side(self) -> int:
        """The side on which the picture's edge cuts it: -1 left, 1 right, 0 for none or both."""
        return ("right" in self.cutout.cut) - ("left" in self.cutout.cut)

    @cached_property
    def relative(self) -> float:
        """How tall it is beside a grown person. Depends on nothing but the role and the picture's shape."""
        return beside_grown(self.role.height, self.aspect) if self.tall is None else self.tall

    def size(self, scale: float, pixels: int) -> tuple[float, float]:
        """Width and height, upright, where a grown person is `scale` tall and the frame `pixels` high. Pixel art comes
        in whole multiples of its own pixels, or of a whole part of them where it must be smaller than it is."""
        height = scale * self.part * self.relative * SIZES.get(self.role.size, 1.0)
        return self.sized(height, pixels)

    def sized(self, height: float, pixels: int) -> tuple[float, float]:
        if self.cutout.kind == PIXELS:
            own = self.cutout.pixels.shape[0] / self.cutout.grid
            times = height * pixels / own
            height = own / pixels * (math.floor(times + 0.5) if times >= 0.75 else 1 / round(1 / times))
        return height * self.aspect, height

    @cached_property
    def turned(self) -> tuple[float, float]:
        """Width and height of the box around the turned picture where the picture's height is 1."""
        return turned(self.aspect, 1.0, self.turn)

    @cached_property
    def lowest(self) -> float:
        """How far below the middle of the turned picture its lowest visible point is, in heights of the picture."""
        return lowest(self.cutout, self.turn, self.facing() < 0)

    def facing(self) -> int:
        """Where the picture looks: -1 to the left, 1 to the right, 0 if nobody knows."""
        return {"left": -1, "right": 1}.get(self.role.facing or self.cutout.facing, 0)


def beside_grown(height: float, aspect: float, lifeless: bool = False) -> float:
    """How tall somebody or something of `height` metres is drawn beside a grown person; what is wider than tall is not
    as tall as it is large."""
    real = min(max(height, _LEAST_THING if lifeless else _HEIGHTS[0]), _HEIGHTS[1]) / _GROWN
    tall = real ** (_POWER_OF_THINGS if lifeless and real < 1 else _POWER)
    return tall * min(1.0, (1.1 / aspect) ** 0.55)


def figure(index: int, role: Role, cutout: Cutout, luck: np.ndarray) -> Figure:
    """`luck`: two numbers in [0, 1) that decide what the pose leaves open."""
    pose = pose_of(role.action)
    turn, lift = (low + (high - low) * chance for (low, high), chance in zip((pose.turn, pose.lift), luck, strict=True))
    if pose.kind == LYING:
        turn = -2 - 2 * luck[0] if on_all_fours(cutout) else -90.0
    elif 30 < turn < 60 and cutout.pixels.shape[1] > 0.8 * cutout.pixels.shape[0]:
        turn = 4.0  # who crawls is on all fours already
    if pose.sways and index % 2:
        turn = -turn
    if cutout.rigid and pose.kind == GROUND:
        turn = lift = 0.0  # its wheels stay on the road
    if "bottom" in cutout.cut:  # its cut edge stays out of sight
        turn, lift = min(max(turn, -10.0), 10.0), 0.0
    if cutout.kind == PIXELS:
        turn = 90.0 * round(turn / 90)
    facing = {"left": -1, "right": 1}.get(role.facing or cutout.facing, 0)
    bend = STRAIGHT
    if role.relation != "in":  # the legs of who is in something are out of sight
        on_a_seat = role.relation == "on" and role.action in SEATED and pose.kind != LYING
        doing = ON_A_SEAT if on_a_seat else role.action
        bend = bend_of(doing, kind_of(cutout, role.facing), facing, other_way=index % 2 == 1)
    if bend.bow or bend.sway:
        turn *= TILT
    height, width = cutout.pixels.shape[:2]
    tall, part = beside_grown(role.height, width / height), tallness(cutout, bend)
    return Figure(index, role, bent(cutout, bend), pose, float(turn), float(lift), tall=tall, bend=bend, part=part)


def kind_of(cutout: Cutout, facing: str) -> str:
    """What can be bent of a picture, one of the words of `bends`, or "" for nothing; `facing` as of a `Role`."""
    if cutout.cut or cutout.kind == PIXELS or cutout.rigid:
        return ""
    if facing != "front" and on_all_fours(cutout):
        return FOURS
    height, width = cutout.pixels.shape[:2]
    return UPRIGHT if width < _BROAD * height else ROUND


def on_all_fours(cutout: Cutout) -> bool:
    """Whether a picture shows somebody wide, or somebody broad that is seen from the side. Turned to lie down,
    an animal would stand on its head or its tail; a bear that sits facing the viewer lies well."""
    height, width = cutout.pixels.shape[:2]
    if width > _WIDE * height:
        return True
    seen = solid(cutout)
    alike = (seen & seen[:, ::-1]).sum() / max((seen | seen[:, ::-1]).sum(), 1)
    return bool(width > _BROAD * height and alike < _FRONTAL)


def turned(width: float, height: float, angle: float) -> tuple[float, float]:
    """Width and height of the box around a rectangle that is turned by `angle` degrees."""
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    return width * cos + height * sin, width * sin + height * cos


def solid(cutout: Cutout) -> np.ndarray:
    """Where the cut-out is, bool, every so many pixels: at most `_SAMPLES` a side or a little more."""
    step = max(1, max(cutout.pixels.shape[:2]) // _SAMPLES)
    return cutout.pixels[::step, ::step, 3] >= 128


def lowest(cutout: Cutout, angle: float, mirrored: bool) -> float:
    """How far below its middle the lowest visible point of the turned cut-out is, in heights of the picture."""
    seen = solid(cutout)
    height, width = cutout.pixels.shape[:2]
    if angle % 360 == 0 or not seen.any():
        return 0.5
    rows, columns = np.nonzero(seen)
    y = (rows + 0.5) / seen.shape[0] - 0.5
    x = ((columns + 0.5) / seen.shape[1] - 0.5) * width / height * (-1 if mirrored else 1)
    turn = math.radians(angle)
    return float((x * math.sin(turn) + y * math.cos(turn)).max()) + 0.5 / seen.shape[0]


def top_between(cutout: Cutout, left: float, right: float) -> float:
    """The y, as a share of the picture's height, of the highest visible point between two shares of its width."""
    seen = solid(cutout)
    columns = seen[:, int(left * seen.shape[1]) : max(int(right * seen.shape[1]), int(left * seen.shape[1]) + 1)]
    rows = np.flatnonzero(columns.any(1))
    return float(rows[0]) / seen.shape[0] if len(rows) else 0.0
