"""What an order of a given size would do to the book: average price, worst price, slippage. Exact decimals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from depthgui.book.errors import UsageError
from depthgui.book.levels import Side
from depthgui.book.order_book import OrderBook


@dataclass(frozen=True, slots=True)
class Contract:
    """What a size stands for: `size` units of the base asset, or of the quote asset where `is_inverse` (COIN-M)."""

    size: Decimal = Decimal(1)
    is_inverse: bool = False

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Worth in the quote asset."""
        return quantity * self.size if self.is_inverse else price * quantity * self.size

    def base(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Amount of the base asset."""
        return quantity * self.size / price if self.is_inverse else quantity * self.size


@dataclass(frozen=True, slots=True)
class Impact:
    """What a market order would get.

    `quantity` is in the venue's unit (contracts on the derivatives), `notional` in the quote asset. `slippage_bps` is
    the distance of the average price from the mid, in basis points, positive when worse. `is_complete` is False when
    the book ends before the order does, `is_covered` when levels beyond what the snapshot proved were used.
    """

    quantity: Decimal
    notional: Decimal
    average_price: Decimal
    worst_price: Decimal
    slippage_bps: Decimal
    is_complete: bool
    is_covered: bool


def market_impact(
    book: OrderBook,
    side: str,
    *,
    quantity: Decimal | None = None,
    notional: Decimal | None = None,
    contract: Contract | None = None,
) -> Impact | None:
    """Walk the book for an order to "buy" or "sell" `quantity`, or as much as `notional` pays for.

    Returns None while a side of the book is empty. Raises UsageError unless exactly one positive amount is given.
    """
    amount = quantity if notional is None else notional
    if amount is None or (quantity is not None and notional is not None) or not amount > 0:
        raise UsageError("give either a quantity or a notional, above zero")
    taken_side = _opposite(side)
    mid = book.mid
    if mid is None:
        return None
    unit = contract or Contract()
    filled = paid = base = Decimal(0)
    worst = mid
    for price, available in _levels(book, taken_side):
        left = amount - (filled if notional is None else paid)
        if left <= 0:
            break
        most = left if notional is None else left / unit.notional(price, Decimal(1))
        part = min(available, most)
        filled += part
        paid += unit.notional(price, part)
        base += unit.base(price, part)
        worst = price
    reached = filled if notional is None else paid
    average = paid / base
    sign = 1 if taken_side is Side.ASK else -1
    return Impact(
        quantity=filled,
        notional=paid,
        average_price=average,
        worst_price=worst,
        slippage_bps=sign * (average - mid) / mid * 10_000,
        # A division by price leaves a rest in the 28th digit.
        is_complete=amount - reached <= amount * Decimal("1e-20"),
        is_covered=book.coverage.covers(worst),
    )


def _opposite(side: str) -> Side:
    try:
        return {"buy": Side.ASK, "sell": Side.BID}[side.lower()]
    except KeyError:
        raise UsageError(f'{side!r} is not a side; it is "buy" or "sell"') from None


def _levels(book: OrderBook, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
    levels = book.side(side)
    step = 64
    done = 0
    while done < len(levels):
        for price, size in levels.levels(done + step)[done:]:
            yield Decimal(price), Decimal(size)
        done += step
        step *= 4
