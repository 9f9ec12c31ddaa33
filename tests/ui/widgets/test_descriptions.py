"""The symbol's description comes before, after or between book and trades, or changes: every view takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6 import QtCore, QtWidgets
from unit.ui.books import FakeFeed, Info, Market, change, make_book, small_book

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.instrument import NOT_DESCRIBED, VALUE_UNKNOWN
from depthgui.ui.viewmodels.ladder_options import SizeUnit
from depthgui.ui.widgets.depth_chart import DepthChart
from depthgui.ui.widgets.header import Header
from depthgui.ui.widgets.heatmap_panel import HeatmapPanel
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.tape import Tape

COIN = Info("BTC", "USD", Decimal("0.1"), Decimal(1), Decimal(100))
TEN = dataclasses.replace(COIN, contract_size=Decimal(10))


def coin_book() -> Any:
    return make_book(
        [("60000.0", "30"), ("59999.9", "50")], [("60000.1", "20"), ("60000.2", "10")], symbol="BTCUSD_PERP"
    )


class Views:
    """Every view of one feed, shown."""

    def __init__(self, clock: FrameClock, theme: Theme, pass_time: Callable[[], None]) -> None:
        self.window = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(self.window)
        self.header, self.ladder = Header(clock, theme), Ladder(clock, theme)
        self.heatmap, self.chart, self.tape = HeatmapPanel(clock, theme), DepthChart(clock, theme), Tape(clock, theme)
        for widget in self.all():
            row.addWidget(widget)
        self.window.resize(1900, 420)
        self.window.show()
        self.ladder.set_options(dataclasses.replace(self.ladder.options, size_unit=SizeUnit.QUOTE))
        self.clock, self.pass_time = clock, pass_time

    def all(self) -> tuple[Any, ...]:
        return (self.header, self.ladder, self.heatmap, self.chart, self.tape)

    def attach(self, feed: FakeFeed | None) -> None:
        for widget in self.all():
            widget.set_feed(feed)

    def paint(self) -> None:
        """Time passes, frames come."""
        self.pass_time()
        self.heatmap.recorder.record()
        self.clock.tick()
        QtWidgets.QApplication.processEvents()

    def facts(self) -> dict[str, Any]:
        """What a person can read off them."""
        ladder, tape, history = self.ladder._frame, self.tape.frame, self.heatmap.recorder.history
        view = self.header.view
        point = QtCore.QPointF(self.chart.width() * 0.7, self.chart.height() / 2)
        self.chart._pointer = point
        self.chart._measure()
        card, self.chart._pointer = self.chart._card, None
        self.chart._measure()
        return {
            "step": None if ladder is None else ladder.step,
            "sizes": [] if ladder is None else ["".join(row.bid) for row in ladder.rows if row.bid_units],
            "notes": {frame.note for frame in (ladder, tape) if frame is not None},
            "chart": card,
            "legend": self.heatmap.plot.frame.cap_text.partition(" ")[2] if self.heatmap.plot.frame else None,
            "grid": None if history is None else history.grid.tick,
            "unknown": any(stat.name == "description" for stat in view.stats) if view else None,
            "group": self.header.group._tick,
            "prints": [] if tape is None else [row.price for row in tape.rows],
        }


@pytest.fixture
def views(clock: FrameClock, theme: Theme, time: Any) -> Iterator[Views]:
    def pass_time() -> None:
        time.now_s += 0.5

    made = Views(clock, theme, pass_time)
    yield made
    made.attach(None)
    made.window.close()
    made.window.deleteLater()


def coin_feed(**changes: Any) -> FakeFeed:
    return FakeFeed(book=None, symbol="BTCUSD_PERP", market=Market.COINM, info=None, **changes)


def book_comes(feed: FakeFeed) -> None:
    feed.book = coin_book()


def trades_come(feed: FakeFeed) -> None:
    feed.trade("60000.1", "3")


def info_comes(feed: FakeFeed) -> None:
    feed.info = COIN


def expected(views: Views) -> dict[str, Any]:
    """The facts of views that had everything from the beginning."""
    feed = coin_feed()
    for come in (info_comes, book_comes, trades_come):
        come(feed)
    views.attach(feed)
    views.paint()
    views.paint()
    return views.facts()


ORDERS = {
    "info, book, trades": (info_comes, book_comes, trades_come),
    "book, info, trades": (book_comes, info_comes, trades_come),
    "book, trades, info": (book_comes, trades_come, info_comes),
    "trades, book, info": (trades_come, book_comes, info_comes),
    "trades, info, book": (trades_come, info_comes, book_comes),
    "info, trades, book": (info_comes, trades_come, book_comes),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_whatever_comes_first_the_views_say_the_same_in_the_end(
    views: Views, order: tuple[Callable[[FakeFeed], None], ...]
) -> None:
    wanted = expected(views)
    assert wanted["sizes"] == ["3,000", "5,000"], "dollars: a contract is 100 of them"
    assert "$" in wanted["chart"][1]
    assert wanted["notes"] == {""}
    feed = coin_feed()
    views.attach(feed)
    for come in order:
        come(feed)
        views.paint()
        if feed.info is None and feed.book is not None:
            facts = views.facts()
            assert facts["unknown"], "the header says that units are not known"
            assert NOT_DESCRIBED in facts["notes"]
            assert facts["sizes"] == ["30", "50"], "contracts, not a hundredth of the money"
            assert VALUE_UNKNOWN in facts["chart"][1]
    views.paint()  # nothing but time has passed since the last one came
    assert views.facts() == wanted


def test_a_contract_size_that_changes_is_taken_while_live(views: Views) -> None:
    feed = coin_feed()
    feed.info, feed.book = TEN, coin_book()
    views.attach(feed)
    views.paint()
    assert views.facts()["sizes"] == ["300.0", "500.0"]
    history = views.heatmap.recorder.history
    feed.info = COIN
    views.paint()
    assert views.facts()["sizes"] == ["3,000", "5,000"]
    assert views.heatmap.recorder.history is history, "sizes in contracts are what they were"


def test_a_tick_that_changes_while_live_makes_new_rows_of_the_height_that_the_user_chose(views: Views) -> None:
    feed = coin_feed()
    feed.info, feed.book = COIN, coin_book()
    views.attach(feed)
    views.paint()
    views.ladder.set_grouping(10)
    views.paint()
    assert views.facts()["step"] == 1
    feed.info = dataclasses.replace(COIN, tick=Decimal("0.01"))
    views.paint()
    facts = views.facts()
    assert facts["step"] == 1
    assert views.ladder.grouping == 100
    assert facts["grid"] == facts["group"] == Decimal("0.01")
    feed.info = dataclasses.replace(COIN, tick=Decimal("0.3"))
    views.paint()
    assert views.ladder.step == Decimal("0.3") * 100, "1 is no multiple of it: as many ticks as before"


def test_a_remembered_grouping_counts_in_the_ticks_that_the_venue_tells(views: Views) -> None:
    feed = coin_feed()
    feed.book = make_book([("60000", "30")], [("60001", "20")])
    views.attach(feed)
    views.ladder.set_grouping(5)
    views.paint()
    assert views.ladder.step == 5, "ticks of 1, as the book's prices have it"
    feed.info = COIN
    views.paint()
    assert views.ladder.step == Decimal("0.5")


def test_a_suggested_grouping_is_suggested_anew_for_the_tick_that_comes(views: Views) -> None:
    feed = FakeFeed(
        make_book([(str(100 - n), "1") for n in range(50)], [(str(101 + n), "1") for n in range(50)]), info=None
    )
    views.attach(feed)
    views.paint()
    assert views.ladder.grouping == 1
    feed.info = Info(tick=Decimal("0.01"))
    views.paint()
    assert views.ladder.grouping == 100, "rows of 1 again"
    assert views.ladder.step == 1


def test_a_venue_without_a_tick_leaves_it_to_the_book_and_tells_its_units(views: Views) -> None:
    feed = coin_feed()
    feed.info = dataclasses.replace(COIN, tick=None, step=None)
    views.attach(feed)
    views.paint()
    feed.book = coin_book()
    views.paint()
    facts = views.facts()
    assert facts["step"] == Decimal("0.1")
    assert facts["sizes"] == ["3,000", "5,000"]
    assert facts["notes"] == {""}
    change(feed.book, [("59999.85", "7")])
    views.paint()
    assert views.facts()["step"] == Decimal("0.1"), "the grid does not jump with each level"


def test_a_coin_contract_whose_size_the_venue_leaves_out_is_worth_nothing_known(views: Views) -> None:
    feed = coin_feed()
    feed.info, feed.book = dataclasses.replace(COIN, contract_size=None), coin_book()
    views.attach(feed)
    views.paint()
    facts = views.facts()
    assert facts["sizes"] == ["30", "50"]
    assert VALUE_UNKNOWN in facts["chart"][1]


def test_the_place_in_the_book_stays_where_only_the_units_come(views: Views) -> None:
    feed = coin_feed()
    feed.book = coin_book()
    views.attach(feed)
    views.paint()
    views.ladder.scroll_rows(5)
    views.paint()
    rows = [row[0] for row in views.ladder.painted.rows]
    feed.info = COIN
    views.paint()
    assert views.ladder.is_locked
    assert [row[0] for row in views.ladder.painted.rows] == rows


def test_a_tape_that_is_read_stays_paused(views: Views) -> None:
    feed = coin_feed()
    trades_come(feed)
    views.attach(feed)
    views.paint()
    assert views.tape._model is not None
    views.tape._model.pause()
    feed.info = COIN
    views.paint()
    assert views.tape.frame is not None
    assert views.tape.frame.is_paused


def test_the_status_alone_changes_no_picture(views: Views) -> None:
    feed = FakeFeed(small_book())
    views.attach(feed)
    views.paint()
    model = views.ladder._model
    feed.info = Info(status="halt")
    views.paint()
    assert views.ladder._model is model


def test_another_feed_brings_its_own(views: Views) -> None:
    feed = coin_feed()
    feed.info, feed.book = COIN, coin_book()
    views.attach(feed)
    views.paint()
    views.attach(FakeFeed(small_book()))
    views.paint()
    facts = views.facts()
    assert facts["step"] == Decimal("0.01")
    assert facts["legend"].endswith("BTC")


def test_the_legend_takes_its_unit_at_once(views: Views) -> None:
    feed = FakeFeed(small_book(), info=None)
    views.attach(feed)
    views.paint()
    before = views.facts()
    assert not before["legend"].endswith("BTC")
    feed.info = Info()
    feed.state = SimpleNamespace(value="stale")  # type: ignore[assignment]
    views.paint()
    facts = views.facts()
    assert facts["legend"].endswith("BTC"), "also while nothing is recorded"
