"""The parts of the page, as the events take them."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from ui import book, cast, choice, desk, finder, frames, masks, masthead, script, story, viewer
from ui.running import Visitors
from ui.studio import Studio


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything on the page.

    `visit` holds the visitor's `Visit`, None before the page has its story. An hour after a connection was lost Gradio
    drops each state by its age. This one is only set together with all that is kept of a story, before the rest: where
    it is there, nothing else has gone yet.
    """

    studio: Studio
    visitors: Visitors
    visit: gr.State
    head: masthead.Masthead
    actors: cast.CastWidgets
    shelf: gr.HTML
    editor: masks.Editor
    chooser: masks.Chooser
    text: script.ScriptWidgets
    controls: frames.Controls
    stage: frames.Stage
    view: viewer.Viewer
    desk: desk.Desk
    finder: finder.Finder
    choice: choice.Choice
    book: book.Book
    story: story.StoryBar
