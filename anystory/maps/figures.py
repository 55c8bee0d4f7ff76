"""Pictures of all the routing there was: the paper's figure 4 and 5 of a frame, sheets of layers, an animation over the
steps, and a contact sheet of a story. From traces and frames alone; numpy and PIL only."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageColor

from anystory.errors import Message
from anystory.maps.diagnosis import diagnose
from anystory.maps.overlay import INK, PAPER, colours_of, overlay, sheet, trace_overlay, with_legend
from anystory.story.model import ATTENTION, Frame, Panel, RoutingMaps, RoutingTrace, Script, Shape
from anystory.typeset import LEADING, fit, measure, unwritable, write_block, write_line

EFFECTIVE, REST = (253, 231, 37), (68, 1, 84)
"""The paper's colours (the ends of viridis): where a subject is in effect, and where not."""

NOBODYS = "#d8d8d8"
"""The background in sheets of layers."""

COLUMNS = 8
"""Steps in a sheet unless others are asked for: the first, the last and even ones between."""

OPACITY = 0.65
"""Of the overlays, which lie on frames in grey, so that a colour means a subject and nothing else."""

LETTERS = 14
"""Height of letters in pixels."""

MAX_TITLE = 3
"""Lines that a story's title has on its contact sheet at most."""

MAX_PIXELS = 60_000_000
"""The largest sheet."""

STEP_MS, LAST_MS = 160, 1600
"""How long an animation shows a step, and the last one."""

ANIMATIONS = {".webp": "WEBP", ".gif": "GIF"}
"""What an animation can be written as, by the file's suffix."""


def some_steps(trace: RoutingTrace, most: int = COLUMNS) -> tuple[int, ...]:
    """At most `most` of the trace's steps, evenly spread, the first and the last among them."""
    picked = np.linspace(0, len(trace.steps) - 1, min(most, len(trace.steps)))
    return tuple(trace.steps[round(index)] for index in picked)


def figure(
    trace: RoutingTrace, kinds: Sequence[str] | None = None, steps: Sequence[int] | None = None, tile: int | None = None
) -> Image.Image:
    """The paper's figure 4: a row for each subject (the background, their complement, is left out), a column for each
    step, and in every field all layers, top to bottom, then left to right; yellow is where the subject is in effect.

    `kinds` None is all there are, coarse beside refined as in figure 5; `steps` None is `some_steps`; `tile` is a
    layer's longer side in pixels (None: what shows every token). RGB. Raises ValueError where there is nobody to
    show, for steps or kinds that are not there, and beyond `MAX_PIXELS`.
    """
    kinds, steps, names = kinds or trace.kinds, steps or some_steps(trace), trace.names[:-1]
    if not names:
        raise ValueError(Message("Nobody is in this frame, so there are no maps to show."))
    rows = math.ceil(math.sqrt(len(trace.shapes)))
    tile = tile or max(max(map(max, trace.shapes)), 128 // rows)
    size = _fitted(max(trace.shapes, key=lambda shape: shape[0] * shape[1]), tile)
    columns = math.ceil(len(trace.shapes) / rows)
    field = (columns * (size[0] + 1) - 1, rows * (size[1] + 1) - 1)

    def draw(row: int, step: int, kind: str) -> Image.Image:
        paper = Image.new("RGB", field, PAPER)
        for layer, shape in enumerate(trace.shapes):
            held = trace.holders(step, layer + 1, kind) == row
            pixels = np.where(held[..., None], np.array(EFFECTIVE, np.uint8), np.array(REST, np.uint8))
            place = layer // rows * (size[0] + 1), layer % rows * (size[1] + 1)
            paper.paste(Image.fromarray(pixels).resize(_fitted(shape, tile), Image.Resampling.NEAREST), place)
        return paper

    return _grid(list(names), steps, _heads(trace, kinds), trace.total, field, draw)


def layer_figure(
    trace: RoutingTrace,
    kinds: Sequence[str] | None = None,
    steps: Sequence[int] | None = None,
    tile: int | None = None,
    cast: Sequence[str] | None = None,
) -> Image.Image:
    """A row for each layer, a column for each step, every token in the colour of who holds it, and a legend. `cast`
    fixes the colours as in `anystory.maps.overlay.overlay`; the rest as in `figure`, also for a frame with nobody in
    it."""
    kinds, steps = kinds or trace.kinds, steps or some_steps(trace)
    palette = np.array([ImageColor.getrgb(fill) for fill in (*colours_of(trace.names[:-1], cast), NOBODYS)], np.uint8)
    tile = tile or max(48, *map(max, trace.shapes))
    field = _fitted(max(trace.shapes, key=lambda shape: shape[0] * shape[1]), tile)

    def draw(row: int, step: int, kind: str) -> Image.Image:
        pixels = palette[trace.holders(step, row + 1, kind)]
        return Image.fromarray(pixels).resize(field, Image.Resampling.NEAREST)

    labels = [f"{number}:  {h} x {w}" for number, (h, w) in enumerate(trace.shapes, 1)]
    drawn = _grid(labels, steps, _heads(trace, kinds), trace.total, field, draw)
    return with_legend(drawn, trace.names, cast, LETTERS) if len(trace.names) > 1 else drawn


def animation(
    image: Image.Image,
    trace: RoutingTrace,
    kinds: Sequence[str] | None = None,
    steps: Sequence[int] | None = None,
    layer: int | None = None,
    cast: Sequence[str] | None = None,
    side: int = 320,
) -> list[Image.Image]:
    """A picture for each step (None: all): the frame under who holds what in `layer` (from 1), or with no layer under
    the share of layers that say so; `kinds` side by side, each `side` pixels wide, and a legend. Errors as
    in `figure`."""
    kinds, steps = kinds or trace.kinds, steps or trace.steps
    frame = image.convert("L").resize((side, round(side * image.height / image.width)), Image.Resampling.LANCZOS)
    whole = f"{len(trace.shapes)} layers" if len(trace.shapes) > 1 else "one layer"
    what = Message("layer {layer} of {count}", layer=layer, count=len(trace.shapes)) if layer else whole
    pictures = []
    for step in steps:
        views = [trace_overlay(frame, trace, step, layer, kind, opacity=OPACITY, cast=cast) for kind in kinds]
        titles = [f"{kind}, {what}, step {step} of {trace.total}" for kind in kinds]
        pictures.append(with_legend(sheet(views, titles, columns=len(views), cell=side), trace.names, cast, LETTERS))
    return pictures


def animated(pictures: Sequence[Image.Image], suffix: str) -> bytes:
    """Pictures of one size as an endless animation, `suffix` one of `ANIMATIONS`. The same pictures, the same bytes."""
    buffer = io.BytesIO()
    durations = [STEP_MS] * (len(pictures) - 1) + [LAST_MS]
    how = {"quality": 90, "method": 4} if suffix == ".webp" else {"optimize": False}
    pictures[0].save(
        buffer, ANIMATIONS[suffix], save_all=True, append_images=pictures[1:], duration=durations, loop=0, **how
    )
    return buffer.getvalue()


def contact_sheet(script: Script, frames: Mapping[int, Frame], cell: int = 256) -> Image.Image:
    """A story at a glance: its title, for every panel (numbers from 1) the frame with its caption, or its prompt where
    there is none, beside the frame under its routing with who holds how much; the legend below, of the cast and of who
    else is in a frame made before. A panel without a frame stays empty. Raises ValueError without any frame."""
    if not frames:
        raise ValueError(Message("The story has no frame yet; render it first."))
    cast = _everybody(script, frames)
    empty = Image.new("RGB", (cell, cell), NOBODYS)
    pictures, captions = [], []
    for number, panel in enumerate(script.panels, 1):
        frame = frames.get(number)
        pictures += [frame.image, _tinted(frame, cast)] if frame else [empty, empty]
        made = ", ".join(filter(None, (frame.made, _held(frame.maps)))) if frame else "not rendered"
        captions += [f"{number}. {_caption(panel)}", made]
    drawn = with_legend(sheet(pictures, captions, columns=4, cell=cell), cast, cast, LETTERS)
    return _titled(drawn, script.title) if script.title else drawn


def unwritable_on_sheet(script: Script, frames: Mapping[int, Frame]) -> str:
    """A sentence on the letters of a contact sheet that the font lacks, as `anystory.typeset.unwritable`."""
    return unwritable(" ".join((script.title, *map(_caption, script.panels), *_everybody(script, frames))))


def _caption(panel: Panel) -> str:
    return panel.caption or panel.prompt


def _everybody(script: Script, frames: Mapping[int, Frame]) -> list[str]:
    """The cast, then who is in a frame made before and no longer of it."""
    seen = (name for frame in frames.values() for name in frame.maps.names[:-1])
    return list(dict.fromkeys((*(member.name for member in script.cast), *seen)))


def _grid(
    labels: Sequence[str],
    steps: Sequence[int],
    heads: Mapping[str, str],
    total: int,
    field: tuple[int, int],
    draw: Callable[[int, int, str], Image.Image],
) -> Image.Image:
    """Fields of `field` (width, height) in rows with labels and columns of steps, a block for each kind beside the
    other under its head. `draw` makes the field of a row (from 0), a step and a kind."""
    gap, line = 8, 20
    across, down = max(field[0], 56) + gap, max(field[1], line) + gap
    margin = 2 * gap + round(max(measure(label, LETTERS) for label in labels))
    block = len(steps) * across + 2 * gap
    width, height = margin + len(heads) * block, 2 * line + gap + len(labels) * down
    if width * height > MAX_PIXELS:
        raise ValueError(
            Message(
                "The sheet would be {width}×{height} px, more than {most} million pixels; ask for fewer steps or "
                "smaller tiles.",
                width=width,
                height=height,
                most=MAX_PIXELS // 1_000_000,
            )
        )
    paper = Image.new("RGB", (width, height), PAPER)
    for row, label in enumerate(labels):
        write_line(paper, label, LETTERS, (gap, 2 * line + gap + row * down + field[1] / 2), ink=INK)
    for part, kind in enumerate(heads):
        left = margin + part * block
        head = f"{heads[kind]}, {total} steps"
        head = head if measure(head, LETTERS) <= block - 2 * gap else heads[kind]
        write_line(paper, head, LETTERS, (left, line / 2 + gap / 2), ink=INK)
        for column, step in enumerate(steps):
            x = left + column * across
            write_line(paper, f"step {step}", LETTERS, (x, line * 3 / 2 + gap / 2), ink=INK)
            for row in range(len(labels)):
                paper.paste(draw(row, step, kind), (x, 2 * line + gap + row * down))
    return paper


def _heads(trace: RoutingTrace, kinds: Sequence[str]) -> dict[str, str]:
    """What the maps of each kind are called; those of a sketch, in its one layer, are nobody's routing."""
    return {kind: f"{kind.capitalize()} routing maps" if len(trace.shapes) > 1 else "Who is where" for kind in kinds}


def _fitted(shape: Shape, longer: int) -> tuple[int, int]:
    """(width, height) of a layer's picture whose longer side is `longer` pixels."""
    h, w = shape
    return max(1, round(w * longer / max(shape))), max(1, round(h * longer / max(shape)))


def _held(maps: RoutingMaps) -> str:
    """Who holds how much of a frame."""
    of = f" {maps.measure}" if maps.measure == ATTENTION else ""
    shares = zip(maps.names[:-1], diagnose(maps).shares, strict=False)
    return ", ".join(f"{name} {share:.{int(share < 0.1)}%}{of}" for name, share in shares)


def _tinted(frame: Frame, cast: Sequence[str]) -> Image.Image:
    return overlay(frame.image.convert("L"), frame.maps, opacity=OPACITY, cast=cast)


def _titled(image: Image.Image, title: str) -> Image.Image:
    """`image` with a title above, line for line."""
    size = max(14, image.width // 36)
    block = fit(title, image.width - size, MAX_TITLE * LEADING * size, size)
    high = round(block.height) + size
    both = Image.new("RGB", (image.width, image.height + high), PAPER)
    both.paste(image, (0, high))
    write_block(both, block, (size // 2, size / 2, image.width - size // 2, high), "start", INK)
    return both
