"""Letters stay in their places, balloons off the characters, tails at who speaks, and nothing is lost unsaid."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageChops

from anystory import typeset
from anystory.pages import balloons
from anystory.pages.balloons import CAPTIONS, DIALOGUES, Lettering, LetteringError, letter
from anystory.story.model import ATTENTION, Line, Panel
from anystory.typeset import NOT_SHAPED, measure, right_to_left
from tests.stories import frame
from tests.test_typeset import LONG, TEXTS

SIDE = 512


def picture(names=("Fox", "Owl"), places=None):
    made = frame(names, places or {"Fox": (0.25, 0.6), "Owl": (0.75, 0.6)}, size=SIDE)
    return made.image, made.maps


def changed(before, after):
    """Where two pictures differ."""
    return np.asarray(ImageChops.difference(before, after)).any(axis=2)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("captions", CAPTIONS)
@pytest.mark.parametrize("dialogue", DIALOGUES)
def test_lettering_stays_in_the_picture_and_says_what_was_cut(text, captions, dialogue):
    image, maps = picture()
    panel = Panel("x", ("Fox", "Owl"), text, (Line("Fox", text), Line("Owl", "Yes?")))
    lettered = letter(image, panel, maps, Lettering(captions, dialogue))
    assert lettered.image.width == SIDE and SIDE <= lettered.image.height <= 2 * SIDE
    for left, top, right, bottom in lettered.boxes:
        assert 0 <= left < right <= SIDE and 0 <= top < bottom <= lettered.image.height
    boxes = lettered.boxes
    apart = all(
        a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        for k, a in enumerate(boxes) for b in boxes[k + 1 :]
    )  # fmt: skip
    assert apart
    if text is LONG and (captions, dialogue) != ("none", "none"):
        assert any("cut" in warning or "room" in warning for warning in lettered.warnings)
    assert len(set(lettered.warnings)) == len(lettered.warnings)


def test_below_makes_the_picture_longer_and_leaves_it_alone():
    image, maps = picture()
    panel = Panel("x", ("Fox",), "Later that day", (Line("Fox", "Hello"),))
    below = letter(image, panel, maps, Lettering("below", "below")).image
    assert below.height > SIDE and below.crop((0, 0, SIDE, SIDE)).tobytes() == image.tobytes()
    assert letter(image, panel, maps, Lettering("none", "none")).image.tobytes() == image.tobytes()


@pytest.mark.parametrize("x", [0.2, 0.5, 0.8])
def test_a_balloon_keeps_off_everybody_and_its_tail_points_at_who_speaks(x):
    other = 0.8 if x == 0.2 else 0.2
    image, maps = picture(places={"Fox": (x, 0.6), "Owl": (other, 0.6)})
    lettered = letter(image, Panel("x", ("Fox", "Owl"), "", (Line("Fox", "Over here, I think!"),)), maps)
    drawn = changed(image, lettered.image)
    ((left, top, right, bottom),) = lettered.boxes
    held = np.asarray(Image.fromarray(maps.values.argmax(axis=0).astype(np.uint8)).resize((SIDE, SIDE), 0))
    box = held[int(top) : int(bottom), int(left) : int(right)]
    assert (box == 2).all()  # the background
    outside = drawn.copy()
    outside[int(top) - 4 : int(bottom) + 5, int(left) - 4 : int(right) + 5] = False
    ys, xs = np.nonzero(outside)
    tip = xs[ys >= ys.max() - 3].mean()
    assert abs(tip - x * SIDE) < abs(tip - other * SIDE) and ys.max() > bottom
    fox = np.argwhere(held == 0)
    assert np.hypot(fox[:, 0] - ys.max(), fox[:, 1] - tip).min() < SIDE * 0.3


def test_balloons_stand_in_reading_order_also_from_right_to_left():
    image, maps = picture()
    lines = (Line("Owl", "First of all"), Line("Fox", "Second"), Line("Owl", "And last"))
    boxes = letter(image, Panel("x", ("Fox", "Owl"), "", lines), maps).boxes
    for one, other in pairwise(boxes):
        assert other[1] >= one[3] or (other[0] >= one[2] and other[1] >= one[1] - 1)
    lines = (Line("Fox", "أهلاً بكم"), Line("Owl", "وسهلاً"))
    boxes = letter(image, Panel("x", ("Fox", "Owl"), "", lines), maps).boxes
    assert boxes[1][1] >= boxes[0][3] or (boxes[1][2] <= boxes[0][0] and boxes[1][1] >= boxes[0][1] - 1)


def test_who_is_not_to_be_seen_is_named_and_has_no_tail():
    image, maps = picture(("Fox",))
    panel = Panel("x", ("Fox",), "", (Line("Ghost", "Boo"),))
    for some in (maps, None):
        lettered = letter(image, panel, some)
        ((left, top, right, bottom),) = lettered.boxes
        ys, xs = np.nonzero(changed(image, lettered.image))
        edge = 4
        assert xs.min() >= left - edge and xs.max() <= right + edge
        assert ys.min() >= top - edge and ys.max() <= bottom + edge
        assert right - left > measure("Ghost: Boo", 14)


def test_more_than_fits_is_told():
    image, maps = picture()
    lines = tuple(Line("Fox", f"{k}: {LONG[:160]}") for k in range(12))
    lettered = letter(image, Panel("x", ("Fox", "Owl"), "", lines), maps)
    assert any("lines of dialogue found no room" in warning for warning in lettered.warnings)


def test_without_fribidi_right_to_left_text_is_set_and_told(monkeypatch):
    monkeypatch.setattr(typeset, "SHAPED", False)
    image, maps = picture()
    lettered = letter(image, Panel("x", ("Fox", "Owl"), "שלום", (Line("Fox", "مرحبا"),)), maps)
    assert len(lettered.boxes) == 2 and lettered.warnings == (NOT_SHAPED,)


def test_unknown_ways_are_refused():
    with pytest.raises(LetteringError, match="box, below, none"):
        Lettering("above")
    with pytest.raises(LetteringError, match="'bubbles'"):
        Lettering(dialogue="bubbles")


def test_who_is_alone_in_a_frame_of_attention_is_seen_too():
    """A share of attention is nowhere larger than the rest of the picture's: half its height is where somebody is."""
    image, maps = picture(("Fox",), {"Fox": (0.3, 0.6)})
    share = 0.2 * maps.values[0]
    alone = replace(maps, values=np.stack([share, 1 - share]).astype(np.float32), measure=ATTENTION)
    panel = Panel("x", ("Fox",), "", (Line("Fox", "Over here!"),))
    routed, attended = (letter(image, panel, some) for some in (maps, alone))
    assert np.allclose(routed.boxes, attended.boxes, atol=SIDE / 20)
    drawn = changed(image, attended.image)
    assert drawn[int(attended.boxes[0][3]) + 6 :].any(), "the tail points at the fox"


@pytest.mark.parametrize("how", [Lettering("box", "below"), Lettering()])
def test_words_keep_their_direction_after_a_name_in_another_script(how):
    image, _ = picture()
    panel = Panel("x", ("Fox",), "", (Line("Fox", "שלום לך."), Line("Fox", "hello")))
    assert len(letter(image, panel, None, how).boxes) == 2 and not letter(image, panel, None, how).warnings
    text = balloons._spoken(panel.dialogue[0])
    assert right_to_left(text) and "Fox" in text and balloons._spoken(panel.dialogue[1]) == "Fox: hello"
