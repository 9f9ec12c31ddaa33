"""The heatmap's picture: drawn column by column, panned, with circles, it is what drawing it anew would show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6 import QtGui
from ui.widgets.heatmap_panels import Panel, picture, shown_panel, sixty_levels
from unit.ui.books import FakeFeed, change

from depthgui.ui.theme import Theme
from depthgui.ui.widgets.heatmap import Heatmap

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock


@pytest.fixture
def market() -> FakeFeed:
    return sixty_levels()


@pytest.fixture
def shown(qtbot: QtBot, clock: FrameClock, theme: Theme, market: FakeFeed, time) -> Panel:
    yield from shown_panel(qtbot, clock, theme, market, time)


def kept_pixels(plot: Heatmap) -> np.ndarray:
    """What of the kept picture is on screen, in device pixels."""
    kept = plot._image
    left = (kept._end - kept._origin) * plot.view.group_px - plot.view.width
    return kept._pixels[: plot.view.height, left : left + plot.view.width].copy()


def test_a_new_column_draws_no_more_than_itself(shown: Panel) -> None:
    panel, pass_columns = shown
    pass_columns(20)
    for _ in range(20):
        pass_columns()
        assert panel.plot._image.drawn_groups <= 2


@pytest.mark.parametrize(("zoom", "trades"), [(2, False), (2, True), (0, True), (5, True), (6, True)])
def test_column_by_column_it_shows_what_drawing_it_anew_shows(
    shown: Panel, market: FakeFeed, zoom: int, trades: bool
) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.show_layers(heat=True, trades=trades)
    plot.view.set_zoom(zoom)
    for number in range(150):  # more columns than the image has
        if number % 4 == 0:
            market.trade(f"{99.9 + 0.01 * (number % 23):.2f}", f"{number % 5 + 1}.5", is_sell=number % 3 == 0)
        change(market.book, bids=[(f"{99.5 + 0.01 * (number % 40):.2f}", f"{number % 7}.000")])
        pass_columns(record=number % 9 != 0)
        if number % 10 == 0:
            by_columns = picture(plot)
            plot._image.forget()
            plot.refresh()
            assert (picture(plot) == by_columns).all(), number


@pytest.mark.parametrize("zoom", [0, 2, 5, 6, 8])
def test_panning_back_and_forth_comes_back_to_the_same_picture(shown: Panel, market: FakeFeed, zoom: int) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.view.set_zoom(zoom)
    for number in range(40):
        change(market.book, bids=[("99.90", f"{number % 9 + 1}.000")])
        pass_columns(record=number not in range(10, 14))
    now = picture(plot)
    for by in (-3, -7, 4, -2):
        plot._pan(by * plot.view.merge)
        moved = picture(plot)
        plot._image.forget()
        plot.refresh()
        assert (picture(plot) == moved).all()
    plot.to_now()
    assert (picture(plot) == now).all()


def test_circles_lie_over_the_columns_before_and_after_them(shown: Panel, theme: Theme, market: FakeFeed) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.show_layers(heat=False, trades=True)
    plot.view.set_zoom(4)
    plot.view.zoom_price(1)
    pass_columns(40)
    bare = picture(plot)
    market.trade("100.20", "3", is_sell=False)
    pass_columns(1)
    slot = plot.newest_slot()
    half = picture(plot) != bare
    pass_columns(20)
    x = plot.view.x_of(slot // plot.view.merge, plot.frame.window) + plot.view.group_px // 2
    y = int(plot.view.y_of(10_020.0))
    inside, background = picture(plot)[y - 4 : y + 5, x - 4 : x + 5], int(theme.colour("background").rgb())
    assert len(set(inside.ravel().tolist())) == 1, "filled evenly, whichever column came when"
    assert QtGui.QColor.fromRgb(int(inside[0, 0])).green() > QtGui.QColor.fromRgb(int(inside[0, 0])).red() + 50
    row = (picture(plot)[y, x - 14 : x + 14] != background).tolist()
    assert row == row[::-1]
    assert 16 <= sum(row) <= 18
    assert half[y, -9:-2].all(), "its left half is there as soon as it comes"


def test_panning_far_back_and_on_shows_what_drawing_it_anew_shows(shown: Panel, market: FakeFeed) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.show_layers(heat=True, trades=False)
    plot.view.set_zoom(2)
    for number in range(300):  # the image is begun anew more than once
        change(market.book, bids=[(f"{99.5 + 0.01 * (number % 40):.2f}", f"{number % 7 + 1}.000")])
        pass_columns(record=number % 50 != 0)
    drawn = []
    for by in (-20, -20, -20, -60, 10, 35, -15, 80, -5):
        plot._pan(by)
        drawn.append(plot._image.drawn_groups)
        moved = picture(plot)
        plot._image.forget()
        plot.refresh()
        assert (picture(plot) == moved).all(), by
    assert drawn == [20, 20, 20, 60, 10, 35, 15, 80, 5]


def test_on_a_screen_of_double_pixels_columns_stay_crisp(
    shown: Panel, market: FakeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, pass_columns = shown
    plot = panel.plot
    plot.show_layers(heat=True, trades=False)
    monkeypatch.setattr(plot, "devicePixelRatioF", lambda: 2.0)
    pass_columns(6)
    assert plot.view.width == (plot.viewport().width() - plot._axis_px) * 2
    image = QtGui.QImage(plot.viewport().size() * 2, QtGui.QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    painter = QtGui.QPainter(image)
    plot._image.paint(painter)
    painter.end()
    words = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)[:, : plot.view.width]
    assert (words == kept_pixels(plot)).all()
    plot.show_layers(heat=True, trades=True)
    for number in range(60):
        if number % 3 == 0:
            market.trade(f"{99.9 + 0.01 * (number % 23):.2f}", f"{number % 5 + 1}.5", is_sell=number % 2 == 0)
        pass_columns(1)
    by_columns = kept_pixels(plot)
    plot._image.forget()
    plot.refresh()
    assert (kept_pixels(plot) == by_columns).all()
