"""Says in words that there is no display, before Qt ends the process with a message about a plug-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

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
    if has_display(os.environ, sys.platform):
        return ""
    if arguments.needs_no_screen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return ""
    return NO_DISPLAY
