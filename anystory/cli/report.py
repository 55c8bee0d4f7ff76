"""How a command tells what it does: sentences for a person, or with --json an object a line for a machine.

docs/program.md lists the events and their fields. `FORMAT` is raised when a field changes its meaning or goes; new
events and new fields may come at any time.
"""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from tqdm import tqdm

FORMAT = 1


class Report:
    """Sentences: results on stdout, notes and errors on stderr, a bar where there is a terminal. For a machine: all of
    it on stdout, one JSON object a line, the first `start`, the last `end`."""

    def __init__(self, command: str, machine: bool = False) -> None:
        self.machine = machine
        self._command = command

    def start(self) -> None:
        """The command begins."""
        self._event("start", format=FORMAT, command=self._command)

    def tell(self, event: str, words: str = "", stream: TextIO | None = None, **fields: Any) -> None:
        """An event with its fields; a person reads `words`, where there are any, on `stream` (None = stdout)."""
        self._event(event, **fields)
        if words and not self.machine:
            tqdm.write(words, file=stream)

    def note(self, sentence: str) -> None:
        """Something worth knowing that is no result."""
        self._event("note", message=sentence)
        if not self.machine:
            tqdm.write(f"anystory: {sentence}", file=sys.stderr)

    def agree(self, question: str) -> bool:
        """Whether a person at the terminal answers yes. Where there is none, and for a machine, nobody is asked."""
        if self.machine or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        print(f"anystory: {question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    def error(self, sentence: str, **fields: Any) -> None:
        """Why a command, or a part of it, was not done."""
        self._event("error", message=sentence, **fields)
        if not self.machine:
            tqdm.write(f"anystory: {sentence}", file=sys.stderr)

    def end(self, status: int) -> None:
        """The command exits with `status`."""
        self._event("end", exit=status)

    def bar(self, total: int, unit: str = "step", **how: Any) -> tqdm:
        """A bar of `total` units, where a person looks at a terminal."""
        return tqdm(total=total, unit=unit, disable=True if self.machine else None, **how)

    def _event(self, event: str, **fields: Any) -> None:
        if self.machine:
            print(json.dumps({"event": event, **fields}, ensure_ascii=False, default=str), flush=True)
