"""Who is the character in a picture: its own transparency, a mask given by hand, or a segmentation model (rembg).

The default model lies in assets/segment and works offline. The others are fetched once, when asked for, into the
folder where rembg keeps its models; each runs on this machine and is free to use for any purpose.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageChops

from anystory import heap
from anystory.cast.images import SELECTED, coverage, open_image
from anystory.cast.transparency import filled, opacity, photograph
from anystory.errors import AnyStoryError, Message
from anystory.story.model import Subject
from anystory.supplies import ASSETS

if TYPE_CHECKING:
    from rembg.sessions import BaseSession

RELEASE = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
"""Where rembg's models are, each one file."""

SUPPLIED = ASSETS / "segment" / "u2net_q8.onnx"

MIN_COVERAGE = 0.005
"""A model that selects a smaller share of the picture has found no character."""

MAX_COVERAGE = 0.98
"""A model that selects a larger share has found no background."""

WHOLE = 0.9
"""A model that selects a larger share of what a transparent picture shows says with it that it is cut out already."""

MAX_FLAT = 8
"""A picture whose pixels differ by no more than this of 255 in any colour shows nothing."""

MIN_PIXELS = 128
"""A mask by hand, or a transparency, that leaves fewer pixels leaves no character."""

THREADS = 4
"""At most so many threads a session; `OMP_NUM_THREADS` overrides."""


class SegmentError(AnyStoryError, ValueError):
    """A picture cannot be cut out. The message is one sentence for the user; the picture stays theirs."""


class NothingFoundError(SegmentError):
    """There is no character in the picture, or nothing else: what was `found`, and what to do about it."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(Message("{found}; {advice}.", found=found, advice=advice))
        self.found = found


Source = str | Path | bytes | Image.Image
"""A picture in any of the forms that `open_image` takes."""

Report = Callable[[int, int], None]
"""Told of a download before it starts and as it runs: bytes that have come, bytes in all. What it raises stops it."""


@dataclass(frozen=True)
class Model:
    """A segmentation model rembg knows: the licence of its weights, the size of its file, what it is made for, the
    project it comes from, and the file and its checksum in `RELEASE`; the supplied one has neither."""

    licence: str
    megabytes: int
    good_for: str
    source: str
    file: str = ""
    checksum: str = ""


_U2NET, _DIS, _BIREFNET = (
    f"https://github.com/{name}" for name in ("xuebinqin/U-2-Net", "xuebinqin/DIS", "ZhengPeng7/BiRefNet")
)

MODELS = {
    "u2net": Model("Apache-2.0", 44, "anything, 8 bit", _U2NET),
    "u2netp": Model(
        "Apache-2.0", 5, "anything, fast and coarse", _U2NET, "u2netp.onnx", "md5:8e83ca70e441ab06c318d82300c84806"
    ),
    "u2net_human_seg": Model(
        "Apache-2.0", 176, "people", _U2NET, "u2net_human_seg.onnx", "md5:c09ddc2e0104f800e3e1bb4652583d1f"
    ),
    "silueta": Model("Apache-2.0", 44, "anything", _U2NET, "silueta.onnx", "md5:55e59e0d8062d2f5d013f4725ee84782"),
    "isnet-general-use": Model(
        "Apache-2.0",
        179,
        "anything, fine edges",
        _DIS,
        "isnet-general-use.onnx",
        "md5:fc16ebd8b0c10d971d3513d564d01e29",
    ),
    "isnet-anime": Model(
        "Apache-2.0",
        176,
        "drawn characters",
        "https://github.com/SkyTNT/anime-segmentation",
        "isnet-anime.onnx",
        "md5:6f184e756bb3bd901c8849220a83e38e",
    ),
    "birefnet-general": Model(
        "MIT",
        973,
        "anything, the finest edges, slow without a GPU",
        _BIREFNET,
        "BiRefNet-general-epoch_244.onnx",
        "md5:7a35a0141cbbc80de11d9c9a28f52697",
    ),
    "birefnet-general-lite": Model(
        "MIT",
        224,
        "anything, fine edges, slow without a GPU",
        _BIREFNET,
        "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        "md5:4fab47adc4ff364be1713e97b7e66334",
    ),
    "birefnet-portrait": Model(
        "MIT",
        973,
        "people, slow without a GPU",
        _BIREFNET,
        "BiRefNet-portrait-epoch_150.onnx",
        "md5:c3a64a6abf20250d090cd055f12a3b67",
    ),
}
"""The models on offer by rembg's names; the first is the default. Left out on purpose: weights that are not
free (bria-rmbg, rembg's default), services that upload the picture, and models that need a point or cut out clothes."""

_sessions: dict[str, BaseSession] = {}
_lock = threading.Lock()


class Segmenter:
    """Cuts characters out. The model is loaded on first need and shared by every Segmenter of the process."""

    def __init__(self, model: str = "u2net", report: Report | None = None) -> None:
        """`report` is told of the model's download. Raises `SegmentError` if `model` is not in `MODELS`."""
        _offered(model)
        self.model = model
        self.report = report

    def cut(self, image: Image.Image, mask: Image.Image | None = None) -> Image.Image:
        """The character's mask: L, the size of `image`, 255 = the character, soft at edges.

        The first there is of: `mask`, made by hand, in any mode (an alpha of its own counts before its lightness, but
        for one that is black and white), resized if its proportions are those of the picture; the picture's own
        transparency, if it cuts a character out; the model's, of what is not transparent. A ghost that is nowhere more
        than half opaque counts as whole. Where a picture with transparency gets a mask, the character is where both
        say so: there is nothing to see where a picture is transparent. Raises `SegmentError` if that leaves nothing,
        or nothing but the character, though a mask given by hand may select all.
        """
        alpha = opacity(image)
        if mask is not None:
            by_hand = _checked(
                _fitted(mask, image.size), Message("The mask selects"), Message("make it white on the character")
            )
            if alpha is None:
                return by_hand
            advice = Message("make it white where the character can be seen")
            return _checked(
                ImageChops.darker(by_hand, alpha), Message("The mask selects of the transparent picture"), advice
            )
        if alpha is None:
            return self._found(image.convert("RGB"))
        alpha = _checked(alpha, Message("The transparent picture shows"), Message("use another picture"))
        inside = photograph(image, alpha)
        return alpha if inside is None else self._found_inside(image.convert("RGB"), inside, alpha)

    def _found(self, image: Image.Image) -> Image.Image:
        """The model's mask of an RGB picture."""
        found = self._predicted(image)
        if coverage(found) > MAX_COVERAGE:
            raise NothingFoundError(
                Message(
                    "{model} found no background: it selects {share} of the picture, more than {max_coverage}",
                    model=self.model,
                    share=f"{coverage(found):.1%}",
                    max_coverage=f"{MAX_COVERAGE:.0%}",
                ),
                Message("give a mask (all white to take everything) or another picture"),
            )
        found = self._distinct(found, coverage(found))
        if np.ptp(np.asarray(image), axis=(0, 1)).max() <= MAX_FLAT:  # a model sees things in it all the same
            raise NothingFoundError(
                Message("The picture is one colour all over; there is nobody in it"), Message("use another picture")
            )
        return found

    def _found_inside(self, image: Image.Image, inside: Image.Image, alpha: Image.Image) -> Image.Image:
        """The model's mask of the photograph that an RGB picture has where `inside` is 255, or `alpha` if the model
        sees that there is nothing more to cut."""
        box = inside.getbbox()
        within = inside.crop(box)
        found = ImageChops.darker(self._predicted(filled(image.crop(box), within)), within)
        share = coverage(found) / coverage(within)
        if share > WHOLE:
            return alpha
        mask = Image.new("L", image.size)
        mask.paste(self._distinct(found, share), box)
        return mask

    def _predicted(self, image: Image.Image) -> Image.Image:
        with np.errstate(invalid="ignore"):  # rembg divides by the range of its map, 0 at worst: then all is 0
            found = _session(self.model, self.report).predict(image)[0]
        heap.give_back()
        return found

    def _distinct(self, found: Image.Image, share: float) -> Image.Image:
        if share < MIN_COVERAGE:
            raise NothingFoundError(
                Message(
                    "{model} finds no character: {share} of the picture, less than {min_coverage}",
                    model=self.model,
                    share=f"{share:.2%}",
                    min_coverage=f"{MIN_COVERAGE:.1%}",
                ),
                Message("give a mask that is white on the character, or another picture"),
            )
        return found

    def subject(
        self,
        name: str,
        image: Source,
        mask: Source | None = None,
        description: str = "",
        more: Sequence[tuple[Source, Source | None]] = (),
    ) -> Subject:
        """Open a picture (and a mask) as `open_image` does, cut the character out and name it; `more` are further
        pictures of it, each with its mask or None.

        Raises `ImageError` or `SegmentError` with a sentence.
        """
        looks = []
        for number, (file, by_hand) in enumerate([(image, mask), *more], 1):
            picture = open_image(file)
            try:
                selected = self.cut(picture, None if by_hand is None else open_image(by_hand))
            except SegmentError as error:
                which = Message("{name}, picture {number}", name=name, number=number) if more else name
                raise SegmentError(Message("{which}: {error}", which=which, error=error)) from error
            looks.append((picture.convert("RGB"), selected))
        return Subject(name, *looks[0], description, more=tuple(looks[1:]))


def describe(name: str) -> str:
    """A model in a sentence, before anything of it is fetched: what for, licence, size, where from and whether it is
    here. Raises `SegmentError` if it is not in `MODELS`."""
    model = _offered(name)
    here = "supplied" if not model.file else "on this machine" if is_here(name) else "one download from github.com"
    return f"{name}: {model.good_for}; {model.licence} ({model.source}), {model.megabytes} MB, {here}."


def is_here(name: str) -> bool:
    """Whether a model can be used without a download. Raises `SegmentError` if it is not in `MODELS`."""
    return not _offered(name).file or _known()[name].resolve_existing(f"{name}.onnx") is not None


def fetch(name: str, report: Report | None = None) -> None:
    """Download a model into rembg's folder unless it is here; the file is checked and then renamed, so one that is
    there is whole. Raises `SegmentError` with a sentence where it cannot be had."""
    if is_here(name):
        return
    import pooch

    model, session = MODELS[name], _known()[name]
    guess = model.megabytes * 1_000_000
    if report:
        report(0, guess)
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            f"{RELEASE}/{model.file}",
            model.checksum,
            fname=f"{name}.onnx",
            path=session.model_dir(),
            downloader=pooch.HTTPDownloader(progressbar=_Bar(report, guess)),
        )
    except OSError as error:  # no network, no such page, no space, no right to write
        raise SegmentError(
            Message(
                "The segmentation model {name} is not on this machine and cannot be fetched ({megabytes} "
                "MB from github.com); go online once, or use the supplied 'u2net'.",
                name=repr(name),
                megabytes=model.megabytes,
            )
        ) from error
    except ValueError as error:  # the checksum
        raise SegmentError(
            Message(
                "The segmentation model {name} did not arrive whole, its checksum differs; try again.", name=repr(name)
            )
        ) from error


class _Bar:
    """What pooch tells of a download, for a `Report`. `guess` stands for a `total` the server does not say."""

    def __init__(self, report: Report | None, guess: int) -> None:
        self.report, self.guess, self.total, self.done = report, guess, 0, 0

    def update(self, count: int) -> None:
        total = self.total or self.guess
        self.done = min(self.done + count, total)
        if self.report:
            self.report(self.done, total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def _offered(name: str) -> Model:
    if name not in MODELS:
        raise SegmentError(
            Message(
                "There is no segmentation model {name} on offer; choose one of: {models}.",
                name=repr(name),
                models=", ".join(MODELS),
            )
        )
    return MODELS[name]


def _fitted(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A mask of any mode as L of `size` (width, height). Refuses other proportions."""
    mask = _selection(mask)
    if mask.size == size:
        return mask
    # Half a pixel of rounding on the shorter side is what scaling a picture down can do to its proportions.
    (width, height), (mask_width, mask_height) = size, mask.size
    if abs(width * mask_height - height * mask_width) > max(*size, *mask.size):
        raise SegmentError(
            Message(
                "The mask is {mask_width}×{mask_height} px and does not fit the picture of "
                "{width}×{height} px; give a mask of the same proportions.",
                mask_width=mask_width,
                mask_height=mask_height,
                width=width,
                height=height,
            )
        )
    return mask.resize(size, Image.Resampling.BILINEAR)


def _selection(mask: Image.Image) -> Image.Image:
    """What a mask of any mode selects: L. Of a transparent one what is opaque, but where it is painted in black and in
    white, what is white of it."""
    alpha, light = opacity(mask), mask.convert("RGB").convert("L")
    if alpha is None:
        return light
    shown = np.asarray(mask.convert("RGB"))[np.asarray(alpha) >= SELECTED]
    black, white = ((shown < 32).all(-1), (shown > 223).all(-1)) if shown.size else (np.zeros(1), np.zeros(1))
    is_painted = min(black.mean(), white.mean()) >= 0.01 and black.mean() + white.mean() >= 0.9
    return ImageChops.darker(light, alpha) if is_painted else alpha


def _checked(mask: Image.Image, says: str, advice: str) -> Image.Image:
    pixels = round(coverage(mask) * mask.width * mask.height)
    if pixels < MIN_PIXELS:
        raise NothingFoundError(
            Message(
                "{says} no character: {pixels} pixels, fewer than {min_pixels}",
                says=says,
                pixels=pixels,
                min_pixels=MIN_PIXELS,
            ),
            advice,
        )
    return mask


def _session(model: str, report: Report | None = None) -> BaseSession:
    """The model's session, made once a process. Raises `SegmentError` with a sentence."""
    with _lock:
        if model not in _sessions:
            fetch(model, report)
            try:
                _sessions[model] = _load(model)
            except Exception as error:  # a damaged file: onnxruntime's own kinds
                raise SegmentError(
                    Message(
                        "The segmentation model {model} cannot be loaded; delete its file and try again, or give a "
                        "mask.",
                        model=repr(model),
                    )
                ) from error
        return _sessions[model]


def _load(model: str) -> BaseSession:
    import onnxruntime

    u2net: Any = _known()["u2net"]

    class SuppliedU2Net(u2net):
        """rembg's U²-Net, reading our file. The models' home stays where it is, for the other models."""

        @classmethod
        def download_models(cls, *args: object, **kwargs: object) -> str:
            return str(SUPPLIED)

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    # What a picture takes goes back after it; onnxruntime would keep some 640 MB for the next, to save 0.25 s.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    threads = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = int(threads) if threads.isdecimal() else min(THREADS, os.cpu_count() or 1)
    if model == "u2net":  # an 8-bit network gains nothing from a GPU
        return SuppliedU2Net(model, options, providers=["CPUExecutionProvider"])
    return _known()[model](model, options)


def _known() -> Mapping[str, type[BaseSession]]:
    """rembg's session classes by name. Raises `SegmentError` where rembg is not complete."""
    try:
        import numba

        # Importing rembg has numba compile alpha matting, most of a minute on first use, which nothing here calls.
        compiles, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
        try:
            from rembg.sessions import sessions
        finally:
            numba.config.DISABLE_JIT = compiles
    except (ImportError, SystemExit) as error:  # rembg leaves the process where there is no onnxruntime
        raise SegmentError(
            Message("The segmentation library is not complete; install it with: pip install 'rembg[cpu]'.")
        ) from error
    return sessions
