"""The sentence a model reads: names in a panel's prompt become what the characters look like.

Models know no Mia; they know a small fox. Where a name stands, and as which words, is decided here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anystory.story.model import CastMember, Panel, Prompt, Subject

NAMELESS = "character"
"""What a subject without a description is called."""

# Given names that are also everyday words: "will" in "it will rain" is nobody, "Will" is.
EVERYDAY = frozenset(
    """a i an my so no do may amber april art august autumn bill buddy chase chip clay dawn dot drew eve faith
    frank grace grant guy hope hunter ivy jack jade jasmine joy june lily mark melody mercy miles misty nick
    olive patience pearl penny poppy ray rich river rob robin rocky rose ruby rusty sandy sky skip star
    stormy sue summer sunny victor violet wade will willow winter""".split()  # noqa: SIM905 (bare words read better)
)

DETERMINERS = frozenset(
    """this that these those some another both several many two three four five six seven eight nine ten
    my your his her its our their""".split()  # noqa: SIM905
)

ORDINALS = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "further")

STYLES = frozenset(
    """style art painting drawing sketch photo photograph photography illustration render rendering print
    engraving animation mosaic collage""".split()  # noqa: SIM905
)

SPACELESS = {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"}
"""Scripts written without spaces between words, by the first word of their characters' Unicode names."""


@dataclass(frozen=True)
class NameMention:
    """The characters [start, end) of a text are the name `name`."""

    name: str
    start: int
    end: int


def find_names(text: str, names: Iterable[str]) -> list[NameMention]:
    """Where `names` stand in `text` as whole words, in reading order and without overlap, long names first.

    A name is found in any case, with two exceptions: where it stands as it is spelt, other cases are ordinary
    words (Bear sees a bear); and a name that is an everyday word (Will, Rose) needs its capital. Possessives
    count (Tom's), compounds do not (Anna in Anna-Maria). In scripts without spaces a name counts inside a run of
    characters, unless it is a single one (明 in 明天) or a katakana name inside a longer katakana word; Hangul may
    go on after a name, as particles do. Both are compared in Unicode's composed form, so give `text` in NFC.
    """
    found: list[NameMention] = []
    for name in sorted(filter(str.strip, names), key=lambda name: (-len(name), name)):
        words = unicodedata.normalize("NFC", name).split()
        pattern = r"\s+".join(re.escape(word) for word in words).replace("’", "'").replace("'", "['’]")
        hits = [hit for hit in re.finditer(pattern, text, re.IGNORECASE) if _is_whole(text, *hit.span())]
        if name.lower() in EVERYDAY:
            hits = [hit for hit in hits if hit.group()[0].isupper()]
        spelt = [hit for hit in hits if re.fullmatch(pattern, hit.group())]
        for hit in spelt or hits:
            if all(hit.end() <= other.start or other.end <= hit.start() for other in found):
                found.append(NameMention(name, *hit.span()))
    return sorted(found, key=lambda mention: mention.start)


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


def _is_letter(char: str) -> bool:
    return char == "_" or unicodedata.category(char)[0] in "LMN"


def _kind(char: str) -> str:
    """The script of a character where it matters for word ends, else the empty string."""
    kind = re.split("[ -]", unicodedata.name(char, ""))[0]
    return kind if kind in SPACELESS | {"HANGUL"} else ""


def compose(
    panel: Panel, subjects: Sequence[Subject | CastMember], style: str = "", others: Iterable[str] = ()
) -> Prompt:
    """Put what `subjects`, the panel's in its order, look like in place of their names, and add the style: words, or
    a template with `{prompt}` where the sentence goes. `others` are names of the story that are not in the panel; a
    name within one of them stays (Mia in Mia Lu).

    Mia, "small fox", becomes "a small fox" where she is named first and "the small fox" after that, a subject
    without description "a character". Who looks the same as one before is "another …", then "a third …". Who is in
    the panel but not named comes first: "a small fox and an owl, walking in the forest". `mentions[i]` is the
    span of the first words for subjects[i].
    """
    prompt = _tidy(panel.prompt)
    names = [subject.name for subject in subjects]
    named = [mention for mention in find_names(prompt, [*names, *others]) if mention.name in names]
    seen = {mention.name for mention in named}
    unnamed = [subject.name for subject in subjects if subject.name not in seen]
    order = [*unnamed, *dict.fromkeys(mention.name for mention in named)]
    phrases = _phrases({subject.name: subject.description for subject in subjects}, order)

    text = ""
    spans: dict[str, tuple[int, int]] = {}

    def write(name: str) -> None:
        nonlocal text
        first, later = phrases[name]
        phrase = later if name in spans else first
        text += _gap(text, phrase)
        spans.setdefault(name, (len(text), len(text) + len(phrase)))
        text += phrase

    for index, name in enumerate(unnamed):
        text += "" if index == 0 else " and " if index == len(unnamed) - 1 else ", "
        write(name)
    if unnamed and prompt:
        text += ", "
    done = 0
    for mention in named:
        text += re.sub(r"\b(?:an?|the)\s$", "", prompt[done : mention.start], flags=re.IGNORECASE)
        start = len(text)
        write(mention.name)
        rest = prompt[mention.end :]
        done = mention.end
        if re.match(r"['’](?!\w)", rest) and mention.name[-1] in "sS":  # James' hat: the boy's hat
            text, done = f"{text}{rest[0]}s", done + 1
        elif "," in text[start:] and re.match(r"\s\w", rest):  # a fox, wearing a hat, walks
            text += ","
        text += _gap(text, rest)
    text += prompt[done:]

    before, after = _style(style)
    text = text.rstrip(" ,;:.!?" if after else " ,;:.")
    text, after = f"{before}{text}", after if text else after.lstrip(" ,")
    shifted = {name: (start + len(before), end + len(before)) for name, (start, end) in spans.items()}
    return Prompt(text + after, tuple(shifted[name] for name in names))


def portrait(description: str, style: str = "") -> Prompt:
    """What a backend draws a character from that has no picture: all of its description, on a ground that is easily
    cut away."""
    article, noun = _article_and_noun(description)
    look = " ".join(filter(None, (article, noun)))
    text = ". ".join(filter(None, (look, _sentences(description)[1].rstrip(" ,;:.!?。！？"))))
    before, after = _style(style)
    return Prompt(f"{before}{text}, the whole figure in the middle, on a plain white background{after}")


def _phrases(descriptions: dict[str, str], order: Sequence[str]) -> dict[str, tuple[str, str]]:
    """For each name the words for the first and for any later mention. `order` is that of the first mentions."""
    parts = {name: _article_and_noun(description) for name, description in descriptions.items()}
    phrases: dict[str, tuple[str, str]] = {}
    count: dict[str, int] = {}
    for name in order:
        article, noun = parts[name]
        # What follows the head may go the second time, unless it tells two apart: the girl in red, in blue.
        twins = {other for _, other in parts.values() if _head(other) == _head(noun)}
        short = _head(noun) if len(twins) == 1 else noun
        nth = count[noun] = count.get(noun, 0) + 1
        if not article:
            phrases[name] = (noun, noun)
        elif article == "the" or nth == 1:
            phrases[name] = (f"{article} {noun}", f"the {short}")
        elif nth == 2:
            phrases[name] = (f"another {noun}", f"the other {short}")
        else:
            ordinal = ORDINALS[min(nth - 3, len(ORDINALS) - 1)]
            phrases[name] = (f"{_indefinite(ordinal)} {ordinal} {noun}", f"the {ordinal} {short}")
    return phrases


def _article_and_noun(description: str) -> tuple[str, str]:
    """("a", "small fox") of "small fox", "A small fox." or "a small fox"; no article for what takes none. Of several
    sentences the first."""
    noun = _sentences(description)[0] or NAMELESS
    first, _, rest = noun.partition(" ")
    if first.lower() in ("a", "an", "the") and rest:
        return (first.lower(), rest) if first.lower() == "the" else (_indefinite(rest), rest)
    is_latin = unicodedata.name(first[0], "").startswith("LATIN")
    if not is_latin or first.lower() in DETERMINERS or re.search(r"['’]s?$", first):
        return "", noun
    if first[1:].islower():
        noun = noun[0].lower() + noun[1:]
    return _indefinite(noun), noun


def _sentences(description: str) -> tuple[str, str]:
    """The first sentence of a description, which can stand for a name, and the rest."""
    first, *rest = re.split(r"(?<=\w{3}[.!?])\s(?=[^\Wa-z])|(?<=[。！？])", _tidy(description), maxsplit=1)
    return first.strip(" ,;:.!?。！？"), "".join(rest).strip()


def _head(noun: str) -> str:
    return re.split(r"[,;(]|\s(?:with|wearing|in|who|that|which|holding|carrying)\b", noun)[0].strip() or noun


def _indefinite(noun: str) -> str:
    """a or an, by the sound a word begins with as far as its letters tell."""
    sounds_like_a = re.match(r"(?:uni[^mn]|use|usu|eu|ewe|one\b|once\b|u\b|ut[ei])", noun, re.IGNORECASE)
    vowel = re.match(r"(?:[aeiou]|hour|heir|honest|honou?r)", noun, re.IGNORECASE)
    return "an" if vowel and not sounds_like_a else "a"


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
    """A space where letters of two scripts would touch, as in 小明在 with Latin words for the name."""
    ends = left[-1:], right[:1]
    return " " if all(ends) and all(map(_is_letter, ends)) and _kind(ends[0]) != _kind(ends[1]) else ""
