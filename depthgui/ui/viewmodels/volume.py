"""Traded volume at price: what was bought and sold at each price since the ladder was opened."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from depthgui.book.messages import Trade
from depthgui.ui.viewmodels.feed_view import FeedView
from depthgui.ui.viewmodels.figures import ExactScale

_MAX_PRICES = 50_000


_Part = tuple[tuple[str, bool], int]
"""A price's text and whether takers bought; size units."""


class Traded(NamedTuple):
    """Size units that takers bought and sold."""

    bought: int
    sold: int


class VolumeProfile:
    """Sums the market trades of one feed by price, and onto a ladder's rows."""

    def __init__(self) -> None:
        """Start empty."""
        self._version = -1
        self._by_price: dict[str, Traded] = {}
        self._rows: dict[int, Traded] = {}
        self._new: list[_Part] = []  # not in _rows yet
        self._grid: tuple[int, int, int] | None = None

    def read(self, feed: FeedView, sizes: ExactScale) -> None:
        """Take over the feed's new trades."""
        version = feed.trade_version
        if version == self._version:
            return
        trades = feed.trades
        new = len(trades) if self._version < 0 or version < self._version else version - self._version
        self._version = version
        for trade in islice(trades, max(0, len(trades) - new), None):
            if trade.is_market:
                self._add(trade, sizes)

    def rows(self, prices: ExactScale, sizes: ExactScale, step_units: int) -> dict[int, Traded]:
        """Volume by row: bought at or below the row's price, sold at or above it, as the ladder sums levels."""
        grid = (prices.decimals, sizes.decimals, step_units)
        if grid != self._grid:
            self._grid = grid
            self._rows, self._new = {}, self._parts()
        if self._new:
            self._rows = dict(self._rows)  # another one says that something was traded
            for (text, is_buy), units in self._new:
                self._put(self._index(text, prices, step_units, is_buy=is_buy), units, is_buy=is_buy)
            self._new = []
        return self._rows

    def _parts(self) -> list[_Part]:
        return [
            ((text, is_buy), units)
            for text, traded in self._by_price.items()
            for is_buy, units in ((True, traded.bought), (False, traded.sold))
            if units
        ]

    def _add(self, trade: Trade, sizes: ExactScale) -> None:
        before = sizes.decimals
        units = sizes.units(trade.size)
        if sizes.decimals != before:
            factor = 10 ** (sizes.decimals - before)
            self._by_price = {
                text: Traded(bought * factor, sold * factor) for text, (bought, sold) in self._by_price.items()
            }
        if len(self._by_price) >= _MAX_PRICES and trade.price not in self._by_price:
            del self._by_price[next(iter(self._by_price))]
            self._grid = None
        bought, sold = self._by_price.get(trade.price, (0, 0))
        is_buy = not trade.buyer_is_maker
        self._by_price[trade.price] = Traded(bought + units, sold) if is_buy else Traded(bought, sold + units)
        if self._grid is not None and units:
            self._new.append(((trade.price, is_buy), units))

    def _put(self, index: int, units: int, *, is_buy: bool) -> None:
        bought, sold = self._rows.get(index, (0, 0))
        self._rows[index] = Traded(bought + units, sold) if is_buy else Traded(bought, sold + units)

    @staticmethod
    def _index(text: str, prices: ExactScale, step_units: int, *, is_buy: bool) -> int:
        units = prices.units(text)
        return -(-units // step_units) if is_buy else units // step_units
