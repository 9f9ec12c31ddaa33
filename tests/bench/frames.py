"""The measured program of the frame rows: `python -m bench.frames [--quick] [--no-peers]` prints JSON.

The real widgets are shown on Qt's offscreen platform, where the same raster engine paints as on any screen without a
GPU. A frame is what happens between the clock's tick and the finished picture: the view-model built, Qt asked, painted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from PySide6 import QtCore, QtWidgets  # first, so that pyqtgraph takes it
from unit.ui.books import FakeFeed

from bench.timing import median, percentile, settled_memory
from bench.workload import SyntheticMarket
from depthgui.binance.codec import DiffDecoder, decode_snapshot
from depthgui.book.messages import Trade
from depthgui.book.order_book import OrderBook
from depthgui.ui.fonts import load_typeface
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.palettes import DARK
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.ladder_options import Column, LadderOptions
from depthgui.ui.widgets.depth_chart import DepthChart
from depthgui.ui.widgets.heatmap_panel import HeatmapPanel
from depthgui.ui.widgets.ladder import Ladder

_FRAME_S = 1 / 60
_DEPTH_FRAME_S = 0.05  # a depth chart renders no more often
_WARM = 40


@dataclass
class Stage:
    """A book that moves, the feed that shows it, and the clock, theme and time of the widgets."""

    market: SyntheticMarket
    now_s: float = 1000.0
    frame_s: float = _FRAME_S
    levels: int = 10  # puts about five changes into sixty rows: USD-M BTC's 99th percentile at 60 frames a second
    feed: FakeFeed = field(init=False)

    def __post_init__(self) -> None:
        snapshot = decode_snapshot(self.market.snapshot())
        self.book = OrderBook.from_snapshot("BTCUSDT", snapshot, version=1)
        self.feed = FakeFeed(self.book)
        self.diffs = DiffDecoder()
        self.clock = FrameClock(now=lambda: self.now_s)
        self.theme = Theme(DARK, load_typeface())

    def step(self) -> None:
        """A frame's time, one diff, and a trade now and then."""
        self.now_s += self.frame_s
        self.book.apply(self.diffs.decode(self.market.diff(self.levels)))
        bid = self.book.best_bid
        if bid is not None and self.book.version % 4 == 0:
            self.feed.trades.append(Trade(self.book.version, bid[0], "0.01", 0, True))
            self.feed.trade_version += 1


def frames_of(stage: Stage, widget: Any, count: int) -> dict[str, float]:
    """Median and p99 of a frame of a shown widget, milliseconds of CPU; and of the paint alone."""
    app = QtWidgets.QApplication.instance()
    assert app is not None
    widget.show()
    app.processEvents()
    whole: list[float] = []
    paints: list[float] = []
    with settled_memory():
        for number in range(count + _WARM):
            stage.step()
            begin_ns = time.thread_time_ns()
            widget.render_frame(stage.now_s)
            built_ns = time.thread_time_ns()
            widget.viewport().repaint()
            end_ns = time.thread_time_ns()
            app.processEvents()  # what Qt has put off is not the frame's
            if number >= _WARM:
                whole.append((end_ns - begin_ns) / 1e6)
                paints.append((end_ns - built_ns) / 1e6)
    widget.hide()
    return {"frame_ms": median(whole), "frame_p99_ms": percentile(whole, 0.99), "paint_ms": median(paints)}


def ladder_of(stage: Stage, rows: int) -> Ladder:
    """A ladder with about so many rows, every column, bars and flashes."""
    ladder = Ladder(stage.clock, stage.theme)
    ladder.set_options(LadderOptions(columns=tuple(Column)))
    ladder.set_grouping(1)
    ladder.set_feed(stage.feed)
    metrics = ladder._painter.metrics
    ladder.resize(560, metrics.header_px + metrics.band_px + (rows - 1) * metrics.row_px)
    return ladder


def measure_ladder(rows: int, count: int, levels: int = 10) -> dict[str, float]:
    """Frame times of a ladder; `rows` is how many it really painted, `levels` change between two frames."""
    stage = Stage(SyntheticMarket(levels_a_side=5000), levels=levels)
    ladder = ladder_of(stage, rows)
    figures = frames_of(stage, ladder, count)
    figures["rows"] = len(ladder.painted.rows)
    _check_rows(stage, ladder)
    ladder.deleteLater()
    return figures


def _check_rows(stage: Stage, ladder: Ladder) -> None:
    # What was painted last is what the book holds.
    bids = dict(stage.book.bids.levels())
    for price, bid, _ in ladder.painted.rows:
        text = f"{price:.8f}"
        assert (None if bid is None else f"{bid:.8f}") == bids.get(text), (price, bid, bids.get(text))


def measure_depth(count: int) -> dict[str, float]:
    """Frame times of a depth chart with 1000 levels a side in range."""
    stage = Stage(SyntheticMarket(levels_a_side=1000), frame_s=_DEPTH_FRAME_S)
    chart = DepthChart(stage.clock, stage.theme)
    chart.set_feed(stage.feed)
    chart.set_range(0.1)
    chart.resize(730, 420)
    figures = frames_of(stage, chart, count)
    assert chart.frame is not None
    figures["levels"] = len(chart.frame.bids.prices) + len(chart.frame.asks.prices)
    chart.deleteLater()
    return figures


class HeatmapStage(Stage):
    """A stage on which every step is a quarter of a second, and ends with a column."""

    def begin(self) -> HeatmapPanel:
        """Make the panel; 600 x 400 pixels are its plot's."""
        self.record_ms: list[float] = []
        self.panel = HeatmapPanel(self.clock, self.theme)
        self.panel.set_feed(self.feed)
        self.clock.beat(250).stop()  # columns come when the stage says so
        self.panel.resize(600 + self.panel.plot._painter.axis_px("60,000.00"), 400 + self.panel._strip.height())
        return self.panel

    def step(self) -> None:
        """One diff, and a column's time."""
        super().step()
        self.now_s += self.panel.recorder.column_s
        begin_ns = time.thread_time_ns()
        self.panel.recorder.record()
        self.record_ms.append((time.thread_time_ns() - begin_ns) / 1e6)


def measure_heatmap(count: int, *, trades: bool) -> dict[str, float]:
    """Frame times of a heatmap's plot with one new column a frame; what a column and a whole picture cost."""
    stage = HeatmapStage(SyntheticMarket(levels_a_side=1000))
    panel = stage.begin()
    plot = panel.plot
    plot.show_layers(heat=True, trades=trades)
    plot.view.set_zoom(5)  # a pixel a column
    panel.show()
    for _ in range(650):
        stage.step()
    figures = frames_of(stage, plot, count)
    assert plot.frame is not None
    history = panel.recorder.history
    assert history is not None
    figures["pixels"] = plot.view.width * plot.view.height
    figures["rows"] = plot.frame.window.rows
    figures["column_ms"] = median(stage.record_ms)
    figures["levels"] = sum(history._limits.values())
    figures["column_bytes"] = history.memory_bytes / history.capacity
    whole = []
    for _ in range(20):
        plot._image.forget()
        begin_ns = time.thread_time_ns()
        plot.render_frame(stage.now_s)
        whole.append((time.thread_time_ns() - begin_ns) / 1e6)
    figures["whole_ms"] = median(whole)
    panel.set_feed(None)
    panel.deleteLater()
    return figures


# The usual ways, for comparison


def measure_image_item(count: int) -> dict[str, float]:
    """The same picture as pyqtgraph's ImageItem, shifted by a column a frame."""
    import numpy as np
    import pyqtgraph

    stage = Stage(SyntheticMarket(levels_a_side=100))
    view = pyqtgraph.PlotWidget()
    view.resize(660, 440)
    picture = np.zeros((600, 400), np.uint8)
    item = pyqtgraph.ImageItem(picture, levels=(0, 255))
    item.setColorMap("viridis")
    view.addItem(item)

    class Shown:
        def render_frame(self, _: float) -> None:
            picture[:-1] = picture[1:]
            picture[-1] = np.arange(400) % 251
            item.setImage(picture, autoLevels=False)

        show, hide, viewport = view.show, view.hide, view.viewport

    return frames_of(stage, Shown(), count)


def measure_plot_item(count: int) -> dict[str, float]:
    """The same curves as two of pyqtgraph's PlotDataItems with steps and fill."""
    import numpy as np
    import pyqtgraph

    stage = Stage(SyntheticMarket(levels_a_side=1000))
    view = pyqtgraph.PlotWidget()
    view.resize(730, 420)
    curves = [view.plot([0, 1], [0], stepMode="center", fillLevel=0, brush=(80, 120, 120, 90)) for _ in range(2)]

    class Shown:
        def render_frame(self, _: float) -> None:
            for curve, side in zip(curves, (stage.book.bids, stage.book.asks), strict=True):
                levels = side.levels()
                prices = np.array([float(price) for price, _ in levels])
                sums = np.cumsum([float(size) for _, size in levels])
                order = slice(None, None, -1 if prices[0] > prices[-1] else 1)
                edges = np.append(prices[order], prices[order][-1])
                curve.setData(edges, sums[order])

        show, hide, viewport = view.show, view.hide, view.viewport

    return frames_of(stage, Shown(), count)


def measure_table(count: int) -> dict[str, float]:
    """The same rows in a QTableView with a Python model and Qt's own delegate."""
    stage = Stage(SyntheticMarket(levels_a_side=5000))
    model = _Model(stage)
    view = QtWidgets.QTableView()
    view.setModel(model)
    view.verticalHeader().setDefaultSectionSize(18)
    view.resize(560, 60 * 18 + 30)

    class Shown:
        def render_frame(self, _: float) -> None:
            model.take()

        show, hide, viewport = view.show, view.hide, view.viewport

    return frames_of(stage, Shown(), count)


class _Model(QtCore.QAbstractTableModel):
    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        self._rows: list[tuple[str, ...]] = []

    def take(self) -> None:
        book = self._stage.book
        asks, bids = book.asks.levels(30), book.bids.levels(30)
        rows: list[tuple[str, ...]] = []
        for levels, is_ask in ((asks, True), (bids, False)):
            total = 0.0
            part = []
            for price, size in levels:
                total += float(size)
                row = ("", "", price, size, f"{total:.4f}") if is_ask else (f"{total:.4f}", size, price, "", "")
                part.append(row)
            rows += reversed(part) if is_ask else part
        if len(rows) != len(self._rows):
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        self._rows = rows
        self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, 4))

    def rowCount(self, parent: Any = None) -> int:
        return len(self._rows)

    def columnCount(self, parent: Any = None) -> int:
        return 5

    def data(self, index: Any, role: int = 0) -> Any:
        return self._rows[index.row()][index.column()] if role == QtCore.Qt.ItemDataRole.DisplayRole else None


def measurements(argv: list[str]) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
    """What to measure, by name."""
    quick = "--quick" in argv
    count = 150 if quick else 500
    yield "ladder", lambda: measure_ladder(60, count)
    yield "ladder, hardly anything moves", lambda: measure_ladder(60, count // 2, levels=2)
    yield "ladder, everything moves", lambda: measure_ladder(60, count // 2, levels=60)
    yield "depth", lambda: measure_depth(count)
    yield "heatmap", lambda: measure_heatmap(count, trades=False)
    yield "heatmap with trades", lambda: measure_heatmap(count, trades=True)
    if "--no-peers" not in argv:
        yield "ImageItem", lambda: measure_image_item(count // 3)
        yield "PlotDataItem, step and fill", lambda: measure_plot_item(count // 5)
        yield "QTableView, Qt's delegate", lambda: measure_table(count // 5)
    for rows in (20, 200) if quick else (20, 40, 60, 100, 150, 200):
        yield f"rows {rows}", lambda rows=rows: measure_ladder(rows, count // 3)


def main(argv: list[str]) -> int:
    """Measure, and print the figures as JSON."""
    app = QtWidgets.QApplication(sys.argv[:1])
    found = {name: measure() for name, measure in measurements(argv)}
    print(json.dumps(found))
    app.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
