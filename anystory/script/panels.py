"""Panels of a script checked: who is in them, what their brackets say, their dialogue and how they are steered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from anystory.cast.images import ImageError, open_image
from anystory.errors import Message
from anystory.script.escapes import hidden, shown_again
from anystory.script.form import LINE_KEYS, MAX_CAST, MAX_PANELS, NOBODY, PANEL_KEYS, Where, composed, shown
from anystory.script.members import Members
from anystory.script.plain import CAPTION, COMMA, SAID, TAGGED
from anystory.script.pronouns import People
from anystory.script.values import Values
from anystory.story.model import BACKGROUND, MAX_SEED, Line, Panel
from anystory.story.names import folded
from anystory.story.prompt import find_names, rename
from anystory.story.steering import (
    PAINT,
    STRENGTHS,
    UNSTEERED,
    Layout,
    Place,
    Steering,
    SteeringError,
    painted,
    read_flip,
    read_layout,
    read_strengths,
)

TAG = re.compile(r"\[([^\[\]]*)\]")


class PanelReader:
    """Reads panels one after the other: whom "she" means follows from those before."""

    def __init__(self, values: Values, members: Members) -> None:
        self.values, self.members = values, members
        self.people = People({member.name: member.description for member in members.cast})

    def panel(self, entry: Any, path: Where) -> Panel:
        """A panel, which tells whether its source says apart from the prompt who is in it."""
        if isinstance(entry, str):
            line, *said = re.split(rf"\n[^\S\n]*+{SAID}", entry)
            prompt, *caption = CAPTION.split(hidden(line), maxsplit=1)
            entry = {"prompt": prompt, "caption": self.unbracketed("".join(caption)), "dialogue": said}
        fields = self.values.mapping(entry, path, PANEL_KEYS)
        prompt = self.values.text(fields, "prompt", path)
        told = fields.get("cast") is not None
        if told:
            cast = self.members.names(self.values.items(fields, "cast", path, MAX_CAST), (*path, "cast"))
            prompt = self.without_aliases(shown_again(prompt).strip())
        else:
            prompt, named, tags = self.bracketed(prompt, (*path, "prompt"))
            prompt, told = self.without_aliases(shown_again(prompt).strip()), named is not None
            if "layout" in tags:
                tags |= self.values.attempt(self.laid, tags.pop("layout"), (*path, "layout"), otherwise={})
            tags |= {key: read_strengths(tags[key]) for key in ("turn", *STRENGTHS) if key in tags}
            tags |= {"flip": read_flip(tags["flip"])} if "flip" in tags else {}
            if "reference_steps" in tags:
                tags["reference_steps"] = tags["reference_steps"].split()
            fields = tags | {key: value for key, value in fields.items() if value not in (None, "")}
            mentions = find_names(prompt, [member.name for member in self.members.cast])
            found = list(dict.fromkeys(mention.name for mention in mentions))
            cast = named if named is not None else [*found, *self.people.meant(prompt, found)]
        self.people.saw(prompt, cast)
        if not prompt:
            self.values.report(
                (*path, "prompt"),
                Message(
                    "The panel has no prompt; say what is to be seen{under}.", under=self.values.under("prompt", path)
                ),
            )
        dialogue = self.values.attempt(self.values.items, fields, "dialogue", path, MAX_PANELS, otherwise=[])
        lines = [
            self.values.attempt(self.line, line, (*path, "dialogue", index)) for index, line in enumerate(dialogue)
        ]
        caption, style = (
            self.values.attempt(self.values.text, fields, key, path, otherwise="") for key in ("caption", "style")
        )
        return Panel(
            prompt=prompt,
            cast=tuple(member.name for member in self.members.cast if member.name in cast),
            caption=shown_again(caption).strip(),
            dialogue=tuple(filter(None, lines)),
            seed=self.values.attempt(self.values.number, fields, "seed", path, 0, MAX_SEED),
            style=shown_again(style).strip(),
            shows=self.values.attempt(self.shows, fields, cast, path, otherwise=()),
            steering=self.values.attempt(self.steering, fields, cast, path, otherwise=UNSTEERED),
            **self.values.frame(fields, path),
            duration=self.values.attempt(self.values.duration, fields, path),
            told=told,
        )

    def shows(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> tuple[str, ...]:
        """What a panel with `cast` is told to show; names as the cast has them."""
        given, path = fields.get("shows"), (*path, "shows")
        if not given:
            return ()
        from anystory.sketch.shows import told  # whose vocabulary few scripts need

        if isinstance(given, str):
            given = [part for part in re.split("[;；]", given) if part.strip()]
        found = []
        for entry in self.values.items({"shows": given}, "shows", path[:-1], MAX_PANELS):
            words = composed(str(entry).strip())
            meant = told(words, self.members.called_so)
            if meant is None:
                sentence = Message(
                    "{words} is nothing that a picture can be told to show; name a place, a time of day, a weather, a "
                    "shot, or a character and what they do or feel.",
                    words=shown(words),
                )
                self.values.fail(path, sentence, words=words)
            who = self.members.called_so[meant.who] if meant.who else ""
            if who and who not in cast:
                sentence = Message("{who} is told what to do but is not in the panel; name {who} there.", who=who)
                self.values.fail(path, sentence, words=words)
            found.append(f"{who} {meant.words}" if who else words)
        return tuple(found)

    def steering(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> Steering:
        """What is asked of the routing of a panel with `cast`."""
        layout = self.values.attempt(self.layout, fields, cast, path, otherwise=Layout())
        asked: dict[str, Any] = {
            key: self.strengths(fields, key, cast, path) for key in STRENGTHS if fields.get(key) is not None
        }
        router = fields.get("router")
        if router is not None and str(router).casefold() not in ("true", "false"):
            self.values.fail((*path, "router"), Message("router is true or false, not {router}.", router=shown(router)))
        if fields.get("reference_steps") is not None:
            asked["reference"] = self.values.numbers(fields["reference_steps"], 2, (*path, "reference_steps"))
        asked["from_sketch"] = self.values.attempt(self.values.from_sketch, fields, path)
        try:
            return Steering(layout, router=str(router).casefold() != "false", **asked)
        except SteeringError as error:
            self.values.fail((*path, error.key), error.said)

    def strengths(
        self, fields: Mapping[str, Any], key: str, cast: Sequence[str], path: Where
    ) -> tuple[tuple[str, float], ...]:
        """Numbers of some of the panel's characters."""
        if not isinstance(fields[key], Mapping):
            self.values.fail(
                (*path, key), Message("{word} must be a mapping of names to numbers.", word=self.values.word(path, key))
            )
        found: list[tuple[str, float]] = []
        for name, value in fields[key].items():
            who = self.members.name(name, (*path, key, name))
            if who not in cast:
                self.values.fail(
                    (*path, key, name),
                    Message("{who} has a strength but is not in the panel; name {who} there.", who=who),
                )
            (strength,) = self.values.numbers(
                value, 1, (*path, key, name), Message("The {key} of {name}", key=key, name=who)
            )
            found.append((who, strength))
        return tuple(found)

    def layout(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> Layout:
        """Where those of a panel's `cast` are to be who have a place."""
        given = fields.get("layout")
        if given is not None and not isinstance(given, Mapping):
            self.values.fail(
                (*path, "layout"),
                Message("{word} must be a mapping of names to places.", word=self.values.word(path, "layout")),
            )
        listed = (given or {}).items()
        read = (self.values.attempt(self.placed, *entry, cast, (*path, "layout", entry[0])) for entry in listed)
        places = tuple(filter(None, read))
        given = fields.get("layout_strength", Layout.strength)
        (strength,) = self.values.numbers(given, 1, (*path, "layout_strength"), code="layout")
        given = fields.get("layout_steps", (Layout.start, Layout.end))
        steps = self.values.numbers(given, 2, (*path, "layout_steps"), code="layout")
        flip = self.flipped(fields, cast, path)
        turn = self.strengths(fields, "turn", cast, path) if fields.get("turn") is not None else ()
        try:
            return Layout(places, strength, steps[0], steps[1], flip, turn)
        except SteeringError as error:
            self.values.fail((*path, error.key), error.said, "layout")

    def flipped(self, fields: Mapping[str, Any], cast: Sequence[str], path: Where) -> tuple[str, ...]:
        """Whose picture is mirrored."""
        given = fields.get("flip")
        if isinstance(given, str):
            given = read_flip(given)
        path = (*path, "flip")
        found = self.members.names(self.values.items({"flip": given}, "flip", path[:-1], MAX_CAST), path)
        for who in found:
            if who not in cast:
                self.values.fail(path, Message("{who} is flipped but is not in the panel; name {who} there.", who=who))
        return tuple(name for name in cast if name in found)

    def placed(self, name: str, place: Any, cast: Sequence[str], path: Where) -> Place:
        """A place: four numbers, paint as text, or the file of a picture that is white where the place is."""
        who = BACKGROUND if folded(name) == BACKGROUND else self.members.name(name, path)
        if who not in (*cast, BACKGROUND):
            sentence = Message(
                "{who} has a place in the layout but is not in the panel; name {who}, or delete the place.", who=who
            )
            self.values.fail(path, sentence, "layout", words=name)
        try:
            if isinstance(place, str) and place.startswith(PAINT):
                return Place(who, paint=place)
            if isinstance(place, str) and (file := self.values.picture(place, "layout", path)):
                return Place(who, paint=painted(open_image(file)))
            left, top, right, bottom = self.values.numbers(
                place, 4, path, Message("The box of {name}", name=who), code="layout", words=name
            )
            return Place(who, (left, top, right, bottom))
        except (SteeringError, ImageError) as error:
            self.values.fail(path, error.said, "layout", words=name)

    def laid(self, text: str, path: Where) -> dict[str, Any]:
        try:
            return read_layout(text)
        except SteeringError as error:
            self.values.fail(path, error.said, "layout", words=text)

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
                front += self.members.names(self.listed(tag[1]), path)
            else:
                inside += [words] if self.members.is_name(words) else []
                text += self.unbracketed(tag[0])
        text += prompt[done:]
        if "cast" in tags:
            front, listed, named = front + self.members.names(self.listed(tags.pop("cast")), path), True, False
        if named and len(front) == 1 and inside:
            text = f"{front[0]} {text.lstrip()}"
        if not listed:
            return composed(text), None, tags
        return composed(text), front + (self.members.names(inside, path) if named else []), tags

    def unbracketed(self, text: str) -> str:
        """The text without the brackets around names."""
        return TAG.sub(lambda tag: tag[1].strip() if self.members.is_name(tag[1]) else tag[0], text)

    def without_aliases(self, prompt: str) -> str:
        """The prompt with names for aliases; an alias within a longer name is part of that."""
        return rename(prompt, {member.name: member.name for member in self.members.cast} | self.members.aliases)

    def listed(self, text: str) -> list[str]:
        """The names that brackets list; a name may have a 、 itself."""
        parts = COMMA.split(text)
        return [name for part in parts for name in ([part] if self.members.is_name(part) else part.split("、"))]

    def line(self, entry: Any, path: Where) -> Line:
        if isinstance(entry, str):
            entry = self.spoken(entry, path)
        fields = self.values.mapping(entry, path, LINE_KEYS)
        who = self.members.name(self.values.text(fields, "who", path), (*path, "who"))
        say = shown_again(self.values.text(fields, "say", path)).strip()
        if not say:
            self.values.fail(
                (*path, "say"), Message("{who} says nothing; give the words under 'say' or delete the entry.", who=who)
            )
        return Line(who, say)

    def spoken(self, text: str, path: Where) -> dict[str, str]:
        """A line of dialogue in its parts; a name may have a colon itself."""
        colons = [hit.span() for hit in re.finditer("[:：]", text)]
        if not colons:
            self.values.fail(
                path, Message("It is not clear who says {text}; write `NAME: words`.", text=shown(text.strip()))
            )
        most = 1 + max((name.count(":") for name in self.members.called_so), default=0)
        start, end = next((at for at in reversed(colons[:most]) if self.members.is_name(text[: at[0]])), colons[0])
        return {"who": text[:start], "say": hidden(text[end:])}
