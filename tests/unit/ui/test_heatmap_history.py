"""The heatmap's grid and history against a model that knows nothing but decimals."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.ui.books import change, make_book, small_book

from depthgui.book.messages import Trade
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.heatmap_grid import PriceGrid, fitting_ticks
from depthgui.ui.viewmodels.heatmap_history import BUY, SELL, HeatmapHistory

TICK = Decimal("0.01")


def history_of(ticks: int = 1, capacity: int = 8, rows: int = 32, decimals: int = 3) -> HeatmapHistory:
    return HeatmapHistory(PriceGrid(TICK, ticks), decimals, capacity, rows)


def model_rows(book: OrderBook, step: Decimal) -> dict[int, Decimal]:
    """Sizes by row: bids at or below their price, asks at or above."""
    rows: dict[int, Decimal] = {}
    for side, rounding in ((book.bids, ROUND_FLOOR), (book.asks, ROUND_CEILING)):
        for price, size in side.levels():
            row = int((Decimal(price) / step).to_integral_value(rounding))
            rows[row] = rows.get(row, Decimal(0)) + Decimal(size)
    return rows


# Prices on and off the tick, sizes on and off the step; bids end below 100, asks begin there.
sizes = st.integers(1, 10**12).map(lambda units: f"{Decimal(units).scaleb(-8):f}")
bid_prices = st.integers(99_00, 99_99).map(lambda ticks: f"{Decimal(ticks).scaleb(-2):.2f}")
ask_prices = st.integers(100_00, 100_99).map(lambda ticks: f"{Decimal(ticks).scaleb(-2):.2f}")
odd_bids = st.integers(99_00000000, 99_99999999).map(lambda units: f"{Decimal(units).scaleb(-8):f}")
long_asks = st.integers(1, 999).map(lambda units: f"100.5000000000000{units:03d}")


@given(
    bids=st.dictionaries(st.one_of(bid_prices, odd_bids), sizes, min_size=1, max_size=60),
    asks=st.dictionaries(st.one_of(ask_prices, long_asks), sizes, min_size=1, max_size=60),
    ticks=st.sampled_from((1, 2, 5, 10, 25)),
    rows=st.sampled_from((8, 32, 256)),
    limit=st.sampled_from((None, 1, 1000)),
)
def test_a_column_is_the_book_on_the_grid(
    bids: dict[str, str], asks: dict[str, str], ticks: int, rows: int, limit: int | None
) -> None:
    best_first = sorted(bids.items(), key=lambda level: -Decimal(level[0]))
    book = make_book(best_first, sorted(asks.items(), key=lambda level: Decimal(level[0])), limit=limit)
    history = history_of(ticks, rows=rows)
    assert history.record(5, book, 1)
    column = history.column(5)
    assert column is not None
    model = model_rows(book, TICK * ticks)
    for row in range(column.base, column.base + rows):
        size = column.size_at(row)
        if size is not None:
            assert size == model.get(row, 0), row
    low, high = book.coverage.low, book.coverage.high
    step = TICK * ticks
    for row in range(column.base, column.base + rows):
        # Where the whole row is proven, it is known; else it is not.
        is_proven = (low is None or step * row >= low) and (high is None or step * row <= high)
        assert (column.size_at(row) is not None) == is_proven, row
    assert (column.bid, column.ask) == (float(book.bids.best), float(book.asks.best))


def test_more_levels_than_are_read_leave_the_rest_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthgui.ui.viewmodels.heatmap_history._FIRST_LIMIT", 4)
    monkeypatch.setattr("depthgui.ui.viewmodels.heatmap_history._MOST_LEVELS", 8)
    bids = [(f"{99.99 - 0.01 * number:.2f}", "1") for number in range(40)]
    asks = [(f"{100 + 0.01 * number:.2f}", "1") for number in range(40)]
    history = history_of(ticks=2, rows=32)
    history.record(1, make_book(bids, asks), 0)
    column = history.column(1)
    assert column is not None
    # Eight bids from 99.99 down to 99.92; a ninth would fall into a row of its own, which is not known.
    assert column.size_at(4997) == 2
    assert column.size_at(4996) is None
    assert column.low == 4997
    assert column.high == 5003
    assert column.size_at(5003) == 2


def test_absent_slots_are_gaps_and_the_ring_forgets_the_oldest() -> None:
    history = history_of(capacity=8)
    book = small_book()
    for slot in (1, 2, 5, 6, 11):
        assert history.record(slot, book, 0)
    assert not history.record(11, book, 0)
    assert not history.record(10, book, 0)
    assert [slot for slot in range(14) if history.has(slot)] == [5, 6, 11]
    assert (history.oldest_slot, history.last_slot, history.version) == (4, 11, 5)
    assert history.column(4) is None
    assert history.column(3) is None  # its place is taken by 11


def test_an_empty_book_is_not_kept_and_one_side_is() -> None:
    history = history_of()
    assert not history.record(1, make_book([], []), 0)
    assert history.record(2, make_book([("100.00", "1")], []), 0)
    column = history.column(2)
    assert column is not None
    assert column.ask != column.ask
    assert column.size_at(10_000) == 1


def test_finer_sizes_refine_what_is_kept_already() -> None:
    history = history_of(decimals=1)
    book = make_book([("100.00", "1.5")], [("100.01", "2")])
    history.record(1, book, 0)
    change(book, bids=[("100.00", "1.50000001")])
    history.record(2, book, 0)
    change(book, bids=[("100.00", "99999999.5")])
    history.record(3, book, 0)
    found = [history.column(slot) for slot in (1, 2, 3)]
    assert [column.size_at(10_000) for column in found if column] == [
        Decimal("1.5"),
        Decimal("1.50000001"),
        Decimal("99999999.5"),
    ]


def test_sizes_spelled_unlike_json_are_sizes() -> None:
    history = history_of()
    history.record(1, make_book([("100.00", "007"), ("99.99", "01.5")], [("100.01", "2")]), 0)
    column = history.column(1)
    assert column is not None
    assert (column.size_at(10_000), column.size_at(9_999)) == (7, Decimal("1.5"))


def test_trades_are_summed_by_the_side_that_took() -> None:
    history = history_of()
    trades = [
        Trade(1, "100.01", "2", 0, buyer_is_maker=False),
        Trade(2, "100.03", "2", 0, buyer_is_maker=False),
        Trade(3, "100.00", "0.5", 0, buyer_is_maker=True),
    ]
    history.record(1, small_book(), 0, trades)
    history.record(2, small_book(), 0)
    column, after = history.column(1), history.column(2)
    assert column is not None
    assert after is not None
    assert column.traded[BUY] == 4.0
    assert column.traded[SELL] == 0.5
    assert history.turnover[1, BUY] / 4.0 == pytest.approx(100.02)
    assert after.traded == (0.0, 0.0)


def test_memory_is_bounded_and_as_said() -> None:
    history = HeatmapHistory(PriceGrid(TICK, 1), 3, 2400)
    assert history.memory_bytes == 2400 * (4 * 192 + 96)
    for slot in range(5000):
        history.record(slot, small_book() if slot % 1000 == 0 else BOOK, 0)
    assert history.memory_bytes == 2400 * (4 * 192 + 96)


BOOK = small_book()


def test_a_book_in_which_nothing_changed_is_the_same_column() -> None:
    history = history_of()
    book = small_book()
    for slot in (1, 2, 4):
        history.record(slot, book, slot)
    first, second, third = (history.column(slot) for slot in (1, 2, 4))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (second.units == first.units).all()
    assert (second.base, second.low, second.high, second.bid, second.ask) == (
        first.base,
        first.low,
        first.high,
        first.bid,
        first.ask,
    )
    assert (second.stretch, third.stretch) == (2, 4)
    change(book, bids=[("100.00", "9")])
    history.record(5, book, 4)
    changed = history.column(5)
    assert changed is not None
    assert changed.size_at(10_000) == 9
    history.record(6, small_book(), 5)  # another book of an equal version
    other = history.column(6)
    assert other is not None
    assert other.size_at(10_000) == 1


@pytest.mark.parametrize(("spacing", "expected"), [(1, 2), (10, 25), (25, 50)])
def test_the_grid_reaches_the_best_levels(spacing: int, expected: int) -> None:
    bids = [(f"{Decimal(10_000_00 - spacing * number).scaleb(-2):.2f}", "1") for number in range(500)]
    asks = [(f"{Decimal(10_000_01 + spacing * number).scaleb(-2):.2f}", "1") for number in range(500)]
    assert fitting_ticks(make_book(bids, asks), TICK, 128) == expected


def test_the_grid_of_a_small_or_one_sided_book() -> None:
    assert fitting_ticks(small_book(), TICK, 128) == 1
    assert fitting_ticks(make_book([("1", "1")], []), TICK, 128) == 1
