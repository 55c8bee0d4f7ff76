"""What stands in front of the server: logins, bodies, shares of the queue, jobs that nobody waits for."""

import json
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from tests.app.caller import JSON, Visitor
from tests.app.steps import EXAMPLE, ROOT
from ui.app import build, launch
from ui.gate import ABANDONED, EVENTS, GUESSES, LONGEST, MAX_BODY, OPEN, Guesses, Listeners
from ui.running import PROGRAMS
from ui.serve import arguments
from ui.strings import say
from ui.studio import Studio

RENDER = {"data": ["[NC] waves", [], [], [], "", "", 0, 1, -1, [], "", "", "", ""]}


@pytest.fixture(scope="module")
def shared(tiny_backend):
    """A studio and the address of its page, without a login."""
    studio = Studio({"mini": lambda: tiny_backend})
    page = build(studio)
    page.block_thread = lambda: None
    launch(page, studio, host="127.0.0.1", port=None, share=False, auth=None)
    yield studio, page
    page.close()


@pytest.fixture(scope="module")
def closed(tiny_backend):
    """The same with a login."""
    studio = Studio({"mini": lambda: tiny_backend})
    page = build(studio)
    page.block_thread = lambda: None
    launch(page, studio, host="127.0.0.1", port=None, share=False, auth=("me", "secret"))
    yield page
    page.close()


def routes(page, method):
    """Every path of a page's server, with something in the place of what is to be filled in."""
    known = [*page.app.routes]
    for part in page.app.routes:
        known += part.original_router.routes if hasattr(part, "original_router") else []
    paths = (route.path for route in known if method in (getattr(route, "methods", None) or ()))
    return sorted({re.sub(r"\{[^}]*\}", "x", path) for path in paths})


def test_without_the_login_there_is_nothing_but_the_page_that_asks_for_it(closed):
    visitor = Visitor(closed.local_url)
    asked = [path for path in routes(closed, "GET") if path not in ("/", *OPEN)]
    assert len(asked) > 20 and "/gradio_api/openapi.json" in asked
    open_ones = [path for path in asked if visitor.ask("GET", path)[0] != 401]
    parts = ("/assets", "/static", "/svelte", "/pwa_icon", "/gradio_api/user", "/gradio_api/login_check")
    parts += ("/gradio_api/theme.css", "/gradio_api/app_id", "/gradio_api/startup-events")
    assert [path for path in open_ones if not path.startswith(parts)] == []
    posted = [path for path in routes(closed, "POST") if not path.startswith("/login")]
    assert [path for path in posted if visitor.ask("POST", path, "{}", JSON)[0] != 401] == []
    assert visitor.ask("GET", "/openapi.json")[0] == 401


def test_guesses_of_a_password_are_slowed_down(closed):
    def login(visitor, password):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return visitor.ask("POST", "/login", urlencode({"username": "me", "password": password}), form)

    guesser = Visitor(closed.local_url, "127.0.0.9")
    assert [login(guesser, f"guess {n}")[0] for n in range(GUESSES)] == [400] * GUESSES
    status, said = login(guesser, "secret")
    assert status == 429 and "try again in 1 seconds" in said
    assert login(Visitor(closed.local_url), "secret")[0] == 200


def test_a_guesser_waits_longer_and_longer_and_is_forgotten():
    now = [0.0]
    guesses, waits = Guesses(lambda: now[0]), []
    for _ in range(GUESSES + 12):
        guesses.wrong("a")
        waits.append(guesses.wait("a"))
        now[0] += waits[-1]
    assert waits[: GUESSES - 1] == [0] * (GUESSES - 1)
    assert waits[GUESSES - 1 : GUESSES + 3] == [1, 2, 4, 8] and waits[-1] == LONGEST
    assert guesses.wait("b") == 0 and guesses.wait("a") == 0
    guesses.right("a")
    guesses.wrong("a")
    assert guesses.wait("a") == 0


def test_bodies_are_bounded_on_every_route(shared):
    _, page = shared
    visitor = Visitor(page.local_url)
    announced = {**JSON, "Content-Length": str(MAX_BODY + 1)}
    paths = [path for path in routes(page, "POST") if not path.endswith("/upload")]
    assert "/gradio_api/queue/join" in paths and "/gradio_api/cancel" in paths
    assert [path for path in paths if visitor.ask("POST", path, b"{}", announced)[0] != 413] == []
    untold = (b" " * 1_000_000 for _ in range(MAX_BODY // 1_000_000 + 1))
    status, said = visitor.ask("POST", "/gradio_api/queue/join", untold, JSON)
    assert status == 413 and "more than 16 MB" in said
    huge = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "9" * 12}
    assert visitor.ask("POST", "/gradio_api/upload", b"--x", huge)[0] == 413


def test_refusals_are_in_the_visitors_language(shared, closed):
    chinese, page = {"Cookie": "a=b; anystory-language=zh-CN", "Accept-Language": "es"}, shared[1]
    visitor, stranger = Visitor(page.local_url), Visitor(closed.local_url)
    huge = {**JSON, "Content-Length": str(MAX_BODY + 1), "Accept-Language": "es-MX,es;q=0.9"}
    said = json.loads(visitor.ask("POST", "/gradio_api/queue/join", b"{}", huge)[1])
    assert said["detail"] == said["error"] == say("es", "gate.large", most=MAX_BODY // 1_000_000)
    for language, headers in (("zh-CN", chinese), ("en", {}), ("en", {"Accept-Language": "fr"})):
        assert stranger.ask("GET", "/config", None, headers)[1].count(say(language, "gate.login")) == 2
    status, text = visitor.ask("POST", "/gradio_api/call/nothing", "{}", {**JSON, **chinese})
    assert status == 404 and json.loads(text)["detail"] == say("zh-CN", "gate.endpoint", name="'nothing'")
    form = {"Content-Type": "application/x-www-form-urlencoded", **chinese}
    guesser = Visitor(closed.local_url, "127.0.0.8")
    for _ in range(GUESSES + 1):
        status, text = guesser.ask("POST", "/login", urlencode({"username": "me", "password": "no"}), form)
    assert status == 429 and json.loads(text)["detail"] == say("zh-CN", "gate.guesses", seconds=1)


def test_one_visitor_has_a_share_and_checks_never_wait_behind_renders(shared):
    studio, page = shared
    many, other = Visitor(page.local_url), Visitor(page.local_url, "127.0.0.2")
    with studio.turns.enter():  # somebody is at work
        own = [many.hear("render", many.call("render", RENDER)) for _ in range(PROGRAMS)]
        assert all(answer.readline() == b"event: generating\n" for answer in own)
        refused = many.hear("render", many.call("render", RENDER)).read().decode()
        assert f"You have {PROGRAMS} renders running or waiting" in refused
        assert b"event: complete" in other.hear("check", other.call("check", {"data": ["[NC] a", []]})).read()
        let_in = other.hear("render", other.call("render", RENDER))
        assert let_in.readline() == b"event: generating\n"
    assert all(answer.read().rstrip().splitlines()[-2] == b"event: complete" for answer in (*own, let_in))
    again = many.hear("render", many.call("render", RENDER)).read()
    assert b"event: complete" in again  # the share is free again


def test_nobody_fills_the_queue(shared):
    studio, page = shared
    many, other = Visitor(page.local_url, "127.0.0.3"), Visitor(page.local_url, "127.0.0.2")
    began = page._queue.event_ids_to_events
    with studio.turns.enter():
        told = [many.call("render", RENDER) for _ in range(EVENTS + PROGRAMS + 8)]
        # Those beyond the share of renders are answered and gone as fast as they come.
        assert all(isinstance(each, str) or each[0] == 429 for each in told)
        assert len(began) <= EVENTS + 1
        assert b"event: complete" in other.hear("check", other.call("check", {"data": ["[NC] a", []]})).read()
        for event in list(began):
            body = json.dumps({"session_hash": event, "fn_index": 0, "event_id": event})
            many.ask("POST", "/gradio_api/cancel", body, JSON)


def test_a_job_is_cancelled_by_its_owner_only(shared):
    studio, page = shared
    owner = Visitor(page.local_url, "127.0.0.4")
    with studio.turns.enter():
        event = owner.call("render", RENDER)
        answer = owner.hear("render", event)
        answer.readline()
        index = page._queue.event_ids_to_events[event].fn._id

        def cancel(session, event):
            body = json.dumps({"session_hash": session, "fn_index": index, "event_id": event})
            return owner.ask("POST", "/gradio_api/cancel", body, JSON)[0]

        assert cancel("somebody-else", event) == 403
        assert cancel(event, "made-up") == 200
        assert owner.ask("POST", "/gradio_api/cancel", "[]", JSON)[0] == 422
    assert b"event: complete" in answer.read()


def test_a_job_that_nobody_listens_to_leaves(shared, monkeypatch):
    studio, page = shared
    now = [1000.0]
    monkeypatch.setattr(studio.listeners, "_clock", lambda: now[0])
    visitor = Visitor(page.local_url, "127.0.0.5")
    with studio.turns.enter():
        heard = visitor.hear("render", visitor.call("render", RENDER))
        heard.readline()
        visitor.call("render", RENDER)  # and gone
        with studio.turns._changed:
            assert studio.turns._changed.wait_for(lambda: len(studio.turns._queue) == 3, 60)
        now[0] += ABANDONED
        studio.turns.wake()
        with studio.turns._changed:
            assert studio.turns._changed.wait_for(lambda: len(studio.turns._queue) == 2, 60)
    assert b"event: complete" in heard.read()


def test_who_listens_is_counted():
    now = [0.0]
    listeners = Listeners(lambda: now[0])
    with listeners.listening("a"), listeners.listening("a"):
        now[0] += 10 * ABANDONED
        assert not listeners.abandoned("a", since=0) and listeners.abandoned("b", since=0)
    assert not listeners.abandoned("a", since=0)
    now[0] += ABANDONED
    assert listeners.abandoned("a", since=0) and not listeners.abandoned("a", since=now[0])


def test_the_same_picture_cut_out_at_once_is_a_whole_file_for_everybody(shared, tmp_path):
    _, page = shared

    def cut(number):
        client = Client(page.local_url, verbose=False, download_files=str(tmp_path / str(number)))
        return client.predict(handle_file(EXAMPLE / "fern.png"), api_name="/cutout")[0]

    with ThreadPoolExecutor(3) as pool:
        files = list(pool.map(cut, range(3)))
    pixels = set()
    for file in files:
        with Image.open(file) as picture:
            pixels.add(picture.tobytes())
    assert len(pixels) == 1


def test_a_call_with_other_values_than_an_endpoint_takes_is_told_so(shared):
    _, page = shared
    visitor = Visitor(page.local_url)
    for name, data, says in (
        ("check", {"data": []}, "check takes a list of 2 values"),
        ("check", {"data": "x"}, "check takes a list of 2 values"),
        ("nix", {"data": []}, "There is no endpoint 'nix'"),
    ):
        assert says in visitor.call(name, data)[1]
    for position, value in ((1, 5), (2, None), (9, True), (4, "\ud800"), (3, ["\ud800"])):
        data = list(RENDER["data"])
        data[position] = value
        said = visitor.hear("render", visitor.call("render", {"data": data})).read().decode()
        assert '"error": "' in said and "null" not in said.partition('"error"')[2][:8], (position, said)


@pytest.mark.parametrize("how", ["argument", "file", "variable"])
def test_a_password_need_not_be_an_argument(how, tmp_path, monkeypatch, capsys):
    (tmp_path / "login").write_text("me:a secret\n")
    given = {"argument": ["--auth", "me:a secret"], "file": ["--auth-file", str(tmp_path / "login")], "variable": []}
    if how == "variable":
        monkeypatch.setenv("ANYSTORY_AUTH", "me:a secret")
    assert arguments(given[how]).auth == ("me", "a secret")
    with pytest.raises(SystemExit, match="2"):
        arguments([*given[how], "--mcp"])
    assert "cannot log in" in capsys.readouterr().err


def test_a_login_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("ANYSTORY_AUTH", "nobody")
    for given, says in (
        (["--auth-file", str(tmp_path / "nowhere")], "cannot be read (No such file"),
        (["--auth-file", str(tmp_path / "empty")], "USER:PASSWORD"),
        ([], "ANYSTORY_AUTH: give a user"),
    ):
        with pytest.raises(SystemExit, match="2"):
            arguments(given)
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1


def test_the_app_ends_at_once_while_renders_are_at_work():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-u", "app.py", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as app:
        assert any("Running on local URL" in line for line in app.stdout)
        visitor = Visitor(f"http://127.0.0.1:{port}")
        long = {"data": ["[NC] a forest\n" * 100, *RENDER["data"][1:6], 0, 0, -1, [], "", "", "", ""]}
        heard = [visitor.hear("render", visitor.call("render", long)) for _ in range(2)]
        assert all(answer.readline() == b"event: generating\n" for answer in heard)
        app.terminate()
        assert app.wait() == 0 and app.stderr.read() == ""


def test_the_app_starts_on_a_machine_that_is_too_busy_to_answer_at_once(served, monkeypatch):
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    assert Visitor(served()).ask("GET", "/")[0] == 200
