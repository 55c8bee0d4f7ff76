"""What `python -m tests.solid` tries at full count, at a small one."""

from tests.solid.fuzz import SHARES, fuzz
from tests.solid.kills import kills
from tests.solid.settling import settling
from tests.solid.texts import MOST, full, reading, texts
from tests.solid.visitors import Report, visitors


def test_bad_input_is_read_or_refused_in_a_sentence(tmp_path):
    said = list(fuzz(100, 22, tmp_path))
    assert [each for each in said if not isinstance(each, str)] == []
    assert set(said) == set(SHARES)


def test_no_announced_frame_is_lost_to_a_kill(tmp_path):
    assert list(kills(1, 22, tmp_path)) == []


def test_what_settling_costs_is_measured_by_whole_renders(tmp_path):
    pairs = list(settling(2, tmp_path, panels=1, side=64))
    assert len(pairs) == 2 and all(seconds > 0 for pair in pairs for seconds in pair) and not any(tmp_path.iterdir())


def test_nobody_is_shown_somebody_elses_character(tmp_path):
    report = visitors(2, 0, tmp_path, pause=0, size=256)
    assert report.wrong == [] and len(report.seconds) == 2


def test_figures_of_visitors_are_of_the_time_they_are_said_to_be_of():
    report = Report([1.0] * 95 + [9.0] * 5, [], [(at, 100.0 if at < 50 else 130.0) for at in range(101)])
    assert 1 <= report.slowest <= 9 and report.grown == 30 and "grown by 30 MB" in str(report)


def test_texts_are_as_long_as_a_script_may_be_and_what_they_take_is_told():
    long = texts()
    assert all(len(text.encode("utf-8", "surrogatepass")) > MOST // 2 for text in long.values())
    assert len(full("Mia and Tom meet ").splitlines()) == 205
    few = dict([*long.items()][:2])
    assert [(what, seconds > 0) for what, seconds in reading(few)] == [(what, True) for what in few]
