"""Shared fixtures: tiny real models, saved once a session."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from pathlib import Path

import pytest

from anystory.backends.base import Backend
from anystory.backends.load import load

HERE = Path(__file__).parent

SLOW = frozenset(
    {
        *(f"app/test_{name}.py" for name in ("arguments", "endpoints", "rendering", "space")),
        *(f"backends/test_{name}.py" for name in ("cluster", "flux", "flux_modes", "hub", "layout", "locate")),
        *(f"backends/test_{name}.py" for name in ("mini", "sdxl", "storybook")),
        *(f"bench/test_{name}.py" for name in ("count", "main", "memory", "paper_plans", "sketch", "walk", "world")),
        *(f"cast/test_{name}.py" for name in ("segment", "transparency")),
        *(f"cli/test_{name}.py" for name in ("commands", "main", "sketch_command")),
        *(f"evaluation/test_{name}.py" for name in ("main", "reader", "train")),
        *(f"sketch/test_{name}.py" for name in ("scenery", "scenery_ground", "scenery_render", "stagecraft")),
        *(f"training/test_{name}.py" for name in ("builder", "compositors", "own", "parallel", "stages", "waiting")),
        "training/test_world.py",
        "test_house.py",
        "test_wheel.py",
    }
)
"""Files that take more than about five seconds of one core, as `--durations` and the processor's clock tell."""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Chromium, and what is slow."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved AnyStory with random weights: 64 px frames, a few milliseconds a step."""
    from tests.tiny import mini_pipeline

    folder = tmp_path_factory.mktemp("model") / "tiny"
    mini_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_backend(tiny_model_folder: Path) -> Backend:
    """That model loaded as a backend."""
    return load("mini", model=tiny_model_folder, device="cpu")
