"""The sentence a model reads: names in a panel's prompt become what the characters look like.

Models know no Mia; they know a small fox. Where a name stands, and as which words, is decided here.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from anystory.story.apposition import settled
from anystory.story.english import (
    ADJECTIVES,
    ARTICLES,
    DEGREES,
    DETERMINERS,
    before_name,
    indefinite,
    is_distinct,
    is_plural_noun,
    is_superlative,
    sentence_case,
)
from anystory.story.model import CastMember, Panel, Prompt, Subject
from anystory.story.names import LINE, NameMention, folded, folded_text

NAMELESS = "character"
"""What a subject without a description is called."""

# Given names that are also everyday words: "will" in "it will rain" is nobody, "Will" is.
EVERYDAY = frozenset(
    """a i an my so no do may amber april art august autumn bill buddy chase chip clay dawn dot drew eve faith
    frank grace grant guy hope hunter ivy jack jade jasmine joy june lily mark melody mercy miles misty nick
    olive patience pearl penny poppy ray rich river rob robin rocky rose ruby rusty sandy sky skip star
    stormy sue summer sunny victor violet wade will willow winter""".split()  # noqa: SIM905 (bare words read better)
)

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "further")

STYLES = frozenset(
    """style art painting drawing sketch photo photograph photography illustration render rendering print
    engraving animation mosaic collage""".split()  # noqa: SIM905
)

SPACELESS = {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"}
"""Scripts written without spaces between words, by the first word of their characters' Unicode names."""

PROCLITICS = {
    "ARABIC": "[وف]?(?:[بكلس]|لل)?",
    "HEBREW": "ו?(?:לכש|מש|כש|ש)?[הבכלמ]?",
}
"""What may stand before a name in one word with it, by the first word of its letters' Unicode names."""

REACH = 24
"""Letters and vowel signs of these at most."""


def find_names(text: str, names: Iterable[str]) -> list[NameMention]:
    """Where `names` stand in `text` as whole words, in reading order and without overlap, long names first.

    A name is found in any case, with two exceptions: where it stands as it is spelt, other cases are ordinary
    words (Bear sees a bear); and a name that is an everyday word (Will, Rose) needs its capital. Possessives
    count (Tom's), compounds do not (Anna in Anna-Maria). In scripts without spaces a name counts inside a run of
    characters, unless it is a single one (明 in 明天) or a katakana name inside a longer katakana word; Hangul may
    go on after a name, as particles do; Arabic and Hebrew write "and", "to" and the like in one word with it. Two are
    the same by `anystory.story.names.folded`.
    """
    sought = tuple(sorted({*filter(str.strip, names)}, key=lambda name: (-len(name), name)))
    if not sought:
        return []
    return list((_found if len(text) <= LINE else _found.__wrapped__)(text, sought))


@lru_cache(512)
def _found(text: str, sought: tuple[str, ...]) -> tuple[NameMention, ...]:
    """As `find_names`, kept: a line is asked for the same names by whoever reads, checks and draws it."""
    found: list[NameMention] = []
    folds = folded_text(text)
    taken = bytearray(len(text))
    for name in sought:
        hits = [hit for form in _forms(folded(name)) for hit in folds.find(form) if _stands(text, name, *hit)]
        if name.lower() in EVERYDAY:
            hits = [hit for hit in hits if text[hit[0]].isupper()]
        spelt = [hit for hit in hits if folded(text[slice(*hit)], case=True) == folded(name, case=True)]
        for start, end in spelt or hits:
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(NameMention(name, start, end))
    return tuple(sorted(found, key=lambda mention: mention.start))


def _forms(name: str) -> list[str]:
    """Patterns of a folded name: as it is, and after ل, which takes the alef of an article."""
    forms = [re.escape(name)]
    return [*forms, f"(?<=ل){re.escape(name[1:])}"] if name.startswith("ال") and len(name) > 3 else forms


def _stands(text: str, name: str, start: int, end: int) -> bool:
    """Whether text[start:end] is the name and no part of another word. Arabic and Hebrew write small words such as
    "and" and "to" together with it."""
    if _is_whole(text, start, end):
        return True
    before = PROCLITICS.get(_script(text[start]))
    if before is None:
        return False
    begin = start
    while begin > max(start - REACH, 0) and _is_letter(text[begin - 1]):
        begin -= 1
    glued = re.fullmatch(before, folded(text[begin:start]))
    short = len(folded(name)) < 3 and text[begin:start] not in ("و", "ل", "ו", "ל")
    return glued is not None and not short and _is_whole(text, begin, end)


def rename(text: str, names: Mapping[str, str]) -> str:
    """`text` with other names for those it has: {old: new}. A new name is set off by spaces where it would run into
    its neighbours. Whoever keeps the name is left as written."""
    for mention in reversed(find_names(text, names)):
        new, (start, end) = names[mention.name], (mention.start, mention.end)
        if new == mention.name:
            continue
        before, after = text[:start], text[end:]
        whole = _is_whole(before + new + after, start, start + len(new))
        text = before + new + after if whole else f"{before.rstrip()} {new} {after.lstrip()}".strip()
    return text


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether no word goes on across either end of text[start:end]."""
    single = end - start == 1
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    if before and (_joined(before[-1], text[start], single, particle=False) or _compound(before[::-1])):
        return False
    return not (after and (_joined(text[end - 1], after[0], single, particle=True) or _compound(after)))


@lru_cache(1024)
def _joined(left: str, right: str, single: bool, particle: bool) -> bool:
    """Whether two neighbouring characters are of one word. `single` = the name is only one of them, `particle` =
    the second may be a particle after the name."""
    if not (_is_letter(left) and _is_letter(right)):
        return False
    kinds = {_kind(left), _kind(right)}
    if len(kinds) > 1:  # also Latin next to Chinese; kana after Chinese are particles and endings
        return not kinds & (SPACELESS | {"HANGUL"})
    if kinds == {"HANGUL"}:
        return single or not particle
    return single or kinds == {"KATAKANA"} or not kinds & SPACELESS


def _compound(ahead: str) -> bool:
    """Whether a hyphen and a letter follow, reading away from the name."""
    return len(ahead) == 2 and ahead[0] in "-‐‑" and _is_letter(ahead[1])


@lru_cache(1024)
def _is_letter(char: str) -> bool:
    return char == "_" or unicodedata.category(char)[0] in "LMN"


@lru_cache(1024)
def _script(char: str) -> str:
    """The first word of a character's Unicode name, which for a letter tells what it is written in."""
    return re.split("[ -]", unicodedata.name(char, ""))[0]


@lru_cache(1024)
def _kind(char: str) -> str:
    """The script of a character where it matters for word ends, else the empty string."""
    kind = _script(char)
    return kind if kind in SPACELESS | {"HANGUL"} else ""


def compose(
    panel: Panel, subjects: Sequence[Subject | CastMember], style: str = "", others: Iterable[str] = ()
) -> Prompt:
    """Put what `subjects`, the panel's in its order, look like in place of their names, and add the style: words, or
    a template with `{prompt}` where the sentence goes. `others` are names of the story that are not in the panel; a
    name within one of them stays (Mia in Mia Lu).

    Mia, "small fox", becomes "a small fox" where she is named first and "the small fox" after that, a subject
    without description "a character"; "a happy Mia" is "a happy small fox". Who looks the same as one before is
    "another …", then "a third …". Who is in the panel but not named comes first, and so does who is only named as an
    owner and has more to look at than fits there: "a small fox and an owl, walking in the forest", "a boy in a coat,
    the boy's hat". "The wizard Tom waves" is "The wizard, a boy, waves". `mentions[i]` is the span of the first words
    for subjects[i].
    """
    prompt = _tidy(", ".join([panel.prompt, *panel.shows]))
    names = [subject.name for subject in subjects]
    if not _is_spanish(prompt):
        prompt = settled(
            prompt, _named(prompt, names, others), told_as({each.name: each.description for each in subjects})
        )
    named = _named(prompt, names, others)
    first = {mention.name: mention for mention in reversed(named)}
    nouns = {subject.name: _article_and_noun(subject.description, prompt) for subject in subjects}
    front = [
        name
        for name, (_, noun) in nouns.items()
        if name not in first or (_owner(prompt, first[name]) and _head(noun) != noun)
    ]
    order = list(dict.fromkeys((*front, *(mention.name for mention in named))))
    phrases = _phrases(nouns, order, _is_spanish(prompt))

    text = ""
    spans: dict[str, tuple[int, int]] = {}

    def write(name: str, determiner: str = "", adjectives: str = "", owner: bool = False, owned: bool = False) -> str:
        """Write the words for a mention, who is an owner or is owned by the one before; returns their noun."""
        nonlocal text
        words = phrases[name]
        article, noun = words.first if name not in spans else words.owner if owner else words.later
        phrase = _noun_phrase("" if owned else article, noun, determiner, adjectives)
        text += _gap(text, phrase)
        spans.setdefault(name, (len(text), len(text) + len(phrase)))
        text += phrase
        return noun

    for index, name in enumerate(front):
        text += "" if index == 0 else " and " if index == len(front) - 1 else ", "
        write(name)
    if front and prompt:
        text += ", "
    done = 0
    owner = ""  # the ending of the name before
    several = ""  # the friends of whom some names are written, the others to come
    for mention, following in itertools.zip_longest(named, named[1:]):
        ahead = before_name(prompt[done - len(owner) : mention.start], prompt[mention.end :])
        rest, determiner, adjectives, kind = ahead
        if owned := bool(owner) and (determiner or rest).strip() == owner:  # Mia's dog Rex: a fox's brown dog
            rest, determiner = " ", ""
        rest, owner = rest.removeprefix(owner), _owner(prompt, mention)
        if owner:  # the pirate Tom's hat: a pirate boy's hat
            kind, adjectives = "", f"{adjectives} {kind}".strip()
        elif folded(kind) == folded(_head(nouns[mention.name][1]).split()[-1]):  # the dog Rex: a brown dog
            kind = ""
        text += rest
        if kind:  # the wizard Tom: the wizard, a boy,
            article = "" if owned or is_plural_noun(kind) else indefinite(adjectives or kind)
            text += " ".join(filter(None, (determiner or article, adjectives, kind))) + ", "
            determiner, adjectives, owned = "", "", False
        noun = write(mention.name, determiner, adjectives, bool(owner), owned)
        done = mention.end
        after = prompt[done:]
        several = several or (kind if is_plural_noun(kind) else "")
        if not following or not re.fullmatch(r", |,? and ", prompt[done : following.start]):
            kind, several = kind or several, ""
        if owner:  # James' hat: the boy's hat; of several the kids' hat
            plural = phrases[mention.name].plural and text[-1:] in "sS"
            text, done = f"{text}{owner[0]}{'' if plural else 's'}", done + len(owner)
        elif ((kind and not several) or re.search(r",(?!\d)", noun)) and re.match(r"\s\w", after):
            text += ","  # a fox, wearing a hat, walks
        text += _gap(text, prompt[done:])
    text += prompt[done:]

    before, after = _style(style)
    text = text.rstrip(" ,;:.!?" if after else " ,;:.")
    text, after = f"{before}{text}", after if text else after.lstrip(" ,")
    shifted = {name: (start + len(before), end + len(before)) for name, (start, end) in spans.items()}
    return Prompt(text + after, tuple(shifted[name] for name in names))


def told_as(descriptions: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """By name what each of a cast is, in one word, and how its description goes on: ("boy", " in a coat")."""
    nouns = {name: _article_and_noun(description, "")[1] for name, description in descriptions.items()}
    return {name: (_head(noun).split()[-1], noun.removeprefix(_head(noun))) for name, noun in nouns.items()}


def _named(prompt: str, names: Sequence[str], others: Iterable[str]) -> list[NameMention]:
    """Where a panel's own names stand; what is within another's is none."""
    return [mention for mention in find_names(prompt, [*names, *others]) if mention.name in names]


def _owner(prompt: str, mention: NameMention) -> str:
    """The ending that makes a mention an owner, 's or after an s the apostrophe alone; "" where it is none."""
    ending = re.match(r"['’]s(?!\w)|['’](?!\w)" if mention.name[-1] in "sS" else r"['’]s(?!\w)", prompt[mention.end :])
    return ending[0] if ending else ""


def _noun_phrase(article: str, noun: str, determiner: str, adjectives: str) -> str:
    """The noun with what was written before the name. An article there says nothing of the one it needs, other
    determiners, this or my, take its place; adjectives stand between."""
    words = adjectives[:1].lower() + adjectives[1:] if adjectives.split(" ")[0].lower() in ADJECTIVES else adjectives
    if not {*DEGREES, "and", "but"} & set(words.lower().split()) and "," not in words:  # poor old Tom, "an old owl"
        words = " ".join(word for word in words.split() if word.lower() not in noun.lower().split())
    if article and determiner and determiner.lower() not in ARTICLES:
        article = determiner
    if article in ("a", "an") and words:
        one = is_superlative(words) or (determiner.lower() == "the" and is_distinct(words))
        article = "the" if one else indefinite(words)
    own, _, rest = noun.partition(" ")
    if not article and words and rest and _is_determiner(own):  # my dog Rex: my happy dog Rex
        article, noun = own, rest
    return " ".join(filter(None, (article, words, noun)))


def portrait(description: str, style: str = "") -> Prompt:
    """What a backend draws a character from that has no picture: all of its description, on a ground that is easily
    cut away."""
    article, noun = _article_and_noun(description, description)
    look = " ".join(filter(None, (article, noun)))
    text = ". ".join(filter(None, (look, _sentences(description)[1].rstrip(" ,;:.!?。！？"))))
    before, after = _style(style)
    return Prompt(f"{before}{text}, the whole figure in the middle, on a plain white background{after}")


@dataclass(frozen=True)
class _Words:
    """An article and a noun for the first and for any later mention, and for a later one as an owner; `plural`: the
    noun names several."""

    first: tuple[str, str]
    later: tuple[str, str]
    owner: tuple[str, str]
    plural: bool


def _phrases(nouns: Mapping[str, tuple[str, str]], order: Sequence[str], spanish: bool) -> dict[str, _Words]:
    """For each name its words. `nouns` are articles and nouns by name, `order` is that of the first mentions."""
    phrases: dict[str, _Words] = {}
    count: dict[str, int] = {}
    for name in order:
        article, noun = nouns[name]
        alike = [other for other in order if _head(nouns[other][1]) == _head(noun)]
        # What follows the head may go the second time, unless it tells two apart: the girl in red, in blue.
        short = noun if len({nouns[other][1] for other in alike}) > 1 else _head(noun)
        nth = count[noun] = count.get(noun, 0) + 1
        plural = is_plural_noun(noun)
        if not article:
            first, later = _without_article(noun, nth, plural and _is_latin(noun), spanish)
        elif article == "the" or nth == 1:
            first, later = (article, noun), ("the", short)
        elif nth == 2:
            first, later = ("another", noun), ("the other", short)
        else:
            ordinal = ORDINALS[min(nth, len(ORDINALS)) - 1]
            first, later = (f"{indefinite(ordinal)} {ordinal}", noun), (f"the {ordinal}", short)
        owner = later
        if article and short != _head(noun):  # no place for what tells them apart
            owner = (f"the {ORDINALS[min(alike.index(name), len(ORDINALS) - 1)]}", _head(noun))
        phrases[name] = _Words(first, later, owner, plural)
    return phrases


def _without_article(noun: str, nth: int, plural: bool, spanish: bool) -> tuple[tuple[str, str], tuple[str, str]]:
    """The first and the later words for a noun that takes no English article, the `nth` of its looks."""
    own, _, rest = noun.partition(" ")
    if plural and not _is_determiner(own):
        return (
            (("", noun), ("the", noun)) if nth == 1 else (("other" if nth == 2 else "more", noun), ("the other", noun))
        )
    if spanish and own.lower() in SPANISH:
        other, third, the = SPANISH[own.lower()]
        if nth == 1:
            return ("", noun), (the, rest)
        which = other if nth == 2 else third
        return (which, rest), (f"{the} {which.removeprefix(own.lower()).strip()}", rest)
    if nth > 1 and (script := _twin_script(noun)):
        other, third, counted = TWINS[script]
        if counted and noun.startswith(counted):  # 一只狐狸: 另一只狐狸
            noun, other, third = noun.removeprefix(counted), other[: len("另一")], third[: len("第三")]
        return ("", (other if nth == 2 else third) + noun), ("", (other if nth == 2 else third) + noun)
    return ("", noun), ("", noun)


SPANISH = {"un": ("otro", "un tercer", "el"), "una": ("otra", "una tercera", "la")}
"""By an indefinite article of Spanish: another, a third, the."""

TWINS = {
    "chinese": ("另一个", "第三个", "一"),
    "japanese": ("別の", "三番目の", ""),
    "korean": ("다른 ", "세 번째 ", ""),
}
"""Another and a third where nouns take no article, and what a counted noun begins with."""

FOREIGN = frozenset(
    "un una unos unas el los las la lo une le les des ein eine einen der das um uma uno gli".split()  # noqa: SIM905
)
"""Articles of languages that are written in Latin letters too."""

SPANISH_WORDS = frozenset("el la los las y en con del al una un por sobre junto para su sus se de que hacia".split())  # noqa: SIM905
ENGLISH_WORDS = frozenset("the an and in on with at of to is are by from under over into near".split())  # noqa: SIM905


def _is_spanish(prompt: str) -> bool:
    """Whether the small words of a sentence are Spanish ones."""
    words = set(re.findall(r"\w+", prompt.lower()))
    return bool(words & SPANISH_WORDS) and not words & ENGLISH_WORDS


def _twin_script(noun: str) -> str:
    """The language of TWINS that a noun is written in, "" for another."""
    kinds = set(map(_kind, noun))
    for kind, language in (
        ("HANGUL", "korean"),
        ("HIRAGANA", "japanese"),
        ("KATAKANA", "japanese"),
        ("CJK", "chinese"),
    ):
        if kind in kinds:
            return language
    return ""


def _is_latin(noun: str) -> bool:
    letter = next(filter(str.isalpha, noun), "")
    return bool(letter) and unicodedata.name(letter, "").startswith("LATIN")


def _is_determiner(word: str) -> bool:
    return word.lower() in DETERMINERS or word.isdigit() or bool(re.search(r"[^\W\d]['’]s?$", word))


_TOLD = re.compile(r"([^\W\d_]+)(?:\s[^\W\d_]+)?\sis\s(?=(?:an?|the)\s)", re.IGNORECASE)
"""How a description begins that is a sentence of its own: Mia is a small fox."""


def _article_and_noun(description: str, prompt: str) -> tuple[str, str]:
    """("a", "small fox") of "small fox", "A small fox." or "a small fox" in an English `prompt`; no article for what
    takes none. Of several sentences the first."""
    noun = _sentences(description)[0] or NAMELESS
    if (told := _TOLD.match(noun)) and told[1].lower() not in ARTICLES:
        noun = noun[told.end() :]
    first, _, rest = noun.partition(" ")
    if first.lower() in ARTICLES and rest:
        return (first.lower(), rest) if first.lower() == "the" else (indefinite(rest), rest)
    if not _is_latin(noun) or _is_determiner(first):
        return "", noun
    if first.lower() in FOREIGN and not first.isupper():
        return "", noun[0].lower() + noun[1:]
    noun = sentence_case(noun)
    return "" if is_plural_noun(noun) or (description and _is_spanish(prompt)) else indefinite(noun), noun


def _sentences(description: str) -> tuple[str, str]:
    """The first sentence of a description, which can stand for a name, and the rest."""
    first, *rest = re.split(r"(?<=\w{3}[.!?])\s(?=[^\Wa-z])|(?<=[。！？])", _tidy(description), maxsplit=1)
    return first.strip(" ,;:.!?。！？"), "".join(rest).strip()


def _head(noun: str) -> str:
    return re.split(r",(?!\d)|[;(]|\s(?:with|wearing|in|who|that|which|holding|carrying)\b", noun)[0].strip() or noun


def _style(style: str) -> tuple[str, str]:
    """What a style puts before and after the sentence. "watercolour" and "comic book" get the word style; what says
    what it is, or says more, stays as it is."""
    before, slot, after = _tidy(style).partition("{prompt}")
    if slot:
        return before, after.rstrip(" ,;.")
    style = before.strip(" ,;.")
    words = style.lower().split()
    named = f"{style} style" if 0 < len(words) < 3 and words[-1] not in STYLES else style
    return "", f", {named}" if named else ""


def _tidy(text: str) -> str:
    """Composed characters, single spaces, none before a mark, no comma twice or in front."""
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    text = re.sub(r" (?=[,.;:!?](?:\W|$))", "", text)
    return re.sub(r",(?:\s*,)+", ",", text).lstrip(" ,;").rstrip()


def _gap(left: str, right: str) -> str:
    """A space where letters of two scripts would touch, as in 小明在 or ومريم with Latin words for the name."""
    ends = left[-1:], right[:1]
    if not (all(ends) and all(map(_is_letter, ends))):
        return ""
    kinds, written = {_kind(end) for end in ends}, {_script(end) for end in ends}
    return " " if (len(kinds) > 1 and "" in kinds) or (len(written) > 1 and written & PROCLITICS.keys()) else ""
