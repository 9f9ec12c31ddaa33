"""Units, short numbers, columns, volume at price and the suggested grouping."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from unit.ui.books import FakeFeed, make_book, small_book

from depthgui.ui.viewmodels.figures import ExactScale
from depthgui.ui.viewmodels.grouping import suggested_ticks
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder import LadderModel
from depthgui.ui.viewmodels.ladder_frame import LARGE, LadderFrame
from depthgui.ui.viewmodels.ladder_options import (
    USUAL_COLUMNS,
    Column,
    LadderOptions,
    SizeUnit,
    columns_from,
    columns_text,
)
from depthgui.ui.viewmodels.volume import VolumeProfile

SPOT = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.001"), "BTC", "USDT", "BTC")
COIN = Instrument("BTCUSD_PERP", Decimal("0.1"), Decimal(1), "BTC", "USD", "contracts", Decimal(100), is_inverse=True)
OPTION = Instrument("BTC-261225-100000-C", Decimal(5), Decimal("0.01"), "BTC", "USDT", "contracts", Decimal("0.5"))


def frame_of(instrument: Instrument, book: object, ticks: int = 1, **options: object) -> LadderFrame:
    made = LadderModel(instrument, LadderOptions(**options))  # type: ignore[arg-type]
    made.set_grouping(ticks)
    made.grid.resize(800, 19, 24)
    return made.build(book, stale=False)  # type: ignore[arg-type]


def shown(frame: LadderFrame) -> dict[str, tuple[str, str]]:
    return {
        row.price: ("".join(row.ask if row.bid_units is None else row.bid), total)
        for row, (total, _) in zip(frame.rows, frame.totals, strict=True)
        if total
    }


def test_quote_money_is_summed_from_every_level_of_a_row() -> None:
    book = make_book([("100.00", "2"), ("99.90", "1")], [("100.10", "3"), ("100.15", "1")])
    made = shown(frame_of(SPOT, book, 100, size_unit=SizeUnit.QUOTE))
    assert made == {"101.00": ("400.5", "400.5"), "100.00": ("200.0", "200.0"), "99.00": ("99.9", "299.9")}


def test_painted_sizes_are_the_venues_whatever_is_shown() -> None:
    for unit in SizeUnit:
        painted = frame_of(SPOT, small_book(), size_unit=unit, short_numbers=True).painted
        assert {bid for _, bid, _ in painted.rows if bid} == {Decimal(1), Decimal("2.5"), Decimal(4)}


def test_contracts_in_base_and_in_quote() -> None:
    book = make_book([("50000.0", "10")], [("50000.1", "7")])
    assert shown(frame_of(COIN, book))["50,000.0"][0] == "10"
    assert shown(frame_of(COIN, book, size_unit=SizeUnit.QUOTE))["50,000.0"][0] == "1,000"
    assert shown(frame_of(COIN, book, size_unit=SizeUnit.BASE))["50,000.0"][0] == "0.020"
    option = make_book([("2000", "3")], [("2005", "1")])
    assert shown(frame_of(OPTION, option, size_unit=SizeUnit.BASE))["2,000"][0] == "1.500"
    assert shown(frame_of(OPTION, option, size_unit=SizeUnit.QUOTE))["2,000"][0] == "3,000"


def test_short_numbers() -> None:
    book = make_book([("1.00", "1234567"), ("0.99", "4500"), ("0.98", "12.3456")], [("1.01", "1")])
    made = shown(frame_of(SPOT, book, short_numbers=True))
    assert [size for size, _ in made.values()] == ["1", "1.23M", "4.50K", "12"]


def test_the_exact_size_stays_at_hand() -> None:
    made = LadderModel(SPOT, LadderOptions(short_numbers=True))
    frame = made.build(small_book(), stale=False)
    units = next(row.bid_units for row in frame.rows if row.bid_units)
    assert made.exact_size(units) == "1.000 BTC"


def test_large_by_value() -> None:
    frame = frame_of(SPOT, small_book(), large_value=Decimal(400))
    large = {str(price) for (price, _, _), row in zip(frame.painted.rows, frame.rows, strict=True) if row.flags & LARGE}
    assert large == {"100.10"}
    either = frame_of(SPOT, small_book(), large_value=Decimal(700), large_order=Decimal(4))
    assert sum(bool(row.flags & LARGE) for row in either.rows) == 2


def test_volume_lies_on_the_rows_that_were_hit() -> None:
    feed = FakeFeed(small_book())
    feed.trade("100.01", "2")
    feed.trade("100.00", "1", is_sell=True)
    feed.trade("100.005", "4")
    feed.trade("90.00", "9", is_market=False)
    scale, prices, profile = ExactScale(), ExactScale(), VolumeProfile()
    profile.read(feed, scale)
    unit = 10**8
    assert profile.rows(prices, scale, unit // 100) == {10001: (6 * unit, 0), 10000: (0, unit)}
    assert profile.rows(prices, scale, unit) == {101: (6 * unit, 0), 100: (0, unit)}
    feed.trade("100.01", "0.000000001")
    profile.read(feed, scale)
    assert profile.rows(prices, scale, unit // 100)[10001] == (60 * unit + 1, 0)


def test_volume_is_shown_in_its_column() -> None:
    feed = FakeFeed(small_book())
    feed.trade("100.01", "3")
    feed.trade("100.01", "1", is_sell=True)
    made = LadderModel(SPOT)
    made.volumes = VolumeProfile()
    made.volumes.read(feed, made.size_scale)
    frame = made.build(small_book(), stale=False)
    row = next(row for row in frame.rows if row.volume)
    assert (row.price, row.volume, row.volume_bar, row.bought) == ("100.01", "4.000", 1.0, 0.75)
    assert sum(bool(row.volume) for row in frame.rows) == 1


@pytest.mark.parametrize(("gap", "ticks"), [(1, 1), (2, 2), (5, 5), (12, 10), (60, 50)])
def test_the_suggested_grouping_fills_the_rows(gap: int, ticks: int) -> None:
    bids = [(f"{1000 - n * gap / 100:.2f}", "1") for n in range(100)]
    asks = [(f"{1000.01 + n * gap / 100:.2f}", "1") for n in range(100)]
    assert suggested_ticks(make_book(bids, asks), Decimal("0.01")) == ticks


def test_a_book_with_few_levels_suggests_nothing() -> None:
    assert suggested_ticks(small_book(), Decimal("0.01")) == 1


def test_columns_are_kept_as_text() -> None:
    columns = (Column.VOLUME, Column.PRICE, Column.BID)
    assert columns_from(columns_text(columns)) == columns
    assert columns_from("") == USUAL_COLUMNS
    assert columns_from("bid,bid,nonsense") == (Column.BID, Column.PRICE)


def test_options_can_be_changed_one_by_one() -> None:
    assert dataclasses.replace(LadderOptions(), short_numbers=True).columns == USUAL_COLUMNS
