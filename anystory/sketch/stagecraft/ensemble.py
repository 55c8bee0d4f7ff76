"""The figures of one panel in their surroundings, and how tall and where each would be by itself."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from anystory.sketch.cutout import Cutout
from anystory.sketch.scenery import Painting
from anystory.sketch.stagecraft.bodies import Body, Surroundings, alone
from anystory.sketch.stagecraft.camera import camera
from anystory.sketch.stagecraft.covers import Cover, covers, fixture, focus
from anystory.sketch.stagecraft.figure import SIZES, Figure, beside_grown, figure
from anystory.sketch.stagecraft.partners import agreed
from anystory.sketch.stagecraft.poses import CLIMBING, UPHILL, WATER
from anystory.sketch.stagecraft.props import COMPANY, Prop, drawn_as, props_of, unlike
from anystory.story.shot import Shot

ANCHORS = {"far left": 0.1, "left": 0.25, "middle": 0.5, "right": 0.75, "far right": 0.9}
"""Where in the frame's width somebody is who is said to be there."""

_SLOPES = ("hill", "mountains", "volcano", "canyon", "desert", "snow", "ice", "road", "field", "beach")
"""Places whose ground itself is what one climbs there."""

_TALL = {1: 0.6, 2: 0.58, 3: 0.55, 4: 0.52, 5: 0.48, 6: 0.46}
_MANY = 0.44
"""How tall the tallest of so many is, or of more, as a share of the frame's height: about as tall in every panel."""

_TALLEST = 0.62
_CLOSE = 4
"""How many a close-up can show; of more it is a medium shot."""

_TOWERING = 2.2
"""How many times as tall as the tallest of the cast an extra counts at most."""

_LOWEST_HEAD = 0.05
"""The y above which no head is, where no balloon needs more room."""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """`figures` in the order of the shot's roles, then the things that are put down together with them. `props`: all
    things, `notes` on what is not drawn. `found`: what of the place is in sight. `luck`: for each figure six numbers in
    [0, 1), `coins` three for all, that decide what the line leaves open."""

    shot: Shot
    figures: tuple[Figure, ...]
    props: tuple[Prop, ...]
    notes: tuple[str, ...]
    around: Surroundings
    found: tuple[Cover, ...]
    luck: np.ndarray
    coins: tuple[float, float, float]

    @property
    def shown(self) -> tuple[Cover, ...]:
        """What of the place the line tells of, its background too."""
        return tuple(prop.cover for prop in self.props if prop.cover is not None)

    @property
    def names(self) -> dict[str, int]:
        """Whose number is which."""
        return {figure.role.name: figure.index for figure in self.figures}

    def alone(self, figure: Figure, scale: float, row: float | None = None) -> Body:
        """A figure by itself, at x = 0; see `bodies.alone`."""
        return alone(figure, scale, self.around, row, self.luck[figure.index, 3:5].tolist())

    def wish(self, figure: Figure) -> float:
        """The x at which a figure would be that stands with nobody."""
        told = ANCHORS.get(figure.role.where)
        return (0.2 + 0.6 * float(self.luck[figure.index, 5]) if told is None else told) * self.around.aspect


def ensemble(shot: Shot, cutouts: Sequence[Cutout], painting: Painting, size: tuple[int, int], seed: int) -> Ensemble:
    """The roles of a shot before they are put anywhere. Raises ValueError for a role without a cut-out or a frame
    without pixels."""
    width, height = size
    if width < 1 or height < 1:
        raise ValueError(f"The frame is {width} × {height} pixels; both must be at least 1.")
    by_name = {cutout.name: cutout for cutout in cutouts}
    missing = [role.name for role in shot.roles if role.name not in by_name]
    if missing:
        raise ValueError(f"There is no cut-out of {missing[0]}; give one of everybody who is in the panel.")
    shot = agreed(shot, drawn_as)
    rng = np.random.default_rng(seed)
    coins, luck = tuple(rng.random(3).tolist()), rng.random((len(shot.roles), 6))
    figures = tuple(figure(i, role, by_name[role.name], luck[i, :2]) for i, role in enumerate(shot.roles))
    figures = tuple(_uphill(one, shot.place) for one in figures)
    around = _surroundings(shot, figures, painting, size)
    found = tuple(covers(painting, around.camera, around.aspect))
    fixed = functools.partial(fixture, painting, around.camera, around.aspect)
    props, notes = props_of(shot, found, around.camera.water is not None, fixed)
    around = _beside_extras(around, figures, props)
    company = _company(shot, figures, props, around)
    # The cast's luck does not depend on what else is there.
    luck = np.concatenate([luck, np.random.default_rng((seed, len(figures))).random((len(company), 6))])
    figures = (*(_between_many(figure, company) for figure in figures), *company)
    return Ensemble(shot, figures, tuple(props), tuple(notes), around, found, luck, coins)


def _company(shot: Shot, figures: Sequence[Figure], props: Sequence[Prop], around: Surroundings) -> tuple[Figure, ...]:
    """The things that are put down together with the cast, numbered after them, none called as another."""
    found: list[Figure] = []
    names = {role.name for role in shot.roles}
    for prop in props:
        if prop.how == COMPANY:
            name = unlike(prop.told.concept, names)
            names.add(name)
            found.append(prop.figure(len(figures) + len(found), name, around.scale, around.aspect, figures))
    return tuple(found)


def _beside_extras(around: Surroundings, figures: Sequence[Figure], props: Sequence[Prop]) -> Surroundings:
    """As large as everybody is where extras may be taller than the whole cast: a dragon stays larger than a dog, up to
    some bound, so that the dog is still to be seen."""
    sizes = [
        beside_grown(prop.drawing.height, prop.drawing.aspect) * SIZES.get(prop.told.size, 1.0)
        for prop in props
        if prop.how == COMPANY and prop.drawing.living
    ]
    tallest = min(max(sizes, default=0.0), _TOWERING * around.tallest)
    if not figures or tallest <= around.tallest:
        return around
    part = (around.tallest / tallest) ** 0.8
    return replace(around, scale=part * around.scale, tallest=tallest)


def _between_many(figure: Figure, company: Sequence[Figure]) -> Figure:
    """Who is between two of a kind is between the one and the other."""
    role = figure.role
    if role.relation != "between" or len(role.targets) != 1:
        return figure
    names = [f"{role.targets[0]}{end}" for end in ("", " 2")]
    there = {other.role.name for other in company}
    return replace(figure, role=replace(role, targets=tuple(names))) if there.issuperset(names) else figure


def balloons_room(shot: Shot) -> float:
    """How much of a frame's height at its top the balloons of a panel need."""
    return 0.0 if not shot.speakers else 0.22 if len(shot.speakers) <= 2 else 0.3


def _uphill(figure: Figure, place: str) -> Figure:
    """Who climbs a hill, and nothing on it, walks up."""
    climbs = figure.pose.kind == CLIMBING and not (figure.role.targets or figure.role.toward)
    return replace(figure, pose=UPHILL, lift=0.0) if climbs and place in _SLOPES else figure


def _surroundings(shot: Shot, figures: Sequence[Figure], painting: Painting, size: tuple[int, int]) -> Surroundings:
    swims = any(figure.pose.kind == WATER for figure in figures)
    words = [word for role in shot.roles for word in role.targets]
    close = shot.framing == "close-up" and len(figures) > _CLOSE
    view = camera(painting, "medium" if close else shot.framing, size, swims, focus(painting, words))
    room = balloons_room(shot) * view.framing.room
    wades = painting.water is not None and painting.water[1] > sum(painting.ground) / 2
    tallest = max((figure.relative for figure in figures), default=1.0)
    tall = min(_TALL.get(len(figures), _MANY) * tallest**0.2, _TALLEST)
    scale = tall * view.framing.tall / tallest
    return Surroundings(
        view, size[0] / size[1], size[1], max(room, _LOWEST_HEAD), painting.floats, wades, scale, tallest
    )
