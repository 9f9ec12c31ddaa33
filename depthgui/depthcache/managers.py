"""The guide's depth cache managers: one symbol, delivered through `recv`, `async for` or a callback.

`recv` gives the DepthCache whenever the live book changed since the last call. It never gives a stale book: while the
book is not in step it waits. A lost connection is told once, as a dict; reconnecting goes on by itself.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.errors import (
    BinanceUnableToConnect,
    BinanceWebsocketClosed,
    DepthGuiError,
    StreamInterruptedError,
    UsageError,
)
from depthgui.book.messages import Diff, Snapshot
from depthgui.depthcache.client import AsyncClient
from depthgui.depthcache.depth_cache import ConvType, DepthCache
from depthgui.depthcache.feed import Feed, FeedOptions, FeedState
from depthgui.depthcache.hub import Hub

_CHANGES_KEPT = 10_000
_DEFAULT_REFRESH_S = 1800.0


class FuturesType(enum.StrEnum):
    """Which futures market."""

    USD_M = "usdm"
    COIN_M = "coinm"


class BinanceSocketManager:
    """Sockets that several managers share; one connection carries up to the venue's limit of streams."""

    def __init__(self, client: AsyncClient, user_timeout: float | None = None, **_: Any) -> None:
        """Open nothing yet. `user_timeout` and further arguments of the guide concern private streams: ignored."""
        self.client = client
        self._hub: Hub | None = None
        del user_timeout

    @property
    def hub(self) -> Hub:
        """The shared connections."""
        if self._hub is None:
            self._hub = self.client.new_hub()
        return self._hub

    async def close(self) -> None:
        """Close the sockets of all managers that share this one. May be called twice."""
        if self._hub is not None:
            await self._hub.close()
            self._hub = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class BaseDepthCacheManager:
    """What the managers of all markets do."""

    _market = Market.SPOT

    def __init__(
        self,
        client: AsyncClient,
        symbol: str,
        loop: asyncio.AbstractEventLoop | None = None,
        refresh_interval: float | None = _DEFAULT_REFRESH_S,
        bm: BinanceSocketManager | None = None,
        limit: int | None = None,
        conv_type: ConvType = float,
        ws_interval: int | None = None,
    ) -> None:
        """Prepare the book of `symbol`; it is kept from `async with` (or `__aenter__`) until `close`.

        refresh_interval: seconds between audits against a fresh snapshot; 0 or None turns them off. bm: share its
        sockets. limit: levels a side of a snapshot. conv_type: gets the venue's exact text. ws_interval: milliseconds
        between diffs, None for the fastest. `loop` is ignored: the running loop is used.
        """
        del loop
        self._client = client
        self._bm = bm
        self._ref = SymbolRef(self._market, symbol.upper())
        self._conv_type = conv_type
        self._options = FeedOptions(limit=limit, interval_ms=ws_interval, refresh_s=refresh_interval or None)
        self._feed: Feed | None = None
        self._depth_cache: DepthCache | None = None
        self._errors: deque[DepthGuiError] = deque()
        self._told: DepthGuiError | None = None
        self._news = asyncio.Event()
        self._delivered = (-1, -1)
        self._is_over = False
        self._change_queues: list[_Changes] = []

    async def __aenter__(self) -> Self:
        """Begin to keep the book."""
        if self._feed is None:
            hub = self._bm.hub if self._bm is not None else self._client.shared_hub()
            feed = hub.feed(self._ref, self._options)
            self._feed = feed
            self._depth_cache = DepthCache(feed, self._conv_type)
            feed.listen(self._note_status)
            feed.listen_changes(self._note_change)
            feed.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def close(self, close_socket: bool = False) -> None:
        """End it; with `close_socket` the shared socket manager too. `recv` returns None from then on."""
        self._is_over = True
        self._news.set()
        for queue in self._change_queues:
            queue.end()
        if self._feed is not None:
            await self._feed.stop()
        if close_socket and self._bm is not None:
            await self._bm.close()

    def get_depth_cache(self) -> DepthCache:
        """The book; see its `state` for what it is worth. Raises UsageError before `__aenter__`."""
        if self._depth_cache is None:
            raise UsageError("the manager has not been entered: use `async with` first")
        return self._depth_cache

    def get_symbol(self) -> str:
        """The symbol, upper case."""
        return self._ref.symbol

    async def recv(self) -> DepthCache | dict[str, str] | None:
        """Wait until the live book has changed, and return it.

        Returns `{"e": "error", "type": "BinanceWebsocketClosed", "m": ...}` once for each loss of the connection,
        with the type "BinanceUnableToConnect" when the attempts are used up, and None after that or after `close`.
        Raises UnknownSymbolError, RegionNotServedError or another permanent VenueError once.
        """
        cache = self.get_depth_cache()
        while True:
            if self._errors:
                return self._error_message(self._errors.popleft())
            if self._is_over:
                return None
            book = cache.book_version
            if cache.state is FeedState.LIVE and book != self._delivered:
                self._delivered = book
                return cache
            self._news.clear()
            await self._news.wait()

    async def __aiter__(self) -> AsyncIterator[DepthCache | dict[str, str]]:
        """Yield what `recv` returns, until it returns None."""
        while (message := await self.recv()) is not None:
            yield message

    async def changes(self) -> AsyncIterator[Snapshot | Diff]:
        """Yield the live book as a Snapshot, then every Diff applied to it, without a hole.

        A new Snapshot comes whenever a resync put a new book in place, or when the reader fell 10,000 diffs behind.
        """
        cache = self.get_depth_cache()
        queue = _Changes()
        self._change_queues.append(queue)
        try:
            if cache.state is FeedState.LIVE:
                queue.put(cache.snapshot())
            while (change := await queue.get()) is not None:
                yield change
        finally:
            self._change_queues.remove(queue)

    def _error_message(self, error: DepthGuiError) -> dict[str, str]:
        if isinstance(error, BinanceUnableToConnect):
            self._is_over = True
        elif not isinstance(error, BinanceWebsocketClosed) and self.get_depth_cache().state is FeedState.FAILED:
            self._is_over = True
            raise error
        # Scripts know one word for a stream that ended and comes back.
        kind = BinanceWebsocketClosed if isinstance(error, StreamInterruptedError) else type(error)
        return {"e": "error", "type": kind.__name__, "m": str(error)}

    def _note_status(self, feed: Feed) -> None:
        status = feed.status
        if status.state is FeedState.LIVE:
            self._told = None
        if status.error is not None and status.state in {FeedState.RECONNECTING, FeedState.FAILED}:
            is_new = self._told is None or type(self._told) is not type(status.error)
            if is_new:
                self._errors.append(status.error)
                self._told = status.error
        self._news.set()

    def _note_change(self, diff: Diff | None) -> None:
        self._news.set()
        if self._change_queues:
            cache = self.get_depth_cache()
            for queue in self._change_queues:
                if diff is None or queue.is_full:
                    queue.begin_again(cache.snapshot())
                else:
                    queue.put(diff)


class DepthCacheManager(BaseDepthCacheManager):
    """A spot book."""


class FuturesDepthCacheManager(BaseDepthCacheManager):
    """A USD-M or COIN-M book, from diffs."""

    def __init__(
        self,
        client: AsyncClient,
        symbol: str,
        loop: asyncio.AbstractEventLoop | None = None,
        refresh_interval: float | None = _DEFAULT_REFRESH_S,
        bm: BinanceSocketManager | None = None,
        limit: int | None = None,
        conv_type: ConvType = float,
        ws_interval: int | None = None,
        futures_type: FuturesType | str = FuturesType.USD_M,
    ) -> None:
        """As DepthCacheManager; `futures_type` is "usdm" or "coinm"."""
        self._market = futures_market(futures_type)
        super().__init__(client, symbol, loop, refresh_interval, bm, limit, conv_type, ws_interval)


class OptionsDepthCacheManager(BaseDepthCacheManager):
    """A book of vanilla options, from diffs."""

    _market = Market.OPTIONS


def futures_market(futures_type: FuturesType | str | enum.Enum) -> Market:
    """Market of a futures type: a FuturesType, its value, or an enum with such a value. Raises UsageError."""
    value = futures_type.value if isinstance(futures_type, enum.Enum) else futures_type
    known = {"usdm": Market.USDM, "coinm": Market.COINM, 1: Market.USDM, 2: Market.COINM}
    market = known.get(value.lower() if isinstance(value, str) else value)
    if market is None:
        raise UsageError(f'{futures_type!r} is not a futures type; it is "usdm" or "coinm"')
    return market


class _Changes:
    """What one reader of `changes` has yet to see."""

    def __init__(self) -> None:
        self._waiting: deque[Snapshot | Diff | None] = deque()
        self._news = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= _CHANGES_KEPT

    def put(self, change: Snapshot | Diff) -> None:
        self._waiting.append(change)
        self._news.set()

    def begin_again(self, snapshot: Snapshot) -> None:
        self._waiting.clear()
        self.put(snapshot)

    def end(self) -> None:
        self._waiting.append(None)
        self._news.set()

    async def get(self) -> Snapshot | Diff | None:
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()
