"""What is read off frames: known answers on pictures drawn here."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from anystory.cast.segment import SegmentError
from anystory.evaluation.cases import Gallery, pairs, singles
from anystory.evaluation.encoder import _Sampler, train, views
from anystory.evaluation.measures import Judge, found_by_segmentation, held, overlap, rank_of, read_size, read_where
from anystory.evaluation.statistics import mean, share
from anystory.evaluation.table import Row, TableReport
from anystory.maps.consistency import pose_difference
from anystory.model.identity import DIMENSION, SIDE, IdentityEncoder, cut_out, embed, load_encoder
from anystory.sketch.scenery import PLACES, TIME_PHRASES
from anystory.story.model import BACKGROUND, RoutingMaps
from tests.evaluation.test_identity import CAST


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((100, 100), bool)
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "where", "size"),
    [
        (box(5, 40, 30, 60), "left", "small"),
        (box(40, 40, 60, 60), "middle", "small"),
        (box(60, 10, 100, 90), "right", "big"),
        (box(30, 30, 70, 70), "middle", "between"),
        (box(0, 0, 0, 0), "", ""),
        (None, "", ""),
        (box(60, 20, 98, 60) | box(2, 2, 6, 6), "right", "between"),  # the largest figure counts
    ],
)
def test_positions_and_sizes_are_read_off_masks(mask, where, size):
    assert (read_where(mask), read_size(mask)) == (where, size)


def test_overlap_is_intersection_over_union():
    assert overlap(box(0, 0, 50, 100), box(0, 0, 100, 100)) == pytest.approx(0.5)
    assert overlap(None, box(0, 0, 9, 9)) == 0 == overlap(box(0, 0, 0, 0), box(0, 0, 0, 0))


def test_everyones_place_is_where_the_background_is_not_the_strongest():
    values = np.zeros((3, 4, 4), np.float32)
    values[0, :, 0], values[1, :, 1], values[2, :, 2:] = 1, 1, 1
    assert held(RoutingMaps(("a", "b", BACKGROUND), values), 4).mean() == 0.5


def test_the_place_of_ones_own_among_all():
    assert rank_of(np.array([0.9, 0.2, 0.5]), 2) == 2
    assert rank_of(np.array([-1.0, -1.0, -1.0]), 0) == 3


def figure(angle: float, mirrored: bool = False) -> tuple[Image.Image, Image.Image]:
    picture = Image.new("RGBA", (120, 120))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((40, 10, 80, 50), fill="orange")
    pen.rectangle((50, 50, 70, 110), fill="brown")
    pen.rectangle((70, 60, 110, 70), fill="black")
    picture = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    if mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture.convert("RGB"), picture.getchannel("A")


def test_a_copy_has_no_pose_difference_a_mirrored_one_neither_a_turned_one_has():
    same, other = pose_difference(figure(0), figure(0, mirrored=True)), pose_difference(figure(0), figure(40))
    assert same == pytest.approx(0, abs=0.02)
    assert pose_difference(figure(0), figure(4)) < other
    assert other > 0.2


def test_where_segmentation_finds_nothing_there_is_no_mask():
    class Blind:
        def cut(self, image):
            raise SegmentError("nothing")

    assert found_by_segmentation(Image.new("RGB", (8, 8)), Blind()) is None


# The encoder.


class Drawings:
    """Art of coloured shapes: as much of `Art` as the encoder's training reads."""

    split = "train"

    def __init__(self) -> None:
        cells, self.entries = [], []
        for shape in ("ellipse", "rectangle", "pieslice", "chord"):
            for hue in range(0, 256, 32):
                first = len(cells)
                for turn in (0, 25):
                    cell = Image.new("RGBA", (64, 64))
                    how = {"start": 30, "end": 250} if shape in ("pieslice", "chord") else {}
                    fill = Image.new("HSV", (1, 1), (hue, 230, 230)).convert("RGB").getpixel((0, 0))
                    getattr(ImageDraw.Draw(cell), shape)((6, 14, 58, 50), fill=fill, **how)
                    cell = cell.rotate(turn).convert("RGBa")
                    raw = np.frombuffer(cell.tobytes(), np.uint8).reshape(64, 64, 4)
                    cells.append(torch.from_numpy(raw.transpose(2, 0, 1).copy()))
                self.entries.append(SimpleNamespace(text=shape, cells=range(first, len(cells))))
        self.cells = torch.stack(cells)
        self.chroma = torch.full((len(cells),), 0.8)


def test_a_short_training_tells_shapes_and_colours_apart_and_goes_on_where_it_stopped(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("anystory.evaluation.encoder.GROUPS", 16)
    train(Drawings(), tmp_path, steps=12)
    train(Drawings(), tmp_path, steps=24)
    out = capsys.readouterr().out
    assert "judge: resumed at step 12" in out
    found = [float(line.split("found")[1]) for line in out.splitlines() if "found" in line]
    assert found[-1] > 2.5 / 32  # chance is 1 in 32
    shipped = load_encoder(tmp_path / "identity.safetensors")
    vectors = embed(shipped, [torch.rand(4, SIDE, SIDE)])
    assert vectors.shape == (1, DIMENSION) and np.linalg.norm(vectors) == pytest.approx(1, abs=1e-5)
    assert (tmp_path / "identity.safetensors").stat().st_size <= 6_000_000


def test_the_judge_never_learns_from_the_test_split(tmp_path):
    art = Drawings()
    art.split = "test"
    with pytest.raises(ValueError, match="train split, not from 'test'"):
        train(art, tmp_path, steps=1)


def test_doubles_of_the_batch_are_of_ones_kind_or_oneself_in_another_colour():
    art = Drawings()
    first, second, colours = _Sampler(art).batch(12, np.random.default_rng(0))
    owner = {c: i for i, e in enumerate(art.entries) for c in e.cells}
    for k in range(0, 24, 2):
        a, b = owner[int(first[k])], owner[int(first[k + 1])]
        assert art.entries[a].text == art.entries[b].text
        assert a != b or not torch.allclose(colours[k], colours[k + 1])
        assert owner[int(second[k])] == a


def test_views_are_premultiplied_and_their_own_every_time():
    art = Drawings()
    generator = torch.Generator().manual_seed(0)
    seen = views(art.cells[:8], torch.eye(3).expand(8, 3, 3), generator)
    assert seen.shape == (8, 4, SIDE, SIDE) and seen.min() >= 0 and seen.max() <= 1 + 1e-6
    assert (seen[:, :3] <= seen[:, 3:] + 1e-6).all()
    assert not torch.equal(seen, views(art.cells[:8], torch.eye(3).expand(8, 3, 3), generator))


def test_a_cut_out_fills_the_square_and_ignores_the_ground():
    subject = CAST[0]
    there = Image.new("RGB", (300, 200), "purple")
    mask = Image.new("L", there.size)
    there.paste(subject.image, (150, 90), subject.mask)
    mask.paste(subject.mask, (150, 90))
    assert torch.allclose(cut_out(subject.image, subject.mask), cut_out(there, mask), atol=1e-6)


def test_what_is_no_judge_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(OSError, match="are missing; python -m"):
        load_encoder(tmp_path / "identity.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="holds no weights of the judge"):
        load_encoder(tmp_path / "other.safetensors")


def test_the_shipped_judge_knows_drawings_by_their_looks():
    judge = Judge.of(load_encoder(), CAST)
    cuts = [(s.image, s.mask) for s in CAST]
    scores = judge.likeness([*cuts, None])
    assert (scores[:-1].argmax(1) == np.arange(len(CAST))).all()
    assert (scores[-1] == -1).all()
    assert (judge.colour_likeness(cuts).argmax(1) == np.arange(len(CAST))).mean() > 0.4


def test_the_judge_shares_no_architecture_with_the_generator():
    """No attention, no patches: nothing of a transformer, as the generator's image encoder is one."""
    kinds = {type(m).__name__ for m in IdentityEncoder().modules()}
    assert "Conv2d" in kinds and not kinds & {"MultiheadAttention", "LayerNorm", "CLIPVisionModelWithProjection"}


# The cases.


def cast_of(kinds: str) -> Gallery:
    subjects = tuple(CAST[i % len(CAST)] for i in range(len(kinds)))
    return Gallery(subjects, tuple(range(len(kinds))), tuple(kinds))


def test_what_is_asked_for_is_in_the_sentence_and_its_span_is_the_character():
    for case in singles(cast_of("aabbccddee")):
        (start, end), text = case.prompt.mentions[0], case.prompt.text
        assert text[start:end].endswith("character") and any(p in text for p in PLACES[case.place].phrases)
        assert case.time in PLACES[case.place].times
        assert not case.time or any(p and p in text for p in TIME_PHRASES[case.time])
        assert {"left": "left", "right": "right", "middle": "cent"}[case.where[0]] in text or "middle" in text


def test_every_other_pair_is_of_one_kind_and_all_stand_left_and_right():
    cast = cast_of("aabbccddee")
    made = pairs(cast, 8)
    same = [cast.kinds[c.cast[0]] == cast.kinds[c.cast[1]] for c in made]
    assert all(same[::2]) and all(c.cast[0] != c.cast[1] for c in made)
    for case in made:
        spans = [case.prompt.text[a:b] for a, b in case.prompt.mentions]
        assert spans == ["a character"] * 2 and case.prompt.mentions[0][1] < case.prompt.mentions[1][0]
    assert made == pairs(cast, 8)


def test_the_table_says_figure_interval_aim_and_bounds():
    rows = (
        Row("identity", share([True, True, False]), 0.85, ceiling=share([True] * 9), floor="chance 0.010"),
        Row("seconds", mean([2.0, 2.0]), 8.0, at_least=False, unit=" s"),
        Row("nothing", share([]), 0.5),
    )
    report = TableReport(rows, rows[:1], (("a fox", "a dog", 2),), {})
    text = report.as_markdown("Model x")
    assert "| identity | 0.667 [0.208, 0.939] | 3 | ≥ 0.85 | no | 1.000 [0.701, 1.000] | chance 0.010 |" in text
    assert "| seconds | 2.000 [2.000, 2.000] s | 2 | ≤ 8 s | yes |" in text and "- a fox for a dog (2 times)" in text
    data = report.as_data()
    assert [row["met"] for row in data["table"]] == [False, True, None]
    assert data["judge"]["taken for another"] == [{"is": "a fox", "taken for": "a dog", "times": 2}]
