"""The authors' own weights as a backend: FLUX.1-dev, FLUX.1-Redux-dev and their checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from anystory.backends.base import BackendError, Lora, Request, agreed
from anystory.backends.card import LARGE, REFERENCE, CardBackend, Fitting, definite, unread_from, weight_of
from anystory.backends.files import reason, whole
from anystory.backends.hub import CHECKPOINT, FLUX, fetch
from anystory.backends.models import MAX_SUBJECTS, guide_of
from anystory.cast.images import square_crop
from anystory.errors import Message, said
from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import (
    REDUX_SCALE,
    TEXT_TOKENS,
    TOKEN,
    AnyStoryFluxPipeline,
    FluxDenoised,
    FluxSettings,
    Start,
)
from anystory.model.flux.plans import (
    FluxFootprint,
    FluxPlan,
    FluxWork,
    release_configs,
    release_footprint,
    transformer_file,
)
from anystory.model.flux.speeds import SPEEDS, hasten
from anystory.model.routing import Guide
from anystory.story.capabilities import Capabilities
from anystory.story.from_sketch import FROM_NOISE
from anystory.story.model import (
    ATTENTION,
    ROUTING,
    Prompt,
    Settings,
    Subject,
)
from anystory.story.size import Size

SEVERAL_START = 0.09
"""Share of the steps without references where a frame has several subjects: they find their places first."""

DEFAULTS = Settings(Size.of(512), steps=25, guidance=3.5)
"""The release's."""

PROGRAM = "1"
"""Raised when the same weights, settings and seed would give another frame."""


class FluxBackend(CardBackend):
    """Frames from the authors' release.

    `eta` multiplies the release's strength of Redux tokens, `gamma` is its `ref_shift`. A layout lets the router run
    for a single subject too, whose frame is its own otherwise.
    """

    tokenizer = "tokenizer_2"

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        *,
        device: str | None = None,
        loras: Sequence[Lora] = (),
        vram: float | None = None,
        speed: str = "exact",
        batch: int = 1,
        tell: Callable[[str], None] = lambda _: None,
        agree: Callable[[str], bool] = agreed,
    ) -> FluxBackend:
        """Load the release from the Hugging Face Hub, or from a `folder` with `base/`, `redux/` and one checkpoint,
        with LoRAs on top, as fits into `vram` GB of the GPU, for at most `batch` frames at once, downloaded if
        `agree` says yes. Raises `BackendError` with a sentence."""
        local = _release(folder) if folder is not None else None
        fit = Fitting(
            "FLUX",
            _footprint(local),
            FluxWork(),
            large=local is None or weight_of(*local[:2]) > LARGE,
            device=device,
            loras=loras,
            vram=vram,
            batch=batch,
            tell=tell,
        )
        if local is None:
            base, redux, authors = fetch(FLUX, tell, agree)
            checkpoint = authors / CHECKPOINT
        else:
            base, redux, checkpoint = local

        def make(dtype: torch.dtype, plan: FluxPlan) -> AnyStoryFluxPipeline:
            return AnyStoryFluxPipeline.from_release(base, redux, checkpoint, dtype, plan)

        def finish(pipeline: AnyStoryFluxPipeline) -> None:
            hasten(pipeline.transformer, SPEEDS[speed])

        where = (
            Message("in '{folder}'", folder=folder)
            if folder
            else Message("from the Hugging Face Hub ({folder})", folder=base)
        )
        memory = fit.memory(where, make, finish)
        versions = fit.versions(PROGRAM, [base, redux, checkpoint], speed)
        _ = memory.model  # under the plan that the version is to name
        defaults = replace(DEFAULTS, steps=SPEEDS[speed].steps or DEFAULTS.steps)
        about = Capabilities(
            name="flux",
            version=versions(memory.plan),
            defaults=defaults,
            sizes=range(TOKEN, 2048 + 1, TOKEN),
            max_subjects=MAX_SUBJECTS,
            from_sketch=FROM_NOISE,  # nobody has measured another on a card
        )
        return cls(about, memory, fit.footprint, versions, fit.card, fit.batch)

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        """What T5 does not read; CLIP's share, one vector of the first words, sets no bound."""
        text = prompt.text
        with self._reading:
            tokens = self._tokenizer(text, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        if len(tokens) <= TEXT_TOKENS:
            return ""
        end = max(stop for _, stop in tokens[: TEXT_TOKENS - 1])  # the last is the mark of the end
        return unread_from(text, end)

    def encode(self, subject: Subject) -> FluxSubject:
        """Cut out with a definite edge, crop square on white, encode, every picture."""
        squares = [square_crop(image, definite(mask)) for image, mask in subject.pictures]

        def encoded() -> Iterator[FluxSubject]:
            yield FluxSubject.joined([self.pipeline.encode(*square, REFERENCE) for square in squares])

        with self._lock:
            return next(self.memory.run(encoded))

    def _settings(self, request: Request) -> FluxSettings:
        """The release's settings of a frame."""
        names, settings, steering, most = request.names, request.settings, request.steering, self.about.max_subjects
        if len(names) > most:
            raise BackendError(
                Message(
                    "A frame takes at most {max_subjects} characters, this panel has {count}; leave some out.",
                    max_subjects=most,
                    count=len(names),
                )
            )
        several, guided = len(names) > 1, guide_of(steering.layout, names, request.underdrawing) is not None
        own = SEVERAL_START if several else FluxSettings.ref_start_at, FluxSettings.ref_end_at
        start, end = steering.reference or own
        try:
            return FluxSettings(
                height=settings.size.height,
                width=settings.size.width,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                enable_router=steering.router and (several or (guided and bool(names))),
                redux_scale=tuple(REDUX_SCALE * eta for eta in steering.etas(names, settings.eta)),
                ref_start_at=start,
                ref_end_at=end,
                ref_shift=steering.gammas(names, settings.gamma),
            )
        except ValueError as error:
            raise BackendError(said(error)) from error

    def _measure(self, request: Request) -> str:
        """The router knows no background: one subject has no competitor, and its map is its share of attention."""
        return ROUTING if len(request.cast) != 1 or self._settings(request).enable_router else ATTENTION

    def _denoised(
        self, requests: Sequence[Request], asked: FluxSettings, guides: Sequence[Guide | None], start: Start | None
    ) -> Iterator[FluxDenoised]:
        pipeline, casts = self.pipeline, [each.cast for each in requests]
        encoded = [pipeline.encode_text(each.prompt.text) for each in requests]
        text, pooled = (torch.cat(parts) for parts in zip(*encoded, strict=True))
        noise = torch.cat([pipeline.noise(each.seed, asked.height, asked.width) for each in requests])
        measure = self._measure(requests[0]) == ATTENTION
        return pipeline.denoise_batch(text, pooled, casts, noise, asked, measure, guides, start)

    def _located(self, cast: Sequence[FluxSubject], pixels: Tensor) -> Iterator[FluxDenoised]:
        return self.pipeline.locate(*self.pipeline.encode_text(""), cast, pixels)


def _footprint(local: tuple[Path, Path, Path] | None) -> FluxFootprint:
    """That of the model in local folders, None = the release's."""
    if local is None:
        return release_footprint()
    file = transformer_file(local[0] / "transformer")
    try:
        return replace(FluxFootprint.of(release_configs(*local[:2])), gguf=file.stat().st_size if file else 0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(Message("The model's configs cannot be read: {reason}", reason=reason(error))) from error


def _release(folder: Path) -> tuple[Path, Path, Path]:
    """The parts of a local folder."""
    base, redux, checkpoints = folder / "base", folder / "redux", sorted(folder.glob("*.bin"))
    needed = [(base, part) for part in FLUX[0].required] + [(redux, part) for part in FLUX[1].required]
    for path in (folder, *(where / part for where, part in needed)):
        if not path.is_dir():
            part = path.relative_to(folder).as_posix()
            missing = Message(": it has no folder {part}", part=part) if path != folder else ""
            raise BackendError(
                Message("There is no {name} model in '{folder}'{missing}.", name="FLUX", folder=folder, missing=missing)
            )
        if path.parent in (base, redux) and not whole(path):
            raise BackendError(
                Message(
                    "The model in '{folder}' is not complete: {part} lacks its config, its vocabulary or some of its "
                    "weights; get the missing files.",
                    folder=folder,
                    part=path.relative_to(folder).as_posix(),
                )
            )
    if len(checkpoints) != 1:
        raise BackendError(
            Message(
                "A FLUX model has one checkpoint such as {checkpoint}; '{folder}' has {count} .bin files.",
                checkpoint=CHECKPOINT,
                folder=folder,
                count=len(checkpoints),
            )
        )
    return base, redux, checkpoints[0]
