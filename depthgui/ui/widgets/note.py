"""A sentence over the lower edge of a painted view, about what is drawn above it."""

from __future__ import annotations

from PySide6 import QtCore, QtGui

from depthgui.ui.theme import Theme

_PAD = 8
_FLAGS = int(QtCore.Qt.AlignmentFlag.AlignCenter.value | QtCore.Qt.TextFlag.TextWordWrap.value)


def paint_note(painter: QtGui.QPainter, theme: Theme, text: str, area: QtCore.QRect) -> None:
    """Draw `text` on a ground of its own at the bottom of `area`, in as many lines as it takes."""
    font = theme.typeface.font(12)
    widest = area.width() - 4 * _PAD
    if widest < 40 or area.height() < 40:
        return
    room = QtCore.QRect(0, 0, widest, area.height())
    bounds = QtGui.QFontMetrics(font).boundingRect(room, _FLAGS, text)
    width, height = min(widest, bounds.width()) + 2 * _PAD, bounds.height() + _PAD
    ground = QtCore.QRect(area.center().x() - width // 2, area.bottom() - height - _PAD, width, height)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.pen("amber", 0.6))
    painter.setBrush(theme.colour("raised"))
    painter.drawRoundedRect(QtCore.QRectF(ground).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, on=False)
    painter.setFont(font)
    painter.setPen(theme.colour("amber"))
    painter.drawText(ground.adjusted(_PAD, 0, -_PAD, 0), _FLAGS, text)
