"""Where this program lies, and the files it brings along: weights, fonts, drawings, the example."""

from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
"""The folder that `anystory` is imported from."""

ASSETS = HOME / "assets"
