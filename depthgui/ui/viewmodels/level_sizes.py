"""Sizes of many levels as an array, for places and colours on screen: the one way in which they are read for that."""

from __future__ import annotations

from operator import itemgetter

import numpy as np
import numpy.typing as npt

from depthgui.book.levels import BookSide
from depthgui.book.spelling import PriceKey


def sizes_of(side: BookSide, keys: list[PriceKey]) -> npt.NDArray[np.float64]:
    """Sizes of the levels `keys` of a side, in their order."""
    found = itemgetter(*keys)(side.sizes) if len(keys) > 1 else [side.sizes[key] for key in keys]
    return np.fromiter(found, np.float64, len(keys))
