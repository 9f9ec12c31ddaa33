"""The venue's limits: request weights and their budget per minute, bans, connects, and messages from a client.

Figures of protocol.md section 4. Time is an argument everywhere.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from depthgui.binance.endpoints import Market

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class VenueLimits:
    """What one market allows. `depth_weights` are pairs of (largest limit, weight), in ascending order."""

    depth_weights: tuple[tuple[int, int], ...]
    depth_limits: frozenset[int] | None  # None: any number up to the largest
    default_depth: int
    weight_per_minute: int
    exchange_info_weight: int
    streams_per_socket: int
    messages_per_s: int
    ping_every_s: float
    pong_within_s: float

    @property
    def largest_depth(self) -> int:
        """The most levels a side that a snapshot can have."""
        return self.depth_weights[-1][0]

    def depth_weight(self, limit: int) -> int:
        """The request weight of a snapshot with so many levels a side."""
        return next((weight for top, weight in self.depth_weights if limit <= top), self.depth_weights[-1][1])


_FUTURES_WEIGHTS = ((50, 2), (100, 5), (500, 10), (1000, 20))


def venue_limits(market: Market) -> VenueLimits:
    """The limits of a market as the venue has them."""
    if market is Market.SPOT:
        weights = ((100, 5), (500, 25), (1000, 50), (5000, 250))
        return VenueLimits(weights, None, 100, 6000, 20, 1024, 5, 20, 60)
    if market is Market.OPTIONS:
        limits = frozenset({10, 20, 50, 100, 500, 1000})
        return VenueLimits(_FUTURES_WEIGHTS, limits, 100, 2400, 1, 200, 10, 300, 900)
    limits = frozenset({5, 10, 20, 50, 100, 500, 1000})
    return VenueLimits(_FUTURES_WEIGHTS, limits, 500, 2400, 1, 1024, 10, 180, 600)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is not served: 429 until the minute is over, or 418 until the ban is."""

    status: int
    retry_after_s: int
    until_ms: int


@dataclass(slots=True)
class _Usage:
    minute: int = 0
    weight: int = 0
    refused: int = 0
    banned_until_ms: int = 0


class WeightBudget:
    """Request weight of one market, per client address and minute.

    Going on after a 429 earns a ban: after `patience` refused requests, for `ban_s` seconds.
    """

    def __init__(self, limit: int, *, patience: int = 10, ban_s: int = 120) -> None:
        self.limit = limit
        self._patience = patience
        self._ban_ms = ban_s * 1000
        self._usage: dict[str, _Usage] = {}

    def charge(self, address: str, weight: int, now_ms: int) -> Refusal | None:
        """Count a request; say why it is refused, or None."""
        usage = self._usage_now(address, now_ms)
        if now_ms < usage.banned_until_ms:
            return self._refusal(418, usage.banned_until_ms, now_ms)
        usage.weight += weight
        if usage.weight <= self.limit:
            return None
        usage.refused += 1
        if usage.refused > self._patience:
            usage.banned_until_ms = now_ms + self._ban_ms
            return self._refusal(418, usage.banned_until_ms, now_ms)
        return self._refusal(429, (usage.minute + 1) * _MINUTE_MS, now_ms)

    def used(self, address: str, now_ms: int) -> int:
        """Weight used in this minute."""
        return self._usage_now(address, now_ms).weight

    def forget(self) -> None:
        """Start anew: nothing used, nobody banned."""
        self._usage.clear()

    def _usage_now(self, address: str, now_ms: int) -> _Usage:
        usage = self._usage.setdefault(address, _Usage())
        minute = now_ms // _MINUTE_MS
        if usage.minute != minute:
            usage.minute, usage.weight, usage.refused = minute, 0, 0
        return usage

    @staticmethod
    def _refusal(status: int, until_ms: int, now_ms: int) -> Refusal:
        return Refusal(status, max(1, -(-(until_ms - now_ms) // 1000)), until_ms)


class SlidingCount:
    """At most `limit` happenings within `window_ms`; `limit` 0 for no limit."""

    __slots__ = ("_limit", "_times", "_window_ms")

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit = limit
        self._window_ms = window_ms
        self._times: deque[int] = deque()

    def allows(self, now_ms: int) -> bool:
        """Count one more; True if that is still within the limit."""
        times = self._times
        while times and times[0] <= now_ms - self._window_ms:
            times.popleft()
        times.append(now_ms)
        return not self._limit or len(times) <= self._limit
