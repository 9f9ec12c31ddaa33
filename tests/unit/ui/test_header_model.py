"""What the header and the state pill say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from unit.ui.books import Counters, FakeFeed, Info, State, Status, make_book, small_book

from depthgui.ui.viewmodels.feed_view import LastPriceTracker, instrument_of
from depthgui.ui.viewmodels.header import HeaderModel, HeaderOptions, pill_of
from depthgui.ui.wording import TimeZone

UTC = HeaderOptions(zone=TimeZone.UTC)


def stats(feed: FakeFeed, **kwargs: float) -> dict[str, tuple[str, str]]:
    view = HeaderModel(UTC).build(feed, 100.0, **kwargs)
    return {stat.name: (stat.value, stat.caption) for stat in view.stats}


def test_figures_of_a_live_book() -> None:
    feed = FakeFeed(small_book(), counters=Counters(updates_per_s=10.04, lag_ms=41.6))
    feed.trade("100.00")
    feed.trade("100.01")
    view = HeaderModel(UTC).build(feed, 100.0)
    assert (view.last, view.direction, view.is_stale) == ("100.01", 1, False)
    assert stats(feed) == {
        "spread": ("0.01", "Spread \u00b7 1.00 bps"),
        "mid": ("100.005", "Mid"),
        "imbalance": ("\u22121.0 %", "Imbalance \u00b7 \u00b10.1 %"),
        "updates": ("10.0 /s", "Updates"),
        "lag": ("42 ms", "Feed lag"),
    }


def test_without_trades_the_mid_stands_for_the_last_price() -> None:
    assert HeaderModel(UTC).build(FakeFeed(small_book()), 0.0).last == "100.005"
    padded = make_book([("100.00000000", "1")], [("100.01000000", "1")])
    assert HeaderModel(UTC).build(FakeFeed(padded), 0.0).last == "100.005", "no more decimals than it needs"


def test_without_a_book_nothing_is_made_up() -> None:
    view = HeaderModel(UTC).build(FakeFeed(None, State.CONNECTING), 0.0)
    assert view.last == ""
    assert [stat.name for stat in view.stats] == ["updates"]


def test_a_late_application_is_named_instead_of_the_feed() -> None:
    feed = FakeFeed(small_book(), counters=Counters(lag_ms=900.0))
    assert stats(feed, loop_lag_ms=400.0)["lag"] == ("400 ms", "App busy")


def test_a_clock_that_is_behind_gives_a_negative_lag() -> None:
    assert stats(FakeFeed(small_book(), counters=Counters(lag_ms=-12.0)))["lag"][0] == "\u221212 ms"


def test_an_absurd_lag_is_not_shown() -> None:
    assert "lag" not in stats(FakeFeed(small_book(), counters=Counters(lag_ms=7.2e10)))


@pytest.mark.parametrize(
    ("state", "status", "text"),
    [
        (State.LIVE, Status(), "Live \u00b7 verified 12 s ago"),
        (State.CONNECTING, Status(), "Connecting"),
        (State.CONNECTING, Status(buffered=34), "Buffering 34 events"),
        (State.CONNECTING, Status(buffered=1), "Buffering 1 event"),
        (State.STALE, Status(), "Stale since 22:13:20Z"),
        (State.RECONNECTING, Status(since_s=91.0), "Reconnecting \u00b7 9 s"),
        (State.STOPPED, Status(), "Stopped since 22:13:20Z"),
        (State.FAILED, Status(), "Failed"),
    ],
)
def test_the_pill(state: State, status: Status, text: str) -> None:
    feed = FakeFeed(small_book(), state, status=status, counters=Counters(verified_s=88.0))
    assert pill_of(feed, 100.0, TimeZone.UTC).text == text


def test_a_book_that_was_never_verified_doesn_t_claim_it() -> None:
    assert pill_of(FakeFeed(small_book()), 100.0, TimeZone.UTC).text == "Live"


def test_the_pill_s_tool_tip_has_the_counts() -> None:
    feed = FakeFeed(small_book(), counters=Counters(gaps=1, resyncs=2, audits=30, audit_differences=0))
    tip = pill_of(feed, 0.0, TimeZone.UTC).tip
    assert "1 gap, 2 resyncs" in tip
    assert "30 audits, 0 differences" in tip
    assert "Update id 7" in tip


def test_the_last_price_leaves_out_prints_off_the_market_and_keeps_its_direction() -> None:
    feed, tracker = FakeFeed(), LastPriceTracker()
    assert tracker.read(feed) is None
    for price in ("100", "101", "101"):
        feed.trade(price)
    last = tracker.read(feed)
    assert last is not None
    assert (last.text, last.direction) == ("101", 1)
    feed.trade("90", is_market=False)
    assert tracker.read(feed) == last
    feed.trade("100.5")
    assert tracker.read(feed) != last


def test_what_the_venue_didn_t_say_is_read_off_the_book() -> None:
    feed = FakeFeed(make_book([("61737.63000000", "0.00120000")], [("61737.64000000", "1.0")]), info=None)
    made = instrument_of(feed)
    assert (made.tick, made.size_step) == (Decimal("0.01"), Decimal("0.0001"))
    feed.info = Info(tick=Decimal("0.10"), step=None)
    assert instrument_of(feed).tick == Decimal("0.10")
