"""Where the main window stands: remembered, and put back so that it can always be seen and reached."""

from __future__ import annotations

import os

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.settings.state import WindowPlace

_DEFAULT = QtCore.QSize(1440, 900)
_REACHABLE_PX = 80


def place_of(window: QtWidgets.QWidget) -> WindowPlace:
    """What `restore_place` takes. A maximised window remembers what it goes back to."""
    rect = window.normalGeometry() if window.isMaximized() or window.isFullScreen() else window.geometry()
    return WindowPlace(
        x=rect.x(), y=rect.y(), width=rect.width(), height=rect.height(), is_maximized=window.isMaximized()
    )


def restore_place(window: QtWidgets.QWidget, place: WindowPlace) -> None:
    """Put a window where it was; onto a screen that is there, and no larger than that screen."""
    wanted = QtCore.QRect(place.x, place.y, place.width, place.height)
    is_known = place.width > 0 and place.height > 0
    size = wanted.size() if is_known else _DEFAULT
    screen = _screen_of(wanted) if is_known else None
    # The screen of the offscreen platform is made up; pictures may be larger than it.
    if QtGui.QGuiApplication.platformName() != "offscreen":
        size = size.boundedTo((screen or QtGui.QGuiApplication.primaryScreen()).availableSize())
    window.resize(size)
    if screen is not None:
        window.move(wanted.topLeft())
    if place.is_maximized:
        window.setWindowState(QtCore.Qt.WindowState.WindowMaximized)


def bring_to_front(window: QtWidgets.QWidget, activation: str = "") -> None:
    """Show a window above the others, as far as the desktop lets a program do that; else its task bar entry asks.

    `activation` is the token with which a Wayland desktop allows it.
    """
    if activation:
        os.environ["XDG_ACTIVATION_TOKEN"] = activation  # Qt takes it from there, and away
    window.setWindowState(window.windowState() & ~QtCore.Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    QtWidgets.QApplication.alert(window)


def _screen_of(rect: QtCore.QRect) -> QtGui.QScreen | None:
    """The screen on which enough of the window's top edge lies to be taken hold of; None if there is none."""
    top = QtCore.QRect(rect.left(), rect.top(), rect.width(), _REACHABLE_PX)
    for screen in QtGui.QGuiApplication.screens():
        common = screen.availableGeometry().intersected(top)
        if common.width() >= _REACHABLE_PX and common.height() >= _REACHABLE_PX // 2:
            return screen
    return None
