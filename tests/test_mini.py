"""The embedded model as it ships: it reads its references, and it is small enough to ship."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from anystory.backend import ASSETS, Backend, load
from anystory.evaluation.identity import reference_gap
from anystory.images import square_crop
from anystory.script import load_script
from anystory.segment import Segmenter
from anystory.story import Subject
from anystory.training.world import Batch

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def mini() -> Backend:
    return load("mini", device="cpu")


@pytest.fixture(scope="module")
def cast() -> list[Subject]:
    segmenter = Segmenter()
    members = load_script(ASSETS / "example" / "story.yaml").cast
    return [segmenter.subject(m.name, Image.open(m.image), description=m.description) for m in members]


def composed(cast: list[Subject], size: int) -> Batch:
    """Each character pasted, larger and smaller, on plain grounds."""
    frames, masks, references = [], [], []
    grounds = ("#88bbee", "#557755", "#ddccaa", "#223355")
    for side, ground in zip((size // 2, size * 3 // 4), (grounds, grounds[::-1]), strict=True):
        for subject, colour in zip(cast, ground, strict=True):
            square, cut = square_crop(subject.image, subject.mask)
            frame, mask = Image.new("RGB", (size, size), colour), Image.new("L", (size, size))
            small, small_cut = square.resize((side, side)), cut.resize((side, side))
            frame.paste(small, (size // 6, size - side - 4), small_cut)
            mask.paste(small_cut, (size // 6, size - side - 4))
            rgba = square.resize((size, size)).convert("RGBA")
            rgba.putalpha(cut.resize((size, size)))
            frames.append(torch.from_numpy(np.array(frame)).permute(2, 0, 1))
            masks.append(torch.from_numpy(np.array(mask, np.float32) / 255)[None])
            references.append(torch.from_numpy(np.array(rgba)).permute(2, 0, 1)[None])
    count = len(frames)
    return Batch(
        frames=torch.stack(frames),
        masks=torch.stack(masks),
        references=torch.stack(references),
        captions=["a character"] * count,
        mentions=[[(0, 11)]] * count,
        names=[[["character"]]] * count,
        where=[[""]] * count,
        size=[[""]] * count,
        place=[""] * count,
        time=[""] * count,
        entries=[[0]] * count,
        identities=np.zeros((count, 1, 3, 3)),
        correspondence=torch.zeros(count, 1, 3, 3),
    )


def test_the_right_reference_lowers_the_error_inside_the_subject_by_a_tenth(mini: Backend, cast: list[Subject]):
    gap = reference_gap(mini.pipeline, [composed(cast, mini.defaults.size)], sigma=4.0)
    assert gap["right"] < 0.9 * gap["wrong"]


def test_the_weights_are_safetensors_and_small_enough_to_ship():
    files = [p for p in (ASSETS / "mini").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} <= {".json", ".safetensors", ".md", ".png"}
    sizes = {p: p.stat().st_size for p in files}
    assert max(sizes.values()) <= 50 * MEGABYTE
    beside_text = sum(size for p, size in sizes.items() if "text_encoder" not in Path(p).parts)
    assert beside_text <= 80 * MEGABYTE
