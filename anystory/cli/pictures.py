"""`maps`: the routing maps of a story as pictures. `segment`: a character cut out of a picture, or looked for in it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from anystory.backends.base import Locator, agreed
from anystory.backends.load import load as load_backend
from anystory.cast.images import open_image
from anystory.cast.masks import hints
from anystory.cast.segment import MODELS, Segmenter, describe, is_here
from anystory.cli.report import Report
from anystory.cli.usage import UsageError, panel_numbers
from anystory.maps.figures import (
    ANIMATIONS,
    animated,
    animation,
    contact_sheet,
    figure,
    layer_figure,
    unwritable_on_sheet,
)
from anystory.project.folder import Project, cutout, png, write_atomic
from anystory.render.locating import locate
from anystory.story.names import folded
from anystory.typeset import unwritable


def maps(arguments: argparse.Namespace, report: Report) -> None:
    suffix = arguments.out.suffix.lower()
    if suffix != ".png" and suffix not in ANIMATIONS:
        raise UsageError(f"{arguments.out} must end in .png (a sheet), .webp or .gif (an animation).")
    project = Project(arguments.folder)
    script = project.story().script
    cast = [member.name for member in script.cast]
    if arguments.panel is None:
        if suffix != ".png" or arguments.steps or arguments.rows or arguments.layer:
            raise UsageError("A story's contact sheet is a .png; say --panel N for the maps of a frame.")
        if not project.entries:
            raise UsageError(f"{arguments.folder} has no frame yet; render the story first.")
        frames, lost = project.frames()
        for sentence in lost:
            report.note(sentence)
        if not frames:
            raise UsageError(f"No frame in {arguments.folder} can be read; render the story again.")
        data, lacking = png(contact_sheet(script, frames)), unwritable_on_sheet(script, frames)
    else:
        trace = project.trace(arguments.panel)
        lacking = unwritable(" ".join(trace.names))
        steps = arguments.steps and panel_numbers(arguments.steps, trace.total, "--steps", "the frame has steps")
        kinds = trace.kinds if arguments.kind == "both" else (arguments.kind,)
        try:
            if suffix in ANIMATIONS:
                if arguments.rows:
                    raise UsageError("--rows is for sheets; give a .png file.")
                image = project.frame(arguments.panel).image
                data = animated(animation(image, trace, kinds, steps, arguments.layer, cast), suffix)
            elif arguments.layer is not None:
                raise UsageError("--layer is for animations; give a .webp or .gif file.")
            elif arguments.rows == "layers":
                data = png(layer_figure(trace, kinds, steps, cast=cast))
            else:
                data = png(figure(trace, kinds, steps))
        except ValueError as error:  # a step, layer or kind there is not, or too large a sheet
            raise UsageError(str(error)) from error
    write_atomic({arguments.out: data})
    report.tell("written", f"The maps are in {arguments.out}", file=str(arguments.out))
    if lacking:
        report.note(lacking)


def segment(arguments: argparse.Namespace, report: Report) -> None:
    if arguments.list:
        for name, model in MODELS.items():
            report.tell("segmenter", describe(name), name=name, licence=model.licence, here=is_here(name))
        return
    if arguments.by:
        return _segment_by(arguments, report)
    if arguments.picture is None or arguments.out is None:
        raise UsageError("segment takes a picture and the .png file for its cut-out; --list tells the models.")
    if arguments.out.suffix.lower() != ".png":
        raise UsageError(f"{arguments.out} must end in .png: only PNG keeps the cut-out's transparency.")
    if arguments.out.resolve() == arguments.picture.resolve():
        raise UsageError(f"{arguments.out} is the picture itself; give the cut-out another name.")
    segmenter = segmenter_named(arguments.segmenter, report)
    subject = segmenter.subject(arguments.picture.stem, arguments.picture, arguments.mask)
    write_atomic({arguments.out: png(cutout(subject))})
    hinted = hints(subject.mask)
    words = "\n".join([f"The cut-out is in {arguments.out}", *hinted])
    report.tell("written", words, file=str(arguments.out), hints=hinted)


def _segment_by(arguments: argparse.Namespace, report: Report) -> None:
    """A mask for each reference, and the picture with all of them in colour."""
    if arguments.picture is None or arguments.out is None:
        raise UsageError("segment --by takes a picture and the folder for its masks.")
    if arguments.mask:
        raise UsageError("--mask is a mask of the picture itself; with --by the masks are what is looked for.")
    names = [path.stem for path in arguments.by]
    if len({folded(name) for name in names}) < len(names):
        raise UsageError(f"Two references are named alike ({', '.join(names)}); rename one of their files.")
    picture = open_image(arguments.picture)
    segmenter = segmenter_named(arguments.segmenter, report)
    subjects = [segmenter.subject(path.stem, path) for path in arguments.by]
    agree = agreed if arguments.download else report.agree
    engine = load_backend(arguments.backend, model=arguments.model, device=arguments.device, agree=agree)
    if not isinstance(engine, Locator):
        raise UsageError(f"{engine.about.name} cannot look for characters in a picture; take another --backend.")
    found = locate(engine, picture, subjects)
    write_atomic({arguments.out / file: data for file, data in found.files.items()})
    shares = found.shares
    said = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    words = f"The masks are in {arguments.out} ({said} of the picture)"
    report.tell("written", words, folder=str(arguments.out), shares=shares)
    if lacking := unwritable(" ".join(names)):
        report.note(lacking)


def segmenter_named(name: str | None, report: Report) -> Segmenter:
    """A segmenter (None or "" = the default) that shows what it fetches: what it is first, then a bar."""
    chosen, bars = name or next(iter(MODELS)), list[Any]()

    def show(done: int, total: int) -> None:
        if not bars:
            report.tell("fetching", f"Fetching {describe(chosen)}", sys.stderr, name=chosen, bytes=total)
            bars.append(report.bar(total, "B", unit_scale=True))
        bars[0].total = total
        bars[0].update(done - bars[0].n)
        if done >= total:
            bars[0].close()

    return Segmenter(chosen, show)
