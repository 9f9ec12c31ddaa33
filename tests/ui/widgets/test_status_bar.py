"""The status bar: what it says, and that saying it twice a second costs no layout."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pytest
from PySide6 import QtCore, QtWidgets

from depthgui.ui.paint_meter import MeterFigures
from depthgui.ui.status_bar import StatusBar, StatusFigures

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.theme import Theme

FIGURES = StatusFigures("Binance", connections=1, streams=3, weight_used=2, weight_limit=6000, fps=60, paint_ms=10)

METER = MeterFigures(
    fps=17.0,
    paints=40,
    paint_ms=0.94,
    paint_max_ms=2.1,
    event_to_paint_ms=6.2,
    event_to_paint_p99_ms=22.1,
    event_to_paint_max_ms=30.0,
    loop_lag_ms=3.0,
    messages_per_s=1184.0,
    diffs_per_s=668.0,
    diffs_applied=1336,
    gaps=0,
    resyncs=0,
    malformed=0,
    feeds=20,
    cpu_percent=24.2,
    cpu_s=3.0,
    rss_mb=196.0,
)


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
    status.show_meter(METER)
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
        status.show_meter(msgspec.structs.replace(METER, cpu_percent=5.0 * number))
        QtWidgets.QApplication.processEvents()
    assert layouts.count == 0
    status.show_figures(dataclasses.replace(FIGURES, venue="A venue with a much longer name"))
    QtWidgets.QApplication.processEvents()
    assert layouts.count > 0


def test_the_meter_is_told_in_short_and_in_a_tool_tip(window: QtWidgets.QMainWindow) -> None:
    status = window.statusBar()
    label = status.findChild(QtWidgets.QLabel, "statusCpu")
    assert label.text() == "CPU 24 %"
    assert label.toolTip() == (
        "Paint 0.9 ms, at most 2.1 ms\n"
        "From a change to its paint 6 ms, 99 of 100 within 22 ms\n"
        "Event loop late by 3 ms at most\n"
        "1184 messages a second, 668 of them diffs\n"
        "CPU 24 % of one core, memory 196 MB"
    )
    status.show_meter(msgspec.structs.replace(METER, cpu_percent=9.6, rss_mb=0.0))
    assert label.text() == "CPU 10 %"
    assert label.toolTip().endswith("\nCPU 10 % of one core")


@pytest.mark.parametrize("venue", ["Binance", "A venue with a much longer name", "X", "http://127.0.0.1:43767"])
def test_no_text_is_cut_off(window: QtWidgets.QMainWindow, theme: Theme, venue: str) -> None:
    status = window.statusBar()
    status.show_figures(dataclasses.replace(FIGURES, venue=venue, fps=120, weight_used=5999))
    status.show_meter(msgspec.structs.replace(METER, cpu_percent=187.0))
    QtWidgets.QApplication.processEvents()
    for label in status.findChildren(QtWidgets.QLabel):
        if label.text() and label.isVisible():
            assert label.width() >= label.sizeHint().width(), label.objectName()
            assert label.height() >= label.fontMetrics().height()
