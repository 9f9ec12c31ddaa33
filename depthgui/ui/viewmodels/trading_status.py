"""Whether the venue trades a symbol now, in words for people: "Halted since 12:34:56".

A book that is in step with a venue that trades nothing is right, and yet not live: nothing will move it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from types import MappingProxyType

from depthgui.binance.trading_status import status_words
from depthgui.ui.viewmodels.feed_view import FeedView
from depthgui.ui.wording import TimeZone, clock_text

HALTED = "halted"
"""Name of the state that is shown in place of "live" while a symbol is not traded."""

_MEANINGS = MappingProxyType(
    {
        "cancel_only": "The venue takes cancellations only, and matches no orders.",
        "auction_match": "The venue collects orders for an auction.",
        "delivered": "The contract has been delivered; it will not be traded again.",
        "delisted": "The symbol will not be traded again.",
        "close": "The contract is closed; it will not be traded again.",
    }
)
_NO_MATCHING = "The venue matches no orders for this symbol now."
_LONG_AGO_MS = 20 * 3_600_000


@dataclass(frozen=True, slots=True)
class TradingHalt:
    """Why a symbol is not traded, and since when it is known to be so (Unix time in ms, None if it is not)."""

    word: str
    meaning: str
    since_wall_ms: int | None

    def text(self, now_wall_ms: float, zone: TimeZone) -> str:
        """In a few words: "Halted since 12:34:56"."""
        since = self.since(now_wall_ms, zone)
        return f"{self.word} {since}" if since else self.word

    def since(self, now_wall_ms: float, zone: TimeZone) -> str:
        """Such as "since 12:34:56", with the day where that is long ago; empty if it is not known."""
        if self.since_wall_ms is None:
            return ""
        clock = clock_text(self.since_wall_ms, zone)
        if now_wall_ms - self.since_wall_ms < _LONG_AGO_MS:
            return f"since {clock}"
        moment = datetime.datetime.fromtimestamp(self.since_wall_ms / 1000, tz=datetime.UTC)
        day = moment if zone is TimeZone.UTC else moment.astimezone()
        return f"since {day.day} {day:%b}, {clock}"


def halt_of(feed: FeedView) -> TradingHalt | None:
    """What keeps a feed's symbol from being traded; None while it is traded, or while nothing is known of it."""
    info = feed.info
    if info is None or info.is_trading or not info.status:
        return None
    meaning = _MEANINGS.get(info.status, _NO_MATCHING)
    return TradingHalt(status_words(info.status), meaning, feed.trading_status_since_wall_ms)


def empty_text(feed: FeedView, now_s: float, zone: TimeZone = TimeZone.LOCAL) -> str:
    """What is said where a book has no levels at all."""
    halt = halt_of(feed)
    if halt is None:
        return "The book is empty"
    return f"{halt.text(now_wall_ms(feed, now_s), zone)}: the book is empty"


def shown_state(feed: FeedView) -> str:
    """The feed's state by name, and "halted" in place of "live" where the symbol is not traded."""
    state = str(feed.state.value)
    if halt_of(feed) is None:
        return state
    book = feed.book  # an empty one of a halted symbol is called stale by its feed
    is_empty = book is not None and not (len(book.bids) or len(book.asks))
    return HALTED if state == "live" or (state == "stale" and is_empty) else state


def now_wall_ms(feed: FeedView, now_s: float) -> float:
    """Unix time in ms at monotonic time `now_s`, by the feed's own record of both."""
    status = feed.status
    return status.since_wall_ms + (now_s - status.since_s) * 1000.0
