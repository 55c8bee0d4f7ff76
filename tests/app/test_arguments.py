"""The command line of the app: a mistake is one sentence and exit status 2."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ui.serve import arguments

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_serve_this_machine_only():
    asked = arguments([])
    assert (asked.host, asked.share, asked.auth, asked.backend) == ("127.0.0.1", False, None, None)


def test_values_are_read(tmp_path):
    asked = arguments(
        ["--auth", "me:a:b", "--port", "8000", "--model", str(tmp_path), "--out", str(tmp_path / "a" / "b")]
    )
    assert asked.auth == ("me", "a:b")
    assert asked.port == 8000
    assert asked.model == tmp_path
    assert asked.out == tmp_path / "a" / "b" and asked.out.is_dir()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--port", "99999"], "'99999' is not a whole number between 1 and 65535"),
        (["--auth", "me"], "USER:PASSWORD"),
        (["--model", "nowhere"], "there is no model folder 'nowhere'"),
        (["--backend", "dream"], "'dream'"),
        (["--out", __file__], "cannot be made a folder"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_one_sentence(given, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        arguments(given)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_a_taken_port_is_one_sentence(tiny_model_folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = subprocess.run(
            [sys.executable, "app.py", "--port", str(port), "--model", str(tiny_model_folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    assert run.returncode == 2
    assert str(port) in run.stderr and "Traceback" not in run.stderr
