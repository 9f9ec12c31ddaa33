"""Columns, units and menus of the ladder widget."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore
from PySide6.QtCore import Qt
from unit.ui.books import FakeFeed, make_book

from depthgui.ui.viewmodels.ladder_options import USUAL_COLUMNS, Column, LadderOptions, SizeUnit
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.ladder_menu import with_column, with_column_moved

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock
    from depthgui.ui.theme import Theme


@pytest.fixture
def ladder(qtbot: QtBot, clock: FrameClock, theme: Theme, feed: FakeFeed) -> Ladder:
    made = Ladder(clock, theme)
    qtbot.addWidget(made)
    made.resize(500, 700)
    made.set_feed(feed)
    made.show()
    clock.tick()
    made.viewport().grab()
    return made


def title_at(ladder: Ladder, column: Column) -> QtCore.QPoint:
    left, right = ladder._painter.spans(ladder.viewport().width())[column]
    return QtCore.QPoint((left + right) // 2, 8)


def test_columns_fill_the_width_from_left_to_right(ladder: Ladder) -> None:
    ladder.set_options(LadderOptions(columns=(Column.VOLUME, *USUAL_COLUMNS)))
    spans = list(ladder._painter.spans(500).values())
    assert spans[0][0] == 0
    assert spans[-1][1] == 500
    assert all(left[1] == right[0] for left, right in itertools.pairwise(spans))


@pytest.mark.parametrize("columns", [(Column.PRICE,), (Column.ASK, Column.PRICE, Column.BID), tuple(Column)])
def test_any_choice_of_columns_is_painted(ladder: Ladder, columns: tuple[Column, ...]) -> None:
    ladder.set_options(LadderOptions(columns=columns))
    ladder.viewport().grab()
    assert ladder.painted.rows


def test_a_column_is_dragged_to_another_place(qtbot: QtBot, ladder: Ladder) -> None:
    with qtbot.waitSignal(ladder.options_changed) as signal:
        qtbot.mousePress(ladder.viewport(), Qt.MouseButton.LeftButton, pos=title_at(ladder, Column.ASK_SUM))
        qtbot.mouseRelease(ladder.viewport(), Qt.MouseButton.LeftButton, pos=title_at(ladder, Column.BID_SUM))
    wanted = (Column.ASK_SUM, Column.BID_SUM, Column.BID, Column.PRICE, Column.ASK)
    assert ladder.options.columns == signal.args[0].columns == wanted
    assert not ladder.marks


def test_the_menu_shows_and_hides_columns_and_changes_units(ladder: Ladder) -> None:
    chosen: list[LadderOptions] = []
    ladder.options_changed.connect(chosen.append)
    menu = ladder.make_menu()
    actions = {action.text(): action for action in menu.actions()}
    assert not actions["Price"].isEnabled()
    actions["Volume"].trigger()
    assert chosen[-1].columns == (*USUAL_COLUMNS, Column.VOLUME)
    actions["Sizes in USDT"].trigger()
    assert chosen[-1].size_unit is SizeUnit.QUOTE
    assert "Sizes in contracts" not in actions
    menu.deleteLater()


def test_a_hidden_column_comes_back_where_it_was() -> None:
    less = with_column(LadderOptions(), Column.BID, is_shown=False)
    assert Column.BID not in less.columns
    assert with_column(less, Column.BID, is_shown=True).columns == USUAL_COLUMNS


def test_a_column_moves_within_bounds() -> None:
    assert with_column_moved(LadderOptions(), Column.PRICE, 99).columns[-1] is Column.PRICE
    assert with_column_moved(LadderOptions(), Column.PRICE, -5).columns[0] is Column.PRICE


def test_volume_follows_the_feed(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    ladder.set_options(LadderOptions(columns=(*USUAL_COLUMNS, Column.VOLUME)))
    feed.trade("100.01", "2")
    clock.tick()
    assert [row.price for row in ladder._frame.rows if row.volume] == ["100.01"]


def test_rounded_sizes_are_exact_in_the_tool_tip(ladder: Ladder) -> None:
    ladder.set_options(dataclasses.replace(ladder.options, short_numbers=True))
    ladder.viewport().grab()
    row = next(row for row in ladder._painted_frame.rows if row.price == "99.99")
    at = QtCore.QPoint(10, ladder._painter.metrics.header_px + row.y + 3)
    assert ladder.tip_at(at) == "2.500 BTC"


def test_the_first_live_book_suggests_a_grouping_and_the_user_s_choice_stays(
    qtbot: QtBot, clock: FrameClock, theme: Theme
) -> None:
    bids = [(f"{1000 - n / 10:.2f}", "1") for n in range(60)]
    asks = [(f"{1000.1 + n / 10:.2f}", "1") for n in range(60)]
    sparse = FakeFeed(make_book(bids, asks))
    free, chosen = Ladder(clock, theme), Ladder(clock, theme)
    chosen.set_grouping(1)
    heard: list[int] = []
    free.grouping_changed.connect(heard.append)
    for widget in (free, chosen):
        qtbot.addWidget(widget)
        widget.resize(450, 600)
        widget.set_feed(sparse)
    assert (free.grouping, heard, chosen.grouping) == (10, [10], 1)
    free.set_feed(FakeFeed(make_book([("5.00", "1")], [("5.01", "1")])))
    assert free.grouping == 10
