"""What is transparent about pictures people bring, each made of a photograph or a cut-out whose truth is known."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from anystory.cast.images import open_image
from anystory.cast.segment import Segmenter, SegmentError
from anystory.cast.shelf import shelf
from anystory.cast.transparency import filled, opacity, photograph
from tests.cast.test_segment import composite, iou

PHOTO, TRUTH = composite("photo")
SIZE = PHOTO.size


def with_houses():
    """The photograph with a street behind the fox, which a round frame cuts through."""
    street = PHOTO.copy()
    colours = [(190, 80, 60), (235, 220, 180), (90, 110, 150), (240, 190, 90), (120, 70, 60)]
    for number in range(12):
        top = 140 + 37 * number % 60
        ImageDraw.Draw(street).rectangle((32 * number, top, 32 * number + 26, 384), fill=colours[number * 3 % 5])
    street.paste(PHOTO, (0, 0), TRUTH)
    return street


STREET = with_houses()


def drawn(draw_method, *box, **options):
    """An L mask of the photograph's size with one shape of ImageDraw."""
    mask = Image.new("L", SIZE)
    getattr(ImageDraw.Draw(mask), draw_method)(*box, fill=255, **options)
    return mask


def framed(mask, pad=(0, 0, 0, 0), shadow=0, turn=0, opacity=255, photo=PHOTO):
    """A photograph through a mask, in a frame of nothing (left, top, right, bottom), turned, and as much of a shadow,
    0 to 255; and where the fox is then."""
    left, top, right, bottom = pad
    size = (SIZE[0] + left + right, SIZE[1] + top + bottom)
    picture, truth, shade = Image.new("RGBA", size), Image.new("L", size), Image.new("L", size)
    seen = photo.copy()
    seen.putalpha(mask)
    if shadow:
        shade.paste(mask.point(lambda value: value * shadow // 255), (left, top + 12))
        picture.putalpha(shade.filter(ImageFilter.GaussianBlur(14)))
    layer = Image.new("RGBA", size)
    layer.paste(seen, (left, top))
    picture.alpha_composite(layer)
    truth.paste(ImageChops.darker(TRUTH, mask), (left, top))
    picture.putalpha(picture.getchannel("A").point(lambda value: value * opacity // 255))
    turned = (image.rotate(turn, Image.Resampling.BICUBIC, expand=True) for image in (picture, truth))
    return tuple(turned)


WHOLE = Image.new("L", SIZE, 255)
ROUNDED = drawn("rounded_rectangle", (0, 0, 383, 383), radius=40)
TORN = ImageChops.subtract(WHOLE, drawn("polygon", [(0, 0), (120, 0), (40, 90), (0, 110)]))
HOLED = ImageChops.subtract(WHOLE, drawn("rectangle", (10, 330, 110, 370)))
SOFT = drawn("rectangle", (30, 30, 353, 353)).filter(ImageFilter.GaussianBlur(10))

FRAMES = {
    "rounded corners": framed(ROUNDED),
    "hardly rounded corners": framed(drawn("rounded_rectangle", (0, 0, 383, 383), radius=34)),
    "an icon": framed(drawn("rounded_rectangle", (0, 0, 383, 383), radius=100)),
    "one rounded corner": framed(ImageChops.lighter(ROUNDED, drawn("rectangle", (0, 0, 383, 200)))),
    "padded": framed(WHOLE, (80, 60, 80, 60)),
    "padded far": framed(WHOLE, (400, 300, 500, 300)),
    "padded on one side": framed(WHOLE, (0, 0, 200, 0)),
    "a window and its shadow": framed(ROUNDED, (60, 60, 60, 60), shadow=120),
    "a window and its deep shadow": framed(ROUNDED, (60, 60, 60, 60), shadow=225),
    "turned": framed(WHOLE, turn=15),
    "turned, with a shadow": framed(WHOLE, (60, 60, 60, 60), shadow=120, turn=-8),
    "with soft edges": framed(SOFT),
    "a round portrait": framed(drawn("ellipse", (0, 0, 383, 383)), photo=STREET),
    "an oval portrait": framed(drawn("ellipse", (40, 0, 343, 383)), (20, 20, 20, 20), photo=STREET),
    "torn": framed(TORN),
    "with a hole": framed(HOLED),
    "half transparent": framed(WHOLE, opacity=128),
    "half transparent and padded": framed(WHOLE, (80, 60, 80, 60), opacity=110),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_photograph_in_a_frame_of_nothing_is_cut_out(name):
    picture, truth = FRAMES[name]
    mask = Segmenter().cut(open_image(picture))
    assert iou(mask, truth) > 0.8
    assert not np.asarray(mask)[np.asarray(opacity(picture) or mask.point(lambda _: 255)) == 0].any()


def fox():
    """The fox cut out by its truth."""
    picture = PHOTO.copy()
    picture.putalpha(TRUTH)
    return picture


def cutouts():
    """Finished cut-outs: the fox and parts of it, thin and blunt things, two at once, and the shelf's."""
    bust = fox().crop((100, 20, 284, 200))
    pencil = Image.new("RGBA", (300, 300))
    ImageDraw.Draw(pencil).line((40, 40, 260, 250), fill=(230, 180, 30, 255), width=30)
    heart = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(heart).polygon(
        [(100, 190), (10, 70), (50, 15), (100, 50), (150, 15), (190, 70)], fill=(220, 0, 60, 255)
    )
    face = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(face).ellipse((0, 0, 199, 199), fill=(255, 200, 40, 255))
    for left in (55, 120):
        ImageDraw.Draw(face).ellipse((left, 60, left + 25, 100), fill=(40, 20, 0, 255))
    ImageDraw.Draw(face).rectangle((0, 120, 199, 150), fill=(240, 240, 255, 255))
    face.putalpha(ImageChops.darker(face.getchannel("A"), drawn("ellipse", (0, 0, 199, 199)).crop((0, 0, 200, 200))))
    two = Image.new("RGBA", (400, 200))
    for left in (10, 210):
        two.paste((90, 120, 200, 255), (left, 40, left + 180, 180))
    found = {"fox": fox(), "bust": bust, "pencil": pencil, "heart": heart, "face with a mask": face, "two": two}
    return found | {example.name: open_image(example.image) for example in shelf()}


CUTOUTS = cutouts()


@pytest.mark.parametrize("name", CUTOUTS)
def test_a_finished_cut_out_stays_as_it_is(name):
    picture = CUTOUTS[name]
    assert Segmenter().cut(picture).tobytes() == picture.getchannel("A").tobytes()


@pytest.mark.parametrize("most", [40, 110, 127, 180])
def test_the_body_of_a_ghost_is_the_character(most):
    ghost = fox()
    ghost.putalpha(ghost.getchannel("A").point(lambda value: value * most // 255))
    mask = Segmenter().cut(open_image(ghost))
    assert iou(mask, TRUTH) > 0.99 and mask.getextrema() == (0, 255)
    assert Segmenter().cut(ghost, Image.new("L", SIZE, 255)).tobytes() == mask.tobytes()


def test_a_ghost_may_have_solid_eyes():
    ghost = fox()
    alpha = ghost.getchannel("A").point(lambda value: value * 100 // 255)
    for left in (155, 209):
        ImageDraw.Draw(alpha).ellipse((left, 115, left + 20, 140), fill=255)
    ghost.putalpha(alpha)
    assert iou(Segmenter().cut(ghost), TRUTH) > 0.99


def test_a_faint_rest_of_the_background_and_a_soft_shadow_are_not_the_character():
    for rest in (Image.new("L", SIZE, 40), TRUTH.filter(ImageFilter.GaussianBlur(25)).point(lambda value: value // 3)):
        picture = fox()
        picture.putalpha(ImageChops.lighter(picture.getchannel("A"), rest))
        assert iou(Segmenter().cut(picture), TRUTH) > 0.99


def test_advice_about_a_transparent_picture_can_be_followed():
    """All white takes everything there is to see; a picture nobody can see is told so, and no mask is asked for."""
    for name in ("rounded corners", "padded", "half transparent and padded"):
        picture, _ = FRAMES[name]
        everything = Segmenter().cut(picture, Image.new("L", picture.size, 255))
        assert everything.tobytes() == opacity(picture).tobytes()
    with pytest.raises(SegmentError, match="shows no character: 0 pixels, fewer than 128; use another picture"):
        Segmenter().cut(Image.new("RGBA", (64, 64), (9, 9, 9, 8)))


def test_a_photograph_without_anybody_is_refused_and_a_plain_box_is_a_box():
    empty = Image.fromarray(np.linspace((150, 190, 235), (190, 210, 225), 384).astype("uint8")[:, None].repeat(384, 1))
    empty.putalpha(ROUNDED)
    with pytest.raises(SegmentError, match=r"u2net finds no character: .*; give a mask that is white on the character"):
        Segmenter().cut(empty)
    assert Segmenter().cut(empty, Image.new("L", SIZE, 255)).tobytes() == ROUNDED.tobytes()
    plain = Image.new("RGB", SIZE, (120, 130, 140))
    plain.putalpha(ROUNDED)
    assert Segmenter().cut(plain).tobytes() == ROUNDED.tobytes()


def test_a_box_that_a_model_takes_as_a_whole_is_cut_out_already(monkeypatch):
    picture, _ = FRAMES["padded"]
    monkeypatch.setattr(Segmenter, "_predicted", lambda self, image: Image.new("L", image.size, 255))
    assert Segmenter().cut(picture).tobytes() == picture.getchannel("A").tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (16, 16), (2, 2), (2048, 3)])
@pytest.mark.parametrize("seen", [0, 1, 2])
def test_shapes_of_any_size_are_looked_at(size, seen):
    alpha = Image.new("L", size)
    alpha.paste(255, (0, 0, seen, seen))
    picture = Image.new("RGB", size)
    picture.putalpha(alpha)
    inside = photograph(picture, alpha)
    assert inside is None or inside.tobytes() == alpha.tobytes()


def test_what_is_filled_has_the_colour_next_to_it():
    picture = Image.new("RGB", (40, 20), (200, 0, 0))
    picture.paste((0, 0, 200), (20, 0, 40, 20))
    inside = Image.new("L", (40, 20))
    inside.paste(255, (10, 5, 30, 15))
    result = filled(picture, inside)
    assert result.tobytes() == picture.tobytes()
    assert filled(Image.new("RGB", (40, 20)), Image.new("L", (40, 20), 255)).getextrema() == ((0, 0),) * 3
