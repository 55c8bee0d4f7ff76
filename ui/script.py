"""The script in two views, its text and its panels as cards, and at once what is wrong with it; ideas to start from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from operator import itemgetter
from pathlib import Path
from typing import Any

import gradio as gr

from anystory.backends.base import Backend
from anystory.errors import Message
from anystory.script.edits import with_panel
from anystory.script.form import Reading as Source
from anystory.script.form import ScriptError
from anystory.script.lint import Finding, library_words, lint_reading, mend, pictureless, unreadable
from anystory.script.read import read_script
from anystory.story.model import CastMember, Panel, Script, Style
from anystory.story.styles import MAX_STYLES, NO_STYLE, all_styles, joined
from ui import html, paints, panels
from ui.ideas import ideas_for
from ui.studio import Shown
from ui.words import t, words

EDITS = (Path(__file__).parent / "js" / "edits.js").read_text(encoding="utf-8")
"""What happens to the text where something was done to it elsewhere on the page (`rewritten`)."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class ScriptWidgets:
    """The script's widgets; `findings` says what is wrong, `feedback` shows the panels as cards. `edits` takes what is
    done to the text elsewhere on the page. `styles` holds the presets that came with a script or lie beside the kept
    stories; `before` is the text that an idea replaced."""

    title: gr.Textbox
    style: gr.Dropdown
    style_note: gr.HTML
    text: gr.Textbox
    edits: gr.HTML
    notice: gr.HTML
    findings: gr.HTML
    feedback: gr.HTML
    styles: gr.State
    ideas: gr.HTML
    before: gr.State


def create(styles: Sequence[Style] = ()) -> ScriptWidgets:
    """Lay out the text and the cards beside it; `styles` are presets besides the supplied ones."""
    with gr.Row(elem_id="two-views"):
        with gr.Column(min_width=300):
            with gr.Row():
                title = gr.Textbox(
                    "",
                    label=t("script.title"),
                    placeholder=t("script.title.hint"),
                    max_lines=1,
                    max_length=200,
                    min_width=140,
                    elem_id="title",
                )
                style = gr.Dropdown(
                    style_names(styles),
                    value=None,
                    label=t("script.style"),
                    allow_custom_value=True,
                    min_width=140,
                    elem_id="style",
                )
            style_note = gr.HTML(elem_id="style-note")
            text = gr.Textbox(
                "",
                label=t("script.panels"),
                lines=8,
                max_lines=24,
                placeholder=t("script.placeholder"),
                elem_id="script",
            )
            edits = gr.HTML(
                f'<p class="hint" role="status" hidden>{t("script.meanwhile")}</p>',
                js_on_load=EDITS,
                edit=None,
                elem_id="edits",
            )
            findings = gr.HTML(js_on_load=html.FINDINGS, elem_id="findings")
            offered = gr.HTML(ideas(()), js_on_load=IDEAS, elem_id="ideas")
            gr.HTML(f'<p class="hint">{t("script.hint")}</p>')
            notice = gr.HTML(elem_id="script-notice")
        with gr.Column(min_width=300):
            feedback = gr.HTML(
                "",
                html_template='<div class="deck"></div>',
                js_on_load=panels.CARDS,
                apply_default_css=False,
                heard=0,
                text="",
                elem_id="reading",
            )
    kept = gr.State(tuple(styles))
    return ScriptWidgets(
        title, style, style_note, text, edits, notice, findings, feedback, kept, offered, gr.State(None)
    )


IDEAS = """
element.addEventListener("click", ({target}) => {
  const button = target.closest("button");
  if (button) trigger("pick", {title: button.dataset.title ?? null});
});
"""
"""What the buttons of `ideas` do: a click picks an idea by its title, or none: the text before it."""


def ideas(names: Sequence[str], taken: str = "") -> str:
    """The ideas for a cast as buttons; with the one that was `taken`, said in a sentence, and the way back."""
    picks = "".join(
        f'<button type="button" data-title="{escape(idea.title)}">{t(idea.key)}</button>'
        for idea in ideas_for(len(names))
    )
    choices = picks if names else f"<p>{t('script.ideas.empty')}</p>"
    back = f'<p role="status">{escape(taken)} <button type="button">{t("script.ideas.back")}</button></p>'
    return (
        f'<div class="ideas"><details{" open" * bool(taken)}><summary>{t("script.ideas")}</summary>'
        f'<div class="choices">{choices}</div></details>{back if taken else ""}</div>'
    )


def with_idea(title: str, names: Sequence[str]) -> str | None:
    """The text of an idea with these names; None where there is no such idea for them."""
    return next((idea.script(names) for idea in ideas_for(len(names)) if names and idea.title == title), None)


def style_names(styles: Sequence[Style] = ()) -> list[str]:
    """The names on the menu."""
    return [style.name for style in all_styles(styles)]


def kept_styles(text: str, styles: Sequence[Style]) -> tuple[Style, ...]:
    """The presets that the page holds once a text of any form has become plain text, which brings none: those that it
    brought, and `styles`."""
    try:
        brought = read_script(text).script.styles
    except ScriptError:
        brought = ()
    return joined(brought, styles)[:MAX_STYLES] if brought else tuple(styles)


def rewritten(text: ScriptWidgets, before: str, after: str, styles: Sequence[Style]) -> dict[Any, Any]:
    """The page with a text that was changed from `before` to `after`, which is plain: values for the edits, and for its
    presets and the menu of styles where they change."""
    kept = tuple(styles) if after == before else kept_styles(before, styles)
    menu = {} if kept == tuple(styles) else {text.styles: kept, text.style: gr.Dropdown(style_names(kept))}
    return {text.edits: edited(before, after), **menu}


def edited(before: str, after: str) -> gr.HTML:
    """The edits with the change of a text, into which what is typed before that arrives is taken over."""
    return gr.HTML(edit={"before": paints.short(before), "after": paints.short(after), "number": next(_numbers)})


@dataclass(frozen=True)
class ScriptReading:
    """What was understood: the script as far as it could be read, None if not at all, and what was found in it;
    `source` is the text's own reading, `backend` and `styles` are what it was read for."""

    script: Script | None
    findings: tuple[Finding, ...]
    source: Source | None = None
    backend: Backend | None = None
    styles: tuple[Style, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps it from being rendered."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def read(
    text: str,
    title: str,
    style: str | None,
    members: Sequence[CastMember],
    pictured: Sequence[str],
    backend: Backend | None = None,
    styles: Sequence[Style] = (),
) -> ScriptReading:
    """Read and lint the script for a cast of `members`, of whom those named in `pictured` have a picture.

    Title and style, where there are any, win over those inside the text; `styles` are presets besides the text's.
    """
    style = (style or "").strip()
    source: Source | None = None
    try:
        source = read_script(text, cast=members)
    except ScriptError as error:
        found: tuple[Finding, ...] = (unreadable(text, error),)
    else:
        found = lint_reading(source, cast=members, backend=backend, style=style, styles=styles)
    typed = [("title", title), ("style", style), *((member.name, member.description) for member in members)]
    if halved := [what for what, words in typed if not (_whole(what) and _whole(words))]:
        shown = halved[0].encode("ascii", "backslashreplace").decode() if not _whole(halved[0]) else halved[0]
        words = Message("What is typed for {what} has half a character; write it again.", what=shown)
        return ScriptReading(None, (*found, Finding(1, 1, 0, 0, "error", "script", words)))
    if source is None:
        return ScriptReading(None, found)
    script, known = source.script, joined(source.script.styles, styles)
    named = {finding.message for finding in found}
    script = replace(
        script,
        title=title.strip() or script.title,
        style=style or script.style,
        styles=known,
    )
    needed = {name for panel in script.panels for name in panel.cast} - set(pictured)
    library = library_words(script) if needed and backend is not None and backend.about.sketches else {}
    lacking = (member for member in script.cast if member.name in needed)
    missing = [(member.name, *pictureless(member, backend, library)) for member in lacking]
    said = (
        Finding(1, 1, 0, 0, severity, "no-picture", Message.of(words))
        for name, severity, words in missing
        if words not in named and (severity == "error" or (severity == "warning" and name in library))
    )
    return ScriptReading(script, (*found, *said), source, backend, known)


def _whole(words: str) -> bool:
    """Whether there is no half of a character in it, which can neither be written nor drawn."""
    return words.isascii() or not any("\ud800" <= char <= "\udfff" for char in words)


def feedback(
    reading: ScriptReading, seed: int = 0, say: Callable[..., str] = words(None), slots: Sequence[str] = ()
) -> tuple[str, str]:
    """What is wrong, less what is said of the chosen style, and the panels as cards, as HTML; `seed` is the story's,
    under which wildcards are filled in, `slots` are the places of the cards' pictures (`ui.board`)."""
    found = [finding for finding in reading.findings if not _of_menu(finding)]
    sizes = reading.backend.about.sizes if reading.backend else None
    deck = panels.cards(reading.source, found, seed, style_names(reading.styles), sizes, say, slots)
    return html.findings(found, say), panels.legend(reading.source, say) + deck


def style_note(reading: ScriptReading, style: str | None, say: Callable[..., str] = words(None)) -> str:
    """What is said of the style chosen from the menu."""
    said = [say(finding.message) for finding in reading.findings if _of_menu(finding)]
    return html.hint(" ".join(said)) if style and style != NO_STYLE else ""


def _of_menu(finding: Finding) -> bool:
    return finding.code == "style" and finding.end == 0


def fixed(text: str, found: Sequence[Finding], start: int, end: int, code: str) -> str:
    """The text with the one finding of that kind and length mended that is nearest to that place, which may have moved
    by what was mended just before; as it is if there is none any more."""
    same = [f for f in found if (f.end - f.start, f.code) == (end - start, code) and f.fix is not None]
    return mend(text, min(same, key=lambda f: abs(f.start - start))) if same else text


def panels_of(text: str, members: Sequence[CastMember]) -> tuple[Panel, ...]:
    """The panels of a text as they are written; none where it cannot be read."""
    try:
        return read_script(text, cast=members).script.panels
    except ScriptError:
        return ()


def line_of(text: str, members: Sequence[CastMember], item: Shown) -> tuple[int, Panel] | None:
    """The number of a frame's panel in the text by now, and that panel; None where it is gone or has other words."""
    try:
        there = read_script(text, cast=members).panels
    except ScriptError:
        return None
    numbered = [(number, panel) for number, panel in enumerate(there, 1) if panel and panel.prompt]
    place = item.place([panel for _, panel in numbered])
    return None if place is None else numbered[place]


def with_take(text: str, members: Sequence[CastMember], number: int, panel: Panel) -> str:
    """The text with the seed and the steering of a take in its panel, which was number `number` when it was made, if
    the text still has that panel."""
    try:
        panels = enumerate(read_script(text, cast=members).panels, 1)
        taken = ((k, replace(there, seed=panel.seed, steering=panel.steering)) for k, there in panels if there)
        same = [(abs(k - number), k, now) for k, now in taken if now == panel]
        return with_panel(text, *min(same, key=itemgetter(0))[1:], members) if same else text
    except ScriptError:
        return text
