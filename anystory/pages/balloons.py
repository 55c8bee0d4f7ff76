"""Captions and dialogue lettered into a picture or under it, in balloons that keep off the characters.

The routing maps say where everybody is: a balloon stands where nobody does, and its tail points at the head of who
speaks. Text is wrapped, made smaller within bounds, and at last cut with an ellipsis and a warning; it never overflows
(`anystory.typeset`). Balloons stand in reading order, of right-to-left text mirrored. numpy and PIL only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw

from anystory.errors import AnyStoryError, Message
from anystory.fonts import checked, using
from anystory.story.model import Line, Panel, RoutingMaps
from anystory.typeset import (
    FINE,
    FIRST_STRONG_ISOLATE,
    INK,
    LEADING,
    MIN_SIZE,
    PAPER,
    POP_ISOLATE,
    Box,
    SetLine,
    TextBlock,
    backward,
    balanced,
    cut,
    fit,
    isolated,
    longest_piece,
    right_to_left,
    set_block,
    sizes,
    unwritable,
    wrap,
    write,
)

CAPTIONS = ("box", "below", "none")
DIALOGUES = ("balloons", "below", "none")
DIRECTIONS = ("", "ltr", "rtl")
NOTE = (255, 248, 220)

CROWDED = 0.3
"""The share of a balloon that may lie on characters before a smaller size is tried."""
GRID = 48
"""Places a balloon is tried at, along the picture's longer side."""

Point = tuple[float, float]


class LetteringError(AnyStoryError, ValueError):
    """A picture cannot be lettered as asked. The message is one sentence for the user."""


@dataclass(frozen=True)
class Lettering:
    """Where words go: `captions` one of `CAPTIONS`, `dialogue` one of `DIALOGUES`; which way balloons and panels follow
    each other, of `DIRECTIONS`, "" = as the words run; the file of a font of one's own, "" for none. Raises
    LetteringError or FontError for others."""

    captions: str = "box"
    dialogue: str = "balloons"
    direction: str = ""
    font: str = ""

    def __post_init__(self) -> None:
        for what, value, known in (("captions", self.captions, CAPTIONS), ("dialogue", self.dialogue, DIALOGUES)):
            if value not in known:
                raise LetteringError(
                    Message(
                        "There is no way {way} to letter {what}; the ways are {known}.",
                        way=repr(value),
                        what=what,
                        known=", ".join(known),
                    )
                )
        if self.direction not in DIRECTIONS:
            raise LetteringError(
                Message(
                    "There is no direction {direction}; pages run ltr, from left to right, or rtl.",
                    direction=repr(self.direction),
                )
            )
        if self.font:
            object.__setattr__(self, "font", checked(self.font))

    def backwards(self, text: str) -> bool:
        """Whether what has these words in it is read from right to left."""
        return self.direction == "rtl" if self.direction else backward(text)


@dataclass(frozen=True)
class Lettered:
    """A lettered picture: what is to be seen without letters (RGB), the `boxes` of the lettering, captions first, a
    sentence for whatever of the text did not fit or cannot be written, and the words in their places."""

    picture: Image.Image
    boxes: tuple[Box, ...] = ()
    warnings: tuple[str, ...] = ()
    words: tuple[SetLine, ...] = field(default=(), repr=False)

    @cached_property
    def image(self) -> Image.Image:
        """The picture with the words in it."""
        written = self.picture.copy()
        write(written, self.words)
        return written


@dataclass(frozen=True)
class Speaker:
    """A character in the picture: `head` is the middle of its upper part, `top` its highest point, in pixels."""

    head: Point
    top: Point


def letter(
    image: Image.Image, panel: Panel, maps: RoutingMaps | None = None, how: Lettering | None = None, size: int = 0
) -> Lettered:
    """Letter a panel's caption and dialogue into `image`, and what goes below into a strip that makes it longer.

    `maps` are the frame's routing maps, of any resolution; without them tails are left out and speakers are named, as
    they are where a speaker is not in the picture. `size` is the em in pixels (0 = by the picture's size).
    """
    how = how or Lettering()
    size = size or proper_size(image.size)
    below = strip(panel, image.width, image.height, how, size)
    inside = into(image, panel, maps, how, size)
    if below is None:
        return inside
    high = image.height
    both = Image.new("RGB", (image.width, high + below.picture.height), PAPER)
    both.paste(inside.picture)
    both.paste(below.picture, (0, high))
    moved = tuple((left, top + high, right, bottom + high) for left, top, right, bottom in below.boxes)
    warnings = tuple(dict.fromkeys((*inside.warnings, *below.warnings)))
    return Lettered(
        both, (*inside.boxes, *moved), warnings, (*inside.words, *(line.moved(0, high) for line in below.words))
    )


def proper_size(size: tuple[int, int]) -> int:
    """The em in pixels that suits a picture of (width, height)."""
    return max(MIN_SIZE, round((size[0] * size[1]) ** 0.5 / 24))


# --- below the picture --------------------------------------------------------------------------------------------


def strip(panel: Panel, width: int, most: int, how: Lettering, size: int) -> Lettered | None:
    """The strip under a picture with what goes below: `width` pixels wide, at most `most` high. None for nothing."""
    words = told(panel, how)
    if not words:
        return None
    with using(how.font):
        return _strip(words, width, most, size)


def told(panel: Panel, how: Lettering) -> list[str]:
    """What of a panel's words goes below its picture."""
    words = [panel.caption] if how.captions == "below" and panel.caption else []
    return words + [_spoken(line) for line in panel.dialogue if how.dialogue == "below"]


def _strip(words: Sequence[str], width: int, most: int, size: int) -> Lettered:
    margin = round(size * 0.6)
    room = max(width - 2 * margin, size)
    for em in sizes(size):
        blocks = [TextBlock(tuple(wrap(text, em, room)), em) for text in words]
        if sum(block.height for block in blocks) + 2 * margin <= most:
            break
    warnings = [warning for text in words if (warning := unwritable(text))]
    left = most - 2 * margin
    placed: list[TextBlock] = []
    for text, block in zip(words, blocks, strict=True):
        if left < LEADING * em:
            warnings.append(Message("The words {words} found no room below the picture.", words=_start(text)))
            continue
        if block.height > left or block.width > room:
            block = cut(text, room, left, em)
            warnings.append(
                Message(
                    "The words {words} are too long for the strip below the picture and were cut.", words=_start(text)
                )
            )
        placed.append(block)
        left -= block.height
    high = round(sum(block.height for block in placed)) + 2 * margin
    image = Image.new("RGB", (width, min(high, most)), PAPER)
    y, boxes, lines = float(margin), [], list[SetLine]()
    for block in placed:
        boxes.append((margin, y, margin + room, y + block.height))
        lines += set_block(block, boxes[-1], "start")
        y += block.height
    return Lettered(image, tuple(boxes), tuple(warnings), tuple(lines))


def _spoken(line: Line) -> str:
    """A line of dialogue with who says it; the words keep their direction after a name in another script."""
    alike = right_to_left(line.who) == backward(line.say)
    return f"{line.who if alike else isolated(line.who)}: {line.say}"


def _start(text: str) -> str:
    words = " ".join(text.split()).replace(FIRST_STRONG_ISOLATE, "").replace(POP_ISOLATE, "")
    return f"“{words if len(words) <= 24 else words[:23] + '…'}”"


# --- into the picture ---------------------------------------------------------------------------------------------


def into(image: Image.Image, panel: Panel, maps: RoutingMaps | None, how: Lettering, size: int) -> Lettered:
    """The picture with a caption box and balloons in it."""
    picture = image.convert("RGB")
    room = _Room(picture.size, maps)
    made = Lettered(picture)
    with using(how.font):
        if how.captions == "box" and panel.caption:
            made = _caption(made, panel.caption, room, size, how)
        if how.dialogue == "balloons" and panel.dialogue:
            made = _dialogue(made, panel.dialogue, room, size, how)
    return replace(made, warnings=tuple(dict.fromkeys(made.warnings)))


class _Room:
    """What is where in a picture of `size`: a raster of how much it would hurt to be covered, and the figures."""

    def __init__(self, size: tuple[int, int], maps: RoutingMaps | None) -> None:
        self.size = size
        step = max(size) / GRID
        self.shape = max(1, round(size[1] / step)), max(1, round(size[0] / step))
        self.figures: dict[str, Speaker] = {}
        hurt = np.zeros(self.shape)
        if maps is not None:
            for name, body in zip(maps.names, maps.located((self.shape[1], self.shape[0])), strict=False):
                if body.any():
                    hurt[body] = np.maximum(hurt[body], 1)
                    self.figures[name], head = self._figure(body)
                    hurt[head] = 3
            spread = np.pad(hurt, 1)
            near = np.maximum.reduce([spread[1 + y : y - 1 or None, 1:-1] for y in (-1, 0, 1)])
            hurt = np.maximum(hurt, 0.5 * (near > 0))  # a little air above heads
        self._summed = np.pad(hurt, ((1, 0), (1, 0))).cumsum(0).cumsum(1)

    def _figure(self, body: np.ndarray) -> tuple[Speaker, np.ndarray]:
        """A figure and the raster of its head: the upper third of the body, stray tokens left out."""
        rows = body.sum(axis=1)
        filled = np.flatnonzero(rows.cumsum() > 0.03 * rows.sum())
        top = filled[0]
        bottom = np.flatnonzero(rows.cumsum() >= 0.97 * rows.sum())[0]
        band = body.copy()
        band[: max(0, top - 1)] = False
        band[top + max(1, round((bottom - top + 1) / 3)) :] = False
        ys, xs = np.nonzero(band)
        upper = xs[ys <= ys.min() + 1]
        return Speaker(self._pixel(xs.mean(), ys.mean()), self._pixel(float(np.median(upper)), ys.min() - 0.5)), band

    def _pixel(self, x: float, y: float) -> Point:
        return (x + 0.5) * self.size[0] / self.shape[1], (y + 0.5) * self.size[1] / self.shape[0]

    def hurt(self, boxes: np.ndarray) -> np.ndarray:
        """How much of each box (n, 4) lies on figures: 0 none, 1 all on bodies, 3 all on heads."""
        scale = np.array([self.shape[1] / self.size[0], self.shape[0] / self.size[1]] * 2)
        edges = boxes * scale
        left, top = np.floor(edges[:, :2] + 1e-6).astype(int).T
        right, bottom = np.ceil(edges[:, 2:] - 1e-6).astype(int).T
        top, bottom = np.clip(top, 0, self.shape[0]), np.clip(bottom, 0, self.shape[0])
        left, right = np.clip(left, 0, self.shape[1]), np.clip(right, 0, self.shape[1])
        s = self._summed
        return (s[bottom, right] - s[top, right] - s[bottom, left] + s[top, left]) / np.maximum(
            (bottom - top) * (right - left), 1
        )


def _caption(made: Lettered, text: str, room: _Room, size: int, how: Lettering) -> Lettered:
    """The picture with the caption's box, at the top or, where it hides less, at the bottom."""
    image, (width, height) = made.picture, made.picture.size
    edge, across, down = _edge(size), 0.6 * size, 0.35 * size
    block = fit(text, width - 2 * across - 4 * edge, height * 0.4 - 2 * down, size)
    wide, high = block.width + 2 * across, block.height + 2 * down
    left = width - 2 * edge - wide if how.backwards(text) else 2 * edge
    places = np.array([(left, y, left + wide, y + high) for y in (2 * edge, height - 2 * edge - high)])
    box: Box = tuple(places[np.argmin(room.hurt(places) + np.array([0, 0.15]))].tolist())
    ImageDraw.Draw(image).rectangle(tuple(round(v) for v in box), fill=NOTE, outline=INK, width=edge)
    words = set_block(block, (box[0] + across, box[1] + down, box[2] - across, box[3] - down), "start")
    return Lettered(image, (box,), tuple(_told(text, block, Message("caption"))), tuple(words))


def _edge(size: int) -> int:
    """The width of outlines."""
    return max(1, round(size / 11))


def _told(text: str, block: TextBlock, what: str) -> list[str]:
    """Sentences on what of a text is not seen as it is written."""
    warnings = [warning] if (warning := unwritable(text)) else []
    if block.cut:
        cut = Message(
            "The {what} {words} is too long for its place and was cut; shorten it.", what=what, words=_start(text)
        )
        warnings.insert(0, cut)
    return warnings


@dataclass(frozen=True)
class _Balloon:
    text: str
    block: TextBlock
    box: Box
    target: Speaker | None
    cost: float
    strain: float
    """How badly it stands: what it hides, and 2 and more where the order or a tail misleads. `cost` has taste in it."""

    @property
    def centre(self) -> Point:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


def _dialogue(made: Lettered, lines: Sequence[Line], room: _Room, size: int, how: Lettering) -> Lettered:
    """The picture with a balloon for each line, all in one size: the largest in which they stand well, or the best
    there is. They keep off the boxes that are there."""
    best: list[_Balloon] = []
    for em in sizes(size):
        placed = _arranged(lines, room, made.boxes, em, how)
        if not best or _merit(placed) > _merit(best):
            best = placed
        if len(placed) == len(lines) and all(b.strain < CROWDED and not b.block.cut for b in placed):
            break
    words, warnings = list(made.words), list(made.warnings)
    for balloon in best:
        _draw_balloon(made.picture, balloon)
    for balloon in best:
        _paint(made.picture, balloon, 0, PAPER, [])  # over whatever tails of others came to lie in it
        left, top, right, bottom = balloon.box
        words += set_block(balloon.block, (left, top + 0.45 * balloon.block.size, right, bottom), "middle")
        warnings += _told(balloon.text, balloon.block, Message("line"))
    if any(balloon.strain >= 1 for balloon in best):
        warnings.append(
            Message("The dialogue is crowded and may mislead; set it below the picture, or split the panel.")
        )
    if len(best) < len(lines):
        warnings.append(
            Message(
                "{lost} of {count} lines of dialogue found no room in the picture; set them below.",
                lost=len(lines) - len(best),
                count=len(lines),
            )
        )
    boxes = (*made.boxes, *(balloon.box for balloon in best))
    return Lettered(made.picture, boxes, tuple(warnings), tuple(words))


def _merit(balloons: Sequence[_Balloon]) -> tuple[int, int, float]:
    """For ordering arrangements: how many stand, how many of them whole, how little they strain, in visible steps."""
    whole = sum(not balloon.block.cut for balloon in balloons)
    return len(balloons), whole, -round(5 * sum(balloon.strain for balloon in balloons))


def _arranged(lines: Sequence[Line], room: _Room, taken: Sequence[Box], size: int, how: Lettering) -> list[_Balloon]:
    """Balloons in an em of `size`, one after the other each in its best place; it ends with the first that has none."""
    placed: list[_Balloon] = []
    for number, line in enumerate(lines, 1):
        figure = room.figures.get(line.who)
        text = line.say if figure else _spoken(line)
        upward = 0.25 if number == len(lines) else 1.2  # those to come need room below
        choices = [
            choice
            for block in _shapes(text, room.size, size)
            if (choice := _placed(text, block, figure, room, taken, placed, upward, how.backwards(text)))
        ]
        if not choices:
            break
        placed.append(min(choices, key=lambda balloon: balloon.cost))
    return placed


def _shapes(text: str, size: tuple[int, int], em: int) -> Iterator[TextBlock]:
    """The text in blocks of several widths."""
    seen = set()
    longest = longest_piece(text, em)
    for part in (0.3, 0.42, 0.56, 0.75, 0.9):
        width, height = part * size[0] - 1.8 * em, 0.42 * size[1] - em
        if part < 0.9 and longest > width:
            continue
        block = TextBlock(tuple(wrap(text, em, width)), em)
        if block.height <= height and block.width <= width:
            block = TextBlock(tuple(balanced(text, em, width)), em)
        elif part < 0.9:
            continue
        else:
            block = cut(text, width, height, em)
        if block.lines not in seen:
            seen.add(block.lines)
            yield block


def _placed(
    text: str,
    block: TextBlock,
    figure: Speaker | None,
    room: _Room,
    taken: Sequence[Box],
    placed: Sequence[_Balloon],
    upward: float,
    backwards: bool,
) -> _Balloon | None:
    """The balloon at its best place; None where it cannot stand without lying on others or beyond the picture."""
    em, (width, height) = block.size, room.size
    wide, high = block.width + 1.5 * em, block.height + 0.9 * em
    gap = 0.4 * em
    xs = np.linspace(gap, width - gap - wide, GRID // 2) if wide + 2 * gap <= width else np.array([])
    ys = np.linspace(gap, height - gap - high, GRID // 2) if high + 2 * gap <= height else np.array([])
    left, top = (axis.ravel() for axis in np.meshgrid(xs, ys))
    boxes = np.stack([left, top, left + wide, top + high], axis=1)
    for other in (*taken, *(balloon.box for balloon in placed)):
        boxes = boxes[_apart(boxes, other, gap)]
    if not len(boxes):
        return None
    strain = room.hurt(boxes)
    for other in placed:
        strain += 4.0 * _out_of_order(boxes, other.box, backwards)
        if other.target:
            strain += 2.0 * _on_way(boxes + gap * np.array([-1, -1, 1, 1]), other)
    taste = upward * boxes[:, 1] / height
    taste += 0.04 * len(block.lines) + 0.15 * max(0.0, high / wide - 1) + 0.03 * max(0.0, wide / high - 4)
    if figure:
        away = np.hypot(*(np.clip(p, boxes[:, k], boxes[:, k + 2]) - p for k, p in enumerate(figure.top)))
        middle = (boxes[:, 0] + boxes[:, 2]) / 2
        taste += 0.9 * away / np.hypot(width, height) + 0.5 * (boxes[:, 3] > figure.head[1])
        taste += 0.3 * abs(middle - figure.top[0]) / width
        for other in room.figures.values():
            taste += 0.25 * (abs(middle - other.top[0]) < abs(middle - figure.top[0]) - em)  # it would seem to speak
        centre = np.stack([middle, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)
        for other in placed:
            strain += 2.0 * _through(centre, figure.top, other.box)
            if other.target and other.target != figure:
                strain += 0.7 * _cross(centre, figure.top, other.centre, other.target.top)
    cost = strain + taste
    index = int(cost.argmin())
    return _Balloon(text, block, tuple(boxes[index].tolist()), figure, float(cost[index]), float(strain[index]))


def _through(starts: np.ndarray, end: Point, box: Box) -> np.ndarray:
    """Whether the way from each start (n, 2) to `end` leads through a box."""
    ways = starts[:, None] + np.linspace(0, 1, 16)[:, None] * (np.array(end) - starts)[:, None]
    within = (ways >= np.array(box[:2])) & (ways <= np.array(box[2:]))
    return within.all(axis=2).any(axis=1)


def _on_way(boxes: np.ndarray, other: _Balloon) -> np.ndarray:
    """Whether a box lies on the way from a balloon to who speaks it, if anybody in the frame does."""
    if other.target is None:
        return np.zeros(len(boxes), bool)
    ahead = np.array(other.target.top) - np.array(other.centre)
    way = np.array(other.centre) + np.linspace(0, 1, 24)[:, None] * ahead
    within = (way >= boxes[:, None, :2]) & (way <= boxes[:, None, 2:])
    return within.all(axis=2).any(axis=1)


def _cross(starts: np.ndarray, end: Point, begin: Point, target: Point) -> np.ndarray:
    """Whether the way from each start (n, 2) to `end` crosses the one from `begin` to `target`."""

    def side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        (ab_x, ab_y), (ac_x, ac_y) = (np.moveaxis(np.asarray(p - a), -1, 0) for p in (b, c))
        return np.sign(ab_x * ac_y - ab_y * ac_x)

    ends, begins, targets = np.array(end), np.array(begin), np.array(target)
    return (side(starts, ends, begins) * side(starts, ends, targets) < 0) & (
        side(begins, targets, starts) * side(begins, targets, ends) < 0
    )


def _apart(boxes: np.ndarray, other: Box, gap: float) -> np.ndarray:
    return (
        (boxes[:, 0] >= other[2] + gap)
        | (boxes[:, 2] <= other[0] - gap)
        | (boxes[:, 1] >= other[3] + gap)
        | (boxes[:, 3] <= other[1] - gap)
    )


def _out_of_order(boxes: np.ndarray, earlier: Box, backwards: bool) -> np.ndarray:
    """Whether a box would be read before an earlier one: it must begin below that, or beside it and not above it."""
    beside = boxes[:, 2] <= earlier[0] if backwards else boxes[:, 0] >= earlier[2]
    below = boxes[:, 1] >= earlier[3]
    return ~(below | (beside & (boxes[:, 1] >= earlier[1] - 1)))


def _draw_balloon(image: Image.Image, balloon: _Balloon) -> None:
    """Draw the balloon with its tail, empty."""
    edge = _edge(balloon.block.size)
    tail = _tail(balloon)
    for grow, colour in ((edge, INK), (0, PAPER)):
        _paint(image, balloon, grow, colour, tail)


def _paint(image: Image.Image, balloon: _Balloon, grow: int, colour: tuple[int, int, int], tail: list[Point]) -> None:
    """Fill the shape of a balloon and its tail, `grow` pixels larger all round."""
    em, box = balloon.block.size, balloon.box
    points = [*tail, box[:2], box[2:]]
    left, top = (max(0, int(min(p[k] for p in points) - grow - 2)) for k in (0, 1))
    right, bottom = (min(image.size[k], int(max(p[k] for p in points) + grow + 3)) for k in (0, 1))

    def fine(*values: float) -> list[float]:
        return [(value - (left, top)[k % 2]) * FINE for k, value in enumerate(values)]

    mask = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE))
    draw = ImageDraw.Draw(mask)
    radius = min(1.1 * em, (box[3] - box[1]) / 2) + grow
    draw.rounded_rectangle(fine(box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow), radius * FINE, fill=255)
    if tail:
        outline = [tuple(fine(*point)) for point in tail]
        draw.polygon(outline, fill=255)
        if grow:
            draw.line([*outline, outline[0]], fill=255, width=2 * grow * FINE, joint="curve")
    image.paste(colour, (left, top), mask.reduce(FINE))


def _tail(balloon: _Balloon) -> list[Point]:
    """The corners of the tail, from within the balloon to near the head of who speaks; none for who is not here."""
    em, (left, top, right, bottom) = balloon.block.size, balloon.box
    figure = balloon.target
    if figure is None:
        return []
    # Up to the top of a head from above it; from beside or below towards its middle, not over the face.
    above = bottom <= figure.top[1]
    aim = figure.top if above else figure.head
    inner = min(1.1 * em, (bottom - top) / 2)
    x = min(max(aim[0], left + inner), max(right - inner, left + inner))
    y = min(max(aim[1], top + inner), max(bottom - inner, top + inner))
    dx, dy = aim[0] - x, aim[1] - y
    length = (dx**2 + dy**2) ** 0.5 or 1.0
    dx, dy = dx / length, dy / length
    reach = min(max(length - 0.4 * em, inner + 0.5 * em), inner + (6 if above else 2.5) * em)
    half = 0.36 * em
    return [(x - dy * half, y + dx * half), (x + dx * reach, y + dy * reach), (x + dy * half, y - dx * half)]
