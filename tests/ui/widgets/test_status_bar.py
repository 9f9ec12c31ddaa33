"""The status bar: what it says, and that saying it twice a second costs no layout."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore, QtWidgets

from depthgui.ui.status_bar import StatusBar, StatusFigures

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.theme import Theme

FIGURES = StatusFigures("Binance", connections=1, streams=3, weight_used=2, weight_limit=6000, fps=60, paint_ms=10)


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> QtWidgets.QMainWindow:
    """A window that has nothing but a status bar."""
    made = QtWidgets.QMainWindow()
    qtbot.addWidget(made)
    status = StatusBar(theme)
    status.set_theme(theme)
    made.setStatusBar(status)
    made.resize(1200, 200)
    made.show()
    status.show_figures(FIGURES)
    QtWidgets.QApplication.processEvents()
    return made


class Layouts(QtCore.QObject):
    """Counts how often a window or its status bar is asked to lay itself out."""

    def __init__(self, window: QtWidgets.QMainWindow) -> None:
        super().__init__(window)
        self.count = 0
        for each in (window, window.statusBar()):
            each.installEventFilter(self)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        self.count += event.type() == QtCore.QEvent.Type.LayoutRequest
        return False


def test_new_figures_do_not_lay_out_the_window(window: QtWidgets.QMainWindow) -> None:
    status = window.statusBar()
    layouts = Layouts(window)
    for number in range(9):
        status.show_figures(dataclasses.replace(FIGURES, fps=10 * number, paint_ms=number / 3, weight_used=number))
        QtWidgets.QApplication.processEvents()
    assert layouts.count == 0
    status.show_figures(dataclasses.replace(FIGURES, venue="A venue with a much longer name"))
    QtWidgets.QApplication.processEvents()
    assert layouts.count > 0


@pytest.mark.parametrize("venue", ["Binance", "A venue with a much longer name", "X", "http://127.0.0.1:43767"])
def test_no_text_is_cut_off(window: QtWidgets.QMainWindow, theme: Theme, venue: str) -> None:
    status = window.statusBar()
    status.show_figures(dataclasses.replace(FIGURES, venue=venue, fps=120, weight_used=5999))
    QtWidgets.QApplication.processEvents()
    for label in status.findChildren(QtWidgets.QLabel):
        if label.text() and label.isVisible():
            assert label.width() >= label.sizeHint().width(), label.objectName()
            assert label.height() >= label.fontMetrics().height()
