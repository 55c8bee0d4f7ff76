"""Subjects in FLUX's attention: one processor a layer of a stock `FluxTransformer2DModel`, and no forward of our own.

Three streams of tokens run through the same blocks:

- reference: the stock transformer over the references, a batch row a subject, without text and at time 0; the
  processors keep its keys and values.
- frame: the stock transformer over text, Redux and image tokens. Each processor appends the references' keys and
  values. Routing is hard, so nothing is masked: the image tokens of a subject form a group, which sees text, image and
  that subject's tokens in an attention of its own, on whatever fused kernel there is.
- router: inside the frame's attention the layer's stock block runs over all subjects' router tokens. They see the
  frame's image tokens and each other, and say which subject each image token belongs to.

Shapes: B frames per batch, N subjects each, hw image tokens, H heads of D channels; queries, keys and values are
(B, tokens, H, D).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttention
from torch import Tensor, nn

from anystory.model.flux.low_rank import LowRank, Stream
from anystory.model.routing import Guidance

REFERENCE, ROUTER = "ref", "router"
"""Streams with branches of their own, by the checkpoint's names."""

Rope = tuple[Tensor, Tensor]

KeyValue = tuple[Tensor, Tensor]


@dataclass
class FrameContext:
    """What all layers know of the frames at hand.

    subjects: N; pictures: how many each of them has, P, which share the weight of one: log P is taken from the logits
    towards the tokens of each, so that two that are alike change nothing; text: text tokens; redux: Redux tokens after
    them, 81 a picture, or 0 while their window is closed; references: whether recorded references are seen, with each
    subject's ref_shift added to the logits towards its own;
    kept: of every subject in the reference stream, whose rows are pictures, the indices of the tokens that are recorded
    among those of all rows; casts: for every frame its subjects' places in `kept`;
    router_tokens (B, N * 9, d_t): what the router reads, None = no routing; router (B, N * 9, d): those tokens as the
    layers so far have left them; temb (B, d): the time embedding; measure: whether layers keep the share of attention
    that subjects get; shape: rows and columns of image tokens; open_ground: whether tokens may be nobody's, which the
    release's router knows not; guidance: acts on the routing of such frames, None = nothing does.
    """

    stream: Stream = field(default_factory=Stream)
    subjects: int = 0
    pictures: tuple[int, ...] = ()
    text: int = 0
    redux: int = 0
    references: bool = False
    ref_shift: tuple[float, ...] = ()
    kept: tuple[Tensor, ...] = ()
    casts: tuple[tuple[int, ...], ...] = ()
    router_tokens: Tensor | None = None
    router: Tensor | None = None
    temb: Tensor | None = None
    measure: bool = False
    shape: tuple[int, int] = (0, 0)
    open_ground: bool = False
    guidance: Guidance | None = None

    @property
    def image(self) -> int:
        """Where the image tokens start."""
        return self.text + self.redux

    def clear(self) -> None:
        """Let go of the tensors of a frame that is done."""
        self.kept = self.casts = ()
        self.router_tokens = self.router = self.temb = self.guidance = None

    @torch.compiler.disable
    def begin(self, embed: nn.Module, temb: Tensor) -> None:
        """A pass enters the first block: keep the time embedding, and embed the router's tokens if there are any."""
        if self.stream.name is not None:
            return
        self.temb = temb
        if self.router_tokens is not None:
            with self.stream.running(ROUTER):
                self.router = embed(self.router_tokens)


class SubjectAttnProcessor(nn.Module):
    """The attention of one layer, and the router's projections there.

    `references` are the recorded keys and values, (tokens, H, D), of every subject in the reference stream. After a
    pass over frames `logits` (B, N, hw) tells who is where, with one more row for nobody where the ground is open, None
    without routing; `share` (B, hw) is the attention that
    subjects' tokens get, None unless measured.
    """

    _attention_backend = None  # both read by diffusers
    _parallel_config = None

    def __init__(self, frame: FrameContext, query: LowRank, key: LowRank) -> None:
        super().__init__()
        self.frame = frame
        self.query = query
        self.key = key
        self.references: tuple[KeyValue, ...] = ()
        self.logits: Tensor | None = None
        self.share: Tensor | None = None
        self._seen: tuple[Tensor, Tensor, Tensor] | None = None  # keys, values and routing keys of the image tokens
        self._block: tuple[nn.Module, ...] = ()  # in a tuple, or the block would count as a part of its own layer

    def clear(self) -> None:
        """Let go of the tensors of a frame that is done."""
        self.references = ()
        self.logits = self.share = None

    def enter(self, block: nn.Module) -> None:
        """Tell the processor whose layer it is in, after whatever changed the block's layers."""
        self._block = (without_hooks(block),)

    def forward(
        self,
        attn: FluxAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Rope | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """The interface of diffusers' processors; a single-stream block has its text before its image tokens in
        `hidden_states`."""
        query, key, value, projected = project(attn, hidden_states, encoder_hidden_states, image_rotary_emb)
        out = self._stream(attn, hidden_states, encoder_hidden_states, image_rotary_emb, projected, query, key, value)
        out = out.flatten(2).to(query.dtype)
        if encoder_hidden_states is None:
            return out
        text = encoder_hidden_states.shape[1]
        image_out = attn.to_out[1](attn.to_out[0](out[:, text:].contiguous()))
        return image_out, attn.to_add_out(out[:, :text].contiguous())

    @torch.compiler.disable  # what is done here depends on the stream and on the maps; the block around it compiles
    def _stream(
        self,
        attn: FluxAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None,
        rope: Rope | None,
        projected: Tensor,
        query: Tensor,
        key: Tensor,
        value: Tensor,
    ) -> Tensor:
        """The attention of the stream that runs, (B, tokens, H, D)."""
        frame = self.frame
        if frame.stream.name == REFERENCE:
            self._record(key, value)
            return self._attend(query, key, value)
        if frame.stream.name == ROUTER:
            self.logits = self._route(attn, hidden_states, encoder_hidden_states)
            seen_key, seen_value, _ = self._seen_by_router()
            key, value = torch.cat((key, seen_key), dim=1), torch.cat((value, seen_value), dim=1)
            return self._attend(query, key, value)
        if frame.router_tokens is not None:
            image = -(key.shape[1] - frame.image)  # counts from the end: text is in front or apart
            turns = (rope[0][image:], rope[1][image:]) if rope is not None else None
            routing = self._routing_key(attn, hidden_states[:, image:], projected[:, image:], turns)
            self._run_router(key[:, image:], value[:, image:], routing)
        if frame.measure:
            self.share = self._share(query, key)
        return self._attend_frames(query, key, value, self.references)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        return dispatch_attention_fn(
            query, key, value, attn_mask=bias, backend=self._attention_backend, parallel_config=self._parallel_config
        )

    def _record(self, key: Tensor, value: Tensor) -> None:
        """Keep what frames may see of the references."""
        key, value = key.flatten(0, 1), value.flatten(0, 1)
        self.references = tuple((key[kept], value[kept]) for kept in self.frame.kept)

    def _attend_frames(self, query: Tensor, key: Tensor, value: Tensor, references: Sequence[KeyValue]) -> Tensor:
        """What the last tokens of every frame get: image tokens from what is nobody's and what is their subject's, text
        and Redux tokens from everything."""
        frame = self.frame
        weighed = frame.redux and max(frame.pictures) > 1
        if not frame.references and frame.router_tokens is None and not weighed:
            return self._attend(query, key, value)
        out = query.new_empty(*query.shape[:3], value.shape[3])
        image = query.shape[1] - (key.shape[1] - frame.image)
        for row, cast in enumerate(frame.casts):
            seen = key[row], value[row], [references[number] for number in cast] if frame.references else []
            if frame.router_tokens is None:
                out[row] = self._attend_subjects(query[row], *seen, range(frame.subjects))
                continue
            if image:
                out[row, :image] = self._attend_subjects(query[row, :image], *seen, range(frame.subjects))
            if self.logits is None:
                raise ValueError("The router left no map in this layer; run it before its image tokens are gated.")
            for subject, held in enumerate(held_by(self.logits[row])):
                if len(held):
                    whose = [subject] if subject < frame.subjects else []
                    out[row, image + held] = self._attend_subjects(query[row, image + held], *seen, whose)
        return out

    def _attend_subjects(
        self, query: Tensor, key: Tensor, value: Tensor, references: Sequence[KeyValue], subjects: Sequence[int]
    ) -> Tensor:
        """What tokens of one frame get from the tokens of `subjects` and of nobody. No batch axis."""
        frame = self.frame
        recorded = [references[subject] for subject in subjects] if references else []
        each = frame.redux // sum(frame.pictures)

        def visible(x: Tensor, more: Sequence[Tensor]) -> list[Tensor]:
            starts = (frame.text + each * sum(frame.pictures[:subject]) for subject in subjects)
            redux = [x[start : start + each * frame.pictures[n]] for n, start in zip(subjects, starts, strict=True)]
            return [x[: frame.text], *redux, x[frame.image :], *more]

        parts = [visible(x, [pair[n] for pair in recorded]) for n, x in enumerate((key, value))]
        keys, values = (torch.cat(part)[None] for part in parts)
        bias = None
        shared = [-math.log(frame.pictures[subject]) for subject in subjects]
        shifted = [frame.ref_shift[n] + share for n, share in zip(subjects, shared, strict=True)] if recorded else []
        weights = [0.0, *shared, 0.0, *shifted]
        if any(weights):
            bias = torch.cat([x.new_full((len(x),), weight) for x, weight in zip(parts[0], weights, strict=True)])
            bias = bias[None, None, None]
        return self._attend(query[None], keys, values, bias)[0]

    def _routing_key(self, attn: FluxAttention, states: Tensor, projected: Tensor, rope: Rope | None) -> Tensor:
        """What image tokens answer the router with, (B, hw, D)."""
        key = attn.norm_k((projected + self.key(states)).unflatten(-1, (-1, attn.head_dim)))
        # All heads are turned alike: their mean may be turned instead.
        return apply_rotary_emb(key.mean(dim=2, keepdim=True), rope, sequence_dim=1)[:, :, 0]

    def _seen_by_router(self) -> tuple[Tensor, Tensor, Tensor]:
        """Key, value and routing key of the image tokens that the router is at."""
        if self._seen is None:
            raise ValueError("The router runs only while image tokens are there for it.")
        return self._seen

    def _run_router(self, key: Tensor, value: Tensor, routing: Tensor) -> None:
        """Take the router tokens through this layer's block, which leaves the layer's map in `logits`."""
        frame = self.frame
        if frame.router is None:
            raise ValueError("There are no router tokens; a pass begins with `Frame.begin`.")
        self._seen = key, value, routing
        with frame.stream.running(ROUTER):
            frame.router, _ = self._block[0](
                hidden_states=frame.router[:, :0],
                encoder_hidden_states=frame.router,
                temb=frame.temb,
                image_rotary_emb=None,  # they stand at position 0, which turns nothing
            )
        self._seen = None

    def _route(self, attn: FluxAttention, hidden_states: Tensor, encoder_hidden_states: Tensor | None) -> Tensor:
        """The layer's map from its router tokens: one unscaled inner product with each image token,
        (B, N, hw). On open ground nobody is one more entry, as likely everywhere as the least likely subject anywhere:
        it gets what a guide keeps the subjects out of, and no token by itself."""
        double = encoder_hidden_states is not None
        states = encoder_hidden_states if double else hidden_states
        project, norm = (attn.add_q_proj, attn.norm_added_q) if double else (attn.to_q, attn.norm_q)
        with self.frame.stream.running(None):
            query = project(states)
        query = norm((query + self.query(states)).unflatten(-1, (-1, attn.head_dim)))
        query = query.unflatten(1, (self.frame.subjects, -1)).mean(dim=(2, 3))
        logits = query.float() @ self._seen_by_router()[2].float().mT
        if self.frame.open_ground:
            logits = torch.cat([logits, logits.amin(dim=(1, 2), keepdim=True).expand_as(logits[:, :1])], dim=1)
        return logits if self.frame.guidance is None else self.frame.guidance(logits, self.frame.shape)

    def _share(self, query: Tensor, key: Tensor) -> Tensor:
        """The share of attention (B, hw) that image tokens give to Redux and reference tokens, a mean over heads."""
        frame = self.frame
        theirs = key.new_zeros(*key.shape[:3], 8)  # attention over ones where it counts; 8 channels suit all kernels
        theirs[:, frame.text : frame.image] = 1
        references = [(k, k.new_ones(*k.shape[:2], 8)) for k, _ in self.references]
        return self._attend_frames(query[:, frame.image :], key, theirs, references)[..., 0].float().mean(dim=2)


def held_by(logits: Tensor) -> tuple[Tensor, ...]:
    """Routing logits of a frame (N, hw) -> for each subject the indices of the image tokens that are its own."""
    holder = logits.argmax(dim=0)
    counts = torch.bincount(holder, minlength=len(logits)).tolist()
    return holder.argsort(stable=True).split(counts)


def project(
    attn: FluxAttention, hidden_states: Tensor, encoder_hidden_states: Tensor | None, rope: Rope | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys and values of a layer's tokens, text before image; and the keys of `hidden_states` as projected."""
    heads = (-1, attn.head_dim)
    projected = attn.to_k(hidden_states)
    query = attn.norm_q(attn.to_q(hidden_states).unflatten(-1, heads))
    key = attn.norm_k(projected.unflatten(-1, heads))
    value = attn.to_v(hidden_states).unflatten(-1, heads)
    if encoder_hidden_states is not None:
        text_query = attn.norm_added_q(attn.add_q_proj(encoder_hidden_states).unflatten(-1, heads))
        text_key = attn.norm_added_k(attn.add_k_proj(encoder_hidden_states).unflatten(-1, heads))
        text_value = attn.add_v_proj(encoder_hidden_states).unflatten(-1, heads)
        query = torch.cat([text_query, query], dim=1)
        key = torch.cat([text_key, key], dim=1)
        value = torch.cat([text_value, value], dim=1)
    if rope is not None:
        query, key = (apply_rotary_emb(x, rope, sequence_dim=1) for x in (query, key))
    return query, key, value, projected


def blocks(transformer: Any) -> list[Any]:
    """Every block in the order of execution."""
    return [*transformer.transformer_blocks, *transformer.single_transformer_blocks]


def without_hooks(block: Any) -> nn.Module:
    """A second face of a block: the same layers inside, but without the hooks that caches and offloading put on the
    block and on its attention, both of which are entered here a second time while they run."""
    face = _bare(block)
    face._modules["attn"] = _bare(block.attn)
    return face


def _bare(module: nn.Module) -> nn.Module:
    bare = copy.copy(module)
    bare._modules = dict(module._modules)
    bare.__dict__.pop("forward", None)  # where a hook covers the class's
    bare._forward_hooks = type(module._forward_hooks)()
    bare._forward_pre_hooks = type(module._forward_pre_hooks)()
    return bare
