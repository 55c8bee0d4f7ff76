"""FLUX.2 [klein] 4B as a backend: weights of a free licence, and AnyStory's maps without training."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from anystory.backends.base import ROUTINGS, BackendError, Lora, Request, agreed
from anystory.backends.card import LARGE, REFERENCE, CardBackend, Fitting, definite, weight_of
from anystory.backends.files import reason, whole
from anystory.backends.hub import KLEIN, fetch
from anystory.backends.models import MAX_SUBJECTS, guide_of
from anystory.cast.images import square_crop
from anystory.errors import Message, said
from anystory.model.flux.pipeline import TOKEN, FluxDenoised, Start
from anystory.model.flux.plans import FluxPlan, FluxWork
from anystory.model.klein.pipeline import TEXT_TOKENS, AnyStoryKleinPipeline, KleinSettings, KleinSubject
from anystory.model.klein.plans import KleinFootprint, release_configs, release_footprint
from anystory.model.routing import Guide
from anystory.story.capabilities import Capabilities
from anystory.story.english import ARTICLES
from anystory.story.from_sketch import FROM_NOISE
from anystory.story.model import ATTENTION, ROUTING, Prompt, Settings, Subject
from anystory.story.size import Size

NAME = "FLUX.2 [klein]"

DEFAULTS = Settings(Size.of(1024), steps=4, guidance=1.0)
"""The release's, which is distilled to so many steps and to no guidance."""

LARGEST = 1_600_000
"""Pixels of the largest frame: beyond a megapixel and a half the release draws worse."""

ENDS = (".", "!", "?", "…", "。", "！", "？")
"""What a prompt ends with where its last sentence is whole."""

SKETCH = "Image 1 is a sketch of the whole picture: everything is where it shows it."
"""What a prompt says of a sketch that is a reference."""

WORDS = re.compile(r"\S{1,24}")
"""What of a prompt is read whole or not at all: a word, or a piece of one that knows no spaces."""

PROGRAM = "2"
"""Raised when the same weights, settings and seed would give another frame."""


@dataclass
class KleinBackend(CardBackend):
    """Frames from FLUX.2 [klein].

    A subject's pictures are references, and the prompt says which are whose. `gamma` is added to the logits towards
    them; there is no `eta`. With `routing` "close" a token of the frame sees no reference but that of the subject that
    holds it, from the second step on; where a layout acts that is so anyhow. `reference` is the side in pixels at which
    references are read.
    """

    routing: str = ROUTINGS[0]
    reference: int = REFERENCE

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        *,
        device: str | None = None,
        loras: Sequence[Lora] = (),
        vram: float | None = None,
        batch: int = 1,
        routing: str = ROUTINGS[0],
        tell: Callable[[str], None] = lambda _: None,
        agree: Callable[[str], bool] = agreed,
    ) -> KleinBackend:
        """Load the release from the Hugging Face Hub, or from a `folder` of its form, with LoRAs on top, as fits into
        `vram` GB of the GPU, for at most `batch` frames at once, downloaded if `agree` says yes. Raises
        `BackendError` with a sentence."""
        if folder is not None:
            _check_whole(folder)
        fit = Fitting(
            NAME,
            _footprint(folder),
            FluxWork(size=DEFAULTS.size, reference=REFERENCE),
            large=folder is None or weight_of(folder) > LARGE,
            device=device,
            loras=loras,
            vram=vram,
            batch=batch,
            tell=tell,
        )
        files = fetch(KLEIN, tell, agree)[0] if folder is None else folder

        def make(dtype: torch.dtype, plan: FluxPlan) -> AnyStoryKleinPipeline:
            return AnyStoryKleinPipeline.from_release(files, dtype, plan)

        where = (
            Message("in '{folder}'", folder=folder)
            if folder
            else Message("from the Hugging Face Hub ({folder})", folder=files)
        )
        memory = fit.memory(where, make)
        versions = fit.versions(PROGRAM, [files], routing)
        _ = memory.model  # under the plan that the version is to name
        about = Capabilities(
            "klein",
            versions(memory.plan),
            DEFAULTS,
            range(TOKEN, 2048 + 1, TOKEN),
            MAX_SUBJECTS,
            settings=("size", "steps", "gamma"),
            from_sketch=FROM_NOISE,  # nobody has measured another on a card
            refers_to_sketches=True,
        )
        return cls(about, memory, fit.footprint, versions, fit.card, fit.batch, routing)

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str:
        """What the text encoder does not read beside its chat template and what is told of the pictures."""
        return prompt.text[len(self._read(prompt, pictures).text) :].strip()

    def _read(self, prompt: Prompt, pictures: Sequence[int]) -> Prompt:
        """As much of a prompt as the text encoder has room for, when it is told of so many pictures of each subject and
        of a sketch, whether there is one or not; whom only words behind that mean is not meant by any."""
        if self._fits(told(prompt, pictures, sketch=True)):
            return prompt
        ends = [word.end() for word in WORDS.finditer(prompt.text)]
        last = bisect_left(ends, True, key=lambda end: not self._fits(told(cut(prompt, end), pictures, sketch=True)))
        return cut(prompt, ends[last - 1] if last else 0)

    def _fits(self, text: str) -> bool:
        """Whether the text encoder reads a text to its end, in its chat template."""
        chat = [{"role": "user", "content": text}]
        with self._reading:
            around = self._tokenizer.apply_chat_template(
                chat, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            tokens = self._tokenizer(around, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        return max(stop for _, stop in tokens[:TEXT_TOKENS]) >= around.index(text) + len(text)

    def encode(self, subject: Subject) -> KleinSubject:
        """Cut out with a definite edge, crop square on white, encode, every picture."""
        squares = [square_crop(image, definite(mask))[0] for image, mask in subject.pictures]

        def encoded() -> Iterator[KleinSubject]:
            yield self.pipeline.encode(squares, self.reference)

        with self._lock:
            return next(self.memory.run(encoded))

    def _order(self, cast: Sequence[KleinSubject], mentions: Sequence[tuple[int, int] | None] = ()) -> list[int]:
        """By their pixels, twins by their places in the prompt: a reference's place in the sequence counts for the
        model, and a frame is to be the same whoever of its cast is named first."""
        meant = [mention or () for mention in mentions] or [()] * len(cast)
        return sorted(range(len(cast)), key=lambda number: (cast[number].mark, meant[number]))

    def _settings(self, request: Request) -> KleinSettings:
        names, settings, steering, most = request.names, request.settings, request.steering, self.about.max_subjects
        if len(names) > most:
            raise BackendError(
                Message(
                    "A frame takes at most {max_subjects} characters, this panel has {count}; leave some out.",
                    max_subjects=most,
                    count=len(names),
                )
            )
        if settings.size.area > LARGEST:
            raise BackendError(
                Message(
                    "A frame of {size} has {megapixels} megapixels and {name} draws up to {most}; ask for a smaller "
                    "one.",
                    size=settings.size,
                    megapixels=f"{settings.size.area / 1e6:.1f}",
                    name=NAME,
                    most=f"{LARGEST / 1e6:.1f}",
                )
            )
        start, end = steering.reference or (KleinSettings.ref_start_at, KleinSettings.ref_end_at)
        try:
            return KleinSettings(
                height=settings.size.height,
                width=settings.size.width,
                num_inference_steps=settings.steps,
                close=self.routing == "close" and steering.router,
                ref_start_at=start,
                ref_end_at=end,
                ref_shift=steering.gammas(names, settings.gamma),
            )
        except ValueError as error:
            raise BackendError(said(error)) from error

    def _measure(self, request: Request) -> str:
        """One subject has no competitor unless its map steers the frame."""
        guide = guide_of(request.steering.layout, request.names, request.underdrawing)
        layout = request.steering.router and guide is not None
        return ROUTING if len(request.cast) != 1 or layout or self._settings(request).close else ATTENTION

    def _denoised(
        self, requests: Sequence[Request], asked: KleinSettings, guides: Sequence[Guide | None], start: Start | None
    ) -> Iterator[FluxDenoised]:
        pipeline, casts = self.pipeline, [each.cast for each in requests]
        beneath = [each.underdrawing for each in requests if each.underdrawing and each.underdrawing.taken.reference]
        sketches = [pipeline.encode_sketch(each.picture, self.reference) for each in beneath]
        text = torch.cat([pipeline.encode_text(self._told(each)) for each in requests])
        noise = torch.cat([pipeline.noise(each.seed, asked.height, asked.width) for each in requests])
        routed = all(each.steering.router for each in requests)
        return pipeline.denoise_batch(text, casts, noise, asked, guides if routed else [], start, sketches)

    def _told(self, request: Request) -> str:
        """A request's prompt as the model reads it."""
        pictures = [subject.pictures for subject in request.cast]
        sketch = request.underdrawing is not None and request.underdrawing.taken.reference
        return told(self._read(request.prompt, pictures), pictures, sketch=sketch)

    def _located(self, cast: Sequence[KleinSubject], pixels: Tensor) -> Iterator[FluxDenoised]:
        return self.pipeline.locate(self.pipeline.encode_text(""), cast, pixels)


def cut(prompt: Prompt, end: int) -> Prompt:
    """A prompt without its words from `end` on, and without the mentions there."""
    mentions = (mention if mention and mention[1] <= end else None for mention in prompt.mentions)
    return replace(prompt, text=prompt.text[:end], mentions=tuple(mentions))


def told(prompt: Prompt, pictures: Sequence[int], *, sketch: bool = False) -> str:
    """A prompt that says which pictures are whose, as the model reads it: by their numbers from 1, or from 2 behind a
    `sketch`, behind the words that mean a subject, who has so many `pictures`. Subjects that are owners there ("a fox's
    tail") and those that no words mean are told of in sentences at the end, and so is the sketch."""
    text, first = prompt.text, 1 + sketch
    inserted: list[tuple[int, str]] = []
    owners, unnamed = [], []
    for number, count in enumerate(pictures):
        images = [str(first + k) for k in range(count)]
        first += count
        words = f"image {images[0]}" if count == 1 else f"images {' and '.join(images)}"
        mention = prompt.mentions[number] if prompt.mentions else None
        if mention is None:
            unnamed.append(f"the character from {words}")
        elif text.startswith(("'", "’"), mention[1]):
            who = text[slice(*mention)]
            who = who[0].lower() + who[1:] if who.split()[0].lower() in ARTICLES else who
            owners.append(f"{words.capitalize()} show{'s' * (count == 1)} {who}.")
        else:
            inserted.append((mention[1], f" from {words}"))
    for end, words in sorted(inserted, reverse=True):
        text = text[:end] + words + text[end:]
    more = [*owners, *([f"Also in the picture: {' and '.join(unnamed)}."] if unnamed else []), *[SKETCH] * sketch]
    if not more:
        return text
    text = text.rstrip()
    return " ".join([f"{text}." if text and not text.endswith(ENDS) else text, *more]).lstrip()


def _footprint(folder: Path | None) -> KleinFootprint:
    """That of the model in a folder, None = the release's."""
    if folder is None:
        return release_footprint()
    try:
        return KleinFootprint.of(release_configs(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackendError(Message("The model's configs cannot be read: {reason}", reason=reason(error))) from error


def _check_whole(folder: Path) -> None:
    """Raise BackendError for a folder that is no such model, or not all of it."""
    for part in KLEIN[0].required:
        if not (folder / part).is_dir():
            missing = Message(": it has no folder {part}", part=part) if folder.is_dir() else ""
            raise BackendError(
                Message("There is no {name} model in '{folder}'{missing}.", name=NAME, folder=folder, missing=missing)
            )
        if not whole(folder / part):
            raise BackendError(
                Message(
                    "The model in '{folder}' is not complete: {part} lacks its config, its vocabulary or some of its "
                    "weights; get the missing files.",
                    folder=folder,
                    part=part,
                )
            )
