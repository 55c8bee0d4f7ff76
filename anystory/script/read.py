"""Scripts read: plain text, YAML, JSON or a storyboard of another program → `Script`.

Text is taken apart by `plain` or `data`, and what comes of it is checked by `check`. Plain text is described in
`anystory.script.plain`, YAML and JSON in `load_script`, storyboards in `anystory.script.storyboard`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from anystory.errors import Message
from anystory.script import storyboard
from anystory.script.check import check
from anystory.script.data import is_json, parse_data, parse_yaml
from anystory.script.encoding import decode
from anystory.script.form import MAX_BYTES, Parsed, Reading, ScriptError, place
from anystory.script.imports.document import to_text
from anystory.script.imports.final_draft import to_fountain
from anystory.script.imports.fountain import is_fountain, parse_fountain
from anystory.script.imports.sheet import is_sheet, markdown_table, parse_sheet, parse_table
from anystory.script.imports.web import html_table
from anystory.script.imports.workbook import to_table
from anystory.script.paste import FILLER, unfenced, untagged
from anystory.script.plain import parse_plain
from anystory.story.model import CastMember, Script, Style
from anystory.story.styles import StyleError, own_styles

Form = Literal["data", "screenplay", "sheet"]
"""What a text is in that is not plain: YAML or JSON, Fountain, or a table of cells."""

FORMS: dict[str, Form] = {
    ".yaml": "data",
    ".yml": "data",
    ".json": "data",
    ".storyboarder": "data",
    ".fountain": "screenplay",
    ".spmd": "screenplay",
    ".fdx": "screenplay",
    ".csv": "sheet",
    ".tsv": "sheet",
    ".xlsx": "sheet",
}
SUFFIXES = (".txt", ".md", ".html", ".htm", ".docx", ".odt", *FORMS)
"""How the names of scripts end, in lower case."""

CONVERTED: dict[str, Callable[[bytes, str], str]] = {
    ".fdx": to_fountain,
    ".xlsx": to_table,
    ".docx": to_text,
    ".odt": to_text,
}
OTHERS = ((b"{\\rtf", "RTF"), (b"%PDF", "PDF"), (b"PK\x03\x04", "ZIP"), (b"\xd0\xcf\x11\xe0", "Office"))
"""What files begin with that are no text whatever they are called, and how people call them."""

MAX_FILE = 20 * MAX_BYTES
"""Bytes of a file that is more than its text."""


def load_script(path: str | Path, cast: Sequence[CastMember] = ()) -> Script:
    """Read a script file: .txt as plain text, .yaml, .yml and .json as

        title: A day out
        style: watercolour
        styles: {"Crayon": "{prompt}, drawn in wax crayon"}
        segmenter: isnet-anime
        cast:
          - {name: Mia, alias: ROLE-A, image: mia.png, mask: mia-mask.png, description: a small fox, height: 0.6}
          - {name: Tom, image: [tom.png, tom-back.png], mask: [null, tom-back-mask.png], facing: left}
          - {name: Gran, description: an old bear, drawing: polar bear}
        panels:
          - Mia walks in the forest
          - prompt: they share an apple
            cast: [Mia, Tom]
            caption: Later
            dialogue: [{who: Mia, say: Half for you}]
            seed: 7
            size: 192
            style: Line art
            layout: {Mia: [0, 0.2, 0.5, 1], Tom: tom-place.png}
            layout_strength: 0.8
            layout_steps: [0, 0.5]
            eta: {Mia: 1.5}
            gamma: {Tom: -1}
            reference_steps: [0, 0.8]
            router: true

    where only `panels`, a member's `name` and a panel's `prompt` must be. Pictures are relative to the file's
    folder or absolute, and must be there; a `styles.yaml` in that folder adds presets, folders `things` and `places`
    beside it drawings and places of the story's own (docs/things.md). A panel that is only a string
    is read as plain text, and so is a line of dialogue (`Mia: Half for you`); a panel without `cast` has those in it
    whom the prompt names, or means by a pronoun. The storyboards that `anystory.script.storyboard` knows are recognised
    by their keys, in a file of any of these endings.
    `cast`: as in `parse_script`. Raises `ScriptError`.
    """
    script = _finished(read_script(script_text(path), Path(path).parent, cast, form_of(path)))
    return script.beside(Path(path).parent)


def parse_script(
    source: str | Mapping[str, Any], folder: str | Path | None = None, cast: Sequence[CastMember] = ()
) -> Script:
    """Read a script from text of any form or from a mapping with the keys of `load_script`.

    `folder` is where relative pictures, `styles.yaml` and the folders `things` and `places` lie (None = the working
    folder, without the last three);
    text that came without a folder, pasted by anyone, may not name pictures. `cast` are characters known already:
    they come first, keep their pictures whatever the script says about them, and are described by the script where
    they have no description. Raises `ScriptError`.
    """
    if isinstance(source, Mapping):
        here = Path(folder or ".")
        script = _finished(check(parse_data(source, here), here, cast, _own_styles(folder)))
    else:
        script = _finished(read_script(source, folder, cast))
    return script if folder is None else script.beside(Path(folder))


def read_script(
    text: str, folder: str | Path | None = None, cast: Sequence[CastMember] = (), form: Form | None = None
) -> Reading:
    """Read text as far as it goes: every mistake there is, not only the first. `form` is what it is in, also where it
    does not look like it; None = to be told by what it looks like. Raises `ScriptError` where it cannot be taken apart
    at all."""
    if len(text) > MAX_BYTES:
        raise ScriptError(
            Message(
                "The script has {count} characters; at most {max_bytes} can be read.",
                count=len(text),
                max_bytes=MAX_BYTES,
            )
        )
    folder = None if folder is None else Path(folder)
    parsed = _parsed(text, folder, [member.name for member in cast], form)
    return check(parsed, folder, cast, _own_styles(folder))


def _parsed(text: str, folder: Path | None, known: Sequence[str], form: Form | None) -> Parsed:
    """The text taken apart by what reads its form."""
    if form == "screenplay" or (form is None and is_fountain(text)):
        return parse_fountain(text, known)
    if form == "sheet" or (form is None and is_sheet(text)):
        return parse_sheet(text, known)
    if is_json(text) or (form == "data" and not text.lstrip().startswith(("```", "~~~"))):
        return parse_yaml(text, folder)
    plain = untagged(text)
    if plain is not text and (found := html_table(text)):
        return _unfilled(parse_table(plain, found[0], known, found[1]), text)
    block, language, left_out = unfenced(plain)
    if form == "data" or language or re.search(storyboard.YAML_SIGNS, block, re.MULTILINE):
        parsed = parse_yaml(block, folder)
    elif table := markdown_table(block):
        parsed = parse_table(block, table, known)
    else:
        parsed = parse_plain(block, known)
    if plain is not text:
        parsed = _unfilled(parsed, text)
    return replace(parsed, source=text, left_out=(*left_out, *parsed.left_out))


def _unfilled(parsed: Parsed, text: str) -> Parsed:
    """What HTML came to without what stood for its tags, its mistakes where they are in the text as it came."""

    def bare(part: Any) -> Any:
        if isinstance(part, str):
            return re.sub(" {2,}", " ", part.replace(FILLER, ""))
        if isinstance(part, list):
            return [bare(entry) for entry in part]
        return {key: bare(value) for key, value in part.items()} if isinstance(part, dict) else part

    problems = (
        ScriptError(error.sentence, error.span and place(text, error.span[0]), error.span, error.code, error.fix)
        for error in parsed.problems
    )
    # The panels as a whole have a place: whoever edits one makes plain text of them all first.
    spans = {**parsed.spans, ("panels",): (0, len(text))}
    left_out = tuple(replace(out, fix=out.fix and bare(out.fix)) for out in parsed.left_out)
    return replace(
        parsed, source=text, data=bare(parsed.data), spans=spans, problems=tuple(problems), left_out=left_out
    )


def script_text(path: str | Path) -> str:
    """The text of a script file: of a Final Draft screenplay in Fountain, of a workbook its first sheet. Raises
    `ScriptError` for what is no script, is too large or is no text."""
    path = Path(path)
    suffix = _suffix(path)
    if suffix not in SUFFIXES:
        raise ScriptError(
            Message(
                "{file} is not a script; give a {kinds} or {last} file.",
                file=path.name,
                kinds=", ".join(SUFFIXES[:-1]),
                last=SUFFIXES[-1],
            )
        )
    most = MAX_FILE if suffix in CONVERTED else MAX_BYTES
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ScriptError(
            Message(
                "The script {path} cannot be read ({strerror}); check the path.",
                path=repr(str(path)),
                strerror=error.strerror,
            )
        ) from error
    if len(data) > most:
        raise ScriptError(
            Message(
                "{file} is larger than {most} kB; a script is only text, shorten it.", file=path.name, most=most // 1000
            )
        )
    if suffix in CONVERTED:
        return CONVERTED[suffix](data, path.name)
    if kind := next((kind for begin, kind in OTHERS if data.startswith(begin)), None):
        raise ScriptError(
            Message("{file} is no text but {kind}; save it as .docx, .odt or .txt.", file=path.name, kind=kind)
        )
    try:
        return decode(data)
    except UnicodeDecodeError as error:
        read = error.object[: error.start].decode(errors="replace")
        raise ScriptError(
            Message("{file} is not UTF-8, nor text in another encoding known here; save it as UTF-8.", file=path.name),
            place(read, len(read)),
        ) from error


def form_of(path: str | Path) -> Form | None:
    """The form of a file by its name; None for text, which may be of any."""
    return FORMS.get(_suffix(path))


def _suffix(path: str | Path) -> str:
    return Path(path).suffix.lower()


def _finished(reading: Reading) -> Script:
    if reading.errors:
        raise reading.errors[0]
    return reading.script


def _own_styles(folder: str | Path | None) -> tuple[Style, ...]:
    try:
        return own_styles(folder) if folder is not None else ()
    except StyleError as error:
        raise ScriptError(error.said) from error
