"""The exchange's own book against a list of copies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthgui.exchange.truth_book import TruthBook, best_first

CHANGES = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 6), st.one_of(st.none(), st.integers(1, 9))), max_size=40
)


@given(CHANGES, st.integers(0, 30))
def test_at_gives_back_every_former_state(changes, history) -> None:
    book: TruthBook[int, int] = TruthBook(100, history)
    states = {100: ({}, {})}
    for step, is_bid, key, size in changes:
        update_id = max(book.last_id + step, 101)
        book.set(update_id, is_bid, key, size)
        states[update_id] = (dict(book.bids), dict(book.asks))
    for update_id, state in states.items():
        if update_id >= book.oldest_id:
            assert book.at(update_id) == state


def test_too_long_ago_is_an_error() -> None:
    book: TruthBook[int, int] = TruthBook(100, 2)
    for update_id in range(101, 110):
        book.set(update_id, True, update_id, 1)
    assert book.at(108)[0].keys() == set(range(101, 109))
    with pytest.raises(LookupError, match="105"):
        book.at(105)


def test_nothing_is_known_from_before_a_replacement() -> None:
    book: TruthBook[int, int] = TruthBook(1, 10)
    book.set(2, True, 5, 5)
    book.replace(9, {1: 1}, {2: 2})
    assert book.at(9) == ({1: 1}, {2: 2})
    with pytest.raises(LookupError):
        book.at(2)


def test_best_first() -> None:
    side = {"9": "a", "10": "b", "8.5": "c"}
    assert best_first(side, is_bid=True, order=float, limit=2) == [("10", "b"), ("9", "a")]
    assert best_first(side, is_bid=False, order=float, limit=None) == [("8.5", "c"), ("9", "a"), ("10", "b")]
