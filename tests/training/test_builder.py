"""The art pack: packages are checked and never unpacked, a concept has one split, what is there is not made again."""

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from anystory.training import builder, packages
from anystory.training.__main__ import _world, main
from anystory.training.art import Art
from anystory.training.builder import build, slug, split
from anystory.training.packages import Package, fetch, read


def tarball(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def package(name: str, data: bytes) -> Package:
    return Package(name, "1.0.0", base64.b64encode(hashlib.sha512(data).digest()).decode())


class Registry:
    """A registry on this machine: serves tarballs by path, and can break off in the middle of one."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.asked, self.breaks = files, [], 0
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                registry.asked.append((self.path, self.headers.get("Range")))
                data = registry.files.get(self.path)
                if data is None:
                    self.send_error(404)
                    return
                start = int(self.headers["Range"][6:-1]) if "Range" in self.headers else 0
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                whole = data[start:]
                if registry.breaks:
                    registry.breaks -= 1
                    whole = whole[: len(whole) // 2]
                self.wfile.write(whole)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    running = Registry({})
    monkeypatch.setenv(packages.REGISTRY_VARIABLE, running.url)
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_package_is_fetched_once_and_its_content_checked(registry, tmp_path):
    data = tarball({"package/a.txt": b"hello"})
    known = package("@scope/thing", data)
    registry.files["/@scope/thing/-/thing-1.0.0.tgz"] = data
    assert fetch(known, tmp_path).read_bytes() == data
    assert fetch(known, tmp_path).name == "scope-thing-1.0.0.tgz"
    assert len(registry.asked) == 1
    registry.files["/@scope/thing/-/thing-1.0.0.tgz"] = tarball({"package/a.txt": b"another"})
    with pytest.raises(ValueError, match="sha512 differs"):
        fetch(known, tmp_path / "elsewhere")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_broken_download_goes_on_where_it_stopped(registry, tmp_path):
    data = tarball({"package/a.bin": bytes(range(256)) * 400})
    known = package("thing", data)
    registry.files["/thing/-/thing-1.0.0.tgz"] = data
    registry.breaks = 1
    with pytest.raises((OSError, ValueError)):
        fetch(known, tmp_path)
    assert fetch(known, tmp_path).read_bytes() == data
    assert registry.asked[1][1] == f"bytes={len(data) // 2}-"


def test_no_network_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(packages.REGISTRY_VARIABLE, "http://127.0.0.1:1")
    assert main(["art", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "openmoji@17.0.0 cannot be fetched from http://127.0.0.1:1" in error
    assert "go online" in error and "Traceback" not in error and error.count("\n") == 1


def test_a_package_writes_nothing_wherever_its_names_point(tmp_path):
    path = tmp_path / "pack" / "evil.tgz"
    path.parent.mkdir()
    path.write_bytes(tarball({"package/../../../evil.txt": b"x", "/etc/evil": b"x", "package/ok.txt": b"fine"}))
    with tarfile.open(path.with_name("link.tgz"), "w:gz") as tar:
        link = tarfile.TarInfo("package/ok.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert read(path, lambda name: name == "ok.txt") == {"ok.txt": b"fine"}
    assert read(path.with_name("link.tgz"), lambda name: True) == {}
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["evil.tgz", "link.tgz", "pack"]


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "big.tgz"
    path.write_bytes(tarball({"package/big.json": b"0" * 2000}))
    monkeypatch.setattr(packages, "LARGEST_MEMBER", 1000)
    with pytest.raises(ValueError, match=r"big\.json has 2000 bytes"):
        read(path, lambda name: True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("man-running", "woman-running"),
        ("cat", "cat-face"),
        ("person-biking", "man-biking"),
        ("aavatar-bindi--saree", "aavatar-bindi--bodycon"),
        ("comic-dee--inked", "comic-dee--coloured"),
    ],
)
def test_siblings_share_a_split(one, other):
    assert split(one) == split(other)


def test_the_split_is_stable_and_holds_out_about_one_in_fourteen():
    assert split("seal") == "test" and split("fox") == "train"  # as in every pack made so far
    concepts = [f"thing-{i}" for i in range(2800)]
    assert 140 < sum(split(c) == "test" for c in concepts) < 270
    assert slug("Mrs. Claus") == "mrs-claus" and slug("O’Neill") == "oneill"


SVG = '<circle cx="8" cy="8" r="7" fill="{}"/><rect x="3" y="3" width="4" height="4" fill="{}"/>'
EMOJI = (
    ("fox", "animals-nature"),
    ("seal", "animals-nature"),
    ("two oclock", "travel-places"),
    ("fog", "animals-nature"),
)


def animation(colours: tuple[str, ...]) -> bytes:
    frames = []
    for k in range(12):
        frame = Image.new("RGBA", (60, 60))
        ImageDraw.Draw(frame).ellipse((4 + 2 * k, 8, 30 + 2 * k, 50 - 2 * k), fill=colours[k % len(colours)])
        frames.append(frame)
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    return buffer.getvalue()


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A set of icons and one of animations, as small packages that are there already."""
    names = [
        {"annotation": text, "hexcode": f"1F{k:03X}", "group": group, "tags": "wild", "subgroups": "animal-mammal"}
        for k, (text, group) in enumerate(EMOJI)
    ]
    icons = {slug(text): {"body": SVG.format("red", "blue")} for text, _ in EMOJI}
    icons["fog"] = {"body": '<rect width="16" height="16" fill="none"/>'}  # shows nothing, so it is left out
    moving = {f"assets/1f{k:03x}.webp": animation(("red", "green")) for k in range(2)}
    packed = {
        "names": {"package/data/openmoji.json": json.dumps(names).encode()},
        "icons": {"package/icons.json": json.dumps({"icons": icons, "width": 16, "height": 16}).encode()},
        "moving": {f"package/{name}": data for name, data in moving.items()},
    }
    downloads, known = tmp_path / "downloads", {}
    downloads.mkdir()
    for name, files in packed.items():
        data = tarball(files)
        known[name] = package(name, data)
        (downloads / known[name].file).write_bytes(data)
    jobs = (
        ("flat", (known["names"], known["icons"]), partial(builder._icons, name="flat", licence="MIT")),
        ("moving", (known["names"], known["moving"]), partial(builder._animations, name="moving", licence="MIT")),
    )
    monkeypatch.setattr(builder, "SOURCES", jobs)
    return downloads


def test_the_pack_has_the_layout_that_training_reads(sources, tmp_path):
    out = tmp_path / "pack"
    assert build(out, sources, workers=1) == {"flat": 2, "moving": 2}
    rows = [json.loads(line) for line in (out / "index.jsonl").read_text().splitlines()]
    assert [(r["kind"], r["concept"], r["split"]) for r in rows] == [
        ("subject", "fox", "train"),
        ("subject", "seal", "test"),
        ("poses", "fox", "train"),
        ("poses", "seal", "test"),
    ]
    assert not (out / "parts").exists()
    art = Art(out, tmp_path / "cache", split="train", size=48)
    assert [(e.text, e.licence) for e in art.entries] == [("fox", "MIT")] * 2
    assert len(art.entries[1].cells) >= 3
    # Made again, nothing is fetched or drawn.
    assert build(out, tmp_path / "nowhere", workers=1) == {"flat": 2, "moving": 2}


def test_a_stopped_build_goes_on_with_the_next_set(sources, tmp_path, monkeypatch):
    out, whole = tmp_path / "pack", builder.SOURCES

    def broken(*_, **__):
        raise OSError("stopped")

    monkeypatch.setattr(builder, "SOURCES", (whole[0], (*whole[1][:2], broken)))
    with pytest.raises(OSError, match="stopped"):
        build(out, sources, workers=1)
    assert not (out / "index.jsonl").exists()
    first = (out / "parts" / "flat.tar").stat().st_mtime_ns
    monkeypatch.setattr(builder, "SOURCES", ((*whole[0][:2], broken), whole[1]))
    assert build(out, sources, workers=1) == {"flat": 2, "moving": 2}
    assert (out / "flat.tar").stat().st_mtime_ns == first


def test_a_pack_that_was_stopped_while_it_was_put_together_is_finished(sources, tmp_path, monkeypatch):
    out, replace_file = tmp_path / "pack", os.replace

    def stopped(source, target):
        if Path(source).name == "poses.tar.part":
            raise OSError("stopped")
        replace_file(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(OSError, match="stopped"):
            build(out, sources, workers=1)
    assert (out / "flat.tar").is_file() and not (out / "index.jsonl").exists()
    assert build(out, sources, workers=1) == {"flat": 2, "moving": 2}
    assert len(Art(out, tmp_path / "cache", split="train", size=48)) == 2


COMIC = {
    f"package/svg/{name}.svg": f'<svg viewBox="0 0 500 600"><circle cx="{x}" cy="300" r="120" fill="#B28B67"/></svg>'
    for name, x in (
        *((f"ethan/straight/pose/{pose}", 250) for pose in ("normal", "holdingbook", "handsclasped", "holdingboard")),
        *((f"ethan/side/pose/{pose}", 200) for pose in ("normal", "pointingright")),
        ("ethan/straight/emotion/smile", 240),
        ("ethan/side/emotion/smile", 210),
        ("trump/pose/normal", 10),
    )
}


def test_a_comic_character_has_poses_that_say_what_they_show(tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_CHARACTERS", {"ethan": builder._CHARACTERS["ethan"]})
    path = tmp_path / "comic.tgz"
    path.write_bytes(tarball({name: text.encode() for name, text in COMIC.items()}))
    ((row, how, drawn),) = builder._characters(path)
    assert (row["concept"], row["kind"], row["licence"], how) == ("comic-ethan", "poses", "CC0-1.0", "poses")
    assert len(drawn) == len(row["actions"]) == len(row["facing"]) == 5  # but the board
    assert "holds a book" in row["actions"] and set(row["facing"]) == {"", "right"}
    again = next(builder._characters(path))
    assert again == (row, how, drawn)


def test_fills_are_recoloured_whatever_their_case(tmp_path):
    path = tmp_path / "comic.tgz"
    svg = b'<svg width="9"><path fill="#b28b67"/><path fill="#B28B67"/><path fill="#fff"/></svg>'
    path.write_bytes(tarball({"package/svg/humaaans/head/front/afro.svg": svg}))
    part = builder._Comic(path).part("humaaans/head/front/afro", colours={"#B28B67": "#010203"})
    assert part.count("#010203") == 2 and "#fff" in part and "b28b67" not in part.lower()


def test_every_source_is_pinned_and_its_licence_free():
    for _, needed, jobs in builder.SOURCES:
        for one in needed:
            assert len(base64.b64decode(one.sha512)) == 64
            assert one.version[0].isdigit()
        if isinstance(jobs, partial):
            assert jobs.keywords["licence"] in {"MIT", "Apache-2.0", "CC-BY-4.0"}


def test_training_reads_only_the_train_split(sources, tmp_path):
    """What trains is made by `_world` or asks for "train" itself, the autoencoder and the vision encoder among them."""
    pack = tmp_path / "pack"
    build(pack, sources, workers=1)
    options = Namespace(art=pack, out=tmp_path / "out", device="cpu", seed=0)
    world = _world(options, pack, 48, 2)
    assert {entry.concept for entry in world.art.entries} == {"fox"}  # the seal is for testing
    folder = Path(main.__code__.co_filename).parent
    for name in ("__main__", "autoencoder", "vision", "stages"):
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert text.count("split=") == text.count('split="train"'), name


def test_a_package_says_where_it_is(monkeypatch):
    monkeypatch.delenv(packages.REGISTRY_VARIABLE, raising=False)
    known = Package("@scope/thing", "2.1.0", "")
    assert known.url == "https://registry.npmjs.org/@scope/thing/-/thing-2.1.0.tgz"
    assert replace(known, name="thing").file == "thing-2.1.0.tgz"
