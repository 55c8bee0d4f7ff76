"""Frames by many: a Ray cluster, here or elsewhere, as one backend that makes several frames at a time.

Every worker is a Ray actor with the model loaded once, on a GPU of its own or, where the cluster has none, on a share
of the CPUs. The story stays with whoever asks: requests go out and steps come back, so frames are written, resumed and
tried again as on one machine. A character is encoded by one worker and read by all from Ray's object store. When a
worker dies its frame is given to the next that is free, from the start: the same frame. It is replaced when needed.

Ray is an extra: `pip install "ray>=2.60,<3"`. It and AnyStory with its requirements must be on every machine.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pickle
import queue
import re
import socket
import threading
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anystory.backends.base import Backend, BackendError, Request
from anystory.backends.load import load
from anystory.errors import AnyStoryError
from anystory.story.capabilities import Capabilities
from anystory.story.model import Prompt, Settings, Shape, Step, Subject
from anystory.supplies import HOME

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle

INSTALL = 'pip install "ray>=2.60,<3"'

PLACE_SECONDS = 180
"""How long a worker may take to find its GPU or CPUs and start, before its model is loaded."""
MAX_DEATHS = 3
"""Workers that one frame may cost before it is given up."""
MEMORY = 2e9
"""Bytes of memory that a CPU worker is expected to take where nobody says how many there are to be."""
NOBODY = (-1, 0, None)
"""What lies among the free workers when there will be none any more."""


class ClusterError(BackendError):
    """A cluster lost its workers, or they do not fit together. The message is one sentence for the user."""

    status = 1


@dataclass(frozen=True)
class Facts:
    """What a worker tells of its backend and of itself."""

    about: Capabilities
    host: str


class Worker:
    """One model in a process of its own: the actor. `how` are the arguments of `anystory.backends.load.load`."""

    def __init__(self) -> None:
        self._backend: Backend | None = None
        self._said: list[str] = []
        self._stopped: set[str] = set()

    def pid(self) -> int:
        """Its process, once it has a place."""
        return os.getpid()

    def open(self, how: Mapping[str, Any]) -> tuple[Facts, list[str]]:
        """Load the model; returns what it is and what is to be told of it."""
        self._backend = backend = load(**how, tell=self._said.append)
        return Facts(backend.about, socket.gethostname()), self._told()

    def _loaded(self) -> Backend:
        if self._backend is None:
            raise ClusterError("This worker has no model yet; open it first.")
        return self._backend

    def ask(self, method: str, *arguments: Any) -> Any:
        """`unread` or `layer_shapes` of the backend."""
        return getattr(self._loaded(), method)(*arguments)

    def encode(self, subject: Subject) -> bytes:
        """A subject's encoding, pickled: whoever passes it on needs no torch. Only `denoise` reads it again: it comes
        from a worker of this cluster, never from a file or a person."""
        return pickle.dumps(self._loaded().encode(subject))

    def denoise(self, job: str, request: Request, *cast: bytes) -> Iterator[Step | list[str]]:
        """The steps of a frame, and what is to be told meanwhile. The request comes without its cast."""
        steps = self._loaded().denoise(replace(request, cast=tuple(pickle.loads(data) for data in cast)))
        try:
            for step in steps:
                if told := self._told():
                    yield told
                yield step
                if job in self._stopped:
                    break
        finally:
            self._stopped.discard(job)
            steps.close()

    def stop(self, job: str) -> None:
        """End a frame after the step it is at."""
        self._stopped.add(job)

    def _told(self) -> list[str]:
        told, self._said[:] = [*self._said], []
        return told


@dataclass
class Slot:
    """A place for a worker: empty before it is first needed, and where one has died."""

    number: int
    actor: ActorHandle | None = None


class _DiedError(Exception):
    """A worker is gone, or does not come."""


class Cluster:
    """The workers of a Ray cluster as one backend. Up to `workers` frames are made at a time, in as many threads that
    ask for them; a worker's model is loaded when it is first needed. A context manager; `close` gives everything back.
    """

    def __init__(
        self,
        address: str = "local",
        workers: int | None = None,
        *,
        tell: Callable[[str], None] = lambda _: None,
        **how: Any,
    ) -> None:
        """Find a cluster and load the first model.

        `address`: `local` starts a cluster on this machine, `auto` finds the one that runs here, HOST:PORT one
        elsewhere. `workers` None is one for every GPU or, where there is none, one for every CPU core as far as the
        memory goes. `tell` and `how` are as in `anystory.backends.load.load`; a model's folder must be on every
        machine. Raises BackendError for a cluster that is not there and a model that cannot be loaded, ClusterError
        where no worker can be had.
        """
        if how.get("device") not in (None, "cpu"):
            raise BackendError(f"Ray gives every worker its GPU: say nothing or cpu in place of {how['device']!r}.")
        if how.get("model") is not None:
            how["model"] = Path(how["model"]).resolve()
        self._how, self._tell, self._told = how, tell, set[str]()
        self._ray, self._joined = _joined(address)
        self._slots: list[Slot] = []
        self._lost, self._counting = 0, threading.Lock()
        self._free: queue.PriorityQueue[tuple[int, int, Slot | None]] = queue.PriorityQueue()
        self._facts: Facts | None = None
        try:
            machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
            self.workers, self._needs = shares(machines, workers, how.get("device"))
            self._slots = [Slot(number) for number in range(1, self.workers + 1)]
            for slot in self._slots:
                self._give(slot)
            self._give(self._take())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the workers, and the cluster if it was started here."""
        for slot in self._slots:
            self._bury(slot)
        if self._joined:
            self._ray.shutdown()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def about(self) -> Capabilities:
        """What the workers tell of their backend; the first one is there before anybody can ask."""
        if self._facts is None:
            raise ClusterError("No worker of this cluster has told yet what it is; join it first.")
        return self._facts.about

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        return self._ask("ask", "unread", prompt, pictures)

    def layer_shapes(self, settings: Settings) -> tuple[Shape, ...]:
        return self._ask("ask", "layer_shapes", settings)

    def encode(self, subject: Subject) -> ObjectRef:
        """Encode a subject by a free worker; what comes back lies in the object store, owned by this process."""
        return self._ray.put(self._ask("encode", subject))

    def denoise(self, request: Request) -> Generator[Step, None, None]:
        """A frame by the next free worker, and the next if that one dies; no step is told twice."""
        done = 0
        for _ in range(MAX_DEATHS):
            slot = self._take()
            try:
                for step in self._steps(slot, request):
                    if step.index > done:
                        done = step.index
                        yield step
                return
            except _DiedError:
                self._tell(f"Worker {slot.number} died; its frame is given to another.")
            finally:
                self._give(slot)
        raise ClusterError(f"A frame was given up: {MAX_DEATHS} workers died of it; their memory may be too short.")

    def pids(self) -> list[int]:
        """The processes of the workers whose model is loaded."""
        return [self._ray.get(slot.actor.pid.remote()) for slot in self._slots if slot.actor]

    def _ask(self, method: str, *arguments: Any) -> Any:
        for _ in range(MAX_DEATHS):
            slot = self._take()
            try:
                return self._got(slot, getattr(slot.actor, method).remote(*arguments))
            except _DiedError:
                continue
            finally:
                self._give(slot)
        raise ClusterError(f"{MAX_DEATHS} workers died one after the other; their memory may be too short.")

    def _steps(self, slot: Slot, request: Request) -> Iterator[Step]:
        job = uuid.uuid4().hex
        alone = replace(request, cast=())  # encodings travel as references, which Ray looks for among the arguments
        actor: Any = slot.actor
        stream = actor.denoise.options(num_returns="streaming").remote(job, alone, *request.cast)
        try:
            for ref in stream:
                item = self._got(slot, ref)
                if isinstance(item, Step):
                    yield item
                else:
                    self._say(item)
        except GeneratorExit:
            actor.stop.remote(job)
            with contextlib.suppress(self._ray.exceptions.RayError):
                for _ in stream:
                    pass
            raise

    def _got(self, slot: Slot, ref: ObjectRef) -> Any:
        """What a worker answers; what it raises is raised here."""
        try:
            return self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, AnyStoryError):
                raise error.cause from None
            raise
        except self._ray.exceptions.RayError as error:
            self._bury(slot)
            raise _DiedError from error

    def _take(self) -> Slot:
        """A free worker with its model loaded, one that has it already before one that has not."""
        while True:
            _, _, slot = self._free.get()
            if slot is None:
                self._free.put(NOBODY)
                raise ClusterError("The cluster has no workers left; what is finished is kept, run the command again.")
            try:
                if slot.actor is None:
                    self._open(slot)
                return slot
            except _DiedError:
                with self._counting:
                    self._lost += 1
                    left = len(self._slots) - self._lost
                self._tell(f"Worker {slot.number} could not be started; {left} of {self.workers} are left.")
                if not left:
                    self._free.put(NOBODY)
            except BaseException:
                self._bury(slot)
                self._give(slot)
                raise

    def _give(self, slot: Slot) -> None:
        self._free.put((slot.actor is None, slot.number, slot))

    def _open(self, slot: Slot) -> None:
        slot.actor = self._ray.remote(Worker).options(max_concurrency=2, **self._needs).remote()
        placed, _ = self._ray.wait([slot.actor.pid.remote()], timeout=PLACE_SECONDS)
        if not placed:
            self._bury(slot)
            raise _DiedError
        facts, told = self._got(slot, slot.actor.open.remote(self._how))
        self._say(told)
        self._facts = self._facts or facts
        here, first = facts.about, self._facts.about
        if here.version != first.version:
            raise ClusterError(
                f"The machines of the cluster do not agree: {facts.host} has {here.name} {here.version}, "
                f"{self._facts.host} has {first.version}; give all the same AnyStory, libraries and weights."
            )

    def _bury(self, slot: Slot) -> None:
        if slot.actor is not None:
            self._ray.kill(slot.actor)
            slot.actor = None

    def _say(self, sentences: Sequence[str]) -> None:
        """Tell what workers say; what all of them say only once."""
        for sentence in sentences:
            if sentence not in self._told:
                self._told.add(sentence)
                self._tell(sentence)


def _joined(address: str) -> tuple[Any, bool]:
    """The module `ray`, connected, and whether that was done here: a program may be connected already."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise BackendError(f"Ray is not installed; install it with: {INSTALL}") from error
    _reach(address)
    if ray.is_initialized():
        return ray, False
    here = str(HOME)
    try:
        ray.init(
            address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}},
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        reason = re.split(r"\.\s|\n", str(error).strip())[0].rstrip(".")
        raise BackendError(f"There is not a Ray cluster to be had at {address!r}: {reason}.") from error
    return ray, True


def _reach(address: str) -> None:
    """Refuse what is no address and where nobody answers: Ray itself would try for minutes."""
    if address in ("local", "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise BackendError(f"{address!r} is not a Ray cluster; say local, auto, or HOST:PORT of the cluster's head.")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise BackendError(
            f"Nobody answers at {address!r}; say local, auto, or HOST:PORT of a cluster's head."
        ) from error


def shares(
    machines: Sequence[Mapping[str, float]], workers: int | None, device: str | None = None
) -> tuple[int, dict[str, Any]]:
    """How many workers there are to be, and what each takes of the cluster, as an actor's options. `machines` are what
    each has: GPU, CPU, memory in bytes.

    CPU workers get the most threads of which so many fit on the machines, or `OMP_NUM_THREADS`: with the same number
    of threads the same frames come out, bit for bit. Raises BackendError for more workers than GPUs.
    """
    gpus = int(sum(machine.get("GPU", 0) for machine in machines))
    if gpus and device != "cpu":
        if workers and workers > gpus:
            raise BackendError(f"There are {gpus} GPUs in the cluster and {workers} workers asked for; ask for fewer.")
        return workers or gpus, {"num_gpus": 1, "num_cpus": 0}
    cores = [int(machine.get("CPU", 0)) for machine in machines]
    memory = sum(machine.get("memory", 0) for machine in machines)
    count = workers or max(1, min(sum(cores), int(memory // MEMORY)))
    threads = next((t for t in range(max(cores), 0, -1) if sum(c // t for c in cores) >= count), 1)
    share = threads if sum(cores) >= count else math.floor(100 * sum(cores) / count) / 100
    given = os.environ.get("OMP_NUM_THREADS", "")
    variables = {"OMP_NUM_THREADS": given if given.isdecimal() else str(threads)}
    return count, {"num_cpus": share, "runtime_env": {"env_vars": variables}}
