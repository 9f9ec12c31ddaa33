"""A painter that ends with its block, also when the block raises.

A QPainter that is still active when its device goes away, or when Qt ends a paint event, takes the process with it; and
a traceback keeps the painters of its frames alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6 import QtGui


@contextmanager
def painting(device: QtGui.QPaintDevice) -> Iterator[QtGui.QPainter]:
    """Give a painter on `device` and end it after the block, whatever happens in it."""
    painter = QtGui.QPainter(device)
    try:
        yield painter
    finally:
        painter.end()
