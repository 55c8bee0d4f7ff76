"""The synthetic world: what it shows is what it says. Runs on a small art folder drawn here."""

import io
import json
import tarfile
from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from anystory.training.art import Art, noun_phrase
from anystory.training.scenes import PLACES, TIME_PHRASES
from anystory.training.world import MOST_HIDDEN, World, sheet

SIDE = 48
NAMES = ("fox", "owl", "robot", "apple", "grapes", "cat")


def _drawing(hue: int, kind: int, turn: int = 0) -> bytes:
    image = Image.new("RGBA", (96, 96))
    pen = ImageDraw.Draw(image)
    colour = tuple(Image.new("HSV", (1, 1), (hue, 220, 220)).convert("RGB").getpixel((0, 0)))
    (pen.ellipse, pen.rectangle, pen.rectangle)[kind % 3](
        [(20, 10, 70, 90), (10, 30, 90, 80), (30, 5, 60, 95)][kind % 3], fill=colour
    )
    pen.ellipse((34 + turn, 34, 46 + turn, 46), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("art")
    with ExitStack() as opened:
        names = ("one", "two", "poses")
        _fill(folder, {name: opened.enter_context(tarfile.open(folder / f"{name}.tar", "w")) for name in names})
    return folder


def _fill(folder, tars):
    rows = []

    def put(tar, name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tars[tar].addfile(info, io.BytesIO(data))

    base = {"tags": "cute, small", "group": "animals-nature", "subgroup": "animal-mammal", "licence": "MIT"}
    for k, name in enumerate(NAMES):
        split = "test" if name == "cat" else "train"
        for tar in ("one", "two"):
            put(tar, f"{name}.webp", _drawing(40 * k, k))
            rows.append(
                base
                | {"kind": "subject", "set": tar, "file": f"{name}.webp", "concept": name, "text": name, "split": split}
            )
    for i in range(3):
        put("poses", f"fox/{i}.webp", _drawing(10, 0, 6 * i))
    rows.append(
        base
        | {
            "kind": "poses",
            "set": "moving",
            "file": "fox/",
            "frames": 3,
            "concept": "fox",
            "text": "fox",
            "split": "train",
        }
    )
    put("one", "sunset.webp", _drawing(0, 1))
    rows.append(
        base
        | {
            "kind": "scene",
            "set": "one",
            "file": "sunset.webp",
            "concept": "sunset",
            "text": "sunset",
            "split": "train",
        }
    )
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.fixture(scope="module")
def art(folder, tmp_path_factory):
    return Art(folder, tmp_path_factory.mktemp("cache"), split="train", size=SIDE)


@pytest.fixture(scope="module")
def world(art, tmp_path_factory):
    return World(art, tmp_path_factory.mktemp("cache"), size=SIDE, scenes_count=40)


def test_only_the_split_asked_for_is_used(folder, art, tmp_path):
    assert {e.concept for e in art.entries} == set(NAMES) - {"cat"}
    assert sum(len(e.cells) for e in art.entries) == len(art.cells) == 5 * 2 + 3
    held_out = Art(folder, tmp_path, split="test", size=SIDE)
    assert {e.concept for e in held_out.entries} == {"cat"}
    with pytest.raises(ValueError, match="'validation'"):
        Art(folder, tmp_path, split="validation")


def test_the_cache_gives_the_same_art(folder, tmp_path):
    first, second = (Art(folder, tmp_path, split="train", size=SIDE) for _ in range(2))
    assert torch.equal(first.cells, second.cells) and first.entries == second.entries
    assert not list(tmp_path.glob("*.part"))


def test_cells_are_premultiplied_and_fill_the_square(art):
    assert (art.cells[:, :3] <= art.cells[:, 3:]).all()
    assert torch.allclose(art.extent.max(1).values, torch.tensor(0.92), atol=0.02)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("fox", "a fox"),
        ("owl", "an owl"),
        ("unicorn", "a unicorn"),
        ("grapes", "grapes"),
        ("octopus", "an octopus"),
        ("man: red hair", "a man with red hair"),
        ("woman: bald", "a bald woman"),
        ("Santa Claus", "Santa Claus"),
        ("bread", "some bread"),
        ("man running: facing right", "a man running"),
        ("glass of milk", "a glass of milk"),
    ],
)
def test_noun_phrases(text, phrase):
    assert noun_phrase(text) == phrase


@pytest.mark.parametrize("count", range(5))
def test_masks_are_visible_disjoint_and_never_mostly_hidden(world, count):
    batch = world.batch(24, count, np.random.default_rng(count))
    assert batch.frames.shape == (24, 3, SIDE, SIDE) and batch.frames.dtype == torch.uint8
    assert batch.masks.shape == (24, count, SIDE, SIDE)
    assert batch.references.shape == (24, count, 4, SIDE, SIDE) and batch.references.dtype == torch.uint8
    assert batch.masks.min() >= 0 if count else True
    assert (batch.masks.sum(1) <= 1 + 1e-5).all()
    if count:
        assert (batch.masks.mean((2, 3)) > 0.004).all()


def test_little_of_a_subject_is_hidden(world):
    layout = world._lay_out(["meadow"] * 200, 3, np.random.default_rng(0))
    assert (world._hidden(layout) <= MOST_HIDDEN).all()


def _centre(mask: torch.Tensor) -> float:
    return float((mask.sum(0) * (torch.arange(SIDE) + 0.5)).sum() / mask.sum() / SIDE)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_captions_are_true_and_their_spans_exact(world, count):
    batch = world.batch(150, count, np.random.default_rng(10 + count))
    said = 0
    for b, text in enumerate(batch.captions):
        assert "  " not in text and " ," not in text
        for s, (start, end) in enumerate(batch.mentions[b]):
            words = text[start:end]
            assert "character" in words or batch.names[b][s][0] in words
            assert text[start - 1] == " " if start else True
            assert end == len(text) or text[end] in " ,"
        centres = [_centre(mask) for mask in batch.masks[b]]
        for s, where in enumerate(batch.where[b]):
            if count > 1 and where == "left":
                assert centres[s] == min(centres)
            if count > 1 and where == "right":
                assert centres[s] == max(centres)
            if count == 1 and where:
                assert {"left": centres[s] < 0.48, "right": centres[s] > 0.52, "middle": 0.38 < centres[s] < 0.62}[
                    where
                ]
        if any(word in text for word in (" left", " right", " middle", "centre")):
            said += 1
            if count == 2 and "to the" in text:
                (a, b2), first = batch.mentions[b], int(np.argmin([m[0] for m in batch.mentions[b]]))
                assert batch.where[b][first] in text[min(a[1], b2[1]) : max(a[0], b2[0])]
        else:
            order = np.argsort([m[0] for m in batch.mentions[b]])
            xs = [centres[i] for i in order]
            assert all(x < y + 0.06 for x, y in pairwise(xs))
            assert count > 1 or batch.where[b][0] in ("middle", "")
        phrases = [p for t in TIME_PHRASES for p in TIME_PHRASES[t] if p and p in text]
        assert all(p in TIME_PHRASES[batch.time[b]] for p in phrases)
    assert 0.3 < said / len(batch.captions) < 0.95


def test_half_of_the_subjects_are_only_a_character(world):
    batch = world.batch(200, 2, np.random.default_rng(4))
    spans = [text[a:b] for text, row in zip(batch.captions, batch.mentions, strict=True) for a, b in row]
    assert 0.35 < np.mean(["character" in s for s in spans]) < 0.65


def test_empty_scenes(world):
    batch = world.batch(20, 0, np.random.default_rng(0))
    assert all(batch.captions) and batch.mentions == [[]] * 20
    assert set(batch.place) <= set(PLACES)


def test_the_same_seed_gives_the_same_batch(world):
    a, b, c = (world.batch(6, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(a.frames, b.frames) and torch.equal(a.masks, b.masks) and torch.equal(a.references, b.references)
    assert a.captions == b.captions and a.mentions == b.mentions
    assert not torch.equal(a.frames, c.frames)


def test_reference_and_target_have_one_colour(world):
    """A recoloured subject wears its new colour in both pictures: direction of the chroma, away from grey."""
    batch = world.batch(150, 1, np.random.default_rng(3))
    agree = recoloured = 0
    for b in range(150):
        if batch.time[b] not in ("day", "") or np.allclose(batch.identities[b, 0], np.eye(3)):
            continue
        inside = batch.masks[b, 0] > 0.99
        opaque = batch.references[b, 0, 3] > 252
        target = batch.frames[b][:, inside].float().mean(1)
        look = batch.references[b, 0, :3][:, opaque].float().mean(1)
        recoloured += 1
        agree += torch.cosine_similarity(target - target.mean(), look - look.mean(), dim=0) > 0.9
    assert recoloured > 15 and agree / recoloured > 0.95


def test_reference_is_not_a_copy_of_the_target(world):
    batch = world.batch(60, 1, np.random.default_rng(8))
    layout = world._lay_out(["meadow"] * 200, 1, np.random.default_rng(0))
    moving = world._count[layout.entry] > 1
    assert moving.any() and (layout.cell != layout.look)[moving].all()
    alone = batch.frames.float() * batch.masks
    assert ((alone - batch.references[:, 0, :3].float()).abs().mean((1, 2, 3)) > 5).all()


def test_a_sheet_shows_the_batch(world):
    assert sheet(world.batch(3, 2, np.random.default_rng(0)), columns=2).size == (SIDE * 4 * 2, (SIDE + 30) * 2)


def test_too_many_subjects_are_refused(world):
    with pytest.raises(ValueError, match="0 to 4 subjects, not 5"):
        world.batch(1, 5, np.random.default_rng(0))
