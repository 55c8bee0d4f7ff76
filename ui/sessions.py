"""What Gradio keeps of everybody who ever asked for anything: a copy of how each part of the page looks to them, about
a third of a megabyte, for the last ten thousand. Here those go who have nothing there any more."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradio import Blocks
    from gradio.state_holder import StateHolder

IDLE = timedelta(minutes=1)
"""After that a session without a value of its own goes, as every call of a program is one; it would be made anew."""

CLOSED = timedelta(hours=2)
"""After that a page goes that was closed; Gradio takes an hour to drop what of its values was ever set."""

LOOK = 10.0
"""Seconds from one look to the next."""


def forget(holder: StateHolder, now: datetime) -> None:
    """Drop the sessions that nothing is lost with."""
    for name, session in list(holder.session_data.items()):
        idle = now - holder.time_last_used.get(name, now)
        if idle > CLOSED and session.is_closed:
            holder.delete_state(name)
        elif idle <= IDLE or session.state_data:
            continue
        del holder.session_data[name]
        holder.time_last_used.pop(name, None)


class Sessions:
    """ASGI middleware that looks after the sessions of `page`, in the thread in which Gradio makes them."""

    def __init__(self, app: Any, page: Blocks) -> None:
        self._app, self._page = app, page
        self._looked = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        now = time.monotonic()
        if now - self._looked > LOOK and hasattr(self._page, "state_holder"):
            self._looked = now
            forget(self._page.state_holder, datetime.now())  # which is the clock that Gradio notes their use by
        await self._app(scope, receive, send)
