"""Storybook on the command line: what is the default, what is refused, and the sketches for other programs."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from anystory.__main__ import main
from anystory.backends.load import load
from anystory.project.folder import Project
from anystory.script.form import ScriptError
from anystory.script.read import load_script, parse_script
from anystory.script.write import dump_script
from anystory.story.model import BOUNDS, LIBRARY
from tests.cli.test_main import picture

FORM = {
    "panel": int,
    "prompt": str,
    "place": str,
    "setting": str,
    "time": str,
    "weather": str,
    "medium": str,
    "shot": str,
    "carried": list,
    "guessed": list,
    "unread": list,
    "cast": list,
    "things": list,
    "marks": list,
}
"""What other programs read of a sketch, as design and docs/program.md have it."""

ROLE = {"name", "action", "where", "size", "box", "facing", "holds", "behind"}


@pytest.fixture
def script(tmp_path):
    for name, colour in (("fox", "orange"), ("owl", "brown")):
        picture(tmp_path / f"{name}.png", colour)
    cast = [{"name": "Fox", "image": "fox.png", "height": 0.5}, {"name": "Owl", "image": "owl.png"}]
    panels = [
        {"prompt": "Fox at the beach at night", "size": 96},
        {"prompt": "Fox and Owl in the forest", "size": 96, "seed": 5},
        {"prompt": "nobody is here", "cast": [], "size": 96},
    ]
    path = tmp_path / "story.yaml"
    path.write_text(yaml.safe_dump({"cast": cast, "panels": panels}, sort_keys=False), encoding="utf-8")
    return path


def changed(script, **more):
    data = {**yaml.safe_load(script.read_text(encoding="utf-8")), **more}
    script.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def events(capsys, kind):
    return [event for line in capsys.readouterr().out.splitlines() if (event := json.loads(line))["event"] == kind]


def test_sketches_are_what_storybook_renders_and_tell_it_in_their_form(script, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["sketch", str(script), "--out", str(out), "--seed", "3", "--json"]) == 0
    told = events(capsys, "sketch")
    assert main(["render", str(script), "--out", str(out), "--seed", "3"]) == 0
    for number, event in enumerate(told, 1):
        data = json.loads((out / "sketches" / f"{number:03d}.json").read_text(encoding="utf-8"))
        assert {key: type(value) for key, value in data.items()} == FORM and data["panel"] == number
        assert {key: event[key] for key in FORM} == data and event["file"] == str(
            out / "sketches" / f"{number:03d}.png"
        )
        sketch, frame = (Image.open(out / folder / f"{number:03d}.png") for folder in ("sketches", "frames"))
        assert sketch.tobytes() == frame.tobytes() and sketch.info["key"] == frame.info["key"]
        maps = [np.load(out / folder / f"{number:03d}-maps.npz") for folder in ("sketches", "frames")]
        assert maps[0]["maps"].shape[1:] == (96, 96) and np.array_equal(maps[0]["maps"], maps[1]["maps"])
        assert maps[0]["names"].tolist() == [*(role["name"] for role in data["cast"]), "background"]
        assert (maps[0]["maps"].sum(axis=0) == 1).all()
        for role, seen in zip(data["cast"], maps[0]["maps"], strict=False):
            assert set(role) == ROLE and len(role["box"]) == 4
            ys, xs = np.nonzero(seen)
            x0, y0, x1, y1 = (96 * edge for edge in role["box"])
            assert x0 - 2 <= xs.min() <= xs.max() <= x1 + 2 and y0 - 2 <= ys.min() <= ys.max() <= y1 + 2
    assert [event["place"] for event in told[:2]] == ["beach", "forest"] and told[0]["time"] == "night"


def test_things_have_boxes_and_holders(script, tmp_path, capsys):
    panels = [{"prompt": "Fox holds a red apple next to a flux capacitor and a chair", "size": 96}]
    changed(script, panels=panels)
    assert main(["sketch", str(script), "--out", str(tmp_path), "--json"]) == 0
    (told,) = events(capsys, "sketch")
    things = {thing["concept"]: thing for thing in told["things"]}
    assert things["apple"]["held_by"] == "Fox" and things["chair"]["held_by"] == ""
    for thing in (things["apple"], things["chair"]):
        x0, y0, x1, y1 = thing["box"]
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
    changed(script, panels=[{"prompt": "Fox carries a vine", "size": 96}])
    assert main(["sketch", str(script), "--out", str(tmp_path), "--json"]) == 0
    (told,) = events(capsys, "sketch")
    assert told["things"] == [{"concept": "vine", "box": None, "held_by": "Fox"}]
    data = json.loads((tmp_path / "sketches" / "001.json").read_text(encoding="utf-8"))
    assert list(data) == list(FORM)  # notes are told, not written
    assert told["notes"] == ["There is no drawing of a vine; it is not shown."]


@pytest.mark.parametrize("size", [80, BOUNDS["size"][0]])
def test_some_panels_are_sketched_at_a_size_of_choice(script, tmp_path, capsys, size):
    assert main(["sketch", str(script), "--out", str(tmp_path), "--panels", "2", "--size", str(size)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("panel 2: forest 1, ") and "Fox" in said[0] and len(said) == 2
    assert sorted(path.name for path in (tmp_path / "sketches").iterdir()) == ["002-maps.npz", "002.json", "002.png"]
    assert Image.open(tmp_path / "sketches" / "002.png").size == (size, size)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--panels", "7"], "--panels 7 does not fit"),
        (["--panels", "1", "--out", "{script}"], "cannot be written"),
    ],
)
def test_what_cannot_be_sketched_is_one_sentence(script, tmp_path, capsys, arguments, words):
    asked = [argument.format(script=script) for argument in arguments]
    assert main(["sketch", str(script), "--out", str(tmp_path), *asked]) == 2
    said = capsys.readouterr().err
    assert said.startswith("anystory: ") and words in said and len(said.splitlines()) == 1


def test_a_character_who_is_only_told_of_is_a_drawing_of_the_library(script, tmp_path, capsys):
    changed(script, cast=[{"name": "Fox", "description": "a blue fox"}, {"name": "Owl", "image": "owl.png"}])
    assert main(["check", str(script), "--backend", "storybook"]) == 0
    assert (
        "note: Fox has no picture and is a drawing from the library (Noto Emoji): blue fox." in capsys.readouterr().out
    )
    out = tmp_path / "out"
    assert main(["render", str(script), "--out", str(out)]) == 0
    assert "Fox: a drawing from the library (Noto Emoji): blue fox" in capsys.readouterr().out
    assert main(["sketch", str(script), "--out", str(out)]) == 0
    assert "Fox: a drawing from the library (Noto Emoji): blue fox" in capsys.readouterr().out
    for number in (1, 2):
        sketch, frame = (Image.open(out / folder / f"00{number}.png") for folder in ("sketches", "frames"))
        assert sketch.tobytes() == frame.tobytes()
    subject = Project(out).story().subjects[0]
    assert subject.name == "Fox" and subject.drawn == LIBRARY + "blue fox"
    red, _, blue = np.asarray(subject.image)[np.asarray(subject.mask) == 255].mean(0)
    assert blue > red + 20
    assert main(["resume", str(out)]) == 0
    assert "panel 2: unchanged" in capsys.readouterr().out


def test_two_told_of_in_the_same_words_are_told_to_share_a_drawing(script, tmp_path, capsys):
    changed(script, cast=[{"name": name, "description": "a boy"} for name in ("Fox", "Owl")])
    assert main(["check", str(script), "--backend", "storybook"]) == 1
    said = capsys.readouterr().out
    assert "note: Fox has no picture and is a drawing from the library (Noto Emoji): boy." in said
    assert "warning: Owl has no picture and is a drawing from the library (Noto Emoji): boy, the same as Fox;" in said
    for command in ("sketch", "render"):
        assert main([command, str(script), "--out", str(tmp_path / "out")]) == 0
        assert "Owl: a drawing from the library (Noto Emoji): boy, the same as Fox" in capsys.readouterr().out


def test_who_the_library_does_not_have_is_for_models(script, tmp_path, capsys):
    changed(script, cast=[{"name": "Fox", "description": "a gloop"}, {"name": "Owl", "image": "owl.png"}])
    for command in ("render", "sketch"):
        assert main([command, str(script), "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert "storybook shows pictures you give, and Fox has no picture" in said and "--backend mini" in said
        assert not (tmp_path / "out").exists()
    assert main(["check", str(script), "--backend", "storybook"]) == 1
    assert "error: Fox has no picture, and storybook shows pictures you give; give Fox one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--steps", "9"], "storybook has no steps to set; leave steps out, or take mini or klein or flux."),
        (["--guidance", "2"], "storybook has no guidance to set"),
        (["--vram", "8"], "The backend storybook takes no --vram; mini, klein and flux do."),
        (["--device", "cpu"], "The backend storybook takes no --device; mini, klein and flux do."),
        (["--speed", "few"], "The backend storybook takes no --speed few"),
        (["--lora", "somebody/ink"], "The backend storybook takes no LoRAs"),
        (["--batch", "2"], "The backend storybook takes no --batch"),
    ],
)
def test_options_of_models_are_refused(script, tmp_path, capsys, option, words):
    assert main(["render", str(script), "--out", str(tmp_path / "out"), *option]) == 2
    said = capsys.readouterr().err
    assert f"anystory: {words}" in said and not (tmp_path / "out").exists()


def test_what_a_model_made_is_resumed_by_it_and_named(script, tmp_path, tiny_model_folder, capsys):
    out, model = str(tmp_path / "out"), ["--model", str(tiny_model_folder), "--device", "cpu"]
    changed(script, panels=["Fox walks", "Owl sits"])
    assert main(["render", str(script), "--out", out, *model, "--steps", "1", "--panels", "1"]) == 0
    assert Project(out).made_with[0] == "mini"  # the paper's backend, for a folder of its weights
    assert main(["resume", out, *model]) == 0
    assert "panel 1: unchanged" in capsys.readouterr().out
    assert main(["resume", out]) == 2  # mini's own weights, which did not make it
    assert "are by mini" in capsys.readouterr().err
    frame = Project(out).frame(1)
    assert main(["render", str(script), "--out", out, "--panels", "2"]) == 0
    assert Project(out).made_with[0] == "storybook" and Project(out).frame(1).image.tobytes() == frame.image.tobytes()
    capsys.readouterr()
    assert main(["info", out]) == 0
    said, by = capsys.readouterr().out, "2 with a frame, by mini"
    assert by in said and f" and storybook {load().about.version} (painted place, your cut-outs)" in said
    assert main(["resume", out, "--panels", "2"]) == 0
    assert "panel 2: unchanged" in capsys.readouterr().out


def test_another_backend_goes_on_in_its_own_settings(script, tmp_path, tiny_model_folder, capsys):
    """A model cannot draw storybook's 1024 pixels in its one step, nor is 64 what storybook makes of a page."""
    out, model = str(tmp_path / "out"), ["--model", str(tiny_model_folder), "--device", "cpu"]
    changed(script, panels=["Fox walks", "Owl sits"])
    assert main(["render", str(script), "--out", out, "--seed", "4", "--panels", "1"]) == 0
    assert main(["resume", out, *model, "--panels", "1"]) == 0
    story, project = Project(out).story(), Project(out)
    assert story.settings.steps > 1 and story.settings.seed == 4
    assert project.frame(1).image.size == story.settings.size < (1024, 1024) and project.maker(1)[0] == "mini"
    assert main(["variants", out, "1", "--count", "1", "--backend", "storybook"]) == 0
    (kept,) = [kept for kept in Project(out).history if kept.panel == 1 and kept.seed != 4]
    assert Project(out).kept(1, kept.key).image.size == (1024, 1024)


def test_what_steers_a_model_is_told_to_do_nothing(script, tmp_path, capsys):
    steered = {"prompt": "Fox at the beach", "eta": {"Fox": 2}, "router": False, "layout": {"Fox": [0, 0.2, 0.5, 0.9]}}
    changed(script, panels=[{**steered, "layout_steps": [0, 0.5]}, "Owl sits"], from_sketch="layout")
    assert main(["check", str(script), "--backend", "storybook"]) == 0
    said = {line.partition("note: ")[2] for line in capsys.readouterr().out.splitlines()}
    assert said == {
        f"storybook is not a model that {key} could act on; panel 1 is made without it."
        for key in ("eta", "layout_steps", "router")
    } | {"storybook is not a model that from_sketch could act on; the story is made without it."}
    assert main(["check", str(script), "--backend", "mini"]) == 0 and "steering" not in capsys.readouterr().out


def test_a_height_is_kept_and_a_wrong_one_refused(script, tmp_path):
    read = load_script(script)
    assert [member.height for member in read.cast] == [0.5, None]
    assert parse_script(dump_script(read)).cast == read.cast
    changed(script, panels=[{"prompt": "Fox at the beach", "size": 64}])
    assert main(["render", str(script), "--out", str(tmp_path / "out")]) == 0
    story = Project(tmp_path / "out").story()
    assert [member.height for member in story.script.cast] == [0.5, None] == [s.height for s in story.subjects]
    for height, words in ((0, "is 0; it must be from 0.01 to 100 metres"), ("tall", "must be a number, not 'tall'")):
        changed(script, cast=[{"name": "Fox", "image": "fox.png", "height": height}])
        with pytest.raises(ScriptError, match=words) as refused:
            load_script(script)
        assert refused.value.line == 4
