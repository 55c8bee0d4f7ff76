"""Places as boxes and paint: what they cover, how they are written, and what is said of wrong ones."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.cast.images import open_image
from anystory.script.form import ScriptError
from anystory.script.lint import lint
from anystory.script.read import load_script, parse_script, read_script
from anystory.script.write import dump_script, panel_lines, script_lines, script_yaml
from anystory.story.model import BACKGROUND, CastMember
from anystory.story.steering import SIDE, UNSTEERED, Layout, Place, Steering, painted

CAST = (CastMember("Mia"), CastMember("Tom"))
LINE = "[layout: Mia 0 0.2 0.5 1; Tom 0.5 0.25 1 1; strength 0.8; steps 0 0.5] Mia and Tom dance"
BOMB = "paint:" + base64.b64encode(zlib.compress(bytes(10**7))).decode()
LAID = Layout((Place("Mia", (0, 0.2, 0.5, 1)), Place("Tom", (0.5, 0.25, 1, 1))), 0.8, 0, 0.5)


def test_a_box_covers_its_share_of_every_field():
    region = Place("Mia", (0.1, 0.25, 0.6, 1)).region()
    assert region.shape == (SIDE, SIDE) and region.dtype == np.float32
    assert region.mean() == pytest.approx(0.5 * 0.75, abs=1e-6)
    rows, columns = region.sum(1), region.sum(0)
    assert (rows[:16] == 0).all() and (rows[16:] > 0).all()
    assert columns[6] / columns[7] == pytest.approx(0.6) and columns[38] / columns[7] == pytest.approx(0.4, abs=1e-5)


def test_paint_is_where_a_picture_is_light_and_opaque():
    picture = Image.new("RGBA", (100, 50), (255, 255, 255, 0))
    ImageDraw.Draw(picture).rectangle((0, 0, 49, 49), fill="white")
    ImageDraw.Draw(picture).rectangle((50, 0, 99, 24), fill="black")
    region = Place("Mia", paint=painted(picture)).region()
    assert region[:, : SIDE // 2].all() and not region[:, SIDE // 2 :].any()


def test_regions_follow_the_names_and_who_has_no_place_has_zeros():
    regions = LAID.regions(("Tom", "Ann", BACKGROUND))
    assert np.array_equal(regions[0], LAID.places[1].region()) and not regions[1:].any()
    assert LAID.regions(("Ann", BACKGROUND)) is None
    assert Layout(LAID.places, strength=0).regions(("Mia", BACKGROUND)) is None


def test_what_is_asked_counts_names_by_their_order_and_nothing_is_empty():
    one, other = Steering(Layout((Place("A", (0, 0, 1, 1)),))), Steering(Layout((Place("B", (0, 0, 1, 1)),)))
    assert one.asked(("A", BACKGROUND)) == other.asked(("B", BACKGROUND)) != {}
    assert UNSTEERED.asked(("A", BACKGROUND)) == {}
    assert Steering(Layout(one.layout.places, strength=0)).asked(("A", BACKGROUND)) == {}


def test_a_line_a_mapping_and_a_file_say_the_same(tmp_path):
    (panel,) = parse_script(LINE, cast=CAST).panels
    assert panel.steering.layout == LAID and panel.prompt == "Mia and Tom dance"
    fields = {"layout": {"Mia": [0, 0.2, 0.5, 1], "tom": ["0.5", "0.25", "1", "1"]}, "layout_strength": 0.8}
    data = {"panels": [{"prompt": panel.prompt, "layout_steps": [0, 0.5], **fields}]}
    assert parse_script(data, cast=CAST).panels == (panel,)
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).ellipse((10, 20, 60, 120), fill=255)
    mask.save(tmp_path / "place.png")
    (tmp_path / "s.yaml").write_text(
        "panels: [{prompt: Mia runs, layout: {Mia: place.png, background: [0, 0, 1, 0.1]}}]"
    )
    script = load_script(tmp_path / "s.yaml", cast=CAST)
    painted_place, ground = script.panels[0].steering.layout.places
    assert painted_place == Place("Mia", paint=painted(open_image(tmp_path / "place.png")))
    assert ground == Place(BACKGROUND, (0, 0, 1, 0.1))
    assert parse_script(dump_script(script)) == script


def test_lines_say_a_layout_and_its_paint_again():
    script = parse_script(LINE, cast=CAST)
    assert parse_script(script_lines(script), cast=CAST) == script
    data = dump_script(script)
    figure = Image.new("L", (64, 64))
    ImageDraw.Draw(figure).ellipse((10, 20, 30, 60), fill=255)
    data["panels"][0]["layout"]["Mia"] = painted(figure)
    script = parse_script(data, cast=CAST)
    assert parse_script(script_lines(script), cast=CAST) == script
    assert len(painted(figure)) < 200, "a figure is short enough for a line"


@pytest.mark.parametrize(
    ("layout", "said", "words"),
    [
        ("Mia 0 0.2 2.5 1", "The box of Mia is 0 0.2 2.5 1; its numbers x0 y0 x1 y1 must be from -1 to 2, and", "Mia"),
        ("Mia 1 0.2 1.5 1", "The box of Mia is 1 0.2 1.5 1; its numbers x0 y0 x1 y1 must be from -1 to 2, and", "Mia"),
        ("Mia 0.5 0 0.5 1", "which is empty: x0 must be less than x1, and y0 less than y1.", "Mia"),
        ("Mia 0 0.2", "The box of Mia must be 4 numbers, not '0 0.2'.", "Mia"),
        ("Mia nan 0 1 1", "Nobody is named 'Mia nan' (did you mean 'Mia'?)", "Mia nan"),
        ("Maia 0 0 1 1", "Nobody is named 'Maia' (did you mean 'Mia'?)", "Maia"),
        ("Tom 0 0 1 1", "Tom has a place in the layout but is not in the panel; name Tom, or delete the place.", "Tom"),
        ("Mia 0 0 1 1; Mia 0 0 1 0.5", "Mia has two places in the layout; keep one.", None),
        ("Mia 0 0 1 1; strength 3", "The strength of the layout is 3; it must be between 0 and 1.", None),
        ("Mia 0 0 1 1; steps 0.5 0.2", "The layout's steps are 0.5 to 0.2; the first must be less", None),
        (" ", "The layout places nobody; write a name and a box, as in [layout: Mia 0 0.2 0.5 1].", None),
    ],
)
def test_the_linter_says_what_is_wrong_with_a_layout_and_where(layout, said, words):
    text = f"[NC] the sea\n[layout: {layout}] Mia runs"
    (finding,) = [finding for finding in lint(text, cast=CAST) if finding.severity == "error"]
    assert said in finding.message and finding.line == 2
    assert words is None or text[finding.start : finding.end] == words


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            "paint:" + base64.b64encode(zlib.compress(bytes(10**7))).decode(),
            "The paint of Mia is damaged; paint it again.",
        ),
        ("paint:AAAA", "The paint of Mia is damaged; paint it again."),
        (painted(Image.new("L", (9, 9))), "The paint of Mia is empty; paint where Mia is to be, or delete it."),
        ("../secret.png", "Pasted text cannot name a picture ('../secret.png'); load it as a file."),
        (["0", "x", "1", "1"], "The box of Mia must be 4 numbers, not '0 x 1 1'."),
        (None, "The box of Mia must be 4 numbers, not 'None'."),
    ],
)
def test_wrong_places_are_refused_in_a_sentence(place, said):
    import json

    with pytest.raises(ScriptError) as error:
        parse_script(json.dumps({"panels": [{"prompt": "Mia runs", "layout": {"Mia": place}}]}), cast=CAST)
    assert error.value.sentence == said


STRENGTHS = {"eta": {"Mia": 1.5}, "gamma": {"tom": "-1"}, "reference_steps": [0, 0.8], "router": "false"}


def test_strengths_are_read_written_and_asked_for():
    script = parse_script({"panels": [{"prompt": "Mia and Tom run", **STRENGTHS}]}, cast=CAST)
    steering = script.panels[0].steering
    assert steering == Steering(eta=(("Mia", 1.5),), gamma=(("Tom", -1.0),), reference=(0, 0.8), router=False)
    assert parse_script(dump_script(script)) == script
    assert script_lines(script) == (
        "[eta: Mia 1.5] [gamma: Tom -1] [reference_steps: 0 0.8] [router: false] Mia and Tom run"
    )
    assert parse_script(script_lines(script), cast=CAST).panels == script.panels
    assert steering.etas(("Tom", "Mia"), 0.5) == (0.5, 1.5) and steering.gammas(("Tom", "Mia"), 0.5) == (-1, 0.5)
    asked = steering.asked(("Tom", "Mia", BACKGROUND))
    assert asked == {"eta": [None, 1.5, None], "gamma": [-1, None, None], "reference": (0, 0.8), "router": False}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"eta": {"Mia": 9}}, "The eta of Mia is 9; it must be between 0 and 4."),
        ({"eta": 2}, "eta must be a mapping of names to numbers."),
        ({"gamma": {"Mia": "much"}}, "The gamma of Mia must be a number, not 'much'."),
        ({"gamma": {"Tom": 1}}, "Tom has a strength but is not in the panel; name Tom there."),
        ({"reference_steps": [0.5, 0.2]}, "The reference_steps are 0.5 0.2; the first must not be more"),
        ({"router": "maybe"}, "router is true or false, not 'maybe'."),
    ],
)
def test_wrong_strengths_are_refused_in_a_sentence(fields, said):
    with pytest.raises(ScriptError, match=re.escape(said)):
        parse_script({"panels": [{"prompt": "Mia runs", **fields}]}, cast=CAST)


def test_flip_and_turn_are_read_and_written_in_every_form():
    text = "cast: Mia, a fox\ncast: Tom, a boy\n\n[flip: Tom, mia] [turn: Mia 15; Tom -20.5] Mia and Tom run"
    script = read_script(text).script
    layout = script.panels[0].steering.layout
    assert layout == Layout(flip=("Mia", "Tom"), turn=(("Mia", 15.0), ("Tom", -20.5)))
    line = panel_lines(script.panels[0], script.cast)
    assert line == "[flip: Mia; Tom] [turn: Mia 15; Tom -20.5] Mia and Tom run"
    assert read_script(script_yaml(script)).script.panels == script.panels
    assert read_script(json.dumps(dump_script(script))).script.panels == script.panels
    assert not UNSTEERED.asked(("Mia",)) and script.panels[0].steering.routed == UNSTEERED
    assert script.panels[0].steering.renamed({"Mia": "Ann"}).layout.flip == ("Ann", "Tom")


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("[flip: Tom]", "Tom is flipped but is not in the panel; name Tom there."),
        ("[turn: Mia 200]", "The turn of Mia is 200; it must be from -180 to 180 degrees."),
        ("[turn: Mia far]", "The turn of Mia must be a number, not 'far'."),
    ],
)
def test_what_cannot_be_turned_is_said(tag, said):
    text = f"cast: Mia, a fox\ncast: Tom, a boy\n\n{tag} Mia runs"
    assert [one.message for one in lint(text) if one.severity == "error"] == [said]
