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
    from anystory.backend import Backend, BackendError, Lora  # noqa: F401
    from anystory.backend import load as load_backend  # noqa: F401
    from anystory.cluster import Cluster, ClusterError  # noqa: F401
    from anystory.drawing import Drawing  # noqa: F401
    from anystory.errors import AnyStoryError  # noqa: F401
    from anystory.images import ImageError  # noqa: F401
    from anystory.pages import Format, PageError, export  # noqa: F401
    from anystory.project import ProjectError  # noqa: F401
    from anystory.render import Progress, RenderError  # noqa: F401
    from anystory.script import ScriptError, parse_script  # noqa: F401
    from anystory.segment import Segmenter, SegmentError  # noqa: F401
    from anystory.story import CastMember, Script, Settings, Story, Subject  # noqa: F401
    from anystory.wildcards import WildcardError  # noqa: F401

_HOMES = {
    "api": ("PanelFrame", "load_story", "render_story"),
    "backend": ("Backend", "BackendError", "Lora", "load_backend"),
    "cluster": ("Cluster", "ClusterError"),
    "drawing": ("Drawing",),
    "errors": ("AnyStoryError",),
    "images": ("ImageError",),
    "pages": ("Format", "PageError", "export"),
    "project": ("ProjectError",),
    "render": ("Progress", "RenderError"),
    "script": ("ScriptError", "parse_script"),
    "segment": ("SegmentError", "Segmenter"),
    "story": ("CastMember", "Script", "Settings", "Story", "Subject"),
    "wildcards": ("WildcardError",),
}

__all__ = [name for names in _HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"anystory.{home}"), "load" if name == "load_backend" else name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
