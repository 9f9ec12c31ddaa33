"""Keeping a book in step with the venue: the one place for sequence rules. No I/O, no clock: time is an argument.

The table below is the whole machine. An input (a diff, a snapshot, a tick of the clock ...) is looked up under the
present state; the first row whose guard holds gives the next state and the function that does the work. What the caller
must do, and what it should know, comes back as a tuple of outcomes: usually the empty one.

The caller must

* call `stream_opened` when the stream of diffs is open, `stream_lost` when it ends;
* pass every diff, in the order of arrival; none may be dropped;
* on `FetchSnapshot`, fetch one, giving up any fetch before it, and answer with `snapshot` or `snapshot_failed` and the
  number that came with it;
* on `ReconnectStream`, close the stream and open it again;
* call `tick` about once a second.

`book` is the last known book. Only while `state` is LIVE does it equal the exchange's.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from depthgui.book.audit import PendingTickers, compare_best, compare_books, touch_left_coverage
from depthgui.book.errors import BookError, CrossedBookError, GapError, MalformedMessageError
from depthgui.book.messages import AnyDiff, BestPrices, Snapshot
from depthgui.book.order_book import OrderBook
from depthgui.book.outcomes import Audited, FetchSnapshot, Outcome, Outcomes, ReconnectStream, StateChanged, SyncState
from depthgui.book.sequence import SequenceRules
from depthgui.book.silence import SilenceWatch
from depthgui.book.sync_limits import SyncLimits

__all__ = [
    "TABLE",
    "Audited",
    "BookSync",
    "FetchSnapshot",
    "Outcome",
    "Outcomes",
    "ReconnectStream",
    "StateChanged",
    "SyncInput",
    "SyncLimits",
    "SyncState",
    "Transition",
]


class SyncInput(enum.Enum):
    """What can happen to a book."""

    STREAM_OPENED = "stream opened"
    STREAM_LOST = "stream lost"
    DIFF = "diff"
    SNAPSHOT = "snapshot"
    SNAPSHOT_FAILED = "snapshot failed"
    TICK = "tick"
    REFRESH_DUE = "refresh due"
    RESYNC = "resync"


_NOTHING: Outcomes = ()


class Transition(NamedTuple):
    """One row of the table: in `state`, `input` with `guard` leads to `next` through `action`."""

    state: SyncState
    input: SyncInput
    guard: Callable[[BookSync, Any], bool] | None
    next: SyncState
    action: Callable[[BookSync, Any], Outcomes] | None
    text: str


class BookSync:
    """The machine of one symbol. Not thread-safe."""

    def __init__(self, symbol: str, rules: SequenceRules, limits: SyncLimits | None = None) -> None:
        """Start disconnected, with no book."""
        self.symbol = symbol
        self.state = SyncState.DISCONNECTED
        self.book: OrderBook | None = None
        self.limits = limits or SyncLimits()
        self.gaps = 0
        self.resyncs = 0
        self.is_refreshing = False
        self._rules = rules
        self._now_s = 0.0
        self._buffer: deque[tuple[float, AnyDiff]] = deque()
        self._held: OrderBook | None = None  # a snapshot that waits for diffs, as a book
        self._held_since_s = 0.0
        self._fetching = False
        self._fetch_number = 0
        self._attempts = 0
        self._joined_s: float | None = None
        self._opened_s = 0.0
        self._silence = SilenceWatch(self.limits)
        self._reconnect_asked = False
        self._awaits_first_diff = False  # the book is a bare snapshot: the first-event rule, not the chain, decides
        self._refreshed_s = 0.0
        self._covered_span = 0.0
        self._error: BookError | MalformedMessageError | None = None
        self._tickers = PendingTickers()

    @property
    def buffered(self) -> int:
        """Number of diffs that wait for a snapshot."""
        return len(self._buffer)

    # Inputs

    def stream_opened(self, now_s: float) -> Outcomes:
        """The stream of diffs is open."""
        return self._handle(SyncInput.STREAM_OPENED, None, now_s)

    def stream_lost(self, now_s: float) -> Outcomes:
        """The stream ended, for whatever reason."""
        return self._handle(SyncInput.STREAM_LOST, None, now_s)

    def diff(self, diff: AnyDiff, now_s: float) -> Outcomes:
        """A diff arrived."""
        return self._handle(SyncInput.DIFF, diff, now_s)

    def snapshot(self, snapshot: Snapshot, number: int, now_s: float) -> Outcomes:
        """The snapshot that was asked for with `number` arrived."""
        if not self._fetching or number != self._fetch_number:
            return _NOTHING
        self._fetching = False
        try:
            base = OrderBook.from_snapshot(self.symbol, snapshot)
        except MalformedMessageError as error:
            self._error = error
            return self._handle(SyncInput.SNAPSHOT_FAILED, None, now_s)
        return self._handle(SyncInput.SNAPSHOT, base, now_s)

    def snapshot_failed(self, number: int, now_s: float) -> Outcomes:
        """The snapshot that was asked for with `number` could not be had."""
        if not self._fetching or number != self._fetch_number:
            return _NOTHING
        self._fetching = False
        return self._handle(SyncInput.SNAPSHOT_FAILED, None, now_s)

    def refresh_due(self, now_s: float) -> Outcomes:
        """Time to compare the live book with a fresh snapshot."""
        return self._handle(SyncInput.REFRESH_DUE, None, now_s)

    def resync(self, now_s: float) -> Outcomes:
        """Build the book anew, on somebody's wish."""
        return self._handle(SyncInput.RESYNC, None, now_s)

    def tick(self, now_s: float) -> Outcomes:
        """A second or so has passed."""
        self._silence.measure(now_s)
        return self._handle(SyncInput.TICK, None, now_s)

    def best_prices(self, best: BestPrices, now_s: float) -> Outcomes:
        """A bookTicker arrived: compare it at once if the ids are equal, keep it if the book has yet to get there."""
        book = self.book
        if book is None or self.state is not SyncState.LIVE or best.update_id > book.last_update_id:
            self._tickers.add(best)
            return _NOTHING
        if best.update_id < book.last_update_id:
            return _NOTHING
        self._now_s = now_s
        return self._with_change(SyncState.LIVE, self._compare(book, best))

    # The machine

    def _handle(self, kind: SyncInput, value: Any, now_s: float) -> Outcomes:
        self._now_s = now_s
        before = self.state
        for row in _ROWS.get((before, kind), ()):
            if row.guard is None or row.guard(self, value):
                self.state = row.next
                outcomes = _NOTHING if row.action is None else row.action(self, value)
                return self._with_change(before, outcomes)
        return _NOTHING

    def _with_change(self, before: SyncState, outcomes: Outcomes) -> Outcomes:
        if self.state is before and self._error is None:
            return outcomes
        changed = StateChanged(before, self.state, self._error)
        self._error = None
        return (changed, *outcomes)

    # Guards

    def _is_in_sequence(self, diff: AnyDiff) -> bool:
        assert self.book is not None
        if self._awaits_first_diff:
            return self._rules.joins(self.book.last_update_id, diff) and not self._rules.is_old(
                self.book.last_update_id, diff
            )
        return self._rules.continues(self.book.last_update_id, diff)

    def _is_old(self, diff: AnyDiff) -> bool:
        book = self.book
        assert book is not None
        if not self._rules.is_old(book.last_update_id, diff):
            return False
        # Old ids with a newer time: the venue began to count anew, so nothing after this would ever be applied.
        if self._awaits_first_diff:
            return self._now_s - self._refreshed_s < self.limits.edge_pause_s
        return book.event_time_ms is None or diff.event_time_ms <= book.event_time_ms

    def _is_repeated_in_buffer(self, diff: AnyDiff) -> bool:
        last = self._last_buffered()
        return last is not None and self._rules.is_old(last.last_id, diff) and diff.event_time_ms <= last.event_time_ms

    def _is_behind_buffer(self, snapshot: OrderBook) -> bool:
        return bool(self._buffer) and self._rules.is_behind(snapshot.last_update_id, self._buffer[0][1])

    def _is_ahead_of_buffer(self, snapshot: OrderBook) -> bool:
        last = self._last_buffered()
        return last is None or self._rules.is_old(snapshot.last_update_id, last)

    def _is_quiet(self, _: None) -> bool:
        since_s = max(self._opened_s, self._buffer[-1][0] if self._buffer else 0.0)
        if self._held is not None:
            since_s = max(since_s, self._held_since_s)
        elif self._fetching or self._attempts:
            return False
        return self._now_s - since_s >= self.limits.quiet_grace_s

    def _is_held_in_vain(self, _: None) -> bool:
        return self._held is not None and self._now_s - self._held_since_s >= self.limits.buffer_s

    def _is_silent(self, _: None) -> bool:
        return self._silence.is_too_long(self._now_s)

    def _is_overtaken(self, snapshot: OrderBook) -> bool:
        # Snapshots may lag; after longer than that, lower ids mean that the venue began to count anew.
        assert self.book is not None
        is_older = snapshot.last_update_id < self.book.last_update_id
        return is_older and self._silence.silent_s(self._now_s) < self.limits.buffer_s

    def _is_quiet_proven(self, snapshot: OrderBook) -> bool:
        book = self.book
        assert book is not None
        if snapshot.last_update_id == book.last_update_id:
            return True
        if self._rules.has_own_ids:
            return False
        # The id moves with other symbols' updates: only the levels tell.
        return compare_books(book, snapshot, self._now_s).agrees

    def _is_dead(self, _: None) -> bool:
        held_s = self._now_s - self._held_since_s
        return self._held is not None and held_s >= self.limits.dead_s and not self._reconnect_asked

    def _is_near_edge(self, _: None) -> bool:
        return (
            not self.is_refreshing
            and self._now_s - self._refreshed_s >= self.limits.edge_pause_s
            and self._covered_width() < self.limits.edge_share * self._covered_span
        )

    def _is_refresh_free(self, _: None) -> bool:
        return not self.is_refreshing

    # Actions

    def _start_buffering(self, _: None) -> Outcomes:
        self._buffer.clear()
        self._tickers.clear()
        self._held = None
        self._fetching = False  # an answer still under way may be older than what comes now
        self.is_refreshing = False
        self._reconnect_asked = False
        self._joined_s = None
        self._opened_s = self._silence.last_s = self._now_s
        return _NOTHING

    def _open(self, _: None) -> Outcomes:
        self._attempts = 0
        self._silence.open()
        return self._start_buffering(None)

    def _buffer_diff(self, diff: AnyDiff) -> Outcomes:
        last = self._last_buffered()
        if last is not None and not self._rules.continues(last.last_id, diff):
            self._buffer.clear()  # a hole: what is before it can never be joined with what comes after
            self._held = None
            self.gaps += 1
        self._keep(diff)
        if self._held is not None and not self._rules.is_old(self._held.last_update_id, diff):
            held, self._held = self._held, None
            return self._join(held)
        return _NOTHING if self._fetching or self._held else self._fetch(urgent=True)

    def _fetch_again(self, _: OrderBook | None) -> Outcomes:
        return self._fetch(urgent=True)

    def _hold_or_fetch(self, _: None) -> Outcomes:
        if self._held is None:
            return self._fetch(urgent=True)
        held, self._held = self._held, None
        return self._join(held)

    def _hold(self, snapshot: OrderBook) -> Outcomes:
        self._held = snapshot
        self._held_since_s = self._now_s
        return _NOTHING

    def _join(self, snapshot: OrderBook) -> Outcomes:
        try:
            book = self._catch_up(snapshot)
        except (BookError, MalformedMessageError) as error:
            return self._start_over(error)
        if self.book is not None:
            book.version = self.book.version + 1
            self.resyncs += 1
        self.book = book
        self.state = SyncState.LIVE
        self._buffer.clear()
        self._joined_s = self._refreshed_s = self._now_s
        self._silence.begin(self._now_s)
        self._covered_span = self._covered_width()
        best = self._tickers.take(book.last_update_id)
        return _NOTHING if best is None else self._compare(book, best)

    def _apply(self, diff: AnyDiff) -> Outcomes:
        book = self.book
        assert book is not None
        try:
            book.apply(diff)
        except MalformedMessageError as error:
            return self._start_over(error)
        self._awaits_first_diff = False
        self._silence.note_diff(self._now_s)
        if book.is_crossed:
            return self._start_over(_crossed(book))
        if self.is_refreshing:
            self._keep(diff)
            if self._held is not None:
                return self._audit_with(self._held)
        best = self._tickers.take(diff.last_id)
        return _NOTHING if best is None else self._compare(book, best)

    def _find_gap(self, diff: AnyDiff) -> Outcomes:
        assert self.book is not None
        error = GapError(
            self.symbol,
            book_id=self.book.last_update_id,
            first_id=diff.first_id,
            last_id=diff.last_id,
            prev_id=diff.prev_id,
        )
        return self._start_over(error, diff)

    def _ask_whether_dead(self, _: None) -> Outcomes:
        return self._refresh(urgent=True)

    def _confirm_quiet(self, snapshot: OrderBook) -> Outcomes:
        book = self.book
        assert book is not None
        result = compare_books(book, snapshot, self._now_s)
        self._end_refresh(None)
        self._silence.note_quiet(self._now_s)
        if not result.agrees:
            return (Audited(result), *self._start_over(None))
        if snapshot.last_update_id != book.last_update_id:
            # With shared ids a lost diff may have changed what this snapshot does not reach to: only it is sure.
            snapshot.version = book.version + 1
            self.book = snapshot
            self._awaits_first_diff = True
            self._covered_span = self._covered_width()
        return (Audited(result),)

    def _reconnect(self, _: None) -> Outcomes:
        self._reconnect_asked = True
        return (ReconnectStream(self._silence.silent_s(self._now_s)),)

    def _begin_refresh(self, _: None) -> Outcomes:
        return self._refresh(urgent=False)

    def _end_refresh(self, _: None) -> Outcomes:
        self.is_refreshing = False
        self._held = None
        self._buffer.clear()
        self._refreshed_s = self._now_s
        return _NOTHING

    def _audit_with(self, snapshot: OrderBook) -> Outcomes:
        book = self.book
        assert book is not None
        self._held = None
        if self._is_behind_book(snapshot):
            return self._fetch(urgent=False)
        if snapshot.last_update_id > book.last_update_id:
            return self._hold(snapshot)  # the next diffs will bring the book to its id
        try:
            shadow = self._catch_up(snapshot)
        except BookError as error:
            return self._start_over(error)
        result = compare_books(book, shadow, self._now_s)
        self._end_refresh(None)
        if not result.agrees:
            return (Audited(result), *self._start_over(None))
        book.extend(shadow)
        self._bound_width(book)
        self._covered_span = self._covered_width()
        return (Audited(result),)

    def _restart(self, _: None) -> Outcomes:
        return self._start_over(None)

    def _watch_width(self, _: None) -> Outcomes:
        assert self.book is not None
        self._bound_width(self.book)
        return _NOTHING

    # Parts of the actions

    def _refresh(self, *, urgent: bool) -> Outcomes:
        self.is_refreshing = True
        self._attempts = 0
        self._buffer.clear()
        return self._fetch(urgent=urgent)

    def _bound_width(self, book: OrderBook) -> None:
        if max(len(book.bids), len(book.asks)) > self.limits.levels_a_side:
            book.keep_best(self.limits.levels_a_side * 3 // 4)
            book.version += 1

    def _catch_up(self, book: OrderBook) -> OrderBook:
        rules = self._rules
        awaits_first = True
        for _, diff in self._buffer:
            if rules.is_old(book.last_update_id, diff):
                continue
            fits = rules.joins if awaits_first else rules.continues
            if not fits(book.last_update_id, diff):
                raise GapError(
                    self.symbol,
                    book_id=book.last_update_id,
                    first_id=diff.first_id,
                    last_id=diff.last_id,
                    prev_id=diff.prev_id,
                )
            book.apply(diff)
            awaits_first = False
        if book.is_crossed:
            raise _crossed(book)
        if not self.is_refreshing:
            self._awaits_first_diff = awaits_first
        return book

    def _is_behind_book(self, snapshot: OrderBook) -> bool:
        assert self.book is not None
        if self._buffer:
            return self._rules.is_behind(snapshot.last_update_id, self._buffer[0][1])
        return snapshot.last_update_id < self.book.last_update_id

    def _compare(self, book: OrderBook, best: BestPrices) -> Outcomes:
        result = compare_best(book, best, self._now_s)
        if result.agrees:
            return (Audited(result),)
        if touch_left_coverage(book, best):
            return self._start_over(None)  # nothing is wrong with what we know, but it no longer has the best price
        return (Audited(result), *self._start_over(None))

    def _start_over(self, error: BookError | MalformedMessageError | None, diff: AnyDiff | None = None) -> Outcomes:
        # The book stays as it is, for people to look at; a new one is built aside.
        if self._joined_s is not None and self._now_s - self._joined_s >= self.limits.calm_s:
            self._attempts = 0  # a single mishap, not one after the other: no need to wait
        self._start_buffering(None)
        self.state = SyncState.BUFFERING
        self._error = error
        self.gaps += error is not None
        if diff is not None:
            self._keep(diff)
        return self._fetch(urgent=True)

    def _fetch(self, *, urgent: bool) -> Outcomes:
        self._held = None
        self._fetching = True
        self._fetch_number += 1
        self._attempts += 1
        return (FetchSnapshot(self._fetch_number, self._attempts, urgent),)

    def _keep(self, diff: AnyDiff) -> None:
        buffer = self._buffer
        buffer.append((self._now_s, diff))
        oldest_s = self._now_s - self.limits.buffer_s
        while len(buffer) > self.limits.buffer_events or buffer[0][0] < oldest_s:
            buffer.popleft()  # only the head: what is kept is still without holes

    def _last_buffered(self) -> AnyDiff | None:
        return self._buffer[-1][1] if self._buffer else None

    def _covered_width(self) -> float:
        # Distance from the touch to the nearer end of what the snapshot proved; endless when a side is known whole.
        book = self.book
        if book is None or book.bids.best is None or book.asks.best is None:
            return 0.0
        low, high = book.coverage.low, book.coverage.high
        below = float("inf") if low is None else float(book.bids.best) - float(low)
        above = float("inf") if high is None else float(high) - float(book.asks.best)
        return min(below, above)


def _crossed(book: OrderBook) -> CrossedBookError:
    bid, ask = book.best_bid, book.best_ask
    assert bid is not None
    assert ask is not None
    return CrossedBookError(book.symbol, book_id=book.last_update_id, best_bid=bid[0], best_ask=ask[0])


_S = SyncState
_I = SyncInput
_B = BookSync

# Rows of one (state, input) are tried from top to bottom. An action may lead elsewhere when the book turns out wrong
# (crossed, a gap inside the buffer, an audit that differs): always to BUFFERING, through `_start_over`.
TABLE: tuple[Transition, ...] = (
    Transition(_S.DISCONNECTED, _I.STREAM_OPENED, None, _S.BUFFERING, _B._open, "keep every diff from now on"),
    Transition(_S.BUFFERING, _I.DIFF, _B._is_repeated_in_buffer, _S.BUFFERING, None, "seen before: ignore"),
    Transition(_S.BUFFERING, _I.DIFF, None, _S.BUFFERING, _B._buffer_diff, "keep it; on the first, fetch a snapshot"),
    Transition(_S.BUFFERING, _I.TICK, _B._is_quiet, _S.BUFFERING, _B._hold_or_fetch, "quiet symbol: do without a diff"),
    Transition(_S.BUFFERING, _I.TICK, _B._is_held_in_vain, _S.BUFFERING, _B._fetch_again, "never reached: fetch again"),
    Transition(_S.BUFFERING, _I.SNAPSHOT, _B._is_behind_buffer, _S.BUFFERING, _B._fetch_again, "too old: fetch again"),
    Transition(_S.BUFFERING, _I.SNAPSHOT, _B._is_ahead_of_buffer, _S.BUFFERING, _B._hold, "too new: wait for diffs"),
    Transition(_S.BUFFERING, _I.SNAPSHOT, None, _S.BUFFERING, _B._join, "bridges: build the book aside, swap it in"),
    Transition(_S.BUFFERING, _I.SNAPSHOT_FAILED, None, _S.BUFFERING, _B._fetch_again, "fetch again"),
    Transition(_S.LIVE, _I.DIFF, _B._is_in_sequence, _S.LIVE, _B._apply, "in sequence: apply"),
    Transition(_S.LIVE, _I.DIFF, _B._is_old, _S.LIVE, None, "old: ignore"),
    Transition(_S.LIVE, _I.DIFF, None, _S.BUFFERING, _B._find_gap, "gap: keep it, fetch; the book stays as stale"),
    Transition(
        _S.LIVE, _I.TICK, _B._is_silent, _S.STALE, _B._ask_whether_dead, "silent for too long: fetch, to learn why"
    ),
    Transition(_S.LIVE, _I.TICK, _B._is_near_edge, _S.LIVE, _B._begin_refresh, "touch near the end of coverage: fetch"),
    Transition(_S.LIVE, _I.TICK, None, _S.LIVE, _B._watch_width, "drop far levels"),
    Transition(_S.LIVE, _I.REFRESH_DUE, _B._is_refresh_free, _S.LIVE, _B._begin_refresh, "fetch in the background"),
    Transition(_S.LIVE, _I.SNAPSHOT, None, _S.LIVE, _B._audit_with, "build a shadow book, compare, report"),
    Transition(_S.LIVE, _I.SNAPSHOT_FAILED, None, _S.LIVE, _B._end_refresh, "leave it until the next refresh"),
    Transition(_S.LIVE, _I.RESYNC, None, _S.BUFFERING, _B._restart, "on wish: build anew"),
    Transition(_S.STALE, _I.DIFF, _B._is_in_sequence, _S.LIVE, _B._apply, "in sequence: it was only late"),
    Transition(_S.STALE, _I.DIFF, _B._is_old, _S.STALE, None, "old: ignore"),
    Transition(_S.STALE, _I.DIFF, None, _S.BUFFERING, _B._find_gap, "gap: keep it, fetch"),
    Transition(_S.STALE, _I.SNAPSHOT, _B._is_overtaken, _S.STALE, _B._fetch_again, "older than the book: fetch again"),
    Transition(_S.STALE, _I.SNAPSHOT, _B._is_quiet_proven, _S.LIVE, _B._confirm_quiet, "nothing has changed: quiet"),
    Transition(_S.STALE, _I.SNAPSHOT, None, _S.STALE, _B._hold, "it has changed: the stream owes us diffs"),
    Transition(_S.STALE, _I.SNAPSHOT_FAILED, None, _S.STALE, _B._reconnect, "nothing answers: subscribe again"),
    Transition(_S.STALE, _I.TICK, _B._is_dead, _S.STALE, _B._reconnect, "dead: subscribe again"),
    Transition(_S.STALE, _I.RESYNC, None, _S.BUFFERING, _B._restart, "on wish: build anew"),
    *(
        Transition(state, _I.STREAM_LOST, None, _S.DISCONNECTED, _B._start_buffering, "the book stays as stale")
        for state in (_S.BUFFERING, _S.LIVE, _S.STALE)
    ),
)

_ROWS: dict[tuple[SyncState, SyncInput], tuple[Transition, ...]] = {
    key: tuple(row for row in TABLE if (row.state, row.input) == key)
    for key in {(row.state, row.input) for row in TABLE}
}
