"""Final Draft's screenplays (.fdx, XML) as Fountain, which `anystory.script.imports.fountain` reads on."""

from __future__ import annotations

from xml.etree import ElementTree

from anystory.errors import Message
from anystory.script.form import ScriptError

BEFORE = {"Scene Heading": ".", "Action": "!", "General": "!", "Shot": "!", "Transition": "> ", "Character": "@"}
"""What makes a line of Fountain a paragraph of Final Draft's kind whatever it says."""


def to_fountain(data: bytes, name: str) -> str:
    """The screenplay in a .fdx file called `name`. Raises `ScriptError` for what is none."""
    if b"<!ENTITY" in data:
        raise ScriptError(
            Message("{name} has entities of its own, which no Final Draft file has; export it anew.", name=name)
        )
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        at = error.position[0], error.position[1] + 1
        raise ScriptError(
            Message("{name} is not XML ({error}); export it anew from Final Draft.", name=name, error=error), at
        ) from error
    if root.tag != "FinalDraft" or root.find("Content") is None:
        raise ScriptError(Message("{name} is not a Final Draft screenplay; export it as .fdx.", name=name))
    title, *besides = [*filter(None, map(_words, root.iterfind("TitlePage/Content/Paragraph"))), ""]
    out = [f"Title: {title}", *(f"Credit: {line}" for line in besides if line), ""] if title else []
    speaking = False
    notes = {id(each) for note in root.iterfind(".//ScriptNote") for each in note.iterfind(".//Paragraph")}
    for paragraph in root.iterfind("Content//Paragraph"):
        kind, words = paragraph.get("Type", "Action"), _words(paragraph)
        if not words:
            continue
        if kind == "Cast List" or id(paragraph) in notes:
            out += ["", f"[[{words}]]"]
            continue
        under = speaking and kind in ("Dialogue", "Parenthetical", "Singing")
        if kind == "Parenthetical" and not words.startswith("("):
            words = f"({words})"
        out += [] if under else [""]
        out.append(words if under else BEFORE.get(kind, "!") + words)
        speaking = under or kind == "Character"
    return "\n".join(out).lstrip("\n") + "\n"


def _words(paragraph: ElementTree.Element) -> str:
    return " ".join("".join(text.text or "" for text in paragraph.iterfind("Text")).split())
