"""Keeping a book in step with the venue: the one place for sequence rules. No I/O, no clock: time is an argument.

The table below is the whole machine. An input (a diff, a snapshot, a tick of the clock ...) is looked up under the
present phase; the first row whose guard holds gives the next phase and the function that does the work. Every phase
waits for something, and has a row for the case that its time is up. What the caller must do, and what it should know,
comes back as a tuple of outcomes: usually the empty one.

The caller must

* call `stream_asked` when it asks for the stream of diffs, `stream_opened` when it is open, `stream_lost` when it ends;
* pass every diff, in the order of arrival; none may be dropped;
* on `FetchSnapshot`, fetch one, giving up any fetch before it, and answer with `snapshot` or `snapshot_failed` and the
  number that came with it;
* on `ReconnectStream`, close the stream and open it again;
* call `tick` about twice a second.

`book` is the last known book. Only while `state` is LIVE does it equal the exchange's, which is proved by diffs that
follow one another, or, where none come, by snapshots that agree. Silence alone proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import AnyDiff, BestPrices, Snapshot
from depthgui.book.order_book import OrderBook
from depthgui.book.outcomes import Audited, FetchSnapshot, Outcome, Outcomes, ReconnectStream, StateChanged, SyncState
from depthgui.book.phases import SyncInput, SyncPhase
from depthgui.book.sync_limits import SyncLimits
from depthgui.book.sync_steps import NOTHING, SyncSteps

__all__ = [
    "SILENCE",
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
    "SyncPhase",
    "SyncState",
    "Transition",
]

SILENCE = "silence"
"""The time limit of a live book: from silent_min_s to silent_max_s, by the symbol's pace (`book.silence`)."""


Guard = Callable[[Any, Any], bool]
Action = Callable[[Any, Any], Outcomes]


class Transition(NamedTuple):
    """One row of the table: in `phase`, `input` with `guard` leads to `next` through `action`.

    `deadline` names the time limit after which a row for "time is up" is taken: a field of SyncLimits, or SILENCE.
    """

    phase: SyncPhase
    input: SyncInput
    guard: Guard | None
    next: SyncPhase
    action: Action | None
    text: str
    deadline: str | None = None


class BookSync(SyncSteps):
    """The machine of one symbol. Not thread-safe."""

    # Inputs

    def stream_asked(self, now_s: float) -> None:
        """The stream of diffs is asked for: from now on it has its time to open."""
        self._entered_s = now_s

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
            return NOTHING
        self._fetching = False
        try:
            base = OrderBook.from_snapshot(self.symbol, snapshot)
        except MalformedMessageError as error:
            self._error = error
            return self._fail(now_s)
        return self._handle(SyncInput.SNAPSHOT, base, now_s)

    def snapshot_failed(self, number: int, now_s: float) -> Outcomes:
        """The snapshot that was asked for with `number` could not be had."""
        if not self._fetching or number != self._fetch_number:
            return NOTHING
        self._fetching = False
        return self._fail(now_s)

    def refresh_due(self, now_s: float) -> Outcomes:
        """Time to compare the live book with a fresh snapshot."""
        return self._handle(SyncInput.REFRESH_DUE, None, now_s)

    def resync(self, now_s: float) -> Outcomes:
        """Build the book anew, on somebody's wish."""
        return self._handle(SyncInput.RESYNC, None, now_s)

    def tick(self, now_s: float) -> Outcomes:
        """Half a second or so has passed."""
        self._silence.measure(now_s)
        if self._entered_s == math.inf:
            self._entered_s = now_s
        before = self.phase
        outcomes = self._handle(SyncInput.TIME_IS_UP, None, now_s)
        return outcomes if outcomes or self.phase is not before else self._handle(SyncInput.TICK, None, now_s)

    def best_prices(self, best: BestPrices, now_s: float) -> Outcomes:
        """A bookTicker arrived: compare it at once if the ids are equal, keep it if the book has yet to get there."""
        book = self.book if self.state is SyncState.LIVE else None
        if book is None or best.update_id > book.last_update_id:
            self._tickers.add(best)
            self._note_moved(best, now_s)
            return NOTHING
        if best.update_id < book.last_update_id:
            return NOTHING
        self._now_s = now_s
        return self._with_change(SyncState.LIVE, self._compare(book, best))

    def trade(self, now_s: float) -> None:
        """A trade on the market arrived: the book must have changed, so that a diff has to follow."""
        if self._traded_s is None:
            self._traded_s = now_s

    # The machine

    def _handle(self, kind: SyncInput, value: Any, now_s: float) -> Outcomes:
        self._now_s = now_s
        before = self.state
        for row in _ROWS.get((self.phase, kind), ()):
            if row.deadline is not None and not self._is_over(row.deadline):
                continue
            if row.guard is None or row.guard(self, value):
                if row.next is not self.phase:
                    self._enter(row.next)
                outcomes = NOTHING if row.action is None else row.action(self, value)
                return self._with_change(before, outcomes)
        return NOTHING

    def _is_over(self, deadline: str) -> bool:
        if deadline == SILENCE:
            return self._silence.is_too_long(self._now_s)
        allowed_s: float = getattr(self.limits, deadline)
        return self._now_s - self._entered_s >= allowed_s

    def _with_change(self, before: SyncState, outcomes: Outcomes) -> Outcomes:
        if self.state is before and self._error is None:
            return outcomes
        changed = StateChanged(before, self.state, self._error)
        self._error = None
        return (changed, *outcomes)

    def _fail(self, now_s: float) -> Outcomes:
        self._failures += 1
        return self._handle(SyncInput.SNAPSHOT_FAILED, None, now_s)


_P = SyncPhase
_I = SyncInput
_S = SyncSteps

_HELD = (_P.HOLDING, _P.PROVING, _P.OWED, _P.RENEWING)
_KEEPING = (_P.FETCHING, *_HELD)
_BUFFERING = (_P.LISTENING, *_KEEPING)
_ORDERED = (_P.FETCHING, _P.PROVING)
_SILENT = (_P.HOLDING, _P.PROVING, _P.OWED)
_EVEN = (_P.LIVE, _P.AUDITING)
_LIVE = (*_EVEN, _P.AUDIT_HELD)
_STALE = (_P.ASKING, _P.STALE_OWED, _P.STALE_RENEWING)


def _rows(
    phases: SyncPhase | tuple[SyncPhase, ...],
    kind: SyncInput,
    guard: Guard | None,
    following: SyncPhase | None,
    action: Action | None,
    text: str,
    deadline: str | None = None,
) -> tuple[Transition, ...]:
    """One row for each of `phases`; `following` is the next phase, None to stay."""
    each = phases if isinstance(phases, tuple) else (phases,)
    return tuple(Transition(phase, kind, guard, following or phase, action, text, deadline) for phase in each)


# Rows of one (phase, input) are tried from top to bottom. An action may lead elsewhere when the book turns out wrong
# (crossed, a gap inside the buffer, an audit that differs): always to FETCHING, through `SyncSteps._start_over`.
TABLE: tuple[Transition, ...] = (
    # No stream
    *_rows(_P.DISCONNECTED, _I.STREAM_OPENED, None, _P.LISTENING, _S.open, "keep every diff from now on"),
    *_rows(_P.DISCONNECTED, _I.TIME_IS_UP, None, None, _S.ask_for_stream, "not opened: ask for it again", "open_s"),
    # A book is being built
    *_rows(_KEEPING, _I.DIFF, _S.is_repeated, None, None, "seen before: ignore"),
    *_rows(_KEEPING, _I.DIFF, _S.breaks_buffer, _P.FETCHING, _S.keep_after_hole, "a hole: forget what was before it"),
    *_rows(_P.LISTENING, _I.DIFF, None, _P.FETCHING, _S.keep_and_fetch, "the first: keep it, fetch a snapshot"),
    *_rows(_P.FETCHING, _I.DIFF, None, None, _S.keep, "keep it"),
    *_rows(_HELD, _I.DIFF, _S.passes_held, _P.LIVE, _S.keep_and_join, "reaches the snapshot: join them"),
    *_rows(_HELD, _I.DIFF, None, None, _S.keep, "keep it"),
    *_rows(_P.LISTENING, _I.TIME_IS_UP, None, _P.FETCHING, _S.fetch_anew, "no diff: fetch", "quiet_grace_s"),
    *_rows(_ORDERED, _I.SNAPSHOT, _S.is_behind_buffer, None, _S.fetch_newer, "too old: fetch again"),
    *_rows(_P.FETCHING, _I.SNAPSHOT, _S.is_ahead_of_buffer, _P.HOLDING, _S.hold, "too new: wait for diffs"),
    *_rows(_P.FETCHING, _I.SNAPSHOT, None, _P.LIVE, _S.join, "bridges: build the book aside, swap it in"),
    *_rows(_ORDERED, _I.SNAPSHOT_FAILED, None, None, _S.fetch_again, "fetch again"),
    *_rows(_ORDERED, _I.TIME_IS_UP, None, _P.FETCHING, _S.fetch_anew, "no answer: fetch again", "answer_s"),
    # No diff comes: is the symbol quiet, or the stream dead?
    *_rows(_SILENT, _I.TICK, _S.has_moved_on, _P.RENEWING, _S.renew, "best prices are newer: subscribe again"),
    *_rows(_P.HOLDING, _I.TIME_IS_UP, _S.no_diff_comes, _P.PROVING, _S.probe, "no diff: fetch a second one", "prove_s"),
    *_rows(_P.HOLDING, _I.TIME_IS_UP, None, _P.FETCHING, _S.fetch_anew, "never reached: fetch again", "buffer_s"),
    *_rows(_P.PROVING, _I.SNAPSHOT, _S.bridges_buffer, _P.LIVE, _S.join, "diffs have come, and it bridges: join"),
    *_rows(_P.PROVING, _I.SNAPSHOT, _S.is_older_than_held, None, _S.fetch_newer, "too old: fetch again"),
    *_rows(_P.PROVING, _I.SNAPSHOT, _S.agrees_with_held, _P.LIVE, _S.join_quiet, "they agree: quiet"),
    *_rows(_P.PROVING, _I.SNAPSHOT, _S.has_diffs, _P.HOLDING, _S.hold, "diffs have come: wait until they reach it"),
    *_rows(_P.PROVING, _I.SNAPSHOT, None, _P.OWED, _S.hold, "they differ: the stream owes us diffs"),
    *_rows(_P.OWED, _I.TIME_IS_UP, None, _P.RENEWING, _S.renew, "dead: subscribe again", "owed_s"),
    *_rows(_P.RENEWING, _I.TIME_IS_UP, None, None, _S.renew, "still dead: subscribe again", "renew_s"),
    # Live
    *_rows(_P.LIVE, _I.DIFF, _S.is_in_sequence, None, _S.apply, "in sequence: apply"),
    *_rows(_P.AUDIT_HELD, _I.DIFF, _S.continues_to_held, _P.LIVE, _S.apply_and_audit, "reaches the snapshot: compare"),
    *_rows((_P.AUDITING, _P.AUDIT_HELD), _I.DIFF, _S.is_in_sequence, None, _S.apply_and_keep, "in sequence: apply"),
    *_rows(_LIVE, _I.DIFF, _S.is_old, None, None, "old: ignore"),
    *_rows(_LIVE, _I.DIFF, None, _P.FETCHING, _S.find_gap, "gap: keep it, fetch; the book stays as stale"),
    *_rows(_P.LIVE, _I.TIME_IS_UP, _S.is_known_quiet, _P.AUDITING, _S.begin_probe, "quiet again: fetch", SILENCE),
    *_rows(_P.LIVE, _I.TIME_IS_UP, None, _P.ASKING, _S.ask, "silent for too long: fetch, to learn why", SILENCE),
    *_rows(_EVEN, _I.TICK, _S.best_prices_differ, _P.STALE_RENEWING, _S.renew, "best prices differ: subscribe again"),
    *_rows(_EVEN, _I.TICK, _S.has_moved_on, _P.ASKING, _S.ask, "best prices are newer: fetch"),
    *_rows(_P.LIVE, _I.TICK, _S.is_trade_unexplained, _P.AUDITING, _S.begin_probe, "a trade without a diff: fetch"),
    *_rows(_P.LIVE, _I.TICK, _S.is_near_edge, _P.AUDITING, _S.begin_refresh, "touch near the end of coverage: fetch"),
    *_rows(_LIVE, _I.TICK, None, None, _S.watch_width, "drop far levels"),
    *_rows(_P.LIVE, _I.REFRESH_DUE, None, _P.AUDITING, _S.begin_refresh, "fetch in the background"),
    *_rows(_P.AUDITING, _I.SNAPSHOT, _S.is_behind_book, None, _S.fetch_newer, "too old: fetch again"),
    *_rows(_P.AUDITING, _I.SNAPSHOT, _S.probe_proves_quiet, _P.LIVE, _S.confirm_quiet, "nothing has changed: quiet"),
    *_rows(_P.AUDITING, _I.SNAPSHOT, _S.is_ahead_of_book, _P.AUDIT_HELD, _S.hold, "too new: wait for diffs"),
    *_rows(_P.AUDITING, _I.SNAPSHOT, None, _P.LIVE, _S.audit, "build a shadow book, compare, report"),
    *_rows(_P.AUDITING, _I.SNAPSHOT_FAILED, _S.is_silent, _P.ASKING, _S.ask, "and silent: ask again"),
    *_rows(_P.AUDITING, _I.SNAPSHOT_FAILED, None, _P.LIVE, _S.end_refresh, "leave it until the next refresh"),
    *_rows(_P.AUDITING, _I.TIME_IS_UP, _S.is_silent, _P.ASKING, _S.ask, "no answer, and silent: ask again", "ask_s"),
    *_rows(_P.AUDITING, _I.TIME_IS_UP, None, _P.LIVE, _S.end_refresh, "no answer: leave it", "answer_s"),
    *_rows(_P.AUDIT_HELD, _I.TIME_IS_UP, _S.held_agrees, _P.LIVE, _S.confirm_held, "same levels: quiet", "owed_s"),
    *_rows(_P.AUDIT_HELD, _I.TIME_IS_UP, _S.diffs_are_owed, _P.STALE_RENEWING, _S.renew, "dead: again", "owed_s"),
    *_rows(_P.AUDIT_HELD, _I.TIME_IS_UP, None, _P.LIVE, _S.end_refresh, "never reached: leave it", "buffer_s"),
    # Stale
    *_rows(_P.STALE_OWED, _I.DIFF, _S.continues_to_held, _P.LIVE, _S.apply_and_audit, "it was only late: compare"),
    *_rows(_P.STALE_OWED, _I.DIFF, _S.is_in_sequence, _P.AUDIT_HELD, _S.apply_and_keep, "they come: it was only late"),
    *_rows(
        (_P.ASKING, _P.STALE_RENEWING), _I.DIFF, _S.is_in_sequence, _P.LIVE, _S.resume, "in sequence: it was only late"
    ),
    *_rows(_STALE, _I.DIFF, _S.is_old, None, None, "old: ignore"),
    *_rows(_STALE, _I.DIFF, None, _P.FETCHING, _S.find_gap, "gap: keep it, fetch"),
    *_rows(_P.ASKING, _I.SNAPSHOT, _S.is_overtaken, None, _S.fetch_newer, "older than the book: fetch again"),
    *_rows(_P.ASKING, _I.SNAPSHOT, _S.is_quiet_proven, _P.LIVE, _S.confirm_quiet, "nothing has changed: quiet"),
    *_rows(_P.ASKING, _I.SNAPSHOT, _S.is_at_book, _P.FETCHING, _S.audit, "another book at the same id: build anew"),
    *_rows(_P.ASKING, _I.SNAPSHOT, None, _P.STALE_OWED, _S.hold, "it has changed: the stream owes us diffs"),
    *_rows(_P.ASKING, _I.SNAPSHOT_FAILED, None, None, _S.fetch_again, "ask again"),
    *_rows(_P.ASKING, _I.TIME_IS_UP, None, _P.STALE_RENEWING, _S.renew, "nothing answers: subscribe again", "ask_s"),
    *_rows(_P.STALE_OWED, _I.TIME_IS_UP, None, _P.STALE_RENEWING, _S.renew, "dead: subscribe again", "owed_s"),
    *_rows(_P.STALE_RENEWING, _I.TIME_IS_UP, None, None, _S.renew, "still dead: subscribe again", "renew_s"),
    # Whatever the phase
    *_rows((*_LIVE, *_STALE), _I.RESYNC, None, _P.FETCHING, _S.restart, "on wish: build anew"),
    *_rows(
        (*_BUFFERING, *_LIVE, *_STALE),
        _I.STREAM_LOST,
        None,
        _P.DISCONNECTED,
        _S.start_buffering,
        "the book stays as stale",
    ),
)

_ROWS: dict[tuple[SyncPhase, SyncInput], tuple[Transition, ...]] = {
    key: tuple(row for row in TABLE if (row.phase, row.input) == key)
    for key in {(row.phase, row.input) for row in TABLE}
}
