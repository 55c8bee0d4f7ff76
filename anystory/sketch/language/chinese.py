"""Chinese put into the order of English: "在大树后面" (at big-tree behind) becomes "behind big-tree", so that one
grammar reads all three languages."""

from __future__ import annotations

from functools import cache

from anystory.sketch.language.lexicon import Sense
from anystory.sketch.language.tokens import SAME, Unit
from anystory.sketch.words import listed, vocabulary

AFTER = ("in", "on", "under", "behind", "in front of", "next to", "left of", "right of", "above", "between")
"""The relations that Chinese says after the noun."""
BEING_AT = ("在", "还在", "正在", "就在", "仍在", "也在", "都在")
"""Begin what ends with one of them: 还在长椅上."""


@cache
def _measures() -> frozenset[str]:
    return frozenset(listed(vocabulary()["measures"]["zh"]))


@cache
def _containers() -> dict[str, str]:
    return dict(entry.split("=") for entry in listed(vocabulary()["containers"]["zh"]))


def reordered(units: list[Unit]) -> list[Unit]:
    """The units with every relation in front of its noun, and without measure words."""
    units = _counted(units)
    out: list[Unit] = []
    for unit in units:
        relation = next((key for key in AFTER if key in unit), "")
        start = _noun_phrase(out, relation) if relation else len(out)
        if not relation:
            out.append(unit)
            continue
        if start == len(out):  # "looks up": of no noun
            if unit.noun or unit.verb or "wheres" in unit or "distances" in unit:
                out.append(unit)
            continue
        said = unit.text
        if start and out[start - 1].text in BEING_AT:
            start -= 1
            del out[start]
            said = f"在{said}"
        elif start and out[start - 1].text.startswith("在"):
            said = f"在{said}"
        elif out[-1].text == "的":
            out.pop()
        out.insert(start, Unit(said, {relation: unit.senses[relation]}, {relation: SAME}, signs=unit.signs))
    return out


def _counted(units: list[Unit]) -> list[Unit]:
    """ "三 只 小 鸟" → "三 小 鸟"."""
    out: list[Unit] = []
    content = False
    for unit in units:
        after = out and ("numbers" in out[-1] or "the" in out[-1] or "other" in out[-1])
        if after and unit.text in _measures() and not unit.name:
            container = _containers().get(unit.text, "")
            if container:
                out.append(Unit(unit.text, {"things": Sense("things", container)}, {"things": SAME}))
                content = container not in ("basket", "box", "bag", "bucket")
            continue
        if content and (unit.noun or not unit.senses) and not unit.mark and not unit.name:
            continue  # of "一杯茶" the cup is seen
        content = content and not unit.mark and not unit.name and "colours" in unit
        out.append(unit)
    return out


def _noun_phrase(units: list[Unit], relation: str) -> int:
    """Where the noun phrase at the end begins; the length where there is none."""
    start = len(units)
    if start and units[-1].text == "的":
        start -= 1
    if not start or not _is_noun(units[start - 1]):
        return len(units)
    while start and _belongs(units[start - 1]):
        start -= 1
    if relation == "between" or (start and units[start - 1].text in ("和", "与", "跟")):
        joined = start
        while joined and (_belongs(units[joined - 1]) or "and" in units[joined - 1] or units[joined - 1].text == "、"):
            joined -= 1
        at = joined and (units[joined - 1].text == "在" or units[joined - 1].verb)
        start = joined if relation == "between" or at else start
    return start


def _is_noun(unit: Unit) -> bool:
    pronoun = any(kind in unit for kind in ("she", "he", "it", "they", "all"))
    return bool(unit.name) or unit.noun or pronoun


def _belongs(unit: Unit) -> bool:
    """Whether a unit can be part of a noun phrase."""
    adjective = any(kind in unit for kind in ("sizes", "colours", "numbers", "the", "other", "own"))
    return _is_noun(unit) or adjective
