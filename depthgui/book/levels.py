"""One side of a book: price levels with exact text, and the best of them kept in order.

A level is held as ``price -> size``, both as floats: the smallest and quickest thing that sorts and adds. Up to 15
significant digits a float names exactly one decimal, so the texts are made again from the floats and the side's number
of decimals. A level that is written otherwise keeps its own texts beside them, and a side that meets a price of 16
digits or more changes its keys to Decimal, once and for good: nothing is ever rounded.

Only the best levels are kept sorted (`_top` and, with their sizes, `_rows`), from the first time that somebody asks for
them until nobody has for long; a change beyond them costs a dict entry and nothing else. A change among them does not
touch the dict: they are written back when somebody asks for the dict, or when they move out of the best.
"""

from __future__ import annotations

import enum
import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from depthgui.book.messages import Level, NumberLevel, Spelling
from depthgui.book.spelling import PriceKey, check_levels, decimals_of, price_key, spelling_of, usual_numbers

_TOP_MIN = 32
_END = math.inf  # greater than every price
_SMALLEST = math.ulp(0.0)  # stands for sizes that are too small for a float
_TEXTS_KEPT = 64  # levels of which texts are kept; readers of more make them each time
_UNASKED_MAX = 50  # keeping the order over so many messages costs as much as making it anew
_KEPT_BACK_MAX = 4 * _TOP_MIN  # so many of the best levels are not written to the dict at each change


class Side(enum.StrEnum):
    """Bid or ask."""

    BID = "bid"
    ASK = "ask"


class BookSide:
    """The levels of one side. Not thread-safe.

    `odd` is a live view of the texts of those levels whose numbers do not give them back.
    """

    __slots__ = (
        "_depth",
        "_gone",
        "_has_top",
        "_high",
        "_is_behind",
        "_is_bid",
        "_low",
        "_odd",
        "_price_spec",
        "_rows",
        "_size_spec",
        "_sizes",
        "_sizes_view",
        "_spelling",
        "_texts",
        "_top",
        "_unasked",
        "_uses_decimal",
        "odd",
        "side",
    )

    def __init__(self, side: Side) -> None:
        """Start empty."""
        self.side = side
        self._is_bid = side is Side.BID
        self._sizes: dict[PriceKey, float] = {}
        self._sizes_view: Mapping[PriceKey, float] = MappingProxyType(self._sizes)
        self._odd: dict[PriceKey, Level] = {}
        self.odd: Mapping[PriceKey, Level] = MappingProxyType(self._odd)
        self._has_top = False  # where it is False, the order is not kept up, and nothing of it is here
        self._top: list[PriceKey] = [_END]  # ascending; holds every level from _low to _high, and one that is none
        self._rows: list[tuple[PriceKey, float]] = []  # the same with sizes
        self._is_behind = False  # where it is True, _sizes may lack what is in _rows, and has levels that are _gone
        self._gone: list[PriceKey] = []
        self._unasked = 0  # messages since somebody asked for anything of the order
        self._low: PriceKey = math.inf
        self._high: PriceKey = -math.inf
        self._depth = _TOP_MIN  # the most levels that a reader has asked for
        self._spelling: Spelling | None = None  # of most texts; None until the first level
        self._price_spec = self._size_spec = ""
        self._texts: dict[PriceKey, tuple[float, Level]] = {}
        self._uses_decimal = False

    def __len__(self) -> int:
        """Count the levels."""
        return len(self.sizes)

    @property
    def sizes(self) -> Mapping[PriceKey, float]:
        """Size of each level as the nearest float, good for sums on screen; to be asked for anew after a change."""
        self._write_back()
        return self._sizes_view

    @property
    def uses_decimal(self) -> bool:
        """True once a price was met that a float cannot hold exactly."""
        return self._uses_decimal

    @property
    def best(self) -> PriceKey | None:
        """Key of the best level, None while the side is empty."""
        self._unasked = 0
        rows = self._rows
        if not rows:
            if not self.sizes:
                return None
            self._sort_top()
            rows = self._rows
        return rows[-1][0] if self._is_bid else rows[0][0]

    def top(self, limit: int | None = None) -> list[PriceKey]:
        """Keys of the best `limit` levels (all by default), best first."""
        wanted = self._prepare(limit)
        if not wanted:
            return []
        return self._top[-2 : -wanted - 2 : -1] if self._is_bid else self._top[:wanted]

    def rows(self, limit: int | None = None) -> list[tuple[PriceKey, float]]:
        """Key of the price, and size as the nearest float, of the best `limit` levels (all by default), best first."""
        wanted = self._prepare(limit)
        return self._rows[: -wanted - 1 : -1] if self._is_bid else self._rows[:wanted]

    def price_text(self, key: PriceKey) -> str:
        """The price as the venue wrote it."""
        if self._odd and key in self._odd:
            return self._odd[key][0]
        return format(key, self._price_spec)

    def size_text(self, key: PriceKey) -> str:
        """The size of a level as the venue wrote it. Raises KeyError where there is no such level."""
        if self._odd and key in self._odd:
            return self._odd[key][1]
        return format(self.sizes[key], self._size_spec)

    def level(self, key: PriceKey) -> Level:
        """Price and size texts of a level. Raises KeyError where there is no such level."""
        return self.price_text(key), self.size_text(key)

    def levels(self, limit: int | None = None) -> list[Level]:
        """Price and size texts of the best `limit` levels (all by default), best first."""
        rows = self.rows(limit)
        if self._odd or len(rows) > _TEXTS_KEPT:
            size_spec = self._size_spec
            return [self._odd.get(key) or (self.price_text(key), format(size, size_spec)) for key, size in rows]
        # The best levels are the same ones over and over: looking texts up costs a fifth of making them.
        texts, found = self._texts, []
        if len(texts) > 2 * _TEXTS_KEPT:
            texts.clear()
        for key, size in rows:
            known = texts.get(key)
            if known is None:
                known = texts[key] = (size, (self.price_text(key), format(size, self._size_spec)))
            elif known[0] != size:
                known = texts[key] = (size, (known[1][0], format(size, self._size_spec)))
            found.append(known[1])
        return found

    def numbers(self, limit: int | None = None) -> list[NumberLevel]:
        """Price and size as the nearest floats, best first: for those who want no more than that."""
        rows = self.rows(limit)
        return [(float(key), size) for key, size in rows] if self._uses_decimal else rows  # type: ignore[return-value]

    def apply(self, levels: Sequence[Level]) -> None:
        """Set each level to its absolute size; a size that is numerically zero removes the level.

        Raises MalformedMessageError for text that is not a number; nothing is changed then.
        """
        if levels and self._is_empty and (spelling := spelling_of(levels[0])):
            self._set_spelling(spelling)
        known = None if self._uses_decimal else self._spelling
        numbers = None if known is None else usual_numbers(levels, known)
        if known is not None and numbers is not None:
            self.apply_numbers(numbers, known)
            return
        check_levels(levels)
        for price, size in levels:
            self._apply_checked(price, size)

    def apply_numbers(self, levels: list[NumberLevel], spelling: Spelling) -> None:
        """Do the same with prices and sizes that are numbers already.

        The caller sees to it that they were written as `usual_levels` says of this spelling.
        """
        if spelling is not self._spelling and (spelling == self._spelling or self._is_empty):
            self._set_spelling(spelling)
        if spelling is not self._spelling or self._uses_decimal:
            self.apply(list(map(spelling.text, levels)))
            return
        if self._odd:
            for key, _ in levels:
                self._odd.pop(key, None)
        if self._has_top:
            self._unasked += 1
            if self._unasked <= _UNASKED_MAX:
                self._apply_in_order(levels)
                return
            self._give_up_top()
        self._write(levels)

    def _write(self, levels: Sequence[tuple[PriceKey, float]]) -> None:
        sizes = self._sizes
        for key, size in levels:
            if size:
                sizes[key] = size
            else:
                sizes.pop(key, None)

    def _apply_in_order(self, levels: Sequence[tuple[PriceKey, float]]) -> None:
        sizes, top, rows, gone, low, high = self._sizes, self._top, self._rows, self._gone, self._low, self._high
        for level in levels:
            key, size = level
            if low <= key <= high:
                at = bisect_left(top, key)
                if top[at] != key:
                    if size:
                        top.insert(at, key)
                        rows.insert(at, level)
                elif size:
                    rows[at] = level
                else:
                    del top[at], rows[at]
                    gone.append(key)
            elif size:
                sizes[key] = size
            else:
                sizes.pop(key, None)
        if len(rows) <= _KEPT_BACK_MAX and len(gone) <= _KEPT_BACK_MAX:
            self._is_behind = True
            return
        if self._is_behind:
            self._write_back()
        else:  # where very many are read, writing them back would cost more than writing what has changed
            gone.clear()
            self._write(levels)
        if len(rows) > 4 * self._depth:
            self._shorten_top()

    @property
    def _is_empty(self) -> bool:
        return not (self._rows or self.sizes)

    def _write_back(self) -> None:
        if self._is_behind:
            self._is_behind = False
            for key in self._gone:
                self._sizes.pop(key, None)
            self._sizes.update(self._rows)
            self._gone.clear()

    def _apply_checked(self, price: str, size: str) -> None:
        # The careful way, for any number at all: odd spellings are kept, keys changed to Decimal when one needs it.
        key = price_key(price)
        if isinstance(key, Decimal) and not self._uses_decimal:
            self.use_decimal()
        elif self._uses_decimal:
            key = Decimal(price)
        if self._spelling is None:
            self._set_spelling(Spelling(decimals_of(price), decimals_of(size)))
        self._odd.pop(key, None)
        self._texts.pop(key, None)
        number = (float(size) or _SMALLEST) if size.strip("0.") else 0.0
        self._apply_in_order([(key, number)])  # where there is no order, every key is beyond it
        if number and (format(key, self._price_spec) != price or format(number, self._size_spec) != size):
            self._odd[key] = (price, size)

    def use_decimal(self) -> None:
        """Change the keys to Decimal; both sides of a book use the same kind so that they compare exactly."""
        if self._uses_decimal:
            return
        exact = {key: Decimal(self.price_text(key)) for key in self.sizes}
        odd: dict[PriceKey, Level] = {exact[key]: level for key, level in self._odd.items()}
        sizes: dict[PriceKey, float] = {exact[key]: size for key, size in self._sizes.items()}
        self._replace(sizes, odd)
        self._uses_decimal = True
        self._texts.clear()

    def keep_best(self, count: int) -> PriceKey | None:
        """Drop all but the best `count` levels; return the key of the worst one kept, None if nothing was dropped."""
        if len(self) <= count:
            return None
        kept = sorted(self._sizes, reverse=self._is_bid)[:count]  # not top(): it would keep as many sorted for ever
        sizes = {key: self._sizes[key] for key in kept}
        self._replace(sizes, {key: level for key, level in self._odd.items() if key in sizes})
        return kept[-1] if kept else None

    def _replace(self, sizes: dict[PriceKey, float], odd: dict[PriceKey, Level]) -> None:
        # In place: the views go on.
        self._give_up_top()
        self._sizes.clear()
        self._sizes.update(sizes)
        self._odd.clear()
        self._odd.update(odd)

    def _set_spelling(self, spelling: Spelling) -> None:
        if spelling != self._spelling:
            self._price_spec = f".{spelling.price_decimals}f"
            self._size_spec = f".{spelling.size_decimals}f"
            self._texts.clear()
        self._spelling = spelling

    def _prepare(self, limit: int | None) -> int:
        # Sees to it that the best `limit` levels stand in order; returns how many they are.
        self._unasked = 0
        if limit is not None and 0 <= limit <= len(self._rows):  # and the dict need not be brought up to date
            return limit
        wanted = len(self) if limit is None else min(max(limit, 0), len(self))
        if len(self._rows) < wanted:
            self._depth = max(self._depth, wanted)
            self._sort_top()
        return wanted

    def _sort_top(self) -> None:
        self._give_up_top()
        self._has_top = True
        sizes = self._sizes
        keys = sorted(sizes)
        self._low, self._high = -math.inf, math.inf
        keep = 2 * self._depth
        is_cut = len(keys) > keep  # before the rows are made, which costs more than sorting
        if is_cut:
            keys = keys[-keep:] if self._is_bid else keys[:keep]
        self._top = [*keys, _END]
        self._rows = [(key, sizes[key]) for key in keys]
        if is_cut:
            self._end_top()

    def _shorten_top(self) -> None:
        keep = 2 * self._depth
        if self._is_bid:
            del self._top[: -keep - 1], self._rows[:-keep]
        else:
            del self._top[keep:-1], self._rows[keep:]
        self._end_top()

    def _end_top(self) -> None:
        if self._is_bid:
            self._low = self._top[0]
        else:
            self._high = self._top[-2]

    def _give_up_top(self) -> None:
        self._write_back()
        self._has_top = False
        self._top, self._rows = [_END], []
        self._low, self._high = math.inf, -math.inf  # no key is between them
