"""How a cut-out shows an action, having only the one pose of its picture: by its place, tilt, flip and contact."""

from __future__ import annotations

from dataclasses import dataclass

GROUND, AIR, WATER, LYING, CLIMBING, RIDING, HIDING, PEEKING = (
    "ground",
    "air",
    "water",
    "lying",
    "climbing",
    "riding",
    "hiding",
    "peeking",
)


@dataclass(frozen=True)
class Pose:
    """How an action is shown.

    `kind`: where the figure is, one of the names above. `turn`: the range of degrees it is turned towards where it
    looks or moves. `lift`: the range of the height of its feet above the ground, in frame heights. `nearer`: how much
    further down its ground line is, in depths of the ground where feet stand. `size`: how large it is drawn: who is
    high up is further off. `moves`: it goes somewhere. `company`: how it is with whom it acts on: "near" them, so close
    that they "touch", "after" them, or it "holds" them; "" for wherever they are. `sways`: every second one turns the
    other way.
    """

    kind: str = GROUND
    turn: tuple[float, float] = (0.0, 0.0)
    lift: tuple[float, float] = (0.0, 0.0)
    nearer: float = 0.0
    size: float = 1.0
    moves: bool = False
    company: str = ""
    sways: bool = False

    @property
    def on_foot(self) -> bool:
        """Whether it is done on a ground, even where everybody else floats."""
        return self.kind == GROUND and (self.nearer > 0 or (self.moves and not self.company))


STANDING = Pose()
FLOATING = Pose(AIR, turn=(3, 7), lift=(0.12, 0.2), size=0.88, sways=True)
UPHILL = Pose(turn=(6, 10), moves=True)
_WALKING = Pose(turn=(2, 4), moves=True)
_RUNNING = Pose(turn=(8, 12), lift=(0.012, 0.02), moves=True)
_SITTING = Pose(nearer=0.15)
_LYING = Pose(LYING)
_BENT = Pose(turn=(10, 14))
_NEAR = Pose(company="near")

POSES: dict[str, Pose] = {
    "walks": _WALKING,
    "sneaks": Pose(turn=(7, 11), moves=True),
    "crawls": Pose(turn=(38, 46), nearer=0.1, moves=True),
    "runs": _RUNNING,
    "chases": Pose(turn=(8, 12), lift=(0.012, 0.02), moves=True, company="after"),
    "follows": Pose(turn=(2, 4), moves=True, company="after"),
    "sits": _SITTING,
    "reads": STANDING,
    "kneels": Pose(turn=(4, 7), nearer=0.15),
    "bows": Pose(turn=(24, 32)),
    "lies": _LYING,
    "sleeps": _LYING,
    "jumps": Pose(AIR, turn=(3, 8), lift=(0.1, 0.2)),
    "flies": Pose(AIR, turn=(10, 20), lift=(0.32, 0.42), size=0.8, moves=True),
    "floats": FLOATING,
    "falls": Pose(AIR, turn=(120, 160), lift=(0.18, 0.26), size=0.85),
    "swims": Pose(WATER, turn=(4, 9), moves=True),
    "dives": Pose(WATER, turn=(138, 160)),
    "climbs": Pose(CLIMBING, turn=(6, 10), lift=(0.12, 0.22), size=0.88),
    "rides": Pose(RIDING, turn=(2, 5)),
    "hides": Pose(HIDING),
    "peeks": Pose(PEEKING, turn=(9, 14)),
    "stands on its head": Pose(turn=(180, 180)),
    "hugs": Pose(turn=(3, 6), company="touch"),
    "kisses": Pose(turn=(4, 7), company="touch"),
    "pushes": Pose(turn=(10, 14), company="near"),
    "pulls": Pose(turn=(-14, -10), company="near"),
    "fights": Pose(turn=(5, 9), company="near"),
    "catches": Pose(turn=(3, 6), lift=(0.015, 0.03)),
    "throws": Pose(turn=(-9, -5)),
    "kicks": Pose(turn=(-10, -6)),
    "dances": Pose(turn=(7, 11), company="near", sways=True),
    "laughs": Pose(turn=(-8, -4)),
    "cries": Pose(turn=(4, 7)),
    "listens": Pose(turn=(2, 4), company="near"),
    "works": _BENT,
    "digs": Pose(turn=(14, 20)),
    "whispers": Pose(turn=(4, 7), company="near"),
    "gives": _NEAR,
    "takes": _NEAR,
    "talks": _NEAR,
    "holds": Pose(company="holds"),
    "carries": Pose(turn=(2, 4), moves=True, company="holds"),
}
"""By the action's word; whoever does anything else stands."""

SEATED = ("sits", "lies", "sleeps", "reads", "rides", "eats", "drinks", "listens", "thinks")
"""Who does this on a thing sits or lies on it."""


def pose_of(action: str) -> Pose:
    return POSES.get(action, STANDING)
