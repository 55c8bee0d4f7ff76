"""How a panel's routing is steered by hand: where its subjects are to be and how firmly, how strongly each is drawn in,
and when. numpy and PIL only.

A layout gives subjects, or the background, a place: a box, or paint. Paint is kept as a bitmap of `SIDE` x `SIDE` bits
over the whole frame, written as text, so that a script, a frame's PNG and an archive carry it as they carry words.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from anystory.errors import AnyStoryError, Message
from anystory.story import from_sketch
from anystory.story.from_sketch import FromSketch

SIDE = 64
"""Rows and columns of a painted place: as many as the tokens of a 1024 pixel frame, the largest trained for."""

PAINT = "paint:"
"""How the text of a painted place begins."""

NAMED = re.compile(rf"{PAINT}[0-9a-f]{{6,16}}")
"""The short name that a page gives to paint. It is none itself, and means something only there."""

STRENGTHS = {"eta": (0, 4), "gamma": (-10, 10)}
"""What a subject's own strengths may be."""

BEYOND = (-1.0, 2.0)
"""The least and the greatest number of a box: it may reach that far beyond the frame."""

TURN = 180
"""Degrees that somebody can be turned at most, to either side."""

DIGITS = 4
"""Decimals of a box that count: a tenth of a pixel of a 1024 pixel frame."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as shares of the frame's width and height, from its top left corner."""


class SteeringError(AnyStoryError, ValueError):
    """A panel cannot be steered like that. The message is one sentence for the user, `key` the panel's key in a script
    that is to be changed (of `anystory.script.form.STEERING_KEYS`)."""

    def __init__(self, sentence: str, key: str) -> None:
        super().__init__(sentence)
        self.key = key


@dataclass(frozen=True)
class Place:
    """Where one subject, or the background, is to be: `box`, or `paint` as `painted` writes it. Raises
    SteeringError for an empty place or one outside the frame."""

    name: str
    box: Box | None = None
    paint: str = ""

    def __post_init__(self) -> None:
        if (self.box is None) == (not self.paint):
            raise SteeringError(Message("The place of {name} must be a box or paint.", name=self.name), "layout")
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            low, high = BEYOND
            if not all(low <= value <= high for value in self.box) or x1 <= 0 or y1 <= 0 or x0 >= 1 or y0 >= 1:
                raise SteeringError(
                    Message(
                        "The box of {name} is {box}; its numbers x0 y0 x1 y1 must be from {low} to {high}, and "
                        "a part of it in the frame, which is 0 0 1 1.",
                        name=self.name,
                        box=_numbers(self.box),
                        low=f"{low:g}",
                        high=f"{high:g}",
                    ),
                    "layout",
                )
            if x0 >= x1 or y0 >= y1:
                raise SteeringError(
                    Message(
                        "The box of {name} is {box}, which is empty: x0 must be less than x1, and y0 less than y1.",
                        name=self.name,
                        box=_numbers(self.box),
                    ),
                    "layout",
                )
        elif not _bits(self).any():
            raise SteeringError(
                Message("The paint of {name} is empty; paint where {name} is to be, or delete it.", name=self.name),
                "layout",
            )

    def region(self) -> np.ndarray:
        """What share of each of `SIDE` x `SIDE` fields belongs to the place: float32 in [0, 1]."""
        if self.box is None:
            return _bits(self).astype(np.float32)
        x0, y0, x1, y1 = (value * SIDE for value in self.box)
        edges = np.arange(SIDE)
        columns, rows = (
            np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, 1) for low, high in ((x0, x1), (y0, y1))
        )
        return np.outer(rows, columns).astype(np.float32)


@dataclass(frozen=True)
class Layout:
    """Where those who have a place are to be. `strength` from 0 (not at all) to 1 (the maps are the layout); it acts at
    the steps numbered (from 0) int(steps * start + 0.5) up to, without, int(steps * end + 0.5). A sketch also heeds
    `flip`, the names of those whose picture is mirrored, and `turn`, by how many degrees others are turned clockwise
    about their middle; both are on top of what the sketch does by itself, whether or not they have a place."""

    places: tuple[Place, ...] = ()
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    flip: tuple[str, ...] = ()
    turn: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise SteeringError(
                Message(
                    "The strength of the layout is {strength}; it must be between 0 and 1.",
                    strength=f"{self.strength:g}",
                ),
                "layout_strength",
            )
        if not 0 <= self.start < self.end <= 1:
            raise SteeringError(
                Message(
                    "The layout's steps are {start} to {end}; the first must be less than the second, both as "
                    "shares from 0 to 1.",
                    start=f"{self.start:g}",
                    end=f"{self.end:g}",
                ),
                "layout_steps",
            )
        for name, degrees in self.turn:
            if not -TURN <= degrees <= TURN:
                raise SteeringError(
                    Message(
                        "The turn of {name} is {degrees}; it must be from -{most} to {most} degrees.",
                        name=name,
                        degrees=f"{degrees:g}",
                        most=TURN,
                    ),
                    "turn",
                )

    def regions(self, names: Sequence[str], seen: np.ndarray | None = None) -> np.ndarray | None:
        """Each of `names` and its place: float32 (names, SIDE, SIDE), zeros for who has none and may be wherever
        nobody's place is. `seen`, of the same form, has places for those whom the layout gives none. None where
        nothing is asked of them."""
        places = {place.name: place for place in self.places}
        if not self.strength or (seen is None and not places.keys() & set(names)):
            return None
        otherwise = np.zeros((len(names), SIDE, SIDE), np.float32) if seen is None else seen
        regions = [places[name].region() if name in places else otherwise[k] for k, name in enumerate(names)]
        return np.stack(regions) if any(region.any() for region in regions) else None


@dataclass(frozen=True)
class Steering:
    """What is asked of one panel's routing. The default asks nothing and changes no bit of a frame.

    `eta` and `gamma` are the strengths of single subjects in place of the settings', by name; `reference` the steps at
    which references are read, as shares like a layout's (None = the backend's own); `router` False lets every subject
    act everywhere, which shows what the routing is worth; `from_sketch` is what is taken of the panel's sketch (None =
    what the whole story says), for whose places the layout's strength and steps hold too.
    """

    layout: Layout = Layout()
    eta: tuple[tuple[str, float], ...] = ()
    gamma: tuple[tuple[str, float], ...] = ()
    reference: tuple[float, float] | None = None
    router: bool = True
    from_sketch: FromSketch | None = None

    def __post_init__(self) -> None:
        for key, (low, high) in STRENGTHS.items():
            for name, value in getattr(self, key):
                if not low <= value <= high:
                    raise SteeringError(
                        Message(
                            "The {key} of {name} is {value}; it must be between {low} and {high}.",
                            key=key,
                            name=name,
                            value=f"{value:g}",
                            low=low,
                            high=high,
                        ),
                        key,
                    )
        if self.reference is not None and not 0 <= self.reference[0] <= self.reference[1] <= 1:
            raise SteeringError(
                Message(
                    "The reference_steps are {steps}; the first must not be more than the second, both as "
                    "shares from 0 to 1.",
                    steps=_numbers(self.reference),
                ),
                "reference_steps",
            )

    def renamed(self, names: Mapping[str, str]) -> Steering:
        """The same for subjects that have other names, given by those they had."""
        places = tuple(replace(place, name=names.get(place.name, place.name)) for place in self.layout.places)
        eta, gamma = (
            tuple((names.get(name, name), value) for name, value in strengths) for strengths in (self.eta, self.gamma)
        )
        layout = self.layout
        flip = tuple(names.get(name, name) for name in layout.flip)
        turn = tuple((names.get(name, name), degrees) for name, degrees in layout.turn)
        return replace(self, layout=replace(layout, places=places, flip=flip, turn=turn), eta=eta, gamma=gamma)

    @property
    def routed(self) -> Steering:
        """What a model heeds of it that takes nothing of a sketch."""
        return replace(self, layout=replace(self.layout, flip=(), turn=()))

    def etas(self, names: Sequence[str], otherwise: float) -> tuple[float, ...]:
        """η of each of `names`."""
        return tuple(dict(self.eta).get(name, otherwise) for name in names)

    def gammas(self, names: Sequence[str], otherwise: float) -> tuple[float, ...]:
        """γ of each of `names`."""
        return tuple(dict(self.gamma).get(name, otherwise) for name in names)

    def asked(self, names: Sequence[str]) -> dict[str, Any]:
        """What of it a frame of `names` (the background last) depends on, as plain data for its key; empty for nothing.
        Names count by their order, as everywhere in a key."""
        data: dict[str, Any] = {}
        layout = self.layout
        if layout.regions(names) is not None:
            places = {place.name: place.box or place.paint for place in layout.places}
            data["layout"] = [places.get(name) for name in names]
            data["window"] = [layout.strength, layout.start, layout.end]
        data |= {"flip": [name in layout.flip for name in names]} if layout.flip else {}
        data |= {"turn": [dict(layout.turn).get(name, 0) for name in names]} if layout.turn else {}
        for key in STRENGTHS:
            values = [dict(getattr(self, key)).get(name) for name in names]
            data |= {key: values} if any(value is not None for value in values) else {}
        data |= {} if self.reference is None else {"reference": self.reference}
        return data if self.router else data | {"router": False}


UNSTEERED = Steering()


def painted(mask: Image.Image) -> str:
    """The text of a place that was painted on a picture of the whole frame, whatever its size: where it is light and
    opaque."""
    light = np.asarray(mask.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.BOX).convert("LA"), np.float32) / 255
    bits = np.packbits(light[..., 0] * light[..., 1] >= 0.5).tobytes()
    return PAINT + base64.b64encode(zlib.compress(bits, 9)).decode()


def _bits(place: Place) -> np.ndarray:
    """A painted place as bool (SIDE, SIDE)."""
    count = SIDE * SIDE // 8
    if NAMED.fullmatch(place.paint):
        sentence = Message(
            "{paint} of {name} is the paint of another story; paint it again, or open that story from its file.",
            paint=place.paint,
            name=place.name,
        )
        raise SteeringError(sentence, "layout")
    try:
        packed = base64.b64decode(place.paint.removeprefix(PAINT), validate=True)
        data = zlib.decompressobj().decompress(packed, count + 1)  # whoever wrote it, it grows no further
    except (binascii.Error, zlib.error):
        data = b""
    if not place.paint.startswith(PAINT) or len(data) != count:
        raise SteeringError(Message("The paint of {name} is damaged; paint it again.", name=place.name), "layout")
    return np.unpackbits(np.frombuffer(data, np.uint8)).reshape(SIDE, SIDE).astype(bool)


# --- text ---------------------------------------------------------------------------------------------------------


def read_layout(text: str) -> dict[str, Any]:
    """The words of `[layout: Mia 0 0.2 0.5 1; strength 0.8; steps 0 0.5]` as the keys of a panel: `layout`,
    `layout_strength` and `layout_steps`, each where it is said. Raises SteeringError for what is none of the three."""
    fields: dict[str, Any] = {"layout": {}}
    for part in filter(str.strip, re.split("[;；]", text)):
        name, values = _placed(part)
        paint = isinstance(values, str)
        if paint and name not in fields["layout"]:
            fields["layout"][name] = values
        elif name.casefold() == "strength" and len(values) == 1:
            fields["layout_strength"] = values[0]
        elif name.casefold() == "steps" and len(values) == 2:
            fields["layout_steps"] = values
        elif name in fields["layout"]:
            raise SteeringError(Message("{name} has two places in the layout; keep one.", name=name), "layout")
        else:
            fields["layout"][name] = values
    if not fields["layout"] and len(fields) == 1:
        sentence = Message("The layout places nobody; write a name and a box, as in [layout: Mia 0 0.2 0.5 1].")
        raise SteeringError(sentence, "layout")
    return fields


def _placed(part: str) -> tuple[str, str | list[str]]:
    """Words of a layout as a name and what is behind it: paint, or as many numbers as there are, up to 4. By words, as
    one pattern for all of it takes the cube of its length."""
    words = part.split()
    if words[-1].startswith(PAINT) and words[-1] != PAINT and (len(words) > 1 or part[0].isspace()):
        return part[: part.rindex(words[-1])].strip(), words[-1]
    numeric = itertools.takewhile(re.compile(r"[+-]?[\d.]+").fullmatch, reversed(words[-4:]))
    count = len(list(numeric))
    name = part.strip().rsplit(maxsplit=count)[0] if count < len(words) else ""
    return name, words[len(words) - count :]


def read_flip(text: str) -> list[str]:
    """The names of `[flip: Mia; Tom]`."""
    return [name for part in re.split("[;；,，]", text) if (name := part.strip())]


def read_strengths(text: str) -> dict[str, str]:
    """The words of `[eta: Mia 1.5; Tom 0.8]` as a mapping of names to what should be numbers."""
    parts = (part.strip().rsplit(maxsplit=1) for part in re.split("[;；]", text))
    return {words[0]: "".join(words[1:]) for words in parts if words}


def layout_fields(layout: Layout) -> dict[str, Any]:
    """The keys of a panel that say a layout; defaults are left out."""
    places = {place.name: place.paint if place.box is None else list(place.box) for place in layout.places}
    fields: dict[str, Any] = {"layout": places} if places else {}
    fields |= {"flip": list(layout.flip)} if layout.flip else {}
    fields |= {"turn": dict(layout.turn)} if layout.turn else {}
    if layout.strength != Layout.strength:
        fields["layout_strength"] = layout.strength
    if (layout.start, layout.end) != (Layout.start, Layout.end):
        fields["layout_steps"] = [layout.start, layout.end]
    return fields


def steering_fields(steering: Steering) -> dict[str, Any]:
    """The keys of a panel that say how it is steered; defaults are left out."""
    fields = layout_fields(steering.layout)
    fields |= {key: dict(getattr(steering, key)) for key in STRENGTHS if getattr(steering, key)}
    fields |= {} if steering.reference is None else {"reference_steps": list(steering.reference)}
    fields |= {} if steering.from_sketch is None else {from_sketch.KEY: str(steering.from_sketch)}
    return fields if steering.router else fields | {"router": False}


def steering_words(steering: Steering) -> str:
    """How a panel is steered, as a line of plain text says it: `[layout: …] [eta: …]` and so on, "" for nothing."""
    fields, said = steering_fields(steering), []
    places = fields.get("layout", {}).items()
    parts = [f"{name} {place if isinstance(place, str) else _numbers(place)}" for name, place in places]
    parts += [f"strength {fields['layout_strength']:g}"] if "layout_strength" in fields else []
    parts += [f"steps {_numbers(fields['layout_steps'])}"] if "layout_steps" in fields else []
    said += [f"[layout: {'; '.join(parts)}]"] if parts else []
    said += [f"[flip: {'; '.join(fields['flip'])}]"] if "flip" in fields else []
    for key in ("turn", *STRENGTHS):
        if key in fields:
            said.append(f"[{key}: {'; '.join(f'{name} {value:g}' for name, value in fields[key].items())}]")
    said += [f"[reference_steps: {_numbers(steering.reference)}]"] if steering.reference is not None else []
    said += [f"[{from_sketch.KEY}: {steering.from_sketch}]"] if steering.from_sketch is not None else []
    return " ".join(said if steering.router else [*said, "[router: false]"])


def numbers(value: Any, count: int, what: str) -> tuple[float, ...]:
    """`count` numbers of a script, given as a list or, if one, by itself. Raises ValueError with a sentence that says
    `what` they are."""
    given = list(value) if isinstance(value, list | tuple) else [value]
    try:
        read = tuple(round(float(number), DIGITS) for number in given if not isinstance(number, bool | Mapping))
    except (TypeError, ValueError, OverflowError):
        read = ()
    if len(read) != count or len(given) != count:
        shown = " ".join(map(str, given))[:60]
        wanted = Message("a number") if count == 1 else Message("{count} numbers", count=count)
        raise ValueError(Message("{what} must be {wanted}, not {shown}.", what=what, wanted=wanted, shown=repr(shown)))
    return read


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
