"""The Python interface: the README's ten lines as they stand there, errors, and what importing costs."""

import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

import anystory
from anystory import api
from anystory.cast.segment import Segmenter
from anystory.story.model import CastMember, Panel, Script
from tests.cli.test_main import picture

ROOT = Path(__file__).resolve().parent.parent


def block(file):
    """The Python of a document that imports anystory."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (code,) = [code for code in blocks if "import anystory\n" in code]
    return code


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with story.yaml, in which code is run."""
    picture(tmp_path / "mochi.png")
    data = {"cast": [{"name": "Mochi", "image": "mochi.png"}], "panels": ["Mochi walks", "an empty beach"]}
    (tmp_path / "story.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_ten_lines_of_the_readme_run_as_they_are(project, capsys):
    code = block("README.md")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("1 7 Mochi ") and "\n2 8 Nobody is in this panel." in said
    assert sorted(path.name for path in (project / "out" / "frames").glob("*.png")) == ["001.png", "002.png"]
    assert sorted(path.name for path in project.glob("*.p*")) == ["book.pdf", "mochi.png", "panel-1.png", "panel-2.png"]


def test_frames_come_with_what_was_asked_and_again_from_the_folder(project, tiny_backend):
    story = anystory.load_story("story.yaml", tiny_backend, seed=5, steps=2)
    steps = []
    frames = list(anystory.render_story(story, tiny_backend, "out", panels=[2, 1], trace=True, progress=steps.append))
    assert [(frame.panel, frame.seed, frame.reused, frame.file) for frame in frames] == [
        (1, 5, False, Path("out/frames/001.png")),
        (2, 6, False, Path("out/frames/002.png")),
    ]
    assert [(step.panel, step.step.index) for step in steps] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert frames[0].trace and frames[0].maps.names == ("Mochi", "background") and frames[0].diagnosis.sentence
    again = list(anystory.render_story(story, tiny_backend, "out"))
    assert [frame.reused for frame in again] == [True, True]
    assert [frame.image.tobytes() for frame in again] == [frame.image.tobytes() for frame in frames]


def test_who_is_only_described_is_cut_out_as_the_script_says(project, tiny_backend, monkeypatch):
    script = Script(
        (Panel("Mochi walks", ("Mochi",)),), (CastMember("Mochi", description="a cat"),), segmenter="isnet-anime"
    )
    asked = []
    monkeypatch.setattr(api, "work", lambda jobs, *_: asked.append(jobs[0].segmenter.model) or (_ for _ in ()))
    story = anystory.load_story(script, tiny_backend)
    for given in (None, Segmenter()):
        list(anystory.render_story(story, tiny_backend, segmenter=given))
    assert asked == ["isnet-anime", Segmenter().model]


def test_a_retry_yields_each_panel_once_with_the_frame_that_stays(project, tiny_backend, monkeypatch):
    from anystory.maps import diagnosis

    monkeypatch.setattr(diagnosis, "MIN_SHARE", 1.0)
    story = anystory.load_story("story.yaml", tiny_backend, steps=1)
    frames = list(anystory.render_story(story, tiny_backend, "out", panels=[1], retry=2))
    assert [frame.panel for frame in frames] == [1]
    from anystory.project.folder import Project

    entry = Project("out").entries[1]
    assert (entry.tries, entry.seed) == (3, frames[0].seed)


def test_text_is_a_story_too_and_closing_stops(project, tiny_backend):
    cast = [anystory.CastMember("Mochi", Path("mochi.png"), description="a little cat")]
    script = anystory.parse_script("Mochi walks\n[NC] the sea\nMochi sleeps", cast=cast)
    story = anystory.load_story(script, tiny_backend, steps=1)
    with closing(anystory.render_story(story, tiny_backend)) as frames:
        first = next(frames)
    assert (first.panel, first.file, first.maps.names[0]) == (1, None, "Mochi")


def test_what_goes_wrong_is_one_documented_exception(project, tiny_backend):
    story = anystory.load_story("story.yaml", tiny_backend)
    for call, error in (
        (lambda: anystory.load_story("none.yaml", tiny_backend), anystory.ScriptError),
        (lambda: anystory.load_story("story.yaml", tiny_backend, steps=0), anystory.RenderError),
        (lambda: anystory.load_backend("dall-e"), anystory.BackendError),
        (lambda: list(anystory.render_story(story, tiny_backend, panels=[9])), anystory.RenderError),
        (lambda: list(anystory.render_story(story, tiny_backend, "mochi.png")), anystory.ProjectError),
    ):
        with pytest.raises(error) as caught:
            call()
        assert isinstance(caught.value, anystory.AnyStoryError) and "\n" not in str(caught.value)


def test_importing_is_light_and_every_name_is_there():
    program = "import sys, anystory; print(len([m for m in sys.modules if m.startswith('anystory')])); "
    program += (
        "[getattr(anystory, name) for name in anystory.__all__]; print(sorted({'torch', 'ray'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split("\n")[:2] == ["1", "[]"], run.stderr
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        anystory.paint  # noqa: B018
