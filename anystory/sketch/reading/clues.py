"""Where a panel is that names no place, by what is seen in it: a blackboard, dough, the rails."""

from __future__ import annotations

from anystory.sketch.language.sentence import REAL, Clue, Sentence
from anystory.sketch.words import signs

SURE, LIKELY = 3.0, 1.0
"""How much what is seen there tells of a place; of the other places where it is seen it tells half as much."""
ABSENT = ("from", "for", "like", "without", "toward")
"""Prepositions of what is not there."""


def shown_by(sentence: Sentence, here: str) -> str:
    """The place that most of what a line shows tells of, or "". `here`: where the story is, as far as it is known:
    then only what is `sure` counts, and what may as well be seen there moves it nowhere."""
    votes: dict[str, float] = {}
    for clue in sentence.clues:
        sign = signs()[clue.number]
        if not _there(clue) or (here and not sign.sure):
            continue
        if here in sign.at:
            return here
        told = SURE if sign.sure else LIKELY
        for place in sign.at:
            votes[place] = votes.get(place, 0.0) + (told if place == sign.at[0] else 0.0 if here else told / 2)
    return max(votes, key=votes.__getitem__) if votes else ""


def _there(clue: Clue) -> bool:
    """Whether what tells is there, and not far off, dreamt of or looked for."""
    mention = clue.mention
    if mention is None:
        return clue.state == REAL and clue.prep not in ABSENT
    seeking = mention.act is not None and "seeks" in mention.act.manners
    return mention.state == REAL and mention.distance != "far" and mention.prep not in ABSENT and not seeking
