"""The header strip, the state pill and the grouping button."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from PySide6 import QtGui, QtWidgets
from PySide6.QtCore import Qt
from unit.ui.books import Counters, FakeFeed, State, change

from depthgui.ui.icons import STATE_MARKS, icon_pixmap
from depthgui.ui.viewmodels.header import PillView
from depthgui.ui.widgets.group_button import GroupButton
from depthgui.ui.widgets.header import Header
from depthgui.ui.widgets.state_pill import StatePill

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock
    from depthgui.ui.theme import Theme


@pytest.fixture
def header(qtbot: QtBot, clock: FrameClock, theme: Theme, feed: FakeFeed) -> Header:
    made = Header(clock, theme)
    qtbot.addWidget(made)
    made.resize(1440, 54)
    feed.counters = Counters(updates_per_s=10, lag_ms=42, verified_s=990.0)
    feed.trade("100.01")
    made.set_feed(feed)
    made.show()
    clock.tick()
    return made


def names(header: Header) -> list[str]:
    return [stat.name for stat in header.stats.shown_stats()]


def test_everything_is_said_where_there_is_room(header: Header) -> None:
    assert names(header) == ["spread", "mid", "imbalance", "updates", "lag"]
    assert header.view.last == "100.01"
    assert header.findChild(StatePill, "stateLabel").text() == "Live \u00b7 verified 10 s ago"
    assert header.findChild(QtWidgets.QPushButton, "stopButton").text() == "Stop"
    assert "last price 100.01" in header.stats.accessibleName()


def test_less_is_said_where_there_is_less_room(header: Header) -> None:
    header.resize(1024, 54)
    assert header.pill.text() == "Live"
    assert (header.stop_button.text(), header.stop_button.accessibleName()) == ("", "Stop")
    assert not header.stop_button.icon().isNull()
    shown = names(header)
    assert "spread" in shown
    header.resize(560, 54)
    assert len(names(header)) < len(shown), "how many depends on the font"
    assert names(header)[:1] in ([], ["spread"]), "the spread stays longest"
    assert header.stats.width() + header.pill.width() < 560


def test_the_buttons_tell_the_tab(qtbot: QtBot, header: Header) -> None:
    for button, signal in ((header.stop_button, header.run_clicked), (header.centre_button, header.centre_clicked)):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_stopped_feed_can_be_started(header: Header, feed: FakeFeed, clock: FrameClock) -> None:
    feed.state = State.STOPPED
    clock.tick()
    assert header.stop_button.text() == "Start"
    assert header.pill.state == "stopped"
    feed.state = State.LIVE
    clock.tick()
    assert header.stop_button.text() == "Stop"


def test_a_change_of_state_is_shown_at_once_and_figures_at_rest(
    header: Header, feed: FakeFeed, clock: FrameClock, time
) -> None:
    time.now_s += 1
    clock.tick()
    change(feed.book, bids=[("100.00", "0")])
    clock.tick()
    assert header.view.stats[0].value == "0.01"
    feed.state = State.STALE
    clock.tick()
    assert header.pill.state == "stale"
    time.now_s += 0.2
    clock.tick()
    assert header.view.stats[0].value == "0.02"


def test_the_age_goes_on_by_itself(header: Header, clock: FrameClock, time) -> None:
    assert header.wants_heartbeat
    time.now_s += 5
    clock.tick()
    assert header.pill.text() == "Live \u00b7 verified 15 s ago"


def test_the_pill_only_grows_while_a_state_lasts(qtbot: QtBot, theme: Theme) -> None:
    pill = StatePill(theme)
    qtbot.addWidget(pill)
    pill.show_state(PillView("live", "Live \u00b7 verified 12 s ago", "Live", ""))
    wide = pill.sizeHint().width()
    pill.show_state(PillView("live", "Live \u00b7 verified 1 s ago", "Live", ""))
    assert pill.sizeHint().width() == wide
    pill.show_state(PillView("failed", "Failed", "Failed", "gone"))
    assert pill.sizeHint().width() < wide
    assert pill.toolTip() == "gone"


def test_states_differ_by_shape_and_not_only_by_colour(qapp: QtWidgets.QApplication) -> None:
    def shape(state: str) -> set[tuple[int, int]]:
        picture = icon_pixmap(STATE_MARKS[state][0], "#ffffff", 14, 1.0).toImage()
        return {(x, y) for x in range(14) for y in range(14) if picture.pixelColor(x, y).alpha() > 128}

    shapes = [shape(state.value) for state in State]
    for number, one in enumerate(shapes):
        assert len(one) > 10
        assert all(len(one ^ other) > 10 for other in shapes[number + 1 :])


@pytest.mark.parametrize("state", [state.value for state in State])
def test_the_pill_draws_every_state(qtbot: QtBot, theme: Theme, state: str) -> None:
    pill = StatePill(theme)
    qtbot.addWidget(pill)
    blank = QtGui.QImage(pill.sizeHint(), QtGui.QImage.Format.Format_RGB32)
    pill.show_state(PillView(state, f"is {state}", state, ""))
    assert pill.grab().toImage() != blank
    assert pill.accessibleName() == f"State: is {state}"


def test_grouping_by_menu_and_by_step(qtbot: QtBot) -> None:
    button = GroupButton()
    qtbot.addWidget(button)
    assert not button.isEnabled()
    button.set_tick(Decimal("0.01"))
    chosen: list[int] = []
    button.grouping_chosen.connect(chosen.append)
    button.menu().aboutToShow.emit()
    actions = {action.text(): action for action in button.menu().actions() if action.text()}
    actions["0.10"].trigger()
    button.step(1)
    button.step(-1)
    assert chosen == [10, 25, 10]
    assert button.text() == "Group 0.10"
    button.set_ticks(100)
    assert chosen == [10, 25, 10]
    assert button.text() == "Group 1.00"


def test_any_multiple_of_the_tick_can_be_typed_in(qtbot: QtBot) -> None:
    button = GroupButton()
    qtbot.addWidget(button)
    button.set_tick(Decimal("0.01"))
    chosen: list[int] = []
    button.grouping_chosen.connect(chosen.append)
    entry = button.menu().findChild(QtWidgets.QLineEdit) or button._entry
    entry.setText("0.005")
    entry.returnPressed.emit()
    assert chosen == []
    assert entry.property("invalid")
    assert "multiple of the tick" in entry.toolTip()
    entry.setText("0.37")
    entry.returnPressed.emit()
    assert chosen == [37]


def test_grouping_goes_through_the_header(qtbot: QtBot, header: Header) -> None:
    with qtbot.waitSignal(header.grouping_chosen) as signal:
        header.step_grouping(1)
    assert signal.args == [2]
    header.set_grouping(5)
    assert header.group.ticks == 5


def test_without_a_feed_it_is_empty(header: Header) -> None:
    header.set_feed(None)
    assert header.view is None
    assert names(header) == []
