"""How far a place stays the same from panel to panel, which the paper names among what its model cannot do."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from PIL import Image

from anystory.evaluation.cases import gallery, stays
from anystory.evaluation.measures import likeness
from anystory.evaluation.reader import FrameReader
from anystory.evaluation.statistics import mean, share
from anystory.evaluation.table import Artist, Row, shots
from anystory.training.art import Art


def evaluate(artist: Artist, art: Art, count: int) -> tuple[Row, ...]:
    """`count` stories of two panels in one place: how alike their frames are where neither sketch shows anybody (the
    ceiling: the sketches themselves; the floor: frames of two different stories), and whether the reader finds the
    place."""
    cast, reader = gallery(art, 2 * count), FrameReader.load()
    encoded = [artist.backend.encode(subject) for subject in cast.subjects]
    alike, sketched, read, firsts = list[float](), list[float](), list[bool](), list[Image.Image]()
    for story in stays(cast, count):
        read_of, under, frames = shots(story), [], []
        for case, shot in zip(story, read_of, strict=True):
            under.append(artist.sketch(case, cast, shot))
            frames.append(artist.draw(case, cast, encoded, shot=shot).frame.image)
        empty = np.logical_and(*(one.holders == 1 for one in under))
        alike.append(likeness(frames[0], frames[1], empty))
        sketched.append(likeness(under[0].picture, under[1].picture, empty))
        read += [found.place == case.place for found, case in zip(reader.read(frames), story, strict=True)]
        firsts.append(frames[0])
    everywhere = np.ones(firsts[0].size[::-1], bool)
    others = [likeness(one, other, everywhere) for one, other in pairwise(firsts)]
    return (
        Row(
            "place that stays: two panels, where nobody is: PSNR",
            mean(alike),
            ceiling=mean(sketched),
            floor=f"two places {mean(others)} dB",
            unit=" dB",
        ),
        Row("the place that was asked for, read off them", share(read)),
    )
