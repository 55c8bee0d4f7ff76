"""The app on a model of random weights: `python -m tests.app.tiny_app ARGUMENTS OF app.py`.

Such a model draws noise, in which no segmentation model finds a character: the middle of a drawing is taken for it, as
if it had been masked by hand. Everything else is the app.
"""

from PIL import Image, ImageDraw

import ui.events.render
from anystory.cast.segment import Segmenter
from ui.serve import main

FRAME = (64, 64)
"""The size of the tiny model's frames."""


class Middle(Segmenter):
    """Cuts the middle out of frames, and everything else as always."""

    def cut(self, image: Image.Image, mask: Image.Image | None = None) -> Image.Image:
        if mask is None and image.size == FRAME:
            mask = Image.new("L", FRAME)
            ImageDraw.Draw(mask).ellipse((12, 8, 52, 60), fill=255)
        return super().cut(image, mask)


if __name__ == "__main__":
    ui.events.render.Segmenter = Middle
    main()
