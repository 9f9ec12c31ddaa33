"""A top-level window whose single-key commands (Space, + and -) don't take keys from the control that has the focus."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

_PRESSING = frozenset({QtCore.Qt.Key.Key_Space, QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter})


class KeyWindow(QtWidgets.QMainWindow):
    """Space presses the focused button; elsewhere it is the window's own command."""

    def event(self, event: QtCore.QEvent) -> bool:
        """Keep a key from being taken as a shortcut while a button has the focus."""
        if isinstance(event, QtGui.QKeyEvent) and event.type() is QtCore.QEvent.Type.ShortcutOverride:
            is_button = isinstance(QtWidgets.QApplication.focusWidget(), QtWidgets.QAbstractButton)
            if is_button and event.key() in _PRESSING:
                event.accept()
                return True
        return super().event(event)


def centre_on(dialog: QtWidgets.QWidget, window: QtWidgets.QWidget) -> None:
    """Put a dialog in the middle of its window, before it is shown."""
    area = window.frameGeometry()
    size = dialog.size().expandedTo(dialog.minimumSizeHint())
    dialog.move(area.center() - QtCore.QPoint(size.width() // 2, size.height() // 2))
