"""Real AnyStory models with random weights, small enough for a test: milliseconds a step on a CPU."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    PreTrainedTokenizerFast,
)

from anystory.model.attention import SubjectAdapter
from anystory.model.autoencoder import PatchAutoencoder
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.qformer import QFormer
from anystory.model.reference import ReferenceNet

WORDS = "a an the fox robot character on left right in forest beach at night another and small , . ' s".split(" ")  # noqa: SIM905


def bert_tokenizer() -> PreTrainedTokenizerFast:
    """A word-piece tokenizer that spells what it does not know in letters."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys([*WORDS, *letters, *(f"##{c}" for c in letters)])]
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(vocab)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=48,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def clip_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer with CLIP's start and end marks."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*alphabet, "<|startoftext|>", "<|endoftext|>"])}
    tokenizer = Tokenizer(models.BPE(vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    start, end = vocab["<|startoftext|>"], vocab["<|endoftext|>"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|startoftext|> $A <|endoftext|>",
        special_tokens=[("<|startoftext|>", start), ("<|endoftext|>", end)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=77, pad_token="<|endoftext|>", eos_token="<|endoftext|>"
    )


def vision_encoder() -> CLIPVisionModelWithProjection:
    """32 px, 4 patches a side... 17 tokens of 16."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
            projection_dim=16,
        )
    )


def scheduler(prediction_type: str) -> EulerDiscreteScheduler:
    """Euler steps with Karras sigmas on Stable Diffusion's noise schedule."""
    return EulerDiscreteScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type=prediction_type,
        use_karras_sigmas=True,
    )


def randomise(*modules: torch.nn.Module) -> None:
    """Random weights where training would not start from zero, so that every branch matters."""
    for module in modules:
        for parameter in module.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)


def mini_pipeline(seed: int = 0) -> AnyStoryPipeline:
    """The embedded model's topology: one text encoder, patch autoencoder, two levels; 64 px frames."""
    torch.manual_seed(seed)
    tokenizer = bert_tokenizer()
    text = BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=24,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 32),
        layers_per_block=1,
        attention_head_dim=2,
        cross_attention_dim=24,
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=24 + 24,
    )
    pipeline = AnyStoryPipeline(
        vae=PatchAutoencoder(latent_channels=4, width=8),
        text_encoder=text,
        tokenizer=tokenizer,
        image_encoder=vision_encoder(),
        unet=unet,
        reference_net=ReferenceNet.from_unet(unet),
        subject_qformer=QFormer(16, 24, queries=4, width=16, layers=1, head_dim=8),
        routing_qformer=QFormer(16, 16, queries=1, width=16, layers=1, head_dim=8),
        adapter=SubjectAdapter.from_unet(unet, routing_dim=16, router_dim=8),
        scheduler=scheduler("v_prediction"),
        frame_size=64,
        reference_size=48,
        guidance=3.0,
    )
    return _finished(pipeline)


def sdxl_pipeline(seed: int = 0) -> AnyStoryPipeline:
    """SDXL's topology: KL autoencoder, two CLIP text encoders, a first level without attention; 64 px frames."""
    torch.manual_seed(seed)
    tokenizer = clip_tokenizer()
    config = {
        "vocab_size": len(tokenizer),
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "bos_token_id": 256,
        "eos_token_id": 257,
    }
    text = CLIPTextModel(CLIPTextConfig(hidden_size=16, intermediate_size=32, projection_dim=16, **config))
    text_2 = CLIPTextModelWithProjection(
        CLIPTextConfig(hidden_size=32, intermediate_size=32, projection_dim=20, **config)
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(16, 32, 32),
        layers_per_block=2,
        transformer_layers_per_block=[1, 2, 3],
        attention_head_dim=[2, 2, 4],
        cross_attention_dim=48,
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=20 + 24,
    )
    pipeline = AnyStoryPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            block_out_channels=(8, 8, 8),
            latent_channels=4,
            norm_num_groups=4,
            sample_size=64,
            scaling_factor=0.13025,
        ),
        text_encoder=text,
        tokenizer=tokenizer,
        text_encoder_2=text_2,
        tokenizer_2=clip_tokenizer(),
        image_encoder=vision_encoder(),
        unet=unet,
        reference_net=ReferenceNet.from_unet(unet),
        subject_qformer=QFormer(16, 48, queries=6, width=16, layers=2, head_dim=8),
        routing_qformer=QFormer(16, 16, queries=1, width=16, layers=2, head_dim=8),
        adapter=SubjectAdapter.from_unet(unet, routing_dim=16, router_dim=8),
        scheduler=scheduler("epsilon"),
        frame_size=64,
        reference_size=32,
        guidance=7.5,
    )
    return _finished(pipeline)


def _finished(pipeline: AnyStoryPipeline) -> AnyStoryPipeline:
    randomise(pipeline.vae, pipeline.unet, pipeline.reference_net, pipeline.adapter)
    for component in pipeline.components.values():
        if isinstance(component, torch.nn.Module):
            component.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
