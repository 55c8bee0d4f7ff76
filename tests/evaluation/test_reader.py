"""The reader of scenes: what it was shipped as, what it answers, how it learns."""

import io
import json
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from anystory.evaluation import reader
from anystory.evaluation.reader import (
    SIDE,
    FrameReader,
    FrameReading,
    compare,
    flattened,
    in_front,
    measure,
    measure_empty,
    train,
    views,
)
from anystory.sketch import scenery as scenes
from anystory.sketch.scenery import PLACES, TIMES, WEATHERS
from anystory.training.art import Art
from anystory.training.bank import SceneBank
from anystory.training.world import World


@pytest.fixture(scope="module")
def shipped():
    return FrameReader.load()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two drawings to train with and one to test with."""
    folder, rows = tmp_path_factory.mktemp("art"), []
    with tarfile.open(folder / "one.tar", "w") as tar:
        for number, (name, split) in enumerate((("fox", "train"), ("owl", "train"), ("cat", "test"))):
            image, buffer = Image.new("RGBA", (96, 96)), io.BytesIO()
            ImageDraw.Draw(image).ellipse((10 + 9 * number, 10, 80, 90), fill=(200, 60 * number, 40))
            image.save(buffer, "WEBP", lossless=True)
            info = tarfile.TarInfo(f"{name}.webp")
            info.size = buffer.tell()
            tar.addfile(info, io.BytesIO(buffer.getvalue()))
            words = {"concept": name, "text": name, "tags": "", "group": "animals-nature", "subgroup": "animal-mammal"}
            kind = {"kind": "subject", "set": "one", "file": f"{name}.webp", "licence": "MIT", "split": split}
            rows.append(words | kind)
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_the_shipped_reader_reads_scenes_it_has_not_seen(shipped):
    """One scene of every place it was taught, of a seed that no training used, at the size and in the form of a
    frame."""
    labels = [label for label in scenes.plan(len(PLACES)) if label[0] in shipped.knows[0]]
    pictures = [
        Image.fromarray(scenes.paint(*label, (99, i)).render(128, 128, grain=True).picture())
        for i, label in enumerate(labels)
    ]
    readings = shipped.read(pictures)
    for question, number in (("place", 0), ("time", 1), ("weather", 2)):
        asked = [(getattr(r, question), label[number]) for r, label in zip(readings, labels, strict=True)]
        asked = [(said, shown) for said, shown in asked if shown]
        assert np.mean([said == shown for said, shown in asked]) > 0.85, question


def test_a_reading_is_possible_and_depends_on_the_picture_alone(shipped):
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (80, 120, 3), dtype=np.uint8)) for _ in range(5)]
    readings = shipped.read(noise)
    for reading in readings:
        kind = PLACES[reading.place]
        assert reading.time in kind.times and reading.weather in kind.weathers
    assert shipped.read(noise[:2]) == readings[:2] and shipped.read([]) == []
    assert shipped.read([noise[0].convert("RGBA")]) == readings[:1]


def test_the_shipped_reader_is_small_and_knows_places_that_are(shipped):
    """Places that came after it was taught are no question until it is taught again."""
    assert reader.WEIGHTS.stat().st_size < 6 * 2**20
    assert set(shipped.knows[0]) <= set(PLACES) and len(shipped.knows[0]) >= 55
    assert shipped.knows[0] == FrameReader.taught() and shipped.knows[1:] == (TIMES, WEATHERS)


def test_what_a_place_does_not_have_is_never_read():
    model = FrameReader().eval()
    with torch.no_grad():
        model.heads[0].bias[list(PLACES).index("cave")] += 100
    assert model.name(torch.zeros(1, 3, SIDE, SIDE)) == [FrameReading("cave", "", "")]
    with torch.no_grad():
        model.heads[0].bias[list(PLACES).index("desert")] += 200
        model.heads[2].bias[WEATHERS.index("snow")] += 100
        model.heads[2].bias[WEATHERS.index("cloudy")] += 50
        model.heads[1].bias[TIMES.index("night")] += 100
    assert model.name(torch.zeros(1, 3, SIDE, SIDE)) == [FrameReading("desert", "night", "cloudy")]


def test_weights_that_are_none_are_refused(tmp_path):
    with pytest.raises(OSError, match="missing"):
        FrameReader.load(tmp_path / "none.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="holds no weights of the reader"):
        FrameReader.load(tmp_path / "other.safetensors")
    told = {"format": "anystory-reader", "knows": json.dumps([["beach"], TIMES, WEATHERS])}
    save_file({"a": torch.zeros(1)}, tmp_path / "old.safetensors", told)
    with pytest.raises(ValueError, match="does not fit"):
        FrameReader.load(tmp_path / "old.safetensors")


def test_views_keep_the_picture_and_change_it():
    frames = (torch.rand(8, 3, 1, 1) * 2 - 1).expand(8, 3, SIDE, SIDE)
    seen = views(frames, torch.Generator().manual_seed(0))
    assert seen.shape == frames.shape
    assert (seen.mean((2, 3)) - frames.mean((2, 3))).abs().max() < 0.3
    assert torch.equal(seen, views(frames, torch.Generator().manual_seed(0)))
    assert not torch.equal(seen, views(frames, torch.Generator().manual_seed(1)))


def test_what_cannot_be_seen_is_no_question():
    shown = [FrameReading("cave", "", ""), FrameReading("room", "night", ""), FrameReading("beach", "day", "rain")]
    read = [FrameReading("cave", "", ""), FrameReading("room", "day", ""), FrameReading("sea", "day", "fog")]
    figures, wrong = compare(shown, read)
    assert {q: (f.value, f.n) for q, f in figures.items()} == {
        "place": (pytest.approx(2 / 3), 3),
        "time": (0.5, 2),
        "weather": (0.0, 1),
    }
    assert wrong == [("place", "beach", "sea", 1), ("time", "night", "day", 1), ("weather", "rain", "fog", 1)]


def test_drawings_stand_in_front():
    frames, cells = torch.full((40, 3, SIDE, SIDE), -1.0), torch.zeros(40, 4, 32, 32, dtype=torch.uint8)
    cells[:, [0, 3], 8:24, 8:24] = 255
    seen = in_front(frames, cells, 0.5, torch.Generator().manual_seed(0))
    red = (seen[:, 0] > 0.9).float().mean((1, 2))
    assert 8 < (red > 0).sum() < 32 and red.max() < 0.2
    assert (seen[:, 1:] == -1).all() and seen.min() >= -1 and seen.max() <= 1


def test_a_flattened_scene_is_the_picture_that_was_painted(tmp_path):
    bank = SceneBank(tmp_path, count=3, size=64, seed=5)
    for i, (label, picture) in enumerate(zip(scenes.plan(3), flattened(bank), strict=True)):
        painted = scenes.paint(*label, (5, i)).render(64, 64, grain=True).picture()
        assert np.abs(picture.permute(1, 2, 0).numpy().astype(int) - painted).max() <= 3


def test_training_resumes_and_never_sees_the_test_split(folder, tmp_path, capsys):
    with pytest.raises(ValueError, match="train split, not from 'test'"):
        train(Art(folder, tmp_path, split="test", size=32), tmp_path, steps=1)
    art = Art(folder, tmp_path, split="train", size=32)
    model = train(art, tmp_path, steps=14, scenes_count=12, frames=8)
    torch.manual_seed(reader.SEED)
    assert (model.heads[0].weight - FrameReader().heads[0].weight).abs().max() > 1e-3
    assert "14  " in capsys.readouterr().out
    train(art, tmp_path, steps=15, scenes_count=12, frames=8)
    assert "resumed at step 14" in capsys.readouterr().out
    loaded = FrameReader.load(tmp_path / "reader.safetensors")
    assert loaded.knows == model.knows
    world = World(art, tmp_path / "cache", size=SIDE, scenes_count=12, seed=1)
    figures, wrong = measure(loaded, world, 40)
    assert figures["place"].n == 40 and figures["place"].low <= figures["place"].value <= figures["place"].high
    assert measure_empty(loaded, world.bank)[0]["place"].n == 12
    assert sum(n for *_, n in wrong) == sum(round(f.n * (1 - f.value)) for f in figures.values())
