"""The paint meter: what the running application costs, and how late it is; for the status bar and for `--stats`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.process_memory import resident_bytes
from depthgui.ui.viewmodels.feed_view import CountersView


class MeteredFeed(Protocol):
    """What the meter needs of a feed."""

    @property
    def counters(self) -> CountersView:
        """What it has counted since it was made."""


class MeterFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds in `_ms`; megabytes of 10**6 bytes; `diffs_applied`, `gaps` ... count from the meter's start.

    `paint_ms` is the median of single widgets' paints, `event_to_paint_ms` from the first change that a frame shows to
    the end of its first paint, `loop_lag_ms` how late the event loop was at worst, `cpu_percent` of one core.
    """

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


class PaintMeter:
    """Listens to a frame clock until it is closed."""

    def __init__(
        self,
        clock: FrameClock,
        feeds: Callable[[], Iterable[MeteredFeed]],
        now_s: Callable[[], float] = time.monotonic,
        process_s: Callable[[], float] = time.process_time,
    ) -> None:
        """Begin. `now_s` is a monotonic clock, `process_s` counts the seconds of CPU that this process has used."""
        self._clock = clock
        self._feeds = feeds
        self._now_s = now_s
        self._process_s = process_s
        self._counted: dict[MeteredFeed, tuple[int, ...]] = {}
        self._totals = [0, 0, 0, 0, 0]
        self._paints_ms: list[float] = []
        self._latencies_ms: list[float] = []
        self._read_s, self._cpu_s = now_s(), process_s()
        self.close = clock.listen(self._note_paint)

    @property
    def age_s(self) -> float:
        """Seconds since the last reading."""
        return self._now_s() - self._read_s

    def read(self, loop_lag_ms: float) -> MeterFigures:
        """The figures of the time since the last reading. `loop_lag_ms` is its reader's to measure."""
        now_s, cpu_s = self._now_s(), self._process_s()
        elapsed_s = max(now_s - self._read_s, 1e-6)
        messages, diffs = self._totals[0], self._totals[1]
        feeds = self._count()
        paints, latencies = self._paints_ms, sorted(self._latencies_ms)
        figures = MeterFigures(
            fps=self._clock.stats().fps,
            paints=len(paints),
            paint_ms=round(statistics.median(paints), 3) if paints else 0.0,
            paint_max_ms=round(max(paints, default=0.0), 3),
            event_to_paint_ms=round(statistics.median(latencies), 3) if latencies else 0.0,
            event_to_paint_p99_ms=round(latencies[int(len(latencies) * 0.99)], 3) if latencies else 0.0,
            event_to_paint_max_ms=round(latencies[-1], 3) if latencies else 0.0,
            loop_lag_ms=round(loop_lag_ms, 3),
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
        self._read_s, self._cpu_s = now_s, cpu_s
        self._paints_ms, self._latencies_ms = [], []
        return figures

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
