"""Who is in a script: characters checked, and found again by their names and aliases."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from anystory.errors import Message
from anystory.script.form import HEIGHTS, MAX_CAST, MAX_NAME, MEMBER_KEYS, NOBODY, Where, kind, meant, nearest, shown
from anystory.script.values import Values
from anystory.story.model import BACKGROUND, FACINGS, MAX_PICTURES, CastMember
from anystory.story.names import folded, visible


class Members:
    """The cast as it grows: those `known` before, then those a script has."""

    def __init__(self, values: Values, known: Sequence[CastMember]) -> None:
        self.values = values
        self.cast = [replace(member, name=visible(member.name)) for member in known]
        self.aliases: dict[str, str] = {}
        self._called_so: dict[str, str] = {}
        self._known = 0, 0
        self.check_names([(member.name, ()) for member in self.cast])

    def member(self, entry: Any, path: Where) -> str:
        """Add a character, or describe the one known by that name. Returns the name."""
        fields = self.fields(entry, path)
        name = self.values.text(fields, "name", path)
        name = name if "\n" in name else visible(name)
        description = self.values.attempt(self.values.text, fields, "description", path, otherwise="")
        height = self.values.attempt(self.height, fields, name, path)
        facing = self.values.attempt(self.facing, fields, name, path)
        drawing = self.values.attempt(self.values.text, fields, "drawing", path, otherwise="")
        for index, known in enumerate(self.cast):
            if folded(known.name) in map(folded, (name, *self.other_names(fields))):
                told = {"description": description, "height": height, "facing": facing, "drawing": drawing}
                self.cast[index] = replace(known, **{key: getattr(known, key) or told[key] for key in told})
                return name if folded(name) == folded(known.name) else known.name
        found: list[tuple[Any, Any]] = [*self.pictures(fields, name, path)] or [(None, None)]
        (image, mask), *more = found
        self.cast.append(CastMember(name, image, mask, description, tuple(more), height, facing, drawing))
        return name

    def height(self, fields: Mapping[str, Any], name: str, path: Where) -> float | None:
        """How tall a character is in metres; None where it is not said."""
        if fields.get("height") in (None, ""):
            return None
        low, high = HEIGHTS
        (metres,) = self.values.numbers(
            fields["height"], 1, (*path, "height"), Message("The height of {name}", name=name)
        )
        if not low <= metres <= high:
            self.values.fail(
                (*path, "height"),
                Message(
                    "The height of {name} is {metres}; it must be from {low} to {high} metres.",
                    name=name,
                    metres=f"{metres:g}",
                    low=low,
                    high=high,
                ),
            )
        return metres

    def facing(self, fields: Mapping[str, Any], name: str, path: Where) -> str | None:
        """Where a character's picture looks; None where it is not said."""
        facing = self.values.text(fields, "facing", path).casefold()
        if facing and facing not in FACINGS:
            near = nearest(facing, FACINGS)
            hint = meant(near)
            self.values.fail(
                (*path, "facing"),
                Message(
                    "{name} cannot face {facing}{hint}; choose {facings}.",
                    name=name,
                    facing=shown(facing),
                    hint=hint,
                    facings=", ".join(FACINGS),
                ),
            )
        return facing or None

    def pictures(self, fields: Mapping[str, Any], name: str, path: Where) -> list[tuple[Path, Path | None]]:
        """The pictures of a character, each with its mask: given as one or as lists in the same order."""
        given = {key: fields.get(key) for key in ("image", "mask")}
        listed = {key: value if isinstance(value, list | tuple) else [value] for key, value in given.items()}
        images, masks = ([file if file != "" else None for file in listed[key]] for key in given)
        while masks and masks[-1] is None:
            masks.pop()
        if masks and not any(images):
            self.values.report(
                (*path, "mask", 0),
                Message("{name} has a mask but no image that it could be of; add image, or delete mask.", name=name),
            )
        elif len(masks) > len(images):
            self.values.report(
                (*path, "mask", len(images)),
                Message(
                    "{name} has {masks} masks for {pictures} pictures; give each picture its mask, in the same order.",
                    name=name,
                    masks=len(masks),
                    pictures=len(images),
                ),
            )
        if len(images) > MAX_PICTURES:
            self.values.report(
                (*path, "image", MAX_PICTURES),
                Message(
                    "{name} has {count} pictures; at most {max_pictures} are used, leave some out.",
                    name=name,
                    count=len(images),
                    max_pictures=MAX_PICTURES,
                ),
            )
        found = []
        for index, (image, mask) in enumerate(itertools.zip_longest(images, masks)):
            files = [
                self.values.attempt(self.values.picture, file, self.values.word(path, key), (*path, key, index))
                for key, file in (("image", image), ("mask", mask))
            ]
            if image is None and len(images) > 1:
                self.values.report(
                    (*path, "image", index),
                    Message("Picture {index} of {name} is not named; name its file.", index=index + 1, name=name),
                )
            found += [files] if files[0] else []
        return [(image, mask) for image, mask in found[:MAX_PICTURES]]

    def fields(self, entry: Any, path: Where) -> Mapping[str, Any]:
        return self.values.mapping({"name": entry} if isinstance(entry, str) else entry, path, MEMBER_KEYS)

    def other_names(self, fields: Mapping[str, Any], path: Where = ()) -> list[str]:
        """The aliases of a character, given as one or as a list."""
        value = fields.get("alias")
        given = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return [visible(alias) for alias in given if isinstance(alias, str) and alias.strip()]

    def take_aliases(self, entry: Any, name: str | None, path: Where) -> None:
        fields = entry if isinstance(entry, Mapping) else {}
        value = fields.get("alias")
        if value is not None and not isinstance(value, str | list | tuple):
            self.values.fail(
                (*path, "alias"),
                Message("{word} must be a name or a list of names.", word=self.values.word(path, "alias")),
            )
        if isinstance(value, list | tuple) and len(value) > MAX_CAST:
            self.values.fail(
                (*path, "alias"),
                Message(
                    "{name} has {count} aliases; at most {max_cast} can be read.",
                    name=name,
                    count=len(value),
                    max_cast=MAX_CAST,
                ),
            )
        for alias in self.other_names(fields):
            taken = self.called_so
            owner = taken.get(folded(alias), name)
            if name is not None and owner is not None and folded(owner) != folded(name):
                self.values.report(
                    (*path, "alias"),
                    Message(
                        "{alias} means both {owner} and {name}; give one another alias.",
                        alias=shown(alias),
                        owner=owner,
                        name=name,
                    ),
                    "duplicate-name",
                    words=alias,
                )
            elif re.search(r"[\[\],，#\n]", alias) or not any(char.isalnum() for char in alias):
                self.values.report(
                    (*path, "alias"),
                    Message("The alias {alias} must have a letter and none of [ ] , #.", alias=shown(alias)),
                )
            elif name is not None and folded(alias) not in taken:
                self.aliases[alias] = name

    def check_names(self, names: Sequence[tuple[str, Where]]) -> None:
        seen: set[str] = set()
        for name, path in names:
            if not name:
                self.values.report(path, Message("A character needs a name."))
            elif len(name) > MAX_NAME:
                self.values.report(
                    path,
                    Message(
                        "The name {name}… has {count} characters; at most {max_name} fit.",
                        name=repr(name[:20]),
                        count=len(name),
                        max_name=MAX_NAME,
                    ),
                )
            elif folded(name) in (folded(NOBODY), BACKGROUND):
                self.values.report(
                    path,
                    Message(
                        "Nobody can be named {name}, which has a meaning of its own; choose another name.",
                        name=repr(name),
                    ),
                )
            elif re.search(r"[\[\],，#\n]", name) or not any(char.isalnum() for char in name):
                self.values.report(
                    path,
                    Message(
                        "The name {name} must have a letter and none of [ ] , #; choose another name.", name=repr(name)
                    ),
                )
            elif folded(name) in seen:
                self.values.report(
                    path,
                    Message("Two characters are named {name}; give one another name.", name=repr(name)),
                    "duplicate-name",
                )
            seen.add(folded(name))

    def names(self, values: Sequence[Any], path: Where) -> list[str]:
        """The known ones of some names."""
        if len(values) == 1 and isinstance(values[0], str) and values[0].strip().upper() == NOBODY:
            return []
        read = [self.values.attempt(self.name, value, (*path, index)) for index, value in enumerate(values)]
        return [name for name in read if name is not None]

    def name(self, value: Any, path: Where) -> str:
        """The cast's spelling of a name or an alias."""
        if not isinstance(value, str):
            self.values.fail(path, Message("A name must be text, not {kind}.", kind=kind(value)))
        wanted = folded(value)
        means = self.called_so
        if wanted not in means:
            self.values.enough()
            names = [member.name for member in self.cast]
            there = (
                Message("the cast is {names}", names=", ".join(names))
                if names
                else Message("the cast is empty: add them to it")
            )
            near = nearest(wanted, [*names, *self.aliases])
            hint = meant(near)
            sentence = Message(
                "Nobody is named {name}{hint}; {there}.", name=shown(value.strip()), hint=hint, there=there
            )
            self.values.fail(path, sentence, "unknown-name", near, words=value.strip())
        return means[wanted]

    def is_name(self, words: str) -> bool:
        return folded(words) in self.called_so

    @property
    def called_so(self) -> Mapping[str, str]:
        """The cast's spelling of every name and alias, by how they are folded."""
        if self._known != (len(self.cast), len(self.aliases)):  # both only grow, and keep what they have
            spelt = {folded(member.name): member.name for member in self.cast}
            self._called_so = {folded(alias): name for alias, name in self.aliases.items()} | spelt
            self._known = len(self.cast), len(self.aliases)
        return self._called_so
