"""The embedded model's autoencoder: a linear patch codec with a small network on top, in diffusers' interface.

A strided convolution takes every patch to a few latents and a transposed one takes them back; started from the
principal components of image patches they are a fair codec before any training. Networks whose last layers start at
zero add what a linear codec cannot say. They work at half and at full patch resolution only, which keeps them cheap.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

from anystory.errors import Message


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(silu(x)))), the identity at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.constant_(self.conv2.weight, 0)
        if self.conv2.bias is not None:
            nn.init.constant_(self.conv2.bias, 0)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class PatchAutoencoder(ModelMixin, ConfigMixin):
    """RGB images (B, 3, H, W) in [-1, 1] to latents (B, latent_channels, H / patch, W / patch) and back.

    Latents have mean 0 over the training images, and each channel the spread that training gives it (`set_statistics`).
    `width` is the channel count at half patch resolution, twice that at patch resolution; the depths count
    the residual blocks at each of the two.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        latent_channels: int = 16,
        patch: int = 8,
        width: int = 96,
        encoder_depth: int = 1,
        decoder_depth: int = 2,
        scaling_factor: float = 1.0,
    ) -> None:
        super().__init__()
        if patch % 2:
            raise ValueError(Message("patch is {patch}; it must be even.", patch=patch))
        half = patch // 2
        self.vae_scale_factor = patch

        self.linear_encoder = nn.Conv2d(in_channels, latent_channels, patch, stride=patch)
        self.linear_decoder = nn.ConvTranspose2d(latent_channels, in_channels, patch, stride=patch)
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(half),
            nn.Conv2d(in_channels * half**2, width, 3, padding=1),
            *(ResidualBlock(width) for _ in range(encoder_depth)),
            nn.Conv2d(width, 2 * width, 2, stride=2),
            *(ResidualBlock(2 * width) for _ in range(encoder_depth)),
            nn.SiLU(),
            nn.Conv2d(2 * width, latent_channels, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, 2 * width, 3, padding=1),
            *(ResidualBlock(2 * width) for _ in range(decoder_depth)),
            nn.Conv2d(2 * width, 4 * width, 1),
            nn.PixelShuffle(2),
            *(ResidualBlock(width) for _ in range(decoder_depth)),
            nn.SiLU(),
            nn.Conv2d(width, in_channels * half**2, 3, padding=1),
            nn.PixelShuffle(half),
        )
        for last in (self.encoder[-1], self.decoder[-2]):
            for weights in last.parameters():
                nn.init.zeros_(weights)
        self.register_buffer("latents_mean", torch.zeros(latent_channels))
        self.register_buffer("latents_std", torch.ones(latent_channels))

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Make latents that now have this mean and standard deviation a channel (latent_channels,) have 0 and 1."""
        self.latents_mean.add_(mean.to(self.latents_mean) * self.latents_std)
        self.latents_std.mul_(std.to(self.latents_std))

    @property
    def is_standardised(self) -> bool:
        """Whether `set_statistics` was called, ever."""
        return bool((self.latents_std != 1).any())

    def encode(self, x: Tensor, return_dict: bool = True) -> Any:
        """Images (B, 3, H, W) in [-1, 1], H and W multiples of `patch`, to standardised latents: an
        `AutoencoderTinyOutput`, or a tuple of them alone."""
        patch = self.config.patch
        if x.shape[-2] % patch or x.shape[-1] % patch:
            raise ValueError(f"The image is {x.shape[-1]} x {x.shape[-2]}; make both sides multiples of {patch}.")
        # The linear codec carries most of the signal: it stays out of autocast's lower precision.
        with torch.autocast(x.device.type, enabled=False):
            linear = self.linear_encoder(x.to(self.linear_encoder.weight.dtype))
        z = linear + self.encoder(x)
        z = (z - self.latents_mean[:, None, None]) / self.latents_std[:, None, None]
        return AutoencoderTinyOutput(latents=z) if return_dict else (z,)

    def decode(self, z: Tensor, return_dict: bool = True) -> Any:
        """Standardised latents to images, about [-1, 1] (not clipped): a `DecoderOutput`, or a tuple of them alone."""
        z = z * self.latents_std[:, None, None] + self.latents_mean[:, None, None]
        with torch.autocast(z.device.type, enabled=False):
            linear = self.linear_decoder(z.to(self.linear_decoder.weight.dtype))
        x = linear + self.decoder(z)
        return DecoderOutput(sample=x) if return_dict else (x,)

    def forward(self, x: Tensor) -> DecoderOutput:
        """Encode and decode."""
        return self.decode(self.encode(x).latents)
