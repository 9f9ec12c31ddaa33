"""The messages a book is made of, in the field's words; `binance.codec` makes them from the venue's bytes."""

from __future__ import annotations

import msgspec

Level = tuple[str, str]
"""Price and size, each exactly as the venue wrote it."""

NumberLevel = tuple[float, float]
"""Price and size as numbers that give back what the venue wrote, with the number of decimals of each."""


class Spelling(msgspec.Struct, frozen=True, gc=False):
    """With how many decimals prices and sizes were written."""

    price_decimals: int
    size_decimals: int

    def text(self, level: NumberLevel) -> Level:
        """The texts of a level that was written so."""
        price, size = level
        return f"{price:.{self.price_decimals}f}", f"{size:.{self.size_decimals}f}"


class Diff(msgspec.Struct, frozen=True, gc=False):
    """Absolute sizes of the levels that changed between two update ids; size zero means that the level is gone.

    `first_id` to `last_id` are the updates it contains, both included. `prev_id` is the `last_id` of the event
    before it; spot has none.
    """

    first_id: int
    last_id: int
    event_time_ms: int
    bids: list[Level]
    asks: list[Level]
    prev_id: int | None = None

    def as_text(self) -> Diff:
        """Itself."""
        return self


class NumberDiff(msgspec.Struct, frozen=True, gc=False):
    """A diff whose prices and sizes are numbers already: the usual case, at half the cost.

    All were written with the same `spelling`, and with no more digits than a float holds, so that the numbers give back
    their texts.
    """

    first_id: int
    last_id: int
    event_time_ms: int
    bids: list[NumberLevel]
    asks: list[NumberLevel]
    prev_id: int | None
    spelling: Spelling

    def as_text(self) -> Diff:
        """The same with prices and sizes as the venue wrote them."""
        bids, asks = (list(map(self.spelling.text, side)) for side in (self.bids, self.asks))
        return Diff(self.first_id, self.last_id, self.event_time_ms, bids, asks, self.prev_id)


AnyDiff = Diff | NumberDiff
"""A diff in either form."""


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The best levels of both sides at one update id. `limit` is the number of levels a side that was asked for.

    `covered` are the lowest and the highest price between which all levels are known, where the source says so: a
    recording knows no more than its own snapshot did. Two empty texts: nothing is known but the levels themselves.
    """

    last_update_id: int
    bids: list[Level]
    asks: list[Level]
    event_time_ms: int | None = None
    limit: int | None = None
    covered: tuple[str, str] | None = None


class BestPrices(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask at one update id (the venue's bookTicker)."""

    update_id: int
    bid_price: str
    bid_size: str
    ask_price: str
    ask_size: str
    event_time_ms: int | None = None


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One trade. `is_market` is False for prints off the market, such as those of the insurance fund."""

    trade_id: int
    price: str
    size: str
    time_ms: int
    buyer_is_maker: bool
    is_market: bool = True
