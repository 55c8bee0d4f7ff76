"""Scripts written: as data, and as plain text that reads back to the same panels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from anystory.script.escapes import escaped
from anystory.script.form import NOBODY, ScriptError
from anystory.script.read import read_script
from anystory.script.wildcards import has_wildcards
from anystory.story.from_sketch import KEY
from anystory.story.model import CastMember, Panel, Script
from anystory.story.prompt import find_names
from anystory.story.steering import steering_fields, steering_words

CURLY_QUOTES = ("“", "”", "„", "‘", "’", "‚")


def dump_script(script: Script) -> dict[str, Any]:
    """The script as strings, numbers, lists and dicts that `parse_script` reads back to an equal one."""

    def filled(**entries: Any) -> dict[str, Any]:
        return {key: value for key, value in entries.items() if value not in ("", None, [], {})}

    def files(*paths: Path | None) -> list[str | None] | str | None:
        named = [str(path) if path else None for path in paths]
        return None if not any(named) else named if len(named) > 1 else named[0]

    return {
        **filled(
            title=script.title,
            style=script.style,
            styles={style.name: style.template for style in script.styles},
            size=script.size and script.size.written,
            shape=script.shape,
            pages=script.pages,
            from_sketch=None if script.from_sketch is None else str(script.from_sketch),
            segmenter=script.segmenter,
        ),
        "cast": [
            filled(
                name=member.name,
                image=files(member.image, *(image for image, _ in member.more)),
                mask=files(member.mask, *(mask for _, mask in member.more)),
                description=member.description,
                height=member.height,
                facing=member.facing,
                drawing=member.drawing,
            )
            for member in script.cast
        ],
        "panels": [
            filled(
                prompt=panel.prompt,
                caption=panel.caption,
                dialogue=[{"who": line.who, "say": line.say} for line in panel.dialogue],
                seed=panel.seed,
                size=panel.size and panel.size.written,
                shape=panel.shape,
                style=panel.style,
                shows=list(panel.shows),
                duration=panel.duration,
            )
            | steering_fields(panel.steering)
            | _told_cast(panel, script.cast)
            for panel in script.panels
        ],
    }


class _Dumper(yaml.SafeDumper):
    """YAML that is read back as it was: curly quotes around a whole text are its own, in quotes of YAML's."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if text[:1] in CURLY_QUOTES else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def script_yaml(script: Script) -> str:
    """The script as YAML that `load_script` reads back to an equal one."""
    return yaml.dump(dump_script(script), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def _told_cast(panel: Panel, cast: Sequence[CastMember]) -> dict[str, list[str]]:
    """Who is in a panel, also when nobody is, or the prompt would be searched for names. It may be, and must, where
    wildcards decide."""
    wild = has_wildcards(panel.prompt) and not panel.told and "[" not in panel.prompt
    return {} if wild and _named(panel, cast) == set(panel.cast) else {"cast": list(panel.cast)}


def _named(panel: Panel, cast: Sequence[CastMember]) -> set[str]:
    return {mention.name for mention in find_names(panel.prompt, [member.name for member in cast])}


def script_lines(script: Script) -> str:
    """The panels as plain text, after the size, shape and pages of them all. Read with the same cast it gives the same
    panels, but for breaks and runs of spaces in prompts, which mean nothing to a model."""
    frames = {"size": script.size, "shape": script.shape, "pages": script.pages, KEY: script.from_sketch}
    head = [f"{key}: {value}" for key, value in frames.items() if value not in (None, "")]
    return "\n".join([*head, *[""] * bool(head), *(panel_lines(panel, script.cast) for panel in script.panels)])


def panel_lines(panel: Panel, cast: Sequence[CastMember]) -> str:
    """One panel as plain text: its line, and a line below for each of its dialogue. Who is in it is written where the
    prompt does not tell, or where it is told apart and wildcards would decide, and [NC] where it is told that nobody
    is."""
    panel = replace(panel, prompt=" ".join(panel.prompt.split()))
    steered = steering_words(panel.steering)
    named = _named(panel, cast)
    names = ", ".join(panel.cast) or NOBODY
    plain = named == set(panel.cast) and (named or (panel.prompt and not panel.told))
    natural = "" if plain and not (panel.told and has_wildcards(panel.prompt)) else f"[{names}] "
    written = []
    # A list's mark in front keeps a line from being taken for one of another form: `panels:`, `INT. HOUSE`, `{`.
    for who, whole, mark in itertools.product((natural, f"[cast: {names}] "), (False, True), ("", "- ")):
        prompt, caption, style = (escaped(text, whole) for text in (panel.prompt, panel.caption, panel.style))
        tags = {"style": style, "seed": panel.seed, "size": panel.size, "shape": panel.shape}
        tags |= {"shows": "; ".join(panel.shows)}
        tags["duration"] = None if panel.duration is None else f"{panel.duration:.12g}"
        tagged = "".join(f"[{key}: {value}] " for key, value in tags.items() if value not in ("", None))
        line = f"{mark}{tagged}{steered and f'{steered} '}{who}{prompt}{caption and f'  # {caption}'}".rstrip()
        written.append("\n".join([line, *(f"> {line.who}: {escaped(line.say)}" for line in panel.dialogue)]))
        if _reads_back(written[-1], panel, cast):
            return written[-1]
    return written[0]


def _reads_back(lines: str, panel: Panel, cast: Sequence[CastMember]) -> bool:
    """Whether a panel's lines give it, also between others: those among which it is read least easily."""
    other = f"[{NOBODY}] a, b; c"
    places = (f"{lines}\n\n{other}", 0), (f"{lines}\n{other}", 0), (f"{other}\n{lines}", 1)
    try:
        read = ((read_script(text, cast=cast).panels, at) for text, at in places)
        return all(len(panels) == 2 and panels[at] == panel for panels, at in read)
    except ScriptError:
        return False
