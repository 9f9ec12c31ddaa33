"""Unexpected errors, wherever they come up: logged with a traceback, told once in the window; the program goes on.

One may come up inside a paint event, where a new notice would crash Qt, and in any thread. So it is told in the event
loop's next turn. What comes from a panel's own code is shown in the panel's place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from PySide6 import QtCore

from depthgui.ui.panel_guard import handle_unseen, let_go_of, signature_of

_LOG = logging.getLogger("depthgui")
_QT_LOG = logging.getLogger("qt")
_QT_LEVELS = {
    QtCore.QtMsgType.QtDebugMsg: logging.DEBUG,
    QtCore.QtMsgType.QtInfoMsg: logging.INFO,
    QtCore.QtMsgType.QtWarningMsg: logging.WARNING,
    QtCore.QtMsgType.QtCriticalMsg: logging.ERROR,
    QtCore.QtMsgType.QtFatalMsg: logging.CRITICAL,
}
# What Qt's offscreen platform says of windows that it cannot really show.
_NOT_WORTH_TELLING = "This plugin does not support "
_TOLD_AGAIN = frozenset(10**power for power in range(2, 9))
"""At which count an error that comes up again and again gets another line in the log."""

Tell = Callable[[str, str], None]


class ErrorHooks:
    """A context manager that catches what nobody else catches. Set `tell` to a function of (sentence, details)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hooks for this loop and for the process."""
        self._loop = loop
        self._counts: dict[str, int] = {}
        self.tell: Tell | None = None

    def __enter__(self) -> ErrorHooks:
        """Install the hooks."""
        self._loop_handler = self._loop.get_exception_handler()
        self._excepthook = sys.excepthook
        self._unraisablehook = sys.unraisablehook
        self._loop.set_exception_handler(self._on_loop_error)
        sys.excepthook = self._on_exception
        sys.unraisablehook = self._on_unraisable
        self._qt_handler = QtCore.qInstallMessageHandler(self._on_qt_message)
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there before."""
        self._loop.set_exception_handler(self._loop_handler)
        sys.excepthook = self._excepthook
        sys.unraisablehook = self._unraisablehook
        QtCore.qInstallMessageHandler(self._qt_handler)

    def report(self, error: BaseException) -> None:
        """Log an unexpected error and tell it in the window: the first time, not each time that it comes up again."""
        if isinstance(error, KeyboardInterrupt | SystemExit) or handle_unseen(error):
            return
        details = "".join(traceback.format_exception(error))
        let_go_of(error)
        signature = signature_of(error)
        count = self._counts[signature] = self._counts.get(signature, 0) + 1
        if count > 1:
            if count in _TOLD_AGAIN:
                _LOG.error("unexpected error for the %dth time: %s", count, signature)
            return
        _LOG.error("unexpected error\n%s", details)
        kind = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        text = f"Something went wrong that was not foreseen ({kind}). It is in the log; the program goes on."
        with contextlib.suppress(RuntimeError):  # the loop has ended: there is no window either
            self._loop.call_soon_threadsafe(self._tell, text, details)

    def _tell(self, text: str, details: str) -> None:
        if self.tell is not None:
            self.tell(text, details)

    def _on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.report(error)
        else:
            _LOG.error("event loop: %s", context.get("message"))

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._excepthook(kind, error, trace)
            return
        self.report(error)

    def _on_unraisable(self, unraisable: Any) -> None:
        if unraisable.exc_value is not None:
            self.report(unraisable.exc_value)

    def _on_qt_message(self, kind: QtCore.QtMsgType, context: QtCore.QMessageLogContext, message: str | None) -> None:
        if message is not None and message.startswith(_NOT_WORTH_TELLING):
            kind = QtCore.QtMsgType.QtDebugMsg
        where = f" ({context.category})" if context.category and context.category != "default" else ""
        _QT_LOG.log(_QT_LEVELS.get(kind, logging.WARNING), "%s%s", message, where)
