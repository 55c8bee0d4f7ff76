"""Films and layers of a small story of storybook's, and what of another's frames becomes of them."""

import io
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from anystory.__main__ import main
from anystory.backends.storybook import StorybookBackend
from anystory.pages.balloons import Lettering, letter
from anystory.pages.layers import ENDINGS, layered, words_layer
from anystory.pages.timing import beats, reading, seconds_of, srt, timeline, vtt
from anystory.project.folder import Project
from anystory.render.film import Film, FilmError, FilmForm, write_film
from anystory.render.layers import LayerError, frame_layers
from anystory.render.session import Renderer
from anystory.sketch.layers import ADD, MULTIPLY, NORMAL, flattened
from anystory.story.model import Line, Panel
from tests import stories

PANELS = (
    Panel("Fox stands in the village in the rain", ("Fox",), "It was late.", duration=1),
    Panel("Fox walks by the sea", ("Fox",), "", (Line("Fox", "The sea!"), Line("Fox", "At last.")), size="96x160"),
    Panel("Close-up of Fox in the forest, drawn with crayons", ("Fox",), duration=0.5),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    told = stories.story(PANELS)
    told = replace(told, settings=replace(told.settings, steps=1, size=256))
    folder = tmp_path_factory.mktemp("film") / "story"
    list(Renderer(StorybookBackend()).render(told, folder))
    return Project(folder)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_layers_laid_over_each_other_are_the_frame(project, number):
    layers, image = frame_layers(project, number), project.frame(number).image
    assert np.array_equal(flattened(layers, *image.size), np.asarray(image))
    names = [layer.name for layer in layers]
    assert names[0] == "the place" and "Fox" in names and "Fox: shadow" in names
    assert "rain" in names
    assert [layer.blend for layer in layers[-2:]] == [MULTIPLY, ADD] and layers[0].blend == NORMAL


def test_words_are_a_layer_that_shows_as_they_do_in_a_lettered_frame(project):
    frame, panel = project.frame(2), PANELS[1]
    words, warnings = words_layer(frame.image.size, panel, frame.maps, Lettering())
    made = letter(frame.image, panel, frame.maps)
    shown = flattened((*frame_layers(project, 2), words), *frame.image.size).astype(int)
    assert abs(shown - np.asarray(made.image)).max() <= 2 and warnings == made.warnings
    assert words_layer(frame.image.size, Panel("nobody speaks"), frame.maps, Lettering())[0] is None


def test_openraster_is_read_by_its_own_description(project):
    layers, image = frame_layers(project, 1), project.frame(1).image
    data = layered(layers, image.size, ".ora")
    assert data == layered(layers, image.size, ".ora")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        root = ElementTree.fromstring(archive.read("stack.xml"))
        assert (root.get("w"), root.get("h")) == ("256", "256")
        stacked = root.findall("stack/layer")
        canvas = Image.new("RGBA", image.size)
        for entry in reversed(stacked):
            part = Image.open(io.BytesIO(archive.read(entry.get("src"))))
            if entry.get("composite-op") == "svg:src-over":
                canvas.alpha_composite(part, (int(entry.get("x")), int(entry.get("y"))))
            else:
                below, over = np.asarray(canvas.convert("RGB"), int), np.asarray(part.convert("RGB"), int)
                both = np.round(below * over / 255) if entry.get("composite-op") == "svg:multiply" else below + over
                canvas = Image.fromarray(both.clip(0, 255).astype(np.uint8)).convert("RGBA")
        assert abs(np.asarray(canvas.convert("RGB"), int) - np.asarray(image)).max() <= 3, (
            "alpha over, rounded each time"
        )
        merged = Image.open(io.BytesIO(archive.read("mergedimage.png")))
        assert np.array_equal(np.asarray(merged), np.asarray(image))
        assert max(Image.open(io.BytesIO(archive.read("Thumbnails/thumbnail.png"))).size) <= 256
    assert [entry.get("name") for entry in stacked][::-1] == [layer.name for layer in layers]


def test_a_psd_holds_the_same_layers(project):
    psd_tools = pytest.importorskip("psd_tools")
    layers, image = frame_layers(project, 1), project.frame(1).image
    data = layered(layers, image.size, ".psd")
    whole = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    assert abs(whole - np.asarray(image)).max() <= 1, "it puts its layers together itself"
    opened = list(psd_tools.PSDImage.open(io.BytesIO(data)))
    assert [layer.name for layer in opened] == [layer.name for layer in layers]
    assert [layer.offset for layer in opened] == [(layer.patch.x, layer.patch.y) for layer in layers]
    assert np.array_equal(np.asarray(opened[1].topil()), layers[1].patch.pixels)


def test_frames_that_have_no_layers_say_why(project, tmp_path):
    shutil.copytree(project.folder, tmp_path / "story")
    other = Project(tmp_path / "story")
    file = tmp_path / "story" / "story.json"
    data = json.loads(file.read_text())
    data["script"]["panels"][0]["prompt"] = "Fox swims in the lake"
    file.write_text(json.dumps(data))
    with pytest.raises(LayerError, match="panel 1 is not what its words would give now; render it again"):
        frame_layers(Project(other.folder), 1)
    painted = stories.rendered(tmp_path / "model", stories.story(PANELS[:1]))
    with pytest.raises(LayerError, match="in one piece; only those of storybook"):
        frame_layers(painted, 1)


def test_how_long_words_take():
    assert seconds_of(Panel("a hill")) == 2.5 and seconds_of(Panel("a hill", duration=7)) == 7
    assert reading("one two three") == pytest.approx(0.99) and reading("天黑了") == pytest.approx(0.6)
    assert seconds_of(Panel("a", caption=" ".join(["word"] * 300))) == 20
    found = beats(PANELS[1])
    assert [(beat.who, beat.words) for beat in found] == [("Fox", "The sea!"), ("Fox", "At last.")]
    assert found[0].end == found[1].start and found[1].end == pytest.approx(seconds_of(PANELS[1]))


def test_subtitles_go_on_from_panel_to_panel():
    told = timeline(PANELS)
    assert [beat.words for beat in told] == ["It was late.", "The sea!", "At last."]
    assert told[1].start == pytest.approx(1 + beats(PANELS[1])[0].start)
    assert srt(told).startswith("1\n00:00:00,100 --> 00:00:01,000\nIt was late.\n\n2\n00:00:01,")
    tagged = vtt(timeline([Panel("a", caption="<b> & <script>")]))
    assert tagged.startswith("WEBVTT\n\n00:00:00.") and "&lt;b&gt; &amp; &lt;script&gt;" in tagged


def test_a_film_has_its_time_moves_and_lets_words_appear(project):
    film = Film(project, FilmForm(rate=4), ".webp")
    total = sum(map(seconds_of, PANELS))
    pictures = list(film.pictures())
    assert len(pictures) == len(film) == round(4 * total) and film.seconds == total
    assert film.size == (480, 480) and {picture.size for picture in pictures} == {film.size}
    shown = [np.asarray(picture, int) for picture in pictures]
    assert all(abs(one - two).max() > 0 for one, two in pairwise(shown)), "nothing stands still"
    # Of the panel with two balloons the second is not there while the first is.
    white = [np.count_nonzero((picture > 250).all(axis=-1)) for picture in shown]
    second = 4 + round(4 * beats(PANELS[1])[1].start)
    assert white[second + 3] > 1.2 * white[second - 1] > 0
    still = Film(project, FilmForm(rate=4, moves=False, fade=0, lettering=Lettering("none", "none")), ".webp")
    assert len({picture.tobytes() for picture in still.pictures()}) == len(PANELS)


def test_no_panel_is_too_short_to_be_seen(project):
    """At one picture a second 4 s and 4.5 s would be as many pictures."""
    panels = tuple(replace(panel, duration=lasts) for panel, lasts in zip(PANELS, (4, 0.5, 4), strict=True))
    still = FilmForm(rate=1, fade=0, moves=False, size=(64, 64), lettering=Lettering("none", "none"))
    film = Film(project, still, ".gif", replace(project.story().script, panels=panels))
    pictures = [picture.tobytes() for picture in film.pictures()]
    assert len(film) == len(pictures) and len(set(pictures)) == len(PANELS)


def test_a_moving_frame_shows_no_edge(project):
    film = Film(project, FilmForm(rate=3, fade=0, lettering=Lettering("none", "none"), size=(256, 256)), ".webp")
    for picture in film.pictures():
        assert np.asarray(picture)[:, 128].any(axis=-1).all()
    whole = Film(project, FilmForm(rate=1, fade=0, size=(256, 256)), ".gif")
    tall = np.asarray(list(whole.pictures())[2])
    assert (tall[:, :50] == tall[0, 0]).all() and not (tall[:, 128] == tall[0, 0]).all(), "a tall frame is seen whole"


@pytest.mark.parametrize(("ending", "form"), [(".webp", "WEBP"), (".gif", "GIF")])
def test_animated_pictures(project, ending, form, tmp_path):
    told = []
    film = Film(project, FilmForm(rate=2, size=(96, 96)), ending)
    write_film(film, tmp_path / f"film{ending}", lambda *done: told.append(done))
    with Image.open(tmp_path / f"film{ending}") as made:
        assert (made.format, made.size, made.n_frames) == (form, (96, 96), len(film))
    assert told == [(number, len(film)) for number in range(1, len(film) + 1)]
    assert [path.name for path in tmp_path.iterdir()] == [f"film{ending}"]


@pytest.mark.parametrize(("ending", "rate"), [(".webp", 24), (".gif", 24), (".gif", 50)])
def test_animated_pictures_last_as_long_as_the_film(project, ending, rate, tmp_path):
    film = Film(project, FilmForm(rate=rate, size=(64, 64)), ending, only=[1, 3])
    write_film(film, tmp_path / f"film{ending}")
    lasts = []
    with Image.open(tmp_path / f"film{ending}") as made:
        for index in range(made.n_frames):
            made.seek(index)
            made.load()
            lasts.append(made.info["duration"])
    assert sum(lasts) == pytest.approx(1000 * film.seconds, abs=10) and min(lasts) >= 20


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_video_is_one_that_ffprobe_knows(project, tmp_path):
    film = Film(project, FilmForm(rate=6, size=(128, 96)))
    write_film(film, tmp_path / "film.mp4")
    entries = "stream=codec_name,width,height,r_frame_rate,pix_fmt:format=duration"
    asked = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", str(tmp_path / "film.mp4")]
    told = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    stream = told["streams"][0]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", 128, 96)
    assert (stream["r_frame_rate"], stream["pix_fmt"]) == ("6/1", "yuv420p")
    assert float(told["format"]["duration"]) == pytest.approx(film.seconds, abs=0.2)


def test_without_ffmpeg_it_is_said(project, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FilmError, match="program ffmpeg, which is not installed; install it"):
        write_film(Film(project, FilmForm()), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_who_ends_it_leaves_nothing(project, tmp_path):
    def tell(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(Film(project, FilmForm(rate=2), ".gif"), tmp_path / "film.gif", tell)
    assert not list(tmp_path.iterdir())


def test_what_a_film_was_killed_over_is_swept_away(project, tmp_path):
    names = "a.gif.00c0ffee", "a.gif.0badcafe", "b.gif.00c0ffee"
    left, young, another = (tmp_path / f".{name}.part" for name in names)
    for part in (left, young, another):
        part.touch()
    for part in (left, another):
        os.utime(part, (0, 0))
    write_film(Film(project, FilmForm(rate=1, size=(64, 64)), ".gif"), tmp_path / "a.gif")
    assert {*tmp_path.iterdir()} == {young, another, tmp_path / "a.gif"}


def test_a_film_reads_its_story_once_however_many_panels_it_has(project):
    class Counting(Project):
        read = 0

        def story(self):
            self.read += 1
            return super().story()

    counting = Counting(project.folder)
    list(Film(counting, FilmForm(rate=1, size=(64, 64)), ".gif", project.story().script).pictures())
    assert counting.read == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["film", "--out", "film.avi"], "A film ends in .mp4, .webp, .gif, .srt, .vtt, not in '.avi'"),
        (["film", "--out", "film.gif", "--size", "20x20"], "A film of 20 is not from 64 to 2160 a side"),
        (["film", "--out", "film.gif", "--rate", "51"], "A .gif shows 50 pictures a second at most"),
        (["layers", "--panel", "9", "--out", "a.ora"], "holds no frame of panel 9"),
        (["layers", "--panel", "1", "--out", "a.png"], "a.png must end in .ora or .psd"),
    ],
)
def test_what_cannot_be_made(project, arguments, says, capsys):
    command, *rest = arguments
    assert main([command, str(project.folder), *rest]) == 2
    assert says in capsys.readouterr().err


def test_the_commands(project, tmp_path, capsys):
    folder = str(project.folder)
    assert main(["film", folder, "--out", str(tmp_path / "words.srt")]) == 0
    assert (
        main(["film", folder, "--out", str(tmp_path / "film.gif"), "--rate", "1", "--size", "64x64", "--wordless"]) == 0
    )
    for ending in ENDINGS[:1]:
        assert main(["layers", folder, "--panel", "2", "--out", str(tmp_path / f"frame{ending}")]) == 0
    assert "At last." in (tmp_path / "words.srt").read_text()
    assert capsys.readouterr().out.count(str(tmp_path)) == 3
