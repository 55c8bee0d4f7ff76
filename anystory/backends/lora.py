"""LoRAs on top of FLUX: where their files are, and how they get into the transformer."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from anystory.backends.base import BackendError, Lora
from anystory.backends.files import reason
from anystory.backends.hub import fetch_file
from anystory.model.flux.pipeline import AnyStoryFluxPipeline
from anystory.model.memory import out_of_memory


def lora_file(lora: Lora) -> Path:
    """The file of a LoRA: on this computer, or by its name on the Hub, owner/name or owner/name/FILE. Raises
    BackendError with a sentence."""
    if find_spec("peft") is None:
        raise BackendError("LoRAs need the package peft; install it with: pip install peft")
    path = Path(lora.name).expanduser()
    if path.is_file():
        if path.suffix != ".safetensors":
            raise BackendError(f"The LoRA {lora.name!r} must be a .safetensors file; other files could run code.")
        return path
    parts = lora.name.split("/")
    if path.is_dir() or len(parts) < 2 or lora.name.startswith(("/", ".", "~")):
        raise BackendError(f"There is no LoRA file {lora.name!r}; give a .safetensors file, or owner/name on the Hub.")
    return fetch_file("/".join(parts[:2]), "/".join(parts[2:]), ".safetensors")


def lora_size(lora: Lora, file: Path) -> tuple[int, int]:
    """How many numbers are in the file of a LoRA, and how many bytes it has; it is not loaded. Raises BackendError for
    one that is no such file."""
    try:
        with safe_open(file, "pt") as weights:
            numbers = sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
        return numbers, file.stat().st_size
    except (OSError, SafetensorError) as error:
        raise _misfit(lora, error) from error


def add_lora(pipeline: AnyStoryFluxPipeline, adapter: str, lora: Lora, file: Path) -> None:
    """Load a LoRA beside the weights. The frame, its references and the router all read the weights with it. Raises
    BackendError for one that does not fit, and what torch raises where memory is short."""
    try:
        pipeline.load_lora_weights(load_file(file), adapter_name=adapter)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SafetensorError) as error:
        if out_of_memory(error):
            raise
        raise _misfit(lora, error) from error
    if not any(adapter in adapters for adapters in pipeline.get_list_adapters().values()):
        raise BackendError(f"The LoRA {lora.name!r} has nothing for FLUX.1-dev; it was made for another model.")


def _misfit(lora: Lora, error: Exception) -> BackendError:
    return BackendError(f"The LoRA {lora.name!r} does not fit FLUX.1-dev: {reason(error)}")
