"""The sync machine against a model exchange: by Hypothesis, which shrinks what it finds, and by long random walks."""

from __future__ import annotations

import os
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from property.world import LIMITS, Change, World

from depthgui.book import SyncLimits

SIZES = [Decimal(0), Decimal("0.25"), Decimal(1), Decimal("7.125")]
SPELLINGS = ["keyed", "keyed", "padded", "bare", "mixed"]
NONSENSE = ["", "x", "-1.0000", "1e5"]
WAITS = [0.1, 1.0, 1.0, 2.0, 5.0, 40.0, 100.0]
FATES = ["deliver"] * 8 + ["drop", "hold", "twice", "swap", "ticker", "garble"]

CHANGES = st.lists(st.tuples(st.booleans(), st.integers(180, 220), st.sampled_from(SIZES)), min_size=1, max_size=5)
SPELLED = st.sampled_from(SPELLINGS)


def flow(world: World, changes: list[Change], fate: str, spelling: str) -> None:
    """The exchange trades and sends; then something becomes of what is on the wire."""
    if fate == "ticker":
        world.trade(changes)
        world.tell_best_prices()
        world.send()
        world.deliver_all(spelling)
        return
    world.trade(changes)
    world.send()
    if fate == "deliver":
        world.deliver_all(spelling)
    elif fate == "drop":
        world.drop()
    elif fate == "twice":
        world.deliver_all(spelling)
        world.repeat(0, spelling)
    elif fate == "swap":
        world.trade([(True, 170, Decimal(len(world.delivered) + 1))])
        world.send()
        world.swap()
        world.deliver_all(spelling)
    elif fate == "garble":
        world.garble(NONSENSE[len(changes) % len(NONSENSE)], is_bid=changes[0][0])


class SyncMachine(RuleBasedStateMachine):
    """Rules are what the exchange and the network do."""

    is_spot = True

    def __init__(self) -> None:
        super().__init__()
        self.world = World(is_spot=self.is_spot)

    @initialize(
        limits=st.sampled_from(LIMITS), limit=st.sampled_from([2, 5, 100]), changes=CHANGES, starts_live=st.booleans()
    )
    def begin(self, limits: SyncLimits, limit: int, changes: list[Change], starts_live: bool) -> None:
        self.world = World(is_spot=self.is_spot, limits=limits, limit=limit)
        self.world.trade(changes)
        self.world.exchange.flush()
        if starts_live:
            self.world.settle(busy=True)

    @rule(steps=st.lists(st.tuples(CHANGES, st.sampled_from(FATES), SPELLED), min_size=1, max_size=4))
    def run(self, steps: list[tuple[list[Change], str, str]]) -> None:
        for changes, fate, spelling in steps:
            flow(self.world, changes, fate, spelling)
            self.world.check()

    @rule(spelling=SPELLED, seconds=st.sampled_from(WAITS))
    def deliver(self, spelling: str, seconds: float) -> None:
        self.world.deliver(spelling)
        self.world.wait(seconds)

    @rule(seconds=st.sampled_from(WAITS), times=st.integers(1, 4))
    def wait(self, seconds: float, times: int) -> None:
        for _ in range(times):
            self.world.wait(seconds)

    @rule(is_global=st.booleans(), spelling=SPELLED)
    def make_up_and_trade(self, is_global: bool, spelling: str) -> None:
        self.world.make_up(is_global=is_global, spelling=spelling)

    @rule(is_global=st.booleans(), spelling=SPELLED)
    def answer(self, is_global: bool, spelling: str) -> None:
        self.world.answer(is_global=is_global, spelling=spelling)

    @rule(is_global=st.booleans(), spelling=SPELLED, back=st.sampled_from([0, 0, 0, 1, 3, 10]))
    def answer_latest(self, is_global: bool, spelling: str, back: int) -> None:
        self.world.answer_latest(is_global=is_global, spelling=spelling, back=back)

    @rule(how=st.sampled_from(["answer_with_nonsense", "fail_to_answer"]))
    def answer_badly(self, how: str) -> None:
        getattr(self.world, how)()

    @rule(what=st.sampled_from(["connect", "lose", "want_refresh", "want_refresh", "want_resync", "tell_best_prices"]))
    def happen(self, what: str) -> None:
        getattr(self.world, what)()

    @rule(shift=st.integers(-40, 40), how=st.sampled_from(["move_market", "drift", "drift"]))
    def move(self, shift: int, how: str) -> None:
        getattr(self.world, how)(shift)

    @rule(ids=st.integers(1, 5))
    def idle(self, ids: int) -> None:
        self.world.idle(ids)

    @rule()
    def restart_ids(self) -> None:
        self.world.restart_ids()

    @invariant()
    def holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.settle(busy=True)
        self.world.settle(busy=False)


class SpotMachine(SyncMachine):
    is_spot = True


class DerivativeMachine(SyncMachine):
    is_spot = False


TestSpot = SpotMachine.TestCase
TestSpot.settings = settings(stateful_step_count=40)
TestDerivatives = DerivativeMachine.TestCase
TestDerivatives.settings = settings(stateful_step_count=40)


def walk(world: World, rng: random.Random, steps: int) -> None:
    """Do `steps` random things, most of them ordinary."""
    bool_ = lambda: rng.random() < 0.5  # noqa: E731
    for _ in range(steps):
        spelling = rng.choice(SPELLINGS)
        common: dict[str, Any] = {"is_global": bool_(), "spelling": spelling}
        dice = rng.random()
        if dice < 0.55:
            changes = [(bool_(), rng.randint(180, 220), rng.choice(SIZES)) for _ in range(rng.randint(1, 4))]
            fates = FATES if rng.random() < 0.3 else ["deliver", "ticker"]
            flow(world, changes, rng.choice(fates), spelling)
        elif dice < 0.70:
            world.answer_latest(**common, back=rng.choice([0, 0, 0, 0, 2, 9]))
        elif dice < 0.74:
            world.make_up(**common)
        elif dice < 0.80:
            world.answer(**common)
        elif dice < 0.90:
            for _ in range(rng.choice([1, 1, 1, 3, 8])):
                world.wait(rng.choice(WAITS))
                if bool_():
                    world.answer_latest(**common)
                world.check()
        else:
            rare = rng.choice(RARE)
            if rare in {"move_market", "drift"}:
                getattr(world, rare)(rng.randint(-40, 40))
            elif rare == "repeat":
                world.repeat(rng.randint(0, 5), spelling)
            elif rare == "idle":
                world.idle(rng.randint(1, 5))
            else:
                getattr(world, rare)()
        world.check()


RARE = [
    *("connect", "connect", "connect", "lose", "drop", "swap", "repeat", "repeat", "want_refresh", "want_refresh"),
    *("want_resync", "tell_best_prices", "move_market", "drift", "drift", "idle", "restart_ids"),
    *("answer_with_nonsense", "fail_to_answer"),
]
WALKS = 40 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 4


@pytest.mark.parametrize("limits", LIMITS, ids=["usual", "narrow", "hasty"])
@pytest.mark.parametrize("is_spot", [True, False], ids=["spot", "derivative"])
def test_long_random_walks(is_spot: bool, limits: SyncLimits) -> None:
    for seed in range(WALKS):
        rng = random.Random(seed)
        world = World(is_spot=is_spot, limits=limits, limit=rng.choice([2, 5, 100]))
        try:
            for _ in range(4):
                world.settle(busy=True)
                walk(world, rng, 150)
                world.settle(busy=False)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
