"""Weights and budgets: the venue's tables, and never more than allowed in any window."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthgui.binance.endpoints import Market
from depthgui.binance.limits import MARKET_LIMITS, SlidingWindow, WeightBudget


@pytest.mark.parametrize(
    ("market", "limit", "weight"),
    [
        *((Market.SPOT, limit, weight) for limit, weight in ((1, 5), (100, 5), (101, 25), (500, 25), (501, 50))),
        *((Market.SPOT, limit, weight) for limit, weight in ((1000, 50), (1001, 250), (5000, 250))),
        *((Market.USDM, limit, weight) for limit, weight in ((5, 2), (50, 2), (100, 5), (500, 10), (1000, 20))),
        *((Market.COINM, limit, weight) for limit, weight in ((50, 2), (100, 5), (500, 10), (1000, 20))),
        *((Market.OPTIONS, limit, weight) for limit, weight in ((10, 2), (100, 5), (1000, 20))),
    ],
)
def test_the_weight_of_a_snapshot(market: Market, limit: int, weight: int) -> None:
    assert MARKET_LIMITS[market].snapshot_weight(limit) == weight


@pytest.mark.parametrize(
    ("market", "wanted", "asked"),
    [
        (Market.SPOT, 1, 1),
        (Market.SPOT, 137, 137),
        (Market.SPOT, 0, 1),
        (Market.SPOT, 90_000, 5000),
        (Market.USDM, 1, 5),
        (Market.USDM, 137, 500),
        (Market.USDM, 5000, 1000),
        (Market.OPTIONS, 5, 10),
        (Market.OPTIONS, 1000, 1000),
    ],
)
def test_the_number_of_levels_that_may_be_asked_for(market: Market, wanted: int, asked: int) -> None:
    assert MARKET_LIMITS[market].snapshot_limit(wanted) == asked


def test_every_market_has_limits() -> None:
    assert set(MARKET_LIMITS) == set(Market)


# SlidingWindow


def test_a_window_frees_what_is_older_than_its_period() -> None:
    window = SlidingWindow(10, 60.0)
    window.spend(6, 0.0)
    window.spend(4, 30.0)
    assert window.used(59.9) == 10
    assert window.wait_s(1, 30.0) == 30.0
    assert window.wait_s(6, 30.0) == 30.0
    assert window.wait_s(7, 30.0) == 60.0
    assert window.used(60.0) == 4
    assert window.wait_s(6, 60.0) == 0.0
    assert window.used(90.0) == 0


def test_more_than_the_capacity_waits_until_nothing_else_is_spent() -> None:
    window = SlidingWindow(10, 60.0)
    assert window.wait_s(25, 0.0) == 0.0
    window.spend(25, 0.0)
    assert window.wait_s(1, 5.0) == 55.0
    assert window.wait_s(25, 5.0) == 55.0


# Pauses in whole microseconds: what is shorter than a clock's tick is lost in the sum of two floats.
PAUSES = st.integers(0, 70_000_000).map(lambda pause_us: pause_us / 1e6)
STEPS = st.lists(st.tuples(st.integers(1, 12), PAUSES), max_size=60)


@given(STEPS, st.integers(1, 40), st.sampled_from([1.0, 5.0, 60.0]))
def test_never_more_than_the_capacity_in_any_window(
    steps: list[tuple[int, float]], capacity: int, period_s: float
) -> None:
    """Whoever spends when he is told to never goes over it; and he is not told to wait longer than needed."""
    window = SlidingWindow(capacity, period_s)
    spent: list[tuple[float, int]] = []
    now_s = 0.0
    for units, pause_s in steps:
        now_s += pause_s
        wait_s = window.wait_s(units, now_s)
        if units <= capacity:
            running = sum(amount for at_s, amount in spent if at_s + period_s > now_s)
            assert (wait_s > 0) is (running + units > capacity)
        while wait_s > 0:  # as a caller does; a float's last digit may need a second turn
            now_s += max(wait_s, 1e-9)
            wait_s = window.wait_s(units, now_s)
        window.spend(units, now_s)
        spent.append((now_s, units))
    for index, (start_s, _) in enumerate(spent):
        inside = [units for at_s, units in spent[index:] if at_s < start_s + period_s * (1 - 1e-9)]
        assert sum(inside) <= capacity or len(inside) == 1


async def test_take_spends_one_as_soon_as_it_may() -> None:
    window = SlidingWindow(5, 1.0)
    now_s = 0.0
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        assert seconds > 0
        now_s += seconds
        await asyncio.sleep(0)

    for _ in range(12):
        await window.take(lambda: now_s, sleep)
        taken.append(now_s)
    assert taken == [0.0] * 5 + [1.0] * 5 + [2.0] * 2


# WeightBudget


def test_a_budget_keeps_a_share_free() -> None:
    budget = WeightBudget(6000)
    assert budget.limit == 6000
    for _ in range(18):
        assert budget.wait_s(250, 0.0) == 0.0
        budget.spend(250, 0.0)
    assert budget.used(0.0) == 4500
    assert budget.wait_s(5, 1.0) == 59.0


def test_what_others_spend_counts() -> None:
    budget = WeightBudget(1000)
    budget.spend(100, 0.0)
    budget.observe(90, 1.0)  # less than we know of: an older minute
    assert budget.used(1.0) == 100
    budget.observe(740, 2.0)
    assert budget.used(2.0) == 740
    assert budget.wait_s(20, 2.0) == 58.0  # until our own 100 are over
    assert budget.used(60.0) == 640


def test_a_refusal_blocks_and_a_shorter_one_does_not_unblock() -> None:
    budget = WeightBudget(1000)
    budget.block(120.0, 10.0)
    budget.block(5.0, 11.0)
    assert budget.blocked_until_s == 130.0
    assert budget.wait_s(1, 30.0) == 100.0
    assert budget.wait_s(1, 130.0) == 0.0


def test_the_venue_may_state_another_limit() -> None:
    budget = WeightBudget(6000, share=0.5)
    budget.spend(1500, 0.0)
    budget.set_limit(2000)
    assert budget.limit == 2000
    assert budget.wait_s(1, 1.0) == 59.0


@given(st.lists(st.tuples(st.sampled_from([5, 25, 50, 250]), st.floats(0.0, 20.0)), max_size=80))
def test_two_hundred_snapshots_stay_below_the_share(steps: list[tuple[int, float]]) -> None:
    budget = WeightBudget(600, share=0.75)
    sent: list[tuple[float, int]] = []
    now_s = 0.0
    for weight, pause_s in steps:
        now_s += pause_s
        while (wait_s := budget.wait_s(weight, now_s)) > 0:
            now_s += max(wait_s, 1e-9)
        budget.spend(weight, now_s)
        sent.append((now_s, weight))
    for start_s, _ in sent:
        assert sum(weight for at_s, weight in sent if start_s <= at_s < start_s + 59.999) <= 450
