"""Conversions to sRGB against numbers computed without a colour engine."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from anystory.cast.colours import to_srgb
from anystory.cast.images import open_image
from tests.profiles import ADOBE, SRGB, cmyk_profile, grey_profile, rgb_profile


def grey_inks(cyan, magenta, yellow, black):
    """Lightness where cyan prints as grey, and magenta and yellow as nothing: what no program would guess."""
    return 0 if black else 60 if cyan else 100


def colours(mode="RGB", seed=0):
    rng = np.random.default_rng(seed)
    bands = Image.new(mode, (1, 1)).getbands()
    return Image.merge(mode, [Image.fromarray(rng.integers(60, 190, (20, 30), dtype=np.uint8)) for _ in bands])


def encode(linear):
    """Light, 0 to 1, as sRGB's 0 to 255."""
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_a_wide_profile_is_converted_and_not_dropped():
    picture = colours()
    light = (np.asarray(picture) / 255) ** 2.2
    expected = encode(light @ np.array(ADOBE) @ np.linalg.inv(np.array(SRGB)))
    result = np.asarray(to_srgb(picture, rgb_profile(ADOBE, 2.2)), float)
    assert np.abs(result - expected).max() < 2
    assert np.abs(np.asarray(picture, float) - expected).max() > 20


def test_grey_by_its_own_gamma():
    picture = colours("L")
    expected = encode((np.asarray(picture) / 255) ** 1.0)
    result = to_srgb(picture, grey_profile(1.0))
    assert result.mode == "RGB"
    assert np.abs(np.asarray(result, float) - expected[..., None]).max() < 2


def test_inks_by_their_profile():
    picture = Image.merge("CMYK", [Image.new("L", (8, 8), value) for value in (255, 0, 90, 0)])
    result = np.asarray(to_srgb(picture, cmyk_profile(grey_inks)), float)
    assert np.abs(result - encode(((60 + 16) / 116) ** 3)).max() < 3


def test_inks_without_a_profile_are_plain_inks():
    picture = Image.merge("CMYK", [Image.new("L", (8, 8), value) for value in (255, 0, 0, 0)])
    assert to_srgb(picture).getpixel((3, 3)) == (0, 255, 255)


def test_lab_needs_no_profile():
    lab = ImageCms.profileToProfile(
        colours(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    for result in (to_srgb(lab), open_image(lab)):
        assert np.abs(np.asarray(result, float) - np.asarray(colours(), float)).mean() < 3


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_alpha_stays_as_it_is(mode):
    picture, alpha = colours(mode), colours("L", seed=1)
    picture.putalpha(alpha)
    result = to_srgb(picture, rgb_profile(ADOBE, 2.2))
    assert result.mode == "RGBA" and result.getchannel("A").tobytes() == alpha.tobytes()


@pytest.mark.parametrize(
    "profile",
    [None, b"", b"no profile", rgb_profile(ADOBE, 2.2)[:200], cmyk_profile(lambda *inks: 50)],
    ids=["none", "empty", "words", "cut", "of inks"],
)
def test_a_profile_that_cannot_be_meant_counts_as_none(profile):
    assert to_srgb(colours(), profile).tobytes() == colours().tobytes()


def test_srgb_stays_as_it_is():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.abs(np.asarray(to_srgb(colours(), profile), int) - np.asarray(colours(), int)).max() <= 1


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_the_profile_of_a_file_is_found(format):
    file = io.BytesIO()
    flat = Image.new("RGB", (40, 40), (90, 160, 90))
    flat.save(file, format, icc_profile=rgb_profile(ADOBE, 2.2), quality=100)
    result = open_image(file.getvalue())
    expected = to_srgb(flat, rgb_profile(ADOBE, 2.2)).getpixel((9, 9))
    assert np.abs(np.subtract(result.getpixel((9, 9)), expected)).max() <= 3
    assert np.abs(np.subtract((90, 160, 90), expected)).max() > 20


def test_a_palette_and_a_picture_scaled_down_are_converted_too():
    flat, profile = Image.new("RGB", (4100, 40), (90, 160, 90)), rgb_profile(ADOBE, 2.2)
    expected = to_srgb(flat.crop((0, 0, 9, 9)), profile).getpixel((5, 5))
    for picture in (flat, flat.quantize(4)):
        file = io.BytesIO()
        picture.save(file, "PNG", icc_profile=profile)
        result = open_image(file.getvalue())
        assert result.size == (2048, 20) and np.abs(np.subtract(result.getpixel((9, 9)), expected)).max() <= 1


def test_a_jpeg_of_inks_is_converted_by_its_profile():
    file = io.BytesIO()
    inks = Image.merge("CMYK", [Image.new("L", (40, 40), value) for value in (255, 0, 90, 0)])
    inks.save(file, "JPEG", quality=100, icc_profile=cmyk_profile(grey_inks))
    result = np.asarray(open_image(file.getvalue()), float)
    assert np.abs(result - encode(((60 + 16) / 116) ** 3)).max() < 4
