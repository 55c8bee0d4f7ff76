"""A dropped picture: who of the cast is where in it, found in turn with the renders."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gradio as gr

from anystory.cast.images import open_image
from anystory.errors import AnyStoryError
from anystory.project.folder import write_atomic
from anystory.render.locating import Located
from ui import cast, finder, html
from ui.events import SLOW
from ui.limits import LimitError
from ui.parts import Parts
from ui.running import MAX_QUEUE, reason
from ui.studio import Visit
from ui.words import words


def wire(parts: Parts) -> None:
    """A dropped picture: who of the cast is where in it."""
    studio, find = parts.studio, parts.finder

    def look(
        path: str | None, present: tuple[cast.Actor, ...], folders: Visit | None, chosen: str, request: gr.Request
    ) -> Iterator[dict[Any, Any]]:
        say = words(request)
        away = {find.picture: None, find.download: gr.DownloadButton(visible=False)}

        def refused(sentence: str) -> dict[Any, Any]:
            return {**away, find.found: html.notice([sentence])}

        subjects, names = cast.subjects(present), [actor.name for actor in present]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if no := parts.visitors.refusal(request, [path] if path else []):
            yield refused(no)
            return
        if folders is None:
            yield refused(say("story.lost"))
            return
        if path is None or not subjects or twice:
            yield refused(say("find.twice", name=twice[0]) if twice else say("find.nobody"))
            return
        yield {**away, find.found: html.hint(say("find.looking"))}
        try:
            if len(studio.turns) >= MAX_QUEUE:
                raise LimitError("limit.busy")
            most = studio.backends[chosen].about.max_subjects
            more = say("find.first", count=most) if len(subjects) > most else ""
            allowance = parts.visitors[request.session_hash].allowance
            for at in studio.locate(chosen, open_image(path), subjects[:most], names, allowance):
                if not isinstance(at, Located):
                    yield {find.found: html.hint(say("frames.queue", place=at))}
                    continue
                file = folders.files / "who-is-where.zip"
                write_atomic({file: at.zipped})
                yield {
                    find.found: finder.shown(at, names, more, say),
                    find.download: gr.DownloadButton(value=file, visible=True),
                }
        except AnyStoryError as error:
            yield refused(say(error))
        except Exception as error:  # of the model or the machine: memory, a driver, a disk that is full
            traceback.print_exc()
            yield refused(say("find.failed", reason=reason(error)))

    find.picture.upload(
        look,
        [find.picture, parts.actors.actors, parts.visit, parts.choice.name],
        [find.picture, find.found, find.download],
        concurrency_limit=None,
        **SLOW,
    )
