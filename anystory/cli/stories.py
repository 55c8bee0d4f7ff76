"""Commands for a rendered story: `look` at who is like themselves, `export` it to pages, `pack` and `unpack` a ZIP,
`recover` a story from a frame."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from anystory import heap
from anystory.cast.images import MAX_BYTES
from anystory.cli.report import Report
from anystory.cli.usage import UsageError
from anystory.maps.consistency import consistency
from anystory.pages.balloons import Lettering
from anystory.pages.export import write
from anystory.pages.form import Format
from anystory.pages.layout import Pages
from anystory.pages.paper import paper
from anystory.project.archive import ArchiveError, pack, unpack
from anystory.project.folder import Project, ProjectError, png, write_atomic
from anystory.project.imprint import ImprintError, story_from_png
from anystory.render.print import printer
from anystory.script.exports.files import ENDINGS, exported
from anystory.script.read import load_script
from anystory.script.write import script_yaml


def export_story(arguments: argparse.Namespace, report: Report) -> None:
    if arguments.out.suffix.lower() in ENDINGS:
        for warning in _export_script(arguments.folder, arguments.out):
            report.note(warning)
        report.tell("written", f"The story is in {arguments.out}", file=str(arguments.out))
        return
    if arguments.bleed is not None and not arguments.trim:
        raise UsageError("--bleed is for --trim, which says how large the page is; give both.")
    if arguments.upscale and not arguments.trim:
        raise UsageError("--upscale is for --trim, which says how large the page is; give both.")
    lettering = Lettering(arguments.captions, arguments.dialogue, arguments.direction, arguments.font)
    on = paper(arguments.trim, arguments.bleed) if arguments.trim else None
    project = Project(arguments.folder)
    layout = arguments.pages or project.story().script.pages or Format.layout
    heap.apart()  # pages are made one by one, and hundreds of megabytes for each
    laid = layout, arguments.size, arguments.dpi, arguments.gutter, lettering
    form = Format(*laid, on, arguments.cover, arguments.author, arguments.upscale)
    pages = Pages(project, form, painter=printer(project) if on else None)
    for warning in write(pages, arguments.out, arguments.language):
        report.note(warning)
    if pages.misfits:
        cropped = f"Cropped, as they have not the shape of their cells: {', '.join(map(str, pages.misfits))}"
        report.note(f"{cropped}. To make them anew in it: resume {arguments.folder} --pages {layout}")
    report.tell("written", f"The pages are in {arguments.out}", file=str(arguments.out))


def _export_script(source: Path, out: Path) -> list[str]:
    """Write a rendered story, or a script file, as other programs read it; Storyboarder's with the frames there are.
    Returns a sentence on each frame that cannot be read."""
    project = Project(source) if source.is_dir() or not source.exists() else None
    script = load_script(source) if project is None else project.story().script
    name = out.with_suffix(out.suffix.lower()).name
    pictured = project if name.endswith(".storyboarder") else None
    there, lost = ({}, []) if pictured is None else pictured.frames()
    aspect = next((frame.image.width / frame.image.height for frame in there.values()), 1.0)
    files = exported(script, name, {number: png(frame.image) for number, frame in there.items()}, aspect)
    write_atomic({out if path == name else out.parent / path: data for path, data in files.items()})
    return lost


def look(arguments: argparse.Namespace, report: Report) -> None:
    """How consistent a rendered story is, panel by panel."""
    project = Project(arguments.folder)
    frames, lost = project.frames()
    for sentence in lost:
        report.note(sentence)
    found = consistency(project.story(), frames)
    if not found.names:
        raise ProjectError(f"{arguments.folder} has no frame with a character in it yet; render the story first.")
    for number, looks in found.panels.items():
        said = ", ".join(
            f"{one.name} is not there"
            if one.likeness is None
            else f"{one.name} {one.likeness:.2f} (copied {one.copied:.2f})"
            for one in looks
        )
        report.tell("look", f"panel {number}: {said or 'nobody'}", panel=number, looks=[asdict(one) for one in looks])
    means = ", ".join(f"{name} {found.of_subject(name).likeness:.2f}" for name in found.names)
    words = f"The story: {found.likeness:.2f} ({means}); the weakest is panel {found.weakest}."
    report.tell("consistency", words, **found.as_data())


def pack_story(arguments: argparse.Namespace, report: Report) -> None:
    if arguments.out.suffix.lower() != ".zip":
        raise ArchiveError(f"{arguments.out} must end in .zip.")
    pack(arguments.folder, arguments.out)
    report.tell("written", f"The story is in {arguments.out}", file=str(arguments.out))


def unpack_story(arguments: argparse.Namespace, report: Report) -> None:
    for note in unpack(arguments.file, arguments.out).notes:
        report.note(note)
    report.tell("written", f"The story is in {arguments.out}", file=str(arguments.out))


def recover(arguments: argparse.Namespace, report: Report) -> None:
    if arguments.out.suffix.lower() not in (".yaml", ".yml"):
        raise ImprintError(f"{arguments.out} must end in .yaml.")
    try:
        with arguments.frame.open("rb") as file:
            story = story_from_png(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise ImprintError(f"{arguments.frame} cannot be read ({error.strerror}).") from error
    text = script_yaml(story.script)
    write_atomic({arguments.out: text.encode()})
    for note in story.notes:
        report.note(note)
    for name in story.missing:
        report.note(f"{name} needs its picture again: write `image: FILE` in the cast.")
    s = story.settings
    words = (
        f"The script is in {arguments.out}; the frame is panel {story.panel}, made with {story.backend}: "
        f"--seed {s.seed} --steps {s.steps} --guidance {s.guidance:g}"
    )
    report.tell("written", words, file=str(arguments.out), panel=story.panel, **asdict(s))
