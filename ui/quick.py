"""A quick start: Gradio without what it prepares for others, and one collection of garbage in place of hundreds.

Half of Gradio's import goes to stubs for editors that it writes beside its own files, a third of the rest to its
command line, to pandas and to the docstrings of its events; and while a page is put together it builds the page's
server three times and keeps the last.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

COMMANDS = "gradio.cli", "hf_gradio.cli"
"""Command lines, of which Gradio takes a few functions."""

LIBRARIES = ("pandas",)
"""What it takes by name and asks only for what is inside it, for tables: the page has none."""


@contextmanager
def starting() -> Iterator[None]:
    """Inside nobody looks for garbage: nearly all of what a start makes stays. Afterwards what is there by then is
    never looked through again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_gradio() -> None:
    """Import Gradio. The one who writes stubs leaves out what has no file, and is told that nothing has; docstrings
    stay the templates they are; command lines and libraries nobody may ask for are imported when somebody does."""
    import jinja2

    known = inspect.getfile

    def getfile(what: Any) -> str:
        if sys._getframe(1).f_globals.get("__name__") == "gradio.component_meta":
            raise OSError("not asked for")
        return known(what)

    later = [_Commands(name) for name in COMMANDS] + [_Library(name) for name in LIBRARIES]
    standing = {module.__name__: module for module in later if module.__name__ not in sys.modules}
    sys.modules.update(standing)
    engine: Any = jinja2
    template, engine.Template = jinja2.Template, _Docstring
    inspect.getfile = getfile  # type: ignore[assignment]  # it asks for anything, too
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile, engine.Template = known, template
        for name, module in standing.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@contextmanager
def one_server() -> Iterator[None]:
    """Inside Gradio builds no server: `launch` builds the one that answers."""
    from gradio.routes import App

    server: Any = App
    built = App.create_app
    server.create_app = staticmethod(lambda *_, **__: None)
    try:
        yield
    finally:
        server.create_app = staticmethod(built)


class _Docstring:
    """Stands for a template of jinja2's and gives it as it is written."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render(self, **_: object) -> str:
        return self._text


class _Library(ModuleType):
    """Stands for a module and imports it when something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks what this is
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


class _Commands(ModuleType):
    """Stands for a module and gives functions that import it when they are called."""

    __path__ = []  # noqa: RUF012  # the import system reads it, nobody writes it

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def called(*values: Any, **named: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*values, **named)

        return called
