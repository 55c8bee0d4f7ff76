"""Teach the mention reader what sentences say of places and sizes, on captions alone.

A step of joint training sees a handful of mentions; a caption costs next to nothing. Read beforehand, "on the left"
means something to the routers from their first step.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anystory.model.pipeline import AnyStoryPipeline
from anystory.training.loop import Loop, replace_folder, warm_up_and_decay
from anystory.training.world import MAX_SUBJECTS, World

COLUMNS = 8
"""Parts of a frame's width that are told apart."""

SIZES = (0.3, 0.4, 0.55)
"""Borders between classes of size, the long side as a share of the frame."""

BATCH = 96


def train_mentions(
    folder: Path,
    world: World,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    device: str = "cpu",
    seed: int = 0,
) -> None:
    """Train the mention reader of the AnyStory in `folder`, in place; the state is beside it: the same call resumes."""
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
    for progress in loop:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * warm_up_and_decay(progress)
        rng = np.random.default_rng([seed, loop.step])
        captions, spans, columns, sizes = _told(world, int(rng.integers(1, MAX_SUBJECTS + 1)), rng)
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            text, distances = pipeline.encode_text(captions, spans)
            said = heads(reader(text.states, distances))
        column, size = said.flatten(0, 1).float().split([COLUMNS, len(SIZES) + 1], dim=1)
        loss = F.cross_entropy(column, columns.to(device)) + F.cross_entropy(size, sizes.to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loop.log(loss=loss, columns=(column.argmax(1) == columns.to(device)).float().mean())


def _told(
    world: World, subjects: int, rng: np.random.Generator
) -> tuple[list[str], list[list[tuple[int, int]]], Tensor, Tensor]:
    """Captions and spans of frames with `subjects`, and the classes of each subject's column and size (B * S,)."""
    captions, spans, x, long = world.tell(BATCH, subjects, rng)
    columns = torch.from_numpy((x * COLUMNS).astype(int).clip(0, COLUMNS - 1)).flatten()
    return captions, spans, columns, torch.bucketize(torch.from_numpy(long), torch.tensor(SIZES)).flatten()
