"""What the venue's words for a symbol's trading status mean, for people. Source: the exchangeInfo pages."""

from __future__ import annotations

import datetime
from types import MappingProxyType

TRADING = "trading"
_LONGEST = 30
_WORDS = MappingProxyType(
    {
        "halt": "Halted",
        "break": "In a break",
        "end_of_day": "Closed for the day",
        "cancel_only": "Cancel only",
        "auction_match": "In an auction",
        "pre_trading": "Not trading yet",
        "post_trading": "Trading is over",
        "pending_trading": "Not trading yet",
        "pre_delivering": "About to be delivered",
        "delivering": "Being delivered",
        "delivered": "Delivered",
        "pre_settle": "About to be settled",
        "settling": "Being settled",
        "close": "Closed",
    }
)


def status_words(status: str) -> str:
    """A few words such as "Halted"; a status that is not known is named as the venue does."""
    known = _WORDS.get(status)
    if known is not None:
        return known
    name = "".join(character for character in status if character.isalnum() or character in "_- ")[:_LONGEST]
    return f"Not trading (status {name})" if name else "Not trading"


def status_since(status: str, since_wall_ms: int | None) -> str:
    """The same with the time since when, such as "Halted since 12:34:56 UTC"."""
    if since_wall_ms is None:
        return status_words(status)
    since = datetime.datetime.fromtimestamp(since_wall_ms / 1000, datetime.UTC)
    return f"{status_words(status)} since {since:%H:%M:%S} UTC"
