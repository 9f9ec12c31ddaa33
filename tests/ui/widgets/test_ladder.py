"""The ladder widget: what it paints is the book, and what the user's hands do to it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from unit.ui.books import FakeFeed, Info, State, change, make_book, small_book

from depthgui.ui.palettes import LIGHT
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.ladder import LadderOptions
from depthgui.ui.viewmodels.ladder_frame import FADE_STEP_S
from depthgui.ui.widgets.ladder import Ladder

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock


@pytest.fixture
def ladder(qtbot: QtBot, clock: FrameClock, theme: Theme, feed: FakeFeed) -> Ladder:
    made = Ladder(clock, theme)
    qtbot.addWidget(made)
    made.resize(450, 700)
    made.set_feed(feed)
    made.show()
    clock.tick()
    paint(made)
    return made


def paint(widget: QtWidgets.QAbstractScrollArea) -> QtGui.QImage:
    return widget.viewport().grab().toImage()


def sizes(ladder: Ladder) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    return {str(price): (bid, ask) for price, bid, ask in ladder.painted.rows if bid is not None or ask is not None}


def place_of(ladder: Ladder, price: str) -> QtCore.QPoint:
    """Middle of a price's row, in the viewport."""
    header = ladder._painter.metrics.header_px
    prices = [row[0] for row in ladder.painted.rows]
    row = ladder._painted_frame.rows[prices.index(Decimal(price))]
    return QtCore.QPoint(ladder.viewport().width() // 2, header + row.y + 4)


def wheel(ladder: Ladder, notches: float, pixels: int = 0) -> None:
    at = QtCore.QPointF(200, 300)
    event = QtGui.QWheelEvent(
        at,
        ladder.viewport().mapToGlobal(at),
        QtCore.QPoint(0, pixels),
        QtCore.QPoint(0, round(notches * 120)),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QtWidgets.QApplication.sendEvent(ladder.viewport(), event)


def hover(ladder: Ladder, at: QtCore.QPoint) -> None:
    event = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove,
        QtCore.QPointF(at),
        QtCore.QPointF(ladder.viewport().mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QtWidgets.QApplication.sendEvent(ladder.viewport(), event)


def test_painted_is_the_book(ladder: Ladder, feed: FakeFeed) -> None:
    assert ladder.objectName() == "ladder"
    assert ladder.painted.update_id == feed.book.last_update_id
    assert ladder.painted.step == Decimal("0.01")
    assert not ladder.painted.stale
    assert sizes(ladder)["99.95"] == (Decimal("4.000"), None)
    assert sizes(ladder)["100.10"] == (None, Decimal("7.250"))
    assert len(sizes(ladder)) == 6


def test_painted_changes_with_the_paint_and_not_before(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    change(feed.book, bids=[("100.00", "8.888")])
    assert ladder.painted.update_id == 7
    clock.tick()
    assert ladder.painted.update_id == 7
    paint(ladder)
    assert ladder.painted.update_id == 8
    assert sizes(ladder)["100.00"] == (Decimal("8.888"), None)


def test_the_clock_renders_it_only_when_something_changed(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    clock.tick()
    before = ladder._frame
    clock.tick()
    assert ladder._frame is before
    feed.state = State.STALE
    clock.tick()
    assert ladder._frame is not before


def test_a_hidden_ladder_costs_nothing(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    ladder.hide()
    before = ladder._frame
    change(feed.book, bids=[("100.00", "8.888")])
    clock.tick()
    assert ladder._frame is before
    ladder.show()
    clock.tick()
    paint(ladder)
    assert ladder.painted.update_id == 8


def test_grouping_sums_and_says_so(qtbot: QtBot, ladder: Ladder) -> None:
    with qtbot.waitSignal(ladder.grouping_changed) as signal:
        ladder.set_grouping(10)
    paint(ladder)
    assert signal.args == [10]
    assert ladder.painted.step == Decimal("0.10")
    assert sizes(ladder) == {
        "100.10": (None, Decimal("7.650")),
        "100.00": (Decimal("1.000"), None),
        "99.90": (Decimal("6.500"), None),
    }
    with pytest.raises(ValueError, match="at least one"):
        ladder.set_grouping(0)


@pytest.mark.parametrize("state", [State.STALE, State.RECONNECTING, State.STOPPED, State.CONNECTING, State.FAILED])
def test_anything_but_live_is_painted_dimmed_and_marked_stale(
    ladder: Ladder, feed: FakeFeed, clock: FrameClock, state: State
) -> None:
    def brightest() -> int:
        picture = paint(ladder)
        row = place_of(ladder, "100.10").y()
        return max(QtGui.qGray(picture.pixel(x, y)) for x in range(picture.width()) for y in range(row - 4, row + 14))

    live = brightest()
    feed.state = state
    clock.tick()
    assert brightest() < live * 0.75
    assert ladder.painted.stale
    assert sizes(ladder)["100.10"] == (None, Decimal("7.250"))


def test_the_wheel_scrolls_by_rows_and_locks(qtbot: QtBot, ladder: Ladder) -> None:
    before = ladder.painted.rows[0][0]
    with qtbot.waitSignal(ladder.lock_changed) as signal:
        wheel(ladder, 1)
    paint(ladder)
    assert signal.args == [True]
    assert ladder.is_locked
    assert ladder.painted.rows[0][0] == before + 3 * Decimal("0.01")


def test_a_touch_pad_scrolls_by_pixels(ladder: Ladder) -> None:
    before = place_of(ladder, "100.00").y()
    wheel(ladder, 0.2, pixels=5)
    paint(ladder)
    assert place_of(ladder, "100.00").y() == before + 5


def test_space_centres_and_follows_again(qtbot: QtBot, ladder: Ladder) -> None:
    before = ladder.painted.rows
    wheel(ladder, 20)
    with qtbot.waitSignal(ladder.lock_changed) as signal:
        qtbot.keyClick(ladder, Qt.Key.Key_Space)
    paint(ladder)
    assert signal.args == [False]
    assert ladder.painted.rows == before


def test_a_locked_ladder_stays_on_its_prices(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    wheel(ladder, -1)
    paint(ladder)
    before = [row[0] for row in ladder.painted.rows]
    change(feed.book, bids=[("100.00", "0")], asks=[("100.01", "0"), ("100.02", "0"), ("101.00", "1")])
    clock.tick()
    paint(ladder)
    assert [row[0] for row in ladder.painted.rows] == before


def test_an_unlocked_ladder_follows_a_jump(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    change(feed.book, asks=[("100.01", "0"), ("100.02", "0"), ("100.10", "0"), ("105.00", "1")])
    change(feed.book, bids=[("104.99", "2")])
    clock.tick()
    paint(ladder)
    prices = [row[0] for row in ladder.painted.rows]
    middle = prices[len(prices) // 2]
    assert abs(middle - Decimal("105.00")) <= Decimal("0.02")


@pytest.mark.parametrize(
    ("key", "rows"), [(Qt.Key.Key_Up, 1), (Qt.Key.Key_Down, -1), (Qt.Key.Key_PageUp, 33), (Qt.Key.Key_PageDown, -33)]
)
def test_keys_scroll(qtbot: QtBot, ladder: Ladder, key: Qt.Key, rows: int) -> None:
    page = ladder._model.grid.visible_rows - 1
    before = ladder.painted.rows[0][0]
    qtbot.keyClick(ladder, key)
    paint(ladder)
    wanted = rows if abs(rows) == 1 else page * (1 if rows > 0 else -1)
    assert ladder.painted.rows[0][0] == before + wanted * Decimal("0.01")


def test_plus_and_minus_ask_for_another_grouping(qtbot: QtBot, ladder: Ladder) -> None:
    asked: list[int] = []
    ladder.grouping_stepped.connect(asked.append)
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Equal):
        qtbot.keyClick(ladder, key)
    assert asked == [1, -1, 1]


def test_other_keys_are_left_to_the_window(ladder: Ladder) -> None:
    event = QtGui.QKeyEvent(QtCore.QEvent.Type.KeyPress, Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier)
    ladder.keyPressEvent(event)
    assert not event.isAccepted()


def test_copying_gives_all_rows_or_the_selected_ones_exactly(qtbot: QtBot, ladder: Ladder) -> None:
    everything = ladder.copy_text().splitlines()
    assert everything[0] == "Bid\tPrice\tAsk"
    assert len(everything) == len(ladder.painted.rows) + 1
    assert "\t100.10\t7.25" in everything
    assert "4\t99.95\t" in everything
    viewport = ladder.viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=place_of(ladder, "100.01"))
    hover(ladder, place_of(ladder, "99.99"))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=place_of(ladder, "99.99"))
    assert not ladder.marks
    qtbot.keyClick(ladder, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QtGui.QGuiApplication.clipboard().text() == ("Bid\tPrice\tAsk\n\t100.01\t0.3\n1\t100.00\t\n2.5\t99.99\t")
    qtbot.keyClick(ladder, Qt.Key.Key_Escape)
    assert len(ladder.copy_text().splitlines()) == len(everything)


def test_a_click_marks_a_price_and_a_second_one_takes_the_mark_away(qtbot: QtBot, ladder: Ladder) -> None:
    marked: list[tuple[Decimal, bool]] = []
    ladder.price_marked.connect(lambda price, is_new: marked.append((price, is_new)))
    plain = paint(ladder)
    for _ in range(2):
        qtbot.mouseClick(ladder.viewport(), Qt.MouseButton.LeftButton, pos=place_of(ladder, "100.05"))
        if ladder.marks:
            assert ladder.marks == {Decimal("100.05")}
            assert paint(ladder) != plain
    assert marked == [(Decimal("100.05"), True), (Decimal("100.05"), False)]


def test_the_ruler_measures_from_the_mid_and_from_the_best_price(ladder: Ladder) -> None:
    hover(ladder, place_of(ladder, "100.02"))
    assert ladder._overlay.ruler == ("+0.015 \u00b7 1.5 ticks", "+0.015 % \u00b7 1.5 bps", "\u03a3 0.400 BTC", "$40.01")
    hover(ladder, place_of(ladder, "99.99"))
    assert ladder._overlay.ruler[0].startswith("\u22120.015")
    assert ladder._overlay.ruler[2] == "\u03a3 3.500 BTC"
    QtWidgets.QApplication.sendEvent(ladder, QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert ladder._overlay.ruler == ()


def test_the_ruler_follows_the_book_under_a_resting_pointer(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    hover(ladder, place_of(ladder, "100.02"))
    change(feed.book, asks=[("100.02", "5.1")])
    clock.tick()
    assert ladder._overlay.ruler[2] == "\u03a3 5.400 BTC"


def test_rows_that_are_not_proven_are_hatched_and_say_why(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    proven = Ladder(clock, theme)
    partly = Ladder(clock, theme)
    for widget, book in ((proven, small_book()), (partly, small_book(limit=3))):
        qtbot.addWidget(widget)
        widget.resize(450, 700)
        widget.set_feed(FakeFeed(book))
        widget.show()
        clock.tick()
        paint(widget)
    at = place_of(partly, "99.90")
    left = QtCore.QPoint(20, at.y())
    assert proven.tip_at(left) == ""
    assert partly.tip_at(left).startswith("Not proven below 99.95.")
    assert partly.tip_at(place_of(partly, "100.15")).startswith("Not proven above 100.1.")
    strip = QtCore.QRect(2, at.y() - 3, 120, 12)
    colours = [
        {picture.pixel(x, y) for x in range(strip.left(), strip.right()) for y in range(strip.top(), strip.bottom())}
        for picture in (paint(proven), paint(partly))
    ]
    assert len(colours[1]) > len(colours[0])


def test_a_wide_spread_is_seen_as_rows(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    ladder = Ladder(clock, theme)
    qtbot.addWidget(ladder)
    ladder.resize(450, 700)
    ladder.set_feed(FakeFeed(make_book([("100.00", "1")], [("100.11", "1")])))
    ladder.show()
    clock.tick()
    paint(ladder)
    prices = [price for price, _, _ in ladder.painted.rows]
    between = prices[prices.index(Decimal("100.11")) + 1 : prices.index(Decimal("100.00"))]
    assert len(between) == 10


@pytest.mark.parametrize("size", [(300, 160), (450, 700), (1200, 2000), (301, 2)])
def test_every_size_is_filled(ladder: Ladder, clock: FrameClock, size: tuple[int, int]) -> None:
    ladder.setMinimumSize(1, 1)
    ladder.resize(*size)
    clock.tick()
    paint(ladder)
    last = ladder._painted_frame.rows[-1]
    assert last.y + ladder._painter.metrics.row_px >= ladder.viewport().height() - ladder._painter.metrics.header_px


def test_long_numbers_are_shortened_not_overlapped(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    feed = FakeFeed(
        make_book([("0.00001234", "98765432109876.12345678")], [("0.00001235", "1")]),
        symbol="1000000MOGUSDT_260327-VERY-LONG-NAME",
        info=Info(tick=Decimal("0.00000001"), step=Decimal("0.00000001")),
    )
    ladder = Ladder(clock, theme)
    qtbot.addWidget(ladder)
    ladder.resize(300, 400)
    ladder.set_feed(feed)
    ladder.show()
    clock.tick()
    paint(ladder)
    assert sizes(ladder)["0.00001234"] == (Decimal("98765432109876.12345678"), None)


def test_without_a_feed_and_without_a_book_it_says_so(ladder: Ladder, clock: FrameClock) -> None:
    ladder.set_feed(None)
    paint(ladder)
    assert ladder.painted.rows == ()
    waiting = FakeFeed(None, State.CONNECTING)
    ladder.set_feed(waiting)
    assert ladder._message() == "Waiting for the first snapshot"
    waiting.status.detail = "Connecting to Binance Spot"
    assert ladder._message() == "Connecting to Binance Spot"
    waiting.book = small_book()
    clock.tick()
    paint(ladder)
    assert len(sizes(ladder)) == 6


def test_the_venues_tick_is_taken_over_when_it_comes(ladder: Ladder, feed: FakeFeed, clock: FrameClock) -> None:
    feed.info = Info(tick=Decimal("0.05"))
    change(feed.book, bids=[("99.95", "5")])
    clock.tick()
    paint(ladder)
    assert ladder.painted.step == Decimal("0.05")


def test_another_theme_repaints(ladder: Ladder, theme: Theme) -> None:
    dark = paint(ladder)
    ladder.set_theme(Theme(LIGHT, theme.typeface))
    light = paint(ladder)
    assert QtGui.qGray(dark.pixel(3, 300)) < 60
    assert QtGui.qGray(light.pixel(3, 300)) > 200


def test_flashes_fade_and_can_be_turned_off(ladder: Ladder, feed: FakeFeed, clock: FrameClock, time) -> None:
    change(feed.book, bids=[("100.00", "8")])
    assert ladder.render_frame(time.now_s) == time.now_s + FADE_STEP_S
    time.now_s += 1
    change(feed.book, bids=[("97.00", "8")])
    assert ladder.render_frame(time.now_s) is None
    ladder.set_options(LadderOptions(flashes=False))
    change(feed.book, bids=[("100.00", "9")])
    assert ladder.render_frame(time.now_s) is None


def test_a_flash_fades_without_building_the_frame_again(
    ladder: Ladder, feed: FakeFeed, clock: FrameClock, time
) -> None:
    change(feed.book, bids=[("100.00", "8")])
    clock.tick()
    frame = ladder._frame
    bright = paint(ladder)
    time.now_s += 0.3
    clock.tick()
    assert ladder._frame is frame
    assert paint(ladder) != bright
    time.now_s += 0.3
    clock.tick()
    assert ladder.render_frame(time.now_s) is None


def test_a_screen_reader_is_told_the_state(ladder: Ladder) -> None:
    assert ladder.accessibleName() == "Price ladder"
    QtWidgets.QApplication.sendEvent(ladder, QtGui.QFocusEvent(QtCore.QEvent.Type.FocusIn))
    assert ladder.accessibleDescription() == "BTCUSDT, live, mid 100.005, spread 0.01"


def test_paints_are_timed(ladder: Ladder, clock: FrameClock) -> None:
    assert 0 < ladder.paint_ms < 100
    assert clock.stats().paint_last_ms == ladder.paint_ms
