"""Scripts of other programs dropped on the page: their panels, what of them is left out, and the way back."""

import json
import zipfile

import pytest
from playwright.sync_api import expect

from tests.script.files import document, word, workbook

FOUNTAIN = """Title: The picnic

EXT. HILL - DAY

Mia packs a basket.

MIA
Ready?

CUT TO:

Tom sleeps.
"""
BOARDS = {"boards": [{"action": "Mia packs a basket", "dialogue": "MIA: Ready?"}, {"action": "Tom sleeps"}]}
ANSWER = """Here is your story:

1. Mia packs a basket
   Mia: "Ready?"
2. Tom sleeps

Let me know if you want changes!
"""
SHEET = "Shot,Description,Characters,Dialogue,Lens\n1,Mia packs a basket,Mia,Mia: Ready?,50mm\n2,Tom sleeps,Tom,,\n"


LINES = "cast: Mia, a fox\nMia packs a basket\n> Mia: Ready?\nTom sleeps\n"
ROWS = [
    ["Shot", "Description", "Dialogue", "Lens"],
    ["1", "Mia packs a basket", "Mia: Ready?", "50mm"],
    ["2", "Tom sleeps"],
]
SAID = {"prompt": "Mia packs a basket", "dialogue": [{"who": "Mia", "say": "Ready?"}]}
STORY = {"cast": ["Mia"], "panels": [SAID, "Tom sleeps"]}
FINAL_DRAFT = "".join(
    f'<Paragraph Type="{kind}"><Text>{words}</Text></Paragraph>'
    for kind, words in [
        ("Action", "Mia packs a basket"),
        ("Character", "MIA"),
        ("Dialogue", "Ready?"),
        ("Transition", "CUT TO:"),
        ("Action", "Tom sleeps"),
    ]
)


def dropped(folder):
    """The files, and what of each is said to be left out."""
    with zipfile.ZipFile(folder / "d.zip", "w") as archive:
        archive.writestr("d/d.storyboarder", json.dumps(BOARDS))
    (folder / "a.fountain").write_text(FOUNTAIN)
    (folder / "a.fdx").write_text(f"<FinalDraft><Content>{FINAL_DRAFT}</Content></FinalDraft>")
    (folder / "b.csv").write_text(SHEET, encoding="utf-8-sig")
    (folder / "b.xlsx").write_bytes(workbook(ROWS))
    (folder / "c.txt").write_text(ANSWER, encoding="utf-16")
    head, *rows = (f"|{'|'.join(row)}|" for row in ROWS)
    (folder / "c.md").write_text("\n".join([head, "|-|-|-|-|", *rows]))
    (folder / "d.storyboarder").write_text(json.dumps(BOARDS))
    (folder / "e.json").write_text(json.dumps(STORY))
    cells = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in ROWS)
    (folder / "e.html").write_text(f"<p>Our film</p><table>{cells}</table>")
    document("f.docx", "".join(map(word, LINES.splitlines())), folder)
    document("f.odt", "".join(f"<text:p>{line.replace('>', '&gt;')}</text:p>" for line in LINES.splitlines()), folder)
    lens = dict.fromkeys(("b.csv", "b.xlsx", "c.md"), "Lens")
    plain = dict.fromkeys(("d.zip", "d.storyboarder", "e.json", "f.docx", "f.odt"), "")
    cut = dict.fromkeys(("a.fountain", "a.fdx"), "CUT TO:")
    return {**cut, **lens, "c.txt": "Let me know", "e.html": "Our film", **plain}


@pytest.fixture
def spanish(browser, address):
    context = browser.new_context(locale="es")
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".model.ready")).to_be_visible()
    yield page
    context.close()


def test_scripts_of_other_programs_are_dropped_and_taken_back(page, tmp_path):
    text, notice = page.locator("#script textarea"), page.locator("#script-notice")
    text.fill("[NC] my own words")
    expect(page.locator("#reading .panel")).to_have_count(1)
    for file, left_out in dropped(tmp_path).items():
        page.locator("#drop input[type=file]").set_input_files(str(tmp_path / file))
        expect(page.locator("#reading .panel")).to_have_count(2)
        expect(page.locator("#reading .said input")).to_have_value("Ready?")
        expect(page.locator('#reading .panel[data-number="1"] .prompt')).to_have_value(
            "Mia packs a basket" if file != "a.fountain" else "Mia packs a basket, hill, day"
        )
        if left_out:
            expect(notice).to_contain_text(left_out)
            expect(notice).to_contain_text("is left out")
        page.locator("#story-notice [data-do=undo]").click()
        expect(text).to_have_value("[NC] my own words")
        expect(page.locator("#reading .panel")).to_have_count(1)


def test_what_is_found_in_a_pasted_answer_is_said_in_the_pages_language(spanish):
    spanish.locator("#script textarea").fill(ANSWER + "[Bob] corre")
    findings = spanish.locator("#findings")
    expect(findings).to_contain_text("se omite: no va numerado como viñeta, y los demás sí.")
    expect(findings).to_contain_text("Nadie se llama 'Bob'; el reparto es Mia.")
