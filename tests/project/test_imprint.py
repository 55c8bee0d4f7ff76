"""A frame dropped in brings its story back; anything else gets one sentence."""

import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from anystory.project.folder import Project, png
from anystory.project.imprint import (
    KEY,
    MAX_STORY,
    ImprintError,
    imprint,
    story_from_png,
    without_pictures,
)
from anystory.render.session import Renderer
from anystory.script.read import parse_script
from anystory.script.write import dump_script
from anystory.story.model import MAX_SEED, CastMember, Panel, Script
from tests.stories import PANELS, looks, rendered, story


def with_text(**text):
    return png(Image.new("RGB", (8, 8)), text)


def with_story(**changes):
    made = story()
    data = json.loads(imprint(dump_script(made.script), made.settings.written, looks(made), 1))
    return with_text(story=json.dumps({**data, **changes}), seed="0", backend="mini", version="1")


def test_a_frame_brings_its_whole_story_back(tmp_path):
    made = story(steps=7, guidance=2.5, seed=40)
    rendered(tmp_path, made)
    back = story_from_png((tmp_path / "frames/002.png").read_bytes())
    assert (back.script, back.settings) == (made.script, made.settings)
    assert (back.panel, back.seed, back.backend, back.version) == (2, 9, "mini", "1.0")
    assert back.missing == ("Fox", "Owl") and back.notes == ()


def test_it_says_whose_picture_is_missing_or_another(tmp_path):
    made = story()
    rendered(tmp_path, made)
    data = (tmp_path / "frames/001.png").read_bytes()
    assert story_from_png(data, looks(made)).missing == ()
    back = story_from_png(data, {"Fox": looks(made)["Fox"], "Owl": "another"})
    assert back.missing == () and back.notes == ("Owl has a different picture here from the one in the frame's story.",)
    fox, owl = made.subjects
    more = looks(replace(made, subjects=(replace(fox, more=owl.pictures), owl)))
    assert story_from_png(data, more).notes == ("Fox has a different picture here from the one in the frame's story.",)


def test_a_frame_of_another_seed_pins_it(tmp_path):
    made = story(seed=3)
    project = rendered(tmp_path, made)
    project.save(1, replace(project.frame(1), seed=777), "key0", "Fox walks", made.settings)
    back = story_from_png((tmp_path / "frames/001.png").read_bytes())
    assert back.script.panels[0].seed == 777 and back.script.panels[1:] == made.script.panels[1:]


def test_after_the_greatest_seed_comes_the_least(tiny_backend, tmp_path):
    made = story(PANELS[::2], seed=MAX_SEED)
    made = replace(made, settings=replace(made.settings, steps=1))
    list(Renderer(tiny_backend).render(made, tmp_path))
    assert [Project(tmp_path).frame(number).seed for number in (1, 2)] == [MAX_SEED, 0]
    found = story_from_png((tmp_path / "frames" / "002.png").read_bytes())
    assert (found.seed, found.settings.seed, found.script.panels[1].seed) == (0, MAX_SEED, None)


def test_a_story_too_long_to_travel_leaves_its_own_panel():
    panels = tuple(Panel("Fox " + "walks " * 300, ("Fox",)) for _ in range(180))
    script = Script(panels, (CastMember("Fox"), CastMember("Owl")))
    text = imprint(dump_script(script), story().settings.written, {"Fox": "a", "Owl": "b"}, 120)
    assert len(text) < MAX_STORY
    back = story_from_png(with_text(story=text, seed="119"))
    assert [panel.prompt for panel in back.script.panels] == [panels[0].prompt.strip()]
    assert (back.panel, back.script.panels[0].seed, back.missing) == (1, 119, ("Fox",))


def test_an_older_frame_brings_its_own_prompt():
    text = {"prompt": "a fox [x]", "seed": "5", "backend": "mini", "version": "0", "key": "k"}
    back = story_from_png(with_text(**text, settings='{"size": 64, "steps": 3, "guidance": 2.0}'))
    assert back.script.panels == (Panel("a fox [x]", seed=5),)
    assert (back.settings.steps, back.settings.seed, back.seed) == (3, 5, 5) and "older" in back.notes[0]


def test_a_layout_travels_but_names_no_file():
    script = parse_script("[layout: Mia 0 0 0.5 1; strength 0.5] Mia runs", cast=[CastMember("Mia")])
    data = dump_script(script)
    assert without_pictures(data) == script
    data["panels"][0]["layout"]["Mia"] = "/etc/passwd"
    assert without_pictures(data).panels[0].steering.layout.places == ()


def test_a_frame_of_a_script_that_lists_nobody_has_those_who_were_looked_at():
    script = {"panels": [{"prompt": "Fox walks", "cast": ["Fox"]}]}
    back = story_from_png(with_story(script=script, looks={"Fox": "a"}))
    assert (back.script.panels[0].cast, back.script.cast, back.missing) == (("Fox",), (CastMember("Fox"),), ("Fox",))


def test_pictures_named_in_the_text_are_never_looked_for():
    script = {"cast": [{"name": "Fox", "image": "/etc/passwd", "mask": "../x"}], "panels": [{"prompt": "Fox walks"}]}
    assert story_from_png(with_story(script=script)).script.cast == (CastMember("Fox"),)


def jpeg():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a PNG"),
        (jpeg(), "not a PNG"),
        (with_text()[:40], "damaged"),
        (with_text(), "no AnyStory settings"),
        (with_text(parameters="masterpiece, Steps: 20"), "from A1111"),
        (with_text(prompt="{}", workflow="{}"), "from ComfyUI"),
        (with_text(story="Once upon a time", seed="0"), "another program"),
        (with_text(story="[" * 5000, seed="0"), "another program"),
        (with_text(story="x" * (2 * MAX_STORY + 1), seed="0"), "more than a frame carries"),
        (with_text(story="[]", seed="0"), "not values by name"),
        (with_story(format=99), "newer AnyStory"),
        (with_story(panel=4), "panel is 4, not a whole number from 1 to 3"),
        (with_story(panel=True), "panel is True"),
        (with_story(script=[]), "script is"),
        (with_story(script={"panels": [{"prompt": "Fox", "cast": ["Nobody"]}]}), "Nobody"),
        (with_story(script={"panels": []}), "panel"),
        (with_story(looks=3), "looks"),
        (with_story(settings={"size": 64, "steps": 10**9}), "steps"),
        (with_story(settings={"size": "64; rm", "steps": 3}), "size"),
        (with_story(settings={"steps": 3}), "no settings.size"),
        (with_text(prompt="", seed="x", settings="{}", backend="", key=""), "seed"),
    ],
)
def test_anything_else_is_one_sentence(data, says):
    with pytest.raises(ImprintError, match=says) as refused:
        story_from_png(data)
    assert "\n" not in str(refused.value)


def test_a_compressed_bomb_of_text_is_refused():
    from PIL.PngImagePlugin import PngInfo

    info, buffer = PngInfo(), io.BytesIO()
    info.add_text(KEY, " " * 30_000_000, zip=True)
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=info)
    with pytest.raises(ImprintError):
        story_from_png(buffer.getvalue())
