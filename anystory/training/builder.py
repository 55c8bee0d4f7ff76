"""Makes the art pack: cut-outs of drawings with their names, characters in several poses, pictures of places.

Emoji of eight sets come as single drawings, animated emoji and comic characters as poses. A set is one `tar` of WebP
pictures, all posed ones share `poses.tar`; `index.jsonl` has a line an entry and says of each to which split it
belongs: `split`, which goes by the concept alone.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import random
import re
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import resvg_py
from PIL import Image

from anystory.training.packages import Package, fetch, read

SIZE, POSE_SIZE = 192, 160
"""Sides in pixels of a single drawing and of a pose."""

ANIMATION_POSES, COMIC_POSES = 6, 8
"""At most so many poses of an animated emoji, of a comic character."""

TEST_SHARE = 14
"""One concept in so many is for testing."""

Job = tuple[dict, str, list]
"""A row of the index to be, how its pictures are made (a key of `_MAKERS`), and of what."""


def split(concept: str) -> str:
    """ "train" or "test", by a stable hash. Siblings share a split: a man, a woman and a person doing one thing; a
    cat and its face; what differs only behind "--" (one head in several outfits)."""
    stem = concept.partition("--")[0]
    stem = re.sub(r"-face$", "", re.sub(r"^(man|woman|person|men|women|people)-", "", stem))
    return "test" if int(hashlib.sha1(stem.encode()).hexdigest(), 16) % TEST_SHARE == 0 else "train"


def slug(text: str) -> str:
    """ "Mrs. Claus" → "mrs-claus"."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("’", "").replace("'", "")).strip("-")


def build(out: Path, downloads: Path | None = None, workers: int | None = None) -> dict[str, int]:
    """Fetch the packages into `downloads` (`out`/packages), draw every set, write the pack to `out`.

    Returns the number of entries a set. Finished sets are kept in `out`/parts until the pack is whole, so the same
    call goes on where it stopped. Raises OSError or ValueError with a sentence for what cannot be fetched."""
    out = Path(out)
    downloads = Path(downloads) if downloads is not None else out / "packages"
    parts = out / "parts"
    index = out / "index.jsonl"
    key = _recipe()
    if (out / "recipe").is_file() and (out / "recipe").read_text() == key and index.is_file():
        return _count(index)
    if not (parts / key).is_file():  # parts of another recipe are of no use
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        (parts / key).touch()
    for package in dict.fromkeys(p for _, packages, _ in SOURCES for p in packages):
        print(f"art: {package.name}@{package.version}", flush=True)
        fetch(package, downloads)
    for name, packages, jobs in SOURCES:
        if (parts / f"{name}.jsonl").is_file():
            continue
        rows = _draw(jobs(*(downloads / p.file for p in packages)), parts / f"{name}.tar", workers)
        part = parts / f"{name}.part"
        part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        part.replace(parts / f"{name}.jsonl")
        print(f"art: {name}: {len(rows)} entries", flush=True)
    _assemble(parts, out)
    (out / "recipe").write_text(key)
    shutil.rmtree(parts)
    return _count(index)


def _recipe() -> str:
    """Changes with this file, which names the packages: what was made otherwise is made again."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def _count(index: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in index.read_text(encoding="utf-8").splitlines():
        name = json.loads(line)["set"]
        counts[name] = counts.get(name, 0) + 1
    return counts


def _draw(jobs: Iterable[Job], path: Path, workers: int | None) -> list[dict]:
    """Draw the jobs into the tar `path`; the rows of those that show something."""
    rows: list[dict] = []
    with (
        get_context("spawn").Pool(workers or os.cpu_count() or 1) as pool,
        tarfile.open(path, "w") as tar,
    ):
        seen = set()
        for row, pictures in pool.imap(_made, jobs, 8):
            kept = {i: data for i, data in enumerate(pictures or ()) if data is not None}
            if not kept or row["file"] in seen:
                continue
            seen.add(row["file"])
            if row["kind"] == "poses":
                if len(kept) < 3:
                    continue
                row["frames"] = len(kept)
                row |= {key: [row[key][i] for i in kept] for key in ("actions", "facing") if key in row}
            for number, data in enumerate(kept.values()):
                _add(tar, f"{row['file']}{number}.webp" if row["kind"] == "poses" else row["file"], data)
            rows.append(row)
    return rows


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _assemble(parts: Path, out: Path) -> None:
    """The parts as the pack: posed sets go into one tar; the index last, for with it the pack is whole."""
    rows = []
    with tarfile.open(out / "poses.tar.part", "w") as poses:
        for name, _, _ in SOURCES:
            part = [json.loads(line) for line in (parts / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
            rows += part
            if part[0]["kind"] == "poses":
                with tarfile.open(parts / f"{name}.tar") as tar:
                    for member in tar:
                        poses.addfile(member, tar.extractfile(member))
            elif (parts / f"{name}.tar").is_file():  # else a run that was stopped here moved it
                os.replace(parts / f"{name}.tar", out / f"{name}.tar")
    os.replace(out / "poses.tar.part", out / "poses.tar")
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (out / "index.part").write_text(text, encoding="utf-8")
    os.replace(out / "index.part", out / "index.jsonl")


# Pictures.


def _made(job: Job) -> tuple[dict, list[bytes | None] | None]:
    row, how, what = job
    return row, _MAKERS[how](what)


def _svgs(sources: list[str], size: int) -> list[bytes | None]:
    return [_webp(_fit(_render(source, 2 * size), size)) for source in sources]


def _file(sources: list[bytes]) -> list[bytes | None]:
    with Image.open(io.BytesIO(sources[0])) as image:
        return [_webp(_fit(image, SIZE))]


def _render(svg: str, width: int) -> Image.Image:
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True))))


def _fit(image: Image.Image, size: int) -> Image.Image | None:
    """Crop to what is visible, pad to a square with a 4 % margin; None when nearly empty."""
    image = image.convert("RGBA")
    box = image.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox()
    if not box:
        return None
    image = image.crop(box)
    side = int(max(image.size) * 1.08) + 1
    square = Image.new("RGBA", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    square = square.resize((size, size), Image.Resampling.LANCZOS)
    return square if (np.asarray(square.getchannel("A")) > 100).mean() >= 0.03 else None


def _webp(image: Image.Image | None) -> bytes | None:
    if image is None:
        return None
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=86, alpha_quality=95, method=4)
    return buffer.getvalue()


def _animation(sources: list[bytes]) -> list[bytes | None] | None:
    """The frames of an animation that differ most; None for one that hardly moves."""
    with Image.open(io.BytesIO(sources[0])) as image:
        count = getattr(image, "n_frames", 1)
        if count < 10:
            return None
        frames = []
        for k in range(0, count, max(1, count // 24)):
            image.seek(k)
            frames.append(image.convert("RGBA"))
    small = [np.asarray(frame.resize((48, 48))).astype(float) for frame in frames]
    shapes = [pixels[..., 3] > 100 for pixels in small]
    if min(shape.mean() for shape in shapes) < 0.03:
        return None

    def distance(i: int, j: int) -> float:
        overlap = (shapes[i] & shapes[j]).sum() / max(1, (shapes[i] | shapes[j]).sum())
        return 1 - overlap + np.abs(small[i] - small[j]).mean() / 255

    chosen = [0]
    while len(chosen) < min(ANIMATION_POSES, len(frames)):
        others = [i for i in range(len(frames)) if i not in chosen]
        chosen.append(max(others, key=lambda i: min(distance(i, j) for j in chosen)))
    if max(distance(0, j) for j in chosen) < 0.08:
        return None
    return [_webp(_fit(frames[i], POSE_SIZE)) for i in sorted(chosen)]


_MAKERS: dict[str, Callable[[list], list[bytes | None] | None]] = {
    "svg": functools.partial(_svgs, size=SIZE),
    "poses": functools.partial(_svgs, size=POSE_SIZE),
    "file": _file,
    "animation": _animation,
}


# Emoji. Only the names and tags of OpenMoji are used: its drawings are CC-BY-SA.

_GROUPS = {
    "animals-nature",
    "food-drink",
    "activities",
    "objects",
    "travel-places",
    "people-body",
    "smileys-emotion",
}
_SKIP = re.compile(
    r"clock|thirty|-hand|hand-|^hand|finger|moon-phase|quarter|index|fist|thumbs|palm|button|keycap"
    r"|skin-tone|skin-toned|^flag|-(light|medium-light|medium|medium-dark|dark)(-|$)"
)
_SCENES = re.compile(
    r"^(sunrise|sunrise-over-mountains|sunset|cityscape|cityscape-at-dusk|night-with-stars|bridge-at-night|"
    r"foggy|milky-way|desert|beach-with-umbrella|desert-island|national-park|snow-capped-mountain|camping|"
    r"mount-fuji|volcano|stadium|fireworks|sparkler)$"
)


@dataclass(frozen=True)
class _Emoji:
    """What OpenMoji says of every emoji, by the slug of its name and by its code points."""

    by_name: dict[str, dict]
    by_code: dict[str, dict]

    @classmethod
    def load(cls, names: Path) -> _Emoji:
        (data,) = read(names, lambda name: name == "data/openmoji.json").values()
        entries = json.loads(data)
        return cls({slug(e["annotation"]): e for e in entries}, {e["hexcode"].lower(): e for e in entries})

    def of_file(self, name: str) -> dict | None:
        """The emoji of a file named by its code points, unless that is one of many skin tones."""
        code = Path(name).stem.lower()
        found = self.by_code.get(code) or self.by_code.get(code.replace("-fe0f", ""))
        return None if found is None or found.get("skintone") else found


def _row(kind: str, name: str, concept: str, emoji: dict, licence: str) -> dict | None:
    """An index row, or None for what is no drawing of something."""
    if emoji["group"] not in _GROUPS or _SKIP.search(concept):
        return None
    return {
        "kind": "scene" if kind == "subject" and _SCENES.match(concept) else kind,
        "set": name,
        "file": f"{concept}/" if kind == "poses" else f"{concept}.webp",
        "concept": concept,
        "text": emoji["annotation"],
        "tags": emoji.get("tags", ""),
        "group": emoji["group"],
        "subgroup": emoji.get("subgroups", ""),
        "split": split(concept),
        "licence": licence,
    }


def _icons(names: Path, icons: Path, *, name: str, licence: str) -> Iterator[Job]:
    """A set in Iconify's format: one JSON with all drawings."""
    emoji = _Emoji.load(names)
    (data,) = read(icons, lambda file: file == "icons.json").values()
    collection = json.loads(data)
    for key, icon in sorted(collection["icons"].items()):
        found = emoji.by_name.get(key)
        row = found and _row("subject", name, key, found, licence)
        if not row:
            continue
        left, top, width, height = (
            icon.get(k, collection.get(k, default))
            for k, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
        )
        yield row, "svg", [_svg(icon["body"], (left, top, width, height))]


def _files(names: Path, pictures: Path, *, name: str, licence: str) -> Iterator[Job]:
    """A set of one picture an emoji."""
    emoji = _Emoji.load(names)
    for file, data in read(pictures, lambda file: file.startswith("assets/")).items():
        found = emoji.of_file(file)
        row = found and _row("subject", name, slug(found["annotation"]), found, licence)
        if row:
            yield row, "file", [data]


def _animations(names: Path, *tarballs: Path, name: str, licence: str) -> Iterator[Job]:
    emoji = _Emoji.load(names)
    for tarball in tarballs:
        for file, data in read(tarball, lambda f: f.startswith("assets/") and f.endswith("webp")).items():
            found = emoji.of_file(file)
            row = found and _row("poses", name, slug(found["annotation"]), found, licence)
            if row:
                yield row, "animation", [data]


def _svg(body: str, box: tuple[float, float, float, float]) -> str:
    left, top, width, height = box
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{width}" height="{height}">{body}</svg>'
    )


# Comic characters, put together of heads, bodies and legs.

_CHARACTERS = {
    "deenuova": ("woman with glasses", "comic-dee--coloured"),
    "dee": ("woman with glasses", "comic-dee--inked"),
    "deynuovo": ("man with a beard", "comic-dey--coloured"),
    "dey": ("man with a beard", "comic-dey--inked"),
    "priyanuova": ("woman with long hair", "comic-priya--coloured"),
    "priya": ("woman with long hair", "comic-priya--inked"),
    "ringonuovo": ("man with short hair", "comic-ringo--coloured"),
    "ringo": ("man with short hair", "comic-ringo--inked"),
    "ethan": ("man with a goatee", "comic-ethan"),
    "bill": ("man in a suit", "comic-bill"),
    "sophie": ("old woman", "comic-sophie"),
    "bean": ("coffee cup with a face", "comic-bean"),
}
_FACE_ON_TOP = {"bean", "bill", "sophie"}

_AAVATARS = {
    "female/bindi": "woman with a bindi",
    "female/blondecurly": "woman with curly hair",
    "female/blondeshort": "woman with short hair",
    "female/densehair": "woman with thick hair",
    "female/densehairwithband": "woman with a hair band",
    "female/hairband": "woman with a hair band",
    "female/highbun": "woman with a bun",
    "female/messyponytail": "woman with a ponytail",
    "female/oldladywithglasses": "old woman with glasses",
    "female/shorthair": "woman with short hair",
    "female/wavy": "woman with wavy hair",
    "male/brettbeard": "man with a beard",
    "male/egyptiangoatee": "man with a goatee",
    "male/englishmoustache": "man with a moustache",
    "male/fullgoatee": "man with a goatee",
    "male/oldman": "old man",
    "male/oldmanwithglasses": "old man with glasses",
    "male/paintersmoustache": "man with a moustache",
    "male/smallgoatee": "man with a goatee",
    "male/spikes": "man with spiky hair",
    "unisex/bald": "bald person",
    "unisex/densedreads": "person with dreadlocks",
    "unisex/mediumdreads": "person with dreadlocks",
    "unisex/mediumhair": "person with dark hair",
    "unisex/mediumhairwithglasses": "person with glasses",
    "unisex/topknotbun": "person with a topknot",
    "unisex/turban": "person with a turban",
}
_ATTIRES = {
    "bodycon": "dress",
    "casualfullsleevetee": "T-shirt",
    "casualtee": "T-shirt",
    "formal": "jumper",
    "formalsuit": "suit",
    "fullsleeveshirt": "shirt",
    "saree": "saree",
    "tuckedinshirt": "shirt",
    "uniform": "shirt",
}
_DRESSES = {"bodycon", "saree"}
_ATTIRES_A_HEAD = 5

_HUMAAANS = {
    "afro": "person with an afro",
    "airy": "woman with flowing hair",
    "caesar": "man with short hair",
    "chongo": "woman with a bun",
    "curly": "person with curly hair",
    "hijab-1": "woman in a hijab",
    "hijab2": "woman in a hijab",
    "long": "woman with long hair",
    "no-hair": "bald person",
    "pony": "woman with a ponytail",
    "rad": "person with curly hair",
    "short-1": "man with short hair",
    "short-2": "man with short hair",
    "short-beard": "man with a beard",
    "top": "woman with a bun",
    "turban-1": "person with a turban",
    "turban2": "person with a turban",
    "wavy": "woman with wavy hair",
}
_OUTFITS = {  # body: its main colours, lit and shaded
    "hoodie": ("#FF9B21", "#E87613"),
    "jacket-2": ("#FF4133", "#DB2721"),
    "jacket": ("#2F3676", "#191847"),
    "long-sleeve": ("#C5CFD6", "#AFB9C5"),
    "pointing-forward": ("#2026A2", "#1F28CF"),
    "pointing-up": ("#2026A2", "#1F28CF"),
    "trench-coat": ("#89C5CC", "#69A1AC"),
    "turtle-neck": ("#FF4133", "#DB2721"),
}
_OUTFITS_A_HEAD = 8
_LEGS = (  # file, what it does, the trousers' colours
    ("standing/sweatpants", "stands", ("#89C5CC", "#69A1AC")),
    ("standing/skinny-jeans-walk", "walks", ("#2B44FF", "#1F28CF")),
    ("standing/baggy-pants", "walks", ("#89C5CC", "#69A1AC")),
    ("standing/jogging", "runs", ("#FF4133", "#DB2721")),
    ("standing/sprint", "runs", ("#5C63AB", "#2F3676")),
    ("sitting/baggy-pants", "sits", ("#5C63AB", "#2F3676")),
    ("sitting/sweat-pants", "sits", ("#2B44FF", "#1F28CF")),
    ("sitting/wheelchair", "sits in a wheelchair", ("#2B44FF", "#1F28CF")),
)
_HAIR, _SKIN, _SKIN_SHADE = "#191847", "#B28B67", "#997659"
_SKINS = (("#F2C9A5", "#DBAF8B"), ("#D9A37A", "#BE8960"), ("#B28B67", "#997659"), ("#7A4E33", "#633E27"))
_HAIRS = ("#191847", "#2B1B12", "#6B3E1E", "#B5651D", "#D9A441", "#8C8C94", "#A33B2A")
_CLOTHES = (
    ("#FF9B21", "#E87613"),
    ("#FF4133", "#DB2721"),
    ("#4C7BE8", "#365FC2"),
    ("#3FA66B", "#2F8454"),
    ("#8E5BC8", "#7145A3"),
    ("#F2C230", "#D6A41C"),
    ("#E86FA6", "#CB5389"),
    ("#3A3F55", "#282C3F"),
    ("#C5CFD6", "#AFB9C5"),
    ("#2BA8B5", "#1F8792"),
)

_DOES = (
    (r"sittingatdesk", "sits at a desk"),
    (r"sittingonbeanbag", "sits on a bean bag"),
    (r"sittingon(the)?floor", "sits cross-legged"),
    (r"ridingbicycle", "rides a bicycle"),
    (r"ridingbike", "rides a motorbike"),
    (r"ridingcar", "drives a car"),
    (r"holdingbook", "holds a book"),
    (r"holdingcoffee", "holds a cup"),
    (r"holdinglaptop", "holds a laptop"),
    (r"holdingmobile", "holds a phone"),
    (r"holdingumbrella", "holds an umbrella"),
    (r"holdingbag", "carries a bag"),
    (r"holdingstick", "holds a stick"),
    (r"readingpaper", "reads a newspaper"),
    (r"pointingup", "points up"),
    (r"thumbsup", "gives a thumbs up"),
    (r"shrug", "shrugs"),
    (r"yuhoo", "cheers"),
    (r"dance", "dances"),
    (r"^run$", "runs"),
    (r"^walk$", "walks"),
    (r"^hi$", "waves"),
    (r"hands|normal|think", "stands"),
)


def _does(pose: str) -> str:
    """What a pose shows, in words; "" where none is sure."""
    return next((words for pattern, words in _DOES if re.search(pattern, pose)), "")


class _Comic:
    """The SVG files of comicgen, and characters put together of them."""

    def __init__(self, tarball: Path) -> None:
        wanted = re.compile(rf"^svg/(aavatar|humaaans|{'|'.join(_CHARACTERS)})/.*\.svg$")
        self.files = {k[4:-4]: v.decode() for k, v in read(tarball, lambda f: bool(wanted.match(f))).items()}

    def within(self, folder: str) -> list[str]:
        return [name for name in self.files if name.startswith(f"{folder}/")]

    def part(self, name: str, x: float = 0, y: float = 0, colours: dict[str, str] | None = None) -> str:
        """A file as a piece of a larger SVG at (x, y), its fills recoloured."""
        whole = re.search(r"<svg([^>]*)>(.*)</svg>", self.files[name], re.DOTALL)
        if whole is None:
            raise ValueError(f"{name} holds no SVG element.")
        attributes, inner = whole.groups()
        if colours:
            pattern = "|".join(map(re.escape, colours))
            inner = re.sub(pattern, lambda m: colours[m[0].upper()], inner, flags=re.IGNORECASE)
        box = re.search(r'viewBox="([^"]+)"', attributes)
        sized = ""
        if box:
            _, _, width, height = box[1].split()
            sized = f" viewBox={quoteattr(box[1])} width={quoteattr(width)} height={quoteattr(height)}"
        return f'<svg x="{x}" y="{y}"{sized} overflow="visible">{inner}</svg>'

    def box(self, name: str) -> tuple[float, float, float, float]:
        box = re.search(r'viewBox="([^"]+)"', self.files[name])
        if box is None:
            raise ValueError(f"{name} has no viewBox.")
        left, top, width, height = map(float, box[1].split())
        return left, top, width, height


def _posed(concept: str, text: str, name: str, licence: str, tags: str, poses: list[tuple[str, str]]) -> dict:
    """The row of a comic character; `poses`: what each frame does, and which way it faces."""
    return {
        "kind": "poses",
        "set": name,
        "file": f"{concept}/",
        "concept": concept,
        "text": text,
        "tags": tags,
        "group": "people-body" if "face" not in text else "food-drink",
        "subgroup": "comic",
        "split": split(concept),
        "licence": licence,
        "actions": [does for does, _ in poses],
        "facing": [facing for _, facing in poses],
    }


def _spread(names: list[str], count: int, rng: random.Random) -> list[str]:
    """At most `count` of the names, as many kinds of action as can be."""
    shuffled = rng.sample(names, len(names))
    seen: dict[str, int] = {}
    order = []
    for name in shuffled:
        kind = _does(name.split("/")[-1])
        seen[kind] = seen.get(kind, 0) + 1
        order.append((seen[kind], name))
    return sorted(name for _, name in sorted(order, key=lambda pair: pair[0])[:count])


def _characters(tarball: Path) -> Iterator[Job]:
    comic = _Comic(tarball)
    for name, (text, concept) in _CHARACTERS.items():
        rng = random.Random(concept.partition("--")[0])  # coloured and inked take the same poses
        poses = [n for n in comic.within(name) if "/pose/" in n and "/back/" not in n]
        poses = [n for n in poses if not re.search(r"board|super", n)]
        layers, does = [], []
        for pose in _spread(poses, COMIC_POSES, rng):
            face = rng.choice(comic.within(f"{pose.partition('/pose/')[0]}/emotion"))
            order = [pose, face] if name in _FACE_ON_TOP else [face, pose]
            layers.append(_svg("".join(comic.part(n) for n in order), comic.box(pose)))
            sideways = "left" if "leftturn" in pose else "right" if "/side/" in pose else ""
            does.append((_does(pose.split("/")[-1]), sideways))
        yield _posed(concept, text, "comic", "CC0-1.0", "comic, person", does), "poses", layers


def _aavatars(tarball: Path) -> Iterator[Job]:
    comic = _Comic(tarball)
    for head, text in _AAVATARS.items():
        rng = random.Random(head)
        stem = f"aavatar-{head.split('/')[1]}"
        allowed = [a for a in _ATTIRES if a not in _DRESSES or head.startswith("female")]
        for attire in sorted(rng.sample(allowed, _ATTIRES_A_HEAD)):
            poses = [n for n in comic.within(f"aavatar/pose/{attire}") if not re.search(r"board|super", n)]
            layers, does = [], []
            for pose in _spread(poses, COMIC_POSES, rng):
                face = rng.choice(comic.within("aavatar/expression/strokes"))
                parts = [f"aavatar/gender/{head}", face, pose]
                layers.append(_svg("".join(comic.part(n) for n in parts), (0, 0, 500, 600)))
                does.append((_does(pose.split("/")[-1]), ""))
            tags = f"comic, person, {_ATTIRES[attire]}"
            yield _posed(f"{stem}--{attire}", text, "aavatar", "CC0-1.0", tags, does), "poses", layers


def _humaaans(tarball: Path) -> Iterator[Job]:
    comic = _Comic(tarball)
    for head, text in _HUMAAANS.items():
        rng = random.Random(f"humaaans-{head}")
        for body in sorted(rng.sample(sorted(_OUTFITS), _OUTFITS_A_HEAD)):
            skin = dict(zip((_SKIN, _SKIN_SHADE), rng.choice(_SKINS), strict=True))
            top, trousers = rng.sample(_CLOTHES, 2)
            layers = []
            hair = {**skin, _HAIR: rng.choice(_HAIRS)}
            shirt = {**skin, **dict(zip(_OUTFITS[body], top, strict=True))}
            for legs, _, worn in _LEGS:
                lower = {**skin, **dict(zip(worn, trousers, strict=True))}
                parts = [
                    comic.part(f"humaaans/head/front/{head}", 63, 0, hair),
                    comic.part(f"humaaans/bottom/{legs}", -15, 199, lower),
                    comic.part(f"humaaans/body/{body}", 0, 85, shirt),
                ]
                layers.append(_svg("".join(parts), (-70, -20, 440, 480)))
            tags = f"person, {body.replace('-', ' ').removesuffix(' 2')}"
            does = [(action, "right") for _, action, _ in _LEGS]
            yield _posed(f"humaaans-{head}--{body}", text, "humaaans", "CC-BY-4.0", tags, does), "poses", layers


# The sources, in the index's order.

_NAMES = Package(
    "openmoji", "17.0.0", "EBnYrNGdcdw+OSXmENeNE1yBNRu6tOraTmoOyUbJkTmvT/+XETp8RZLSJFzD3lrPc5N9CzsyPnRTk0Vp4UaI9w=="
)
_COMICGEN = Package(
    "comicgen", "1.9.9", "F5WKCwR9OhwiYejBio1RXcs6oVTsnkW3hzuuIdXIfhLJonktYcpbJt5xKZTWtr2JJ2hqck+VAd4jrYZ9WSDG3A=="
)
_ICON_SETS = {  # set: package of @iconify-json, version, sha512, licence
    "noto": (
        "noto",
        "1.2.9",
        "DQiuXENbun41ch+XPSV55H9FaWKpHTyz46YIKtSaKYD4fIDDzL1tR6H4np/T38jfrTAeI3rcKF0mqHYeZVAuaw==",
        "Apache-2.0",
    ),
    "noto-v1": (
        "noto-v1",
        "1.2.5",
        "/DsVMius69Q0fRS53z7QK1TROSuar606jiIx+laXtdsYGMXpf6LtHBx6CGfoo3UHHb/XpBsw+1L1x3eyPqMuVA==",
        "Apache-2.0",
    ),
    "twemoji": (
        "twemoji",
        "1.2.5",
        "uKpuIEV0v6K5BW3Mjdyl+XKFVAbbcPxAgifKvEMtZoUZB5+YiY5zaMm2uNNCxyXzAWU9yNLlj41WU6/mvgALsw==",
        "CC-BY-4.0",
    ),
    "emojione": (
        "emojione",
        "1.2.3",
        "T9+T3HIbJNLKKsmxYKlaYhvnHYkz/HNYTV7SHCXVZPfeUi4FqskY70YeN8yYAZT8cCv7w5vJxS4Q1m8zb9CMMg==",
        "CC-BY-4.0",
    ),
    "fxemoji": (
        "fxemoji",
        "1.2.2",
        "UAasRaxzFUKfIGSmLwnoarsssA4LX0VLLuEmplIqM6ZNQqIQRtav8tZ4H1neTlBreXuMQyAifr5jP4kn78DpiQ==",
        "Apache-2.0",
    ),
    "fluent": (
        "fluent-emoji",
        "1.2.7",
        "D8G6bKAyIsyxP1rzZtIWr/gg/fO4Rg1+DyCWlfqKK4h8W+4Em/Y0P6QYgJUQTlUcagzJvSyg+9OBv4hz4Hc/QA==",
        "MIT",
    ),
    "fluent-flat": (
        "fluent-emoji-flat",
        "1.2.6",
        "RY47RgPb47fYUiyrA64sIOL0+UU02s29sXpNBbIQRBUlPlfNFTKUmZDERGuxDs/7yNGWqQYvuaSYM1M4fRXlUw==",
        "MIT",
    ),
}
_FLUENT_3D = Package(
    "@lobehub/fluent-emoji-3d",
    "1.1.0",
    "Wlq2lVStTnr8BDpIJ0pEnTKO4LuDxxqTEhTvRtD1DLRF0me7ogeRQjKoehDHXuVJ2Qaecgl5wRBv60lUAG3h7g==",
)
_ANIMATIONS = tuple(
    Package(f"@lobehub/fluent-emoji-anim-{number}", "1.0.0", sha512)
    for number, sha512 in enumerate(
        (
            "/4m31vAuZEQ4aUJ5pxcOU5PVkuJya55GRxUZL7+zgLlxZXpzzE8jPqpDyhZICE3n47nS/Y9M5/vLdizi8201QA==",
            "S6yzf0RZXrQbXdxCWuHA9BAoLdBRk2flX+ne4TPGEH/qApwisCAKHoAAGjKSlTY3OVeZ9b7t/NEbmpjawnQYJA==",
            "UzRSUDMjdfdt9vER5bhjHkPqgc3EEgfGtYs6ndvizOTvQOxYQ57ow2RTkWSDZxwW30X4EYBi2eWTS7CXDDoFsg==",
            "IIkl5ztSd1HrzvIDt/uGsFoC1WODXRdYq5uROrnkyqi9DbToEcJ1nlY86PnoUXeFS9nBCnHfiYk3ouSEGThFmA==",
        ),
        start=1,
    )
)

SOURCES: tuple[tuple[str, tuple[Package, ...], Callable[..., Iterator[Job]]], ...] = (
    *(
        (
            name,
            (_NAMES, Package(f"@iconify-json/{package}", version, sha512)),
            functools.partial(_icons, name=name, licence=licence),
        )
        for name, (package, version, sha512, licence) in _ICON_SETS.items()
    ),
    ("fluent-3d", (_NAMES, _FLUENT_3D), functools.partial(_files, name="fluent-3d", licence="MIT")),
    ("fluent-anim", (_NAMES, *_ANIMATIONS), functools.partial(_animations, name="fluent-anim", licence="MIT")),
    ("comic", (_COMICGEN,), _characters),
    ("aavatar", (_COMICGEN,), _aavatars),
    ("humaaans", (_COMICGEN,), _humaaans),
)
"""Name, packages, and what makes its jobs of their tarballs, a set."""
