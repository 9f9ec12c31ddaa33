"""The measured programs run, and what they applied is what the benchmark's venue sent: exactly, text for text."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from feed.virtual_loop import VirtualLoop

from bench.client import ClientOrder, hub, plain
from bench.scripts import ScriptOrder, digest, make_script, true_digest
from bench.soak_client import soak
from bench.transport_bench import WrongBookError, check_books
from bench.venue import venue

SCRIPT = ScriptOrder(symbol="BTCUSDT", rate=200.0, seconds=3.0, levels_a_side=200, levels=10)
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs are started as modules, as dev.py does it."""
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}:{TESTS.parent}")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")


def test_scripts_are_the_same_in_every_process_and_bursts_come_at_once() -> None:
    order = ScriptOrder(symbol="AUSDT", rate=10, seconds=4, burst=50, burst_every_s=2.0, levels_a_side=50, levels=5)
    script = make_script(order)
    assert [line.data for line in script.lines] == [line.data for line in make_script(order).lines]
    assert len([line for line in script.lines if line.at_s == 1.0]) == 51
    assert b'"s":"AUSDT"' in script.lines[0].data


@pytest.mark.parametrize("job", [hub, plain], ids=["our hub", "plain websockets"])
def test_books_fed_over_sockets_equal_the_venues(paths: None, job: object) -> None:
    with venue([SCRIPT]) as base:
        order = ClientOrder(base=base, variant="", symbols=["BTCUSDT"], skip=50, messages=200)
        report = asyncio.run(job(order))  # type: ignore[operator]
    check_books([SCRIPT], report)
    assert report["us_a_message"] > 0
    report["books"]["BTCUSDT"][1] = "0" * 16
    with pytest.raises(WrongBookError):
        check_books([SCRIPT], report)


def test_the_true_digest_follows_the_script() -> None:
    script = make_script(SCRIPT)
    first = true_digest(script, 1_000_000)
    assert first != true_digest(script, 1_000_100)
    assert digest([("1.0", "2")], []) != digest([("1.00", "2")], [])


def test_the_soak_keeps_its_books_in_step() -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        found = runner.run(soak(2, 2))
    assert (found["gaps"], found["resyncs"], found["differences"], found["live"]) == (0, 0, 0, 2)
    assert found["diffs"] >= 2 * 2 * 590
    assert len(found["memory_mb"]) == 2


def test_frames_are_of_what_the_book_holds(paths: None) -> None:
    pytest.importorskip("PySide6")
    code = "import sys; from PySide6 import QtWidgets; app = QtWidgets.QApplication([]); import json\n"
    code += "from bench.frames import measure_depth, measure_ladder\n"
    code += "print(json.dumps([measure_ladder(20, 5), measure_depth(5)]))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, timeout=50)
    ladder, depth = json.loads(done.stdout)
    assert ladder["rows"] == pytest.approx(20, abs=2)
    assert depth["levels"] == pytest.approx(2000, rel=0.1)
    assert ladder["frame_ms"] > 0
