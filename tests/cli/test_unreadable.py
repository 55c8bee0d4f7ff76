"""A frame that cannot be read costs the others nothing: every command names it and leaves it out."""

import json

import pytest

from anystory.__main__ import main
from anystory.pages.export import export
from anystory.pages.form import PageError
from anystory.project.folder import Project
from tests import stories


@pytest.fixture
def folder(tmp_path):
    made = stories.rendered(tmp_path / "story").folder
    (made / "frames" / "002.png").write_bytes(b"\x89PNG")
    return made


@pytest.mark.parametrize(
    "command",
    [
        ("export", "book.pdf"),
        ("export", "pages"),
        ("film", "film.srt"),
        ("storyboard", "board.pdf"),
        ("maps", "sheet.png"),
        ("info", ""),
        ("look", ""),
    ],
)
def test_commands_name_it_and_go_on(folder, tmp_path, capsys, command):
    name, out = command
    assert main([name, str(folder), *(["--out", str(tmp_path / out)] if out else [])]) == 0
    said = capsys.readouterr()
    assert "Panel 2 has no readable frame" in said.err and "render it again" in said.err
    assert "its picture is not a whole PNG. It is left out" in said.err
    assert not out or (tmp_path / out).exists()


def test_a_pin_on_it_is_told_and_can_be_let_go(folder, capsys):
    data = json.loads((folder / "story.json").read_text(encoding="utf-8"))
    data["panels"][1]["pinned"] = True
    (folder / "story.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["info", str(folder)]) == 0
    assert "Panel 2 is pinned to a frame" in capsys.readouterr().err
    assert main(["history", str(folder), "2"]) == 0
    assert "(now, pinned, unreadable)" in capsys.readouterr().out
    assert main(["resume", str(folder), "--panels", "3", "--backend", "storybook"]) == 0
    assert "cannot be read" in (said := capsys.readouterr().err) and "not pinned" in said
    assert main(["pin", str(folder), "2"]) == 2
    assert main(["pin", str(folder), "2", "--off"]) == 0
    assert not Project(folder).entries[2].pinned
    assert main(["pin", str(folder), "2", "--off"]) == 0


def test_programs_for_storyboards_get_the_others(folder, tmp_path, capsys):
    assert main(["export", str(folder), "--out", str(tmp_path / "book.storyboarder")]) == 0
    assert "Panel 2 has no readable frame" in capsys.readouterr().err
    assert len(list((tmp_path / "images").iterdir())) == 2


def test_a_story_of_which_no_frame_can_be_read_says_so(folder, tmp_path, capsys):
    for number in (1, 3):
        (folder / "frames" / f"00{number}.png").unlink()
    with pytest.raises(PageError, match="Panel 1 has no readable frame"):
        export(folder, tmp_path / "book.pdf")
    assert main(["film", str(folder), "--out", str(tmp_path / "film.srt")]) == 2
    assert "Panel 1 has no readable frame" in capsys.readouterr().err
    assert main(["maps", str(folder), "--out", str(tmp_path / "sheet.png")]) == 2
    assert "No frame in" in capsys.readouterr().err
