"""Every way of computing FLUX against the golden numbers: exact to their tolerance, others to their own distance."""

import json
from functools import cache

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from anystory.bench.flux import MODES, computed, in_mode, last
from anystory.bench.plain import plain
from anystory.model.flux.attention import blocks, held_by
from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings
from anystory.model.flux.plans import FluxPlan, place
from anystory.model.flux.speeds import SPEEDS, Speed, hasten
from tests.backends.test_flux_golden import CASES, GOLDEN, TOLERANCE


@cache
def pipeline():
    return AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")


@cache
def golden(case):
    """A case's cast, settings and tensors."""
    asked = json.loads((case / "case.json").read_text(encoding="utf-8"))
    theirs = load_file(case / "expected.safetensors")
    subjects, ref_size = asked.pop("subjects"), asked.pop("ref_size", 512)
    asked.setdefault("enable_router", "routing_maps" in theirs)
    cast = []
    for i in range(subjects):
        with Image.open(case / f"subject_{i}.png") as image, Image.open(case / f"mask_{i}.png") as mask:
            cast.append(pipeline().encode(image.convert("RGB"), mask.convert("L"), ref_size))
    return cast, FluxSettings(**asked), theirs


def latents(case, count=1, steps=None):
    """The final latents of the case, of a batch in which it stands `count` times between others."""
    cast, settings, theirs = golden(case)
    given = [theirs[name].expand(count, *theirs[name].shape[1:]) for name in ("prompt_embeds", "pooled_prompt_embeds")]
    noise = theirs["latents"].expand(count, -1, -1)
    if steps:
        settings = FluxSettings(**{**settings.__dict__, "num_inference_steps": steps})
    return last(pipeline(), *given, [cast] * count, noise, settings)


def routed():
    return next(case for case in CASES if golden(case)[1].enable_router and len(golden(case)[0]) > 1)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_plain_gives_the_golden_numbers_and_leaves_no_trace(case):
    expected = golden(case)[2]["final_latents"]
    before = latents(case)
    with plain(pipeline().transformer):
        assert (latents(case) - expected).abs().max() <= TOLERANCE
        assert not torch.equal(latents(case), before) or len(golden(case)[0]) == 0  # it went another way
    assert torch.equal(latents(case), before)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_batch_gives_the_golden_numbers_in_every_row(case):
    expected = golden(case)[2]["final_latents"]
    batch = latents(case, count=2)
    assert batch.shape[0] == 2
    assert (batch - expected).abs().max() <= TOLERANCE


def test_a_batch_of_different_panels_gives_what_each_gives_alone():
    case = routed()
    cast, settings, theirs = golden(case)
    swapped, text = cast[::-1], torch.cat([theirs["prompt_embeds"], theirs["prompt_embeds"].flip(1)])
    pooled = torch.cat([theirs["pooled_prompt_embeds"], -theirs["pooled_prompt_embeds"]])
    noise = torch.cat([theirs["latents"], theirs["latents"].flip(1)])
    together = last(pipeline(), text, pooled, [cast, swapped], noise, settings)
    for row, subjects in enumerate((cast, swapped)):
        alone = last(pipeline(), text[row : row + 1], pooled[row : row + 1], [subjects], noise[row : row + 1], settings)
        assert (together[row] - alone[0]).abs().max() <= TOLERANCE


def test_frames_that_make_no_batch_are_refused():
    cast, settings, theirs = golden(routed())
    given = theirs["prompt_embeds"], theirs["pooled_prompt_embeds"]
    with pytest.raises(ValueError, match="equally many subjects"):
        last(pipeline(), *given, [cast, cast[:1]], theirs["latents"], settings)


def album(*subjects):
    return FluxSubject.joined(subjects)


def drawn(cast, **changes):
    """The final latents of the routed case with another cast, and the logits of its last step."""
    _, settings, theirs = golden(routed())
    windows = {"redux_start_at": 0.0, "redux_end_at": 0.7, **changes}  # also steps without: of Redux tokens and without
    settings = FluxSettings(**{**settings.__dict__, "num_inference_steps": 3, **windows})
    given = theirs["prompt_embeds"], theirs["pooled_prompt_embeds"], cast, theirs["latents"]
    *_, step = pipeline().denoise(*given, settings)
    return step


SHIFTS = [{}, {"ref_shift": (2.0, -1.0), "redux_scale": (0.3, 1.0)}, {"ref_end_at": 0.0}]


@pytest.mark.parametrize("changes", SHIFTS)
def test_the_same_picture_twice_is_the_picture_and_the_order_of_pictures_does_not_matter(changes):
    fox, owl = golden(routed())[0][:2]
    single = drawn([fox, owl], **changes)
    assert torch.equal(drawn([album(fox), owl], **changes).latents, single.latents)
    assert (drawn([album(fox, fox, fox), owl], **changes).latents - single.latents).abs().max() <= TOLERANCE
    mixed = drawn([fox, album(owl, fox, owl)], **changes)
    assert (drawn([fox, album(fox, owl, owl)], **changes).latents - mixed.latents).abs().max() <= TOLERANCE
    assert (mixed.latents - single.latents).abs().max() > 5 * TOLERANCE
    assert mixed.latents.isfinite().all() and {len(logits) for logits in mixed.logits} <= {2}


@pytest.mark.parametrize("changes", SHIFTS)
def test_the_same_picture_twice_is_the_picture_of_somebody_alone(changes):
    fox, owl = golden(routed())[0][:2]
    changes = {"enable_router": False, **{k: v[0] if isinstance(v, tuple) else v for k, v in changes.items()}}
    single = drawn([fox], **changes)
    assert (drawn([album(fox, fox)], **changes).latents - single.latents).abs().max() <= TOLERANCE
    assert (drawn([album(fox, owl)], **changes).latents - single.latents).abs().max() > 5 * TOLERANCE


def test_plain_draws_one_and_three_pictures_alike():
    fox, owl = golden(routed())[0][:2]
    cast, changes = [fox, album(owl, fox, owl)], {"ref_shift": (1.0, -1.0)}
    fast = drawn(cast, **changes)
    with plain(pipeline().transformer):
        slow = drawn(cast, **changes)
    assert not torch.equal(slow.latents, fast.latents)  # it went another way
    assert (slow.latents - fast.latents).abs().max() <= TOLERANCE


def test_a_batch_of_albums_gives_what_each_gives_alone():
    cast, settings, theirs = golden(routed())
    fox, owl = cast[:2]
    casts = [[fox, album(owl, fox)], [owl, album(fox, fox)]]
    given = [theirs[name].expand(2, *theirs[name].shape[1:]) for name in ("prompt_embeds", "pooled_prompt_embeds")]
    together = last(pipeline(), *given, casts, theirs["latents"].expand(2, -1, -1), settings)
    for row, people in enumerate(casts):
        alone = last(pipeline(), *(x[:1] for x in given), [people], theirs["latents"], settings)
        assert (together[row] - alone[0]).abs().max() <= TOLERANCE
    with pytest.raises(ValueError, match=r"equally many subjects and pictures.*\(1, 1\), \(1, 2\) pictures"):
        last(pipeline(), *given, [cast[:2], casts[0]], theirs["latents"].expand(2, -1, -1), settings)


def test_seeds_of_one_panel_record_its_references_once():
    cast = golden(routed())[0]
    rows = []
    hook = blocks(pipeline().transformer)[0].register_forward_pre_hook(
        lambda _, args, kwargs: rows.append(len(kwargs["hidden_states"])), with_kwargs=True
    )
    try:
        latents(routed(), count=3)
    finally:
        hook.remove()
    assert rows.count(len(cast)) == 1 and set(rows) == {3, len(cast)}


def test_attention_is_never_given_a_mask(monkeypatch):
    masks = []
    original = torch.nn.functional.scaled_dot_product_attention

    def seen(*args, attn_mask=None, **kwargs):
        masks.append(attn_mask)
        return original(*args, attn_mask=attn_mask, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", seen)
    latents(routed())
    assert masks and all(mask is None for mask in masks)
    with plain(pipeline().transformer):
        latents(routed())
    assert any(mask is not None for mask in masks)


def test_tokens_are_grouped_by_who_holds_them():
    logits = torch.tensor([[3.0, 0, 0, 5, 1], [1, 2, 0, 6, 1], [0, 1, -1, 0, 0]])
    assert [group.tolist() for group in held_by(logits)] == [[0, 2, 4], [1, 3], []]


@pytest.mark.parametrize("name", ["cached", "few"])
def test_a_fast_mode_stays_within_its_distance(name):
    speed, case = SPEEDS[name], routed()
    steps = 25
    full = latents(case, steps=steps)
    mode = next(mode for mode in MODES.values() if mode.speed == speed and mode.batch == 1)
    with in_mode(pipeline(), mode):
        fast = latents(case, steps=speed.steps or steps)
    distance = ((fast - full).norm() / full.norm()).item()
    assert 0 < distance <= speed.distance, f"{name} is {distance:.3g} away"
    assert torch.equal(latents(case, steps=3), latents(case, steps=3))  # and the exact mode is back


def test_the_cache_runs_the_blocks_as_often_as_the_bench_counts():
    settings = golden(routed())[1]
    settings = FluxSettings(**{**settings.__dict__, "num_inference_steps": 25})
    runs = []
    with in_mode(pipeline(), next(mode for mode in MODES.values() if mode.speed.interval)):
        hook = blocks(pipeline().transformer)[2].attn.register_forward_hook(lambda *_: runs.append(1))
        try:
            latents(routed(), steps=25)
        finally:
            hook.remove()
    references = 1
    assert len(runs) - references == sum(computed(settings, SPEEDS["cached"].interval).values()) < 25


def test_compiled_blocks_give_the_golden_numbers():
    torch._dynamo.reset()
    one = AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")
    compiled = []
    original = type(one.transformer).compile_repeated_blocks
    assert SPEEDS["compiled"].compiled

    class Eager(type(one.transformer)):
        """Captured graphs run as they are: what is ours is where the graphs begin and end."""

        def compile_repeated_blocks(self, **options):
            def backend(graph, _):
                compiled.append(graph)
                return graph.forward

            original(self, backend=backend, **options)

    one.transformer.__class__ = Eager
    hasten(one.transformer, Speed(0, compiled=True))
    case = routed()
    cast, settings, theirs = golden(case)
    settings = FluxSettings(**{**settings.__dict__, "num_inference_steps": 2})
    given = theirs["prompt_embeds"], theirs["pooled_prompt_embeds"], [cast], theirs["latents"], settings
    assert (last(one, *given) - last(pipeline(), *given)).abs().max() <= TOLERANCE
    assert compiled


def test_blocks_that_take_turns_on_the_card_give_the_golden_numbers():
    one = AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")
    place(FluxPlan("float32", "float32", "block", 0, 0), one, "cpu")
    cast, settings, theirs = golden(routed())
    given = theirs["prompt_embeds"], theirs["pooled_prompt_embeds"], [cast], theirs["latents"], settings
    assert (last(one, *given) - theirs["final_latents"]).abs().max() <= TOLERANCE
