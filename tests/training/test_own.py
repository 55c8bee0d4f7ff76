"""A folder of one's own pictures becomes an art pack that the same training reads."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.training import own
from anystory.training.__main__ import main
from anystory.training.art import Art
from anystory.training.own import build_own
from anystory.training.world import World


def drawing(colour: str, turn: int = 0, ground: str | None = None) -> Image.Image:
    image = Image.new("RGBA", (200, 160), ground or (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((60 + turn, 20, 130 + turn, 140), fill=colour)
    pen.ellipse((80 + turn, 50, 95 + turn, 65), fill="white")
    return image if ground is None else image.convert("RGB")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    (folder / "Red Robot").mkdir(parents=True)
    for k in range(3):
        drawing("red", 20 * k).save(folder / "Red Robot" / f"view {k}.png")
    (folder / "Red Robot" / "name.txt").write_text("old robot\n")
    drawing("blue").save(folder / "blue_fish-01.webp")
    (folder / "notes.md").write_text("no picture")
    (folder / "broken.png").write_bytes(b"no picture either")
    (folder / "empty").mkdir()
    return folder


def test_a_folder_is_a_character_with_views_and_a_picture_one_with_a_single_view(pictures, tmp_path):
    made = build_own(pictures, tmp_path / "pack")
    assert (made.characters, made.views, made.held_out) == (2, 4, 0)
    empty, broken = made.refused
    assert empty.startswith("empty: There is no picture") and broken.startswith("broken.png: ")
    art = Art(tmp_path / "pack", tmp_path / "cache", split="train", size=64)
    assert {(e.concept, e.text, len(e.cells)) for e in art.entries} == {
        ("Red-Robot", "old robot", 3),
        ("blue_fish-01", "blue fish", 1),
    }
    # The picture's own transparency is the cut-out: nothing of the ground is left.
    assert (art.cells[:, 3] == 0).float().mean() > 0.2


def test_what_has_no_transparency_is_cut_out(pictures, tmp_path, monkeypatch):
    class Ellipse:
        def __init__(self, model):
            assert model == "u2net"

        def cut(self, image):
            mask = Image.new("L", image.size)
            ImageDraw.Draw(mask).ellipse((60, 20, 130, 140), fill=255)
            return mask

    monkeypatch.setattr(own, "Segmenter", Ellipse)
    drawing("green", ground="purple").save(pictures / "frog.jpg")
    build_own(pictures, tmp_path / "pack")
    art = Art(tmp_path / "pack", tmp_path / "cache", split="train", size=64)
    frog = next(e for e in art.entries if e.text == "frog")
    red, green, blue = art.colour[frog.cells.start]
    assert green > 2 * red and green > 2 * blue


def test_what_is_made_is_kept_until_the_pictures_change(pictures, tmp_path):
    pack = tmp_path / "pack"
    first = build_own(pictures, pack)
    written = (pack / "index.jsonl").stat().st_mtime_ns
    assert build_own(pictures, pack) == first
    assert (pack / "index.jsonl").stat().st_mtime_ns == written
    drawing("gold").save(pictures / "sun.png")
    assert build_own(pictures, pack).characters == 3


def test_a_picture_that_took_anothers_place_is_the_one_that_is_used(pictures, tmp_path):
    def fish():
        build_own(pictures, tmp_path / "pack")
        art = Art(tmp_path / "pack", tmp_path / "cache", split="train", size=48)
        return art.colour[next(e for e in art.entries if e.text == "blue fish").cells.start]

    _, _, blue = fish()
    assert blue > 0.5
    tar = (tmp_path / "pack" / "own.tar").stat().st_size
    drawing("lime").save(pictures / "blue_fish-01.webp")
    _, green, blue = fish()
    assert (tmp_path / "pack" / "own.tar").stat().st_size == tar and green > 0.5 > blue


def test_nothing_is_left_out_without_a_sentence(pictures, tmp_path):
    stick = Image.new("RGBA", (400, 400))
    ImageDraw.Draw(stick).line((200, 5, 200, 395), fill="black", width=4)
    stick.save(pictures / "stick.png")
    (pictures / "Nest" / "inner").mkdir(parents=True)
    drawing("red").save(pictures / "Nest" / "inner" / "1.png")
    made = build_own(pictures, tmp_path / "pack")
    assert made.views == 4
    (pictures / "Red Robot" / "back.HEIC").write_bytes(b"")
    (pictures / "Bird").mkdir()
    made = build_own(pictures, tmp_path / "pack")  # what is left out counts as a change, too
    said = dict(sentence.split(": ", 1) for sentence in made.refused)
    assert said.keys() == {"Bird", "Nest/inner", "empty", "broken.png", "stick.png", "Red Robot/back.HEIC"}
    assert "one up" in said["Nest/inner"] and "less than 3%" in said["stick.png"]


def test_a_crowds_name_is_a_name_like_others_for_ones_own(pictures, tmp_path):
    drawing("teal").save(pictures / "X-Men.png")
    build_own(pictures, tmp_path / "pack")
    art = Art(tmp_path / "pack", tmp_path / "cache", split="train", size=48)
    layout = World(art, tmp_path / "cache", size=48, scenes_count=2).stage.lay_out(
        np.zeros(60, int), np.zeros(60, bool), 1, np.random.default_rng(0)
    )
    assert "x men" in {art.entries[int(i)].text for i in layout.entry.flat}


@pytest.mark.parametrize(
    ("told", "called"), [(b"", "mr fox"), (b" \n", "mr fox"), ("\ufeffsly\n  fox\n".encode(), "sly fox")]
)
def test_a_character_is_called_as_its_folder_says(tmp_path, told, called):
    folder = tmp_path / "pictures"
    (folder / "Mr. Fox").mkdir(parents=True)
    drawing("red").save(folder / "Mr. Fox" / "1.png")
    (folder / "Mr. Fox" / "name.txt").write_bytes(told)
    build_own(folder, tmp_path / "pack")
    (entry,) = Art(tmp_path / "pack", tmp_path / "cache", split="train", size=48).entries
    assert (entry.concept, entry.text) == ("Mr-Fox", called)


def test_a_name_in_another_encoding_is_refused_with_its_file(pictures, tmp_path):
    (pictures / "Red Robot" / "name.txt").write_bytes("old robot".encode("utf-16"))
    with pytest.raises(ValueError, match=r"Red Robot/name\.txt is not UTF-8 text; save it as UTF-8\.$"):
        build_own(pictures, tmp_path / "pack")


def test_of_many_characters_some_are_held_out_for_testing(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for k in range(20):
        drawing("teal", k).save(folder / f"c{k:02}.png")
    assert build_own(folder, tmp_path / "pack").held_out == 2
    splits = [json.loads(line)["split"] for line in (tmp_path / "pack" / "index.jsonl").read_text().splitlines()]
    assert splits.count("test") == 2


def test_a_folder_without_usable_pictures_is_refused_in_a_sentence(tmp_path, capsys):
    empty = tmp_path / "none"
    empty.mkdir()
    with pytest.raises(ValueError, match="holds no picture of a character that can be used"):
        build_own(empty, tmp_path / "pack")
    with pytest.raises(ValueError, match="There is no folder"):
        build_own(tmp_path / "nowhere", tmp_path / "pack")
    assert main(["sheet", "--art", str(empty), "--out", str(tmp_path / "out"), "--scenes", "2"]) == 2
    assert capsys.readouterr().err.startswith("anystory.training: ")


def test_a_sheet_shows_what_was_made_of_a_folder(pictures, tmp_path, capsys):
    arguments = ["sheet", "--art", str(pictures), "--out", str(tmp_path / "out"), "--size", "48", "--scenes", "3"]
    assert main([*arguments, "--count", "4", "--subjects", "2"]) == 0
    out, err = capsys.readouterr()
    assert "2 characters, 4 views" in out and "left out: broken.png" in err
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        assert sheet.size == (48 * 4 * 3, (48 + 30) * 2)


def test_views_are_each_others_references(pictures, tmp_path):
    build_own(pictures, tmp_path / "pack")
    art = Art(tmp_path / "pack", tmp_path / "cache", split="train", size=48)
    world = World(art, tmp_path / "cache", size=48, scenes_count=2)
    rng = np.random.default_rng(0)
    layout = world.stage.lay_out(np.zeros(40, int), np.zeros(40, bool), 1, rng)
    several = world.stage.casting.count[layout.entry] == 3
    assert several.any() and (layout.cell != layout.look)[several].all()
    assert any("character" in caption for caption in world.batch(8, 1, rng).captions)
