"""What a sketch, a frame of storybook's and its app cost, against the bounds that were set for them."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import yaml

from anystory.api import cut_out
from anystory.backends.base import Request
from anystory.backends.storybook import StorybookBackend
from anystory.cast.segment import Segmenter
from anystory.project.folder import packed_maps, png, write_atomic
from anystory.script.read import load_script
from anystory.sketch.cutout import Cutout
from anystory.sketch.read import read_story
from anystory.sketch.scenery import MEDIUMS, PLACES
from anystory.sketch.sketcher import sketch
from anystory.story.model import Prompt
from anystory.story.shot import Role, Shot
from anystory.supplies import ASSETS, HOME

EXAMPLE = ASSETS / "example" / "story.yaml"
PANELS = 100
START = 60.0
"""Seconds after which an app that does not answer is given up."""


@dataclass(frozen=True)
class Measured:
    """Something measured, and the most it may be."""

    what: str
    value: float
    most: float
    unit: str

    def __str__(self) -> str:
        good = "yes" if self.value <= self.most else "NO"
        return f"| {self.what} | {self.value:.3g} {self.unit} | ≤ {self.most:g} {self.unit} | {good} |"


def bench(places: int, tell: Callable[[str], None]) -> list[Measured]:
    """Every figure, told as soon as it is known; sketches and frames are medians over so many `places`, each in one of
    the mediums by turns."""
    shots, cast = list(_shots())[:places], _cast()
    figures: list[Measured] = []
    tell("| what | measured | bound | kept |\n| --- | --- | --- | --- |")
    for measure in (_sketches, _frames):
        for figure in measure(shots, cast):
            figures.append(figure)
            tell(str(figure))
    with tempfile.TemporaryDirectory() as folder:
        for figure in (*_reading(), *_app(), *_story(Path(folder))):
            figures.append(figure)
            tell(str(figure))
    return figures


def _shots() -> Iterator[Shot]:
    """Two characters in every place."""
    for number, (name, place) in enumerate(PLACES.items()):
        time_of_day, weather = place.times[number % len(place.times)], place.weathers[number % len(place.weathers)]
        roles = (Role("Bruno"), Role("Fern"))
        yield Shot(name, f"{name} 1", time_of_day, weather, MEDIUMS[number % len(MEDIUMS)], roles=roles)


def _cast() -> list[Cutout]:
    subjects = {subject.name: subject for subject in cut_out(load_script(EXAMPLE), Segmenter())}
    return [StorybookBackend().encode(subjects[name]) for name in ("Bruno", "Fern")]


def _sketches(shots: list[Shot], cast: list[Cutout]) -> Iterator[Measured]:
    new, known = list[float](), list[float]()
    for shot in shots:
        for times, seed in ((new, 0), (known, 1)):
            with _timed(times):
                sketch(shot, cast, width=512, height=512, seed=seed, story_seed=0)
    yield Measured("a sketch of 512 x 512, in a place known before", 1000 * statistics.median(known), 60, "ms")
    yield Measured("a sketch of 512 x 512, in a new place", 1000 * statistics.median(new), 250, "ms")


def _frames(shots: list[Shot], cast: list[Cutout]) -> Iterator[Measured]:
    backend, times, writing = StorybookBackend(), list[float](), list[float]()
    names, settings = tuple(cutout.name for cutout in cast), replace(backend.about.defaults, seed=7)
    with tempfile.TemporaryDirectory() as folder:
        for number, shot in enumerate(shots):
            with _timed(times):
                *_, last = backend.denoise(Request(Prompt("", shot=shot), names, tuple(cast), settings, number))
                with _timed(writing):
                    files = {".png": png(last.finished.image), "-maps.npz": packed_maps(last.finished.maps, "key")}
                    write_atomic({Path(folder) / f"{number}{end}": data for end, data in files.items()})
    yield Measured("a frame of 1024 x 1024, to disk", statistics.median(times), 1.0, "s")
    yield Measured("of that, to write it", statistics.median(writing), 0.15, "s")


def _reading() -> Iterator[Measured]:
    script = load_script(EXAMPLE)
    lines = [replace(script.panels[0], prompt=prompt, cast=("Bruno", "Fern")) for prompt in _lines()]
    script = replace(script, panels=tuple(lines))
    read_story(script, script.cast)  # what is loaded once
    times: list[float] = []
    with _timed(times):
        read_story(script, script.cast)
    yield Measured("reading a line", 1000 * times[0] / len(lines), 10, "ms")


def _lines() -> list[str]:
    phrases = [place.phrases[0] for place in PLACES.values()]
    return [f"Bruno and Fern walk {phrases[number % len(phrases)]}" for number in range(PANELS)]


def _app() -> Iterator[Measured]:
    """From the command to the page, and what the app holds when nobody does anything."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    with _running([sys.executable, "-m", "anystory", "app", "--port", str(port)]) as app:
        while not _answers(port):
            if time.monotonic() - began > START or app.poll() is not None:
                raise OSError(f"the app did not answer within {START:g} seconds")
            time.sleep(0.02)
        yield Measured("the app, from start to page", time.monotonic() - began, 3, "s")
        time.sleep(3)
        yield Measured("the app, memory when idle", _memory(app.pid), 350, "MB")


def _answers(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
        return page.status == 200
    return False


def _story(folder: Path) -> Iterator[Measured]:
    """A story of `PANELS` by the command line, all its processes together."""
    data = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    cast = [{**member, "image": str(EXAMPLE.parent / member["image"])} for member in data["cast"]]
    story = folder / "story.yaml"
    story.write_text(yaml.safe_dump({"cast": cast, "panels": _lines()}), encoding="utf-8")
    began, most = time.monotonic(), 0.0
    command = [sys.executable, "-m", "anystory", "render", str(story), "--out", str(folder / "out")]
    with _running(command) as render:
        while render.poll() is None:
            most = max(most, _memory(render.pid))
            time.sleep(0.1)
        if render.returncode:
            raise OSError(f"the render ended with status {render.returncode}")
    yield Measured(f"{PANELS} frames of 1024 x 1024, {os.cpu_count()} cores", time.monotonic() - began, 60, "s")
    yield Measured("the same, memory of all processes", most, 700, "MB")


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _memory(pid: int) -> float:
    """Megabytes of a process and those that it started."""
    with suppress(psutil.NoSuchProcess):
        whole = psutil.Process(pid)
        return sum(_resident(each) for each in (whole, *whole.children(recursive=True))) / 1e6
    return 0.0


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return process.memory_info().rss
    return 0


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    times.append(time.perf_counter() - began)
