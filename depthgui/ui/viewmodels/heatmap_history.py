"""What a heatmap remembers: one column of resting sizes for each slot of time, in a ring of fixed size.

A column holds the sizes of a window of rows around the mid, as exact integers of the size's smallest unit, the best
prices, and the rows between which the book was known. A slot in which no book was in step has no column: a gap is the
absence of a column, and nothing is ever put in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from depthgui.book.coverage import Coverage
from depthgui.book.levels import BookSide, Side
from depthgui.book.messages import Trade
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.figures import decimals_of
from depthgui.ui.viewmodels.heatmap_grid import PriceGrid, Rows
from depthgui.ui.viewmodels.level_sizes import sizes_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ROWS = 192
"""Rows of a column, half of them on each side of the mid."""

BUY, SELL = 0, 1
"""Index of a trade's side in `traded`: the side of the order that took. No other numbers would do."""

_NEVER = np.iinfo(np.int64).min
_FIRST_LIMIT = 256
_MORE_LEVELS = 32
_MOST_LEVELS = 2048  # a side, in one column
_MOST_DECIMALS = 20
_ROUNDING = 4 * np.finfo(np.float64).eps
_SMALL = np.iinfo(np.uint32).max
_LARGE = 2.0**62  # beyond it integers of 64 bits run over; floats have 15 digits of what is there


@dataclass(frozen=True, slots=True)
class Column:
    """One column, to read. Rows `low` to `high` are known; `bid` and `ask` are the best prices, NaN where none was.

    `units[i]` is the size in row `base` + i, in units of 10**-`decimals`. `traded` is what buyers and sellers took
    since the slot before.
    """

    slot: int
    wall_ms: int
    stretch: int
    base: int
    low: int
    high: int
    decimals: int
    units: Ints | Floats
    bid: float
    ask: float
    traded: tuple[float, float]

    def size_at(self, row: int) -> Decimal | None:
        """Exact size resting in a row, to 15 digits where it has more than 18; None where the book was not known."""
        if not self.low <= row <= self.high:
            return None
        units = self.units[row - self.base]
        number = Decimal(f"{float(units):.15g}") if isinstance(units, np.floating) else Decimal(int(units))
        return number.scaleb(-self.decimals)


class HeatmapHistory:
    """The last `capacity` slots of one symbol.

    `version` goes up with each column. The arrays are indexed by slot modulo `capacity` and are to be read only:
    entry i is valid where `slots[i]` is the slot that was asked for, and that is not before `oldest_slot`.
    """

    def __init__(self, grid: PriceGrid, size_decimals: int, capacity: int, rows: int = ROWS) -> None:
        """Start empty. Memory is taken by the system as columns come, `capacity` x (4 x rows + 96) bytes."""
        self.grid = grid
        self.step = float(grid.step)
        self.decimals = size_decimals
        self.capacity = capacity
        self.rows = rows
        self.version = 0
        self.first_slot: int | None = None
        self.last_slot: int | None = None
        self._unbroken_slot = 0  # from here to the last one no slot is without a column
        self.slots = np.full(capacity, _NEVER, np.int64)
        self.stretches = np.zeros(capacity, np.int64)
        self.walls_ms = np.zeros(capacity, np.int64)
        self.sizes: npt.NDArray[np.uint32] | Ints | Floats = np.zeros((capacity, rows), np.uint32)
        self.bases = np.zeros(capacity, np.int64)
        self.lows = np.zeros(capacity, np.int64)
        self.highs = np.zeros(capacity, np.int64)
        self.bests = np.zeros((capacity, 2), np.float64)
        self.traded = np.zeros((capacity, 2), np.float64)
        self.turnover = np.zeros((capacity, 2), np.float64)
        self._limits = {Side.BID: _FIRST_LIMIT, Side.ASK: _FIRST_LIMIT}
        self._coverage: Coverage | None = None
        self._read: tuple[OrderBook, int] | None = None
        self._proven = (0, 0)

    @property
    def memory_bytes(self) -> int:
        """Bytes of the arrays once every slot is filled."""
        whole = (self.slots, self.stretches, self.walls_ms, self.bases, self.lows, self.highs)
        return sum(array.nbytes for array in (*whole, self.bests, self.traded, self.turnover, self.sizes))

    @property
    def oldest_slot(self) -> int | None:
        """The first slot that is still kept, None while there is none."""
        if self.first_slot is None or self.last_slot is None:
            return None
        return max(self.first_slot, self.last_slot - self.capacity + 1)

    def has(self, slot: int) -> bool:
        """True where there is a column of this slot."""
        oldest = self.oldest_slot
        return oldest is not None and slot >= oldest and bool(self.slots[slot % self.capacity] == slot)

    def is_unbroken(self, first: int, end: int) -> bool:
        """True where each slot from `first` to before `end` has a column, with no gap from there to the last one."""
        oldest, last = self.oldest_slot, self.last_slot
        return oldest is not None and last is not None and max(oldest, self._unbroken_slot) <= first and end <= last + 1

    def best_at(self, slot: int) -> tuple[float, float]:
        """Best bid and ask of a slot that has a column; NaN where there was none."""
        bid, ask = self.bests[slot % self.capacity].tolist()
        return bid, ask

    def traded_at(self, slot: int, side: int) -> tuple[float, float]:
        """What was taken from a side in a slot that has a column: size, and size times price."""
        at = slot % self.capacity
        return float(self.traded[at, side]), float(self.turnover[at, side])

    def column(self, slot: int) -> Column | None:
        """The column of a slot, None for a gap."""
        if not self.has(slot):
            return None
        at = slot % self.capacity
        return Column(
            slot=slot,
            wall_ms=int(self.walls_ms[at]),
            stretch=int(self.stretches[at]),
            base=int(self.bases[at]),
            low=int(self.lows[at]),
            high=int(self.highs[at]),
            decimals=self.decimals,
            units=self.sizes[at].astype(np.float64 if self.sizes.dtype == np.float64 else np.int64),
            bid=float(self.bests[at, 0]),
            ask=float(self.bests[at, 1]),
            traded=(float(self.traded[at, BUY]), float(self.traded[at, SELL])),
        )

    def record(
        self, slot: int, book: OrderBook, stretch: int, trades: list[Trade] | None = None, wall_ms: int = 0
    ) -> bool:
        """Keep the book as the column of `slot`, whose time of day is `wall_ms`; `trades` are those since the last one.

        False, and nothing is kept, for an empty book and for a slot that is not newer than the last one.
        """
        best = [side.best for side in (book.bids, book.asks)]
        prices = [float(key) for key in best if key is not None]
        if not prices or (self.last_slot is not None and slot <= self.last_slot):
            return False
        at = slot % self.capacity
        if self.last_slot is not None and self._is_read(book):
            self._repeat(self.last_slot % self.capacity, at)
        else:
            self._read_book(book, at, int(sum(prices) / len(prices) / self.step) - self.rows // 2)
            self.bests[at] = [np.nan if key is None else float(key) for key in best]
            self._read = (book, book.version)
        self.slots[at] = slot
        self.stretches[at] = stretch
        self.walls_ms[at] = wall_ms
        self.traded[at] = 0.0
        self.turnover[at] = 0.0
        for trade in trades or ():
            side = SELL if trade.buyer_is_maker else BUY
            self.traded[at, side] += float(trade.size)
            self.turnover[at, side] += float(trade.size) * float(trade.price)
        self.first_slot = slot if self.first_slot is None else self.first_slot
        if self.last_slot is None or slot != self.last_slot + 1:
            self._unbroken_slot = slot
        self.last_slot = slot
        self.version += 1
        return True

    # -- a book

    def _is_read(self, book: OrderBook) -> bool:
        return self._read is not None and self._read[0] is book and self._read[1] == book.version

    def _repeat(self, last: int, at: int) -> None:
        # Nothing has changed in the book since: a twentieth of the cost of reading it.
        for kept in (self.sizes, self.bases, self.lows, self.highs, self.bests):
            kept[at] = kept[last]

    def _read_book(self, book: OrderBook, at: int, base: int) -> None:
        proven = self._proven_rows(book.coverage)
        bid_rows, bid_sizes, bid_end = self._levels(book.bids, base)
        ask_rows, ask_sizes, ask_end = self._levels(book.asks, base)
        units = self._units(np.concatenate((bid_sizes, ask_sizes)))
        sums = np.bincount(np.concatenate((bid_rows, ask_rows)) - base, units, self.rows)
        self._make_room(float(sums.max()))
        top = base + self.rows - 1
        self.sizes[at] = sums
        self.bases[at] = base
        self.lows[at] = max(base, proven[0], base if bid_end is None else bid_end + 1)
        self.highs[at] = min(top, proven[1], top if ask_end is None else ask_end - 1)

    def _levels(self, side: BookSide, base: int) -> tuple[Rows, Floats, int | None]:
        # Rows inside the window with their sizes; and the row that more levels might still add to, None
        # where all of the side's levels inside the window were read.
        is_ask = side.side is Side.ASK
        limit = self._limits[side.side]
        while True:
            keys = side.top(limit)
            rows = self.grid.rows(side, keys)
            inside = rows < base + self.rows if is_ask else rows >= base
            count = int(np.count_nonzero(inside))
            if count < len(keys) or len(keys) >= len(side) or limit >= _MOST_LEVELS:
                break
            limit *= 2
        self._limits[side.side] = min(max(count + _MORE_LEVELS, _FIRST_LIMIT // 4), _MOST_LEVELS)
        is_cut = count == len(keys) and len(keys) < len(side)
        end = int(rows[-1]) if is_cut and count else None
        return rows[:count], sizes_of(side, keys[:count]), end

    def _units(self, sizes: Floats) -> Floats:
        # Integers, as floats: up to 2**53 they are summed exactly.
        while True:
            scaled = sizes * 10.0**self.decimals
            units = np.rint(scaled)
            odd = np.abs(scaled - units) > scaled * _ROUNDING
            if self.decimals >= _MOST_DECIMALS or not odd.any():
                return np.asarray(units, np.float64)
            self._refine(max(decimals_of(Decimal(repr(size))) for size in sizes[odd].tolist()))

    def _refine(self, decimals: int) -> None:
        # A size off the step: smaller units from now on, for what is kept too.
        decimals = min(max(decimals, self.decimals + 1), _MOST_DECIMALS)
        if self.version:
            factor = 10 ** (decimals - self.decimals)
            self._make_room(float(self.sizes.max()) * factor)
            wide = self.sizes if self.sizes.dtype == np.float64 else self.sizes.astype(np.int64)
            self.sizes = wide * factor
        self.decimals = decimals

    def _make_room(self, largest: float) -> None:
        if largest > _LARGE and self.sizes.dtype != np.float64:
            self.sizes = self.sizes.astype(np.float64)
        elif largest > _SMALL and self.sizes.dtype == np.uint32:
            self.sizes = self.sizes.astype(np.int64)

    def _proven_rows(self, coverage: Coverage) -> tuple[int, int]:
        if coverage is not self._coverage:
            self._coverage = coverage
            low, high = coverage.low, coverage.high
            # A row is known where all of it is: bids reach up from a row's price, asks down from it.
            self._proven = (
                _NEVER if low is None else self.grid.row_of(low, is_ask=True),
                np.iinfo(np.int64).max if high is None else self.grid.row_of(high, is_ask=False),
            )
        return self._proven
