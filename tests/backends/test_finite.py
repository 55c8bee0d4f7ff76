"""NaN from a model is an error that says so: no frame, nothing in the folder, nothing believed on a second run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from anystory.backends.base import BackendError
from anystory.model.finite import NotFiniteError, finite
from anystory.project.folder import Project, ProjectError, packed_maps
from anystory.render.locating import locate
from anystory.render.session import Renderer
from anystory.story.model import BACKGROUND, CastMember, Panel, RoutingMaps, Script, Story, Subject


def subject(name: str) -> Subject:
    mask = Image.new("L", (48, 48))
    ImageDraw.Draw(mask).ellipse((8, 8, 40, 40), fill=255)
    return Subject(name, Image.new("RGB", mask.size, "orange"), mask)


def story(backend, *names: str) -> Story:
    script = Script((Panel(" and ".join(names) or "a beach", names),), tuple(map(CastMember, names)))
    return Story(script, tuple(map(subject, names)), replace(backend.about.defaults, size=64, steps=2))


@contextmanager
def poisoned(module: torch.nn.Module, value: float):
    """While every weight of a module is `value`."""
    before = [parameter.detach().clone() for parameter in module.parameters()]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, old in zip(module.parameters(), before, strict=True):
                parameter.copy_(old)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("names", [(), ("Fox",), ("Fox", "Owl")])
def test_latents_that_are_no_numbers_are_no_frame(each_backend, tmp_path, names, value):
    pipeline = each_backend.pipeline
    network = getattr(pipeline, "transformer", None) or pipeline.unet
    with poisoned(network, value), pytest.raises(BackendError, match="not finite numbers"):
        list(Renderer(each_backend).render(story(each_backend, *names), tmp_path))
    assert not list(tmp_path.rglob("frames/*"))
    assert Project(tmp_path).entries == {}


def test_pixels_that_are_no_numbers_are_no_frame(each_backend, tmp_path):
    with poisoned(each_backend.pipeline.vae.decoder, float("nan")), pytest.raises(BackendError, match="the pixels"):
        list(Renderer(each_backend).render(story(each_backend), tmp_path))
    assert not list(tmp_path.rglob("frames/*"))


def test_nobody_is_located_by_no_numbers(each_backend):
    pipeline = each_backend.pipeline
    network = getattr(pipeline, "transformer", None) or pipeline.unet
    with poisoned(network, float("nan")), pytest.raises(BackendError, match="the maps"):
        locate(each_backend, Image.new("RGB", (64, 64)), [subject("Fox"), subject("Owl")])


def test_a_frame_of_no_numbers_that_is_there_is_made_anew(tiny_backend, tmp_path):
    asked = story(tiny_backend, "Fox")
    first = [event.step.frame for event in Renderer(tiny_backend).render(asked, tmp_path)][-1]
    entry, broken = Project(tmp_path).entries[1], first.maps
    broken.values[:] = np.nan  # as a version wrote it that did not look
    (tmp_path / entry.maps).write_bytes(packed_maps(broken, entry.key))
    with pytest.raises(ProjectError, match="not finite numbers"):
        Project(tmp_path).frame(1)
    again = [event for event in Renderer(tiny_backend).render(asked, tmp_path) if event.done]
    assert not again[0].reused
    assert np.isfinite(Project(tmp_path).frame(1).maps.values).all()


def test_maps_are_finite():
    with pytest.raises(ValueError, match="not finite numbers"):
        RoutingMaps(("Fox", BACKGROUND), np.full((2, 4, 4), np.nan, np.float32))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_value_is_enough(value):
    values = torch.zeros(3, 4)
    assert finite(values, "pixels") is values
    values[2, 3] = value
    with pytest.raises(NotFiniteError, match="the pixels"):
        finite(values, "pixels")
