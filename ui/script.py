"""The script: a line a panel, and at once how it was understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gradio as gr

from anystory.script import ScriptError, parse_script
from anystory.story import CastMember, Script, Subject
from ui import html

PLACEHOLDER = """Mia walks in the forest in the morning
Mia and Tom meet on a meadow  # A new friend
[NC] mountains at night"""


@dataclass(frozen=True)
class ScriptWidgets:
    """The script's widgets; `feedback` says who is in which panel and what is wrong."""

    title: gr.Textbox
    style: gr.Textbox
    text: gr.Textbox
    feedback: gr.HTML


def create() -> ScriptWidgets:
    """Lay out the text boxes and the feedback under them."""
    with gr.Row():
        title = gr.Textbox(
            "", label="Title", placeholder="A day out", max_lines=1, max_length=200, min_width=140, elem_id="title"
        )
        style = gr.Textbox(
            "", label="Style", placeholder="watercolour", max_lines=1, max_length=200, min_width=140, elem_id="style"
        )
    text = gr.Textbox("", label="Panels", lines=6, max_lines=24, placeholder=PLACEHOLDER, elem_id="script")
    gr.HTML(
        '<p class="hint"><kbd>#</kbd> starts a caption · <kbd>[NC]</kbd> nobody in it · '
        "<kbd>Ctrl</kbd> <kbd>Enter</kbd> makes the frames</p>"
    )
    return ScriptWidgets(title, style, text, gr.HTML(elem_id="reading"))


@dataclass(frozen=True)
class Reading:
    """What was understood: the script, or why there is none; `errors` are sentences."""

    script: Script | None
    errors: tuple[str, ...] = ()


def read(text: str, title: str, style: str, subjects: Sequence[Subject]) -> Reading:
    """Read the script for a cast of `subjects`. Title and style win over those inside the text.

    A name that cannot be one, a line that cannot be read and a character without a picture are errors.
    """
    try:
        named = parse_script({"cast": [{"name": subject.name} for subject in subjects], "panels": ["-"]}).cast
        cast = [
            CastMember(member.name, description=subject.description)
            for member, subject in zip(named, subjects, strict=True)
        ]
        script = parse_script(text, cast=cast)
    except ScriptError as error:
        return Reading(None, (str(error),))
    script = replace(script, title=title.strip() or script.title, style=style.strip() or script.style)
    pictured = {member.name for member in named}
    missing = tuple(
        f"{name} is in panel {number} but has no picture: add one above and call it {name}."
        for number, panel in enumerate(script.panels, 1)
        for name in panel.cast
        if name not in pictured
    )
    return Reading(script, missing)


def feedback(text: str, subjects: Sequence[Subject], most: int | None = None) -> str:
    """The panels with who is in each, then what is wrong, as HTML; nothing for an empty script.

    `most` is how many characters a frame the model was trained for, if known.
    """
    if not text.strip():
        return ""
    reading = read(text, "", "", subjects)
    if reading.script is None:
        return html.notice(reading.errors)
    crowded = [
        f"Panel {number} has {len(panel.cast)} characters; the model was trained for {most} and may mix them up."
        for number, panel in enumerate(reading.script.panels, 1)
        if most is not None and len(panel.cast) > most
    ]
    cast = [member.name for member in reading.script.cast]
    return html.reading(reading.script.panels, cast, [*reading.errors, *crowded])


def lines(script: Script) -> str:
    """The panels as lines of plain text, captions behind a #."""
    return "\n".join(f"{panel.prompt}  # {panel.caption}" if panel.caption else panel.prompt for panel in script.panels)
