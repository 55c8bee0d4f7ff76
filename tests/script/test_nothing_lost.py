"""Nothing is lost without a word: of a script as people bring it every word is in the story, is told to be left out, or
is in a mistake that is told.

Texts are put together at random of what such texts are made of, in every form, and every word of theirs is a word of
its own, so that it can be looked for. Of a column that is not known the heading is told.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator

import pytest

from anystory.script.form import ScriptError
from anystory.script.read import Form, read_script

Words = Callable[[], str]


def new_words(rng: random.Random) -> Words:
    """Words that no language has, each another one."""
    letters = "bdfgklmnprstvz"
    syllables = itertools.product(rng.sample(letters, len(letters)), "aeiou", letters, "aeiou", letters)
    return lambda: "zq" + "".join(next(syllables))


def chat(rng: random.Random, word: Words) -> str:
    """A chat model's answer."""
    mark = rng.choice(
        ["**Panel {}:**", "### Panel {}", "{}.", "Scene {} -", "**Panel {} (" + word() + "):**", "第{}格："]
    )
    lines = [f"Sure! Here is {word()}.", ""] if rng.random() < 0.5 else []
    lines += [f"**Title:** {word()}", ""] if rng.random() < 0.3 else []
    if rng.random() < 0.3:
        lines += ["**Characters:**", f"- **Ada**: {word()}", f"- **Ben**: {word()}", ""]
    for number in range(1, rng.randint(3, 5)):
        label, inline = mark.format(number), rng.random() < 0.6
        lines.append(f"{label} {word()} Ada {word()}" if inline and not label.startswith("#") else label)
        if label.startswith("#") or not inline:
            lines.append(f"Ada {word()} {word()}.")
        parts = [
            f"**Setting:** {word()}",
            f"*Camera: {word()}*",
            f"**Caption:** {word()}",
            f'Ada: "{word()}"',
            f'**Ben ({word()}):** "{word()}"',
            f"> **ADA:** {word()}",
            f"SFX: {word()}",
            f"**Dialogue:** Ada: {word()}",
            f"**Mood:** {word()}",
        ]
        lines += rng.sample(parts, rng.randint(0, 4)) + [""] * rng.randint(0, 1)
    return "\n".join([*lines, "", f"Let me know if {word()}!"] if rng.random() < 0.5 else lines)


def fountain(rng: random.Random, word: Words) -> str:
    """A screenplay."""
    parts = [
        lambda: f"EXT. {word().upper()} - {word().upper()}",
        lambda: f"Ada {word()} {word()}.",
        lambda: f"ADA ({word()})\n({word()})\n{word()}",
        lambda: f"BEN ^\n{word()}\n{word()}",
        lambda: f"[[{word()}\n{word()}]]",
        lambda: f"/* {word()}\n\n{word()} */",
        lambda: f"> {word()} <",
        lambda: f"> {word().upper()} TO:",
        lambda: f"# {word()}",
        lambda: f"= {word()}",
        lambda: f"~{word()}",
        lambda: f"!{word().upper()}",
        lambda: f".{word()}",
    ]
    head = f"Title: {word()}\nAuthor: {word()}\n\n" if rng.random() < 0.5 else ""
    return f"{head}INT. {word()} - DAY\n\n" + "\n\n".join(rng.choice(parts)() for _ in range(9))


HEADINGS = [
    "Nr;Beschreibung;Ort;Zeit;Figuren;Sprecher;Dialog;Erzähltext;Kamera;Notiz",
    "No;Description;Lieu;Moment;Personnages;Locuteur;Dialogue;Narration;Cadrage;Remarque",
    "#;Visual;Location;Time of day;Characters;Speaker;Dialogue / VO;Caption;Shot size;Notes",
    "镜号;画面;地点;时间;角色;说话人;对白;旁白;景别;备注",
]


def sheet(rng: random.Random, word: Words) -> str:
    """A shot list, whose columns stand anyhow."""
    columns = rng.sample(range(10), 10)
    rows = []
    for number in range(1, 4):
        row = [str(number), f"Ada {word()}", word(), word(), "Ada, Ben", "Ada", word(), word(), word(), "aside"]
        rows.append([cell if index < 2 or rng.random() < 0.7 else "" for index, cell in enumerate(row)])
    out = io.StringIO()
    writer = csv.writer(out, delimiter=rng.choice(";,\t"))
    names = rng.choice(HEADINGS).split(";")
    writer.writerows([[row[at] for at in columns] for row in (names, *rows)])
    return (f"{word()}\n" if rng.random() < 0.3 else "") + out.getvalue()


def records(rng: random.Random, word: Words) -> str:
    """JSON with keys that a chat model made up."""
    panels = []
    for number in range(1, 4):
        panel = {
            "scene": number,
            "description": f"Ada {word()}",
            "setting": word(),
            "narration": word(),
            "mood": word(),
        }
        panel |= {"dialogue": rng.choice([f"Ada: {word()}", [{"speaker": "Ben", "line": word()}], {"Ada": word()}])}
        panels.append({key: value for key, value in panel.items() if key == "description" or rng.random() < 0.7})
    data = {
        "title": word(),
        "characters": [{"name": "Ada", "description": word()}],
        "logline": word(),
        "scenes": panels,
    }
    return json.dumps(rng.choice([data, {"story": data}, {"pages": [{"note": word(), "panels": panels}]}]))


def page(rng: random.Random, word: Words) -> str:
    """A table in HTML."""
    rows = [["Shot", "Description", "Location", "Dialogue", "Other"]]
    rows += [[str(at), f"<b>Ada</b> {word()}", word(), f"Ada: {word()}<br>Ben: {word()}", "aside"] for at in (1, 2)]
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<p>{word()}</p><table>{cells}</table><p>{word()}</p>"


FORMS: dict[Callable[[random.Random, Words], str], Form | None] = {
    chat: None,
    fountain: "screenplay",
    sheet: "sheet",
    records: None,
    page: None,
}


def told(text: str, form: Form | None) -> Iterator[str]:
    """All that the story and the findings say."""
    reading = read_script(text, form=form)
    script = reading.script
    yield from (script.title, *(f"{member.name} {member.description}" for member in script.cast))
    for panel in script.panels:
        yield from (panel.prompt, panel.caption, *(line.say for line in panel.dialogue))
    for out in reading.left_out:
        yield text[slice(*out.span)]
    yield from (text.splitlines()[error.line - 1] for error in reading.errors if error.line)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("made", FORMS, ids=lambda made: made.__name__)
def test_every_word_is_somewhere(made, seed):
    rng = random.Random(seed)
    text = made(rng, new_words(rng))
    try:
        found = " ".join(told(text, FORMS[made])).casefold()
    except ScriptError as error:
        pytest.fail(f"{error}\n{text}")
    lost = [word for word in re.findall(r"zq\w+", text.casefold()) if word not in found]
    assert not lost, text
