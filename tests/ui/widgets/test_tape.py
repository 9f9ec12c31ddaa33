"""The tape widget."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from unit.ui.books import FakeFeed, State

from depthgui.ui.viewmodels.tape import Merge, TapeOptions
from depthgui.ui.widgets.tape import Tape

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock
    from depthgui.ui.theme import Theme


@pytest.fixture
def tape(qtbot: QtBot, clock: FrameClock, theme: Theme, feed: FakeFeed) -> Tape:
    made = Tape(clock, theme)
    qtbot.addWidget(made)
    made.resize(230, 600)
    for number in range(100):
        feed.trade(f"{100 + number / 100:.2f}", "9.5" if number == 95 else "0.5", time_ms=number * 1000)
    made.set_feed(feed)
    made.show()
    clock.tick()
    return made


def paint(tape: Tape) -> QtGui.QImage:
    return tape.viewport().grab().toImage()


def move(tape: Tape, y: float) -> None:
    at = QtCore.QPointF(60, y)
    none = Qt.MouseButton.NoButton
    event = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove, at, tape.viewport().mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier
    )
    QtWidgets.QApplication.sendEvent(tape.viewport(), event)


def prices(tape: Tape) -> list[str]:
    return [row.price for row in tape.frame.rows]


def test_newest_on_top_and_as_many_as_fit(tape: Tape) -> None:
    assert prices(tape)[:2] == ["100.99", "100.98"]
    assert len(tape.frame.rows) == tape._painter.row_count(tape.viewport().height())
    assert len(tape.frame.rows) * tape._painter.row_px + tape._painter.header_px >= 600


def test_new_trades_come_with_the_next_tick(tape: Tape, feed: FakeFeed, clock: FrameClock) -> None:
    feed.trade("55.55", time_ms=200_000)
    assert prices(tape)[0] == "100.99"
    clock.tick()
    assert prices(tape)[0] == "55.55"


def test_large_prints_have_a_ground(tape: Tape) -> None:
    large = next(number for number, row in enumerate(tape.frame.rows) if row.is_large)
    assert large == 4
    picture = paint(tape)
    y = tape._painter.header_px + large * tape._painter.row_px + 2
    assert picture.pixel(120, y) != picture.pixel(120, y + tape._painter.row_px)


def test_it_stands_still_under_the_pointer(tape: Tape, feed: FakeFeed, clock: FrameClock) -> None:
    move(tape, 200)
    feed.trade("55.55", time_ms=200_000)
    clock.tick()
    assert (prices(tape)[0], tape.frame.is_paused, tape.frame.waiting) == ("100.99", True, 1)
    paint(tape)
    move(tape, 5)  # the header
    assert prices(tape)[0] == "55.55"
    move(tape, 200)
    QtWidgets.QApplication.sendEvent(tape, QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert not tape.frame.is_paused


def test_the_menu_filters_and_merges(tape: Tape) -> None:
    chosen: list[TapeOptions] = []
    tape.options_changed.connect(chosen.append)
    menu = tape.make_menu()
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions)[:3] == ["All sizes", "Only 0.01 and more", "Only 0.1 and more"]
    actions["Only 1 and more"].trigger()
    assert [row.size[0] for row in tape.frame.rows] == ["9.5"]
    actions["Show every print"].trigger()
    assert (chosen[-1].min_size, chosen[-1].merge) == (Decimal(1), Merge.NONE)
    menu.deleteLater()


def test_a_size_of_the_users_own_is_in_the_menu(tape: Tape) -> None:
    tape.set_options(TapeOptions(min_size=Decimal("0.25")))
    menu = tape.make_menu()
    assert next(action.text() for action in menu.actions() if action.isChecked()) == "Only 0.25 and more"
    menu.deleteLater()


def test_stale_and_empty(tape: Tape, feed: FakeFeed, clock: FrameClock) -> None:
    feed.state = State.STALE
    clock.tick()
    assert tape.frame.stale
    tape.set_feed(FakeFeed())
    assert tape.frame is None
    paint(tape)
    tape.set_feed(None)
    paint(tape)


def test_narrow_tapes_leave_the_time_out(tape: Tape) -> None:
    wide = paint(tape)
    tape.resize(160, 600)
    assert not paint(tape).isNull()
    assert wide.width() == 230
