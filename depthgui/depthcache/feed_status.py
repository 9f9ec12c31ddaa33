"""What a feed says of itself: its state, since when, and a sentence for a person."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from depthgui.book.errors import DepthGuiError


class FeedState(enum.StrEnum):
    """What the last known book is worth. Only LIVE means that it equals the exchange's."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """State, since when (event loop's seconds and wall clock), and a sentence for a person."""

    state: FeedState
    since_s: float
    since_wall_ms: int
    detail: str
    buffered: int = 0
    error: DepthGuiError | None = None


@dataclass(frozen=True, slots=True)
class RequestPause:
    """Why no request is sent to the venue at present, and for how many seconds more."""

    reason: str
    left_s: float

    def __str__(self) -> str:
        """A sentence such as "Binance asked to slow down (HTTP 429); requests go on in 12 s"."""
        return f"{self.reason}; requests go on in {_duration(self.left_s)}"


def _duration(seconds: float) -> str:
    whole = max(round(seconds), 1)
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
