"""Teach the mention reader what sentences say of places and sizes, on captions alone.

A step of joint training sees a handful of mentions; a caption costs next to nothing. Read beforehand, "on the left"
means something to the routers from their first step.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anystory.model.pipeline import AnyStoryPipeline, Tokens
from anystory.training.loop import Loop, replace_folder, warm_up_and_decay
from anystory.training.parallel import ahead
from anystory.training.world import MAX_SUBJECTS, World

COLUMNS = 8
"""Parts of a frame's width that are told apart."""

SIZES = (0.3, 0.4, 0.55)
"""Borders between classes of size, the long side as a share of the frame."""

BATCH = 96


class _Told(NamedTuple):
    """Captions of BATCH frames, and the classes of each of their S subjects' column and size, (BATCH * S,)."""

    tokens: Tokens
    columns: Tensor
    sizes: Tensor


def train_mentions(
    folder: Path,
    world: World,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    device: str = "cpu",
    workers: int = 0,
    seed: int = 0,
) -> None:
    """Train the mention reader of the AnyStory in `folder`, in place; the state is beside it: the same call resumes.
    Captions are made by `workers` more processes or, with 0, by this one."""
    pipeline = AnyStoryPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.to(device)
    reader = pipeline.adapter.mention
    torch.manual_seed(seed)
    nn.init.orthogonal_(reader.to_out.weight)
    heads = nn.Linear(reader.to_out.out_features, COLUMNS + len(SIZES) + 1).to(device)
    parameters = [*reader.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.01)
    loop = Loop(
        "mentions",
        folder.with_name("mentions.pt"),
        {"reader": reader, "heads": heads, "optimiser": optimiser},
        lambda: replace_folder(folder, lambda part: pipeline.save_pretrained(part)),
        steps=steps,
        minutes=minutes,
    )

    def tell(step: int) -> _Told:
        rng = np.random.default_rng([seed, step])
        captions, spans, x, long = world.tell(BATCH, int(rng.integers(1, MAX_SUBJECTS + 1)), rng)
        columns = torch.from_numpy((x * COLUMNS).astype(int).clip(0, COLUMNS - 1)).flatten()
        sizes = torch.bucketize(torch.from_numpy(long), torch.tensor(SIZES)).flatten()
        return _Told(pipeline.tokenise(captions, spans), columns, sizes)

    told = ahead(tell, loop.step, workers=workers, pin=device.startswith("cuda"))
    for progress, (tokens, columns, sizes) in zip(loop, told, strict=False):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * warm_up_and_decay(progress)
        distances, columns, sizes = (x.to(device, non_blocking=True) for x in (tokens.mentions, columns, sizes))
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            said = heads(reader(pipeline.read(tokens).states, distances))
        column, size = said.flatten(0, 1).float().split([COLUMNS, len(SIZES) + 1], dim=1)
        loss = F.cross_entropy(column, columns) + F.cross_entropy(size, sizes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loop.log(loss=loss, columns=(column.argmax(1) == columns).float().mean())
