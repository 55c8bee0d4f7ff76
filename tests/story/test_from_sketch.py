"""What is taken of a sketch: how it is said in every form, how many steps are left, and where everybody is."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from anystory.model.routing import token_shares
from anystory.script.edits import with_panel
from anystory.script.form import ScriptError
from anystory.script.read import parse_script, read_script
from anystory.script.write import dump_script, script_lines, script_yaml
from anystory.story.from_sketch import FROM_NOISE, FromSketch, FromSketchError, Underdrawing
from anystory.story.model import CastMember
from anystory.story.steering import SIDE, Layout, Place

CAST = (CastMember("Mia"), CastMember("Tom"))
SAID = {
    "off": FROM_NOISE,
    "layout": FromSketch(True),
    "0.4": FromSketch(strength=0.4),
    "layout 0.4": FromSketch(True, 0.4),
    "reference": FromSketch(reference=True),
    "reference 0.4": FromSketch(False, 0.4, True),
    "layout reference": FromSketch(True, reference=True),
    "layout reference 0.4": FromSketch(True, 0.4, True),
    "0": FromSketch(strength=0),
}


@pytest.mark.parametrize("words", SAID)
def test_words_are_read_and_written(words):
    assert FromSketch.read(words) == SAID[words] and str(SAID[words]) == words
    assert bool(SAID[words]) == (words != "off")


def test_numbers_and_false_are_words_too():
    assert FromSketch.read("Layout 0.4") == SAID["layout 0.4"] and FromSketch.read("Off") == FROM_NOISE
    assert FromSketch.read(0.4) == SAID["0.4"] and FromSketch.read(0) == SAID["0"]
    assert FromSketch.read(False) == FromSketch.read(1) == FROM_NOISE


@pytest.mark.parametrize(
    "words", ["", "on", True, "0.4 layout", "layout 0.4 0.5", "layout layout", "reference layout", "1.2", "-0.1", "nan"]
)
def test_other_words_are_refused_in_a_sentence(words):
    with pytest.raises(
        FromSketchError, match=r"^(from_sketch is .*; write off, layout, reference,|The strength of from_sketch is)"
    ):
        FromSketch.read(words)


@pytest.mark.parametrize(
    ("strength", "total", "run"), [(1, 25, 25), (0, 25, 0), (0.4, 25, 10), (0.4, 10, 4), (0.5, 1, 1), (0.1, 4, 1)]
)
def test_of_the_steps_the_share_runs_that_the_strength_says(strength, total, run):
    assert FromSketch(strength=strength).steps(total) == run


def test_where_all_steps_run_a_frame_begins_with_noise():
    assert FromSketch(True, 0.9).within(4) == FromSketch(True) and FromSketch(strength=0.99).within(25) == FROM_NOISE
    assert FromSketch(False, 0.9, True).within(4) == FromSketch(reference=True)
    assert FromSketch(True, 0.4).within(25) == FromSketch(True, 0.4) and FromSketch(strength=0).within(1).strength == 0


def test_a_story_and_a_panel_say_it_in_every_form():
    text = (
        "from_sketch: layout 0.5\ncast: Mia\n\n[from_sketch: off] Mia runs\n"
        "[from_sketch: 0.3] [layout: strength 0.5; steps 0 0.4] Mia\nMia sits"
    )
    script = parse_script(text)
    assert script.from_sketch == FromSketch(True, 0.5)
    assert [p.steering.from_sketch for p in script.panels] == [FROM_NOISE, FromSketch(strength=0.3), None]
    assert script.panels[1].steering.layout == Layout((), 0.5, 0, 0.4)
    data = dump_script(script)
    assert data["from_sketch"] == "layout 0.5" and data["panels"][1]["from_sketch"] == "0.3"
    assert parse_script(data) == parse_script(script_yaml(script)) == parse_script(json.dumps(data)) == script
    again = parse_script(script_lines(script), cast=script.cast)
    assert (again.from_sketch, again.panels) == (script.from_sketch, script.panels)
    card = script.panels[2]
    edited = read_script(with_panel(text, 1, card)).script
    assert edited.panels[0].steering.from_sketch is None and edited.panels[1:] == script.panels[1:]


def test_json_may_say_it_as_a_number_or_false():
    panels = [{"prompt": "sea", "from_sketch": 0.4}, {"prompt": "sea", "from_sketch": False}, {"prompt": "sea"}]
    script = parse_script({"panels": panels, "from_sketch": "layout"})
    assert [p.steering.from_sketch for p in script.panels] == [FromSketch(strength=0.4), FROM_NOISE, None]


@pytest.mark.parametrize("where", ["from_sketch: often\n\nMia runs", "Mia walks\n[from_sketch: often] Mia runs"])
def test_a_wrong_word_is_pointed_at(where):
    with pytest.raises(ScriptError, match="from_sketch is 'often'; write off, layout, reference, a number") as error:
        parse_script(where, cast=CAST)
    assert error.value.span and where[slice(*error.value.span)] == "often"


# Where everybody is.


def held(*masks):
    """Whom each pixel shows, of masks bool (H, W) from the back to the front."""
    holders = np.full(masks[0].shape, len(masks), np.uint8)
    for index, mask in enumerate(masks):
        holders[mask] = index
    return Underdrawing(FromSketch(True), Image.new("RGB", holders.shape[::-1]), holders, ("Mia", "Tom"))


def box(x0, y0, x1, y1, side=512):
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    return (x0 <= x) & (x < x1) & (y0 <= y) & (y < y1)


@pytest.mark.parametrize("side", [128, 200, 512])
def test_places_have_the_size_of_what_is_seen_and_nobody_shares_one(side):
    under = held(box(0.1, 0.2, 0.5, 0.9, side), box(0.4, 0.4, 0.8, 0.95, side))
    regions = under.regions(("Mia", "Tom"), SIDE)
    seen = [(under.holders == index).mean() for index in range(2)]
    assert np.allclose(regions.mean((1, 2)), seen, atol=1 / SIDE**2)
    assert regions.sum(0).max() == 1 and regions.dtype == np.float32
    for index, region in enumerate(regions):
        wanted = np.asarray(Image.fromarray((under.holders == index).astype(np.float32)).resize((SIDE, SIDE), 4)) >= 0.5
        assert (wanted & (region > 0)).sum() / (wanted | (region > 0)).sum() > 0.93


SMALL = {
    "1/200 of the frame": (box(0, 0, 0.3, 1), box(0.6, 0.6, 0.6 + 0.005**0.5, 0.6 + 0.005**0.5)),
    "nine tenths hidden": (box(0.5, 0.4, 0.7, 0.9), box(0.52, 0.4, 0.72, 0.9)),
    "thinner than a field": (box(0.5, 0.1, 0.504, 0.9), box(0, 0, 0.3, 1)),
    "a few pixels": (box(0.5, 0.5, 0.506, 0.506), box(0, 0, 0.3, 1)),
    "thin and behind another": (box(0.2, 0.1, 0.6, 0.9), box(0.204, 0.1, 0.6, 0.9)),
}


@pytest.mark.parametrize("masks", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("shape", [(64, 64), (16, 16), (8, 8), (24, 12)])
def test_who_is_small_or_hidden_keeps_a_place_in_every_layer(masks, shape):
    under = held(*masks)
    seen = [(under.holders == index).mean() for index in range(2)]
    assert 0 < min(seen) < 0.02
    regions = under.regions(("Mia", "Tom"), SIDE)
    assert np.allclose(regions.mean((1, 2)), seen, atol=1 / SIDE**2) and regions.any((1, 2)).all()
    shares = token_shares(torch.from_numpy(np.pad(regions, ((0, 1), (0, 0), (0, 0))))[None], shape)
    assert set(shares[0].argmax(0).tolist()) == {0, 1, 2}


def test_who_is_not_seen_has_no_place_and_places_by_hand_win():
    under = held(box(0.2, 0.2, 0.4, 0.4), box(0.2, 0.2, 0.4, 0.4))
    regions = under.regions(("Mia", "Tom"), SIDE)
    assert not regions[0].any() and regions[1].any()
    assert np.array_equal(under.regions(("Tom", "Mia"), SIDE), regions[::-1]) and not len(under.regions((), SIDE))
    hand = Place("Mia", (0.5, 0.5, 1, 1))
    both = Layout((hand,)).regions(("Mia", "Tom"), regions)
    assert np.array_equal(both, [hand.region(), regions[1]])
    assert Layout((), strength=0).regions(("Mia", "Tom"), regions) is None
    assert Layout().regions(("Mia",), regions[:1]) is None
