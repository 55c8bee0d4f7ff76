"""Where this program lies, and the files it brings along: weights, fonts, drawings, the example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parent

HOME = _PACKAGE.parent
"""The folder that `anystory` and `ui` are imported from."""

ASSETS = next((folder for folder in (_PACKAGE / "assets", HOME / "assets") if folder.is_dir()), HOME / "assets")
"""The supplied files: in the package where it is installed (`setup.py` puts them there), beside it in a checkout."""


def read_yaml(path: Path, *, as_text: bool = False) -> Any:
    """What is in a YAML file of the program's own; every value as it is written where `as_text`. For files of users it
    is not meant: their mistakes are told better by what is written in Python, which takes ten times as long."""
    kind = "BaseLoader" if as_text else "SafeLoader"
    loader = getattr(yaml, f"C{kind}", getattr(yaml, kind))
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
