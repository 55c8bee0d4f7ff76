"""What a visitor may have: counted, refused with a sentence in every language, and nothing without limits."""

import threading

import pytest
from PIL import Image

from ui.limits import SHARED, Allowance, LimitError, Limits
from ui.strings import LANGUAGES, say


def refused(call, *values):
    with pytest.raises(LimitError) as error:
        call(*values)
    for code in LANGUAGES:
        assert say(code, error.value.key, **error.value.values)
    return str(error.value)


@pytest.fixture
def pictures(tmp_path):
    files = [tmp_path / "small.png", tmp_path / "large.png", tmp_path / "story.txt"]
    Image.new("L", (100, 100)).save(files[0])
    Image.new("L", (2000, 1500)).save(files[1])
    files[2].write_text("Mia walks")
    return files


def test_without_limits_everything_goes(pictures):
    mine = Allowance(Limits())
    mine.render(10_000)
    mine.spend(1e9)
    mine.render(10_000)
    mine.upload(pictures * 100)


def test_panels_count_a_render():
    mine = Allowance(Limits(panels=3))
    mine.render(3)
    mine.render(3)
    assert "at most 3 panels" in refused(mine.render, 4)


def test_minutes_count_a_visit_and_stop_what_is_at_work():
    mine = Allowance(Limits(minutes=2))
    mine.spend(119)
    mine.render(1)
    assert "2 minutes" in refused(mine.spend, 1)
    assert "2 minutes" in refused(mine.render, 1)
    Allowance(Limits(minutes=2)).render(1)


def test_what_works_for_a_visitor_counts_and_may_end_but_nothing_begins_after_it():
    mine = Allowance(Limits(minutes=1e-12))
    with mine.working():
        done = True
    assert done and "minutes" in refused(mine.working().__enter__)


def test_uploads_count_a_visit_and_what_is_refused_does_not(pictures):
    mine = Allowance(Limits(uploads=4))
    mine.upload(pictures)
    assert "at most 4 files per visit, and you have 1 left" in refused(mine.upload, pictures)
    mine.upload(pictures[:1])
    refused(mine.upload, pictures[:1])


def test_pixels_are_those_of_the_head_and_other_files_have_none(pictures):
    mine = Allowance(Limits(pixels=2, uploads=2))
    said = refused(mine.upload, pictures)
    assert "large.png has 3 million pixels" in said and "at most 2" in said and "/" not in said
    mine.upload([pictures[0], pictures[2]])


def test_counting_holds_for_threads():
    mine, taken = Allowance(Limits(uploads=50)), []

    def take():
        for _ in range(20):
            try:
                mine.upload(["x"])
                taken.append(1)
            except LimitError:
                pass

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 50


def test_links_for_strangers_have_every_limit():
    assert None not in (SHARED.panels, SHARED.minutes, SHARED.uploads, SHARED.pixels)
