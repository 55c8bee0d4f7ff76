"""requirements.lock is of the ranges that pyproject.toml names: `make lock` writes it anew."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent


def locked():
    """What is locked: (requirement, hashes), one or more of a name."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            yield Requirement(line.partition(" --hash")[0]), re.findall(r"--hash=sha256:[0-9a-f]{64}", line)


def here(requirement, extras=("",)):
    """Whether a requirement is one on this machine and this Python, with some extras of what requires it."""
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


def direct():
    return [*map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])]


def unlocked(wanted, versions):
    """What is required by `wanted`, and by whatever that requires, and is not in `versions` ({name: version}), or not
    in a version of the range that is asked for; each with who requires it. Of what is installed in another version than
    is locked its own requirements may be others: they must be locked in any version."""
    wrong, seen = [], set()
    found = [(requirement, "pyproject.toml", True) for requirement in wanted]
    for requirement, by, exact in found:  # which grows
        name = canonicalize_name(requirement.name)
        version = versions.get(name)
        if version is None or (exact and not requirement.specifier.contains(version, prereleases=True)):
            wrong.append(f"{requirement} of {by}, locked: {version}")
        if (name, *sorted(requirement.extras)) in seen:
            continue
        seen.add((name, *sorted(requirement.extras)))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        same = version is not None and Version(installed.version).public == version
        parts = map(Requirement, installed.requires or ())
        found += [(part, name, same) for part in parts if here(part, ("", *requirement.extras))]
    return wrong


def versions():
    """The version of everything that is locked for this machine and this Python, by name."""
    return {canonicalize_name(each.name): next(iter(each.specifier)).version for each, _ in locked() if here(each)}


def test_everything_that_runs_is_locked_within_its_range():
    assert unlocked(direct(), versions()) == [], "make lock"


@pytest.mark.parametrize("version", [None, "0.0.1"])
@pytest.mark.parametrize("name", ["torch", "starlette"])
def test_what_the_lock_lacks_is_told(name, version):
    wrong = unlocked(direct(), versions() | {name: version})
    assert wrong and all(each.startswith(name) and each.endswith(f"locked: {version}") for each in wrong)


def test_every_version_is_one_and_has_hashes():
    for each, hashes in locked():
        (only,) = each.specifier
        assert only.operator == "==" and hashes and each.url is None, each
