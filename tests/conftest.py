"""How the suite is run, and shared fixtures: tiny real models, saved once per process."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the suite has a process for each core already
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from pathlib import Path

import pytest

from anystory.backends.base import Backend
from anystory.backends.load import load

HERE = Path(__file__).parent

SLOW = frozenset(
    {
        *(f"app/test_{name}.py" for name in ("arguments", "endpoints", "gate", "rendering", "space")),
        "solid/test_solid.py",
        "pages/test_print.py",
        *(f"backends/test_{name}.py" for name in ("cluster", "flux", "flux_modes", "hub", "klein", "layout")),
        *(f"backends/test_{name}.py" for name in ("from_sketch", "locate", "mini", "sdxl", "storybook")),
        *(f"bench/test_{name}.py" for name in ("count", "klein", "main", "memory", "paper_plans", "sketch")),
        *(f"bench/test_{name}.py" for name in ("walk", "world")),
        *(f"cast/test_{name}.py" for name in ("segment", "transparency")),
        *(f"cli/test_{name}.py" for name in ("commands", "main", "sketch_command")),
        *(f"evaluation/test_{name}.py" for name in ("comparisons", "main", "reader", "switches", "train", "variants")),
        *(f"model/test_{name}.py" for name in ("flux", "flux_tools", "guide", "klein", "pictures", "pipeline")),
        *(f"render/test_{name}.py" for name in ("batch", "film", "from_sketch", "portraits", "session")),
        "script/test_growth.py",
        *(f"sketch/test_{name}.py" for name in ("placing", "read_labels", "scenery", "scenery_ground")),
        *(f"sketch/test_{name}.py" for name in ("scenery_render", "stagecraft")),
        "project/test_lineage.py",
        *(
            f"training/test_{name}.py"
            for name in ("builder", "compositors", "foundations", "losses", "mentions", "own")
        ),
        *(f"training/test_{name}.py" for name in ("parallel", "stages", "waiting", "world")),
        "test_house.py",
        "test_wheel.py",
    }
)
"""Files that take more than about five seconds of one core, as `--durations` and the processor's clock tell."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Files that are named one by one run in this process: to start others would take longer than most of them."""
    return 0 if all(Path(argument.partition("::")[0]).is_file() for argument in config.args) else None


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Chromium and what is slow, and keep together what shares fixtures: the tests of a file, and all
    those of the browser, of which only one runs. The longest come first, so that no process waits for another."""
    ranks = {}
    for item in items:
        file = item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else item.path.as_posix()
        slow, browser = file in SLOW, "chromium" in getattr(item, "fixturenames", ())
        if slow:
            item.add_marker(pytest.mark.slow)
        if browser:
            item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.xdist_group("browser" if browser else file))
        ranks[item] = (not browser, not slow)
    items.sort(key=ranks.__getitem__)


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
