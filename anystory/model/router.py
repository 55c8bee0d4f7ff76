"""The router of one cross-attention layer (section 3.3): coarse map, masked cross-attention, refined map.

A miniature segmentation decoder in the manner of Mask2Former: each routing feature looks at the tokens its
coarse map claims, and what it saw there sharpens the map. As there, the tokens also say where they are: while a
frame is still noise, "on the left" has nothing else to hold on to.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anystory.model.routing import POSITION_DIM, hard_maps, open_empty


class Router(nn.Module):
    """Routing features (B, N+1, d_r), layer tokens (B, hw, d) and their positions (hw, POSITION_DIM) -> logits
    (B, N+1, hw), coarse and refined. `guide` acts on the coarse logits before they say where to look."""

    def __init__(self, routing_dim: int, layer_dim: int, inner_dim: int) -> None:
        super().__init__()
        self.norm_tokens = nn.LayerNorm(layer_dim)
        self.position = nn.Linear(POSITION_DIM, layer_dim, bias=False)
        self.coarse_query = nn.Linear(routing_dim, inner_dim)
        self.coarse_key = nn.Linear(layer_dim, inner_dim)
        self.to_q = nn.Linear(routing_dim, inner_dim)
        self.to_k = nn.Linear(layer_dim, inner_dim)
        self.to_v = nn.Linear(layer_dim, inner_dim)
        self.to_out = nn.Linear(inner_dim, routing_dim)
        self.norm_refined = nn.LayerNorm(routing_dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(routing_dim, 2 * routing_dim), nn.GELU(), nn.Linear(2 * routing_dim, routing_dim)
        )
        self.refined_query = nn.Linear(routing_dim, inner_dim)
        self.refined_key = nn.Linear(layer_dim, inner_dim)

    def forward(
        self, routing: Tensor, tokens: Tensor, positions: Tensor, guide: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        tokens = self.norm_tokens(tokens) + self.position(positions)
        coarse = _scores(self.coarse_query(routing), self.coarse_key(tokens))
        if guide is not None:
            coarse = guide(coarse)
        regions = open_empty(hard_maps(coarse) > 0.5)
        seen = F.scaled_dot_product_attention(
            self.to_q(routing), self.to_k(tokens), self.to_v(tokens), attn_mask=regions
        )
        routing = routing + self.to_out(seen)
        routing = routing + self.feed_forward(self.norm_refined(routing))
        refined = _scores(self.refined_query(routing), self.refined_key(tokens))
        return coarse, refined


def _scores(query: Tensor, key: Tensor) -> Tensor:
    """Scaled inner products, (B, N+1, hw)."""
    return torch.einsum("bnd,bud->bnu", query, key) * query.shape[-1] ** -0.5
