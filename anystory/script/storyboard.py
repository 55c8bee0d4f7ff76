"""Other people's storyboards, as the data of our own YAML: what `anystory.script.check` reads on.

AnyStory's authors   角色表 (角色名, 简单描述, alias, simple_prompt) and 分镜头 (序号, 出场角色, act_roles, 旁白,
                     场景描述, prompt). Prompts call characters by their aliases; 旁白 becomes the caption. Characters
                     may also have `image` and `mask`, panels `seed`, `size`, `shape`, `style`, `duration` and
                     `dialogue`, the whole a `style`, `size`, `shape`, `pages` and `from_sketch`.
ViStoryBench         Characters (name_en, name_ch, prompt_en, prompt_ch) and Shots (Setting Description, Plot
                     Correspondence, Characters Appearing, Static Shot Description, Shot Perspective Design), each in
                     English (en) and Chinese (ch). Pictures are those of image/NAME/ beside the file, the first
                     `MAX_PICTURES` in the order of their names.

Keys not named here are left out. Nothing is refused that the script reader would refuse itself: it says what is wrong
with what is handed on, in the source's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anystory.cast.filenames import SUFFIXES, find
from anystory.errors import Message
from anystory.story.from_sketch import KEY
from anystory.story.model import MAX_PICTURES
from anystory.story.prompt import find_names

YAML_SIGNS = r"^(?:panels|角色表|分镜头|分鏡頭)[ \t]*:|^Shots[ \t]*:[ \t]*$"
"""A line like this tells YAML from plain text."""

TITLE, CAST, PANELS = "故事梗概", "角色表", ("分镜头", "分鏡頭")
NAME, LOOK = "角色名", ("simple_prompt", "简单描述", "簡單描述")
NUMBER, CAPTION, PRESENT = ("序号", "序號"), "旁白", ("act_roles", "出场角色", "出場角色")
SENTENCE = ("prompt", "场景描述", "場景描述")
"""The authors' keys, of each the first there is; the traditional characters for what people retype."""

SHOTS, CHARACTERS, APPEARING, PLOT = "Shots", "Characters", "Characters Appearing", "Plot Correspondence"
SEEN = ("Static Shot Description", "Setting Description", "Shot Perspective Design")
"""What makes a shot's prompt, who does what first: a text encoder reads only so far."""

LANGUAGES = ("en", "ch")
"""ViStoryBench's, in the order of preference."""

Where = tuple[str | int, ...]


@dataclass
class Converted:
    """A storyboard as our data. `origin` tells the path in the source of a path in `data`; `problems` are what only
    this form can tell, as a path in the source and a sentence; `left_out` is what is not in `data`, and why."""

    data: dict[str, Any]
    origin: dict[Where, Where] = field(default_factory=dict)
    problems: list[tuple[Where, str]] = field(default_factory=list)
    left_out: list[tuple[Where, str]] = field(default_factory=list)


def convert(data: Any, folder: Path | None = None) -> Converted | None:
    """The data of a JSON or YAML file, if it has the keys of a storyboard known here; else None. `folder` is where
    the file lies, None for pasted text."""
    if not isinstance(data, Mapping) or "panels" in data:
        return None
    if CAST in data or any(key in data for key in PANELS):
        return _authors(data)
    if SHOTS in data or CHARACTERS in data:
        return _vistory(data, folder)
    return None


def _first(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """The first of `keys` that has something, or else the first."""
    return next((key for key in keys if entry.get(key) not in (None, "", [])), keys[0])


def _authors(data: Mapping[str, Any]) -> Converted:
    shots = _first(data, PANELS)
    whole = {"title": TITLE} | {key: key for key in ("style", "size", "shape", "pages", KEY)}
    board = Converted({ours: data.get(theirs) for ours, theirs in whole.items()})
    board.origin = {(ours,): (theirs,) for ours, theirs in (whole | {"cast": CAST, "panels": shots}).items()}
    board.data["cast"] = _each(
        board, data.get(CAST), "cast", CAST, lambda entry, index: _role(board, entry, (CAST, index), index)
    )
    aliases = {
        alias: alias
        for role in board.data["cast"] or ()
        if isinstance(role, dict)
        for alias in (role["name"], role["alias"])
        if isinstance(alias, str) and alias.strip()
    }
    numbers: list[Any] = []

    def panel(entry: Mapping[str, Any], index: int) -> dict[str, Any]:
        number = entry.get(_first(entry, NUMBER))
        if number is not None and number in numbers:
            problem = Message(
                "{key} {number} is given twice; number the panels anew.", key=NUMBER[0], number=str(number)[:20]
            )
            board.problems.append(((shots, index, _first(entry, NUMBER)), problem))
        numbers.append(number)
        return _act(board, entry, (shots, index), index, list(aliases))

    board.data["panels"] = _each(board, data.get(shots), "panels", shots, panel)
    return board


def _each(board: Converted, entries: Any, ours: str, theirs: str, read: Callable[[Mapping[str, Any], int], Any]) -> Any:
    """`read(entry, index)` of every mapping in a list; what is none of it is handed on."""
    if not isinstance(entries, list | tuple):
        return entries
    board.origin |= {(ours, index): (theirs, index) for index in range(len(entries))}
    return [read(entry, index) if isinstance(entry, Mapping) else entry for index, entry in enumerate(entries)]


def _role(board: Converted, entry: Mapping[str, Any], source: Where, index: int) -> dict[str, Any]:
    keys = {"name": NAME if entry.get(NAME) else "alias", "alias": "alias", "description": _first(entry, LOOK)}
    keys |= {"image": "image", "mask": "mask"}
    board.origin |= {("cast", index, ours): (*source, theirs) for ours, theirs in keys.items()}
    for key in ("image", "mask"):
        given = entry.get(key)
        listed = given if isinstance(given, list | tuple) else []
        board.origin |= {("cast", index, key, place): (*source, key, place) for place in range(len(listed))}
    return {ours: entry.get(theirs) for ours, theirs in keys.items()}


def _act(board: Converted, entry: Mapping[str, Any], source: Where, index: int, names: list[str]) -> dict[str, Any]:
    keys = {"prompt": _first(entry, SENTENCE), "caption": CAPTION}
    keys |= {key: key for key in ("seed", "size", "shape", "style", "duration", "dialogue")}
    keys |= {"cast": PRESENT[0] if PRESENT[0] in entry else _first(entry, PRESENT[1:])}
    path: Where = ("panels", index)
    board.origin |= {(*path, ours): (*source, theirs) for ours, theirs in keys.items()}
    panel = {ours: entry.get(theirs) for ours, theirs in keys.items()}
    said = panel["cast"] if isinstance(panel["cast"], list | tuple) else []
    board.origin |= {(*path, "cast", place): (*source, keys["cast"], place) for place in range(len(said))}
    # Whom the prompt names is in the panel, listed or not, as in the authors' own program.
    named = find_names(panel["prompt"], names) if isinstance(panel["prompt"], str) else []
    if named and (panel["cast"] is None or isinstance(panel["cast"], list | tuple)):
        panel["cast"] = [*said, *dict.fromkeys(mention.name for mention in named)]
    return panel


def _vistory(data: Mapping[str, Any], folder: Path | None) -> Converted:
    board = Converted({})
    board.origin = {("cast",): (CHARACTERS,), ("panels",): (SHOTS,)}
    characters = data.get(CHARACTERS)
    board.data["cast"] = characters
    if isinstance(characters, Mapping):
        board.data["cast"] = [
            _character(board, str(key), entry, index, folder) for index, (key, entry) in enumerate(characters.items())
        ]
    board.data["panels"] = _each(
        board,
        data.get(SHOTS),
        "panels",
        SHOTS,
        lambda entry, index: _shot(board, entry, (SHOTS, index), ("panels", index)),
    )
    return board


def _character(board: Converted, key: str, entry: Any, index: int, folder: Path | None) -> Any:
    source, path = (CHARACTERS, key), ("cast", index)
    board.origin[path] = source
    if not isinstance(entry, Mapping):
        return entry
    name, look = (_first(entry, tuple(f"{kind}_{language}" for language in LANGUAGES)) for kind in ("name", "prompt"))
    board.origin |= {(*path, "name"): (*source, name), (*path, "description"): (*source, look)}
    names = [entry.get(f"name_{language}") for language in LANGUAGES]
    return {
        "name": entry.get(name) or key,
        "alias": [key, *(other for other in names if isinstance(other, str) and other.strip())],
        "description": entry.get(look),
        "image": _pictures(folder, key),
    }


def _pictures(folder: Path | None, key: str) -> list[str]:
    """The pictures of a character in the folder of the data set, as paths from there."""
    if folder is None:
        return []
    try:
        pictures = find(Path("image", key), folder)
        if pictures is None or not pictures.resolve().is_relative_to((folder / "image").resolve()):
            return []
        found = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    except (OSError, ValueError):  # a name that no folder may have, or that two share
        return []
    return [str(path.relative_to(folder)) for path in found[:MAX_PICTURES]]


def _shot(board: Converted, entry: Mapping[str, Any], source: Where, path: Where) -> dict[str, Any]:
    def told(key: str) -> Any:
        """A part in the language there is, "" for none."""
        part = entry.get(key)
        part = part.get(_first(part, LANGUAGES)) if isinstance(part, Mapping) else part
        return "" if part is None else part

    def place(key: str) -> Where:
        part = entry.get(key)
        return (*source, key, _first(part, LANGUAGES)) if isinstance(part, Mapping) else (*source, key)

    parts = [(key, told(key)) for key in SEEN]
    parts = [(key, text) for key, text in parts if text] or [(PLOT, told(PLOT))]
    prompt = parts[0][1]
    if all(isinstance(text, str) for _, text in parts):
        prompt = ". ".join(text.strip().rstrip(".。;") for _, text in parts)
    board.origin[*path, "prompt"] = place(parts[0][0]) if len(parts) == 1 else source
    board.origin[*path, "caption"] = place(PLOT)
    present = told(APPEARING)
    present = [present] if isinstance(present, str) and present else present or []
    board.origin[*path, "cast"] = place(APPEARING)
    if isinstance(present, list | tuple):
        board.origin |= {(*path, "cast", index): (*place(APPEARING), index) for index in range(len(present))}
    return {"prompt": prompt, "caption": told(PLOT), "cast": present}
