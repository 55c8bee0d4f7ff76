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
from anystory.project.folder import Project
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
    assert flux.about.version == version  # what frames are asked for by
    again = load_backend("flux", model=GOLDEN, device="cpu")
    assert [progress.reused for progress in Renderer(again).render(STORY, tmp_path)] == [True, True]


def test_a_frame_has_the_key_of_the_precision_that_drew_it(flux, tmp_path, monkeypatch):
    """As if a run had begun with that precision; it is found as what was asked for all the same, by its own names."""
    for progress in Renderer(flux).render(STORY, tmp_path):
        if progress.panel == 1 and progress.step.frame:
            blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(runs_out)
    monkeypatch.setattr("anystory.backends.flux.LARGE", 0)  # as of a model so large that it starts with bf16
    half = load_backend("flux", model=GOLDEN, device="cpu")
    project, asked, theirs = Project(tmp_path), Renderer(flux).keys(STORY), Renderer(half).keys(STORY)
    assert [entry.key for entry in project.entries.values()] == [asked[0], theirs[1]]
    assert [entry.asked for entry in project.entries.values()] == asked and asked[1] != theirs[1]
    assert [project.maker(number) for number in (1, 2)] == [("flux", flux.about.version), ("flux", half.about.version)]
    assert [project.frame(number).version for number in (1, 2)] == [flux.about.version, half.about.version]

    shared = dict.fromkeys(asked)
    list(Renderer(flux, shared).render(STORY))  # under the second plan from the start
    assert not any(shared.values())  # nobody takes these for what they asked for

    named = replace(FOX, name="Vixen")
    panels = tuple(replace(panel, cast=("Vixen",)) for panel in STORY.script.panels)
    monkeypatch.undo()
    fresh = load_backend("flux", model=GOLDEN, device="cpu")
    assert fresh.about.version == flux.about.version
    list(Renderer(fresh).render(replace(STORY, script=Script(panels=panels), subjects=(named,)), tmp_path))
    assert [Project(tmp_path).frame(number).maps.names[0] for number in (1, 2)] == ["Vixen", "Vixen"]


def test_when_no_plan_is_left_a_sentence_says_so_and_finished_panels_stay(flux, tmp_path):
    flux.memory.plans = flux.memory.plans[:1]
    with pytest.raises(BackendError, match="memory is too short for this frame; close"):
        for progress in Renderer(flux).render(STORY, tmp_path):
            if progress.step.frame:
                blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(runs_out)
    assert (tmp_path / "frames" / "001.png").is_file() and not (tmp_path / "frames" / "002.png").exists()


def test_after_memory_ran_out_for_good_the_next_frame_is_made_all_the_same(flux):
    """When whoever used it is gone: nothing has to be started anew."""
    flux.memory.plans = flux.memory.plans[:1]
    blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(runs_out)
    with pytest.raises(BackendError, match="memory is too short"):
        list(Renderer(flux).render(STORY, panels=[1]))
    assert flux.unread(Prompt("A short prompt.")) == "" and len(flux.layer_shapes(SETTINGS)) == 5
    *_, last = Renderer(flux).render(STORY, panels=[1])
    assert last.step.frame.image.size == (64, 64)


def test_what_is_asked_while_another_plan_is_loaded_is_answered(flux, monkeypatch):
    answers, build = [], flux.memory._build

    def asked(plan):
        answers.append((flux.unread(Prompt("moon " * 600)) != "", flux.layer_shapes(SETTINGS)[0]))
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
    """Under a plan that has room for it; on a card of just the size for that."""
    footprint, made, pipeline = flux.footprint, flux.encode(FOX), flux.pipeline
    ways = [plan(footprint, FluxWork(), "bf16", "bf16", offload) for offload in ("none", "block")]
    crowd = [FluxSubject.joined([made] * 4)] * 4
    flux.card = (plan(footprint, FluxWork((64, 64), 512, 16), "bf16", "bf16", "block").peak + 1) / SPARE
    flux.memory.plans, flux.memory._build, flux.memory.plan = tuple(ways), lambda plan: pipeline, ways[0]
    short, names = replace(SETTINGS, steps=1), ["A", "B", "C", "D"]
    *_, last = flux.denoise(Request(Prompt("a fox"), ("Fox",), [made], short, 1))
    assert flux.memory.plan == ways[0] and last.frame
    *_, last = flux.denoise(Request(Prompt("foxes"), names, crowd, short, 1))
    assert flux.memory.plan == ways[1] and last.frame
    assert told[-1].startswith("A frame of 64 pixels with 16 pictures takes more memory; FLUX goes on with")
    *_, last = flux.denoise(Request(Prompt("a fox"), ("Fox",), [made], short, 1))
    assert flux.memory.plan == ways[0] and last.frame  # a small one does not pay for the large one before
    assert told[-1] == f"A frame of 64 pixels with 1 picture takes less memory; FLUX goes on with {ways[0]}."


def test_a_plan_that_is_too_small_for_a_large_frame_leaves_the_others_to_small_ones(flux):
    footprint, made, pipeline = flux.footprint, flux.encode(FOX), flux.pipeline
    ways = [plan(footprint, FluxWork(), "bf16", "bf16", offload) for offload in ("none", "model", "block")]
    crowd, fails = [FluxSubject.joined([made] * 4)] * 4, [True]
    flux.card = (plan(footprint, FluxWork((64, 64), 512, 16), "bf16", "bf16", "model").peak + 1) / SPARE
    flux.memory.plans, flux.memory._build, flux.memory.plan = tuple(ways), lambda plan: pipeline, ways[0]

    def once(*_):
        if fails:
            fails.clear()
            raise torch.OutOfMemoryError("CUDA out of memory.")

    hook = blocks(pipeline.transformer)[0].register_forward_pre_hook(once)
    *_, last = flux.denoise(Request(Prompt("foxes"), tuple("ABCD"), crowd, replace(SETTINGS, steps=1), 1))
    assert flux.memory.plans == (ways[0], ways[2]) and flux.memory.plan == ways[2] and last.frame
    *_, last = flux.denoise(Request(Prompt("a fox"), ("Fox",), [made], replace(SETTINGS, steps=1), 1))
    assert flux.memory.plan == ways[0] and last.frame
    hook.remove()


def test_a_frame_that_no_plan_has_room_for_is_refused_before_anything_is_loaded(flux):
    loaded, flux.card = flux.pipeline, 1e9
    flux.memory.plan = plan(flux.footprint, FluxWork(), "bf16", "bf16", "none")
    flux.memory.plans = (flux.memory.plan,)
    with pytest.raises(
        BackendError, match=r"^A frame of 2048 pixels with 0 pictures needs .* are 1\.0 GB; ask for a sm"
    ):
        next(flux.denoise(Request(Prompt("a fox"), (), (), replace(SETTINGS, size=2048), 1)))
    assert flux.pipeline is loaded


def test_other_errors_are_not_taken_for_memory(flux):
    def breaks(*_):
        raise RuntimeError("shapes do not fit")

    blocks(flux.pipeline.transformer)[0].register_forward_pre_hook(breaks)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        list(Renderer(flux).render(replace(STORY, settings=replace(SETTINGS, steps=1))))
    assert len(flux.memory.plans) == 2


def test_a_speed_has_its_own_steps_and_frames_of_its_own():
    exact, few = (load_backend("flux", model=GOLDEN, device="cpu", speed=speed) for speed in ("exact", "few"))
    assert (exact.about.defaults.steps, few.about.defaults.steps) == (25, 8)
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
    assert loaded.footprint.loras == (2 * 4 * 32, (tmp_path / "ink.safetensors").stat().st_size)


def test_vram_is_for_gpus():
    with pytest.raises(BackendError, match="how much of a GPU"):
        load_backend("flux", model=GOLDEN, device="cpu", vram=8)
    with pytest.raises(BackendError, match="how much of a GPU may be used and the device is cpu; leave it out"):
        load_backend("mini", device="cpu", vram=8)


@pytest.mark.parametrize(("device", "index"), [("cuda", 0), ("cuda:1", 1)])
def test_vram_bounds_the_gpu_that_is_used(device, index, monkeypatch):
    """By PyTorch's own reading of the device; only what asks the driver is put in its place."""
    bounds, current = [], []
    monkeypatch.setattr(torch.cuda.memory, "_lazy_init", lambda: None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * GIB, 40 * GIB))
    monkeypatch.setattr(torch._C, "_cuda_setMemoryFraction", lambda *given: bounds.append(given), raising=False)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    assert memory_of(device, 20) == memory_of(device, None) == 20 * GIB
    assert bounds == [(0.5, index)] and set(current) == ({1} if device == "cuda:1" else set())
    assert memory_of(device, 30) == 20 * GIB  # a limit is no promise: others are on the card
