"""Cells, lines, scale and trades of the heatmap against what each cell should say, one by one."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.ui.books import make_book

from depthgui.book.messages import Trade
from depthgui.ui.palettes import PALETTES, contrast
from depthgui.ui.viewmodels.heatmap_cells import (
    EMPTY,
    FULL,
    GAP,
    UNKNOWN,
    Window,
    cells,
    lines,
    next_cap,
    sample_cap,
)
from depthgui.ui.viewmodels.heatmap_colours import heat_table, to_oklab
from depthgui.ui.viewmodels.heatmap_grid import PriceGrid
from depthgui.ui.viewmodels.heatmap_history import BUY, SELL, HeatmapHistory
from depthgui.ui.viewmodels.heatmap_trades import TradeScale, bubbles, next_scale, sample_scale

Ladder = tuple[int, dict[int, int]]


def history_with(columns: dict[int, Ladder], capacity: int = 16, rows: int = 16) -> HeatmapHistory:
    """A history whose column has its best bid at row `bid`, and sizes by the row's distance from it."""
    history = HeatmapHistory(PriceGrid(Decimal(1), 1), 0, capacity, rows)
    for slot, (bid, sizes) in sorted(columns.items()):
        bids = [(str(bid - away), str(size)) for away, size in sorted(sizes.items()) if away >= 0]
        asks = [(str(bid + 1 - away), str(size)) for away, size in sorted(sizes.items(), reverse=True) if away < 0]
        history.record(slot, make_book(bids or [(str(bid), "1")], asks or [(str(bid + 1), "1")], limit=6), slot // 4)
    return history


def expected(history: HeatmapHistory, slot: int, row: int, newest: int, cap: float) -> int:
    oldest = history.oldest_slot
    if slot > newest or oldest is None or slot < oldest:
        return EMPTY
    column = history.column(slot)
    if column is None:
        return GAP
    size = column.size_at(row)
    if size is None:
        return UNKNOWN
    return min(FULL, math.ceil(np.sqrt(np.float32(min(float(size) / cap, 1.0))) * np.float32(FULL)))


ladders = st.tuples(st.integers(95, 105), st.dictionaries(st.integers(-6, 5), st.integers(1, 500), max_size=8))


@given(
    columns=st.dictionaries(st.integers(100, 130), ladders, min_size=1, max_size=20),
    first=st.integers(20, 40),
    groups=st.integers(1, 12),
    merge=st.sampled_from((1, 2, 4)),
    top=st.integers(95, 120),
    rows=st.integers(1, 30),
    cap=st.integers(1, 400),
    later=st.integers(0, 3),
)
def test_every_cell_says_what_was_there(
    columns: dict[int, Ladder], first: int, groups: int, merge: int, top: int, rows: int, cap: int, later: int
) -> None:
    history = history_with(columns)
    assert history.last_slot is not None
    newest = history.last_slot + later
    window = Window(100 // merge + first - 20, groups, merge, top, rows)
    found, has_marks = cells(history, window, newest, float(cap))
    assert found.shape == (rows, groups)
    for group in range(groups):
        slots = range((window.first + group) * merge, (window.first + group + 1) * merge)
        for row in range(rows):
            wanted = max(expected(history, slot, top - row, newest, cap) for slot in slots)
            assert abs(int(found[row, group]) - wanted) <= (1 if 0 < wanted < FULL else 0), (row, group)
            assert (found[row, group] >= UNKNOWN) == (wanted >= UNKNOWN)
    assert has_marks or (found < UNKNOWN).all()


def test_one_missing_slot_is_seen_however_far_it_is_zoomed_out() -> None:
    history = history_with({slot: (100, {0: 5, -1: 5}) for slot in range(16) if slot != 6})
    found, has_marks = cells(history, Window(0, 2, 8, 105, 10), 15, 10.0)
    assert has_marks
    assert (found[:, 0] == GAP).all()
    assert (found[:, 1] != GAP).all()


def test_lines_break_in_gaps_and_span_a_group() -> None:
    history = history_with({4: (100, {}), 5: (103, {}), 8: (101, {})})
    single = lines(history, Window(4, 5, 1, 105, 10))
    assert single.low[0, [0, 1, 4]].tolist() == [100, 103, 101]
    assert np.isnan(single.low[:, [2, 3]]).all()
    assert single.stretch.tolist() == [1, 1, -1, -1, 2]
    merged = lines(history, Window(2, 3, 2, 105, 10))
    assert (merged.low[0, 0], merged.high[0, 0], merged.high[1, 0]) == (100, 103, 104)
    assert np.isnan(merged.low[0, 1])


def test_the_scale_is_not_stretched_by_one_giant() -> None:
    history = history_with({0: (100, {**dict.fromkeys(range(-5, 6), 10), 3: 1_000_000})}, rows=128)
    for slot in range(1, 16):
        history.record(slot, make_book([("100", "10")], [(str(101 + up), "10") for up in range(20)]), 0)
    cap = sample_cap(history, Window(0, 16, 1, 140, 80))
    assert cap == 10
    assert sample_cap(history, Window(40, 4, 1, 140, 80)) is None
    assert sample_cap(history, Window(0, 16, 1, 9000, 80)) is None


@pytest.mark.parametrize(("shown", "sampled", "wanted"), [(10, 11.9, 10), (10, 8.1, 10), (10, 13, 13), (0, 4, 4)])
def test_the_scale_stays_until_it_is_clearly_another(shown: float, sampled: float, wanted: float) -> None:
    assert next_cap(shown, sampled) == wanted
    assert next_cap(shown, None) == shown


def test_the_largest_trades_come_last_and_gaps_have_none() -> None:
    history = HeatmapHistory(PriceGrid(Decimal(1), 1), 0, 8, 16)
    book = make_book([("100", "1")], [("102", "1")])
    history.record(1, book, 0, [Trade(1, "102", "4", 0, buyer_is_maker=False)])
    history.record(3, book, 0, [Trade(2, "100", "9", 0, buyer_is_maker=True), Trade(3, "102", "1", 0, False)])
    window = Window(0, 8, 1, 110, 16)
    scale = sample_scale(history, window, 2)
    assert scale == TradeScale(smallest=4.0, full=4.0)
    found = bubbles(history, window, scale)
    assert [(each.slot, each.side, each.row, each.size) for each in found] == [(1, BUY, 102, 4), (3, SELL, 100, 9)]
    assert [each.share for each in found] == [1.0, 1.0]
    history.record(9, book, 0)  # takes the place of slot 1
    every = TradeScale(full=18.0)
    assert [(each.slot, each.share) for each in bubbles(history, window, every)] == [(3, 1 / 18), (3, 9 / 18)]
    assert [(each.slot, each.share) for each in bubbles(history, window, TradeScale())] == [(3, 1.0), (3, 1.0)]
    assert not bubbles(history, Window(20, 8, 1, 110, 16), every)
    history.record(12, book, 0)  # slot 3 is forgotten, though nothing has taken its place
    assert not bubbles(history, window, every)
    assert sample_scale(history, window, 5) is None
    assert np.isnan(lines(history, window).low).all()
    assert sample_cap(history, window) is None


def test_the_scale_of_trades_stays_until_it_is_clearly_another() -> None:
    shown = TradeScale(smallest=1.0, full=10.0)
    assert next_scale(shown, None) is shown
    assert next_scale(shown, TradeScale(smallest=1.1, full=11.0)) == shown
    assert next_scale(shown, TradeScale(smallest=1.1, full=13.0)) == TradeScale(smallest=1.0, full=13.0)
    assert next_scale(shown, TradeScale(smallest=0.0, full=9.0)) == TradeScale(smallest=0.0, full=10.0)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_more_is_always_lighter_or_always_darker(palette) -> None:
    table = heat_table(palette)
    colours = [f"#{int(word) & 0xFFFFFF:06x}" for word in table]
    lightness = np.array([to_oklab(colour)[0] for colour in colours[: FULL + 1]])
    steps = np.diff(lightness) * (1 if palette.is_dark else -1)
    assert (steps > -1e-3).all()
    assert steps[1:].max() < 0.02
    assert colours[EMPTY] == palette.background
    assert colours[1] != palette.background
    assert contrast(colours[FULL], palette.background) > 7
    assert contrast(colours[GAP], palette.panel) == 1


def test_the_colour_blind_tables_have_no_hue_to_be_told_by() -> None:
    for palette in PALETTES:
        words = heat_table(palette)[: FULL + 1]
        spread = max(
            max(rgb) - min(rgb) for rgb in ((int(w) >> 16 & 255, int(w) >> 8 & 255, int(w) & 255) for w in words)
        )
        assert (spread <= 20) == palette.name.startswith("colour-blind"), palette.name
