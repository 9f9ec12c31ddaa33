"""Paints one frame of the heatmap: the picture, the price axis and its tag, legend and card."""

from __future__ import annotations

import math

import msgspec
from PySide6 import QtCore, QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.depth import nice_step
from depthgui.ui.viewmodels.figures import NumberFormat, format_brief, with_marks
from depthgui.ui.viewmodels.heatmap_cells import FULL, Window
from depthgui.ui.viewmodels.heatmap_colours import heat_table
from depthgui.ui.viewmodels.heatmap_view import HeatmapView
from depthgui.ui.widgets.cursor_card import CursorCard
from depthgui.ui.widgets.heatmap_image import HeatmapImage
from depthgui.ui.widgets.kept_picture import KeptPicture
from depthgui.ui.widgets.text_cache import TextCache

_MUTED, _ON_TAG = range(2)
_AXIS_PAD = 9
_LEGEND_PX = (72, 5)
_LABEL_GAP_PX = 38


class HeatmapFrame(msgspec.Struct, frozen=True):
    """What one paint draws. `step` is the price of a row.

    `last` is the price on the tag: the last one, with its direction, or the mid where there was no trade.
    """

    window: Window
    newest_slot: int
    step: float
    decimals: int
    stale: bool
    last: float
    last_text: str
    direction: int
    cap_text: str


class HeatmapPainter:
    """Draws frames with one theme."""

    def __init__(self, theme: Theme, style: NumberFormat, ratio: float = 1.0) -> None:
        """Prepare colours and fonts."""
        self._theme = theme
        self._style = style
        on_tag = theme.colour("background")
        roles = {_MUTED: theme.colour("muted"), _ON_TAG: on_tag}
        self._labels = TextCache(theme.typeface.figures(12), roles, ratio)
        self._cursor = CursorCard(theme, ratio)
        self._small = TextCache(theme.typeface.figures(11), roles, ratio)
        self._background, self._line = theme.colour("background"), theme.colour("line")
        self._tags = {1: theme.colour("bid"), -1: theme.colour("ask"), 0: theme.colour("muted")}
        self._ratio = ratio
        self._marked: tuple[float, ...] = ()
        self._texts: list[tuple[int, str]] = []
        self._axis, self._legend = KeptPicture(), KeptPicture()

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._ratio = ratio
        for texts in (self._labels, self._cursor, self._small):
            texts.set_ratio(ratio)

    def axis_px(self, widest: str) -> int:
        """Width of the price axis for the longest price on it."""
        return round(self._labels.width("0" * len(widest))) + 2 * _AXIS_PAD

    def paint_message(self, painter: QtGui.QPainter, size: QtCore.QSize, message: str) -> None:
        """Draw an empty plot with a sentence in it."""
        area = QtCore.QRect(QtCore.QPoint(0, 0), size)
        painter.fillRect(area, self._background)
        painter.setFont(self._theme.typeface.font(12))
        painter.setPen(self._theme.colour("muted"))
        flags = QtCore.Qt.AlignmentFlag.AlignCenter.value | QtCore.Qt.TextFlag.TextWordWrap.value
        painter.drawText(area.adjusted(16, 0, -16, 0), flags, message)

    def paint(
        self, painter: QtGui.QPainter, frame: HeatmapFrame, view: HeatmapView, image: HeatmapImage, size: QtCore.QSize
    ) -> None:
        """Draw everything but the card. The plot is what `view` measures; the axis is right of it."""
        plot_px = round(view.width / self._ratio)
        image.paint(painter)
        self._paint_axis(painter, frame, view, plot_px, size)
        self._paint_legend(painter, frame, size)

    def paint_cursor(
        self, painter: QtGui.QPainter, at: QtCore.QPointF, plot: QtCore.QRectF, lines: tuple[str, ...]
    ) -> None:
        """Draw the cross at the pointer and the card beside it."""
        self._cursor.paint(painter, at, plot, lines)

    # -- parts

    def _paint_axis(
        self, painter: QtGui.QPainter, frame: HeatmapFrame, view: HeatmapView, plot_px: int, size: QtCore.QSize
    ) -> None:
        labels = self._labels
        tag_y = round(view.y_of(frame.last / frame.step) / self._ratio)
        marks = self._marks(frame, view, size)
        near = labels.height + 2
        hidden = [y for y, _ in marks if -near <= y - tag_y <= near]
        width, height = size.width() - plot_px, size.height()
        drawn_for = (self._marked, hidden, width, height)
        if self._axis.drawn_for != drawn_for:
            with self._axis.drawing(drawn_for, (width, height), self._ratio, self._background) as drawn:
                self._draw_axis(drawn, [mark for mark in marks if mark[0] not in hidden], height)
        painter.drawPixmap(plot_px, 0, self._axis.pixmap)
        half = labels.height / 2
        tag_y = min(max(tag_y, round(half) + 2), height - round(half) - 2)
        tall = labels.height + 3
        painter.fillRect(plot_px + 1, tag_y - tall // 2, width - 1, tall, self._tags[frame.direction])
        labels.draw(painter, plot_px + _AXIS_PAD, round(tag_y - half), frame.last_text, _ON_TAG)

    def _draw_axis(self, painter: QtGui.QPainter, marks: list[tuple[int, str]], height: int) -> None:
        painter.fillRect(0, 0, 1, height, self._line)
        for y, text in marks:
            self._labels.draw(painter, _AXIS_PAD, round(y - self._labels.height / 2), text, _MUTED)

    def _marks(self, frame: HeatmapFrame, view: HeatmapView, size: QtCore.QSize) -> list[tuple[int, str]]:
        # Places and texts of the prices on the axis; the same until the view moves.
        place = (frame.step, frame.window.top_row, view.height, view.row_px, self._ratio)
        if place != self._marked:
            self._marked = place
            high = (frame.window.top_row + 0.5) * frame.step
            low = high - view.height / view.row_px * frame.step
            step = max(nice_step(high - low, max(2, size.height() // _LABEL_GAP_PX)), frame.step)
            prices = [number * step for number in range(math.ceil(low / step), math.ceil(high / step))]
            spots = [(round(view.y_of(price / frame.step) / self._ratio), price) for price in prices]
            half = self._labels.height / 2
            shown = [(y, price) for y, price in spots if half < y < size.height() - half]
            self._texts = [(y, self.price_text(price, frame.decimals)) for y, price in shown]
        return self._texts

    def price_text(self, price: float, decimals: int) -> str:
        """A price on the axis."""
        return with_marks(f"{price:,.{decimals}f}", self._style)

    def size_text(self, size: float) -> str:
        """A size in the legend."""
        return format_brief(size, self._style)

    def _paint_legend(self, painter: QtGui.QPainter, frame: HeatmapFrame, size: QtCore.QSize) -> None:
        if not frame.cap_text or size.height() < 80:
            return
        texts = self._small
        drawn_for = (frame.cap_text, self._ratio)
        if self._legend.drawn_for != drawn_for:
            width = round(texts.width("0") + texts.width(frame.cap_text)) + _LEGEND_PX[0] + 24
            ground = self._theme.colour("background", 0.82)
            with self._legend.drawing(drawn_for, (width, texts.height + 4), self._ratio, ground) as drawn:
                self._draw_legend(drawn, frame.cap_text)
        painter.drawPixmap(6, size.height() - texts.height - 8, self._legend.pixmap)

    def _draw_legend(self, painter: QtGui.QPainter, cap_text: str) -> None:
        texts = self._small
        texts.draw(painter, 6, 2, "0", _MUTED)
        x = 6 + round(texts.width("0")) + 5
        painter.drawPixmap(x, 2 + (texts.height - _LEGEND_PX[1]) // 2, self._draw_strip())
        texts.draw(painter, x + _LEGEND_PX[0] + 5, 2, cap_text, _MUTED)

    def _draw_strip(self) -> QtGui.QPixmap:
        width, height = (round(length * self._ratio) for length in _LEGEND_PX)
        table = heat_table(self._theme.palette)
        strip = QtGui.QImage(width, 1, QtGui.QImage.Format.Format_RGB32)
        for x in range(width):
            # The colours go with the square root of the size; the strip with the size itself.
            strip.setPixel(x, 0, int(table[max(1, math.ceil(math.sqrt(x / (width - 1)) * FULL))]))
        made = QtGui.QPixmap.fromImage(strip.scaled(width, height))
        made.setDevicePixelRatio(self._ratio)
        return made
