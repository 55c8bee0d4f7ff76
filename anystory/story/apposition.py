"""What an English sentence says beside a name of who that is: "Mia the fox", "Mia, a clever fox, runs".

The name stands for all of it, so that nobody is told of, or drawn, twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from anystory.story.english import TITLES, is_adjective, is_person, is_plural_noun
from anystory.story.names import NameMention, folded

_OWN = "(?:an?|the|my|your|our|his|her|its|their)"
_TAIL = r"(?P<tail> (?:with|in|wearing|who|from|of|on)\b[^,.;:!?()–—]*)?"
BARE, IS = r" the ", r" (?:is|was) (?:an?|the) "
_WAYS = {
    BARE: r"(?P<tail>)",
    IS: r"(?P<tail>)(?![\w'’-])",
    rf", {_OWN} ": rf"{_TAIL}(?:,|(?=[.;:!?)]|$))",
    rf" ?\((?:{_OWN} )?": rf"{_TAIL}\)",
    rf" [–—-] {_OWN} ": rf"{_TAIL}(?: [–—-](?= )|(?=[.;:!?]|$))",
}
"""How each way to say it opens and closes."""
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_GIVES = re.compile(
    r"\b(?:gives?|gave|shows?|showed|hands?|brings?|sends?|throws?|tells?|told|calls?|called|reads?|buys?|bought"
    r"|teach(?:es)?|taught|makes?|made|offers?|offered|lends?|lent|pass(?:es|ed)?|sells?|sold|feeds?|fed"
    r"|bakes?|baked) $"
)
_PLACED = re.compile(
    r"(?:^|[.!?…:;,]) *(?:(?:all |right |just )?(?:behind|beside|near|with|around|opposite|above|below|under|by|before"
    r"|(?:next|close) to|(?:in front|ahead|(?:to )?the (?:left|right)|on top) of|to the (?:left|right) of))"
    r" (?:[\w-]+ )?$",
    re.IGNORECASE,
)
"""What makes a name the place of what a sentence goes on to tell of: behind Mia, a boy."""
_NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_GIVEN = re.compile(r" (?:an?|the|some|his|her|its|their|my|your|our|two|three) ")
_LISTS = re.compile(r" (?:an?|the|two|three|some|his|her|its|their) ")
_LISTED = re.compile(r" (?:an?|the|and|or|two|three|some|his|her|its|their)\b|$")
"""What follows one of several rather than an apposition: Mia, a dog, and Tom."""


def settled(
    text: str, mentions: Sequence[NameMention], nouns: Mapping[str, tuple[str, str]], shown: bool = False
) -> str:
    """`text` without what it says beside a name that the name stands for already, but for its adjectives.

    `nouns`: of each name what it is, in one word, and how its description goes on: ("boy", " in a yellow coat").
    "Mia the clever fox runs" becomes "clever Mia runs", and "Mia is a fox who runs" "Mia who runs". What somebody is
    besides, "Mia the pirate", is set off by commas; where the text is to be `shown`, it goes as well.
    """
    follows = len(text) + 1
    for mention in reversed(mentions):
        before, name, after = text[: mention.start], text[mention.start : mention.end], text[mention.end :]
        noun, rest = nouns[mention.name]
        adjectives, after = _without(before, after, noun, rest, follows - mention.end, shown)
        titled = before.rstrip(" .").endswith(tuple(TITLES))
        text = before + (f"{adjectives} " if adjectives and not titled else "") + name + after
        follows = mention.start
    return text


def _without(before: str, after: str, noun: str, rest: str, name: int, shown: bool) -> tuple[str, str]:
    """The adjectives of what is said right behind a name, and `after` without it. `name`: where in that the next one
    is."""
    opening = not before.strip() or before.rstrip()[-1] in ".!?…:;"
    epithet = re.match(r" the ([^\W\d_]+)(?= [^\W\d_]+(?:s|ed)\b|[,.;:!?]|$)", after)
    if epithet and (opening or epithet[1][0].isupper()):
        word = epithet[1].lower()
        if is_adjective(word) or word in _NTH:
            return "" if word in _NTH else word, after[epithet.end() :]  # Mia the brave walks, Anna the second
    for opens, closes in _WAYS.items():
        opened = re.match(opens, after)
        said = opened and _noun(after[:name], opened.end(), noun)
        if not opened or not said:
            continue
        adjectives, end = said
        same = folded(re.split(" ", after[:end])[-1]) == folded(noun)
        gives = _GIVES.search(before)
        if opens == BARE and gives and not _GIVEN.match(after, end):
            continue  # shows Mia the fox
        if same and rest and after[end:].lower().startswith(rest.lower()):
            end += len(rest)
        closed = re.compile(closes).match(after, end)
        if not closed or (opens == IS and not same):
            continue
        ends = closed.end()
        if opens[0] == "," and _PLACED.search(before) and not (same and closed[0].endswith(",")):
            continue
        if same:
            tail = closed["tail"] and f",{closed[0]}"
            listed = not gives and (_LISTS.match(after, ends) or ends + 1 == name)
            return adjectives, (tail or ("," if closed[0] == "," and listed else "")) + after[ends:]
        several = _LISTED.match(after, ends) or ends + 1 == name
        if opens == BARE and not shown:
            more = "," if re.match(r" \w", after[end:]) else ""
            return "", f",{after[:end]}{more}{after[end:]}"
        if shown and not several:
            return "", after[ends:]
    return "", after


def _noun(after: str, start: int, noun: str) -> tuple[str, int] | None:
    """The adjectives from `start` on, and where the noun behind them ends: this one, or another kind of people."""
    adjectives: list[str] = []
    strange = 0  # words that may say of what kind: the arctic fox
    at = start
    while word := _WORD.match(after, at):
        ahead = _WORD.match(after, word.end() + 1) if after[word.end() : word.end() + 1] == " " else None
        compound = ahead is not None and (is_person(ahead[0]) or folded(ahead[0]) == folded(noun))
        person = is_person(word[0]) and not is_plural_noun(word[0])
        if (folded(word[0]) == folded(noun) or person) and not compound:
            return " ".join(adjectives), word.end()
        if is_adjective(word[0].lower()):
            adjectives.append(word[0])
        elif strange or word[0].lower().endswith("s"):
            return None
        else:
            strange += 1
        gap = re.compile(r",? ").match(after, word.end())
        if not gap:
            return None
        at = gap.end()
    return None
