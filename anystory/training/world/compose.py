"""The pixels of frames: the scene with everybody in it, in its light, with shadows; and another look at each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from anystory.sketch.scenery import PLACES
from anystory.training.art import Art
from anystory.training.bank import PROBE, THUMB, SceneBank, SceneCover
from anystory.training.world.choose import turn_hue
from anystory.training.world.stage import COVER, Director, Placements, prop_side, stack, warp

_BUCKETS = 8
"""Subjects are drawn in squares of so many eighths of the frame's side."""

_SUNNY = {"day", "sunrise", "sunset"}

Patch = tuple[torch.Tensor, int, int]
"""Pixels, premultiplied (4, h, w) in [0, 1] or a darkness (h, w), and the pixel x, y of the frame where they begin."""


class Compositor:
    """Draws laid out frames of `size` pixels."""

    def __init__(self, art: Art, stage: Director, bank: SceneBank, size: int) -> None:
        self._art, self._stage, self._bank, self._size = art, stage, bank, size
        self._cells = art.cells
        self._prop_cells = torch.stack([prop.cell for prop in stage.props])

    def compose(
        self, scene: np.ndarray, mirrored: np.ndarray, layout: Placements, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames uint8 (B, 3, H, W) and what is visible of each subject (B, S, H, W)."""
        n, count = layout.cell.shape
        frames = torch.empty(n, 3, self._size, self._size, dtype=torch.uint8)
        masks = torch.zeros(n, count, self._size, self._size)
        turned = turn_hue(np.broadcast_to(np.eye(3), (n, 3, 3)), np.asarray(rng.normal(0, 0.08, n)))
        tints = torch.from_numpy((turned * rng.uniform(0.92, 1.08, (n, 1, 1))).astype(np.float32))
        light, slant = self.light(scene, mirrored, layout)
        contrast = rng.uniform(0.92, 1.08, (n, count, 1, 1))
        drawn = self._draw(layout, light * contrast * layout.identity, (1 - contrast[..., 0, 0]) * 0.5, slant)
        shadows = self._shadows(scene, layout, slant, rng)
        objects = self._objects(layout, light, rng)
        for b in range(n):
            ground = self._bank.backgrounds[int(scene[b])]
            canvas = torch.matmul(tints[b], (ground.flip(2) if mirrored[b] else ground).flatten(1).float() / 255)
            canvas = canvas.clamp_(0, 1).view(3, self._size, self._size)
            elements: list[tuple[float, int, SceneCover | None]] = [(c.depth, -1, c) for c in layout.covers[b]]
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

    def light(self, scene: np.ndarray, mirrored: np.ndarray, layout: Placements) -> tuple[np.ndarray, np.ndarray]:
        """The light on each subject, from the scene's own light and its colours around it: factors of RGB
        (B, S, 3, 1), and how much brighter it is at the right edge than in the middle (B, S)."""
        thumbs = self._bank.thumbs[torch.from_numpy(scene)].numpy().astype(np.float64)
        thumbs = np.where(mirrored[:, None, None, None], thumbs[..., ::-1], thumbs)
        middle = layout.base - self._stage.half(layout)[..., 1]
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

    def _draw(self, layout: Placements, colour: np.ndarray, lift: np.ndarray, slant: np.ndarray) -> list[list[Patch]]:
        """Each subject's premultiplied pixels (4, K, K) in [0, 1] and the frame's pixel at which they begin. RGB
        becomes `colour` · RGB + `lift`, brighter to the right by `slant`."""
        n, count = layout.cell.shape
        half = self._stage.half(layout)
        # Warps and slants reach beyond the upright box.
        eighths = np.ceil(half.max(-1) * 2 * 1.2 * _BUCKETS).clip(1).astype(int).reshape(-1)
        sides = eighths * self._size // _BUCKETS
        centre = np.stack([layout.x, layout.base - half[..., 1]], -1).reshape(-1, 2)
        corner = np.round(centre * self._size - sides[:, None] / 2).astype(int)
        scale = sides / self._size
        shift = (2 * corner + sides[:, None]) / self._size - 1
        zero = 0 * scale
        local = stack([[scale, zero, shift[:, 0]], [zero, scale, shift[:, 1]], [zero, zero, zero + 1]])
        matrices = self._stage.matrices(layout).reshape(-1, 3, 3) @ local
        flat = (colour.reshape(-1, 3, 3), lift.reshape(-1), layout.cell.reshape(-1))
        drawn: list[Any] = [None] * (n * count)
        for side in np.unique(sides):
            rows = np.flatnonzero(sides == side)
            pixels = self._warped(flat[2][rows], matrices[rows], flat[0][rows], flat[1][rows], int(side))
            ramp = np.linspace(-1, 1, side) * slant.reshape(-1)[rows, None] + 1
            pixels[:, :3] *= self._tensor(ramp)[:, None, None, :]
            line = (layout.cut.reshape(-1)[rows] * self._size - corner[rows, 1])[:, None]
            if (line < side).any():
                line = line + 0.006 * self._size * np.sin(np.arange(side) / (0.02 * self._size) + rows[:, None])
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
        shrink = np.sqrt(np.abs(np.linalg.det(matrices[:, :2, :2]))) * self._art.size / side
        levels = np.clip(np.round(np.log2(shrink / 1.06)), 0, 3).astype(int)
        out = torch.empty(len(cell), 4, side, side)
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            source = self._cells[self._tensor(cell[rows])].float().mul_(1 / 255)
            if level:
                source = F.avg_pool2d(source, 2 ** int(level))
            warped = warp(source, matrices[rows], side)
            # One product for both: RGB' = colour · RGB + lift · alpha.
            affine = np.zeros((len(rows), 4, 4))
            affine[:, :3, :3], affine[:, :3, 3], affine[:, 3, 3] = colour[rows], lift[rows, None], 1
            product = torch.bmm(self._tensor(affine), warped.flatten(2)).clamp_(0, 1)
            out[self._tensor(rows)] = product.view_as(warped)
        return out

    def _shadows(
        self, scene: np.ndarray, layout: Placements, slant: np.ndarray, rng: np.random.Generator
    ) -> list[list[list[Patch]]]:
        """Soft shadows on the ground: each a darkness (h, w) in [0, 1] and the pixel at which it begins. A dark oval
        under everyone, and by sunlight the subject's own shape, laid down away from the light."""
        n, count = layout.cell.shape
        shape = (n, count)
        half = self._stage.half(layout)
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
        shadows: list[list[list[Patch]]] = []
        casting = self._cast(layout, lean, flat) if count else None
        for b in range(n):
            row = []
            for s in range(count):
                patches = []
                x, foot = layout.x[b, s], layout.foot[b, s]
                wide = half[b, s, 0] * 0.95
                if layout.action[b, s] == "sits in":
                    wide = prop_side(half[b, s, 0]) / 2
                if strength[b, s] > 0.02:
                    oval = (x - wide, foot - 0.2 * wide - 0.022, x + wide, foot + 0.2 * wide + 0.002)
                    patches.append(self._oval(oval, float(strength[b, s])))
                if casts[b, s] and strength[b, s] > 0.02:
                    reach = lean[b, s] * tall[b, s]
                    left, right = x - half[b, s, 0] + min(reach, 0), x + half[b, s, 0] + max(reach, 0)
                    box = self._box((left, foot - flat[b, s] * tall[b, s], right, foot + 0.02))
                    if box is not None and casting is not None:
                        x0, y0, w, h = box
                        stretched = F.interpolate(casting[b, s][None, None], (h, w), mode="bilinear")[0, 0]
                        patches.append((stretched * (0.55 * float(strength[b, s])), x0, y0))
                row.append(patches)
            shadows.append(row)
        return shadows

    def _cast(self, layout: Placements, lean: np.ndarray, flat: np.ndarray) -> torch.Tensor:
        """Each subject's shape as its shadow has it, soft, (B, S, PROBE, PROBE) over the shadow's box."""
        n, count = layout.cell.shape
        half = self._stage.half(layout)
        tall = 2 * half[..., 1] + layout.foot - layout.base
        reach = lean * tall
        left, right = layout.x - half[..., 0] + reach.clip(max=0), layout.x + half[..., 0] + reach.clip(0)
        top, bottom = layout.foot - flat * tall, layout.foot + 0.02
        # Box coordinates in [-1, 1] to the frame's shares (X, Y); there, t above the foot falls at Y = foot - flat t.
        zero, one = 0 * lean, 0 * lean + 1
        box = stack(
            [
                [(right - left) / 2, zero, (right + left) / 2],
                [zero, (bottom - top) / 2, (bottom + top) / 2],
                [zero, zero, one],
            ]
        )
        upright = stack(
            [
                [one, lean / flat, -lean / flat * layout.foot],
                [zero, one / flat, layout.foot - layout.foot / flat],
                [zero, zero, one],
            ]
        )
        centred = np.array([[2.0, 0, -1], [0, 2, -1], [0, 0, 1]])
        matrices = self._stage.matrices(layout) @ centred @ upright @ box
        probes = self._stage.probes[torch.from_numpy(layout.cell.reshape(-1))]
        shape = warp(probes, matrices.reshape(-1, 3, 3), PROBE)
        return F.avg_pool2d(shape, 3, 1, 1).view(n, count, PROBE, PROBE)

    def _box(self, box: tuple[float, float, float, float]) -> tuple[int, int, int, int] | None:
        """Shares of the frame (left, top, right, bottom) as pixels x, y, width, height; None for nothing."""
        x0, y0, x1, y1 = (round(float(v) * self._size) for v in box)
        return (x0, y0, x1 - x0, y1 - y0) if x1 - x0 > 1 and y1 - y0 > 1 else None

    def _oval(self, box: tuple[float, float, float, float], strength: float) -> Patch:
        x0, y0, width, height = self._box(box) or (0, 0, 1, 1)
        dx, dy = (torch.linspace(-1, 1, v) ** 2 for v in (width, height))
        return (1 - dx - dy[:, None]).clamp_(min=0).mul_(strength), x0, y0

    def _objects(
        self, layout: Placements, light: np.ndarray, rng: np.random.Generator
    ) -> list[list[tuple[list[Patch], list[Patch]]]]:
        """What goes with each subject, (behind it, before it): what it sits in or holds, the water around it."""
        n, count = layout.cell.shape
        half = self._stage.half(layout)
        aside = rng.choice([-1.0, 1.0], (n, count)) * rng.uniform(0.35, 0.75, (n, count))
        objects: list[list[tuple[list[Patch], list[Patch]]]] = [[([], []) for _ in range(count)] for _ in range(n)]
        for b, s in np.ndindex(n, count):
            behind, before = objects[b][s]
            action, x, foot = layout.action[b, s], layout.x[b, s], layout.foot[b, s]
            wide, tall = half[b, s]
            if action == "sits in":
                prop, side = self._stage.props[int(layout.prop[b, s])], prop_side(wide)
                corner = (x - side / 2, foot - prop.floor * side)
                for where, cell in zip((behind, before), self._prop_cells[layout.prop[b, s]], strict=True):
                    where.append(self._placed(cell, corner, side, light[b, s]))
            elif action == "holds":
                cell = self._cells[int(self._stage.casting.first[layout.prop[b, s]])]
                side = float(np.clip(0.33 * layout.long[b, s], 0.08, 0.24))
                corner = (x + aside[b, s] * wide - side / 2, layout.base[b, s] - 0.75 * tall - side / 2)
                before.append(self._placed(cell, corner, side, light[b, s]))
            elif action == "swims":
                line = layout.cut[b, s]
                ring, x0, y0 = self._oval((x - 1.25 * wide, line - 0.2 * wide, x + 1.25 * wide, line + 0.3 * wide), 1.0)
                ring = ((ring > 0.03) & (ring < 0.22)).float()
                soft = F.avg_pool2d(ring[None, None], 3, 1, 1)[0, 0] * 0.6
                soft[: max(0, round(float(line) * self._size) - y0)] = (
                    0  # the far side of the ring is behind the swimmer
                )
                before.append((soft.expand(4, -1, -1).clone(), x0, y0))
        return objects

    def _placed(self, cell: torch.Tensor, corner: tuple[Any, Any], side: float, light: np.ndarray) -> Patch:
        """A cell upright at `side` of the frame, in the light (3, 1)."""
        pixels = max(4, round(side * self._size))
        resized = F.interpolate(cell[None].float() / 255, (pixels, pixels), mode="bilinear", antialias=True)[0]
        resized[:3] *= self._tensor(light)[..., None]
        torch.minimum(resized[:3], resized[3:], out=resized[:3])
        return resized, round(float(corner[0]) * self._size), round(float(corner[1]) * self._size)

    def look_again(self, layout: Placements, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """The references: another pose where there is one, turned, mirrored, cropped, smaller, in another light.
        With them the correspondence of the frame to each."""
        shape = layout.look.shape
        extent = self._stage.extent[layout.look]
        keep = np.where(rng.random(shape) < 0.1, rng.uniform(0.55, 0.8, shape), 1.0)
        middle = extent[..., 1] * (keep - 1)
        angle = np.deg2rad(np.where(rng.random(shape) < 0.6, rng.uniform(-15, 15, shape), 0.0))
        flip = np.where(rng.random(shape) < 0.05, -1.0, 1.0)
        cos, sin = np.cos(angle), np.sin(angle)
        wide, tall = extent[..., 0], extent[..., 1] * keep
        reach = np.maximum(wide * cos + tall * abs(sin), wide * abs(sin) + tall * cos)
        scale = COVER / reach * np.where(rng.random(shape) < 0.3, rng.uniform(0.7, 1.0, shape), 1.0)
        zero, one = 0 * angle, 0 * angle + 1
        turn = stack([[flip * cos, flip * sin, zero], [-sin, cos, zero], [zero, zero, one]])
        place = stack([[one / scale, zero, zero], [zero, one / scale, middle], [zero, zero, one]])
        matrices = place @ turn
        gain = rng.uniform(0.9, 1.1, (*shape, 1, 1)) * layout.identity
        lift = rng.uniform(-0.05, 0.05, shape)
        bottom = np.where(keep < 1, extent[..., 1] * (2 * keep - 1), 2.0)
        references = torch.empty(*shape, 4, self._size, self._size, dtype=torch.uint8)
        for b, s in np.ndindex(*shape):  # one by one they stay in the processor's cache
            at = matrices[b, s : s + 1]
            pixels = self._warped(layout.look[b, s : s + 1], at, gain[b, s : s + 1], lift[b, s : s + 1], self._size)[0]
            if keep[b, s] < 1:
                pixels *= self._above(at[0], float(bottom[b, s]))
            alpha = pixels[3:]
            pixels[:3] /= alpha.clamp(min=1e-3)
            references[b, s] = pixels.mul_(255).round_().clamp_(0, 255)
        same = (layout.look == layout.cell)[..., None, None]
        correspondence = np.linalg.inv(matrices) @ self._stage.matrices(layout) * same
        return references, self._tensor(correspondence)

    def _above(self, matrix: np.ndarray, bottom: float) -> torch.Tensor:
        """(H, W), 1 where an affine `matrix` leads above `bottom` in the cell, softly 0 below."""
        axis = (np.arange(self._size) + 0.5) * (2 / self._size) - 1
        y = matrix[1, 0] * axis + matrix[1, 1] * axis[:, None] + matrix[1, 2]
        return self._tensor(((bottom - y) * (self._size / 2) + 0.5).clip(0, 1))

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(array))


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
