"""The heatmap fed by a real recording through real sockets: its columns are the recording's own book on the grid.

The recording's book is kept by an independent replay of the file into plain dicts of decimals.
"""

from __future__ import annotations

import asyncio
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
from e2e.test_recording_in_window import SPEED, Recording
from PySide6 import QtWidgets

from depthgui.app import open_app
from depthgui.exchange import Exchange, Replay
from depthgui.ui.symbol_tab import SymbolTab
from depthgui.ui.viewmodels.heatmap_history import Column


@pytest.mark.parametrize(
    ("file", "symbol"),
    [
        ("spot_BTCUSDT_hft20240808_60s.ndjson.gz", "BTCUSDT"),
        ("coinm_BTCUSD_PERP_hft20240808_60s.ndjson.gz", "coinm:BTCUSD_PERP"),
    ],
)
async def test_columns_are_the_recordings_own_book_also_behind_another_tab(
    data_dir: Path, tmp_path: Path, file: str, symbol: str
) -> None:
    replay = Replay(data_dir / file, speed=SPEED, hold=True)
    kept: list[tuple[int, Column]] = []
    async with Exchange(replays=[replay]) as exchange:
        arguments = ["--profile", str(tmp_path), "--endpoint", exchange.base_url, symbol, "ETHUSDT"]
        async with open_app(arguments) as window, asyncio.timeout(60):
            tabs = window.findChild(QtWidgets.QTabWidget, "symbolTabs")
            assert tabs is not None
            hidden, other = tabs.widget(0), tabs.widget(1)
            assert isinstance(hidden, SymbolTab)
            tabs.setCurrentWidget(other)
            recorder = hidden.panels.heatmap.recorder

            def keep() -> None:
                # The book is the column's until control goes back to the loop.
                history, feed = recorder.history, hidden.feed
                assert history is not None
                assert history.last_slot is not None
                assert feed is not None
                assert feed.book is not None
                column = history.column(history.last_slot)
                assert column is not None
                kept.append((feed.book.last_update_id, column))

            recorder.recorded.connect(keep)
            plot: Any = hidden.findChild(QtWidgets.QWidget, "heatmap")
            painted = plot.paint_ms
            while len(kept) < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert plot.paint_ms == painted, "a hidden tab paints nothing"
            history = recorder.history
            assert history is not None
            step = history.grid.step
            tabs.setCurrentWidget(hidden)
            while plot.frame is None or plot.frame.newest_slot < kept[7][1].slot:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    recording = Recording.read(data_dir / file)
    filled = 0
    for update_id, column in kept:
        truth = recording.rows_at(update_id, step)
        for price, row, rounding in (
            (column.bid, max(truth["b"]), ROUND_FLOOR),
            (column.ask, min(truth["a"]), ROUND_CEILING),
        ):
            assert (Decimal(repr(price)) / step).to_integral_value(rounding) * step == row
        for row in range(column.low, column.high + 1):
            size = column.size_at(row)
            at = row * step
            assert size == truth["b"].get(at, 0) + truth["a"].get(at, 0), (update_id, at)
            filled += bool(size)
        assert column.high - column.low > 100, "there is something to compare"
    assert filled > 40 * len(kept)
    assert len({update_id for update_id, _ in kept}) > 4
