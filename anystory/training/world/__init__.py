"""The synthetic world the embedded model learns from: a painted place with 0–4 drawn subjects in it, who is where to
the pixel, and a sentence that is true of it.

`choose` draws who is there and what they do, `stage` lays them out, `compose` draws the pixels and `describe` tells of
them. Chance and layout are numpy and depend on the generator alone; pixels are torch. All of it is on the CPU.
Identity has to come from the reference picture: many subjects are recoloured (target and reference alike), half
of all captions say no more than "a character", and pairs of one kind are common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from anystory.training.art import Art
from anystory.training.bank import SceneBank
from anystory.training.parallel import one_thread
from anystory.training.props import props
from anystory.training.world.choose import Casting
from anystory.training.world.compose import Compositor
from anystory.training.world.describe import Narrator, size_words, where_words
from anystory.training.world.stage import HIDING, MAX_SUBJECTS, MOST_HIDDEN, Director

__all__ = ["HIDING", "MAX_SUBJECTS", "MOST_HIDDEN", "Batch", "World", "sheet"]


@dataclass(frozen=True)
class Batch:
    """B composed frames with S subjects each, at H = W = the world's size.

    `frames` uint8 (B, 3, H, W). `masks` float32 (B, S, H, W) in [0, 1]: what is visible of each subject.
    `references` uint8 (B, S, 4, R, R), R = H: RGBA, straight alpha, another look at the subject, centred.
    `mentions[b][s]` is the span [start, end) of `captions[b]` that means subject s. `names[b][s]` is what it is
    called, then its tags. `where[b][s]` is "left", "middle", … or "" where neither would be true;
    `size[b][s]` "tiny", "small", "", "big" or "huge"; `action[b][s]` a key of `captions.ACTIONS`. `place[b]` is a key
    of `PLACES`; `time[b]`, `weather[b]` and `medium[b]` are of `scenes.TIMES`, `WEATHERS` (or "") and `MEDIUMS`.
    `entries[b][s]` and `identities` (B, S, 3, 3), the colour matrices, say who it is:
    two subjects are the same one where both agree. `correspondence` float32 (B, S, 3, 3) takes homogeneous frame
    coordinates in [-1, 1] to those of the reference that show the same spot; zeros where it has another pose.
    """

    frames: torch.Tensor
    masks: torch.Tensor
    references: torch.Tensor
    captions: list[str]
    mentions: list[list[tuple[int, int]]]
    names: list[list[list[str]]]
    where: list[list[str]]
    size: list[list[str]]
    place: list[str]
    time: list[str]
    entries: list[list[int]]
    identities: np.ndarray
    correspondence: torch.Tensor
    weather: list[str] = field(default_factory=list)
    medium: list[str] = field(default_factory=list)
    action: list[list[str]] = field(default_factory=list)


class World:
    """Composes batches from the art and a bank of painted scenes."""

    def __init__(
        self,
        art: Art,
        cache: str | Path,
        *,
        size: int = 128,
        scenes_count: int = 3000,
        seed: int = 0,
    ) -> None:
        """`size`: side of a frame in pixels. The bank of `scenes_count` scenes painted from `seed` is kept in the
        folder `cache`. The world may be shared by threads: it holds no state that a batch changes."""
        self.art, self.size = art, size
        self.bank = SceneBank(cache, count=scenes_count, size=size, seed=seed)
        self.stage = Director(art, Casting(art), self.bank, props(), size)
        self.compositor = Compositor(art, self.stage, self.bank, size)
        self.narrator = Narrator(art, self.stage, self.bank)

    @torch.no_grad()
    @one_thread()
    def batch(self, n: int, subjects: int, rng: np.random.Generator, who: np.ndarray | None = None) -> Batch:
        """`n` frames with `subjects` (0–4) subjects each; the same generator state gives the same batch. `who`
        (n, subjects) numbers the entries to show, in their own colours, instead of any.
        Raises ValueError for another number of subjects."""
        if not 0 <= subjects <= MAX_SUBJECTS:
            raise ValueError(f"A frame holds 0 to {MAX_SUBJECTS} subjects, not {subjects}.")
        scene = rng.integers(len(self.bank), size=n)
        mirrored = rng.random(n) < 0.5
        layout = self.stage.lay_out(scene, mirrored, subjects, rng, who)
        frames, masks = self.compositor.compose(scene, mirrored, layout, rng)
        references, correspondence = self.compositor.look_again(layout, rng)
        told = self.narrator.captions(scene, layout, rng)
        grounds = [self.bank.grounds[i] for i in scene]
        return Batch(
            frames=frames,
            masks=masks,
            references=references,
            captions=[words for words, _ in told],
            mentions=[mentions for _, mentions in told],
            names=[[[self.art.entries[i].text, *self.art.entries[i].tags] for i in row] for row in layout.entry],
            where=where_words(layout),
            size=size_words(layout),
            place=[g.place for g in grounds],
            time=[g.time for g in grounds],
            entries=layout.entry.tolist(),
            identities=layout.identity,
            correspondence=correspondence,
            weather=[g.weather for g in grounds],
            medium=[g.medium for g in grounds],
            action=layout.action.tolist(),
        )

    @one_thread()
    def tell(
        self, n: int, subjects: int, rng: np.random.Generator
    ) -> tuple[list[str], list[list[tuple[int, int]]], np.ndarray, np.ndarray]:
        """Captions of `n` frames with `subjects` each that nobody draws: the sentences, the spans of their mentions,
        and each subject's middle and long side as shares of the frame's width, (n, subjects)."""
        scene = rng.integers(len(self.bank), size=n)
        layout = self.stage.lay_out(scene, rng.random(n) < 0.5, subjects, rng)
        told = self.narrator.captions(scene, layout, rng)
        return [words for words, _ in told], [mentions for _, mentions in told], layout.seen_x, layout.long


def sheet(batch: Batch, columns: int = 4) -> Image.Image:
    """The batch to look at: each frame, its masks tinted, its references, its caption beneath."""
    colours = torch.tensor([[255, 64, 64], [64, 160, 255], [80, 220, 90], [255, 200, 40]], dtype=torch.float32)
    n, count, side, _ = batch.masks.shape
    width, height = side * (2 + count), side + 30
    out = Image.new("RGB", (width * columns, height * math.ceil(n / columns)), "white")
    pen = ImageDraw.Draw(out)
    frames, masks, references = (getattr(batch, f.name).cpu() for f in fields(Batch)[:3])
    for b in range(n):
        x, y = b % columns * width, b // columns * height
        tinted = frames[b].float() * 0.35 + 0.65 * torch.einsum("shw,sc->chw", masks[b], colours[:count])
        for k, picture in enumerate((frames[b], tinted.clamp(0, 255).to(torch.uint8))):
            out.paste(Image.fromarray(picture.permute(1, 2, 0).numpy()), (x + k * side, y))
        for s in range(count):
            cut = Image.fromarray(references[b, s].permute(1, 2, 0).numpy(), "RGBA")
            out.paste(cut, (x + (2 + s) * side, y), cut)
        words = batch.captions[b]
        cut_at = words.rfind(" ", 0, width // 6) if len(words) > width // 6 else len(words)
        pen.text((x + 2, y + side + 2), f"{words[:cut_at]}\n{words[cut_at:].strip()}", "black")
    return out
