"""ReferenceNet (section 3.2, eq 3): the U-Net without cross-attention, read at its self-attention layers."""

from __future__ import annotations

import functools
from typing import Any

import torch
from diffusers import ModelMixin, UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from anystory.model.attention import installed, transformer_blocks

__all__ = ["ModelMixin", "ReferenceNet"]  # diffusers finds the base class of a component in its module


class ReferenceNet(UNet2DConditionModel):
    """Hidden states of every self-attention layer but the first, for a clean reference latent.

    A class of its own because a config alone would rebuild the cross-attention on loading. The input is the
    VAE latent of the segmented subject and one more channel, the down-sampled subject mask. References are
    clean, so the network sees time step 0.
    """

    @functools.wraps(UNet2DConditionModel.__init__)  # type: ignore[misc]  # diffusers reads its parameters
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for block in transformer_blocks(self):
            block.attn2 = None
            block.norm2 = None

    @classmethod
    def from_unet(cls, unet: UNet2DConditionModel) -> ReferenceNet:
        """A ReferenceNet with the weights of `unet`; the mask channel starts from zero."""
        config = {**unet.config, "in_channels": unet.config.in_channels + 1, "addition_embed_type": None}
        config.pop("_use_default_values", None)  # names what a U-Net left at its default, which diffusers would restore
        reference = cls.from_config(config)
        shared = reference.state_dict().keys()
        weights = {k: v for k, v in unet.state_dict().items() if k in shared}
        stem = torch.zeros_like(reference.conv_in.weight)
        stem[:, : unet.config.in_channels] = weights["conv_in.weight"]
        reference.load_state_dict({**weights, "conv_in.weight": stem})
        return reference

    def features(self, latents: Tensor) -> list[Tensor]:
        """(B, C + 1, h, w) -> G^l for l = 2..L, each (B, tokens of layer l, width of layer l).

        The pass ends at the last self-attention: what follows feeds no recorded layer.
        """
        layers = [block.attn1 for block in transformer_blocks(self)]
        recorded: list[Tensor] = []
        recorder = _Recorder(recorded, last=layers[-1])
        time = torch.zeros(len(latents), device=latents.device)
        try:
            with installed({layer: recorder for layer in layers[1:]}):
                self(latents, time, encoder_hidden_states=None)
        except _AllRecordedError:
            pass
        return recorded


class _AllRecordedError(Exception):
    """Leaves the forward pass once the last layer is recorded."""


class _Recorder(AttnProcessor2_0):
    """The stock self-attention, keeping what goes in."""

    def __init__(self, recorded: list[Tensor], last: Attention) -> None:
        super().__init__()
        self.recorded = recorded
        self.last = last

    def __call__(self, attn: Attention, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        self.recorded.append(hidden_states)
        if attn is self.last:
            raise _AllRecordedError
        return super().__call__(attn, hidden_states, *args, **kwargs)
