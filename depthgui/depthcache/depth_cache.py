"""The guide's DepthCache: a window on a feed's book that gives prices and sizes in the type you chose."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from depthgui.binance.endpoints import Market
from depthgui.book.audit import AuditResult
from depthgui.book.coverage import Coverage
from depthgui.book.errors import UsageError
from depthgui.book.grouping import GroupedLevel, group, imbalance
from depthgui.book.impact import Contract, Impact, market_impact
from depthgui.book.levels import Side
from depthgui.book.messages import Level, Snapshot
from depthgui.depthcache.feed import Feed, FeedState

ConvType = Callable[[str], Any]


class DepthCache:
    """The last known book of a symbol. It equals the exchange's only while `state` is `FeedState.LIVE`.

    `conv_type` gets the venue's exact text. It is a live view, not a copy: what it returns changes with the book.
    """

    def __init__(self, feed: Feed, conv_type: ConvType = float) -> None:
        """Look at the book of `feed`."""
        self.conv_type = conv_type
        self._feed = feed

    @property
    def symbol(self) -> str:
        """The symbol, upper case."""
        return self._feed.symbol

    @property
    def market(self) -> Market:
        """The market."""
        return self._feed.market

    @property
    def state(self) -> FeedState:
        """What the book is worth."""
        return self._feed.state

    @property
    def update_time(self) -> int | None:
        """The venue's time of the last event, in milliseconds since 1970."""
        book = self._feed.book
        return None if book is None else book.event_time_ms

    @property
    def last_update_id(self) -> int | None:
        """The venue's id of the last update in the book."""
        book = self._feed.book
        return None if book is None else book.last_update_id

    @property
    def age_s(self) -> float | None:
        """Seconds since the last diff arrived, None before the first."""
        last_s = self._feed.counters.last_data_s
        return None if last_s is None else self._feed.now_s() - last_s

    @property
    def coverage(self) -> Coverage | None:
        """The price range that the snapshot proved; outside, only levels that changed are known."""
        book = self._feed.book
        return None if book is None else book.coverage

    @property
    def audit(self) -> AuditResult | None:
        """The last comparison with what the venue says: when, against what, how many levels, which differ."""
        return self._feed.counters.last_audit

    @property
    def verified_s_ago(self) -> float | None:
        """Seconds since the last comparison that agreed, None before the first."""
        verified_s = self._feed.counters.verified_s
        return None if verified_s is None else self._feed.now_s() - verified_s

    @property
    def book_version(self) -> tuple[int, int]:
        """Update id and version; two equal ones mean that nothing has changed in between."""
        book = self._feed.book
        return (-1, -1) if book is None else (book.last_update_id, book.version)

    def snapshot(self) -> Snapshot:
        """A copy of the whole book, as text. Raises UsageError while there is none."""
        book = self._feed.book
        if book is None:
            raise UsageError(f"{self.symbol} has no book yet")
        return Snapshot(book.last_update_id, book.bids.levels(), book.asks.levels(), book.event_time_ms)

    def get_bids(self, limit: int | None = None) -> list[list[Any]]:
        """Bids as `[price, size]`, best first; all of them, or the best `limit`."""
        return self._converted(Side.BID, limit)

    def get_asks(self, limit: int | None = None) -> list[list[Any]]:
        """Asks as `[price, size]`, best first; all of them, or the best `limit`."""
        return self._converted(Side.ASK, limit)

    @property
    def best_bid(self) -> list[Any] | None:
        """Best bid as `[price, size]`, None while there is none."""
        return next(iter(self.get_bids(1)), None)

    @property
    def best_ask(self) -> list[Any] | None:
        """Best ask as `[price, size]`, None while there is none."""
        return next(iter(self.get_asks(1)), None)

    @property
    def spread(self) -> Any:
        """Best ask less best bid, None while a side is empty."""
        book = self._feed.book
        return None if book is None or book.spread is None else self.conv_type(format(book.spread, "f"))

    @property
    def mid(self) -> Any:
        """Middle between best bid and best ask, None while a side is empty."""
        book = self._feed.book
        return None if book is None or book.mid is None else self.conv_type(format(book.mid, "f"))

    def imbalance(self, bps: float = 10.0) -> float | None:
        """(bids - asks) / (bids + asks) of the sizes within `bps` basis points of the mid, from -1 to 1."""
        book = self._feed.book
        return None if book is None else imbalance(book, bps)

    def impact(
        self, side: str, quantity: Decimal | float | str | None = None, notional: Decimal | float | str | None = None
    ) -> Impact | None:
        """What a market order to "buy" or "sell" would get; see `book.impact`. Exact decimals, whatever `conv_type`."""
        book = self._feed.book
        if book is None:
            return None
        return market_impact(
            book,
            side,
            quantity=None if quantity is None else Decimal(str(quantity)),
            notional=None if notional is None else Decimal(str(notional)),
            contract=self._contract(),
        )

    def grouped(self, step: Decimal | float | str, limit: int | None = None) -> tuple[list[GroupedLevel], ...]:
        """Bids and asks summed onto multiples of `step`: bids downwards, asks upwards. Exact decimals."""
        book = self._feed.book
        if book is None:
            return [], []
        exact = Decimal(str(step))
        return group(book.bids, exact, limit), group(book.asks, exact, limit)

    def _contract(self) -> Contract:
        info = self._feed.info
        size = info.contract_size if info is not None and info.contract_size is not None else Decimal(1)
        return Contract(size, is_inverse=self.market is Market.COINM)

    def _converted(self, side: Side, limit: int | None) -> list[list[Any]]:
        book = self._feed.book
        if book is None:
            return []
        convert = self.conv_type
        if convert is float:
            return list(map(list, book.side(side).numbers(limit)))
        levels: list[Level] = book.side(side).levels(limit)
        return [[convert(price), convert(size)] for price, size in levels]
