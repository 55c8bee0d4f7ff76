"""The command line, as a person meets it: exit status, what is said, what is left on disk."""

import json
import re
import signal
import subprocess
import sys

import pytest
import yaml
from PIL import Image, ImageDraw

from anystory.__main__ import main
from anystory.cast.segment import MODELS
from anystory.cli.report import Report
from anystory.cli.usage import UsageError, panel_numbers
from anystory.maps import diagnosis
from anystory.maps.diagnosis import another_seed
from anystory.project.folder import Project
from anystory.story.steering import UNSTEERED, Layout, Place


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
    """Runs the render command on `script` with the tiny model into tmp_path/out, one step per panel."""

    def run(*arguments):
        how = ["--out", tmp_path / "out", "--model", tiny_model_folder, "--device", "cpu", "--steps", "1", *arguments]
        return main(["render", *map(str, [script, *how])])

    return run


def test_the_strength_of_layouts_can_be_given(render, script, tmp_path, capsys):
    data = yaml.safe_load(script.read_text())
    data["panels"][0]["layout"] = {"Fox": [0, 0, 0.5, 1]}
    script.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    assert render() == 0 and render("--layout-strength", "0.5") == 0
    assert "panel 1: rendered" in (out := capsys.readouterr().out) and "panel 2: unchanged" in out
    assert Project(tmp_path / "out").story().script.panels[0].steering.layout.strength == 0.5


def test_a_layout_can_be_given(render, tmp_path, capsys):
    assert render() == 0 and render("--layout", "2", "Fox 0 0 0.5 1; strength 0.8; steps 0 0.4") == 0
    out = capsys.readouterr().out
    assert out.count("panel 2: rendered") == 2 and "panel 1: unchanged" in out
    one, two, *_ = Project(tmp_path / "out").story().script.panels
    assert one.steering == UNSTEERED
    assert two.steering.layout == Layout((Place("Fox", (0, 0, 0.5, 1)),), 0.8, 0, 0.4)


@pytest.mark.parametrize(
    ("number", "places", "said"),
    [
        ("9", "Fox 0 0 1 1", "--layout 9 does not fit: the script has panels 1 to 3."),
        ("x", "Fox 0 0 1 1", "--layout takes numbers and ranges such as 2,4-6, not 'x'."),
        ("1", "Fox 0 0 9 1", "--layout 1: The box of Fox is 0 0 9 1"),
        ("1", "Ghost 0 0 1 1", "Ghost"),
        ("1", "", "The layout places nobody"),
    ],
)
def test_a_layout_that_cannot_be_is_one_sentence(script, tmp_path, capsys, number, places, said):
    assert said in refused(capsys, "render", script, "--out", tmp_path / "out", "--layout", number, places)


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
    def interrupt(self, event, *_, **__):
        if event == "frame":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Report, "tell", interrupt)
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
        capsys, "segment", source, tmp_path / "cut.png", "--with", "no-such-model"
    )
    assert source.read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["dance"], ["render"]])
def test_python_m_anystory_says_what_is_missing(arguments):
    run = subprocess.run([sys.executable, "-m", "anystory", *arguments], capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and run.stdout == ""


def test_help_loads_no_torch():
    program = "import sys; from anystory.cli.arguments import parser as made; made().format_help()"
    program += "; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr


# --- scripts people bring -----------------------------------------------------------------------------------------

BOARD = """{"角色表": [{"角色名": "Owl", "alias": "ROLE-A", "simple_prompt": "An old owl."}], "style": "Line art",
 "分镜头": [{"prompt": "ROLE-A flies", "act_roles": ["ROLE-A"], "旁白": "Up"}, {"prompt": "a beach"}]}
"""


def checked(capsys, *arguments):
    """Exit status, what check says on stdout, and on stderr."""
    status = main(["check", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out.splitlines(), [line for line in said.err.splitlines() if not line.startswith("Loading")]


def test_check_says_file_line_and_column(tmp_path, capsys):
    file = tmp_path / "story.txt"
    file.write_text("cast: Mia, a fox\nMia runs\n[Mai] sits\n", encoding="utf-8")
    status, out, err = checked(capsys, file)
    assert status == 1 and err == []
    assert out == [
        f"{file}:1:7: note: Mia has no picture and is drawn from the description first.",
        f"{file}:3:2: error: Nobody is named 'Mai' (did you mean 'Mia'?); the cast is Mia.",
    ]
    file.write_text("cast: Mia, a fox\nMia runs\n", encoding="utf-8")
    assert checked(capsys, file)[0] == 0  # only a note
    file.write_text("[NC] the sea\n", encoding="utf-8")
    assert checked(capsys, file) == (0, [], [])


def test_check_cannot_read(tmp_path, capsys):
    file = tmp_path / "story.json"
    file.write_text("{", encoding="utf-8")
    status, out, err = checked(capsys, file)
    assert (status, out, len(err)) == (2, [], 1) and err[0].startswith(f"{file}:1:2: error: This is not JSON")
    assert "cannot be read" in refused(capsys, "check", tmp_path / "nobody.txt")
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff")
    assert "not UTF-8" in refused(capsys, "check", file)
    assert "is not a script" in refused(capsys, "check", tmp_path / "story.rtf")
    assert "invalid choice" in refused(capsys, "check", file, "--backend", "dall-e")


def test_check_with_a_backend_tells_what_it_cannot_do(tmp_path, tiny_model_folder, capsys):
    file = tmp_path / "board.json"
    file.write_text(BOARD.replace("flies", "flies " + "far away " * 50), encoding="utf-8")
    status, out, _ = checked(capsys, file)
    assert (status, len(out)) == (1, 2)  # drawn first; nobody on the beach
    status, out, _ = checked(capsys, file, "--model", tiny_model_folder, "--device", "cpu")
    assert status == 1
    assert {"mini cannot follow a style", "is cut off", "mini hardly draws"} == {
        words for words in ("mini cannot follow a style", "is cut off", "mini hardly draws") if words in "\n".join(out)
    }


def test_a_storyboard_is_rendered_its_characters_drawn_first(tmp_path, tiny_model_folder, capsys, monkeypatch):
    from anystory.cast import segment

    def cut(self, image, mask=None):
        return Image.new("L", image.size, 255)

    monkeypatch.setattr(segment.Segmenter, "cut", cut)  # random weights draw nothing to cut out
    file = tmp_path / "board.json"
    file.write_text(BOARD, encoding="utf-8")
    arguments = [
        "render",
        file,
        "--out",
        tmp_path / "out",
        "--model",
        tiny_model_folder,
        "--device",
        "cpu",
        "--steps",
        "1",
    ]
    assert main([*map(str, arguments)]) == 0
    said = capsys.readouterr()
    assert "Owl: drawn" in said.out and "panel 1: rendered" in said.out
    assert "note: mini cannot follow a style; 'Line art' is left out" in said.err
    assert "mini hardly draws a character from words" in said.err
    assert main([*map(str, arguments)]) == 0
    said = capsys.readouterr()
    assert "Owl: unchanged" in said.out and "panel 1: unchanged" in said.out
    story = Project(tmp_path / "out").story()
    assert story.subjects[0].drawn.startswith("an old owl") and story.script.style == "Line art"
    assert story.script.panels[0].caption == "Up"


# Traces, maps, retries and the choice of segmenters.


def test_a_trace_is_announced_kept_and_drawn(render, tmp_path, capsys):
    assert render("--steps", "3", "--panels", "1-2", "--trace") == 0
    said = re.search(r"The traces take at most (\d+) kB\.", capsys.readouterr().out)
    assert sum(path.stat().st_size for path in (tmp_path / "out/frames").glob("*-trace.npz")) <= 1000 * int(said[1])
    assert [path.name for path in sorted((tmp_path / "out/frames").glob("*-trace.npz"))] == [
        "001-trace.npz",
        "002-trace.npz",
    ]
    drawn = {}
    for name, arguments in {
        "story.png": [],
        "figure.png": ["--panel", "2"],
        "coarse.png": ["--panel", "2", "--kind", "coarse"],
        "some.png": ["--panel", "2", "--steps", "1,3"],
        "layers.png": ["--panel", "2", "--rows", "layers"],
        "steps.gif": ["--panel", "2"],
        "layer.webp": ["--panel", "2", "--layer", "2", "--kind", "refined", "--steps", "1-2"],
    }.items():
        for again in range(2):
            assert main(["maps", str(tmp_path / "out"), "--out", str(tmp_path / "maps" / name), *arguments]) == 0
            data = (tmp_path / "maps" / name).read_bytes()
            assert again == 0 or data == drawn[name]
            drawn[name] = data
        assert name in capsys.readouterr().out
    sizes = {}
    for name in drawn:
        with Image.open(tmp_path / "maps" / name) as picture:
            sizes[name] = *picture.size, getattr(picture, "n_frames", 1)
    assert len(set(drawn.values())) == len(drawn)
    assert sizes["figure.png"][0] > 1.5 * sizes["coarse.png"][0] and sizes["figure.png"][0] > sizes["some.png"][0]
    assert (sizes["steps.gif"][2], sizes["layer.webp"][2]) == (3, 2)
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == sorted(drawn)


def test_maps_refuses_in_one_sentence_and_writes_nothing(render, tmp_path, capsys):
    out, sheet = tmp_path / "out", tmp_path / "sheet.png"
    assert "holds no story.json" in refused(capsys, "maps", out, "--out", sheet)
    assert render("--panels", "2", "--trace") == 0 and render("--panels", "1") == 0
    capsys.readouterr()
    for arguments, says in (
        (["--panel", "1"], "Panel 1 has no trace in"),
        (["--panel", "3"], "Panel 3 has no frame in"),
        (["--panel", "2", "--steps", "5"], "--steps 5 does not fit: the frame has steps 1 to 1"),
        (["--panel", "2", "--steps", "x"], "--steps takes numbers and ranges"),
        (["--panel", "2", "--layer", "1"], "--layer is for animations"),
        (["--rows", "layers"], "say --panel N"),
        (["--steps", "1"], "say --panel N"),
        (["--kind", "sideways"], "invalid choice"),
        (["--panel", "two"], "invalid int value"),
    ):
        assert says in refused(capsys, "maps", out, "--out", sheet, *arguments)
    for name, arguments, says in (
        ("a.jpg", [], "must end in .png"),
        ("a.gif", [], "contact sheet is a .png"),
        ("a.gif", ["--panel", "2", "--rows", "layers"], "--rows is for sheets"),
        ("a.webp", ["--panel", "2", "--layer", "99"], "There is no layer 99; the layers are 1 to"),
    ):
        assert says in refused(capsys, "maps", out, "--out", tmp_path / name, *arguments)
    assert not sheet.exists() and not (tmp_path / "a.gif").exists()


def test_a_retry_tells_every_try_and_its_seed(render, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(diagnosis, "MIN_SHARE", 1.0)
    assert render("--panels", "1", "--retry", "2", "--seed", "5") == 0
    said = capsys.readouterr().out
    assert "panel 1: rendered, seed 5. Fox holds only" in said
    seeds = [5, another_seed(5), another_seed(another_seed(5))]
    best = 5
    for number, seed in enumerate(seeds[1:], 2):
        if f"panel 1: try {number} is no better, seed {best} stays." not in said:
            assert f"panel 1: rendered (try {number}), seed {seed}. Fox holds only" in said
            best = seed
    assert Project(tmp_path / "out").entries[1].seed == best
    assert Project(tmp_path / "out").entries[1].tries == 3
    assert render("--panels", "1", "--retry", "2", "--seed", "5") == 0
    said = capsys.readouterr().out
    assert "panel 1: unchanged" in said and "(try" not in said
    assert "'-1' is not a whole number" in refused(capsys, "render", "x.txt", "--out", tmp_path, "--retry", "-1")


def test_models_are_listed_with_licence_and_size(capsys):
    assert main(["segment", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(MODELS)
    assert all(MODELS[line.partition(":")[0]].licence in line and " MB" in line for line in lines)
    assert "takes a picture and the .png file" in refused(capsys, "segment")


def test_segment_gives_hints(tmp_path, capsys):
    picture(tmp_path / "fox.png")
    assert main(["segment", str(tmp_path / "fox.png"), str(tmp_path / "cut.png")]) == 0
    assert "The character is only 41 × 41 px" in capsys.readouterr().out


def test_a_model_is_described_before_it_is_fetched_and_the_script_can_name_it(script, tmp_path, capsys, monkeypatch):
    """Nothing listens where the network is said to be."""
    for variable in ("NO_PROXY", "no_proxy", "U2NET_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("REMBG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    picture(tmp_path / "fox.png", mode="RGB")
    script.write_text("segmenter: isnet-anime\n" + script.read_text(encoding="utf-8"), encoding="utf-8")
    for command in (
        ["segment", tmp_path / "fox.png", tmp_path / "cut.png", "--with", "isnet-anime"],
        ["render", script, "--out", tmp_path / "out"],
    ):
        assert main([str(word) for word in command]) == 2
        said = capsys.readouterr().err
        first, last = said.index("Fetching isnet-anime: drawn characters; Apache-2.0"), said.index("cannot be fetched")
        assert first < last and "176 MB" in said[:last]
    assert not (tmp_path / "out").exists() and not (tmp_path / "cut.png").exists()


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ("info nowhere >&-", 2, "nowhere"),
        ("completion bash >&-", 0, ""),
        ("completion bash >&- 2>&-", 0, ""),
        ("completion bash >/dev/full", 2, "anystory: The output cannot be written (No space left on device)"),
        ("info nowhere --json >/dev/full", 2, "anystory: The output cannot be written (No space left on device)"),
    ],
)
def test_an_output_that_takes_nothing_is_one_sentence(how, status, says):
    run = subprocess.run(f"exec {sys.executable} -m anystory {how}", shell=True, capture_output=True, text=True)
    assert run.returncode == status and says in run.stderr and run.stderr.count("\n") == bool(says), run.stderr


def test_sigterm_ends_json_with_its_end_event(tmp_path):
    (tmp_path / "long.txt").write_text("[NC] a forest by night\n" * 40)
    command = [sys.executable, "-m", "anystory", "render", str(tmp_path / "long.txt"), "--json", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        events = []
        for line in run.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "frame":
                run.terminate()
    assert events[-1] == {"event": "end", "exit": 143} and run.returncode == 143
    assert {event["panel"] for event in events if event["event"] == "frame"} <= set(Project(tmp_path).entries)


@pytest.mark.parametrize("moments", [{"start"}, {"start", "error"}])
def test_sigterm_at_its_first_event_and_again_at_what_is_said_of_it_ends_with_the_end_event(
    script, moments, monkeypatch, capsys
):
    tell = Report._event

    def terminated(self, event, **fields):
        tell(self, event, **fields)
        if event in moments:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Report, "_event", terminated)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["check", str(script), "--json"]) == 143
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["start", "error", "end"] and events[-1]["exit"] == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_while_it_starts_is_one_sentence(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("anystory.cli.arguments.parser", interrupt)
    assert main(["check", "x.yaml"]) == 130
    assert capsys.readouterr().err.count("\n") == 1
