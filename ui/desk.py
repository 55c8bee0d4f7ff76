"""The desk below an opened frame: correct who is where and how strongly, choose among other frames, and read how alike
everyone is. Everything a person typed is escaped here."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from anystory.backends.base import Backend
from anystory.errors import Message
from anystory.maps.consistency import Consistency, Look, consistency
from anystory.maps.overlay import colour, colours_of
from anystory.story.model import BACKGROUND, MAX_SEED
from anystory.story.steering import SIDE, STRENGTHS, Layout, Place, Steering, numbers, painted
from ui import html
from ui.previews import PREVIEWS, Preview
from ui.strip import FILE
from ui.studio import Shown, Take
from ui.words import t

ROUTING_JS, TAKES_JS = (
    (Path(__file__).parent / "js" / f"{name}.js").read_text(encoding="utf-8") for name in ("routing", "takes")
)

STRENGTH = 0.5
"""Of a layout that is only begun: it is mostly followed, and figures keep something of a shape of their own."""

VARIANTS = range(2, 9)
"""How many other frames can be asked for at a time."""

GROUND = "#8a8378"
"""The colour of the background on the board."""

LARGE = 640
"""Longest side of the frame below the board."""

WHOLLY = "".join(
    f'<input type="hidden" name="{name}" value="{value}">'
    for name, value in {"strength": 1, "start": 0, "end": 100}.items()
)
"""In place of how firmly and when, where a layout is always followed."""

TICKS = 100
"""Width of a chart's scale."""


@dataclass(frozen=True)
class Desk:
    """The desk's widgets."""

    column: gr.Column
    notice: gr.HTML
    routing: gr.HTML
    takes: gr.HTML
    ask: gr.Button
    alike: gr.HTML
    download: gr.Button
    sheet: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """What `opened` gives values for."""
        return [self.column, self.notice, self.routing, self.takes]


def create() -> Desk:
    """Lay the desk out; hidden until a frame is opened."""
    with gr.Column(visible=False, elem_id="desk") as column:
        notice = gr.HTML(elem_id="desk-notice")
        with gr.Accordion(t("desk.more"), open=False, elem_id="desk-more"):
            with gr.Accordion(t("desk.takes"), open=False, elem_id="desk-takes"):
                takes = gr.HTML(js_on_load=TAKES_JS, elem_id="takes", apply_default_css=False)
            with gr.Accordion(t("desk.routing"), open=False, elem_id="desk-routing"):
                routing = gr.HTML(js_on_load=ROUTING_JS, elem_id="routing", apply_default_css=False)
            with gr.Accordion(t("desk.alike"), open=False, elem_id="desk-alike"):
                ask = gr.Button(t("desk.alike.ask"), size="md", elem_id="ask-alike")
                alike = gr.HTML(elem_id="alike")
            with gr.Row(elem_classes="takeaway"):
                download = gr.Button(t("frames.download"), size="md", min_width=120, elem_id="download-all")
                sheet = gr.Button(t("frames.sheet"), size="md", min_width=120, elem_id="contact-sheet")
    return Desk(column, notice, routing, takes, ask, alike, download, sheet)


def opened(item: Shown | None, others: Sequence[Take], pinned: bool, sketches: bool) -> list[Any]:
    """The values of `Desk.outputs` for a frame with its `others` to choose from; None = no frame is open. `sketches`
    as the backend's that would make it anew."""
    if item is None:
        return [gr.Column(visible=False), "", "", ""]
    return [gr.Column(visible=True), "", routing(item, sketches), takes(item, others, pinned)]


# --- routing ------------------------------------------------------------------------------------------------------


def routing(item: Shown, sketches: bool) -> str:
    """The board and the strengths, as they were asked for; without a layout the board starts from the routing. Of a
    backend that `sketches` there are no strengths."""
    steering, names = item.panel.steering, item.names
    if not names:
        return f'<p class="hint">{t("desk.nobody")}</p>'
    frame, cast, layout = item.frame, item.job.names, steering.layout
    colours = [*colours_of(names, cast), GROUND]
    held = [_bits(place) for place in frame.maps.located((SIDE, SIDE))]
    everybody = list(zip((*names, BACKGROUND), colours, strict=True))
    there = [_place(*who, paint=bits) for who, bits in zip(everybody, (*held, ""), strict=True)]
    asked = {place.name: place for place in layout.places}
    start = there
    if asked:
        start = [_asked(name, who, asked.get(name)) for name, who in everybody]
    strength = layout.strength if asked else STRENGTH
    board = (
        f'<div class="board"><img src="{html.data_uri(frame.image, LARGE)}" alt=""><canvas width="{SIDE}" '
        f'height="{SIDE}" aria-label="{_said("desk.board")}"></canvas></div>'
        f'<div class="tools">{_whose((*names, BACKGROUND), colours)}{_tools()}'
        f"{WHOLLY if sketches else _window(strength, layout)}"
        f"{_strengths(names, colours, steering, frame.seed, ('seed',) if sketches else tuple(PREVIEWS))}"
        f'<button type="button" class="go" data-act="steer">{t("desk.steer")}</button></div>'
    )
    data = {"number": item.number, "touched": bool(asked), "places": start, "routing": there}
    attributes = "".join(f" data-{key}='{escape(json.dumps(value))}'" for key, value in data.items())
    # By the digest the page sees that it shows something else: Gradio keeps the nodes and what was typed into them.
    digest = hashlib.sha256(f"{attributes}{board}".encode()).hexdigest()
    return f'<div class="routing"{attributes} data-said="{digest}">{board}</div>'


def _bits(held: np.ndarray) -> str:
    return "".join("01"[int(on)] for on in held.ravel())


def _place(name: str, who: str, box: Sequence[float] | None = None, paint: str = "") -> dict[str, Any]:
    return {"name": name, "colour": who, "box": box and list(box), "paint": paint}


def _asked(name: str, who: str, place: Place | None) -> dict[str, Any]:
    if place is None:
        return _place(name, who)
    return _place(name, who, place.box, "" if place.box else _bits(place.region() > 0))


def _whose(names: Sequence[str], colours: Sequence[str]) -> str:
    chips = (
        f'<button type="button" data-who="{index}" aria-pressed="{str(not index).lower()}" style="--who:{who}">'
        f"{t('desk.background') if name == BACKGROUND else escape(name)}</button>"
        for index, (name, who) in enumerate(zip(names, colours, strict=True))
    )
    return f'<p class="hint">{t("desk.routing.about")}</p><div class="whose">{"".join(chips)}</div>'


def _tools() -> str:
    tools = (
        f'<button type="button" data-tool="{tool}">{t(f"desk.{tool}")}</button>' for tool in ("brush", "eraser", "box")
    )
    edges = (
        f'<label>{t(f"desk.{edge}")}<input type="number" data-edge="{index}" min="0" max="100" step="1"></label>'
        for index, edge in enumerate(("left", "top", "right", "bottom"))
    )
    return (
        f'<div class="row">{"".join(tools)}<label>{t("desk.size")}'
        '<input class="size" type="range" min="1" max="16" value="6"></label>'
        f'<button type="button" data-act="clear">{t("desk.clear")}</button>'
        f'<button type="button" data-act="routing">{t("desk.again")}</button></div>'
        f'<fieldset class="row"><legend>{t("desk.edges")}</legend>{"".join(edges)}</fieldset>'
    )


def _number(name: str, label: str, value: object, low: float, high: float, step: float) -> str:
    return (
        f'<label>{label}<input type="number" name="{name}" min="{low}" max="{high}" step="{step}" '
        f'value="{value}"></label>'
    )


def _steps(first: str, last: str, shares: Sequence[float] | None) -> str:
    """Two boxes for the steps from and to, in per cent."""
    values = ["", ""] if shares is None else [f"{100 * share:g}" for share in shares]
    boxes = zip((first, last), ("desk.from", "desk.to"), values, strict=True)
    return "".join(_number(name, t(label), value, 0, 100, 5) for name, label, value in boxes)


def _window(strength: float, layout: Layout) -> str:
    return (
        f'<div class="row">{_number("strength", t("desk.strength"), f"{strength:g}", 0, 1, 0.05)}</div>'
        f'<fieldset class="row"><legend>{t("desk.steps")}</legend>'
        f"{_steps('start', 'end', (layout.start, layout.end))}</fieldset>"
        f'<p class="hint">{t("desk.strength.about")}</p>'
    )


def _strengths(
    names: Sequence[str], colours: Sequence[str], steering: Steering, seed: int, shown: Sequence[str]
) -> str:
    """What can be asked of a panel besides a layout, as far as it is `shown`, each with what it means and does."""
    given = {key: dict(getattr(steering, key)) for key in STRENGTHS}
    controls = {
        key: "".join(
            f'<label class="chip" style="--who:{who}">{escape(name)}<input type="number" data-strength="{key}" '
            f'data-name="{escape(name)}" min="{low}" max="{high}" step="0.1" value="{given[key].get(name, "")}" '
            f'placeholder="–" aria-label="{escape(name)} {key}"></label>'
            for name, who in zip(names, colours, strict=False)
        )
        for key, (low, high) in STRENGTHS.items()
    }
    controls["reference"] = _steps("first", "last", steering.reference)
    ticked = " checked" * steering.router
    controls["router"] = f'<label><input type="checkbox" name="router"{ticked}>{t("desk.routed")}</label>'
    controls["seed"] = _number("seed", "", seed, 0, MAX_SEED, 1)
    blocks = (
        f'<fieldset><legend>{t(f"desk.{key}")}</legend><div class="row">{controls[key]}</div>'
        f'<p class="hint">{t(f"desk.about.{key}")}</p>{_preview(key) if len(shown) > 1 else ""}</fieldset>'
        for key in shown
    )
    label = t("desk.strengths" if len(shown) > 1 else "desk.seed")
    return f'<details><summary>{label}</summary><div class="strengths">{"".join(blocks)}</div></details>'


@cache
def _preview(key: str) -> str:
    """The example's frame under a few values of a strength."""
    shown = (
        f'<figure><img src="data:image/webp;base64,{base64.b64encode(preview.image.read_bytes()).decode()}" '
        f'alt="{_said("desk.preview")} {_value(key, preview)}"><figcaption>{_value(key, preview)}</figcaption></figure>'
        for preview in PREVIEWS[key]
    )
    return f'<div class="preview">{"".join(shown)}</div>'


def _value(key: str, preview: Preview) -> str:
    if key == "router":
        return t("desk.preview.on" if preview.steering.router else "desk.preview.off")
    return escape(preview.value) or t("desk.preview.usual")


def _said(key: str) -> str:
    """Known words inside an attribute."""
    return escape(t(key))


def steering(told: Mapping[str, Any], names: Sequence[str]) -> Steering:
    """What the board says, for a panel with `names`; `told` comes from the page, where anybody could have sent it.
    Raises ValueError with a sentence."""
    places = tuple(place for entry in _list(told.get("layout")) if (place := _placed(entry, (*names, BACKGROUND))))
    layout = Layout()
    if places:
        (strength,) = numbers(told.get("strength"), 1, "The strength of the layout")
        layout = Layout(places, strength, *_shares(told.get("start"), told.get("end"), "The layout's steps"))
    strengths: dict[str, Any] = {
        key: tuple((name, *numbers(value, 1, f"The {key} of {name}")) for name, value in _given(told.get(key), names))
        for key in STRENGTHS
    }
    window = told.get("first"), told.get("last")
    reference = None if window == ("", "") else _shares(*window, "The reference_steps")
    return Steering(layout, **strengths, reference=reference, router=told.get("router") is not False)


def steered(before: Steering, asked: Steering) -> Steering:
    """What is asked of a panel by the board: what is taken of the sketch stays as the script says, also how firmly and
    when its places count where none is given by hand."""
    layout = asked.layout if asked.layout.places else replace(before.layout, places=())
    return replace(asked, layout=layout, from_sketch=before.from_sketch)


def placed(before: Steering, asked: Steering) -> Steering:
    """What is asked of a panel by a board that only places: what the script says to a model stays, also how firmly and
    when, unless that was not at all."""
    layout = asked.layout
    if layout.places and before.layout.places and before.layout.strength:
        layout = replace(before.layout, places=layout.places)
    return replace(before, layout=layout)


def seed(told: Mapping[str, Any]) -> int:
    """The seed that the board says; as in `steering`."""
    (number,) = numbers(told.get("seed"), 1, "The seed")
    if not 0 <= number <= MAX_SEED or number % 1:
        raise ValueError(
            Message(
                "The seed is {seed}; it must be a whole number from 0 to {most}.", seed=f"{number:g}", most=MAX_SEED
            )
        )
    return int(number)


def _shares(first: object, last: object, what: str) -> tuple[float, float]:
    """Two percentages as shares."""
    low, high = numbers([first, last], 2, what)
    return round(low / 100, 4), round(high / 100, 4)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _given(value: object, names: Sequence[str]) -> list[tuple[str, object]]:
    return [(name, value[name]) for name in names if isinstance(value, Mapping) and value.get(name) not in ("", None)]


def _placed(entry: object, names: Sequence[str]) -> Place | None:
    """A place as the page tells it; None for none."""
    name, box, paint = (entry.get(key) if isinstance(entry, Mapping) else None for key in ("name", "box", "paint"))
    if not isinstance(name, str) or name not in names or not (box or paint):
        return None
    if box:
        left, top, right, bottom = numbers(box, 4, f"The box of {name}")
        return Place(name, (left, top, right, bottom))
    if not isinstance(paint, str) or len(paint) != SIDE * SIDE or set(paint) - {"0", "1"}:
        raise ValueError(Message("The paint of {name} is damaged; paint it again.", name=name))
    held = (np.frombuffer(paint.encode(), np.uint8) == ord("1")).reshape(SIDE, SIDE)
    return Place(name, paint=painted(Image.fromarray(held.astype(np.uint8) * 255)))


# --- takes --------------------------------------------------------------------------------------------------------


def _by(take: Take, item: Shown) -> str:
    """What made a take, where something else made the frame."""
    return "" if take.backend == item.backend else f" · {escape(take.backend)}"


def takes(item: Shown, others: Sequence[Take], pinned: bool) -> str:
    """The other frames of a panel, one to be laid over the one that stands there; pin it, or make more."""
    counts = "".join(f"<option{' selected' * (count == 4)}>{count}</option>" for count in VARIANTS)
    listed = "".join(
        f'<li><button type="button" data-key="{escape(take.key)}" aria-pressed="false"><img loading="lazy" '
        f'src="{FILE}{escape(str(take.thumbnail))}" alt=""><span>{t("desk.seed")} {label}{_by(take, item)}</span>'
        "</button></li>"
        for take, label in zip(others, labels([take.seed for take in others]), strict=True)
    )
    shown = f'<ul class="others">{listed}</ul>' if others else f'<p class="hint">{t("desk.takes.none")}</p>'
    return (
        f'<div class="takes"><div class="row"><label>{t("desk.count")} <select class="count">{counts}</select></label>'
        f'<button type="button" data-act="vary">{t("desk.vary")}</button>'
        f'<button type="button" data-act="pin" aria-pressed="{str(pinned).lower()}" title="{_said("desk.pin.about")}">'
        f'{t("desk.unpin" if pinned else "desk.pin")}</button></div><p class="hint">{t("desk.takes.about")}</p>{shown}'
        f'<div class="compare" hidden><div class="two"><img class="before" src="{FILE}{escape(str(item.thumbnail))}" '
        f'alt="{_said("desk.now")}"><img class="after" alt="{_said("desk.other")}"></div>'
        f'<label>{t("desk.compare")}<input class="slide" type="range" min="0" max="100" value="50"></label>'
        f'<button type="button" class="go" data-act="pick">{t("desk.pick")}</button>'
        f'<p class="hint">{t("desk.pick.about")}</p></div></div>'
    )


def labels(seeds: Sequence[int]) -> list[str]:
    """What to call takes of such seeds, the newest first: those of one seed (another layout, another sentence) are also
    numbered, the oldest as 1."""
    return [f"{seed} · {seeds[i:].count(seed)}" if seeds.count(seed) > 1 else str(seed) for i, seed in enumerate(seeds)]


# --- how alike ----------------------------------------------------------------------------------------------------


def look(shown: Sequence[Shown], backend: Backend) -> Consistency:
    """How alike everyone is in the frames there are. Raises OSError or ValueError where the judge is missing."""
    return consistency(shown[0].job.story(backend), {item.number: item.frame for item in shown})


def about(item: Shown, frames: Sequence[Shown]) -> str:
    """A mark of the frames that something is said about, `item` being the open one."""
    told = " ".join([str(item.number), *(each.thumbnail.name for each in frames)])
    return f'<i hidden data-of="{escape(told)}"></i>'


def is_about(answer: str, item: Shown, frames: Sequence[Shown]) -> bool:
    """Whether `answer` has that mark."""
    return answer.startswith(about(item, frames))


def alike(found: Consistency, number: int, cast: Sequence[str], say: Callable[..., str]) -> str:
    """Charts for the frame of panel `number` and for the whole story, in words for who cannot see them."""
    here = found.panels.get(number, ())
    whole = [found.of_subject(name) for name in found.names]
    if not whole:
        return f'<p class="hint">{t("desk.alike.nobody")}</p>'
    weakest = say("desk.weakest", number=found.weakest) if len(found.panels) > 1 and found.weakest else ""
    return (
        f"{_chart(say('panel.number', number=number), here, cast, say)}"
        f"{_chart(say('desk.story'), whole, cast, say)}"
        f'<p class="weakest" role="status">{escape(weakest)}</p><p class="hint">{t("desk.alike.about")}</p>'
    )


def _chart(title: str, looks: Sequence[Look], cast: Sequence[str], say: Callable[..., str]) -> str:
    rows = "".join(_bar(look, colour(cast.index(look.name)), say) for look in looks if look.name in cast)
    return f'<figure class="chart"><figcaption>{escape(title)}</figcaption>{rows}</figure>' if rows else ""


def _bar(look: Look, who: str, say: Callable[..., str]) -> str:
    if look.likeness is None:
        words, drawing = say("desk.absent", name=look.name), ""
    else:
        copied = say("desk.copied", percent=round(100 * look.copied)) if look.copied is not None else ""
        words = f"{say('desk.likeness', name=look.name, value=f'{look.likeness:.2f}')} {copied}".strip()
        width = round(TICKS * max(0.0, look.likeness))
        mark = "" if look.copied is None else round(TICKS * max(0.0, look.copied))
        line = "" if mark == "" else f'<path d="M{mark} 0V10" class="copied"/>'
        drawing = f'<rect width="{width}" height="10" rx="2" fill="{who}"/>{line}'
    return (
        f'<div class="bar-row"><svg viewBox="-1 0 {TICKS + 2} 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words)}"><rect width="{TICKS}" height="10" rx="2" class="scale"/>{drawing}</svg>'
        f'<span class="said">{escape(words)}</span></div>'
    )
