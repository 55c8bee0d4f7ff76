"""Lines end where they may, no letter is lost, and what the font lacks is told."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anystory import fonts, typeset
from anystory.typeset import (
    MIN_SIZE,
    NOT_SHAPED,
    SHAPED,
    SPACES,
    TextBlock,
    backward,
    balanced,
    clipped,
    clusters,
    cut,
    fit,
    isolated,
    measure,
    pieces,
    right_to_left,
    set_block,
    sizes,
    unwritable,
    wrap,
    write_line,
)

DATA = Path(__file__).parent / "data" / "unicode"
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


@pytest.fixture
def nothing_installed(monkeypatch):
    """A system without fontconfig."""
    monkeypatch.setenv("PATH", "")
    caches = (fonts.home, fonts._installed, typeset._runs, typeset._measured)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


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


def test_scripts_of_the_font_and_what_it_lacks():
    for text in ("Grüße, ¿qué?", "Привет, Ελλάδα", "你好，世界。", "こんにちは、カタカナ", "Tiếng Việt"):
        assert unwritable(text) == "", text
    for text in ("مرحبا", "שלום"):  # Pillow orders them where the system has FriBiDi
        assert unwritable(text) == ("" if SHAPED else NOT_SHAPED), text
    for text in ("fox 🦊🦊", "👨‍🌾 ❤\ufe0f 👍🏽", "한국어 이야기", "नमस्ते, क्या हाल है?", "สวัสดีครับ"):
        assert unwritable(text) == "", text
    assert "\ue000" in unwritable("a \ue000")
    assert right_to_left("12 שלום hello") and not right_to_left("hello שלום") and not right_to_left("…")


def lines_of(name):
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def characters(codes):
    return "".join(chr(int(code, 16)) for code in re.findall(r"[0-9A-F]{4,6}", codes))


def test_lines_end_where_unicode_lets_them():
    for line in lines_of("LineBreakTest.txt"):
        expected = tuple(map(characters, line.strip("×÷ ").split("÷")))
        assert pieces("".join(expected)) == expected, line


def test_the_first_letter_gives_the_direction():
    for line in lines_of("BidiCharacterTest.txt"):
        codes, _, level = line.split(";")
        assert right_to_left(characters(codes)) == bool(int(level)), line
    assert right_to_left(isolated("Mia") + ": שלום") and not right_to_left(isolated("שלום") + ": hello")
    assert not right_to_left(isolated(isolated("שלום"))) and not right_to_left("\u2069" + "a" + "שלום")


def test_a_name_in_front_does_not_turn_a_sentence():
    for text in ("Mia הולכת לגן!", "NASA: שלום לכולם (2025)?", "Mia تمشي في الحديقة.", "שלום Mia and Tom"):
        assert backward(text), text
        (line,) = set_block(TextBlock((text,), 20), (0, 0, 300, 30), "start")
        assert line.backwards and line.anchor == "r"
    assert not any(map(backward, ("Mia says שלום", "Mia", "2025", "")))


@pytest.mark.parametrize("first", list("・〜ゝゞヽヾヵヶ‼⁇⁈⁉‥〟ｧｯｬ｡､･ｰﾞﾟ｣゠–々〻"))
def test_marks_do_not_begin_a_line(first):
    assert all(piece[0] != first for piece in pieces(f"日本語{first}日本語"))


@pytest.mark.parametrize("last", list("｢「『（〔［｛〈《【〖〘〝«‘“¿¡"))
def test_marks_do_not_end_a_line(last):
    assert all(piece[-1] != last for piece in pieces(f"日本語{last}日本語"))


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2007", " "])
def test_a_mark_stays_with_its_word_behind_a_space(space):
    text = f"Où vas-tu{space}? Il dit{space}: «{space}Viens{space}!{space}»"
    for width in range(20, 200, 10):
        lines = wrap(text, 20, width)
        torn = any(line[0] in "?!»" for line in lines) and width >= measure(f"«{space}Viens{space}!{space}»", 20)
        assert not torn, lines
    assert wrap(text, 20, 10_000) == [text]


def test_an_ellipsis_stays_with_the_word_it_begins():
    assert pieces("Oh, …well… yes “…no” ……好") == ("Oh, ", "…well… ", "yes ", "“…no” ", "……好")


def test_what_is_joined_is_not_torn():
    family = "👩‍👩‍👧"
    assert clusters(f"{family}e\u0301\u0323🇫🇷각") == (family, "e\u0301\u0323", "🇫🇷", "각")


def test_marks_the_font_lacks_are_told(nothing_installed):
    assert unwritable("a\u0301 e\u0323 Việt") == "" and unwritable("❤\ufe0f") == unwritable("❤")
    assert "◌\u1ab0" in unwritable("x\u1ab0") and "◌\u20dd" in unwritable("x\u20dd")
    scotland = "🏴" + "".join(chr(0xE0000 + ord(char)) for char in "gbsct\x7f")
    assert unwritable(f"Hola 🇪🇸 🇪🇺 {scotland}") == "" and "🇽🇽" in unwritable("🇽🇽")
    assert unwritable("👨\u200d👩\u200d👧 👋🏽") == ""
    assert unwritable("a\u200d\u2060\u00ad\u2068b\u2069") == ""


@pytest.mark.parametrize("text", [*TEXTS, "short", ""])
def test_a_line_is_clipped_to_its_room(text):
    for width in (30, 200):
        line = clipped(text, 20, width)
        assert measure(line, 20) <= width and "\n" not in line
        block = cut(text, width, 60, 20)
        assert block.width <= width + 20 and block.cut == block.lines[-1].endswith("…")
    assert clipped("a  b\nc", 20, 500) == "a b c"


def test_isolates_leave_no_ink():
    one, other = (Image.new("RGB", (200, 40), "white") for _ in range(2))
    write_line(one, "Mia: hi", 20, (4, 20))
    write_line(other, f"{isolated('Mia')}: hi", 20, (4, 20))
    assert np.array_equal(np.asarray(one), np.asarray(other)) and not wrap(SPACES, 20, 100)[0]


@pytest.mark.skipif(not SHAPED, reason="needs FriBiDi")
def test_a_latin_name_stands_before_hebrew_words_at_the_right():
    said, name = (np.full((40, 400), 255), np.full((40, 400), 255))
    for pixels, text in ((said, f"{isolated('Mia')}: שלום לך."), (name, "Mia")):
        image = Image.new("L", (400, 40), 255)
        write_line(image, text, 20, (396, 20), "r", 0)
        pixels[:] = np.asarray(image)
    end = int(396 - measure("Mia", 20)) + 1
    assert np.array_equal(said[:, end:], name[:, end:]) and (said[:, : end - 40] < 99).any()
