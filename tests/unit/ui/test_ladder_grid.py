"""The ladder's scroll position: still while prices move, centred when it must, never while locked."""

from __future__ import annotations

import itertools

import pytest

from depthgui.ui.viewmodels.ladder_grid import LadderGrid

ROW, BAND, HEIGHT = 20, 24, 424  # twenty rows and the band


def grid() -> LadderGrid:
    made = LadderGrid(ROW, BAND)
    made.resize(HEIGHT, ROW, BAND)
    made.follow(1000)
    return made


def top(made: LadderGrid) -> tuple[int, int]:
    return made.layout()[0][0]


def test_the_band_starts_in_the_middle() -> None:
    rows, band_y = grid().layout()
    assert band_y == 200
    assert [index for index, y in rows if y < band_y] == list(range(1009, 999, -1))
    assert [index for index, y in rows if y > band_y] == list(range(999, 989, -1))


def test_rows_and_band_fill_the_height_without_holes() -> None:
    made = grid()
    made.scroll(7)
    rows, band_y = made.layout()
    places = sorted([(y, ROW) for _, y in rows] + [(band_y or 0, BAND)])
    assert places[0][0] <= 0
    assert all(y + height == below for (y, height), (below, _) in itertools.pairwise(places))
    assert places[-1][0] + ROW >= HEIGHT


def test_small_moves_don_t_move_the_rows() -> None:
    made = grid()
    before = top(made)
    for boundary in (1001, 1003, 998, 1000):
        made.follow(boundary)
        assert top(made) == before


def test_a_move_out_of_the_middle_centres_once() -> None:
    made = grid()
    made.follow(1006)
    assert made.layout()[1] == 200
    after = top(made)
    made.follow(1007)
    assert top(made) == after


def test_scrolling_locks_and_a_locked_view_stays_on_its_prices() -> None:
    made = grid()
    made.scroll(-3 * ROW)
    assert made.is_locked
    before = top(made)
    made.follow(1500)
    assert top(made) == before
    made.centre()
    made.follow(1500)
    assert not made.is_locked
    assert made.layout()[1] == 200


@pytest.mark.parametrize("pixels", [1, 7, 19, 20, 21, 45, -1, -13, -60])
def test_scrolling_is_exact_to_the_pixel(pixels: int) -> None:
    made = grid()
    made.scroll(pixels)
    row = dict(made.layout()[0])
    assert row[1005] == 4 * ROW + pixels
    made.scroll(-pixels)
    assert dict(made.layout()[0])[1005] == 4 * ROW


def test_there_are_no_prices_of_zero_or_less() -> None:
    made = LadderGrid(ROW, BAND)
    made.resize(HEIGHT, ROW, BAND)
    made.follow(3)
    assert min(index for index, _ in made.layout()[0]) == 1
    made.scroll(-10_000)
    assert [index for index, _ in made.layout()[0]] == [1]


def test_another_step_keeps_the_price_in_the_middle_of_a_locked_view() -> None:
    made = grid()
    made.scroll(ROW * 100)
    middle = made.layout()[0][10][0]
    made.regrid(1, 10)
    assert abs(made.layout()[0][10][0] * 10 - middle) < 20


def test_a_new_size_centres_an_unlocked_view_and_leaves_a_locked_one() -> None:
    made = grid()
    made.resize(HEIGHT * 2, ROW, BAND)
    made.follow(1000)
    assert made.layout()[1] == 400
    made.scroll(ROW)
    before = top(made)
    made.resize(HEIGHT, ROW, BAND)
    made.follow(1000)
    assert top(made) == before


def test_the_layout_is_made_anew_when_anything_of_it_moves() -> None:
    made = LadderGrid()
    made.resize(480, 19, 24)
    made.follow(1000)
    seen = [made.layout()]
    assert made.layout() is seen[0]
    for move in (
        lambda: made.follow(1001),
        lambda: made.scroll(5),
        lambda: made.scroll(19),
        lambda: made.resize(500, 19, 24),
        lambda: made.resize(500, 19, 30),
        lambda: made.resize(500, 20, 30),
    ):
        move()
        seen.append(made.layout())
        assert seen[-1] != seen[-2]
