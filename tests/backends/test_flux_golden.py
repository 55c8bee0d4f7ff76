"""The authors' numbers: tiny random weights in the layout of their release, and what their own program made of them.

`ANYSTORY_GOLDEN` names another folder of the same kind. Its cases are the folders with a `case.json`.
"""

import json
import os
from functools import cache
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings

GOLDEN = Path(os.environ.get("ANYSTORY_GOLDEN") or Path(__file__).parents[1] / "golden" / "flux")
CASES = sorted(path.parent for path in GOLDEN.glob("*/case.json"))

TOLERANCE = 2e-4
"""Absolute, in float32, on encoder outputs and final latents."""

AGREEMENT = 0.999
"""Least share of equal entries in the hard routing maps."""


@cache
def pipeline() -> AnyStoryFluxPipeline:
    return AnyStoryFluxPipeline.from_release(GOLDEN / "base", GOLDEN / "redux", GOLDEN / "anystory_flux_tiny.bin")


def close(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert ours.shape == theirs.shape, name
    worst = (ours - theirs).abs().max().item()
    assert worst <= TOLERANCE, f"{name} differs by {worst:.2g}"


def test_there_are_golden_cases():
    assert GOLDEN.is_dir(), f"there is no folder {GOLDEN}"
    assert CASES, f"no folder in {GOLDEN} has a case.json"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_authors_numbers(case):
    asked = json.loads((case / "case.json").read_text(encoding="utf-8"))
    theirs = load_file(case / "expected.safetensors")
    subjects, ref_size = asked.pop("subjects"), asked.pop("ref_size", 512)
    asked.setdefault("enable_router", "routing_maps" in theirs)

    cast = []
    for i in range(subjects):
        with Image.open(case / f"subject_{i}.png") as image, Image.open(case / f"mask_{i}.png") as mask:
            subject = pipeline().encode(image.convert("RGB"), mask.convert("L"), ref_size)
        given = [name for name in ("redux", "router", "ref", "ref_ids", "ref_mask") if f"{name}_{i}" in theirs]
        assert {"redux", "ref"} <= set(given)
        for name in given:
            close(f"{name}_{i}", getattr(subject, name), theirs[f"{name}_{i}"])
        cast.append(subject)

    maps = []
    settings = FluxSettings(**asked)
    prompt = theirs["prompt_embeds"], theirs["pooled_prompt_embeds"]
    for step in pipeline().denoise(*prompt, cast, theirs["latents"], settings):
        maps += [torch.nn.functional.one_hot(logits.argmax(0), subjects).T for logits in step.logits]
    close("final_latents", step.latents, theirs["final_latents"])
    assert bool(maps) == ("routing_maps" in theirs)
    if maps:
        ours, expected = torch.stack(maps)[:, None], theirs["routing_maps"]
        assert ours.shape == expected.shape
        agreement = (ours == expected).float().mean().item()
        assert agreement >= AGREEMENT, f"the routing maps agree in {agreement:.2%} of their entries"
