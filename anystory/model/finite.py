"""Whether what a model computed is numbers at all: weights that are damaged or too coarse give NaN, and a frame of NaN
looks like a black one."""

from __future__ import annotations

from torch import Tensor

from anystory.errors import Message


class NotFiniteError(ArithmeticError):
    """A model computed NaN or infinity. The message is a clause that says of what."""


def finite(values: Tensor, what: Message) -> Tensor:
    """`values` as they are. Raises NotFiniteError where one of them is NaN or infinite; `what` names them, a plural.
    Tensors of the meta device have no values to look at."""
    if not values.is_meta and not values.isfinite().all():
        raise NotFiniteError(Message("the {what} of this frame are not finite numbers", what=what))
    return values
