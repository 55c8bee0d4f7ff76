"""The command line: `python -m anystory COMMAND …`; docs/program.md has every command, event and exit status.

A mistake of the user's is one sentence on stderr and exit status 2, what failed though it was asked for rightly is 1;
Ctrl-C is 130 and keeps the finished frames.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from anystory.backends.load import hush
from anystory.cli.arguments import DELEGATED, parser
from anystory.cli.report import Report
from anystory.errors import AnyStoryError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = (_delegated if words and words[0] in DELEGATED else _run)(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read the output has gone; nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _delegated(words: Sequence[str]) -> int:
    name, *rest = words
    module, _ = DELEGATED[name]
    if find_spec(module.rpartition(".")[0]) is None:
        Report(name).error(f"{module} is not installed; take a checkout of AnyStory to {name}.")
        return AnyStoryError.status
    hush()
    return import_module(module).main(rest)


def _run(words: Sequence[str]) -> int:
    arguments = parser().parse_args(words)
    report = Report(arguments.name, arguments.json)
    try:
        status = arguments.command(arguments, report) or 0
    except AnyStoryError as error:
        report.error(str(error))
        status = error.status
    except KeyboardInterrupt:
        report.error("stopped; what was finished is kept, the same command goes on from there.")
        status = 130
    report.end(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
