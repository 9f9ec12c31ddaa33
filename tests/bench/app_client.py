"""The measured program of the application's rows: `python -m bench.app_client`, orders as JSON on standard input.

It is the application itself, opened as its command line opens it, on Qt's offscreen platform; paints are timed through
the frame clock's own hook. It prints as JSON what the time between two marks cost, and every book's digest.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import msgspec
from PySide6 import QtCore, QtWidgets

from bench.scripts import digest
from bench.timing import median, percentile
from depthgui.app.event_loop import EventLoop
from depthgui.app.root import Application, open_application
from depthgui.cli import parse
from depthgui.ui.process_memory import resident_bytes

_PROBE_MS = 20


class AppOrder(msgspec.Struct, kw_only=True):
    """Open these symbols, wait until all are live and for `warm_s` more, then measure for `seconds`."""

    base: str
    profile: str
    symbols: list[str]
    warm_s: float = 3.0
    seconds: float = 15.0
    width: int = 1440
    height: int = 900


class _Watch:
    """Paints, lateness of events, and lateness of the loop while `is_on`."""

    def __init__(self, application: Application) -> None:
        self.is_on = False
        self.paints_ms: list[float] = []
        self.latencies_ms: list[float] = []
        self.lags_ms: list[float] = []
        application._clock.listen(self._note_paint)
        self._at_s = time.monotonic()
        self._probe = QtCore.QTimer(interval=_PROBE_MS, timerType=QtCore.Qt.TimerType.PreciseTimer)
        self._probe.timeout.connect(self._note_lag)
        self._probe.start()

    def _note_paint(self, paint_ms: float, latency_ms: float | None) -> None:
        if self.is_on:
            self.paints_ms.append(paint_ms)
            if latency_ms is not None:
                self.latencies_ms.append(latency_ms)

    def _note_lag(self) -> None:
        now_s = time.monotonic()
        if self.is_on:
            self.lags_ms.append((now_s - self._at_s) * 1000 - _PROBE_MS)
        self._at_s = now_s

    def stop(self) -> None:
        self.is_on = False
        self._probe.stop()


def _totals(feeds: list[Any]) -> dict[str, int]:
    names = ("messages", "diffs", "gaps", "resyncs", "malformed")
    return {name: sum(getattr(feed.counters, name) for feed in feeds) for name in names}


async def measure(order: AppOrder) -> dict[str, Any]:
    """Run the application as ordered."""
    arguments = parse(["--endpoint", order.base, "--profile", order.profile, *order.symbols])
    async with open_application(arguments) as application:
        window = application.window
        window.resize(order.width, order.height)
        watch = _Watch(application)
        pages = window.pages
        while sum(page.state == "live" for page in pages.all()) < len(order.symbols):
            await asyncio.sleep(0.05)
        feeds = [page.feed for page in pages.all() if page.feed is not None]
        await asyncio.sleep(order.warm_s)
        before, cpu_s, wall_s = _totals(feeds), time.process_time(), time.monotonic()
        watch.is_on = True
        await asyncio.sleep(order.seconds)
        watch.stop()
        cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
        after = _totals(feeds)
        current = pages.current()
        shown = None if current is None or current.feed is None else current.feed.book
        return {
            "cpu_percent": cpu_s / wall_s * 100,
            "messages_per_s": (after["messages"] - before["messages"]) / wall_s,
            "diffs_per_s": (after["diffs"] - before["diffs"]) / wall_s,
            "gaps": after["gaps"] - before["gaps"],
            "resyncs": after["resyncs"] - before["resyncs"],
            "malformed": after["malformed"] - before["malformed"],
            "fps": len(watch.latencies_ms) / wall_s,
            "paint_ms": median(watch.paints_ms),
            "paint_max_ms": max(watch.paints_ms, default=0.0),
            "event_to_paint_ms": median(watch.latencies_ms),
            "event_to_paint_p99_ms": percentile(watch.latencies_ms, 0.99),
            "event_to_paint_max_ms": max(watch.latencies_ms, default=0.0),
            "loop_lag_max_ms": max(watch.lags_ms, default=0.0),
            "rss_mb": resident_bytes() / 1e6,
            "shown_levels": 0 if shown is None else len(shown.bids) + len(shown.asks),
            "books": {
                feed.symbol: [feed.book.last_update_id, digest(feed.book.bids.levels(), feed.book.asks.levels())]
                for feed in feeds
                if feed.book is not None
            },
        }


def main() -> int:
    """Measure, and print the figures as JSON."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=AppOrder)
    app = QtWidgets.QApplication(sys.argv[:1])
    with asyncio.Runner(loop_factory=lambda: EventLoop(app)) as runner:
        print(json.dumps(runner.run(measure(order))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
