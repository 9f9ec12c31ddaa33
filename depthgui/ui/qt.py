"""The one place where the Qt binding is chosen; everything that paints takes pyqtgraph's bases from here.

pyqtgraph and qasync pick the binding that was imported first, or the one their variable names. Import this module
before either of them.

pyqtgraph and numpy take as long to import as all of Qt, and only what is painted live needs them: they come with the
first name that is taken from them here.

pyqtgraph copies every name of Qt's modules into mirrors of its own, and PySide makes a class when its name is asked for
first. The mirrors are therefore made here, and fill themselves with what pyqtgraph uses: a tenth of a second and 15 MB
go into the other classes otherwise.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
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
        if "pyqtgraph" not in sys.modules:
            _import_with_mirrors()
        import pyqtgraph

        return getattr(pyqtgraph, name)

    def _import_with_mirrors() -> None:
        originals = (QtCore, QtGui, QtWidgets)
        listers = [vars(original).get("__dir__") for original in originals]
        for original in originals:
            mirror = _Mirror(original)
            sys.modules[mirror.__name__] = mirror
            original.__dir__ = list  # an empty one: nothing to be copied
        try:
            import pyqtgraph  # noqa: F401
        finally:
            for original, lister in zip(originals, listers, strict=True):
                if lister is None:
                    del original.__dir__
                else:
                    original.__dir__ = lister

    class _Mirror(ModuleType):
        """What pyqtgraph knows as one of Qt's modules; what it sets there stays out of Qt's own."""

        def __init__(self, original: ModuleType) -> None:
            super().__init__(f"pyqtgraph.Qt.{original.__name__.rpartition('.')[2]}")
            self.__dict__["_original"] = original

        def __getattr__(self, name: str) -> Any:
            found = self.__dict__[name] = getattr(self.__dict__["_original"], name)
            return found


def polygon(xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> QtGui.QPolygonF:
    """Points from two arrays of equal length, copied in one piece."""
    from pyqtgraph import functions

    return cast("QtGui.QPolygonF", functions.arrayToQPolygonF(xs, ys))
