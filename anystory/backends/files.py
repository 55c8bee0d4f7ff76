"""The files that a model is loaded from, and what libraries say of them. No torch here."""

from __future__ import annotations

import json
import re
from pathlib import Path

from anystory.errors import Message, said

SUFFIXES = (".json", ".safetensors", ".gguf", ".model")
VOCABULARIES = ("merges.txt", "vocab.txt")
"""What of a model's folder changes its frames: configs, weights and tokenizers."""

NUMBERED = re.compile(r"(.+)-\d{5}-of-(\d{5})\.safetensors")
"""One of several files of weights."""

INDEX = ".safetensors.index.json"
"""What the name of the file ends in that tells which weights are where."""


def model_files(folder: Path) -> list[Path]:
    """The files of a model's folder that change its frames, in a fixed order."""
    files = (path for path in folder.rglob("*") if path.suffix in SUFFIXES or path.name in VOCABULARIES)
    return sorted(path for path in files if path.is_file())


def whole(folder: Path) -> bool:
    """Whether the folder of one part, a model, a tokenizer or a scheduler, has everything that the part is loaded from:
    of a model its config and every file of weights, those that an index names included."""
    names = {path.name for path in folder.glob("*") if path.is_file()}
    if "scheduler_config.json" in names:
        return True
    if "tokenizer_config.json" in names:
        return bool(names & {"tokenizer.json", "spiece.model", "vocab.txt"}) or names >= {"vocab.json", "merges.txt"}
    weights = {name for name in names if name.endswith((".safetensors", ".gguf"))}
    if any(name.endswith(".gguf") for name in weights):  # which is one file, whatever an index left behind tells
        return "config.json" in names
    try:
        return "config.json" in names and bool(weights) and _shards(folder, names) <= names
    except (ValueError, KeyError, TypeError, AttributeError):  # an index that is no index
        return False


def _shards(folder: Path, names: set[str]) -> set[str]:
    """The files of weights that others say are there, and the indices that numbered ones are found by."""
    shards: set[str] = set()
    for name in names:
        if name.endswith(INDEX):
            shards |= set(json.loads((folder / name).read_text(encoding="utf-8"))["weight_map"].values())
        if found := NUMBERED.fullmatch(name):
            stem, count = found.groups()
            shards |= {f"{stem}-{number:05}-of-{count}.safetensors" for number in range(1, int(count) + 1)}
            shards.add(stem + INDEX)
    return shards


def reason(error: Exception) -> str:
    """The first line of what a library says, in its own words; a sentence of ours as it is."""
    sentence = said(error)
    if isinstance(sentence, Message):
        return sentence
    line = sentence.strip().splitlines()[0] if sentence.strip() else type(error).__name__
    return f"{line.rstrip('.')}."
