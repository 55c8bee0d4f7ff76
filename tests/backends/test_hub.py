"""Downloads from the Hugging Face Hub, tried against a small one on this computer through `HF_ENDPOINT`."""

import json
import os
import pty
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from anystory.backends.files import whole
from anystory.backends.hub import CHECKPOINT, FLUX, KLEIN
from tests.hub import ACCEPTED, NEW, Hub
from tests.klein import saved

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "flux"
BASE, REDUX, AUTHORS = (repository.name for repository in FLUX)

FETCH = """
import sys
from anystory.backends.base import BackendError
from anystory.backends.hub import FLUX, fetch, fetch_file
try:
    print(*(fetch(FLUX) if len(sys.argv) == 1 else [fetch_file(*sys.argv[1:], ".safetensors")]), sep="\\n")
except BackendError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def hub(tmp_path):
    """A hub with the tiny weights under the names of the real ones, and what nobody needs."""
    authors = tmp_path / "authors"
    authors.mkdir()
    shutil.copy(GOLDEN / "anystory_flux_tiny.bin", authors / CHECKPOINT)
    shutil.copytree(GOLDEN / "base", tmp_path / "base")
    (tmp_path / "base" / "flux1-dev.safetensors").write_bytes(b"the same weights again")
    klein = shutil.copytree(saved(), tmp_path / "klein")
    (klein / "flux-2-klein-4b.safetensors").write_bytes(b"the same weights again")
    repositories = {BASE: tmp_path / "base", REDUX: GOLDEN / "redux", AUTHORS: authors, KLEIN[0].name: klein}
    served = Hub(repositories, gated={BASE, REDUX})
    with served.serving():
        yield served


@pytest.fixture
def ask(tmp_path):
    """Run a program against a hub, in a process of its own: the address is read when the client is imported."""

    def run(url, *arguments, program=FETCH, token=ACCEPTED, **more):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        environment |= {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        environment |= {"HF_TOKEN": token} if token else {}
        command = [sys.executable, "-c", program] if isinstance(program, str) else [sys.executable, *program]
        return subprocess.run(
            [*command, *arguments], cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False
        )

    return run


def test_everything_that_is_needed_is_downloaded_once_and_nothing_else(hub, ask):
    run = ask(hub.url)
    assert run.returncode == 0, run.stderr
    base, redux, authors = (Path(line) for line in run.stdout.splitlines())
    assert (base / "transformer" / "config.json").is_file()
    assert not (base / "flux1-dev.safetensors").exists()
    assert (redux / "image_encoder" / "model.safetensors").is_file()
    assert (authors / CHECKPOINT).read_bytes() == (GOLDEN / "anystory_flux_tiny.bin").read_bytes()
    offline = ask(hub.url, HF_HUB_OFFLINE="1", token=None)
    assert offline.stdout == run.stdout


def test_without_a_token_it_says_where_to_get_one(hub, ask):
    run = ask(hub.url, token=None)
    assert run.returncode == 1
    assert run.stderr.strip() == (
        f"{BASE} is given to people with a Hugging Face account who accepted its licence: accept it on "
        f"{hub.url}/{BASE}, make a token on {hub.url}/settings/tokens, and set HF_TOKEN to it."
    )


def test_a_licence_that_is_not_accepted_is_named(hub, ask):
    said = ask(hub.url, token=NEW).stderr.strip()
    assert said == f"Your Hugging Face account has not accepted the licence of {BASE}; accept it on {hub.url}/{BASE}."


def test_a_token_that_is_not_valid(hub, ask):
    assert "The Hugging Face token is not valid; make a new one" in ask(hub.url, token="hf_gone").stderr


def test_offline_with_nothing_cached(hub, ask):
    with socket.socket() as unused:  # bound and not listening: nobody else takes the port
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        for said in (ask(f"http://{host}").stderr, ask(f"http://{host}", HF_HUB_OFFLINE="1").stderr):
            assert said.strip() == (
                f"{BASE} is not, or not wholly, on this computer and {host} cannot be reached; connect and try again, "
                "or give a folder that has the model with --model."
            )


def test_flux_is_taken_where_its_licence_was_accepted_and_a_gpu_is_there(hub, ask):
    program = "from anystory.backends.load import suitable; print(suitable(gpu=True), suitable(gpu=False))"
    assert ask(hub.url, program=program).stdout == "flux storybook\n"
    for token in (NEW, None, "hf_gone"):
        assert ask(hub.url, program=program, token=token).stdout == "storybook storybook\n"
    assert hub.given == []
    assert ask(hub.url, program=program, HF_HUB_OFFLINE="1").stdout == "storybook storybook\n"


TAKE = "from anystory.backends.hub import KLEIN, fetch; print(fetch(KLEIN, print)[0])"
ELSE = "from anystory.backends.load import suitable; print(suitable(gpu=True), suitable(gpu=False))"


def test_klein_is_for_everybody_and_taken_where_it_was_downloaded_before(hub, ask):
    assert ask(hub.url, program=ELSE, token=None).stdout == "storybook storybook\n" and hub.given == []
    run = ask(hub.url, program=TAKE, token=None)
    said, folder = run.stdout.splitlines()
    assert said.startswith("Downloading 0.") and said.endswith("once; stop and go on as you like.")
    assert f"({KLEIN[0].name})" in said and (Path(folder) / "transformer" / "config.json").is_file()
    assert not (Path(folder) / "flux-2-klein-4b.safetensors").exists()
    assert ask(hub.url, program=TAKE, token=None, HF_HUB_OFFLINE="1").stdout == f"{folder}\n"
    assert ask(hub.url, program=ELSE, token=None, HF_HUB_OFFLINE="1").stdout == "klein storybook\n"
    assert ask(hub.url, program=ELSE).stdout == "flux storybook\n"


ASKED = """
from anystory.backends.base import DownloadError
from ui.serve import arguments, asker
try:
    asker(arguments(["--backend", "klein", "--model", "."]), set())("klein")
    asker(arguments([]), {"klein"})("klein")
    asker(arguments([]), set())("klein")
except DownloadError as error:
    print(error)
"""


def test_before_a_backend_goes_another_is_asked_for_its_weights(hub, ask):
    assert f"{KLEIN[0].name} must be downloaded first" in ask(hub.url, program=ASKED).stdout
    assert hub.given == []
    ask(hub.url, program=TAKE)
    assert ask(hub.url, program=ASKED).stdout == ""


def test_klein_may_be_gone_or_be_given_to_some_only(hub, ask):
    program, name = f"try:\n    {TAKE}\nexcept Exception as error:\n    print(error)", KLEIN[0].name
    program = program.replace("; print", "\n    print")
    hub.gated.add(name)
    assert f"{name} is given to people with a Hugging Face account" in ask(hub.url, program=program, token=None).stdout
    assert "has not accepted the licence" in ask(hub.url, program=program, token=NEW).stdout
    del hub.repositories[name]
    assert f"There is no repository {name} at " in ask(hub.url, program=program, token=None).stdout


def test_of_a_download_that_breaks_off_what_is_whole_is_kept(hub, ask):
    hub.broken.add(f"{AUTHORS}/{CHECKPOINT}")
    said = ask(hub.url).stderr.strip().splitlines()[-1]
    assert said == (
        f"The download of {AUTHORS} from {hub.url[7:]} broke off; try again: files that arrived whole are kept."
    )
    assert f"{BASE}/transformer/diffusion_pytorch_model.safetensors" in hub.given
    hub.broken.clear()
    hub.given.clear()
    run = ask(hub.url)
    assert run.returncode == 0, run.stderr
    assert hub.given == [f"{AUTHORS}/{CHECKPOINT}"]
    authors = Path(run.stdout.splitlines()[-1])
    assert (authors / CHECKPOINT).read_bytes() == (GOLDEN / "anystory_flux_tiny.bin").read_bytes()


ONE = json.dumps({"weight_map": {"a": "m-00001-of-00001.safetensors"}})
INDEX = '{"weight_map": {"a": "b.safetensors"}}'

LACKING = [
    "transformer/diffusion_pytorch_model.safetensors",
    "text_encoder_2/model-00002-of-00002.safetensors",
    "vae/config.json",
    "tokenizer/tokenizer.json",
]


@pytest.mark.parametrize("file", LACKING)
def test_configs_without_their_weights_are_no_download(hub, ask, tmp_path, file):
    """What an older client's broken download leaves, or somebody who only wanted the configs: nothing there lists what
    the repository has, and the rest is downloaded."""
    encoder = tmp_path / "base" / "text_encoder_2"
    split(encoder / "model.safetensors")
    assert ask(hub.url).returncode == 0
    cached = next((tmp_path / "cache").rglob(f"snapshots/*/{file}"))
    os.remove(cached.resolve())
    cached.unlink()
    for listing in (tmp_path / "cache").rglob("trees"):
        shutil.rmtree(listing)
    hub.given.clear()
    run = ask(hub.url)
    assert run.returncode == 0, run.stderr
    assert hub.given == [f"{BASE}/{file}"]
    cached.unlink()
    for listing in (tmp_path / "cache").rglob("trees"):
        shutil.rmtree(listing)
    assert f"{BASE} is not, or not wholly, on this computer" in ask(hub.url, HF_HUB_OFFLINE="1").stderr


def split(file):
    """One file of weights as two with an index, as large models have them."""
    weights = load_file(file)
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    where = {key: names[number % 2] for number, key in enumerate(weights)}
    for name in names:
        save_file({key: weights[key] for key in where if where[key] == name}, file.with_name(name), {"format": "pt"})
    index = json.dumps({"metadata": {}, "weight_map": where})
    file.with_name("model.safetensors.index.json").write_text(index)
    file.unlink()


@pytest.mark.parametrize(
    ("files", "enough"),
    [
        ({"config.json": "{}"}, False),
        ({"config.json": "{}", "model.safetensors": ""}, True),
        ({"config.json": "{}", "model.gguf": ""}, True),
        ({"config.json": "{}", "model.gguf": "", "m.safetensors.index.json": INDEX}, True),
        ({"model.safetensors": ""}, False),
        ({"config.json": "{}", "m-00001-of-00002.safetensors": ""}, False),
        ({"config.json": "{}", "m-00001-of-00001.safetensors": ""}, False),
        ({"config.json": "{}", "m-00001-of-00001.safetensors": "", "m.safetensors.index.json": ONE}, True),
        ({"config.json": "{}", "m.safetensors": "", "m.safetensors.index.json": INDEX}, False),
        ({"config.json": "{}", "m.safetensors": "", "m.safetensors.index.json": "["}, False),
        ({"config.json": "{}", "m.safetensors": "", "m.safetensors.index.json": "[]"}, False),
        ({"tokenizer_config.json": "{}"}, False),
        ({"tokenizer_config.json": "{}", "vocab.json": "{}"}, False),
        ({"tokenizer_config.json": "{}", "vocab.json": "{}", "merges.txt": ""}, True),
        ({"tokenizer_config.json": "{}", "spiece.model": ""}, True),
        ({"scheduler_config.json": "{}"}, True),
        ({}, False),
    ],
)
def test_a_part_is_whole_with_all_that_it_is_loaded_from(tmp_path, files, enough):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert whole(tmp_path) == enough


def test_too_little_disk_is_told_before_anything_is_downloaded(hub, ask, tmp_path):
    hub.sizes[f"{BASE}/transformer/diffusion_pytorch_model.safetensors"] = 10**15
    said = ask(hub.url).stderr
    assert "The download takes 1000000.0 GB and " in said
    assert "free; make room there, or set HF_HOME to a folder on a larger disk." in said
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_a_repository_that_lacks_a_part(hub, ask, tmp_path):
    shutil.rmtree(tmp_path / "base" / "vae")
    assert f"{BASE} at {hub.url[7:]} has no vae; this is not the repository it should be." in ask(hub.url).stderr


def test_a_lora_is_found_by_its_repository_or_its_file(hub, ask, tmp_path):
    loras = tmp_path / "loras"
    loras.mkdir()
    hub.repositories["somebody/ink"] = loras
    assert "somebody/ink should have one .safetensors file and has none" in ask(hub.url, "somebody/ink", "").stderr
    (loras / "ink.safetensors").write_bytes(b"ink")
    assert Path(ask(hub.url, "somebody/ink", "").stdout.strip()).read_bytes() == b"ink"
    (loras / "wash.safetensors").write_bytes(b"wash")
    assert Path(ask(hub.url, "somebody/ink", "wash.safetensors").stdout.strip()).read_bytes() == b"wash"
    assert "There is no repository nobody/ink" in ask(hub.url, "nobody/ink", "").stderr


def test_a_story_is_rendered_with_weights_from_the_hub(hub, ask, tmp_path):
    story = tmp_path / "story.txt"
    story.write_text("A lighthouse on a cliff. [NC]\n", encoding="utf-8")
    out = tmp_path / "out"
    arguments = ["render", str(story), "--out", str(out), "--backend", "flux", "--device", "cpu", "--steps", "1"]
    run = ask(hub.url, *arguments, program=("-m", "anystory"))
    assert run.returncode == 2 and hub.given == [] and not out.exists()
    assert f"{BASE}, {REDUX}, {AUTHORS} must be downloaded first, " in run.stderr
    assert "nobody has agreed to it; say --download, or on the page" in run.stderr
    run = ask(hub.url, *arguments, "--download", program=("-m", "anystory"))
    assert run.returncode == 0, run.stderr
    assert (out / "frames" / "001.png").is_file()
    offline = ask(hub.url, *arguments, program=("-m", "anystory"), HF_HUB_OFFLINE="1", token=None)
    assert offline.returncode == 0 and "panel 1: unchanged" in offline.stdout


@pytest.mark.parametrize(("answer", "status"), [("\n", 2), ("y\n", 0)])
def test_at_a_terminal_somebody_is_asked(hub, tmp_path, answer, status):
    """By `check`, which needs no more of the weights than a frame does."""
    (tmp_path / "story.txt").write_text("A lighthouse on a cliff. [NC]\n", encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-m", "anystory", "check", str(tmp_path / "story.txt"), "--backend", "klein"]
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    run = subprocess.Popen([*command, "--device", "cpu"], cwd=ROOT, env=environment, stdin=theirs, stderr=theirs)
    assert run.wait() == status
    said = os.read(ours, 100_000).decode()
    os.close(ours), os.close(theirs)
    assert f"Download 0.9 MB ({KLEIN[0].name}) to " in said and ", once? [y/N] " in said
    assert bool(hub.given) == (status == 0) and ("nobody has agreed to it" in said) == (status == 2)
