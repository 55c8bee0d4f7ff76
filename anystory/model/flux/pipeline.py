"""The authors' release as a diffusers pipeline: FLUX.1-dev, Redux, and the three parts of their checkpoint.

`encode` a subject once a story, then `denoise` each frame with the subjects in it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import (
    AutoencoderKL,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from diffusers.pipelines.flux.modeling_flux import ReduxImageEncoder
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from PIL import Image
from torch import Tensor
from transformers import (
    AutoTokenizer,
    CLIPTextModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    T5EncoderModel,
)

from anystory.errors import Message
from anystory.model.finite import finite
from anystory.model.flux.attention import REFERENCE, blocks
from anystory.model.flux.checkpoint import embedders, install, read_checkpoint
from anystory.model.flux.encoder import (
    REDUX_SIDE,
    ROUTER_SIDE,
    FluxSubject,
    SubjectEmbedder,
    VisionEncoder,
    masked_pixels,
    pack,
    positions,
    touched,
    unpack,
)
from anystory.model.flux.plans import ALWAYS, FluxPlan, quantisation, transformer_file
from anystory.model.routing import LEVELS, Guidance, Guide, Guides, within

TOKEN = 16
"""Pixels a side of an image token: 8 of a latent, 2 latents."""

TEXT_TOKENS = 512
"""Tokens of a prompt, padded, that FLUX.1-dev reads."""


REDUX_SCALE = 0.6
"""What the Redux tokens are multiplied with unless something else is asked for."""


@dataclass(frozen=True)
class FrameSettings:
    """How a frame is denoised, in every model of this kind.

    `height` and `width` in pixels, multiples of 16. References are read at the steps numbered (from 0)
    int(steps * ref_start_at + 0.5) up to, without, int(steps * ref_end_at + 0.5), as is the way of all windows, which
    are shares of the steps; `ref_shift` is added to the logits towards their tokens, one for all or one for each
    subject. Raises ValueError for what no frame can have.
    """

    height: int
    width: int
    num_inference_steps: int
    ref_start_at: float = 0.0
    ref_end_at: float = 1.0
    ref_shift: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        check_side(Message("height"), self.height)
        check_side(Message("width"), self.width)
        if (steps := self.num_inference_steps) < 1:
            raise ValueError(Message("The number of steps is {steps}; it must be at least 1.", steps=steps))

    def ref_open(self, index: int) -> bool:
        """Whether references are read at step `index` (from 0)."""
        return within((self.ref_start_at, self.ref_end_at), index, self.num_inference_steps)


@dataclass(frozen=True)
class FluxSettings(FrameSettings):
    """Those of FLUX.1; the defaults are the release's. `redux_scale` multiplies the Redux tokens, one for all or one
    for each subject."""

    height: int = 512
    width: int = 512
    num_inference_steps: int = 25
    guidance_scale: float = 3.5
    enable_router: bool = False
    redux_scale: float | tuple[float, ...] = REDUX_SCALE
    redux_start_at: float = 0.1
    redux_end_at: float = 0.3
    enable_ref_mask: bool = True
    enable_ref_cache: bool = True

    def redux_open(self, index: int) -> bool:
        """Whether Redux tokens are read at step `index` (from 0)."""
        return within((self.redux_start_at, self.redux_end_at), index, self.num_inference_steps)


@dataclass(frozen=True)
class FluxDenoised:
    """One step is done: `index` of `total` (from 1), the packed latents (B, hw, C) and the predicted clean ones.

    `logits` holds a layer's routing (N, hw), `shares` the share of attention its subjects get (hw,), for every layer
    that computed them in this step, in the order of execution; of a batch (B, N, hw) and (B, hw).
    """

    index: int
    total: int
    clean: Tensor
    latents: Tensor
    logits: tuple[Tensor, ...]
    shares: tuple[Tensor, ...]

    def frames(self) -> Iterator[FluxDenoised]:
        """A batch's frames one by one, latents (1, hw, C), logits (N, hw) and shares (hw,)."""
        for row in range(len(self.latents)):
            yield replace(
                self,
                clean=self.clean[row : row + 1],
                latents=self.latents[row : row + 1],
                logits=tuple(x[row] for x in self.logits),
                shares=tuple(x[row] for x in self.shares),
            )


class Start(NamedTuple):
    """What frames begin with in place of noise: packed `clean` latents (B, hw, C), of which only the `last` steps are
    run. Windows are shares of all steps, so that each step does what it does from noise; with all of them nothing of
    `clean` is used."""

    clean: Tensor
    last: int


class Denoiser(DiffusionPipeline):
    """What pipelines of FLUX's kind share: their layers' processors, and the steps of a frame."""

    @property
    def frame(self) -> Any:
        """What the transformer's layers share."""
        return blocks(self.transformer)[0].attn.processor.frame

    def _timed_scheduler(self, steps: int, mu: float, device: torch.device) -> FlowMatchEulerDiscreteScheduler:
        """A fresh scheduler whose time steps are shifted by `mu`."""
        scheduler = self.scheduler.from_config(self.scheduler.config)
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), device=device, mu=mu)
        scheduler.set_begin_index(0)
        return scheduler

    def _steps(
        self,
        scheduler: FlowMatchEulerDiscreteScheduler,
        latents: Tensor,
        velocity: Callable[[int, Tensor, Tensor], Tensor],
        start: Start | None = None,
    ) -> Iterator[FluxDenoised]:
        """The steps of frames from their noise `latents` (B, hw, C), by `velocity(index, latents, t)`; or from `start`
        mixed with the noise, as far as the first of the steps that run expects."""
        total = len(scheduler.timesteps)
        first = 0 if start is None else max(0, total - start.last)
        if start is not None and first:
            scheduler.set_begin_index(first)
            sigma = scheduler.sigmas[first]  # 0 after the last step
            latents = (1 - sigma) * start.clean.to(latents) + sigma * latents
        for index, t in enumerate(scheduler.timesteps[first:], first):
            moved = velocity(index, latents, t)
            clean = latents - scheduler.sigmas[index] * moved
            latents = finite(scheduler.step(moved, t, latents, return_dict=False)[0], Message("latents"))
            yield FluxDenoised(index + 1 - first, total - first, clean, latents, *self._told())

    def _told(self) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """The logits and the shares that the layers left in the last pass, as `FluxDenoised` has them."""
        processors = [block.attn.processor for block in blocks(self.transformer)]
        logits, shares = ([getattr(processor, what) for processor in processors] for what in ("logits", "share"))
        return tuple(x for x in logits if x is not None), tuple(x for x in shares if x is not None)


class AnyStoryFluxPipeline(Denoiser, FluxPipeline):
    """FLUX.1 with subjects. The transformer is the stock one, with a processor in every layer."""

    release = "FLUX.1-dev"
    """What its weights are called."""

    _exclude_from_cpu_offload = list(ALWAYS)  # noqa: RUF012 (read by name)
    _optional_components = [  # noqa: RUF012
        "text_encoder",
        "tokenizer",
        "text_encoder_2",
        "tokenizer_2",
        "feature_extractor",
    ]

    def __init__(
        self,
        scheduler: FlowMatchEulerDiscreteScheduler,
        vae: AutoencoderKL,
        transformer: FluxTransformer2DModel,
        image_encoder: VisionEncoder,
        image_embedder: ReduxImageEncoder,
        redux: SubjectEmbedder,
        router: SubjectEmbedder,
        text_encoder: PreTrainedModel | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        text_encoder_2: PreTrainedModel | None = None,
        tokenizer_2: PreTrainedTokenizerBase | None = None,
        feature_extractor: None = None,
    ) -> None:
        super().__init__(
            scheduler, vae, text_encoder, tokenizer, text_encoder_2, tokenizer_2, transformer, image_encoder
        )
        self.register_modules(image_embedder=image_embedder, redux=redux, router=router)

    @classmethod
    def from_release(
        cls,
        base: Path,
        redux: Path,
        checkpoint: Path,
        dtype: torch.dtype = torch.float32,
        plan: FluxPlan | None = None,
    ) -> AnyStoryFluxPipeline:
        """From FLUX.1-dev's folder, FLUX.1-Redux-dev's and the authors' file of weights, quantised as `plan` says. Text
        encoders are loaded where there are any. Raises what diffusers and transformers raise for folders,
        CheckpointError for the file."""
        parts = read_checkpoint(checkpoint)
        options = {"dtype": dtype, "local_files_only": True, "use_safetensors": True}
        quantised = [
            {"quantization_config": config} if config else {}
            for config in (
                quantisation(plan.transformer, "diffusers", dtype) if plan else None,
                quantisation(plan.text, "transformers", dtype) if plan else None,
            )
        ]
        if file := transformer_file(base / "transformer"):
            transformer = FluxTransformer2DModel.from_single_file(
                str(file), config=str(base), subfolder="transformer", torch_dtype=dtype, **quantised[0]
            )
        else:
            transformer = FluxTransformer2DModel.from_pretrained(base / "transformer", **options, **quantised[0])
        install(transformer, parts)
        embedder, router = embedders(parts)
        text = {}
        for name, model in (("text_encoder", CLIPTextModel), ("text_encoder_2", T5EncoderModel)):
            if (base / name).is_dir():
                tokenizer = name.replace("text_encoder", "tokenizer")
                text[tokenizer] = AutoTokenizer.from_pretrained(base / tokenizer, local_files_only=True)
                more = quantised[1] if name == "text_encoder_2" else {}
                text[name] = model.from_pretrained(base / name, **options, **more)
        pipeline = cls(
            scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(base / "scheduler", local_files_only=True),
            vae=AutoencoderKL.from_pretrained(base / "vae", **options),
            transformer=transformer,
            image_encoder=VisionEncoder.from_pretrained(redux / "image_encoder", **options),
            image_embedder=ReduxImageEncoder.from_pretrained(redux / "image_embedder", **options),
            redux=embedder.to(dtype),
            router=router.to(dtype),
            **text,
        )
        for component in pipeline.components.values():
            if isinstance(component, torch.nn.Module):
                component.eval().requires_grad_(False)
        return pipeline

    # Encoders.

    @torch.no_grad()
    def encode(self, image: Image.Image, mask: Image.Image, ref_size: int = 512) -> FluxSubject:
        """Encode a subject, once a story: an RGB picture, its L mask of the same size, and the side in pixels, a
        multiple of 16, at which the reference is read."""
        check_side(Message("reference size"), ref_size)
        device, dtype = self._execution_device, self.transformer.dtype
        side = self.image_encoder.config.image_size
        pixels, small = masked_pixels(image, mask, side, Image.Resampling.BICUBIC)
        vision = self.image_encoder(pixels.to(device, dtype)).last_hidden_state
        redux, router = (
            embedder(self.image_embedder, vision, n) * touched(small, n).to(vision)
            for embedder, n in ((self.redux, REDUX_SIDE), (self.router, ROUTER_SIDE))
        )
        pixels, small = masked_pixels(image, mask, ref_size, Image.Resampling.LANCZOS)
        latents = self._encode_pixels(pixels)
        n = ref_size // TOKEN
        return FluxSubject(
            redux=redux,
            router=router,
            ref=pack(latents).to(dtype),
            ref_ids=positions(n, n, shift=n).to(device),
            ref_mask=touched(small, n).to(device),
        )

    def _encode_pixels(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) in [-1, 1] -> scaled latents (B, C, h, w); the VAE's mean, so no chance enters."""
        latents = self.vae.encode(pixels.to(self._execution_device, self.vae.dtype)).latent_dist.mode()
        return (latents - self.vae.config.shift_factor) * self.vae.config.scaling_factor

    @torch.no_grad()
    def encode_picture(self, pixels: Tensor) -> Tensor:
        """A picture (3, H, W) in [-1, 1] of a frame's size -> packed clean latents (1, hw, C)."""
        return pack(self._encode_pixels(pixels[None])).float()

    def encode_text(self, text: str) -> tuple[Tensor, Tensor]:
        """A prompt -> T5's states (1, 512, d_t) and CLIP's pooled vector (1, d_p)."""
        with torch.no_grad():
            states, pooled, _ = self.encode_prompt(text, max_sequence_length=TEXT_TOKENS)
        return states, pooled

    def noise(self, seed: int, height: int, width: int) -> Tensor:
        """Packed noise (1, hw, C) of a frame, drawn on the CPU: the same on every device."""
        shape = (1, self.transformer.config.in_channels // 4, height // TOKEN * 2, width // TOKEN * 2)
        return pack(torch.randn(shape, generator=torch.Generator().manual_seed(seed))).to(self._execution_device)

    @torch.no_grad()
    def decode(self, latents: Tensor, height: int, width: int) -> Image.Image:
        """Packed latents (1, hw, C) of a frame -> the picture."""
        return self._decode(unpack(latents, height // TOKEN, width // TOKEN))

    @torch.no_grad()
    def preview(self, latents: Tensor, height: int, width: int) -> Image.Image:
        """As `decode`, at half the side: a quarter of the work, which would otherwise be a tenth of a frame's."""
        return self._decode(F.avg_pool2d(unpack(latents, height // TOKEN, width // TOKEN), 2))

    def _decode(self, latents: Tensor) -> Image.Image:
        latents = latents / self.vae.config.scaling_factor + self.vae.config.shift_factor
        pixels = finite(self.vae.decode(latents.to(self.vae.dtype)).sample, Message("pixels"))
        return self.image_processor.postprocess(pixels.float(), output_type="pil")[0]

    # Sampling.

    def denoise(
        self,
        prompt_embeds: Tensor,
        pooled_prompt_embeds: Tensor,
        cast: Sequence[FluxSubject],
        latents: Tensor,
        settings: FluxSettings,
        measure: bool = False,
        guide: Guide | None = None,
        start: Start | None = None,
    ) -> Generator[FluxDenoised, None, None]:
        """Denoise one frame, a `FluxDenoised` after each step; everything as in `denoise_batch`, for one frame."""
        guides = [guide] if guide else []
        with closing(
            self.denoise_batch(prompt_embeds, pooled_prompt_embeds, [cast], latents, settings, measure, guides, start)
        ) as steps:
            for step in steps:
                yield from step.frames()

    @torch.no_grad()
    def denoise_batch(
        self,
        prompt_embeds: Tensor,
        pooled_prompt_embeds: Tensor,
        casts: Sequence[Sequence[FluxSubject]],
        latents: Tensor,
        settings: FluxSettings,
        measure: bool = False,
        guides: Sequence[Guide | None] = (),
        start: Start | None = None,
    ) -> Generator[FluxDenoised, None, None]:
        """Denoise B frames at once, panels or seeds, a `FluxDenoised` after each step.

        prompt_embeds (B, T, d_t) and pooled_prompt_embeds (B, d_p): the encoded prompts; casts: the subjects of each
        frame, equally many with equally many pictures, all read at one reference size; latents (B, hw, C): packed
        noise; measure: also keep the subjects' share of attention; guides: where a person wants the subjects, one a
        frame, or none at all: they act while the router runs, and let tokens be nobody's. start:
        what the frames begin with in place of noise. Raises ValueError for frames that make no batch.
        """
        pictures = {tuple(subject.pictures for subject in cast) for cast in casts}
        if len(pictures) != 1 or not len(prompt_embeds) == len(pooled_prompt_embeds) == len(latents) == len(casts):
            raise ValueError(
                f"A batch takes frames with equally many subjects and pictures, and a prompt and noise for each; these "
                f"have subjects with {', '.join(map(str, sorted(pictures)))} pictures, "
                f"{len(prompt_embeds)} prompts and {len(latents)} noises."
            )
        total = settings.num_inference_steps
        names = ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift")
        mu = calculate_shift(latents.shape[1], *(self.scheduler.config[name] for name in names))
        scheduler = self._timed_scheduler(total, mu, latents.device)
        wanted = Guides(guides, len(casts[0]) + 1, 1, latents.device)
        with self._telling(prompt_embeds, pooled_prompt_embeds, casts, settings, open_ground=bool(guides)) as velocity:

            def moved(index: int, latents: Tensor, t: Tensor) -> Tensor:
                windows = settings.redux_open(index), settings.ref_open(index)
                return velocity(latents, t, *windows, measure, wanted.at(index, total))

            yield from self._steps(scheduler, latents, moved, start)

    @torch.no_grad()
    def locate(
        self,
        prompt_embeds: Tensor,
        pooled_prompt_embeds: Tensor,
        cast: Sequence[FluxSubject],
        pixels: Tensor,
        seed: int = 0,
        levels: Sequence[float] = LEVELS,
    ) -> Iterator[FluxDenoised]:
        """Who is where in a picture (3, H, W) in [-1, 1] with sides that are multiples of 16: it is noised to some
        `levels`, shares of the training's time steps, and read like a frame's last steps. A `FluxDenoised` for each
        level tells of one frame, as in `denoise`: the routing of several subjects, of one its share of attention."""
        height, width = pixels.shape[1:]
        settings = FluxSettings(height=height, width=width, enable_router=len(cast) > 1)
        latents = self.encode_picture(pixels)
        with self._telling(prompt_embeds, pooled_prompt_embeds, [cast], settings) as velocity:
            for row, level in enumerate(levels):
                noisy = (1 - level) * latents + level * self.noise(seed + row, height, width)
                self.transformer._reset_stateful_cache()  # none of these passes follows from another
                moved = velocity(noisy, noisy.new_tensor(1000 * level), False, True, measure=len(cast) == 1)
                yield from FluxDenoised(row + 1, len(levels), noisy - level * moved, noisy, *self._told()).frames()

    @contextmanager
    def _telling(
        self,
        prompt_embeds: Tensor,
        pooled_prompt_embeds: Tensor,
        casts: Sequence[Sequence[FluxSubject]],
        settings: FluxSettings,
        *,
        open_ground: bool = False,
    ) -> Iterator[Callable[..., Tensor]]:
        """Tell the layers of B frames and their casts, as in `denoise_batch`, and have them forget all of it in the
        end. Gives a pass of the transformer, `velocity(latents, t, redux_open, ref_open, measure, guidance)`, which
        returns (B, hw, C)."""
        transformer, frame = self.transformer, self.frame
        device, dtype, count = self._execution_device, transformer.dtype, len(casts)
        prompt_embeds, pooled_prompt_embeds = (x.to(device, dtype) for x in (prompt_embeds, pooled_prompt_embeds))
        scale = None
        if transformer.config.guidance_embeds:
            scale = torch.full((count,), settings.guidance_scale, device=device)
        img_ids = positions(settings.height // TOKEN, settings.width // TOKEN).to(device)
        processors = [block.attn.processor for block in blocks(transformer)]
        for block, processor in zip(blocks(transformer), processors, strict=True):
            processor.enter(block)
        redux, router = (
            torch.stack([torch.cat([getattr(subject, name).flatten(0, 1) for subject in cast]) for cast in casts]).to(
                device, dtype
            )
            if casts[0]
            else None
            for name in ("redux", "router")
        )
        alike = _alike(casts, pooled_prompt_embeds)
        distinct = sorted(set(alike))
        referred = [subject for number in distinct for subject in casts[number]]
        frame.pictures = tuple(subject.pictures for subject in casts[0])
        frame.subjects = len(frame.pictures)
        frame.casts = tuple(
            tuple(distinct.index(first) * frame.subjects + n for n in range(frame.subjects)) for first in alike
        )
        frame.kept = tuple(kept.to(device) for kept in kept_tokens(referred, masked=settings.enable_ref_mask))
        frame.ref_shift = each(settings.ref_shift, frame.subjects)
        if redux is not None:
            lengths = [redux.shape[1] // sum(frame.pictures) * count for count in frame.pictures]
            parts = zip(redux.split(lengths, dim=1), each(settings.redux_scale, frame.subjects), strict=True)
            redux = torch.cat([part * scale for part, scale in parts], dim=1)
        frame.shape = settings.height // TOKEN, settings.width // TOKEN
        frame.open_ground = open_ground
        seen = None

        def velocity(
            latents: Tensor,
            t: Tensor,
            redux_open: bool,
            ref_open: bool,
            measure: bool = False,
            guidance: Guidance | None = None,
        ) -> Tensor:
            nonlocal seen
            redux_open, ref_open = redux_open and bool(referred), ref_open and bool(referred)
            if seen != (redux_open, ref_open):  # other tokens: what diffusers' caches hold of the last step is void
                seen = redux_open, ref_open
                transformer._reset_stateful_cache()
            if ref_open and not (processors[0].references and settings.enable_ref_cache):
                self._record_references(referred, pooled_prompt_embeds[distinct], scale)
            text = torch.cat([prompt_embeds, redux], dim=1) if redux_open and redux is not None else prompt_embeds
            frame.text, frame.redux = prompt_embeds.shape[1], text.shape[1] - prompt_embeds.shape[1]
            frame.references = ref_open
            frame.router_tokens = router if settings.enable_router and (redux_open or ref_open) else None
            frame.guidance = guidance
            frame.measure = measure and (redux_open or ref_open)
            for processor in processors:
                processor.logits = processor.share = None
            self._current_timestep = t
            with transformer.cache_context("frame"):
                return transformer(
                    hidden_states=latents.to(dtype),
                    encoder_hidden_states=text,
                    pooled_projections=pooled_prompt_embeds,
                    timestep=t.expand(count).to(dtype) / 1000,
                    img_ids=img_ids,
                    txt_ids=img_ids.new_zeros(text.shape[1], 3),
                    guidance=scale,
                    return_dict=False,
                )[0].float()

        try:
            yield velocity
        finally:
            for processor in processors:
                processor.clear()
            frame.clear()
            self.maybe_free_model_hooks()

    def _record_references(self, referred: Sequence[FluxSubject], pooled: Tensor, guidance: Tensor | None) -> None:
        """The reference stream: leaves every subject's keys and values in the processors. `referred` are the subjects
        of all frames, one frame after the other, pooled (frames, d_p) the frames' prompts. A picture is a row."""
        count, ids = sum(subject.pictures for subject in referred), referred[0].ref_ids.to(pooled.device)
        with self.frame.stream.running(REFERENCE), self.transformer.cache_context("reference"):
            self.transformer(
                hidden_states=torch.cat([subject.ref for subject in referred]).to(pooled),
                encoder_hidden_states=pooled.new_zeros(count, 0, self.transformer.config.joint_attention_dim),
                pooled_projections=pooled.repeat_interleave(count // len(pooled), dim=0),
                timestep=pooled.new_zeros(count),
                img_ids=ids,
                txt_ids=ids[:0],
                guidance=None if guidance is None else guidance[:1].expand(count),
                return_dict=False,
            )
        self.transformer._reset_stateful_cache()  # some caches know no contexts, and would take these for the frame's


def each(value: float | tuple[float, ...], subjects: int) -> tuple[float, ...]:
    """One for all as one for each."""
    return value if isinstance(value, tuple) else (value,) * subjects


def check_side(side: Message, pixels: int) -> None:
    """Raise ValueError for a side of so many pixels that is no whole number of tokens; `side` is its name."""
    if pixels < TOKEN or pixels % TOKEN:
        raise ValueError(
            Message(
                "The {side} is {pixels}; it must be a multiple of {token} from {token}.",
                side=side,
                pixels=pixels,
                token=TOKEN,
            )
        )


def _alike(casts: Sequence[Sequence[FluxSubject]], pooled: Tensor) -> list[int]:
    """For every frame of a batch the first whose references are the same: the same subjects under the same prompt."""
    return [
        next(
            first
            for first in range(number + 1)
            if first == number
            or (all(a is b for a, b in zip(casts[first], cast, strict=True)) and pooled[first].equal(pooled[number]))
        )
        for number, cast in enumerate(casts)
    ]


def kept_tokens(referred: Sequence[FluxSubject], *, masked: bool = True) -> list[Tensor]:
    """For every subject the indices of the reference tokens that frames see, those where it is, or all, among the
    tokens of all pictures of all subjects."""
    kept, start = [], 0
    for subject in referred:
        mask = subject.ref_mask.flatten()
        kept.append((mask if masked else torch.ones_like(mask)).nonzero()[:, 0] + start)
        start += len(mask)
    return kept
