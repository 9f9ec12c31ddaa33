"""The one place where the Qt binding is chosen; everything that paints takes pyqtgraph's bases from here.

pyqtgraph and qasync pick the binding that was imported first, or the one their variable names. Import this module
before either of them.

pyqtgraph and numpy take as long to import as all of Qt, and only what is painted live needs them: they come with the
first name that is taken from them here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

from PySide6 import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    # pyqtgraph ships no types; these are what its classes derive from.
    from PySide6.QtWidgets import QGraphicsObject as GraphicsObject
    from PySide6.QtWidgets import QGraphicsView as GraphicsView

__all__ = ["GraphicsObject", "GraphicsView", "QtCore", "QtGui", "QtWidgets", "polygon"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """One of pyqtgraph's bases."""
        if name not in {"GraphicsObject", "GraphicsView"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import pyqtgraph

        return getattr(pyqtgraph, name)


def polygon(xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> QtGui.QPolygonF:
    """Points from two arrays of equal length, copied in one piece."""
    from pyqtgraph import functions

    return cast("QtGui.QPolygonF", functions.arrayToQPolygonF(xs, ys))
