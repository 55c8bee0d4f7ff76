"""Folders for temporary files that a running app marks as its own, and finds again when a crash has left them.

    anystory-RANDOM/.anystory        the folder's name: a copy, or a folder of somebody else's, is not the app's
    anystory-RANDOM/.anystory.lock   locked for as long as the app runs; the system lets go of it however that ends

No clock has a say in what is removed.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from filelock import BaseFileLock, FileLock, Timeout

PREFIX = "anystory-"
"""How the folders' names begin."""

MARKER = ".anystory"


class Scratch:
    """A new folder at `path`, which goes with the app: on `close`, at the end of a `with`, or when the program ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)
        self._lock = _lock(self.path)
        with suppress(OSError, NotImplementedError):  # where files cannot be locked it is never marked, and stays
            self._lock.acquire()
            (self.path / MARKER).write_text(self.path.name, encoding="utf-8")

    def close(self) -> None:
        self._lock.release()
        self._folder.cleanup()

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def forget(folder: Path) -> None:
    """Remove the temporary folders in `folder` whose apps have ended without doing so, and nothing else."""
    for old in folder.glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError, NotImplementedError, Timeout):
            if old.is_symlink() or (old / MARKER).read_text(encoding="utf-8") != old.name:
                continue
            with _lock(old).acquire(timeout=0):
                pass  # nobody runs in it, and nobody begins to in a folder that is there
            shutil.rmtree(old, ignore_errors=True)


def _lock(folder: Path) -> BaseFileLock:
    return FileLock(folder / f"{MARKER}.lock", thread_local=False)
