"""A question that is asked again, because its answer got lost, is answered and not done again."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.connection import AGAIN
from ui.once import ASKED, EACH, NUMBER, Once


def run(told):
    """Run a coroutine in a thread of its own: where the browser's tests ran before, this one has a loop already."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, told).result()


class Counting:
    """An ASGI app that answers how many questions it was asked, once it may, and a bad one with an error."""

    def __init__(self):
        self.count, self.may = 0, asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.count += 1
        body = (await receive())["body"]
        await self.may.wait()
        await send({"type": "http.response.start", "status": 500 if body == b"bad" else 200, "headers": []})
        await send({"type": "http.response.body", "body": body + b" %d" % self.count})


def asking(once, number, body=b"what", lost=False, method="POST", path="/gradio_api/queue/join"):
    """A question under way; the answer of one that is `lost` finds nobody."""
    headers = [(NUMBER.encode(), number)] if number else []
    heard = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        if lost:
            raise OSError("nobody there")
        heard.append(message.get("body", b""))

    async def asked():
        await once({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        return b"".join(heard)

    return asyncio.create_task(asked())


def test_a_question_is_done_once_whatever_becomes_of_its_answer():
    async def said():
        app = Counting()
        once = Once(app)
        first, again = asking(once, b"1", lost=True), asking(once, b"1")
        await asyncio.sleep(0)
        app.may.set()
        assert await again == b"what 1"
        with pytest.raises(OSError, match="nobody"):
            await first
        assert [await asking(once, b"1"), await asking(once, b"2")] == [b"what 1", b"what 2"]
        assert [await asking(once, None), await asking(once, None)] == [b"what 3", b"what 4"]
        assert [await asking(once, b"3", b"bad"), await asking(once, b"3", b"bad")] == [b"bad 5", b"bad 6"]

    run(said())


def test_the_last_answers_are_kept():
    async def said():
        app = Counting()
        app.may.set()
        once = Once(app, kept=3 * EACH + 100)
        for number in (b"1", b"2", b"3", b"4"):
            await asking(once, number)
        assert [await asking(once, number) for number in (b"2", b"3", b"4", b"1")] == [
            b"what 2", b"what 3", b"what 4", b"what 5",
        ]  # fmt: skip

    run(said())


def test_only_what_a_page_asks_is_kept_and_all_else_passes_as_it_comes():
    async def said():
        app = Counting()
        app.may.set()
        once = Once(app)
        for method, path in (("GET", "/gradio_api/queue/join"), ("POST", "/gradio_api/upload"), ("GET", "/file=a.mp4")):
            first, again = [await asking(once, b"1", method=method, path=path) for _ in range(2)]
            assert first != again
        app.may.clear()
        began = asyncio.Event()

        async def film(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await app.may.wait()

        async def heard(message):
            began.set()

        scope = {"type": "http", "method": "GET", "path": "/file=a.mp4", "headers": [(NUMBER.encode(), b"2")]}
        film_ends = asyncio.create_task(Once(film)(scope, None, heard))
        await asyncio.wait_for(began.wait(), 5)
        app.may.set()
        await film_ends

    run(said())


@pytest.mark.parametrize("route", ["run/predict", "queue/join"])
def test_the_page_numbers_what_is_kept(route):
    assert f"/{route}" in ASKED and route.replace("/", "\\/") in AGAIN
