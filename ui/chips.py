"""What was read of an opened frame, as chips to be changed: place, time, weather, shot, what everybody does and feels.
A choice goes into the script as `[shows: …]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from anystory.maps.overlay import colour
from anystory.sketch.shows import ROLES, SECTIONS, label, offered, told
from anystory.story.model import Panel
from anystory.story.shot import Shot
from ui.arranging import shot_of
from ui.studio import Shown, Studio

CHIPS = (Path(__file__).parent / "js" / "chips.js").read_text(encoding="utf-8")
"""What happens on the chips: `choose` of a `kind` of `who` the `key`, "" for what the line says, one after the other;
`of` tells the frame (`Shown.token`), `count` counts them."""

OF_SHOT = {"place": "place", "time": "time", "weather": "weather", "shot": "framing"}
"""Where a `Shot` has each kind."""


def chips(shot: Shot | None, panel: Panel, cast: Sequence[str], say: Callable[..., str], of: str = "") -> str:
    """The chips of a panel that shows a `shot`, as HTML; nothing where nobody read it. `of` tells its frame
    (`Shown.token`)."""
    if shot is None:
        return ""
    language = say("chips.language")
    asked = {(one.kind, one.who) for words in panel.shows if (one := told(words, panel.cast))}

    def chip(kind: str, key: str, who: str = "", more: str = "") -> str:
        chosen = (kind, who) in asked
        keys = offered(kind)
        usual = say("chips.line") if chosen else say("chips.none")
        # First what takes the choice back, or stands for nothing; a key that is not offered is there while it holds.
        options = [("", usual)] if chosen or not key else []
        options += [(one, label(kind, one, language)) for one in dict.fromkeys([*([key] if key else []), *keys])]
        listed = "".join(
            f'<option value="{escape(one)}"{" selected" * (one == key)}>{escape(words)}</option>'
            for one, words in options
        )
        name = escape(f"{who}: {say(f'chips.{kind}')}" if who else say(f"chips.{kind}"))
        guessed = OF_SHOT.get(kind) in shot.guessed and not chosen
        hint = escape(say("chips.guessed")) if guessed else name
        classes = f"read{' guessed' * guessed}{' chosen' * chosen}"
        return (
            f'<label class="{classes}" title="{hint}"{more}><span>{escape(say(f"chips.{kind}"))}</span>'
            f'<select data-kind="{kind}" data-who="{escape(who)}" aria-label="{name}">{listed}</select></label>'
        )

    shown = "".join(chip(kind, getattr(shot, OF_SHOT[kind])) for kind in ("place", "time", "weather", "shot"))
    for role in shot.roles:
        fill = colour(cast.index(role.name)) if role.name in cast else ""
        roles = chip("does", role.action, role.name) + chip("mood", role.mood, role.name)
        shown += f'<div class="role" style="--who:{fill}"><b>{escape(role.name)}</b>{roles}</div>'
    waits = f'<p class="waits" role="status" data-words="{escape(say("arrange.waits"))}"></p>'
    about = f'role="group" aria-label="{escape(say("chips.about"))}" data-of="{escape(of)}"'
    return f'<div class="reads" {about}>{shown}{waits}</div>'


def read(studio: Studio, item: Shown | None, say: Callable[..., str], refused: int = 0) -> str:
    """The chips of an opened frame. `refused`, another number each time, has them say again what was read of it."""
    if item is None:
        return ""
    return chips(shot_of(studio, item), item.panel, item.job.names, say, item.token) + f"<!-- {refused} -->"


def chosen(panel: Panel, choice: Mapping[str, Any], say: Callable[..., str]) -> Panel:
    """The panel with what was chosen on a chip; as it is for what no chip says."""
    kind, who, key = (choice.get(name) for name in ("kind", "who", "key"))
    if not isinstance(kind, str) or kind not in {**SECTIONS, **ROLES} or (kind in ROLES) != (who in panel.cast):
        return panel
    who = who if kind in ROLES else ""
    if key and key not in offered(kind):
        return panel
    meant = [(words, told(words, panel.cast)) for words in panel.shows]
    kept = [words for words, one in meant if one is None or (one.kind, one.who) != (kind, who)]
    if key:
        words = label(kind, key, say("chips.language"))
        kept.append(f"{who} {words}" if who else words)
    return replace(panel, shows=tuple(kept))
