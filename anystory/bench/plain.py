"""FLUX as the authors' release computes it, to compare against and for nothing else.

The numbers are those of `anystory.model.flux`; the work is the release's: a dense float mask over all tokens and heads
in every layer, both LoRAs on every token at weight 0 or 1, and references whose every token is kept and masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from diffusers.models.transformers.transformer_flux import FluxAttention
from torch import Tensor, nn

from anystory.model.flux.attention import REFERENCE, ROUTER, KeyValue, Rope, SubjectAttnProcessor, blocks
from anystory.model.flux.low_rank import LowRank, Stream

CLOSED = -100.0
"""The release's bias on the logits of what a token may not see."""


class DenseAttnProcessor(SubjectAttnProcessor):
    """The same attention through one dense bias a layer."""

    def _record(self, key: Tensor, value: Tensor) -> None:
        self.references = ((key.flatten(0, 1), value.flatten(0, 1)),)

    def _routing_key(self, attn: FluxAttention, states: Tensor, projected: Tensor, rope: Rope | None) -> Tensor:
        return super()._routing_key(attn, states, attn.to_k(states), rope)

    def _attend_frames(self, query: Tensor, key: Tensor, value: Tensor, references: Sequence[KeyValue]) -> Tensor:
        frame = self.frame
        batch, tokens, heads, _ = query.shape
        frame_tokens = key.shape[1]
        if frame.references:
            key, value = (torch.cat([x, more[None]], dim=1) for x, more in zip((key, value), *references, strict=True))
        if not frame.subjects:
            return self._attend(query, key, value)
        bias = query.new_zeros(batch, heads, tokens, key.shape[1])
        image = tokens - (frame_tokens - frame.image)
        subjects = (frame.text, frame.image), (frame_tokens, key.shape[1])
        pictures = torch.tensor(frame.pictures, device=query.device)

        def whose(values: Tensor, tokens: int) -> Tensor:
            """One value a subject (..., N) -> one for each of the tokens of all their pictures."""
            counts = pictures * (tokens // sum(frame.pictures))
            return values.repeat_interleave(counts, dim=-1, output_size=tokens)

        if frame.references:
            outside = query.new_ones(key.shape[1] - frame_tokens)
            outside[torch.cat(frame.kept)] = 0
            bias[..., frame_tokens:] += whose(query.new_tensor(frame.ref_shift), len(outside))
            bias[..., frame_tokens:] += outside * CLOSED
        for start, stop in subjects:
            bias[..., start:stop] -= whose(pictures.to(query.dtype).log(), stop - start)
        if frame.router_tokens is not None and self.logits is not None:
            holder = self.logits.argmax(dim=1)
            closed = holder[..., None] != torch.arange(frame.subjects, device=query.device)
            closed = closed.to(query.dtype) * CLOSED
            for start, stop in subjects:
                bias[:, :, image:, start:stop] += whose(closed, stop - start)[:, None]
        return self._attend(query, key, value, bias)


@contextmanager
def plain(transformer: FluxTransformer2DModel) -> Iterator[None]:
    """Inside, the transformer that `install` prepared computes as the release does, one frame at a time. Afterwards it
    is what it was."""
    stream = blocks(transformer)[0].attn.processor.frame.stream
    hooks, processors = [], []
    try:
        for layer, names in _branches(transformer).items():
            hooks.append((layer, layer._forward_hooks.copy()))
            layer._forward_hooks.clear()
            layer.register_forward_hook(_always(names, stream))
        for block in blocks(transformer):
            old = block.attn.processor
            processors.append((block, old))
            block.attn.processor = DenseAttnProcessor(old.frame, old.query, old.key)
        yield
    finally:
        for block, old in processors:
            block.attn.processor = old
        for layer, old in hooks:
            layer._forward_hooks.clear()
            layer._forward_hooks.update(old)


def _branches(transformer: FluxTransformer2DModel) -> dict[nn.Module, dict[str, LowRank]]:
    """Every layer that has branches, with them by stream."""
    found: dict[nn.Module, dict[str, LowRank]] = {}
    for owner in (transformer, *blocks(transformer)):
        layers = {path.replace(".", "_"): layer for path, layer in owner.named_modules()}
        for name in (REFERENCE, ROUTER):
            added: Any = getattr(owner, f"{name}_lora", {})
            for path, branch in added.items():
                found.setdefault(layers[path], {})[name] = branch
    return found


def _always(branches: dict[str, LowRank], stream: Stream) -> Callable[..., Tensor]:
    """A hook that adds every branch, at weight 1 in its own stream and 0 in the others."""

    def add(_: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        for name, branch in branches.items():
            output = output + branch(args[0]) * float(stream.name == name)
        return output

    return add
