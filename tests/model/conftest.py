"""Both topologies with random weights, and a cast for them. Shared by the tests here: leave them as they are."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from anystory.model.anystory import SubjectEncoding
from anystory.model.pipeline import AnyStoryPipeline
from tests.tiny import mini_pipeline, sdxl_pipeline

TOPOLOGIES = {"mini": mini_pipeline, "sdxl": sdxl_pipeline}


def cutout(number: int) -> tuple[Image.Image, Image.Image]:
    """A character on white, and its mask."""
    image, mask = Image.new("RGB", (60, 60), "white"), Image.new("L", (60, 60))
    box = (8 + 4 * number, 5, 50, 55 - 6 * number)
    for canvas, colour in ((image, ("red", "green", "blue", "orange")[number]), (mask, 255)):
        (ImageDraw.Draw(canvas).ellipse if number % 2 else ImageDraw.Draw(canvas).rectangle)(box, fill=colour)
    return image, mask


@pytest.fixture(scope="session", params=tuple(TOPOLOGIES))
def pipeline(request: pytest.FixtureRequest) -> AnyStoryPipeline:
    return TOPOLOGIES[request.param]()


@pytest.fixture(scope="session")
def cast(pipeline: AnyStoryPipeline) -> list[SubjectEncoding]:
    """Four encoded subjects."""
    return [pipeline.encode(*cutout(k)) for k in range(4)]
