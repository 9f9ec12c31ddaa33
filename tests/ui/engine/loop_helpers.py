"""What the tests of the event loop share: running it, a clock, a timer of Qt's."""

from __future__ import annotations

import pytest
from PySide6 import QtCore

from depthgui.app.event_loop import EventLoop


def run(loop: EventLoop, within_s: float = 10.0) -> None:
    """Run until something stops the loop."""
    late: list[bool] = []

    def give_up() -> None:
        late.append(True)
        loop.stop()

    timer = loop.call_later(within_s, give_up)
    loop.run_forever()
    timer.cancel()
    assert not late, "the loop was not stopped"


class Hands:
    """A clock that only the test moves."""

    def __init__(self, loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(loop, "time", lambda: self.now_s)


class Ticking:
    """Counts the turns of one of Qt's timers."""

    def __init__(self) -> None:
        self.turns = 0
        self._timer = QtCore.QTimer(interval=0)
        self._timer.timeout.connect(self._count)

    def _count(self) -> None:
        self.turns += 1

    def __enter__(self) -> Ticking:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
