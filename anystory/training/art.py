"""The training art: drawings with alpha, one split of them, as one atlas tensor with what each drawing means."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

from anystory.story.english import indefinite
from anystory.training.parallel import in_parallel

SPLITS = ("train", "test")
MARGIN = 0.04
"""Empty border of an atlas cell, as a share of its side."""
SMALL = 32
"""Side of the small copies of the cells."""

FAINTEST = 0.03
"""A cell whose drawing covers less of it than this shows nothing (an animation's vanished frame)."""
_LAYOUT = 1
"""Counts up when the cache's content changes meaning."""

_PROPER = {"Santa Claus", "Mrs. Claus", "Mx Claus"}
_MASS = {
    "bacon",
    "bread",
    "butter",
    "cooked rice",
    "curry rice",
    "sushi",
    "salt",
    "sake",
    "shaved ice",
    "soft ice cream",
}
_SINGULAR = {"bus", "trolleybus", "lens", "canvas", "compass", "tennis", "texas"}


def plain_name(text: str) -> str:
    """An entry's name as one would say it: "man: red hair" → "man with red hair"."""
    if ": " not in text:
        return text
    head, _, rest = text.partition(": ")
    if rest.startswith("facing") or "," in rest:
        return head
    if rest == "bald":
        return f"bald {head}"
    return f"{head} with {'a ' if rest == 'beard' else ''}{rest}"


def noun_phrase(text: str, adjective: str = "") -> str:
    """Name with its article: "a fox", "an angry owl", "grapes", "some bread", "Santa Claus"."""
    name = plain_name(text)
    words = f"{adjective} {name}".strip()
    if name in _PROPER:
        return words
    if name in _MASS:
        return f"some {words}"
    return words if is_plural(text) else f"{indefinite(words)} {words}"


def is_plural(text: str) -> bool:
    """Whether an entry's name means several: "grapes", "pine trees", but not "octopus" or "Santa Claus"."""
    name = plain_name(text)
    if name in _PROPER | _MASS:
        return False
    head = name.split(" with ")[0].split(" of ")[0].split(" in ")[0].split()[-1].lower()
    return head.endswith("s") and not head.endswith(("ss", "us", "is")) and head not in _SINGULAR


@dataclass(frozen=True)
class ArtEntry:
    """One subject. `cells` are its atlas rows: several are poses of it, one is a single drawing."""

    set: str
    concept: str
    text: str
    tags: tuple[str, ...]
    group: str
    subgroup: str
    licence: str
    cells: range
    actions: tuple[str, ...] = ()
    """What each cell shows it doing ("sits at a desk"), "" where that is not known; empty for most drawings."""
    facing: tuple[str, ...] = ()
    """Where each cell looks: "left", "right" or ""."""


class Art:
    """All subjects of one split.

    `cells` uint8 (N, 4, S, S): RGB premultiplied by alpha, and alpha; each drawing is cropped to what is
    visible, centred, its long side S·(1 − 2·MARGIN). `extent` float32 (N, 2): half its width and height
    where the cell spans [−1, 1]. `chroma` float32 (N,): mean saturation in [0, 1]. `colour` float32 (N, 3):
    mean RGB. `small` uint8 (N, 4, SMALL, SMALL): the cells again, little, to judge shapes and colours by.
    Pictures of places are not subjects and are left out.
    """

    def __init__(self, folder: str | Path, cache: str | Path, *, split: str, size: int = 128) -> None:
        """Read the art in `folder` (`index.jsonl` and its tar files) at `size` pixels, decoded once into the
        folder `cache`. Raises ValueError for an unknown split or a folder without art."""
        if split not in SPLITS:
            raise ValueError(f"There is no split {split!r}; choose one of: {', '.join(SPLITS)}.")
        folder, cache = Path(folder), Path(cache)
        index = folder / "index.jsonl"
        if not index.is_file():
            raise ValueError(f"{folder} holds no index.jsonl; name the folder of the training art.")
        rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line.strip()]
        rows = [row for row in rows if row["split"] == split and row["kind"] != "scene"]
        if not rows:
            raise ValueError(f"{index} lists no subjects of split {split!r}.")

        stamp = [_LAYOUT, split, size, rows, [(p.name, p.stat().st_size) for p in sorted(folder.glob("*.tar"))]]
        key = hashlib.sha256(json.dumps(stamp).encode()).hexdigest()[:16]
        path = cache / f"art-{split}-{size}-{key}.safetensors"
        if not path.is_file():
            save(path, _decode(folder, rows, size))
        tensors = load_file(path)

        self.split, self.size = split, size
        self.cells, self.extent, self.chroma = tensors["cells"], tensors["extent"], tensors["chroma"]
        self.colour = tensors["colour"]
        small = [F.adaptive_avg_pool2d(part.float(), SMALL) for part in self.cells.split(64)]
        self.small = torch.cat(small).round_().to(torch.uint8)
        entries, start = [], 0
        for row, count in zip(rows, tensors["counts"].tolist(), strict=True):
            if count:
                tags = tuple(tag.strip() for tag in row["tags"].split(",") if tag.strip())
                names = (row["set"], row["concept"], row["text"], tags, row["group"], row["subgroup"], row["licence"])
                told = [tuple(row.get(key, ())) for key in ("actions", "facing")]
                # A frame that showed nothing has no cell, and then nobody knows which of the others is which.
                told = [words if len(words) == count else () for words in told]
                entries.append(ArtEntry(*names, range(start, start + count), *told))
            start += count
        self.entries: tuple[ArtEntry, ...] = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)


def save(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors under `path` whole or not at all, so that a broken run leaves no half cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    save_file(tensors, part, metadata)
    part.chmod(0o644)  # safetensors keeps its files to their owner, and weights are for everybody
    os.replace(part, path)


def _decode(folder: Path, rows: list[dict], size: int) -> dict[str, torch.Tensor]:
    """Every row's drawings as atlas cells; `counts` says how many each row has."""
    tars: dict[str, tarfile.TarFile] = {}
    encoded, owners = [], []
    with contextlib.ExitStack() as opened:
        for i, row in enumerate(rows):
            name = "poses" if row["kind"] == "poses" else row["set"]
            if name not in tars:
                tars[name] = opened.enter_context(tarfile.open(folder / f"{name}.tar"))
            for file in _files(row):
                if (member := tars[name].extractfile(file)) is None:
                    raise ValueError(f"{folder / name}.tar holds no file {file}; make the art again.")
                encoded.append(member.read())
                owners.append(i)
    made = in_parallel(partial(_cell, size), encoded)
    drawn = [(i, cell) for i, cell in zip(owners, made, strict=True) if cell is not None]
    if not drawn:
        raise ValueError(f"None of the {len(encoded)} drawings in {folder} shows anything; make the art pack again.")
    cells, extents, chroma, colour = zip(*(cell for _, cell in drawn), strict=True)
    return {
        "cells": torch.from_numpy(np.stack(cells)),
        "extent": torch.tensor(extents, dtype=torch.float32),
        "counts": torch.from_numpy(np.bincount([i for i, _ in drawn], minlength=len(rows))),
        "chroma": torch.tensor(chroma, dtype=torch.float32),
        "colour": torch.tensor(np.stack(colour), dtype=torch.float32),
    }


def _cell(size: int, encoded: bytes) -> tuple[np.ndarray, tuple[float, float], float, np.ndarray] | None:
    """A picture's cell, extent, chroma and colour; None where it shows nothing."""
    with Image.open(io.BytesIO(encoded)) as image:
        fitted = fit(image.convert("RGBA"), size)
    return None if fitted is None else (*fitted, *_colour(fitted[0]))


def _files(row: dict) -> Iterator[str]:
    if row["kind"] == "poses":
        yield from (f"{row['file']}{i}.webp" for i in range(row["frames"]))
    else:
        yield row["file"]


def fit(image: Image.Image, size: int) -> tuple[np.ndarray, tuple[float, float]] | None:
    """Crop to the drawing and centre it in a premultiplied (4, size, size) cell, with its half extents; None where it
    shows nothing."""
    box = image.getchannel("A").point(lambda a: 255 if a > 16 else 0).getbbox()
    if box is None:
        return None
    scale = size * (1 - 2 * MARGIN) / max(box[2] - box[0], box[3] - box[1])
    width, height = (max(1, round((b - a) * scale)) for a, b in ((box[0], box[2]), (box[1], box[3])))
    # Pillow's "RGBa" is premultiplied: without it the colour of transparent pixels bleeds into the edges.
    drawing = image.crop(box).convert("RGBa").resize((width, height), Image.Resampling.LANCZOS)
    cell = np.zeros((size, size, 4), np.uint8)
    x, y = (size - width) // 2, (size - height) // 2
    cell[y : y + height, x : x + width] = np.frombuffer(drawing.tobytes(), np.uint8).reshape(height, width, 4)
    if cell[..., 3].mean() < 255 * FAINTEST:
        return None
    cell[..., :3] = np.minimum(cell[..., :3], cell[..., 3:])
    return np.ascontiguousarray(cell.transpose(2, 0, 1)), (width / size, height / size)


def _colour(cell: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean saturation (max − min of RGB) and mean RGB of what is visible, in [0, 1]."""
    total = cell[3].sum(dtype=np.float64)
    chroma = (cell[:3].max(0) - cell[:3].min(0)).sum(dtype=np.float64) / total
    return float(chroma), cell[:3].sum((1, 2), dtype=np.float64) / total
