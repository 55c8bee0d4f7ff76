"""The longest script of every construct, read, checked and shown as on the page: what that takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from anystory.backends.base import STORYBOOK
from anystory.backends.load import load
from anystory.script.form import MAX_BYTES, MAX_PANELS, MAX_TEXT
from tests.script.test_growth import GROWING, PANELS
from ui import script as page

SECONDS = 2.0
"""Of processor time that the longest script takes at most."""

MOST = MAX_BYTES - 3000
"""Characters, or bytes where there are more of them, that a construct is repeated to."""

CAST = "cast: Mia, a girl\ncast: Tom, a boy\ncast: 小狐\ncast: 大熊\ncast: مريم\n"


def texts() -> Mapping[str, str]:
    """The constructs at their greatest length, and as many panels as there may be, full of each kind of words."""
    long = {what: construct(MOST) for what, construct in GROWING.items()}
    return long | {f"{MAX_PANELS} panels of {what}": full(words) for what, words in PANELS.items()}


def full(words: str) -> str:
    """As many panels as there may be, each as long as it may be while all are as long as a script may be."""
    width = min(MOST // MAX_PANELS * len(words) // len(words.encode()), MAX_TEXT - 10)
    return CAST + "".join(f"{number} {words * (width // len(words))}\n" for number in range(MAX_PANELS))


def reading(chosen: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """What each of the `chosen` texts is and the seconds of processor time it takes, once all that is loaded once is
    there."""
    backend = load(STORYBOOK)

    def read(text: str) -> None:
        page.feedback(page.read(text, "", "", (), (), backend))

    for words in ("Mia meets Tom and she waves", "小狐看见大熊，她笑了", "la zorra corre y ella ríe"):
        read(f"{CAST}{words}\n")
    for what, text in chosen.items():
        began = time.process_time()
        read(text)
        yield what, time.process_time() - began
