"""The AnyStory networks as one module, which encodes subjects. What training teaches and what the pipeline runs are the
same modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from anystory.model.attention import SubjectAdapter
from anystory.model.qformer import QFormer
from anystory.model.reference import ReferenceNet


@dataclass(frozen=True)
class SubjectEncoding:
    """A subject as the U-Net is told about it: E (P * m, d_c), R (d_r,), G^l (P * n_l, d_l) for l = 2..L, of P
    `pictures` one after the other."""

    tokens: Tensor
    routing: Tensor
    references: tuple[Tensor, ...]
    pictures: int = 1

    @classmethod
    def joined(cls, encodings: Sequence[SubjectEncoding]) -> SubjectEncoding:
        """One subject from the encodings of its pictures: all their tokens, and the mean of their routing features."""
        return cls(
            tokens=torch.cat([encoding.tokens for encoding in encodings]),
            routing=torch.stack([encoding.routing for encoding in encodings]).mean(dim=0),
            references=tuple(
                torch.cat(layer) for layer in zip(*(encoding.references for encoding in encodings), strict=True)
            ),
            pictures=sum(encoding.pictures for encoding in encodings),
        )


@dataclass(frozen=True)
class Text:
    """Encoded prompts: states (B, T, d_c), mask (B, T) or None where every token counts, pooled (B, d_p)."""

    states: Tensor
    mask: Tensor | None
    pooled: Tensor

    def rows(self, index: Tensor) -> Text:
        """The prompts with these row numbers."""
        return Text(self.states[index], None if self.mask is None else self.mask[index], self.pooled[index])


class AnyStoryModel(nn.Module):
    """U-Net, ReferenceNet, both QFormers and the adapter."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        reference_net: ReferenceNet,
        subject_qformer: QFormer,
        routing_qformer: QFormer,
        adapter: SubjectAdapter,
    ) -> None:
        super().__init__()
        self.unet = unet
        self.reference_net = reference_net
        self.subject_qformer = subject_qformer
        self.routing_qformer = routing_qformer
        self.adapter = adapter

    def encode(self, vision: Tensor, reference: Tensor) -> SubjectEncoding:
        """Vision tokens (n, d_v) and reference latent with mask channel (C+1, h, w) -> encoding."""
        return SubjectEncoding(
            tokens=self.subject_qformer(vision[None])[0],
            routing=self.routing_qformer(vision[None])[0, 0],
            references=tuple(g[0] for g in self.reference_net.features(reference[None])),
        )

    def encode_background(self, no_vision: Tensor) -> SubjectEncoding:
        """E_{N+1} and R_{N+1} from the zero image's tokens (n, d_v); it has no reference."""
        return SubjectEncoding(
            self.subject_qformer(no_vision[None])[0], self.routing_qformer(no_vision[None])[0, 0], ()
        )
