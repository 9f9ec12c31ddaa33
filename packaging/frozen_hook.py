"""Runs in the frozen program before anything else: undoes what the bootloader changed, stands in for what is left out.

The bootloader leads the dynamic loader to the bundle's libraries through a variable that child processes inherit; a
browser opened from the About window would be given our libraries. The loader has read it by now: it can be put back.

pyqtgraph imports two modules of Qt for a way of painting that depthgui doesn't use; they are 10 MB. These stand-ins
have the one class that pyqtgraph derives from at import, and say by name what else is asked for.
"""

import os
import sys
import types
from typing import Any


def restore_library_path() -> None:
    """Give the variables of the dynamic loader the values they had before the bootloader."""
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        original = os.environ.pop(f"{name}_ORIG", None)
        if original is not None:
            os.environ[name] = original
        elif hasattr(sys, "_MEIPASS") and sys._MEIPASS in os.environ.get(name, "").split(os.pathsep):
            del os.environ[name]


class StandIn(types.ModuleType):
    """A module of PySide6 that is not in this build."""

    def __getattr__(self, name: str) -> Any:
        """Make the widget class on demand, so that Qt is not imported before it is wanted; refuse the rest."""
        if name == "QOpenGLWidget":
            from PySide6 import QtWidgets

            made = type(name, (QtWidgets.QWidget,), {"__doc__": "Never shown: this build paints without OpenGL."})
            setattr(self, name, made)
            return made
        raise AttributeError(f"{self.__name__}.{name} is not part of this build of depthgui")


def stand_in_for_opengl() -> None:
    """Put the stand-ins where an import finds them."""
    for name in ("PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets"):
        sys.modules[name] = StandIn(name)


if getattr(sys, "frozen", False):
    restore_library_path()
    stand_in_for_opengl()
