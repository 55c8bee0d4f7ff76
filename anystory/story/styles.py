"""Styles: presets by name, ours (styles.yaml in this folder) and those of a `styles.yaml` beside a script or project.

A style in a script is the name of a preset, in any case, or else words of one's own: "watercolour on grey paper".
Words with `{prompt}` in them are a template themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from anystory.errors import AnyStoryError, Message
from anystory.story.model import Panel, Script, Style
from anystory.supplies import read_yaml

FILE = "styles.yaml"
NO_STYLE = "(No style)"
"""The preset that adds nothing: a panel that has it goes without the story's style."""
SLOT = "{prompt}"
MAX_BYTES = 100_000
MAX_STYLES = 200
MAX_NAME = 60
MAX_TEMPLATE = 1000


class StyleError(AnyStoryError, ValueError):
    """A file of presets cannot be used. The message is one sentence for the user."""


@cache
def presets() -> tuple[Style, ...]:
    """The presets supplied, in the order of a menu; `NO_STYLE` is the first."""
    return read_styles(read_yaml(Path(__file__).with_name(FILE), as_text=True), FILE)


def own_styles(folder: str | Path) -> tuple[Style, ...]:
    """The presets of `styles.yaml` in a folder; none where there is no such file. Raises `StyleError`."""
    path = Path(folder) / FILE
    return _load(path) if path.is_file() else ()


def all_styles(own: Iterable[Style] = ()) -> tuple[Style, ...]:
    """What a menu offers: the presets supplied, reworded where one of `own` has their name, then the rest of `own`. Of
    several with one name in `own` the first counts."""
    named = {style.name.casefold(): style for style in presets()}
    named |= {style.name.casefold(): style for style in joined(own)}
    return tuple(named.values())


def joined(*several: Iterable[Style]) -> tuple[Style, ...]:
    """Presets one after the other, without those that have the name of one before."""
    named: dict[str, Style] = {}
    for style in chain(*several):
        named.setdefault(style.name.casefold(), style)
    return tuple(named.values())


def find_style(name: str, own: Iterable[Style] = ()) -> Style | None:
    """The preset of that name in any case, one's own before ours; None where `name` is words."""
    wanted = " ".join(name.split()).casefold()
    return next((style for style in all_styles(own) if style.name.casefold() == wanted), None)


def style_of(script: Script, panel: Panel) -> str:
    """The style of a panel, its own or the story's, as `compose` takes it: a template or words, "" for none."""
    name = panel.style or script.style
    style = find_style(name, script.styles)
    return style.template if style else name


def read_styles(data: Any, where: str = FILE) -> tuple[Style, ...]:
    """Check presets given as {name: template}. Raises `StyleError` with a sentence that names `where`."""
    if not isinstance(data, Mapping):
        raise StyleError(
            Message("{where} must hold lines such as `My style: {slot}, in chalk`.", where=where, slot=SLOT)
        )
    if len(data) > MAX_STYLES:
        raise StyleError(
            Message(
                "{where} has {count} styles; at most {max_styles} can be read.",
                where=where,
                count=len(data),
                max_styles=MAX_STYLES,
            )
        )
    styles: dict[str, Style] = {}
    for key, value in data.items():
        name = " ".join(str(key).split())
        if not name or len(name) > MAX_NAME or any(char in name for char in "[]\n"):
            raise StyleError(
                Message(
                    "{where}: a style's name has 1 to {max_name} characters and none of [ ], not {name}.",
                    where=where,
                    max_name=MAX_NAME,
                    name=repr(name[:80]),
                )
            )
        if not isinstance(value, str) or len(value) > MAX_TEMPLATE:
            raise StyleError(
                Message(
                    "{where}: the style {name} must be text of at most {max_template} characters.",
                    where=where,
                    name=repr(name),
                    max_template=MAX_TEMPLATE,
                )
            )
        template = " ".join(value.split())
        if template.count(SLOT) != 1:
            raise StyleError(
                Message(
                    "{where}: the style {name} must have {slot} in it once, where the panel's words go.",
                    where=where,
                    name=repr(name),
                    slot=SLOT,
                )
            )
        if name.casefold() in styles:
            raise StyleError(
                Message("{where}: the style {name} is given twice; keep one.", where=where, name=repr(name))
            )
        styles[name.casefold()] = Style(name, template)
    return tuple(styles.values())


def _load(path: Path) -> tuple[Style, ...]:
    try:
        text = path.read_bytes()
        if len(text) > MAX_BYTES:
            raise StyleError(
                Message(
                    "{file} is larger than {max_bytes} kB; shorten it.", file=path.name, max_bytes=MAX_BYTES // 1000
                )
            )
        return read_styles(yaml.load(text.decode("utf-8-sig"), Loader=yaml.BaseLoader) or {}, path.name)
    except OSError as error:
        raise StyleError(
            Message("{file} cannot be read ({strerror}).", file=path.name, strerror=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise StyleError(Message("{file} is not UTF-8 text; save it as UTF-8.", file=path.name)) from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = Message(" in line {line}", line=mark.line + 1) if mark else ""
        raise StyleError(
            Message("{file} is not YAML{line}; put quotes around every template.", file=path.name, line=line)
        ) from error
