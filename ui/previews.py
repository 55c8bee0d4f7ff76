"""What the desk's settings do, to look at: a frame of the example under a few values of each. `assets/desk/build.py`
makes the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anystory.story.steering import UNSTEERED, Steering
from anystory.supplies import ASSETS

FOLDER = ASSETS / "desk"

STORY = FOLDER.parent / "example" / "story.yaml"
PANEL, SEED = 2, 0
"""The frame: two characters side by side."""

NAMES = "Fern", "Bruno"


@dataclass(frozen=True)
class Preview:
    """The frame under one `value`, a number or "" for none; `image` is a WebP."""

    value: str
    image: Path
    steering: Steering = UNSTEERED
    seed: int = SEED


def _preview(value: str, name: str, steering: Steering = UNSTEERED, seed: int = SEED) -> Preview:
    return Preview(value, FOLDER / f"{name}.webp", steering, seed)


def _both(strength: float) -> tuple[tuple[str, float], ...]:
    return tuple((name, float(strength)) for name in NAMES)


USUAL = _preview("", "usual")
"""η 1, γ 0, pictures read as the model has it, routed."""

PREVIEWS = {
    "eta": (_preview("0", "eta-low", Steering(eta=_both(0))), USUAL, _preview("2", "eta-high", Steering(eta=_both(2)))),
    "gamma": (
        _preview("−3", "gamma-low", Steering(gamma=_both(-3))),
        USUAL,
        _preview("3", "gamma-high", Steering(gamma=_both(3))),
    ),
    "reference": (
        _preview("0–40 %", "reference-early", Steering(reference=(0, 0.4))),
        USUAL,
        _preview("40–100 %", "reference-late", Steering(reference=(0.4, 1))),
    ),
    "router": (USUAL, _preview("", "router-off", Steering(router=False))),
    "seed": (_preview("0", "usual"), _preview("1", "seed-1", seed=1), _preview("2", "seed-2", seed=2)),
}
"""Of every setting, from less to more."""
