"""The pictures on the cards of the panels: a sketch as soon as a line is written, its frame once that is made.

The server puts the sketch on a card. The browser lays the frame over it, as it stands on the strip (`js/panels.js`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from html import escape

from anystory.errors import AnyStoryError
from anystory.project.folder import ProjectError
from anystory.render.session import Asked
from anystory.render.sketches import SIDE
from anystory.script.form import Reading
from anystory.script.wildcards import WildcardError, expand_panel
from anystory.story.model import Panel, Script, Settings, Story, panel_seed
from anystory.story.size import Size
from ui import cast
from ui.html import hint
from ui.strip import FILE
from ui.studio import MAX_SKETCHES, Shown, Studio, Visit, placed

TEXT = """
element.querySelector("button").addEventListener("click", ({currentTarget}) => {
  const hidden = document.querySelector("#two-views").classList.toggle("no-text");
  currentTarget.setAttribute("aria-pressed", String(!hidden));
});
"""
"""The button that shows the text beside the board, or leaves the board alone."""

PATIENCE = 0.3
"""Seconds after which no further sketch is begun before the page is answered; it asks again for the others."""

READ = 40_000
"""Characters of a script's panels, from the first on, that sketches are made of: a second's reading."""


def slots(
    studio: Studio,
    visit: Visit | None,
    reading: Reading | None,
    actors: Sequence[cast.Actor],
    shown: Sequence[Shown],
    seed: int,
    say: Callable[..., str],
) -> list[str]:
    """For every card of a script its picture as HTML: a sketch, unless the panel's frame is among those `shown`. Of
    sketches that are still to be made some are, until `PATIENCE` has run out; the other slots are pending."""
    if reading is None:
        return []
    numbers, count = list[int | None](), 0
    for panel in reading.panels:  # those without a prompt are in no script
        count += bool(panel and panel.prompt)
        numbers.append(count if panel and panel.prompt else None)
    if visit is None or count != len(reading.script.panels):
        return [_slot(number, say) for number in numbers]
    wanted, reach = _wanted(studio, visit, reading.script, actors, shown, seed), _reach(reading.script)
    until, html = time.monotonic() + PATIENCE, []
    for number in numbers:
        asked = wanted.get(number) if number else None
        late = asked is not None and time.monotonic() > until and not studio.sketches.has(asked)
        source = ""
        if asked is not None and not late:
            with suppress(ValueError, ProjectError):  # an empty mask, as the card says; a full disk
                source = f"{FILE}{studio.sketch(asked, visit)}"
        html.append(_slot(number, say, source, pending=late, far=(number or 0) > reach))
    return html


def _reach(script: Script) -> int:
    """How many panels of a script sketches are made of, from the first on."""
    return sum(length <= READ for length in itertools.accumulate(len(panel.prompt) for panel in script.panels))


def _wanted(
    studio: Studio, visit: Visit, script: Script, actors: Sequence[cast.Actor], shown: Sequence[Shown], seed: int
) -> dict[int, Asked]:
    """What the sketches of panels without a frame are made from, by the panels' numbers."""
    if not script.panels:  # then frames stand where they stood
        return {}
    made = {k for k, item in placed(shown, script.panels).items() if item.shows(script.panels[k - 1], k)}
    names = tuple(member.name for member in script.cast)
    read = script.panels[: _reach(script)]
    panels = tuple(_filled_in(panel, panel_seed(seed, k), names) for k, panel in enumerate(read, 1))
    script = replace(script, panels=panels).beside(visit.story)
    story = Story(script, cast.sketched(actors), Settings(Size(SIDE, SIDE), seed=seed))
    try:
        asked = studio.sketches.asked(story)
    except AnyStoryError:  # one of the story's own drawings cannot be used; making the frames says which
        return {}
    wanted = [(k, one) for k, one in enumerate(asked, 1) if one is not None and k not in made]
    return dict(wanted[:MAX_SKETCHES])


def _filled_in(panel: Panel, seed: int, names: tuple[str, ...]) -> Panel:
    """The panel without wildcards, or as it is written while they cannot be filled in."""
    try:
        return expand_panel(panel, seed, names)
    except WildcardError:
        return panel


def _slot(
    number: int | None, say: Callable[..., str], source: str = "", pending: bool = False, far: bool = False
) -> str:
    """The place of a card's picture. What is in `made` is the browser's: the frame, and how it stands. A panel is `far`
    whose sketch is not made for the length of those before it."""
    sketch = hint(say("board.sketch.far", most=READ)) if far else ""
    if source:
        alt = escape(say("board.sketch.alt", number=number))
        tag = f'<span class="tag">{escape(say("board.sketch"))}</span>'
        sketch = f'<img class="sketch" src="{escape(source)}" alt="{alt}">{tag}'
    return (  # first what is the browser's, which then stays where it is
        f'<div class="frame" data-frame="{number or ""}"{" data-pending" * pending}>'
        f'<button type="button" class="made" aria-label="{escape(say("board.open"))}" hidden><img alt=""></button>'
        f'<i class="ring"></i><span class="how"></span>{sketch}</div>'
    )
