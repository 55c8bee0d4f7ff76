"""A script as a shot list in CSV, a row per panel, as spreadsheet programs open it and we read it back."""

from __future__ import annotations

import csv
import io

from anystory.script.escapes import bare, quoted
from anystory.script.form import NOBODY
from anystory.script.imports.sheet import kept
from anystory.story.model import Script

COLUMNS = ("Panel", "Prompt", "Characters", "Caption", "Dialogue", "Style", "Seed", "Size", "Shape", "Duration")


def to_csv(script: Script) -> str:
    """The table, which begins with a byte order mark: without one Excel takes UTF-8 for an old encoding."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for number, panel in enumerate(script.panels, start=1):
        said = "\n".join(f"{line.who}: {quoted(bare(' '.join(line.say.split())))}" for line in panel.dialogue)
        size, shape = panel.size or script.size, panel.shape or ("" if panel.size else script.shape)
        # Excel takes 16:9 for a time of day.
        numbers = ("" if panel.seed is None else panel.seed, "" if size is None else size, shape.replace(":", "x"))
        lasting = "" if panel.duration is None else f"{panel.duration:.12g}"
        who = ", ".join(panel.cast) or NOBODY * panel.told
        cells = (bare(panel.prompt), who, kept(bare(panel.caption)), said, kept(panel.style))
        table.writerow([number, *map(_safe, cells), *numbers, lasting])
    return "\ufeff" + out.getvalue()


def _safe(cell: str) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    return f" {cell}" if cell.startswith(("=", "+", "-", "@")) else cell
