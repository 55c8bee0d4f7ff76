"""The comparisons' switches are laws: what each takes out is out, to the bit, and without one nothing changes."""

from dataclasses import replace

import pytest
import torch

from anystory.evaluation.composed import INSIDE, OUTSIDE, OVERLAP, overlaps, predicted
from anystory.evaluation.switches import Switch, _without_background
from anystory.evaluation.variants import COUPLED, DECOUPLED, with_new_routers
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.routing import hard_maps, open_maps
from anystory.training.losses import TrainingBatch, routing_cross_entropy
from tests.model.conftest import cutout
from tests.tiny import mini_pipeline

PROMPT, MENTIONS = "a fox on the left and a robot", ((0, 5), (22, 29))


@pytest.fixture(scope="module")
def pipeline():
    return mini_pipeline()


def sampled(pipeline, switch, masks=None, **settings):
    """The last step of a frame of two, under a switch."""
    masks = torch.zeros(2, 2, 8, 8) if masks is None else masks
    with switch.on(pipeline.model):
        cast = [pipeline.encode(*cutout(number)) for number in range(2)]
        *_, last = pipeline.denoise(
            [PROMPT],
            [MENTIONS],
            [cast],
            [3],
            **{"steps": 2, "reference": switch.reference, "gate": switch.gate(masks)} | settings,
        )
    return last


def test_with_nothing_switched_a_frame_is_the_models_own_and_no_switch_stays_behind(pipeline):
    own = [pipeline.encode(*cutout(number)) for number in range(2)]
    *_, last = pipeline.denoise([PROMPT], [MENTIONS], [own], [3], steps=2)
    assert torch.equal(sampled(pipeline, Switch()).latents, last.latents)
    for switch in (
        Switch(branches="clip"),
        Switch(branches="reference"),
        *(Switch(router=router) for router in ("coarse", "none", "masks")),
        Switch(background=False),
        Switch(unconditional=False),
    ):
        assert not torch.equal(sampled(pipeline, switch).latents, last.latents), switch
    *_, after = pipeline.denoise([PROMPT], [MENTIONS], [own], [3], steps=2)
    assert torch.equal(after.latents, last.latents)


def test_a_switch_is_gone_after_an_error(pipeline):
    every = Switch(branches="reference", router="coupled", background=False, unconditional=False)

    def hooks():
        return [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in pipeline.model.modules()]

    before = hooks()
    with pytest.raises(RuntimeError), every.on(pipeline.model):
        assert sum(hooks()) > sum(before)
        raise RuntimeError
    assert hooks() == before


def test_reference_alone_is_as_if_the_subjects_tokens_had_no_strength(pipeline):
    silent = sampled(pipeline, Switch(branches="reference")).latents
    assert torch.equal(silent, sampled(pipeline, Switch(), eta=0.0).latents)


def test_clip_alone_is_as_if_there_were_no_references(pipeline):
    cast = [replace(pipeline.encode(*cutout(number)), references=()) for number in range(2)]
    *_, without = pipeline.denoise([PROMPT], [MENTIONS], [cast], [3], steps=2)
    assert torch.allclose(sampled(pipeline, Switch(branches="clip")).latents, without.latents, atol=1e-4)


def test_true_masks_are_one_hot_gates_whatever_the_router_says(pipeline):
    masks = torch.zeros(1, 2, 8, 8)
    masks[0, 0, :, :3], masks[0, 1, 2:, 5:] = 1, 1
    gate = Switch(router="masks").gate(masks)
    gates = gate(torch.randn(1, 3, 8, 8))
    assert torch.equal(gates[:, :2], masks) and torch.equal(gates[:, 2], 1 - masks.sum(1))
    small = gate(torch.randn(1, 3, 4, 4))
    assert torch.equal(small.sum(1), torch.ones(1, 4, 4)) and set(small.unique().tolist()) == {0.0, 1.0}


def test_no_router_opens_every_subject_in_equal_parts():
    logits = torch.randn(1, 3, 4, 4)
    assert torch.equal(Switch(router="none").gate(torch.zeros(1, 2, 4, 4))(logits), open_maps(logits))
    assert torch.equal(Switch().gate(torch.zeros(1, 2, 4, 4))(logits), hard_maps(logits))


def test_the_coarse_router_gates_by_the_first_map(pipeline):
    last = sampled(pipeline, Switch(router="coarse"))
    assert all(torch.equal(a, b) for a, b in zip(last.coarse, last.refined, strict=True))
    own = sampled(pipeline, Switch(), steps=1)
    # The first layer has seen no gate yet in the first step: both have the same coarse map there.
    assert torch.equal(sampled(pipeline, Switch(router="coarse"), steps=1).coarse[0], own.coarse[0])
    assert not torch.equal(own.coarse[0], own.refined[0])


def test_without_its_entry_nothing_is_the_backgrounds_unless_nobody_is_there(pipeline):
    for switch in (Switch(background=False), Switch(background=False, router="coarse")):
        for layer in sampled(pipeline, switch).refined:
            assert (layer.argmax(1) < 2).all()
    with Switch(background=False).on(pipeline.model):
        *_, empty = pipeline.denoise([PROMPT], [()], [[]], [3], steps=1)
    *_, own = pipeline.denoise([PROMPT], [()], [[]], [3], steps=1)
    assert torch.equal(empty.latents, own.latents)


def test_only_the_unconditional_branch_is_without_its_entry(pipeline):
    """At guidance g a step is u + g (c - u): with another u the conditional part stays."""

    def parts(switch):
        one, two = (sampled(pipeline, switch, steps=1, guidance=g).clean for g in (2.0, 3.0))
        unconditional = 3 * one - 2 * two
        return two - unconditional * -2, unconditional

    (conditional, unconditional), (same, other) = parts(Switch()), parts(Switch(unconditional=False))
    assert torch.allclose(conditional, same, atol=1e-2 * conditional.abs().max())
    assert not torch.allclose(unconditional, other, atol=1e-2 * conditional.abs().max())


def test_a_coupled_router_reads_the_subjects_tokens_and_knows_no_background(tmp_path):
    mini_pipeline().save_pretrained(tmp_path / "model")
    for name in (DECOUPLED, COUPLED):
        with_new_routers(tmp_path / "model", tmp_path / name, coupled=name == COUPLED, seed=1)
    pipeline, decoupled = (AnyStoryPipeline.from_pretrained(tmp_path / name) for name in (COUPLED, DECOUPLED))
    for one, other in zip(pipeline.adapter.routers, decoupled.adapter.routers, strict=True):
        assert torch.equal(one.to_q.weight, other.to_q.weight)  # one random state
    switch = Switch(router="coupled")
    with torch.no_grad(), switch.on(pipeline.model):
        encoding = pipeline.encode(*cutout(0))
    with torch.no_grad():
        read = pipeline.routing_qformer(encoding.tokens[None])[0, 0]
    assert torch.allclose(encoding.routing, read, atol=1e-5)
    last = sampled(pipeline, switch)
    for coarse, refined in zip(last.coarse, last.refined, strict=True):
        assert torch.equal(coarse, refined) and (refined.argmax(1) < 2).all()


def batch(pipeline, frames=2, subjects=2):
    """Random frames with random masks."""
    dice = torch.Generator().manual_seed(0)
    text, said = pipeline.encode_text([PROMPT] * frames + [""], [MENTIONS] * frames + [(None, None)])
    masks = torch.zeros(frames, subjects, 8, 8)
    masks[:, 0, 2:, :3], masks[:, 1, 3:, 4:7] = 1, 1
    vision = torch.randn(frames, subjects, 17, 16, generator=dice)
    return TrainingBatch(
        latents=torch.randn(frames, 4, 8, 8, generator=dice),
        text=text,
        mentions=said[:-1],
        vision=vision,
        no_vision=pipeline.encode_nothing(),
        references=torch.randn(frames, subjects, 5, 6, 6, generator=dice),
        masks=masks,
        time_ids=pipeline.time_ids(frames, (64, 64)),
        correspondence=torch.zeros(frames, subjects, 3, 3),
    )


def test_one_pass_measures_inside_and_outside_of_the_true_masks(pipeline):
    made = batch(pipeline)
    own = predicted(pipeline, [made], Switch(), 1.0)
    assert {key: value.shape for key, value in own.items()} == {INSIDE: (2,), OUTSIDE: (2,), OVERLAP: (2,)}
    twice = predicted(pipeline, [made, made], Switch(), 1.0)
    assert all((twice[key][:2] == own[key]).all() for key in own)
    clip = predicted(pipeline, [made], Switch(branches="clip"), 1.0)
    silent = predicted(pipeline, [replace(made, references=made.references * 2)], Switch(branches="clip"), 1.0)
    assert (clip[INSIDE] == silent[INSIDE]).all() and (clip[INSIDE] != own[INSIDE]).all()


def test_overlaps_are_those_of_a_loop():
    dice = torch.Generator().manual_seed(1)
    logits = [torch.randn(2, 3, 8, 8, generator=dice), torch.randn(2, 3, 8, 8, generator=dice)]
    masks = (torch.rand(2, 2, 16, 16, generator=dice) > 0.6).float()
    masks[0, 1] = 0
    measured = overlaps(logits, masks)
    for b in range(2):
        values = []
        for n in range(2):
            common = either = 0
            for y in range(8):
                for x in range(8):
                    soft = sum(layer[b, :, y, x].softmax(0) for layer in logits)
                    held = int(soft.argmax()) == n
                    shown = float(masks[b, n, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean()) > 0.5
                    common, either = common + (held and shown), either + (held or shown)
            values.append(common / either if either else 1.0)
        assert float(measured[b]) == pytest.approx(sum(values) / 2, abs=1e-6)


def test_a_closed_background_teaches_the_subjects_nothing():
    """Where nobody is, the loss that shows routers the truth moves no logit; where somebody is, the subjects'."""
    logits = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(2)).requires_grad_()
    masks = torch.zeros(1, 2, 4, 4)
    masks[0, 0, :2] = 1
    _, closed = _without_background(torch.nn.Identity(), (), (logits, logits))
    routing_cross_entropy(closed, masks).backward()
    assert logits.grad[:, :, 2:].abs().max() < 1e-6 and not logits.grad[:, -1].any()
    assert logits.grad[:, :2, :2].abs().min() > 1e-4
