"""Says in words that a display or a system library is missing, before Qt ends the process with a word of a plug-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from depthgui.app import system_libraries
from depthgui.cli import Arguments

NO_DISPLAY = (
    "there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set.\n"
    "Start it from a desktop, or set QT_QPA_PLATFORM=offscreen to run without one;\n"
    "--screenshot FILE --exit-after SECONDS and --self-test need no display."
)


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """True where Qt has something to show windows on, or was told not to need it."""
    if not platform.startswith(("linux", "freebsd")):
        return True
    return any(environment.get(name) for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"))


def choose_platform(arguments: Arguments) -> str:
    """Choose Qt's offscreen platform where nobody is to watch; returns a sentence if the window cannot be shown."""
    if not has_display(os.environ, sys.platform):
        if not arguments.needs_no_screen:
            return NO_DISPLAY
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if not sys.platform.startswith("linux"):
        return ""
    needed = system_libraries.needed(os.environ)
    missing = system_libraries.missing(needed)
    if not missing or system_libraries.does_qt_load("xcb" if len(needed) > len(system_libraries.ALWAYS) else ""):
        return ""
    return system_libraries.advice(missing)
