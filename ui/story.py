"""The story as a whole: kept while it is written, found again when a closed tab is reopened, opened from a file, saved
to one. Every story lies in a folder of the server under a key that only the visitor's browser has."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.project import drafts
from anystory.project.archive import ArchiveError, unpack
from anystory.project.drafts import Draft, DraftError, draft_of
from anystory.project.folder import Project, ProjectError, content
from anystory.project.imprint import MAX_BYTES, FrameStory, ImprintError, story_from_png
from anystory.script.write import script_lines
from anystory.story.model import Settings, Style
from anystory.story.size import Size
from ui import cast, entrance
from ui.studio import Shown, Studio, Visit
from ui.words import t

KEY = "anystory-story"
"""What the browser keeps the keys of the stories under."""

ERRORS = (ArchiveError, DraftError, ImprintError, ProjectError)
"""What is told as a sentence."""


@dataclass(frozen=True)
class StoryBar:
    """The story's widgets. `browser` holds the keys of the story and of the one before it, in the visitor's browser;
    `files` what was dropped elsewhere on the page to be opened; `settings` those that the story came with."""

    bar: gr.HTML
    example: gr.Button
    new: gr.Button
    open: gr.Button
    save: gr.Button
    notice: gr.HTML
    browser: gr.BrowserState
    files: entrance.Inbox
    settings: gr.State


@dataclass(frozen=True)
class Opened:
    """A story that came from somewhere: what stands in the studio, its frames, and sentences about it. `lost` are the
    numbers of panels whose frames cannot be read."""

    draft: Draft
    shown: tuple[Shown, ...] = ()
    said: tuple[str, ...] = ()
    lost: tuple[int, ...] = ()


def create() -> StoryBar:
    """Lay out the bar."""
    # Not a secret: Gradio sends it to every browser. It only has to stay the same, or a restart would lose the keys.
    browser = gr.BrowserState([None, None], storage_key=KEY, secret="anystory")
    with gr.Row(elem_id="story"):
        bar = gr.HTML(js_on_load=KEEP, elem_id="story-head")  # filled once the page has its story
        example = gr.Button(t("app.example"), size="sm", elem_id="example")
        new = gr.Button(t("story.new"), size="sm", elem_id="story-new")
        file = gr.Button(t("story.open"), size="sm", elem_id="story-open")
        save = gr.Button(t("story.save"), size="sm", elem_id="story-save")
    notice = gr.HTML(js_on_load=CHOOSE, elem_id="story-notice")
    buttons = "".join(
        f'<button type="button" data-do="{do}">{t(f"story.late.{do}")}</button>' for do in ("again", "new")
    )
    late = f'<div class="told" role="alert"><div><p>{t("story.late")}</p></div>{buttons}</div>'
    gr.HTML(late, js_on_load=LATE.replace("KEY", KEY), elem_id="story-late")
    return StoryBar(bar, example, new, file, save, notice, browser, entrance.inbox(), gr.State(None))


def head(title: str, state: str, reason: str = "") -> str:
    """The story's title and how it is kept: `state` is new | saved | elsewhere | unsaved, `reason` a sentence."""
    name = escape(title.strip()) or f"<i>{t('story.untitled')}</i>"
    said = {
        "new": "",
        "saved": f"{t('story.saved')} <time></time>",
        "elsewhere": f'{escape(reason)} <button type="button" data-do="here">{t("story.here")}</button>',
        "unsaved": escape(reason),
    }[state]
    return (  # never the same twice, or the page would not notice that it was kept again
        f'<div class="story" data-at="{time.monotonic_ns()}"><span class="name">{name}</span>'
        f'<span class="kept {state}" role="status">{said}</span>'
        f'<span class="saving" aria-hidden="true">{t("story.saving")}</span>'
        f'<span class="tab-only" role="note" hidden>{t("story.tab")}</span></div>'
    )


def note(sentences: Sequence[str], undo: bool = False) -> str:
    """What happened to the story, one sentence per line, and a button that takes it back."""
    if not sentences:
        return ""
    button = f'<button type="button" data-do="undo">{t("story.undo")}</button>' if undo else ""
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return (
        f'<div class="told" role="status"><div>{said}</div>{button}'
        f'<button type="button" data-do="close" class="close" aria-label="{escape(t("tour.close"))}">✕</button></div>'
    )


def numbers(settings: Settings) -> tuple[Any, Any]:
    """Steps and guidance of a story as the page shows them; a sketch has neither, and leaves what is there."""
    asked = settings.steps, settings.guidance
    return (gr.skip(), gr.skip()) if asked == (1, 1) else asked


def draft(
    studio: Studio,
    title: str,
    style: str | None,
    text: str,
    styles: Sequence[Style],
    actors: Sequence[cast.Actor],
    seed: float | None,
    steps: float | None,
    guidance: float | None,
) -> Draft:
    """What stands on the page."""
    first = studio.backends.loaded(studio.backends.first)
    known = first.about.defaults if first else Settings(Size.of(512))
    settings = replace(
        known, seed=int(seed or 0), steps=int(steps or known.steps), guidance=float(guidance or known.guidance)
    )
    own = tuple(preset for preset in styles if preset not in studio.styles)
    return Draft(text, title, style or "", tuple(map(_kept, actors)), settings, styles=own)


def is_empty(kept: Draft) -> bool:
    """Whether nothing was made yet that somebody could miss."""
    return not (kept.text.strip() or kept.title.strip() or kept.cast)


def _kept(actor: cast.Actor) -> drafts.DraftActor:
    if cast.to_draw(actor):
        return drafts.DraftActor(
            actor.name, actor.description, height=actor.height, facing=actor.facing, drawing=actor.drawing
        )
    pictures = tuple(each.kept for each in actor.pictures)
    drawn = actor.drawn[0] if actor.drawn else ""
    return drafts.DraftActor(actor.name, actor.description, drawn, pictures, actor.height, actor.facing, actor.drawing)


def actor(kept: drafts.DraftActor) -> cast.Actor:
    """A character that comes back."""
    pictures = (cast.Picture(each.upload, each.automatic, each.mask, each.strokes) for each in kept.pictures)
    drawn = (kept.drawn, kept.description.strip()) if kept.drawn else None
    return cast.Actor(kept.name, kept.description, tuple(pictures), drawn, kept.height, kept.facing, kept.drawing)


def load(studio: Studio, visit: Visit) -> Opened | None:
    """The story in a visitor's folder, None where there is none. Raises DraftError or ProjectError."""
    kept = studio.stories.load(visit.key)
    if kept is None and not Project(visit.story).entries:
        return None
    return _opened(studio, visit, kept)


def _opened(studio: Studio, visit: Visit, kept: Draft | None) -> Opened:
    project = Project(visit.story)
    return Opened(kept or draft_of(project.story()), studio.frames(visit), lost=tuple(project.unreadable()))


def open_zip(studio: Studio, file: Path, visit: Visit, say: Callable[..., str]) -> Opened:
    """Unpack a story into the new folder of `visit`. Raises ArchiveError or whatever `load` raises."""
    notes = tuple(map(say, unpack(file, visit.story).notes))
    opened = _opened(studio, visit, studio.stories.load(visit.key))
    return replace(opened, said=(say("story.opened", name=file.name), *notes))


def is_story(paths: Sequence[str]) -> bool:
    """Whether files that were dropped are a story: one ZIP, or one frame that carries its own."""
    return len(paths) == 1 and (Path(paths[0]).suffix.lower() == ".zip" or is_frame(Path(paths[0]), whole=True))


def is_frame(file: Path, whole: bool = False) -> bool:
    """Whether a file is to be read as a frame: a PNG, and if `whole`, one that carries a story."""
    try:
        read_frame(file)
    except ImprintError:
        return not whole and file.suffix.lower() == ".png"
    return True


def read_frame(file: Path) -> FrameStory:
    """The story that a frame carries. Raises ImprintError."""
    with file.open("rb") as source:
        return story_from_png(source.read(MAX_BYTES + 1))


def open_frame(file: Path, present: Sequence[drafts.DraftActor], say: Callable[..., str]) -> Opened:
    """The story of a frame, its characters with the pictures of those `present` that look as they did then, whatever
    they are called by now, else of those of the same name. Raises ImprintError."""
    story = read_frame(file)
    script = story.script
    looks = {content(subject): there for there in present if (subject := there.subject) is not None}
    names = {there.name: there for look, there in looks.items() if look not in story.looks.values()}
    actors: list[drafts.DraftActor] = []
    missing: list[str] = []
    other: list[str] = []
    for member in script.cast:
        there = looks.get(story.looks.get(member.name, ""))
        if there is None and member.name in story.looks:
            there = names.get(member.name)
            (other if there else missing).append(member.name)
        told = {key: getattr(member, key) for key in ("name", "description", "height", "facing", "drawing")}
        actors.append(replace(there or drafts.DraftActor(""), **told))
    said = [say("story.frame", number=story.panel), *map(say, story.notes)]
    said += [say("story.missing", names=", ".join(missing))] if missing else []
    said += [say("story.other", names=", ".join(other))] if other else []
    text = script_lines(script)
    kept = Draft(text, script.title, script.style, tuple(actors), story.settings, styles=tuple(script.styles))
    return Opened(kept, said=tuple(said))


KEEP = """
const PAUSE = 900, MOST = 8000;
let timer = null, since = 0;
const story = () => element.querySelector(".story");
function keep() {
  clearTimeout(timer);
  timer = story() ? null : setTimeout(keep, PAUSE);
  if (story()) trigger("input");
}
document.addEventListener("story-changed", () => {
  if (!timer) since = Date.now();
  clearTimeout(timer);
  timer = setTimeout(keep, Math.max(0, Math.min(PAUSE, since + MOST - Date.now())));
  if (!story()?.querySelector(".elsewhere")) story()?.classList.add("waits");
});
document.addEventListener("visibilitychange", () => { if (document.hidden && timer) keep(); });
watch("value", () => {
  const time = element.querySelector("time");
  if (time) time.textContent = new Date().toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  element.querySelector(".tab-only")?.toggleAttribute("hidden", !document.documentElement.matches(".for-tab"));
});
element.addEventListener("click", (event) => {
  if (event.target.closest("[data-do=here]")) trigger("click");
});
"""
"""The bar keeps the story after a pause in what is done, or when the page is left: its event `input`, not before the
page has a story; `click` asks to go on in this tab."""

CHANGED = "() => { document.dispatchEvent(new Event('story-changed')); }"
"""Tell the bar that there is something to keep."""

CHOOSE = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  if (button.dataset.do === "close") props.value = ""; else trigger("click", {what: button.dataset.do});
});
"""

LATE = """
const PATIENCE = 20000;
setTimeout(() => element.classList.add("is-late"), PATIENCE);
element.addEventListener("click", ({target}) => {
  const button = target.closest("button[data-do]");
  if (!button) return;
  if (button.dataset.do === "new") localStorage.removeItem("KEY");
  location.reload();
});
"""
"""Where no story has arrived after a while, which hides the page, that is said, and a new one can be begun."""
