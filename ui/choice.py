"""What draws the frames: the backends that are offered, what each is and needs, and which one is in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import gradio as gr

from anystory.backends.base import NEEDS, BackendError, DownloadError
from anystory.backends.load import supplied
from anystory.errors import Message
from ui import html
from ui.backends import Backends
from ui.space import has_gpu
from ui.studio import Shown
from ui.words import t

MENU = """
const kept = "anystory-backend";
let asked = null;
const buttons = () => [...element.querySelectorAll("button[data-name]")];
const follow = () => {  // what was chosen last comes back once, and what was loaded is kept
  const now = element.querySelector("[data-now]")?.dataset.now;
  if (!now) return;
  if (asked === null) {
    asked = localStorage.getItem(kept) ?? now;
    const button = buttons().find(({dataset}) => dataset.name === asked);
    if (button) return trigger("use", {name: asked});
  }
  if (!element.querySelector(".progress-line")) localStorage.setItem(kept, now);
};
element.addEventListener("click", ({target}) => {
  const button = target.closest("button[data-name]");
  if (button) trigger("use", {name: button.dataset.name, agreed: "agreed" in button.dataset});
  if (target.closest("button[data-no]")) element.querySelector(".offer").remove();
});
watch("value", follow);
follow();
"""
"""A button asks for a backend by its `name`, or agrees to its download. The browser keeps the one that came of it."""

ONCE = """
element.addEventListener("click", ({target}) => {
  const button = target.closest("button[data-name]");
  if (button) trigger("draw", {name: button.dataset.name});
});
"""
"""A button asks for the opened panel from a backend by its `name`."""


@dataclass(frozen=True)
class Choice:
    """`name` is the backend that the visitor chose, `menu` shows all of them, `once` those that could draw the opened
    panel otherwise."""

    name: gr.State
    menu: gr.HTML
    once: gr.HTML


def create_menu(backends: Backends) -> tuple[gr.State, gr.HTML]:
    """Lay the menu out; it is filled when the page is there, in the words of who opened it."""
    room = f"<details><summary>{t('backend.by')}</summary></details>" if len(backends.names) > 1 else ""
    return gr.State(backends.first), gr.HTML(room, js_on_load=MENU, elem_id="backends")


def create_once() -> gr.HTML:
    """Lay out the row below an opened frame."""
    return gr.HTML(js_on_load=ONCE, elem_id="draw-once")


def menu(
    backends: Backends,
    now: str,
    say: Callable[..., str],
    loading: str = "",
    wrong: str = "",
    offer: tuple[str, DownloadError] | None = None,
) -> str:
    """The backends with what they are and need, `now` being in use, while another is `loading`, after a sentence on
    what went `wrong` with it, or with an `offer` to download what the one by that name lacks. Nothing where there is
    nothing to choose."""
    if offer:
        told = _offer(*offer, say)
    elif len(backends.names) == 1:
        return ""
    else:
        told = html.notice([wrong] if wrong else [])
    if loading:
        words = f"{say('backend.loading', name=loading)} {say(backends.saying(loading))}"
        told = f'<div class="progress-line" role="status"><i></i><span>{escape(words)}</span></div>'
    listed = "".join(_entry(name, now, say, bool(loading)) for name in backends.names)
    return (
        f'<details data-now="{escape(now)}"{" open" * bool(told)}><summary>{escape(say("backend.by"))} '
        f"<b>{escape(now)}</b></summary><ul>{listed}</ul></details>{told}"
    )


def offer(backends: Backends, name: str, error: BackendError) -> tuple[str, DownloadError] | None:
    """What the backend `name` lacks, by an `error`, that a visitor may have downloaded."""
    return (name, error) if isinstance(error, DownloadError) and backends.asks else None


def wrong(backends: Backends, name: str, error: BackendError, say: Callable[..., str]) -> str:
    """The sentence on why the backend `name` cannot be had: of weights that are not here a visitor who cannot have them
    downloaded is not told to agree."""
    if isinstance(error, DownloadError) and not backends.asks:
        return say("backend.lacking", name=name)
    return say(error)


def _offer(name: str, lacking: DownloadError, say: Callable[..., str]) -> str:
    """The question whether weights are to be downloaded, and its two answers."""
    values = Message.of(lacking.said).values
    question = say("backend.offer", name=name, size=values["size"], names=values["names"])
    return (
        f'<div class="notice offer" role="alert"><p>{escape(question)}</p>'
        f'<button type="button" data-name="{escape(name)}" data-agreed>{escape(say("backend.offer.yes"))}</button> '
        f'<button type="button" data-no>{escape(say("backend.offer.no"))}</button></div>'
    )


def _entry(name: str, now: str, say: Callable[..., str], busy: bool) -> str:
    button = f'<span class="used">{escape(say("backend.used"))}</span>'
    if name != now:
        button = (
            f'<button type="button" data-name="{escape(name)}"{" disabled" * busy} '
            f'aria-label="{escape(say("backend.use.name", name=name))}">{escape(say("backend.use"))}</button>'
        )
    return (
        f"<li{' class=now' * (name == now)}><div><b>{escape(name)}</b><p>{escape(say(f'backend.is.{name}'))}</p>"
        f'<p class="needs">{escape(" · ".join(needs(name, say)))}</p></div>{button}</li>'
    )


def needs(name: str, say: Callable[..., str]) -> list[str]:
    """What a backend takes of the machine, in a few words each."""
    needed, own = NEEDS[name], supplied(name)
    said = [say("backend.download", size=f"{needed.download:g}")] if needed.download else []
    said += [say("backend.supplied", size=round(own / 1e6))] if own else []
    said.append(say("backend.gpu", size=f"{needed.gpu:g}") if needed.gpu else say("backend.nogpu"))
    if needed.gpu and not has_gpu():
        said.append(say("backend.without"))
    return said


def once(backends: Backends, item: Shown | None, say: Callable[..., str]) -> str:
    """The others that could draw the panel of a frame, as buttons."""
    others = [name for name in backends.names if item and name != item.backend]
    if not others:
        return ""
    buttons = "".join(
        f'<button type="button" data-name="{escape(name)}" title="{escape(say(f"backend.is.{name}"))}">'
        f"{escape(name)}</button>"
        for name in others
    )
    return f'<div class="once"><span>{escape(say("backend.once"))}</span> {buttons}</div>'
