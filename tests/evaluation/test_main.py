"""The evaluation as a command, on a model of a few milliseconds: every file, the same figures twice, clear refusals."""

import io
import json
import tarfile

import pytest
from PIL import Image, ImageDraw

from anystory.evaluation.__main__ import main

GROUPS = ("animals-nature", "people-body", "objects", "food-drink")


def drawing(number: int, other: bool) -> bytes:
    image = Image.new("RGBA", (96, 96))
    pen = ImageDraw.Draw(image)
    colour = Image.new("HSV", (1, 1), (12 * number % 256, 220, 220)).convert("RGB").getpixel((0, 0))
    shape = ("ellipse", "rectangle", "rounded_rectangle", "chord")[number % 4]
    how = {"radius": 20} if shape == "rounded_rectangle" else {"start": 20, "end": 270} if shape == "chord" else {}
    getattr(pen, shape)((10, 20, 86, 80) if other else (25, 5, 70, 92), fill=colour, **how)
    pen.ellipse((40, 40, 52, 52), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def art(tmp_path_factory):
    """Twenty concepts by two sets, and two characters in three poses, all of them for testing."""
    folder, rows = tmp_path_factory.mktemp("art"), []

    def put(tar, name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

    for name in ("one", "two"):
        with tarfile.open(folder / f"{name}.tar", "w") as tar:
            for number in range(20):
                put(tar, f"thing-{number}.webp", drawing(number, name == "two"))
                info = tar.getmembers()[-1]
                rows.append(
                    {
                        "kind": "subject",
                        "set": name,
                        "file": info.name,
                        "concept": f"thing-{number}",
                        "text": f"thing {number}",
                        "tags": "",
                        "group": GROUPS[number % 4],
                        "subgroup": "",
                        "split": "test",
                        "licence": "MIT",
                    }
                )
    with tarfile.open(folder / "poses.tar", "w") as tar:
        for who in range(2):
            for pose in range(3):
                put(tar, f"runner-{who}/{pose}.webp", drawing(4 * who + pose, False))
            named = {"concept": f"runner-{who}", "text": f"runner {who}", "file": f"runner-{who}/"}
            rows.append(rows[0] | {"kind": "poses", "set": "moving", "frames": 3, "group": "sports"} | named)
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("figures")


def run(model, art, out, *more: str) -> dict:
    assert main([str(model), "--art", str(art), "--out", str(out), "--steps", "2", *more]) == 0
    return json.loads((out / "figures.json").read_text())


def test_the_table_is_whole_and_the_same_every_time(tiny_model_folder, art, out, capsys):
    first, second = (run(tiny_model_folder, art, out, "--only", "table", "--samples", "4") for _ in range(2))
    timed = [row for row in first["table"] if row["what"].startswith("seconds")]
    assert len(timed) == 1 and timed[0]["n"] == 2
    for figures in (first, second):
        figures["table"] = [row for row in figures["table"] if not row["what"].startswith("seconds")]
    assert first == second
    rows = {row["what"]: row for row in first["table"]}
    assert rows["identity: found first among 4"]["n"] == 4
    assert rows["identity from one picture, of 2 characters that have 3 poses"]["n"] == 2
    assert rows["the same from 3 pictures of each"]["n"] == 2
    assert rows["no blending: both found first in their own region"]["n"] == 2
    for what in ("place", "time", "position", "size"):
        assert rows[f"text: {what}"]["aim"] == 0.85
    for row in rows.values():
        if row["n"]:
            low, high = row["interval"]
            assert low <= row["value"] <= high
    answers = {row["what"]: row for row in first["judge"]["on composites with known answers"]}
    assert answers["identity, all"]["n"] == 4 and answers["place"]["n"] == 4
    page = (out / "table.md").read_text()
    assert page.count("| text: ") == 4 and "real composites" in page
    for name in ("best.png", "typical.png", "worst.png", "pairs.png"):
        with Image.open(out / name) as sheet:
            assert sheet.width > 500
    assert "retrieval among 20" not in first


def test_the_quick_figures_need_no_judge(tiny_model_folder, art, out, monkeypatch):
    monkeypatch.setattr("anystory.model.identity.load_encoder", None)
    figures = run(tiny_model_folder, art, out, "--only", "embedded")
    assert figures["retrieval among 20"]["of"] == 20
    assert set(figures["error inside the subject"]) == {"sigma 1", "sigma 4"}
    assert "table" not in figures and (out / "drawings.png").is_file() and (out / "swap.png").is_file()


def test_what_cannot_be_measured_is_refused_in_a_sentence(tiny_model_folder, art, tmp_path, capsys):
    for arguments, sentence in (
        ([str(tmp_path), "--art", str(art)], "There is no AnyStory model"),
        ([str(tiny_model_folder), "--art", str(tmp_path)], "holds no index.jsonl"),
        ([str(tiny_model_folder), "--art", str(art), "--samples", "1"], "--samples is 1"),
    ):
        assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert error.startswith("anystory.evaluation: ") and sentence in error and error.count("\n") == 1
