"""A script as a screenplay in Fountain: each panel a paragraph of action, its caption centred, its balloons dialogue.

Everything is forced (`!`, `@`, `> <`), so that it reads back as what it is whatever its words are.
"""

from __future__ import annotations

import re

from anystory.script.escapes import bare
from anystory.story.model import Script


def to_fountain(script: Script) -> str:
    """The screenplay. It has the title, and of each panel the prompt, the caption and what is said."""
    parts = [f"Title: {_words(script.title)}"] if script.title else []
    for panel in script.panels:
        parts.append(f"!{_words(bare(panel.prompt))}")
        parts += [f"> {_words(bare(panel.caption))} <"] if panel.caption else []
        parts += [f"@{line.who}\n{_said(bare(line.say))}" for line in panel.dialogue]
    return "\n\n".join(parts) + "\n"


def _said(text: str) -> str:
    """Words as `_words` writes them, with a backslash before what would be how something is said."""
    return re.sub(r"^(?=\(.*\)$)", r"\\", _words(text))


def _words(text: str) -> str:
    """Words on one line, with a backslash before what would be a mark of emphasis."""
    return re.sub(r"[*_]", r"\\\g<0>", " ".join(text.split()))
