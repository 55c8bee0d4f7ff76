"""The app, killed while somebody makes frames on its page."""

from tests.solid.kills import app_kills


def test_no_frame_that_was_seen_is_lost_to_a_kill_of_the_app(browser, tmp_path):
    assert list(app_kills(browser, 1, 22, tmp_path)) == []
