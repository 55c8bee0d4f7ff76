"""LoRAs on top of FLUX: where their files are, and how they get into the transformer."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from anystory.backends.base import BackendError, Lora
from anystory.backends.files import reason
from anystory.backends.hub import fetch_file
from anystory.errors import Message
from anystory.model.memory import out_of_memory


def lora_file(lora: Lora) -> Path:
    """The file of a LoRA: on this computer, or by its name on the Hub, owner/name or owner/name/FILE. Raises
    BackendError with a sentence."""
    if find_spec("peft") is None:
        raise BackendError(Message("LoRAs need the package peft; install it with: pip install peft"))
    path = Path(lora.name).expanduser()
    if path.is_file():
        if path.suffix != ".safetensors":
            raise BackendError(
                Message(
                    "The LoRA {name} must be a .safetensors file; other files could run code.", name=repr(lora.name)
                )
            )
        return path
    parts = lora.name.split("/")
    if path.is_dir() or len(parts) < 2 or lora.name.startswith(("/", ".", "~")):
        raise BackendError(
            Message(
                "There is no LoRA file {name}; give a .safetensors file, or owner/name on the Hub.",
                name=repr(lora.name),
            )
        )
    return fetch_file("/".join(parts[:2]), "/".join(parts[2:]), ".safetensors")


def lora_size(lora: Lora, file: Path) -> tuple[int, int]:
    """How many numbers are in the file of a LoRA, and how many bytes it has; it is not loaded. Raises BackendError for
    one that is no such file."""
    try:
        with safe_open(file, "pt") as weights:
            numbers = sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
        return numbers, file.stat().st_size
    except (OSError, SafetensorError) as error:
        raise BackendError(
            Message("The LoRA {name} cannot be read: {reason}", name=repr(lora.name), reason=reason(error))
        ) from error


def add_lora(pipeline: Any, adapter: str, lora: Lora, file: Path) -> tuple[int, int]:
    """Load a LoRA beside the weights. The frame, its references and the router all read the weights with it. Returns
    how many of its layers are loaded, and how many the file has. Raises BackendError for one that does not fit, and
    what torch raises where memory is short."""
    try:
        with safe_open(file, "pt") as weights:
            metadata = weights.metadata() or {}
        state = pipeline.lora_state_dict(_named(_scaled(load_file(file), metadata)))
    except (AssertionError, IndexError) as error:  # of the converters, which count on FLUX's widths and blocks
        raise BackendError(
            Message(
                "The LoRA {name} was made for another model: its layers are not of the widths of {release}.",
                name=repr(lora.name),
                release=pipeline.release,
            )
        ) from error
    except (
        *(OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SafetensorError),
        *(ArithmeticError, re.error),  # of a strength in the metadata
    ) as error:
        if out_of_memory(error):
            raise
        raise _misfit(lora, error, pipeline.release) from error
    layers = {key.rsplit(".lora_", 1)[0] for key in state if ".lora_" in key}
    fitting = {layer for layer in layers if _fits(pipeline, lora, layer, state)}
    if not fitting:
        raise BackendError(
            Message(
                "The LoRA {name} has nothing for {release}; it was made for another model.",
                name=repr(lora.name),
                release=pipeline.release,
            )
        )
    kept = {key: value for key, value in state.items() if key.rsplit(".lora_", 1)[0] in fitting or "alpha" in key}
    try:
        pipeline.load_lora_weights(kept, adapter_name=adapter)
    except (ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        if out_of_memory(error):
            raise
        raise _misfit(lora, error, pipeline.release) from error
    return len(fitting), len(layers)


def _scaled(state: dict[str, Tensor], metadata: Mapping[str, str]) -> dict[str, Tensor]:
    """The matrices with the strength that the file's metadata tells (PEFT's alpha) in them, for the loader reads that
    only from files of its own."""
    told = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    if not isinstance(told, dict) or not any(key.endswith("lora_alpha") for key in told):
        return state
    scaled = dict(state)
    for key, up in state.items():
        layer, mark, _ = key.partition(".lora_B.")
        part, _, name = layer.partition(".")
        alpha = told.get(f"{part}.lora_alpha")
        if not mark or alpha is None:
            continue
        for pattern, value in (told.get(f"{part}.alpha_pattern") or {}).items():
            alpha = value if re.fullmatch(rf"(?:.*\.)?{pattern}", name) else alpha
        rank = up.shape[1]
        scaled[key] = up * (alpha / (math.sqrt(rank) if told.get(f"{part}.use_rslora") else rank))
    return scaled


def _named(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The matrices under names that diffusers knows: ComfyUI writes another prefix, some trainers none."""
    named = {}
    for key, value in state.items():
        layer = key.removeprefix("diffusion_model.")
        if layer.startswith(("transformer_blocks.", "single_transformer_blocks.")):
            key = f"transformer.{layer}"
        elif layer.startswith(("double_blocks.", "single_blocks.")) and re.search(r"\.lora_[AB]\.", key):
            key = f"base_model.model.{layer}"
        named[key] = value
    return named


def _fits(pipeline: Any, lora: Lora, layer: str, state: Mapping[str, Tensor]) -> bool:
    """Whether the model has a layer of a LoRA. Raises BackendError where its widths are others."""
    part, _, name = layer.partition(".")
    model = getattr(pipeline, part, None) if part in pipeline._lora_loadable_modules else None
    down, up = state.get(f"{layer}.lora_A.weight"), state.get(f"{layer}.lora_B.weight")
    try:
        module = model.get_submodule(name) if isinstance(model, nn.Module) else None
    except AttributeError:
        return False
    # Under a LoRA loaded before a layer is no nn.Linear any more, but has its widths.
    wide, tall = getattr(module, "in_features", None), getattr(module, "out_features", None)
    if down is None or up is None or wide is None or tall is None:
        return False
    if name == "x_embedder" and down.shape[1] > wide:
        raise BackendError(
            Message(
                "The LoRA {name} is a control LoRA, which reads a second picture beside the frame; that is not "
                "supported, give one of a style or a subject.",
                name=repr(lora.name),
            )
        )
    if (down.shape[1], up.shape[0]) != (wide, tall):
        raise BackendError(
            Message(
                "The LoRA {name} was made for another model: its layer {layer} maps {down} numbers to {up}, that of "
                "this model {wide} to {tall}.",
                name=repr(lora.name),
                layer=name,
                down=down.shape[1],
                up=up.shape[0],
                wide=wide,
                tall=tall,
            )
        )
    return True


def _misfit(lora: Lora, error: Exception, release: str) -> BackendError:
    return BackendError(
        Message(
            "The LoRA {name} does not fit {release}: {reason}",
            name=repr(lora.name),
            release=release,
            reason=reason(error),
        )
    )
