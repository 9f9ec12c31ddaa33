"""One side of a book against a plain dictionary of Decimals, with prices of every shape that text allows."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from math import ulp
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from depthgui.binance.checked import plain_levels
from depthgui.binance.codec import DiffDecoder
from depthgui.book import BookSide, NumberDiff, OrderBook, Side, Spelling, price_key
from depthgui.book.errors import MalformedMessageError
from depthgui.book.spelling import is_number

DIGITS = st.text("0123456789", min_size=1, max_size=30)
ANY_NUMBER = st.one_of(
    DIGITS,
    st.builds("{}.{}".format, DIGITS, DIGITS),
    st.builds(lambda zeros, digits: f"0.{'0' * zeros}{digits}", st.integers(0, 420), DIGITS),
    st.builds(lambda digits, zeros: digits + "0" * zeros, DIGITS, st.integers(0, 420)),
)
# Few enough that the same price comes again, in one spelling or another.
FEW = st.integers(9_950, 10_050)
USUAL = st.builds(lambda cents: f"{cents / 100:.2f}", FEW)
RESPELLED = st.builds(
    lambda cents, lead, trail: "0" * lead + f"{Decimal(cents) / 100}" + ("0" * trail if cents % 10 else ""),
    FEW,
    st.integers(0, 2),
    st.integers(0, 20),
)
LONG = st.builds("{}.00000000000{}".format, st.integers(90, 110), st.integers(1, 9))
PRICES = st.one_of(USUAL, USUAL, USUAL, RESPELLED, LONG, ANY_NUMBER)
SIZES = st.one_of(
    st.sampled_from(["0", "0.000", "0.00000000", "00", "0." + "0" * 50, "1", "0.5", "00.5", "12.75000000"]), ANY_NUMBER
)
TYPICAL_SIZES = st.sampled_from(["0.000", "1.000", "12.750", "0.001"])


class SideMachine(RuleBasedStateMachine):
    """The model keeps, by exact price, the last texts that were not zero."""

    def __init__(self) -> None:
        super().__init__()
        self.side = BookSide(Side.BID)
        self.model: dict[Decimal, tuple[str, str]] = {}

    @initialize(side=st.sampled_from(Side))
    def begin(self, side: Side) -> None:
        self.side = BookSide(side)

    def expect(self, levels: list[tuple[str, str]]) -> None:
        for price, size in levels:
            if Decimal(size) == 0:
                self.model.pop(Decimal(price), None)
            else:
                self.model[Decimal(price)] = (price, size)

    def wanted(self, limit: int | None = None) -> list[tuple[str, str]]:
        best_first = sorted(self.model, reverse=self.side.side is Side.BID)
        return [self.model[price] for price in best_first[:limit]]

    @rule(levels=st.lists(st.tuples(USUAL, TYPICAL_SIZES), max_size=8))
    def apply_usual(self, levels: list[tuple[str, str]]) -> None:
        self.side.apply(levels)
        self.expect(levels)

    @rule(levels=st.lists(st.tuples(PRICES, SIZES), max_size=5))
    def apply_anything(self, levels: list[tuple[str, str]]) -> None:
        self.side.apply(levels)
        self.expect(levels)

    @rule(levels=st.lists(st.tuples(FEW, TYPICAL_SIZES), max_size=8))
    def apply_numbers(self, levels: list[tuple[int, str]]) -> None:
        self.side.apply_numbers([(cents / 100, float(size)) for cents, size in levels], Spelling(2, 3))
        self.expect([(f"{cents / 100:.2f}", size) for cents, size in levels])

    @rule(first=st.integers(0, 20_000), count=st.integers(1, 400), size=TYPICAL_SIZES)
    def apply_many(self, first: int, count: int, size: str) -> None:
        """Enough levels that only the best are kept sorted."""
        levels = [(f"{cents / 100:.2f}", size) for cents in range(first, first + count)]
        self.side.apply(levels)
        self.expect(levels)

    @rule(count=st.integers(1, 60))
    def eat(self, count: int) -> None:
        """Take the best levels away, as a moving market does."""
        levels = [(price, "0") for price, _ in self.wanted(count)]
        self.side.apply(levels)
        self.expect(levels)

    @rule()
    def use_decimal(self) -> None:
        self.side.use_decimal()

    @rule(count=st.integers(1, 200))
    def keep_best(self, count: int) -> None:
        best_first = sorted(self.model, reverse=self.side.side is Side.BID)
        worst = self.side.keep_best(count)
        assert (worst is None) is (len(best_first) <= count)
        assert worst is None or Decimal(self.side.price_text(worst)) == best_first[count - 1]
        self.model = {price: self.model[price] for price in best_first[:count]}

    @rule(limit=st.one_of(st.none(), st.integers(0, 300)))
    def read(self, limit: int | None) -> None:
        assert self.side.levels(limit) == self.wanted(limit)
        assert [Decimal(self.side.price_text(key)) for key in self.side.top(limit)] == [
            Decimal(price) for price, _ in self.wanted(limit)
        ]

    @rule(limit=st.integers(0, 20))
    def read_numbers(self, limit: int) -> None:
        assert self.side.numbers(limit) == [
            (float(price), float(size) or ulp(0.0)) for price, size in self.wanted(limit)
        ]

    @rule()
    def read_sizes(self) -> None:
        """Not after every step: sizes of the best levels are written to the dict when somebody asks for it."""
        assert len(self.side) == len(self.side.sizes) == len(self.model)
        assert {Decimal(self.side.price_text(key)): size for key, size in self.side.sizes.items()} == {
            price: float(size) or ulp(0.0) for price, (_, size) in self.model.items()
        }

    @invariant()
    def best(self) -> None:
        best = None if self.side.best is None else Decimal(self.side.price_text(self.side.best))
        assert best == (max if self.side.side is Side.BID else min)(self.model, default=None)


TestSide = SideMachine.TestCase


@given(ANY_NUMBER)
def test_a_key_is_exactly_its_price(text: str) -> None:
    key = price_key(text)
    assert Decimal(text) == (key if isinstance(key, Decimal) else Decimal(repr(key)))


@given(ANY_NUMBER, ANY_NUMBER)
def test_keys_sort_as_their_prices(one: str, other: str) -> None:
    side = BookSide(Side.ASK)
    side.apply([(one, "1"), (other, "1")])
    assert [Decimal(price) for price, _ in side.levels()] == sorted({Decimal(one), Decimal(other)})


@given(
    st.text(max_size=12) | st.from_regex(r"[-+0-9._eE ]{0,8}", fullmatch=True),
    st.sampled_from(["", "5", "1.50", "2.5"]),
)
def test_a_text_is_a_plain_number_or_refused(text: str, base: str) -> None:
    is_plain = text.replace(".", "", 1).isdecimal() and text.isascii() and text[0] != "." and text[-1] != "."
    for levels in ([(text, "1")], [("1.50", text)]):
        side = BookSide(Side.BID)
        if base:
            side.apply([(base, "1"), ("1.50", "1")])
        try:
            side.apply(levels)
        except MalformedMessageError:
            assert not is_plain
        else:
            assert is_plain


def depth_event(bids: list[Any], asks: list[Any]) -> bytes:
    return msgspec.json.encode({"e": "depthUpdate", "E": 7, "s": "X", "U": 1, "u": 2, "b": bids, "a": asks})


JSON_LEVELS = st.lists(
    st.tuples(
        st.one_of(USUAL, USUAL, PRICES, st.text(max_size=4)), st.one_of(TYPICAL_SIZES, SIZES, st.text(max_size=4))
    ),
    max_size=4,
)


@given(st.lists(st.tuples(JSON_LEVELS, JSON_LEVELS), min_size=1, max_size=5))
def test_a_diff_of_numbers_says_the_same_whatever_came_before(events: list[tuple[Any, Any]]) -> None:
    decoder = DiffDecoder()
    for bids, asks in events:
        try:
            event = decoder.decode(depth_event(bids, asks))
        except MalformedMessageError:
            texts = list(chain.from_iterable([*bids, *asks]))
            assert not all(is_number(text) and len(text) <= 60 for text in texts)
            continue
        plain = (plain_levels(bids), plain_levels(asks))
        assert msgspec.structs.astuple(event.as_text()) == (1, 2, 7, *plain, None)


@given(st.lists(st.tuples(USUAL, TYPICAL_SIZES), min_size=1, max_size=6))
def test_where_all_prices_are_spelled_alike_they_come_as_numbers(levels: list[tuple[str, str]]) -> None:
    assert isinstance(DiffDecoder().decode(depth_event(levels, [])), NumberDiff)
    assert isinstance(DiffDecoder().decode(depth_event([], levels)), NumberDiff)


@given(JSON_LEVELS, JSON_LEVELS, JSON_LEVELS, JSON_LEVELS)
def test_a_book_is_the_same_whichever_form_its_diffs_have(
    bids: list[tuple[str, str]],
    asks: list[tuple[str, str]],
    next_bids: list[tuple[str, str]],
    next_asks: list[tuple[str, str]],
) -> None:
    books = [OrderBook("X"), OrderBook("X")]
    failed = []
    for book, is_text in zip(books, (True, False), strict=True):
        try:
            for event in (
                DiffDecoder().decode(depth_event(bids, asks)),
                DiffDecoder().decode(depth_event(next_bids, next_asks)),
            ):
                book.apply(event.as_text() if is_text else event)
        except MalformedMessageError as error:
            failed.append(str(error))
        else:
            failed.append("")
    assert failed[0] == failed[1]
    if not failed[0]:
        assert books[0].bids.levels() == books[1].bids.levels()
        assert books[0].asks.levels() == books[1].asks.levels()
        assert books[0].bids.uses_decimal is books[0].asks.uses_decimal
        assert books[1].bids.uses_decimal is books[1].asks.uses_decimal
