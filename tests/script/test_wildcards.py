"""Wildcards follow from the seed alone, and what they leave out is not drawn."""

from collections import Counter

import pytest

from anystory.script.lint import lint
from anystory.script.read import parse_script
from anystory.script.wildcards import (
    WildcardError,
    expand,
    expand_script,
    has_wildcards,
    lists,
    may_be_empty,
    may_name,
    own_lists,
)
from anystory.script.write import dump_script, script_lines


def test_the_same_seed_gives_the_same_words_and_seeds_give_all_of_them():
    found = Counter(expand("a {red|green|blue} ball", seed) for seed in range(600))
    assert set(found) == {"a red ball", "a green ball", "a blue ball"} and min(found.values()) > 140
    assert expand("a {red|green|blue} ball", 7) == expand("a {red|green|blue} ball", 7)
    assert expand("{red|green|blue|grey} x", 3).split()[0] == expand("now {red|green|blue|grey} y", 3).split()[1]


def test_choices_nest_may_be_empty_and_choose_each_for_itself():
    assert {expand("{a {big|small} dog|} runs", seed) for seed in range(60)} == {
        "a big dog runs", "a small dog runs", "runs",
    }  # fmt: skip
    assert len({expand("{a|b}{a|b}", seed) for seed in range(60)}) == 4
    assert expand("{prompt} {} { } __ a__b c_d", 1) == "{prompt} {} { } __ a__b c_d"
    assert not has_wildcards("{prompt} __") and has_wildcards("{a|b}") and has_wildcards("__place__")


def test_lists_ours_and_own(tmp_path):
    for name, entries in lists().items():
        assert len(entries) >= 4 and expand(f"__{name}__", 1) in entries
    (tmp_path / "wildcards.yaml").write_text("place: [on Mars]\npet: ['a {red|blue} __food__']\n", encoding="utf-8")
    own = own_lists(tmp_path)
    assert expand("__PLACE__", 5, own) == "on Mars"
    assert expand("__pet__", 5, own).split()[1] in ("red", "blue") and "__" not in expand("__pet__", 5, own)
    assert own_lists(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__plase__", "did you mean __place__"),
        ("__xyzzy__", "the lists are"),
        ("__self__", "circle"),
        ("__big__", "2000"),
    ],
)
def test_what_cannot_be_filled_in_is_one_sentence(text, says):
    with pytest.raises(WildcardError, match=says):
        expand(text, 1, {"self": ("__self__",), "big": ("x" * 3000,)})


@pytest.mark.parametrize("text", ["[1, 2", "- a", "place: {}", "place: []", "place: [[a]]", "'a b_': [c]", "\x00"])
def test_a_file_of_lists_is_checked(tmp_path, text):
    (tmp_path / "wildcards.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(WildcardError, match=r"wildcards\.yaml"):
        own_lists(tmp_path)


def test_a_script_is_filled_in_panel_by_panel():
    source = "cast: Mia, a fox\ncast: Tom, an owl\n{Mia|Tom} runs\nMia sees {a cat|Tom}\n[Mia, Tom] they rest __place__"
    script = parse_script(source)
    assert script.panels[0].cast == ("Mia", "Tom")
    seen = set()
    for seed in range(20):
        done = expand_script(script, seed)
        assert done == expand_script(script, seed)
        one, two, three = done.panels
        assert one.cast == (one.prompt.split()[0],) and two.cast == (
            ("Mia", "Tom") if "Tom" in two.prompt else ("Mia",)
        )
        assert three.cast == ("Mia", "Tom") and "__" not in three.prompt
        assert two.prompt == expand("Mia sees {a cat|Tom}", seed + 1)
        seen.add((one.prompt, two.prompt))
    assert len(seen) == 4
    with pytest.raises(WildcardError, match="Panel 2: There is no list"):
        expand_script(parse_script("a dog\na __doog__"), 0)


def test_who_is_left_out_leaves_no_place_and_no_strength():
    source = """cast: Fox, a fox
cast: Owl, an owl
[layout: Fox 0 0 0.5 1; Owl 0.5 0 1 1; background 0 0 1 0.2] [eta: Fox 1.5] [gamma: Owl -1] {Fox|Owl} runs"""
    script = parse_script(source)
    for seed in range(9):
        done = expand_script(script, seed)
        (panel,), asked = done.panels, done.panels[0].steering
        assert [place.name for place in asked.layout.places] == [*panel.cast, "background"]
        assert (asked.eta, asked.gamma) in (((("Fox", 1.5),), ()), ((), (("Owl", -1.0),)))
        assert parse_script(dump_script(done)) == done


def test_a_panel_must_keep_a_word():
    script = parse_script("cast: Fox\n[Fox] {{walks|}|}")
    said = set()
    for seed in range(9):
        try:
            said.add(expand_script(script, seed).panels[0].prompt)
        except WildcardError as error:
            words = "The wildcards leave no word of the prompt"
            assert str(error) == f"Panel 1: {words} under seed {seed}; write some outside of them."
            said.add("")
    assert said == {"walks", ""}
    for text, empty in {"{a|}": True, "{a|{b|} }{c|}": True, "{a|{b|}} d": False, "{a|b {c|}}": False}.items():
        assert may_be_empty(text) == empty == ("" in {expand(text, seed) for seed in range(60)})


def test_a_panels_own_seed_decides():
    script = parse_script({"panels": [{"prompt": "{a|b|c|d|e|f|g|h} x", "seed": 5}]})
    assert {expand_script(script, seed) for seed in range(9)} == {expand_script(script, 0)}
    late = expand_script(parse_script("x\n[NC] {a|b|c|d|e|f|g|h} x"), 2**32 - 1)
    assert late.panels[1].prompt == expand("{a|b|c|d|e|f|g|h} x", 0), "after the greatest seed comes 0"


def test_brackets_say_who_is_in_a_panel_whatever_its_wildcards_become():
    script = parse_script(
        "cast: Mia, a fox\ncast: Tom, an owl\n[Mia, Tom] {Mia|Tom} waves\n[Mia] {Tom|a dog} barks\n[NC] {Mia|a} b"
    )
    yaml = parse_script(
        {"cast": [{"name": "Mia"}, {"name": "Tom"}], "panels": [{"prompt": "{Mia|Tom} waves", "cast": ["Tom"]}]}
    )
    for seed in range(6):
        assert [panel.cast for panel in expand_script(script, seed).panels] == [("Mia", "Tom"), ("Mia",), ()]
        assert expand_script(yaml, seed).panels[0].cast == ("Tom",)


def test_a_list_may_name_who_is_in_a_panel():
    own = {"who": ("Mia", "Tom", "__both__", "a stranger"), "both": ("Tom and Mia",)}
    script = parse_script("cast: Mia, a fox\ncast: Tom, an owl\n__who__ waves\n[Tom] __who__ waves")
    seen = set()
    for seed in range(60):
        one, two = expand_script(script, seed, own).panels
        assert one.cast == tuple(name for name in ("Mia", "Tom") if name in one.prompt) and two.cast == ("Tom",)
        seen.add(one.cast)
    assert seen == {("Mia",), ("Tom",), ("Mia", "Tom"), ()}
    assert may_name("__WHO__ {a|Zoe}", ("Mia", "Tom", "Zoe", "Bo"), own) == {"Mia", "Tom", "Zoe"}


@pytest.mark.parametrize("line", ["{Mia|Tom} waves", "[Mia, Tom] {Mia|Tom} waves", "[NC] {a|Mia} b"])
def test_who_decides_survives_writing(line):
    cast = "cast: Mia\ncast: Tom\n"
    script = parse_script(cast + line)
    for again in (parse_script(dump_script(script)), parse_script(cast + script_lines(script))):
        assert [panel.told for panel in again.panels] == [panel.told for panel in script.panels] == [line[0] == "["]
        assert expand_script(again, 3) == expand_script(script, 3)


def test_whom_only_a_list_names_is_of_the_panel(tmp_path):
    (tmp_path / "wildcards.yaml").write_text("who: [Mia, a stranger]", encoding="utf-8")
    text = "cast: Mia\n__who__ waves\n__place__ by night"
    found = {(finding.line, finding.code) for finding in lint(text, folder=tmp_path)}
    assert found == {(1, "no-picture"), (3, "nobody")}
