"""Pages as a PDF."""

from __future__ import annotations

import io

from anystory.pages.archive import plain
from anystory.pages.layout import Page


def pdf(made: list[Page], title: str, dpi: int) -> bytes:
    """The pages as a PDF, JPEG of high quality without colour subsampling, so that letters stay clear."""
    buffer = io.BytesIO()
    first, *rest = (page.image for page in made)
    first.save(
        buffer,
        "PDF",
        save_all=True,
        append_images=rest,
        resolution=dpi,
        quality=95,
        subsampling=0,
        title=plain(title) or "A story",
        creator="AnyStory",
        creationDate=None,  # or the same story would give other bytes tomorrow
        modDate=None,
    )
    return buffer.getvalue()
