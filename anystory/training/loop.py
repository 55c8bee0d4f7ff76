"""What every training loop here shares: progress by steps or minutes, a line every ten seconds, resumable state."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


class Loop:
    """Iterate to get the progress in [0, 1) of a training bounded by `steps` or by `minutes` of its own time.

    `parts` (modules, optimisers: whatever has a state dict) are restored from the file `state` if it is there, and
    saved to it, followed by a call of `publish`, every `save_every` seconds or, of a short training, every tenth of its
    `minutes` but no sooner than after one, and at the end. `step` counts from 0.
    """

    def __init__(
        self,
        name: str,
        state: Path,
        parts: dict[str, Any],
        publish: Callable[[], None],
        *,
        steps: int | None = None,
        minutes: float | None = None,
        save_every: float = 120.0,
    ) -> None:
        if (steps is None) == (minutes is None):
            raise ValueError("Bound the training by either steps or minutes.")
        self.name, self.state, self.parts, self.publish = name, state, parts, publish
        self.steps, self.minutes = steps, minutes
        self.save_every = save_every if minutes is None else min(save_every, max(60.0, 6 * minutes))
        self.step, self.seconds = 0, 0.0
        self.logged: dict[str, list[Tensor]] = {}
        if state.exists():
            saved = torch.load(state, weights_only=True, map_location="cpu")
            self.step, self.seconds = saved["step"], saved["seconds"]
            for key, part in parts.items():
                part.load_state_dict(saved[key])
            print(f"{name}: resumed at step {self.step}", flush=True)

    @property
    def progress(self) -> float:
        """How much of the training is done, 1 or more at the end."""
        if self.steps is not None:
            return self.step / self.steps
        return self.seconds / (60 * self.minutes) if self.minutes else 1.0

    def __iter__(self) -> Iterator[float]:
        last = printed = saved = time.monotonic()
        while self.progress < 1:
            yield self.progress
            self.step += 1
            now = time.monotonic()
            self.seconds += now - last
            last = now
            if now - printed > 10:
                self._print()
                printed = now
            if now - saved > self.save_every:
                self.save()
                saved = now
        self._print()
        self.save()

    def log(self, **values: Tensor) -> None:
        """Add scalars to the averages of the next line."""
        for key, value in values.items():
            self.logged.setdefault(key, []).append(value.detach())

    def save(self) -> None:
        """Write the state, then publish."""
        saved = {key: part.state_dict() for key, part in self.parts.items()}
        part = self.state.with_name(self.state.name + ".part")
        torch.save(saved | {"step": self.step, "seconds": self.seconds}, part)
        os.replace(part, self.state)
        self.publish()

    def _print(self) -> None:
        means = "  ".join(f"{key} {float(torch.stack(values).mean()):.4f}" for key, values in self.logged.items())
        print(f"{self.name}: {self.progress:5.1%}  step {self.step}  {self.seconds:.0f} s  {means}", flush=True)
        self.logged = {}


def warm_up_and_decay(progress: float, warm_up: float = 0.02, decay: float = 0.3) -> float:
    """The factor of the learning rate: linear warm-up, constant, linear to zero over the last `decay`."""
    return min(1.0, progress / warm_up + 0.01, max(0.0, (1 - progress) / decay))


def replace_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder beside `folder`, then put it in its place, so that a reader never sees half of one."""
    part, old = folder.with_name(folder.name + ".part"), folder.with_name(folder.name + ".old")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    write(part)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
