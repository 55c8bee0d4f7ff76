"""AnyStory: characters you upload, a script you write, story frames in which each character stays itself.

    backend = anystory.load_backend()
    story = anystory.load_story("story.yaml", backend)
    for frame in anystory.render_story(story, backend, "out"):
        frame.image.save(f"panel-{frame.panel}.png")

The names below are the programming interface (docs/program.md). They are imported when they are first used; torch when
a backend is loaded.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime would tell its makers of every session

if TYPE_CHECKING:  # the same names for editors and type checkers
    from anystory.api import PanelFrame, load_story, render_story  # noqa: F401
    from anystory.backends.base import Backend, BackendError, Lora  # noqa: F401
    from anystory.backends.cluster import Cluster, ClusterError  # noqa: F401
    from anystory.backends.load import load as load_backend  # noqa: F401
    from anystory.cast.images import ImageError  # noqa: F401
    from anystory.cast.segment import Segmenter, SegmentError  # noqa: F401
    from anystory.errors import AnyStoryError  # noqa: F401
    from anystory.pages.balloons import Lettering  # noqa: F401
    from anystory.pages.export import export  # noqa: F401
    from anystory.pages.form import Format, PageError  # noqa: F401
    from anystory.pages.paper import paper  # noqa: F401
    from anystory.project.folder import ProjectError  # noqa: F401
    from anystory.render.portraits import Drawing  # noqa: F401
    from anystory.render.print import printer  # noqa: F401
    from anystory.render.session import Progress, RenderError  # noqa: F401
    from anystory.script.form import ScriptError  # noqa: F401
    from anystory.script.read import parse_script  # noqa: F401
    from anystory.script.wildcards import WildcardError  # noqa: F401
    from anystory.story.model import CastMember, Script, Settings, Story, Subject  # noqa: F401

_HOMES = {
    "api": ("PanelFrame", "load_story", "render_story"),
    "backends.base": ("Backend", "BackendError", "Lora"),
    "backends.load": ("load_backend",),
    "backends.cluster": ("Cluster", "ClusterError"),
    "render.portraits": ("Drawing",),
    "errors": ("AnyStoryError",),
    "cast.images": ("ImageError",),
    "pages.export": ("export",),
    "pages.balloons": ("Lettering",),
    "pages.form": ("Format", "PageError"),
    "pages.paper": ("paper",),
    "render.print": ("printer",),
    "project.folder": ("ProjectError",),
    "render.session": ("Progress", "RenderError"),
    "script.form": ("ScriptError",),
    "script.read": ("parse_script",),
    "cast.segment": ("SegmentError", "Segmenter"),
    "story.model": ("CastMember", "Script", "Settings", "Story", "Subject"),
    "script.wildcards": ("WildcardError",),
}

__all__ = [name for names in _HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"anystory.{home}"), "load" if name == "load_backend" else name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
