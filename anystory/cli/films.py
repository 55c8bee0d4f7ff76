"""Commands for who goes on with a story elsewhere: `storyboard` sheets, a `film`, a `webtoon`, a frame's `layers`."""

from __future__ import annotations

import argparse

from anystory.cli.report import Report
from anystory.cli.usage import UsageError
from anystory.pages.balloons import Lettering
from anystory.pages.export import write, write_webtoon
from anystory.pages.form import Format
from anystory.pages.layers import ENDINGS
from anystory.pages.layout import Pages
from anystory.pages.storyboard import SheetForm, Sheets
from anystory.pages.webtoon import StripForm
from anystory.project.folder import Project
from anystory.render.film import Film, FilmForm, write_film
from anystory.render.layers import write_layers


def storyboard(arguments: argparse.Namespace, report: Report) -> None:
    form = SheetForm.of(arguments.grid, arguments.size, arguments.dpi, arguments.date, arguments.font)
    for warning in write(Sheets(Project(arguments.folder), form), arguments.out):
        report.note(warning)
    report.tell("written", f"The storyboard is in {arguments.out}", file=str(arguments.out))


def film(arguments: argparse.Namespace, report: Report) -> None:
    lettering = Lettering("none", "none") if arguments.wordless else Lettering(font=arguments.font)
    form = FilmForm(arguments.size, arguments.rate, arguments.fade, not arguments.still, lettering)
    made = Film(Project(arguments.folder), form, arguments.out.suffix.lower())
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        share = 10 * done // total
        if share > told:
            told = share
            report.tell("film", f"{10 * share} % of {made.seconds:g} s", done=done, total=total)

    write_film(made, arguments.out, tell)
    for note in made.notes:
        report.note(note)
    report.tell("written", f"The film is in {arguments.out}", file=str(arguments.out), seconds=made.seconds)


def webtoon(arguments: argparse.Namespace, report: Report) -> None:
    lettering = Lettering(arguments.captions, arguments.dialogue, font=arguments.font)
    pages = Pages(Project(arguments.folder), Format("frames", lettering=lettering))
    for warning in write_webtoon(pages, StripForm(gutter=arguments.gap, lettering=lettering), arguments.out):
        report.note(warning)
    report.tell("written", f"The slices are in {arguments.out}", file=str(arguments.out))


def layers(arguments: argparse.Namespace, report: Report) -> None:
    if arguments.out.suffix.lower() not in ENDINGS:
        raise UsageError(f"{arguments.out} must end in {' or '.join(ENDINGS)}.")
    count, warnings = write_layers(
        Project(arguments.folder), arguments.panel, arguments.out, Lettering(font=arguments.font)
    )
    for warning in warnings:
        report.note(warning)
    report.tell("written", f"{count} layers are in {arguments.out}", file=str(arguments.out), layers=count)
