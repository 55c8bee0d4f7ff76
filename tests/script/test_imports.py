# ruff: noqa: E501 – files of other programs, as they are
"""Screenplays and shot lists of other programs: heading to place, action to panel, dialogue to balloons, and the rest
listed."""

import io
import json
import random
import zipfile
from contextlib import suppress

import pytest

from anystory.script.edits import with_panel
from anystory.script.exports.sheet import to_csv
from anystory.script.form import ScriptError
from anystory.script.read import form_of, load_script, parse_script, read_script, script_text
from anystory.story.model import CastMember, Line, Panel, Script
from tests.script.files import document, word, workbook

MIA = (CastMember("Mia"),)


def left_out(reading):
    return [" ".join(reading.source[slice(*out.span)].split()) for out in reading.left_out]


FOUNTAIN = """\
Title: The **picnic**
Author: Somebody

/* a remark
over two lines */
FADE IN:

EXT. HILL - DAY #1#

Mochi packs a basket. [[ask Pip]]
He hums.

MOCHI (CONT'D)
(whispering)
Ready?
Come on!

PIP (V.O.)
Not yet.

# Act two

INT./EXT. Mochi's House - NIGHT

@McAvoy
Good night.

!SLAM
> THE END <

CUT TO:

.FOREST

~la la la
Pip *runs* away.
"""


def test_a_fountain_screenplay():
    reading = read_script(FOUNTAIN)
    assert not reading.errors and reading.script.title == "The picnic"
    assert [member.name for member in reading.script.cast] == ["Mochi", "Pip", "McAvoy"]
    assert [(p.prompt, p.cast, p.caption) for p in reading.script.panels] == [
        ("Mochi packs a basket. He hums, hill, day", ("Mochi",), ""),
        ("McAvoy, Mochi's House, night", ("McAvoy",), ""),
        ("SLAM, Mochi's House, night", (), "THE END"),
        ("forest", (), "la la la"),
        ("Pip runs away, forest", ("Pip",), ""),
    ]
    assert reading.script.panels[0].dialogue == (Line("Mochi", "Ready? Come on!"), Line("Pip", "Not yet."))
    assert "FADE IN:" in left_out(reading) and "# Act two" in left_out(reading)
    assert "Author: Somebody" in left_out(reading) and "(whispering)" in left_out(reading)
    assert "[[ask Pip]]" in left_out(reading)


def test_the_place_and_the_time_of_a_heading_are_the_panels():
    script = parse_script("EXT. HILL - DAY\n\nMochi runs.\n\nINT. KITCHEN\n\nMOCHI\nHi.", cast=(CastMember("Mochi"),))
    assert [panel.prompt for panel in script.panels] == ["Mochi runs, hill, day", "Mochi, kitchen"]
    assert [panel.cast for panel in script.panels] == [("Mochi",), ("Mochi",)]


def test_who_is_only_heard_is_not_in_the_panel():
    script = parse_script("INT. ROOM - DAY\n\nMia waits.\n\nTOM (O.S.)\nHello?\n\nANNA\nHi.")
    assert script.panels[0].cast == ("Anna",)  # Tom is heard; whom the action names is in it only if known
    assert [line.who for line in script.panels[0].dialogue] == ["Tom", "Anna"]


def test_a_screenplay_is_edited_as_plain_text():
    text = "EXT. HILL - DAY\n\nMochi runs.\n\nMOCHI\nReady?\n\nPip sleeps."
    panel = read_script(text).script.panels[0]
    edited = with_panel(text, 1, panel)
    again = read_script(edited)
    assert again.script.panels == read_script(text).script.panels


def test_final_draft(tmp_path):
    paragraphs = [
        ("Scene Heading", "EXT. HILL - DAY"), ("Action", "Mochi packs a basket."), ("Character", "MOCHI"),
        ("Parenthetical", "(softly)"), ("Dialogue", "Ready?"), ("Transition", "CUT TO:"), ("Action", "INT. is short for it"),
    ]  # fmt: skip
    body = "".join(
        f'<Paragraph Type="{kind}"><Text>{text[:3]}</Text><Text>{text[3:]}</Text></Paragraph>'
        for kind, text in paragraphs
    )
    title = "<TitlePage><Content><Paragraph><Text>The picnic</Text></Paragraph></Content></TitlePage>"
    xml = f'<?xml version="1.0" encoding="UTF-8"?><FinalDraft DocumentType="Script"><Content>{body}</Content>{title}</FinalDraft>'
    (tmp_path / "a.fdx").write_text(xml, encoding="utf-8")
    script = load_script(tmp_path / "a.fdx")
    assert script.title == "The picnic" and [member.name for member in script.cast] == ["Mochi"]
    assert [p.prompt for p in script.panels] == ["Mochi packs a basket, hill, day", "INT. is short for it, hill, day"]
    assert script.panels[0].dialogue == (Line("Mochi", "Ready?"),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<FinalDraft>", "is not XML"),
        (b"<a/>", "not a Final Draft screenplay"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities of its own"),
    ],
)
def test_what_is_no_final_draft_file_is_one_sentence(data, words, tmp_path):
    (tmp_path / "a.fdx").write_bytes(data)
    with pytest.raises(ScriptError, match=words):
        script_text(tmp_path / "a.fdx")


SHEETS = {
    "en": "Panel,Prompt,Caption,Dialogue\n1,Mia packs a basket,Morning,Mia: Ready?\n2,Tom sleeps,,\n",
    "semicolons": "\ufeffNr;Description;Narration;Dialogue\r\n1;Mia packs a basket;Morning;Mia: Ready?\r\n2;Tom sleeps;;\r\n",
    "tabs": "Shot\tAction\tVO\tDialog\n1\tMia packs a basket\tMorning\tMia: Ready?\n2\tTom sleeps\t\t\n",
    "zh": "镜号,画面,旁白,对白\n1,Mia packs a basket,Morning,Mia：Ready?\n2,Tom sleeps,,\n",
    "es": 'Número,Descripción,Narración,Diálogo\n1,"Mia packs a basket",Morning,"Mia: Ready?"\n2,Tom sleeps,,\n',
}


@pytest.mark.parametrize("text", SHEETS.values(), ids=SHEETS)
def test_shot_lists_in_three_languages(text):
    reading = read_script(text, cast=MIA)
    assert not reading.errors and not reading.left_out
    one, two = reading.script.panels
    assert (one.prompt, one.caption, one.cast, one.dialogue) == (
        "Mia packs a basket", "Morning", ("Mia",), (Line("Mia", "Ready?"),),
    )  # fmt: skip
    assert two.prompt == "Tom sleeps" and not two.dialogue


def test_every_kind_of_column_and_quoted_cells(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        "Scene,Shot,Description,Characters,Speaker,Dialogue,Location,Time of day,Camera,Budget,Seed\n"
        '1A,wide shot,"Mia, who said ""hi"",\nruns","Mia & Tom",Tom,Wait!,beach,dusk,low angle,300,7\n,,,,,,,,,,\n'.encode(
            "utf-16"
        )
    )
    reading = read_script(script_text(tmp_path / "a.csv"), form=form_of("a.csv"))
    (panel,) = reading.script.panels
    assert panel.prompt == 'Mia, who said "hi", runs, beach, dusk, wide shot, low angle'
    assert (panel.cast, panel.dialogue, panel.seed) == (("Mia", "Tom"), (Line("Tom", "Wait!"),), 7)
    assert left_out(reading) == ["Budget"] and not reading.errors


def test_a_sheet_without_known_columns_says_so():
    reading = read_script("a,b\nc,d\n", form="sheet")
    assert reading.errors and left_out(reading) == ["a", "b"]


@pytest.mark.parametrize(
    "line", ["Mia, Tom and a bird\nMia, asleep", "Caption, panel of wood\nx", "panel\nx", "Prompt, dialogue"]
)
def test_plain_text_with_commas_is_no_sheet(line):
    assert len(read_script(line, cast=MIA).panels) == line.count("\n") + 1


def test_a_workbook(tmp_path):
    cells = [
        ["Panel", "Prompt", "Caption", "Dialogue"],
        [1, "Mia runs", None, "Mia: Hi\nTom: Ho"],
        [2, "Tom sleeps", "Night"],
    ]
    (tmp_path / "a.xlsx").write_bytes(workbook(cells))
    script = load_script(tmp_path / "a.xlsx")
    assert [(p.prompt, p.caption) for p in script.panels] == [("Mia runs", ""), ("Tom sleeps", "Night")]
    assert script.panels[0].dialogue == (Line("Mia", "Hi"), Line("Tom", "Ho"))


@pytest.mark.parametrize("data", [b"PK", b"Panel,Prompt", workbook([])[:200]], ids=("magic", "csv", "torn"))
def test_what_is_no_workbook_is_one_sentence(data, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(ScriptError, match=r"not an Excel workbook.*save it as"):
        script_text(tmp_path / "a.xlsx")


BOARDS = {
    "version": "3.0.0", "aspectRatio": 1.777, "fps": 24,
    "boards": [
        {"uid": "A1", "newShot": True, "number": 1, "shot": "1A", "action": "Mia packs a basket", "dialogue": "MIA: Ready?"},
        {"uid": "B2", "notes": "Tom sleeps", "dialogue": "Night falls."},
        {"uid": "C3", "action": "Tom wakes", "notes": "check the light"},
    ],
}  # fmt: skip


def test_a_storyboarder_project(tmp_path):
    (tmp_path / "a.storyboarder").write_text(json.dumps(BOARDS, indent=2))
    reading = read_script(script_text(tmp_path / "a.storyboarder"), tmp_path, form=form_of("a.storyboarder"))
    assert not reading.errors
    assert [(p.prompt, p.caption, p.cast) for p in reading.script.panels] == [
        ("Mia packs a basket", "", ("Mia",)),
        ("Tom sleeps", "Night falls.", ()),
        ("Tom wakes", "", ()),
    ]
    assert reading.script.panels[0].dialogue == (Line("Mia", "Ready?"),)
    assert left_out(reading) == ["check the light"]


def test_data_with_other_words_for_our_keys():
    story = {
        "title": "x", "characters": [{"name": "Mia", "description": "a fox"}, "Tom"],
        "scenes": [
            {"panel": 1, "visual_description": "Mia runs", "setting": "a beach", "narration": "Later", "dialogue": "Mia: Hi",
             "mood": "calm"},
            {"scene_number": 2, "description": "Tom sleeps", "characters": ["Tom", "Anna"], "dialogue": []},
        ],
    }  # fmt: skip
    reading = read_script(json.dumps(story))
    assert not reading.errors
    assert [(p.prompt, p.caption, p.cast) for p in reading.script.panels] == [
        ("Mia runs, a beach", "Later", ("Mia",)),
        ("Tom sleeps", "", ("Tom", "Anna")),
    ]
    assert left_out(reading) == ["calm"]


def test_random_text_is_read_in_every_form(tmp_path):
    """Whatever stands in a file, reading it gives a script, mistakes, or one sentence."""
    pieces = [
        *FOUNTAIN.split("\n"),
        *SHEETS["es"].split("\n"),
        "```",
        "{",
        "“",
        "1. x",
        "| a | Prompt |",
        "|---|---|",
        "> x <",
        "/*",
        '"',
    ]
    for seed in range(60):
        chance = random.Random(seed)
        text = "\n".join(chance.choice(pieces) for _ in range(chance.randrange(12)))
        for form in (None, "data", "screenplay", "sheet"):
            try:
                reading = read_script(text, tmp_path, form=form)
            except ScriptError as error:
                assert str(error).endswith(".")
                continue
            for start, end in [*reading.spans.values(), *(out.span for out in reading.left_out)]:
                assert 0 <= start <= end <= len(text)


def test_large_texts_take_no_long_time(tmp_path):
    curly = "{“panels”: [" + "“a”, " * 2000 + "]}"
    assert len(read_script(curly).errors) >= 1  # more panels than fit
    cues = "INT. ROOM - DAY\n\n" + "\n\n".join(f"Somebody {k} walks.\n\nNAME {k}\nHi." for k in range(600))
    assert read_script(cues).errors


def test_what_a_panel_has_once_is_listed_where_a_sheet_has_it_twice():
    sheet = (
        "Prompt,Style,Style,Duration,Seconds,Caption,Caption\nMia runs,comic,noir,2,3,One,Two\nTom naps,,noir,2,2,,\n"
    )
    reading = read_script(sheet, cast=MIA, form="sheet")
    told = [(panel.style, panel.duration, panel.caption) for panel in reading.script.panels]
    assert told == [("comic", 2, "One Two"), ("noir", 2, "")] and left_out(reading) == ["noir", "3"]


@pytest.mark.parametrize("rule", ["|-|-|", "|:-|-:|", "| --- | :---: |"])
def test_a_markdown_table_has_any_rule(rule):
    reading = read_script(f"|Prompt|Caption|\n{rule}\n|Mia runs|One|", cast=MIA)
    assert [(panel.prompt, panel.caption) for panel in reading.script.panels] == [("Mia runs", "One")]


def test_a_table_in_a_cell_of_a_table_belongs_to_that_cell():
    inner = "<table><tr><td>in red</td><td>and <b>blue</b></td></tr></table>"
    rows = f"<tr><th>Prompt</th><th>Caption</th></tr><tr><td>Mia runs {inner} boots</td><td>One</td></tr>"
    reading = read_script(f"<table><tr><td>Menu</td><td><table>{rows}</table></td></tr></table>", cast=MIA)
    assert [(p.prompt, p.caption) for p in reading.script.panels] == [("Mia runs in red and blue boots", "One")]
    assert left_out(reading) == ["Menu"]


def test_headings_of_a_sheet_may_stand_below_a_title():
    reading = read_script(
        "My list,,\n,,\nShot,Description,Dialogue\n1,Mia<br>runs,—\n2,Tom sleeps,None\n", form="sheet"
    )
    assert not reading.errors and left_out(reading) == ["My list"]
    assert [(p.prompt, p.dialogue) for p in reading.script.panels] == [("Mia runs", ()), ("Tom sleeps", ())]


def test_what_says_that_there_is_nothing_can_be_said():
    script = Script(tuple(Panel("a sea", (), caption) for caption in ("None", "-", '"n/a"')))
    read = read_script(to_csv(script), form="sheet").script
    assert [panel.caption for panel in read.panels] == ["None", "-", '"n/a"']


def test_merged_cells_hold_for_all_their_rows(tmp_path):
    cells = [["My list"], [], ["Location", "Visual", "Caption"], ["a hill", "Mia runs", "Later"]]
    cells += [[None, "Tom sleeps"], [None, "Mia waves"]]
    (tmp_path / "a.xlsx").write_bytes(workbook(cells, ("A1:C1", "A4:A5", "C4:C6", "x", "A9:A4", "A4:A9999999")))
    panels = load_script(tmp_path / "a.xlsx").panels
    assert [(p.prompt, p.caption) for p in panels] == [
        ("Mia runs, a hill", "Later"), ("Tom sleeps, a hill", ""), ("Mia waves, a hill", ""),
    ]  # fmt: skip


def test_boards_and_headings_without_words_are_listed():
    reading = read_script('{"boards": [{"action": "Mia runs"}, {"number": 2}, {"notes": "Tom sleeps"}]}', form="data")
    assert not reading.errors and len(reading.left_out) == 1
    assert [panel.prompt for panel in reading.script.panels] == ["Mia runs", "Tom sleeps"]
    reading = read_script("INT. A - DAY\n\nINT. B - DAY\n\nMia runs.\n\nEXT. C\n")
    assert left_out(reading) == ["INT. A - DAY", "EXT. C"]
    chinese = read_script("内景. 厨房 - 夜\n\n小雨切苹果。\n", form="screenplay").script
    assert [panel.prompt for panel in chinese.panels] == ["小雨切苹果, 厨房, 夜"]


def test_dialogue_as_a_mapping_of_names():
    entries = [{"image_prompt": "Mia waves", "dialogues": {"Mia": "Hi", "Tom": "Ho"}, "caption": "None"}]
    reading = read_script(json.dumps({"story": entries, "mood": {"a": "b"}}))
    (panel,) = reading.script.panels
    assert [(line.who, line.say) for line in panel.dialogue] == [("Mia", "Hi"), ("Tom", "Ho")] and not panel.caption
    assert len(reading.left_out) == 1


TABLE = [
    ["Shot", "Description", "Dialogue"],
    ["1", "Mia packs | unpacks", "Mia: Ready?\nTom: No!"],
    ["2", "Tom sleeps", ""],
]


def test_a_word_documents_paragraphs_are_lines(tmp_path):
    listed = "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>Mia </w:t></w:r><w:r><w:t>waves</w:t><w:br/></w:r></w:p>"
    gone = "<w:p><w:del><w:r><w:delText>not</w:delText></w:r></w:del><w:r><w:t>Mia</w:t><w:tab/><w:t>sleeps</w:t></w:r></w:p>"
    body = word("The picnic", "Titel") + word("cast: Mia, a fox") + "<w:p/>" + listed + gone
    script = load_script(document("a.docx", body, tmp_path))
    assert (script.title, [panel.prompt for panel in script.panels]) == ("The picnic", ["Mia waves", "Mia\tsleeps"])


@pytest.mark.parametrize("kind", ["docx", "odt", "html"])
def test_a_table_in_a_document_is_a_shot_list(kind, tmp_path):
    names = {"docx": ("w:tbl", "w:tr", "w:tc"), "odt": ("table:table", "table:table-row", "table:table-cell")}
    table, row, cell = names.get(kind, ("table", "tr", "td"))

    def cell_of(text):
        lines = text.split("\n")
        paragraph = {"docx": word, "odt": "<text:p>{}</text:p>".format}.get(kind, "{}<br>".format)
        return f"<{cell}>{''.join(map(paragraph, lines))}</{cell}>"

    rows = "".join(f"<{row}>{''.join(map(cell_of, cells))}</{row}>" for cells in TABLE)
    body = f"<{table}>{rows}</{table}>"
    if kind == "html":
        (file := tmp_path / "a.html").write_text(f"<p>Ours</p>{body}")
    else:
        file = document(f"a.{kind}", body, tmp_path)
    reading = read_script(script_text(file), cast=MIA)
    assert [panel.prompt for panel in reading.script.panels] == ["Mia packs | unpacks", "Tom sleeps"]
    assert reading.script.panels[0].dialogue == (Line("Mia", "Ready?"), Line("Tom", "No!"))
    assert left_out(reading) == (["Ours"] if kind == "html" else [])
    assert reading.source == script_text(file), "whoever reads it again reads the same"


@pytest.mark.parametrize("kind", ["docx", "odt", "xlsx"])
def test_a_damaged_file_of_an_office_program_is_read_or_refused(kind, tmp_path):
    file, rng = tmp_path / f"a.{kind}", random.Random(5)
    if kind == "xlsx":
        file.write_bytes(workbook(TABLE))
    else:
        document(file.name, word("Mia waves" * 30) if kind == "docx" else "<text:p>Mia waves</text:p>" * 30, tmp_path)
    whole, squeezed = zipfile.ZipFile(file), io.BytesIO()
    with zipfile.ZipFile(squeezed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name))
    for _ in range(200):
        data = bytearray(squeezed.getvalue())
        data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data)
        with suppress(ScriptError):
            script_text(file)


def test_a_document_with_words_in_notes_alone_is_empty(tmp_path):
    file = document("a.odt", "<text:note><text:h>Mia</text:h></text:note>", tmp_path)
    assert script_text(file).strip() == ""


def test_a_cell_over_several_rows_of_a_web_page_holds_for_them():
    head = "<tr><th>Nr<th>Beschreibung<th>Ort</tr>"
    text = (
        f"<table>{head}<tr><td>1<td>Mia <b>kocht</b><td rowspan='2'>K&uuml;che</tr><tr><td>2<td>Tom rennt</tr></table>"
    )
    assert [panel.prompt for panel in read_script(text, cast=MIA).script.panels] == [
        "Mia kocht, Küche",
        "Tom rennt, Küche",
    ]


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"Mia walks"])
def test_what_is_no_document_is_one_sentence(data, tmp_path):
    (tmp_path / "a.docx").write_bytes(data)
    with pytest.raises(ScriptError, match="not a document that can be read"):
        script_text(tmp_path / "a.docx")


def test_what_is_bold_or_nested_anyhow_is_no_crash(tmp_path):
    text = '## Panel 1: The **Big** Day\nMia runs\n## Panel 2: Tom\n**Tom (**sad**ly):** "Oh"\n'
    assert not [error for error in read_script(text).errors if "no prompt" not in str(error)]
    cue = read_script("INT. HALL - DAY\n\nMia runs.\n\nMIA (V.O.) (sadly) (CONT'D)\nOh.\n", cast=MIA)
    assert left_out(cue) == ["sadly"]
    with pytest.raises(ScriptError, match="not a document"):
        script_text(document("a.odt", "<text:a>" * 3000 + "</text:a>" * 3000, tmp_path))


@pytest.mark.parametrize("begin", [rb"{\rtf1", b"%PDF-1.4", b"PK\x03\x04\x14"])
def test_documents_under_the_name_of_a_text_are_one_sentence(begin, tmp_path):
    (tmp_path / "a.txt").write_bytes(begin + b" Mia walks")
    with pytest.raises(ScriptError, match=r"is no text but \w+; save it as"):
        script_text(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("Shots of today\n\nNr;Beschreibung;Dauer\n1;Mia kocht; 2,5\n", ["Mia kocht"]),
        ("Plan,Description,Personnages,Lieu\n1,Mia court,Mia et Tom,la rue\n", ["Mia court, la rue"]),
        ("No,Visual,Dialogue / VO\n1,Mia runs,Mia: Hi\n", ["Mia runs"]),
        ("#,Visual,Text\n1,Mia runs,Later\n", ["Mia runs"]),
    ],
)
def test_shot_lists_of_other_countries_and_below_titles(text, prompts):
    assert [panel.prompt for panel in read_script(text, cast=MIA, form="sheet").script.panels] == prompts


def test_notes_of_a_screenplay_make_no_panel_and_are_listed(tmp_path):
    text = "INT. HALL - DAY\n\nMia runs.\n\n[[one\ntwo]]\n\n/*\nthree\n*/\n\nMIA (sadly)\nOh.\n  \nWell.\n"
    reading = read_script(text, cast=MIA)
    assert [panel.prompt for panel in reading.script.panels] == ["Mia runs, hall, day"]
    assert reading.script.panels[0].dialogue == (Line("Mia", "Oh. Well."),)
    assert left_out(reading) == ["[[one two]]", "/* three */", "sadly"]
    paragraph = '<Paragraph Type="{}"><Text>{}</Text>{}</Paragraph>'.format
    note = f"<ScriptNote>{paragraph('', 'Or walks', '')}</ScriptNote>"
    body = paragraph("Cast List", "Mia", "") + paragraph("Action", "Mia runs", note)
    title = "<TitlePage><Content><Paragraph><Text>Run</Text></Paragraph><Paragraph><Text>by Me</Text></Paragraph></Content></TitlePage>"
    (tmp_path / "a.fdx").write_text(f"<FinalDraft><Content>{body}</Content>{title}</FinalDraft>")
    reading = read_script(script_text(tmp_path / "a.fdx"), cast=MIA, form="screenplay")
    assert (reading.script.title, [panel.prompt for panel in reading.script.panels]) == ("Run", ["Mia runs"])
    assert left_out(reading) == ["[[Mia]]", "[[Or walks]]", "Credit: by Me"]


def test_panels_in_pages_and_wrappings_and_boards_that_are_only_heard():
    panels = [{"description": "Mia runs"}, {"description": "Tom waits"}]
    pages = {"story": {"title": "Run", "pages": [{"page": 1, "mood": "dark", "panels": panels}]}}
    reading = read_script(json.dumps(pages), cast=MIA)
    assert (reading.script.title, [panel.prompt for panel in reading.script.panels]) == (
        "Run",
        ["Mia runs", "Tom waits"],
    )
    assert left_out(reading) == ["dark"]
    boards = {"boards": [{"dialogue": "A door slams."}, {"dialogue": "MIA: Who?"}]}
    heard = read_script(json.dumps(boards), cast=MIA, form="data").script.panels
    assert [(panel.prompt, panel.caption) for panel in heard] == [("A door slams.", "A door slams."), ("Mia", "")]


def test_json_may_begin_with_a_remark():
    text = "// ours\n/* all */\n{'panels': [\"Mia runs\", // first\n], } # end\n"
    assert [panel.prompt for panel in read_script(text, cast=MIA, form="data").script.panels] == ["Mia runs"]
