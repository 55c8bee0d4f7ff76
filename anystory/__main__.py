"""The command line: `python -m anystory COMMAND …`; docs/program.md has every command, event and exit status.

A mistake of the user's is one sentence on stderr and exit status 2, what failed though it was asked for rightly is 1;
Ctrl-C is 130 and SIGTERM 143, and both keep the finished frames. What a command needs is imported inside: Ctrl-C counts
from the start.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

STOPPED = "stopped; what was finished is kept, the same command goes on from there."


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    try:
        from anystory.cli.arguments import DELEGATED

        with _ended_by_sigterm():
            status = (_delegated if words and words[0] in DELEGATED else _run)(words)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as stop:
        return _told(f"anystory: {STOPPED}", _status(stop))
    except BrokenPipeError:  # whoever read the output has gone; nobody is left to tell
        return _told("", 1)
    except OSError as error:
        what = f"{error.filename} cannot be used" if error.filename else "The output cannot be written"
        return _told(f"anystory: {what} ({error.strerror or error}); give it another place.", 2)


def _open_streams() -> None:
    """Somewhere to write for who was started without, and no character that cannot be written."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for as long as it runs
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Inside the first SIGTERM is an exception; further ones do not disturb what is done about it."""
    import signal
    import threading

    def end(*_: object) -> NoReturn:
        signal.signal(signal.SIGTERM, lambda *_: None)
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _status(stop: KeyboardInterrupt) -> int:
    return 143 if isinstance(stop, Terminated) else 130


def _told(sentence: str, status: int) -> int:
    """The status, after a sentence; what could not be written to stdout is dropped, or Python would try again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if sentence:
        with suppress(OSError):
            print(sentence, file=sys.stderr)
    return status


def _delegated(words: Sequence[str]) -> int:
    from importlib import import_module
    from importlib.util import find_spec

    from anystory.backends.load import hush
    from anystory.cli.arguments import DELEGATED
    from anystory.cli.report import Report
    from anystory.errors import AnyStoryError

    name, *rest = words
    module, _ = DELEGATED[name]
    if find_spec(module.rpartition(".")[0]) is None:
        Report(name).error(f"{module} is not installed; take a checkout of AnyStory to {name}.")
        return AnyStoryError.status
    hush()
    return import_module(module).main(rest)


def _run(words: Sequence[str]) -> int:
    from anystory.cli.arguments import parser
    from anystory.cli.report import Report
    from anystory.errors import AnyStoryError

    arguments = parser().parse_args(words)
    report = Report(arguments.name, arguments.json)
    try:
        report.start()
        status = arguments.command(arguments, report) or 0
    except AnyStoryError as error:
        report.error(str(error))
        status = error.status
    except KeyboardInterrupt as stop:
        report.error(STOPPED)
        status = _status(stop)
    report.end(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
