"""The panels as cards: the script's text seen panel by panel, and what is done on a card as a change of the text."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from anystory.maps.overlay import colour
from anystory.script.edits import insert_panel, move_panel, remove_panel, with_name, with_panel, with_prompt
from anystory.script.form import MAX_TEXT, Reading, ScriptError
from anystory.script.lint import Finding
from anystory.script.read import read_script
from anystory.script.wildcards import WildcardError, expand_panel, has_wildcards
from anystory.story.model import BOUNDS, MAX_SEED, CastMember, Line, Panel, panel_seed
from anystory.story.size import SHAPES, Size
from ui import html, paints

USUAL = (64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
"""Sides of frames to choose from."""

CARDS = (Path(__file__).parent / "js" / "panels.js").read_text(encoding="utf-8")
"""What the cards do in the browser."""

COPY = (
    '<svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.4" '
    'aria-hidden="true"><rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 3.5v-1h-8v8h1"/></svg>'
)
"""Two sheets, which no font of the page has."""

Words = Callable[..., str]
Action = Mapping[str, Any]
"""What is done on a card: `do`, the panel's `number`, and what that takes: `field`, `line`, `text`, `to`."""


def acted(text: str, members: Sequence[CastMember], action: Action) -> str:
    """The text after something was done on a card; as it is where there is no such panel any more."""
    try:
        reading = read_script(text, None, members)
        cast, number = reading.script.cast, int(action["number"])
        match action["do"]:
            case "remove":
                return remove_panel(text, number, members)
            case "move":
                return move_panel(text, number, int(action["to"]), members)
            case "add":
                return insert_panel(text, number + 1, Panel(""), members)
            case "copy":
                copied = reading.panels[number - 1]
                return text if copied is None else insert_panel(text, number + 1, copied, members)
        panel = reading.panels[number - 1]
        names = [member.name for member in cast]
        return with_panel(text, number, _changed(panel or Panel(""), names, action), members)
    except (ScriptError, LookupError, AttributeError, TypeError, ValueError):  # somebody else's panel, or made up
        return text


def _changed(panel: Panel, names: Sequence[str], action: Action) -> Panel:
    line, said = int(action.get("line") or 0), list(panel.dialogue)
    words = " ".join(str(action.get("text") or "").split())[:MAX_TEXT]
    match action["do"], action.get("field"):
        case "name", _:
            return with_name(panel, words, names)
        case "dice", _:
            return replace(panel, seed=secrets.randbelow(2**31))
        case "say", _:
            who = next((name for name in (*panel.cast, *names)), None)
            return replace(panel, dialogue=(*said, Line(who, "…"))) if who else panel
        case "edit", "prompt":
            return with_prompt(panel, words, names)
        case "edit", "caption":
            return replace(panel, caption=words)
        case "edit", "style":
            return replace(panel, style=words)
        case "edit", "seed":
            return replace(panel, seed=min(int(words), MAX_SEED) if words else None)
        case "edit", "size":
            low, high = BOUNDS["size"]
            size = Size(*(min(max(side, low), high) for side in Size.of(words))) if words else None
            return replace(panel, size=size, shape=panel.shape if size is None or size.is_square else "")
        case "edit", "shape":
            size = panel.size if panel.size and panel.size.is_square else None
            return replace(panel, shape=words, size=size) if words in ("", *SHAPES) else panel
        case "edit", "who" if words in names:
            said[line] = replace(said[line], who=words)
        case "edit", "say":
            said[line : line + 1] = [replace(said[line], say=words)] if words else []
    return replace(panel, dialogue=tuple(said))


def cards(
    reading: Reading | None,
    found: Sequence[Finding],
    seed: int,
    presets: Sequence[str],
    sizes: range | None,
    say: Words,
    slots: Sequence[str] = (),
) -> str:
    """Every panel as a card, with what was `found` in it; `seed` is the story's, `sizes` what the backend draws,
    `slots` the places of the cards' pictures. The words are said here, not left to the browser: cards that are as they
    were are then known at a glance."""
    if reading is None or not reading.panels:
        return ""

    def word(key: str, **values: object) -> str:
        return escape(say(key, **values))

    starts = [reading.span(("panels", index))[0] for index in range(len(reading.panels))] + [len(reading.source) + 1]
    names = [member.name for member in reading.script.cast]
    shown = []
    for index, panel in enumerate(reading.panels):
        here = [finding for finding in found if finding.end and starts[index] <= finding.start < starts[index + 1]]
        raw = reading.source[slice(*reading.span(("panels", index)))]
        slot = slots[index] if slots else ""
        told = html.findings(here, say, "div", "div")
        shown.append(_card(index + 1, len(reading.panels), panel, raw, names, told, seed, slot, word))
    lists = "".join(f'<option value="{escape(preset)}"></option>' for preset in presets)
    drawn = "".join(f'<option value="{size}"></option>' for size in _offered(sizes))
    shapes = "".join(f'<option value="{shape}"></option>' for shape in SHAPES)
    return (
        f'<ol class="panels">{"".join(shown)}</ol>'
        f'<datalist id="presets">{lists}</datalist><datalist id="sizes">{drawn}</datalist>'
        f'<datalist id="shapes">{shapes}</datalist>'
    )


def _offered(sizes: range | None) -> list[int]:
    """Of the usual sizes those that a backend draws."""
    return [size for size in USUAL if size in (sizes or ())]


def _card(
    number: int,
    count: int,
    panel: Panel | None,
    raw: str,
    names: list[str],
    findings: str,
    seed: int,
    slot: str,
    say: Words,
) -> str:
    where = say("panel.number", number=number)
    tools = "".join(
        f'<button type="button" class="{do}" title="{say(key)}" aria-label="{say(key)}"{" disabled" * off}>{sign}'
        "</button>"
        for do, key, sign, off in (
            ("up", "cast.up", "↑", number == 1),
            ("down", "cast.down", "↓", number == count),
            ("copy", "panel.copy", COPY, panel is None),
            ("add", "panel.below", "+", False),
            ("remove", "panel.remove", "✕", False),
        )
    )
    grip = f'<span class="number" draggable="true" title="{say("panel.drag")}">{number}</span>'
    body = (
        f'<p class="raw">{escape(paints.short(raw))}</p>' if panel is None else _body(number, panel, names, seed, say)
    )
    return (
        f'<li class="panel" data-number="{number}" aria-label="{where}">{slot}<div class="head">{grip}'
        f'<span class="order">{tools}</span></div>{body}{findings}</li>'
    )


def _chips(panel: Panel, names: Sequence[str], say: Words) -> str:
    """The cast as buttons, those who are in the panel first; nobody is a word."""
    inside = [name for name in names if name in panel.cast]
    pills = "" if inside else f'<span class="chip nobody">{say("panel.nobody")}</span>'
    for name in (*inside, *(name for name in names if name not in panel.cast)):
        kind, pressed = ("chip", "true") if name in panel.cast else ("join", "false")
        pills += (
            f'<button type="button" class="{kind} name" style="--who:{colour(names.index(name))}" '
            f'aria-pressed="{pressed}" data-name="{escape(name)}">{escape(name)}</button>'
        )
    return f'<span class="chips" role="group" aria-label="{say("panel.cast")}">{pills}</span>'


def _body(number: int, panel: Panel, names: list[str], seed: int, say: Words) -> str:
    prompt = escape(panel.prompt)
    becomes = ""
    if has_wildcards(panel.prompt):
        try:
            text = expand_panel(panel, panel_seed(seed, number), tuple(names)).prompt
            becomes = f'<p class="becomes">{say("script.wildcards", text=text)}</p>'
        except WildcardError:  # which is among the findings
            pass
    lines = "".join(_line(index, line, names, say) for index, line in enumerate(panel.dialogue))
    adds = f'<button type="button" class="say">{say("panel.say")}</button>' if names else ""
    used = " open" if panel.seed is not None or panel.size is not None or panel.shape or panel.style else ""
    return (
        f'<textarea class="prompt" rows="1" data-field="prompt" data-value="{prompt}" '
        f'aria-label="{say("panel.prompt")}" '
        f'placeholder="{say("panel.prompt")}" maxlength="{MAX_TEXT}">{prompt}</textarea>{becomes}'
        f"{_chips(panel, names, say)}"
        f"{_input('caption', panel.caption, 'panel.caption', say)}{lines}"
        f'<div class="below">{adds}<details{used}><summary>{say("panel.more")}</summary><div class="own">'
        f"<label>{say('settings.seed')}{_input('seed', panel.seed, 'settings.seed', say, 'inputmode=numeric')}</label>"
        f'<button type="button" class="dice" title="{say("settings.roll")}" aria-label="{say("settings.roll")}">⚄'
        "</button>"
        f"<label>{say('panel.size')}"
        f"{_input('size', panel.size, 'panel.size', say, 'list=sizes')}</label>"
        f"<label>{say('panel.shape')}{_input('shape', panel.shape, 'panel.shape', say, 'list=shapes')}</label>"
        f"<label>{say('script.style')}{_input('style', panel.style, 'script.style', say, 'list=presets')}</label>"
        "</div></details></div>"
    )


def _input(field: str, value: object, label: str, say: Words, more: str = "") -> str:
    text = "" if value is None else escape(" ".join(str(value).split()))
    hint = say("panel.caption" if field == "caption" else "panel.story")
    return (
        f'<input type="text" class="{field}" data-field="{field}" value="{text}" data-value="{text}" '
        f'aria-label="{say(label)}" placeholder="{hint}" autocomplete="off" maxlength="{MAX_TEXT}" {more}>'
    )


def _line(index: int, line: Line, names: Sequence[str], say: Words) -> str:
    options = "".join(
        f'<option value="{escape(name)}"{" selected" * (name == line.who)}>{escape(name)}</option>' for name in names
    )
    words = escape(" ".join(line.say.split()))
    return (
        f'<div class="said" style="--who:{colour(names.index(line.who))}"><select data-field="who" data-line="{index}" '
        f'data-value="{escape(line.who)}" aria-label="{say("panel.who")}">{options}</select>'
        f'<input type="text" data-field="say" data-line="{index}" value="{words}" data-value="{words}" '
        f'aria-label="{say("panel.words")}" autocomplete="off" maxlength="{MAX_TEXT}">'
        f'<button type="button" class="unsay" data-line="{index}" title="{say("panel.unsay")}" '
        f'aria-label="{say("panel.unsay")}">✕</button></div>'
    )


def legend(reading: Reading | None, say: Words) -> str:
    """Who is in how many panels, as buttons that show them in the cast."""
    if reading is None:
        return ""
    names = [member.name for member in reading.script.cast]
    pills = "".join(
        f'<button type="button" class="go" style="--who:{colour(names.index(name))}" data-name="{escape(name)}" '
        f'title="{escape(say("panel.show", name=name))}">{escape(name)} <b>{count}</b></button>'
        for name in names
        if (count := sum(name in panel.cast for panel in reading.script.panels))
    )
    return f'<div class="legend">{pills}</div>' if pills else ""
