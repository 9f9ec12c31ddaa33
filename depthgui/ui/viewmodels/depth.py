"""Shapes a book into cumulative depth curves: numpy arrays for the pixels, exact numbers for the cursor's card.

Floats are used for places on screen only. What the card says is summed exactly from the venue's text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import numpy.typing as npt

from depthgui.book.levels import BookSide
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.figures import NumberFormat, format_decimal
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder_ruler import sum_to
from depthgui.ui.viewmodels.level_sizes import sizes_of

Floats = npt.NDArray[np.float64]

RANGES_PERCENT = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Choices for what a chart shows on each side of the mid; None beside them stands for all that is proven."""

_MORE_LEVELS = 64
_ALL_MAX = 0.5  # of the mid: far stray orders must not squeeze the rest into a line


@dataclass(frozen=True, slots=True)
class Curve:
    """One side, best level first: prices, and the size summed from the best level to each."""

    prices: Floats
    sums: Floats

    @property
    def total(self) -> float:
        """Sum of the outermost level, 0 for an empty side."""
        return float(self.sums[-1]) if self.sums.size else 0.0


@dataclass(frozen=True, slots=True)
class DepthFrame:
    """What one paint of the depth chart draws. `low` to `high` is the price range on screen.

    `proven_low` and `proven_high` are where the snapshot's proof ends, None where that is not on screen.
    """

    symbol: str
    update_id: int
    stale: bool
    mid: float
    low: float
    high: float
    bids: Curve
    asks: Curve
    proven_low: float | None
    proven_high: float | None

    @property
    def largest(self) -> float:
        """Largest sum on screen."""
        return max(self.bids.total, self.asks.total)


class DepthModel:
    """Builds frames. Remembers how many levels the last one needed, so as not to sort what nobody sees."""

    def __init__(self) -> None:
        """Start with a range of 0.5 %."""
        self.range_percent: float | None = 0.5
        self._hints: dict[bool, int] = {False: 256, True: 256}

    def build(self, book: OrderBook, *, stale: bool) -> DepthFrame | None:
        """The frame of a book as it is; None while a side is empty."""
        bid, ask = book.bids.best, book.asks.best
        if bid is None or ask is None:
            return None
        mid = (float(bid) + float(ask)) / 2
        low, high = self._bounds(book, mid)
        proven_low, proven_high = self._proven(book, mid, (low, high))
        return DepthFrame(
            symbol=book.symbol,
            update_id=book.last_update_id,
            stale=stale,
            mid=mid,
            low=low,
            high=high,
            bids=self._curve(book.bids, low, is_ask=False),
            asks=self._curve(book.asks, high, is_ask=True),
            proven_low=proven_low if proven_low is not None and proven_low > low else None,
            proven_high=proven_high if proven_high is not None and proven_high < high else None,
        )

    @staticmethod
    def _proven(book: OrderBook, mid: float, ends: tuple[float, float]) -> tuple[float | None, float | None]:
        """Where the snapshot's proof ends, within the chart; both at the mid where nothing is proven."""
        coverage = book.coverage
        if coverage.is_empty:
            return mid, mid
        low = None if coverage.low is None else min(float(coverage.low), ends[1])
        high = None if coverage.high is None else max(float(coverage.high), ends[0])
        return low, high

    def _bounds(self, book: OrderBook, mid: float) -> tuple[float, float]:
        if self.range_percent is not None:
            reach = mid * self.range_percent / 100
        else:
            coverage = book.coverage
            low, high = (None, None) if coverage.is_empty else (coverage.low, coverage.high)
            ends = [abs(mid - float(end)) for end in (low, high) if end is not None]
            reach = max(ends) if ends else self._farthest(book, mid)
            reach = min(reach, mid * _ALL_MAX)
        return mid - reach, mid + reach

    @staticmethod
    def _farthest(book: OrderBook, mid: float) -> float:
        keys = (*book.bids.top()[-1:], *book.asks.top()[-1:])
        return max(abs(float(key) - mid) for key in keys)

    def _curve(self, side: BookSide, end: float, *, is_ask: bool) -> Curve:
        limit = self._hints[is_ask]
        while True:
            keys = side.top(limit)
            prices = np.fromiter(keys, np.float64, len(keys))
            inside = np.searchsorted(prices, end, "right") if is_ask else np.searchsorted(-prices, -end, "right")
            count = int(inside)
            if count < limit or limit >= len(side):
                break
            limit *= 2
        self._hints[is_ask] = count + _MORE_LEVELS
        return Curve(prices[:count], np.cumsum(sizes_of(side, keys[:count])))


@dataclass(frozen=True, slots=True)
class Impact:
    """What taking all levels to `price` would give. `slip_bps` is the average's distance to the mid, never negative."""

    is_buy: bool
    price: Decimal
    size: Decimal
    value: Decimal
    average: Decimal
    slip_bps: Decimal


def impact_to(book: OrderBook, instrument: Instrument, price: Decimal) -> Impact | None:
    """Take every level from the best one to `price`; None where there is none."""
    mid = book.mid
    if not mid:
        return None
    is_buy = price >= mid
    size, product = sum_to(book.asks if is_buy else book.bids, price, is_ask=is_buy)
    if not size:
        return None
    average = product / size
    return Impact(
        is_buy=is_buy,
        price=price,
        size=size,
        value=instrument.notional(product, size),
        average=average,
        slip_bps=abs(average - mid) / mid * 10_000,
    )


def impact_lines(impact: Impact, instrument: Instrument, style: NumberFormat) -> tuple[str, str, str]:
    """The cursor's card: what, how much, at which price."""
    decimals = instrument.price_decimals
    size = format_decimal(impact.size, style, instrument.size_decimals)
    money = instrument.money(impact.value, style)
    average = format_decimal(impact.average, style, decimals)
    return (
        f"{'Buy' if impact.is_buy else 'Sell'} to {format_decimal(impact.price, style, decimals)}",
        f"Size {size} {instrument.size_unit}".rstrip() + f" \u00b7 {money}",
        f"Avg {average} \u00b7 slip {impact.slip_bps:.1f} bps",
    )


def on_tick(price: float, tick: Decimal) -> Decimal:
    """The price on the tick nearest to a place on screen."""
    return (Decimal(price) / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick


def nice_step(span: float, count: int) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten that cuts `span` into about `count` parts."""
    if span <= 0 or count < 1:
        return 1.0
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    return next((factor * power for factor in (1.0, 2.0, 2.5, 5.0) if factor * power >= raw), 10.0 * power)
