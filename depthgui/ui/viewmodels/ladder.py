"""Shapes a book into a frame of the ladder: grid, sums, bars, texts. Plain data in, plain data out; no Qt, no clock.

Levels are put on the grid with exact integers: with a step above the tick, bids are summed downwards and asks upwards,
so that a row never promises a better price than is there. A price off the tick falls into the row beyond it in the
same way; no level is lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

import msgspec

from depthgui.book.levels import BookSide, Side
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.figures import (
    ExactScale,
    FigureFormatter,
    decimals_of,
    format_decimal,
    plain,
)
from depthgui.ui.viewmodels.instrument import NOT_DESCRIBED, Instrument
from depthgui.ui.viewmodels.ladder_frame import (
    FLASH_S,
    Band,
    LadderFrame,
    LadderRow,
    Total,
)
from depthgui.ui.viewmodels.ladder_grid import LadderGrid
from depthgui.ui.viewmodels.ladder_options import LadderOptions
from depthgui.ui.viewmodels.ladder_rows import (
    IsLarge,
    RowMarks,
    SidePart,
    SideRows,
    Traded,
    row_scales,
    side_flags,
    side_part,
    side_totals,
)
from depthgui.ui.viewmodels.ladder_sizes import SizeColumn
from depthgui.ui.viewmodels.row_sums import DenseRows, SideSums, SparseRows

__all__ = ["LadderModel", "LadderOptions", "LastPrice", "RowVolumes"]

_MORE_LEVELS = 24
_MAX_PRICES = 10_000
_DENSE = 4  # levels a row from which summing row by row is quicker than level by level
_MOST_DENSE_ROWS = 20_000  # a crossed book (one wrong price) has more of them than can be gone through


@dataclass(frozen=True, slots=True)
class LastPrice:
    """The last market trade's price as the venue wrote it, and which way it went: 1, -1, or 0 while unknown."""

    text: str
    direction: int = 0


class RowVolumes(Protocol):
    """Traded volume that can be put on the ladder's rows."""

    def rows(self, prices: ExactScale, sizes: ExactScale, step_units: int) -> Mapping[int, tuple[int, int]]:
        """Size units bought and sold, by row. The same mapping as before says that nothing was traded since."""


class _Hint(NamedTuple):
    """What the last frame needed of a side."""

    levels: int
    rows: int


class LadderModel:
    """Builds frames for one symbol. Not thread-safe; keeps caches of texts and the previous frame's sizes."""

    def __init__(self, instrument: Instrument, options: LadderOptions | None = None) -> None:
        """Prepare the grid of `instrument` at one tick a row."""
        self.instrument = instrument
        self.grid = LadderGrid()
        self.volumes: RowVolumes | None = None
        """Traded volume to show beside the book, if any."""
        self._options = options or LadderOptions()
        self._prices = ExactScale()
        self._sizes = ExactScale()
        self._sparse = SparseRows(self._prices, self._sizes)
        self._dense = DenseRows(self._prices, self._sizes)
        self._hints = {Side.BID: _Hint(64, 64), Side.ASK: _Hint(64, 64)}
        self._grouping = 1
        self._step_units = 0
        self._price_texts: FigureFormatter
        self._row_prices: dict[int, str] = {}
        self._column: SizeColumn
        self._side_rows: tuple[SideRows, SideRows]
        self._traded_rows: Mapping[int, tuple[int, int]] | None = None
        self._traded_key: object = None
        self._touch = (0, 0)  # units of the best prices, and what follows from them
        self._touch_kept: tuple[Decimal | None, Decimal | None] = (None, None)
        self._traded_kept: dict[int, Traded] = {}
        self._shows: object = None  # what the frame below shows
        self._frame: LadderFrame | None = None
        self._flashes: dict[int, tuple[float, int]] = {}
        self._seen: dict[int, int] = {}
        self._seen_version = -1
        self._fit_step()

    @property
    def grouping(self) -> int:
        """Ticks in a row."""
        return self._grouping

    @property
    def step(self) -> Decimal:
        """Price step of a row."""
        return self.instrument.tick * self._grouping

    @property
    def size_scale(self) -> ExactScale:
        """The scale of size units; whoever adds volumes counts in it."""
        return self._sizes

    @property
    def options(self) -> LadderOptions:
        """The user's choices."""
        return self._options

    def set_options(self, options: LadderOptions) -> None:
        """Change the user's choices."""
        self._options = options
        self._fit_step()

    def set_grouping(self, ticks: int) -> None:
        """Put `ticks` ticks in a row. Raises ValueError below 1."""
        if ticks < 1:
            raise ValueError(f"a row holds at least one tick, not {ticks}")
        if ticks == self._grouping:
            return
        self.grid.regrid(self._grouping, ticks)
        self._grouping = ticks
        self._fit_step()

    def index_of(self, price: Decimal) -> int:
        """Row that a price on the grid lies in (rounded down)."""
        return math.floor(price / self.step)

    def build(self, book: OrderBook, *, stale: bool, now_s: float = 0.0, last: LastPrice | None = None) -> LadderFrame:
        """The frame of a book as it is now. `now_s` dates the flashes."""
        while True:
            decimals = (self._prices.decimals, self._sizes.decimals)
            frame = self._build(book, stale, now_s, last)
            if decimals == (self._prices.decimals, self._sizes.decimals):
                return frame
            self._fit_step()  # a text with more decimals than ever before: the units changed under the frame

    # -- one frame

    def _build(self, book: OrderBook, stale: bool, now_s: float, last: LastPrice | None) -> LadderFrame:
        bid_units, ask_units = self._best_units(book.bids), self._best_units(book.asks)
        self.grid.follow(self._boundary(bid_units, ask_units))
        places, band_y = self.grid.layout()
        step = self._step_units
        volumes = None if self.volumes is None else self.volumes.rows(self._prices, self._sizes, step)
        shows = (book, book.version, book.coverage, stale, places, band_y, volumes)
        if self._frame is not None and shows == self._shows:  # only the last price is another
            if self._frame.band is None or band_y is None:
                return self._frame
            band = self._band(band_y, self._frame.mid, self._frame.spread, last)
            return msgspec.structs.replace(self._frame, band=band)
        top, bottom = (places[0][0], places[-1][0]) if places else (1, 1)
        bids = self._gather(book.bids, bottom)
        asks = self._gather(book.asks, top)
        marks = RowMarks(
            None if bid_units is None else bid_units // step,
            None if ask_units is None else -(-ask_units // step),
            *self._proven(book),
        )
        parts = self._parts(places, asks, bids)
        rows, totals = self._rows(parts, marks, places, volumes)
        if self._options.flashes and book.version != self._seen_version:
            self._seen_version = book.version
            self._note_changes(parts, now_s)
        mid, spread = self._mid_spread(bid_units, ask_units)
        self._shows = shows
        self._frame = LadderFrame(
            symbol=book.symbol,
            update_id=book.last_update_id,
            version=book.version,
            stale=stale,
            step=self.step,
            tick=self.instrument.tick,
            rows=rows,
            totals=totals,
            band=None if band_y is None or not rows else self._band(band_y, mid, spread, last),
            mid=mid,
            spread=spread,
            size_scale=self._sizes.decimals,
            widest_price=max([row.price for row in rows], key=len, default=""),
            widest_whole=self._column.widest_whole,
            fraction=self._column.fraction,
            widest_sum=max([text for text, _ in totals], key=len, default=""),
            widest_volume=max([row.volume for row in rows], key=len, default=""),
            flashes=self._flashes,
            point=self._options.number_format.point,
            note="" if self.instrument.is_described else NOT_DESCRIBED,
        )
        return self._frame

    def _best_units(self, side: BookSide) -> int | None:
        best = side.best
        return None if best is None else self._prices.units(side.price_text(best))

    def _boundary(self, bid_units: int | None, ask_units: int | None) -> int:
        step = self._step_units
        if bid_units is not None and ask_units is not None:
            return -(-(bid_units + ask_units) // (2 * step))
        if ask_units is not None:
            return -(-ask_units // step)
        return self.grid.boundary if bid_units is None else bid_units // step + 1

    def _gather(self, side: BookSide, last_index: int) -> SideSums:
        hint = self._hints[side.side]
        best = self._best_units(side)
        is_near = best is not None and abs(best // self._step_units - last_index) <= _MOST_DENSE_ROWS
        is_dense = is_near and hint.levels > _DENSE * max(1, hint.rows)
        sums = (self._dense if is_dense else self._sparse).sum_rows(side, last_index, self._step_units, hint.levels)
        self._hints[side.side] = _Hint(sums.levels + _MORE_LEVELS, len(sums.rows))
        if self._column.needs_products:
            return self._sparse.with_products(side, sums, self._step_units)
        return sums

    def _parts(self, places: list[tuple[int, int]], asks: SideSums, bids: SideSums) -> tuple[SidePart, SidePart]:
        # The rows of the asks, and those of the bids.
        step, boundary, shown = self._step_units, self.grid.boundary, self._column.shown
        above = sum(1 for index, _ in places if index >= boundary)
        return (
            side_part(places[:above][::-1], asks.rows, shown(asks, step), is_bid=False),
            side_part(places[above:], bids.rows, shown(bids, step), is_bid=True),
        )

    def _rows(
        self,
        parts: tuple[SidePart, SidePart],
        marks: RowMarks,
        places: list[tuple[int, int]],
        volumes: Mapping[int, tuple[int, int]] | None,
    ) -> tuple[tuple[LadderRow, ...], tuple[Total, ...]]:
        # Top to bottom.
        column = self._column
        amounts = [amount for part in parts for amount in part.amounts if amount]
        largest_sum = max((part.totals[-1] for part in parts if part.totals), default=0)
        column.fit(max(amounts, default=0), largest_sum)
        scales = row_scales(amounts, largest_sum)
        is_large = self._chosen_large() if self._has_chosen_large else None
        traded = self._traded(places, volumes)
        asks, bids = (
            rows.make(part, side_flags(part, marks, scales.usual, is_large), scales, traded)
            for part, rows in zip(parts, self._side_rows, strict=True)
        )
        ask_totals, bid_totals = (side_totals(part, scales, column) for part in parts)
        return (*asks[::-1], *bids), (*ask_totals[::-1], *bid_totals)

    def _price_text(self, index: int) -> str:
        text = self._row_prices.get(index)
        if text is None:
            if len(self._row_prices) >= _MAX_PRICES:
                self._row_prices.clear()
            text = self._row_prices[index] = self._price_texts.text(index * self._step_units)
        return text

    @property
    def _has_chosen_large(self) -> bool:
        return self._options.large_order is not None or self._options.large_value is not None

    def _chosen_large(self) -> IsLarge:
        # Says whether a row of an index and size units is large by the user's own thresholds.
        order = self._options.large_order
        value = self._options.large_value if self.instrument.is_value_known else None
        size = self._sizes.units_of(order) if order else math.inf
        per_unit = float(self.instrument.contract_size) / 10**self._sizes.decimals
        step = 1.0 if self.instrument.is_inverse else float(self.step)
        worth = float(value) if value else math.inf
        if self.instrument.is_inverse:
            return lambda _index, units: units >= size or units * per_unit >= worth
        return lambda index, units: units >= size or units * per_unit * index * step >= worth

    def _traded(self, places: list[tuple[int, int]], rows: Mapping[int, tuple[int, int]] | None) -> dict[int, Traded]:
        # What was traded on the rows on screen, as it is shown: in the decimals that the sizes' column has by now.
        if rows is None:
            return {}
        column, step = self._column, self._step_units
        key = (places[:1], len(places), column.decimals)
        if rows is self._traded_rows and key == self._traded_key:
            return self._traded_kept
        self._traded_rows, self._traded_key = rows, key
        traded = {index: rows[index] for index, _ in places if index in rows}
        sums = {index: bought + sold for index, (bought, sold) in traded.items()}
        products = {index: units * index * step for index, units in sums.items()}
        shown = column.shown(SideSums(sums, 0, products), step)
        unit = 1.0 / max(shown.values(), default=1)
        rounded = column.rounded_sums([*shown.values()])
        self._traded_kept = {
            index: (column.sum_text(digits), amount * unit, traded[index][0] / sums[index])
            for (index, amount), digits in zip(shown.items(), rounded, strict=True)
            if amount
        }
        return self._traded_kept

    def _proven(self, book: OrderBook) -> tuple[int | None, int | None]:
        # First and last row that lie wholly inside the coverage.
        low, high = book.coverage.low, book.coverage.high
        step = self._step_units
        return (
            None if low is None else -(-self._prices.units_of(low) // step),
            None if high is None else self._prices.units_of(high) // step,
        )

    def _band(self, y: int, mid: Decimal | None, spread: Decimal | None, last: LastPrice | None) -> Band:
        style = self._options.number_format
        decimals = self.instrument.price_decimals
        if last is not None:
            price = self._price_texts.text(self._prices.units(last.text))
        else:
            price = "" if mid is None else format_decimal(mid, style, max(decimals, decimals_of(mid)))
        shown = "" if spread is None else format_decimal(spread, style, max(decimals, decimals_of(spread)))
        return Band(y, price, last.direction if last else 0, f"spread {shown}" if shown else "")

    def _mid_spread(self, bid_units: int | None, ask_units: int | None) -> tuple[Decimal | None, Decimal | None]:
        if bid_units is None or ask_units is None:
            return None, None
        if (bid_units, ask_units) != self._touch:
            to_decimal = self._prices.to_decimal
            mid, spread = plain(to_decimal(bid_units + ask_units) / 2), plain(to_decimal(ask_units - bid_units))
            self._touch, self._touch_kept = (bid_units, ask_units), (mid, spread)
        return self._touch_kept

    def _note_changes(self, parts: tuple[SidePart, SidePart], now_s: float) -> None:
        since = now_s - FLASH_S
        flashes = {index: flash for index, flash in self._flashes.items() if flash[0] > since}
        before = self._seen
        now: dict[int, int] = {}
        for part in parts:
            now.update(zip(part.indexes, [units or 0 for units in part.units], strict=True))
        for index in [index for index, units in now.items() if before.get(index, units) != units]:
            flashes[index] = (now_s, 1 if now[index] > before[index] else -1)
        self._seen, self._flashes = now, flashes

    # -- texts

    def _fit_step(self) -> None:
        style = self._options.number_format
        self._sparse.forget()
        self._step_units = self._prices.units_of(self.step)
        self._step_units = self._prices.units_of(self.step)  # again: the first may have made the unit finer
        self._row_prices = {}
        self._price_texts = FigureFormatter(self._prices, self.instrument.price_decimals, style)
        self._column = SizeColumn(self.instrument, self._prices, self._sizes, self._options)
        self._side_rows = (SideRows(self._column, self._price_text), SideRows(self._column, self._price_text))
        self._traded_rows = None
        self._frame = None
        self._touch = (0, 0)
        self._seen, self._flashes = {}, {}

    def exact_size(self, units: int) -> str:
        """A row's size as the venue has it, with its unit."""
        return self._column.exact_text(units)
