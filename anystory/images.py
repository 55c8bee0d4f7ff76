"""Safe opening of pictures people hand in, and the square crop a model reads. PIL and numpy only."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from anystory.errors import AnyStoryError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_BYTES = 30_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 2048
MIN_SIDE = 16

SELECTED = 128
"""A mask pixel of this value or more belongs to the character."""


class ImageError(AnyStoryError, ValueError):
    """A picture cannot be used. The message is one sentence for the user."""


def open_image(source: str | Path | bytes | Image.Image) -> Image.Image:
    """Open a picture that cannot be trusted: RGBA if it has transparency, else RGB, upright, without metadata.

    `source` is a path, the bytes of a file or a PIL image (left as it is). Of an animation the first frame is
    taken; a picture larger than `MAX_SIDE` on a side is scaled down to it. Raises `ImageError` with a sentence
    for what is not a picture of `FORMATS`, is damaged, or is beyond `MAX_BYTES`, `MAX_PIXELS` or `MIN_SIDE`;
    sizes are checked before anything is decoded.
    """
    label = Path(source).name if isinstance(source, str | Path) else "The picture"
    image = source if isinstance(source, Image.Image) else _read(source, label)
    if image.format not in (None, *FORMATS, "MPO"):  # MPO is what phones write into a .jpg: JPEG, then more frames
        raise ImageError(f"{label} is {image.format}; save it as one of {', '.join(FORMATS)}.")
    _fitted(image.size, label)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is wrong is said in our sentence
            image.load()
            upright = ImageOps.exif_transpose(_eight_bit(image))
        result = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except Exception as error:  # decoders raise anything on damaged data: OSError, SyntaxError, struct.error, …
        raise ImageError(f"{label} cannot be decoded ({_reason(error)}); save it again as PNG or JPEG.") from error
    size = _fitted(result.size, label)  # again, as turning swaps the sides
    if result.size != size:
        result = result.resize(size, Image.Resampling.LANCZOS)
    result.info = {}
    return result


def _read(source: str | Path | bytes, label: str) -> Image.Image:
    """The picture of a file, its header read and nothing decoded."""
    try:
        if not isinstance(source, bytes):
            path = Path(source)
            if not path.is_file():
                raise ImageError(f"There is no picture file {str(path)!r}; check the path.")
            with path.open("rb") as file:  # one byte more than allowed tells too large without reading it all
                source = file.read(MAX_BYTES + 1)
        if len(source) > MAX_BYTES:
            raise ImageError(
                f"{label} is larger than {MAX_BYTES // 1_000_000} MB; save it smaller, for example as JPEG."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a bomb, for one: our own, lower bound follows
            return Image.open(io.BytesIO(source), formats=FORMATS)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{label} has more than {MAX_PIXELS // 1_000_000} million pixels; scale it down first."
        ) from error
    except Image.UnidentifiedImageError as error:
        raise ImageError(f"{label} is not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} picture.") from error
    except Exception as error:
        raise ImageError(f"{label} cannot be opened ({_reason(error)}); save it again as PNG or JPEG.") from error


def _fitted(size: tuple[int, int], label: str) -> tuple[int, int]:
    """The size a picture is returned in. Refuses what is too large to decode or too small to use."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{label} is {width}×{height} px, more than {MAX_PIXELS // 1_000_000} million pixels; scale it down first."
        )
    scale = min(1.0, MAX_SIDE / max(width, height, 1))
    fitted = (round(width * scale), round(height * scale))
    if min(fitted) < MIN_SIDE:
        raise ImageError(
            f"{label} is {width}×{height} px; its short side needs at least {MIN_SIDE} px"
            f"{f' once the long one is scaled to {MAX_SIDE}' if scale < 1 else ''}: use a larger or squarer picture."
        )
    return fitted


def _eight_bit(image: Image.Image) -> Image.Image:
    """Undo what PIL cannot convert further: 16-bit grey by its full scale, 32-bit and float grey stretched from
    their least to their greatest value, premultiplied grey divided again."""
    if image.mode == "La":
        return image.convert("LA")
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
    low, high = (0, 65535) if image.mode.startswith("I;16") else (values.min(), values.max())
    grey = Image.fromarray(((values - low) * (255 / max(high - low, 1e-9)) + 0.5).astype(np.uint8))
    grey.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return grey


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".").splitlines()[0] if str(error).strip() else type(error).__name__


def coverage(mask: Image.Image) -> float:
    """The share, 0 to 1, of an L mask's pixels that are selected."""
    return float((np.asarray(mask) >= SELECTED).mean())


def square_crop(
    image: Image.Image, mask: Image.Image, margin: float = 0.04, ground: tuple[int, int, int] = (255, 255, 255)
) -> tuple[Image.Image, Image.Image]:
    """Crop an RGB image and its L mask of the same size to a square around the selected part.

    The square's side is the longer side of the selection's box × (1 + margin), the box in its middle. Where the
    mask is 0, and beyond the picture's edge, the result is `ground`; soft edges blend. Returns (RGB, L).
    """
    if image.mode != "RGB" or mask.mode != "L" or image.size != mask.size:
        raise ImageError(
            f"A square crop takes an RGB image and an L mask of one size, got {image.mode} {image.size} "
            f"and {mask.mode} {mask.size}."
        )
    box = mask.point([0] * SELECTED + [255] * (256 - SELECTED)).getbbox()
    if box is None:
        raise ImageError("The mask selects nothing; paint over the character or give another mask.")
    left, top, right, bottom = box
    side = round(max(right - left, bottom - top) * (1 + margin))
    x, y = (left + right - side) // 2, (top + bottom - side) // 2
    square = (x, y, x + side, y + side)
    cut = mask.crop(square)
    return Image.composite(image.crop(square), Image.new("RGB", cut.size, ground), cut), cut
