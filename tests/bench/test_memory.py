"""Where memory runs out the next plan takes over with a sentence, and no finished panel is lost."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from anystory.backends.base import BackendError, Lora, Request
from anystory.backends.load import load as load_backend
from anystory.backends.memory import memory_of
from anystory.model.flux.attention import blocks
from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import AnyStoryFluxPipeline
from anystory.model.flux.plans import FluxWork, plan
from anystory.model.memory import GIB, SPARE
from anystory.render.session import Renderer
from anystory.story.model import Panel, Prompt, Script, Story
from tests.backends.test_flux import FOX, GOLDEN, SETTINGS, lora_state

STORY = Story(Script(panels=(Panel("Fox sleeps.", ("Fox",)), Panel("Fox runs.", ("Fox",)))), (FOX,), SETTINGS)


@pytest.fixture
def told():
    return []


@pytest.fixture
def flux(told):
    return load_backend("flux", model=GOLDEN, device="cpu", tell=told.append)


def allocates_too_much(*_):
    torch.empty(1 << 50, dtype=torch.uint8)


def runs_out(*_):
    raise torch.OutOfMemoryError("CUDA out of memory.")


def test_the_plan_is_told_before_anything_is_loaded(monkeypatch):
    told = []

    def loading(*_):
        assert told and "transformer in float32" in told[0] and "GB of memory expected" in told[0]
        raise OSError("that is far enough")

    monkeypatch.setattr(AnyStoryFluxPipeline, "from_release", loading)
    with pytest.raises(BackendError, match="far enough"):
        load_backend("flux", model=GOLDEN, device="cpu", tell=told.append)
    assert len(told) == 1


@pytest.mark.parametrize("fault", [runs_out, allocates_too_much], ids=["gpu", "allocator"])
def test_a_story_goes_on_under_the_next_plan(flux, told, tmp_path, fault):
    version, first = flux.about.version, blocks(flux.pipeline.transformer)[3]
    for progress in Renderer(flux).render(STORY, tmp_path):
        if progress.panel == 1 and progress.step.frame:
            kept = (tmp_path / "frames" / "001.png").read_bytes()
            first.register_forward_pre_hook(fault)
    assert [plan.transformer for plan in flux.memory.plans] == ["bf16"]
    assert flux.pipeline.transformer.dtype == torch.bfloat16
    assert told[1].startswith("Memory ran out with transformer in float32") and "in bf16" in told[1]
    assert (tmp_path / "frames" / "001.png").read_bytes() == kept
    assert (tmp_path / "frames" / "002.png").is_file()
    assert flux.about.version == version
    again = load_backend("flux", model=GOLDEN, device="cpu")
    assert [progress.reused for progress in Renderer(again).render(STORY, tmp_path)] == [True, True]


def test_when_no_plan_is_left_a_sentence_says_so_and_finished_panels_stay(flux, tmp_path):
    flux.memory.plans = flux.memory.plans[-1:]
    with pytest.raises(BackendError, match="memory is too short for this frame; close"):
        for progress in Renderer(flux).render(STORY, tmp_path):
            if progress.step.frame:
                blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(runs_out)
    assert (tmp_path / "frames" / "001.png").is_file() and not (tmp_path / "frames" / "002.png").exists()


def test_after_memory_ran_out_for_good_the_next_frame_is_made_all_the_same(flux):
    """When whoever used it is gone: nothing has to be started anew."""
    flux.memory.plans = flux.memory.plans[-1:]
    blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(runs_out)
    with pytest.raises(BackendError, match="memory is too short"):
        list(Renderer(flux).render(STORY, panels=[1]))
    assert flux.unread("A short prompt.") == "" and len(flux.layer_shapes(SETTINGS)) == 5
    *_, last = Renderer(flux).render(STORY, panels=[1])
    assert last.step.frame.image.size == (64, 64)


def test_what_is_asked_while_another_plan_is_loaded_is_answered(flux, monkeypatch):
    answers, build = [], flux.memory._build

    def asked(plan):
        answers.append((flux.unread("moon " * 600) != "", flux.layer_shapes(SETTINGS)[0]))
        return build(plan)

    monkeypatch.setattr(flux.memory, "_build", asked)
    blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(runs_out)
    list(Renderer(flux).render(STORY, panels=[1]))
    assert answers == [(True, (4, 4))]


def test_a_plan_that_fails_while_loading_does_not_name_the_version(flux, monkeypatch):
    original = AnyStoryFluxPipeline.from_release

    def loading(base, redux, checkpoint, dtype, plan):
        if plan.transformer == "float32":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(base, redux, checkpoint, dtype, plan)

    monkeypatch.setattr(AnyStoryFluxPipeline, "from_release", loading)
    fallen = load_backend("flux", model=GOLDEN, device="cpu")
    assert [plan.transformer for plan in fallen.memory.plans] == ["bf16"]
    assert fallen.about.version != flux.about.version
    monkeypatch.undo()
    monkeypatch.setattr("anystory.backends.flux.LARGE", 0)  # as of a model so large that it starts with bf16
    assert load_backend("flux", model=GOLDEN, device="cpu").about.version == fallen.about.version


def test_a_frame_of_many_pictures_is_counted_before_it_is_begun(flux, told):
    """Under a plan that has room for it, and fewer at once; on a card of just the size for the usual."""
    footprint, made, pipeline = flux.footprint, flux.encode(FOX), flux.pipeline
    ways = [plan(footprint, FluxWork(), "bf16", "bf16", offload) for offload in ("none", "block")]
    crowd = [FluxSubject.joined([made] * 4)] * 4
    few, many = (plan(footprint, FluxWork(64, 512, pictures), "bf16", "bf16", "none").peak for pictures in (2, 16))
    assert few < many
    flux.card, flux.memory.plans, flux.memory._build = (few + 1) / SPARE, tuple(ways), lambda plan: pipeline
    *_, last = flux.denoise(Request(Prompt("a fox"), ("Fox",), (made,), replace(SETTINGS, steps=1), 1))
    assert flux.memory.plans == tuple(ways) and last.frame
    names = ["A", "B", "C", "D"]
    *_, last = flux.denoise(Request(Prompt("foxes"), names, crowd, replace(SETTINGS, steps=1), 1))
    assert flux.memory.plans == tuple(ways[1:]) and last.frame
    assert told[-1].startswith("A frame of 64 pixels with 16 pictures takes more memory; FLUX goes on with")


def test_other_errors_are_not_taken_for_memory(flux):
    def breaks(*_):
        raise RuntimeError("shapes do not fit")

    blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(breaks)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        list(Renderer(flux).render(replace(STORY, settings=replace(SETTINGS, steps=1))))
    assert len(flux.memory.plans) == 2


def test_a_speed_has_its_own_steps_and_frames_of_its_own():
    exact, few = (load_backend("flux", model=GOLDEN, device="cpu", speed=speed) for speed in ("exact", "few"))
    assert (exact.defaults.steps, few.defaults.steps) == (25, 8)
    assert exact.about.version != few.about.version


def test_a_lora_that_memory_is_short_for_is_not_blamed(monkeypatch, tmp_path):
    save_file(lora_state(), tmp_path / "ink.safetensors")
    add, asked = AnyStoryFluxPipeline.load_lora_weights, []

    def short(pipeline, *given, **how):
        asked.append(pipeline.transformer.dtype)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return add(pipeline, *given, **how)

    monkeypatch.setattr(AnyStoryFluxPipeline, "load_lora_weights", short)
    loaded = load_backend("flux", model=GOLDEN, device="cpu", loras=[Lora(str(tmp_path / "ink.safetensors"))])
    assert asked == [torch.float32, torch.bfloat16] and len(loaded.memory.plans) == 1


def test_vram_is_for_gpus():
    with pytest.raises(BackendError, match="how much of a GPU"):
        load_backend("flux", model=GOLDEN, device="cpu", vram=8)
    with pytest.raises(BackendError, match="how much of a GPU may be used and the device is cpu; leave it out"):
        load_backend("mini", device="cpu", vram=8)


@pytest.mark.parametrize(("device", "index"), [("cuda", 0), ("cuda:1", 1)])
def test_vram_bounds_the_gpu_that_is_used(device, index, monkeypatch):
    """By PyTorch's own reading of the device; only what asks the driver is put in its place."""
    bounds = []
    monkeypatch.setattr(torch.cuda.memory, "_lazy_init", lambda: None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * GIB, 40 * GIB))
    monkeypatch.setattr(torch._C, "_cuda_setMemoryFraction", lambda *given: bounds.append(given), raising=False)
    memory_of(device, 20)
    assert bounds == [(0.5, index)]
