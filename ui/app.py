"""The page: the cast, the script in its two views, the frames. What happens on it is in `ui.events`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from anystory.project.archive import MAX_ZIP
from ui import (
    api,
    board,
    book,
    cast,
    choice,
    connection,
    desk,
    finder,
    frames,
    masks,
    masthead,
    paints,
    script,
    shelf,
    story,
    viewer,
)
from ui.events import book as book_events
from ui.events import cast as cast_events
from ui.events import choice as choice_events
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
from ui.once import Once
from ui.parts import Parts
from ui.quick import one_server
from ui.running import MAX_QUEUE, Visitors
from ui.sessions import Sessions
from ui.storage import STORAGE
from ui.studio import Studio
from ui.theme import KEYS, STYLES, theme
from ui.tongue import Tongue
from ui.words import I18N, TRANSLATE, t

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
            chosen, menu = choice.create_menu(studio.backends)
            controls = frames.create_controls()
        with gr.Column(elem_classes="sheet", elem_id="frames-sheet"):
            gr.HTML(f"<h2>{t('frames.heading')}</h2>")
            stage = frames.create_stage()
            view = viewer.create()
            once = choice.create_once()
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
            choice=choice.Choice(chosen, menu, once),
            book=pages,
            story=bar,
        )
        banner = gr.HTML(elem_id="banner")
        connection.create()
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
        choice_events.wire(parts, page, banner)
        page.unload(_leaving(visitors))
    paints.wire(page, text.text)
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
        head=STORAGE + connection.AGAIN + TRANSLATE + KEYS,
        max_file_size=MAX_UPLOAD,
        allowed_paths=[str(studio.pictures)],
        max_threads=2 * (MAX_QUEUE + EVENTS),  # who waits for a turn holds one, and nobody else shall wait for that
        app_kwargs={
            "middleware": [
                Middleware(Gate, upload=2 * MAX_UPLOAD, listeners=studio.listeners),
                Middleware(Once),
                Middleware(Tongue),
                Middleware(Sessions, page=page),
            ],
            "openapi_url": None,  # Gradio's own is behind the login
        },
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        # Its server has answered by then; asked once more it has three seconds, which a busy machine exceeds.
        _frontend=False,
    )


def _tidying(studio: Studio) -> None:
    """Gradio's own clearing (`delete_cache`) misses the files of components that an event has changed."""
    while True:
        studio.tidy(Path(get_upload_folder()))
        time.sleep(HOUR)


def _leaving(visitors: Visitors) -> Callable[[gr.Request], None]:
    """What happens when a page is closed."""

    def leave(request: gr.Request) -> None:
        visitors.leave(request.session_hash)

    return leave
