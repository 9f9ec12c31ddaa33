"""A model of the exchange, for comparison: plain dictionaries of Decimal, sharing no code with the engine.

It numbers its events as the venue does. Spot: ids of one symbol, one for each change. Derivatives: ids shared with
other symbols, each event naming the last id of the one before it (`pu`). Every state that ever was is kept, so that a
test may ask for the book at any id, and take a snapshot of any moment.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal

TICK = Decimal("0.5")
EPOCH = 1_000_000


@dataclass(frozen=True)
class Event:
    """One event of the diff stream: absolute sizes of what changed, as numbers."""

    first_id: int
    last_id: int
    prev_id: int | None
    time_ms: int
    bids: dict[Decimal, Decimal]
    asks: dict[Decimal, Decimal]


@dataclass(frozen=True)
class State:
    """The whole book from `first_id` on, until the next state's."""

    first_id: int
    bids: dict[Decimal, Decimal]
    asks: dict[Decimal, Decimal]
    time_ms: int


@dataclass
class ModelExchange:
    """One symbol. `is_spot` chooses the dialect of ids."""

    is_spot: bool
    epoch: int = 9
    time_ms: int = 1_000
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = self.epoch * EPOCH
        self._event_id = self.id  # of the last event sent
        self._first_pending: int | None = None
        self._pending: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = ({}, {})
        self.states: list[list[State]] = []
        self._remember(starts=True)

    def change(self, is_bid: bool, tick: int, size: Decimal) -> None:
        """Set one level; an order that would cross takes out what it meets first."""
        price = tick * TICK
        if size:
            other = self.asks if is_bid else self.bids
            for hit in [level for level in other if (level <= price if is_bid else level >= price)]:
                self._set(not is_bid, hit, Decimal(0))
        self._set(is_bid, price, size)

    def _set(self, is_bid: bool, price: Decimal, size: Decimal) -> None:
        self.time_ms += 1
        self.id += 1
        if self._first_pending is None:
            self._first_pending = self.id
        side = self.bids if is_bid else self.asks
        if size:
            side[price] = size
        else:
            side.pop(price, None)
        self._pending[0 if is_bid else 1][price] = size
        self._remember()

    def pass_time(self, ids: int) -> None:
        """Nothing happens to this symbol; where ids are shared they move on."""
        self.time_ms += 10
        if not self.is_spot:
            self.id += ids

    def flush(self) -> Event | None:
        """Send what changed since the last event; None if nothing did."""
        if self._first_pending is None:
            return None
        bids, asks = self._pending
        event = Event(self._first_pending, self.id, None if self.is_spot else self._event_id, self.time_ms, bids, asks)
        self._event_id = self.id
        self._first_pending = None
        self._pending = ({}, {})
        return event

    def renumber(self) -> None:
        """Restart: the same book, ids that begin again far below."""
        self.flush()
        self.epoch -= 1
        self.id = self._event_id = self.epoch * EPOCH
        self.time_ms += 1_000
        self._remember(starts=True)

    def at(self, update_id: int) -> State:
        """The state that the book had at `update_id`."""
        epoch = next(states for states in self.states if states[0].first_id // EPOCH == update_id // EPOCH)
        return epoch[bisect_right(epoch, update_id, key=lambda state: state.first_id) - 1]

    def snapshot_id(self, *, is_global: bool) -> int:
        """Id of a snapshot taken now: on the derivatives either the symbol's last id, or that of all symbols."""
        return self.id if self.is_spot or is_global else self.states[-1][-1].first_id

    def _remember(self, *, starts: bool = False) -> None:
        if starts:
            self.states.append([])
        self.states[-1].append(State(self.id, dict(self.bids), dict(self.asks), self.time_ms))
