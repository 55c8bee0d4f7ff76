"""A script as a project of Storyboarder: a `.storyboarder` file (JSON), whose boards show pictures of the folder
`images` beside it."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from anystory.script.escapes import bare, quoted
from anystory.script.form import NOBODY
from anystory.story.model import Script

DURATION = 2000
"""Milliseconds that a board is shown of which nothing is said."""


def to_storyboarder(script: Script, aspect: float, pictured: Collection[int]) -> tuple[str, dict[int, str]]:
    """The project, and by the panel's number, from 1, the name that its picture has to have in `images`, for those
    panels that are `pictured`. `aspect` is a frame's width by its height."""
    boards: list[dict[str, Any]] = []
    files: dict[int, str] = {}
    time = 0
    for number, panel in enumerate(script.panels, start=1):
        lasting = DURATION if panel.duration is None else round(1000 * panel.duration)
        uid = f"P{number:04d}"
        url = f"board-{number}-{uid}.png"
        board: dict[str, Any] = {
            "uid": uid,
            "url": url,
            "newShot": True,
            "lastEdited": 0,
            "number": number,
            "shot": f"{number}A",
            "time": time,
            "duration": lasting,
            "action": bare(panel.prompt),
            "dialogue": "\n".join(f"{line.who}: {quoted(bare(' '.join(line.say.split())))}" for line in panel.dialogue),
            "notes": bare(panel.caption),
            "caption": bare(panel.caption),
            "characters": list(panel.cast) or [NOBODY] * panel.told,
            "layers": {},
        }
        if panel.duration is not None:
            board["seconds"] = panel.duration
        if number in pictured:
            files[number] = url.replace(".png", "-reference.png")
            board["layers"] = {"reference": {"url": files[number]}}
        boards.append(board)
        time += lasting
    project = {"version": "3.0.0", "aspectRatio": round(aspect, 4), "fps": 24, "defaultBoardTiming": DURATION}
    return json.dumps({**project, "boards": boards}, indent=2, ensure_ascii=False) + "\n", files
