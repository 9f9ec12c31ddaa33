"""What goes into a frozen build and what stays out: Python modules, Qt plug-ins, shared libraries, on each system.

`depthgui.spec` asks here; nothing here needs PyInstaller, so that the rules are tested on any machine.
"""

from __future__ import annotations

import re
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
NAME = "depthgui"
TITLE = "DepthGUI"
IDENTIFIER = "org.depthgui.depthgui"
SUMMARY = "Live Binance order books"


class System(Enum):
    """The three systems there are builds for; the values are those of `sys.platform`."""

    LINUX = "linux"
    MACOS = "darwin"
    WINDOWS = "win32"


def version() -> str:
    """The version, from the one place that has it. Raises ValueError if it is not there."""
    text = (ROOT / "depthgui" / "_version.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise ValueError('depthgui/_version.py has no line __version__ = "..."')
    return found[1]


# Code that PyInstaller would run at each start, before ours: for worker processes that depthgui doesn't have, and for
# Qt installations that can't be moved, which PySide6's wheels can. Without it --version, --help and the embedded
# exchange start without Qt.
UNWANTED_HOOKS = frozenset({"pyi_rth_multiprocessing", "pyi_rth_pyqtgraph_multiprocess", "pyi_rth_pyside6"})

# Qt's modules that depthgui, qasync and pyqtgraph use. QtOpenGL has a stand-in, see frozen_hook.py.
QT_MODULES = frozenset({"QtCore", "QtGui", "QtWidgets", "QtSvg"})

# Modules that something imports in passing, for things that depthgui doesn't do. readline is under the GPL.
EXCLUDED_MODULES = [
    "IPython", "PIL", "OpenGL", "colorcet", "cupy", "h5py", "jupyter_rfb", "matplotlib", "numba", "scipy",
    "_distutils_hack", "distutils", "ensurepip", "idlelib", "lib2to3", "pip", "pkg_resources", "setuptools", "venv",
    "curses", "dbm", "doctest", "pdb", "readline", "sqlite3", "test", "tkinter", "turtle", "unittest",
    "numpy.distutils", "numpy.f2py", "numpy.fft", "numpy.random", "numpy.testing",
    "pyqtgraph.canvas", "pyqtgraph.console", "pyqtgraph.dockarea", "pyqtgraph.examples", "pyqtgraph.flowchart",
    "pyqtgraph.jupyter", "pyqtgraph.opengl",
]  # fmt: skip


def excluded_modules(installed_qt: list[str]) -> list[str]:
    """All that stays out; `installed_qt` are the names of the modules inside PySide6 ("QtQml", ...)."""
    return [*EXCLUDED_MODULES, *sorted(f"PySide6.{name}" for name in installed_qt if name not in QT_MODULES)]


# Plug-ins of Qt that are kept, as folder/name without the system's "lib" or "q" before it and its ending after it.
_PLUGINS = {
    System.LINUX: {
        "iconengines/*",
        "imageformats/svg", "imageformats/ico",
        "platforminputcontexts/*",
        "platforms/offscreen", "platforms/wayland", "platforms/xcb",
        "platformthemes/xdgdesktopportal",
        "wayland-decoration-client/*",
        "wayland-graphics-integration-client/qt-plugin-wayland-egl", "wayland-graphics-integration-client/*-server",
        "wayland-shell-integration/xdg-shell", "wayland-shell-integration/qt-shell",
        "xcbglintegrations/*",
    },
    System.MACOS: {
        "iconengines/*", "imageformats/svg", "imageformats/icns", "imageformats/ico", "platforms/cocoa",
        "platforms/offscreen", "styles/*",
    },
    System.WINDOWS: {
        "iconengines/*", "imageformats/svg", "imageformats/ico", "platforms/windows", "platforms/offscreen", "styles/*",
    },
}  # fmt: skip

# Data files, and shared libraries by name, that no plug-in which is kept needs.
_UNWANTED = [
    "PySide6/Qt/translations/*", "PySide6/translations/*", "PySide6/Qt/qml/*", "PySide6/qml/*",
    "*.pyi", "*/py.typed",
    "*.dist-info/*",
    "numpy/*/tests/*", "numpy/_core/include/*", "numpy/_core/_*_tests.*",
    "pyqtgraph/examples/*", "pyqtgraph/icons/peegee/*",
    "*opengl32sw.dll", "*Qt6Pdf*", "*Qt6Qml*", "*Qt6Quick*", "*Qt6VirtualKeyboard*",
]  # fmt: skip

# Libraries of the host: those that must fit its drivers, its C library, its window system or its font settings.
# Everything else that a file in the bundle needs has to be in the bundle.
HOST_LIBRARIES = [
    "ld-linux*.so.*", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1",
    "libresolv.so.2", "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1",
    "libGL.so.1", "libEGL.so.1", "libdrm.so.2",
    "libX11.so.6", "libX11-xcb.so.1", "libxcb.so.1",
    "libwayland-client.so.0", "libwayland-cursor.so.0", "libwayland-egl.so.1",
    "libfontconfig.so.1", "libfreetype.so.6",
    "libdbus-1.so.3",
]  # fmt: skip

# The Debian packages of those, and of what libxkbcommon reads; the floor of glibc is measured in each build.
HOST_PACKAGES = [
    "libdbus-1-3", "libdrm2", "libegl1", "libfontconfig1", "libfreetype6", "libgcc-s1", "libgl1", "libstdc++6",
    "libx11-6", "libx11-xcb1", "libxcb1", "xkb-data", "zlib1g",
]  # fmt: skip
# Needed on Wayland, or where there is no other font for what Roboto lacks.
RECOMMENDED_PACKAGES = ["libwayland-client0", "libwayland-cursor0", "libwayland-egl1", "fonts-dejavu-core"]

# Opened by name while the program runs, so that no file lists them as needed.
OPENED_AT_RUN_TIME = ["libpython3.*", "libssl.so.*", "libcrypto.so.*"]


def plugin_name(path: str) -> str | None:
    """folder/name of a plug-in of Qt in the notation of `_PLUGINS`; None for any other file."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if "plugins" not in parts or "PySide6" not in parts:
        return None
    folder, name = parts[-2], PurePosixPath(parts[-1]).name.partition(".")[0]
    name = name.removeprefix("lib")
    # libqxcb.so, qwindows.dll and libqsvgicon.so, but qt-plugin-wayland-egl.
    return f"{folder}/{name if name.startswith('qt-') else name.removeprefix('q')}"


def is_wanted(destination: str, system: System) -> bool:
    """Tell whether a file that PyInstaller found is to be in the bundle; `destination` is its path there."""
    path = destination.replace("\\", "/")
    if any(fnmatchcase(path, pattern) for pattern in _UNWANTED):
        return False
    name = plugin_name(path)
    if name is not None:
        return any(fnmatchcase(name, pattern) for pattern in _PLUGINS[system])
    return not (system is System.LINUX and is_host_library(PurePosixPath(path).name))


def is_host_library(soname: str) -> bool:
    """Tell whether a shared library is taken from the host, on Linux."""
    return any(fnmatchcase(soname, pattern) for pattern in HOST_LIBRARIES)


def may_be_stripped(path: str) -> bool:
    """Tell whether debug symbols may be taken out of a file of the bundle. It breaks numpy's OpenBLAS and Qt's own."""
    parts = set(PurePosixPath(path).parts)
    name = PurePosixPath(path).name
    foreign = name.startswith(("libQt6", "libicu", "libpyside6", "libshiboken6", "libscipy_openblas", "libgfortran"))
    return not (parts & {"PySide6", "shiboken6", "numpy.libs"} or foreign or name.startswith("libquadmath"))
