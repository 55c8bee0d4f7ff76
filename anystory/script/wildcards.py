"""Wildcards in prompts: `{red|blue} ball`, `{small|} fox`, `__place__`; what is chosen follows from the seed alone.

`__name__` takes an entry of the list of that name, ours (wildcards.yaml in this folder) or those of a `wildcards.yaml`
beside a script. Choices nest, and entries may hold choices. The same prompt under the same seed always becomes the same
words; a wildcard keeps its choice when words around it change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from anystory.errors import AnyStoryError, Message
from anystory.script.form import MAX_TEXT, nearest
from anystory.story.model import Panel, Script, panel_seed
from anystory.story.prompt import find_names

FILE = "wildcards.yaml"
MAX_BYTES = 200_000
MAX_DEPTH = 8
LIST = re.compile(r"__([A-Za-z0-9][A-Za-z0-9 -]{0,38}[A-Za-z0-9]|[A-Za-z0-9])__")
CHOICE = re.compile(r"\{([^{}|]*\|[^{}]*)\}")
"""An innermost choice. Braces without a bar are words."""

Lists = Mapping[str, tuple[str, ...]]
"""Entries by the name of their list."""


class WildcardError(AnyStoryError, ValueError):
    """A wildcard cannot be filled in. The message is one sentence for the user."""


@cache
def lists() -> Lists:
    """The lists supplied."""
    return _load(Path(__file__).with_name(FILE))


def own_lists(folder: str | Path) -> Lists:
    """The lists of `wildcards.yaml` in a folder; none where there is no such file. Raises WildcardError."""
    path = Path(folder) / FILE
    return _load(path) if path.is_file() else MappingProxyType({})


def has_wildcards(text: str) -> bool:
    """Whether a prompt has something to fill in."""
    return bool(CHOICE.search(text) or LIST.search(text))


def missing(text: str, own: Lists = MappingProxyType({})) -> Iterator[tuple[str, str | None]]:
    """The wildcards of a prompt that no list is for, each once as it stands there, with the nearest that there is."""
    known = {name.casefold() for name in (*lists(), *own)}
    for name, words in {match[1]: match[0] for match in LIST.finditer(text)}.items():
        if name.casefold() not in known:
            near = nearest(name.casefold(), known)
            yield words, near and f"__{near}__"


def expand(text: str, seed: int, own: Lists = MappingProxyType({})) -> str:
    """The prompt with every wildcard filled in under `seed`; `own` lists go before ours. Raises WildcardError for a
    list that there is not, lists that go in a circle and a prompt that grows too long."""
    known = {name.casefold(): entries for name, entries in {**lists(), **own}.items()}
    count: dict[str, int] = {}

    def pick(options: tuple[str, ...] | list[str], of: str) -> str:
        """Equal wildcards choose each for itself: the second `__animal__` is another than the first, most times."""
        count[of] = count.get(of, 0) + 1
        digest = hashlib.sha256(f"{seed} {count[of]} {of}".encode("utf-8", "surrogatepass")).digest()
        return options[int.from_bytes(digest[:8], "big") % len(options)]

    def entry(match: re.Match[str]) -> str:
        name = match[1].casefold()
        for _, near in missing(match[0], own):
            hint = Message(" (did you mean {near}?)", near=near) if near else ""
            raise WildcardError(
                Message(
                    "There is no list {name}{hint}; the lists are {lists}.",
                    name=match[0],
                    hint=hint,
                    lists=", ".join(sorted(known)),
                )
            )
        return pick(known[name], match[0].casefold())

    for _ in range(MAX_DEPTH):
        if not has_wildcards(text):
            return " ".join(text.split())
        at = 0
        while choice := CHOICE.search(text, at):
            chosen = pick(choice[1].split("|"), choice[0]).strip()
            text = f"{text[: choice.start()]}{chosen}{text[choice.end() :]}"
            at = max(text.rfind("{", 0, choice.start()), 0)  # of what it was in, which may be innermost now
        text = LIST.sub(entry, text)
        if len(text) > MAX_TEXT:
            raise WildcardError(
                Message(
                    "With its wildcards the prompt has more than {max_text} characters; shorten it.", max_text=MAX_TEXT
                )
            )
    raise WildcardError(Message("The wildcards go in a circle; a list must not lead back to itself."))


def may_be_empty(text: str) -> bool:
    """Whether the choices of a prompt may leave no word of it."""
    while CHOICE.search(text):
        text = CHOICE.sub(lambda match: min(map(str.strip, match[1].split("|")), key=len), text)
    return not text.strip()


def expand_panel(panel: Panel, seed: int, names: tuple[str, ...], own: Lists = MappingProxyType({})) -> Panel:
    """The panel with its prompt filled in under its seed, or `seed` where it has none. Whom the words name then is in,
    also out of a list, and whoever was only named in a choice that was not taken, `{Mia|Tom} runs`, is not; but where
    the panel tells apart who is in it, that stays. `names` are those of the cast, in its order. Raises WildcardError as
    `expand` does, and where no word is left."""
    if not has_wildcards(panel.prompt):
        return panel
    seed = seed if panel.seed is None else panel.seed
    prompt = expand(panel.prompt, seed, own)
    if not prompt:
        raise WildcardError(
            Message(
                "The wildcards leave no word of the prompt under seed {seed}; write some outside of them.", seed=seed
            )
        )
    if panel.told:
        return replace(panel, prompt=prompt)
    before, after = ({mention.name for mention in find_names(text, names)} for text in (panel.prompt, prompt))
    there = set(panel.cast) - (before - after) | after
    panel = replace(panel, cast=tuple(name for name in names if name in there), prompt=prompt)
    return _without(panel, before - after)


def may_name(text: str, names: tuple[str, ...], own: Lists = MappingProxyType({})) -> set[str]:
    """Which of `names` a prompt names under some seed, lists and what they lead to being searched too."""
    known = {name.casefold(): entries for name, entries in {**lists(), **own}.items()}
    texts, asked = [text], set[str]()
    for text in texts:  # which grows
        for wanted in {match[1].casefold() for match in LIST.finditer(text)} - asked:
            asked.add(wanted)
            texts += known.get(wanted, ())
    return {mention.name for text in texts for mention in find_names(text, names)}


def expand_script(script: Script, seed: int, own: Lists = MappingProxyType({})) -> Script:
    """The script with every prompt filled in under its panel's seed, in a story of `seed`.
    Raises WildcardError with the panel's number."""
    names = tuple(member.name for member in script.cast)
    panels = []
    for number, panel in enumerate(script.panels, 1):
        try:
            panels.append(expand_panel(panel, panel_seed(seed, number), names, own))
        except WildcardError as error:
            raise WildcardError(Message("Panel {number}: {warning}", number=number, warning=error)) from error
    return replace(script, panels=tuple(panels))


def _without(panel: Panel, names: set[str]) -> Panel:
    """The panel without some of its characters, nor what is asked of their routing."""
    steering = panel.steering
    places = tuple(place for place in steering.layout.places if place.name not in names)
    layout = steering.layout
    flip = tuple(name for name in layout.flip if name not in names)
    turn, eta, gamma = (
        tuple(each for each in asked if each[0] not in names) for asked in (layout.turn, steering.eta, steering.gamma)
    )
    layout = replace(layout, places=places, flip=flip, turn=turn)
    steering = replace(steering, layout=layout, eta=eta, gamma=gamma)
    shows = tuple(words for words in panel.shows if not any(words.startswith(f"{name} ") for name in names))
    cast = tuple(name for name in panel.cast if name not in names)
    return replace(panel, cast=cast, steering=steering, shows=shows)


def _load(path: Path) -> Lists:
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise WildcardError(
                Message(
                    "{file} is larger than {max_bytes} kB; shorten it.", file=path.name, max_bytes=MAX_BYTES // 1000
                )
            )
        return MappingProxyType(dict(_checked(yaml.load(data.decode("utf-8-sig"), Loader=yaml.BaseLoader), path.name)))
    except OSError as error:
        raise WildcardError(
            Message("{file} cannot be read ({strerror}).", file=path.name, strerror=error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise WildcardError(Message("{file} is not UTF-8 text; save it as UTF-8.", file=path.name)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise WildcardError(
            Message("{file} is not YAML; write a list as `name: [one, two]`.", file=path.name)
        ) from error


def _checked(data: object, where: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not isinstance(data, dict):
        raise WildcardError(Message("{where} must hold lists such as `weather: [rain, snow]`.", where=where))
    for name, entries in data.items():
        if not LIST.fullmatch(f"__{name}__"):
            raise WildcardError(
                Message(
                    "{where}: a list's name has 1 to 40 letters, digits, spaces and dashes, not {name}.",
                    where=where,
                    name=repr(name),
                )
            )
        if not isinstance(entries, list) or not entries or not all(isinstance(e, str) and e.strip() for e in entries):
            raise WildcardError(
                Message("{where}: {name} must be a list of words, with one at least.", where=where, name=name)
            )
        yield name, tuple(" ".join(e.split()) for e in entries)
