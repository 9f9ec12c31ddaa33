"""The tape: which prints are shown, as one or as several, and which are large."""

from __future__ import annotations

from decimal import Decimal

from unit.ui.books import FakeFeed

from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.tape import Merge, TapeModel, TapeOptions
from depthgui.ui.wording import TimeZone

CENT = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.0001"))


def lines(made: TapeModel, count: int = 50) -> list[tuple[str, str, bool]]:
    return [(row.price, "".join(row.size), row.is_buy) for row in made.frame(count).rows]


def tape(feed: FakeFeed, **options: object) -> TapeModel:
    made = TapeModel(CENT, TapeOptions(zone=TimeZone.UTC, **options))  # type: ignore[arg-type]
    made.read(feed)
    return made


def test_newest_first_with_the_takers_side() -> None:
    feed = FakeFeed()
    feed.trade("100.00", "0.5", time_ms=0)
    feed.trade("100.01", "0.25", time_ms=1000, is_sell=True)
    assert lines(tape(feed)) == [("100.01", "0.2500", False), ("100.00", "0.5000", True)]


def test_prints_off_the_market_are_left_out() -> None:
    feed = FakeFeed()
    feed.trade("98", is_market=False)
    assert lines(tape(feed)) == []


def test_pieces_of_one_order_at_one_price_are_one_print() -> None:
    feed = FakeFeed()
    for time_ms, price, is_sell in ((0, "100", False), (3, "100", False), (4, "100.01", False), (5, "100.01", True)):
        feed.trade(price, "0.1", time_ms=time_ms, is_sell=is_sell)
    assert [row.count for row in tape(feed).frame(9).rows] == [1, 1, 2]
    assert lines(tape(feed))[-1] == ("100.00", "0.2000", True)
    assert [row.count for row in tape(feed, merge=Merge.SWEEP).frame(9).rows] == [1, 3]
    assert len(lines(tape(feed, merge=Merge.NONE))) == 4


def test_prints_that_are_too_far_apart_stay_apart() -> None:
    feed = FakeFeed()
    feed.trade("100", "1", time_ms=0)
    feed.trade("100", "1", time_ms=6)
    assert len(lines(tape(feed))) == 2


def test_small_prints_are_left_out_and_come_back() -> None:
    feed = FakeFeed()
    for number, size in enumerate(("0.1", "2", "0.3", "4")):
        feed.trade("100", size, time_ms=number * 1000)
    made = tape(feed, min_size=Decimal("0.3"))
    assert [size for _, size, _ in lines(made)] == ["4.0000", "0.3000", "2.0000"]
    assert [size for _, size, _ in lines(made, 1)] == ["4.0000"]
    made.set_options(TapeOptions())
    assert len(lines(made)) == 4


def test_changing_the_merging_reads_the_feed_again() -> None:
    feed = FakeFeed()
    feed.trade("100", "1", time_ms=0)
    feed.trade("100", "1", time_ms=1)
    made = tape(feed)
    made.set_options(TapeOptions(merge=Merge.NONE), feed.trades)
    assert len(lines(made)) == 2


def test_a_paused_tape_stands_still_and_counts() -> None:
    feed = FakeFeed()
    feed.trade("100", "1", time_ms=0)
    made = tape(feed)
    made.pause()
    feed.trade("101", "1", time_ms=1000)
    made.read(feed)
    frame = made.frame(9)
    assert ([row.price for row in frame.rows], frame.is_paused, frame.waiting) == (["100.00"], True, 1)
    made.resume()
    assert [row.price for row in made.frame(9).rows] == ["101.00", "100.00"]


def test_only_new_trades_are_read_although_the_feed_forgets_old_ones() -> None:
    feed = FakeFeed()
    made = tape(feed)
    for number in range(5000):
        feed.trade(f"{number + 1}.00", "1", time_ms=number * 100)
        if number % 700 == 0:
            made.read(feed)
    made.read(feed)
    assert [row.price for row in made.frame(3).rows] == ["5,000.00", "4,999.00", "4,998.00"]
    assert len(made.frame(5000).rows) == 1000


def test_large_prints_are_found_or_named() -> None:
    feed = FakeFeed()
    for number in range(100):
        feed.trade("100", "50" if number in {40, 80} else "0.1", time_ms=number * 100)
    assert [row.is_large for row in tape(feed).frame(100).rows].count(True) == 2
    named = tape(feed, large_size=Decimal("0.1"))
    assert all(row.is_large for row in named.frame(100).rows)
    assert not any(row.is_large for row in tape(feed, large_size=Decimal(0)).frame(100).rows)


def test_sizes_are_exact_also_off_the_step() -> None:
    feed = FakeFeed()
    feed.trade("100", "0.1", time_ms=0)
    feed.trade("100", "0.0000000001", time_ms=1)
    feed.trade("100", "123456789.12345678", time_ms=2000)
    assert [size for _, size, _ in lines(tape(feed))] == ["123,456,789.12345678", "0.1000000001"]


def test_times_are_in_the_chosen_zone() -> None:
    feed = FakeFeed()
    feed.trade("100", time_ms=1_700_000_000_999)
    assert tape(feed).frame(1).rows[0].time == "22:13:20"
