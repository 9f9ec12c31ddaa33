"""Where knowledge ends."""

from __future__ import annotations

from decimal import Decimal

import pytest
from unit.book.making import snapshot

from depthgui.book.coverage import Coverage


def covering(low: str | None, high: str | None) -> Coverage:
    return Coverage(None if low is None else Decimal(low), None if high is None else Decimal(high))


@pytest.mark.parametrize(
    ("limit", "low", "high"),
    [(2, "99.5", "101.5"), (3, None, "102.0"), (4, None, None), (None, None, None), (1000, None, None)],
)
def test_a_side_with_fewer_levels_than_asked_for_is_complete(
    limit: int | None, low: str | None, high: str | None
) -> None:
    asks = "101.0x1 101.5x1 102.0x1" if limit != 2 else "101.0x1 101.5x1"
    assert Coverage.of(snapshot(1, "100.0x1 99.5x1", asks, limit=limit)) == covering(low, high)


def test_an_empty_side_is_complete() -> None:
    assert Coverage.of(snapshot(1, "", "101.0x1", limit=1)) == covering(None, "101.0")


@pytest.mark.parametrize("kind", [float, Decimal])
def test_the_ends_belong_to_it(kind: type) -> None:
    coverage = covering("99.5", "101.5")
    assert coverage.covers(kind("99.5"))
    assert coverage.covers(kind("101.5"))
    assert not coverage.covers(kind("99.4"))
    assert not coverage.covers(kind("101.6"))
    assert covering(None, "101.5").covers(kind("0.1"))
    assert covering("99.5", None).covers(kind("900000"))
    assert Coverage().covers(kind("1"))


@pytest.mark.parametrize(
    ("mine", "newer", "both"),
    [
        (("90", "110"), ("95", "120"), ("90", "120")),
        (("90", "110"), ("92", "105"), ("90", "110")),
        (("90", "110"), ("110", "120"), ("90", "120")),
        (("90", "110"), ("80", "90"), ("80", "110")),
        (("90", "110"), ("111", "120"), ("111", "120")),  # apart: what lies between is unknown
        (("90", "110"), ("70", "80"), ("70", "80")),
        ((None, "110"), ("95", "120"), (None, "120")),
        (("90", None), ("95", "120"), ("90", None)),
        ((None, None), ("95", "120"), (None, None)),
        ((None, "80"), ("95", "120"), ("95", "120")),
        (("130", None), ("95", "120"), ("95", "120")),
    ],
)
def test_union(
    mine: tuple[str | None, str | None], newer: tuple[str | None, str | None], both: tuple[str | None, str | None]
) -> None:
    assert covering(*mine).union(covering(*newer)) == covering(*both)


def test_dropping_levels_narrows_it_and_never_widens_it() -> None:
    assert covering(None, None).without_below(Decimal(95)) == covering("95", None)
    assert covering("97", None).without_below(Decimal(95)) == covering("97", None)
    assert covering("90", "110").without_above(Decimal(105)) == covering("90", "105")
    assert covering("90", "103").without_above(Decimal(105)) == covering("90", "103")
