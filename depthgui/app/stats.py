"""The paint meter's file: once a second one JSON line with what the running application costs and how late it is.

Every figure is of the time since the line before, so that a claim about speed can be checked on any build. Lines with
a `milestone` mark when something was first on screen. Times of day are Unix milliseconds, to be compared with when the
process was started. `MeterFigures` says what the figures are; the loop's lag is by a timer of 50 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType

import msgspec
from PySide6 import QtCore

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.paint_meter import MeteredFeed, PaintMeter

_LINE_MS = 1000
_PROBE_MS = 50


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
        self._lag_ms = 0.0
        self._begin_s = self._probe_s = time.monotonic()
        self._line_timer = QtCore.QTimer(interval=_LINE_MS)
        self._line_timer.timeout.connect(self.write_line)
        self._probe = QtCore.QTimer(interval=_PROBE_MS, timerType=QtCore.Qt.TimerType.PreciseTimer)
        self._probe.timeout.connect(self._note_lag)

    def __enter__(self) -> StatsWriter:
        """Open the file, anew, and begin."""
        self._file = self._path.open("wb", buffering=0)
        self._meter = PaintMeter(self._clock, self._feeds)
        self._unlisten = self._clock.listen(self._note_paint)
        self._line_timer.start()
        self._probe_s = time.monotonic()
        self._probe.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left, and end."""
        self._unlisten()
        self._meter.close()
        self._line_timer.stop()
        self._probe.stop()
        self.write_line()
        self._file.close()

    def reach(self, name: str) -> None:
        """Write a milestone."""
        up_s = round(time.monotonic() - self._begin_s, 4)
        milestone = Milestone(name, _wall_ms(), up_s, round(time.process_time(), 4))
        self._file.write(msgspec.json.encode(milestone) + b"\n")

    def write_line(self) -> None:
        """Write one line: when, and the meter's figures of the time since the line before."""
        figures = msgspec.structs.asdict(self._meter.read(self._lag_ms))
        up_s = round(time.monotonic() - self._begin_s, 3)
        self._file.write(msgspec.json.encode({"wall_ms": _wall_ms(), "up_s": up_s, **figures}) + b"\n")
        self._lag_ms = 0.0

    def _note_paint(self, _paint_ms: float, _event_to_paint_ms: float | None) -> None:
        for name in [name for name, is_reached in self._milestones.items() if is_reached()]:
            del self._milestones[name]
            self.reach(name)

    def _note_lag(self) -> None:
        now_s = time.monotonic()
        self._lag_ms = max(self._lag_ms, (now_s - self._probe_s) * 1000 - _PROBE_MS)
        self._probe_s = now_s


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
