"""Draws the report's curves as a picture, with pyqtgraph on Qt's offscreen platform.

`python -m bench.picture FILE` reads the curves as JSON from standard input: it needs a QApplication, the report not.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.programs import app_python
from bench.results import Curve

_COLOURS = ("#26a69a", "#5aa9f8", "#f0b429", "#ef5350", "#b48ead")
_PANEL = (560, 380)


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draw in a process of its own."""
    text = json.dumps([asdict(curve) for curve in curves])
    subprocess.run([app_python(), "-m", "bench.picture", str(path)], input=text, text=True, check=True, timeout=120)


def paint(curves: Sequence[Curve], path: Path) -> None:
    """Draw one panel for each chart, two in a row, into a PNG file."""
    import pyqtgraph
    from pyqtgraph.exporters import ImageExporter
    from PySide6 import QtWidgets  # first, so that pyqtgraph takes it

    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
    pyqtgraph.setConfigOptions(background="#0e1116", foreground="#d5dce6", antialias=True)
    charts = list(dict.fromkeys(curve.chart for curve in curves))
    rows = math.ceil(len(charts) / 2)
    layout = pyqtgraph.GraphicsLayoutWidget(size=(_PANEL[0] * min(len(charts), 2), _PANEL[1] * rows))
    for number, chart in enumerate(charts):
        _panel(layout, chart, [curve for curve in curves if curve.chart == chart], number)
    layout.show()
    app.processEvents()
    ImageExporter(layout.scene()).export(str(path))
    layout.hide()
    layout.deleteLater()
    app.processEvents()


def _panel(layout: Any, chart: str, curves: Sequence[Curve], number: int) -> None:
    import pyqtgraph

    plot = layout.addPlot(row=number // 2, col=number % 2, title=chart)
    plot.addLegend(offset=(10, 10), labelTextSize="8pt")
    plot.setLabel("bottom", curves[0].across)
    plot.setLabel("left", curves[0].up)
    for axis in ("bottom", "left"):
        plot.getAxis(axis).enableAutoSIPrefix(False)
    plot.setLogMode(x=curves[0].is_log, y=curves[0].is_log)
    plot.showGrid(x=True, y=True, alpha=0.25)
    works = sorted({work for curve in curves for work, _ in curve.points})
    if curves[0].is_log:
        plot.getAxis("bottom").setTicks([[(math.log10(work), f"{work:g}") for work in works]])
        steps = [factor * 10**power for power in range(-1, 5) for factor in (1, 2, 5)]
        plot.getAxis("left").setTicks([[(math.log10(step), f"{step:g}") for step in steps]])
    top = 0.0
    for curve, colour in zip(curves, _COLOURS, strict=False):
        across, up = zip(*curve.points, strict=True)
        top = max(top, *up)
        pen = pyqtgraph.mkPen(colour, width=2)
        plot.plot(across, up, pen=pen, symbol="o", symbolSize=6, symbolBrush=colour, symbolPen=None, name=curve.name)
    if curves[0].is_log:
        plot.setYRange(0, math.log10(top * 8))  # from 1, with room for the legend
    else:
        plot.setYRange(0, top * 1.4)


def main(argv: list[str]) -> int:
    """Read curves from standard input, draw them into the file that is named."""
    found = [Curve(**{**curve, "points": tuple(map(tuple, curve["points"]))}) for curve in json.load(sys.stdin)]
    paint(found, Path(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
