"""The page's own pieces of HTML. Everything a person typed is escaped here."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from html import escape

from PIL import Image

from anystory.backends.base import STORYBOOK
from anystory.cast.masks import ADD, REMOVE
from anystory.maps.overlay import colour, colours_of
from anystory.script.lint import Finding
from anystory.story.model import ATTENTION, FROM_A_SKETCH, PLACED_BY_A_SKETCH, ROUTING, SEEN, SHOWN_A_SKETCH, Panel
from ui import paints
from ui.words import in_all, t, words

THUMBNAIL = 168
"""Side in pixels of the pictures on a cast card, twice what is shown, for sharp screens."""

LARGE = 480
"""Side in pixels of the cut-out beside the brush."""


def data_uri(image: Image.Image, side: int | None = None) -> str:
    """The picture inside an address: nothing is stored for it. PNG with transparency, JPEG without."""
    if side is not None:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    kind = "png" if image.has_transparency_data else "jpeg"
    buffer = io.BytesIO()
    image.convert("RGBA" if kind == "png" else "RGB").save(buffer, kind)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def thumbnail(image: Image.Image) -> str:
    """The picture small inside an address, as WebP: a cast of fifty is still one message to the browser."""
    image = image.copy()
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=85, method=2)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def doubts(hints: Sequence[str]) -> str:
    """What may be wrong with a cut-out, one sentence per line."""
    return "".join(f'<p class="doubt">{in_all(words)}</p>' for words in hints)


def hint(sentence: str) -> str:
    """A quiet sentence below a widget; nothing for nothing."""
    return f'<p class="hint">{escape(sentence)}</p>' if sentence else ""


def brushing(name: str) -> str:
    """The head of the brush."""
    return (
        f"<h3>{t('cast.mask')}: {escape(name)}</h3><p>{t('mask.about')} "
        f'<span class="stroke" style="--who:{ADD}">+</span> <span class="stroke" style="--who:{REMOVE}">−</span></p>'
    )


def cutout(picture: Image.Image, index: int, hints: Sequence[str]) -> str:
    """A cut-out (RGBA) in large, and what may be wrong with it."""
    return (
        f'<div class="cutout-large" style="--who:{colour(index)}"><img src="{data_uri(picture, LARGE)}" alt="cut out">'
        f"</div>{doubts(hints)}"
    )


def notice(sentences: Sequence[str]) -> str:
    """What went wrong, one sentence per line; nothing for nothing."""
    if not sentences:
        return ""
    return f'<div class="notice" role="alert">{"".join(f"<p>{escape(s)}</p>" for s in sentences)}</div>'


def findings(found: Sequence[Finding], say: Callable[..., str], kind: str = "ul", row: str = "li") -> str:
    """What the linter found: its place, a button that shows it in the script, what it is, and a button that mends it,
    as elements of a `kind` and of a `row` each.
    Buttons carry `data-start`, `data-end` and `data-code`, which `FINDINGS` tells the page."""
    rows = []
    for finding in found:
        start, end = map(paints.in_box, (finding.start, finding.end))
        data = f'data-start="{start}" data-end="{end}" data-code="{finding.code}"'
        place, fix, said = "", "", escape(say(finding.message))
        if finding.end:
            where = f"{finding.line}:{start - paints.in_box(finding.start - finding.column + 1) + 1}"
            title = escape(f"{where} – {t('script.place')}")
            place = f'<button class="place" {data} title="{title}" aria-label="{title}">{where}</button>'
        if finding.fix is not None:
            fix = f'<button class="fix" {data} title="{escape(finding.fix)}">{escape(_fix_label(finding.fix))}</button>'
        rows.append(f'<{row} class="{finding.severity}">{place}<span>{said}</span>{fix}</{row}>')
    return f'<{kind} class="findings" role="status">{"".join(rows)}</{kind}>' if rows else ""


def _fix_label(fix: str) -> str:
    words = " ".join(fix.split())
    if not words:
        return t("script.delete")
    return f"{t('script.fix')} {words if len(words) <= 24 else f'{words[:23]}…'}"


FINDINGS = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const {start, end, code} = button.dataset;
  if (button.matches(".fix")) return trigger("click", {start: Number(start), end: Number(end), code});
  const box = document.querySelector("#script textarea");
  const units = (count) => Array.from(box.value).slice(0, count).join("").length;  // Python counts no surrogates
  box.focus();
  box.setSelectionRange(units(start), units(end));
});
"""
"""What the buttons of `findings` do: `fix` is a click event of the component with start, end and code, the others
select the place in the script."""


def progress(
    where: str,
    what: str,
    share: float,
    preview: Image.Image | None = None,
    left: str = "",
    panel: int | None = None,
    part: float = 0,
) -> str:
    """The panel at work: where we are, what is made, how much is done (0 to 1) and the picture so far, and how long it
    still takes. `part` of `panel` is done, for the strip."""
    picture = f'<img src="{data_uri(preview)}" alt="">' if preview else '<div class="blank"></div>'
    percent = round(100 * share)
    return (
        f'<div class="progress" data-panel="{panel or ""}" data-part="{part:.3f}">{picture}<div class="text">'
        f'<div class="where" role="status">{escape(where)}</div><div class="what">{escape(what)}</div>'
        f'<div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}">'
        f'<i style="width:{percent}%"></i></div><div class="left">{escape(left)}</div></div></div>'
    )


def progress_bar(what: str, share: float) -> str:
    """A line of progress without a picture; `share` from 0 to 1."""
    percent = round(100 * share)
    return (
        f'<div class="download"><div class="what" role="status">{escape(what)}</div><div class="bar" '
        f'role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}">'
        f'<i style="width:{percent}%"></i></div></div>'
    )


def verdict(sentence: str, passed: bool) -> str:
    """What the routing of a frame says about it."""
    return f'<p class="verdict {"fine" if passed else "doubt"}" role="status">{escape(sentence)}</p>'


def opened(
    number: int,
    panel: Panel,
    names: Sequence[str],
    cast: Sequence[str],
    seed: int,
    backend: str,
    say: Callable[..., str] = words(None),
    made: str = "",
) -> str:
    """What is written beside an opened frame, also which `backend` made it and from what (`Frame.made`), and the
    colours of the boxes that choose its subjects."""
    colours = "".join(
        f"#who label:nth-of-type({k}){{--who:{fill}}}" for k, fill in enumerate(colours_of(names, cast), 1)
    )
    caption = f'<div class="caption">{escape(panel.caption)}</div>' if panel.caption else ""
    spoken = "".join(f'<div class="line"><b>{escape(line.who)}</b> {escape(line.say)}</div>' for line in panel.dialogue)
    return (
        f'<style>{colours}</style><div class="opened"><div class="number">'
        f"{say('viewer.number', number=number, seed=seed)} · "
        f"{_made_by(backend, made)}</div>"
        f'{caption}<div class="prompt">{escape(panel.prompt)}</div>{spoken}</div>'
    )


def _made_by(backend: str, made: str) -> str:
    """Which backend made a frame, and what of its sketch went into it."""
    if backend == STORYBOOK:
        return t("model.storybook")
    how = {
        FROM_A_SKETCH: "model.from-sketch",
        PLACED_BY_A_SKETCH: "model.placed",
        SHOWN_A_SKETCH: "model.shown",
    }.get(made)
    return f"{escape(backend)}, {t(how)}" if how else escape(backend)


def measured(measure: str) -> str:
    """What the overlay of a frame shows, by the `measure` of its maps."""
    return t({ROUTING: "viewer.who.hint", ATTENTION: "viewer.who.share", SEEN: "viewer.who.seen"}[measure])


def model(state: str, said: str = "", sketches: bool = False) -> str:
    """The model's state, loading | ready | missing, as a light in the page's head; `said` is its name, or why not. The
    page offers what only a backend that `sketches` uses where this says so."""
    shown = escape(said) if state == "ready" else t(f"model.{state}")
    kind = f"model {state}{' sketches' if sketches else ''}"
    return f'<span class="{kind}" role="status" title="{escape(said)}">{shown}</span>'


EMPTY = f'<div class="empty"><div class="strip"><i></i><i></i><i></i><i></i></div><div>{t("frames.empty")}</div></div>'
