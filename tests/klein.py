"""FLUX.2 [klein] with random weights, small enough for a test and of the real topology: double and single blocks, a
Qwen3 encoder with a chat template, a VAE with batch statistics. In the release's form, for whoever loads it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from anystory.backends.klein import KleinBackend
from anystory.bench.klein import save
from anystory.story.size import Size

CONFIGS = {
    "transformer": {
        "in_channels": 16,
        "num_layers": 2,
        "num_single_layers": 3,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": 48,
        "timestep_guidance_channels": 16,
        "axes_dims_rope": (4, 4, 4, 4),
        "guidance_embeds": False,
    },
    "vae": {
        "block_out_channels": (8, 8, 8, 8),
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 4,
    },
    "text_encoder": {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 30,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "vocab_size": 272,
        "tie_word_embeddings": True,
    },
}


@cache
def saved() -> Path:
    """The same folder for all tests of a process, which leave it as it is."""
    return save(CONFIGS, Path(mkdtemp(prefix="klein")))


def loaded(folder: Path | None = None, **how: Any) -> KleinBackend:
    """The backend, with frames and references that a test has time for."""
    backend = KleinBackend.load(folder or saved(), device="cpu", **how)
    defaults = replace(backend.about.defaults, size=Size.of(128))
    return replace(backend, about=replace(backend.about, defaults=defaults), reference=64)
