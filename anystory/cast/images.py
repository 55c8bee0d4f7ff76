"""Safe opening of pictures people hand in, and the square crop a model reads. PIL and numpy only."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, JpegImagePlugin

from anystory.cast.colours import to_srgb
from anystory.cast.filenames import FilenameError, basename, find
from anystory.errors import AnyStoryError, Message

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
MAX_BYTES = 100_000_000
MAX_PIXELS = 64_000_000
"""Pixels that are decoded at most, 4 bytes each."""

MAX_JPEG_PIXELS = 256_000_000
"""Pixels a JPEG may have whose parts are scaled down one by one as they are decoded: more than any phone makes."""

MAX_SIDE = 2048
MIN_SIDE = 16

SELECTED = 128
"""A mask pixel of this value or more belongs to the character."""

ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
"""Formats whose further frames are an animation, not pages or thumbnails."""

MAX_FRAMES = 100
"""Frames of an animation that are looked at."""

MAX_FRAME_PIXELS = 400_000_000
"""Pixels that are decoded at most to choose among them."""

FULL = 0.95
"""A frame shows all there is with at least this share of the greatest contrast any frame has."""

HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
"""Brands of the HEIF files whose pictures are HEVC; those of AVIF are Pillow's."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of an EXIF orientation upright."""

MaskedImage = tuple[Image.Image, Image.Image]
"""A picture (RGB) and the mask (L) of its subject."""


class ImageError(AnyStoryError, ValueError):
    """A picture cannot be used. The message is one sentence for the user."""


def open_image(source: str | Path | bytes | Image.Image) -> Image.Image:
    """Open a picture that cannot be trusted: RGBA if it has transparency, else RGB, in sRGB, upright, without metadata.

    `source` is a path, the bytes of a file or a PIL image (left as it is). A file's content says what it is, its name
    does not matter. Of an animated file the first frame that shows all there is is taken; a picture larger than
    `MAX_SIDE` on a side is scaled down to it, a JPEG while it is decoded. Raises `ImageError` with a sentence for what
    is not a picture of `FORMATS`, is damaged, or is beyond `MAX_BYTES`, `MAX_PIXELS` (`MAX_JPEG_PIXELS`) or
    `MIN_SIDE`; sizes are checked before anything is decoded.
    """
    label = basename(source) if isinstance(source, str | Path) else Message("The picture")
    is_ours = not isinstance(source, Image.Image)
    image: Image.Image = source if isinstance(source, Image.Image) else _read(source, label)
    if image.format not in (None, *FORMATS, "MPO"):  # MPO is what phones write into a .jpg: JPEG, then more frames
        raise ImageError(
            Message(
                "{label} is {format}; save it as one of {formats}.",
                label=label,
                format=image.format,
                formats=", ".join(FORMATS),
            )
        )
    size, fitted = image.size, _fitted(image.size, label)
    if is_ours:
        image.draft(None, fitted)
    _decodable(image, size, label)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what is wrong is said in our sentence
            if is_ours and image.format in ANIMATED and getattr(image, "n_frames", 1) > 1:
                image.seek(_fullest(image))
            image.load()
            result = to_srgb(_scaled(_eight_bit(image), fitted), image.info.get("icc_profile"))
    except Exception as error:  # decoders raise anything on damaged data: OSError, SyntaxError, struct.error, …
        raise ImageError(
            Message(
                "{label} cannot be decoded ({reason}); save it again as PNG or JPEG.",
                label=label,
                reason=_reason(error),
            )
        ) from error
    turn = _turn(image)
    result = result if turn is None else result.transpose(turn)
    result.info = {}
    return result


def look(path: str | Path) -> None:
    """Look whether a file is a picture, by its first bytes. Raises `ImageError` with a sentence where it is none of
    `FORMATS`, or beyond `MAX_BYTES`."""
    _read(path, basename(path)).close()


def _read(source: str | Path | bytes, label: str) -> Image.Image:
    """The picture of a file, its header read and nothing decoded."""
    try:
        if not isinstance(source, bytes):
            path = find(source)
            if path is None or not path.is_file():
                raise ImageError(
                    Message("There is no picture file {source}; check the path.", source=repr(str(source)))
                )
            with path.open("rb") as file:  # one byte more than allowed tells too large without reading it all
                source = file.read(MAX_BYTES + 1)
        if len(source) > MAX_BYTES:
            raise ImageError(
                Message(
                    "{label} is larger than {max_bytes} MB; save it smaller, for example as JPEG.",
                    label=label,
                    max_bytes=MAX_BYTES // 1000000,
                )
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a bomb, for one: our own bound follows
            return _opened(source)
    except ImageError:
        raise
    except FilenameError as error:
        raise ImageError(error.said) from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            Message(
                "{label} has more than {max_pixels} million pixels; scale it down first.",
                label=label,
                max_pixels=MAX_PIXELS // 1000000,
            )
        ) from error
    except Image.UnidentifiedImageError as error:
        raise ImageError(
            Message(
                "{label} is not a {formats} or {last} picture.",
                label=label,
                formats=", ".join(FORMATS[:-1]),
                last=FORMATS[-1],
            )
        ) from error
    except Exception as error:
        raise ImageError(
            Message(
                "{label} cannot be opened ({reason}); save it again as PNG or JPEG.", label=label, reason=_reason(error)
            )
        ) from error


def _opened(data: bytes) -> Image.Image:
    """A file as PIL's image, by its first bytes."""
    file = io.BytesIO(data)
    if data.startswith(b"\xff\xd8\xff"):  # past PIL's bound, which is below what phones make
        return JpegImagePlugin.JpegImageFile(file)
    brands = data[8 : min(int.from_bytes(data[:4]), 256)] if data[4:8] == b"ftyp" else b""
    if any(brand in brands for brand in HEIC):
        from pi_heif import HeifImageFile  # a tenth of a second to import

        return HeifImageFile(file)
    return Image.open(file, formats=[name for name in FORMATS if name != "HEIF"])


def _fitted(size: tuple[int, int], label: str) -> tuple[int, int]:
    """The size a picture is returned in, before it is turned. Refuses what is too small to use."""
    width, height = size
    scale = min(1.0, MAX_SIDE / max(width, height, 1))
    fitted = (round(width * scale), round(height * scale))
    if min(fitted) < MIN_SIDE:
        raise ImageError(
            Message(
                "{label} is {width}×{height} px; its short side needs at least {min_side} px{scaled}: use a "
                "larger or squarer picture.",
                label=label,
                width=width,
                height=height,
                min_side=MIN_SIDE,
                scaled=Message(" once the long one is scaled to {side}", side=MAX_SIDE) if scale < 1 else "",
            )
        )
    return fitted


def _decodable(image: Image.Image, size: tuple[int, int], label: str) -> None:
    """Refuse what takes too much memory to decode; `size` is what the file has, `image.size` what is decoded of it."""
    in_parts = image.size != size and not image.info.get("progressive")  # a progressive JPEG is held as a whole
    most = MAX_JPEG_PIXELS if in_parts else MAX_PIXELS
    width, height = size
    if width * height > most or image.width * image.height > MAX_PIXELS:
        raise ImageError(
            Message(
                "{label} is {width}×{height} px, more than {most} million pixels; scale it down first.",
                label=label,
                width=width,
                height=height,
                most=most // 1000000,
            )
        )


def _fullest(image: Image.Image) -> int:
    """The number of the first frame of an animation that shows about all there is: it may fade in from nothing."""
    most = min(getattr(image, "n_frames", 1), MAX_FRAMES, max(1, MAX_FRAME_PIXELS // (image.width * image.height)))
    contrasts: list[float] = []
    for number in range(most):
        try:
            image.seek(number)
            small = image.convert("RGBA").convert("RGBa").resize((32, 32), Image.Resampling.BOX)
        except Exception:  # damaged from here on: what came before is whole
            if not contrasts:
                raise
            break
        contrasts.append(float(np.asarray(small, np.float64).std(axis=(0, 1)).sum()))
    return next(number for number, contrast in enumerate(contrasts) if contrast >= FULL * max(contrasts))


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes the picture upright; None also where its EXIF data is damaged."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # whatever it holds, the picture can be seen
        return None


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image at a size, (width, height), in a mode that can be scaled: transparent colours become an alpha."""
    if image.has_transparency_data and image.mode not in ("LA", "RGBA"):
        image = image.convert("RGBA")
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        image = image.convert("RGB")
    return image.copy() if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


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
            Message(
                "A square crop takes an RGB image and an L mask of one size, got {mode} {size} and {mode2} {size2}.",
                mode=image.mode,
                size=image.size,
                mode2=mask.mode,
                size2=mask.size,
            )
        )
    box = mask.point([0] * SELECTED + [255] * (256 - SELECTED)).getbbox()
    if box is None:
        raise ImageError(Message("The mask selects nothing; paint over the character or give another mask."))
    left, top, right, bottom = box
    side = round(max(right - left, bottom - top) * (1 + margin))
    x, y = (left + right - side) // 2, (top + bottom - side) // 2
    square = (x, y, x + side, y + side)
    cut = mask.crop(square)
    return Image.composite(image.crop(square), Image.new("RGB", cut.size, ground), cut), cut
