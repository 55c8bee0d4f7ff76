"""Scripts: plain text, YAML or JSON → `Script`, every mistake in one sentence that says the line.

Plain text is one line a panel:

    title: A day out
    style: watercolour
    cast: Mia, a small fox

    Mia walks in the forest # Early in the morning
    [Mia, Tom] they share an apple
    [NC] the empty beach at night
    # a line that starts with # is a remark and is left out

`title`, `style` and `cast` (a name, then how the character looks; a line each) come before the first panel, each
only if wanted. `[NC]` is a panel with nobody in it, `[Name, …]` says who is in it; otherwise those are whose names
the line contains. What follows a `#` with a space before it is the caption.

YAML and JSON have the keys title, style, cast and panels; see `load_script`.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from anystory.prompt import find_names
from anystory.story import BACKGROUND, CastMember, Line, Panel, Script

MAX_BYTES = 500_000
MAX_PANELS = 200
MAX_CAST = 50
MAX_NAME = 40
MAX_TEXT = 2000
MAX_SEED = 2**32 - 1
SCRIPT_KEYS = ("title", "style", "cast", "panels")
MEMBER_KEYS = ("name", "image", "mask", "description")
PANEL_KEYS = ("prompt", "cast", "caption", "dialogue", "seed")
LINE_KEYS = ("who", "say")
NOBODY = "NC"

Where = tuple[str | int, ...]
"""A path into the data, such as ("panels", 2, "prompt")."""


class ScriptError(ValueError):
    """A script cannot be used. The message is one sentence for the user; `line` counts from 1, None = unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"Line {line}: {message}")
        self.line = line


# --- reading ------------------------------------------------------------------------------------------------------


def load_script(path: str | Path, cast: Sequence[CastMember] = ()) -> Script:
    """Read a script file: .txt as plain text, .yaml, .yml and .json as

        title: A day out
        style: watercolour
        cast:
          - {name: Mia, image: mia.png, mask: mia-mask.png, description: a small fox}
        panels:
          - Mia walks in the forest
          - prompt: they share an apple
            cast: [Mia, Tom]
            caption: Later
            dialogue: [{who: Mia, say: Half for you}]
            seed: 7

    where only `panels`, a member's `name` and a panel's `prompt` must be. Pictures are relative to the file's
    folder or absolute, and must be there. A panel that is only a string is read as a line of plain text; one
    without `cast` has those in it whom the prompt names. `cast`: as in `parse_script`. Raises `ScriptError`.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".txt", ".yaml", ".yml", ".json"):
        raise ScriptError(f"{path.name} is no script; give a .txt, .yaml, .yml or .json file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"The script {str(path)!r} cannot be read ({error.strerror}); check the path.") from error
    if len(data) > MAX_BYTES:
        raise ScriptError(f"{path.name} is larger than {MAX_BYTES // 1000} kB; a script is only text, shorten it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScriptError(f"{path.name} is not UTF-8 text; save it as UTF-8.", line) from error
    if suffix == ".txt":
        return _parse_text(text, cast)
    return _parse_yaml(text, path.parent, cast)


def parse_script(
    source: str | Mapping[str, Any], folder: str | Path | None = None, cast: Sequence[CastMember] = ()
) -> Script:
    """Read a script from text (plain, YAML or JSON) or from a mapping with the keys of `load_script`.

    `folder` is where relative pictures lie (None = the working folder); text that came without a folder, pasted
    by anyone, may not name pictures. `cast` are characters known already: they come first, keep their pictures
    whatever the script says about them, and are described by the script where they have no description.
    Raises `ScriptError`.
    """
    if isinstance(source, Mapping):
        return _Reader({}, Path(folder or "."), cast).script(source)
    if len(source) > MAX_BYTES:
        raise ScriptError(f"The script has {len(source)} characters; at most {MAX_BYTES} can be read.")
    if source.lstrip("\ufeff \t\r\n").startswith("{") or re.search(r"^panels[ \t]*:", source, re.MULTILINE):
        return _parse_yaml(source, None if folder is None else Path(folder), cast)
    return _parse_text(source, cast)


def dump_script(script: Script) -> dict[str, Any]:
    """The script as strings, numbers, lists and dicts that `parse_script` reads back to an equal one."""

    def filled(**entries: Any) -> dict[str, Any]:
        return {key: value for key, value in entries.items() if value not in ("", None, [])}

    return {
        **filled(title=script.title, style=script.style),
        "cast": [
            filled(
                name=member.name,
                image=member.image and str(member.image),
                mask=member.mask and str(member.mask),
                description=member.description,
            )
            for member in script.cast
        ],
        "panels": [
            filled(
                prompt=panel.prompt,
                caption=panel.caption,
                dialogue=[{"who": line.who, "say": line.say} for line in panel.dialogue],
                seed=panel.seed,
            )
            | {"cast": list(panel.cast)}  # also when nobody is in it, or the prompt would be searched for names
            for panel in script.panels
        ],
    }


# --- plain text ---------------------------------------------------------------------------------------------------


def _parse_text(text: str, cast: Sequence[CastMember]) -> Script:
    head: dict[str, Any] = {"cast": [], "panels": []}
    lines: dict[Where, int] = {}
    # Not splitlines: it breaks at characters that no editor counts as the end of a line.
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        header = re.match(r"(title|style|cast)\s*:\s*(.*)", line, re.IGNORECASE)
        if header:
            key, value = header[1].lower(), header[2]
            if head["panels"]:
                raise ScriptError(f"{key} must come before the first panel; move it up.", number)
            if key == "cast":
                name, _, description = value.partition(",")
                lines["cast", len(head["cast"])] = number
                head["cast"].append({"name": name, "description": description})
            elif key in head:
                raise ScriptError(f"{key} is given twice; keep one.", number)
            else:
                lines[key,] = number
                head[key] = value
        else:
            lines["panels", len(head["panels"])] = number
            head["panels"].append(line)
    return _Reader(lines, None, cast).script(head)


# --- YAML and JSON ------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML in which a word is a word: no dates, no sexagesimal numbers, `No` is not false. And no aliases, with
    which a few lines unfold to gigabytes."""

    yaml_implicit_resolvers: dict[str, list] = {}  # noqa: RUF012 (PyYAML's own name)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise ScriptError(f"*{event.anchor[:60]} repeats another part; write it out.", event.start_mark.line + 1)
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def _parse_yaml(text: str, folder: Path | None, cast: Sequence[CastMember]) -> Script:
    if text.lstrip("\ufeff \t\r\n").startswith("{"):  # JSON may be indented with tabs, which YAML forbids
        text = text.replace("\t", " ")
    lines: dict[Where, int] = {}
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = {} if node is None else _plain(node, (), lines)
    except yaml.MarkedYAMLError as error:
        what = (error.problem or "it cannot be read").replace("'\\t'", "a tab")
        # What is still open at the end is best looked for where it began.
        mark = error.context_mark if "end of stream" in what and error.context_mark else error.problem_mark
        hint = "put quotes around text that begins with [ or { or has a colon or # in it, and indent with spaces"
        raise ScriptError(f"This is not YAML: {what}; {hint}.", mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScriptError(f"The character U+{error.character:04X} is not allowed; delete it.", line) from error
    except RecursionError as error:
        raise ScriptError("The script is nested too deeply; a panel is at most four levels deep.") from error
    return _Reader(lines, folder, cast).script(data)


TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "null", "seq", "map")}


def _plain(node: yaml.Node, path: Where, lines: dict[Where, int]) -> Any:
    """A node as str, None, list or dict, the line of every part kept in `lines` under its path."""
    line = lines[path] = node.start_mark.line + 1
    if node.tag not in TAGS:
        raise ScriptError(f"The tag {_shown(node.tag)} is not allowed; delete it.", line)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), lines) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ScriptError("A key must be a word.", key.start_mark.line + 1)
            if key.value in data:
                raise ScriptError(f"{_shown(key.value)} is given twice; keep one.", key.start_mark.line + 1)
            data[key.value] = _plain(value, (*path, key.value), lines)
            lines[*path, key.value] = key.start_mark.line + 1
        return data
    return None if node.tag.endswith(":null") else node.value


# --- checking -----------------------------------------------------------------------------------------------------


class _Reader:
    """Checks plain data and makes a `Script` of it. `lines` tells the line of a path into the data, if known;
    `folder` None forbids pictures."""

    def __init__(self, lines: dict[Where, int], folder: Path | None, known: Sequence[CastMember]) -> None:
        self.lines = lines
        self.folder = folder
        self.cast = [replace(member, name=_composed(member.name)) for member in known]
        self.check_names([member.name for member in self.cast], [()] * len(self.cast))

    def script(self, data: Any) -> Script:
        entries = self.mapping(data, (), SCRIPT_KEYS)
        members = self.items(entries, "cast", (), MAX_CAST)
        names = [self.member(entry, ("cast", index)) for index, entry in enumerate(members)]
        self.check_names(names, [("cast", index, "name") for index in range(len(names))])
        panels = self.items(entries, "panels", (), MAX_PANELS)
        if not panels:
            self.fail(("panels",), "The script has no panels; write at least one.")
        return Script(
            panels=tuple(self.panel(entry, ("panels", index)) for index, entry in enumerate(panels)),
            cast=tuple(self.cast),
            title=self.text(entries, "title", ()),
            style=self.text(entries, "style", ()),
        )

    def member(self, entry: Any, path: Where) -> str:
        """Add a character, or describe the one known by that name. Returns the name."""
        fields = self.mapping({"name": entry} if isinstance(entry, str) else entry, path, MEMBER_KEYS)
        name, description = self.text(fields, "name", path), self.text(fields, "description", path)
        for index, known in enumerate(self.cast):
            if known.name.casefold() == name.casefold():
                self.cast[index] = replace(known, description=known.description or description)
                return name
        image, mask = (self.picture(fields, key, path) for key in ("image", "mask"))
        self.cast.append(CastMember(name, image, mask, description))
        return name

    def check_names(self, names: Sequence[str], paths: Sequence[Where]) -> None:
        seen: set[str] = set()
        for name, path in zip(names, paths, strict=True):
            if not name:
                self.fail(path, "A character needs a name.")
            if len(name) > MAX_NAME:
                self.fail(path, f"The name {name[:20]!r}… has {len(name)} characters; at most {MAX_NAME} fit.")
            if name.casefold() in (NOBODY.casefold(), BACKGROUND):
                self.fail(path, f"Nobody can be named {name!r}, which has a meaning of its own; choose another name.")
            if re.search(r"[\[\],#\n]", name) or not any(char.isalnum() for char in name):
                self.fail(path, f"The name {name!r} must have a letter and none of [ ] , #; choose another name.")
            if name.casefold() in seen:
                self.fail(path, f"Two characters are named {name!r}; give one another name.")
            seen.add(name.casefold())

    def panel(self, entry: Any, path: Where) -> Panel:
        if isinstance(entry, str):
            prompt, *caption = re.split(r"(?:^|\s)#", entry, maxsplit=1)
            entry = {"prompt": prompt, "caption": "".join(caption)}
        fields = self.mapping(entry, path, PANEL_KEYS)
        prompt = self.text(fields, "prompt", path)
        if fields.get("cast") is not None:
            cast = self.names(self.items(fields, "cast", path, MAX_CAST), (*path, "cast"))
        else:
            prompt, cast = self.bracketed(prompt, (*path, "prompt"))
        if not prompt:
            self.fail((*path, "prompt"), "The panel has no prompt; say what is to be seen.")
        dialogue = self.items(fields, "dialogue", path, MAX_PANELS)
        return Panel(
            prompt=prompt,
            cast=tuple(member.name for member in self.cast if member.name in cast),
            caption=self.text(fields, "caption", path),
            dialogue=tuple(self.line(line, (*path, "dialogue", index)) for index, line in enumerate(dialogue)),
            seed=self.seed(fields, path),
        )

    def bracketed(self, prompt: str, path: Where) -> tuple[str, list[str]]:
        """The prompt without the brackets of names, and who is in it. `[…]` around other words stays."""
        cast: list[str] | None = None
        while match := re.match(r"\[([^\[\]]*)\]\s*", prompt):
            cast = (cast or []) + self.names(match[1].split(","), path)
            prompt = prompt[match.end() :]
        known = {member.name.casefold() for member in self.cast}
        prompt = _composed(re.sub(r"\[([^\[\]]*)\]", lambda it: it[it[1].strip().casefold() in known], prompt))
        if cast is None:
            cast = [mention.name for mention in find_names(prompt, [member.name for member in self.cast])]
        return prompt, cast

    def line(self, entry: Any, path: Where) -> Line:
        fields = self.mapping(entry, path, LINE_KEYS)
        who = self.name(self.text(fields, "who", path), (*path, "who"))
        say = self.text(fields, "say", path)
        if not say:
            self.fail((*path, "say"), f"{who} says nothing; give the words under 'say' or delete the entry.")
        return Line(who, say)

    def names(self, values: Sequence[Any], path: Where) -> list[str]:
        if len(values) == 1 and isinstance(values[0], str) and values[0].strip().upper() == NOBODY:
            return []
        return [self.name(value, (*path, index)) for index, value in enumerate(values)]

    def name(self, value: Any, path: Where) -> str:
        """The cast's spelling of a name."""
        if not isinstance(value, str):
            self.fail(path, f"A name must be text, not {_kind(value)}.")
        wanted = _composed(value).casefold()
        spelt = {member.name.casefold(): member.name for member in self.cast}
        if wanted not in spelt:
            there = f"the cast is {', '.join(spelt.values())}" if spelt else "the cast is empty: add them to it"
            self.fail(path, f"Nobody is named {_shown(value.strip())}{_nearest(wanted, spelt.values())}; {there}.")
        return spelt[wanted]

    def seed(self, fields: Mapping[str, Any], path: Where) -> int | None:
        value = fields.get("seed")
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}", value, re.ASCII):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEED:
            self.fail((*path, "seed"), f"The seed {_shown(value)} must be a whole number from 0 to {MAX_SEED}.")
        return value

    def picture(self, fields: Mapping[str, Any], key: str, path: Where) -> Path | None:
        value = fields.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str | os.PathLike):
            self.fail((*path, key), f"{key} must be a path, not {_kind(value)}.")
        if self.folder is None:
            self.fail((*path, key), f"Pasted text cannot name a picture ({_shown(str(value))}); load it as a file.")
        try:
            file = (self.folder / value).resolve()
            if file.is_file():
                return file
        except (OSError, ValueError):  # too long, or with a character no path may have
            file = value
        self.fail((*path, key), f"There is no picture file {_shown(str(file), 400)}; check {key}.")

    def text(self, fields: Mapping[str, Any], key: str, path: Where) -> str:
        """A string in composed form, stripped; "" if it is not there."""
        value = fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail((*path, key), f"{key} must be text, not {_kind(value)}.")
        try:  # JSON may write an emoji as two halves
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fail((*path, key), f"{key} has half a character; write it again.")
        value = _composed(value.replace("\r\n", "\n"))
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value):
            self.fail((*path, key), f"{key} has the control character U+{ord(bad[0]):04X}; delete it.")
        if len(value) > MAX_TEXT:
            self.fail((*path, key), f"{key} has {len(value)} characters; at most {MAX_TEXT} can be read.")
        return value

    def items(self, fields: Mapping[str, Any], key: str, path: Where, most: int) -> Sequence[Any]:
        value = fields.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fail((*path, key), f"{key} must be a list, not {_kind(value)}.")
        if len(value) > most:
            self.fail((*path, key, most), f"{key} has {len(value)} entries; at most {most} can be read.")
        return value

    def mapping(self, value: Any, path: Where, keys: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail(path, f"Expected {', '.join(keys)} here, not {_kind(value)}.")
        for key in value:
            if key not in keys:
                hint = _nearest(str(key), keys)
                self.fail((*path, key), f"There is no key {_shown(key)} here{hint}; the keys are {', '.join(keys)}.")
        return value

    def fail(self, path: Where, message: str) -> NoReturn:
        """Raise with the line of the nearest part that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        raise ScriptError(message, self.lines.get(path))


def _composed(text: str) -> str:
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


def _nearest(word: str, known: Iterable[str]) -> str:
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold()[:MAX_NAME], folded, n=1)
    return f" (did you mean {folded[near[0]]!r}?)" if near else ""
