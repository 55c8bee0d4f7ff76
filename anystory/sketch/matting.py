"""What a cut-out's edge is really made of: the old background's colour taken out of it, and its steps smoothed.

A pixel at the edge of a picture shows the character and the ground behind it in one colour. Put before another ground
it keeps a rim of the old one. Here such pixels get the colour of the solid parts next to them, and where a mask reaches
into the ground, it is drawn in by how much of the ground's colour is seen.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

SOLID, CLEAR = 250, 5
"""From which alpha on a pixel is all character, and up to which it is all ground."""

_WORKED = 512
"""In larger pictures only every so many pixels are looked at for colours."""


def defringed(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours and alpha without the old background: uint8 (h, w, 3) and (h, w) in and out.

    `rgb` is the picture with its background as far as it goes. Nothing changes where the colours are the character's
    own already, as in a transparent drawing.
    """
    reach = max(2, round(max(alpha.shape) / 200))
    inside = ndimage.minimum_filter(alpha, 2 * reach + 1, mode="nearest") >= SOLID
    outside = ndimage.maximum_filter(alpha, 2 * reach + 1, mode="nearest") <= CLEAR
    # What is see-through in the midst of a character, far from the ground, is its own.
    open_air = ndimage.maximum_filter(outside[::reach, ::reach], 11, mode="constant")
    y, x = np.nonzero(~inside & (alpha > CLEAR))
    rim = tuple(places[open_air[y // reach, x // reach]] for places in (y, x))
    if not inside.any() or not len(rim[0]):
        return rgb, alpha
    seen, share = rgb[rim].astype(np.float32), alpha[rim].astype(np.float32) / 255
    own, ground = _nearest(rgb, inside, rim), _nearest(rgb, outside, rim)
    # A thin part has no inside of its own near by: what it is made of is what is seen less the ground.
    thin = ~ndimage.maximum_filter(inside, 6 * reach + 1, mode="constant")[rim]
    unmixed = ground + (seen - ground) / np.maximum(share, 0.25)[:, None]
    own = np.where(thin[:, None], unmixed.clip(0, 255), own)
    mixed, off, apart = _mixture(seen, own, ground)
    if not _blends(share[~thin], *(values[~thin] for values in (seen, own, ground, mixed, off, apart))):
        return rgb, alpha
    # A mixture explains what is seen there, and more of it is ground than the mask knows.
    fits = ~thin & (apart > 30) & (off < 0.35 * apart) & (mixed > np.maximum(1 - share, 0.12))
    share = np.where(fits, np.minimum(share, 1 - mixed), share)
    recoloured = fits | (share < SOLID / 255)
    rgb, alpha = rgb.copy(), alpha.copy()
    rgb[rim] = np.where(recoloured[:, None], np.round(own), seen).astype(np.uint8)
    alpha[rim] = np.round(share * 255).astype(np.uint8)
    return rgb, alpha


def softened(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same with half a pixel of softness where the edge is a staircase; unchanged where it is soft already."""
    if not jagged(alpha):
        return rgb, alpha
    smooth = ndimage.gaussian_filter(alpha.astype(np.float32), 1.1, mode="nearest")
    soft = np.clip((smooth - 127.5) * 1.7 + 127.5, 0, 255)
    soft = np.maximum(soft, 0.6 * alpha).round().astype(np.uint8)  # thin parts stay
    # What was ground so far and is seen a little now has no colour of its own.
    y, x = np.nonzero((alpha <= CLEAR) & (soft > 0))
    fresh = y, x
    rgb = rgb.copy()
    rgb[fresh] = np.round(_nearest(rgb, alpha >= SOLID, fresh)).astype(np.uint8)
    return rgb, soft


def jagged(alpha: np.ndarray) -> bool:
    """Whether next to nothing along the edge of uint8 (h, w) is between seen and not seen."""
    solid = alpha >= 128
    edge = solid & ~ndimage.minimum_filter(solid, 3, mode="nearest")
    soft = (alpha > CLEAR) & (alpha < SOLID)
    return bool(edge.any() and soft.sum() < 0.15 * edge.sum())


def _mixture(seen: np.ndarray, own: np.ndarray, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of colours (n, 3): what share of the ground is in each (0 to 1), how far it is from that mixture, and how far
    apart the two are, both in levels: three times (n,)."""
    line = ground - own
    apart = np.sqrt((line**2).sum(1))
    mixed = (((seen - own) * line).sum(1) / np.maximum(apart**2, 1e-6)).clip(0, 1)
    off = np.sqrt(((seen - own - mixed[:, None] * line) ** 2).sum(1))
    return mixed, off, apart


def _blends(
    share: np.ndarray,
    seen: np.ndarray,
    own: np.ndarray,
    ground: np.ndarray,
    mixed: np.ndarray,
    off: np.ndarray,
    apart: np.ndarray,
) -> bool:
    """Whether the colours at the rim have the ground in them; else the alpha is the picture's own."""
    soft = (share < SOLID / 255) & (apart > 30)
    if soft.sum() > 0.15 * len(share):
        pure = np.abs(seen - own)[soft].sum()
        blend = np.abs(seen - share[:, None] * own - (1 - share[:, None]) * ground)[soft].sum()
        return bool(blend < pure)
    between = (apart > 30) & (off < 0.2 * apart) & (mixed > 0.15) & (mixed < 0.85)
    return bool(between.sum() > 0.05 * len(share))


def _nearest(rgb: np.ndarray, known: np.ndarray, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The colour, float32 (n, 3), of the `known` pixel (h, w) of `rgb` that is nearest to each of the places `at`; one
    at least is known."""
    step = -(-max(known.shape) // _WORKED)
    if not known[::step, ::step].any():
        step = 1  # all of it is thinner than a step
    y, x = ndimage.distance_transform_edt(~known[::step, ::step], return_distances=False, return_indices=True)
    block = tuple(np.minimum(places // step, side - 1) for places, side in zip(at, y.shape, strict=True))
    return rgb[y[block] * step, x[block] * step].astype(np.float32)
