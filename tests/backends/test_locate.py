"""Segmentation by the router: maps of a picture that is there, and the command that writes them as masks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.__main__ import main
from anystory.backends.base import BackendError, Locator, Request
from anystory.backends.load import load
from anystory.story.model import ATTENTION, BACKGROUND, ROUTING, Prompt, RoutingMaps, Subject
from tests.backends.conftest import GOLDEN


def subject(name, colour):
    image, mask = Image.new("RGB", (50, 40), "gray"), Image.new("L", (50, 40))
    for picture, fill in ((image, colour), (mask, 255)):
        ImageDraw.Draw(picture).ellipse((10, 5, 40, 35), fill=fill)
    return Subject(name, image, mask)


CAST = (subject("Fox", "red"), subject("Robot", "blue"))


@pytest.fixture(scope="module")
def picture():
    made = Image.new("RGB", (120, 60), "green")
    ImageDraw.Draw(made).ellipse((10, 10, 50, 50), fill="red")
    return made


@pytest.fixture(scope="module")
def backend(each_backend):
    return each_backend


@pytest.fixture(scope="module")
def encoded(backend):
    return [backend.encode(subject) for subject in CAST]


def test_a_picture_of_any_shape_has_maps_of_its_shape(backend, encoded, picture):
    assert isinstance(backend, Locator)
    maps = backend.locate(picture, ["Fox", "Robot"], encoded)
    assert maps.names == ("Fox", "Robot", BACKGROUND) and maps.measure == ROUTING
    height, width = maps.values.shape[1:]
    assert height == pytest.approx(width / 2, abs=1) and height * width >= 64
    assert maps.values.dtype == np.float32 and np.allclose(maps.values.sum(0), 1, atol=1e-5)
    assert np.array_equal(maps.values, backend.locate(picture, ["Fox", "Robot"], encoded).values)
    assert (backend.locate(picture, [], []).values == 1).all()


def test_characters_in_another_order_have_the_same_maps(backend, encoded, picture):
    maps = backend.locate(picture, ["Fox", "Robot"], encoded)
    turned = backend.locate(picture, ["Robot", "Fox"], encoded[::-1])
    assert np.allclose(maps.values[[1, 0, 2]], turned.values, atol=1e-4)


def test_another_picture_has_other_maps_and_too_many_are_refused(backend, encoded, picture):
    names = ["Fox", "Robot"]
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    a, b = (backend.locate(p, names, encoded).values for p in (picture, mirrored))
    assert not np.array_equal(a, b)
    with pytest.raises(BackendError, match="At most 4 characters can be looked for at once, not 5"):
        backend.locate(picture, list("ABCDE"), [encoded[0]] * 5)


def test_looking_leaves_no_trace_in_a_frame_made_afterwards(backend, encoded, picture):
    settings = replace(backend.about.defaults, size=64, steps=1)

    def frame():
        *_, last = backend.denoise(Request(Prompt("a fox"), ("Fox",), encoded[:1], settings, 7))
        return np.asarray(last.frame.image)

    before = frame()
    found = backend.locate(picture, ["Fox"], encoded[:1]).located(picture.size)
    assert [place.shape for place in found] == [picture.size[::-1]] and np.array_equal(before, frame())


def test_of_a_single_character_flux_tells_the_share_of_attention_which_is_cut_at_half_its_height(picture):
    flux = load("flux", model=GOLDEN)
    maps = flux.locate(picture, ["Fox"], [flux.encode(CAST[0])])
    assert maps.measure == ATTENTION and 0 < maps.values[0].min() < maps.values[0].max() < 1
    (place,) = maps.located(maps.values.shape[:0:-1])
    assert np.array_equal(place, maps.values[0] >= maps.values[0].max() / 2)


def test_masks_are_where_a_map_is_the_largest():
    values = np.zeros((3, 2, 2), np.float32)
    values[0, :, 0], values[1, 0, 1], values[2, 1, 1] = 1, 1, 1
    left, top = RoutingMaps(("A", "B", BACKGROUND), values).located((8, 4))
    assert left.shape == (4, 8) and left[0].tolist() == [True] * 4 + [False] * 4
    assert top[0].tolist() == [False] * 4 + [True] * 4 and not top[-1].any()


@pytest.mark.parametrize("name", ["mini", "flux"])
def test_the_command_writes_masks_and_an_overlay(name, tiny_model_folder, picture, tmp_path, capsys):
    for made in CAST:
        rgba = made.image.copy()
        rgba.putalpha(made.mask)
        rgba.save(tmp_path / f"{made.name}.png")
    picture.save(tmp_path / "scene.png")
    command = ["segment", tmp_path / "scene.png", tmp_path / "out", "--backend", name, "--device", "cpu"]
    command += ["--model", GOLDEN if name == "flux" else tiny_model_folder]
    by = ["--by", tmp_path / "Fox.png", "--by", tmp_path / "Robot.png"]
    assert main([str(word) for word in [*command, *by, "--json"]]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    shares = next(event["shares"] for event in events if event["event"] == "written")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["fox-mask.png", "overlay.png", "robot-mask.png"]
    masks = [np.asarray(Image.open(tmp_path / "out" / f"{name}-mask.png")) for name in ("fox", "robot")]
    assert [mask.shape for mask in masks] == [(60, 120)] * 2 and not (masks[0] & masks[1]).any()
    assert shares == {name: round(float((m > 127).mean()), 4) for name, m in zip(("Fox", "Robot"), masks, strict=True)}
    assert main([str(word) for word in [*command, *by, "--by", tmp_path / "Fox.png"]]) == 2
    assert "Two references are named alike (Fox, Robot, Fox)" in capsys.readouterr().err
