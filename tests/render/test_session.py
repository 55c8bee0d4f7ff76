"""The renderer with a real, tiny backend: determinism, resuming, stopping, and what a key depends on."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.maps import diagnosis
from anystory.maps.diagnosis import another_seed, diagnose
from anystory.project.folder import Project
from anystory.render import session
from anystory.render.session import Renderer, RenderError
from anystory.story.model import BACKGROUND, CastMember, Line, Panel, Script, Story, Subject
from anystory.story.prompt import compose


def subject(name, colour):
    image = Image.new("RGB", (48, 48), "white")
    mask = Image.new("L", image.size)
    ImageDraw.Draw(image).ellipse((8, 8, 40, 40), fill=colour)
    ImageDraw.Draw(mask).ellipse((8, 8, 40, 40), fill=255)
    return Subject(name, image, mask)


@pytest.fixture
def story(tiny_backend):
    cast = tuple(CastMember(name) for name in ("Fox", "Owl", "Ghost"))
    panels = (
        Panel("Fox walks in the forest", ("Fox",)),
        Panel("Fox meets Owl at night", ("Fox", "Owl")),
        Panel("an empty beach"),
        Panel("Owl flies", ("Owl",), seed=11),
    )
    settings = replace(tiny_backend.about.defaults, steps=2, seed=3)
    return Story(Script(panels, cast), (subject("Fox", "orange"), subject("Owl", "brown")), settings)


def with_panels(story, *panels):
    return replace(story, script=replace(story.script, panels=panels))


def run(backend, story, *where, **how):
    """Render all; returns {panel: frame} and the numbers of the panels that were reused."""
    events = list(Renderer(backend).render(story, *where, **how))
    reused = [event.panel for event in events if event.reused]
    return {event.panel: event.step.frame for event in events if event.step.frame}, reused


def same(a, b):
    return a.image.tobytes() == b.image.tobytes()


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_step_of_every_panel_in_story_order(tiny_backend, story):
    events = list(Renderer(tiny_backend).render(story))
    assert [(e.panel, e.step.index, e.step.total) for e in events] == [(p, s, 2) for p in (1, 2, 3, 4) for s in (1, 2)]
    assert [e.step.frame is not None for e in events] == [False, True] * 4
    assert not any(e.reused for e in events)
    frames = [e.step.frame for e in events if e.step.frame]
    assert [frame.seed for frame in frames] == [3, 4, 5, 11]
    for panel, frame in zip(story.script.panels, frames, strict=True):
        assert frame.image.size == story.settings.size
        assert frame.maps.names == (*panel.cast, BACKGROUND)
        assert np.abs(frame.maps.values.sum(0) - 1).max() < 1e-3


def test_a_panel_in_its_own_size(tiny_backend, story, tmp_path):
    one, two = story.script.panels[0], story.script.panels[2]
    sized = with_panels(story, replace(one, size=48), replace(two, size=story.settings.size), one)
    frames, _ = run(tiny_backend, sized, tmp_path, trace=True)
    assert [frame.image.size[0] for frame in frames.values()] == [48, 64, 64]
    whole, _ = run(tiny_backend, with_panels(story, two, two, one))
    assert same(frames[3], whole[3]) and frames[1].trace.shapes == tiny_backend.layer_shapes(
        replace(story.settings, size=48)
    )
    entries = Project(tmp_path).entries
    plain = Renderer(tiny_backend).keys(with_panels(story, one, two))[1]
    assert entries[2].key == plain, "the story's size said is the story's size"
    assert Project(tmp_path).story().script.panels == sized.script.panels
    assert run(tiny_backend, sized, tmp_path)[1] == [1, 2, 3]
    with pytest.raises(RenderError, match="Panel 1 asks for 60 pixels; mini draws multiples of 8 from 16 to 256"):
        run(tiny_backend, with_panels(story, replace(one, size=60)))


def test_the_same_frames_whichever_panels_are_asked_for(tiny_backend, story):
    whole, _ = run(tiny_backend, story)
    some, _ = run(tiny_backend, story, panels=[4, 2, 2])
    assert list(some) == [2, 4]
    assert all(same(some[number], whole[number]) for number in some)
    assert len({frame.image.tobytes() for frame in whole.values()}) == 4


def test_a_second_run_renders_nothing(tiny_backend, story, tmp_path):
    first, reused = run(tiny_backend, story, tmp_path)
    assert reused == []
    before = files(tmp_path)
    second, reused = run(tiny_backend, story, tmp_path)
    assert reused == [1, 2, 3, 4]
    assert all(same(first[number], second[number]) for number in first)
    assert files(tmp_path) == before


def test_what_is_rendered_is_what_is_in_the_folder(tiny_backend, story, tmp_path):
    frames, _ = run(tiny_backend, story, tmp_path)
    project = Project(tmp_path)
    for number, frame in frames.items():
        kept = project.frame(number)
        assert same(kept, frame) and kept.maps.names == frame.maps.names and kept.seed == frame.seed
        assert np.abs(kept.maps.values - frame.maps.values).max() < 1e-3
    again, reused = run(tiny_backend, project.story(), tmp_path)
    assert reused == [1, 2, 3, 4] and same(again[2], frames[2])


def test_a_changed_panel_is_rendered_again_and_no_other(tiny_backend, story, tmp_path):
    run(tiny_backend, story, tmp_path)
    one, two, three, four = story.script.panels
    changed = with_panels(story, one, replace(two, prompt="Fox meets Owl at noon"), three, four)
    frames, reused = run(tiny_backend, changed, tmp_path)
    assert reused == [1, 3, 4]
    fresh, _ = run(tiny_backend, changed, panels=[2])
    assert same(frames[2], fresh[2])


def test_caption_dialogue_and_title_change_no_pixel_but_story_json(tiny_backend, story, tmp_path):
    run(tiny_backend, story, tmp_path)
    lettered = [replace(p, caption="Later", dialogue=(Line("Fox", "Hi"),)) for p in story.script.panels]
    titled = replace(story, script=replace(story.script, title="New", panels=tuple(lettered)))
    _, reused = run(tiny_backend, titled, tmp_path)
    assert reused == [1, 2, 3, 4]
    assert Project(tmp_path).story().script.title == "New"
    assert Project(tmp_path).story().script.panels[0].caption == "Later"


@pytest.mark.parametrize("change", [{"steps": 3}, {"guidance": 1.5}, {"eta": 0.5}, {"gamma": 0.5}])
def test_settings_change_every_panel(tiny_backend, story, tmp_path, change):
    run(tiny_backend, story, tmp_path, panels=[1])
    _, reused = run(tiny_backend, replace(story, settings=replace(story.settings, **change)), tmp_path, panels=[1])
    assert reused == []


def test_the_storys_seed_changes_only_panels_without_their_own(tiny_backend, story, tmp_path):
    old, _ = run(tiny_backend, story, tmp_path)
    new, reused = run(tiny_backend, replace(story, settings=replace(story.settings, seed=90)), tmp_path)
    assert reused == [4]
    assert not any(same(old[number], new[number]) for number in (1, 2, 3))


def test_another_picture_changes_the_panels_it_is_in(tiny_backend, story, tmp_path):
    run(tiny_backend, story, tmp_path)
    blue = replace(story, subjects=(subject("Fox", "blue"), story.subjects[1]))
    _, reused = run(tiny_backend, blue, tmp_path)
    assert reused == [3, 4]


def test_another_name_changes_no_pixel_but_the_maps_names(tiny_backend, story, tmp_path):
    described = replace(story.subjects[0], description="small fox")
    cast = story.script.cast
    old = with_panels(replace(story, subjects=(described,)), Panel("Fox walks", ("Fox",)))
    first, _ = run(tiny_backend, old, tmp_path)
    script = Script((Panel("Rex walks", ("Rex",)),), (replace(cast[0], name="Rex"),))
    new = replace(old, script=script, subjects=(replace(described, name="Rex"),))
    frames, reused = run(tiny_backend, new, tmp_path)
    assert reused == [1] and same(frames[1], first[1])
    assert frames[1].maps.names == ("Rex", BACKGROUND)
    assert Project(tmp_path).story().subjects[0].name == "Rex"


def test_a_moved_panel_costs_nothing(tiny_backend, story, tmp_path):
    pinned = with_panels(story, *(replace(p, seed=20 + k) for k, p in enumerate(story.script.panels)))
    old, _ = run(tiny_backend, pinned, tmp_path)
    one, two, three, four = pinned.script.panels
    new, reused = run(tiny_backend, with_panels(pinned, four, one, three, two), tmp_path)
    assert reused == [1, 2, 3, 4]
    assert all(same(new[now], old[before]) for now, before in ((1, 4), (2, 1), (3, 3), (4, 2)))
    assert new[4].maps.names == ("Fox", "Owl", BACKGROUND)


def test_panels_that_are_gone_leave_story_json(tiny_backend, story, tmp_path):
    run(tiny_backend, story, tmp_path)
    run(tiny_backend, with_panels(story, *story.script.panels[:2]), tmp_path, panels=[1])
    listed = json.loads((tmp_path / "story.json").read_text(encoding="utf-8"))["panels"]
    assert [panel["number"] for panel in listed] == [1, 2]


def test_a_damaged_frame_is_rendered_anew(tiny_backend, story, tmp_path):
    old, _ = run(tiny_backend, story, tmp_path)
    picture, maps = tmp_path / "frames/001.png", tmp_path / "frames/003-maps.npz"
    picture.write_bytes(picture.read_bytes()[:-20])
    maps.unlink()
    new, reused = run(tiny_backend, story, tmp_path)
    assert reused == [2, 4]
    assert all(same(old[number], new[number]) for number in old)


def test_closing_keeps_whole_frames_and_the_next_run_goes_on(tiny_backend, story, tmp_path):
    with closing(Renderer(tiny_backend).render(story, tmp_path)) as events:
        for event in events:
            if event.panel == 2:
                break
    assert sorted(files(tmp_path / "frames")) == ["001-maps.npz", "001.png"]
    assert sorted(Project(tmp_path).entries) == [1]
    _, reused = run(tiny_backend, story, tmp_path)
    assert reused == [1]


def test_characters_are_encoded_once_and_only_where_needed(tiny_backend, story, monkeypatch):
    seen, encode = [], tiny_backend.encode
    monkeypatch.setattr(tiny_backend, "encode", lambda subject: seen.append(subject.name) or encode(subject))
    renderer = Renderer(tiny_backend)
    list(renderer.render(story, panels=[1, 3]))
    assert seen == ["Fox"]
    list(renderer.render(story))
    assert seen == ["Fox", "Owl"]
    twin = replace(story, subjects=(story.subjects[0], replace(story.subjects[0], name="Owl")))
    list(renderer.render(twin, panels=[2]))
    assert seen == ["Fox", "Owl"]


def test_bad_requests_are_one_sentence_and_touch_nothing(tiny_backend, story, tmp_path):
    haunted = with_panels(story, *story.script.panels, Panel("Ghost sings", ("Ghost",)))
    for panels, says in (([0], "no panel 0; the story has panels 1 to 5"), ([6], "no panel 6"), (None, "Ghost is in")):
        with pytest.raises(RenderError, match=says):
            run(tiny_backend, haunted, tmp_path, panels=panels)
    crowd = tuple(subject(f"Twin {k}", "green") for k in range(tiny_backend.about.max_subjects + 1))
    crowded = with_panels(replace(story, subjects=crowd), Panel("a crowd", tuple(twin.name for twin in crowd)))
    with pytest.raises(RenderError, match=f"Panel 1 has {len(crowd)} characters; mini takes at most"):
        run(tiny_backend, crowded, tmp_path)
    assert files(tmp_path) == {}
    _, reused = run(tiny_backend, haunted, tmp_path, panels=[1])
    assert reused == [] and sorted(Project(tmp_path).entries) == [1]


# Traces.


def test_a_trace_lies_beside_every_frame_within_the_size_that_was_said(tiny_backend, story, tmp_path):
    renderer = Renderer(tiny_backend)
    said = renderer.trace_size(story, [1, 2, 3, 4])
    frames, _ = run(tiny_backend, story, tmp_path, trace=True)
    on_disk = [len(data) for name, data in files(tmp_path).items() if name.endswith("-trace.npz")]
    assert len(on_disk) == 4 and sum(on_disk) <= said
    for number, frame in frames.items():
        kept = Project(tmp_path).trace(number)
        assert kept.names == (*story.script.panels[number - 1].cast, BACKGROUND) and kept.kinds == ("coarse", "refined")
        for step, layer, kind in ((1, 1, "coarse"), (2, 2, "refined"), (2, len(kept.shapes), "refined")):
            assert np.array_equal(kept.holders(step, layer, kind), frame.trace.holders(step, layer, kind))


def test_a_finished_frame_is_made_again_only_for_a_trace_it_has_not(tiny_backend, story, tmp_path):
    old, _ = run(tiny_backend, story, tmp_path)
    assert not [name for name in files(tmp_path) if "trace" in name]
    _, reused = run(tiny_backend, story, tmp_path, panels=[1], trace=True)
    assert reused == []
    new, reused = run(tiny_backend, story, tmp_path, trace=True)
    assert reused == [1, 3] and all(same(new[number], old[number]) for number in old)
    before = files(tmp_path)
    _, reused = run(tiny_backend, story, tmp_path, trace=True)
    assert reused == [1, 2, 3, 4] and files(tmp_path) == before
    run(tiny_backend, story, tmp_path)
    assert files(tmp_path) == before


def test_a_trace_that_is_too_large_is_refused_before_anything_is_rendered(tiny_backend, story, tmp_path):
    long = replace(story, settings=replace(story.settings, steps=1_000_000))
    with pytest.raises(
        RenderError, match=r"trace of panel 1 takes \d+ MB \(1000000 steps.*more than 32 MB; ask for fewer"
    ):
        run(tiny_backend, long, tmp_path, trace=True)
    assert files(tmp_path) == {}


# Other seeds.


@pytest.fixture
def fox(tiny_backend, story):
    """A story of one panel, and the seeds that are tried for it with what the fox holds under each."""
    alone = with_panels(story, replace(story.script.panels[0], seed=1))
    seeds, shares = [1], []
    for _ in range(6):
        frames, _ = run(tiny_backend, with_panels(story, replace(story.script.panels[0], seed=seeds[-1])))
        shares.append(diagnose(frames[1].maps).shares[0])
        seeds.append(another_seed(seeds[-1]))
    return alone, seeds[:-1], shares


def attempts(backend, story, folder, **how):
    """The seeds of the attempts that were really made, and the last frame."""
    seen, denoise = [], backend.denoise

    def counted(request):
        seen.append(request.seed)
        return denoise(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "denoise", counted)
        frames, _ = run(backend, story, folder, **how)
    return seen, frames[1]


def test_a_retry_ends_with_the_first_seed_that_passes(tiny_backend, fox, tmp_path, monkeypatch):
    story, seeds, shares = fox
    monkeypatch.setattr(diagnosis, "MIN_SHARE", max(shares))
    first = shares.index(max(shares))
    assert first > 0  # or this shows nothing
    seen, frame = attempts(tiny_backend, story, tmp_path, retry=6)
    assert seen == seeds[: first + 1] and frame.seed == seeds[first]
    entry = json.loads((tmp_path / "story.json").read_text(encoding="utf-8"))["panels"][0]
    assert (entry["seed"], entry["tries"], entry["diagnosis"]["passed"]) == (seeds[first], first + 1, True)
    with Image.open(tmp_path / "frames/001.png") as picture:
        assert picture.text["seed"] == str(seeds[first])
    pinned = with_panels(story, replace(story.script.panels[0], seed=seeds[first]))
    assert same(run(tiny_backend, pinned)[0][1], frame)
    before = files(tmp_path)
    for how in ({"retry": 6}, {"retry": 99}, {}):
        assert attempts(tiny_backend, story, tmp_path, **how)[0] == [] and files(tmp_path) == before
    assert attempts(tiny_backend, pinned, tmp_path)[0] == []  # the seed that was used is now the panel's own


def test_used_up_retries_keep_the_best_and_are_not_made_again(tiny_backend, fox, tmp_path, monkeypatch):
    story, seeds, shares = fox
    monkeypatch.setattr(diagnosis, "MIN_SHARE", 1.0)
    for retry, fresh in ((0, seeds[:1]), (2, seeds[1:3]), (2, []), (1, []), (5, seeds[3:])):
        seen, frame = attempts(tiny_backend, story, tmp_path, retry=retry)
        tried = Project(tmp_path).entries[1].tries
        assert seen == fresh
        best = int(np.argmax(shares[:tried]))
        assert frame.seed == seeds[best] and same(Project(tmp_path).frame(1), frame)
    assert tried == 6 and len({int(np.argmax(shares[: k + 1])) for k in range(6)}) > 1


def test_every_attempt_is_told_and_ends_with_the_best_so_far(tiny_backend, fox, monkeypatch):
    story, seeds, shares = fox
    monkeypatch.setattr(diagnosis, "MIN_SHARE", 1.0)
    events = list(Renderer(tiny_backend).render(story, retry=2))
    assert [(e.attempt, e.step.index) for e in events] == [(a, s) for a in (1, 2, 3) for s in (1, 2)]
    frames = [e.step.frame for e in events if e.step.frame]
    assert [frame.seed for frame in frames] == [seeds[int(np.argmax(shares[: k + 1]))] for k in range(3)]


def test_a_trace_of_a_retried_frame_is_of_the_seed_that_was_used(tiny_backend, fox, tmp_path, monkeypatch):
    story, seeds, shares = fox
    monkeypatch.setattr(diagnosis, "MIN_SHARE", max(shares))
    _, first = attempts(tiny_backend, story, tmp_path, retry=6)
    seen, again = attempts(tiny_backend, story, tmp_path, retry=6, trace=True)
    assert seen == [first.seed] == [seeds[shares.index(max(shares))]] and same(first, again)
    trace = Project(tmp_path).trace(1)
    assert np.array_equal(trace.holders(2, 1), first.trace.holders(2, 1))
    assert attempts(tiny_backend, story, tmp_path, retry=6, trace=True)[0] == []


def test_the_style_changes_frames_only_where_the_backend_follows_it(tiny_backend, story, tmp_path, monkeypatch):
    plain, _ = run(tiny_backend, story, tmp_path, panels=[1, 3])
    one, two, three, four = story.script.panels
    panels = (replace(one, style="Pixel art"), two, replace(three, style="(No style)"), four)
    styled = replace(story, script=replace(story.script, style="Line art", panels=panels))
    assert run(tiny_backend, styled, tmp_path, panels=[1, 3])[1] == [1, 3]  # mini reads no style: nothing to render
    assert Project(tmp_path).story().script.panels == panels
    monkeypatch.setattr(tiny_backend, "about", replace(tiny_backend.about, follows_style=True))
    frames, reused = run(tiny_backend, styled, tmp_path, panels=[1, 3])
    assert reused == [3] and not same(frames[1], plain[1])
    assert "pixel art of a 16-bit console game" in Image.open(tmp_path / "frames/001.png").info["prompt"]


def test_a_skipped_panel_is_left_and_the_next_ones_are_made(tiny_backend, story, tmp_path):
    asked = []

    def skip():
        """True after the first step of the second panel."""
        asked.append(None)
        return len(asked) == 3

    events = list(Renderer(tiny_backend).render(story, tmp_path, skip=skip))
    assert [(e.panel, e.step.index) for e in events] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (4, 1), (4, 2)]
    assert sorted(Project(tmp_path).entries) == [1, 3, 4]
    _, reused = run(tiny_backend, story, tmp_path)
    assert reused == [1, 3, 4] and sorted(Project(tmp_path).entries) == [1, 2, 3, 4]


def test_skipping_another_try_keeps_the_best_frame_so_far(tiny_backend, story, tmp_path, monkeypatch):
    monkeypatch.setattr(diagnosis, "MIN_SHARE", 2)  # nobody ever passes
    one = with_panels(story, story.script.panels[0])
    *_, last = Renderer(tiny_backend).render(one, tmp_path)
    events = list(Renderer(tiny_backend).render(one, tmp_path, retry=3, skip=iter([False, True]).__next__))
    assert [(e.attempt, e.reused) for e in events] == [(1, True), (2, False)]
    assert same(Project(tmp_path).frame(1), last.step.frame)


def reworded(panel, *arguments):
    """How an earlier version might have put it."""
    now = compose(panel, *arguments)
    return replace(now, text=f"So, {now.text}", mentions=tuple((a + 4, b + 4) for a, b in now.mentions))


def test_frames_whose_sentence_was_put_otherwise_once_stay_their_panels(tiny_backend, story, tmp_path, monkeypatch):
    with monkeypatch.context() as then:
        then.setattr(session, "compose", reworded)
        before, _ = run(tiny_backend, story, tmp_path)
    pictures = {name: data for name, data in files(tmp_path).items() if name.startswith("frames")}
    for _ in range(2):
        after, reused = run(tiny_backend, story, tmp_path)
        assert reused == [1, 2, 3, 4] and all(same(before[number], after[number]) for number in before)
    assert pictures == {name: data for name, data in files(tmp_path).items() if name.startswith("frames")}
    one, *others = story.script.panels
    _, reused = run(tiny_backend, with_panels(story, replace(one, prompt="Fox swims"), *others), tmp_path)
    assert reused == [2, 3, 4], "what asks for something else is made anew"


def test_a_moved_or_renamed_frame_is_known_in_other_words_too(tiny_backend, story, tmp_path, monkeypatch):
    with monkeypatch.context() as then:
        then.setattr(session, "compose", reworded)
        run(tiny_backend, with_panels(story, *(replace(p, seed=5) for p in story.script.panels)), tmp_path)
    panels = [replace(p, seed=5, prompt=p.prompt.replace("Fox", "Rex")) for p in story.script.panels[::-1]]
    panels = [replace(p, cast=tuple("Rex" if name == "Fox" else name for name in p.cast)) for p in panels]
    cast = tuple(replace(m, name="Rex") if m.name == "Fox" else m for m in story.script.cast)
    subjects = tuple(replace(s, name="Rex") if s.name == "Fox" else s for s in story.subjects)
    frames, reused = run(tiny_backend, Story(Script(tuple(panels), cast), subjects, story.settings), tmp_path)
    assert reused == [1, 2, 3, 4] and frames[4].maps.names == ("Rex", BACKGROUND)


def test_a_retried_frame_is_known_in_other_words_too(tiny_backend, fox, tmp_path, monkeypatch):
    story, _, _ = fox
    monkeypatch.setattr(diagnosis, "MIN_SHARE", 1.0)
    with monkeypatch.context() as then:
        then.setattr(session, "compose", reworded)
        run(tiny_backend, story, tmp_path, retry=1)
    assert Project(tmp_path).entries[1].tries == 2
    assert run(tiny_backend, story, tmp_path)[1] == [1] and Project(tmp_path).entries[1].tries == 2
