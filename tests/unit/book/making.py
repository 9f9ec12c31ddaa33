"""Short ways to make messages, for tests: prices and sizes are written as the venue would write them."""

from __future__ import annotations

from decimal import Decimal

from depthgui.book.messages import BestPrices, Diff, Level, NumberDiff, Snapshot, Spelling
from depthgui.book.order_book import OrderBook


def levels(text: str) -> list[Level]:
    """Levels from "100.1x5 100.2x0": price, x, size."""
    return [(price, size) for price, _, size in (part.partition("x") for part in text.split())]


def diff(first_id: int, last_id: int, bids: str = "", asks: str = "", *, pu: int | None = None, at: int = 0) -> Diff:
    """A diff of updates `first_id` to `last_id`; event time is the last id unless `at` says another."""
    return Diff(first_id, last_id, at or last_id, levels(bids), levels(asks), pu)


def as_numbers(message: Diff, price_decimals: int, size_decimals: int = 0) -> NumberDiff:
    """The same diff with prices and sizes as numbers."""
    bids, asks = ([(float(price), float(size)) for price, size in side] for side in (message.bids, message.asks))
    spelling = Spelling(price_decimals, size_decimals)
    return NumberDiff(message.first_id, message.last_id, message.event_time_ms, bids, asks, message.prev_id, spelling)


def snapshot(
    update_id: int, bids: str = "100.0x1", asks: str = "101.0x1", *, limit: int | None = None, at: int | None = None
) -> Snapshot:
    """A snapshot at `update_id`."""
    return Snapshot(update_id, levels(bids), levels(asks), at, limit)


def best(update_id: int, bid: str = "100.0x1", ask: str = "101.0x1") -> BestPrices:
    """A bookTicker."""
    (bid_price, bid_size), (ask_price, ask_size) = levels(bid)[0], levels(ask)[0]
    return BestPrices(update_id, bid_price, bid_size, ask_price, ask_size)


def book(update_id: int = 1, bids: str = "100.0x1", asks: str = "101.0x1", *, limit: int | None = None) -> OrderBook:
    """A book made from a snapshot."""
    return OrderBook.from_snapshot("TEST", snapshot(update_id, bids, asks, limit=limit))


def numbers(side: list[Level]) -> dict[Decimal, Decimal]:
    """Levels as exact numbers."""
    return {Decimal(price): Decimal(size) for price, size in side}
