"""The venue's limits: request weights, message and connection rates, and a budget that stays below them.

Source: the venue's "Limits" pages and the weights on the order book endpoints. Where the venue states a number at run
time (`rateLimits` of exchangeInfo, the used-weight header), that number wins. No clock: time is an argument.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import MappingProxyType

from depthgui.binance.endpoints import Market

_SPOT_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
_DERIVATIVE_WEIGHTS = ((50, 2), (100, 5), (500, 10), (1000, 20))
_DERIVATIVE_LIMITS = (5, 10, 20, 50, 100, 500, 1000)


class WeightPool(enum.Enum):
    """Markets whose requests count against one budget an address. USD-M and COIN-M have shared one since June 2026."""

    SPOT = "spot"
    FUTURES = "futures"
    OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class MarketLimits:
    """What one market allows. `snapshot_limits` are the numbers of levels that may be asked for, None for any."""

    pool: WeightPool

    weight_per_minute: int
    snapshot_weights: tuple[tuple[int, int], ...]
    snapshot_limits: tuple[int, ...] | None
    exchange_info_weight: int
    streams_per_socket: int
    control_messages_per_second: int

    def snapshot_limit(self, wanted: int) -> int:
        """Number of levels to ask for in order to get at least `wanted`, or the most there is."""
        most = self.snapshot_weights[-1][0]
        if self.snapshot_limits is None:
            return min(max(wanted, 1), most)
        return next((limit for limit in self.snapshot_limits if limit >= wanted), most)

    def snapshot_weight(self, limit: int) -> int:
        """Weight of a snapshot of `limit` levels a side."""
        return next((weight for up_to, weight in self.snapshot_weights if limit <= up_to), self.snapshot_weights[-1][1])


MARKET_LIMITS = MappingProxyType(
    {
        Market.SPOT: MarketLimits(WeightPool.SPOT, 6000, _SPOT_WEIGHTS, None, 20, 1024, 5),
        # Others report that sockets with more than 200 streams are slow on the derivatives.
        Market.USDM: MarketLimits(WeightPool.FUTURES, 2400, _DERIVATIVE_WEIGHTS, _DERIVATIVE_LIMITS, 1, 200, 10),
        Market.COINM: MarketLimits(WeightPool.FUTURES, 2400, _DERIVATIVE_WEIGHTS, _DERIVATIVE_LIMITS, 1, 200, 10),
        Market.OPTIONS: MarketLimits(WeightPool.OPTIONS, 2400, _DERIVATIVE_WEIGHTS, _DERIVATIVE_LIMITS[1:], 1, 200, 10),
    }
)

CONNECTS_PER_5_MINUTES = 300
SOCKET_LIFE_S = 24 * 3600.0


class SlidingWindow:
    """At most `capacity` units in any `period_s` seconds."""

    def __init__(self, capacity: float, period_s: float) -> None:
        """Start with nothing spent."""
        self.capacity = capacity
        self.period_s = period_s
        self._spent: deque[tuple[float, float]] = deque()  # when it is over, and how much
        self._total = 0.0

    def used(self, now_s: float) -> float:
        """Units spent within the last period."""
        while self._spent and self._spent[0][0] <= now_s:
            self._total -= self._spent.popleft()[1]
        return self._total

    def wait_s(self, units: float, now_s: float, *, capacity: float | None = None) -> float:
        """Seconds until `units` may be spent; more than the whole capacity may be spent once nothing else is.

        `capacity` stands for the window's own where a spender is to leave more room.
        """
        capacity = self.capacity if capacity is None else capacity
        free = capacity - self.used(now_s)
        needed = min(units, capacity)
        wait_s = 0.0
        for over_s, spent in self._spent:
            if free >= needed:
                break
            free += spent
            wait_s = over_s - now_s
        return wait_s

    def spend(self, units: float, now_s: float) -> None:
        """Count `units` as spent now."""
        self._spent.append((now_s + self.period_s, units))
        self._total += units

    async def take(self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[object]]) -> None:
        """Spend one unit as soon as it may be spent; the caller brings the clock and the way to sleep."""
        wait_s = self.wait_s(1, clock())
        while wait_s > 0:
            await sleep(wait_s)
            wait_s = self.wait_s(1, clock())
        self.spend(1, clock())


class WeightBudget:
    """Request weight of one pool, kept below a share of what the venue allows per minute.

    Weight that others on the same address spend shows in the used-weight header and is counted as well.
    """

    def __init__(self, weight_per_minute: int, share: float = 0.75) -> None:
        """Start with nothing spent; `share` leaves room for other programs and for what the venue counts otherwise."""
        self._share = share
        self._window = SlidingWindow(weight_per_minute * share, 60.0)
        self._blocked_until_s = 0.0
        self.limit = weight_per_minute

    @property
    def blocked_until_s(self) -> float:
        """Time before which nothing may be sent, after a 429 or 418."""
        return self._blocked_until_s

    def set_limit(self, weight_per_minute: int) -> None:
        """Take over what the venue states in exchangeInfo."""
        self.limit = weight_per_minute
        self._window.capacity = weight_per_minute * self._share

    def used(self, now_s: float) -> int:
        """Weight spent in the last minute."""
        return int(self._window.used(now_s))

    def wait_s(self, weight: int, now_s: float) -> float:
        """Seconds until a request of `weight` may be sent."""
        return max(self._window.wait_s(weight, now_s), self._blocked_until_s - now_s, 0.0)

    def wait_for_share_s(self, weight: int, share: float, now_s: float) -> float:
        """Seconds until a request of `weight` keeps what is spent within `share` of what the venue allows."""
        return self._window.wait_s(weight, now_s, capacity=self.limit * share)

    def spend(self, weight: int, now_s: float) -> None:
        """A request of `weight` is being sent."""
        self._window.spend(weight, now_s)

    def observe(self, used: int, now_s: float) -> None:
        """The venue says that `used` was spent in its running minute."""
        unknown = used - self._window.used(now_s)
        if unknown > 0:
            self._window.spend(unknown, now_s)

    def block(self, retry_after_s: float, now_s: float) -> None:
        """The venue refused with 429 or 418: send nothing for `retry_after_s` seconds."""
        self._blocked_until_s = max(self._blocked_until_s, now_s + retry_after_s)
