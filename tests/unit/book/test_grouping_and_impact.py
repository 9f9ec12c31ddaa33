"""The book on a coarser grid, the balance near the touch, and what an order would get."""

from __future__ import annotations

from decimal import Decimal

import pytest

from depthgui.book.errors import UsageError
from depthgui.book.grouping import group, imbalance
from depthgui.book.impact import Contract, market_impact
from depthgui.book.messages import Level, Snapshot
from depthgui.book.order_book import OrderBook


def book_of(bids: list[Level], asks: list[Level], limit: int | None = None) -> OrderBook:
    return OrderBook.from_snapshot("X", Snapshot(1, bids, asks, None, limit))


BOOK = book_of(
    [("99.99", "1.5"), ("99.95", "0.5"), ("99.50", "8")],
    [("100.01", "2"), ("100.05", "1"), ("100.06", "4")],
)


def test_bids_go_down_and_asks_up_onto_the_grid() -> None:
    step = Decimal("0.05")
    assert group(BOOK.bids, step) == [(Decimal("99.95"), Decimal("2.0")), (Decimal("99.50"), Decimal(8))]
    assert group(BOOK.asks, step) == [(Decimal("100.05"), Decimal(3)), (Decimal("100.10"), Decimal(4))]
    assert group(BOOK.asks, step, 1) == [(Decimal("100.05"), Decimal(3))]
    with pytest.raises(UsageError, match="no grid"):
        group(BOOK.bids, Decimal(0))


def test_imbalance_counts_only_the_band() -> None:
    book = book_of([("100.00", "3"), ("99.00", "50")], [("100.10", "1"), ("101.00", "70")])
    assert imbalance(book, 10) == pytest.approx(0.5)
    assert imbalance(book, 200) == pytest.approx((53 - 71) / 124)
    assert imbalance(book_of([("1", "1")], []), 10) is None


def test_imbalance_of_more_levels_than_are_read_at_once() -> None:
    book = book_of([(f"{100 - n / 10_000:.4f}", "1") for n in range(900)], [("100.0001", "100")])
    assert imbalance(book, 10) == pytest.approx(800 / 1000)


def test_a_purchase_walks_the_asks() -> None:
    bought = market_impact(BOOK, "buy", quantity=Decimal("2.5"))
    assert bought is not None
    assert bought.notional == Decimal("100.01") * 2 + Decimal("100.05") * Decimal("0.5")
    assert bought.average_price == bought.notional / Decimal("2.5")
    assert bought.worst_price == Decimal("100.05")
    assert bought.slippage_bps == (bought.average_price - 100) / 100 * 10_000
    assert bought.is_complete
    assert bought.is_covered


def test_a_sale_walks_the_bids_and_slips_to_the_other_side() -> None:
    sold = market_impact(BOOK, "SELL", quantity=Decimal(2))
    assert sold is not None
    assert sold.worst_price == Decimal("99.95")
    assert sold.slippage_bps > 0


def test_what_the_book_cannot_give_is_said() -> None:
    bought = market_impact(BOOK, "buy", quantity=Decimal(50))
    assert bought is not None
    assert not bought.is_complete
    assert bought.quantity == 7
    limited = book_of([("99", "1")], [("101", "1"), ("102", "1")], limit=2)
    limited.asks.apply([("103", "5")])
    beyond = market_impact(limited, "buy", quantity=Decimal(3))
    assert beyond is not None
    assert not beyond.is_covered, "103 lies beyond what the snapshot proved"


def test_a_notional_buys_what_it_pays_for() -> None:
    bought = market_impact(BOOK, "buy", notional=Decimal("300"))
    assert bought is not None
    assert bought.is_complete
    assert abs(bought.notional - 300) < Decimal("1e-20")
    rest = Decimal(300) - Decimal("100.01") * 2
    assert abs(bought.quantity - (2 + rest / Decimal("100.05"))) < Decimal("1e-20")


def test_contracts_of_an_inverse_market_are_worth_their_size_in_quote() -> None:
    contract = Contract(Decimal(100), is_inverse=True)
    bought = market_impact(BOOK, "buy", quantity=Decimal(3), contract=contract)
    assert bought is not None
    assert bought.notional == 300
    harmonic = 300 / (200 / Decimal("100.01") + 100 / Decimal("100.05"))
    assert abs(bought.average_price - harmonic) < Decimal("1e-20")


@pytest.mark.parametrize("amounts", [{}, {"quantity": Decimal(0)}, {"quantity": Decimal(1), "notional": Decimal(1)}])
def test_an_order_needs_one_amount(amounts: dict[str, Decimal]) -> None:
    with pytest.raises(UsageError, match="either a quantity or a notional"):
        market_impact(BOOK, "buy", **amounts)
    with pytest.raises(UsageError, match="is not a side"):
        market_impact(BOOK, "hold", quantity=Decimal(1))


def test_an_empty_side_has_no_impact() -> None:
    assert market_impact(book_of([("1", "1")], []), "buy", quantity=Decimal(1)) is None
