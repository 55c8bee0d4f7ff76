"""The embedded model as it ships: it reads its references, and it is small enough to ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from anystory.backends.base import Backend, Request
from anystory.backends.load import load
from anystory.cast.images import square_crop
from anystory.cast.segment import Segmenter
from anystory.evaluation.identity import swap
from anystory.evaluation.measures import overlap
from anystory.model.routing import soft_maps
from anystory.script.read import load_script
from anystory.story.model import Prompt, Subject
from anystory.story.steering import Layout, Place, Steering
from anystory.supplies import ASSETS
from anystory.training.health import reference_gap
from anystory.training.inputs import encode_batch, prepare
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
    frames = encode_batch(mini.pipeline, prepare(mini.pipeline, composed(cast, mini.about.defaults.size.width)))
    gap = reference_gap(mini.pipeline, [frames], sigma=4.0)
    assert gap["right"] < 0.9 * gap["wrong"]


def test_swapped_references_swap_the_subjects_in_the_frame(mini: Backend, cast: list[Subject]):
    settings = replace(mini.about.defaults, steps=12)
    pairs = [swap(mini, pair, settings, seed) for seed, pair in enumerate([cast[:2], cast[2:]])]
    assert sum(place for pair in pairs for place in (*pair.kept, *pair.swapped)) >= 7


@pytest.mark.parametrize(
    ("sentence", "left", "right"),
    [
        ("a fox on the left and a wizard on the right in a meadow", "a fox", "a wizard"),
        ("a fox on the right side and a wizard on the left by the sea", "a wizard", "a fox"),
        ("on the left a character and on the right another character", "a character", "another character"),
        ("in a forest, a fox stands to the right of a wizard", "a wizard", "a fox"),
    ],
)
def test_each_is_routed_to_where_the_sentence_says_while_the_frame_is_noise(
    mini: Backend, cast: list[Subject], sentence: str, left: str, right: str
):
    spans = [(sentence.index(words), sentence.index(words) + len(words)) for words in (left, right)]
    subjects = [mini.encode(subject) for subject in cast[:2]]
    right_order = 0
    for seed in range(4):
        first = next(mini.pipeline.denoise([sentence], [spans], [subjects], [seed]))
        maps = soft_maps(first.refined[-1])[0, :2].sum(1)  # over the rows
        middles = (maps * torch.arange(maps.shape[1])).sum(1) / maps.sum(1)
        right_order += bool(middles[0] < middles[1])
    assert right_order >= 3


def test_at_full_strength_the_maps_are_the_layout_also_against_the_words(mini: Backend, cast: list[Subject]):
    sentence = "a fox on the left and a wizard on the right in a meadow"
    places = Layout((Place("fox", (0.55, 0.3, 0.98, 0.98)), Place("wizard", (0.02, 0.25, 0.4, 0.9))))
    subjects = [mini.encode(subject) for subject in cast[:2]]
    prompt = Prompt(sentence, ((0, 5), (22, 30)))
    settings = replace(mini.about.defaults, steps=2)
    *_, last = mini.denoise(Request(prompt, ["fox", "wizard"], subjects, settings, 0, Steering(places)))
    held = last.frame.maps.values.argmax(0)
    for number, place in enumerate(places.places):
        region = Image.fromarray(place.region()).resize(held.shape[::-1], Image.Resampling.BOX)
        assert overlap(held == number, np.asarray(region) >= 0.5) >= 0.9


def test_the_router_finds_a_character_in_a_picture_that_it_did_not_make(mini: Backend, cast: list[Subject]):
    fern = cast[1]
    encoded = [mini.encode(fern)]
    for x in (20, 140):
        picture, truth = Image.new("RGB", (256, 256), "#88bbee"), Image.new("L", (256, 256))
        image, mask = (side.crop(fern.mask.getbbox()).resize((100, 120)) for side in (fern.image, fern.mask))
        picture.paste(image, (x, 90), mask)
        truth.paste(mask, (x, 90))
        (found,) = mini.locate(picture, [fern.name], encoded).located(picture.size)
        assert overlap(found, np.asarray(truth) >= 128) >= 0.4


def test_the_weights_are_safetensors_and_small_enough_to_ship():
    files = [p for p in (ASSETS / "mini").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} <= {".json", ".safetensors", ".md", ".png", ".webp", ".py"}
    sizes = {p: p.stat().st_size for p in files}
    assert max(sizes.values()) <= 50 * MEGABYTE
    beside_text = sum(size for p, size in sizes.items() if "text_encoder" not in Path(p).parts)
    assert beside_text <= 80 * MEGABYTE
