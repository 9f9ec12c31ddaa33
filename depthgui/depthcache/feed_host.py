"""What a feed is given: its options, and the host that connects it with the venue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from depthgui.binance.endpoints import Market, Route, SymbolRef
from depthgui.binance.symbols import SymbolInfo
from depthgui.book.messages import Snapshot
from depthgui.book.sync_limits import SyncLimits
from depthgui.depthcache.feed_status import RequestPause
from depthgui.depthcache.shared_socket import StreamReader

if TYPE_CHECKING:
    from depthgui.depthcache.feed import Feed


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """Choices for one feed.

    limit: levels a side of a snapshot; None asks for what the market gives at a fair weight. interval_ms: pace of the
    diff stream, None for the fastest. refresh_s: time between audits against a snapshot, None or 0 for never.
    partial_after_s: how long options wait for a snapshot that joins before partial books stand in.
    """

    limit: int | None = None
    interval_ms: int | None = None
    refresh_s: float | None = 1800.0
    with_tickers: bool = True
    with_trades: bool = True
    partial_after_s: float = 60.0
    sync: SyncLimits | None = None


class FeedHost(Protocol):
    """What a feed needs of the hub."""

    def connect(self, market: Market) -> None:
        """A user wants the market's data: also connections that have given up are to begin again."""

    def subscribe(self, market: Market, route: Route, name: str, reader: StreamReader) -> None:
        """Deliver a stream; a connection that has given up stays so."""

    def unsubscribe(self, market: Market, route: Route, name: str, reader: StreamReader) -> None:
        """Deliver it to this reader no longer."""

    def renew(self, market: Market, route: Route, name: str) -> None:
        """The stream is silent: ask for it anew."""

    async def snapshot(self, ref: SymbolRef, limit: int, *, urgency: int, is_repeat: bool = False) -> Snapshot:
        """Fetch a snapshot in its turn; a repeated one within the symbol's allowance, with fewer levels if need be."""

    def allowed_levels(self, ref: SymbolRef, wanted: int) -> int:
        """Levels a side that a repeated snapshot of the symbol would have if it were asked for now."""

    def snapshot_wait_s(self, ref: SymbolRef) -> float:
        """Seconds until a repeated snapshot of the symbol could be asked for."""

    def waiting_requests(self, market: Market) -> int:
        """Number of requests to the market's host that wait for their turn."""

    async def symbol_info(self, ref: SymbolRef, *, fresh_s: float = ...) -> SymbolInfo:
        """Look a symbol up, in a listing that is no older than `fresh_s`. Raises UnknownSymbolError, near matches."""

    def request_pause(self, market: Market) -> RequestPause | None:
        """Why requests wait at present, if they do."""

    def clock_offset_ms(self, market: Market) -> float:
        """Venue's clock less ours."""

    def started(self, feed: Feed) -> None:
        """The feed wants ticks."""

    def stopped(self, feed: Feed) -> None:
        """It no longer does."""
