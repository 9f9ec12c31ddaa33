"""The tape: market trades, newest first, small pieces of one order put together. No Qt, no clock."""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

import msgspec

from depthgui.book.messages import Trade
from depthgui.ui.viewmodels.feed_view import FeedView
from depthgui.ui.viewmodels.figures import ExactScale, Figure, FigureFormatter, NumberFormat
from depthgui.ui.viewmodels.instrument import NOT_DESCRIBED, Instrument
from depthgui.ui.wording import TimeZone, clock_text

_KEPT = 1000
_SAMPLE = 400  # prints that the automatic threshold of large ones looks at
_RENEW_EVERY = 40
_LARGE_SHARE = 0.97
_LARGE_OF_MEDIAN = 8


class Merge(enum.Enum):
    """Which prints are shown as one: none, those of one price, or all that one order took on its way."""

    NONE = "none"
    SAME_PRICE = "same price"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class TapeOptions:
    """The user's choices. `large_size` None: found by what is usual; 0: none is large."""

    min_size: Decimal = Decimal(0)
    large_size: Decimal | None = None
    merge: Merge = Merge.SAME_PRICE
    merge_ms: int = 5
    number_format: NumberFormat = field(default_factory=NumberFormat)
    zone: TimeZone = TimeZone.LOCAL


class Print(msgspec.Struct, frozen=True, gc=False):
    """One line of the tape: `count` trades of one side. `size_units` is exact, in the model's scale."""

    first_price: str
    price: str
    size_units: int
    time_ms: int
    is_buy: bool
    count: int


class TapeRow(msgspec.Struct, frozen=True, gc=False):
    """What is drawn of a print."""

    price: str
    size: Figure
    time: str
    is_buy: bool
    is_large: bool
    count: int


@dataclass(frozen=True, slots=True)
class TapeFrame:
    """Rows newest first. `waiting` prints arrived since the tape was paused; `point` is the decimal mark.

    `note` is a sentence that is shown over the rows, "" for none.
    """

    rows: tuple[TapeRow, ...]
    is_paused: bool
    waiting: int
    fraction: int
    stale: bool
    point: str = "."
    note: str = ""


class TapeModel:
    """Collects prints of one feed and shapes them into frames."""

    def __init__(self, instrument: Instrument, options: TapeOptions | None = None) -> None:
        """Start empty."""
        self.instrument = instrument
        self._options = options or TapeOptions()
        self._sizes = ExactScale()
        self._prints: deque[Print] = deque(maxlen=_KEPT)  # newest last
        self._version = -1
        self._large_units = 0
        self._since_renewed = 0
        self._held: tuple[Print, ...] | None = None
        self._waiting = 0
        self._times: dict[int, str] = {}
        self._rows: dict[Print, TapeRow] = {}  # of the last frame; the next one has most of them again
        self._fit()

    @property
    def options(self) -> TapeOptions:
        """The user's choices."""
        return self._options

    @property
    def is_paused(self) -> bool:
        """True while the tape stands still for reading."""
        return self._held is not None

    def set_options(self, options: TapeOptions, trades: Sequence[Trade] = ()) -> None:
        """Change the choices; `trades` are read again for a change of merging."""
        merges = dataclasses.replace(self._options, merge=options.merge, merge_ms=options.merge_ms)
        reread = merges != self._options
        self._options = options
        self._fit()
        if reread:
            self._prints.clear()
            for trade in trades:
                self._add(trade)
        self._renew_large()

    def pause(self) -> None:
        """Hold the prints that are shown now."""
        if self._held is None:
            self._held = tuple(self._prints)
            self._waiting = 0

    def resume(self) -> None:
        """Show the newest prints again."""
        self._held = None
        self._waiting = 0

    def read(self, feed: FeedView) -> None:
        """Take over the feed's new trades. Prints off the market are left out."""
        version = feed.trade_version
        if version == self._version:
            return
        trades = feed.trades
        new = len(trades) if self._version < 0 or version < self._version else version - self._version
        self._version = version
        for trade in islice(trades, max(0, len(trades) - new), None):
            self._add(trade)
        if self._since_renewed >= _RENEW_EVERY or not self._large_units:
            self._renew_large()

    def frame(self, row_count: int, *, stale: bool = False) -> TapeFrame:
        """The newest `row_count` prints that are large enough to be shown."""
        wanted = self._sizes.units_of(self._options.min_size)
        source = reversed(self._prints if self._held is None else self._held)
        chosen = islice((item for item in source if item.size_units >= wanted), row_count)
        items = list(chosen)
        self._rows = {item: self._rows.get(item) or self._row(item) for item in items}
        rows = tuple(self._rows[item] for item in items)
        point = self._options.number_format.point
        note = "" if self.instrument.is_described else NOT_DESCRIBED
        return TapeFrame(rows, self.is_paused, self._waiting, self._size_texts.fraction, stale, point, note)

    # -- prints

    def _add(self, trade: Trade) -> None:
        if not trade.is_market:
            return
        decimals = self._sizes.decimals
        units = self._sizes.units(trade.size)
        if self._sizes.decimals != decimals:
            self._rescale(10 ** (self._sizes.decimals - decimals))
        is_buy = not trade.buyer_is_maker
        last = self._prints[-1] if self._prints else None
        if last is not None and self._belongs(trade, last, is_buy=is_buy):
            self._prints[-1] = Print(
                last.first_price, trade.price, last.size_units + units, trade.time_ms, is_buy, last.count + 1
            )
            return
        self._prints.append(Print(trade.price, trade.price, units, trade.time_ms, is_buy, 1))
        self._since_renewed += 1
        self._waiting += self._held is not None

    def _belongs(self, trade: Trade, last: Print, *, is_buy: bool) -> bool:
        merge = self._options.merge
        if merge is Merge.NONE or is_buy is not last.is_buy:
            return False
        if not 0 <= trade.time_ms - last.time_ms <= self._options.merge_ms:
            return False
        return merge is Merge.SWEEP or trade.price == last.price

    def _rescale(self, factor: int) -> None:
        self._prints = deque(
            (msgspec.structs.replace(item, size_units=item.size_units * factor) for item in self._prints), _KEPT
        )
        self._large_units *= factor
        self._fit()

    def _renew_large(self) -> None:
        self._since_renewed = 0
        self._rows.clear()
        wanted = self._options.large_size
        if wanted is not None:
            self._large_units = self._sizes.units_of(wanted)
            return
        sample = sorted(item.size_units for item in islice(reversed(self._prints), _SAMPLE))
        if sample:
            usual = sample[len(sample) // 2]
            self._large_units = max(sample[int(_LARGE_SHARE * (len(sample) - 1))], _LARGE_OF_MEDIAN * usual)

    # -- texts

    def _fit(self) -> None:
        style = self._options.number_format
        self._prices = ExactScale()
        self._price_texts = FigureFormatter(self._prices, self.instrument.price_decimals, style)
        self._size_texts = FigureFormatter(self._sizes, self.instrument.size_decimals, style)
        self._times.clear()
        self._rows.clear()

    def _row(self, item: Print) -> TapeRow:
        figure = self._size_texts.figure(item.size_units)
        is_large = bool(self._large_units) and item.size_units >= self._large_units
        price = self._price_texts.text(self._prices.units(item.price))
        return TapeRow(price, figure, self._time(item.time_ms), item.is_buy, is_large, item.count)

    def _time(self, time_ms: int) -> str:
        second = time_ms // 1000
        found = self._times.get(second)
        if found is None:
            if len(self._times) > _KEPT:
                self._times.clear()
            found = self._times[second] = clock_text(time_ms, self._options.zone).removesuffix("Z")
        return found
