"""What it costs a render that every file is settled on the disk before it gets its name."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.app.steps import ROOT

PANELS, SIDE = 12, 1024

COMMAND = "import sys; from anystory.__main__ import main; sys.exit(main(sys.argv[1:]))"
UNSETTLED = f"import os; os.fsync = lambda handle: None; {COMMAND}"
"""The command line in a program that settles nothing."""


def settling(times: int, work: Path, panels: int = PANELS, side: int = SIDE) -> Iterator[tuple[float, float]]:
    """Render as many `panels` of storybook's in turn with and without settling, `times` times each, on the disk of
    `work`; yields the seconds of a pair. Raises CalledProcessError where a render fails."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        script = Path(folder) / "script.txt"
        script.write_text(f"[size: {side}] [NC] a forest by night\n" * panels, encoding="utf-8")
        for number in range(times):
            yield _seconds(COMMAND, script, f"{number}-settled"), _seconds(UNSETTLED, script, f"{number}-not")


def _seconds(program: str, script: Path, name: str) -> float:
    command = [sys.executable, "-c", program, "render", str(script), "--out", str(script.with_name(name))]
    before = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - before
