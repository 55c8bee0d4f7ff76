"""The cast: pictures come in, are cut out at once, and get a name and a few words; who has only words is drawn."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from anystory.cast.images import ImageError, open_image
from anystory.cast.masks import brushed, hints
from anystory.cast.segment import Segmenter, SegmentError
from anystory.errors import Message
from anystory.maps.overlay import colour
from anystory.project.drafts import DraftPicture
from anystory.script.form import HEIGHTS, MAX_CAST, composed
from anystory.story.model import FACINGS, LIBRARY, MAX_PICTURES, CastMember, Subject
from anystory.story.prompt import rename
from ui import entrance, html, sample
from ui.words import t, words

MAX_NAME = 40
MAX_WORDS = 400

SKETCHED = 768
"""Pixels a picture's sides have at most from which sketches are made: as much as they show of it."""

LOOKS = {
    "": "cast.facing.guessed",
    "left": "cast.facing.left",
    "right": "cast.facing.right",
    "front": "cast.facing.front",
}
"""What a card can say of where the first picture looks, and the words of it."""

CARDS = (Path(__file__).parent / "js" / "cast.js").read_text(encoding="utf-8")
"""What the cards do in the browser."""

UNDO = """element.addEventListener("click", ({target}) => target.closest("button") && trigger("undo"));"""


def _key() -> str:
    return secrets.token_hex(6)


@dataclass(frozen=True, eq=False)  # Gradio hashes what a state holds, which pictures do not allow
class Picture:
    """A picture of a character: `upload` as it came, `automatic` the mask before any brush, `strokes` (RGBA) what was
    brushed over it, and `mask` what comes of them. `key` tells it from all others."""

    upload: Image.Image
    automatic: Image.Image
    mask: Image.Image
    strokes: Image.Image | None = None
    key: str = field(default_factory=_key)

    @cached_property
    def look(self) -> tuple[Image.Image, Image.Image]:
        """Image and mask as a `Subject` takes them."""
        upload = self.upload
        return upload if upload.mode == "RGB" else upload.convert("RGB"), self.mask

    @cached_property
    def small(self) -> tuple[Image.Image, Image.Image]:
        """`look` with sides of at most `SKETCHED` pixels."""
        image, mask = (picture.copy() for picture in self.look)
        for picture in (image, mask):
            picture.thumbnail((SKETCHED, SKETCHED), Image.Resampling.LANCZOS)
        return image, mask

    @cached_property
    def kept(self) -> DraftPicture:
        """The picture as a draft has it."""
        return DraftPicture(self.upload, self.automatic, self.mask, self.strokes)

    @property
    def cutout(self) -> Image.Image:
        """The picture as RGBA with its mask as alpha."""
        return self.kept.cutout

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """What may be wrong with the mask."""
        return hints(self.mask)

    @cached_property
    def thumbnails(self) -> tuple[str, str]:
        """The addresses of the picture and its cut-out, for a card."""
        return html.thumbnail(self.upload), html.thumbnail(self.cutout)


@dataclass(frozen=True, eq=False)
class Actor:
    """A character of the cast, with at most `MAX_PICTURES` pictures.

    Without any it is drawn from its description; `drawn` are then the sentence that the model drew it from, and the
    description it had. `height` in metres and `facing`, where the first picture looks, are None where nobody said.
    `drawing` is the library's drawing that was chosen for who has none, "" where none was. `key` tells the character's
    card from the others, whatever its name or place.
    """

    name: str
    description: str = ""
    pictures: tuple[Picture, ...] = ()
    drawn: tuple[str, str] | None = None
    height: float | None = None
    facing: str | None = None
    drawing: str = ""
    key: str = field(default_factory=_key)

    @property
    def subject(self) -> Subject | None:
        """The character as a story takes it; None without a picture."""
        if not self.pictures:
            return None
        first, *more = (picture.look for picture in self.pictures)
        drawn = self.drawn[0] if self.drawn else ""
        return Subject(self.name, *first, self.description.strip(), drawn, tuple(more), self.height, self.facing)


@dataclass(frozen=True, eq=False)
class Made:
    """A picture that was cut out: of a new character, or for the one with the key `of`, in the place of its first
    picture or as one `more`."""

    actor: Actor
    of: str | None = None
    more: bool = False


@dataclass(frozen=True)
class Renaming:
    """A new name that the script took over: who has it, and the script before and after."""

    key: str
    old: str
    new: str
    before: str
    after: str


@dataclass(frozen=True)
class CastWidgets:
    """The cast's widgets. `actors` is the cast, `cards` shows it, `example` makes the example.

    Cutting out takes its time, in which the cast goes on changing: `made` holds what was cut out, and `taken` the keys
    of those in it that have been put into the cast. `renaming` is the last name that changed the script as well, None
    after none; `renamed` says so and takes it back.
    """

    actors: gr.State
    cards: gr.HTML
    example: gr.Button
    files: entrance.Entrance
    describe: gr.Button
    notice: gr.HTML
    renamed: gr.HTML
    renaming: gr.State
    made: gr.State
    taken: gr.State

    @property
    def outputs(self) -> list[Any]:
        """What `show` fills, in its order."""
        return [self.actors, self.cards]


def create() -> CastWidgets:
    """Lay out the cards and the place to drop pictures."""
    with gr.Row(elem_id="start"):  # above the cards, so that it stays where it is when they come
        drop, pictures, scripts = entrance.create()
        example = sample.create()
    cards = gr.HTML(
        "",
        html_template='<div id="actors" role="list"></div>',
        js_on_load=CARDS,
        apply_default_css=False,
        heard=0,
        cut=0,
        elem_id="cards",
    )
    files = entrance.Entrance(drop, entrance.create_said(), pictures, scripts)
    describe = gr.Button(t("cast.describe"), size="sm", elem_id="describe")
    notice = gr.HTML(elem_id="cast-notice")
    renamed = gr.HTML(js_on_load=UNDO, elem_id="cast-renamed")
    made, taken = gr.State(()), gr.State(frozenset())
    return CastWidgets(gr.State(()), cards, example, files, describe, notice, renamed, gr.State(None), made, taken)


def spelt(text: object) -> str:
    """A name as scripts are read with it: in composed form, on one line, of at most `MAX_NAME` characters."""
    return " ".join(composed(str(text)).split())[:MAX_NAME].strip()


def name_from_file(path: str | Path) -> str:
    """A name for a character from its file's: letters with their marks, and digits."""
    words = ""
    for char in composed(Path(path).stem):
        kind = unicodedata.category(char)[0]
        words += char if kind in "LN" or (kind == "M" and words[-1:].strip()) else " "
    name = spelt(words)
    return name[:1].upper() + name[1:] if name else "Character"


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name, or the name and a number where it is among those `taken`."""
    used = {other.casefold() for other in taken}
    number, candidate = 2, name
    while candidate.casefold() in used:
        candidate, number = f"{name} {number}", number + 1
    return candidate


def pictured(
    name: str, picture: str | Path, mask: str | Path | None, segmenter: Segmenter, description: str = ""
) -> Actor:
    """A character with a picture (and a mask), cut out. Raises ImageError or SegmentError with a sentence."""
    upload = open_image(picture)
    found = segmenter.subject(name, upload, mask).mask
    return Actor(name, description, (Picture(upload, found, found),))


def drawn(subject: Subject) -> Actor:
    """A character that the model drew."""
    pictures = tuple(Picture(image, mask, mask) for image, mask in subject.pictures)
    words = subject.drawn, subject.description
    return Actor(subject.name, subject.description, pictures, words, subject.height, subject.facing)


def brush(picture: Picture, strokes: Image.Image | None, segmenter: Segmenter) -> Picture:
    """The picture with `strokes` (RGBA, see `anystory.cast.masks`) over its automatic mask; None is without any.
    Raises SegmentError where nothing is left of the character."""
    automatic = picture.automatic
    mask = automatic if strokes is None else segmenter.cut(picture.upload, brushed(automatic, strokes))
    return replace(picture, mask=mask, strokes=strokes)


def recut(actors: Sequence[Actor], segmenter: Segmenter) -> tuple[tuple[Actor, ...], list[str]]:
    """The cast cut out anew, brush strokes kept, and a sentence for each picture that stays as it was."""
    refused: list[str] = []

    def anew(picture: Picture, name: str) -> Picture:
        try:
            return brush(replace(picture, automatic=segmenter.cut(picture.upload)), picture.strokes, segmenter)
        except SegmentError as error:
            refused.append(Message("{name} stays as it was: {error}", name=name, error=error))
            return picture

    now = (
        replace(actor, pictures=tuple(anew(picture, actor.name) for picture in actor.pictures))
        if actor.pictures
        else actor
        for actor in actors
    )
    return tuple(now), refused


def with_recut(actors: Sequence[Actor], new: Sequence[Actor], segmenter: Segmenter) -> tuple[Actor, ...]:
    """The cast with its pictures as they are in `new`, which `recut` made of it before; who was brushed meanwhile keeps
    the strokes, and whoever came or went since is left alone."""
    anew = {picture.key: picture for actor in new for picture in actor.pictures}

    def with_strokes(there: Picture) -> Picture:
        picture = anew.get(there.key, there)
        if picture.strokes is there.strokes:
            return picture
        with suppress(SegmentError):  # where nothing is left of the character
            return brush(replace(there, automatic=picture.automatic), there.strokes, segmenter)
        return there

    return tuple(replace(actor, pictures=tuple(map(with_strokes, actor.pictures))) for actor in actors)


def cut_out(
    paths: Sequence[str | Path],
    segmenter: Segmenter,
    of: str | None = None,
    more: bool = False,
    say: Callable[..., str] = words(None),
) -> tuple[tuple[Made, ...], list[str]]:
    """The pictures at `paths` cut out (`of` and `more` as in `Made`), and a sentence for each that was refused."""
    made, refused = [], []
    for path in paths:
        try:
            made.append(Made(pictured(name_from_file(path), path, None, segmenter), of, more))
        except (ImageError, SegmentError) as error:
            refused.append(say(error))
    return tuple(made), refused


def joined(actors: Sequence[Actor], made: Sequence[Made]) -> tuple[tuple[Actor, ...], list[Made]]:
    """The cast with what was `made`: new characters under names of their own, new pictures for those still there;
    and what there was no room for."""
    now, left = {actor.key: actor for actor in actors}, []
    for item in made:
        if item.of in now:
            there = now[item.of]
            own = () if to_draw(there) else there.pictures if item.more else there.pictures[1:]
            if len(own) >= MAX_PICTURES:
                left.append(item)
                continue
            pictures = (*own, *item.actor.pictures) if item.more else (*item.actor.pictures, *own)
            now[item.of] = replace(_with_pictures(there, pictures), drawn=None)
        elif item.of is None and len(now) >= MAX_CAST:
            left.append(item)
        elif item.of is None:
            name = free_name(item.actor.name, (actor.name for actor in now.values()))
            now[item.actor.key] = replace(item.actor, name=name)
    return tuple(now.values()), left


def with_drawn(actors: Sequence[Actor], made: Sequence[Made]) -> tuple[Actor, ...]:
    """The cast with what was drawn: for those who wait for it, whatever they are called by now, and of whom only the
    script knew in places of their own as far as there is room. Whoever has got a picture meanwhile, or other words,
    stays, and whoever has gone stays away."""
    now = list(actors)
    for item in made:
        actor = item.actor
        index = find(now, item.of or actor.key)
        if index is None and item.of is None:
            index = next((index for index, there in enumerate(now) if there.name == actor.name), None)
        if index is None and item.of is None and len(now) < MAX_CAST:
            now.append(actor)
        elif index is not None and to_draw(there := now[index]) and there.description.strip() == actor.description:
            now[index] = replace(there, pictures=actor.pictures, drawn=actor.drawn)
    return tuple(now)


def find(actors: Sequence[Actor], key: object) -> int | None:
    """The place of the actor with a key; None where it has gone."""
    return next((index for index, actor in enumerate(actors) if actor.key == key), None)


def place(actors: Sequence[Actor], key: object) -> tuple[int, int] | None:
    """The places of the actor who has the picture with a key, and of it among the actor's; None where it has gone."""
    keys = ((i, k, picture.key) for i, actor in enumerate(actors) for k, picture in enumerate(actor.pictures))
    return next(((i, k) for i, k, there in keys if there == key), None)


def repainted(actors: Sequence[Actor], picture: Picture) -> tuple[Actor, ...]:
    """The cast with `picture` in the place of the one with its key."""
    found = place(actors, picture.key)
    if found is None:
        return tuple(actors)
    there = actors[found[0]]
    now = tuple(picture if picture.key == other.key else other for other in there.pictures)
    return exchanged(actors, replace(there, pictures=now))


def unpictured(actors: Sequence[Actor], key: object) -> tuple[Actor, ...]:
    """The cast less one picture."""
    found = place(actors, key)
    if found is None:
        return tuple(actors)
    there = actors[found[0]]
    return exchanged(actors, _with_pictures(there, tuple(p for p in there.pictures if p.key != key)))


def _with_pictures(actor: Actor, pictures: tuple[Picture, ...]) -> Actor:
    """The actor with other pictures. What was said of where the first one looks goes with it."""
    first, now = ([picture.key for picture in some[:1]] for some in (actor.pictures, pictures))
    return replace(actor, pictures=pictures, facing=actor.facing if first in ([], now) else None)


def exchanged(actors: Sequence[Actor], actor: Actor) -> tuple[Actor, ...]:
    """The cast with `actor` in the place of the one with its key."""
    return tuple(actor if actor.key == other.key else other for other in actors)


def moved(actors: Sequence[Actor], key: object, by: int) -> tuple[Actor, ...]:
    """The cast with one character `by` places further down (up where negative), as far as that goes."""
    index, now = find(actors, key), list(actors)
    if index is not None:
        now.insert(max(0, index + by), now.pop(index))
    return tuple(now)


def without(actors: Sequence[Actor], key: object) -> tuple[Actor, ...]:
    """The cast less one character."""
    return tuple(actor for actor in actors if actor.key != key)


def renamed(actor: Actor, text: object) -> Actor:
    """The actor under another name, as one line of at most `MAX_NAME` characters; an empty one changes nothing."""
    name = spelt(text)
    return replace(actor, name=name) if name else actor


def script_renamed(text: str, actors: Sequence[Actor], old: str, new: str) -> str:
    """The script with another name for `old`, line by line; as it is where two of the cast are called so. Names that
    `old` is only a part of stay."""
    others = [actor.name for actor in actors if actor.name != old]
    if len(actors) - len(others) > 1:
        return text
    names = {name: name for name in others} | {old: new}
    return "\n".join(rename(line, names) for line in text.split("\n"))


def described(actor: Actor, text: object) -> Actor:
    """The actor with another description, at most `MAX_WORDS` characters."""
    return replace(actor, description=unicodedata.normalize("NFC", str(text))[:MAX_WORDS])


def as_tall(actor: Actor, text: object) -> Actor:
    """The actor with another height, in metres; "" leaves it to the description, what is no height changes nothing."""
    with suppress(ValueError):
        height = float(str(text)) if str(text).strip() else None
        if height is None or HEIGHTS[0] <= height <= HEIGHTS[1]:
            return replace(actor, height=height)
    return actor


def turned(actor: Actor, facing: object) -> Actor:
    """The actor with a first picture that looks elsewhere: one of `FACINGS`, anything else leaves it to a guess."""
    return replace(actor, facing=facing if facing in FACINGS else None)


def drawn_as(actor: Actor, drawing: object) -> Actor:
    """The actor as another drawing of the library: one of those for its description. A picture that was drawn from its
    words goes, to be drawn anew."""
    if drawing not in library_choices(actor.description):
        return actor
    if actor.drawn is None:
        return replace(actor, drawing=drawing)
    return replace(actor, drawing=drawing, pictures=(), drawn=None)


@lru_cache(maxsize=256)
def library_choices(description: str) -> tuple[str, ...]:
    """The concepts of the drawings that could stand for a description, the likeliest first."""
    from anystory.sketch.likeness import choices  # whose vocabulary the page itself does not need

    return tuple(choices(description.strip())) if description.strip() else ()


@lru_cache(maxsize=256)
def _small(concept: str) -> str:
    """A drawing of the library as a small picture inside an address."""
    from anystory.sketch.things import Library, render

    drawing = Library().find(concept, ("en",))
    return "" if drawing is None else html.thumbnail(Image.fromarray(render(drawing, 96)))


def members(actors: Sequence[Actor]) -> tuple[CastMember, ...]:
    """The whole cast as a script takes it."""
    return tuple(
        CastMember(
            actor.name,
            description=actor.description.strip(),
            height=actor.height,
            facing=actor.facing,
            drawing=actor.drawing,
        )
        for actor in actors
    )


def to_draw(actor: Actor) -> bool:
    """Whether it has no picture, or one that was drawn from other words than its present ones."""
    return not actor.pictures or (actor.drawn is not None and actor.drawn[1] != actor.description.strip())


def subjects(actors: Sequence[Actor]) -> tuple[Subject, ...]:
    """Those of the cast who have a picture, as a story takes them."""
    return tuple(actor.subject for actor in actors if actor.subject is not None and not to_draw(actor))


def sketched(actors: Sequence[Actor]) -> tuple[Subject, ...]:
    """As `subjects`, each with its first picture alone, and that small: all that a sketch shows of it."""
    small = (
        Subject(
            actor.name, *actor.pictures[0].small, actor.description.strip(), height=actor.height, facing=actor.facing
        )
        for actor in actors
        if not to_draw(actor)
    )
    return tuple(small)


def show(actors: Sequence[Actor]) -> list[Any]:
    """The values of `CastWidgets.outputs` for a cast."""
    cards = "".join(card(actor, index, len(actors)) for index, actor in enumerate(actors))
    # Never the same twice: the browser takes in only what is new, and something else may be typed there by now.
    return [tuple(actors), f"{cards}<!-- {secrets.token_hex(6)} -->"]


def card(actor: Actor, index: int, count: int) -> str:
    """The card of the character at `index` (from 0) of `count`."""
    tools = [
        _tool("up", "cast.up", "↑", index == 0),
        _tool("down", "cast.down", "↓", index == count - 1),
        _tool("remove", "cast.remove", "✕"),
    ]
    more = ""
    if actor.pictures:
        more = (
            f'<button type="button" class="mask" data-picture="{actor.pictures[0].key}">{t("cast.mask")}</button>'
            f'<label class="more" title="{_said("cast.more")}"><span class="unseen">{t("cast.more")}</span>'
            '<span aria-hidden="true">+</span><input type="file" accept="image/*" multiple></label>'
        )
    return (
        f'<div class="actor" id="actor-{index + 1}" role="listitem" tabindex="-1" data-key="{actor.key}" '
        f'aria-label="{escape(actor.name)}" style="--who:{colour(index)}">'
        f'<div class="pair">{pictures(actor)}</div><div class="fields">'
        f"{_line('name', 'cast.name', 'cast.name', actor.name, MAX_NAME)}"
        f"{_line('words', 'cast.description', 'cast.description.hint', actor.description, MAX_WORDS)}"
        f'<div class="shape">{_facing(actor) if actor.pictures else ""}{_height(actor)}</div>'
        f"{_likenesses(actor)}"
        f'<div class="tools"><label class="replace">{t("cast.picture")}<input type="file" accept="image/*"></label>'
        f'{more}</div></div><div class="order">{"".join(tools)}</div>'
        f'<ul class="album">{"".join(map(_further, actor.pictures[1:]))}</ul>'
        f'<div class="hints">{remarks(actor)}</div></div>'
    )


def _further(picture: Picture) -> str:
    """One of the pictures after the first: its cut-out, and what can be done with it."""
    return (
        f'<li data-picture="{picture.key}"><img src="{picture.thumbnails[1]}" alt="{_said("cast.cutout")}" '
        f'title="{_said("cast.cutout")}">{_tool("mask", "cast.mask", "✎")}'
        f"{_tool('unpicture', 'cast.unpicture', '✕')}</li>"
    )


def pictures(actor: Actor) -> str:
    """The first picture as uploaded and as cut out; a blank for who has none."""
    if not actor.pictures:
        return '<div class="undrawn">?</div>'
    uploaded, cut = actor.pictures[0].thumbnails
    return (
        f'<img src="{uploaded}" alt="{_said("cast.uploaded")}" title="{_said("cast.uploaded")}">'
        f'<img src="{cut}" alt="{_said("cast.cutout")}" title="{_said("cast.cutout")}" class="cutout">'
    )


def _said(key: str) -> str:
    """Known words inside an attribute."""
    return escape(t(key))


def _line(kind: str, label: str, hint: str, value: str, length: int) -> str:
    return (
        f'<label class="{kind}"><span class="unseen">{t(label)}</span><input type="text" value="{escape(value)}" '
        f'placeholder="{_said(hint)}" maxlength="{length}" autocomplete="off" spellcheck="false"></label>'
    )


def _likenesses(actor: Actor) -> str:
    """The drawings that can stand for who is only described, to choose from."""
    if actor.pictures and not (actor.drawn and actor.drawn[0].startswith(LIBRARY)):
        return ""
    offered = library_choices(actor.description)
    taken = actor.drawing if actor.drawing in offered else offered[0] if offered else ""
    buttons = "".join(
        f'<button type="button" class="likeness" data-drawing="{escape(one)}" '
        f'aria-pressed="{str(one == taken).lower()}" title="{escape(one)}">'
        f'<img src="{_small(one)}" alt="{escape(one)}"></button>'
        for one in offered
    )
    return (
        f'<div class="likenesses" role="group" aria-label="{_said("cast.drawing")}">{buttons}</div>' if buttons else ""
    )


def _facing(actor: Actor) -> str:
    """Where the first picture looks, to be chosen."""
    options = "".join(
        f'<option value="{facing}"{" selected" * (facing == (actor.facing or ""))}>{t(key)}</option>'
        for facing, key in LOOKS.items()
    )
    return f'<select title="{_said("cast.facing")}" aria-label="{_said("cast.facing")}">{options}</select>'


def _height(actor: Actor) -> str:
    """How tall the character is, to be typed."""
    low, high = HEIGHTS
    value = "" if actor.height is None else f"{actor.height:g}"
    return (
        f'<label class="height" title="{_said("cast.height")}"><span class="unseen">{t("cast.height")}</span>'
        f'<input type="number" min="{low:g}" max="{high:g}" step="any" value="{value}" '
        f'placeholder="{_said("cast.height.hint")}" autocomplete="off"><span aria-hidden="true">m</span></label>'
    )


def _tool(kind: str, label: str, sign: str, off: bool = False) -> str:
    return (
        f'<button type="button" class="{kind}" title="{_said(label)}" aria-label="{_said(label)}"'
        f"{' disabled' if off else ''}>{sign}</button>"
    )


def remarks(actor: Actor) -> str:
    """What is said below a card."""
    quiet = None if actor.pictures else "cast.undrawn"
    if actor.drawn:
        quiet = "cast.library" if actor.drawn[0].startswith(LIBRARY) else "cast.drawn"
    several = len(actor.pictures) > 1
    said = [
        (Message("{number}: {hint}", number=number, hint=hint) if several else hint)
        for number, picture in enumerate(actor.pictures, 1)
        for hint in picture.hints
    ]
    return (f'<p class="quiet">{t(quiet)}</p>' if quiet else "") + html.doubts(said)


def told_renamed(done: Renaming, say: Callable[..., str]) -> str:
    """That the script took a name over, and a button that takes it back; in the words of `say` (`ui.words`)."""
    said = escape(say("cast.renamed", old=done.old, new=done.new))
    return (
        f'<div class="renamed" role="status"><span>{said}</span><button type="button">{t("cast.undo")}</button></div>'
    )


def left_out(left: Sequence[Made], say: Callable[..., str]) -> list[str]:
    """A sentence for each of those there was no room for, in the words of `say` (`ui.words`)."""
    return [
        say("cast.album", file=item.actor.name, count=MAX_PICTURES)
        if item.more
        else say("cast.full", file=item.actor.name, count=MAX_CAST)
        for item in left
    ]
