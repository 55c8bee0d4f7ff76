"""The training stages (section 3.4) of any saved AnyStory, and the phase before them that a model without a
pre-trained base needs.

joint   the U-Net learns to draw together with the subject branch; routers learn beside it on detached features.
        For the embedded model, which starts from random weights.
subject stage 1: subject QFormer, ReferenceNet and the new keys and values; the base is frozen.
router  stage 2: routing QFormer and routers, by eq 4 and the diffusion loss through Gumbel-softmax gates.

Runs on one process or several (`torchrun`): gradients are averaged over all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from diffusers import EulerDiscreteScheduler, UNet2DConditionModel
from diffusers.training_utils import EMAModel
from torch import Tensor
from transformers import AutoTokenizer, BertModel, CLIPVisionModelWithProjection

from anystory.model.anystory import AnyStoryModel
from anystory.model.attention import SubjectAdapter
from anystory.model.autoencoder import PatchAutoencoder
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.qformer import QFormer
from anystory.model.reference import ReferenceNet
from anystory.training.autoencoder import SMALL, shows
from anystory.training.health import SIGMAS, reference_gap
from anystory.training.inputs import Inputs, encode_batch, prepare
from anystory.training.loop import Loop, replace_folder, warm_up_and_decay
from anystory.training.losses import Objective, Target, stage_losses
from anystory.training.muon import Muon, is_hidden_matrix
from anystory.training.parallel import ahead
from anystory.training.world import World

SUBJECT_SHARES = (0.05, 0.30, 0.50, 0.15)
"""How often a batch has 0, 1, 2 or 3 subjects per frame."""

TEMPERATURE = (1.0, 0.3)
"""Of the Gumbel-softmax, at the start and at the end of stage 2."""

LEAST_CHANNEL_WEIGHT = 0.3

HEALTH_FRAMES = 8
"""Frames of which every save tells whether their references help, at least."""

CORRESPONDENCE = 0.2
"""Weight of the correspondence loss in joint training; it fades out over the second half."""


@dataclass(frozen=True)
class TrainingStage:
    """What a stage trains and how: parameter-name prefixes, peak learning rate, objective, and whether hidden matrices
    learn by Muon: those that start at random do, a base that AdamW has trained goes on by AdamW, as in the paper."""

    trains: tuple[str, ...]
    learning_rate: float
    objective: Objective
    muon: bool = False


STAGES = {
    "joint": TrainingStage(
        ("unet.", "reference_net.", "subject_qformer.", "routing_qformer.", "adapter."),
        6e-4,
        Objective(draws=4, joint=True, mask_weight=6.0, levels=(0.4, 1.1), correspondence=CORRESPONDENCE),
        muon=True,
    ),
    "subject": TrainingStage(
        ("reference_net.", "subject_qformer.", "adapter.subject_", "adapter.reference_"),
        1e-4,
        Objective(drop_text=0.0, drop_references=0.0, drop_all=0.0),
    ),
    "router": TrainingStage(
        ("routing_qformer.", "adapter.routers.", "adapter.mention."),
        1e-4,
        Objective(truth=0.0, temperature=TEMPERATURE[0], drop_text=0.0, drop_references=0.0, drop_all=0.0),
    ),
}


def create_mini(foundations: Path, out: Path, size: int, seed: int = 0) -> None:
    """Write an untrained embedded model to `out` around the autoencoder, vision and text encoders in `foundations`."""
    torch.manual_seed(seed)
    vision = CLIPVisionModelWithProjection.from_pretrained(foundations / "image_encoder")
    text = BertModel.from_pretrained(foundations / "text_encoder", dtype=torch.float32)
    torch.nn.init.zeros_(text.pooler.dense.weight)  # unused, but expected on loading
    text_dim = text.config.hidden_size
    vae = PatchAutoencoder.from_pretrained(foundations / "vae")
    widths = (64, 96, 192) if size <= SMALL else (96, 160, 192)
    attention = (False, True, True)  # as in SDXL: the first level has the most tokens and goes without
    channels = vae.config.latent_channels
    time_dim = 32
    unet = UNet2DConditionModel(
        sample_size=size // vae.config.patch,
        in_channels=channels,
        out_channels=channels,
        down_block_types=["CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attention],
        up_block_types=["CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)],
        block_out_channels=widths,
        layers_per_block=1,
        attention_head_dim=[w // 40 for w in widths],  # diffusers means the number of heads
        cross_attention_dim=text_dim,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=time_dim,
        projection_class_embeddings_input_dim=text_dim + 6 * time_dim,
    )
    routing_dim = 192
    vision_dim = vision.config.hidden_size
    pipeline = AnyStoryPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=AutoTokenizer.from_pretrained(foundations / "tokenizer"),
        image_encoder=vision,
        unet=unet,
        reference_net=ReferenceNet.from_unet(unet),
        subject_qformer=QFormer(vision_dim, text_dim, queries=16, width=192, layers=2, head_dim=32),
        routing_qformer=QFormer(vision_dim, routing_dim, queries=1, width=192, layers=2, head_dim=32),
        adapter=SubjectAdapter.from_unet(unet, routing_dim, router_dim=64),
        scheduler=EulerDiscreteScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            prediction_type="v_prediction",
            use_karras_sigmas=True,
        ),
        frame_size=size,
        reference_size=size * 3 // 4,  # about as large as a subject is drawn: more would cost and show nothing
        guidance=3.0,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    replace_folder(out, lambda folder: pipeline.save_pretrained(folder))


def train_stage(
    name: str,
    folder: Path,
    world: World,
    out: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    frames: int = 3,
    draws: int | None = None,
    learning_rate: float | None = None,
    device: str = "cpu",
    workers: int = 0,
    seed: int = 0,
    stage: TrainingStage | None = None,
    within: Callable[[AnyStoryModel], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Train the AnyStory in `folder` by stage `name`, write it to `out` with averaged (EMA) weights.

    frames: composed frames per step and process, by `workers` more processes or, with 0, in this one: the same either
    way. draws: noise levels a frame. draws and learning_rate: the stage's own if None. The state is in `out`-NAME.pt
    beside it: the same call resumes. stage: another than the one of that name. within: a context that is open while the
    networks learn, such as a switch that takes a part of them out.
    """
    stage = stage or STAGES[name]
    if draws:
        stage = replace(stage, objective=replace(stage.objective, draws=draws))
    rank, processes = _processes(device)
    pipeline = AnyStoryPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)
    for frozen in (pipeline.vae, pipeline.text_encoder, pipeline.image_encoder):
        frozen.requires_grad_(False).eval()
    model = pipeline.model.train()
    for key, parameter in model.named_parameters():
        parameter.requires_grad_(key.startswith(stage.trains))
    for module in (model.unet, model.reference_net, pipeline.vae):
        module.to(memory_format=torch.channels_last)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    rate = learning_rate or stage.learning_rate
    matrices = {key: p for key, p in trained.items() if stage.muon and is_hidden_matrix(key, p)}
    others = [p for key, p in trained.items() if key not in matrices]
    optimisers: dict[str, torch.optim.Optimizer] = {
        "adamw": torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    }
    if matrices:
        optimisers["muon"] = Muon(matrices.values(), lr=rate)
    ema = EMAModel(trained.values(), decay=0.998, use_ema_warmup=True, power=0.75, foreach=True)
    weights = torch.ones(model.unet.config.in_channels, device=device)
    if stage.objective.joint:
        weights = channel_weights(pipeline, world)
    target = Target(pipeline.scheduler.alphas_cumprod.to(device), pipeline.scheduler.config.prediction_type, weights)

    low_precision = torch.autocast(device.split(":")[0], torch.bfloat16)
    many = max(2, frames)  # the wrong reference is another frame's
    batches = math.ceil(HEALTH_FRAMES / many)
    held = [prepare(pipeline, world.batch(many, 1, _dice("health", seed, number))) for number in range(batches)]

    def publish() -> None:
        ema.store(trained.values())
        ema.copy_to(trained.values())
        with low_precision, within(model):
            encoded = [encode_batch(pipeline, inputs) for inputs in held]
            for sigma in SIGMAS:
                errors = reference_gap(pipeline, encoded, sigma)
                told = "  ".join(f"{kind} {error:.3f}" for kind, error in errors.items())
                print(f"{name}: error at noise level {sigma:g} by reference: {told}", flush=True)
        replace_folder(out, lambda part: pipeline.save_pretrained(part))
        ema.restore(trained.values())

    loop = Loop(  # every process resumes, the first one counts, saves and publishes
        name,
        out.with_name(f"{out.name}-{name}.pt"),
        {"model": model, "ema": ema, **optimisers},
        publish,
        steps=steps,
        minutes=minutes,
        save_every=300.0,
    )
    ema.to(device)  # a state is read to the CPU, and this one is not sent on by itself

    def compose(step: int) -> Inputs:
        # Every process draws the same number of subjects, each its own frames; a step depends on its number alone.
        subjects = int(_dice("subjects", seed, step).choice(len(SUBJECT_SHARES), p=SUBJECT_SHARES))
        return prepare(pipeline, world.batch(frames, subjects, _dice("frames", seed, step, rank)))

    composed = ahead(compose, loop.step, workers=workers, pin=device.startswith("cuda"))
    generator = torch.Generator(device)
    for (step, progress), inputs in zip(_in_step(loop if rank == 0 else None, processes), composed, strict=False):
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * warm_up_and_decay(progress)
        generator.manual_seed(int(_dice("noise", seed, step, rank).integers(2**62)))
        torch.manual_seed(int(_dice("gumbel", seed, step, rank).integers(2**62)))
        with low_precision, within(model):
            batch = encode_batch(pipeline, inputs)
            losses = stage_losses(model, batch, _at(stage.objective, progress), target, generator)
        if not losses["total"].requires_grad:
            continue  # routers that learn alone learn nothing of frames with nobody in them
        model.zero_grad(set_to_none=True)
        losses["total"].backward()
        _average_gradients(trained.values(), processes)
        torch.nn.utils.clip_grad_norm_(trained.values(), 0.5)
        for optimiser in optimisers.values():
            optimiser.step()
        ema.step(trained.values())
        if rank == 0:
            loop.log(**{key: value for key, value in losses.items() if key != "total"})


def _dice(use: str, seed: int, step: int, rank: int = 0) -> np.random.Generator:
    """The chance of one use at one step of one process, none of which follows from another."""
    return np.random.default_rng([*use.encode(), seed, step, rank])


def _at(objective: Objective, progress: float) -> Objective:
    """The objective at this much of the stage: joint training hands the gates over from the truth to the routers,
    which learned beside it meanwhile; stage 2 cools the Gumbel noise."""
    if objective.joint:
        return replace(
            objective,
            truth=float(np.interp(progress, [0.1, 0.6], [1.0, 0.2])),
            correspondence=float(np.interp(progress, [0.5, 0.9], [objective.correspondence, 0.0])),
        )
    if objective.temperature is not None:
        return replace(objective, temperature=float(np.interp(progress, [0.0, 1.0], TEMPERATURE)))
    return objective


@torch.no_grad()
def channel_weights(pipeline: AnyStoryPipeline, world: World) -> Tensor:
    """How much each latent channel's error counts (C,), mean 1: as what a unit of noise in it shows. Counted alike, the
    many channels of fine detail would drown layout and colour."""
    frames = world.batch(16, 1, np.random.default_rng(0)).frames.to(pipeline.device)
    weights = shows(pipeline.vae, pipeline.encode_image(frames.float() / 127.5 - 1))
    weights = (weights / weights.mean()).clamp(min=LEAST_CHANNEL_WEIGHT)
    return weights / weights.mean()


def _processes(device: str) -> tuple[int, int]:
    """(rank, number of processes) as torchrun set them."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    if not dist.is_initialized():
        cuda = device.startswith("cuda")
        if cuda:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"  # the progress is told on the CPU
        dist.init_process_group(backend, timeout=timedelta(days=1))  # others wait while the first works alone
    return dist.get_rank(), dist.get_world_size()


def first_alone(work: Callable[[], Any], device: str) -> Any:
    """Let the first process work while the others wait; its result there, None in the others."""
    rank, processes = _processes(device)
    result = work() if rank == 0 else None
    if processes > 1:
        dist.barrier()
    return result


def _in_step(loop: Loop | None, processes: int) -> Iterator[tuple[int, float]]:
    """(step, progress) of the first process's loop, told to all."""
    source = iter(loop) if loop else None
    while True:
        now = torch.zeros(2, dtype=torch.float64)
        if loop and source:
            progress = next(source, 1.0)
            now = torch.tensor([loop.step, progress], dtype=torch.float64)
        if processes > 1:
            dist.broadcast(now, 0)
        if now[1] >= 1:
            return
        yield int(now[0]), float(now[1])


def _average_gradients(parameters: Iterable[torch.nn.Parameter], processes: int) -> None:
    """Mean gradients over all processes; a parameter without one in this step counts as zero."""
    if processes == 1:
        return
    gradients = []
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
        gradients.append(p.grad)
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= processes
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
