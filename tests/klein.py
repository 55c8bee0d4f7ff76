"""FLUX.2 [klein] with random weights, small enough for a test and of the real topology: double and single blocks, a
Qwen3 encoder with a chat template, a VAE with batch statistics. In the release's form, for whoever loads it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from anystory.backends.klein import KleinBackend
from anystory.story.size import Size

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""A chat template of Qwen3's shape."""

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")

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

SCHEDULER = {"shift": 3.0, "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, and the chat's marks."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.add_special_tokens([*SPECIAL])
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = CHAT
    return fast


def save(folder: Path, seed: int = 0) -> Path:
    """The model's folder."""
    torch.manual_seed(seed)
    vae = AutoencoderKLFlux2(**CONFIGS["vae"])
    vae.bn.running_mean.normal_(0, 0.3)
    vae.bn.running_var.uniform_(0.5, 2.0)
    parts = {
        "vae": vae,
        "transformer": Flux2Transformer2DModel(**CONFIGS["transformer"]),
        "text_encoder": Qwen3ForCausalLM(Qwen3Config(**CONFIGS["text_encoder"])),
        "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        "tokenizer": tokenizer(),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline", "is_distilled": true}')
    return folder


@cache
def saved() -> Path:
    """The same folder for all tests of a process, which leave it as it is."""
    return save(Path(mkdtemp(prefix="klein")))


def loaded(folder: Path | None = None, **how: Any) -> KleinBackend:
    """The backend, with frames and references that a test has time for."""
    backend = KleinBackend.load(folder or saved(), device="cpu", **how)
    defaults = replace(backend.about.defaults, size=Size.of(128))
    return replace(backend, about=replace(backend.about, defaults=defaults), reference=64)
