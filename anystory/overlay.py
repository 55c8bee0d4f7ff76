"""Routing maps made visible: frames tinted by who is where, legends, contact sheets. numpy and PIL only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from anystory.story import BACKGROUND, RoutingMaps

PALETTE = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Okabe and Ito's colours, told apart with every kind of colour vision (black left out: it hides the frame)."""

PAPER, INK = "white", "#222222"


def colour(index: int) -> str:
    """The colour of the `index`-th subject (from 0) as #rrggbb. The palette starts again after its last."""
    return PALETTE[index % len(PALETTE)]


def overlay(
    image: Image.Image,
    maps: RoutingMaps,
    names: Sequence[str] | None = None,
    opacity: float = 0.5,
    cast: Sequence[str] | None = None,
) -> Image.Image:
    """Tint `image` by its routing maps: where a map is 1 the subject's colour covers with `opacity`
    (0 to 1), where it is less in proportion. The background is never tinted.

    `names` are the subjects to tint (None = all). `cast` fixes the colours, one a place: with the
    story's cast a character keeps its colour from frame to frame; None takes the frame's own order.
    Returns RGB of the frame's size. Raises ValueError for an opacity outside [0, 1].
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"The opacity is {opacity}; it must be between 0 and 1.")
    order = list(cast if cast is not None else maps.names)
    plain = np.asarray(image.convert("RGB"), np.float32)
    tinted = plain.copy()
    for name, values in zip(maps.names[:-1], maps.values, strict=False):
        if names is not None and name not in names:
            continue
        grey = Image.fromarray(np.ascontiguousarray(values, np.float32))
        weight = np.asarray(grey.resize(image.size, Image.Resampling.BILINEAR))[..., None]
        tinted += opacity * weight * (np.float32(ImageColor.getrgb(colour(order.index(name)))) - plain)
    return Image.fromarray(tinted.round().clip(0, 255).astype(np.uint8))


def legend(names: Sequence[str], width: int = 512, cast: Sequence[str] | None = None, size: int = 16) -> Image.Image:
    """A strip of `width` pixels: a swatch and the name of each subject, wrapped into rows. `size` is the
    letters' height in pixels; `cast` fixes the colours as in `overlay`; the background gets no entry."""
    order = list(cast if cast is not None else names)
    font, gap = ImageFont.load_default(size), size // 2
    row, entries, x, y = 2 * size, [], gap, 0
    for name in names:
        if name == BACKGROUND:
            continue
        label = _fitting(name, font, width - size - 3 * gap)
        step = size + gap + round(font.getlength(label)) + 2 * gap
        if x > gap and x + step > width:
            x, y = gap, y + row
        entries.append((label, colour(order.index(name)), x, y))
        x += step
    strip = Image.new("RGB", (width, y + row), PAPER)
    draw = ImageDraw.Draw(strip)
    for label, fill, left, top in entries:
        draw.rectangle((left, top + gap, left + size - 1, top + gap + size - 1), fill=fill, outline=INK)
        draw.text((left + size + gap, top + size), label, INK, font, anchor="lm")
    return strip


def with_legend(image: Image.Image, names: Sequence[str], cast: Sequence[str] | None = None) -> Image.Image:
    """`image` with the legend of `names` below it: same width, RGB."""
    strip = legend(names, image.width, cast, size=max(10, image.width // 32))
    both = Image.new("RGB", (image.width, image.height + strip.height), PAPER)
    both.paste(image)
    both.paste(strip, (0, image.height))
    return both


def sheet(
    images: Sequence[Image.Image], captions: Sequence[str] = (), columns: int = 4, cell: int = 256
) -> Image.Image:
    """A contact sheet: `images` in rows of at most `columns`, each fitted into `cell` x `cell` pixels, with
    its caption (one line, cut to fit) below where there is one. Raises ValueError without any image."""
    if not images:
        raise ValueError("A contact sheet needs at least one frame.")
    columns = min(columns, len(images))
    gap = max(4, cell // 32)
    size = max(10, cell // 18)
    font = ImageFont.load_default(size)
    line = 2 * size if any(captions) else 0
    rows = -(-len(images) // columns)
    paper = Image.new("RGB", (columns * (cell + gap) + gap, rows * (cell + line + gap) + gap), PAPER)
    draw = ImageDraw.Draw(paper)
    for k, image in enumerate(images):
        x, y = gap + k % columns * (cell + gap), gap + k // columns * (cell + line + gap)
        fitted = image.convert("RGB").resize(_fit(image.size, cell), Image.Resampling.LANCZOS)
        paper.paste(fitted, (x + (cell - fitted.width) // 2, y + (cell - fitted.height) // 2))
        if k < len(captions):
            draw.text((x + cell // 2, y + cell + line // 2), _fitting(captions[k], font, cell), INK, font, anchor="mm")
    return paper


def _fit(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """The largest size of the same shape within a square of `cell` pixels."""
    scale = cell / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """`text` on one line, cut with an ellipsis where it is wider than `width` pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"
