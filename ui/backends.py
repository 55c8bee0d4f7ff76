"""The backends that the app offers, each loaded when somebody first asks for it. Safe for threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from anystory.backends.base import BACKENDS, NEEDS, Backend, BackendError, DownloadError
from anystory.backends.load import release
from anystory.errors import Message

LOOK = 0.5
"""Seconds after which whoever waits for a backend looks up: it may have something to tell, or be told to stop."""


class Backends:
    """The backends of one app by their names, in the order in which they are offered. The first is loaded at once.

    `loaders` load them; `told` holds what each says meanwhile, `agreed` the names of those whose weights may be
    downloaded, to which the loaders look; None where that is not for visitors to say. They are loaded in the
    background. Of those that need a GPU one is in memory at a time: it goes before the next is loaded, once nobody is
    `using` it, and stays where `ask`, which takes a name, raises BackendError for weights that are not here.
    """

    def __init__(
        self,
        loaders: Mapping[str, Callable[[], Backend]],
        told: Mapping[str, Sequence[str]] | None = None,
        agreed: set[str] | None = None,
        ask: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._loaders = dict(loaders)
        self._told = told or {}
        self._agreed, self._ask = agreed, ask
        self._loading: dict[str, Future[Backend]] = {}
        self._users = Counter[str]()
        self._changed = threading.Condition()
        self._alone = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._beside = ThreadPoolExecutor(thread_name_prefix="load")  # who is small does not wait for a download
        self._begin(self.first)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._loaders)

    @property
    def first(self) -> str:
        """The one that draws where nobody chose another."""
        return next(iter(self._loaders))

    def told(self, name: str) -> Sequence[Message]:
        """What a backend says of how it is loaded and of its memory."""
        return [*map(Message.of, self._told.get(name, ()))]

    def saying(self, name: str) -> Message:
        """The last that a backend said of itself, or nothing."""
        return next(reversed(self.told(name)), Message.of(""))

    @property
    def asks(self) -> bool:
        """Whether a visitor may have weights downloaded."""
        return self._agreed is not None

    def agree(self, name: str) -> None:
        """Let the weights of a backend be downloaded where they are not here, from the next try on. Where visitors may
        not say so nothing changes."""
        if self._agreed is not None:
            self._agreed.add(name)

    def loaded(self, name: str) -> Backend | None:
        """A backend that is in memory; None while it is not."""
        future = self._loading.get(name)
        return future.result() if future and future.done() and not future.exception() else None

    def __getitem__(self, name: str) -> Backend:
        """A backend; waits for it. Raises BackendError where it is not offered or cannot be had."""
        return self._begin(name).result()

    def maker(self, name: str, chosen: str) -> str:
        """Who makes a frame of the backend `name` anew: that one if it is in memory, else the one `chosen`."""
        return name if self.loaded(name) else chosen

    def arriving(self, name: str, again: bool = False) -> Iterator[None]:
        """Load a backend, yielding now and then until it is there or cannot be had, which is told by who asks for it
        next; `again` gives one that could not be had another try. Raises BackendError where it is not offered."""
        future = self._begin(name, again)
        while not future.done():
            yield
            wait([future], LOOK)
            if future.done() and isinstance(future.exception(), DownloadError) and name in (self._agreed or ()):
                future = self._begin(name, again=True)  # somebody agreed after it was asked for

    @contextmanager
    def using(self, name: str) -> Iterator[Backend]:
        """A backend, which stays in memory inside. Raises BackendError as `[]` does."""
        while True:
            backend = self[name]
            with self._changed:
                if self.loaded(name) is backend:  # or another took its place since
                    self._users[name] += 1
                    break
        try:
            yield backend
        finally:
            del backend  # before another needs its memory
            with self._changed:
                self._users[name] -= 1
                self._changed.notify_all()

    def _begin(self, name: str, again: bool = False) -> Future[Backend]:
        """The backend as it will be."""
        with self._changed:
            if name not in self._loaders:
                offered = ", ".join(self.names)
                raise BackendError(
                    Message("There is no backend {name}; choose one of: {backends}.", name=repr(name), backends=offered)
                )
            future = self._loading.get(name)
            if future is None or (again and future.done() and future.exception()):
                pool = self._alone if _large(name) else self._beside
                future = self._loading[name] = pool.submit(self._load, name)
            return future

    def _load(self, name: str) -> Backend:
        away = [other for other in self.names if _large(name) and _large(other) and other != name]
        if any(map(self.loaded, away)):
            self._ask(name)
        with self._changed:
            gone = [other for other in away if other in self._loading and self._loading[other].done()]
            for other in gone:
                del self._loading[other]
            self._changed.wait_for(lambda: not any(self._users[other] for other in gone))
        if gone:
            release()
        return self._loaders[name]()


def named(text: str) -> tuple[str, ...]:
    """Backends by their names in a text, separated by commas, or none. Raises ValueError with a sentence."""
    given = () if text == "none" else tuple(name.strip() for name in text.split(","))
    for name in given:
        if name not in BACKENDS:
            raise ValueError(f"{name!r} is no backend; choose of {', '.join(BACKENDS)}, separated by commas, or none")
    return given


def _large(name: str) -> bool:
    return name in NEEDS and NEEDS[name].gpu > 0
