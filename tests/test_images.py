import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from anystory import images
from anystory.images import ImageError, coverage, open_image, square_crop


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def gradient(width=40, height=24):
    """Every pixel differs from its neighbours, so a turn or a crop cannot go unnoticed."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 255 // (width - 1), y * 255 // (height - 1), x * 0 + 90], -1).astype("uint8"))


@pytest.mark.parametrize("format", images.FORMATS)
def test_opens_every_format_from_path_and_bytes(tmp_path, format):
    options = {"quality": 95} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    data = encoded(gradient(), format, **options)
    path = tmp_path / "picture.bin"
    path.write_bytes(data)
    for source in (data, path, str(path)):
        image = open_image(source)
        assert image.mode == "RGB" and image.size == (40, 24)
        assert np.abs(np.asarray(image, int) - np.asarray(gradient(), int)).mean() < 8
        assert image.info == {}


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"])
def test_every_mode_without_alpha_becomes_rgb_and_keeps_light_and_dark(mode):
    grey = Image.fromarray(np.repeat(np.linspace(0, 255, 40, dtype="uint8")[None], 24, 0))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    elif mode in ("HSV", "YCbCr", "CMYK"):
        picture = grey.convert("RGB").convert(mode)
    else:
        picture = grey.convert(mode)
    assert picture.mode == mode
    result = np.asarray(open_image(picture))
    assert result.shape == (24, 40, 3)
    assert result[:, :5].mean() < 40 and result[:, -5:].mean() > 215


def test_sixteen_bit_png_keeps_its_tones():
    values = np.repeat(np.linspace(0, 65535, 40).astype(np.uint16)[None], 24, 0)
    result = np.asarray(open_image(encoded(Image.fromarray(values))))
    assert np.abs(result[..., 0].astype(int) - values // 257).max() <= 1


def test_float_picture_with_holes_is_read():
    values = np.random.default_rng(0).normal(size=(24, 40)).astype(np.float32)
    values[3, 3] = np.nan
    result = np.asarray(open_image(Image.fromarray(values)))
    assert result.min() == 0 and result.max() == 255


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "La", "RGBa"])
def test_alpha_modes_become_rgba(mode):
    alpha = Image.fromarray(np.repeat(np.where(np.arange(40) < 20, 0, 255).astype("uint8")[None], 24, 0))
    picture = gradient().convert("L" if mode in ("LA", "La") else "RGB")
    picture.putalpha(alpha)
    if mode == "PA":
        index = gradient().quantize(16)
        index.putalpha(alpha)
        picture = index if index.mode == "PA" else picture.convert("PA")
    elif mode != picture.mode:
        picture = picture.convert(mode)
    assert picture.mode == mode
    result = open_image(picture)
    assert result.mode == "RGBA"
    assert np.array_equal(np.asarray(result)[..., 3], np.asarray(alpha))


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_a_transparent_colour_becomes_alpha(mode):
    half = Image.fromarray(np.where(np.arange(40 * 24).reshape(24, 40) % 40 < 20, 0, 255).astype("uint8"))
    picture = half.convert(mode)
    key = (0, 0, 0) if mode == "RGB" else 0
    result = open_image(encoded(picture, transparency=key))
    assert result.mode == "RGBA"
    assert result.getpixel((2, 2))[3] == 0 and result.getpixel((38, 2))[3] == 255


def test_opaque_palette_stays_rgb():
    assert open_image(encoded(gradient().quantize(8))).mode == "RGB"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = gradient().transpose(undo[orientation]) if orientation in undo else gradient()
    result = open_image(encoded(stored, exif=exif))
    assert np.array_equal(np.asarray(result), np.asarray(gradient()))
    assert not result.getexif()


def test_turned_picture_is_scaled_by_its_turned_sides():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_image(encoded(Image.new("RGB", (4096, 1024)), exif=exif)).size == (512, 2048)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation_is_taken(format):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert open_image(data).convert("RGB").getpixel((9, 9)) == (200, 0, 0)


def test_phone_pictures_with_a_second_frame_are_jpeg():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    data = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert open_image(data).getpixel((9, 9))[0] > 190
    assert open_image(Image.open(io.BytesIO(data))).getpixel((9, 9))[0] > 190


def test_large_pictures_are_scaled_down_and_small_ones_kept():
    assert open_image(Image.new("RGB", (4096, 1000))).size == (2048, 500)
    assert open_image(Image.new("RGBA", (2048, 100))).size == (2048, 100)


def test_the_callers_picture_is_left_alone():
    picture = gradient()
    picture.info["note"] = "mine"
    result = open_image(picture)
    result.paste((0, 0, 0), (0, 0, 40, 24))
    assert np.array_equal(np.asarray(picture), np.asarray(gradient())) and picture.info == {"note": "mine"}


def png_header(width, height):
    """A PNG that claims a size and has no pixels to decode."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7000, 12000, 60000])  # beyond our bound, beyond PIL's warning, beyond PIL's error
def test_decompression_bombs_are_refused_before_decoding(side, recwarn):
    with pytest.raises(ImageError, match="40 million pixels; scale it down"):
        open_image(png_header(side, side))
    assert not recwarn.list


def test_too_many_bytes_are_refused(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        os.truncate(file.fileno(), images.MAX_BYTES + 1)
    with pytest.raises(ImageError, match=r"huge\.png is larger than 30 MB"):
        open_image(path)


@pytest.mark.parametrize(("size", "words"), [((15, 300), "15×300.*16 px"), ((6000, 20), "6000×20.*scaled to 2048")])
def test_too_small_is_refused(size, words):
    with pytest.raises(ImageError, match=words):
        open_image(Image.new("RGB", size))


@pytest.mark.parametrize("format", images.FORMATS)
def test_damaged_files_are_refused_in_a_sentence(format):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, format)
    for cut in (len(data) // 2, 30, 8, 0):
        with pytest.raises(ImageError) as caught:
            open_image(data[:cut])
        assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_flipped_bytes_never_raise_anything_else():
    rng = np.random.default_rng(2)
    for format in images.FORMATS:
        data = np.frombuffer(encoded(gradient(), format), np.uint8)
        for _ in range(60):
            broken = data.copy()
            broken[rng.integers(0, len(data), 4)] = rng.integers(0, 256, 4)
            try:
                image = open_image(broken.tobytes())
            except ImageError:
                continue
            assert image.mode in ("RGB", "RGBA")


@pytest.mark.parametrize("data", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"%PDF-1.4\n", b"<svg/>", b""])
def test_other_kinds_of_file_are_refused(data):
    with pytest.raises(ImageError, match="not a PNG, JPEG"):
        open_image(data)


def test_a_raster_format_off_the_list_is_refused_by_file_and_by_picture():
    data = encoded(gradient(), "PPM")
    with pytest.raises(ImageError):
        open_image(data)
    with pytest.raises(ImageError, match="is PPM; save it as one of PNG"):
        open_image(Image.open(io.BytesIO(data)))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nobody.png", tmp_path):
        with pytest.raises(ImageError, match="There is no picture file"):
            open_image(path)


def box_mask(size, box):
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def test_square_crop_centres_the_selection_on_the_ground():
    picture = Image.new("RGB", (200, 100), (10, 20, 30))
    picture.paste((250, 0, 0), (50, 20, 150, 70))
    image, mask = square_crop(picture, box_mask(picture.size, (50, 20, 150, 70)), margin=0.1, ground=(1, 2, 3))
    assert image.size == mask.size == (110, 110) and (image.mode, mask.mode) == ("RGB", "L")
    assert mask.getbbox() == (5, 30, 105, 80)
    inside = np.asarray(mask) > 0
    assert (np.asarray(image)[inside] == (250, 0, 0)).all()
    assert (np.asarray(image)[~inside] == (1, 2, 3)).all()


def test_square_crop_pads_beyond_the_picture():
    picture = Image.new("RGB", (40, 20), (9, 9, 9))
    image, mask = square_crop(picture, Image.new("L", (40, 20), 255), margin=0)
    assert image.size == (40, 40) and mask.getbbox() == (0, 10, 40, 30)
    assert image.getpixel((0, 0)) == (255, 255, 255) and image.getpixel((20, 20)) == (9, 9, 9)


def test_square_crop_blends_soft_edges_and_ignores_faint_noise_for_the_box():
    mask = box_mask((60, 60), (20, 20, 40, 40))
    mask.putpixel((1, 1), 40)
    mask.putpixel((30, 30), 128)
    image, cut = square_crop(Image.new("RGB", (60, 60)), mask, margin=0)
    assert cut.size == (20, 20) and image.getpixel((10, 10)) == (127, 127, 127)


def test_square_crop_refuses_what_does_not_fit():
    with pytest.raises(ImageError, match="selects nothing"):
        square_crop(Image.new("RGB", (30, 30)), Image.new("L", (30, 30), 127))
    with pytest.raises(ImageError, match="of one size"):
        square_crop(Image.new("RGB", (30, 30)), Image.new("L", (31, 30), 255))
    with pytest.raises(ImageError, match="of one size"):
        square_crop(Image.new("RGBA", (30, 30)), Image.new("L", (30, 30), 255))


def test_coverage_counts_selected_pixels():
    assert coverage(box_mask((10, 10), (0, 0, 5, 10))) == 0.5
    assert coverage(Image.new("L", (10, 10), 127)) == 0 and coverage(Image.new("L", (10, 10), 128)) == 1
