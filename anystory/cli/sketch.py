"""`sketch`: what every panel will show, as pictures, maps of who is where, and JSON for other programs."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np

from anystory.api import asked_settings, cut_out, filled_script, with_frames
from anystory.backends.storybook import StorybookBackend
from anystory.cli.pictures import segmenter_named
from anystory.cli.render import how_drawn, refuse_unseen
from anystory.cli.report import Report
from anystory.cli.usage import UsageError, panel_numbers
from anystory.project.folder import packed_maps, png, write_atomic
from anystory.render.portraits import draw_cast, with_drawn
from anystory.render.session import Renderer, chosen_panels
from anystory.sketch.compose import Sketch
from anystory.sketch.cutout import prepare
from anystory.sketch.sketcher import sketch as put_together
from anystory.sketch.staging import Placed, PlacedMark, Staging
from anystory.story.model import BACKGROUND, MADE, SEEN, RoutingMaps, Story
from anystory.story.shot import Role, Shot, Thing


def sketch(arguments: argparse.Namespace, report: Report) -> None:
    """The same pictures as storybook's frames, with what was read of each line."""
    script, backend = filled_script(arguments.script, arguments.seed or 0), StorybookBackend()
    numbers = panel_numbers(arguments.panels, len(script.panels))
    refuse_unseen(script, numbers, backend.about.name)
    settings = asked_settings(backend, seed=arguments.seed)
    if arguments.size or arguments.shape or arguments.pages:
        script = replace(script, panels=tuple(replace(panel, size=None, shape="") for panel in script.panels))
    script = with_frames(script, arguments.size, arguments.shape, arguments.pages)
    segmenter = segmenter_named(script.segmenter, report)
    story = Story(script, cut_out(script, segmenter), settings)
    chosen_panels(story, numbers, backend)
    drawn = [event.subject for event in draw_cast(story, backend, segmenter, panels=numbers) if event.subject]
    for index, subject in enumerate(drawn):
        words = f"{subject.name}: {how_drawn(subject, drawn[:index])}"
        report.tell("drawn", words, folder=str(arguments.out), name=subject.name, reused=False)
    story = with_drawn(story, drawn)
    asked = Renderer(backend).asked(story)
    cutouts = {subject.name: prepare(subject) for subject in story.subjects}
    folder = arguments.out / "sketches"
    for number in numbers:
        wanted = asked[number - 1]
        if wanted is None or wanted.request.prompt.shot is None:
            raise UsageError(f"Somebody in panel {number} has no picture; add one, or a description.")
        request, key = wanted.request, wanted.key
        shot = wanted.request.prompt.shot
        made = put_together(
            shot,
            [cutouts[role.name] for role in shot.roles],
            **request.settings.size._asdict(),
            seed=request.seed,
            story_seed=settings.seed,
            layout=request.steering.layout,
        )
        told = told_of(number, script.panels[number - 1].prompt, made)
        files = {
            ".json": json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n",
            "-maps.npz": packed_maps(maps_of(made), key),
            ".png": png(made.image, {"key": key, "seed": str(request.seed), "made": MADE[SEEN]}),
        }
        write_atomic({folder / f"{number:03d}{end}": data for end, data in files.items()})
        file = folder / f"{number:03d}.png"
        words, notes = _words(number, shot, made), list(made.notes)
        report.tell("sketch", words, folder=str(arguments.out), file=str(file), notes=notes, **told)
    report.tell("finished", f"The sketches are in {folder}", folder=str(arguments.out), panels=numbers)


def maps_of(made: Sketch) -> RoutingMaps:
    """Who is where in a sketch, pixel by pixel."""
    nobody = ~made.masks.any(axis=0, keepdims=True)
    names = tuple(role.name for role in made.shot.roles)
    return RoutingMaps((*names, BACKGROUND), np.concatenate([made.masks, nobody]).astype(np.float32), SEEN)


def told_of(number: int, prompt: str, made: Sketch) -> dict[str, Any]:
    """What panel `number` shows, as data for other programs: its form is fixed (docs/program.md). Boxes are shares of
    the frame, None for what is not drawn."""
    shot = made.shot
    return {
        "panel": number,
        "prompt": prompt,
        "place": shot.place,
        "setting": shot.setting,
        "time": shot.time,
        "weather": shot.weather,
        "medium": shot.medium,
        "shot": shot.framing or "medium",
        "carried": list(shot.carried),
        "guessed": list(shot.guessed),
        "unread": list(shot.unread),
        "cast": [_role(*each) for each in zip(shot.roles, made.staging.placed, strict=True)],
        "things": [_thing(*each, made.staging) for each in enumerate(shot.things)],
        "marks": [_mark(mark) for mark in made.staging.marks],
    }


def _role(role: Role, placed: Placed) -> dict[str, Any]:
    return {
        "name": role.name,
        "action": role.action,
        "where": role.where,
        "size": role.size,
        "box": [round(edge, 4) for edge in placed.box],
        "facing": placed.facing,
        "holds": role.holds,
        "behind": ", ".join(role.targets) if role.relation == "behind" else "",
    }


def _thing(number: int, thing: Thing, staging: Staging) -> dict[str, Any]:
    """A thing with the box around all that is drawn of it."""
    placed = [one for one in staging.things if one.thing == number]
    boxes = list(zip(*(one.box for one in placed), strict=True))
    box = [min(boxes[0]), min(boxes[1]), max(boxes[2]), max(boxes[3])] if boxes else None
    return {
        "concept": thing.concept,
        "box": box and [round(edge, 4) for edge in box],
        "held_by": next((one.held_by for one in placed if one.held_by), thing.held_by),
    }


def _mark(mark: PlacedMark) -> dict[str, Any]:
    return {"mark": mark.name, "of": mark.owner, "box": [round(edge, 4) for edge in mark.box]}


def _words(number: int, shot: Shot, made: Sketch) -> str:
    """A line on what was read, with what was only guessed and what was not understood."""
    what = ", ".join(filter(None, (shot.setting or "a plain ground", shot.time, shot.weather)))
    who = ", ".join(f"{role.name} {role.action}" for role in shot.roles) or "nobody"
    said = [f"panel {number}: {what}; {who}."]
    said += [f"Guessed: {', '.join(shot.guessed)}."] if shot.guessed else []
    said += [f"Not understood: {', '.join(shot.unread)}."] if shot.unread else []
    return " ".join([*said, *made.notes])
