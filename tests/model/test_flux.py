"""The FLUX pipeline against a plain computation from the weights, over every setting a frame can have."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from anystory.model.flux.attention import blocks
from anystory.model.flux.checkpoint import read_checkpoint
from anystory.model.flux.encoder import pack
from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings, Start
from anystory.model.routing import LEVELS
from tests.flux_by_hand import ByHand

GOLDEN = Path(__file__).parent.parent / "golden" / "flux"


def load():
    return AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")


@pytest.fixture(scope="module")
def pipeline():
    return load()


@pytest.fixture(scope="module")
def by_hand():
    parts = read_checkpoint(GOLDEN / "anystory_flux_tiny.bin")
    folder = GOLDEN / "base" / "transformer"
    config = json.loads((folder / "config.json").read_text())
    return ByHand(load_file(folder / "diffusion_pytorch_model.safetensors"), config, parts["ref"], parts["router"])


def subject(pipeline, seed, ref_size):
    """A picture of noise with an ellipse for a mask."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8)).resize((160, 120), Image.Resampling.BICUBIC)
    mask = Image.new("L", image.size)
    left, top = rng.integers(5, 45, 2)
    ImageDraw.Draw(mask).ellipse((left, top, left + 100, top + 70), fill=255)
    return pipeline.encode(image, mask, ref_size)


def prompt(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 12, 32, generator=generator), torch.randn(1, 32, generator=generator)


SETTINGS = {
    "no subject": (0, 64, {"enable_router": True}),
    "one subject": (1, 64, {}),
    "one subject routed": (1, 64, {"enable_router": True}),
    "two subjects unrouted": (2, 64, {}),
    "two subjects": (2, 64, {"enable_router": True, "ref_start_at": 0.3}),
    "three subjects": (3, 48, {"enable_router": True}),
    "wide frame": (2, 64, {"enable_router": True, "width": 112}),
    "tall frame": (1, 96, {"height": 112, "width": 48}),
    "small reference": (2, 16, {"enable_router": True}),
    "large reference": (1, 128, {"enable_router": True}),
    "redux alone": (2, 64, {"enable_router": True, "ref_end_at": 0.0, "redux_end_at": 0.7}),
    "references alone": (2, 64, {"enable_router": True, "redux_end_at": 0.0}),
    "nothing open": (2, 64, {"enable_router": True, "redux_end_at": 0.0, "ref_end_at": 0.0}),
    "redux at half strength": (2, 64, {"enable_router": True, "redux_scale": 0.3, "redux_start_at": 0}),
    "references pushed": (2, 64, {"enable_router": True, "ref_shift": 1.5, "redux_start_at": 0}),
    "references held back": (1, 64, {"ref_shift": -2.0, "redux_start_at": 0}),
    "references without masks": (2, 64, {"enable_router": True, "enable_ref_mask": False}),
    "references read anew": (2, 64, {"enable_router": True, "enable_ref_cache": False}),
    "other guidance": (1, 64, {"guidance_scale": 1.0}),
    "one step": (1, 64, {"num_inference_steps": 1}),
}


@pytest.mark.parametrize(("subjects", "ref_size", "asked"), SETTINGS.values(), ids=SETTINGS)
def test_every_setting_gives_what_a_plain_computation_gives(pipeline, by_hand, subjects, ref_size, asked):
    settings = FluxSettings(**{"height": 64, "width": 64, "num_inference_steps": 3} | asked)
    cast = [subject(pipeline, seed, ref_size) for seed in range(subjects)]
    states, pooled = prompt()
    noise = pipeline.noise(5, settings.height, settings.width)

    steps = list(pipeline.denoise(states, pooled, cast, noise, settings, measure=True))
    latents, maps, shares = by_hand.denoise(states[0], pooled[0], cast, noise[0], settings)

    torch.testing.assert_close(steps[-1].latents[0], latents, atol=2e-4, rtol=0)
    ours = [torch.nn.functional.one_hot(x.argmax(0), subjects).T.float() for step in steps for x in step.logits]
    assert len(ours) == len(maps)
    for our, plain in zip(ours, maps, strict=True):
        assert torch.equal(our, plain)
    measured = [share for step in steps for share in step.shares]
    assert len(measured) == len(shares)
    for our, plain in zip(measured, shares, strict=True):
        torch.testing.assert_close(our, plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize("last", [0, 1, 2])
@pytest.mark.parametrize(("subjects", "asked"), [(1, {"redux_end_at": 1.0}), (2, {"enable_router": True})])
def test_from_a_picture_only_the_last_steps_run_as_a_plain_computation_runs_them(
    pipeline, by_hand, subjects, asked, last
):
    settings = FluxSettings(height=64, width=48, num_inference_steps=3, **asked)
    cast = [subject(pipeline, seed, 64) for seed in range(subjects)]
    states, pooled = prompt()
    noise = pipeline.noise(5, 64, 48)
    pixels = torch.rand(3, 64, 48, generator=torch.Generator().manual_seed(2)) * 2 - 1
    start = pipeline.encode_picture(pixels)
    clean = pipeline.vae.encode(pixels[None]).latent_dist.mode()
    clean = pack((clean - pipeline.vae.config.shift_factor) * pipeline.vae.config.scaling_factor)
    torch.testing.assert_close(start, clean)

    steps = list(pipeline.denoise(states, pooled, cast, noise, settings, start=Start(start, last)))
    latents, maps, _ = by_hand.denoise(states[0], pooled[0], cast, noise[0], settings, clean[0], last)
    assert [(step.index, step.total) for step in steps] == [(k + 1, last) for k in range(last)]
    if not last:
        torch.testing.assert_close(latents, start[0])
        return
    torch.testing.assert_close(steps[-1].latents[0], latents, atol=2e-4, rtol=0)
    ours = [x.argmax(0).tolist() for step in steps for x in step.logits]
    assert ours == [plain.argmax(0).tolist() for plain in maps]


def test_from_a_picture_with_all_steps_nothing_of_it_is_used(pipeline):
    settings, (states, pooled) = FluxSettings(height=64, width=64, num_inference_steps=3), prompt()
    noise, start = pipeline.noise(5, 64, 64), torch.ones(1, 16, 64)
    *_, plain = pipeline.denoise(states, pooled, [], noise, settings)
    *_, begun = pipeline.denoise(states, pooled, [], noise, settings, start=Start(start, 3))
    assert torch.equal(plain.latents, begun.latents)


@pytest.mark.parametrize("subjects", [1, 2])
def test_a_picture_is_read_as_a_plain_computation_reads_it(pipeline, by_hand, subjects):
    cast = [subject(pipeline, seed, 64) for seed in range(subjects)]
    states, pooled = prompt()
    pixels = torch.rand(3, 48, 80, generator=torch.Generator().manual_seed(2)) * 2 - 1
    clean = pipeline.vae.encode(pixels[None]).latent_dist.mode()
    clean = pack((clean - pipeline.vae.config.shift_factor) * pipeline.vae.config.scaling_factor)

    read = list(pipeline.locate(states, pooled, cast, pixels, seed=9))
    assert [one.index for one in read] == [1, 2, 3] and {one.total for one in read} == {3}
    settings = FluxSettings(height=48, width=80, enable_router=subjects > 1)
    for row, (level, one) in enumerate(zip(LEVELS, read, strict=True)):
        noisy, maps, shares = clean + level * (pipeline.noise(9 + row, 48, 80) - clean), [], []
        velocity = by_hand.velocity(states[0], pooled[0], cast, noisy[0], settings, level, False, True, maps, shares)
        torch.testing.assert_close(one.latents, noisy)
        torch.testing.assert_close(one.clean[0], noisy[0] - level * velocity, atol=2e-4, rtol=0)
        assert [x.argmax(0).tolist() for x in one.logits] == [plain.argmax(0).tolist() for plain in maps]
        assert (len(one.logits), len(one.shares)) == ((5, 0) if subjects > 1 else (0, 5))
        for our, plain in zip(one.shares, shares, strict=False):
            torch.testing.assert_close(our, plain, atol=1e-4, rtol=0)


def halves(angle, side=96):
    """A picture (3, side, side) that is red where a line through its middle at `angle` has its left, blue elsewhere,
    and where it is red (tokens of 16 x 16 pixels, bool)."""
    y, x = torch.meshgrid(*[torch.arange(side) - (side - 1) / 2] * 2, indexing="ij")
    red = np.cos(angle) * x + np.sin(angle) * y > 0
    colours = torch.tensor([[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
    return torch.where(red, *colours[:, :, None, None]), red[8::16, 8::16].flatten()


def test_taught_routers_find_in_pictures_they_have_not_seen_who_is_in_the_references():
    pipeline, solid = load(), Image.new("L", (64, 64), 255)
    cast = [pipeline.encode(Image.new("RGB", (64, 64), colour), solid, 64) for colour in ("red", "blue")]
    taught = [p for block in blocks(pipeline.transformer) for p in block.attn.processor.parameters()]
    optimiser = torch.optim.Adam([p.requires_grad_() for p in taught], lr=0.01)
    look = AnyStoryFluxPipeline.locate.__wrapped__  # with gradients
    for step in range(40):
        picture, red = halves(step)
        (one,) = look(pipeline, *prompt(), cast, picture, seed=step, levels=(0.1,))
        sum(torch.nn.functional.cross_entropy(x.T, (~red).long()) for x in one.logits).backward()
        optimiser.step()
        optimiser.zero_grad()
    for angle in (0.4, 2.2, 4.9):
        picture, red = halves(angle)
        for order in ((0, 1), (1, 0)):
            read = pipeline.locate(*prompt(), [cast[k] for k in order], picture)
            held = sum(x.softmax(0) for one in read for x in one.logits).argmax(0) == order.index(0)
            assert (held & red).sum() / (held | red).sum() >= 0.6  # by chance 1 / 3
