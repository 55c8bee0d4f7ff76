"""The examples of docs/scripts.md are read as they stand."""

import re
from pathlib import Path

import pytest
from PIL import Image

from anystory.script.read import read_script
from anystory.story.model import CastMember

DOCS = Path(__file__).parents[2] / "docs" / "scripts.md"
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (language, text)
    for language, text in BLOCKS
    if language != "bash" and not (language == "yaml" and "panels:" not in text)  # a file of styles
]
FORMS = {"fountain": "screenplay", "csv": "sheet", "json": "data", "yaml": "data"}
CAST = (CastMember("Mia"), CastMember("Tom"))


@pytest.mark.parametrize(("language", "text"), EXAMPLES)
def test_an_example_reads_without_a_mistake(language, text, tmp_path):
    for name in re.findall(r"[\w-]+\.png", text):
        Image.new("L", (32, 32), 255).save(tmp_path / name)
    for form in {None, FORMS.get(language)}:  # by its ending, and pasted
        reading = read_script(text, tmp_path, CAST, form)
        assert reading.errors == () and reading.script.panels


def test_what_the_page_says_of_the_examples():
    def panels(sign):
        return read_script(next(text for _, text in EXAMPLES if sign in text), cast=CAST)

    (one,) = panels("EXT. HILL").script.panels
    assert (one.prompt, one.caption, [line.who for line in one.dialogue]) == (
        "Mia packs a basket, hill, day", "Later", ["Mia", "Tom"],
    )  # fmt: skip
    assert len(panels("第4格").script.panels) == 6
    chat = panels("Here is your 2-panel story")
    assert [(p.prompt, p.caption) for p in chat.script.panels] == [
        ("Mia packs a basket", "Morning"),
        ("Tom walks uphill", ""),
    ]
    assert len(chat.left_out) == 2 and chat.script.title == "The picnic"
    assert [p.prompt for p in panels("scenes").script.panels] == ["Mia packs a basket, a hill"]
    assert [p.prompt for p in panels("Shot,Description").script.panels] == [
        "Mia packs a basket, a hill, morning",
        "Tom sleeps, night",
    ]
    assert [p.caption for p in panels("镜号").script.panels] == ["早上"]
