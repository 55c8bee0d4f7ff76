"""The paper's model as a backend: frames, devices, and sentences for what cannot be loaded."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops, ImageDraw
from safetensors.torch import load_file, save_file

from anystory.backends.base import BackendError, Request
from anystory.backends.load import load
from anystory.backends.models import MAX_SUBJECTS, choose_device
from anystory.backends.sdxl import fingerprint
from anystory.model.attention import Routing
from anystory.story.model import BACKGROUND, Prompt, Settings, Subject
from tests.tiny import sdxl_pipeline
from ui.strings import say

PROMPT = Prompt("a fox and a robot", ((0, 5), (10, 17)))
NAMES = ("Fox", "Robot")
WEIGHTS = "diffusion_pytorch_model.safetensors"


def _subject(name, colour):
    image, mask = Image.new("RGB", (50, 40), "gray"), Image.new("L", (50, 40))
    ImageDraw.Draw(image).ellipse((10, 5, 40, 35), fill=colour)
    ImageDraw.Draw(mask).ellipse((10, 5, 40, 35), fill=255)
    return Subject(name, image, mask)


def _frame(backend, *, prompt=PROMPT, names=NAMES, seed=0, **settings):
    settings = replace(backend.about.defaults, steps=2, **settings)
    cast = [backend.encode(_subject(name, ("red", "blue", "green", "gold")[k])) for k, name in enumerate(names)]
    *_, last = backend.denoise(Request(prompt, names, cast, settings, seed))
    return last.frame


def _same(a, b):
    return ImageChops.difference(a.image, b.image).getbbox() is None and np.array_equal(a.maps.values, b.maps.values)


@pytest.fixture
def folder(tiny_model_folder, tmp_path):
    """A copy to break."""
    return shutil.copytree(tiny_model_folder, tmp_path / "copy")


@pytest.fixture(scope="module")
def sdxl_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdxl")
    sdxl_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sdxl_backend(sdxl_folder):
    return load(model=sdxl_folder, device="cpu")


def test_a_backend_says_what_it_is(tiny_backend, tiny_model_folder):
    assert tiny_backend.about.name == "mini"
    assert tiny_backend.about.version == f"1-{fingerprint(tiny_model_folder)}"
    assert tiny_backend.about.defaults == Settings(size=64, guidance=3.0)
    assert tiny_backend.about.max_subjects == MAX_SUBJECTS == 4
    modules = [c for c in tiny_backend.pipeline.components.values() if isinstance(c, torch.nn.Module)]
    assert len(modules) == 8 and not any(m.training for m in modules)
    assert not any(p.requires_grad for m in modules for p in m.parameters())


def test_few_steps_are_a_speed_and_frames_of_it_tell_so(tiny_model_folder):
    quick = load("mini", model=tiny_model_folder, device="cpu", speed="few")
    assert quick.about.defaults.steps == 10 and load("mini", model=tiny_model_folder).about.defaults.steps == 25
    with pytest.raises(BackendError, match="The backend mini takes no --speed cached; flux does"):
        load("mini", model=tiny_model_folder, speed="cached")


def test_every_step_shows_a_preview_and_the_last_holds_the_frame(tiny_backend):
    cast = [tiny_backend.encode(_subject("Fox", "red")), tiny_backend.encode(_subject("Robot", "blue"))]
    steps = list(tiny_backend.denoise(Request(PROMPT, NAMES, cast, replace(tiny_backend.about.defaults, steps=4), 7)))
    assert [(s.index, s.total) for s in steps] == [(k, 4) for k in range(1, 5)]
    assert all(s.preview.mode == "RGB" and s.preview.size == (64, 64) for s in steps)
    assert [s.frame is None for s in steps] == [True, True, True, False]
    frame = steps[-1].frame
    assert frame.image is steps[-1].preview and frame.seed == 7
    assert frame.maps.names == ("Fox", "Robot", BACKGROUND)
    assert frame.maps.values.dtype == np.float32 and frame.maps.values.shape == (3, 8, 8)
    assert frame.maps.values.min() >= 0 and np.allclose(frame.maps.values.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize(("backend", "size"), [("tiny_backend", 64), ("tiny_backend", 72), ("sdxl_backend", 56)])
def test_the_trace_holds_the_gates_of_every_layer_and_step(backend, size, request, monkeypatch):
    backend = request.getfixturevalue(backend)
    gates, route = [], Routing.route

    def routed(routing, layer, tokens):
        gate = route(routing, layer, tokens)
        gates.append((layer, gate[0].argmax(0).numpy()))
        return gate

    monkeypatch.setattr(Routing, "route", routed)
    trace = _frame(backend, size=size).trace
    assert trace.names == ("Fox", "Robot", BACKGROUND) and (trace.total, trace.steps) == (2, (1, 2))
    assert trace.shapes == backend.layer_shapes(replace(backend.about.defaults, size=size))
    assert len(set(trace.shapes)) > 1 and len(gates) == 2 * len(trace.shapes)
    for turn, (layer, held) in enumerate(gates):
        assert np.array_equal(trace.holders(turn // len(trace.shapes) + 1, layer + 1).ravel(), held)
    coarse = [trace.holders(step, layer + 1, "coarse") for step in trace.steps for layer in range(len(trace.shapes))]
    assert any(not np.array_equal(c.ravel(), held) for c, (_, held) in zip(coarse, gates, strict=True))


@pytest.mark.parametrize("count", [0, 1, 4])
def test_any_number_of_characters(sdxl_backend, count):
    frame = _frame(sdxl_backend, prompt=Prompt("a forest"), names=tuple("ABCD"[:count]))
    assert frame.maps.names == (*"ABCD"[:count], BACKGROUND) and frame.image.size == (64, 64)


def test_too_many_characters_are_refused(tiny_backend):
    encoding = tiny_backend.encode(_subject("Fox", "red"))
    with pytest.raises(BackendError, match="at most 4 characters, this panel has 5; leave some out"):
        next(tiny_backend.denoise(Request(Prompt("a crowd"), "ABCDE", [encoding] * 5, tiny_backend.about.defaults, 0)))


def test_the_same_request_gives_the_same_frame_also_after_loading_again(tiny_backend, tiny_model_folder):
    first = _frame(tiny_backend)
    assert _same(first, _frame(tiny_backend))
    assert _same(first, _frame(load(model=tiny_model_folder, device="cpu")))


def test_every_setting_reaches_the_model(tiny_backend):
    first = _frame(tiny_backend)
    others = [{"seed": 1}, {"guidance": 1.0}, {"eta": 0.2}, {"gamma": 5.0}, {"prompt": Prompt(PROMPT.text)}]
    assert not any(_same(first, _frame(tiny_backend, **other)) for other in others)
    assert _frame(tiny_backend, size=48).image.size == (48, 48)


def test_only_the_cut_out_is_seen(tiny_backend):
    subject = _subject("Fox", "red")
    ground = Image.composite(subject.image, Image.new("RGB", subject.image.size, "lime"), subject.mask)
    a, b = tiny_backend.encode(subject), tiny_backend.encode(replace(subject, image=ground))
    assert torch.equal(a.tokens, b.tokens) and all(map(torch.equal, a.references, b.references))


def test_closing_a_frame_frees_the_backend(tiny_backend):
    encoding = tiny_backend.encode(_subject("Fox", "red"))
    processors = dict(tiny_backend.pipeline.unet.attn_processors)
    steps = tiny_backend.denoise(Request(Prompt("a fox"), ("Fox",), (encoding,), tiny_backend.about.defaults, 0))
    next(steps)
    assert tiny_backend._lock.locked()
    steps.close()
    assert not tiny_backend._lock.locked()
    assert all(tiny_backend.pipeline.unet.attn_processors[key] is p for key, p in processors.items())


def test_a_fresh_process_can_load_a_model(tiny_model_folder):
    """Where nothing but the backend was imported."""
    loaded = f"load(model={str(tiny_model_folder)!r}, device='cpu')"
    program = f"from anystory.backends.load import load; print({loaded}.about.version)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f"1-{fingerprint(tiny_model_folder)}"


# Devices.


def test_a_device_is_chosen():
    assert choose_device("cpu") == ("cpu", torch.float32)
    chosen, dtype = choose_device()
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert (chosen, dtype) == (best, torch.bfloat16 if best == "cuda" else torch.float32)


@pytest.mark.parametrize("device", ["warp", "cuda:99", "hpu", "-1"])
def test_a_device_that_is_not_there_is_refused(device, tiny_model_folder):
    with pytest.raises(BackendError, match=rf"There is no device '{device}' here; the best there is: \w+\.$"):
        load(model=tiny_model_folder, device=device)


# Folders that cannot be loaded.


def _sentence(folder):
    with pytest.raises(BackendError) as raised:
        load(model=folder, device="cpu")
    text = str(raised.value)
    assert "\n" not in text and repr(str(folder)) in text
    for code in ("zh-CN", "es"):
        told = say(code, raised.value)
        assert told != text and str(folder.parent) not in told and f"'{folder.name}'" in told
    return text


def test_a_missing_model_is_named(tmp_path):
    assert _sentence(tmp_path / "nowhere").endswith("it has no model_index.json.")
    with pytest.raises(BackendError, match="There is no backend 'sdx1'; choose one of: "):
        load("sdx1")


def test_a_broken_index_is_named(folder):
    (folder / "model_index.json").write_text("{")
    assert "cannot be loaded" in _sentence(folder)


def test_another_pipeline_is_refused(folder):
    index = json.loads((folder / "model_index.json").read_text())
    kept = {key: index[key] for key in ("_diffusers_version", "unet", "vae", "scheduler", "tokenizer", "text_encoder")}
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"} | kept))
    assert "cannot be loaded" in _sentence(folder)


@pytest.mark.parametrize("part", ["unet", "reference_net", "adapter", "vae"])
def test_missing_or_cut_off_weights_are_refused(folder, part):
    path = folder / part / WEIGHTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cannot be loaded" in _sentence(folder)
    path.unlink()
    assert "cannot be loaded" in _sentence(folder)


@pytest.mark.parametrize("part", ["text_encoder", "image_encoder"])
def test_missing_or_cut_off_encoders_are_refused(folder, part):
    path = folder / part / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cannot be loaded" in _sentence(folder)
    path.unlink()
    assert "cannot be loaded" in _sentence(folder)


def test_weights_of_another_shape_are_refused(folder):
    path = folder / "adapter" / WEIGHTS
    weights = load_file(path)
    weights["mention.to_out.weight"] = weights["mention.to_out.weight"][:, :-1].clone()
    save_file(weights, path)
    assert "cannot be loaded" in _sentence(folder)


def test_incomplete_weights_are_refused(folder):
    path = folder / "adapter" / WEIGHTS
    weights = load_file(path)
    del weights["mention.to_out.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    assert _sentence(folder).endswith("the weights of its adapter are not complete.")


def test_pickled_weights_are_not_read(folder):
    path = folder / "adapter" / WEIGHTS
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()
    assert "cannot be loaded" in _sentence(folder)


def test_the_fingerprint_tells_weights_and_configs_apart(folder, tiny_model_folder):
    first = fingerprint(folder)
    assert first == fingerprint(tiny_model_folder) and len(first) == 12
    (folder / "README.md").write_text("notes")
    assert fingerprint(folder) == first
    path = folder / "adapter" / WEIGHTS
    weights = load_file(path)
    weights["mention.to_out.weight"][0, 0] += 1e-3
    save_file(weights, path, metadata={"format": "pt"})
    second = fingerprint(folder)
    assert second != first
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"guidance": 4.0}))
    assert fingerprint(folder) not in (first, second)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": 60}, "60; mini draws multiples of 8 from 16 to 256"),
        ({"size": "64x8"}, "64x8; mini draws"),
        ({"steps": 0}, "0; it must be"),
    ],
)
def test_settings_that_make_no_frame_are_refused_in_a_sentence(tiny_backend, change, says):
    settings = replace(tiny_backend.about.defaults, **change)
    with pytest.raises(BackendError, match=f"is {says}"):
        next(tiny_backend.denoise(Request(Prompt("a forest"), (), (), settings, seed=0)))


@pytest.mark.parametrize("family", ["tiny_model_folder", "sdxl_folder"])
def test_a_model_without_one_of_its_files_is_refused(request, tmp_path, family):
    source = request.getfixturevalue(family)
    shutil.copytree(source, copied := tmp_path / "model")
    for file in sorted(copied.glob("*/*")):
        content = file.read_bytes()
        file.unlink()
        assert f"its {file.parent.name} lacks" in _sentence(copied), file
        file.write_bytes(content)
    shutil.rmtree(copied / "tokenizer")
    assert "its tokenizer lacks" in _sentence(copied)
    assert BackendError.status == 2
