"""Low-rank branches beside stock linear layers, each active only while its own stream of tokens runs.

The release trains one LoRA for reference tokens and one for router tokens; the frame's own tokens take the base
weights alone. A branch that is off costs nothing, and the linear layer underneath stays what it is: quantised, cast
or offloaded by whoever loaded it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

from anystory.errors import Message


class LowRank(nn.Module):
    """x (..., d_in) -> B A x (+ bias), (..., d_out)."""

    def __init__(self, d_in: int, d_out: int, rank: int, bias: bool = False) -> None:
        super().__init__()
        self.down = nn.Linear(d_in, rank, bias=False)
        self.up = nn.Linear(rank, d_out, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x))

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], down: str, up: str) -> LowRank:
        """The branch whose matrices are `state[down + ".weight"]` and `state[up + ".weight"]`, in float32. Raises
        KeyError or ValueError where they are missing or do not fit."""
        a, b, bias = state[f"{down}.weight"], state[f"{up}.weight"], state.get(f"{up}.bias")
        if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1]:
            raise ValueError(
                Message(
                    "{down} {down_shape} and {up} {up_shape} are not a low-rank pair",
                    down=down,
                    down_shape=tuple(a.shape),
                    up=up,
                    up_shape=tuple(b.shape),
                )
            )
        branch = cls(a.shape[1], b.shape[0], a.shape[0], bias is not None)
        branch.down.weight.data = a.float()
        branch.up.weight.data = b.float()
        if bias is not None:
            branch.up.bias.data = bias.float()
        return branch


class Stream:
    """Which tokens run at the moment: `name` selects the branches that are active; None activates none."""

    def __init__(self) -> None:
        self.name: str | None = None

    @contextmanager
    def running(self, name: str | None) -> Iterator[None]:
        previous, self.name = self.name, name
        try:
            yield
        finally:
            self.name = previous


def attach(owner: nn.Module, path: str, name: str, branch: LowRank, stream: Stream) -> None:
    """Add `branch` to the linear layer `owner.path` while `stream` is `name`.

    The branch becomes part of `owner`, not of the layer, so that what casts or moves single layers takes it for one
    of its own. Raises ValueError where the layer is missing or of other widths.
    """
    try:
        layer = owner.get_submodule(path)
    except AttributeError as error:
        raise ValueError(Message("there is no layer {path}", path=path)) from error
    widths = (getattr(layer, "in_features", None), getattr(layer, "out_features", None))
    if widths != (branch.down.in_features, branch.up.out_features):
        raise ValueError(
            Message(
                "layer {path} maps {wide} to {tall}, its branch {branch_wide} to {branch_tall}",
                path=path,
                wide=widths[0],
                tall=widths[1],
                branch_wide=branch.down.in_features,
                branch_tall=branch.up.out_features,
            )
        )

    def add(_: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        return output + branch(args[0]) if stream.name == name else None

    group = f"{name}_lora"
    if not hasattr(owner, group):
        owner.add_module(group, nn.ModuleDict())
    owner.get_submodule(group).add_module(path.replace(".", "_"), branch)
    layer.register_forward_hook(add)
