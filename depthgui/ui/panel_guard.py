"""A panel that fails, fails alone: what its code raises is shown in its place, with a Retry; everything else goes on.

An exception may come up inside a paint event, where nothing may be shown, laid out or painted: that crashes Qt. So
`PanelGuard.take` only remembers it, and the log and the cover over the panel follow in the event loop's next turn.
"""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.panel_cover import PanelCover

_log = logging.getLogger(__name__)

_Class = TypeVar("_Class", bound=type)

# Qt's virtual methods that panels override, and what Qt is answered where one raises.
_ANSWERS: dict[str, Callable[[], object]] = {
    **dict.fromkeys(
        (
            "paintEvent", "resizeEvent", "showEvent", "hideEvent", "changeEvent", "mouseMoveEvent", "mousePressEvent",
            "mouseReleaseEvent", "mouseDoubleClickEvent", "wheelEvent", "keyPressEvent", "keyReleaseEvent",
            "enterEvent", "leaveEvent", "focusInEvent", "focusOutEvent", "contextMenuEvent", "paint",
        ),
        lambda: None,
    ),
    "data": lambda: None,
    "event": lambda: False,
    "viewportEvent": lambda: False,
    "eventFilter": lambda: False,
    "sizeHint": QtCore.QSize,
    "minimumSizeHint": QtCore.QSize,
}  # fmt: skip
# While a panel has failed these are left out; the others keep its geometry and visibility right.
_LEFT_OUT = frozenset({name for name in _ANSWERS if name.startswith(("mouse", "wheel", "key", "paint", "context"))})


class PanelGuard(QtCore.QObject):
    """Stands between one panel's code and the rest of the window. A panel has it as its attribute `panel_guard`."""

    changed = QtCore.Signal(bool)  # True: the panel has failed and is covered; False: it is tried again

    def __init__(self, panel: QtWidgets.QWidget, title: str, again: Callable[[], None]) -> None:
        """Guard `panel`, which people know as `title` ("price ladder"); `again` makes it work anew, for Retry."""
        super().__init__(panel)
        self._panel = panel
        self._title = title
        self._again = again
        self._error: Exception | None = None
        self._details = ""
        self._logged: set[str] = set()
        self._cover: PanelCover | None = None
        self._timer: QtCore.QTimer | None = None

    @property
    def title(self) -> str:
        """What people call the panel."""
        return self._title

    @property
    def error(self) -> Exception | None:
        """What the panel raised; None while it works."""
        return self._error

    @property
    def has_failed(self) -> bool:
        """True from the first exception until `retry`."""
        return self._error is not None

    @property
    def cover(self) -> PanelCover | None:
        """What is shown in the panel's place while it has failed."""
        return self._cover

    def take(self, error: Exception) -> bool:
        """Stop the panel because of an exception; False if it was stopped before. May be called inside a paint."""
        details = "".join(traceback.format_exception(error))
        let_go_of(error)
        if self._error is not None:
            return False
        self._error, self._details = error, details
        if self._timer is None:
            self._timer = QtCore.QTimer(self, singleShot=True, interval=0)
            self._timer.timeout.connect(self._show)
        self._timer.start()
        return True

    def run(self, call: Callable[..., object], *arguments: object, **named: object) -> None:
        """Call a method of the panel; what it raises stops the panel, not the caller."""
        try:
            call(*arguments, **named)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other panels go on
            self.take(error)

    def retry(self) -> None:
        """Let the panel work again; with a cause that has not gone it fails again. Does nothing while it works."""
        if self._error is None:
            return
        self._error = None
        if self._timer is not None:
            self._timer.stop()
        if self._cover is not None:
            self._cover.hide()
        self.changed.emit(False)
        self.run(self._again)

    def _show(self) -> None:
        error = self._error
        if error is None:
            return
        signature = signature_of(error)
        if signature in self._logged:
            _log.info("the %s fails again: %s", self._title, signature)
        else:
            self._logged.add(signature)
            _log.error("the %s has failed; the rest of the window goes on\n%s", self._title, self._details)
        if self._cover is None:
            self._cover = PanelCover(self._panel, self._title)
            self._cover.retry_wanted.connect(self.retry)
        self._cover.tell(error, self._details)
        self.changed.emit(True)


def signature_of(error: BaseException) -> str:
    """The kind of an exception and the place where it was raised: the same for the same fault."""
    place = traceback.extract_tb(error.__traceback__)
    kind = type(error).__name__
    return f"{kind} {place[-1].filename}:{place[-1].lineno}" if place else f"{kind}: {error}"


def let_go_of(error: BaseException) -> None:
    """End the painters that the frames of an exception began, and forget what else the frames hold.

    A painter that outlives its paint event takes the process with it. One that was handed in is its giver's.
    """
    given: set[int] = set()
    trace = error.__traceback__
    while trace is not None:
        code, names = trace.tb_frame.f_code, dict(trace.tb_frame.f_locals)
        for name, value in names.items():
            if isinstance(value, QtGui.QPainter):
                if name in code.co_varnames[: code.co_argcount]:
                    given.add(id(value))
                elif id(value) not in given and value.isActive():
                    value.end()
        trace = trace.tb_next
    traceback.clear_frames(error.__traceback__)


def guard_of(error: BaseException) -> PanelGuard | None:
    """The guard of the innermost panel whose code an exception went through, None where there was none."""
    found: PanelGuard | None = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_argcount:
            owner = trace.tb_frame.f_locals.get(code.co_varnames[0])
            guard = _guard_in(owner)
            found = guard if guard is not None else found
        trace = trace.tb_next
    return found


def _guard_in(owner: object) -> PanelGuard | None:
    if not isinstance(owner, QtCore.QObject):
        return None
    guard = getattr(owner, "panel_guard", None)
    return guard if isinstance(guard, PanelGuard) else None


def guarded(panel_class: _Class) -> _Class:
    """Class decorator: what the event handlers of this very class raise goes to the instance's `panel_guard`."""
    for name, answer in _ANSWERS.items():
        method = vars(panel_class).get(name)
        if method is not None and not hasattr(method, "method"):
            setattr(panel_class, name, _guarded_handler(method, name, answer))
    return panel_class


def _guarded_handler(method: Callable[..., Any], name: str, answer: Callable[[], object]) -> Callable[..., Any]:
    is_left_out = name in _LEFT_OUT

    @functools.wraps(method)
    def handler(self: Any, *arguments: Any) -> Any:
        if is_left_out and self.panel_guard.has_failed:
            return answer()
        try:
            return handler.method(self, *arguments)  # type: ignore[attr-defined]
        except Exception as error:
            guard = getattr(self, "panel_guard", None)
            if guard is None:  # raised while the panel is being made: that is its maker's to hear
                raise
            guard.take(error)
            return answer()

    handler.method = method  # type: ignore[attr-defined]  # Qt remembers the handler; this one may be replaced
    return handler


def handle_unseen(error: BaseException) -> bool:
    """Give an exception that nobody caught to the panel that it came from; False where it came from none."""
    guard = guard_of(error)
    if guard is None or not isinstance(error, Exception):
        return False
    guard.take(error)
    return True
