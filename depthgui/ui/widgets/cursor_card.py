"""The cross at the pointer of a plot and the card beside it: a first line, and what belongs to it in fainter ones."""

from __future__ import annotations

from PySide6 import QtCore, QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.widgets.text_cache import TextCache

_MUTED, _TEXT = range(2)
_GAP = 10  # from the cross to the card
_MARGIN = 6  # from the plot's top and bottom to the card


class CursorCard:
    """Draws cross and card with one theme."""

    def __init__(self, theme: Theme, ratio: float = 1.0) -> None:
        """Prepare colours and the font."""
        roles = {_MUTED: theme.colour("muted"), _TEXT: theme.colour("text")}
        self._texts = TextCache(theme.typeface.figures(12.5), roles, ratio)
        self._cross = theme.pen("text", 0.7, 1, (1, 2))
        self._edge, self._ground = theme.pen("line"), theme.colour("raised", 0.97)

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._texts.set_ratio(ratio)

    def paint(self, painter: QtGui.QPainter, at: QtCore.QPointF, plot: QtCore.QRectF, lines: tuple[str, ...]) -> None:
        """Draw the cross through `at`, and the card if there are lines to put on it."""
        x, y = round(at.x()) + 0.5, round(at.y()) + 0.5
        painter.setPen(self._cross)
        painter.drawLine(QtCore.QPointF(x, plot.top()), QtCore.QPointF(x, plot.bottom()))
        painter.drawLine(QtCore.QPointF(plot.left(), y), QtCore.QPointF(plot.right(), y))
        if lines:
            self._paint_card(painter, x, y, plot, lines)

    def _paint_card(
        self, painter: QtGui.QPainter, x: float, y: float, plot: QtCore.QRectF, lines: tuple[str, ...]
    ) -> None:
        texts = self._texts
        line_px = texts.height + 3
        width = round(max(texts.width(line) for line in lines)) + 22
        height = line_px * len(lines) + 13
        left = x - width - _GAP if x - width - _GAP >= plot.left() + 2 else x + _GAP
        top = min(max(y - height - _GAP, plot.top() + _MARGIN), plot.bottom() - height - _MARGIN)
        card = QtCore.QRectF(round(left) + 0.5, round(max(top, plot.top())) + 0.5, width, height)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(self._edge)
        painter.setBrush(self._ground)
        painter.drawRoundedRect(card, 6, 6)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, on=False)
        for number, line in enumerate(lines):
            role = _TEXT if number == 0 else _MUTED
            texts.draw(painter, round(card.left()) + 11, round(card.top()) + 7 + number * line_px, line, role)
