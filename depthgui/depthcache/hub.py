"""Everything that feeds share: sockets, the budget of request weight, symbol lists, the clock's offset, one ticker.

One hub serves one environment of the venue. It is an async context manager; leaving it closes every feed and socket.
"""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from depthgui.binance.endpoints import Endpoints, Market, Route, SymbolRef
from depthgui.binance.limits import CONNECTS_PER_5_MINUTES, MARKET_LIMITS, SlidingWindow, WeightPool
from depthgui.binance.symbols import SymbolInfo, SymbolTable, suggest
from depthgui.book.errors import DepthGuiError, MalformedMessageError, UnknownSymbolError
from depthgui.book.messages import Snapshot
from depthgui.depthcache.connection import Connection, ConnectionOptions, ConnectionStatus
from depthgui.depthcache.counters import LoopLag
from depthgui.depthcache.feed import Feed, FeedOptions
from depthgui.depthcache.feed_status import RequestPause
from depthgui.depthcache.listeners import Listeners
from depthgui.depthcache.shared_socket import StreamReader
from depthgui.depthcache.shared_stream import SharedStream
from depthgui.depthcache.snapshot_allowance import RepeatPool, SnapshotAllowance
from depthgui.depthcache.venue_rest import VenueRest
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.rest import RestClient
from depthgui.transport.tls import SharedContext

if TYPE_CHECKING:
    from depthgui.transport.stream import StreamOpener

_log = logging.getLogger(__name__)

_TICK_S = 0.5
_CLOCK_CHECK_S = 900.0
_CLOCK_AGAIN_S = 30.0
_SYMBOLS_FRESH_S = 3600.0
_UNKNOWN_FRESH_S = 10.0
_NAMES = MappingProxyType({Route.PUBLIC: "", Route.MARKET: " market data"})


@dataclass(frozen=True, slots=True)
class HubOptions:
    """Choices for all feeds of a hub."""

    proxy: ProxyChoice = field(default_factory=ProxyChoice)
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    feed: FeedOptions = field(default_factory=FeedOptions)
    opener: StreamOpener | None = None


class Hub:
    """Makes feeds and keeps what they share. Use it from one event loop only."""

    def __init__(
        self, endpoints: Endpoints, *, options: HubOptions | None = None, rest: VenueRest | None = None
    ) -> None:
        """Open nothing yet. A `rest` that is handed in is shared with others: its owner closes it."""
        self.endpoints = endpoints
        self.options = options or HubOptions()
        self.loop_lag = LoopLag()
        tls = SharedContext()
        self.rest = rest or VenueRest(endpoints, RestClient(proxy=self.options.proxy, tls=tls))
        self._owns_rest = rest is None
        self._opener = self.options.opener or _opener(self.options.proxy, tls)
        self._connects = SlidingWindow(CONNECTS_PER_5_MINUTES, 300.0)
        self._connections: dict[tuple[Market, Route], list[Connection]] = {}
        self._streams: dict[tuple[Market, Route, str], SharedStream] = {}
        self._statuses: dict[str, ConnectionStatus] = {}
        self._listeners: Listeners[ConnectionStatus] = Listeners("connections")
        self._feeds: dict[Feed, None] = {}
        self._made: weakref.WeakSet[Feed] = weakref.WeakSet()
        self._allowances: dict[SymbolRef, SnapshotAllowance] = {}
        self._repeats: dict[WeightPool, RepeatPool] = {}
        self._tables: dict[Market, tuple[float, SymbolTable]] = {}
        self._table_tasks: dict[Market, asyncio.Task[SymbolTable]] = {}
        self._offsets_ms: dict[Market, float] = {}
        self._clock_due_s: dict[Market, float] = {}
        self._clock_tasks: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.TimerHandle | None = None
        self._ticked_s = 0.0

    async def __aenter__(self) -> Hub:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Feeds

    def feed(self, ref: SymbolRef, options: FeedOptions | None = None) -> Feed:
        """Make a feed for a symbol; you start and stop it."""
        feed = Feed(ref, self, options or self.options.feed)
        self._made.add(feed)
        return feed

    async def close(self) -> None:
        """Stop every feed, close every socket. May be called twice."""
        for feed in tuple(self._made):  # also those that failed: they are tried again now and then
            await feed.stop()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        tasks = [*self._table_tasks.values(), *self._clock_tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connections = [connection for group in self._connections.values() for connection in group]
        await asyncio.gather(*(connection.close() for connection in connections))
        if self._owns_rest:
            await self.rest.close()

    # Connections

    @property
    def connections(self) -> Mapping[str, ConnectionStatus]:
        """Status of every connection, by key."""
        return MappingProxyType(self._statuses)

    def listen(self, callback: Callable[[ConnectionStatus], None]) -> Callable[[], None]:
        """Call `callback` when a connection's status changes; returns a function that ends it."""
        return self._listeners.add(callback)

    def retry_now(self, key: str) -> None:
        """Connect at once instead of at the end of the wait; begin again after giving up."""
        for group in self._connections.values():
            for connection in group:
                if connection.status.key == key:
                    connection.retry_now()

    def rotate(self) -> None:
        """Change every connection to a new socket without a gap."""
        for group in self._connections.values():
            for connection in group:
                connection.rotate()

    @property
    def malformed(self) -> int:
        """Number of frames that could not be read at all, and so belong to no feed."""
        return sum(connection.malformed for group in self._connections.values() for connection in group)

    def weight(self, market: Market) -> tuple[int, int]:
        """Request weight used in the last minute, and what the venue allows."""
        budget = self.rest.budget(market)
        return budget.used(asyncio.get_running_loop().time()), budget.limit

    # Symbols

    async def symbols(self, market: Market) -> list[SymbolInfo]:
        """The market's symbols; fetched once an hour. Raises what the venue's REST raises."""
        return list((await self._table(market)).symbols)

    async def symbol_info(self, ref: SymbolRef, *, fresh_s: float = _SYMBOLS_FRESH_S) -> SymbolInfo:
        """Look a symbol up, in a listing that is no older than `fresh_s`.

        Raises UnknownSymbolError with near matches; MalformedMessageError where the listing has the symbol, but in a
        row that cannot be read; what the venue's REST raises.
        """
        table = await self._table(ref.market, fresh_s=fresh_s)
        info = _find(table, ref.symbol)
        if info is None:  # it may have been listed since
            table = await self._table(ref.market, fresh_s=_UNKNOWN_FRESH_S)
            info = _find(table, ref.symbol)
        if info is not None:
            return info
        reason = next((reason for name, reason in table.skipped if name == ref.symbol), None)
        if reason is not None:
            raise MalformedMessageError(f"{ref.symbol} is listed in a row that cannot be read: {reason}")
        names = suggest(ref.symbol, (info.symbol for info in table.symbols))
        raise UnknownSymbolError(ref.symbol, ref.market.label, suggestions=names)

    async def _table(self, market: Market, fresh_s: float = _SYMBOLS_FRESH_S) -> SymbolTable:
        loop = asyncio.get_running_loop()
        known = self._tables.get(market)
        if known is not None and loop.time() - known[0] < fresh_s:
            return known[1]
        task = self._table_tasks.get(market)
        if task is None:
            task = loop.create_task(self.rest.exchange_info(market), name=f"symbols {market.value}")
            self._table_tasks[market] = task
            task.add_done_callback(lambda done: self._table_arrived(market, done))
        return await asyncio.shield(task)

    def _table_arrived(self, market: Market, task: asyncio.Task[SymbolTable]) -> None:
        del self._table_tasks[market]
        # Whoever asked may have gone; an error that nobody fetches is not news then.
        if not task.cancelled() and task.exception() is None:
            self._tables[market] = (asyncio.get_running_loop().time(), task.result())

    # What feeds ask for (FeedHost)

    def connect(self, market: Market) -> None:
        """A user wants data of the market: connections that have given up begin again. Nothing else makes them."""
        for (of_market, _), group in self._connections.items():
            for connection in group if of_market is market else ():
                connection.want()

    def subscribe(self, market: Market, route: Route, name: str, reader: StreamReader) -> None:
        """Deliver a stream, on a connection that has room for it unless others read it already.

        A connection that has given up does not begin again for it; see `connect`.
        """
        shared = self._streams.get((market, route, name))
        if shared is not None:
            shared.add(reader)
            return
        connection = self._connection_with_room(market, route)
        shared = self._streams[market, route, name] = SharedStream(connection, name, reader)
        connection.subscribe(name, shared)

    def unsubscribe(self, market: Market, route: Route, name: str, reader: StreamReader) -> None:
        """Deliver it to this reader no longer."""
        shared = self._streams.get((market, route, name))
        if shared is None:
            return
        shared.remove(reader)
        if shared.is_unread:
            del self._streams[market, route, name]
            shared.connection.unsubscribe(name)

    def renew(self, market: Market, route: Route, name: str) -> None:
        """Ask for a silent stream anew."""
        shared = self._streams.get((market, route, name))
        if shared is not None:
            shared.connection.renew(name)

    async def snapshot(self, ref: SymbolRef, limit: int, *, urgency: int, is_repeat: bool = False) -> Snapshot:
        """Fetch a snapshot in its turn; a repeated one within the symbol's allowance, with fewer levels if need be."""
        allowance = self._allowance(ref)
        loop = asyncio.get_running_loop()
        while is_repeat:
            limit = allowance.levels(limit, loop.time())
            wait_s = allowance.wait_s(limit, loop.time())
            if wait_s <= 0:
                break
            await asyncio.sleep(wait_s)
        allowance.spend(limit, loop.time(), is_repeat=is_repeat)
        return await self.rest.snapshot(ref, limit, urgency=urgency)

    def allowed_levels(self, ref: SymbolRef, wanted: int) -> int:
        """Levels a side that a repeated snapshot of the symbol would have if it were asked for now."""
        return self._allowance(ref).levels(wanted, asyncio.get_running_loop().time())

    def snapshot_wait_s(self, ref: SymbolRef) -> float:
        """Seconds until a repeated snapshot of the symbol could be asked for."""
        now_s = asyncio.get_running_loop().time()
        pause = self.rest.pause(ref.market)
        allowance = self._allowance(ref)
        return max(allowance.wait_s(allowance.levels(1, now_s), now_s), 0.0 if pause is None else pause.left_s)

    def _allowance(self, ref: SymbolRef) -> SnapshotAllowance:
        allowance = self._allowances.get(ref)
        if allowance is None:
            limits = MARKET_LIMITS[ref.market]
            pool = self._repeats.setdefault(limits.pool, RepeatPool(self.rest.budget(ref.market)))
            allowance = self._allowances[ref] = SnapshotAllowance(limits, pool)
        return allowance

    def waiting_requests(self, market: Market) -> int:
        """Number of requests to the market's host that wait for their turn."""
        return self.rest.waiting(market)

    def request_pause(self, market: Market) -> RequestPause | None:
        """Why requests to the market's host wait at present, if they do."""
        return self.rest.pause(market)

    def clock_offset_ms(self, market: Market) -> float:
        """Venue's clock less ours, 0 until it is known."""
        return self._offsets_ms.get(market, 0.0)

    def started(self, feed: Feed) -> None:
        """Give the feed ticks."""
        self._feeds[feed] = None
        if self._ticker is None:
            loop = asyncio.get_running_loop()
            self._ticked_s = loop.time()
            self._ticker = loop.call_later(_TICK_S, self._tick)

    def stopped(self, feed: Feed) -> None:
        """Give it no more."""
        self._feeds.pop(feed, None)

    def _connection_with_room(self, market: Market, route: Route) -> Connection:
        group = self._connections.setdefault((market, route), [])
        for connection in group:
            if connection.room > 0:
                return connection
        number = len(group) + 1
        suffix = f" ({number})" if number > 1 else ""
        url, *other_hosts = self.endpoints.stream_urls(market, route)
        status = ConnectionStatus(
            key=f"{market.value}/{route.value}/{number}",
            label=f"{self.endpoints.name} {market.label}{_NAMES[route]}{suffix}",
            url=url,
        )
        connection = Connection(
            status,
            market,
            self._opener,
            connects=self._connects,
            options=self.options.connection,
            report=self._report,
            other_hosts=other_hosts,
        )
        group.append(connection)
        return connection

    def _report(self, status: ConnectionStatus) -> None:
        self._statuses[status.key] = status
        self._listeners.tell(status)

    # Once a tick: the only timer of all feeds

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        elapsed_s = now_s - self._ticked_s
        self.loop_lag.note(max(elapsed_s - _TICK_S, 0.0))
        self._ticked_s = now_s
        self._ticker = loop.call_later(_TICK_S, self._tick) if self._feeds else None
        for feed in tuple(self._feeds):
            feed.tick(now_s, elapsed_s)
        for market in {feed.market for feed in self._feeds}:
            if now_s >= self._clock_due_s.get(market, 0.0):
                self._clock_due_s[market] = now_s + _CLOCK_CHECK_S
                task = loop.create_task(self._measure_clock(market), name=f"clock {market.value}")
                self._clock_tasks.add(task)
                task.add_done_callback(self._clock_tasks.discard)

    async def _measure_clock(self, market: Market) -> None:
        # The fastest of three answers is the one that waited least, in our queue and in the network.
        best: tuple[float, float] | None = None
        try:
            for _ in range(3):
                sent_ms = time.time() * 1000.0
                venue_ms = await self.rest.server_time_ms(market)
                received_ms = time.time() * 1000.0
                sample = (received_ms - sent_ms, venue_ms - (sent_ms + received_ms) / 2)
                best = sample if best is None else min(best, sample)
        except DepthGuiError as error:
            _log.info("%s: the venue's clock is unknown: %s", market.label, error)
            self._ask_clock_again(market)
            return
        if market not in self._offsets_ms:  # a program that starts is busy, and the first answers wait for it
            self._ask_clock_again(market)
        if best is not None:
            self._offsets_ms[market] = best[1]

    def _ask_clock_again(self, market: Market) -> None:
        self._clock_due_s[market] = asyncio.get_running_loop().time() + _CLOCK_AGAIN_S


def _opener(proxy: ProxyChoice, tls: SharedContext) -> StreamOpener:
    # websockets takes 50 ms to import; the first window comes before the first hub.
    from depthgui.transport.stream import WebSocketOpener

    return WebSocketOpener(proxy=proxy, tls=tls)


def _find(table: SymbolTable, symbol: str) -> SymbolInfo | None:
    return next((info for info in table.symbols if info.symbol == symbol), None)
