"""The heatmap's trades: which are large enough to be drawn, and how large; and the scale of both."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from depthgui.ui.viewmodels.heatmap_cells import SHARE, Window, next_cap, places_of, ring_of
from depthgui.ui.viewmodels.heatmap_history import HeatmapHistory

_LEAST = float(np.nextafter(0.0, 1.0))


class TradeScale(msgspec.Struct, frozen=True):
    """Sums of a column and side from `smallest` on are drawn, those of `full` and more as large as can be.

    `full` 0 is a scale that was not sampled yet.
    """

    smallest: float = 0.0
    full: float = 0.0


class Bubble(NamedTuple):
    """The trades of one side in one column: their sum, and as its share of the largest (0 to 1); mean price in rows."""

    size: float
    share: float
    slot: int
    row: float
    side: int


def sample_scale(history: HeatmapHistory, window: Window, most: int) -> TradeScale | None:
    """The scale at which a window has `most` trades or, where equal ones are the smallest, a few more; None for none.

    The largest of them are left out of account, by the same share as the largest sizes.
    """
    at, is_there = places_of(history, window)
    traded = history.traded[at]
    sums = (traded if is_there is None else traded[is_there]).ravel()
    sums = sums[sums > 0]
    if not sums.size:
        return None
    smallest = 0.0
    if sums.size > most:
        sums = np.partition(sums, -most)[-most:]
        smallest = float(sums[0])
    place = int(SHARE * (sums.size - 1))
    return TradeScale(smallest, float(np.partition(sums, place)[place]))


def next_scale(shown: TradeScale, sampled: TradeScale | None) -> TradeScale:
    """The scale to use: what is shown stays until what was sampled is clearly another."""
    if sampled is None:
        return shown
    return TradeScale(next_cap(shown.smallest, sampled.smallest), next_cap(shown.full, sampled.full))


def bubbles(history: HeatmapHistory, window: Window, scale: TradeScale) -> list[Bubble]:
    """The trades of a window that `scale` has drawn, smallest first so that the largest are drawn on top."""
    found: list[Bubble] = []
    is_large = history.traded[ring_of(history, window)].ravel() >= max(scale.smallest, _LEAST)
    full = scale.full or _LEAST
    for place in is_large.nonzero()[0].tolist():
        slot, side = window.first_slot + (place >> 1), place & 1
        if history.has(slot):
            size, value = history.traded_at(slot, side)
            found.append(Bubble(size, 1.0 if size >= full else size / full, slot, value / size / history.step, side))
    found.sort()
    return found
