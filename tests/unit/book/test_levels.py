"""One side of a book: exact text in and out, order, and what is refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from random import Random

import pytest
from unit.book.making import levels

from depthgui.book.errors import MalformedMessageError
from depthgui.book.levels import BookSide, Side
from depthgui.book.messages import NumberLevel, Spelling
from depthgui.book.spelling import price_key, usual_levels, usual_numbers


def side_of(text: str, side: Side = Side.BID) -> BookSide:
    made = BookSide(side)
    made.apply(levels(text))
    return made


# Texts


@pytest.mark.parametrize(
    "text",
    [
        "61737.63000000x1.54698000 61730.17000000x0.00100000",
        "58710.20x0.014 58710.10x1.000",
        "61773.6x1001 61773.5x412",
        "65x8.28 60x7.31",
        "1.01000x85782 1.00900x14455",
        "0.00001234x100.00 0.00000001x5.00",
    ],
)
def test_each_dialect_comes_back_to_the_letter(text: str) -> None:
    assert side_of(text).levels() == levels(text)


def test_bids_are_best_first_downwards_and_asks_upwards() -> None:
    shuffled = "101.5x1 99.5x2 100.0x3"
    assert [price for price, _ in side_of(shuffled, Side.BID).levels()] == ["101.5", "100.0", "99.5"]
    assert [price for price, _ in side_of(shuffled, Side.ASK).levels()] == ["99.5", "100.0", "101.5"]


@pytest.mark.parametrize("odd", ["100.5", "100.500", "0100.50", "00100.50", "100.50000000000000000000"])
def test_an_odd_spelling_is_kept_and_names_the_same_level(odd: str) -> None:
    side = side_of("100.50x1 99.00x2")
    side.apply([(odd, "7")])
    assert side.levels() == [(odd, "7"), ("99.00", "2")]
    side.apply([("100.50", "8")])
    assert side.levels() == [("100.50", "8"), ("99.00", "2")]


@pytest.mark.parametrize("odd", ["100.5", "100.500", "0100.50", "100.50"])
def test_any_spelling_removes_the_level(odd: str) -> None:
    side = side_of("100.50x1 99.00x2")
    side.apply([(odd, "0")])
    assert side.levels() == [("99.00", "2")]


def test_a_message_may_change_its_spelling_any_number_of_times() -> None:
    side = side_of("1.50x1")
    side.apply([("2.5", "1"), ("2.50", "0")] * 3000 + [("3.50", "4")])
    assert side.levels() == [("3.50", "4"), ("1.50", "1")]


def test_whole_numbers_after_decimals_and_the_other_way_round() -> None:
    assert side_of("100.5x1 101x2").levels() == [("101", "2"), ("100.5", "1")]
    assert side_of("101x2 100.5x1").levels() == [("101", "2"), ("100.5", "1")]


# Zero

ZEROS = ["0", "00", "0.0", "0.000", "0.00000000", "00.00", "000.0", "0." + "0" * 60]


@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize("price", ["100.50", "100.5", "100.50000000000000001"])
def test_zero_in_every_spelling_removes(zero: str, price: str) -> None:
    side = side_of("100.50x1 99.00x2")
    side.apply([(price, "3")])
    side.apply([(price, zero)])
    assert price not in dict(side.levels())
    assert ("99.00", "2") in side.levels()


@pytest.mark.parametrize("zero", ZEROS)
def test_removing_what_is_not_there_is_normal(zero: str) -> None:
    side = side_of("100.50x1")
    side.apply([("99.00", zero), ("101.00", zero)])
    assert side.levels() == [("100.50", "1")]


@pytest.mark.parametrize("size", ["0." + "0" * 11 + "1", "0." + "0" * 60 + "1", "0." + "0" * 400 + "1", "00.1", "01"])
def test_the_smallest_size_is_no_zero(size: str) -> None:
    side = side_of("100.50x1")
    side.apply([("100.50", size)])
    assert side.levels() == [("100.50", size)]


# Digits beyond a float


def test_sixteen_digits_change_the_keys_to_decimal_and_stay_exact() -> None:
    side = side_of("1000000.00000001x1 1000000.00000002x2")
    assert not side.uses_decimal
    side.apply(levels("90000000.00000001x3 90000000.00000002x4"))
    assert side.uses_decimal
    assert all(isinstance(key, Decimal) for key in side.top())
    assert side.levels() == levels("90000000.00000002x4 90000000.00000001x3 1000000.00000002x2 1000000.00000001x1")
    assert side.best == Decimal("90000000.00000002")


def test_sixteen_digits_without_a_point_are_too_many() -> None:
    side = side_of("9007199254740993x1 9007199254740992x2")
    assert side.levels() == levels("9007199254740993x1 9007199254740992x2")


def test_padding_is_no_digit() -> None:
    side = side_of("123456.12000000000x1")
    assert not side.uses_decimal
    assert side.levels() == levels("123456.12000000000x1")


@pytest.mark.parametrize(
    "text",
    [
        "9999999999999999",
        "9007199254740993",
        "1.0000000000000001",
        "1." + "0" * 35 + "1",  # more digits than decimal's default context keeps
        "9" * 400,
        "1" + "0" * 400,
        "0." + "0" * 400 + "1",
        "0." + "0" * 310 + "123456789012345",  # a float there has lost digits already
    ],
)
def test_a_key_is_the_price_and_nothing_near_it(text: str) -> None:
    assert Decimal(price_key(text)) == Decimal(text)
    side = BookSide(Side.ASK)
    side.apply([(text, "1")])
    assert side.levels() == [(text, "1")]


@pytest.mark.parametrize(
    "text", ["61737.63000000", "0.00001234", "999999999999999", "0", "0.0", "123456.1200000000000"]
)
def test_usual_prices_have_float_keys(text: str) -> None:
    key = price_key(text)
    assert isinstance(key, float)
    assert Decimal(repr(key)) == Decimal(text)


def test_use_decimal_keeps_texts_and_order_and_may_be_asked_twice() -> None:
    side = side_of("100.50x1 100.4x2 99.00x3")
    view = side.sizes
    before = side.levels()
    side.use_decimal()
    side.use_decimal()
    assert side.levels() == before == [("100.50", "1"), ("100.4", "2"), ("99.00", "3")]
    assert view[Decimal("100.4")] == 2.0
    assert side.sizes is view


# What is not a number

NOT_NUMBERS = [
    *("", " ", ".", "-1.00", "+1.00", "1_0.00", "1e5", "1.e5", "1e-2", "nan", "inf", "Infinity", "0x1", "1,00"),
    *(
        " 1.00",
        "1.00 ",
        "1.00\n",
        "1.",
        ".5",
        ".50",
        "1.2.3",
        "1..2",
        "\u0661.00",
        "\u00b2",
        "\ud800",
        "1.00\x00",
        "[]",
    ),
]


@pytest.mark.parametrize("text", NOT_NUMBERS)
@pytest.mark.parametrize("base", ["", "1.50x1", "5x1", "1.50x1 2.5x1", "1.50x1 90000000.00000001x1"])
def test_a_price_that_is_no_number_is_refused(text: str, base: str) -> None:
    side = side_of(base)
    before = side.levels()
    with pytest.raises(MalformedMessageError):
        side.apply([(text, "1")])
    assert side.levels() == before


@pytest.mark.parametrize("text", NOT_NUMBERS)
@pytest.mark.parametrize("base", ["", "1.50x1", "5x1", "1.50x1 2.5x1", "1.50x1 90000000.00000001x1"])
def test_a_size_that_is_no_number_is_refused(text: str, base: str) -> None:
    side = side_of(base)
    before = side.levels()
    with pytest.raises(MalformedMessageError):
        side.apply([("1.50", text)])
    assert side.levels() == before


def test_levels_after_a_refused_one_are_not_applied() -> None:
    side = side_of("1.50x1")
    with pytest.raises(MalformedMessageError):
        side.apply([("2.50", "1"), ("x", "1"), ("3.50", "1")])
    assert "3.50" not in dict(side.levels())


# Order kept through changes


@pytest.mark.parametrize("side", Side)
def test_the_top_after_many_changes(side: Side) -> None:
    made = BookSide(side)
    model: dict[int, str] = {}
    state = 12345
    for step in range(4000):
        state = (state * 1103515245 + 12345) % 2**31
        tick, size = state // 7 % 900, "0.000" if state % 3 == 0 else f"{state % 1000 + 1}.000"
        made.apply([(f"{1000 + tick / 10:.1f}", size)])
        if size == "0.000":
            model.pop(tick, None)
        else:
            model[tick] = size
        if step % 97 == 0:
            wanted = sorted(model, reverse=side is Side.BID)
            depth = step % 13 if step < 3000 else len(model)
            assert made.levels(depth) == [(f"{1000 + tick / 10:.1f}", model[tick]) for tick in wanted[:depth]]
            assert made.best == (1000 + wanted[0] / 10 if wanted else None)
            assert len(made) == len(model)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    "reads", [("levels",), ("top",), ("best", "sizes"), ("sizes", "many"), ("best", "top", "levels", "levels")]
)
@pytest.mark.parametrize("pause", [1, 3, 9, 10, 60, 200])
def test_the_order_is_right_however_often_it_is_asked_for(side: Side, reads: tuple[str, ...], pause: int) -> None:
    made = BookSide(side)
    model: dict[float, str] = {}
    random = Random(pause)
    for step in range(1200):
        middle = 1000 + step // 40  # the touch moves, so that the order runs short at one end
        changes = [
            (middle + random.randrange(-300, 300) / 4, random.choice(("0.00", "1.00", f"{step + 1}.50")))
            for _ in range(random.choice((1, 8, 30)))
        ]
        if step % 50:
            made.apply_numbers([(key, float(size)) for key, size in changes], Spelling(2, 2))
        else:
            made.apply([(f"{key:.2f}", size) for key, size in changes])
        if step == 600:
            made.apply([("1000.125", "1")])  # an odd spelling: the careful way, until it is gone
            made.apply([("1000.125", "0")])
        model.update(changes)
        model = {key: size for key, size in model.items() if size != "0.00"}
        if step % pause:
            continue
        wanted = sorted(model, reverse=side is Side.BID)
        for read in reads:
            if read == "best":
                assert made.best == (wanted[0] if wanted else None)
            elif read == "top":
                assert made.top(20) == wanted[:20]
            elif read == "sizes":
                assert (dict(made.sizes), len(made)) == ({key: float(size) for key, size in model.items()}, len(model))
            elif read == "many":
                assert made.numbers(400) == [(key, float(model[key])) for key in wanted[:400]]
            else:
                assert made.levels(20) == [(f"{key:.2f}", model[key]) for key in wanted[:20]]


def test_what_is_still_to_be_taken_out_of_the_dict_does_not_pile_up() -> None:
    side = side_of("3.0x1 2.0x1 1.0x1")
    for step in range(5000):
        assert side.best == 3.0
        side.apply([(f"2.{step % 9 + 1}", "5"), (f"2.{(step - 1) % 9 + 1}", "0")])
    assert len(side._gone) < 300
    assert len(side) == 4


def test_what_was_read_is_the_readers_own() -> None:
    side = side_of("3.0x1 2.0x1 1.0x1")
    read = side.levels(2)
    side.apply([("3.0", "7"), ("2.0", "0")])
    assert read == levels("3.0x1 2.0x1")
    side.levels(2).clear()
    assert side.levels(2) == levels("3.0x7 1.0x1")


@pytest.mark.parametrize("side", Side)
def test_the_best_of_a_side_that_was_eaten_up_from_the_touch(side: Side) -> None:
    prices = [f"{price}.0" for price in range(1000, 2000)]
    made = BookSide(side)
    made.apply([(price, "1") for price in prices])
    for price in prices[::-1] if side is Side.BID else prices:
        assert made.price_text(made.best) == price
        made.apply([(price, "0")])
    assert made.best is None
    assert made.levels() == []


def test_limits_of_top() -> None:
    side = side_of("3.0x1 2.0x1 1.0x1")
    assert side.top(0) == []
    assert side.top(-5) == []
    assert side.top(2) == [3.0, 2.0]
    assert side.top(99) == [3.0, 2.0, 1.0]
    assert BookSide(Side.ASK).top() == []


def test_an_empty_message_changes_nothing() -> None:
    side = side_of("3.0x1")
    side.apply([])
    assert side.levels() == [("3.0", "1")]
    empty = BookSide(Side.ASK)
    empty.apply([])
    assert empty.best is None


# keep_best


@pytest.mark.parametrize("side", Side)
def test_keep_best_drops_the_far_end(side: Side) -> None:
    made = BookSide(side)
    made.apply([(f"{price}.0", "1") for price in range(1, 301)])
    worst = made.keep_best(10)
    kept = [f"{price}.0" for price in (range(300, 290, -1) if side is Side.BID else range(1, 11))]
    assert [price for price, _ in made.levels()] == kept
    assert made.price_text(worst) == kept[-1]
    assert len(made) == 10
    made.apply([("150.0", "2")])
    assert made.levels()[-1] == ("150.0", "2")


def test_keep_best_of_enough_drops_nothing() -> None:
    side = side_of("3.0x1 2.0x1")
    assert side.keep_best(2) is None
    assert len(side) == 2


def test_keep_best_forgets_odd_texts_of_what_it_drops() -> None:
    side = side_of("3.00x1 2.0x1 1.00x1")
    side.keep_best(1)
    side.apply([("2.00", "5")])
    assert side.levels() == [("3.00", "1"), ("2.00", "5")]


# Prices that are numbers already


def test_keyed_levels_are_the_same_levels() -> None:
    side = side_of("100.50x1 99.00x2")
    side.apply_numbers([(99.0, 0.0), (101.25, 4.0)], Spelling(2, 0))
    assert side.levels() == [("101.25", "4"), ("100.50", "1")]


@pytest.mark.parametrize("base", ["", "5x1", "1.5x1", "1.50x1 2.5x1", "1.50x1 90000000.00000001x1"])
def test_keyed_levels_of_another_spelling(base: str) -> None:
    side = side_of(base)
    rest = [level for level in side.levels() if float(level[0]) != 1.5]
    side.apply_numbers([(1.5, 9.25), (3.25, 1.0), (3.25, 0.0)], Spelling(2, 3))
    assert side.levels() == [*rest, ("1.50", "9.250")]
    side.apply_numbers([(1.5, 8.0)], Spelling(2, 3))
    assert side.levels() == [*rest, ("1.50", "8.000")]


def test_an_odd_level_that_a_usual_one_replaces_is_odd_no_longer() -> None:
    side = side_of("100.50x1.0 99.00x2.0 98.00x3.0")
    side.apply([("100.5", "7"), ("99.00", "2"), ("98.00", "12345678901234567.5")])
    assert set(side.odd) == {100.5, 99.0, 98.0}
    assert side.levels() == [("100.5", "7"), ("99.00", "2"), ("98.00", "12345678901234567.5")]
    side.apply_numbers([(100.5, 7.0), (99.0, 0.0)], Spelling(2, 1))
    assert side.levels() == [("100.50", "7.0"), ("98.00", "12345678901234567.5")]
    assert set(side.odd) == {98.0}


def test_an_empty_side_takes_the_spelling_of_what_comes() -> None:
    side = side_of("100.50x1")
    side.apply([("100.50", "0")])
    side.apply_numbers([(7.125, 2.5)], Spelling(3, 1))
    assert (side.levels(), dict(side.odd)) == ([("7.125", "2.5")], {})
    side.apply([("7.125", "0")])
    side.apply([("8", "2.25")])
    assert (side.levels(), dict(side.odd)) == ([("8", "2.25")], {})


# Sizes


def test_sizes_are_numbers_and_come_back_as_they_were_written() -> None:
    side = side_of("100.50x1.250 99.00x0.001")
    assert dict(side.sizes) == {100.5: 1.25, 99.0: 0.001}
    assert side.size_text(99.0) == "0.001"
    assert side.level(100.5) == ("100.50", "1.250")
    with pytest.raises(KeyError):
        side.size_text(1.0)


@pytest.mark.parametrize(
    "size",
    [
        "1234567.12345678",
        "12345678.12345678",  # 16 digits
        "123456789012345678.00000000",
        "9007199254740993.00000000",  # between two floats
        "9" * 400 + ".00000000",
        "0.1",
        "00.10000000",
        "0." + "0" * 400 + "1",
    ],
)
def test_a_size_of_any_length_comes_back_to_the_letter(size: str) -> None:
    side = side_of("100.50x1.00000000")
    side.apply([("99.00", size)])
    assert side.levels() == [("100.50", "1.00000000"), ("99.00", size)]
    assert side.size_text(99.0) == size
    assert side.numbers() == [(100.5, 1.0), (99.0, float(size) or 5e-324)]
    side.apply([("99.00", "0.00000000")])
    assert side.levels() == [("100.50", "1.00000000")]


USUAL = [
    (2, 0, '[["100.50","1"],["99.00","0"]]'),
    (0, 1, '[["100","1.5"]]'),
    (8, 8, '[["61737.63000000","1.54698000"]]'),
    (8, 8, '[["9999999.12345678","0.00000000"]]'),
    (8, 8, '[["0.00001234","123456789012345.00000000"]]'),  # of so many digits zeros don't count
    (2, 3, "[]"),
]
UNUSUAL = [
    *(
        (2, 0, f'[["{price}","1"]]')
        for price in ("100.5", "100.500", "0100.50", "00.50", ".50", "1", "-1.00", "", "1e1.00", "1e1", " 1.00")
    ),
    *(
        (2, 1, f'[["1.00","{size}"]]')
        for size in ("", ".", "1", "1.", ".5", "00", "00.1", "1.2.3", "-1.0", "1e5", "0.55", "0." + "0" * 41)
    ),
    (8, 8, '[["99999999.12345678","0.00000000"]]'),  # 16 digits
    (8, 8, '[["1.00000000","99999999.12345678"]]'),
    (8, 8, '[["1.00000000","1234567890123456.00000000"]]'),
    (15, 0, '[["0.123456789012345","1"]]'),
    (0, 15, '[["1","0.123456789012345"]]'),
    (-1, 0, "[]"),
]


@pytest.mark.parametrize(("price_decimals", "size_decimals", "text"), USUAL)
def test_usual_levels(price_decimals: int, size_decimals: int, text: str) -> None:
    assert re.fullmatch(usual_levels(Spelling(price_decimals, size_decimals)), text)
    levels: list[tuple[str, str]] = [(price, size) for price, size in json.loads(text)]
    numbers: list[NumberLevel] | None = [(float(price), float(size)) for price, size in levels]
    assert usual_numbers(levels, Spelling(price_decimals, size_decimals)) == numbers


@pytest.mark.parametrize(("price_decimals", "size_decimals", "text"), UNUSUAL)
def test_unusual_levels(price_decimals: int, size_decimals: int, text: str) -> None:
    levels = [(price, size) for price, size in json.loads(text)]
    assert usual_numbers(levels, Spelling(price_decimals, size_decimals)) is None


@pytest.mark.parametrize("text", ['[["1.00","1"],,["2.00","1"]]', '[["1.00"]]', '[[1.00,"1"]]', "[", "]"])
def test_what_has_another_shape_is_unusual(text: str) -> None:
    assert not re.fullmatch(usual_levels(Spelling(2, 0)), text)
