"""Depth curves and what the cursor's card says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from unit.ui.books import make_book, small_book

pytest.importorskip("numpy")

from depthgui.book.coverage import Coverage
from depthgui.book.messages import Snapshot
from depthgui.ui.viewmodels.depth import DepthModel, impact_lines, impact_to, nice_step, on_tick
from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.viewmodels.instrument import Instrument

CENT = Instrument("BTCUSDT", Decimal("0.01"), Decimal("0.001"), "BTC", "USDT", "BTC")


def test_curves_are_running_sums_from_the_best_price() -> None:
    frame = DepthModel().build(small_book(), stale=False)
    assert frame is not None
    assert frame.bids.prices.tolist() == [100.0, 99.99, 99.95]
    assert frame.bids.sums.tolist() == [1.0, 3.5, 7.5]
    assert frame.asks.sums.tolist() == pytest.approx([0.3, 0.4, 7.65])
    assert frame.largest == pytest.approx(7.65)


def test_a_range_cuts_off_what_lies_outside() -> None:
    made = DepthModel()
    made.range_percent = 0.02
    frame = made.build(small_book(), stale=False)
    assert frame is not None
    assert (frame.low, frame.high) == (pytest.approx(100.005 * 0.9998), pytest.approx(100.005 * 1.0002))
    assert frame.bids.prices.tolist() == [100.0, 99.99]
    assert frame.asks.prices.tolist() == [100.01, 100.02]


def test_many_more_levels_than_guessed_are_all_there() -> None:
    book = make_book([(f"{100 - n / 1000:.3f}", "1") for n in range(3000)], [("100.001", "1")])
    made = DepthModel()
    made.range_percent = 5.0
    frame = made.build(book, stale=False)
    assert frame is not None
    assert frame.bids.total == 3000


def test_all_proven_reaches_to_the_farther_end_of_the_coverage() -> None:
    book = make_book([("100", "1"), ("90", "1"), ("50", "1")], [("101", "1"), ("103", "1")])
    proven = make_book([("100", "1"), ("90", "1")], [("101", "1"), ("103", "1")], limit=2)
    made = DepthModel()
    made.range_percent = None
    frame = made.build(proven, stale=False)
    assert frame is not None
    assert frame.low == pytest.approx(90.0)
    assert frame.proven_high == 103.0
    assert frame.proven_low is None
    everything = made.build(book, stale=False)
    assert everything is not None
    assert everything.low == pytest.approx(50.25)  # never more than half the mid away


def test_a_side_that_is_empty_gives_no_frame() -> None:
    assert DepthModel().build(make_book([("1", "1")], []), stale=False) is None


def test_impact_of_buying_and_selling_is_exact() -> None:
    book = small_book()
    buy = impact_to(book, CENT, Decimal("100.02"))
    assert buy is not None
    assert (buy.is_buy, buy.size, buy.value) == (True, Decimal("0.400"), Decimal("40.00500"))
    assert buy.average == Decimal("40.005") / Decimal("0.4")
    assert buy.slip_bps == abs(buy.average - Decimal("100.005")) / Decimal("100.005") * 10_000
    sell = impact_to(book, CENT, Decimal("99.99"))
    assert sell is not None
    assert (sell.is_buy, sell.size) == (False, Decimal("3.500"))


def test_between_the_best_prices_there_is_nothing_to_take() -> None:
    assert impact_to(make_book([("99", "1")], [("101", "1")]), CENT, Decimal(100)) is None


def test_the_card_in_words() -> None:
    impact = impact_to(
        make_book([("67412.84", "1")], [("67412.85", "100"), ("67537.80", "84.203")]), CENT, Decimal("67537.80")
    )
    assert impact is not None
    assert impact_lines(impact, CENT, NumberFormat()) == (
        "Buy to 67,537.80",
        "Size 184.203 BTC \u00b7 $12.43 M",
        "Avg 67,469.97 \u00b7 slip 8.5 bps",
    )


def test_an_inverse_contract_is_worth_its_size_whatever_the_price() -> None:
    coin = Instrument(
        "BTCUSD_PERP", Decimal("0.1"), Decimal(1), "BTC", "USD", "contracts", Decimal(100), is_inverse=True
    )
    impact = impact_to(make_book([("60000.0", "10")], [("60000.1", "7")]), coin, Decimal("60000.1"))
    assert impact is not None
    assert impact.value == 700


@pytest.mark.parametrize(("span", "count", "step"), [(600, 7, 100), (6.0, 4, 2.0), (0.9, 4, 0.25), (10, 10, 1.0)])
def test_axis_steps_are_round_numbers(span: float, count: int, step: float) -> None:
    assert nice_step(span, count) == pytest.approx(step)


def test_the_cursor_stands_on_ticks() -> None:
    assert on_tick(67537.8049, Decimal("0.01")) == Decimal("67537.80")
    assert on_tick(67537.83, Decimal("0.5")) == Decimal("67538.0")


def test_a_book_of_which_nothing_is_proven_is_unproven_from_the_mid_on() -> None:
    book = small_book()
    book.coverage = Coverage.of(Snapshot(1, [], [], covered=("", "")))
    frame = DepthModel().build(book, stale=False)
    assert frame is not None
    assert frame.proven_low == frame.proven_high == frame.mid
    model = DepthModel()
    model.range_percent = None
    whole = model.build(book, stale=False)
    assert whole is not None
    assert whole.high - whole.low < whole.mid * 10


def test_the_end_of_the_proof_is_never_far_beyond_the_chart() -> None:
    book = small_book()
    book.coverage = Coverage(Decimal(10) ** 12, Decimal(10) ** 13)
    frame = DepthModel().build(book, stale=False)
    assert frame is not None
    assert frame.proven_low == frame.high
