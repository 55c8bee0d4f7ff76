"""A bank of painted scenes as tensors: backgrounds, the layers before them cut to their boxes, what each shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open

from anystory.sketch import scenery as scenes
from anystory.training.art import save
from anystory.training.parallel import in_parallel

PROBE = 32
"""Side of the small masks with which a layout is checked."""

THUMB = 8
"""Side of the small backgrounds from which the light on a subject is read."""


@dataclass(frozen=True)
class SceneCover:
    """A scene's layer: `pixels` uint8 (4, h, w), premultiplied RGBA, its upper left corner at pixel (`x`, `y`);
    `depth` and `name` as in `scenes.Layer`; `probe` float (PROBE, PROBE), its alpha over the whole frame."""

    pixels: torch.Tensor
    x: int
    y: int
    depth: float
    name: str
    probe: torch.Tensor


@dataclass(frozen=True)
class Ground:
    """What a scene says of itself besides its pictures; see `scenes.Scene`."""

    place: str
    time: str
    weather: str
    medium: str
    ground: tuple[float, float]
    light: tuple[float, float, float]
    water: tuple[float, float] | None


class SceneBank:
    """N scenes of `size` pixels: `backgrounds` uint8 (N, 3, size, size), `thumbs` float (N, 3, THUMB, THUMB) in
    [0, 1], `grounds`, and `covers`, the layers of each from the back to the front."""

    def __init__(self, cache: str | Path, *, count: int, size: int, seed: int) -> None:
        """Paint the scenes `scenes.plan` names from `seed`, or read them from the folder `cache`. The painters'
        program number is in the cache's key."""
        labels = scenes.plan(count)
        stamp = f"{labels} {size} {seed} {scenes.PROGRAM} {PROBE}"
        path = Path(cache) / f"bank-{size}-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.safetensors"
        if not path.is_file():
            painted = in_parallel(partial(_paint, size, seed), list(enumerate(labels)))
            save(path, *_packed(painted, count, size))
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  it is no dict
            told = json.loads(file.metadata()["scenes"])
        self.backgrounds = tensors["backgrounds"]
        self.thumbs = F.adaptive_avg_pool2d(tensors["backgrounds"].float() / 255, THUMB)
        self.grounds = [Ground(**row["ground"]) for row in told]
        pixels, start = tensors["pixels"], 0
        probes = iter(tensors["probes"].float() / 255)
        self.covers: list[list[SceneCover]] = []
        for row in told:
            covers = []
            for x, y, width, height, depth, name in row["covers"]:
                end = start + 4 * width * height
                covers.append(SceneCover(pixels[start:end].view(4, height, width), x, y, depth, name, next(probes)))
                start = end
            self.covers.append(covers)

    def __len__(self) -> int:
        return len(self.grounds)


@dataclass(frozen=True)
class _Painted:
    """A scene as the bank keeps it: `background` uint8 (3, size, size), its layers' cut `pixels` uint8 one after the
    other, their `probes` uint8 (layers, PROBE, PROBE), and `told`, its line of the metadata."""

    background: np.ndarray
    pixels: np.ndarray
    probes: np.ndarray
    told: dict


def _paint(size: int, seed: int, job: tuple[int, scenes.Label]) -> _Painted:
    """Paint scene number i with its label."""
    i, label = job
    scene = scenes.paint(*label, (seed, i)).render(size, size, grain=True)
    pixels, probes, covers = [], [], []
    for layer in scene.layers:
        alpha = layer.pixels[..., 3]
        rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
        if not len(rows):
            continue
        y, x = int(rows[0]), int(columns[0])
        cut = layer.pixels[y : rows[-1] + 1, x : columns[-1] + 1].astype(np.float32)
        cut[..., :3] *= cut[..., 3:] / 255
        pixels.append(np.round(cut).astype(np.uint8).transpose(2, 0, 1).ravel())
        probe = F.adaptive_avg_pool2d(torch.from_numpy(alpha)[None].float(), PROBE)[0]
        probes.append(probe.round().to(torch.uint8).numpy())
        covers.append((x, y, cut.shape[1], cut.shape[0], layer.depth, layer.name))
    ground = {key: getattr(scene, key) for key in Ground.__dataclass_fields__}
    return _Painted(
        scene.background.transpose(2, 0, 1),
        np.concatenate([np.zeros(0, np.uint8), *pixels]),
        np.stack([np.zeros((PROBE, PROBE), np.uint8), *probes])[1:],
        {"ground": ground, "covers": covers},
    )


def _packed(painted: Iterable[_Painted], count: int, size: int) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The scenes as tensors and metadata."""
    backgrounds = np.empty((count, 3, size, size), np.uint8)
    pixels, probes, told = [], [], []
    for i, scene in enumerate(painted):
        backgrounds[i] = scene.background
        pixels.append(scene.pixels)
        probes.append(scene.probes)
        told.append(scene.told)
    tensors = {"backgrounds": backgrounds, "pixels": np.concatenate(pixels), "probes": np.concatenate(probes)}
    return {key: torch.from_numpy(value) for key, value in tensors.items()}, {"scenes": json.dumps(told)}
