"""Pictures enlarged by a small network, which keeps the outlines of drawings sharp, for print. numpy and PIL;
onnxruntime is imported when there is something to enlarge.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.pages.form import PageError
from anystory.supplies import ASSETS

NETWORK = ASSETS / "enlarge" / "animevideov3_x4.onnx"
TIMES = 4
"""How much larger the network makes what it is given."""
TILE = 256
"""Pixels of a side of what it is given at once: a whole frame would take gigabytes."""
REACH = 18
"""Pixels around one that it depends on: one for each of the network's convolutions."""
THREADS = 4


def enlarged(image: Image.Image, times: float) -> Image.Image:
    """An RGB picture `times` as large, at most `TIMES`. Raises PageError where the network cannot be run."""
    pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[:2]
    large = np.empty((TIMES * height, TIMES * width, 3), np.uint8)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            bottom, right = min(top + TILE, height), min(left + TILE, width)
            above, beside = max(top - REACH, 0), max(left - REACH, 0)
            part = _run(pixels[above : bottom + REACH, beside : right + REACH])
            rows, columns = TIMES * (top - above), TIMES * (left - beside)
            large[TIMES * top : TIMES * bottom, TIMES * left : TIMES * right] = part[
                rows : rows + TIMES * (bottom - top), columns : columns + TIMES * (right - left)
            ]
    made = Image.fromarray(large)
    if times >= TIMES:
        return made
    return made.resize((round(width * times + 0.499), round(height * times + 0.499)), Image.Resampling.LANCZOS)


def _run(pixels: np.ndarray) -> np.ndarray:
    """uint8 (height, width, 3), `TIMES` as large."""
    given = pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
    (made,) = _network().run(None, {"small": given})
    return (made[0].transpose(1, 2, 0) * 255 + 0.5).clip(0, 255).astype(np.uint8)


@lru_cache(1)
def _network() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise PageError(
            Message("Enlarging needs onnxruntime; install it with: pip install 'rembg[cpu]', or leave it out.")
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    threads = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = int(threads) if threads.isdecimal() else min(THREADS, os.cpu_count() or 1)
    return onnxruntime.InferenceSession(str(NETWORK), options, providers=["CPUExecutionProvider"])
