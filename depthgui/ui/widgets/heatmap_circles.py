"""The heatmap's circles: trades by size and side, drawn into its picture."""

from __future__ import annotations

import math

from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.heatmap_history import BUY
from depthgui.ui.viewmodels.heatmap_trades import Bubble

_LARGEST_PX = 8.0  # radius of the largest circles
_SMALLEST_PX = 1.5
_RADII = 12  # different circles that are drawn


class Circles:
    """Ready-drawn circles of one theme. All lengths are device pixels."""

    def __init__(self, theme: Theme) -> None:
        """Prepare the colours."""
        self._theme = theme
        self._ready: dict[tuple[int, int, float], QtGui.QPixmap] = {}

    @staticmethod
    def reach(ratio: float) -> int:
        """How far the largest circle goes beyond its middle."""
        return _reach(_RADII, ratio)

    def paint(self, painter: QtGui.QPainter, x: float, y: float, trade: Bubble, ratio: float) -> None:
        """Draw a trade with its middle at (x, y)."""
        step = max(1, math.ceil(math.sqrt(trade.share) * _RADII))  # the area tells the size
        reach = _reach(step, ratio)
        painter.drawPixmap(round(x - reach), round(y - reach), self._circle(trade.side, step, ratio))

    def _circle(self, side: int, step: int, ratio: float) -> QtGui.QPixmap:
        found = self._ready.get((side, step, ratio))
        return found if found is not None else self._draw(side, step, ratio)

    def _draw(self, side: int, step: int, ratio: float) -> QtGui.QPixmap:
        reach = _reach(step, ratio)
        made = QtGui.QPixmap(2 * reach, 2 * reach)
        made.fill(QtCore.Qt.GlobalColor.transparent)
        with painting(made) as painter:
            painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            painter.setBrush(self._theme.colour("bid" if side == BUY else "ask", 0.85))
            painter.setPen(QtGui.QPen(self._theme.colour("background", 0.75), ratio))
            radius = _radius(step) * ratio
            painter.drawEllipse(QtCore.QPointF(reach, reach), radius, radius)
        self._ready[side, step, ratio] = made
        return made


def _radius(step: int) -> float:
    return _SMALLEST_PX + (_LARGEST_PX - _SMALLEST_PX) * step / _RADII


def _reach(step: int, ratio: float) -> int:
    return math.ceil((_radius(step) + 1) * ratio)
