"""`python -m anystory.evaluation MODEL --art FOLDER --out FOLDER`: the judge's table, the model card's figures and
their pictures. `--only embedded` is the quick part, which needs no judge; `--only comparisons` are the paper's own."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from anystory.backends.base import BackendError
from anystory.backends.sdxl import AnyStoryBackend
from anystory.cli.usage import Parser
from anystory.evaluation.identity import (
    composite_ceiling,
    drawings,
    retrieval,
    swap,
)
from anystory.maps.overlay import overlay, sheet
from anystory.project.folder import cutout
from anystory.story.from_sketch import FROM_NOISE, FromSketch
from anystory.story.model import Settings
from anystory.training.art import Art
from anystory.training.health import SIGMAS, reference_gap
from anystory.training.inputs import encode_batch, prepare
from anystory.training.world import World

PARTS = ("table", "embedded", "settings", "comparisons")


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; exit status 2 with one sentence for what cannot be done."""
    parser = Parser(prog="python -m anystory.evaluation", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a saved AnyStory")
    parser.add_argument("--art", type=Path, required=True, help="folder of the training art")
    parser.add_argument("--out", type=Path, required=True, help="folder for figures.json, table.md and the sheets")
    parser.add_argument(
        "--only",
        choices=PARTS,
        help="only the judge's table, the quick figures, places that stay, or the paper's comparisons (default: all "
        "but those)",
    )
    parser.add_argument(
        "--samples", type=int, default=100, help="drawings the table tells apart (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=25, help="denoising steps per frame (default: %(default)s)")
    parser.add_argument("--guidance", type=float, help="default: the model's own")
    about = "what the table draws from the sketches of its lines: off, layout, 0.4, layout 0.4 (default: the model's)"
    parser.add_argument("--from-sketch", metavar="WORDS", help=about)
    parser.add_argument(
        "--train",
        type=int,
        default=0,
        metavar="STEPS",
        help="of each model that the comparisons need a training for, twice as many of new routers; without it those "
        "are left out",
    )
    parser.add_argument("--device")
    options = parser.parse_args(arguments)
    try:
        figures = evaluate(options)
    except (OSError, ValueError, BackendError) as error:
        print(f"anystory.evaluation: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures, indent=2))
    return 0


def evaluate(options: argparse.Namespace) -> dict[str, object]:
    """Write the figures and sheets that were asked for to `options.out`; returns what is in figures.json."""
    if options.samples < 2:
        raise ValueError(f"--samples is {options.samples}; to tell drawings apart it takes at least 2.")
    if options.train < 0:
        raise ValueError(f"--train is {options.train}; give a number of steps, or leave it out.")
    if options.train and options.only != "comparisons":
        raise ValueError(f"--train is {options.train}, which only the comparisons use; add --only comparisons.")
    backend = AnyStoryBackend.load(options.model, name="mini", device=options.device)
    settings = replace(backend.about.defaults, steps=options.steps)
    if options.guidance is not None:
        settings = replace(settings, guidance=options.guidance)
    usual = backend.about.from_sketch or FROM_NOISE
    taken = usual if options.from_sketch is None else FromSketch.read(options.from_sketch)
    if taken.reference and not backend.about.refers_to_sketches:
        raise ValueError(f"{backend.about.name} takes no sketch for a reference; say layout, a strength or both.")
    art = Art(options.art, options.out / "cache", split="test", size=128)
    world = World(art, options.out / "cache", size=settings.size.width, scenes_count=100)
    options.out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, object] = {
        "model": backend.about.version,
        "steps": settings.steps,
        "guidance": settings.guidance,
        "from sketch": str(taken),
    }
    if options.only in (None, "embedded"):
        figures |= embedded(backend, art, world, settings, options.out)
    if options.only in (None, "settings"):
        from anystory.evaluation import settings as stories
        from anystory.evaluation.table import Artist, table_lines

        rows = stories.evaluate(Artist(backend, settings, taken), art, max(2, options.samples // 4))
        page = "\n".join(["# Places that stay", "", *table_lines(rows)]) + "\n"
        (options.out / "settings.md").write_text(page, encoding="utf-8")
        figures["places that stay"] = [row.as_data() for row in rows]
    if options.only in (None, "table"):
        from anystory.evaluation import table

        report = table.evaluate(table.Artist(backend, settings, taken), art, world, options.samples)
        for name, picture in report.sheets.items():
            picture.save(options.out / name)
        (options.out / "table.md").write_text(report.as_markdown(f"Model {backend.about.version}"), encoding="utf-8")
        figures |= report.as_data()
    if options.only == "comparisons":
        figures |= compared(options, backend, art, world, settings)
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


def compared(
    options: argparse.Namespace, backend: AnyStoryBackend, art: Art, world: World, settings: Settings
) -> dict[str, object]:
    """The paper's comparisons; writes comparisons.md and a sheet each, and trains what was asked for in a
    folder of OUT/trained for this model and number of steps."""
    from anystory.evaluation import comparisons, size
    from anystory.evaluation.cases import gallery
    from anystory.evaluation.comparison_sheets import sheets
    from anystory.evaluation.variants import SCENES, VARIANTS, train

    if settings.guidance == 1:
        raise ValueError("The guidance is 1, which has no unconditional branch to compare; give --guidance above 1.")
    variants: dict[str, AnyStoryBackend] = {}
    if options.train:
        known = Art(options.art, options.out / "cache", split="train", size=art.size)
        seen = World(known, options.out / "cache", size=settings.size.width, scenes_count=SCENES)
        # What a former run trained stays, and must not be taken for another model's, or for a longer training.
        trained = options.out / "trained" / f"{backend.about.version}-{options.train}"
        for name in VARIANTS:
            folder = train(name, options.model, seen, trained, options.train)
            variants[name] = AnyStoryBackend.load(folder, name=name, device=options.device)
    atelier = comparisons.Atelier(backend, variants, settings, gallery(art, options.samples))
    rows = comparisons.compare(atelier, world, lambda line: print(line, file=sys.stderr, flush=True))
    networks = size.table()
    for name, picture in sheets(atelier):
        picture.save(options.out / name)
    page = comparisons.as_markdown(rows, f"Comparisons on {backend.about.version}", size.table_lines(networks))
    (options.out / "comparisons.md").write_text(page, encoding="utf-8")
    print(page, file=sys.stderr)
    return {
        "steps of each training": options.train,
        "table 1": [asdict(network) for network in networks],
        "comparisons": [row.as_data() for row in rows],
    }


def embedded(backend: AnyStoryBackend, art: Art, world: World, settings: Settings, out: Path) -> dict[str, object]:
    """The figures of the model card, by a fixed embedding; writes drawings.png (every drawing, unpicked) and swap.png
    to `out`."""
    cast = drawings(art)
    start = time.monotonic()
    found = retrieval(backend, cast, settings)
    seconds = (time.monotonic() - start) / len(cast)
    pictures, captions = [], []
    for subject, frame, rank in zip(cast, found.frames, found.ranks, strict=True):
        pictures += [cutout(subject), frame.image, overlay(frame.image, frame.maps)]
        captions += [subject.name, f"found as number {rank}", "routing map"]
    sheet(pictures, captions, columns=12, cell=128).save(out / "drawings.png")

    pairs = [swap(backend, (cast[i], cast[i + 1]), settings, seed=i) for i in range(0, len(cast), 2)]
    pictures = [p for pair in pairs for f in pair.frames for p in (f.image, overlay(f.image, f.maps))]
    sheet(pictures, columns=8, cell=128).save(out / "swap.png")
    kept = np.array([pair.kept for pair in pairs])
    swapped = np.array([pair.swapped for pair in pairs])

    pipeline = backend.pipeline
    composed = [world.batch(16, 1, np.random.default_rng([1, number])) for number in range(8)]
    with torch.autocast(pipeline.device.type, pipeline.dtype, enabled=pipeline.dtype != torch.float32):
        frames = [encode_batch(pipeline, prepare(pipeline, batch)) for batch in composed]
        gaps = {f"sigma {s:g}": reference_gap(pipeline, frames, s) for s in SIGMAS}
    return {
        "retrieval among 20": {
            "found first": found.hits,
            "of": len(cast),
            "in the top 5": sum(rank <= 5 for rank in found.ranks),
            "real composites found first": round(composite_ceiling(world), 3),
        },
        "swapped references": {
            "pairs": len(pairs),
            "places like their own reference": round(float(kept.mean()), 3),
            "places like the other one after the swap": round(float(swapped.mean()), 3),
            "pairs with all four right": int((kept & swapped).all(axis=1).sum()),
        },
        "error inside the subject": {
            level: {
                **{k: round(v, 3) for k, v in gap.items()},
                "lower than wrong": round(1 - gap["right"] / gap["wrong"], 3),
            }
            for level, gap in gaps.items()
        },
        "seconds a frame": round(seconds, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
