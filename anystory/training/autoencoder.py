"""Train the embedded model's autoencoder on composed frames and on cut-outs.

First encoder and decoder learn together. Then the latents get their scale and the encoder rests, so that the
latent space is final and a diffusion model can begin to learn in it while the decoder grows sharper.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anystory.model.autoencoder import PatchAutoencoder
from anystory.training.loop import Loop, replace_folder, warm_up_and_decay
from anystory.training.parallel import ahead
from anystory.training.world import World

LEARNING_RATE = 1e-3

LATENT_NOISE = 0.05
"""Largest standard deviation of the noise on the latents the decoder learns from: what a denoiser leaves."""

POOL, CHUNK = 1024, 16
"""Pictures kept at hand, and composed at a time."""

REUSE = 4
"""Steps for which a chunk must do: on a CPU composing costs as much as learning."""

CROPS = (96, 96, 128)
"""Sides in pixels, step by step in turn."""

MEASURED = 16
"""Chunks of which the linear codec is made and the latents' scale is measured."""

SMALL = 128
"""Frames up to this side in pixels, which a CPU can learn to draw, have patches of 4 pixels in place of 8."""

JOINT = 0.7
"""Share of the run in which the encoder learns; after it the latent space is final."""


@torch.no_grad()
def start_from_principal_components(model: PatchAutoencoder, images: Tensor) -> None:
    """Set the linear codec to the principal components of the patches of `images` (N, 3, H, W), one per latent channel,
    each of unit variance."""
    patch, channels = model.config.patch, model.config.latent_channels
    patches = F.pixel_unshuffle(images.float(), patch).permute(0, 2, 3, 1).flatten(0, 2)
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    std = values[-channels:].flip(0).clamp(min=1e-6).sqrt()
    basis = vectors[:, -channels:].flip(1).T  # (channels, 3 * patch²), largest variance first
    shape = (channels, 3, patch, patch)
    model.linear_encoder.weight.copy_((basis / std[:, None]).view(shape))
    _bias(model.linear_encoder).copy_(-(basis / std[:, None]) @ mean)
    model.linear_decoder.weight.copy_((basis * std[:, None]).view(shape))
    # A transposed convolution has one bias per channel; the rest of the mean patch is nearly nothing.
    _bias(model.linear_decoder).copy_(mean.view(3, -1).mean(1))


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    """The bias of a layer that has one."""
    if layer.bias is None:
        raise ValueError("The layer has no bias.")
    return layer.bias


def reconstruction_loss(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """L1 on values and on horizontal and vertical differences, weighted per pixel by `weight` (B, 1, H, W)."""
    error = output.float() - target
    across, down = error.diff(dim=-1).abs(), error.diff(dim=-2).abs()
    return (error.abs() * weight).mean() + (across * weight[..., 1:]).mean() + (down * weight[..., 1:, :]).mean()


def psnr(output: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio per picture (B,), dB, of pictures in [-1, 1]; the output is clipped."""
    return -10 * ((output.float().clamp(-1, 1) - target) / 2).square().flatten(1).mean(1).log10()


@torch.no_grad()
def standardise(model: PatchAutoencoder, images: Tensor) -> None:
    """Measure the latents of `images` and make `encode` return them with mean 0 and, per channel, a standard deviation
    of the root of what it shows, relative to the one that shows most.

    Alike in all channels, noise would hide layout and fine detail at the same time; in proportion to what they show,
    as in pixels, colours would be hidden long before brightness.
    """
    latents = torch.cat([model.encode(part).latents.float() for part in images.split(32)])
    std = latents.std((0, 2, 3))
    shown = shows(model, latents[:32]) * std
    model.set_statistics(latents.mean((0, 2, 3)), std / (shown / shown.max()).sqrt())


@torch.no_grad()
def shows(model: PatchAutoencoder, latents: Tensor) -> Tensor:
    """How much each latent channel shows (C,): the standard deviation in pixels that noise of 1 in it alone makes."""
    plain = model.decode(latents).sample
    noise = torch.randn(latents[:, 0].shape, generator=torch.Generator().manual_seed(0)).to(latents)
    shown = []
    for channel in range(latents.shape[1]):
        changed = latents.clone()
        changed[:, channel] += noise
        shown.append((model.decode(changed).sample - plain).std())
    return torch.stack(shown)


def pictures(world: World, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Frames and, a quarter of them, cut-outs on white or grey as references come: (count, 3, H, W) in [-1, 1],
    with the visible part of their subjects (count, 1, H, W) in [0, 1]."""
    cut_outs = count // 4
    subjects = int(rng.integers(1, 4))
    batch = world.batch(count - cut_outs, subjects, rng)
    references = batch.references.flatten(0, 1)[:cut_outs].float() / 255
    ground = torch.from_numpy(rng.choice([1.0, 1.0, 0.5], (len(references), 1, 1, 1))).to(references)
    colour, alpha = references[:, :3], references[:, 3:]
    images = torch.cat([batch.frames.float() / 255, colour * alpha + ground * (1 - alpha)])
    return images * 2 - 1, torch.cat([batch.masks.amax(1, keepdim=True), alpha])


def _chunk(world: World, rng: np.random.Generator) -> Tensor:
    """`CHUNK` pictures and the visible part of their subjects, uint8 (CHUNK, 4, H, W)."""
    images, masks = pictures(world, CHUNK, rng)
    return (torch.cat([(images + 1) / 2, masks], 1) * 255).round().byte()


def train_autoencoder(
    world: World,
    out: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    batch: int = 16,
    device: str = "cpu",
    workers: int = 0,
    seed: int = 0,
) -> PatchAutoencoder:
    """Train on frames of `world` and save to `out`/vae.

    `batch` counts crops; the pictures they are cut from are composed by `workers` more processes or, with 0, by this
    one. State is kept in `out`/state-autoencoder.pt: the same call goes on where it stopped. Learning rates follow the
    share of `minutes` or `steps` done.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    shape = {"patch": 4, "latent_channels": 8, "width": 64} if world.size <= SMALL else {}
    model = PatchAutoencoder(**shape).to(device, memory_format=torch.channels_last)
    encoder = [*model.linear_encoder.parameters(), *model.encoder.parameters()]
    linear = [*model.linear_encoder.parameters(), *model.linear_decoder.parameters()]
    network = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": network, "scale": 1.0}, {"params": linear, "scale": 0.05}], betas=(0.9, 0.98), weight_decay=1e-4
    )
    loop = Loop(
        "autoencoder",
        out / "state-autoencoder.pt",
        {"model": model, "optimiser": optimiser},
        lambda: replace_folder(out / "vae", model.save_pretrained),
        minutes=minutes,
        steps=steps,
    )

    def chunk(number: int) -> Tensor:
        return _chunk(world, np.random.default_rng([seed, number]))

    oldest = math.ceil(loop.step / REUSE)  # one chunk of the pool goes every so many steps
    composed = ahead(chunk, oldest, workers=workers, pin=device.startswith("cuda"))
    # Each chunk lies where it would in a training that was never broken off.
    pool = torch.cat([next(composed) for _ in range(POOL // CHUNK)]).roll(oldest * CHUNK, 0).to(device)

    def sample(step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([seed, 1, step])
        torch.manual_seed(int(rng.integers(2**62)))
        if step % REUSE == 0:
            start = step // REUSE * CHUNK % POOL
            pool[start : start + CHUNK] = next(composed).to(device, non_blocking=True)
        # Crops train faster than frames and cut subjects at the border, as frames do.
        crop = min(CROPS[step % len(CROPS)], world.size)
        y, x = rng.integers(world.size - crop + 1, size=2)
        chosen = torch.randint(POOL, (batch,), device=device)
        both = pool[..., y : y + crop, x : x + crop][chosen].float() / 255
        both = both.flip(-1) if rng.random() < 0.5 else both
        return (both[:, :3] * 2 - 1).contiguous(memory_format=torch.channels_last), both[:, 3:]

    few = torch.cat([chunk(number) for number in range(MEASURED)])[:, :3].to(device).float() / 127.5 - 1
    if loop.step == 0:
        start_from_principal_components(model, few)
    is_final = model.is_standardised
    for progress in loop:
        # Once final, the latent space stays so, even when a finished run is prolonged.
        joint = progress < JOINT and not is_final
        if not joint and not is_final:
            standardise(model, few)
            is_final = True
            loop.save()
            print("autoencoder: the latent space is final", flush=True)
        for parameter in encoder:
            parameter.requires_grad_(joint)
        phase = progress / JOINT if joint else max(0.0, progress - JOINT) / (1 - JOINT)
        rate = LEARNING_RATE * warm_up_and_decay(phase)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["scale"]

        images, masks = sample(loop.step)
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            latents = model.encode(images).latents
            noise = torch.randn_like(latents) * LATENT_NOISE * torch.rand(len(latents), 1, 1, 1, device=device)
            # In units of each channel's own spread, so that the encoder gains nothing by growing.
            output = model.decode(latents + noise * latents.detach().std((0, 2, 3), keepdim=True)).sample
        loss = reconstruction_loss(output, images, 1 + masks)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        loop.log(loss=loss, psnr=psnr(output.detach(), images).mean())
    return model.eval()
