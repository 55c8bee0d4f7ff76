"""Routed injection into a stock U-Net (eq 5-8): processors that a context manager installs and takes out.

In the order of execution, transformer block l holds self-attention l and cross-attention l. Cross-attention l
computes routing map l and injects the CLIP tokens by it; self-attention l reads the references by map l-1,
hence the first reads none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from anystory.model.mention import MentionReader
from anystory.model.router import Router
from anystory.model.routing import (
    Guidance,
    area_maps,
    guided_by,
    hard_maps,
    layer_shape,
    positions,
    reference_bias,
    resize,
    sides,
    spread,
)


def transformer_blocks(unet: UNet2DConditionModel) -> list[BasicTransformerBlock]:
    """Every transformer block in the order of execution: down, middle, up."""
    parts = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [m for part in parts if part is not None for m in part.modules() if isinstance(m, BasicTransformerBlock)]


class SubjectAdapter(ModelMixin, ConfigMixin):
    """All that the method adds to a U-Net's attention, a list entry a layer: the keys and values of the CLIP
    tokens (Ŵ, eq 5) and of the references (W̃, eq 6-7; the first layer has none), and the routers.

    Beyond the paper: `mention` adds to a routing feature what the words around a mention of the subject say.
    """

    @register_to_config
    def __init__(self, layer_dims: tuple[int, ...], text_dim: int, routing_dim: int, router_dim: int) -> None:
        super().__init__()
        self.subject_k = nn.ModuleList(nn.Linear(text_dim, d, bias=False) for d in layer_dims)
        self.subject_v = nn.ModuleList(nn.Linear(text_dim, d, bias=False) for d in layer_dims)
        self.reference_k = nn.ModuleList(nn.Linear(d, d, bias=False) for d in layer_dims[1:])
        self.reference_v = nn.ModuleList(nn.Linear(d, d, bias=False) for d in layer_dims[1:])
        self.routers = nn.ModuleList(Router(routing_dim, d, router_dim) for d in layer_dims)
        self.mention = MentionReader(text_dim, routing_dim)

    @classmethod
    def from_unet(cls, unet: UNet2DConditionModel, routing_dim: int, router_dim: int) -> SubjectAdapter:
        """An adapter that starts from the U-Net's own keys and values."""
        blocks = transformer_blocks(unet)
        adapter = cls(
            layer_dims=tuple(block.attn1.to_q.in_features for block in blocks),
            text_dim=blocks[0].attn2.to_k.in_features,
            routing_dim=routing_dim,
            router_dim=router_dim,
        )
        for block, to_k, to_v in zip(blocks, adapter.subject_k, adapter.subject_v, strict=True):
            to_k.load_state_dict(block.attn2.to_k.state_dict())
            to_v.load_state_dict(block.attn2.to_v.state_dict())
        for block, to_k, to_v in zip(blocks[1:], adapter.reference_k, adapter.reference_v, strict=True):
            to_k.load_state_dict(block.attn1.to_k.state_dict())
            to_v.load_state_dict(block.attn1.to_v.state_dict())
        return adapter

    def routing_features(self, routing: Tensor, text: Tensor, mentions: Tensor) -> Tensor:
        """R (B, N+1, d_r) with what the text says of each subject added.

        text: (B, T, d_c) states; mentions: (B, N, T) distances of its tokens from each mention. Nothing is said of
        the background.
        """
        return routing + F.pad(self.mention(text, mentions), (0, 0, 0, 1))


@dataclass
class Bank:
    """What a batch of B frames with N subjects each is told about them.

    tokens: E (B, N+1, m, d_c), the background last; routing: R (B, N+1, d_r); references: G^l for l = 2..L, each
    (B, N, n_l, d_l), empty for N = 0; references_active: (B,) bool, False closes a row's references;
    latent_shape: (H, W) of the U-Net's input; present: (B, N+1, P) bool, which of the P equal parts of its tokens
    and references, a picture each, an entry has, the others being padding; None where every entry has one.
    """

    tokens: Tensor
    routing: Tensor
    references: list[Tensor]
    references_active: Tensor
    latent_shape: tuple[int, int]
    present: Tensor | None = None


Gate = Callable[[Tensor], Tensor]
"""Refined logits (B, N+1, h, w) -> sigma(M) of the same shape."""


@dataclass
class Routing:
    """The state of one installed injection. After a forward pass `coarse` and `refined` hold a tensor of
    logits (B, N+1, h, w) a layer, in the order of execution; `queries`, unless None, a pair for every
    self-attention that reads references: queries (B, heads, hw, d) and reference keys (B, heads, N * n, d).
    `guidance` may be changed between two passes; `unguided` are the refined logits without it."""

    adapter: SubjectAdapter
    bank: Bank
    eta: float | Tensor
    gamma: float | Tensor
    gate: Gate
    detach: bool
    guidance: Guidance | None = None
    coarse: list[Tensor] = field(default_factory=list)
    refined: list[Tensor] = field(default_factory=list)
    unguided: list[Tensor] = field(default_factory=list)
    queries: list[tuple[Tensor, Tensor]] | None = None
    _gates: Tensor | None = None
    _keys: dict[tuple[str, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def route(self, layer: int, tokens: Tensor) -> Tensor:
        """Compute map `layer` from its tokens (B, hw, d); returns the gates (B, N+1, hw)."""
        if layer == 0:
            self.coarse.clear()
            self.refined.clear()
            self.unguided.clear()
        shape = layer_shape(tokens.shape[1], *self.bank.latent_shape)
        seen = tokens.detach() if self.detach else tokens
        guided = self.guidance
        guide = None if guided is None else lambda logits: guided(logits, shape)
        coarse, refined = self.adapter.routers[layer](self.bank.routing, seen, positions(shape, seen), guide)
        self.coarse.append(coarse.unflatten(2, shape))
        self.unguided.append(refined.unflatten(2, shape))
        self.refined.append(guided_by(self.guidance, self.unguided[-1]))
        self._gates = self.gate(self.refined[-1])
        return self._gates.flatten(2)

    def preceding_maps(self, tokens: int) -> Tensor:
        """One-hot map of the preceding cross-attention at the resolution of a layer with `tokens` tokens."""
        shape = layer_shape(tokens, *self.bank.latent_shape)
        if self._gates is not None and self._gates.shape[-2:] == shape:
            return self._gates
        # Guided at this resolution: paint is as sharp as the layer that it gates.
        return self.gate(guided_by(self.guidance, resize(self.unguided[-1], shape)))

    def subject_keys(self, layer: int, attn: Attention) -> tuple[Tensor, Tensor]:
        """Keys and values of the CLIP tokens, each (B * (N+1), heads, m, d); made once a frame."""
        return self._once(
            ("subject", layer),
            self.bank.tokens.flatten(0, 1),
            attn,
            self.adapter.subject_k[layer],
            self.adapter.subject_v[layer],
        )

    def reference_keys(self, layer: int, attn: Attention) -> tuple[Tensor, Tensor]:
        """Keys and values of all references of a frame, each (B, heads, N * n, d); made once a frame."""
        return self._once(
            ("reference", layer),
            self.bank.references[layer - 1].flatten(1, 2),
            attn,
            self.adapter.reference_k[layer - 1],
            self.adapter.reference_v[layer - 1],
        )

    def _once(
        self, key: tuple[str, int], source: Tensor, attn: Attention, to_k: nn.Module, to_v: nn.Module
    ) -> tuple[Tensor, Tensor]:
        if key not in self._keys:
            self._keys[key] = split_heads(to_k(source), attn), split_heads(to_v(source), attn)
        return self._keys[key]


def split_heads(x: Tensor, attn: Attention) -> Tensor:
    """(B, n, heads * d) -> (B, heads, n, d)."""
    return x.unflatten(2, (attn.heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, heads, n, d) -> (B, n, heads * d)."""
    return x.transpose(1, 2).flatten(2)


def attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention, (B, heads, n, d) each, with an additive bias that broadcasts to its scores."""
    if query.device.type == "cpu" and query.requires_grad:
        # The fused kernel's backward pass took 30 % of a training step on the CPU (2.4 s; written out, 1.5 s a step).
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        scores = scores if bias is None else scores + bias
        return scores.softmax(dim=-1, dtype=query.dtype) @ value
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def _project_out(x: Tensor, attn: Attention) -> Tensor:
    return attn.to_out[1](attn.to_out[0](x))


class ReferenceSelfAttention:
    """Self-attention over [Z, G_1, ..., G_N], each reference open where its subject is (eq 6-8)."""

    def __init__(self, routing: Routing, layer: int) -> None:
        self.routing = routing
        self.layer = layer

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        query = split_heads(attn.to_q(hidden_states), attn)
        key = split_heads(attn.to_k(hidden_states), attn)
        value = split_heads(attn.to_v(hidden_states), attn)
        bank = self.routing.bank
        reference_key, reference_value = self.routing.reference_keys(self.layer, attn)
        if self.routing.queries is not None:
            self.routing.queries.append((query, reference_key))
        bias = reference_bias(
            self.routing.preceding_maps(hidden_states.shape[1]).detach(),
            bank.references[self.layer - 1].shape[2],
            self.routing.gamma,
            bank.references_active,
            None if bank.present is None else bank.present[:, :-1],
        )
        out = attention(
            query,
            torch.cat([key, reference_key], dim=2),
            torch.cat([value, reference_value], dim=2),
            F.pad(bias, (key.shape[2], 0)).to(query.dtype),
        )
        return _project_out(merge_heads(out), attn)


class RoutedCrossAttention:
    """Text cross-attention plus each entry's CLIP tokens where the routing map puts them (eq 5)."""

    def __init__(self, routing: Routing, layer: int) -> None:
        self.routing = routing
        self.layer = layer

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        query = split_heads(attn.to_q(hidden_states), attn)
        text = attention(
            query,
            split_heads(attn.to_k(encoder_hidden_states), attn),
            split_heads(attn.to_v(encoder_hidden_states), attn),
            None if attention_mask is None else attention_mask.unsqueeze(1).to(query.dtype),
        )
        gates = self.routing.route(self.layer, hidden_states)
        entries = gates.shape[1]
        key, value = self.routing.subject_keys(self.layer, attn)
        bias = None
        if (present := self.routing.bank.present) is not None:
            padding = ~spread(present, key.shape[2]).flatten(0, 1)[:, None, None]
            bias = torch.zeros_like(padding, dtype=query.dtype).masked_fill(padding, -torch.inf)
        subjects = attention(query.repeat_interleave(entries, dim=0), key, value, bias)
        subjects = merge_heads(subjects).unflatten(0, (-1, entries))
        gates = (gates * self.routing.eta).unsqueeze(-1).to(subjects.dtype)
        return _project_out(merge_heads(text) + (gates * subjects).sum(dim=1), attn)


@contextmanager
def installed(processors: Mapping[Attention, object]) -> Iterator[None]:
    """Put processors into attention layers; the former ones are back at the end, whatever happens."""
    former = {attn: attn.processor for attn in processors}
    try:
        for attn, processor in processors.items():
            attn.set_processor(processor)
        yield
    finally:
        for attn, processor in former.items():
            attn.set_processor(processor)


@contextmanager
def attend(
    unet: UNet2DConditionModel,
    adapter: SubjectAdapter,
    bank: Bank,
    *,
    eta: float | Tensor = 1.0,
    gamma: float | Tensor = 0.0,
    gate: Gate = hard_maps,
    detach: bool = False,
) -> Iterator[Routing]:
    """Let `unet` attend to the subjects in `bank` while the context is open.

    eta: one for all, or (B, N+1, 1); gamma: one for all, or (B, 1, N); gate: sigma, a hard argmax unless training asks
    for another; detach: routers learn without moving the U-Net.
    """
    routing = Routing(adapter, bank, eta, gamma, gate, detach)
    processors: dict[Attention, object] = {}
    for layer, block in enumerate(transformer_blocks(unet)):
        processors[block.attn2] = RoutedCrossAttention(routing, layer)
        if layer > 0 and bank.references:
            processors[block.attn1] = ReferenceSelfAttention(routing, layer)
    with installed(processors):
        yield routing


def given_gate(masks: Tensor, rows: Tensor, otherwise: Gate = hard_maps) -> Gate:
    """A training gate: the true maps of visible masks (B, N, H, W) where rows (B,) is True, else the router's."""

    def gate(logits: Tensor) -> Tensor:
        truth = hard_maps(area_maps(masks, sides(logits))).to(logits.dtype)
        return torch.where(rows[:, None, None, None], truth, otherwise(logits))

    return gate
