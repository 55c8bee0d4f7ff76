"""A film of a story (an animatic): every frame for its time, under a gentle move of the camera, its balloons appearing
one after the other, cross-faded into the next. A sketch moves in depth, layer by layer; a model's frame as one picture.
"""

from __future__ import annotations

import glob
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops
from scipy import ndimage

from anystory.backends.base import STORYBOOK
from anystory.errors import AnyStoryError, Message
from anystory.pages.balloons import Lettering, into, proper_size
from anystory.pages.layers import words_layer
from anystory.pages.timing import beats, seconds_of, srt, timeline, vtt
from anystory.project.folder import (
    ABANDONED,
    Project,
    left_out,
    make_folder,
    settle,
    settle_folder,
    write_atomic,
)
from anystory.render.again import Again
from anystory.render.layers import LayerError, frame_layers
from anystory.sketch.layers import ADD, MULTIPLY, SketchLayer
from anystory.story.model import Frame, Panel, Script
from anystory.story.size import Size

Affine = tuple[float, float, float, float, float, float]

VIDEO, PICTURES, SUBTITLES = (".mp4",), (".webp", ".gif"), (".srt", ".vtt")
FORMS = (*VIDEO, *PICTURES, *SUBTITLES)
"""Endings of the names of films, and of their words alone."""

SIDES = (64, 2160)
RATES = (1, 60)
GIF_RATE = 50
"""Pictures a second of a .gif at most, which counts hundredths: programs take a single one for a mistake."""
FADES = (0.0, 5.0)

HEIGHT = {".mp4": 720, ".webp": 480, ".gif": 360}
"""Pixels of the shorter side of a film of which nothing is said, and what follows from the kind of file."""
RATE = {".mp4": 24, ".webp": 12, ".gif": 10}

NEAR, FAR = 0.10, 0.035
"""How much larger what is nearest, and the place behind everybody, is at one end of a move than in its frame."""
APPEAR = 0.3
"""Seconds in which words appear."""
MATTE = (24, 24, 28)
"""What is beside a frame of another shape than the film's."""


class FilmError(AnyStoryError, ValueError):
    """A film cannot be made as asked. The message is one sentence for the user."""


@dataclass(frozen=True)
class FilmForm:
    """How a film is made: its `size` (None = that of most frames, at the height its kind of file usually has), pictures
    a second (0 = as its kind of file usually has), the seconds of a cross-fade, whether the camera moves, and the
    lettering. Raises FilmError for what there is not."""

    size: Size | None = None
    rate: int = 0
    fade: float = 0.5
    moves: bool = True
    lettering: Lettering = field(default_factory=Lettering)

    def __post_init__(self) -> None:
        for side in self.size or ():
            if not SIDES[0] <= side <= SIDES[1]:
                raise FilmError(
                    Message(
                        "A film of {size} is not from {low} to {high} a side.",
                        size=self.size,
                        low=SIDES[0],
                        high=SIDES[1],
                    )
                )
        if self.rate and not RATES[0] <= self.rate <= RATES[1]:
            raise FilmError(
                Message(
                    "{rate} pictures a second are not from {low} to {high}.",
                    rate=self.rate,
                    low=RATES[0],
                    high=RATES[1],
                )
            )
        if not FADES[0] <= self.fade <= FADES[1]:
            raise FilmError(
                Message(
                    "A cross-fade of {fade} s is not from {low} to {high} s.",
                    fade=self.fade,
                    low=FADES[0],
                    high=FADES[1],
                )
            )


class Film:
    """The film of a story in a folder, whose panels without a frame are left out; `notes` say which, and what else is
    not as one may expect. `ending` is one of `FORMS`, `script` has other words than those it was rendered with,
    `only` are the panels to take, by number. Raises
    FilmError where there is no frame, ProjectError for a folder that holds no story."""

    def __init__(
        self,
        project: Project,
        form: FilmForm,
        ending: str = ".mp4",
        script: Script | None = None,
        only: Collection[int] | None = None,
    ) -> None:
        if ending not in FORMS:
            raise FilmError(
                Message("A film ends in {endings}, not in {ending}.", endings=", ".join(FORMS), ending=repr(ending))
            )
        if ending == ".gif" and form.rate > GIF_RATE:
            raise FilmError(
                Message(
                    "A .gif shows {most} pictures a second at most; give a lower rate, or make a .webp.", most=GIF_RATE
                )
            )
        self.project, self.form, self.ending = project, form, ending
        self.script = script or project.story().script
        lost = project.unreadable()
        asked = [n for n in range(1, len(self.script.panels) + 1) if only is None or n in only]
        self.numbers = [n for n in asked if n in project.entries and n not in lost]
        if not self.numbers and lost:
            raise FilmError(" ".join(map(left_out, lost.values())))
        if not self.numbers:
            raise FilmError(Message("{folder} holds no frames; render the story first.", folder=project.folder))
        without = [n for n in asked if n not in self.numbers and n not in lost]
        self.notes = [left_out(error) for error in lost.values()]
        if without:
            self.notes.append(Message("Without a frame and left out: {numbers}.", numbers=", ".join(map(str, without))))
        self.rate = form.rate or RATE.get(ending, 24)

    @property
    def panels(self) -> list[Panel]:
        """The panels that are seen, in order."""
        return [self.script.panels[number - 1] for number in self.numbers]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return sum(map(seconds_of, self.panels))

    @cached_property
    def size(self) -> tuple[int, int]:
        """Its width and height, even numbers, as video has them."""
        if self.form.size is not None:
            width, height = self.form.size
        else:
            sizes = [_size_of(self.project.folder / self.project.entries[n].image) for n in self.numbers]
            usual = max(dict.fromkeys(sizes), key=sizes.count)
            scale = HEIGHT.get(self.ending, 720) / min(usual)
            width, height = (min(round(side * scale), SIDES[1]) for side in usual)
        return max(2, width // 2 * 2), max(2, height // 2 * 2)

    def __len__(self) -> int:
        """How many pictures it has."""
        return sum(self._counts)

    @cached_property
    def _counts(self) -> list[int]:
        """The pictures of each panel, one at least; rounding does not add up."""
        marks = [0]
        for end in np.cumsum([seconds_of(panel) for panel in self.panels]) * self.rate:
            marks.append(max(round(end), marks[-1] + 1))
        return [after - before for before, after in pairwise(marks)]

    def pictures(self) -> Iterator[Image.Image]:
        """Its pictures, RGB of `size`, one after the other."""
        before: tuple[_Take, int] | None = None
        for place, (number, count) in enumerate(zip(self.numbers, self._counts, strict=True)):
            take = _Take(self, number, place, count)
            fading = min(round(self.form.fade * self.rate), count - 1) if before is not None else 0
            for index in range(count):
                picture = take.picture(index)
                if before is not None and index < fading:
                    old, length = before
                    picture = Image.blend(old.picture(length + index), picture, (index + 1) / (fading + 1))
                yield picture
            before = take, count
            self.notes += take.warnings

    @cached_property
    def _again(self) -> Again:
        return Again(self.project)

    def layers(self, number: int) -> tuple[SketchLayer, ...]:
        """The layers that the frame of panel `number` is moved by; none of a model's frame, nor of one whose words have
        changed since: it moves as one picture."""
        if self.project.maker(number)[0] != STORYBOOK:
            return ()
        try:
            return frame_layers(self.project, number, self._again)
        except LayerError:
            return ()

    def subtitles(self) -> str:
        """Its words, as SubRip or WebVTT by its ending."""
        told = timeline(self.panels)
        return vtt(told) if self.ending == ".vtt" else srt(told)


class _Take:
    """One panel of a film: its layers, ready to be moved."""

    def __init__(self, film: Film, number: int, place: int, count: int) -> None:
        self.size, self.rate, self.count = film.size, film.rate, count
        self.panel = film.script.panels[number - 1]
        self.moves = film.form.moves
        frame = film.project.frame(number)
        self.inner = _contained(frame.image.size, self.size)
        self.warnings: list[str] = []
        layers = film.layers(number) if self.moves else ()
        self._groups, self._over = self._taken_apart(layers, frame.image)
        self._words = self._lettered(frame, film.form.lettering, number)
        # The camera goes nearer, farther, left or right, one after the other.
        self._way = place % 4

    def _taken_apart(
        self, layers: Sequence[SketchLayer], whole: Image.Image
    ) -> tuple[list[tuple[Image.Image, int, int]], list[tuple[Image.Image, str]]]:
        """What moves together, from the back to the front, RGBA and where it lies in the frame; and what lies over all
        as it is, as large as it is seen."""
        moving = [layer for layer in layers if layer.blend not in (MULTIPLY, ADD)]
        groups = []
        for _, parts in groupby(moving, key=lambda layer: layer.name.partition(":")[0]):
            groups.append(_merged(list(parts)))
        over = [
            (
                Image.fromarray(layer.patch.pixels[..., :3]).resize(self.inner[2:], Image.Resampling.BILINEAR),
                layer.blend,
            )
            for layer in layers
            if layer.blend in (MULTIPLY, ADD)
        ]
        return groups or [(whole.convert("RGBA"), 0, 0)], over

    def _lettered(self, frame: Frame, how: Lettering, number: int) -> list[tuple[Image.Image, float]]:
        """The words as they appear one after the other: pictures of the frame's size as it is seen, RGBA, and from when
        on, in seconds."""
        layer, warnings = words_layer(self.inner[2:], self.panel, frame.maps, how)
        self.warnings += [Message("Panel {number}: {warning}", number=number, warning=one) for one in warnings]
        if layer is None:
            return []
        boxes = into(Image.new("RGB", self.inner[2:]), self.panel, frame.maps, how, proper_size(self.inner[2:])).boxes
        starts = [beat.start for beat in beats(self.panel)]
        if len(boxes) != len(starts):  # some of it found no room
            return [(Image.fromarray(layer.patch.pixels), starts[0])]
        pieces, _ = ndimage.label(layer.patch.pixels[..., 3])
        nearest = _nearest(pieces, boxes)
        return [
            (Image.fromarray(np.where((nearest == index)[..., None], layer.patch.pixels, 0).astype(np.uint8)), start)
            for index, start in enumerate(starts)
        ]

    def picture(self, index: int) -> Image.Image:
        """Its picture number `index` (from 0); after the last one it goes on moving."""
        left, top, width, height = self.inner
        view = self._view(min(index / max(self.count - 1, 1), 1.25))
        for picture, blend in self._over:
            view = ImageChops.multiply(view, picture) if blend == MULTIPLY else ImageChops.add(view, picture)
        for words, start in self._words:
            seen = min(max((index / self.rate - start) / APPEAR, 0.0), 1.0)
            if seen:
                alpha = words.getchannel("A").point([round(value * seen) for value in range(256)])
                view.paste(words, (0, 0), alpha)
        if (width, height) == self.size:
            return view
        whole = Image.new("RGB", self.size, MATTE)
        whole.paste(view, (left, top))
        return whole

    def _view(self, share: float) -> Image.Image:
        """The frame at a `share` of its time, as the camera shows it."""
        _, _, width, height = self.inner
        back = self._groups[0][0]
        view = Image.new("RGB", (width, height))
        for depth, (picture, x, y) in enumerate(self._groups):
            near = depth / max(len(self._groups) - 1, 1)
            zoom, right = self._camera(share, FAR + (NEAR - FAR) * near if self.moves else 0.0)
            # Where a pixel of the view is in the picture: the frame is enlarged about its middle and shifted.
            scale = back.width / width / zoom
            about = back.width / 2 - right * back.width, back.height / 2
            box = (
                (x - about[0]) / scale + width / 2,
                (y - about[1]) / scale + height / 2,
                (x + picture.width - about[0]) / scale + width / 2,
                (y + picture.height - about[1]) / scale + height / 2,
            )
            x0, y0 = max(int(box[0]), 0), max(int(box[1]), 0)
            x1, y1 = min(int(box[2]) + 1, width), min(int(box[3]) + 1, height)
            if x0 >= x1 or y0 >= y1:
                continue
            shift = ((x0 - box[0]) * scale, (y0 - box[1]) * scale)
            data: Affine = (scale, 0, shift[0], 0, scale, shift[1])
            part = picture.transform((x1 - x0, y1 - y0), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
            view.paste(part, (x0, y0), part if depth else None)
        return view

    def _camera(self, share: float, most: float) -> tuple[float, float]:
        """How much what goes up to `most` larger is enlarged at a share of the time, and how far it is to the right, in
        shares of the frame: never so far that its edge is seen."""
        eased = share * share * (3 - 2 * min(share, 1.0))
        if self._way == 0:
            return 1 + most * eased, 0.0
        if self._way == 2:
            return 1 + most * max(1 - eased, 0.0), 0.0
        way = 2 * min(eased, 1.0) - 1
        return 1 + most, (way if self._way == 1 else -way) * most / 2 / (1 + most)


def _size_of(file: Path) -> tuple[int, int]:
    with Image.open(file, formats=["PNG"]) as picture:
        return picture.size


def _contained(inside: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a frame is seen whole in a film of `size`: left, top, width, height."""
    scale = min(size[0] / inside[0], size[1] / inside[1])
    width, height = (max(1, min(round(side * scale), most)) for side, most in zip(inside, size, strict=True))
    return (size[0] - width) // 2, (size[1] - height) // 2, width, height


def _merged(parts: Sequence[SketchLayer]) -> tuple[Image.Image, int, int]:
    """Layers as one picture, RGBA, and where it lies."""
    x0, y0 = min(part.patch.x for part in parts), min(part.patch.y for part in parts)
    x1 = max(part.patch.x + part.patch.pixels.shape[1] for part in parts)
    y1 = max(part.patch.y + part.patch.pixels.shape[0] for part in parts)
    whole = Image.new("RGBA", (x1 - x0, y1 - y0))
    for part in parts:
        whole.alpha_composite(
            Image.fromarray(np.ascontiguousarray(part.patch.pixels)), (part.patch.x - x0, part.patch.y - y0)
        )
    return whole, x0, y0


def _nearest(pieces: np.ndarray, boxes: Sequence[tuple[float, float, float, float]]) -> np.ndarray:
    """Which of `boxes` each pixel of some words is of: every connected piece is of the one that it overlaps most."""
    found = np.full(int(pieces.max()) + 1, -1)
    most = np.zeros(len(found))
    for index, (left, top, right, bottom) in enumerate(boxes):
        inside = pieces[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)]
        counts = np.bincount(inside.ravel(), minlength=len(found))
        larger = counts > most
        found[larger], most[larger] = index, counts[larger]
    found[0] = -1
    return found[pieces]


# --- files --------------------------------------------------------------------------------------------------------


def write_film(film: Film, target: Path, tell: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Write a film, or its words alone by its ending; `tell` is told after each picture how many of how many are done,
    and what it raises ends the work. The file is there when it is whole. Raises FilmError where it cannot be written or
    ffmpeg is missing."""
    if film.ending in SUBTITLES:
        write_atomic({target: film.subtitles().encode()})
        return
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        make_folder(target.parent)
        _sweep(target)
        if film.ending in VIDEO:
            _by_ffmpeg(film, part, tell)
        else:
            _by_pillow(film, part, tell)
        with part.open("r+b") as file:
            settle(file)
        part.replace(target)
        settle_folder(target.parent)
    except OSError as error:
        raise FilmError(
            Message("{file} cannot be written ({reason}); choose another folder.", file=target, reason=error.strerror)
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove what an earlier film of that name was killed over."""
    for part in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 8}.part"):
        if time.time() - part.stat().st_mtime > ABANDONED:
            part.unlink(missing_ok=True)


def _told(film: Film, tell: Callable[[int, int], None]) -> Iterator[Image.Image]:
    for done, picture in enumerate(film.pictures(), start=1):
        yield picture
        tell(done, len(film))


def _by_pillow(film: Film, part: Path, tell: Callable[[int, int], None]) -> None:
    """An animated WebP or GIF, once through and again."""
    pictures = _told(film, tell)
    how: dict[str, Any] = {"quality": 80, "method": 3} if film.ending == ".webp" else {"optimize": False}
    first = next(pictures)
    unit = 10 if film.ending == ".gif" else 1  # milliseconds that it counts by; rounding does not add up
    marks = [unit * round(1000 * index / film.rate / unit) for index in range(len(film) + 1)]
    lasting = [after - before for before, after in pairwise(marks)]
    how |= {"save_all": True, "append_images": pictures, "duration": lasting, "loop": 0}
    first.save(part, film.ending.removeprefix("."), **how)


def _by_ffmpeg(film: Film, part: Path, tell: Callable[[int, int], None]) -> None:
    """H.264 in MP4, as every browser and player shows it, by the program ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise FilmError(
            Message("An .mp4 is written by the program ffmpeg, which is not installed; install it, or make a .webp.")
        )
    width, height = film.size
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(film.rate), "-i", "-"]
    code = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-preset", "medium", "-threads", "2"]
    plain = ["-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    command = [program, "-hide_banner", "-loglevel", "error", "-y", *source, *code, *plain, "-f", "mp4", str(part)]
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        assert running.stdin is not None
        try:
            for picture in _told(film, tell):
                running.stdin.write(picture.tobytes())
            running.stdin.close()
        except BrokenPipeError:
            pass  # it says below what is wrong
        except BaseException:
            running.kill()
            raise
        finally:
            running.wait()
        said.seek(0)
        words = said.read().decode(errors="replace").strip().splitlines()
    if running.returncode:
        reason = words[-1] if words else running.returncode
        raise FilmError(Message("ffmpeg could not write the film: {reason}", reason=reason))
