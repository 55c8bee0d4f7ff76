"""Where on a drawing somebody sits, stands or rides, and what one is in rather than on."""

from __future__ import annotations

from dataclasses import dataclass

from anystory.sketch.things.drawing import LibraryDrawing


@dataclass(frozen=True)
class Seat:
    """The point of a drawing, in shares of its width and height from its left top corner, at which somebody's seat is.
    `inside`: they are behind what is below it, as behind the side of a boat or the back of a horse. `size`: how large
    they are drawn, where the drawing has little room for them."""

    x: float
    y: float
    inside: bool = False
    size: float = 1.0


SEATS = {
    "chair": Seat(0.45, 0.56),
    "armchair": Seat(0.4, 0.6),
    "sofa": Seat(0.5, 0.72),
    "bench": Seat(0.5, 0.55),
    "bed": Seat(0.55, 0.5),
    "throne": Seat(0.5, 0.72),
    "rocking chair": Seat(0.45, 0.62),
    "toilet": Seat(0.35, 0.52),
    "swing": Seat(0.5, 0.7),
    "seesaw": Seat(0.2, 0.35),
    "slide": Seat(0.5, 0.35),
    "sled": Seat(0.5, 0.35),
    "carpet": Seat(0.5, 0.5),
    "picnic blanket": Seat(0.5, 0.5),
    "skateboard": Seat(0.5, 0.3),
    "scooter": Seat(0.45, 0.85),
    "kick scooter": Seat(0.45, 0.85),
    "crescent moon": Seat(0.45, 0.8),
    "rocking horse": Seat(0.52, 0.36, True),
    "bicycle": Seat(0.45, 0.2, True),
    "motorcycle": Seat(0.55, 0.4, True),
    "moped": Seat(0.72, 0.4, True),
    "wheelchair": Seat(0.45, 0.45, True),
    "bathtub": Seat(0.45, 0.45, True),
    "cradle": Seat(0.5, 0.45, True),
    "box": Seat(0.5, 0.2, True),
    "basket": Seat(0.5, 0.35, True),
    "barrel": Seat(0.5, 0.05, True),
    "shopping cart": Seat(0.4, 0.25, True),
    "pram": Seat(0.7, 0.45, True),
    "wheelbarrow": Seat(0.45, 0.2, True),
    "cart": Seat(0.45, 0.25, True),
    "carriage": Seat(0.5, 0.5, True),
    "car": Seat(0.55, 0.42, True),
    "race car": Seat(0.5, 0.3, True),
    "pickup truck": Seat(0.72, 0.5, True),
    "tractor": Seat(0.62, 0.36, True),
    "steam train": Seat(0.78, 0.45, True),
    "canoe": Seat(0.55, 0.42, True),
    "sailboat": Seat(0.3, 0.88, size=0.55),
    "speedboat": Seat(0.55, 0.2, True),
    "motorboat": Seat(0.75, 0.5, True),
    "raft": Seat(0.3, 0.66, True),
    "ship": Seat(0.2, 0.62, True),
    "ferry": Seat(0.3, 0.5, True),
    "paper boat": Seat(0.5, 0.5, True),
    "plane": Seat(0.5, 0.3, True),
    "small airplane": Seat(0.5, 0.35, True),
    "rocket": Seat(0.45, 0.4, True),
    "flying saucer": Seat(0.5, 0.3, True),
    "hot-air balloon": Seat(0.5, 0.93, size=0.45),
    "horse": Seat(0.58, 0.42, True),
    "donkey": Seat(0.5, 0.35, True),
    "unicorn": Seat(0.62, 0.36, True),
    "elephant": Seat(0.62, 0.12, True),
    "camel": Seat(0.6, 0.3, True),
    "turtle": Seat(0.62, 0.08, True),
    "whale": Seat(0.45, 0.3, True),
    "dragon": Seat(0.66, 0.6, size=0.75),
    "lifebuoy": Seat(0.5, 0.3, True),
    "hammock": Seat(0.5, 0.62, True),
    "plate": Seat(0.5, 0.72),
    "nest": Seat(0.5, 0.5, True),
}

_MOUNT = Seat(0.58, 0.35, True)
_CAB = Seat(0.5, 0.42, True)


def seat_of(drawing: LibraryDrawing) -> Seat | None:
    """None where one can only be on top of it."""
    known = SEATS.get(drawing.concept)
    if known is None and drawing.living:
        return _MOUNT
    return _CAB if known is None and drawing.kind == "vehicle" else known
