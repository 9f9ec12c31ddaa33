"""What the sync machine's rows are made of: guards, which look, and actions, which work. `book.sync` has the table."""

from __future__ import annotations

import math
from dataclasses import replace

from depthgui.book.audit import PendingTickers, compare_best, compare_books, touch_left_coverage
from depthgui.book.diff_buffer import DiffBuffer
from depthgui.book.errors import BookError, CrossedBookError, GapError, MalformedMessageError
from depthgui.book.messages import AnyDiff, BestPrices
from depthgui.book.order_book import OrderBook
from depthgui.book.outcomes import Audited, FetchSnapshot, Outcomes, ReconnectStream, SyncState
from depthgui.book.phases import PHASE_STATES, SyncPhase
from depthgui.book.sequence import SequenceRules, is_new_numbering
from depthgui.book.silence import SilenceWatch
from depthgui.book.sync_limits import SyncLimits

NOTHING: Outcomes = ()
_DISTRUST_MOST = 16.0


class SyncSteps:
    """The state of one symbol's machine, with a method for each guard and each action of the table.

    A guard takes what came with the input and says whether its row is taken; an action takes the same and returns what
    is to be done or to be known. An action runs when the machine is in the row's next phase already.
    """

    def __init__(
        self, symbol: str, rules: SequenceRules, limits: SyncLimits | None = None, *, interval_s: float = 0.1
    ) -> None:
        """Start disconnected, with no book. `interval_s` is the stream's pace: a diff may take so long by itself."""
        limits = limits or SyncLimits()
        self.symbol = symbol
        self.phase = SyncPhase.DISCONNECTED
        self.state = SyncState.DISCONNECTED
        self.book: OrderBook | None = None
        self.limits = replace(limits, owed_s=limits.owed_s + interval_s)
        self.gaps = 0
        self.resyncs = 0
        self._rules = rules
        self._now_s = 0.0
        self._entered_s = math.inf  # when the present wait began; infinite before the first
        self._buffer = DiffBuffer(rules, self.limits)
        self._held: OrderBook | None = None  # a snapshot that waits for diffs or for a second one, as a book
        self._fetching = False
        self._fetch_number = 0
        self._asked_s = 0.0  # when the snapshot under way was asked for
        self._failures = 0  # requests in a row that brought nothing usable
        self._is_urgent = True
        self._is_probe = False
        self._silence = SilenceWatch(self.limits)
        self._awaits_first_diff = False  # the book is a bare snapshot: the first-event rule, not the chain, decides
        self._since_id = 0  # the snapshot's id: the lowest one of the numbering that the book follows
        self._refreshed_s = 0.0
        self._covered_span = 0.0
        self._error: BookError | MalformedMessageError | None = None
        self._setback = ""
        self._tickers = PendingTickers()
        self._renewals = 0  # since the last diff: how often the stream was found dead
        self._moved_id: int | None = None  # a best price's id that the book has not reached
        self._moved_s = 0.0  # when it came
        self._traded_s: float | None = None  # when a trade came that no diff has followed yet

    @property
    def buffered(self) -> int:
        """Number of diffs that wait for a snapshot."""
        return len(self._buffer)

    @property
    def is_refreshing(self) -> bool:
        """True while a live book is being compared with a snapshot."""
        return self.phase in (SyncPhase.AUDITING, SyncPhase.AUDIT_HELD)

    @property
    def waiting_for(self) -> str:
        """What the book waits for, and why it has to, as the end of a sentence."""
        text = self.phase.value
        if self.phase is SyncPhase.HOLDING and self._held is not None:
            last = self._buffer.last
            at = "has brought none yet" if last is None else f"is at id {last.last_id}"
            text = f"{text} (id {self._held.last_update_id}; the stream {at})"
        if self._buffer.dropped:
            text = f"{text}; {self._buffer.dropped} of the diffs that wait were dropped, {len(self._buffer)} are kept"
        return f"{text}; {self._setback}" if self._setback else text

    def _enter(self, phase: SyncPhase) -> None:
        self.phase = phase
        self.state = PHASE_STATES[phase]
        self._entered_s = self._now_s

    # Guards

    def is_in_sequence(self, diff: AnyDiff) -> bool:
        """The diff is the next one of the book."""
        assert self.book is not None
        if self._awaits_first_diff:
            return self._rules.joins(self.book.last_update_id, diff) and not self._rules.is_old(
                self.book.last_update_id, diff
            )
        return self._rules.continues(self.book.last_update_id, diff)

    def continues_to_held(self, diff: AnyDiff) -> bool:
        """The same, and with it the book is at the id of the snapshot that waits, or beyond."""
        assert self._held is not None
        return diff.last_id >= self._held.last_update_id and self.is_in_sequence(diff)

    def is_old(self, diff: AnyDiff) -> bool:
        """The diff holds nothing that the book lacks."""
        book = self.book
        assert book is not None
        if not self._rules.is_old(book.last_update_id, diff):
            return False
        if self._awaits_first_diff:  # the stream may lag behind the snapshot, but not for long
            return self._now_s - self._refreshed_s < self.limits.edge_pause_s
        return not is_new_numbering(
            diff.last_id, diff.event_time_ms, lowest_id=self._since_id, latest_ms=book.event_time_ms
        )

    def is_repeated(self, diff: AnyDiff) -> bool:
        """The buffer holds the diff already."""
        return self._buffer.repeats(diff)

    def breaks_buffer(self, diff: AnyDiff) -> bool:
        """The diff does not follow the one before it."""
        return self._buffer.is_broken_by(diff)

    def passes_held(self, diff: AnyDiff) -> bool:
        """The diff has something that the snapshot that waits lacks."""
        return self._held is not None and not self._rules.is_old(self._held.last_update_id, diff)

    def is_behind_buffer(self, snapshot: OrderBook) -> bool:
        """The snapshot is too old for the diffs that wait."""
        return self._buffer.is_ahead_of(snapshot.last_update_id)

    def is_ahead_of_buffer(self, snapshot: OrderBook) -> bool:
        """The snapshot has all that the diffs that wait bring."""
        return not self._buffer.reaches(snapshot.last_update_id)

    def bridges_buffer(self, snapshot: OrderBook) -> bool:
        """Diffs wait, and the snapshot can be joined with them."""
        return len(self._buffer) > 0 and self._buffer.reaches(snapshot.last_update_id)

    def has_diffs(self, _: object) -> bool:
        """Diffs wait."""
        return len(self._buffer) > 0

    def no_diff_comes(self, _: None) -> bool:
        """No diff has come for as long as two snapshots that prove quiet are apart."""
        return self._now_s - max(self._entered_s, self._buffer.last_s) >= self._prove_s

    @property
    def _prove_s(self) -> float:
        # A stream that was found dead has to be quiet for longer before it is believed again.
        return self.limits.prove_s * min(2.0**self._renewals, _DISTRUST_MOST)

    def is_older_than_held(self, snapshot: OrderBook) -> bool:
        """The snapshot is older than the one that waits, or than a best price that has come."""
        return self._held is not None and self._is_older_than(self._held, snapshot)

    def agrees_with_held(self, snapshot: OrderBook) -> bool:
        """Two snapshots show the same book."""
        return self._held is not None and self._is_same(self._held, snapshot)

    def has_moved_on(self, _: None) -> bool:
        """A best price has been newer than the book for longer than a diff takes, and no diff comes."""
        return (
            self._moved_id is not None
            and self._now_s - self._moved_s >= self.limits.owed_s
            and self.diffs_are_owed(None)
        )

    def best_prices_differ(self, _: None) -> bool:
        """The same, and it is another best price than the book has."""
        newest = self._tickers.newest
        if newest is None or self.book is None or not self.has_moved_on(None):
            return False
        return not compare_best(self.book, newest, self._now_s).agrees

    def is_trade_unexplained(self, _: None) -> bool:
        """A trade came longer ago than a diff takes, and no diff has followed."""
        return self._traded_s is not None and self._now_s - self._traded_s >= self.limits.owed_s

    def is_silent(self, _: object) -> bool:
        """No diff has come for longer than the pace of the symbol explains."""
        return self._silence.is_too_long(self._now_s)

    def is_known_quiet(self, _: None) -> bool:
        """The silence of the symbol has been proved before."""
        return self._silence.is_known_quiet

    def is_overtaken(self, snapshot: OrderBook) -> bool:
        """The snapshot is older than what is known."""
        assert self.book is not None
        return self._is_older_than(self.book, snapshot)

    def is_behind_book(self, snapshot: OrderBook) -> bool:
        """The snapshot is too old to be compared with the book."""
        assert self.book is not None
        if self._buffer:
            return self._buffer.is_ahead_of(snapshot.last_update_id)
        return self._is_older_than(self.book, snapshot)

    def is_quiet_proven(self, snapshot: OrderBook) -> bool:
        """No diff has come, and the snapshot shows the same book."""
        assert self.book is not None
        return not self._buffer and self._is_same(self.book, snapshot)

    def is_ahead_of_book(self, snapshot: OrderBook) -> bool:
        """The snapshot is newer than the book."""
        assert self.book is not None
        return snapshot.last_update_id > self.book.last_update_id

    def is_at_book(self, snapshot: OrderBook) -> bool:
        """The snapshot is of the same id as the book."""
        assert self.book is not None
        return snapshot.last_update_id == self.book.last_update_id

    def probe_proves_quiet(self, snapshot: OrderBook) -> bool:
        """The same, of a snapshot that was ordered for that; another one is compared diff by diff."""
        return (self._is_probe or self.is_at_book(snapshot)) and self.is_quiet_proven(snapshot)

    def held_agrees(self, _: None) -> bool:
        """No diff has come, and the snapshot that waits shows the same book."""
        assert self._held is not None
        return self.is_quiet_proven(self._held)

    def diffs_are_owed(self, _: None) -> bool:
        """No diff comes though the venue has sent some."""
        return self._now_s - max(self._silence.last_s, self._buffer.last_s) >= self.limits.owed_s

    def is_near_edge(self, _: None) -> bool:
        """The best prices are near the end of what the snapshot proved."""
        if self.book is None or self.book.coverage.is_recorded:
            return False
        return (
            self._now_s - self._refreshed_s >= self.limits.edge_pause_s
            and self._covered_width() < self.limits.edge_share * self._covered_span
        )

    def _is_older_than(self, book: OrderBook, snapshot: OrderBook) -> bool:
        newest = self._tickers.newest
        known_id = book.last_update_id if newest is None else max(book.last_update_id, newest.update_id)
        return snapshot.last_update_id < known_id

    def _is_same(self, book: OrderBook, snapshot: OrderBook) -> bool:
        if snapshot.last_update_id == book.last_update_id:
            return compare_books(book, snapshot, self._now_s).agrees
        # Where the id moves with other symbols' updates too, the levels tell.
        return not self._rules.has_own_ids and compare_books(book, snapshot, self._now_s).agrees

    # Actions

    def start_buffering(self, _: None) -> Outcomes:
        """Forget what waits; the book stays."""
        self._buffer.clear()
        self._tickers.clear()
        self._held = None
        self._fetching = False  # an answer still under way may be older than what comes now
        self._silence.last_s = self._now_s
        self._moved_id = self._traded_s = None
        return NOTHING

    def open(self, _: None) -> Outcomes:
        """Begin with a new stream."""
        self._failures = 0
        self._setback = ""
        self._silence.open()
        return self.start_buffering(None)

    def keep(self, diff: AnyDiff) -> Outcomes:
        """Keep the diff."""
        self._buffer.keep(diff, self._now_s)
        return NOTHING

    def keep_and_fetch(self, diff: AnyDiff) -> Outcomes:
        """Keep the diff and order a snapshot."""
        self.keep(diff)
        return self._fetch(urgent=True)

    def keep_after_hole(self, diff: AnyDiff) -> Outcomes:
        """Keep the diff alone and order another snapshot."""
        self.gaps += 1
        last = self._buffer.last
        assert last is not None
        self._setback = f"diffs {last.last_id + 1} to {diff.first_id - 1} were lost while it was fetched"
        self._buffer.clear()
        self._held = None
        self._moved_id = None
        return self.keep_and_fetch(diff)

    def keep_and_join(self, diff: AnyDiff) -> Outcomes:
        """Keep the diff and join the snapshot that waits."""
        self.keep(diff)
        held, self._held = self._held, None
        assert held is not None
        return self.join(held)

    def fetch_again(self, _: object) -> Outcomes:
        """Order the same kind of snapshot again."""
        return self._fetch(urgent=self._is_urgent, is_probe=self._is_probe)

    def fetch_anew(self, _: None) -> Outcomes:
        """Order a snapshot; one that waits is given up."""
        self._held = None
        return self._fetch(urgent=True)

    def fetch_newer(self, snapshot: OrderBook) -> Outcomes:
        """Order a snapshot in place of one that was too old."""
        first = self._buffer.first
        if first is None or self._buffer.first_s <= self._asked_s:
            self._failures += 1  # the venue answers from its past: asking at once would bring the same
        begins = "what is known already" if first is None else f"the stream, which begins at id {first.first_id}"
        self._setback = f"the one that came (id {snapshot.last_update_id}) is older than {begins}"
        return self.fetch_again(None)

    def hold(self, snapshot: OrderBook) -> Outcomes:
        """Let the snapshot wait."""
        self._held = snapshot
        self._failures = 0
        if self.state is SyncState.BUFFERING:
            newest = self._tickers.newest
            self._moved_id, self._moved_s = None, self._now_s
            if newest is not None and newest.update_id > snapshot.last_update_id:
                self._moved_id = newest.update_id
        return NOTHING

    def probe(self, _: object) -> Outcomes:
        """Order a snapshot that shows whether the book has moved on."""
        return self._fetch(urgent=self.state is not SyncState.LIVE, is_probe=True)

    def join(self, snapshot: OrderBook) -> Outcomes:
        """Make the snapshot, with the diffs that wait, the live book."""
        since_id = snapshot.last_update_id
        try:
            awaits_first = self._buffer.catch_up(snapshot)
            if snapshot.is_crossed:
                raise _crossed(snapshot)
        except (BookError, MalformedMessageError) as error:
            return self._start_over(error, failures=self._failures + 1)  # the next one may be as wrong
        if self.book is not None:
            snapshot.version = self.book.version + 1
            self.resyncs += 1
        self.book = snapshot
        self._awaits_first_diff = awaits_first
        self._since_id = since_id
        self._held = None
        self._failures = 0
        self._setback = ""
        self._buffer.clear()
        self._moved_id = self._traded_s = None
        self._refreshed_s = self._now_s
        self._silence.begin(self._now_s)
        self._covered_span = self._covered_width()
        best = self._tickers.take(snapshot.last_update_id)
        return NOTHING if best is None else self._compare(snapshot, best)

    def join_quiet(self, snapshot: OrderBook) -> Outcomes:
        """Make the snapshot the live book: two agree, so that no diff is missing."""
        held = self._held
        is_held_as_new = held is not None and held.last_update_id == snapshot.last_update_id
        outcomes = self.join(held if held is not None and is_held_as_new else snapshot)  # the first may be the larger
        if self.state is SyncState.LIVE:
            self._silence.note_quiet(self._now_s)
        return outcomes

    def apply(self, diff: AnyDiff) -> Outcomes:
        """Bring the live book up to date."""
        book = self.book
        assert book is not None
        try:
            book.apply(diff)
        except MalformedMessageError as error:
            return self._start_over(error)
        self._awaits_first_diff = False
        self._traded_s = None
        self._renewals = 0
        if self._moved_id is not None and diff.last_id >= self._moved_id:
            self._moved_id = None  # the next best price tells again whether the venue is ahead
        self._silence.note_diff(self._now_s)
        if book.is_crossed:
            return self._start_over(_crossed(book))
        best = self._tickers.take(diff.last_id)
        return NOTHING if best is None else self._compare(book, best)

    def resume(self, diff: AnyDiff) -> Outcomes:
        """Bring the stale book up to date, which makes it live again."""
        self._held = None
        self._fetching = False
        self._setback = ""
        return self.apply(diff)

    def apply_and_keep(self, diff: AnyDiff) -> Outcomes:
        """The same, and keep the diff for the snapshot that has been ordered."""
        self.keep(diff)
        return self.apply(diff)

    def apply_and_audit(self, diff: AnyDiff) -> Outcomes:
        """The same, and compare with the snapshot that waits."""
        held, self._held = self._held, None
        outcomes = self.apply_and_keep(diff)
        if self.phase is not SyncPhase.LIVE or held is None:
            return outcomes
        return (*outcomes, *self.audit(held))

    def find_gap(self, diff: AnyDiff) -> Outcomes:
        """Start over with the diff that does not continue the book."""
        assert self.book is not None
        return self._start_over(GapError.between(self.symbol, self.book.last_update_id, diff), diff)

    def ask(self, _: object) -> Outcomes:
        """Order a snapshot that shows why the stream is silent."""
        self.end_refresh(None)
        self._setback = f"no diff has come for {self._silence.silent_s(self._now_s):.0f} s"
        return self.probe(None)

    def confirm_quiet(self, snapshot: OrderBook) -> Outcomes:
        """The snapshot shows the same book."""
        book = self.book
        assert book is not None
        result = compare_books(book, snapshot, self._now_s)
        if snapshot.last_update_id == book.last_update_id:
            book.extend(snapshot)
            self._bound_width(book)
        else:
            # With shared ids a lost diff may have changed what this snapshot does not reach to: only it is sure.
            snapshot.version = book.version + 1
            self.book = snapshot
            self._since_id = snapshot.last_update_id
            self._awaits_first_diff = True
        self._covered_span = self._covered_width()
        if self.is_silent(None):
            self._silence.note_quiet(self._now_s)
        self.end_refresh(None)
        self._setback = ""
        self._moved_id = self._traded_s = None
        self._tickers.take(snapshot.last_update_id)
        return (Audited(result),)

    def confirm_held(self, _: None) -> Outcomes:
        """The snapshot that waits shows the same book."""
        held = self._held
        assert held is not None
        return self.confirm_quiet(held)

    def renew(self, _: object) -> Outcomes:
        """Ask for the stream to be subscribed anew."""
        self._entered_s = self._now_s
        self._renewals += 1
        self._fetching = False
        silent_s = self._silence.silent_s(self._now_s)
        self._setback = f"the stream has brought nothing for {silent_s:.0f} s"
        return (ReconnectStream(silent_s),)

    def ask_for_stream(self, _: None) -> Outcomes:
        """Ask for the stream again."""
        self._entered_s = self._now_s
        return (ReconnectStream(self._silence.silent_s(self._now_s)),)

    def begin_refresh(self, _: None) -> Outcomes:
        """Order a snapshot to compare the live book with."""
        self._failures = 0
        self._buffer.clear()
        return self._fetch(urgent=False)

    def begin_probe(self, _: None) -> Outcomes:
        """Order a snapshot that shows in the background whether the book has moved on."""
        self._failures = 0
        self._buffer.clear()
        return self.probe(None)

    def end_refresh(self, _: object) -> Outcomes:
        """Forget the comparison; the book goes on."""
        self._held = None
        self._fetching = False
        self._failures = 0
        self._buffer.clear()
        self._refreshed_s = self._now_s
        return NOTHING

    def audit(self, snapshot: OrderBook) -> Outcomes:
        """Compare the live book with a second one that is made from the snapshot."""
        book = self.book
        assert book is not None
        try:
            self._buffer.catch_up(snapshot)
            if snapshot.is_crossed:
                raise _crossed(snapshot)
        except BookError as error:
            return self._start_over(error)
        result = compare_books(book, snapshot, self._now_s)
        self.end_refresh(None)
        if not result.agrees:
            return (Audited(result), *self._start_over(None, why="it differed from the venue's snapshot"))
        book.extend(snapshot)
        self._bound_width(book)
        self._covered_span = self._covered_width()
        return (Audited(result),)

    def restart(self, _: None) -> Outcomes:
        """Start over."""
        return self._start_over(None, why="the book is built anew as asked")

    def watch_width(self, _: None) -> Outcomes:
        """Drop levels far from the best ones."""
        assert self.book is not None
        self._bound_width(self.book)
        return NOTHING

    # Parts of the actions

    def _note_moved(self, best: BestPrices, now_s: float) -> None:
        known = self.book if self.state is SyncState.LIVE else self._held
        if self._moved_id is None and known is not None and best.update_id > known.last_update_id:
            self._moved_id, self._moved_s = best.update_id, now_s

    def _bound_width(self, book: OrderBook) -> None:
        if max(len(book.bids), len(book.asks)) > self.limits.levels_a_side:
            book.keep_best(self.limits.levels_a_side * 3 // 4)
            book.version += 1

    def _compare(self, book: OrderBook, best: BestPrices) -> Outcomes:
        result = compare_best(book, best, self._now_s)
        if result.agrees:
            return (Audited(result),)
        if touch_left_coverage(book, best):  # nothing is wrong with what we know, but it no longer has the best price
            if book.coverage.is_recorded:
                return NOTHING  # nor would another snapshot have it
            return self._start_over(None, why="the best price has left what the snapshot proved")
        return (Audited(result), *self._start_over(None, why="it differed from the venue's best prices"))

    def _start_over(
        self,
        error: BookError | MalformedMessageError | None,
        diff: AnyDiff | None = None,
        *,
        why: str = "",
        failures: int = 0,
    ) -> Outcomes:
        # The book stays as it is, for people to look at; a new one is built aside.
        self.start_buffering(None)
        self._enter(SyncPhase.FETCHING)
        self._error = error
        self._setback = why if error is None else str(error)
        self._failures = failures
        self.gaps += error is not None
        if diff is not None:
            self.keep(diff)
        return self._fetch(urgent=True)

    def _fetch(self, *, urgent: bool, is_probe: bool = False) -> Outcomes:
        if self.phase is SyncPhase.FETCHING:  # the other phases are not prolonged by asking again
            self._entered_s = self._now_s
        self._fetching = True
        self._fetch_number += 1
        self._asked_s = self._now_s
        self._is_urgent, self._is_probe = urgent, is_probe
        return (FetchSnapshot(self._fetch_number, self._failures, urgent, is_probe),)

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
