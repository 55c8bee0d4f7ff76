"""Edits to one panel of a script's plain text, for whoever shows the panels as cards beside it.

Each touches only that panel's lines; remarks, spacing and the other panels stay byte for byte. Panels are numbered from
1 in the order of `Reading.panels`. A text of another form becomes plain text first. All raise ScriptError for a text
that cannot be read, IndexError for a panel that there is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from anystory.script.form import NEWLINE, Reading, Span
from anystory.script.read import read_script
from anystory.script.write import panel_lines, script_lines
from anystory.story.from_sketch import KEY, FromSketch
from anystory.story.model import CastMember, Panel, Script
from anystory.story.prompt import find_names
from anystory.story.size import Size


def with_panel(text: str, number: int, panel: Panel, cast: Sequence[CastMember] = ()) -> str:
    """The text with another panel `number`. Of its lines those that say something else now are written anew."""
    reading = _plain(text, cast)
    before = reading.panels[_index(reading, number)]
    told = before is None or before.told or panel.cast != before.cast
    names = [member.name for member in reading.script.cast]
    named = panel.cast if told else {mention.name for mention in find_names(panel.prompt, names)}
    there = tuple(name for name in panel.cast if name in named)  # whom its words mean, they go on to say
    new = panel_lines(replace(panel, cast=there, told=told), reading.script.cast).split("\n")
    old = _lines(reading, number)
    same = [before is not None and replace(before, dialogue=()) == replace(panel, dialogue=())]
    same += [one == other for one, other in zip(before.dialogue, panel.dialogue, strict=False)] if before else []
    if before and len(before.dialogue) != len(old) - 1:  # some line could not be read, so which is which is not known
        same[1:] = []
    same += [False] * len(new)
    text, mark = reading.source, _break(reading.source)
    for index, (start, end) in reversed(list(enumerate(old))):
        more = "".join(mark + line for line in new[len(old) :]) if index == len(old) - 1 else ""
        if index >= len(new):
            text = _without(text, (start, end))
        elif not same[index]:
            text = text[:start] + new[index] + more + text[end:]
        else:
            text = text[:end] + more + text[end:]
    return text


def insert_panel(text: str, number: int, panel: Panel, cast: Sequence[CastMember] = ()) -> str:
    """The text with a new panel on lines of their own, which is panel `number` then. Who is in it is always told."""
    reading = _plain(text, cast)
    source, count = reading.source, len(reading.panels)
    if not 1 <= number <= count + 1:
        raise IndexError(f"There is no place {number} for a panel.")
    lines = panel_lines(replace(panel, told=True), reading.script.cast).replace("\n", _break(source))
    if number == 1 and count:
        start = _line(source, _lines(reading, 1)[0])[0]
        return f"{source[:start]}{lines}{_break(source)}{source[start:]}"
    end = _line(source, _lines(reading, number - 1)[-1])[1] if count else len(source)
    between = "" if not source[:end] or (not count and source[-1] in "\r\n") else _break(source)
    return f"{source[:end]}{between}{lines}{source[end:]}"


def remove_panel(text: str, number: int, cast: Sequence[CastMember] = ()) -> str:
    """The text without the lines of panel `number`."""
    reading = _plain(text, cast)
    _index(reading, number)
    text = reading.source
    for span in reversed(_lines(reading, number)):
        text = _without(text, span)
    return text


def move_panel(text: str, number: int, to: int, cast: Sequence[CastMember] = ()) -> str:
    """The text with panel `number` at the place `to`; what stands between panels stays where it is."""
    reading = _plain(text, cast)
    order = list(range(len(reading.panels)))
    order.insert(_index(reading, to), order.pop(_index(reading, number)))
    blocks = [(lines[0][0], lines[-1][1]) for lines in (_lines(reading, k + 1) for k in range(len(order)))]
    out, done = "", 0
    for (start, end), source in zip(blocks, order, strict=True):
        out += reading.source[done:start] + reading.source[slice(*blocks[source])]
        done = end
    return out + reading.source[done:]


def with_frames(text: str, key: str, value: str, cast: Sequence[CastMember] = ()) -> str:
    """The text with what it asks of all frames: `key` is "size", "shape" or "pages", the layout in whose cells they
    fit, and takes the place of what says another shape. "" for none. A size that is none raises ValueError."""
    reading = _plain(text, cast)
    source, sized = reading.source, reading.script.size
    gone = {key}
    if value and not (key == "size" and Size.of(value).is_square):
        gone |= {"shape", "pages"} | ({"size"} if sized and not sized.is_square else set())
    for span in sorted((reading.spans[other,] for other in gone if (other,) in reading.spans), reverse=True):
        source = _without(source, span)
    return f"{key}: {value}{_break(source)}{source}" if value else source


def with_from_sketch(text: str, taken: FromSketch | None, cast: Sequence[CastMember] = ()) -> str:
    """The text saying for the whole story what frames take of their sketches; None for nothing said."""
    source = (reading := _plain(text, cast)).source
    if (KEY,) in reading.spans:
        source = _without(source, reading.spans[KEY,])
    return source if taken is None else f"{KEY}: {taken}{_break(source)}{source}"


def with_prompt(panel: Panel, prompt: str, names: Sequence[str]) -> Panel:
    """The panel with another prompt. Whom it names now and did not before comes in, whom it named and does not any more
    goes; `names` are those of the cast, in its order."""
    old, new = ({mention.name for mention in find_names(words, names)} for words in (panel.prompt, prompt))
    there = (set(panel.cast) | (new - old)) - (old - new)
    return replace(panel, prompt=prompt, cast=tuple(name for name in names if name in there))


def with_name(panel: Panel, name: str, names: Sequence[str]) -> Panel:
    """The panel with a character put in, or taken out who is in it."""
    there = set(panel.cast) ^ {name}
    return replace(panel, cast=tuple(other for other in names if other in there), told=True)


def plain_text(script: Script) -> str:
    """A whole script as plain text, but for the presets and the pictures it brings."""
    values = {key: " ".join(getattr(script, key).split()) for key in ("title", "style", "segmenter")}
    head = [f"{key}: {value}" for key, value in values.items() if value]
    head += [f"cast: {member.name}, {' '.join(member.description.split())}" for member in script.cast]
    return "\n".join([*head, *[""] * bool(head), script_lines(script)])


def _plain(text: str, cast: Sequence[CastMember]) -> Reading:
    reading = read_script(text, None, cast)
    if ("panels",) in reading.spans:  # only in YAML and JSON have the panels as a whole a place
        if len(reading.script.panels) < len(reading.panels):
            raise reading.errors[0]
        reading = read_script(plain_text(reading.script), None, cast)
    return reading


def _index(reading: Reading, number: int) -> int:
    if not 1 <= number <= len(reading.panels):
        raise IndexError(f"There is no panel {number}.")
    return number - 1


def _lines(reading: Reading, number: int) -> list[Span]:
    """Where a panel's line stands, and those of its dialogue."""
    path, spans = ("panels", number - 1), reading.spans
    said = [spans[key] for key in spans if key[:2] == path and len(key) == 4 and key[2] == "dialogue"]
    return [spans[path], *sorted(said)]


def _line(source: str, span: Span) -> Span:
    """From the first character of a span's line to its last."""
    before = max(source.rfind("\n", 0, span[0]), source.rfind("\r", 0, span[0])) + 1
    after = NEWLINE.search(source, span[1])
    return before, after.start() if after else len(source)


def _without(source: str, span: Span) -> str:
    """The text without the line a span is in."""
    start, end = _line(source, span)
    if after := NEWLINE.match(source, end):
        return source[:start] + source[after.end() :]
    return re.sub(r"(?:\r\n|\r|\n)\Z", "", source[:start])


def _break(source: str) -> str:
    """How the text breaks lines."""
    found = NEWLINE.search(source)
    return found[0] if found else "\n"
