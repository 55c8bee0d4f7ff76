"""What programs ask of the running app, with Gradio's own client."""

import asyncio
import base64
import importlib.util
import json
import re
import urllib.error
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, AuthenticationError
from PIL import Image

from anystory.project.archive import unpack
from anystory.project.drafts import Store
from anystory.project.folder import Project
from anystory.render.session import Renderer
from anystory.story.model import Settings
from tests.app.steps import EXAMPLE, ROOT
from ui.app import build
from ui.limits import Limits
from ui.serve import arguments
from ui.studio import Studio

DOCS = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
STORY, CANCEL, WRONG = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)


@pytest.fixture(scope="module")
def client(address, tmp_path_factory):
    return Client(address, verbose=False, download_files=str(tmp_path_factory.mktemp("got")))


def test_callers_see_four_typed_endpoints_which_the_docs_tell(client):
    said = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(said) == {"/cutout", "/check", "/render", "/export"}
    asked = {one["parameter_name"]: one["python_type"]["type"] for one in said["/render"]["parameters"]}
    assert asked["script"] == "str" and asked["pictures"] == "list[filepath]" and asked["panels"] == "list[int]"
    given = [one["python_type"]["type"] for one in said["/render"]["returns"]]
    assert given[1:] == ["list[filepath]", "None | filepath"] and "share: float" in given[0]
    asked |= {one["parameter_name"]: "" for one in said["/export"]["parameters"]}
    assert [name for name in [*said, *asked] if f"`{name}`" not in DOCS] == []


def test_the_examples_of_the_docs(address, tiny_backend, client, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    exec(STORY.replace("http://127.0.0.1:7860", address), names)
    with Image.open(names["cutout"]) as cutout:
        assert cutout.mode == "RGBA" and cutout.getchannel("A").getextrema() == (0, 255)
    assert [one["severity"] for one in names["found"]] == ["note"] * len(names["found"])
    assert len(names["frames"]) == 2 and names["state"]["share"] == 1
    with zipfile.ZipFile(names["book"]) as book:
        assert "book/002.xhtml" in book.namelist() and names["remarks"] == []
    for kind, starts in (("storyboard", b"%PDF"), ("webtoon", b"PK"), ("webp", b"RIFF")):
        file, _ = client.predict(handle_file(names["story"]), kind=kind, grid="2x2", api_name="/export")
        assert Path(file).read_bytes().startswith(starts)
    for wrong, says in (
        ({"kind": "docx"}, "no kind of file 'docx'"),
        ({"trim": "huge"}, "no paper 'huge'"),
        ({"bleed": 0.125}, "A bleed is for a trim"),
        ({"kind": "storyboard", "grid": "9x9"}, "9x9 cells is not between"),
        ({"kind": "ora", "panel": 3}, "panel is 3; it must be a whole number from 1 to 2"),
        ({"kind": "ora", "panel": 2}, "in one piece"),
    ):
        with pytest.raises(AppError, match=says):
            client.predict(handle_file(names["story"]), **wrong, api_name="/export")
    assert "0.25 Panel 1 of 2 · step 2 of 4" in capsys.readouterr().out

    unpack(names["story"], tmp_path / "story")
    story = Project(tmp_path / "story").story()
    assert story.settings == Settings(size=64, seed=7, steps=4, guidance=tiny_backend.about.defaults.guidance)
    own = [one.step.frame for one in Renderer(tiny_backend).render(story) if one.done]
    for frame, file in zip(own, names["frames"], strict=True):
        with Image.open(file) as made:
            assert made.convert("RGB").tobytes() == frame.image.tobytes()

    exec(WRONG, names)
    assert f"print(error)  # {capsys.readouterr().out}" in WRONG


def test_a_render_that_is_cancelled_gives_the_queue_free(client):
    names = {"client": client}
    exec(CANCEL, names)
    wait([names["job"].future])  # Gradio's iterator of a cancelled job may never end
    for state, frames, story in names["job"].outputs():
        assert state["share"] < 1 and story is None and len(frames) < 20
    state, frames, story = client.predict(script="[NC] waves", steps=1, api_name="/render")
    assert story and len(frames) == 1


def test_a_caller_names_what_draws(client):
    _, (frame,), _ = client.predict(script="[size: 64] [NC] waves", backend="storybook", api_name="/render")
    with Image.open(frame) as picture:
        assert picture.info["backend"] == "storybook"
    with pytest.raises(AppError, match="There is no backend 'dream'; choose one of: mini, storybook"):
        client.predict(script="[NC] waves", backend="dream", api_name="/render")


def test_a_call_says_the_size_and_the_shape_of_its_frames(client):
    for asked, size in (({"size": "96x64"}, (96, 64)), ({"shape": "3:4"}, (56, 72)), ({"pages": "one"}, (64, 64))):
        _, (frame,), _ = client.predict(script="[NC] waves", steps=1, **asked, api_name="/render")
        with Image.open(frame) as picture:
            assert picture.size == size
    with pytest.raises(AppError, match="16:9 and manga say one each"):
        client.predict(script="[NC] waves", shape="16:9", pages="manga", api_name="/render")


def test_what_nobody_can_open_again_is_not_kept_and_limits_hold(tiny_backend, tmp_path):
    store = Store(tmp_path / "stories")
    page = build(Studio({"mini": lambda: tiny_backend}, stories=store, limits=Limits(panels=1)))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        client = Client(url, verbose=False, download_files=str(tmp_path / "got"))
        _, frames, story = client.predict(script="[NC] waves", steps=1, api_name="/render")
        with pytest.raises(AppError, match="renders at most 1 panels"):
            client.predict(script="[NC] waves\n[NC] sand", steps=1, api_name="/render")
    finally:
        page.close()
    assert len(frames) == 1 and unpack(story, tmp_path / "story") is not None
    assert list(store.root.iterdir()) == []


def test_with_a_login_nobody_else_gets_in(served):
    url = served(auth=("me", "secret"))
    for wrong in (None, ("me", "guess")):
        with pytest.raises((AuthenticationError, ValueError), match=r"[Ll]og ?in"):
            Client(url, verbose=False, auth=wrong)
    for path in ("config", "gradio_api/info", "gradio_api/call/check", f"gradio_api/file={ROOT / 'README.md'}"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url + path, b"{}" if "call" in path else None))
        assert refused.value.code == 401, path
    assert Client(url, verbose=False, auth=("me", "secret")).predict("[NC] waves", api_name="/check") == []


def test_the_endpoints_are_mcp_tools(served):
    mcp = pytest.importorskip("mcp", reason="pip install 'gradio[mcp]'")
    from mcp.client.streamable_http import streamablehttp_client

    async def ask(url):
        async with streamablehttp_client(url) as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            said = await session.call_tool("check", {"script": "[Mai] sits", "names": ["Mia"]})
            return {tool.name: tool for tool in tools}, said

    with ThreadPoolExecutor(1) as apart:  # the browser of other tests has a loop in this thread
        tools, said = apart.submit(asyncio.run, ask(f"{served(mcp=True)}gradio_api/mcp/")).result()
    assert set(tools) == {"cutout", "check", "render", "export"}
    assert tools["check"].description.startswith("Say what is wrong with a script.")
    assert set(tools["check"].inputSchema["properties"]) == {"script", "names"}
    assert not said.isError and "did you mean 'Mia'" in said.content[0].text


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"script": ""}, "The script has no panels; write at least one."),
        ({"script": "a fox", "panels": [2]}, "The value of panels is 2; it must be a whole number from 1 to 1."),
        ({"script": "a fox", "seed": "x"}, 'The value of seed is "x"; it must be a whole number from'),
        ({"script": "a fox", "names": [f"N{n}" for n in range(99)]}, "There are 99 characters; a story has at most"),
        ({"script": "Al runs", "names": ["Al"]}, "Al has neither a picture nor a description; add one of the two."),
        ({"script": "Al runs", "pictures": ["al.png"]}, "The picture has not arrived; choose it again."),
        ({"script": "Al runs", "pictures": ["data:image/png"]}, "The picture 'data:image/png' cannot be fetched"),
        ({"script": "Al runs", "pictures": ["http://127.0.0.1:9/al.png"]}, "al.png' cannot be fetched; give another."),
        ({"script": "Al runs", "pictures": ["http://x/gradio_api/file=/etc/hostname"]}, "The picture has not arrived"),
    ],
)
def test_a_mistake_is_one_sentence(client, asked, says):
    with pytest.raises(AppError, match=re.escape(says)):
        client.predict(**asked, api_name="/render")


def test_a_mistake_is_told_in_the_language_of_the_caller(address):
    spanish = Client(address, verbose=False, download_files=False, headers={"Accept-Language": "es"})
    with pytest.raises(AppError, match="El valor de steps es true; debe ser un número entero de 0 a 1000"):
        spanish.predict(script="a fox", steps=True, api_name="/render")
    with pytest.raises(AppError, match="Hay 99 personajes"):
        spanish.predict(script="a fox", names=[f"N{n}" for n in range(99)], api_name="/render")


def test_names_are_composed_and_stripped_as_in_scripts(client):
    asked = {"script": "cast: Zoë, a fox\nZoë runs", "names": ["Zoe\u0308 "]}
    assert client.predict(**asked, api_name="/check") == []
    (found,) = client.predict(script="[NC] the sea", names=["Zoë"], api_name="/check")
    assert found["code"] == "unknown-name" and found["message"].startswith("Zoë is in no panel; ")
    picture = handle_file(EXAMPLE / "fern.png")
    state, frames, _ = client.predict(**asked, pictures=[picture], steps=1, api_name="/render")
    assert len(frames) == 1 and state["found"] == []


def test_pictures_may_be_strings_as_mcp_sends_them(client, address):
    picture = EXAMPLE / "fern.png"
    data = f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
    plain = Client(address, verbose=False, download_files=False)
    uploaded = plain.predict(handle_file(picture), api_name="/cutout")[0]["url"]
    asked = {"script": "Fern meets Pip", "names": ["Fern", "Pip"], "steps": 1}
    _, frames, _ = client.predict(**asked, pictures=[data, uploaded], api_name="/render")
    assert len(frames) == 1


def test_files_of_the_machine_are_not_to_be_had(address):
    call = f"{address}/gradio_api/call/cutout"
    data = json.dumps({"data": [{"path": str(ROOT / "assets" / "example" / "fern.png")}]}).encode()
    with urllib.request.urlopen(urllib.request.Request(call, data, {"Content-Type": "application/json"})) as said:
        event = json.load(said)["event_id"]
    with urllib.request.urlopen(f"{call}/{event}") as said:
        assert "The picture has not arrived" in said.read().decode()


def test_mcp_without_its_extra_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr("ui.serve.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        arguments(["--mcp"])
    assert capsys.readouterr().err.startswith(
        "anystory app: --mcp needs a part of Gradio that is not here: pip install"
    )
    assert importlib.util.find_spec("gradio.mcp")
