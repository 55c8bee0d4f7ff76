"""Routing maps made visible: frames tinted by who is where, legends, contact sheets. numpy and PIL only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from anystory.story.model import BACKGROUND, RoutingMaps, RoutingTrace
from anystory.typeset import LEADING, TextBlock, balanced, clipped, cut, measure, write_block, write_line

PALETTE = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Okabe and Ito's colours, told apart with every kind of colour vision (black left out: it hides the frame)."""

PAPER, INK = "white", "#222222"


def colour(index: int) -> str:
    """The colour of the `index`-th subject (from 0) as #rrggbb. The palette starts again after its last."""
    return PALETTE[index % len(PALETTE)]


def colours_of(names: Sequence[str], cast: Sequence[str] | None = None) -> list[str]:
    """The colour of each of `names` by its place in `cast` (None: among themselves). Who was in a frame and is no
    longer of the cast comes after it."""
    order = list(dict.fromkeys((*(cast or ()), *names)))
    return [colour(order.index(name)) for name in names]


def overlay(
    image: Image.Image,
    maps: RoutingMaps,
    names: Sequence[str] | None = None,
    opacity: float = 0.5,
    cast: Sequence[str] | None = None,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
) -> Image.Image:
    """Tint `image` by its routing maps: where a map is 1 the subject's colour covers with `opacity`
    (0 to 1), where it is less in proportion. The background is never tinted.

    `names` are the subjects to tint (None = all). `cast` fixes the colours, one per place: with the
    story's cast a character keeps its colour from frame to frame; None takes the frame's own order.
    `resample` brings the maps to the frame's size. Returns RGB of the frame's size. Raises ValueError for an
    opacity outside [0, 1].
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity is {opacity}; it must be between 0 and 1.")
    fills = colours_of(maps.names[:-1], cast)
    shown = [k for k, name in enumerate(maps.names[:-1]) if names is None or name in names]
    weights = opacity * maps.values[shown].astype(np.float32)
    colours = np.array([ImageColor.getrgb(fills[k]) for k in shown], np.float32).reshape(-1, 3)
    tint = np.tensordot(weights, colours, axes=(0, 0)).transpose(2, 0, 1)  # mixed while it is small
    fields = [
        np.asarray(Image.fromarray(np.ascontiguousarray(field)).resize(image.size, resample))
        for field in (weights.sum(axis=0), *tint)
    ]
    tinted = np.array(image.convert("RGB"), np.float32)
    tinted *= 1 - fields[0][..., None]
    tinted += np.stack(fields[1:], axis=-1)
    return Image.fromarray((tinted + 0.5).clip(0, 255).astype(np.uint8))


def trace_overlay(
    image: Image.Image,
    trace: RoutingTrace,
    step: int,
    layer: int | None = None,
    kind: str = "refined",
    names: Sequence[str] | None = None,
    opacity: float = 0.5,
    cast: Sequence[str] | None = None,
) -> Image.Image:
    """Tint `image` by who holds each token of `layer` (from 1) at `step` (from 1), the tokens as blocks; with no
    layer by the share of layers that give each place to each subject. The rest as in `overlay`, errors as in
    `RoutingTrace.holders` too. Nothing is rendered: made for a scrub over steps and layers."""
    resample = Image.Resampling.NEAREST if layer else Image.Resampling.BILINEAR
    return overlay(image, trace.votes(step, layer, kind), names, opacity, cast, resample)


def legend(names: Sequence[str], width: int = 512, cast: Sequence[str] | None = None, size: int = 16) -> Image.Image:
    """A strip of `width` pixels: a swatch and the name of each subject, wrapped into rows. `size` is the
    letters' height in pixels; `cast` fixes the colours as in `overlay`; the background gets no entry."""
    subjects = [name for name in names if name != BACKGROUND]
    gap = size // 2
    row, entries, x, y = 2 * size, [], gap, 0
    for name, fill in zip(subjects, colours_of(subjects, cast), strict=True):
        label = clipped(name, size, width - size - 3 * gap)
        step = size + gap + round(measure(label, size)) + 2 * gap
        if x > gap and x + step > width:
            x, y = gap, y + row
        entries.append((label, fill, x, y))
        x += step
    strip = Image.new("RGB", (width, y + row), PAPER)
    draw = ImageDraw.Draw(strip)
    for label, fill, left, top in entries:
        draw.rectangle((left, top + gap, left + size - 1, top + gap + size - 1), fill=fill, outline=INK)
        write_line(strip, label, size, (left + size + gap, top + size), ink=INK)
    return strip


def with_legend(
    image: Image.Image, names: Sequence[str], cast: Sequence[str] | None = None, size: int | None = None
) -> Image.Image:
    """`image` with the legend of `names` below it: same width, RGB. `size` None: letters as wide frames need."""
    strip = legend(names, image.width, cast, size or max(10, image.width // 32))
    both = Image.new("RGB", (image.width, image.height + strip.height), PAPER)
    both.paste(image)
    both.paste(strip, (0, image.height))
    return both


def sheet(
    images: Sequence[Image.Image], captions: Sequence[str] = (), columns: int = 4, cell: int = 256
) -> Image.Image:
    """A contact sheet: `images` in rows of at most `columns`, each fitted into `cell` x `cell` pixels (the rows as
    high as the highest needs), with its caption (two lines at most, cut to fit) below where there is one. Raises
    ValueError without any image."""
    if not images:
        raise ValueError("A contact sheet needs at least one frame.")
    columns = min(columns, len(images))
    gap = max(4, cell // 32)
    size = max(10, cell // 18)
    words = [_two_lines(caption, size, cell) for caption in captions[: len(images)]]
    line = round(max((block.height for block in words), default=0)) + gap if any(captions) else 0
    tall = max(_fit(image.size, cell)[1] for image in images)
    rows = -(-len(images) // columns)
    paper = Image.new("RGB", (columns * (cell + gap) + gap, rows * (tall + line + gap) + gap), PAPER)
    for k, image in enumerate(images):
        x, y = gap + k % columns * (cell + gap), gap + k // columns * (tall + line + gap)
        fitted = image.convert("RGB").resize(_fit(image.size, cell), Image.Resampling.LANCZOS)
        paper.paste(fitted, (x + (cell - fitted.width) // 2, y + (tall - fitted.height) // 2))
        if k < len(words):
            write_block(paper, words[k], (x, y + tall + gap / 2, x + cell, y + tall + line), "middle", INK)
    return paper


def _two_lines(text: str, size: int, width: float) -> TextBlock:
    """A caption on two lines of `width` pixels at most."""
    block = cut(text, width, 2 * LEADING * size, size)
    return block if block.cut else TextBlock(tuple(balanced(text, size, width)), size)


def _fit(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """The largest size of the same shape within a square of `cell` pixels."""
    scale = cell / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
