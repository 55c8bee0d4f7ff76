"""The head of the page: what it is, which model draws and what that can do, the language, day or night, the tour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import gradio as gr

from anystory.backends.base import MODELS, Backend
from ui import html
from ui.strings import LANGUAGES
from ui.tongue import COOKIE
from ui.words import t

STOPS = {"cast": "#cast-sheet", "script": "#script-sheet", "frames": "#frames-sheet", "routing": "#frames-sheet"}
"""Where the tour stops: the end of its key in strings.yaml, and the part of the page it shows."""

LIGHT = """
const key = "anystory-theme";
const dark = () => document.body.classList.contains("dark");
const show = () => element.querySelector("button").setAttribute("aria-pressed", dark());
const kept = localStorage.getItem(key);
if (kept) document.body.classList.toggle("dark", kept === "dark");
show();
element.addEventListener("click", () => {
  document.body.classList.toggle("dark");
  localStorage.setItem(key, dark() ? "dark" : "light");
  show();
});
"""
"""The switch between day and night; the browser keeps the choice."""

LANGUAGE = """
element.querySelector("select").addEventListener("change", ({target}) => {
  document.cookie = `COOKIE=${target.value}; path=/; max-age=31536000; samesite=lax`;
  location.reload();
});
element.querySelector("select").value = document.documentElement.lang;
""".replace("COOKIE", COOKIE)
"""The choice of the page's language, which the browser keeps; without one it is the browser's own."""

TOUR = """
const find = (what) => element.querySelector(what);
const stops = [...element.querySelectorAll("[data-stop]")];
const guide = find(".guide");
let at = -1, before = null;

function go(to) {
  stops[at]?.toggleAttribute("hidden", true);
  document.querySelector(".tour-stop")?.classList.remove("tour-stop");
  at = to;
  guide.hidden = at < 0 || at >= stops.length;
  if (guide.hidden) { at = -1; before?.focus(); return; }
  stops[at].hidden = false;
  find(".count").textContent = `${at + 1} / ${stops.length}`;
  find(".back").hidden = at === 0;
  find(".next").hidden = at === stops.length - 1;
  const part = document.querySelector(stops[at].dataset.stop);
  part?.classList.add("tour-stop");
  part?.scrollIntoView({block: innerWidth < 760 ? "start" : "nearest"});
  guide.focus();
}
function start() {
  before = document.activeElement;
  const empty = !document.querySelector("#cast-sheet .actor img") && !document.querySelector("#script textarea")?.value;
  if (empty) document.querySelector("#example")?.click();
  go(0);
}
element.addEventListener("click", (event) => {
  const act = event.target.closest("button")?.dataset.act;
  if (act === "next") go(at + 1);
  if (act === "back") go(at - 1);
  if (act === "close") go(-1);
});
document.addEventListener("click", ({target}) => { if (target.closest?.("#tour-start")) start(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || guide.hidden) return;
  event.stopImmediatePropagation();  // Esc closes the tour before it stops anything else
  go(-1);
}, true);
"""
"""The tour: stop by stop through the page, with the example where it is empty."""


@dataclass(frozen=True)
class Masthead:
    """`model` tells how the model is."""

    model: gr.HTML


def create() -> Masthead:
    """Lay out the head."""
    light, choose = escape(t("app.light")), escape(t("app.language"))
    options = "".join(f'<option value="{code}">{name}</option>' for code, name in LANGUAGES.items())
    with gr.Row(elem_id="masthead"):
        gr.HTML(f"<h1>AnyStory</h1><p>{t('app.tagline')}</p>", min_width=280)
        model = gr.HTML(html.model("loading"), elem_id="model")
        gr.HTML(f'<select aria-label="{choose}">{options}</select>', js_on_load=LANGUAGE, elem_id="language")
        gr.HTML(
            f'<button type="button" class="light" title="{light}" aria-label="{light}"></button>',
            js_on_load=LIGHT,
            elem_id="light",
        )
        gr.Button(t("app.tour"), elem_id="tour-start", size="md")
    gr.HTML(_tour(), js_on_load=TOUR, elem_id="tour")
    return Masthead(model)


def _tour() -> str:
    stops = "".join(f'<p data-stop="{where}" hidden>{t(f"tour.{stop}")}</p>' for stop, where in STOPS.items())

    def button(act: str, key: str, kind: str = "") -> str:
        return f'<button type="button" data-act="{act}" class="{act} {kind}">{t(key)}</button>'

    return (
        f'<div class="guide" role="dialog" aria-label="{escape(t("app.tour"))}" tabindex="-1" hidden>'
        f'<span class="count"></span><div aria-live="polite">{stops}</div><div class="acts">'
        f"{button('close', 'tour.close')}{button('back', 'tour.back')}{button('next', 'tour.next', 'main')}</div></div>"
    )


def ready(backend: Backend, words: Callable[..., str]) -> str:
    """The backend's name, and what it is if no model."""
    return words("model.storybook" if backend.about.sketches else "model.ready", name=backend.about.name)


def banner(backend: Backend, words: Callable[..., str], told: str = "") -> str:
    """What the backend can do and what it cannot, and what was `told` of how it is kept in memory."""
    name, size, count = backend.about.name, backend.about.defaults.size, backend.about.max_subjects
    said = [words("model.sketches" if backend.about.sketches else "model.banner", name=name, size=size, count=count)]
    if name == MODELS[0]:
        said.append(words("model.first"))
    if not backend.about.sketches and not (backend.about.follows_style and backend.about.draws_characters):
        said.append(words("model.cannot"))
    said.append(told)
    return f'<p class="hint">{escape(" ".join(filter(None, said)))}</p>'
