"""A story's own drawings of things and pictures of places in its folder, so that it is drawn the same elsewhere:

things/HASH.svg (.png …)   each drawing under the hash of its name and its bytes
things/things.yaml         what each is called, and what else is said of it, as JSON, which is YAML too
places/…, places.yaml      the same of places
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from anystory.story.model import OWN, PLACES, THINGS, Script

SUFFIXES = (".svg", ".png", ".webp", ".jpg", ".jpeg", ".gif")
MAX_DRAWINGS = 500
MAX_DRAWING = 30_000_000
MAX_SVG = 2_000_000
"""Bytes of one that is taken along, and of an SVG."""

WRITTEN = re.compile(r"[0-9a-f]{16}\.(svg|png|webp|jpe?g|gif)")
"""What is written there, and goes when the story has it no more."""

NAMES = re.compile(rf"({'|'.join(OWN)})/(\1\.yaml|[^/.][^/]{{0,150}}\.(?i:svg|png|webp|jpe?g|gif))")
"""Their files, from the story's folder; who adds one by hand calls it as it likes."""


def drawings_of(script: Script, folder: Path) -> tuple[dict[Path, bytes], set[Path]]:
    """What has to be written into `folder` so that it has the story's own drawings and places, nothing where it has
    them, and the files written there before of which the story has none any more. Other files, those that are too large
    and more than `MAX_DRAWINGS` of a kind are left out. OSError where a file cannot be read."""
    new, gone = dict[Path, bytes](), set[Path]()
    for source, target in ((script.things, folder / THINGS), (script.places, folder / PLACES)):
        if source is None or not source.is_dir() or source.resolve() == target.resolve():
            continue
        files = _copied(source, target)
        left = {path for path in target.glob("*") if WRITTEN.fullmatch(path.name)} - files.keys()
        gone |= left | ({_manifest(target)} if left and not files else set())
        new |= {path: content for path, content in files.items() if not _has(path, content)}
    return new, gone


def _manifest(folder: Path) -> Path:
    """Where a folder says what its drawings are called."""
    return folder / f"{folder.name}.yaml"


def _copied(source: Path, target: Path) -> dict[Path, bytes]:
    told, files = _told(source / _manifest(target).name), dict[Path, bytes]()
    named: dict[str, Any] = {}
    for path in sorted(source.iterdir())[: 4 * MAX_DRAWINGS]:
        suffix = path.suffix.lower()
        if path.name.startswith(".") or suffix not in SUFFIXES or not path.is_file() or len(named) == MAX_DRAWINGS:
            continue
        if path.stat().st_size > (MAX_SVG if suffix == ".svg" else MAX_DRAWING):
            continue
        content = path.read_bytes()
        name = f"{hashlib.sha256(path.name.encode() + content).hexdigest()[:16]}{suffix}"
        entry = told.get(path.name, {})
        entry = dict(entry) if isinstance(entry, Mapping) else {"names": entry}
        named[name] = {"names": path.stem.replace("_", " "), **entry}
        files[target / name] = content
    if files:
        files[_manifest(target)] = (json.dumps(named, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def _told(path: Path) -> Mapping[str, Any]:
    """What a folder's own list says; one that cannot be read is told of where it is drawn from."""
    try:
        told = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return told if isinstance(told, Mapping) else {}


def _has(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def drawing_files(folder: Path) -> set[str]:
    """The files of a story's own drawings and places, from its folder."""
    found = (f"{name}/{path.name}" for name in OWN for path in (folder / name).glob("*") if path.is_file())
    return {name for name in found if NAMES.fullmatch(name)}
