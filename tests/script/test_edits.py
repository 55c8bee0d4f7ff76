"""Edits of one panel in plain text: what they write is read back, and all else stays byte for byte."""

import random
from dataclasses import replace

import pytest

from anystory.script.edits import insert_panel, move_panel, plain_text, remove_panel, with_name, with_panel, with_prompt
from anystory.script.form import ScriptError
from anystory.script.read import parse_script, read_script
from anystory.script.write import script_lines
from anystory.story.model import CastMember, Line, Panel, Script
from tests.script.test_read import NAMES, some_panel

CAST = (CastMember("Mia", description="a small fox"), CastMember("Tom"))

TEXT = """\
title:  A day

# a remark
  Mia walks   # Morning\x20
  # another
>   Mia:  Hello
> Tom: Hi

[Mia] and [Tom] run
the sea"""


def panels(text, cast=CAST):
    return read_script(text, cast=cast).panels


def test_a_change_writes_only_the_lines_that_say_it():
    one, two, three = panels(TEXT)
    assert with_panel(TEXT, 1, one, CAST) == TEXT and with_panel(TEXT, 3, three, CAST) == TEXT
    seeded = with_panel(TEXT, 1, replace(one, seed=7), CAST)
    assert seeded == TEXT.replace("Mia walks   # Morning", "[seed: 7] Mia walks  # Morning")
    said = replace(one, dialogue=(one.dialogue[0], Line("Tom", "Oh"), Line("Mia", "Yes")))
    assert with_panel(TEXT, 1, said, CAST) == TEXT.replace("> Tom: Hi", "> Tom: Oh\n> Mia: Yes")
    assert with_panel(TEXT, 1, replace(one, dialogue=one.dialogue[1:]), CAST) == TEXT.replace(
        ">   Mia:  Hello\n> Tom: Hi\n", "> Tom: Hi\n"
    )
    assert with_panel(TEXT, 2, replace(two, caption="Fast"), CAST) == TEXT.replace(
        "[Mia] and [Tom] run", "Mia and Tom run  # Fast"
    )
    assert with_panel(TEXT, 3, replace(three, caption="x"), CAST).endswith("\nthe sea  # x"), "nobody said [NC]"
    assert with_panel(TEXT, 3, replace(three, cast=("Tom",)), CAST).endswith("\n[cast: Tom] the sea")
    empty = with_panel(TEXT, 3, Panel(""), CAST)
    assert empty.endswith("\n[NC]") and panels(empty)[2] == Panel("")
    assert with_panel(empty, 3, with_prompt(Panel(""), "tom sits", ("Mia", "Tom")), CAST).endswith("\ntom sits")


def test_panels_come_go_and_change_places():
    assert insert_panel(TEXT, 2, Panel("Tom", ("Tom",), dialogue=(Line("Mia", "Hm"),)), CAST) == TEXT.replace(
        "> Tom: Hi\n", "> Tom: Hi\nTom\n> Mia: Hm\n"
    )
    assert insert_panel(TEXT, 1, Panel("x"), CAST) == TEXT.replace("  Mia walks", "[NC] x\n  Mia walks")
    assert insert_panel(TEXT, 4, Panel("x"), CAST) == TEXT + "\n[NC] x"
    assert (
        insert_panel("", 1, Panel("x"), CAST) == "[NC] x"
        and insert_panel("title: a", 1, Panel("x")) == "title: a\n[NC] x"
    )
    assert remove_panel(TEXT, 1, CAST) == TEXT.replace("  Mia walks   # Morning \n", "").replace(
        ">   Mia:  Hello\n> Tom: Hi\n", ""
    )
    assert remove_panel(TEXT, 3, CAST) == TEXT.removesuffix("\nthe sea")
    moved = move_panel(TEXT, 3, 1, CAST)
    assert moved.startswith("title:  A day\n\n# a remark\n  the sea\n\nMia walks   # Morning \n  # another\n>   Mia:")
    assert panels(moved) == tuple(panels(TEXT)[k] for k in (2, 0, 1))
    for number in (0, 4):
        with pytest.raises(IndexError):
            remove_panel(TEXT, number, CAST)


def test_any_edit_of_any_script_is_read_back():
    pick = random.Random(4)
    cast = tuple(CastMember(name) for name in NAMES)
    for _ in range(60):
        now = [some_panel(pick) for _ in range(pick.randint(1, 4))]
        mark = pick.choice(("\n", "\r\n"))
        text = "title: A\n" + script_lines(Script(tuple(now), cast))
        text = text.replace("\n", f"{mark}  # remark{mark}{mark}")
        for _ in range(6):
            number, to, new = pick.randint(1, len(now)), pick.randint(1, len(now)), some_panel(pick)
            match pick.randrange(4):
                case 0:
                    now[number - 1], text = new, with_panel(text, number, new, cast)
                case 1:
                    now.insert(number - 1, new)
                    text = insert_panel(text, number, new, cast)
                case 2 if len(now) > 1:
                    del now[number - 1]
                    text = remove_panel(text, number, cast)
                case _:
                    now.insert(to - 1, now.pop(number - 1))
                    text = move_panel(text, number, to, cast)
            assert list(panels(text, cast)) == now, text
            assert mark == "\n" or "\n" not in text.replace("\r\n", "")


def test_names_follow_the_words_of_a_prompt():
    names = ("Mia", "Tom")
    panel = with_prompt(Panel("Mia walks", ("Mia", "Tom")), "Mia wal", names)
    assert panel.cast == names, "who was only told stays"
    assert with_prompt(panel, "T", names).cast == ("Tom",) and with_prompt(panel, "Tom", names).cast == ("Tom",)
    assert with_name(panel, "Mia", names).cast == ("Tom",) and with_name(Panel("x"), "Tom", names).cast == ("Tom",)


def test_other_forms_become_plain_text_first():
    source = '{"title": "A", "cast": [{"name": "Bob", "description": "a man"}], "panels": ["Bob runs", "the sea"]}'
    edited = with_panel(source, 2, Panel("a beach", seed=3), CAST)
    assert edited.startswith("title: A\ncast: Mia, a small fox\ncast: Tom, \ncast: Bob, a man\n\n")
    assert panels(edited)[1] == Panel("a beach", seed=3) and parse_script(edited).title == "A"
    script = parse_script(source)
    assert parse_script(plain_text(script)) == script
    lines = "title: |\n  A day\n  out\nstyle: >\n  soft\n\n  light\npanels: [Mia walks, Mia sits]"
    edited = with_panel(lines, 1, Panel("Mia walks", ("Mia",), caption="Hi"), CAST)
    assert edited.startswith("title: A day out\nstyle: soft light\ncast: ")
    assert [panel.prompt for panel in panels(edited)] == ["Mia walks", "Mia sits"], "no line of a header is a panel"
    with pytest.raises(ScriptError, match="no prompt"):
        with_panel('{"panels": ["Mia", ""]}', 1, Panel("x"), CAST)
