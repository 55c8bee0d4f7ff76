"""The command line, as a person meets it: exit status, what is said, what is left on disk."""

import subprocess
import sys

import pytest
import yaml
from PIL import Image, ImageDraw
from tqdm import tqdm

from anystory.__main__ import UsageError, main, panel_numbers
from anystory.project import Project


def picture(path, colour="orange", mode="RGBA"):
    image = Image.new(mode, (64, 64), (255, 255, 255, 0)[: len(mode)])
    ImageDraw.Draw(image).ellipse((12, 12, 52, 52), fill=colour)
    image.save(path)


@pytest.fixture
def script(tmp_path):
    for name, colour in (("fox", "orange"), ("owl", "brown")):
        picture(tmp_path / f"{name}.png", colour)
    data = {
        "title": "Meeting",
        "cast": [
            {"name": "Fox", "image": "fox.png"},
            {"name": "Owl", "image": "owl.png"},
            {"name": "Ghost"},
        ],
        "panels": [{"prompt": "Fox walks"}, {"prompt": "Fox meets Owl"}, {"prompt": "an empty beach"}],
    }
    path = tmp_path / "story.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def render(tiny_model_folder, script, tmp_path):
    """Runs the render command on `script` with the tiny model into tmp_path/out, one step a panel."""

    def run(*arguments):
        how = ["--out", tmp_path / "out", "--model", tiny_model_folder, "--device", "cpu", "--steps", "1", *arguments]
        return main(["render", *map(str, [script, *how])])

    return run


def refused(capsys, *argv):
    """The one sentence a refused command says on stderr."""
    try:
        status = main([str(argument) for argument in argv])
    except SystemExit as exit:
        status = exit.code
    said = capsys.readouterr()
    assert status == 2 and said.out == ""
    sentences = [line for line in said.err.splitlines() if line and not line.startswith("Loading pipeline")]
    assert len(sentences) == 1 and sentences[0].startswith("anystory")
    return sentences[0]


def test_render_writes_says_where_and_resumes(render, tmp_path, capsys):
    assert render("--panels", "1-2") == 0
    said = capsys.readouterr().out
    assert str(tmp_path / "out" / "frames") in said and "panel 2: rendered" in said
    assert sorted(path.name for path in (tmp_path / "out/frames").glob("*.png")) == ["001.png", "002.png"]
    assert render() == 0
    said = capsys.readouterr().out
    assert "panel 1: unchanged" in said and "panel 2: unchanged" in said and "panel 3: rendered" in said


def test_render_takes_seed_steps_and_guidance(render, tmp_path):
    assert render("--panels", "3", "--seed", "5", "--steps", "2", "--guidance", "1.5") == 0
    settings = Project(tmp_path / "out").story().settings
    assert (settings.seed, settings.steps, settings.guidance) == (5, 2, 1.5)
    assert Project(tmp_path / "out").frame(3).seed == 7


def test_ctrl_c_keeps_the_finished_frames(render, tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tqdm, "write", interrupt)
        assert render() == 130
    assert "stopped" in capsys.readouterr().err
    assert sorted(Project(tmp_path / "out").entries) == [1]
    assert render() == 0
    assert "panel 1: unchanged" in capsys.readouterr().out


def test_a_character_without_a_picture_is_refused_only_where_needed(render, script, tmp_path, capsys):
    text = script.read_text(encoding="utf-8")
    script.write_text(text + "- prompt: Ghost sings\n", encoding="utf-8")
    assert "Ghost has no picture" in refused(capsys, "render", script, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert render("--panels", "3") == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--panels", "4"], "the script has panels 1 to 3"),
        (["--panels", "0"], "the script has panels 1 to 3"),
        (["--panels", "3-2"], "the script has panels 1 to 3"),
        (["--panels", "two"], "numbers and ranges"),
        (["--panels", ""], "numbers and ranges"),
        (["--steps", "0"], "'0' is not a whole number between 1 and 1000"),
        (["--steps", "many"], "'many' is not a whole number"),
        (["--guidance", "nan"], "'nan' is not a number between 1 and 100"),
        (["--seed", "-1"], "'-1' is not a whole number"),
        (["--backend", "dall-e"], "invalid choice"),
        (["--frobnicate"], "unrecognized arguments"),
        (["--model", "nowhere"], "nowhere"),
    ],
)
def test_wrong_arguments_are_one_sentence(script, tmp_path, capsys, arguments, says):
    assert says in refused(capsys, "render", script, "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_wrong_files_are_one_sentence(script, tiny_model_folder, tmp_path, capsys):
    out = tmp_path / "out"
    tiny = ["--model", tiny_model_folder, "--device", "cpu"]
    assert "missing.yaml" in refused(capsys, "render", tmp_path / "missing.yaml", "--out", out)
    assert refused(capsys, "render", tmp_path / "fox.png", "--out", out)
    assert "cannot be" in refused(capsys, "render", script, "--out", tmp_path / "fox.png", *tiny)
    (tmp_path / "owl.png").write_bytes(b"not a picture")
    assert "owl.png" in refused(capsys, "render", script, "--out", out)
    (tmp_path / "owl.png").unlink()
    assert "owl.png" in refused(capsys, "render", script, "--out", out)
    out.mkdir()
    (out / "story.json").write_text('{"version": 99}')
    picture(tmp_path / "owl.png")
    assert "newer AnyStory" in refused(capsys, "render", script, "--out", out, *tiny)


def test_panel_numbers():
    assert panel_numbers(None, 3) == [1, 2, 3]
    assert panel_numbers("3, 1-2,2", 3) == [1, 2, 3]
    with pytest.raises(UsageError):
        panel_numbers("1-999999999", 3)


def test_segment_keeps_own_transparency(tmp_path, capsys):
    picture(tmp_path / "fox.png")
    assert main(["segment", str(tmp_path / "fox.png"), str(tmp_path / "cut" / "fox.png")]) == 0
    assert "fox.png" in capsys.readouterr().out
    with Image.open(tmp_path / "cut" / "fox.png") as cut, Image.open(tmp_path / "fox.png") as source:
        assert cut.mode == "RGBA" and cut.getchannel("A").tobytes() == source.getchannel("A").tobytes()


def test_segment_takes_a_hand_made_mask(tmp_path):
    picture(tmp_path / "fox.png", mode="RGB")
    mask = Image.new("L", (64, 64))
    ImageDraw.Draw(mask).rectangle((10, 10, 50, 50), fill=255)
    mask.save(tmp_path / "mask.png")
    arguments = [str(tmp_path / "fox.png"), str(tmp_path / "cut.png"), "--mask", str(tmp_path / "mask.png")]
    assert main(["segment", *arguments]) == 0
    with Image.open(tmp_path / "cut.png") as cut:
        assert cut.getchannel("A").tobytes() == mask.tobytes()


def test_segment_refuses_in_one_sentence(tmp_path, capsys):
    source = tmp_path / "fox.png"
    picture(source)
    before = source.read_bytes()
    assert "must end in .png" in refused(capsys, "segment", source, tmp_path / "cut.jpg")
    assert "is the picture itself" in refused(capsys, "segment", source, source)
    assert "none.png" in refused(capsys, "segment", tmp_path / "none.png", tmp_path / "cut.png")
    assert "invalid choice: 'no-such-model'" in refused(
        capsys, "segment", source, tmp_path / "cut.png", "--model", "no-such-model"
    )
    assert source.read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["dance"], ["render"]])
def test_python_m_anystory_says_what_is_missing(arguments):
    run = subprocess.run([sys.executable, "-m", "anystory", *arguments], capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and run.stdout == ""


def test_help_loads_no_torch():
    program = "import sys; from anystory.__main__ import parser; parser().format_help(); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr
