"""Scripts in YAML and JSON, ours and other programs' storyboards, taken apart with the place of every part kept."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from anystory.errors import Message
from anystory.script import storyboard
from anystory.script.form import (
    MAX_PANELS,
    MAX_PARTS,
    LeftOut,
    Parsed,
    ScriptError,
    Span,
    Where,
    place,
    shown,
    span_of,
)
from anystory.script.imports import records
from anystory.script.paste import mended, straightened


class _Loader(yaml.SafeLoader):
    """YAML in which a word is a word: no dates, no sexagesimal numbers, `No` is not false. And no aliases, with
    which a few lines unfold to gigabytes."""

    yaml_implicit_resolvers: dict[str, list] = {}  # noqa: RUF012 (PyYAML's own name)
    parts = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise _fatal(
                Message("*{anchor} repeats another part; write it out.", anchor=event.anchor[:60]), event.start_mark
            )
        self.parts += 1
        if self.parts > MAX_PARTS:
            sentence = Message(
                "The script has more than {max_parts} values; at most {max_panels} panels can be read.",
                max_parts=MAX_PARTS,
                max_panels=MAX_PANELS,
            )
            raise _fatal(sentence, self.peek_event().start_mark)
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])


def parse_yaml(text: str, folder: Path | None) -> Parsed:
    """Take YAML or JSON apart; `folder` is where the file lies, None for pasted text. Raises `ScriptError`."""
    # JSON may be indented with tabs, YAML not.
    source = mended(text).replace("\t", " ") if is_json(text) or text.lstrip()[:1] == "[" else text
    spans: dict[Where, Span] = {}
    keys: dict[Where, Span] = {}
    try:
        node = _composed(source)
        data = {} if node is None else _plain(node, (), text, spans, keys)
    except yaml.MarkedYAMLError as error:
        if is_json(text):
            _check_json(text)
        what = (error.problem or "it cannot be read").replace("'\\t'", "a tab")
        # What is still open at the end is best looked for where it began.
        mark = error.context_mark if "end of stream" in what and error.context_mark else error.problem_mark
        hint = Message(
            "put quotes around text that begins with [ or {{ or has a colon or # in it, and indent with spaces"
        )
        if "escape" in what:
            hint = Message("\\ begins an escape in double quotes, so write folders with / or take single quotes")
        raise _fatal(Message("This is not YAML: {what}; {hint}.", what=what, hint=hint), mark) from error
    except yaml.reader.ReaderError as error:
        at, span = place(text, error.position), (error.position, error.position + 1)
        raise ScriptError(
            Message("The character U+{character} is not allowed; delete it.", character=f"{error.character:04X}"),
            at,
            span,
        ) from error
    except RecursionError as error:
        raise ScriptError(Message("The script is nested too deeply; a panel is at most four levels deep.")) from error
    return parse_data(data, folder, text, spans, keys)


def _composed(source: str) -> yaml.Node | None:
    """YAML as nodes; where it is none as it stands, with its curly quotes straight."""
    try:
        return yaml.compose(source, Loader=_Loader)
    except yaml.MarkedYAMLError:
        if (straight := straightened(source)) == source:
            raise
        try:
            return yaml.compose(straight, Loader=_Loader)
        except yaml.MarkedYAMLError:
            pass
        raise


def parse_data(
    data: Any,
    folder: Path | None,
    text: str = "",
    spans: Mapping[Where, Span] = MappingProxyType({}),
    keys: Mapping[Where, Span] = MappingProxyType({}),
) -> Parsed:
    """Data with our keys as they are, those of a storyboard with ours in their place."""
    if isinstance(data, list) and text.lstrip()[:1] == "[":  # JSON of the panels alone
        spans, keys = ({("panels", *path): span for path, span in places.items()} for places in (spans, keys))
        data = {"panels": data}
    while isinstance(data, Mapping) and len(data) == 1 and (inner := records.wrapped(data)):  # {"story": {…}}
        data = data[inner]
        spans, keys = ({p[1:]: span for p, span in places.items() if p[:1] == (inner,)} for places in (spans, keys))
    board = storyboard.convert(data, folder) or records.convert(data)
    if board is None:
        return Parsed(text, data, spans, keys)
    moved = {new: spans[old] for new, old in board.origin.items() if old in spans}
    called = {new: str(old[-1]) for new, old in board.origin.items() if old}
    problems = []
    for path, words in board.problems:
        span = span_of(text, spans, path)
        problems.append(ScriptError(words, span and place(text, span[0]), span))
    left_out = tuple(LeftOut(span_of(text, spans, path) or (0, 0), why) for path, why in board.left_out)
    return Parsed(text, board.data, moved, called=called, problems=tuple(problems), left_out=left_out)


def is_json(text: str) -> bool:
    """Whether it begins as JSON does, not as a panel with a wildcard."""
    return re.match(r"(?:[\ufeff \t\r\n]|//.*+\n|/\*(?:[^*]|\*(?!/))*+\*/)*+\{(?![^{}\"\n]*[|{])", text) is not None


def _check_json(text: str) -> None:
    """Say what is wrong with a text that is meant as JSON in JSON's own terms."""
    try:
        json.loads(text.removeprefix("\ufeff"), strict=False)
    except json.JSONDecodeError as error:
        at = error.pos + text.startswith("\ufeff")
        hint = Message("look for a missing comma, quote or bracket there or just before")
        if "escape" in error.msg:
            hint = Message("\\ begins an escape, so write folders with /")
        raise ScriptError(
            Message("This is not JSON: {msg}; {hint}.", msg=error.msg, hint=hint), place(text, at), (at, at)
        ) from error


CURLED = re.compile(r"[“”„]([^“”„]+)[“”]|[‘’‚]([^‘’‚]+)[‘’]")
"""A value in the quotes that a word processor makes of YAML's."""

TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "null", "seq", "map")}


def _plain(node: yaml.Node, path: Where, text: str, spans: dict[Where, Span], keys: dict[Where, Span]) -> Any:
    """A node as str, None, list or dict, the place of every part kept in `spans`, and of every key in `keys`."""
    start, end = node.start_mark.index, node.end_mark.index
    curly = isinstance(node, yaml.ScalarNode) and not node.style and CURLED.fullmatch(node.value)
    quoted = curly or (isinstance(node, yaml.ScalarNode) and node.style in ("'", '"'))
    spans[path] = (start + 1, end - 1) if quoted else (start, end)
    if node.tag not in TAGS:
        raise _fatal(Message("The tag {tag} is not allowed; delete it.", tag=shown(node.tag)), node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), text, spans, keys) for index, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _fatal(Message("A key must be a word."), key.start_mark)
            if key.value in data:
                raise _fatal(Message("{key} is given twice; keep one.", key=shown(key.value)), key.start_mark)
            data[key.value] = _plain(value, (*path, key.value), text, spans, keys)
            keys[*path, key.value] = key.start_mark.index, key.end_mark.index
        return data
    if curly:
        return curly[1] or curly[2]
    return None if node.tag.endswith(":null") else node.value


def _fatal(sentence: str, mark: yaml.Mark | None) -> ScriptError:
    """What keeps a text from being taken apart at all."""
    return ScriptError(sentence, *(((mark.line + 1, mark.column + 1), (mark.index, mark.index)) if mark else ()))
