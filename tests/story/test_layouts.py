"""The arrangements of pages that are not full."""

import pytest

from anystory.story.layouts import LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_page_has_as_many_cells_as_panels_and_no_row_without_one(name):
    layout = LAYOUTS[name]
    assert layout.holding(layout.panels) == layout
    for count in range(1, layout.panels + 1):
        held = layout.holding(count)
        assert held.panels == count and all(row.widths for row in held.rows)
        assert len(held.rows) == min(count, len(layout.rows)), "a row goes last"


def test_three_panels_of_four_fill_the_page_and_six_of_manga_every_row():
    assert [row.widths for row in LAYOUTS["2x2"].holding(3).rows] == [(1, 1), (1,)]
    assert [row.widths for row in LAYOUTS["manga"].holding(3).rows] == [(3,), (1,), (2,)]
