"""The paint meter's file: once a second one JSON line with what the running application costs and how late it is.

Every figure is of the time since the line before, so that a claim about speed can be checked on any build. Lines with
a `milestone` mark when something was first on screen. Times of day are Unix milliseconds, to be compared with when the
process was started.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

import msgspec
from PySide6 import QtCore

from depthgui.app.process_memory import resident_bytes
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.viewmodels.feed_view import CountersView

_LINE_MS = 1000
_PROBE_MS = 50


class MeteredFeed(Protocol):
    """What the meter needs of a feed."""

    @property
    def counters(self) -> CountersView:
        """What it has counted since it was made."""


class StatsLine(msgspec.Struct, frozen=True):
    """One line. Milliseconds in `_ms`; megabytes of 10**6 bytes; `diffs_applied`, `gaps` ... count from the start.

    `paint_ms` is the median of single widgets' paints, `event_to_paint_ms` from the first change that a frame shows to
    the end of its first paint, `loop_lag_ms` how late a timer of 50 ms came at worst, `cpu_percent` of one core.
    """

    wall_ms: int
    up_s: float
    fps: float
    paints: int
    paint_ms: float
    paint_max_ms: float
    event_to_paint_ms: float
    event_to_paint_p99_ms: float
    event_to_paint_max_ms: float
    loop_lag_ms: float
    messages_per_s: float
    diffs_per_s: float
    diffs_applied: int
    gaps: int
    resyncs: int
    malformed: int
    feeds: int
    cpu_percent: float
    cpu_s: float
    rss_mb: float


class Milestone(msgspec.Struct, frozen=True):
    """Something was on screen for the first time."""

    milestone: str
    wall_ms: int
    up_s: float
    cpu_s: float


class StatsWriter:
    """Writes the lines while it is entered; adds one wake-up every 50 ms. Raises OSError if the file can't be made."""

    def __init__(
        self,
        path: Path,
        clock: FrameClock,
        feeds: Callable[[], Iterable[MeteredFeed]],
        milestones: Mapping[str, Callable[[], bool]] | None = None,
    ) -> None:
        """Meter what `clock` drives and `feeds` gives. A milestone is reached at the first paint that finds it true."""
        self._path = path
        self._clock = clock
        self._feeds = feeds
        self._milestones = dict(milestones or {})
        self._counted: dict[MeteredFeed, tuple[int, ...]] = {}
        self._totals = [0, 0, 0, 0, 0]
        self._paints_ms: list[float] = []
        self._latencies_ms: list[float] = []
        self._lag_ms = 0.0
        self._begin_s = self._line_s = self._probe_s = time.monotonic()
        self._cpu_s = time.process_time()
        self._line_timer = QtCore.QTimer(interval=_LINE_MS)
        self._line_timer.timeout.connect(self.write_line)
        self._probe = QtCore.QTimer(interval=_PROBE_MS, timerType=QtCore.Qt.TimerType.PreciseTimer)
        self._probe.timeout.connect(self._note_lag)

    def __enter__(self) -> StatsWriter:
        """Open the file, anew, and begin."""
        self._file = self._path.open("wb", buffering=0)
        self._clock.on_paint = self._note_paint
        self._line_timer.start()
        self._probe_s = time.monotonic()
        self._probe.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left, and end."""
        self._clock.on_paint = None
        self._line_timer.stop()
        self._probe.stop()
        self.write_line()
        self._file.close()

    def reach(self, name: str) -> None:
        """Write a milestone."""
        up_s = round(time.monotonic() - self._begin_s, 4)
        self._write(Milestone(name, _wall_ms(), up_s, round(time.process_time(), 4)))

    def write_line(self) -> None:
        """Write one line about the time since the one before."""
        now_s, cpu_s = time.monotonic(), time.process_time()
        elapsed_s = max(now_s - self._line_s, 1e-6)
        messages, diffs = self._totals[0], self._totals[1]
        feeds = self._count()
        paints, latencies = self._paints_ms, sorted(self._latencies_ms)
        self._write(
            StatsLine(
                wall_ms=_wall_ms(),
                up_s=round(now_s - self._begin_s, 3),
                fps=self._clock.stats().fps,
                paints=len(paints),
                paint_ms=round(statistics.median(paints), 3) if paints else 0.0,
                paint_max_ms=round(max(paints, default=0.0), 3),
                event_to_paint_ms=round(statistics.median(latencies), 3) if latencies else 0.0,
                event_to_paint_p99_ms=round(latencies[int(len(latencies) * 0.99)], 3) if latencies else 0.0,
                event_to_paint_max_ms=round(latencies[-1], 3) if latencies else 0.0,
                loop_lag_ms=round(self._lag_ms, 3),
                messages_per_s=round((self._totals[0] - messages) / elapsed_s, 1),
                diffs_per_s=round((self._totals[1] - diffs) / elapsed_s, 1),
                diffs_applied=self._totals[1],
                gaps=self._totals[2],
                resyncs=self._totals[3],
                malformed=self._totals[4],
                feeds=feeds,
                cpu_percent=round((cpu_s - self._cpu_s) / elapsed_s * 100, 1),
                cpu_s=round(cpu_s, 3),
                rss_mb=round(resident_bytes() / 1e6, 1),
            )
        )
        self._line_s, self._cpu_s = now_s, cpu_s
        self._paints_ms, self._latencies_ms = [], []
        self._lag_ms = 0.0

    def _count(self) -> int:
        # Feeds come and go with their tabs; what a feed that is gone has counted stays counted.
        counted: dict[MeteredFeed, tuple[int, ...]] = {}
        for feed in self._feeds():
            counters = feed.counters
            now = (counters.messages, counters.diffs, counters.gaps, counters.resyncs, counters.malformed)
            before = self._counted.get(feed, (0,) * len(now))
            for index, (value, old) in enumerate(zip(now, before, strict=True)):
                self._totals[index] += max(value - old, 0)
            counted[feed] = now
        self._counted = counted
        return len(counted)

    def _note_paint(self, paint_ms: float, event_to_paint_ms: float | None) -> None:
        self._paints_ms.append(paint_ms)
        if event_to_paint_ms is not None:
            self._latencies_ms.append(event_to_paint_ms)
        for name in [name for name, is_reached in self._milestones.items() if is_reached()]:
            del self._milestones[name]
            self.reach(name)

    def _note_lag(self) -> None:
        now_s = time.monotonic()
        self._lag_ms = max(self._lag_ms, (now_s - self._probe_s) * 1000 - _PROBE_MS)
        self._probe_s = now_s

    def _write(self, line: StatsLine | Milestone) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")


class FirstPaint(QtCore.QObject):
    """Calls back once, when a window has been painted for the first time."""

    def __init__(self, window: QtCore.QObject, call: Callable[[], None]) -> None:
        """Watch `window`."""
        super().__init__(window)
        self._call = call
        window.installEventFilter(self)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Let every event pass."""
        if event.type() is QtCore.QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QtCore.QTimer.singleShot(0, self._call)  # its children are painted with it
        return False


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
