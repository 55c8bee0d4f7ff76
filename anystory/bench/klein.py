"""What a frame of FLUX.2 [klein] costs with its maps read, and with references closed, against the stock pipeline:
counted at full size on the meta device."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from anystory.backends.base import ROUTINGS
from anystory.bench.card import CARD
from anystory.bench.count import Cost, Counter
from anystory.bench.flux import equal_shares
from anystory.bench.walk import Walk, subject, walked
from anystory.model.flux.pipeline import TOKEN
from anystory.model.flux.plans import Configs, FluxPlan, FluxWork, empty, place, plan, table
from anystory.model.klein import attention
from anystory.model.klein.pipeline import TEXT_TOKENS, AnyStoryKleinPipeline, KleinSettings, KleinSubject
from anystory.model.klein.plans import CANDIDATES, MAKERS, RELEASE, KleinFootprint, release_footprint

WORK = FluxWork(size=(1024, 1024), reference=512, pictures=2, text=TEXT_TOKENS)
"""Two characters on a megapixel."""


CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""A chat template of Qwen3's shape."""

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")

SCHEDULER = {"shift": 3.0, "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15}
"""The release's, as far as it is known."""

SCALED: Configs = {
    "transformer": {
        "in_channels": 128,
        "num_layers": 1,
        "num_single_layers": 3,
        "attention_head_dim": 128,
        "num_attention_heads": 2,
        "joint_attention_dim": 192,
        "guidance_embeds": False,
    },
    "vae": RELEASE["vae"] | {"block_out_channels": [32, 32, 64, 64], "norm_num_groups": 8},
    "text_encoder": {
        "hidden_size": 64,
        "intermediate_size": 256,
        "num_hidden_layers": 30,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "vocab_size": 272,
        "tie_word_embeddings": True,
    },
}
"""A model a twelfth as wide, of few blocks: what the plans are walked with."""

SIDE = 128
"""Of its frames and references, in pixels."""


def counted(
    configs: Configs = RELEASE, work: FluxWork = WORK, steps: int = 4, *, sketch: bool = False
) -> dict[str, Cost]:
    """What the steps of a frame cost with the stock processors and with each of `ROUTINGS`; closed, the characters and
    nobody hold equal shares of it. With a `sketch` that is one more reference, in all three."""
    with torch.device("meta"):
        parts = {name: empty(name, configs[name], makers=MAKERS) for name in ("vae", "transformer")}
        transformer = parts["transformer"].to(torch.bfloat16).eval()
        ref = torch.empty(1, (work.reference // TOKEN) ** 2, transformer.config.in_channels, dtype=torch.bfloat16)
        text = torch.empty(1, work.text, transformer.config.joint_attention_dim, dtype=torch.bfloat16)
        sketches = [ref.mT.unflatten(2, (work.reference // TOKEN,) * 2)] * sketch
    tokens = math.prod(work.size) // TOKEN**2 + (work.pictures + sketch) * ref.shape[1]
    costs = {"stock": _stock(transformer, text, tokens) * steps}
    pipeline = AnyStoryKleinPipeline(scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), **parts)
    cast = [KleinSubject(ref, str(number)) for number in range(work.pictures)]
    noise = pipeline.noise(0, *work.size)
    for mode in ROUTINGS:
        settings = KleinSettings(*work.size, steps, close=mode == "close")
        with patch.object(attention, "held_by", equal_shares), Counter() as cost:
            for _ in pipeline.denoise_batch(text, [cast], noise, settings, sketches=sketches):
                pass
        costs[mode] = cost
    return costs


@torch.no_grad()
def _stock(transformer: Flux2Transformer2DModel, text: Tensor, tokens: int) -> Cost:
    """What a pass costs with diffusers' own processors, over so many tokens besides the text's."""
    ids = torch.zeros(tokens + text.shape[1], 4, device="meta")
    with Counter() as cost:
        transformer(
            hidden_states=text.new_empty(1, tokens, transformer.config.in_channels),
            encoder_hidden_states=text,
            timestep=text.new_empty(1),
            img_ids=ids[:tokens],
            txt_ids=ids[tokens:],
        )
    return cost


def report(costs: dict[str, Cost], sketched: dict[str, Cost]) -> Sequence[str]:
    """The counts without a sketch and with one to look at, and the memory plans, as lines of Markdown."""
    lines = ["| steps of a frame | operations | | bytes | | launches |", "| --- | --- | --- | --- | --- | --- |"]
    for what, counts in (("", costs), (", with a sketch", sketched)):
        stock = counts["stock"]
        for mode, cost in counts.items():
            figures = f"{cost.flops / 1e12:.1f} T | × {cost.flops / stock.flops:.3f}"
            figures += f" | {cost.bytes / 1e9:.0f} GB | × {cost.bytes / stock.bytes:.2f} | {cost.launches}"
            lines.append(f"| {mode}{what} | {figures} |")
    return [*lines, "", *table(release_footprint(), WORK, "FLUX.2 [klein]").splitlines()]


def walks() -> Iterator[Walk]:
    """Every plan in turn, from a subject to a picture, on the simulated card."""
    with TemporaryDirectory() as folder:
        save(SCALED, Path(folder))
        footprint, work = KleinFootprint.of(SCALED), FluxWork((SIDE, SIDE), SIDE)
        whole: dict[str, bytes] = {}
        for candidate in CANDIDATES:
            each = plan(footprint, work, *candidate)
            name = f"klein {each.name}"
            if missing := [package for package in each.packages if find_spec(package) is None]:
                yield Walk(name, skipped=f"it takes the package {missing[0]}")
                continue
            found = walked(name, each, partial(_drawn, each, Path(folder)))
            yield found.same_as(whole.setdefault(each.precision, found.picture))


def _drawn(each: FluxPlan, folder: Path) -> Image.Image:
    with _disable_current_modes():  # loading is the CPU's
        pipeline = AnyStoryKleinPipeline.from_release(folder, torch.bfloat16, each)
    place(each, pipeline, str(CARD))
    for _ in range(2):  # as a model that was sent away has to come again
        cast = [pipeline.encode([subject(seed)[0]], SIDE) for seed in range(2)]
        text, noise = pipeline.encode_text("a fox meets an owl"), pipeline.noise(0, SIDE, SIDE)
        for step in pipeline.denoise_batch(text, [cast], noise, KleinSettings(SIDE, SIDE, 2, close=True)):
            pipeline.preview(step.clean, SIDE, SIDE)
        image = pipeline.decode(step.latents, SIDE, SIDE)
        pipeline._read.clear()  # or the prompt would not be encoded again
    return image


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, and the chat's marks."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.add_special_tokens([*SPECIAL])
    fast = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = CHAT
    return fast


def save(configs: Configs, folder: Path, seed: int = 0) -> Path:
    """Random weights in the release's form, in a `folder` that is then returned."""
    torch.manual_seed(seed)
    vae = AutoencoderKLFlux2(**configs["vae"])
    vae.bn.running_mean.normal_(0, 0.3)
    vae.bn.running_var.uniform_(0.5, 2.0)
    parts = {
        "vae": vae,
        "transformer": Flux2Transformer2DModel(**configs["transformer"]),
        "text_encoder": Qwen3ForCausalLM(Qwen3Config(**configs["text_encoder"])),
        "scheduler": FlowMatchEulerDiscreteScheduler(**SCHEDULER),
        "tokenizer": tokenizer(),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline", "is_distilled": true}')
    return folder
