"""`python -m anystory.evaluation.train --art FOLDER --out FOLDER` trains the judge's two networks, the identity encoder
and the reader of scenes, and measures them on drawings and scenes no training saw. It resumes where it stopped."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from anystory.evaluation import encoder, reader
from anystory.evaluation.cases import gallery
from anystory.evaluation.examination import composites, examine_identity, examine_poses
from anystory.evaluation.measures import Judge
from anystory.evaluation.statistics import Estimate
from anystory.model.identity import WEIGHTS, load_encoder
from anystory.training.art import Art
from anystory.training.bank import SceneBank
from anystory.training.world import World

PARTS = ("identity", "reader")
SIZE = 256
"""Side in pixels of the composites on which the identity encoder is measured."""

HELD_OUT = 77
"""Seed of the scenes and compositions for measuring; no training uses it."""


def main(arguments: list[str] | None = None) -> int:
    """Train and measure; exit status 2 with one sentence for what cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m anystory.evaluation.train", description="Train the judge.")
    parser.add_argument("--art", type=Path, required=True, help="folder of the training art")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights, figures and resumable state")
    parser.add_argument("--only", choices=PARTS, help="only one of the two networks (default: both)")
    parser.add_argument("--identity-steps", type=int, default=400, help="default: %(default)s")
    parser.add_argument("--reader-steps", type=int, default=1700, help="default: %(default)s")
    parser.add_argument("--scenes", type=int, default=1650, help="the reader learns from (default: %(default)s)")
    parser.add_argument("--held-out", type=int, default=440, help="scenes to read (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=100, help="drawings to tell apart (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        for part in [options.only] if options.only else PARTS:
            measured, mistakes = {"identity": _identity, "reader": _reader}[part](options)
            told = {
                where: {what: figure.as_data() for what, figure in rows.items()} for where, rows in measured.items()
            }
            (options.out / f"{part}.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
            print(json.dumps(told, indent=2))
            print("\n".join(mistakes))
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


Measured = tuple[dict[str, dict[str, Estimate]], Iterable[str]]
"""Figures by what they were measured on, and sentences about the commonest mistakes."""


def _identity(options: argparse.Namespace) -> Measured:
    """Every drawing of the gallery in three composites, then poses."""
    out, cache = options.out, options.out / "cache"
    encoder.train(Art(options.art, cache, split="train", size=96), out, steps=options.identity_steps)
    model = load_encoder(out / WEIGHTS.name)
    art = Art(options.art, cache, split="test", size=128)
    world = World(art, cache, size=SIZE, scenes_count=max(1, options.held_out // 4), seed=HELD_OUT)
    cast = gallery(art, options.samples)
    real = [one for seed in range(3) for one in composites(world, cast, HELD_OUT + seed)]
    figures, wrong = examine_identity(Judge.of(model, cast.subjects), cast, real)
    mistakes = [f"composites: {shown} taken for {taken}, {n} times" for shown, taken, n in wrong]
    return {f"composites of {len(cast)} drawings": figures, "poses": examine_poses(model, art)}, mistakes


def _reader(options: argparse.Namespace) -> Measured:
    """The held-out scenes empty, then each in four composites, with 0 to 3 drawings in front."""
    out, cache = options.out, options.out / "cache"
    train_art = Art(options.art, cache, split="train", size=128)
    reader.train(train_art, out, steps=options.reader_steps, scenes_count=options.scenes)
    model = reader.FrameReader.load(out / reader.WEIGHTS.name)
    bank = SceneBank(cache, count=options.held_out, size=reader.SIDE, seed=HELD_OUT)
    test_art = Art(options.art, cache, split="test", size=128)
    world = World(test_art, cache, size=reader.SIDE, scenes_count=options.held_out, seed=HELD_OUT)
    empty, wrong_empty = reader.measure_empty(model, bank)
    composed, wrong = reader.measure(model, world, 4 * options.held_out)
    mistakes = [
        f"{where}: {question} {shown} read as {said}, {n} times"
        for where, some in (("scenes", wrong_empty), ("composites", wrong))
        for question, shown, said, n in some[:10]
    ]
    return {"scenes": empty, "composites": composed}, mistakes


if __name__ == "__main__":
    sys.exit(main())
