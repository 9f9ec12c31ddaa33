"""The heatmap widget: what its pixels say, and how it is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from ui.widgets.heatmap_panels import COLUMN_S, Panel, picture, shown_panel, sixty_levels
from unit.ui.books import FakeFeed, State, change, make_book

from depthgui.ui.palettes import COLOUR_BLIND_DARK, LIGHT
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.viewmodels.heatmap_cells import FULL, GAP, UNKNOWN
from depthgui.ui.viewmodels.heatmap_colours import heat_table
from depthgui.ui.widgets.heatmap import Heatmap
from depthgui.ui.widgets.heatmap_panel import HeatmapPanel
from depthgui.ui.wording import TimeZone

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock


@pytest.fixture
def market() -> FakeFeed:
    return sixty_levels()


@pytest.fixture
def shown(qtbot: QtBot, clock: FrameClock, theme: Theme, market: FakeFeed, time) -> Panel:
    yield from shown_panel(qtbot, clock, theme, market, time)


def column_pixels(plot: Heatmap, slot: int) -> np.ndarray:
    """The pixels of a column's middle."""
    window = plot.frame.window
    assert window.first_slot <= slot < window.first_slot + window.slot_count
    x = plot.view.x_of(slot // plot.view.merge, window) + plot.view.group_px // 2
    return picture(plot)[:, x]


def row_colour(plot: Heatmap, slot: int, row: int) -> int:
    return int(column_pixels(plot, slot)[int(plot.view.y_of(float(row)))])


def colours_of_sizes(theme: Theme) -> set[int]:
    return {int(word) for word in heat_table(theme.palette)[1 : FULL + 1]}


def test_a_column_is_painted_as_it_was_recorded(shown: Panel, theme: Theme) -> None:
    panel, pass_columns = shown
    pass_columns(5)
    plot = panel.plot
    history = panel.recorder.history
    assert plot.objectName() == "heatmap"
    assert history.grid.ticks == 1
    slot = history.last_slot
    column = history.column(slot)
    colours = colours_of_sizes(theme)
    sizes, lights = [], []
    for row in range(plot.view.top_row - 70, plot.view.top_row - 5):
        if row in {10_000, 10_001}:  # where the lines are
            continue
        colour = row_colour(plot, slot, row)
        assert (colour in colours) == bool(column.size_at(row)), row
        sizes.append(column.size_at(row))
        lights.append(QtGui.QColor.fromRgb(colour).lightness())
    order = np.argsort(np.array(sizes, dtype=float))
    assert (np.diff(np.array(lights)[order]) >= -6).all(), "larger sizes are lighter"


def test_a_gap_is_a_gap_and_never_interpolated(shown: Panel, theme: Theme, market: FakeFeed) -> None:
    panel, pass_columns = shown
    plot, colours = panel.plot, colours_of_sizes(theme)
    pass_columns(6)
    before = panel.recorder.history.last_slot
    market.state = State.RECONNECTING
    panel.follow_state()
    assert not panel.recorder.is_running
    pass_columns(8)
    slots = range(before + 2, plot.frame.window.first_slot + plot.frame.window.slot_count)
    assert len(slots) >= 4
    for slot in slots:
        assert not set(column_pixels(plot, slot).tolist()) & colours, slot
        assert len(set(column_pixels(plot, slot).tolist())) == 2, "hatching"
    market.state = State.LIVE
    panel.follow_state()
    pass_columns(4)
    for slot in slots:
        assert not set(column_pixels(plot, slot).tolist()) & colours, slot
    assert set(column_pixels(plot, before).tolist()) & colours
    assert set(column_pixels(plot, panel.recorder.history.last_slot).tolist()) & colours
    history = panel.recorder.history
    assert history.column(before).stretch < history.column(history.last_slot).stretch


def test_lines_do_not_cross_a_gap(shown: Panel, theme: Theme, market: FakeFeed) -> None:
    panel, pass_columns = shown
    panel.plot.show_layers(heat=False, trades=False)
    pass_columns(4)
    before = panel.recorder.history.last_slot
    pass_columns(2, record=False)
    change(market.book, bids=[("100.00", "0")], asks=[("100.00", "5")])
    pass_columns(3)
    line = {int(theme.colour(name).rgb()) for name in ("bid", "ask", "text")}
    for slot in (before + 1, before + 2):
        assert not set(column_pixels(panel.plot, slot).tolist()) & line
    after = column_pixels(panel.plot, before + 3)
    bids = np.flatnonzero(after == int(theme.colour("bid").rgb()))
    assert len(bids) <= 2, "no upright from the price before the gap"
    assert set(column_pixels(panel.plot, before).tolist()) & line


@pytest.mark.parametrize("is_resync", [False, True])
def test_a_resync_starts_a_new_stretch(shown: Panel, theme: Theme, market: FakeFeed, is_resync: bool) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.show_layers(heat=False, trades=False)
    pass_columns(3)
    fallen = [(f"99.{number:02d}", "0") for number in range(80, 100)]
    change(market.book, bids=[*fallen, ("100.00", "0")])
    market.counters.resyncs += is_resync
    pass_columns(1)
    newest = plot.frame.newest_slot
    x = plot.view.x_of(newest // plot.view.merge, plot.frame.window)  # where a line would come up or down
    pixels = np.flatnonzero(picture(plot)[:, x] == int(theme.colour("bid").rgb()))
    assert (len(pixels) < 3) == is_resync
    first, last = (panel.recorder.history.column(slot).stretch for slot in (newest - 1, newest))
    assert (last > first) == is_resync


def test_a_view_of_the_past_stays_at_its_prices(shown: Panel, market: FakeFeed) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.view.set_zoom(2)
    pass_columns(200)
    plot._pan(-20)
    top = plot.view.top_row
    gone = [(f"{99.41 + 0.01 * number:.2f}", "0") for number in range(60)]
    asks = [(f"{100.01 + 0.01 * number:.2f}", "0") for number in range(60)]
    change(market.book, bids=[*gone, ("102.00", "1")], asks=[*asks, ("102.01", "1")])
    pass_columns(2)
    assert plot.view.top_row == top
    plot.to_now()
    assert plot.view.top_row > top + 100


def test_prices_beyond_the_proof_are_hatched_not_empty(shown: Panel, theme: Theme) -> None:
    panel, pass_columns = shown
    pass_columns(3)
    plot, history = panel.plot, panel.recorder.history
    column = history.column(history.last_slot)
    assert (column.low, column.high) == (9941, 10060)
    assert column.size_at(9940) is None
    plot.view.scroll_rows(-40)
    plot.refresh()
    pixels = picture(plot)
    y = int(plot.view.y_of(9925.0))
    x = plot.view.width - plot.view.group_px * 3
    area = pixels[y : y + 24, x:]
    table = heat_table(theme.palette)
    assert int(theme.mix("muted", "background", 0.3).rgb()) in set(area.ravel().tolist())
    assert set(area.ravel().tolist()) <= {int(theme.mix("muted", "background", 0.3).rgb()), int(table[UNKNOWN])}


def test_keys_pan_zoom_and_return(qtbot: QtBot, shown: Panel) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.view.set_zoom(3)
    pass_columns(400)
    assert plot.view.is_following
    assert panel._now.isHidden()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    end = plot.view.end_slot
    assert end is not None
    assert not panel._now.isHidden()
    pass_columns(5)
    assert plot.view.end_slot == end, "it stands still while it is read"
    assert "until" in panel._title.text()
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    history = panel.recorder.history
    assert plot.frame.window.first_slot == history.oldest_slot
    qtbot.keyClick(plot, Qt.Key.Key_End)
    assert plot.view.is_following
    span = plot.view.span_s
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.view.span_s < span
    qtbot.keyClick(plot, Qt.Key.Key_Minus)
    assert plot.view.span_s == span
    qtbot.keyClick(plot, Qt.Key.Key_Up)
    assert plot.view.is_price_held
    qtbot.mouseClick(panel._now, Qt.MouseButton.LeftButton)
    assert not plot.view.is_price_held
    assert panel._now.isHidden()
    row_px = plot.view.row_px
    qtbot.keyClick(plot, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert plot.view.row_px > row_px
    assert "Best bid 100.00, best ask 100.01" in plot.accessibleDescription()


def test_the_window_does_not_take_the_plots_keys(qtbot: QtBot, shown: Panel) -> None:
    panel, pass_columns = shown
    pass_columns(2)
    for key, is_own in ((Qt.Key.Key_Plus, True), (Qt.Key.Key_Left, True), (Qt.Key.Key_Space, False)):
        event = QtGui.QKeyEvent(QtCore.QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        QtWidgets.QApplication.sendEvent(panel.plot, event)
        assert event.isAccepted() == is_own, key


def mouse(plot: Heatmap, kind: QtCore.QEvent.Type, x: float, y: float) -> None:
    at, left = QtCore.QPointF(x, y), Qt.MouseButton.LeftButton
    event = QtGui.QMouseEvent(kind, at, plot.viewport().mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier)
    QtWidgets.QApplication.sendEvent(plot.viewport(), event)


def wheel(plot: Heatmap, notches: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    at = QtCore.QPointF(200, 100)
    event = QtGui.QWheelEvent(
        at,
        plot.viewport().mapToGlobal(at),
        QtCore.QPoint(),
        QtCore.QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QtWidgets.QApplication.sendEvent(plot.viewport(), event)


def test_drag_double_click_and_wheel(shown: Panel) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    pass_columns(200)
    kinds = QtCore.QEvent.Type
    top, newest = plot.view.top_row, plot.newest_slot()
    mouse(plot, kinds.MouseButtonPress, 200, 100)
    mouse(plot, kinds.MouseMove, 300, 140)
    mouse(plot, kinds.MouseButtonRelease, 300, 140)
    assert plot.view.end_slot == newest - 100 // plot.view.group_px * plot.view.merge
    assert plot.view.top_row == top + 40 // plot.view.row_px
    mouse(plot, kinds.MouseButtonDblClick, 200, 100)
    assert plot.view.is_following
    assert plot.view.top_row == top
    span, row_px = plot.view.span_s, plot.view.row_px
    wheel(plot, 1)
    assert plot.view.span_s < span
    wheel(plot, 1, Qt.KeyboardModifier.ControlModifier)
    assert plot.view.row_px > row_px
    wheel(plot, 1, Qt.KeyboardModifier.ShiftModifier)
    assert not plot.view.is_following


def test_the_card_tells_the_exact_size_of_the_cell(shown: Panel, market: FakeFeed) -> None:
    panel, pass_columns = shown
    panel.set_format(NumberFormat(), TimeZone.UTC)
    plot = panel.plot
    pass_columns(3)
    market.trade("100.01", "0.125", is_sell=False)
    change(market.book, bids=[("99.90", "12.34567891")])
    pass_columns(2)
    view = plot.view

    def card(slot: int, row: float) -> tuple[str, ...]:
        x = view.x_of(slot // view.merge, plot.frame.window)
        return plot.card_lines(QtCore.QPointF(x + 1, view.y_of(row)))

    last = plot.newest_slot()
    lines = card(last - 1, 9990.0)
    assert lines[0].endswith("\u00b7 99.90")
    assert lines[1:3] == ("Bid 12.34567891 BTC", "Best 100.00 / 100.01")
    assert lines[3] == "Bought 0.125, sold 0.000"
    assert card(last, 10_050.0)[1] == "Ask 50.000 BTC"
    assert card(last, 9_930.0)[1].startswith("Not known")
    pass_columns(1, record=False)
    pass_columns(1)
    assert card(last + 1, 9990.0)[1].startswith("Gap")
    assert card(last - 20, 9990.0)[1] == "Before what is kept"


def test_a_hidden_panel_records_but_does_not_paint(shown: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, pass_columns = shown
    pass_columns(3)
    panel.hide()
    built: list[int] = []
    version = panel.recorder.history.version
    with monkeypatch.context() as patch:
        patch.setattr(panel.plot, "_build", lambda: built.append(1))
        pass_columns(5)
    assert panel.recorder.history.version == version + 5
    assert not built
    panel.show()
    pass_columns(1)
    assert panel.plot.frame.window.first_slot + panel.plot.frame.window.slot_count > panel.recorder.history.last_slot


def test_a_panel_that_was_put_away_records_nothing(shown: Panel) -> None:
    panel, pass_columns = shown
    pass_columns(2)
    panel.recorder.set_on(False)
    assert not panel.recorder.is_running
    panel.recorder.set_on(True)
    assert panel.recorder.is_running


def test_the_clock_sleeps_while_nothing_changes(shown: Panel, clock: FrameClock, time) -> None:
    panel, pass_columns = shown
    pass_columns(3)
    key = panel.plot.frame_key(time.now_s)
    assert panel.plot.frame_key(time.now_s + 0.2) == key
    for _ in range(3):
        time.now_s += 0.2
        clock.tick()
    assert not clock.is_awake
    time.now_s += COLUMN_S
    panel.recorder.record()
    assert clock.is_awake


def test_another_theme_and_another_size_draw_everything_anew(shown: Panel, theme: Theme, qtbot: QtBot) -> None:
    panel, pass_columns = shown
    pass_columns(6)
    plot = panel.plot
    slot = panel.recorder.history.last_slot
    for palette in (LIGHT, COLOUR_BLIND_DARK):
        other = Theme(palette, theme.typeface)
        panel.set_theme(other)
        found = set(column_pixels(plot, slot - 3).tolist())
        assert len(found & colours_of_sizes(other)) > 10
        assert not found & (colours_of_sizes(theme) - colours_of_sizes(other))
    panel.resize(700, 200)
    QtWidgets.QApplication.processEvents()
    pass_columns(1)
    assert (plot.view.width, plot.view.height) == (700 - plot._axis_px, plot.viewport().height())
    assert picture(plot).shape == (plot.view.height, plot.view.width)
    assert plot._image._look.height == plot.view.height
    panel.resize(230, 130)
    pass_columns(1)
    assert panel._column.isHidden()


def test_layers_are_switched_and_remembered(shown: Panel, theme: Theme, market: FakeFeed, qtbot: QtBot) -> None:
    panel, pass_columns = shown
    pass_columns(3)
    market.trade("100.00", "3", is_sell=True)
    pass_columns(2)
    plot = panel.plot
    with_circles = picture(plot)
    panel._trades.click()
    assert (picture(plot) != with_circles).any()
    panel._heat.click()
    assert not set(picture(plot).ravel().tolist()) & colours_of_sizes(theme)
    plot.view.set_zoom(4)
    state = panel.layout_state()
    assert state == {"heat": "0", "bubbles": "0", "heat_zoom": "4"}
    panel.restore_layout({"heat": "1", "bubbles": "7", "heat_zoom": "x"})
    assert plot.with_heat
    assert not plot.with_trades
    assert plot.view.chosen_zoom == 4


def test_the_menu_does_what_the_keys_do(shown: Panel) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.view.set_zoom(2)
    pass_columns(300)
    menu = plot.make_menu()
    actions = {action.text(): action for action in menu.actions() if action.text()}
    actions["Oldest column"].trigger()
    assert plot.view.end_slot is not None
    actions["Back to now"].trigger()
    assert plot.view.is_following
    span, row_px = plot.view.span_s, plot.view.row_px
    actions["Show more time"].trigger()
    assert plot.view.span_s > span
    actions["Show less time"].trigger()
    actions["Higher rows"].trigger()
    assert (plot.view.span_s, plot.view.row_px > row_px) == (span, True)
    actions["Lower rows"].trigger()
    assert plot.view.row_px == row_px
    menu.deleteLater()


def test_another_feed_begins_anew_but_keeps_the_zoom(shown: Panel, theme: Theme) -> None:
    panel, pass_columns = shown
    panel.restore_layout({"heat_zoom": "2"})
    pass_columns(3)
    old = panel.recorder.history
    panel.set_feed(FakeFeed(make_book([("5.00", "1")], [("5.10", "1")])))
    pass_columns(2)
    assert panel.recorder.history is not old
    assert panel.plot.view.chosen_zoom == 2
    assert panel.plot.frame.last == pytest.approx(5.05)


def test_what_is_said_before_there_is_anything(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    panel = HeatmapPanel(clock, theme)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.plot._message() == "No symbol"
    panel.set_feed(FakeFeed(None, State.CONNECTING))
    assert panel.plot._message() == "Collecting the first columns"
    feed = FakeFeed(None, State.CONNECTING)
    feed.status.detail = "Fetching the snapshot"
    panel.set_feed(feed)
    assert panel.plot._message() == "Fetching the snapshot"
    assert panel.plot.viewport().grab() is not None
    assert panel.plot.card_lines(QtCore.QPointF(5, 5)) == ()


def test_a_column_keeps_its_time_of_day(shown: Panel, time, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, pass_columns = shown
    pass_columns(2)
    slot = panel.recorder.history.last_slot
    before = panel.recorder.wall_ms(slot)
    with monkeypatch.context() as patch:  # the machine slept an hour, in which the slots' clock stood still
        import time as system

        real = system.time
        patch.setattr("depthgui.ui.widgets.heatmap_recorder.time.time", lambda: real() + 3600)
        pass_columns(1)
        assert panel.recorder.wall_ms(slot) == before
        assert 3_590_000 < panel.recorder.wall_ms(slot + 1) - before < 3_610_000
        assert 3_590_000 < panel.recorder.wall_ms(slot + 2) - before < 3_610_000


def test_other_lengths_begin_anew(shown: Panel) -> None:
    panel, pass_columns = shown
    pass_columns(4)
    panel.set_lengths(250, 600)
    assert panel.recorder.history is not None
    panel.plot.view.set_zoom(3)
    panel.plot.view.pan(-2, 0, panel.plot.newest_slot())
    panel.set_lengths(250, 600)
    assert not panel.plot.view.is_following
    panel.set_lengths(500, 300)
    assert panel.plot.view.is_following
    assert panel.plot.view.chosen_zoom == 3
    assert panel.recorder.history is None
    assert panel.recorder.capacity == 600
    pass_columns(2)
    assert panel.recorder.history.capacity == 600


def test_a_tick_that_the_venue_tells_later_makes_a_new_grid(shown: Panel, market: FakeFeed) -> None:
    panel, pass_columns = shown
    pass_columns(2)
    market.info.tick = market.info.tick * 10
    first = panel.recorder.history
    pass_columns(1)
    assert panel.recorder.history is not first
    assert panel.recorder.history.grid.tick == market.info.tick
    assert panel.plot.frame is not None
    assert heat_table(LIGHT)[GAP] != heat_table(LIGHT)[0]
