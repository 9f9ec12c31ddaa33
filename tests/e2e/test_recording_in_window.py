"""A real recording through real sockets into the real window: what is painted is the recording's own book.

The recording's book is kept here, by an independent replay of the file into plain dicts of decimals.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6 import QtWidgets

from depthgui.app import open_app
from depthgui.exchange import Exchange, Replay
from depthgui.ui.symbol_tab import SymbolTab

SPEED = 15.0


@dataclass
class Recording:
    """Books of one file by update id, made anew for each question."""

    snapshot: dict[str, Any]
    diffs: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Recording:
        diffs = []
        snapshot = None
        with gzip.open(path, "rt") as lines:
            for line in lines:
                message = json.loads(line.partition(" ")[2])
                if "lastUpdateId" in message:
                    snapshot = message
                elif "@depth" in message["stream"]:
                    diffs.append(message["data"])
        assert snapshot is not None
        return cls(snapshot, [diff for diff in diffs if diff["u"] > snapshot["lastUpdateId"]])

    def rows_at(self, update_id: int, step: Decimal) -> dict[str, dict[Decimal, Decimal]]:
        """Sizes summed onto the ladder's grid: bids downwards, asks upwards."""
        book = {side: dict(map(tuple, self.snapshot[name])) for side, name in (("b", "bids"), ("a", "asks"))}
        assert update_id in {self.snapshot["lastUpdateId"], *(diff["u"] for diff in self.diffs)}, "an id of the file"
        for diff in self.diffs:
            if diff["u"] > update_id:
                break
            for side, levels in book.items():
                levels.update(map(tuple, diff[side]))
        rows: dict[str, dict[Decimal, Decimal]] = {"b": {}, "a": {}}
        for side, rounding in (("b", ROUND_FLOOR), ("a", ROUND_CEILING)):
            for price, size in book[side].items():
                if Decimal(size):
                    row = (Decimal(price) / step).to_integral_value(rounding) * step
                    rows[side][row] = rows[side].get(row, Decimal(0)) + Decimal(size)
        return rows


@pytest.mark.parametrize(
    ("file", "symbol"),
    [
        ("spot_BTCUSDT_hft20240808_60s.ndjson.gz", "BTCUSDT"),
        ("usdm_BTCUSDT_hft20240808_60s.ndjson.gz", "usdm:BTCUSDT"),
        ("coinm_BTCUSD_PERP_hft20240808_60s.ndjson.gz", "coinm:BTCUSD_PERP"),
    ],
)
async def test_the_ladder_paints_the_recordings_own_book(
    data_dir: Path, tmp_path: Path, file: str, symbol: str
) -> None:
    replay = Replay(data_dir / file, speed=SPEED, hold=True)
    painted: dict[int, Any] = {}
    async with Exchange(replays=[replay]) as exchange:
        arguments = ["--profile", str(tmp_path), "--endpoint", exchange.base_url, symbol]
        async with open_app(arguments) as window, asyncio.timeout(60):
            tabs = window.findChild(QtWidgets.QTabWidget, "symbolTabs")
            assert tabs is not None
            page = tabs.currentWidget()
            assert isinstance(page, SymbolTab)
            ladder: Any = page.findChild(QtWidgets.QWidget, "ladder")
            while len(painted) < 25:
                frame = ladder.painted
                if page.state == "live" and frame.rows and not frame.stale:
                    painted[frame.update_id] = frame
                await asyncio.sleep(0.02)
            assert page.feed is not None
            assert page.feed.counters.gaps == 0
            assert page.feed.counters.audits > 0
            assert page.feed.counters.audit_differences == 0
    recording = Recording.read(data_dir / file)
    levels = sum(1 for frame in painted.values() for _, bid, ask in frame.rows if bid or ask)
    assert levels > 10 * len(painted), "there is something to compare"
    for update_id, frame in painted.items():
        truth = recording.rows_at(update_id, frame.step)
        for price, bid, ask in frame.rows:
            assert bid == truth["b"].get(price), (update_id, price)
            assert ask == truth["a"].get(price), (update_id, price)
