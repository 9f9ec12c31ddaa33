"""The hatching of what is not proven, drawn as a tile so that its lines are as far apart on every screen."""

from __future__ import annotations

from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting

_TILE_PX = 6
_TILES = 40  # side by side in one picture: the fewer copies a line of pixels takes, the quicker it is filled


def hatch_brush(colour: QtGui.QColor, ratio: float) -> QtGui.QBrush:
    """A brush of thin diagonal lines for a device pixel ratio."""
    side = max(4, round(_TILE_PX * ratio))
    tile = QtGui.QPixmap(side * _TILES, side)
    tile.fill(QtCore.Qt.GlobalColor.transparent)
    with painting(tile) as painter:
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtGui.QPen(colour, max(1.0, ratio * 0.8)))
        # One more at each end: the corners of the neighbouring tiles' lines reach into these.
        for number in range(-1, _TILES + 1):
            painter.drawLine(QtCore.QPointF(number * side, side), QtCore.QPointF((number + 1) * side, 0))
    tile.setDevicePixelRatio(side / _TILE_PX)
    return QtGui.QBrush(tile)
