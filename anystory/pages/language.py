"""The language a story's words are in, as far as files have to say it. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from anystory.errors import Message
from anystory.pages.form import PageError
from anystory.story.model import Script

LETTERS = {
    "ARABIC": "ar",
    "HEBREW": "he",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "THAI": "th",
    "DEVANAGARI": "hi",
    "GREEK": "el",
    "CYRILLIC": "ru",
    "CJK": "zh",
    "LATIN": "en",
}
"""The language that letters most probably are of, by the first word of their names in Unicode."""

OWN = {"vi": "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "es": "ñ¿¡", "de": "ß"}
"""Letters that only one of the languages in Latin letters has."""

_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def spoken(code: str) -> str:
    """A language's code as it is given. Raises PageError for what is no such code."""
    if not _CODE.fullmatch(code):
        raise PageError(Message("{code} is no code of a language; give one such as en, es or zh-CN.", code=repr(code)))
    return code


def language_of(script: Script) -> str:
    """The language of a story's captions, dialogue and title, of its lines where it has none, as their letters tell.
    Latin letters that tell nothing are English."""
    text = " ".join(script.words) or " ".join(panel.prompt for panel in script.panels)
    names = (unicodedata.name(char, "").split(" ")[0] for char in text if char.isalpha())
    found = Counter(LETTERS[name] for name in names if name in LETTERS)
    if found["ja"]:  # whose other letters are those of Chinese
        found["ja"] += found.pop("zh", 0)
    language = max(found, key=lambda code: found[code], default="en")
    if language != "en":
        return language
    lower = text.lower()
    return next((code for code, letters in OWN.items() if any(letter in lower for letter in letters)), "en")
