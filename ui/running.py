"""Renders in the background, one a visitor, and the visitors themselves.

The page asks how its render stands as often as it can show the answer, and always gets the newest state: nothing queues
up for a slow browser, and a render goes on at the model's speed whoever looks.
"""

from __future__ import annotations

import contextvars
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import gradio as gr

from anystory import heap
from anystory.errors import AnyStoryError
from ui.limits import Allowance, LimitError, Limits, Shares
from ui.strings import SaidError
from ui.studio import Job, Moment, Shown, Studio
from ui.words import words

MAX_QUEUE = 32
"""Renders that may work or wait at a time."""

PAGES = MAX_QUEUE // 2
"""Those of them that may come from the pages of one address, where many people may sit."""

PROGRAMS = 4
"""Those that programs of one address may ask for."""

AWAY = 6 * 3600
"""Seconds after which nobody remembers a visitor who has gone."""


class RunError(SaidError):
    """The model or the machine failed."""


DONE, MAKING, WAITING, SKIPPED, FAILED, OPEN = "done", "making", "waiting", "skipped", "failed", "open"
"""How a panel stands; an open one was not asked for yet."""


class Run:
    """One render at work in a thread. `moment` is how it stands, `shown` the frames there are, None before the first
    is known: till then there are those of `before`, whose seeds, by their panels, are `seeds` for good. `ended` tells
    that there is nothing more to come and `error` why, None unless something went wrong;
    `told` is the strip as the page has it; a render that `makes_way` is stopped for another, which is shown then.
    `at_end` is called at the end."""

    def __init__(
        self,
        studio: Studio,
        job: Job,
        before: Sequence[Shown],
        allowance: Allowance,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.job = job
        self.before = tuple(before)
        self.seeds = {item.number: item.still.seed for item in before}
        self.moment = Moment("frames.waiting", waiting=job.wanted)
        self.shown: tuple[Shown, ...] | None = None
        self.error: Exception | None = None
        self.ended = False
        self.makes_way = False
        self.told = ""
        self._studio = studio
        self._allowance = allowance
        self._at_end = at_end
        self._stop = threading.Event()
        self._skip = threading.Event()
        # With the context of the request: what belongs to the visitor there (a Space's share of a GPU) still does here.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), name="render", daemon=True)
        self._thread.start()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """End after the step at work; finished frames stay."""
        self._stop.set()
        self._studio.turns.wake()

    def skip(self) -> None:
        """Leave out the rest of the panel at work."""
        self._skip.set()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    @property
    def coming(self) -> set[int]:
        """The numbers of the panels whose frames are still to be made."""
        moment = self.moment
        return set() if self.ended else {*moment.waiting, *([moment.panel] if moment.panel else [])}

    def state(self, number: int) -> str:
        """How panel `number` stands, one of the words above."""
        moment = self.moment
        if number == moment.panel and moment.part < 1 and not self.ended:
            return MAKING
        if any(item.number == number for item in self.shown or ()):
            return DONE
        if number == moment.panel and self.error is not None:
            return FAILED
        if number in moment.skipped:
            return SKIPPED
        return WAITING if number in moment.waiting and not self.ended else OPEN

    def _asked_to_skip(self) -> bool:
        asked = self._skip.is_set()
        self._skip.clear()
        return asked

    def _work(self) -> None:
        try:
            asked = self._studio.render(self.job, self.before, self._allowance, self._asked_to_skip)
            with closing(asked) as moments:
                for moment in moments:
                    if moment.shown is not None:
                        self.shown = moment.shown
                    self.moment = moment
                    if self.stopped:
                        break
        except AnyStoryError as error:
            self.error = error
        except Exception as error:  # of the model or the machine: memory, a driver, a disk that is full
            traceback.print_exc()
            self.error = RunError("frames.failed", reason=reason(error))
        finally:
            if self.shown is not None:
                self.before = ()  # this render stays until the visitor's next, and these would with it
            heap.give_back()
            self.ended = True
            self._at_end()


def reason(error: Exception) -> str:
    """What went wrong in a few words, without places on this machine."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip().split("\n")[0]
    return re.sub(r"(?<!\w)[/\\][\w./\\-]+", "…", said)[:160].strip(" .") or type(error).__name__


@dataclass
class Visitor:
    """Somebody with the page open: what they may still have, their render, how many frames they had `opened` when the
    last one was opened, and how many `looks` at the pages they have asked for."""

    allowance: Allowance
    run: Run | None = None
    opened: int = 0
    looks: int = 0
    seen: float = field(default_factory=time.monotonic)


class Visitors:
    """Everybody with the page open, by the name of their session, which only their browser knows."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.shares = Shares()
        self._known: dict[str | None, Visitor] = {}
        self._lock = threading.Lock()

    def __getitem__(self, session: str | None) -> Visitor:
        """The visitor of a session, known or new; None, of a request without one, is a visitor too."""
        with self._lock:
            now = time.monotonic()
            for other in [name for name, visitor in self._known.items() if now - visitor.seen > AWAY]:
                run = self._known[other].run
                if run is None or run.ended:
                    del self._known[other]
            visitor = self._known.setdefault(session, Visitor(Allowance(self._limits)))
            visitor.seen = now
            return visitor

    def refusal(self, request: gr.Request, files: Iterable[str]) -> str:
        """Why files that a visitor uploaded cannot be used, in their words; "" for those that can, which count."""
        try:
            self[request.session_hash].allowance.upload(files)
        except LimitError as error:
            return words(request)(error.key, **error.values)
        return ""

    def busy(self, session: str | None) -> bool:
        """Whether a render of the session is under way."""
        run = self[session].run
        return run is not None and not run.ended

    def leave(self, session: str | None) -> None:
        """The page of a session was closed: its render stops."""
        with self._lock:
            visitor = self._known.get(session)
        if visitor and visitor.run:
            visitor.run.stop()
