"""A render that is killed over and over: no frame that it announced is ever lost, and it comes to its end."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from anystory.project.folder import Project

LINES = 40


def kills(count: int, seed: int, work: Path) -> Iterator[str]:
    """Render a story of `LINES` panels with `count` kills, each after a seeded number of events; yields what was lost.
    A story that is finished is begun again in another folder."""
    chance, script, announced = random.Random(seed), work / "script.txt", dict[int, int]()
    script.write_text("[NC] a forest by night\n" * LINES, encoding="utf-8")
    folder = work / "0"
    for number in range(count):
        left, finished = chance.randint(1, 8), False
        command = [sys.executable, "-m", "anystory", "render", str(script), "--json", "--out", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
            for line in run.stdout or ():
                event = json.loads(line) if line.endswith("\n") else {"event": ""}
                finished |= event["event"] == "finished"
                if event["event"] == "frame":
                    announced[event["panel"]] = event["seed"]
                left -= event["event"] in ("frame", "step") and not event.get("reused", False)
                if left <= 0:
                    run.send_signal(signal.SIGKILL)
        project = Project(folder)
        kept = {panel: entry.seed for panel, entry in project.entries.items()}
        lost = {panel for panel, used in announced.items() if kept.get(panel) != used} | set(project.unreadable())
        if lost:
            yield f"kill {number}: the frames of the panels {sorted(lost)} were announced and are lost"
        if finished or len(announced) == LINES:
            folder, announced = work / str(number + 1), {}
