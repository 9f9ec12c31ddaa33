"""The ladder's rows, one side at a time from the best price outwards: sums and flags by columns, then what changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, repeat
from typing import NamedTuple

from depthgui.ui.viewmodels.figures import Figure
from depthgui.ui.viewmodels.ladder_frame import (
    ASK_SIDE,
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    LadderRow,
    Total,
)
from depthgui.ui.viewmodels.ladder_sizes import SizeColumn

_NO_FIGURE: Figure = ("", "")

Traded = tuple[str, float, float]
"""Of the volume traded on a row: its text, the share of a bar, and the share of that which takers bought."""

NOT_TRADED: Traded = ("", 0.0, 0.0)
_LARGE_SAMPLE = 12  # fewer sizes say nothing about what is usual
_LARGE_OF_P90 = 1.75
_LARGE_OF_MEDIAN = 5.0
_SUM_STEPS = 16  # to the double: how finely the scale of the totals' bars follows the largest

_RowKey = tuple[int, int, int | None, int, Traded]

IsLarge = Callable[[int, int], bool]
"""Tells whether the row of an index with so many size units is large."""


class SidePart(NamedTuple):
    """The rows of one side on screen, from the best price outwards, in columns of equal length.

    `units` are None where no level is; `amounts` what is shown of them; `totals` the amounts from the best price on,
    those of rows between it and the screen included.
    """

    is_bid: bool
    indexes: list[int]
    ys: list[int]
    units: list[int | None]
    amounts: list[int]
    totals: list[int]


class RowMarks(NamedTuple):
    """Rows that are special: the best ones, and the outermost ones that are wholly proven. None where there is none."""

    bid_best: int | None
    ask_best: int | None
    low: int | None
    high: int | None


class RowScales(NamedTuple):
    """Shares of a bar per unit of what is shown, for sizes and totals; and from what amount an order is large."""

    bar_unit: float
    sum_unit: float
    usual: float


def side_part(
    places: Sequence[tuple[int, int]], sums: Mapping[int, int], shown: Mapping[int, int], *, is_bid: bool
) -> SidePart:
    """The part of rows at (index, y), best first; `sums` are size units by row and `shown` what is shown of them."""
    indexes = [index for index, _ in places]
    amounts = [shown.get(index, 0) for index in indexes]
    before = sum(shown.values()) - sum(amounts)
    totals = [*accumulate(amounts, initial=before)][1:]
    return SidePart(is_bid, indexes, [y for _, y in places], [*map(sums.get, indexes)], amounts, totals)


def row_scales(amounts: list[int], largest_sum: int) -> RowScales:
    """The scales for the amounts on screen. One giant must not flatten all."""
    sum_unit = 1.0 / 2 ** (math.ceil(math.log2(max(largest_sum, 1)) * _SUM_STEPS) / _SUM_STEPS)
    if not amounts:
        return RowScales(0.0, sum_unit, math.inf)
    ordered = sorted(amounts)
    count = len(ordered)
    bar_unit = 1.0 / max(ordered[min(count - 1, int(0.98 * (count - 1)))], 1)
    if count < _LARGE_SAMPLE:
        return RowScales(bar_unit, sum_unit, math.inf)
    large = max(_LARGE_OF_P90 * ordered[int(0.9 * (count - 1))], _LARGE_OF_MEDIAN * ordered[count // 2])
    return RowScales(bar_unit, sum_unit, large)


class SideRows:
    """Makes the rows of one side: again only those that changed, because most are as they were in the last frame."""

    __slots__ = ("_column", "_keys", "_page", "_price_text", "_rows")

    def __init__(self, column: SizeColumn, price_text: Callable[[int], str]) -> None:
        """Take texts of sizes and totals from `column`, and of prices, by index, from `price_text`."""
        self._column = column
        self._price_text = price_text
        self._page: object = None
        self._keys: dict[int, _RowKey] = {}
        self._rows: dict[int, LadderRow] = {}

    def make(
        self, part: SidePart, flags: list[int], scales: RowScales, traded: Mapping[int, Traded]
    ) -> list[LadderRow]:
        """The rows of a part, given their flags and what was traded on some of them."""
        indexes = part.indexes
        volumes = map(traded.get, indexes, repeat(NOT_TRADED)) if traded else repeat(NOT_TRADED)
        keys = [*zip(part.ys, flags, part.units, part.amounts, volumes, strict=False)]
        page = (scales.bar_unit, self._column.decimals)
        if page != self._page:
            self._page, self._keys = page, {}
        known, made, make = self._keys, self._rows, self._row
        rows = [
            made[index] if known.get(index) == key else make(index, key, scales)
            for index, key in zip(indexes, keys, strict=True)
        ]
        self._keys = dict(zip(indexes, keys, strict=True))
        self._rows = dict(zip(indexes, rows, strict=True))
        return rows

    def _row(self, index: int, key: _RowKey, scales: RowScales) -> LadderRow:
        y, flags, units, amount, (volume, volume_bar, bought) = key
        price = self._price_text(index)
        size, bar = (_NO_FIGURE, 0.0) if units is None else (self._column.figure(amount), amount * scales.bar_unit)
        bar = bar if bar < 1.0 else 1.0
        if flags & BID_SIDE:
            return LadderRow(
                index, y, flags, price, units, size, bar, None, _NO_FIGURE, 0.0, volume, volume_bar, bought
            )
        return LadderRow(index, y, flags, price, None, _NO_FIGURE, 0.0, units, size, bar, volume, volume_bar, bought)


def side_totals(part: SidePart, scales: RowScales, column: SizeColumn) -> list[Total]:
    """The running totals of a part's rows. Empty rows carry the total on in their bars."""
    sums, unit, text = column.rounded_sums(part.totals), column.sum_unit * scales.sum_unit, column.sum_text
    return [
        ("" if units is None else text(rounded), rounded * unit)
        for units, rounded in zip(part.units, sums, strict=True)
    ]


def side_flags(part: SidePart, marks: RowMarks, usual: float, is_large: IsLarge | None) -> list[int]:
    """The flags of a part's rows; large ones by `is_large`, or without it by what is usual."""
    if not part.indexes:
        return []
    if part.is_bid:
        side, best_flag, best, edge = BID_SIDE, BEST_BID, marks.bid_best, marks.low
    else:
        side, best_flag, best, edge = ASK_SIDE, BEST_ASK, marks.ask_best, marks.high
    large = side | LARGE
    rows = zip(part.indexes, part.units, part.amounts, strict=True)
    if is_large is None:
        flags = [large if units is not None and amount >= usual else side for _, units, amount in rows]
    else:
        flags = [large if units is not None and is_large(index, units) else side for index, units, _ in rows]
    count, first, way = len(flags), part.indexes[0], -1 if part.is_bid else 1
    place = count if best is None else (best - first) * way
    for number in range(min(place, count)):
        flags[number] |= IN_SPREAD
    if 0 <= place < count:
        flags[place] |= best_flag
    if edge is not None:
        for number in range(max(0, (edge - first) * way + 1), count):
            flags[number] |= UNCOVERED
    return flags
