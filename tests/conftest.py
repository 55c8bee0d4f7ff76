"""Shared fixtures: tiny real models, saved once a session."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from pathlib import Path

import pytest

from anystory.backends.base import Backend
from anystory.backends.load import load


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
