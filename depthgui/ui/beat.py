"""A beat: one timer for all who want to be told at each multiple of the same interval of time.

Twenty tabs that record a column at each slot wake the program once for it. The timer stands still while nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6 import QtCore

_LATE_MS = 2  # after the moment itself, so that rounding never brings the timer too early


class Beat(QtCore.QObject):
    """`due` comes just after each multiple of `interval_ms` on the clock `now_s`, which is in seconds.

    Connect with `join`; disconnect with `leave`, or by being deleted. A slot that raises holds up no other.
    """

    due = QtCore.Signal()

    def __init__(self, interval_ms: int, now_s: Callable[[], float], parent: QtCore.QObject | None = None) -> None:
        """Start without listeners."""
        super().__init__(parent)
        self.interval_ms = interval_ms
        self._now_s = now_s
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timer)

    def join(self, slot: Callable[[], None]) -> None:
        """Call a slot, a method of a QObject, at each beat from the next one on."""
        self.due.connect(slot)
        if not self._timer.isActive():
            self._start()

    def leave(self, slot: Callable[[], None]) -> None:
        """No longer call a slot that has joined."""
        self.due.disconnect(slot)

    def stop(self) -> None:
        """Stand still until somebody joins."""
        self._timer.stop()

    def _start(self) -> None:
        self._timer.start(round(self.interval_ms - self._now_s() * 1000 % self.interval_ms) + _LATE_MS)

    def _on_timer(self) -> None:
        if self.isSignalConnected(QtCore.QMetaMethod.fromSignal(self.due)):
            self._start()
            self.due.emit()
