"""Where knowledge of a book ends: the price range that its snapshot proved.

A snapshot holds a limited number of levels a side. Inside their price range the book is complete from then on, because
every change arrives as a diff. Outside, only the levels that happened to change are known, so what lies there is
incomplete, however live the book is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import Level, Snapshot
from depthgui.book.spelling import is_number

_NOTHING = (Decimal(10) ** 15, Decimal(0))  # low above high: no price lies there, and all are beyond both


@dataclass(frozen=True, slots=True)
class Coverage:
    """Closed price range; None means proven to the end of that side.

    `is_recorded`: the range is a recording's, which no newer snapshot can widen.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    is_recorded: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot) -> Coverage:
        """Range of a snapshot: a side that came with fewer levels than asked for is complete to its end.

        Where the snapshot says what it covers, no more than that is. Raises MalformedMessageError for a range that is
        none.
        """
        low, high = _worst_price(snapshot.bids, snapshot.limit), _worst_price(snapshot.asks, snapshot.limit)
        if snapshot.covered is None:
            return cls(low, high)
        said_low, said_high = snapshot.covered
        if not (said_low and said_high):
            return cls(*_NOTHING, is_recorded=True)
        if not (is_number(said_low) and is_number(said_high)):
            raise MalformedMessageError(f"not a range of prices: {said_low!r} to {said_high!r}")
        lowest, highest = Decimal(said_low), Decimal(said_high)
        return cls(lowest if low is None else max(low, lowest), highest if high is None else min(high, highest), True)

    @property
    def is_empty(self) -> bool:
        """True where no level is proven but those that are there."""
        return self.low is not None and self.high is not None and self.low > self.high

    def covers(self, price: float | Decimal) -> bool:
        """Say whether all of the exchange's levels at `price` are known."""
        if isinstance(price, float):
            return (self.low is None or price >= float(self.low)) and (self.high is None or price <= float(self.high))
        return (self.low is None or price >= self.low) and (self.high is None or price <= self.high)

    def union(self, other: Coverage) -> Coverage:
        """Both ranges as one, if they touch; otherwise `other`, the newer one."""
        if self.is_empty or not self._touches(other):
            return other
        if other.is_empty:
            return self
        low = None if self.low is None or other.low is None else min(self.low, other.low)
        high = None if self.high is None or other.high is None else max(self.high, other.high)
        return Coverage(low, high, self.is_recorded or other.is_recorded)

    def without_below(self, price: Decimal) -> Coverage:
        """The part at or above `price`, for a book that drops its levels below it."""
        return replace(self, low=price if self.low is None else max(self.low, price))

    def without_above(self, price: Decimal) -> Coverage:
        """The part at or below `price`."""
        return replace(self, high=price if self.high is None else min(self.high, price))

    def _touches(self, other: Coverage) -> bool:
        starts_before_end = self.low is None or other.high is None or self.low <= other.high
        ends_after_start = self.high is None or other.low is None or self.high >= other.low
        return starts_before_end and ends_after_start


def _worst_price(levels: list[Level], limit: int | None) -> Decimal | None:
    if limit is None or len(levels) < limit or not levels:
        return None
    return Decimal(levels[-1][0])  # a snapshot's sides come best first
