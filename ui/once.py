"""What a page asks is done once: where an answer gets lost with its connection, the page asks again, under the number
of the question (`ui.connection`), and gets the answer that there is."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NUMBER = "x-question"
"""The header with the number of a question: nobody guesses it."""

ASKED = ("/run/predict", "/queue/join")
"""What the paths of questions end with. Answers of other routes, whole films among them, are passed on as they come,
whatever header somebody sends."""

KEPT = 8_000_000
"""Bytes of memory for answers that are kept, the last ones."""

EACH = 3000
"""Bytes that an answer takes besides its words."""

Answer = list[Message]


class Once:
    """ASGI middleware behind the `Gate`, which has read what is asked as a whole."""

    def __init__(self, app: ASGIApp, kept: int = KEPT) -> None:
        self._app, self._most = app, kept
        self._asked: dict[str, asyncio.Task[Answer]] = {}  # what is not answered yet
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._weight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = _number(scope)
        if number is None:
            await self._app(scope, receive, send)
            return
        answer = self._answers.get(number)
        if answer is None:
            if number not in self._asked:
                self._asked[number] = asyncio.create_task(self._answer(number, scope, receive))
            answer = await asyncio.shield(self._asked[number])
        for message in answer:
            await send(message)

    async def _answer(self, number: str, scope: Scope, receive: Receive) -> Answer:
        """The answer, whoever is still there to hear it; one that tells of an error may be another the next time."""
        answer: Answer = []

        async def told(message: Message) -> None:
            answer.append(message)

        try:
            await self._app(scope, receive, told)
        finally:
            del self._asked[number]
        if answer and answer[0].get("status") == 200:
            self._answers[number] = answer
            self._weight += _weight(number, answer)
            while self._weight > self._most:
                self._weight -= _weight(*self._answers.popitem(last=False))
        return answer


def _number(scope: Scope) -> str | None:
    """The number of a question; None for what is none."""
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].rstrip("/").endswith(ASKED):
        return None
    return Headers(scope=scope).get(NUMBER)


def _weight(number: str, answer: Answer) -> int:
    return EACH + len(number) + sum(len(message.get("body", b"")) for message in answer)
