"""An event loop whose clock jumps to the next timer as soon as nothing else is to be done: hours pass in no time.

Nothing in a test on this loop may wait for the outside world: a loop without a timer and with nothing ready stands for
a test that would hang, and ends with `NothingWillHappenError` at once.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

START_S = 1000.0
# Time that one turn of the loop takes: without any, a wait of a billionth of a second would never end.
_TURN_S = 1e-6


class NothingWillHappenError(RuntimeError):
    """Every task waits, and no timer is set."""


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Instead of waiting for `timeout` seconds, lets them have passed."""

    advance: Callable[[float], None]

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise NothingWillHappenError("every task waits, and no timer is set")
        self.advance(max(timeout, 0.0) + _TURN_S)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop of which `time()` begins at 1000 s and goes by timers."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        self._now_s = START_S
        selector.advance = self._advance
        super().__init__(selector)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._now_s

    def hang(self, seconds: float) -> None:
        """Let time pass as if the program had been busy: no callback runs meanwhile."""
        self._now_s += seconds

    def pending_timers(self) -> list[str]:
        """A line for each timer that is still set."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        return [repr(timer) for timer in scheduled if not timer.cancelled()]

    def _advance(self, seconds: float) -> None:
        self._now_s += seconds
