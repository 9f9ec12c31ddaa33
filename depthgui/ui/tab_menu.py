"""The context menu of a tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6 import QtCore, QtWidgets

from depthgui.ui.engine import FeedState

if TYPE_CHECKING:
    from depthgui.ui.main_window import MainWindow
    from depthgui.ui.symbol_tab import SymbolTab


def make_tab_menu(window: MainWindow, page: SymbolTab) -> QtWidgets.QMenu:
    """Commands for one page. Show it with popup(); it deletes itself when it closes."""
    menu = QtWidgets.QMenu(window)
    menu.setObjectName("tabMenu")
    menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    is_stopped = page.feed_state in {FeedState.STOPPED, FeedState.FAILED}
    menu.addAction("Start" if is_stopped else "Stop", lambda: window.stop_or_start(page))
    menu.addAction("Resync", lambda: window.resync(page)).setEnabled(not is_stopped)
    menu.addSeparator()
    menu.addAction("Duplicate", lambda: window.duplicate(page))
    menu.addAction("Pop out into a window", lambda: window.pages.pop_out(page))
    menu.addAction("Copy symbol", lambda: QtWidgets.QApplication.clipboard().setText(str(page.ref)))
    menu.addSeparator()
    menu.addAction("Close", lambda: window.pages.close(page))
    others = menu.addAction("Close the others", lambda: _close_others(window, page))
    others.setEnabled(len(window.pages.in_tabs()) > 1)
    return menu


def _close_others(window: MainWindow, page: SymbolTab) -> None:
    for other in window.pages.in_tabs():
        if other is not page:
            window.pages.close(other)
