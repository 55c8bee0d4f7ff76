"""What a line tells of what was before the story, which is no place that anybody is at now."""

from __future__ import annotations

import re

from anystory.sketch.language.tokens import QUOTED
from anystory.sketch.language.traditional import simplified

BACKSTORY = re.compile(
    r"(?<!is )(?<!are )(?<!was )\bused to (?:be|come|go|have|live|play|run|sit|sleep|stay|swim|visit|walk|work)\b"
    r"|\bwhen (?:\w+ ){1,2}(?:was|were) (?:little|small|young|a (?:little |young )?(?:child|girl|boy|baby|kid))\b"
    r"|^\W*as a (?:\w+ )?(?:child|girl|boy|kid),"
    r"|\b(?:lived|played|slept|swam)\b[^,.;]{0,60} as a (?:child|girl|boy|kid)\W*$"
    r"|\bhad (?:once |already )?(?:been (?:to|in|at)|lived|grown up|spent)\b"
    r"|\bcuando (?:\w+ ){0,2}(?:era|eran|éramos) (?:una? )?(?:pequeñ|niñ|joven|jóvenes)"
    r"|(?:^\W*|\b(?:\w+aba|vivía|dormía|corría|tenía)n? )de (?:pequeñ|niñ)[oa]s?\b|\bsolían?\b"
    r"|\b(?:había|habían|habíamos) (?:estado|vivido|crecido|pasado (?:tod[oa] )?(?:el|la|los|las|sus?) \w+ en)\b"
    r"|(?<![到回进了着出往])小的?时候(?!的)|(?:^|[，；,]|很久)以前|曾经(?![^，；,]{0,8}过的)|(?<![在从])那时候",
    re.IGNORECASE,
)
"""What begins to tell, in a sentence, of what was before the story."""
PRESENT = re.compile(r"\b(?:now|today|ahora|hoy)\b|现在|如今|今天|后来|长大(?:以)?后", re.IGNORECASE)
"""What goes on with the story in a line that told of what was before."""
ASIDE = re.compile(r",? ?\b(?:where|whom?|which|that|whose|donde|que|quien|quienes)\b[^,;]*$", re.IGNORECASE)
"""A clause that has begun and only says what kind of place or who somebody is: "the lake where she used to swim"."""
ITS_OWN = re.compile(
    r"(?<=\w )(?!(?:and|but|then|because|as|since|after|before|while|if|so|ago|days?|years?|time|summer|winter) )"
    r"(?P<noun>\w+) (?:she|he|they) $",
    re.IGNORECASE,
)
"""The same without a word that opens it: "the house she used to live in"."""
FRONTED = re.compile(r"^\W*(?:in|on|at|by|near|under|behind|every|each|one)\b", re.IGNORECASE)
"""What begins a sentence whose subject follows: "in the summer she used to swim"."""
TURN = re.compile(r"[,;]? ?\b(?:but|pero)\b|但是?|可是", re.IGNORECASE)
"""What leads back to the story."""
UNTIL = re.compile(r"[,;]? ?\b(?:but|when|until|pero|cuando|hasta que)\b", re.IGNORECASE)
"""The same after "had been": what had been there comes first in such a sentence."""
LEADING = re.compile(r"^\W*(?:after|since|because|although|though|as|como|porque|aunque|después)\b", re.IGNORECASE)
"""What begins a sentence that tells of the story after its comma: "after they had been at the beach, …"."""
SENTENCES = re.compile(r"[^.!?。！？\n]+[.!?。！？\n”\"」]*")


def told_now(text: str) -> str:
    """A line without what it tells of what was before the story: "", where that is all. What somebody says of it is
    no telling."""
    plain = QUOTED.sub(lambda said: " " * len(said[0]), simplified(text))  # which is as long
    if BACKSTORY.search(plain) is None:
        return text
    kept = [
        text[sentence.start() + start : sentence.start() + end]
        for sentence in SENTENCES.finditer(plain)
        for start, end in _of_now(sentence[0])
    ]
    return "".join(kept).strip()


def _of_now(sentence: str) -> list[tuple[int, int]]:
    """From where to where a sentence tells of the story's own time."""
    before, now, end = BACKSTORY.search(sentence), PRESENT.search(sentence), len(sentence)
    if before is None or (now is not None and now.start() < before.start()):
        return [(0, end)]
    if now is not None:
        return [(now.start(), end)]
    head, comma = sentence[: before.start()], sentence.find(",", before.end())
    after = [(comma + 1, end)] if comma >= 0 else []
    aside = ASIDE.search(head)
    own = ITS_OWN.search(head) if aside is None and not FRONTED.search(head) else None
    if aside is not None:
        return [(0, aside.start()), *after]
    if own is not None:
        return [(0, own.end("noun")), *after]
    earlier = before[0].lower().startswith(("had", "hab"))
    turn = (UNTIL if earlier else TURN).search(sentence, before.end())
    if turn is None:
        return after if earlier and LEADING.search(head) else []
    return [(turn.end() + one, turn.end() + other) for one, other in _of_now(sentence[turn.end() :])]
