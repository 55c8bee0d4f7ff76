"""Pages written to files: PNG, a ZIP of them, a PDF or a comic-book archive (CBZ), by the name's ending.

The same project gives the same bytes. numpy and PIL only.
"""

from __future__ import annotations

import re
from pathlib import Path

from anystory.errors import Message
from anystory.pages.archive import cbz, page_file, zipped
from anystory.pages.layout import MARK, Format, PageError, Pages, png_text
from anystory.pages.pdf import pdf
from anystory.project.folder import Project, is_clutter, write_atomic

FRAME = ("prompt", "settings", "backend", "key")
"""The PNG text of every frame, also of those made before frames carried their story; a page has it from its first."""


def export(folder: str | Path, target: str | Path, form: Format | None = None) -> tuple[str, ...]:
    """Write the pages of the project in `folder` as `write` does."""
    return write(Pages(Project(folder), form or Format()), target)


def write(pages: Pages, target: str | Path) -> tuple[str, ...]:
    """Write the pages: to a file if `target` ends in .pdf, .cbz or .zip (of PNG files), a single one to a .png, else as
    001.png … into a folder. Returns a sentence for everything that did not fit or is missing.
    Raises PageError, ProjectError or LetteringError with a sentence."""
    target = Path(target)
    kind = target.suffix.lower()
    if kind not in (".pdf", ".cbz", ".zip", ".png", ""):
        raise PageError(Message("{file} must end in .pdf, .cbz, .zip or .png, or be a folder.", file=target.name))
    if kind == ".png" and len(pages) > 1:
        raise PageError(
            Message(
                "{count} pages do not go into one PNG file; give a .zip, a .pdf, a .cbz or a folder.", count=len(pages)
            )
        )
    made = list(pages)
    if kind == ".pdf":
        write_atomic({target: pdf(made, pages.script.title, pages.form.dpi)})
    elif kind == ".cbz":
        write_atomic({target: cbz(made, pages.script)})
    elif kind == ".zip":
        write_atomic({target: zipped({page_file(k): page.png for k, page in enumerate(made, 1)})})
    elif kind == ".png":
        write_atomic({target: made[0].png})
    else:
        _clear(target, len(made))
        write_atomic({target / page_file(k): page.png for k, page in enumerate(made, 1)})
    absent = pages.missing
    gone = Message("Without a frame and left out: {numbers}.", numbers=", ".join(map(str, absent)))
    return (*(warning for page in made for warning in page.warnings), *pages.unreadable, *([gone] if absent else []))


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
