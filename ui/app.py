"""The page: the cast, the script in its two views, the frames. What happens on it is in `ui.events`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from anystory.backends.base import BackendError, Locator
from anystory.project.archive import MAX_ZIP
from anystory.story.model import Settings
from ui import api, board, book, cast, desk, finder, frames, html, masks, masthead, script, shelf, story, viewer
from ui.events import QUICK, SLOW
from ui.events import book as book_events
from ui.events import cast as cast_events
from ui.events import desk as desk_events
from ui.events import finder as finder_events
from ui.events import masks as mask_events
from ui.events import render as render_events
from ui.events import script as script_events
from ui.events import shapes as shape_events
from ui.events import story as story_events
from ui.events import storyboard as storyboard_events
from ui.events import viewer as viewer_events
from ui.gate import EVENTS, Gate
from ui.parts import Parts
from ui.quick import one_server
from ui.running import MAX_QUEUE, Visitors
from ui.space import has_gpu
from ui.storage import STORAGE
from ui.studio import Studio
from ui.theme import KEYS, STYLES, theme
from ui.tongue import Tongue
from ui.words import I18N, TRANSLATE, t, words

MAX_UPLOAD = MAX_ZIP
"""Bytes a file may have that is uploaded: a saved story is the largest there is."""

MAX_WAITING = 4 * EVENTS
"""Events that may wait in all."""

HOUR = 3600
"""Seconds after which what is old is looked for again."""


def build(studio: Studio) -> gr.Blocks:
    """The app as Gradio blocks; `launch` serves them."""
    with one_server():
        page = _page(studio)
        return page.queue(max_size=MAX_WAITING, default_concurrency_limit=8, api_open=False)


def _page(studio: Studio) -> gr.Blocks:
    with gr.Blocks(title="AnyStory", analytics_enabled=False) as page:
        visit = gr.State(None, delete_callback=studio.leave)
        head = masthead.create()
        bar = story.create()
        with gr.Column(elem_classes="sheet", elem_id="cast-sheet"):
            gr.HTML(f"<h2>{t('cast.heading')}</h2><p>{t('cast.about')}</p>")
            actors = cast.create()
            drawer = shelf.create()
            editor = masks.create_editor()
            chooser = masks.create_chooser()
            found = finder.create()
        with gr.Column(elem_classes="sheet", elem_id="script-sheet"):
            toggle = f'<button type="button" aria-pressed="true">{t("board.text")}</button>'
            about = f"<h2>{t('script.heading')}</h2><p>{t('script.about')}</p>{toggle}"
            gr.HTML(about, js_on_load=board.TEXT, elem_id="script-head")
            text = script.create(studio.styles)
            controls = frames.create_controls()
        with gr.Column(elem_classes="sheet", elem_id="frames-sheet"):
            gr.HTML(f"<h2>{t('frames.heading')}</h2>")
            stage = frames.create_stage()
            view = viewer.create()
            table = desk.create()
        with gr.Column(elem_classes="sheet"):
            gr.HTML(f"<h2>{t('book.heading')}</h2>")
            pages = book.create()

        visitors = Visitors(studio.limits)
        parts = Parts(
            studio=studio,
            visitors=visitors,
            visit=visit,
            head=head,
            actors=actors,
            shelf=drawer,
            editor=editor,
            chooser=chooser,
            text=text,
            controls=controls,
            stage=stage,
            view=view,
            desk=table,
            finder=found,
            book=pages,
            story=bar,
        )
        banner = gr.HTML(elem_id="banner")
        gr.HTML(f"<p>{t(studio.stored)}</p>", elem_id="stored")
        script_events.wire(parts)
        cast_events.wire(parts)
        mask_events.wire(parts)
        finder_events.wire(parts)
        storyboard_events.wire(parts)
        render_events.wire(parts)
        viewer_events.wire(parts)
        desk_events.wire(parts)
        book_events.wire(parts)
        shape_events.wire(parts)
        story_events.wire(parts, page)
        api.wire(parts)
        ready = [head.model, banner, found.section, controls.steps, controls.guidance]
        loaded = page.load(_loading(studio), None, ready, **SLOW)
        # A story that came back before the model was there goes on with its own settings.
        loaded.then(_of_story, bar.settings, ready[3:], **QUICK)
        page.unload(_leaving(visitors))
    return page


def launch(
    page: gr.Blocks,
    studio: Studio,
    *,
    host: str,
    port: int | None,
    share: bool,
    auth: tuple[str, str] | None,
    mcp: bool = False,
) -> None:
    """Serve the page until Ctrl-C, with `mcp` its endpoints as MCP tools too. Raises OSError when the port is taken."""
    threading.Thread(target=_tidying, args=(studio,), daemon=True).start()
    threading.Thread(target=studio.sketches.warm, daemon=True).start()
    page.launch(
        server_name=host,
        server_port=port,
        share=share,
        auth=auth,
        mcp_server=mcp,
        theme=theme(),
        i18n=I18N,
        css_paths=STYLES,
        head=STORAGE + TRANSLATE + KEYS,
        max_file_size=MAX_UPLOAD,
        allowed_paths=[str(studio.pictures)],
        max_threads=2 * (MAX_QUEUE + EVENTS),  # who waits for a turn holds one, and nobody else shall wait for that
        app_kwargs={
            "middleware": [
                Middleware(Gate, upload=2 * MAX_UPLOAD, listeners=studio.listeners),
                Middleware(Tongue),
            ],
            "openapi_url": None,  # Gradio's own is behind the login
        },
        run_history=False,
        footer_links=[],
        ssr_mode=False,
    )


def _tidying(studio: Studio) -> None:
    """Gradio's own clearing (`delete_cache`) misses the files of components that an event has changed."""
    while True:
        studio.tidy(Path(get_upload_folder()))
        time.sleep(HOUR)


def _loading(studio: Studio) -> Callable[[gr.Request], Iterator[list[Any]]]:
    """What the page says of the model while it loads and once it is there, and the settings it was made for."""

    def model_is_there(request: gr.Request) -> Iterator[list[Any]]:
        say, unknown = words(request), [gr.skip()] * 3
        yield [html.model("loading"), html.hint(" ".join(studio.told)), *unknown]
        try:
            backend = studio.backend
        except BackendError as error:
            yield [html.model("missing", say(error)), html.notice([say(error)]), *unknown]
            return
        ready = html.model("ready", masthead.ready(backend, say), backend.about.sketches)
        banner = masthead.banner(backend, say, " ".join(studio.told), has_gpu())
        numbers: list[Any] = [gr.Number(visible=False)] * 2
        if not backend.about.sketches:
            numbers = [backend.about.defaults.steps, backend.about.defaults.guidance]
        yield [ready, banner, gr.Accordion(visible=isinstance(backend, Locator)), *numbers]

    return model_is_there


def _leaving(visitors: Visitors) -> Callable[[gr.Request], None]:
    """What happens when a page is closed."""

    def leave(request: gr.Request) -> None:
        visitors.leave(request.session_hash)

    return leave


def _of_story(settings: Settings | None) -> tuple[Any, Any]:
    return story.numbers(settings) if settings else (gr.skip(), gr.skip())
