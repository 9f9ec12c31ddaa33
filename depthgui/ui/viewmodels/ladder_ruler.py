"""What the ladder says about one row under the pointer: how far it is from the mid, and what lies in between."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from depthgui.book.levels import BookSide
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.figures import NumberFormat, decimals_of, format_decimal, plain
from depthgui.ui.viewmodels.instrument import Instrument

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Ruler:
    """Distances of a price to the mid (signed), and the sums from the best price of its side to it.

    `ticks` may be a half when the mid lies between two ticks. `size` and `value` (quote money) are zero in the spread.
    """

    price: Decimal
    distance: Decimal
    ticks: Decimal
    percent: Decimal
    bps: Decimal
    size: Decimal
    value: Decimal


def measure(book: OrderBook, instrument: Instrument, price: Decimal) -> Ruler | None:
    """Measure from the mid to `price` on the book as it is; None while a side is empty."""
    mid = book.mid
    if mid is None or mid == 0:
        return None
    distance = price - mid
    is_ask = distance > 0
    size, product = sum_to(book.asks if is_ask else book.bids, price, is_ask=is_ask)
    share = distance / mid
    return Ruler(
        price=price,
        distance=distance,
        ticks=distance / instrument.tick,
        percent=share * 100,
        bps=share * 10_000,
        size=size,
        value=instrument.notional(product, size),
    )


def ruler_lines(ruler: Ruler, instrument: Instrument, style: NumberFormat) -> tuple[str, ...]:
    """The ruler in words, one string a line."""
    decimals = max(instrument.price_decimals, decimals_of(ruler.distance))
    sign = "+" if ruler.distance > 0 else "\u2212" if ruler.distance < 0 else ""
    ticks = format_decimal(plain(abs(ruler.ticks)), style)
    first = f"{sign}{format_decimal(abs(ruler.distance), style, decimals)} \u00b7 {ticks} ticks"
    second = f"{sign}{abs(ruler.percent):.3f} % \u00b7 {abs(ruler.bps):.1f} bps"
    size = format_decimal(ruler.size, style, max(instrument.size_decimals, 0))
    third = f"\u03a3 {size} {instrument.size_unit}".rstrip()
    return (first, second, third, instrument.money(ruler.value, style))


def sum_to(side: BookSide, price: Decimal, *, is_ask: bool) -> tuple[Decimal, Decimal]:
    """Sums of size and of price x size from the best level to `price`, that included."""
    size, product = Decimal(0), Decimal(0)
    limit, done = _BATCH, 0
    while True:
        levels = side.levels(limit)
        for price_text, size_text in levels[done:]:
            at = Decimal(price_text)
            if (at > price) if is_ask else (at < price):
                return size, product
            amount = Decimal(size_text)
            size += amount
            product += at * amount
        if len(levels) < limit:
            return size, product
        done, limit = limit, limit * 4
