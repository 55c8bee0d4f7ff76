"""The one place where files come in: pictures of characters, scripts with their pictures and styles, stories, frames.
What each is taken for is said."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ui import html

FEW = 4
"""Names of files that one sentence tells."""

ANYWHERE = """
const files = ({dataTransfer}) => dataTransfer?.types.includes("Files");
const drop = () => document.querySelector("#drop");
document.addEventListener("dragover", (event) => {
  if (!files(event) || event.defaultPrevented) return;
  event.preventDefault();
  drop()?.classList.add("over");
});
["dragleave", "drop", "dragend"].forEach((kind) => document.addEventListener(kind, ({relatedTarget}) => {
  if (!relatedTarget) drop()?.classList.remove("over");
}));
document.addEventListener("drop", (event) => {
  if (!files(event) || event.defaultPrevented) return;  // a card or a field took them
  event.preventDefault();
  take(event.dataTransfer);
});

const waits = [];  // drops that come while another one is on its way, during which there is no input
let given = null;
const chooser = Object.assign(document.createElement("input"), {type: "file", multiple: true});
function take(from) {
  const kept = new DataTransfer();
  [...from.files].forEach((file) => kept.items.add(file));
  if (kept.files.length) waits.push(kept.files);
  next();
}
function next() {
  const input = drop()?.querySelector(".upload-container:not(.icon-mode) input[type=file]") ?? null;
  if (input === given || !waits.length) return;
  given = input;
  if (!input) return;
  input.files = waits.shift();
  input.dispatchEvent(new Event("change", {bubbles: true}));
}
document.addEventListener("choose-files", () => chooser.click());
chooser.addEventListener("change", () => { take(chooser); chooser.value = ""; });
new MutationObserver(next).observe(element.closest(".sheet"), {childList: true, subtree: true});
"""
"""Files can be dropped anywhere on the page, or chosen, at any time: one drop is taken in after the other."""


@dataclass(frozen=True)
class Inbox:
    """Files of a kind on their way to who reads them, which takes its time: `waiting` is a deque of them, a drop an
    item, and `bell` changes with each."""

    waiting: gr.State
    bell: gr.State


@dataclass(frozen=True)
class Entrance:
    """`drop` is where files come in, `said` what they were taken for. `pictures` holds those of characters, `scripts`
    a script with all that was dropped beside it, whether it came in a ZIP and what was wrong."""

    drop: gr.File
    said: gr.HTML
    pictures: Inbox
    scripts: Inbox


def inbox() -> Inbox:
    """An empty one."""
    return Inbox(gr.State(deque()), gr.State(0))


def put(into: Inbox, waiting: deque[Any], files: Any) -> dict[Any, Any]:
    """Put files to those `waiting` of an inbox, and ring."""
    waiting.append(files)
    return {into.bell: time.monotonic_ns()}


def first(waiting: deque[Any]) -> Any:
    """The files that wait longest, which wait no more; None where there are none."""
    return waiting.popleft() if waiting else None


def create() -> tuple[gr.File, Inbox, Inbox]:
    """The place for files, and what waits to be read; `create_said` comes below it."""
    drop = gr.File(file_count="multiple", show_label=False, height=96, elem_id="drop")
    return drop, inbox(), inbox()


def create_said() -> gr.HTML:
    """Where it is said what files were taken for."""
    return gr.HTML(js_on_load=ANYWHERE, elem_id="taken")


def names(paths: Sequence[str | Path]) -> str:
    """The names of files, the first few of many."""
    told = [Path(path).name for path in paths]
    return ", ".join(told) if len(told) <= FEW + 1 else f"{', '.join(told[:FEW])}, … ({len(told)})"


def taken(sentences: Sequence[str], wrong: Sequence[str] = ()) -> str:
    """What files were taken for, and what was wrong with some."""
    said = f'<p class="hint" role="status">{escape(" ".join(sentences))}</p>' if sentences else ""
    return said + html.notice(wrong)
