"""FLUX with random weights at any size, on any device, the meta device included."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from safetensors.torch import load_file
from torch import Tensor

from anystory.model.flux.attention import REFERENCE, ROUTER
from anystory.model.flux.checkpoint import EMBEDDER, PROCESSOR, StateDict, install, named_blocks
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


def save(configs: Configs, rank: int, tokenizers: Path, folder: Path, seed: int = 0) -> tuple[Path, Path, Path]:
    """Random weights, bfloat16, in the release's layout: the folders of FLUX.1-dev and of Redux in `folder`, and the
    authors' file, as `from_release` takes them. `tokenizers` has those of both text encoders."""
    torch.manual_seed(seed)
    base, redux, checkpoint = folder / "base", folder / "redux", folder / "anystory_flux.bin"
    parts = {name: empty(name, config, "cpu").to(torch.bfloat16) for name, config in configs.items()}
    for name, part in parts.items():
        part.save_pretrained((redux if name.startswith("image") else base) / name)
    FlowMatchEulerDiscreteScheduler(**SCHEDULER).save_pretrained(base / "scheduler")
    for name in ("tokenizer", "tokenizer_2"):
        shutil.copytree(tokenizers / name, base / name)
    widths = configs["image_encoder"]["hidden_size"], parts["transformer"].config.joint_attention_dim
    state = {part: branches(parts["transformer"], part, rank) for part in (REFERENCE, ROUTER)}
    state[ROUTER] |= {f"{EMBEDDER}{name}": value for name, value in embedder(*widths, rank).items()}
    torch.save(state | {"redux": embedder(*widths, rank)}, checkpoint)
    return base, redux, checkpoint


def embedder(vision_dim: int, text_dim: int, rank: int) -> StateDict:
    """A random embedder in the release's names."""
    state = SubjectEmbedder(vision_dim, text_dim, rank).state_dict()
    names = {"up.down": "redux_up_lora_A", "up.up": "redux_up_lora_B", "gate": "gate_proj"}
    names |= {"down.down": "redux_down_lora_A", "down.up": "redux_down_lora_B"}
    return {f"{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": value for name, value in state.items()}


def save_gguf(folder: Path) -> None:
    """The weights in a transformer's folder as a .gguf file in their place, four bits a weight where a block of 32
    fits. Takes the package gguf."""
    import gguf

    writer = gguf.GGUFWriter(folder / "transformer.gguf", "flux")
    four = gguf.GGMLQuantizationType.Q4_0
    file = folder / "diffusion_pytorch_model.safetensors"
    for name, weight in load_file(file).items():
        values = weight.float().numpy()
        if values.ndim == 2 and values.shape[1] % 32 == 0:
            writer.add_tensor(name, gguf.quants.quantize(values, four), raw_dtype=four)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    file.unlink()
