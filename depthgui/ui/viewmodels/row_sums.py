"""Sums a side's levels onto the ladder's rows, exactly, in two ways that give the same: level by level, or row by row.

Bids fall into the row at or below their price, asks into the row at or above it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from operator import neg
from typing import NamedTuple, cast

from depthgui.book.levels import BookSide, Side
from depthgui.book.spelling import PriceKey
from depthgui.ui.viewmodels.figures import ExactScale

_MAX_CACHED = 100_000
_negative = cast("Callable[[PriceKey], PriceKey]", neg)


class SideSums(NamedTuple):
    """Size units by row, from the best row outwards; how many levels went into them.

    `products` are the sums of price units x size units by row, empty where they were not asked for.
    """

    rows: dict[int, int]
    levels: int
    products: dict[int, int]


class SparseRows:
    """Level by level: quickest where a row holds few levels."""

    __slots__ = ("_known", "_prices", "_sizes")

    def __init__(self, prices: ExactScale, sizes: ExactScale) -> None:
        """Use these scales for prices and sizes."""
        self._prices = prices
        self._sizes = sizes
        self._known: dict[PriceKey, int] = {}

    def forget(self) -> None:
        """Drop what is remembered, as when the scale of prices changed."""
        self._known.clear()

    def sum_rows(self, side: BookSide, last_index: int, step_units: int, levels: int) -> SideSums:
        """Sums from the best level to the row `last_index`; `levels` is a guess of how many levels that takes."""
        known, known_sizes = self._known, self._sizes.known_numbers
        odd = side.odd
        sign = 1 if side.side is Side.BID else -1
        last = last_index * sign
        rows: dict[int, int] = {}
        limit, done = max(1, levels), 0
        while True:
            read = side.rows(limit)
            count = len(read)
            for number, (key, size) in enumerate(read[done:] if done else read, done):
                units = known.get(key)
                if units is None:
                    units = self._learn(side, key)
                index = units * sign // step_units
                if index < last:
                    count = number
                    break
                amount = None if odd and key in odd else known_sizes.get(size)
                if amount is None:
                    amount = self._sizes.size_units(side, key)
                rows[index] = rows.get(index, 0) + amount
            if count < limit:
                break
            done, limit = count, limit * 2
        return SideSums(rows if sign > 0 else {-index: units for index, units in rows.items()}, count, {})

    def with_products(self, side: BookSide, sums: SideSums, step_units: int) -> SideSums:
        """The same sums with those of price x size."""
        known, size_units = self._known, self._sizes.size_units
        is_bid = side.side is Side.BID
        products = dict.fromkeys(sums.rows, 0)
        for key in side.top(sums.levels):
            units = known.get(key)
            if units is None:
                units = self._learn(side, key)
            products[units // step_units if is_bid else -(-units // step_units)] += units * size_units(side, key)
        return SideSums(sums.rows, sums.levels, products)

    def _learn(self, side: BookSide, key: PriceKey) -> int:
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()
        units = self._known[key] = self._prices.units(side.price_text(key))
        return units


class DenseRows:
    """Row by row: finds where each row ends among the sorted keys, and sums in between without a loop of ours."""

    __slots__ = ("_prices", "_sizes")

    def __init__(self, prices: ExactScale, sizes: ExactScale) -> None:
        """Use these scales for prices and sizes."""
        self._prices = prices
        self._sizes = sizes

    def sum_rows(self, side: BookSide, last_index: int, step_units: int, levels: int) -> SideSums:
        """Sums from the best level to the row `last_index`; `levels` is a guess of how many levels that takes."""
        best = side.best
        if best is None:
            return SideSums({}, 0, {})
        is_bid = side.side is Side.BID
        units = self._prices.units(side.price_text(best))
        index = units // step_units if is_bid else -(-units // step_units)
        way = -1 if is_bid else 1
        if (last_index - index) * way < 0:
            return SideSums({}, 0, {})
        keys = self._keys_to(side, self._edge(last_index * step_units, side), levels)
        sizes = [size for _, size in side.rows(len(keys))]
        rows: dict[int, int] = {}
        start = 0
        for row in range(index, last_index + way, way):
            edge = self._edge(row * step_units, side)
            end = bisect_right(keys, -edge, lo=start, key=_negative) if is_bid else bisect_right(keys, edge, lo=start)
            if end > start:
                rows[row] = self._sum(side, keys[start:end], sizes[start:end])
                start = end
        return SideSums(rows, start, {})

    def _sum(self, side: BookSide, keys: list[PriceKey], sizes: list[float]) -> int:
        scale = self._sizes
        if not side.odd:
            try:
                return sum(map(scale.known_numbers.__getitem__, sizes))
            except KeyError:  # a size that is new is learned below
                pass
        return sum(scale.size_units(side, key) for key in keys)

    @staticmethod
    def _keys_to(side: BookSide, edge: PriceKey, levels: int) -> list[PriceKey]:
        is_bid = side.side is Side.BID
        limit = max(1, levels)
        while True:
            keys = side.top(limit)
            if len(keys) < limit or (keys[-1] < edge if is_bid else keys[-1] > edge):
                return keys
            limit *= 2

    def _edge(self, units: int, side: BookSide) -> PriceKey:
        # A division of integers gives the float nearest to the exact price, as the side's own keys are.
        if side.uses_decimal:
            return Decimal(units).scaleb(-self._prices.decimals)
        return float(units / 10**self._prices.decimals)
