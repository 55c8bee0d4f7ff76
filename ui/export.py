"""What a finished story is saved as besides its pages: a storyboard, a webtoon, a film, a frame's layers."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

from anystory.errors import Message
from anystory.pages.balloons import Lettering
from anystory.pages.export import write, write_webtoon
from anystory.pages.layout import Page, Pages
from anystory.pages.storyboard import SheetForm, Sheets
from anystory.pages.webtoon import StripForm, slices
from anystory.render.film import Film, FilmError, FilmForm, write_film
from anystory.render.layers import write_layers
from ui import html
from ui.book import PREVIEW, figure

LAYERS = ("ora", "psd")
KINDS = ("storyboard", "webtoon", "webp", "mp4", *LAYERS)

MAX_SECONDS = 300.0
"""How long a film is at most that is made for somebody on the page: others wait for the machine."""


def ending(kind: str, panel: int = 1) -> str:
    """How the name of a file of `kind` ends, after the story's."""
    if kind in LAYERS:
        return f"-{panel:03d}.{kind}"
    return {"storyboard": "-storyboard.pdf", "webtoon": "-webtoon.zip"}.get(kind, f".{kind}")


def save(
    pages: Pages,
    kind: str,
    target: Path,
    grid: str = "2x3",
    panel: int = 1,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[str, ...]:
    """Write the story of `pages`, with their words and lettering, to a file of a `kind` of `KINDS`: `grid` is a
    storyboard's, the layers are those of the frame of `panel`, in the folder's count, and `tell` hears of a film's
    pictures. Returns a sentence for everything that did not fit. Raises what is in `ui.book.ERRORS`."""
    project, script, how = pages.project, pages.script, _inside(pages.form.lettering)
    if kind == "storyboard":
        return write(Sheets(project, SheetForm.of(grid, font=how.font), script), target)
    if kind == "webtoon":
        return write_webtoon(pages, StripForm(lettering=pages.form.lettering), target)
    if kind in LAYERS:
        return write_layers(project, panel, target, how, script)[1]
    film = Film(project, FilmForm(lettering=how), target.suffix, script)
    if film.seconds > MAX_SECONDS:
        raise FilmError(
            Message(
                "The film would take {seconds} s, and here it may take {most} s; give panels a shorter [duration: 3].",
                seconds=f"{film.seconds:g}",
                most=f"{MAX_SECONDS:g}",
            )
        )
    write_film(film, target, tell)
    return tuple(film.notes)


def filming(pages: Pages, kind: str, target: Path) -> Generator[float, None, tuple[str, ...]]:
    """`save` a film, yielding which share of it is done, percent by percent; returns what `save` does. Close the
    iterator to stop. Raises what `save` raises."""
    told: Queue[float | None] = Queue()
    stopped = threading.Event()
    percent = -1

    def tell(done: int, total: int) -> None:
        nonlocal percent
        if stopped.is_set():
            raise FilmError("The film was stopped.")
        if 100 * done // total > percent:
            percent = 100 * done // total
            told.put(done / total)

    with ThreadPoolExecutor(1, thread_name_prefix="film") as background:
        made = background.submit(save, pages, kind, target, tell=tell)
        made.add_done_callback(lambda _: told.put(None))
        try:
            yield from iter(told.get, None)
        finally:
            stopped.set()
    return made.result()


def look(pages: Pages, kind: str, at: int, say: Callable[..., str]) -> tuple[int, str]:
    """What `save` would write of a `kind` of `ui.book.SEEN` but the pages, small: sheet or slice `at`, or how panel
    `at` moves in the film, as HTML like that of `ui.book.preview`, and which it is. Raises what `save` raises."""
    project, script, how = pages.project, pages.script, _inside(pages.form.lettering)
    if kind == "film":
        numbers = Film(project, FilmForm(), ".webp", script).numbers
        at = min(max(at, 1), len(numbers))
        film = Film(project, FilmForm(rate=8, lettering=how), ".webp", script, numbers[at - 1 : at])
        with TemporaryDirectory() as folder:
            file = Path(folder) / "film.webp"
            write_film(film, file)
            source = f"data:image/webp;base64,{base64.b64encode(file.read_bytes()).decode()}"
        return at, figure(source, film.size, str(numbers[at - 1]), at, len(numbers), [*map(say, film.notes)])
    seen: Sequence[Page]
    if kind == "storyboard":
        seen = Sheets(project, replace(SheetForm.of("2x3", font=how.font), dpi=PREVIEW), script)
    else:
        seen = list(slices(pages, StripForm(400, 640, 60, pages.form.lettering)))
    at = min(max(at, 1), len(seen))
    page = seen[at - 1]
    panels = ", ".join(map(str, page.panels))
    hints = [say(sentence) for sentence in page.warnings]
    return at, figure(html.data_uri(page.image), page.picture.size, panels, at, len(seen), hints)


def _inside(how: Lettering) -> Lettering:
    """The lettering of what has no room below a frame: what would stand there is in it."""
    captions = "box" if how.captions == "below" else how.captions
    return replace(how, captions=captions, dialogue="balloons" if how.dialogue == "below" else how.dialogue)
