"""Who of a cast is where in a picture, by a backend's routers: the maps as masks, shares and files to take home."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from anystory.backends.base import Locator
from anystory.cast.images import coverage
from anystory.maps.overlay import overlay, with_legend
from anystory.project.folder import png, subject_files
from anystory.story.model import BACKGROUND, RoutingMaps, Subject


@dataclass(frozen=True)
class Located:
    """`masks` (L, the picture's size) are white where each of `names` is; `overlay` is the picture with them in colour,
    the legend below."""

    names: tuple[str, ...]
    masks: tuple[Image.Image, ...]
    overlay: Image.Image

    @property
    def shares(self) -> dict[str, float]:
        """How much of the picture everybody holds, 0 to 1."""
        return {name: round(coverage(mask), 4) for name, mask in zip(self.names, self.masks, strict=True)}

    @property
    def files(self) -> dict[str, bytes]:
        """A PNG of each mask and of the overlay, by file name."""
        stems = [Path(file).stem for file in subject_files(self.names).values()]
        files = {f"{stem}-mask.png": png(mask) for stem, mask in zip(stems, self.masks, strict=True)}
        return files | {"overlay.png": png(self.overlay)}

    @property
    def zipped(self) -> bytes:
        """The files as one ZIP."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in self.files.items():
                archive.writestr(name, data)
        return buffer.getvalue()


def locate(
    engine: Locator, picture: Image.Image, subjects: Sequence[Subject], cast: Sequence[str] | None = None
) -> Located:
    """Look for `subjects`, no two of one name, in a picture. `cast` fixes the colours as in `overlay`. Raises
    BackendError for more subjects than the backend takes."""
    picture, names = picture.convert("RGB"), tuple(subject.name for subject in subjects)
    found = engine.locate(picture, names, [engine.encode(subject) for subject in subjects])
    places = found.located(picture.size)
    masks = tuple(Image.fromarray(np.where(place, np.uint8(255), np.uint8(0))) for place in places)
    held = np.stack(places).astype(np.float32)
    maps = RoutingMaps((*names, BACKGROUND), np.concatenate([held, 1 - held.sum(axis=0, keepdims=True)]))
    return Located(names, masks, with_legend(overlay(picture, maps, cast=cast), names, cast))
