"""Exact figures: integers in, the venue's own digits out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthgui.ui.viewmodels.figures import (
    ExactScale,
    FigureFormatter,
    NumberFormat,
    format_brief,
    format_rounded,
    format_short,
    split_zeros,
)
from depthgui.ui.viewmodels.grouping import next_ticks, step_text, ticks_for

texts = st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=9).map("{:f}".format)


@given(texts)
def test_a_text_comes_back_as_the_same_number(text: str) -> None:
    scale = ExactScale()
    first = scale.units(text)
    assert scale.to_decimal(scale.units(text)) == Decimal(text)
    shown = FigureFormatter(scale, 2, NumberFormat()).text(scale.units(text))
    assert Decimal(shown.replace(",", "")) == Decimal(text)
    assert first <= scale.units(text)  # a finer unit only makes it larger


def test_a_scale_grows_when_a_text_needs_more_decimals() -> None:
    scale = ExactScale(decimals=2)
    before = scale.units("1.50")
    assert scale.units("0.12345000") == 12345
    assert scale.decimals == 5
    assert scale.units("1.50") == before * 1000


def test_texts_made_before_the_scale_grew_are_made_again() -> None:
    scale = ExactScale(decimals=2)
    texts = FigureFormatter(scale, 2, NumberFormat())
    assert texts.text(scale.units("1.5")) == "1.50"
    scale.units("0.001")
    assert texts.text(scale.units("1.5")) == "1.50"
    assert texts.text(1500) == "1.50"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("18.400", ("18.4", "00")),
        ("3.000", ("3", ".000")),
        ("100", ("100", "")),
        ("0.020", ("0.02", "0")),
        ("7.251", ("7.251", "")),
    ],
)
def test_trailing_zeros_are_cut_off_for_dimming(text: str, parts: tuple[str, str]) -> None:
    assert split_zeros(text) == parts


def test_a_column_learns_how_wide_its_numbers_are() -> None:
    scale = ExactScale()
    column = FigureFormatter(scale, 3, NumberFormat())
    column.text(scale.units("1.5"))
    column.text(scale.units("12345.00012"))
    assert (column.widest_whole, column.fraction) == ("12,345", 5)


def test_numbers_in_another_countrys_style() -> None:
    scale = ExactScale()
    assert FigureFormatter(scale, 2, NumberFormat("\u2009", ",")).text(scale.units("67412.8")) == "67\u2009412,80"
    assert FigureFormatter(scale, 2, NumberFormat("", ".")).text(scale.units("67412.8")) == "67412.80"


@pytest.mark.parametrize(("units", "text"), [(75774, "75.77"), (75775, "75.78"), (0, "0.00"), (999999, "1,000.00")])
def test_sums_are_rounded_half_up(units: int, text: str) -> None:
    assert format_rounded(units, 3, 2, NumberFormat()) == text


@pytest.mark.parametrize(
    ("value", "text"), [(12.43e6, "12.43 M"), (684_200, "684.20 K"), (91.5, "91.50"), (2.5e9, "2.50 B")]
)
def test_short_forms(value: float, text: str) -> None:
    assert format_short(value, NumberFormat()) == text


@pytest.mark.parametrize(
    ("size", "text", "with_comma"),
    [
        (0, "0", "0"),
        (0.000_012_5, "0.0000125", "0,0000125"),
        (0.0254, "0.0254", "0,0254"),
        (2.5, "2.5", "2,5"),
        (84.33, "84.3", "84,3"),
        (100.0, "100", "100"),
        (684.2, "684.2", "684,2"),
        (1250.0, "1,250", "1 250"),
        (9999.25, "9,999.25", "9 999,25"),
        (12_500.0, "12.5 K", "12,5 K"),
        (20e6, "20 M", "20 M"),
    ],
)
def test_sizes_on_an_axis_are_brief_with_either_decimal_mark(size: float, text: str, with_comma: str) -> None:
    assert format_brief(size, NumberFormat()) == text
    assert format_brief(size, NumberFormat(thousands=" ", point=",")) == with_comma


def test_groupings_step_through_the_usual_ones() -> None:
    assert [next_ticks(ticks, 1) for ticks in (1, 2, 7, 10_000)] == [2, 5, 10, 10_000]
    assert [next_ticks(ticks, -1) for ticks in (1, 2, 7, 10)] == [1, 1, 5, 5]
    assert step_text(Decimal("0.01"), 10) == "0.10"


@pytest.mark.parametrize(("text", "ticks"), [("0.37", 37), (" 1 ", 100), ("1,000", 100_000)])
def test_a_step_can_be_typed_in(text: str, ticks: int) -> None:
    assert ticks_for(text, Decimal("0.01")) == ticks


@pytest.mark.parametrize("text", ["", "x", "0.005", "0.015", "-1", "0", "nan", "inf"])
def test_what_is_no_step_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|multiple"):
        ticks_for(text, Decimal("0.01"))
