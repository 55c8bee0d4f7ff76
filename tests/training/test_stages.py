"""The stages on a small world: what they train and leave alone, that they resume exactly, on one process or two."""

import math
import os
import re
import socket
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from anystory.backends.load import load
from anystory.model.attention import transformer_blocks
from anystory.model.autoencoder import PatchAutoencoder
from anystory.model.mention import SILENT
from anystory.model.pipeline import AnyStoryPipeline
from anystory.training import __main__ as command_line
from anystory.training import autoencoder, mentions, stages
from anystory.training.art import Art
from anystory.training.inputs import encode_batch, encode_references, prepare
from anystory.training.losses import Target, stage_losses
from anystory.training.stages import CORRESPONDENCE, STAGES, channel_weights, create_mini, train_stage
from anystory.training.world import World
from tests.tiny import mini_pipeline, sdxl_pipeline
from tests.training.test_world import folder  # noqa: F401 (a fixture)

RATE = 1e-3
MODELS = {"mini": mini_pipeline, "sdxl": sdxl_pipeline}


def _world(art_folder, cache):
    return World(Art(art_folder, cache, split="train", size=48), cache, size=64, scenes_count=19)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def world(folder, cache):  # noqa: F811
    return _world(folder, cache)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Saved tiny models by topology."""
    root = tmp_path_factory.mktemp("models")
    for name, make in MODELS.items():
        make().save_pretrained(root / name)
    return {name: root / name for name in MODELS}


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """The line that tells how a training is has few frames to go by."""
    monkeypatch.setattr(stages, "HEALTH_FRAMES", 4)


def _weights(model_folder):
    return AnyStoryPipeline.from_pretrained(model_folder).model.state_dict()


def _without_gradient(model_folder):
    """What of a ReferenceNet lies behind its last self-attention, which reads G and ends the pass."""
    network = AnyStoryPipeline.from_pretrained(model_folder).reference_net.requires_grad_(True)
    sum(g.sum() for g in network.features(torch.randn(1, network.config.in_channels, 8, 8))).backward()
    return {f"reference_net.{key}" for key, p in network.named_parameters() if p.grad is None}


@pytest.mark.parametrize(("name", "topology"), [("joint", "mini"), ("subject", "sdxl"), ("router", "mini")])
def test_a_stage_trains_its_part_and_nothing_else(models, world, tmp_path, capsys, name, topology):
    train_stage(name, models[topology], world, tmp_path / "out", steps=3, frames=2, learning_rate=RATE, seed=1)
    before, after = _weights(models[topology]), _weights(tmp_path / "out")
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    expected = {key for key in before if key.startswith(STAGES[name].trains)} - _without_gradient(models[topology])
    assert changed <= expected and len(changed) > 0.9 * len(expected)
    assert {prefix for prefix in STAGES[name].trains if any(key.startswith(prefix) for key in changed)} == set(
        STAGES[name].trains
    )
    assert all(weight.isfinite().all() for weight in after.values())
    said = capsys.readouterr().out
    losses = re.findall(r"(diffusion|routing) (\S+)", said)
    for sigma in (1, 4):
        assert re.search(rf"{name}: error at noise level {sigma} by reference: right \S+  wrong \S+  none \S+\n", said)
    assert {key for key, _ in losses} == {"diffusion", "routing"} and all(math.isfinite(float(v)) for _, v in losses)
    frozen = AnyStoryPipeline.from_pretrained(tmp_path / "out")
    for part in ("vae", "text_encoder", "image_encoder"):
        start = getattr(AnyStoryPipeline.from_pretrained(models[topology]), part).state_dict()
        assert all(torch.equal(start[key], weight) for key, weight in getattr(frozen, part).state_dict().items())


def test_routers_learn_where_subjects_are(models, world, tmp_path):
    """A few steps of stage 2 bring eq 4 down."""
    for steps in (1, 25):
        train_stage("router", models["mini"], world, tmp_path / str(steps), steps=steps, frames=4, learning_rate=5e-3)
    composed = world.batch(8, 2, np.random.default_rng(77))
    losses = []
    for steps in (1, 25):
        pipeline = AnyStoryPipeline.from_pretrained(tmp_path / str(steps))
        objective = replace(STAGES["router"].objective, temperature=None)
        alphas = pipeline.scheduler.alphas_cumprod
        target = Target(alphas, pipeline.scheduler.config.prediction_type, torch.ones(4))
        with torch.no_grad():
            batch = encode_batch(pipeline, prepare(pipeline, composed))
            generator = torch.Generator().manual_seed(0)
            losses.append(stage_losses(pipeline.model, batch, objective, target, generator)["routing"].item())
    assert losses[1] < 0.8 * losses[0]


def _break_at(monkeypatch, step):
    """Ctrl-C before this step, in a training that saves at each."""
    loop, at = stages.Loop, stages._at
    running = []

    def watched(*arguments, **settings):
        running.append(loop(*arguments, **(settings | {"save_every": 0.0})))
        return running[-1]

    def objective(*arguments):
        if running[-1].step == step:
            raise KeyboardInterrupt
        return at(*arguments)

    monkeypatch.setattr(stages, "Loop", watched)
    monkeypatch.setattr(stages, "_at", objective)


@pytest.mark.parametrize(("name", "workers"), [("joint", 2), ("router", 0)])
def test_broken_off_and_resumed_by_other_workers_it_ends_where_it_would_have(
    models, world, tmp_path, monkeypatch, name, workers
):
    run = {"steps": 4, "frames": 2, "learning_rate": RATE, "seed": 3}
    train_stage(name, models["mini"], world, tmp_path / "whole", **run)
    with monkeypatch.context() as patch:
        _break_at(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            train_stage(name, models["mini"], world, tmp_path / "broken", **run, workers=workers)
    state = torch.load(tmp_path / f"broken-{name}.pt", weights_only=True)
    assert state["step"] == 2 and (tmp_path / "broken" / "model_index.json").is_file()
    train_stage(name, models["mini"], world, tmp_path / "broken", **run, workers=1)
    whole, broken = _weights(tmp_path / "whole"), _weights(tmp_path / "broken")
    assert all(torch.equal(weight, broken[key]) for key, weight in whole.items())
    assert not (tmp_path / "broken.part").exists() and not (tmp_path / "broken.old").exists()


def test_what_is_published_is_the_average(models, world, tmp_path):
    train_stage("router", models["mini"], world, tmp_path / "out", steps=3, frames=2, learning_rate=RATE)
    state = torch.load(tmp_path / "out-router.pt", weights_only=True)
    published = _weights(tmp_path / "out")
    model = AnyStoryPipeline.from_pretrained(tmp_path / "out").model
    trained = [key for key, _ in model.named_parameters() if key.startswith(STAGES["router"].trains)]
    assert len(trained) == len(state["ema"]["shadow_params"])
    for key, average in zip(trained, state["ema"]["shadow_params"], strict=True):
        assert torch.equal(published[key], average)
    assert any(not torch.equal(published[key], state["model"][key]) for key in trained)


@pytest.mark.parametrize("frames", [1, 3])
def test_the_wrong_reference_of_the_health_line_is_anothers(models, world, tmp_path, monkeypatch, frames):
    seen = []
    monkeypatch.setattr(stages, "reference_gap", lambda _, batches, sigma: seen.append(batches) or {})
    train_stage("router", models["mini"], world, tmp_path / "out", steps=1, frames=frames)
    for batches in seen:
        assert {len(batch.latents) for batch in batches} == {max(2, frames)}
        assert sum(len(batch.latents) for batch in batches) >= stages.HEALTH_FRAMES
    assert len(seen) == len(stages.SIGMAS)


def test_the_stages_hand_over_as_they_go():
    joint = [stages._at(STAGES["joint"].objective, p) for p in (0.0, 0.1, 0.35, 0.6, 1.0)]
    assert [o.truth for o in joint] == pytest.approx([1, 1, 0.6, 0.2, 0.2])
    assert [o.correspondence for o in joint] == pytest.approx([CORRESPONDENCE * s for s in (1, 1, 1, 0.75, 0)])
    router = [stages._at(STAGES["router"].objective, p).temperature for p in (0.0, 0.5, 1.0)]
    assert router == pytest.approx([1.0, 0.65, 0.3])
    subject = STAGES["subject"].objective
    assert stages._at(subject, 0.5) == subject and subject.truth == 1 and not subject.joint


def test_channels_weigh_what_they_show(world):
    pipeline = mini_pipeline()
    with torch.no_grad():
        pipeline.vae.linear_decoder.weight[2] *= 100
    weights = channel_weights(pipeline, world)
    assert weights.shape == (4,) and weights.mean().item() == pytest.approx(1, abs=1e-5)
    assert weights.argmax() == 2 and weights.min() > 0
    assert torch.equal(weights, channel_weights(pipeline, world))


# Batches.


@pytest.mark.parametrize("subjects", [0, 1, 3])
@pytest.mark.parametrize("topology", MODELS)
def test_a_batch_is_encoded_as_the_pipeline_does(world, topology, subjects):
    pipeline = MODELS[topology]()
    composed = world.batch(2, subjects, np.random.default_rng(5))
    batch = encode_batch(pipeline, prepare(pipeline, composed))
    assert torch.equal(batch.latents, pipeline.encode_image(composed.frames / 127.5 - 1))
    assert len(batch.text.states) == 3 and batch.mentions.shape == (2, subjects, batch.text.states.shape[1])
    empty, _ = pipeline.encode_text([""], [()])
    assert torch.allclose(batch.text.states[-1, : empty.states.shape[1]], empty.states[0], atol=1e-5)
    assert torch.equal(batch.time_ids, pipeline.time_ids(2, (64, 64)))
    side = 64 // pipeline.latent_factor
    assert batch.masks.shape == (2, subjects, side, side)
    assert torch.allclose(batch.masks.mean((2, 3)), composed.masks.mean((2, 3)), atol=1e-6)
    tokens = (pipeline.image_encoder.config.image_size // pipeline.image_encoder.config.patch_size) ** 2 + 1
    assert batch.vision.shape == (2, subjects, tokens, 16) and batch.no_vision.shape == (tokens, 16)
    if subjects:
        tokenizer = pipeline.tokenizer_2 or pipeline.tokenizer
        for row, spans in enumerate(composed.mentions):  # captions may be longer than these encoders read
            read = tokenizer(composed.captions[row], truncation=True, return_offsets_mapping=True)["offset_mapping"]
            end = max(end for _, end in read)
            assert (batch.mentions[row] < SILENT).any(-1).tolist() == [start < end for start, _ in spans]
        assert (batch.mentions < SILENT).any()
        side = pipeline.config.reference_size // pipeline.latent_factor
        assert batch.references.shape == (2, subjects, pipeline.unet.config.in_channels + 1, side, side)


@pytest.mark.parametrize("topology", MODELS)
def test_references_of_training_are_those_of_a_story(world, topology):
    """The same cut-out through tensors and through Pillow: only the resampling differs."""
    pipeline = MODELS[topology]()
    cutout = world.batch(1, 1, np.random.default_rng(2)).references
    vision, latents = encode_references(pipeline, cutout)
    rgba = Image.fromarray(cutout[0, 0].permute(1, 2, 0).numpy(), "RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    image = Image.alpha_composite(ground, rgba).convert("RGB")
    pixels, reference, mask = pipeline.preprocess(image, rgba.getchannel("A"))
    expected = pipeline.encode_reference(reference[None], mask[None])[0]
    assert (latents[0, 0, -1] - expected[-1]).abs().mean() < 0.03
    assert (latents[0, 0] - expected).abs().mean() < 0.1 * expected.std()
    assert (vision[0, 0] - pipeline.encode_vision(pixels[None])[0]).abs().mean() < 0.05


# Several processes.


def _rank(rank, port, model, art_folder, cache, out):
    """One process of two: a step, and a second one after resuming, keeping gradients and weights of each."""
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    world, seen, average = _world(art_folder, cache), [], stages._average_gradients

    def watched(parameters, processes):
        parameters = list(parameters)
        own = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters]
        weights = [p.detach().clone() for p in parameters]
        average(parameters, processes)
        seen.append({"own": own, "mean": [p.grad.clone() for p in parameters], "weights": weights})

    stages._average_gradients = watched
    for steps in (1, 2):
        train_stage("joint", model, world, out / "model", steps=steps, frames=2, learning_rate=RATE, seed=1)
    torch.save(seen, out / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_train_one_model(models, world, folder, cache, tmp_path):  # noqa: F811
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_rank, (port, models["mini"], folder, cache, tmp_path), nprocs=2)
    ranks = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    assert len(ranks[0]) == len(ranks[1]) == 2
    for first, second in zip(*ranks, strict=True):
        assert any(not torch.equal(a, b) for a, b in zip(first["own"], second["own"], strict=True))
        for a, b, mean, other in zip(first["own"], second["own"], first["mean"], second["mean"], strict=True):
            assert torch.allclose(mean, (a + b) / 2, atol=1e-6) and torch.equal(mean, other)
        assert all(map(torch.equal, first["weights"], second["weights"]))
    start, end = ranks[0][0]["weights"], ranks[0][1]["weights"]
    assert not all(map(torch.equal, start, end))
    assert (tmp_path / "model" / "model_index.json").is_file()


# The embedded model and the command line.


@pytest.fixture(scope="module")
def foundations(tmp_path_factory):
    """Tiny encoders and autoencoder, as the first phases leave them."""
    out, pipeline = tmp_path_factory.mktemp("foundations"), mini_pipeline()
    for part in ("vae", "image_encoder", "text_encoder", "tokenizer"):
        getattr(pipeline, part).save_pretrained(out / part)
    return out


@pytest.mark.parametrize(("size", "levels"), [(128, [8, 4]), (256, [16, 8])])
def test_the_embedded_model_is_made_around_its_foundations(foundations, tmp_path, size, levels):
    """The first level, here of patches of 8 pixels, has no attention, as in SDXL."""
    create_mini(foundations, tmp_path / "mini", size)
    pipeline = AnyStoryPipeline.from_pretrained(tmp_path / "mini")
    assert pipeline.config.frame_size == size and pipeline.config.reference_size == size * 3 // 4
    assert len(transformer_blocks(pipeline.unet)) == 7
    pipeline.set_progress_bar_config(disable=True)
    step = next(pipeline.denoise(["a fox"], [()], [()], [0], steps=1, guidance=1.0))
    assert sorted({x.shape[-1] for x in step.refined}, reverse=True) == levels
    assert not pipeline.adapter.mention.to_out.weight.any()
    other = tmp_path / "again"
    create_mini(foundations, other, size)
    assert all(map(torch.equal, _weights(tmp_path / "mini").values(), _weights(other).values()))


def _refused(capsys, *arguments):
    assert command_line.main([str(a) for a in arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("anystory.training: ") and said.count("\n") == 1
    return said


def test_what_cannot_be_done_is_one_sentence(models, folder, tmp_path, capsys):  # noqa: F811
    out = tmp_path / "out"
    stage = ("stage", "router", "--out", out, "--steps", 1)
    said = _refused(capsys, *stage, "--model", models["mini"], "--art", tmp_path / "no-art")
    assert "no-art holds no index.jsonl; name the folder of the training art" in said
    assert "no-model" in _refused(capsys, *stage, "--model", tmp_path / "no-model", "--art", folder)
    assert "no-art" in _refused(capsys, "mini", "--art", tmp_path / "no-art", "--out", out)
    assert "no-model" in _refused(capsys, "export", tmp_path / "no-model", out)
    mini = ("mini", "--art", folder, "--out", out)
    for size in (0, 8, 120, 144, 200, 240, 300):
        assert f"--size is {size}; give a multiple of 16 up to 128" in _refused(capsys, *mini, "--size", size)
    assert "--minutes is 0; give a number above 0" in _refused(capsys, *mini, "--minutes", 0)
    assert "--frames is -1; " in _refused(capsys, *mini, "--frames", -1)
    assert "--threads is -2; " in _refused(capsys, *mini, "--threads", -2)
    stage = ("stage", "router", "--out", out, "--model", models["mini"], "--art", folder)
    assert "--steps is 0; " in _refused(capsys, *stage, "--steps", 0)
    assert "--minutes is nan; " in _refused(capsys, *stage, "--minutes", "nan")
    assert not out.exists()
    assert "no device 'abacus'" in _refused(capsys, "mini", "--art", folder, "--out", out, "--device", "abacus")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["stage", "router", "--model", "m", "--art", "a", "--out", "o"], "--minutes --steps"),
        (["stage", "dance", "--model", "m", "--art", "a", "--out", "o", "--steps", "1"], "'dance'"),
        (["mini", "--out", "o"], "--art"),
    ],
)
def test_what_is_missing_is_named(capsys, arguments, says):
    with pytest.raises(SystemExit) as ended:
        command_line.main(arguments)
    assert ended.value.code == 2 and says in capsys.readouterr().err


def test_a_stage_and_an_export_from_the_command_line(models, folder, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(command_line, "SCENES", 19)
    arguments = ["stage", "router", "--model", models["mini"], "--art", folder, "--out", tmp_path, "--steps", 2]
    assert command_line.main([str(a) for a in [*arguments, "--frames", 2, "--seed", 4]]) == 0
    assert command_line.main(["export", str(tmp_path / "router"), str(tmp_path / "half")]) == 0
    weights = load_file(tmp_path / "half" / "unet" / "diffusion_pytorch_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float16}
    backend = load(model=tmp_path / "half", device="cpu")
    assert backend.pipeline.unet.dtype == torch.float32 and backend.about.defaults.size == (64, 64)


def test_the_whole_making_of_the_embedded_model(folder, tmp_path, monkeypatch):  # noqa: F811
    """From the art to half precision, each phase a step or a few."""
    monkeypatch.setattr(command_line, "SCENES", 2)
    monkeypatch.setattr(autoencoder, "POOL", 16)
    monkeypatch.setattr(autoencoder, "MEASURED", 2)
    monkeypatch.setattr(mentions, "BATCH", 8)
    monkeypatch.setattr(command_line, "CPU", command_line.Scale(crops=2, drawings=8, frames=1, draws=2, rate=RATE))
    arguments = ["mini", "--art", folder, "--out", tmp_path, "--size", 64, "--minutes", 1e-3, "--workers", 2]
    assert command_line.main([str(a) for a in arguments]) == 0
    assert load(model=tmp_path / "mini", device="cpu").about.defaults.size == (64, 64)
    assert not [path for path in (tmp_path / "mini").rglob("*.json") if str(tmp_path) in path.read_text()]
    for name in ("joint", "router"):
        assert torch.load(tmp_path / f"{name}-{name}.pt", weights_only=True)["step"] >= 1


@pytest.mark.parametrize(("size", "patch"), [(48, 4), (160, 8)])
def test_sizes_that_are_taken_can_be_trained(folder, foundations, tmp_path, size, patch):  # noqa: F811
    for part in ("image_encoder", "text_encoder", "tokenizer"):
        (tmp_path / part).symlink_to(foundations / part)
    PatchAutoencoder(patch=patch, width=16).save_pretrained(tmp_path / "vae")
    create_mini(tmp_path, tmp_path / "start", size)
    world = World(Art(folder, tmp_path, split="train", size=48), tmp_path, size=size, scenes_count=1)
    train_stage("router", tmp_path / "start", world, tmp_path / "out", steps=1, frames=1, draws=1)


def test_ones_own_pictures_are_made_a_pack_before_any_process_works_alone(tmp_path, monkeypatch):
    """The end of a wait inside another would let the other processes go on before the first is done."""
    (tmp_path / "own").mkdir()
    Image.new("RGBA", (64, 64), "red").crop((-16, -16, 80, 80)).save(tmp_path / "own" / "block.png")
    alone = []

    def first_alone(work, device):
        assert not alone
        alone.append(work)
        result = work()
        alone.pop()
        return result

    monkeypatch.setattr(command_line, "first_alone", first_alone)
    monkeypatch.setattr(command_line, "SCENES", 1)
    phases = ("train_autoencoder", "train_vision", "install_text_encoder", "create_mini", "train_mentions")
    for name in (*phases, "train_stage", "_write_half"):
        monkeypatch.setattr(command_line, name, lambda *_, **__: None)
    arguments = ["mini", "--art", tmp_path / "own", "--out", tmp_path / "out", "--size", 48]
    assert command_line.main([str(a) for a in arguments]) == 0
    assert (tmp_path / "out" / "own" / "index.jsonl").is_file()


def test_every_phase_has_its_share_of_the_minutes():
    assert sum(command_line.SHARES.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        (["--device", "cpu"], 0),
        (["--device", "cuda"], 7),
        (["--device", "cuda:1", "--workers", "3"], 3),
    ],
)
def test_a_gpu_is_fed_by_all_cores_but_one(monkeypatch, arguments, workers):
    monkeypatch.setattr(command_line, "cores", lambda: 16)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    options = command_line._parser().parse_args(["mini", "--art", "a", "--out", "o", *arguments])
    assert command_line._workers(options) == workers
