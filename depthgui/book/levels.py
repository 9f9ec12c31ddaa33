"""One side of a book: price levels with exact text, and the best of them kept in order.

A level is held as ``key -> size text``. The key is the price as a float, because floats are the smallest and quickest
thing that sorts; up to 15 significant digits a float names exactly one decimal, so the price's text is made again from
the key and the side's number of decimals. Prices that are written otherwise keep their own text, and a side that meets
a price of 16 digits or more changes its keys to Decimal, once and for good: nothing is ever rounded.

Only the best levels are kept sorted, from the first time that somebody asks for them; a change beyond them costs a dict
entry and nothing else. How they are kept depends on what is asked for:

* nothing: no order at all, a change is a dict entry;
* keys (`best`, `top`): a sorted list (`_top`), changed with each message;
* texts (`levels`), again and again: the texts beside the sorted keys (`_rows`), so that reading is a slice; what
  changed is noted (`_late`) and worked in at the next reading.

Where nobody reads texts for some messages they are let go, and where nobody asks at all for long, the order too.

Text is checked for a whole message at once, by one regular expression over all its levels: what passes needs no second
look in the loop, and anything else (another spelling, too many digits, no number at all) takes the careful way.
"""

from __future__ import annotations

import enum
import functools
import math
import re
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import msgspec

from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import Level

PriceKey = float | Decimal

_NUMBER = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_EXACT_DIGITS = 15  # decimal digits that survive a round trip through a float (C's DBL_DIG)
_EXACT_LENGTH = 300  # texts no longer than this stay far inside a float's range of exponents
_TOP_MIN = 32
_TEXTS_KEPT = 256
_LATE_MAX = 512  # working in so many changes costs as much as sorting a book of some thousand levels
_UNASKED_MAX = 50  # keeping the order over so many messages costs as much as making it anew
_UNREAD_MAX = 8  # messages without a reader of texts after which keeping texts costs more than it saves
# As text, every usual spelling of zero ("0", "0.000") is a prefix of this, and every other usual size is greater.
_ZERO_DECIMALS = 40
_ZERO = "0." + "0" * _ZERO_DECIMALS
_encode = msgspec.json.Encoder().encode


class Side(enum.Enum):
    """Bid or ask."""

    BID = "bid"
    ASK = "ask"


def _decimals(text: str) -> int:
    point = text.find(".")
    return 0 if point < 0 else len(text) - point - 1


def price_key(text: str) -> PriceKey:
    """Sortable number of a price: a float where that is exact, else a Decimal.

    Raises MalformedMessageError if `text` is not a plain decimal number.
    """
    if not _NUMBER.match(text):
        raise MalformedMessageError(f"not a price: {text!r}")
    digits = len(text.replace(".", "").strip("0"))
    return float(text) if digits <= _EXACT_DIGITS and len(text) <= _EXACT_LENGTH else Decimal(text)


def check_levels(levels: Sequence[Level]) -> None:
    """Raise MalformedMessageError unless every price and size is a plain decimal number."""
    for price, size in levels:
        if not _NUMBER.match(price):
            raise MalformedMessageError(f"not a price: {price!r}")
        if not _NUMBER.match(size):
            raise MalformedMessageError(f"not a size: {size!r}")


def usual_levels(price_decimals: int) -> str:
    """Regular expression that tells, of valid JSON, whether an array of levels is spelled in the usual way.

    Whether the commas are right is the JSON decoder's business, which has to have accepted the text.
    All prices have `price_decimals` decimals and at most 15 digits, so that a number gives back their text; neither
    they nor the sizes begin with a needless zero.
    """
    if not 0 <= price_decimals < _EXACT_DIGITS:
        return "(?!)"
    decimals = rf"\.[0-9]{{{price_decimals}}}" if price_decimals else ""
    price = rf"(?!0[0-9])[0-9]{{1,{_EXACT_DIGITS - price_decimals}}}+{decimals}"
    size = rf"(?!0[0-9])[0-9]++(?:\.[0-9]{{1,{_ZERO_DECIMALS}}}+)?+"
    return rf'\[(?:\["{price}","{size}"\],?+)*+\]'


@functools.cache
def _usual_levels(price_decimals: int) -> re.Pattern[bytes]:
    return re.compile(usual_levels(price_decimals).encode())


class BookSide:
    """The levels of one side. Not thread-safe; `sizes` is a live view."""

    __slots__ = (
        "_decimals",
        "_depth",
        "_floor",
        "_has_top",
        "_is_bid",
        "_late",
        "_odd_texts",
        "_rows",
        "_sizes",
        "_spec",
        "_texts",
        "_top",
        "_unasked",
        "_unread",
        "_uses_decimal",
        "side",
        "sizes",
    )

    def __init__(self, side: Side) -> None:
        """Start empty."""
        self.side = side
        self._is_bid = side is Side.BID
        self._sizes: dict[PriceKey, str] = {}
        self.sizes: Mapping[PriceKey, str] = MappingProxyType(self._sizes)
        self._has_top = False  # where it is False, the order is not kept up, and nothing of it is here
        self._top: list[PriceKey] = []  # ascending; holds every level at or better than _floor, but for what is late
        self._rows: list[Level] | None = None  # texts of _top; None where they are not kept up
        self._late: list[tuple[PriceKey, str]] = []  # changes, oldest first, that are in neither yet; needs _rows
        self._unread = 0  # messages since somebody read texts
        self._unasked = 0  # and since somebody asked for anything of the order
        self._floor: PriceKey = self._no_floor()
        self._depth = _TOP_MIN  # the most levels that a reader has asked for
        self._decimals = -1  # of the prices' text; -1 until the first level
        self._spec = ""
        self._odd_texts: dict[PriceKey, str] = {}
        self._texts: dict[PriceKey, str] = {}
        self._uses_decimal = False

    def __len__(self) -> int:
        """Count the levels."""
        return len(self._sizes)

    @property
    def uses_decimal(self) -> bool:
        """True once a price was met that a float cannot hold exactly."""
        return self._uses_decimal

    @property
    def best(self) -> PriceKey | None:
        """Key of the best level, None while the side is empty."""
        self._unasked = 0
        if self._late:
            self._work_in()
        if not self._top:
            if not self._sizes:
                return None
            self._sort_top()
        return self._top[-1] if self._is_bid else self._top[0]

    def top(self, limit: int | None = None) -> list[PriceKey]:
        """Keys of the best `limit` levels (all by default), best first."""
        wanted = self._prepare(limit)
        if not wanted:
            return []
        return self._top[: -wanted - 1 : -1] if self._is_bid else self._top[:wanted]

    def price_text(self, key: PriceKey) -> str:
        """The price as the venue wrote it."""
        if self._odd_texts and key in self._odd_texts:
            return self._odd_texts[key]
        return format(key, self._spec)

    def levels(self, limit: int | None = None) -> list[Level]:
        """Price and size texts of the best `limit` levels (all by default), best first."""
        wanted = self._prepare(limit)
        if not wanted:
            return []
        if self._rows is None and not self._keep_rows():
            sizes = self._sizes
            text = self.price_text if self._odd_texts or wanted > _TEXTS_KEPT else self._text
            return [(text(key), sizes[key]) for key in self.top(wanted)]
        rows = self._rows
        assert rows is not None
        self._unread = 0
        return rows[: -wanted - 1 : -1] if self._is_bid else rows[:wanted]

    def numbers(self, limit: int | None = None) -> list[list[float]]:
        """Price and size as floats, best first: for those who want no more than that."""
        sizes = self._sizes
        if self._uses_decimal:
            return [[float(key), float(sizes[key])] for key in self.top(limit)]
        return [[key, float(sizes[key])] for key in self.top(limit)]  # type: ignore[list-item]

    def apply(self, levels: Sequence[Level]) -> None:
        """Set each level to its absolute size; a size that is numerically zero removes the level.

        Raises MalformedMessageError for text that is not a number; nothing is changed then.
        """
        keyed = self._keyed(levels)
        if keyed is not None:
            self._apply_keyed(keyed)
            return
        check_levels(levels)
        self._drop_rows()
        for price, size in levels:
            self._apply_checked(price, size)

    def apply_keyed(self, levels: list[tuple[float, str]], price_decimals: int) -> None:
        """Do the same with prices that are numbers, all of which were written with `price_decimals` decimals.

        The caller sees to it that prices and sizes are spelled as `usual_levels` says.
        """
        if price_decimals == self._decimals and not (self._odd_texts or self._uses_decimal):
            self._apply_keyed(levels)
        else:
            spec = f".{price_decimals}f"
            self.apply([(format(key, spec), size) for key, size in levels])

    def _keyed(self, levels: Sequence[Level]) -> list[tuple[float, str]] | None:
        # None where a price or a size is spelled in an unusual way.
        if self._odd_texts or self._uses_decimal:
            return None
        if self._decimals < 0 and levels and _NUMBER.match(levels[0][0]):
            self._set_decimals(_decimals(levels[0][0]))
        try:
            is_usual = _usual_levels(self._decimals).fullmatch(_encode(levels))
        except UnicodeEncodeError:  # half a surrogate pair; the careful way names the level
            return None
        return [(float(price), size) for price, size in levels] if is_usual else None

    def _apply_keyed(self, levels: list[tuple[float, str]]) -> None:
        self._unread += 1
        if self._has_top and self._rows is None:
            self._unasked += 1
            if self._unasked <= _UNASKED_MAX:
                self._apply_in_order(levels)
                return
            self._give_up_top()
        sizes = self._sizes
        zero = _ZERO
        for key, size in levels:
            if size > zero:
                sizes[key] = size
            elif key in sizes:
                del sizes[key]
        if self._rows is not None:
            self._late += levels
            if len(self._late) > _LATE_MAX:
                self._give_up_top()

    def _apply_in_order(self, levels: list[tuple[float, str]]) -> None:
        sizes = self._sizes
        is_bid = self._is_bid
        floor = self._floor
        zero = _ZERO
        count = len(sizes)
        for key, size in levels:
            if size > zero:
                sizes[key] = size
                if len(sizes) != count:  # a new level; the length costs less than asking for the key
                    count += 1
                    if key >= floor if is_bid else key <= floor:
                        insort(self._top, key)
            elif key in sizes:
                del sizes[key]
                count -= 1
                if key >= floor if is_bid else key <= floor:
                    del self._top[bisect_left(self._top, key)]
        if len(self._top) > 4 * self._depth:
            self._shorten_top()

    def _apply_checked(self, price: str, size: str) -> None:
        # The careful way, for any number at all: odd spellings are kept, keys changed to Decimal when one needs it.
        key = price_key(price)
        if isinstance(key, Decimal) and not self._uses_decimal:
            self.use_decimal()
        elif self._uses_decimal:
            key = Decimal(price)
        if self._decimals < 0:
            self._set_decimals(_decimals(price))
        self._odd_texts.pop(key, None)
        inside = key >= self._floor if self._is_bid else key <= self._floor
        if size.strip("0."):
            if inside and key not in self._sizes:
                insort(self._top, key)
            self._sizes[key] = size
            if format(key, self._spec) != price:
                self._odd_texts[key] = price
        elif self._sizes.pop(key, None) is not None and inside:
            del self._top[bisect_left(self._top, key)]
        if len(self._top) > 4 * self._depth:
            self._shorten_top()

    def use_decimal(self) -> None:
        """Change the keys to Decimal; both sides of a book use the same kind so that they compare exactly."""
        if self._uses_decimal:
            return
        texts = {key: self.price_text(key) for key in self._sizes}
        odd: dict[PriceKey, str] = {Decimal(texts[key]): text for key, text in self._odd_texts.items()}
        sizes: dict[PriceKey, str] = {Decimal(texts[key]): size for key, size in self._sizes.items()}
        self._sizes.clear()
        self._sizes.update(sizes)
        self._odd_texts = odd
        self._uses_decimal = True
        self._texts.clear()
        self._give_up_top()

    def keep_best(self, count: int) -> PriceKey | None:
        """Drop all but the best `count` levels; return the key of the worst one kept, None if nothing was dropped."""
        if len(self._sizes) <= count:
            return None
        kept = sorted(self._sizes, reverse=self._is_bid)[:count]  # not top(): it would keep as many sorted for ever
        sizes = {key: self._sizes[key] for key in kept}
        self._sizes.clear()
        self._sizes.update(sizes)
        self._odd_texts = {key: text for key, text in self._odd_texts.items() if key in sizes}
        self._give_up_top()
        return kept[-1] if kept else None

    def _set_decimals(self, decimals: int) -> None:
        self._decimals = decimals
        self._texts.clear()
        self._spec = f".{decimals}f"

    def _no_floor(self) -> float:
        # Of a side that keeps no order: no key is at or better than it.
        return math.inf if self._is_bid else -math.inf

    def _text(self, key: PriceKey) -> str:
        # The same prices are the best over and over: looking a text up costs a tenth of making it.
        texts = self._texts
        text = texts.get(key)
        if text is None:
            if len(texts) >= 2 * _TEXTS_KEPT:
                texts.clear()
            text = texts[key] = format(key, self._spec)
        return text

    def _prepare(self, limit: int | None) -> int:
        # Sees to it that the best `limit` levels stand in _top; returns how many they are.
        self._unasked = 0
        if self._late:
            self._work_in()
        wanted = len(self._sizes) if limit is None else min(max(limit, 0), len(self._sizes))
        if len(self._top) < wanted:
            self._depth = max(self._depth, wanted)
            self._sort_top()
        return wanted

    def _keep_rows(self) -> bool:
        is_often = self._unread <= _UNREAD_MAX
        self._unread = 0
        if not is_often or self._odd_texts or self._uses_decimal or len(self._top) > 2 * _TEXTS_KEPT:
            return False
        sizes = self._sizes
        self._rows = [(self._text(key), sizes[key]) for key in self._top]
        return True

    def _drop_rows(self) -> None:
        if self._late:
            self._work_in()
        self._rows = None
        self._unread = _UNREAD_MAX + 1

    def _work_in(self) -> None:
        assert self._rows is not None
        top, rows, floor, is_bid, zero = self._top, self._rows, self._floor, self._is_bid, _ZERO
        for key, size in self._late:
            if key < floor if is_bid else key > floor:
                continue
            at = bisect_left(top, key)
            if at < len(top) and top[at] == key:
                if size > zero:
                    rows[at] = (rows[at][0], size)
                else:
                    del top[at], rows[at]
            elif size > zero:
                top.insert(at, key)
                rows.insert(at, (self._text(key), size))
        self._late.clear()
        if self._unread > _UNREAD_MAX:
            self._rows = None
        if len(top) > 4 * self._depth:
            self._shorten_top()

    def _shorten_top(self) -> None:
        keep = 2 * self._depth
        cut = slice(None, -keep) if self._is_bid else slice(keep, None)
        del self._top[cut]
        if self._rows is not None:
            del self._rows[cut]
        self._floor = self._top[0] if self._is_bid else self._top[-1]

    def _sort_top(self) -> None:
        self._give_up_top()
        self._has_top = True
        self._top = sorted(self._sizes)
        if len(self._top) > 2 * self._depth:
            self._shorten_top()
        else:
            self._floor = -self._no_floor()

    def _give_up_top(self) -> None:
        self._has_top = False
        self._top = []
        self._rows = None
        self._late.clear()
        self._floor = self._no_floor()
