"""From a line to units: which language it is in, its words, and the longest phrases of the lexicon in them."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from types import MappingProxyType

from anystory.sketch.language import forms
from anystory.sketch.language.lexicon import (
    ANY,
    DETERMINERS,
    GAP,
    OWN,
    POSSESSIVES,
    SURE,
    WORD,
    Lexicon,
    Sense,
    lexicon,
)
from anystory.sketch.language.traditional import simplified
from anystory.sketch.words import listed, vocabulary
from anystory.sketch.words import signs as all_signs
from anystory.story.prompt import find_names

IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
QUOTED = re.compile(r"[“\"«「『][^”\"»」』]*[”\"»」』]|(?<!\w)[‘'][^‘’']{2,}[’'](?!\w)")
MARKS = ".!?。！？;；:：,，、—–-()（）…\"“”'«»「」¡¿"
QUOTE = "“"
HEADING = re.compile(
    r"\s*(?:(?:step|page|panel|scene|chapter|part|frame|verse|act)\s+(?:\d+|[ivx]+|one|two|three|four|five|six|seven|eight"
    r"|nine|ten|eleven|twelve)|第[一二三四五六七八九十\d]+[页幕章格步]|(?:paso|página|viñeta|escena|capítulo|parte|acto)\s+"
    r"(?:\d+|[ivx]+|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez))\s*[:：.—–-]\s*",
    re.IGNORECASE,
)
"""What counts the panels: "STEP ONE: "."""
"""Stands for what somebody says."""
REACH = 4
"""How many words, in Chinese characters, may stand within what is done: "pulls up the enormous old turnip"."""
CLOSING = {
    "en": frozenset(
        ("and", "or", "but", "with", "like", "about", "for", "to", "from", "in", "at", "that", "who", "while", "as")
    ),
    "es": frozenset(("y", "o", "pero", "con", "como", "sobre", "para", "por", "que", "mientras", "en", "hacia")),
    "zh": frozenset(("和", "在", "像", "给", "对", "跟", "说", "从")),
}
"""Words that end what is done."""
NO_PLACES: Mapping[str, str] = MappingProxyType({})
SAYS = {"en": "says", "zh": "说", "es": "dice"}
PLURAL, SAME, INFLECTED, SMALL, PROPER = "plural", "same", "inflected", "small", "proper"


@dataclass(frozen=True)
class Token:
    """A word, or a name of the cast, or of the story's own place that is like `place`. `bases`: what it can be a form
    of, each with the kind of form."""

    text: str
    name: str = ""
    place: str = ""
    bases: tuple[tuple[str, str], ...] = ()


@dataclass
class Unit:
    """One phrase of a line. `forms` maps each sense's kind to the form it stands in (`forms.THIRD`, `PLURAL` …);
    `signs`: the numbers of what of signs.yaml ends with it; `doing`: those that begin with a verb before it; `done`:
    those that are what one does if it is a verb."""

    text: str
    senses: dict[str, Sense] = field(default_factory=dict)
    forms: dict[str, str] = field(default_factory=dict)
    name: str = ""
    signs: tuple[int, ...] = ()
    doing: tuple[int, ...] = ()
    done: tuple[int, ...] = ()

    def __contains__(self, kind: str) -> bool:
        return kind in self.senses

    def value(self, kind: str) -> str:
        return self.senses[kind].value if kind in self.senses else ""

    @property
    def verb(self) -> bool:
        return "actions" in self.senses or "manners" in self.senses

    @property
    def form(self) -> str:
        """The form it stands in as a verb."""
        return self.forms.get("actions") or self.forms.get("manners") or ""

    @property
    def noun(self) -> bool:
        """Whether it can be a noun, a name of a place among them."""
        return any(
            kind in self.senses for kind in ("things", "places", "buildings", "body", "abstract", "depicts", "parts")
        )

    @property
    def mark(self) -> bool:
        return self.text in MARKS


def language_of(text: str, names: Sequence[str] = ()) -> str:
    """ "zh" where there are ideographs outside the names, else "es" or "en", whichever knows more of the words."""
    bare = text
    for mention in reversed(find_names(text, names)):
        bare = f"{bare[: mention.start]} {bare[mention.end :]}"
    if IDEOGRAPH.search(bare):
        return "zh"
    words = [word for word in WORD.findall(bare.lower()) if word[0].isalpha()]
    scores = {language: sum(_familiar(word, language) for word in words) for language in ("en", "es")}
    return "es" if scores["es"] > scores["en"] else "en"


@cache
def _small(language: str) -> frozenset[str]:
    """The words of grammar of a language."""
    found = {word for entry in vocabulary()["grammar"].values() for word in listed(entry[language])}
    return frozenset(found - {"a", "me", "no", "as", "so", "he", "sin", "once", "son", "come", "pie"})


def _familiar(word: str, language: str) -> float:
    book = lexicon(language)
    accent = 1.0 if language == "es" and re.search("[áéíóúñ¿¡]", word) else 0.0
    return accent + 1.5 * (word in _small(language)) + 0.5 * (word in book or word in book.verbs)


def units_of(text: str, names: Mapping[str, str], language: str, places: Mapping[str, str] = NO_PLACES) -> list[Unit]:
    """A line as units, in its order. `names`: {as it may be written: whose it is}; `places`: {name of a place of the
    story's own: the place it is like}, whose unit has that name as its text. What somebody says, in quotation
    marks, after "MIA:" or a Spanish dash, is not shown, and left out."""
    text = narrated(unicodedata.normalize("NFC", text), list(names), language)
    book = lexicon(language)
    tokens: list[Token] = []
    done = 0
    for mention in find_names(text, {**places, **names}):
        tokens += _cut(text[done : mention.start], book)
        if mention.name in names:
            tokens.append(Token(text[mention.start : mention.end], names[mention.name]))
        else:
            tokens.append(Token(mention.name, place=places[mention.name]))
        done = mention.end
    units = _kept(tuple([*tokens, *_cut(text[done:], book)]), book)
    return [replace(unit, senses=dict(unit.senses), forms=dict(unit.forms)) for unit in units]


@lru_cache(maxsize=256)
def _kept(tokens: tuple[Token, ...], book: Lexicon) -> tuple[Unit, ...]:
    """A line's units, kept for whoever reads it for something else."""
    return tuple(_units(list(tokens), book))


def narrated(text: str, names: Sequence[str], language: str) -> str:
    """A line without what is said in it. "MIA (softly): Come!" becomes "MIA says, softly"."""
    text = QUOTED.sub(f" {QUOTE} ", HEADING.sub("", text, 1) if HEADING.match(text) else text)
    if language == "es" and re.search(r"(?:^|[.!?]\s)\s*—", text):
        text = " ".join(part for number, part in enumerate(re.split("—", text)) if number % 2 == 0)
    for mention in reversed(find_names(text, names)):
        script = re.match(r"\s*(?:[(（]([^)）]*)[)）])?\s*[:：](?!\S*/)\s*(.*)", text[mention.end :], re.DOTALL)
        opens = not text[: mention.start].strip() or text[: mention.start].rstrip()[-1] in ".!?。！？,，…"
        if script and opens and not re.match(r"an? |the |una? ", script[2]):
            rest = script[2].removeprefix(QUOTE) if script[2].startswith((",", QUOTE)) else ""
            text = f"{text[: mention.end]} {SAYS[language]}, {script[1] or ''} {rest}"
    return text


@lru_cache(maxsize=256)
def _cut(text: str, book: Lexicon) -> tuple[Token, ...]:
    """The words of a piece of text without names, kept for whoever reads the same line for other names."""
    if book.language == "zh":
        return tuple(Token(word, bases=((word, SAME),)) for word in _segmented(simplified(text).lower(), book))
    tokens: list[Token] = []
    for written in _words(text.replace("’", "'"), book):
        word = written.lower()
        if tokens and written[0].isupper() and word in book.rare:
            tokens.append(Token(word, bases=((word, PROPER),)))  # a name: "the Starling"
            continue
        if book.language == "es":
            verb, clitics = forms.spanish_clitics(word)
            parts = {"del": ["de", "el"], "al": ["a", "el"]}.get(word, [word])
            if clitics and verb in book.verbs:
                parts = [*clitics, verb]
        else:
            parts = ["not"] if word == "n't" else [word]
        tokens += [Token(part, bases=_bases(part, book)) for part in parts]
    return tuple(tokens)


def _words(text: str, book: Lexicon) -> list[str]:
    """The words of a text; one with hyphens that is not known as it is, in its parts: "living-room"."""
    found = []
    for word in WORD.findall(text):
        last = word.lower().rpartition("-")[2]
        noun = any(base in book.starts for base in (last, *forms.english_nouns(last)))
        known = "-" not in word or word.lower() in book.starts or word.lower() in book.verbs
        known = known or (book.language == "en" and not noun)  # "three-eyed" is no three
        found += [word] if known or word in MARKS else [part for part in word.split("-") if part]
    return found


@lru_cache(maxsize=4096)
def _bases(word: str, book: Lexicon) -> tuple[tuple[str, str], ...]:
    found = [(word, SAME)]
    found += [(base, kind) for base, kind in book.verbs.get(word, ()) if (base, kind) != (word, SAME)]
    if book.language == "en":
        found += [(noun, PLURAL) for noun in forms.english_nouns(word)]
        found += [(adjective, INFLECTED) for adjective in forms.english_adjectives(word)]
    else:
        form = PLURAL if word.endswith("s") else INFLECTED
        found += [(noun, form) for noun in forms.spanish_nouns(word) if noun and noun != word]
        form = PLURAL if word.endswith("s") else SMALL
        found += [(noun, form) for noun in forms.spanish_diminutives(word) if noun]
    if word in DETERMINERS[book.language]:
        found.append((ANY, SAME))
    if word in POSSESSIVES[book.language]:
        found.append((OWN, SAME))
    if book.language == "en" and word.endswith(("self", "selves")):
        found.append(("oneself", SAME))
    return tuple(found)


def _segmented(text: str, book: Lexicon) -> list[str]:
    """Chinese cut into words: as few as may be, unknown characters counting double."""
    best: list[tuple[float, int]] = [(0.0, 0)] * (len(text) + 1)  # from each place on: the cost, where its word ends
    for start in range(len(text) - 1, -1, -1):
        options = []
        reach = book.longest if text[start].isascii() else book.reaches.get(text[start], 1)
        for end in range(start + 1, min(start + reach, len(text)) + 1):
            word = text[start:end]
            known = word in book or (word.isascii() and re.fullmatch(r"[a-z0-9']+", word) is not None)
            if known or end - start == 1:
                cost = 1.0 + 0.1 * (end - start == 1) if known else 2.2
                options.append((cost + best[end][0], -end))
        cost, end = min(options)
        best[start] = (cost, -end)
    words: list[str] = []
    at = 0
    while at < len(text):
        words.append(text[at : best[at][1]])
        at = best[at][1]
    return _joined([word for word in words if word.strip()], book)


def _joined(words: list[str], book: Lexicon) -> list[str]:
    """Neighbouring unknown characters as one unknown word."""
    out: list[str] = []
    for word in words:
        if out and all(IDEOGRAPH.match(part) and part not in book for part in (out[-1], word)):
            out[-1] += word
        else:
            out.append(word)
    return out


def _units(tokens: list[Token], book: Lexicon) -> list[Unit]:
    """The longest phrases from the left."""
    units, at = [], 0
    signs = _signs(tokens, book)
    between = frozenset(listed(vocabulary()["between"].get(book.language, "")))
    while at < len(tokens):
        token = tokens[at]
        if token.name:
            units.append(Unit(token.text, name=token.name))
            at += 1
            continue
        if token.place:
            units.append(Unit(token.text, {"places": Sense("places", token.place)}, {"places": SAME}))
            at += 1
            continue
        unit, end = _longest(tokens, at, book, between)
        count = None if unit.senses else _count(tokens, at, book, between)
        if count is not None:  # 0 cats are no cats
            kind = "numbers" if count else "not"
            unit.senses[kind], unit.forms[kind] = Sense(kind, str(count)), SAME
        if SURE in unit and not unit.verb:
            unit, end = _before_longer(tokens, at, unit, end, book, between)
        if "times" in unit and end - at > 2 and end < len(tokens) and not tokens[end].name:
            there, _ = _longest(tokens, end, book, between)
            if there.noun and ("places" in there or "buildings" in there):  # in the | dark forest
                units.append(_longest(tokens[: at + 1], at, book, between)[0])
                unit.text = unit.text.partition(" ")[2]
        part = end - at > 1 and not unit.verb  # of a phrase with a meaning of its own: no bed is in "flower bed"
        ended = [told for last in range(at, end) for told in signs.get(last, ())]
        doing = [
            number
            for start, number in ended
            if start < at and (all_signs()[number].doing or tokens[start].text in book.verbs)
        ]
        unit.doing = tuple(doing)
        unit.done = tuple(number for start, number in ended if start >= at and all_signs()[number].doing)
        doing += unit.done
        unit.signs = tuple(number for start, number in ended if (not part or start <= at) and number not in doing)
        units.append(unit)
        at = end
    return units


def _count(tokens: list[Token], at: int, book: Lexicon, between: frozenset[str]) -> int | None:
    """How many a number in digits says there are, a half counting as one; None where it counts nothing that is shown:
    "at 3 o'clock". More than the words can tell are as many as they can, less than one is one."""
    number = re.fullmatch(r"(\d{1,9})(?:([.,])(\d{1,9}))?", tokens[at].text)
    if not number:
        return None
    end = at + 1
    for _ in range(3):  # 3 small red cats
        if end >= len(tokens) or tokens[end].name:
            return None
        if book.language == "zh" and tokens[end].text in listed(vocabulary()["measures"]["zh"]):
            break
        unit, end = _longest(tokens, end, book, between)
        alone = tokens[at].text == "1" or unit.value("things") in ("fish", "sheep", "deer")
        if "things" in unit and (alone or unit.forms["things"] == PLURAL):
            break
        if unit.noun or not unit.senses or unit.senses.keys() - {"colours", "sizes", "moods", "stop"}:
            return None
    else:
        return None
    many = max(int(key) for key in vocabulary()["numbers"])
    whole, mark, part = number.groups(default="")
    if mark == "," and book.language != "es" and len(part) == 3 and whole.strip("0"):  # 10,000
        whole, part = whole + part, ""
    exact = float(f"{whole}.{part or 0}")
    return min(max(int(exact + 0.5), 1 if exact else 0), many)


def _before_longer(
    tokens: list[Token], at: int, unit: Unit, end: int, book: Lexicon, between: frozenset[str]
) -> tuple[Unit, int]:
    """A phrase of place, or only its first words where a longer name of a place begins within it: on the | bridge of
    the ship."""
    for start in range(at + 1, end):
        other, beyond = _longest(tokens, start, book, between)
        if beyond > end and "places" in other:
            return _longest(tokens[:start], at, book, between)
    return unit, end


def _signs(tokens: list[Token], book: Lexicon) -> dict[int, list[tuple[int, int]]]:
    """What of signs.yaml is in a line: {the token with which it ends: the one with which it begins, its number}. They
    may overlap phrases; of those within each other the longest counts."""
    chinese = book.language == "zh"
    bases = [
        [{character} for character in token.text] if chinese else [{base for base, _ in token.bases}]
        for token in tokens
    ]
    whose = [at for at, parts in enumerate(bases) for _ in parts]
    parts = [part for several in bases for part in several]
    closed = [_closes(tokens[at], book.language) for at in whose]
    spans: dict[tuple[int, int, int], None] = {}
    for start, part in enumerate(parts):
        following = parts[start + 1] if start + 1 < len(parts) else set()
        for first in sorted(part):
            for words, number in book.signs.get(first, ()):
                if words[1:2] and words[1] not in following and words[1] != GAP:
                    continue
                end = _end_of(words, start, parts, closed)
                if end:
                    spans[start, end, number] = None
    found: dict[int, list[tuple[int, int]]] = {}
    for start, end, number in spans:
        if not any(a <= start and end <= b and b - a > end - start for a, b, _ in spans):
            found.setdefault(whose[end - 1], []).append((whose[start], number))
    return found


def _end_of(words: tuple[str, ...], start: int, parts: Sequence[set[str]], closed: Sequence[bool]) -> int:
    """Where a phrase of signs.yaml ends that may begin at `start`, 0 where it does not. `closed`: what no gap skips."""
    end = start + 1
    for before, word in itertools.pairwise(words):
        if word == GAP:
            continue
        skipped = 0
        while end < len(parts) and word not in parts[end]:
            if before != GAP or closed[end] or skipped == REACH:
                return 0
            end, skipped = end + 1, skipped + 1
        if end >= len(parts):
            return 0
        end += 1
    return end


def _closes(token: Token, language: str) -> bool:
    """Whether what is done ends before a word: a name, a mark, "with"."""
    return bool(token.name or token.place) or token.text in MARKS or token.text in CLOSING[language]


SKIPPED = 3
"""Words between those of a phrase, at most: "a pair of old shoes"."""


def _longest(tokens: list[Token], at: int, book: Lexicon, between: frozenset[str]) -> tuple[Unit, int]:
    """The longest phrase that begins at a token, with all its senses, and where it ends; a longer one of a word's other
    readings does not hide an equally long one."""
    reach, found = at, list[tuple[Sense, str]]()
    starts = [(base, form, keys) for base, form in tokens[at].bases if (keys := book.starts.get(base))]
    near = {base for token in tokens[at + 1 : at + 2 + SKIPPED] for base, _ in token.bases} if starts else set()
    for base, form, keys in starts:
        for key in keys:
            if len(key) > 1 and key[1] not in near:
                continue
            end = _match(tokens, at, key, between)
            if end is None or end < reach:
                continue
            senses = [sense for sense in book.senses(key) if _fits(sense, form, book.language, base in book.verbs)]
            if not senses:
                continue
            if end > reach:
                reach, found = end, []
            if base == "se" and end > at + 1:
                form = next((kind for verb, kind in tokens[at + 1].bases if verb == key[1]), form)
            found += [(sense, form) for sense in senses]
    end = max(reach, at + 1)
    unit = Unit(" ".join(token.text for token in tokens[at:end]))
    manners = {sense.value for sense, _ in found if sense.kind == "manners"} - {"other"}
    moody = end > at + 1 and any(sense.kind == "moods" for sense, _ in found)  # "stomps off", "jumps for joy"
    if (manners or moody) and all(sense.kind != "actions" for sense, _ in found):
        found += _action(tokens[at], book)  # "crawls out of" is to crawl as well
    for sense, form in found:
        if sense.kind not in unit.senses:
            unit.senses[sense.kind] = sense
            unit.forms[sense.kind] = form
    return unit, end


def _action(token: Token, book: Lexicon) -> list[tuple[Sense, str]]:
    """What the first word of a phrase says is done."""
    return [
        (sense, form)
        for base, form in token.bases
        for sense in book.senses((base,))
        if sense.kind == "actions" and _fits(sense, form, book.language, base in book.verbs)
    ]


def _fits(sense: Sense, form: str, language: str, starts_as_verb: bool) -> bool:
    """Whether a sense goes with the form its first word stands in: a verb's with a verb's, a noun's with a noun's."""
    verbal = form not in (PLURAL, SAME, INFLECTED, SMALL)
    if form == PROPER:
        return False
    if language == "zh":
        return True
    if sense.kind in ("actions", "manners"):
        return verbal or (form == SAME and not starts_as_verb)
    if sense.kind in ("things", "places", "buildings", "body", "abstract", "parts", "depicts", SURE):
        changed = form == INFLECTED and (language == "en" or sense.kind in ("places", "buildings"))
        return (not verbal and not changed) or sense.kind == SURE
    if sense.kind in vocabulary()["grammar"] and sense.kind not in ("fixed", "parts", "body", "abstract", "depicts"):
        return form == SAME or (verbal and sense.kind in ("is", "has"))
    return True


def _match(tokens: list[Token], at: int, key: tuple[str, ...], between: frozenset[str]) -> int | None:
    """Where the phrase `key` ends if it begins at a token whose first word is known to fit."""
    end = at + 1
    for word in key[1:]:
        skipped = 0
        while end < len(tokens) and not tokens[end].name:
            if any(base == word for base, _ in tokens[end].bases):
                break
            if skipped == SKIPPED or tokens[end].text not in between:
                return None
            end, skipped = end + 1, skipped + 1
        if end >= len(tokens) or tokens[end].name:
            return None
        end += 1
    return end
