"""What the view-models and widgets read of a feed. The engine's `Feed` satisfies it, and so does a test's stand-in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

from depthgui.book.messages import Trade
from depthgui.book.order_book import OrderBook
from depthgui.ui.viewmodels.instrument import InfoLike, Instrument, instrument_for
from depthgui.ui.viewmodels.ladder import LastPrice


class StatusView(Protocol):
    """The state of a feed, for a person."""

    @property
    def since_s(self) -> float:
        """Monotonic time of the last change of state."""

    @property
    def since_wall_ms(self) -> int:
        """The same as Unix time in ms."""

    @property
    def detail(self) -> str:
        """A sentence that says what goes on."""

    @property
    def buffered(self) -> int:
        """Diffs that wait for a snapshot."""


class CountersView(Protocol):
    """What a feed has counted since it started."""

    @property
    def messages(self) -> int:
        """Messages of all kinds."""

    @property
    def diffs(self) -> int:
        """Depth events."""

    @property
    def gaps(self) -> int:
        """Breaks in the sequence."""

    @property
    def resyncs(self) -> int:
        """Books built anew."""

    @property
    def audits(self) -> int:
        """Comparisons with the exchange."""

    @property
    def audit_differences(self) -> int:
        """Comparisons that didn't agree."""

    @property
    def malformed(self) -> int:
        """Messages that could not be read."""

    @property
    def updates_per_s(self) -> float:
        """Depth events a second, smoothed."""

    @property
    def verified_s(self) -> float | None:
        """Monotonic time of the last comparison that agreed."""

    @property
    def lag_ms(self) -> float | None:
        """Time from the exchange's stamp to arrival."""


class FeedView(Protocol):
    """A feed, seen from the screen."""

    @property
    def symbol(self) -> str:
        """Venue's name of the symbol."""

    @property
    def market(self) -> enum.Enum:
        """Market; its value is "spot", "usdm", "coinm" or "options"."""

    @property
    def info(self) -> InfoLike | None:
        """What the venue says of the symbol, None while unknown."""

    @property
    def trading_status_since_wall_ms(self) -> int | None:
        """When it was first seen that the symbol is not traded now, Unix time in ms; None while it is, or unknown."""

    @property
    def book(self) -> OrderBook | None:
        """Last known book, stale or not."""

    @property
    def state(self) -> enum.Enum:
        """State; its value is "live", "stale", ..."""

    @property
    def status(self) -> StatusView:
        """State in words."""

    @property
    def counters(self) -> CountersView:
        """Counts since the start."""

    @property
    def trades(self) -> Sequence[Trade]:
        """Latest trades, newest last."""

    @property
    def trade_version(self) -> int:
        """Goes up with each trade."""

    @property
    def last_trade(self) -> Trade | None:
        """Newest trade."""


def is_live(feed: FeedView) -> bool:
    """True while the book is in step with the exchange; anything else is shown as stale."""
    return bool(feed.state.value == "live")


def instrument_of(feed: FeedView) -> Instrument:
    """The feed's instrument, from the venue's information or, failing that, from the book itself."""
    return instrument_for(feed.symbol, feed.info, feed.book, market=str(feed.market.value))


class InstrumentTracker:
    """Follows a feed's instrument: made anew when the venue's description comes or changes, or the first levels do."""

    __slots__ = ("_has_levels", "_instrument", "_said")

    def __init__(self) -> None:
        """Start without an instrument."""
        self._instrument: Instrument | None = None
        self._said: object = None
        self._has_levels = False

    def read(self, feed: FeedView) -> Instrument:
        """The instrument now; the same object for as long as nothing in it has changed."""
        info, before = feed.info, self._instrument
        has_levels = self._has_levels
        if not has_levels and (info is None or info.tick is None or info.step is None):
            book = feed.book
            has_levels = book is not None and bool(book.bids or book.asks)
        said = None if info is None else (info.tick, info.step, info.contract_size, info.base, info.quote)
        if before is not None and said == self._said and has_levels is self._has_levels:
            return before
        self._said, self._has_levels = said, has_levels
        made = instrument_of(feed)
        if made != before:
            self._instrument = made
            return made
        return before


class LastPriceTracker:
    """Follows the last market trade's price and which way it went. Prints off the market don't count.

    All views of one page share one, so that they show one price: who reads a new one has the others told at once.
    """

    __slots__ = ("_feed", "_last", "_listeners", "_version")

    def __init__(self) -> None:
        """Start without a price."""
        self._feed: FeedView | None = None
        self._last: LastPrice | None = None
        self._version = -1
        self._listeners: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back whenever a read has found another price."""
        self._listeners.append(callback)

    def read(self, feed: FeedView) -> LastPrice | None:
        """The feed's last price now; None until there was a trade."""
        if feed is not self._feed:
            self._feed, self._last, self._version = feed, None, -1
        if feed.trade_version != self._version:
            before = self._last
            new = feed.trade_version - self._version if self._version >= 0 else len(feed.trades)
            self._version = feed.trade_version
            self._follow(feed, new)
            if self._last is not before:
                for callback in self._listeners:
                    callback()
        return self._last

    def _follow(self, feed: FeedView, count: int) -> None:
        trades = feed.trades
        for number in range(max(0, len(trades) - count), len(trades)):
            trade = trades[number]
            if not trade.is_market:
                continue
            before = self._last
            if before is None:
                self._last = LastPrice(trade.price)
            elif trade.price != before.text:
                self._last = LastPrice(trade.price, 1 if float(trade.price) > float(before.text) else -1)
