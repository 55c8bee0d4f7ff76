"""Several pictures of one character: laws of what the frames get from them."""

import pytest
import torch

from anystory.model.anystory import SubjectEncoding
from tests.model.conftest import cutout

PROMPT = "a fox and a robot"
SPANS = ((0, 5), (10, 17))
ROUNDING = 2e-4
"""Of latents of about unit size after two steps: softmax over keys in other company rounds otherwise."""


def last(pipeline, *casts, seeds=(0,), **settings):
    """The last step of a batch of frames, one a cast."""
    spans = [SPANS[: len(casts[0])]] * len(casts)
    *_, step = pipeline.denoise([PROMPT] * len(casts), spans, casts, seeds, steps=2, **settings)
    return step


def album(pipeline, *numbers):
    return SubjectEncoding.joined([pipeline.encode(*cutout(number)) for number in numbers])


def close(a, b):
    return (a.latents - b.latents).abs().max() <= ROUNDING * max(1, b.latents.abs().max())


def test_one_picture_is_what_it_was_to_the_bit(pipeline, cast):
    joined = SubjectEncoding.joined(cast[:1])
    assert torch.equal(joined.tokens, cast[0].tokens) and torch.equal(joined.routing, cast[0].routing)
    assert all(map(torch.equal, joined.references, cast[0].references)) and joined.pictures == 1
    assert torch.equal(last(pipeline, [joined, cast[1]]).latents, last(pipeline, cast[:2]).latents)


def test_the_router_reads_the_mean_and_the_rest_is_in_a_row(pipeline, cast):
    joined = SubjectEncoding.joined(cast[:3])
    assert joined.pictures == 3 and torch.equal(joined.tokens, torch.cat([one.tokens for one in cast[:3]]))
    assert torch.allclose(joined.routing, sum(one.routing for one in cast[:3]) / 3, atol=1e-6)
    assert torch.equal(joined.references[0], torch.cat([one.references[0] for one in cast[:3]]))


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_the_same_picture_twice_is_the_picture(pipeline, cast, gamma):
    single = last(pipeline, cast[:2], gamma=gamma)
    for times in (2, 3):
        assert close(last(pipeline, [album(pipeline, *[0] * times), cast[1]], gamma=gamma), single)


def test_the_order_of_pictures_does_not_matter_and_their_number_does(pipeline, cast):
    three = last(pipeline, [album(pipeline, 0, 2, 3), cast[1]])
    assert close(last(pipeline, [album(pipeline, 3, 0, 2), cast[1]]), three)
    two, one = last(pipeline, [album(pipeline, 0, 2), cast[1]]), last(pipeline, cast[:2])
    distances = [(a.latents - b.latents).abs().max() for a, b in ((three, two), (two, one), (three, one))]
    assert min(distances) > 50 * ROUNDING


def test_maps_have_an_entry_for_each_subject_however_many_pictures(pipeline, cast):
    step = last(pipeline, [cast[0], album(pipeline, 1, 2, 3)])
    assert step.latents.isfinite().all() and {x.shape[:2] for x in (*step.refined, *step.coarse)} == {(1, 3)}


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_frames_with_other_numbers_of_pictures_are_in_a_batch_what_they_are_alone(pipeline, cast, guidance):
    casts = [[cast[0], album(pipeline, 1, 2, 3)], [album(pipeline, 0, 2), cast[3]], cast[:2]]
    etas, gammas = [[0.5, 1, 1], [1, 1, 1], [1, 2, 1]], [[1, 0], [-1, 0], [0, 3]]
    together = last(pipeline, *casts, seeds=(1, 2, 3), guidance=guidance, eta=etas, gamma=gammas)
    for row, people in enumerate(casts):
        alone = last(
            pipeline, people, seeds=(row + 1,), guidance=guidance, eta=etas[row : row + 1], gamma=gammas[row : row + 1]
        )
        assert (together.latents[row] - alone.latents[0]).abs().max() <= 1e-3


def test_steering_acts_on_all_pictures_of_a_subject(pipeline, cast):
    """Without η and references nothing but the routing feature tells of further pictures."""
    albums = [album(pipeline, 0, 2), album(pipeline, 0, 3)]
    same = [
        SubjectEncoding(one.tokens, cast[0].routing, one.references, one.pictures)  # told apart by features alone
        for one in albums
    ]
    shut = {"eta": [[0.0, 1, 1]], "gamma": [[-1e4, 0]]}
    assert close(*(last(pipeline, [one, cast[1]], **shut) for one in same))
    for open_one in ({"eta": [[0.0, 1, 1]]}, {"gamma": [[-1e4, 0]]}):
        assert not close(*(last(pipeline, [one, cast[1]], **open_one) for one in same))


def test_a_picture_is_searched_for_by_all_pictures_of_a_subject(pipeline, cast):
    pixels = pipeline.preprocess(*cutout(1))[1]
    single = pipeline.locate(pixels, cast[:2])
    assert torch.allclose(pipeline.locate(pixels, [cast[0], album(pipeline, 1, 1)]), single, atol=1e-4)
    assert not torch.allclose(pipeline.locate(pixels, [cast[0], album(pipeline, 1, 3)]), single, atol=1e-4)
