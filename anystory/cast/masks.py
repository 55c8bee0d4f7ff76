"""Masks by hand and the look at a mask: brush strokes on top of a cut-out, and what may be wrong with it."""

from __future__ import annotations

from functools import partial

import numpy as np
from PIL import Image, ImageColor

from anystory.cast.images import SELECTED
from anystory.errors import Message, listed

ADD, REMOVE = "#00c853", "#ff1744"
"""The brush's two colours: what belongs to the character, and what does not."""

MIN_DETAIL = 96
"""Pixels on the character's longer side; with fewer there is less to see than the embedded model reads."""

MIN_CONTACT = 0.02
"""A character that touches an edge along less of it than this share only reaches there, it is not cut off."""

MIN_PART = 0.05
"""A part of the mask with a smaller share of it is a speck, a part with more is a thing of its own."""


def brushed(mask: Image.Image, strokes: Image.Image) -> Image.Image:
    """An L mask with brush strokes on it: an RGBA layer painted in `ADD` and `REMOVE`, at whatever opacity.

    A stroke counts as the colour it is nearer to and as strongly as it is opaque; the layer is scaled to the mask.
    Returns a new L mask of the mask's size, the same bytes where nothing was painted.
    """
    layer = strokes.convert("RGBA").resize(mask.size, Image.Resampling.BILINEAR)
    pixels = np.asarray(layer, np.int32)
    distance = [((pixels[..., :3] - ImageColor.getrgb(colour)) ** 2).sum(-1) for colour in (ADD, REMOVE)]
    target = np.where(distance[0] <= distance[1], 255, 0)
    opacity, before = pixels[..., 3], np.asarray(mask, np.int32)
    return Image.fromarray(((before * (255 - opacity) + target * opacity + 127) // 255).astype(np.uint8))


def hints(mask: Image.Image) -> tuple[str, ...]:
    """What may be wrong with an L mask (255 = the character), a sentence with numbers each: too small, cut off at an
    edge of the picture, two or more separate things. Empty where all is well, and for a mask that selects nothing."""
    selected = np.asarray(mask) >= SELECTED
    if not selected.any():
        return ()
    return tuple(hint for hint in (_small(selected), _cut_off(selected), _parts(selected)) if hint)


def _small(selected: np.ndarray) -> str | None:
    height, width = (int(np.ptp(np.flatnonzero(selected.any(axis=axis)))) + 1 for axis in (1, 0))
    if max(height, width) >= MIN_DETAIL:
        return None
    return Message(
        "The character is only {width} × {height} px; {min_detail} px on the longer side show its "
        "details: use a larger picture of it.",
        width=width,
        height=height,
        min_detail=MIN_DETAIL,
    )


def _cut_off(selected: np.ndarray) -> str | None:
    edges = (
        (partial(Message, "the top edge along {count} px ({share} of it)"), selected[0]),
        (partial(Message, "the bottom edge along {count} px ({share} of it)"), selected[-1]),
        (partial(Message, "the left edge along {count} px ({share} of it)"), selected[:, 0]),
        (partial(Message, "the right edge along {count} px ({share} of it)"), selected[:, -1]),
    )
    touched = [
        tell(count=int(edge.sum()), share=f"{edge.mean():.0%}") for tell, edge in edges if edge.mean() >= MIN_CONTACT
    ]
    if not touched:
        return None
    return Message(
        "The character touches {sides}: what lies beyond is cut off; a picture of all of it is better.",
        sides=listed(touched),
    )


def _parts(selected: np.ndarray) -> str | None:
    from scipy.ndimage import label  # a second to import

    parts, _ = label(selected, structure=np.ones((3, 3)))
    sizes = np.sort(np.bincount(parts[selected])[1:])[::-1] / selected.sum()
    large = sizes[sizes >= MIN_PART]
    if len(large) < 2:
        return None
    shares = listed([f"{size:.0%}" for size in large])
    return Message(
        "{count} separate things were found, with {shares} of the cut-out: if only one is the "
        "character, paint over the rest to remove it.",
        count=len(large),
        shares=shares,
    )
