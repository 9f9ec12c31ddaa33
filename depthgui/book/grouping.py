"""The book on a coarser grid, and the balance of its sides near the touch. Exact decimals."""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from depthgui.book.errors import UsageError
from depthgui.book.levels import BookSide, Side
from depthgui.book.order_book import OrderBook

GroupedLevel = tuple[Decimal, Decimal]


def group(side: BookSide, step: Decimal, limit: int | None = None) -> list[GroupedLevel]:
    """Sum sizes onto multiples of `step`, best first: bids downwards, asks upwards, so that no price looks better.

    Raises UsageError unless `step` is above zero.
    """
    if not step > 0:
        raise UsageError(f"a step of {step} is no grid")
    rounding = ROUND_FLOOR if side.side is Side.BID else ROUND_CEILING
    rows: dict[Decimal, Decimal] = {}
    for price, size in side.levels():
        row = (Decimal(price) / step).to_integral_value(rounding) * step
        if row not in rows and limit is not None and len(rows) >= limit:
            break
        rows[row] = rows.get(row, Decimal(0)) + Decimal(size)
    return list(rows.items())


def imbalance(book: OrderBook, band_bps: float) -> float | None:
    """(bids - asks) / (bids + asks) of the sizes within `band_bps` basis points of the mid, from -1 to 1.

    None while there is nothing in the band.
    """
    mid = book.mid
    if mid is None:
        return None
    reach = float(mid) * band_bps / 10_000
    bids = _size_within(book.bids, float(mid) - reach)
    asks = _size_within(book.asks, float(mid) + reach)
    return None if bids + asks == 0 else (bids - asks) / (bids + asks)


def _size_within(side: BookSide, edge: float) -> float:
    # A ratio for people: floats are exact enough, and this is read several times a second.
    sign = -1 if side.side is Side.BID else 1
    wanted = 64
    while True:
        rows = side.numbers(wanted)
        if len(rows) < wanted or sign * rows[-1][0] > sign * edge:
            break
        wanted *= 4
    count = bisect_right(rows, sign * edge, key=lambda row: sign * row[0])
    return sum([size for _, size in rows[:count]])
