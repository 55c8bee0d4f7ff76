import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from anystory import segment
from anystory.images import ImageError
from anystory.segment import MODELS, Segmenter, SegmentError


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
    with pytest.raises(SegmentError, match="The mask selects no character"):
        Segmenter().cut(Image.new("RGB", (64, 64)), Image.new("L", (64, 64)))
    with pytest.raises(SegmentError, match="The transparent picture shows no character"):
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


def test_own_alpha_comes_first():
    picture = Image.new("RGB", (64, 64), (200, 0, 0))
    picture.putalpha(half())
    other = half().transpose(Image.Transpose.ROTATE_90)
    assert Segmenter().cut(picture, other).tobytes() == half().tobytes()


def test_soft_alpha_is_kept():
    alpha = Image.fromarray(np.repeat(np.arange(64, dtype="uint8")[None] * 4, 64, 0))
    picture = Image.new("RGB", (64, 64))
    picture.putalpha(alpha)
    assert Segmenter().cut(picture).tobytes() == alpha.tobytes()


@pytest.mark.parametrize("clear", [0, 1, 20])  # of 4096 pixels 0.5 % are 20.5
def test_opaque_alpha_is_no_mask(clear):
    picture = Image.new("RGBA", (64, 64), (1, 2, 3, 255))
    for x in range(clear):
        picture.putpixel((x, 0), (0, 0, 0, 0))
    assert Segmenter().cut(picture, half()).tobytes() == half().tobytes()


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
import anystory.segment as segment
assert not {"rembg", "onnxruntime", "numba", "torch"} & set(sys.modules)
segment._session("u2net")
import types, numba
assert isinstance(sys.modules["pymatting.util.kdtree"]._make_tree, types.FunctionType)
assert not numba.config.DISABLE_JIT
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
