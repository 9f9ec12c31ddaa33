"""The one place where the Qt binding is chosen; everything that paints takes pyqtgraph's bases from here.

pyqtgraph and qasync pick the binding that was imported first, or the one their variable names. Import this module
before either of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

from PySide6 import QtCore, QtGui, QtWidgets

if TYPE_CHECKING:
    # pyqtgraph ships no types; these are what its classes derive from.
    from PySide6.QtWidgets import QGraphicsObject as GraphicsObject
    from PySide6.QtWidgets import QGraphicsView as GraphicsView
else:
    from pyqtgraph import GraphicsObject, GraphicsView

__all__ = ["GraphicsObject", "GraphicsView", "QtCore", "QtGui", "QtWidgets"]
