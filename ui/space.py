"""On a Hugging Face Space: which model it can run, and frames made on a GPU that is lent for each of them (ZeroGPU).

The package `spaces`, which only Spaces have, is imported here and nowhere else. It makes a frame in a forked process
that has the GPU: arguments and results are pickled, and what changes there is lost with it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from gradio.utils import is_zero_gpu_space
from PIL import Image

from anystory.backends.base import BACKENDS, STORYBOOK, Backend, BackendError, Locator, Request
from anystory.backends.load import chosen, suitable
from anystory.errors import Message
from anystory.story.model import Prompt, RoutingMaps, Settings, Shape, Step, Subject
from ui.backends import named

try:
    import spaces
except ImportError:
    spaces = None

SECONDS = {"flux": (20.0, 1.5), "klein": (20.0, 3.0)}
"""Seconds a frame may take on a lent GPU, by backend: to begin with, and for a step at the size of its weights. Bounds,
not measured: what is not used is not charged for."""

SMALL = (10.0, 0.3)
"""The same for other backends."""

LOCATING = 4
"""Steps' worth of work that looking for characters in a picture is: once for the references, three times for it."""

T = TypeVar("T")

_backends: dict[str, Backend] = {}  # as forks find them; an argument would be pickled


def chosen_backend(asked: str | None, model: Path | None = None) -> str:
    """The backend's name: the one `asked` for, else the one for the folder `model`, if there is one, else that of
    ANYSTORY_BACKEND, else on a Space what it offers, else the default. Raises BackendError for a name that is none."""
    if asked is not None:
        return asked
    usual = os.environ.get("ANYSTORY_BACKEND", "")
    if not usual and "SPACE_ID" in os.environ:
        usual = suitable(gpu=has_gpu())
    usual = usual or BACKENDS[0]
    if usual not in BACKENDS:
        raise BackendError(f"ANYSTORY_BACKEND is {usual!r}; it must be one of: {', '.join(BACKENDS)}.")
    return chosen(None, model, usual)


def offered(asked: Sequence[str] | None, first: str, *, shared: bool) -> tuple[str, ...]:
    """The names of the backends to choose from on the page, the one it starts with `first`: those `asked` for, else
    those of ANYSTORY_OFFER, else all, or where the app is `shared` with strangers what costs nothing besides. Raises
    BackendError for a name that is none."""
    if asked is None:
        given = os.environ.get("ANYSTORY_OFFER", "")
        try:
            asked = named(given) if given else (STORYBOOK,) if shared else BACKENDS
        except ValueError as error:
            raise BackendError(f"ANYSTORY_OFFER: {error}") from error
    return tuple(dict.fromkeys([first, *(name for name in BACKENDS if name in asked)]))


def has_gpu() -> bool:
    """Whether there is a GPU here, or one is lent."""
    return is_zero_gpu_space() or shutil.which("nvidia-smi") is not None


def borrowing(name: str, load: Callable[[], Backend]) -> Callable[[], Backend]:
    """`load`, which gives the backend `name`, as it is; on ZeroGPU one that borrows the GPU, unless it has no use for
    one, loaded now, as ZeroGPU wants it: before the launch and in the main thread. Raises BackendError then."""
    if spaces is None or not is_zero_gpu_space():
        return load
    backend = _backends[name] = load()
    if backend.about.sketches:
        return lambda: backend
    borrowed = BorrowingLocator if isinstance(backend, Locator) else Borrowing
    return lambda: borrowed(name, backend)


def seconds(name: str, request: Request) -> int:
    """How long the GPU is asked for: a panel times its steps, as long as its pixels make them. A story asks anew for
    every panel, so that visitors take turns and a stop gives back what is left."""
    about = _lent(name).about
    start, step = SECONDS.get(name, SMALL)
    steps = request.settings.steps
    if request.underdrawing is not None:
        steps = request.underdrawing.taken.steps(steps)
    return round(start + step * steps * max(1.0, request.settings.size.area / about.defaults.size.area))


def _lent(name: str) -> Backend:
    """A backend, which is loaded before anybody can ask for a frame."""
    if name not in _backends:
        raise BackendError(Message("No model is loaded yet; try again in a moment."))
    return _backends[name]


def locating_seconds(name: str, picture: Image.Image, cast: Sequence[Subject], names: Sequence[str]) -> int:
    """The same for looking for characters in a picture."""
    start, step = SECONDS.get(name, SMALL)
    return round(start + step * LOCATING)


def _denoise(name: str, request: Request) -> Iterator[Step | str]:
    """The steps of one frame, whose cast are subjects; a sentence in the place of a BackendError, of which `spaces`
    would keep only the name."""
    try:
        backend = _lent(name)
        encoded = tuple(backend.encode(subject) for subject in request.cast)
        with closing(backend.denoise(replace(request, cast=encoded))) as steps:
            yield from steps
    except BackendError as error:
        yield error.said


def _locate(
    name: str, picture: Image.Image, cast: Sequence[Subject], names: Sequence[str]
) -> Iterator[RoutingMaps | str]:
    """Who is where in a picture, or a sentence in the place of a BackendError."""
    try:
        backend: Any = _lent(name)  # a `Locator`, or nobody would have been offered to look
        yield backend.locate(picture, names, [backend.encode(subject) for subject in cast])
    except BackendError as error:
        yield error.said


if spaces is not None:
    _denoise = spaces.GPU(duration=seconds)(_denoise)
    _locate = spaces.GPU(duration=locating_seconds)(_locate)


def _made(lent: Any) -> Generator[Any, None, None]:
    """What a lent GPU makes. Raises BackendError for a sentence, also where it is not lent: somebody's minutes are used
    up."""
    try:
        with closing(lent):
            for item in lent:
                if isinstance(item, str):
                    raise BackendError(item)
                yield item
    except gr.Error as error:  # whose words may hold links
        raise BackendError(re.sub(r"<[^>]*>", "", error.message)) from error


class Borrowing:
    """`backend` with its frames made on a lent GPU. A subject's encoding lives there only as long as a frame is made;
    outside, the subject itself stands for it."""

    def __init__(self, name: str, backend: Backend) -> None:
        self._name, self._backend, self.about = name, backend, backend.about

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        return self._backend.unread(prompt, pictures)

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        return self._backend.layer_shapes(settings)

    def encode(self, subject: Subject) -> Subject:
        return subject

    def denoise(self, request: Request) -> Generator[Step, None, None]:
        """As the backend does. Raises BackendError, also where the GPU is not lent."""
        return _made(_denoise(self._name, request))


class BorrowingLocator(Borrowing):
    """A backend that can look for characters in a picture, on a lent GPU too."""

    def locate(self, picture: Image.Image, names: Sequence[str], cast: Sequence[Subject]) -> RoutingMaps:
        """As the backend does. Raises BackendError as `denoise`."""
        (maps,) = _made(_locate(self._name, picture, tuple(cast), tuple(names)))
        return maps
