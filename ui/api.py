"""What programs may ask of the app (`gradio_client`, HTTP, MCP): the same cut-outs, checks and renders as the page's,
in the same queue and with the same limits. Gradio reads the types and the docstrings: they are what callers are told.
"""

# No `from __future__ import annotations`: Gradio wants to see the types that a function returns.
import json
import math
import traceback
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import ssrf_protected_download
from gradio.utils import get_upload_folder
from typing_extensions import TypedDict

from anystory.api import with_frames
from anystory.cast.images import ImageError
from anystory.cast.masks import hints
from anystory.cast.segment import Segmenter
from anystory.errors import AnyStoryError, Message
from anystory.pages.export import write
from anystory.pages.form import MAX_DPI, MIN_DPI, Format
from anystory.pages.layout import Pages
from anystory.project.archive import pack, unpack
from anystory.project.folder import Project, png, write_atomic
from anystory.project.folder import cutout as cut_out
from anystory.render.print import printer
from anystory.script.form import MAX_CAST
from anystory.story.model import BOUNDS, CastMember
from anystory.story.names import folded
from ui import book, cast
from ui import export as others
from ui.gate import address
from ui.limits import LimitError
from ui.parts import Parts
from ui.running import MAX_QUEUE, PROGRAMS, RunError, reason
from ui.script import ScriptReading, read
from ui.studio import Job, Moment, slug
from ui.uploads import uploaded
from ui.words import words

FILES = ", ".join(("pdf", "cbz", "epub", "zip", *others.KINDS))
"""What files of a story there are."""


class CallError(AnyStoryError):
    """A value of a call does not fit."""


class Found(TypedDict):
    """Something found in a script; `line` and `column` count from 1, `fix` is what to write instead, "" = unknown."""

    line: int
    column: int
    severity: str
    code: str
    message: str
    fix: str


class State(TypedDict):
    """How a render stands: what is done in words, the `share` (0 to 1) of all, the panel at work (from 1, 0 = none),
    the place in the queue (0 = at work), the seconds still to come (-1 = unknown), what was found in the script."""

    message: str
    share: float
    panel: int
    place: int
    seconds: float
    found: list[Found]


def wire(parts: Parts) -> None:
    """The endpoints /cutout, /check, /render and /export."""
    studio, visitors = parts.studio, parts.visitors

    def cutout(request: gr.Request, picture: FileData) -> tuple[FileData, list[str]]:
        """Cut the character out of a picture.

        Args:
            picture: a picture of one character

        Returns:
            The picture with everything but the character transparent (PNG), and sentences on what may be wrong with it.
        """
        with _sentences(request):
            (path,) = _files(parts, request, [picture])
            subject = Segmenter().subject(cast.name_from_file(path), path)
        file = _own_place() / f"{slug(subject.name)}.png"
        write_atomic({file: png(cut_out(subject))})
        return _served(file), list(map(words(request), hints(subject.mask)))

    def check(
        request: gr.Request,
        script: str,
        names: list[str] = [],  # noqa: B006  which Gradio shows to callers
    ) -> list[Found]:
        """Say what is wrong with a script.

        Args:
            script: a line per panel, as in "Mia walks home  # A caption", or YAML
            names: the characters who have pictures

        Returns:
            What was found, with place and severity (error, warning, note). Without errors it can be rendered.
        """
        with _sentences(request):
            present = [cast.spelt(name) for name in _list("names", names)]
            members = [CastMember(name) for name in present]
            backend = studio.backends.loaded(studio.backends.first)
            reading = read(str(script), "", None, members, present, backend, studio.styles)
        return _found(reading, present, words(request))

    def render(  # type: ignore[misc]
        request: gr.Request,
        script: str,
        pictures: list[FileData] = [],  # noqa: B006
        names: list[str] = [],  # noqa: B006
        descriptions: list[str] = [],  # noqa: B006
        title: str = "",
        style: str = "",
        seed: int = 0,
        steps: int = 0,
        guidance: float = -1,
        panels: list[int] = [],  # noqa: B006
        size: str = "",
        shape: str = "",
        pages: str = "",
        backend: str = "",
    ) -> tuple[State, list[FileData], FileData | None]:  # which it yields; Gradio cannot read Iterator[…]
        """Render a story: a picture for every line of a script, in which each character stays itself.

        Args:
            script: a line per panel, with the characters' names in it, as in "Mia walks home", or YAML
            pictures: one picture per character
            names: the characters' names, in the order of the pictures; without them, the names of the files
            descriptions: a few words on each, in that order; a model draws those who have words and no picture
            title: the story's title
            style: a preset's name or own words
            seed: the story's seed; the same story and seed give the same frames
            steps: denoising steps of a model, 0 = what it was made for
            guidance: how closely the words are followed, of a model, -1 = what it was made for
            panels: the panels to make, from 1; [] = all
            size: of the frames in pixels, "512" for squares or "1344x768"; "" = what the script or the model has
            shape: of the frames, 21:9, 16:9, 3:2, 4:3, 1:1, 3:4, 2:3 or 9:16; "" = what the script or the model has
            pages: a layout of pages whose cells the frames are to fit, such as "manga"; "" = none
            backend: what draws the frames, of those that the page offers; "" = what it starts with

        Returns:
            How it stands, the frames there are (PNG) and at the end the whole story as a ZIP, which the app opens.
        """
        with _sentences(request), ExitStack() as stack:
            stack.callback(visitors.shares.take(address(request), PROGRAMS))
            began, session = studio.listeners.now(), request.session_hash
            visitor = visitors[request.session_hash]
            drawn_by = str(backend) or studio.backends.first
            engine = studio.backends[drawn_by]
            paths = _files(parts, request, _list("pictures", pictures))
            present = _cast(paths, _list("names", names), _list("descriptions", descriptions))
            subjects, written = cast.subjects(present), (str(script), str(title), str(style))
            pictured = [subject.name for subject in subjects]
            reading = read(*written, cast.members(present), pictured, engine, studio.styles)
            say = words(request)
            if reading.script is None or reading.errors:
                raise gr.Error(" ".join(say(found.message) for found in reading.errors), print_exception=False)
            found = _found(reading, [actor.name for actor in present], say)
            if len(studio.turns) >= MAX_QUEUE:
                raise LimitError("limit.busy")
            framed = with_frames(reading.script, str(size) or None, str(shape), str(pages))
            job = Job(
                script=replace(framed, segmenter=Segmenter().model),
                subjects=subjects,
                visit=studio.visit(),
                seed=_number("seed", seed, int, *BOUNDS["seed"]),
                backend=drawn_by,
                steps=_number("steps", steps, int, 0, BOUNDS["steps"][1]) or None,
                guidance=None if guidance == -1 else _number("guidance", guidance, float, *BOUNDS["guidance"]),
                panels=tuple(
                    _number("panels", number, int, 1, len(reading.script.panels)) for number in _list("panels", panels)
                )
                or None,
            )
            try:
                with closing(studio.render(job, allowance=visitor.allowance)) as moments:
                    for moment in moments:
                        if session and studio.listeners.abandoned(session, began):
                            return
                        yield _state(moment, found), [_served(item.file) for item in moment.shown or ()], None
                story = job.visit.files / f"{slug(job.script.title)}.zip"
                pack(job.visit.story, story)
                yield _state(moment, found), [_served(item.file) for item in moment.shown or ()], _served(story)
            finally:
                studio.leave(job.visit)
                if math.isfinite(studio.stories.days):  # nobody has the key that would open it again
                    studio.stories.forget(job.visit.key)

    def export(
        request: gr.Request,
        story: FileData,
        kind: str = "pdf",
        pages: str = "",
        captions: str = "box",
        dialogue: str = "balloons",
        trim: str = "",
        bleed: float = -1,
        dpi: int = 150,
        cover: int = 0,
        author: str = "",
        direction: str = "",
        language: str = "",
        grid: str = "2x3",
        panel: int = 1,
        upscale: bool = False,
    ) -> tuple[FileData, list[str]]:
        """Make a file of a rendered story: a lettered book to print or to read on a screen, pictures, a storyboard, a
        webtoon, a film, or the layers of a frame of storybook's.

        Args:
            story: the ZIP that render gave
            kind: pdf, cbz, epub or zip (of PNG files); storyboard (PDF), webtoon (ZIP), webp or mp4 (films), ora or
                psd (layers)
            pages: the layout, such as 2x2, manga, full or facing; "" = the story's own
            captions: box, below or none
            dialogue: balloons, below or none
            trim: paper such as kdp-8.5x8.5 or a4, or the measures of a cut page, 8.5x8.5 (inches) or 21x21cm; "" = none
            bleed: inches beyond the cut, -1 = what the paper asks for
            dpi: dots per inch
            cover: the panel whose picture is on the cover, 0 = no cover
            author: who made the book
            direction: ltr or rtl, "" = as the words run
            language: the code of the words' language, "" = as their letters tell
            grid: columns and rows of a storyboard's page
            panel: the panel whose frame's layers are asked for, from 1
            upscale: with trim, enlarge frames with too few dots by a small network, which keeps outlines sharp

        Returns:
            The file, and sentences on what did not fit or is missing.
        """
        with _sentences(request), TemporaryDirectory() as folder:
            if kind not in FILES.split(", "):
                raise CallError(
                    Message("There is no kind of file {kind}; choose one of {kinds}.", kind=repr(kind), kinds=FILES)
                )
            (path,) = _files(parts, request, [story])
            unpack(path, Path(folder) / "story")
            project = Project(Path(folder) / "story")
            script = project.story().script
            if bleed != -1 and not str(trim).strip():
                raise CallError(Message("A bleed is for a trim, which says how large the page is; give both."))
            own = "" if bleed == -1 else str(_number("bleed", bleed, float, 0, 1))
            front = str(_number("cover", cover, int, 0, len(script.panels)))
            number = _number("panel", panel, int, 1, len(script.panels))
            dots = _number("dpi", dpi, int, MIN_DPI, MAX_DPI)
            layout, gap = str(pages) or script.pages or Format.layout, Format.gutter
            how = book.form(layout, "", gap, captions, dialogue, trim, own, front, author, direction, None, dots)
            how = replace(how, upscale=bool(upscale))
            made = Pages(project, how, painter=printer(project) if how.paper else None)
            if kind in others.KINDS:
                file = _own_place() / f"{slug(script.title)}{others.ending(kind, number)}"
                told = others.save(made, kind, file, str(grid), number)
            else:
                file = _own_place() / f"{slug(script.title)}.{kind}"
                told = write(made, file, str(language))
        say = words(request)
        return _served(file), [say(sentence) for sentence in told]

    for endpoint, limit in ((cutout, 8), (check, 8), (render, MAX_QUEUE), (export, 2)):
        gr.api(endpoint, concurrency_limit=limit)


@contextmanager
def _sentences(request: gr.Request) -> Iterator[None]:
    """What is wrong with what was asked, as callers are told it, in their language where they name one."""
    try:
        yield
    except AnyStoryError as error:
        raise gr.Error(words(request)(error), print_exception=False) from error
    except gr.Error:
        raise
    except Exception as error:  # of the model or the machine: Gradio would say nothing at all
        traceback.print_exc()
        failed = RunError("frames.failed", reason=reason(error))
        raise gr.Error(words(request)(failed), print_exception=False) from error


def _files(parts: Parts, request: gr.Request, pictures: Iterable[object]) -> list[str]:
    """Where uploaded pictures are. Raises ImageError, gr.Error beyond the visitor's limits."""
    paths = uploaded([_path(picture) for picture in pictures])
    if refused := parts.visitors.refusal(request, paths):
        raise gr.Error(refused, print_exception=False)
    return paths


def _path(picture: object) -> str | None:
    """Where one is. Those in a list come from MCP as strings, of which Gradio takes care elsewhere only: the address of
    an uploaded file, that of one to be fetched, or the data itself. Raises ImageError."""
    if not isinstance(picture, str):
        return picture.get("path") if isinstance(picture, dict) else None
    address, here, path = picture.partition("/gradio_api/file=")
    if here:
        return unquote(path)
    try:
        if address.startswith("data:"):
            return str(_decoded(address))
        if address.startswith(("http://", "https://")):
            return ssrf_protected_download(address, get_upload_folder())
    except Exception as error:  # of the network, or whatever the data are
        said = Message("The picture {address} cannot be fetched; give another.", address=repr(address[:80]))
        raise ImageError(said) from error
    return None


def _decoded(address: str) -> Path:
    """The picture of a `data:` address as a file. Raises ValueError for what is none."""
    data = b64decode(address.partition(",")[2], validate=True)
    if not data:
        raise ValueError("no data")
    file = _own_place() / "picture"
    write_atomic({file: data})
    return file


def _own_place() -> Path:
    """A folder for one file that Gradio hands out: nobody else writes to it."""
    return Path(get_upload_folder()) / token_urlsafe(16)


def _cast(paths: list[str], names: list[str], descriptions: list[str]) -> tuple[cast.Actor, ...]:
    """The characters, those with pictures first. Raises ImageError, SegmentError, CallError for too many."""
    count = max(len(paths), len(names), len(descriptions))
    if count > MAX_CAST:
        raise CallError(
            Message("There are {count} characters; a story has at most {most}.", count=count, most=MAX_CAST)
        )
    told = [cast.spelt(name) for name in names]
    told += [cast.name_from_file(path) for path in paths[len(told) :]]
    told += [f"Character {number}" for number in range(len(told) + 1, count + 1)]
    said = [str(text)[: cast.MAX_WORDS] for text in descriptions] + [""] * (count - len(descriptions))
    segmenter = Segmenter()
    pictured = [cast.pictured(n, p, None, segmenter, d) for n, p, d in zip(told, paths, said, strict=False)]
    return (*pictured, *(cast.Actor(n, d) for n, d in list(zip(told, said, strict=True))[len(paths) :]))


def _list(name: str, value: Any) -> list[Any]:
    """A list that a caller gave. Raises CallError."""
    if not isinstance(value, list):
        shown = json.dumps(value)[:40]
        raise CallError(Message("The value of {name} is {value}; it must be a list.", name=name, value=shown))
    return value


def _number(name: str, value: Any, kind: Callable[[Any], Any], low: int, high: int) -> Any:
    """A number that a caller gave. Raises CallError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not low <= value <= high
        or kind(value) != value
    ):
        kinds = Message("a whole number" if kind is int else "a number")
        raise CallError(
            Message(
                "The value of {name} is {value}; it must be {kinds} from {low} to {high}.",
                name=name,
                value=json.dumps(value)[:40],
                kinds=kinds,
                low=low,
                high=high,
            )
        )
    return kind(value)


def _found(reading: ScriptReading, names: Sequence[str], say: Callable[..., str]) -> list[Found]:
    """What was found in a script, and those of the `names` that were given with it who are in none of its panels."""
    there = {folded(name) for panel in (reading.script.panels if reading.script else ()) for name in panel.cast}
    there |= {folded(one.fix) for one in reading.findings if one.fix and one.code == "unknown-name"}  # told already
    absent = [name for name in names if reading.script and folded(name) not in there]
    told = [(one.line, one.column, one.severity, one.code, one.message, one.fix or "") for one in reading.findings]
    for name in absent:
        message = Message("{name} is in no panel; write the name in a line, or leave the character out.", name=name)
        told.append((1, 1, "warning", "unknown-name", message, ""))
    return [
        Found(line=line, column=column, severity=severity, code=code, message=say(message), fix=fix)
        for line, column, severity, code, message, fix in told
    ]


def _state(moment: Moment, found: list[Found]) -> State:
    left = -1.0 if moment.left is None else round(moment.left, 1)
    return State(
        message=moment.where,
        share=moment.share,
        panel=moment.panel or 0,
        place=moment.place,
        seconds=left,
        found=found,
    )


def _served(file: str | Path) -> Any:
    """A file as Gradio hands it out, the mapping of a `FileData`: it is copied to where callers may read it."""
    return FileData(path=str(file), orig_name=Path(file).name).model_dump()
