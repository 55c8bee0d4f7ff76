"""Sketches: what storybook would make of a panel, small, and the same whenever it is asked for."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from anystory.api import load_story
from anystory.backends.load import load
from anystory.render.sketches import SIDE, Sketches
from anystory.story.model import CastMember, Panel
from anystory.supplies import ASSETS


@pytest.fixture(scope="module")
def story():
    return load_story(ASSETS / "example" / "story.yaml", load("storybook"))


def with_panels(story, *panels, cast=()):
    return replace(story, script=replace(story.script, panels=panels, cast=(*story.script.cast, *cast)))


def test_a_sketch_changes_with_its_words_alone_and_is_the_same_anywhere(story):
    one, two = Panel("Bruno in the forest", ("Bruno",)), Panel("Fern at the beach", ("Fern",))
    sketches = Sketches()
    first = sketches.asked(with_panels(story, one, two))
    sized = sketches.asked(with_panels(story, replace(one, size=64, caption="Hi"), replace(two, prompt="Fern sits")))
    assert sized[0].key == first[0].key and sized[1].key != first[1].key
    drawn = sketches.draw(first[0])
    assert sketches.has(first[0]) and not sketches.has(first[1])
    picture = Image.open(io.BytesIO(drawn))
    assert (picture.format, picture.size) == ("WEBP", (SIDE, SIDE))
    assert Sketches().draw(sized[0]) == drawn
    other = sketches.asked(replace(with_panels(story, one), settings=replace(story.settings, seed=1)))
    assert sketches.draw(other[0]) != drawn


def test_who_has_no_picture_comes_from_the_library_or_leaves_its_panels_without_a_sketch(story):
    fox, nobody = CastMember("Mia", description="a small fox"), CastMember("Zed", description="xyzzy")
    panels = Panel("Mia sits", ("Mia",)), Panel("Zed sits", ("Zed",)), Panel("the sea")
    asked = Sketches().asked(with_panels(story, *panels, cast=(fox, nobody)))
    assert [one is not None for one in asked] == [True, False, True]


def test_a_crowd_has_no_sketch_and_a_cache_of_no_size_makes_the_same(story):
    many = tuple(CastMember(f"N{k}", description="a dog") for k in range(13))
    sketches = Sketches(limit=0)
    asked = sketches.asked(with_panels(story, Panel("all", tuple(one.name for one in many)), Panel("sea"), cast=many))
    assert asked[0] is None
    assert sketches.draw(asked[1]) == Sketches().draw(asked[1]) and not sketches.has(asked[1])
