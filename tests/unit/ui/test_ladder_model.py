"""The ladder's frames: nothing lost, nothing rounded, in the right row."""

from __future__ import annotations

import itertools
from collections import defaultdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.ui.books import change, make_book, small_book

from depthgui.book.levels import Side
from depthgui.ui.viewmodels.figures import ExactScale
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder import LadderModel, LadderOptions, LastPrice
from depthgui.ui.viewmodels.ladder_frame import (
    ASK_SIDE,
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    LadderFrame,
    LadderRow,
)
from depthgui.ui.viewmodels.row_sums import DenseRows, SparseRows

CENT = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.001"), "BTC", "USDT", "BTC")
ROW = 19


def model(ticks: int = 1, rows: int = 40, options: LadderOptions | None = None) -> LadderModel:
    made = LadderModel(CENT, options)
    made.set_grouping(ticks)
    made.grid.resize(rows * ROW + 24, ROW, 24)
    return made


def by_price(frame: LadderFrame) -> dict[Decimal, LadderRow]:
    return {price: row for (price, _, _), row in zip(frame.painted.rows, frame.rows, strict=True)}


def row_at(frame: LadderFrame, price: str) -> LadderRow:
    return by_price(frame)[Decimal(price)]


def test_every_visible_level_is_in_its_row_with_its_exact_size() -> None:
    painted = model().build(small_book(), stale=False).painted
    sizes = {price: (bid, ask) for price, bid, ask in painted.rows if bid is not None or ask is not None}
    assert sizes == {
        Decimal("100.10"): (None, Decimal("7.250")),
        Decimal("100.02"): (None, Decimal("0.100")),
        Decimal("100.01"): (None, Decimal("0.300")),
        Decimal("100.00"): (Decimal("1.000"), None),
        Decimal("99.99"): (Decimal("2.500"), None),
        Decimal("99.95"): (Decimal("4.000"), None),
    }
    assert painted.update_id == 7
    assert painted.step == Decimal("0.01")
    assert not painted.stale


def test_rows_are_every_price_of_the_grid_from_top_to_bottom() -> None:
    prices = [price for price, _, _ in model().build(small_book(), stale=False).painted.rows]
    assert len(prices) >= 40
    assert {above - below for above, below in itertools.pairwise(prices)} == {Decimal("0.01")}


def test_grouped_bids_go_down_and_asks_go_up() -> None:
    book = make_book(
        [("100.09", "1"), ("100.00", "2"), ("99.99", "4")], [("100.11", "8"), ("100.20", "16"), ("100.21", "32")]
    )
    painted = model(10).build(book, stale=False).painted
    sizes = {str(price): (bid, ask) for price, bid, ask in painted.rows if bid or ask}
    assert sizes == {
        "100.30": (None, Decimal(32)),
        "100.20": (None, Decimal(24)),
        "100.00": (Decimal(3), None),
        "99.90": (Decimal(4), None),
    }


def test_prices_off_the_tick_and_sizes_off_the_step_are_kept() -> None:
    book = make_book([("100.005", "1.00000001")], [("100.0151", "0.1234567891"), ("100.02", "1")])
    painted = model().build(book, stale=False).painted
    sizes = {str(price): (bid, ask) for price, bid, ask in painted.rows if bid or ask}
    assert sizes == {
        "100.02": (None, Decimal("1.1234567891")),
        "100.00": (Decimal("1.00000001"), None),
    }


levels = st.dictionaries(st.integers(1, 4000), st.integers(1, 10**7), min_size=1, max_size=60)


@given(bids=levels, asks=levels, ticks=st.sampled_from([1, 2, 3, 10, 25, 1000]), gap=st.integers(1, 300))
def test_sums_on_the_grid_equal_a_sum_of_decimals(
    bids: dict[int, int], asks: dict[int, int], ticks: int, gap: int
) -> None:
    # Prices in thousandths: one decimal more than the tick has.
    bid_levels = {Decimal(5000 - away) / 1000: Decimal(size) / 1000 for away, size in bids.items()}
    ask_levels = {Decimal(5000 + gap + away) / 1000: Decimal(size) / 1000 for away, size in asks.items()}
    book = make_book(
        [(f"{p:.3f}", f"{s:.3f}") for p, s in sorted(bid_levels.items(), reverse=True)],
        [(f"{p:.3f}", f"{s:.3f}") for p, s in sorted(ask_levels.items())],
    )
    made = model(ticks, rows=500)
    painted = made.build(book, stale=False).painted
    step = made.step
    expected: dict[Decimal, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for price, size in bid_levels.items():
        expected[(price / step).to_integral_value(ROUND_FLOOR) * step][0] += size
    for price, size in ask_levels.items():
        expected[(price / step).to_integral_value(ROUND_CEILING) * step][1] += size
    on_screen = {price for price, _, _ in painted.rows}
    shown = {price: [bid or Decimal(0), ask or Decimal(0)] for price, bid, ask in painted.rows if bid or ask}
    assert shown == {price: sizes for price, sizes in expected.items() if price in on_screen}


@given(bids=levels, step=st.sampled_from([1, 7, 50, 999]), last=st.integers(1, 60), guess=st.integers(1, 80))
def test_both_ways_to_sum_agree(bids: dict[int, int], step: int, last: int, guess: int) -> None:
    book = make_book(
        [(f"{(5000 - away) / 1000:.3f}", str(size)) for away, size in sorted(bids.items())],
        [(f"{(5000 + away) / 1000:.3f}", str(size)) for away, size in sorted(bids.items())],
    )
    prices, sizes = ExactScale(3), ExactScale(3)
    for side in (book.bids, book.asks):
        index = (5000 // step) + (last if side.side is Side.ASK else -last)
        sparse = SparseRows(prices, sizes).sum_rows(side, index, step, guess)
        dense = DenseRows(prices, sizes).sum_rows(side, index, step, guess)
        assert sparse == dense
        assert list(sparse.rows) == list(dense.rows)


def test_both_ways_to_sum_agree_where_prices_need_decimals() -> None:
    texts = [f"{n}.00000000000001" for n in range(1_000_500, 1_000_000, -5)]
    book = make_book([(text, "1.5") for text in texts], [("2000000.00000000000001", "1")])
    prices, sizes = ExactScale(14), ExactScale()
    step = 20 * 10**14
    sparse = SparseRows(prices, sizes).sum_rows(book.bids, 50_003, step, 10)
    assert sparse == DenseRows(prices, sizes).sum_rows(book.bids, 50_003, step, 10)
    assert len(sparse.rows) > 10


def test_sizes_that_no_float_holds_are_summed_exactly_in_both_ways() -> None:
    texts = ["9007199254740993", "9007199254740992.0", "9007199254740992.5", "0.1", "0.2", "1.50", "9007199254740993"]
    book = make_book([(f"{100 - n}.00", text) for n, text in enumerate(texts)], [("101.00", "1")])
    exact = sum(map(Decimal, texts))
    for way in (SparseRows, DenseRows):
        sizes = ExactScale()
        sums = [way(ExactScale(), sizes).sum_rows(book.bids, 0, 1000 * 10**8, 10) for _ in range(2)]
        assert sums[0] == sums[1]
        assert sizes.to_decimal(sums[0].rows[0]) == exact


def test_running_totals_count_every_level_from_the_best_one() -> None:
    made = model(rows=12)
    book = make_book([(f"{100 - n / 100:.2f}", "1") for n in range(50)], [("100.01", "1")])
    made.build(book, stale=False)
    made.grid.scroll(-20 * ROW)  # the best bids are now above the view
    frame = made.build(book, stale=False)
    top = frame.rows[0]
    assert not top.flags & BEST_BID
    assert Decimal(frame.totals[0][0]) == (Decimal("100.00") - frame.painted.rows[0][0]) / Decimal("0.01") + 1


def test_flags_of_best_rows_sides_and_spread() -> None:
    book = make_book([("100.00", "1")], [("100.05", "1")])
    frame = model().build(book, stale=False)
    assert row_at(frame, "100.00").flags & BEST_BID
    assert row_at(frame, "100.05").flags & BEST_ASK
    inside = [str(price) for price, row in by_price(frame).items() if row.flags & IN_SPREAD]
    assert inside == ["100.04", "100.03", "100.02", "100.01"]
    assert all(bool(row.flags & BID_SIDE) is not bool(row.flags & ASK_SIDE) for row in frame.rows)


def test_a_wide_spread_is_rows_with_the_band_in_its_middle() -> None:
    book = make_book([("100.00", "1")], [("100.20", "1")])
    frame = model().build(book, stale=False, last=LastPrice("100.20", 1))
    assert frame.band is not None
    assert frame.band.spread == "spread 0.20"
    assert (frame.band.price, frame.band.direction) == ("100.20", 1)
    above = [row for row in frame.rows if row.flags & IN_SPREAD and row.y < frame.band.y]
    below = [row for row in frame.rows if row.flags & IN_SPREAD and row.y > frame.band.y]
    assert (len(above), len(below)) == (10, 9)


def test_rows_outside_the_coverage_are_flagged_on_their_side() -> None:
    book = small_book(limit=3)
    frame = model().build(book, stale=False)
    uncovered = {price for price, row in by_price(frame).items() if row.flags & UNCOVERED}
    assert Decimal("99.94") in uncovered
    assert Decimal("99.95") not in uncovered
    assert Decimal("100.11") in uncovered
    assert Decimal("100.10") not in uncovered
    assert not {row.flags & UNCOVERED for row in model().build(small_book(), stale=False).rows} - {0}


def test_a_grouped_row_that_is_proven_only_in_part_is_flagged() -> None:
    book = make_book([("100.00", "1"), ("99.95", "1")], [("100.01", "1"), ("100.05", "1")], limit=2)
    frame = model(10).build(book, stale=False)
    assert row_at(frame, "99.90").flags & UNCOVERED
    assert row_at(frame, "100.10").flags & UNCOVERED
    assert not row_at(frame, "100.00").flags & UNCOVERED


def test_bars_are_robust_to_one_giant() -> None:
    bids = [(f"{100 - n / 100:.2f}", "1.0") for n in range(30)]
    bids[5] = (bids[5][0], "100000")
    frame = model(rows=60).build(make_book(bids, [("100.01", "0.5")]), stale=False)
    assert row_at(frame, "99.95").bid_bar == 1.0
    assert row_at(frame, "99.99").bid_bar == pytest.approx(1.0)
    assert row_at(frame, "100.01").ask_bar == pytest.approx(0.5)
    assert row_at(frame, "99.95").flags & LARGE
    assert sum(bool(row.flags & LARGE) for row in frame.rows) == 1


def test_large_orders_by_the_users_own_size() -> None:
    frame = model(options=LadderOptions(large_order=Decimal("2.5"))).build(small_book(), stale=False)
    large = {str(price) for price, row in by_price(frame).items() if row.flags & LARGE}
    assert large == {"100.10", "99.99", "99.95"}
    none = model(options=LadderOptions(large_order=Decimal(0))).build(small_book(), stale=False)
    assert not any(row.flags & LARGE for row in none.rows)


def test_changed_levels_flash_once_each_with_their_direction() -> None:
    made, book = model(), small_book()
    made.build(book, stale=False, now_s=0.0)
    change(book, bids=[("99.99", "3.000"), ("100.00", "0.500")])
    frame = made.build(book, stale=False, now_s=1.0)
    assert frame.flashes == {9999: (1.0, 1), 10000: (1.0, -1)}
    change(book, asks=[("100.02", "0.200")])
    assert made.build(book, stale=False, now_s=2.0).flashes == {10002: (2.0, 1)}


def test_no_flashes_where_they_are_not_wanted() -> None:
    made, book = model(options=LadderOptions(flashes=False)), small_book()
    made.build(book, stale=False)
    change(book, bids=[("99.99", "3.000")])
    assert made.build(book, stale=False).flashes == {}


def test_a_frame_is_of_its_own_moment() -> None:
    made, book = model(), small_book()
    frame = made.build(book, stale=True)
    change(book, bids=[("100.00", "9")])
    assert dict((p, b) for p, b, _ in frame.painted.rows)[Decimal("100.00")] == 1  # noqa: C402
    assert (frame.painted.update_id, frame.painted.stale) == (7, True)


def test_mid_and_spread_are_exact() -> None:
    frame = model().build(small_book(), stale=False)
    assert (frame.mid, frame.spread) == (Decimal("100.005"), Decimal("0.01"))


def test_one_empty_side_and_an_empty_book_are_drawn() -> None:
    only_bids = make_book([("100.00", "1")], [])
    frame = model().build(only_bids, stale=False)
    assert frame.mid is None
    assert row_at(frame, "100.00").bid_units
    assert not any(row.ask_units for row in frame.rows)
    empty = model().build(make_book([], []), stale=False)
    assert not any(row.bid_units or row.ask_units for row in empty.rows)


def test_tiny_and_huge_prices() -> None:
    shib = Instrument("SHIBUSDT", Decimal("0.00000001"), Decimal(1))
    made = LadderModel(shib)
    made.grid.resize(400, ROW, 24)
    frame = made.build(make_book([("0.00001234", "98765432109876")], [("0.00001235", "1")]), stale=False)
    row = row_at(frame, "0.00001234")
    assert (row.price, "".join(row.bid)) == ("0.00001234", "98,765,432,109,876")


def test_a_grouping_below_one_tick_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        model().set_grouping(0)


def test_a_book_with_one_wrong_price_is_drawn_as_quickly_as_any() -> None:
    """Its best bid is so far above the asks that the rows in between cannot be gone through."""
    made = model(ticks=100)
    dense = [(f"{100 - number / 100:.2f}", "1") for number in range(3000)]
    book = make_book(dense, [("100.50", "1")])
    made.build(book, stale=False)
    made.build(book, stale=True)
    change(book, bids=[("900000000000000.00", "1")])
    assert made.build(book, stale=True).update_id == book.last_update_id
