"""The sketch beneath a model's frame: what storybook would make of the panel, at the frame's size and of its seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from anystory.backends.base import BackendError, Request
from anystory.errors import Message
from anystory.sketch.cutout import Cutout
from anystory.sketch.sketcher import SIDES, sketch
from anystory.story.from_sketch import FromSketch, Underdrawing


def underdrawing(request: Request, taken: FromSketch, cutouts: Mapping[str, Cutout]) -> Underdrawing:
    """The sketch of a request whose prompt has its `shot`; `cutouts` are those of its names. Places by hand are places
    in it too. Raises BackendError where there can be none."""
    shot, size = request.prompt.shot, request.settings.size
    if shot is None or not size.within(SIDES):
        raise BackendError(Message("There is no sketch of {size} pixels to begin from; take another size.", size=size))
    made = sketch(
        shot,
        [cutouts[role.name] for role in shot.roles],
        width=size.width,
        height=size.height,
        seed=request.seed,
        story_seed=request.settings.seed,
        layout=request.steering.layout,
    )
    holders = np.full(made.masks.shape[1:], len(request.names), np.uint8)
    for role, seen in zip(shot.roles, made.masks, strict=True):
        holders[seen] = request.names.index(role.name)
    return Underdrawing(taken, made.image, holders, request.names)
