"""Letters stay in their places, balloons off the characters, tails at who speaks, and nothing is lost unsaid."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageChops

from anystory.pages import lettering
from anystory.pages.lettering import (
    CAPTIONS,
    DIALOGUES,
    MIN_SIZE,
    NOT_SHAPED,
    SHAPED,
    Lettering,
    LetteringError,
    balanced,
    fit,
    letter,
    measure,
    right_to_left,
    sizes,
    unwritable,
    wrap,
)
from anystory.story.model import Line, Panel
from tests.stories import frame

SIDE = 512
LONG = "It was a long way, and nobody had told them how long it would be. " * 60
TEXTS = [
    "Where am I?",
    LONG,
    "两个朋友在海边等待。天色渐渐暗了下来，可是谁也不想先回家。" * 6,
    "أهلاً بكم! هذا بيتي (القلعة) رقم 12. " * 8,
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 4,
    "e\u0301" * 300,
    "\n\n a \n\n",
]


def picture(names=("Fox", "Owl"), places=None):
    made = frame(names, places or {"Fox": (0.25, 0.6), "Owl": (0.75, 0.6)}, size=SIDE)
    return made.image, made.maps


def changed(before, after):
    """Where two pictures differ."""
    return np.asarray(ImageChops.difference(before, after)).any(axis=2)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("width", [40, 200, 1000])
def test_no_line_is_wider_than_its_room_and_no_word_is_lost(text, width):
    for break_up in (wrap, balanced):
        lines = break_up(text, 20, width)
        assert max(measure(line, 20) for line in lines) <= width + 1
        assert "".join("".join(lines).split()) == "".join(text.split())


def test_words_marks_and_punctuation_stay_together():
    assert wrap("one two three", 20, measure("one two", 20) + 2) == ["one two", "three"]
    assert all(not line.startswith("\u0301") for line in wrap("e\u0301" * 50, 20, 60))
    lines = wrap("他说，“你好。”她笑了！（真的）" * 8, 20, 130)
    assert len(lines) > 5 and not any(line[0] in "，。”！）" or line[-1] in "“（" for line in lines)
    widths = [measure(line, 20) for line in balanced("four words and then a very few more of them", 20, 300)]
    assert max(widths) - min(widths) < 120


@pytest.mark.parametrize("text", TEXTS)
def test_text_shrinks_within_bounds_and_is_cut_at_last(text):
    block = fit(text, 300, 90, 24)
    assert block.width <= 301 and block.height <= 90 and block.size in sizes(24)
    assert block.cut == (block.lines[-1].endswith("…")) and (block.cut or block.size >= min(sizes(24)))
    assert fit("Hi", 300, 90, 24).size == 24 and min(sizes(11)) == MIN_SIZE


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


def test_scripts_of_the_font_and_what_it_lacks():
    for text in ("Grüße, ¿qué?", "Привет, Ελλάδα", "你好，世界。", "こんにちは、カタカナ", "Tiếng Việt"):
        assert unwritable(text) == "", text
    for text in ("مرحبا", "שלום"):  # Pillow orders them where the system has FriBiDi
        assert unwritable(text) == ("" if SHAPED else NOT_SHAPED), text
    assert "🦊" in unwritable("fox 🦊🦊") and "한" in unwritable("한국어")
    assert right_to_left("12 שלום hello") and not right_to_left("hello שלום") and not right_to_left("…")


def test_without_fribidi_right_to_left_text_is_set_and_told(monkeypatch):
    monkeypatch.setattr(lettering, "SHAPED", False)
    image, maps = picture()
    lettered = letter(image, Panel("x", ("Fox", "Owl"), "שלום", (Line("Fox", "مرحبا"),)), maps)
    assert len(lettered.boxes) == 2 and lettered.warnings == (NOT_SHAPED,)


def test_unknown_ways_are_refused():
    with pytest.raises(LetteringError, match="box, below, none"):
        Lettering("above")
    with pytest.raises(LetteringError, match="'bubbles'"):
        Lettering(dialogue="bubbles")
