"""What draws the frames: offered, chosen, loaded when it is first wanted, and asked for one panel alone."""

import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from anystory.backends.base import BACKENDS, MODELS, NEEDS, STORYBOOK, BackendError, DownloadError, Needs
from anystory.backends.load import load, supplied
from anystory.errors import Message
from anystory.model.flux.plans import FluxWork, plan, release_footprint
from anystory.model.memory import described
from anystory.project.folder import Project
from tests.app.conftest import visiting
from tests.app.steps import EXAMPLE, ROOT, few_steps, frames, open_part, settle, upload, write
from tests.app.test_parts import actors, job, last  # noqa: F401
from ui import choice, space
from ui.backends import Backends, named
from ui.frames import standing
from ui.serve import agreed, arguments, loaders, visitors
from ui.strings import LANGUAGES, say
from ui.strip import strip
from ui.studio import Moment, Studio, takes


def arrive(backends, name):
    """Wait for a backend."""
    for _ in backends.arriving(name, again=True):
        pass


def test_who_is_not_chosen_is_not_loaded_and_who_failed_may_try_again(tiny_backend):
    tried = []

    def fails():
        tried.append(len(tried))
        if len(tried) < 3:
            raise BackendError("There is no GPU.")
        return tiny_backend

    backends = Backends({"mini": lambda: tiny_backend, "flux": fails}, {"flux": ["plan", "34 GB"]})
    assert backends.first == "mini" and backends["mini"] is tiny_backend and tried == []
    assert (backends.saying("flux"), backends.saying("mini")) == ("34 GB", "")
    arrive(backends, "flux")
    for _ in range(2):
        with pytest.raises(BackendError, match="There is no GPU"):
            backends["flux"]
    assert backends.loaded("flux") is None and backends.loaded("mini") is tiny_backend
    assert backends.maker("flux", "mini") == "mini" and len(tried) == 1
    arrive(backends, "flux")
    arrive(backends, "flux")
    assert backends.loaded("flux") is tiny_backend and backends.maker("flux", "mini") == "flux"
    with pytest.raises(BackendError, match="There is no backend 'dream'; choose one of: mini, flux"):
        arrive(backends, "dream")


def test_of_large_ones_one_is_in_memory_and_nobody_loses_theirs(monkeypatch):
    monkeypatch.setitem(NEEDS, "big", Needs(gpu=8))
    there, loads = set(), []

    class Large:
        def __init__(self, name):
            self.name = name
            loads.append((name, sorted(there)))
            there.add(name)

        def __del__(self):
            there.discard(self.name)

    names = ("flux", "big", STORYBOOK)
    backends = Backends({name: partial(Large, name) for name in names})
    arrive(backends, STORYBOOK)
    begun, let_go = threading.Event(), threading.Event()

    def work():
        with backends.using("flux"):
            begun.set()
            let_go.wait()

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait()
    waiting = backends.arriving("big")
    while backends.loaded("flux"):
        next(waiting)
    assert backends.loaded("flux") is None, "whoever asks for it now comes after"
    assert "big" not in there and "flux" in there
    let_go.set()
    worker.join()
    for _ in waiting:
        pass
    with backends.using("big") as big:
        assert big.name == "big" and sorted(there) == ["big", STORYBOOK]
    del big
    assert backends["flux"].name == "flux"
    assert loads[-1] == ("flux", [STORYBOOK])


def test_weights_are_downloaded_where_somebody_has_agreed_and_not_before(tiny_backend, monkeypatch):
    """By the command line, on the page, or on a Space, by whoever set it up."""
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert agreed(arguments([])) == set() and agreed(arguments(["--download"])) == set(MODELS)
    may = agreed(arguments([]))
    asks = loaders(arguments(["--offer", "klein,flux"]), lambda *_: None, may)["klein"].keywords["agree"]

    def load():
        if not asks("Download 15.9 GB?"):
            raise DownloadError(Message("{names}, {size} to {folder}.", names="a/<b>", size="15.9 GB", folder="here"))
        return tiny_backend

    backends, words = Backends({"mini": lambda: tiny_backend, "klein": load}, agreed=may), partial(say, "en")
    arrive(backends, "klein")
    with pytest.raises(DownloadError) as lacking:
        backends["klein"]
    offer = choice.menu(backends, "mini", words, offer=("klein", lacking.value))
    assert "klein is not on this machine yet: 15.9 GB would be downloaded, once, from a/&lt;b&gt; on" in offer
    assert '<button type="button" data-name="klein" data-agreed>Download</button>' in offer and "data-no>" in offer
    assert "data-agreed" not in choice.menu(backends, "mini", words)
    alone = Backends({"klein": load}, agreed=set())
    assert "data-agreed" in choice.menu(alone, "klein", words, offer=("klein", lacking.value))
    backends.agree("klein")
    arrive(backends, "klein")
    assert backends["klein"] is tiny_backend
    monkeypatch.setenv("SPACE_ID", "somebody/anystory")
    assert agreed(arguments([])) == set(MODELS)


def lacking_klein(agreed, tiny_backend):
    """What loads a klein that is not here."""

    def load():
        if "klein" not in agreed:
            raise DownloadError(Message("{names}, {size} to {folder}.", names="a", size="15.9 GB", folder="/home/me"))
        return tiny_backend

    return load


def test_who_comes_by_a_shared_link_has_nothing_downloaded(tiny_backend):
    agreed, words = set(), partial(say, "en")
    backends = Backends({"mini": lambda: tiny_backend, "klein": lacking_klein(agreed, tiny_backend)}, agreed=None)
    backends.agree("klein")
    arrive(backends, "klein")
    with pytest.raises(DownloadError) as lacking:
        backends["klein"]
    assert agreed == set() and not backends.asks and choice.offer(backends, "klein", lacking.value) is None
    wrong = choice.wrong(backends, "klein", lacking.value, words)
    assert wrong.startswith("klein is not on this machine yet.") and "--download" in wrong
    mine = Backends({"mini": lambda: tiny_backend}, agreed=agreed)
    assert choice.offer(mine, "klein", lacking.value) == ("klein", lacking.value)
    assert choice.wrong(mine, "klein", lacking.value, words) == words(lacking.value)
    asked = [arguments([]), arguments(["--share", "--offer", "klein"])]
    assert [visitors(each, agreed) for each in asked] == [agreed, None]


def test_a_question_puts_nobody_out_of_memory(tiny_backend):
    agreed = set()
    load = lacking_klein(agreed, tiny_backend)
    backends = Backends({"flux": lambda: tiny_backend, "klein": load}, agreed=agreed, ask=lambda name: load())
    arrive(backends, "flux")
    arrive(backends, "klein")
    with pytest.raises(DownloadError):
        backends["klein"]
    assert backends.loaded("flux") is tiny_backend
    backends.agree("klein")
    arrive(backends, "klein")
    assert backends.loaded("klein") is tiny_backend and backends.loaded("flux") is None


def test_who_agrees_while_another_is_asked_is_not_asked_again(tiny_backend):
    agreed, asking, go_on = set(), threading.Event(), threading.Event()
    load = lacking_klein(agreed, tiny_backend)

    def slowly():
        asking.set()
        try:
            return load()
        finally:
            go_on.wait()

    backends = Backends({"mini": lambda: tiny_backend, "klein": slowly}, agreed=agreed)
    other = backends.arriving("klein", again=True)
    next(other)
    asking.wait()
    backends.agree("klein")
    mine = backends.arriving("klein", again=True)
    next(mine)
    go_on.set()
    for _ in mine:
        pass
    assert backends["klein"] is tiny_backend


def test_the_operator_says_what_is_offered(monkeypatch):
    monkeypatch.delenv("ANYSTORY_OFFER", raising=False)
    assert space.offered(None, STORYBOOK, shared=False) == BACKENDS
    assert space.offered(None, "flux", shared=False) == ("flux", *(name for name in BACKENDS if name != "flux"))
    assert space.offered(None, "flux", shared=True) == ("flux", STORYBOOK)
    assert space.offered((), "mini", shared=False) == ("mini",)
    monkeypatch.setenv("ANYSTORY_OFFER", "mini, storybook")
    assert space.offered(None, STORYBOOK, shared=True) == (STORYBOOK, "mini")
    monkeypatch.setenv("ANYSTORY_OFFER", "dream")
    with pytest.raises(BackendError, match="ANYSTORY_OFFER: 'dream' is no backend; choose of storybook, mini"):
        space.offered(None, STORYBOOK, shared=False)
    assert named("none") == () and arguments(["--offer", "mini"]).offer == ("mini",)
    with pytest.raises(SystemExit):
        arguments(["--offer", "mini,dream"])


def test_what_the_command_line_says_of_the_machine_holds_for_all_models(tiny_model_folder, monkeypatch):
    monkeypatch.delenv("ANYSTORY_OFFER", raising=False)
    asked = arguments(["--model", str(tiny_model_folder), "--device", "cpu", "--vram", "9"])
    given = {name: one.keywords for name, one in loaders(asked, lambda *_: None).items()}
    assert list(given) == ["mini", *(name for name in BACKENDS if name != "mini")]
    assert given["mini"]["model"] == tiny_model_folder and "model" not in given["flux"]
    assert given["flux"]["device"] == "cpu" and given["flux"]["vram"] == 9
    assert set(given[STORYBOOK]) == {"tell", "agree"}


def test_every_backend_says_what_it_is_and_needs_in_every_language(tiny_backend):
    assert set(NEEDS) >= set(BACKENDS) and supplied("mini") > 1e6 and supplied(STORYBOOK) == 0
    backends = Backends({name: lambda: tiny_backend for name in BACKENDS})
    for code in LANGUAGES:
        menu = choice.menu(backends, STORYBOOK, partial(say, code))
        assert menu.count("<li") == len(BACKENDS) and menu.count("<button") == len(BACKENDS) - 1
        assert "34 GB" in menu and "open" not in menu
    words = partial(say, "en")
    assert " open>" in choice.menu(backends, STORYBOOK, words, loading="flux")
    wrong = choice.menu(backends, STORYBOOK, words, wrong="No <b>GPU</b>.")
    assert "No &lt;b&gt;GPU&lt;/b&gt;." in wrong and 'data-now="storybook"' in wrong
    alone = Backends({"mini": lambda: tiny_backend})
    assert choice.menu(alone, "mini", words) == choice.once(alone, None, words) == ""


def test_what_a_model_says_while_it_is_loaded_is_in_the_page_s_language(tiny_backend):
    turns = described(plan(release_footprint(), FluxWork(), "bf16", "bf16", "model"))
    told = [Message("{name}: {plan}.", name="FLUX", plan=turns), "somebody else's /a/b/c"]
    for code, says in (("es", "un modelo a la vez en la tarjeta"), ("zh-CN", "显卡上每次只放一个模型")):
        words = partial(say, code)
        backends = Backends(dict.fromkeys(("mini", "flux"), lambda: tiny_backend), {"flux": told[:1]})
        menu = choice.menu(backends, "mini", words, loading="flux")
        assert says in menu and "expected" not in menu
        backends = Backends(dict.fromkeys(("mini", "flux"), lambda: tiny_backend), {"flux": told})
        assert "somebody else&#x27;s c<" in choice.menu(backends, "mini", words, loading="flux")
        moment = Moment("backend.loading", {"name": "flux"}, what=backends.told("flux")[0])
        assert says in standing(SimpleNamespace(moment=moment, stopped=False), words)


@pytest.fixture(scope="module")
def both(tiny_backend):
    """Storybook, and a tiny model as mini."""
    return Studio({STORYBOOK: lambda: load(STORYBOOK), "mini": lambda: tiny_backend})


def test_one_panel_of_another_backend_is_a_take_and_the_others_stay(both, actors):  # noqa: F811
    asked = job(both, actors, "[size: 64] Bruno at the beach\n[size: 64] Bruno and Fern", steps=None, guidance=None)
    first = last(both.render(asked)).shown
    assert [item.backend for item in first] == [STORYBOOK, STORYBOOK]
    one = replace(first[1].job.drawn_by("mini"), panels=(2,))
    now = last(both.render(one, first)).shown
    assert [item.backend for item in now] == [STORYBOOK, "mini"]
    assert now[0] is not first[0] and now[0].thumbnail == first[0].thumbnail
    assert [take.backend for take in takes(now[1])] == [STORYBOOK]
    assert now[1].frame.trace.total == both.backends["mini"].about.defaults.steps, "its own, not a sketch's one"
    words = partial(say, "en")
    panels = now[0].job.script.panels
    assert strip(words, panels, now, (), None).count('class="by"') == 2
    assert strip(words, panels, first, (), None).count('class="by"') == 0
    assert 'data-name="storybook"' in choice.once(both.backends, now[1], words)
    moments = list(both.render(replace(asked, backend=STORYBOOK), now))
    assert [item.backend for item in moments[-1].shown] == [STORYBOOK, STORYBOOK]
    assert [item.thumbnail for item in moments[-1].shown] == [item.thumbnail for item in first], "both were there"
    assert [take.backend for take in takes(moments[-1].shown[1])] == ["mini"]
    there = both.frames(asked.visit)
    assert there[1].job.drawn_by("mini").steps is None and there[1].job.backend == STORYBOOK
    assert Project(asked.visit.story).made_with[0] == STORYBOOK


def test_a_backend_that_cannot_be_had_leaves_the_frames(tiny_backend, actors):  # noqa: F811
    def fails():
        raise BackendError("There is no GPU.")

    studio = Studio({"mini": lambda: tiny_backend, "flux": fails})
    asked = job(studio, actors, "Bruno walks")
    (item,) = last(studio.render(asked)).shown
    moments = studio.render(item.job.drawn_by("flux"), (item,))
    assert next(moments).key == "frames.waiting"
    with pytest.raises(BackendError, match="There is no GPU"):
        list(moments)
    assert [frame.thumbnail for frame in studio.frames(asked.visit)] == [item.thumbnail]


def test_the_page_with_storybook_imports_no_torch(tmp_path):
    program = (
        "import sys\n"
        "from ui.quick import import_gradio\n"
        "import_gradio()\n"
        "from ui.app import build\n"
        "from ui.serve import arguments, loaders\n"
        "from ui.studio import Job, Studio\n"
        "from anystory.script.read import read_script\n"
        "studio = Studio(loaders(arguments(['--offer', 'mini,flux']), print))\n"
        "build(studio)\n"
        "script = read_script('[size: 64] [NC] the sea').script\n"
        "made = list(studio.render(Job(script, (), studio.visit(), 0)))[-1].shown\n"
        "print(studio.backends.names, [item.backend for item in made])\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["('storybook', 'mini', 'flux') ['storybook']", "[]"]


def test_what_draws_is_chosen_on_the_page_and_for_one_panel(page):
    upload(page, EXAMPLE / "fern.png")
    expect(page.locator("img.cutout")).to_have_count(1)
    write(page, "[size: 64] Fern on the beach\n[size: 64] Fern in the forest")
    few_steps(page, 2)
    page.locator("#backends summary").click()
    page.locator("#backends button[data-name=flux]").click()
    expect(page.locator("#backends .notice")).to_contain_text("FLUX.1-dev is not, or not wholly, on this computer")
    expect(page.locator("#backends li.now")).to_contain_text("mini")

    page.locator("#backends button[data-name=storybook]").click()
    expect(page.locator(".model.sketches")).to_contain_text("storybook")
    expect(page.locator("#steps")).to_be_hidden()
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    expect(page.locator("#gallery .by")).to_have_count(0)
    expect(page.locator("#draw-once button")).to_have_text([*MODELS])
    page.locator("#draw-once button").first.click()
    expect(page.locator("#gallery .by")).to_have_text(["mini", "storybook"])
    settle(page)
    expect(page.locator(".opened .number")).to_contain_text("mini")
    expect(page.locator("#draw-once button")).to_have_text([name for name in BACKENDS if name != "mini"])
    expect(page.locator(".model.sketches")).to_be_visible()
    open_part(page, "takes")
    expect(page.locator("#takes .others button")).to_contain_text("storybook")

    expect(page.locator(".story .saved")).to_be_visible()
    page.reload()
    expect(page.locator("#gallery .by")).to_have_text(["mini", "storybook"])
    expect(page.locator(".model.sketches")).to_be_visible()
    expect(page.locator("#backends li.now")).to_contain_text("storybook")


def test_a_download_is_asked_for_before_anything_is_loaded(served, browser, tiny_backend):
    agreed, told = set(), {"names": "a/klein", "size": "15.9 GB", "folder": "cache"}

    def load():
        if "klein" not in agreed:
            raise DownloadError(Message("{names} must come first, {size} to {folder}.", **told))
        return tiny_backend

    studio = Studio({"mini": lambda: tiny_backend, "klein": load}, agreed=agreed)
    with visiting(browser, served(studio)) as page:
        page.locator("#backends summary").click()
        page.locator("#backends li button[data-name=klein]").click()
        offer = page.locator("#backends .offer")
        expect(offer).to_contain_text(
            "klein is not on this machine yet: 15.9 GB would be downloaded, once, from a/klein"
        )
        expect(page.locator("#backends li.now")).to_contain_text("mini")
        offer.get_by_text("Not now").click()
        expect(offer).to_have_count(0)
        assert agreed == set()
        page.locator("#backends li button[data-name=klein]").click()
        offer.get_by_text("Download", exact=True).click()
        expect(page.locator("#backends li.now")).to_contain_text("klein")
        assert agreed == {"klein"}


def test_a_choice_is_that_of_one_visitor(page, browser, address):
    page.locator("#backends summary").click()
    page.locator("#backends button[data-name=storybook]").click()
    expect(page.locator(".model.sketches")).to_be_visible()
    with visiting(browser, address) as other:
        expect(other.locator(".model.ready")).to_have_text("model: mini")
        upload(other, EXAMPLE / "fern.png")
        expect(other.locator("img.cutout")).to_have_count(1)
        write(other, "Fern walks")
        few_steps(other, 1)
        other.locator("#render").click()
        settle(other)
        expect(other.locator(".opened .number")).to_contain_text("mini")
