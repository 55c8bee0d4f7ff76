"""Renders that are killed over and over, of the command line and of the app: no frame that was announced is ever lost,
and the work comes to its end."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anystory.project.folder import Project
from tests.app.steps import PATIENCE, ROOT

LINES = 40
PANELS = 6


def kills(count: int, seed: int, work: Path) -> Iterator[str]:
    """Render a story of `LINES` panels with `count` kills, each after a seeded number of events; yields what was lost.
    A story that is finished is begun again in another folder."""
    chance, script, announced = random.Random(seed), work / "script.txt", dict[int, int]()
    script.write_text("[size: 256] [NC] a forest by night\n" * LINES, encoding="utf-8")
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


def there(folder: Path) -> set[tuple[int, str]]:
    """The frames of a story that can be had, by panel and key: those in their places and those of histories."""
    project = Project(folder)
    return {
        (each.panel, each.key) for each in (*project.entries.values(), *project.history) if project.is_readable(each)
    }


@contextmanager
def serving(out: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The app with storybook at `port` of this machine, its stories in `out`; it is killed in the end."""
    command = [sys.executable, "-u", "app.py", "--out", str(out), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as app:
        try:
            assert any("Running on local URL" in line for line in app.stdout or ()), "the app does not start"
            yield app
        finally:
            app.kill()


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def app_kills(browser: Any, count: int, seed: int, work: Path) -> Iterator[str]:
    """Make stories on the page in a `browser` of Playwright's, and kill the app `count` times after a seeded number of
    frames is there to be seen; yields what is not there when it has been started again."""
    chance, out, port = random.Random(seed), work / "out", free_port()
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    told, seen, kept = "", 0, dict[Path, set[tuple[int, str]]]()
    for number in range(count + 1):
        with serving(out, port) as app:
            page.goto(f"http://127.0.0.1:{port}")
            page.locator(".model.ready").wait_for()
            if told:
                try:
                    page.locator("#gallery li.done").filter(has_text=told).nth(seen - 1).wait_for(timeout=PATIENCE / 4)
                except Exception as error:
                    yield f"kill {number}: of {seen} frames that were seen not all are there: {error}"
            if number == count:
                return
            told, seen = f"round {number}", chance.randint(1, PANELS - 1)
            page.locator("#script textarea").fill(f"[size: 256] [NC] a forest by night, {told}\n" * PANELS)
            page.locator("#render").click()
            page.locator("#gallery li.done").filter(has_text=told).nth(seen - 1).wait_for()
            app.kill()
        now = {path.parent: there(path.parent) for path in out.glob("*/story.json")}
        for folder, frames in kept.items():
            if gone := frames - now.get(folder, set()):
                yield f"kill {number}: of the story {folder.name} {gone} are lost"
        kept = now
