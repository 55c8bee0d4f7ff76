"""Train the embedded model's vision encoder: what a cut-out shows (against a frozen sentence encoder) and which
drawing it is (two looks at one drawing among other drawings and recoloured copies of itself)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from anystory.training.art import Art, plain_name
from anystory.training.loop import Loop, replace_folder, warm_up_and_decay
from anystory.training.muon import Muon
from anystory.training.text import embed_sentences, install_text_encoder, load_text_encoder

SIDE = 96
"""Pixels of the square the encoder sees."""

ATLAS = 128
"""Pixels of the drawings it is cut from."""

IDENTITY_SIZE = 128
MUON_RATE, ADAM_RATE = 2e-3, 1e-3
REPEATS = 0.25
"""Share of a batch that is drawings already in it, in another colour: the hardest cases of "which one"."""

LEAST_CHROMA = 0.15
"""Drawings greyer than this look the same in every hue."""

_COLOURS = re.compile(
    r"\b(red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|gr[ae]y|gold(en)?|silver|colou?r(ed|ful)?)\b"
)


def sentences(text: str, tags: tuple[str, ...], coloured: bool) -> tuple[str, str, str]:
    """Three ways to say what a drawing shows; with `coloured` False none of them names a colour."""

    def said(words: str) -> str:
        return words if coloured else " ".join(_COLOURS.sub("", words).split()).strip(" ,:") or "a thing"

    name = said(plain_name(text))
    kept = [word for word in (said(tag) for tag in tags) if word not in (name, "a thing")]
    return name, f"a picture of {name}", ", ".join([name, *kept[:6]])


def hue_turn(angle: Tensor) -> Tensor:
    """Colour matrices (B, 3, 3) that turn the hue by `angle` (B,) radians and keep greys."""
    cross = angle.new_tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cos * torch.eye(3, device=angle.device) + sin * cross + (1 - cos) / 3


def look(cells: Tensor, hue: Tensor, generator: torch.Generator) -> Tensor:
    """Another look at each of the atlas `cells` uint8 (B, 4, S, S): turned, moved, scaled, flipped, lit, sometimes seen
    at low resolution; its hue turned by `hue` (B,). On white, (B, 3, SIDE, SIDE) in [-1, 1]. All on one device."""
    count = len(cells)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator, device=cells.device)

    angle = uniform(-0.4, 0.4)
    zoom = 1 / uniform(0.6, 1.2)
    stretch = uniform(0.9, 1.1)
    mirrored = torch.where(uniform(0, 1) < 0.5, 1.0, -1.0)
    rows = [
        [angle.cos() * zoom * stretch * mirrored, -angle.sin() * zoom * mirrored, uniform(-0.2, 0.2)],
        [angle.sin() * zoom * stretch, angle.cos() * zoom, uniform(-0.2, 0.2)],
    ]
    theta = torch.stack([torch.stack(row, -1) for row in rows], 1)
    grid = F.affine_grid(theta, [count, 4, SIDE, SIDE], align_corners=False)
    warped = F.grid_sample(cells.float() / 255, grid, align_corners=False)
    colour, alpha = warped[:, :3], warped[:, 3:]
    light = hue_turn(hue) * uniform(0.7, 1.15, 1, 1) * uniform(0.95, 1.05, 3, 1)
    colour = torch.einsum("bij,bjhw->bihw", light, colour)
    picture = torch.minimum(colour.clamp(min=0), alpha) + 1 - alpha
    # Some are seen small: a subject far away in a frame, a poor upload.
    few = count // 5
    low = F.interpolate(picture[:few], size=SIDE // 2, mode="area")
    picture = torch.cat([F.interpolate(low, size=SIDE, mode="bilinear", align_corners=False), picture[few:]])
    return picture * 2 - 1


@dataclass
class Drawings:
    """The art with what each entry is called: `words` (2, 3, N, 384) are sentence embeddings, without and with
    colours, three wordings; `kinds` (N,) numbers the concepts, `cells` (N, 2) is each one's first cell and how many."""

    art: Art
    words: Tensor
    kinds: Tensor
    cells: Tensor

    @classmethod
    def load(cls, art: Art, foundations: Path, device: str = "cpu") -> Drawings:
        """Embed every entry's sentences with the text encoder in `foundations`, which runs on `device`."""
        said = [sentences(e.text, e.tags, coloured) for coloured in (False, True) for e in art.entries]
        unique = {sentence: i for i, sentence in enumerate(dict.fromkeys(s for three in said for s in three))}
        tokenizer, encoder = load_text_encoder(foundations)
        embedded = embed_sentences(tokenizer, encoder.to(device), list(unique))
        rows = torch.tensor([[unique[s] for s in three] for three in said]).view(2, len(art), 3).transpose(1, 2)
        concepts = {name: i for i, name in enumerate(dict.fromkeys(e.text for e in art.entries))}
        kinds = torch.tensor([concepts[e.text] for e in art.entries])
        return cls(art, embedded[rows], kinds, torch.tensor([[e.cells.start, len(e.cells)] for e in art.entries]))

    def pairs(self, entries: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Two cells of each of the entries (B,), (B,) and (B,): two poses where it has several, else the one twice."""
        start, count = self.cells[entries].unbind(1)
        first = (torch.rand(len(entries), generator=generator) * count).long()
        further = 1 + (torch.rand(len(entries), generator=generator) * (count - 1)).long()
        return start + first, start + (first + further) % count


class IdentityHead(nn.Module):
    """Mean of the patch tokens (B, 1 + L, C) to unit vectors (B, IDENTITY_SIZE): only for training, so that it is the
    tokens which have to know the drawing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.projection = nn.Linear(channels, IDENTITY_SIZE, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return F.normalize(self.projection(self.norm(tokens[:, 1:].mean(1))).float(), dim=-1)


def contrastive_loss(a: Tensor, b: Tensor, scale: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE of unit vectors (B, D) paired by row; pairs `same` (B, B) off the diagonal do not count."""
    logits = scale.exp().clamp(max=100) * a.float() @ b.float().T
    logits = logits.masked_fill(same & ~torch.eye(len(a), dtype=torch.bool, device=a.device), -1e4)
    target = torch.arange(len(a), device=a.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def vision_encoder() -> CLIPVisionModelWithProjection:
    """A new encoder: 64 patch tokens and one for the whole, 2.8 million parameters."""
    config = CLIPVisionConfig(
        hidden_size=192,
        intermediate_size=768,
        projection_dim=384,
        num_hidden_layers=6,
        num_attention_heads=3,
        image_size=SIDE,
        patch_size=SIDE // 8,
        hidden_act="gelu",
        # Not read by transformers: what the pictures are normalised with before they come here.
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    encoder = CLIPVisionModelWithProjection(config)
    # On a CPU the fused attention takes three times as long backwards as the plain one at this length.
    encoder.set_attn_implementation("eager")
    return encoder


def train_vision(
    art: Art,
    out: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    batch: int = 64,
    device: str = "cpu",
    seed: int = 0,
) -> CLIPVisionModelWithProjection:
    """Train on `art` (the train split, cells of `ATLAS` pixels or so) and save to `out`/image_encoder; the text encoder
    is installed in `out`.

    `batch` counts drawings, two looks at each. State is kept in `out`/state-vision.pt: the same call goes on where it
    stopped.
    """
    install_text_encoder(out)
    drawings = Drawings.load(art, out, device)
    atlas, words, numbers = (x.to(device) for x in (art.cells, drawings.words, drawings.kinds))
    torch.manual_seed(seed)
    parts = nn.ModuleDict({"encoder": vision_encoder(), "head": IdentityHead(192)}).to(device)
    parts.register_parameter("scales", nn.Parameter(torch.tensor([2.7, 2.7], device=device)))
    encoder: Any = parts["encoder"]
    head: Any = parts["head"]
    scales: Any = parts.scales

    matrices = [p for name, p in encoder.named_parameters() if p.ndim == 2 and "encoder.layers" in name]
    chosen = {id(p) for p in matrices}
    others = [p for p in parts.parameters() if id(p) not in chosen]
    # Muon learns a transformer's matrices in far fewer steps than Adam, which keeps the rest.
    muon = Muon(matrices, lr=MUON_RATE, weight_decay=0.05)
    adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.01)

    weights = torch.tensor([1.0 if len(e.cells) == 1 else 3.0 for e in art.entries])
    vivid = torch.tensor([float(art.chroma[e.cells.start]) > LEAST_CHROMA for e in art.entries])
    repeats = int(batch * REPEATS)
    few = len(weights) < batch - repeats  # a small art, as of one's own pictures, shows a drawing several times a batch
    chance, looks = torch.Generator(), torch.Generator(device)

    loop = Loop(
        "vision",
        out / "state-vision.pt",
        {"parts": parts, "muon": muon, "adam": adam},
        lambda: replace_folder(out / "image_encoder", encoder.save_pretrained),
        minutes=minutes,
        steps=steps,
    )
    for progress in loop:
        rate = warm_up_and_decay(progress)
        muon.param_groups[0]["lr"], adam.param_groups[0]["lr"] = MUON_RATE * rate, ADAM_RATE * rate
        # What is shown is drawn here, and how it looks where the pictures are.
        chance.manual_seed(seed * 1_000_003 + loop.step)
        looks.manual_seed(seed * 1_000_003 + loop.step)
        entries = torch.multinomial(weights, batch - repeats, replacement=few, generator=chance)
        again = entries[vivid[entries]][:repeats]
        turned = torch.rand(len(entries), generator=chance) < 0.5
        hue = turned * (0.25 + 1.5 * torch.rand(len(entries), generator=chance)) * math.pi
        turn = (0.4 + 1.2 * torch.rand(len(again), generator=chance)) * math.pi
        hue = torch.cat([hue, hue[vivid[entries]][:repeats] + turn])
        entries = torch.cat([entries, again])
        cells = torch.cat(drawings.pairs(entries, chance))
        wording = torch.randint(3, (len(entries),), generator=chance)
        entries, hue, cells, wording = (x.to(device, non_blocking=True) for x in (entries, hue, cells, wording))

        pictures = look(atlas[cells], hue.repeat(2), looks)
        said = words[(hue == 0).long(), wording, entries]
        kinds = numbers[entries]
        same_kind = kinds[:, None] == kinds

        with torch.autocast(device.split(":")[0], torch.bfloat16):
            seen = encoder(pixel_values=pictures)
            first, second = head(seen.last_hidden_state).chunk(2)
        meaning_of = F.normalize(seen.image_embeds.float(), dim=-1).chunk(2)
        first_said, second_said = (contrastive_loss(part, said, scales[0], same_kind) for part in meaning_of)
        meaning = (first_said + second_said) / 2
        # Every row is its own drawing or its own colour of it; only an entry drawn twice unchanged is the same.
        twin = (entries[:, None] == entries) & ((hue[:, None] - hue).abs() < 0.1)
        identity = contrastive_loss(first, second, scales[1], twin)
        for optimiser in (muon, adam):
            optimiser.zero_grad(set_to_none=True)
        (meaning + identity).backward()
        torch.nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        for optimiser in (muon, adam):
            optimiser.step()
        loop.log(meaning=meaning, identity=identity)
    return encoder.eval()


@torch.no_grad()
def retrieval(
    encoder: CLIPVisionModelWithProjection, drawings: Drawings, generator: torch.Generator, count: int = 200
) -> dict[str, float]:
    """How often, of `count` drawings, the right name is among the five nearest of all names of the split (`name_top5`,
    `name_top1`), and the nearest second look by the mean patch token is the drawing's own, with half the drawings
    recoloured, another pose where there is one (`look_top1`)."""
    entries = torch.randperm(len(drawings.art), generator=generator)[:count]
    hue = (torch.rand(len(entries), generator=generator) < 0.5) * 2.0
    first, second = drawings.pairs(entries, generator)
    seen = encoder(pixel_values=look(drawings.art.cells[first], 0 * hue, generator))
    kinds = {int(kind): i for i, kind in enumerate(drawings.kinds)}
    names = drawings.words[1, 0, list(kinds.values())]
    ranked = (F.normalize(seen.image_embeds, dim=-1) @ names.T).argsort(descending=True)
    right = torch.tensor(list(kinds))[ranked] == drawings.kinds[entries, None]

    looks = []
    for cells in (first, second):
        tokens = encoder(pixel_values=look(drawings.art.cells[cells], hue, generator)).last_hidden_state[:, 1:]
        looks.append(tokens.mean(1))
    centre = torch.cat(looks).mean(0)
    a, b = (F.normalize(part - centre, dim=-1) for part in looks)
    own = (a @ b.T).argmax(1) == torch.arange(len(entries))
    return {
        "name_top1": float(right[:, :1].any(1).float().mean()),
        "name_top5": float(right[:, :5].any(1).float().mean()),
        "look_top1": float(own.float().mean()),
    }
