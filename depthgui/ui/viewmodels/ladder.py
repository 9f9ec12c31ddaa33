"""Shapes a book into a frame of the ladder: grid, sums, bars, texts. Plain data in, plain data out; no Qt, no clock.

Levels are put on the grid with exact integers: with a step above the tick, bids are summed downwards and asks upwards,
so that a row never promises a better price than is there. A price off the tick falls into the row beyond it in the
same way; no level is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from depthgui.book.levels import BookSide, Side
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.figures import (
    ExactScale,
    Figure,
    FigureFormatter,
    decimals_of,
    format_decimal,
    plain,
)
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder_frame import (
    ASK_SIDE,
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    FLASH_S,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    Band,
    LadderFrame,
    LadderRow,
)
from depthgui.ui.viewmodels.ladder_grid import LadderGrid
from depthgui.ui.viewmodels.ladder_options import LadderOptions
from depthgui.ui.viewmodels.ladder_sizes import SizeColumn
from depthgui.ui.viewmodels.row_sums import DenseRows, SideSums, SparseRows

__all__ = ["LadderModel", "LadderOptions", "LastPrice", "RowVolumes"]

_NO_FIGURE: Figure = ("", "")
_NOT_TRADED = (0, 0.0)
_MORE_LEVELS = 24
_MAX_PRICES = 10_000
_DENSE = 4  # levels a row from which summing row by row is quicker than level by level
_LARGE_SAMPLE = 12  # fewer sizes say nothing about what is usual
_LARGE_OF_P90 = 1.75
_LARGE_OF_MEDIAN = 5.0


@dataclass(frozen=True, slots=True)
class LastPrice:
    """The last market trade's price as the venue wrote it, and which way it went: 1, -1, or 0 while unknown."""

    text: str
    direction: int = 0


class RowVolumes(Protocol):
    """Traded volume that can be put on the ladder's rows."""

    def rows(self, prices: ExactScale, sizes: ExactScale, step_units: int) -> Mapping[int, tuple[int, int]]:
        """Size units bought and sold, by row."""


class _Hint(NamedTuple):
    """What the last frame needed of a side."""

    levels: int
    rows: int


class _Marks(NamedTuple):
    """Rows that are special: the best ones, and the outermost ones that are wholly proven. None where there is none."""

    bid_best: int | None
    ask_best: int | None
    low: int | None
    high: int | None


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
        top, bottom = (places[0][0], places[-1][0]) if places else (1, 1)
        bids = self._gather(book.bids, bottom)
        asks = self._gather(book.asks, top)
        marks = _Marks(
            None if bid_units is None else bid_units // step,
            None if ask_units is None else -(-ask_units // step),
            *self._proven(book),
        )
        rows = self._rows(places, bids, asks, marks)
        if self._options.flashes and book.version != self._seen_version:
            self._seen_version = book.version
            self._note_changes({row.index: row.bid_units or row.ask_units or 0 for row in rows}, now_s)
        mid, spread = self._mid_spread(bid_units, ask_units)
        return LadderFrame(
            symbol=book.symbol,
            update_id=book.last_update_id,
            version=book.version,
            stale=stale,
            step=self.step,
            tick=self.instrument.tick,
            rows=rows,
            band=None if band_y is None or not rows else self._band(band_y, mid, spread, last),
            mid=mid,
            spread=spread,
            size_scale=self._sizes.decimals,
            widest_price=max((row.price for row in rows), key=len, default=""),
            widest_whole=self._column.widest_whole,
            fraction=self._column.fraction,
            widest_sum=max((row.bid_sum or row.ask_sum for row in rows), key=len, default=""),
            flashes=self._flashes,
            point=self._options.number_format.point,
        )

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
        is_dense = hint.levels > _DENSE * max(1, hint.rows)
        sums = (self._dense if is_dense else self._sparse).sum_rows(side, last_index, self._step_units, hint.levels)
        self._hints[side.side] = _Hint(sums.levels + _MORE_LEVELS, len(sums.rows))
        if self._column.needs_products:
            return self._sparse.with_products(side, sums, self._step_units)
        return sums

    def _rows(
        self, places: list[tuple[int, int]], bids: SideSums, asks: SideSums, marks: _Marks
    ) -> tuple[LadderRow, ...]:
        column, step = self._column, self._step_units
        shown_bids, shown_asks = column.shown(bids, step), column.shown(asks, step)
        shown = {**shown_bids, **shown_asks}  # no row has levels of both sides
        visible = [shown[index] for index, _ in places if index in shown]
        bar_unit, usual = self._thresholds(visible)
        least = self._chosen_large() if self._has_chosen_large else None
        sums = self._running(places, shown_bids, shown_asks)
        largest_sum = max(sums.values(), default=0)
        sum_unit = 1.0 / max(largest_sum, 1)
        column.fit(max(visible, default=0), largest_sum)
        volumes = self._volumes(places)
        volume_unit = 1.0 / max((volume for volume, _ in volumes.values()), default=1)
        boundary = self.grid.boundary
        bid_best, ask_best, low, high = marks
        figure, price_text, sum_text = column.figure, self._price_text, column.sum_text
        bid_units, ask_units = bids.rows, asks.rows
        rows = []
        for index, y in places:
            is_bid_side = index < boundary
            units = bid_units.get(index) if is_bid_side else ask_units.get(index)
            running = sums.get(index, 0)
            if units is None:
                flags, size, bar, total = 0, _NO_FIGURE, 0.0, ""
            else:
                amount = shown[index]
                size, bar, total = figure(amount), min(1.0, amount * bar_unit), sum_text(running)
                flags = LARGE if (amount >= usual if least is None else least(index, units)) else 0
            if index == bid_best:
                flags |= BEST_BID
            elif index == ask_best:
                flags |= BEST_ASK
            elif (bid_best is None or index > bid_best) and (ask_best is None or index < ask_best):
                flags |= IN_SPREAD
            volume, bought = volumes.get(index, _NOT_TRADED)
            traded = sum_text(volume) if volume else ""
            if is_bid_side:
                flags |= BID_SIDE if low is None or index >= low else BID_SIDE | UNCOVERED
                row = LadderRow(
                    index, y, flags, price_text(index), units, size, bar, total, running * sum_unit,
                    None, _NO_FIGURE, 0.0, "", 0.0, traded, volume * volume_unit, bought,
                )  # fmt: skip
            else:
                flags |= ASK_SIDE if high is None or index <= high else ASK_SIDE | UNCOVERED
                row = LadderRow(
                    index, y, flags, price_text(index), None, _NO_FIGURE, 0.0, "", 0.0,
                    units, size, bar, total, running * sum_unit, traded, volume * volume_unit, bought,
                )  # fmt: skip
            rows.append(row)
        return tuple(rows)

    def _price_text(self, index: int) -> str:
        text = self._row_prices.get(index)
        if text is None:
            if len(self._row_prices) >= _MAX_PRICES:
                self._row_prices.clear()
            text = self._row_prices[index] = self._price_texts.text(index * self._step_units)
        return text

    def _running(self, places: list[tuple[int, int]], bids: dict[int, int], asks: dict[int, int]) -> dict[int, int]:
        # Cumulative size by row, empty rows beyond the best one included.
        sums: dict[int, int] = {}
        boundary = self.grid.boundary
        visible_asks = [index for index, _ in reversed(places) if index >= boundary]
        visible_bids = [index for index, _ in places if index < boundary]
        for visible, side in ((visible_asks, asks), (visible_bids, bids)):
            if not visible:
                continue
            shown = set(visible)
            running = sum(units for index, units in side.items() if index not in shown)
            for index in visible:
                running += side.get(index, 0)
                sums[index] = running
        return sums

    def _thresholds(self, visible: list[int]) -> tuple[float, float]:
        # Share of a bar per unit, and the units from which an order is unusually large. One giant must not flatten all.
        if not visible:
            return 0.0, math.inf
        ordered = sorted(visible)
        count = len(ordered)
        scale = ordered[min(count - 1, int(0.98 * (count - 1)))]
        if count < _LARGE_SAMPLE:
            return 1.0 / scale, math.inf
        large = max(_LARGE_OF_P90 * ordered[int(0.9 * (count - 1))], _LARGE_OF_MEDIAN * ordered[count // 2])
        return 1.0 / scale, large

    @property
    def _has_chosen_large(self) -> bool:
        return self._options.large_order is not None or self._options.large_value is not None

    def _chosen_large(self) -> Callable[[int, int], bool]:
        # Says whether a row of an index and size units is large by the user's own thresholds.
        order, value = self._options.large_order, self._options.large_value
        size = self._sizes.units_of(order) if order else math.inf
        per_unit = float(self.instrument.contract_size) / 10**self._sizes.decimals
        step = 1.0 if self.instrument.is_inverse else float(self.step)
        worth = float(value) if value else math.inf
        if self.instrument.is_inverse:
            return lambda _index, units: units >= size or units * per_unit >= worth
        return lambda index, units: units >= size or units * per_unit * index * step >= worth

    def _volumes(self, places: list[tuple[int, int]]) -> dict[int, tuple[int, float]]:
        # What was traded on the rows on screen, as it is shown, and the share of it that takers bought.
        if self.volumes is None:
            return {}
        step = self._step_units
        rows = self.volumes.rows(self._prices, self._sizes, step)
        traded = {index: rows[index] for index, _ in places if index in rows}
        sums = {index: bought + sold for index, (bought, sold) in traded.items()}
        products = {index: units * index * step for index, units in sums.items()}
        shown = self._column.shown(SideSums(sums, 0, products), step)
        return {index: (shown[index], traded[index][0] / sums[index]) for index in traded}

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
            price = "" if mid is None else format_decimal(mid, style)
        shown = "" if spread is None else format_decimal(spread, style, max(decimals, decimals_of(spread)))
        return Band(y, price, last.direction if last else 0, f"spread {shown}" if shown else "")

    def _mid_spread(self, bid_units: int | None, ask_units: int | None) -> tuple[Decimal | None, Decimal | None]:
        if bid_units is None or ask_units is None:
            return None, None
        to_decimal = self._prices.to_decimal
        return plain(to_decimal(bid_units + ask_units) / 2), plain(to_decimal(ask_units - bid_units))

    def _note_changes(self, now: dict[int, int], now_s: float) -> None:
        since = now_s - FLASH_S
        flashes = {index: flash for index, flash in self._flashes.items() if flash[0] > since}
        for index, units in now.items():
            before = self._seen.get(index)
            if before is not None and before != units:
                flashes[index] = (now_s, 1 if units > before else -1)
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
        self._seen, self._flashes = {}, {}

    def exact_size(self, units: int) -> str:
        """A row's size as the venue has it, with its unit."""
        return self._column.exact_text(units)
