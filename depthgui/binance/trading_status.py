"""What the venue's words for a symbol's trading status mean, for people. Source: the exchangeInfo pages."""

from __future__ import annotations

import datetime
from types import MappingProxyType

_LONGEST = 32
_WORDS = MappingProxyType(
    {
        "halt": "Halted",
        "break": "Trading break",
        "end_of_day": "End of day",
        "cancel_only": "Cancel only",
        "pre_trading": "Not yet trading",
        "pending_trading": "Not yet trading",
        "post_trading": "After trading",
        "auction_match": "Auction",
        "pre_delivering": "Before delivery",
        "delivering": "Delivering",
        "delivered": "Delivered",
        "pre_settle": "Before settlement",
        "settling": "Settling",
        "close": "Closed",
        "closed": "Closed",
        "delisted": "Delisted",
    }
)


def status_words(status: str) -> str:
    """A few words such as "Halted"; a status that is not known as the venue names it, cleared of what is no text."""
    known = _WORDS.get(status)
    if known is not None:
        return known
    plain = "".join(letter if letter.isprintable() else " " for letter in status.replace("_", " "))
    short = " ".join(plain.split())[:_LONGEST]
    return (short[:1].upper() + short[1:]) or "Not trading"


def status_since(status: str, since_wall_ms: int | None) -> str:
    """The same with the time since when, such as "Halted since 12:34:56 UTC"."""
    if since_wall_ms is None:
        return status_words(status)
    since = datetime.datetime.fromtimestamp(since_wall_ms / 1000, datetime.UTC)
    return f"{status_words(status)} since {since:%H:%M:%S} UTC"
