"""What `python -m tests.solid` tries at full count, at a small one."""

from tests.solid.fuzz import SHARES, fuzz
from tests.solid.kills import kills


def test_bad_input_is_read_or_refused_in_a_sentence(tmp_path):
    said = list(fuzz(200, 22, tmp_path))
    assert [each for each in said if not isinstance(each, str)] == []
    assert set(said) == set(SHARES)


def test_no_announced_frame_is_lost_to_a_kill(tmp_path):
    assert list(kills(2, 22, tmp_path)) == []
