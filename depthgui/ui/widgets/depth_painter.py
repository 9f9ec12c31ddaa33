"""Paints one frame of the depth chart: two step curves, their axis, where proof ends, and the cursor with its card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6 import QtCore, QtGui

from depthgui.ui.qt import polygon
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.depth import Curve, DepthFrame, Floats, nice_step
from depthgui.ui.viewmodels.figures import NumberFormat, format_brief, with_marks
from depthgui.ui.widgets.cursor_card import CursorCard
from depthgui.ui.widgets.hatch import hatch_brush
from depthgui.ui.widgets.kept_picture import KeptPicture
from depthgui.ui.widgets.ladder_painter import STALE_OPACITY
from depthgui.ui.widgets.text_cache import TextCache

_PAD = 10
_MUTED, _TEXT = range(2)
_TOP_SPACE = 0.06  # of the plot's height stays free above the curves
_BEYOND_PX = 8  # outside the plot's edge, where a curve's last upright is cut off


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
        # As thin as a device pixel each, and as many beside each other as it takes: a sixth of the cost of a wide pen.
        self._pens = {side: theme.pen(side, 1.0, 0) for side in ("bid", "ask")}
        self._veil = theme.colour("background", 1 - STALE_OPACITY)
        self._end_pen = theme.pen("muted", 0.8, 1)
        self._ratio = ratio
        self._header = KeptPicture()
        self._hatch = KeptPicture()
        # Texts beside the axes with what they belong to; the same ones fit for many frames.
        self._marks: tuple[object, Floats, list[str]] = (None, np.zeros(0), [])
        self._prices: tuple[object, list[tuple[float, str, float]]] = (None, [])

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._ratio = ratio
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
        width = size.width()
        drawn_for = (words, hovered, width, self._ratio)
        if self._header.drawn_for != drawn_for:
            with self._header.drawing(drawn_for, (width, self.header_px), self._ratio, self._background) as drawn:
                self._draw_header(drawn, size, words, hovered)
        painter.drawPixmap(0, 0, self._header.pixmap)

    def _draw_header(
        self, painter: QtGui.QPainter, size: QtCore.QSize, words: tuple[str, ...], hovered: int | None
    ) -> None:
        height, labels = self.header_px, self._labels
        painter.fillRect(0, height - 1, size.width(), 1, self._line)
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
        painter.setClipRect(plot)
        ends = {"bid": (frame.bids, plot.left() - _BEYOND_PX), "ask": (frame.asks, plot.right() + _BEYOND_PX)}
        outlines = {side: _outline(view, curve, end_x) for side, (curve, end_x) in ends.items() if curve.prices.size}
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        for side, outline in outlines.items():
            painter.setBrush(self._fills[side])
            painter.drawPolygon(outline)
        self._paint_sizes(painter, view)
        for side, outline in outlines.items():
            self._paint_line(painter, outline, side)
        self._paint_ends(painter, view)
        middle = round(view.x_of(frame.mid)) + 0.5
        painter.setPen(self._middle)
        painter.drawLine(QtCore.QPointF(middle, plot.top()), QtCore.QPointF(middle, plot.bottom()))
        painter.setClipping(False)
        self._paint_prices(painter, view)
        if frame.stale:
            painter.fillRect(0, 0, size.width(), size.height(), self._veil)

    def paint_cursor(self, painter: QtGui.QPainter, view: DepthView, price: float, lines: tuple[str, ...]) -> None:
        """Draw the cross at a price, and the card beside it."""
        y = float(view.heights(np.array([view.sum_at(price)]))[0])
        self._cursor.paint(painter, QtCore.QPointF(view.x_of(price), y), view.plot, lines)

    # -- parts

    def _paint_line(self, painter: QtGui.QPainter, outline: QtGui.QPolygonF, side: str) -> None:
        # Moved across the curve, each line begins where the one before ended in both directions.
        ratio = self._ratio
        width = max(1, round((1.5 if ratio > 1 else 2.0) * ratio))
        painter.setPen(self._pens[side])
        for down in range(-(width // 2), width - width // 2):
            right = down if side == "ask" else -1 - down
            painter.translate(right / ratio, down / ratio)
            painter.drawPolyline(outline)
            painter.translate(-right / ratio, -down / ratio)

    def _paint_ends(self, painter: QtGui.QPainter, view: DepthView) -> None:
        plot, frame = view.plot, view.frame
        if frame.proven_low is not None:
            x = round(view.x_of(frame.proven_low))
            self._paint_hatch(painter, plot, plot.left(), x)
            self._end_line(painter, self._end_pen, x, plot)
        if frame.proven_high is not None:
            x = round(view.x_of(frame.proven_high))
            self._paint_hatch(painter, plot, x, plot.right())
            self._end_line(painter, self._end_pen, x, plot)

    def _paint_hatch(self, painter: QtGui.QPainter, plot: QtCore.QRectF, left: float, right: float) -> None:
        # Part of a picture as large as the plot: a third of the cost of a brush, which blends what is transparent too.
        ratio = self._ratio
        drawn_for = (plot, ratio)
        if self._hatch.drawn_for != drawn_for:
            size = (math.ceil(plot.width()), math.ceil(plot.height()))
            with self._hatch.drawing(drawn_for, size, ratio, QtCore.Qt.GlobalColor.transparent) as drawn:
                drawn.fillRect(0, 0, *size, hatch_brush(self._theme.colour("muted", 0.26), ratio))
        x, y, width, height = (round(length) for length in (left, plot.top(), right - left, plot.height()))
        painter.drawPixmap(
            x, y, width, height, self._hatch.pixmap, round((left - plot.left()) * ratio), 0, round(width * ratio),
            round(height * ratio),
        )  # fmt: skip

    @staticmethod
    def _end_line(painter: QtGui.QPainter, pen: QtGui.QPen, x: int, plot: QtCore.QRectF) -> None:
        painter.setPen(pen)
        painter.drawLine(QtCore.QPointF(x + 0.5, plot.top()), QtCore.QPointF(x + 0.5, plot.bottom()))

    def _paint_sizes(self, painter: QtGui.QPainter, view: DepthView) -> None:
        largest = view.frame.largest
        if largest <= 0:
            return
        factors: Sequence[float]
        if view.is_log:
            unit, factors = 10.0 ** math.floor(math.log10(largest)), (0.01, 0.1, 1.0)
        else:
            unit = nice_step(largest, 4)
            factors = range(1, int(largest / unit) + 1)
        if self._marks[0] != (unit, factors):
            sizes = np.array(factors) * unit
            self._marks = ((unit, factors), sizes, [format_brief(size, self._style) for size in sizes.tolist()])
        width, lift = round(view.plot.width()), 1 + self._labels.height
        for text, height in zip(self._marks[2], view.heights(self._marks[1]).tolist(), strict=True):
            y = round(height)
            painter.fillRect(0, y, width, 1, self._grid)
            self._labels.draw(painter, 6, y - lift, text, _MUTED)

    def _paint_prices(self, painter: QtGui.QPainter, view: DepthView) -> None:
        frame, plot, labels = view.frame, view.plot, self._labels
        painter.fillRect(0, round(plot.bottom()), round(plot.width()), 1, self._line)
        span = frame.high - frame.low
        widest = labels.width("0" * len(f"{frame.high:,.2f}")) + 24
        step = nice_step(span, max(2, int(plot.width() / widest)))
        numbers = range(math.ceil(frame.low / step), math.floor(frame.high / step) + 1)
        if self._prices[0] != (step, numbers):
            self._prices = ((step, numbers), self._price_texts(step, numbers))
        y = round(plot.bottom()) + 5
        left, right = plot.left(), plot.right()
        pixels = plot.width() / span
        for price, text, half in self._prices[1]:
            x = left + (price - frame.low) * pixels
            if left + 2 <= x - half and x + half <= right - 2:
                labels.draw(painter, round(x - half), y, text, _MUTED)

    def _price_texts(self, step: float, numbers: range) -> list[tuple[float, str, float]]:
        # Prices on the axis, with half of the width of their texts.
        decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if f"{step:e}".startswith("2.5") else 0))
        prices = [number * step for number in numbers]
        texts = [with_marks(f"{price:,.{decimals}f}", self._style) for price in prices]
        return [(price, text, self._labels.width(text) / 2) for price, text in zip(prices, texts, strict=True)]


def _outline(view: DepthView, curve: Curve, end_x: float) -> QtGui.QPolygonF:
    # Corners of the steps, from the floor at the first to the last one's end, and down to the floor again. Several
    # levels in one pixel column make one step: the outermost of them.
    frame, plot = view.frame, view.plot
    xs = np.rint((curve.prices - frame.low) * (plot.width() / (frame.high - frame.low)) + plot.left())
    is_last = np.ones(xs.size, np.bool_)
    np.not_equal(xs[1:], xs[:-1], out=is_last[:-1])
    ys = np.rint(view.heights(curve.sums[is_last]))
    floor = (plot.bottom(),)
    return polygon(
        np.concatenate((np.repeat(xs[is_last], 2), (end_x, end_x))), np.concatenate((floor, np.repeat(ys, 2), floor))
    )
