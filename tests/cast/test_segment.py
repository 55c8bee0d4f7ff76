import hashlib
import os
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from anystory.cast import segment
from anystory.cast.images import ImageError
from anystory.cast.segment import MODELS, Segmenter, SegmentError, describe, fetch, is_here


def composite(ground, seed=0):
    """A drawn fox on a ground: (RGB picture, truth L), 384 px."""
    size = (384, 384)
    rng = np.random.default_rng(seed)
    if ground == "photo":  # hills under a sky, with grain
        y, x = np.mgrid[:384, :384]
        sky = np.stack([150 + y / 8, 190 + y / 12, 235 - y / 20], -1)
        hill = np.stack([70 + x / 12, 120 + y / 10, 60 + x / 20], -1)
        ridge = (y > 230 + 25 * np.sin(x / 60))[..., None]
        pixels = np.where(ridge, hill, sky) + rng.normal(0, 8, (384, 384, 1))
        picture = Image.fromarray(pixels.clip(0, 255).astype("uint8")).filter(ImageFilter.GaussianBlur(1))
    else:
        picture = Image.new("RGB", size, ground)
    truth = Image.new("L", size)
    for image, (coat, chest) in ((truth, (255, 255)), (picture, ((226, 112, 40), (250, 240, 225)))):
        draw = ImageDraw.Draw(image)
        draw.polygon([(130, 110), (135, 30), (185, 80)], fill=coat)
        draw.polygon([(254, 110), (249, 30), (199, 80)], fill=coat)
        draw.ellipse((120, 65, 264, 195), fill=coat)
        draw.ellipse((125, 170, 259, 350), fill=coat)
        draw.ellipse((160, 200, 224, 330), fill=chest)
    for left in (155, 209):
        ImageDraw.Draw(picture).ellipse((left, 115, left + 20, 140), fill=(30, 20, 20))
    ImageDraw.Draw(picture).ellipse((182, 150, 202, 165), fill=(30, 20, 20))
    return picture, truth


def iou(a, b):
    a, b = np.asarray(a) >= 128, np.asarray(b) >= 128
    return (a & b).sum() / (a | b).sum()


def half(size=(64, 64), mode="L"):
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    return mask.convert(mode)


@pytest.mark.parametrize("ground", ["photo", (235, 235, 235), (90, 150, 200)])
def test_the_supplied_model_finds_a_drawn_character(ground):
    picture, truth = composite(ground)
    mask = Segmenter().cut(picture)
    assert mask.mode == "L" and mask.size == picture.size
    assert iou(mask, truth) > 0.8


def test_cutting_twice_gives_the_same_mask_and_one_session():
    picture, _ = composite("photo")
    first, second = Segmenter().cut(picture), Segmenter("u2net").cut(picture)
    assert first.tobytes() == second.tobytes()
    assert segment._session("u2net") is segment._session("u2net")


def test_a_flat_picture_and_a_flat_mask_are_refused():
    with pytest.raises(SegmentError, match=r"u2net finds no character: 0\.\d\d% .* less than 0\.5%; give a mask"):
        Segmenter().cut(Image.new("RGB", (200, 200), (120, 130, 140)))
    with pytest.raises(SegmentError, match="The picture is one colour all over; there is nobody in it; use another"):
        Segmenter().cut(Image.new("RGB", (200, 200), "white"))
    with pytest.raises(SegmentError, match="The mask selects no character: 0 pixels, fewer than 128; make it white on"):
        Segmenter().cut(Image.new("RGB", (64, 64)), Image.new("L", (64, 64)))
    with pytest.raises(SegmentError, match=r"The transparent picture shows no character: 0 pixels.*another picture"):
        Segmenter().cut(Image.new("RGBA", (64, 64), (9, 9, 9, 0)))


def test_a_map_without_range_is_refused_without_a_warning(monkeypatch, recwarn):
    session = segment._session("u2net")

    class Constant:
        def run(self, *_):
            return [np.zeros((1, 1, 320, 320), np.float32)]

        def get_inputs(self):
            return session_inputs

    session_inputs = session.inner_session.get_inputs()
    monkeypatch.setattr(session, "inner_session", Constant())
    with pytest.raises(SegmentError, match="finds no character"):
        Segmenter().cut(Image.new("RGB", (64, 64)))
    assert not [warning for warning in recwarn if warning.category is RuntimeWarning]


def test_a_model_that_selects_everything_is_refused_but_a_hand_may(monkeypatch):
    white = Image.new("L", (64, 64), 255)
    assert Segmenter().cut(Image.new("RGB", (64, 64)), white).getextrema() == (255, 255)
    session = segment._session("u2net")
    monkeypatch.setattr(session, "predict", lambda image: [white])
    with pytest.raises(SegmentError, match=r"found no background: it selects 100\.0%.* more than 98%; give a mask"):
        Segmenter().cut(Image.new("RGB", (64, 64)))


def test_a_mask_by_hand_comes_before_any_model(monkeypatch):
    monkeypatch.setattr(segment, "_session", None)  # not even loaded
    picture, _ = composite("photo")
    by_hand = half(picture.size)
    assert Segmenter().cut(picture, by_hand).tobytes() == by_hand.tobytes()


def test_of_a_transparent_picture_a_mask_by_hand_takes_a_part():
    picture = Image.new("RGB", (64, 64), (200, 0, 0))
    picture.putalpha(half())
    upper = half().transpose(Image.Transpose.ROTATE_270)
    both = np.zeros((64, 64), np.uint8)
    both[:32, :32] = 255
    assert np.array_equal(np.asarray(Segmenter().cut(picture, upper)), both)
    assert Segmenter().cut(picture, Image.new("L", (64, 64), 255)).tobytes() == half().tobytes()
    with pytest.raises(SegmentError, match="selects of the transparent picture no character: 0 pixels"):
        Segmenter().cut(picture, half().transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def test_soft_alpha_is_kept():
    alpha = Image.fromarray(np.repeat(np.linspace(0, 255, 64).astype("uint8")[None], 64, 0))
    picture = Image.new("RGB", (64, 64))
    picture.putalpha(alpha)
    assert Segmenter().cut(picture).tobytes() == alpha.tobytes()


@pytest.mark.parametrize("clear", [0, 1, 20])  # of 4096 pixels 0.5 % are 20.5
def test_opaque_alpha_is_no_mask(clear):
    picture = Image.new("RGBA", (64, 64), (1, 2, 3, 255))
    for x in range(clear):
        picture.putpixel((x, 0), (0, 0, 0, 0))
    assert Segmenter().cut(picture, half()).tobytes() == half().tobytes()


def test_a_character_may_be_small_in_its_picture_where_it_is_told_and_not_guessed():
    mask = Image.new("L", (2000, 2000))
    mask.paste(255, (900, 900, 930, 930))  # 0.02 % of it
    picture = Image.new("RGB", mask.size)
    assert Segmenter().cut(picture, mask).tobytes() == mask.tobytes()
    picture.putalpha(mask)
    assert Segmenter().cut(picture).tobytes() == mask.tobytes()


def test_a_mask_in_black_and_white_is_read_by_its_white_whatever_is_transparent():
    painted = half(mode="RGB")
    rounded = Image.new("L", (64, 64))
    ImageDraw.Draw(rounded).rounded_rectangle((0, 0, 63, 63), 12, fill=255)
    painted.putalpha(rounded)
    assert iou(Segmenter().cut(Image.new("RGB", (64, 64)), painted), ImageChops.darker(rounded, half())) == 1
    cutout = Image.new("RGB", (64, 64), (200, 30, 30))
    cutout.putalpha(rounded)
    assert iou(Segmenter().cut(Image.new("RGB", (64, 64)), cutout), rounded) == 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_masks_of_any_mode_are_read(mode):
    mask = Segmenter().cut(Image.new("RGB", (64, 64)), half(mode=mode))
    assert mask.mode == "L" and iou(mask, half()) == 1


def test_a_painted_layer_counts_by_its_alpha():
    layer = Image.new("RGBA", (64, 64))
    layer.paste((0, 0, 0, 255), (0, 0, 32, 64))
    assert Segmenter().cut(Image.new("RGB", (64, 64)), layer).tobytes() == half().tobytes()


def test_a_mask_of_the_same_proportions_is_resized_another_refused():
    mask = Segmenter().cut(Image.new("RGB", (2048, 1365)), half((1024, 683)))
    assert mask.size == (2048, 1365) and iou(mask, half((2048, 1365))) > 0.99
    with pytest.raises(SegmentError, match="mask is 64×32 px and does not fit the picture of 64×64 px"):
        Segmenter().cut(Image.new("RGB", (64, 64)), half((64, 32)))


def test_subject_opens_cuts_and_names(tmp_path):
    picture = Image.new("RGB", (64, 48), (200, 0, 0))
    picture.putalpha(half((64, 48)))
    picture.save(tmp_path / "mia.png")
    subject = Segmenter().subject("Mia", tmp_path / "mia.png", description="a small fox")
    assert (subject.name, subject.description) == ("Mia", "a small fox")
    assert subject.image.mode == "RGB" and subject.image.getpixel((60, 9)) == (200, 0, 0)
    assert subject.mask.tobytes() == half((64, 48)).tobytes()


def test_subject_takes_a_mask_file_and_passes_on_what_is_wrong_with_it(tmp_path):
    half((32, 32)).save(tmp_path / "mask.png")
    subject = Segmenter().subject("Tom", Image.new("RGB", (64, 64)), tmp_path / "mask.png")
    assert subject.mask.size == (64, 64) and iou(subject.mask, half()) > 0.95
    with pytest.raises(ImageError, match="no picture file"):
        Segmenter().subject("Tom", Image.new("RGB", (64, 64)), tmp_path / "nobody.png")


def test_a_subject_has_further_pictures_each_with_its_mask_or_cut_out(tmp_path):
    half((32, 32)).save(tmp_path / "mask.png")
    picture = Image.new("RGB", (64, 48), (200, 0, 0))
    picture.putalpha(half((64, 48)))
    flat = Image.new("RGB", (32, 32))
    subject = Segmenter().subject("Mia", picture, more=[(flat, tmp_path / "mask.png"), (picture, None)])
    assert [image.size for image, _ in subject.pictures] == [(64, 48), (32, 32), (64, 48)]
    assert subject.more[0][1].tobytes() == half((32, 32)).tobytes()
    assert subject.more[1][1].tobytes() == subject.mask.tobytes()
    with pytest.raises(SegmentError, match="Mia, picture 2: The mask selects"):
        Segmenter().subject("Mia", picture, more=[(flat, Image.new("L", (32, 32)))])


def test_large_pictures_and_their_masks_stay_together():
    subject = Segmenter().subject("Tom", Image.new("RGB", (3000, 1500)), half((3000, 1500)))
    assert subject.image.size == subject.mask.size == (2048, 1024)


@pytest.mark.parametrize("name", ["bria-rmbg", "withoutbg", "atlascloud", "sam", "u2net_custom", "../u2net", ""])
def test_models_that_are_not_on_offer_are_refused(name):
    with pytest.raises(SegmentError, match="choose one of: u2net, u2netp") as caught:
        Segmenter(name)
    assert repr(name) in str(caught.value)


def test_rembg_knows_every_model_on_offer_and_runs_it_here():
    segment._session("u2net")
    from rembg.sessions import sessions

    for name in MODELS:
        assert sessions[name].is_local() and not sessions[name].requires_credentials()


def test_a_model_that_cannot_be_fetched_is_a_sentence(monkeypatch, tmp_path):
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nothing listens there: no network
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(SegmentError, match=r"'isnet-general-use' is not on this machine.*179 MB.*supplied 'u2net'"):
        Segmenter("isnet-general-use").cut(Image.new("RGB", (64, 64)))


def test_a_damaged_model_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    (tmp_path / "models" / "silueta").mkdir(parents=True)
    (tmp_path / "models" / "silueta" / "silueta.onnx").write_bytes(b"not a network")
    with pytest.raises(SegmentError, match="'silueta' cannot be loaded; delete its file"):
        Segmenter("silueta").cut(Image.new("RGB", (64, 64)))


def test_importing_is_light_and_loading_is_quiet_and_compiles_nothing():
    code = """
import sys
import anystory.cast.segment as segment
assert not {"rembg", "onnxruntime", "numba", "torch"} & set(sys.modules)
segment._session("u2net")
import types, numba
assert isinstance(sys.modules["pymatting.util.kdtree"]._make_tree, types.FunctionType)
assert not numba.config.DISABLE_JIT
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Fetching other models.


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The releases page on this machine, with isnet-anime as a small file, and rembg's folder elsewhere."""
    served, home = tmp_path / "served", tmp_path / "home"
    served.mkdir()
    content = bytes(range(256)) * 20_000  # 5 MB
    (served / "isnet-anime.onnx").write_bytes(content)
    small = replace(MODELS["isnet-anime"], checksum=f"md5:{hashlib.md5(content).hexdigest()}")
    monkeypatch.setitem(MODELS, "isnet-anime", small)
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "U2NET_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("REMBG_HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    handler = partial(SimpleHTTPRequestHandler, directory=served)
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        monkeypatch.setattr(segment, "RELEASE", f"http://127.0.0.1:{httpd.server_address[1]}")
        yield served, home
        httpd.shutdown()
        thread.join()


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_model_is_fetched_once_with_progress_into_rembgs_folder(server):
    served, home = server
    told = []
    assert not is_here("isnet-anime") and "one download from github.com" in describe("isnet-anime")
    fetch("isnet-anime", lambda *numbers: told.append(numbers))
    size = (served / "isnet-anime.onnx").stat().st_size
    assert files(home) == ["models/isnet-anime/isnet-anime.onnx"]
    assert (home / "models/isnet-anime/isnet-anime.onnx").read_bytes() == (served / "isnet-anime.onnx").read_bytes()
    assert told[0] == (0, 176_000_000)  # before it starts: what the catalogue says
    assert {total for _, total in told[1:]} == {size} and told[-1] == (size, size)
    assert len(told) > 10 and [done for done, _ in told] == sorted(done for done, _ in told)
    assert is_here("isnet-anime") and "on this machine" in describe("isnet-anime")
    (served / "isnet-anime.onnx").unlink()
    fetch("isnet-anime", lambda *_: pytest.fail("it was there"))
    # It is where rembg itself looks, which then finds it to be no network.
    with pytest.raises(SegmentError, match="'isnet-anime' cannot be loaded; delete its file"):
        Segmenter("isnet-anime").cut(Image.new("RGB", (64, 64)))


def test_a_file_that_is_not_the_one_in_the_catalogue_is_not_kept(server):
    served, home = server
    (served / "isnet-anime.onnx").write_bytes(b"something else")
    with pytest.raises(SegmentError, match="'isnet-anime' did not arrive whole, its checksum differs; try again"):
        fetch("isnet-anime")
    assert files(home) == [] and not is_here("isnet-anime")


def test_a_stopped_or_failed_download_leaves_nothing(server):
    served, home = server

    def stop(done, total):
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("isnet-anime", stop)
    assert files(home) == []
    (served / "isnet-anime.onnx").unlink()
    with pytest.raises(SegmentError, match="'isnet-anime' is not on this machine and cannot be fetched"):
        fetch("isnet-anime")
    assert files(home) == []


def test_the_catalogue_is_rembgs(monkeypatch, tmp_path):
    """Address and checksum of every model are those that rembg itself would use."""
    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for variable in ("U2NET_HOME", "MODEL_CHECKSUM_DISABLED"):
        monkeypatch.delenv(variable, raising=False)
    asked = {}
    monkeypatch.setattr("pooch.retrieve", lambda url, known_hash, **_: asked.update({name: (url, known_hash)}))
    for name in [*MODELS][1:]:
        segment._known()[name].download_models()
    assert asked == {name: (f"{segment.RELEASE}/{m.file}", m.checksum) for name, m in [*MODELS.items()][1:]}


def test_every_model_is_free_and_described_with_licence_source_and_size():
    for name, model in MODELS.items():
        assert model.licence in ("Apache-2.0", "MIT") and model.source.startswith("https://github.com/")
        said = describe(name)
        assert all(part in said for part in (name, model.good_for, model.licence, f"{model.megabytes} MB"))
    assert describe("u2net").endswith("44 MB, supplied.") and is_here("u2net")
    assert MODELS["u2net"].megabytes == round(segment.SUPPLIED.stat().st_size / 1e6)
    for ask in (describe, is_here, fetch):
        with pytest.raises(SegmentError, match="no segmentation model 'bria-rmbg' on offer"):
            ask("bria-rmbg")


def test_nobody_is_told_of_what_is_done(tiny_model_folder, tmp_path):
    """onnxruntime, which diffusers loads too, would keep events for its makers in the user's cache and send them."""
    code = f"from anystory import load_backend; load_backend(model={str(tiny_model_folder)!r}, device='cpu'); "
    code += "from anystory.cast.segment import _session; _session('u2net')"
    places = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), str(tmp_path))
    subprocess.run([sys.executable, "-c", code], env=os.environ | places, check=True)
    assert files(tmp_path) == []


def test_whose_picture_it_is_is_said():
    with pytest.raises(SegmentError, match=r"^Mia: The mask selects no character"):
        Segmenter().subject("Mia", Image.new("RGB", (64, 64)), Image.new("L", (64, 64)))
