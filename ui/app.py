"""The page: cast and script on the left, frames on the right. Lays the parts out and wires them together."""

from __future__ import annotations

from typing import Any

import gradio as gr

from anystory.backend import ASSETS, BackendError
from anystory.script import load_script
from ui import cast, frames, html, script, viewer
from ui.studio import Job, Shown, Studio, Visit
from ui.theme import KEYS, SHOW_PROGRESS, STYLE, theme

EXAMPLE = ASSETS / "example" / "story.yaml"
MAX_UPLOAD = "30mb"
HOUR = 3600

QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""How events run that answer at once."""

SLOW: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""How events run that wait in the queue."""


def build(studio: Studio) -> gr.Blocks:
    """The app as Gradio blocks; `launch` serves them."""
    with gr.Blocks(title="AnyStory", analytics_enabled=False, delete_cache=(HOUR, 6 * HOUR)) as page:
        visit = gr.State(None, delete_callback=Studio.leave)
        with gr.Row(elem_id="masthead"):
            gr.HTML(
                "<h1>AnyStory</h1><p>Your characters, your script, a frame a line: everyone stays themselves.</p>",
                min_width=280,
            )
            model = gr.HTML(html.model("loading"), elem_id="model")
            example = gr.Button("Try the example", elem_id="example", size="md")
        with gr.Column(elem_classes="sheet"):
            gr.HTML("<h2>Cast</h2><p>One picture a character. The background is cut away at once.</p>")
            actors = cast.create()
        with gr.Row():
            with gr.Column(elem_classes="sheet", scale=5, min_width=320):
                gr.HTML("<h2>Script</h2><p>One line a panel, with the names of your cast.</p>")
                text = script.create()
                controls = frames.create_controls()
            with gr.Column(elem_classes="sheet", scale=7, min_width=320):
                gr.HTML("<h2>Frames</h2>")
                stage = frames.create_stage()
                view = viewer.create()

        _wire_cast(studio, actors, text, example)
        _wire_render(studio, visit, actors, text, controls, stage, view)
        _wire_viewer(stage, view)
        page.load(lambda: _model_is_there(studio), None, [model, controls.steps, controls.guidance], **SLOW)
    return page.queue(max_size=32, default_concurrency_limit=8)


def launch(page: gr.Blocks, *, host: str, port: int | None, share: bool, auth: tuple[str, str] | None) -> None:
    """Serve the page until Ctrl-C. Raises OSError when the port is taken."""
    page.launch(
        server_name=host,
        server_port=port,
        share=share,
        auth=auth,
        theme=theme(),
        css_paths=STYLE,
        head=KEYS,
        max_file_size=MAX_UPLOAD,
        run_history=False,
        footer_links=[],
        ssr_mode=False,
    )


def _model_is_there(studio: Studio) -> tuple[Any, Any, Any]:
    """What the page says of the model once it is loaded, and the settings it was made for."""
    try:
        backend = studio.backend
    except BackendError as error:
        return html.model("missing", str(error)), gr.skip(), gr.skip()
    return html.model("ready", backend.name), backend.defaults.steps, backend.defaults.guidance


def _wire_cast(studio: Studio, actors: cast.CastWidgets, text: script.ScriptWidgets, example: gr.Button) -> None:
    """Pictures in and out of the cast, names, and what the script makes of them."""

    def read(lines: str, present: tuple[cast.Actor, ...], *texts: str) -> str:
        return script.feedback(lines, cast.subjects(present, *cast.split(texts)), studio.most)

    # Not `input`, which Gradio's text box only sends for key presses: not for what is pasted, deleted or swiped.
    gr.on(
        [text.text.change, *(name.change for name in actors.names)],
        read,
        [text.text, actors.actors, *actors.texts],
        text.feedback,
        trigger_mode="always_last",
        **QUICK,
    )
    one_at_a_time: dict[str, Any] = {"concurrency_id": "cast", "concurrency_limit": 1}

    def add(paths: list[str] | None, present: tuple[cast.Actor, ...], *texts: str) -> list[Any]:
        names, descriptions = cast.split(texts)
        called = [subject.name for subject in cast.subjects(present, names, descriptions)]
        now, refused = cast.add(present, paths or [], called, studio.segmenter)
        new = [actor.subject.name for actor in now[len(present) :]]
        return [None, html.notice(refused), *cast.show(now, [*called, *new], descriptions, first=len(present))]

    actors.upload.upload(
        add,
        [actors.upload, actors.actors, *actors.texts],
        [actors.upload, actors.notice, *actors.outputs],
        show_progress_on=actors.upload,
        api_visibility="private",
        **one_at_a_time,
    )

    for index, button in enumerate(actors.removes):

        def remove(present: tuple[cast.Actor, ...], *texts: str, index: int = index) -> list[Any]:
            names, descriptions = (cast.without(values, index) for values in cast.split(texts))
            return ["", *cast.show(cast.without(present, index), names, descriptions)]

        button.click(remove, [actors.actors, *actors.texts], [actors.notice, *actors.outputs], **SLOW, **one_at_a_time)

    def load_example() -> list[Any]:
        story = load_script(EXAMPLE)
        names, descriptions = zip(*((member.name, member.description) for member in story.cast), strict=True)
        present, refused = cast.add((), [member.image for member in story.cast if member.image], (), studio.segmenter)
        shown = cast.show(present, names, descriptions)
        return [html.notice(refused), *shown, story.title, story.style, script.lines(story)]

    example.click(
        load_example, None, [actors.notice, *actors.outputs, text.title, text.style, text.text], **SLOW, **one_at_a_time
    )


def _wire_render(
    studio: Studio,
    visit: gr.State,
    actors: cast.CastWidgets,
    text: script.ScriptWidgets,
    controls: frames.Controls,
    stage: frames.Stage,
    view: viewer.Viewer,
) -> None:
    """The button: check the script, render panel after panel, stop, and tidy up after either."""

    takes = gr.State({})  # (panel number, prompt) -> seed, of the panels the visitor asked another take of

    def begin(
        folders: Visit | None,
        seeds: dict[tuple[int, str], int],
        present: tuple[cast.Actor, ...],
        lines: str,
        title: str,
        style: str,
        seed: float | None,
        steps: float,
        guidance: float,
        *texts: str,
    ) -> dict[Any, Any]:
        subjects = cast.subjects(present, *cast.split(texts))
        reading = script.read(lines, title, style, subjects)
        if reading.script is None or reading.errors:
            said = script.feedback(lines, subjects, studio.most) or html.notice(reading.errors)
            return {stage.job: None, controls.notice: "", text.feedback: said}
        folders = folders or studio.visit()
        job = Job(reading.script, subjects, folders, seed=int(seed or 0), steps=int(steps), guidance=float(guidance))
        for number, panel in enumerate(job.script.panels, 1):
            if (number, panel.prompt) in seeds:
                job = job.take(number, seeds[number, panel.prompt])
        return {visit: folders, **frames.started(job, controls, stage, view)}

    def again(item: Shown, seeds: dict[tuple[int, str], int]) -> dict[Any, Any]:
        seed = frames.roll()
        job = item.job.take(item.number, seed)
        return {takes: {**seeds, (item.number, item.panel.prompt): seed}, **frames.started(job, controls, stage, view)}

    changed = [stage.job, stage.empty, stage.progress, controls.start, controls.stop, controls.notice, view.again]
    settings = [controls.seed, controls.steps, controls.guidance]
    begun = controls.start.click(
        begin,
        [visit, takes, actors.actors, text.text, text.title, text.style, *settings, *actors.texts],
        [visit, text.feedback, *changed],
        **QUICK,
    )
    retaken = view.again.click(again, [view.item, takes], [takes, *changed], **QUICK)
    begun.then(js=SHOW_PROGRESS)
    running = [
        event.then(
            frames.run(studio, stage, view, controls.notice),
            [stage.job, stage.shown, view.item, view.opacity],
            [stage.progress, stage.gallery, stage.shown, controls.notice, *view.outputs],
            concurrency_id="gpu",
            concurrency_limit=1,
            **SLOW,
        )
        for event in (begun, retaken)
    ]
    finish: dict[str, Any] = {
        "fn": frames.finished(controls, stage, view),
        "inputs": [stage.job, stage.shown, view.item, view.opacity],
        "outputs": [*changed[1:5], stage.gallery, stage.download, *view.outputs, view.again],
        **QUICK,
    }
    for event in running:
        event.then(**finish)
    controls.stop.click(cancels=running, **finish)


def _wire_viewer(stage: frames.Stage, view: viewer.Viewer) -> None:
    """Open a frame of the gallery; draw its overlay anew when a box or the slider changes."""

    def open_frame(event: gr.SelectData, shown: tuple[Shown, ...], opacity: float) -> list[Any]:
        return viewer.opened(shown[event.index], opacity)

    stage.gallery.select(open_frame, [stage.shown, view.opacity], view.outputs, **QUICK)

    def redraw(item: Shown | None, who: list[str], opacity: float) -> Any:
        return viewer.tinted(item, who, opacity) if item else gr.skip()

    gr.on(
        [view.who.input, view.opacity.input],
        redraw,
        [view.item, view.who, view.opacity],
        view.picture,
        trigger_mode="always_last",
        **QUICK,
    )
