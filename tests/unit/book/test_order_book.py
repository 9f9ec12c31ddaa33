"""The book of one symbol: what diffs do to it, and what it says of itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
from unit.book.making import as_numbers, book, diff, levels, snapshot

from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import Diff
from depthgui.book.order_book import OrderBook


def test_a_snapshot_is_the_book() -> None:
    made = OrderBook.from_snapshot("X", snapshot(7, "100.0x1 99.5x2", "101.0x3", limit=2, at=55), version=4)
    assert (made.symbol, made.last_update_id, made.version, made.event_time_ms) == ("X", 7, 4, 55)
    assert made.bids.levels() == levels("100.0x1 99.5x2")
    assert made.asks.levels() == levels("101.0x3")
    assert (made.coverage.low, made.coverage.high) == (Decimal("99.5"), None)


@pytest.mark.parametrize("as_keyed", [False, True])
def test_a_diff_sets_and_removes_and_moves_the_id(as_keyed: bool) -> None:
    made = book(1, "100.0x1 99.5x2", "101.0x3")
    change = diff(2, 5, "99.5x0.0 100.5x4.0", "101.0x3.5 102.0x0.0", at=77)
    made.apply(as_numbers(change, 1, 1) if as_keyed else change)
    assert made.bids.levels() == levels("100.5x4.0 100.0x1")
    assert made.asks.levels() == levels("101.0x3.5")
    assert (made.last_update_id, made.version, made.event_time_ms) == (5, 1, 77)


def test_a_price_may_change_sides() -> None:
    made = book(1, "100.0x1 99.5x2", "101.0x3")
    made.apply(diff(2, 2, "100.0x0", "100.0x5"))
    assert made.best_bid == ("99.5", "2")
    assert made.best_ask == ("100.0", "5")
    assert not made.is_crossed


@pytest.mark.parametrize(
    ("bids", "asks", "is_crossed"),
    [("100.0x1", "100.1x1", False), ("100.0x1", "100.0x1", True), ("100.1x1", "100.0x1", True), ("100.0x1", "", False)],
)
def test_crossed(bids: str, asks: str, is_crossed: bool) -> None:
    assert book(1, bids, asks).is_crossed is is_crossed


def test_best_spread_and_mid_are_exact() -> None:
    made = book(1, "0.00001234x1", "0.00001235x7.50")
    assert made.best_bid == ("0.00001234", "1")
    assert made.best_ask == ("0.00001235", "7.50")
    assert made.spread == Decimal("0.00000001")
    assert made.mid == Decimal("0.000012345")


def test_an_empty_side_has_no_spread() -> None:
    made = book(1, "100.0x1", "")
    assert made.best_ask is None
    assert made.spread is None
    assert made.mid is None


@pytest.mark.parametrize(
    ("bids", "asks"), [("90000000.00000001x1", "90000001.0x1"), ("90000000.0x1", "90000001.00000001x1")]
)
def test_both_sides_use_one_kind_of_key(bids: str, asks: str) -> None:
    whole = book(1, bids, asks)
    grown = book(1, "90000000.0x1", "90000001.0x1")
    grown.apply(diff(2, 2, bids, asks))
    for made in (whole, grown):
        assert made.bids.uses_decimal
        assert made.asks.uses_decimal
    assert whole.best_bid == levels(bids)[0]
    assert whole.best_ask == levels(asks)[0]


@pytest.mark.parametrize("bad", ["x", "", "-1.0", "1e5", "nan"])
@pytest.mark.parametrize("where", ["bid price", "bid size", "ask price", "ask size"])
def test_a_malformed_diff_changes_nothing(bad: str, where: str) -> None:
    made = book(1, "100.0x1", "101.0x3")
    level = (bad, "1") if where.endswith("price") else ("99.0", bad)
    good = levels("100.0x0 100.5x4")
    bids, asks = ([*good, level], levels("101.0x0")) if where.startswith("bid") else (good, [("101.0", "0"), level])
    with pytest.raises(MalformedMessageError):
        made.apply(Diff(2, 2, 2, bids, asks))
    assert made.bids.levels() == levels("100.0x1")
    assert made.asks.levels() == levels("101.0x3")
    assert (made.last_update_id, made.version) == (1, 0)


@pytest.mark.parametrize("bids", ["100.0xx", "ax1"])
def test_a_malformed_snapshot_is_refused(bids: str) -> None:
    with pytest.raises(MalformedMessageError):
        book(1, bids)


# keep_best and coverage


def test_keep_best_gives_up_the_claim_to_what_it_drops() -> None:
    made = book(1, "100.0x1 99.5x2 99.0x3", "101.0x1 101.5x2 102.0x3")
    made.keep_best(2)
    assert made.bids.levels() == levels("100.0x1 99.5x2")
    assert made.asks.levels() == levels("101.0x1 101.5x2")
    assert (made.coverage.low, made.coverage.high) == (Decimal("99.5"), Decimal("101.5"))
    assert not made.coverage.covers(99.0)


def test_keep_best_where_one_side_is_short() -> None:
    made = book(1, "100.0x1", "101.0x1 101.5x2 102.0x3")
    made.keep_best(2)
    assert (made.coverage.low, made.coverage.high) == (None, Decimal("101.5"))


def test_keep_best_never_widens_what_was_proven() -> None:
    made = book(1, "100.0x1 99.5x2", "101.0x1 101.5x2", limit=2)
    made.apply(diff(2, 2, "98.0x1 97.0x1", "105.0x1"))
    made.keep_best(3)
    assert made.bids.levels() == levels("100.0x1 99.5x2 98.0x1")
    assert (made.coverage.low, made.coverage.high) == (Decimal("99.5"), Decimal("101.5"))


# extend


def test_extend_takes_over_what_the_other_proves_beyond() -> None:
    mine = book(5, "100.0x1 99.5x2", "101.0x1 101.5x2", limit=2)
    other = book(5, "100.0x1 99.5x2 99.0x3", "101.0x1 101.5x2 102.0x4", limit=3)
    before = mine.version
    mine.extend(other)
    assert mine.bids.levels() == other.bids.levels()
    assert mine.asks.levels() == other.asks.levels()
    assert mine.coverage == other.coverage
    assert mine.version > before


def test_extend_leaves_out_what_the_other_only_happens_to_hold() -> None:
    mine = book(5, "100.0x1 99.5x2", "101.0x1", limit=2)
    other = book(4, "100.0x1 99.5x2 99.0x3", "101.0x1", limit=3)
    other.apply(diff(5, 5, "95.0x9"))
    mine.extend(other)
    assert ("99.0", "3") in mine.bids.levels()
    assert ("95.0", "9") not in mine.bids.levels()
    assert mine.coverage.low == Decimal("99.0")


def test_extend_with_a_range_that_does_not_touch() -> None:
    mine = book(5, "100.0x1 99.5x2", "101.0x1 101.5x2", limit=2)
    other = book(5, "89.0x1 88.5x2", "90.0x1 90.5x2", limit=2)
    mine.extend(other)
    assert mine.coverage == other.coverage
    assert ("89.0", "1") in mine.bids.levels()


@pytest.mark.parametrize("exact_is_mine", [True, False])
def test_extend_across_kinds_of_key(exact_is_mine: bool) -> None:
    exact = "90000000.00000001x1 90000000.0x5"
    usual = "90000000.0x5"
    mine = book(5, exact if exact_is_mine else usual, "90000001.0x1")
    other = book(5, usual if exact_is_mine else exact, "90000001.0x1")
    mine.extend(other)
    assert mine.bids.levels() == levels(exact)
    assert mine.asks.uses_decimal


def test_version_goes_up_with_each_change() -> None:
    made = book(1)
    seen = [made.version]
    for step in range(2, 6):
        made.apply(diff(step, step, f"{90 + step}.0x1"))
        seen.append(made.version)
    assert seen == sorted(set(seen))
