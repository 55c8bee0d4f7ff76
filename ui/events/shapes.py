"""The shape and the size of a story's frames, and the layout whose cells they fit: chosen in menus, and written into
the script. Sketches are made anew at once; of a model's frames it is told how many will be."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from anystory.pages.form import Format
from anystory.render.session import framed
from anystory.script.edits import with_frames
from anystory.script.form import ScriptError
from ui import cast, script
from ui.events import ONE_CAST, QUICK, SLOW
from ui.events.render import Asking, asking, changed, start
from ui.events.script import Written, written
from ui.parts import Parts
from ui.running import Run
from ui.studio import Shown, placed
from ui.words import words

FRAMES = "frames"
"""The layout without cells, which crops nothing."""


def wire(parts: Parts) -> None:
    """The menus of shapes, sizes and layouts, and the button that has the frames fit the cells."""
    studio, text, controls, pages = parts.studio, parts.text, parts.controls, parts.book
    count = len(Asking._fields)

    def asked(key: str, always: bool = True) -> Callable[..., Any]:
        """What is done when the `key` of the script's frames gets another value. Unless `always`, a layout is only
        looked at where frames cost time, or have a shape that somebody chose."""

        def reframe(request: gr.Request, value: str | None, shown: tuple[Shown, ...], *values: Any) -> dict[Any, Any]:
            settings, page, say = Asking(*values[:count]), Written(*values[count:]), words(request)
            loaded = studio.backends.loaded(page.backend)  # nobody waits for a model to look at a layout
            sketches = loaded is not None and loaded.about.sketches
            if not always and (value == FRAMES or not sketches or not _is_free(page.reading(studio))):
                return {text.edits: gr.skip()}
            before = page.readable(studio, say)
            wanted = "" if key == "pages" and value == FRAMES else value or ""
            try:
                lines = with_frames(page.lines, key, wanted, cast.members(page.present))
                after = page._replace(lines=lines).readable(studio, say)
            except (ScriptError, ValueError) as error:
                raise gr.Error(escape(say(error)), print_exception=False) from error
            pairs = zip(framed(before), framed(after), strict=True)
            others = {number for number, (one, other) in enumerate(pairs, 1) if one != other}
            anew = others & placed(shown, before.panels).keys()
            change = script.rewritten(text, page.lines, lines, page.styles)
            run = parts.visitors[request.session_hash].run
            if run and others and sketches and _gives_way(run, settings, page):
                run.makes_way = True
                run.stop()
                run.join()
                shown = run.shown or shown
                anew |= {number for number in run.job.wanted if number <= len(after.panels)}
            if anew and settings.visit and sketches and (run is None or run.ended):
                begun = start(parts, settings.job(page, after, tuple(sorted(anew))), shown, request)
                if run:
                    run.makes_way = False  # where it may not begin, the page tells how this one ended
                return {**change, **begun, parts.stage.panels: framed(after)}
            if key == "pages" and always:
                gr.Info(escape(say("book.fits") if lines == page.lines else say("book.fitted", count=len(anew))))
            elif anew:
                gr.Info(escape(say("settings.shape.anew", count=len(anew))))
            return change

        return reframe

    def follow(named: str, layout: str) -> str:
        return layout if layout == FRAMES and not named else named or Format.layout

    given, rewritten = [parts.stage.shown, *asking(parts), *written(parts)], [text.edits, text.styles, text.style]
    for happens, ask, menu in (
        (controls.shape.input, asked("shape"), controls.shape),
        (controls.size.input, asked("size"), controls.size),
        (pages.layout.input, asked("pages", always=False), pages.layout),
        (pages.fit.click, asked("pages"), pages.layout),
    ):
        happens(ask, [menu, *given], [*rewritten, *changed(parts)], **SLOW, **ONE_CAST)
    controls.pages.change(follow, [controls.pages, pages.layout], pages.layout, **QUICK)


def _gives_way(run: Run, asked: Asking, page: Written) -> bool:
    """Whether a render of the page's story is under way that may begin again with frames of another shape."""
    job = run.job
    same = (job.visit, job.backend, job.retry, job.variants) == (asked.visit, page.backend, None, 0)
    return same and not run.ended


def _is_free(reading: script.ScriptReading) -> bool:
    """Whether a script can be read and names no shape of its own."""
    told = reading.script
    return not (told is None or reading.errors or told.shape or (told.size and not told.size.is_square))
