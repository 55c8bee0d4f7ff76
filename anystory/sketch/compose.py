"""From a `Staging` to pixels: the painted place, the cut-outs in its light, the medium over everybody."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from anystory.sketch.bend import bent, tallness
from anystory.sketch.cutout import Cutout
from anystory.sketch.hand import REACH, in_medium
from anystory.sketch.light import light_of, lit
from anystory.sketch.marks import drawn
from anystory.sketch.patch import Fit, Patch, fitted
from anystory.sketch.scenery import Painting
from anystory.sketch.shadow import (
    air_shadow,
    cast_shadow,
    contact_shadow,
    dropped,
    mirrored,
    step_of,
)
from anystory.sketch.stagecraft.props import cutout_of, rows_of, silhouette_of
from anystory.sketch.staging import Box, Placed, PlacedMark, PlacedThing, Staging
from anystory.sketch.things.render import MAX_HEIGHT
from anystory.sketch.water import submerged, surface, water_colour
from anystory.story.shot import Shot

_THIN = 0.4
"""How much of the fog that is before the cast stays."""

_WET = 0.3
"""How clearly wet ground mirrors who stands on it."""

_ON = 0.03
"""Who touches something this far or further above its ground is on something: nothing falls beside that."""

_SHARE = np.arange(256, dtype=np.float32) / 255
"""How much of a pixel each alpha covers."""

_LEFT = 1 - _SHARE
"""And how much of what is behind it is seen."""


_PALE = 176
"""From which brightness on, 0 to 255, chalk is not seen on a place."""


@dataclass(frozen=True)
class Sketch:
    """A panel as the sketch shows it. `image` RGB. `masks` bool (N, H, W), N = the shot's roles in their order: exactly
    the pixels at which each is seen; no pixel belongs to two. `notes`: sentences for the user, such as that a picture
    is too small for its use."""

    image: Image.Image
    masks: np.ndarray
    shot: Shot
    staging: Staging
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coat:
    """A sketch while it is being made: one more layer is put down, `what` it is ("the place", a name, "a bush").
    `holders` uint8 (H, W): whose each pixel is by now, the index of a role, N for the place. `picture` RGB: as far as
    it is. Both are gone on with when the next coat is asked for: copy what is to stay as it is. `laid`: what was laid
    over the coat before, from the back to the front, each with what it is of this coat's, "shadow", "" for itself.
    Only the last coat, the medium's, has the finished `sketch`."""

    what: str
    holders: np.ndarray
    picture: Image.Image
    laid: tuple[tuple[str, Patch], ...] = ()
    sketch: Sketch | None = None


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The part of a painted place that a frame shows, in pixels. `picture` uint8 (H, W, 3): what is behind everybody.
    `layers`: what stands before it, from the back to the front, each with the y of its line in shares of the frame
    (infinite: in front of everyone) and its name, "" for what hides nobody."""

    picture: np.ndarray
    window: Box
    layers: tuple[tuple[Patch, float, str], ...]

    @property
    def nbytes(self) -> int:
        return self.picture.nbytes + sum(patch.pixels.nbytes for patch, _, _ in self.layers)


def backdrop(painting: Painting, width: int, height: int, window: Box) -> Backdrop:
    """Render the `window` of a place at `width` x `height` pixels."""
    scene = painting.render(width, height, window)
    top, bottom = window[1], window[3]
    layers = []
    for layer in scene.layers:
        x0, y0, x1, y1 = layer.box
        depth = np.inf if layer.depth > 1 else (layer.depth - top) / (bottom - top)
        layers.append((Patch(layer.pixels[y0:y1, x0:x1].copy(), x0, y0), depth, layer.name))
    return Backdrop(scene.background, window, tuple(layers))


@dataclass(frozen=True)
class Piece:
    """One thing of a panel by itself, to be moved about. `picture` RGBA. `role`: its number among the shot's, None for
    what is nobody; `owner`: the role that it goes along with, as what somebody holds does. `depth` as of a `Placed`. A
    role's picture is upright and not mirrored; that is to be done about its `middle` (pixels of the frame), by `angle`
    degrees clockwise after mirroring. `size`: width and height of the cut-out in it, in pixels, without the medium's
    edges."""

    picture: Image.Image
    depth: float
    middle: tuple[float, float]
    role: int | None = None
    owner: int | None = None
    angle: float = 0.0
    mirrored: bool = False
    size: tuple[float, float] = (0.0, 0.0)


def layers(
    staging: Staging, cutouts: Sequence[Cutout], painting: Painting, behind: Backdrop, width: int, height: int
) -> list[Piece]:
    """A panel taken apart, from the back to the front, the place's ground first; arguments as of `composing`. Shadows
    are left out, and so is the paper's grain."""
    board, found = _Board(painting, behind, len(cutouts)), list[Piece]()
    names = [placed.name for placed in staging.placed]
    found.append(Piece(board.canvas, -math.inf, (width / 2, height / 2)))
    for item in _in_order(behind, staging):
        if isinstance(item, int):
            found.append(board.upright(item, staging.placed[item], bent(cutouts[item], staging.placed[item].bend)))
            continue
        blank = board.blank()
        owner = ""
        if isinstance(item, PlacedThing):
            blank.put(len(cutouts), item, picture_of(item, height))
            depth, owner = item.depth, item.held_by
        elif isinstance(item, PlacedMark):
            blank.sign(item)
            depth, owner = item.depth, item.owner
        else:
            patch, depth, _ = item
            blank.paste(patch)
        box = blank.canvas.getbbox()
        if box:
            middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            at = names.index(owner) if owner in names else None
            found.append(Piece(blank.canvas.crop(box), depth, middle, owner=at))
    return found


def compose(
    staging: Staging, shot: Shot, cutouts: Sequence[Cutout], painting: Painting, width: int, height: int
) -> Sketch:
    """The finished picture of a staging; see `composing`."""
    return finished(composing(staging, shot, cutouts, painting, width, height))


def finished(coats: Iterable[Coat]) -> Sketch:
    """The sketch that the last of the coats has."""
    *_, last = coats
    if last.sketch is None:
        raise ValueError("The last coat has no sketch; go through all of them.")
    return last.sketch


def composing(
    staging: Staging,
    shot: Shot,
    cutouts: Sequence[Cutout],
    painting: Painting,
    width: int,
    height: int,
    behind: Backdrop | None = None,
) -> Iterator[Coat]:
    """Put a panel together at `width` x `height` pixels, layer by layer from the back to the front. `cutouts` are one
    for each of the staging's `placed`; `behind` is the place's `backdrop` in the staging's window where it is at hand.
    Raises ValueError where they do not belong together."""
    if len(cutouts) != len(staging.placed):
        raise ValueError(f"There are {len(staging.placed)} roles and {len(cutouts)} cut-outs; give one for each role.")
    board = _Board(painting, behind or backdrop(painting, width, height, staging.window), len(cutouts))
    yield board.coat("the place")
    for item in _in_order(board.behind, staging):
        if isinstance(item, int):
            placed = staging.placed[item]
            board.put(item, placed, bent(cutouts[item], placed.bend))
            yield board.coat(placed.name)
        elif isinstance(item, PlacedThing):
            board.put(len(cutouts), item, picture_of(item, height))
            yield board.coat(f"the {item.concept}")
        elif isinstance(item, PlacedMark):
            board.sign(item)
            yield board.coat("a mark")
        else:
            patch, _, name = item
            board.paste(patch if name else board.thinned(patch), len(cutouts) if name else None)
            yield board.coat(name or painting.weather or "the air")
    image = painting.grain(np.array(board.canvas))
    masks = board.holders == np.arange(len(cutouts), dtype=np.uint8)[:, None, None]
    sketch = Sketch(Image.fromarray(image), masks, shot, staging, staging.notes)
    yield Coat(painting.medium, board.holders, sketch.image, sketch=sketch)


Item = int | PlacedThing | PlacedMark | tuple[Patch, float, str]


def _in_order(behind: Backdrop, staging: Staging) -> list[Item]:
    """Layers, things, marks and the numbers of roles from the back to the front. Who stands on a layer's line is in
    front of it; of a role and a thing on one line the thing is."""
    things = [thing for thing in staging.things if thing.drawing is not None]
    items: list[Item] = [*behind.layers, *range(len(staging.placed)), *things, *staging.marks]

    def depth(item: Item) -> float:
        if isinstance(item, tuple):
            return item[1]
        return (staging.placed[item] if isinstance(item, int) else item).depth

    return sorted(items, key=depth)


def picture_of(thing: PlacedThing, height: int) -> Cutout:
    """A thing's drawing, bent, as large as it is in a frame of `height` pixels. Raises ValueError for a thing without
    one."""
    if thing.drawing is None:
        raise ValueError(f"{thing.concept} is shown by its place; it has no drawing.")
    tall = (thing.box[3] - thing.box[1]) * height
    rows = rows_of(thing.drawing, thing.count) * tallness(silhouette_of(thing.drawing, thing.count), thing.bend)
    pixels = min(max(round(tall / rows), 1), MAX_HEIGHT)
    return bent(cutout_of(thing.drawing, thing.count, thing.colour, pixels), thing.bend)


class _Board:
    """The picture as it is being put together, and whose each pixel is."""

    def __init__(self, painting: Painting, behind: Backdrop, roles: int) -> None:
        self.painting, self.behind, self.roles = painting, behind, roles
        self.canvas = Image.fromarray(behind.picture)
        self.width, self.height = self.canvas.size
        self.unit = math.sqrt(self.width * self.height) / 100
        self.light = light_of(painting, behind.picture, behind.window)
        self.holders = np.full(behind.picture.shape[:2], roles, np.uint8)
        self._seen = np.zeros(behind.picture.shape[:2], np.float32)  # how much of its pixel's holder is seen
        self._laid: list[tuple[str, Patch]] = []

    def blank(self) -> _Board:
        """The same place and light with nothing in the picture yet."""
        board = copy(self)
        board._laid = []
        board.canvas = Image.new("RGBA", self.canvas.size)
        board.holders, board._seen = np.full_like(self.holders, self.roles), np.zeros_like(self._seen)
        return board

    def coat(self, what: str) -> Coat:
        laid, self._laid = tuple(self._laid), []
        return Coat(what, self.holders, self.canvas, laid)

    def paste(self, patch: Patch | None, holder: int | None = None, part: str = "") -> None:
        """Lay a patch, which is `part` of what is put down, over the picture. Its pixels are from now on `holder`'s
        where half of them or more is it, and nobody's where less than half of who held them is left; without a holder
        it hides nobody."""
        patch = patch and patch.clipped(self.width, self.height)
        if patch is None:
            return
        image = Image.fromarray(np.ascontiguousarray(patch.pixels))
        if self.canvas.mode == "RGBA":
            self.canvas.alpha_composite(image, (patch.x, patch.y))
        else:
            self.canvas.paste(image, (patch.x, patch.y), image)
        self._laid.append((part, patch))
        if holder is None:
            return
        alpha = np.ascontiguousarray(patch.pixels[..., 3])
        where = (slice(patch.y, patch.y + alpha.shape[0]), slice(patch.x, patch.x + alpha.shape[1]))
        seen, holders = self._seen[where], self.holders[where]
        seen *= _LEFT.take(alpha)
        np.putmask(holders, seen < 0.5, self.roles)
        held = alpha >= 128
        np.putmask(holders, held, holder)
        np.copyto(seen, _SHARE.take(alpha), where=held)

    def thinned(self, air: Patch) -> Patch:
        """Fog in front of everything, thinner before the cast: they are near, and their faces are to be read."""
        if self.painting.weather != "fog":
            return air
        height, width = air.pixels.shape[:2]
        held = self.holders[air.y : air.y + height, air.x : air.x + width] < self.roles
        pixels = air.pixels.copy()
        pixels[..., 3] = np.where(held, pixels[..., 3] * _THIN, pixels[..., 3])
        return replace(air, pixels=pixels)

    def put(self, index: int, placed: Placed | PlacedThing, cutout: Cutout) -> None:
        """Draw a role, or a thing, which counts as the place: what it throws on the ground, then itself."""
        painting, light, unit = self.painting, self.light, self.unit
        fit = fitted(cutout, placed, self.width, self.height)
        figure = fit.patch(self.width, self.height, round(4 * unit) + 4)
        if placed.waterline is None:
            self._shade(fit, placed)
        if figure is None:
            return
        figure = in_medium(figure, painting.medium, cutout.kind, unit)
        figure = lit(figure, light, cutout.kind, self._away(placed.depth), fit.x / self.width, fit.y / self.height)
        if placed.waterline is not None:
            line, half = placed.waterline * self.height, fit.size[0] / 2
            colour = water_colour(self.behind.picture, line, fit.x - half, fit.x + half)
            self.paste(mirrored(figure, line, 0.3), part="reflection")
            self.paste(submerged(figure, line, colour, unit), index)
            self.paste(surface(figure, line, colour, unit), part="ripples")
            return
        if placed.contact is not None and painting.weather == "rain" and not _is_on(placed):
            self.paste(mirrored(figure, placed.contact * self.height, _WET), part="reflection")
        if painting.medium == "paper":
            self.paste(dropped(figure, REACH["paper"] * unit), part="shadow")
        self.paste(figure, index)

    def upright(self, index: int, placed: Placed, cutout: Cutout) -> Piece:
        """A role's whole picture in the medium and the light of its place, neither turned nor mirrored."""
        painting, unit = self.painting, self.unit
        fit = fitted(cutout, placed, self.width, self.height)
        figure = replace(fit, angle=0.0, mirrored=False).patch(self.width, self.height, 100 * max(self.canvas.size))
        assert figure is not None  # so far beyond the frame nobody is
        figure = in_medium(figure, painting.medium, cutout.kind, unit)
        x, y = fit.x / self.width, fit.y / self.height
        figure = lit(figure, self.light, cutout.kind, self._away(placed.depth), x, y)
        rows, columns = (side * fit.scale for side in cutout.pixels.shape[:2])
        image = Image.fromarray(np.ascontiguousarray(figure.pixels))
        return Piece(image, placed.depth, (fit.x, fit.y), index, None, placed.angle, placed.mirrored, (columns, rows))

    def sign(self, mark: PlacedMark) -> None:
        """Draw a comic mark, which counts as the place and throws no shadow on it."""
        medium, unit = self.painting.medium, self.unit
        x0, y0, x1, y1 = (share * side for share, side in zip(mark.box, (self.width, self.height) * 2, strict=True))
        around = self.behind.picture[max(round(y0), 0) : round(y1) + 1, max(round(x0), 0) : round(x1) + 1]
        tall = x1 - x0 if abs(mark.angle) == 90 else y1 - y0
        cutout = drawn(mark.name, medium, round(tall), pale=bool(around.size and around.mean() > _PALE))
        fit = replace(fitted(cutout, mark, self.width, self.height), x=(x0 + x1) / 2, y=(y0 + y1) / 2)
        figure = fit.patch(self.width, self.height, round(4 * unit) + 4)
        if figure is None:
            return
        if mark.name != "speed":  # a medium's edges are broader than those strokes
            figure = in_medium(figure, medium, cutout.kind, unit)
        figure = lit(figure, self.light, cutout.kind, 0.0, fit.x / self.width, fit.y / self.height)
        if medium == "paper":
            self.paste(dropped(figure, REACH["paper"] * unit), part="shadow")
        self.paste(figure, self.roles)

    def _shade(self, fit: Fit, placed: Placed | PlacedThing) -> None:
        """The shadows a role throws on the ground, or a thing that lies there."""
        light, step = self.light, step_of(fit.size)
        outline = fit.outline(step)
        if placed.contact is None:
            if not self.painting.floats and isinstance(placed, Placed):
                shadow = air_shadow(outline, step, placed.depth * self.height, self.height, light)
                self.paste(shadow, part="shadow")
            return
        ground = placed.contact * self.height
        if light.cast and not _is_on(placed):
            lean = min(max((fit.x / self.width - light.sun) * 1.6, -1.1), 1.1)
            self.paste(cast_shadow(outline, step, ground, lean, light), part="shadow")
        shadow = contact_shadow(outline, step, ground, light)
        self.paste(self._on_what_stands(shadow) if _is_on(placed) else shadow, part="shadow")

    def _on_what_stands(self, patch: Patch) -> Patch | None:
        """The part of a patch that falls on somebody or something, not on the place behind."""
        seen = patch.clipped(self.width, self.height)
        if seen is None:
            return None
        patch = seen
        rows, columns = patch.pixels.shape[:2]
        stands = self._seen[patch.y : patch.y + rows, patch.x : patch.x + columns] >= 0.5
        return Patch(np.dstack([patch.pixels[..., :3], patch.pixels[..., 3] * stands]), patch.x, patch.y)

    def _away(self, depth: float) -> float:
        """How far off somebody on the line `depth` is: 0 where one stands nearest, 1 at the horizon."""
        top, bottom = self.behind.window[1], self.behind.window[3]
        nearest, horizon = self.painting.ground[1], self.painting.horizon
        return min(max((nearest - top - depth * (bottom - top)) / (nearest - horizon), 0.0), 1.0)


def _is_on(placed: Placed | PlacedThing) -> bool:
    """Whether who touches something does so above its ground: on a rock, on a horse."""
    return placed.contact is not None and placed.depth - placed.contact >= _ON
