"""How the judge's eye (`anystory.model.identity`) learns to tell drawn characters apart.

It owes the generator nothing: another architecture, another loss, another run and seed, and no picture from it. It
learns from drawings of the train split, each turned, cropped, half hidden, badly cut out and in other light, that two
views of one are nearer to each other than to its doubles in other colours and to other drawings of the same kind.

`python -m anystory.evaluation.train --only identity` trains it again.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from anystory.model.identity import FORMAT, SIDE, WEIGHTS, IdentityEncoder
from anystory.training.art import Art, save
from anystory.training.loop import Loop

SEED = 4711
RATE = 2e-3
SCALE, MARGIN = 16.0, 0.1
"""Of the cosines in the loss; the right one has to win by the margin."""

GROUPS = 48
"""Groups a batch: a drawing and a double of it, both seen twice."""


def train(art: Art, out: Path, *, steps: int, seed: int = SEED) -> IdentityEncoder:
    """Train on `art` (the train split) and write identity.safetensors to `out`, in half precision; resumable from
    `out`/judge.pt."""
    if art.split != "train":
        raise ValueError(f"The judge learns from the train split, not from {art.split!r}.")
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    model = IdentityEncoder()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which torch's stubs leave out
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)

    def publish() -> None:
        half = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
        half = {key: value.contiguous() for key, value in half.items()}
        save(out / WEIGHTS.name, half, {"format": FORMAT, "steps": str(loop.step), "seed": str(seed)})

    loop = Loop("judge", out / "judge.pt", {"model": model, "optimiser": optimiser}, publish, steps=steps)
    sampler = _Sampler(art)
    for progress in loop:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, progress / 0.05 + 0.02) * (0.5 + 0.5 * math.cos(math.pi * progress))
        rng = np.random.default_rng([seed, loop.step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        first, second, colours = sampler.batch(min(GROUPS, len(art.entries)), rng)
        with torch.autocast("cpu", torch.bfloat16):
            seen = model(views(art.cells[torch.cat([first, second])], colours.repeat(2, 1, 1), generator))
        a, b = seen.chunk(2)
        logits = SCALE * (a @ b.T - MARGIN * torch.eye(len(a)))
        own = torch.arange(len(a))
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        loop.log(loss=loss, found=((a @ b.T).argmax(1) == own).float().mean())
    return model.eval()


class _Sampler:
    """Draws identities: an entry of the art and a colouring, each with a double that is hard to tell from it."""

    def __init__(self, art: Art) -> None:
        self.art = art
        self.chroma = art.chroma.numpy()
        kin: dict[str, list[int]] = {}
        for i, entry in enumerate(art.entries):
            kin.setdefault(entry.text, []).append(i)
        self.kin = [kin[entry.text] for entry in art.entries]
        weight = np.array([5.0 if len(e.cells) > 1 else 1.0 for e in art.entries])
        self.chances = weight / weight.sum()

    def batch(self, groups: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Two cells of each of 2 · `groups` identities, (N,) and (N,), and their colour matrices (N, 3, 3)."""
        chosen = rng.choice(len(self.chances), groups, replace=False, p=self.chances)
        entries, angles = [], []
        for i in chosen:
            angle = float(rng.uniform(0.5, 5.8)) if rng.random() < 0.4 else 0.0
            others = [k for k in self.kin[i] if k != i]
            coloured = self.chroma[self.art.entries[i].cells.start] > 0.2
            if others and (not coloured or rng.random() < 0.5):
                entries += [i, others[rng.integers(len(others))]]
                angles += [angle, angle]
            elif coloured:
                entries += [i, i]
                angles += [angle, angle + float(rng.uniform(1.2, 5.0))]
            else:  # nothing is like it: any other drawing
                entries += [i, int(rng.integers(len(self.chances)))]
                angles += [angle, angle]
        first, second = [], []
        for i in entries:
            cells = self.art.entries[i].cells
            a, b = rng.permutation(len(cells))[:2] if len(cells) > 1 else (0, 0)
            first.append(cells[int(a)])
            second.append(cells[int(b)])
        return torch.tensor(first), torch.tensor(second), _hue(torch.tensor(angles))


def _hue(angle: Tensor) -> Tensor:
    """Colour matrices (N, 3, 3) that turn the hue by `angle` (N,) radians."""
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cos * torch.eye(3) + sin * cross + (1 - cos) / 3


def views(cells: Tensor, colours: Tensor, generator: torch.Generator) -> Tensor:
    """A view of each of the atlas `cells` uint8 (N, 4, S, S) in its colours (N, 3, 3), as a frame might show and a mask
    might cut it: (N, 4, SIDE, SIDE)."""
    count = len(cells)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    def some(share: float) -> Tensor:
        return torch.rand(count, 1, 1, 1, generator=generator) < share

    source, times = cells.float() / 255, cells.shape[-1] // (SIDE + 32)
    if times > 1:
        source = F.avg_pool2d(source, times)
    # Turned mostly a little, sometimes any way; bent, mirrored, moved.
    angle = torch.where(some(0.2).view(-1), uniform(-math.pi, math.pi), uniform(-0.3, 0.3))
    zoom, stretch = 1 / uniform(0.8, 1.25), uniform(0.85, 1.15)
    mirror = torch.where(some(0.5).view(-1), 1.0, -1.0)
    rows = [
        [angle.cos() * zoom * stretch * mirror, -angle.sin() * zoom * mirror, uniform(-0.12, 0.12)],
        [angle.sin() * zoom * stretch, angle.cos() * zoom, uniform(-0.12, 0.12)],
    ]
    grid = F.affine_grid(torch.stack([torch.stack(row, -1) for row in rows], 1), [count, 4, SIDE, SIDE], False)
    pixels = F.grid_sample(source, grid, align_corners=False)
    colour, alpha = pixels[:, :3], pixels[:, 3:]
    light = colours * uniform(0.65, 1.15, 1, 1) * uniform(0.85, 1.1, 3, 1)
    colour = torch.matmul(light, colour.flatten(2)).view_as(colour) + uniform(-0.08, 0.08, 1, 1, 1) * alpha
    colour = torch.minimum(colour.clamp(min=0), alpha)
    # A mask that is too small or too large, with the ground showing at its edge.
    grown = F.max_pool2d(alpha, 5, 1, 2)
    ground = torch.rand(count, 3, 1, 1, generator=generator)
    loose = some(0.3)
    colour = torch.where(loose, colour + (grown - alpha).clamp(min=0) * ground, colour)
    alpha = torch.where(loose, grown, alpha)
    shrunk = -F.max_pool2d(-alpha, 3, 1, 1)
    tight = some(0.2)
    colour, alpha = torch.where(tight, colour * shrunk, colour), torch.where(tight, alpha * shrunk, alpha)
    # Something hides a side of it.
    axis = torch.linspace(-1, 1, SIDE)
    way, edge = uniform(-math.pi, math.pi, 1, 1), uniform(0.15, 0.9, 1, 1)
    along = axis * way.cos() + axis[:, None] * way.sin()
    kept = torch.where(some(0.3), (along < edge)[:, None], True).float()
    pixels = torch.cat([colour, alpha], 1) * kept
    # Seen small, or drawn without detail; identities come in no order, so a part of the batch is a part of them.
    few, share = count // 3, 0.25 + 0.35 * float(torch.rand(1, generator=generator))
    small = F.interpolate(pixels[:few], scale_factor=share, mode="area")
    pixels = torch.cat([F.interpolate(small, size=SIDE, mode="bilinear", align_corners=False), pixels[few:]])
    noise = torch.randn(pixels[:, :3].shape, generator=generator) * uniform(0, 0.05, 1, 1, 1) * pixels[:, 3:]
    return torch.cat([torch.minimum((pixels[:, :3] + noise).clamp(min=0), pixels[:, 3:]), pixels[:, 3:]], 1)
