"""Finds out whether the system has the libraries that Qt loads on Linux, before Qt ends the process over one.

The lists are what Qt's libraries and its xcb plug-in name as needed (``readelf -d``, PySide6 6.8 to 6.12) and what the
PySide6 package does not bring along. Loading one costs nothing twice: Qt loads the same ones a moment later.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Library:
    """A system library, and the packages that have it on Debian and Ubuntu, and on Fedora."""

    name: str
    debian: str
    fedora: str


ALWAYS = (
    Library("libGL.so.1", "libgl1", "libglvnd-glx"),
    Library("libEGL.so.1", "libegl1", "libglvnd-egl"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Library("libfreetype.so.6", "libfreetype6", "freetype"),
    Library("libglib-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libgthread-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon"),
    Library("libX11.so.6", "libx11-6", "libX11"),
)
"""What QtGui itself needs, on whatever it shows its windows."""

XCB = (
    Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
    Library("libxcb.so.1", "libxcb1", "libxcb"),
    Library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("libxcb-randr.so.0", "libxcb-randr0", "libxcb"),
    Library("libxcb-render.so.0", "libxcb-render0", "libxcb"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Library("libxcb-shm.so.0", "libxcb-shm0", "libxcb"),
    Library("libxcb-sync.so.1", "libxcb-sync1", "libxcb"),
    Library("libxcb-util.so.1", "libxcb-util1", "xcb-util"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
)
"""What the plug-in for X11 needs besides."""


def needed(environment: Mapping[str, str]) -> tuple[Library, ...]:
    """What Qt is going to load, by the variables that choose where it shows its windows."""
    asked = environment.get("QT_QPA_PLATFORM", "").partition(";")[0].partition(":")[0]
    is_x11 = asked == "xcb" or not (asked or environment.get("WAYLAND_DISPLAY"))
    return ALWAYS + XCB if is_x11 else ALWAYS


def missing(libraries: Iterable[Library], load: Callable[[str], object] = ctypes.CDLL) -> list[Library]:
    """Those that cannot be loaded."""
    found = []
    for library in libraries:
        try:
            load(library.name)
        except OSError:
            found.append(library)
    return found


def advice(libraries: Iterable[Library]) -> str:
    """A sentence that names what is missing and the commands that install it."""
    listed = list(libraries)
    debian = " ".join(dict.fromkeys(library.debian for library in listed))
    fedora = " ".join(dict.fromkeys(library.fedora for library in listed))
    return (
        f"Qt cannot start: {', '.join(library.name for library in listed)} is missing.\n"
        f"Debian, Ubuntu: sudo apt install {debian}\n"
        f"Fedora:         sudo dnf install {fedora}"
    )


def does_qt_load(platform: str, load: Callable[[str], object] = ctypes.CDLL) -> bool:
    """True if Qt's own library, or its plug-in for ``"xcb"``, loads, or lies where it cannot be tried.

    Asked where something is `missing`: Qt looks in more places than this program does, such as a frozen program's own
    folder or that of a distribution's package.
    """
    spec = importlib.util.find_spec("PySide6")
    folders = spec.submodule_search_locations if spec is not None else None
    name = "plugins/platforms/libqxcb.so" if platform == "xcb" else "lib/libQt6Gui.so.6"
    for folder in folders or ():
        path = Path(folder) / "Qt" / name
        if path.is_file():
            try:
                load(str(path))
            except OSError:
                return False
    return True
