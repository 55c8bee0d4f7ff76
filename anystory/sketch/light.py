"""The light of a painted place on what stands in it: its colour, where it comes from, the air between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from anystory.sketch.cutout import PIXELS
from anystory.sketch.patch import Patch, bands
from anystory.sketch.scenery import Painting

_MILD = {"day": 1.0, "sunrise": 0.9, "sunset": 0.9, "night": 0.68}
"""How much of the place's own light falls on people: at night faces have to be told apart."""

_GREYED = {"cloudy": 0.08, "rain": 0.16, "snow": 0.08, "fog": 0.14}

_RIMS = {
    "day": ((255, 252, 226), 0.14),
    "sunrise": ((255, 226, 170), 0.4),
    "sunset": ((255, 190, 106), 0.6),
    "night": ((176, 200, 255), 0.26),
}
"""The colour and strength of the light along the edge that looks to the sun or moon, in clear weather."""

_HAZE = {"fog": (0.16, 0.6), "snow": (0.05, 0.26), "rain": (0.06, 0.3), "cloudy": (0.0, 0.12), "clear": (0.0, 0.1)}
"""How much of the air's colour is before the nearest and the furthest place where one stands."""

_CAST = {"clear": 1.0, "cloudy": 0.35, "snow": 0.25}
_FIELD = 16
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, eq=False)
class Light:
    """`colour`: RGB factors on everybody. `grey`: how far colours are drained. `sun`: the x of where the light comes
    from, in shares of the frame, it may be outside. `rim`: RGB (0 to 255) along the edges on that side, `shine` its
    strength, 0 for none. `shade`: how much darker the side away from it is. `haze`: near and far share of the air's
    colour. `field` float32 (16, 16, 3): the place's colours over the frame. `cast`: how strong cast shadows are, `long`
    how long, in heights of who casts them. `dark`: the colour of shadows."""

    colour: np.ndarray
    grey: float
    sun: float
    rim: np.ndarray
    shine: float
    shade: float
    haze: tuple[float, float]
    field: np.ndarray
    cast: float
    long: float
    dark: tuple[int, int, int]

    def around(self, x: float, y: float) -> np.ndarray:
        """The colour of the place near a point in shares of the frame: float32 (3,)."""
        row, column = (min(max(int(share * _FIELD), 1), _FIELD - 2) for share in (y, x))
        return self.field[row - 1 : row + 2, column - 1 : column + 2].mean((0, 1))


def light_of(painting: Painting, picture: np.ndarray, window: tuple[float, float, float, float]) -> Light:
    """The light of a place of which `picture`, uint8 (H, W, 3), shows the `window`."""
    small = Image.fromarray(picture).resize((_FIELD, _FIELD), Image.Resampling.BOX, reducing_gap=2)
    field = np.asarray(small, np.float32)
    time, weather = painting.time, painting.weather
    mean = field.mean((0, 1))
    if time:
        colour = 1 - _MILD[time] * (1 - np.array(painting.light, np.float32))
        colour[0] = max(colour[0], 1.03 * colour[1])  # in blue light skin and fur would turn green
    else:
        # Indoors, in caves, in space and under water the light is what the place looks like.
        bright = float(mean @ _GREY) / 255
        tint = (mean + 40) / (mean @ _GREY + 40)
        colour = np.clip((bright / 0.42) ** 0.5, 0.6, 1.0) * tint ** (0.32 if painting.floats else 0.25)
    rim, shine = _RIMS.get(time, ((255, 255, 255), 0.0))
    clear = weather == "clear"
    low = time in ("sunrise", "sunset")
    return Light(
        colour=colour.astype(np.float32),
        grey=_GREYED.get(weather, 0.0) + (0.1 if time == "night" else 0.0),
        sun=(painting.sun_x - window[0]) / (window[2] - window[0]),
        rim=np.array(rim, np.float32),
        shine=shine if clear else 0.3 * shine,
        shade=(0.2 if low else 0.15) if clear else 0.07,
        haze=_HAZE.get(weather, (0.1, 0.3) if painting.floats and not time else (0.0, 0.06)),
        field=field,
        cast=0.0 if painting.floats or not time else _CAST.get(weather, 0.0),
        long=0.6 if low else 0.34,
        dark=(14, 14, 44) if time != "night" else (6, 8, 34),
    )


def lit(patch: Patch, light: Light, kind: str, away: float, x: float, y: float) -> Patch:
    """A figure in the light of its place. `away`: how far off it is, 0 nearest to 1 furthest; `x`, `y`: where its
    middle is in shares of the frame. Pixel art gets one factor for all its pixels."""
    near = light.around(x, y)
    factor = light.colour * ((near + 60) / (near @ _GREY + 60)) ** 0.18
    amount = light.haze[0] + (light.haze[1] - light.haze[0]) * away
    alpha = patch.alpha
    modelled = None if kind == PIXELS else _modelled(alpha, light, x)[..., None]
    rim = None
    if light.shine and kind != PIXELS:
        rim = (_rim(alpha, light.sun > x) * light.shine * (1 - amount))[..., None]
    del alpha
    pixels = patch.pixels.copy()
    for rows in bands(len(pixels)):
        colour = pixels[rows, :, :3].astype(np.float32)
        if light.grey:
            colour += ((colour @ _GREY)[..., None] - colour) * light.grey
        colour *= factor if modelled is None else factor * modelled[rows]
        if amount:
            colour += (near - colour) * amount
        if rim is not None:
            colour += (light.rim - colour) * rim[rows]
        pixels[rows, :, :3] = np.rint(colour.clip(0, 255, out=colour), out=colour)
    return Patch(pixels, patch.x, patch.y)


def _modelled(alpha: np.ndarray, light: Light, x: float) -> np.ndarray:
    """Factors (h, w) that make a flat shape a little round: paler to the light, darker away from it and below."""
    height, width = alpha.shape
    sideways = np.linspace(1, -1, width, dtype=np.float32) * np.float32(np.clip((x - light.sun) * 3, -1, 1))
    down = np.linspace(0.3, -1, height, dtype=np.float32)
    reach = max(2, round(0.09 * min(height, width)))
    factors = ndimage.uniform_filter(alpha, reach, mode="constant")
    for rows in bands(height):
        edge = 1 - factors[rows]
        slope = sideways[None] * (0.45 + edge) + 0.45 * down[rows, None]
        factors[rows] = 1 + light.shade * slope
    return factors


def _rim(alpha: np.ndarray, right: bool) -> np.ndarray:
    """How much of the light along the edge each pixel (h, w) of a shape gets: most above, on the side of the light."""
    across, down = max(1, round(0.012 * max(alpha.shape))), max(1, round(0.006 * max(alpha.shape)))
    behind = np.zeros_like(alpha)
    if right:
        behind[down:, :-across] = alpha[:-down, across:]
    else:
        behind[down:, across:] = alpha[:-down, :-across]
    band = np.subtract(alpha, behind, out=behind).clip(0, 1, out=behind)
    rim = ndimage.uniform_filter(band, 3, mode="constant")
    rim *= alpha
    return rim
