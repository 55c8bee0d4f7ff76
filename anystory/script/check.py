"""A script's data checked, and made a `Script`: every mistake told in one sentence, with its place in the source."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Any, NoReturn

from anystory.cast.filenames import FilenameError, basename, find
from anystory.cast.images import ImageError, open_image
from anystory.cast.segment import MODELS
from anystory.errors import Message
from anystory.script.escapes import hidden, shown_again
from anystory.script.form import (
    HEIGHTS,
    LINE_KEYS,
    MAX_CAST,
    MAX_ERRORS,
    MAX_NAME,
    MAX_PANELS,
    MAX_TEXT,
    MEMBER_KEYS,
    NOBODY,
    PANEL_KEYS,
    SCRIPT_KEYS,
    Parsed,
    Reading,
    ScriptError,
    Span,
    Where,
    composed,
    kind,
    meant,
    nearest,
    place,
    shown,
    span_of,
)
from anystory.script.plain import CAPTION, COMMA, SAID, TAGGED
from anystory.script.pronouns import People
from anystory.story.layouts import LAYOUTS
from anystory.story.model import (
    BACKGROUND,
    BOUNDS,
    FACINGS,
    MAX_PICTURES,
    MAX_SEED,
    CastMember,
    Line,
    Panel,
    Script,
    Style,
)
from anystory.story.names import folded, visible
from anystory.story.prompt import find_names, rename
from anystory.story.size import SHAPES, Size
from anystory.story.steering import (
    PAINT,
    STRENGTHS,
    UNSTEERED,
    Layout,
    Place,
    Steering,
    SteeringError,
    numbers,
    painted,
    read_layout,
    read_strengths,
)
from anystory.story.styles import StyleError, find_style, joined, read_styles

TAG = re.compile(r"\[([^\[\]]*)\]")


def check(
    parsed: Parsed, folder: Path | None = None, known: Sequence[CastMember] = (), own: Sequence[Style] = ()
) -> Reading:
    """Read what was taken apart as far as it goes. `folder` is where its pictures lie (None forbids them), `known` are
    characters there are already, as in `anystory.script.read.parse_script`, `own` the presets beside the script."""
    return _Checker(parsed, folder, known).read(own)


class _Checker:
    """Makes a `Reading` of what was taken apart, going on after each mistake."""

    def __init__(self, parsed: Parsed, folder: Path | None, known: Sequence[CastMember]) -> None:
        self.source, self.spans, self.keys, self.called = parsed.source, parsed.spans, parsed.keys, parsed.called
        self.data, self.folder, self.left_out = parsed.data, folder, parsed.left_out
        self.errors: list[ScriptError] = []
        self.cast = [replace(member, name=visible(member.name)) for member in known]
        self.aliases: dict[str, str] = {}
        self.people = People({})
        self._called_so: dict[str, str] = {}
        self._known = 0, 0
        self.check_names([(member.name, ()) for member in self.cast])
        self.errors += parsed.problems[:MAX_ERRORS]

    def read(self, own: Sequence[Style]) -> Reading:
        """`own` are the presets beside the script; those that the script has itself come before them."""
        entries = self.attempt(self.mapping, self.data, (), SCRIPT_KEYS, otherwise={})
        members = self.attempt(self.items, entries, "cast", (), MAX_CAST, otherwise=[])
        named = [self.attempt(self.member, entry, ("cast", index)) for index, entry in enumerate(members)]
        self.check_names([(name, ("cast", index, "name")) for index, name in enumerate(named) if name is not None])
        for index, entry in enumerate(members):
            self.attempt(self.take_aliases, entry, named[index], ("cast", index))
        self.people = People({member.name: member.description for member in self.cast})
        listed = self.attempt(self.items, entries, "panels", (), MAX_PANELS, otherwise=None)
        if listed is not None and not listed and not self.errors:
            self.report(
                ("panels",),
                Message("The script has no panels; write at least one{under}.", under=self.under("panels")),
            )
        panels = tuple(self.attempt(self.panel, entry, ("panels", index)) for index, entry in enumerate(listed or []))
        texts = {
            key: self.attempt(self.text, entries, key, (), otherwise="") for key in ("title", "style", "segmenter")
        }
        if texts["segmenter"] not in ("", *MODELS):
            near = nearest(texts["segmenter"], MODELS)
            hint = meant(near)
            wrong = Message("There is no segmentation model {name}{hint}", name=shown(texts["segmenter"]), hint=hint)
            self.report(
                ("segmenter",),
                Message("{wrong}; choose one of {models}.", wrong=wrong, models=", ".join(MODELS)),
                fix=near,
            )
        seen = tuple(panel for panel in panels if panel and panel.prompt)
        frame = self.frame(entries, ())
        script = Script(seen, tuple(self.cast), **texts, **frame, pages=self.pages(entries, frame))
        styles = self.styles(entries, script, own)
        return Reading(
            source=self.source,
            script=replace(script, styles=styles),
            members=tuple(named),
            aliases=tuple(self.aliases),
            panels=panels,
            errors=tuple(self.errors),
            spans=self.spans,
            left_out=self.left_out,
        )

    def styles(self, entries: Mapping[str, Any], script: Script, own: Sequence[Style]) -> tuple[Style, ...]:
        """The presets the script brings, and of those beside it the ones that it uses."""
        brought: tuple[Style, ...] = ()
        if entries.get("styles") is not None:
            try:
                brought = read_styles(entries["styles"], "styles")
            except StyleError as error:
                self.report(("styles",), error.said)
        asked = [script.style, *(panel.style for panel in script.panels)]
        used = [style for style in own if any(find_style(name, own) == style for name in asked)]
        return joined(brought, used)

    def member(self, entry: Any, path: Where) -> str:
        """Add a character, or describe the one known by that name. Returns the name."""
        fields = self.fields(entry, path)
        name = self.text(fields, "name", path)
        name = name if "\n" in name else visible(name)
        description = self.attempt(self.text, fields, "description", path, otherwise="")
        height = self.attempt(self.height, fields, name, path)
        facing = self.attempt(self.facing, fields, name, path)
        drawing = self.attempt(self.text, fields, "drawing", path, otherwise="")
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
        (metres,) = self.numbers(fields["height"], 1, (*path, "height"), Message("The height of {name}", name=name))
        if not low <= metres <= high:
            self.fail(
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
        facing = self.text(fields, "facing", path).casefold()
        if facing and facing not in FACINGS:
            near = nearest(facing, FACINGS)
            hint = meant(near)
            self.fail(
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
            self.report(
                (*path, "mask", 0),
                Message("{name} has a mask but no image that it could be of; add image, or delete mask.", name=name),
            )
        elif len(masks) > len(images):
            self.report(
                (*path, "mask", len(images)),
                Message(
                    "{name} has {masks} masks for {pictures} pictures; give each picture its mask, in the same order.",
                    name=name,
                    masks=len(masks),
                    pictures=len(images),
                ),
            )
        if len(images) > MAX_PICTURES:
            self.report(
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
                self.attempt(self.picture, file, self.word(path, key), (*path, key, index))
                for key, file in (("image", image), ("mask", mask))
            ]
            if image is None and len(images) > 1:
                self.report(
                    (*path, "image", index),
                    Message("Picture {index} of {name} is not named; name its file.", index=index + 1, name=name),
                )
            found += [files] if files[0] else []
        return [(image, mask) for image, mask in found[:MAX_PICTURES]]

    def fields(self, entry: Any, path: Where) -> Mapping[str, Any]:
        return self.mapping({"name": entry} if isinstance(entry, str) else entry, path, MEMBER_KEYS)

    def other_names(self, fields: Mapping[str, Any], path: Where = ()) -> list[str]:
        """The aliases of a character, given as one or as a list."""
        value = fields.get("alias")
        given = value if isinstance(value, list | tuple) else [] if value is None else [value]
        return [visible(alias) for alias in given if isinstance(alias, str) and alias.strip()]

    def take_aliases(self, entry: Any, name: str | None, path: Where) -> None:
        fields = entry if isinstance(entry, Mapping) else {}
        value = fields.get("alias")
        if value is not None and not isinstance(value, str | list | tuple):
            self.fail(
                (*path, "alias"), Message("{word} must be a name or a list of names.", word=self.word(path, "alias"))
            )
        if isinstance(value, list | tuple) and len(value) > MAX_CAST:
            self.fail(
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
                self.report(
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
                self.report(
                    (*path, "alias"),
                    Message("The alias {alias} must have a letter and none of [ ] , #.", alias=shown(alias)),
                )
            elif name is not None and folded(alias) not in taken:
                self.aliases[alias] = name

    def check_names(self, names: Sequence[tuple[str, Where]]) -> None:
        seen: set[str] = set()
        for name, path in names:
            if not name:
                self.report(path, Message("A character needs a name."))
            elif len(name) > MAX_NAME:
                self.report(
                    path,
                    Message(
                        "The name {name}… has {count} characters; at most {max_name} fit.",
                        name=repr(name[:20]),
                        count=len(name),
                        max_name=MAX_NAME,
                    ),
                )
            elif folded(name) in (folded(NOBODY), BACKGROUND):
                self.report(
                    path,
                    Message(
                        "Nobody can be named {name}, which has a meaning of its own; choose another name.",
                        name=repr(name),
                    ),
                )
            elif re.search(r"[\[\],，#\n]", name) or not any(char.isalnum() for char in name):
                self.report(
                    path,
                    Message(
                        "The name {name} must have a letter and none of [ ] , #; choose another name.", name=repr(name)
                    ),
                )
            elif folded(name) in seen:
                self.report(
                    path,
                    Message("Two characters are named {name}; give one another name.", name=repr(name)),
                    "duplicate-name",
                )
            seen.add(folded(name))

    def panel(self, entry: Any, path: Where) -> Panel:
        """A panel, which tells whether its source says apart from the prompt who is in it."""
        if isinstance(entry, str):
            line, *said = re.split(rf"\n[^\S\n]*+{SAID}", entry)
            prompt, *caption = CAPTION.split(hidden(line), maxsplit=1)
            entry = {"prompt": prompt, "caption": self.unbracketed("".join(caption)), "dialogue": said}
        fields = self.mapping(entry, path, PANEL_KEYS)
        prompt = self.text(fields, "prompt", path)
        told = fields.get("cast") is not None
        if told:
            cast = self.names(self.items(fields, "cast", path, MAX_CAST), (*path, "cast"))
            prompt = self.without_aliases(shown_again(prompt).strip())
        else:
            prompt, named, tags = self.bracketed(prompt, (*path, "prompt"))
            prompt, told = self.without_aliases(shown_again(prompt).strip()), named is not None
            if "layout" in tags:
                tags |= self.attempt(self.laid, tags.pop("layout"), (*path, "layout"), otherwise={})
            tags |= {key: read_strengths(tags[key]) for key in STRENGTHS if key in tags}
            if "reference_steps" in tags:
                tags["reference_steps"] = tags["reference_steps"].split()
            fields = tags | {key: value for key, value in fields.items() if value not in (None, "")}
            mentions = find_names(prompt, [member.name for member in self.cast])
            found = list(dict.fromkeys(mention.name for mention in mentions))
            cast = named if named is not None else [*found, *self.people.meant(prompt, found)]
        self.people.saw(prompt, cast)
        if not prompt:
            self.report(
                (*path, "prompt"),
                Message("The panel has no prompt; say what is to be seen{under}.", under=self.under("prompt", path)),
            )
        dialogue = self.attempt(self.items, fields, "dialogue", path, MAX_PANELS, otherwise=[])
        lines = [self.attempt(self.line, line, (*path, "dialogue", index)) for index, line in enumerate(dialogue)]
        caption, style = (self.attempt(self.text, fields, key, path, otherwise="") for key in ("caption", "style"))
        return Panel(
            prompt=prompt,
            cast=tuple(member.name for member in self.cast if member.name in cast),
            caption=shown_again(caption).strip(),
            dialogue=tuple(filter(None, lines)),
            seed=self.attempt(self.number, fields, "seed", path, 0, MAX_SEED),
            style=shown_again(style).strip(),
            steering=self.attempt(self.steering, fields, cast, path, otherwise=UNSTEERED),
            **self.frame(fields, path),
            told=told,
        )

    def frame(self, fields: Mapping[str, Any], path: Where) -> dict[str, Any]:
        """How large frames are and what shape they have."""
        size = self.attempt(self.size, fields, path)
        shape = self.attempt(self.shape, fields, path, otherwise="")
        if shape and size and not size.is_square:
            message = Message("The story has both sides of its size and the shape {shape}; leave one out.", shape=shape)
            if path:
                pattern = "Panel {number} has both sides of its size and the shape {shape}; leave one out."
                message = Message(pattern, number=int(path[-1]) + 1, shape=shape)
            self.report((*path, "shape"), message)
            shape = ""
        return {"size": size, "shape": shape}

    def pages(self, entries: Mapping[str, Any], frame: Mapping[str, Any]) -> str:
        """The layout of pages whose cells give frames their shapes; "" where none is said."""
        pages = self.attempt(self.text, entries, "pages", (), otherwise="").casefold()
        if pages not in ("", *LAYOUTS):
            near, layouts = nearest(pages, LAYOUTS), ", ".join(LAYOUTS)
            wrong = Message(
                "There is no layout {layout}; the layouts are {layouts}.", layout=shown(pages), layouts=layouts
            )
            self.report(("pages",), wrong, fix=near)
            return ""
        if pages and (frame["shape"] or (frame["size"] and not frame["size"].is_square)):
            wrong = Message("The story has a shape and pages that give each panel its own; leave one out.")
            self.report(("pages",), wrong)
            return ""
        return pages

    def size(self, fields: Mapping[str, Any], path: Where) -> Size | None:
        """The size of frames; None where it is not said."""
        value = fields.get("size")
        if value is None or value == "":
            return None
        low, high = BOUNDS["size"]
        try:
            size = Size.of(value)
        except ValueError:
            size = Size(0, 0)
        if not all(low <= side <= high for side in size):
            number = value if not isinstance(value, str) or not re.fullmatch(r"[+-]?\d{1,20}", value) else int(value)
            message = Message(
                "The {word} {value} must be a whole number from {low} to {high}, or two such as 1344x768.",
                word=self.word(path, "size"),
                value=shown(number),
                low=low,
                high=high,
            )
            self.fail((*path, "size"), message)
        return size

    def shape(self, fields: Mapping[str, Any], path: Where) -> str:
        """The shape of frames; "" where it is not said."""
        value = fields.get("shape")
        if value is None or value == "":
            return ""
        shape = re.sub(r"\s*[:：/xX×]\s*", ":", str(value).strip())
        if shape not in SHAPES:
            message = Message(
                "The {word} {value} is none that frames have: {shapes}.",
                word=self.word(path, "shape"),
                value=shown(value),
                shapes=", ".join(SHAPES),
            )
            self.fail((*path, "shape"), message)
        return shape

    def steering(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> Steering:
        """What is asked of the routing of a panel with `cast`."""
        layout = self.attempt(self.layout, fields, cast, path, otherwise=Layout())
        asked: dict[str, Any] = {
            key: self.strengths(fields, key, cast, path) for key in STRENGTHS if fields.get(key) is not None
        }
        router = fields.get("router")
        if router is not None and str(router).casefold() not in ("true", "false"):
            self.fail((*path, "router"), Message("router is true or false, not {router}.", router=shown(router)))
        if fields.get("reference_steps") is not None:
            asked["reference"] = self.numbers(fields["reference_steps"], 2, (*path, "reference_steps"))
        try:
            return Steering(layout, router=str(router).casefold() != "false", **asked)
        except SteeringError as error:
            self.fail((*path, error.key), error.said)

    def strengths(
        self, fields: Mapping[str, Any], key: str, cast: Sequence[str], path: Where
    ) -> tuple[tuple[str, float], ...]:
        """Numbers of some of the panel's characters."""
        if not isinstance(fields[key], Mapping):
            self.fail((*path, key), Message("{word} must be a mapping of names to numbers.", word=self.word(path, key)))
        found: list[tuple[str, float]] = []
        for name, value in fields[key].items():
            who = self.name(name, (*path, key, name))
            if who not in cast:
                self.fail(
                    (*path, key, name),
                    Message("{who} has a strength but is not in the panel; name {who} there.", who=who),
                )
            (strength,) = self.numbers(value, 1, (*path, key, name), Message("The {key} of {name}", key=key, name=who))
            found.append((who, strength))
        return tuple(found)

    def layout(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> Layout:
        """Where those of a panel's `cast` are to be who have a place."""
        given = fields.get("layout")
        if given is not None and not isinstance(given, Mapping):
            self.fail(
                (*path, "layout"),
                Message("{word} must be a mapping of names to places.", word=self.word(path, "layout")),
            )
        listed = (given or {}).items()
        read = (self.attempt(self.placed, *entry, cast, (*path, "layout", entry[0])) for entry in listed)
        places = tuple(filter(None, read))
        given = fields.get("layout_strength", Layout.strength)
        (strength,) = self.numbers(given, 1, (*path, "layout_strength"), code="layout")
        given = fields.get("layout_steps", (Layout.start, Layout.end))
        steps = self.numbers(given, 2, (*path, "layout_steps"), code="layout")
        try:
            return Layout(places, strength, *steps)
        except SteeringError as error:
            self.fail((*path, error.key), error.said, "layout")

    def placed(self, name: str, place: Any, cast: Sequence[str], path: Where) -> Place:
        """A place: four numbers, paint as text, or the file of a picture that is white where the place is."""
        who = BACKGROUND if folded(name) == BACKGROUND else self.name(name, path)
        if who not in (*cast, BACKGROUND):
            sentence = Message(
                "{who} has a place in the layout but is not in the panel; name {who}, or delete the place.", who=who
            )
            self.fail(path, sentence, "layout", words=name)
        try:
            if isinstance(place, str) and place.startswith(PAINT):
                return Place(who, paint=place)
            if isinstance(place, str) and (file := self.picture(place, "layout", path)):
                return Place(who, paint=painted(open_image(file)))
            left, top, right, bottom = self.numbers(
                place, 4, path, Message("The box of {name}", name=who), code="layout", words=name
            )
            return Place(who, (left, top, right, bottom))
        except (SteeringError, ImageError) as error:
            self.fail(path, error.said, "layout", words=name)

    def laid(self, text: str, path: Where) -> dict[str, Any]:
        try:
            return read_layout(text)
        except SteeringError as error:
            self.fail(path, error.said, "layout", words=text)

    def bracketed(self, prompt: str, path: Where) -> tuple[str, list[str] | None, dict[str, Any]]:
        """The prompt without its brackets, who is in it (None = nobody is said to be or not to be), and the keys of the
        panel that stand in it in brackets.

        `[KEY: …]` and `[NC]` may stand anywhere. Names in front are taken away, `[Mia] runs` being said of Mia; but
        where more names follow in brackets they are words of the sentence: `[Mia] and [Tom] run`. `[…]` around other
        words stays.
        """
        front: list[str] = []
        inside: list[str] = []
        tags: dict[str, Any] = {}
        text, done, listed, named, in_front = "", 0, False, False, True
        for tag in TAG.finditer(prompt):
            words = tag[1].strip()
            text += prompt[done : tag.start()]
            done = tag.end()
            in_front = in_front and not text.strip()
            if keyed := TAGGED.fullmatch(tag[0]):
                tags[keyed[1].lower()], text = keyed[2], text.rstrip()
            elif words.upper() == NOBODY:
                listed, text = True, text.rstrip()
            elif in_front:
                listed = named = True
                front += self.names(self.listed(tag[1]), path)
            else:
                inside += [words] if self.is_name(words) else []
                text += self.unbracketed(tag[0])
        text += prompt[done:]
        if "cast" in tags:
            front, listed, named = front + self.names(self.listed(tags.pop("cast")), path), True, False
        if named and len(front) == 1 and inside:
            text = f"{front[0]} {text.lstrip()}"
        if not listed:
            return composed(text), None, tags
        return composed(text), front + (self.names(inside, path) if named else []), tags

    def unbracketed(self, text: str) -> str:
        """The text without the brackets around names."""
        return TAG.sub(lambda tag: tag[1].strip() if self.is_name(tag[1]) else tag[0], text)

    def without_aliases(self, prompt: str) -> str:
        """The prompt with names for aliases; an alias within a longer name is part of that."""
        return rename(prompt, {member.name: member.name for member in self.cast} | self.aliases)

    def listed(self, text: str) -> list[str]:
        """The names that brackets list; a name may have a 、 itself."""
        parts = COMMA.split(text)
        return [name for part in parts for name in ([part] if self.is_name(part) else part.split("、"))]

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

    def line(self, entry: Any, path: Where) -> Line:
        if isinstance(entry, str):
            entry = self.spoken(entry, path)
        fields = self.mapping(entry, path, LINE_KEYS)
        who = self.name(self.text(fields, "who", path), (*path, "who"))
        say = shown_again(self.text(fields, "say", path)).strip()
        if not say:
            self.fail(
                (*path, "say"), Message("{who} says nothing; give the words under 'say' or delete the entry.", who=who)
            )
        return Line(who, say)

    def spoken(self, text: str, path: Where) -> dict[str, str]:
        """A line of dialogue in its parts; a name may have a colon itself."""
        colons = [hit.span() for hit in re.finditer("[:：]", text)]
        if not colons:
            self.fail(path, Message("It is not told who says {text}; write `NAME: words`.", text=shown(text.strip())))
        most = 1 + max((name.count(":") for name in self.called_so), default=0)
        start, end = next((at for at in reversed(colons[:most]) if self.is_name(text[: at[0]])), colons[0])
        return {"who": text[:start], "say": hidden(text[end:])}

    def names(self, values: Sequence[Any], path: Where) -> list[str]:
        """The known ones of some names."""
        if len(values) == 1 and isinstance(values[0], str) and values[0].strip().upper() == NOBODY:
            return []
        read = [self.attempt(self.name, value, (*path, index)) for index, value in enumerate(values)]
        return [name for name in read if name is not None]

    def name(self, value: Any, path: Where) -> str:
        """The cast's spelling of a name or an alias."""
        if not isinstance(value, str):
            self.fail(path, Message("A name must be text, not {kind}.", kind=kind(value)))
        wanted = folded(value)
        means = self.called_so
        if wanted not in means:
            self.enough()
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
            self.fail(path, sentence, "unknown-name", near, words=value.strip())
        return means[wanted]

    def number(self, fields: Mapping[str, Any], key: str, path: Where, low: int, high: int) -> int | None:
        """A whole number within its bounds; None where it is not there."""
        value = fields.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}", value, re.ASCII):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            word = self.word(path, key)
            self.fail(
                (*path, key),
                Message(
                    "The {word} {value} must be a whole number from {low} to {high}.",
                    word=word,
                    value=shown(value),
                    low=low,
                    high=high,
                ),
            )
        return value

    def numbers(
        self, value: Any, count: int, path: Where, what: str = "", code: str = "script", words: str = ""
    ) -> tuple[float, ...]:
        """`count` numbers, which a sentence calls `what` (their key, if nothing is said)."""
        try:
            return numbers(value, count, what or str(path[-1]))
        except ValueError as error:
            self.fail(path, error.args[0], code, words=words)

    def picture(self, value: Any, word: str, path: Where) -> Path | None:
        """The file that a value names; `word` is what the source calls it."""
        if value is None or value == "":
            return None
        if not isinstance(value, str | os.PathLike):
            self.fail(path, Message("{word} must be a path, not {kind}.", word=word, kind=kind(value)))
        if self.folder is None:
            self.fail(
                path,
                Message("Pasted text cannot name a picture ({file}); load it as a file.", file=shown(str(value))),
            )
        if bad := re.search(r"[\x00-\x1f\x7f]", str(value)):
            hint = Message("\\ begins an escape in double quotes, so write folders with /")
            self.fail(
                path,
                Message(
                    "{word} has the control character U+{code} ({file}); {hint}.",
                    word=word,
                    code=f"{ord(bad[0]):04X}",
                    file=shown(str(value), 400),
                    hint=hint,
                ),
            )
        try:
            file = find(value if isinstance(value, str) else Path(value), self.folder)
        except FilenameError as error:
            self.fail(path, error.said)
        if file is not None and file.is_file():
            return file.resolve()
        name, where = basename(str(value)), value if PureWindowsPath(value).drive else self.folder.resolve() / value
        aside = Message(", or put {name} beside the script", name=name) if name != str(value) else ""
        self.fail(
            path,
            Message(
                "There is no picture file {where}; check {word}{aside}.",
                where=shown(str(where), 400),
                word=word,
                aside=aside,
            ),
        )

    def text(self, fields: Mapping[str, Any], key: str, path: Where) -> str:
        """A string in composed form, stripped; "" if it is not there."""
        value = fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fail(
                (*path, key),
                Message("{word} must be text, not {kind}.", word=self.word(path, key), kind=kind(value)),
            )
        try:  # JSON may write an emoji as two halves
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.fail((*path, key), Message("{word} has half a character; write it again.", word=self.word(path, key)))
        value = composed(value.replace("\r\n", "\n"))
        if bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value):
            self.fail(
                (*path, key),
                Message(
                    "{word} has the control character U+{code}; delete it.",
                    word=self.word(path, key),
                    code=f"{ord(bad[0]):04X}",
                ),
            )
        if len(value) > MAX_TEXT:
            self.fail(
                (*path, key),
                Message(
                    "{word} has {count} characters; at most {max_text} can be read.",
                    word=self.word(path, key),
                    count=len(value),
                    max_text=MAX_TEXT,
                ),
            )
        return value

    def items(self, fields: Mapping[str, Any], key: str, path: Where, most: int) -> Sequence[Any]:
        value = fields.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fail(
                (*path, key),
                Message("{word} must be a list, not {kind}.", word=self.word(path, key), kind=kind(value)),
            )
        if len(value) > most:
            self.fail(
                (*path, key, most),
                Message(
                    "{word} has {count} entries; at most {most} can be read.",
                    word=self.word(path, key),
                    count=len(value),
                    most=most,
                ),
            )
        return value

    def mapping(self, value: Any, path: Where, keys: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.fail(path, Message("Expected {keys} here, not {kind}.", keys=", ".join(keys), kind=kind(value)))
        for key in value:
            if key not in keys and len(self.errors) < MAX_ERRORS:
                near = nearest(str(key), keys)
                hint = meant(near)
                self.report(
                    (*path, key),
                    Message(
                        "There is no key {key} here{hint}; the keys are {keys}.",
                        key=shown(key),
                        hint=hint,
                        keys=", ".join(keys),
                    ),
                    fix=near,
                    span=self.keys.get((*path, key)),
                )
        return value

    def word(self, path: Where, key: str) -> str:
        """What the source calls a key."""
        return self.called.get((*path, key), key)

    def under(self, key: str, path: Where = ()) -> str:
        """Where to write it, for a source that calls it otherwise."""
        return Message(" under {word}", word=shown(self.word(path, key))) if (*path, key) in self.called else ""

    def attempt(self, read: Callable[..., Any], *arguments: Any, otherwise: Any = None) -> Any:
        """What `read` returns, or `otherwise` with its complaint kept."""
        try:
            return read(*arguments)
        except ScriptError as error:
            self.errors += [error][: MAX_ERRORS - len(self.errors)]
            return otherwise

    def enough(self) -> None:
        """Raise where another mistake would not be told: its sentence, hint and place take time."""
        if len(self.errors) >= MAX_ERRORS:
            raise ScriptError(Message("There are more mistakes."))

    def report(self, *arguments: Any, **more: Any) -> None:
        """Complain, and go on."""
        self.attempt(partial(self.fail, *arguments, **more))

    def fail(
        self,
        path: Where,
        sentence: str,
        code: str = "script",
        fix: str | None = None,
        *,
        words: str = "",
        span: Span | None = None,
    ) -> NoReturn:
        """Raise with the place of the nearest part that has one, or of `words` within it."""
        self.enough()
        span = span or span_of(self.source, self.spans, path, words)
        # What is to be put in place of another word needs the place of that word.
        exact = span is not None and (not words or self.source[slice(*span)] == words)
        raise ScriptError(sentence, span and place(self.source, span[0]), span, code, fix if exact else None)
