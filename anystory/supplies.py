"""Where this program lies, and the files it brings along: weights, fonts, drawings, the example."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

HOME = _PACKAGE.parent
"""The folder that `anystory` and `ui` are imported from."""

ASSETS = next((folder for folder in (_PACKAGE / "assets", HOME / "assets") if folder.is_dir()), HOME / "assets")
"""The supplied files: in the package where it is installed (`setup.py` puts them there), beside it in a checkout."""
