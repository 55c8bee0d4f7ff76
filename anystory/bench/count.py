"""What a computation costs, counted where nothing is computed: on torch's meta device, which only knows shapes.

The code that runs is the code that renders, so the counts follow every change of it.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

_FREE = {
    "empty",
    "empty_like",
    "new_empty",
    "empty_strided",
    "new_empty_strided",
    "detach",
    "lift_fresh",
    "_unsafe_view",
}
"""Operators that launch nothing."""

GPUS = {"H200": (0.7 * 989e12, 0.8 * 4.8e12), "RTX 4090": (0.7 * 165e12, 0.8 * 1.008e12)}
"""What estimates assume of a GPU: operations and bytes a second in bfloat16, 70 and 80 % of its data sheet's."""

LAUNCH = 5e-6
"""Seconds that a kernel takes at least in an eager run, where Python launches each: an assumption too."""


@dataclass
class Cost:
    """flops: multiplications and additions; bytes: read and written by every kernel; launches: kernels of an eager
    run; peak: bytes alive at once that were made while counting, without the weights; estimate: seconds on each of
    `GPUS`, every kernel as long as its operations, its bytes or its launch take, whichever is longest."""

    flops: int = 0
    bytes: int = 0
    launches: int = 0
    peak: int = 0
    estimate: tuple[float, ...] = (0.0,) * len(GPUS)

    def __add__(self, other: Cost) -> Cost:
        total = (self.flops + other.flops, self.bytes + other.bytes, self.launches + other.launches)
        estimate = tuple(a + b for a, b in zip(self.estimate, other.estimate, strict=True))
        return Cost(*total, max(self.peak, other.peak), estimate)

    def __mul__(self, times: float) -> Cost:
        flops, moved, launches = (round(times * x) for x in (self.flops, self.bytes, self.launches))
        return Cost(flops, moved, launches, self.peak, tuple(times * x for x in self.estimate))

    def launch(self, flops: int, moved: int) -> None:
        """Add one kernel."""
        self.flops += flops
        self.bytes += moved
        self.launches += 1
        each = (max(flops / rate, moved / width, LAUNCH) for rate, width in GPUS.values())
        self.estimate = tuple(a + b for a, b in zip(self.estimate, each, strict=True))


class Storages:
    """Keeps count of storages while they are alive: their bytes now, `alive`, and at most so far, `peak`."""

    def __init__(self, bytes_of: Callable[[int], int] = lambda size: size) -> None:
        """`bytes_of` says what is counted for a storage of so many bytes."""
        self.alive = self.peak = 0
        self._bytes_of = bytes_of
        self._known: set[int] = set()

    def __contains__(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._known

    def add(self, tensor: Tensor) -> None:
        """Count a tensor's storage, if it is not counted yet."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._known:
            size = self._bytes_of(storage.nbytes())
            self._known.add(key)
            self.alive += size
            self.peak = max(self.peak, self.alive)
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.alive -= size


class Counter(TorchDispatchMode):
    """Counts all that runs inside `with Counter() as cost`; views are free, a fused attention is one kernel, and so is
    an RMS norm."""

    def __init__(self) -> None:
        super().__init__()
        self.cost = Cost()
        self._storages = Storages()
        self._fused = _Fused(self)

    def __enter__(self) -> Cost:
        super().__enter__()
        self._fused.__enter__()
        return self.cost

    def __exit__(self, *exception: Any) -> None:
        self._fused.__exit__(*exception)
        super().__exit__(*exception)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func.is_view:
            return out
        self._see(out)
        if func.overloadpacket.__name__ in _FREE:
            return out
        formula = flop_registry.get(func.overloadpacket)
        flops = formula(*args, **(kwargs or {}), out_val=out) if formula else 0
        self.cost.launch(flops, sum(_bytes(x) for x in tree_leaves((args, kwargs, out))))
        return out

    def _see(self, out: Any) -> None:
        """Keep count of the storages that are alive."""
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._storages.add(tensor)
        self.cost.peak = self._storages.peak


class _Fused(TorchFunctionMode):
    """Counts what is one kernel on a GPU and several elsewhere: `scaled_dot_product_attention` and `rms_norm` (from
    torch 2.9). The results are only shapes."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self.counter = counter

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            return self._attention(*args, **(kwargs or {}))
        if func is torch.nn.functional.rms_norm:
            return self._norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _norm(self, x: Tensor, shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None) -> Tensor:
        out = torch.empty_like(x)
        self.counter.cost.launch(0, sum(_bytes(tensor) for tensor in (x, weight, out)))
        return out

    def _attention(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Queries (B, H, q, D) and keys (B, H, k, D): two products of q x k x D for every head."""
        out = query.new_empty(*query.shape[:-1], value.shape[-1])
        pairs = math.prod(query.shape[:-1]) * key.shape[-2]
        moved = sum(_bytes(x) for x in (query, key, value, attn_mask, out))
        self.counter.cost.launch(2 * pairs * (query.shape[-1] + value.shape[-1]), moved)
        return out


def _bytes(x: Any) -> int:
    """What a kernel reads or writes of an argument; the elements an expanded tensor repeats are read once."""
    if not isinstance(x, Tensor):
        return 0
    return math.prod(n for n, stride in zip(x.shape, x.stride(), strict=True) if stride) * x.element_size()
