"""Gradio imported without the stubs for editors that it writes beside its own files: they take half of the import, a
second of every start, and nobody reads them here."""

from __future__ import annotations

import inspect
import sys
from typing import Any


def import_gradio() -> None:
    """Import Gradio. The one who writes stubs leaves out what has no file, and is told that nothing has."""
    known = inspect.getfile

    def getfile(what: Any) -> str:
        if sys._getframe(1).f_globals.get("__name__") == "gradio.component_meta":
            raise OSError("not asked for")
        return known(what)

    inspect.getfile = getfile  # type: ignore[assignment]  # it asks for anything, too
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile = known
