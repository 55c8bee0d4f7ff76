"""The app's command line and how it is served: `anystory app`, or `python app.py` in a checkout."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Container, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from anystory import heap
from anystory.backends import base as backend
from anystory.backends.load import ask as ask_of_download
from anystory.backends.load import load as load_backend
from anystory.cli.arguments import add_engine
from anystory.cli.usage import Parser, between
from anystory.project.drafts import Store, cache_folder
from anystory.story.styles import StyleError
from ui.backends import named
from ui.limits import SHARED, Limits
from ui.quick import import_gradio, starting
from ui.scratch import Scratch
from ui.studio import Studio

COMMAND = "anystory app"


def arguments(argv: Sequence[str] | None = None, program: str = COMMAND) -> argparse.Namespace:
    """The command line's arguments; a mistake is one sentence on stderr, after `program`, and exit status 2."""
    parser = Parser(prog=program, description="The AnyStory app in your browser.")
    here = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    parser.add_argument("--host", default=here, help="address to listen on; 0.0.0.0 for all (%(default)s)")
    about = "port to listen on (the first free one from 7860)"
    parser.add_argument("--port", type=between(int, 1, 65535), metavar="N", help=about)
    parser.add_argument("--share", action="store_true", help="a public link through Gradio's relay, for 72 hours")
    logins = parser.add_mutually_exclusive_group()
    about = "ask for this login; the variable ANYSTORY_AUTH and --auth-file keep it from the list of processes"
    logins.add_argument("--auth", type=login, metavar="USER:PASSWORD", help=about)
    logins.add_argument("--auth-file", type=login_in, metavar="FILE", dest="auth", help="the same, in a file")
    parser.add_argument("--mcp", action="store_true", help="be tools for assistants too (docs/api.md)")
    add_engine(parser, f"{backend.BACKENDS[0]}; on a Space what it offers")
    about = "what else may be chosen on the page: names with commas between, or none (default: all; with --share %s)"
    parser.add_argument("--offer", type=offer, metavar="NAMES", help=about % backend.STORYBOOK)
    parser.add_argument(
        "--out",
        type=out_folder,
        metavar="FOLDER",
        help="keep every story here for good (default: in the user's cache, for 30 days)",
    )
    shared = "(default: none; with --share %s)"
    limits = parser.add_argument_group("limits", "what one visitor may have: a number, or none")
    limits.add_argument("--limit-panels", type=limit, metavar="N", help=f"panels a render {shared % SHARED.panels}")
    limits.add_argument("--limit-minutes", type=limit, metavar="N", help=f"of the model {shared % SHARED.minutes}")
    limits.add_argument("--limit-uploads", type=limit, metavar="N", help=f"files a visit {shared % SHARED.uploads}")
    limits.add_argument("--limit-pixels", type=limit, metavar="N", help=f"millions a picture {shared % SHARED.pixels}")
    asked = parser.parse_args(argv)
    if asked.model and not asked.model.is_dir():
        parser.error(f"there is no model folder {str(asked.model)!r}")
    try:
        asked.auth = asked.auth or login_of_environment()
    except argparse.ArgumentTypeError as error:
        parser.error(f"ANYSTORY_AUTH: {error}")
    asked.mcp = asked.mcp or os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true"
    if asked.mcp and asked.auth:
        parser.error("tools for assistants (--mcp) cannot log in; leave out --mcp or the login")
    if asked.mcp and find_spec("mcp") is None:
        parser.error("--mcp needs a part of Gradio that is not here: pip install 'gradio[mcp]'")
    return asked


def limit(text: str) -> int:
    """A limit; 0 stands for none."""
    if text == "none":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is neither none nor a whole number from 1 to 1000000")
    return int(text)


def shared(asked: argparse.Namespace) -> bool:
    """Whether strangers come."""
    return asked.share or "SPACE_ID" in os.environ


def limits(asked: argparse.Namespace) -> Limits:
    """What a visitor may have: as asked for, else `SHARED` where strangers come, else anything."""
    usual = SHARED if shared(asked) else Limits()
    given = {name: getattr(asked, f"limit_{name}") for name in ("panels", "minutes", "uploads", "pixels")}
    return replace(usual, **{name: number or None for name, number in given.items() if number is not None})


def offer(text: str) -> tuple[str, ...]:
    """Backends by name."""
    try:
        return named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def login(text: str) -> tuple[str, str]:
    """A user and a password."""
    user, colon, password = text.partition(":")
    if not (user.strip() and colon and password):
        raise argparse.ArgumentTypeError("give a user and a password as USER:PASSWORD")
    return user.strip(), password  # of what is typed Gradio strips the user, too


def login_in(path: str) -> tuple[str, str]:
    """The login in the first line of a file."""
    try:
        with open(path, encoding="utf-8") as file:
            return login(file.readline().rstrip("\r\n"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "it is not text")
        raise argparse.ArgumentTypeError(f"{path!r} cannot be read ({why})") from error


def login_of_environment() -> tuple[str, str] | None:
    """The login of ANYSTORY_AUTH; None where it says nothing."""
    said = os.environ.get("ANYSTORY_AUTH", "")
    return login(said) if said else None


def out_folder(text: str) -> Path:
    folder = Path(text).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be made a folder ({error.strerror})") from error
    return folder


def stories(out: Path | None) -> Store | None:
    """Where stories are kept: all of them for good in `out`, else for a while in a cache; None where there is none."""
    if out is not None:
        return Store(out, days=math.inf, total=math.inf)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return Store(folder) if os.access(folder, os.W_OK) else None


def agreed(asked: argparse.Namespace) -> set[str]:
    """Whose weights may be downloaded without a question on the page: all, where the command line says so and on a
    Space, where there is nobody yet who could be asked."""
    return {*backend.MODELS} if asked.download or "SPACE_ID" in os.environ else set()


def visitors(asked: argparse.Namespace, agreed: set[str]) -> set[str] | None:
    """`agreed`, to which visitors may add; None where strangers come, who are not to fill anybody's disk."""
    return None if shared(asked) else agreed


def loaders(
    asked: argparse.Namespace, tell: Callable[[str, str], None], agreed: Container[str] = ()
) -> dict[str, Callable[[], backend.Backend]]:
    """What loads each backend that the page offers, the one to start with first; `tell` takes a name and what that says
    meanwhile, `agreed` holds the names of those whose weights may be downloaded by the time they are wanted. What the
    command line says of the machine holds for all models, the rest for the first one alone. Raises BackendError."""
    from ui.space import borrowing, chosen_backend, offered

    first = chosen_backend(asked.backend, asked.model)

    def loader(name: str) -> Callable[[], backend.Backend]:
        machine = {"device": asked.device, "vram": asked.vram}
        own = {"model": asked.model, "loras": asked.lora, "speed": asked.speed, "batch": asked.batch}
        own |= {"routing": asked.routing}
        how: dict[str, Any] = machine if name in (first, *backend.MODELS) else {}
        how = how | own if name == first else how
        asking: dict[str, Any] = {"tell": partial(tell, name), "agree": lambda _: name in agreed}
        return borrowing(name, partial(load_backend, name, **how, **asking))

    return {name: loader(name) for name in offered(asked.offer, first, shared=shared(asked))}


def asker(asked: argparse.Namespace, agreed: Container[str]) -> Callable[[str], None]:
    """What raises BackendError for a backend whose weights are not here, as its loader would: it is called before what
    is in memory has to go."""
    from ui.space import chosen_backend

    first = chosen_backend(asked.backend, asked.model)
    return lambda name: ask_of_download(name, asked.model if name == first else None, lambda _: name in agreed)


def main(argv: Sequence[str] | None = None, program: str = COMMAND) -> NoReturn:
    """Serve the app until it is told to end, and end: whatever is still being made in a thread is left where it is, as
    every file is whole or not there. `program` is what it was started as."""
    status = run(argv, program)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(status)  # Python would wait for those threads, or abort in the midst of them


def run(argv: Sequence[str] | None = None, program: str = COMMAND) -> int:
    """As `main`; returns the exit status."""
    asked = arguments(argv, program)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if "SPACE_ID" in os.environ:  # where every visitor comes through a proxy, which tells their address
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")
    with Scratch() as files:
        os.environ["GRADIO_TEMP_DIR"] = str(files.path)  # what visitors upload and are shown; it goes with the app
        return serve(asked, program)


def serve(asked: argparse.Namespace, program: str) -> int:
    """Run the app until it is told to end; returns its exit status."""
    heap.share()
    heap.apart()  # frames and photographs come and go, and would leave holes
    with starting():
        import_gradio()  # which reads the variables set above
        from ui.app import build, launch

    told: dict[str, list[str]] = {name: [] for name in backend.BACKENDS}

    def tell(name: str, words: str) -> None:
        told[name].append(words)
        print(f"{program}: {words}", file=sys.stderr, flush=True)

    try:
        may = agreed(asked)
        ask, say_so = asker(asked, may), visitors(asked, may)
        studio = Studio(loaders(asked, tell, may), asked.out, told, limits(asked), stories(asked.out), say_so, ask)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as with Ctrl-C, nothing is left behind
        with closing(studio):
            with starting():
                page = build(studio)
            how = {"host": asked.host, "port": asked.port, "share": asked.share, "auth": asked.auth, "mcp": asked.mcp}
            launch(page, studio, **how)
    except (OSError, StyleError, backend.BackendError) as error:  # OSError is Gradio's word for a port that is taken
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    return 0
