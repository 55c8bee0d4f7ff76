"""Reads place, time of day and weather off a frame: a small convolutional network that owes the generator nothing.

It learns from scenes of its own seed with drawings of the train split in front. What a viewer cannot see is no
question: a cave has no time of day and a room no weather.

`python -m anystory.evaluation.train --only reader` trains it again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from anystory.evaluation.statistics import Estimate, share
from anystory.sketch.scenery import PLACES, TIMES, WEATHERS
from anystory.supplies import ASSETS
from anystory.training.art import Art, save
from anystory.training.bank import SceneBank
from anystory.training.loop import Loop, warm_up_and_decay
from anystory.training.world import World

SIDE = 96
"""Pixels of the square the reader sees."""

WEIGHTS = ASSETS / "judge" / "reader.safetensors"
SEED = 2024
RATE = 2e-3


@dataclass(frozen=True)
class FrameReading:
    """What a frame shows: a key of `PLACES`, one of `TIMES` and of `WEATHERS`, or "" where the place has none."""

    place: str
    time: str
    weather: str


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(inside, outside, 3, 2, 1, bias=False)
        self.b = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.norm_a, self.norm_b = nn.BatchNorm2d(outside), nn.BatchNorm2d(outside)
        self.skip = nn.Conv2d(inside, outside, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm_b(self.b(F.relu(self.norm_a(self.a(x)))))
        return F.relu(y + self.skip(F.avg_pool2d(x, 2)))


class FrameReader(nn.Module):
    """Frames (B, 3, SIDE, SIDE) in [-1, 1] to the logits of the places, times and weathers that it `knows`."""

    def __init__(
        self, places: Sequence[str] = (*PLACES,), times: Sequence[str] = TIMES, weathers: Sequence[str] = WEATHERS
    ) -> None:
        super().__init__()
        self.knows = (tuple(places), tuple(times), tuple(weathers))
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32))
        self.blocks = nn.Sequential(_Block(32, 64), _Block(64, 96), _Block(96, 160), _Block(160, 256))
        self.heads = nn.ModuleList(nn.Linear(256 + 160, len(names)) for names in self.knows)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.relu(self.stem(frames))
        x = self.blocks[:3](x)
        # The small things that fall from the sky are seen a stage earlier than the whole.
        small = x.mean((2, 3))
        pooled = torch.cat([self.blocks[3](x).mean((2, 3)), small], 1)
        return tuple(head(pooled) for head in self.heads)

    @staticmethod
    def taught(path: Path = WEIGHTS) -> tuple[str, ...]:
        """The places that the shipped reader, or another one, was taught: no other can be asked for."""
        with safe_open(path, "pt") as file:
            return tuple(json.loads(file.metadata()["knows"])[0])

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> FrameReader:
        """The shipped reader, or another one. Raises OSError for a missing file, ValueError for one that is none."""
        if not path.is_file():
            raise OSError(
                f"The reader's weights {path} are missing; restore them, or train them: "
                "python -m anystory.evaluation.train."
            )
        with safe_open(path, "pt") as file:
            told = file.metadata() or {}
        if told.get("format") != "anystory-reader":
            raise ValueError(f"{path} holds no weights of the reader.")
        model = cls(*json.loads(told["knows"]))
        try:
            model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
        except RuntimeError as error:
            raise ValueError(f"{path} does not fit this version of the reader; train it again.") from error
        return model.eval()

    def read(self, pictures: Sequence[Image.Image]) -> list[FrameReading]:
        """What each picture shows; of a place's own times and weathers the likeliest."""
        frames = [torch.from_numpy(np.array(p.convert("RGB"))).permute(2, 0, 1) for p in pictures]
        squares = [_at_side(frame[None]) for frame in frames]
        return [reading for k in range(0, len(squares), 64) for reading in self.name(torch.cat(squares[k : k + 64]))]

    @torch.no_grad()
    def name(self, frames: Tensor) -> list[FrameReading]:
        """The readings of frames as `forward` takes them."""
        place_logits, time_logits, weather_logits = (logits.float() for logits in self(frames))
        places, times, weathers = self.knows
        readings = []
        for b, chosen in enumerate(place_logits.argmax(1).tolist()):
            kind = PLACES[places[chosen]]
            readings.append(
                FrameReading(
                    places[chosen],
                    _likeliest(time_logits[b], times, kind.times),
                    _likeliest(weather_logits[b], weathers, kind.weathers),
                )
            )
        return readings


def _likeliest(logits: Tensor, names: Sequence[str], possible: Sequence[str]) -> str:
    seen = [name for name in possible if name in names]
    return max(seen, key=lambda name: float(logits[names.index(name)])) if seen else ""


def _at_side(frames: Tensor) -> Tensor:
    """uint8 (N, 3, H, W) to (N, 3, SIDE, SIDE) in [-1, 1]."""
    small = F.interpolate(frames.float(), size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return small / 127.5 - 1


# Training and measuring.


def train(
    art: Art, out: Path, *, steps: int, scenes_count: int = 1650, seed: int = SEED, frames: int = 64
) -> FrameReader:
    """Train on `scenes_count` scenes with drawings of `art` (the train split) in front, `frames` a step, and write
    reader.safetensors to `out`, in half precision. Resumable from `out`/reader.pt."""
    if art.split != "train":
        raise ValueError(f"The reader learns from the train split, not from {art.split!r}.")
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    bank = SceneBank(out / "cache", count=scenes_count, size=SIDE, seed=seed)
    pictures = flattened(bank)
    model = FrameReader()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which torch's stubs leave out
    model.train()
    answers = _numbers(model, bank)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)

    def publish() -> None:
        half = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
        told = {"format": "anystory-reader", "knows": json.dumps(model.knows), "steps": str(loop.step)}
        save(out / WEIGHTS.name, {key: value.contiguous() for key, value in half.items()}, told)

    parts = {"model": model, "optimiser": optimiser}
    loop = Loop("reader", out / "reader.pt", parts, publish, steps=steps)
    for progress in loop:
        for group in optimiser.param_groups:
            group["lr"] = RATE * warm_up_and_decay(progress, decay=0.6)
        rng = np.random.default_rng([seed, 0, loop.step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        chosen = torch.from_numpy(rng.integers(len(pictures), size=frames))
        seen = pictures[chosen].float() / 127.5 - 1
        for chance in (0.6, 0.3):
            cells = art.cells[torch.from_numpy(rng.integers(len(art.cells), size=frames))]
            seen = in_front(seen, cells, chance, generator)
        with torch.autocast("cpu", torch.bfloat16):
            read = model(views(seen, generator).contiguous(memory_format=torch.channels_last))
        losses = [
            F.cross_entropy(logits.float(), right, ignore_index=-1, label_smoothing=0.05)
            for logits, right in zip(read, answers[chosen].T, strict=True)
        ]
        optimiser.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()
        optimiser.step()
        loop.log(**dict(zip(("place", "time", "weather"), losses, strict=True)))
    return model.eval()


def flattened(bank: SceneBank) -> Tensor:
    """The bank's scenes with their layers: uint8 (N, 3, SIDE, SIDE)."""
    pictures = bank.backgrounds.clone()
    for picture, covers in zip(pictures, bank.covers, strict=True):
        for cover in covers:
            pixels = cover.pixels.float()
            height, width = pixels.shape[1:]
            part = picture[:, cover.y : cover.y + height, cover.x : cover.x + width]
            part.copy_((part * (1 - pixels[3:] / 255) + pixels[:3]).round_())
    return pictures


def _numbers(model: FrameReader, bank: SceneBank) -> Tensor:
    """(N, 3) numbers of place, time and weather; -1 for what cannot be seen."""
    rows = [(ground.place, ground.time, ground.weather) for ground in bank.grounds]
    return torch.tensor(
        [[names.index(word) if word else -1 for names, word in zip(model.knows, row, strict=True)] for row in rows]
    )


def _uniform(generator: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def in_front(frames: Tensor, cells: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Frames (N, 3, SIDE, SIDE) in [-1, 1] with a drawing, an atlas cell uint8 (N, 4, S, S), in front of each with
    this `chance`, anywhere and of any size up to three quarters of the frame."""
    count = len(frames)
    wide = 1 / _uniform(generator, 0.2, 0.75, count)
    x, y = _uniform(generator, -0.8, 0.8, count), _uniform(generator, -0.2, 0.8, count)
    zero = torch.zeros(count)
    rows = [[wide, zero, -wide * x], [zero, wide, -wide * y]]
    grid = F.affine_grid(torch.stack([torch.stack(row, -1) for row in rows], 1), [count, 4, SIDE, SIDE], False)
    drawn = F.grid_sample(cells.float() / 255, grid, align_corners=False)
    drawn = drawn * (torch.rand(count, 1, 1, 1, generator=generator) < chance)
    return frames * (1 - drawn[:, 3:]) + drawn[:, :3] * 2 - drawn[:, 3:]


def views(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Frames (N, 3, SIDE, SIDE) in [-1, 1] as a generator might draw them: cropped a little, mirrored, softer, brighter
    or darker, with grain."""
    count = len(frames)
    zoom = _uniform(generator, 0.82, 1.0, count)
    free = 1 - zoom
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    zero, x, y = torch.zeros(count), _uniform(generator, -1, 1, count), _uniform(generator, -1, 1, count)
    rows = [[zoom * mirror, zero, free * x], [zero, zoom, free * y]]
    grid = F.affine_grid(torch.stack([torch.stack(row, -1) for row in rows], 1), [count, 3, SIDE, SIDE], False)
    seen = F.grid_sample(frames, grid, padding_mode="reflection", align_corners=False)
    # Samples come in no order, so a part of the batch is a part of them.
    soft = count // 4
    small = F.interpolate(seen[:soft], scale_factor=float(_uniform(generator, 0.5, 0.9)), mode="area")
    seen = torch.cat([F.interpolate(small, size=SIDE, mode="bilinear", align_corners=False), seen[soft:]])
    seen = seen * _uniform(generator, 0.9, 1.1, count, 1, 1, 1) + _uniform(generator, -0.06, 0.06, count, 3, 1, 1)
    return seen + torch.randn(seen.shape, generator=generator) * _uniform(generator, 0, 0.04, count, 1, 1, 1)


Mistake = tuple[str, str, str, int]
"""A question, what was shown, what was read, and how often."""


def measure(model: FrameReader, world: World, count: int, seed: int = 77) -> tuple[dict[str, Estimate], list[Mistake]]:
    """The shares of `count` composites of `world`, with 0 to 3 subjects in turn, whose place, time and weather are read
    rightly, and the mistakes, commonest first."""
    shown: list[FrameReading] = []
    read: list[FrameReading] = []
    for number, start in enumerate(range(0, count, 32)):
        batch = world.batch(min(32, count - start), number % 4, np.random.default_rng([seed, number]))
        shown += map(FrameReading, batch.place, batch.time, batch.weather)
        read += model.name(_at_side(batch.frames))
    return compare(shown, read)


def measure_empty(model: FrameReader, bank: SceneBank) -> tuple[dict[str, Estimate], list[Mistake]]:
    """As `measure`, of the scenes of a bank without subjects."""
    read = [reading for part in flattened(bank).split(64) for reading in model.name(_at_side(part))]
    return compare([FrameReading(g.place, g.time, g.weather) for g in bank.grounds], read)


def compare(shown: Sequence[FrameReading], read: Sequence[FrameReading]) -> tuple[dict[str, Estimate], list[Mistake]]:
    """The share read rightly of what can be seen, a question, and the mistakes."""
    figures: dict[str, Estimate] = {}
    wrong: Counter[tuple[str, str, str]] = Counter()
    for question in ("place", "time", "weather"):
        pairs = [(getattr(a, question), getattr(b, question)) for a, b in zip(shown, read, strict=True)]
        figures[question] = share([a == b for a, b in pairs if a])
        wrong.update((question, a, b) for a, b in pairs if a and a != b)
    return figures, [(*key, n) for key, n in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))]
