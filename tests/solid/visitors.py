"""Visitors of one app with storybook: each makes frames of a character of their own colour, over and over.

Nobody may wait long, meet an error or see somebody else's character, and the app's memory must not grow.
"""

from __future__ import annotations

import io
import itertools
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image, ImageColor, ImageDraw

from tests.app.caller import Visitor
from tests.solid.kills import free_port, serving

SECONDS = 5.0
"""What 95 of 100 frames take at most."""

GROWTH = 50.0
"""MB by which the app's memory may grow once it is warm."""

PLACES = ("in a meadow on a sunny day", "on the beach")
"""Where characters stand, each visitor's by turns; in the first their colours are what they are."""

PAUSE = 20.0
"""Seconds that a visitor looks at a frame, on average."""

NEAR = 40
"""How far a pixel's red, green and blue may be from a character's, in the light of the first place."""

LOOK = 5.0
"""Seconds from one look at the memory to the next."""


@dataclass
class Report:
    """What was measured: the `seconds` of every frame, what went `wrong`, and the app's `memory` in MB by the time in
    seconds."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """What 95 of 100 frames took at most, in seconds."""
        return statistics.quantiles(self.seconds, n=20)[-1] if len(self.seconds) > 1 else max(self.seconds, default=0.0)

    @property
    def grown(self) -> float:
        """MB by which the memory grew from the second quarter of the time to the last, by their medians."""
        if not self.memory:
            return 0.0
        end = self.memory[-1][0]
        second, last = ([mb for at, mb in self.memory if low * end <= at <= (low + 0.25) * end] for low in (0.25, 0.75))
        return statistics.median(last or [0.0]) - statistics.median(second or [0.0])

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} frames, 95 of 100 within {self.slowest:.1f} s (half within "
            f"{statistics.median(self.seconds or [0.0]):.1f} s); {len(self.wrong)} errors; memory "
            f"{self.memory[-1][1] if self.memory else 0:.0f} MB, grown by {self.grown:.0f} MB"
        )


def colours(count: int) -> list[tuple[int, int, int]]:
    """As many colours, as far from each other as they can be and none that a meadow or a sky has."""
    shades = [(0, 100, 55), (300, 100, 50), (270, 100, 40), (330, 100, 70), (20, 100, 45), (245, 100, 30), (0, 0, 6)]
    known = [ImageColor.getrgb(f"hsl({hue}, {much}%, {light}%)") for hue, much, light in shades]
    return [known[k % len(known)][:3] for k in range(count)]


def visitors(count: int, minutes: float, work: Path, seed: int = 0, pause: float = PAUSE, size: int = 1024) -> Report:
    """Let `count` visitors use an app of their own for so long; each makes a frame or more of `size` beside the others.
    What each is shown is held against what they were shown of the same place while nobody else was there."""
    report, port = Report(), free_port()
    with serving(work / "stories", port) as app:
        crowd = [_Guest(port, number, colour, size) for number, colour in enumerate(colours(count))]
        for guest in crowd:
            guest.alone(report)
        over, began = threading.Event(), time.monotonic()
        with ThreadPoolExecutor(count + 1) as threads:
            watching = threads.submit(_watch, app.pid, over, report)
            chances = [random.Random(f"{seed} {number}") for number in range(count)]
            end = began + 60 * minutes
            for each in [threads.submit(_stay, *pair, end, pause, report) for pair in zip(crowd, chances, strict=True)]:
                each.result()
            over.set()
            watching.result()
    return report


class _Guest:
    """Somebody at an address of their own, with a character of a colour of their own."""

    def __init__(self, port: int, number: int, colour: tuple[int, int, int], size: int) -> None:
        self.link = Visitor(f"http://127.0.0.1:{port}", f"127.0.1.{number + 1}")
        self.name, self.colour, self.size = f"Guest{number}", colour, size
        picture = Image.new("RGBA", (256, 256))
        ImageDraw.Draw(picture).ellipse((40, 10, 216, 246), fill=(*colour, 255))
        # A mark that no other has: some colours are two guests'.
        ImageDraw.Draw(picture).rectangle((60 + 6 * number, 100, 66 + 6 * number, 160), fill="white")
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        self.picture, self.truth = buffer.getvalue(), dict[str, bytes]()

    def alone(self, report: Report) -> None:
        """Find out what the frames look like, and that the first shows this one's colour."""
        with suppress(_WrongError):
            frames = {place: self.frame(place, report) for place in PLACES}
            self.truth = {place: frame.tobytes() for place, frame in frames.items()}
            pixels = np.asarray(frames[PLACES[0]], np.int16)
            if (np.abs(pixels - self.colour).max(axis=-1) < NEAR).mean() < 0.001:
                report.wrong.append(f"{self.name} is not in the frame")

    def frame(self, place: str, report: Report) -> Image.Image:
        """Upload the picture, ask for a frame and fetch it. Raises _WrongError, which the report tells."""
        try:
            file = self._uploaded()
            script = f"[size: {self.size}] {self.name} stands {place}"
            values = [script, [file], [self.name], [], "", "", 7, 0, -1, [], *[""] * 4]
            event = self.link.call("render", {"data": values})
            if not isinstance(event, str):
                raise _WrongError(f"refused: {event}")
            (served,) = _last(self.link.hear("render", event))
            answer = self.link.open("GET", f"/gradio_api/file={served['path']}")
            return Image.open(io.BytesIO(answer.read())).convert("RGB")
        except Exception as error:
            report.wrong.append(f"{self.name}: {type(error).__name__}: {error}")
            raise _WrongError from error

    def _uploaded(self) -> dict[str, Any]:
        edge = "guest"
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="guest.png"\r\n'
        body = f"{head}Content-Type: image/png\r\n\r\n".encode() + self.picture + f"\r\n--{edge}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        answer = self.link.open("POST", "/gradio_api/upload", body, kind)
        said = answer.read()
        if answer.status != 200:
            raise _WrongError(f"refused: {said[:200]!r}")
        return {"path": json.loads(said)[0], "meta": {"_type": "gradio.FileData"}}


class _WrongError(Exception):
    """Something that must not be."""


def _last(answer: Any) -> Sequence[dict[str, Any]]:
    """The frames that the answer to a call ends with. Raises _WrongError."""
    event = ""
    for line in answer:
        key, _, value = line.decode().rstrip("\n").partition(": ")
        if key == "event":
            event = value
        elif key == "data" and event == "error":
            raise _WrongError(value)
        elif key == "data" and event == "complete":
            return json.loads(value)[1]
    raise _WrongError("the answer has no end")


def _stay(guest: _Guest, chance: random.Random, end: float, pause: float, report: Report) -> None:
    """Make frames until the time is over, and look at each for a while."""
    for place in itertools.cycle(PLACES):
        time.sleep(chance.uniform(0, 2 * pause))  # which is what visitors do
        since = time.monotonic()
        with suppress(_WrongError):
            same = guest.frame(place, report).tobytes() == guest.truth.get(place)
            report.seconds.append(time.monotonic() - since)
            if not same:
                report.wrong.append(f"{guest.name} was shown another frame than alone")
        if time.monotonic() >= end:
            return


def _watch(pid: int, over: threading.Event, report: Report) -> None:
    """Look at the memory of the app and of all its processes."""
    since = time.monotonic()
    while not over.wait(LOOK):
        report.memory.append((time.monotonic() - since, sum(_sizes(pid)) / 1e6))


def _sizes(pid: int) -> Iterator[int]:
    app = psutil.Process(pid)
    for process in (app, *app.children(recursive=True)):
        with suppress(psutil.Error):
            yield process.memory_full_info().uss
