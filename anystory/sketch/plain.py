"""The plain ground of a panel that is nowhere in particular: a sheet of paper in the light of a time and a weather."""

from __future__ import annotations

from anystory.sketch.scenery import MEDIUMS, TIMES, WEATHERS, Painting, Seed
from anystory.sketch.scenery.colour import Colour, mix, rgb
from anystory.sketch.scenery.draw import Painter
from anystory.sketch.scenery.motifs import weather as falling

HORIZON = 60.0
GROUND = (0.8, 0.95)
LIGHTS, AIRS = (*TIMES, ""), (*WEATHERS, "")


def paint_plain(time: str, weather: str, medium: str, seed: Seed) -> Painting:
    """A plain ground as a `Painting`, as `scenery.paint` makes places; the same seed gives the same. Any time, weather
    and medium; raises ValueError for what is none."""
    for given, possible, what in ((time, LIGHTS, "time"), (weather, AIRS, "weather"), (medium, MEDIUMS, "medium")):
        if given not in possible:
            raise ValueError(f"There is no {what} {given!r}; choose one of {', '.join(map(repr, possible))}.")
    painter = Painter(time, weather, medium, f"plain {seed}")
    painter.sun_x, painter.horizon = painter.between(15, 85), HORIZON
    _draw(painter)
    return Painting(
        place="",
        time=time,
        weather=weather,
        medium=medium,
        ground=GROUND,
        water=None,
        floats=False,
        horizon=painter.horizon / 100,
        light=painter.light,
        sheets=tuple(painter.sheets),
        seed=seed,
        sun_x=painter.sun_x / 100,
    )


def _draw(p: Painter) -> None:
    paper, floor = ("#f8f3e6", "#eadfca") if not p.snowy else ("#eef2f6", "#f6f9fc")
    sky = 0.0 if not p.time else 0.72 if p.night else 0.5 if p.time != "day" else 0.04
    air = 0.34 if p.weather in ("rain", "fog", "cloudy", "snow") else 0.0
    wall = high = _lit(p, paper)
    if p.time:
        wall = mix(mix(wall, p.haze, sky), p.haze, air)
        high = mix(mix(high, p.sky_top, 0.8 * sky), p.sky_top, air)
    ground = mix(_lit(p, floor), wall, 0.25)
    near = mix(ground, "#ffffff" if not p.night else wall, 0.2)
    p.wash(0, HORIZON + 12, high, wall)
    p.wash(HORIZON + 12, 102, wall, ground)
    if p.time:
        glow = {"day": "#fff9dd", "sunrise": "#fff0c0", "sunset": "#ffcf8a", "night": "#8fa6e8"}[p.time]
        p.glow(p.sun_x, 30 if p.time in ("day", "night") else HORIZON - 4, 46, rgb(glow), 0.5 if not air else 0.25)
    p.mist(50, 90, 62, 17, near, 0.85)
    for x, y in ((-6, -6), (106, -6), (-6, 106), (106, 106)):
        p.mist(x, y, 58, 58, mix(high if y < 0 else ground, "#5a4632" if not p.night else "#0c1030", 0.45), 0.4)
    falling(p, HORIZON)


def _lit(p: Painter, colour: str) -> Colour:
    """A colour of the paper, which no palette turns, in the light of the hour."""
    r, g, b = (share * light for share, light in zip(rgb(colour), p.light, strict=True))
    return r, g, b
