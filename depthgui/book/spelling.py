"""How prices and sizes are written: what a number is, and whether the texts of a message can be made again from floats.

Up to 15 significant digits a float names exactly one decimal, so that a text of so many digits comes back from the
float and the number of decimals it was written with. The check of a whole message is one regular expression over its
bytes; looking at each text by itself costs several times as much.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import Level, NumberLevel, Spelling

PriceKey = float | Decimal

_NUMBER = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
EXACT_DIGITS = 15
"""Decimal digits that survive a round trip through a float (C's DBL_DIG)."""
_EXACT_LENGTH = 300  # texts no longer than this stay far inside a float's range of exponents
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[NumberLevel], strict=False).decode


def is_number(text: str) -> bool:
    """True for a plain decimal number: digits, and perhaps a point and more digits."""
    return _NUMBER.match(text) is not None


def decimals_of(text: str) -> int:
    """How many digits stand after the point."""
    point = text.find(".")
    return 0 if point < 0 else len(text) - point - 1


def price_key(text: str) -> PriceKey:
    """Sortable number of a price: a float where that is exact, else a Decimal.

    Raises MalformedMessageError if `text` is not a plain decimal number.
    """
    if not is_number(text):
        raise MalformedMessageError(f"not a price: {text!r}")
    digits = len(text.replace(".", "").strip("0"))
    return float(text) if digits <= EXACT_DIGITS and len(text) <= _EXACT_LENGTH else Decimal(text)


def check_levels(levels: Sequence[Level]) -> None:
    """Raise MalformedMessageError unless every price and size is a plain decimal number."""
    for price, size in levels:
        if not is_number(price):
            raise MalformedMessageError(f"not a price: {price!r}")
        if not is_number(size):
            raise MalformedMessageError(f"not a size: {size!r}")


def spelling_of(level: Level) -> Spelling | None:
    """How a level is spelled; None if it is not two numbers."""
    return Spelling(*map(decimals_of, level)) if all(map(is_number, level)) else None


def usual_levels(spelling: Spelling) -> str:
    """Regular expression that tells, of JSON, whether the texts of an array of levels come back from floats.

    It is for JSON that a decoder has accepted as pairs of floats: that sees to the commas, and to needless zeros at
    the front. All have the decimals of `spelling`, and at most 15 digits; of a size, the zeros after the point don't
    count.
    """
    price_decimals, size_decimals = spelling.price_decimals, spelling.size_decimals
    if not (0 <= price_decimals < EXACT_DIGITS and 0 <= size_decimals < EXACT_DIGITS):
        return "(?!)"
    size = _usual_number(size_decimals)
    if size_decimals:
        size = rf"(?:{size}|[0-9]{{1,{EXACT_DIGITS}}}+\.0{{{size_decimals}}})"
    return rf'\[(?:\["{_usual_number(price_decimals)}","{size}"\],?+)*+\]'


def _usual_number(decimals: int) -> str:
    fraction = rf"\.[0-9]{{{decimals}}}" if decimals else ""
    return rf"[0-9]{{1,{EXACT_DIGITS - decimals}}}+{fraction}"


def usual_numbers(levels: Sequence[Level], spelling: Spelling) -> list[NumberLevel] | None:
    """The levels as numbers that give back their texts; None where a price or a size is spelled in another way."""
    try:
        raw = _encode(levels)
    except UnicodeEncodeError:  # half a surrogate pair
        return None
    if not _usual_levels(spelling).fullmatch(raw):
        return None
    try:
        return _decode(raw)
    except msgspec.ValidationError:  # a needless zero at the front
        return None


@functools.cache
def _usual_levels(spelling: Spelling) -> re.Pattern[bytes]:
    return re.compile(usual_levels(spelling).encode())
