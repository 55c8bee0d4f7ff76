"""The page in a frame of another site, where the browser refuses it all storage: how Spaces and blogs embed it."""

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.app.conftest import ARGUMENTS, CHROMIUM
from tests.app.steps import PATIENCE, frames


class Blog(BaseHTTPRequestHandler):
    """Another site, with the app in a frame."""

    def __init__(self, app, *rest):
        self.app = app
        super().__init__(*rest)

    def do_GET(self):
        page = f'<h1>My blog</h1><iframe src="{self.app}" width="1300" height="850"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        """Nobody reads it."""


@pytest.fixture
def blog(address):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Blog, address))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"  # another site than 127.0.0.1
    server.shutdown()
    server.server_close()


@pytest.fixture
def strict_browser(chromium, tmp_path):
    """A browser that blocks the storage of other sites' frames."""
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    preferences = {"profile": {"block_third_party_cookies": True, "cookie_controls_mode": 1}}
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    context = chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=ARGUMENTS)
    yield context
    context.close()


def test_an_embedded_page_without_storage_makes_frames_and_says_how_long_they_last(strict_browser, blog):
    page = strict_browser.new_page()
    page.set_default_timeout(PATIENCE)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(blog)
    inside = page.frame_locator("iframe")
    expect(inside.locator(".model.ready")).to_be_visible()
    expect(inside.locator(".story .tab-only")).to_be_visible()
    inside.locator("#example").click()
    expect(inside.locator("#script textarea").first).not_to_have_value("")
    inside.locator("#render").click()
    expect(frames(inside).first).to_be_visible()
    assert wrong == []
