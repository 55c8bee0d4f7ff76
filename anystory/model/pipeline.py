"""AnyStory as a diffusers pipeline: any size is a folder of configs and safetensors.

`encode` a subject once a story, then `denoise` each frame with the subjects in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DiffusionPipeline, UNet2DConditionModel
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor
from transformers import CLIPVisionModelWithProjection, PreTrainedModel, PreTrainedTokenizerBase

from anystory.errors import Message
from anystory.model.anystory import AnyStoryModel, SubjectEncoding, Text
from anystory.model.attention import Bank, Gate, SubjectAdapter, attend
from anystory.model.autoencoder import PatchAutoencoder
from anystory.model.finite import finite
from anystory.model.mention import Spans, mention_distances
from anystory.model.plans import ALWAYS
from anystory.model.qformer import QFormer
from anystory.model.reference import ReferenceNet
from anystory.model.routing import (
    LEVELS,
    Guidance,
    Guide,
    Guides,
    guided_by,
    hard_maps,
    resize,
    sides,
    soft_maps,
    within,
)

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
"""What CLIP's image encoders expect their pixels normalised by."""


class Tokens(NamedTuple):
    """Prompts as the text encoders read them: `ids` and `masks` (B, T), one each an encoder, and the distances of the
    last one's tokens from each mention, `mentions` (B, N, T). All on the CPU."""

    ids: Sequence[Tensor]
    masks: Sequence[Tensor]
    mentions: Tensor


@dataclass
class AnyStoryOutput(BaseOutput):
    """images: PIL images; maps: float32 (B, N+1, h, w) tensor, the background last."""

    images: list[Image.Image]
    maps: Tensor


@dataclass(frozen=True)
class Denoised:
    """One step is done: `index` of `total` (from 1), the predicted clean latents (B, C, h, w), and the routing logits
    of this step's conditional rows, one (B, N+1, h, w) a layer, coarse and refined; `unguided` are the refined ones
    before `guidance` acted on them."""

    index: int
    total: int
    clean: Tensor
    latents: Tensor
    coarse: tuple[Tensor, ...]
    refined: tuple[Tensor, ...]
    unguided: tuple[Tensor, ...]
    guidance: Guidance | None


class AnyStoryPipeline(DiffusionPipeline):
    """The paper's pipeline (SDXL) at any size. One text encoder or SDXL's two; any VAE with diffusers' interface.

    `frame_size` and `reference_size` are sides in pixels; image_mean and image_std are what the image
    encoder expects (default: CLIP's).
    """

    _exclude_from_cpu_offload = list(ALWAYS)  # noqa: RUF012 (diffusers reads this name)
    _optional_components = ["text_encoder_2", "tokenizer_2"]  # noqa: RUF012 (diffusers reads this name)

    def __init__(
        self,
        vae: AutoencoderKL | PatchAutoencoder,
        text_encoder: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        image_encoder: CLIPVisionModelWithProjection,
        unet: UNet2DConditionModel,
        reference_net: ReferenceNet,
        subject_qformer: QFormer,
        routing_qformer: QFormer,
        adapter: SubjectAdapter,
        scheduler: SchedulerMixin,
        text_encoder_2: PreTrainedModel | None = None,
        tokenizer_2: PreTrainedTokenizerBase | None = None,
        frame_size: int = 1024,
        reference_size: int = 512,
        guidance: float = 7.5,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            image_encoder=image_encoder,
            unet=unet,
            reference_net=reference_net,
            subject_qformer=subject_qformer,
            routing_qformer=routing_qformer,
            adapter=adapter,
            scheduler=scheduler,
            text_encoder_2=text_encoder_2,
            tokenizer_2=tokenizer_2,
        )
        self.register_to_config(
            frame_size=frame_size,
            reference_size=reference_size,
            guidance=guidance,
            image_mean=image_mean or CLIP_MEAN,
            image_std=image_std or CLIP_STD,
        )

    @property
    def model(self) -> AnyStoryModel:
        """The trainable networks as one module, sharing this pipeline's weights."""
        return AnyStoryModel(
            self.unet, self.reference_net, self.subject_qformer, self.routing_qformer, self.adapter
        ).train(self.unet.training)

    @property
    def latent_factor(self) -> int:
        """Pixels a side of a latent position."""
        config = self.vae.config
        return config.patch if "patch" in config else 2 ** (len(config.block_out_channels) - 1)

    # Encoders.

    def tokenise(self, prompts: Sequence[str], mentions: Sequence[Spans]) -> Tokens:
        """Prompts and, in each, the same number N of spans -> what `read` takes."""
        ids, masks = [], []
        for tokenizer, encoder in self._text_encoders():
            # CLIP was trained on prompts padded to its full length without a mask; BERT needs the mask, not the length.
            tokens = tokenizer(
                list(prompts),
                padding="max_length" if _is_clip(encoder) else True,
                truncation=True,
                max_length=tokenizer.model_max_length,
                return_offsets_mapping=True,
                return_tensors="pt",
            )
            ids.append(tokens["input_ids"])
            masks.append(tokens["attention_mask"])
        return Tokens(ids, masks, mention_distances(tokens["offset_mapping"], mentions))

    @torch.no_grad()
    def read(self, tokens: Tokens) -> Text:
        """Encode tokens. The last encoder's pooled states stand for the prompt."""
        states, mask = list[Tensor](), None
        pooled = torch.empty(0)
        device = self._execution_device
        for (_, encoder), ids, own_mask in zip(self._text_encoders(), tokens.ids, tokens.masks, strict=True):
            ids = ids.to(device, non_blocking=True)
            if _is_clip(encoder):
                out = encoder(ids, output_hidden_states=True)
                states.append(out.hidden_states[-2])
                pooled = out.text_embeds if "text_embeds" in out else out.pooler_output
            else:
                mask = own_mask.to(device, non_blocking=True)
                # Four axes, for of a plain mask transformers asks whether all is set, and would wait for a GPU to tell.
                out = encoder(ids, attention_mask=mask[:, None, None].bool().expand(-1, -1, ids.shape[1], -1))
                states.append(out.last_hidden_state)
                pooled = (out.last_hidden_state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return Text(torch.cat(states, dim=-1), mask, pooled)

    def encode_text(self, prompts: Sequence[str], mentions: Sequence[Spans]) -> tuple[Text, Tensor]:
        """Prompts -> encoded text and mention distances (B, N, T); every prompt has the same number N of spans."""
        tokens = self.tokenise(prompts, mentions)
        return self.read(tokens), tokens.mentions.to(self._execution_device)

    def _text_encoders(self) -> list[tuple[PreTrainedTokenizerBase, PreTrainedModel]]:
        pairs = [(self.tokenizer, self.text_encoder), (self.tokenizer_2, self.text_encoder_2)]
        return [(tokenizer, encoder) for tokenizer, encoder in pairs if encoder is not None]

    def preprocess(self, image: Image.Image, mask: Image.Image) -> tuple[Tensor, Tensor, Tensor]:
        """A square cut-out on white (RGB) and its mask (L) -> pixels of the image encoder (3, S, S), pixels of the
        reference (3, R, R) in [-1, 1], and its mask (1, R, R) in [0, 1]."""
        side = self.image_encoder.config.image_size
        pixels = _to_tensor(image.resize((side, side), Image.Resampling.BICUBIC))
        mean, std = (torch.tensor(self.config[k])[:, None, None] for k in ("image_mean", "image_std"))
        size = (self.config.reference_size,) * 2
        reference = _to_tensor(image.resize(size, Image.Resampling.LANCZOS))
        return (pixels - mean) / std, reference * 2 - 1, _to_tensor(mask.resize(size, Image.Resampling.BILINEAR))

    @torch.no_grad()
    def encode_vision(self, pixels: Tensor) -> Tensor:
        """Normalised pixels (B, 3, S, S) -> hidden states of the penultimate layer (B, 1 + patches, d_v)."""
        pixels = pixels.to(self._execution_device, self.image_encoder.dtype)
        return self.image_encoder(pixels, output_hidden_states=True).hidden_states[-2]

    def encode_nothing(self) -> Tensor:
        """Vision tokens (n, d_v) of the zero image, the background's."""
        side = self.image_encoder.config.image_size
        return self.encode_vision(torch.zeros(1, 3, side, side, device=self._execution_device))[0]

    @torch.no_grad()
    def encode_image(self, pixels: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [-1, 1] -> scaled latents (B, C, h, w); a VAE's mean, so no chance enters."""
        encoded = self.vae.encode(pixels.to(self._execution_device, self.vae.dtype))
        latents = encoded.latents if "latents" in encoded else encoded.latent_dist.mode()
        return latents * self.vae.config.scaling_factor

    @torch.no_grad()
    def encode_reference(self, pixels: Tensor, masks: Tensor) -> Tensor:
        """References (B, 3, R, R) in [-1, 1] and masks (B, 1, R, R) -> latents with the mask channel (B, C+1, h, w)."""
        latents = self.encode_image(pixels)
        small = F.interpolate(masks.to(latents), size=latents.shape[-2:], mode="area")
        return torch.cat([latents, small], dim=1)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        """Scaled latents (B, C, h, w) -> images."""
        pixels = self.vae.decode((latents / self.vae.config.scaling_factor).to(self.vae.dtype)).sample
        pixels = finite(pixels, Message("pixels"))
        arrays = (pixels.float().clamp(-1, 1) + 1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        return [Image.fromarray(array) for array in arrays]

    @torch.no_grad()
    def encode(self, image: Image.Image, mask: Image.Image) -> SubjectEncoding:
        """Encode a subject, once a story: a square cut-out on white (RGB) and its mask (L)."""
        pixels, reference, reference_mask = self.preprocess(image, mask)
        latent = self.encode_reference(reference[None], reference_mask[None])[0]
        return self.model.encode(self.encode_vision(pixels[None])[0].to(latent.dtype), latent.to(self.unet.dtype))

    # Sampling.

    @torch.no_grad()
    def denoise(
        self,
        prompts: Sequence[str],
        mentions: Sequence[Spans],
        casts: Sequence[Sequence[SubjectEncoding]],
        seeds: Sequence[int],
        *,
        size: tuple[int, int] | None = None,
        steps: int = 25,
        guidance: float | None = None,
        eta: float | Sequence[Sequence[float]] = 1.0,
        gamma: float | Sequence[Sequence[float]] = 0.0,
        reference: tuple[float, float] = (0.0, 1.0),
        gate: Gate = hard_maps,
        guides: Sequence[Guide | None] = (),
        start: Tensor | None = None,
        last: int | None = None,
    ) -> Iterator[Denoised]:
        """Denoise a batch of frames with equally many subjects, a `Denoised` after each step (EDM's Karras steps).
        `gate`: see `attend`; another one shows what the routing is worth. `guides`: where a person wants the subjects,
        one a frame, or none at all. `size`: width and height in pixels. `eta` and `gamma` are one for all, or a row for
        each frame: η of its subjects and of the background, γ of its subjects. `reference`: the shares of the steps
        between which references are read.

        `start`: clean latents (B, C, h, w), as `encode_image` gives them, that the frames begin from: of the steps only
        the `last` ones run, from these latents noised as far as the first of them expects. Windows are shares of all
        steps, so that each step does what it does from noise. With all of them nothing of `start` is used.

        The unconditional branch of guidance reads the empty prompt, has E_{N+1} in place of every subject and no
        references. Each frame's noise comes from its own seed, so a batch holds the frames that each seed gives
        alone (up to the rounding of batched kernels).
        """
        width, height = size or (self.config.frame_size,) * 2
        guidance = self.config.guidance if guidance is None else guidance
        frames, subjects = len(prompts), len(casts[0])
        device, dtype = self._execution_device, self.unet.dtype
        shape = height // self.latent_factor, width // self.latent_factor

        guided = guidance != 1
        text, said = self.encode_text(
            [*prompts, *[""] * frames * guided], [*mentions, *[(None,) * subjects] * frames * guided]
        )
        rows = torch.arange(frames * (1 + guided), device=device)
        bank = self._bank(casts, text, said, shape, guided=guided)
        conditions = {"text_embeds": text.pooled.to(dtype), "time_ids": self.time_ids(len(rows), (width, height))}

        wanted = Guides(guides, subjects + 1, 1 + guided, device)
        scheduler = self.scheduler.from_config(self.scheduler.config)
        scheduler.set_timesteps(steps, device=device)
        latents = torch.stack([_noise(seed, (self.unet.config.in_channels, *shape)) for seed in seeds]).to(device)
        total = len(scheduler.timesteps)
        first = 0 if start is None or last is None else max(0, total - last)
        if start is not None and first:
            scheduler.set_begin_index(first)
            latents = start.to(latents) + scheduler.sigmas[first] * latents  # 0 after the last step
        else:
            latents = latents * scheduler.init_noise_sigma
        if not isinstance(eta, float | int):
            eta = torch.tensor([*eta] * (1 + guided), device=device, dtype=dtype).unsqueeze(2)
        if not isinstance(gamma, float | int):
            gamma = torch.tensor([*gamma] * (1 + guided), device=device, dtype=dtype).unsqueeze(1)
        with attend(self.unet, self.adapter, bank, eta=eta, gamma=gamma, gate=gate) as state:
            for index, t in enumerate(scheduler.timesteps[first:], first):
                state.guidance = wanted.at(index, total)
                bank.references_active = (rows < frames) & within(reference, index, total)
                model_input = scheduler.scale_model_input(latents, t).to(dtype)
                predicted = self.unet(
                    torch.cat([model_input] * (1 + guided)),
                    t,
                    text.states.to(dtype),
                    encoder_attention_mask=text.mask,
                    added_cond_kwargs=conditions,
                ).sample.float()
                if guided:
                    conditional, unconditional = predicted.chunk(2)
                    predicted = unconditional + guidance * (conditional - unconditional)
                stepped = scheduler.step(predicted, t, latents)
                latents = finite(stepped.prev_sample, Message("latents"))
                yield Denoised(
                    index + 1 - first,
                    total - first,
                    stepped.pred_original_sample,
                    latents,
                    tuple(x[:frames].float() for x in state.coarse),
                    tuple(x[:frames].float() for x in state.refined),
                    tuple(x[:frames].float() for x in state.unguided),
                    state.guidance,
                )

    @torch.no_grad()
    def locate(
        self, pixels: Tensor, cast: Sequence[SubjectEncoding], seed: int = 0, levels: Sequence[float] = LEVELS
    ) -> Tensor:
        """Who is where in a picture (3, H, W) in [-1, 1], as routing maps (N+1, h, w), float32 on the CPU: the picture
        is noised to some `levels`, shares of the training's time steps, and the maps of the passes, which read the
        empty prompt, are averaged. Sides must be multiples of the latents' factor."""
        latents = self.encode_image(pixels[None]).float()
        alphas = self.scheduler.alphas_cumprod.to(latents)
        t = torch.tensor([round(level * (len(alphas) - 1)) for level in levels], device=latents.device)
        shape = latents.shape[1:]
        noise = torch.stack([_noise(seed + row, shape) for row in range(len(levels))]).to(latents)
        alpha = alphas[t][:, None, None, None]
        noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
        text, said = self.encode_text([""] * len(levels), [(None,) * len(cast)] * len(levels))
        dtype, rows = self.unet.dtype, len(levels)
        bank = self._bank([cast] * rows, text, said, sides(latents))
        conditions = {
            "text_embeds": text.pooled.to(dtype),
            "time_ids": self.time_ids(rows, (shape[2] * self.latent_factor, shape[1] * self.latent_factor)),
        }
        with attend(self.unet, self.adapter, bank) as state:
            self.unet(
                noisy.to(dtype),
                t,
                text.states.to(dtype),
                encoder_attention_mask=text.mask,
                added_cond_kwargs=conditions,
            )
            coarse, refined = (tuple(x.float() for x in maps) for maps in (state.coarse, state.refined))
        average = MapAverage()
        average.add(Denoised(1, 1, latents, noisy, coarse, refined, refined, None))
        return average.maps().mean(dim=0)

    def _bank(
        self,
        casts: Sequence[Sequence[SubjectEncoding]],
        text: Text,
        said: Tensor,
        shape: tuple[int, int],
        *,
        guided: bool = False,
    ) -> Bank:
        """What frames with latents of `shape` are told of their `casts`; `guided`: and after them once more as many for
        the unconditional branch. Subjects with fewer pictures than others are padded."""
        dtype, device = self.unet.dtype, self._execution_device
        background = self.model.encode_background(self.encode_nothing().to(dtype))
        entries = [[*cast, background] for cast in casts]
        most = max(entry.pictures for row in entries for entry in row)

        def stacked(rows: Iterable[Iterable[tuple[Tensor, int]]]) -> Tensor:
            """Tokens (P * n, d) of P pictures, of every entry of every row -> (B, N, most * n, d)."""
            return torch.stack(
                [torch.stack([F.pad(x, (0, 0, 0, len(x) // p * (most - p))) for x, p in row]) for row in rows]
            )

        tokens = stacked([(entry.tokens, entry.pictures) for entry in row] for row in entries)
        routing = torch.stack([torch.stack([entry.routing for entry in row]) for row in entries])
        references = [
            stacked([(subject.references[layer], subject.pictures) for subject in cast] for cast in casts)
            for layer in range(len(casts[0][0].references) if casts[0] else 0)
        ]
        present = torch.tensor(
            [[[k < entry.pictures for k in range(most)] for entry in row] for row in entries], device=device
        )
        if guided:
            tokens = torch.cat([tokens, tokens[:, -1:].expand_as(tokens)])
            routing = torch.cat([routing, routing])
            references = [torch.cat([g, g]) for g in references]
            present = torch.cat([present, present[:, -1:].expand_as(present)])
        return Bank(
            tokens=tokens,
            routing=self.adapter.routing_features(routing, text.states.to(dtype), said),
            references=references,
            references_active=torch.arange(len(tokens), device=device) < len(casts),
            latent_shape=shape,
            present=present if most > 1 else None,
        )

    def time_ids(self, rows: int, size: tuple[int, int]) -> Tensor:
        """SDXL's size conditions for uncropped frames of `size`, width and height in pixels: original height and width,
        crop origin, target height and width (rows, 6)."""
        width, height = size
        ids = torch.zeros(rows, 6, device=self._execution_device, dtype=self.unet.dtype)
        ids[:, 0::4].fill_(height)  # filled in place: a GPU waits for nothing that is copied to it
        ids[:, 1::4].fill_(width)
        return ids

    def __call__(
        self,
        prompt: str,
        subjects: Sequence[tuple[Image.Image, Image.Image]] = (),
        mentions: Spans | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> AnyStoryOutput:
        """One frame from a prompt and subjects as (square cut-out on white, mask); `settings` as in `denoise`."""
        cast = [self.encode(image, mask) for image, mask in subjects]
        collected = MapAverage()
        for step in self.denoise([prompt], [mentions or (None,) * len(cast)], [cast], [seed], **settings):
            collected.add(step)
        return AnyStoryOutput(images=self.decode(step.latents), maps=collected.maps())


class MapAverage:
    """Routing maps averaged over the layers and the later half of the steps, at the largest layer's size: in the
    earlier half it is still being decided who goes where."""

    def __init__(self) -> None:
        self.total: Tensor | None = None
        self.count = 0

    def add(self, step: Denoised) -> None:
        """Take in the refined maps of one step, each as it gates a layer of the largest size."""
        if 2 * step.index <= step.total:
            return
        shape = max(map(sides, step.unguided), key=np.prod)
        for logits in step.unguided:
            maps = soft_maps(guided_by(step.guidance, resize(logits, shape)))
            self.total = maps if self.total is None else self.total + maps
            self.count += 1

    def maps(self) -> Tensor:
        """(B, N+1, h, w) float32 on the CPU, summing to 1 over the entries."""
        if self.total is None:
            raise ValueError("No step of the later half was added; add all steps of a frame.")
        mean = finite(self.total / self.count, Message("maps")).cpu()
        return mean / mean.sum(dim=1, keepdim=True)


def _noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Drawn on the CPU: the same on every device."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _is_clip(encoder: PreTrainedModel) -> bool:
    return encoder.config.model_type.startswith("clip")


def _to_tensor(image: Image.Image) -> Tensor:
    """PIL -> (C, H, W) in [0, 1]."""
    array = np.asarray(image, dtype=np.float32) / 255
    return torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1).contiguous()
