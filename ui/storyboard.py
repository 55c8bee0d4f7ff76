"""Scripts that come as files: read as far as they go, turned into a cast, lines, a title and a style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from anystory.images import ImageError
from anystory.script import MAX_CAST, Reading, ScriptError, Span, Where, read_script, script_lines, script_text
from anystory.segment import MODELS, Segmenter, SegmentError, is_here
from anystory.story import MAX_PICTURES, Style
from anystory.styles import FILE, own_styles
from ui import cast

SCRIPTS = (".txt", ".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Board:
    """A script from a file: what goes into the cast and the script's boxes, and what was wrong with it.
    `segmenter` is the model it asks for; it has been used if it is on this machine."""

    actors: tuple[cast.Actor, ...]
    title: str
    style: str
    lines: str
    styles: tuple[Style, ...]
    segmenter: str
    notices: tuple[str, ...]


def load(paths: Sequence[str], present: Sequence[cast.Actor], model: str) -> Board:
    """Read the script among the dropped files; pictures it names are those dropped with it, by their file names.

    Characters called like one of those `present` keep what they have, and whoever else has an own picture stays in
    the cast as long as there is room. Raises ScriptError or StyleError
    with a sentence where there is nothing to be read. `model` cuts out what is new, unless the script names another
    one that needs no download.
    """
    files = {Path(path).name.casefold(): Path(path) for path in paths}
    presets = files.pop(FILE, None)
    styles = own_styles(presets.parent) if presets else ()
    scripts = [path for path in files.values() if path.suffix.lower() in SCRIPTS]
    if len(scripts) != 1:
        raise ScriptError(
            f"Drop one script at a time, not {len(scripts)}: a {', '.join(SCRIPTS[:-1])} or {SCRIPTS[-1]} file, "
            "with the pictures it names."
        )
    (path,) = scripts
    reading = read_script(script_text(path), structured=path.suffix.lower() != ".txt")
    if not reading.panels and not reading.script.cast:
        raise reading.errors[0]
    wanted = reading.script.segmenter if reading.script.segmenter in MODELS else model
    segmenter = Segmenter(wanted if is_here(wanted) else model)
    pictures, notices = _pictures(reading, files)
    there = {actor.name.casefold(): actor for actor in present}
    actors: list[cast.Actor] = []
    for member in reading.script.cast:
        actor = there.pop(member.name.casefold(), cast.Actor(member.name))
        for picture, mask in pictures.get(member.name, ()) if not actor.pictures else ():
            try:
                more = cast.pictured(member.name, picture, mask, segmenter).pictures
                actor = replace(actor, pictures=(*actor.pictures, *more))
            except (ImageError, SegmentError) as error:
                notices.append(f"{member.name}: {error}")
        actors.append(replace(actor, name=member.name, description=member.description or actor.description))
    stay = [actor for actor in there.values() if actor.pictures and not actor.drawn]
    room = MAX_CAST - len(actors)
    notices += [f"{actor.name} left the cast, which has room for {MAX_CAST}." for actor in stay[room:]]
    actors += stay[:room]
    return Board(
        actors=tuple(actors),
        title=reading.script.title,
        style=reading.script.style,
        lines=_lines(reading),
        styles=(*reading.script.styles, *styles),
        segmenter=wanted,
        notices=tuple(notices),
    )


def _lines(reading: Reading) -> str:
    told = [told for panel, told in zip(reading.panels, reading.told, strict=True) if panel and panel.prompt]
    return script_lines(reading.script, told) if told else ""


def _pictures(
    reading: Reading, files: Mapping[str, Path]
) -> tuple[dict[str, list[tuple[Path, Path | None]]], list[str]]:
    """Pictures and masks among the dropped files by character, and a sentence for whatever was wrong with the script.

    Nothing of this machine is looked for: a picture is one of the dropped files or it is missing.
    """
    found: dict[str, list[tuple[Path, Path | None]]] = {}
    spans, notices = set(), []
    for index, name in enumerate(reading.members):
        named: dict[tuple[str, int], Path | None] = {}
        for key in ("image", "mask"):
            for number, span in _places(reading, ("cast", index, key)):
                wanted = reading.source[slice(*span)].strip()
                if wanted in ("", "null", "~", "[]"):
                    continue
                spans.add(span)
                file = PurePosixPath(wanted.replace("\\", "/")).name
                named[key, number] = files.get(file.casefold())
                if named[key, number] is None:
                    said = f"drop both together, or give {name} a picture."
                    notices.append(f"{file} was not dropped with the script: {said}")
        images = {number: file for (key, number), file in named.items() if key == "image" and file}
        if name is not None and images:
            found[name] = [(file, named.get(("mask", number))) for number, file in images.items()]
    return found, [*(str(error) for error in reading.errors if error.span not in spans), *notices]


def _places(reading: Reading, path: Where) -> list[tuple[int, Span]]:
    """Where the files of a key stand in the source, by their numbers (from 0): it has one, or a list of them."""
    listed = [(number, reading.spans.get((*path, number))) for number in range(MAX_PICTURES)]
    return [(number, span) for number, span in listed if span] or [
        (0, span) for span in [reading.spans.get(path)] if span
    ]
