"""The page's own pieces of HTML. Everything a person typed is escaped here."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

from PIL import Image

from anystory.overlay import colour
from anystory.story import Panel

THUMBNAIL = 168
"""Side in pixels of the pictures on a cast card, twice what is shown, for sharp screens."""


def data_uri(image: Image.Image, side: int | None = None) -> str:
    """The picture inside an address: nothing is stored for it. PNG with transparency, JPEG without."""
    if side is not None:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    kind = "png" if image.has_transparency_data else "jpeg"
    buffer = io.BytesIO()
    image.convert("RGBA" if kind == "png" else "RGB").save(buffer, kind)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def pictures(upload: Image.Image, cutout: Image.Image, index: int) -> str:
    """A character as uploaded and as cut out (RGBA), ringed in its colour."""
    return (
        f'<div class="pictures" style="--who:{colour(index)}">'
        f'<img src="{data_uri(upload, THUMBNAIL)}" alt="as uploaded" title="As uploaded">'
        f'<img src="{data_uri(cutout, THUMBNAIL)}" alt="cut out" title="Cut out: what the model sees" class="cutout">'
        "</div>"
    )


def notice(sentences: Sequence[str]) -> str:
    """What went wrong, a sentence a line; nothing for nothing."""
    if not sentences:
        return ""
    return f'<div class="notice" role="alert">{"".join(f"<p>{escape(s)}</p>" for s in sentences)}</div>'


def chips(names: Sequence[str], cast: Sequence[str]) -> str:
    """The names as pills, each with its character's colour."""
    if not names:
        return '<span class="chips"><span class="chip nobody">nobody</span></span>'
    pills = (f'<span class="chip" style="--who:{colour(cast.index(name))}">{escape(name)}</span>' for name in names)
    return f'<span class="chips">{"".join(pills)}</span>'


def reading(panels: Sequence[Panel], cast: Sequence[str], errors: Sequence[str]) -> str:
    """How the script was understood: a row a panel with who is in it, then the errors."""
    rows = (
        f'<li><span class="number">{number}</span>{chips(panel.cast, cast)}'
        f'<span class="prompt" title="{escape(panel.prompt)}">{escape(panel.prompt)}</span></li>'
        for number, panel in enumerate(panels, 1)
    )
    listed = f'<ol class="reading">{"".join(rows)}</ol>' if panels else ""
    return listed + notice(errors)


def progress(where: str, what: str, share: float, preview: Image.Image | None = None) -> str:
    """The panel at work: where we are, what is made, how much is done (0 to 1) and the picture so far."""
    picture = f'<img src="{data_uri(preview)}" alt="the frame so far">' if preview else '<div class="blank"></div>'
    percent = round(100 * share)
    return (
        f'<div class="progress">{picture}<div class="text"><div class="where" role="status">{escape(where)}</div>'
        f'<div class="what">{escape(what)}</div><div class="bar" role="progressbar" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div></div></div>'
    )


def opened(number: int, panel: Panel, names: Sequence[str], cast: Sequence[str], seed: int) -> str:
    """What is written beside an opened frame, and the colours of the boxes that choose its subjects."""
    colours = "".join(
        f"#who label:nth-of-type({k}){{--who:{colour(cast.index(name))}}}" for k, name in enumerate(names, 1)
    )
    caption = f'<div class="caption">{escape(panel.caption)}</div>' if panel.caption else ""
    spoken = "".join(f'<div class="line"><b>{escape(line.who)}</b> {escape(line.say)}</div>' for line in panel.dialogue)
    return (
        f'<style>{colours}</style><div class="opened"><div class="number">Panel {number} · seed {seed}</div>'
        f'{caption}<div class="prompt">{escape(panel.prompt)}</div>{spoken}</div>'
    )


def model(state: str, words: str = "") -> str:
    """The model's state, loading | ready | missing, as a light in the page's head."""
    said = {"loading": "loading the model…", "ready": f"model: {words}", "missing": "no model"}[state]
    return f'<span class="model {state}" role="status" title="{escape(words)}">{escape(said)}</span>'


EMPTY = (
    '<div class="empty"><div class="strip"><i></i><i></i><i></i><i></i></div>'
    "<div>Your frames appear here, one a line of the script.</div></div>"
)
