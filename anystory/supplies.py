"""Where this program lies, and the files it brings along: weights, fonts, drawings, the example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).resolve().parent.parent
"""The folder that `anystory` is imported from."""

ASSETS = HOME / "assets"


def read_yaml(path: Path, *, as_text: bool = False) -> Any:
    """What is in a YAML file of the program's own; every value as it is written where `as_text`. For files of users it
    is not meant: their mistakes are told better by what is written in Python, which takes ten times as long."""
    kind = "BaseLoader" if as_text else "SafeLoader"
    loader = getattr(yaml, f"C{kind}", getattr(yaml, kind))
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
