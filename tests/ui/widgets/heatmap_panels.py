"""A heatmap's panel on a market of sixty levels a side, for tests that look at its pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6 import QtGui
from unit.ui.books import FakeFeed, make_book

from depthgui.ui.widgets.heatmap import Heatmap
from depthgui.ui.widgets.heatmap_panel import HeatmapPanel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock
    from depthgui.ui.theme import Theme

COLUMN_S = 0.25
Panel = tuple[HeatmapPanel, Callable[..., None]]


def sixty_levels() -> FakeFeed:
    """Sixty levels a side, each larger than the one before; bids end at 99.41, asks at 100.60."""
    bids = [(f"{100 - 0.01 * number:.2f}", f"{number + 1}.000") for number in range(60)]
    asks = [(f"{100.01 + 0.01 * number:.2f}", f"{number + 1}.000") for number in range(60)]
    return FakeFeed(make_book(bids, asks, limit=60))


def shown_panel(qtbot: QtBot, clock: FrameClock, theme: Theme, market: FakeFeed, time: Any) -> Iterator[Panel]:
    """A panel, and what lets time go on column by column."""
    time.now_s = 1000.001
    panel = HeatmapPanel(clock, theme)
    qtbot.addWidget(panel)
    panel.resize(500, 330)
    panel.set_feed(market)
    panel.show()

    def pass_columns(count: int = 1, *, record: bool = True) -> None:
        for _ in range(count):
            time.now_s += COLUMN_S
            if record:
                panel.recorder.record()
            clock.tick()

    yield panel, pass_columns
    panel.set_feed(None)


def picture(plot: Heatmap) -> np.ndarray:
    """What is painted in the plot, as 0xffRRGGBB, without the pointer."""
    image = plot.viewport().grab().toImage().convertToFormat(QtGui.QImage.Format.Format_RGB32)
    words = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return words[: plot.view.height, : plot.view.width].copy()
