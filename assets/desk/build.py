"""Makes the pictures beside it with the embedded model: `python assets/desk/build.py`, from the program's folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from anystory import load_backend, load_story, render_story
from ui.previews import PANEL, PREVIEWS, SEED, STORY

QUALITY = 80
"""Of the WebP files."""


def main() -> None:
    backend = load_backend("mini")
    story = load_story(STORY, backend, seed=SEED)
    size = 0
    for preview in {each.image: each for previews in PREVIEWS.values() for each in previews}.values():
        panel = replace(story.script.panels[PANEL - 1], steering=preview.steering, seed=preview.seed)
        alone = replace(story, script=replace(story.script, panels=(panel,)))
        (frame,) = render_story(alone, backend)
        frame.image.save(preview.image, quality=QUALITY, method=6)
        size += preview.image.stat().st_size
    print(f"{size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
