"""Every backend there is, tiny."""

from __future__ import annotations

from pathlib import Path

import pytest

from anystory.backends.load import load
from tests.klein import loaded
from tests.tiny import sdxl_pipeline

GOLDEN = Path(__file__).parent.parent / "golden" / "flux"


@pytest.fixture(scope="module", params=["mini", "sdxl", "flux", "klein"])
def each_backend(request, tiny_backend, tmp_path_factory):
    """A backend that loads, in one family after the other."""
    if request.param == "mini":
        return tiny_backend
    if request.param == "flux":
        return load("flux", model=GOLDEN)
    if request.param == "klein":
        return loaded(routing="close")
    folder = tmp_path_factory.mktemp("sdxl")
    sdxl_pipeline().save_pretrained(folder)
    return load(model=folder, device="cpu")
