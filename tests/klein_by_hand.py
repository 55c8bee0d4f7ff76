"""FLUX.2 [klein] with a cast computed the slow and plain way, from nothing but the weights: a second opinion.

All tokens stand in one sequence, text, frame, sketch, references, under one dense mask of what may see what; heads and
pairs of channels are loops. No batch axis: (tokens, channels).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from anystory.model.klein.pipeline import KleinSettings, KleinSubject

Guided = Callable[[Tensor], Tensor]
"""Logits (N + 1, hw) of a layer -> the same, guided."""


class ByHand:
    """A transformer's weights."""

    def __init__(self, weights: dict[str, Tensor], config: dict) -> None:
        self.weights = weights
        self.heads, self.width = config["num_attention_heads"], config["attention_head_dim"]
        self.axes, self.waves = config["axes_dims_rope"], config["timestep_guidance_channels"]
        self.doubles = [f"transformer_blocks.{i}" for i in range(config["num_layers"])]
        self.singles = [f"single_transformer_blocks.{i}" for i in range(config["num_single_layers"])]

    def linear(self, x: Tensor, path: str) -> Tensor:
        return x @ self.weights[f"{path}.weight"].T

    def time(self, sigma: float) -> Tensor:
        half = self.waves // 2
        turns = [sigma * 1000 * math.exp(-math.log(10000) * i / half) for i in range(half)]
        waves = torch.tensor([math.cos(x) for x in turns] + [math.sin(x) for x in turns])
        path = "time_guidance_embed.timestep_embedder"
        return self.linear(F.silu(self.linear(waves, f"{path}.linear_1")), f"{path}.linear_2")

    def normed(self, x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[1:], eps=1e-6) * (1 + scale) + shift

    def by_head(self, x: Tensor, norm: str) -> Tensor:
        x = x.reshape(len(x), self.heads, self.width)
        return x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt() * self.weights[f"{norm}.weight"]

    def turned(self, x: Tensor, ids: Tensor) -> Tensor:
        out, start = x.clone(), 0
        for axis, dim in enumerate(self.axes):
            for pair in range(dim // 2):
                angle = (ids[:, axis].double() * 2000 ** (-2 * pair / dim)).float()[:, None]
                a, b = start + 2 * pair, start + 2 * pair + 1
                out[..., a] = x[..., a] * angle.cos() - x[..., b] * angle.sin()
                out[..., b] = x[..., a] * angle.sin() + x[..., b] * angle.cos()
            start += dim
        return out

    def weigh(self, query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
        """What every token pays to every other, (H, tokens, tokens)."""
        scores = [query[:, h] @ key[:, h].T / math.sqrt(self.width) + mask for h in range(self.heads)]
        return torch.stack(scores).softmax(-1)

    def denoise(
        self,
        prompt: Tensor,
        cast: list[KleinSubject],
        latents: Tensor,
        settings: KleinSettings,
        guided: Guided | None = None,
        clean: Tensor | None = None,
        last: int = 0,
        sketch: Tensor | None = None,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Packed noise (hw, C) -> final latents, and every layer's logits (N + 1, hw) and share (hw,) of all steps;
        from `clean` latents (hw, C) only the `last` steps; `sketch` (C, h, w) is a reference that is nobody's."""
        steps, hw = settings.num_inference_steps, len(latents)
        ten, many = 8.73809524e-05 * hw + 1.89833333, 0.00016927 * hw + 0.45666666  # fits for 10 and for 200 steps
        slope = (many - ten) / 190
        mu = many if hw > 4300 else slope * steps + many - 200 * slope
        sigmas = [1 - i * (1 - 1 / steps) / max(1, steps - 1) for i in range(steps)]
        sigmas = [math.exp(mu) / (math.exp(mu) + 1 / s - 1) for s in sigmas] + [0.0]
        logits: list[Tensor] = []
        shares: list[Tensor] = []
        first = 0
        if clean is not None:
            first = steps - last
            latents = clean + sigmas[first] * (latents - clean)
        for i in range(first, steps):
            start, end = settings.ref_start_at, settings.ref_end_at
            read = cast if math.floor(steps * start + 0.5) <= i < math.floor(steps * end + 0.5) else None
            closed = guided is not None or (settings.close and i > 0)
            velocity = self.velocity(
                prompt, read or [], latents, settings, sigmas[i], closed, guided, logits, shares,
                None if read is None else sketch,
            )  # fmt: skip
            latents = latents + (sigmas[i + 1] - sigmas[i]) * velocity
        return latents, logits, shares

    def velocity(self, prompt, cast, latents, settings, sigma, closed, guided, logits, shares, sketch=None) -> Tensor:
        temb = F.silu(self.time(sigma))
        rows, columns = settings.height // 16, settings.width // 16
        kinds = ["text"] * len(prompt) + ["frame"] * len(latents)
        ids = [(0, 0, 0, k) for k in range(len(prompt))] + [(0, r, c, 0) for r in range(rows) for c in range(columns)]
        time, shown = 0, []
        if sketch is not None:
            time, shown = 10, [sketch.flatten(1).T]
            high, wide = sketch.shape[1:]
            kinds += ["sketch"] * (high * wide)
            ids += [(time, r, c, 0) for r in range(high) for c in range(wide)]
        for n, subject in enumerate(cast):
            for one in subject.ref:
                time += 10
                side = math.isqrt(len(one))
                kinds += [n] * len(one)
                ids += [(time, r, c, 0) for r in range(side) for c in range(side)]
        shifts = settings.ref_shift if isinstance(settings.ref_shift, tuple) else (settings.ref_shift,) * len(cast)
        ids = torch.tensor(ids).float()
        open_mask = torch.tensor([0.0 if isinstance(kind, str) else shifts[kind] for kind in kinds])
        open_mask = open_mask.repeat(len(kinds), 1)
        frame = [k for k, kind in enumerate(kinds) if kind == "frame"]
        theirs = [[k for k, kind in enumerate(kinds) if kind == n] for n in range(len(cast))]

        def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            mask = open_mask
            if cast:
                paid = self.weigh(query, key, open_mask)[:, frame].mean(0)
                layer = torch.stack([paid[:, group].sum(1) / len(group) for group in [*theirs, frame]]).log()
                shares.append(sum(paid[:, group].sum(1) for group in theirs))
                layer = layer if guided is None else guided(layer)
                logits.append(layer)
                if closed:
                    holder = dict(zip(frame, layer.argmax(0).tolist(), strict=True))
                    mask = open_mask.clone()
                    for row, kind in enumerate(kinds):
                        own = holder[row] if kind == "frame" else kind
                        for n, group in enumerate(theirs):
                            if kind != "text" and n != own:
                                mask[row, group] = -torch.inf
            weights = self.weigh(query, key, mask)
            return torch.cat([weights[h] @ value[:, h] for h in range(self.heads)], dim=1)

        context = self.linear(prompt, "context_embedder")
        tokens = torch.cat([latents, *shown, *(subject.ref.flatten(0, 1) for subject in cast)])
        image = self.linear(tokens, "x_embedder")
        double = {
            which: self.linear(temb, f"double_stream_modulation_{which}.linear").chunk(6) for which in ("txt", "img")
        }
        split = len(context)
        for path in self.doubles:
            parts = {"txt": (context, "add_{}_proj", "norm_added_{}"), "img": (image, "to_{}", "norm_{}")}
            query, key, value = [], [], []
            for which, (x, name, norm) in parts.items():
                x = self.normed(x, *double[which][:2])
                projected = {c: self.linear(x, f"{path}.attn.{name.format(c)}") for c in "qkv"}
                query.append(self.by_head(projected["q"], f"{path}.attn.{norm.format('q')}"))
                key.append(self.by_head(projected["k"], f"{path}.attn.{norm.format('k')}"))
                value.append(projected["v"].reshape(len(x), self.heads, self.width))
            query, key, value = torch.cat(query), torch.cat(key), torch.cat(value)
            out = attend(self.turned(query, ids), self.turned(key, ids), value)
            done = []
            for which, x, part, to_out, ff in (
                ("txt", context, out[:split], "to_add_out", "ff_context"),
                ("img", image, out[split:], "to_out.0", "ff"),
            ):
                _, _, gate, shift, scale, gate_ff = double[which]
                x = x + gate * self.linear(part, f"{path}.attn.{to_out}")
                a, b = self.linear(self.normed(x, shift, scale), f"{path}.{ff}.linear_in").chunk(2, dim=1)
                done.append(x + gate_ff * self.linear(F.silu(a) * b, f"{path}.{ff}.linear_out"))
            context, image = done
        x = torch.cat([context, image])
        shift, scale, gate = self.linear(temb, "single_stream_modulation.linear").chunk(3)
        for path in self.singles:
            fused = self.linear(self.normed(x, shift, scale), f"{path}.attn.to_qkv_mlp_proj")
            wide = self.heads * self.width
            query, key, value, a, b = fused.split([wide] * 3 + [(fused.shape[1] - 3 * wide) // 2] * 2, dim=1)
            query = self.turned(self.by_head(query, f"{path}.attn.norm_q"), ids)
            key = self.turned(self.by_head(key, f"{path}.attn.norm_k"), ids)
            out = attend(query, key, value.reshape(len(x), self.heads, self.width))
            x = x + gate * self.linear(torch.cat([out, F.silu(a) * b], dim=1), f"{path}.attn.to_out")
        scale, shift = self.linear(temb, "norm_out.linear").chunk(2)
        return self.linear(self.normed(x[frame], shift, scale), "proj_out")
