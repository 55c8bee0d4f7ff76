"""Pages written to files by their ending: PNG, a ZIP of them, a PDF, a comic-book archive (CBZ), an e-book (EPUB).

Pages are made and written one by one. The same project gives the same bytes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from anystory.errors import Message
from anystory.pages.archive import cbz, page_file, write_pages
from anystory.pages.crop import ENOUGH
from anystory.pages.epub import epub
from anystory.pages.form import Format, PageError
from anystory.pages.language import language_of, spoken
from anystory.pages.layout import MARK, Page, Pages, Painter, png_text
from anystory.pages.pdf import pdf
from anystory.pages.webtoon import StripForm, slices
from anystory.project.folder import Project, is_clutter, write_atomic
from anystory.story.model import Script

ENDINGS = (".pdf", ".cbz", ".epub", ".zip", ".png")
FRAME = ("prompt", "settings", "backend", "key")
"""The PNG text of every frame, also of those made before frames carried their story; a page has it from its first."""


def export(
    folder: str | Path,
    target: str | Path,
    form: Format | None = None,
    language: str = "",
    painter: Painter | None = None,
) -> tuple[str, ...]:
    """Write the pages of the project in `folder` as `write` does, without a `form` in the layout that its story names;
    `painter` as in `Pages`."""
    project = Project(folder)
    form = form or Format(project.story().script.pages or Format.layout)
    return write(Pages(project, form, painter=painter), target, language)


class Paged(Protocol):
    """Pages to be written: of a story, or of its storyboard."""

    @property
    def script(self) -> Script: ...
    @property
    def author(self) -> str: ...
    @property
    def backwards(self) -> bool: ...
    @property
    def findings(self) -> tuple[str, ...]: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Page]: ...


def write(pages: Paged, target: str | Path, language: str = "") -> tuple[str, ...]:
    """Write the pages, one by one: to a file if `target` ends in one of `ENDINGS` (.zip is of PNG files), a single one
    to a .png, else as 001.png … into a folder. `language` is the ISO code that the file says its words are in, "" = as
    their letters tell. Returns a sentence for everything that did not fit or is missing. Raises PageError, ProjectError
    or LetteringError with a sentence."""
    target = Path(target)
    kind = target.suffix.lower()
    if kind not in (*ENDINGS, ""):
        endings = ", ".join(ENDINGS[:-1])
        raise PageError(
            Message(
                "{file} must end in {endings} or {last}, or be a folder.",
                file=target.name,
                endings=endings,
                last=ENDINGS[-1],
            )
        )
    if kind == ".png" and len(pages) > 1:
        raise PageError(
            Message(
                "{count} pages do not go into one PNG file; give a .zip, a .pdf, a .cbz or a folder.", count=len(pages)
            )
        )
    language = spoken(language) if language else language_of(pages.script)
    warnings: list[str] = []
    real: dict[int, float] = {}
    larger: set[int] = set()

    def made() -> Iterator[Page]:
        for page in pages:
            warnings.extend(page.warnings)
            real.update(page.real)
            larger.update(page.enlarged)
            yield page

    def write_file(file: BinaryIO) -> None:
        script, author, backwards = pages.script, pages.author, pages.backwards
        if kind == ".pdf":
            pdf(file, made(), script.title, author, language, backwards)
        elif kind == ".cbz":
            cbz(file, made(), script, author, language, backwards)
        elif kind == ".epub":
            epub(file, made(), script, author, language, backwards)
        elif kind == ".zip":
            write_pages(file, made())
        else:
            file.write(next(made()).png)

    if kind:
        write_atomic({target: write_file})
    else:
        _clear(target, len(pages))
        write_atomic((target / page_file(number), page.png) for number, page in enumerate(made(), 1))
    return (*warnings, *(coarse(real, larger, pages.form) if isinstance(pages, Pages) else ()), *pages.findings)


def write_webtoon(pages: Pages, form: StripForm, target: str | Path) -> tuple[str, ...]:
    """Write the frames of `pages` as the slices of a webtoon: 001.png … in a .zip, else into a folder. Returns a
    sentence for everything that did not fit or is missing. Raises PageError, ProjectError or LetteringError."""
    target = Path(target)
    if target.suffix.lower() not in (".zip", ""):
        raise PageError(Message("A webtoon is a .zip or a folder of pictures, not {file}.", file=target.name))
    warnings: list[str] = []

    def made() -> Iterator[Page]:
        for page in slices(pages, form):
            warnings.extend(page.warnings)
            yield page

    if target.suffix:
        write_atomic({target: lambda file: write_pages(file, made())})
    else:
        _clear(target, sys.maxsize)  # how many there are is known when they are made
        count = 0
        for count, page in enumerate(made(), 1):
            write_atomic({target / page_file(count): page.png})
        _clear(target, count)
    return (*warnings, *pages.findings)


def coarse(real: Mapping[int, float], enlarged: Collection[int], form: Format) -> Iterator[str]:
    """Sentences on pictures that have fewer dots than the paper of a book is to have: those that a network `enlarged`,
    and the others."""
    few = {number: dots for number, dots in real.items() if dots < ENOUGH * form.dpi}
    if larger := sorted(few.keys() & set(enlarged)):
        yield Message(
            "The pictures of panels {numbers}, of {least} dots per inch on the paper, were enlarged by a small network"
            ": outlines are sharp, nothing new is to be seen, and fine grain is lost.",
            numbers=", ".join(map(str, larger)),
            least=f"{min(few[number] for number in larger):.0f}",
        )
    if form.paper and (others := sorted(few.keys() - set(larger))):
        yield Message(
            "The pictures of panels {numbers} have {least} dots per inch on the paper, fewer than {dpi}; "
            "render them larger, or print smaller.",
            numbers=", ".join(map(str, others)),
            least=f"{min(few[number] for number in others):.0f}",
            dpi=form.dpi,
        )


def _clear(folder: Path, count: int) -> None:
    """Make room for `count` pages: what an export of more pages left goes; a folder with other files, pictures that are
    no pages of ours among them, is refused and left as it is. What nobody put there (`is_clutter`) stays."""
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise PageError(
                Message("{folder} is a file; give a folder, or a name that ends in .pdf or .cbz.", folder=folder)
            )
        there = [path for path in folder.iterdir() if not is_clutter(path)]
        others = sorted(path.name for path in there if not _is_page(path))
        if others:
            raise PageError(
                Message(
                    "{folder} has other files in it ({others}); give an empty or a new folder.",
                    folder=folder,
                    others=others[0],
                )
            )
        for path in there:
            if int(path.stem) > count:
                path.unlink()
    except OSError as error:
        raise PageError(
            Message(
                "{folder} cannot be written ({strerror}); choose another folder.",
                folder=folder,
                strerror=error.strerror,
            )
        ) from error


def _is_page(path: Path) -> bool:
    """Whether a file is a page that `write` wrote: by its name, and by what the picture says of itself."""
    if path.is_symlink() or not re.fullmatch(r"\d{3,}\.png", path.name):
        return False
    try:
        return {MARK, *FRAME} <= png_text(path).keys()
    except Exception:  # whatever a damaged or a false picture raises, it is none of ours
        return False
