"""From the heatmap's history to cells of one byte: how bright, empty, unknown, or a gap; and the scale of brightness.

A cell of several columns shows the largest of their sizes, and is unknown or a gap as soon as one of them is: nothing
is averaged, nothing interpolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from depthgui.ui.viewmodels.heatmap_history import Floats, HeatmapHistory, Ints

Codes = npt.NDArray[np.uint8]

EMPTY = 0
FULL = 253
"""Codes from 1 to this are sizes above zero; a size at or above the scale's cap has this one."""
UNKNOWN = 254
GAP = 255

_SHARE = 0.98  # quantile of the sizes on screen that is shown in full
_CHANGED = 0.2  # how far the cap must be off before everything is drawn with a new one
_SAMPLE = 16_384  # sizes that the percentile is taken of


@dataclass(frozen=True, slots=True)
class Window:
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


@dataclass(frozen=True, slots=True)
class Lines:
    """Lowest and highest best prices in each group, in rows as fractions; NaN in gaps. `stretch` is -1 in gaps."""

    bid_low: Floats
    bid_high: Floats
    ask_low: Floats
    ask_high: Floats
    stretch: Ints


def cells(history: HeatmapHistory, window: Window, newest_slot: int, cap: float) -> Codes:
    """Codes of a window, shape (rows, groups). `cap` is the size in units that is shown in full.

    Slots after `newest_slot` have not been yet, and those before the oldest column are not kept: both are empty.
    """
    at, is_there, slots = _places(history, window)
    offsets = (window.top_row - history.bases[at])[:, None] - np.arange(window.rows)
    in_window = (offsets >= 0) & (offsets < history.rows)
    sizes = history.sizes[at[:, None], np.where(in_window, offsets, 0)]
    absolute = window.top_row - np.arange(window.rows)
    known = (absolute >= history.lows[at][:, None]) & (absolute <= history.highs[at][:, None])
    shares = np.sqrt(np.minimum(sizes.astype(np.float32) / np.float32(max(cap, 1.0)), np.float32(1.0)))
    codes = np.ceil(shares * FULL).astype(np.uint8)
    codes[~known] = UNKNOWN
    codes[~is_there] = GAP
    oldest = history.oldest_slot
    codes[(slots > newest_slot) | (slots < (newest_slot + 1 if oldest is None else oldest))] = EMPTY
    if window.merge > 1:
        codes = codes.reshape(window.groups, window.merge, window.rows).max(axis=1)
    return np.ascontiguousarray(codes.T)


def lines(history: HeatmapHistory, window: Window) -> Lines:
    """Best prices of a window."""
    at, is_there, _ = _places(history, window)
    rows = np.where(is_there[:, None], history.bests[at], np.nan) / float(history.grid.step)
    stretches = np.where(is_there, history.stretches[at], -1)
    if window.merge == 1:
        return Lines(rows[:, 0], rows[:, 0], rows[:, 1], rows[:, 1], stretches)
    rows = rows.reshape(window.groups, window.merge, 2)
    # A comparison with NaN is false: fmin and fmax leave the slots out that are not there.
    low, high = np.fmin.reduce(rows, axis=1), np.fmax.reduce(rows, axis=1)
    stretch = stretches.reshape(window.groups, window.merge).max(axis=1)
    return Lines(low[:, 0], high[:, 0], low[:, 1], high[:, 1], stretch)


def sample_cap(history: HeatmapHistory, window: Window) -> float | None:
    """The robust largest size of a window in units: the 98th percentile of what rests there, None for nothing."""
    at, is_there, _ = _places(history, window)
    at = at[is_there]
    if not at.size:
        return None
    at = at[:: max(1, math.ceil(at.size * window.rows / _SAMPLE))]
    offsets = (window.top_row - history.bases[at])[:, None] - np.arange(window.rows)
    in_window = (offsets >= 0) & (offsets < history.rows)
    sizes = history.sizes[at[:, None], np.where(in_window, offsets, 0)]
    resting = sizes[in_window & (sizes > 0)]
    if not resting.size:
        return None
    place = int(_SHARE * (resting.size - 1))
    return float(np.partition(resting, place)[place])


def next_cap(shown: float, sampled: float | None) -> float:
    """The cap to use: the one that is shown until the sampled one is clearly another."""
    if sampled is None or abs(sampled - shown) <= _CHANGED * shown:
        return shown
    return sampled


@dataclass(frozen=True, slots=True)
class Bubbles:
    """Trades of a window, one for each column and side: slot, price in rows, share of the largest (0 to 1), side."""

    slots: Ints
    rows: Floats
    shares: Floats
    sides: Ints


def bubbles(history: HeatmapHistory, window: Window, most: int) -> Bubbles:
    """The `most` largest trades of a window, smallest first so that the largest are drawn on top."""
    at, is_there, slots = _places(history, window)
    sums = history.traded[at].ravel()
    found = np.flatnonzero(sums * np.repeat(is_there, 2))
    sizes = sums[found]
    where, sides = found >> 1, found & 1
    if sizes.size > most:
        chosen = np.argpartition(sizes, -most)[-most:]
        where, sides, sizes = where[chosen], sides[chosen], sizes[chosen]
    order = np.argsort(sizes, kind="stable")
    where, sides, sizes = where[order], sides[order], sizes[order]
    largest = sizes[int(_SHARE * (sizes.size - 1))] if sizes.size else 1.0
    rows = history.turnover[at[where], sides] / sizes / float(history.grid.step)
    return Bubbles(slots[where], rows, np.minimum(sizes / largest, 1.0), sides)


def _places(history: HeatmapHistory, window: Window) -> tuple[Ints, npt.NDArray[np.bool_], Ints]:
    slots = np.arange(window.first_slot, window.first_slot + window.slot_count, dtype=np.int64)
    at = slots % history.capacity
    oldest = history.oldest_slot
    return at, (history.slots[at] == slots) & (slots >= (0 if oldest is None else oldest)), slots
