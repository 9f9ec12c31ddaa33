"""The application as a whole: tabs live at recorded rates, bursts, start, growth with tabs."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.app_client import AppOrder
from bench.programs import app_python
from bench.results import Curve, Plan, Result, Row, at_most
from bench.scripts import ScriptOrder
from bench.timing import median
from bench.transport_bench import check_books
from bench.venue import venue
from bench.workload import data_folder

_SPOT_BTC = ("spot", "spot_BTCUSDT_hft20240808")
_RECORDED = (
    _SPOT_BTC,
    ("usdm", "usdm_ETHUSDT_hft20240808"),
    ("usdm", "usdm_BTCUSDT_hft20240808_60s"),
    ("coinm", "coinm_BTCUSD_PERP_hft20240808"),
)
_FRAME_MS = 1000 / 60


def orders_for(count: int, seconds: float) -> tuple[list[ScriptOrder], str]:
    """So many symbols at the recorded rates, the first of them BTCUSDT spot; and in words, what they are."""
    folder = data_folder()
    names = [f"B{number:02}USDT" for number in range(1, count)]
    if folder is None:
        made = [ScriptOrder(symbol=name, seconds=seconds, rate=15.0) for name in ("BTCUSDT", *names)]
        return made, "made diffs, 15 a second and symbol (no recordings here)"
    orders = []
    for number, name in enumerate(("BTCUSDT", *names)):
        market, recording = _RECORDED[number % len(_RECORDED)]
        path = str(folder / f"{recording}.ndjson.gz")
        orders.append(ScriptOrder(symbol=name, market=market, path=path, seconds=seconds))
    return orders, "recorded: spot BTC, USD-M ETH, USD-M BTC and COIN-M BTC by turns, depth, bookTicker and trade"


def run_app(scripts: list[ScriptOrder], *, warm_s: float, seconds: float) -> dict[str, Any]:
    """Play the scripts to the application; check its books against the venue's; return what it printed."""
    names = [order.symbol if order.market == "spot" else f"{order.market}:{order.symbol}" for order in scripts]
    with venue(scripts) as base, tempfile.TemporaryDirectory() as profile:
        order = AppOrder(base=base, profile=profile, symbols=names, warm_s=warm_s, seconds=seconds)
        done = subprocess.run(
            [app_python(), "-m", "bench.app_client"],
            input=msgspec.json.encode(order) + b"\n",
            stdout=subprocess.PIPE,
            timeout=seconds + warm_s + 90,
            check=True,
        )
    report: dict[str, Any] = json.loads(done.stdout)
    check_books(scripts, report)
    del report["books"]
    return report


def _told(report: dict[str, Any]) -> str:
    return (
        f"{report['messages_per_s']:.0f} messages/s, {report['diffs_per_s']:.0f} diffs/s, {report['fps']:.0f} fps, "
        f"paint {report['paint_ms']:.1f} ms, RSS {report['rss_mb']:.0f} MB"
    )


def live_tabs(plan: Plan) -> Result:
    """One tab, twenty tabs, and how CPU grows with tabs."""
    result = Result("Tabs live at the recorded rates, one visible")
    seconds, warm_s = plan.pick((20.0, 3.0), (4.0, 1.5))
    counts = plan.pick((1, 5, 10, 20, 50), (1, 20))
    rounds = plan.pick(3, 1)
    points: list[tuple[float, float]] = []
    for count in counts:
        scripts, words = orders_for(count, min(seconds + warm_s + 15, 58))
        runs = [run_app(scripts, warm_s=warm_s, seconds=seconds) for _ in range(rounds if count in {1, 20} else 1)]
        report = min(runs, key=lambda run: run["cpu_percent"])  # the one that others disturbed least
        points.append((count, report["cpu_percent"]))
        result.data[f"{count} tabs"] = runs
        if count == 1:
            what = "one visible tab, BTCUSDT spot"
            result.rows.append(at_most(what, report["cpu_percent"], 10.0, "% of a core", _told(report)))
        elif count == 20:
            what = "20 tabs, one visible, 60 fps cap"
            result.rows.append(at_most(what, report["cpu_percent"], 35.0, "% of a core", _told(report)))
            lost = report["gaps"] + report["resyncs"] + report["malformed"]
            result.rows.append(at_most("20 tabs: dropped diffs", lost, 0, "", "books equal the venue's, text for text"))
            late, limit = report["event_to_paint_p99_ms"], _FRAME_MS + 10
            note = (
                f"median {report['event_to_paint_ms']:.0f} ms, loop late by {report['loop_lag_max_ms']:.0f} ms at most"
            )
            result.rows.append(at_most("20 tabs: event to paint, p99", late, limit, "ms", note))
        result.notes.append(f"{count} tab(s): {report['cpu_percent']:.1f} % of a core; {_told(report)}.")
    result.notes.append(f"{words}; tabs behind listen to bookTicker in turns, once a minute.")
    result.curves.append(Curve("CPU with tabs", "application", "tabs", "% of a core", tuple(points), is_log=False))
    return result


def burst(plan: Plan) -> Result:
    """500 messages at once, every two seconds."""
    result = Result("Burst: 500 messages within 10 ms")
    seconds = plan.pick(16.0, 4.0)
    for levels, words in ((5, "5 levels each"), (31, "31 levels each, five times what was ever recorded")):
        scripts = [
            ScriptOrder(
                symbol="BTCUSDT", rate=10, seconds=seconds + 10, levels_a_side=1000, levels=levels,
                burst=500, burst_every_s=2.0,
            )
        ]  # fmt: skip
        report = run_app(scripts, warm_s=1.0, seconds=seconds)
        result.data[words] = report
        lost = report["gaps"] + report["resyncs"] + report["malformed"]
        result.rows.append(at_most(f"burst of 500 diffs, {words}: diffs lost", lost, 0, ""))
        late_ms, lag_ms = report["event_to_paint_max_ms"], report["loop_lag_max_ms"]
        note = f"event to paint at most {late_ms:.0f} ms, loop late by {lag_ms:.0f} ms"
        row = at_most(f"burst of 500 diffs, {words}: longest frame", max(late_ms, lag_ms), 50.0, "ms", note)
        result.rows.append(row)
    return result


def start(plan: Plan) -> Result:
    """From the start of the process to the first window and to the first live ladder, on the embedded exchange."""
    result = Result("Start, warm, from source")
    windows: list[float] = []
    ladders: list[float] = []
    plain: list[float] = []
    cpu: list[tuple[float, float]] = []
    for number in range(plan.pick(9, 2) + 1):
        with tempfile.TemporaryDirectory() as folder:
            stats = Path(folder) / "stats.jsonl"
            begin_ms = time.time() * 1000
            subprocess.run(
                [
                    app_python(), "-m", "depthgui", "--demo", "--profile", f"{folder}/profile",
                    "--stats", str(stats), "--exit-after", "3",
                ],
                check=True, env=dict(os.environ), timeout=60,
            )  # fmt: skip
            marks = {
                line["milestone"]: ((line["wall_ms"] - begin_ms) / 1000, line["cpu_s"])
                for line in map(json.loads, stats.read_text("utf-8").splitlines())
                if "milestone" in line
            }
        begin_s = time.monotonic()
        subprocess.run([app_python(), "-c", _PLAIN_WINDOW], check=True, timeout=60)
        if number:  # the first one warms the file cache
            windows.append(marks["first_window"][0])
            ladders.append(marks["first_live_ladder"][0])
            cpu.append((marks["first_window"][1], marks["first_live_ladder"][1]))
            plain.append(time.monotonic() - begin_s)
    cpu_window, cpu_ladder = (median(column) for column in zip(*cpu, strict=True))
    note = f"best of {len(windows)} {min(windows):.2f} s, CPU {cpu_window:.2f} s"
    result.rows.append(at_most("start to first window", median(windows), 0.9, "s", note))
    note = f"best {min(ladders):.2f} s, CPU {cpu_ladder:.2f} s without the exchange's"
    result.rows.append(at_most("start to first live ladder", median(ladders), 1.5, "s", note))
    row = Row("start of a plain PySide6 + pyqtgraph + aiohttp window, to its end", f"{median(plain):.2f} s")
    result.rows.append(row)
    result.notes.append("Wall time, --demo: the embedded exchange starts beside it. All modules are compiled.")
    result.data.update({"first window s": windows, "first live ladder s": ladders, "plain window s": plain})
    return result


_PLAIN_WINDOW = """
from PySide6 import QtCore, QtWidgets
import aiohttp, pyqtgraph
app = QtWidgets.QApplication([])
window = QtWidgets.QMainWindow()
window.setCentralWidget(pyqtgraph.PlotWidget())
window.show()
QtCore.QTimer.singleShot(0, app.quit)
app.exec()
"""
