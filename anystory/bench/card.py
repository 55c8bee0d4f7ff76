"""A graphics card that is not there: its memory is the computer's, and whatever a real one refuses it refuses.

Inside `with Card() as card` the device `CARD` exists. Tensors on it compute what they would on the CPU. An operation
raises `CardError` where it mixes tensors of both places, reads what is still being copied on another stream, or is a
model's work (a product, a convolution) off the card; and torch's own OutOfMemoryError where the card is full.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils.flop_counter import flop_registry

from anystory.bench.count import Storages

CARD = torch.device("privateuseone:0")
"""The device: torch's name for one that is not its own."""

_aten = torch.ops.aten

_ACROSS = {_aten.copy_, _aten._to_copy, _aten.to, _aten.index, _aten.index_put_}
"""What takes tensors of both places: copies, and indices that are on the CPU."""

_WHOLE = nn.functional.scaled_dot_product_attention, nn.functional.multi_head_attention_forward
"""What is one operation here: how torch takes it apart depends on the device."""


class CardError(RuntimeError):
    """What a real card would refuse, or compute from garbage."""


class CardStream:
    """A queue of copies: what is copied on it is there when it was waited for."""

    def __init__(self) -> None:
        self.waited = 0

    def synchronize(self) -> None:
        self.waited += 1


class OnCard(Tensor):
    """A tensor on the card: `inner` holds its values, `copied` tells the stream it came by and how often that had been
    waited for by then, None where it was there at once."""

    inner: Tensor  # type: ignore[assignment]  # not the inner product, of which nothing here makes use
    card: Card
    copied: tuple[CardStream, int] | None

    @staticmethod
    def __new__(cls: type[OnCard], inner: Tensor, card: Card, copied: tuple[CardStream, int] | None = None) -> OnCard:
        return Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=CARD,
        )

    def __init__(self, inner: Tensor, card: Card, copied: tuple[CardStream, int] | None = None) -> None:
        self.inner, self.card, self.copied = inner, card, copied

    def __repr__(self) -> str:  # type: ignore[override]  # torch's takes what it would print
        return f"OnCard({self.inner})"

    def __tensor_flatten__(self) -> tuple[list[str], tuple]:
        return ["inner"], (self.card, self.copied)

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # torch calls it as a class method
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        card = next(x.card for x in _tensors((args, kwargs)) if isinstance(x, OnCard))
        return NotImplemented if _theirs(types) else card.run(func, args, kwargs or {})


class PackedOnCard(OnCard):
    """The same of gguf's parameters, whose bytes are numbers of the `quant_type` they came with."""

    @classmethod
    def of(cls, there: OnCard, packed: Any) -> PackedOnCard:
        """`there` as what it is a copy of, `packed`."""
        own: Any = cls(there.inner, there.card, there.copied)
        own.quant_type, own.quant_shape = packed.quant_type, packed.quant_shape
        return own

    def as_tensor(self) -> OnCard:
        """The bytes."""
        return OnCard(self.inner, self.card, self.copied)


class Card:
    """The card and what it holds: `memory` counts its bytes, `pinned` those of the computer's memory that are pinned,
    each rounded up to a power of two as CUDA's allocator does. `capacity` in bytes, None = as much as is asked for."""

    def __init__(self, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.memory = Storages()
        self.pinned = Storages(lambda size: 1 << (size - 1).bit_length() if size else 0)
        self._streams = [CardStream()]
        self._open = ExitStack()

    def __enter__(self) -> Card:
        self._open.enter_context(_device_module(self))
        self._open.enter_context(_swapping())
        self._open.enter_context(_Calls(self))
        self._open.enter_context(_Kernels(self))
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def run(self, func: Any, args: tuple, kwargs: dict) -> Any:
        """One operation, on the card if its tensors are there or its result is to be."""
        tensors = _tensors((args, kwargs))
        here = [x for x in tensors if isinstance(x, OnCard)]
        self.check(func, tensors, here)
        asked = kwargs.get("device")
        if func is _aten.copy_.default:
            stays = isinstance(args[0], OnCard)
        else:
            stays = bool(here) if asked is None else torch.device(asked).type == CARD.type
        # A result that is one of the arguments, as of in-place operations, stays the object it is.
        known = {id(x.inner): x for x in here}
        out = func(*_mapped(_inside, args), **_mapped(_inside, kwargs))
        if asked is not None and bool(here) != stays and func.overloadpacket is _aten.to:
            out = out.clone()  # the CPU would take a tensor that comes or goes for one that stays
        if not stays:
            return out
        late = self._late(func, args, kwargs)

        def placed(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            there = known[id(x)] if id(x) in known else self.hold(x, late)
            packed = func is _aten.detach.default and isinstance(args[0], PackedOnCard)
            return PackedOnCard.of(there, args[0]) if packed else there

        return _mapped(placed, out)

    def check(self, func: Any, tensors: list[Tensor], here: list[OnCard]) -> None:
        """Refuse an operation on `tensors`, of which some are `here`."""
        across = getattr(func, "overloadpacket", func) in _ACROSS
        if here and not across and (away := [x for x in tensors if not isinstance(x, OnCard) and x.ndim]):
            raise CardError(f"{func} takes tensors on the card and one of {tuple(away[0].shape)} that is not there.")
        if not here and tensors and func.overloadpacket in flop_registry:
            raise CardError(f"{func} on {tuple(tensors[0].shape)} runs off the card.")
        for x in here:
            if x.copied and x.copied[0] is not self._streams[-1] and x.copied[0].waited <= x.copied[1]:
                raise CardError(f"{func} reads {tuple(x.shape)} while it is still being copied.")

    def _late(self, func: Any, args: tuple, kwargs: dict) -> tuple[CardStream, int] | None:
        """When the result of a copy is there; views of such, made on the same stream, are no earlier."""
        stream = self._streams[-1]
        if len(self._streams) == 1:
            return None
        source = next(iter(_tensors(args)), None)
        moves = func.overloadpacket in (_aten._to_copy, _aten.to)
        copies = source is not None and moves and kwargs.get("non_blocking") and source in self.pinned
        return (stream, stream.waited) if copies else getattr(source, "copied", None)

    def hold(self, inner: Tensor, copied: tuple[CardStream, int] | None = None) -> OnCard:
        """Values as a tensor on the card. Raises torch.OutOfMemoryError where there is no room for them."""
        size = inner.untyped_storage().nbytes()
        if self.capacity is not None and inner not in self.memory and self.memory.alive + size > self.capacity:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} bytes on a simulated card.")
        self.memory.add(inner)
        return OnCard(inner, self, copied)

    def pin(self, tensor: Tensor) -> Tensor:
        """A copy of a tensor in pinned memory."""
        copy = tensor.detach().clone()
        self.pinned.add(copy)
        return copy

    @contextmanager
    def stream(self, stream: CardStream) -> Iterator[None]:
        """Inside, `stream` is the current one."""
        self._streams.append(stream)
        try:
            yield
        finally:
            self._streams.pop()

    def current_stream(self) -> CardStream:
        return self._streams[-1]


def _theirs(types: Iterable[Any]) -> bool:
    """Whether an operation is another kind of tensor's to take apart first: a quantised one's."""
    plain = Tensor.__torch_dispatch__, nn.Parameter.__torch_dispatch__
    return not all(issubclass(kind, OnCard) or kind.__torch_dispatch__ in plain for kind in types)


def _inside(x: Any) -> Any:
    """An argument as the CPU takes it."""
    if isinstance(x, OnCard):
        return x.inner
    return torch.device("cpu") if isinstance(x, torch.device) and x.type == CARD.type else x


def _mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """What torch's operators take and give, nested in tuples, lists and dicts, with `function` of every leaf."""
    if type(tree) in (tuple, list):
        return type(tree)([_mapped(function, x) for x in tree])
    if isinstance(tree, dict):
        return {key: _mapped(function, x) for key, x in tree.items()}
    return function(tree)


def _tensors(tree: Any) -> list[Tensor]:
    """The tensors in such."""
    found: list[Tensor] = []
    _mapped(lambda x: found.append(x) if isinstance(x, Tensor) else None, tree)
    return found


class _Kernels(TorchDispatchMode):
    """Hands a card the operations that make tensors on it or bring them there, and shows it those on the CPU."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.card = card

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return NotImplemented if _theirs(types) else self.card.run(func, args, kwargs or {})


class _Calls(TorchFunctionMode):
    """Does what torch does before or beside its operators."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._instead: dict[Any, Callable[..., Any]] = {
            Tensor.data.__set__: _set_data,  # type: ignore[attr-defined]  # it is a descriptor
            Tensor.tolist: lambda x: x.cpu().tolist(),
            Tensor.contiguous: lambda x: x if x.is_contiguous() else x.clone(memory_format=torch.contiguous_format),
            Tensor.__invert__: _aten.bitwise_not,
            Tensor.nonzero: _aten.nonzero,
            Tensor.copy_: _aten.copy_,
            Tensor.new_tensor: lambda x, data, dtype=None: torch.tensor(data, dtype=dtype or x.dtype).to(CARD),
            Tensor.__getitem__: _get_item,
            Tensor.__setitem__: _set_item,
            **{function: _whole(function) for function in _WHOLE},
        }
        self._always: dict[Any, Callable[..., Any]] = {
            torch.tensor: _tensor,
            Tensor.pin_memory: card.pin,
            Tensor.is_pinned: lambda x: x in card.pinned,
        }

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is Tensor.to and hasattr(args[0], "quant_shape"):  # gguf's own way knows real devices only
            return _packed(args[0].as_tensor().to(*args[1:], **kwargs), args[0])
        instead = self._always.get(func)
        if instead is None and any(isinstance(x, OnCard) for x in (*args, *kwargs.values())):
            instead = self._instead.get(func)
        return (instead or func)(*args, **kwargs)


def _tensor(data: Any, *, device: torch.device | str | None = None, **how: Any) -> Tensor:
    made = torch.tensor(data, **how)
    return made if device is None else made.to(device)


def _packed(moved: Tensor, packed: Any) -> Tensor:
    """A copy of the bytes of gguf's parameter `packed` as such a parameter, wherever it is."""
    from diffusers.quantizers.gguf.utils import GGUFParameter  # which takes the package

    if isinstance(moved, OnCard):
        return PackedOnCard.of(moved, packed)
    return GGUFParameter(moved, quant_type=packed.quant_type)


def _set_data(tensor: Tensor, value: Tensor) -> None:
    """`tensor.data = value` from one place to the other, where torch has no common form of both."""
    torch.utils.swap_tensors(tensor, nn.Parameter(value.detach(), requires_grad=False))


def _get_item(tensor: Tensor, index: Any) -> Tensor:
    if not isinstance(tensor, OnCard):
        raise CardError(f"A tensor of {tuple(tensor.shape)} on the CPU is indexed with one on the card.")
    return tensor.card.hold(tensor.inner[_mapped(_inside, index)], tensor.copied)


def _set_item(tensor: Tensor, index: Any, value: Any) -> None:
    _inside(tensor)[_mapped(_inside, index)] = _inside(value)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of several operators as one, by the CPU's own kernels."""

    def run(*args: Any, **kwargs: Any) -> Any:
        tensors = _tensors((args, kwargs))
        here = [x for x in tensors if isinstance(x, OnCard)]
        here[0].card.check(function.__name__, tensors, here)
        with _disable_current_modes():
            out = function(*_mapped(_inside, args), **_mapped(_inside, kwargs))
        return _mapped(lambda x: here[0].card.hold(x) if isinstance(x, Tensor) else x, out)

    return run


@contextmanager
def _device_module(card: Card) -> Iterator[None]:
    """`torch.get_device_module(CARD)` finds what libraries ask of a device: streams and memory."""
    module: Any = ModuleType(f"torch.{CARD.type}")
    library: Any = torch
    module.Stream, module.stream, module.current_stream = CardStream, card.stream, card.current_stream
    module.empty_cache = module.synchronize = lambda: None
    module._is_in_bad_fork, module.manual_seed_all = (lambda: False), (lambda seed: None)
    module.mem_get_info = lambda _=None: ((card.capacity or sys.maxsize) - card.memory.alive, card.capacity)
    sys.modules[module.__name__] = library.privateuseone = module
    try:
        yield
    finally:
        del sys.modules[module.__name__], library.privateuseone


@contextmanager
def _swapping() -> Iterator[None]:
    """Parameters that move between card and CPU stay the objects they are, as with a real card."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        yield
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
