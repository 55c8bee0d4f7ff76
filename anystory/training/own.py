"""Art of one's own: a folder of cut-outs or of pictures of characters from several sides, made an art pack.

A sub-folder is a character and its pictures are views of it; a picture beside them is a character with one view. What
has no transparency is cut out (`anystory.cast.segment`). A `name.txt` in a sub-folder says what the character is; else
the name of the folder or of the picture does, without its number.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from anystory.cast.filenames import SUFFIXES
from anystory.cast.images import ImageError, open_image
from anystory.cast.segment import NothingFoundError, Segmenter, SegmentError
from anystory.script.form import composed
from anystory.training.art import FAINTEST, fit

SIZE = 256
"""Side in pixels of a stored cut-out."""

UNREAD = {".jxl", ".svg", ".psd"}
"""Suffixes of pictures in formats that are not read: these are named and left out, not passed over as notes are."""

HELD_OUT = 10
"""With at least so many characters, one in so many is kept for testing."""


@dataclass(frozen=True)
class Gathered:
    """What became of a folder: characters, their views, those held out for testing, and a sentence for every picture
    and sub-folder that could not be used."""

    characters: int
    views: int
    held_out: int
    refused: tuple[str, ...]


def build_own(pictures: Path, out: Path, model: str = "u2net") -> Gathered:
    """Make an art pack in `out` of the characters in the folder `pictures`; `model` cuts out what has no transparency.
    Nothing is done where the pack is there and the pictures are those it was made of.

    Pictures that cannot be used are named in the result and left out. Raises ValueError for a folder without any that
    can, a `name.txt` that cannot be read, or an unknown model."""
    pictures, out = Path(pictures), Path(out)
    if not pictures.is_dir():
        raise ValueError(f"There is no folder {str(pictures)!r}; name one with pictures of characters.")
    segmenter, rows = Segmenter(model), []
    characters, refused = _characters(pictures)
    files = sorted({f for _, found in characters.values() for f in found} | set(pictures.glob("*/name.txt")))
    stats = [(str(f.relative_to(pictures)), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    stamp = hashlib.sha256(json.dumps([model, stats, refused]).encode()).hexdigest()
    told = out / "made.json"
    if told.is_file() and (saved := json.loads(told.read_text(encoding="utf-8")))["of"] == stamp:
        return Gathered(**saved["made"] | {"refused": tuple(saved["made"]["refused"])})
    told.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    held_out = {name for k, name in enumerate(sorted(characters)) if len(characters) >= HELD_OUT and k % HELD_OUT == 0}
    with tarfile.open(out / "poses.tar.part", "w") as poses, tarfile.open(out / "own.tar.part", "w") as singles:
        for concept, (text, files) in characters.items():
            views = []
            for file in files:
                try:
                    views.append(_cut(segmenter, file))
                except (ImageError, SegmentError) as error:
                    refused.append(f"{file.relative_to(pictures)}: {error}")
            if not views:
                continue
            several = len(views) > 1
            for number, view in enumerate(views):
                name = f"{concept}/{number}.webp" if several else f"{concept}.webp"
                _add(poses if several else singles, name, view)
            rows.append(
                {
                    "kind": "poses" if several else "subject",
                    "set": "own",
                    "file": f"{concept}/" if several else f"{concept}.webp",
                    "concept": concept,
                    "text": text,
                    "tags": "",
                    "group": "own",
                    "subgroup": "",
                    "split": "test" if concept in held_out else "train",
                    "licence": "own",
                    "sha256": hashlib.sha256(b"".join(views)).hexdigest(),  # other pictures are other rows
                }
                | ({"frames": len(views)} if several else {})
            )
    if not any(row["split"] == "train" for row in rows):
        for name in ("poses.tar.part", "own.tar.part"):
            (out / name).unlink()
        why = f" ({refused[0]})" if refused else ""
        raise ValueError(f"{pictures} holds no picture of a character that can be used{why}.")
    for name in ("poses.tar", "own.tar"):
        os.replace(out / f"{name}.part", out / name)
    (out / "index.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    views = sum(int(row.get("frames", 1)) for row in rows)
    made = Gathered(len(rows), views, sum(row["split"] == "test" for row in rows), tuple(refused))
    told.write_text(json.dumps({"of": stamp, "made": asdict(made)}, ensure_ascii=False), encoding="utf-8")
    return made


def _characters(folder: Path) -> tuple[dict[str, tuple[str, list[Path]]], list[str]]:
    """What each character is called, and its pictures, by a name without spaces; and a sentence for every sub-folder
    that is none."""
    found: dict[str, tuple[str, list[Path]]] = {}
    refused = []
    for path in _visible(folder):
        is_folder = path.is_dir()
        inside = _visible(path) if is_folder else [path]
        files = [f for f in inside if f.suffix.lower() in {*SUFFIXES, *UNREAD} and f.is_file()]
        nested = [f.relative_to(folder) for f in inside if f.is_dir()]
        refused += [f"{f}: Folders in a character's folder are not read; put the pictures one up." for f in nested]
        if is_folder and not files and not nested:
            refused.append(f"{path.name}: There is no picture in this folder; put some in or remove it.")
        if not files:
            continue
        name = composed(path.name if is_folder else path.stem)
        concept = re.sub(r"[^\w]+", "-", name).strip("-") or "character"
        while concept in found:  # a folder and a picture of one name
            concept += "-too"
        found[concept] = _told(path) or _words(name), files
    return found, refused


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _told(folder: Path) -> str:
    """What the `name.txt` in a character's folder says, "" without one."""
    file = folder / "name.txt"
    if not file.is_file():
        return ""
    try:
        return " ".join(file.read_text(encoding="utf-8-sig").split())
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8 text; save it as UTF-8.") from error


def _words(name: str) -> str:
    """A file's or folder's name as words: "red_fox-02" → "red fox"."""
    return re.sub(r"[\s\d]+$", "", re.sub(r"[\s_\-.]+", " ", name)).strip().lower() or "character"


def _cut(segmenter: Segmenter, file: Path) -> bytes:
    """A picture as a cut-out on nothing, cropped to it: WebP. Raises ImageError or SegmentError for one that cannot be
    used."""
    image = open_image(file)
    mask = segmenter.cut(image)
    box = mask.point(lambda a: 255 if a > 16 else 0).getbbox()
    cutout = image.convert("RGB").crop(box)
    cutout.putalpha(mask.crop(box))
    cutout.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS)
    if fit(cutout, SIZE) is None:
        raise NothingFoundError(
            f"{file.name} covers less than {FAINTEST:.0%} of the square around it", "draw it thicker or fill it in"
        )
    buffer = io.BytesIO()
    cutout.save(buffer, "WEBP", quality=92, alpha_quality=100, method=4)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
