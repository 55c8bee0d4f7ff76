"""Pages: laid out and lettered from the finished frames, turned over, and saved."""

import zipfile
from dataclasses import replace
from inspect import getclosurevars
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image
from playwright.sync_api import expect

from anystory.backends.load import load
from anystory.pages.form import PageError
from anystory.script.read import read_script
from anystory.story.model import Line, Panel
from tests.app.steps import frames, saved, settle, write
from tests.stories import rendered
from ui import book, export
from ui.app import build
from ui.studio import Studio, Visit


@pytest.fixture
def shown(tmp_path):
    """The frames of three panels."""
    return Studio({"mini": lambda: None}).frames(Visit(rendered(tmp_path / "story").folder, tmp_path))


def test_pages_have_the_words_of_now_where_the_pictures_are_still_of_them(shown):
    script = shown[0].job.script
    spoken = replace(script.panels[0], caption="New words", dialogue=(Line("Owl", "Hoo"),))
    other = Panel("something else", (), "Words of another picture")
    now = book.pages(
        shown, replace(script, panels=(spoken, other), title="New"), book.form("2x2", "", 4, "box", "none")
    )
    assert now.script.title == "New" and now.script.panels == (spoken, *script.panels[1:])


def test_a_page_is_looked_at_and_never_one_that_is_not_there(shown):
    how = book.form("frames", "", 4, "box", "balloons", dpi=book.PREVIEW)
    made = book.pages(shown[1:], None, how)
    at, html = book.preview(made, 9)
    assert at == 2 and "2 / 2" in html and 'data-page="1"' in html and 'data-page="3"' in html
    assert html.count("disabled") == 1
    with pytest.raises(PageError, match="gutter"):
        book.form("2x2", "", 21, "box", "none")


def test_frames_that_are_being_made_anew_are_not_told_to_be_cropped(shown):
    made = book.pages(shown, None, book.form("splash", "", 4, "box", "none", dpi=book.PREVIEW))
    assert made.misfits == (2, 3)
    said = [book.preview(made, 1, coming=coming)[1] for coming in ((), (2,), (2, 3))]
    assert ["Cropped" in html for html in said] == [True, True, False] and ": 3." in said[1]


def test_paper_shows_where_it_is_cut_and_frames_with_too_few_dots(shown, tmp_path):
    how = book.form("full", "a4", 4, "box", "none", "kdp-6x9", "", "2", "  Ann \n Lee ", "rtl", None, 72)
    assert how.paper.width == pytest.approx(6 * 25.4) and how.page == "" and how.author == "Ann Lee" and how.cover == 2
    made = book.pages(shown, None, how)
    assert made.backwards and len(made) == 6
    _, html = book.preview(made, 2, saved=replace(how, dpi=300))
    assert "fewer than 300" in html and "24 pages" in html
    file, told = book.save(made, "epub", shown[0])
    assert file.suffix == ".epub" and any("dots per inch" in sentence for sentence in told)
    for wrong, what in (
        (("0x9",), "0 mm"),
        (("6x9", "3"), "bleed"),
        (("6x9", "wide"), "no number of inches"),
        (("6x9", "0,125", "7"), "Panel 7"),
        (("6x9", "", "two"), "no panel"),
    ):
        with pytest.raises(book.ERRORS, match=what):
            book.pages(shown, None, book.form("full", "", 4, "box", "none", *wrong))
    (tmp_path / "words.ttf").write_text("no font")
    with pytest.raises(book.ERRORS, match=r"words\.ttf cannot be read as a font"):
        book.form("full", "", 4, "box", "none", font=str(tmp_path / "words.ttf"))


def test_one_page_is_a_png_and_several_are_a_zip_of_them(shown, tmp_path):
    one, told = book.save(book.pages(shown, None, book.form("2x2", "", 4, "box", "none")), "png", shown[0])
    assert Image.open(one).format == "PNG" and one.name == "a-b-meeting-page.png" and not told
    several, _ = book.save(book.pages(shown, None, book.form("frames", "", 4, "box", "none")), "png", shown[0])
    with zipfile.ZipFile(several) as archive:
        assert archive.namelist() == ["001.png", "002.png", "003.png"]


def test_a_story_is_saved_for_who_films_it_scrolls_or_paints_over_it(shown, tmp_path):
    made = book.pages(shown, None, book.form("2x2", "", 4, "below", "balloons"))
    starts = {"storyboard": b"%PDF", "webtoon": b"PK"}
    for kind, start in starts.items():
        file = tmp_path / f"story{export.ending(kind)}"
        export.save(made, kind, file)
        assert file.read_bytes().startswith(start)
    assert export.ending("ora", 2) == "-002.ora" and export.ending("mp4") == ".mp4"
    with pytest.raises(book.ERRORS, match="in one piece"):
        export.save(made, "ora", tmp_path / "frame.ora", panel=2)
    assert not (tmp_path / "frame.ora").exists()


def test_a_film_tells_how_far_it_is_ends_when_it_is_left_and_is_not_endless(shown, tmp_path):
    def pages(*seconds):
        script = shown[0].job.script
        panels = (replace(panel, duration=time) for panel, time in zip(script.panels, seconds, strict=True))
        made = book.pages(shown, None, book.form("2x2", "", 4, "box", "none"))
        made.script = replace(script, panels=tuple(panels))
        return made

    shares = list(export.filming(pages(0.2, 0.2, 0.2), "webp", tmp_path / "a.webp"))
    assert shares == sorted(shares) and shares[-1] == 1
    assert Image.open(tmp_path / "a.webp").n_frames > 1
    left = export.filming(pages(2, 2, 2), "webp", tmp_path / "b.webp")
    assert next(left) < 1
    with pytest.raises(book.ERRORS, match="300 s"):
        list(export.filming(pages(100, 100, 101), "webp", tmp_path / "c.webp"))
    left.close()
    assert [file.name for file in tmp_path.glob("*.webp")] == ["a.webp"] and not list(tmp_path.glob(".b*"))


def test_the_buttons_give_layers_of_the_open_frame_and_a_film(shown):
    request = SimpleNamespace(headers={"accept-language": "en"}, cookies={}, session_hash="me")
    events = build(Studio({"mini": lambda: None})).fns.values()
    ours = [each.fn for each in events if getattr(each.fn, "__module__", "") == "ui.events.book"]
    handlers = {name: [fn for fn in ours if fn.__name__ == name] for name in ("save_other", "film", "look")}
    pages = ["2x2", "", 4.0, "box", "balloons", "", "", "", "", "", None, 150, False]
    values = [*pages, (), (), "Fox walks", "", None, "mini"]
    _, _, layers = handlers["save_other"]
    for item, says in ((None, "Open a frame first"), (shown[1], "in one piece")):
        with pytest.raises(gr.Error, match=says):
            layers(request, shown, item, *values)
    for show, count in (("pages", 1), ("storyboard", 1), ("webtoon", 3), ("film", 3)):
        at, html = handlers["look"][0](request, shown, 9, show, *values)
        assert at == count and f"{count} / {count}" in html and (show == "film") == ("image/webp" in html)
    *told, last = handlers["film"][0](request, shown, *values)
    assert len(told) > 10 and all("Making the film" in bar for each in told for bar in each.values())
    bar, file = last.values()
    assert bar == "" and file.suffix in (".mp4", ".webp") and file.stat().st_size > 1000


def test_a_script_is_saved_for_other_programs_with_the_frames_there_are(shown):
    script = shown[0].job.script
    frames = {number: item for number, item in enumerate(shown[1:], 2)}
    file = book.save_script(script, "fountain", frames, shown[0])
    assert file.suffix == ".fountain" and f"!{script.panels[0].prompt}" in file.read_text(encoding="utf-8")
    assert script.panels[1].prompt in book.save_script(script, "csv", {}, shown[0]).read_text(encoding="utf-8-sig")
    with zipfile.ZipFile(book.save_script(script, "storyboarder", frames, shown[0])) as archive:
        project, *pictures = archive.namelist()
        assert project.endswith(".storyboarder") and len(pictures) == 2 and pictures[0].startswith("images/board-2-")
        again = read_script(archive.read(project).decode(), cast=script.cast, form="data").script
    assert [panel.prompt for panel in again.panels] == [panel.prompt for panel in script.panels]


def test_a_look_that_another_has_overtaken_changes_nothing(shown, monkeypatch, tiny_backend):
    page = build(Studio({"mini": lambda: tiny_backend}))
    ours = [each.fn for each in page.fns.values() if getattr(each.fn, "__module__", "") == "ui.events.book"]
    (look,) = [each for each in ours if each.__name__ == "look"]
    request = SimpleNamespace(headers={"accept-language": "en"}, cookies={}, session_hash="me")
    pages = ["2x2", "", 4.0, "box", "balloons", "", "", "", "", "", None, 150, False]
    asked = 1, "pages", *pages, (), (), "\n".join(item.panel.prompt for item in shown), "", None, "mini"
    preview, later = book.preview, []

    def slow(*values):
        if not later:  # the first look is not done yet when the second begins
            later.append(None)
            later[0] = look(request, shown, *asked)
        return preview(*values)

    monkeypatch.setattr(book, "preview", slow)
    first = look(request, shown[:1], *asked)
    assert later[0][0] == 1 and "left out" not in later[0][1]
    assert first == (gr.skip(), gr.skip())


def test_frames_become_pages_that_are_turned_over_and_saved(page, tmp_path):
    expect(page.locator("#pages .no-pages")).to_be_visible()
    expect(page.locator("#save-pdf")).to_be_hidden()
    page.locator("#title input").fill("By the sea")
    write(page, "[NC] the sea # Once upon a time\n[NC] a forest\n[NC] mountains")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(3)
    settle(page)
    sheet = page.locator("#pages img")
    expect(page.locator("#pages .turn span")).to_have_text("1 / 1")
    both = sheet.get_attribute("src")

    picture = page.locator("#frame .whole")
    plain = picture.get_attribute("src")
    page.locator("#letters input").check()
    expect(picture).not_to_have_attribute("src", plain)

    write(page, "[NC] the sea # Quite other words\n[NC] a forest\n[NC] mountains")
    expect(sheet).not_to_have_attribute("src", both)

    page.get_by_label("Layout").click()
    page.get_by_role("option", name="Single frames").click()
    expect(page.locator("#pages .turn span")).to_have_text("1 / 3")
    page.get_by_role("button", name="Next page").click()
    expect(page.locator("#pages .turn span")).to_have_text("2 / 3")

    with zipfile.ZipFile(saved(page, "#save-png", tmp_path)) as archive:
        assert archive.namelist() == ["001.png", "002.png", "003.png"]
    book = saved(page, "#save-pdf", tmp_path)
    assert book.name == "by-the-sea.pdf" and book.read_bytes().startswith(b"%PDF")
    with zipfile.ZipFile(saved(page, "#save-cbz", tmp_path)) as archive:
        assert "ComicInfo.xml" in archive.namelist()

    assert saved(page, "#save-storyboard", tmp_path).name == "by-the-sea-storyboard.pdf"

    page.locator("#export .label-wrap").click()
    page.get_by_label("Author").fill("Ann Lee")
    page.locator("#cover").get_by_role("textbox").fill("2")
    expect(page.locator("#pages .turn span")).to_contain_text("/ 5")  # with a cover and a back
    with zipfile.ZipFile(saved(page, "#save-epub", tmp_path)) as archive:
        assert "<dc:creator>Ann Lee</dc:creator>" in archive.read("book/package.opf").decode()


BEGINS = {
    "png": b"\x89PNG",
    **dict.fromkeys(("pdf", "storyboard"), b"%PDF"),
    **dict.fromkeys(("cbz", "epub", "webtoon", "ora", "storyboarder"), b"PK"),
    "fountain": b"Title: By the sea",
    "csv": b"\xef\xbb\xbfPanel,Prompt",
}
"""How the file of each button below the pages begins."""


def test_every_button_below_the_pages_gives_its_file(story_page, tmp_path):
    page = story_page
    assert BEGINS.keys() == {*book.KINDS, *book.OTHERS, *book.SCRIPTS}
    page.locator("#title input").fill("By the sea")
    write(page, "size: 128\n[NC] the sea [duration: 0.5] # Once upon a time\n[NC] a forest [duration: 0.5]")
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    for kind, begins in BEGINS.items():
        assert saved(page, f"#save-{kind}", tmp_path).read_bytes().startswith(begins), kind
    film = saved(page, "#save-film", tmp_path)
    assert film.suffix in (".mp4", ".webp") and film.stat().st_size > 1000


def asks(page):
    """What the menus of shapes, sizes and layouts do, and the button that fits frames to cells."""
    return [each.fn for each in page.fns.values() if getattr(each.fn, "__name__", "") == "reframe"]


def rewritten(change):
    """The text that a change of the page asks the script's box for, None if it asks for none."""
    (edit,) = [part.props["edit"] for part in change.values() if "edit" in getattr(part, "props", ())] or [None]
    return edit and edit["after"]


def test_the_frames_are_asked_to_fit_the_cells_of_the_layout(monkeypatch, tiny_backend, shown):
    told = []
    monkeypatch.setattr("ui.events.book.gr.Info", told.append)
    request = SimpleNamespace(headers={"accept-language": "en"}, cookies={}, session_hash="me")
    others = [None, "u2net", 0, 1, 1.0, (), ()]
    shape, size, look, fit = asks(build(Studio({"mini": lambda: tiny_backend})))
    for text in ("shape: 16:9\nthe sea\na hill", "pages: manga\nthe sea\na hill"):
        asked = fit(request, "manga", shown, *others, text, "", None, "mini")
        assert rewritten(asked) == "pages: manga\nthe sea\na hill"
        assert rewritten(look(request, "splash", shown, *others, text, "", None, "mini")) is None, "a model's frames"
    assert "take the shape" in told[0] and "already have the shape" in told[1] and len(told) == 2
    said = [
        ask(request, value, (), *others, "the sea", "", None, "mini")
        for ask, value in ((shape, "3:4"), (size, "96x64"))
    ]
    assert [rewritten(one) for one in said] == ["shape: 3:4\nthe sea", "size: 96x64\nthe sea"]
    for wrong in ("huge", "8"):
        with pytest.raises(gr.Error, match=r"is not a size|must be a whole number from 16 to 4096"):
            size(request, wrong, (), *others, "the sea", "", None, "mini")


def test_the_layout_of_a_sketched_story_is_that_of_its_script_unless_it_has_a_shape():
    request = SimpleNamespace(headers={"accept-language": "en"}, cookies={}, session_hash="me")
    studio = Studio({"storybook": lambda: load("storybook")})
    *_, look, _ = asks(build(studio))
    assert studio.backends["storybook"].about.sketches
    for text, wanted in (
        ("the sea", "pages: manga\nthe sea"),
        ("size: 96\nthe sea", "pages: manga\nsize: 96\nthe sea"),
        ("shape: 16:9\nthe sea", None),
        ("size: 96x64\nthe sea", None),
        ("[Nobody] the sea", None),
    ):
        said = look(request, "manga", (), None, "u2net", 0, 1, 1.0, (), (), text, "", None, "storybook")
        assert rewritten(said) == wanted


def test_a_shape_chosen_during_a_render_is_that_of_all_its_frames():
    request = SimpleNamespace(headers={"accept-language": "en"}, cookies={}, session_hash="me", client=None)
    studio = Studio({"storybook": lambda: load("storybook")})
    page, visit = build(studio), studio.visit()
    assert studio.backends["storybook"].about.sketches
    functions = {each.fn.__name__: each.fn for each in page.fns.values() if callable(each.fn)}
    visitor = getclosurevars(functions["tick"]).nonlocals["visitors"]["me"]
    asked = visit, "u2net", 0, 1, 1.0, (), (), "size: 32\nthe sea\na hill\na wood", "", None, "storybook"
    functions["begin"](request, (), (), *asked)
    asks(page)[0](request, "16:9", (), *asked)
    visitor.run.join()
    assert not visitor.run.error and [item.frame.image.size for item in visitor.run.shown] == [(43, 24)] * 3
