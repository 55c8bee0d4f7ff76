"""When two names of files are the same, and where a path written on another machine leads."""

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from anystory.cast.filenames import FilenameError, basename, find
from anystory.cast.images import ImageError, open_image
from anystory.script.form import ScriptError
from anystory.script.read import load_script
from anystory.story.names import folded


@pytest.fixture
def folder(tmp_path):
    """A folder of pictures, each name as some machine writes it."""
    (tmp_path / "Pictures").mkdir()
    for name in (unicodedata.normalize("NFD", "Zoë.png"), "Pip.PNG", "Pictures/Mochi 2.png", "at 9.41\u202fAM.png"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
    return tmp_path


SAME = [
    ("Zoë.png", unicodedata.normalize("NFD", "Zoë.png")),
    ("Pip.PNG", "pip.png"),
    ("İpek.png", "ipek.png"),
    ("ISIL.png", "ısıl.png"),
    ("STRASSE.png", "straße.png"),
    ("at 9.41\u202fAM.png", "at 9.41 AM.png"),
    ("mo\u200bchi.png", "mochi.png"),
    ("\u2068mochi.png\u2069", "mochi.png"),
    ("ｍｏｃｈｉ.png", "mochi.png"),
    ("ΣΊΣΥΦΟΣ.png", "σίσυφος.png"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_that_read_the_same_are_the_same(one, other):
    assert one != other and folded(one) == folded(other) == folded(folded(one))


@pytest.mark.parametrize(
    ("one", "other"), [("zoe.png", "zoë.png"), ("mochi1.png", "mochi2.png"), ("か.png", "が.png"), ("a b", "ab")]
)
def test_names_that_read_differently_are_not(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Pip.PNG", "Pip.PNG"),
        ("pip.png", "Pip.PNG"),
        ("Zoë.png", unicodedata.normalize("NFD", "Zoë.png")),
        ("at 9.41 AM.png", "at 9.41\u202fAM.png"),
        ("pictures/mochi 2.png", "Pictures/Mochi 2.png"),
        (r"Pictures\Mochi 2.png", "Pictures/Mochi 2.png"),
        (r".\pictures\..\pip.png", "Pictures/../Pip.PNG"),
        (r"C:\Users\me\story\Pictures\Mochi 2.png", "Pictures/Mochi 2.png"),
        ("C:/Users/me/pip.png", "Pip.PNG"),
        ('"C:\\Users\\me\\pip.png"', "Pip.PNG"),
        (r"\\server\share\pip.png", "Pip.PNG"),
        ("/Users/me/Desktop/Zoë.png", unicodedata.normalize("NFD", "Zoë.png")),
        ("file:///C:/Users/me/Pictures/Mochi%202.png", "Pictures/Mochi 2.png"),
        ("file:///home/me/pip.png", "Pip.PNG"),
        ("PICTURES", "Pictures"),
    ],
)
def test_a_path_of_another_machine_leads_to_the_file_here(folder, path, found):
    assert find(path, folder) == folder / found


@pytest.mark.parametrize(
    "path",
    ["zoe.png", "mochi 2.png", r"C:\pictures\mochi.png", "pip.jpg", "x" * 400, "a\0b", "pip.png/pip.png", "C:\\"],
)
def test_what_is_not_there_is_not_found(folder, path):
    assert find(path, folder) is None


def test_an_absolute_path_is_followed_where_it_leads(folder):
    assert find(folder / "PICTURES" / "mochi 2.png", "elsewhere") == folder / "Pictures" / "Mochi 2.png"
    assert open_image(folder / "pictures" / "MOCHI 2.png").size == (32, 32)


def test_the_exact_name_comes_first_and_two_that_are_meant_alike_are_told(folder):
    Image.new("RGB", (64, 64)).save(folder / "pip.png")
    assert find("pip.png", folder) == folder / "pip.png" and find("Pip.PNG", folder) == folder / "Pip.PNG"
    with pytest.raises(FilenameError, match=r"Pip\.PNG and pip\.png both match 'PIP\.PNG'; rename one"):
        find("PIP.PNG", folder)
    with pytest.raises(ImageError, match="both match"):
        open_image(folder / "PIP.PNG")


def test_the_name_of_a_file_whatever_separates_folders():
    assert [basename(path) for path in (r"C:\a\b.png", "/a/b.png", "b.png", Path("a") / "b.png", r"a\b.png")] == [
        "b.png"
    ] * 5


@pytest.mark.parametrize("image", ["pip.png", "Zoë.png", r"pictures\mochi 2.png", r"'C:\me\pip.png'", "C:/me/pip.png"])
@pytest.mark.parametrize("form", ["story.yaml", "story.txt"])
def test_a_script_names_its_pictures_by_this_rule(folder, image, form):
    yaml = f"cast:\n  - name: Mia\n    image: {image}\npanels:\n  - Mia walks\n"
    text = f"cast: Mia\nimage: {image}\nMia walks\n"
    (folder / form).write_text(yaml if form.endswith("yaml") else text, encoding="utf-8")
    (member,) = load_script(folder / form).cast
    assert member.image.parent in (folder, folder / "Pictures") and member.image.is_file()


def test_a_script_that_means_two_pictures_is_told(folder):
    Image.new("RGB", (64, 64)).save(folder / "pip.png")
    (folder / "story.txt").write_text("cast: Mia\nimage: PIP.png\nMia walks\n", encoding="utf-8")
    with pytest.raises(ScriptError, match=r"Line 2: Pip\.PNG and pip\.png both match 'PIP\.png'"):
        load_script(folder / "story.txt")
