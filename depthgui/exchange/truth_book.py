"""The exchange's own book: plain dictionaries and a journal of what each change replaced.

It shares no code with the engine's book on purpose: it is the truth that the engine is measured against.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TruthBook(Generic[K, V]):
    """Price levels by key, at an update id, with enough memory to go back some ids.

    `K` is a price as its maker counts it (ticks, or the venue's text), `V` a size. `history` is how many level
    changes can be undone. `last_id` is the id of the last change.
    """

    __slots__ = ("_journal", "_since_id", "asks", "bids", "last_id")

    def __init__(self, last_id: int, history: int) -> None:
        self.bids: dict[K, V] = {}
        self.asks: dict[K, V] = {}
        self.last_id = last_id
        self._since_id = last_id
        self._journal: deque[tuple[int, bool, K, V | None]] = deque(maxlen=history)

    def set(self, update_id: int, is_bid: bool, key: K, size: V | None) -> None:
        """Put a level to `size`, or remove it (None), as of `update_id`."""
        side = self.bids if is_bid else self.asks
        self._journal.append((update_id, is_bid, key, side.get(key)))
        self.last_id = update_id
        if size is None:
            side.pop(key, None)
        else:
            side[key] = size

    def replace(self, update_id: int, bids: dict[K, V], asks: dict[K, V]) -> None:
        """Start again from whole sides; what was before cannot be asked for any more."""
        self._journal.clear()
        self.bids, self.asks, self.last_id, self._since_id = bids, asks, update_id, update_id

    @property
    def oldest_id(self) -> int:
        """The lowest id that `at` can go back to."""
        if len(self._journal) < (self._journal.maxlen or 0):
            return self._since_id
        return self._journal[0][0] if self._journal else self.last_id

    def at(self, update_id: int) -> tuple[dict[K, V], dict[K, V]]:
        """Both sides as they were at `update_id`; LookupError if that is further back than the journal goes."""
        bids, asks = dict(self.bids), dict(self.asks)
        if update_id >= self.last_id:
            return bids, asks
        if update_id < self.oldest_id:
            raise LookupError(f"the book at id {update_id} is gone; the oldest kept is {self.oldest_id}")
        for changed_id, is_bid, key, old in reversed(self._journal):
            if changed_id <= update_id:
                break
            side = bids if is_bid else asks
            if old is None:
                side.pop(key, None)
            else:
                side[key] = old
        return bids, asks


def best_first(
    side: dict[K, V], is_bid: bool, order: Callable[[K], Any] | None, limit: int | None
) -> list[tuple[K, V]]:
    """Levels of one side, best price first; `order` makes a key comparable where it isn't by itself."""
    keys = sorted(side, key=order, reverse=is_bid)  # type: ignore[arg-type, type-var]
    return [(key, side[key]) for key in (keys if limit is None else keys[:limit])]
