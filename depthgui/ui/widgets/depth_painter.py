"""Paints one frame of the depth chart: two step curves, their axis, where proof ends, and the cursor with its card."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6 import QtCore, QtGui

from depthgui.ui.qt import polygon
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.depth import Curve, DepthFrame, Floats, nice_step
from depthgui.ui.viewmodels.figures import NumberFormat, format_short, with_marks
from depthgui.ui.widgets.cursor_card import CursorCard
from depthgui.ui.widgets.hatch import hatch_brush
from depthgui.ui.widgets.ladder_painter import STALE_OPACITY
from depthgui.ui.widgets.text_cache import TextCache

_PAD = 10
_MUTED, _TEXT = range(2)
_TOP_SPACE = 0.06  # of the plot's height stays free above the curves


@dataclass(frozen=True, slots=True)
class DepthView:
    """Where a frame is on screen, in logical pixels, and how sizes become heights."""

    frame: DepthFrame
    plot: QtCore.QRectF
    is_log: bool

    def x_of(self, price: float) -> float:
        """Pixel of a price."""
        span = self.frame.high - self.frame.low
        return self.plot.left() + (price - self.frame.low) / span * self.plot.width()

    def price_at(self, x: float) -> float:
        """Price of a pixel."""
        span = self.frame.high - self.frame.low
        return self.frame.low + (x - self.plot.left()) / self.plot.width() * span

    def heights(self, sums: Floats) -> Floats:
        """Pixels (from the top) of sums."""
        full = self.plot.height() * (1 - _TOP_SPACE)
        largest = self.frame.largest or 1.0
        if self.is_log:
            unit = largest / 1000  # three decades are shown
            shares = np.log1p(sums / unit) / math.log1p(1000)
        else:
            shares = sums / largest
        return np.asarray(self.plot.bottom() - shares * full, dtype=np.float64)

    def sum_at(self, price: float) -> float:
        """Size from the best level to a price, as drawn there."""
        frame = self.frame
        if price >= frame.mid:
            count = int(np.searchsorted(frame.asks.prices, price, "right"))
            return float(frame.asks.sums[count - 1]) if count else 0.0
        count = int(np.searchsorted(-frame.bids.prices, -price, "right"))
        return float(frame.bids.sums[count - 1]) if count else 0.0


class DepthPainter:
    """Draws frames with one theme."""

    def __init__(self, theme: Theme, style: NumberFormat, ratio: float = 1.0) -> None:
        """Prepare colours and fonts."""
        self._theme = theme
        self._style = style
        roles = {_MUTED: theme.colour("muted"), _TEXT: theme.colour("text")}
        self._labels = TextCache(theme.typeface.figures(12), roles, ratio)
        self._cursor = CursorCard(theme, ratio)
        self.header_px = self._labels.height + 13
        self.axis_px = self._labels.height + 10
        self._background, self._line = theme.colour("background"), theme.colour("line")
        self._grid, self._middle = theme.colour("line", 0.55), theme.pen("muted", 0.45, 1, (3, 3))
        fill = 0.22 if theme.is_dark else 0.16
        # Opaque, and the grid on top of them: half the cost of blending them over it.
        self._fills = {side: QtGui.QBrush(theme.mix(side, "background", fill)) for side in ("bid", "ask")}
        # Without antialiasing and on whole pixels: as crisp, and four times as quick.
        self._line_px = 1.5 if ratio > 1 else 2.0
        self._lines = {side: theme.brush(side) for side in ("bid", "ask")}
        self._hatch = hatch_brush(theme.colour("muted", 0.26), ratio)
        self._marks: list[float] = []
        self._mark_texts: list[str] = []

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._labels.set_ratio(ratio)
        self._cursor.set_ratio(ratio)

    def plot_rect(self, size: QtCore.QSize) -> QtCore.QRectF:
        """The part of the widget that the curves fill."""
        bottom = size.height() - self.axis_px
        return QtCore.QRectF(0, self.header_px, size.width(), max(1, bottom - self.header_px))

    def header_spots(self, size: QtCore.QSize, words: tuple[str, ...]) -> list[QtCore.QRectF]:
        """Places of the clickable words at the right of the header, in their order."""
        spots: list[QtCore.QRectF] = []
        right = float(size.width() - _PAD)
        for word in reversed(words):
            width = self._labels.width(word)
            spots.append(QtCore.QRectF(right - width - 4, 2, width + 8, self.header_px - 5))
            right -= width + 14
        return spots[::-1]

    def paint_header(
        self, painter: QtGui.QPainter, size: QtCore.QSize, words: tuple[str, ...], hovered: int | None
    ) -> None:
        """Draw the strip at the top: the title, and the clickable words."""
        width, height, labels = size.width(), self.header_px, self._labels
        painter.fillRect(0, 0, width, height, self._background)
        painter.fillRect(0, height - 1, width, 1, self._line)
        y = (height - labels.height) // 2
        labels.draw(painter, _PAD, y, "Depth", _MUTED)
        for number, (spot, word) in enumerate(zip(self.header_spots(size, words), words, strict=True)):
            labels.draw(painter, round(spot.left()) + 4, y, word, _TEXT if number == hovered else _MUTED)

    def paint_message(self, painter: QtGui.QPainter, size: QtCore.QSize, message: str) -> None:
        """Draw an empty chart with a sentence in it."""
        painter.fillRect(QtCore.QRect(QtCore.QPoint(0, 0), size), self._theme.colour("background"))
        painter.setFont(self._theme.typeface.font(12))
        painter.setPen(self._theme.colour("muted"))
        flags = QtCore.Qt.AlignmentFlag.AlignCenter.value | QtCore.Qt.TextFlag.TextWordWrap.value
        painter.drawText(self.plot_rect(size).adjusted(16, 0, -16, 0), flags, message)

    def paint(self, painter: QtGui.QPainter, view: DepthView, size: QtCore.QSize) -> None:
        """Draw the curves and the axis."""
        frame, plot = view.frame, view.plot
        painter.fillRect(0, 0, size.width(), size.height(), self._background)
        painter.setOpacity(STALE_OPACITY if frame.stale else 1.0)
        painter.setClipRect(plot)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        curves = {"bid": (frame.bids, frame.low), "ask": (frame.asks, frame.high)}
        corners = {side: _corners(view, curve, end) for side, (curve, end) in curves.items() if curve.prices.size}
        for side, (xs, ys) in corners.items():
            painter.setBrush(self._fills[side])
            painter.drawPolygon(polygon(xs, ys))
        self._paint_sizes(painter, view)
        for side, (xs, ys) in corners.items():
            self._paint_line(painter, xs[:-1], ys[:-1], side)
        self._paint_ends(painter, view)
        middle = round(view.x_of(frame.mid)) + 0.5
        painter.setPen(self._middle)
        painter.drawLine(QtCore.QPointF(middle, plot.top()), QtCore.QPointF(middle, plot.bottom()))
        painter.setClipping(False)
        self._paint_prices(painter, view)
        painter.setOpacity(1.0)

    def paint_cursor(self, painter: QtGui.QPainter, view: DepthView, price: float, lines: tuple[str, ...]) -> None:
        """Draw the cross at a price, and the card beside it."""
        y = float(view.heights(np.array([view.sum_at(price)]))[0])
        self._cursor.paint(painter, QtCore.QPointF(view.x_of(price), y), view.plot, lines)

    # -- parts

    def _paint_line(self, painter: QtGui.QPainter, xs: Floats, ys: Floats, side: str) -> None:
        # An area too: a pen of two pixels along as many steps costs twice as much.
        half = self._line_px / 2
        across = half if side == "bid" else -half
        painter.setBrush(self._lines[side])
        painter.drawPolygon(
            polygon(
                np.concatenate((xs + across, xs[::-1] - across)),
                np.concatenate((ys - half, ys[::-1] + half)),
            )
        )

    def _paint_ends(self, painter: QtGui.QPainter, view: DepthView) -> None:
        plot, frame = view.plot, view.frame
        pen = self._theme.pen("muted", 0.8, 1)
        if frame.proven_low is not None:
            x = round(view.x_of(frame.proven_low))
            painter.fillRect(QtCore.QRectF(plot.left(), plot.top(), x - plot.left(), plot.height()), self._hatch)
            self._end_line(painter, pen, x, plot)
        if frame.proven_high is not None:
            x = round(view.x_of(frame.proven_high))
            painter.fillRect(QtCore.QRectF(x, plot.top(), plot.right() - x, plot.height()), self._hatch)
            self._end_line(painter, pen, x, plot)

    @staticmethod
    def _end_line(painter: QtGui.QPainter, pen: QtGui.QPen, x: int, plot: QtCore.QRectF) -> None:
        painter.setPen(pen)
        painter.drawLine(QtCore.QPointF(x + 0.5, plot.top()), QtCore.QPointF(x + 0.5, plot.bottom()))

    def _paint_sizes(self, painter: QtGui.QPainter, view: DepthView) -> None:
        largest = view.frame.largest
        if largest <= 0:
            return
        if view.is_log:
            decade = math.floor(math.log10(largest))
            marks = [10.0 ** (decade - lower) for lower in (2, 1, 0)]
        else:
            step = nice_step(largest, 4)
            marks = [step * number for number in range(1, int(largest / step) + 1)]
        heights = view.heights(np.array(marks))
        width, lift = round(view.plot.width()), 1 + self._labels.height
        if marks != self._marks:  # they stay the same until another one fits
            self._marks, self._mark_texts = marks, [self._size_text(mark) for mark in marks]
        for text, height in zip(self._mark_texts, heights.tolist(), strict=True):
            y = round(height)
            painter.fillRect(0, y, width, 1, self._grid)
            self._labels.draw(painter, 6, y - lift, text, _MUTED)

    def _size_text(self, size: float) -> str:
        return f"{size:.3g}" if size < 1 else format_short(size, self._style).removesuffix(".00")

    def _paint_prices(self, painter: QtGui.QPainter, view: DepthView) -> None:
        frame, plot = view.frame, view.plot
        painter.fillRect(0, round(plot.bottom()), round(plot.width()), 1, self._line)
        span = frame.high - frame.low
        labels = self._labels
        widest = labels.width("0" * len(f"{frame.high:,.2f}")) + 24
        step = nice_step(span, max(2, int(plot.width() / widest)))
        decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if f"{step:e}".startswith("2.5") else 0))
        y = round(plot.bottom()) + 5
        left, right = plot.left(), plot.right()
        pixels = plot.width() / span
        price = math.ceil(frame.low / step) * step
        while price <= frame.high:
            text = with_marks(f"{price:,.{decimals}f}", self._style)
            half = labels.width(text) / 2
            x = left + (price - frame.low) * pixels
            if left + 2 <= x - half and x + half <= right - 2:
                labels.draw(painter, round(x - half), y, text, _MUTED)
            price += step


def _corners(view: DepthView, curve: Curve, end: float) -> tuple[Floats, Floats]:
    frame, plot = view.frame, view.plot
    xs = plot.left() + (curve.prices - frame.low) * (plot.width() / (frame.high - frame.low))
    return _steps(xs, view.heights(curve.sums), view.x_of(end), plot.bottom())


def _steps(xs: Floats, ys: Floats, end_x: float, floor: float) -> tuple[Floats, Floats]:
    # Corners of the steps, from the floor at the first to the last one's end, and down to the floor again. Several
    # levels in one pixel column make one step: the outermost of them.
    columns = np.floor(xs)
    is_last = np.ones(xs.size, dtype=np.bool_)
    np.not_equal(columns[1:], columns[:-1], out=is_last[:-1])
    xs, ys = np.round(xs[is_last]), np.round(ys[is_last])
    count = 2 * xs.size
    step_x, step_y = np.empty(count + 2), np.empty(count + 2)
    step_x[0:count:2] = step_x[1:count:2] = xs
    step_x[count:] = end_x
    step_y[0] = step_y[-1] = floor
    step_y[1 : count + 1 : 2] = step_y[2 : count + 1 : 2] = ys
    return step_x, step_y
