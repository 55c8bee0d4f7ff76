"""The one place where files come in: what each is taken for."""

import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests.app.steps import EXAMPLE, frames, saved, settle, upload
from ui import entrance, sorting


@pytest.fixture
def files(tmp_path):
    """Files of every kind, by their names."""
    (tmp_path / "story.txt").write_text("Fern walks\nBruno and Fern dance")
    (tmp_path / "styles.yaml").write_text('Crayon: "{prompt}, in crayon"')
    for name in ("fern.png", "bruno.png"):
        (tmp_path / name).write_bytes((EXAMPLE / name).read_bytes())
    (tmp_path / "notes.xyz").write_text("Fern walks")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for name in ("fern.png", "bruno.png"):
            archive.write(tmp_path / name, f"cast/{name}")
    with zipfile.ZipFile(tmp_path / "saved.zip", "w") as archive:
        archive.writestr("draft.json", "{}")
    return {path.name: str(path) for path in tmp_path.iterdir()}


def test_files_are_sorted_by_what_they_are(files):
    pictures = files["fern.png"], files["bruno.png"]
    assert sorting.sort(pictures) == sorting.Sorted(pictures=pictures)
    assert sorting.sort([files["saved.zip"]]) == sorting.Sorted(story=files["saved.zip"])
    beside = files["story.txt"], files["styles.yaml"], *pictures
    assert sorting.sort(beside) == sorting.Sorted(script=beside)
    mixed = sorting.sort([files["saved.zip"], *pictures])
    assert mixed == sorting.Sorted(pictures=pictures, alone=(files["saved.zip"],))
    wrong = sorting.sort([files["notes.xyz"], *pictures])
    assert wrong.pictures == pictures and wrong.refused[0].startswith("notes.xyz is not a PNG, ")
    assert sorting.sort([files["notes.xyz"], *beside]) == sorting.Sorted(script=beside, refused=wrong.refused)
    zipped = sorting.sort([files["pictures.zip"]])
    assert len(zipped.pictures) == 2 and not zipped.script and not zipped.story


def test_names_of_files_are_told_and_escaped():
    assert "&lt;b&gt;.png" in entrance.taken(["<b>.png"], ["<i>"]) and "<i>" not in entrance.taken([], ["<i>"])
    assert entrance.names([f"/x/{k}.png" for k in range(9)]) == "0.png, 1.png, 2.png, 3.png, … (9)"


def test_a_script_and_pictures_dropped_together_are_a_story(story_page, files, tmp_path):
    page, said = story_page, story_page.locator("#taken")
    upload(page, files["story.txt"], files["fern.png"], files["bruno.png"])
    expect(said).to_contain_text("Script, with what belongs to it: story.txt.")
    expect(said).to_contain_text("Pictures of characters: fern.png, bruno.png.")
    expect(page.locator("img.cutout")).to_have_count(2)
    expect(page.locator(".panel .sketch")).to_have_count(2)
    page.locator("#render").click()
    expect(frames(page)).to_have_count(2)
    settle(page)
    frame = saved(page, "#download-frame", tmp_path)
    page.locator("#story-new").click()
    expect(page.locator("img.cutout")).to_have_count(0)
    upload(page, frame, files["fern.png"])
    expect(said.locator(".notice")).to_contain_text("is a whole story; drop it alone to open it")
    expect(page.locator("img.cutout")).to_have_count(1)
    hero = tmp_path / "hero.yaml"
    hero.write_text(f"cast: [{{name: Hero, image: {frame.name}}}]\npanels: [Hero runs]")
    upload(page, hero, frame, files["notes.xyz"])
    expect(page.locator(".actor .name input").first).to_have_value("Hero")
    expect(page.locator(".actor").first.locator("img.cutout")).to_be_visible()
    expect(said.locator(".notice")).to_have_text(re.compile("^notes.xyz is not a PNG, .* picture.$"))
    expect(page.locator("#script-notice .notice")).to_have_count(0)
    upload(page, files["story.txt"], frame)
    expect(said.locator(".notice")).to_contain_text("is a whole story; drop it alone to open it")
    with page.expect_file_chooser() as chooser:
        page.locator("#story-open").click()
    chooser.value.set_files(str(frame))
    expect(page.locator("#script textarea")).to_have_value("Fern walks\nBruno and Fern dance")


def test_files_are_dropped_anywhere(story_page, files):
    page = story_page
    page.evaluate(
        """() => {
          const files = new DataTransfer();
          files.items.add(new File(["Fern sings"], "song.txt", {type: "text/plain"}));
          const drop = (kind) => document.querySelector("#frames-sheet")
            .dispatchEvent(new DragEvent(kind, {dataTransfer: files, bubbles: true, cancelable: true}));
          drop("dragover");
          drop("drop");
        }"""
    )
    expect(page.locator("#script textarea")).to_have_value("Fern sings")
    expect(page.locator("#taken")).to_contain_text("song.txt")
