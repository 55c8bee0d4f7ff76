"""FLUX.2 [klein] with a cast, as a diffusers pipeline of stock parts.

`encode` a subject once a story, then `denoise_batch` frames with the subjects in them. With references only read it
gives what `Flux2KleinPipeline` gives for the same pictures, to the bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline, Flux2Transformer2DModel
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from PIL import Image
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase, Qwen3Model

from anystory.errors import Message
from anystory.model.finite import finite
from anystory.model.flux.attention import blocks
from anystory.model.flux.pipeline import TOKEN, Denoiser, FluxDenoised, FrameSettings, Start, check_side, each
from anystory.model.flux.plans import FluxPlan, quantisation
from anystory.model.klein.attention import install
from anystory.model.klein.plans import ALWAYS, read_layers
from anystory.model.routing import LEVELS, Guidance, Guide, Guides

TEXT_TOKENS = 512
"""Tokens of a prompt, its chat template included and padded, that the release reads."""

REMEMBERED = 16
"""How many prompts stay encoded: a panel tries several seeds."""


@dataclass(frozen=True)
class KleinSettings(FrameSettings):
    """How a frame is denoised; the defaults are the release's. `close`: from the second step on a token sees no
    reference but that of the subject that holds it."""

    height: int = 1024
    width: int = 1024
    num_inference_steps: int = 4
    close: bool = False


@dataclass(frozen=True)
class KleinSubject:
    """A subject's P pictures: `ref` (P, r * r, C) packed latents, and a `mark` that tells subjects apart by their
    pixels."""

    ref: Tensor
    mark: str

    @property
    def pictures(self) -> int:
        """P."""
        return len(self.ref)


class AnyStoryKleinPipeline(Denoiser, Flux2KleinPipeline):
    """FLUX.2 [klein] with subjects. Its parts are the stock ones, with a processor in every layer of the
    transformer, and a text encoder without the layers that nobody reads."""

    _exclude_from_cpu_offload = list(ALWAYS)  # noqa: RUF012 (read by name)
    _optional_components = ["text_encoder", "tokenizer"]  # noqa: RUF012

    release = "FLUX.2 [klein]"
    """What its weights are called."""

    def __init__(
        self,
        scheduler: FlowMatchEulerDiscreteScheduler,
        vae: AutoencoderKLFlux2,
        transformer: Flux2Transformer2DModel,
        text_encoder: PreTrainedModel | None = None,
        tokenizer: PreTrainedTokenizerBase | None = None,
        is_distilled: bool = True,
    ) -> None:
        super().__init__(scheduler, vae, text_encoder, tokenizer, transformer, is_distilled)
        install(transformer)
        self._read: dict[str, Tensor] = {}

    @classmethod
    def from_release(
        cls, folder: Path, dtype: torch.dtype = torch.float32, plan: FluxPlan | None = None
    ) -> AnyStoryKleinPipeline:
        """From a folder in the release's form, quantised as `plan` says; only safetensors are read. Raises what
        diffusers and transformers raise."""
        options = {"dtype": dtype, "local_files_only": True, "use_safetensors": True}
        quantised = [
            {"quantization_config": config} if config else {}
            for config in (
                quantisation(plan.transformer, "diffusers", dtype) if plan else None,
                quantisation(plan.text, "transformers", dtype) if plan else None,
            )
        ]
        config = read_layers(AutoConfig.from_pretrained(folder / "text_encoder", local_files_only=True))
        pipeline = cls(
            scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler", local_files_only=True),
            vae=AutoencoderKLFlux2.from_pretrained(folder / "vae", **options),
            transformer=Flux2Transformer2DModel.from_pretrained(folder / "transformer", **options, **quantised[0]),
            text_encoder=Qwen3Model.from_pretrained(folder / "text_encoder", config=config, **options, **quantised[1]),
            tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        )
        for component in pipeline.components.values():
            if isinstance(component, torch.nn.Module):
                component.eval().requires_grad_(False)
        return pipeline

    # Encoders.

    @torch.no_grad()
    def encode(self, pictures: Sequence[Image.Image], size: int = 512) -> KleinSubject:
        """Encode a subject, once a story: its RGB pictures, which are read at `size` pixels square, a multiple
        of 16."""
        check_side(Message("reference size"), size)
        squares = [picture.resize((size, size), Image.Resampling.LANCZOS) for picture in pictures]
        ref = torch.cat([self._encode_picture(square) for square in squares])
        mark = hashlib.sha256(b"".join(square.tobytes() for square in squares)).hexdigest()
        return KleinSubject(self._pack_latents(ref), mark)

    @torch.no_grad()
    def encode_sketch(self, picture: Image.Image, size: int = 512) -> Tensor:
        """Encode an RGB picture of any shape as one more reference, (1, C, h, w): at its own size where it has no more
        tokens than one of a subject's has, read at `size`, else at about that area."""
        scale = min(1.0, size / (picture.width * picture.height) ** 0.5)
        sides = [max(1, int(side * scale / TOKEN + 1e-6)) * TOKEN for side in picture.size]
        return self._encode_picture(picture.resize((sides[0], sides[1]), Image.Resampling.LANCZOS))

    def _encode_picture(self, picture: Image.Image) -> Tensor:
        """An RGB picture with sides that are multiples of 16 -> (1, C, h, w); the VAE's mean, so no chance enters."""
        return self._encode_pixels(self.image_processor.preprocess(picture, picture.height, picture.width))

    def _encode_pixels(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, H, W) in [-1, 1] -> latents (B, C, h, w) of mean 0 and deviation 1, a token each."""
        latents = self._encode_vae_image(pixels.to(self._execution_device, self.vae.dtype), None)
        return latents.to(self.transformer.dtype)

    @torch.no_grad()
    def encode_text(self, text: str) -> Tensor:
        """A prompt -> the text encoder's states (1, 512, d_t)."""
        if text not in self._read:
            self._read = dict([*self._read.items()][1 - REMEMBERED :])
            self._read[text] = self.encode_prompt(text, max_sequence_length=TEXT_TOKENS)[0]
        return self._read[text]

    def noise(self, seed: int, height: int, width: int) -> Tensor:
        """Packed noise (1, hw, C) of a frame, drawn on the CPU: the same on every device."""
        shape = (1, self.transformer.config.in_channels, height // TOKEN, width // TOKEN)
        drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=self.transformer.dtype)
        return self._pack_latents(drawn).to(self._execution_device)

    @torch.no_grad()
    def decode(self, latents: Tensor, height: int, width: int) -> Image.Image:
        """Packed latents (1, hw, C) of a frame -> the picture."""
        return self._decode(self._spread(latents, height, width))

    @torch.no_grad()
    def preview(self, latents: Tensor, height: int, width: int) -> Image.Image:
        """As `decode`, at half the side."""
        return self._decode(F.avg_pool2d(self._spread(latents, height, width), 2))

    def _spread(self, latents: Tensor, height: int, width: int) -> Tensor:
        """Packed latents (1, hw, C) -> those the VAE decodes, (1, C / 4, 2 h, 2 w)."""
        latents = latents.transpose(1, 2).unflatten(2, (height // TOKEN, width // TOKEN))
        mean = self.vae.bn.running_mean.view(1, -1, 1, 1).to(latents)
        deviation = (self.vae.bn.running_var.view(1, -1, 1, 1) + self.vae.config.batch_norm_eps).sqrt().to(latents)
        return self._unpatchify_latents(latents * deviation + mean)

    def _decode(self, latents: Tensor) -> Image.Image:
        pixels = finite(self.vae.decode(latents.to(self.vae.dtype), return_dict=False)[0], Message("pixels"))
        return self.image_processor.postprocess(pixels, output_type="pil")[0]

    # Sampling.

    @torch.no_grad()
    def denoise_batch(
        self,
        prompt_embeds: Tensor,
        casts: Sequence[Sequence[KleinSubject]],
        latents: Tensor,
        settings: KleinSettings,
        guides: Sequence[Guide | None] = (),
        start: Start | None = None,
        sketches: Sequence[Tensor] = (),
    ) -> Generator[FluxDenoised, None, None]:
        """Denoise B frames at once, panels or seeds, a `FluxDenoised` after each step.

        prompt_embeds (B, T, d_t): the encoded prompts; casts: the subjects of each frame, with equally many pictures
        of one size; latents (B, hw, C): packed noise; guides: where a person wants the subjects, one a frame, or none
        at all: where they act, references are closed; start: what the frames begin with in place of noise; sketches:
        of each frame, or of none, one more reference (1, C, h, w) as `encode_sketch` makes it, before the cast's.
        Raises ValueError for frames that make no batch.
        """
        pictures = {tuple(subject.pictures for subject in cast) for cast in casts}
        shown = {tuple(sketch.shape) for sketch in sketches}
        if len(shown) > 1 or (shown and len(sketches) != len(casts)):
            raise ValueError("A batch takes a sketch of one size for each of its frames, or none for any.")
        if len(pictures) != 1 or not len(prompt_embeds) == len(latents) == len(casts):
            raise ValueError(
                f"A batch takes frames with equally many subjects and pictures, and a prompt and noise for each; these "
                f"have subjects with {', '.join(map(str, sorted(pictures)))} pictures, {len(prompt_embeds)} prompts "
                f"and {len(latents)} noises."
            )
        steps = settings.num_inference_steps
        scheduler = self._timed_scheduler(steps, compute_empirical_mu(latents.shape[1], steps), latents.device)
        wanted = Guides(guides, len(casts[0]) + 1, 1, latents.device)
        with self._telling(prompt_embeds, casts, settings, sketches) as velocity:

            def moved(index: int, latents: Tensor, t: Tensor) -> Tensor:
                guidance = wanted.at(index, steps)
                closed = guidance is not None or (settings.close and index > 0)
                return velocity(latents, t, settings.ref_open(index), closed, guidance)

            yield from self._steps(scheduler, latents, moved, start)

    @torch.no_grad()
    def encode_picture(self, pixels: Tensor) -> Tensor:
        """A picture (3, H, W) in [-1, 1] of a frame's size -> packed clean latents (1, hw, C)."""
        return self._pack_latents(self._encode_pixels(pixels[None])).float()

    @torch.no_grad()
    def locate(
        self,
        prompt_embeds: Tensor,
        cast: Sequence[KleinSubject],
        pixels: Tensor,
        seed: int = 0,
        levels: Sequence[float] = LEVELS,
    ) -> Iterator[FluxDenoised]:
        """Who is where in a picture (3, H, W) in [-1, 1] with sides that are multiples of 16: it is noised to some
        `levels`, shares of the training's time steps, and read like a frame's last steps. A `FluxDenoised` for each
        level tells of one frame."""
        height, width = pixels.shape[1:]
        latents = self.encode_picture(pixels)
        with self._telling(prompt_embeds, [cast], KleinSettings(height, width)) as velocity:
            for row, level in enumerate(levels):
                noisy = (1 - level) * latents + level * self.noise(seed + row, height, width)
                moved = velocity(noisy, noisy.new_tensor(1000 * level), bool(cast), False, None)
                yield from FluxDenoised(row + 1, len(levels), noisy - level * moved, noisy, *self._told()).frames()

    @contextmanager
    def _telling(
        self,
        prompt_embeds: Tensor,
        casts: Sequence[Sequence[KleinSubject]],
        settings: KleinSettings,
        sketches: Sequence[Tensor] = (),
    ) -> Iterator[Callable[[Tensor, Tensor, bool, bool, Guidance | None], Tensor]]:
        """Tell the layers of B frames, their casts and sketches, as in `denoise_batch`, and have them forget all of it
        in the end. Gives a pass of the transformer, `velocity(latents, t, ref_open, closed, guidance)`, which returns
        (B, hw, C)."""
        transformer, frame, device = self.transformer, self.frame, self._execution_device
        processors = [block.attn.processor for block in blocks(transformer)]
        height, width = settings.height // TOKEN, settings.width // TOKEN
        prompt_embeds = prompt_embeds.to(device, transformer.dtype)
        txt_ids = self._prepare_text_ids(prompt_embeds).to(device)
        frame_ids = self._prepare_latent_ids(prompt_embeds.new_empty(1, 1, height, width)).to(device)
        seen: list[Tensor] = []  # of each frame, all that it is shown
        grids = [*sketches[:1]]
        if sketches:
            seen = [torch.cat([self._pack_latents(sketch) for sketch in sketches])]
        if casts[0]:
            seen.append(torch.stack([torch.cat([subject.ref.flatten(0, 1) for subject in cast]) for cast in casts]))
            side = round(casts[0][0].ref.shape[1] ** 0.5)
            grids += [prompt_embeds.new_empty(1, 1, side, side)] * sum(subject.pictures for subject in casts[0])
        references, reference_ids = prompt_embeds.new_empty(0), frame_ids
        if seen:
            references = torch.cat([each.to(device, transformer.dtype) for each in seen], dim=1)
            reference_ids = torch.cat([frame_ids, self._prepare_image_ids(grids).to(device)], dim=1)
        frame.text, frame.shape = prompt_embeds.shape[1], (height, width)
        frame.shift = each(settings.ref_shift, len(casts[0]))
        lengths = tuple(subject.ref.shape[0] * subject.ref.shape[1] for subject in casts[0])

        def velocity(latents: Tensor, t: Tensor, ref_open: bool, closed: bool, guidance: Guidance | None) -> Tensor:
            is_read = ref_open and bool(seen)
            frame.sketch = sketches[0][0, 0].numel() if is_read and sketches else 0
            frame.references = lengths if is_read else ()
            frame.closed, frame.guidance = closed and bool(frame.references), guidance
            tokens = torch.cat([latents, references], dim=1) if is_read else latents
            self._current_timestep = t
            with transformer.cache_context("cond"):
                moved = transformer(
                    hidden_states=tokens.to(transformer.dtype),
                    timestep=t.expand(len(latents)).to(latents.dtype) / 1000,
                    guidance=None,
                    encoder_hidden_states=prompt_embeds,
                    txt_ids=txt_ids,
                    img_ids=reference_ids if is_read else frame_ids,
                    return_dict=False,
                )[0]
            return moved[:, : latents.shape[1]]

        try:
            yield velocity
        finally:
            for processor in processors:
                processor.clear()
            frame.guidance = None
            self.maybe_free_model_hooks()
