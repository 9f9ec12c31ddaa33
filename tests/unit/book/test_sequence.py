"""Which diff follows which book: the venue's own worked steps, number by number."""

from __future__ import annotations

import pytest
from unit.book.making import as_numbers, diff

from depthgui.book.sequence import DerivativeRules, SpotRules

SPOT, DERIVATIVE = SpotRules(), DerivativeRules()


@pytest.mark.parametrize(
    ("first_id", "last_id", "is_old", "continues", "is_behind"),
    [
        (90, 99, True, False, False),
        (95, 100, True, False, False),  # u <= lastUpdateId: dropped
        (100, 101, False, True, False),  # U <= id + 1 <= u, overlapping
        (95, 105, False, True, False),
        (101, 101, False, True, False),
        (101, 105, False, True, False),
        (102, 105, False, False, True),  # 101 is missing
        (102, 102, False, False, True),
        (150, 160, False, False, True),
    ],
)
def test_spot_at_id_100(first_id: int, last_id: int, is_old: bool, continues: bool, is_behind: bool) -> None:
    event = diff(first_id, last_id)
    assert SPOT.is_old(100, event) is is_old
    assert SPOT.continues(100, event) is continues
    assert SPOT.joins(100, event) is continues
    assert SPOT.is_behind(100, event) is is_behind


@pytest.mark.parametrize(
    ("previous", "first_id", "last_id", "is_old", "joins", "is_behind"),
    [
        (80, 85, 90, True, False, False),
        (90, 95, 99, True, False, False),  # u < lastUpdateId: dropped
        (90, 95, 100, True, True, False),  # u == lastUpdateId: repeats what the snapshot holds
        (90, 95, 105, False, True, False),  # U <= lastUpdateId <= u
        (90, 100, 105, False, True, False),
        (90, 102, 105, False, True, False),  # the snapshot lies between pu and U, among other symbols' ids
        (100, 104, 110, False, True, False),  # pu == lastUpdateId
        (101, 104, 110, False, False, True),  # the event that ended at 101 is missing
        (120, 121, 130, False, False, True),
    ],
)
def test_derivatives_join_a_snapshot_at_id_100(
    previous: int, first_id: int, last_id: int, is_old: bool, joins: bool, is_behind: bool
) -> None:
    event = diff(first_id, last_id, pu=previous)
    assert DERIVATIVE.is_old(100, event) is is_old
    assert DERIVATIVE.joins(100, event) is joins
    assert DERIVATIVE.is_behind(100, event) is is_behind


@pytest.mark.parametrize(
    ("previous", "first_id", "continues"),
    [(100, 101, True), (100, 177, True), (99, 101, False), (101, 102, False), (None, 101, False)],
)
def test_derivatives_continue_by_pu_alone(previous: int | None, first_id: int, continues: bool) -> None:
    assert DERIVATIVE.continues(100, diff(first_id, 200, pu=previous)) is continues


def test_derivatives_without_pu_never_join() -> None:
    event = diff(95, 105)
    assert not DERIVATIVE.joins(100, event)
    assert DERIVATIVE.is_behind(100, event)


def test_the_form_of_the_diff_makes_no_difference() -> None:
    for previous in (99, 100, 101):
        event = diff(95, 105, pu=previous)
        for rules in (SPOT, DERIVATIVE):
            for question in (rules.is_old, rules.continues, rules.joins, rules.is_behind):
                assert question(100, event) is question(100, as_numbers(event, 2))


def test_only_spot_has_ids_of_its_own() -> None:
    assert SPOT.has_own_ids
    assert not DERIVATIVE.has_own_ids
