"""Characters who are only told of: which drawing of the library each of them is."""

import numpy as np
import pytest

from anystory.sketch.cutout import prepare
from anystory.sketch.likeness import library_cast, likenesses
from anystory.story.model import CastMember, Script, Subject


@pytest.mark.parametrize(
    ("description", "concept", "colour"),
    [
        ("a brown owl. It is old", "owl", "brown"),
        ("a little dragon with red wings", "dragon", ""),
        ("a green dragon", "dragon", "green"),
        ("a girl in a red dress", "girl", ""),
        ("an old king with a white beard", "king", ""),
        ("una bruja", "witch", ""),
        ("一只小猫", "cat", ""),
        ("a talking car", "car", ""),
    ],
)
def test_a_description_is_the_drawing_it_names(description, concept, colour):
    (found,) = likenesses([description])
    assert (found.drawing.concept, found.colour) == (concept, colour)


def test_what_nothing_fits_is_nobody():
    assert likenesses(["a flux capacitor", "", "a fox"])[:2] == [None, None]


def test_two_of_a_kind_are_two_drawings_while_there_are_some():
    cats = likenesses(["a cat", "a cat", "a dog"])
    assert cats[0].drawing != cats[1].drawing and "cat" in cats[1].drawing.concept
    assert cats == likenesses(["a cat", "a cat", "a dog"])


def test_it_does_not_depend_on_who_has_a_picture():
    cast = [CastMember("A", description="a cat"), CastMember("B"), CastMember("C", description="a cat")]
    found = library_cast(Script((), tuple(cast)))
    assert list(found) == ["A", "C"] and found["A"] != found["C"]


@pytest.mark.parametrize("description", ["a fox", "a girl", "a white ghost", "a polar bear", "a bee"])
def test_it_is_cut_out_whole_in_its_own_colours(description):
    (found,) = likenesses([description])
    image, mask = found.picture()
    assert image.mode == "RGB" and mask.mode == "L" and image.size == mask.size
    assert not np.asarray(mask)[[0, -1]].any() and not np.asarray(mask)[:, [0, -1]].any()
    cutout = prepare(Subject("A", image, mask))
    drawn = np.asarray(mask)
    rows, columns = (np.flatnonzero(drawn.any(axis)) for axis in (1, 0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    assert cutout.pixels.shape[:2] == drawn[part].shape and not cutout.cut
    solid = drawn[part] == 255
    assert np.array_equal(cutout.pixels[solid], np.dstack([np.asarray(image), drawn])[part][solid])
