"""The frame clock: one paint for many diffs, none for what can't be seen, and sleep when nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore

from depthgui.ui.frame_clock import FrameClock

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Source:
    def __init__(self) -> None:
        self.version = 0
        self.is_visible = True
        self.wants_heartbeat = False
        self.due_s: float | None = None
        self.renders = 0

    def frame_key(self, now_s: float) -> object:
        return self.version

    def is_frame_visible(self) -> bool:
        return self.is_visible

    def render_frame(self, now_s: float) -> float | None:
        self.renders += 1
        return self.due_s


@pytest.fixture
def source(clock: FrameClock) -> Source:
    made = Source()
    clock.add(made)
    clock.tick()
    made.renders = 0
    return made


def test_many_changes_within_a_tick_are_one_frame(clock: FrameClock, source: Source) -> None:
    for _ in range(10):
        source.version += 1
        clock.wake()
    clock.tick()
    clock.tick()
    assert source.renders == 1


def test_what_is_hidden_is_not_rendered_and_is_new_when_shown(clock: FrameClock, source: Source) -> None:
    source.is_visible = False
    source.version += 1
    clock.tick()
    assert source.renders == 0
    source.version -= 1
    source.is_visible = True
    clock.tick()
    assert source.renders == 1


def test_a_source_that_moves_is_rendered_when_it_is_due_until_it_stops(clock: FrameClock, source: Source, time) -> None:
    timer = clock.findChild(QtCore.QTimer)
    source.version += 1
    source.due_s = time.now_s + 0.075
    clock.tick()
    assert (source.renders, timer.isActive(), timer.interval()) == (1, True, 75)
    due_s = source.due_s
    time.now_s += 0.05
    clock.tick()
    assert (source.renders, timer.interval()) == (1, 25)
    time.now_s, source.due_s = due_s, None
    clock.tick()
    assert (source.renders, timer.isActive()) == (2, False)
    time.now_s += 1
    clock.tick()
    assert source.renders == 2


def test_what_is_due_at_once_waits_for_the_cap(clock: FrameClock, source: Source, time) -> None:
    clock.set_cap(20)
    source.version += 1
    source.due_s = time.now_s
    clock.tick()
    assert clock.findChild(QtCore.QTimer).interval() == 50


def test_a_change_comes_before_what_is_due_later(clock: FrameClock, source: Source, time) -> None:
    clock.set_cap(20)
    timer = clock.findChild(QtCore.QTimer)
    source.version += 1
    source.due_s = time.now_s + 10
    clock.tick()
    assert timer.interval() == 10_000
    time.now_s += 0.02
    clock.wake()
    assert timer.interval() == 30


def test_it_sleeps_until_something_changes_and_then_ticks_at_once(clock: FrameClock, source: Source, time) -> None:
    timer = clock.findChild(QtCore.QTimer)
    source.version += 1
    clock.tick()
    assert not clock.is_awake
    assert not timer.isActive()
    time.now_s += 0.2
    clock.wake()
    assert clock.is_awake
    assert timer.isActive()
    assert timer.interval() == 0


def test_a_source_that_changes_while_it_renders_is_rendered_again(clock: FrameClock, source: Source) -> None:
    source.render_frame = lambda _now_s: clock.wake()  # type: ignore[method-assign]
    source.version += 1
    clock.tick()
    assert clock.is_awake
    assert clock.findChild(QtCore.QTimer).isActive()


def test_a_source_that_shows_an_age_is_asked_every_second(clock: FrameClock, source: Source, time) -> None:
    source.wants_heartbeat = True
    clock.tick()
    timer = clock.findChild(QtCore.QTimer)
    assert not clock.is_awake
    assert timer.isActive()
    assert timer.interval() == 1000


def test_waking_makes_no_timers(clock: FrameClock, source: Source) -> None:
    for _ in range(1000):
        clock.wake()
    assert len(clock.findChildren(QtCore.QTimer)) == 1


def test_waking_without_anything_to_show_starts_nothing(clock: FrameClock) -> None:
    clock.wake()
    assert not clock.findChild(QtCore.QTimer).isActive()


def test_the_timer_really_ticks(qtbot: QtBot, clock: FrameClock, source: Source) -> None:
    source.version += 1
    clock.wake()
    qtbot.waitUntil(lambda: source.renders == 1, timeout=1000)


def test_a_removed_source_is_left_alone(clock: FrameClock, source: Source) -> None:
    clock.remove(source)
    clock.remove(source)
    source.version += 1
    clock.tick()
    assert source.renders == 0


def test_a_source_may_leave_while_it_renders(clock: FrameClock, source: Source) -> None:
    other = Source()
    clock.add(other)
    source.render_frame = lambda _now_s: clock.remove(other)  # type: ignore[method-assign, func-returns-value]
    source.version += 1
    clock.tick()


def test_the_cap_sets_the_interval(clock: FrameClock, source: Source) -> None:
    clock.set_cap(20)
    source.version += 1
    clock.tick()
    clock.wake()
    assert clock.findChild(QtCore.QTimer).interval() == 50


def test_figures(clock: FrameClock, source: Source, time) -> None:
    time.now_s += 5
    assert clock.stats().fps == 0
    for _ in range(5):
        source.version += 1
        clock.wake()
        time.now_s += 0.010
        clock.tick()
        time.now_s += 0.002
        clock.note_paint(1.5)
    stats = clock.stats()
    assert stats.fps == 5
    assert (stats.paint_ms, stats.paint_last_ms) == (1.5, 1.5)
    assert stats.event_to_paint_ms == pytest.approx(12.0)
    time.now_s += 5
    assert clock.stats().fps == 0


def test_a_frame_is_due_a_frames_time_after_the_one_before_it_began(clock: FrameClock, source: Source, time) -> None:
    clock.set_cap(20)
    timer = clock.findChild(QtCore.QTimer)

    def render_slowly(_now_s: float) -> None:
        time.now_s += 0.030

    source.render_frame = render_slowly  # type: ignore[method-assign]
    source.version += 1
    clock.tick()
    clock.wake()
    assert timer.interval() == 20
    source.render_frame = lambda _now_s: render_slowly(0) or render_slowly(0)  # type: ignore[method-assign, func-returns-value]
    source.version += 1
    clock.tick()
    clock.wake()
    assert timer.interval() == 1, "late already, but whatever else waits has its turn"
