"""Words of English sentences that a name's description is put into: articles, what stands before a name, plurals.

Which article a word takes follows from its sound, as far as letters tell. Kept as rules: a sentence is composed
wherever a story is read, where no large library may be loaded.
"""

from __future__ import annotations

import re
import unicodedata

ARTICLES = ("a", "an", "the")

DETERMINERS = frozenset(
    """this that these those some another both several many two three four five six seven eight nine
    ten eleven twelve my your his her its our their each every no any all few""".split()  # noqa: SIM905 (bare words read better)
)
"""What stands in an article's place."""

TITLES = frozenset(
    """Mr Mrs Ms Miss Dr Sir Lady Lord Uncle Aunt Auntie Captain King Queen Prince Princess Professor
    Granny Grandma Grandpa Grandmother Grandfather Mother Father Doctor Detective Officer Sheriff
    General Chef Nurse Saint St""".split()  # noqa: SIM905
)
"""What belongs to a name that follows, written large."""

ADJECTIVES = frozenset(
    """little small tiny big large huge giant great tall short long old young elderly ancient new happy
    sad angry cross mad tired sleepy hungry thirsty lonely lost brave bold shy scared afraid
    frightened terrified worried nervous anxious calm quiet silent loud noisy clever smart wise
    silly foolish funny curious surprised amazed astonished excited eager proud jealous grumpy
    gloomy cheerful merry joyful jolly joyous glad content bored lazy busy kind gentle mean nasty
    wicked evil naughty cheeky mischievous good bad poor dear sweet lovely beloved cute pretty
    beautiful handsome ugly strange odd mysterious famous rich royal noble mighty powerful strong
    weak sick ill injured wounded healthy dizzy drunk wet dry dirty muddy dusty clean soaked warm
    cold frozen hot sunburnt barefoot naked bald bearded blind deaf fat thin slim skinny chubby
    plump round furry fluffy hairy shaggy scruffy ragged spotted striped fast slow quick swift
    nimble clumsy graceful careful careless fearless courageous heroic loyal faithful friendly
    unhappy unlucky lucky dead alive invisible magical enchanted golden silver wooden red blue green
    yellow orange purple violet pink brown black white grey gray smiling laughing grinning giggling
    crying weeping sobbing sleeping snoring dreaming dozing waking yawning exhausted confused
    puzzled disappointed embarrassed delighted relieved amused determined annoyed bewildered
    heartbroken homesick thoughtful pensive dreamy playful energetic enthusiastic""".split()  # noqa: SIM905
)
"""Words that may stand between an article and a name; such in -ing and -ed also do after an article alone."""

NOUNS = frozenset(
    """bed seed weed shed sled steed feed deed breed need speed reed creed painting drawing building
    ceiling morning evening wedding thing king ring string spring wing sling swing being meeting
    feeling clothing clearing opening beginning ending ceding warning crossing landing dwelling
    recording carving etching engraving rating nothing something everything anything during
    according darling duckling sibling hundred kindred""".split()  # noqa: SIM905
)
"""What ends like a participle and is none."""

DEGREES = frozenset("very so quite rather really extremely terribly awfully still always too".split())  # noqa: SIM905

_ADVERBS = frozenset("even ever equally more most less least too".split())  # noqa: SIM905
"""Of these and those in -ly an adjective may be said between an article and a name: an equally sad Tom."""

LINKING = frozenset(
    """is are was were am be being been feels feel felt looks look looked seems seem seemed gets get
    got becomes become became stays stay stayed remains remain grows grow grew turns turn turned
    sounds sound smells smell makes make made years year months month days weeks""".split()  # noqa: SIM905
)
"""After these an adjective says something of what went before: he feels happy Mia is here."""

PROPER = frozenset(
    """Uruguayan Paraguayan Bolivian Ecuadorian Venezuelan
    European American African Asian Australian Arctic Antarctic English British Scottish Irish Welsh
    French German Spanish Portuguese Italian Dutch Belgian Swiss Austrian Swedish Norwegian Danish
    Finnish Icelandic Polish Czech Slovak Hungarian Romanian Bulgarian Greek Turkish Russian
    Ukrainian Estonian Latvian Lithuanian Serbian Croatian Albanian Chinese Japanese Korean
    Mongolian Tibetan Indian Pakistani Nepali Bengali Thai Vietnamese Indonesian Malay Filipino
    Persian Iranian Iraqi Arab Arabian Arabic Israeli Jewish Hebrew Egyptian Moroccan Tunisian
    Algerian Ethiopian Kenyan Nigerian Ghanaian Ugandan Zulu Maasai Mexican Cuban Brazilian
    Argentinian Argentine Chilean Peruvian Colombian Inca Aztec Maya Mayan Canadian Inuit Hawaiian
    Maori Polynesian Latin Nordic Celtic Roman Norman Saxon Viking Victorian Edwardian Georgian
    Elizabethan Gothic Byzantine Ottoman Christian Catholic Muslim Buddhist Hindu Sikh Siberian
    Siamese Bernese Dalmatian Pekingese Shetland Himalayan Andean Alpine Mediterranean Caribbean
    Scandinavian Slavic Martian Lunar Christmas Easter Halloween Santa God Mars Venus Jupiter Earth
    Moon Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June
    July August September October November December Renaissance Neolithic Jurassic Labrador Lego
    Barbie Batman Superman""".split()  # noqa: SIM905
)
"""Words that keep their capital in the midst of a sentence."""

_SPELT = frozenset("SUV UFO UK US USA USB UV EU URL LED MIT SOS LP EP HQ RV ID MC DJ VIP RPG NPC UN RAF".split())  # noqa: SIM905
"""Capitals that are read letter by letter although they could be read as a word."""

_ONSETS = frozenset(
    "bl br ch cl cr dr dw fl fr gl gr kl kn kr ph pl pr qu rh sc sh sk sl sm sn sp sq st sw th tr tw wh wr".split()  # noqa: SIM905
)
"""Two consonants that a word may begin with."""

_VOWEL_NAMES = frozenset("AEFHILMNORSX")
"""Letters whose names begin with a vowel: an X-ray, a U-turn."""

_YOU = re.compile(
    r"u(?:ni(?![nmdr]|ll)|nanim|k[ure]|ran[iu]|ri[ncp]|rug|rol|gan|bi[qd]|ta[hr]|te[nr]|ti[l]|top|s[aeu]|nesco|ral\b|rl|fo\b|\b)|eu|ew[e]",
    re.IGNORECASE,
)
"""Where u or e begins with the sound of "you"."""

_WON = re.compile(r"on(?:e(?!r)|ce)\b|ouija", re.IGNORECASE)
_SILENT_H = re.compile(r"hour|heir|honest|honou?r|hors\b", re.IGNORECASE)


def indefinite(words: str) -> str:
    """ "a" or "an", by the sound that `words` begin with."""
    first = re.match(r"[^\w]*([^\W_]+)", _plain(words))
    word = first[1] if first else ""
    if word[:1].isdigit():
        return "an" if re.match(r"8|1[18](?!\d)|1[18]\d\d(?!\d)", word) else "a"
    if _is_spelt(word, _plain(words)[first.end() :] if first else ""):
        return "an" if word[0].upper() in _VOWEL_NAMES else "a"
    if _YOU.match(word) or _WON.match(word) or re.match(r"y[^tv]|y$", word, re.IGNORECASE):
        return "a"
    return "an" if word[:1].lower() in tuple("aeiouy") or _SILENT_H.match(word) else "a"


def _plain(words: str) -> str:
    """Without accents: é sounds as e does."""
    return "".join(char for char in unicodedata.normalize("NFD", words) if not unicodedata.combining(char))


def _is_spelt(word: str, rest: str) -> bool:
    """Whether a word is read letter by letter: X-ray, NBA, R2-D2."""
    if len(word) == 1:
        return rest[:1] in ("-", "‑") or word.isupper()
    if re.match(r"[A-Z]{1,2}\d|mp\d", word):
        return True
    if not word.isupper():
        return False
    return word in _SPELT or (word[0] not in "AEIOU" and word[1] not in "AEIOUY" and word[:2].lower() not in _ONSETS)


def counted(count: int, noun: str) -> str:
    """So many of a noun whose plural ends in s: "1 picture", "2 pictures"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def sentence_case(noun: str) -> str:
    """A noun as in the midst of a sentence: its first letter small, unless it is that of a name, of capitals or of a
    noun whose words all have one, Great Dane."""
    first, _, rest = noun.partition(" ")
    bare = re.split(r"[-'’]", first)[0]
    described = bare.lower() in ADJECTIVES and (rest.split(" ")[0] in PROPER or not noun.istitle())
    named = bare in PROPER or len(bare) == 1 or (rest[:1].isupper() and rest[1:2].islower() and not described)
    return noun if named or not first[1:].islower() else noun[0].lower() + noun[1:]


_LAST = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*|\d+-[^\W\d_]+(?:-[^\W\d_]+)*)(,?\s+)$")
"""The last word of a text that goes on after a space."""

_STAY = frozenset("this these those another my your his our their every each any".split())  # noqa: SIM905
"""Determiners that are meant before a name; others are words of the sentence: she thinks that Mia sleeps."""


_DESCRIBED = frozenset("her its some both several many two three four five six seven eight nine ten".split())  # noqa: SIM905
"""Determiners that are meant where adjectives follow; else they may be for somebody else: he gives her Mia."""

_TITLE = re.compile(rf"\b(?:{'|'.join(sorted(TITLES))})\.?\s+$")


def before_name(text: str) -> tuple[str, str, str]:
    """What of a sentence up to a name belongs to it, as (the rest, a determiner, adjectives): of "off goes a very
    happy " before Mia ("off goes ", "a", "very happy"). Words as they are written; "" where there are none. A title,
    Captain, is part of the name and goes."""
    whole, text = text, _TITLE.sub("", text)
    rest = text
    while hit := _LAST.search(rest):
        word, first = hit[1].lower(), len(rest) == len(text)
        ahead = _LAST.search(rest[: hit.start()])
        before = ahead[1].lower() if ahead else ""
        determined = before in (*ARTICLES, *_STAY, "her")
        describes = _is_adjective(word) or word.endswith("-old") or (_participle(word) and determined)
        degree = word in DEGREES or (determined and (word in _ADVERBS or word.endswith("ly")))
        joins = word in ("and", "but") and _is_adjective(before)
        if not (describes or (not first and (degree or joins))) or (first and "," in hit[2]):
            break
        rest = rest[: hit.start()]
    adjectives = text[len(rest) :].rstrip()
    hit = _LAST.search(rest)
    if hit is None or "," in hit[2]:
        return rest, "", adjectives
    word = hit[1].lower()
    if adjectives and word in LINKING:
        return whole, "", ""
    if word in ARTICLES or word in _STAY or (adjectives and word in _DESCRIBED):
        return rest[: hit.start()], hit[1], adjectives
    return rest, "", adjectives


def _is_adjective(word: str) -> bool:
    """Whether a word may stand between an article and a name, compared too: happier, biggest."""
    stem = re.sub(r"e(?:r|st)$", "", word)
    stems = (stem, f"{stem}e", stem[:-1], re.sub("i$", "y", stem)) if stem != word else ()
    return word in ADJECTIVES or any(each in ADJECTIVES for each in stems)


def is_superlative(adjectives: str) -> bool:
    """Whether one of them is the most there is, of which there is one: the biggest, the most beautiful."""
    words = adjectives.lower().replace(",", "").split()
    return any(word in ("most", "least") or (word.endswith("est") and word not in ADJECTIVES) for word in words)


def _participle(word: str) -> bool:
    return len(word) > 4 and word.endswith(("ing", "ed")) and word not in NOUNS


def is_plural_noun(words: str) -> bool:
    """Whether the noun that words without an article are about is a plural: black cats, children on a sledge."""
    last = _noun(words).lower()
    if last in _PLURALS or re.search(r"(?:[^io]men|children|people)$", last):
        return True
    return (
        len(last) > 3
        and last.endswith("s")
        and not last.endswith(("ss", "us", "is", "os", "'s", "’s"))
        and (last not in _SINGULAR)
    )


def _noun(words: str) -> str:
    """The noun that words are about, "cat" of "old cat under stars": the last before what says more of it."""
    said = re.split(r",(?!\d)|[;(]", words)[0].split()
    for index, word in enumerate(map(str.lower, said[1:]), 1):
        before = said[index - 1].lower()
        if word in _AFTER or (word in ("and", "or") and said[index + 1 : index + 2] and _counts(said[index + 1])):
            return said[index - 1]
        if _participle(word) and not (_counts(before) or _is_adjective(before) or before in DEGREES or "-" in word):
            return said[index - 1]
    return (said or [""])[-1]


def _counts(word: str) -> bool:
    return word.lower() in DETERMINERS or word.lower() in ARTICLES or word.isdigit()


_AFTER = frozenset(
    """with wearing in who whose that which holding carrying of from like on at made under over without near behind
    between among for to as by into before beside above below around inside outside against through""".split()  # noqa: SIM905
)
"""What goes on after a noun and says more of it."""

_PLURALS = frozenset("men women children people mice geese oxen kids twins triplets wolves elves dwarves".split())  # noqa: SIM905
_SINGULAR = frozenset("lens atlas canvas christmas pampas bias gas series species iris james thomas".split())  # noqa: SIM905
