"""The live book of one symbol: a thin shell of asyncio around `book.sync`.

It turns frames into messages, messages into inputs of the machine, and the machine's outcomes into requests. It decides
nothing about sequence numbers. Readers look at `book`, `state` and `version`; nothing is queued for them.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from depthgui.binance.codec import (
    best_prices_stream,
    decode_best_prices,
    decode_diff,
    decode_trade,
    diff_stream,
    trade_stream,
)
from depthgui.binance.endpoints import Market, Route, SymbolRef
from depthgui.binance.symbols import SymbolInfo
from depthgui.book.errors import (
    BinanceAPIException,
    BinanceUnableToConnect,
    DepthGuiError,
    MalformedMessageError,
    NotBinanceError,
    RegionNotServedError,
    TransportError,
    UnknownSymbolError,
    UsageError,
    VenueError,
)
from depthgui.book.messages import Diff, Snapshot, Trade
from depthgui.book.order_book import OrderBook
from depthgui.book.sequence import DerivativeRules, SequenceRules, SpotRules
from depthgui.book.sync import (
    Audited,
    BookSync,
    FetchSnapshot,
    Outcomes,
    ReconnectStream,
    StateChanged,
    SyncLimits,
    SyncState,
)
from depthgui.depthcache.counters import FeedCounters
from depthgui.depthcache.partial_book import PartialBook
from depthgui.depthcache.shared_socket import StreamReader
from depthgui.transport.backoff import Backoff

_log = logging.getLogger(__name__)

_TRADES_KEPT = 2000
_STANDBY_S = 5.0
_PERMANENT = (UnknownSymbolError, RegionNotServedError, NotBinanceError, UsageError)


class FeedState(enum.Enum):
    """What the last known book is worth. Only LIVE means that it equals the exchange's."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """State, since when (event loop's seconds and wall clock), and a sentence for a person."""

    state: FeedState
    since_s: float
    since_wall_ms: int
    detail: str
    buffered: int = 0
    error: DepthGuiError | None = None


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

    def subscribe(self, market: Market, route: Route, name: str, reader: StreamReader) -> None:
        """Deliver a stream."""

    def unsubscribe(self, market: Market, route: Route, name: str) -> None:
        """Deliver it no longer."""

    def renew(self, market: Market, route: Route, name: str) -> None:
        """The stream is silent: ask for it anew."""

    async def snapshot(self, ref: SymbolRef, limit: int, *, urgency: int) -> Snapshot:
        """Fetch a snapshot in its turn."""

    async def symbol_info(self, ref: SymbolRef) -> SymbolInfo:
        """Look a symbol up. Raises UnknownSymbolError with near matches."""

    def clock_offset_ms(self, market: Market) -> float:
        """Venue's clock less ours."""

    def started(self, feed: Feed) -> None:
        """The feed wants ticks."""

    def stopped(self, feed: Feed) -> None:
        """It no longer does."""


_DEFAULT_LIMITS = {Market.SPOT: 1000, Market.USDM: 1000, Market.COINM: 1000, Market.OPTIONS: 1000}


class Feed:
    """One symbol. Made by the hub; `start` and `stop` it from the event loop, as often as you like.

    `urgency` orders its snapshots among those of other feeds: 0 is what the user looks at.
    """

    def __init__(self, ref: SymbolRef, host: FeedHost, options: FeedOptions | None = None) -> None:
        """Start stopped."""
        self.ref = ref
        self.info: SymbolInfo | None = None
        self.options = options or FeedOptions()
        self.counters = FeedCounters()
        self.trades: deque[Trade] = deque(maxlen=_TRADES_KEPT)
        self.trade_version = 0
        self.urgency = 0
        self.wake: Callable[[], None] = _nothing
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._status = FeedStatus(FeedState.STOPPED, self._loop.time(), _wall_ms(), "Stopped")
        self._listeners: list[Callable[[Feed], None]] = []
        self._change_listeners: list[Callable[[Diff | None], None]] = []
        rules = SpotRules() if ref.market is Market.SPOT else DerivativeRules()
        self._rules: SequenceRules = rules
        self._sync = BookSync(ref.symbol, rules, self.options.sync)
        self._readers: dict[str, _Reader] = {}
        self._epoch = 0
        self._standby: deque[Diff] = deque()
        self._standby_since_s = 0.0
        self._standby_epoch = 0
        self._fetch_task: asyncio.Task[None] | None = None
        self._info_task: asyncio.Task[None] | None = None
        self._backoff = Backoff(first_s=0.5, most_s=15.0)
        self._lost: DepthGuiError | None = None
        self._failure: DepthGuiError | None = None
        self._trouble = ""
        self._partial: PartialBook | None = None
        self._joining_since_s = 0.0
        self._next_refresh_s = 0.0
        self._told: set[str] = set()

    # What readers look at

    @property
    def symbol(self) -> str:
        """The symbol, upper case."""
        return self.ref.symbol

    @property
    def market(self) -> Market:
        """The market."""
        return self.ref.market

    @property
    def book(self) -> OrderBook | None:
        """The last known book. Believe it only while `state` is LIVE."""
        if self._partial is not None and self._partial.book is not None:
            return self._partial.book
        return self._sync.book

    @property
    def state(self) -> FeedState:
        """What the book is worth."""
        return self._status.state

    @property
    def status(self) -> FeedStatus:
        """State with its history and a sentence for a person."""
        if self._sync.state is not SyncState.BUFFERING:
            return self._status
        return replace(self._status, buffered=self._sync.buffered)

    @property
    def last_trade(self) -> Trade | None:
        """The latest trade on the market, None before the first."""
        return self.trades[-1] if self.trades else None

    def listen(self, callback: Callable[[Feed], None]) -> Callable[[], None]:
        """Call `callback` when the status changes, which is rare; returns a function that ends it."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def listen_changes(self, callback: Callable[[Diff | None], None]) -> Callable[[], None]:
        """Call `callback` with each diff applied, and with None when a new book was put in place."""
        self._change_listeners.append(callback)
        return lambda: self._change_listeners.remove(callback) if callback in self._change_listeners else None

    def now_s(self) -> float:
        """The clock that all times ending in `_s` are read from."""
        return self._loop.time()

    # What users do

    def start(self) -> None:
        """Begin to keep the book; does nothing if it is being kept."""
        if self._readers:
            return
        self._failure = self._lost = None
        self._trouble = ""
        self._told.clear()
        try:
            self._subscribe()
        except UsageError as error:  # the environment has no such market
            self._fail(error)
            return
        self._host.started(self)
        self._info_task = self._loop.create_task(self._look_up(), name=f"look up {self.ref}")
        self._publish()

    async def stop(self) -> None:
        """End it; the last book stays to look at. May be called twice."""
        self._end()
        self._failure = None
        self._publish()
        tasks = [task for task in (self._fetch_task, self._info_task) if task is not None]
        self._fetch_task = self._info_task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def resync(self) -> None:
        """Build the book anew from a fresh snapshot."""
        self._perform(self._sync.resync(self._loop.time()))

    def refresh(self) -> None:
        """Audit the live book against a fresh snapshot, without interrupting it."""
        self._perform(self._sync.refresh_due(self._loop.time()))

    def tick(self, now_s: float, elapsed_s: float) -> None:
        """A second or so has passed; called by the hub."""
        self.counters.tick(elapsed_s)
        self._merge_standby(now_s)
        self._perform(self._sync.tick(now_s))
        if self.market is Market.OPTIONS:
            self._watch_joining(now_s)
        refresh_s = self.options.refresh_s
        if refresh_s and self.state is FeedState.LIVE and now_s >= self._next_refresh_s:
            self._next_refresh_s = now_s + refresh_s
            self.counters.refreshes += 1
            self.refresh()

    # Streams

    def _subscribe(self) -> None:
        wanted: list[tuple[str, Callable[[msgspec.Raw, int], None]]] = [
            (diff_stream(self.market, self.symbol, self.options.interval_ms), self._take_depth)
        ]
        if self.options.with_tickers:
            wanted.append((best_prices_stream(self.symbol), self._take_best_prices))
        if self.options.with_trades:
            wanted.append((trade_stream(self.market, self.symbol), self._take_trade))
        for name, take in wanted:
            reader = _Reader(self, take, is_depth=not self._readers)
            self._readers[name] = reader
            try:
                self._host.subscribe(self.market, Route.PUBLIC, name, reader)
            except UsageError:
                self._readers.clear()
                raise

    def _end(self) -> None:
        readers, self._readers = self._readers, {}
        for name, reader in readers.items():
            reader.is_over = True
            self._host.unsubscribe(self.market, Route.PUBLIC, name)
        self._standby.clear()
        self._drop_partial()
        self._sync.stream_lost(self._loop.time())
        self._host.stopped(self)

    def _stream_opened(self, epoch: int) -> None:
        if self._sync.state is not SyncState.DISCONNECTED:
            return  # a second socket beside the first: its diffs wait until they overlap
        self._epoch = epoch
        self._lost = self._failure = None
        self._perform(self._sync.stream_opened(self._loop.time()))
        self._publish()

    def _stream_lost(self, error: DepthGuiError) -> None:
        self._lost = error
        if isinstance(error, BinanceUnableToConnect):
            self._failure = error
        self._standby.clear()
        self._perform(self._sync.stream_lost(self._loop.time()))
        self._publish()

    def _take_depth(self, payload: msgspec.Raw, epoch: int) -> None:
        counters = self.counters
        counters.messages += 1
        now_s = self._loop.time()
        try:
            diff = decode_diff(payload)
        except MalformedMessageError as error:
            self._note_malformed("depth", error)
            self._perform(self._sync.resync(now_s))  # what it changed is unknown
            return
        counters.diffs += 1
        counters.last_data_s = now_s
        counters.note_lag(time.time() * 1000.0 + self._host.clock_offset_ms(self.market) - diff.event_time_ms)
        if epoch != self._epoch:
            if epoch > self._epoch:
                if not self._standby:
                    self._standby_since_s = now_s
                self._standby.append(diff)
                self._standby_epoch = epoch
                self._merge_standby(now_s)
            return
        self._apply(diff, now_s)
        if self._standby:
            self._merge_standby(now_s)

    def _apply(self, diff: Diff, now_s: float) -> None:
        sync = self._sync
        book = sync.book
        version = -1 if book is None else book.version
        outcomes = sync.diff(diff, now_s)
        if self._change_listeners and sync.book is book and book is not None and book.version != version:
            for listener in tuple(self._change_listeners):
                listener(diff)
        if outcomes:
            self._perform(outcomes)
        self.wake()

    def _watch_joining(self, now_s: float) -> None:
        if self._sync.state is not SyncState.BUFFERING:
            self._joining_since_s = now_s
        elif self._partial is None and now_s - self._joining_since_s >= self.options.partial_after_s:
            version = 0 if self._sync.book is None else self._sync.book.version
            self._partial = PartialBook(self.ref, version, self.now_s, self._note_partial)
            self._host.subscribe(self.market, Route.PUBLIC, self._partial.name, self._partial)
            _log.warning("%s: no snapshot has joined the stream; partial books stand in", self.ref)
        elif self._partial is not None:
            self._publish()

    def _note_partial(self) -> None:
        self._publish()
        for listener in tuple(self._change_listeners):
            listener(None)
        self.wake()

    def _drop_partial(self) -> None:
        partial, self._partial = self._partial, None
        if partial is not None:
            partial.is_over = True
            self._host.unsubscribe(self.market, Route.PUBLIC, partial.name)
            if self._sync.book is not None:
                self._sync.book.version = max(self._sync.book.version, partial.version + 1)

    def _merge_standby(self, now_s: float) -> None:
        # Diffs of the second socket are let in once the first of them is known to, or continues, the book.
        if not self._standby:
            return
        first = self._standby[0]
        book = self._sync.book
        joined = book is not None and (
            self._rules.is_old(book.last_update_id, first) or self._rules.continues(book.last_update_id, first)
        )
        if not joined and now_s - self._standby_since_s < _STANDBY_S:
            return
        self._epoch = self._standby_epoch
        standby, self._standby = self._standby, deque()
        for diff in standby:
            self._apply(diff, now_s)

    def _take_best_prices(self, payload: msgspec.Raw, epoch: int) -> None:
        self.counters.messages += 1
        if epoch != self._epoch:
            return
        try:
            best = decode_best_prices(payload)
        except MalformedMessageError as error:
            self._note_malformed("bookTicker", error)
            return
        outcomes = self._sync.best_prices(best, self._loop.time())
        if outcomes:
            self._perform(outcomes)

    def _take_trade(self, payload: msgspec.Raw, epoch: int) -> None:
        self.counters.messages += 1
        if epoch != self._epoch:
            return
        try:
            trade = decode_trade(payload)
        except MalformedMessageError as error:
            self._note_malformed("trade", error)
            return
        if trade.is_market:
            self.trades.append(trade)
            self.trade_version += 1
            self.wake()

    def _note_malformed(self, kind: str, error: MalformedMessageError) -> None:
        self.counters.malformed += 1
        if kind not in self._told:
            self._told.add(kind)
            _log.warning("%s: %s (further ones are only counted)", self.ref, error)

    # Outcomes

    def _perform(self, outcomes: Outcomes) -> None:
        for outcome in outcomes:
            match outcome:
                case Audited(result):
                    self.counters.note_audit(result)
                    if not result.agrees:
                        _log.error(
                            "%s: audit against %s at id %d differs: %s",
                            self.ref,
                            result.source.value,
                            result.update_id,
                            result.differences[:3],
                        )
                case FetchSnapshot():
                    self._begin_fetch(outcome)
                case StateChanged():
                    self._note_state(outcome)
                case ReconnectStream():
                    depth = next(iter(self._readers), None)
                    if depth is not None:
                        self._host.renew(self.market, Route.PUBLIC, depth)

    def _note_state(self, change: StateChanged) -> None:
        self.counters.gaps = self._sync.gaps
        self.counters.resyncs = self._sync.resyncs
        if change.error is not None:
            _log.info("%s: %s", self.ref, change.error)
        if change.after is SyncState.LIVE and change.before is not SyncState.STALE:
            self._trouble = ""
            self._drop_partial()
            self._next_refresh_s = self._loop.time() + (self.options.refresh_s or 0.0)
            for listener in tuple(self._change_listeners):
                listener(None)
        self._publish()

    def _begin_fetch(self, order: FetchSnapshot) -> None:
        if self._fetch_task is not None:
            self._fetch_task.cancel()
        self._fetch_task = self._loop.create_task(self._fetch(order), name=f"snapshot {self.ref}")

    async def _fetch(self, order: FetchSnapshot) -> None:
        if order.attempt > 1:
            await asyncio.sleep(self._backoff.delay_s(order.attempt - 1))
        limit = self.options.limit or _DEFAULT_LIMITS[self.market]
        urgency = self.urgency if order.urgent else self.urgency + 100
        try:
            snapshot = await self._host.snapshot(self.ref, limit, urgency=urgency)
        except _PERMANENT as error:
            self._fetch_task = None
            self._fail(await self._explained(error))
        except (VenueError, TransportError) as error:
            self._fetch_task = None
            self._note_failed_fetch(order, error)
        else:
            self._fetch_task = None
            self._perform(self._sync.snapshot(snapshot, order.number, self._loop.time()))
            self.wake()

    def _note_failed_fetch(self, order: FetchSnapshot, error: VenueError | TransportError) -> None:
        if isinstance(error, BinanceAPIException) and not error.is_retryable:
            self._fail(error)
            return
        if isinstance(error, MalformedMessageError):
            self._note_malformed("snapshot", error)
        _log.info("%s: no snapshot (attempt %d): %s", self.ref, order.attempt, error)
        self._trouble = str(error)
        self._publish()
        self._perform(self._sync.snapshot_failed(order.number, self._loop.time()))

    async def _explained(self, error: DepthGuiError) -> DepthGuiError:
        """The same error, with near matches where a symbol is unknown."""
        if isinstance(error, UnknownSymbolError) and not error.suggestions:
            try:
                await self._host.symbol_info(self.ref)
            except UnknownSymbolError as better:
                return better
            except DepthGuiError as other:
                _log.info("%s: no suggestions: %s", self.ref, other)
        return error

    async def _look_up(self) -> None:
        try:
            self.info = await self._host.symbol_info(self.ref)
        except UnknownSymbolError as error:
            self._fail(error)
            return
        except DepthGuiError as error:
            _log.info("%s: the symbol's description is missing: %s", self.ref, error)
            return
        self._tell_listeners()

    # State

    def _fail(self, error: DepthGuiError) -> None:
        self._end()
        self._failure = error
        _log.error("%s: %s", self.ref, error)
        self._publish()

    def _publish(self) -> None:
        state, detail, error = self._describe()
        if (state, detail) != (self._status.state, self._status.detail):
            is_same = state is self._status.state
            since_s = self._status.since_s if is_same else self._loop.time()
            since_wall_ms = self._status.since_wall_ms if is_same else _wall_ms()
            self._status = FeedStatus(state, since_s, since_wall_ms, detail, 0, error)
            self._tell_listeners()

    def _tell_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener(self)
        self.wake()

    def _describe(self) -> tuple[FeedState, str, DepthGuiError | None]:  # noqa: PLR0911 - one line a state
        if self._failure is not None:
            return FeedState.FAILED, str(self._failure), self._failure
        if not self._readers:
            return FeedState.STOPPED, "Stopped", None
        sync_state = self._sync.state
        if sync_state is SyncState.LIVE:
            return FeedState.LIVE, "Live", None
        if sync_state is SyncState.STALE:
            return FeedState.STALE, "No data; asking the venue whether the symbol is quiet", None
        if sync_state is SyncState.DISCONNECTED:
            if self._lost is None:
                return FeedState.CONNECTING, "Connecting", None
            return FeedState.RECONNECTING, f"Reconnecting: {self._lost}", self._lost
        if self._partial is not None and self._partial.is_live:
            return FeedState.LIVE, "Live from partial books: no snapshot has joined the stream", None
        reason = self._trouble or "it has to join the stream"
        return (
            (FeedState.CONNECTING if self.book is None else FeedState.STALE),
            f"Waiting for a snapshot: {reason}",
            None,
        )


class _Reader:
    """One stream of a feed; dead once the feed has stopped, so that a late frame reaches nobody."""

    def __init__(self, feed: Feed, take: Callable[[msgspec.Raw, int], None], *, is_depth: bool) -> None:
        self.ref = feed.ref
        self.is_over = False
        self._feed = feed
        self._take = take
        self._is_depth = is_depth

    def stream_opened(self, epoch: int) -> None:
        if self._is_depth and not self.is_over:
            self._feed._stream_opened(epoch)

    def stream_lost(self, error: DepthGuiError) -> None:
        if self._is_depth and not self.is_over:
            self._feed._stream_lost(error)

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        if not self.is_over:
            self._take(payload, epoch)

    def has_caught_up(self, epoch: int) -> bool:
        return self.is_over or not self._is_depth or self._feed._epoch >= epoch


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _nothing() -> None:
    """Nobody wants to be woken."""
