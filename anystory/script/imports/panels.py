"""What the readers of other programs' scripts share: panels collected with their places, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from anystory.script.escapes import literal
from anystory.script.form import MAX_CAST, MAX_PANELS, MAX_TEXT, LeftOut, Parsed, Span, Where
from anystory.story.names import folded, visible
from anystory.story.prompt import find_names


class Panels:
    """A script of another program as our data, in the making."""

    def __init__(self, source: str, known: Sequence[str] = ()) -> None:
        self.source = source
        self.data: dict[str, Any] = {"cast": [], "panels": []}
        # The panels as a whole have a place: whoever edits one makes plain text of them all first.
        self.spans: dict[Where, Span] = {("panels",): (0, len(source))}
        self.left_out: list[LeftOut] = []
        self._seen: list[tuple[str, Sequence[str]]] = []
        self._names = {folded(name): name for name in known}

    def set(self, key: str, value: str, span: Span) -> None:
        self.data[key] = value
        self.spans[key,] = span

    def introduce(self, name: str, span: Span, description: str = "") -> str:
        """Add somebody to the cast who is not in it. Returns the name as the cast has it."""
        shown = visible(re.sub(r"[\[\],，#]", " ", name))
        if folded(shown) not in self._names:
            self._names[folded(shown)] = shown
            self.spans["cast", len(self.data["cast"])] = span
            self.data["cast"].append({"name": shown, "description": description})
        return self._names[folded(shown)]

    def add(self, span: Span, seen: str, there: Sequence[str], **fields: Any) -> None:
        """Add a panel. `seen` are the words of its prompt that may name who is in it, `there` those who are besides."""
        self.spans["panels", len(self.data["panels"])] = span
        fields |= {key: literal(fields[key]) for key in ("prompt", "caption")}
        for line in fields["dialogue"]:
            if isinstance(line, dict):
                line["say"] = literal(line["say"])
        self.data["panels"].append({key: value for key, value in fields.items() if value not in ("", None, [])})
        self._seen.append((seen, there))

    def leave_out(self, span: Span, why: str) -> None:
        self.left_out.append(LeftOut(span, why))

    def parsed(self) -> Parsed:
        """The whole. It is told who is in a panel where its prompt alone tells otherwise."""
        few = len(self._seen) <= MAX_PANELS and len(self._names) <= MAX_CAST  # more are refused anyway
        for panel, (seen, there) in zip(self.data["panels"], self._seen, strict=True) if few else ():
            prompt = panel.get("prompt", "")
            if len(prompt) > MAX_TEXT:  # and so is a longer one
                continue
            named, all_named = (_named(words, self._names.values()) for words in (seen, prompt))
            if {*named, *there} != {*all_named}:
                panel["cast"] = list(dict.fromkeys([*named, *there]))
        return Parsed(self.source, self.data, self.spans, left_out=tuple(self.left_out))


def _named(words: str, names: Iterable[str]) -> list[str]:
    return [mention.name for mention in find_names(words, names)]


def sentence(parts: Iterable[str]) -> str:
    """Parts of a picture's description as one: the first as it is, what is told besides after commas."""
    kept = [" ".join(part.split()).strip() for part in parts]
    kept = [part for part in kept if part]
    return ", ".join([*(part.rstrip(" .。,;") for part in kept[:-1]), *kept[-1:]])
