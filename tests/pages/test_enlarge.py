"""Frames of models enlarged for paper."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from anystory.__main__ import main
from anystory.pages import enlarge
from anystory.pages.enlarge import enlarged
from anystory.pages.export import export, write
from anystory.pages.form import Format, PageError
from anystory.pages.layout import Pages
from anystory.pages.paper import paper
from tests.stories import rendered


@pytest.fixture(scope="module")
def drawing():
    """A drawing with outlines, 256 pixels square."""
    image = Image.new("RGB", (1024, 1024), "#bcd8e0")
    draw = ImageDraw.Draw(image)
    draw.ellipse((200, 160, 800, 760), "#e07020", "#301808", 12)
    draw.line((100, 900, 940, 780), "#301808", 12)
    draw.ellipse((380, 380, 440, 440), "#301808")
    return image.reduce(4)


def test_outlines_stay_sharp_where_plain_enlargement_blurs_them(drawing):
    small = drawing.reduce(2)
    made, plain = enlarged(small, 2), small.resize(drawing.size, Image.Resampling.LANCZOS)
    slopes = []
    for image in (drawing, made, plain):
        grey = np.asarray(image.convert("L"), float)
        slopes.append(np.hypot(*np.gradient(grey)))
    outlines = slopes[0] > np.quantile(slopes[0], 0.98)
    sharp, ours, blurred = (slope[outlines].mean() for slope in slopes)
    assert made.size == drawing.size and ours > 0.9 * sharp > blurred, (sharp, ours, blurred)
    assert np.abs(np.asarray(made, int) - np.asarray(drawing)).mean() < 5


def test_no_seam_is_left_between_tiles(drawing, monkeypatch):
    small = drawing.resize((90, 70))
    whole = np.asarray(enlarged(small, 3.3), int)
    monkeypatch.setattr(enlarge, "TILE", 32)
    assert whole.shape == (231, 297, 3) and abs(np.asarray(enlarged(small, 3.3), int) - whole).max() <= 1


def test_of_frames_that_are_painted_larger_no_network_is_told(tmp_path):
    project = rendered(tmp_path / "story")

    def painter(number, frame, _):
        return replace(frame, image=frame.image.resize((80, 80))) if number == 2 else None

    pages = Pages(project, Format("full", dpi=72, paper=paper("6x6"), upscale=True), painter=painter)
    told = [said for said in write(pages, tmp_path / "a.pdf") if "dots" in said]
    assert told[0].startswith("The pictures of panels 1, 3, of 11 dots") and "a small network" in told[0]
    assert told[1].startswith("The pictures of panels 2 have ") and "render them larger" in told[1]


def test_frames_with_too_few_dots_are_enlarged_and_it_is_told(tmp_path, capsys):
    project = rendered(tmp_path / "story")
    plain, large = (Format("full", dpi=72, paper=paper("6x6"), upscale=upscale) for upscale in (False, True))
    before, after = (Pages(project, form)[1] for form in (plain, large))
    assert before.picture.size == after.picture.size and before.picture.tobytes() != after.picture.tobytes()
    assert before.real == after.real, "the dots are the frame's own"
    (told,) = [said for said in export(project.folder, tmp_path / "a.pdf", large) if "dots" in said]
    assert "panels 1, 2, 3, of 11 dots per inch on the paper, were enlarged by a small network" in told
    arguments = ["export", str(project.folder), "--out", str(tmp_path / "b.pdf"), "--upscale"]
    assert main(arguments) == 2 and "--upscale is for --trim" in capsys.readouterr().err
    assert main([*arguments, "--pages", "full", "--trim", "6x6", "--dpi", "72"]) == 0
    assert (tmp_path / "b.pdf").read_bytes() == (tmp_path / "a.pdf").read_bytes()
    with pytest.raises(PageError, match="choose a paper, or leave it out"):
        Format("full", upscale=True)
