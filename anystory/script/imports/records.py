"""Panels as records whose keys are other words than ours: Storyboarder's projects (.storyboarder), and the JSON that
chat models make up. Keys are known as the headings of a shot list are (`anystory.script.imports.sheet`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from anystory.errors import Message
from anystory.script.escapes import literal, unquoted
from anystory.script.form import NOBODY, PANEL_KEYS
from anystory.script.imports.panels import sentence
from anystory.script.imports.sheet import MAYBE, column, is_nothing, no_duration
from anystory.script.storyboard import Converted, Where
from anystory.script.values import seconds
from anystory.story.names import folded, visible
from anystory.story.prompt import find_names

BOARDS = "boards"
"""Storyboarder's key of its panels, of which only `BOARD` are words; the last two are our own, as `seconds` is, the
duration of a panel that has one of its own."""

BOARD = ("action", "dialogue", "notes", "caption", "characters")

LISTS = frozenset(
    """panels scenes shots frames pages storyboard story comic images slides beats escenas viñetas páginas
    分镜 场景 镜头 画面""".split()  # noqa: SIM905
)
"""Under what a list of panels stands."""

LOOK = (
    "description",
    "appearance",
    "look",
    "visual_description",
    "prompt",
    "描述",
    "外貌",
    "descripción",
    "apariencia",
)
WHO = ("who", "character", "speaker", "name", "角色", "personaje")
SAY = ("say", "text", "line", "dialogue", "speech", "words", "台词", "texto")


def convert(data: Any) -> Converted | None:
    """The data of a JSON or YAML file as ours if it is a Storyboarder project, or has a list of panels with keys of its
    own; else None."""
    if not isinstance(data, Mapping):
        return None
    if _records(data.get(BOARDS)):
        board = _Records(data, BOARDS)
        for index, entry in enumerate(data[BOARDS]):
            words = {key: entry.get(key) for key in BOARD}
            if words["notes"] == words["caption"]:
                words["notes"] = None
            if not any(words.values()):
                board.board.left_out.append(((BOARDS, index), Message("a board without words")))
                continue
            if not words["action"]:
                words |= {"action": words["notes"], "notes": None}
            if entry.get("seconds") or entry.get("duration") != data.get("defaultBoardTiming"):
                words["duration"] = entry.get("seconds") or _milliseconds(entry.get("duration"))
            board.panel({key: value for key, value in words.items() if value}, (BOARDS, index))
        return board.converted()
    for key in data:
        if str(key).casefold() in LISTS and _records(data[key]) and any(_is_foreign(entry) for entry in data[key]):
            board = _Records(data, key)
            for index, entry in enumerate(data[key]):
                board.panel(entry, (key, index))
            return board.converted()
        if str(key).casefold() in LISTS and _records(data[key]) and all(map(_inner, data[key])):
            board = _Records(data, key)
            for index, page in enumerate(data[key]):
                inner = str(_inner(page))
                for other, value in page.items():
                    if other != inner and not str(value).isdigit():
                        board.leave_out((key, index, other), value)
                for at, entry in enumerate(page[inner]):
                    board.panel(entry, (key, index, inner, at))
            return board.converted()
    return None


def wrapped(data: Mapping[str, Any]) -> str | None:
    """The only key of what a story is wrapped in, {"story": {"panels": …}}; None where it is no wrapping."""
    key, value = next(iter(data.items()))
    held = isinstance(value, Mapping) and any(str(inner).casefold() in LISTS for inner in value)
    return key if held and str(key).casefold() in (*LISTS, "script") else None


def _inner(page: Mapping[str, Any]) -> str | None:
    """The key of a page under which its panels stand."""
    return next((key for key in page if str(key).casefold() in LISTS and _records(page[key])), None)


def _milliseconds(value: Any) -> Any:
    """Seconds of Storyboarder's milliseconds; what is no number is left for the reader to tell."""
    try:
        return float(value) / 1000
    except (TypeError, ValueError, OverflowError):
        return value


def _records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _is_foreign(entry: Mapping[str, Any]) -> bool:
    """Whether an entry has its words under another key than ours."""
    return "prompt" not in entry and any(_kind(key) == "prompt" and key not in PANEL_KEYS for key in entry)


def _kind(key: str, cells: Sequence[str] = ()) -> str | None:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", key)
    return column(words, cells) or column(words.rsplit(" ", 1)[-1], cells)


class _Records:
    """Data with keys of its own becoming ours."""

    def __init__(self, data: Mapping[str, Any], key: str) -> None:
        self.foreign = key != BOARDS  # of which there is one that we write
        self.board = Converted({"cast": [], "panels": []}, {("panels",): (key,)})
        self.names: dict[str, str] = {}
        for other, value in data.items():
            if other in ("title", "style", "styles", "segmenter"):
                self.board.data[other] = value
                self.board.origin[other,] = (other,)
            elif _kind(other) == "cast" and isinstance(value, list | Mapping):
                self.cast(other, value)
            elif other != key and key != BOARDS:
                self.leave_out((other,), value)

    def converted(self) -> Converted:
        for panel in self.board.data["panels"]:
            if "cast" in panel and panel["cast"] != [NOBODY]:
                named = [mention.name for mention in find_names(panel.get("prompt", ""), self.names.values())]
                panel["cast"] = list(dict.fromkeys([*named, *panel["cast"]]))
        return self.board

    def cast(self, key: str, value: list[Any] | Mapping[str, Any]) -> None:
        """The cast, as a list of names or of records, or as a mapping of names to looks."""
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for at, entry in entries:
            own = {"name": at} if isinstance(value, Mapping) else {}
            if isinstance(entry, Mapping):
                look = next((entry[word] for word in LOOK if entry.get(word)), "")
                self.introduce(str(entry.get("name") or own.get("name", "")), (key, at), look)
            elif own:
                self.introduce(str(at), (key, at), entry)
            else:
                self.introduce(str(entry), (key, at))

    def introduce(self, name: str, origin: Where, look: Any = "") -> str:
        name = visible(re.sub(r"[\[\],，#]", " ", name))
        if folded(name) not in self.names:
            self.names[folded(name)] = name
            self.board.origin["cast", len(self.board.data["cast"])] = origin
            self.board.data["cast"].append({"name": name, "description": look})
        return self.names[folded(name)]

    def panel(self, entry: Mapping[str, Any], source: Where) -> None:
        """Add a panel, which is at `source`."""
        index = len(self.board.data["panels"])
        told: dict[str, list[str]] = {}
        panel: dict[str, Any] = {key: entry[key] for key in PANEL_KEYS if key in entry and _kind(key) is None}
        said: list[Any] = []
        present: list[str] | None = None
        nobody = False
        for key, value in entry.items():
            kind = _kind(key, [str(value)])
            if key in panel or kind == "number" or value in (None, "", [], {}):
                continue
            if self.foreign and kind in MAYBE and isinstance(value, str) and is_nothing(value):
                continue
            if kind == "dialogue":
                said = self.dialogue(value, (*source, key))
            elif kind == "cast" and isinstance(value, list | str):
                listed = value if isinstance(value, list) else re.split(r"(?<!\s)\s*[,，、;；]\s*", value)
                names = [str(name.get("name", "")) if isinstance(name, Mapping) else str(name) for name in listed]
                nobody = [name.strip().upper() for name in names] == [NOBODY]
                present = [] if nobody else [self.introduce(n, (*source, key)) for n in names if n.strip()]
            elif kind in ("seed", "size", "shape", "style"):
                panel[kind] = value
            elif kind == "duration":
                if seconds(value) is None:
                    self.board.left_out.append(((*source, key), no_duration(value)))
                else:
                    panel["duration"] = value
            elif kind in ("prompt", "place", "time", "camera", "caption") and isinstance(value, str):
                told.setdefault(kind, []).append(value)
                self.board.origin.setdefault(("panels", index, "prompt" if kind == "prompt" else kind), (*source, key))
            else:
                self.leave_out((*source, key), value)
        spoken = [line for line in said if isinstance(line, str)]
        lines = [line for line in said if not isinstance(line, str)]
        told_in = ("prompt", "place", "time", "camera")
        caption = " ".join([*told.get("caption", ()), *spoken])
        seen = [words for kind in told_in for words in told.get(kind, ())]
        if not seen and not self.foreign:  # a board of which only is told what is heard
            seen = [" and ".join(dict.fromkeys(line["who"] for line in lines)) or caption]
        panel["prompt"] = literal(sentence(seen))
        panel["caption"] = literal(caption)
        panel["dialogue"] = [{**line, "say": literal(line["say"])} for line in lines]
        if present is not None or lines:
            panel["cast"] = [NOBODY] if nobody else [*(present or ()), *(line["who"] for line in lines)]
        self.board.origin["panels", index] = source
        self.board.data["panels"].append(panel)

    def dialogue(self, value: Any, source: Where) -> list[Any]:
        """What is said: lines with who says them, and as text what nobody is told to say."""
        lines: list[Any] = []
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, Mapping):
                who = next((str(entry[key]) for key in WHO if entry.get(key)), "")
                say = next((str(entry[key]) for key in SAY if entry.get(key)), "")
                if not who and not say:  # names and what they say
                    told_by = [(str(name), text) for name, text in entry.items() if isinstance(text, str) and text]
                    lines += [{"who": self.introduce(name, source), "say": unquoted(text)} for name, text in told_by]
                    continue
                lines += [{"who": self.introduce(who, source), "say": say}] if who and say else [say] if say else []
                continue
            for line in re.split(r"[\r\n]+", str(entry)):
                told = re.match(r"\s*([^:：]{1,40}?)\s*[:：]\s*(?=\S)(.+)", line)
                if told:
                    who = self.names.get(folded(told[1])) or (told[1].title() if told[1].isupper() else told[1])
                    lines.append({"who": self.introduce(who, source), "say": unquoted(told[2])})
                elif line.strip() and not (self.foreign and is_nothing(line)):
                    lines.append(line.strip())
        return lines

    def leave_out(self, source: Where, value: Any) -> None:
        """What has words and no place in a script."""
        if isinstance(value, str | Sequence | Mapping) and value:
            self.board.left_out.append(
                (source, Message("there is no key {key} for it", key=repr(str(source[-1])[:40])))
            )
