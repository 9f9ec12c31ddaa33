"""The frame clock: one timer for the whole application that asks what is visible for a new frame, when it changed.

Data is pushed into books; frames are pulled out. However many diffs arrive between two ticks, a widget paints once; a
hidden tab paints never; and while nothing changes, the timer stands still until `FrameClock.wake`. The first change
after a rest is painted at once, the next ones no sooner than the cap allows.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6 import QtCore

from depthgui.ui.beat import Beat

_HEARTBEAT_S = 1.0
_REMEMBERED = 120


PaintListener = Callable[[float, float | None], None]
"""Told a paint's time in milliseconds, and for the first paint of a frame how long ago the event came that it shows."""


class FrameSource(Protocol):
    """What the clock drives. Register it when it is shown, unregister it when it is hidden."""

    wants_heartbeat: bool
    """True if its frame key changes with time alone, such as an age in seconds."""

    def frame_key(self, now_s: float) -> object:
        """Compared for equality: what is on screen must be drawn again when this changes. Called every tick: cheap."""

    def is_frame_visible(self) -> bool:
        """False while nobody could see a frame."""

    def render_frame(self, now_s: float) -> float | None:
        """Make the frame and ask Qt for a paint.

        Returns when to render again though nothing changes, because something is moving; None for never.
        """

    def take_error(self, error: Exception) -> None:
        """Hear what one of the above has raised. The clock asks again as long as `is_frame_visible` says True."""


@dataclass(frozen=True, slots=True)
class FrameStats:
    """What the status bar shows. Times in milliseconds; NaN-free: zero where nothing was measured yet."""

    fps: float
    paint_ms: float
    paint_last_ms: float
    event_to_paint_ms: float


class _Slot:
    __slots__ = ("due_s", "key", "source")

    def __init__(self, source: FrameSource) -> None:
        self.source = source
        self.key: object = _Slot
        self.due_s = math.inf


class FrameClock(QtCore.QObject):
    """Drives every registered `FrameSource` from one timer. `now` is a monotonic clock in seconds."""

    def __init__(
        self, parent: QtCore.QObject | None = None, cap_fps: int = 60, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Make a sleeping clock that will render at most `cap_fps` times a second."""
        super().__init__(parent)
        self._now = now
        self._slots: dict[int, _Slot] = {}
        self._beats: dict[int, Beat] = {}
        self._interval_ms = 16
        self._listeners: list[PaintListener] = []
        self.set_cap(cap_fps)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._is_rung = False  # the timer runs, and is due as soon as the cap allows
        self._ticked_s = self._rests_since_s = -math.inf  # when the last tick began and ended
        self._event_s: float | None = None
        self._rendered_event_s: float | None = None
        self._frames_s: deque[float] = deque(maxlen=600)
        self._paints_ms: deque[float] = deque(maxlen=_REMEMBERED)
        self._latencies_ms: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def is_awake(self) -> bool:
        """True from the first change until the tick that shows it."""
        return self._is_rung

    def now_s(self) -> float:
        """The clock's time, as given to `FrameSource.render_frame`."""
        return self._now()

    def beat(self, interval_ms: int) -> Beat:
        """The beat of an interval, shared by all who ask for the same one."""
        if interval_ms not in self._beats:
            self._beats[interval_ms] = Beat(interval_ms, self._now, self)
        return self._beats[interval_ms]

    def set_cap(self, cap_fps: int) -> None:
        """Set the most frames a second, 1 to 240."""
        self._interval_ms = max(4, 1000 // min(max(cap_fps, 1), 240))

    def add(self, source: FrameSource) -> None:
        """Register a source; it renders at the next tick. Adding it again makes it render again."""
        self._slots[id(source)] = _Slot(source)
        self._ring(0)

    def remove(self, source: FrameSource) -> None:
        """Unregister a source; one that isn't registered is fine."""
        self._slots.pop(id(source), None)

    def wake(self) -> None:
        """Say that data changed. Cheap enough for every message; must be called in the GUI's thread."""
        if self._is_rung:
            return
        now_s = self._event_s = self._now()
        if (now_s - self._rests_since_s) * 1000 >= self._interval_ms:
            self._ring(0)
        else:  # a frame is due a frame's time after the last one began; what else waits has its turn in any case
            self._ring(max(1, round(self._interval_ms - (now_s - self._ticked_s) * 1000)))

    def stop(self) -> None:
        """Stand still for good: forget every source."""
        self._slots.clear()
        self._is_rung = False
        self._timer.stop()
        for beat in self._beats.values():
            beat.stop()

    def listen(self, listener: PaintListener) -> Callable[[], None]:
        """Tell `listener` of every paint from now on; what is returned ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def note_paint(self, paint_ms: float) -> None:
        """A source reports how long its paint took."""
        self._paints_ms.append(paint_ms)
        latency_ms: float | None = None
        if self._rendered_event_s is not None:
            latency_ms = (self._now() - self._rendered_event_s) * 1000
            self._latencies_ms.append(latency_ms)
            self._rendered_event_s = None
        for listener in tuple(self._listeners):
            listener(paint_ms, latency_ms)

    def stats(self) -> FrameStats:
        """Figures over the last second (frames) and the last paints."""
        since = self._now() - 1.0
        fps = sum(1 for frame_s in self._frames_s if frame_s > since)
        paints, latencies = self._paints_ms, self._latencies_ms
        return FrameStats(
            fps=float(fps),
            paint_ms=statistics.median(paints) if paints else 0.0,
            paint_last_ms=paints[-1] if paints else 0.0,
            event_to_paint_ms=statistics.median(latencies) if latencies else 0.0,
        )

    def tick(self) -> None:
        """Render what changed, then decide when to look again. The timer calls this."""
        now_s = self._ticked_s = self._now()
        event_s, self._event_s = self._event_s, None
        self._is_rung = False
        did_render = False
        look_again_s = math.inf
        for slot in list(self._slots.values()):
            source = slot.source
            try:
                if not source.is_frame_visible():
                    slot.key = _Slot  # whatever it shows is old when it is seen again
                    continue
                key = source.frame_key(now_s)
                if key != slot.key or slot.due_s <= now_s:
                    slot.key = key
                    due_s = source.render_frame(now_s)
                    slot.due_s = math.inf if due_s is None else due_s
                    did_render = True
            except Exception as error:  # noqa: BLE001 - the other sources have their frames all the same
                slot.key, slot.due_s = _Slot, math.inf
                source.take_error(error)
                continue
            look_again_s = min(look_again_s, slot.due_s, now_s + _HEARTBEAT_S if source.wants_heartbeat else math.inf)
        if did_render:
            self._frames_s.append(now_s)
            self._rendered_event_s = event_s
        self._rests_since_s = self._now()
        if not self._is_rung:  # by a source, meanwhile
            self._sleep_until(look_again_s)

    def _ring(self, delay_ms: int) -> None:
        if self._slots:
            self._is_rung = True
            self._timer.start(delay_ms)

    def _sleep_until(self, due_s: float) -> None:
        if not self._slots or due_s == math.inf:
            self._timer.stop()
            return
        due_s = max(due_s, self._ticked_s + self._interval_ms / 1000)
        self._timer.start(max(1, math.ceil(round((due_s - self._rests_since_s) * 1000, 3))))
