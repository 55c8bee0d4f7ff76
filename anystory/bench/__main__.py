"""`python -m anystory.bench flux --out DIR`: times, counts, distances and memory plans, as JSON and a chart.

With a GPU everything runs at full size; without one the times are of a small model and the counts of the full one.
`busy` is what mini does beside other programs, `klein` counts what maps cost FLUX.2 [klein], `world` times the
training's frames, `plans` prints the memory plans and `plans --check` walks them, `sketch` says what storybook costs,
`reading` how well the sketch reads lines, `sheets` draws the sheets of docs/sketch.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from anystory.bench import busy, paper
from anystory.bench import klein as kleins
from anystory.bench import reading as readings
from anystory.bench import sheets as contacts
from anystory.bench import sketch as sketches
from anystory.bench import world as worlds
from anystory.bench.chart import chart
from anystory.bench.flux import bench
from anystory.bench.walk import walks
from anystory.cli.usage import Parser
from anystory.errors import AnyStoryError
from anystory.model.flux.plans import release_footprint, table

READINGS = tuple(
    Path(f"tests/data/{name}.yaml") for name in ("readings", "readings2", "readings3", "readings4", "readings5")
)
"""The labelled lines, seen from the root of the repository."""

SHEETS = Path("docs/sketch")
"""The sheets of the documentation and the pictures they are made of."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one bench; returns its exit status."""
    parser = Parser(prog="anystory.bench", description="How fast frames are made, and in how much.")
    commands = parser.add_subparsers(required=True, metavar="BENCH")
    command = commands.add_parser("flux", help="the authors' model, against their way of running it")
    command.add_argument("--out", type=Path, default=Path("bench"), metavar="DIR", help="for flux.json and flux.svg")
    command.add_argument("--device", help="cpu, cuda, cuda:1 (default: the GPU where there is one)")
    command.add_argument("--repeats", type=int, default=3, metavar="N", help="timed runs a mode (%(default)s)")
    command.add_argument("--minutes", type=float, default=8.0, metavar="M", help="how long it may take (%(default)s)")
    command.set_defaults(command=flux)
    command = commands.add_parser("klein", help="what maps cost FLUX.2 [klein], and its memory plans")
    command.set_defaults(command=klein)
    command = commands.add_parser("plans", help="the memory plan for every size of card")
    command.add_argument("--check", action="store_true", help="walk every plan on a simulated card, at small scale")
    command.set_defaults(command=plans)
    command = commands.add_parser("busy", help="a frame of mini beside two busy processes, against alone")
    command.add_argument("--frames", type=int, default=5, metavar="N", help="timed frames each way (%(default)s)")
    command.set_defaults(command=beside)
    command = commands.add_parser("world", help="how fast the frames of the training are composed")
    command.add_argument("--art", type=Path, required=True, help="folder of the training art")
    command.add_argument("--out", type=Path, default=Path("bench"), metavar="DIR", help="for world.json and the cache")
    command.add_argument("--size", type=int, default=256, help="side of a frame in pixels (%(default)s)")
    command.add_argument("--scenes", type=int, default=200, help="painted places to compose before (%(default)s)")
    command.add_argument("--frames", type=int, default=480, help="a run (%(default)s)")
    command.add_argument("--runs", type=int, default=5, help="timed (%(default)s)")
    command.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="(default: one per core)")
    command.set_defaults(command=world)
    command = commands.add_parser("sketch", help="what sketches, storybook's frames and its app cost")
    command.add_argument("--places", type=int, default=1000, metavar="N", help="measured in so many (all)")
    command.set_defaults(command=sketch)
    command = commands.add_parser("reading", help="how well lines are read, by field and language")
    command.add_argument(
        "--labels", type=Path, nargs="+", default=READINGS, metavar="FILE", help="the sets (those of the tests)"
    )
    command.add_argument("--wrong", action="store_true", help="list what is read wrongly too")
    command.set_defaults(command=reading)
    command = commands.add_parser("sheets", help="the contact sheets of docs/sketch.md")
    command.add_argument("--out", type=Path, default=SHEETS, metavar="DIR", help="where they go (%(default)s)")
    command.add_argument(
        "--lines", type=Path, metavar="FILE", help="the panels of this script, each by itself, instead"
    )
    command.add_argument("--cell", type=int, default=contacts.CELL, metavar="PIXELS", help="of a line (%(default)s)")
    command.set_defaults(command=sheets)
    arguments = parser.parse_args(argv)
    return arguments.command(arguments)


def flux(arguments: argparse.Namespace) -> int:
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    figures, picture = arguments.out / "flux.json", arguments.out / "flux.svg"

    def write(report: dict[str, Any]) -> None:
        figures.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        picture.write_text(chart(report), encoding="utf-8")

    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        report = bench(device, max(1, arguments.repeats), arguments.minutes, write=write)
    except OSError as error:
        print(f"anystory.bench: {str(arguments.out)!r} cannot be written ({error.strerror}).", file=sys.stderr)
        return 2
    for check in report["checks"]:
        word = "yes" if check["passed"] else "not reached" if check["aim"] else "NO"
        bounds = f"at most {check['most']:g}" if "most" in check else f"at least {check['least']:g}"
        print(f"{check['what']}: {check['value']:.2g} ({bounds}): {word}")
    failed = [check for check in report["checks"] if not (check["passed"] or check["aim"])]
    print(f"{figures} and {picture} are written, after {report['took'] / 60:.1f} minutes.")
    return 1 if failed or report["errors"] else 0


def klein(arguments: argparse.Namespace) -> int:
    print("\n".join(kleins.report(kleins.counted(), kleins.counted(sketch=True))))
    return 0


def sheets(arguments: argparse.Namespace) -> int:
    of_lines = arguments.lines and contacts.line_sheets(arguments.lines, arguments.out, arguments.cell)
    try:
        for path in of_lines or contacts.sheets(arguments.out, SHEETS):
            print(f"{path}: {path.stat().st_size // 1024} kB")
    except AnyStoryError as error:
        print(f"anystory.bench: {error}", file=sys.stderr)
        return 2
    return 0


def reading(arguments: argparse.Namespace) -> int:
    for labels in arguments.labels:
        try:
            judged = readings.judge(readings.load(labels))
        except OSError as error:
            print(f"anystory.bench: {str(labels)!r} cannot be read ({error.strerror}).", file=sys.stderr)
            return 2
        for one in judged if arguments.wrong else ():
            if not one.right:
                print(f"{one.field}: wanted {one.wanted!r}, got {one.got!r}: {one.text}")
        print(f"{labels.name}\n{readings.table(judged)}\n")
    return 0


def plans(arguments: argparse.Namespace) -> int:
    if not arguments.check:
        print(table(release_footprint()))
        return 0
    failed = False
    for walk in chain(walks(), kleins.walks(), paper.walks()):
        print(walk, flush=True)
        failed |= not walk.passed
    return int(failed)


def sketch(arguments: argparse.Namespace) -> int:
    try:
        figures = sketches.bench(max(1, arguments.places), partial(print, flush=True))
    except OSError as error:
        print(f"anystory.bench: {error}", file=sys.stderr)
        return 2
    return int(any(figure.value > figure.most for figure in figures))


def beside(arguments: argparse.Namespace) -> int:
    found = busy.bench(max(1, arguments.frames))
    print(found)
    return int(not found.passed)


def world(arguments: argparse.Namespace) -> int:
    options = arguments
    setting = worlds.Setting(options.art, options.out / "cache", options.size, options.scenes)
    try:
        figures = worlds.bench(setting, max(1, options.frames), max(1, options.processes), max(1, options.runs))
    except (OSError, ValueError) as error:
        print(f"anystory.bench: {error}", file=sys.stderr)
        return 2
    told = {"size": options.size, "processes": options.processes}
    told |= {what: figure.as_data() for what, figure in figures.items()}
    (options.out / "world.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
