"""Who is the character in a picture: its own transparency, a mask given by hand, or a segmentation model (rembg).

The default model lies in assets/segment and works offline. The others are fetched by rembg, once, when asked for;
each runs on this machine and is free to use for any purpose.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from anystory.images import coverage, open_image
from anystory.story import Subject

if TYPE_CHECKING:
    from rembg.sessions import BaseSession

SUPPLIED = Path(__file__).resolve().parent.parent / "assets" / "segment" / "u2net_q8.onnx"

MIN_COVERAGE = 0.005
"""A mask that selects a smaller share of the picture is no character; nor is the rest of an alpha a background."""

MAX_COVERAGE = 0.98
"""A model that selects a larger share has found no background."""

THREADS = 4
"""At most so many threads a session; `OMP_NUM_THREADS` overrides."""


class SegmentError(ValueError):
    """A picture cannot be cut out. The message is one sentence for the user; the picture stays theirs."""


@dataclass(frozen=True)
class Model:
    """A segmentation model rembg knows: the licence of its weights, the size of its file, what it is made for."""

    licence: str
    megabytes: int
    good_for: str


MODELS = {
    "u2net": Model("Apache-2.0", 44, "anything; supplied, 8 bit"),
    "u2netp": Model("Apache-2.0", 5, "anything, fast and coarse"),
    "u2net_human_seg": Model("Apache-2.0", 176, "people"),
    "silueta": Model("Apache-2.0", 44, "anything"),
    "isnet-general-use": Model("Apache-2.0", 179, "anything, fine edges"),
    "isnet-anime": Model("Apache-2.0", 176, "drawn characters"),
    "birefnet-general": Model("MIT", 973, "anything, the finest edges, slow without a GPU"),
    "birefnet-general-lite": Model("MIT", 224, "anything, fine edges, slow without a GPU"),
    "birefnet-portrait": Model("MIT", 973, "people, slow without a GPU"),
}
"""The models on offer by rembg's names; the first is the default. Left out on purpose: weights that are not
free (bria-rmbg, rembg's default), services that upload the picture, and models that need a point or cut out clothes."""

_sessions: dict[str, BaseSession] = {}
_lock = threading.Lock()


class Segmenter:
    """Cuts characters out. The model is loaded on first need and shared by every Segmenter of the process."""

    def __init__(self, model: str = "u2net") -> None:
        """Raises `SegmentError` if `model` is not in `MODELS`."""
        if model not in MODELS:
            raise SegmentError(
                f"There is no segmentation model {model!r} on offer; choose one of: {', '.join(MODELS)}."
            )
        self.model = model

    def cut(self, image: Image.Image, mask: Image.Image | None = None) -> Image.Image:
        """The character's mask: L, the size of `image`, 255 = the character, soft at edges.

        The first there is of: the picture's own alpha, if at least `MIN_COVERAGE` of it is transparent; `mask`,
        in any mode (an alpha of its own counts before its lightness), resized if its proportions are those of
        the picture; the model's. Raises `SegmentError` if that leaves nothing, or nothing but the character,
        though a mask given by hand may select all.
        """
        alpha = _alpha(image)
        if alpha is not None:
            return _checked(alpha, "The transparent picture shows")
        if mask is not None:
            return _checked(_fitted(mask, image.size), "The mask selects")
        with np.errstate(invalid="ignore"):  # rembg divides by the range of its map, 0 at worst: then all is 0
            found = _session(self.model).predict(image.convert("RGB"))[0]
        if coverage(found) > MAX_COVERAGE:
            raise SegmentError(
                f"{self.model} found no background: it selects {coverage(found):.1%} of the picture, more than "
                f"{MAX_COVERAGE:.0%}; give a mask (all white to take everything) or another picture."
            )
        return _checked(found, f"{self.model} finds")

    def subject(
        self,
        name: str,
        image: str | Path | bytes | Image.Image,
        mask: str | Path | bytes | Image.Image | None = None,
        description: str = "",
    ) -> Subject:
        """Open a picture (and a mask) as `open_image` does, cut the character out and name it.

        Raises `ImageError` or `SegmentError` with a sentence.
        """
        picture = open_image(image)
        selected = self.cut(picture, None if mask is None else open_image(mask))
        return Subject(name, picture.convert("RGB"), selected, description)


def _alpha(image: Image.Image) -> Image.Image | None:
    """The alpha of a picture that is really transparent somewhere."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return alpha if 1 - coverage(alpha) >= MIN_COVERAGE else None


def _fitted(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A mask of any mode as L of `size` (width, height). Refuses other proportions."""
    alpha = _alpha(mask)
    mask = alpha if alpha is not None else mask.convert("RGB").convert("L")
    if mask.size == size:
        return mask
    # Half a pixel of rounding on the shorter side is what scaling a picture down can do to its proportions.
    (width, height), (mask_width, mask_height) = size, mask.size
    if abs(width * mask_height - height * mask_width) > max(*size, *mask.size):
        raise SegmentError(
            f"The mask is {mask_width}×{mask_height} px and does not fit the picture of {width}×{height} px; "
            "give a mask of the same proportions."
        )
    return mask.resize(size, Image.Resampling.BILINEAR)


def _checked(mask: Image.Image, says: str) -> Image.Image:
    if coverage(mask) < MIN_COVERAGE:
        raise SegmentError(
            f"{says} no character: {coverage(mask):.2%} of the picture, less than {MIN_COVERAGE:.1%}; "
            "give a mask that is white on the character, or another picture."
        )
    return mask


def _session(model: str) -> BaseSession:
    """The model's session, made once a process. Raises `SegmentError` with a sentence."""
    with _lock:
        if model not in _sessions:
            try:
                _sessions[model] = _load(model)
            except OSError as error:  # what a failed download raises: no network, no space, no right to write
                raise SegmentError(
                    f"The segmentation model {model!r} is not on this machine and cannot be fetched "
                    f"({MODELS[model].megabytes} MB from github.com); go online once, or use the supplied 'u2net'."
                ) from error
            except (ImportError, SystemExit) as error:  # rembg leaves the process where there is no onnxruntime
                raise SegmentError(
                    "The segmentation library is not complete; install it with: pip install 'rembg[cpu]'."
                ) from error
            except Exception as error:  # a damaged file: ValueError from the check sum, or onnxruntime's own kinds
                raise SegmentError(
                    f"The segmentation model {model!r} cannot be loaded; delete its file and try again, or give a mask."
                ) from error
        return _sessions[model]


def _load(model: str) -> BaseSession:
    import numba
    import pooch

    # Importing rembg has numba compile alpha matting, most of a minute on first use, which nothing here calls.
    compiles, numba.config.DISABLE_JIT = numba.config.DISABLE_JIT, True
    try:
        import onnxruntime
        from rembg.sessions import sessions
    finally:
        numba.config.DISABLE_JIT = compiles

    class SuppliedU2Net(sessions["u2net"]):
        """rembg's U²-Net, reading our file. The models' home stays where it is, for the other models."""

        @classmethod
        def download_models(cls, *args: object, **kwargs: object) -> str:
            return str(SUPPLIED)

    pooch.get_logger().setLevel("WARNING")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    threads = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = int(threads) if threads.isdecimal() else min(THREADS, os.cpu_count() or 1)
    if model == "u2net":  # an 8-bit network gains nothing from a GPU
        return SuppliedU2Net(model, options, providers=["CPUExecutionProvider"])
    return sessions[model](model, options)
