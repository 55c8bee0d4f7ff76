"""Starts the AnyStory app: `python app.py`, then open the address it prints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported

from anystory import backend
from ui.app import build, launch
from ui.studio import Studio


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help tells more)\n")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's arguments; a mistake is one sentence on stderr and exit status 2."""
    parser = Parser(prog="app.py", description="The AnyStory app in your browser.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (%(default)s)")
    parser.add_argument("--port", type=port, help="port to listen on (the first free one from 7860)")
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's relay, for 72 hours")
    parser.add_argument("--auth", type=login, metavar="USER:PASSWORD", help="ask for this login")
    parser.add_argument("--backend", choices=backend.BACKENDS, default=backend.BACKENDS[0], help="%(default)s")
    parser.add_argument("--model", type=model_folder, metavar="FOLDER", help="a saved model, not the embedded one")
    parser.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    parser.add_argument("--out", type=out_folder, metavar="FOLDER", help="keep every story here (default: do not)")
    return parser.parse_args(argv)


def port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1 and 65535")
    return int(text)


def login(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise argparse.ArgumentTypeError("give a user and a password as USER:PASSWORD")
    return user, password


def model_folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no model folder {text!r}")
    return Path(text)


def out_folder(text: str) -> Path:
    folder = Path(text).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be made a folder ({error.strerror})") from error
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    asked = arguments(argv)
    studio = Studio(partial(backend.load, asked.backend, model=asked.model, device=asked.device), asked.out)
    try:
        launch(build(studio), host=asked.host, port=asked.port, share=asked.share, auth=asked.auth)
    except OSError as error:  # Gradio's word for a port that is taken
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
