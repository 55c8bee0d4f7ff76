"""The linter: what is wrong with a script, or will not come out as written, each with its place and a way to mend it.

`lint` needs no backend; with one it also tells what that backend cannot read or follow.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

from anystory.cast.images import ImageError
from anystory.errors import Message, listed
from anystory.script.form import (
    MAX_ERRORS,
    MAX_NAME,
    NOBODY,
    Reading,
    ScriptError,
    Span,
    Where,
    meant,
    nearest,
    place,
    shown,
)
from anystory.script.pronouns import LONG, READ
from anystory.script.read import Form, read_script
from anystory.script.wildcards import (
    Lists,
    WildcardError,
    expand,
    expand_panel,
    has_wildcards,
    may_be_empty,
    may_name,
    missing,
    own_lists,
)
from anystory.sketch.own_files import ThingError
from anystory.story.capabilities import Capabilities
from anystory.story.from_sketch import KEY, REFERENCE, FromSketch
from anystory.story.model import LIBRARY, CastMember, Panel, Prompt, Script, Style, sides
from anystory.story.names import folded, visible
from anystory.story.prompt import SPACELESS, compose, find_names
from anystory.story.size import Size, nearest_side
from anystory.story.steering import Layout, Steering, steering_fields
from anystory.story.styles import NO_STYLE, all_styles, find_style, style_of

Severity = Literal["error", "warning", "note"]
"""An error stops a render, a warning is most likely a mistake, a note only says what will be left out."""


class ReadingBackend(Protocol):
    """What the linter asks of a backend; see `anystory.backends.base.Backend`."""

    @property
    def about(self) -> Capabilities: ...

    def unread(self, prompt: Prompt, pictures: Sequence[int] = ()) -> str: ...


@dataclass(frozen=True)
class Finding:
    """One thing found. `line` and `column` count from 1; the characters [start, end) of the source are what it is
    about. `code` is its kind, one of `CODES`. `fix`, if there is one, is the text to put in their place."""

    line: int
    column: int
    start: int
    end: int
    severity: Severity
    code: str
    message: Message
    fix: str | None = None


CODES = (
    "unreadable",
    "script",
    "left-out",
    "duplicate-name",
    "unknown-name",
    "nobody",
    "meant",
    "absent",
    "no-picture",
    "crowded",
    "size",
    "wildcard",
    "own",
    "repeated",
    "caption",
    "style",
    "layout",
    "steering",
    "language",
    "unread",
)
"""The kinds of findings, in the order of those at one place. "unreadable": nothing more can be told until that is
mended; "script": what else keeps a part from being read; "left-out": words that are in no panel; the others are told at
the functions that find them."""

LETTERS = {
    "ARABIC": "Arabic",
    "ARMENIAN": "Armenian",
    "BENGALI": "Bengali",
    "BOPOMOFO": "Chinese",
    "CJK": "Chinese",
    "CYRILLIC": "Cyrillic",
    "DEVANAGARI": "Devanagari",
    "ETHIOPIC": "Ethiopic",
    "GEORGIAN": "Georgian",
    "GREEK": "Greek",
    "GUJARATI": "Gujarati",
    "GURMUKHI": "Gurmukhi",
    "HANGUL": "Korean",
    "HEBREW": "Hebrew",
    "HIRAGANA": "Japanese",
    "KANNADA": "Kannada",
    "KATAKANA": "Japanese",
    "KHMER": "Khmer",
    "LAO": "Lao",
    "MALAYALAM": "Malayalam",
    "MONGOLIAN": "Mongolian",
    "MYANMAR": "Burmese",
    "SINHALA": "Sinhala",
    "TAMIL": "Tamil",
    "TELUGU": "Telugu",
    "THAI": "Thai",
    "TIBETAN": "Tibetan",
}
"""Letters that are not Latin, by the first word of their Unicode names, and what they write."""

WRITTEN_IN = {
    "Chinese": {"Chinese"},
    "Japanese": {"Japanese", "Chinese"},
    "Korean": {"Korean", "Chinese"},
    "Russian": {"Cyrillic"},
    "Ukrainian": {"Cyrillic"},
    "Greek": {"Greek"},
    "Arabic": {"Arabic"},
    "Hebrew": {"Hebrew"},
    "Hindi": {"Devanagari"},
    "Thai": {"Thai"},
}
"""What languages a backend may read are written in, but for Latin letters; those not listed need only these."""

OPENERS = frozenset(
    """a about above after all along an and another any around as at back before behind below beneath beside between
    big both but by close deep down each early even every far few five for four from front full good half he her here
    high his hot how huge if in inside into it its just large last late left light like little long low many middle
    more most much my near new next night nine no not now of off old on once one only or other our out outside over
    past red right round seven she side six small so some soon still such sun ten that the their them then there these
    they this those three through tiny to today together too top toward towards tree two under until up upon very view
    walk was water we what when where while white who wide with within without you young""".split()  # noqa: SIM905
)
"""Words that begin a sentence with a capital and are no misspelt name."""

FALLS_OFF = 80
"""Characters shown of what is not read."""


def lint(
    text: str,
    *,
    cast: Sequence[CastMember] = (),
    folder: str | Path | None = None,
    backend: ReadingBackend | None = None,
    form: Form | None = None,
    style: str = "",
    styles: Sequence[Style] = (),
) -> tuple[Finding, ...]:
    """What is wrong with a script of any form `parse_script` reads, in reading order; nothing where all is well. Of
    more than `MAX_ERRORS` of a kind the first are told.

    `cast` are characters known already (those with a picture in the app), `folder` is where pictures, `styles.yaml`,
    `things` and `places` lie (None = pasted text), `backend` the one that will render, if it is loaded; `form` as in
    `read_script`. `style`, if there is one, stands in for the story's and `styles` are presets besides those of the
    text, both chosen elsewhere: what is said of that style has the empty span (0, 0). Never raises for what is in
    `text`.
    """
    try:
        reading = read_script(text, folder, cast, form)
    except ScriptError as error:
        return (unreadable(text, error),)
    return lint_reading(reading, cast=cast, folder=folder, backend=backend, style=style, styles=styles)


def unreadable(text: str, error: ScriptError) -> Finding:
    """What is to be said of a text that cannot be taken apart."""
    return _finding(text, error.span or (0, 0), "error", "unreadable", error.sentence)


def lint_reading(
    reading: Reading,
    *,
    cast: Sequence[CastMember] = (),
    folder: str | Path | None = None,
    backend: ReadingBackend | None = None,
    style: str = "",
    styles: Sequence[Style] = (),
) -> tuple[Finding, ...]:
    """As `lint`, of a script that has been read already, with the same `cast` and `folder`."""
    text = reading.source
    chosen = replace(reading.script, style=style or reading.script.style, styles=(*reading.script.styles, *styles))
    spans = {**reading.spans, ("style",): (0, 0)} if style else reading.spans
    reading = replace(reading, script=chosen, spans=spans)
    found = [_finding(text, e.span or (0, 0), "error", e.code, e.sentence, e.fix) for e in reading.errors]
    if len(found) >= MAX_ERRORS:
        found.append(_rest(found[-1]))
    found += _first(_left_out(reading))
    known = {visible(member.name) for member in cast}
    for check in (_unknown, _meant, _absent, _repeated, _caption, _style):
        found += _first(check(reading))
    own: Lists = {}
    try:
        own = own_lists(folder) if folder is not None else own
    except WildcardError as error:
        found.append(_finding(text, (0, 0), "error", "wildcard", error.said))
    else:
        found += _first(_wildcard(reading, own))
    found += [*_nobody(reading, own, found), *_no_picture(reading, own, known, backend)]
    if folder is not None and (backend is None or backend.about.sketches):
        found += [_finding(text, (0, 0), "error", "own", message) for message in _own(Path(folder))]
    if backend is not None:
        for test in (_crowded, _size, _unsteered, _unfollowed, _foreign, _unread):
            found += _first(test(reading, backend))
    unique = {(finding.start, finding.end, finding.message): finding for finding in found}
    return tuple(sorted(unique.values(), key=lambda finding: (finding.start, CODES.index(finding.code), finding.end)))


def _first(found: Iterator[Finding]) -> Iterator[Finding]:
    """As many findings as anybody reads, and where there are more, that; what comes after them is not looked for."""
    last = None
    for number, each in enumerate(found):
        if number == MAX_ERRORS and last is not None:
            yield _rest(last)
            return
        yield (last := each)


def _rest(last: Finding) -> Finding:
    """What is said after as many findings of a kind as are told, the `last` of which is given."""
    message = Message(
        "Only the first {most} findings of this kind are told; mend some to see whether there are more.",
        most=MAX_ERRORS,
    )
    return replace(last, severity="note", message=message, fix=None)


def _left_out(reading: Reading) -> Iterator[Finding]:
    """ "left-out": words of the source that are in no panel."""
    for out in reading.left_out:
        message = Message("{words} is left out: {why}.", words=_shown(reading.source, out.span), why=out.why)
        yield _finding(reading.source, out.span, "note", "left-out", message, out.fix)


def _own(folder: Path) -> Iterator[str]:
    """ "own": what of the folders `things` and `places` beside the script cannot be used."""
    from anystory.sketch.own_places import own_places, pixels_of
    from anystory.sketch.things import own_library

    folders = Script(()).beside(folder)
    try:
        if folders.things is not None:
            own_library(folders.things)
    except (ThingError, ImageError) as error:
        yield error.said
    try:
        places = own_places(folders.places) if folders.places is not None else ()
    except ThingError as error:
        yield error.said
        return
    for each in places:
        try:
            pixels_of(each.file)
        except (ThingError, ImageError) as error:
            yield error.said


def mend(text: str, finding: Finding) -> str:
    """The source with a finding's fix applied; unchanged if it has none. Lint anew afterwards: places have moved."""
    return text if finding.fix is None else text[: finding.start] + finding.fix + text[finding.end :]


def _shown(source: str, span: Span) -> str:
    """Words of the source as a sentence shows them."""
    return shown(" ".join(source[slice(*span)].split()))


def _finding(source: str, span: Span, severity: Severity, code: str, message: str, fix: str | None = None) -> Finding:
    return Finding(*place(source, span[0]), *span, severity, code, Message.of(message), fix)


def _panels(reading: Reading) -> Iterator[tuple[int, Where, Panel]]:
    """Number (from 1), path and content of the panels that could be read."""
    for index, panel in enumerate(reading.panels):
        if panel is not None and panel.prompt:
            yield index + 1, ("panels", index), panel


def _sentence(path: Where, reading: Reading) -> Where:
    """The path of a panel's own words, or of the panel where they have no place of their own."""
    return (*path, "prompt") if (*path, "prompt") in reading.spans else path


# --- names --------------------------------------------------------------------------------------------------------


def _unknown(reading: Reading) -> Iterator[Finding]:
    """ "unknown-name": words that look like a name but are none; a name in brackets or in a list that nobody has is
    found by the reader."""
    names = [*(member.name for member in reading.script.cast), *reading.aliases]
    slips = _slipped(names)
    for _, path, panel in _panels(reading):
        for words in _bracketed(panel.prompt):
            near = nearest(words, names)
            hint = meant(near)
            yield _at(
                reading,
                _sentence(path, reading),
                words,
                Message("Nobody is named {words}{hint}; add them to the cast.", words=repr(words), hint=hint),
                near,
            )
        for words, near in _misspelt(panel.prompt, names, slips):
            message = Message("Nobody is named {words}; did you mean {near}?", words=repr(words), near=repr(near))
            yield _at(reading, _sentence(path, reading), words, message, near)


def _at(reading: Reading, path: Where, words: str, message: str, near: str | None) -> Finding:
    span = reading.span(path, words)
    fix = near if reading.source[slice(*span)] == words else None
    return _finding(reading.source, span, "warning", "unknown-name", message, fix)


def _bracketed(prompt: str) -> Iterator[str]:
    """What stands in brackets in the midst of a panel and begins like a name; [keep out] does not."""
    for tag in re.finditer(r"\[([^\[\]]+)\]", prompt):
        words = tag[1].strip()
        if words and len(words) <= 40 and not words[0].islower() and words[0].isalpha():
            yield words


def _misspelt(prompt: str, names: Sequence[str], slips: Mapping[str, Set[int]]) -> Iterator[tuple[str, str]]:
    """Capitalised words that one slip of the pen makes of a name, with the name. `slips`: as `_slipped` has them."""
    prompt = re.sub(r"\[[^\[\]]*\]", lambda tag: " " * len(tag[0]), prompt)
    taken = bytearray(len(prompt))
    for mention in find_names(prompt, names):
        taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
    tokens = [hit.span() for hit in re.finditer(r"[^\W_](?:[\w-]|['’](?!s\b)\w)*", prompt)]
    opening, seen, counts = _openings(prompt), 0, sorted({len(name.split()) for name in names}, reverse=True)
    for index, count in itertools.product(range(len(tokens)), counts):
        start, end = tokens[index][0], tokens[min(index + count, len(tokens)) - 1][1]
        if start < seen or end - start > 2 * MAX_NAME:
            continue
        words = prompt[start:end]
        if (
            not _may_be_name(words)
            or len(words.split()) != count
            or (start in opening and words.split()[0].casefold() in OPENERS)
            or any(taken[start:end])
        ):
            continue
        word = folded(words)
        near = sorted({index for slip in _shortened(word) for index in slips.get(slip, ())})
        name = next((names[index] for index in near if _slips(word, folded(names[index])) == 1), None)
        if name:
            seen = end
            yield words, name


def _openings(prompt: str) -> set[int]:
    """Where the first word of each sentence begins."""
    found, opens = set(), True
    for hit in re.finditer(r"(?P<end>[.!?:]\s)|\w+", prompt):
        if opens and not hit["end"]:
            found.add(hit.start())
        opens = bool(hit["end"])
    return found


def _shortened(word: str) -> Iterator[str]:
    """A word, and the word without each of its letters: two words between which is one slip have one of them in
    common."""
    yield word
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]


def _slipped(names: Sequence[str]) -> dict[str, set[int]]:
    """The places of names of three letters or more by what `_shortened` makes of them."""
    found: dict[str, set[int]] = {}
    for index, name in enumerate(names):
        for slip in _shortened(folded(name)) if len(name) > 2 else ():
            found.setdefault(slip, set()).add(index)
    return found


def _may_be_name(words: str) -> bool:
    """Whether words have a capital or, in letters that have none and are set in words, more than three letters."""
    if words[:1].isupper() or len(words) < 4:
        return words[:1].isupper()
    written = re.split("[ -]", unicodedata.name(words[0], ""))[0]
    return unicodedata.category(words[0]) == "Lo" and written not in SPACELESS | {"HANGUL"}


def _slips(one: str, other: str) -> int:
    """Letters to put in, leave out, change, or swap with the next to get from one word to another; 2 for more."""
    if abs(len(one) - len(other)) > 1:
        return 2
    head = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[head:], other[head:]
    if one == other:
        return 0
    if one[1:] == other[1:] or one[1:] == other or one == other[1:]:
        return 1
    return 1 if one[1::-1] == other[:2] and one[2:] == other[2:] else 2


def _cast(panel: Panel, reading: Reading, own: Lists) -> set[str]:
    """Who is in a panel, or may be by its wildcards."""
    if panel.told:
        return set(panel.cast)
    return {*panel.cast, *may_name(panel.prompt, tuple(member.name for member in reading.script.cast), own)}


def _nobody(reading: Reading, own: Lists, found: Sequence[Finding]) -> Iterator[Finding]:
    """ "nobody": a panel that names nobody and does not say that it means to. Where a name is misspelt that is all."""
    misspelt = sorted(finding.start for finding in found if finding.code == "unknown-name")
    for number, path, panel in _panels(reading):
        start, end = reading.span(path)
        nobody = not panel.told and not _cast(panel, reading, own)
        if nobody and bisect_left(misspelt, start) == bisect_left(misspelt, end):
            # A line of plain text starts its line; in YAML a bracket in front would need quotes.
            plain = end > start and (start == 0 or reading.source[start - 1] in "\r\n")
            fix = f"[NC] {reading.source[start:end]}" if plain and (*path, "prompt") not in reading.spans else None
            message = Message(
                "Nobody of the cast is in panel {number}; name somebody, or put [NC] in front if that is meant.",
                number=number,
            )
            yield _finding(reading.source, (start, end), "warning", "nobody", message, fix)


def _meant(reading: Reading) -> Iterator[Finding]:
    """ "meant", as a note: who is in a panel by its words, and is not named: by pronouns, nouns and parts of names; and
    where such words are no longer read."""
    names = [member.name for member in reading.script.cast]
    read = 0
    for number, path, panel in _panels(reading):
        if names and not panel.told:
            if read >= READ:
                message = Message(
                    "Words such as “she” and “they” are read in the first {most} characters of the panels; from panel "
                    "{number} on, write the names.",
                    most=READ,
                    number=number,
                )
                yield _finding(reading.source, reading.span(path), "note", "meant", message)
                return
            read += len(panel.prompt[:LONG])
        named = {mention.name for mention in find_names(panel.prompt, names)}
        meant = [name for name in panel.cast if name not in named]
        if meant and not panel.told:
            message = Message(
                "Panel {number} does not name {who}, whom its words are taken to mean.",
                number=number,
                who=listed(meant),
            )
            yield _finding(reading.source, reading.span(path), "note", "meant", message)


_DENIED = re.compile(r"(?<!\w)(?:no|not|without|sin|ningún|ninguna)\s+|(?:没有|沒有|看不见|看不見)", re.IGNORECASE)
_THERE = re.compile(r"\s+\w+ing\b|\s+\w+[aei]r(?:se)?\b|['’]s?\b|[^\W\da-zA-Z]")
"""What goes on after who is there all the same: without Mia noticing, not Mia's hat."""


def _absent(reading: Reading) -> Iterator[Finding]:
    """ "absent", as a note: who is in a panel by a name that is only told of as not being there."""
    names = [member.name for member in reading.script.cast]
    for number, path, panel in _panels(reading):
        mentions = find_names(panel.prompt, names)
        denied = {hit.end() for hit in _DENIED.finditer(panel.prompt)}
        there = {
            mention.name
            for mention in mentions
            if mention.start not in denied or _THERE.match(panel.prompt, mention.end)
        }
        named = {mention.name for mention in mentions}
        missing = [name for name in panel.cast if name in named - there]
        if missing and not panel.told:
            start, end = reading.span(path)
            left = ", ".join(name for name in panel.cast if name not in missing) or NOBODY
            plain = end > start and (start == 0 or reading.source[start - 1] in "\r\n")
            fix = f"[{left}] {reading.source[start:end]}" if plain and (*path, "prompt") not in reading.spans else None
            message = Message(
                "Panel {number} shows {who} whatever its words say; write [{left}] in front to leave {who} out.",
                number=number,
                who=listed(missing),
                left=left,
            )
            yield _finding(reading.source, (start, end), "note", "absent", message, fix)


def _no_picture(reading: Reading, own: Lists, pictured: set[str], backend: ReadingBackend | None) -> Iterator[Finding]:
    """ "no-picture": a character of a panel without picture, who has to be drawn first, or who cannot be."""
    needed = {name for panel in reading.script.panels for name in _cast(panel, reading, own)}
    sketches = backend is not None and backend.about.sketches
    library = library_words(reading.script) if sketches else {}
    told: dict[str, str] = {}  # who is drawn from a description, by it
    for member in reading.script.cast:
        name = member.name
        if member.image is not None or name not in needed or name in pictured:
            continue
        span = reading.span(("cast", reading.members.index(name), "name"))
        severity, message = pictureless(member, backend, library)
        first = told.setdefault(folded(member.description), name)
        if severity == "note" and not sketches and first != name:
            severity = "warning"
            message = Message(
                "{name} has no picture and is drawn as {first} is; give one, or describe {name} in other words.",
                name=name,
                first=first,
            )
        yield _finding(reading.source, span, severity, "no-picture", message)


def pictureless(member: CastMember, backend: ReadingBackend | None, library: Mapping[str, str]) -> tuple[Severity, str]:
    """What is to be said of a member of a panel's cast without a picture, and how bad it is. `library`: what drawings
    of the library the backend has for whom of the cast, as `library_words` gives them."""
    name = member.name
    if backend is not None and backend.about.sketches:
        if member.drawing and name not in library:
            from anystory.sketch.likeness import missing  # whose vocabulary no model needs

            return "error", missing(member)
        if name in library:
            said = Message(
                "{name} has no picture and is {library}{drawing}",
                name=name,
                library=Message(LIBRARY),
                drawing=library[name],
            )
            first = next(other for other, words in library.items() if words == library[name])
            if first == name:
                return "note", Message("{said}.", said=said)
            return "warning", Message(
                "{said}, the same as {first}; describe {name} in other words, or give a picture.",
                said=said,
                first=first,
                name=name,
            )
        gives = Message(
            "{backend} shows pictures you give; give {name} one, or take one from the shelf.",
            backend=backend.about.name,
            name=name,
        )
        return "error", Message("{name} has no picture, and {gives}", name=name, gives=gives)
    if not member.description:
        return "error", Message("{name} has neither a picture nor a description; add one of the two.", name=name)
    if backend is not None and not backend.about.draws_characters:
        hardly = Message("{name} hardly draws a character from words; give a picture.", name=backend.about.name)
        return "warning", Message("{name} has no picture, and {hardly}", name=name, hardly=hardly)
    return "note", Message("{name} has no picture and is drawn from the description first.", name=name)


def library_words(script: Script) -> dict[str, str]:
    """What drawing of the library storybook has for whom of the cast, in words, by name."""
    from anystory.sketch.likeness import library_cast  # whose vocabulary no model needs

    return {name: likeness.words for name, likeness in library_cast(script).items()}


# --- panels -------------------------------------------------------------------------------------------------------


def _repeated(reading: Reading) -> Iterator[Finding]:
    """ "repeated": a panel that asks for the same picture as one before it, chance aside. Wildcards of panels without a
    seed become other words in each."""
    seen: dict[tuple[object, ...], int] = {}
    for number, path, panel in _panels(reading):
        if panel.seed is None and has_wildcards(panel.prompt):
            continue
        spaced = "".join(" " if unicodedata.category(char)[0] == "P" else char for char in panel.prompt.casefold())
        how = panel.style.casefold(), panel.seed, panel.size, panel.shape, panel.steering
        looks = " ".join(spaced.split()), panel.cast, *how
        first = seen.setdefault(looks, number)
        if first != number:
            message = Message(
                "Panel {number} repeats panel {first}; change one of them, or give both a seed.",
                number=number,
                first=first,
            )
            yield _finding(reading.source, reading.span(path), "warning", "repeated", message)


def _caption(reading: Reading) -> Iterator[Finding]:
    """ "caption": a # that was most likely meant to start a caption, but has no space before it."""
    for _, path, panel in _panels(reading):
        hit = re.search(r"(?<=\w)#(?=\w{2}|\s+[^\W\d_]+\s+\w)", panel.prompt)
        if hit and not panel.caption:
            start, end = reading.span(_sentence(path, reading), hit[0])
            exact = reading.source[start:end] == hit[0]
            message = Message("A # starts a caption only with a space before it.")
            yield _finding(reading.source, (start, end), "warning", "caption", message, " #" if exact else None)


def _wildcard(reading: Reading, own: Lists) -> Iterator[Finding]:
    """ "wildcard": one that no list is for, or that cannot be filled in, or that may leave a panel without words."""
    for number, path, panel in _panels(reading):
        try:
            expand(panel.prompt, number, own)
            wrong = dict(missing(panel.prompt, own))
        except WildcardError as error:
            wrong = dict(missing(panel.prompt, own))
            if not wrong:
                span = reading.span(_sentence(path, reading))
                yield _finding(reading.source, span, "error", "wildcard", error.said)
        for words, near in wrong.items():
            span = reading.span(_sentence(path, reading), words)
            fix = near if reading.source[slice(*span)] == words else None
            hint = Message(" (did you mean {near}?)", near=near) if near else ""
            message = Message("There is no list {words}{hint}.", words=words, hint=hint)
            yield _finding(reading.source, span, "error", "wildcard", message, fix)
        if may_be_empty(panel.prompt):
            message = Message(
                "The wildcards of panel {number} may leave no word of it; write some outside of them.", number=number
            )
            yield _finding(reading.source, reading.span(_sentence(path, reading)), "warning", "wildcard", message)


def _crowded(reading: Reading, backend: ReadingBackend) -> Iterator[Finding]:
    """ "crowded": more characters in a panel than the backend takes."""
    for number, path, panel in _panels(reading):
        if len(panel.cast) > backend.about.max_subjects:
            message = Message(
                "Panel {number} has {count} characters; {name} takes at most {max_subjects} in a frame: "
                "leave some out.",
                number=number,
                count=len(panel.cast),
                name=backend.about.name,
                max_subjects=backend.about.max_subjects,
            )
            yield _finding(reading.source, reading.span(path), "error", "crowded", message)


def _size(reading: Reading, backend: ReadingBackend) -> Iterator[Finding]:
    """ "size": of a panel's frame, or of all of them, that the backend cannot draw."""
    name, sizes = backend.about.name, backend.about.sizes
    asked: list[tuple[Where, int, Size | None]] = [((), 0, reading.script.size)]
    asked += [(path, number, panel.size) for number, path, panel in _panels(reading)]
    for path, number, size in asked:
        if size is not None and not size.within(sizes):
            drawn = sides(sizes)
            message = Message(
                "The story asks for {size} pixels; {name} draws {sizes}.", size=size, name=name, sizes=drawn
            )
            if number:
                message = Message(
                    "Panel {number} asks for {size} pixels; {name} draws {sizes}.",
                    number=number,
                    size=size,
                    name=name,
                    sizes=drawn,
                )
            span = reading.span((*path, "size"), str(size))
            near = Size(*(nearest_side(side, sizes) for side in size))
            fix = str(near) if reading.source[slice(*span)] == str(size) else None
            yield _finding(reading.source, span, "error", "size", message, fix)


def _unsteered(reading: Reading, backend: ReadingBackend) -> Iterator[Finding]:
    """ "steering", as a note: what steers a model, asked of a backend that is none, and a sketch for a reference of one
    that takes none."""
    if backend.about.sketches and reading.script.from_sketch is not None:
        message = Message(
            "{name} is not a model that {key} could act on; the story is made without it.",
            name=backend.about.name,
            key=KEY,
        )
        yield _finding(reading.source, reading.span((KEY,)), "note", "steering", message)
    if not backend.about.sketches and not backend.about.refers_to_sketches:
        asked: list[tuple[Where, FromSketch | None]] = [((), reading.script.from_sketch)]
        asked += [(path, panel.steering.from_sketch) for _, path, panel in _panels(reading)]
        for path, taken in asked:
            if taken is not None and taken.reference:
                message = Message(
                    "{name} takes no sketch for a reference; that part of {key} is left out.",
                    name=backend.about.name,
                    key=KEY,
                )
                yield _finding(reading.source, reading.span((*path, KEY), REFERENCE), "note", "steering", message)
    for number, path, panel in _panels(reading) if backend.about.sketches else ():
        layout = replace(panel.steering.layout, start=Layout.start, end=Layout.end)
        acts = steering_fields(Steering(layout))
        for key in (key for key in steering_fields(panel.steering) if key not in acts):
            message = Message(
                "{name} is not a model that {key} could act on; panel {number} is made without it.",
                name=backend.about.name,
                key=key,
                number=number,
            )
            yield _finding(reading.source, reading.span((*path, key)), "note", "steering", message)


# --- style --------------------------------------------------------------------------------------------------------


def _styled(reading: Reading) -> Iterator[tuple[Where, str]]:
    """The styles that are asked for, with their paths: the story's, then the panels'."""
    asked = [
        (("style",), reading.script.style),
        *(((*path, "style"), panel.style) for _, path, panel in _panels(reading)),
    ]
    return ((path, style) for path, style in asked if style)


def _style(reading: Reading) -> Iterator[Finding]:
    """ "style": words that are nearly the name of a preset."""
    names = [style.name for style in all_styles(reading.script.styles)]
    for path, style in _styled(reading):
        near = None if find_style(style, reading.script.styles) else nearest(style, names, cutoff=0.8)
        if near:
            span = reading.span(path, style)
            fix = near if reading.source[slice(*span)] == style else None
            message = Message("There is no style {style}; did you mean {near}?", style=repr(style), near=repr(near))
            yield _finding(reading.source, span, "warning", "style", message, fix)


def _unfollowed(reading: Reading, backend: ReadingBackend) -> Iterator[Finding]:
    """ "style", as a note: one that the backend cannot follow."""
    for path, style in () if backend.about.follows_style else _styled(reading):
        if style.casefold() != NO_STYLE.casefold():
            message = Message(
                "{name} cannot follow a style; {style} is left out of what it reads.",
                name=backend.about.name,
                style=repr(style),
            )
            yield _finding(reading.source, reading.span(path, style), "note", "style", message)


# --- text encoder -------------------------------------------------------------------------------------------------


def _foreign(reading: Reading, backend: ReadingBackend) -> Iterator[Finding]:
    """ "language": words the backend reads in letters of a language it does not. Names are not read, nor captions."""
    script = reading.script
    names = [member.name for member in script.cast]
    parts: list[tuple[Where, str]] = []
    for _, path, panel in _panels(reading):
        text, done = "", 0
        for mention in (mention for mention in find_names(panel.prompt, names) if mention.name in panel.cast):
            text, done = f"{text}{panel.prompt[done : mention.start]}\n", mention.end
        parts.append((_sentence(path, reading), text + panel.prompt[done:]))
    needed = {name for panel in script.panels for name in panel.cast}
    parts += [
        (("cast", reading.members.index(member.name), "description"), member.description)
        for member in script.cast
        if member.name in needed and member.name in reading.members
    ]
    parts += _styled(reading) if backend.about.follows_style else ()
    for path, text in parts:
        letters, words = _written(text, backend.about.languages)
        if letters:
            shown = words if len(words) <= 40 else f"{words[:40]}…"
            languages = listed([Message(language) for language in backend.about.languages])
            message = Message(
                "{name} reads {languages}, not {letters}; write {shown} in {languages}.",
                name=backend.about.name,
                languages=languages,
                letters=Message(letters),
                shown=repr(shown),
            )
            yield _finding(reading.source, reading.span(path, words), "warning", "language", message)


def _written(text: str, languages: Sequence[str]) -> tuple[str, str]:
    """The first letters in a text that none of `languages` is written in, as ("Chinese", the words up to the end of
    the line or to the next Latin ones); two empty strings for none."""
    fine = {"", *(letters for language in languages for letters in WRITTEN_IN.get(language, ()))}
    kinds = [_letters(char) for char in text]
    start = next((index for index, kind in enumerate(kinds) if kind is not None and kind not in fine), None)
    if start is None:
        return "", ""
    stop = next((i for i in range(start, len(text)) if kinds[i] in fine or text[i] == "\n"), len(text))
    words = re.sub(r"[\s\W]+$", "", text[start:stop])
    return kinds[start] or "", words


@lru_cache(1024)
def _letters(char: str) -> str | None:
    """What letters a character is of, one of the values of `LETTERS`, "" for others; None where it is no letter."""
    if unicodedata.category(char)[0] != "L":
        return None
    return LETTERS.get(re.split("[ -]", unicodedata.name(char, ""))[0], "")


def _unread(reading: Reading, backend: ReadingBackend) -> Iterator[Finding]:
    """ "unread": words beyond what the text encoder reads, once names are replaced by descriptions."""
    if backend.about.sketches:
        return
    script = reading.script
    names = [member.name for member in script.cast]
    for number, path, panel in _panels(reading):
        with contextlib.suppress(WildcardError):  # which is among the findings
            panel = expand_panel(panel, number - 1, tuple(names))
        members = [member for member in script.cast if member.name in panel.cast]
        style = style_of(script, panel) if backend.about.follows_style else ""
        pictures = [1 + len(member.more) for member in members]
        lost = backend.unread(compose(panel, members, style, names), pictures)
        if lost:
            starts = [hit.start() for hit in re.finditer(r"(?<!\S)\S", panel.prompt)]
            tails = (panel.prompt[start:].rstrip(" ,;:.!?") for start in starts)
            words = next((tail for tail in tails if tail in lost), "")
            shown = lost if len(lost) <= FALLS_OFF else f"{lost[:FALLS_OFF]}…"
            message = Message(
                "Panel {number} is longer than {name} reads: {shown} is cut off; shorten it or the "
                "descriptions of its characters.",
                number=number,
                name=backend.about.name,
                shown=repr(shown),
            )
            yield _finding(reading.source, reading.span(_sentence(path, reading), words), "warning", "unread", message)
