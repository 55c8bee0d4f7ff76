"""The authors' FLUX release computed the slow and plain way, from nothing but the weights: a second opinion.

All tokens of a step stand in one sequence, each stream with its own merged weights, under one dense mask of what may
see what; heads, pairs of channels and subjects are loops. No batch axis: (tokens, channels).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import FluxSettings

State = dict[str, Tensor]


class ByHand:
    """A FLUX transformer's weights and the checkpoint's `ref` and `router` parts."""

    def __init__(self, base: State, config: dict, ref: State, router: State) -> None:
        self.base = base
        self.router_part = router
        self.loras = {"ref": ref, "router": router, None: {}}
        self.heads, self.width = config["num_attention_heads"], config["attention_head_dim"]
        self.axes = config["axes_dims_rope"]
        self.layers = [f"transformer_blocks.{i}" for i in range(config["num_layers"])]
        self.single = [f"single_transformer_blocks.{i}" for i in range(config["num_single_layers"])]

    def linear(self, x: Tensor, path: str, stream: str | None) -> Tensor:
        weight, lora = self.base[f"{path}.weight"], self.loras[stream]
        if f"transformer.{path}.lora_A.weight" in lora:
            a, b = (lora[f"transformer.{path}.lora_{m}.weight"] for m in "AB")
            weight = weight + b @ a
        return x @ weight.T + self.base[f"{path}.bias"]

    def time(self, t: float, guidance: float, pooled: Tensor) -> Tensor:
        total = 0
        for name, value in (("timestep", t * 1000), ("guidance", guidance * 1000)):
            waves = [value * math.exp(-math.log(10000) * i / 128) for i in range(128)]
            sines = torch.tensor([math.cos(w) for w in waves] + [math.sin(w) for w in waves])
            total = total + self.mlp(sines, f"time_text_embed.{name}_embedder")
        return total + self.mlp(pooled, "time_text_embed.text_embedder")

    def mlp(self, x: Tensor, path: str) -> Tensor:
        return self.linear(F.silu(self.linear(x, f"{path}.linear_1", None)), f"{path}.linear_2", None)

    def modulation(self, temb: Tensor, path: str, stream: str | None, parts: int) -> tuple[Tensor, ...]:
        return self.linear(F.silu(temb), path, stream).chunk(parts)

    def by_head(self, x: Tensor, norm: str) -> Tensor:
        """(n, H * D) -> RMS-normed (n, H, D)."""
        x = x.reshape(len(x), self.heads, self.width)
        return x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt() * self.base[f"{norm}.weight"]

    def turned(self, x: Tensor, ids: Tensor) -> Tensor:
        """Rotary positions: each axis turns its own pairs of channels."""
        out, start = x.clone(), 0
        for axis, dim in enumerate(self.axes):
            for pair in range(dim // 2):
                angle = (ids[:, axis].double() * 10000 ** (-2 * pair / dim)).float()[:, None]
                a, b = start + 2 * pair, start + 2 * pair + 1
                out[..., a] = x[..., a] * angle.cos() - x[..., b] * angle.sin()
                out[..., b] = x[..., a] * angle.sin() + x[..., b] * angle.cos()
            start += dim
        return out

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        heads = []
        for h in range(self.heads):
            scores = query[:, h] @ key[:, h].T / math.sqrt(self.width) + mask
            heads.append(scores.softmax(-1) @ value[:, h])
        return torch.cat(heads, dim=1)

    def denoise(
        self,
        prompt: Tensor,
        pooled: Tensor,
        cast: list[FluxSubject],
        latents: Tensor,
        settings: FluxSettings,
        start: Tensor | None = None,
        last: int = 0,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Packed noise (hw, C) -> final latents, every layer's hard map (N, hw) and, where any window is open, every
        layer's share (hw,) of image tokens' attention that goes to subjects. From clean latents `start` (hw, C) only
        the `last` steps."""
        steps, hw = settings.num_inference_steps, len(latents)
        mu = 0.5 + (1.15 - 0.5) / (4096 - 256) * (hw - 256)
        sigmas = [1 - i * (1 - 1 / steps) / max(1, steps - 1) for i in range(steps)]
        sigmas = [math.exp(mu) / (math.exp(mu) + 1 / s - 1) for s in sigmas] + [0.0]
        maps: list[Tensor] = []
        shares: list[Tensor] = []
        first = 0 if start is None else steps - last
        if start is not None:
            latents = torch.stack(
                [
                    (1 - sigmas[first]) * clean + sigmas[first] * noise
                    for clean, noise in zip(start, latents, strict=True)
                ]
            )
        for i in range(first, steps):
            redux, ref = (
                bool(cast) and math.floor(steps * start + 0.5) <= i < math.floor(steps * end + 0.5)
                for start, end in (
                    (settings.redux_start_at, settings.redux_end_at),
                    (settings.ref_start_at, settings.ref_end_at),
                )
            )
            velocity = self.velocity(prompt, pooled, cast, latents, settings, sigmas[i], redux, ref, maps, shares)
            latents = latents + (sigmas[i + 1] - sigmas[i]) * velocity
        return latents, maps, shares

    def velocity(self, prompt, pooled, cast, latents, settings, sigma, redux, ref, maps, shares) -> Tensor:
        temb = self.time(sigma, settings.guidance_scale, pooled)
        still = self.time(0.0, settings.guidance_scale, pooled)
        routed = settings.enable_router and (redux or ref)

        # What stands in the sequence: (kind, subject) of every token; its weights, its time, its hidden state.
        kinds, ids, states = [], [], []

        def stand(kind: str, subject: int, state: Tensor, where: Tensor | None = None) -> None:
            kinds.extend([(kind, subject)] * len(state))
            ids.append(torch.zeros(len(state), 3) if where is None else where)
            states.append(state)

        def text(x: Tensor) -> Tensor:
            return self.linear(x, "context_embedder", None)

        stand("text", -1, text(prompt))
        for n, subject in enumerate(cast if redux else []):
            stand("redux", n, text(subject.redux[0] * settings.redux_scale))
        rows, columns = settings.height // 16, settings.width // 16
        where = torch.tensor([[0.0, r, c] for r in range(rows) for c in range(columns)])
        stand("image", -1, self.linear(latents, "x_embedder", None), where)
        for n, subject in enumerate(cast if ref else []):
            stand("ref", n, self.linear(subject.ref[0], "x_embedder", "ref"), subject.ref_ids)
        for n, subject in enumerate(cast if routed else []):
            stand("router", n, self.linear(subject.router[0], "context_embedder", "router"))

        at = {kind: [k for k, (name, _) in enumerate(kinds) if name == kind] for kind in ("image", "ref", "router")}
        at["text"] = [k for k, (name, _) in enumerate(kinds) if name in ("text", "redux")]
        at["subjects"] = [k for k, (name, _) in enumerate(kinds) if name in ("redux", "ref")]
        streams = (("text", None), ("image", None), ("ref", "ref"), ("router", "router"))
        ids = torch.cat(ids)
        hidden = torch.cat(states)

        visible = {"text": ("text", "image", "ref"), "image": ("text", "image", "ref"), "ref": ("ref",)}
        visible["router"] = ("image", "router")
        mask = torch.full((len(kinds), len(kinds)), -torch.inf)
        stands_in_mask = torch.cat([subject.ref_mask[0, :, 0] for subject in cast]) if cast else torch.zeros(0)
        for row, (kind, subject) in enumerate(kinds):
            kind = "text" if kind == "redux" else kind
            for column, (other, theirs) in enumerate(kinds):
                if ("text" if other == "redux" else other) not in visible[kind]:
                    continue
                if kind == "ref":
                    mask[row, column] = 0.0 if subject == theirs else -torch.inf
                elif other == "ref":
                    inside = stands_in_mask[column - at["ref"][0]] or not settings.enable_ref_mask
                    mask[row, column] = settings.ref_shift + (0.0 if inside else -100.0)
                else:
                    mask[row, column] = 0.0

        def gated(map_: Tensor) -> Tensor:
            gate = mask.clone()
            for row in at["image"]:
                owner = int(map_[:, row - at["image"][0]].argmax())
                for column in at["subjects"]:
                    if kinds[column][1] != owner:
                        gate[row, column] -= 100
            return gate

        for path in (*self.layers, *self.single):
            single = path in self.single
            normed = torch.zeros_like(hidden)
            query, key, value = (torch.zeros(len(kinds), self.heads, self.width) for _ in range(3))
            gates = {}
            for kind, stream in streams:
                rows_ = at[kind]
                if not rows_:
                    continue
                time = still if kind == "ref" else temb
                context = kind in ("text", "router") and not single
                norm = f"{path}.norm.linear" if single else f"{path}.norm1{'_context' * context}.linear"
                gates[kind] = self.modulation(time, norm, stream, 3 if single else 6)
                shift, scale = gates[kind][:2]
                x = F.layer_norm(hidden[rows_], hidden.shape[1:], eps=1e-6) * (1 + scale) + shift
                normed[rows_] = x
                q, k, v = ("add_q_proj", "add_k_proj", "add_v_proj") if context else ("to_q", "to_k", "to_v")
                added = "added_" * context
                where = ids[rows_]
                query[rows_] = self.turned(
                    self.by_head(self.linear(x, f"{path}.attn.{q}", stream), f"{path}.attn.norm_{added}q"), where
                )
                key[rows_] = self.turned(
                    self.by_head(self.linear(x, f"{path}.attn.{k}", stream), f"{path}.attn.norm_{added}k"), where
                )
                value[rows_] = self.linear(x, f"{path}.attn.{v}", stream).reshape(-1, self.heads, self.width)
            layer_mask = mask
            if routed:
                map_ = self.routing(path, single, normed, ids, at, kinds, len(cast))
                maps.append(F.one_hot(map_.argmax(0), len(cast)).T.float())
                layer_mask = gated(map_)
            out = self.attend(query, key, value, layer_mask)
            if at["subjects"]:
                ones = torch.zeros_like(value)
                ones[at["subjects"]] = 1
                share = self.attend(query, key, ones, layer_mask)[at["image"]]
                shares.append(share.mean(1))
            for kind, stream in streams:
                rows_ = at[kind]
                if not rows_:
                    continue
                if single:
                    mlp = F.gelu(self.linear(normed[rows_], f"{path}.proj_mlp", stream), approximate="tanh")
                    both = self.linear(torch.cat([out[rows_], mlp], dim=1), f"{path}.proj_out", stream)
                    hidden[rows_] = hidden[rows_] + gates[kind][2] * both
                    continue
                context = kind in ("text", "router")
                _, _, gate, shift, scale, gate_mlp = gates[kind]
                to_out = f"{path}.attn.{'to_add_out' if context else 'to_out.0'}"
                x = hidden[rows_] + gate * self.linear(out[rows_], to_out, stream)
                y = F.layer_norm(x, x.shape[1:], eps=1e-6) * (1 + scale) + shift
                ff = f"{path}.ff{'_context' * context}.net"
                y = F.gelu(self.linear(y, f"{ff}.0.proj", stream), approximate="tanh")
                hidden[rows_] = x + gate_mlp * self.linear(y, f"{ff}.2", stream)

        scale, shift = self.modulation(temb, "norm_out.linear", None, 2)
        image = F.layer_norm(hidden[at["image"]], hidden.shape[1:], eps=1e-6) * (1 + scale) + shift
        return self.linear(image, "proj_out", None)

    def routing(self, path, single, normed, ids, at, kinds, subjects) -> Tensor:
        def branch(x: Tensor, which: str) -> Tensor:
            name = f"transformer.{path}.attn.processor.to_{which}_routing_map_lora"
            part = self.router_part
            return x @ part[f"{name}_A.weight"].T @ part[f"{name}_B.weight"].T + part[f"{name}_B.bias"]

        to_q, norm_q = ("to_q", "norm_q") if single else ("add_q_proj", "norm_added_q")
        x, image = normed[at["router"]], normed[at["image"]]
        query = self.by_head(self.linear(x, f"{path}.attn.{to_q}", None) + branch(x, "q"), f"{path}.attn.{norm_q}")
        key = self.by_head(self.linear(image, f"{path}.attn.to_k", None) + branch(image, "k"), f"{path}.attn.norm_k")
        key = self.turned(key, ids[at["image"]]).mean(1)
        owners = torch.tensor([kinds[row][1] for row in at["router"]])
        return torch.stack([(query[owners == n].mean((0, 1)) * key).sum(1) for n in range(subjects)])
