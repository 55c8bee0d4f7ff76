"""The measures of identity: a picture is most like itself, and a frame is cut where its maps say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.evaluation.cases import gallery
from anystory.evaluation.identity import cut_by_routing, drawings, embed, likeness, ranks, region, swap
from anystory.story.model import BACKGROUND, Frame, RoutingMaps, Step, Subject
from anystory.training.art import Art
from anystory.training.own import build_own


def drawing(colour: str, shape: str, name: str = "") -> Subject:
    image, mask = Image.new("RGB", (80, 60), "white"), Image.new("L", (80, 60))
    for canvas, fill in ((image, colour), (mask, 255)):
        pen = ImageDraw.Draw(canvas)
        getattr(pen, shape)((20, 5, 60, 55), fill=fill)
    ImageDraw.Draw(image).rectangle((24, 25, 36, 35), fill="black")
    return Subject(name or f"{colour} {shape}", image, mask)


CAST = [drawing(c, s) for c in ("red", "gold", "green", "navy") for s in ("ellipse", "rectangle")]


def test_an_embedding_is_a_unit_vector_that_knows_nothing_of_the_ground():
    subject = CAST[0]
    moved = Image.new("RGB", (200, 200), "purple")
    moved.paste(subject.image, (90, 110), subject.mask)
    mask = Image.new("L", (200, 200))
    mask.paste(subject.mask, (90, 110))
    one, other = embed(subject.image, subject.mask), embed(moved, mask)
    assert np.linalg.norm(one) == pytest.approx(1)
    assert one @ other == pytest.approx(1, abs=1e-9)


def test_likeness_is_one_for_itself_and_for_its_mirror_image_and_less_for_others():
    pairs = [(s.image, s.mask) for s in CAST]
    mirrored = [tuple(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for p in pair) for pair in pairs]
    for cuts in (pairs, mirrored):
        scores = likeness(cuts, pairs)
        assert np.allclose(np.diag(scores), 1)
        assert (scores - np.diag(np.diag(scores))).max() < 0.99


def test_ranks_count_those_that_are_more_alike_and_an_empty_cut_out_comes_last():
    cuts = [(s.image, s.mask) for s in CAST]
    assert ranks(cuts, CAST) == (1,) * len(CAST)
    assert min(ranks(cuts[1:] + cuts[:1], CAST)) > 1
    assert ranks([None, *cuts[1:]], CAST)[0] == len(CAST)


@pytest.fixture
def held_out(tmp_path):
    """The two of eleven characters of one's own that are held out."""
    (tmp_path / "own").mkdir()
    for number in range(11):
        image = CAST[number % len(CAST)].image.copy()
        image.putalpha(CAST[number % len(CAST)].mask)
        image.save(tmp_path / "own" / f"c{number:02}.png")
    build_own(tmp_path / "own", tmp_path / "pack")
    return Art(tmp_path / "pack", tmp_path / "cache", split="test", size=48)


def test_characters_of_ones_own_are_told_apart_and_too_few_refused_in_a_sentence(held_out):
    assert set(gallery(held_out, 100).entries) == {0, 1}
    with pytest.raises(ValueError, match="test split has too few drawings of animals-nature to tell 20 apart; give"):
        drawings(held_out)


def halves(left_is_first: bool) -> RoutingMaps:
    values = np.zeros((3, 4, 8), np.float32)
    values[0 if left_is_first else 1, :, :3] = 1
    values[1 if left_is_first else 0, :, 5:] = 1
    values[2, :, 3:5] = 1
    return RoutingMaps(("a", "b", BACKGROUND), values)


def test_a_subject_is_cut_where_its_map_is_the_strongest():
    maps = halves(True)
    masks = [np.asarray(region(maps, i, (80, 40))) > 0 for i in range(3)]
    assert (sum(m.astype(int) for m in masks) == 1).all()
    assert masks[0][:, :25].all()
    assert masks[1][:, -25:].all()
    nobody = RoutingMaps(("a", BACKGROUND), np.stack([np.zeros((4, 4)), np.ones((4, 4))]).astype(np.float32))
    assert cut_by_routing(Frame(Image.new("RGB", (64, 64)), nobody, 0), 0) is None


class Painter:
    """Not a model, a known answer: paints each reference into its half; or always the same two, and lets the maps
    follow them, as a model does that routes by content alone."""

    def __init__(self, deaf: bool) -> None:
        self.deaf = deaf

    def encode(self, subject: Subject) -> Subject:
        return subject

    def denoise(self, request):
        cast = request.cast
        painted = sorted(cast, key=lambda s: s.name) if self.deaf else cast
        frame = Image.new("RGB", (160, 60), "white")
        for place, subject in enumerate(painted):
            frame.paste(subject.image, (80 * place, 0))
        yield Step(1, 1, frame, Frame(frame, halves(painted[0] is cast[0]), request.seed))


@pytest.mark.parametrize("deaf", [False, True])
def test_the_swap_measure_tells_a_frame_that_follows_its_references_from_one_that_does_not(deaf):
    pair = (CAST[0], CAST[3])
    found = swap(Painter(deaf), pair, settings=None, seed=0)
    assert found.kept == (True, True)
    assert found.swapped == (not deaf, not deaf)
