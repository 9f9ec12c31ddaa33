"""The sync machine: one test for each row of its table, then the rules that span several rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from unit.book.making import best, diff, levels, snapshot

from depthgui.book import sync as sync_module
from depthgui.book.errors import CrossedBookError, GapError, MalformedMessageError
from depthgui.book.messages import Diff, Snapshot
from depthgui.book.sequence import DerivativeRules, SpotRules
from depthgui.book.sync import (
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
    SyncState,
    Transition,
)

DISCONNECTED, BUFFERING, LIVE, STALE = SyncState
RowKey = tuple[SyncState, SyncInput, str]


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


# One scenario for each row: it ends with the input that the row is for, and says what must be true after it.

SCENARIOS: dict[RowKey, Callable[[], None]] = {}


def row(state: SyncState, kind: SyncInput, text: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def register(scenario: Callable[[], None]) -> Callable[[], None]:
        SCENARIOS[state, kind, text] = scenario
        return scenario

    return register


@row(DISCONNECTED, SyncInput.STREAM_OPENED, "keep every diff from now on")
def _open() -> None:
    driver = Driver()
    assert changes(driver.open()) == [(DISCONNECTED, BUFFERING)]
    assert driver.sync.book is None


@row(BUFFERING, SyncInput.DIFF, "seen before: ignore")
def _repeated_in_buffer() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert driver.diff(101, 103) == ()
    assert driver.sync.buffered == 1


@row(BUFFERING, SyncInput.DIFF, "keep it; on the first, fetch a snapshot")
def _first_diff() -> None:
    driver = Driver()
    driver.open()
    assert driver.diff(101, 103) == (FetchSnapshot(1, 1, urgent=True),)
    assert driver.diff(104, 105) == ()
    assert driver.sync.buffered == 2


@row(BUFFERING, SyncInput.TICK, "quiet symbol: do without a diff")
def _quiet_without_a_diff() -> None:
    driver = Driver()
    driver.open()
    assert driver.tick(1.4) == ()
    assert driver.tick(0.1) == (FetchSnapshot(1, 1, urgent=True),)
    driver.answer(snapshot(50))
    assert driver.state is BUFFERING
    driver.tick(1.0)
    assert changes(driver.tick(0.5)) == [(BUFFERING, LIVE)]


@row(BUFFERING, SyncInput.TICK, "never reached: fetch again")
def _held_in_vain() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(900_000))
    for second in range(89):
        driver.diff(102 + second, 102 + second)
        assert driver.tick() == ()
    driver.diff(191, 191)
    assert driver.tick() == (FetchSnapshot(2, 2, urgent=True),)
    driver.answer(snapshot(190))
    assert driver.state is LIVE


@row(BUFFERING, SyncInput.SNAPSHOT, "too old: fetch again")
def _snapshot_behind() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert driver.answer(snapshot(99)) == (FetchSnapshot(2, 2, urgent=True),)
    assert driver.sync.buffered == 1
    driver.answer(snapshot(100))
    assert driver.state is LIVE
    assert driver.sync.book is not None
    assert driver.sync.book.last_update_id == 103


@row(BUFFERING, SyncInput.SNAPSHOT, "too new: wait for diffs")
def _snapshot_ahead() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert driver.answer(snapshot(104)) == ()
    assert driver.state is BUFFERING
    driver.diff(104, 104, "90.0x1")
    assert driver.state is BUFFERING  # still nothing that the snapshot lacks
    assert changes(driver.diff(105, 106, "91.0x1")) == [(BUFFERING, LIVE)]
    assert driver.bids == levels("100.0x1 91.0x1")


@row(BUFFERING, SyncInput.SNAPSHOT, "bridges: build the book aside, swap it in")
def _snapshot_bridges() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103, "99.0x9")
    driver.diff(104, 105, "98.0x2")
    assert changes(driver.answer(snapshot(103, "100.0x1"))) == [(BUFFERING, LIVE)]
    assert driver.bids == levels("100.0x1 98.0x2")  # 101-103 is in the snapshot already
    assert driver.sync.buffered == 0


@row(BUFFERING, SyncInput.SNAPSHOT_FAILED, "fetch again")
def _snapshot_failed() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert driver.fail() == (FetchSnapshot(2, 2, urgent=True),)
    assert driver.fail() == (FetchSnapshot(3, 3, urgent=True),)
    assert driver.sync.buffered == 1


@row(LIVE, SyncInput.DIFF, "in sequence: apply")
def _in_sequence() -> None:
    driver = live()
    assert driver.diff(106, 107, "99.0x0 98.0x3") == ()
    assert driver.bids == levels("100.0x1 98.0x3")


@row(LIVE, SyncInput.DIFF, "old: ignore")
def _old_while_live() -> None:
    driver = live()
    assert driver.diff(104, 105, "99.0x777") == ()
    assert driver.bids == levels("100.0x1 99.0x2")


@row(LIVE, SyncInput.DIFF, "gap: keep it, fetch; the book stays as stale")
def _gap() -> None:
    driver = live()
    outcomes = driver.diff(107, 108, "50.0x1")
    change = outcomes[0]
    assert isinstance(change, StateChanged)
    assert (change.before, change.after) == (LIVE, BUFFERING)
    assert isinstance(change.error, GapError)
    assert (change.error.book_id, change.error.first_id, change.error.last_id) == (105, 107, 108)
    assert len(fetches(outcomes)) == 1
    assert driver.bids == levels("100.0x1 99.0x2")
    assert (driver.sync.gaps, driver.sync.buffered) == (1, 1)
    driver.answer(snapshot(106, "97.0x1"))
    assert driver.state is LIVE
    assert driver.bids == levels("97.0x1 50.0x1")
    assert driver.sync.resyncs == 1


@row(LIVE, SyncInput.TICK, "silent for too long: fetch, to learn why")
def _silent() -> None:
    driver = live()
    assert driver.tick(59.0) == ()
    outcomes = driver.tick(1.0)
    assert changes(outcomes) == [(LIVE, STALE)]
    assert [fetch.urgent for fetch in fetches(outcomes)] == [True]


@row(LIVE, SyncInput.TICK, "touch near the end of coverage: fetch")
def _near_edge() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.answer(snapshot(100, "100.0x1 99.0x1 90.0x1", "101.0x1 102.0x1 111.0x1", limit=3))
    driver.diff(102, 102, "105.0x1", "101.0x0 102.0x0 108.0x1")
    assert driver.tick(10.0) == ()  # 3 of 10 left
    driver.diff(103, 103, "", "108.0x0 109.0x1")
    assert driver.tick(1.0) == (FetchSnapshot(2, 1, urgent=False),)  # 2 of 10 left
    assert driver.tick(1.0) == ()
    outcomes = driver.answer(snapshot(103, "105.0x1 100.0x1 99.0x1", "109.0x1 111.0x1 120.0x5", limit=3))
    assert audits(outcomes) == [True]
    assert driver.sync.book is not None
    assert driver.sync.book.asks.levels()[-1] == ("120.0", "5")
    assert str(driver.sync.book.coverage.low) == "90.0"  # what was proven stays proven
    assert str(driver.sync.book.coverage.high) == "120.0"


@row(LIVE, SyncInput.TICK, "drop far levels")
def _too_wide() -> None:
    driver = live(limits=SyncLimits(levels_a_side=4))
    driver.diff(106, 106, "98.0x1 97.0x1 96.0x1")
    assert driver.sync.book is not None
    version = driver.sync.book.version
    assert driver.tick() == ()
    assert [price for price, _ in driver.bids] == ["100.0", "99.0", "98.0"]
    assert driver.sync.book.version > version
    assert not driver.sync.book.coverage.covers(97.0)


@row(LIVE, SyncInput.REFRESH_DUE, "fetch in the background")
def _refresh_due() -> None:
    driver = live()
    assert driver.refresh() == (FetchSnapshot(2, 1, urgent=False),)
    assert driver.state is LIVE
    assert driver.refresh() == ()  # one at a time


@row(LIVE, SyncInput.SNAPSHOT, "build a shadow book, compare, report")
def _audit() -> None:
    driver = live()
    driver.refresh()
    driver.diff(106, 107, "98.0x3")
    outcomes = driver.answer(snapshot(106, "100.0x1 99.0x2 98.5x0"))
    assert audits(outcomes) == [True]
    assert changes(outcomes) == []
    assert not driver.sync.is_refreshing


@row(LIVE, SyncInput.SNAPSHOT_FAILED, "leave it until the next refresh")
def _refresh_failed() -> None:
    driver = live()
    driver.refresh()
    assert driver.fail() == ()
    assert driver.state is LIVE
    assert not driver.sync.is_refreshing


@row(LIVE, SyncInput.RESYNC, "on wish: build anew")
def _resync_live() -> None:
    driver = live()
    outcomes = driver.resync()
    assert changes(outcomes) == [(LIVE, BUFFERING)]
    assert len(fetches(outcomes)) == 1
    assert driver.sync.gaps == 0
    assert driver.bids == levels("100.0x1 99.0x2")


@row(STALE, SyncInput.DIFF, "in sequence: it was only late")
def _late() -> None:
    driver = stale()
    assert changes(driver.diff(106, 106, "99.0x0")) == [(STALE, LIVE)]
    assert driver.bids == levels("100.0x1")


@row(STALE, SyncInput.DIFF, "old: ignore")
def _old_while_stale() -> None:
    driver = stale()
    assert driver.diff(104, 105) == ()
    assert driver.state is STALE


@row(STALE, SyncInput.DIFF, "gap: keep it, fetch")
def _gap_while_stale() -> None:
    driver = stale()
    outcomes = driver.diff(107, 107)
    assert changes(outcomes) == [(STALE, BUFFERING)]
    assert len(fetches(outcomes)) == 1
    assert (driver.sync.gaps, driver.sync.buffered) == (1, 1)


@row(STALE, SyncInput.SNAPSHOT, "older than the book: fetch again")
def _lagging_snapshot() -> None:
    driver = stale()
    assert driver.answer(snapshot(104, "100.0x1")) == (FetchSnapshot(3, 2, urgent=True),)
    assert driver.tick(4.0) == ()  # it proves nothing: no reason to reconnect
    assert changes(driver.answer(snapshot(105, "100.0x1 99.0x2"))) == [(STALE, LIVE)]


@row(STALE, SyncInput.SNAPSHOT, "nothing has changed: quiet")
def _proved_quiet() -> None:
    driver = stale()
    outcomes = driver.answer(snapshot(105, "100.0x1 99.0x2"))
    assert changes(outcomes) == [(STALE, LIVE)]
    assert audits(outcomes) == [True]


@row(STALE, SyncInput.SNAPSHOT, "it has changed: the stream owes us diffs")
def _proved_late() -> None:
    driver = stale()
    assert driver.answer(snapshot(106, "100.0x1")) == ()
    assert driver.state is STALE
    assert driver.tick(2.9) == ()


@row(STALE, SyncInput.SNAPSHOT_FAILED, "nothing answers: subscribe again")
def _nothing_answers() -> None:
    driver = stale()
    assert driver.fail() == (ReconnectStream(60.0),)
    assert driver.state is STALE


@row(STALE, SyncInput.TICK, "dead: subscribe again")
def _dead() -> None:
    driver = stale()
    driver.answer(snapshot(106, "100.0x1"))
    assert driver.tick(3.0) == (ReconnectStream(63.0),)
    assert driver.tick(3.0) == ()  # asked once
    assert changes(driver.lose()) == [(STALE, DISCONNECTED)]


@row(STALE, SyncInput.RESYNC, "on wish: build anew")
def _resync_stale() -> None:
    driver = stale()
    outcomes = driver.resync()
    assert changes(outcomes) == [(STALE, BUFFERING)]
    assert len(fetches(outcomes)) == 1


@row(BUFFERING, SyncInput.STREAM_LOST, "the book stays as stale")
def _lost_while_buffering() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 103)
    assert changes(driver.lose()) == [(BUFFERING, DISCONNECTED)]
    assert driver.sync.buffered == 0


@row(LIVE, SyncInput.STREAM_LOST, "the book stays as stale")
def _lost_while_live() -> None:
    driver = live()
    assert changes(driver.lose()) == [(LIVE, DISCONNECTED)]
    assert driver.bids == levels("100.0x1 99.0x2")


@row(STALE, SyncInput.STREAM_LOST, "the book stays as stale")
def _lost_while_stale() -> None:
    driver = stale()
    assert changes(driver.lose()) == [(STALE, DISCONNECTED)]


def key_of(transition: Transition) -> RowKey:
    return transition.state, transition.input, transition.text


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
    SCENARIOS[key]()
    assert key in reached


def test_there_is_no_scenario_without_a_row() -> None:
    assert set(SCENARIOS) == {key_of(transition) for transition in TABLE}


def test_every_next_state_is_the_one_the_row_names(reached: list[RowKey]) -> None:
    """A row that names LIVE or STALE is taken from a state in which there is a book."""
    for transition in TABLE:
        if transition.next in {LIVE, STALE}:
            assert transition.state in {LIVE, STALE}, "only _join may lead from BUFFERING to LIVE"


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
    assert driver.diff(105, 106) == ()
    assert (driver.sync.buffered, driver.sync.gaps) == (1, 1)
    assert fetches(driver.answer(snapshot(102))) == [FetchSnapshot(2, 2, urgent=True)]


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
    driver.tick(1.5)
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
    assert fetches(outcomes) == [FetchSnapshot(2, 2, urgent=True)]
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
    assert ReconnectStream(60.0) in driver.answer(BAD_SNAPSHOT)


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
    assert driver.answer(snapshot(104)) == (FetchSnapshot(3, 2, urgent=False),)
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
        assert driver.refresh() == (FetchSnapshot(step + 2, 1, urgent=False),)
        driver.answer(snapshot(105, "100.0x1 99.0x2"))
    driver.now_s += 40.0
    assert [fetch.attempt for fetch in fetches(driver.diff(200, 200))] == [1]


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
    driver = live(limits=SyncLimits(patience_most=16.0))
    asked_at = []
    for _ in range(2000):
        if driver.tick(5.0):
            asked_at.append(driver.now_s)
            driver.answer(snapshot(105, "100.0x1 99.0x2"))
            assert driver.state is LIVE
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[:4] == [120.0, 240.0, 480.0, 960.0]
    assert set(pauses[4:]) == {960.0}


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


def test_lower_ids_after_a_long_silence_are_no_lag() -> None:
    driver = stale()
    driver.tick(31.0)
    assert driver.answer(snapshot(3, "97.0x1")) == ()
    assert driver.tick(3.0) == (ReconnectStream(94.0),)


def test_a_late_diff_joins_a_snapshot_that_was_held_while_stale() -> None:
    driver = stale()
    driver.answer(snapshot(106, "100.0x1 99.0x2 98.0x1"))
    outcomes = driver.diff(106, 106, "98.0x1")
    assert changes(outcomes) == [(STALE, LIVE)]
    assert audits(outcomes) == [True]


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
        attempts += [fetch.attempt for fetch in fetches(driver.diff(update_id, update_id))]
        attempts += [fetch.attempt for fetch in fetches(driver.answer(snapshot(update_id - 1, "102.0x1", "101.0x1")))]
        update_id += 1
    assert attempts == [1, 2, 3, 4, 5, 6]


def test_a_gap_soon_after_the_join_is_waited_for_longer() -> None:
    driver = live()
    driver.now_s += 29.0
    assert [fetch.attempt for fetch in fetches(driver.diff(200, 200))] == [2]
    driver.answer(snapshot(199))
    driver.now_s += 30.0
    assert [fetch.attempt for fetch in fetches(driver.diff(300, 300))] == [1]


def test_a_new_stream_begins_without_a_pause() -> None:
    driver = Driver()
    driver.open()
    driver.diff(101, 101)
    driver.fail()
    driver.fail()
    driver.lose()
    driver.open()
    assert [fetch.attempt for fetch in fetches(driver.diff(201, 201))] == [1]


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
