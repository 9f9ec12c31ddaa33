"""The paint meter and its file: what a line says of paints, feeds and lateness, and when milestones are reached."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from depthgui.app.stats import StatsWriter
from depthgui.depthcache.counters import FeedCounters
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.paint_meter import PaintMeter
from depthgui.ui.process_memory import resident_bytes


@dataclass(eq=False)
class Metered:
    counters: FeedCounters = field(default_factory=FeedCounters)


class Bench:
    """A meter on a clock whose time the test sets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_s = 0.0
        self.clock = FrameClock(now=lambda: self.now_s)
        self.feeds = [Metered()]
        self.is_live = False
        self.writer = StatsWriter(path, self.clock, lambda: self.feeds, {"live": lambda: self.is_live})

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]


@pytest.fixture
def bench(qapp: object, tmp_path: Path) -> Bench:
    return Bench(tmp_path / "stats.jsonl")


def test_a_line_tells_paints_and_lateness_since_the_line_before(bench: Bench) -> None:
    with bench.writer as writer:
        for latency_s, paint_ms in ((0.010, 1.0), (0.030, 3.0)):
            bench.clock.wake()
            bench.clock._rendered_event_s = bench.now_s
            bench.now_s += latency_s
            bench.clock.note_paint(paint_ms)
        bench.clock.note_paint(8.0)  # a second widget of the same frame
        writer.write_line()
        writer.write_line()
    first, second, _ = bench.lines()
    assert (first["paints"], first["paint_ms"], first["paint_max_ms"]) == (3, 3.0, 8.0)
    assert first["event_to_paint_ms"] == pytest.approx(20.0)
    assert first["event_to_paint_max_ms"] == pytest.approx(30.0)
    assert (second["paints"], second["paint_ms"], second["event_to_paint_max_ms"]) == (0, 0.0, 0.0)


def test_counts_go_on_when_a_feed_is_gone(bench: Bench) -> None:
    with bench.writer as writer:
        bench.feeds[0].counters.diffs = 5
        bench.feeds[0].counters.gaps = 1
        writer.write_line()
        bench.feeds = [Metered(FeedCounters(diffs=2))]
        writer.write_line()
        bench.feeds[0].counters.diffs = 4
    lines = bench.lines()
    assert [line["diffs_applied"] for line in lines] == [5, 7, 9]
    assert [line["gaps"] for line in lines] == [1, 1, 1]
    assert lines[0]["diffs_per_s"] > 0


def test_a_milestone_is_written_once_at_the_first_paint_that_finds_it(bench: Bench) -> None:
    with bench.writer:
        bench.clock.note_paint(1.0)
        bench.is_live = True
        bench.clock.note_paint(1.0)
        bench.clock.note_paint(1.0)
    assert [line.get("milestone") for line in bench.lines()] == ["live", None]


def test_the_clock_is_let_go_of(bench: Bench) -> None:
    with bench.writer:
        assert bench.clock._listeners
    assert not bench.clock._listeners
    bench.clock.note_paint(1.0)


def test_two_meters_do_not_disturb_each_other(bench: Bench) -> None:
    process_s = 5.0
    meter = PaintMeter(bench.clock, lambda: bench.feeds, lambda: bench.now_s, lambda: process_s)
    with bench.writer as writer:
        bench.clock.note_paint(1.0)
        writer.write_line()
        bench.clock.note_paint(3.0)
        bench.feeds[0].counters.messages, bench.feeds[0].counters.diffs = 30, 10
        bench.now_s, process_s = 2.0, 5.5
        figures = meter.read(loop_lag_ms=7.0)
    assert (figures.paints, figures.paint_ms, figures.paint_max_ms) == (2, 2.0, 3.0)
    assert (figures.messages_per_s, figures.diffs_per_s, figures.cpu_percent) == (15.0, 5.0, 25.0)
    assert figures.loop_lag_ms == 7.0
    meter.close()
    assert not bench.clock._listeners


def test_a_file_that_cannot_be_made_is_an_error(qapp: object, tmp_path: Path) -> None:
    writer = StatsWriter(tmp_path / "nowhere" / "stats.jsonl", FrameClock(), list)
    with pytest.raises(OSError, match="nowhere"):
        writer.__enter__()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_memory_is_that_of_this_process() -> None:
    before = resident_bytes()
    ballast = bytearray(50_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    assert 40e6 < resident_bytes() - before < 80e6
