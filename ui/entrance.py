"""The one place where files come in: pictures of characters, scripts with their pictures and styles, stories, frames.
What each is taken for is said."""

from __future__ import annotations

import time
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
  const input = drop()?.querySelector("input[type=file]");
  if (!input) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", {bubbles: true}));
});
"""
"""Files can be dropped anywhere on the page."""


@dataclass(frozen=True)
class Entrance:
    """`drop` is where files come in, `said` what they were taken for. `pictures` holds those of characters, `script` a
    script with all that was dropped beside it, whether it came in a ZIP and what was wrong; each with a number that
    tells one drop from the next."""

    drop: gr.File
    said: gr.HTML
    pictures: gr.State
    script: gr.State


def create() -> tuple[gr.File, gr.State, gr.State]:
    """The place for files, and what waits to be read; `create_said` comes below it."""
    drop = gr.File(file_count="multiple", show_label=False, height=96, elem_id="drop")
    return drop, gr.State(None), gr.State(None)


def create_said() -> gr.HTML:
    """Where it is said what files were taken for."""
    return gr.HTML(js_on_load=ANYWHERE, elem_id="taken")


def stamped(value: Any) -> tuple[Any, int]:
    """A value that is never the same twice, so that whoever waits for it hears of it."""
    return value, time.monotonic_ns()


def names(paths: Sequence[str | Path]) -> str:
    """The names of files, the first few of many."""
    told = [Path(path).name for path in paths]
    return ", ".join(told) if len(told) <= FEW + 1 else f"{', '.join(told[:FEW])}, … ({len(told)})"


def taken(sentences: Sequence[str], wrong: Sequence[str] = ()) -> str:
    """What files were taken for, and what was wrong with some."""
    said = f'<p class="hint" role="status">{escape(" ".join(sentences))}</p>' if sentences else ""
    return said + html.notice(wrong)
