"""Pictures of the window: what it shows, with the open dialogs laid over it where they stand."""

from __future__ import annotations

from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.painting import painting
from depthgui.ui.theme import Theme

_TITLE_PX = 30


def grab_window(window: QtWidgets.QWidget, theme: Theme) -> QtGui.QPixmap:
    """Grab `window` and draw its visible dialogs over it.

    A platform without a window manager draws no frames: the dialogs get a title bar of the theme's.
    """
    picture = window.grab()
    with painting(picture) as painter:
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        for dialog in _visible_dialogs(window):
            _draw_dialog(painter, dialog, window, theme)
    return picture


def _visible_dialogs(window: QtWidgets.QWidget) -> list[QtWidgets.QDialog]:
    return [dialog for dialog in window.findChildren(QtWidgets.QDialog) if dialog.isVisible()]


def _draw_dialog(painter: QtGui.QPainter, dialog: QtWidgets.QDialog, window: QtWidgets.QWidget, theme: Theme) -> None:
    content = dialog.grab()
    size = QtCore.QSizeF(content.deviceIndependentSize())
    corner = QtCore.QPointF(dialog.mapToGlobal(QtCore.QPoint(0, 0)) - window.mapToGlobal(QtCore.QPoint(0, 0)))
    corner.setX(max(8.0, min(corner.x(), window.width() - size.width() - 8)))
    corner.setY(max(_TITLE_PX + 8.0, min(corner.y(), window.height() - size.height() - 8)))
    frame = QtCore.QRectF(corner.x(), corner.y() - _TITLE_PX, size.width(), size.height() + _TITLE_PX)
    path = QtGui.QPainterPath()
    path.addRoundedRect(frame, 9, 9)
    for spread in range(10, 0, -2):
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(QtGui.QColor(0, 0, 0, 16))
        painter.drawRoundedRect(frame.adjusted(-spread, -spread + 3, spread, spread + 3), 9 + spread, 9 + spread)
    painter.save()
    painter.setClipPath(path)
    painter.fillRect(frame, theme.colour("background"))
    painter.drawPixmap(corner, content)
    painter.setPen(theme.colour("text"))
    painter.setFont(theme.typeface.font(12))
    title = QtCore.QRectF(frame.left() + 14, frame.top(), frame.width() - 28, _TITLE_PX)
    painter.drawText(title, int(QtCore.Qt.AlignmentFlag.AlignVCenter), dialog.windowTitle())
    painter.restore()
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    painter.setPen(theme.pen("line"))
    painter.drawRoundedRect(frame, 9, 9)


def save_picture(picture: QtGui.QPixmap, path: Path) -> None:
    """Write a picture; the ending chooses the format. Raises OSError where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(path)):
        raise OSError(f"could not write a picture to {path}; the ending must be .png, .jpg or another image format")
