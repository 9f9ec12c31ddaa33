"""The sync machine: one test for each row of its table, then the rules that span several rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise

import pytest
from unit.book.making import best, diff, levels, snapshot

from depthgui.book import sync as sync_module
from depthgui.book.errors import CrossedBookError, GapError, MalformedMessageError
from depthgui.book.messages import Diff, Snapshot
from depthgui.book.sequence import DerivativeRules, SpotRules
from depthgui.book.sync import (
    SILENCE,
    TABLE,
    Audited,
    BookSync,
    FetchSnapshot,
    Outcome,
    Outcomes,
    ReconnectStream,
    StateChanged,
    SyncInput,
    SyncLimits,
    SyncPhase,
    SyncState,
    Transition,
)

DISCONNECTED, BUFFERING, LIVE, STALE = SyncState
P, In = SyncPhase, SyncInput
RowKey = tuple[SyncPhase, SyncInput, str]


class Driver:
    """The caller: keeps the clock, what came back, and answers with the number that was asked with."""

    def __init__(self, rules: SpotRules | DerivativeRules | None = None, limits: SyncLimits | None = None) -> None:
        self.sync = BookSync("TEST", rules or SpotRules(), limits)
        self.now_s = 1000.0
        self.got: list[Outcome] = []
        self.number = 0

    def note(self, outcomes: Outcomes) -> Outcomes:
        self.got.extend(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, FetchSnapshot):
                self.number = outcome.number
        return outcomes

    def open(self) -> Outcomes:
        return self.note(self.sync.stream_opened(self.now_s))

    def lose(self) -> Outcomes:
        return self.note(self.sync.stream_lost(self.now_s))

    def diff(self, *args: int | str, **kwargs: int) -> Outcomes:
        return self.note(self.sync.diff(diff(*args, **kwargs), self.now_s))  # type: ignore[arg-type]

    def raw_diff(self, message: Diff) -> Outcomes:
        return self.note(self.sync.diff(message, self.now_s))

    def answer(self, message: Snapshot, number: int | None = None) -> Outcomes:
        return self.note(self.sync.snapshot(message, self.number if number is None else number, self.now_s))

    def fail(self, number: int | None = None) -> Outcomes:
        return self.note(self.sync.snapshot_failed(self.number if number is None else number, self.now_s))

    def tick(self, after_s: float = 1.0) -> Outcomes:
        self.now_s += after_s
        return self.note(self.sync.tick(self.now_s))

    def refresh(self) -> Outcomes:
        return self.note(self.sync.refresh_due(self.now_s))

    def resync(self) -> Outcomes:
        return self.note(self.sync.resync(self.now_s))

    def ticker(self, *args: int | str) -> Outcomes:
        return self.note(self.sync.best_prices(best(*args), self.now_s))  # type: ignore[arg-type]

    @property
    def state(self) -> SyncState:
        return self.sync.state

    @property
    def bids(self) -> list[tuple[str, str]]:
        assert self.sync.book is not None
        return self.sync.book.bids.levels()


def fetches(outcomes: Outcomes) -> list[FetchSnapshot]:
    return [outcome for outcome in outcomes if isinstance(outcome, FetchSnapshot)]


def changes(outcomes: Outcomes) -> list[tuple[SyncState, SyncState]]:
    return [(outcome.before, outcome.after) for outcome in outcomes if isinstance(outcome, StateChanged)]


def audits(outcomes: Outcomes) -> list[bool]:
    return [outcome.result.agrees for outcome in outcomes if isinstance(outcome, Audited)]


def live(rules: SpotRules | DerivativeRules | None = None, limits: SyncLimits | None = None) -> Driver:
    """A live book at id 105: bids 100.0x1 99.0x2, ask 101.0x1."""
    driver = Driver(rules, limits)
    driver.open()
    driver.diff(101, 103, pu=98)
    driver.answer(snapshot(102, "100.0x1"))
    driver.diff(104, 105, "99.0x2", pu=103)
    assert driver.state is LIVE
    driver.got.clear()
    return driver


def stale(rules: SpotRules | DerivativeRules | None = None, limits: SyncLimits | None = None) -> Driver:
    """The same after a minute of silence, with a snapshot asked for."""
    driver = live(rules, limits)
    driver.tick(60.0)
    assert driver.state is STALE
    driver.got.clear()
    return driver


# A driver in each phase of the machine.


def in_phase(phase: SyncPhase, rules: SpotRules | DerivativeRules | None = None) -> Driver:
    """The machine in `phase`, by the shortest way; where there is a book it is that of `live`."""
    driver = Driver(rules) if phase.state in {DISCONNECTED, BUFFERING} else live(rules)
    for step in _STEPS[phase]:
        step(driver)
    assert driver.sync.phase is phase
    driver.got.clear()
    return driver


_OPEN: tuple[Callable[[Driver], object], ...] = (lambda driver: driver.open(),)
_HOLD = (*_OPEN, lambda driver: driver.tick(1.5), lambda driver: driver.answer(snapshot(103)))
_PROVE = (*_HOLD, lambda driver: driver.tick(2.0))
_OWE = (*_PROVE, lambda driver: driver.answer(snapshot(104, "99.0x1")))
_ASK: tuple[Callable[[Driver], object], ...] = (lambda driver: driver.tick(60.0),)
_AUDIT: tuple[Callable[[Driver], object], ...] = (lambda driver: driver.refresh(),)
_STALE_OWE = (*_ASK, lambda driver: driver.answer(snapshot(107, "99.0x1")))
_STEPS: dict[SyncPhase, tuple[Callable[[Driver], object], ...]] = {
    P.DISCONNECTED: (),
    P.LISTENING: _OPEN,
    P.FETCHING: (*_OPEN, lambda driver: driver.diff(101, 103, pu=98)),
    P.HOLDING: _HOLD,
    P.PROVING: _PROVE,
    P.OWED: _OWE,
    P.RENEWING: (*_OWE, lambda driver: driver.tick(1.2)),
    P.LIVE: (),
    P.AUDITING: _AUDIT,
    P.AUDIT_HELD: (*_AUDIT, lambda driver: driver.answer(snapshot(107, "100.0x1 99.0x2 97.0x1"))),
    P.ASKING: _ASK,
    P.STALE_OWED: _STALE_OWE,
    P.STALE_RENEWING: (*_STALE_OWE, lambda driver: driver.tick(1.2)),
}
ALL_KEEPING = (P.FETCHING, P.HOLDING, P.PROVING, P.OWED, P.RENEWING)
ALL_BUFFERING = (P.LISTENING, *ALL_KEEPING)
ALL_LIVE = (P.LIVE, P.AUDITING, P.AUDIT_HELD)
ALL_STALE = (P.ASKING, P.STALE_OWED, P.STALE_RENEWING)
ALL_HELD = (P.HOLDING, P.PROVING, P.OWED, P.RENEWING)


# One scenario for each row: it ends with the input that the row is for, and says what must be true after it.

Scenario = Callable[[SyncPhase], None]
SCENARIOS: dict[RowKey, Scenario] = {}


def row(phases: SyncPhase | tuple[SyncPhase, ...], kind: SyncInput, text: str) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        for phase in phases if isinstance(phases, tuple) else (phases,):
            SCENARIOS[phase, kind, text] = scenario
        return scenario

    return register


@row(P.DISCONNECTED, In.STREAM_OPENED, "keep every diff from now on")
def _open(_: SyncPhase) -> None:
    driver = Driver()
    assert changes(driver.open()) == [(DISCONNECTED, BUFFERING)]
    assert driver.sync.book is None


@row(P.DISCONNECTED, In.TIME_IS_UP, "not opened: ask for it again")
def _not_opened(_: SyncPhase) -> None:
    driver = Driver()
    driver.sync.stream_asked(driver.now_s)
    assert driver.tick(29.0) == ()
    assert [type(outcome) for outcome in driver.tick(1.0)] == [ReconnectStream]
    assert driver.tick(29.0) == ()
    assert [type(outcome) for outcome in driver.tick(1.0)] == [ReconnectStream]


@row(ALL_KEEPING, In.DIFF, "seen before: ignore")
def _repeated_in_buffer(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    driver.diff(101, 103)
    buffered = driver.sync.buffered
    assert driver.diff(101, 103) == ()
    assert driver.diff(101, 103, at=9_999) == ()  # sent again, with the time of the second sending
    assert driver.sync.buffered == buffered == 1


@row(ALL_KEEPING, In.DIFF, "a hole: forget what was before it")
def _hole_in_buffer(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    driver.diff(101, 102) if phase is not P.FETCHING else None
    outcomes = driver.diff(107, 108)
    assert [fetch.failures for fetch in fetches(outcomes)] == [0]
    assert (driver.sync.buffered, driver.sync.gaps) == (1, 1)
    assert driver.sync.phase is P.FETCHING


@row(P.LISTENING, In.DIFF, "the first: keep it, fetch a snapshot")
@row(P.FETCHING, In.DIFF, "keep it")
def _first_diff(_: SyncPhase) -> None:
    driver = Driver()
    driver.open()
    assert driver.diff(101, 103) == (FetchSnapshot(1, 0, urgent=True),)
    assert driver.diff(104, 105) == ()
    assert driver.sync.buffered == 2


@row(ALL_HELD, In.DIFF, "reaches the snapshot: join them")
def _reaches_held(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    driver.diff(101, 103)
    assert driver.state is BUFFERING
    assert changes(driver.diff(104, 105, "98.0x2")) == [(BUFFERING, LIVE)]
    assert ("98.0", "2") in driver.bids


@row(ALL_HELD, In.DIFF, "keep it")
def _does_not_reach_held(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    assert driver.diff(101, 103) == ()
    assert driver.sync.phase is phase
    assert driver.sync.buffered == 1


@row(P.LISTENING, In.TIME_IS_UP, "no diff: fetch")
def _no_first_diff(_: SyncPhase) -> None:
    driver = Driver()
    driver.open()
    assert driver.tick(1.4) == ()
    assert driver.tick(0.1) == (FetchSnapshot(1, 0, urgent=True),)


@row((P.FETCHING, P.PROVING), In.SNAPSHOT, "too old: fetch again")
def _snapshot_behind(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    if phase is P.PROVING:
        assert [fetch.failures for fetch in fetches(driver.answer(snapshot(102)))] == [1]
        assert driver.sync.phase is phase
        driver.diff(102, 103)
    assert [fetch.urgent for fetch in fetches(driver.answer(snapshot(99)))] == [True]
    assert driver.sync.buffered == 1
    assert driver.sync.phase is phase
    assert "(id 99)" in driver.sync.waiting_for
    driver.answer(snapshot(103))
    driver.diff(104, 104)
    assert driver.state is LIVE


@row(P.FETCHING, In.SNAPSHOT, "too new: wait for diffs")
def _snapshot_ahead(_: SyncPhase) -> None:
    driver = in_phase(P.FETCHING)
    assert driver.answer(snapshot(104)) == ()
    assert driver.sync.phase is P.HOLDING
    assert "id 104; the stream is at id 103" in driver.sync.waiting_for
    driver.diff(104, 104, "90.0x1")
    assert driver.state is BUFFERING  # still nothing that the snapshot lacks
    assert changes(driver.diff(105, 106, "91.0x1")) == [(BUFFERING, LIVE)]
    assert driver.bids == levels("100.0x1 91.0x1")


@row(P.FETCHING, In.SNAPSHOT, "bridges: build the book aside, swap it in")
def _snapshot_bridges(_: SyncPhase) -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103, "99.0x9")
    driver.diff(104, 105, "98.0x2")
    assert changes(driver.answer(snapshot(103, "100.0x1"))) == [(BUFFERING, LIVE)]
    assert driver.bids == levels("100.0x1 98.0x2")  # 101-103 is in the snapshot already
    assert driver.sync.buffered == 0


@row((P.FETCHING, P.PROVING), In.SNAPSHOT_FAILED, "fetch again")
def _snapshot_failed(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    assert [fetch.failures for fetch in fetches(driver.fail())] == [1]
    assert [fetch.failures for fetch in fetches(driver.fail())] == [2]
    assert driver.sync.phase is phase


@row((P.FETCHING, P.PROVING), In.TIME_IS_UP, "no answer: fetch again")
def _no_answer(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    assert driver.tick(59.0) == ()
    for _ in range(2):
        assert len(fetches(driver.tick(1.0))) == 1
        assert driver.sync.phase is P.FETCHING
        assert driver.tick(59.0) == ()


@row((P.HOLDING, P.PROVING, P.OWED), In.TICK, "best prices are newer: subscribe again")
def _best_prices_move_on_before_it_was_live(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    driver.now_s -= 0.5 if phase is P.OWED else 0.0  # or the snapshot that waits says it first
    driver.ticker(110, "98.0x1", "102.0x1")
    driver.now_s += 0.5 if phase is P.OWED else 0.0
    outcomes = [outcome for _ in range(3) for outcome in driver.tick(0.4)]
    assert ReconnectStream in map(type, outcomes)
    assert driver.sync.phase is P.RENEWING


@row(P.HOLDING, In.TIME_IS_UP, "no diff: fetch a second one")
def _second_snapshot(_: SyncPhase) -> None:
    driver = in_phase(P.HOLDING)
    assert driver.tick(1.9) == ()
    (fetch,) = driver.tick(0.1)
    assert isinstance(fetch, FetchSnapshot)
    assert fetch.is_probe
    assert driver.state is BUFFERING


@row(P.HOLDING, In.TIME_IS_UP, "never reached: fetch again")
def _held_in_vain(_: SyncPhase) -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(900_000))
    for second in range(89):
        driver.diff(102 + second, 102 + second)
        assert driver.tick() == ()
    driver.diff(191, 191)
    assert driver.tick() == (FetchSnapshot(2, 0, urgent=True),)
    driver.answer(snapshot(190))
    assert driver.state is LIVE


@row(P.PROVING, In.SNAPSHOT, "they agree: quiet")
def _two_agree(_: SyncPhase) -> None:
    driver = in_phase(P.PROVING)
    assert changes(driver.answer(snapshot(103))) == [(BUFFERING, LIVE)]
    derivative = in_phase(P.PROVING, DerivativeRules())
    assert changes(derivative.answer(snapshot(900))) == [(BUFFERING, LIVE)]  # other symbols moved the id
    assert derivative.sync.book is not None
    assert derivative.sync.book.last_update_id == 900


@row(P.PROVING, In.SNAPSHOT, "diffs have come, and it bridges: join")
def _second_one_bridges(_: SyncPhase) -> None:
    driver = in_phase(P.PROVING)
    driver.diff(1, 3)  # the venue began to count anew: these never reach the snapshot that waits
    assert changes(driver.answer(snapshot(2, "97.0x1"))) == [(BUFFERING, LIVE)]
    assert driver.bids == levels("97.0x1")


@row(P.PROVING, In.SNAPSHOT, "diffs have come: wait until they reach it")
def _diffs_came_meanwhile(_: SyncPhase) -> None:
    driver = in_phase(P.PROVING)
    driver.diff(101, 103)
    driver.answer(snapshot(106, "99.0x1"))
    assert driver.sync.phase is P.HOLDING
    driver.diff(104, 107)
    assert driver.state is LIVE


@row(P.PROVING, In.SNAPSHOT, "they differ: the stream owes us diffs")
def _two_differ(_: SyncPhase) -> None:
    driver = in_phase(P.PROVING)
    driver.answer(snapshot(104))  # the id alone tells: it is this symbol's own
    assert driver.sync.phase is P.OWED
    derivative = in_phase(P.PROVING, DerivativeRules())
    derivative.answer(snapshot(900, "100.0x2"))
    assert derivative.sync.phase is P.OWED


@row(P.OWED, In.TIME_IS_UP, "dead: subscribe again")
def _owed(_: SyncPhase) -> None:
    driver = in_phase(P.OWED)
    assert driver.tick(1.0) == ()  # a diff may take the stream's interval and a second
    assert [type(outcome) for outcome in driver.tick(0.1)] == [ReconnectStream]
    assert driver.state is BUFFERING


@row(P.RENEWING, In.TIME_IS_UP, "still dead: subscribe again")
@row(P.STALE_RENEWING, In.TIME_IS_UP, "still dead: subscribe again")
def _still_dead(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    for _ in range(3):
        assert driver.tick(4.9) == ()
        assert [type(outcome) for outcome in driver.tick(0.1)] == [ReconnectStream]


@row(P.LIVE, In.DIFF, "in sequence: apply")
@row((P.AUDITING, P.AUDIT_HELD), In.DIFF, "in sequence: apply")
def _in_sequence(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    assert driver.diff(106, 106, "99.0x0 98.0x3") == ()
    assert driver.bids == levels("100.0x1 98.0x3")


@row(P.AUDIT_HELD, In.DIFF, "reaches the snapshot: compare")
def _reaches_the_audit(_: SyncPhase) -> None:
    driver = in_phase(P.AUDIT_HELD)
    assert audits(driver.diff(106, 107, "97.0x1")) == [True]
    assert driver.sync.phase is P.LIVE


@row(ALL_LIVE, In.DIFF, "old: ignore")
@row(ALL_STALE, In.DIFF, "old: ignore")
def _old_while_live(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    assert driver.diff(104, 105, "99.0x777") == ()
    assert driver.diff(104, 105, "99.0x777", at=9_999) == ()  # sent again, with the time of the second sending
    assert driver.bids == levels("100.0x1 99.0x2")
    assert driver.sync.phase is phase


@row(ALL_LIVE, In.DIFF, "gap: keep it, fetch; the book stays as stale")
@row(ALL_STALE, In.DIFF, "gap: keep it, fetch")
def _gap(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    outcomes = driver.diff(107, 108, "50.0x1")
    change = outcomes[0]
    assert isinstance(change, StateChanged)
    assert (change.before, change.after) == (phase.state, BUFFERING)
    assert isinstance(change.error, GapError)
    assert (change.error.book_id, change.error.first_id, change.error.last_id) == (105, 107, 108)
    assert [fetch.failures for fetch in fetches(outcomes)] == [0]
    assert driver.bids == levels("100.0x1 99.0x2")
    assert (driver.sync.gaps, driver.sync.buffered) == (1, 1)
    driver.answer(snapshot(106, "97.0x1"))
    assert driver.state is LIVE
    assert driver.bids == levels("97.0x1 50.0x1")
    assert driver.sync.resyncs == 1


@row(P.LIVE, In.TIME_IS_UP, "silent for too long: fetch, to learn why")
def _silent(_: SyncPhase) -> None:
    driver = live()
    assert driver.tick(59.0) == ()
    outcomes = driver.tick(1.0)
    assert changes(outcomes) == [(LIVE, STALE)]
    assert [(fetch.urgent, fetch.is_probe) for fetch in fetches(outcomes)] == [(True, True)]


@row(P.LIVE, In.TIME_IS_UP, "quiet again: fetch")
def _quiet_again(_: SyncPhase) -> None:
    driver = live()
    driver.tick(60.0)
    driver.answer(snapshot(105, "100.0x1 99.0x2"))
    assert driver.tick(59.0) == ()
    outcomes = driver.tick(1.0)
    assert changes(outcomes) == []  # its silence was proved before: the next proof is fetched in the background
    assert [(fetch.urgent, fetch.is_probe) for fetch in fetches(outcomes)] == [(False, True)]


def with_newer_best_prices(phase: SyncPhase, bid: str) -> Outcomes:
    """What is done 1.2 s after a best price that the book has not reached."""
    driver = live()
    driver.ticker(110, bid, "101.0x1")
    driver.now_s += 0.6
    for step in _STEPS[phase]:
        step(driver)
    assert driver.sync.phase is phase
    return driver.tick(0.6)


@row((P.LIVE, P.AUDITING), In.TICK, "best prices differ: subscribe again")
def _best_prices_differ(phase: SyncPhase) -> None:
    outcomes = with_newer_best_prices(phase, "98.0x1")
    assert changes(outcomes) == [(LIVE, STALE)]
    assert ReconnectStream in map(type, outcomes)


@row((P.LIVE, P.AUDITING), In.TICK, "best prices are newer: fetch")
def _best_prices_newer(phase: SyncPhase) -> None:
    outcomes = with_newer_best_prices(phase, "100.0x1")
    assert changes(outcomes) == [(LIVE, STALE)]
    assert [fetch.is_probe for fetch in fetches(outcomes)] == [True]


def test_best_prices_that_lead_a_stream_of_diffs_are_no_contradiction() -> None:
    driver = live()
    for update_id in range(106, 200):
        driver.ticker(update_id + 50, "98.0x1", "102.0x1")  # half a minute ahead
        driver.diff(update_id, update_id)
        assert changes(driver.tick(0.5)) == []


@row(P.LIVE, In.TICK, "a trade without a diff: fetch")
def _trade_without_a_diff(_: SyncPhase) -> None:
    driver = live()
    driver.sync.trade(driver.now_s)
    driver.diff(106, 106)
    assert driver.tick(2.0) == ()  # a diff has followed
    driver.sync.trade(driver.now_s)
    assert driver.tick(1.0) == ()
    outcomes = driver.tick(0.1)
    assert changes(outcomes) == []
    assert [(fetch.urgent, fetch.is_probe) for fetch in fetches(outcomes)] == [(False, True)]
    driver.answer(snapshot(107, "100.0x1"))
    driver.tick(0.5)
    driver.tick(0.5)
    assert changes(driver.tick(0.1)) == [(LIVE, STALE)]


@row(P.LIVE, In.TICK, "touch near the end of coverage: fetch")
def _near_edge(_: SyncPhase) -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(100, "100.0x1 99.0x1 90.0x1", "101.0x1 102.0x1 111.0x1", limit=3))
    driver.now_s += 8.0
    driver.diff(102, 102, "105.0x1", "101.0x0 102.0x0 108.0x1")
    assert driver.tick(2.0) == ()  # 3 of 10 left
    driver.diff(103, 103, "", "108.0x0 109.0x1")
    assert driver.tick(1.0) == (FetchSnapshot(2, 0, urgent=False),)  # 2 of 10 left
    assert driver.tick(1.0) == ()
    outcomes = driver.answer(snapshot(103, "105.0x1 100.0x1 99.0x1", "109.0x1 111.0x1 120.0x5", limit=3))
    assert audits(outcomes) == [True]
    assert driver.sync.book is not None
    assert driver.sync.book.asks.levels()[-1] == ("120.0", "5")
    assert str(driver.sync.book.coverage.low) == "90.0"  # what was proven stays proven
    assert str(driver.sync.book.coverage.high) == "120.0"


@row(ALL_LIVE, In.TICK, "drop far levels")
def _too_wide(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    driver.sync.limits = SyncLimits(levels_a_side=4)
    driver.diff(106, 106, "98.0x1 97.0x1 96.0x1")
    assert driver.sync.book is not None
    version = driver.sync.book.version
    assert driver.tick(0.1) == ()
    assert [price for price, _ in driver.bids] == ["100.0", "99.0", "98.0"]
    assert driver.sync.book.version > version
    assert not driver.sync.book.coverage.covers(97.0)


@row(P.LIVE, In.REFRESH_DUE, "fetch in the background")
def _refresh_due(_: SyncPhase) -> None:
    driver = live()
    assert driver.refresh() == (FetchSnapshot(2, 0, urgent=False),)
    assert driver.state is LIVE
    assert driver.refresh() == ()  # one at a time


@row(P.AUDITING, In.SNAPSHOT, "build a shadow book, compare, report")
def _audit(_: SyncPhase) -> None:
    driver = live()
    driver.refresh()
    driver.diff(106, 107, "98.0x3")
    outcomes = driver.answer(snapshot(106, "100.0x1 99.0x2 98.5x0"))
    assert audits(outcomes) == [True]
    assert changes(outcomes) == []
    assert not driver.sync.is_refreshing


@row(P.AUDITING, In.SNAPSHOT, "too old: fetch again")
def _audit_too_old(_: SyncPhase) -> None:
    driver = in_phase(P.AUDITING)
    assert driver.answer(snapshot(104)) == (FetchSnapshot(3, 1, urgent=False),)
    assert driver.state is LIVE
    assert audits(driver.answer(snapshot(105, "100.0x1 99.0x2"))) == [True]


@row(P.AUDITING, In.SNAPSHOT, "nothing has changed: quiet")
def _audit_of_a_quiet_symbol(_: SyncPhase) -> None:
    driver = in_phase(P.AUDITING)
    outcomes = driver.answer(snapshot(105, "100.0x1 99.0x2 98.0x0"))
    assert audits(outcomes) == [True]
    assert driver.sync.phase is P.LIVE


@row(P.AUDITING, In.SNAPSHOT, "too new: wait for diffs")
def _audit_too_new(_: SyncPhase) -> None:
    driver = in_phase(P.AUDITING)
    assert driver.answer(snapshot(107, "100.0x1 99.0x2 97.0x1")) == ()
    assert driver.sync.is_refreshing
    assert driver.state is LIVE


@row(P.AUDITING, In.SNAPSHOT_FAILED, "leave it until the next refresh")
def _refresh_failed(_: SyncPhase) -> None:
    driver = in_phase(P.AUDITING)
    assert driver.fail() == ()
    assert driver.state is LIVE
    assert not driver.sync.is_refreshing


@row(P.AUDITING, In.SNAPSHOT_FAILED, "and silent: ask again")
def _refresh_failed_in_silence(_: SyncPhase) -> None:
    driver = in_phase(P.AUDITING)
    driver.now_s += 60.0
    outcomes = driver.fail()
    assert changes(outcomes) == [(LIVE, STALE)]
    assert len(fetches(outcomes)) == 1


@row(P.AUDITING, In.TIME_IS_UP, "no answer, and silent: ask again")
def _no_answer_in_silence(_: SyncPhase) -> None:
    driver = live()
    driver.now_s += 55.0
    driver.refresh()
    assert driver.tick(9.0) == ()
    outcomes = driver.tick(1.0)
    assert changes(outcomes) == [(LIVE, STALE)]
    assert len(fetches(outcomes)) == 1


@row(P.AUDITING, In.TIME_IS_UP, "no answer: leave it")
def _no_answer_to_a_refresh(_: SyncPhase) -> None:
    driver = in_phase(P.AUDITING)
    for second in range(60):
        driver.diff(106 + second, 106 + second)
        assert driver.sync.is_refreshing
        driver.tick(1.0)
    assert driver.sync.phase is P.LIVE


@row(P.AUDIT_HELD, In.TIME_IS_UP, "same levels: quiet")
def _held_levels_agree_after_all(_: SyncPhase) -> None:
    driver = live(DerivativeRules())
    driver.refresh()
    driver.answer(snapshot(900, "100.0x1 99.0x3"))
    assert driver.sync.book is not None
    driver.sync.book.apply(diff(106, 106, "99.0x3"))  # as if it had come from elsewhere: no diff was noted
    assert audits(driver.tick(1.2)) == [True]
    assert driver.state is LIVE


@row(P.AUDIT_HELD, In.TIME_IS_UP, "dead: again")
def _held_while_live_and_never_reached(_: SyncPhase) -> None:
    driver = in_phase(P.AUDIT_HELD)
    assert driver.tick(1.0) == ()
    outcomes = driver.tick(0.1)
    assert changes(outcomes) == [(LIVE, STALE)]
    assert ReconnectStream in map(type, outcomes)


@row(P.AUDIT_HELD, In.TIME_IS_UP, "never reached: leave it")
def _held_while_the_stream_lags(_: SyncPhase) -> None:
    driver = live()
    driver.refresh()
    driver.answer(snapshot(900_000))
    for second in range(90):
        assert driver.sync.is_refreshing
        driver.diff(106 + second, 106 + second)
        assert changes(driver.tick(1.0)) == []
    assert driver.sync.phase is P.LIVE


@row((*ALL_LIVE, *ALL_STALE), In.RESYNC, "on wish: build anew")
def _resync(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    outcomes = driver.resync()
    assert changes(outcomes) == [(phase.state, BUFFERING)]
    assert len(fetches(outcomes)) == 1
    assert driver.sync.gaps == 0
    assert driver.bids == levels("100.0x1 99.0x2")


@row(P.STALE_OWED, In.DIFF, "it was only late: compare")
def _late_and_compared(_: SyncPhase) -> None:
    driver = stale()
    driver.answer(snapshot(106, "100.0x1 99.0x2 98.0x1"))
    outcomes = driver.diff(106, 106, "98.0x1")
    assert changes(outcomes) == [(STALE, LIVE)]
    assert audits(outcomes) == [True]


@row(P.STALE_OWED, In.DIFF, "they come: it was only late")
def _late_in_two_parts(_: SyncPhase) -> None:
    driver = in_phase(P.STALE_OWED)
    assert changes(driver.diff(106, 106, "100.0x0 99.0x1")) == [(STALE, LIVE)]
    assert audits(driver.diff(107, 107)) == [True]


@row((P.ASKING, P.STALE_RENEWING), In.DIFF, "in sequence: it was only late")
def _late(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    assert changes(driver.diff(106, 106, "99.0x0")) == [(STALE, LIVE)]
    assert driver.bids == levels("100.0x1")
    assert driver.answer(snapshot(105, "1.0x1")) == ()  # what it asked is answered


@row(P.ASKING, In.SNAPSHOT, "older than the book: fetch again")
def _lagging_snapshot(_: SyncPhase) -> None:
    driver = stale()
    assert [fetch.failures for fetch in fetches(driver.answer(snapshot(104, "100.0x1")))] == [1]
    assert driver.tick(4.0) == ()  # it proves nothing: no reason to reconnect
    assert changes(driver.answer(snapshot(105, "100.0x1 99.0x2"))) == [(STALE, LIVE)]


@row(P.ASKING, In.SNAPSHOT, "nothing has changed: quiet")
def _proved_quiet(_: SyncPhase) -> None:
    driver = stale()
    outcomes = driver.answer(snapshot(105, "100.0x1 99.0x2"))
    assert changes(outcomes) == [(STALE, LIVE)]
    assert audits(outcomes) == [True]


@row(P.ASKING, In.SNAPSHOT, "another book at the same id: build anew")
def _proved_wrong(_: SyncPhase) -> None:
    driver = stale()
    outcomes = driver.answer(snapshot(105, "100.0x1"))
    assert audits(outcomes) == [False]
    assert changes(outcomes) == [(STALE, BUFFERING)]


@row(P.ASKING, In.SNAPSHOT, "it has changed: the stream owes us diffs")
@row(P.STALE_OWED, In.TIME_IS_UP, "dead: subscribe again")
def _proved_late(_: SyncPhase) -> None:
    driver = stale()
    assert driver.answer(snapshot(106, "100.0x1")) == ()
    assert driver.state is STALE
    assert driver.tick(1.0) == ()
    assert [type(outcome) for outcome in driver.tick(0.2)] == [ReconnectStream]
    assert changes(driver.lose()) == [(STALE, DISCONNECTED)]


@row(P.ASKING, In.SNAPSHOT_FAILED, "ask again")
@row(P.ASKING, In.TIME_IS_UP, "nothing answers: subscribe again")
def _nothing_answers(_: SyncPhase) -> None:
    driver = stale()
    for failures in range(1, 10):
        assert [fetch.failures for fetch in fetches(driver.fail())] == [failures]
        assert driver.tick(1.0) == ()
    assert [type(outcome) for outcome in driver.tick(1.0)] == [ReconnectStream]
    assert driver.state is STALE


@row((*ALL_BUFFERING, *ALL_LIVE, *ALL_STALE), In.STREAM_LOST, "the book stays as stale")
def _lost(phase: SyncPhase) -> None:
    driver = in_phase(phase)
    before = driver.bids if driver.sync.book is not None else None
    assert changes(driver.lose()) == [(phase.state, DISCONNECTED)]
    assert driver.sync.buffered == 0
    assert (driver.bids if driver.sync.book is not None else None) == before


def key_of(transition: Transition) -> RowKey:
    return transition.phase, transition.input, transition.text


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[RowKey]:
    """Rows of the table in the order in which they were taken."""
    taken: list[RowKey] = []

    def watched(transition: Transition) -> Transition:
        def guard(machine: BookSync, value: object) -> bool:
            holds = transition.guard is None or transition.guard(machine, value)
            if holds:
                taken.append(key_of(transition))
            return holds

        return transition._replace(guard=guard)

    rows = {key: tuple(map(watched, some)) for key, some in sync_module._ROWS.items()}
    monkeypatch.setattr(sync_module, "_ROWS", rows)
    return taken


@pytest.mark.parametrize(
    "key", [key_of(transition) for transition in TABLE], ids=lambda key: f"{key[0].value}-{key[2]}"
)
def test_each_row_of_the_table(key: RowKey, reached: list[RowKey]) -> None:
    assert key in SCENARIOS, "a row without a scenario"
    SCENARIOS[key](key[0])
    assert key in reached


def test_there_is_no_scenario_without_a_row() -> None:
    assert set(SCENARIOS) == {key_of(transition) for transition in TABLE}


@pytest.mark.parametrize("phase", SyncPhase)
def test_no_phase_waits_for_ever(phase: SyncPhase) -> None:
    """Each has a row for "time is up" with a limit, and nothing but time makes the machine act by it."""
    limits = [row.deadline for row in TABLE if row.phase is phase and row.input is SyncInput.TIME_IS_UP]
    assert limits
    assert None not in limits
    driver = in_phase(phase)
    known = {field.name for field in fields(SyncLimits)} | {SILENCE}
    assert known.issuperset(limits)
    longest_s = max(
        driver.sync.limits.silent_max_s if name == SILENCE else getattr(driver.sync.limits, str(name))
        for name in limits
    )
    driver.got.clear()
    for _ in range(int(longest_s * 2) + 2):
        driver.tick(0.5)
        if driver.got or driver.sync.phase is not phase:
            break
    assert driver.got or driver.sync.phase is not phase


@pytest.mark.parametrize("row", [row for row in TABLE if row.input is not SyncInput.TIME_IS_UP], ids=str)
def test_only_rows_for_time_have_a_time_limit(row: Transition) -> None:
    assert row.deadline is None


# Answers that come too late


def test_an_answer_is_known_by_its_number() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert driver.answer(snapshot(102), number=7) == ()
    assert driver.fail(number=0) == ()
    assert driver.state is BUFFERING
    driver.answer(snapshot(102))
    assert driver.state is LIVE


def test_an_answer_counts_once() -> None:
    driver = live()
    assert driver.answer(snapshot(105)) == ()
    assert driver.fail() == ()


def test_an_answer_to_a_request_before_the_break_is_not_taken() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    old = driver.number
    driver.lose()
    driver.open()
    driver.diff(201, 203)
    assert driver.number != old
    assert driver.answer(snapshot(202), number=old) == ()
    assert driver.state is BUFFERING
    driver.answer(snapshot(202))
    assert driver.state is LIVE


def test_an_answer_after_the_break_is_not_taken() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    driver.lose()
    assert driver.answer(snapshot(102)) == ()
    driver.open()
    assert driver.answer(snapshot(102)) == ()
    assert driver.sync.book is None


def test_nothing_of_an_earlier_stream_is_left_in_the_buffer() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103, "90.0x1")
    driver.lose()
    driver.open()
    driver.diff(104, 105, "91.0x1")
    assert driver.sync.buffered == 1
    driver.answer(snapshot(102))
    assert driver.state is BUFFERING  # 103 was never seen by this stream: too old


def test_a_snapshot_held_for_an_earlier_stream_is_given_up() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    driver.answer(snapshot(104))
    driver.lose()
    driver.open()
    assert len(fetches(driver.diff(105, 106))) == 1
    assert driver.state is BUFFERING


def test_a_held_snapshot_does_not_join_across_a_gap() -> None:
    driver = Driver()
    driver.open()
    driver.tick(1.5)
    driver.answer(snapshot(50))
    outcomes = driver.diff(52, 53)  # 51 is missing
    assert driver.state is BUFFERING
    assert [type(outcome.error) for outcome in outcomes if isinstance(outcome, StateChanged)] == [GapError]
    assert len(fetches(outcomes)) == 1


def test_nothing_of_an_earlier_refresh_is_left_in_the_buffer() -> None:
    driver = live()
    driver.refresh()
    driver.diff(106, 106, "98.0x1")
    driver.answer(snapshot(105, "100.0x1 99.0x2"))
    driver.diff(107, 107, "97.0x1")
    driver.refresh()
    driver.diff(108, 108)
    outcomes = driver.answer(snapshot(106, "100.0x1 99.0x2 98.0x1"))
    assert len(fetches(outcomes)) == 1  # 107 is in neither


# Gaps, jumps, duplicates


def test_a_reordered_pair_is_a_gap_and_the_late_one_is_ignored() -> None:
    driver = live()
    driver.diff(107, 107, "97.0x1")
    driver.diff(106, 106, "98.0x1")
    assert driver.sync.buffered == 1
    driver.answer(snapshot(106, "100.0x1 99.0x2 98.0x1"))
    assert driver.bids == levels("100.0x1 99.0x2 98.0x1 97.0x1")
    assert driver.sync.gaps == 1


def test_a_hole_in_the_buffer_throws_away_what_was_before_it() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert driver.diff(105, 106) == (FetchSnapshot(2, 0, urgent=True),)  # the one under way is of before
    assert (driver.sync.buffered, driver.sync.gaps) == (1, 1)
    assert driver.answer(snapshot(104), number=1) == ()
    assert len(fetches(driver.answer(snapshot(102)))) == 1


def test_a_hole_while_a_snapshot_is_held_fetches_another() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    driver.answer(snapshot(104))
    assert len(fetches(driver.diff(107, 107))) == 1


def test_ids_that_begin_anew_are_a_gap() -> None:
    driver = live()
    outcomes = driver.diff(1, 3, at=9_000)
    assert changes(outcomes) == [(LIVE, BUFFERING)]
    driver.diff(4, 5, "96.0x1", at=9_001)
    driver.answer(snapshot(3, "97.0x1"))
    assert driver.state is LIVE
    assert driver.bids == levels("97.0x1 96.0x1")
    assert driver.sync.book is not None
    assert driver.sync.book.last_update_id == 5


def test_ids_that_begin_anew_while_buffering() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    driver.diff(1, 3, at=9_000)
    assert driver.sync.buffered == 1
    driver.answer(snapshot(2))
    assert driver.state is LIVE


def test_old_ids_with_an_old_time_are_only_late() -> None:
    driver = live()
    assert driver.diff(1, 3, at=50) == ()
    assert driver.state is LIVE


def test_ids_that_begin_anew_after_a_bare_snapshot() -> None:
    driver = Driver()
    driver.open()
    driver.tick(1.5)
    driver.answer(snapshot(5_000))
    driver.tick(2.0)
    driver.answer(snapshot(5_000))
    assert driver.state is LIVE
    assert driver.diff(1, 3) == ()  # may have been under way
    driver.now_s += 10.0
    assert changes(driver.diff(4, 5)) == [(LIVE, BUFFERING)]


def test_a_book_that_would_cross_is_a_gap() -> None:
    driver = live()
    outcomes = driver.diff(106, 106, "101.5x1")
    change = outcomes[0]
    assert isinstance(change, StateChanged)
    assert isinstance(change.error, CrossedBookError)
    assert (change.error.best_bid, change.error.best_ask) == ("101.5", "101.0")
    assert len(fetches(outcomes)) == 1
    assert driver.state is BUFFERING
    assert driver.sync.gaps == 1


def test_a_snapshot_that_crosses_never_goes_live() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    outcomes = driver.answer(snapshot(102, "102.0x1", "101.0x1"))
    assert driver.state is BUFFERING
    assert driver.sync.book is None
    assert [type(outcome.error) for outcome in outcomes if isinstance(outcome, StateChanged)] == [CrossedBookError]


def test_a_late_diff_that_crosses_is_not_live_for_a_moment() -> None:
    driver = stale()
    assert changes(driver.diff(106, 106, "101.5x1")) == [(STALE, BUFFERING)]


@pytest.mark.parametrize("where", ["bids", "asks"])
def test_a_malformed_level_in_a_diff(where: str) -> None:
    driver = live()
    assert driver.sync.book is not None
    version = driver.sync.book.version
    bad = [*levels("100.0x0"), ("1e5", "1")]
    outcomes = driver.raw_diff(Diff(106, 106, 106, bad if where == "bids" else [], bad if where == "asks" else []))
    assert changes(outcomes) == [(LIVE, BUFFERING)]
    assert [type(outcome.error) for outcome in outcomes if isinstance(outcome, StateChanged)] == [MalformedMessageError]
    assert driver.sync.buffered == 0  # it can't be used
    assert driver.bids == levels("100.0x1 99.0x2")
    assert (driver.sync.book.version, driver.sync.book.last_update_id) == (version, 105)


def test_a_malformed_level_in_a_buffered_diff() -> None:
    driver = Driver()
    driver.open()
    driver.raw_diff(Diff(101, 103, 1, [("?", "1")], []))
    outcomes = driver.answer(snapshot(102))
    assert driver.state is BUFFERING
    assert len(fetches(outcomes)) == 1
    driver.diff(104, 105)
    driver.answer(snapshot(104))
    assert driver.state is LIVE


BAD_SNAPSHOT = Snapshot(105, [("100.0", "1"), ("?", "1")], [], None, None)


def test_a_malformed_snapshot_while_buffering_counts_as_failed() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 105)
    outcomes = driver.answer(BAD_SNAPSHOT)
    assert fetches(outcomes) == [FetchSnapshot(2, 1, urgent=True)]
    assert [type(outcome.error) for outcome in outcomes if isinstance(outcome, StateChanged)] == [MalformedMessageError]
    assert driver.sync.buffered == 1


def test_a_malformed_snapshot_does_not_interrupt_a_live_book() -> None:
    driver = live()
    driver.refresh()
    driver.answer(BAD_SNAPSHOT)
    assert driver.state is LIVE
    assert not driver.sync.is_refreshing


def test_a_malformed_snapshot_while_stale_counts_as_failed() -> None:
    driver = stale()
    assert [fetch.failures for fetch in fetches(driver.answer(BAD_SNAPSHOT))] == [1]


# Refresh


def test_a_refresh_that_differs_builds_the_book_anew() -> None:
    driver = live()
    driver.refresh()
    outcomes = driver.answer(snapshot(105, "100.0x1 99.0x3"))
    assert audits(outcomes) == [False]
    assert changes(outcomes) == [(LIVE, BUFFERING)]
    assert len(fetches(outcomes)) == 1
    driver.diff(106, 106)
    driver.answer(snapshot(105, "100.0x1 99.0x3"))
    assert driver.state is LIVE
    assert driver.bids == levels("100.0x1 99.0x3")


def test_a_refresh_with_a_late_snapshot_waits_for_the_diffs() -> None:
    driver = live()
    driver.refresh()
    assert driver.answer(snapshot(107, "100.0x1 99.0x2 98.0x1 97.0x1")) == ()
    assert driver.diff(106, 106, "98.0x1") == ()
    assert audits(driver.diff(107, 107, "97.0x1")) == [True]
    assert driver.state is LIVE


def test_a_refresh_with_a_late_snapshot_inside_a_diff() -> None:
    driver = live()
    driver.refresh()
    driver.answer(snapshot(107, "100.0x1 99.0x2 98.0x1"))
    assert audits(driver.diff(106, 109, "98.0x1 97.0x4")) == [True]


def test_a_refresh_with_an_early_snapshot_fetches_again_and_stays_live() -> None:
    driver = live()
    driver.refresh()
    driver.diff(106, 106)
    driver.diff(107, 107)
    assert driver.answer(snapshot(104)) == (FetchSnapshot(3, 1, urgent=False),)
    assert driver.state is LIVE
    assert audits(driver.answer(snapshot(105, "100.0x1 99.0x2"))) == [True]


def test_a_refresh_of_a_derivative_between_two_events() -> None:
    driver = live(DerivativeRules())
    driver.refresh()
    driver.answer(snapshot(150, "100.0x1 99.0x2"))  # other symbols moved the id
    assert audits(driver.diff(160, 170, "98.0x1", pu=105)) == [True]


def test_a_refresh_extends_the_coverage() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(101, "100.0x1 99.0x1", "101.0x1 102.0x1", limit=2))
    driver.diff(102, 102)
    driver.refresh()
    assert driver.sync.book is not None
    version = driver.sync.book.version
    driver.answer(snapshot(102, "100.0x1 99.0x1 98.0x1", "101.0x1 102.0x1 103.0x1", limit=3))
    assert driver.bids == levels("100.0x1 99.0x1 98.0x1")
    assert driver.sync.book.coverage.covers(98.0)
    assert driver.sync.book.version > version


def test_a_refresh_of_a_wide_book_keeps_it_bounded() -> None:
    driver = live(limits=SyncLimits(levels_a_side=4))
    driver.refresh()
    driver.answer(snapshot(105, "100.0x1 99.0x2"))
    driver.diff(106, 106, "98.0x1 97.0x1 96.0x1")
    driver.refresh()
    driver.answer(snapshot(106, "100.0x1 99.0x2 98.0x1 97.0x1 96.0x1"))
    assert len(driver.bids) == 3


def test_refreshes_do_not_lengthen_the_pause_after_a_gap() -> None:
    driver = live()
    for step in range(20):
        assert driver.refresh() == (FetchSnapshot(step + 2, 0, urgent=False),)
        driver.answer(snapshot(105, "100.0x1 99.0x2"))
    driver.now_s += 40.0
    assert [fetch.failures for fetch in fetches(driver.diff(200, 200))] == [0]


# Tickers


def test_a_ticker_at_the_same_id_is_an_audit() -> None:
    driver = live()
    assert audits(driver.ticker(105, "100.0x1", "101.0x1")) == [True]
    assert driver.ticker(104, "1.0x1", "2.0x1") == ()


def test_a_ticker_that_leads_is_compared_when_the_book_gets_there() -> None:
    driver = live()
    assert driver.ticker(106, "100.5x3", "101.0x1") == ()
    assert driver.ticker(107, "1.0x1", "2.0x1") == ()
    assert audits(driver.diff(106, 106, "100.5x3")) == [True]


def test_a_ticker_is_compared_with_a_book_that_was_just_built() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    driver.ticker(103, "100.0x1", "101.0x1")
    assert audits(driver.answer(snapshot(102))) == [True]


def test_a_ticker_that_differs_is_told_with_the_change_of_state() -> None:
    driver = live()
    outcomes = driver.ticker(105, "100.0x5", "101.0x1")
    assert audits(outcomes) == [False]
    assert changes(outcomes) == [(LIVE, BUFFERING)]
    assert len(fetches(outcomes)) == 1
    assert driver.state is BUFFERING


def test_a_waiting_ticker_that_differs() -> None:
    driver = live()
    driver.ticker(106, "100.0x5", "101.0x1")
    outcomes = driver.diff(106, 106, "98.0x1")
    assert audits(outcomes) == [False]
    assert changes(outcomes) == [(LIVE, BUFFERING)]


def test_a_touch_beyond_the_coverage_is_no_difference_but_needs_a_new_book() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(101, "100.0x1 99.0x1", "101.0x1 102.0x1", limit=2))
    driver.diff(102, 102, "", "101.0x0 102.0x0")
    outcomes = driver.ticker(102, "100.0x1", "110.0x4")
    assert audits(outcomes) == []
    assert changes(outcomes) == [(LIVE, BUFFERING)]


def test_tickers_of_an_earlier_stream_are_forgotten() -> None:
    driver = live()
    driver.ticker(106, "1.0x1", "2.0x1")
    driver.lose()
    driver.open()
    driver.diff(106, 106)
    outcomes = driver.answer(snapshot(105, "100.0x1"))
    assert audits(outcomes) == []
    assert driver.state is LIVE


# Silence


def test_a_busy_symbol_is_stale_after_seconds() -> None:
    driver = live()
    for second in range(60):
        for _ in range(10):
            driver.diff(driver.sync.book.last_update_id + 1, driver.sync.book.last_update_id + 1)
        driver.tick(1.0)
        assert driver.state is LIVE, second
    driver.tick(1.5)
    assert driver.state is LIVE
    driver.tick(1.0)
    assert driver.state is STALE


def test_a_quiet_symbol_is_asked_about_more_and_more_rarely_but_never_forgotten() -> None:
    driver = live()
    driver.tick(0.5)
    asked_at = []
    for _ in range(2000):
        if driver.tick(5.0):
            asked_at.append(driver.now_s)
            driver.answer(snapshot(105, "100.0x1 99.0x2"))
            assert driver.state is LIVE
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[:3] == [20.0, 40.0, 60.0]
    assert set(pauses[3:]) == {60.0}


def test_traffic_brings_back_the_impatience() -> None:
    driver = live()
    for _ in range(8):
        driver.tick(1000.0)
        driver.answer(snapshot(105, "100.0x1 99.0x2"))
    for _ in range(300):
        driver.diff(driver.sync.book.last_update_id + 1, driver.sync.book.last_update_id + 1)
        driver.tick(1.0)
    assert driver.state is LIVE
    driver.tick(30.0)
    assert driver.state is STALE


def test_a_quiet_derivative_is_proved_by_its_levels_and_takes_over_the_snapshot() -> None:
    driver = stale(DerivativeRules())
    assert driver.sync.book is not None
    version = driver.sync.book.version
    outcomes = driver.answer(snapshot(900, "100.0x1 99.0x2"))
    assert changes(outcomes) == [(STALE, LIVE)]
    assert driver.sync.book.last_update_id == 900
    assert driver.sync.book.version > version
    assert driver.diff(950, 960, "98.0x1", pu=105) == ()
    assert driver.bids == levels("100.0x1 99.0x2 98.0x1")


def test_a_quiet_derivative_whose_last_event_was_lost_beyond_the_snapshot() -> None:
    driver = Driver(DerivativeRules())
    driver.open()
    driver.diff(101, 103, pu=98)
    driver.answer(snapshot(103, "100.0x1 99.0x1 98.0x1", "101.0x1 102.0x1 103.0x1", limit=3))
    driver.diff(104, 105, "99.9x1 99.8x1", pu=103)
    # An event that took 98.0 away is lost here; the snapshot of three levels does not reach so far.
    driver.tick(60.0)
    driver.answer(snapshot(200, "100.0x1 99.9x1 99.8x1", "101.0x1 102.0x1 103.0x1", limit=3))
    assert driver.state is LIVE
    assert ("98.0", "1") not in driver.bids
    assert driver.sync.book is not None
    assert not driver.sync.book.coverage.covers(98.0)


def test_a_derivative_that_changed_is_dead() -> None:
    driver = stale(DerivativeRules())
    driver.answer(snapshot(900, "100.0x1 99.0x5"))
    assert driver.tick(3.0) == (ReconnectStream(63.0),)


def test_a_stale_book_with_another_one_s_levels_at_the_same_id_is_wrong() -> None:
    driver = stale()
    outcomes = driver.answer(snapshot(105, "100.0x1"))
    assert audits(outcomes) == [False]
    assert changes(outcomes) == [(STALE, BUFFERING)]


def test_lower_ids_are_taken_for_a_lag_for_a_while_only() -> None:
    driver = stale()
    for failures in range(1, 10):
        assert [fetch.failures for fetch in fetches(driver.answer(snapshot(3, "97.0x1")))] == [failures]
        driver.tick(1.0)
    assert driver.tick(1.0) == (ReconnectStream(70.0),)


def test_a_held_snapshot_waits_as_long_as_diffs_flow_towards_it() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(130, "100.0x1"))
    for update_id in range(102, 131):
        driver.diff(update_id, update_id)
        driver.tick(1.0)
        assert driver.state is BUFFERING
    driver.diff(131, 131)
    assert driver.state is LIVE


# Pauses between fetches


def test_joins_that_fail_again_and_again_are_tried_less_and_less() -> None:
    driver = Driver()
    driver.open()
    attempts = []
    update_id = 101
    for _ in range(5):
        attempts += [fetch.failures for fetch in fetches(driver.diff(update_id, update_id))]
        attempts += [fetch.failures for fetch in fetches(driver.answer(snapshot(update_id - 1, "102.0x1", "101.0x1")))]
        update_id += 1
    assert attempts == [0, 1, 2, 3, 4, 5]


def test_one_mishap_does_not_lengthen_the_wait_after_the_next() -> None:
    driver = live()
    for mishap in range(20):
        driver.now_s += 0.5
        update_id = 200 + 10 * mishap
        assert [fetch.failures for fetch in fetches(driver.diff(update_id, update_id))] == [0]
        assert [fetch.failures for fetch in fetches(driver.fail())] == [1]
        assert [fetch.failures for fetch in fetches(driver.fail())] == [2]
        driver.answer(snapshot(update_id - 1))
        assert driver.state is LIVE


def test_a_hole_while_a_snapshot_is_fetched_makes_it_too_old_but_is_no_failure() -> None:
    driver = live()
    driver.diff(107, 107)
    driver.now_s += 0.05
    assert [fetch.failures for fetch in fetches(driver.diff(110, 110))] == [0]
    driver.now_s += 0.05
    driver.diff(115, 115)
    assert [fetch.failures for fetch in fetches(driver.answer(snapshot(112)))] == [1]  # the venue is behind its stream


def test_a_new_stream_begins_without_a_pause() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.fail()
    driver.fail()
    driver.lose()
    driver.open()
    assert [fetch.failures for fetch in fetches(driver.diff(201, 201))] == [0]


# Bounds


def test_the_buffer_is_bounded_in_number() -> None:
    driver = Driver(limits=SyncLimits(buffer_events=5))
    driver.open()
    for update_id in range(101, 131):
        driver.diff(update_id, update_id)
    assert driver.sync.buffered == 5
    assert len(fetches(driver.answer(snapshot(110)))) == 1  # what would follow it was given up
    driver.answer(snapshot(125))
    assert driver.state is LIVE


def test_the_buffer_is_bounded_in_time_and_keeps_ninety_seconds() -> None:
    driver = Driver()
    driver.open()
    for second in range(300):
        driver.diff(101 + second, 101 + second)
        driver.now_s += 1.0
    assert driver.sync.buffered == 91
    driver.answer(snapshot(400 - 91))
    assert driver.state is LIVE


def test_an_options_snapshot_that_lags_thirty_seconds_joins() -> None:
    driver = Driver(DerivativeRules())
    driver.open()
    attempts = 0
    for second in range(60):
        update_id = 1000 + 10 * second
        attempts += len(fetches(driver.diff(update_id + 3, update_id + 10, "98.0x1", pu=update_id)))
        if driver.state is LIVE:
            break
        driver.answer(snapshot(update_id + 10 - 300))
        driver.now_s += 1.0
    assert driver.state is LIVE
    assert second == pytest.approx(30, abs=2)
    assert driver.sync.gaps == 0


# Versions


def test_the_version_goes_on_across_a_resync() -> None:
    driver = live()
    assert driver.sync.book is not None
    for update_id in range(106, 120):
        driver.diff(update_id, update_id)
    version = driver.sync.book.version
    driver.resync()
    driver.diff(120, 120)
    driver.answer(snapshot(119))
    assert driver.sync.book.version > version


def test_inputs_that_mean_nothing_in_a_state_change_nothing() -> None:
    driver = Driver()
    assert driver.diff(1, 2) == ()
    assert driver.lose() == ()
    assert driver.refresh() == ()
    assert driver.resync() == ()
    assert driver.tick(100.0) == ()
    assert driver.ticker(5) == ()
    assert driver.state is DISCONNECTED
    driver.open()
    assert driver.open() == ()
    assert driver.resync() == ()
    assert driver.refresh() == ()
