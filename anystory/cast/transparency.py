"""What the transparency of a picture is: a character cut out, or a photograph in a frame of nothing.

Rounded corners, the shadow of a window, padding and a round avatar are transparent too, and what they leave is no
character yet: it is itself a rectangle, or a disc whose rim shows one thing beside another as photographs do.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from anystory.cast.images import SELECTED, coverage

MIN_CLEAR = 0.005
"""A picture of which a smaller share is transparent counts as opaque."""

FAINT = 16
"""Alpha below which nothing is seen."""

MIN_SOLID = 0.2
"""Where a smaller share of what is seen is more than half opaque, the rest is the body: of a ghost, or behind glass."""

OPAQUE = 230
"""Alpha from which a pixel belongs to a photograph, and not to its shadow or its soft edge."""

SIDE = 256
"""Longer side in pixels at which shapes are looked at."""

LIKENESS = 0.96
"""Area in common with a rounded rectangle, as a share of their union, from which a shape is one."""

MAX_ASPECT = 3.0
"""A longer rectangle is a pencil or a ruler."""

MAX_ROUNDING = 0.35
"""Radius of the corners, as a share of the shorter side, beyond which a rectangle is a disc: perhaps a head."""

PLAIN = 8.0
"""Spread of colours (standard deviation of RGB together, 0 to 255) below which there is nothing to see in a picture."""

MIN_BORDER = 0.7
"""A picture that is opaque along such a share of its border has been cut nowhere."""

SPREAD, STEPS = 40.0, 7.5
"""Of the rim of a disc that is a photograph: how far its colours spread at least (standard deviation of RGB together),
and how much they change on average from one of `SECTORS` to the next (the most of RGB); 0 to 255 both."""

NEAR, DOMINANT, GRAIN = 32, 0.7, 6.0
"""A drawn face has mostly one colour at its rim, whatever it wears: more than the share `DOMINANT` is `NEAR` the
median. A photograph may have that too, but then half of its changes are at least `GRAIN`."""

SECTORS = 128


def opacity(image: Image.Image) -> Image.Image | None:
    """How opaque the picture is where: L, 255 for as opaque as it gets, so that the body of a ghost is 255 too. None
    where (nearly) all of it is equally opaque."""
    if not image.has_transparency_data:
        return None
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    seen = alpha[alpha >= FAINT]
    if not seen.size:
        return Image.fromarray(alpha)
    solid = seen >= SELECTED
    full = np.percentile(seen, 98) if solid.mean() >= MIN_SOLID else np.median(seen[~solid])
    if full < 250:
        alpha = np.minimum(alpha * (255 / full) + 0.5, 255).astype(np.uint8)
    result = Image.fromarray(alpha)
    return result if 1 - coverage(result) >= MIN_CLEAR else None


def photograph(image: Image.Image, alpha: Image.Image) -> Image.Image | None:
    """The part of a picture, of `opacity` `alpha`, that is a photograph still to be cut out: L, 255 for what is in it.
    None where the transparency is a character's outline."""
    from scipy.ndimage import binary_fill_holes  # a second to import

    scale = min(1.0, SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    shape = _largest(binary_fill_holes(np.asarray(alpha.resize(size, Image.Resampling.BOX)) >= OPAQUE))
    if shape is None:
        return None
    small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX), np.float64)
    border = np.concatenate([shape[0], shape[-1], shape[:, 0], shape[:, -1]])
    if _spread(small[shape]) < PLAIN or (border.mean() < MIN_BORDER and not _is_picture(shape, small)):
        return None
    return Image.fromarray((np.asarray(alpha) >= OPAQUE).astype(np.uint8) * 255)


def filled(image: Image.Image, inside: Image.Image) -> Image.Image:
    """An RGB image with the colour of the nearest pixel that the L mask `inside` selects wherever that is 0."""
    from scipy.ndimage import distance_transform_edt

    outside = np.asarray(inside) == 0
    if not outside.any():
        return image
    nearest = distance_transform_edt(outside, return_distances=False, return_indices=True)
    return Image.fromarray(np.asarray(image)[tuple(nearest)])


def _largest(shape: np.ndarray) -> np.ndarray | None:
    """The one part there is beside specks; None without any, or with two."""
    from scipy.ndimage import label

    parts, _ = label(shape)
    sizes = np.bincount(parts.ravel())[1:]
    if not sizes.size or sizes.max() < 0.95 * sizes.sum():
        return None
    return parts == 1 + sizes.argmax()


def _spread(colours: np.ndarray) -> float:
    """Standard deviation of colours, (n, 3), in RGB together."""
    return float(np.sqrt(colours.var(0).sum()))


def _is_picture(shape: np.ndarray, image: np.ndarray) -> bool:
    """Whether a shape, bool (h, w), is that of a photograph, `image` being its RGB (h, w, 3)."""
    likeness, aspect, rounding = _as_rectangle(shape)
    if likeness < LIKENESS or aspect > MAX_ASPECT:
        return False
    return rounding <= MAX_ROUNDING or _has_photographs_rim(shape, image)


def _as_rectangle(shape: np.ndarray) -> tuple[float, float, float]:
    """How like a shape is to its smallest box, corners rounded until both have the same area, or to the ellipse in it:
    the area in common as a share of the union, longer by shorter side, and radius by shorter side (0.5: the ellipse).
    """
    middle, sides, axes = _smallest_box(shape)
    radius = min(np.sqrt(max(0.0, sides.prod() - shape.sum()) / (4 - np.pi)), sides.min() / 2)
    away = np.abs(np.moveaxis(np.indices(shape.shape), 0, -1) @ axes - middle)
    rectangle = (np.maximum(away - (sides / 2 - radius), 0) ** 2).sum(-1) <= radius**2
    ellipse = ((away / (sides / 2)) ** 2).sum(-1) <= 1
    likeness, other = ((shape & form).sum() / (shape | form).sum() for form in (rectangle, ellipse))
    rounding = radius / sides.min() if likeness > other else 0.5
    return float(max(likeness, other)), float(sides.max() / sides.min()), float(rounding)


def _smallest_box(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest rectangle around a shape in any turn, to half a degree: its middle and its sides (2,) along its
    axes, the columns of (2, 2)."""
    from scipy.ndimage import binary_erosion

    edge = np.argwhere(shape & ~binary_erosion(shape))
    turns = np.radians(np.arange(0, 90, 0.5))
    axes = np.array([[np.cos(turns), -np.sin(turns)], [np.sin(turns), np.cos(turns)]])
    at = np.einsum("nk,kat->nat", edge, axes)
    low, high = at.min(0), at.max(0)
    best = (high - low + 1).prod(0).argmin()
    return (low + high)[:, best] / 2, (high - low)[:, best] + 1, axes[..., best]


def _has_photographs_rim(shape: np.ndarray, image: np.ndarray) -> bool:
    """Whether colours along the edge of a disc, a little inside, vary as where a photograph was cut through."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(shape, 1))[1:-1, 1:-1]
    inset = max(2.0, 0.03 * np.sqrt(shape.sum()))
    y, x = np.nonzero((depth > inset) & (depth <= inset + 2))
    if not y.size:
        return False
    colours = image[y, x]
    sector = ((np.arctan2(y - y.mean(), x - x.mean()) / (2 * np.pi) % 1) * SECTORS).astype(int) % SECTORS
    counts = np.bincount(sector, minlength=SECTORS)
    sums = np.stack([np.bincount(sector, channel, SECTORS) for channel in colours.T], 1)
    means = sums[counts > 0] / counts[counts > 0, None]
    steps = np.abs(means - np.roll(means, 1, axis=0)).max(1)
    alike = np.abs(means - np.median(means, axis=0)).max(1) < NEAR
    varied = _spread(colours) >= SPREAD and steps.mean() >= STEPS
    return bool(varied and (alike.mean() <= DOMINANT or np.median(steps) >= GRAIN))
