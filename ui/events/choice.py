"""What draws the frames is chosen, loaded when it is first wanted, and asked for one panel alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from anystory.backends.base import BackendError, Locator
from anystory.story.model import Settings
from ui import cast, choice, frames, html, masthead, script, story
from ui.events import QUICK, SLOW
from ui.events.render import changed, start, stays
from ui.parts import Parts
from ui.studio import Shown, pinned
from ui.words import words


def wire(parts: Parts, page: gr.Blocks, banner: gr.HTML) -> None:
    """What draws the frames is there when the page is, and changes when another is chosen; `banner` says what it is."""
    backends, pick, head, controls = parts.studio.backends, parts.choice, parts.head, parts.controls

    def ready(name: str, request: gr.Request) -> dict[Any, Any]:
        """The page with a backend that is loaded. Raises BackendError where it cannot be had."""
        say, backend = words(request), backends[name]
        told, about = " ".join(map(say, backends.told(name))), backend.about
        numbers: list[Any] = [gr.Number(visible=False)] * 2
        if not about.sketches:
            numbers = [gr.Number(value, visible=True) for value in (about.defaults.steps, about.defaults.guidance)]
        return {
            pick.name: name,
            pick.menu: choice.menu(backends, name, say),
            head.model: html.model("ready", masthead.ready(backend, say), about.sketches),
            banner: masthead.banner(backend, say, told),
            parts.finder.section: gr.Accordion(visible=isinstance(backend, Locator)),
            controls.sketch: frames.from_sketch(about),
            **dict(zip((controls.steps, controls.guidance), numbers, strict=True)),
        }

    def at_first(request: gr.Request) -> Iterator[dict[Any, Any]]:
        say, name = words(request), backends.first
        yield {head.model: html.model("loading"), banner: html.hint(" ".join(map(say, backends.told(name))))}
        try:
            yield ready(name, request)
        except BackendError as error:
            wrong = choice.wrong(backends, name, error, say)
            menu = choice.menu(backends, name, say, offer=choice.offer(backends, name, error))
            yield {head.model: html.model("missing", wrong), banner: html.notice([wrong]), pick.menu: menu}

    def use(event: gr.EventData, request: gr.Request, now: str) -> Iterator[dict[Any, Any]]:
        say, name = words(request), str(event.name)
        if getattr(event, "agreed", False):
            backends.agree(name)
        try:
            for _ in backends.arriving(name, again=True):
                yield {pick.menu: choice.menu(backends, now, say, loading=name)}
            yield ready(name, request)
        except BackendError as error:
            wrong, offer = choice.wrong(backends, name, error, say), choice.offer(backends, name, error)
            yield {pick.menu: choice.menu(backends, now, say, wrong=wrong, offer=offer)}

    numbers = [controls.steps, controls.guidance]
    outputs = [pick.name, pick.menu, head.model, banner, parts.finder.section, controls.sketch, *numbers]
    loaded = page.load(at_first, None, outputs, **SLOW)
    pick.menu.use(use, pick.name, outputs, concurrency_limit=None, **SLOW)
    # A story that came back before the model was there goes on with its own settings.
    loaded.then(_of_story, parts.story.settings, numbers, **QUICK)
    _wire_once(parts)


def _of_story(settings: Settings | None) -> tuple[Any, Any]:
    return story.numbers(settings) if settings else (gr.skip(), gr.skip())


def _wire_once(parts: Parts) -> None:
    """The opened panel drawn by another backend, which is not chosen by that."""
    backends, pick, stage, view = parts.studio.backends, parts.choice, parts.stage, parts.view

    def others(item: Shown | None, request: gr.Request) -> str:
        return choice.once(backends, item, words(request))

    gr.on([view.item.change, stage.ended.change], others, view.item, pick.once, trigger_mode="always_last", **QUICK)

    def draw(
        event: gr.EventData,
        request: gr.Request,
        item: Shown | None,
        shown: tuple[Shown, ...],
        present: tuple[cast.Actor, ...],
        lines: str,
    ) -> dict[Any, Any]:
        if item is None or event.name not in backends.names:
            return {}
        if pinned(item):
            return stays(parts, item, request)
        job = item.job.as_written(script.panels_of(lines, cast.members(present))).drawn_by(event.name)
        return start(parts, replace(job, panels=(item.number,), retry=None, variants=0), shown, request)

    asked = [view.item, stage.shown, parts.actors.actors, parts.text.text]
    pick.once.draw(draw, asked, changed(parts), **QUICK)
