"""`info`: what is installed, or what a story's folder or a frame holds. `completion`: what a shell needs."""

from __future__ import annotations

import argparse
import io
import platform
from collections.abc import Collection, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from PIL import Image

from anystory.backends.base import BACKENDS, MODELS, STORYBOOK
from anystory.cast.images import MAX_BYTES
from anystory.cast.segment import MODELS as SEGMENTERS
from anystory.cast.segment import is_here
from anystory.cli.report import Report
from anystory.cli.usage import UsageError
from anystory.maps.diagnosis import diagnose
from anystory.project.folder import Project, left_out
from anystory.project.imprint import story_from_png
from anystory.story.model import MADE, SEEN
from anystory.story.size import Size
from anystory.supplies import ASSETS

PACKAGES = ("torch", "diffusers", "transformers", "gradio", "rembg", "ray")


def info(arguments: argparse.Namespace, report: Report) -> None:
    what = arguments.what
    if what is None:
        _installation(report)
    elif what.is_dir():
        _folder(what, report)
    elif what.suffix.lower() == ".png":
        _frame(what, report)
    else:
        raise UsageError(f"{what} is neither a story's folder nor a frame's PNG; check tells of scripts.")


def _installation(report: Report) -> None:
    from anystory.backends.models import choose_device

    packages = {name: _version(name) for name in PACKAGES}
    device, dtype = choose_device()
    here = [name for name in SEGMENTERS if is_here(name)]
    words = [
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        *(f"{name} {number or 'is not installed'}" for name, number in packages.items()),
        f"device: {device} ({str(dtype).removeprefix('torch.')})",
        f"backends: {', '.join(BACKENDS)}; {MODELS[0]} is {'here' if _embedded() else 'missing in assets/'}",
        f"cutting out: {', '.join(here)}; segment --list tells of more",
    ]
    system: dict[str, Any] = {"python": platform.python_version(), "packages": packages, "device": device}
    report.tell("installation", "\n".join(words), **system, backends=list(BACKENDS), segmenters=here)


def _embedded() -> bool:
    return (ASSETS / MODELS[0] / "model_index.json").is_file()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _folder(folder: Path, report: Report) -> None:
    project = Project(folder)
    story, (name, number) = project.story(), project.made_with
    cast = [member.name for member in story.script.cast]
    settings = story.settings.written
    lost = project.unreadable()
    makers = dict.fromkeys(project.maker(n) for n in project.entries if n not in lost) or [project.made_with]
    words = [
        f"{story.script.title or 'A story without a title'}: {len(story.script.panels)} panels, "
        f"{len(project.entries) - len(lost)} with a frame, by {' and '.join(_maker(*maker) for maker in makers)}",
        f"cast: {', '.join(cast) or 'nobody'}",
        ", ".join(f"{key} {value}" for key, value in settings.items()),
    ]
    what: dict[str, Any] = {"title": story.script.title, "cast": cast, "settings": settings}
    report.tell("story", "\n".join(words), folder=str(folder), **what, backend=name, version=number)
    for error in lost.values():
        report.note(left_out(error))
    for panel in _panels(project, [panel.prompt for panel in story.script.panels], lost):
        how = ", ".join(filter(None, (f"size {panel['size']}", f"seed {panel['seed']}", panel["made"])))
        made = f"{how}. {panel['message']}" if panel["file"] else "no frame yet."
        report.tell("panel", f"panel {panel['panel']}: {panel['prompt']}\n    {made}", folder=str(folder), **panel)


def _maker(name: str, number: str) -> str:
    return f"{name} {number}{f' ({MADE[SEEN]})' if name == STORYBOOK else ''}"


def _panels(project: Project, prompts: list[str], lost: Collection[int]) -> Iterator[dict[str, Any]]:
    for number, prompt in enumerate(prompts, 1):
        entry = project.entries.get(number) if number not in lost else None
        made: dict[str, Any] = {"file": None, "size": None, "seed": None, "trace": None, "tries": 0}
        made |= {"backend": None, "made": None, "diagnosis": None, "message": None}
        if entry is not None:
            frame = project.frame(number)
            said = diagnose(frame.maps, frame.image)
            trace = entry.trace and str(project.folder / entry.trace)
            made = {"file": str(project.folder / entry.image), "size": Size(*frame.image.size).written}
            made |= {"seed": entry.seed, "trace": trace, "tries": entry.tries}
            made |= {"backend": project.maker(number)[0], "made": frame.made, "diagnosis": said.as_data()}
            made |= {"message": " ".join([said.sentence, *frame.notes])}
        yield {"panel": number, "prompt": prompt, **made}


def _frame(path: Path, report: Report) -> None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error
    story = story_from_png(data)
    panel = story.script.panels[story.panel - 1]
    settings, size = story.settings.written, Size(*Image.open(io.BytesIO(data)).size).written
    words = [
        f"panel {story.panel} of {story.script.title or 'a story without a title'}: {panel.prompt}",
        f"with {', '.join(panel.cast) or 'nobody'}; seed {story.seed}; "
        + ", ".join(filter(None, (f"by {story.backend} {story.version}", story.made))),
        ", ".join(f"{key} {value}" for key, value in {**settings, "size": size}.items()),
        *story.notes,
    ]
    what: dict[str, Any] = {"title": story.script.title, "panel": story.panel, "prompt": panel.prompt}
    made: dict[str, Any] = {
        "cast": list(panel.cast),
        "seed": story.seed,
        "size": size,
        "settings": settings,
        "backend": story.backend,
        "version": story.version,
        "made": story.made,
    }
    report.tell("frame", "\n".join(words), file=str(path), **what, **made, notes=list(story.notes))


def completion(top: argparse.ArgumentParser, arguments: argparse.Namespace, report: Report) -> None:
    """Print what a shell needs to complete the commands of `top`."""
    import shtab

    for command in _parsers(top):
        for action in command._actions:
            if action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
    script = shtab.complete(top, arguments.shell)
    report.tell("completion", script.rstrip("\n"), shell=arguments.shell, script=script)


def _parsers(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()
