"""A story's own drawings of things in its folder, so that it is drawn the same elsewhere:

things/HASH.svg (.png …)   each drawing under the hash of its name and its bytes
things/things.yaml         what each is called, and what else is said of it, as JSON, which is YAML too
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from anystory.story.model import THINGS

MANIFEST = "things.yaml"
SUFFIXES = (".svg", ".png", ".webp", ".jpg", ".jpeg", ".gif")
MAX_DRAWINGS = 500
MAX_DRAWING = 30_000_000
"""Bytes of one that is taken along."""

NAMES = re.compile(rf"{THINGS}/({re.escape(MANIFEST)}|[0-9a-f]{{16}}\.(svg|png|webp|jpe?g|gif))")
"""The files of a folder's own drawings, from the folder."""


def drawings_of(source: Path | None, folder: Path) -> dict[Path, bytes]:
    """What has to be written into `folder` so that it has the drawings of `source`: nothing where it has them, or where
    there are none. Other files, those that are too large and more than `MAX_DRAWINGS` are left out. OSError where a
    file cannot be read."""
    if source is None or not source.is_dir() or source.resolve() == (folder / THINGS).resolve():
        return {}
    told, files = _told(source / MANIFEST), {}
    named: dict[str, Any] = {}
    for path in sorted(source.iterdir())[: 4 * MAX_DRAWINGS]:
        suffix = path.suffix.lower()
        if path.name.startswith(".") or suffix not in SUFFIXES or not path.is_file() or len(named) == MAX_DRAWINGS:
            continue
        if path.stat().st_size > MAX_DRAWING:
            continue
        content = path.read_bytes()
        name = f"{hashlib.sha256(path.name.encode() + content).hexdigest()[:16]}{suffix}"
        entry = told.get(path.name, {})
        entry = dict(entry) if isinstance(entry, Mapping) else {"names": entry}
        named[name] = {"names": path.stem.replace("_", " "), **entry}
        files[folder / THINGS / name] = content
    if not files:
        return {}
    files[folder / THINGS / MANIFEST] = (json.dumps(named, indent=1, ensure_ascii=False) + "\n").encode()
    return {path: content for path, content in files.items() if not _has(path, content)}


def _told(path: Path) -> Mapping[str, Any]:
    """What a folder's own list says; one that cannot be read is told of where it is drawn from."""
    try:
        told = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return told if isinstance(told, Mapping) else {}


def _has(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def things_in(folder: Path) -> Path | None:
    """The folder of its own drawings in a story's folder, None where it has none."""
    things = folder / THINGS
    return things.resolve() if things.is_dir() else None


def drawing_files(folder: Path) -> set[str]:
    """Their files, from the story's folder."""
    found = (f"{THINGS}/{path.name}" for path in (folder / THINGS).glob("*") if path.is_file())
    return {name for name in found if NAMES.fullmatch(name)}
