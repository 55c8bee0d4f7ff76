"""What a sentence says of one character: the words about a mention, read into its routing feature.

Beyond the paper. Pictures alone cannot say which of two characters stands on the left, and a mention's own text
states hardly do (MiniLM: half of the captions, a coin toss); the words around it do, but on no fixed side of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

REACH = 8
"""How many tokens before and after a mention are told apart by their distance; beyond, they count as this far."""

SILENT = REACH + 1
"""The distance of tokens that say nothing: marks, padding, and all of them where no words mean a subject."""

Spans = Sequence[tuple[int, int] | None]
"""For each subject of a frame the characters [start, end) of the prompt that mean it, or None."""


class MentionReader(nn.Module):
    """Attention pooling of text states by their content and their distance from a mention.

    States (B, T, d_c) and distances (B, N, T) in [-REACH, SILENT] -> (B, N, d_r); zeros for a subject without a word.
    Starts at zero, where the paper's router stands.
    """

    def __init__(self, text_dim: int, routing_dim: int, heads: int = 4, head_dim: int = 32) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(heads, head_dim) * 0.3)
        self.to_k = nn.Linear(text_dim, heads * head_dim)
        self.distance = nn.Embedding(2 * REACH + 1, heads * head_dim)
        self.to_v = nn.Linear(text_dim, heads * head_dim)
        self.to_out = nn.Linear(heads * head_dim, routing_dim, bias=False)
        nn.init.normal_(self.distance.weight, std=0.3)
        nn.init.zeros_(self.to_out.weight)

    def forward(self, states: Tensor, distances: Tensor) -> Tensor:
        heads = self.query.shape
        says = distances < SILENT
        near = (self.distance.weight.unflatten(1, heads) * self.query).sum(-1)
        key = self.to_k(states).unflatten(2, heads)
        scores = (key * self.query).sum(-1).unsqueeze(1) + F.embedding(distances.clamp(max=REACH) + REACH, near)
        scores = scores.masked_fill(~says.unsqueeze(-1), torch.finfo(scores.dtype).min)
        value = self.to_v(states).unflatten(2, heads)
        pooled = torch.einsum("bnth,bthd->bnhd", scores.softmax(dim=2), value)
        return self.to_out(pooled.flatten(2)) * says.any(dim=2, keepdim=True)


def mention_distances(offsets: Tensor, mentions: Sequence[Spans]) -> Tensor:
    """Token offsets (B, T, 2) and character spans, equally many a row -> distances (B, N, T): tokens before a mention
    count down from -1, those after it up from 1, its own are 0."""
    distances = torch.full((len(mentions), len(mentions[0]) if mentions else 0, offsets.shape[1]), SILENT)
    place = torch.arange(offsets.shape[1])
    for row, spans in enumerate(mentions):
        start, end = offsets[row].unbind(-1)
        for subject, span in enumerate(spans):
            if span is None:
                continue
            own = place[(start < span[1]) & (end > span[0]) & (end > start)]
            if len(own):
                away = (place - own[-1]).clamp(min=0) + (place - own[0]).clamp(max=0)
                distances[row, subject] = torch.where(end > start, away.clamp(-REACH, REACH), SILENT)
    return distances
