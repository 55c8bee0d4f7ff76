"""What stands in front of the page's server: who gets in, how much they may send, and how much of the queue is theirs.

Gradio asks for a login where it hands out data, and nowhere bounds a body, a guess or a visitor's share of the queue.
Here every request passes, whatever route it is for.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.strings import say
from ui.tongue import wanted

API = "/gradio_api"

MAX_BODY = 16_000_000
"""Bytes of a request that uploads no file."""

EVENTS = 64
"""Events that one address may have waiting or at work: a class of people with the page open has fewer."""

ABANDONED = 30
"""Seconds after which a job that nobody listens to is over."""

GUESSES = 5
"""Wrong passwords of one address that are answered at once; after each further one it waits twice as long."""

LONGEST = 900
"""Seconds it waits at most."""

OPEN = ("/login", "/login/", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/pwa_icon")
OPEN_FOLDERS = ("/assets/", "/static/", "/svelte/", "/pwa_icon/")
OPEN_API = ("/theme.css", "/app_id", "/startup-events", "/user", "/login_check")
"""What the page that asks for the login is made of; all else is behind it."""


class Listeners:
    """Who listens to what becomes of a job, by the session of the job."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._listening: defaultdict[str, int] = defaultdict(int)
        self._left: dict[str, float] = {}

    @contextmanager
    def listening(self, session: str) -> Iterator[None]:
        """While somebody listens."""
        with self._lock:
            self._listening[session] += 1
        try:
            yield
        finally:
            with self._lock:
                self._listening[session] -= 1
                if not self._listening[session]:
                    del self._listening[session]
                self._left = {name: at for name, at in self._left.items() if self._clock() - at < ABANDONED}
                self._left[session] = self._clock()

    def abandoned(self, session: str, since: float) -> bool:
        """Whether nobody listens to a job that began at `since` (of the clock), nor has for a while."""
        with self._lock:
            last = max(since, self._left.get(session, since))
            return session not in self._listening and self._clock() - last >= ABANDONED

    def now(self) -> float:
        """The clock's time."""
        return self._clock()


class Guesses:
    """Wrong passwords by address, and how long each has to wait for the next."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}

    def wait(self, address: str) -> int:
        """Seconds until the address may guess again; 0 = now."""
        count, last = self._wrong.get(address, (0, 0.0))
        pause = 0 if count < GUESSES else min(2 ** min(count - GUESSES, 20), LONGEST)
        return max(0, math.ceil(last + pause - self._clock()))

    def wrong(self, address: str) -> None:
        """Another guess was wrong."""
        now = self._clock()
        self._wrong = {name: each for name, each in self._wrong.items() if now - each[1] < 4 * LONGEST}
        self._wrong[address] = (self._wrong.get(address, (0, now))[0] + 1, now)

    def right(self, address: str) -> None:
        """The password was right."""
        self._wrong.pop(address, None)


class _TooLargeError(Exception):
    """More was sent than is taken."""


class Gate:
    """ASGI middleware around Gradio's app. Files of a request have at most `upload` bytes together."""

    def __init__(self, app: ASGIApp, *, upload: int, listeners: Listeners) -> None:
        self._app, self._upload, self._listeners = app, upload, listeners
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        route = path.removeprefix(API) if path.startswith(f"{API}/") else ""
        refusal = self._refusal(request, path, route)
        if refusal is None and route != "/upload" and request.method not in ("GET", "HEAD", "OPTIONS"):
            try:
                body = await _body(request, receive)
                receive = _again(receive, body)
                refusal = _refused_cancel(request, body) if route == "/cancel" else _miscounted(request, route, body)
            except _TooLargeError:
                refusal = _too_large(request, MAX_BODY)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif route == "/upload":
            await self._uploading(request, receive, send)
        elif path.rstrip("/") == "/login" and request.method == "POST":
            await self._logging_in(request, receive, send)
        elif session := _listened(request, route):
            with self._listeners.listening(session):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, request: Request, path: str, route: str) -> JSONResponse | None:
        """Why a request is not even looked at; None for one that is."""
        server = request.app
        if server.auth is not None and not _is_open(path, route) and _user(request) is None:
            return _refused(request, 401, "gate.login") if path != "/" else None
        if path.rstrip("/") == "/login" and request.method == "POST" and (wait := self._guesses.wait(address(request))):
            said = _refused(request, 429, "gate.guesses", seconds=wait)
            said.headers["Retry-After"] = str(wait)
            return said
        if request.method == "POST" and (route.startswith("/call/") or route.rstrip("/") == "/queue/join"):
            asked = server.get_blocks()._queue.event_ids_to_events.values()
            if sum(address(event.request) == address(request) for event in list(asked)) >= EVENTS:
                return _refused(request, 429, "gate.waiting", count=EVENTS)
        return None

    async def _uploading(self, request: Request, receive: Receive, send: Send) -> None:
        """Pass files on as they come, as far as they are taken."""
        count, begun = 0, False

        async def bounded() -> Message:
            nonlocal count
            message = await receive()
            count += len(message.get("body", b""))
            if count > self._upload:
                raise _TooLargeError
            return message

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if _length(request) > self._upload:
                raise _TooLargeError
            await self._app(request.scope, bounded, sent)
        except _TooLargeError:
            if begun:
                raise
            await _too_large(request, self._upload)(request.scope, receive, send)

    async def _logging_in(self, request: Request, receive: Receive, send: Send) -> None:
        """Let somebody log in and count wrong passwords."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                (self._guesses.right if message["status"] < 400 else self._guesses.wrong)(address(request))
            await send(message)

        await self._app(request.scope, receive, told)


def _is_open(path: str, route: str) -> bool:
    """Whether the page that asks for the login needs it."""
    return path in OPEN or path.startswith(OPEN_FOLDERS) or route in OPEN_API


def _user(request: Request) -> str | None:
    """Who is logged in, as Gradio has it."""
    server = request.app
    names = (f"access-token-{server.cookie_id}", f"access-token-unsecure-{server.cookie_id}")
    tokens = (request.cookies.get(name) for name in names)
    return next((server.tokens[token] for token in tokens if token in server.tokens), None)


def address(request: Any) -> str:
    """Where a request comes from; uvicorn has put what a proxy on this machine tells in its place."""
    return request.client.host if request is not None and request.client else ""


def _length(request: Request) -> int:
    """How many bytes are announced."""
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


async def _body(request: Request, receive: Receive) -> bytes:
    """The whole body. Raises _TooLargeError for more than `MAX_BODY` bytes, of which no more are read."""
    if _length(request) > MAX_BODY:
        raise _TooLargeError
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _TooLargeError
        if not message.get("more_body"):
            return bytes(body)


def _again(receive: Receive, body: bytes) -> Receive:
    """What gives a body that was read once more, and then whatever else comes."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _refused_cancel(request: Request, body: bytes) -> JSONResponse | None:
    """The answer to a cancel that is not passed on: that of a job of somebody else's, or of one that has ended."""
    try:
        asked = json.loads(body)
        event, session = asked["event_id"], asked["session_hash"]
        job = request.app.get_blocks()._queue.event_ids_to_events.get(event)
    except (ValueError, TypeError, LookupError):
        return _refused(request, 422, "gate.cancel")
    if job is None:
        return JSONResponse({"success": True})
    if job.session_hash != session or job.username != _user(request):
        return _refused(request, 403, "gate.owner")
    return None


def _miscounted(request: Request, route: str, body: bytes) -> JSONResponse | None:
    """The answer to a call of an endpoint with fewer or more values than it takes, of which Gradio says nothing."""
    _, call, name = route.rstrip("/").rpartition("/call/")
    if not call or "/" in name:
        return None
    asked = next((fn for fn in request.app.get_blocks().fns.values() if fn.api_name == name), None)
    if asked is None:
        return _refused(request, 404, "gate.endpoint", name=repr(name[:40]))
    try:
        data = json.loads(body)["data"]
        given = len(data) if isinstance(data, list) else None
    except (ValueError, TypeError, LookupError, RecursionError):
        given = None
    if given not in (len(asked.inputs), sum(not block.skip_api for block in asked.inputs)):
        return _refused(request, 422, "gate.values", name=name, count=len(asked.inputs))
    return None


def _listened(request: Request, route: str) -> str | None:
    """The session whose jobs a request listens to; None for one that does not."""
    if request.method != "GET":
        return None
    if route == "/queue/data":
        return request.query_params.get("session_hash")
    if route.startswith("/call/"):
        event = route.rpartition("/")[2]
        job = request.app.get_blocks()._queue.event_ids_to_events.get(event)
        return job.session_hash if job else event
    return None


def _refused(request: Request, status: int, key: str, **values: object) -> JSONResponse:
    """A refusal in the visitor's language, where Gradio's page and where its clients look for what is wrong."""
    said = say(wanted(request.headers), key, **values)
    return JSONResponse({"detail": said, "error": said}, status)


def _too_large(request: Request, most: int) -> JSONResponse:
    return _refused(request, 413, "gate.large", most=most // 1_000_000)
