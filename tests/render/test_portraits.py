"""Characters that come without a picture: drawn once, kept, used as references, refused in a sentence."""

import json
from contextlib import closing
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from anystory.cast.segment import Segmenter, SegmentError
from anystory.cli.render import how_drawn
from anystory.project.folder import Project, content
from anystory.render import portraits
from anystory.render.portraits import SEEDS, draw_cast, undrawn, with_drawn
from anystory.render.session import Renderer, RenderError
from anystory.story.model import CastMember, Panel, Script, Story, Subject
from anystory.story.prompt import portrait


class Selecting(Segmenter):
    """Cuts with a mask by hand, a disc of `radius` pixels in the middle, and counts the pictures."""

    def __init__(self, radius=20):
        super().__init__()
        self.radius, self.seen = radius, []

    def cut(self, image, mask=None):
        disc, (x, y) = Image.new("L", image.size), (image.width // 2, image.height // 2)
        if self.radius:
            ImageDraw.Draw(disc).ellipse((x - self.radius, y - self.radius, x + self.radius, y + self.radius), fill=255)
        self.seen.append(image.tobytes())
        return super().cut(image, disc)


@pytest.fixture
def story(tiny_backend):
    image, mask = Image.new("RGB", (48, 48), "orange"), Image.new("L", (48, 48), 255)
    cast = (
        CastMember("Owl", description="a brown owl. It is old"),
        CastMember("Fox"),
        CastMember("Bat", description="a bat"),
    )
    panels = (Panel("Fox runs", ("Fox",)), Panel("Owl meets Fox", ("Owl", "Fox")), Panel("a beach"))
    settings = replace(tiny_backend.about.defaults, steps=2, seed=3)
    return Story(Script(panels, cast), (Subject("Fox", image, mask),), settings)


def drawn(story, backend, segmenter, *where, **how):
    """All steps of drawing, and the story with whom it gave."""
    events = list(draw_cast(story, backend, segmenter, *where, **how))
    return events, with_drawn(story, [event.subject for event in events if event.subject])


def test_who_is_to_be_drawn(story):
    assert [member.name for member in undrawn(story)] == ["Owl"]  # the bat is in no panel, the fox has a picture
    assert undrawn(story, [1, 3]) == ()
    assert undrawn(replace(story, script=replace(story.script, panels=(Panel("x", ("Bat", "Owl")),)))) == (
        story.script.cast[0],
        story.script.cast[2],
    )


def test_a_drawing_is_a_frame_of_the_description_and_becomes_a_reference(tiny_backend, story, tmp_path):
    segmenter = Selecting()
    events, whole = drawn(story, tiny_backend, segmenter, tmp_path)
    assert [(e.name, e.attempt, e.step.index, e.subject is not None) for e in events] == [
        ("Owl", 1, 1, False),
        ("Owl", 1, 2, True),
    ]
    assert [subject.name for subject in whole.subjects] == ["Owl", "Fox"]
    owl = whole.subjects[0]
    assert owl.drawn == "a brown owl. It is old, the whole figure in the middle, on a plain white background"
    assert owl.description == "a brown owl. It is old" and owl.image.tobytes() == segmenter.seen[0]
    with pytest.raises(RenderError, match="Owl is in panel 2 but has no picture"):
        list(Renderer(tiny_backend).render(story))
    frames = {e.panel: e.step.frame for e in Renderer(tiny_backend).render(whole, tmp_path) if e.step.frame}
    assert frames[2].maps.names == ("Owl", "Fox", "background")
    other = replace(owl, image=Image.new("RGB", owl.image.size, "blue"))
    changed = with_drawn(replace(whole, subjects=whole.subjects[1:]), [other])
    again = {e.panel: e.step.frame for e in Renderer(tiny_backend).render(changed) if e.step.frame}
    assert (
        again[2].image.tobytes() != frames[2].image.tobytes() and again[1].image.tobytes() == frames[1].image.tobytes()
    )


def test_of_two_in_the_same_words_it_is_said_that_they_look_the_same(tiny_backend, story, tmp_path):
    cast = (CastMember("Owl", description="a brown owl"), CastMember("Bat", description="a brown owl"))
    twins = replace(story, script=Script((Panel("Owl meets Bat", ("Owl", "Bat")),), cast), subjects=())
    events, whole = drawn(twins, tiny_backend, Selecting(), tmp_path)
    assert [event.reused for event in events if event.subject] == [False, True]
    owl, bat = whole.subjects
    assert how_drawn(owl) == "drawn" and how_drawn(bat, [owl], reused=True) == "drawn, the same as Owl"
    assert how_drawn(owl, reused=True) == "unchanged"


def test_story_json_shows_who_was_drawn_from_what(tiny_backend, story, tmp_path):
    _, whole = drawn(story, tiny_backend, Selecting(), tmp_path)
    list(Renderer(tiny_backend).render(whole, tmp_path, panels=[3]))
    listed = json.loads((tmp_path / "story.json").read_text(encoding="utf-8"))["subjects"]
    assert [(entry["name"], entry.get("drawn")) for entry in listed] == [
        ("Owl", whole.subjects[0].drawn),
        ("Fox", None),
    ]
    read = Project(tmp_path).story()
    assert [subject.drawn for subject in read.subjects] == [whole.subjects[0].drawn, ""]
    assert content(read.subjects[0]) == content(whole.subjects[0]) and undrawn(read) == ()


def test_what_has_not_changed_is_not_drawn_again(tiny_backend, story, tmp_path, monkeypatch):
    _, first = drawn(story, tiny_backend, Selecting(), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(tiny_backend, "denoise", None)  # nothing may be drawn
        patch.setattr(Selecting, "cut", None)
        seed = replace(story, settings=replace(story.settings, seed=77))
        renamed = replace(story.script.cast[0], name="Uhu")
        panels = (Panel("Uhu sits", ("Uhu",)),)
        named = replace(story, script=replace(story.script, cast=(renamed, *story.script.cast[1:]), panels=panels))
        for same in (story, seed, named):
            events, again = drawn(same, tiny_backend, Selecting(), tmp_path)
            assert [event.reused for event in events] == [True]
            assert content(again.subjects[0]) == content(first.subjects[0])


def test_a_drawing_whose_article_was_another_once_is_not_drawn_again(tiny_backend, story, tmp_path, monkeypatch):
    def once(*arguments):
        prompt = portrait(*arguments)
        article, _, rest = prompt.text.partition(" ")
        return replace(prompt, text=f"{'a' if article == 'an' else 'an'} {rest[0].swapcase()}{rest[1:]}")

    with monkeypatch.context() as patch:
        patch.setattr(portraits, "portrait", once)
        _, first = drawn(story, tiny_backend, Selecting(), tmp_path)
    for _ in range(2):
        events, again = drawn(story, tiny_backend, Selecting(), tmp_path)
        assert [event.reused for event in events] == [True] and len(list((tmp_path / "drawn").iterdir())) == 1
        assert content(again.subjects[0]) == content(first.subjects[0])


@pytest.mark.parametrize("change", ["description", "steps", "guidance"])
def test_what_has_changed_is_drawn_again(tiny_backend, story, tmp_path, change):
    drawn(story, tiny_backend, Selecting(), tmp_path)
    if change == "description":
        cast = (replace(story.script.cast[0], description="a white owl"), *story.script.cast[1:])
        story = replace(story, script=replace(story.script, cast=cast))
    else:
        story = replace(story, settings=replace(story.settings, **{change: 3}))
    events, _ = drawn(story, tiny_backend, Selecting(), tmp_path)
    assert not events[-1].reused and len(list((tmp_path / "drawn").iterdir())) == 2  # what was made stays


def test_a_style_the_backend_cannot_follow_draws_nobody_anew(tiny_backend, story, tmp_path, monkeypatch):
    drawn(story, tiny_backend, Selecting(), tmp_path)
    styled = replace(story, script=replace(story.script, style="Line art"))
    events, _ = drawn(styled, tiny_backend, Selecting(), tmp_path)
    assert events[-1].reused
    monkeypatch.setattr(tiny_backend, "about", replace(tiny_backend.about, follows_style=True))
    events, whole = drawn(styled, tiny_backend, Selecting(), tmp_path)
    assert not events[-1].reused and "thin even black lines" in whole.subjects[0].drawn


def test_the_same_drawing_every_time_and_from_a_damaged_file_anew(tiny_backend, story, tmp_path):
    _, first = drawn(story, tiny_backend, Selecting(), tmp_path)
    (file,) = (tmp_path / "drawn").iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:200], whole[:-30]):
        file.write_bytes(damaged)
        events, again = drawn(story, tiny_backend, Selecting(), tmp_path)
        assert not events[-1].reused and content(again.subjects[0]) == content(first.subjects[0])
        assert file.read_bytes() == whole
    _, apart = drawn(story, tiny_backend, Selecting())
    assert content(apart.subjects[0]) == content(first.subjects[0])


def test_an_empty_cut_out_is_tried_with_other_seeds_and_then_refused(tiny_backend, story, tmp_path):
    segmenter = Selecting(radius=0)
    with pytest.raises(RenderError) as caught:
        drawn(story, tiny_backend, segmenter, tmp_path)
    message = str(caught.value)
    assert message.startswith("Owl was drawn from 'a brown owl. It is old' 3 times, but nothing could be cut out")
    assert message.endswith("describe Owl in other words, or give a picture.") and "\n" not in message
    assert len(set(segmenter.seen)) == len(SEEDS) == 3
    (kept,) = (tmp_path / "drawn").iterdir()
    assert str(kept) in message and Image.open(kept).tobytes() == segmenter.seen[-1]
    with pytest.raises(RenderError):  # and without a folder
        drawn(story, tiny_backend, segmenter)


def test_a_segmenter_that_cannot_be_had_is_said_at_once(tiny_backend, story):
    class Missing(Selecting):
        def cut(self, image, mask=None):
            self.seen.append(image)
            raise SegmentError("The segmentation model is not on this machine.")

    segmenter = Missing()
    with pytest.raises(SegmentError, match="not on this machine"):
        drawn(story, tiny_backend, segmenter)
    assert len(segmenter.seen) == 1


def test_a_later_seed_may_do(tiny_backend, story):
    class Second(Selecting):
        def cut(self, image, mask=None):
            self.radius = 20 if self.seen else 0
            return super().cut(image, mask)

    events, whole = drawn(story, tiny_backend, Second())
    assert [event.attempt for event in events] == [1, 1, 2, 2] and whole.subjects[0].name == "Owl"


def test_nobody_is_drawn_for_panels_that_cannot_be_rendered(tiny_backend, story):
    crowd = tuple(CastMember(f"N{k}", description="a man") for k in range(tiny_backend.about.max_subjects + 1))
    panels = (*story.script.panels, Panel("a crowd", tuple(member.name for member in crowd)))
    crowded = replace(story, script=Script(panels, (*story.script.cast, *crowd)))
    with pytest.raises(RenderError, match="Panel 4 has 5 characters; mini takes at most 4"):
        drawn(crowded, tiny_backend, Selecting())
    with pytest.raises(RenderError, match="no panel 9"):
        drawn(story, tiny_backend, Selecting(), panels=[9])
    assert drawn(crowded, tiny_backend, Selecting(), panels=[3])[0] == []


def test_closing_stops_and_leaves_nothing_half(tiny_backend, story, tmp_path):
    with closing(draw_cast(story, tiny_backend, Selecting(), tmp_path)) as events:
        assert next(events).step.index == 1
    assert list(tmp_path.iterdir()) == []


def test_with_the_real_segmenter(tiny_backend, story, tmp_path):
    """A model with random weights draws noise: it is cut out or refused, and neither is a surprise."""
    try:
        _, whole = drawn(story, tiny_backend, Segmenter(), tmp_path)
    except RenderError as error:
        assert "nothing could be cut out" in str(error)
        assert [path.name.endswith("-uncut.png") for path in (tmp_path / "drawn").iterdir()] == [True]
    else:
        assert whole.subjects[0].mask.size == whole.subjects[0].image.size
