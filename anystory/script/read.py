r"""Scripts: plain text, YAML, JSON or a storyboard of another program → `Script`; every mistake in one sentence.

Plain text is one line per panel, with what is said in it on lines of their own below:

    title: A day out
    style: watercolour
    cast: Mia, a small fox
    image: mia.png
    mask: mia-mask.png

    Mia walks in the forest # Early in the morning
    [Mia, Tom] they share an apple
    [NC] the empty beach at night
    [style: Line art] [seed: 7] [size: 192] Tom and Mia look at a map
    > Mia: Half for you!
    [layout: Mia 0 0.2 0.5 1; Tom 0.5 0.2 1 1] Mia and Tom dance
    # a line that starts with # is a remark and is left out

`title`, `style`, `segmenter` (the rembg model that cuts pictures out) and `cast` (a name, then how the character
looks; a line each, with the files of its picture and of its mask below it, and of further pictures) come before the
first panel, each only if wanted. `[NC]` is a panel with nobody in it, `[Name, …]` or `[cast: Name, …]` says who is in
it, otherwise those are whose names the line contains, or, where it has no name, whom its pronouns mean
(`anystory.script.pronouns`); `[layout: …]` says where (`anystory.story.steering`). What
follows a `#` with a space before it is the caption. A backslash before one of `# > [ ] \` takes it as it is, and `\n`
breaks a line. Commas, colons and semicolons may be full-width, and 、 may be between names. StoryDiffusion's character
list, `[Mia] a small fox` before the panels, is read too.

YAML and JSON have the keys title, style, styles, segmenter, cast and panels; see `load_script`. Storyboards of other
programs are JSON with other keys; see `anystory.script.storyboard`.
"""

from __future__ import annotations

import difflib
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PureWindowsPath
from types import MappingProxyType
from typing import Any, NoReturn

import yaml

from anystory.cast.filenames import SUFFIXES, FilenameError, basename, find
from anystory.cast.images import open_image
from anystory.cast.segment import MODELS
from anystory.errors import AnyStoryError
from anystory.script import storyboard
from anystory.script.pronouns import People
from anystory.story.model import BACKGROUND, FACINGS, MAX_PICTURES, MAX_SEED, CastMember, Line, Panel, Script, Style
from anystory.story.prompt import find_names, rename
from anystory.story.steering import (
    PAINT,
    STRENGTHS,
    UNSTEERED,
    Layout,
    Place,
    Steering,
    numbers,
    painted,
    read_layout,
    read_strengths,
    steering_fields,
    steering_words,
)
from anystory.story.styles import StyleError, find_style, joined, own_styles, read_styles

MAX_BYTES = 500_000
MAX_PANELS = 200
MAX_CAST = 50
MAX_NAME = 40
MAX_TEXT = 2000
SIZES = range(16, 4097)
"""Sides of frames in pixels that a script may ask for; a backend has its own."""
HEIGHTS = (0.01, 100)
"""Metres that a character may be tall, from a bee to a giant."""

SCRIPT_KEYS = ("title", "style", "styles", "segmenter", "cast", "panels")
MEMBER_KEYS = ("name", "alias", "image", "mask", "description", "height", "facing")
STEERING_KEYS = ("layout", "layout_strength", "layout_steps", *STRENGTHS, "reference_steps", "router")
PANEL_KEYS = ("prompt", "cast", "caption", "dialogue", "seed", "size", "style", *STEERING_KEYS)
TAG_KEYS = ("cast", "seed", "size", "style", "layout", *STRENGTHS, "reference_steps", "router")
"""Those that plain text has in brackets, `[KEY: …]`."""

LINE_KEYS = ("who", "say")
NOBODY = "NC"

NEWLINE = re.compile(r"\r\n|\r|\n")
"""What ends a line in an editor; str.splitlines breaks at more."""

Where = tuple[str | int, ...]
"""A path into the data, such as ("panels", 2, "prompt")."""

Span = tuple[int, int]
"""The characters [start, end) of the source."""


def place(source: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character of the source."""
    lines = NEWLINE.split(source[:offset].removeprefix("\ufeff"))
    return len(lines), len(lines[-1]) + 1


class ScriptError(AnyStoryError, ValueError):
    """A script cannot be used. The message is one sentence for the user, with its line where that is known.

    `sentence` is the message without the line, `line` and `column` count from 1 (None = unknown), `span` is what it is
    about in the source, `code` its kind as in `anystory.script.lint`, `fix` a text to put in the span's place.
    """

    def __init__(
        self,
        sentence: str,
        at: tuple[int, int] | None = None,
        span: Span | None = None,
        code: str = "script",
        fix: str | None = None,
    ) -> None:
        self.line, self.column = at or (None, None)
        super().__init__(sentence if at is None else f"Line {self.line}: {sentence}")
        self.sentence, self.span, self.code, self.fix = sentence, span, code, fix


@dataclass(frozen=True)
class Reading:
    """A script as far as it could be read. `members` are the names of the source's cast in its order, `aliases` the
    other names it uses. `panels[i]` is None where panel i could not be read, and not in the script while it has no
    prompt; `told[i]` is whether it says who is in it. `errors` say what is wrong, the first being what
    `parse_script` raises; `spans` tell where the parts stand in `source`."""

    source: str
    script: Script
    members: tuple[str | None, ...]
    aliases: tuple[str, ...]
    panels: tuple[Panel | None, ...]
    told: tuple[bool, ...]
    errors: tuple[ScriptError, ...]
    spans: Mapping[Where, Span]

    def span(self, path: Where, words: str = "") -> Span:
        """Where a part of the script stands, or of that the first `words` that are words of their own. A part that
        the source does not have (a default, a character known already) stands where what holds it does."""
        return _span(self.source, self.spans, path, words) or (0, 0)


# --- reading ------------------------------------------------------------------------------------------------------


def load_script(path: str | Path, cast: Sequence[CastMember] = ()) -> Script:
    """Read a script file: .txt as plain text, .yaml, .yml and .json as

        title: A day out
        style: watercolour
        styles: {"Crayon": "{prompt}, drawn in wax crayon"}
        segmenter: isnet-anime
        cast:
          - {name: Mia, alias: ROLE-A, image: mia.png, mask: mia-mask.png, description: a small fox, height: 0.6}
          - {name: Tom, image: [tom.png, tom-back.png], mask: [null, tom-back-mask.png], facing: left}
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
    folder or absolute, and must be there; a `styles.yaml` in that folder adds presets. A panel that is only a string
    is read as plain text, and so is a line of dialogue (`Mia: Half for you`); a panel without `cast` has those in it
    whom the prompt names, or means by a pronoun. The storyboards that `anystory.script.storyboard` knows are
    recognised by their keys, in a file of any of these endings.
    `cast`: as in `parse_script`. Raises `ScriptError`.
    """
    return _finished(read_script(script_text(path), Path(path).parent, cast, is_structured(path)))


def parse_script(
    source: str | Mapping[str, Any], folder: str | Path | None = None, cast: Sequence[CastMember] = ()
) -> Script:
    """Read a script from text of any form or from a mapping with the keys of `load_script`.

    `folder` is where relative pictures and `styles.yaml` lie (None = the working folder, without `styles.yaml`);
    text that came without a folder, pasted by anyone, may not name pictures. `cast` are characters known already:
    they come first, keep their pictures whatever the script says about them, and are described by the script where
    they have no description. Raises `ScriptError`.
    """
    if isinstance(source, Mapping):
        return _finished(_read_data(source, "", {}, {}, Path(folder or "."), cast, _own_styles(folder)))
    return _finished(read_script(source, folder, cast))


def read_script(
    text: str, folder: str | Path | None = None, cast: Sequence[CastMember] = (), structured: bool = False
) -> Reading:
    """Read text as far as it goes: every mistake there is, not only the first. `structured` = YAML or JSON, also where
    the text does not look like it. Raises `ScriptError` where it cannot be taken apart at all."""
    if len(text) > MAX_BYTES:
        raise ScriptError(f"The script has {len(text)} characters; at most {MAX_BYTES} can be read.")
    folder = None if folder is None else Path(folder)
    if structured or _is_json(text) or re.search(storyboard.YAML_SIGNS, text, re.MULTILINE):
        return _read_yaml(text, folder, cast)
    return _read_text(text, folder, cast)


def script_text(path: str | Path) -> str:
    """The text of a script file. Raises `ScriptError` for what is none, is too large or is not UTF-8."""
    path = Path(path)
    if _suffix(path) != ".txt" and not is_structured(path):
        raise ScriptError(f"{path.name} is no script; give a .txt, .yaml, .yml or .json file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"The script {str(path)!r} cannot be read ({error.strerror}); check the path.") from error
    if len(data) > MAX_BYTES:
        raise ScriptError(f"{path.name} is larger than {MAX_BYTES // 1000} kB; a script is only text, shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        read = error.object[: error.start].decode()
        raise ScriptError(f"{path.name} is not UTF-8 text; save it as UTF-8.", place(read, len(read))) from error


def _span(source: str, spans: Mapping[Where, Span], path: Where, words: str = "") -> Span | None:
    while path and path not in spans:
        path = path[:-1]
    for pattern in (rf"(?<!\w){re.escape(words)}(?!\w)", re.escape(words)) if words and path in spans else ():
        if hit := re.compile(pattern).search(source, *spans[path]):
            return hit.span()
    return spans.get(path)


def is_structured(path: str | Path) -> bool:
    """Whether a file is YAML or JSON by its name; what is not may be so by its content."""
    return _suffix(path) in (".yaml", ".yml", ".json")


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
        raise ScriptError(str(error)) from error


def dump_script(script: Script) -> dict[str, Any]:
    """The script as strings, numbers, lists and dicts that `parse_script` reads back to an equal one."""

    def filled(**entries: Any) -> dict[str, Any]:
        return {key: value for key, value in entries.items() if value not in ("", None, [], {})}

    def files(*paths: Path | None) -> list[str | None] | str | None:
        named = [path and str(path) for path in paths]
        return None if not any(named) else named if len(named) > 1 else named[0]

    return {
        **filled(
            title=script.title,
            style=script.style,
            styles={style.name: style.template for style in script.styles},
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
            )
            for member in script.cast
        ],
        "panels": [
            filled(
                prompt=panel.prompt,
                caption=panel.caption,
                dialogue=[{"who": line.who, "say": line.say} for line in panel.dialogue],
                seed=panel.seed,
                size=panel.size,
                style=panel.style,
            )
            | steering_fields(panel.steering)
            | {"cast": list(panel.cast)}  # also when nobody is in it, or the prompt would be searched for names
            for panel in script.panels
        ],
    }


def script_lines(script: Script, told: Sequence[bool] | None = None) -> str:
    """The panels as plain text. Read with the same cast it gives the same panels, but for breaks and runs of spaces in
    prompts, which mean nothing to a model. `told` as in `Reading`, None = all panels say who is in them."""
    told = [True] * len(script.panels) if told is None else told
    return "\n".join(panel_lines(*each, script.cast) for each in zip(script.panels, told, strict=True))


def panel_lines(panel: Panel, told: bool, cast: Sequence[CastMember]) -> str:
    """One panel as plain text: its line, and a line below for each of its dialogue. Who is in it is written where the
    prompt does not tell, and [NC] where it is `told` that nobody is."""
    panel = replace(panel, prompt=" ".join(panel.prompt.split()))
    steered = steering_words(panel.steering)
    if not panel.steering.layout.places:  # then there is nothing for its strength and steps to act on
        panel = replace(panel, steering=replace(panel.steering, layout=Layout()))
    named = {mention.name for mention in find_names(panel.prompt, [member.name for member in cast])}
    names = ", ".join(panel.cast) or NOBODY
    natural = "" if named == set(panel.cast) and (named or (panel.prompt and not told)) else f"[{names}] "
    written = []
    for who, whole in itertools.product((natural, f"[cast: {names}] "), (False, True)):
        prompt, caption, style = (_escaped(text, whole) for text in (panel.prompt, panel.caption, panel.style))
        tags = {"style": style, "seed": panel.seed, "size": panel.size}
        tagged = "".join(f"[{key}: {value}] " for key, value in tags.items() if value not in ("", None))
        line = f"{tagged}{steered and f'{steered} '}{who}{prompt}{caption and f'  # {caption}'}".rstrip()
        written.append("\n".join([line, *(f"> {line.who}: {_escaped(line.say)}" for line in panel.dialogue)]))
        # The lines below are those among which it is read least easily.
        if _read_text(f"{written[-1]}\n\n[{NOBODY}] a", None, cast).panels[:-1] == (panel,):
            return written[-1]
    return written[0]


def _escaped(text: str, whole: bool = False) -> str:
    """Text as a line of plain text has it: with a backslash before backslashes that would mean something and, if
    `whole`, before all that may."""
    text = re.sub(r"\\(?=[\\#>\[\]n]|$)", r"\\\\", text)
    text = re.sub(r"[#>\[\]]", r"\\\g<0>", text) if whole else text
    return text.replace("\n", r"\n")


# --- plain text ---------------------------------------------------------------------------------------------------

_FILE = rf".*(?:{'|'.join(map(re.escape, SUFFIXES))})[\"'”]?"

HEADER = re.compile(
    rf"(?:(title|style|segmenter|cast)|(image|mask)(?=\s*[:：]{_FILE}$))\s*[:：]\s*",
    re.IGNORECASE,
)
"""What stands before the first panel: group 1 for the story, or group 2, with a file, for the character above."""

CAPTION = re.compile(r"(?:^|\s)#")
SAID = ">"
"""What a line of dialogue begins with."""

TAGGED = re.compile(rf"(?<!\\)\[\s*({'|'.join(TAG_KEYS)})\s*[:：]\s*([^\[\]]*?)\s*\]", re.IGNORECASE)
"""A key of the panel in brackets, and its value."""

COMMA = re.compile("[,，]")
"""What is between names, and between a name and its description."""

ESCAPED = "\n\\#>[]"
"""What stands behind a backslash, the first as n. While a line is read, each is a character that no text has."""

DESCRIBED = re.compile(
    r"\[(?!\s*\w+\s*[:：])([^\[\],，、#]+)\]\s*((?:an?|the|one|two|my)\s[^#]*|[一两这那][^#]*)$", re.IGNORECASE
)
"""A line of StoryDiffusion's character list, such as `[Bob] A man, wearing a black suit`."""


def _read_text(text: str, folder: Path | None, cast: Sequence[CastMember]) -> Reading:
    data: dict[str, Any] = {"cast": [], "panels": []}
    spans: dict[Where, Span] = {}
    misplaced: list[tuple[Span, str]] = []

    def add(key: str, value: Any, span: Span, **parts: Span) -> None:
        path = key, len(data[key])
        data[key].append(value)
        spans[path] = span
        spans.update({(*path, part): span for part, span in parts.items()})

    lines = _lines(text)
    described = _character_list(lines, [member.name for member in cast])
    for start, line in lines:
        span, header = (start, start + len(line)), HEADER.match(line)
        if not line:
            continue
        if start in described:
            name, words = (_shift(described[start].span(group), start) for group in (1, 2))
            # img is the mark StoryDiffusion wants behind the noun for whoever has a picture.
            description = re.sub(r"\s+img\b", "", text[slice(*words)])
            add("cast", {"name": text[slice(*name)], "description": description}, span, name=name, description=words)
        elif line.startswith(SAID) and data["panels"]:
            index = len(data["panels"]) - 1
            data["panels"][index] += f"\n{line}"
            spans["panels", index, "dialogue", data["panels"][index].count("\n") - 1] = span
        elif line.startswith(SAID):
            misplaced.append((span, f"{SAID} begins what is said in the panel above, and there is none; move it down."))
        elif not header:
            head = CAPTION.split(line, maxsplit=1)[0]
            add("panels", line, span, **{tag[1].lower(): _shift(tag.span(2), start) for tag in TAGGED.finditer(head)})
        elif data["panels"]:
            misplaced.append(
                (span, f"{header[header.lastindex].lower()} must come before the first panel; move it up.")
            )
        elif header[2]:
            key = header[2].lower()
            if not data["cast"]:
                misplaced.append((span, f"{key} belongs to a character; write `cast: NAME` above it."))
                continue
            images, files = (data["cast"][-1].setdefault(kind, []) for kind in ("image", key))
            index = len(images) if key == "image" else max(len(images) - 1, 0)
            if index < len(files):
                misplaced.append((span, f"{key} is given twice for one image; keep one."))
            else:
                files += [None] * (index - len(files)) + [line[header.end() :]]
                spans["cast", len(data["cast"]) - 1, key, index] = start + header.end(), span[1]
        elif header[1].lower() == "cast":
            name, *words = COMMA.split(line[header.end() :], maxsplit=1)
            begin, description = start + header.end(), "".join(words)
            places = {"name": (begin, begin + len(name)), "description": (span[1] - len(description), span[1])}
            add("cast", {"name": name, "description": description}, span, **places)
        elif header[1].lower() in data:
            misplaced.append((span, f"{header[1].lower()} is given twice; keep one."))
        else:
            data[header[1].lower()] = line[header.end() :]
            spans[header[1].lower(),] = start + header.end(), span[1]
    reader = _Reader(text, spans, folder, cast)
    reader.errors += [ScriptError(words, place(text, span[0]), span) for span, words in misplaced]
    return reader.read(data, _own_styles(folder))


def _lines(text: str) -> list[tuple[int, str]]:
    """Where each line begins and what it says, remarks left out. Not splitlines: it breaks at characters that no
    editor counts as the end of a line."""
    lines, start = [], 0
    for end, after in [*(hit.span() for hit in NEWLINE.finditer(text)), (len(text), len(text))]:
        line = text[start:end].lstrip("\ufeff \t\v\f\u00a0\u3000")
        begin = end - len(line)
        if not line.startswith("#"):
            lines.append((begin, line.strip()))
        start = after
    return lines


def _character_list(lines: Sequence[tuple[int, str]], known: Sequence[str]) -> dict[int, re.Match[str]]:
    """The lines, by their starts, that tell what a character looks like: those before the first panel with one name
    in brackets and a description that begins with an article. An empty line after them, or the mark img in one, makes
    it sure; that has to be where a name is known already, as [Mia] a walk in the park is a panel otherwise."""
    found: dict[int, re.Match[str]] = {}
    names: set[str] = set()
    taken = {name.casefold() for name in known}
    for index, (start, line) in enumerate(lines):
        if header := HEADER.match(line):
            taken.add(COMMA.split(line[header.end() :])[0].strip().casefold())
        elif line or found:
            match = DESCRIBED.match(line)
            name = match[1].strip().casefold() if match else ""
            if not name or name in names or name == NOBODY.casefold():
                sure = not line or not names & taken or any(re.search(r"\simg\b", match[2]) for match in found.values())
                return found if sure and any(later for _, later in lines[index:]) else {}
            found[start] = match
            names.add(name)
    return {}


def _hidden(text: str) -> str:
    """A line with every escape as one character that nothing else looks for."""

    def code(hit: re.Match[str]) -> str:
        return chr(0xFDD0 + ESCAPED.index("\n" if hit[1] == "n" else hit[1]))

    return re.sub(r"\\([\\#>\[\]n])", code, text)


def _shown_again(text: str) -> str:
    return text.translate({0xFDD0 + index: char for index, char in enumerate(ESCAPED)})


def _shift(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by


# --- YAML and JSON ------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML in which a word is a word: no dates, no sexagesimal numbers, `No` is not false. And no aliases, with
    which a few lines unfold to gigabytes."""

    yaml_implicit_resolvers: dict[str, list] = {}  # noqa: RUF012 (PyYAML's own name)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise _fatal(f"*{event.anchor[:60]} repeats another part; write it out.", event.start_mark)
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def _read_yaml(text: str, folder: Path | None, cast: Sequence[CastMember]) -> Reading:
    source = text.replace("\t", " ") if _is_json(text) else text  # JSON may be indented with tabs, YAML not
    spans: dict[Where, Span] = {}
    keys: dict[Where, Span] = {}
    try:
        node = yaml.compose(source, Loader=_Loader)
        data = {} if node is None else _plain(node, (), text, spans, keys)
    except yaml.MarkedYAMLError as error:
        if _is_json(text):
            _check_json(text)
        what = (error.problem or "it cannot be read").replace("'\\t'", "a tab")
        # What is still open at the end is best looked for where it began.
        mark = error.context_mark if "end of stream" in what and error.context_mark else error.problem_mark
        hint = "put quotes around text that begins with [ or { or has a colon or # in it, and indent with spaces"
        if "escape" in what:
            hint = "\\ begins an escape in double quotes, so write folders with / or take single quotes"
        raise _fatal(f"This is not YAML: {what}; {hint}.", mark) from error
    except yaml.reader.ReaderError as error:
        at, span = place(text, error.position), (error.position, error.position + 1)
        raise ScriptError(f"The character U+{error.character:04X} is not allowed; delete it.", at, span) from error
    except RecursionError as error:
        raise ScriptError("The script is nested too deeply; a panel is at most four levels deep.") from error
    return _read_data(data, text, spans, keys, folder, cast, _own_styles(folder))


def _read_data(
    data: Any,
    text: str,
    spans: Mapping[Where, Span],
    keys: Mapping[Where, Span],
    folder: Path | None,
    cast: Sequence[CastMember],
    own: Sequence[Style],
) -> Reading:
    """Read data with our keys, or with those of a storyboard."""
    board = storyboard.convert(data, folder)
    if board is None:
        return _Reader(text, spans, folder, cast, keys).read(data, own)
    moved = {new: spans[old] for new, old in board.origin.items() if old in spans}
    called = {new: str(old[-1]) for new, old in board.origin.items() if old}
    reader = _Reader(text, moved, folder, cast, called=called)
    for path, words in board.problems:
        span = _span(text, spans, path)
        reader.errors.append(ScriptError(words, span and place(text, span[0]), span))
    return reader.read(board.data, own)


def _is_json(text: str) -> bool:
    """Whether it begins as JSON does, not as a panel with a wildcard."""
    return re.match(r"[\ufeff \t\r\n]*\{(?![^{}\"\n]*[|{])", text) is not None


def _check_json(text: str) -> None:
    """Say what is wrong with a text that is meant as JSON in JSON's own terms."""
    try:
        json.loads(text.removeprefix("\ufeff"), strict=False)
    except json.JSONDecodeError as error:
        at = error.pos + text.startswith("\ufeff")
        hint = "look for a missing comma, quote or bracket there or just before"
        if "escape" in error.msg:
            hint = "\\ begins an escape, so write folders with /"
        raise ScriptError(f"This is not JSON: {error.msg}; {hint}.", place(text, at), (at, at)) from error


TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "null", "seq", "map")}


def _plain(node: yaml.Node, path: Where, text: str, spans: dict[Where, Span], keys: dict[Where, Span]) -> Any:
    """A node as str, None, list or dict, the place of every part kept in `spans`, and of every key in `keys`."""
    start, end = node.start_mark.index, node.end_mark.index
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    spans[path] = (start + 1, end - 1) if quoted else (start, end)
    if node.tag not in TAGS:
        raise _fatal(f"The tag {_shown(node.tag)} is not allowed; delete it.", node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), text, spans, keys) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _fatal("A key must be a word.", key.start_mark)
            if key.value in data:
                raise _fatal(f"{_shown(key.value)} is given twice; keep one.", key.start_mark)
            data[key.value] = _plain(value, (*path, key.value), text, spans, keys)
            keys[*path, key.value] = key.start_mark.index, key.end_mark.index
        return data
    return None if node.tag.endswith(":null") else node.value


def _fatal(sentence: str, mark: yaml.Mark | None) -> ScriptError:
    """What keeps a text from being taken apart at all."""
    return ScriptError(sentence, *(((mark.line + 1, mark.column + 1), (mark.index, mark.index)) if mark else ()))


# --- checking -----------------------------------------------------------------------------------------------------

TAG = re.compile(r"\[([^\[\]]*)\]")


class _Reader:
    """Checks plain data and makes a `Reading` of it, going on after each mistake.

    `spans` tells the place of a path into the data, `keys` that of its key, `called` what the source calls the key,
    each as far as known; `folder` None forbids pictures.
    """

    def __init__(
        self,
        source: str,
        spans: Mapping[Where, Span],
        folder: Path | None,
        known: Sequence[CastMember],
        keys: Mapping[Where, Span] = MappingProxyType({}),
        called: Mapping[Where, str] = MappingProxyType({}),
    ) -> None:
        self.source, self.spans, self.folder, self.keys, self.called = source, spans, folder, keys, called
        self.errors: list[ScriptError] = []
        self.cast = [replace(member, name=composed(member.name)) for member in known]
        self.aliases: dict[str, str] = {}
        self.people = People({})
        self.check_names([(member.name, ()) for member in self.cast])

    def read(self, data: Any, own: Sequence[Style]) -> Reading:
        """`own` are the presets beside the script; those that the script has itself come before them."""
        entries = self.attempt(self.mapping, data, (), SCRIPT_KEYS, otherwise={})
        members = self.attempt(self.items, entries, "cast", (), MAX_CAST, otherwise=[])
        named = [self.attempt(self.member, entry, ("cast", index)) for index, entry in enumerate(members)]
        self.check_names([(name, ("cast", index, "name")) for index, name in enumerate(named) if name is not None])
        for index, entry in enumerate(members):
            self.attempt(self.take_aliases, entry, named[index], ("cast", index))
        self.people = People({member.name: member.description for member in self.cast})
        listed = self.attempt(self.items, entries, "panels", (), MAX_PANELS, otherwise=None)
        if listed is not None and not listed and not self.errors:
            self.report(("panels",), f"The script has no panels; write at least one{self.under('panels')}.")
        read = [self.attempt(self.panel, entry, ("panels", index)) for index, entry in enumerate(listed or [])]
        panels = tuple(item and item[0] for item in read)
        texts = {
            key: self.attempt(self.text, entries, key, (), otherwise="") for key in ("title", "style", "segmenter")
        }
        if texts["segmenter"] not in ("", *MODELS):
            near = nearest(texts["segmenter"], MODELS)
            hint = f" (did you mean {near!r}?)" if near else ""
            wrong = f"There is no segmentation model {_shown(texts['segmenter'])}{hint}"
            self.report(("segmenter",), f"{wrong}; choose one of {', '.join(MODELS)}.", fix=near)
        seen = tuple(panel for panel in panels if panel and panel.prompt)
        script = Script(seen, tuple(self.cast), **texts)
        styles = self.styles(entries, script, own)
        return Reading(
            source=self.source,
            script=replace(script, styles=styles),
            members=tuple(named),
            aliases=tuple(self.aliases),
            panels=panels,
            told=tuple(item is None or item[1] for item in read),
            errors=tuple(self.errors),
            spans=self.spans,
        )

    def styles(self, entries: Mapping[str, Any], script: Script, own: Sequence[Style]) -> tuple[Style, ...]:
        """The presets the script brings, and of those beside it the ones that it uses."""
        brought: tuple[Style, ...] = ()
        if entries.get("styles") is not None:
            try:
                brought = read_styles(entries["styles"], "styles")
            except StyleError as error:
                self.report(("styles",), str(error))
        asked = [script.style, *(panel.style for panel in script.panels)]
        used = [style for style in own if any(find_style(name, own) == style for name in asked)]
        return joined(brought, used)

    def member(self, entry: Any, path: Where) -> str:
        """Add a character, or describe the one known by that name. Returns the name."""
        fields = self.fields(entry, path)
        name = self.text(fields, "name", path)
        description = self.attempt(self.text, fields, "description", path, otherwise="")
        height = self.attempt(self.height, fields, name, path)
        facing = self.attempt(self.facing, fields, name, path)
        for index, known in enumerate(self.cast):
            if known.name.casefold() in (name.casefold(), *(alias.casefold() for alias in self.other_names(fields))):
                told = {"description": description, "height": height, "facing": facing}
                self.cast[index] = replace(known, **{key: getattr(known, key) or told[key] for key in told})
                return name if name.casefold() == known.name.casefold() else known.name
        (image, mask), *more = self.pictures(fields, name, path) or [(None, None)]
        self.cast.append(CastMember(name, image, mask, description, tuple(more), height, facing))
        return name

    def height(self, fields: Mapping[str, Any], name: str, path: Where) -> float | None:
        """How tall a character is in metres; None where it is not said."""
        if fields.get("height") in (None, ""):
            return None
        low, high = HEIGHTS
        try:
            (metres,) = numbers(fields["height"], 1, f"The height of {name}")
        except ValueError as error:
            self.fail((*path, "height"), str(error))
        if not low <= metres <= high:
            self.fail((*path, "height"), f"The height of {name} is {metres:g}; it must be from {low} to {high} metres.")
        return metres

    def facing(self, fields: Mapping[str, Any], name: str, path: Where) -> str | None:
        """Where a character's picture looks; None where it is not said."""
        facing = self.text(fields, "facing", path).casefold()
        if facing and facing not in FACINGS:
            near = nearest(facing, FACINGS)
            hint = f" (did you mean {near!r}?)" if near else ""
            self.fail((*path, "facing"), f"{name} cannot face {_shown(facing)}{hint}; choose {', '.join(FACINGS)}.")
        return facing or None

    def pictures(self, fields: Mapping[str, Any], name: str, path: Where) -> list[tuple[Path, Path | None]]:
        """The pictures of a character, each with its mask: given as one or as lists in the same order."""
        given = {key: fields.get(key) for key in ("image", "mask")}
        listed = {key: value if isinstance(value, list | tuple) else [value] for key, value in given.items()}
        images, masks = ([file if file != "" else None for file in listed[key]] for key in given)
        while masks and masks[-1] is None:
            masks.pop()
        if masks and not any(images):
            self.report(
                (*path, "mask", 0), f"{name} has a mask but no image that it could be of; add image, or delete mask."
            )
        elif len(masks) > len(images):
            self.report(
                (*path, "mask", len(images)), f"{name} has {len(masks)} masks for {len(images)} pictures; give each "
                "picture its mask, in the same order.",
            )  # fmt: skip
        if len(images) > MAX_PICTURES:
            self.report(
                (*path, "image", MAX_PICTURES),
                f"{name} has {len(images)} pictures; at most {MAX_PICTURES} are used, leave some out.",
            )
        found = []
        for index, (image, mask) in enumerate(itertools.zip_longest(images, masks)):
            files = [
                self.attempt(self.picture, file, self.word(path, key), (*path, key, index))
                for key, file in (("image", image), ("mask", mask))
            ]
            if image is None and len(images) > 1:
                self.report((*path, "image", index), f"Picture {index + 1} of {name} is not named; name its file.")
            found += [files] if files[0] else []
        return [(image, mask) for image, mask in found[:MAX_PICTURES]]

    def fields(self, entry: Any, path: Where) -> Mapping[str, Any]:
        return self.mapping({"name": entry} if isinstance(entry, str) else entry, path, MEMBER_KEYS)

    def other_names(self, fields: Mapping[str, Any], path: Where = ()) -> list[str]:
        """The aliases of a character, given as one or as a list."""
        value = fields.get("alias")
        given = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return [composed(alias) for alias in given if isinstance(alias, str) and alias.strip()]

    def take_aliases(self, entry: Any, name: str | None, path: Where) -> None:
        fields = entry if isinstance(entry, Mapping) else {}
        value = fields.get("alias")
        if value is not None and not isinstance(value, str | list | tuple):
            self.fail((*path, "alias"), f"{self.word(path, 'alias')} must be a name or a list of names.")
        for alias in self.other_names(fields):
            taken = {member.name.casefold(): member.name for member in self.cast} | {
                other.casefold(): owner for other, owner in self.aliases.items()
            }
            owner = taken.get(alias.casefold(), name)
            if name is not None and owner is not None and owner.casefold() != name.casefold():
                self.report(
                    (*path, "alias"), f"{_shown(alias)} means both {owner} and {name}; give one another alias.",
                    "duplicate-name", words=alias,
                )  # fmt: skip
            elif re.search(r"[\[\],，#\n]", alias) or not any(char.isalnum() for char in alias):
                self.report((*path, "alias"), f"The alias {_shown(alias)} must have a letter and none of [ ] , #.")
            elif name is not None and alias.casefold() not in taken:
                self.aliases[alias] = name

    def check_names(self, names: Sequence[tuple[str, Where]]) -> None:
        seen: set[str] = set()
        for name, path in names:
            if not name:
                self.report(path, "A character needs a name.")
            elif len(name) > MAX_NAME:
                self.report(path, f"The name {name[:20]!r}… has {len(name)} characters; at most {MAX_NAME} fit.")
            elif name.casefold() in (NOBODY.casefold(), BACKGROUND):
                self.report(path, f"Nobody can be named {name!r}, which has a meaning of its own; choose another name.")
            elif re.search(r"[\[\],，#\n]", name) or not any(char.isalnum() for char in name):
                self.report(path, f"The name {name!r} must have a letter and none of [ ] , #; choose another name.")
            elif name.casefold() in seen:
                self.report(path, f"Two characters are named {name!r}; give one another name.", "duplicate-name")
            seen.add(name.casefold())

    def panel(self, entry: Any, path: Where) -> tuple[Panel, bool]:
        """A panel, and whether it says who is in it."""
        if isinstance(entry, str):
            line, *said = re.split(rf"\n\s*{SAID}", entry)
            prompt, *caption = CAPTION.split(_hidden(line), maxsplit=1)
            entry = {"prompt": prompt, "caption": self.unbracketed("".join(caption)), "dialogue": said}
        fields = self.mapping(entry, path, PANEL_KEYS)
        prompt = self.text(fields, "prompt", path)
        told = fields.get("cast") is not None
        if told:
            cast = self.names(self.items(fields, "cast", path, MAX_CAST), (*path, "cast"))
            prompt = self.without_aliases(prompt)
        else:
            prompt, named, tags = self.bracketed(prompt, (*path, "prompt"))
            prompt, told = self.without_aliases(_shown_again(prompt)), named is not None
            if "layout" in tags:
                tags |= self.attempt(self.laid, tags.pop("layout"), (*path, "layout"), otherwise={})
            tags |= {key: read_strengths(tags[key]) for key in STRENGTHS if key in tags}
            if "reference_steps" in tags:
                tags["reference_steps"] = tags["reference_steps"].split()
            fields = tags | {key: value for key, value in fields.items() if value not in (None, "")}
            found = [mention.name for mention in find_names(prompt, [member.name for member in self.cast])]
            cast = named if named is not None else found or self.people.meant(prompt)
        self.people.saw(prompt, cast)
        if not prompt:
            self.report(
                (*path, "prompt"), f"The panel has no prompt; say what is to be seen{self.under('prompt', path)}."
            )
        dialogue = self.attempt(self.items, fields, "dialogue", path, MAX_PANELS, otherwise=[])
        lines = [self.attempt(self.line, line, (*path, "dialogue", index)) for index, line in enumerate(dialogue)]
        caption, style = (self.attempt(self.text, fields, key, path, otherwise="") for key in ("caption", "style"))
        return Panel(
            prompt=prompt,
            cast=tuple(member.name for member in self.cast if member.name in cast),
            caption=_shown_again(caption),
            dialogue=tuple(filter(None, lines)),
            seed=self.attempt(self.number, fields, "seed", path, 0, MAX_SEED),
            style=_shown_again(style),
            steering=self.attempt(self.steering, fields, cast, path, otherwise=UNSTEERED),
            size=self.attempt(self.number, fields, "size", path, SIZES[0], SIZES[-1]),
        ), told

    def steering(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> Steering:
        """What is asked of the routing of a panel with `cast`."""
        layout = self.attempt(self.layout, fields, cast, path, otherwise=Layout())
        asked = {key: self.strengths(fields, key, cast, path) for key in STRENGTHS if fields.get(key) is not None}
        router = fields.get("router")
        if router is not None and str(router).casefold() not in ("true", "false"):
            self.fail((*path, "router"), f"router is true or false, not {_shown(router)}.")
        try:
            if fields.get("reference_steps") is not None:
                asked["reference"] = numbers(fields["reference_steps"], 2, "reference_steps")
            return Steering(layout, router=str(router).casefold() != "false", **asked)
        except ValueError as error:
            key = next((key for key in STRENGTHS if f"The {key} of" in str(error)), "reference_steps")
            self.fail((*path, key), str(error))

    def strengths(
        self, fields: Mapping[str, Any], key: str, cast: Sequence[str], path: Where
    ) -> tuple[tuple[str, float], ...]:
        """Numbers of some of the panel's characters."""
        if not isinstance(fields[key], Mapping):
            self.fail((*path, key), f"{self.word(path, key)} must be a mapping of names to numbers.")
        found = []
        for name, value in fields[key].items():
            who = self.name(name, (*path, key, name))
            if who not in cast:
                self.fail((*path, key, name), f"{who} has a strength but is not in the panel; name {who} there.")
            try:
                found.append((who, *numbers(value, 1, f"The {key} of {who}")))
            except ValueError as error:
                self.fail((*path, key, name), str(error))
        return tuple(found)

    def layout(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> Layout:
        """Where those of a panel's `cast` are to be who have a place."""
        given = fields.get("layout")
        if given is not None and not isinstance(given, Mapping):
            self.fail((*path, "layout"), f"{self.word(path, 'layout')} must be a mapping of names to places.")
        listed = (given or {}).items()
        read = (self.attempt(self.placed, *entry, cast, (*path, "layout", entry[0])) for entry in listed)
        places = tuple(filter(None, read))
        try:
            (strength,) = numbers(fields.get("layout_strength", Layout.strength), 1, "layout_strength")
            steps = numbers(fields.get("layout_steps", (Layout.start, Layout.end)), 2, "layout_steps")
            return Layout(places, strength, *steps)
        except ValueError as error:
            key = "layout_strength" if "strength" in str(error) else "layout_steps"
            self.fail((*path, key), str(error), "layout")

    def placed(self, name: str, place: Any, cast: Sequence[str], path: Where) -> Place:
        """A place: four numbers, paint as text, or the file of a picture that is white where the place is."""
        who = BACKGROUND if name.casefold() == BACKGROUND else self.name(name, path)
        if who not in (*cast, BACKGROUND):
            sentence = f"{who} has a place in the layout but is not in the panel; name {who}, or delete the place."
            self.fail(path, sentence, "layout", words=name)
        try:
            if isinstance(place, str) and place.startswith(PAINT):
                return Place(who, paint=place)
            if isinstance(place, str):
                file = self.picture(place, "layout", path)
                return Place(who, paint=painted(open_image(file)))
            return Place(who, numbers(place, 4, f"The box of {who}"))
        except ValueError as error:
            if isinstance(error, ScriptError):
                raise
            self.fail(path, str(error), "layout", words=name)

    def laid(self, text: str, path: Where) -> dict[str, Any]:
        try:
            return read_layout(text)
        except ValueError as error:
            self.fail(path, str(error), "layout", words=text)

    def bracketed(self, prompt: str, path: Where) -> tuple[str, list[str] | None, dict[str, Any]]:
        """The prompt without its brackets, who is in it (None = nobody is said to be or not to be), and the keys of the
        panel that stand in it in brackets.

        `[KEY: …]` and `[NC]` may stand anywhere. Names in front are taken away, `[Mia] runs` being said of Mia; but
        where more names follow in brackets they are words of the sentence: `[Mia] and [Tom] run`. `[…]` around other
        words stays.
        """
        front: list[str] = []
        inside: list[str] = []
        tags: dict[str, Any] = {}
        text, done, listed, named, in_front = "", 0, False, False, True
        for tag in TAG.finditer(prompt):
            words = tag[1].strip()
            text += prompt[done : tag.start()]
            done = tag.end()
            in_front = in_front and not text.strip()
            if keyed := TAGGED.fullmatch(tag[0]):
                tags[keyed[1].lower()], text = keyed[2], text.rstrip()
            elif words.upper() == NOBODY:
                listed, text = True, text.rstrip()
            elif in_front:
                listed = named = True
                front += self.names(self.listed(tag[1]), path)
            else:
                inside += [words] if self.is_name(words) else []
                text += self.unbracketed(tag[0])
        text += prompt[done:]
        if "cast" in tags:
            front, listed, named = front + self.names(self.listed(tags.pop("cast")), path), True, False
        if named and len(front) == 1 and inside:
            text = f"{front[0]} {text.lstrip()}"
        if not listed:
            return composed(text), None, tags
        return composed(text), front + (self.names(inside, path) if named else []), tags

    def unbracketed(self, text: str) -> str:
        """The text without the brackets around names."""
        return TAG.sub(lambda tag: tag[1].strip() if self.is_name(tag[1]) else tag[0], text)

    def without_aliases(self, prompt: str) -> str:
        """The prompt with names for aliases; an alias within a longer name is part of that."""
        return rename(prompt, {member.name: member.name for member in self.cast} | self.aliases)

    def listed(self, text: str) -> list[str]:
        """The names that brackets list; a name may have a 、 itself."""
        parts = COMMA.split(text)
        return [name for part in parts for name in ([part] if self.is_name(part) else part.split("、"))]

    def is_name(self, words: str) -> bool:
        names = (*(member.name for member in self.cast), *self.aliases)
        return composed(words).casefold() in (name.casefold() for name in names)

    def line(self, entry: Any, path: Where) -> Line:
        if isinstance(entry, str):
            entry = self.spoken(entry, path)
        fields = self.mapping(entry, path, LINE_KEYS)
        who = self.name(self.text(fields, "who", path), (*path, "who"))
        say = self.text(fields, "say", path)
        if not say:
            self.fail((*path, "say"), f"{who} says nothing; give the words under 'say' or delete the entry.")
        return Line(who, _shown_again(say))

    def spoken(self, text: str, path: Where) -> dict[str, str]:
        """A line of dialogue in its parts; a name may have a colon itself."""
        colons = [hit.span() for hit in re.finditer("[:：]", text)]
        if not colons:
            self.fail(path, f"It is not told who says {_shown(text.strip())}; write `NAME: words`.")
        start, end = next((at for at in reversed(colons) if self.is_name(text[: at[0]])), colons[0])
        return {"who": text[:start], "say": _hidden(text[end:])}

    def names(self, values: Sequence[Any], path: Where) -> list[str]:
        """The known ones of some names."""
        if len(values) == 1 and isinstance(values[0], str) and values[0].strip().upper() == NOBODY:
            return []
        read = [self.attempt(self.name, value, (*path, index)) for index, value in enumerate(values)]
        return [name for name in read if name is not None]

    def name(self, value: Any, path: Where) -> str:
        """The cast's spelling of a name or an alias."""
        if not isinstance(value, str):
            self.fail(path, f"A name must be text, not {_kind(value)}.")
        wanted = composed(value).casefold()
        spelt = {member.name.casefold(): member.name for member in self.cast}
        means = {alias.casefold(): name for alias, name in self.aliases.items()} | spelt
        if wanted not in means:
            there = f"the cast is {', '.join(spelt.values())}" if spelt else "the cast is empty: add them to it"
            near = nearest(wanted, [*spelt.values(), *self.aliases])
            hint = f" (did you mean {near!r}?)" if near else ""
            sentence = f"Nobody is named {_shown(value.strip())}{hint}; {there}."
            self.fail(path, sentence, "unknown-name", near, words=value.strip())
        return means[wanted]

    def number(self, fields: Mapping[str, Any], key: str, path: Where, low: int, high: int) -> int | None:
        """A whole number within its bounds; None where it is not there."""
        value = fields.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}", value, re.ASCII):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            word = self.word(path, key)
            self.fail((*path, key), f"The {word} {_shown(value)} must be a whole number from {low} to {high}.")
        return value

    def picture(self, value: Any, word: str, path: Where) -> Path | None:
        """The file that a value names; `word` is what the source calls it."""
        if value is None or value == "":
            return None
        if not isinstance(value, str | os.PathLike):
            self.fail(path, f"{word} must be a path, not {_kind(value)}.")
        if self.folder is None:
            self.fail(path, f"Pasted text cannot name a picture ({_shown(str(value))}); load it as a file.")
        if bad := re.search(r"[\x00-\x1f\x7f]", str(value)):
            hint = "\\ begins an escape in double quotes, so write folders with /"
            self.fail(
                path, f"{word} has the control character U+{ord(bad[0]):04X} ({_shown(str(value), 400)}); {hint}."
            )
        try:
            file = find(value, self.folder)
        except FilenameError as error:
            self.fail(path, str(error))
        if file is not None and file.is_file():
            return file.resolve()
        name, where = basename(value), value if PureWindowsPath(value).drive else self.folder.resolve() / value
        aside = f", or put {name} beside the script" if name != str(value) else ""
        self.fail(path, f"There is no picture file {_shown(str(where), 400)}; check {word}{aside}.")

    def text(self, fields: Mapping[str, Any], key: str, path: Where) -> str:
        """A string in composed form, stripped; "" if it is not there."""
        value = fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail((*path, key), f"{self.word(path, key)} must be text, not {_kind(value)}.")
        try:  # JSON may write an emoji as two halves
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fail((*path, key), f"{self.word(path, key)} has half a character; write it again.")
        value = composed(value.replace("\r\n", "\n"))
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value):
            self.fail((*path, key), f"{self.word(path, key)} has the control character U+{ord(bad[0]):04X}; delete it.")
        if len(value) > MAX_TEXT:
            self.fail(
                (*path, key), f"{self.word(path, key)} has {len(value)} characters; at most {MAX_TEXT} can be read."
            )
        return value

    def items(self, fields: Mapping[str, Any], key: str, path: Where, most: int) -> Sequence[Any]:
        value = fields.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fail((*path, key), f"{self.word(path, key)} must be a list, not {_kind(value)}.")
        if len(value) > most:
            self.fail(
                (*path, key, most), f"{self.word(path, key)} has {len(value)} entries; at most {most} can be read."
            )
        return value

    def mapping(self, value: Any, path: Where, keys: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail(path, f"Expected {', '.join(keys)} here, not {_kind(value)}.")
        for key in value:
            if key not in keys:
                near = nearest(str(key), keys)
                hint = f" (did you mean {near!r}?)" if near else ""
                self.report(
                    (*path, key), f"There is no key {_shown(key)} here{hint}; the keys are {', '.join(keys)}.",
                    fix=near, span=self.keys.get((*path, key)),
                )  # fmt: skip
        return value

    def word(self, path: Where, key: str) -> str:
        """What the source calls a key."""
        return self.called.get((*path, key), key)

    def under(self, key: str, path: Where = ()) -> str:
        """Where to write it, for a source that calls it otherwise."""
        return f" under {_shown(self.word(path, key))}" if (*path, key) in self.called else ""

    def attempt(self, read: Callable[..., Any], *arguments: Any, otherwise: Any = None) -> Any:
        """What `read` returns, or `otherwise` with its complaint kept."""
        try:
            return read(*arguments)
        except ScriptError as error:
            self.errors.append(error)
            return otherwise

    def report(self, *arguments: Any, **more: Any) -> None:
        """Complain, and go on."""
        self.attempt(partial(self.fail, *arguments, **more))

    def fail(
        self,
        path: Where,
        sentence: str,
        code: str = "script",
        fix: str | None = None,
        *,
        words: str = "",
        span: Span | None = None,
    ) -> NoReturn:
        """Raise with the place of the nearest part that has one, or of `words` within it."""
        span = span or _span(self.source, self.spans, path, words)
        # What is to be put in place of another word needs the place of that word.
        exact = span is not None and (not words or self.source[slice(*span)] == words)
        raise ScriptError(sentence, span and place(self.source, span[0]), span, code, fix if exact else None)


def composed(text: str) -> str:
    """Stripped, and in the one of Unicode's forms in which equal text has equal characters."""
    return unicodedata.normalize("NFC", text).strip()


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "text" if isinstance(value, str) else f"the {type(value).__name__} {_shown(value)}"


def _shown(value: Any, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The one of `known` most like a word, in any case; None where none is, to at least `cutoff` of 1."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold()[:MAX_NAME], folded, n=1, cutoff=cutoff)
    return folded[near[0]] if near else None
