"""Words of English sentences that a name's description is put into: articles, what stands before a name, plurals.

Which article a word takes follows from its sound, as far as letters tell. Kept as rules, which are wrong on 180 of the
125 897 words of CMUdict, mostly rare names (inflect 7.6: 217), and tell singulars from plurals wrongly on 41 of 3 431
nouns of WordNet (pluralizer 2.0: 56).
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from anystory.supplies import read_yaml

_WORDS = {kind: frozenset(words.split()) for kind, words in read_yaml(Path(__file__).with_name("english.yaml")).items()}

PROPER = _WORDS["proper"]
"""Words that keep their capital in the midst of a sentence."""

_AHEAD = _WORDS["ahead"]
_PEOPLE = _WORDS["people"]

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

_SPELT = frozenset("SUV UFO UK US USA USB UV EU URL LED MIT SOS LP EP HQ RV ID MC DJ VIP RPG NPC UN RAF".split())  # noqa: SIM905
"""Capitals that are read letter by letter although they could be read as a word."""

_ONSETS = frozenset(
    "bl br ch cl cr dr dw fl fr gl gr kl kn kr ph pl pr qu rh sc sh sk sl sm sn sp sq st sw th tr tw wh wr".split()  # noqa: SIM905
)
"""Two consonants that a word may begin with."""

_VOWEL_NAMES = frozenset("AEFHILMNORSX")
"""Letters whose names begin with a vowel: an X-ray, a U-turn."""

_YOU = re.compile(
    r"u(?:ni(?![nmdr]|ll|ss)|nanim|k[ure]|ran[iu]|r(?:ea|eth|i[ncp]|ol|ug)|gan|gric|bi[qd]|lys|ta[hr]|te[nr]|ti[lc]|top"
    r"|s[aeu]|sing?\b|nesco|rals?\b|rl|fos?\b|\b)|eu|ew(?!o)",
    re.IGNORECASE,
)
"""Where u or e begins with the sound of "you"."""

_WON = re.compile(r"on(?:e(?:s|self|ness|time)?|ce)\b|oui|ouaga", re.IGNORECASE)
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
    if not word.isupper() and re.match(r"x[^aeiouy]|(?!hm|m(?:m|rs?|s)\b)[^\W\daeiouy]{2,}\b", word, re.I):
        return word[:2].lower() not in _ONSETS
    if not word.isupper():
        return False
    return word in _SPELT or (word[0] not in "AEIOU" and word[1] not in "AEIOUY" and word[:2].lower() not in _ONSETS)


def sentence_case(noun: str) -> str:
    """A noun as in the midst of a sentence: its first letter small, unless it is that of a name, of capitals or of a
    noun whose words all have one, Great Dane."""
    first, _, rest = noun.partition(" ")
    bare = re.split(r"[-'’]", first)[0]
    capital = rest[:1].isupper() and rest[1:2].islower()
    adjective, proper = bare.lower() in ADJECTIVES, rest.split(" ")[0] in PROPER
    placed = bare in _AHEAD and capital and not (adjective and proper)
    described = adjective and (proper or not noun.istitle())
    named = placed or bare in PROPER or noun.startswith("Old English") or len(bare) == 1 or (capital and not described)
    return noun if named or not first[1:].islower() else noun[0].lower() + noun[1:]


_LAST = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*|\d+-[^\W\d_]+(?:-[^\W\d_]+)*)(,?\s+)$")
"""The last word of a text that goes on after a space."""

_STAY = frozenset("this these those another my your his its our their whose every each any no".split())  # noqa: SIM905
"""Determiners that are meant before a name; others are words of the sentence: she thinks that Mia sleeps."""

_OPENING = frozenset("that which some one her".split())  # noqa: SIM905
"""Determiners where a sentence begins with them: That Mia is a thief, but the box which Mia opens."""

_DESCRIBED = frozenset("her some both several many two three four five six seven eight nine ten".split())  # noqa: SIM905
"""Determiners that are meant where adjectives follow; else they may be for somebody else: he gives her Mia."""

_WHICH = frozenset(
    "same only real true fake false other first second third next last own single usual best worst".split()  # noqa: SIM905
)
"""What tells one from others after a determiner: the real Mia."""

_GIVING = frozenset(
    "gives give gave giving shows show showed hands brings sends tells tell told calls call called names".split()  # noqa: SIM905
)
"""After these the name is not that of the person before it: he gives the king Mia."""

_CALLED = re.compile(r"(?<=[^\W\d_]) (?:called|named) $")
_TITLE = re.compile(rf"\b(?:{'|'.join(sorted(TITLES))})\.?\s+$")
_STOP = re.compile(r"[.!?:;\"“”(]\s*$")
_OBJECT = re.compile(r" (?:an?|the|some|his|her|its|their|my|your|our|two|three) ")


class Ahead(NamedTuple):
    """What of a sentence up to a name belongs to the name, as it is written, "" where there is none of it."""

    rest: str
    determiner: str = ""
    adjectives: str = ""
    noun: str = ""
    """Who it is the name of: wizard."""


def before_name(text: str, after: str = "") -> Ahead:
    """What of a sentence up to a name belongs to it: of "off goes a very happy " before Mia ("off goes ", "a", "very
    happy", ""), of "the old wizard " before Tom ("", "the", "old", "wizard"). A title, Captain, is part of the name and
    goes. `after`: how the sentence goes on."""
    whole, text = text, _TITLE.sub("", text)
    hit = _LAST.search(_CALLED.sub(" ", text))
    if hit and is_person(hit[1]) and "," not in hit[2]:
        ahead = _before_noun(text[: hit.start()], person=True)
        if not ahead.determiner and (owner := re.search(r"(?<!\S)\S*['’]s?\s+$", ahead.rest)):  # the king's brother
            ahead = ahead._replace(rest=ahead.rest[: owner.start()], determiner=owner[0].strip())
        opens = not ahead.rest.strip() or ahead.rest.rstrip().endswith(tuple('.!?:;,"“”('))
        bare = opens or _last(ahead.rest) in {*_AFTER, "and", "or"}
        given = ahead.determiner.lower() in ARTICLES and _last(ahead.rest) in _GIVING and not _OBJECT.match(after)
        if (ahead.determiner or bare) and not given:
            return ahead._replace(noun=hit[1] if ahead.determiner else hit[1].lower())
    ahead = _before_noun(text)
    said = ahead.adjectives and not ahead.determiner and _last(ahead.rest) in LINKING  # he feels happy Mia is here
    return Ahead(whole) if said else ahead


def _before_noun(text: str, person: bool = False) -> Ahead:
    """What of a text that a name or the word for a person follows belongs to that."""
    rest = text
    while hit := _LAST.search(rest):
        word, first = hit[1].lower(), len(rest) == len(text)
        before = _last(rest[: hit.start()])
        determined = before in (*ARTICLES, *_STAY, "her", "that", "one", "s")
        which = determined and (_participle(word) or word in _WHICH)
        describes = which or is_adjective(word) or word.endswith("-old")
        degree = word in DEGREES or (determined and (word in _ADVERBS or word.endswith("ly")))
        joins = word in ("and", "but") and is_adjective(before)
        if not (describes or (not first and (degree or joins))) or (first and "," in hit[2]):
            break
        rest = rest[: hit.start()]
    adjectives = text[len(rest) :].rstrip()
    hit = _LAST.search(rest)
    if hit and "," not in hit[2] and _determines(hit[1].lower(), rest[: hit.start()], bool(adjectives) or person):
        return Ahead(rest[: hit.start()], hit[1], adjectives)
    return Ahead(rest, "", adjectives)


def _determines(word: str, before: str, described: bool) -> bool:
    """Whether a word after `before` belongs to the name that follows, which is `described` by words between them."""
    if word == "no" and _last(before) == "oh":
        return False
    if word in ARTICLES or word in _STAY or (described and word in _DESCRIBED):
        return True
    opens = not before.strip() or _STOP.search(before) is not None
    after = _last(before)
    return (
        (word in _OPENING and opens)
        or (word == "that" and after in ("is", "was", "not", "like", "of", "with"))
        or (word == "her" and after in {*_AFTER, "and"} - {"for"})
    )


def _last(text: str) -> str:
    """The last word of a text that goes on after a space, in small letters."""
    hit = _LAST.search(text)
    return hit[1].lower() if hit and "," not in hit[2] else ""


def is_person(word: str) -> bool:
    """Whether a word is a kind of people or beasts, one or several."""
    word = word.lower()
    ends = (("", ""), ("s$", ""), ("es$", ""), ("ies$", "y"), ("ves$", "f"), ("men$", "man"))
    return any(re.sub(end, singular, word) in _PEOPLE for end, singular in ends)


def is_adjective(word: str) -> bool:
    """Whether a word may stand between an article and a name, compared too: happier, biggest."""
    stem = re.sub(r"e(?:r|st)$", "", word)
    stems = (stem, f"{stem}e", stem[:-1], re.sub("i$", "y", stem)) if stem != word else ()
    return word in ADJECTIVES or any(each in ADJECTIVES for each in stems)


def is_superlative(adjectives: str) -> bool:
    """Whether one of them is the most there is, of which there is one: the biggest, the most beautiful."""
    words = adjectives.lower().replace(",", "").split()
    return any(word in ("most", "least") or (word.endswith("est") and word not in ADJECTIVES) for word in words)


def is_distinct(adjectives: str) -> bool:
    """Whether they tell one from all others, which "the" before them then says: the real one, but a real one."""
    return not _WHICH.isdisjoint(adjectives.lower().split())


def _participle(word: str) -> bool:
    return len(word) > 4 and word.endswith(("ing", "ed")) and word not in NOUNS


def is_plural_noun(words: str) -> bool:
    """Whether the noun that words without an article are about is a plural: black cats, children on a sledge."""
    last = re.sub(r"-(?:by|up|on|in-law)$", "", _noun(words).lower())
    if last in _PLURALS or re.search(r"(?:[^io]men|children|people)$", last):
        return True
    return (
        len(last) > 3
        and last.endswith("s")
        and not last.endswith(("ss", "us", "is", "'s", "’s"))
        and (last not in _SINGULAR)
    )


def _noun(words: str) -> str:
    """The noun that words are about, "cat" of "old cat under stars": the last before what says more of it."""
    said = re.split(r",(?!\d)|[;(]", words)[0].split()
    for index, word in enumerate(map(str.lower, said[1:]), 1):
        before = said[index - 1].lower()
        if word in _AFTER or (word in ("and", "or") and said[index + 1 : index + 2] and _counts(said[index + 1])):
            return said[index - 1]
        if _participle(word) and not (_counts(before) or is_adjective(before) or before in DEGREES or "-" in word):
            return said[index - 1]
    return (said or [""])[-1]


def _counts(word: str) -> bool:
    return word.lower() in DETERMINERS or word.lower() in ARTICLES or word.isdigit()


_AFTER = frozenset(
    """with wearing in who whose that which holding carrying of from like on at made under over without near behind
    between among for to as by into before beside above below around inside outside against through""".split()  # noqa: SIM905
)
"""What goes on after a noun and says more of it."""

_PLURALS = frozenset(
    """men women children people mice lice geese teeth feet oxen kids twins triplets wolves elves dwarves cattle police
    folk cacti fungi nuclei radii alumni stimuli octopi phenomena criteria data bacteria media larvae algae antennae
    nebulae formulae vertebrae cherubim seraphim bureaux plateaux gateaux beaux taxis bikinis yetis kiwis skis safaris
    samurais ninjas emus gnus menus gurus haikus tutus""".split()  # noqa: SIM905
)
"""Plurals that letters do not tell."""

_SINGULAR = frozenset(
    """lens atlas canvas christmas pampas bias alias pancreas gas series species news physics mathematics athletics
    gymnastics measles mumps billiards triceps biceps forceps herpes cyclops rhinoceros chaos ethos pathos cosmos
    thermos kudos asbestos james thomas charles nicholas lucas marcus jonas elias tobias agnes frances hercules achilles
    ulysses moses texas kansas arkansas vegas wales naples athens brussels paris""".split()  # noqa: SIM905
)
"""Singulars that end as plurals do."""
