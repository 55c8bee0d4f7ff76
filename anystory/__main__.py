"""The command line: `python -m anystory render story.yaml --out DIR` and `python -m anystory segment IN OUT`.

A mistake of the user's is one sentence on stderr and exit status 2; Ctrl-C is 130 and keeps the finished frames.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from anystory import backend
from anystory.images import ImageError
from anystory.project import ProjectError, cutout, png, write_atomic
from anystory.render import Renderer, RenderError
from anystory.script import MAX_SEED, ScriptError, load_script
from anystory.segment import MODELS, Segmenter, SegmentError
from anystory.story import Script, Story, Subject


class UsageError(ValueError):
    """An argument does not fit. The message is one sentence for the user."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help tells more)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    arguments = parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except (
        UsageError,
        ScriptError,
        ImageError,
        SegmentError,
        RenderError,
        ProjectError,
        backend.BackendError,
    ) as error:
        print(f"anystory: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("anystory: stopped; what was finished is kept, the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="anystory", description="Story frames in which each character stays itself.")
    matte: dict[str, Any] = {"metavar": "NAME", "choices": MODELS, "default": next(iter(MODELS))}
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("render", help="render a script to a folder of frames")
    command.set_defaults(command=render)
    command.add_argument("script", type=Path, help="the story: text, YAML or JSON")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where frames go, and are resumed from")
    command.add_argument("--panels", metavar="2,4-6", help="only these panels (default: all)")
    command.add_argument("--seed", type=between(int, 0, MAX_SEED), metavar="N", help="the story's seed")
    command.add_argument("--steps", type=between(int, 1, 1000), metavar="N", help="denoising steps a frame")
    command.add_argument("--guidance", type=between(float, 1, 100), metavar="X", help="guidance scale (1 = off)")
    command.add_argument("--backend", choices=backend.BACKENDS, default=backend.BACKENDS[0], help="%(default)s")
    command.add_argument("--model", type=Path, metavar="FOLDER", help="a saved model in place of the embedded one")
    command.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1, mps (default: the best there is)")
    command.add_argument("--matte", **matte, help="rembg model for pictures without transparency or mask: %(choices)s")

    command = commands.add_parser("segment", help="cut a character out of a picture")
    command.set_defaults(command=segment)
    command.add_argument("picture", type=Path, metavar="IN")
    command.add_argument("out", type=Path, metavar="OUT", help="a .png file, its alpha the mask")
    command.add_argument("--mask", type=Path, help="a hand-made mask, white where the character is")
    command.add_argument("--model", **matte, help="rembg model: %(choices)s")
    return top


def between(kind: Callable[[str], float], low: float, high: float) -> Callable[[str], float]:
    """An argparse type: a number of `kind` within [low, high]."""
    noun = "a whole number" if kind is int else "a number"

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not {noun} between {low} and {high}")
        return value

    return read


def render(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    script = load_script(arguments.script)
    numbers = panel_numbers(arguments.panels, len(script.panels))
    subjects = cut_out(script, numbers, Segmenter(arguments.matte))
    engine = backend.load(arguments.backend, model=arguments.model, device=arguments.device)
    asked = {name: getattr(arguments, name) for name in ("seed", "steps", "guidance")}
    settings = replace(engine.defaults, **{name: value for name, value in asked.items() if value is not None})
    story = Story(script, subjects, settings)
    bar = tqdm(total=len(numbers) * settings.steps, unit="step", disable=None)
    with bar, closing(Renderer(engine).render(story, arguments.out, numbers)) as events:
        for event in events:
            bar.set_description(f"panel {event.panel}, step {event.step.index} of {event.step.total}")
            bar.update(settings.steps if event.reused else 1)
            if event.step.frame:
                tqdm.write(f"panel {event.panel}: {'unchanged' if event.reused else 'rendered'}")
    print(f"The frames are in {arguments.out / 'frames'}")


def panel_numbers(text: str | None, total: int) -> list[int]:
    """The panels of `2,4-6`, in order and each once; all of `total` for None."""
    numbers: set[int] = set()
    for part in (f"1-{total}" if text is None else text).split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part)
        if not match:
            raise UsageError(f"--panels takes numbers and ranges such as 2,4-6, not {text!r}.")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= total:
            raise UsageError(f"--panels {text} does not fit: the script has panels 1 to {total}.")
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def cut_out(script: Script, numbers: Sequence[int], segmenter: Segmenter) -> tuple[Subject, ...]:
    """The cast with its pictures. A member without one is left out; no panel of `numbers` may need it."""
    needed = {name for number in numbers for name in script.panels[number - 1].cast}
    for member in script.cast:
        if member.image is None and member.name in needed:
            raise UsageError(f"{member.name} has no picture; add `image: FILE` to {member.name} in the script's cast.")
    return tuple(
        segmenter.subject(member.name, member.image, member.mask, member.description)
        for member in script.cast
        if member.image is not None
    )


def segment(arguments: argparse.Namespace) -> None:
    if arguments.out.suffix.lower() != ".png":
        raise UsageError(f"{arguments.out} must end in .png: only PNG keeps the cut-out's transparency.")
    if arguments.out.resolve() == arguments.picture.resolve():
        raise UsageError(f"{arguments.out} is the picture itself; give the cut-out another name.")
    subject = Segmenter(arguments.model).subject(arguments.picture.stem, arguments.picture, arguments.mask)
    write_atomic({arguments.out: png(cutout(subject))})
    print(f"The cut-out is in {arguments.out}")


if __name__ == "__main__":
    sys.exit(main())
