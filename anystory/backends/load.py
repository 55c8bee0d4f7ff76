"""Choosing a backend and loading it: the one place that knows where each is. A model's module, which imports torch, is
imported when it is loaded."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from anystory.backends.base import (
    BACKENDS,
    MODELS,
    ROUTINGS,
    SPEEDS,
    STORYBOOK,
    Backend,
    BackendError,
    Lora,
    agreed,
)
from anystory.errors import Message, listed
from anystory.supplies import ASSETS


def suitable(*, gpu: bool) -> str:
    """The name of the best backend where nobody chose one: flux with a GPU, if the licence of its weights was accepted
    with the account of `HF_TOKEN`, else klein, if it was downloaded before, which nobody is made to do; storybook
    anywhere."""
    from anystory.backends.hub import FLUX, KLEIN, cached, granted

    if gpu and granted(FLUX):
        return "flux"
    return "klein" if gpu and cached(KLEIN) else BACKENDS[0]


def chosen(name: str | None, model: str | Path | None, usual: str = BACKENDS[0]) -> str:
    """The name of the backend to load: the one asked for, else the `usual` one; where a `model`'s folder was given
    and the usual one has no model, the paper's."""
    if name is not None:
        return name
    return MODELS[0] if model is not None and usual == STORYBOOK else usual


def load(
    name: str | None = None,
    *,
    model: str | Path | None = None,
    device: str | None = None,
    loras: Sequence[Lora] = (),
    vram: float | None = None,
    speed: str = SPEEDS[0],
    batch: int = 1,
    routing: str = ROUTINGS[0],
    tell: Callable[[str], None] = lambda _: None,
    agree: Callable[[str], bool] = agreed,
) -> Backend:
    """Load a backend by name, None being what `chosen` says; `model` is a folder with other weights than its own,
    `device` a torch device name (None = the best there is), `loras` go on top of the weights, `vram` is how many GB of
    the GPU may be used (None = what is free), `speed` one of `SPEEDS`, `batch` how many frames may be made at once
    where memory allows it, `routing` one of `ROUTINGS`; `tell` is called with sentences: what will be loaded and how,
    before it is, and what changes when memory runs out; `agree` is asked before weights are downloaded, with a question
    that says how much, from where and to which folder, and answers whether they are to be. Raises `BackendError` with a
    sentence, also for what the backend has no use for."""
    name = chosen(name, model)
    if name not in BACKENDS:
        raise BackendError(
            Message(
                "There is no backend {name}; choose one of: {backends}.", name=repr(name), backends=", ".join(BACKENDS)
            )
        )
    if name == STORYBOOK:
        given = {"--model": model, "--device": device, "--vram": vram, f"--speed {speed}": speed != SPEEDS[0]}
        _refuse(name, MODELS, given)
    if name not in ("klein", "flux"):
        _refuse(name, ("klein", "flux"), {"LoRAs": loras, "--batch": batch > 1})
    if name != "klein":
        _refuse(name, ("klein",), {f"--routing {routing}": routing != ROUTINGS[0]})
    if name == STORYBOOK:
        from anystory.backends.storybook import StorybookBackend

        return StorybookBackend()
    hush()
    folder = Path(model) if model is not None else None
    asking: dict[str, Any] = {"tell": tell, "agree": agree}
    if name == "flux":
        from anystory.backends.flux import FluxBackend

        return FluxBackend.load(folder, device=device, loras=loras, vram=vram, speed=speed, batch=batch, **asking)
    if name == "klein":
        from anystory.backends.klein import KleinBackend

        _refuse(name, ("flux",), {f"--speed {speed}": speed != SPEEDS[0]})
        return KleinBackend.load(folder, device=device, loras=loras, vram=vram, batch=batch, routing=routing, **asking)
    from anystory.backends.sdxl import STEPS, AnyStoryBackend

    _refuse(name, ("flux",), {f"--speed {speed}": speed not in STEPS})
    folder = folder or ASSETS / name
    return AnyStoryBackend.load(folder, name=name, device=device, vram=vram, speed=speed, tell=tell)


def ask(name: str, model: str | Path | None, agree: Callable[[str], bool]) -> None:
    """Raise what `load` would of weights that are not here, without loading anything: DownloadError where `agree`
    answers no, and BackendError where they cannot be had."""
    if model is None and name in ("klein", "flux"):
        from anystory.backends import hub

        hub.ask(hub.KLEIN if name == "klein" else hub.FLUX, agree)


def release() -> None:
    """Give back the memory of backends that nobody holds any longer, that of a GPU too."""
    if "torch" in sys.modules:  # or there is none
        from anystory.model.memory import release_memory

        release_memory()


def supplied(name: str) -> int:
    """Bytes of the weights of a backend that come with the program; 0 where none do."""
    return sum(path.stat().st_size for path in (ASSETS / name).rglob("*") if path.is_file())


def _refuse(name: str, others: Sequence[str], given: Mapping[str, object]) -> None:
    """Raise BackendError for the first thing that was given to a backend that has no use for it, as `others` have."""
    for what, value in given.items():
        if value:
            do = (
                Message("{names} do", names=listed(others))
                if len(others) > 1
                else Message("{name} does", name=others[0])
            )
            raise BackendError(
                Message("The backend {name} takes no {what}; {others}.", name=name, what=what, others=do)
            )


def hush() -> None:
    """Before they are imported: libraries tell of image processors, formats and kernels of other machines that nobody
    uses here. And torch's threads are to sleep while they wait for each other, unless somebody said otherwise: spinning
    they keep from the cores the very thread that they wait for wherever something else is at work, and two frames take
    minutes. How many there are stays as it is, as another number would give frames with other last digits."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for library in ("TRANSFORMERS", "DIFFUSERS"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    for name in ("torchao", "torch.utils._pytree", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
