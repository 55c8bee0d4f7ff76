"""Storyboard sheets and webtoons."""

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from anystory.__main__ import main
from anystory.fonts import FOLDER
from anystory.pages.balloons import Lettering
from anystory.pages.export import write, write_webtoon
from anystory.pages.form import Format, PageError
from anystory.pages.layout import Pages
from anystory.pages.storyboard import SheetForm, Sheets
from anystory.pages.webtoon import HEIGHT, WIDTH, StripForm, _cut, _divisible, _Piece, slices
from anystory.project.imprint import story_from_png
from anystory.story.model import Line, Panel
from anystory.typeset import PAPER
from tests.stories import rendered, story, without_frame


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Seven panels, the fifth without a frame."""
    panels = tuple(Panel(f"Fox {k}", ("Fox",), f"Caption {k}", (Line("Fox", f"Line {k}"),)) for k in range(1, 8))
    made = rendered(tmp_path_factory.mktemp("board") / "story", story(panels))
    return without_frame(made.folder, 5)


def words(page):
    return [line.text for line in page.words]


def test_every_panel_is_on_a_sheet_with_what_is_told_of_it(project):
    sheets = list(Sheets(project, SheetForm(2, 2, date="1 May")))
    assert [sheet.panels for sheet in sheets] == [(1, 2, 3, 4), (5, 6, 7)]
    told = words(sheets[0])
    for expected in ("Shot 1", "Fox 1", "Fox: Line 1", "Notes: Caption 1", "1 May  ·  1 / 2", "3.3 s"):
        assert expected in told, told
    assert "no frame yet" in words(sheets[1]) and not sheets[1].warnings
    assert story_from_png(sheets[1].png).panel == 6, "a sheet brings its story back"


def test_sheets_speak_the_storys_language_and_tell_the_camera(tmp_path):
    panels = (Panel("特写：狐狸在森林里", ("Fox",)), Panel("狐狸在海边", ("Fox",), "天黑了"))
    told = words(Sheets(rendered(tmp_path / "zh", story(panels)), SheetForm())[0])
    assert {"镜头 1", "景别: 特写", "旁白: 天黑了"} <= set(told)
    panels = (Panel("Primer plano de Fox en el bosque", ("Fox",)),)
    assert "Cámara: primer plano" in words(Sheets(rendered(tmp_path / "es", story(panels)), SheetForm())[0])


def test_sheets_and_webtoons_are_set_in_a_font_of_ones_own(project):
    script = replace(project.story().script, title="Many 🌍 letters")
    sheets, titles = [], []
    for font in ("", str(FOLDER / "korean.ttf")):
        sheets.append(Sheets(project, SheetForm(dpi=72, font=font), script)[0].image)
        how = Lettering(font=font)
        pages = Pages(project, Format("frames", lettering=how), script)
        titles.append(next(slices(pages, StripForm(lettering=how))).image.crop((0, 0, WIDTH, 150)))
    assert sheets[0] != sheets[1] and titles[0] != titles[1], "its space behind the emoji is another"


def test_sheets_of_what_is_read_from_right_to_left_run_so(tmp_path):
    panels = tuple(Panel(f"Fox {k}", ("Fox",), "مرحبا يا ثعلب") for k in range(1, 4))
    sheet = Sheets(rendered(tmp_path, story(panels, title="الثعلب")), SheetForm(2, 2, dpi=72))[0]
    first, second, third = (next(line for line in sheet.words if line.text == f"Shot {k}") for k in (1, 2, 3))
    assert first.at[0] > second.at[0] and first.at[1] == second.at[1] < third.at[1] and third.at[0] == first.at[0]
    assert first.anchor == "r"


@pytest.mark.parametrize(("grid", "page", "size"), [("1x1", "a4", (595, 842)), ("4x3", "letter", (792, 612))])
def test_paper_lies_on_its_side_where_there_are_more_columns(project, grid, page, size):
    sheet = Sheets(project, SheetForm.of(grid, page, 72))[0]
    assert tuple(map(round, sheet.points)) == sheet.image.size == size


def test_long_words_are_cut_and_told(tmp_path):
    panels = (Panel("Fox " + "walks on and on " * 100, ("Fox",)),)
    sheet = Sheets(rendered(tmp_path / "long", story(panels)), SheetForm(4, 4, dpi=72))[0]
    assert sheet.warnings == ("Panel 1: The words are too long for the sheet and were cut.",)


def test_it_is_written_as_pages_are(project, tmp_path):
    assert write(Sheets(project, SheetForm(dpi=72)), tmp_path / "a.pdf") == ()
    assert (tmp_path / "a.pdf").read_bytes()[:5] == b"%PDF-"
    assert main(["storyboard", str(project.folder), "--out", str(tmp_path / "b"), "--grid", "2x2", "--dpi", "72"]) == 0
    assert [path.name for path in sorted((tmp_path / "b").iterdir())] == ["001.png", "002.png"]


@pytest.mark.parametrize("grid", ["0x1", "1x5", "two", "", "2x", "2x2x2"])
def test_what_is_no_grid(grid):
    with pytest.raises(PageError, match="2x3" if "x" not in grid[1:2] or grid in ("2x", "2x2x2") else "1x1 and 4x4"):
        SheetForm.of(grid)


def test_a_webtoon_is_one_strip_in_slices(project, tmp_path):
    made = list(slices(Pages(project, Format("frames")), StripForm()))
    assert all(page.image.width == WIDTH and page.image.height <= HEIGHT for page in made)
    assert [number for page in made for number in page.panels] == [1, 2, 3, 4, 6, 7]
    said = write_webtoon(Pages(project, Format("frames")), StripForm(), tmp_path / "web.zip")
    assert said == ("Without a frame and left out: 5.",)
    with zipfile.ZipFile(tmp_path / "web.zip") as archive:
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert [np.asarray(one.convert("RGB")).tobytes() for one in pictures] == [page.image.tobytes() for page in made]


def test_fewer_slices_take_the_place_of_more(project, tmp_path):
    def names():
        return [path.name for path in sorted((tmp_path / "web").iterdir())]

    write_webtoon(Pages(project, Format("frames")), StripForm(height=800), tmp_path / "web")
    many = names()
    write_webtoon(Pages(project, Format("frames"), only=[1]), StripForm(), tmp_path / "web")
    assert len(many) > len(names()) == 1
    (tmp_path / "web" / "notes.txt").write_text("mine")
    with pytest.raises(PageError, match=r"other files in it \(notes.txt\)"):
        write_webtoon(Pages(project, Format("frames")), StripForm(), tmp_path / "web")


def test_a_title_that_no_frame_fits_below_has_a_slice_of_its_own(project, tmp_path):
    pages = Pages(project, Format("frames"))
    whole, tight = (list(slices(pages, StripForm(height=height))) for height in (1280, 900))
    assert [page.panels for page in tight][:2] == [(), (1,)]
    title = tight[0].image
    assert (np.asarray(title) != 255).any() and title.tobytes() == whole[0].image.crop((0, 0, *title.size)).tobytes()
    for _ in range(2):  # the second time it is known again as a page
        write_webtoon(pages, StripForm(height=900), tmp_path / "web")


def test_sheets_of_panels_without_frames_are_replaced_too(tmp_path):
    made = rendered(tmp_path / "story", story((Panel("Fox", ("Fox",)), Panel("the sea"))))
    sheets = Sheets(without_frame(made.folder, 2), SheetForm(1, 1, dpi=72))
    for _ in range(2):
        assert write(sheets, tmp_path / "board") == ()


@pytest.mark.parametrize("seed", range(200))
def test_no_cut_goes_through_a_face_or_words(seed):
    rng = np.random.default_rng(seed)
    height, tall = int(rng.integers(200, 1280)), int(rng.integers(100, 4000))
    rows = [(start, start + int(rng.integers(20, 500))) for start in rng.integers(0, tall, rng.integers(0, 6)).tolist()]
    piece = _Piece(1, Image.new("RGB", (1, tall)), tuple(rows))
    if not _divisible(piece, height):
        assert tall > height
        return
    room, begin, cuts = int(rng.integers(0, height + 1)), 0, []
    while begin < tall:
        cut = _cut(piece, begin, room, height)
        assert begin <= cut <= begin + room and (cut > begin or room < height), "a whole slice always takes something"
        if cut > begin:
            cuts.append(cut)
        begin, room = cut, height if cut == begin else height - (cut - begin)
    assert all(not first < cut < last for cut in cuts[:-1] for first, last in rows)
    assert tall > height or cuts == [tall], "what goes into a slice is whole"


def test_a_frame_that_cannot_be_cut_is_made_smaller(tmp_path):
    project = rendered(tmp_path / "story", story((Panel("Fox", ("Fox",), "and so on " * 60),), title=""))
    (page,) = slices(Pages(project, Format("frames")), StripForm(height=200, gutter=0))
    beside = np.asarray(page.image)[100, [10, -10]]
    assert page.image.size == (WIDTH, 200) and (beside == PAPER).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["storyboard", "--out", "a.pdf", "--grid", "9x9"], "9x9 cells is not between 1x1 and 4x4"),
        (["storyboard", "--out", "a.pdf", "--dpi", "9"], "9 dots per inch are not between"),
        (["webtoon", "--out", "a.pdf"], "A webtoon is a .zip or a folder of pictures, not a.pdf"),
        (["webtoon", "--out", "a", "--gap", "-1"], "A gap of -1 pixels is not from 0 to 600"),
    ],
)
def test_what_cannot_be_made(project, arguments, says, capsys):
    command, *rest = arguments
    assert main([command, str(project.folder), *rest]) == 2
    assert says in capsys.readouterr().err
