"""The embedded model's frozen text encoder: all-MiniLM-L6-v2 in half precision, as the shipped model carries it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoTokenizer, BertModel, PreTrainedTokenizerFast

from anystory.supplies import ASSETS
from anystory.training.loop import replace_folder

PARTS = ("text_encoder", "tokenizer")


def install_text_encoder(out: str | Path) -> None:
    """Copy it to `out`/text_encoder and `out`/tokenizer, if they are not there."""
    for part in PARTS:
        if not (Path(out) / part).is_dir():
            Path(out).mkdir(parents=True, exist_ok=True)
            replace_folder(Path(out) / part, partial(shutil.copytree, ASSETS / "mini" / part))


def load_text_encoder(out: str | Path) -> tuple[PreTrainedTokenizerFast, BertModel]:
    """The tokenizer and the encoder in the folder `out`, in float32, frozen."""
    tokenizer = AutoTokenizer.from_pretrained(Path(out) / "tokenizer")
    encoder = BertModel.from_pretrained(Path(out) / "text_encoder", dtype=torch.float32)
    return tokenizer, encoder.eval().requires_grad_(False)


@torch.no_grad()
def embed_sentences(tokenizer: PreTrainedTokenizerFast, encoder: BertModel, sentences: Sequence[str]) -> Tensor:
    """Unit sentence embeddings (N, 384), the mean over tokens as this encoder was trained to be read."""
    embeddings = []
    # Sentences of like length together: less padding to compute.
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    for start in range(0, len(order), 64):
        batch = [sentences[i] for i in order[start : start + 64]]
        tokens = tokenizer(batch, padding=True, truncation=True, return_tensors="pt").to(encoder.device)
        states = encoder(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        embeddings.append(F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1))
    result = torch.empty(len(sentences), encoder.config.hidden_size)
    result[order] = torch.cat(embeddings).cpu() if embeddings else result
    return result
