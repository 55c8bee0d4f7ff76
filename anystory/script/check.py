"""A script's data checked, and made a `Script`: every mistake told in one sentence, with its place in the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from anystory.cast.segment import MODELS
from anystory.errors import Message
from anystory.script.form import MAX_CAST, MAX_ERRORS, MAX_PANELS, SCRIPT_KEYS, Parsed, Reading, meant, nearest, shown
from anystory.script.members import Members
from anystory.script.panels import PanelReader
from anystory.script.values import Values
from anystory.story.from_sketch import KEY
from anystory.story.layouts import LAYOUTS
from anystory.story.model import CastMember, Script, Style
from anystory.story.styles import StyleError, find_style, joined, read_styles


def check(
    parsed: Parsed, folder: Path | None = None, known: Sequence[CastMember] = (), own: Sequence[Style] = ()
) -> Reading:
    """Read what was taken apart as far as it goes. `folder` is where its pictures lie (None forbids them), `known` are
    characters there are already, as in `anystory.script.read.parse_script`, `own` presets beside the script, after
    those it has itself."""
    values = Values(parsed, folder)
    members = Members(values, known)
    values.errors += parsed.problems[:MAX_ERRORS]
    entries = values.attempt(values.mapping, parsed.data, (), SCRIPT_KEYS, otherwise={})
    cast = values.attempt(values.items, entries, "cast", (), MAX_CAST, otherwise=[])
    named = [values.attempt(members.member, entry, ("cast", index)) for index, entry in enumerate(cast)]
    members.check_names([(name, ("cast", index, "name")) for index, name in enumerate(named) if name is not None])
    for index, entry in enumerate(cast):
        values.attempt(members.take_aliases, entry, named[index], ("cast", index))
    panel = PanelReader(values, members).panel
    listed = values.attempt(values.items, entries, "panels", (), MAX_PANELS, otherwise=None)
    if listed is not None and not listed and not values.errors:
        values.report(
            ("panels",),
            Message("The script has no panels; write at least one{under}.", under=values.under("panels")),
        )
    panels = tuple(values.attempt(panel, entry, ("panels", index)) for index, entry in enumerate(listed or []))
    texts = {
        key: values.attempt(values.text, entries, key, (), otherwise="") for key in ("title", "style", "segmenter")
    }
    if texts["segmenter"] not in ("", *MODELS):
        near = nearest(texts["segmenter"], MODELS)
        hint = meant(near)
        wrong = Message("There is no segmentation model {name}{hint}", name=shown(texts["segmenter"]), hint=hint)
        values.report(
            ("segmenter",),
            Message("{wrong}; choose one of {models}.", wrong=wrong, models=", ".join(MODELS)),
            fix=near,
        )
    seen = tuple(panel for panel in panels if panel and panel.prompt)
    frame = values.frame(entries, ())
    frame |= {"pages": _pages(values, entries, frame), KEY: values.attempt(values.from_sketch, entries, ())}
    script = Script(seen, tuple(members.cast), **texts, **frame)
    styles = _styles(values, entries, script, own)
    return Reading(
        source=values.source,
        script=replace(script, styles=styles),
        members=tuple(named),
        aliases=tuple(members.aliases),
        panels=panels,
        errors=tuple(values.errors),
        spans=values.spans,
        left_out=parsed.left_out,
    )


def _styles(values: Values, entries: Mapping[str, Any], script: Script, own: Sequence[Style]) -> tuple[Style, ...]:
    """The presets the script brings, and of those beside it the ones that it uses."""
    brought: tuple[Style, ...] = ()
    if entries.get("styles") is not None:
        try:
            brought = read_styles(entries["styles"], "styles")
        except StyleError as error:
            values.report(("styles",), error.said)
    asked = [script.style, *(panel.style for panel in script.panels)]
    used = [style for style in own if any(find_style(name, own) == style for name in asked)]
    return joined(brought, used)


def _pages(values: Values, entries: Mapping[str, Any], frame: Mapping[str, Any]) -> str:
    """The layout of pages whose cells give frames their shapes; "" where none is said."""
    pages = values.attempt(values.text, entries, "pages", (), otherwise="").casefold()
    if pages not in ("", *LAYOUTS):
        near, layouts = nearest(pages, LAYOUTS), ", ".join(LAYOUTS)
        wrong = Message("There is no layout {layout}; the layouts are {layouts}.", layout=shown(pages), layouts=layouts)
        values.report(("pages",), wrong, fix=near)
        return ""
    if pages and (frame["shape"] or (frame["size"] and not frame["size"].is_square)):
        wrong = Message("The story has a shape and pages that give each panel its own; leave one out.")
        values.report(("pages",), wrong)
        return ""
    return pages
