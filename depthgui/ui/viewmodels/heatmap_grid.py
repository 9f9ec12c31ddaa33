"""The heatmap's price grid: which row a level belongs to, exactly, and how high a row is for a given book.

Rows are integers. A bid belongs to the row at or below its price, an ask to the row at or above, as on the ladder, so
that no price looks better than it is and no row ever holds both sides. Whole arrays of prices are put onto the grid at
once; a price that is not on the tick takes a careful way of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
import numpy.typing as npt

from depthgui.book.levels import BookSide, Side
from depthgui.book.order_book import OrderBook
from depthgui.book.spelling import PriceKey
from depthgui.ui.viewmodels.grouping import USUAL_TICKS

Rows = npt.NDArray[np.int64]

_ROUNDING = 4 * np.finfo(np.float64).eps  # what a division of two floats may be off by, relative
_SPANNED_LEVELS = 190  # of the denser side: what the rows of one column should reach


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """Rows of `ticks` ticks each: price = row x step."""

    tick: Decimal
    ticks: int

    @property
    def step(self) -> Decimal:
        """Price from one row to the next."""
        return self.tick * self.ticks

    def rows(self, side: BookSide, keys: list[PriceKey]) -> Rows:
        """Rows of levels of a side, in the order of `keys`."""
        is_ask = side.side is Side.ASK
        in_ticks = np.fromiter(keys, np.float64, len(keys)) / float(self.tick)
        whole = np.rint(in_ticks)
        rows = whole.astype(np.int64)
        if self.ticks > 1:
            rows = (rows + (self.ticks - 1 if is_ask else 0)) // self.ticks
        odd = np.abs(in_ticks - whole) > in_ticks * _ROUNDING
        if side.uses_decimal or np.count_nonzero(odd):
            for number in range(len(keys)) if side.uses_decimal else np.flatnonzero(odd).tolist():
                rows[number] = self.row_of(Decimal(side.price_text(keys[number])), is_ask=is_ask)
        return rows

    def row_of(self, price: Decimal, *, is_ask: bool) -> int:
        """Row of one price."""
        return int((price / self.step).to_integral_value(ROUND_CEILING if is_ask else ROUND_FLOOR))

    def price_of(self, row: int) -> Decimal:
        """Price of a row: the lowest of its bids, the highest of its asks."""
        return self.step * row


def fitting_ticks(book: OrderBook, tick: Decimal, rows_a_side: int) -> int:
    """The usual number of ticks to a row at which `rows_a_side` rows reach a book's best few hundred levels."""
    bid, ask = book.bids.best, book.asks.best
    if bid is None or ask is None:
        return 1
    mid = (float(bid) + float(ask)) / 2
    reach = min(abs(float(side.top(_SPANNED_LEVELS)[-1]) - mid) for side in (book.bids, book.asks))
    wanted = reach / float(tick) / rows_a_side
    return next((ticks for ticks in USUAL_TICKS if ticks >= wanted), USUAL_TICKS[-1])
