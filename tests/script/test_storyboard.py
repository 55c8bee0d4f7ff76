"""Storyboards of other programs: what each form means, its variants, and what is said of a wrong one."""

import copy
import itertools
import json

import pytest
from PIL import Image

from anystory.script.form import ScriptError
from anystory.script.read import load_script, parse_script, read_script
from anystory.script.write import dump_script
from anystory.story.model import CastMember, Panel
from anystory.story.prompt import compose

# The form of the authors' storyboards: keys in Chinese, prompts in English.
AUTHORS = {
    "故事梗概": "小狐狸找到灯塔",
    "角色表": [
        {
            "角色名": "小狐狸",
            "简单描述": "一只戴蓝围巾的小狐狸。",
            "alias": "ROLE-A",
            "simple_prompt": "A small fox wearing a blue scarf.",
        },
        {
            "角色名": "老海龟",
            "简单描述": "一只戴眼镜的老海龟。",
            "alias": "ROLE-B",
            "simple_prompt": "An old turtle with round glasses.",
        },
    ],
    "分镜头": [
        {
            "序号": 1,
            "出场角色": ["小狐狸"],
            "旁白": "夜里，小狐狸在海边迷了路。",
            "act_roles": ["ROLE-A"],
            "场景描述": "夜晚的海滩。",
            "prompt": "ROLE-A walks alone on a beach at night, waves rolling in under the moon.",
        },
        {
            "序号": 2,
            "出场角色": ["小狐狸", "老海龟"],
            "旁白": "它遇见了一位老海龟。",
            "act_roles": ["ROLE-B", "ROLE-A"],
            "场景描述": "两位在礁石旁交谈。",
            "prompt": "ROLE-A and ROLE-B talk beside dark rocks.",
        },
        {
            "序号": 3,
            "出场角色": [],
            "旁白": "灯塔亮着。",
            "场景描述": "海上的灯塔。",
            "prompt": "A lighthouse on a cliff.",
        },
    ],
}

RABBITS = {
    "Story_type": {"en": "Children's Picture Books", "ch": "儿童绘本"},
    "Characters": {
        "Little Brown Rabbit": {
            "tag": "non_human",
            "name_ch": "小栗色兔子",
            "name_en": "Little Brown Rabbit",
            "prompt_ch": "一只可爱的小兔子。",
            "prompt_en": "A little rabbit with chestnut fur. His expression is always full of curiosity.",
            "num_of_appearances": 2,
        },
        "Big Brown Rabbit": {"name_en": "Big Brown Rabbit", "prompt_en": "A big rabbit", "name_ch": "大栗色兔子"},
    },
    "Shots": [
        {
            "index": 1,
            "Plot Correspondence": {"ch": "小兔子该上床睡觉了。", "en": "It's time for bed."},
            "Setting Description": {"ch": "夜晚", "en": "Nighttime, a cozy bedroom."},
            "Shot Perspective Design": {"ch": "中景", "en": "Medium shot, eye level shot"},
            "Characters Appearing": {"ch": ["小栗色兔子"], "en": ["Big Brown Rabbit", "Little Brown Rabbit"]},
            "Static Shot Description": {"ch": "坐在床上", "en": "The little brown rabbit sits on the bed"},
        },
        {
            "index": 2,
            "Plot Correspondence": {"en": "Night falls"},
            "Setting Description": {"en": "The sky"},
            "Shot Perspective Design": {"en": ""},
            "Characters Appearing": {"en": [], "ch": []},
            "Static Shot Description": {"en": ""},
        },
    ],
}


def text(data):
    return json.dumps(data, ensure_ascii=False, indent=2)


def changed(data, *path_and_value):
    """A copy with the value at a path replaced, or taken out for `...`."""
    *path, key, value = path_and_value
    data = copy.deepcopy(data)
    place = data
    for step in path:
        place = place[step]
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return data


# --- the authors' form --------------------------------------------------------------------------------------------


def test_the_authors_storyboard():
    script = parse_script(text(AUTHORS))
    assert script.title == "小狐狸找到灯塔"
    assert script.cast == (
        CastMember("小狐狸", description="A small fox wearing a blue scarf."),
        CastMember("老海龟", description="An old turtle with round glasses."),
    )
    assert script.panels == (
        Panel(
            "小狐狸 walks alone on a beach at night, waves rolling in under the moon.",
            ("小狐狸",),
            "夜里，小狐狸在海边迷了路。",
        ),
        Panel("小狐狸 and 老海龟 talk beside dark rocks.", ("小狐狸", "老海龟"), "它遇见了一位老海龟。"),
        Panel("A lighthouse on a cliff.", (), "灯塔亮着。"),
    )
    assert compose(script.panels[1], script.cast).text == (
        "a small fox wearing a blue scarf and an old turtle with round glasses talk beside dark rocks"
    )


@pytest.mark.parametrize("name", ["board.json", "board.txt", "board.yaml"])
def test_a_form_is_recognised_by_content_and_not_by_name(tmp_path, name):
    (tmp_path / name).write_text(text(AUTHORS), encoding="utf-8-sig")
    assert load_script(tmp_path / name) == parse_script(AUTHORS) == parse_script(text(AUTHORS))


def test_yaml_with_the_authors_keys():
    script = parse_script("角色表:\n- {角色名: 王, alias: A1}\n分镜头:\n- {prompt: A1 sits, 旁白: 坐}")
    assert script.panels == (Panel("王 sits", ("王",), "坐"),)


def test_every_order_of_keys_and_roles_gives_one_cast():
    casts = set()
    for roles in itertools.permutations(["ROLE-A", "ROLE-B"]):
        for keys in itertools.permutations(["act_roles", "prompt", "旁白"]):
            panel = {"act_roles": list(roles), "prompt": "ROLE-B and ROLE-A", "旁白": "x"}
            data = changed(AUTHORS, "分镜头", [{key: panel[key] for key in keys}])
            casts.add(parse_script(text(data)).panels[0].cast)
    assert casts == {("小狐狸", "老海龟")}


@pytest.mark.parametrize(
    ("panel", "cast"),
    [
        ({"prompt": "ROLE-A sits"}, ("小狐狸",)),
        ({"prompt": "ROLE-A sits", "act_roles": ["ROLE-B"]}, ("小狐狸", "老海龟")),
        ({"prompt": "a beach", "act_roles": ["ROLE-B"]}, ("老海龟",)),
        ({"prompt": "a beach", "出场角色": ["老海龟"]}, ("老海龟",)),
        ({"prompt": "a beach", "出場角色": ["老海龟"]}, ("老海龟",)),
        ({"prompt": "a beach", "act_roles": ["role-b"]}, ("老海龟",)),
        ({"prompt": "a beach"}, ()),
        ({"prompt": "ROLE-A sits", "act_roles": []}, ("小狐狸",)),
        ({"场景描述": "小狐狸在海边"}, ("小狐狸",)),
    ],
)
def test_who_is_in_a_panel(panel, cast):
    assert parse_script(text(changed(AUTHORS, "分镜头", [panel]))).panels[0].cast == cast


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("ROLE-A and ROLE-AB", "小狐狸 and ROLE-AB"),
        ("ROLE-A1, ROLE-A-1, MY-ROLE-A, XROLE-A, ROLE-A_", "ROLE-A1, ROLE-A-1, MY-ROLE-A, XROLE-A, ROLE-A_"),
        ("ROLE-A's hat, (ROLE-A), “ROLE-A”!", "小狐狸's hat, (小狐狸), “小狐狸”!"),
        ("role-a runs", "小狐狸 runs"),
        ("ROLE-A走在海边，看见ROLE-B。", "小狐狸走在海边，看见老海龟。"),
    ],
)
def test_aliases_never_match_inside_words(prompt, said):
    assert parse_script(text(changed(AUTHORS, "分镜头", [{"prompt": prompt}]))).panels[0].prompt == said


def chinese(prompt, **cast):
    """The panel of a storyboard with the cast given as {alias: name}."""
    roles = [{"角色名": name, "alias": alias, "simple_prompt": "x"} for alias, name in cast.items()]
    return parse_script(text({"角色表": roles, "分镜头": [{"prompt": prompt}]})).panels[0]


@pytest.mark.parametrize("turn", [1, -1])
def test_without_spaces_the_longest_alias_wins_in_any_order(turn):
    cast = dict([("小明", "Ann"), ("小明明", "Bob")][::turn])
    panel = chinese("小明明和小明走在路上", **cast)
    assert panel.prompt == "Bob和Ann走在路上" and set(panel.cast) == {"Ann", "Bob"}
    assert panel.cast == tuple(cast.values())


def test_a_single_character_is_a_name_only_where_it_stands_alone():
    assert chinese("国王坐着", 王="Ann") == Panel("国王坐着", ())
    assert chinese("王，坐着", 王="Ann") == Panel("Ann，坐着", ("Ann",))
    # A name of one character in place of an alias is set apart, or it would be part of a word.
    assert chinese("看见ROLE走了", ROLE="王") == Panel("看见 王 走了", ("王",))


def test_digits_and_letters_go_on_in_chinese_aliases():
    assert chinese("角色1和角色10", 角色1="Ann", 角色10="Bob").prompt == "Ann和Bob"
    assert chinese("角色A走，角色AB坐", 角色A="Ann").prompt == "Ann走，角色AB坐"


def test_a_name_inside_another_characters_name_stays_in_the_sentence():
    script = parse_script("cast: Mia, a fox\ncast: Mia Lu, an owl\n[Mia] Mia waits for Mia Lu")
    assert compose(script.panels[0], script.cast[:1], others=["Mia", "Mia Lu"]).text == "a fox waits for Mia Lu"


@pytest.mark.parametrize(
    ("path", "value", "cast"),
    [
        (("角色名",), ..., CastMember("ROLE-A", description="A small fox wearing a blue scarf.")),
        (("alias",), ..., CastMember("小狐狸", description="A small fox wearing a blue scarf.")),
        (("simple_prompt",), ..., CastMember("小狐狸", description="一只戴蓝围巾的小狐狸。")),
        (("alias",), ["ROLE-A", "fox"], CastMember("小狐狸", description="A small fox wearing a blue scarf.")),
        (("图片",), "x", CastMember("小狐狸", description="A small fox wearing a blue scarf.")),
    ],
)
def test_variants_of_a_role(path, value, cast):
    data = changed(AUTHORS, "角色表", 0, *path, value)
    if path == ("alias",) and value is ...:
        data["分镜头"] = data["分镜头"][2:]
    assert parse_script(text(data)).cast[0] == cast


def test_a_role_may_have_a_picture_and_a_panel_its_seed_and_style(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "fox.png")
    data = changed(AUTHORS, "角色表", 0, "image", "fox.png")
    data = changed(changed(data, "分镜头", 0, "seed", 7), "分镜头", 1, "style", "Line art") | {"style": "Comic book"}
    (tmp_path / "a.json").write_text(text(data), encoding="utf-8")
    script = load_script(tmp_path / "a.json")
    assert script.cast[0].image == tmp_path / "fox.png"
    data = changed(data, "角色表", 0, "image", ["fox.png", "gone.png"])
    with pytest.raises(ScriptError, match=r"Line 11: There is no picture file '.*gone.png'"):
        parse_script(text(data), tmp_path)
    assert (script.style, script.panels[0].seed, script.panels[1].style) == ("Comic book", 7, "Line art")


def test_an_uploaded_character_is_known_by_its_name_or_its_alias():
    for name in ("小狐狸", "role-a"):
        script = parse_script(text(AUTHORS), cast=[CastMember(name)])
        assert script.cast[0] == CastMember(name, description="A small fox wearing a blue scarf.")
        assert [panel.cast for panel in script.panels] == [(name,), (name, "老海龟"), ()]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (changed(AUTHORS, "分镜头", ...), None, "no panels; write at least one under '分镜头'"),
        (changed(AUTHORS, "分镜头", []), 17, "no panels; write at least one under '分镜头'"),
        (changed(AUTHORS, "分镜头", {}), 17, "分镜头 must be a list, not a mapping"),
        (changed(AUTHORS, "角色表", "小狐狸"), 3, "角色表 must be a list, not text"),
        (changed(AUTHORS, "角色表", ...), 11, "Nobody is named 'ROLE-A'; the cast is empty: add them to it"),
        (changed(AUTHORS, "角色表", 0, ["x"]), 4, "Expected name, alias"),
        (changed(AUTHORS, "角色表", 0, {}), 4, "A character needs a name"),
        (changed(AUTHORS, "角色表", 1, "角色名", "小狐狸"), 11, "Two characters are named '小狐狸'"),
        (changed(AUTHORS, "角色表", 1, "alias", "ROLE-A"), 13, "'ROLE-A' means both 小狐狸 and 老海龟"),
        (changed(AUTHORS, "角色表", 1, "alias", "小狐狸"), None, "小狐狸"),
        (changed(AUTHORS, "角色表", 1, "alias", {"a": "b"}), 13, "alias must be a name or a list of names"),
        (changed(AUTHORS, "角色表", 1, "alias", "!!"), 13, "The alias '!!' must have a letter"),
        (changed(AUTHORS, "角色表", 1, "simple_prompt", []), None, None),
        (changed(AUTHORS, "角色表", 1, "simple_prompt", ["x"]), 14, "simple_prompt must be text, not a list"),
        (changed(AUTHORS, "角色表", 1, "image", "no.png"), 15, "no picture file|Pasted text cannot"),
        (changed(AUTHORS, "分镜头", 0, "act_roles", 0, "ROLE-C"), 25, r"named 'ROLE-C' \(did you mean 'ROLE-B'\?\)"),
        (changed(AUTHORS, "分镜头", 0, "act_roles", "ROLE-A"), 24, "act_roles must be a list, not text"),
        (changed(AUTHORS, "分镜头", 2, {"序号": 9}), 44, "no prompt; say what is to be seen under 'prompt'"),
        (changed(AUTHORS, "分镜头", 2, "prompt", {}), None, "prompt must be text, not a mapping"),
        (changed(AUTHORS, "分镜头", 2, "旁白", 5), None, None),
        (changed(AUTHORS, "分镜头", 2, "序号", 1), 45, "序号 1 is given twice"),
        (changed(AUTHORS, "分镜头", 2, 7), 44, "not text|Expected"),
    ],
)
def test_what_is_wrong_with_a_storyboard_is_a_sentence_with_its_line(data, line, words):
    if words is None:  # an empty description, and a number read as a word
        assert parse_script(text(data)).panels
        return
    try:
        script = parse_script(text(data))
    except ScriptError as error:
        message = str(error)
        assert message.endswith(".") and "\n" not in message and (line is None or error.line == line), message
        with pytest.raises(ScriptError, match=words):
            raise
    else:
        # A panel that is only a number is a line of plain text, as in our own YAML.
        assert words == "not text|Expected" and script.panels[2].prompt == "7"


def test_all_that_is_wrong_is_told_at_once():
    data = changed(AUTHORS, "分镜头", 0, "act_roles", ["ROLE-C"])
    data = changed(changed(data, "分镜头", 1, "act_roles", ["ROLE-D"]), "分镜头", 2, "prompt", ...)
    del data["分镜头"][2]["场景描述"]
    reading = read_script(text(data))
    assert len(reading.errors) == 3
    assert [panel and panel.cast for panel in reading.panels] == [("小狐狸",), ("小狐狸", "老海龟"), ()]
    assert reading.panels[2].prompt == "" and len(reading.script.panels) == 2


def test_a_storyboard_survives_story_json():
    for data in (AUTHORS, RABBITS):
        script = parse_script(text(data))
        assert parse_script(json.loads(json.dumps(dump_script(script)))) == script


def test_broken_json_is_told_in_its_own_terms():
    with pytest.raises(ScriptError, match=r"Line 9: This is not JSON: Expecting ',' delimiter; look for a missing"):
        parse_script(text(AUTHORS).replace('"ROLE-A",', '"ROLE-A"', 1).replace("\n", "\n\n", 1))


# --- ViStoryBench -------------------------------------------------------------------------------------------------


def test_vistorybench():
    script = parse_script(text(RABBITS))
    little, big = script.cast
    assert (little.name, big.name) == ("Little Brown Rabbit", "Big Brown Rabbit")
    assert little.description.startswith("A little rabbit with chestnut fur.")
    assert script.panels == (
        Panel(
            "The little brown rabbit sits on the bed. Nighttime, a cozy bedroom. Medium shot, eye level shot",
            ("Little Brown Rabbit", "Big Brown Rabbit"),
            "It's time for bed.",
        ),
        Panel("The sky", (), "Night falls"),
    )
    assert compose(script.panels[0], script.cast).text.startswith(
        "a big rabbit, a little rabbit with chestnut fur sits on the bed. Nighttime"
    )


def test_vistorybench_in_chinese_alone():
    shot = {key: value for key, value in RABBITS["Shots"][0].items()}
    shot = {key: {"ch": value["ch"]} if isinstance(value, dict) else value for key, value in shot.items()}
    cast = {"R": {"name_ch": "小栗色兔子", "prompt_ch": "一只可爱的小兔子。"}}
    script = parse_script(text({"Characters": cast, "Shots": [shot]}))
    assert script.cast == (CastMember("小栗色兔子", description="一只可爱的小兔子。"),)
    assert script.panels == (Panel("坐在床上. 夜晚. 中景", ("小栗色兔子",), "小兔子该上床睡觉了。"),)


def test_vistorybench_finds_its_pictures_beside_the_file_and_nowhere_else(tmp_path):
    for name in ("image/Little Brown Rabbit/01.jpg", "image/Little Brown Rabbit/00.PNG", "image/notes.txt", "out.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16)).save(tmp_path / name, "PNG")
    (tmp_path / "story.json").write_text(text(RABBITS), encoding="utf-8")
    little, big = load_script(tmp_path / "story.json").cast
    files = [tmp_path / "image/Little Brown Rabbit" / name for name in ("00.PNG", "01.jpg")]
    assert (little.image, little.more) == (files[0], ((files[1], None),)) and (big.image, big.more) == (None, ())
    outside = {"Characters": {"..": {"name_en": "Ann"}, "a\0b": {"name_en": "Bob"}}, "Shots": RABBITS["Shots"][1:]}
    (tmp_path / "story.json").write_text(text(outside), encoding="utf-8")
    with pytest.raises(ScriptError):
        load_script(tmp_path / "story.json")
    del outside["Characters"]["a\0b"]
    outside["Characters"][".."]["name_ch"] = "Ann"
    reading = read_script(text(outside), tmp_path)
    assert [member.image for member in reading.script.cast] == [None]
    assert [member.image for member in parse_script(text(RABBITS)).cast] == [None, None]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(RABBITS, "Shots", ...), "no panels; write at least one under 'Shots'"),
        (changed(RABBITS, "Shots", 1, {}), "no prompt; say what is to be seen under 'Plot Correspondence'"),
        (changed(RABBITS, "Characters", []), "named 'Big Brown Rabbit'; the cast is empty"),
        (changed(RABBITS, "Characters", "Big Brown Rabbit", ...), "Nobody is named 'Big Brown Rabbit'"),
        (changed(RABBITS, "Characters", "Big Brown Rabbit", [1]), "Expected name"),
        (changed(RABBITS, "Shots", 0, "Static Shot Description", "en", ["x"]), "must be text, not a list"),
        (changed(RABBITS, "Shots", 0, "Characters Appearing", "en", {"a": "b"}), "en must be a list"),
    ],
)
def test_a_wrong_vistorybench_file_is_one_sentence(data, words):
    with pytest.raises(ScriptError, match=words) as caught:
        parse_script(text(data))
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


# --- StoryDiffusion -----------------------------------------------------------------------------------------------

DIFFUSION = """\
[Bob] A man img, wearing a black suit
[Alice]a woman img, wearing a white shirt

[Bob] at home, read new paper #at home, The newspaper says there is a treasure house in the forest.
[Alice] is make a call at home # [Bob] invited [Alice] to join him on an adventure.
[NC]A tiger appeared in the forest, at night 
[NC] The car on the road, near the forest #They drives to the forest in search of treasure.
[Bob]  and [Alice] running very fast, in the forest, at night
The house [NC] at night
"""


@pytest.mark.parametrize("source", [DIFFUSION, DIFFUSION.replace("\n\n", "\n")], ids=["two boxes", "one"])
def test_storydiffusion(source):
    script = parse_script(source)
    assert script.cast == (
        CastMember("Bob", description="A man, wearing a black suit"),
        CastMember("Alice", description="a woman, wearing a white shirt"),
    )
    assert script.panels == (
        Panel(
            "at home, read new paper",
            ("Bob",),
            "at home, The newspaper says there is a treasure house in the forest.",
        ),
        Panel("is make a call at home", ("Alice",), "Bob invited Alice to join him on an adventure."),
        Panel("A tiger appeared in the forest, at night", ()),
        Panel("The car on the road, near the forest", (), "They drives to the forest in search of treasure."),
        Panel("Bob and Alice running very fast, in the forest, at night", ("Bob", "Alice")),
        Panel("The house at night", ()),
    )
    assert compose(script.panels[0], script.cast[:1]).text == "a man, wearing a black suit, at home, read new paper"


def test_uploaded_characters_are_described_by_the_list():
    known = [CastMember("Bob"), CastMember("Alice", description="a nurse")]
    script = parse_script(DIFFUSION, cast=known)
    assert [m.description for m in script.cast] == ["A man, wearing a black suit", "a nurse"]
    assert len(script.panels) == 6
    assert parse_script(DIFFUSION.replace("\n\n", "\n"), cast=known) == script  # img makes it sure


@pytest.mark.parametrize(
    ("source", "panels"),
    [
        ("[Mia] a walk in the park\n[Mia] sits", ["a walk in the park", "sits"]),  # known: a panel
        ("[Mia] walks\n\n[Mia] sits", ["walks", "sits"]),
        ("[Mia] a walk # Noon\n\n[Mia] sits", ["a walk", "sits"]),
        ("[NC] a beach\n\n[NC] the sea", ["a beach", "the sea"]),
        ("[Mia, Tom] a race\n\n[Mia] sits", ["a race", "sits"]),
        ("[Mia] a walk", ["a walk"]),
        ("[Mia] a walk\n\n\n", ["a walk"]),
        ("Mia runs\n\n[Tom] a race\n\n[Mia] sits", ["Mia runs", "a race", "sits"]),
    ],
)
def test_panels_are_not_taken_for_a_character_list(source, panels):
    script = parse_script(source, cast=[CastMember("Mia"), CastMember("Tom")])
    assert [panel.prompt for panel in script.panels] == panels
    assert [member.description for member in script.cast] == ["", ""]


def test_a_list_in_chinese_and_headers_around_it():
    script = parse_script("title: 路上\n[小明]一个男孩\n# 备注\n\n小明在路上 # 早\n[小明] 在家")
    assert script.title == "路上" and script.cast == (CastMember("小明", description="一个男孩"),)
    assert [panel.cast for panel in script.panels] == [("小明",), ("小明",)]


def test_an_unknown_name_is_not_made_a_character_by_the_way():
    with pytest.raises(ScriptError, match=r"Line 1: Nobody is named 'Tim' \(did you mean 'Tom'\?\)"):
        parse_script("[Tim] runs\n\n[Tom] sits", cast=[CastMember("Tom")])
