"""A guide on routing logits: its laws on numbers, then in whole models of both families."""

from functools import partial

import numpy as np
import pytest
import torch

from anystory.model.routing import Guide, Guides, guided, hard_maps, soft_maps, token_shares
from tests.tiny import mini_pipeline, sdxl_pipeline

S = 64


def box(x0, y0, x1, y1):
    region = np.zeros((S, S), np.float32)
    region[round(y0 * S) : round(y1 * S), round(x0 * S) : round(x1 * S)] = 1
    return region


def regions(*boxes):
    """A region each, None for none."""
    return np.stack([np.zeros((S, S), np.float32) if b is None else box(*b) for b in boxes])


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


LEFT, RIGHT = (0, 0.25, 0.5, 1), (0.5, 0.25, 1, 1)
TWO = torch.from_numpy(regions(LEFT, RIGHT, None))[None]


def shares(*boxes, side):
    return token_shares(torch.from_numpy(regions(*boxes))[None], (side, side)).unflatten(2, (side, side))[0]


def test_a_token_is_shared_by_the_regions_that_cover_it_and_elsewhere_by_who_has_none():
    two = shares(LEFT, RIGHT, None, side=8)
    assert two[0, 2:, :4].min() == 1 and two[0].sum() == 24
    assert two[1, 2:, 4:].min() == 1 and two[1].sum() == 24
    assert two[2, :2].min() == 1 and two[2].sum() == 16
    one = shares((0.25, 0.25, 0.75, 0.75), None, None, side=2)
    assert (one[0] == 0.25).sum() == 3 and (one[1:] == 0.75).sum() == 6  # the fourth token, see below


def test_where_regions_overlap_either_may_hold_and_where_all_leave_room_anyone():
    both = shares((0, 0, 0.75, 1), (0.25, 0, 1, 1), None, side=4)
    assert both[:, 0].tolist() == [[1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 0]]
    room = shares(LEFT, (0, 0, 1, 0.25), side=4)
    assert room[:, 1:, 2:].min() == 1 and room[0, 1:, :2].min() == 1 and room[1, 1:, :2].max() == 0


def test_nobody_is_lost_in_a_coarse_layer():
    for side in (2, 3, 5, 64):
        found = shares((0.55, 0.55, 0.62, 0.62), None, side=side)
        held = (found[0] > found[1]).nonzero()
        assert len(held) >= 1
        assert all((v + 1) / side >= 0.5 and v / side <= 0.63 for v in held.flatten().tolist())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_strength_0_changes_no_bit_and_1_makes_the_maps_the_layout(dtype):
    logits = (noise(3, 3, 256) * torch.tensor([1e-3, 1.0, 80.0])[:, None, None]).to(dtype)
    allowed = token_shares(TWO.expand(3, -1, -1, -1), (16, 16))
    none = guided(logits, allowed, torch.zeros(3))
    assert none.dtype == dtype and torch.equal(none, logits)
    full = guided(logits, allowed, torch.ones(3))
    assert full.isfinite().all()
    assert torch.equal(hard_maps(full).float(), allowed)  # one entry a token here
    assert soft_maps(full.float())[allowed == 1].min() > 0.99
    mixed = guided(logits, allowed, torch.tensor([0.0, 1.0, 0.5]))
    assert torch.equal(mixed[0], logits[0]) and torch.equal(mixed[1], full[1])


def test_more_strength_never_takes_a_token_from_the_layout_whatever_the_scale_of_the_logits():
    allowed = token_shares(TWO, (16, 16))
    for scale in (1e-2, 1.0, 1e2):
        logits, before = noise(1, 3, 256) * scale, -1.0
        counts = []
        for strength in (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0):
            maps = guided(logits, allowed, torch.tensor([strength]))
            inside = (soft_maps(maps) * allowed).sum(1)
            counts.append(int((hard_maps(maps) * allowed).sum()))
            assert (inside >= before).all()
            before = inside - 1e-6
        assert counts == sorted(counts) and len(set(counts)) >= 5 and counts[-1] == 256
        if scale == 1e-2:
            first = counts
        assert counts == first  # the penalty is relative to the logits' own range


def test_subjects_in_another_order_are_guided_alike():
    logits, order = noise(1, 3, 64), [1, 0, 2]
    asked = partial(guided, strength=torch.tensor([0.4]))
    turned = asked(logits[:, order], token_shares(TWO[:, order], (8, 8)))
    assert torch.equal(turned, asked(logits, token_shares(TWO, (8, 8)))[:, order])


def test_a_guide_acts_in_its_window_only():
    guides = Guides([Guide(regions(LEFT, None), 0.7, 0.25, 0.5), None], 2, 2, torch.device("cpu"))
    assert [guides.at(k, 8) is not None for k in range(8)] == [False, False, True, True] + [False] * 4
    assert Guides([], 3, 1, torch.device("cpu")).at(0, 1) is None
    logits = noise(4, 2, 64)
    out = guides.at(2, 8)(logits, (8, 8))
    assert torch.equal(out[[1, 3]], logits[[1, 3]]) and not torch.equal(out[[0, 2]], logits[[0, 2]])


@pytest.fixture(scope="module", params=[mini_pipeline, sdxl_pipeline], ids=["mini", "sdxl"])
def pipeline(request):
    return request.param()


@pytest.fixture(scope="module")
def cast(pipeline):
    from PIL import Image, ImageDraw

    made = []
    for colour in ("red", "blue"):
        image, mask = Image.new("RGB", (40, 40), "white"), Image.new("L", (40, 40))
        for picture, fill in ((image, colour), (mask, 255)):
            ImageDraw.Draw(picture).ellipse((5, 5, 35, 35), fill=fill)
        made.append(pipeline.encode(image, mask))
    return made


def steps(pipeline, cast, guides, seeds=(3,), **settings):
    count = len(seeds)
    prompts, mentions = ["a fox and a robot"] * count, [((0, 5), (10, 17))] * count
    return list(pipeline.denoise(prompts, mentions, [cast] * count, seeds, steps=2, guides=guides, **settings))


def test_every_layer_of_a_model_follows_the_paint_coarse_and_refined(pipeline, cast):
    guide = Guide(regions(LEFT, RIGHT, None), 1.0)
    for size in ((64, 64), (48, 48), (96, 40), (40, 96)):
        for step in steps(pipeline, cast, [guide], size=size):
            for logits in (*step.coarse, *step.refined):
                wanted = token_shares(TWO, tuple(logits.shape[-2:])).unflatten(2, tuple(logits.shape[-2:]))
                assert (hard_maps(logits) * wanted).sum(1).eq(wanted.amax(1)).all()


def test_strength_0_and_a_shut_window_give_the_frame_without_a_guide(pipeline, cast):
    plain = steps(pipeline, cast, [])[-1]
    for guide in (None, Guide(regions(LEFT, RIGHT, None), 0.0), Guide(regions(LEFT, RIGHT, None), 1.0, 0.0, 0.1)):
        assert torch.equal(steps(pipeline, cast, [guide])[-1].latents, plain.latents)
    assert not torch.equal(steps(pipeline, cast, [Guide(regions(LEFT, RIGHT, None), 1.0)])[-1].latents, plain.latents)


def test_a_batch_holds_what_each_guide_gives_alone(pipeline, cast):
    guides = [Guide(regions(LEFT, RIGHT, None), 1.0), None, Guide(regions(RIGHT, None, None), 0.5)]
    both = steps(pipeline, cast, guides, seeds=(3, 4, 5))[-1].latents
    for row, seed in enumerate((3, 4, 5)):
        alone = steps(pipeline, cast, [guides[row]], seeds=(seed,))[-1].latents[0]
        torch.testing.assert_close(both[row], alone, rtol=1e-3, atol=1e-3)
