"""The synthetic world the embedded model learns from: a painted place with 0–4 drawn subjects in it, who is where to
the pixel, and a sentence that is true of it.

Chance and layout are numpy on the CPU and depend on the generator alone; pixels are torch on any device.
Identity has to come from the reference picture: many subjects are recoloured (target and reference alike), half
of all captions say no more than "a character", and pairs of one kind are common.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from anystory.training import scenes
from anystory.training.art import MARGIN, Art, Entry, noun_phrase, save
from anystory.training.scenes import PLACES, TIME_PHRASES

MAX_SUBJECTS = 4
MOST_HIDDEN = 0.35
"""No subject is hidden by the others, or cut by the frame, more than this share of itself."""

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
}
_CROWDS = {"men", "women", "people", "couple", "kiss", "busts"}
_POSES_WEIGHT = 4.0
"""A group of poses is the only teacher of "the same one, otherwise"."""

# Long side of a subject as a share of the frame, by how many there are.
_SIZES = {1: (0.35, 0.75), 2: (0.30, 0.60), 3: (0.24, 0.42), 4: (0.2, 0.32)}
_SLOTS = {2: (0.27, 0.73), 3: (0.19, 0.5, 0.81), 4: (0.14, 0.38, 0.62, 0.86)}
_COVER = 1 - 2 * MARGIN
_PROBE = 32
"""Side in pixels of the small masks with which a layout is checked."""

_POSITIONS = {
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
    "middle": ("in the middle", "in the centre", "at the centre"),
    "far left": ("on the far left",),
    "second from the left": ("second from the left",),
    "third from the left": ("third from the left", "second from the right"),
    "far right": ("on the far right",),
}
_SIZE_WORDS = {
    "tiny": ("tiny", "very small"),
    "small": ("small", "little"),
    "big": ("big", "large"),
    "huge": ("huge", "giant"),
}
_ADJECTIVES = {"cute", "wild", "angry", "happy", "sad", "funny", "cold", "young", "old", "sleepy", "evil", "scary"}


@dataclass(frozen=True)
class Batch:
    """B composed frames with S subjects each, at H = W = the world's size.

    `frames` uint8 (B, 3, H, W). `masks` float32 (B, S, H, W) in [0, 1]: what is visible of each subject.
    `references` uint8 (B, S, 4, R, R), R = H: RGBA, straight alpha, another look at the subject, centred.
    `mentions[b][s]` is the span [start, end) of `captions[b]` that means subject s. `names[b][s]` is what it is
    called, then its tags. `where[b][s]` is "left", "middle", … or "" where neither would be true;
    `size[b][s]` "tiny", "small", "", "big" or "huge". `place[b]` is a key of `PLACES`, `time[b]` one of
    `scenes.TIMES` or "". `entries[b][s]` and `identities` (B, S, 3, 3), the colour matrices, say who it is:
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


@dataclass
class _Layout:
    """What is drawn: arrays (B, S), or (B, S, ...), of who, how large and where. Positions are shares of the frame;
    `base` is the y of the feet, `depth` a rank from the back (0) to the front."""

    entry: np.ndarray
    cell: np.ndarray
    look: np.ndarray
    identity: np.ndarray
    long: np.ndarray
    x: np.ndarray
    base: np.ndarray
    angle: np.ndarray
    flip: np.ndarray
    bend: np.ndarray
    stands: np.ndarray
    depth: np.ndarray


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
        device: str | torch.device = "cpu",
    ) -> None:
        """`size`: side of a frame in pixels. The bank of `scenes_count` scenes painted from `seed` is kept in the
        folder `cache`. The world may be shared by threads: it holds no state that a batch changes."""
        self.art, self.size, self.device = art, size, torch.device(device)
        self._cells = art.cells.to(self.device)
        # The alpha's shape is all that is wanted of the small cells.
        self._probes = torch.cat(
            [F.adaptive_avg_pool2d(part[:, 3:].float() / 255, _PROBE) for part in art.cells.split(256)]
        )
        self._extent = art.extent.numpy().astype(np.float64)
        self._chroma = art.chroma.numpy()
        weights = np.array([_weight(e) for e in art.entries])
        self._chances = weights / weights.sum()
        kin: dict[str, list[int]] = {}
        for i, entry in enumerate(art.entries):
            kin.setdefault(entry.concept, []).append(i)
        self._kin = [np.array(kin[entry.concept]) for entry in art.entries]
        self._first = np.array([e.cells.start for e in art.entries])
        self._count = np.array([len(e.cells) for e in art.entries])
        self._labels = _plan(scenes_count)
        self._scenes = _bank(Path(cache), self._labels, size, seed).to(self.device)

    @torch.no_grad()
    def batch(self, n: int, subjects: int, rng: np.random.Generator) -> Batch:
        """`n` frames with `subjects` (0–4) subjects each; the same generator state gives the same batch.
        Raises ValueError for another number of subjects."""
        if not 0 <= subjects <= MAX_SUBJECTS:
            raise ValueError(f"A frame holds 0 to {MAX_SUBJECTS} subjects, not {subjects}.")
        scene = rng.integers(len(self._labels), size=n)
        places, times = ([self._labels[i][k] for i in scene] for k in (0, 1))
        frames = self._grounds(scene, rng)
        masks = torch.zeros(n, 0, self.size, self.size, device=self.device)
        references = torch.zeros(n, 0, 4, self.size, self.size, dtype=torch.uint8, device=self.device)
        if subjects:
            layout = self._lay_out(places, subjects, rng)
            frames, masks = self._compose(frames, layout, times, rng)
            references, correspondence = self._look_again(layout, rng)
            where, size = _where(layout), _size_words(layout)
            entries = layout.entry.tolist()
        else:
            where = size = entries = [[] for _ in range(n)]
            correspondence = torch.zeros(n, 0, 3, 3, device=self.device)
        told = [
            self._caption(
                places[b],
                times[b],
                entries[b],
                where[b],
                size[b],
                layout.x[b] if subjects else (),
                layout.stands[b] if subjects else (),
                rng,
            )
            for b in range(n)
        ]
        return Batch(
            frames=(frames * 255).round_().clamp_(0, 255).to(torch.uint8),
            masks=masks,
            references=references,
            captions=[caption for caption, _ in told],
            mentions=[mentions for _, mentions in told],
            names=[[[self.art.entries[i].text, *self.art.entries[i].tags] for i in row] for row in entries],
            where=where,
            size=size,
            place=places,
            time=times,
            entries=entries,
            identities=layout.identity if subjects else np.zeros((n, 0, 3, 3)),
            correspondence=correspondence,
        )

    # Who and where.

    def _lay_out(self, places: Sequence[str], count: int, rng: np.random.Generator) -> _Layout:
        n = len(places)
        entry = rng.choice(len(self._chances), (n, count), p=self._chances)
        identity = np.where((rng.random((n, count)) < 0.4)[..., None, None], _recolour((n, count), rng), np.eye(3))
        if count > 1:
            for b in np.flatnonzero(rng.random(n) < 0.25):
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
        cell = self._first[entry] + (rng.random((n, count)) * self._count[entry]).astype(int)
        step = 1 + (rng.random((n, count)) * (self._count[entry] - 1)).astype(int)
        look = self._first[entry] + (cell - self._first[entry] + step) % self._count[entry]

        low, high = _SIZES[count]
        long = rng.uniform(low, high, (n, count))
        odd = rng.random((n, count)) < 0.08
        long = np.where(odd, rng.uniform(0.15, 0.26, (n, count)), long)
        if count == 1:
            x = np.clip(rng.uniform(0.1, 0.9, (n, 1)), long * 0.45, 1 - long * 0.45)
        else:
            slots = np.array(_SLOTS[count]) + rng.uniform(-0.05, 0.05, (n, count))
            x = np.take_along_axis(slots, rng.permuted(np.tile(np.arange(count), (n, 1)), axis=1), 1)
        ground = np.array([PLACES[p].ground for p in places])
        base = ground[:, :1] + rng.random((n, count)) * np.diff(ground)
        floats = np.array([PLACES[p].floats for p in places])[:, None]
        stands = rng.random((n, count)) > np.where(floats, 0.9, 0.12)
        angle = np.deg2rad(np.where(stands, rng.uniform(-6, 6, (n, count)), rng.uniform(-20, 20, (n, count))))
        bend = rng.normal(0, (0.04, 0.04, 0.03, 0.03), (n, count, 4)).clip(-0.1, 0.1)
        flip = np.where(rng.random((n, count)) < 0.3, -1.0, 1.0)
        # Feet further down are nearer, so they cover what stands behind.
        depth = np.argsort(np.argsort(base + rng.normal(0, 0.01, base.shape), 1), 1)
        layout = _Layout(entry, cell, look, identity, long, x, base, angle, flip, bend, stands, depth)

        lift = rng.random((n, count))
        half = self._half(layout)
        layout.base = np.where(
            stands, base, np.minimum(base, 2 * half[..., 1] + 0.05 + lift * (base - 2 * half[..., 1] - 0.05).clip(0))
        )
        layout.x = np.clip(layout.x, np.minimum(half[..., 0] - 0.03, 0.5), np.maximum(1.03 - half[..., 0], 0.5))
        for _ in range(8):
            bad = (self._hidden(layout) > MOST_HIDDEN - 0.05).any(1)
            if not bad.any():
                break
            layout.long[bad] *= 0.85
        return layout

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

    def _hidden(self, layout: _Layout) -> np.ndarray:
        """(B, S) share of each subject that others cover or the frame cuts off, on small masks."""
        matrices = self._matrices(layout)
        # Twice the frame's field of view, to see what lies outside.
        wide = matrices @ np.diag([2.0, 2.0, 1.0])
        n, count = layout.cell.shape
        alphas = _warp(self._probes[torch.from_numpy(layout.cell.reshape(-1))], wide.reshape(-1, 3, 3), 2 * _PROBE)
        alphas = alphas.view(n, count, 2 * _PROBE, 2 * _PROBE)
        whole = alphas.sum((2, 3))
        q = _PROBE // 2
        seen = _visible(alphas[:, :, q:-q, q:-q], torch.from_numpy(layout.depth))
        return (1 - seen.sum((2, 3)) / whole.clamp(min=1e-6)).numpy()

    # Pixels.

    def _grounds(self, scene: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        n = len(scene)
        frames = self._scenes[self._tensor(scene)].float() / 255
        mirrored = self._tensor(rng.random(n) < 0.5)[:, None, None, None]
        frames = torch.where(mirrored, frames.flip(3), frames)
        matrices = _hue(np.broadcast_to(np.eye(3), (n, 3, 3)), rng.normal(0, 0.08, n))
        matrices = matrices * rng.uniform(0.92, 1.08, (n, 1, 1))
        return torch.einsum("bij,bjhw->bihw", self._tensor(matrices), frames).clamp_(0, 1)

    def _compose(
        self, frames: torch.Tensor, layout: _Layout, times: Sequence[str], rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        n, count = layout.cell.shape
        # The subject's light is milder than the scene's, or no identity would be left of it at night.
        light = np.array([scenes.LIGHT[t] for t in times]) * 0.55 + 0.45
        contrast = rng.uniform(0.92, 1.08, (n, count, 1, 1))
        colour = light[:, None, :, None] * contrast * layout.identity
        layers = self._draw(layout.cell, self._matrices(layout), colour, (1 - contrast[..., 0, 0]) * 0.5)
        frames = frames * self._shadows(layout, times, rng)
        depth = self._tensor(layout.depth)
        rows = torch.arange(n, device=self.device)
        for rank in range(count):
            layer = layers[rows, (depth == rank).int().argmax(1)]
            frames = layer[:, :3] + frames * (1 - layer[:, 3:])
        return frames, _visible(layers[:, :, 3], depth)

    def _shadows(self, layout: _Layout, times: Sequence[str], rng: np.random.Generator) -> torch.Tensor:
        """(B, 1, H, W) factor: soft dark ovals under the feet of those who stand."""
        half = self._half(layout)
        strength = np.where(layout.stands & (rng.random(layout.stands.shape) < 0.75), rng.uniform(0.25, 0.5), 0.0)
        strength = strength * np.where(np.array(times) == "night", 0.7, 1.0)[:, None]
        axis = (np.arange(self.size) + 0.5) / self.size
        dx = (axis - layout.x[..., None]) / (half[..., :1] * 0.95 + 1e-6)
        dy = (axis - layout.base[..., None] + 0.01) / (half[..., :1] * 0.2 + 0.012)
        dx, dy = self._tensor(dx**2), self._tensor(dy**2)
        fall = (1 - dx[:, :, None, :] - dy[:, :, :, None]).clamp_(min=0)
        return (1 - self._tensor(strength)[..., None, None] * fall).prod(1)[:, None]

    def _look_again(self, layout: _Layout, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """The references: another pose where there is one, turned, mirrored, cropped, smaller, in another light.
        With them the correspondence of the frame to each."""
        shape = layout.look.shape
        extent = self._extent[layout.look]
        keep = np.where(rng.random(shape) < 0.1, rng.uniform(0.55, 0.8, shape), 1.0)
        middle = extent[..., 1] * (keep - 1)
        angle = np.deg2rad(np.where(rng.random(shape) < 0.6, rng.uniform(-15, 15, shape), 0.0))
        flip = np.where(rng.random(shape) < 0.15, -1.0, 1.0)
        cos, sin = np.cos(angle), np.sin(angle)
        wide, tall = extent[..., 0], extent[..., 1] * keep
        reach = np.maximum(wide * cos + tall * abs(sin), wide * abs(sin) + tall * cos)
        scale = _COVER / reach * np.where(rng.random(shape) < 0.3, rng.uniform(0.7, 1.0, shape), 1.0)
        zero, one = 0 * angle, 0 * angle + 1
        turn = _stack([[flip * cos, flip * sin, zero], [-sin, cos, zero], [zero, zero, one]])
        place = _stack([[one / scale, zero, zero], [zero, one / scale, middle], [zero, zero, one]])
        gain = rng.uniform(0.9, 1.1, (*shape, 1, 1))
        bottom = np.where(keep < 1, extent[..., 1] * (2 * keep - 1), 2.0)
        lift = rng.uniform(-0.05, 0.05, shape)
        drawn = self._draw(layout.look, place @ turn, gain * layout.identity, lift, bottom)
        alpha = drawn[:, :, 3:]
        colour = drawn[:, :, :3] / alpha.clamp(min=1e-3)
        same = (layout.look == layout.cell)[..., None, None]
        correspondence = self._tensor(np.linalg.inv(place @ turn) @ self._matrices(layout) * same)
        return (torch.cat([colour, alpha], 2) * 255).round_().clamp_(0, 255).to(torch.uint8), correspondence

    def _draw(
        self,
        cell: np.ndarray,
        matrices: np.ndarray,
        colour: np.ndarray,
        lift: np.ndarray,
        bottom: np.ndarray | None = None,
    ) -> torch.Tensor:
        """Cells (B, S) through `matrices` to the world's size: premultiplied (B, S, 4, H, W) in [0, 1]. RGB becomes
        `colour` · RGB + `lift`; what lies below `bottom` in the cell's [−1, 1] is cut off."""
        n, count = cell.shape
        flat = matrices.reshape(-1, 3, 3)
        # Cell pixels a frame pixel covers: beyond 1.5, sample a halved cell, or thin lines would flicker.
        shrink = np.sqrt(np.abs(np.linalg.det(flat[:, :2, :2]))) * self.art.size / self.size
        levels = np.clip(np.round(np.log2(shrink / 1.06)), 0, 3).astype(int)
        out = torch.empty(n * count, 4, self.size, self.size, device=self.device)
        index = cell.reshape(-1)
        edge = None if bottom is None else bottom.reshape(-1)
        for level in range(4):
            rows = np.flatnonzero(levels == level)
            if len(rows):
                source = self._cells[self._tensor(index[rows])].float().mul_(1 / 255)
                if level:
                    source = F.avg_pool2d(source, 2**level)
                at = self._tensor(rows)
                out[at] = _warp(source, flat[rows], self.size, None if edge is None else edge[rows])
        out = out.view(n, count, 4, self.size, self.size)
        alpha = out[:, :, 3:]
        # One product for both: RGB' = colour · RGB + lift · alpha.
        affine = np.concatenate([colour, np.broadcast_to(lift[..., None, None], (n, count, 3, 1))], -1)
        rgb = torch.matmul(self._tensor(affine), out.flatten(3)).view_as(out[:, :, :3])
        torch.minimum(rgb.clamp_(min=0), alpha, out=out[:, :, :3])
        return out

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    # Words.

    def _caption(
        self,
        place: str,
        time: str,
        entries: Sequence[int],
        where: Sequence[str],
        size: Sequence[str],
        x: Sequence[float],
        stands: Sequence[bool],
        rng: np.random.Generator,
    ) -> tuple[str, list[tuple[int, int]]]:
        """A true sentence about one frame, and the span in it of each subject's words."""

        def pick(options: Sequence[str]) -> str:
            return options[rng.integers(len(options))]

        when = pick(TIME_PHRASES[time]) if rng.random() < 0.9 else ""
        spot = pick(PLACES[place].phrases) if entries == [] or rng.random() < 0.9 else ""
        if not entries:
            bare = PLACES[place].empty
            empty = bare if bare.split()[0] not in ("a", "an") else f"an empty {bare.split(' ', 1)[1]}"
            text = pick((empty, bare, f"nobody {spot}", f"{bare}, nobody there"))
            return f"{text} {when}".strip(), []

        # One subject of whom nothing is said is about the middle, as several are from left to right.
        astray = len(entries) == 1 and where[0] != "middle"
        says_where = (rng.random() < 0.6 or astray) and all(where)
        order = rng.permutation(len(entries)) if says_where else np.argsort(x)
        order = [int(i) for i in order]
        phrases = self._phrases(entries, size, order, rng)
        spots = [pick(_POSITIONS[where[i]]) if says_where else "" for i in range(len(entries))]
        scene = [w for w in (spot, when) if w]
        ahead = bool(scene) and rng.random() < 0.25
        pieces: list[str | int] = []
        if ahead:
            pieces += [" ".join(scene) + ","]
        pieces += _clause(order, spots, where, stands, ahead, rng)
        if not ahead:
            pieces += scene
        return _join(pieces, phrases)

    def _phrases(
        self, entries: Sequence[int], size: Sequence[str], order: Sequence[int], rng: np.random.Generator
    ) -> list[str]:
        """What each subject is called, article included; `order` is the order of mention."""
        phrases, heard = [""] * len(entries), []
        by_name = rng.random() < 0.5 if rng.random() < 0.7 else None
        for i in order:
            entry = self.art.entries[entries[i]]
            named = rng.random() < 0.5 if by_name is None else by_name
            large = ""
            if size[i] and rng.random() < 0.4:
                large = _SIZE_WORDS[size[i]][rng.integers(2)]
            if named:
                fitting = [t for t in entry.tags if t in _ADJECTIVES]
                extra = fitting[rng.integers(len(fitting))] if fitting and rng.random() < 0.3 else ""
                phrase, key = noun_phrase(entry.text, f"{large} {extra}".strip()), entry.text
            else:
                phrase, key = f"a {large} character".replace("  ", " "), ""
            if key in heard and phrase.startswith(("a ", "an ")) and rng.random() < 0.5:
                bare = phrase.split(" ", 1)[1]
                phrase = f"a second {bare}" if heard.count(key) == 1 and rng.random() < 0.4 else f"another {bare}"
            heard.append(key)
            phrases[i] = phrase
        return phrases


def _clause(
    order: list[int],
    spots: Sequence[str],
    where: Sequence[str],
    stands: Sequence[bool],
    ahead: bool,
    rng: np.random.Generator,
) -> list[str | int]:
    """The sentence's pieces about the subjects: words, and for a subject its index."""

    def pick(*options: str) -> str:
        return options[rng.integers(len(options))]

    if len(order) == 1:
        verb = (
            pick("stands", "is", "waits", "poses", "is standing")
            if stands[0]
            else pick("floats", "hovers", "is floating")
        )
        return [0, pick("", verb, verb), spots[0]] if rng.random() < 0.85 or not spots[0] else [f"{spots[0]},", 0]
    if len(order) == 2 and spots[0] and rng.random() < 0.3:
        a, b = order
        return [a, pick("", "stands" if stands[a] else "is"), f"to the {where[a]} of", b]
    if spots[0] and rng.random() < 0.25:
        pieces: list[str | int] = []
        for k, i in enumerate(order):
            pieces += ["" if not k else "and" if k == len(order) - 1 else ",", spots[i], i]
        return pieces
    if len(order) == 2 and rng.random() < 0.5:
        a, b = order
        link = pick("and", "beside", "next to", "with", "together with")
        verb = pick("", "", "stands", "is") if link in ("beside", "next to") and stands[a] else ""
        return [a, spots[a], verb, link, b, spots[b]]
    pieces = []
    for k, i in enumerate(order):
        if k:
            pieces.append("and" if k == len(order) - 1 else ",")
        pieces += [i, spots[i]]
    if all(stands):
        pieces.append(pick("", "", "stand", "stand together" if len(order) > 1 else ""))
    return pieces


def _join(pieces: Sequence[str | int], phrases: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The pieces as one sentence, and where in it each phrase stands."""
    text, mentions = "", [(0, 0)] * len(phrases)
    for piece in pieces:
        words = phrases[piece] if isinstance(piece, int) else piece
        if not words:
            continue
        if text and words != ",":
            text += " "
        if isinstance(piece, int):
            mentions[piece] = (len(text), len(text) + len(words))
        text += words
    return text, mentions


def _where(layout: _Layout) -> list[list[str]]:
    """Where each subject is, in a word, or "" where no word would be clearly true."""
    rows = []
    for x in layout.x:
        if len(x) == 1:
            c = x[0]
            rows.append(["left" if c < 0.4 else "right" if c > 0.6 else "middle" if 0.45 < c < 0.55 else ""])
            continue
        names = {
            2: ("left", "right"),
            3: ("left", "middle", "right"),
            4: ("far left", "second from the left", "third from the left", "far right"),
        }[len(x)]
        order = np.argsort(x)
        clear = np.diff(x[order]).min() > 0.12
        row = [""] * len(x)
        for name, i in zip(names, order, strict=True):
            row[i] = name if clear else ""
        rows.append(row)
    return rows


def _size_words(layout: _Layout) -> list[list[str]]:
    def word(long: float) -> str:
        return (
            "tiny"
            if long < 0.2
            else "small"
            if long < 0.28
            else "huge"
            if long > 0.66
            else "big"
            if long > 0.52
            else ""
        )

    return [[word(long) for long in row] for row in layout.long]


def _weight(entry: Entry) -> float:
    if not _CROWDS.isdisjoint(entry.text.lower().split()):
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


def _warp(source: torch.Tensor, matrices: np.ndarray, side: int, bottom: np.ndarray | None = None) -> torch.Tensor:
    """`source` (N, C, h, w) seen through homogeneous `matrices` (N, 3, 3), output to source, in [−1, 1]."""
    device = source.device
    axis = (torch.arange(side, device=device) + 0.5) * (2 / side) - 1
    ys, xs = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([xs, ys, torch.ones_like(xs)], -1).flatten(0, 1)
    at = points @ torch.from_numpy(matrices.astype(np.float32)).to(device).transpose(1, 2)
    grid = (at[..., :2] / at[..., 2:].clamp(min=1e-3)).view(len(source), side, side, 2)
    out = F.grid_sample(source, grid, padding_mode="zeros", align_corners=False)
    if bottom is not None:
        limit = torch.from_numpy(bottom.astype(np.float32)).to(device)[:, None, None]
        out = out * ((limit - grid[..., 1]) * (side / 2) + 0.5).clamp_(0, 1)[:, None]
    return out


def _visible(alphas: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
    """What is seen of each of `alphas` (B, S, H, W) when a higher `depth` (B, S) lies in front."""
    seen = alphas.clone()
    for i in range(alphas.shape[1]):
        for j in range(alphas.shape[1]):
            if i != j:
                front = (depth[:, j] > depth[:, i])[:, None, None]
                seen[:, i] = torch.where(front, seen[:, i] * (1 - alphas[:, j]), seen[:, i])
    return seen


def _plan(count: int) -> list[tuple[str, str]]:
    """Place and time of each scene of a bank: all places in turn, all their times in turn."""
    names = list(PLACES)
    return [
        (names[i % len(names)], (times := PLACES[names[i % len(names)]].times)[i // len(names) % len(times)])
        for i in range(count)
    ]


def _bank(cache: Path, labels: Sequence[tuple[str, str]], size: int, seed: int) -> torch.Tensor:
    """The painted scenes, uint8 (N, 3, size, size). The painters' own text is in the cache's key."""
    key = hashlib.sha256(f"{len(labels)} {size} {seed} {inspect.getsource(scenes)}".encode()).hexdigest()[:16]
    path = cache / f"scenes-{size}-{key}.safetensors"
    if not path.is_file():
        drawn = [scenes.paint(*label, size, np.random.default_rng((seed, i))) for i, label in enumerate(labels)]
        save(path, {"scenes": torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).contiguous()})
    return load_file(path)["scenes"]


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
