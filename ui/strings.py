"""The app's words in its languages (strings.yaml in this folder): English, Chinese and Spanish. The program's own
sentences, which are English (`anystory.errors.Message`), are in sentences.yaml in the others.

`translations()` is what Gradio's I18n takes, for labels that the browser translates; `say` is for sentences made here,
in the language that the browser asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from anystory.errors import AnyStoryError, Message, said
from anystory.supplies import read_yaml

PLACE = r"(?<![\w:/.~])(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\'\"]+[/\\])+([^\s/\\'\"]+)"
"""A path in a text, and the name at its end."""

LANGUAGES = {"en": "English", "zh-CN": "中文", "es": "Español"}
"""The languages by their codes, as they call themselves. The first is the one for everybody else."""


@cache
def translations() -> Mapping[str, Mapping[str, str]]:
    """Every language's words by key: `gr.I18n(**translations())`."""
    data = read_yaml(Path(__file__).with_name("strings.yaml"), as_text=True)
    return {code: {key: words[code] for key, words in data.items()} for code in LANGUAGES}


def language(accepted: str | None) -> str:
    """The best of `LANGUAGES` for an Accept-Language header such as "zh-TW,zh;q=0.9,en;q=0.8"."""
    wanted = []
    for index, part in enumerate((accepted or "").split(",")[:20]):
        code, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), index, code.lower().split("-")[0]))
        except ValueError:
            continue
    for _, _, family in sorted(wanted):
        for code in LANGUAGES:
            if code.lower().split("-")[0] == family:
                return code
    return next(iter(LANGUAGES))


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """The program's sentences: by their patterns, what they are in each language but English."""
    return read_yaml(Path(__file__).with_name("sentences.yaml"), as_text=True)


def say(code: str, what: str | Exception, **values: object) -> str:
    """The words of a key in a language, `{name}` replaced by the value of that name; a `Message` of the program's, or
    what an error says, in that language. Raises KeyError for an unknown key or a missing value."""
    if isinstance(what, SaidError):
        return say(code, what.key, **what.values)
    if isinstance(what, Exception):
        return told(code, said(what))
    if isinstance(what, Message):
        return told(code, what)
    known = translations()
    return known.get(code, known[next(iter(LANGUAGES))])[what].format_map(values)


def told(code: str, sentence: Any) -> Any:
    """A sentence of the program's in a language, and so the sentences in it, with names for paths: visitors are told
    nothing of the machine. What is no `Message` is as it is, but for its paths."""
    if not isinstance(sentence, Message):
        return re.sub(PLACE, r"\1", sentence) if isinstance(sentence, str) else sentence
    pattern = sentences().get(sentence.pattern, {}).get(code, sentence.pattern)
    values = {name: value.name if isinstance(value, PurePath) else value for name, value in sentence.values.items()}
    return pattern.format_map({name: told(code, value) for name, value in values.items()})


@cache
def _finders() -> Mapping[str, re.Pattern[str]]:
    """What finds the values in a sentence of the program's, by the patterns that begin with words: first of those with
    the most words, of which others may be a part."""
    patterns = [pattern for pattern in sentences() if not pattern.startswith("{")]
    return {pattern: _finder(pattern) for pattern in sorted(patterns, key=lambda one: -len(re.sub(r"{\w+}", "", one)))}


def _finder(pattern: str) -> re.Pattern[str]:
    written, seen = "", set[str]()
    for place, part in enumerate(re.split(r"\{(\w+)\}", pattern)):  # words, a name, words, a name …
        written += (f"(?P={part})" if part in seen else f"(?P<{part}>.+)") if place % 2 else re.escape(part)
        seen |= {part} if place % 2 else set()
    return re.compile(written)


def recognised(sentence: str) -> str:
    """A sentence of the program's that a file kept as the `Message` it was; any other as it is."""
    if isinstance(sentence, Message):
        return sentence
    found = ((pattern, finder.fullmatch(sentence)) for pattern, finder in _finders().items())
    return next((Message(pattern, **match.groupdict()) for pattern, match in found if match), sentence)


class SaidError(AnyStoryError):
    """An error whose sentence is the words of `key` with `values`; in English as a string."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say(next(iter(LANGUAGES)), key, **values))
        self.key, self.values = key, values
