"""Scripts that come as files: read as far as they go, turned into a cast, lines, a title and a style."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from anystory.cast.filenames import SUFFIXES as PICTURES
from anystory.cast.filenames import basename
from anystory.cast.images import ImageError, open_image
from anystory.cast.segment import MODELS, Segmenter, SegmentError, is_here
from anystory.errors import DAMAGE, Message, listed
from anystory.project.folder import write_atomic
from anystory.script.form import MAX_CAST, Reading, ScriptError, Span, Where, shown
from anystory.script.read import SUFFIXES, form_of, read_script, script_text
from anystory.script.write import script_lines
from anystory.story.model import MAX_PICTURES, CastMember, Style
from anystory.story.names import folded
from anystory.story.steering import PAINT, painted
from anystory.story.styles import FILE, own_styles
from ui import cast

FEW = 3
"""Names of files that one sentence tells."""

MAX_FILES, MAX_UNZIPPED = 2000, 200_000_000
"""Files and bytes of a ZIP with a script in it."""

NOTHING = ("", "null", "~", "[]", "{}")
"""How a source writes that there is no file."""


@dataclass(frozen=True)
class Board:
    """A script from a file: what goes into the cast and the script's boxes, and what was wrong with it.
    `segmenter` is the model it asks for; it has been used if it is on this machine. `unnamed` are the pictures
    beside it that it does not name."""

    actors: tuple[cast.Actor, ...]
    title: str
    style: str
    lines: str
    styles: tuple[Style, ...]
    segmenter: str
    notices: tuple[str, ...]
    unnamed: tuple[str, ...]


def unzipped(paths: Sequence[str]) -> list[str]:
    """The dropped files; in place of a ZIP that holds a script or pictures and no story, its script and pictures,
    unpacked beside it. Raises ScriptError for one that is too large."""
    if [Path(path).suffix.lower() for path in paths] != [".zip"]:
        return list(paths)
    source, found = Path(paths[0]), []
    try:
        with zipfile.ZipFile(source) as archive:
            files = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = {entry.filename: basename(entry.filename) for entry in files}
            kept = [entry for entry in files if _is_script(entry.filename) or _is_picture(entry.filename)]
            if {"story.json", "draft.json"} & set(names.values()) or not kept:
                return list(paths)
            if len(kept) > MAX_FILES or sum(entry.file_size for entry in kept) > MAX_UNZIPPED:
                raise ScriptError(
                    Message(
                        "{file} holds more than {count} files or {size} MB; drop the script with fewer pictures.",
                        file=source.name,
                        count=MAX_FILES,
                        size=MAX_UNZIPPED // 1_000_000,
                    )
                )
            for number, entry in enumerate(kept):
                with archive.open(entry) as part:
                    data = part.read(entry.file_size)
                target = source.with_name(f"{source.stem}-{number}") / names[entry.filename]
                write_atomic({target: data})
                found.append(str(target))
    except (*DAMAGE, RuntimeError):  # which is said where a story is opened
        return list(paths)
    return found


def _is_script(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith("__MACOSX")


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in PICTURES and not name.startswith("__MACOSX")


def load(paths: Sequence[str], present: Sequence[cast.Actor], model: str) -> Board:
    """Read the script among the dropped files; pictures it names are those dropped with it, by their file names.

    Those `present` are known to it as they are to text in the box. Characters that it has itself come first and keep
    what those called like them have; of the others whoever is in a panel, or has an own picture, stays in the cast as
    long as there is room. Raises ScriptError or StyleError with a sentence where there is nothing to be read. `model`
    cuts out what is new, unless the script names another one that needs no download.
    """
    files = {folded(Path(path).name): Path(path) for path in paths}
    shared = [Path(path).name for path in paths if files[folded(Path(path).name)] != Path(path)]
    presets = files.pop(FILE, None)
    styles = own_styles(presets.parent) if presets else ()
    scripts = [path for path in files.values() if path.suffix.lower() in SUFFIXES]
    if len(scripts) != 1:
        raise ScriptError(
            Message(
                "Drop one script at a time, not {count}: a {kinds} or {last} file, with the pictures it names.",
                count=len(scripts),
                kinds=", ".join(SUFFIXES[:-1]),
                last=SUFFIXES[-1],
            )
        )
    (path,) = scripts
    read = partial(read_script, form=form_of(path))
    alone = read(script_text(path))
    if not alone.panels and not alone.script.cast:
        raise alone.errors[0]
    own = {folded(member.name) for member in alone.script.cast}
    others = [actor for actor in present if folded(actor.name) not in own]
    aliases = {alias.casefold() for alias in alone.aliases}
    known = [CastMember(actor.name) for actor in others if folded(actor.name) not in aliases]
    unnamed = _unnamed(alone, files)
    source, refused = _with_paint(alone, files)
    reading = read(source, cast=known)
    wanted = reading.script.segmenter if reading.script.segmenter in MODELS else model
    segmenter = Segmenter(wanted if is_here(wanted) else model)
    pictures, notices = _pictures(reading, files)
    notices += [
        Message("{words} is left out: {why}.", words=shown(" ".join(source[slice(*out.span)].split())), why=out.why)
        for out in reading.left_out
    ]
    notices += [
        *refused,
        *(
            Message("{file} was left out: another dropped file has that name; rename one.", file=name)
            for name in shared
        ),
    ]
    there = {folded(actor.name): actor for actor in present}
    called_so = {folded(cast.name_from_file(path)): path for path in unnamed}
    actors: list[cast.Actor] = []
    for member in reading.script.cast[len(known) :]:
        actor = there.get(folded(member.name), cast.Actor(member.name))
        given = pictures.get(member.name, [])
        if not given and (called := called_so.get(folded(member.name))) and not actor.pictures:
            unnamed.remove(called)
            given = [(called, None)]
        for picture, mask in given if not actor.pictures else ():
            try:
                more = cast.pictured(member.name, picture, mask, segmenter).pictures
                actor = replace(actor, pictures=(*actor.pictures, *more))
            except (ImageError, SegmentError) as error:
                notices.append(Message("{name}: {error}", name=member.name, error=error))
        kept = ("description", "height", "facing", "drawing")
        said = {key: getattr(member, key) or getattr(actor, key) for key in kept}
        actors.append(replace(actor, name=member.name, **said))
    told = {name for panel in reading.script.panels for name in (*panel.cast, *(line.who for line in panel.dialogue))}
    stay = [actor for actor in others if actor.name in told or (actor.pictures and not actor.drawn)]
    room = MAX_CAST - len(actors)
    notices += [
        Message("{name} left the cast, which has room for {count}.", name=actor.name, count=MAX_CAST)
        for actor in stay[room:]
    ]
    actors += stay[:room]
    return Board(
        actors=tuple(actors),
        title=reading.script.title,
        style=reading.script.style,
        lines=script_lines(reading.script),
        styles=(*reading.script.styles, *styles),
        segmenter=wanted,
        notices=tuple(notices),
        unnamed=tuple(map(str, unnamed)),
    )


def left_out(unnamed: Sequence[str]) -> list[str]:
    """A sentence on the dropped pictures that a script does not name."""
    left = [Path(path).name for path in unnamed]
    if not left:
        return []
    several = [*left[:FEW], Message("{count} more", count=len(left) - FEW)] if len(left) > FEW + 1 else left
    return [Message("The script does not name these pictures, so they were left out: {files}.", files=listed(several))]


def _unnamed(reading: Reading, files: Mapping[str, Path]) -> list[Path]:
    """The dropped pictures that the script does not name."""
    spans = [
        span
        for index in range(len(reading.members))
        for key in ("image", "mask")
        for _, span in _places(reading, ("cast", index, key))
    ]
    named = {basename(reading.source[slice(*span)].strip()) for span in spans} | set(_layouts(reading).values())
    known = set(map(folded, named))
    return [path for key, path in files.items() if key not in known and path.suffix.lower() not in SUFFIXES]


def _pictures(
    reading: Reading, files: Mapping[str, Path]
) -> tuple[dict[str, list[tuple[Path, Path | None]]], list[str]]:
    """Pictures and masks among the dropped files by character, and a sentence for whatever was wrong with the script.

    Nothing of this machine is looked for: a picture is one of the dropped files or it is missing.
    """
    found: dict[str, list[tuple[Path, Path | None]]] = {}
    spans = set(_layouts(reading))
    notices: list[str] = []
    for index, name in enumerate(reading.members):
        named: dict[tuple[str, int], Path | None] = {}
        for key in ("image", "mask"):
            for number, span in _places(reading, ("cast", index, key)):
                wanted = reading.source[slice(*span)].strip()
                if wanted in NOTHING:
                    continue
                spans.add(span)
                file = basename(wanted)
                named[key, number] = files.get(folded(file))
                if named[key, number] is None:
                    notices.append(
                        Message(
                            "{file} was not dropped with the script: drop both together, or give {name} a picture.",
                            file=file,
                            name=name,
                        )
                    )
        images = {number: file for (key, number), file in named.items() if key == "image" and file}
        if name is not None and images:
            found[name] = [(file, named.get(("mask", number))) for number, file in images.items()]
    return found, [*(error.said for error in reading.errors if error.span not in spans), *notices]


def _with_paint(reading: Reading, files: Mapping[str, Path]) -> tuple[str, list[str]]:
    """The source with the dropped pictures of its layouts as paint, and a sentence for each that cannot be had."""
    source, named = reading.source, _layouts(reading)
    paint: dict[str, str] = {}
    notices: list[str] = []
    for name in dict.fromkeys(named.values()):
        file = files.get(folded(name))
        try:
            if file is None:
                notices.append(
                    Message(
                        "{file} was not dropped with the script: drop both together, or paint it at the desk.",
                        file=name,
                    )
                )
            else:
                paint[name] = painted(open_image(file))
        except ImageError as error:
            notices.append(error.said)
    for (start, end), name in sorted(named.items(), reverse=True):
        source = source[:start] + paint.get(name, source[start:end]) + source[end:]
    return source, notices


def _layouts(reading: Reading) -> dict[Span, str]:
    """The files of the pictures that layouts have for places, by where they stand."""
    whole = {path[:-1] for path in reading.spans}  # of parts of their own, as the numbers of a box are
    places = [span for path, span in reading.spans.items() if _is_place(path) and path not in whole]
    wanted = {span: reading.source[slice(*span)].strip() for span in places}
    return {span: basename(text) for span, text in wanted.items() if text not in NOTHING and not text.startswith(PAINT)}


def _is_place(path: Where) -> bool:
    return len(path) == 4 and (path[0], path[2]) == ("panels", "layout")


def _places(reading: Reading, path: Where) -> list[tuple[int, Span]]:
    """Where the files of a key stand in the source, by their numbers (from 0): it has one, or a list of them."""
    listed = [(number, reading.spans.get((*path, number))) for number in range(MAX_PICTURES)]
    return [(number, span) for number, span in listed if span] or [
        (0, span) for span in [reading.spans.get(path)] if span
    ]
