"""The judge's training as a command, and its examination on pictures whose answers are known."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from anystory.evaluation.cases import Gallery, gallery
from anystory.evaluation.examination import ATTEMPTS, composites, examine_identity, examine_poses
from anystory.evaluation.identity import subject_of
from anystory.evaluation.measures import Judge
from anystory.evaluation.reader import FrameReader
from anystory.evaluation.train import main
from anystory.model.identity import load_encoder
from anystory.training.art import Art
from anystory.training.world import World
from tests.evaluation.test_main import GROUPS, drawing


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten concepts by two sets, half for training and half for testing, and three characters in four poses a split."""
    folder, rows = tmp_path_factory.mktemp("art"), []

    def keep(tar, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

    def row(kind: str, set_: str, number: int, test: bool, **more) -> None:
        name = f"{'other' if test else 'thing'} {number}"
        words = {"concept": name.replace(" ", "-"), "text": name, "tags": "", "subgroup": "thing"}
        words |= {"group": GROUPS[number % 4], "split": "test" if test else "train", "licence": "MIT"}
        rows.append({"kind": kind, "set": set_, **words, **more})

    for set_ in ("one", "two"):
        with tarfile.open(folder / f"{set_}.tar", "w") as tar:
            for number in range(10):
                keep(tar, f"{number}.webp", drawing(2 * number, set_ == "two"))
                row("subject", set_, number, number % 2 == 0, file=f"{number}.webp")
    with tarfile.open(folder / "poses.tar", "w") as tar:
        for number in range(6):
            for pose in range(4):
                with Image.open(io.BytesIO(drawing(3 * number, False))) as image:
                    buffer = io.BytesIO()
                    image.rotate(12 * pose).save(buffer, "WEBP", lossless=True)
                keep(tar, f"c{number}/{pose}.webp", buffer.getvalue())
            row("poses", "moving", 20 + number, number % 2 == 0, file=f"c{number}/", frames=4)
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_one_command_trains_and_measures_both_networks(folder, tmp_path, capsys):
    small = ["--identity-steps", "2", "--reader-steps", "2", "--scenes", "6", "--held-out", "4", "--samples", "10"]
    assert main(["--art", str(folder), "--out", str(tmp_path), *small]) == 0
    load_encoder(tmp_path / "identity.safetensors")
    assert (tmp_path / "identity.safetensors").stat().st_mode & 0o777 == 0o644
    FrameReader.load(tmp_path / "reader.safetensors")
    measured = json.loads((tmp_path / "identity.json").read_text())
    assert measured["composites of 10 drawings"]["identity, all"]["n"] == 30
    assert measured["poses"]["another pose, among 3 characters"]["n"] == 3
    read = json.loads((tmp_path / "reader.json").read_text())
    assert read["scenes"]["place"]["n"] == 4 and read["composites"]["place"]["n"] == 16
    for rows in (*measured.values(), *read.values()):
        for figure in rows.values():
            assert not figure["n"] or figure["interval"][0] <= figure["value"] <= figure["interval"][1]
    assert "identity, all" in capsys.readouterr().out


def test_what_cannot_be_trained_is_refused_in_a_sentence(tmp_path, capsys):
    assert main(["--art", str(tmp_path), "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "holds no index.jsonl" in error and error.count("\n") == 1


def test_the_shipped_encoder_knows_drawings_in_composites_and_in_other_poses(folder, tmp_path):
    art = Art(folder, tmp_path, split="test", size=64)
    world = World(art, tmp_path, size=64, scenes_count=4, seed=5)
    cast = gallery(art, 8)
    real = composites(world, cast)
    assert [one.who for one in real] == list(range(8)) and ATTEMPTS > 1
    for one, again in zip(real, composites(world, cast), strict=True):
        assert one.image == again.image and one.mask == again.mask
        assert np.asarray(one.mask).max() > 200
    encoder = load_encoder()
    figures, wrong = examine_identity(Judge.of(encoder, cast.subjects), cast, real)
    assert figures["identity, all"].value >= 0.7 > 0.1
    doubled = [kind for kind in cast.kinds if cast.kinds.count(kind) > 1]
    assert figures["identity, of those with a double of their kind"].n == len(doubled) > 4
    assert sum(n for *_, n in wrong) == round(8 * (1 - figures["identity, all"].value))
    told = examine_poses(encoder, art)
    assert told["another pose, among 3 characters"].value > 0.6
    assert told["another pose, among those of its kind, by chance"].value == pytest.approx(1 / 3)


def test_an_examination_marks_what_it_is_told(folder, tmp_path):
    """With the composites' owners shifted by one, everything is wrong, and the mistakes say so."""
    art = Art(folder, tmp_path, split="test", size=64)
    cast = Gallery(tuple(subject_of(art, i) for i in range(4)), (0, 1, 2, 3), ("cat", "cat", "dog", "dog"))
    real = composites(World(art, tmp_path, size=64, scenes_count=4, seed=5), cast)

    class Told(Judge):
        def likeness(self, cuts):
            return np.roll(np.eye(4), self.shift, axis=1)

        colour_likeness = likeness

    for shift, value in ((0, 1.0), (1, 0.0)):
        Told.shift = shift
        figures, wrong = examine_identity(Told(None, np.eye(4), np.eye(4)), cast, real)
        assert figures["identity, all"].value == figures["identity, all, by colours alone"].value == value
        assert len(wrong) == (4 if shift else 0)
    # A cat is taken for the other cat, that one for a dog, and so on: every other one stays within its kind.
    assert figures["of its mistakes, those within a kind"].value == 0.5
