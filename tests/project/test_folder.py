"""Laws of the project folder: a round trip, whole files only, nothing read from outside."""

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from anystory.maps.diagnosis import diagnose
from anystory.project.archive import pack, unpack
from anystory.project.folder import (
    KEPT,
    Project,
    ProjectError,
    content,
    migrate,
    subject_files,
    sweep,
    write_atomic,
)
from anystory.project.imprint import asked_in_png
from anystory.story.model import (
    BACKGROUND,
    MAX_PICTURES,
    CastMember,
    Frame,
    Line,
    Panel,
    RoutingMaps,
    Script,
    Settings,
    Story,
    Subject,
    TraceRecorder,
)

SETTINGS = Settings(size=64, steps=3, guidance=2.5, seed=7)


def subject(name, seed=0, size=(40, 32)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 4), dtype=np.uint8)
    image = Image.fromarray(pixels)
    return Subject(name, image.convert("RGB"), image.getchannel("A"), f"the {name}")


@pytest.fixture
def story():
    cast = (CastMember("Fox", description="the Fox"), CastMember("小狐", description="the 小狐"), CastMember("Nobody"))
    panels = (
        Panel("Fox walks", ("Fox",), caption="One.", dialogue=(Line("Fox", "Hello: “you”"),)),
        Panel("Fox meets 小狐", ("Fox", "小狐"), seed=5),
        Panel("an empty beach"),
    )
    script = Script(panels, cast, title="A day", style="ink")
    return Story(script, (subject("Fox", 1), subject("小狐", 2)), SETTINGS)


def frame(names, seed):
    rng = np.random.default_rng(seed)
    values = rng.dirichlet(np.ones(len(names) + 1), (8, 8)).transpose(2, 0, 1).astype(np.float32)
    image = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    return Frame(image, RoutingMaps((*names, BACKGROUND), values), seed)


def names(story):
    return [(*panel.cast, BACKGROUND) for panel in story.script.panels]


def keys(story):
    return [f"key of {panel.prompt}" for panel in story.script.panels]


def begin(folder, story):
    project = Project(folder)
    project.begin(story, keys(story), names(story), "mini", "v1")
    return project


def fill(folder, story):
    project = begin(folder, story)
    for number, panel in enumerate(story.script.panels, 1):
        project.save(number, frame(panel.cast, number), f"key of {panel.prompt}", panel.prompt, SETTINGS)
    return project


def same_frame(a, b):
    return (
        a.image.tobytes() == b.image.tobytes()
        and a.maps.names == b.maps.names
        and np.abs(a.maps.values - b.maps.values).max() < 1e-3
        and a.seed == b.seed
    )


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("[!.]*") if path.is_file())


def test_round_trip(tmp_path, story):
    fill(tmp_path, story)
    again = Project(tmp_path).story()
    assert again.settings == story.settings
    assert again.script.panels == story.script.panels
    assert (again.script.title, again.script.style) == ("A day", "ink")
    assert [member.name for member in again.script.cast] == ["Fox", "小狐", "Nobody"]
    assert again.script.cast[0].image == tmp_path / "subjects/fox.png" and again.script.cast[2].image is None
    for old, new in zip(story.subjects, again.subjects, strict=True):
        assert content(new) == content(old) and (new.name, new.description) == (old.name, old.description)
    for number, panel in enumerate(story.script.panels, 1):
        assert same_frame(Project(tmp_path).frame(number), frame(panel.cast, number))
    assert begin(tmp_path, again).entries == fill(tmp_path / "other", story).entries


def test_every_picture_of_a_character_is_kept(tmp_path, story):
    fox = replace(story.subjects[0], more=(*subject("Fox", 3).pictures, *subject("Fox", 4, (8, 9)).pictures))
    story = replace(story, subjects=(fox, replace(story.subjects[1], name="Fox 2")))
    story = replace(story, script=replace(story.script, cast=(story.script.cast[0], CastMember("Fox 2"))))
    story = replace(story, script=replace(story.script, panels=(Panel("Fox meets Fox 2", ("Fox", "Fox 2")),)))
    fill(tmp_path, story)
    stems = sorted(path.stem for path in tmp_path.glob("subjects/*.png"))
    assert stems == ["fox", "fox-2", "fox_2", "fox_3"]
    again = Project(tmp_path).story()
    assert [content(one) for one in again.subjects] == [content(one) for one in story.subjects]
    assert again.script.cast[0].more == tuple((tmp_path / f"subjects/fox_{k}.png", None) for k in (2, 3))
    assert begin(tmp_path, again).entries.keys() == {1}
    (tmp_path / "subjects/fox_3.png").unlink()
    with pytest.raises(ProjectError, match="damaged"):
        Project(tmp_path).story()
    begin(tmp_path, story)
    fewer = replace(story, subjects=(replace(fox, more=fox.more[1:]), story.subjects[1]))
    begin(tmp_path, fewer)
    assert content(Project(tmp_path).story().subjects[0]) == content(fewer.subjects[0]) != content(fox)


def test_the_files_and_what_stands_in_them(tmp_path, story):
    fill(tmp_path, story)
    pictures = [f"frames/00{n}{end}" for n in (1, 2, 3) for end in ("-maps.npz", ".png")]
    assert files(tmp_path) == [*pictures, "story.json", "subjects/fox.png", "subjects/小狐.png"]
    data = json.loads((tmp_path / "story.json").read_text(encoding="utf-8"))
    assert data["version"] == 4 and data["backend"] == {"name": "mini", "version": "v1"}
    assert str(tmp_path) not in json.dumps(data)
    assert [panel["number"] for panel in data["panels"]] == [1, 2, 3]
    with Image.open(tmp_path / "frames/002.png") as picture:
        text = picture.text
    assert text["prompt"] == "Fox meets 小狐" and text["seed"] == "2" and text["version"] == "v1"
    assert json.loads(text["settings"]) == {"size": 64, "steps": 3, "guidance": 2.5, "eta": 1.0, "gamma": 0.0}
    with np.load(tmp_path / "frames/002-maps.npz", allow_pickle=False) as maps:
        assert maps["names"].tolist() == ["Fox", "小狐", "background"] and maps["names"].dtype.kind == "U"
        assert maps["maps"].dtype == np.float16 and maps["maps"].shape == (3, 8, 8)
        assert np.abs(maps["maps"].astype(np.float32).sum(0) - 1).max() < 2e-3


def test_the_cut_out_keeps_the_colours_below_alpha_0(tmp_path, story):
    bare = replace(story, subjects=(replace(story.subjects[0], mask=Image.new("L", (40, 32))),))
    begin(tmp_path, bare)
    assert content(Project(tmp_path).story().subjects[0]) == content(bare.subjects[0])


def test_content_is_about_looks_not_names():
    fox = subject("Fox", 1)
    assert content(fox) == content(replace(fox, name="Rex", description=""))
    other = [subject("Fox", 2), replace(fox, mask=Image.new("L", fox.image.size)), subject("Fox", 1, (32, 40))]
    assert len({content(s) for s in (fox, *other)}) == 4


def test_content_counts_every_picture_and_that_of_a_single_one_is_as_it_was():
    fox, side, back = (subject("Fox", seed, size) for seed, size in ((1, (40, 32)), (2, (32, 40)), (3, (40, 32))))
    single = hashlib.sha256(repr(fox.image.size).encode() + fox.image.tobytes() + fox.mask.tobytes())
    assert content(fox) == single.hexdigest()
    albums = ((), side.pictures, side.pictures + back.pictures, back.pictures + side.pictures, fox.pictures)
    assert len({content(replace(fox, more=more)) for more in albums}) == len(albums)


def test_further_pictures_are_checked_like_the_first_and_are_not_too_many():
    fox, side = subject("Fox", 1), subject("Fox", 2, (32, 40))
    whole = replace(fox, more=side.pictures * (MAX_PICTURES - 1))
    assert whole.pictures == fox.pictures + side.pictures * (MAX_PICTURES - 1)
    with pytest.raises(ValueError, match=f"^Fox has {MAX_PICTURES + 1} pictures; at most {MAX_PICTURES}"):
        replace(fox, more=side.pictures * MAX_PICTURES)
    with pytest.raises(ValueError, match="make them one size"):
        replace(fox, more=((side.image, fox.mask),))
    with pytest.raises(ValueError, match="must be RGB"):
        replace(fox, more=((side.mask, side.mask),))


@pytest.mark.parametrize(
    "names",
    [
        ["../../etc/passwd", "..", ".", "/", "C:\\x", "a/b", ""],
        ["Fox", "fox", "FOX", "fox!"],
        ["con", "NUL", "com1"],
        ["x" * 300, "x" * 301, "狐" * 300],
        ["\ud800", "\0", "ﬁx", "fix", "e\u0301", "é"],
    ],
)
def test_file_names_are_safe_and_differ(names):
    files = list(subject_files(names).values())
    assert len({file.lower() for file in files}) == len(names)
    for file in files:
        folder, name = file.split("/")
        assert folder == "subjects" and name.endswith(".png") and len(name.encode()) < 255
        stem = name.removesuffix(".png")
        assert stem.replace("-", "").isalnum() and stem.lower() not in {"con", "nul", "com1"}


def test_moved_panels_keep_their_frames(tmp_path, story):
    fill(tmp_path, story)
    pictures = [(tmp_path / f"frames/00{number}.png").read_bytes() for number in (1, 2, 3)]
    one, two, three = story.script.panels
    turned = replace(story, script=replace(story.script, panels=(three, Panel("new"), one, two)))
    begin(tmp_path, turned)
    project = Project(tmp_path)
    assert sorted(project.entries) == [1, 3, 4]
    for number, old in ((1, 3), (3, 1), (4, 2)):
        assert same_frame(project.frame(number), frame(story.script.panels[old - 1].cast, old))
    assert "frames/002.png" not in files(tmp_path)
    assert [(tmp_path / f"frames/00{number}.png").read_bytes() for number in (3, 4, 1)] == pictures


def test_panels_that_are_gone_leave_no_entry_and_changed_ones_keep_their_last_frame(tmp_path, story):
    fill(tmp_path, story)
    one, two, _ = story.script.panels
    shorter = replace(story, script=replace(story.script, panels=(replace(one, prompt="Fox runs"), two)))
    begin(tmp_path, shorter)
    project = Project(tmp_path)
    assert sorted(project.entries) == [1, 2]
    assert project.finished(1, "key of Fox runs") is None
    assert same_frame(project.frame(1), frame(("Fox",), 1))


def test_a_renamed_character_is_renamed_in_the_maps(tmp_path, story):
    fill(tmp_path, story)
    project = Project(tmp_path)
    project.begin(story, keys(story), [("Rex", BACKGROUND), *names(story)[1:]], "mini", "v1")
    assert Project(tmp_path).frame(1).maps.names == ("Rex", BACKGROUND)
    assert project.entries[1].names == ("Rex", BACKGROUND)


def test_a_new_name_leaves_the_old_one_nowhere(tmp_path, story):
    """Not on a frame of other words, nor in a history, and its cut-outs are there once."""
    fill(tmp_path, story).keep(2, frame(("Fox", "小狐"), 8), "kept of the history", "", SETTINGS)
    cast = tuple(replace(member, name=member.name.replace("Fox", "Rex")) for member in story.script.cast)
    panels = (Panel("Rex walks home", ("Rex",)), Panel("Rex meets 小狐", ("Rex", "小狐"), seed=5), Panel("a beach"))
    script, fox = replace(story.script, cast=cast, panels=panels), story.subjects[0]
    other = replace(story, script=script, subjects=(replace(fox, name="Rex"), story.subjects[1]))
    begin(tmp_path, other)
    project = Project(tmp_path)
    assert project.frame(1).maps.names == ("Rex", BACKGROUND)
    assert project.kept(2, "kept of the history").maps.names == ("Rex", "小狐", BACKGROUND)
    assert files(tmp_path / "subjects") == ["rex.png", "小狐.png"]
    back = begin(tmp_path, story)
    assert back.history[0].names == ("Fox", "小狐", BACKGROUND)


@pytest.mark.parametrize("file", ["frames/001.png", "frames/001-maps.npz"])
@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "another's", "empty"])
def test_a_frame_that_is_not_whole_is_not_finished(tmp_path, story, file, damage):
    fill(tmp_path, story)
    path = tmp_path / file
    data = path.read_bytes()
    half = len(data) // 2
    match damage:
        case "gone":
            path.unlink()
        case "cut":
            path.write_bytes(data[:half])
        case "flipped":
            path.write_bytes(data[:half] + bytes([data[half] ^ 0xFF]) + data[half + 1 :])
        case "another's":
            path.write_bytes((tmp_path / file.replace("001", "002")).read_bytes())
        case "empty":
            path.write_bytes(b"")
    project = Project(tmp_path)
    assert project.finished(1, keys(story)[0]) is None
    assert project.finished(2, keys(story)[1]) is not None
    with pytest.raises(ProjectError, match="Panel 1 has no readable frame"):
        project.frame(1)


def test_pickled_maps_are_refused(tmp_path, story):
    fill(tmp_path, story)
    key = keys(story)[0]
    np.savez(tmp_path / "frames/001-maps.npz", names=np.array(["Fox", BACKGROUND], object), maps=np.ones(2), key=key)
    assert Project(tmp_path).finished(1, key) is None


def test_files_outside_the_folder_are_not_read(tmp_path, story):
    fill(tmp_path / "a", story)
    begin(tmp_path / "b", story)
    path = tmp_path / "a/story.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["panels"][0]["image"] = "../b/frames/001.png"
    data["subjects"][0]["file"] = str(tmp_path / "b/subjects/fox.png")
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ProjectError, match="outside"):
        Project(tmp_path / "a").frame(1)
    with pytest.raises(ProjectError, match="outside"):
        Project(tmp_path / "a").story()


def test_a_full_disk_leaves_what_was_there(tmp_path, story, monkeypatch):
    project = fill(tmp_path, story)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    written = []

    def full(handle):  # where a disk that puts off writing says it
        written.append(handle)
        if len(written) == 2:
            os.ftruncate(handle, os.fstat(handle).st_size // 2)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("anystory.project.folder.os.fsync", full)
    with pytest.raises(ProjectError, match="No space left on device"):
        project.save(1, frame(("Fox",), 9), "new key", "new", SETTINGS)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


@pytest.fixture
def settled(tmp_path, monkeypatch):
    """What is settled on the disk and renamed, as it is done: ("fsync" or "replace", path, bytes there)."""
    done = []

    def noted(name, do):
        def and_do(what, *more):
            path = os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else str(what)
            size = 0 if os.path.isdir(path) else os.path.getsize(path)
            path = re.sub(r"\.[0-9a-f]{8}\.part|(?<=\.out-)\w{8}", "", os.path.relpath(path, tmp_path))
            done.append((name, path, size))
            return do(what, *more)

        monkeypatch.setattr(os, name, and_do)

    noted("fsync", os.fsync)
    noted("replace", os.replace)
    return done


def test_what_is_renamed_is_on_the_disk_and_then_its_name_is(tmp_path, settled):
    write_atomic({tmp_path / "a/frames/001.png": b"abc", tmp_path / "a/frames/001-maps.npz": b"def"})
    files = ["a/frames/.001.png", "a/frames/.001-maps.npz"]
    made = [("fsync", "a", 0), ("fsync", ".", 0)]  # the new folders' names, where they are
    assert settled[:2] == made
    assert settled[2:] == [
        *(("fsync", file, 3) for file in files),
        *(("replace", file, 3) for file in files),
        ("fsync", "a/frames", 0),
    ]


def test_a_new_storys_folder_has_its_name_on_the_disk(tmp_path, story, settled):
    begin(tmp_path / "stories" / "new", story)
    assert {("fsync", "stories", 0), ("fsync", ".", 0)} <= {*settled}


def test_what_is_unpacked_is_on_the_disk_before_it_has_its_name(tmp_path, story, settled):
    fill(tmp_path / "story", story)
    pack(tmp_path / "story", tmp_path / "story.zip")
    settled.clear()
    unpack(tmp_path / "story.zip", tmp_path / "out")
    sizes = {f".out-/{name}": (tmp_path / "out" / name).stat().st_size for name in files(tmp_path / "out")}
    named = settled.index(("replace", ".out-", 0))
    folders = {(".out-/" + name).rstrip("/") for name in ("", "frames", "subjects")}
    assert {("fsync", *file) for file in sizes.items()} | {("fsync", name, 0) for name in folders} <= {*settled[:named]}
    assert settled[named + 1 :] == [("fsync", ".", 0)]


def test_what_making_a_file_raises_is_told_as_it_is_and_nothing_is_left(tmp_path):
    def made(count):
        for number in range(count):
            yield tmp_path / f"{number}.png", b"abc"
        raise FileNotFoundError(errno.ENOENT, "gone", "picture.png")

    for count in (0, 2):
        with pytest.raises(FileNotFoundError, match="picture"):
            write_atomic(made(count))
        assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_settle_files_is_written_to_all_the_same(tmp_path, monkeypatch):
    def unknown(handle):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr("anystory.project.folder.os.fsync", unknown)
    write_atomic({tmp_path / "a": b"abc"})
    assert (tmp_path / "a").read_bytes() == b"abc"


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path, story):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ProjectError, match="cannot be"):
        begin(tmp_path / "file", story)
    with pytest.raises(ProjectError, match="cannot be"):
        begin(tmp_path / "file" / "deeper", story)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"version": 5}', "newer AnyStory .version 5, this one reads up to 4"),
        ("{}", "does not say which version"),
        ("[1]", "does not say which version"),
        ('{"version": "1"}', "does not say which version"),
        ("not json", "damaged"),
        ("\xff\xfe\x00", "damaged"),
        ('{"version": 1}', "damaged"),
        ('{"version": 2}', "damaged"),
        ('{"version": 3}', "damaged"),
        ('{"version": 4}', "damaged"),
        ('{"version": 1, "panels": [{"number": 1}]}', "damaged"),
        ('{"version": 1, "panels": [], "subjects": [3]}', "damaged"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_a_story_json_that_is_not_ours_is_one_sentence_and_stays(tmp_path, story, text, says):
    path = tmp_path / "story.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ProjectError, match=says):
        begin(tmp_path, story)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_new_folder_has_no_story_and_the_present_version_needs_no_migration(tmp_path):
    project = Project(tmp_path / "none")
    assert project.entries == {} and not (tmp_path / "none").exists()
    with pytest.raises(ProjectError, match="holds no story"):
        project.story()
    assert migrate({"version": 4, "x": 2}) == {"version": 4, "x": 2}


def test_a_story_of_version_1_keeps_its_frames_and_gets_what_is_new(tmp_path, story):
    fill(tmp_path, story)
    path = tmp_path / "story.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    new = ("trace", "asked", "tries", "diagnosis")
    old = [{name: value for name, value in panel.items() if name not in new} for panel in data["panels"]]
    path.write_text(json.dumps(data | {"version": 1, "panels": old}), encoding="utf-8")
    assert same_frame(Project(tmp_path).finished(2, keys(story)[1]), frame(("Fox", "小狐"), 2))
    begin(tmp_path, story)
    assert json.loads(path.read_text(encoding="utf-8")) == data


# Several programs.


def test_what_a_panel_that_is_gone_left_in_version_3_is_no_new_ones():
    script, left = {"panels": ["one", "two"]}, {"number": 3, "key": "left"}
    assert migrate({"version": 3, "script": script, "panels": [], "history": [left]})["next"] == 4


def test_two_programs_that_render_into_one_folder_list_each_others_frames(tmp_path, story):
    one, two = begin(tmp_path, story), begin(tmp_path, story)
    panels = story.script.panels
    for number, project in ((1, one), (2, two), (3, one)):
        panel = panels[number - 1]
        project.save(number, frame(panel.cast, number), f"key of {panel.prompt}", panel.prompt, SETTINGS)
    two.keep(1, frame(panels[0].cast, 8), "another key", "", SETTINGS)
    one.keep(2, frame(panels[1].cast, 9), "a third", "", SETTINGS)
    again = Project(tmp_path)
    assert all(same_frame(again.frame(number), frame(panels[number - 1].cast, number)) for number in (1, 2, 3))
    assert [(kept.panel, kept.key) for kept in again.history] == [(1, "another key"), (2, "a third")]
    two.restore(1, "another key")
    one.save(3, frame(panels[2].cast, 7), "new", "", SETTINGS)
    again = Project(tmp_path)
    assert [again.entries[number].seed for number in (1, 2, 3)] == [8, 2, 7]
    assert [kept.panel for kept in again.history] == [1, 2, 1, 3]
    one.save(2, frame(panels[1].cast, 21), "by one", "", SETTINGS)
    two.save(2, frame(panels[1].cast, 22), "by two", "", SETTINGS)
    assert Project(tmp_path).entries[2].key == "by two" and Project(tmp_path).history[-1].key == "by one"


def test_what_is_pinned_meanwhile_stays_and_a_story_begun_meanwhile_is_the_folders(tmp_path, story):
    fill(tmp_path, story)
    running = begin(tmp_path, story)
    Project(tmp_path).pin(2)
    assert running.finished(2, "another key").seed == 2
    begin(tmp_path, replace(story, script=replace(story.script, title="Another")))
    running.save(1, frame(("Fox",), 5), "new", "new", SETTINGS)
    again = Project(tmp_path)
    assert (again.entries[1].seed, again.entries[2].pinned, again.story().script.title) == (5, True, "Another")


def test_a_frame_that_is_made_while_its_panel_is_pinned_goes_to_the_history(tmp_path, story):
    running = fill(tmp_path, story)
    Project(tmp_path).pin(2)
    running.save(2, frame(("Fox", "小狐"), 50), "new", "", SETTINGS)
    again = Project(tmp_path)
    assert (again.entries[2].seed, again.entries[2].pinned) == (2, True)
    assert [kept.seed for kept in again.history_of(2)] == [50]
    (tmp_path / "frames/002.png").unlink()
    running.save(2, frame(("Fox", "小狐"), 51), "newer", "", SETTINGS)
    assert Project(tmp_path).frame(2).seed == 51


def test_tries_of_words_that_the_folder_no_longer_has_are_not_counted(tmp_path, story):
    running = fill(tmp_path, story)
    one, *others = story.script.panels
    panels = (replace(one, prompt="Fox walks at night"), *others)
    fill(tmp_path, replace(story, script=replace(story.script, panels=panels)))
    running.tried(1, 9)
    running.tried(3, 5)
    assert [Project(tmp_path).entries[number].tries for number in (1, 3)] == [1, 5]


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path, story):
    begin(tmp_path, story)
    code = (
        "import sys; from tests.project.test_folder import *; project = Project(sys.argv[1])\n"
        "for n in range(8): project.keep(1, frame(('Fox',), n), f'{sys.argv[2]}{n}', '', SETTINGS)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "ab"]
    assert [process.wait() for process in running] == [0, 0]
    kept = [each.key for each in Project(tmp_path).history]
    assert len(kept) == KEPT and kept[-1] in ("a7", "b7")
    for name in "ab":
        own = [key for key in kept if key.startswith(name)]
        assert own == [f"{name}{n}" for n in range(8 - len(own), 8)]


def test_programs_that_make_the_same_panels_under_other_seeds_leave_whole_frames(tmp_path, story):
    begin(tmp_path, story)
    code = (
        "import sys; from tests.project.test_folder import *; project, name = Project(sys.argv[1]), sys.argv[2]\n"
        "for n in range(1, 9): project.save(1 + n % 2, frame(('Fox',), n), f'{name}{n}', '', SETTINGS)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "ab"]
    assert [process.wait() for process in running] == [0, 0]
    project = Project(tmp_path)
    assert project.frames()[0].keys() == {1, 2} and project.unreadable() == {}


def test_a_frame_goes_to_the_history_where_the_folders_script_has_other_words_by_now(tmp_path, story):
    running = begin(tmp_path, story)
    one, two, three = story.script.panels
    edited = replace(two, prompt="Fox meets 小狐 at night")
    fill(tmp_path, replace(story, script=replace(story.script, panels=(edited, three))))
    running.save(2, frame(two.cast, 50), "key of old words", "", SETTINGS)
    running.save(1, frame(one.cast, 51), "key of a panel that is gone", "", SETTINGS)
    running.save(3, frame(three.cast, 52), "key of the same words", "", SETTINGS)
    again = Project(tmp_path)
    assert [again.entries[number].seed for number in (1, 2)] == [1, 52]
    assert [kept.seed for kept in again.history_of(1)] == [50]
    assert [kept.seed for kept in again.history_of(2)] == [2]


# Traces, tries and the diagnosis.


def traced(names, seed):
    """A frame with a trace of two layers, three steps."""
    rng = np.random.default_rng(seed)
    recorder = TraceRecorder((*names, BACKGROUND))
    for step in (1, 2, 3):
        recorder.add(step, [rng.integers(0, len(names) + 1, shape).astype(np.uint8) for shape in ((8, 8), (4, 4))])
    return replace(frame(names, seed), trace=recorder.trace(3))


def same_trace(a, b):
    return all(np.array_equal(a.holders(s, n), b.holders(s, n)) for s in (1, 2, 3) for n in (1, 2))


def test_a_trace_is_kept_only_when_asked_for(tmp_path, story):
    project, made = begin(tmp_path, story), traced(("Fox",), 1)
    project.save(1, made, keys(story)[0], "", SETTINGS, trace=True)
    project.save(2, traced(("Fox", "小狐"), 2), keys(story)[1], "", SETTINGS)
    assert [name for name in files(tmp_path) if "trace" in name] == ["frames/001-trace.npz"]
    again = Project(tmp_path)
    assert same_trace(again.trace(1), made.trace) and same_trace(again.frame(1).trace, made.trace)
    assert again.frame(2).trace is None
    with pytest.raises(ProjectError, match=r"Panel 2 has no trace in .*; render it again with --trace"):
        again.trace(2)
    with pytest.raises(ProjectError, match="Panel 3 has no frame"):
        again.trace(3)


def test_a_trace_goes_with_its_frame_and_an_outdated_one_goes_away(tmp_path, story):
    project, made = begin(tmp_path, story), traced(("Fox",), 1)
    project.save(1, made, keys(story)[0], "", SETTINGS, trace=True)
    one, two, _ = story.script.panels
    begin(tmp_path, replace(story, script=replace(story.script, panels=(two, one))))
    assert same_trace(Project(tmp_path).trace(2), made.trace)
    assert [name for name in files(tmp_path) if "trace" in name] == ["frames/002-trace.npz"]
    project = Project(tmp_path)
    project.begin(story, keys(story), [("Rex", BACKGROUND), *names(story)[1:]], "mini", "v1")
    assert project.trace(1).names == ("Rex", BACKGROUND) and same_trace(project.trace(1), made.trace)
    project.save(1, traced(("Fox",), 7), "another key", "", SETTINGS)
    assert not [name for name in files(tmp_path) if "trace" in name]


@pytest.mark.parametrize("damage", ["gone", "cut", "another's", "pickled"])
def test_a_broken_trace_costs_no_frame(tmp_path, story, damage):
    project = begin(tmp_path, story)
    for number, key in enumerate(keys(story)[:2], 1):
        project.save(number, traced(("Fox",), number), key, "", SETTINGS, trace=True)
    path = tmp_path / "frames/001-trace.npz"
    match damage:
        case "gone":
            path.unlink()
        case "cut":
            path.write_bytes(path.read_bytes()[:-40])
        case "another's":
            path.write_bytes((tmp_path / "frames/002-trace.npz").read_bytes())
        case "pickled":
            np.savez(path, names=np.array(["Fox", BACKGROUND], object), key=keys(story)[0])
    kept = Project(tmp_path).frame(1)
    assert same_frame(kept, frame(("Fox",), 1)) and kept.trace is None


def test_a_frame_serves_the_panel_it_was_asked_for_and_the_seed_it_was_found_under(tmp_path, story):
    asked, found = keys(story)[0], "key of another seed"
    project = begin(tmp_path, story)
    project.save(1, frame(("Fox",), 9), found, "", SETTINGS, asked=asked, tries=3)
    project = Project(tmp_path)
    assert same_frame(project.finished(1, asked), frame(("Fox",), 9)) and project.finished(1, found) is None
    with Image.open(tmp_path / "frames/001.png") as picture:
        assert (picture.text["seed"], picture.text["key"]) == ("9", found)
    begin(tmp_path, story)  # asked for the same again
    assert Project(tmp_path).entries[1] == project.entries[1] and project.entries[1].tries == 3
    project.begin(story, [found, *keys(story)[1:]], names(story), "mini", "v1")  # its seed is now the panel's own
    entry = Project(tmp_path).entries[1]
    assert (entry.key, entry.asked, entry.tries) == (found, found, 1)
    assert same_frame(project.finished(1, found), frame(("Fox",), 9))


def test_the_diagnosis_stands_in_story_json_and_follows_the_names(tmp_path, story):
    project = fill(tmp_path, story)
    listed = json.loads((tmp_path / "story.json").read_text(encoding="utf-8"))["panels"]
    for panel, data in zip(story.script.panels, listed, strict=True):
        kept = Project(tmp_path).frame(data["number"])
        assert data["diagnosis"] == diagnose(kept.maps).as_data() and data["seed"] == kept.seed
        assert list(data["diagnosis"]["shares"]) == [*panel.cast, BACKGROUND]
    project.begin(story, keys(story), [("Rex", BACKGROUND), *names(story)[1:]], "mini", "v1")
    assert list(project.entries[1].diagnosis["shares"]) == ["Rex", BACKGROUND]


def test_many_who_write_one_file_at_once_all_succeed_and_the_last_one_s_is_whole(tmp_path):
    contents = [bytes([65 + k]) * 20_000 for k in range(8)]

    def write(content):
        for _ in range(25):
            write_atomic({tmp_path / "story.json": content, tmp_path / "sub" / "001.png": content})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, contents))
    assert (tmp_path / "story.json").read_bytes() in contents
    assert (tmp_path / "sub" / "001.png").read_bytes() in contents
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_that_another_program_keeps_is_left_alone_and_told(tmp_path, story, monkeypatch):
    monkeypatch.setattr("anystory.project.folder.LOCKED", 0.05)
    project = fill(tmp_path, story)
    before = (tmp_path / "story.json").read_bytes()
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(ProjectError, match=r"by another program for 0\.05 seconds"),
    ):
        Project(tmp_path).pin(1)
    assert (tmp_path / "story.json").read_bytes() == before
    project.pin(1)
    assert Project(tmp_path).entries[1].pinned


def test_free_space_is_advised_only_where_there_is_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError) as error:
        write_atomic({tmp_path / "file" / "story.json": b""})
    assert "free space" not in str(error.value)

    def full(*paths):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("anystory.project.folder.os.replace", full)
    with pytest.raises(ProjectError, match="free space"):
        write_atomic({tmp_path / "story.json": b""})


def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_stays(tmp_path):
    (tmp_path / "frames").mkdir()
    old, new, own = tmp_path / "frames" / ".0a.part", tmp_path / ".0b.part", tmp_path / "my.part"
    for path in (old, new, own):
        path.write_bytes(b"")
    for path in (old, own):
        os.utime(path, (0, 0))
    sweep(tmp_path)
    assert not old.exists() and new.exists() and own.exists()


def test_a_story_whose_script_lists_no_cast_is_found_again(tmp_path, story):
    """As programs make them: subjects beside a script of panels alone."""
    bare = replace(story, script=replace(story.script, cast=()))
    fill(tmp_path, bare)
    again = Project(tmp_path).story()
    assert [member.name for member in again.script.cast] == ["Fox", "小狐"]
    assert [subject.name for subject in again.subjects] == ["Fox", "小狐"]
    assert again.script.panels == story.script.panels
    assert [subject.description for subject in again.subjects] == ["the Fox", "the 小狐"]
    assert begin(tmp_path, bare).entries.keys() == {1, 2, 3}
    assert asked_in_png((tmp_path / "frames/002.png").read_bytes()).panel == 2
    pack(tmp_path, tmp_path / "story.zip")
    unpacked = unpack(tmp_path / "story.zip", tmp_path / "unpacked")
    assert not unpacked.notes and Project(unpacked.folder).frames()[0].keys() == {1, 2, 3}


def test_a_story_begun_after_another_programs_has_its_own_pictures(tmp_path, story):
    fill(tmp_path, story)
    project = Project(tmp_path)
    begin(tmp_path, replace(story, subjects=(subject("Fox", 9), story.subjects[1])))
    project.begin(story, keys(story), names(story), "mini", "v1")
    assert list(map(content, Project(tmp_path).story().subjects)) == list(map(content, story.subjects))


def test_a_flipped_bit_in_the_values_of_maps_is_found_without_reading_them(tmp_path, story):
    fill(tmp_path, story)
    path = tmp_path / "frames/001-maps.npz"
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("maps.npy")
    data = bytearray(path.read_bytes())
    data[entry.header_offset + entry.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    project = Project(tmp_path)
    assert project.unreadable().keys() == {1} and project.frames()[0].keys() == {2, 3}


@pytest.mark.parametrize(("what", "value"), [("history", [{"seed": []}]), ("removed", [{"cast": [[]]}])])
def test_a_list_that_is_made_up_is_one_sentence(tmp_path, story, what, value):
    project = fill(tmp_path, story)
    project.keep(1, frame(("Fox",), 9), "another", "", SETTINGS)
    path = tmp_path / "story.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    usual = {"history": data["history"][0], "removed": {"panel": 4, "prompt": "", "key": None, "pinned": False}}
    path.write_text(json.dumps(data | {"next": 5, what: [usual[what] | value[0]]}), encoding="utf-8")
    with pytest.raises(ProjectError, match="damaged"):
        Project(tmp_path)
