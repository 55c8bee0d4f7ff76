"""What Gradio keeps of visitors goes with them (`ui.sessions`)."""

from __future__ import annotations

from datetime import timedelta

import gradio as gr
from gradio.state_holder import StateHolder

from ui.sessions import CLOSED, IDLE, forget

SOON = timedelta(seconds=1)


def test_sessions_go_as_soon_as_nothing_is_lost_with_them():
    left = []
    with gr.Blocks(analytics_enabled=False) as page:
        visit = gr.State(None, delete_callback=left.append)
        gr.Textbox()
    holder = StateHolder()
    holder.set_blocks(page)
    for name in ("program", "page", "closed"):
        assert holder[name]
    for name in ("page", "closed"):
        holder[name][visit._id] = name
    holder["closed"].is_closed = True
    now = max(holder.time_last_used.values())
    forget(holder, now + IDLE - SOON)
    assert [*holder.session_data] == ["program", "page", "closed"]
    forget(holder, now + IDLE + SOON)
    assert [*holder.session_data] == ["page", "closed"] and left == []
    forget(holder, now + CLOSED + SOON)
    assert [*holder.session_data] == [*holder.time_last_used] == ["page"] and left == ["closed"]
    assert holder["page"][visit._id] == "page"
