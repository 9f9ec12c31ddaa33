"""Everything that can be operated says what it is, in words that a screen reader can read."""

from __future__ import annotations

import pytest
from PySide6 import QtWidgets
from ui.shell.conftest import Shell
from ui.shell.fakes import lost

from depthgui.binance.endpoints import parse_symbol_ref
from depthgui.book.errors import UnknownSymbolError
from depthgui.depthcache.feed import FeedState

OPERATED = (
    QtWidgets.QAbstractButton,
    QtWidgets.QLineEdit,
    QtWidgets.QComboBox,
    QtWidgets.QAbstractSpinBox,
    QtWidgets.QAbstractItemView,
    QtWidgets.QKeySequenceEdit,
    QtWidgets.QPlainTextEdit,
    QtWidgets.QGraphicsView,
    QtWidgets.QTabBar,
)
# Qt's own parts of the widgets above: their owner has the name.
PARTS = (
    "qt_spinbox_lineedit",
    "qt_keysequenceedit_lineedit",
    "_q_qlineeditclearaction",
    "ScrollLeftButton",
    "ScrollRightButton",
)


def nameless(root: QtWidgets.QWidget) -> list[str]:
    found = []
    for widget in root.findChildren(QtWidgets.QWidget):
        if not isinstance(widget, OPERATED) or not widget.isVisible() or widget.objectName() in PARTS:
            continue
        if isinstance(widget.parent(), QtWidgets.QComboBox | QtWidgets.QLineEdit | QtWidgets.QAbstractItemView):
            continue
        text = widget.text() if isinstance(widget, QtWidgets.QAbstractButton) else ""
        if not (widget.accessibleName() or text):
            found.append(f"{type(widget).__name__} {widget.objectName()!r} in {type(widget.parent()).__name__}")
    return found


@pytest.mark.parametrize("width", [1440, 1024])
async def test_the_window_with_a_live_tab(shell: Shell, width: int) -> None:
    shell.window.resize(width, 640)
    shell.open("BTCUSDT")
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    shell.open("ETHUSDT")
    shell.feed("ETHUSDT").become(FeedState.LIVE)
    shell.feed("ETHUSDT").become(FeedState.RECONNECTING)
    shell.hub.report(lost("ETHUSDT"))
    shell.window.notices.add("A notice")
    assert nameless(shell.window) == []


async def test_the_welcome_page_and_a_failed_tab(shell: Shell) -> None:
    assert nameless(shell.window) == []
    shell.open("BTCUSTD")
    error = UnknownSymbolError("BTCUSTD", "Spot", suggestions=("BTCUSDT",))
    shell.feed("BTCUSTD").become(FeedState.FAILED, str(error), error)
    assert nameless(shell.window) == []


async def test_the_dialogs(shell: Shell) -> None:
    shell.window.open_symbol(parse_symbol_ref("BTCUSDT"))
    for show in (
        shell.window.dialogs.add_symbol,
        shell.window.dialogs.settings,
        shell.window.dialogs.keys,
        shell.window.dialogs.about,
    ):
        show()
    assert nameless(shell.window) == []
    settings = shell.dialog("settingsDialog")
    assert settings is not None
    groups = settings.findChild(QtWidgets.QListWidget, "settingsGroups")
    assert groups is not None
    for row in range(groups.count()):
        groups.setCurrentRow(row)
        assert nameless(settings) == [], groups.item(row).text()


async def test_every_page_of_the_settings_is_reached_by_tab(shell: Shell) -> None:
    shell.window.dialogs.settings()
    settings = shell.dialog("settingsDialog")
    assert settings is not None
    for combo in settings.findChildren(QtWidgets.QComboBox):
        assert combo.focusPolicy().value & 1, combo.objectName()
