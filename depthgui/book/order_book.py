"""The book of one symbol at one update id: two sides of exact levels, and how far they can be believed."""

from __future__ import annotations

from decimal import Decimal

from depthgui.book.coverage import Coverage
from depthgui.book.levels import BookSide, Side
from depthgui.book.messages import AnyDiff, Level, NumberDiff, Snapshot
from depthgui.book.spelling import PriceKey, check_levels


class OrderBook:
    """Levels of both sides, changed in place by diffs.

    It applies what it is given; whether a diff may be applied is decided by `book.sync`. `version` goes up with each
    change and never back, also when a resync puts a new book in place, so that a reader sees with one comparison
    whether there is something new.
    """

    __slots__ = ("asks", "bids", "coverage", "event_time_ms", "last_update_id", "symbol", "version")

    def __init__(self, symbol: str, version: int = 0) -> None:
        """Start empty, at update id 0, proving nothing."""
        self.symbol = symbol
        self.bids = BookSide(Side.BID)
        self.asks = BookSide(Side.ASK)
        self.last_update_id = 0
        self.version = version
        self.event_time_ms: int | None = None
        self.coverage = Coverage()

    @classmethod
    def from_snapshot(cls, symbol: str, snapshot: Snapshot, version: int = 0) -> OrderBook:
        """Build the book that a snapshot describes.

        Raises MalformedMessageError for a level that is not two numbers.
        """
        book = cls(symbol, version)
        book.bids.apply(snapshot.bids)
        book.asks.apply(snapshot.asks)
        book._use_one_kind_of_key()
        book.last_update_id = snapshot.last_update_id
        book.event_time_ms = snapshot.event_time_ms
        book.coverage = Coverage.of(snapshot)
        return book

    def apply(self, diff: AnyDiff) -> None:
        """Set the levels of a diff to their absolute sizes.

        Raises MalformedMessageError for a level that is not two numbers; nothing is changed then.
        """
        if isinstance(diff, NumberDiff):
            self.bids.apply_numbers(diff.bids, diff.spelling)
            self.asks.apply_numbers(diff.asks, diff.spelling)
        else:
            check_levels(diff.asks)  # before the bids are changed
            self.bids.apply(diff.bids)
            self.asks.apply(diff.asks)
            self._use_one_kind_of_key()
        self.last_update_id = diff.last_id
        self.event_time_ms = diff.event_time_ms
        self.version += 1

    def side(self, side: Side) -> BookSide:
        """The levels of `side`."""
        return self.bids if side is Side.BID else self.asks

    @property
    def is_crossed(self) -> bool:
        """True when the best bid is at or above the best ask, which no correct book ever is."""
        best_bid = self.bids.best
        best_ask = self.asks.best
        return best_bid is not None and best_ask is not None and best_bid >= best_ask

    @property
    def best_bid(self) -> Level | None:
        """Price and size texts of the best bid, None while there is none."""
        best = self.bids.best
        return None if best is None else self.bids.level(best)

    @property
    def best_ask(self) -> Level | None:
        """Price and size texts of the best ask, None while there is none."""
        best = self.asks.best
        return None if best is None else self.asks.level(best)

    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid, None while a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else Decimal(ask[0]) - Decimal(bid[0])

    @property
    def mid(self) -> Decimal | None:
        """Middle between best bid and best ask, None while a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else (Decimal(ask[0]) + Decimal(bid[0])) / 2

    def keep_best(self, levels_a_side: int) -> None:
        """Drop what lies beyond the best `levels_a_side` levels of each side, and with it the claim to know it."""
        lowest = self.bids.keep_best(levels_a_side)
        if lowest is not None:
            self.coverage = self.coverage.without_below(self._exact(self.bids, lowest))
        highest = self.asks.keep_best(levels_a_side)
        if highest is not None:
            self.coverage = self.coverage.without_above(self._exact(self.asks, highest))

    def extend(self, other: OrderBook) -> None:
        """Take over what `other`, a book at the same update id, proves beyond this one's coverage."""
        if self.bids.uses_decimal is not other.bids.uses_decimal:
            for side in (self.bids, self.asks, other.bids, other.asks):
                side.use_decimal()
        for mine, theirs in ((self.bids, other.bids), (self.asks, other.asks)):
            news = [theirs.level(key) for key in theirs.sizes if key not in mine.sizes and other.coverage.covers(key)]
            mine.apply(news)
        self._use_one_kind_of_key()
        self.coverage = self.coverage.union(other.coverage)
        self.version += 1

    def _use_one_kind_of_key(self) -> None:
        if self.bids.uses_decimal or self.asks.uses_decimal:
            self.bids.use_decimal()
            self.asks.use_decimal()

    @staticmethod
    def _exact(side: BookSide, key: PriceKey) -> Decimal:
        return Decimal(side.price_text(key))
