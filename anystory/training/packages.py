"""npm packages by name and pinned version: fetched once, checked against their sha512, read without unpacking.

Nothing of a package is ever written under a name it chose itself, and nothing in it is run.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REGISTRY_VARIABLE = "npm_config_registry"
"""npm's own variable for another registry."""

CHUNK = 1 << 20
LARGEST_MEMBER = 256 << 20
"""No file that we read of a package is larger, in bytes."""


@dataclass(frozen=True)
class Package:
    """A package as the registry names it; `sha512` is its tarball's, in base64, as npm's lock files write it."""

    name: str
    version: str
    sha512: str

    @property
    def file(self) -> str:
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}.tgz"

    @property
    def url(self) -> str:
        registry = os.environ.get(REGISTRY_VARIABLE, "https://registry.npmjs.org").rstrip("/")
        return f"{registry}/{self.name}/-/{self.name.split('/')[-1]}-{self.version}.tgz"


def fetch(package: Package, folder: Path) -> Path:
    """The package's tarball in `folder`, downloaded unless it is there whole. A broken download goes on where it
    stopped. Raises OSError with a sentence where the registry cannot be reached, ValueError for another content."""
    path = folder / package.file
    if path.is_file() and _sha512(path) == package.sha512:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        _download(package.url, part)
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or error
        raise OSError(
            f"{package.name}@{package.version} cannot be fetched from {package.url} ({reason}); "
            f"go online and try again, or put {package.file} into {folder}."
        ) from error
    if _sha512(part) != package.sha512:
        part.unlink()
        raise ValueError(
            f"{package.url} is not the {package.name}@{package.version} this program knows (its sha512 differs); "
            "try again, or check the registry."
        )
    part.replace(path)
    return path


def _download(url: str, part: Path) -> None:
    done = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # nothing is missing, or it is another file
            return
        raise
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        done = 0
    with response, part.open("ab" if done else "wb") as file:
        while chunk := response.read(CHUNK):
            file.write(chunk)
        missing = int(response.headers.get("Content-Length", 0)) - (file.tell() - done)
    if missing > 0:
        raise OSError(f"the connection broke off, {missing} bytes are missing")


def _sha512(path: Path) -> str:
    digest = hashlib.sha512()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()


def read(tarball: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The regular files of a package for whose names (without the leading "package/") `wanted` is true, sorted.
    Raises ValueError for one that is larger than `LARGEST_MEMBER`."""
    found = {}
    with tarfile.open(tarball, "r|gz") as tar:
        for member in tar:
            name = member.name.partition("/")[2]
            if not member.isreg() or not wanted(name):
                continue
            if member.size > LARGEST_MEMBER:
                raise ValueError(f"{tarball.name}: {name} has {member.size} bytes, more than {LARGEST_MEMBER}.")
            if (file := tar.extractfile(member)) is not None:  # as for every regular file
                found[name] = file.read()
    return dict(sorted(found.items()))
