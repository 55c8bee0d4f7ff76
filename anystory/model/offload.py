"""Models that share a card: they take turns whole, or a layer or block at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import send_to_device
from diffusers.hooks import apply_group_offloading
from diffusers.utils.torch_utils import empty_device_cache
from torch import nn

HOST = torch.device("cpu")


class CardTurn(ModelHook):
    """Brings its model to the card when it is called, and first sends every other of `sharing` away. It stays there
    until another one is called."""

    def __init__(self, device: torch.device, sharing: Sequence[nn.Module]) -> None:
        super().__init__()
        self.execution_device = device  # pipelines look here for where they compute
        self.sharing = sharing

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[tuple, dict]:
        others = [other for other in self.sharing if other is not module and _device(other) != HOST]
        for other in others:
            other.to(HOST)
        if others:
            empty_device_cache(self.execution_device.type)
        if not _is_on(module, self.execution_device):
            module.to(self.execution_device)
        return send_to_device(args, self.execution_device), send_to_device(kwargs, self.execution_device)


def take_turns(modules: Sequence[nn.Module], device: torch.device) -> None:
    """Of `modules`, in the computer's memory now, the one that is called is on `device`, and no other. Parts of them
    are never called by themselves."""
    for module in modules:
        add_hook_to_module(module.to(HOST), CardTurn(device, modules))


def by_block(module: nn.Module, device: torch.device) -> None:
    """Of the lists of blocks right in `module` the one that runs is on `device`, and the next on its way; what is in
    no list is there as long as the module runs."""
    _apart(module, device, offload_type="block_level", num_blocks_per_group=1, stream=_streams(device))


def by_layer(module: nn.Module, device: torch.device, *, ahead: bool = True) -> None:
    """Every layer of `module` is on `device` while it runs, and `ahead` of that on its way, which takes calls of the
    whole module that end. Every layer's weights must be read by calling it."""
    _apart(module, device, offload_type="leaf_level", stream=ahead and _streams(device))


def _apart(module: nn.Module, device: torch.device, *, stream: bool, **kind: Any) -> None:
    # Pinned as they go: all of a model pinned beforehand takes its size rounded up to powers of two, weight by weight.
    apply_group_offloading(module, device, HOST, use_stream=stream, low_cpu_mem_usage=stream, **kind)


def _streams(device: torch.device) -> bool:
    """Whether copies to a device can go beside its work."""
    return device.type != "cpu" and hasattr(torch.get_device_module(device), "Stream")


def _is_on(module: nn.Module, device: torch.device) -> bool:
    """Whether a model is on a device; without a number, "cuda" is whichever of its kind."""
    there = _device(module)
    return there.type == device.type and device.index in (None, there.index)


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device
