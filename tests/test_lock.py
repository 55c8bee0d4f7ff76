"""requirements.lock is of the ranges that pyproject.toml names: `make lock` writes it anew."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent


def locked():
    """What is locked: (requirement, hashes), one or more of a name."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            yield Requirement(line.partition(" --hash")[0]), re.findall(r"--hash=sha256:[0-9a-f]{64}", line)


def test_everything_that_runs_is_locked_within_its_range():
    known = list(locked())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for wanted in map(Requirement, project["dependencies"]):
        pinned = [each for each, _ in known if each.name == wanted.name.lower().replace("_", "-")]
        assert pinned, f"{wanted} is not locked: make lock"
        versions = [next(iter(each.specifier)).version for each in pinned]
        assert all(version in wanted.specifier for version in versions), f"{wanted} is locked to {versions}: make lock"


def test_every_version_is_one_and_has_hashes():
    for each, hashes in locked():
        (only,) = each.specifier
        assert only.operator == "==" and hashes and each.url is None, each
