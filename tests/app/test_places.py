"""Visitors are told names of files, never where they lie on the machine that the app runs on."""

import re
from pathlib import Path

import pytest

from anystory.errors import Message
from anystory.project.archive import ArchiveError, pack, unpack
from anystory.project.drafts import Draft, Store
from anystory.project.folder import Project, ProjectError, write_atomic
from tests.stories import rendered
from ui.strings import LANGUAGES, say


@pytest.mark.parametrize("code", LANGUAGES)
def test_of_a_path_in_a_sentence_its_name_is_told(code):
    inner = ProjectError(Message("cannot be opened: {error}", error=FileNotFoundError(2, "No such file", "/srv/x y/z")))
    said = say(code, Message("{file} {reason}", file=Path("/home/me/story"), reason=inner.said))
    assert said.startswith("story ") and said.rstrip(".").endswith("z") and "/" not in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("The model folder /srv/models/mine lacks a tokenizer.", "The model folder mine lacks a tokenizer."),
        ("~/.cache/anystory/x is full", "x is full"),
        (r"C:\Users\me\story.json is damaged", "story.json is damaged"),
        ("either/or, 16:9 and https://example.org/a/b stay", "either/or, 16:9 and https://example.org/a/b stay"),
    ],
)
def test_of_a_path_in_words_that_are_no_sentence_of_ours_its_name_is_told(text, says):
    assert say("es", RuntimeError(text)) == says


def told(do):
    with pytest.raises(Exception) as raised:
        do()
    return str(raised.value), [say(code, raised.value) for code in LANGUAGES]


def test_what_is_wrong_with_a_story_is_told_without_its_place(tmp_path):
    place = tmp_path / "stories" / "0123456789abcdef"
    project = rendered(place)
    (place / "frames/001.png").unlink()
    (place / "subjects/fox.png").write_bytes(b"x")
    file = tmp_path / "stories" / "file"
    file.write_bytes(b"")
    (tmp_path / "story.zip").write_bytes(b"PK")
    said = [
        told(lambda: project.frame(1)),
        told(lambda: Project(place).story()),
        told(lambda: write_atomic({file / "x.png": b""})),
        told(lambda: pack(tmp_path / "stories", tmp_path / "x.zip")),
        told(lambda: unpack(tmp_path / "story.zip", place)),
        told(lambda: Store(file).save(Store.new_key(), Draft("a fox"))),
    ]
    assert str(tmp_path) in said[0][0]  # whoever sits at the machine is told where
    for _, each in said:
        assert [one for one in each if re.search(rf"{tmp_path.name}|{tmp_path.parent.name}", one)] == [], each


def test_an_archive_error_names_its_file(tmp_path):
    (tmp_path / "story.zip").write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"^story.zip cannot be opened"):
        unpack(tmp_path / "story.zip", tmp_path / "out")
