"""The one door for the venue's numbers, times, ids and names: what passes is safe for books, view-models and painters.

A price or size that passes is a plain decimal text: digits, and perhaps a point and more digits. What the venue wrote
in exponent form is the same exact value, written plainly. Everything raises MalformedMessageError for what does not
pass: text that is no number, signs, infinities, numbers of absurd length, negative ids, times that cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import Level
from depthgui.book.spelling import is_number

_MOST_DIGITS = 40  # before or after the point
_LONGEST = 60
_EXPONENT_FORM = re.compile(r"[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,4}", re.ASCII)
_ALL_PLAIN = re.compile(r"[0-9]{1,30}+(?:\.[0-9]{1,30}+)?(?:\|[0-9]{1,30}+(?:\.[0-9]{1,30}+)?)*+", re.ASCII).fullmatch
LARGEST_ID = 2**63 - 1
# Times are told by their number of digits. Below the first bound they are taken for milliseconds as they are.
_SECONDS_FROM, _MILLISECONDS_FROM = 10**8, 10**11
_MICROSECONDS_FROM, _NANOSECONDS_FROM, _END_OF_TIME = 10**14, 10**17, 10**20


def plain_number(text: str, what: str = "number") -> str:
    """The number as plain decimal text. Raises MalformedMessageError unless it is finite and not negative."""
    if len(text) <= _LONGEST and is_number(text):
        return text
    if len(text) <= _LONGEST and _EXPONENT_FORM.fullmatch(text):
        number = Decimal(text)
        if not number:
            return "0"
        if abs(number.adjusted()) <= _MOST_DIGITS:
            return format(number, "f")
    raise MalformedMessageError(f"not a {what}: {text[:_LONGEST]!r}")


def plain_levels(levels: list[Level]) -> list[Level]:
    """Levels whose prices and sizes are plain numbers; the same list where they all are already."""
    for price, size in levels:
        if not (is_number(price) and is_number(size) and len(price) <= _LONGEST and len(size) <= _LONGEST):
            return [(plain_number(price, "price"), plain_number(size, "size")) for price, size in levels]
    return levels


def are_plain(numbers: Sequence[str]) -> bool:
    """Say of some texts whether all are plain numbers, in one look."""
    joined = "|".join(numbers)
    return _ALL_PLAIN(joined) is not None and joined.count("|") == len(numbers) - 1


def time_ms(value: int) -> int:
    """A time since 1970 in milliseconds; seconds, microseconds and nanoseconds are told by the number of digits.

    Source: the venue's `timeUnit` option, and its public data files since 2025. Raises MalformedMessageError for a
    negative time and for one of more than 20 digits.
    """
    if _MILLISECONDS_FROM <= value < _MICROSECONDS_FROM or 0 <= value < _SECONDS_FROM:
        return value
    if _SECONDS_FROM <= value < _MILLISECONDS_FROM:
        return value * 1000
    if _MICROSECONDS_FROM <= value < _NANOSECONDS_FROM:
        return value // 1000
    if _NANOSECONDS_FROM <= value < _END_OF_TIME:
        return value // 1_000_000
    raise MalformedMessageError(f"not a time: {value}")


def optional_time_ms(value: int | None) -> int | None:
    """The same for a time that may be missing."""
    return None if value is None else time_ms(value)


def update_id(value: int) -> int:
    """An update id. Raises MalformedMessageError unless it is a whole number that the venue can mean."""
    if not 0 <= value <= LARGEST_ID:
        raise MalformedMessageError(f"not an id: {value}")
    return value


def check_ids(first_id: int, last_id: int) -> None:
    """Raise MalformedMessageError unless the ids of a diff can be."""
    if not 0 <= first_id <= last_id <= LARGEST_ID:
        raise MalformedMessageError(f"not the ids of a diff: {first_id} to {last_id}")


def check_symbol(found: str, expected: str) -> None:
    """Raise MalformedMessageError for a message that names another symbol than its reader's."""
    if found and expected and found != expected:
        raise MalformedMessageError(f"a message of {found[:_LONGEST]!r} on the stream of {expected}")
