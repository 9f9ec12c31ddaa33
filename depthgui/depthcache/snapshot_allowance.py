"""How often, and how large, repeated snapshots may be: what limits resyncs is the budget of request weight.

A symbol may spend a tenth of what the venue allows a minute, and repeated snapshots of all symbols together may bring
what is spent to half of it. While there is room they are asked for at once. When many are needed they get smaller,
since a snapshot of 100 levels weighs a tenth of one of 1000: the best prices are right again soon, and the rest is
fetched once it is calm. Times in seconds, weights in the venue's units. No clock.
"""

from __future__ import annotations

from depthgui.binance.limits import MarketLimits, SlidingWindow, WeightBudget

SYMBOL_SHARE = 0.1
POOL_SHARE = 0.48  # listings and clocks have their part of the half
_PERIOD_S = 60.0
_PACE_S = 10.0
# More of the same are expected until the period is over; with a margin, so that what is left lasts.
_EXPECTED = 1.5 * _PERIOD_S / _PACE_S
_EXPECTED_LEAST = 20.0
_PART_OF_SYMBOL = 1 / 6


class RepeatPool:
    """What the repeated snapshots of all symbols share whose requests count against one budget."""

    def __init__(self, budget: WeightBudget) -> None:
        """Start with nothing spent."""
        self.budget = budget
        self._pace = SlidingWindow(float("inf"), _PACE_S)

    def note(self, now_s: float) -> None:
        """Count one request."""
        self._pace.spend(1, now_s)

    def weight_share(self, now_s: float) -> float:
        """Weight that one request may take so that as many as now come can go on."""
        left = self.budget.limit * POOL_SHARE - self.budget.used(now_s)
        return left / max(self._pace.used(now_s) * _EXPECTED, _EXPECTED_LEAST)

    def wait_s(self, weight: int, now_s: float) -> float:
        """Seconds until there is room for a request of `weight`."""
        return self.budget.wait_for_share_s(weight, POOL_SHARE, now_s)


class SnapshotAllowance:
    """The allowance of one symbol."""

    def __init__(self, limits: MarketLimits, pool: RepeatPool) -> None:
        """Start with nothing spent."""
        self._limits = limits
        self._pool = pool
        self._spent = SlidingWindow(pool.budget.limit * SYMBOL_SHARE, _PERIOD_S)

    def spend(self, levels: int, now_s: float, *, is_repeat: bool = False) -> None:
        """Count a snapshot of `levels` a side as asked for."""
        self._spent.spend(self._limits.snapshot_weight(levels), now_s)
        if is_repeat:
            self._pool.note(now_s)

    def levels(self, wanted: int, now_s: float) -> int:
        """Number of levels a side to ask for, `wanted` at most."""
        self._spent.capacity = self._pool.budget.limit * SYMBOL_SHARE  # the venue may have stated another limit
        left = (self._spent.capacity - self._spent.used(now_s)) * _PART_OF_SYMBOL
        most = min(left, self._pool.weight_share(now_s))
        sizes = self._sizes(wanted)
        return next((size for size, weight in sizes if weight <= most), sizes[-1][0])

    def wait_s(self, levels: int, now_s: float) -> float:
        """Seconds until a snapshot of `levels` a side may be asked for; 0 while there is room."""
        weight = self._limits.snapshot_weight(levels)
        return max(self._spent.wait_s(weight, now_s), self._pool.wait_s(weight, now_s))

    def _sizes(self, wanted: int) -> list[tuple[int, int]]:
        """Sizes no larger than `wanted` with their weights, the largest first; each is the most that a weight buys."""
        most = self._limits.snapshot_limit(wanted)
        smaller = [size for size, _ in self._limits.snapshot_weights if size < most]
        return [(size, self._limits.snapshot_weight(size)) for size in (most, *reversed(smaller))]
