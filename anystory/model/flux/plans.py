"""Memory plans: which card takes FLUX in what form, computed from the models' configs before anything is loaded.

A plan says how the weights are kept (16 bits, quantised) and where (all on the card, one model at a time, one block at
a time). Its peak is what the card needs: weights that are there together, recorded references, and the tensors of the
largest piece of work.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, DiffusionPipeline, FluxTransformer2DModel
from diffusers.pipelines.flux.modeling_flux import ReduxImageEncoder
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, SiglipVisionConfig, T5Config, T5EncoderModel

from anystory.errors import Message
from anystory.model.flux.encoder import VisionEncoder
from anystory.model.memory import CONTEXT, GB, GIB, SPARE, WHERE, chain, described
from anystory.model.offload import by_block, by_layer, take_turns

Configs = dict[str, dict[str, Any]]

RELEASE: Configs = {
    "transformer": {"guidance_embeds": True},
    "vae": {
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
        "block_out_channels": [128, 256, 512, 512],
        "layers_per_block": 2,
        "latent_channels": 16,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "scaling_factor": 0.3611,
        "shift_factor": 0.1159,
    },
    "text_encoder": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
    "text_encoder_2": {
        "d_model": 4096,
        "d_ff": 10240,
        "num_layers": 24,
        "num_heads": 64,
        "vocab_size": 32128,
        "feed_forward_proj": "gated-gelu",
    },
    "image_encoder": {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 14,
    },
    "image_embedder": {"redux_dim": 1152, "txt_in_features": 4096},
}
"""The configs of FLUX.1-dev and FLUX.1-Redux-dev, as far as sizes follow from them."""

RANK = 128
"""Rank of the release's low-rank branches."""

CARDS = (8, 12, 16, 24, 48, 80)
"""Sizes that plans are shown for, in the GiB that cards are sold by."""

ALWAYS = ("vae", "image_embedder")
"""Parts that stay on the card in every plan: small, and called in the middle of others' work."""


@dataclass(frozen=True)
class Precision:
    """How a model's linear layers are kept: bytes a weight, scales included, and the package that does it.

    `unpacked` is how many bytes a weight the layer at work takes besides: a copy to compute with and what comes before
    it. `distance` is how far the final latents may be from those of unquantised weights, relative to their norm, on
    the tiny golden weights with float32 activations: what the tests hold it to.
    """

    bytes: float
    package: str | None = None
    distance: float = 0.0
    unpacked: float = 0.0


PRECISIONS = {
    "float32": Precision(4),
    "bf16": Precision(2),
    "fp8": Precision(1, "torchao", 0.06, unpacked=8),
    "int8": Precision(1 + 2 / 3072, "torchao", 0.02, unpacked=2),
    "nf4": Precision(0.5 + (1 + 4 / 256) / 64, "bitsandbytes", 0.35, unpacked=2),
    "gguf": Precision(4.5 / 8, "gguf", 0.2, unpacked=5),
}
"""`nf4` has an 8 bit scale for every 64 weights and a float32 one for every 256 of those; `gguf` is its Q4 family,
unless a file says how large it is."""

PACKED = ("nf4", "gguf")
"""Those whose tensors say they hold bytes; the others' say what they are computed with."""


@dataclass(frozen=True)
class FluxWork:
    """The largest frame a plan has to hold: its width and height and its references' side in pixels, the pictures of
    all its subjects, the frames of a batch and the tokens of text."""

    size: tuple[int, int] = (512, 512)
    reference: int = 512
    pictures: int = 2
    batch: int = 1
    text: int = 512


@dataclass(frozen=True)
class FluxPlan:
    """A way to keep FLUX on a card.

    `transformer` and `text` name the precision of the transformer's and of T5's linear layers; `offload` is "none" (all
    on the card), "model" (the models take turns), "block" (so do their blocks) or "cpu" (there is no card). `peak` is
    what the card needs, in bytes, `host` what the computer's memory does, where all weights are before they go to the
    card.
    """

    transformer: str
    text: str
    offload: str
    peak: int
    host: int

    @property
    def name(self) -> str:
        return f"{self.precision}/{self.offload}"

    @property
    def precision(self) -> str:
        return f"{self.transformer}/{self.text}"

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages it takes besides the project's own."""
        wanted = (PRECISIONS[name].package for name in (self.transformer, self.text))
        return tuple(dict.fromkeys(name for name in wanted if name))

    @property
    def form(self) -> Message:
        """What it does, in words."""
        return Message(
            "transformer in {transformer}, text encoder in {text}, {where}",
            transformer=self.transformer,
            text=self.text,
            where=WHERE[self.offload],
        )

    def __str__(self) -> str:
        return described(self)


CANDIDATES = (
    ("bf16", "bf16", "none"),
    ("bf16", "bf16", "model"),
    ("fp8", "fp8", "none"),
    ("int8", "int8", "none"),
    ("int8", "bf16", "model"),
    ("nf4", "nf4", "none"),
    ("nf4", "bf16", "model"),
    ("gguf", "bf16", "block"),
    ("bf16", "bf16", "block"),
)
"""Precisions and offloading, each smaller than the ones before: the best pictures first, then the fastest."""


Makers = Mapping[str, Callable[[dict[str, Any]], nn.Module]]
"""What makes each part of a model from its config."""

MAKERS: Makers = {
    "transformer": lambda config: FluxTransformer2DModel(**config),
    "vae": lambda config: AutoencoderKL(**config),
    "image_embedder": lambda config: ReduxImageEncoder(**config),
    "image_encoder": lambda config: VisionEncoder(SiglipVisionConfig(**config)),
    "text_encoder": lambda config: CLIPTextModel(CLIPTextConfig(**config)),
    "text_encoder_2": lambda config: T5EncoderModel(T5Config(**config)),
}
"""Those of the release."""


def configs_in(folders: Mapping[str, Path]) -> Configs:
    """The configs of a model's parts from their folders, of those that have one."""
    files = {name: folder / "config.json" for name, folder in folders.items()}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}


def release_configs(base: Path, redux: Path) -> Configs:
    """The configs of the model folders."""
    folders = {name: base / name for name in ("transformer", "vae", "text_encoder", "text_encoder_2")}
    return configs_in(folders | {name: redux / name for name in ("image_encoder", "image_embedder")})


def empty(name: str, config: Mapping[str, Any], device: str = "meta", makers: Makers = MAKERS) -> Any:
    """A part of a model by its name, on the meta device without weights. An `nn.Module`, of which callers want more
    than that promises."""
    with torch.device(device):
        return makers[name]({key: value for key, value in config.items() if not key.startswith("_")})


@dataclass(frozen=True)
class FluxFootprint:
    """What memory depends on: for every part the weights (in linear layers, elsewhere) and those of its largest linear
    layer, of those with blocks the largest one's and those outside; the low-rank branches' weights; the widths that
    tensors have; the numbers of the user's LoRAs with the bytes of their files; and the bytes of the transformer's
    .gguf file, 0 where there is none."""

    weights: Mapping[str, tuple[int, int]]
    largest: Mapping[str, int]
    branches: int
    width: int
    layers: int
    pieces: Mapping[str, tuple[int, int]]
    channels: int
    text: tuple[int, int]
    loras: tuple[int, int] = (0, 0)
    gguf: int = 0

    always: ClassVar[tuple[str, ...]] = ALWAYS
    reader: ClassVar[str] = "text_encoder_2"
    """The part that is the large text encoder."""
    candidates: ClassVar[tuple[tuple[str, str, str], ...]] = CANDIDATES

    @classmethod
    def of(cls, configs: Configs, rank: int = RANK) -> FluxFootprint:
        """Of the models that the configs describe."""
        models = {name: empty(name, config) for name, config in configs.items()}
        transformer = models["transformer"]
        blocks = {"transformer": [*transformer.transformer_blocks, *transformer.single_transformer_blocks]}
        if "text_encoder_2" in models:
            blocks["text_encoder_2"] = list(models["text_encoder_2"].encoder.block)
        t5 = configs.get("text_encoder_2", {})
        return cls(
            weights={name: count_weights(model) for name, model in models.items()},
            largest={
                name: max(map(torch.Tensor.numel, linear_weights(model)), default=0) for name, model in models.items()
            },
            branches=_branches(transformer, configs, rank),
            width=transformer.inner_dim,
            layers=len(blocks["transformer"]),
            pieces={name: measure_pieces(models[name], parts) for name, parts in blocks.items()},
            channels=models["vae"].config.block_out_channels[min(1, len(models["vae"].config.block_out_channels) - 1)],
            text=(t5.get("d_ff", 0), t5.get("num_heads", 0)),
        )

    def bytes(self, part: str, precision: str, plain: float) -> float:
        """A part's weights; layers that are not linear have `plain` bytes a weight."""
        if precision == "gguf" and self.gguf:
            return self.gguf
        linear, other = self.weights.get(part, (0, 0))
        return linear * PRECISIONS[precision].bytes + other * plain

    def added(self, precision: str, plain: float) -> float:
        """What is added to a transformer's weights: the branches, and LoRAs, which take on the type of the layers they
        are on where that is a type of numbers, and else keep their file's."""
        numbers, file = self.loras
        return self.branches * plain + (file if precision in PACKED else numbers * plain)

    def unpacking(self, part: str, precision: str) -> float:
        """What a part's largest layer takes while it is at work, where its weights are not kept as it computes."""
        return self.largest.get(part, 0) * PRECISIONS[precision].unpacked

    def needs(self, work: FluxWork, transformer: str, text: str, plain: float) -> dict[str, float]:
        """What every part takes besides weights while it works."""
        needs = {name: 0.0 for name in self.weights}
        needs[self.reader] = self.reading(work, plain) + self.unpacking(self.reader, text)
        needs["image_encoder"] = self.encoding(work, plain)
        step = self.step(work, plain) + self.unpacking("transformer", transformer)
        needs["transformer"] = self.references(work, plain) + max(step, self.decoding(work, plain))  # with previews
        return needs

    # What work takes besides weights; factors are tensors of one width alive at once, as counted and as measured.

    def references(self, work: FluxWork, plain: float) -> float:
        """The recorded keys and values of all subjects, at most."""
        return 2 * self.layers * self._reference_tokens(work) * self.width * plain

    def step(self, work: FluxWork, plain: float) -> float:
        """The largest layer's tensors in a step, or in the pass over the references."""
        frame = work.batch * (work.text + (81 + 9) * work.pictures + math.prod(work.size) // 16**2)
        references = self._reference_tokens(work)
        step = 16 * frame + 2 * (frame + references) / work.batch
        return max(step, 16 * references) * self.width * plain

    def decoding(self, work: FluxWork, plain: float) -> float:
        """The picture's widest tensors in the VAE, a frame at a time."""
        return 4.5 * math.prod(work.size) * self.channels * plain

    def encoding(self, work: FluxWork, plain: float) -> float:
        """A reference's widest tensors in the VAE, as a picture's."""
        return self.decoding(replace(work, size=(work.reference,) * 2), plain)

    def reading(self, work: FluxWork, plain: float) -> float:
        """T5's widest tensors: its feed-forward's, and float32 attention over all pairs of tokens."""
        wide, heads = self.text
        return work.text * (4 * wide * plain + 3 * heads * work.text * 4)

    def _reference_tokens(self, work: FluxWork) -> int:
        return work.batch * work.pictures * (work.reference // 16) ** 2


def count_weights(model: nn.Module) -> tuple[int, int]:
    """Weights in linear layers, and elsewhere."""
    linear = sum(map(torch.Tensor.numel, linear_weights(model)))
    return linear, sum(p.numel() for p in model.parameters()) - linear


def linear_weights(model: nn.Module) -> list[torch.Tensor]:
    """The weights of its linear layers."""
    return [m.weight for m in model.modules() if isinstance(m, nn.Linear)]


def measure_pieces(model: nn.Module, blocks: Sequence[nn.Module]) -> tuple[int, int]:
    """Weights of the largest block, and of what is in none."""
    sizes = [sum(count_weights(block)) for block in blocks]
    return max(sizes), sum(count_weights(model)) - sum(sizes)


def _branches(transformer: FluxTransformer2DModel, configs: Configs, rank: int) -> int:
    """Weights of all low-rank branches: six layers a stream and block, the routing projections, the embedders."""
    d, ends = transformer.inner_dim, transformer.config
    modulated, square, wide = rank * 7 * d, rank * 2 * d, rank * 5 * d
    double = 2 * (modulated + 4 * square + wide)
    single = 2 * (rank * 4 * d + 3 * square + wide + rank * 6 * d)
    routing = 2 * (square + d)
    top = rank * (ends.in_channels + d) + rank * (ends.joint_attention_dim + d)
    embedder = configs["image_embedder"]
    text, vision = embedder["txt_in_features"], embedder["redux_dim"]
    each = rank * (vision + 3 * text) + 3 * text + rank * 4 * text + 2 * text + 1
    doubles, singles = len(transformer.transformer_blocks), len(transformer.single_transformer_blocks)
    return doubles * (double + routing) + singles * (single + routing) + top + 2 * each


def plan(footprint: FluxFootprint, work: FluxWork, transformer: str, text: str, offload: str) -> FluxPlan:
    """One plan with its peaks."""
    kept, plain = ("float32", 4) if transformer == "float32" else ("bf16", 2)
    precisions = {"transformer": transformer, footprint.reader: text}
    sizes = {name: footprint.bytes(name, precisions.get(name, kept), plain) for name in footprint.weights}
    sizes["transformer"] += footprint.added(transformer, plain)
    total = sum(sizes.values())

    needs = footprint.needs(work, transformer, text, plain)
    if offload == "cpu":
        return FluxPlan(transformer, text, offload, 0, round(total + max(needs.values())))
    if offload == "none":
        return FluxPlan(transformer, text, offload, round(total + max(needs.values()) + CONTEXT), round(total))
    pinned = 0.0
    if offload == "block":  # the next comes while one works, from pinned copies rounded up to powers of two
        for name, (block, outside) in footprint.pieces.items():
            pinned = max(pinned, 2 * 2 * block / sum(footprint.weights[name]) * sizes[name])
            sizes[name] *= (2 * block + outside) / sum(footprint.weights[name])
    always = sum(sizes[name] for name in footprint.always)
    turns = [size + needs[name] for name, size in sizes.items() if name not in footprint.always]
    host = total + (pinned if offload == "block" else 0)
    return FluxPlan(transformer, text, offload, round(always + max(turns) + CONTEXT), round(host))


@cache
def release_footprint() -> FluxFootprint:
    """The release's own."""
    return FluxFootprint.of(RELEASE)


def candidates(
    footprint: FluxFootprint, work: FluxWork, packages: Sequence[str] | None = None, *, fp8: bool = False
) -> tuple[FluxPlan, ...]:
    """Every plan that the installed `packages` allow (None = look), that there are weights for (of a transformer in a
    .gguf file, those) and that the card can compute (`fp8`), the best first."""
    if packages is None:
        packages = [p.package for p in PRECISIONS.values() if p.package and find_spec(p.package)]
    allowed = [each for each in footprint.candidates if set(_packages(each)) <= set(packages)]
    allowed = [each for each in allowed if (each[0] == "gguf") == bool(footprint.gguf) and (fp8 or "fp8" not in each)]
    return tuple(plan(footprint, work, *each) for each in allowed)


def frames_at_once(footprint: FluxFootprint, work: FluxWork, chosen: FluxPlan, card: float) -> int:
    """How many frames of `work`, at most its batch, a plan has room for on a card of `card` bytes."""
    for batch in range(work.batch, 1, -1):
        if replan(footprint, replace(work, batch=batch), chosen).peak <= card * SPARE:
            return batch
    return 1


def replan(footprint: FluxFootprint, work: FluxWork, chosen: FluxPlan) -> FluxPlan:
    """The same plan for other work."""
    return plan(footprint, work, chosen.transformer, chosen.text, chosen.offload)


def table(footprint: FluxFootprint, work: FluxWork = FluxWork(), name: str = "FLUX") -> str:
    """The plan of the model `name` for every size of card, with all packages there: a Markdown table."""
    plans = candidates(footprint, work, [p.package for p in PRECISIONS.values() if p.package], fp8=True)
    lines = ["| card | plan | on the card | in memory |", "| --- | --- | --- | --- |"]
    for card in CARDS:
        best = chain(plans, card * GIB, name)[0]
        lines.append(f"| {card} GB | {best.form} | {best.peak / GB:.1f} GB | {best.host / GB:.1f} GB |")
    return "\n".join(lines)


# From a plan to models.


def transformer_file(folder: Path) -> Path | None:
    """The .gguf file in the transformer's folder, if it has one."""
    return next(iter(sorted(folder.glob("*.gguf"))), None)


def quantisation(precision: str, library: str, dtype: torch.dtype = torch.bfloat16) -> Any:
    """The `quantization_config` for `from_pretrained` of "diffusers" or "transformers", of layers that compute in
    `dtype`; None for 16 or 32 bits."""
    if precision in ("bf16", "float32"):
        return None
    if precision == "gguf":
        return diffusers.GGUFQuantizationConfig(compute_dtype=dtype)
    configs = diffusers if library == "diffusers" else transformers
    if precision == "nf4":
        return configs.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig

    return configs.TorchAoConfig(Float8WeightOnlyConfig() if precision == "fp8" else Int8WeightOnlyConfig())


def place(plan: FluxPlan, pipeline: DiffusionPipeline, device: str) -> None:
    """Put a loaded pipeline where its plan says."""
    if plan.offload in ("none", "cpu"):
        pipeline.to(device)
        return
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
    for name in pipeline._exclude_from_cpu_offload:
        parts.pop(name).to(device)
    if plan.offload == "model":
        take_turns(list(parts.values()), torch.device(device))
        return
    by_block(parts.pop("transformer"), torch.device(device))
    for part in parts.values():
        by_layer(part, torch.device(device))


def _packages(candidate: tuple[str, str, str]) -> tuple[str, ...]:
    return tuple(name for name in (PRECISIONS[part].package for part in candidate[:2]) if name)
