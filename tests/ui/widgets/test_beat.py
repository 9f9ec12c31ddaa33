"""The beat: one timer for all, on the clock's round moments, and none while nobody listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore

from depthgui.ui.beat import Beat

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock


class Listener(QtCore.QObject):
    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self.heard = 0

    def hear(self) -> None:
        self.heard += 1


class Raising(QtCore.QObject):
    def hear(self) -> None:
        raise ArithmeticError


@pytest.fixture
def beat(clock: FrameClock) -> Beat:
    return clock.beat(250)


def timer_of(beat: Beat) -> QtCore.QTimer:
    return beat.findChild(QtCore.QTimer)


def test_all_with_the_same_interval_share_a_timer(clock: FrameClock, beat: Beat) -> None:
    assert clock.beat(250) is beat
    assert clock.beat(1000) is not beat
    listeners = [Listener() for _ in range(20)]
    for listener in listeners:
        beat.join(listener.hear)
    timer_of(beat).timeout.emit()
    assert [listener.heard for listener in listeners] == [1] * 20


def test_it_comes_just_after_the_next_round_moment(beat: Beat, time) -> None:
    listener = Listener()
    time.now_s = 1000.1
    beat.join(listener.hear)
    assert timer_of(beat).interval() == 152
    assert listener.heard == 0
    time.now_s = 1000.26
    timer_of(beat).timeout.emit()
    assert timer_of(beat).interval() == 242
    assert listener.heard == 1


def test_who_joins_later_does_not_put_it_off(beat: Beat, time) -> None:
    first, second = Listener(), Listener()
    beat.join(first.hear)
    time.now_s += 0.2
    beat.join(second.hear)
    assert timer_of(beat).interval() == 252


def test_it_stands_still_while_nobody_listens(beat: Beat) -> None:
    assert not timer_of(beat).isActive()
    listener = Listener()
    beat.join(listener.hear)
    beat.leave(listener.hear)
    timer_of(beat).stop()
    timer_of(beat).timeout.emit()
    assert not timer_of(beat).isActive()
    assert listener.heard == 0


def test_who_is_deleted_has_left(beat: Beat, qtbot: QtBot) -> None:
    listener = Listener()
    beat.join(listener.hear)
    with qtbot.waitSignal(listener.destroyed):
        listener.deleteLater()
    timer_of(beat).stop()
    timer_of(beat).timeout.emit()
    assert not timer_of(beat).isActive()


def test_one_that_raises_holds_up_no_other(beat: Beat, qtbot: QtBot) -> None:
    raising, listener = Raising(), Listener()
    beat.join(raising.hear)
    beat.join(listener.hear)
    with qtbot.captureExceptions() as caught:
        timer_of(beat).timeout.emit()
    assert [kind for kind, _, _ in caught] == [ArithmeticError]
    assert listener.heard == 1
    assert timer_of(beat).isActive()


def test_the_clocks_end_stops_it(clock: FrameClock, beat: Beat) -> None:
    listener = Listener()
    beat.join(listener.hear)
    clock.stop()
    assert not timer_of(beat).isActive()
