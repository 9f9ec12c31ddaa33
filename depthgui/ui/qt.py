"""The one place where the Qt binding is chosen; everything that paints takes pyqtgraph's bases from here.

pyqtgraph and qasync pick the binding that was imported first, or the one their variable names. Import this module
before either of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

from PySide6 import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    # pyqtgraph ships no types; these are what its classes derive from.
    from PySide6.QtWidgets import QGraphicsObject as GraphicsObject
    from PySide6.QtWidgets import QGraphicsView as GraphicsView
else:
    from pyqtgraph import GraphicsObject, GraphicsView

__all__ = ["GraphicsObject", "GraphicsView", "QtCore", "QtGui", "QtWidgets", "polygon"]


def polygon(xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> QtGui.QPolygonF:
    """Points from two arrays of equal length, copied in one piece."""
    from pyqtgraph import functions

    return cast("QtGui.QPolygonF", functions.arrayToQPolygonF(xs, ys))
