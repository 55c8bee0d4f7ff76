"""Memory plans of FLUX.2 [klein]: those of FLUX.1, for a model of other parts and widths."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import ClassVar

import torch
from diffusers import AutoencoderKLFlux2, Flux2Transformer2DModel
from transformers import Qwen3Config, Qwen3Model

from anystory.model.flux.plans import (
    Configs,
    FluxFootprint,
    FluxWork,
    Makers,
    configs_in,
    count_weights,
    empty,
    linear_weights,
    measure_pieces,
)

RELEASE: Configs = {
    "transformer": {
        "num_layers": 5,
        "num_single_layers": 20,
        "attention_head_dim": 128,
        "num_attention_heads": 24,
        "joint_attention_dim": 7680,
        "guidance_embeds": False,
    },
    "vae": {
        "block_out_channels": [128, 256, 512, 512],
        "layers_per_block": 2,
        "latent_channels": 32,
    },
    "text_encoder": {
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
}
"""The configs of FLUX.2-klein-4B, as far as sizes follow from them."""

ALWAYS = ("vae",)
"""Parts that stay on the card in every plan."""

READ = (9, 18, 27)
"""The layers of the text encoder whose states a prompt is, as in the release."""

CANDIDATES = (
    ("bf16", "bf16", "none"),
    ("bf16", "bf16", "model"),
    ("fp8", "fp8", "none"),
    ("int8", "int8", "none"),
    ("int8", "int8", "model"),
    ("bf16", "bf16", "block"),
)
"""Precisions and offloading: the best pictures first, then the fastest."""


class KleinFootprint(FluxFootprint):
    """What memory depends on. There are no branches, and no references are recorded: they are tokens like the
    frame's."""

    always: ClassVar[tuple[str, ...]] = ALWAYS
    reader: ClassVar[str] = "text_encoder"
    candidates: ClassVar[tuple[tuple[str, str, str], ...]] = CANDIDATES

    @classmethod
    def of(cls, configs: Configs, rank: int = 0) -> KleinFootprint:
        """Of the models that the configs describe."""
        models = {name: empty(name, config, makers=MAKERS) for name, config in configs.items()}
        transformer, vae, text = models["transformer"], models["vae"], models.get("text_encoder")
        blocks = {"transformer": [*transformer.transformer_blocks, *transformer.single_transformer_blocks]}
        if text is not None:
            blocks["text_encoder"] = list(text.layers)
        return cls(
            weights={name: count_weights(model) for name, model in models.items()},
            largest={name: max(map(torch.Tensor.numel, linear_weights(model))) for name, model in models.items()},
            branches=0,
            width=transformer.inner_dim,
            layers=len(blocks["transformer"]),
            pieces={name: measure_pieces(models[name], parts) for name, parts in blocks.items()},
            channels=vae.config.block_out_channels[min(1, len(vae.config.block_out_channels) - 1)],
            text=(text.config.intermediate_size, text.config.num_attention_heads) if text is not None else (0, 0),
        )

    def needs(self, work: FluxWork, transformer: str, text: str, plain: float) -> dict[str, float]:
        """What every part takes besides weights while it works; whichever is on the card when a reference is encoded
        needs room for that too."""
        encoding = self.encoding(work, plain)
        reading = self.reading(work, plain) + self.unpacking(self.reader, text)
        step = self.step(work, plain) + self.unpacking("transformer", transformer)
        return {
            "vae": encoding,
            self.reader: max(reading, encoding),
            "transformer": max(step, encoding, self.decoding(work, plain)),
        }

    def references(self, work: FluxWork, plain: float) -> float:
        """No keys and values are kept of them."""
        return 0.0

    def step(self, work: FluxWork, plain: float) -> float:
        """The largest layer's tensors, as counted: queries, keys, values and the feed-forward's halves at once, and
        copies of a group's."""
        frame = work.text + math.prod(work.size) // 16**2
        tokens = work.batch * (frame + work.pictures * (work.reference // 16) ** 2)
        return 24 * tokens * self.width * plain


def read_layers(config: Qwen3Config) -> Qwen3Config:
    """The text encoder's config without the layers that nobody reads; of those left the last is not read either, for
    its states come normalised."""
    config.num_hidden_layers = min(config.num_hidden_layers, max(READ) + 1)
    config.layer_types = config.layer_types[: config.num_hidden_layers]
    return config


MAKERS: Makers = {
    "transformer": lambda config: Flux2Transformer2DModel(**config),
    "vae": lambda config: AutoencoderKLFlux2(**config),
    "text_encoder": lambda config: Qwen3Model(read_layers(Qwen3Config(**config))),
}
"""What makes the parts of the release."""


def release_configs(folder: Path) -> Configs:
    """The configs of a model's folder."""
    return configs_in({name: folder / name for name in MAKERS})


@cache
def release_footprint() -> KleinFootprint:
    """The release's own."""
    return KleinFootprint.of(RELEASE)
