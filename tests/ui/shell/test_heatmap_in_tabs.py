"""The heatmap in its tab: shown, put away, remembered, and fed only while it is wanted."""

from __future__ import annotations

from pathlib import Path

from PySide6 import QtCore, QtWidgets
from ui.shell.conftest import Shell, end_shell, make_shell
from unit.ui.books import small_book

from depthgui.depthcache.feed import FeedState
from depthgui.settings import schema
from depthgui.ui.picture import grab_window
from depthgui.ui.symbol_tab import SymbolTab


def live_tab(shell: Shell, text: str = "BTCUSDT") -> SymbolTab:
    page = shell.open(text)
    shell.feed(text).book = small_book()
    shell.feed(text).become(FeedState.LIVE)
    return page


async def test_it_stands_above_the_depth_chart_by_default(shell: Shell) -> None:
    page = live_tab(shell)
    heatmap, chart = page.panels.heatmap, page.panels.chart
    assert heatmap.isVisible()
    assert heatmap.mapTo(page, QtCore.QPoint()).y() < chart.mapTo(page, QtCore.QPoint()).y()
    assert heatmap.recorder.is_running
    shell.window.resize(1024, 480)
    QtWidgets.QApplication.processEvents()
    assert heatmap.plot.height() >= 90
    assert chart.height() >= 120
    assert shell.window.width() == 1024


async def test_it_records_behind_another_tab_but_not_when_put_away_or_out_of_step(shell: Shell) -> None:
    page = live_tab(shell)
    live_tab(shell, "ETHUSDT")
    recorder = page.panels.heatmap.recorder
    assert not page.panels.heatmap.isVisible()
    assert recorder.is_running
    shell.feed("BTCUSDT").become(FeedState.RECONNECTING)
    assert not recorder.is_running
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    assert recorder.is_running
    page.show_panel("heatmap", is_shown=False)
    assert not recorder.is_running
    page.show_panel("heatmap", is_shown=True)
    assert recorder.is_running
    page.detach()
    assert not recorder.is_running


async def test_the_menu_shows_and_hides_it(shell: Shell) -> None:
    page = live_tab(shell)
    action = shell.window.actions_by_name["actionShowHeatmap"]
    assert action.isChecked()
    action.trigger()
    assert not page.panels.heatmap.isVisible()
    assert page.panels.chart.isVisible()
    shell.window.actions_by_name["actionShowChart"].trigger()
    assert not page.panels.heatmap.parentWidget().isVisible(), "their place goes to the ladder"
    action.trigger()
    assert page.panels.heatmap.isVisible()
    assert not page.panels.chart.isVisible()


async def test_compact_hides_it_for_the_time_being(shell: Shell) -> None:
    page = live_tab(shell)
    page.show_panel("tape", is_shown=False)
    shell.window.set_compact(is_compact=True)
    assert not page.panels.heatmap.isVisible()
    assert page.is_panel_shown("heatmap")
    assert page.panels.heatmap.recorder.is_running, "what goes on meanwhile is kept"
    shell.window.set_compact(is_compact=False)
    assert page.panels.heatmap.isVisible()
    assert not page.panels.tape.isVisible()


async def test_choices_come_back_and_an_older_layout_shows_it(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    shell, services = make_shell(qapp, tmp_path, [])
    await shell.attach()
    shell.window.show()
    await services.tasks.settle()
    first, second = live_tab(shell), live_tab(shell, "ETHUSDT")
    first.show_panel("heatmap", is_shown=False)
    box = second.findChild(QtWidgets.QCheckBox, "heatmapTrades")
    assert box is not None
    box.click()
    layouts = [page.layout_state() for page in (first, second)]
    await services.tasks.settle()
    await end_shell(shell, services)

    again, services = make_shell(qapp, tmp_path, [])
    again.window.show()
    await again.attach()
    await services.tasks.settle()
    pages = again.window.pages.all()
    assert [page.is_panel_shown("heatmap") for page in pages] == [False, True]
    assert [page.panels.heatmap.plot.with_trades for page in pages] == [True, False]
    assert [page.layout_state()["panels"] for page in pages] == [layout["panels"] for layout in layouts]
    pages[0].restore_layout({"panels": "chart"})  # as a version without a heatmap wrote it
    pages[1].restore_layout({"panels": "chart"})
    assert [page.is_panel_shown("heatmap") for page in pages] == [False, True], "it says nothing of the heatmap"
    assert not pages[1].is_panel_shown("tape")
    await end_shell(again, services)


async def test_settings_reach_it(shell: Shell) -> None:
    page = live_tab(shell)
    settings = shell.profile.settings
    settings.set(schema.HEATMAP_COLUMN, 1000)
    settings.set(schema.HEATMAP_KEPT, 5)
    assert (page.panels.heatmap.recorder.column_s, page.panels.heatmap.recorder.capacity) == (1.0, 300)


async def test_the_picture_of_the_window_holds_it(shell: Shell, theme) -> None:
    page = live_tab(shell)
    heatmap = page.panels.heatmap
    assert heatmap.recorder.history is not None
    heatmap.plot.refresh()
    picture = grab_window(shell.window, theme).toImage()
    corner = heatmap.plot.mapTo(shell.window, QtCore.QPoint(heatmap.plot.width() - 40, 20))
    area = picture.copy(QtCore.QRect(corner, QtCore.QSize(40, heatmap.plot.height() - 40)))
    colours = {area.pixel(x, y) for x in range(area.width()) for y in range(area.height())}
    assert len(colours) > 5, "an axis with prices"
