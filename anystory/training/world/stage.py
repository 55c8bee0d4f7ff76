"""Where everybody in a frame is: how large, in front of what, hidden by whom. Chance and geometry in numpy."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from anystory.training.art import MARGIN, Art
from anystory.training.bank import PROBE, Ground, SceneBank, SceneCover
from anystory.training.props import WorldProp
from anystory.training.world.choose import IN_THE_AIR, Casting

MAX_SUBJECTS = 4
MOST_HIDDEN = 0.35
"""No subject is hidden by others, or cut by the frame, more than this share of itself; `HIDING` bounds those who hide
behind, sit or swim in something."""

HIDING = (0.2, 0.62)

LEAST = 0.14
"""Nobody's long side is made shorter than this share of the frame."""

# Long side of a subject as a share of the frame, by how many there are.
_SIZES = {1: (0.35, 0.75), 2: (0.30, 0.60), 3: (0.24, 0.42), 4: (0.2, 0.32)}
_SLOTS = {2: (0.27, 0.73), 3: (0.19, 0.5, 0.81), 4: (0.14, 0.38, 0.62, 0.86)}
COVER = 1 - 2 * MARGIN


@dataclass
class Placements:
    """What is drawn: arrays (B, S), or (B, S, ...), of who, how large and where. Positions are shares of the frame;
    `base` is the lowest y of the subject, `foot` the y of the ground below it, by which it is in front of what stands
    further up; `cut` the y below which nothing of it shows (a water line), 2 for none. `action` holds keys of
    `ACTIONS`, `prop` the index of what it sits in or holds, -1 for nothing, `shy` the layer it hides behind or None,
    `sunk` the share of its height that is in water or in what it sits in.
    `covers` are each frame's layers, from the back to the front. Measured in the end: `over` (B, S, S), the share of i
    that j hides, and `seen_x`, the middle of what is seen."""

    entry: np.ndarray
    cell: np.ndarray
    look: np.ndarray
    identity: np.ndarray
    long: np.ndarray
    x: np.ndarray
    base: np.ndarray
    foot: np.ndarray
    angle: np.ndarray
    flip: np.ndarray
    bend: np.ndarray
    cut: np.ndarray
    action: np.ndarray
    prop: np.ndarray
    shy: np.ndarray
    sunk: np.ndarray
    covers: list[list[SceneCover]]
    over: np.ndarray
    seen_x: np.ndarray


@dataclass(frozen=True)
class Sight:
    """How much of the subjects is seen: the share of each that is `hidden` (B, S), that of i which j is `over`
    (B, S, S), that which some layers have `screened` (B, S), and the x of the `middle` of what is seen (B, S)."""

    hidden: np.ndarray
    over: np.ndarray
    screened: np.ndarray
    middle: np.ndarray


class Director:
    """Lays frames out before the scenes of a bank. Of each cell of the art, `extent` is the width and height of what it
    shows and `probes` its alpha, small; `props` are what can be sat in."""

    def __init__(self, art: Art, casting: Casting, bank: SceneBank, props: Sequence[WorldProp], size: int) -> None:
        self.casting, self.props, self._bank, self._size = casting, props, bank, size
        self.probes = art.small[:, 3:].float() / 255
        self.extent = art.extent.numpy().astype(np.float64)

    def lay_out(
        self,
        scene: np.ndarray,
        mirrored: np.ndarray,
        count: int,
        rng: np.random.Generator,
        who: np.ndarray | None = None,
    ) -> Placements:
        n, shape = len(scene), (len(scene), count)
        grounds = [self._bank.grounds[i] for i in scene]
        entry, identity = self.casting.who(shape, rng)
        if who is not None:
            entry, identity = np.asarray(who).reshape(shape), np.broadcast_to(np.eye(3), (*shape, 3, 3)).copy()
        cell = self.casting.first[entry] + (rng.random(shape) * self.casting.count[entry]).astype(int)
        step = 1 + (rng.random(shape) * (self.casting.count[entry] - 1)).astype(int)
        look = self.casting.first[entry] + (cell - self.casting.first[entry] + step) % self.casting.count[entry]
        action = np.array([[self.casting.action(grounds[b], e, rng) for e in entry[b]] for b in range(n)], dtype=object)
        action = action.reshape(shape)

        low, high = _SIZES.get(count, (0.3, 0.6))
        long = rng.uniform(low, high, shape)
        long = np.where(rng.random(shape) < 0.08, rng.uniform(0.15, 0.26, shape), long)
        near = (rng.random(shape) < 0.07) & (count == 1)
        long = np.where(near, rng.uniform(0.8, 1.05, shape), long)
        if count == 1:
            x = np.clip(rng.uniform(0.1, 0.9, shape), long * 0.45, np.maximum(1 - long * 0.45, long * 0.45))
        else:
            slots = np.array(_SLOTS.get(count, ())) + rng.uniform(-0.05, 0.05, shape)
            x = np.take_along_axis(slots, rng.permuted(np.tile(np.arange(count), (n, 1)), axis=1), 1)
            if count == 2:  # some stand one behind the other
                close = (rng.random(n) < 0.15)[:, None]
                x = np.where(close, 0.5 + (x - 0.5) * rng.uniform(0.35, 0.6, (n, 1)), x)
        ground = np.array([g.ground for g in grounds])
        foot = ground[:, :1] + rng.random(shape) * np.diff(ground)
        foot = np.where(near, np.maximum(foot, rng.uniform(1.0, 1.1, shape)), foot)
        angle = np.deg2rad(_angles(action, rng))
        bend = rng.normal(0, (0.04, 0.04, 0.05, 0.05), (*shape, 4)).clip(-0.12, 0.12)
        flip = np.where(rng.random(shape) < 0.15, -1.0, 1.0)
        covers = [self._covers(int(i), flipped) for i, flipped in zip(scene, mirrored, strict=True)]
        layout = Placements(
            entry=entry,
            cell=cell,
            look=look,
            identity=identity,
            long=long,
            x=x,
            base=foot.copy(),
            foot=foot,
            angle=angle,
            flip=flip,
            bend=bend,
            cut=np.full(shape, 2.0),
            action=action,
            prop=np.full(shape, -1),
            shy=np.full(shape, None, dtype=object),
            sunk=np.zeros(shape),
            covers=covers,
            over=np.zeros((*shape, count)),
            seen_x=x,
        )
        self._rise(layout, rng)
        self._swim(layout, grounds, rng)
        self._take(layout, rng)
        half = self.half(layout)
        layout.x = np.clip(layout.x, np.minimum(half[..., 0] - 0.03, 0.5), np.maximum(1.03 - half[..., 0], 0.5))
        self._hide(layout, rng)
        self._clear(layout)
        sight = self.seen(layout)
        layout.over, layout.seen_x = sight.over, sight.middle
        return layout

    def _rise(self, layout: Placements, rng: np.random.Generator) -> None:
        """Lift those who are in the air off the ground, as far as there is room above them."""
        tall = 2 * self.half(layout)[..., 1]
        room = (layout.foot - tall - 0.02).clip(0)
        share = rng.uniform(0.25, 1.0, room.shape)
        for action in IN_THE_AIR:
            least, most = (0.06, 0.22) if action == "jumps" else (0.1, 1.0)
            up = np.clip(share * np.minimum(room, most), np.minimum(least, room), None)
            layout.base = np.where(layout.action == action, layout.foot - up, layout.base)
        low = (layout.foot - layout.base < 0.05) & np.isin(layout.action, IN_THE_AIR)
        # No room to be seen in the air.
        low &= layout.action != "dives"
        layout.action[low], layout.angle[low], layout.base[low] = "stands", 0.0, layout.foot[low]

    def _swim(self, layout: Placements, grounds: Sequence[Ground], rng: np.random.Generator) -> None:
        """Put swimmers into open water, the lower part of them under it."""
        for b, s in zip(*np.nonzero(layout.action == "swims"), strict=True):
            low, high = grounds[b].water
            line = rng.uniform(low + 0.25 * (high - low), high)
            layout.long[b, s] = min(layout.long[b, s], max(0.22, line * 0.8))
            layout.cut[b, s] = layout.foot[b, s] = line
            layout.sunk[b, s] = rng.uniform(0.25, 0.45)
        self._settle(layout)

    def _take(self, layout: Placements, rng: np.random.Generator) -> None:
        """Give out what is sat in and held."""
        for b, s in zip(*np.nonzero(layout.action == "sits in"), strict=True):
            layout.prop[b, s] = rng.integers(len(self.props))
            layout.sunk[b, s] = rng.uniform(0.25, 0.42)
        for b, s in zip(*np.nonzero(layout.action == "holds"), strict=True):
            if self.casting.held:
                layout.prop[b, s] = self.casting.held[rng.integers(len(self.casting.held))]
            else:
                layout.action[b, s] = "stands"
        self._settle(layout)

    def _settle(self, layout: Placements) -> None:
        """Let those who swim or sit in something sink into it by their share."""
        half = self.half(layout)
        under = 2 * half[..., 1] * layout.sunk
        layout.base = np.where(layout.action == "swims", layout.foot + under, layout.base)
        for b, s in zip(*np.nonzero(layout.action == "sits in"), strict=True):
            prop, side = self.props[layout.prop[b, s]], prop_side(half[b, s, 0])
            rim = layout.foot[b, s] - side * (prop.floor - prop.rim)
            layout.base[b, s] = min(rim + under[b, s], layout.foot[b, s] - 0.05 * side)

    def _hide(self, layout: Placements, rng: np.random.Generator) -> None:
        """Move those who hide behind something of the scene that has room for it; the others stand."""
        for b in np.flatnonzero((layout.action == "hides behind").any(1)):
            named = [cover for cover in layout.covers[b] if cover.name and cover.depth <= 1]
            rows = np.flatnonzero(layout.action[b] == "hides behind")
            for s in rows:
                layout.action[b, s] = "stands"
                if s != rows[0] or not named:
                    continue
                cover = named[rng.integers(len(named))]
                columns = np.flatnonzero((cover.probe > 0.5).any(0).numpy())
                if not len(columns):
                    continue
                tries = 12
                tried = _only(layout, int(b), tries)
                left, right = (columns[0] + 0.5) / PROBE, (columns[-1] + 0.5) / PROBE
                tried.x[:, s] = rng.uniform(left - 0.06, right + 0.06, tries).clip(0.1, 0.9)
                tried.long[:, s] = rng.uniform(0.22, 0.5, tries)
                tried.foot[:, s] = tried.base[:, s] = cover.depth - rng.uniform(0.01, 0.04, tries)
                tried.angle[:, s] = np.deg2rad(rng.uniform(-8, 8, tries))
                sight = self.seen(tried, {id(cover)})
                fine = (sight.screened[:, s] > HIDING[0]) & (sight.hidden[:, s] < HIDING[1])
                if fine.any():
                    k = int(fine.argmax())
                    for name in ("x", "long", "foot", "base", "angle"):
                        getattr(layout, name)[b, s] = getattr(tried, name)[k, s]
                    layout.action[b, s] = "hides behind"
                    layout.shy[b, s] = cover

    def _clear(self, layout: Placements) -> None:
        """Take scenery away that hides too much of someone, and shrink those who hide each other; where that does not
        do, nobody hides and all spread out."""
        for is_last in (False, True):
            under = np.isin(layout.action, ("hides behind", "swims", "sits in"))
            bound = np.where(under, HIDING[1] + 0.04, MOST_HIDDEN) - 0.03
            for b in np.flatnonzero((self.hidden(layout) > bound).any(1)):
                if is_last:
                    hides = layout.action[b] == "hides behind"
                    layout.action[b, hides], layout.shy[b] = "stands", None
                    layout.x[b, np.argsort(layout.x[b])] = _SLOTS.get(layout.x.shape[1], 0.5)
                    bound[b, hides] = MOST_HIDDEN - 0.03
                shy = [c for c in layout.shy[b] if c is not None]
                layout.covers[b] = [c for c in layout.covers[b] if not c.name or any(c is s for s in shy)]
            for _ in range(6):
                bad = np.asarray((self.hidden(layout) > bound).any(1))
                if not bad.any():
                    return
                shrunk = np.where(
                    bad[:, None] & (layout.action != "hides behind"), np.maximum(0.85 * layout.long, LEAST), layout.long
                )
                layout.long = np.minimum(layout.long, shrunk)
                self._settle(layout)

    def _covers(self, scene: int, mirrored: bool) -> list[SceneCover]:
        covers = self._bank.covers[scene]
        if not mirrored:
            return covers
        return [
            SceneCover(c.pixels.flip(2), self._size - c.x - c.pixels.shape[2], c.y, c.depth, c.name, c.probe.flip(1))
            for c in covers
        ]

    def half(self, layout: Placements) -> np.ndarray:
        """Half the width and height (B, S, 2) of each subject's box as it lies in the frame, in shares of the frame."""
        extent = self.extent[layout.cell] * (layout.long / COVER)[..., None] / 2
        cos, sin = np.abs(np.cos(layout.angle)), np.abs(np.sin(layout.angle))
        return np.stack([extent[..., 0] * cos + extent[..., 1] * sin, extent[..., 0] * sin + extent[..., 1] * cos], -1)

    def matrices(self, layout: Placements) -> np.ndarray:
        """(B, S, 3, 3): from frame coordinates in [−1, 1] to those of the subject's cell."""
        half = self.half(layout)
        scale = layout.long / COVER
        x, y = 2 * layout.x - 1, 2 * (layout.base - half[..., 1]) - 1
        cos, sin, zero, one = np.cos(layout.angle), np.sin(layout.angle), 0 * x, 0 * x + 1
        move = stack([[one, zero, -x], [zero, one, -y], [zero, zero, one]])
        turn = stack([[cos, sin, zero], [-sin, cos, zero], [zero, zero, scale]])
        shear, stretch, px, py = (layout.bend[..., k] for k in range(4))
        form = stack([[layout.flip * (1 + stretch), shear, zero], [zero, 1 - stretch, zero], [px, py, one]])
        return form @ turn @ move

    def seen(self, layout: Placements, screens: Set[int] = frozenset()) -> Sight:
        """What is seen of each subject, on small masks. `screens` holds the ids of the layers whose part in hiding
        them is wanted by itself."""
        n, count = layout.cell.shape
        # Twice the frame's field of view, to see what lies outside.
        wide = self.matrices(layout) @ np.diag([2.0, 2.0, 1.0])
        probes = self.probes[torch.from_numpy(layout.cell.reshape(-1))]
        alphas = warp(probes, wide.reshape(-1, 3, 3), 2 * PROBE).view(n, count, 2 * PROBE, 2 * PROBE).numpy()
        whole = alphas.sum((2, 3)).clip(1e-6)
        q = PROBE // 2
        alphas = alphas[:, :, q:-q, q:-q]
        rows = (np.arange(PROBE) + 0.5) / PROBE
        seen = alphas * (rows < layout.cut[..., None])[..., None]
        over, screened = np.zeros((n, count, count)), np.zeros((n, count))
        for b in range(n):
            for s in range(count):
                for cover in layout.covers[b]:
                    if cover.name and cover.depth > layout.foot[b, s]:
                        if id(cover) in screens:
                            screened[b, s] = (seen[b, s] * cover.probe.numpy()).sum() / whole[b, s]
                        seen[b, s] *= 1 - cover.probe.numpy()
        for i in range(count):
            for j in range(count):
                front = (layout.foot[:, j] > layout.foot[:, i]) | ((layout.foot[:, j] == layout.foot[:, i]) & (j > i))
                hiding = np.where(front[:, None, None], alphas[:, j], 0.0)
                over[:, i, j] = (alphas[:, i] * hiding).sum((1, 2)) / whole[:, i]
                seen[:, i] *= 1 - hiding
        hidden = 1 - seen.sum((2, 3)) / whole * np.where(layout.action == "sits in", 1 - layout.sunk, 1.0)
        columns = seen.sum(2)
        middle = (columns * ((np.arange(PROBE) + 0.5) / PROBE)).sum(-1) / columns.sum(-1).clip(1e-6)
        return Sight(hidden, over, screened, middle)

    def hidden(self, layout: Placements) -> np.ndarray:
        """(B, S) share of each subject that others, the scene or water cover or the frame cuts off."""
        return self.seen(layout).hidden


def _only(layout: Placements, b: int, times: int) -> Placements:
    """Frame b of a layout, `times` over."""
    values: dict[str, Any] = {}
    for f in fields(Placements):
        value = getattr(layout, f.name)
        values[f.name] = [value[b]] * times if f.name == "covers" else np.repeat(value[b : b + 1], times, 0)
    return Placements(**values)


def _angles(action: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Degrees by which each subject is turned, as its action has it."""
    shape = action.shape
    side = rng.choice([-1.0, 1.0], shape)
    by_action = {
        "lies": side * rng.uniform(80, 100, shape),
        "stands on its head": 180 + rng.uniform(-10, 10, shape),
        "jumps": rng.uniform(-15, 15, shape),
        "flies": side * rng.uniform(20, 55, shape),
        "floats": rng.uniform(-18, 18, shape),
        "falls": 180 + side * rng.uniform(10, 50, shape),
        "swims": rng.uniform(-12, 12, shape),
        "dives": side * rng.uniform(0, 60, shape),
    }
    angle = rng.uniform(-6, 6, shape)
    for name, degrees in by_action.items():
        angle = np.where(action == name, degrees, angle)
    return angle


def prop_side(half_width: float) -> float:
    """Side, in shares of the frame, of what someone of this half width sits in."""
    return float(np.clip(2.5 * half_width, 0.14, 0.85))


def stack(rows: list[list[np.ndarray]]) -> np.ndarray:
    return np.stack([np.stack(row, -1) for row in rows], -2)


def warp(source: torch.Tensor, matrices: np.ndarray, side: int) -> torch.Tensor:
    """`source` (N, C, h, w) seen through homogeneous `matrices` (N, 3, 3), output to source, in [−1, 1]."""
    axis = (torch.arange(side) + 0.5) * (2 / side) - 1
    m = torch.from_numpy(matrices.astype(np.float32))

    def plane(k: int) -> torch.Tensor:
        # m0 x + m1 y + m2: an outer sum is far cheaper than a product with every point.
        return (m[:, k, 0, None] * axis)[:, None, :] + (m[:, k, 1, None] * axis + m[:, k, 2, None])[:, :, None]

    grid = torch.stack([plane(0), plane(1)], -1)
    if (matrices[:, 2] != (0, 0, 1)).any():  # perspective
        grid /= plane(2).clamp_(min=1e-3)[..., None]
    return F.grid_sample(source, grid, padding_mode="zeros", align_corners=False)
