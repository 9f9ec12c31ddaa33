"""A part of a painted view that seldom changes, ready drawn, with what it was drawn for."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6 import QtCore, QtGui


class KeptPicture:
    """Draws a part once and gives it out until something that it depends on changes."""

    __slots__ = ("_drawn_for", "_pixmap")

    def __init__(self) -> None:
        """Start without a picture."""
        self._drawn_for: object = None
        self._pixmap = QtGui.QPixmap()

    def get(
        self,
        drawn_for: object,
        size: tuple[int, int],
        ratio: float,
        ground: QtGui.QColor | QtCore.Qt.GlobalColor,
        draw: Callable[[QtGui.QPainter], None],
    ) -> QtGui.QPixmap:
        """The picture for `drawn_for`, `size` in logical pixels; `draw` draws it on `ground` if it is not at hand."""
        key = (drawn_for, size, ratio)
        if key != self._drawn_for:
            width, height = (max(1, math.ceil(length * ratio)) for length in size)
            made = QtGui.QPixmap(width, height)
            made.setDevicePixelRatio(ratio)
            made.fill(ground)
            painter = QtGui.QPainter(made)
            draw(painter)
            painter.end()
            self._drawn_for, self._pixmap = key, made
        return self._pixmap
