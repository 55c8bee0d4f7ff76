"""What a frame of FLUX.2 [klein] costs with its maps read, and with references closed, against the stock pipeline:
counted at full size on the meta device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from unittest.mock import patch

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from torch import Tensor

from anystory.backends.base import ROUTINGS
from anystory.bench.count import Cost, Counter
from anystory.bench.flux import equal_shares
from anystory.model.flux.pipeline import TOKEN
from anystory.model.flux.plans import Configs, FluxWork, table
from anystory.model.klein import attention
from anystory.model.klein.pipeline import TEXT_TOKENS, AnyStoryKleinPipeline, KleinSettings, KleinSubject
from anystory.model.klein.plans import RELEASE, empty, release_footprint

WORK = FluxWork(size=(1024, 1024), reference=512, pictures=2, text=TEXT_TOKENS)
"""Two characters on a megapixel."""


def counted(configs: Configs = RELEASE, work: FluxWork = WORK, steps: int = 4) -> dict[str, Cost]:
    """What the steps of a frame cost with the stock processors and with each of `ROUTINGS`; closed, the characters and
    nobody hold equal shares of it."""
    with torch.device("meta"):
        parts = {name: empty(name, configs[name]) for name in ("vae", "transformer")}
        transformer = parts["transformer"].to(torch.bfloat16).eval()
        ref = torch.empty(1, (work.reference // TOKEN) ** 2, transformer.config.in_channels, dtype=torch.bfloat16)
        text = torch.empty(1, work.text, transformer.config.joint_attention_dim, dtype=torch.bfloat16)
    costs = {
        "stock": _stock(transformer, text, math.prod(work.size) // TOKEN**2 + work.pictures * ref.shape[1]) * steps
    }
    pipeline = AnyStoryKleinPipeline(scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), **parts)
    cast = [KleinSubject(ref, str(number)) for number in range(work.pictures)]
    noise = pipeline.noise(0, *work.size)
    for mode in ROUTINGS:
        settings = KleinSettings(*work.size, steps, close=mode == "close")
        with patch.object(attention, "held_by", equal_shares), Counter() as cost:
            for _ in pipeline.denoise_batch(text, [cast], noise, settings):
                pass
        costs[mode] = cost
    return costs


@torch.no_grad()
def _stock(transformer: Flux2Transformer2DModel, text: Tensor, tokens: int) -> Cost:
    """What a pass costs with diffusers' own processors, over so many tokens besides the text's."""
    ids = torch.zeros(tokens + text.shape[1], 4, device="meta")
    with Counter() as cost:
        transformer(
            hidden_states=text.new_empty(1, tokens, transformer.config.in_channels),
            encoder_hidden_states=text,
            timestep=text.new_empty(1),
            img_ids=ids[:tokens],
            txt_ids=ids[tokens:],
        )
    return cost


def report(costs: dict[str, Cost]) -> Sequence[str]:
    """The counts and the memory plans, as lines of Markdown."""
    stock = costs["stock"]
    lines = ["| steps of a frame | operations | | bytes | | launches |", "| --- | --- | --- | --- | --- | --- |"]
    for mode, cost in costs.items():
        figures = f"{cost.flops / 1e12:.1f} T | × {cost.flops / stock.flops:.3f}"
        figures += f" | {cost.bytes / 1e9:.0f} GB | × {cost.bytes / stock.bytes:.2f} | {cost.launches}"
        lines.append(f"| {mode} | {figures} |")
    return [*lines, "", *table(release_footprint(), WORK, "FLUX.2 [klein]").splitlines()]
