"""A frame as a file of layers that painting programs open: OpenRaster (.ora: Krita, GIMP, MyPaint) and PSD.

Laid over each other as their modes say, the layers are the frame; the balloons lie on top as a layer of their own.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.pages.archive import plain, zipped
from anystory.pages.balloons import Lettering, into, proper_size
from anystory.pages.form import PageError
from anystory.sketch.layers import ADD, MULTIPLY, NORMAL, SketchLayer, flattened
from anystory.sketch.patch import Patch
from anystory.story.model import Panel, RoutingMaps

ENDINGS = (".ora", ".psd")
"""Of the names of files of layers."""

_ORA = {NORMAL: "svg:src-over", MULTIPLY: "svg:multiply", ADD: "svg:plus"}
_THUMBNAIL = 256
"""Longer side of an OpenRaster file's thumbnail at most."""


def layered(layers: Sequence[SketchLayer], size: tuple[int, int], ending: str) -> bytes:
    """The file of a frame of `size` (width, height), of an ending of `ENDINGS`, its layers from the back to the front.
    The same layers give the same bytes. Raises PageError for another ending, or where psd-tools is missing."""
    if ending not in ENDINGS:
        raise PageError(
            Message(
                "A file of layers ends in {endings}, not {ending}.", endings=" or ".join(ENDINGS), ending=repr(ending)
            )
        )
    whole = Image.fromarray(flattened(layers, *size))
    return _ora(layers, whole) if ending == ".ora" else _psd(layers, whole)


def words_layer(
    size: tuple[int, int], panel: Panel, maps: RoutingMaps, how: Lettering
) -> tuple[SketchLayer | None, tuple[str, ...]]:
    """The caption box and the balloons of a frame of `size` as a layer, None where there are none, and a sentence for
    what did not fit."""
    on_white, on_black = (
        into(Image.new("RGB", size, colour), panel, maps, how, proper_size(size)) for colour in ("white", "black")
    )
    if not on_white.boxes:
        return None, on_white.warnings
    # What is drawn over white and over black differs by as much as it lets through.
    light, dark = (np.asarray(lettered.image, np.int32) for lettered in (on_white, on_black))
    alpha = 255 - (light - dark).max(axis=-1)
    colour = np.round(dark * 255 / np.maximum(alpha, 1)[..., None]).clip(0, 255)
    return SketchLayer("words", Patch(np.dstack([colour, alpha]).astype(np.uint8), 0, 0)), on_white.warnings


def _png(pixels: np.ndarray | Image.Image) -> bytes:
    buffer = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.ascontiguousarray(pixels))).save(buffer, "PNG")
    return buffer.getvalue()


def _ora(layers: Sequence[SketchLayer], whole: Image.Image) -> bytes:
    """OpenRaster 0.0.5: the mimetype first and unpacked, the stack of layers from the front to the back."""
    image = ElementTree.Element("image", version="0.0.5", w=str(whole.width), h=str(whole.height))
    stack = ElementTree.SubElement(image, "stack")
    files: dict[str, bytes] = {}
    for number, layer in enumerate(layers):
        patch = layer.patch.clipped(*whole.size)
        if patch is None:
            continue
        source = f"data/{number:03d}.png"
        files[source] = _png(patch.pixels)
        told = {"name": plain(layer.name), "src": source, "x": str(patch.x), "y": str(patch.y)}
        told |= {"composite-op": _ORA[layer.blend], "opacity": "1.0", "visibility": "visible"}
        stack.insert(0, ElementTree.Element("layer", told))
    small = whole.copy()
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    text = ElementTree.tostring(image, encoding="utf-8", xml_declaration=True)
    return zipped(
        {
            "mimetype": b"image/openraster",
            "stack.xml": text,
            **files,
            "mergedimage.png": _png(whole),
            "Thumbnails/thumbnail.png": _png(small),
        }
    )


def _psd(layers: Sequence[SketchLayer], whole: Image.Image) -> bytes:
    try:
        from psd_tools import PSDImage
        from psd_tools.constants import BlendMode
    except ImportError as error:
        raise PageError(
            Message("A .psd needs the package psd-tools; pip install 'anystory[psd]', or write a .ora.")
        ) from error
    modes: dict[str, Any] = {NORMAL: BlendMode.NORMAL, MULTIPLY: BlendMode.MULTIPLY, ADD: BlendMode.LINEAR_DODGE}
    document = PSDImage.frompil(whole)
    for layer in layers:
        patch = layer.patch.clipped(*whole.size)
        if patch is not None:
            where = {"top": patch.y, "left": patch.x, "blend_mode": modes[layer.blend]}
            document.create_pixel_layer_from_array(np.ascontiguousarray(patch.pixels), plain(layer.name), **where)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()
