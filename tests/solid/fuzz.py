"""Bad input by the thousand: scripts, pictures, ZIPs, folders and drafts, each a seeded mutation of a good one.

A case passes where it is read or refused by an `AnyStoryError` within `SECONDS` of the processor's time.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from anystory.cast.images import open_image
from anystory.errors import AnyStoryError
from anystory.project.archive import pack, unpack
from anystory.project.drafts import draft_of, load_draft, save_draft
from anystory.project.folder import Project
from anystory.script.lint import lint
from anystory.script.read import load_script, read_script
from tests.stories import rendered, story

SECONDS = 2.0
"""What one case may take of the processor."""

SHARES = {"scripts": 0.5, "pictures": 0.2, "zips": 0.1, "folders": 0.1, "drafts": 0.1}
"""The kinds of cases, by their share of all."""

TEXTS = (
    'cast: Fox, a fox; Owl\nFox meets Owl # Hello\n[NC] waves by night\nFox: "Hi!"\n{red|blue} ball, __place__',
    "title: A day\nstyle: comic\ncast:\n  - {name: Fox, description: a fox, height: 0.4}\npanels:\n"
    "  - prompt: Fox runs\n    seed: 7\n    layout: {Fox: left}\n    dialogue: [{who: Fox, text: Hi}]\n"
    "  - Fox sleeps\n",
    json.dumps(
        {"cast": [{"name": "Fox", "description": "a fox"}], "panels": [{"prompt": "Fox", "seed": 1, "size": 512}]}
    ),
    "INT. HOUSE - NIGHT\n\nFOX\n(quietly)\nWho is there?\n\nOwl flies in.\n",
    'panel,prompt,caption\n1,Fox runs,Away\n2,"Owl, too",Home\n',
    "| shot | text |\n|---|---|\n| 1 | Fox runs |\n",
    "1. **Fox** runs home.\n2. *Owl* waits.\n- and then?\n```\nFox sleeps\n```",
)
"""Good scripts, one of each form."""

NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**30, 10**400, float("nan"), float("inf"), -float("inf"), "", "x", "\ud800", "\0",
    "../../etc/passwd", "[" * 500, "x" * 5000, "a\ud800", "\u202eevil\u202c", "a\0b", -(10**400), 2**63, -0.0,
    [], {}, [[]], [{}], {"a": {}}, ["x"] * 50,
    "subjects/../../x.png", 1e308, "1e999",
)  # fmt: skip
"""Values that nobody expects."""

PIECES = (
    "[", "]", "#", "::", "{", "}", "|", '"', ":", "\n", "\t", "\0", "\u202e", "&x", "*x", "!!python/object:os", "---\n",
    " " * 300, "[seed:", "(((", "__place__", "[Fox@left]", "\ud800", "é" * 50, "1e999", "- - - ", "%YAML 9\n", "<<: *a",
    "cast:", "1" * 401, f"[seed: {'9' * 401}]", f"[size: {'9' * 401}]", "{" * 300, "[" * 300, "{a|" * 60, "> " * 200,
    "\u2067", "\u200f", "\u202c", "\ud83d", "\udc00", "\0" * 40, "<b>" * 100, '{"a":' * 200, "height: 1e400",
)  # fmt: skip
"""Pieces that mean something in one form of script or another."""


@dataclass(frozen=True)
class Fault:
    """A case that failed: its kind, its number and what it did."""

    kind: str
    number: int
    what: str


def fuzz(count: int, seed: int, work: Path) -> Iterator[Fault | str]:
    """Try `count` cases of all kinds in the folder `work`; yields the faults, and the kind after each case."""
    good = _good(work / "good")
    lint("A fox runs home. Una casa.")  # what is loaded once is no case's
    makers: dict[str, Callable[[random.Random, Path], Callable[[], object]]] = {
        "scripts": _script,
        "pictures": lambda chance, where: _picture(chance, good[".png"]),
        "zips": lambda chance, where: _zip(chance, good[".zip"], where),
        "folders": lambda chance, where: _folder(chance, work / "good" / "story", where),
        "drafts": lambda chance, where: _draft(chance, work / "good" / "story", where),
    }
    for kind, share in SHARES.items():
        for number in range(max(1, round(count * share))):
            where = work / "case"
            shutil.rmtree(where, ignore_errors=True)
            where.mkdir(parents=True)
            case = makers[kind](random.Random(f"{seed} {kind} {number}"), where)
            since = time.process_time()
            try:
                case()
            except AnyStoryError as error:
                if "\n" in str(error):
                    yield Fault(kind, number, f"more than a sentence: {error}")
            except Exception:
                yield Fault(kind, number, traceback.format_exc(limit=-3))
            if (spent := time.process_time() - since) > SECONDS:
                yield Fault(kind, number, f"took {spent:.1f} s")
            yield kind


def _good(folder: Path) -> dict[str, list[bytes]]:
    """Good files of each kind; a story in `folder`/story."""
    made = story()
    rendered(folder / "story", made, trace=True)
    save_draft(folder / "story", draft_of(made))
    pack(folder / "story", folder / "story.zip")
    image, pictures = Image.radial_gradient("L").resize((120, 90)).convert("RGB"), []
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        buffer = io.BytesIO()
        image.save(buffer, kind)
        pictures.append(buffer.getvalue())
    return {".png": pictures, ".zip": [(folder / "story.zip").read_bytes()]}


def _mutated(chance: random.Random, data: bytes) -> bytes:
    """Bytes with some of them changed, left out, doubled or cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(changed) + 1)
        how = chance.randrange(5)
        if how == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif how == 1:
            del changed[at : at + chance.randint(1, 40)]
        elif how == 2:
            changed[at:at] = changed[at : at + chance.randint(1, 40)]
        elif how == 3:
            changed[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
        else:
            del changed[len(changed) // 4 + at // 2 :]
    return bytes(changed)


def _mutated_text(chance: random.Random, text: str) -> str:
    """Text with pieces put in, left out or repeated."""
    for _ in range(chance.randint(1, 8)):
        at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        how = chance.randrange(4)
        if how == 0:
            text = text[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 40)) + text[at:]
        elif how == 1:
            text = text[:at] + text[min(end, at + 20) :]
        elif how == 2:
            text = text[:at] + text[at:end] * chance.choice((2, 3, 20)) + text[end:]
        else:
            text = (
                text[:at] + chr(chance.choice((0x202E, 0xFEFF, 0x1F600, 0xD800, 0x0301, 0, 0x85, 0x2028))) + text[at:]
            )
        text = text[:100_000]
    return text


def _mutated_data(chance: random.Random, data: Any) -> Any:
    """JSON with some of its values replaced, left out or given other names."""
    data = json.loads(json.dumps(data))
    for _ in range(chance.randint(1, 3)):
        found = [*places(data)]
        if not found:
            return chance.choice(NASTY)
        inside, key = chance.choice(found)
        how = chance.randrange(6)
        if how < 4:
            inside[key] = deepcopy(chance.choice(NASTY))  # or one that was changed comes again
        elif how == 4:
            del inside[key]
        elif isinstance(inside, list):
            inside += inside
        else:
            inside[str(chance.choice(NASTY))[:20]] = inside.pop(key)
    return data


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Where values stand in JSON: what holds each, and its key or index."""
    for key, value in [
        *(data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ())
    ]:
        yield data, key
        yield from places(value)


def _script(chance: random.Random, where: Path) -> Callable[[], object]:
    text = chance.choice(TEXTS)
    if text.startswith("{") and chance.random() < 0.5:
        text = json.dumps(_mutated_data(chance, json.loads(text)))
    else:
        text = _mutated_text(chance, text)
    raw = text.encode("utf-8", "surrogatepass")
    source = _mutated(chance, raw) if chance.random() < 0.3 else raw
    file = where / f"script{chance.choice(('.txt', '.yaml', '.json', '.fountain', '.csv', '.md', '.fdx'))}"
    file.write_bytes(source)

    def read() -> None:
        lint(text)
        for each in (partial(read_script, text), partial(load_script, file)):
            _tried(each)

    return read


def _picture(chance: random.Random, good: list[bytes]) -> Callable[[], object]:
    data = _mutated(chance, chance.choice(good))
    return lambda: open_image(data)


def _zip(chance: random.Random, good: list[bytes], where: Path) -> Callable[[], object]:
    source = where / "story.zip"
    if chance.random() < 0.3:
        source.write_bytes(_mutated(chance, good[0]))
    else:
        with zipfile.ZipFile(io.BytesIO(good[0])) as old, zipfile.ZipFile(source, "w") as new:
            names = old.namelist()
            chosen = {"story.json", *chance.sample(names, 2)} if chance.random() < 0.7 else {chance.choice(names)}
            for name in names:
                data = old.read(name)
                if name in chosen:
                    data = _changed(chance, name, data)
                if name not in chosen or chance.random() < 0.95:
                    new.writestr(name, data)

    def use() -> None:
        unpack(source, where / "out")
        _used(where / "out")

    return use


def _changed(chance: random.Random, name: str, data: bytes) -> bytes:
    """A file of a story, broken: lists by their values, all else by its bytes."""
    if name.endswith(".json") and chance.random() < 0.8:
        return json.dumps(_mutated_data(chance, json.loads(data))).encode()
    return _mutated(chance, data)


def _used(folder: Path) -> None:
    """Whatever the program does with a folder that it finds."""
    for use in (_opened, load_draft, lambda folder: pack(folder, folder.parent / "again.zip")):
        _tried(partial(use, folder))


def _tried(use: Callable[[], object]) -> None:
    """Use something that may be refused, in a sentence."""
    try:
        use()
    except AnyStoryError as error:
        assert "\n" not in str(error), error


def _opened(folder: Path) -> None:
    project = Project(folder)
    project.story()
    project.frames()
    project.unreadable()


def _folder(chance: random.Random, good: Path, where: Path) -> Callable[[], object]:
    shutil.copytree(good, where / "story")
    names = ["story.json", *(str(path.relative_to(good)) for path in sorted(good.rglob("*.*")) if path.is_file())]
    for name in {"story.json", chance.choice(names)} if chance.random() < 0.7 else {chance.choice(names)}:
        path = where / "story" / name
        path.write_bytes(_changed(chance, name, path.read_bytes()))
    return lambda: _used(where / "story")


def _draft(chance: random.Random, good: Path, where: Path) -> Callable[[], object]:
    shutil.copytree(good / "draft", where / "draft")
    path = where / "draft.json"
    path.write_bytes(_changed(chance, "draft.json", (good / "draft.json").read_bytes()))

    def load() -> None:
        if draft := load_draft(where):
            save_draft(where, draft)
            assert load_draft(where) is not None

    return load
