"""The strip: every panel of the story in its order, with its frame or how it stands, to open and to choose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from html import escape

from anystory.story.model import Panel
from ui.running import DONE, MAKING, OPEN
from ui.studio import Shown, placed

FILE = "gradio_api/file="
"""Where the app serves files, from the page."""

OLD = "old"
"""How a frame stands whose panel asks for another by now."""

PIN = (
    '<svg class="pinned" viewBox="0 0 16 16" role="img" aria-label="{0}"><title>{0}</title>'
    '<path d="M6 1h4l-.5 5 2.5 2v1.5H8.7V15h-1.4V9.5H4V8l2.5-2z"/></svg>'
)
"""What stands in the corner of a frame that is kept whatever changes."""

DOUBT = "⚠ "
"""What stands before the words of a frame whose routing looks wrong."""


def strip(
    say: Callable[..., str],
    panels: Sequence[Panel],
    shown: Sequence[Shown],
    chosen: Collection[int],
    opened: int | None,
    state: Callable[[int], str] | None = None,
) -> str:
    """A list with an item a panel, each with the frame that is its, wherever it was when that was made. Frames in
    `shown` are buttons that open them (`opened` is the `id` of one there), also those of words that have changed;
    panels have a box to choose them. Where several backends made the frames, each says which. `state` tells how a panel
    of a render stands, `say` has the visitor's words (`ui.words`)."""
    frames = placed(shown, panels)
    several = len({item.backend for item in frames.values()}) > 1
    items = []
    for number in range(1, max(len(panels), *frames, 0) + 1):
        item, panel = frames.get(number), panels[number - 1] if number <= len(panels) else None
        how = state(number) if state else OPEN
        if item and how != MAKING:
            how = DONE if panel and item.shows(panel, number) else OLD
        picked = number in chosen if panel else None
        said = panel or (item.panel if item else None)
        if said is not None:
            items.append(_item(say, number, said, item, how, picked, item is not None and item.id == opened, several))
    return f'<ol class="strip" aria-label="{escape(say("frames.strip"))}">{"".join(items)}</ol>' if items else ""


def _item(
    say: Callable[..., str],
    number: int,
    panel: Panel,
    item: Shown | None,
    how: str,
    picked: bool | None,
    opened: bool,
    named: bool,
) -> str:
    """One panel; what made its frame is `named`."""
    words = escape(panel.caption or panel.prompt)
    stands = f'<span class="how">{escape(say(f"panel.{how}"))}</span>'
    label = f'<span class="caption-label">{number} · {words}</span>'
    if item and how in (DONE, OLD):
        doubt = "" if item.diagnosis.passed else DOUBT
        label = f'<span class="caption-label">{number} · {doubt}{words}</span>'
        mark = ' aria-current="true"' if opened else ""
        by = f'<span class="by">{escape(item.backend)}</span>' if named and how == DONE else ""
        picture = (
            f'<button class="thumbnail-item" data-open="{item.id}" data-file="{FILE}{escape(str(item.file))}" '
            f'data-size="{item.still.size.width} {item.still.size.height}" title="{words}"{mark}>'
            f'<img src="{FILE}{escape(str(item.thumbnail))}" alt="" loading="lazy">{label}'
            f"{stands if how == OLD else by}{PIN.format(escape(say('panel.pinned'))) if item.pinned else ''}</button>"
        )
    elif how == MAKING:
        picture = f'<div class="blank"><img class="live" alt="" hidden><i class="ring"></i>{label}{stands}</div>'
    else:
        picture = f'<div class="blank" title="{words}">{label}{stands}</div>'
    box = ""
    if picked is not None:
        box = (
            f'<button class="pick" role="checkbox" aria-checked="{"true" if picked else "false"}" '
            f'data-pick="{number}" aria-label="{number}: {escape(say("frames.choose"))}"></button>'
        )
    return f'<li class="{how}" data-panel="{number}">{picture}{box}</li>'


STRIP = """
let last = null, opened = 0;
const boxes = () => [...element.querySelectorAll(".pick")];
const picked = () => boxes().filter((box) => box.ariaChecked === "true").map((box) => Number(box.dataset.pick));
const pick = (box, range) => {
  if (!box) return;
  const on = box.ariaChecked !== "true", all = boxes(), here = all.indexOf(box);
  const from = range && last !== null ? all.findIndex((other) => other.dataset.pick === last) : here;
  all.slice(Math.min(from, here), Math.max(from, here) + 1).forEach((other) => { other.ariaChecked = String(on); });
  last = box.dataset.pick;
  trigger("input", {chosen: picked()});
};
element.addEventListener("click", (event) => {
  const item = event.target.closest("li"), button = event.target.closest("button");
  if (!item) return;
  if (event.shiftKey || event.ctrlKey || event.metaKey || button?.matches(".pick")) {
    return pick(item.querySelector(".pick"), event.shiftKey);
  }
  if (!button) return;
  element.querySelectorAll("[aria-current]").forEach((other) => other.removeAttribute("aria-current"));
  button.setAttribute("aria-current", "true");
  const count = ++opened;
  show(button).then(painted).then(() => trigger("select", {id: Number(button.dataset.open), count}));
});
const painted = () => new Promise((done) => {  // what asks the server keeps the browser from painting for a while
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
});
const ahead = new Map();  // pictures that may be opened next, which the browser has as long as they are here
function fetched(item) {
  const file = item?.querySelector("[data-file]")?.dataset.file;
  if (!file || ahead.has(file)) return;
  ahead.set(file, Object.assign(new Image(), {src: file}));
  if (ahead.size > 6) ahead.delete(ahead.keys().next().value);
}
function beside() {
  const item = element.querySelector("[aria-current]")?.closest("li");
  [item?.previousElementSibling, item?.nextElementSibling].forEach(fetched);
}
element.addEventListener("pointerover", ({target}) => fetched(target.closest("li")));
async function show(button) {  // the picture at once, from what the page has; what is told of it follows
  const frame = document.querySelector("#frame .opened-frame"), whole = frame?.querySelector(".whole");
  if (!whole) return;
  frame.dataset.id = button.dataset.open;
  frame.classList.remove("tinted");
  [whole.width, whole.height] = button.dataset.size.split(" ");
  whole.src = button.dataset.file;
  await whole.decode().catch(() => {});
}
element.addEventListener("keydown", (event) => {
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key], item = event.target.closest("li");
  if (!item) return;
  if (event.key === " " && event.target.matches(".thumbnail-item")) {
    event.preventDefault();
    return pick(item.querySelector(".pick"), event.shiftKey);
  }
  const other = step === 1 ? item.nextElementSibling : step === -1 ? item.previousElementSibling : null;
  if (!other) return;
  event.preventDefault();
  other.querySelector("button")?.focus();
});
const progress = document.querySelector("#progress");
const live = () => {  // the item of the panel at work shows what the progress shows
  const item = element.querySelector("li.making"), now = progress?.querySelector(".progress");
  if (!item || !now) return;
  item.style.setProperty("--part", now.dataset.part ?? 0);
  const picture = now.querySelector("img"), mine = item.querySelector(".live");
  if (picture && mine && now.dataset.panel === item.dataset.panel) { mine.src = picture.src; mine.hidden = false; }
};
if (progress) new MutationObserver(live).observe(progress, {subtree: true, childList: true, attributes: true});
const tell = () => document.dispatchEvent(new Event("strip-changed"));  // the cards show its pictures too
new MutationObserver(() => { tell(); beside(); }).observe(element, {subtree: true, childList: true, attributes: true});
tell();
beside();
"""
"""What happens on the strip: `select` with the `id` of a frame to open and the `count` of those, `input` with the
numbers `chosen`."""
