"""What story.json, draft.json and a frame's story may hold: anything else is one sentence that says where and what."""

import json
import struct
import zlib

import pytest
from PIL import Image

from anystory.__main__ import main
from anystory.errors import AnyStoryError
from anystory.project.archive import pack
from anystory.project.drafts import DraftError, draft_of, load_draft, save_draft
from anystory.project.folder import Project, ProjectError, read_list
from anystory.project.imprint import imprint
from anystory.project.schema import DRAFT, IMPRINT, SchemaError, parsed, read_settings
from anystory.story.model import Panel
from tests.solid.fuzz import NASTY, places
from tests.stories import PANELS, frame, rendered, story


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with a frame for every panel, one of them with a history and one that is gone, and a draft."""
    folder = tmp_path_factory.mktemp("kept")
    made = story()
    project = rendered(folder, made, trace=True)
    project.keep(1, frame(("Fox",), seed=9), "a" * 32, "", made.settings)
    save_draft(folder, draft_of(made))
    path = folder / "story.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    gone = {"panel": 9, "prompt": "Fox sleeps", "cast": ["Fox"], "key": None, "pinned": False}
    path.write_text(json.dumps(data | {"next": 10, "removed": [gone]}), encoding="utf-8")
    return folder


def texts(folder):
    """The three texts, with what reads each."""
    draft, listed = ((folder / name).read_text(encoding="utf-8") for name in ("draft.json", "story.json"))
    carried = Image.open(folder / "frames/001.png").info["story"]
    return (
        (listed, read_list),
        (draft, lambda text: DRAFT(parsed(text), "")),
        (carried, lambda text: IMPRINT(parsed(text), "")),
    )


def test_any_value_in_any_place_is_taken_or_refused_in_part_of_a_sentence(kept):
    refused, cases = 0, 0
    for text, read in texts(kept):
        read(text)
        data = json.loads(text)
        for inside, key in [*places(data)]:
            for nasty in (*NASTY, inside[key]):  # the right one last
                inside[key] = nasty
                cases += 1
                try:
                    read(json.dumps(data))
                except AnyStoryError as error:
                    refused += 1
                    assert "\n" not in str(error) and len(str(error)) < 300
    assert cases > 3000 and refused > cases / 3


def test_what_is_missing_anywhere_is_one_sentence_too(kept):
    for text, read in texts(kept):
        for at, _ in enumerate(places(json.loads(text))):
            data = json.loads(text)
            inside, key = [*places(data)][at]
            del inside[key]
            try:
                read(json.dumps(data))
            except AnyStoryError as error:
                assert "\n" not in str(error)


def changed(folder, kept, change, file="story.json"):
    """A copy of the kept folder in which `change` has changed a file's data."""
    for path in kept.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".png", ".npz"):
            target = folder / path.relative_to(kept)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    data = json.loads((folder / file).read_text(encoding="utf-8"))
    change(data)
    (folder / file).write_text(json.dumps(data), encoding="utf-8")
    return folder


BAD = {
    "tries": (lambda data: data["panels"][0].update(tries="x"), "panels[0].tries is 'x', not a whole number from 0"),
    "asked": (lambda data: data["panels"][0].update(asked=[{}]), "panels[0].asked is [{}], not text"),
    "trace": (lambda data: data["panels"][0].update(trace=-1), "panels[0].trace is -1, not a file of a story"),
    "gamma": (
        lambda data: data["settings"].update(gamma="x"),
        "settings.gamma is 'x', not a number from -1000",
    ),
    "infinity": (lambda data: data["settings"].update(guidance=float("inf")), "settings.guidance is inf, not a number"),
    "surrogate": (lambda data: data["panels"][0].update(key="\ud800"), "panels[0].key has half a character"),
    "backend": (lambda data: data.pop("backend"), "there is no backend"),
    "panel": (lambda data: data["panels"][0].update(panel=[]), "panels[0].panel is [], not a whole number"),
    "twice": (lambda data: data.update(order=[1, 1, 2]), "its panels cannot be told apart"),
    "order": (lambda data: data.update(order=[1, 2]), "it has other panels than its script"),
}


@pytest.mark.parametrize("key", ["duration", "layout", "layout_strength", "eta", "turn", "from_sketch", "seed", "size"])
def test_a_number_too_large_for_any_field_of_a_script_is_one_sentence(tmp_path, kept, key):
    value = 10**400 if key not in ("layout", "eta", "turn") else {"Fox": 10**400}
    with pytest.raises(ProjectError, match="holds a damaged story: ") as refused:
        Project(changed(tmp_path, kept, lambda data: data["script"]["panels"][0].update({key: value}))).story()
    assert "\n" not in str(refused.value)


def test_a_picture_that_says_it_has_a_billion_pixels_is_one_sentence(tmp_path, kept):
    folder = changed(tmp_path, kept, lambda data: None)
    bomb = b"\x89PNG\r\n\x1a\n"
    for part in (struct.pack(">4sII5B", b"IHDR", 30_000, 30_000, 8, 6, 0, 0, 0), b"IDAT", b"IEND"):
        bomb += struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
    for file in (*folder.glob("subjects/*.png"), *folder.glob("draft/*.png")):
        file.write_bytes(bomb)
    with pytest.raises(ProjectError, match="cannot be read"):
        Project(folder).story()
    with pytest.raises(DraftError, match="damaged or its pictures are"):
        load_draft(folder)


@pytest.mark.parametrize("what", BAD)
def test_a_story_json_that_holds_something_else_says_where_and_what(tmp_path, kept, what, capsys):
    change, says = BAD[what]
    folder = changed(tmp_path / "story", kept, change)
    with pytest.raises(ProjectError) as refused:
        Project(folder)
    told = f"{folder / 'story.json'} is damaged: {says}"
    assert str(refused.value).startswith(told) and str(refused.value).endswith("move it away or choose another folder.")
    for command in (["info", str(folder)], ["resume", str(folder)]):
        assert main(command) == 2 and told in capsys.readouterr().err
    with pytest.raises(AnyStoryError, match="cannot be packed"):
        pack(folder, tmp_path / "story.zip")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.update(numbers=[0]), "numbers[0] is 0, not a whole number from 1"),
        (lambda data: data.update(title=3), "title is 3, not text"),
        (
            lambda data: data["cast"][0].update(height=1e9),
            "cast[0].height is 1000000000.0, not a number",
        ),
        (lambda data: data["cast"][0].update(facing=[]), "cast[0].facing is [], not one of left, right, front"),
        (lambda data: data["cast"][0].update(upload="../x.png"), "cast[0].upload is '../x.png', not a file"),
        (lambda data: data["cast"][0].pop("automatic"), "there is no cast[0].automatic"),
        (lambda data: data["cast"][0].update(more=[{}] * 9), "cast[0].more has 9 entries, more than 7"),
        (lambda data: data["settings"].update(steps=True), "settings.steps is True, not a whole number from 1 to 1000"),
    ],
)
def test_a_draft_that_holds_something_else_says_where_and_what(tmp_path, kept, change, says):
    with pytest.raises(DraftError) as refused:
        load_draft(changed(tmp_path, kept, change, "draft.json"))
    assert str(refused.value).startswith(f"draft.json is damaged: {says}")


def test_half_a_character_that_was_typed_is_kept_in_a_draft(tmp_path, kept):
    half = changed(tmp_path, kept, lambda data: data.update(text="a \ud83d b"), "draft.json")
    assert load_draft(half).text == "a \ud83d b"


def test_what_a_newer_version_added_is_left_out(tmp_path, kept):
    def add(data):
        for each in (data, data["settings"], data["panels"][0], data["history"][0], data["subjects"][0]):
            each["from the future"] = 1

    project, usual = Project(changed(tmp_path, kept, add)), Project(kept)
    assert project.entries == usual.entries and project.history == usual.history
    assert project.story().settings == usual.story().settings


def test_settings_refuse_numbers_that_are_none():
    for value in (float("nan"), float("inf"), True, "1e3", None, 10**400):
        with pytest.raises(SchemaError, match="guidance"):
            read_settings({"size": 64, "guidance": value})
    assert read_settings({"size": 64, "guidance": 3, "from the future": 1}).guidance == 3.0


def test_a_long_story_whose_wildcards_say_who_is_there_travels_in_its_panel():
    panels = ({"prompt": "{Fox|Owl} " + "walks " * 300} for _ in range(180))
    script = {"cast": [{"name": "Fox"}, {"name": "Owl"}], "panels": [*panels]}
    told = json.loads(imprint(script, story().settings.written, {"Fox": "a", "Owl": "b"}, 120))
    assert len(told["script"]["panels"]) == 1 and told["looks"] == {"Fox": "a", "Owl": "b"}


def test_scripts_of_two_programs_are_compared_where_wildcards_say_who_is_there(tmp_path):
    wild = story((Panel("{Fox|Owl} walks", ("Fox",)), *PANELS[1:]))
    one, settings = rendered(tmp_path, wild), wild.settings
    rendered(tmp_path, wild)  # another program begins
    one.save(1, frame(("Fox",), seed=5), "b" * 32, "", settings)
    assert Project(tmp_path).frame(1).seed == 5
