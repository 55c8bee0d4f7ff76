"""The language that was chosen on the page, told to the browser before anything of Gradio asks for it: Gradio takes the
browser's own, and its scripts run before those that an app may add to a page's head."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ui.strings import LANGUAGES, language

COOKIE = "anystory-language"
"""What keeps the choice: the code of a language."""


def chosen(cookies: str) -> str | None:
    """The language that a header of cookies names; None where it names none of ours."""
    found = re.search(rf"(?:^|;\s*){COOKIE}=([\w-]+)", cookies)
    return found[1] if found and found[1] in LANGUAGES else None


def wanted(headers: Mapping[str, str]) -> str:
    """The code of the language that the visitor chose, or else their browser asks for, by a request's headers."""
    return chosen(headers.get("cookie") or "") or language(headers.get("accept-language"))


class Tongue:
    """ASGI middleware: the page that `app` serves to somebody who has chosen a language says so first of all."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_page = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in ("", "/")
        code = chosen(_cookies(scope["headers"])) if is_page else None
        if code is None:
            await self._app(scope, receive, send)
            return
        script = f'<head><script>Object.defineProperty(navigator, "language", {{value: "{code}"}})</script>'
        start: dict[str, Any] = {}

        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":  # which says how long the page is, and waits for it
                start.update(message)
                return
            body = message.get("body", b"")
            if start:
                body = body.replace(b"<head>", script.encode(), 1)
                headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                await send({**start, "headers": headers})
                start.clear()
            await send({**message, "body": body})

        await self._app(scope, receive, sent)


def _cookies(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return "; ".join(value.decode("latin-1") for name, value in headers if name.lower() == b"cookie")
