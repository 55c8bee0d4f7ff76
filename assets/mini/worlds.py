"""Makes worlds.webp beside it, what the embedded model makes of pictures unlike those it learned from:
`python assets/mini/worlds.py`, from the program's folder. Every picture once, the same seed, nothing picked."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from skimage import data

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from anystory import load_backend
from anystory.cast.segment import Segmenter
from anystory.maps.overlay import overlay, sheet
from anystory.story.model import Prompt

ASSETS = Path(__file__).resolve().parents[1]

SEED = 7
CALLED = "a character"
PLACES = ("in the middle of a meadow", "on the beach at sunset")


def main() -> None:
    backend, segmenter = load_backend("mini"), Segmenter()
    pictures, captions = [], []
    for what, image in worlds().items():
        subject = segmenter.subject(what, image)
        encoded = backend.encode(subject)
        white = Image.new("RGB", subject.image.size, "white")
        pictures.append(Image.composite(subject.image, white, subject.mask))
        captions.append(what)
        for place in PLACES:
            prompt = Prompt(f"{CALLED} {place}", ((0, len(CALLED)),))
            *_, last = backend.denoise(prompt, [what], [encoded], backend.about.defaults, SEED)
            pictures += [last.frame.image, overlay(last.frame.image, last.frame.maps)]
            captions += [prompt.text, "routing map"]
    sheet(pictures, captions, columns=10, cell=128).save(Path(__file__).with_name("worlds.webp"), quality=80)


def worlds() -> dict[str, Image.Image]:
    """Photographs (of scikit-image), and drawings of the example and the shelf turned into other worlds."""
    bear, llama = (_on_white(ASSETS / "example" / name) for name in ("bruno.png", "lola.png"))
    duck = _on_white(ASSETS / "shelf" / "drake.webp")
    return {
        "photo: a cat": Image.fromarray(data.chelsea()),
        "photo: an astronaut": Image.fromarray(data.astronaut()),
        "photo: a cup": Image.fromarray(data.coffee()),
        "pixel art: a bear": _pixels(bear),
        "pixel art: a duck": _pixels(duck),
        "line drawing: a llama": _lines(llama),
        "line drawing: a bear": _lines(bear),
        "3D render: a snowman": _balls([(0, -0.5, 0.45), (0, 0.1, 0.33), (0, 0.52, 0.23)], (0.9, 0.92, 1.0)),
        "3D render: a red bird": _balls([(0, -0.3, 0.5), (0.35, 0.3, 0.3), (0.68, 0.25, 0.12)], (0.9, 0.25, 0.2)),
    }


def _on_white(path: Path) -> Image.Image:
    image = Image.open(path).convert("RGBA").resize((320, 320))
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _pixels(image: Image.Image) -> Image.Image:
    """20 x 20 large pixels of 8 colours."""
    small = image.resize((20, 20), Image.Resampling.BOX).quantize(8).convert("RGB")
    return small.resize(image.size, Image.Resampling.NEAREST)


def _lines(image: Image.Image) -> Image.Image:
    """Black outlines on white, as with a pen."""
    edges = image.filter(ImageFilter.GaussianBlur(1)).convert("L").filter(ImageFilter.FIND_EDGES)
    drawn = edges.point(lambda value: 0 if value > 14 else 255).crop((3, 3, 317, 317)).resize((320, 320))
    return drawn.filter(ImageFilter.MinFilter(3)).convert("RGB")


def _balls(balls: list[tuple[float, float, float]], colour: tuple[float, float, float]) -> Image.Image:
    """Shaded balls (x, y, radius) side by side in space, lit from the upper left."""
    y, x = np.mgrid[1:-1:320j, -1:1:320j]
    depth, shade = np.full(x.shape, -np.inf), np.ones((*x.shape, 3))
    light = np.array([-0.5, 0.6, 0.62])
    for middle_x, middle_y, radius in balls:
        across, up = (x - middle_x) / radius, (y - middle_y) / radius
        inside = across**2 + up**2 < 1
        out = np.sqrt(np.where(inside, 1 - across**2 - up**2, 0))
        lit = np.clip(across * light[0] + up * light[1] + out * light[2], 0, 1)[..., None]
        nearer = inside & (out * radius > depth)
        depth = np.where(nearer, out * radius, depth)
        shade = np.where(nearer[..., None], np.array(colour) * (0.25 + 0.7 * lit) + 0.4 * lit**30, shade)
    return Image.fromarray((np.clip(shade, 0, 1) * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
