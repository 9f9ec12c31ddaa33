"""The machine under test between a model exchange and a network that does everything a network can do.

`World` has one method for each thing that may happen, and `check`, which must hold after each: a book that is live
equals the exchange's book at that book's own id. Loss that cannot be seen yet (nothing arrived since) leaves it live at
its id, which is still true. `settle` makes the network good and demands that the machine is live at the exchange's
present book within a bounded time.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from decimal import Decimal

from property.model_exchange import Event, ModelExchange, State

from depthgui.book import BestPrices, BookSync, Diff, NumberDiff, OrderBook, Snapshot, Spelling, SyncLimits, SyncState
from depthgui.book.sequence import DerivativeRules, SpotRules
from depthgui.book.sync import Audited, FetchSnapshot, Outcomes, ReconnectStream, StateChanged

Change = tuple[bool, int, Decimal]

LIMITS = (
    SyncLimits(),
    SyncLimits(buffer_events=3, levels_a_side=6),
    SyncLimits(silent_min_s=1.0, silent_max_s=4.0, owed_s=2.0, edge_pause_s=2.0, prove_s=1.0, buffer_s=8.0),
)


@dataclass
class Request:
    """A snapshot that was asked for; `content` once the exchange has made it up."""

    order: FetchSnapshot
    content: Snapshot | None = None


def spelled(number: Decimal, spelling: str, index: int) -> str:
    """A number as text: padded to four decimals, bare, or by turns."""
    if spelling == "padded" or (spelling == "mixed" and index % 2):
        return f"{number:.4f}"
    return format(number.normalize(), "f")


def to_diff(event: Event, spelling: str) -> Diff | NumberDiff:
    """The event as the codec would give it."""
    if spelling == "keyed":
        bids, asks = (
            [(float(price), float(size)) for price, size in side.items()] for side in (event.bids, event.asks)
        )
        return NumberDiff(event.first_id, event.last_id, event.time_ms, bids, asks, event.prev_id, Spelling(4, 4))
    bids_text, asks_text = (
        [
            (spelled(price, spelling, index), spelled(size, spelling, index))
            for index, (price, size) in enumerate(side.items())
        ]
        for side in (event.bids, event.asks)
    )
    return Diff(event.first_id, event.last_id, event.time_ms, bids_text, asks_text, event.prev_id)


def to_snapshot(state: State, update_id: int, limit: int, spelling: str, *, has_time: bool) -> Snapshot:
    """The best `limit` levels a side of a state."""
    bids, asks = (
        [
            (spelled(price, spelling, index), spelled(side[price], spelling, index))
            for index, price in enumerate(sorted(side, reverse=is_bid)[:limit])
        ]
        for side, is_bid in ((state.bids, True), (state.asks, False))
    )
    return Snapshot(update_id, bids, asks, state.time_ms if has_time else None, limit)


def held(book: OrderBook, side: str) -> dict[Decimal, Decimal]:
    """One side of the engine's book as numbers."""
    return {Decimal(price): Decimal(size) for price, size in getattr(book, side).levels()}


class World:
    """Exchange, network, caller and machine, in one thread and one order."""

    def __init__(self, *, is_spot: bool, limits: SyncLimits | None = None, limit: int = 5) -> None:
        self.exchange = ModelExchange(is_spot)
        self.wire: deque[Event] = deque()
        self.delivered: deque[Event] = deque(maxlen=6)
        self.requests: list[Request] = []
        self.open = False
        self.now_s = 100.0
        self.limit = limit
        self.outcomes: Counter[str] = Counter()
        self.seen: tuple[int, object] | None = None
        self.told_state = SyncState.DISCONNECTED
        rules = SpotRules() if is_spot else DerivativeRules()
        self.sync = BookSync("TEST", rules, limits or SyncLimits())

    # What the caller of the machine does with its outcomes

    def perform(self, outcomes: Outcomes) -> None:
        for outcome in outcomes:
            self.outcomes[type(outcome).__name__] += 1
            match outcome:
                case FetchSnapshot():
                    self.requests.append(Request(outcome))
                    del self.requests[:-8]
                case ReconnectStream():
                    self.lose()
                    self.connect()
                case Audited(result):
                    assert result.agrees, f"a right book was called wrong: {result}"
                case StateChanged(before, after, error):
                    assert before is self.told_state
                    assert before is not after or error is not None
                    self.told_state = after
        assert self.told_state is self.sync.state, "the caller does not know the state"

    def connect(self) -> None:
        if not self.open:
            self.wire.clear()
            self.open = True
            self.perform(self.sync.stream_opened(self.now_s))

    def lose(self) -> None:
        if self.open:
            self.wire.clear()
            self.open = False
            self.perform(self.sync.stream_lost(self.now_s))

    # The exchange

    def trade(self, changes: list[Change]) -> None:
        for change in changes:
            self.exchange.change(*change)

    def send(self) -> None:
        event = self.exchange.flush()
        if event is not None and self.open:
            self.wire.append(event)

    def move_market(self, shift: int) -> None:
        """Take the whole book away and put another one up elsewhere."""
        for is_bid, side in ((True, self.exchange.bids), (False, self.exchange.asks)):
            for price in list(side):
                self.exchange.change(is_bid, int(price * 2), Decimal(0))
        for distance in range(1, 9):
            self.exchange.change(True, 200 + shift - distance, Decimal(distance))
            self.exchange.change(False, 200 + shift + distance, Decimal(distance))

    def drift(self, shift: int) -> None:
        """Move the touch by trading through one side, so that it nears the end of what a snapshot proved."""
        mid = 200 + shift
        for tick in range(mid - 3, mid):
            self.exchange.change(True, tick, Decimal(2))
        for tick in range(mid + 1, mid + 4):
            self.exchange.change(False, tick, Decimal(3))

    def idle(self, ids: int) -> None:
        self.exchange.pass_time(ids)

    def restart_ids(self) -> None:
        if self.exchange.epoch > 1:
            self.exchange.renumber()

    # The network

    def deliver(self, spelling: str) -> None:
        if self.wire:
            event = self.wire.popleft()
            self.delivered.append(event)
            self.perform(self.sync.diff(to_diff(event, spelling), self.now_s))

    def deliver_all(self, spelling: str) -> None:
        while self.wire:
            self.deliver(spelling)

    def drop(self) -> None:
        if self.wire:
            self.wire.popleft()

    def swap(self) -> None:
        if len(self.wire) > 1:
            self.wire[0], self.wire[1] = self.wire[1], self.wire[0]

    def repeat(self, back: int, spelling: str) -> None:
        if self.open and self.delivered:
            event = self.delivered[-1 - back % len(self.delivered)]
            self.perform(self.sync.diff(to_diff(event, spelling), self.now_s))

    def garble(self, text: str, *, is_bid: bool) -> None:
        if self.wire:
            good = to_diff(self.wire.popleft(), "padded")
            assert isinstance(good, Diff)
            bids = [*good.bids, (text, "1")] if is_bid else good.bids
            asks = good.asks if is_bid else [*good.asks, ("99.0000", text)]
            bad = Diff(good.first_id, good.last_id, good.event_time_ms, bids, asks, good.prev_id)
            self.perform(self.sync.diff(bad, self.now_s))

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.perform(self.sync.tick(self.now_s))

    # Snapshots: made up at one moment, answered at another

    def take_snapshot(self, *, is_global: bool, spelling: str, back: int = 0) -> Snapshot:
        states = self.exchange.states[-1]
        update_id = self.exchange.snapshot_id(is_global=is_global)
        if back:
            update_id = states[max(len(states) - 1 - back, 0)].first_id
        has_time = not self.exchange.is_spot
        return to_snapshot(self.exchange.at(update_id), update_id, self.limit, spelling, has_time=has_time)

    def make_up(self, *, is_global: bool, spelling: str) -> None:
        for request in self.requests:
            if request.content is None:
                request.content = self.take_snapshot(is_global=is_global, spelling=spelling)

    def answer(self, *, is_global: bool, spelling: str) -> None:
        """Answer the oldest request, which may have been given up long ago."""
        if self.requests:
            request = self.requests.pop(0)
            content = request.content or self.take_snapshot(is_global=is_global, spelling=spelling)
            self.perform(self.sync.snapshot(content, request.order.number, self.now_s))

    def answer_latest(self, *, is_global: bool, spelling: str, back: int = 0) -> None:
        if self.requests:
            request = self.requests.pop()
            content = self.take_snapshot(is_global=is_global, spelling=spelling, back=back)
            self.perform(self.sync.snapshot(content, request.order.number, self.now_s))

    def answer_with_nonsense(self) -> None:
        if self.requests:
            request = self.requests.pop()
            content = Snapshot(self.exchange.id, [("100.0000", "1"), ("?", "1")], [], None, self.limit)
            self.perform(self.sync.snapshot(content, request.order.number, self.now_s))

    def fail_to_answer(self) -> None:
        if self.requests:
            self.perform(self.sync.snapshot_failed(self.requests.pop().order.number, self.now_s))

    def want_refresh(self) -> None:
        self.perform(self.sync.refresh_due(self.now_s))

    def want_resync(self) -> None:
        self.perform(self.sync.resync(self.now_s))

    def tell_best_prices(self) -> None:
        """The ticker leads the diffs: its id is the exchange's present one."""
        exchange = self.exchange
        if self.open and exchange.bids and exchange.asks:
            bid, ask = max(exchange.bids), min(exchange.asks)
            texts = (f"{number:.4f}" for number in (bid, exchange.bids[bid], ask, exchange.asks[ask]))
            self.perform(self.sync.best_prices(BestPrices(exchange.id, *texts), self.now_s))

    # What must hold

    def check(self) -> None:
        book = self.sync.book
        assert self.sync.buffered <= self.sync.limits.buffer_events
        if book is None:
            assert self.sync.state not in {SyncState.LIVE, SyncState.STALE}
            return
        self._check_equal(book)  # also when it is not live: the last book stays as it was
        self._check_version(book)

    def _check_equal(self, book: OrderBook) -> None:
        truth = self.exchange.at(book.last_update_id)
        for side in ("bids", "asks"):
            ours, theirs = held(book, side), getattr(truth, side)
            # Whatever it holds is right, inside the coverage or not; and inside, nothing is missing.
            for price, size in ours.items():
                assert theirs.get(price) == size, f"{side} {price} at {book.last_update_id}"
            for price in theirs:
                assert price in ours or not book.coverage.covers(price), f"{side} {price} is missing"
        assert not book.is_crossed
        assert book.best_bid is None or Decimal(book.best_bid[0]) == max(held(book, "bids"))
        assert book.best_ask is None or Decimal(book.best_ask[0]) == min(held(book, "asks"))

    def _check_version(self, book: OrderBook) -> None:
        content = (book.last_update_id, tuple(book.bids.levels()), tuple(book.asks.levels()), book.coverage)
        if self.seen is not None:
            version, before = self.seen
            assert book.version >= version
            assert book.version > version or content == before
        self.seen = (book.version, content)

    def is_present(self, *, same_id: bool) -> bool:
        """Live, and the same as the exchange's book of this moment, at the same id if that is asked."""
        book = self.sync.book
        if book is None or self.sync.state is not SyncState.LIVE:
            return False
        now = self.exchange.at(self.exchange.id)
        return (book.last_update_id == self.exchange.id or not same_id) and all(
            held(book, side).items() <= getattr(now, side).items()
            and all(price in held(book, side) or not book.coverage.covers(price) for price in getattr(now, side))
            for side in ("bids", "asks")
        )

    def settle(self, *, busy: bool) -> float:
        """From here on the network is good; returns the seconds until the machine was live at the present book."""
        start_s = self.now_s
        self.connect()
        for step in range(400):
            if busy:
                self.trade([(step % 2 == 0, 190 + step % 20, Decimal(step % 3)), (True, 150, Decimal(step + 1))])
            self.send()
            self.deliver_all("padded")
            self.answer_latest(is_global=True, spelling="padded")
            self.check()
            if self.is_present(same_id=busy):
                return self.now_s - start_s
            self.wait(1.0 if busy else 5.0)
            self.check()
        raise AssertionError(f"not live at the exchange's book after a good while ({'busy' if busy else 'quiet'})")
