"""The release's one file of weights: a torch pickle of three state dicts, read as data and nothing else."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor, nn

from anystory.errors import Message
from anystory.model.flux.attention import REFERENCE, ROUTER, FrameContext, SubjectAttnProcessor, blocks
from anystory.model.flux.encoder import SubjectEmbedder
from anystory.model.flux.low_rank import LowRank, attach

PARTS = ("ref", "redux", "router")

EMBEDDER = "router_embedder."
PROCESSOR = ".attn.processor."

StateDict = dict[str, Tensor]


class CheckpointError(ValueError):
    """A file is not the release's checkpoint. The message is one sentence for the user, a `Message`."""


def read_checkpoint(path: Path) -> dict[str, StateDict]:
    """The three state dicts of `path`. Raises CheckpointError for anything else, without running what is in it."""
    try:
        parts = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            Message("{file} is not the AnyStory checkpoint: it does not hold weights alone.", file=path.name)
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise CheckpointError(
            Message("{file} is not the AnyStory checkpoint, or not all of it: download it again.", file=path.name)
        ) from error
    good = isinstance(parts, dict) and all(
        isinstance(parts.get(name), Mapping)
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in parts[name].items())
        for name in PARTS
    )
    if not good:
        raise CheckpointError(
            Message(
                "{file} is not the AnyStory checkpoint: that holds the three parts {parts}.",
                file=path.name,
                parts=", ".join(PARTS),
            )
        )
    return {name: dict(parts[name]) for name in PARTS}


def install(transformer: FluxTransformer2DModel, checkpoint: Mapping[str, StateDict]) -> FrameContext:
    """Give a stock transformer the release's branches and a processor in every layer; returns what they share.

    Raises CheckpointError where the checkpoint does not fit the transformer.
    """
    frame = FrameContext()
    router = checkpoint["router"]
    try:
        for name, state in ((REFERENCE, checkpoint["ref"]), (ROUTER, router)):
            for path in _lora_paths(state):
                branch = LowRank.from_state(state, f"{path}.lora_A", f"{path}.lora_B")
                owner, layer = _owner(transformer, path.removeprefix("transformer."))
                attach(owner, layer, name, branch.to(transformer.device, transformer.dtype), frame.stream)
        for name, block in named_blocks(transformer):
            prefix = f"transformer.{name}{PROCESSOR}to_"
            query, key = (
                LowRank.from_state(router, f"{prefix}{x}_routing_map_lora_A", f"{prefix}{x}_routing_map_lora_B")
                for x in ("q", "k")
            )
            processor = SubjectAttnProcessor(frame, query, key).to(transformer.device, transformer.dtype)
            block.attn.set_processor(processor)
    except KeyError as error:
        raise CheckpointError(
            Message("The checkpoint does not fit this transformer: it has no {name}.", name=error)
        ) from error
    except ValueError as error:
        raise CheckpointError(Message("The checkpoint does not fit this transformer: {error}.", error=error)) from error
    first = blocks(transformer)[0]
    first.register_forward_pre_hook(
        lambda _, args, kwargs: frame.begin(transformer.context_embedder, kwargs["temb"]), with_kwargs=True
    )
    return frame


def embedders(checkpoint: Mapping[str, StateDict]) -> tuple[SubjectEmbedder, SubjectEmbedder]:
    """The Redux embedder and the router's."""
    router = {k.removeprefix(EMBEDDER): v for k, v in checkpoint["router"].items() if k.startswith(EMBEDDER)}
    try:
        return SubjectEmbedder.from_state(checkpoint["redux"]), SubjectEmbedder.from_state(router)
    except KeyError as error:
        raise CheckpointError(Message("The checkpoint is not complete: it has no {name}.", name=error)) from error
    except ValueError as error:
        raise CheckpointError(Message("The checkpoint is damaged: {error}.", error=error)) from error


def named_blocks(transformer: FluxTransformer2DModel) -> list[tuple[str, Any]]:
    """Every block with its name, in the order of execution."""
    return [
        (f"{group}.{index}", block)
        for group in ("transformer_blocks", "single_transformer_blocks")
        for index, block in enumerate(getattr(transformer, group))
    ]


def _lora_paths(state: StateDict) -> list[str]:
    """The layers that have a LoRA, in the file's order."""
    return [key.removesuffix(".lora_A.weight") for key in state if key.endswith(".lora_A.weight")]


def _owner(transformer: FluxTransformer2DModel, path: str) -> tuple[nn.Module, str]:
    """The block a layer belongs to, or the transformer itself, and the layer's path in it."""
    group, _, rest = path.partition(".")
    index, _, inner = rest.partition(".")
    if group in ("transformer_blocks", "single_transformer_blocks") and index.isdigit() and inner:
        if int(index) >= len(getattr(transformer, group)):
            raise ValueError(Message("there is no layer {path}", path=path))
        return getattr(transformer, group)[int(index)], inner
    return transformer, path
