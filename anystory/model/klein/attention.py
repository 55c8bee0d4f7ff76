"""Who is where, read from the attention of a stock `Flux2Transformer2DModel`, and kept apart in it.

All tokens stand in one sequence: text, the frame's, those of the sketch where there is one, and behind them every
subject's reference tokens. A processor in each layer reads how much attention each of the frame's tokens pays to whose
reference. Nothing else changes, to the bit, unless references are to be closed: then a frame's token sees, besides
text, frame and sketch, the reference of the subject that holds it, and references do not see each other. Holding is
hard, so nothing is masked: the tokens of a subject form a group with an attention of its own, on whatever fused kernel
there is.

The sketch shows everybody, so it is nobody's reference: it is never closed, it sees no subject's reference when those
are, and attention that it gets tells of nobody.

Shapes: B frames per batch, N subjects each, hw frame tokens, H heads of D channels; queries, keys and values are
(B, tokens, H, D).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux2 import Flux2Attention, Flux2ParallelSelfAttention
from torch import Tensor

from anystory.model.flux.attention import Rope, held_by, project
from anystory.model.routing import Guidance

LEAST = 1e-9
"""The least attention a token of a reference can get, so that it has a logarithm."""


@dataclass
class KleinContext:
    """What all layers know of the frames at hand.

    text: text tokens; shape: rows and columns of frame tokens; sketch: the sketch's tokens; references: every subject's
    reference tokens; 0 and () while nothing is read; shift: what is added to the logits towards each subject's; closed:
    whether subjects see only their own; guidance: acts on who holds what, None = nothing does.
    """

    text: int = 0
    shape: tuple[int, int] = (0, 0)
    sketch: int = 0
    references: tuple[int, ...] = ()
    shift: tuple[float, ...] = ()
    closed: bool = False
    guidance: Guidance | None = None

    @property
    def drawn(self) -> slice:
        """Where the frame stands."""
        return slice(self.text, self.text + self.shape[0] * self.shape[1])

    @property
    def own(self) -> int:
        """Tokens that are nobody's: text, frame and sketch."""
        return self.drawn.stop + self.sketch

    def reference(self, subject: int) -> slice:
        """Where a subject's reference stands."""
        start = self.own + sum(self.references[:subject])
        return slice(start, start + self.references[subject])


class KleinProcessor:
    """The attention of one layer.

    After a pass with references `logits` (B, N + 1, hw) tells who holds each of the frame's tokens, nobody last:
    the logarithms of the attention that it pays to a token of each subject's reference, and to one of the frame, on the
    mean over heads. `share` (B, hw) is the attention that references get in all. Both are None after a pass without.
    """

    _attention_backend = None  # both read by diffusers
    _parallel_config = None

    def __init__(self, frame: KleinContext) -> None:
        self.frame = frame
        self.clear()

    def clear(self) -> None:
        """Let go of the tensors of a frame that is done."""
        self.logits: Tensor | None = None
        self.share: Tensor | None = None

    @torch.compiler.disable  # what is done here depends on the maps; the block around it compiles
    def _mixed(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """What all tokens get, (B, tokens, H * D)."""
        frame = self.frame
        self.clear()
        bias = self._bias(key) if frame.references else None
        if frame.references:
            self._read(query, key, bias)
        out = self._closed(query, key, value, bias) if frame.closed else self._attend(query, key, value, bias)
        return out.flatten(2, 3).to(query.dtype)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        return dispatch_attention_fn(
            query, key, value, attn_mask=bias, backend=self._attention_backend, parallel_config=self._parallel_config
        )

    def _bias(self, key: Tensor) -> Tensor | None:
        """What is added to the logits towards each token, (1, 1, 1, tokens); None for nothing, which leaves fused
        kernels their choice."""
        if not any(self.frame.shift):
            return None
        bias = key.new_zeros(1, 1, 1, key.shape[1])
        for subject, shift in enumerate(self.frame.shift):
            bias[..., self.frame.reference(subject)] = shift
        return bias

    def _read(self, query: Tensor, key: Tensor, bias: Tensor | None) -> None:
        """Leave `logits` and `share`: attention once more, over ones where it counts. Its weights are nobody's but
        torch's own, so what the layer computes stays as it is."""
        frame, subjects = self.frame, len(self.frame.references)
        kinds = key.new_zeros(*key.shape[:3], -(-(subjects + 1) // 8) * 8)  # channels by 8 suit all kernels
        for subject in range(subjects):
            kinds[:, frame.reference(subject), :, subject] = 1
        kinds[:, frame.drawn, :, subjects] = 1
        shares = self._attend(query[:, frame.drawn], key, kinds, bias)[..., : subjects + 1]
        shares = shares.float().mean(dim=2).transpose(1, 2)
        self.share = shares[:, :subjects].sum(dim=1)
        counts = shares.new_tensor([*frame.references, frame.drawn.stop - frame.text])
        logits = (shares / counts[:, None]).clamp(min=LEAST).log()
        self.logits = logits if frame.guidance is None else frame.guidance(logits, frame.shape)

    def _closed(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        """Text sees everything; a token of the frame and of a reference sees text, frame, sketch and one reference, and
        one of the sketch what nobody's tokens see."""
        frame = self.frame
        if self.logits is None:
            raise ValueError("Nobody has read who holds what in this layer; references can be closed only after that.")
        out = query.new_empty(*query.shape[:3], value.shape[3])
        out[:, : frame.text] = self._attend(query[:, : frame.text], key, value, bias)
        for row, logits in enumerate(self.logits):
            for subject, held in enumerate(held_by(logits)):
                owned = subject < len(frame.references)
                theirs = [frame.reference(subject)] if owned else []
                asking = theirs if owned else [slice(frame.drawn.stop, frame.own)] * bool(frame.sketch)
                others = [torch.arange(x.start, x.stop, device=held.device) for x in asking]
                group = torch.cat([frame.text + held, *others])
                if not len(group):
                    continue
                seen = [slice(0, frame.own), *theirs]
                keys, values = (torch.cat([x[row, part] for part in seen])[None] for x in (key, value))
                added = None if bias is None else torch.cat([bias[..., part] for part in seen], dim=-1)
                out[row, group] = self._attend(query[row, group][None], keys, values, added)[0]
        return out


class DoubleProcessor(KleinProcessor):
    """That of a layer whose text has weights of its own."""

    def __call__(
        self,
        attn: Flux2Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Rope | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The interface of diffusers' processors; frame and references are the `hidden_states`."""
        query, key, value, _ = project(attn, hidden_states, encoder_hidden_states, image_rotary_emb)
        text = encoder_hidden_states.shape[1]
        out = self._mixed(query, key, value)
        return attn.to_out[1](attn.to_out[0](out[:, text:])), attn.to_add_out(out[:, :text])


class SingleProcessor(KleinProcessor):
    """That of a layer where all tokens have the same weights, and whose feed-forward runs beside the attention."""

    def __call__(
        self,
        attn: Flux2ParallelSelfAttention,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Rope | None = None,
    ) -> Tensor:
        """The interface of diffusers' processors; text, frame and references are the `hidden_states`."""
        widths = [attn.inner_dim] * 3 + [attn.mlp_hidden_dim * attn.mlp_mult_factor]
        *projected, wide = attn.to_qkv_mlp_proj(hidden_states).split(widths, dim=-1)
        query, key, value = (x.unflatten(-1, (-1, attn.head_dim)) for x in projected)
        query, key = attn.norm_q(query), attn.norm_k(key)
        if image_rotary_emb is not None:
            query, key = (apply_rotary_emb(x, image_rotary_emb, sequence_dim=1) for x in (query, key))
        return attn.to_out(torch.cat([self._mixed(query, key, value), attn.mlp_act_fn(wide)], dim=-1))


def install(transformer: Any) -> KleinContext:
    """Give every layer of a `Flux2Transformer2DModel` its processor; they share what is returned."""
    frame = KleinContext()
    for kind, blocks in (
        (DoubleProcessor, transformer.transformer_blocks),
        (SingleProcessor, transformer.single_transformer_blocks),
    ):
        for block in blocks:
            block.attn.set_processor(kind(frame))
    return frame
