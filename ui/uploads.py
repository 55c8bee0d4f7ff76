"""What comes in through `upload` of a `gr.HTML`'s script: paths in an event, which anybody could have sent."""

from __future__ import annotations

from pathlib import Path

from gradio.utils import get_upload_folder, is_in_or_equal

from anystory.cast.images import ImageError
from anystory.errors import Message


def uploaded(paths: object) -> list[str]:
    """The paths, each of a file that this server took in. Raises ImageError for any other."""
    if not isinstance(paths, list) or not all(
        isinstance(path, str) and is_in_or_equal(path, get_upload_folder()) and Path(path).is_file() for path in paths
    ):
        raise ImageError(Message("The picture has not arrived; choose it again."))
    return paths
