"""Texts as people paste them: every panel is read, no line is lost without being listed, and places stay true."""

import pytest

from anystory.script.edits import move_panel, remove_panel, with_panel
from anystory.script.encoding import decode
from anystory.script.form import ScriptError
from anystory.script.lint import lint, mend
from anystory.script.read import load_script, parse_script, read_script, script_text
from anystory.script.write import script_lines, script_yaml
from anystory.story.model import CastMember, Line, Panel, Script

CAST = (CastMember("Mochi", description="a white cat"), CastMember("Pip", description="a blue bird"))


def prompts(text, cast=CAST):
    return [panel.prompt for panel in parse_script(text, cast=cast).panels]


def left_out(text):
    reading = read_script(text, cast=CAST)
    return [reading.source[slice(*out.span)] for out in reading.left_out]


MARKS = [
    "1.",
    "1)",
    "(1)",
    "1、",
    "1．",
    "①",
    "1:",
    "-",
    "*",
    "+",
    "•",
    "·",
    "–",
    "◦",
    "**1.**",
    "Panel_1:",
    "PANEL_1.",
    "**Panel_1:**",
    "**Panel_1**:",
    "##_Panel_1:",
    "Frame_1_-",
    "Scene_1:",
    "Shot_#1:",
    "Viñeta_1:",
    "Escena_1.",
    "第1格：",
    "第一幕:",
    "分镜1：",
    "镜头一：",
    "-_[_]",
    "-_[x]",
    "→",
    "✅",
    "1_-",
    "（1）",
    "一、",
    "1️⃣",
    "Step_1:",
    "Panel_One:",
    "Viñeta_dos:",
    "Bild_1:",
    "Case_1_:",
    "Кадр_1:",
    "コマ1：",
    "컷_1:",
]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_lists_are_no_words(mark):
    mark = mark.replace("_", " ")
    text = f"{mark} Mochi packs a basket\n\nPip sleeps"
    assert prompts(text) == ["Mochi packs a basket", "Pip sleeps"]
    reading = read_script(text, cast=CAST)
    assert text[slice(*reading.span(("panels", 0)))] == "Mochi packs a basket"
    assert with_panel(text, 1, Panel("Mochi runs", ("Mochi",)), CAST) == f"{mark} Mochi runs\n\nPip sleeps"


@pytest.mark.parametrize(
    "line",
    [
        "1.5 metres of snow and Mochi",
        "2 birds and Mochi",
        "Panel 3 shows Mochi",
        "-5 degrees, Mochi shivers",
        "10:30 Mochi wakes",
        "Mochi - asleep",
        "__place__ with Mochi",
        "[Mochi] - a walk",
        "Mochi 2) x",
    ],
)
def test_what_only_looks_like_a_mark_stays(line):
    assert prompts(line)[0] == line.removeprefix("[Mochi] ")


@pytest.mark.parametrize(
    "prompt", ["1. Mochi", "- Mochi", "Panel 3: Mochi", "**Mochi** runs", "• - 2) Mochi", "a\\*b Mochi"]
)
def test_panels_that_begin_like_marks_are_written_so_that_they_read_back(prompt):
    script = Script((Panel(prompt, ("Mochi",)),), CAST)
    assert parse_script(script_lines(script), cast=CAST).panels == script.panels


CHAT = """\
Here is your 3-panel story:

**Panel 1:** Mochi packs a basket
**Panel 2:** Mochi and Pip walk uphill
**Panel 3:** Pip opens an umbrella

Let me know if you want Mochi to change!
"""


def test_a_chat_answer_is_its_panels_and_the_rest_is_listed():
    assert prompts(CHAT) == ["Mochi packs a basket", "Mochi and Pip walk uphill", "Pip opens an umbrella"]
    assert left_out(CHAT) == ["Here is your 3-panel story:", "Let me know if you want Mochi to change!"]
    found = [finding for finding in lint(CHAT, cast=CAST) if finding.code == "left-out"]
    assert [(finding.line, finding.severity) for finding in found] == [(1, "note"), (7, "note")]
    back = mend(CHAT, found[0])
    assert prompts(back)[0] == "Here is your 3-panel story:" and len(prompts(back)) == 4


def test_a_chat_answer_with_parts():
    text = """\
Sure! Here's the storyboard.

**Title:** The picnic

**Characters:**
- **Mia**: a small fox
- Tom (the boy) - a boy in a yellow coat

### Panel 1
**Visual:** Mia packs a *big* basket
**Setting:** a hill
**Caption:** "Morning"
**Dialogue:** Mia: "Ready?"

### Panel 2
- Tom walks uphill
- Narration: Later

---
Would you like more panels?
"""
    reading = read_script(text)
    assert not reading.errors
    assert reading.script.title == "The picnic"
    assert [(m.name, m.description) for m in reading.script.cast] == [
        ("Mia", "a small fox"),
        ("Tom", "a boy in a yellow coat"),
    ]
    one, two = reading.script.panels
    assert (one.prompt, one.caption, one.cast) == ("Mia packs a *big* basket, a hill", "Morning", ("Mia",))
    assert [line.who for line in one.dialogue] == ["Mia"] and "Ready?" in one.dialogue[0].say
    assert (two.prompt, two.caption, two.cast) == ("Tom walks uphill", "Later", ("Tom",))
    assert [text[slice(*o.span)] for o in reading.left_out] == [
        "Sure! Here's the storyboard.",
        "Would you like more panels?",
    ]
    moved = read_script(move_panel(text, 1, 2))
    assert [panel.prompt for panel in moved.script.panels] == [two.prompt, one.prompt]
    assert len(read_script(remove_panel(text, 1)).script.panels) == 1


def test_lines_below_a_number_belong_to_it():
    text = "1. Mochi packs a basket\n   under a tree\n2. Pip sleeps\n> Pip: Zzz\nMochi waits\n"
    script = parse_script(text, cast=CAST)
    assert [panel.prompt for panel in script.panels] == [
        "Mochi packs a basket under a tree",
        "Pip sleeps",
        "Mochi waits",
    ]
    assert script.panels[1].dialogue == (Line("Pip", "Zzz"),)


@pytest.mark.parametrize(
    "text", ["Mochi walks\n1. Pip\n2. Mochi", "1. Pip\n2. Mochi\n\nMochi walks", "[NC] a\n\n1. Pip\n2. Mochi"]
)
def test_lines_that_may_be_panels_are_kept_beside_counted_ones(text):
    assert len(prompts(text)) == 3 and left_out(text) == []


def test_nothing_is_lost_without_being_listed():
    """Every word of a pasted text is in a panel, in the cast, or in what is said to be left out."""
    for text in (CHAT, f"Intro words\n\n```\n{CHAT}\n```\nOutro", CHAT.replace("**", "")):
        reading = read_script(text, cast=CAST)
        there = " ".join(
            [*(p.prompt for p in reading.script.panels), *(text[slice(*o.span)] for o in reading.left_out)]
        )
        words = [w for w in text.replace("*", " ").replace("`", " ").split() if w not in ("Panel", "1:", "2:", "3:")]
        assert [word for word in words if word not in there] == []


FENCED = """\
Here you go:

```json
{
  // the story
  “title”: “The picnic”,
  "cast": [{"name": "Mia", "description": "a “small” fox"},],
  "panels": ["Mia packs a basket", {"prompt": "Mia eats", "caption": "at http://x"},],
}
```
Enjoy!
"""


def test_a_fenced_block_with_curly_quotes_comments_and_trailing_commas():
    reading = read_script(FENCED)
    assert not reading.errors and reading.script.title == "The picnic"
    assert reading.script.cast[0].description == "a “small” fox"
    assert [(p.prompt, p.caption) for p in reading.script.panels] == [
        ("Mia packs a basket", ""),
        ("Mia eats", "at http://x"),
    ]
    assert FENCED[slice(*reading.span(("panels", 0)))] == "Mia packs a basket"
    assert [FENCED[slice(*out.span)] for out in reading.left_out] == ["Here you go:", "Enjoy!"]


@pytest.mark.parametrize("mark", ["```", "```yaml", "~~~yml", "````"])
def test_fenced_yaml_and_plain_text(mark):
    end = mark.rstrip("yaml")
    yaml = f"Hi\n{mark}\npanels:\n  - Mochi runs\n{end}\n"
    assert prompts(yaml) == ["Mochi runs"] and left_out(yaml) == ["Hi"]
    if mark in ("```", "````"):
        assert prompts(f"Hi\n{mark}\nMochi runs\nPip sleeps\n{end}\nBye") == ["Mochi runs", "Pip sleeps"]


def test_a_list_of_panels_alone_is_json_too():
    assert prompts('```json\n["Mochi runs", {"prompt": "Pip sleeps"}]\n```') == ["Mochi runs", "Pip sleeps"]


WORDS = {
    "utf-8-sig": "Zoë läuft", "utf-16": "Mochi walks\r\nPip sleeps",
    "utf-16-le": "Mochi walks", "utf-16-be": "Mochi walks", "utf-32": "Mochi walks",
    "gbk": "角色：小明，一个男孩\n小明在森林里走。", "gb18030": "小狐狸在海边跑，太阳很大。",
    "big5": "小明在森林裡走，看見一隻貓。", "shift_jis": "ミアは森の中を歩いています。",
    "euc-kr": "미아가 숲에서 걸어갑니다.", "cp1251": "Миша идёт по лесу",
    "cp1252": "Zoë läuft über die Wiese – “schön”", "latin-1": "El niño está aquí",
}  # fmt: skip


@pytest.mark.parametrize("encoding", WORDS)
def test_files_in_the_encodings_of_editors(encoding, tmp_path):
    (tmp_path / "a.txt").write_bytes(WORDS[encoding].encode(encoding))
    assert script_text(tmp_path / "a.txt") == WORDS[encoding]
    assert load_script(tmp_path / "a.txt").panels


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\x00\x01\xff\xfe\x00", b"\xef\xbb\xbf\xff"])
def test_what_is_no_text_is_refused(data, tmp_path):
    with pytest.raises(UnicodeDecodeError):
        decode(data)
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(ScriptError, match="save it as UTF-8"):
        script_text(tmp_path / "a.txt")


def test_a_markdown_table_is_its_rows():
    text = (
        "The plan:\n\n| # | Visual | Dialogue | Budget |\n|---|:---:|---|---|\n"
        "| 1 | **Mochi** runs | Mochi: Hi! | 3 |\n| 2 | Pip sleeps | | |\n\nDone."
    )
    reading = read_script(text, cast=CAST)
    assert not reading.errors
    assert [(p.prompt, p.cast) for p in reading.script.panels] == [("Mochi runs", ("Mochi",)), ("Pip sleeps", ("Pip",))]
    assert reading.script.panels[0].dialogue == (Line("Mochi", "Hi!"),)
    assert left_out(text) == ["The plan:", "Done.", " Budget "]


@pytest.mark.parametrize(
    "text",
    [
        "Mia: a girl in a red coat\nTom: a boy\n\nMia runs.\nTom waves.",
        "title: Out\n\nMia: A girl in a red coat\nTom: the boy next door\n\nMia runs.\nTom waves.",
        "Cast:\nMia: girl in a red coat\nTom, boy\n\nMia runs.\nTom waves.",
        "Characters\n\n- Mia: a girl in a red coat\n- Tom – a boy\n\nMia runs.\nTom waves.",
        "角色：\nMia：红衣女孩\nTom：男孩\n\nMia runs.\nTom waves.",
        "Personajes:\nMia: una niña\nTom: un niño\n\n1. Mia runs.\n2. Tom waves.",
        "Mia: una niña\nTom: un niño\n\nMia runs.\nTom waves.",
    ],
)
def test_a_list_of_the_cast_is_no_panels(text):
    reading = read_script(text)
    assert not reading.errors
    assert [member.name for member in reading.script.cast] == ["Mia", "Tom"]
    assert all(member.description for member in reading.script.cast)
    assert [(panel.prompt, panel.cast) for panel in reading.script.panels] == [
        ("Mia runs.", ("Mia",)),
        ("Tom waves.", ("Tom",)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Mia: a dragon!\n\nMia runs.",
        "Morning: the sun rises\n\nMia runs.",
        "Mia: a girl runs home\nMia waves.",
        "Scene: a forest\n\nThe scene is dark.",
        "## Characters",
        "Characters:",
        "Mia runs.\n\nCharacters: \nMia: a girl",
    ],
)
def test_what_only_looks_like_a_list_of_the_cast_stays_panels(text):
    assert not read_script(text).script.cast


def test_a_member_who_is_there_already_is_listed_in_no_text():
    reading = read_script("Mia: a girl\n\nMia runs.", cast=[CastMember("Mia", description="a fox")])
    assert [member.description for member in reading.script.cast] == ["a fox"]
    assert len(reading.script.panels) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Mia walks\nMia: hi\nTOM: Night: it falls", [("Mia walks", ["Mia: hi", "Tom: Night: it falls"])]),
        ("Mia walks\n\nMia：你好", [("Mia walks", ["Mia: 你好"])]),
        ("1. Mia walks\n   Mia: “Hi”\n2. Tom sits\nTom: x", [("Mia walks", ["Mia: Hi"]), ("Tom sits", ["Tom: x"])]),
        ("### Panel 1\nMia walks\n**Mia:** Hi\n\n### Panel 2\nTom", [("Mia walks", ["Mia: Hi"]), ("Tom", [])]),
        ("Mia: walks\nTom: sits", [("Mia: walks", []), ("Tom: sits", [])]),
        ("Mia walks\n- Mia: hi", [("Mia walks", []), ("Mia: hi", [])]),
        ("Mia walks\nClose-up: a shoe", [("Mia walks", []), ("Close-up: a shoe", [])]),
        ("cast: Ann\n\nAnn walks\nAnn: hi", [("Ann walks", ["Ann: hi"])]),
        ("Ann: a girl\nBo: a boy\n\nAnn and Bo walk\nBo: hi", [("Ann and Bo walk", ["Bo: hi"])]),
    ],
)
def test_a_name_and_words_below_a_panel_are_dialogue(text, told):
    panels = read_script(text, cast=[CastMember("Mia"), CastMember("Tom")]).script.panels
    assert [(p.prompt, [f"{line.who}: {line.say}" for line in p.dialogue]) for p in panels] == told


def test_how_something_is_said_is_listed():
    text = "Mia walks\nMia (laughing): hi"
    reading = read_script(text, cast=[CastMember("Mia")])
    assert reading.script.panels[0].dialogue[0].say == "hi"
    assert [text[slice(*out.span)] for out in reading.left_out] == ["(laughing)"]


@pytest.mark.parametrize(
    "marks",
    [
        ("I.", "II."),
        ("(a)", "(b)"),
        ("a)", "b)"),
        ("1/2", "2/2"),
        ("[1]", "[2]"),
        ("#1", "#2"),
        ("#1:", "#2:"),
        ("> 1.", "> 2."),
    ],
)
def test_marks_that_may_be_words_are_marks_where_there_are_two(marks):
    one, two = marks
    assert prompts(f"{one} Mochi walks\n{two} Pip sleeps") == ["Mochi walks", "Pip sleeps"]
    assert prompts("Mochi a\nI. M. Pei draws\n#1 is a remark") == ["Mochi a", "I. M. Pei draws"]


def test_the_words_below_a_headed_label_are_its_panels_and_sounds_are_listed():
    text = "**Panel 1: Waking**\nMochi yawns\n\n**Panel 2: Eating**\nPip eats\nSFX: Crunch"
    assert prompts(text) == ["Mochi yawns", "Pip eats"]
    left_out = [text[slice(*out.span)] for out in read_script(text, cast=CAST).left_out]
    assert left_out == ["Waking", "Eating", "SFX: Crunch"]


NOTED = ["Panel 1 (wide shot):", "**Panel 1 (wide shot):**", "### Panel 1 [wide shot]", "Panel 1 (wide shot) -"]


@pytest.mark.parametrize("mark", NOTED)
def test_a_note_beside_a_label_goes_into_the_words(mark):
    separate = "\n" if mark.startswith("#") else " "
    text = f"{mark}{separate}Mochi packs a basket\n\nPanel 2: Pip sleeps"
    assert prompts(text) == ["Mochi packs a basket, wide shot", "Pip sleeps"]


@pytest.mark.parametrize("mark", ["*", "_", "**", "***"])
def test_a_line_all_in_emphasis_is_its_words(mark):
    assert prompts(f"{mark}Mochi packs a basket{mark}\n{mark}Pip sleeps{mark}") == [
        "Mochi packs a basket",
        "Pip sleeps",
    ]
    assert prompts("*boom* goes the *door*\n2 * 3 * 4") == ["*boom* goes the *door*", "2 * 3 * 4"]


def test_html_is_read_as_what_it_shows():
    text = (
        "<html><head><style>p {color: red}</style></head><body><!-- hm --><h2>A day</h2><ol>\n"
        '<li class="a"><strong>Mochi</strong> packs a basket</li><li>Pip &amp; Mochi don&#39;t <em>run</em></li>\n'
        "<li><p>Pip<br>sleeps</p></li></ol><p>Hope you like it!</p></body></html>"
    )
    assert prompts(text) == ["Mochi packs a basket", "Pip & Mochi don't run", "Pip sleeps"]
    assert left_out(text) == ["Hope you like it!"]
    assert prompts("<p>Mochi waves</p>\n<p>Pip sleeps</p>") == ["Mochi waves", "Pip sleeps"]
    assert prompts("Mochi <3 Pip\na <b>bold</b> word") == ["Mochi <3 Pip", "a <b>bold</b> word"]
    assert script_lines(parse_script(text, cast=CAST)).splitlines()[0] == "Mochi packs a basket"
    (error,) = read_script("<p>[Bob] runs</p><p>Pip</p>\n<p>[seed: x] Pip</p>", cast=CAST).errors[-1:]
    assert error.line == 2


def test_what_quoted_words_below_a_counted_panel_are():
    text = '1. Ada climbs\nAda: "Who is there?"\nBen (off): “Me!”\n2. Ben waves\nSFX: Whoosh\n'
    one, two = parse_script(text).panels
    assert [(line.who, line.say) for line in one.dialogue] == [("Ada", "Who is there?"), ("Ben", "Me!")]
    assert (two.cast, two.dialogue) == (("Ben",), ())
    # Where the cast is told, another speaker is a mistake and nobody new.
    assert "Ada" in read_script(text, cast=CAST).errors[0].sentence
    listed = "角色：\n- 小雨：一个女孩\n\n第一格：小雨跑步\n小雨：“等等我！”\n第二格：小雨回家\n"
    assert parse_script(listed).panels[0].dialogue == (Line("小雨", "等等我！"),)
    japanese = "cast: ミア, a fox\n\n1コマ目：ミアが歩く\nミア「おはよう！」\n2コマ目：ミアが寝る\n"
    assert parse_script(japanese).panels[0].dialogue == (Line("ミア", "おはよう！"),)


def test_a_label_without_words_has_them_below_and_nothing_is_none():
    text = (
        "Panel 1\n\n*Setting:* A lighthouse.\n*Action:* Ada climbs.\n"
        '*Dialogue:*\n- Ada: "Hm?"\n- Ben: "Me!"\n\n---\n\n'
        "Panel 2\n\n*Action:* Ben waves.\n*Dialogue:* None\n*Caption:* (none)\n\n---\n\nWant more?\n"
    )
    one, two = parse_script(text).panels
    assert (one.prompt, [line.say for line in one.dialogue]) == ("Ada climbs, A lighthouse.", ["Hm?", "Me!"])
    assert (two.prompt, two.dialogue, two.caption) == ("Ben waves.", (), "")
    assert left_out(text)[-1] == "Want more?"


def test_a_title_is_known_in_three_languages():
    for word in ("Título", "标题", "標題", "**Title:**", "title"):
        sign = "" if word.endswith("**") else ":"
        assert parse_script(f"{word}{sign} A day\n\n[NC] a sea\n").title == "A day"


def test_curly_quotes_around_values_of_yaml(tmp_path):
    text = "title: “A day: out”\ncast: [{name: ‘Ada’, description: “a girl”}]\n"
    text += "panels:\n- “Ada waves”\n- prompt: “Ada runs”\n"
    script = parse_script(text)
    assert (script.title, script.cast[0].name, [p.prompt for p in script.panels]) == (
        "A day: out", "Ada", ["Ada waves", "Ada runs"],
    )  # fmt: skip
    told = Script((Panel("“Ada”", (), "‘Night’"), Panel("Mia says: “Hello”, and goes", (), "“a” and “b”")))
    (tmp_path / "a.yaml").write_text(script_yaml(told))
    read = load_script(tmp_path / "a.yaml").panels
    assert [(p.prompt, p.caption) for p in read] == [(p.prompt, p.caption) for p in told.panels]


COMIC = """\
PAGE ONE (two panels)

PANEL 1
Mochi climbs the stairs.

MOCHI: So high!

PANEL 2 (close-up)
*Setting: the roof*
Pip waits.
> **PIP (softly):** At last.
> **CAPTION:** Noon.
> SFX: *CLANG*
"""


def test_a_comic_script_has_its_voices_and_its_pages_listed():
    reading = read_script(COMIC, cast=CAST)
    assert not reading.errors
    assert [(p.prompt, p.caption) for p in reading.script.panels] == [
        ("Mochi climbs the stairs.", ""),
        ("Pip waits, close-up, the roof", "Noon."),
    ]
    assert [line.say for panel in reading.script.panels for line in panel.dialogue] == ["So high!", "At last."]
    assert [COMIC[slice(*out.span)] for out in reading.left_out] == [
        "PAGE ONE (two panels)",
        "(softly)",
        "SFX: *CLANG*",
    ]


def test_the_cast_has_a_heading_in_other_languages():
    for heading in ("## Figuren", "الشخصيات:", "**Personnages**", "登場人物"):
        reading = read_script(f"{heading}\n- Ana: a girl\n\n1. Ana waves\n2. Ana sleeps\n")
        assert [(member.name, member.description) for member in reading.script.cast] == [("Ana", "a girl")], heading
        assert [panel.prompt for panel in reading.script.panels] == ["Ana waves", "Ana sleeps"]


def test_subtitles_begin_with_no_panel_and_stray_zeros_are_no_utf_16():
    reading = read_script("WEBVTT\n\n1\n00:00:01.000 --> 00:00:03.000\nMochi waves\n", cast=CAST)
    assert [panel.prompt for panel in reading.script.panels] == ["Mochi waves"]
    assert decode(b"Mochi\0 waves\n\x07Pip sleeps\n") == "Mochi\0 waves\n\x07Pip sleeps\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1. Mochi waves\n   1.1 Mochi: Hi!\n   1.2 Pip: Ho!\n2. Pip sleeps", ["Mochi waves", "Pip sleeps"]),
        ("1.1 Mochi waves\n1.2 Pip sleeps", ["Mochi waves", "Pip sleeps"]),
        ("1.2 Mochi waves\n2.1 Pip sleeps", ["Mochi waves", "Pip sleeps"]),
        (
            "- Mochi waves\n- Pip sleeps\n  - close-up\n• Mochi runs",
            ["Mochi waves", "Pip sleeps close-up", "Mochi runs"],
        ),
        ("  - Mochi waves\n  - Pip sleeps", ["Mochi waves", "Pip sleeps"]),
        ("- Mochi waves\n  - Pip sleeps\n  - Mochi runs", ["Mochi waves", "Pip sleeps", "Mochi runs"]),
        ("3.5 cats meet Mochi\n4.5 dogs meet Pip", ["3.5 cats meet Mochi", "4.5 dogs meet Pip"]),
        ("1.\nMochi waves\n2.\nPip sleeps", ["Mochi waves", "Pip sleeps"]),
        ("1\tMochi waves\n2\tPip sleeps", ["Mochi waves", "Pip sleeps"]),
        ("[00:12] Mochi waves\n[00:20] Pip sleeps", ["Mochi waves", "Pip sleeps"]),
        ("Prompt 1: Mochi waves\n🎬 Scene 2: Pip sleeps", ["Mochi waves", "Pip sleeps"]),
        (
            "1\n00:00:01,000 --> 00:00:03,500\nMochi waves\n\n2\n00:04.0 --> 00:06.0\nPip sleeps",
            ["Mochi waves", "Pip sleeps"],
        ),
    ],
)
def test_more_ways_to_count_panels(text, found):
    assert prompts(text) == found


@pytest.mark.parametrize(
    ("above", "title"),
    [
        ("The Lost Kite\n", "The Lost Kite"),
        ("The lost kite\n\n", "The lost kite"),
        ("**Mochi at sea:**\n", "Mochi at sea"),
        ("**The** Lost **Kite**\n", "The Lost Kite"),
        ("丢失的风筝\n\n", "丢失的风筝"),
        ("The Lost Kite\n\nCharacters\n- Zed: a fox\n\n", "The Lost Kite"),
        ("Here is your story:\n\nThe Lost Kite\n\n", "The Lost Kite"),
        ("style: ink\nThe Lost Kite\n", "The Lost Kite"),
    ],
)
def test_a_line_above_a_list_of_panels_is_its_title(above, title):
    script = parse_script(f"{above}- Mochi waves\n- Pip sleeps", cast=CAST)
    assert (script.title, prompts(f"{above}- Mochi waves\n- Pip sleeps")) == (title, ["Mochi waves", "Pip sleeps"])


@pytest.mark.parametrize(
    "above", ["Mochi runs in the wood", "Mochi runs.\n", "title: A\nThe Lost Kite\n", "Mochi\n", "The sea\nThe Lake\n"]
)
def test_what_stands_above_a_list_and_is_no_title_is_a_panel(above):
    script = parse_script(f"{above}\n- Mochi waves\n- Pip sleeps", cast=CAST)
    assert script.title in ("", "A") and len(script.panels) > 2


def test_what_a_chat_model_says_around_a_list_is_listed():
    text = "Here is your story:\n\n- Mochi waves\n- Pip sleeps\n\nLet me know what you think!"
    assert prompts(text) == ["Mochi waves", "Pip sleeps"]
    assert left_out(text) == ["Here is your story:", "Let me know what you think!"]


@pytest.mark.parametrize(("data", "text"), [("小明在\r\n一", None), ("Anna\0 is\n", "Anna\0 is\n")])
def test_utf_16_without_a_mark_is_told_by_its_zeros(data, text):
    assert decode(data.encode("utf-8" if text else "utf-16-le")) == data


def test_a_japanese_comma_ends_a_name():
    script = parse_script("cast: さくら、女の子\n\nさくらが歩く")
    assert [(m.name, m.description) for m in script.cast] == [("さくら", "女の子")] and script.panels[0].cast == (
        "さくら",
    )
