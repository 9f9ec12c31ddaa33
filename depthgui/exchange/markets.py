"""The four markets and where each one's REST and streams live below the exchange's base address."""

from __future__ import annotations

from enum import Enum


class Market(Enum):
    """A market of the venue; the value is its path below the base address."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"
    OPTIONS = "options"
