"""Drafts kept by session: whole, bounded, expired in time, and nobody else's."""

import errno
import json
import os
from dataclasses import replace

import pytest
from PIL import Image

from anystory.project.drafts import (
    DAY,
    Draft,
    DraftActor,
    DraftError,
    DraftPicture,
    Store,
    draft_of,
    load_draft,
    save_draft,
)
from anystory.project.folder import content
from anystory.script.form import MAX_BYTES, MAX_TEXT
from anystory.script.read import parse_script
from anystory.story.model import Line, Panel, Settings, Style
from tests.stories import rendered, story, subject


def full():
    looks = [(made.image, made.mask, made.mask) for made in (subject("Fox"), subject("Fox", 48))]
    pictures = (DraftPicture(*looks[0], Image.new("RGBA", (64, 64), (0, 200, 0, 90))), DraftPicture(*looks[1]))
    actor = DraftActor("Fox", "a fox", "", pictures, 0.6, "left")
    return Draft(
        "[unfinished\nFox walks \ud83e",
        "A title",
        "Crayon",
        (actor, DraftActor("Owl", "an owl")),
        Settings(64, steps=3, seed=8),
        ((2, Panel("Fox and Tom talk", ("Fox",), dialogue=(Line("Tom", "Hi"),), seed=5)),),
        (Style("Crayon", "{prompt}, in wax"),),
    )


def same(one, other):
    """Equal, pictures by their pixels."""
    pixels = [
        [part and (part.mode, part.size, part.tobytes()) for actor in draft.cast for picture in actor.pictures
         for part in (picture.upload, picture.automatic, picture.mask, picture.strokes, picture.cutout)]
        for draft in (one, other)
    ]  # fmt: skip
    words = [
        replace(d, cast=tuple((a.name, a.description, a.drawn, a.height, a.facing) for a in d.cast))
        for d in (one, other)
    ]
    return pixels[0] == pixels[1] and words[0] == words[1]


def test_what_is_kept_again_and_again_reads_its_pictures_once(tmp_path, monkeypatch):
    read = []
    tobytes = Image.Image.tobytes
    monkeypatch.setattr(Image.Image, "tobytes", lambda image, *how: read.append(image) or tobytes(image, *how))
    draft = full()
    save_draft(tmp_path, draft)
    first = len(read)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "draft").iterdir()}
    save_draft(tmp_path, replace(draft, text="Fox sleeps"))
    assert first and len(read) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "draft").iterdir()} == files
    assert same(load_draft(tmp_path), replace(draft, text="Fox sleeps"))


def test_a_draft_comes_back_as_it_was_typed(tmp_path):
    save_draft(tmp_path, full())
    back = load_draft(tmp_path)
    assert same(back, full())
    assert back.cast[0].subject.mask.tobytes() == subject("Fox").mask.tobytes() and back.cast[1].subject is None
    assert [mask.size for _, mask in back.cast[0].subject.more] == [(48, 48)]
    assert load_draft(tmp_path / "nowhere") is None


def test_pictures_that_went_are_removed_and_others_not_written_again(tmp_path):
    save_draft(tmp_path, full())
    stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "draft").iterdir()}
    assert len(stamps) == 7
    save_draft(tmp_path, replace(full(), text="else"))
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "draft").iterdir()} == stamps
    save_draft(tmp_path, Draft("no cast"))
    assert list((tmp_path / "draft").iterdir()) == []


def test_a_draft_of_a_rendered_story_reads_as_the_same_story():
    made = story()
    made = replace(made, subjects=(replace(made.subjects[0], more=(subject("Owl").pictures)), made.subjects[1]))
    draft = draft_of(made)
    assert [content(actor.subject) for actor in draft.cast if actor.subject] == [content(s) for s in made.subjects]
    script = parse_script(draft.text, cast=made.script.cast)
    assert script.panels == made.script.panels
    assert draft.panels == () and draft.settings == made.settings


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": "1"},
        {"text": 3},
        {"cast": [{"name": "Fox", "description": "", "drawn": "", "cutout": "../../secret.png"}]},
        {"cast": [{"name": "Fox", "description": "", "drawn": "", "cutout": "draft/" + "0" * 24 + ".png"}]},
        {"cast": [{"name": "Fox", "description": "", "drawn": "", "upload": "draft/x.png", "more": [{}] * 8}]},
        {"cast": [{"name": "Fox", "description": "", "drawn": "", "facing": "up"}]},
        {"cast": [{"name": "Fox", "description": "", "drawn": "", "facing": ["left"]}]},
        {"settings": {"size": 64, "steps": -1}},
        {"numbers": [1, 2, 3]},
        {"script": {"panels": [{"prompt": 1}]}},
    ],
)
def test_a_damaged_draft_is_one_sentence(tmp_path, change):
    save_draft(tmp_path, full())
    path = tmp_path / "draft.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DraftError) as error:
        load_draft(tmp_path)
    assert "\n" not in str(error.value)


def test_a_cutout_of_another_size_than_its_picture_is_damage(tmp_path):
    save_draft(tmp_path, full())
    path = tmp_path / "draft.json"
    listed = json.loads(path.read_text())
    first = listed["cast"][0]
    first["cutout"] = first["more"][0]["cutout"]
    path.write_text(json.dumps(listed))
    with pytest.raises(DraftError, match="is damaged"):
        load_draft(tmp_path)


class Clock:
    now = 1_800_000_000.0

    def __call__(self):
        return self.now


def test_a_session_finds_its_own_story_and_nobody_elses(tmp_path):
    store = Store(tmp_path)
    mine, other = store.new_key(), store.new_key()
    assert mine != other and store.load(mine) is None
    store.save(mine, Draft("mine"))
    store.save(other, Draft("other"))
    assert Store(tmp_path).load(mine) == Draft("mine") and store.load(other) == Draft("other")
    assert not any(mine in str(path) or other in str(path) for path in tmp_path.rglob("*"))
    store.forget(mine)
    assert store.load(mine) is None and store.load(other) == Draft("other")
    assert store.load(store.folder(other).name) is None  # what is seen on the disk is no key to it
    for key in ("", "../../etc", "a" * 31, "a" * 33, None, "a" * 31 + "/"):
        with pytest.raises(DraftError):
            store.load(key)


def test_old_stories_go_and_then_the_oldest_beyond_the_size(tmp_path):
    clock = Clock()
    store = Store(tmp_path, days=2, total=250_000, clock=clock, running=clock)
    keys = [store.new_key() for _ in range(4)]
    for key in keys:
        store.save(key, Draft("x" * 100_000))
        clock.now += DAY
    assert store.load(keys[0]) is not None  # in use again, from now
    assert store.sweep() == 2
    assert [store.load(key) is not None for key in keys] == [True, False, False, True]
    clock.now += 9 * DAY
    assert store.sweep(keep=(keys[3],)) == 1
    assert store.load(keys[3]) is not None and list(tmp_path.glob(".*")) == [tmp_path / ".clock"]


@pytest.mark.parametrize("jump", [400 * DAY, -400 * DAY])
def test_a_clock_that_jumps_deletes_nothing(tmp_path, jump):
    clock, running = Clock(), Clock()
    store = Store(tmp_path, days=2, clock=clock, running=running)
    key = store.new_key()
    store.save(key, Draft("mine"))
    assert store.sweep() == 0
    clock.now += jump
    assert store.sweep() == 0  # while it runs
    again = Store(tmp_path, days=2, clock=clock, running=running)
    assert again.sweep() == 0  # and at the next start
    clock.now -= jump
    for _ in range(3):
        again = Store(tmp_path, days=2, clock=clock, running=running)
        assert again.load(key) == Draft("mine") and again.sweep() == 0
        clock.now += DAY
    running.now += 3 * DAY
    assert again.sweep() == 1


def test_what_was_killed_over_a_folder_is_swept(tmp_path):
    running = Clock()
    store = Store(tmp_path, running=running)
    store.save(key := store.new_key(), Draft("mine"))
    left = tmp_path / f".{store.folder(key).name}-a1b2c3_d"  # of unpacking, or of removing
    (left / "frames").mkdir(parents=True)
    (tmp_path / ".notes-of-mine").mkdir()
    store.sweep()
    assert left.exists()  # somebody may be at it
    running.now += 3600
    store.sweep()
    assert not left.exists() and (tmp_path / ".notes-of-mine").exists() and store.load(key) == Draft("mine")


@pytest.mark.parametrize("links", [True, False])
def test_a_copy_of_a_story_has_its_name_when_it_is_whole(tmp_path, links, monkeypatch):
    def full_disk(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if not links:
        monkeypatch.setattr(os, "link", full_disk)
    store = Store(tmp_path)
    store.save(key := store.new_key(), full())
    store.copy(key, other := store.new_key())
    assert same(store.load(other), store.load(key))
    monkeypatch.setattr(os, "link", full_disk)
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DraftError, match="cannot be put away"):
        store.copy(key, third := store.new_key())
    assert not store.folder(third).exists() and not [*tmp_path.glob(".*-*")]


def test_a_story_that_is_too_large_takes_words_and_less_but_no_more_pictures(tmp_path):
    store, key = Store(tmp_path, most=5_000), Store.new_key()
    store.save(key, full())
    rendered(store.folder(key))
    (store.folder(key) / "frames/big.png").write_bytes(b"0" * 9_000)
    noise = Image.effect_noise((64, 64), 90)
    more = replace(full().cast[1], pictures=(DraftPicture(noise.convert("RGB"), noise, noise),))
    with pytest.raises(DraftError, match="remove some"):
        store.save(key, replace(full(), cast=(*full().cast, more)))
    assert same(store.load(key), full())
    store.save(key, replace(full(), text="second"))
    assert same(store.load(key), replace(full(), text="second"))
    store.save(key, Draft("third"))
    assert store.load(key) == Draft("third") and not list((store.folder(key) / "draft").iterdir())


def test_what_could_not_be_read_again_is_not_kept(tmp_path):
    most = replace(full(), text="x" * MAX_BYTES, title="x" * MAX_TEXT, style="x" * MAX_TEXT)
    most = replace(most, cast=(DraftActor("Fox", "x" * MAX_TEXT, "x" * (MAX_TEXT + 99)),))
    save_draft(tmp_path, most)
    assert load_draft(tmp_path) == most
    for what in ("text", "title", "style"):
        with pytest.raises(DraftError, match=f"The {what} has "):
            save_draft(tmp_path, replace(most, **{what: getattr(most, what) + "x"}))
    with pytest.raises(DraftError, match="The description of Fox has 2001"):
        save_draft(tmp_path, replace(most, cast=(DraftActor("Fox", "x" * (MAX_TEXT + 1)),)))
    assert load_draft(tmp_path) == most
