"""Comparisons with the venue's word."""

from __future__ import annotations

import pytest
from unit.book.making import best, book, diff

from depthgui.book.audit import (
    AuditSource,
    Difference,
    PendingTickers,
    compare_best,
    compare_books,
    touch_left_coverage,
)
from depthgui.book.levels import Side
from depthgui.book.messages import BestPrices

BID, ASK = Side.BID, Side.ASK


# bookTicker


def test_equal_best_prices_agree_as_numbers() -> None:
    result = compare_best(book(5, "100.0x1", "101.0x2"), best(5, "100.00x1.000", "101x2"), 9.5)
    assert result.agrees
    assert (result.at_s, result.source, result.update_id, result.levels_compared) == (9.5, AuditSource.TICKER, 5, 2)


@pytest.mark.parametrize(
    ("bid", "ask", "difference"),
    [
        ("100.0x2", "101.0x2", Difference(BID, "100.0", "1", "2")),
        ("100.5x1", "101.0x2", Difference(BID, "100.5", None, "1")),
        ("99.0x1", "101.0x2", Difference(BID, "99.0", None, "1")),
        ("100.0x1", "101.0x3", Difference(ASK, "101.0", "2", "3")),
        ("100.0x1", "100.5x2", Difference(ASK, "100.5", None, "2")),
    ],
)
def test_a_best_price_or_size_that_differs(bid: str, ask: str, difference: Difference) -> None:
    assert compare_best(book(5, "100.0x1", "101.0x2"), best(5, bid, ask), 0.0).differences == (difference,)


def test_an_empty_side_is_told_by_a_size_of_zero() -> None:
    nothing = BestPrices(5, "0.00", "0.00", "101.0", "2")
    assert compare_best(book(5, "", "101.0x2"), nothing, 0.0).agrees
    assert compare_best(book(5, "100.0x1", "101.0x2"), nothing, 0.0).differences == (
        Difference(BID, "100.0", "1", None),
    )
    assert not compare_best(book(5, "", "101.0x2"), best(5, "100.0x1", "101.0x2"), 0.0).agrees


@pytest.mark.parametrize(
    ("bid", "ask", "left"),
    [
        ("100.0x1", "101.0x2", False),
        ("99.0x1", "101.0x2", False),  # we hold a better one, which should be gone: that is a difference
        ("102.5x1", "103.0x2", True),  # the market went up, out of what is known
        ("98.0x1", "98.5x2", True),
        ("100.0x1", "150.0x2", False),
        ("100.0x1", "0x0", False),
    ],
)
def test_a_touch_beyond_the_coverage(bid: str, ask: str, left: bool) -> None:
    made = book(5, "100.0x1 99.5x1", "101.0x2 101.5x1", limit=2)
    assert touch_left_coverage(made, best(6, bid, ask)) is left


def test_a_side_without_known_levels_has_lost_its_touch() -> None:
    made = book(5, "100.0x1 99.5x1", "101.0x2 101.5x1", limit=2)
    made.apply(diff(6, 6, "100.0x0 99.5x0"))
    assert touch_left_coverage(made, best(6, "95.0x1", "101.0x2"))
    assert not touch_left_coverage(made, best(6, "99.7x1", "101.0x2"))


# Shadow books


def test_equal_books_agree_and_every_level_counts() -> None:
    result = compare_books(book(5, "100.0x1 99.0x2", "101.0x3"), book(5, "100.00x1.0 99.0x2", "101.0x3"), 1.0)
    assert result.agrees
    assert (result.levels_compared, result.source) == (3, AuditSource.SNAPSHOT)


@pytest.mark.parametrize(
    ("bids", "difference"),
    [
        ("100.0x1 99.0x3", Difference(BID, "99.0", "2", "3")),
        ("100.0x1", Difference(BID, "99.0", "2", None)),
        ("100.0x1 99.5x4 99.0x2", Difference(BID, "99.5", None, "4")),
    ],
)
def test_a_level_that_differs_is_named(bids: str, difference: Difference) -> None:
    result = compare_books(book(5, "100.0x1 99.0x2"), book(5, bids), 0.0)
    assert not result.agrees
    assert result.differences == (difference,)


def test_what_neither_can_know_is_no_difference() -> None:
    ours = book(5, "100.0x1 99.0x2", "101.0x3", limit=2)
    theirs = book(5, "100.0x1 99.0x2 98.0x3 97.0x4", "101.0x3", limit=4)
    ours.apply(diff(6, 6, "96.0x5"))
    assert compare_books(ours, theirs, 0.0).agrees
    assert compare_books(theirs, ours, 0.0).agrees


def test_a_level_outside_our_coverage_is_compared_if_we_hold_it() -> None:
    ours = book(5, "100.0x1 99.0x2", "101.0x3", limit=2)
    ours.apply(diff(6, 6, "98.0x5"))
    theirs = book(6, "100.0x1 99.0x2 98.0x3", "101.0x3", limit=3)
    assert compare_books(ours, theirs, 0.0).differences == (Difference(BID, "98.0", "5", "3"),)


def test_a_level_that_only_we_hold_is_wrong_where_they_prove_its_absence() -> None:
    ours = book(5, "100.0x1 99.0x2", "101.0x3", limit=2)
    ours.apply(diff(6, 6, "97.0x5"))
    theirs = book(6, "100.0x1 99.0x2 96.0x3", "101.0x3", limit=3)
    assert compare_books(ours, theirs, 0.0).differences == (Difference(BID, "97.0", "5", None),)


def test_books_with_different_kinds_of_keys() -> None:
    ours = book(5, "90000000.00000001x1", "90000001.0x1")
    assert compare_books(ours, book(5, "90000000.00000001x1", "90000001.0x1"), 0.0).agrees
    assert not compare_books(ours, book(5, "90000000.0x1", "90000001.0x1"), 0.0).agrees


def test_only_the_first_twenty_differences_are_kept() -> None:
    many = " ".join(f"{price}.0x1" for price in range(10, 60))
    result = compare_books(book(5, many, ""), book(5, many.replace("x1", "x2"), ""), 0.0)
    assert (len(result.differences), result.levels_compared) == (20, 50)


# Tickers that wait


def test_the_ticker_at_exactly_the_id_is_taken_and_older_ones_forgotten() -> None:
    pending = PendingTickers()
    for update_id in (3, 5, 5, 8):
        pending.add(best(update_id, f"{update_id}.0x1"))
    assert pending.take(4) is None
    assert pending.take(5) == best(5, "5.0x1")
    assert pending.take(5) is None
    assert pending.take(8) == best(8, "8.0x1")


def test_only_the_latest_tickers_wait() -> None:
    pending = PendingTickers(capacity=3)
    for update_id in range(10):
        pending.add(best(update_id))
    assert pending.take(6) is None
    assert pending.take(7) is not None


def test_tickers_can_be_forgotten() -> None:
    pending = PendingTickers()
    pending.add(best(5))
    pending.clear()
    assert pending.take(5) is None
