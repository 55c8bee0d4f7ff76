"""Paint in the script's text: the box has a short name for each, as `paint:1f3a9c`, and everything behind it, what is
kept and what goes out too, has the whole, so that it says all by itself.

A name is taken out of and put into whatever travels between the box and the server. It means something on the page that
it is from; elsewhere it is a finding.
"""

from __future__ import annotations

import hashlib
import re
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr

from anystory.story.steering import NAMED, PAINT

WHOLE = re.compile(rf"{PAINT}[A-Za-z0-9+/]{{20,}}=*")
"""Paint as a script has it."""

NAME = re.compile(rf"{NAMED.pattern}(?![A-Za-z0-9+/=])")

ANY = re.compile(rf"{PAINT}[A-Za-z0-9+/=]+")

SHORTEST, LONGEST = 6, 16
"""Digits of a name: as few as tell the page's paint apart."""

MOST = 5000
"""Names that a page has; what comes after those is shown whole."""


class Paints:
    """The paint of one page, by its names."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def short(self, text: str) -> str:
        """The text with names in place of paint."""
        return WHOLE.sub(lambda found: self._name(found[0]), text)

    def whole(self, text: str) -> str:
        """The text with the paint of the names that are known."""
        return NAME.sub(lambda found: self._known.get(found[0], found[0]), text)

    def _name(self, paint: str) -> str:
        digest = hashlib.sha256(paint.encode()).hexdigest()
        for digits in range(SHORTEST, LONGEST + 1):
            name = f"{PAINT}{digest[:digits]}"
            if self._known.get(name) == paint:
                return name
            if name not in self._known and len(self._known) < MOST:
                self._known[name] = paint
                return name
        return paint


NOTHING = Paints(), "", ""

_asked: ContextVar[tuple[Paints, str, str]] = ContextVar("asked", default=NOTHING)
"""Of the event that is answered: the page's paint, and a text as it is and as it stands in the box."""


def short(text: str) -> str:
    """The text as the box has it that an event came with, or as it would have another one."""
    paints, whole, box = _asked.get()
    return box if text == whole else paints.short(text)


def in_box(place: int) -> int:
    """Where in the box a place of the text is that an event came with."""
    _, whole, box = _asked.get()
    return _moved(place, whole, box)


def in_text(place: int) -> int:
    """Where in the text a place of the box is."""
    _, whole, box = _asked.get()
    return _moved(place, box, whole)


def _moved(place: int, one: str, other: str) -> int:
    """The place in `other` of a place in `one`, where only paint is longer or shorter. Inside paint it is its end."""
    if one == other:
        return place
    by = 0
    for here, there in zip(ANY.finditer(one), ANY.finditer(other), strict=False):
        if here.end() > place:
            return there.end() if here.start() < place else place + by
        by = there.end() - here.end()
    return place + by


def wire(page: gr.Blocks, box: gr.Textbox) -> None:
    """What comes from the box has its paint, and what goes there has names."""
    pages = WeakKeyDictionary[Any, Paints]()
    blocks: Any = page
    comes, goes = page.preprocess_data, page.postprocess_data

    async def preprocess(block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False) -> Any:
        if state is not None:
            paints = pages.setdefault(state, Paints())
            _asked.set((paints, "", ""))
            inputs = list(inputs)
            for index, block in enumerate(block_fn.inputs):
                if block._id == box._id and isinstance(said := inputs[index], str):
                    inputs[index] = paints.whole(said)
                    _asked.set((paints, inputs[index], said))
        return await comes(block_fn, inputs, state, explicit_call)

    async def postprocess(block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        answer = await goes(block_fn, predictions, state)
        if state is not None:
            paints = pages.setdefault(state, Paints())
            for index, block in enumerate(block_fn.outputs):
                if block._id == box._id and isinstance(answer[index], str):
                    answer[index] = paints.short(answer[index])
        return answer

    blocks.preprocess_data, blocks.postprocess_data = preprocess, postprocess
