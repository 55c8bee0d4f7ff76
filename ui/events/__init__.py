"""What happens on the page, a file for each part of it: the handlers and what they are tied to."""

from typing import Any

SLOW: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""How events run that wait in the queue. No progress shows, so none is told: to tell it, Gradio's page copies at every
event all that the outputs of it and of all events before it hold."""

QUICK: dict[str, Any] = {"queue": False, **SLOW}
"""How events run that answer at once."""

CUTTING: dict[str, Any] = {"concurrency_id": "cut", "concurrency_limit": 1}
"""And those that cut pictures out, which takes its time and so is done beside what changes a cast."""

ONE_CAST: dict[str, Any] = {"concurrency_id": "cast", "concurrency_limit": 1}
"""And those that change a cast."""

UNTOLD = "() => { document.dispatchEvent(new Event('untold')); }"
"""Tell what is asked one after the other that the last question failed, for want of the server or by it, so that the
next can be asked."""
