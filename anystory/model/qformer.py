"""QFormer: a few learned queries read a picture's vision tokens (eq 2; section 3.3 for the routing one)."""

from __future__ import annotations

from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.embeddings import IPAdapterPlusImageProjection
from torch import Tensor


class QFormer(ModelMixin, ConfigMixin):
    """`queries` learned queries through `layers` layers of cross-attention over the vision tokens.

    The subject branch has m = 64 queries and output_dim = d_c, the U-Net's cross-attention width; the
    routing branch one query and output_dim = d_r.
    """

    @register_to_config
    def __init__(
        self, vision_dim: int, output_dim: int, queries: int, width: int = 1024, layers: int = 4, head_dim: int = 64
    ) -> None:
        super().__init__()
        self.resampler = IPAdapterPlusImageProjection(
            embed_dims=vision_dim,
            output_dims=output_dim,
            hidden_dims=width,
            depth=layers,
            dim_head=head_dim,
            heads=width // head_dim,
            num_queries=queries,
        )

    def forward(self, features: Tensor) -> Tensor:
        """Vision tokens (B, n, vision_dim) -> (B, queries, output_dim)."""
        return self.resampler(features)
