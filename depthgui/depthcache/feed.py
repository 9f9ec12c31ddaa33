"""The live book of one symbol: a thin shell of asyncio around `book.sync`.

It turns frames into messages, messages into inputs of the machine, and the machine's outcomes into requests. It decides
nothing about sequence numbers. Readers look at `book`, `state` and `version`; nothing is queued for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from depthgui.binance.codec import (
    FASTEST_INTERVAL_MS,
    DiffDecoder,
    best_prices_stream,
    decode_best_prices,
    decode_trade,
    diff_stream,
    trade_stream,
)
from depthgui.binance.endpoints import Market, Route, SymbolRef
from depthgui.binance.symbols import SymbolInfo
from depthgui.binance.trading_status import status_since
from depthgui.book.errors import (
    BinanceAPIException,
    BinanceUnableToConnect,
    DepthGuiError,
    MalformedMessageError,
    RegionNotServedError,
    StreamInterruptedError,
    UnknownSymbolError,
    UsageError,
)
from depthgui.book.messages import AnyDiff, Diff, Snapshot, Trade
from depthgui.book.order_book import OrderBook
from depthgui.book.sequence import DerivativeRules, SequenceRules, SpotRules
from depthgui.book.sync import (
    Audited,
    BookSync,
    FetchSnapshot,
    Outcomes,
    ReconnectStream,
    StateChanged,
    SyncState,
)
from depthgui.depthcache.audit_turns import AuditTurns
from depthgui.depthcache.counters import FeedCounters
from depthgui.depthcache.failure_watch import FailureWatch
from depthgui.depthcache.feed_host import FeedHost, FeedOptions
from depthgui.depthcache.feed_status import FeedState, FeedStatus
from depthgui.depthcache.listeners import Listeners
from depthgui.depthcache.overlap import SocketOverlap
from depthgui.depthcache.partial_book import PartialBook
from depthgui.depthcache.snapshot_fetch import SnapshotFetch
from depthgui.depthcache.stand_in_snapshot import StandInSnapshot
from depthgui.depthcache.symbol_watch import SymbolWatch
from depthgui.depthcache.trade_tape import TradeTape

__all__ = ["Feed", "FeedHost", "FeedOptions", "FeedState", "FeedStatus"]

_log = logging.getLogger(__name__)

# What trying again does not mend by itself.
_PERMANENT = (UnknownSymbolError, RegionNotServedError, UsageError)
# What is tried again slowly nevertheless: the venue's word may change.
_WATCHED = (UnknownSymbolError, RegionNotServedError)


_PROBE_LEVELS = 100
_FAILURE_URGENCY = 200
_QUIET_S = 10.0  # without a diff: trading may have stopped
_STAND_IN_AFTER_S = 0.3
_STAND_IN_AFTER_FAILURES = 2
_CALM_S = 5.0  # between two tries to widen a book that was made from a small snapshot
_DEFAULT_LIMITS = {Market.SPOT: 1000, Market.USDM: 1000, Market.COINM: 1000, Market.OPTIONS: 1000}


class Feed:
    """One symbol. Made by the hub; `start` and `stop` it from the event loop, as often as you like.

    `urgency` orders its snapshots among those of other feeds: 0 is what the user looks at. While `is_watched`, which it
    is unless somebody says otherwise, its book is compared with every best price; else in turns, about once a minute.
    """

    def __init__(self, ref: SymbolRef, host: FeedHost, options: FeedOptions | None = None) -> None:
        """Start stopped."""
        self.ref = ref
        self.info: SymbolInfo | None = None
        self.trading_status_since_wall_ms: int | None = None
        """When the symbol was first seen not to trade, in ms since 1970; None while it trades, or is not known."""
        self.options = options or FeedOptions()
        self.counters = FeedCounters()
        self._tape = TradeTape()
        self.urgency = 0
        self.wake: Callable[[], None] = _nothing
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._status = FeedStatus(FeedState.STOPPED, self._loop.time(), _wall_ms(), "Stopped")
        self._listeners: Listeners[Feed] = Listeners(str(ref))
        self._change_listeners: Listeners[Diff | None] = Listeners(str(ref))
        rules: SequenceRules = SpotRules() if ref.market is Market.SPOT else DerivativeRules()
        interval_ms = self.options.interval_ms or FASTEST_INTERVAL_MS
        self._sync = BookSync(ref.symbol, rules, self.options.sync, interval_s=interval_ms / 1000)
        self._diffs = DiffDecoder(ref.symbol)
        self._readers: dict[str, _Reader] = {}
        self._overlap = SocketOverlap(rules)
        self._fetch = SnapshotFetch(self, str(ref))
        self._stand_in = StandInSnapshot(ref, self._take_stand_in)
        self._symbol_watch = SymbolWatch(self, str(ref), lambda fresh_s: host.symbol_info(ref, fresh_s=fresh_s))
        self._failure_watch = FailureWatch(
            str(ref), lambda: host.snapshot(ref, _PROBE_LEVELS, urgency=_FAILURE_URGENCY), self.start
        )
        self._unlisted: UnknownSymbolError | None = None
        self._lost: DepthGuiError | None = None
        self._failure: DepthGuiError | None = None
        self._trouble: DepthGuiError | None = None
        self._partial: PartialBook | None = None
        self._joining_since_s = 0.0
        self._next_refresh_s = 0.0
        self._levels = 0  # a side, of the snapshot that the book was made from
        self._next_widening_s = 0.0
        self._told: set[str] = set()
        self._is_watched = True
        self._turns = AuditTurns(str(ref))

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
    def trades(self) -> Sequence[Trade]:
        """The latest trades on the market, the newest last."""
        return self._tape.trades

    @property
    def trade_version(self) -> int:
        """Number of trades so far."""
        return self._tape.version

    @property
    def last_trade(self) -> Trade | None:
        """The latest trade on the market, None before the first."""
        return self._tape.trades[-1] if self._tape.trades else None

    def listen(self, callback: Callable[[Feed], None]) -> Callable[[], None]:
        """Call `callback` when the status changes, which is rare; returns a function that ends it."""
        return self._listeners.add(callback)

    def listen_changes(self, callback: Callable[[Diff | None], None]) -> Callable[[], None]:
        """Call `callback` with each diff applied, and with None when a new book was put in place."""
        return self._change_listeners.add(callback)

    def now_s(self) -> float:
        """The clock that all times ending in `_s` are read from."""
        return self._loop.time()

    @property
    def is_watched(self) -> bool:
        """True if somebody looks at it."""
        return self._is_watched

    @is_watched.setter
    def is_watched(self, is_watched: bool) -> None:
        if is_watched is not self._is_watched:
            self._is_watched = is_watched
            self._hold_best_prices(self._loop.time())

    # What users do

    def start(self) -> None:
        """Begin to keep the book, also after a failure; does nothing if it is being kept."""
        if self._readers:
            if self._failure is None:
                return
            self._end()  # the connection was given up: to want its streams anew is to try it again
        self._failure = self._lost = self._trouble = self._unlisted = None
        self._failure_watch.stop()
        self._told.clear()
        self._host.connect(self.market)
        try:
            self._subscribe()
        except UsageError as error:  # the environment has no such market
            self._fail(error)
            return
        self._host.started(self)
        self._symbol_watch.begin()
        self._publish()

    async def stop(self) -> None:
        """End it; the last book stays to look at. May be called twice."""
        watch = self._failure_watch.stop()
        tasks = [*self._end(), *([] if watch is None else [watch])]
        self._failure = None
        self._publish()
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
        self._join_waiting(now_s)
        self._perform(self._sync.tick(now_s))
        if self.market is Market.OPTIONS:
            self._watch_joining(now_s)
        self._hold_best_prices(now_s)
        self._symbol_watch.tick(self.info, now_s, is_quiet=self._is_quiet(now_s))
        if self._stand_in.is_subscribed and self._stand_in.is_idle(now_s):
            self._drop_stand_in()
        if self._sync.state is SyncState.LIVE:
            self._refresh_if_due(now_s)
        else:
            self._publish()  # what it waits for, and how long yet

    def _refresh_if_due(self, now_s: float) -> None:
        refresh_s = self.options.refresh_s
        if refresh_s and now_s >= self._next_refresh_s:
            self._next_refresh_s = now_s + refresh_s
            self.counters.refreshes += 1
            self.refresh()
        elif self._levels < self._wanted_levels and now_s >= self._next_widening_s:
            # The book was made from a small snapshot, in a time of many resyncs.
            self._next_widening_s = now_s + _CALM_S
            if self._host.allowed_levels(self.ref, self._wanted_levels) > self._levels:
                self.refresh()

    @property
    def _wanted_levels(self) -> int:
        return self.options.limit or _DEFAULT_LIMITS[self.market]

    # Streams

    def _subscribe(self) -> None:
        self._sync.stream_asked(self._loop.time())
        try:
            self._read(diff_stream(self.market, self.symbol, self.options.interval_ms), self._take_depth)
            self._hold_best_prices(self._loop.time())
            if self.options.with_trades:
                self._read(trade_stream(self.market, self.symbol), self._take_trade)
        except UsageError:
            self._readers.clear()
            raise

    def _read(self, name: str, take: Callable[[msgspec.Raw, int], None]) -> None:
        reader = self._readers[name] = _Reader(self, take, is_depth=not self._readers)
        self._host.subscribe(self.market, Route.PUBLIC, name, reader)

    def _hold_best_prices(self, now_s: float) -> None:
        # Has the stream of best prices while it is wanted; a feed that was stopped has none.
        if not (self._readers and self.options.with_tickers):
            return
        is_live, verified_s = self._sync.state is SyncState.LIVE, self.counters.verified_s
        is_wanted = self._is_watched or self._turns.wants(now_s, is_live=is_live, verified_s=verified_s)
        name = best_prices_stream(self.symbol)
        if is_wanted and name not in self._readers:
            self._read(name, self._take_best_prices)
        elif not is_wanted and name in self._readers:
            reader = self._readers.pop(name)
            reader.is_over = True
            self._host.unsubscribe(self.market, Route.PUBLIC, name, reader)

    def _end(self) -> list[asyncio.Task[None]]:
        """Let go of everything; returns the tasks that were cancelled."""
        readers, self._readers = self._readers, {}
        for name, reader in readers.items():
            reader.is_over = True
            self._host.unsubscribe(self.market, Route.PUBLIC, name, reader)
        self._overlap.clear()
        self._drop_partial()
        self._drop_stand_in()
        self._sync.stream_lost(self._loop.time())
        self._host.stopped(self)
        return [task for task in (self._fetch.give_up(), self._symbol_watch.stop()) if task is not None]

    def _stream_opened(self, epoch: int) -> None:
        if self._sync.state is not SyncState.DISCONNECTED:
            return  # a second socket beside the first: its diffs wait until they overlap
        self._overlap.begin(epoch)
        self._tape.begin()
        self._lost = self._failure = None
        self._perform(self._sync.stream_opened(self._loop.time()))
        self._publish()

    def _stream_lost(self, error: DepthGuiError) -> None:
        self._lost = error
        is_over = isinstance(error, (BinanceUnableToConnect, *_PERMANENT))
        self._failure = error if is_over else None  # after giving up somebody may have asked to try again
        self._overlap.clear()
        self._perform(self._sync.stream_lost(self._loop.time()))
        self._publish()

    def _take_depth(self, payload: msgspec.Raw, epoch: int) -> None:
        counters = self.counters
        counters.messages += 1
        now_s = self._loop.time()
        try:
            diff = self._diffs.decode(payload)
        except MalformedMessageError as error:
            self._note_malformed("depth", error)
            self._perform(self._sync.resync(now_s))  # what it changed is unknown
            return
        counters.diffs += 1
        counters.last_data_s = now_s
        counters.note_lag(time.time() * 1000.0 + self._host.clock_offset_ms(self.market) - diff.event_time_ms)
        if self._overlap.has_joined(epoch):
            self._apply(diff, now_s)
        else:
            self._overlap.keep(diff, epoch, now_s)
        self._join_waiting(now_s)

    def _join_waiting(self, now_s: float) -> None:
        book = self._sync.book
        for diff in self._overlap.joining(None if book is None else book.last_update_id, now_s):
            self._apply(diff, now_s)

    def _apply(self, diff: AnyDiff, now_s: float) -> None:
        sync = self._sync
        book = sync.book
        version = -1 if book is None else book.version
        outcomes = sync.diff(diff, now_s)
        if sync.book is book:
            if self._change_listeners and book is not None and book.version != version:
                self._change_listeners.tell(diff.as_text())
            if outcomes:
                self._perform(outcomes)
        else:
            self._perform_anew(outcomes)
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
        self._change_listeners.tell(None)
        self.wake()

    def _drop_partial(self) -> None:
        partial, self._partial = self._partial, None
        if partial is not None:
            partial.is_over = True
            self._host.unsubscribe(self.market, Route.PUBLIC, partial.name, partial)
            if self._sync.book is not None:
                self._sync.book.version = max(self._sync.book.version, partial.version + 1)

    def _take_best_prices(self, payload: msgspec.Raw, epoch: int) -> None:
        self.counters.messages += 1
        try:
            best = decode_best_prices(payload, self.symbol)
        except MalformedMessageError as error:
            self._note_malformed("bookTicker", error)
            return
        outcomes = self._sync.best_prices(best, self._loop.time())
        if outcomes:
            self._perform(outcomes)

    def _take_trade(self, payload: msgspec.Raw, epoch: int) -> None:
        self.counters.messages += 1
        try:
            trade = decode_trade(payload, self.symbol)
        except MalformedMessageError as error:
            self._note_malformed("trade", error)
            return
        if self._tape.take(trade):
            self._sync.trade(self._loop.time())
            self.wake()

    def _note_malformed(self, kind: str, error: MalformedMessageError) -> None:
        self.counters.malformed += 1
        if kind not in self._told:
            self._told.add(kind)
            _log.warning("%s: %s: %r (further ones are only counted)", self.ref, error, error.excerpt)

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

    def _perform_anew(self, outcomes: Outcomes) -> None:
        """The same, where another book was put in place: readers are told once the state is known."""
        self._perform(outcomes)
        self._change_listeners.tell(None)

    def _note_state(self, change: StateChanged) -> None:
        self.counters.gaps = self._sync.gaps
        self.counters.resyncs = self._sync.resyncs
        if isinstance(change.error, MalformedMessageError):
            self._note_malformed("level", change.error)
        elif change.error is not None:
            _log.info("%s: %s", self.ref, change.error)
        if change.after is SyncState.BUFFERING and change.before is not SyncState.BUFFERING:
            self._joining_since_s = self._loop.time()
        is_joined = change.after is SyncState.LIVE and change.before is not SyncState.STALE
        if is_joined:
            self._trouble = None
            self._turns.begin_anew()
            self._drop_partial()
            self._next_refresh_s = self._loop.time() + (self.options.refresh_s or 0.0)
            self._next_widening_s = self._loop.time() + _CALM_S
            if self.info is None:
                self._symbol_watch.begin()
        self._publish()

    def _begin_fetch(self, order: FetchSnapshot) -> None:
        urgency = self.urgency if order.urgent else self.urgency + 100
        is_repeat = self._sync.book is not None or order.is_probe
        limit = self._wanted_levels
        if order.is_probe and self.market is Market.SPOT:
            limit = min(limit, _PROBE_LEVELS)  # its id tells all
        self._stand_in.give_up()
        if is_repeat and order.urgent and not order.is_probe:
            wait_s = self._host.snapshot_wait_s(self.ref)
            if wait_s > _STAND_IN_AFTER_S or order.failures >= _STAND_IN_AFTER_FAILURES:
                self._ask_stand_in(order)
        self._fetch.begin(order, lambda: self._host.snapshot(self.ref, limit, urgency=urgency, is_repeat=is_repeat))

    def _ask_stand_in(self, order: FetchSnapshot) -> None:
        self._stand_in.want(order, self._loop.time())
        if not self._stand_in.is_subscribed:
            self._stand_in.is_subscribed = True
            self._host.subscribe(self.market, Route.PUBLIC, self._stand_in.name, self._stand_in)

    def _take_stand_in(self, order: FetchSnapshot, snapshot: Snapshot) -> None:
        self._fetch.give_up()
        self.snapshot_arrived(order, snapshot)

    def _drop_stand_in(self) -> None:
        self._stand_in.give_up()
        if self._stand_in.is_subscribed:
            self._stand_in.is_subscribed = False
            self._host.unsubscribe(self.market, Route.PUBLIC, self._stand_in.name, self._stand_in)

    def snapshot_arrived(self, order: FetchSnapshot, snapshot: Snapshot) -> None:
        """The snapshot that the sync ordered (SnapshotTaker)."""
        now_s = self._loop.time()
        self._trouble = None
        self._stand_in.give_up()
        before = self._sync.book
        try:
            outcomes = self._sync.snapshot(snapshot, order.number, now_s)
        except MalformedMessageError as error:  # met where two books were compared
            self._note_malformed("snapshot", error)
            outcomes = self._sync.resync(now_s)
        if not order.is_probe or self._sync.book is not before:
            self._levels = snapshot.limit or self._wanted_levels
        if self._sync.book is before:
            self._perform(outcomes)
        else:
            self._perform_anew(outcomes)
        self.wake()

    def snapshot_failed(self, order: FetchSnapshot, error: DepthGuiError) -> None:
        """It could not be had (SnapshotTaker)."""
        if isinstance(error, MalformedMessageError):
            self._note_malformed("snapshot", error)
        _log.info("%s: no snapshot (attempt %d): %s", self.ref, order.failures + 1, error)
        is_over = isinstance(error, _PERMANENT) or (isinstance(error, BinanceAPIException) and not error.is_retryable)
        if is_over and order.urgent:  # a live book that merely could not be audited goes on
            if isinstance(error, UnknownSymbolError) and self._symbol_watch.is_under_way:
                self._trouble = error  # the look-up is about to say so too, with near matches
            else:
                is_unknown = isinstance(error, UnknownSymbolError)
                self._fail(self._unlisted if is_unknown and self._unlisted is not None else error)
                return
        self._trouble = error
        self._publish()
        self._perform(self._sync.snapshot_failed(order.number, self._loop.time()))

    # The symbol's description

    def _is_quiet(self, now_s: float) -> bool:
        last_s, book = self.counters.last_data_s, self.book
        is_empty = book is not None and not (len(book.bids) and len(book.asks))
        return is_empty or last_s is None or now_s - last_s >= _QUIET_S

    def info_arrived(self, info: SymbolInfo) -> None:
        """The symbol's description (InfoTaker)."""
        self._unlisted = None
        if info == self.info:
            return
        self.info = info
        if info.is_trading:
            self.trading_status_since_wall_ms = None
        elif self.trading_status_since_wall_ms is None:
            self.trading_status_since_wall_ms = _wall_ms()
        self._publish()
        self._tell_listeners()

    def info_failed(self, error: DepthGuiError) -> None:
        """It could not be had (InfoTaker). Only the order book endpoint's word ends a feed: a listing may lag."""
        if isinstance(error, UnknownSymbolError):
            self._unlisted = error
            if isinstance(self._trouble, UnknownSymbolError):
                self._fail(error)
                return
        elif isinstance(error, _PERMANENT) and self.state is not FeedState.LIVE:
            self._fail(error)
            return
        _log.info("%s: the symbol's description is missing: %s", self.ref, error)

    # State

    def _fail(self, error: DepthGuiError) -> None:
        self._end()
        self._failure = error
        _log.error("%s: %s", self.ref, error)
        if isinstance(error, _WATCHED):
            self._failure_watch.begin()
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
        self._listeners.tell(self)
        self.wake()

    def _describe(self) -> tuple[FeedState, str, DepthGuiError | None]:  # noqa: PLR0911 - one line a state
        if self._failure is not None:
            return FeedState.FAILED, str(self._failure), self._failure
        if not self._readers:
            return FeedState.STOPPED, "Stopped", None
        sync_state = self._sync.state
        if sync_state is SyncState.LIVE:
            return self._describe_live()
        if sync_state is SyncState.STALE:
            return FeedState.STALE, f"No data; waiting for {self._waiting_reason()}", None
        if sync_state is SyncState.DISCONNECTED:
            if self._lost is None:
                return FeedState.CONNECTING, "Connecting", None
            if isinstance(self._lost, StreamInterruptedError):
                is_first = self.book is None
                return (FeedState.CONNECTING if is_first else FeedState.RECONNECTING), str(self._lost), self._lost
            return FeedState.RECONNECTING, f"Reconnecting: {self._lost}", self._lost
        if self._partial is not None and self._partial.is_live:
            return FeedState.LIVE, "Live from partial books: no snapshot has joined the stream", None
        return (
            (FeedState.CONNECTING if self.book is None else FeedState.STALE),
            f"Waiting for {self._waiting_reason()}",
            None,
        )

    def _describe_live(self) -> tuple[FeedState, str, None]:
        info, book = self.info, self.book
        if info is None or info.is_trading:
            return FeedState.LIVE, "Live", None
        detail = status_since(info.status, self.trading_status_since_wall_ms)
        is_empty = book is not None and not (len(book.bids) or len(book.asks))
        return (FeedState.STALE if is_empty else FeedState.LIVE), detail, None

    def _waiting_reason(self) -> str:
        reason = self._sync.waiting_for
        why = self._host.request_pause(self.market) or self._trouble
        if why is not None:
            return f"{reason}: {why}"
        waiting = self._host.waiting_requests(self.market)
        return f"{reason}; {waiting} requests wait for their turn" if waiting > 1 else reason


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
        return self.is_over or not self._is_depth or self._feed._overlap.has_joined(epoch)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _nothing() -> None:
    """Nobody wants to be woken."""
