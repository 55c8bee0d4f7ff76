"""The comparisons as pictures: a sheet each, laid out as the paper's figures 2 and 3, and the routing maps as in its
figures 4 and 5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from anystory.evaluation.comparisons import NOISE, TAKEN, Arm, Atelier, Comparison, comparisons_of
from anystory.evaluation.switches import REFINED, Switch
from anystory.evaluation.table import on_white
from anystory.maps.figures import figure
from anystory.maps.overlay import sheet

CASES = 4
"""Frames of each kind on a sheet."""

MAPPED = 3
"""Frames whose routing maps are shown."""

CELL = 160


def sheets(atelier: Atelier) -> Iterator[tuple[str, Image.Image]]:
    """File names and pictures."""
    for comparison in comparisons_of(atelier):
        yield f"{comparison.slug}.png", _frames(atelier, comparison)
    drawn = atelier.frames(Arm(REFINED, Switch()), 2, NOISE)[:MAPPED]
    for name, kinds in (("figure-4", ("refined",)), ("figure-5", ("coarse", "refined"))):
        rows = [(frame.image, figure(frame.trace, kinds)) for frame in drawn if frame.trace is not None]
        yield f"{name}.png", _stacked(rows)


def _frames(atelier: Atelier, comparison: Comparison) -> Image.Image:
    """A row a case, the first ones: whom it is to show, then a frame an arm."""
    most = max(comparison.subjects)
    pictures, captions = list[Image.Image](), list[str]()
    for subjects in comparison.subjects:
        for start in TAKEN:
            frames = [atelier.frames(arm, subjects, start) for arm in comparison.arms]
            for number, case in enumerate(atelier.cases[subjects][:CASES]):
                shown = [on_white(atelier.cast, i) for i in case.cast]
                blank = [Image.new("RGB", (1, 1), "white")] * (most - len(shown))
                pictures += [*shown, *blank, *(of_arm[number].image for of_arm in frames)]
                named = [atelier.cast.subjects[i].name for i in case.cast]
                captions += [*named, *[""] * len(blank), *(f"{arm.name}, {start}" for arm in comparison.arms)]
    return sheet(pictures, captions, columns=most + len(comparison.arms), cell=CELL)


def _stacked(rows: Sequence[tuple[Image.Image, Image.Image]], gap: int = 8) -> Image.Image:
    """Frames, each left of its maps."""
    side = max(frame.width for frame, _ in rows)
    width = side + max(maps.width for _, maps in rows) + 3 * gap
    heights = [max(frame.height, maps.height) + gap for frame, maps in rows]
    paper = Image.new("RGB", (width, sum(heights) + gap), "white")
    top = gap
    for (frame, maps), height in zip(rows, heights, strict=True):
        paper.paste(frame, (gap, top))
        paper.paste(maps, (side + 2 * gap, top))
        top += height
    return paper
