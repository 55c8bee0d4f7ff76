"""The paper's model with random weights, SDXL's topology at small scale, and a walk of its memory plans."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from PIL import Image
from torch.utils._python_dispatch import _disable_current_modes
from transformers import (
    AutoTokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from anystory.bench.card import CARD
from anystory.bench.flux import GOLDEN
from anystory.bench.walk import Walk, subject, walked
from anystory.model.attention import SubjectAdapter
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.plans import CANDIDATES, Footprint, Plan, Work, place, plan
from anystory.model.qformer import QFormer
from anystory.model.reference import ReferenceNet

SIZE = 128
"""Side of a frame and of a reference in pixels."""

SUBJECTS, STEPS = 2, 2


def build(seed: int = 0) -> AnyStoryPipeline:
    """The pipeline, an eighth as wide as SDXL's; its tokenizer is that of the golden weights."""
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(GOLDEN / "base" / "tokenizer", local_files_only=True)
    text = {"vocab_size": 258, "num_hidden_layers": 2, "bos_token_id": 256, "eos_token_id": 257}
    narrow = CLIPTextConfig(hidden_size=96, intermediate_size=384, num_attention_heads=2, **text)
    wide = CLIPTextConfig(hidden_size=160, intermediate_size=640, num_attention_heads=4, projection_dim=160, **text)
    vision = CLIPVisionConfig(
        hidden_size=160,
        intermediate_size=640,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=112,
        patch_size=14,
    )
    unet = UNet2DConditionModel(
        sample_size=SIZE // 8,
        in_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(40, 80, 160),
        layers_per_block=1,
        transformer_layers_per_block=[1, 1, 3],
        attention_head_dim=[1, 2, 4],
        cross_attention_dim=256,
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=160 + 6 * 32,
    )
    channels = (16, 32, 64, 64)
    pipeline = AnyStoryPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=channels,
            layers_per_block=2,
            norm_num_groups=8,
            latent_channels=4,
            scaling_factor=0.13025,
        ),
        text_encoder=CLIPTextModel(narrow),
        tokenizer=tokenizer,
        text_encoder_2=CLIPTextModelWithProjection(wide),
        tokenizer_2=tokenizer,
        image_encoder=CLIPVisionModelWithProjection(vision),
        unet=unet,
        reference_net=ReferenceNet.from_unet(unet),
        subject_qformer=QFormer(160, 256, queries=8, width=128, layers=2, head_dim=32),
        routing_qformer=QFormer(160, 64, queries=1, width=128, layers=2, head_dim=32),
        adapter=SubjectAdapter.from_unet(unet, routing_dim=64, router_dim=32),
        scheduler=EulerDiscreteScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, use_karras_sigmas=True
        ),
        frame_size=SIZE,
        reference_size=SIZE,
    )
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.to(torch.bfloat16).eval().requires_grad_(False)
    return pipeline


def walks() -> Iterator[Walk]:
    """Every plan of the paper's model in turn."""
    with TemporaryDirectory() as folder:
        build().save_pretrained(folder)
        footprint, work = Footprint.of(Path(folder)), Work((SIZE, SIZE), SUBJECTS)
        whole: dict[str, bytes] = {}
        for weights, offload in CANDIDATES:
            each = plan(footprint, work, weights, offload)
            found = walked(f"sdxl {weights}/{offload}", each, partial(_drawn, each, Path(folder)))
            yield found.same_as(whole.setdefault(weights, found.picture))


def _drawn(each: Plan, folder: Path) -> Image.Image:
    return frame(loaded(each, folder))


def loaded(each: Plan, folder: Path) -> AnyStoryPipeline:
    """The pipeline under a plan, on the card."""
    with _disable_current_modes():  # loading is the CPU's
        pipeline = AnyStoryPipeline.from_pretrained(folder, dtype=torch.bfloat16, local_files_only=True)
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    place(each, pipeline, str(CARD))
    return pipeline


def frame(pipeline: AnyStoryPipeline) -> Image.Image:
    """A frame of the walk, with a preview after every step, as a backend makes it; twice, as a model that was sent away
    has to come again."""
    for _ in range(2):
        cast = [pipeline.encode(*subject(seed)) for seed in range(SUBJECTS)]
        for step in pipeline.denoise(
            ["a fox meets an owl"], [((0, 5), (12, 18))], [cast], [0], size=(SIZE, SIZE), steps=STEPS
        ):
            pipeline.decode(step.clean)
        image = pipeline.decode(step.latents)[0]
    return image
