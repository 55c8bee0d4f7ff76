"""Storybook: frames that are sketches at full size, painted places with the cut-outs in them. No model, no torch."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from anystory.backends.base import STORYBOOK, BackendError, Request
from anystory.backends.crew import CORES, Crew
from anystory.errors import Message, said
from anystory.sketch import scenery
from anystory.sketch.compose import Coat
from anystory.sketch.cutout import Cutout, prepare
from anystory.sketch.sketcher import SIDES, sketching
from anystory.story.capabilities import Capabilities
from anystory.story.model import (
    BACKGROUND,
    SEEN,
    Frame,
    Prompt,
    RoutingMaps,
    Settings,
    Shape,
    Step,
    Subject,
    TraceRecorder,
    sides,
)
from anystory.story.shot import Shot
from anystory.story.size import Size

PROGRAM = "5"
"""Raised when the same shot, settings and seed would give another frame of the same painted place; the painter counts
its own changes (`scenery.PROGRAM`)."""

MAPS = 512
"""Longer side of a frame's maps at most. A map of each of 1024 x 1024 pixels says the same of three characters, and
makes an overlay take 0.3 s in place of 0.1 s, a frame's diagnosis 60 ms in place of 20 ms."""

ABOUT = Capabilities(
    name=STORYBOOK,
    version=f"{PROGRAM}.{scenery.PROGRAM}",
    defaults=Settings(Size.of(1024), steps=1, guidance=1.0),  # a frame takes one step; there is nothing to guide
    sizes=SIDES,
    max_subjects=12,
    languages=("English", "Chinese", "Spanish"),
    sketches=True,
    settings=("size", "seed"),  # the story's seed says what its places look like
)

TRACE = 64
"""Rows and columns of a square frame's trace; one of another shape has about as many fields."""

PREVIEW = 256
"""Longer side of a preview, about."""

FEW = 4
"""Frames from which on it is worth it to start other processes for them."""

_crewed = threading.Lock()
"""Held by the one story whose frames other processes make: those of each would take as much memory again."""


@dataclass(frozen=True)
class StorybookBackend:
    """Frames from what is read of a line (`Prompt.shot`) and the pictures of the cast. One frame depends on nothing but
    its own order: neither on the frames before it nor on the process that made it."""

    about: Capabilities = ABOUT
    batch: int = 1000  # a whole story: its frames are begun one after the other all the same

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        """Nothing falls off the end."""
        return ""

    def encode(self, subject: Subject) -> Cutout:
        """The first picture, ready to be put into a place. Raises BackendError where its mask selects nothing."""
        try:
            return prepare(subject)
        except ValueError as error:
            raise BackendError(said(error)) from error

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        """A trace has one layer: whose each place is while one after the other is put down."""
        scale = TRACE / settings.size.area**0.5
        return ((max(1, round(settings.size.height * scale)), max(1, round(settings.size.width * scale))),)

    def denoise(self, request: Request) -> Generator[Step, None, None]:
        """Put one frame together: a `Step` when its place is painted, one for everybody in it, and the last with the
        frame. `seed` says who stands how, the story's seed in `settings` what the places look like; the steering's
        layout says where. Raises BackendError for what is no such frame."""
        names, settings, seed = request.names, request.settings, request.seed
        shot = self._checked(request)
        whose, total, done = (*names, BACKGROUND), len(names) + 2, 0
        recorder, put = TraceRecorder(whose), set[str]()
        size, (traced,) = settings.size._asdict(), self.layer_shapes(settings)
        seeds = {"seed": seed, "story_seed": settings.seed}
        # Pictures are encoded once, whoever has them: two characters may share one, or one may have a new name.
        cutouts = [replace(cutout, name=name) for cutout, name in zip(request.cast, names, strict=True)]
        with closing(sketching(shot, cutouts, **size, **seeds, layout=request.steering.layout)) as coats:
            for number in itertools.count(1):
                coat = next(coats)
                recorder.add(number, [_sampled(coat.holders, traced)])
                put.add(coat.what)
                if coat.sketch is not None:
                    made, held = coat.sketch, _sampled(coat.holders, _fitted(coat.holders.shape))
                    break
                if 1 + len(put & set(names)) > done:
                    done = 1 + len(put & set(names))
                    yield Step(done, total, _preview(coat))
                del coat  # at the size of a printed page a hundred megabytes, not to be held while the next is made
        maps = (held == np.arange(len(whose), dtype=np.uint8)[:, None, None]).astype(np.float32)
        frame = Frame(made.image, RoutingMaps(whose, maps, SEEN), seed, recorder.trace(number), made.notes)
        yield Step(total, total, frame.image, frame)

    def denoise_batch(self, requests: Sequence[Request]) -> Generator[dict[int, Step], None, None]:
        """As `denoise`, in order; several of them in as many processes as there are cores, a single `Step` each, unless
        another story's frames are being made so."""
        if len(requests) >= FEW and CORES > 1 and _crewed.acquire(blocking=False):
            try:
                yield from self._by_crew(requests)
            finally:
                _crewed.release()
            return
        for place, request in enumerate(requests):
            with closing(self.denoise(request)) as steps:
                yield from ({place: step} for step in steps)

    def _by_crew(self, requests: Sequence[Request]) -> Iterator[dict[int, Step]]:
        """A few are always begun ahead, so that nobody waits for a frame to be written."""
        with Crew(self) as crew:
            begun = deque(crew.begin(request) for request in requests[: crew.size + 1])
            for place in range(len(requests)):
                frame = begun.popleft().result()
                begun.extend(crew.begin(request) for request in requests[place + crew.size + 1 :][:1])
                yield {place: Step(1, 1, frame.image, frame)}

    def _checked(self, request: Request) -> Shot:
        """What the frame shows."""
        about, count, size = self.about, len(request.names), request.settings.size
        if request.prompt.shot is None:
            raise BackendError(
                Message("{name} shows what is read of a line, and nobody read this one.", name=about.name)
            )
        if count > about.max_subjects:
            raise BackendError(
                Message(
                    "A frame takes at most {max_subjects} characters, this panel has {count}; leave some out.",
                    max_subjects=about.max_subjects,
                    count=count,
                )
            )
        if not size.within(about.sizes):
            raise BackendError(
                Message(
                    "The frame size is {size}; {name} draws {sizes}.",
                    size=size,
                    name=about.name,
                    sizes=sides(about.sizes),
                )
            )
        return request.prompt.shot


def _fitted(shape: tuple[int, ...]) -> Shape:
    """The rows and columns of maps for a picture of so many."""
    scale = min(1.0, MAPS / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _sampled(holders: np.ndarray, shape: Shape) -> np.ndarray:
    """Whose the middle of each of (rows, columns) fields is: uint8 of that shape."""
    rows, columns = (
        (np.arange(count) * 2 + 1) * side // (2 * count) for count, side in zip(shape, holders.shape, strict=True)
    )
    return holders[rows[:, None], columns]


def _preview(coat: Coat) -> Image.Image:
    return coat.picture.reduce(max(1, max(coat.holders.shape) // PREVIEW))
