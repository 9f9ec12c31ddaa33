"""From the heatmap's history to cells of one byte: how bright, empty, unknown, or a gap; and the scale of brightness.

A cell of several columns shows the largest of their sizes, and is unknown or a gap as soon as one of them is: nothing
is averaged, nothing interpolated.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from depthgui.ui.viewmodels.heatmap_history import Floats, HeatmapHistory, Ints

Codes = npt.NDArray[np.uint8]

EMPTY = 0
FULL = 253
"""Codes from 1 to this are sizes above zero; a size at or above the scale's cap has this one."""
UNKNOWN = 254
GAP = 255

SHARE = 0.98
"""Quantile of the sizes on screen that is shown in full."""

_CHANGED = 0.2  # how far the cap must be off before everything is drawn with a new one
_SAMPLE = 16_384  # sizes that the percentile is taken of


class Window(msgspec.Struct, frozen=True):
    """The part of a history that is on screen: `groups` groups of `merge` slots each, from group number `first` on.

    Group g holds the slots from g x merge on. Rows go down from `top_row`.
    """

    first: int
    groups: int
    merge: int
    top_row: int
    rows: int

    @property
    def first_slot(self) -> int:
        """First slot of the first group."""
        return self.first * self.merge

    @property
    def slot_count(self) -> int:
        """Slots of all groups."""
        return self.groups * self.merge


class Lines(NamedTuple):
    """Lowest and highest best prices of each group in rows, as fractions: shape (2, groups), bids first, NaN in gaps.

    `stretch` tells which unbroken time a group belongs to, -1 in gaps.
    """

    low: Floats
    high: Floats
    stretch: Ints


class Places(NamedTuple):
    """Where a window's slots are in a history's arrays, and whether there is a column of each: None for all."""

    at: slice | Ints
    is_there: npt.NDArray[np.bool_] | None


def cells(history: HeatmapHistory, window: Window, newest_slot: int, cap: float) -> tuple[Codes, bool]:
    """Codes of a window, shape (rows, groups), and whether some of them may be unknown or gaps.

    `cap` is the size in units that is shown in full. Slots after `newest_slot` have not been yet, and those before the
    oldest column are not kept: both are empty.
    """
    at, is_there = places_of(history, window)
    squares = _sizes(history, window, at) * (FULL**2 / max(cap, 1.0))
    np.sqrt(np.minimum(squares, FULL**2, out=squares), out=squares)
    codes = np.ceil(squares, out=squares).astype(np.uint8)
    lows, highs = history.lows[at], history.highs[at]
    is_known = max(lows.tolist()) <= window.top_row - window.rows + 1 and min(highs.tolist()) >= window.top_row
    if not is_known:
        down = np.arange(window.rows)
        below_low = down > (window.top_row - lows)[:, None]
        above_high = down < (window.top_row - highs)[:, None]
        np.putmask(codes, below_low | above_high, UNKNOWN)
    if is_there is not None:
        codes[~is_there] = GAP
        slots, oldest = _slots(window), history.oldest_slot
        codes[(slots > newest_slot) | (slots < (newest_slot + 1 if oldest is None else oldest))] = EMPTY
    if window.merge > 1:
        codes = codes.reshape(window.groups, window.merge, window.rows).max(axis=1)
    return codes.T, not is_known or is_there is not None


def lines(history: HeatmapHistory, window: Window) -> Lines:
    """Best prices of a window."""
    at, is_there = places_of(history, window)
    rows = (history.bests[at] / history.step).T
    stretches = history.stretches[at]
    if is_there is not None:
        rows[:, ~is_there] = np.nan
        stretches = np.where(is_there, stretches, -1)
    if window.merge == 1:
        return Lines(rows, rows, stretches)
    rows = rows.reshape(2, window.groups, window.merge)
    # fmin and fmax leave out what is not there.
    low, high = np.fmin.reduce(rows, axis=2), np.fmax.reduce(rows, axis=2)
    return Lines(low, high, stretches.reshape(window.groups, window.merge).max(axis=1))


def sample_cap(history: HeatmapHistory, window: Window) -> float | None:
    """The robust largest size of a window in units: the 98th percentile of what rests there, None for nothing."""
    at, is_there = places_of(history, window)
    if isinstance(at, slice):
        at = np.arange(at.start, at.stop)
    if is_there is not None:
        at = at[is_there]
    if not at.size:
        return None
    at = at[:: max(1, math.ceil(at.size * window.rows / _SAMPLE))]
    sizes = _sizes(history, window, at)
    offsets = (window.top_row - history.bases[at])[:, None] - np.arange(window.rows)
    resting = sizes[(sizes > 0) & (offsets >= 0) & (offsets < history.rows)]
    if not resting.size:
        return None
    place = int(SHARE * (resting.size - 1))
    return float(np.partition(resting, place)[place])


def next_cap(shown: float, sampled: float | None) -> float:
    """The cap to use: the one that is shown until the sampled one is clearly another."""
    if sampled is None or abs(sampled - shown) <= _CHANGED * shown:
        return shown
    return sampled


def ring_of(history: HeatmapHistory, window: Window) -> slice | Ints:
    """Where a window's slots are in a history's arrays."""
    begin, count = window.first_slot % history.capacity, window.slot_count
    if begin + count <= history.capacity:
        return slice(begin, begin + count)  # taking a stretch costs a fraction of taking places one by one
    return np.arange(begin, begin + count) % history.capacity


def places_of(history: HeatmapHistory, window: Window) -> Places:
    """Look up the slots of a window."""
    at = ring_of(history, window)
    if history.is_unbroken(window.first_slot, window.first_slot + window.slot_count):
        return Places(at, None)
    slots, oldest = _slots(window), history.oldest_slot
    is_there = history.slots[at] == slots
    if oldest is not None:
        is_there &= slots >= oldest  # a place that no newer column has taken
    return Places(at, None if False not in is_there.tolist() else is_there)


def _slots(window: Window) -> Ints:
    return np.arange(window.first_slot, window.first_slot + window.slot_count)


def _sizes(history: HeatmapHistory, window: Window, at: slice | Ints) -> Ints | Floats | npt.NDArray[np.uint32]:
    # Sizes by place and row. What lies outside a column's rows is anything: it is not known either.
    length = history.rows
    if isinstance(at, slice):
        if window.slot_count == 1:
            end = window.top_row - int(history.bases[at.start]) + 1
            if window.rows <= end <= length:  # a single column is a stretch of memory, upside down
                return history.sizes[at, end - window.rows : end][:, ::-1]
        at = np.arange(at.start, at.stop)
    starts = at * length - history.bases[at]
    rows = np.arange(window.top_row, window.top_row - window.rows, -1)
    return history.sizes.reshape(-1).take(starts[:, None] + rows, mode="clip")
