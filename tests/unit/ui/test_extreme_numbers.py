"""Sizes of 1e25 and of 1e-18, prices of 1e9 and of 1e-12: nothing blank, nothing cut, nothing another number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from unit.ui.books import make_book

from depthgui.ui.viewmodels.depth import DepthModel
from depthgui.ui.viewmodels.figures import ExactScale, NumberFormat, compact_forms, format_brief, format_short
from depthgui.ui.viewmodels.heatmap_cells import EMPTY, FULL, UNKNOWN, Window, cells, sample_cap
from depthgui.ui.viewmodels.heatmap_grid import PriceGrid, fitting_ticks
from depthgui.ui.viewmodels.heatmap_history import ROWS, HeatmapHistory
from depthgui.ui.viewmodels.instrument import instrument_for
from depthgui.ui.viewmodels.ladder import LadderModel
from depthgui.ui.wording import TimeZone, clock_text

SIZES = {
    "1e15": ("1000000000000000", "2500000000000000.5", "7"),
    "1e15 with decimals": ("1000000000000000.00000001", "2", "3.00000001"),
    "1e20": ("100000000000000000000", "200000000000000000000", "300000000000000000000"),
    "1e25 beside 1e-8": ("10000000000000000000000000", "0.00000001", "3"),
    "1e-8": ("0.00000001", "0.00000002", "0.00000030"),
    "1e-8 beside 1e9": ("0.00000001", "1000000000", "5"),
    "1e-12": ("0.000000000001", "0.000000000002", "0.000000000003"),
    "1e-18": ("0.000000000000000001", "0.000000000000000002", "0.000000000000000003"),
}
PRICES = {
    "100": ("100.00", "99.99", "99.95", "100.01", "100.02", "100.10"),
    "1e-8": ("0.00000010", "0.00000009", "0.00000008", "0.00000011", "0.00000012", "0.00000013"),
    "1e-12": ("0.000000000010", "0.000000000009", "0.000000000008", *(f"0.0000000000{n}" for n in (11, 12, 13))),
    "1e9": ("1000000000.00", "999999999.99", "999999999.90", "1000000000.01", "1000000000.05", "1000000000.10"),
}


@pytest.fixture(params=SIZES, ids=str)
def sizes(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return SIZES[request.param]


@pytest.fixture(params=PRICES, ids=str)
def prices(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return PRICES[request.param]


def test_every_level_is_lit_in_the_heatmap_and_has_its_size(sizes: tuple[str, ...], prices: tuple[str, ...]) -> None:
    book = make_book([*zip(prices[:3], sizes, strict=True)], [*zip(prices[3:], sizes, strict=True)])
    instrument = instrument_for("X", None, book)
    grid = PriceGrid(instrument.tick, fitting_ticks(book, instrument.tick, ROWS // 2))
    history = HeatmapHistory(grid, 0, 10)  # smaller units must be found by itself
    history.record(0, make_book([(prices[0], "1")], [(prices[3], "2")]), 1)
    assert history.record(1, book, 1)
    assert history.record(2, book, 1)
    column = history.column(2)
    assert column is not None
    top = max(grid.row_of(Decimal(price), is_ask=True) for price in prices)
    window = Window(2, 1, 1, top, 60)
    cap = sample_cap(history, window)
    assert cap
    codes, _ = cells(history, window, 2, cap)
    for number, price in enumerate(prices):
        row = grid.row_of(Decimal(price), is_ask=number > 2)
        size = column.size_at(row)
        assert size is not None
        wanted = Decimal(sizes[number % 3])
        assert abs(size - wanted) <= wanted * Decimal("1e-14") + Decimal("1e-12") * (wanted > 1000)
        assert EMPTY < codes[top - row, 0] <= FULL != UNKNOWN


def test_what_was_recorded_before_keeps_its_size_when_a_giant_comes() -> None:
    small, giant = (make_book([("100", size)], [("101", "1")]) for size in ("0.001", "1" + "0" * 20))
    history = HeatmapHistory(PriceGrid(Decimal(1), 1), 3, 10)
    history.record(1, small, 1)
    history.record(2, giant, 1)
    history.record(3, make_book([("100", "0.00000001")], [("101", "1")]), 1)
    before, now, after = (history.column(slot) for slot in (1, 2, 3))
    assert before is not None
    assert now is not None
    assert after is not None
    assert before.size_at(100) == Decimal("0.001")
    assert now.size_at(100) == Decimal(10) ** 20
    assert after.size_at(100) == Decimal("0.00000001")


def test_the_ladder_has_the_venues_texts_and_totals_that_say_something(
    sizes: tuple[str, ...], prices: tuple[str, ...]
) -> None:
    book = make_book([*zip(prices[:3], sizes, strict=True)], [*zip(prices[3:], sizes, strict=True)])
    model = LadderModel(instrument_for("X", None, book))
    model.grid.resize(2000, 20, 24)
    frame = model.build(book, stale=False)
    rows = {row.price.replace(",", ""): row for row in frame.rows}
    for price, size in zip(prices[:3], sizes, strict=True):
        row = rows[price]
        assert Decimal("".join(row.bid).replace(",", "")) == Decimal(size)
        assert row.bid_bar > 0
    totals = [Decimal(text.replace(",", "")) for text, _ in frame.totals if text]
    assert max(totals) > 0
    assert abs(max(totals) - sum(map(Decimal, sizes))) <= max(totals) / 2


def test_the_depth_chart_has_an_axis(sizes: tuple[str, ...]) -> None:
    prices = PRICES["100"]
    book = make_book([*zip(prices[:3], sizes, strict=True)], [*zip(prices[3:], sizes, strict=True)])
    frame = DepthModel().build(book, stale=False)
    assert frame is not None
    text = format_brief(frame.largest, NumberFormat())
    assert text != "0"
    assert len(text) <= 22


@pytest.mark.parametrize(
    ("value", "short"),
    [
        (0.0, "0.00"),
        (3.3e-7, "0.00000033"),
        (0.004, "0.004"),
        (0.02, "0.02"),
        (91.5, "91.50"),
        (3.5e15, "3,500.00 T"),
        (1e18, "1.00e18"),
        (6e20, "6.00e20"),
        (-6e20, "-6.00e20"),
    ],
)
def test_short_numbers_have_digits_that_count(value: float, short: str) -> None:
    assert format_short(value, NumberFormat()) == short


@pytest.mark.parametrize(
    ("text", "point", "forms"),
    [
        ("1,000,000,000,000,000.00000001", ".", ["1000 T", "1.00e15", "1e15"]),
        ("0,00000012", ",", ["0,00000012", "1,20e-7", "1e-7"]),
        ("12.345,5", ",", ["12,35 K", "1,23e4", "1e4"]),
        ("1.25M", ".", []),
        ("", ".", []),
    ],
)
def test_a_number_without_room_is_shortened_and_never_cut(text: str, point: str, forms: list[str]) -> None:
    assert [*compact_forms(text, point)] == forms


@pytest.mark.parametrize(
    ("text", "number"), [("1.0E+2", "100"), ("1e-7", "0.0000001"), ("1.23456789E-5", "0.0000123456789"), ("0e5", "0")]
)
def test_exponent_forms_are_numbers(text: str, number: str) -> None:
    scale = ExactScale()
    assert scale.to_decimal(scale.units(text)) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1e", "e5", "nan", "Infinity", "1e999999999", "1.0.0", "12a"])
def test_what_is_no_number_is_refused_with_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int's own words serve as well
        ExactScale().units(text)


@pytest.mark.parametrize("wall_ms", [10**18, -(10**18), 10**15])
def test_a_time_beyond_all_calendars_is_dashes(wall_ms: int) -> None:
    assert clock_text(wall_ms, TimeZone.UTC) == clock_text(wall_ms, TimeZone.LOCAL) == "--:--:--"
