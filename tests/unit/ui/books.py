"""Books and feeds that the view-model tests make by hand."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from depthgui.book.messages import Diff, Level, Snapshot, Trade
from depthgui.book.order_book import OrderBook


def make_book(
    bids: list[Level], asks: list[Level], *, limit: int | None = None, symbol: str = "BTCUSDT", update_id: int = 7
) -> OrderBook:
    """A book as one snapshot gives it."""
    return OrderBook.from_snapshot(symbol, Snapshot(update_id, bids, asks, limit=limit), version=1)


def change(book: OrderBook, bids: list[Level] = [], asks: list[Level] = []) -> None:  # noqa: B006
    """Apply one more diff."""
    number = book.last_update_id + 1
    book.apply(Diff(number, number, 0, bids, asks))


class State(enum.Enum):
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"
    FAILED = "failed"


class Market(enum.Enum):
    SPOT = "spot"
    COINM = "coinm"


@dataclass
class Info:
    base: str = "BTC"
    quote: str = "USDT"
    tick: Decimal | None = Decimal("0.01")
    step: Decimal | None = Decimal("0.001")
    contract_size: Decimal | None = None
    status: str = "trading"

    @property
    def is_trading(self) -> bool:
        return self.status == "trading"


@dataclass
class Status:
    since_s: float = 0.0
    since_wall_ms: int = 1_700_000_000_000
    detail: str = ""
    buffered: int = 0


@dataclass
class Counters:
    messages: int = 0
    diffs: int = 0
    gaps: int = 0
    resyncs: int = 0
    audits: int = 0
    audit_differences: int = 0
    malformed: int = 0
    updates_per_s: float = 0.0
    verified_s: float | None = None
    lag_ms: float | None = None


@dataclass(eq=False)
class FakeFeed:
    """A feed that does what the test says."""

    book: OrderBook | None = None
    state: State = State.LIVE
    symbol: str = "BTCUSDT"
    market: Market = Market.SPOT
    info: Info | None = field(default_factory=Info)
    status: Status = field(default_factory=Status)
    counters: Counters = field(default_factory=Counters)
    trades: deque[Trade] = field(default_factory=lambda: deque(maxlen=2000))
    trade_version: int = 0
    trading_status_since_wall_ms: int | None = None

    @property
    def last_trade(self) -> Trade | None:
        return self.trades[-1] if self.trades else None

    def trade(
        self, price: str, size: str = "1", *, time_ms: int = 0, is_sell: bool = False, is_market: bool = True
    ) -> None:
        self.trades.append(Trade(self.trade_version, price, size, time_ms, is_sell, is_market))
        self.trade_version += 1


def small_book(**kwargs: object) -> OrderBook:
    """Three levels a side around a spread of one tick."""
    return make_book(
        [("100.00", "1.000"), ("99.99", "2.500"), ("99.95", "4.000")],
        [("100.01", "0.300"), ("100.02", "0.100"), ("100.10", "7.250")],
        **kwargs,  # type: ignore[arg-type]
    )
