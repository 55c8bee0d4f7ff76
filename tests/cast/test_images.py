import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.cast import images
from anystory.cast.images import ImageError, coverage, open_image, square_crop


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def gradient(width=40, height=24):
    """Every pixel differs from its neighbours, so a turn or a crop cannot go unnoticed."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 255 // (width - 1), y * 255 // (height - 1), x * 0 + 90], -1).astype("uint8"))


PICTURES = Path(__file__).parents[1] / "data" / "pictures"
WRITTEN = tuple(format for format in images.FORMATS if format != "HEIF")
"""The formats that Pillow writes too."""


@pytest.mark.parametrize("format", WRITTEN)
def test_opens_every_format_from_path_and_bytes(tmp_path, format):
    options = {"quality": 95} if format in ("JPEG", "AVIF") else {"lossless": True} if format == "WEBP" else {}
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


def test_a_damaged_orientation_loses_no_picture():
    assert open_image(encoded(gradient(), exif=b"Exif\0\0damaged")).tobytes() == gradient().tobytes()


def test_turned_picture_is_scaled_by_its_turned_sides():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_image(encoded(Image.new("RGB", (4096, 1024)), exif=exif)).size == (512, 2048)


@pytest.mark.parametrize("name", ["turned.heic", "half.heic"])
def test_heic_is_upright_and_keeps_its_alpha(tmp_path, name):
    for source in (PICTURES / name, (PICTURES / name).read_bytes()):
        result = open_image(source)
        assert result.size == (64, 96) and result.mode == ("RGBA" if name == "half.heic" else "RGB")
        x, y = np.meshgrid(np.arange(64), np.arange(96))
        expected = np.stack([y * 255 // 95, (63 - x) * 255 // 63, x * 0 + 90], -1)
        seen = y < (48 if name == "half.heic" else 96)
        assert np.abs(np.asarray(result, int)[..., :3] - expected)[seen].mean() < 4
        if name == "half.heic":
            assert np.array_equal(np.asarray(result)[..., 3] > 127, seen)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_damaged_heic_is_refused_in_a_sentence(cut):
    data = (PICTURES / "turned.heic").read_bytes()
    with pytest.raises(ImageError, match=r"^The picture cannot be .*; save it again as PNG or JPEG\.$"):
        open_image(data[: int(cut * len(data))])


@pytest.mark.parametrize(("format", "name"), [("AVIF", "a.png"), ("WEBP", "b.jpg"), ("JPEG", "c.heic")])
def test_what_a_file_is_its_content_says(tmp_path, format, name):
    (tmp_path / name).write_bytes(encoded(gradient(), format))
    assert np.abs(np.asarray(open_image(tmp_path / name), int) - np.asarray(gradient(), int)).mean() < 8


def disc(seen=1.0, ground=(255, 255, 255), at=(100, 60)):
    """A red disc that has faded in from a ground as far as `seen`, 0 to 1."""
    full = Image.new("RGB", (200, 120), ground)
    ImageDraw.Draw(full).ellipse((at[0] - 40, at[1] - 40, at[0] + 40, at[1] + 40), fill=(200, 30, 30))
    return Image.blend(Image.new("RGB", full.size, ground), full, seen)


def animation(frames, format, **options):
    options |= {"lossless": True} if format == "WEBP" else {}
    return encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=50, **options)


@pytest.mark.parametrize("format", images.ANIMATED)
@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0)])
def test_an_animation_that_fades_in_is_taken_once_all_is_seen(format, ground):
    frames = [disc(seen, ground) for seen in (0, 0.3, 0.6, 1, 0.5, 0)]
    result = np.asarray(open_image(animation(frames, format)).convert("RGB"), int)
    assert np.abs(result - np.asarray(frames[3], int)).mean() < 4


def test_a_blank_frame_is_passed_over_whether_white_or_transparent():
    result = open_image(PICTURES / "fadein.gif")
    assert result.convert("RGB").getpixel((150, 150)) == (255, 185, 4)
    seen = Image.new("RGBA", (64, 64))
    seen.paste((200, 30, 30, 255), (20, 20, 50, 50))
    for format in ("WEBP", "PNG"):
        result = open_image(animation([Image.new("RGBA", (64, 64)), seen], format))
        assert result.mode == "RGBA" and result.getpixel((30, 30)) == (200, 30, 30, 255)


@pytest.mark.parametrize("format", [*images.ANIMATED, "TIFF"])
def test_the_first_frame_is_taken_where_all_show_as_much(format):
    frames = [disc(at=(70 + 20 * step, 60)) for step in range(4)]
    result = np.asarray(open_image(animation(frames, format)).convert("RGB"), int)
    assert np.abs(result - np.asarray(frames[0], int)).mean() < 4
    plain = [Image.new("RGB", (32, 32), colour) for colour in ((200, 0, 0), (0, 200, 0))]
    assert open_image(animation(plain, format)).convert("RGB").getpixel((9, 9))[0] > 190


def test_an_animation_that_breaks_off_is_read_as_far_as_it_goes():
    data = animation([disc(0), disc(1), disc(0.5)], "GIF")
    result = open_image(data[: int(len(data) * 0.9)])
    assert np.abs(np.asarray(result.convert("RGB"), int) - np.asarray(disc(), int)).mean() < 4


def test_only_so_many_frames_are_looked_at(monkeypatch):
    frames = [disc(0.1), disc(0.2), disc(1)]
    monkeypatch.setattr(images, "MAX_FRAMES", 2)
    assert open_image(animation(frames, "GIF")).convert("RGB").getpixel((100, 60))[1] > 180
    monkeypatch.setattr(images, "MAX_FRAME_PIXELS", 200 * 120)
    assert open_image(animation(frames, "GIF")).convert("RGB").getpixel((100, 60))[1] > 220


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


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_scaled_down_while_it_is_decoded(monkeypatch, orientation):
    monkeypatch.setattr(images, "MAX_PIXELS", 4_000_000)  # held at a time; the picture has 12.6 million
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = gradient().resize((4200, 3000))
    result = open_image(encoded(picture, "JPEG", exif=exif))
    expected = gradient() if orientation == 1 else gradient().rotate(-90, expand=True)
    assert result.size == ((2048, 1463) if orientation == 1 else (1463, 2048))
    assert np.abs(np.asarray(result, int) - np.asarray(expected.resize(result.size), int)).mean() < 8
    for options in ({"format": "PNG", "compress_level": 1}, {"format": "JPEG", "progressive": True}):
        with pytest.raises(ImageError, match="4200×3000 px, more than 4 million pixels; scale it down first"):
            open_image(encoded(picture, **options))


def jpeg_header(width, height, progressive=False):
    """A JPEG that claims a size and has no pixels to decode."""
    data = bytearray(encoded(gradient(), "JPEG", progressive=progressive))
    frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(("side", "progressive", "most"), [(16001, False, 256), (60000, False, 256), (8001, True, 64)])
def test_jpegs_beyond_what_can_be_decoded_in_parts_are_refused(side, progressive, most):
    with pytest.raises(ImageError, match=f"{side}×{side} px, more than {most} million pixels; scale it down first"):
        open_image(jpeg_header(side, side, progressive))


@pytest.mark.parametrize("side", [8001, 12000, 60000])  # beyond our bound, beyond PIL's warning, beyond PIL's error
def test_decompression_bombs_are_refused_before_decoding(side, recwarn):
    with pytest.raises(ImageError, match="64 million pixels; scale it down"):
        open_image(png_header(side, side))
    assert not recwarn.list


def test_too_many_bytes_are_refused(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        os.truncate(file.fileno(), images.MAX_BYTES + 1)
    with pytest.raises(ImageError, match=r"huge\.png is larger than 100 MB"):
        open_image(path)


@pytest.mark.parametrize(("size", "words"), [((15, 300), "15×300.*16 px"), ((6000, 20), "6000×20.*scaled to 2048")])
def test_too_small_is_refused(size, words):
    with pytest.raises(ImageError, match=words):
        open_image(Image.new("RGB", size))


@pytest.mark.parametrize("format", WRITTEN)
def test_damaged_files_are_refused_in_a_sentence(format):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, format)
    for cut in (len(data) // 2, 30, 8, 0):
        with pytest.raises(ImageError) as caught:
            open_image(data[:cut])
        assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_flipped_bytes_never_raise_anything_else():
    rng = np.random.default_rng(2)
    for file in (*(encoded(gradient(), format) for format in WRITTEN), (PICTURES / "half.heic").read_bytes()):
        data = np.frombuffer(file, np.uint8)
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
