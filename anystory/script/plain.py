r"""Scripts in plain text: how they are written, and how one is taken apart.

Plain text is one line per panel, with what is said in it on lines of their own below:

    title: A day out
    style: watercolour
    shape: 16:9
    cast: Mia, a small fox
    image: mia.png
    mask: mia-mask.png
    cast: Tom, an old fox
    drawing: fox

    Mia walks in the forest # Early in the morning
    [Mia, Tom] they share an apple
    [NC] the empty beach at night
    [style: Line art] [seed: 7] [size: 192x128] Tom and Mia look at a map
    > Mia: Half for you!
    [layout: Mia 0 0.2 0.5 1; Tom 0.5 0.2 1 1] Mia and Tom dance
    # a line that starts with # is a remark and is left out

`title`, `style`, `size` and `shape` (of frames, which a panel may have too), `pages` (the layout in whose cells
frames fit), `from_sketch` (what a model takes of the sketches, which a panel may say too), `segmenter` (the rembg
model that cuts pictures out) and `cast` (a name, then how the character looks; a line each, with the files of its
picture and of its mask below it, and of further pictures, or with the drawing of the library that stands for it) come
before the first panel, each only if wanted. `[NC]` is a panel with nobody in it, `[Name, …]` or `[cast: Name, …]`
says who is in it, otherwise those are whose names the line contains or, where it has none, whom its pronouns mean
(`anystory.script.pronouns`); `[layout: …]` says where (`anystory.story.steering`). `Mia: Half for you!` below a panel
is what Mia says there, as with a > before it, if she is in the cast.
What follows a `#` with a space before it is the caption. A backslash before one of `# >
[ ] \` takes it as it is, and `\n` breaks a line. Commas, colons and semicolons may be full-width, and 、 may be
between names. StoryDiffusion's character list, `[Mia] a small fox` before the panels, is read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from anystory.cast.filenames import SUFFIXES
from anystory.errors import Message
from anystory.script.escapes import unquoted
from anystory.script.form import MAX_ERRORS, NOBODY, TAG_KEYS, Parsed, ScriptError, Span, Where, place
from anystory.script.imports.panels import sentence
from anystory.script.paste import SPEECH, pasted, unbold
from anystory.story.from_sketch import KEY
from anystory.story.names import folded

_FILE = rf".*(?:{'|'.join(map(re.escape, SUFFIXES))})[\"'”]?"

HEADER = re.compile(
    rf"(?:(title|style|segmenter|cast|{KEY}|(?:size|shape|pages)(?=\s*[:：]\s*[^\s:：]+(?:\s?[x×:：/]\s?[^\s:：]+)?$))|(image|mask)(?=\s*[:：]{_FILE}$)|(drawing)(?=\s*[:：][^:：]{{1,60}}$))\s*[:：]\s*",
    re.IGNORECASE,
)
"""What stands before the first panel: group 1 for the story, or group 2, with a file, or group 3 for the character
above."""

CAPTION = re.compile(r"(?:^|\s)#")
SAID = ">"
"""What a line of dialogue begins with."""

BOLD_NAME = re.compile(r"^(>\s*)\*\*([^*:：]{1,40})(?:[:：]\*\*|\*\*\s?[:：])")
"""Who says something, in Markdown: > **Mia:** Ready?"""

TAGGED = re.compile(rf"(?<!\\)\[\s*({'|'.join(TAG_KEYS)})\s*[:：]\s*+((?:[^\[\]\s]|\s++(?!\]))*+)\s*+\]", re.IGNORECASE)
"""A key of the panel in brackets, and its value. No repetition gives back what it took: a bracket that is not closed
is read once."""

COMMA = re.compile("[,，]")
"""What is between names, and between a name and its description."""

KANA_COMMA = re.compile("(?<=[\u3041-\u30ff])、(?=[^,，]*$)")
"""The same in Japanese, where no comma of another kind is."""

DESCRIBED = re.compile(
    r"\[(?!\s*\w+\s*[:：])([^\[\],，、#]+)\]\s*((?:an?|the|one|two|my)\s[^#]*|[一两这那][^#]*)$", re.IGNORECASE
)
"""A line of StoryDiffusion's character list, such as `[Bob] A man, wearing a black suit`."""


def parse_plain(text: str, known: Sequence[str] = ()) -> Parsed:
    """Take plain text apart, panel by panel; `known` are the names of characters there are already."""
    data: dict[str, Any] = {"cast": [], "panels": []}
    spans: dict[Where, Span] = {}
    misplaced: list[tuple[Span, str]] = []
    spoken: list[list[str]] = []

    def add(key: str, value: Any, span: Span, **parts: Span) -> None:
        path = key, len(data[key])
        data[key].append(value)
        spans[path] = span
        spans.update({(*path, part): span for part, span in parts.items()})

    pieces, left_out = pasted(text, known)
    described = _character_list([(piece.start, piece.text) for piece in pieces], known)
    parts: dict[int, dict[str, list[str]]] = {}
    for piece in pieces:
        start, line = piece.start, piece.text
        span, header = (start, start + len(line)), HEADER.match(unbold(line)) and HEADER.match(line)
        if header and header[3] and (data["panels"] or not data["cast"]):
            header = None  # "Drawing: Mia at her desk" is a panel
        if piece.role == "title":
            data.setdefault("title", unbold(line).removesuffix("**").strip('"“”'))
            spans["title",] = span
            continue
        if piece.role == "member":
            called, *rest = re.split(r"(?<!\s)\s*(?:[:：,，]|\s[-–—]\s)\s*", unbold(line), maxsplit=1)
            called = re.sub(r"(?<!\s)\s*\(.*\)$", "", called)
            add("cast", {"name": called, "description": " ".join(rest)}, span)
            continue
        if piece.role not in ("", "panel", "said") and data["panels"]:
            index = len(data["panels"]) - 1
            parts.setdefault(index, {}).setdefault(piece.role, []).append(unbold(line))
            spans["panels", index] = spans["panels", index][0], max(spans["panels", index][1], span[1])
            continue
        if not line and piece.role != "panel":
            continue
        if start in described:
            name, words = (_shift(described[start].span(group), start) for group in (1, 2))
            # img is the mark StoryDiffusion wants behind the noun for whoever has a picture.
            description = re.sub(r"(?<!\s)\s+img\b", "", text[slice(*words)])
            add("cast", {"name": text[slice(*name)], "description": description}, span, name=name, description=words)
        elif (line.startswith(SAID) or piece.role == "said") and data["panels"]:
            index, said = len(data["panels"]) - 1, spoken[-1]
            spans["panels", index, "dialogue", len(said)] = span
            said.append(BOLD_NAME.sub(r"\1\2:", line) if line.startswith(SAID) else _spoken(unbold(line)))
        elif line.startswith(SAID):
            misplaced.append(
                (
                    span,
                    Message(
                        "{mark} begins what is said in the panel above, and there is none; move it down.", mark=SAID
                    ),
                )
            )
        elif not header:
            head = CAPTION.split(line, maxsplit=1)[0]
            tags = {tag[1].lower(): _shift(tag.span(2), start) for tag in TAGGED.finditer(head)}
            spoken.append([])
            add("panels", unbold(line), span, **tags)
        elif data["panels"]:
            misplaced.append(
                (
                    span,
                    Message(
                        "{key} must come before the first panel; move it up.",
                        key=(header[1] or header[2]).lower(),
                    ),
                )
            )
        elif header[2]:
            key = header[2].lower()
            if not data["cast"]:
                misplaced.append((span, Message("{key} belongs to a character; write `cast: NAME` above it.", key=key)))
                continue
            images, files = (data["cast"][-1].setdefault(kind, []) for kind in ("image", key))
            index = len(images) if key == "image" else max(len(images) - 1, 0)
            if index < len(files):
                misplaced.append((span, Message("{key} is given twice for one image; keep one.", key=key)))
            else:
                files += [None] * (index - len(files)) + [line[header.end() :]]
                spans["cast", len(data["cast"]) - 1, key, index] = start + header.end(), span[1]
        elif header[3]:
            if "drawing" in data["cast"][-1]:
                misplaced.append((span, Message("drawing is given twice for one character; keep one.")))
                continue
            data["cast"][-1]["drawing"] = line[header.end() :]
            spans["cast", len(data["cast"]) - 1, "drawing"] = start + header.end(), span[1]
        elif header[1].lower() == "cast":
            comma = KANA_COMMA if KANA_COMMA.search(line) else COMMA
            called, *rest = comma.split(line[header.end() :], maxsplit=1)
            begin, description = start + header.end(), "".join(rest)
            places = {"name": (begin, begin + len(called)), "description": (span[1] - len(description), span[1])}
            add("cast", {"name": unbold(called), "description": unbold(description)}, span, **places)
        elif header[1].lower() in data:
            misplaced.append((span, Message("{key} is given twice; keep one.", key=header[1].lower())))
        else:
            data[header[1].lower()] = line[header.end() :]
            spans[header[1].lower(),] = start + header.end(), span[1]
    if not known and not data["cast"]:  # who speaks is the cast, as in screenplays
        lines = (SPEECH.match(line) for told in parts.values() for line in told.get("dialogue", ()))
        names = {folded(speech["who"]): speech["who"] for speech in lines if speech}
        data["cast"] = [{"name": name, "description": ""} for name in names.values()]
    data["panels"] = ["\n".join([line, *said]) for line, said in zip(data["panels"], spoken, strict=True)]
    for index, told in parts.items():
        data["panels"][index] = _told(data["panels"][index], told)
        spans["panels",] = 0, len(text)  # whoever edits a panel makes plain text of them all first
    problems = tuple(ScriptError(words, place(text, span[0]), span) for span, words in misplaced[:MAX_ERRORS])
    return Parsed(text, data, spans, problems=problems, left_out=left_out)


def _spoken(line: str) -> str:
    """`Tom (laughing): “Not yet!”` as plain text has it."""
    speech = SPEECH.match(line)
    return f"{SAID} {speech['who']}: {unquoted(speech['say'] or speech['quoted'])}" if speech else f"{SAID} {line}"


def _told(panel: str, parts: Mapping[str, Sequence[str]]) -> str:
    """A panel as plain text with what lines below it tell: more of its words, its caption, what is said."""
    line, *said = panel.split("\n")
    words = [line, *parts.get("prompt", ()), *parts.get("more", ())]
    line = " ".join(part for part in words if part)
    line = sentence([line, *parts["camera"]]) if "camera" in parts else line
    caption = " ".join(part.strip('"“”') for part in parts.get("caption", ()))
    said += [_spoken(words) for words in parts.get("dialogue", ())]
    return "\n".join([f"{line}  # {caption}" if caption else line, *said])


def _character_list(lines: Sequence[tuple[int, str]], known: Sequence[str]) -> dict[int, re.Match[str]]:
    """The lines, by their starts, that tell what a character looks like: those before the first panel with one name
    in brackets and a description that begins with an article. An empty line after them, or the mark img in one, makes
    it sure; that has to be where a name is known already, as [Mia] a walk in the park is a panel otherwise."""
    found: dict[int, re.Match[str]] = {}
    names: set[str] = set()
    taken = {folded(name) for name in known}
    for index, (start, line) in enumerate(lines):
        if header := HEADER.match(line):
            taken.add(folded(COMMA.split(line[header.end() :])[0]))
        elif line or found:
            match = DESCRIBED.match(line)
            name = folded(match[1]) if match else ""
            if match is None or not name or name in names or name == folded(NOBODY):
                sure = not line or not names & taken or any(re.search(r"\simg\b", match[2]) for match in found.values())
                return found if sure and any(later for _, later in lines[index:]) else {}
            found[start] = match
            names.add(name)
    return {}


def _shift(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by
