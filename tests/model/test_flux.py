"""The FLUX pipeline against a plain computation from the weights, over every setting a frame can have."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from anystory.model.flux.checkpoint import read_checkpoint
from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings
from tests.flux_by_hand import ByHand

GOLDEN = Path(__file__).parent.parent / "golden" / "flux"


@pytest.fixture(scope="module")
def pipeline():
    return AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")


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
