"""FLUX's speed: the release's way of computing, ours with the same numbers, and the faster modes with their distance.

Counts come from the meta device at full size, times and distances from running: at full size on a GPU, at a small one
on the CPU. Weights are random, which changes neither.
"""

from __future__ import annotations

import gc
import json
import math
import os
import statistics
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from anystory.bench import build
from anystory.bench.count import GPUS, Cost, Counter
from anystory.bench.plain import plain
from anystory.model.flux import attention
from anystory.model.flux.encoder import FluxSubject
from anystory.model.flux.pipeline import AnyStoryFluxPipeline, FluxSettings, kept_tokens
from anystory.model.flux.plans import RANK, RELEASE, Configs, FluxFootprint, FluxWork, empty
from anystory.model.flux.speeds import SPEEDS, Speed, hasten

GOLDEN = Path(os.environ.get("ANYSTORY_GOLDEN") or Path(__file__).resolve().parents[2] / "tests" / "golden" / "flux")

GOLDEN_TOLERANCE = 2e-4
"""How far final latents may be from the authors'."""

SAME = {"float32": 1e-4, "bfloat16": 0.05}
"""How far plain may be from exact, relative to the latents' norm; of bfloat16 a guess until a GPU has told."""

BATCH = 4
"""Frames per batch."""

PANELS = 8
"""Panels of a story: what is encoded once a story is shared by that many."""


@dataclass(frozen=True)
class Setup:
    """A size of FLUX and the frame it makes."""

    configs: Configs
    rank: int = RANK
    size: int = 512
    text: int = 512
    subjects: int = 2
    steps: int = 25

    def settings(self, speed: Speed) -> FluxSettings:
        """The frame's settings: the release's, for several subjects with its router."""
        return FluxSettings(
            height=self.size,
            width=self.size,
            num_inference_steps=speed.steps or self.steps,
            enable_router=self.subjects > 1,
            ref_start_at=0.09 if self.subjects > 1 else 0.0,
        )


FULL = Setup(RELEASE)

SMALL = Setup(
    {
        "transformer": {
            "num_layers": 2,
            "num_single_layers": 4,
            "attention_head_dim": 32,
            "num_attention_heads": 8,
            "joint_attention_dim": 256,
            "pooled_projection_dim": 64,
            "guidance_embeds": True,
            "axes_dims_rope": [4, 14, 14],
        },
        "vae": RELEASE["vae"] | {"block_out_channels": [32, 32, 64, 64], "norm_num_groups": 8},
        "image_encoder": RELEASE["image_encoder"]
        | {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2},
        "image_embedder": {"redux_dim": 64, "txt_in_features": 256},
    },
    rank=11,
    size=128,
    text=32,
)
"""A FLUX whose widths are a twelfth and whose tokens are a sixteenth, in the full one's proportions."""


@dataclass
class Result:
    """A mode's figures a frame: `seconds` and `peak` bytes as measured, `distance` of its latents from exact ones
    (relative to their norm), what it `costs` at full size, and the `error` that kept it from being measured."""

    seconds: float | None = None
    peak: int | None = None
    distance: float | None = None
    costs: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Mode:
    """How frames are made: the release's way or ours, in a batch, at a speed."""

    speed: Speed = SPEEDS["exact"]
    plain: bool = False
    batch: int = 1


MODES = {
    "plain": Mode(plain=True),
    "exact": Mode(),
    f"batch of {BATCH}": Mode(batch=BATCH),
    "cached": Mode(SPEEDS["cached"]),
    "few steps": Mode(SPEEDS["few"]),
    f"few steps, batch of {BATCH}": Mode(SPEEDS["few"], batch=BATCH),
}

COMPILED = {
    "compiled": Mode(SPEEDS["compiled"]),
    "compiled, few steps": Mode(replace(SPEEDS["few"], compiled=True)),
}
"""For GPUs, and last: blocks stay compiled."""


# Running.


@contextmanager
def in_mode(pipeline: AnyStoryFluxPipeline, mode: Mode) -> Iterator[None]:
    """The pipeline in a mode; afterwards it is what it was, but for compiled blocks."""
    hasten(pipeline.transformer, mode.speed)
    try:
        with plain(pipeline.transformer) if mode.plain else nullcontext():
            yield
    finally:
        if mode.speed.interval:
            pipeline.transformer.disable_cache()


def frames(pipeline: AnyStoryFluxPipeline, setup: Setup, mode: Mode) -> Callable[[], Tensor]:
    """What makes the latents (batch, hw, C) of frames 0, 1, … of a story whose prompts and subjects are always the
    same. They are drawn here, so that whoever times the frames does not time that."""
    torch.manual_seed(1)
    subjects = [build.cast(pipeline, setup.subjects, setup.size) for _ in range(BATCH)][: mode.batch]
    text, pooled = (x[: mode.batch] for x in build.prompt(pipeline, setup.text, BATCH))
    noise = build.noise(pipeline, range(mode.batch), setup.size)
    return partial(last, pipeline, text, pooled, subjects, noise, setup.settings(mode.speed))


def last(
    pipeline: AnyStoryFluxPipeline,
    text: Tensor,
    pooled: Tensor,
    casts: Sequence[Sequence[FluxSubject]],
    noise: Tensor,
    settings: FluxSettings,
) -> Tensor:
    """The final latents of a batch."""
    for step in pipeline.denoise_batch(text, pooled, casts, noise, settings):
        latents = step.latents
    return latents


def run(
    pipeline: AnyStoryFluxPipeline, setup: Setup, mode: Mode, full: Tensor | None, repeats: int
) -> tuple[Result, Tensor]:
    """Time a mode; `full` are the exact latents of frame 0, None where this is the exact mode. With its own of frame
    0."""
    make = frames(pipeline, setup, mode)
    with in_mode(pipeline, mode):
        latents = make()[:1]  # warms up, compiles and gives the distance
        seconds = [timed(make) for _ in range(repeats)]
        peak = measured_peak(make, str(pipeline.device))
    distance = None if full is None else ((latents - full).norm() / full.norm()).item()
    return Result(statistics.median(seconds) / mode.batch, peak, distance), latents


def timed(work: Callable[[], Any]) -> float:
    """Seconds, the GPU's work included."""
    synchronise()
    start = time.perf_counter()
    work()
    synchronise()
    return time.perf_counter() - start


def synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measured_peak(work: Callable[[], Any], device: str) -> int:
    """Bytes that torch's allocator had out at once on top of what it had before."""
    gc.collect()  # when the collector runs within the work depends on what ran before
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        work()
    alive = highest = 0
    events = [event for event in recorded.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        alive += event.nbytes()
        highest = max(highest, alive)
    return highest


# Counting, at any size, on the meta device.


def counted(setup: Setup, modes: dict[str, Mode]) -> dict[str, Cost]:
    """What a frame of every mode costs, encoding included; where subjects are held equal shares of the image.

    Blocks of a kind cost the same, so three transformers of two or three blocks tell what any number of them costs.
    """
    config = setup.configs["transformer"]
    wanted = [config.get(name, number) for name, number in (("num_layers", 19), ("num_single_layers", 38))]
    sizes: list[dict[tuple[bool, int], dict[Any, Cost]]] = []
    for double, single in ((1, 1), (2, 1), (1, 2)):
        layers = {"num_layers": double, "num_single_layers": single}
        small = replace(setup, configs=setup.configs | {"transformer": config | layers})
        pipeline = build.build(small.configs, setup.rank, "meta", torch.bfloat16)
        ways = {(mode.plain, mode.batch): mode for mode in modes.values()}
        sizes.append({way: step_costs(pipeline, small, mode) for way, mode in ways.items()})
    once, always = encoding(pipeline, setup)
    costs = {}
    for name, mode in modes.items():
        base, *more = (size[mode.plain, mode.batch] for size in sizes)
        kinds = {
            kind: cost
            + sum(((other[kind] + cost * -1) * (n - 1) for other, n in zip(more, wanted, strict=True)), Cost())
            for kind, cost in base.items()
        }
        total = kinds["references"]
        for kind, times in computed(setup.settings(mode.speed), mode.speed.interval).items():
            total += kinds[kind] * times
        costs[name] = total * (1 / mode.batch) + always + once * (1 if mode.plain else 1 / PANELS)
    return costs


def step_costs(pipeline: AnyStoryFluxPipeline, setup: Setup, mode: Mode) -> dict[Any, Cost]:
    """What a step costs, by which windows (Redux, references) are open, and the pass over the references."""
    casts = [build.cast(pipeline, setup.subjects, setup.size) for _ in range(mode.batch)]
    text, pooled = build.prompt(pipeline, setup.text, mode.batch)
    noise = build.noise(pipeline, range(mode.batch), setup.size)
    costs: dict[Any, Cost] = {}
    with in_mode(pipeline, replace(mode, speed=SPEEDS["exact"])), patch.object(attention, "held_by", equal_shares):
        one = replace(setup.settings(mode.speed), num_inference_steps=1, ref_start_at=0, redux_start_at=0)
        for redux, references in ((False, False), (True, True), (False, True)):
            settings = replace(one, redux_end_at=float(redux), ref_end_at=float(references))
            with Counter() as cost:
                last(pipeline, text, pooled, casts, noise, settings)
            costs[redux, references] = cost
        costs["references"] = references_cost(pipeline, casts, pooled)
    for kind in ((True, True), (False, True)):
        costs[kind] += costs["references"] * -1
    costs[True, False] = costs[True, True]  # no window of the release is like that
    return costs


def references_cost(pipeline: AnyStoryFluxPipeline, casts: Sequence[Sequence[FluxSubject]], pooled: Tensor) -> Cost:
    """What the pass over all frames' references costs."""
    referred = [subject for cast in casts for subject in cast]
    pipeline.frame.kept = tuple(kept.to("meta") for kept in kept_tokens(referred))
    guidance = torch.ones(1, device="meta")
    with torch.no_grad(), Counter() as cost:
        pipeline._record_references(referred, pooled, guidance)
    return cost


def equal_shares(logits: Tensor) -> tuple[Tensor, ...]:
    """In place of `attention.held_by`, where no logits have values: the k-th subject holds the k-th part."""
    tokens = torch.arange(logits.shape[1], device=logits.device)
    return tokens.tensor_split(len(logits))


def encoding(pipeline: AnyStoryFluxPipeline, setup: Setup) -> tuple[Cost, Cost]:
    """What encoding all subjects costs, and what prompt and decoding do a panel."""
    meta: dict[str, Any] = {"device": "meta", "dtype": torch.bfloat16}
    side = setup.configs["image_encoder"]["image_size"]
    with torch.no_grad():
        with Counter() as once:
            for _ in range(setup.subjects):
                vision = pipeline.image_encoder(torch.empty(1, 3, side, side, **meta)).last_hidden_state
                for embedder, n in ((pipeline.redux, build.REDUX_SIDE), (pipeline.router, build.ROUTER_SIDE)):
                    embedder(pipeline.image_embedder, vision, n)
                pipeline.vae.encode(torch.empty(1, 3, setup.size, setup.size, **meta))
        encoders = [
            (empty(name, setup.configs[name]).to(torch.bfloat16).eval(), tokens)
            for name, tokens in (("text_encoder", 77), ("text_encoder_2", setup.text))
            if name in setup.configs
        ]
        with Counter() as always:
            for encoder, tokens in encoders:
                encoder(torch.zeros(1, tokens, dtype=torch.long, device="meta"))
            channels = pipeline.vae.config.latent_channels
            pipeline.vae.decode(torch.empty(1, channels, setup.size // 8, setup.size // 8, **meta))
    return once, always


def computed(settings: FluxSettings, interval: int | None) -> Tally[tuple[bool, bool]]:
    """How many steps run the whole transformer, by which windows are open."""
    tally: Tally[tuple[bool, bool]] = Tally()
    since, before = 0, None
    for index in range(settings.num_inference_steps):
        kind = settings.redux_open(index), settings.ref_open(index)
        since = 0 if kind != before else since + 1
        before = kind
        if not interval or since < 2 or (since - 3) % interval == 0:
            tally[kind] += 1
    return tally


# Checking.


@contextmanager
def full_float32() -> Iterator[None]:
    """Products and convolutions in float32 itself. GPUs from Ampere on take TF32 for convolutions otherwise, whose ten
    bits are a hundredth away."""
    switches: tuple[Any, ...] = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = False
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value


@full_float32()
def golden(device: str = "cpu", folder: Path = GOLDEN) -> dict[str, dict[str, float]]:
    """For every golden case how far the final latents of exact and plain are from the authors', and from each other, in
    float32 on a device."""
    pipeline = AnyStoryFluxPipeline.from_release(folder / "base", folder / "redux", folder / "anystory_flux_tiny.bin")
    pipeline.to(device)
    found = {}
    for case in sorted(path.parent for path in folder.glob("*/case.json")):
        asked = json.loads((case / "case.json").read_text(encoding="utf-8"))
        theirs = load_file(case / "expected.safetensors", device=device)
        subjects, ref_size = asked.pop("subjects"), asked.pop("ref_size", 512)
        asked.setdefault("enable_router", "routing_maps" in theirs)
        cast = []
        for number in range(subjects):
            pictures = (case / f"subject_{number}.png", case / f"mask_{number}.png")
            image, mask = (Image.open(path) for path in pictures)
            cast.append(pipeline.encode(image.convert("RGB"), mask.convert("L"), ref_size))
        text, pooled = (theirs[name] for name in ("prompt_embeds", "pooled_prompt_embeds"))
        settings = FluxSettings(**asked)
        exact = last(pipeline, text, pooled, [cast], theirs["latents"], settings)
        with plain(pipeline.transformer):
            dense = last(pipeline, text, pooled, [cast], theirs["latents"], settings)
        pairs = {"exact": (exact, theirs["final_latents"]), "plain": (dense, theirs["final_latents"])}
        pairs["exact to plain"] = exact, dense
        found[case.name] = {name: (a - b).abs().max().item() for name, (a, b) in pairs.items()}
    return found


def plan_checks(setup: Setup, peak: int | None, dtype: torch.dtype) -> dict[str, int]:
    """What a plan expects a frame to take besides weights, and what was counted and measured."""
    work = FluxWork((setup.size, setup.size), setup.size, setup.subjects, 1, setup.text)
    footprint = FluxFootprint.of({name: c for name, c in setup.configs.items() if "text" not in name}, setup.rank)
    size = torch.empty(0, dtype=dtype).element_size()
    expected = footprint.references(work, size) + footprint.step(work, size)
    return {"expected": round(expected)} | ({"measured": peak} if peak is not None else {})


def checks(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What a report claims, each with its value, its bounds and whether it keeps them. `aim`: a wish that fails no
    run."""
    found = []

    def check(what: str, value: float | None, least: float = 0.0, most: float = math.inf, aim: bool = False) -> None:
        if value is not None:
            keeps = least <= value <= most
            bounds = {"least": least} if most == math.inf else {"least": least, "most": most}
            found.append({"what": what, "value": value, **bounds, "passed": keeps, "aim": aim})

    for case, pairs in report["golden"].items():
        for pair, value in pairs.items():
            check(f"golden numbers, {case}: {pair}", value, most=GOLDEN_TOLERANCE)
    modes = report["modes"]
    check("plain is exact, relative to the latents", modes["plain"]["distance"], most=SAME[report["dtype"]])
    if report["memory"].get("measured"):
        ratio = report["memory"]["expected"] / report["memory"]["measured"]
        check("expected over measured memory of a frame", ratio, 0.75, 1.5)
    base = modes["plain"]["seconds"]
    for names, least in ((("exact", "compiled"), 2.0), (("few steps", "compiled, few steps"), 4.0)):
        seconds = [modes[name]["seconds"] for name in names if modes.get(name, {}).get("seconds")]
        if base and seconds:
            check(f"times faster than plain: {' or '.join(names)}", base / min(seconds), least, aim=True)
    return found


def bench(
    device: str,
    repeats: int = 3,
    minutes: float = 8.0,
    tell: Callable[[str], None] = print,
    write: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Everything: golden check, counts at full size, times at the size the device is for.

    What fails is recorded and the rest goes on; after three quarters of `minutes` no mode is begun. `write` is given
    the report after every part of it.
    """
    started, gpu = time.monotonic(), device.startswith("cuda")
    setup, dtype = (FULL, torch.bfloat16) if gpu else (SMALL, torch.float32)
    modes = MODES | (COMPILED if gpu else {})
    results = {name: Result() for name in modes}
    report: dict[str, Any] = {
        "device": torch.cuda.get_device_name(device) if gpu else f"{device}, {torch.get_num_threads()} threads",
        "scale": "full" if gpu else "small: no GPU here, so times are of a FLUX a twelfth as wide",
        "dtype": str(dtype).removeprefix("torch."),
        "setup": {"size": setup.size, "text": setup.text, "subjects": setup.subjects, "steps": setup.steps},
        "golden": {},
        "memory": {},
        "errors": {},
    }

    @contextmanager
    def part(name: str) -> Iterator[None]:
        """A part of the bench that the others do without."""
        try:
            yield
        except Exception as error:
            said = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
            report["errors"][name] = said
            if name in results:
                results[name].error = said
            tell(f"{name} failed: {said}")
        gc.collect()
        if gpu:
            torch.cuda.empty_cache()
        report["modes"] = {name: asdict(result) for name, result in results.items()}
        report["checks"], report["took"] = checks(report), time.monotonic() - started
        write(report)

    tell("Golden cases …")
    with part("golden"):
        report["golden"] = golden(device)
    tell("Counts at full size …")
    with part("counts"):
        for name, cost in counted(FULL, MODES).items():
            results[name].costs = asdict(cost) | {"estimate": dict(zip(GPUS, cost.estimate, strict=True))}
    tell(f"Times {'at full size' if gpu else 'at small scale'} on {device} …")
    with part("model"):
        pipeline = build.build(setup.configs, setup.rank, device, dtype)
    full = None
    for name, mode in (
        sorted(modes.items(), key=lambda item: item[0] != "exact") if "model" not in report["errors"] else ()
    ):
        with part(name):
            if time.monotonic() - started > 0.75 * 60 * minutes:
                raise TimeoutError(f"{minutes:g} minutes are too few to begin it.")
            result, latents = run(pipeline, setup, mode, full, repeats)
            if name == "exact":
                full, report["memory"] = latents, plan_checks(setup, result.peak, dtype)
            results[name] = replace(result, costs=results[name].costs)
            tell(
                f"{name}: {result.seconds:.2f} s a frame" + (f", {result.distance:.2g} away" if result.distance else "")
            )
    return report
