"""The depth chart widget."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from unit.ui.books import FakeFeed, State, change, make_book, small_book

from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.widgets.depth_chart import DepthChart
from depthgui.ui.widgets.text_cache import TextCache

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock
    from depthgui.ui.theme import Theme


@pytest.fixture
def chart(qtbot: QtBot, clock: FrameClock, theme: Theme, feed: FakeFeed) -> DepthChart:
    made = DepthChart(clock, theme)
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.set_feed(feed)
    made.show()
    clock.tick()
    return made


def paint(chart: DepthChart) -> QtGui.QImage:
    return chart.viewport().grab().toImage()


def words(chart: DepthChart, ratio: float) -> np.ndarray:
    """The first paint of a chart on a screen of such pixels, as 0xffRRGGBB."""
    image = QtGui.QImage(chart.viewport().size() * ratio, QtGui.QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QtGui.QPainter(image)
    size = chart.viewport().size()
    chart.paint_canvas(painter, size.width(), size.height())
    painter.end()
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)[:, : image.width()].copy()


def move(chart: DepthChart, x: float, y: float) -> None:
    at = QtCore.QPointF(x, y)
    none = Qt.MouseButton.NoButton
    event = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove, at, chart.viewport().mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier
    )
    QtWidgets.QApplication.sendEvent(chart.viewport(), event)


def test_bids_fill_the_left_and_asks_the_right(chart: DepthChart, theme: Theme) -> None:
    picture = paint(chart)
    assert chart.objectName() == "depthChart"
    y = round(chart._view().plot.bottom()) - 3
    left, right = QtGui.QColor(picture.pixel(60, y)), QtGui.QColor(picture.pixel(540, y))
    assert left.green() > left.red() + 20
    assert right.red() > right.green() + 20


@pytest.mark.parametrize(("ratio", "thick"), [(1.0, 2), (2.0, 3)])
def test_every_pixel_of_the_lines_is_where_the_decimals_say(
    chart: DepthChart, feed: FakeFeed, theme: Theme, monkeypatch: pytest.MonkeyPatch, ratio: float, thick: int
) -> None:
    monkeypatch.setattr(chart, "devicePixelRatioF", lambda: ratio)
    picture = words(chart, ratio)
    frame, plot = chart.frame, chart._view().plot
    levels = {
        side: [(Decimal(p), Decimal(s)) for p, s in getattr(feed.book, side).levels()] for side in ("bids", "asks")
    }
    largest = max(sum(size for _, size in side) for side in levels.values())
    per_price = Decimal(plot.width()) / (Decimal(frame.high) - Decimal(frame.low))

    def x_of(price: Decimal) -> int:
        return round(float((price - Decimal(frame.low)) * per_price))

    seen = 0
    for side, colour in (("bids", "bid"), ("asks", "ask")):
        is_line = picture == int(theme.colour(colour).rgb())
        stops = [x_of(price) for price, _ in levels[side]]
        outermost = 0 if side == "bids" else round(plot.width())
        total = Decimal(0)
        for (_, size), x, until in zip(levels[side], stops, [*stops[1:], outermost], strict=True):
            total += size
            y = round(float(Decimal(plot.bottom()) - total / largest * Decimal(plot.height() * 0.94)))
            top = round(y * ratio) - thick // 2
            for column in range(min(x, until) + 2, max(x, until) - 2):
                rows = np.flatnonzero(is_line[:, round(column * ratio)])
                assert rows.tolist() == list(range(top, top + thick)), (side, column)
                seen += 1
        columns = [np.flatnonzero(column) for column in is_line.T if column.any()]
        for left, right in itertools.pairwise(columns):
            assert set(left.tolist()) & set(right.tolist()), "the line is in one piece"
            assert left[-1] - left[0] + 1 == left.size
    assert seen > 400


def test_heights_are_in_proportion(chart: DepthChart) -> None:
    view = chart._view()
    heights = view.plot.bottom() - view.heights(chart.frame.bids.sums)
    assert heights / heights[-1] == pytest.approx(chart.frame.bids.sums / chart.frame.bids.sums[-1])
    chart.set_log(True)
    log = chart._view()
    assert (log.plot.bottom() - log.heights(chart.frame.bids.sums))[0] > heights[0]


def test_the_card_says_what_taking_up_to_the_cursor_gives(chart: DepthChart) -> None:
    view = chart._view()
    move(chart, view.x_of(100.021), 150)
    assert chart._card[0] == "Buy to 100.02"
    assert chart._card[1].startswith("Size 0.400 BTC")
    assert paint(chart) is not None
    move(chart, view.x_of(99.9501), 150)
    assert chart._card[0] == "Sell to 99.95"
    QtWidgets.QApplication.sendEvent(chart, QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert chart._card == ()


def test_ranges_by_method_key_wheel_and_word(qtbot: QtBot, chart: DepthChart) -> None:
    seen: list[float | None] = []
    chart.range_changed.connect(seen.append)
    chart.set_range(1.0)
    chart.set_range(1.0)
    qtbot.keyClick(chart, Qt.Key.Key_Plus)
    qtbot.keyClick(chart, Qt.Key.Key_Minus)
    for _ in range(5):
        chart.step_range(1)
    assert seen == [1.0, 0.5, 1.0, 2.0, 5.0, None]
    with pytest.raises(ValueError, match="at most 100"):
        chart.set_range(120)


def test_the_scale_by_key_and_by_its_word(qtbot: QtBot, chart: DepthChart) -> None:
    qtbot.keyClick(chart, Qt.Key.Key_L)
    assert chart.is_log
    spot = chart._painter.header_spots(chart.viewport().size(), chart._words())[1]
    qtbot.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=spot.center().toPoint())
    assert not chart.is_log


def test_the_menu_offers_every_range_and_marks_the_present_one(chart: DepthChart) -> None:
    menu = chart._menu()
    texts = [action.text() for action in menu.actions() if action.isCheckable()]
    assert texts == [
        "\u00b10.1 %",
        "\u00b10.5 %",
        "\u00b11 %",
        "\u00b12 %",
        "\u00b15 %",
        "all proven",
        "Logarithmic size",
    ]
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["\u00b10.5 %"]
    next(action for action in menu.actions() if action.text() == "\u00b12 %").trigger()
    assert chart.range_percent == 2.0
    menu.deleteLater()


def test_the_end_of_proof_is_marked(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    pictures = []
    for book in (small_book(), small_book(limit=3)):
        chart = DepthChart(clock, theme)
        qtbot.addWidget(chart)
        chart.resize(600, 300)
        chart.set_feed(FakeFeed(book))
        chart.show()
        clock.tick()
        picture = paint(chart)
        y = round(chart._view().plot.top()) + 8
        pictures.append(len({picture.pixel(x, y) for x in range(2, 250)}))
    assert chart.frame.proven_low == pytest.approx(99.95)
    assert pictures[1] > pictures[0]


def test_it_renders_at_most_twenty_times_a_second_and_loses_nothing(chart: DepthChart, feed: FakeFeed, time) -> None:
    time.now_s += 1
    change(feed.book, bids=[("99.99", "9")])
    assert chart.render_frame(time.now_s) is None
    change(feed.book, bids=[("99.99", "10")])
    assert chart.render_frame(time.now_s + 0.01) == time.now_s + 0.045
    assert chart.render_frame(time.now_s + 0.045) is None
    assert chart.frame.update_id == feed.book.last_update_id


def test_messages_instead_of_curves(chart: DepthChart, clock: FrameClock) -> None:
    chart.set_feed(None)
    assert chart._message() == "No symbol"
    chart.set_feed(FakeFeed(None, State.CONNECTING))
    assert chart._message() == "Waiting for the first snapshot"
    chart.set_feed(FakeFeed(make_book([("1", "1")], [])))
    assert chart._message() == "One side of the book is empty"
    assert chart.frame is None
    paint(chart)


def test_a_stale_book_is_dimmed(chart: DepthChart, feed: FakeFeed, theme: Theme) -> None:
    def strength() -> int:
        picture = paint(chart)
        colour = QtGui.QColor(picture.pixel(60, round(chart._view().plot.bottom()) - 3))
        return colour.green()

    live = strength()
    words_live = words(chart, 1.0)
    feed.state = State.STALE
    chart.refresh()
    assert strength() < live
    assert not set(words(chart, 1.0)[40:].ravel().tolist()) & {int(theme.colour(name).rgb()) for name in ("bid", "ask")}
    feed.state = State.LIVE
    chart.refresh()
    assert (words(chart, 1.0) == words_live).all()


@pytest.mark.parametrize("size", [(220, 120), (600, 300), (2400, 1500), (60, 40)])
def test_every_size(chart: DepthChart, size: tuple[int, int]) -> None:
    chart.setMinimumSize(1, 1)
    chart.resize(*size)
    assert not paint(chart).isNull()


def test_thousands_of_levels_are_painted_within_the_budget(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    bids = [(f"{100 - n / 1000:.3f}", "1") for n in range(1, 1001)]
    asks = [(f"{100 + n / 1000:.3f}", "1") for n in range(1, 1001)]
    chart = DepthChart(clock, theme)
    qtbot.addWidget(chart)
    chart.resize(750, 340)
    chart.set_range(2.0)
    chart.set_feed(FakeFeed(make_book(bids, asks)))
    chart.show()
    times = []
    for _ in range(20):
        paint(chart)
        times.append(chart.paint_ms)
    assert chart.frame.bids.total == 1000
    assert sorted(times)[5] < 20  # a bound for slow machines; the bench has the real figure


def test_prices_on_the_axis_have_the_marks_of_the_format(chart: DepthChart, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    plainly = TextCache.draw

    def draw(cache: TextCache, painter: QtGui.QPainter, x: int, y: int, text: str, role: int) -> None:
        drawn.append(text)
        plainly(cache, painter, x, y, text, role)

    monkeypatch.setattr(TextCache, "draw", draw)
    chart.set_number_format(NumberFormat(thousands=".", point=","))
    chart.refresh()
    paint(chart)
    assert "100,0" in drawn
    assert "100.0" not in drawn
