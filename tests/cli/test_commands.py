"""The command line for machines and shells: --json, exit statuses, resume, several stories, info, completion."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml
from PIL import Image

from anystory.__main__ import main
from anystory.cli.arguments import parser
from anystory.cli.report import FORMAT
from anystory.project.folder import Project
from tests.cli.test_main import picture, refused


@pytest.fixture
def tiny(tiny_model_folder):
    return ["--model", str(tiny_model_folder), "--device", "cpu"]


@pytest.fixture
def scripts(tmp_path):
    """Two stories of one panel and of two, with the same fox."""
    picture(tmp_path / "fox.png")
    made = []
    for name, panels in {"day.yaml": ["Fox walks"], "night.yaml": ["Fox sleeps", "an empty beach"]}.items():
        data = {"title": name[:-5], "cast": [{"name": "Fox", "image": "fox.png"}], "panels": panels}
        (tmp_path / name).write_text(yaml.safe_dump(data), encoding="utf-8")
        made.append(tmp_path / name)
    return made


def events(capsys, *words):
    """The events of a command, and its exit status."""
    capsys.readouterr()
    status = main([*map(str, words), "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0] == {"event": "start", "format": FORMAT, "command": words[0]}
    assert told[-1] == {"event": "end", "exit": status}
    return status, told[1:-1]


def kind(told, name):
    return [event for event in told if event["event"] == name]


def test_a_render_tells_a_machine_every_step(scripts, tiny, tmp_path, capsys):
    out = tmp_path / "out"
    status, told = events(capsys, "render", scripts[1], "--out", out, "--steps", 2, "--trace", *tiny)
    assert status == 0
    kinds = ["story", "traces", "step", "step", "frame", "step", "step", "frame", "finished"]
    assert [event["event"] for event in told] == kinds
    assert {key: told[0][key] for key in ("folder", "title", "panels", "steps", "seed", "backend")} == {
        "folder": str(out),
        "title": "night",
        "panels": [1, 2],
        "steps": 2,
        "seed": 0,
        "backend": "mini",
    }
    assert [(e["panel"], e["attempt"], e["step"], e["steps"]) for e in kind(told, "step")] == [
        (panel, 1, step, 2) for panel in (1, 2) for step in (1, 2)
    ]
    for number, frame in enumerate(kind(told, "frame"), 1):
        assert (frame["panel"], frame["seed"], frame["reused"], frame["done"]) == (number, number - 1, False, True)
        assert Image.open(frame["file"]).size == (64, 64) and set(frame["diagnosis"]) >= {"passed", "shares"}
    _, told = events(capsys, "render", scripts[1], "--out", out, "--steps", 2, *tiny)
    assert [frame["reused"] for frame in kind(told, "frame")] == [True, True]


def test_mistakes_are_events_too(scripts, tmp_path, capsys):
    status, told = events(capsys, "render", tmp_path / "none.yaml", "--out", tmp_path / "out")
    assert status == 2 and [event["event"] for event in told] == ["error"] and "none.yaml" in told[0]["message"]
    scripts[0].write_text("cast: Mia, a fox\nMia runs\n[Mai] sits\n", encoding="utf-8")
    (script := scripts[0].with_suffix(".txt")).write_text(scripts[0].read_text(encoding="utf-8"), encoding="utf-8")
    status, told = events(capsys, "check", script)
    assert status == 1
    assert told[1] == {
        "event": "finding",
        "file": str(script),
        "line": 3,
        "column": 2,
        "severity": "error",
        "code": "unknown-name",
        "message": "Nobody is named 'Mai' (did you mean 'Mia'?); the cast is Mia.",
    }
    assert told[-1] == {"event": "checked", "file": str(script), "errors": 1, "warnings": 0, "notes": 1}


def test_several_stories_get_a_folder_each(scripts, tiny, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(word) for word in ["render", *scripts, "--out", out, "--steps", 1, *tiny]]) == 0
    said = capsys.readouterr().out
    assert f"{out / 'night'}: panel 2: rendered, seed 1." in said
    frames = {
        name: [Project(out / name).frame(n).image.tobytes() for n in panels]
        for name, panels in {"day": [1], "night": [1, 2]}.items()
    }
    assert main([str(word) for word in ["render", scripts[1], "--out", tmp_path / "one", "--steps", 1, *tiny]]) == 0
    assert [Project(tmp_path / "one").frame(n).image.tobytes() for n in (1, 2)] == frames["night"]
    capsys.readouterr()
    assert "--panels is for one script" in refused(capsys, "render", *scripts, "--out", out, "--panels", "1")
    (tmp_path / "b").mkdir()
    (twin := tmp_path / "b" / "Day.txt").write_text("[NC] the sea", encoding="utf-8")
    assert "would share" in refused(capsys, "render", scripts[0], twin, "--out", out)


def test_a_story_that_fails_does_not_keep_the_others(scripts, tiny, tmp_path, capsys):
    out = tmp_path / "out"
    (out / "day").mkdir(parents=True)
    (out / "day" / "story.json").write_text('{"version": 99}')
    status, told = events(capsys, "render", *scripts, "--out", out, "--steps", 1, *tiny)
    assert status == 1
    (error,) = kind(told, "error")
    assert error["folder"] == str(out / "day") and "newer AnyStory" in error["message"]
    assert [event["folder"] for event in kind(told, "finished")] == [str(out / "night")]
    assert sorted(Project(out / "night").entries) == [1, 2]


def test_resume_goes_on_from_the_folder_alone(scripts, tiny, tmp_path, capsys):
    out, moved = tmp_path / "out", tmp_path / "moved"
    words = ["render", scripts[1], "--out", out, "--steps", 1, "--seed", 5, "--panels", 1, *tiny]
    assert main([str(word) for word in words]) == 0
    shutil.move(out, moved)
    for script in (*scripts, tmp_path / "fox.png"):
        script.unlink()
    status, told = events(capsys, "resume", moved, *tiny)
    assert status == 0
    assert [(e["panel"], e["seed"], e["reused"]) for e in kind(told, "frame")] == [(1, 5, True), (2, 6, False)]
    assert "holds no story.json" in refused(capsys, "resume", tmp_path)


OF_A_STORY = {
    "resume": [], "history": [1], "pin": [1], "variants": [1], "maps": ["--out", "m.png"], "look": [], "info": [],
    "export": ["--out", "b.pdf"], "storyboard": ["--out", "b.pdf"], "film": ["--out", "f.webp"],
    "webtoon": ["--out", "w.zip"], "layers": ["--panel", 1, "--out", "l.ora"], "pack": ["--out", "s.zip"],
    "check": [], "render": ["--out", "o"], "sketch": ["--out", "o"], "segment": ["o.png"],
    "unpack": ["--out", "o"], "recover": ["--out", "o.yaml"],
}  # fmt: skip
"""Every command that is about something there is, and what else it needs."""


@pytest.mark.parametrize("command", OF_A_STORY)
def test_every_command_says_that_there_is_nothing(command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for nothing in ("missing", "missing.yaml", "empty"):
        assert refused(capsys, command, nothing, *OF_A_STORY[command]).endswith(".")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"], "nothing is written"


def test_no_command_is_forgotten_there(capsys):
    (choices,) = [action.choices for action in parser()._actions if action.choices]
    assert {*choices} - {*OF_A_STORY} == {"app", "bench", "completion", "evaluate"}


def test_resume_does_not_make_frames_of_another_model_anew_unasked(scripts, tiny, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(w) for w in ["render", scripts[0], "--out", out, "--steps", 1, *tiny]]) == 0
    before = (out / "frames" / "001.png").read_bytes()
    capsys.readouterr()
    assert "all would be made anew" in refused(capsys, "resume", out, "--device", "cpu")
    assert (out / "frames" / "001.png").read_bytes() == before


def test_info_tells_of_a_story_a_frame_and_the_installation(scripts, tiny, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["render", scripts[1], "--out", out, "--steps", 1, "--panels", 1, *tiny]
    assert main([str(word) for word in words]) == 0
    _, (story, first, second) = events(capsys, "info", out)
    assert (story["title"], story["cast"], story["settings"]["steps"]) == ("night", ["Fox"], 1)
    assert (first["panel"], first["prompt"], first["seed"]) == (1, "Fox sleeps", 0) and first["file"]
    assert second["file"] is None
    _, (frame,) = events(capsys, "info", first["file"])
    assert (frame["title"], frame["panel"], frame["prompt"], frame["cast"]) == ("night", 1, "Fox sleeps", ["Fox"])
    assert first["size"] == frame["size"] == 64 and second["size"] is None
    assert (frame["backend"], frame["version"]) == (story["backend"], story["version"])
    _, (here,) = events(capsys, "info")
    assert here["packages"]["torch"].startswith("2.") and here["device"] and "u2net" in here["segmenters"]
    assert main(["info", str(out)]) == 0
    assert "night: 2 panels, 1 with a frame" in capsys.readouterr().out
    assert "neither a story's folder nor" in refused(capsys, "info", tmp_path / "day.yaml")
    assert "carries no" in refused(capsys, "info", tmp_path / "fox.png")


def test_ray_and_workers_are_refused_where_they_do_not_fit(scripts, tmp_path, capsys):
    words = ["render", scripts[0], "--out", tmp_path / "out"]
    assert "say --ray local" in refused(capsys, *words, "--workers", "2")
    assert "Ray gives every worker its GPU" in refused(capsys, *words, "--ray", "local", "--device", "cuda:1")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["evaluate", "bench"])
def test_programs_of_their_own_are_commands_too(name, capsys):
    with pytest.raises(SystemExit) as exit:
        main([name, "--help"])
    assert exit.value.code == 0
    assert f"anystory.{'evaluation' if name == 'evaluate' else name}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as exit:
        main([name, "--nonsense"])
    said = capsys.readouterr().err
    assert exit.value.code == 2 and said.count("\n") == 1 and "--help tells more" in said


def test_help_is_there_for_everything():
    commands = next(action for action in parser()._actions if action.choices and "render" in action.choices)
    told = {action.dest: action.help for action in commands._choices_actions}
    assert set(told) == set(commands.choices) and all(told.values())
    for name, command in commands.choices.items():
        for action in command._actions:
            assert action.help, f"{name}: {action.dest} has no help"


def test_bash_completes_commands_options_and_choices(tmp_path, capsys):
    assert main(["completion", "bash"]) == 0
    (script := tmp_path / "anystory.bash").write_text(capsys.readouterr().out, encoding="utf-8")

    def completed(line):
        words = line.split(" ")
        program = (
            f"source {script}; COMP_WORDS=({' '.join(w or chr(39) * 2 for w in words)}); COMP_CWORD={len(words) - 1}; "
        )
        program += '_shtab_anystory; printf "%s\\n" "${COMPREPLY[@]}"'
        run = subprocess.run(["bash", "-c", program], capture_output=True, text=True, cwd=tmp_path)
        return run.stdout.split()

    assert completed("anystory re") == ["render", "resume", "recover"]
    assert "--ray" in completed("anystory render --") and completed("anystory render --tr") == ["--trace"]
    assert completed("anystory render --backend ") == ["storybook", "mini", "klein", "flux"]
    assert completed("anystory completion ") == ["bash", "zsh", "fish"]
    assert "anystory.bash" in completed("anystory pack any")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_that_parses(shell, tmp_path, capsys):
    assert main(["completion", shell]) == 0
    (script := tmp_path / "anystory").write_text(capsys.readouterr().out, encoding="utf-8")
    assert "--retry" in script.read_text(encoding="utf-8")
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    run = subprocess.run([shell, "-n", script], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(("command", "reader"), [("completion bash", "head -c 1"), ("bench plans", "true")])
def test_a_reader_that_goes_away_is_no_traceback(command, reader):
    program = f"{sys.executable} -m anystory {command}"
    run = subprocess.run(["bash", "-c", f"{program} | {reader}"], capture_output=True, text=True)
    assert run.stderr == ""
