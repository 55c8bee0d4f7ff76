"""A small Hugging Face Hub on this computer: what a client asks before and during a download, and how it is refused."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ACCEPTED, NEW = "hf_accepted", "hf_new"
"""Tokens of somebody who accepted every licence, and of somebody who did not."""


@dataclass
class Hub:
    """`repositories` maps owner/name to a folder; those in `gated` want `ACCEPTED`. `sizes` overrides what is said of a
    file's size, files in `broken` are cut in the middle and then not to be had."""

    repositories: dict[str, Path]
    gated: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    """The files that were given out whole."""
    url: str = ""
    _cut: set[str] = field(default_factory=set)

    @contextmanager
    def serving(self) -> Iterator[Hub]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._about("/".join(parts[2:4]), parts[4:])
        elif len(parts) > 4 and parts[2] == "resolve":
            self._file("/".join(parts[:2]), "/".join(parts[4:]))
        else:
            self._refuse(404, "RepoNotFound")

    def _about(self, name: str, rest: list[str]) -> None:
        folder = self.hub.repositories.get(name)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in ("", ACCEPTED, NEW):
            self._refuse(401, "", "Invalid credentials in Authorization header")
        elif folder is None:
            self._refuse(404 if token else 401, "RepoNotFound")
        elif rest[:1] == ["auth-check"]:
            self._json({}) if name not in self.hub.gated or token == ACCEPTED else self._refuse(403, "GatedRepo")
        elif rest[:1] == ["tree"]:
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            entries = [(path.relative_to(folder).as_posix(), path) for path in files]
            self._json(
                [{"type": "file", "path": n, "size": self._size(name, n, p), "oid": _oid(p)} for n, p in entries]
            )
        else:
            self._json({"id": name, "modelId": name, "sha": _commit(folder), "siblings": []})

    def _file(self, name: str, file: str) -> None:
        folder = self.hub.repositories.get(name)
        if folder is None or not (folder / file).is_file():
            self._refuse(404, "EntryNotFound" if folder else "RepoNotFound")
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if name in self.hub.gated and token != ACCEPTED:
            self._refuse(403 if token else 401, "GatedRepo")
            return
        data = (folder / file).read_bytes()
        size = self._size(name, file, folder / file)
        key = f"{name}/{file}"
        if self.command == "GET" and key in self.hub.broken:
            if key in self.hub._cut:
                self._refuse(500, "")
                return
            self.hub._cut.add(key)
            self._start(200, size, folder / file, folder)
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self._start(200, size, folder / file, folder)
        if self.command == "GET":
            self.hub.given.append(key)
            self.wfile.write(data)

    def _size(self, name: str, file: str, path: Path) -> int:
        return self.hub.sizes.get(f"{name}/{file}", path.stat().st_size)

    def _start(self, status: int, length: int, path: Path, folder: Path) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{_oid(path)}"')
        self.send_header("X-Repo-Commit", _commit(folder))
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _refuse(self, status: int, code: str, message: str = "") -> None:
        self.send_response(status)
        for header, value in (("X-Error-Code", code), ("X-Error-Message", message)):
            if value:
                self.send_header(header, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _oid(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _commit(folder: Path) -> str:
    """Other files, another commit."""
    return hashlib.sha1("".join(sorted(path.name for path in folder.rglob("*"))).encode()).hexdigest()
