"""A hub and feeds that do what the test says, with the engine's own types."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from unit.ui.books import FakeFeed, small_book

from depthgui.binance.endpoints import Market, SymbolRef, parse_symbol_ref
from depthgui.binance.symbols import SymbolInfo
from depthgui.book.errors import DepthGuiError
from depthgui.depthcache.connection import ConnectionPhase, ConnectionStatus
from depthgui.depthcache.feed import FeedState, FeedStatus

LOST_WALL_MS = 1_700_000_000_000


class Time:
    """Monotonic and wall clock that go when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return 1_700_000_000.0 + self.now_s


class ShellFeed(FakeFeed):
    """A feed with the engine's states, that can be started and stopped."""

    def __init__(self, ref: SymbolRef) -> None:
        super().__init__(book=None, state=FeedState.STOPPED, symbol=ref.symbol, market=ref.market)  # type: ignore[arg-type]
        self.ref = ref
        self.wake: Callable[[], None] = lambda: None
        self.status = FeedStatus(FeedState.STOPPED, 0.0, LOST_WALL_MS, "Stopped")  # type: ignore[assignment]
        self.urgency = 0
        self.is_watched = True
        self.calls: list[str] = []
        self._listeners: list[Callable[[Any], None]] = []

    def listen(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def become(self, state: FeedState, detail: str = "", error: DepthGuiError | None = None) -> None:
        self.state = state  # type: ignore[assignment]
        self.status = FeedStatus(state, 0.0, LOST_WALL_MS, detail or state.value, 0, error)  # type: ignore[assignment]
        if state is FeedState.LIVE:
            self.book = self.book or small_book(symbol=self.symbol)
        for listener in tuple(self._listeners):
            listener(self)

    def start(self) -> None:
        self.calls.append("start")
        self.become(FeedState.CONNECTING)

    async def stop(self) -> None:
        self.calls.append("stop")
        self.become(FeedState.STOPPED)

    def resync(self) -> None:
        self.calls.append("resync")


class FakeHub:
    """Feeds by symbol, connections as the test sets them, and symbol lists as the test gives them."""

    def __init__(self) -> None:
        self.feeds: dict[SymbolRef, ShellFeed] = {}
        self.lists: dict[Market, list[SymbolInfo] | DepthGuiError] = {market: [] for market in Market}
        self.statuses: dict[str, ConnectionStatus] = {}
        self.retried: list[str] = []
        self.asked: list[Market] = []
        self._listeners: list[Callable[[ConnectionStatus], None]] = []

    @property
    def connections(self) -> dict[str, ConnectionStatus]:
        return self.statuses

    def feed(self, ref: SymbolRef) -> ShellFeed:
        return self.feeds.setdefault(ref, ShellFeed(ref))

    def __getitem__(self, text: str) -> ShellFeed:
        return self.feeds[parse_symbol_ref(text)]

    async def symbols(self, market: Market) -> list[SymbolInfo]:
        self.asked.append(market)
        found = self.lists[market]
        if isinstance(found, DepthGuiError):
            raise found
        return found

    def listen(self, callback: Callable[[ConnectionStatus], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def retry_now(self, key: str) -> None:
        self.retried.append(key)

    def weight(self, market: Market) -> tuple[int, int]:
        return (260, 6000)

    def report(self, status: ConnectionStatus) -> None:
        self.statuses[status.key] = status
        for listener in tuple(self._listeners):
            listener(status)


def connection(phase: ConnectionPhase, *symbols: str, **changes: Any) -> ConnectionStatus:
    """A status of the spot connection that carries these symbols."""
    status = ConnectionStatus(
        key="spot/public/1",
        label="Binance Spot",
        url="wss://stream.binance.com:9443",
        phase=phase,
        symbols=tuple(parse_symbol_ref(text) for text in symbols),
        streams=len(symbols),
    )
    return dataclasses.replace(status, **changes)


def lost(*symbols: str, at_s: float = 1000.0, retry_in_s: float | None = 3.0, **changes: Any) -> ConnectionStatus:
    """The same connection, lost at `at_s` and waiting for its next attempt."""
    facts: dict[str, Any] = {
        "attempt": 2,
        "lost_at_s": at_s,
        "lost_at_wall_ms": LOST_WALL_MS,
        "retry_at_s": None if retry_in_s is None else at_s + retry_in_s,
        "reason": "closed with 1006",
    }
    return connection(ConnectionPhase.WAITING, *symbols, **{**facts, **changes})


def info(
    text: str, base: str, quote: str, *, status: str = "trading", tick: str = "0.01", kind: str = ""
) -> SymbolInfo:
    """One row of a symbol list."""
    ref = parse_symbol_ref(text)
    kinds = {Market.SPOT: "spot", Market.USDM: "perpetual", Market.COINM: "perpetual", Market.OPTIONS: "option"}
    return SymbolInfo(
        market=ref.market,
        symbol=ref.symbol,
        base=base,
        quote=quote,
        status=status,
        tick=Decimal(tick),
        step=Decimal("0.001"),
        kind=kind or kinds[ref.market],
    )


def some_lists() -> dict[Market, list[SymbolInfo] | DepthGuiError]:
    """A few symbols of each market."""
    return {
        Market.SPOT: [
            info("BTCUSDT", "BTC", "USDT"),
            info("BNBUSDT", "BNB", "USDT"),
            info("BNBBTC", "BNB", "BTC", tick="0.000001"),
            info("BTCZAR", "BTC", "ZAR"),
            info("OLDBNB", "OLD", "BNB", status="break"),
            info("SHIBUSDT", "SHIB", "USDT", tick="0.00000001"),
        ],
        Market.USDM: [info("usdm:BNBUSDT", "BNB", "USDT"), info("usdm:BTCUSDT", "BTC", "USDT", tick="0.1")],
        Market.COINM: [info("coinm:BNBUSD_PERP", "BNB", "USD"), info("coinm:BTCUSD_PERP", "BTC", "USD")],
        Market.OPTIONS: [info("options:BNB-261225-700-C", "BNB", "USDT", tick="0.1")],
    }
