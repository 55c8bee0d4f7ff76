"""Pages: layouts, what they crop, and the files they make."""

import io
import shutil
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from anystory.__main__ import main
from anystory.pages.balloons import Lettering
from anystory.pages.crop import cover
from anystory.pages.export import export
from anystory.pages.form import Format, PageError
from anystory.pages.layout import Pages, lettered
from anystory.project.folder import Project
from anystory.project.imprint import story_from_png
from anystory.story.layouts import FIT, LAYOUTS, PAGES
from anystory.story.model import Line, Panel
from tests.stories import frame, rendered, story, without_frame

SMALL = {"dpi": 72}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Seven panels, the fifth without a frame."""
    panels = tuple(Panel(f"Fox {k}", ("Fox",), f"Caption {k}", (Line("Fox", f"Line {k}"),)) for k in range(1, 8))
    made = rendered(tmp_path_factory.mktemp("pages") / "story", story(panels))
    return without_frame(made.folder, 5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_holds_every_frame_once_and_in_order(project, layout):
    made = [page for page in Pages(project, Format(layout, **SMALL)) if page.panels]
    assert [number for page in made for number in page.panels] == [1, 2, 3, 4, 6, 7]
    room = LAYOUTS[layout].panels
    assert all(len(page.panels) == room for page in made[:-2]) and len(made) == -(-6 // room)
    assert room == 1 or all(len(page.panels) > 1 for page in made), "nobody is left alone on a page"
    assert len({page.image.size for page in made[1:]}) <= 1
    if LAYOUTS[layout].page != FIT:
        assert made[0].image.size == tuple(round(mm / 25.4 * 72) for mm in PAGES[LAYOUTS[layout].page])
    assert all(page.image.mode == "RGB" and np.ptp(np.asarray(page.image)) > 200 for page in made)


def test_page_size_gutter_and_dots_count(project):
    def first(**how):
        return Pages(project, Format("2x2", **how))[0].image

    assert first(page="letter", dpi=72).size == (612, 792)
    assert first(page="a4", dpi=144).size == (1191, 1684)
    assert first(dpi=72, gutter=10).width - first(dpi=72, gutter=0).width == pytest.approx(10 / 25.4 * 72, abs=1)


@pytest.mark.parametrize(
    ("how", "says"),
    [({"layout": "5x5"}, "2x2"), ({"page": "a0"}, "a4"), ({"dpi": 20}, "72"), ({"dpi": 1200}, "300"),
     ({"gutter": -1}, "0 and 20"), ({"gutter": float("nan")}, "0 and 20")],
)  # fmt: skip
def test_formats_there_are_not_are_refused(how, says):
    with pytest.raises(PageError, match=says):
        Format(**how)


@pytest.mark.parametrize("place", [(0.15, 0.2), (0.5, 0.5), (0.85, 0.8)])
@pytest.mark.parametrize("size", [(300, 100), (100, 300), (200, 200)])
def test_what_is_cropped_is_not_the_character(place, size):
    made = frame(("Fox",), {"Fox": place}, size=128)
    image, maps = cover(made, size)
    assert image.size == size
    orange = (np.asarray(image)[..., 2] < 90).sum()
    scale = max(size) / 128
    assert orange == pytest.approx(np.pi * 16**2 * scale**2, rel=0.15)
    ys, xs = np.nonzero(maps.values[0] > 0.45)
    rows, columns = np.nonzero(np.asarray(image)[..., 2] < 90)
    assert (xs.mean() + 0.5) / 64 * size[0] == pytest.approx(columns.mean(), abs=size[0] * 0.04)
    assert (ys.mean() + 0.5) / 64 * size[1] == pytest.approx(rows.mean(), abs=size[1] * 0.04)


def test_a_page_is_made_with_other_words_and_of_some_frames(project):
    script = project.story().script
    panels = [replace(panel, caption="Other words", dialogue=()) for panel in script.panels]
    form = Format("2x2", **SMALL)
    other = Pages(project, form, replace(script, panels=tuple(panels)), only=(2, 3, 5))
    assert len(other) == 1 and other[0].panels == (2, 3) and other.missing == (1, 4, 5, 6, 7)
    same = Pages(project, form, only=(2, 3))
    assert other[0].image.size == same[0].image.size and other[0].image.tobytes() != same[0].image.tobytes()
    with pytest.raises(PageError, match="holds no frames"):
        Pages(project, form, only=(5,))


def test_the_last_two_pages_share_their_panels_where_one_would_be_left_alone(project):
    def pages(*only):
        return [page.panels for page in Pages(project, Format("2x2", **SMALL), only=only)]

    assert pages(1, 2, 3, 4, 6) == [(1, 2, 3), (4, 6)] and pages(1, 2, 3, 4, 6, 7) == [(1, 2, 3, 4), (6, 7)]


def test_pdf(project, tmp_path):
    target = tmp_path / "book.pdf"
    warnings = export(project.folder, target, Format("2x2", **SMALL))
    data = target.read_bytes()
    assert warnings == ("Without a frame and left out: 5.",)
    assert data.startswith(b"%PDF") and data.count(b"/Type /Page ") == 2
    assert "A & B: “meeting”".encode("utf-16-be").hex().encode() in data and b"Date" not in data
    export(project.folder, target, Format("2x2", **SMALL))
    assert target.read_bytes() == data
    start = data.index(b"\xff\xd8\xff")
    inside = Image.open(io.BytesIO(data[start:])).convert("RGB")
    page = Pages(project, Format("2x2", **SMALL))[0]
    seen, written, wordless = (np.asarray(image, int) for image in (inside, page.image, page.picture))
    assert inside.size == page.picture.size
    assert np.abs(seen - wordless)[(written == wordless).all(axis=2)].mean() < 2, "but for the letters, which are text"


def test_cbz(project, tmp_path):
    target = tmp_path / "book.cbz"
    export(project.folder, target, Format("strip", **SMALL))
    data = target.read_bytes()
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["001.png", "002.png", "ComicInfo.xml"]
        info = ElementTree.fromstring(archive.read("ComicInfo.xml"))
        size = Image.open(io.BytesIO(archive.read("001.png"))).size
        first = info.find("Pages")[0].attrib
        assert (first["ImageWidth"], first["ImageHeight"]) == tuple(map(str, size)) and first["Type"] == "FrontCover"
        assert int(first["ImageSize"]) == len(archive.read("001.png"))
    assert info.findtext("Title") == "A & B: “meeting”" and info.findtext("PageCount") == "2"
    assert info.findtext("Characters") == "Fox, Owl, Ghost" and "Caption 7" in info.findtext("Summary")
    export(project.folder, target, Format("strip", **SMALL))
    assert target.read_bytes() == data


def kept_text(picture):
    info = PngInfo()
    for key, value in picture.info.items():
        if isinstance(value, str):
            info.add_text(key, value)
    return info


def test_png_pages_replace_those_of_a_longer_book_but_nothing_else(project, tmp_path):
    target = tmp_path / "book"
    export(project.folder, target, Format("frames", **SMALL))
    assert len(list(target.iterdir())) == 6
    assert min(Image.open(target / "001.png").size) >= 768
    assert story_from_png((target / "005.png").read_bytes()).panel == 6  # lettered frames bring their story back too
    export(project.folder, target, Format("2x3", **SMALL))
    assert [path.name for path in target.iterdir()] == ["001.png"]
    for mine in (Image.new("RGB", (8, 8)), Image.open(project.folder / "frames" / "001.png")):  # a frame is no page
        mine.save(target / "002.png", pnginfo=kept_text(mine))
        before = {path.name: path.read_bytes() for path in target.iterdir()}
        with pytest.raises(PageError, match=r"other files in it \(002\.png\)"):
            export(project.folder, target, Format("2x3", **SMALL))
        assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    (target / "002.png").unlink()
    clutter = {".DS_Store", "Thumbs.db", "desktop.ini", "._001.png", ".001.png.0a1b2c3d.part"}
    for name in clutter:
        (target / name).touch()
    export(project.folder, target, Format("2x3", **SMALL))
    assert {path.name for path in target.iterdir()} == {"001.png", *clutter}
    (target / "diary.txt").write_text("mine")
    with pytest.raises(PageError, match=r"diary\.txt"):
        export(project.folder, target, Format("2x2", **SMALL))
    with pytest.raises(PageError, match="2 pages do not go"):
        export(project.folder, tmp_path / "book.png", Format("2x2", **SMALL))
    export(project.folder, tmp_path / "book.zip", Format("2x2", **SMALL))
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        assert archive.namelist() == ["001.png", "002.png"]
        second = archive.read("002.png")
    export(project.folder, tmp_path / "two", Format("2x2", **SMALL))
    assert (tmp_path / "two" / "002.png").read_bytes() == second
    with pytest.raises(PageError, match=r"\.zip or \.png"):
        export(project.folder, tmp_path / "book.docx")


def test_pages_of_frames_from_before_they_carried_their_story_are_replaced_too(project, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(project.folder, old)
    for path in old.glob("frames/*.png"):
        with Image.open(path) as picture:
            picture.load()
            picture.info.pop("story")
            picture.save(path, pnginfo=kept_text(picture))
    for layout in ("frames", "2x2"):
        export(old, tmp_path / "book", Format(layout, **SMALL))
    assert sorted(path.name for path in (tmp_path / "book").iterdir()) == ["001.png", "002.png"]


def test_a_folder_that_cannot_be_made_is_one_sentence(project, tmp_path):
    with pytest.raises(PageError, match="cannot be written"):
        export(project.folder, tmp_path / ("long" * 100), Format("2x3", **SMALL))


def test_what_does_not_fit_names_its_panel(tmp_path):
    panels = (Panel("Fox", ("Fox",)), Panel("Fox", ("Fox",), "Very long. " * 150))
    rendered(tmp_path / "story", story(panels))
    for captions in ("box", "below"):
        (warning,) = export(
            tmp_path / "story", tmp_path / captions, Format("2x2", **SMALL, lettering=Lettering(captions))
        )
        assert warning.startswith("Panel 2: ") and "cut" in warning


def test_a_long_title_becomes_smaller_and_is_cut_at_last(tmp_path):
    for title, cut in (("The long way home, part two of the whole story", False), ("On and on and " * 40, True)):
        made = rendered(tmp_path / str(cut), story(title=title))
        (page,) = Pages(made, Format("2x2", **SMALL))
        head = np.asarray(page.image.convert("L"))[:60]
        assert (head < 100).any() and (head[:, :10] > 200).all() and (head[:, -10:] > 200).all()
        assert any("title" in warning for warning in page.warnings) == cut


@pytest.mark.parametrize("layout", ["2x2", "splash"])
def test_a_title_of_two_lines_is_two_lines(tmp_path, layout):
    def rows(title):
        """Rows of ink above the panels, as lengths of their runs."""
        page = Pages(rendered(tmp_path / title[-5:].strip(), story(title=title)), Format(layout, **SMALL))[0]
        assert not page.warnings
        ink = np.asarray(page.image.convert("L"))[:, 60:-60] < 128
        full = np.flatnonzero(ink.mean(axis=1) > 0.5)[0]
        return [len(run) for run in "".join("#" if row.any() else " " for row in ink[:full]).split()]

    one, two = rows("A HOUSE"), rows("A HOUSE\nIN THE WOOD")
    assert len(one) == 1 and two == one * 2


def test_what_the_font_lacks_of_a_title_is_told(tmp_path):
    made = rendered(tmp_path, story(title="A \ue000 day, \ue001\ue002"))
    (page,) = Pages(made, Format("2x2", **SMALL))
    assert page.warnings == (
        "Title: No font here has \ue000\ue001\ue002; empty boxes stand in for it: give one that has.",
    )


def test_the_commands(project, tmp_path, capsys):
    out = tmp_path / "book.cbz"
    assert (
        main(["export", str(project.folder), "--pages", "splash", "--size", "a4", "--dpi", "72", "--out", str(out)])
        == 0
    )
    said = capsys.readouterr()
    assert out.exists() and str(out) in said.out and "left out: 5" in said.err
    assert main(["pack", str(project.folder), "--out", str(tmp_path / "story.zip")]) == 0
    assert main(["unpack", str(tmp_path / "story.zip"), "--out", str(tmp_path / "again")]) == 0
    assert sorted(Project(tmp_path / "again").entries) == [1, 2, 3, 4, 6, 7]
    frame = tmp_path / "again/frames/003.png"
    capsys.readouterr()
    assert main(["recover", str(frame), "--out", str(tmp_path / "back.yaml")]) == 0
    said = capsys.readouterr()
    assert "Fox needs its picture" in said.err and "--seed 0 --steps 25 --guidance 3" in said.out
    assert "Line 3" in (tmp_path / "back.yaml").read_text(encoding="utf-8")
    for wrong in (
        ["export", str(tmp_path / "nothing"), "--out", str(out)],
        ["export", str(project.folder), "--out", str(out), "--dpi", "9"],
        ["pack", str(tmp_path / "nothing"), "--out", str(tmp_path / "x.zip")],
        ["unpack", str(out), "--out", str(tmp_path / "new")],
        ["recover", str(out), "--out", str(tmp_path / "new.yaml")],
        ["recover", str(tmp_path / "no.png"), "--out", str(tmp_path / "new.yaml")],
    ):
        assert main(wrong) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_small_frame_is_enlarged_and_a_ribbon_not_beyond_all_bounds():
    made = frame(("Fox",))
    sizes = {}
    for size in ((64, 64), (160, 64), (4096, 16), (1024, 800)):
        sizes[size] = lettered(made.image.resize(size), Panel("Fox"), made.maps, Lettering()).image.size
    assert sizes == {(64, 64): (768, 768), (160, 64): (1920, 768), (4096, 16): (4096, 16), (1024, 800): (1024, 800)}
