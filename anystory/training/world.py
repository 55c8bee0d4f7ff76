"""The synthetic world the embedded model learns from: a painted place with 0–4 drawn subjects in it, who is where to
the pixel, and a sentence that is true of it.

Chance and layout are numpy and depend on the generator alone; pixels are torch. All of it is on the CPU.
Identity has to come from the reference picture: many subjects are recoloured (target and reference alike), half
of all captions say no more than "a character", and pairs of one kind are common.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from anystory.sketch.scenery import PLACES
from anystory.training.art import MARGIN, Art, ArtEntry, noun_phrase
from anystory.training.bank import PROBE, THUMB, Ground, SceneBank, SceneCover
from anystory.training.captions import Told, caption, colour_names
from anystory.training.parallel import one_thread
from anystory.training.props import props

MAX_SUBJECTS = 4
MOST_HIDDEN = 0.35
"""No subject is hidden by others, or cut by the frame, more than this share of itself; `HIDING` bounds those who hide
behind, sit or swim in something."""

HIDING = (0.2, 0.62)

LEAST = 0.14
"""Nobody's long side is made shorter than this share of the frame."""

_GROUP_WEIGHT = {
    "animals-nature": 2.0,
    "people-body": 1.5,
    "smileys-emotion": 0.6,
    "objects": 0.5,
    "food-drink": 0.5,
    "travel-places": 0.6,
    "activities": 0.5,
}
_SUBGROUP_WEIGHT = {
    # Several people in one drawing would teach that one subject is a crowd; bare symbols have no shape to keep.
    "family": 0.0,
    "person-symbol": 0.0,
    "emotion": 0.1,
    "heart": 0.1,
    "sky-weather": 0.3,
    "body-parts": 0.3,
    "face-costume": 2.0,
    "cat-face": 1.0,
    "monkey-face": 1.0,
    "person-fantasy": 3.0,
    "comic": 0.7,
}
_CROWDS = {"men", "women", "people", "couple", "kiss", "busts"}
_POSES_WEIGHT = 4.0
"""A group of poses is the only teacher of "the same one, otherwise"."""

_HELD = {
    "food-fruit",
    "food-sweet",
    "drink",
    "musical-instrument",
    "book-paper",
    "game",
    "sport",
    "plant-flower",
}
"""Subgroups of what can be held."""

# Long side of a subject as a share of the frame, by how many there are.
_SIZES = {1: (0.35, 0.75), 2: (0.30, 0.60), 3: (0.24, 0.42), 4: (0.2, 0.32)}
_SLOTS = {2: (0.27, 0.73), 3: (0.19, 0.5, 0.81), 4: (0.14, 0.38, 0.62, 0.86)}
_COVER = 1 - 2 * MARGIN
_BUCKETS = 8
"""Subjects are drawn in squares of so many eighths of the frame's side."""

_ON_LAND = {
    "stands": 0.62,
    "lies": 0.05,
    "stands on its head": 0.04,
    "jumps": 0.07,
    "flies": 0.05,
    "floats": 0.04,
    "falls": 0.04,
    "sits in": 0.05,
    "holds": 0.04,
}
_AFLOAT = {"stands": 0.1, "floats": 0.5, "flies": 0.25, "falls": 0.15}
_UNDER_WATER = {"stands": 0.1, "dives": 0.9}
_IN_THE_AIR = ("jumps", "flies", "floats", "falls", "dives")
_HIDES, _SWIMS = 0.3, 0.4
"""How often someone hides behind what a scene has to hide behind, and swims where there is water."""

_SUNNY = {"day", "sunrise", "sunset"}


@dataclass(frozen=True)
class Batch:
    """B composed frames with S subjects each, at H = W = the world's size.

    `frames` uint8 (B, 3, H, W). `masks` float32 (B, S, H, W) in [0, 1]: what is visible of each subject.
    `references` uint8 (B, S, 4, R, R), R = H: RGBA, straight alpha, another look at the subject, centred.
    `mentions[b][s]` is the span [start, end) of `captions[b]` that means subject s. `names[b][s]` is what it is
    called, then its tags. `where[b][s]` is "left", "middle", … or "" where neither would be true;
    `size[b][s]` "tiny", "small", "", "big" or "huge"; `action[b][s]` a key of `captions.ACTIONS`. `place[b]` is a key
    of `PLACES`; `time[b]`, `weather[b]` and `medium[b]` are of `scenes.TIMES`, `WEATHERS` (or "") and `MEDIUMS`.
    `entries[b][s]` and `identities` (B, S, 3, 3), the colour matrices, say who it is:
    two subjects are the same one where both agree. `correspondence` float32 (B, S, 3, 3) takes homogeneous frame
    coordinates in [-1, 1] to those of the reference that show the same spot; zeros where it has another pose.
    """

    frames: torch.Tensor
    masks: torch.Tensor
    references: torch.Tensor
    captions: list[str]
    mentions: list[list[tuple[int, int]]]
    names: list[list[list[str]]]
    where: list[list[str]]
    size: list[list[str]]
    place: list[str]
    time: list[str]
    entries: list[list[int]]
    identities: np.ndarray
    correspondence: torch.Tensor
    weather: list[str] = field(default_factory=list)
    medium: list[str] = field(default_factory=list)
    action: list[list[str]] = field(default_factory=list)


@dataclass
class _Layout:
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
class _Sight:
    """How much of the subjects is seen: the share of each that is `hidden` (B, S), that of i which j is `over`
    (B, S, S), that which some layers have `screened` (B, S), and the x of the `middle` of what is seen (B, S)."""

    hidden: np.ndarray
    over: np.ndarray
    screened: np.ndarray
    middle: np.ndarray


class World:
    """Composes batches from the art and a bank of painted scenes."""

    def __init__(
        self,
        art: Art,
        cache: str | Path,
        *,
        size: int = 128,
        scenes_count: int = 3000,
        seed: int = 0,
    ) -> None:
        """`size`: side of a frame in pixels. The bank of `scenes_count` scenes painted from `seed` is kept in the
        folder `cache`. The world may be shared by threads: it holds no state that a batch changes."""
        self.art, self.size = art, size
        self._cells = art.cells
        self._small = art.small.numpy()
        self._probes = art.small[:, 3:].float() / 255
        self._extent = art.extent.numpy().astype(np.float64)
        self._chroma = art.chroma.numpy()
        weights = np.array([_weight(e) for e in art.entries])
        if not weights.any():  # a folder of one's own may hold nothing else
            weights = np.ones(len(weights))
        self._chances = weights / weights.sum()
        kin: dict[str, list[int]] = {}
        for i, entry in enumerate(art.entries):
            kin.setdefault(entry.text, []).append(i)
        self._kin = [np.array(kin[entry.text]) for entry in art.entries]
        self._first = np.array([e.cells.start for e in art.entries])
        self._count = np.array([len(e.cells) for e in art.entries])
        self._fixed = np.array([any(a.startswith(("sits", "rides", "drives")) for a in e.actions) for e in art.entries])
        self._held = [i for i, e in enumerate(art.entries) if e.subgroup in _HELD and len(e.cells) == 1]
        self._props = props()
        self._prop_cells = torch.stack([prop.cell for prop in self._props])
        self._bank = SceneBank(cache, count=scenes_count, size=size, seed=seed)

    @torch.no_grad()
    @one_thread()
    def batch(self, n: int, subjects: int, rng: np.random.Generator, who: np.ndarray | None = None) -> Batch:
        """`n` frames with `subjects` (0–4) subjects each; the same generator state gives the same batch. `who`
        (n, subjects) numbers the entries to show, in their own colours, instead of any.
        Raises ValueError for another number of subjects."""
        if not 0 <= subjects <= MAX_SUBJECTS:
            raise ValueError(f"A frame holds 0 to {MAX_SUBJECTS} subjects, not {subjects}.")
        scene = rng.integers(len(self._bank), size=n)
        mirrored = rng.random(n) < 0.5
        layout = self._lay_out(scene, mirrored, subjects, rng, who)
        frames, masks = self._compose(scene, mirrored, layout, rng)
        references, correspondence = self._look_again(layout, rng)
        told = self._captions(scene, layout, rng)
        grounds = [self._bank.grounds[i] for i in scene]
        return Batch(
            frames=frames,
            masks=masks,
            references=references,
            captions=[words for words, _ in told],
            mentions=[mentions for _, mentions in told],
            names=[[[self.art.entries[i].text, *self.art.entries[i].tags] for i in row] for row in layout.entry],
            where=_where(layout),
            size=_size_words(layout),
            place=[g.place for g in grounds],
            time=[g.time for g in grounds],
            entries=layout.entry.tolist(),
            identities=layout.identity,
            correspondence=correspondence,
            weather=[g.weather for g in grounds],
            medium=[g.medium for g in grounds],
            action=layout.action.tolist(),
        )

    @one_thread()
    def tell(
        self, n: int, subjects: int, rng: np.random.Generator
    ) -> tuple[list[str], list[list[tuple[int, int]]], np.ndarray, np.ndarray]:
        """Captions of `n` frames with `subjects` each that nobody draws: the sentences, the spans of their mentions,
        and each subject's middle and long side as shares of the frame's width, (n, subjects)."""
        scene = rng.integers(len(self._bank), size=n)
        layout = self._lay_out(scene, rng.random(n) < 0.5, subjects, rng)
        told = self._captions(scene, layout, rng)
        return [words for words, _ in told], [mentions for _, mentions in told], layout.seen_x, layout.long

    # Who and where.

    def _lay_out(
        self,
        scene: np.ndarray,
        mirrored: np.ndarray,
        count: int,
        rng: np.random.Generator,
        who: np.ndarray | None = None,
    ) -> _Layout:
        n, shape = len(scene), (len(scene), count)
        grounds = [self._bank.grounds[i] for i in scene]
        entry, identity = self._who(shape, rng)
        if who is not None:
            entry, identity = np.asarray(who).reshape(shape), np.broadcast_to(np.eye(3), (*shape, 3, 3)).copy()
        cell = self._first[entry] + (rng.random(shape) * self._count[entry]).astype(int)
        step = 1 + (rng.random(shape) * (self._count[entry] - 1)).astype(int)
        look = self._first[entry] + (cell - self._first[entry] + step) % self._count[entry]
        action = np.array([[self._action(grounds[b], e, rng) for e in entry[b]] for b in range(n)], dtype=object)
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
        layout = _Layout(
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
        half = self._half(layout)
        layout.x = np.clip(layout.x, np.minimum(half[..., 0] - 0.03, 0.5), np.maximum(1.03 - half[..., 0], 0.5))
        self._hide(layout, rng)
        self._clear(layout)
        sight = self._seen(layout)
        layout.over, layout.seen_x = sight.over, sight.middle
        return layout

    def _who(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Entries (B, S) and colour matrices (B, S, 3, 3); often two of one kind."""
        n, count = shape
        entry = rng.choice(len(self._chances), shape, p=self._chances)
        identity = np.where((rng.random(shape) < 0.4)[..., None, None], _recolour(shape, rng), np.eye(3))
        for b in np.flatnonzero(rng.random(n) < 0.25) if count > 1 else ():
            i, j = rng.choice(count, 2, replace=False)
            first = entry[b, i]
            others = self._kin[first][self._kin[first] != first]
            # Grey drawings look alike in any hue: their double can only be another drawing.
            grey = self._chroma[self._first[first]] < 0.25
            if len(others) and (grey or rng.random() < 0.5):
                entry[b, j] = rng.choice(others)
            elif not grey:
                entry[b, j] = first
                turn = _hue(identity[b, i : i + 1, ...], rng.uniform(math.pi / 2, math.pi * 1.5, 1))
                identity[b, j] = turn[0]
        return entry, identity

    def _action(self, ground: Ground, entry: int, rng: np.random.Generator) -> str:
        """What an entry does in a place, before it is known whether there is room for it."""
        if self._fixed[entry]:
            return "stands"
        under_water = ground.place == "underwater"
        chances = _UNDER_WATER if under_water else _AFLOAT if PLACES[ground.place].floats else _ON_LAND
        if ground.water and rng.random() < _SWIMS:
            return "swims"
        if rng.random() < _HIDES:
            return "hides behind"
        names = list(chances)
        share = np.array([chances[name] for name in names])
        return names[rng.choice(len(names), p=share / share.sum())]

    def _rise(self, layout: _Layout, rng: np.random.Generator) -> None:
        """Lift those who are in the air off the ground, as far as there is room above them."""
        tall = 2 * self._half(layout)[..., 1]
        room = (layout.foot - tall - 0.02).clip(0)
        share = rng.uniform(0.25, 1.0, room.shape)
        for action in _IN_THE_AIR:
            least, most = (0.06, 0.22) if action == "jumps" else (0.1, 1.0)
            up = np.clip(share * np.minimum(room, most), np.minimum(least, room), None)
            layout.base = np.where(layout.action == action, layout.foot - up, layout.base)
        low = (layout.foot - layout.base < 0.05) & np.isin(layout.action, _IN_THE_AIR)
        # No room to be seen in the air.
        low &= layout.action != "dives"
        layout.action[low], layout.angle[low], layout.base[low] = "stands", 0.0, layout.foot[low]

    def _swim(self, layout: _Layout, grounds: Sequence[Ground], rng: np.random.Generator) -> None:
        """Put swimmers into open water, the lower part of them under it."""
        for b, s in zip(*np.nonzero(layout.action == "swims"), strict=True):
            low, high = grounds[b].water
            line = rng.uniform(low + 0.25 * (high - low), high)
            layout.long[b, s] = min(layout.long[b, s], max(0.22, line * 0.8))
            layout.cut[b, s] = layout.foot[b, s] = line
            layout.sunk[b, s] = rng.uniform(0.25, 0.45)
        self._settle(layout)

    def _take(self, layout: _Layout, rng: np.random.Generator) -> None:
        """Give out what is sat in and held."""
        for b, s in zip(*np.nonzero(layout.action == "sits in"), strict=True):
            layout.prop[b, s] = rng.integers(len(self._props))
            layout.sunk[b, s] = rng.uniform(0.25, 0.42)
        for b, s in zip(*np.nonzero(layout.action == "holds"), strict=True):
            if self._held:
                layout.prop[b, s] = self._held[rng.integers(len(self._held))]
            else:
                layout.action[b, s] = "stands"
        self._settle(layout)

    def _settle(self, layout: _Layout) -> None:
        """Let those who swim or sit in something sink into it by their share."""
        half = self._half(layout)
        under = 2 * half[..., 1] * layout.sunk
        layout.base = np.where(layout.action == "swims", layout.foot + under, layout.base)
        for b, s in zip(*np.nonzero(layout.action == "sits in"), strict=True):
            prop, side = self._props[layout.prop[b, s]], _prop_side(half[b, s, 0])
            rim = layout.foot[b, s] - side * (prop.floor - prop.rim)
            layout.base[b, s] = min(rim + under[b, s], layout.foot[b, s] - 0.05 * side)

    def _hide(self, layout: _Layout, rng: np.random.Generator) -> None:
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
                tried = _only(layout, b, tries)
                left, right = (columns[0] + 0.5) / PROBE, (columns[-1] + 0.5) / PROBE
                tried.x[:, s] = rng.uniform(left - 0.06, right + 0.06, tries).clip(0.1, 0.9)
                tried.long[:, s] = rng.uniform(0.22, 0.5, tries)
                tried.foot[:, s] = tried.base[:, s] = cover.depth - rng.uniform(0.01, 0.04, tries)
                tried.angle[:, s] = np.deg2rad(rng.uniform(-8, 8, tries))
                sight = self._seen(tried, {id(cover)})
                fine = (sight.screened[:, s] > HIDING[0]) & (sight.hidden[:, s] < HIDING[1])
                if fine.any():
                    k = int(fine.argmax())
                    for name in ("x", "long", "foot", "base", "angle"):
                        getattr(layout, name)[b, s] = getattr(tried, name)[k, s]
                    layout.action[b, s] = "hides behind"
                    layout.shy[b, s] = cover

    def _clear(self, layout: _Layout) -> None:
        """Take scenery away that hides too much of someone, and shrink those who hide each other; where that does not
        do, nobody hides and all spread out."""
        for is_last in (False, True):
            under = np.isin(layout.action, ("hides behind", "swims", "sits in"))
            bound = np.where(under, HIDING[1] + 0.04, MOST_HIDDEN) - 0.03
            for b in np.flatnonzero((self._hidden(layout) > bound).any(1)):
                if is_last:
                    hides = layout.action[b] == "hides behind"
                    layout.action[b, hides], layout.shy[b] = "stands", None
                    layout.x[b, np.argsort(layout.x[b])] = _SLOTS.get(layout.x.shape[1], 0.5)
                    bound[b, hides] = MOST_HIDDEN - 0.03
                shy = [c for c in layout.shy[b] if c is not None]
                layout.covers[b] = [c for c in layout.covers[b] if not c.name or any(c is s for s in shy)]
            for _ in range(6):
                bad = (self._hidden(layout) > bound).any(1)
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
            SceneCover(c.pixels.flip(2), self.size - c.x - c.pixels.shape[2], c.y, c.depth, c.name, c.probe.flip(1))
            for c in covers
        ]

    def _half(self, layout: _Layout) -> np.ndarray:
        """Half the width and height (B, S, 2) of each subject's box as it lies in the frame, in shares of the frame."""
        extent = self._extent[layout.cell] * (layout.long / _COVER)[..., None] / 2
        cos, sin = np.abs(np.cos(layout.angle)), np.abs(np.sin(layout.angle))
        return np.stack([extent[..., 0] * cos + extent[..., 1] * sin, extent[..., 0] * sin + extent[..., 1] * cos], -1)

    def _matrices(self, layout: _Layout) -> np.ndarray:
        """(B, S, 3, 3): from frame coordinates in [−1, 1] to those of the subject's cell."""
        half = self._half(layout)
        scale = layout.long / _COVER
        x, y = 2 * layout.x - 1, 2 * (layout.base - half[..., 1]) - 1
        cos, sin, zero, one = np.cos(layout.angle), np.sin(layout.angle), 0 * x, 0 * x + 1
        move = _stack([[one, zero, -x], [zero, one, -y], [zero, zero, one]])
        turn = _stack([[cos, sin, zero], [-sin, cos, zero], [zero, zero, scale]])
        shear, stretch, px, py = (layout.bend[..., k] for k in range(4))
        form = _stack([[layout.flip * (1 + stretch), shear, zero], [zero, 1 - stretch, zero], [px, py, one]])
        return form @ turn @ move

    def _seen(self, layout: _Layout, screens: set[int] = frozenset()) -> _Sight:
        """What is seen of each subject, on small masks. `screens` holds the ids of the layers whose part in hiding
        them is wanted by itself."""
        n, count = layout.cell.shape
        # Twice the frame's field of view, to see what lies outside.
        wide = self._matrices(layout) @ np.diag([2.0, 2.0, 1.0])
        probes = self._probes[torch.from_numpy(layout.cell.reshape(-1))]
        alphas = _warp(probes, wide.reshape(-1, 3, 3), 2 * PROBE).view(n, count, 2 * PROBE, 2 * PROBE).numpy()
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
        return _Sight(hidden, over, screened, middle)

    def _hidden(self, layout: _Layout) -> np.ndarray:
        """(B, S) share of each subject that others, the scene or water cover or the frame cuts off."""
        return self._seen(layout).hidden

    # Pixels.

    def _compose(
        self, scene: np.ndarray, mirrored: np.ndarray, layout: _Layout, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames uint8 (B, 3, H, W) and what is visible of each subject (B, S, H, W)."""
        n, count = layout.cell.shape
        frames = torch.empty(n, 3, self.size, self.size, dtype=torch.uint8)
        masks = torch.zeros(n, count, self.size, self.size)
        tints = _hue(np.broadcast_to(np.eye(3), (n, 3, 3)), rng.normal(0, 0.08, n)) * rng.uniform(0.92, 1.08, (n, 1, 1))
        tints = torch.from_numpy(tints.astype(np.float32))
        light, slant = self._light(scene, mirrored, layout)
        contrast = rng.uniform(0.92, 1.08, (n, count, 1, 1))
        drawn = self._draw(layout, light * contrast * layout.identity, (1 - contrast[..., 0, 0]) * 0.5, slant)
        shadows = self._shadows(scene, layout, slant, rng)
        objects = self._objects(layout, light, rng)
        for b in range(n):
            ground = self._bank.backgrounds[int(scene[b])]
            canvas = torch.matmul(tints[b], (ground.flip(2) if mirrored[b] else ground).flatten(1).float() / 255)
            canvas = canvas.clamp_(0, 1).view(3, self.size, self.size)
            elements: list[tuple[float, int, object]] = [(c.depth, -1, c) for c in layout.covers[b]]
            elements += [(layout.foot[b, s], s, None) for s in range(count)]
            # Python's sort keeps the order of equals, so that layers stay as the scene has them.
            for _, s, cover in sorted(elements, key=lambda element: element[0]):
                if cover is not None:
                    pixels = cover.pixels.float() / 255
                    pixels[:3] = torch.matmul(tints[b], pixels[:3].flatten(1)).view_as(pixels[:3]).clamp_(min=0)
                    torch.minimum(pixels[:3], pixels[3:], out=pixels[:3])
                    # Through rain and mist one still sees who is there.
                    _paste(canvas, masks[b] if cover.name else masks[b, :0], pixels, cover.x, cover.y)
                    continue
                for patch, x, y in shadows[b][s]:
                    _shade(canvas, patch, x, y)
                behind, before = objects[b][s]
                for pixels, x, y in behind:
                    _paste(canvas, masks[b], pixels, x, y)
                _paste(canvas, masks[b], *drawn[b][s], own=s)
                for pixels, x, y in before:
                    _paste(canvas, masks[b], pixels, x, y)
            frames[b] = canvas.mul_(255).round_().clamp_(0, 255).to(torch.uint8)
        return frames, masks

    def _light(self, scene: np.ndarray, mirrored: np.ndarray, layout: _Layout) -> tuple[np.ndarray, np.ndarray]:
        """The light on each subject, from the scene's own light and its colours around it: factors of RGB
        (B, S, 3, 1), and how much brighter it is at the right edge than in the middle (B, S)."""
        thumbs = self._bank.thumbs[torch.from_numpy(scene)].numpy().astype(np.float64)
        thumbs = np.where(mirrored[:, None, None, None], thumbs[..., ::-1], thumbs)
        middle = layout.base - self._half(layout)[..., 1]
        rows, columns = ((v * THUMB).astype(int).clip(1, THUMB - 2) for v in (middle, layout.x))
        beside = np.arange(-1, 2)
        local = thumbs[
            np.arange(len(scene))[:, None, None, None],
            :,
            (rows[..., None] + beside)[..., :, None],
            (columns[..., None] + beside)[..., None, :],
        ]  # (B, S, 3 rows, 3 columns, RGB)
        slant = 0.8 * (local[..., 2, :].mean((2, 3)) - local[..., 0, :].mean((2, 3)))
        local = local.mean((2, 3))
        bright = local.mean(-1, keepdims=True)
        tint = (local / bright.clip(0.05)).clip(0.5, 1.6) ** 0.25 * (bright / 0.55).clip(0.4, 1.4) ** 0.15
        # The subject's light is milder than the scene's, or no identity would be left of it at night.
        light = np.array([self._bank.grounds[i].light for i in scene])[:, None] * 0.55 + 0.45
        return (light * tint)[..., None], slant.clip(-0.14, 0.14)

    def _draw(
        self, layout: _Layout, colour: np.ndarray, lift: np.ndarray, slant: np.ndarray
    ) -> list[list[tuple[torch.Tensor, int, int]]]:
        """Each subject's premultiplied pixels (4, K, K) in [0, 1] and the frame's pixel at which they begin. RGB
        becomes `colour` · RGB + `lift`, brighter to the right by `slant`."""
        n, count = layout.cell.shape
        half = self._half(layout)
        # Warps and slants reach beyond the upright box.
        eighths = np.ceil(half.max(-1) * 2 * 1.2 * _BUCKETS).clip(1).astype(int).reshape(-1)
        sides = eighths * self.size // _BUCKETS
        centre = np.stack([layout.x, layout.base - half[..., 1]], -1).reshape(-1, 2)
        corner = np.round(centre * self.size - sides[:, None] / 2).astype(int)
        scale = sides / self.size
        shift = (2 * corner + sides[:, None]) / self.size - 1
        zero = 0 * scale
        local = _stack([[scale, zero, shift[:, 0]], [zero, scale, shift[:, 1]], [zero, zero, zero + 1]])
        matrices = self._matrices(layout).reshape(-1, 3, 3) @ local
        flat = (colour.reshape(-1, 3, 3), lift.reshape(-1), layout.cell.reshape(-1))
        drawn: list[tuple[torch.Tensor, int, int]] = [None] * (n * count)
        for side in np.unique(sides):
            rows = np.flatnonzero(sides == side)
            pixels = self._warped(*(v[rows] for v in (flat[2], matrices, flat[0], flat[1])), int(side))
            ramp = np.linspace(-1, 1, side) * slant.reshape(-1)[rows, None] + 1
            pixels[:, :3] *= self._tensor(ramp)[:, None, None, :]
            line = (layout.cut.reshape(-1)[rows] * self.size - corner[rows, 1])[:, None]
            if (line < side).any():
                line = line + 0.006 * self.size * np.sin(np.arange(side) / (0.02 * self.size) + rows[:, None])
                above = (line[:, None, :] - np.arange(side)[:, None]).clip(0, 1)
                pixels *= self._tensor(above)[:, None]
            torch.minimum(pixels[:, :3], pixels[:, 3:], out=pixels[:, :3])
            for row, part in zip(rows, pixels, strict=True):
                drawn[row] = (part, int(corner[row, 0]), int(corner[row, 1]))
        return [drawn[b * count : (b + 1) * count] for b in range(n)]

    def _warped(
        self, cell: np.ndarray, matrices: np.ndarray, colour: np.ndarray, lift: np.ndarray, side: int
    ) -> torch.Tensor:
        """Cells (N,) through `matrices` (N, 3, 3) to `side` pixels: premultiplied (N, 4, side, side) in [0, 1]; RGB
        becomes `colour` · RGB + `lift` · alpha."""
        # Cell pixels an output pixel covers: beyond 1.5, sample a halved cell, or thin lines would flicker.
        shrink = np.sqrt(np.abs(np.linalg.det(matrices[:, :2, :2]))) * self.art.size / side
        levels = np.clip(np.round(np.log2(shrink / 1.06)), 0, 3).astype(int)
        out = torch.empty(len(cell), 4, side, side)
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            source = self._cells[self._tensor(cell[rows])].float().mul_(1 / 255)
            if level:
                source = F.avg_pool2d(source, 2 ** int(level))
            warped = _warp(source, matrices[rows], side)
            # One product for both: RGB' = colour · RGB + lift · alpha.
            affine = np.zeros((len(rows), 4, 4))
            affine[:, :3, :3], affine[:, :3, 3], affine[:, 3, 3] = colour[rows], lift[rows, None], 1
            product = torch.bmm(self._tensor(affine), warped.flatten(2)).clamp_(0, 1)
            out[self._tensor(rows)] = product.view_as(warped)
        return out

    def _shadows(
        self, scene: np.ndarray, layout: _Layout, slant: np.ndarray, rng: np.random.Generator
    ) -> list[list[list[tuple[torch.Tensor, int, int]]]]:
        """Soft shadows on the ground: each a darkness (h, w) in [0, 1] and the pixel at which it begins. A dark oval
        under everyone, and by sunlight the subject's own shape, laid down away from the light."""
        n, count = layout.cell.shape
        shape = (n, count)
        half = self._half(layout)
        grounds = [self._bank.grounds[i] for i in scene]
        solid = np.array([not PLACES[g.place].floats and g.place != "underwater" for g in grounds], bool)[:, None]
        rests = solid & ~np.isin(layout.action, ("swims", "dives"))
        high = layout.foot - layout.base
        strength = rng.uniform(0.25, 0.5, shape) * np.where(rests & (high < 0.5), 1 - 1.4 * high.clip(0, 0.5), 0.0)
        strength = strength * np.array([0.7 if g.time == "night" else 1.0 for g in grounds])[:, None]
        sunny = np.array([g.time in _SUNNY and g.weather == "clear" for g in grounds], bool)[:, None]
        casts = sunny & rests & ~np.isin(layout.action, ("sits in", "lies"))
        # Away from the brighter side, backwards over the ground.
        lean = -np.where(np.abs(slant) > 0.01, np.sign(slant), 1.0) * rng.uniform(0.25, 0.7, shape)
        flat = rng.uniform(0.16, 0.3, shape)
        tall = 2 * half[..., 1] + high
        shadows: list[list[list[tuple[torch.Tensor, int, int]]]] = []
        casting = self._cast(layout, lean, flat) if count else None
        for b in range(n):
            row = []
            for s in range(count):
                patches = []
                x, foot = layout.x[b, s], layout.foot[b, s]
                wide = half[b, s, 0] * 0.95
                if layout.action[b, s] == "sits in":
                    wide = _prop_side(half[b, s, 0]) / 2
                if strength[b, s] > 0.02:
                    oval = (x - wide, foot - 0.2 * wide - 0.022, x + wide, foot + 0.2 * wide + 0.002)
                    patches.append(self._oval(oval, float(strength[b, s])))
                if casts[b, s] and strength[b, s] > 0.02:
                    reach = lean[b, s] * tall[b, s]
                    left, right = x - half[b, s, 0] + min(reach, 0), x + half[b, s, 0] + max(reach, 0)
                    box = self._box((left, foot - flat[b, s] * tall[b, s], right, foot + 0.02))
                    if box is not None:
                        x0, y0, w, h = box
                        stretched = F.interpolate(casting[b, s][None, None], (h, w), mode="bilinear")[0, 0]
                        patches.append((stretched * (0.55 * float(strength[b, s])), x0, y0))
                row.append(patches)
            shadows.append(row)
        return shadows

    def _cast(self, layout: _Layout, lean: np.ndarray, flat: np.ndarray) -> torch.Tensor:
        """Each subject's shape as its shadow has it, soft, (B, S, PROBE, PROBE) over the shadow's box."""
        n, count = layout.cell.shape
        half = self._half(layout)
        tall = 2 * half[..., 1] + layout.foot - layout.base
        reach = lean * tall
        left, right = layout.x - half[..., 0] + reach.clip(max=0), layout.x + half[..., 0] + reach.clip(0)
        top, bottom = layout.foot - flat * tall, layout.foot + 0.02
        # Box coordinates in [-1, 1] to the frame's shares (X, Y); there, t above the foot falls at Y = foot - flat t.
        zero, one = 0 * lean, 0 * lean + 1
        box = _stack(
            [
                [(right - left) / 2, zero, (right + left) / 2],
                [zero, (bottom - top) / 2, (bottom + top) / 2],
                [zero, zero, one],
            ]
        )
        upright = _stack(
            [
                [one, lean / flat, -lean / flat * layout.foot],
                [zero, one / flat, layout.foot - layout.foot / flat],
                [zero, zero, one],
            ]
        )
        centred = np.array([[2.0, 0, -1], [0, 2, -1], [0, 0, 1]])
        matrices = self._matrices(layout) @ centred @ upright @ box
        probes = self._probes[torch.from_numpy(layout.cell.reshape(-1))]
        shape = _warp(probes, matrices.reshape(-1, 3, 3), PROBE)
        return F.avg_pool2d(shape, 3, 1, 1).view(n, count, PROBE, PROBE)

    def _box(self, box: tuple[float, float, float, float]) -> tuple[int, int, int, int] | None:
        """Shares of the frame (left, top, right, bottom) as pixels x, y, width, height; None for nothing."""
        x0, y0, x1, y1 = (round(float(v) * self.size) for v in box)
        return (x0, y0, x1 - x0, y1 - y0) if x1 - x0 > 1 and y1 - y0 > 1 else None

    def _oval(self, box: tuple[float, float, float, float], strength: float) -> tuple[torch.Tensor, int, int]:
        x0, y0, width, height = self._box(box) or (0, 0, 1, 1)
        dx, dy = (torch.linspace(-1, 1, v) ** 2 for v in (width, height))
        return (1 - dx - dy[:, None]).clamp_(min=0).mul_(strength), x0, y0

    def _objects(
        self, layout: _Layout, light: np.ndarray, rng: np.random.Generator
    ) -> list[list[tuple[list[tuple[torch.Tensor, int, int]], list[tuple[torch.Tensor, int, int]]]]]:
        """What goes with each subject, (behind it, before it): what it sits in or holds, the water around it."""
        n, count = layout.cell.shape
        half = self._half(layout)
        aside = rng.choice([-1.0, 1.0], (n, count)) * rng.uniform(0.35, 0.75, (n, count))
        objects = [[([], []) for _ in range(count)] for _ in range(n)]
        for b, s in np.ndindex(n, count):
            behind, before = objects[b][s]
            action, x, foot = layout.action[b, s], layout.x[b, s], layout.foot[b, s]
            wide, tall = half[b, s]
            if action == "sits in":
                prop, side = self._props[layout.prop[b, s]], _prop_side(wide)
                corner = (x - side / 2, foot - prop.floor * side)
                for where, cell in zip((behind, before), self._prop_cells[layout.prop[b, s]], strict=True):
                    where.append(self._placed(cell, corner, side, light[b, s]))
            elif action == "holds":
                cell = self._cells[int(self._first[layout.prop[b, s]])]
                side = float(np.clip(0.33 * layout.long[b, s], 0.08, 0.24))
                corner = (x + aside[b, s] * wide - side / 2, layout.base[b, s] - 0.75 * tall - side / 2)
                before.append(self._placed(cell, corner, side, light[b, s]))
            elif action == "swims":
                line = layout.cut[b, s]
                ring, x0, y0 = self._oval((x - 1.25 * wide, line - 0.2 * wide, x + 1.25 * wide, line + 0.3 * wide), 1.0)
                ring = ((ring > 0.03) & (ring < 0.22)).float()
                soft = F.avg_pool2d(ring[None, None], 3, 1, 1)[0, 0] * 0.6
                soft[: max(0, round(float(line) * self.size) - y0)] = (
                    0  # the far side of the ring is behind the swimmer
                )
                before.append((soft.expand(4, -1, -1).clone(), x0, y0))
        return objects

    def _placed(
        self, cell: torch.Tensor, corner: tuple[float, float], side: float, light: np.ndarray
    ) -> tuple[torch.Tensor, int, int]:
        """A cell upright at `side` of the frame, in the light (3, 1)."""
        pixels = max(4, round(side * self.size))
        resized = F.interpolate(cell[None].float() / 255, (pixels, pixels), mode="bilinear", antialias=True)[0]
        resized[:3] *= self._tensor(light)[..., None]
        torch.minimum(resized[:3], resized[3:], out=resized[:3])
        return resized, round(float(corner[0]) * self.size), round(float(corner[1]) * self.size)

    def _look_again(self, layout: _Layout, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """The references: another pose where there is one, turned, mirrored, cropped, smaller, in another light.
        With them the correspondence of the frame to each."""
        shape = layout.look.shape
        extent = self._extent[layout.look]
        keep = np.where(rng.random(shape) < 0.1, rng.uniform(0.55, 0.8, shape), 1.0)
        middle = extent[..., 1] * (keep - 1)
        angle = np.deg2rad(np.where(rng.random(shape) < 0.6, rng.uniform(-15, 15, shape), 0.0))
        flip = np.where(rng.random(shape) < 0.05, -1.0, 1.0)
        cos, sin = np.cos(angle), np.sin(angle)
        wide, tall = extent[..., 0], extent[..., 1] * keep
        reach = np.maximum(wide * cos + tall * abs(sin), wide * abs(sin) + tall * cos)
        scale = _COVER / reach * np.where(rng.random(shape) < 0.3, rng.uniform(0.7, 1.0, shape), 1.0)
        zero, one = 0 * angle, 0 * angle + 1
        turn = _stack([[flip * cos, flip * sin, zero], [-sin, cos, zero], [zero, zero, one]])
        place = _stack([[one / scale, zero, zero], [zero, one / scale, middle], [zero, zero, one]])
        matrices = place @ turn
        gain = rng.uniform(0.9, 1.1, (*shape, 1, 1)) * layout.identity
        lift = rng.uniform(-0.05, 0.05, shape)
        bottom = np.where(keep < 1, extent[..., 1] * (2 * keep - 1), 2.0)
        references = torch.empty(*shape, 4, self.size, self.size, dtype=torch.uint8)
        for b, s in np.ndindex(*shape):  # one by one they stay in the processor's cache
            at = matrices[b, s : s + 1]
            pixels = self._warped(layout.look[b, s : s + 1], at, gain[b, s : s + 1], lift[b, s : s + 1], self.size)[0]
            if keep[b, s] < 1:
                pixels *= self._above(at[0], bottom[b, s])
            alpha = pixels[3:]
            pixels[:3] /= alpha.clamp(min=1e-3)
            references[b, s] = pixels.mul_(255).round_().clamp_(0, 255)
        same = (layout.look == layout.cell)[..., None, None]
        correspondence = np.linalg.inv(matrices) @ self._matrices(layout) * same
        return references, self._tensor(correspondence)

    def _above(self, matrix: np.ndarray, bottom: float) -> torch.Tensor:
        """(H, W), 1 where an affine `matrix` leads above `bottom` in the cell, softly 0 below."""
        axis = (np.arange(self.size) + 0.5) * (2 / self.size) - 1
        y = matrix[1, 0] * axis + matrix[1, 1] * axis[:, None] + matrix[1, 2]
        return self._tensor(((bottom - y) * (self.size / 2) + 0.5).clip(0, 1))

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(array))

    # Words.

    def _captions(
        self, scene: np.ndarray, layout: _Layout, rng: np.random.Generator
    ) -> list[tuple[str, list[tuple[int, int]]]]:
        """A true sentence about each frame, and the spans in it of its subjects."""
        where, size = _where(layout), _size_words(layout)
        return [
            caption(self._bank.grounds[i], self._tell(layout, b, where[b], size[b]), _behind(layout, b), rng)
            for b, i in enumerate(scene)
        ]

    def _tell(self, layout: _Layout, b: int, where: Sequence[str], size: Sequence[str]) -> list[Told]:
        """What can be said of each subject of frame b."""
        told = []
        for s, i in enumerate(layout.entry[b]):
            entry, prop, action = self.art.entries[i], layout.prop[b, s], layout.action[b, s]
            small = self._small[layout.cell[b, s]].reshape(4, -1) / 255
            small[:3] = layout.identity[b, s] @ small[:3]
            thing = layout.shy[b, s].name if layout.shy[b, s] else ""
            if action == "sits in":
                thing = self._props[prop].name
            elif action == "holds":
                thing = noun_phrase(self.art.entries[prop].text)
            told.append(
                Told(
                    entry=entry,
                    where=where[s],
                    size=size[s],
                    action=action,
                    object=thing,
                    does=self._does(entry, layout, b, s),
                    colours=colour_names(small),
                    recoloured=not np.allclose(layout.identity[b, s], np.eye(3)),
                    x=float(layout.seen_x[b, s]),
                )
            )
        return told

    def _does(self, entry: ArtEntry, layout: _Layout, b: int, s: int) -> str:
        """What a posed drawing shows, with the way it goes where that is known."""
        number = int(layout.cell[b, s]) - entry.cells.start
        does = entry.actions[number] if entry.actions else ""
        facing = entry.facing[number] if entry.facing else ""
        if does in ("walks", "runs") and facing:
            right = (facing == "right") == (layout.flip[b, s] > 0)
            does += " to the right" if right else " to the left"
        return does


def _only(layout: _Layout, b: int, times: int) -> _Layout:
    """Frame b of a layout, `times` over."""
    values = {}
    for f in fields(_Layout):
        value = getattr(layout, f.name)
        values[f.name] = [value[b]] * times if f.name == "covers" else np.repeat(value[b : b + 1], times, 0)
    return _Layout(**values)


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


def _prop_side(half_width: float) -> float:
    """Side, in shares of the frame, of what someone of this half width sits in."""
    return float(np.clip(2.5 * half_width, 0.14, 0.85))


def _behind(layout: _Layout, b: int) -> tuple[int, int] | None:
    """(i, j) where of two subjects j visibly covers a part of i."""
    if layout.over.shape[1] != 2:
        return None
    for i, j in ((0, 1), (1, 0)):
        if layout.over[b, i, j] > 0.08:
            return i, j
    return None


def _where(layout: _Layout) -> list[list[str]]:
    """Where each subject is, in a word, or "" where no word would be clearly true."""
    rows = []
    for x in layout.seen_x:
        if len(x) == 1:
            c = x[0]
            rows.append(["left" if c < 0.4 else "right" if c > 0.6 else "middle" if 0.45 < c < 0.55 else ""])
            continue
        names = {
            0: (),
            2: ("left", "right"),
            3: ("left", "middle", "right"),
            4: ("far left", "second from the left", "third from the left", "far right"),
        }[len(x)]
        order = np.argsort(x)
        clear = len(x) and np.diff(x[order]).min() > 0.12
        row = [""] * len(x)
        for name, i in zip(names, order, strict=True):
            row[i] = name if clear else ""
        rows.append(row)
    return rows


def _size_words(layout: _Layout) -> list[list[str]]:
    edges, names = (0.2, 0.28, 0.52, 0.66), ("tiny", "small", "", "big", "huge")
    return [[names[int(np.searchsorted(edges, long))] for long in row] for row in layout.long]


def _weight(entry: ArtEntry) -> float:
    # What one's own characters are called says nothing of how many are in the picture.
    if entry.group != "own" and not _CROWDS.isdisjoint(entry.text.lower().split()):
        return 0.0
    kind = _SUBGROUP_WEIGHT.get(entry.subgroup, _GROUP_WEIGHT.get(entry.group, 0.5))
    return kind * (_POSES_WEIGHT if len(entry.cells) > 1 else 1.0)


def _stack(rows: list[list[np.ndarray]]) -> np.ndarray:
    return np.stack([np.stack(row, -1) for row in rows], -2)


def _hue(matrices: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Colour matrices (..., 3, 3) turned by `angle` (...) radians of hue: a rotation about the grey axis."""
    cos, sin = np.cos(angle)[..., None, None], np.sin(angle)[..., None, None]
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    return (cos * np.eye(3) + sin * cross + (1 - cos) / 3) @ matrices


def _recolour(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(..., 3, 3) matrices that give a drawing a clearly other colour: a hue turn or a swap of channels."""
    turns = _hue(np.broadcast_to(np.eye(3), (*shape, 3, 3)), rng.uniform(0.25, 1.75, shape) * math.pi)
    swaps = np.array([np.eye(3)[list(p)] for p in ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1))])
    swapped = swaps[rng.integers(len(swaps), size=shape)]
    return np.where((rng.random(shape) < 0.3)[..., None, None], swapped, turns)


def _warp(source: torch.Tensor, matrices: np.ndarray, side: int) -> torch.Tensor:
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


def _paste(canvas: torch.Tensor, masks: torch.Tensor, pixels: torch.Tensor, x: int, y: int, own: int = -1) -> None:
    """Lay premultiplied `pixels` (4, h, w) over `canvas` (3, H, W) at (x, y). What they cover is no longer seen of
    those in `masks` (S, H, W); of subject `own` they are what is seen."""
    height, width = canvas.shape[1:]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + pixels.shape[2], width), min(y + pixels.shape[1], height)
    if x0 >= x1 or y0 >= y1:
        return
    pixels = pixels[:, y0 - y : y1 - y, x0 - x : x1 - x]
    through = (1 - pixels[3]).clamp_(min=0)
    canvas[:, y0:y1, x0:x1].mul_(through).add_(pixels[:3])
    masks[:, y0:y1, x0:x1].mul_(through)
    if own >= 0:
        masks[own, y0:y1, x0:x1] = pixels[3]


def _shade(canvas: torch.Tensor, darkness: torch.Tensor, x: int, y: int) -> None:
    """Darken `canvas` (3, H, W) by `darkness` (h, w) in [0, 1] at (x, y)."""
    height, width = canvas.shape[1:]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + darkness.shape[1], width), min(y + darkness.shape[0], height)
    if x0 < x1 and y0 < y1:
        canvas[:, y0:y1, x0:x1].mul_(1 - darkness[y0 - y : y1 - y, x0 - x : x1 - x])


def sheet(batch: Batch, columns: int = 4) -> Image.Image:
    """The batch to look at: each frame, its masks tinted, its references, its caption beneath."""
    colours = torch.tensor([[255, 64, 64], [64, 160, 255], [80, 220, 90], [255, 200, 40]], dtype=torch.float32)
    n, count, side, _ = batch.masks.shape
    width, height = side * (2 + count), side + 30
    out = Image.new("RGB", (width * columns, height * math.ceil(n / columns)), "white")
    pen = ImageDraw.Draw(out)
    frames, masks, references = (getattr(batch, f.name).cpu() for f in fields(Batch)[:3])
    for b in range(n):
        x, y = b % columns * width, b // columns * height
        tinted = frames[b].float() * 0.35 + 0.65 * torch.einsum("shw,sc->chw", masks[b], colours[:count])
        for k, picture in enumerate((frames[b], tinted.clamp(0, 255).to(torch.uint8))):
            out.paste(Image.fromarray(picture.permute(1, 2, 0).numpy()), (x + k * side, y))
        for s in range(count):
            cut = Image.fromarray(references[b, s].permute(1, 2, 0).numpy(), "RGBA")
            out.paste(cut, (x + (2 + s) * side, y), cut)
        words = batch.captions[b]
        cut_at = words.rfind(" ", 0, width // 6) if len(words) > width // 6 else len(words)
        pen.text((x + 2, y + side + 2), f"{words[:cut_at]}\n{words[cut_at:].strip()}", "black")
    return out
