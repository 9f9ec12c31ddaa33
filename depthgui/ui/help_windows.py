"""Help: the list of keys, "About" with versions and licences, diagnostics for a report, opening the log."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui._version import __version__
from depthgui.ui.actions import key_list
from depthgui.ui.icons import app_icon
from depthgui.ui.key_window import centre_on

if TYPE_CHECKING:
    from depthgui.ui.main_window import MainWindow

# What a program run from its sources or frozen is built on: it has no metadata of its own that would say so.
_BUILT_ON = (
    "PySide6-Essentials",
    "qasync",
    "pyqtgraph",
    "aiohttp",
    "websockets",
    "msgspec",
    "platformdirs",
    "truststore",
)
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_QT_NOTE = (
    "Qt and PySide6 are used under the GNU LGPL version 3; their sources are at code.qt.io. "
    "They are separate files of this program and may be replaced."
)


def show_keys(window: QtWidgets.QWidget, shortcuts: Mapping[str, str]) -> QtWidgets.QDialog:
    """Show every key, by menu."""
    dialog, column = _dialog(window, "keysDialog", "Keys")
    dialog.resize(520, 560)
    rows = [(f"{menu} · {what}", keys) for menu, what, keys in key_list(shortcuts)]
    rows += [
        ("Ladder · Scroll", "Up, Down, Page Up, Page Down, wheel"),
        ("Heatmap · Pan", "Arrows, Page Up, Page Down, drag"),
        ("Heatmap · Oldest, now", "Home, End or double click"),
        ("Heatmap · Time shown", "+, −, wheel"),
        ("Heatmap · Height of a price", "Shift+Up, Shift+Down, Ctrl+wheel"),
        ("Add symbol · Open and stay", "Ctrl+Enter"),
        ("Add symbol · Favourite", "Ctrl+B"),
    ]
    column.addWidget(_table(rows, ("What", "Keys")))
    _add_close(dialog, column)
    centre_on(dialog, window)
    dialog.show()
    return dialog


def show_about(window: QtWidgets.QWidget) -> QtWidgets.QDialog:
    """Show the version, and what this program is built from with its licences."""
    dialog, column = _dialog(window, "aboutDialog", "About DepthGUI")
    dialog.resize(560, 520)
    head = QtWidgets.QHBoxLayout()
    picture = QtWidgets.QLabel()
    picture.setPixmap(app_icon().pixmap(56, 56))
    words = QtWidgets.QLabel(
        f"<b>DepthGUI {__version__}</b><br>Live Binance order books. Not affiliated with Binance.<br>MIT licence"
    )
    head.addWidget(picture)
    head.addWidget(words, 1)
    note = QtWidgets.QLabel(_QT_NOTE)
    note.setProperty("role", "muted")
    note.setWordWrap(True)
    column.addLayout(head)
    column.addWidget(
        _table([(f"{name} {version}", licence) for name, version, licence in components()], ("Part", "Licence"))
    )
    column.addWidget(note)
    _add_close(dialog, column)
    centre_on(dialog, window)
    dialog.show()
    return dialog


def components() -> list[tuple[str, str, str]]:
    """(name, version, licence) of Python and of everything depthgui is built on, as far as it is installed."""
    found: dict[str, tuple[str, str, str]] = {}
    waiting = ["depthgui", *_BUILT_ON]
    while waiting:
        name = waiting.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        key = distribution.metadata["Name"].lower().replace("_", "-")
        if key in found:
            continue
        found[key] = (distribution.metadata["Name"], distribution.version, _licence_of(distribution.metadata))
        for requirement in distribution.requires or ():
            if "extra ==" not in requirement and (match := _NAME.match(requirement)):
                waiting.append(match.group())
    found.pop("depthgui", None)
    python = ("Python", platform.python_version(), "PSF-2.0")
    return [python, *(found[key] for key in sorted(found))]


def _licence_of(metadata: importlib.metadata.PackageMetadata) -> str:
    values = {key.lower(): metadata[key] for key in metadata}
    text = values.get("license-expression") or values.get("license") or ""
    if text and len(text) < 80:
        return text
    classifiers = [line for line in metadata.get_all("Classifier") or () if line.startswith("License ::")]
    return classifiers[-1].rpartition(" :: ")[2] if classifiers else text.strip().split("\n")[0] or "see its files"


def diagnostics(window: MainWindow) -> str:
    """Versions, platform, venue, connections and tabs as text. Holds no key and no address of the user's."""
    screen = window.screen()
    lines = [
        f"DepthGUI {__version__}, Python {platform.python_version()}, Qt {QtCore.qVersion()}",
        f"{platform.platform()}, Qt platform {QtGui.QGuiApplication.platformName()}",
        f"frozen {bool(getattr(sys, 'frozen', False))}",
        f"screen {screen.size().width()}x{screen.size().height()} at {screen.devicePixelRatio():g}",
    ]
    venue = window.venue
    if venue is not None:
        lines.append(f"venue {venue.choice.key} ({venue.name})")
        for status in venue.hub.connections.values():
            reason = f", {status.reason}" if status.reason else ""
            lines.append(f"connection {status.label}: {status.phase.value}, {status.streams} streams{reason}")
    for page in window.pages.all():
        counters = None if page.feed is None else page.feed.counters
        counted = (
            "" if counters is None else f", diffs {counters.diffs}, gaps {counters.gaps}, resyncs {counters.resyncs}"
        )
        traded = "" if page.feed is None or page.feed.info is None else f", {page.feed.info.status}"
        lines.append(f"tab {page.ref}: {page.state}{traded}{counted}")
    lines += [f"{name} {version}" for name, version, _licence in components()[1:]]
    return "\n".join(lines)


def open_file(path: Path) -> None:
    """Open a file, or its folder while it isn't there, with the desktop's own program."""
    target = path if path.exists() else path.parent
    QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(str(target)))


def _dialog(window: QtWidgets.QWidget, name: str, title: str) -> tuple[QtWidgets.QDialog, QtWidgets.QVBoxLayout]:
    for old in window.findChildren(QtWidgets.QDialog, name):
        old.close()
    dialog = QtWidgets.QDialog(window)
    dialog.setObjectName(name)
    dialog.setWindowTitle(title)
    dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    column = QtWidgets.QVBoxLayout(dialog)
    column.setContentsMargins(18, 18, 18, 16)
    column.setSpacing(12)
    return dialog, column


def _table(rows: list[tuple[str, str]], titles: tuple[str, str]) -> QtWidgets.QTableWidget:
    table = QtWidgets.QTableWidget(len(rows), 2)
    table.setAccessibleName(titles[0])
    table.setHorizontalHeaderLabels(list(titles))
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            table.setItem(number, column, QtWidgets.QTableWidgetItem(text))
    header = table.horizontalHeader()
    header.setDefaultAlignment(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(1, QtWidgets.QHeaderView.ResizeMode.Stretch)
    return table


def _add_close(dialog: QtWidgets.QDialog, column: QtWidgets.QVBoxLayout) -> None:
    row = QtWidgets.QHBoxLayout()
    row.addStretch(1)
    button = QtWidgets.QPushButton("Close")
    button.setDefault(True)
    button.clicked.connect(dialog.close)
    row.addWidget(button)
    column.addLayout(row)
