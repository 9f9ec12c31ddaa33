"""Is the book right? Comparisons with what the venue says of the same update id.

Two witnesses, neither of which costs a request of its own: the bookTicker stream, whose update id now and then equals
the book's; and the snapshot of a refresh, from which a second book is built. Sizes and prices are compared as numbers,
since "1.0" and "1.00" are the same size.
"""

from __future__ import annotations

import enum
import operator
from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from depthgui.book.levels import BookSide, Side
from depthgui.book.messages import BestPrices
from depthgui.book.order_book import OrderBook
from depthgui.book.spelling import PriceKey

_MAX_DIFFERENCES = 20


class AuditSource(enum.StrEnum):
    """What the book was compared with."""

    TICKER = "bookTicker"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Difference:
    """One level that differs: sizes as text, None where a side does not know the price at all."""

    side: Side
    price: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What a comparison found. `differences` holds the first 20."""

    at_s: float
    source: AuditSource
    update_id: int
    levels_compared: int
    differences: tuple[Difference, ...] = ()

    @property
    def agrees(self) -> bool:
        """True when nothing differs."""
        return not self.differences


def compare_best(book: OrderBook, best: BestPrices, now_s: float) -> AuditResult:
    """Compare best prices and sizes; the caller sees to it that the ids are equal."""
    differences = [
        difference
        for side, price, size in (
            (book.bids, best.bid_price, best.bid_size),
            (book.asks, best.ask_price, best.ask_size),
        )
        if (difference := _best_difference(side, price, size)) is not None
    ]
    return AuditResult(now_s, AuditSource.TICKER, best.update_id, 2, tuple(differences))


def touch_left_coverage(book: OrderBook, best: BestPrices) -> bool:
    """Say whether the best price of a side is one that the book cannot know, beyond what its snapshot proved."""
    return any(
        Decimal(size) != 0
        and not book.coverage.covers(Decimal(price))
        and (side.best is None or is_better(Decimal(price), Decimal(side.price_text(side.best))))
        for side, price, size, is_better in (
            (book.bids, best.bid_price, best.bid_size, operator.gt),
            (book.asks, best.ask_price, best.ask_size, operator.lt),
        )
    )


def compare_books(book: OrderBook, shadow: OrderBook, now_s: float) -> AuditResult:
    """Compare level by level; the caller sees to it that the ids are equal.

    A level that both hold must be the same. One that only one of them holds must be beyond what the other proves.
    """
    differences: list[Difference] = []
    compared = 0
    if book.bids.uses_decimal is not shadow.bids.uses_decimal:
        for side in (book.bids, book.asks, shadow.bids, shadow.asks):
            side.use_decimal()
    for ours, theirs in ((book.bids, shadow.bids), (book.asks, shadow.asks)):
        for key in ours.sizes.keys() | theirs.sizes.keys():
            if not (key in ours.sizes or book.coverage.covers(key)):
                continue
            if not (key in theirs.sizes or shadow.coverage.covers(key)):
                continue
            compared += 1
            if not _same_size(ours, theirs, key) and len(differences) < _MAX_DIFFERENCES:
                differences.append(_difference(ours, theirs, key))
    return AuditResult(now_s, AuditSource.SNAPSHOT, shadow.last_update_id, compared, tuple(differences))


class PendingTickers:
    """The latest bookTickers whose update id the book has not reached yet.

    The ticker leads the depth stream by up to 100 ms and comes several hundred times a second, so only the last
    `capacity` are kept, by update id.
    """

    __slots__ = ("_tickers",)

    def __init__(self, capacity: int = 512) -> None:
        """Start empty."""
        self._tickers: deque[BestPrices] = deque(maxlen=capacity)

    @property
    def newest(self) -> BestPrices | None:
        """The latest ticker that the book has not reached."""
        return self._tickers[-1] if self._tickers else None

    def add(self, best: BestPrices) -> None:
        """Keep a ticker until the book gets to its id."""
        self._tickers.append(best)

    def take(self, update_id: int) -> BestPrices | None:
        """Return the ticker at exactly `update_id`, and forget all up to it."""
        tickers = self._tickers
        found = None
        while tickers and tickers[0].update_id <= update_id:
            oldest = tickers.popleft()
            if oldest.update_id == update_id:
                found = oldest
        return found

    def clear(self) -> None:
        """Forget all."""
        self._tickers.clear()


def _same_size(ours: BookSide, theirs: BookSide, key: PriceKey) -> bool:
    # Sizes whose numbers give back their texts are the same where the numbers are.
    if ours.sizes.get(key) != theirs.sizes.get(key):
        return False
    if key not in ours.odd and key not in theirs.odd:
        return True
    return Decimal(ours.size_text(key)) == Decimal(theirs.size_text(key))


def _difference(ours: BookSide, theirs: BookSide, key: PriceKey) -> Difference:
    named_by = ours if key in ours.sizes else theirs
    our_size, their_size = (side.size_text(key) if key in side.sizes else None for side in (ours, theirs))
    return Difference(ours.side, named_by.price_text(key), our_size, their_size)


def _best_difference(side: BookSide, price: str, size: str) -> Difference | None:
    if Decimal(size) == 0:  # the venue's way to say that the side is empty
        return None if side.best is None else Difference(side.side, *side.level(side.best), None)
    mine = side.levels(1)
    if not mine:
        return Difference(side.side, price, None, size)
    my_price, my_size = mine[0]
    if Decimal(my_price) == Decimal(price) and Decimal(my_size) == Decimal(size):
        return None
    return Difference(side.side, price, my_size if Decimal(my_price) == Decimal(price) else None, size)
