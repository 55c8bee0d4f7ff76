"""Other frames for a panel: variants, the history on disk, what is restored and what is pinned."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.__main__ import main
from anystory.project.archive import pack, unpack
from anystory.project.folder import KEPT, SHORT, Project, ProjectError
from anystory.render.session import Renderer
from anystory.story.model import BACKGROUND, Panel
from anystory.story.steering import Layout, Place, Steering
from tests import stories

PANELS = (Panel("Fox walks", ("Fox",)), Panel("Fox meets Owl", ("Fox", "Owl")))


@pytest.fixture
def story():
    made = stories.story(PANELS)
    return replace(made, settings=replace(made.settings, steps=1))


@pytest.fixture
def rendered(tiny_backend, story, tmp_path):
    list(Renderer(tiny_backend).render(story, tmp_path))
    return tmp_path


def with_panels(story, *panels):
    return replace(story, script=replace(story.script, panels=panels))


def pixels(image):
    return np.asarray(image).tobytes()


def variants(backend, story, folder, number=2, count=2):
    events = Renderer(backend).variants(story, folder, number, count)
    return [event.step.frame for event in events if event.step.frame]


def key_of(project, number, seed):
    """The key of the only frame of a seed in a panel's history."""
    (key,) = [kept.key for kept in project.history if (kept.panel, kept.seed) == (number, seed)]
    return key


def again(backend, story, folder):
    """Which panels a render makes anew."""
    return [event.panel for event in Renderer(backend).render(story, folder) if event.step.frame and not event.reused]


def test_variants_are_new_seeds_in_the_history_and_change_no_frame(tiny_backend, story, rendered):
    before = {path.name: path.read_bytes() for path in (rendered / "frames").iterdir()}
    first, second = variants(tiny_backend, story, rendered), variants(tiny_backend, story, rendered)
    assert {path.name: path.read_bytes() for path in (rendered / "frames").iterdir()} == before
    project = Project(rendered)
    seeds = [frame.seed for frame in (*first, *second)]
    assert len({*seeds, project.entries[2].seed}) == 5
    assert [(kept.panel, kept.seed) for kept in project.history] == [(2, seed) for seed in seeds]
    for frame in first:
        assert pixels(project.kept(2, key_of(project, 2, frame.seed)).image) == pixels(frame.image)
        asked = with_panels(story, PANELS[0], replace(PANELS[1], seed=frame.seed))
        *_, last = Renderer(tiny_backend).render(asked, panels=[2])
        assert pixels(last.step.frame.image) == pixels(frame.image)  # what a re-roll with that seed gives
    assert again(tiny_backend, story, rendered) == []


def test_a_restored_frame_stays_and_what_was_there_can_come_back(tiny_backend, story, rendered):
    (frame, _), was = variants(tiny_backend, story, rendered), Project(rendered).frame(2)
    project = Project(rendered)
    project.restore(2, key_of(project, 2, frame.seed)[:SHORT])
    assert again(tiny_backend, story, rendered) == []
    project = Project(rendered)
    assert pixels(project.frame(2).image) == pixels(frame.image) and project.frame(2).seed == frame.seed
    project.restore(2, key_of(project, 2, was.seed))
    assert pixels(Project(rendered).frame(2).image) == pixels(was.image)
    assert again(tiny_backend, story, rendered) == []
    with pytest.raises(ProjectError, match="no frame '12345678' in the history of panel 1; it is empty"):
        project.restore(1, "12345678")
    kept = project.history[0]
    with pytest.raises(ProjectError, match=rf"there are {kept.key[:SHORT]} \(seed {kept.seed}\)"):
        project.restore(2, kept.key[: SHORT - 1])


def test_a_restored_frame_of_another_cast_keeps_its_names_and_the_story_goes_on(tiny_backend, story, rendered):
    was, names = Project(rendered).entries[2], ("Fox", "Owl", BACKGROUND)
    for other in (Panel("Fox alone", ("Fox",)), Panel("Owl meets Fox", ("Owl", "Fox"))):
        changed = with_panels(story, PANELS[0], other)
        list(Renderer(tiny_backend).render(changed, rendered))
        Project(rendered).restore(2, was.key)
        assert again(tiny_backend, changed, rendered) == []
        assert Project(rendered).frame(2).maps.names == Project(rendered).entries[2].names == names
        events = Renderer(tiny_backend).render(changed, rendered, [2], trace=True)
        assert [event.reused for event in events] == [True], "a trace would be of what is asked for"
        assert Project(rendered).entries[2].key == was.key
        assert main(["maps", str(rendered), "--out", str(rendered / "sheet.png")]) == 0


def test_a_frame_that_the_script_asks_for_from_now_on_stands_for_nothing_else(tiny_backend, story, rendered):
    (frame, _), was = variants(tiny_backend, story, rendered), Project(rendered).frame(2)
    project = Project(rendered)
    project.restore(2, key_of(project, 2, frame.seed), rewritten=True)
    assert again(tiny_backend, with_panels(story, PANELS[0], replace(PANELS[1], seed=frame.seed)), rendered) == []
    project = Project(rendered)
    project.restore(2, key_of(project, 2, was.seed))
    project.restore(2, key_of(project, 2, frame.seed), rewritten=True)
    assert again(tiny_backend, story, rendered) == [], "what was asked for at first is in the history"
    assert pixels(Project(rendered).frame(2).image) == pixels(was.image)


def test_frames_of_one_seed_that_were_asked_for_otherwise_are_kept_apart(tiny_backend, story, rendered):
    boxed = Steering(Layout((Place("Fox", (0, 0, 0.5, 1)),)))
    asked = [
        PANELS[1],
        replace(PANELS[1], steering=boxed),
        replace(PANELS[1], prompt="Owl and Fox at night"),
    ]
    made = {}
    for panel in asked:
        again(tiny_backend, with_panels(story, PANELS[0], panel), rendered)
        entry = Project(rendered).entries[2]
        made[entry.key] = pixels(Project(rendered).frame(2).image)
    assert len(made) == 3 and len(set(made.values())) == 3
    assert len({kept.seed for kept in Project(rendered).history}) == 1
    for key in list(made)[::-1] + list(made):
        project = Project(rendered)
        if project.entries[2].key != key:
            assert pixels(project.kept(2, key).image) == made[key]
            project.restore(2, key)
        assert pixels(Project(rendered).frame(2).image) == made[key] and Project(rendered).entries[2].key == key


def test_a_frame_that_is_replaced_goes_to_the_history_which_is_bounded(tiny_backend, story, rendered):
    old, key = Project(rendered).frame(1), Project(rendered).entries[1].key
    changed = with_panels(story, replace(PANELS[0], seed=50), PANELS[1])
    assert again(tiny_backend, changed, rendered) == [1]
    assert pixels(Project(rendered).kept(1, key).image) == pixels(old.image)
    made = variants(tiny_backend, changed, rendered, 1, KEPT + 1)
    project = Project(rendered)
    assert [kept.seed for kept in project.history] == [frame.seed for frame in made[1:]]
    assert len(list((rendered / "history").iterdir())) == 2 * KEPT


def test_a_pinned_panel_is_not_rendered_again_until_it_is_let_go(tiny_backend, story, rendered):
    was = Project(rendered).frame(2)
    Project(rendered).pin(2)
    changed = with_panels(story, PANELS[0], replace(PANELS[1], prompt="Owl and Fox"))
    assert again(tiny_backend, changed, rendered) == []
    events = Renderer(tiny_backend).render(changed, rendered, [2], trace=True, retry=3)
    assert [event.reused for event in events] == [True]
    assert pixels(Project(rendered).frame(2).image) == pixels(was.image)
    Project(rendered).pin(2, False)
    assert again(tiny_backend, changed, rendered) == [2]


def test_a_pinned_frame_moves_with_a_panel_of_its_own_seed(tiny_backend, story, tmp_path):
    seeded = [replace(panel, seed=number) for number, panel in enumerate(PANELS)]
    list(Renderer(tiny_backend).render(with_panels(story, *seeded), tmp_path))
    Project(tmp_path).pin(2)
    was = Project(tmp_path).frame(2)
    assert again(tiny_backend, with_panels(story, Panel("a beach"), *seeded), tmp_path) == [1]
    assert pixels(Project(tmp_path).frame(3).image) == pixels(was.image)
    assert [number for number, entry in Project(tmp_path).entries.items() if entry.pinned] == [3]
    with pytest.raises(ProjectError, match="There is no panel 9"):
        Project(tmp_path).pin(9)


def test_history_travels_with_an_archive_and_damaged_frames_are_left_out(tiny_backend, story, rendered, tmp_path):
    one, two = variants(tiny_backend, story, rendered)
    pack(rendered, tmp_path / "story.zip")
    unpack(tmp_path / "story.zip", tmp_path / "copy")
    assert [kept.seed for kept in Project(tmp_path / "copy").history] == [one.seed, two.seed]
    data = json.loads((rendered / "story.json").read_text())
    data["history"][0] |= {"key": "other", "seed": two.seed}
    (rendered / "story.json").write_text(json.dumps(data))
    pack(rendered, tmp_path / "again.zip")
    unpack(tmp_path / "again.zip", tmp_path / "again")
    assert [kept.seed for kept in Project(tmp_path / "again").history] == [two.seed]


def test_a_pin_is_of_a_frame_of_a_panel_of_a_story(rendered, tmp_path, capsys):
    for folder, number, says in (
        (rendered, 9, "There is no panel 9; the story has panels 1 to 2"),
        (tmp_path / "nothing", 1, "holds no story"),
        (stories.without_frame(rendered, 1).folder, 1, "it has none yet"),
    ):
        for off in ([], ["--off"]):
            assert main(["pin", str(folder), str(number), *off]) == 2
            assert says in capsys.readouterr().err
        assert not (tmp_path / "nothing").exists()


def test_a_history_of_nothing_says_so(rendered, capsys):
    stories.without_frame(rendered, 2)
    assert main(["history", str(rendered), "2"]) == 2
    assert "Panel 2 has no frame in" in capsys.readouterr().err
    assert main(["history", str(rendered), "9"]) == 2
    assert "There is no panel 9; the story has panels 1 to 2." in capsys.readouterr().err


def test_the_commands(tiny_model_folder, rendered, capsys):
    engine = ["--model", str(tiny_model_folder), "--device", "cpu"]
    sheet = str(rendered / "sheet.png")
    assert main(["variants", str(rendered), "2", "--count", "2", "--out", sheet, *engine, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    made = [event for event in events if event["event"] == "variant"]
    assert len({event["seed"] for event in made}) == 2 and Image.open(sheet).width > Image.open(sheet).height
    first, second = (f"{event['key'][:SHORT]} (seed {event['seed']})" for event in made)
    assert main(["history", str(rendered), "2", "--restore", made[0]["key"][:SHORT]]) == 0
    assert main(["pin", str(rendered), "2"]) == 0 and main(["history", str(rendered), "2"]) == 0
    said = capsys.readouterr().out
    assert f"{first}: frames/002.png (now, pinned)" in said and f"{second}: history/{made[1]['key'][:32]}.png" in said
    assert f"{first}: history/" not in said, "what stands there is told once"
    assert main(["pin", str(rendered), "2", "--off"]) == 0 and not Project(rendered).entries[2].pinned
    assert main(["variants", str(rendered), "7", *engine]) == 2
    assert "There is no panel 7; the story has panels 1 to 2." in capsys.readouterr().err
