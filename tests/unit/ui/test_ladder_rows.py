"""Rows that are kept from frame to frame are those that would be made anew."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.ui.books import FakeFeed, change, small_book

from depthgui.ui.viewmodels.figures import ExactScale, NumberFormat
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder import LadderModel, LastPrice
from depthgui.ui.viewmodels.ladder_options import LadderOptions, SizeUnit
from depthgui.ui.viewmodels.ladder_rows import SideRows
from depthgui.ui.viewmodels.ladder_sizes import SizeColumn
from depthgui.ui.viewmodels.volume import VolumeProfile

CENT = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.001"), "BTC", "USDT", "BTC")
SIZES = st.sampled_from(["0", "0.001", "0.250", "1.000", "7.77", "123.456", "98765.432"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bid"), st.integers(9980, 10000), SIZES),
        st.tuples(st.just("ask"), st.integers(10001, 10020), SIZES),
        st.tuples(st.just("buy"), st.integers(9980, 10020), SIZES),
        st.tuples(st.just("sell"), st.integers(9980, 10020), SIZES),
        st.tuples(st.just("scroll"), st.integers(-40, 40), st.just("0")),
        st.tuples(st.just("centre"), st.just(0), st.just("0")),
    ),
    max_size=15,
)


def forget(model: LadderModel) -> None:
    """Make it build the next frame from nothing but the book."""
    model._side_rows = (SideRows(model._column, model._price_text), SideRows(model._column, model._price_text))
    model._touch, model._traded_rows, model.grid._laid_out_for = (0, 0), None, ()
    model._frame = None


@given(STEPS, st.sampled_from(list(SizeUnit)), st.booleans(), st.sampled_from([1, 5]))
def test_kept_rows_are_as_new_ones(steps: list[tuple[str, int, str]], unit: SizeUnit, short: bool, ticks: int) -> None:
    model = LadderModel(CENT, LadderOptions(size_unit=unit, short_numbers=short))
    model.set_grouping(ticks)
    model.grid.resize(20 * 19 + 24, 19, 24)
    feed = FakeFeed(small_book())
    book = feed.book
    assert book is not None
    model.volumes = VolumeProfile()
    for what, number, size in steps:
        price = f"{number / 100:.2f}"
        if what in {"bid", "ask"}:
            change(book, *([(price, size)], []) if what == "bid" else ([], [(price, size)]))
        elif what in {"buy", "sell"}:
            feed.trade(price, size, is_sell=what == "sell")
        elif what == "scroll":
            model.grid.scroll(number)
        else:
            model.grid.centre()
        model.volumes.read(feed, model.size_scale)
        kept = model.build(book, stale=False)
        forget(model)
        fresh = model.build(book, stale=False)
        assert (kept.rows, kept.totals) == (fresh.rows, fresh.totals)
        assert (kept.band, kept.mid, kept.spread) == (fresh.band, fresh.mid, fresh.spread)


def test_what_stays_is_the_same_row() -> None:
    model = LadderModel(CENT)
    model.grid.resize(40 * 19 + 24, 19, 24)
    book = small_book()
    before = model.build(book, stale=False)
    change(book, [("99.99", "2.600")])  # less in all than the asks, and neither large nor small
    after = model.build(book, stale=False)
    changed = {row.price for row, old in zip(after.rows, before.rows, strict=True) if row is not old}
    assert changed == {"99.99"}
    totals = zip(after.rows, after.totals, before.totals, strict=True)
    changed = {row.price for row, total, old in totals if total != old}
    assert changed == {row.price for row in after.rows if Decimal(row.price) <= Decimal("99.99")}


def test_another_last_price_changes_the_band_alone() -> None:
    model = LadderModel(CENT)
    model.grid.resize(40 * 19 + 24, 19, 24)
    book = small_book()
    before = model.build(book, stale=False, last=LastPrice("100.00", 1))
    after = model.build(book, stale=False, last=LastPrice("100.01", -1))
    assert after.rows is before.rows
    assert (before.band.price, after.band.price, after.band.direction) == ("100.00", "100.01", -1)
    assert model.build(book, stale=True).stale
    change(book, [("99.99", "2.600")])
    assert model.build(book, stale=True).rows is not before.rows


@given(st.lists(st.tuples(st.integers(9990, 10010), SIZES, st.booleans(), st.booleans()), max_size=20))
def test_volume_added_bit_by_bit_is_that_of_all_trades(trades: list[tuple[int, str, bool, bool]]) -> None:
    feed, prices, sizes = FakeFeed(small_book()), ExactScale(), ExactScale()
    profile = VolumeProfile()
    for number, size, is_sell, is_asked in trades:
        feed.trade(f"{number / 100:.2f}", size, is_sell=is_sell)
        profile.read(feed, sizes)
        if is_asked:
            profile.rows(prices, sizes, 5 * 10**6)
    whole = VolumeProfile()
    whole.read(feed, sizes)
    traded = {row: units for row, units in profile.rows(prices, sizes, 5 * 10**6).items() if any(units)}
    assert traded == whole.rows(prices, sizes, 5 * 10**6)


def test_volume_is_another_mapping_when_something_was_traded() -> None:
    feed, prices, sizes = FakeFeed(small_book()), ExactScale(), ExactScale()
    profile = VolumeProfile()
    feed.trade("100.00", "1")
    profile.read(feed, sizes)
    before = profile.rows(prices, sizes, 10**6)
    assert profile.rows(prices, sizes, 10**6) is before
    feed.trade("100.00", "2")
    profile.read(feed, sizes)
    after = profile.rows(prices, sizes, 10**6)
    assert after is not before
    assert (before[10000], after[10000]) == ((10**8, 0), (3 * 10**8, 0))


@pytest.mark.parametrize("style", [NumberFormat(), NumberFormat("", ","), NumberFormat(".", ",")])
@given(st.lists(st.integers(0, 10**26), min_size=1, max_size=6))
def test_totals_are_rounded_half_up_to_four_digits_of_the_largest(style: NumberFormat, totals: list[int]) -> None:
    scale = ExactScale()
    column = SizeColumn(CENT, ExactScale(), scale, LadderOptions(number_format=style))
    column.fit(0, max(totals))
    decimals = max(0, min(3, 4 - len(str(max(totals) // 10**8))))
    if 0 < max(totals) < 10**5:  # below 0.001 three decimals would say nothing: a digit or two more than the zeros
        zeros = 8 - len(str(max(totals)))
        decimals = min(3 + zeros - 1, zeros + 1)
    for total, rounded in zip(totals, column.rounded_sums(totals), strict=True):
        exact = scale.to_decimal(total).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        plain = column.sum_text(rounded).replace(style.thousands or "\0", "").replace(style.point, ".")
        assert Decimal(plain) == exact
        assert (len(plain.partition(".")[2])) == decimals
