"""Where the heatmap's window is: zoom, pan, and following the market."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthgui.ui.viewmodels.heatmap_view import ROW_PIXELS, ZOOMS, HeatmapView


def view_of(width: int = 600, height: int = 400, capacity: int = 2400) -> HeatmapView:
    view = HeatmapView(0.25, capacity)
    view.resize(width, height)
    return view


def test_a_young_history_is_near_and_an_old_one_shows_five_minutes() -> None:
    view = view_of()
    assert view.span_s == pytest.approx(30, rel=0.3)
    spans = []
    for slots in range(0, 2400, 40):
        view.keep(slots)
        spans.append(view.span_s)
        assert view.span_s >= 0.9 * min(slots * 0.25, 300)
    assert spans == sorted(spans)
    assert spans[-1] == 300


def test_the_newest_column_is_at_the_right_edge() -> None:
    view = view_of()
    window = view.window(1000)
    assert window.first_slot + window.slot_count - 1 >= 1000
    last = window.first + window.groups - 1
    assert view.x_of(last, window) == view.width - view.group_px
    assert view.group_at(view.width - 1, window) == last


@given(
    width=st.integers(1, 2000),
    height=st.integers(1, 1500),
    steps=st.lists(st.sampled_from((1, -1)), max_size=12),
    pans=st.lists(st.integers(-3000, 3000), max_size=12),
    anchor=st.floats(0, 1),
)
def test_any_way_through_the_history_stays_in_it(
    width: int, height: int, steps: list[int], pans: list[int], anchor: float
) -> None:
    view = view_of(width, height)
    oldest, newest = 5000, 7000
    for step in steps:
        view.zoom_time(step, anchor, newest)
    for by in pans:
        view.pan(by, oldest, newest)
    assert (view.group_px, view.merge) in ZOOMS
    assert view.row_px in ROW_PIXELS
    assert view.end_slot is None or oldest <= view.end_slot < newest
    window = view.window(newest)
    for x in range(0, width, max(1, width // 7)):
        group = view.group_at(x, window)
        assert view.x_of(group, window) <= x < view.x_of(group, window) + view.group_px
        assert window.first <= group < window.first + window.groups
    view.to_now()
    assert view.is_following


def test_pan_back_and_return() -> None:
    view = view_of()
    view.pan(-100, 0, 1000)
    assert view.end_slot == 900
    assert view.window(1010) == view.window(1000)
    view.pan(60, 0, 1010)
    view.pan(60, 0, 1010)
    assert view.is_following
    view.to_oldest(0, 5000)
    assert view.window(5000).first_slot == 0
    view.pan(-5000, 0, 5000)
    assert view.window(5000).first_slot >= -view.groups * view.merge


def test_zoom_keeps_the_column_under_the_pointer() -> None:
    view = view_of()
    view.pan(-500, 0, 2000)
    window = view.window(2000)
    before = view.group_at(300, window) * view.merge
    view.zoom_time(1, 0.5, 2000)
    after = view.group_at(300, view.window(2000)) * view.merge
    assert abs(before - after) <= 2
    assert view.chosen_zoom is not None
    for _ in range(20):
        view.zoom_time(-1, 0.5, 2000)
    assert 600 <= view.span_s <= 1300, "no farther out than what is kept"


def test_prices_stay_until_the_mid_leaves_the_middle() -> None:
    view = view_of()
    view.follow(1000)
    top = view.top_row
    assert abs(view.y_of(1000) - view.height / 2) <= 2 * view.row_px
    view.follow(1000 + view.rows * 0.15)
    assert view.top_row == top
    view.follow(1000 + view.rows * 0.25)
    assert view.top_row > top
    view.scroll_rows(500)
    held = view.top_row
    view.follow(1000)
    assert view.top_row == held
    view.centre()
    view.follow(1000)
    assert abs(view.y_of(1000) - view.height / 2) <= 2 * view.row_px


def test_rows_and_pixels_are_each_others_inverse() -> None:
    view = view_of()
    view.follow(1000)
    for row in range(view.top_row - view.rows + 1, view.top_row + 1):
        assert view.row_at(view.y_of(float(row))) == row
    before = view.row_at(view.height / 2)
    view.zoom_price(1)
    assert abs(view.row_at(view.height / 2) - before) <= 1
    for _ in range(20):
        view.zoom_price(1)
    assert view.row_px == ROW_PIXELS[-1]


def test_a_remembered_zoom_that_makes_no_sense_is_left_alone() -> None:
    view = view_of()
    view.set_zoom(99)
    assert view.chosen_zoom is None
    view.set_zoom(3)
    view.keep(2400)
    assert view.zoom == 3
