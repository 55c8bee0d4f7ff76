"""Ideas to start from: short stories that work with any cast (ideas.yaml in this folder)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from anystory.supplies import read_yaml

SLOT = re.compile(r"<(\d|all)>")


@dataclass(frozen=True)
class Idea:
    """A story for at least `cast` characters: `lines` are panels in plain text, with <1>, <2> … for the characters in
    order and <all> for everybody."""

    title: str
    lines: tuple[str, ...]

    @property
    def key(self) -> str:
        """The key of the title in the languages of the page (strings.yaml)."""
        return f"idea.{self.title.lower().replace(' ', '-')}"

    @property
    def cast(self) -> int:
        """How many characters it takes at least."""
        return max((int(slot) for line in self.lines for slot in SLOT.findall(line) if slot != "all"), default=1)

    def script(self, names: Sequence[str]) -> str:
        """The panels as plain text with these names in them. Raises ValueError for fewer names than `cast`."""
        if len(names) < self.cast:
            raise ValueError(f"{self.title} takes {self.cast} characters, not {len(names)}.")

        def name(match: re.Match[str]) -> str:
            return _and(names) if match[1] == "all" else names[int(match[1]) - 1]

        return "\n".join(SLOT.sub(name, line) for line in self.lines)


@cache
def ideas() -> tuple[Idea, ...]:
    """All ideas, in the order of a menu."""
    data = read_yaml(Path(__file__).with_name("ideas.yaml"), as_text=True)
    return tuple(Idea(title, tuple(lines)) for title, lines in data.items())


def ideas_for(count: int) -> tuple[Idea, ...]:
    """Those for a cast of `count` characters, the ones that use most of them first; for nobody yet, as for one."""
    fitting = [idea for idea in ideas() if idea.cast <= max(count, 1)]
    return tuple(sorted(fitting, key=lambda idea: -idea.cast))


def _and(names: Sequence[str]) -> str:
    """At most three names: more do not fit into a frame."""
    *front, last = names[:3]
    return f"{', '.join(front)} and {last}" if front else last
