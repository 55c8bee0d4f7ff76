"""A story saved as a ZIP and opened again, and what must not come in with one."""

import io
import json
import os
import stat
import time
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.project import archive
from anystory.project.archive import ArchiveError, pack, unpack
from anystory.project.drafts import Draft, draft_of, load_draft, save_draft
from anystory.project.folder import KEPT, Project
from anystory.script.form import MAX_CAST, MAX_PANELS
from anystory.story.model import MAX_PICTURES
from tests.stories import rendered, story, subject

FOX = {"name": "Fox", "file": "subjects/fox.png", "content": ""}


@pytest.fixture
def packed(tmp_path):
    """A ZIP of a rendered story with a draft; one of its characters has two pictures."""
    made = story()
    made = replace(made, subjects=(replace(made.subjects[0], more=subject("Fox", 48).pictures), made.subjects[1]))
    rendered(tmp_path / "story", made, trace=True)
    save_draft(tmp_path / "story", draft_of(made))
    pack(tmp_path / "story", tmp_path / "story.zip")
    return tmp_path / "story.zip"


def rewritten(source, change):
    """The entries of a ZIP as `change` makes them of (name, data), a None leaving one out."""
    target = source.with_name("changed.zip")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            data = change(entry.filename, old.read(entry))
            if data is not None:
                new.writestr(entry.filename, data)
    return target


def with_entry(source, name, data, **attributes):
    target = rewritten(source, lambda _, data: data)
    entry = zipfile.ZipInfo(name)
    for key, value in attributes.items():
        setattr(entry, key, value)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(entry, data)
    return target


def refused(source, tmp_path, **how):
    with pytest.raises(ArchiveError) as error:
        unpack(source, tmp_path / "out", **how)
    assert "\n" not in str(error.value) and source.name in str(error.value) and str(tmp_path) not in str(error.value)
    assert sorted(path.name for path in tmp_path.glob(".out*")) == [] and not (tmp_path / "out").exists()
    return str(error.value)


def test_whatever_bytes_are_wrong_it_opens_or_says_so(packed, tmp_path):
    """Every exception but a sentence fails here: flipped bytes, most of them in the directory, and cut-off files."""
    whole, rng, target = packed.read_bytes(), np.random.default_rng(0), tmp_path / "bad.zip"
    directory = whole.index(b"PK\x01\x02")
    for trial in range(150):
        data = bytearray(whole if trial % 10 else whole[: rng.integers(len(whole))])
        first = directory if trial % 3 and trial % 10 else 0
        for at in rng.integers(first, len(data), size=rng.integers(1, 4)):
            data[at] = rng.integers(256)
        target.write_bytes(data)
        try:
            unpack(target, tmp_path / f"out{trial}")
        except ArchiveError as error:
            assert "\n" not in str(error) and not (tmp_path / f"out{trial}").exists()


def test_a_story_comes_back_whole(packed, tmp_path):
    (tmp_path / "story/notes.txt").write_text("mine")
    unpacked = unpack(packed, tmp_path / "out")
    assert unpacked.notes == ()
    one, other = Project(tmp_path / "story"), Project(tmp_path / "out")
    assert other.entries == one.entries and other.entries[2].trace
    assert [(each.height, each.facing) for each in other.story().script.cast] == [(0.6, "left"), *[(None, None)] * 2]
    assert [(each.height, each.facing) for each in other.story().subjects] == [(0.6, "left"), (None, None)]
    first = draft_of(story()).cast[0]
    assert (first.height, first.facing) == (0.6, "left")
    assert other.story().script.panels == story().script.panels and other.story().settings == story().settings
    assert [len(subject.pictures) for subject in other.story().subjects] == [2, 1]
    assert [len(actor.pictures) for actor in load_draft(tmp_path / "out").cast] == [2, 1, 0]
    for kind in ("frames/*", "subjects/*", "draft/*"):
        names = sorted(path.relative_to(tmp_path / "story") for path in (tmp_path / "story").glob(kind))
        assert names and all(
            (tmp_path / "out" / n).read_bytes() == (tmp_path / "story" / n).read_bytes() for n in names
        )
    assert load_draft(tmp_path / "out").text == draft_of(story()).text
    assert not (tmp_path / "out/notes.txt").exists()


def test_the_same_story_gives_the_same_bytes(packed, tmp_path):
    before = packed.read_bytes()
    unpack(packed, tmp_path / "out")
    pack(tmp_path / "out", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == before


def test_a_draft_alone_travels_too(tmp_path):
    save_draft(tmp_path / "draft", Draft("Mia walks", "A title"))
    pack(tmp_path / "draft", tmp_path / "draft.zip")
    unpack(tmp_path / "draft.zip", tmp_path / "out")
    assert load_draft(tmp_path / "out") == Draft("Mia walks", "A title")


@pytest.mark.parametrize("bare", [False, True])
def test_an_older_story_is_migrated(packed, tmp_path, bare):
    """Also one of a program's script that lists nobody beside its subjects."""

    def older(name, data):
        if name != "story.json":
            return data
        content = json.loads(data) | {"version": 1}
        if bare:
            del content["script"]["cast"]
        for panel in content["panels"]:
            for key in ("trace", "asked", "tries", "diagnosis"):
                del panel[key]
        return json.dumps(content)

    unpack(rewritten(packed, older), tmp_path / "out")
    assert json.loads((tmp_path / "out/story.json").read_text())["version"] == 4
    assert sorted(Project(tmp_path / "out").entries) == [1, 2, 3]
    assert [subject.name for subject in Project(tmp_path / "out").story().subjects] == ["Fox", "Owl"]


def test_a_folder_with_nothing_that_anybody_put_there_is_empty(packed, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".DS_Store").write_bytes(b"icons")
    unpack(packed, tmp_path / "out")
    assert sorted(Project(tmp_path / "out").entries) == [1, 2, 3]
    assert (tmp_path / "out" / ".DS_Store").read_bytes() == b"icons"


def test_a_folder_zipped_by_hand_opens(packed, tmp_path):
    target = tmp_path / "hand.zip"
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(target, "w") as new:
        new.mkdir("My story")
        for entry in old.infolist():
            new.writestr(f"My story/{entry.filename}", old.read(entry))
        new.writestr("__MACOSX/My story/._story.json", b"junk")
        new.writestr("My story/.DS_Store", b"junk")
        new.writestr("My story/run.py", b"print('no')")
    unpack(target, tmp_path / "out")
    assert sorted(Project(tmp_path / "out").entries) == [1, 2, 3]
    assert not list((tmp_path / "out").rglob("*.py")) and not list((tmp_path / "out").rglob(".*"))


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "subjects/../../evil.png", "..\\evil.png", "C:/evil.png"]
)
def test_a_name_that_leads_out_is_refused(packed, tmp_path, name):
    assert "leads out" in refused(with_entry(packed, name, b"x"), tmp_path)
    assert not list(tmp_path.rglob("evil.png"))


def test_links_duplicates_and_passwords_are_refused(packed, tmp_path):
    link = with_entry(packed, "subjects/x.png", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert "is a link" in refused(link, tmp_path)
    assert "twice" in refused(with_entry(packed, "SUBJECTS/FOX.PNG".lower().replace("fox", "FOX"), b"x"), tmp_path)
    locked = packed.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")
    target = tmp_path / "locked.zip"
    target.write_bytes(locked)
    assert locked != packed.read_bytes() and "password" in refused(target, tmp_path)


def test_bombs_are_refused_before_they_unpack(packed, tmp_path, monkeypatch):
    bomb = with_entry(packed, "draft/" + "0" * 24 + ".png", b"\0" * 50_000_000, compress_type=zipfile.ZIP_DEFLATED)
    assert "more than such a file has" in refused(bomb, tmp_path)
    assert "are accepted" in refused(packed, tmp_path, most=1000)
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    assert "at most 3" in refused(packed, tmp_path)


def test_what_is_packed_can_be_unpacked(packed, tmp_path, monkeypatch):
    assert MAX_PANELS * (3 + 2 * KEPT) + 3 * MAX_CAST * MAX_PICTURES < archive.MAX_FILES
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    with pytest.raises(ArchiveError, match="files, a ZIP at most 3; take panels out"):
        pack(tmp_path / "story", tmp_path / "many.zip")
    monkeypatch.setattr(archive, "MAX_ZIP", 4000)
    monkeypatch.setattr(archive, "MAX_FILES", 100)
    with pytest.raises(ArchiveError, match="MB, a ZIP at most"):
        pack(tmp_path / "story", tmp_path / "large.zip")
    assert not [*tmp_path.glob("*many*"), *tmp_path.glob("*large*")]


def png_of(width, height):
    buffer = io.BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("subjects/fox.png", b"<html>"),
        ("subjects/fox.png", png_of(9000, 9000)),
        ("frames/001-maps.npz", b"\x80\x04pickle"),
        ("frames/001-maps.npz", npz(maps=np.array([{}], object))),
        ("frames/001-maps.npz", npz(maps=np.zeros(70_000_000, np.uint8))),
    ],
    ids=["no image", "too many pixels", "no npz", "pickled", "bomb in npz"],
)
def test_files_must_be_what_their_names_say(packed, tmp_path, name, data):
    said = refused(rewritten(packed, lambda n, old: data if n == name else old), tmp_path)
    assert "is not what its name says" in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 99}, "newer AnyStory"),
        ({"version": None}, "which version"),
        ({"settings": {"size": 1e9}}, "size"),
        ({"script": {"panels": [{"prompt": ""}] * 3}}, "prompt"),
        ({"script": {"panels": [{"prompt": "Fox walks"}]}}, "other panels than its script"),
        ({"panels": 3}, "damaged"),
        (
            {"subjects": [{"name": "Fox", "file": "../../etc/passwd", "content": ""}]},
            "file is '../../etc/passwd'",
        ),
        ({"subjects": [{**FOX, "more": ["/x.png"]}]}, "subjects[0].more[0] is '/x.png'"),
        ({"subjects": [{**FOX, "file": "other/fox.png"}]}, "names the file 'other/fox.png', which no story has"),
        ({"subjects": [{**FOX, "more": [FOX["file"]] * 8}]}, "at most 8"),
        ({"subjects": [{**FOX, "more": 1}]}, "damaged"),
        ({"backend": {}}, "damaged"),
        ({"subjects": [{"name": "Fox", "file": "subjects/other.png", "content": ""}]}, "damaged"),
    ],
)
def test_a_made_up_story_is_refused(packed, tmp_path, change, says):
    def made_up(name, data):
        return json.dumps({**json.loads(data), **change}) if name == "story.json" else data

    assert says in refused(rewritten(packed, made_up), tmp_path)


def test_frames_that_are_not_whole_are_left_out_and_named(packed, tmp_path):
    changed = rewritten(packed, lambda name, data: None if name in ("frames/001.png", "frames/002-trace.npz") else data)
    notes = unpack(changed, tmp_path / "out").notes
    assert ["panel 1" in note for note in notes] == [True, False] and "trace of panel 2" in notes[1]
    project = Project(tmp_path / "out")
    assert sorted(project.entries) == [2, 3] and project.entries[2].trace is None


def test_other_files_and_folders_are_told(packed, tmp_path):
    plain = tmp_path / "plain.zip"
    plain.write_bytes(b"not a zip")
    assert "not a ZIP file" in refused(plain, tmp_path)
    assert "no story in it" in refused(rewritten(packed, lambda n, d: None if n.endswith(".json") else d), tmp_path)
    truncated = tmp_path / "short.zip"
    truncated.write_bytes(packed.read_bytes()[:-200])
    assert "AnyStory saved" in refused(truncated, tmp_path)  # zipfile finds the end of an npz file inside
    with pytest.raises(ArchiveError, match="not empty"):
        unpack(packed, tmp_path / "story")
    with pytest.raises(ArchiveError, match="no story"):
        pack(tmp_path / "nowhere", tmp_path / "x.zip")
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack(tmp_path / "nowhere.zip", tmp_path / "out")


def test_pictures_that_no_list_names_are_not_even_decoded(packed, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        archive, "_check", lambda data, name, check=archive._check: seen.append(name) or check(data, name)
    )
    false = with_entry(packed, f"history/{'a' * 32}.png", b"no picture")
    unpack(false, tmp_path / "out")
    assert "frames/001.png" in seen and not (tmp_path / "out/history").exists()


def test_more_pixels_than_a_story_has_are_refused_before_they_are_decoded(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_ALL_PIXELS", 20_000)
    refused(packed, tmp_path)
    with pytest.raises(ArchiveError, match="million pixels"):
        pack(tmp_path / "story", tmp_path / "again.zip")
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MAX_FRAME", 63 * 63)
    refused(packed, tmp_path)


def test_a_link_is_not_followed_into_a_zip(packed, tmp_path):
    secret, frame = tmp_path / "secret", tmp_path / "story/frames/001.png"
    frame.rename(secret)
    frame.symlink_to(secret)
    with pytest.raises(ArchiveError, match="link"):
        pack(tmp_path / "story", tmp_path / "again.zip")
    frame.unlink()
    (tmp_path / "story/frames").rename(tmp_path / "elsewhere")
    (tmp_path / "story/frames").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArchiveError, match="link"):
        pack(tmp_path / "story", tmp_path / "again.zip")
    assert not list(tmp_path.glob("*again*"))


@pytest.mark.parametrize("target", ["/dev/full", "/proc/story.zip", "."])
def test_a_place_that_takes_no_zip_is_one_sentence(packed, tmp_path, target):
    with pytest.raises(ArchiveError, match=r"choose another place"):
        pack(tmp_path / "story", target)


def test_what_was_killed_while_unpacking_is_swept(packed, tmp_path):
    for age, name in ((archive.ABANDONED + 1, ".out-a1b2c3_d"), (0, ".out-new_here")):
        (tmp_path / name / "frames").mkdir(parents=True)
        os.utime(tmp_path / name, (then := time.time() - age, then))
    unpack(packed, tmp_path / "out")
    assert [path.name for path in tmp_path.glob(".out*")] == [".out-new_here"]
