"""A part of a painted view that seldom changes, ready drawn, with what it was drawn for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting


class KeptPicture:
    """`pixmap` shows what `drawn_for` says; whoever wants it for something else draws it anew."""

    __slots__ = ("drawn_for", "pixmap")

    def __init__(self) -> None:
        """Start without a picture."""
        self.drawn_for: object = None
        self.pixmap = QtGui.QPixmap()

    @contextmanager
    def drawing(
        self,
        drawn_for: object,
        size: tuple[int, int],
        ratio: float,
        ground: QtGui.QColor | QtCore.Qt.GlobalColor,
    ) -> Iterator[QtGui.QPainter]:
        """Give a painter of a new picture of `size` in logical pixels, filled with `ground`."""
        width, height = (max(1, math.ceil(length * ratio)) for length in size)
        made = QtGui.QPixmap(width, height)
        made.setDevicePixelRatio(ratio)
        made.fill(ground)
        with painting(made) as painter:
            yield painter
        self.drawn_for, self.pixmap = drawn_for, made
