"""Fails a test that leaves running QTimers or open top-level widgets behind, and says where each began.

Only loaded where Qt is installed.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from collections.abc import Iterator

# Qt makes these by itself and keeps them for the next use.
QT_OWN = {
    "QTipLabel",
    "QComboBoxPrivateContainer",
    "QRollEffect",
    "QAlphaWidget",
    "QDesktopWidget",
    "QShapedPixmapWidget",
}


def caller_place() -> str:
    """The nearest caller outside this file, as ``file:line``."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class Began:
    """Remembers where timers were started and widgets shown, while a test runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        for owner, name in ((QTimer, "start"), (QWidget, "show"), (QWidget, "setVisible"), (QDialog, "open")):
            monkeypatch.setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, real: Any) -> Any:
        def call(this: Any, *args: Any) -> Any:
            self.places.setdefault(this, caller_place())
            return real(this, *args)

        return call

    def running_timers(self) -> list[str]:
        """A line for each started QTimer that still runs."""
        return [
            f"QTimer {timer.objectName()!r} every {timer.interval()} ms, started at {place}"
            for timer, place in list(self.places.items())
            if isinstance(timer, QTimer) and isValid(timer) and timer.isActive()
        ]

    def open_widgets(self, before: set[QWidget]) -> list[str]:
        """A line for each top-level widget that wasn't there `before`."""
        return [
            f"{type(widget).__name__} {widget.objectName()!r} {widget.windowTitle()!r}, "
            f"shown at {self.places.get(widget, 'no place: it was never shown')}"
            for widget in QApplication.topLevelWidgets()
            if widget not in before and widget.parent() is None and widget.metaObject().className() not in QT_OWN
        ]


def delete_what_is_due() -> None:
    """Carry out every `deleteLater` that is pending."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(autouse=True)
def no_leaked_widgets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Watch one test; costs nothing where no QApplication is made."""
    began = Began(monkeypatch)
    before = set(QApplication.topLevelWidgets()) if QApplication.instance() else set()
    yield
    if QApplication.instance() is None:
        return
    delete_what_is_due()
    if began.running_timers() or began.open_widgets(before):
        # A widget in a reference cycle is garbage, not a leak, but it takes a collection to see the difference.
        gc.collect()
        delete_what_is_due()
    if leaked := began.running_timers() + began.open_widgets(before):
        pytest.fail("left behind:\n  " + "\n  ".join(leaked), pytrace=False)
