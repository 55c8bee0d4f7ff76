"""Command line of the training. `python -m anystory.training --help`; the README shows whole runs.

`art` makes the training art from npm packages; `mini` makes the embedded model from it, phase after phase; `stage`
trains any saved AnyStory; `export` writes one in half precision. All resume where they stopped. `sheet` shows what a
training sees.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from anystory.backends.base import BackendError
from anystory.backends.models import choose_device
from anystory.training.art import Art
from anystory.training.autoencoder import SMALL, train_autoencoder
from anystory.training.builder import build
from anystory.training.mentions import train_mentions
from anystory.training.own import build_own
from anystory.training.parallel import cores
from anystory.training.stages import STAGES, create_mini, first_alone, train_stage
from anystory.training.text import install_text_encoder
from anystory.training.vision import ATLAS, train_vision
from anystory.training.world import MAX_SUBJECTS, World, sheet

SCENES = 3000
"""How many painted scenes a training knows."""

SHARES = {"autoencoder": 0.05, "vision": 0.04, "mentions": 0.01, "joint": 0.8, "router": 0.1}
"""Of the time that the embedded model's training takes, phase by phase."""


@dataclass(frozen=True)
class Scale:
    """What a step takes at once: `crops` of pictures for the autoencoder, `drawings` for the vision encoder, composed
    `frames` for the stages, each with so many `draws` of noise (None: the stage's own). With it goes the peak learning
    `rate` of joint training."""

    crops: int
    drawings: int
    frames: int
    draws: int | None
    rate: float


CPU = Scale(crops=16, drawings=64, frames=4, draws=None, rate=1e-3)
# A step of fewer samples would take a GPU no less time than the processor needs to start its 5 000 kernels.
GPU = Scale(crops=128, drawings=512, frames=64, draws=6, rate=1e-3)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; exit status 2 with one sentence for what cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        for name in ("minutes", "steps", "frames", "threads"):
            value = getattr(options, name, None)
            if value is not None and not value > 0:
                raise ValueError(f"--{name} is {value:g}; give a number above 0.")
        if options.threads:
            torch.set_num_threads(options.threads)
        if "device" in options:
            choose_device(options.device)
        options.run(options)
    except (OSError, ValueError, ModuleNotFoundError, BackendError) as error:
        print(f"anystory.training: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m anystory.training", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    art = commands.add_parser("art", help="the training art, from npm packages")
    art.set_defaults(run=_art, threads=None)
    art.add_argument("--out", type=Path, required=True, help="folder for the art pack")
    art.add_argument("--downloads", type=Path, help="folder for the packages (default: OUT/packages)")
    art.add_argument("--workers", type=int, help="processes that draw (default: one per core)")

    mini = commands.add_parser("mini", help="the embedded model, from the training art")
    mini.set_defaults(run=_mini)
    mini.add_argument("--size", type=int, default=256, help="side of a frame in pixels (default: %(default)s)")
    shares = ", ".join(f"{phase} {100 * share:.0f} %%" for phase, share in SHARES.items())
    mini.add_argument(
        "--minutes",
        type=float,
        default=300.0,
        help=f"of training, without what it prepares: {shares} (default: %(default)g)",
    )

    stage = commands.add_parser("stage", help="one stage of any saved AnyStory")
    stage.set_defaults(run=_stage)
    stage.add_argument("name", choices=tuple(STAGES))
    stage.add_argument("--model", type=Path, required=True, help="folder of the AnyStory to start from")
    bound = stage.add_mutually_exclusive_group(required=True)
    bound.add_argument("--minutes", type=float)
    bound.add_argument("--steps", type=int)
    stage.add_argument("--learning-rate", type=float, help="peak (default: the stage's own)")

    shown = commands.add_parser("sheet", help="what a training sees: frames, masks, references, captions")
    shown.set_defaults(run=_sheet, device="cpu")
    shown.add_argument("--subjects", type=int, default=2, help=f"0 to {MAX_SUBJECTS} a frame (default: %(default)s)")
    shown.add_argument("--count", type=int, default=12, help="frames (default: %(default)s)")

    shown.add_argument("--size", type=int, default=256, help="side of a frame in pixels (default: %(default)s)")
    shown.add_argument("--scenes", type=int, default=200, help="scenes to paint (default: %(default)s)")

    for command in (mini, stage, shown):
        command.add_argument(
            "--art", type=Path, required=True, help="folder of the training art, or of pictures of your own"
        )
        command.add_argument("--out", type=Path, required=True, help="folder for results and resumable state")
    for command in (mini, stage):
        command.add_argument(
            "--frames", type=int, help=f"composed a step (default: {GPU.frames} for a GPU, else {CPU.frames})"
        )
        command.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
        command.add_argument(
            "--workers", type=int, help="processes that compose (default: for a GPU all cores but one, else none)"
        )
    for command in (mini, stage, shown):
        command.add_argument("--seed", type=int, default=0)

    export = commands.add_parser("export", help="a saved AnyStory in half precision")
    export.set_defaults(run=_export)
    export.add_argument("model", type=Path)
    export.add_argument("out", type=Path)
    for command in (mini, stage, shown, export):
        command.add_argument("--threads", type=int, help="CPU threads per process")
    return parser


def _art(options: argparse.Namespace) -> None:
    counts = build(options.out, options.downloads, options.workers)
    print(f"{sum(counts.values())} entries: {', '.join(f'{name} {n}' for name, n in counts.items())}")


def _mini(options: argparse.Namespace) -> None:
    out, size = options.out, options.size
    # References are three quarters as large, and both are whole patches.
    if size < 1 or size % (16 if size <= SMALL else 32):
        raise ValueError(f"--size is {size}; give a multiple of 16 up to {SMALL}, or a larger multiple of 32.")
    scale, common = _scale(options), {"device": options.device, "seed": options.seed}
    fed = common | {"workers": _workers(options)}
    minutes = {phase: share * options.minutes for phase, share in SHARES.items()}
    pack = _pack(options)
    world = _world(options, pack, size)

    def foundations() -> None:
        if not (out / "vae.done").exists():
            train_autoencoder(world, out, minutes=minutes["autoencoder"], batch=scale.crops, **fed)
            (out / "vae.done").touch()
        if not (out / "vision.done").exists():
            art = Art(pack, out / "cache", split="train", size=ATLAS)
            train_vision(art, out, minutes=minutes["vision"], batch=scale.drawings, **common)
            (out / "vision.done").touch()
        install_text_encoder(out)
        if not (out / "start").is_dir():
            create_mini(out, out / "start", size, options.seed)
        if not (out / "mentions.done").exists():
            train_mentions(out / "start", world, minutes=minutes["mentions"], **fed)
            (out / "mentions.done").touch()

    first_alone(foundations, options.device)
    stages = {**fed, "frames": options.frames or scale.frames, "draws": scale.draws}
    joint, router = out / "joint", out / "router"
    train_stage("joint", out / "start", world, joint, minutes=minutes["joint"], learning_rate=scale.rate, **stages)
    # Fast: the paper's rate is for routers on a base that is trained to the end.
    train_stage("router", joint, world, router, minutes=minutes["router"], learning_rate=5e-4, **stages)
    first_alone(lambda: _write_half(router, out / "mini"), options.device)


def _stage(options: argparse.Namespace) -> None:
    from anystory.model.pipeline import AnyStoryPipeline

    _check(options.model)
    size = AnyStoryPipeline.load_config(options.model)["frame_size"]
    train_stage(
        options.name,
        options.model,
        _world(options, _pack(options), size),
        options.out / options.name,
        steps=options.steps,
        minutes=options.minutes,
        frames=options.frames or _scale(options).frames,
        learning_rate=options.learning_rate,
        device=options.device,
        workers=_workers(options),
        seed=options.seed,
    )


def _scale(options: argparse.Namespace) -> Scale:
    return GPU if options.device.startswith("cuda") else CPU


def _workers(options: argparse.Namespace) -> int:
    """As asked for; else, for a GPU, this process's share of the cores without the one that drives the GPU."""
    if options.workers is not None:
        return options.workers
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    return max(0, cores() // processes - 1) if options.device.startswith("cuda") else 0


def _sheet(options: argparse.Namespace) -> None:
    world = _world(options, _pack(options), options.size, options.scenes)
    batch = world.batch(options.count, options.subjects, np.random.default_rng(options.seed))
    path = options.out / "sheet.png"
    sheet(batch, columns=3).save(path)
    print(path)


def _pack(options: argparse.Namespace) -> Path:
    """The folder of the art: as it is given, or made of a folder of one's own pictures."""
    if (options.art / "index.jsonl").is_file() or not options.art.is_dir():
        return options.art
    out = options.out / "own"

    def make() -> None:
        made = build_own(options.art, out)
        print(f"{made.characters} characters, {made.views} views, {made.held_out} held out for testing: {out}")
        for sentence in made.refused:
            print(f"left out: {sentence}", file=sys.stderr)

    first_alone(make, options.device)
    return out


def _world(options: argparse.Namespace, pack: Path, size: int, scenes: int | None = None) -> World:
    cache = options.out / "cache"

    def load() -> World:
        art = Art(pack, cache, split="train", size=128 if size <= 128 else 192)
        return World(art, cache, size=size, scenes_count=scenes or SCENES, seed=options.seed)

    return first_alone(load, options.device) or load()


def _export(options: argparse.Namespace) -> None:
    _check(options.model)
    _write_half(options.model, options.out)


def _check(model: Path) -> None:
    if not (model / "model_index.json").is_file():
        raise ValueError(f"{model} holds no model_index.json; name the folder of a saved AnyStory.")


def _write_half(model: Path, out: Path) -> None:
    from anystory.model.pipeline import AnyStoryPipeline

    AnyStoryPipeline.from_pretrained(model, dtype=torch.float16).save_pretrained(out)
    for path in out.rglob("*.json"):  # diffusers notes where a part was loaded from, which is nobody else's business
        config = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(config, dict) and config.pop("_name_or_path", None):
            path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
