"""Colours as a screen shows them: what a picture's colour profile means, converted to sRGB. PIL only."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "LAB": "LAB"}
"""PIL's mode for each colour space that profiles describe."""


def to_srgb(image: Image.Image, profile: bytes | None = None) -> Image.Image:
    """An 8-bit image of any mode as sRGB: RGBA if it is RGBA or LA, else RGB; its size is kept and so is its alpha.

    `profile` is the ICC profile that came with it. One that is damaged, or is not for images of this kind, counts as
    none: numbers without a profile are taken for sRGB, and for plain inks in CMYK.
    """
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    result = _converted(image, _opened(profile, image.mode)) or image.convert("RGB")
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _opened(profile: bytes | None, mode: str) -> ImageCms.ImageCmsProfile | None:
    if profile:
        try:
            return ImageCms.ImageCmsProfile(io.BytesIO(profile))
        except (OSError, ImageCms.PyCMSError):
            pass  # a LAB image needs none
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")) if mode == "LAB" else None


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image | None:
    """The image from the profile's colours to sRGB, None where the profile does not fit it."""
    mode = MODES.get(profile.profile.xcolor_space.strip()) if profile else None
    if profile is None or mode is None or (image.mode != mode and {image.mode, mode} & {"CMYK", "LAB"}):
        return None
    try:
        return ImageCms.profileToProfile(image.convert(mode), profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError:  # not one to convert from
        return None
