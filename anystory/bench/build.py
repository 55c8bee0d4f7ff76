"""FLUX with random weights at any size, on any device, the meta device included."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from torch import Tensor

from anystory.model.flux.attention import REFERENCE, ROUTER
from anystory.model.flux.checkpoint import PROCESSOR, StateDict, install, named_blocks
from anystory.model.flux.encoder import REDUX_SIDE, ROUTER_SIDE, FluxSubject, SubjectEmbedder, positions
from anystory.model.flux.pipeline import TOKEN, AnyStoryFluxPipeline
from anystory.model.flux.plans import Configs, empty

DOUBLE = {
    REFERENCE: ("norm1.linear", "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "ff.net.2"),
    ROUTER: (
        "norm1_context.linear",
        "attn.add_q_proj",
        "attn.add_k_proj",
        "attn.add_v_proj",
        "attn.to_add_out",
        "ff_context.net.2",
    ),
}
"""The layers of a double-stream block that the release gives a LoRA."""

SINGLE = ("norm.linear", "proj_mlp", "proj_out", "attn.to_q", "attn.to_k", "attn.to_v")
"""Those of a single-stream block, for both."""

TOP = {REFERENCE: "x_embedder", ROUTER: "context_embedder"}
"""And those outside the blocks."""

SCHEDULER = {"base_shift": 0.5, "max_shift": 1.15, "shift": 3.0, "use_dynamic_shifting": True}
"""FLUX.1-dev's."""


def build(configs: Configs, rank: int, device: str, dtype: torch.dtype, seed: int = 0) -> AnyStoryFluxPipeline:
    """The whole pipeline with random weights, without text encoders: those are `empty`'s."""
    torch.manual_seed(seed)
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # never float32 first: that would take twice the memory
    try:
        parts = {name: empty(name, config, device) for name, config in configs.items() if "text" not in name}
        transformer = parts["transformer"]
        with torch.device(device):
            install(transformer, {part: branches(transformer, part, rank) for part in (REFERENCE, ROUTER)})
            vision, text = configs["image_encoder"]["hidden_size"], transformer.config.joint_attention_dim
            embedders = {name: SubjectEmbedder(vision, text, rank) for name in ("redux", "router")}
        pipeline = AnyStoryFluxPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(**SCHEDULER),
            **{name: part.to(dtype) for name, part in (parts | embedders).items()},
        )
    finally:
        torch.set_default_dtype(default)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    return pipeline


def branches(transformer: FluxTransformer2DModel, part: str, rank: int) -> StateDict:
    """A random LoRA in the release's names; of the router, with its routing projections."""
    state: StateDict = {}

    def pair(name: str, d_in: int, d_out: int, bias: bool = False) -> None:
        state[f"{name}_A.weight"] = torch.randn(rank, d_in) / d_in**0.5
        state[f"{name}_B.weight"] = torch.randn(d_out, rank) / rank**0.5 / 4
        if bias:
            state[f"{name}_B.bias"] = torch.zeros(d_out)

    layers = [TOP[part]]
    for name, _ in named_blocks(transformer):
        layers += [f"{name}.{layer}" for layer in (SINGLE if name.startswith("single") else DOUBLE[part])]
    for layer in layers:
        linear = transformer.get_submodule(layer)
        pair(f"transformer.{layer}.lora", linear.in_features, linear.out_features)
    if part == ROUTER:
        width = transformer.inner_dim
        for name, _ in named_blocks(transformer):
            for which in "qk":
                pair(f"transformer.{name}{PROCESSOR}to_{which}_routing_map_lora", width, width, bias=True)
    return state


def cast(pipeline: AnyStoryFluxPipeline, count: int, ref_size: int, fill: float = 0.6) -> list[FluxSubject]:
    """Subjects as `encode` would give them, of random tokens; `fill` of the reference is the subject's."""
    config, n = pipeline.transformer.config, ref_size // TOKEN
    mask = (torch.arange(n * n) < fill * n * n).float()[None, :, None]  # on the CPU: its indices are needed
    return [
        FluxSubject(
            redux=_random(pipeline, 1, REDUX_SIDE**2, config.joint_attention_dim),
            router=_random(pipeline, 1, ROUTER_SIDE**2, config.joint_attention_dim),
            ref=_random(pipeline, 1, n * n, config.in_channels),
            ref_ids=positions(n, n, shift=n).to(pipeline.device),
            ref_mask=mask,
        )
        for _ in range(count)
    ]


def prompt(pipeline: AnyStoryFluxPipeline, tokens: int, batch: int = 1) -> tuple[Tensor, Tensor]:
    """Random prompt embeddings (batch, tokens, d_t) and pooled ones (batch, d_p)."""
    config = pipeline.transformer.config
    text = _random(pipeline, batch, tokens, config.joint_attention_dim)
    return text, _random(pipeline, batch, config.pooled_projection_dim)


def noise(pipeline: AnyStoryFluxPipeline, seeds: Sequence[int], size: int) -> Tensor:
    """Packed noise of frames, (seeds, hw, C)."""
    return torch.cat([pipeline.noise(seed, size, size) for seed in seeds])


def _random(pipeline: AnyStoryFluxPipeline, *shape: int) -> Tensor:
    return torch.randn(shape).to(pipeline.device, pipeline.transformer.dtype)
