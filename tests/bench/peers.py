"""Other libraries' books, driven as their documentation says, as far as that goes without a network.

Nothing of theirs is replaced but what would connect to the venue: the REST call for the snapshot is answered here, and
messages are handed to the method that their own reader calls. Each is imported only when it is made.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from importlib import metadata
from types import SimpleNamespace
from typing import Any

from bench.books import EVERY_MARKET, BookUnderTest, SortedBook, Top, floats
from bench.workload import Workload


class PythonBinance:
    """python-binance: `DepthCacheManager`, its json_loads (orjson where installed), `_apply_orders`."""

    name = "python-binance"
    distribution = "python-binance"
    is_manager = False
    # A size of zero that isn't written with eight decimals leaves its level standing.
    markets = frozenset({"spot"})

    def __init__(self) -> None:
        from binance import DepthCacheManager
        from binance.ws.reconnecting_websocket import ReconnectingWebsocket

        self._manager_type = DepthCacheManager
        # Only its json_loads is wanted; made in the usual way, it would make an event loop as well.
        self._socket = object.__new__(ReconnectingWebsocket)

    def start(self, workload: Workload) -> None:
        async def get_order_book(**_: Any) -> Any:
            return self._socket.json_loads(workload.snapshot)

        async def begin() -> Any:
            client = SimpleNamespace(get_order_book=get_order_book)
            manager = self._manager_type(client, workload.symbol, limit=5000, bm=object())
            await manager._init_cache()
            return manager

        self.manager = asyncio.run(begin())

    def apply(self, payload: bytes) -> None:
        self.manager._apply_orders(self._socket.json_loads(payload))

    def read(self, count: int) -> Any:
        cache = self.manager.get_depth_cache()
        return cache.get_bids()[:count], cache.get_asks()[:count]

    def top(self, count: int) -> Top:
        return floats(*self.read(count))

    def close(self) -> None:
        del self.manager


class PythonBinanceManager(PythonBinance):
    """The same through `_depth_event`, which `recv()` calls: with its check of the sequence."""

    name = "python-binance manager"
    is_manager = True

    def apply(self, payload: bytes) -> None:
        finish(self.manager._depth_event(self._socket.json_loads(payload)))


class Unicorn:
    """unicorn-binance-local-depth-cache: its manager with `_apply_updates`; it keeps the best 1000 levels a side."""

    name = "unicorn-binance-local-depth-cache"
    distribution = "unicorn-binance-local-depth-cache"
    is_manager = False
    markets = frozenset({"spot", "usdm"})

    def __init__(self) -> None:
        import orjson
        from unicorn_binance_local_depth_cache import BinanceLocalDepthCacheManager

        self._loads = orjson.loads
        self._manager_type = BinanceLocalDepthCacheManager

    def start(self, workload: Workload) -> None:

        def answer(**_: Any) -> Any:
            return self._loads(workload.snapshot)

        rest = SimpleNamespace(get_order_book=answer, futures_order_book=answer, stop_manager=lambda: None)
        exchange = "binance.com" if workload.market == "spot" else "binance.com-futures"
        self.manager = self._manager_type(exchange=exchange, ubra_manager=rest, warn_on_update=False)
        self.market = workload.symbol.lower()
        self.manager._add_depthcache(market=self.market)
        assert self.manager._init_depth_cache(market=self.market)
        self.manager.depth_caches[self.market]["is_synchronized"] = True

    def apply(self, payload: bytes) -> None:
        data = self._loads(payload)
        self.manager._apply_updates(asks=data["a"], bids=data["b"], market=self.market)

    def read(self, count: int) -> Any:
        manager, market = self.manager, self.market
        return manager.get_bids(market=market, limit_count=count), manager.get_asks(market=market, limit_count=count)

    def top(self, count: int) -> Top:
        return floats(*self.read(count))

    def close(self) -> None:
        self.manager.stop_manager()
        del self.manager


class Cryptofeed:
    """cryptofeed: `Binance.message_handler`, the callback that its connection calls; Decimals, sequence checked."""

    name = "cryptofeed"
    distribution = "cryptofeed"
    is_manager = True
    markets = EVERY_MARKET

    def __init__(self) -> None:
        from cryptofeed.defines import L2_BOOK
        from cryptofeed.exchanges import Binance, BinanceDelivery, BinanceFutures

        self._types = {"spot": Binance, "usdm": BinanceFutures, "coinm": BinanceDelivery}
        self._channel = L2_BOOK

    def start(self, workload: Workload) -> None:
        from cryptofeed.symbols import Symbols

        kind = self._types[workload.market]
        name = "A-B"
        Symbols.set(kind.id, {name: workload.symbol}, {"instrument_type": {name: "spot"}, "tick_size": {name: "0.01"}})

        async def received(book: Any, _: float) -> None:
            self.book = book.book

        async def read_snapshot(*_: Any, **__: Any) -> bytes:
            return workload.snapshot

        async def begin() -> Any:
            feed = kind(symbols=[name], channels=[self._channel], callbacks={self._channel: received})
            feed.http_conn = SimpleNamespace(read=read_snapshot)
            return feed

        self.feed = asyncio.run(begin())
        self._prefix = workload.frame(b"#").partition(b"#")[0].decode()
        finish(self.feed._snapshot(workload.symbol))

    def apply(self, payload: bytes) -> None:
        finish(self.feed.message_handler(self._prefix + payload.decode() + "}", None, 0.0))

    def read(self, count: int) -> Any:
        # Its own way to a level by rank; to_dict() of everything is slower.
        bids, asks = self.book.bids, self.book.asks
        return (
            [bids.index(rank) for rank in range(min(count, len(bids)))],
            [asks.index(rank) for rank in range(min(count, len(asks)))],
        )

    def top(self, count: int) -> Top:
        return floats(*self.read(count))

    def close(self) -> None:
        del self.feed, self.book


class Ccxt:
    """ccxt.pro: `handle_order_book_message` on its OrderBook; reading as `watch_order_book` returns it."""

    name = "ccxt.pro"
    distribution = "ccxt"
    is_manager = False
    markets = EVERY_MARKET

    def __init__(self) -> None:
        import orjson  # ccxt takes it for its WebSocket messages, too
        from ccxt.pro import binance

        self._loads = orjson.loads
        self.exchange = binance()

    def start(self, workload: Workload) -> None:
        snapshot = self.exchange.parse_order_book(self._loads(workload.snapshot), workload.symbol)
        snapshot["nonce"] = self._loads(workload.snapshot)["lastUpdateId"]
        self.symbol = workload.symbol
        self.book = self.exchange.order_book({}, 5000 if workload.market == "spot" else None)
        self.book.reset(snapshot)

    def apply(self, payload: bytes) -> None:
        self.exchange.handle_order_book_message(None, self._loads(payload), self.book)

    def read(self, count: int) -> Any:
        book = self.book.limit()
        return book["bids"][:count], book["asks"][:count]

    def top(self, count: int) -> Top:
        return floats(*self.read(count))

    def close(self) -> None:
        del self.book


class CcxtManager(Ccxt):
    """The same through `handle_order_book`, which its client calls for every event: with its sequence rules."""

    name = "ccxt.pro manager"
    is_manager = True

    def start(self, workload: Workload) -> None:
        super().start(workload)
        self.book["symbol"] = self.symbol
        self.exchange.orderbooks = {self.symbol: self.book}
        market = {"id": workload.symbol, "symbol": workload.symbol, "spot": workload.market == "spot"}
        self.exchange.markets_by_id = {workload.symbol: [market]}
        self.exchange.markets = {workload.symbol: market}
        url = "wss://stream.binance.com:9443/ws" if workload.market == "spot" else "wss://fstream.binance.com/ws"
        self._client = SimpleNamespace(url=url, subscriptions={}, resolve=lambda *_: None, reject=_raise)

    def apply(self, payload: bytes) -> None:
        self.exchange.handle_order_book(self._client, self._loads(payload))


PEERS: tuple[Callable[[], BookUnderTest], ...] = (
    PythonBinance,
    PythonBinanceManager,
    Unicorn,
    Cryptofeed,
    Ccxt,
    CcxtManager,
    SortedBook,
)


def make_peers() -> tuple[list[BookUnderTest], dict[str, str]]:
    """All peers that are installed, and for those that aren't, or can't be used here, why."""
    made: list[BookUnderTest] = []
    missing: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for make in PEERS:
            name = getattr(make, "name", "?")
            try:
                made.append(make())
            except ImportError as error:
                missing[name] = f"not installed ({error})"
    return made, missing


def versions() -> dict[str, str]:
    """Version of every distribution that matters to the figures and is installed."""
    names = (
        "python-binance", "unicorn-binance-local-depth-cache", "cryptofeed", "order_book", "ccxt", "sortedcontainers",
        "orjson", "msgspec", "websockets", "aiohttp", "qasync", "PySide6-Essentials", "pyqtgraph", "numpy",
    )  # fmt: skip
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def finish(coroutine: Any) -> Any:
    """Run a coroutine that waits for nothing, as it would run inside its reader's task."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited for something")


def _raise(error: Exception, _hash: str) -> None:
    raise error
