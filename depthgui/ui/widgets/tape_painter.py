"""Paints frames of the tape.

It keeps the picture of the last frame, moves its rows down where new ones came on top, and draws only those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.figures import compact_forms
from depthgui.ui.viewmodels.tape import TapeFrame, TapeRow
from depthgui.ui.widgets.kept_picture import KeptPicture
from depthgui.ui.widgets.ladder_painter import STALE_OPACITY
from depthgui.ui.widgets.note import paint_note
from depthgui.ui.widgets.text_cache import DIMMED, TextCache

_PAD = 10
_TEXT, _MUTED, _BID, _ASK = range(4)


class _Page(NamedTuple):
    """What all rows of a picture have in common: where their columns stand, and how they are drawn."""

    width: int
    height: int
    ratio: float
    row_count: int
    is_stale: bool
    point: str
    size_point: float
    size_right: int
    time_left: int
    has_time: bool
    size_left: int


class TapePainter:
    """Draws frames with one theme."""

    def __init__(self, theme: Theme, ratio: float = 1.0) -> None:
        """Prepare fonts and colours."""
        self._theme = theme
        face = theme.typeface
        roles = {
            _TEXT: theme.colour("text"),
            _MUTED: theme.colour("muted"),
            _BID: theme.colour("bid"),
            _ASK: theme.colour("ask"),
            DIMMED: theme.mix("muted", "background", 0.72),
        }
        self._figures = TextCache(face.figures(13), roles, ratio)
        self._labels = TextCache(face.figures(12), roles, ratio)
        self.row_px = self._figures.height + 2
        self.header_px = self._labels.height + 13
        wash = 0.26 if theme.is_dark else 0.16
        self._washes = {True: theme.colour("bid", wash), False: theme.colour("ask", wash)}
        self._edges = {True: theme.colour("bid"), False: theme.colour("ask")}
        self._background = theme.colour("background")
        self._ratio = ratio
        self._kept = KeptPicture()
        self._rows: tuple[TapeRow, ...] = ()
        self._widest_price = self._widest_whole = ""

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._ratio = ratio
        self._figures.set_ratio(ratio)
        self._labels.set_ratio(ratio)

    def row_count(self, height: int) -> int:
        """Rows that are seen in a widget of `height` pixels, a cut-off one included."""
        return max(0, -(-(height - self.header_px) // self.row_px))

    def paint(self, painter: QtGui.QPainter, frame: TapeFrame, width: int, height: int) -> None:
        """Draw rows, header, and the note of a pause."""
        page = self._page(frame, width, height)
        if page != self._kept.drawn_for:
            with self._kept.drawing(page, (width, height), self._ratio, self._background) as drawn:
                self._paint_header(drawn, width, page.size_right, has_time=page.has_time)
                self._draw_rows(drawn, page, frame.rows, range(page.row_count))
        elif frame.rows is not self._rows:
            self._draw_new(page, frame.rows)
        self._rows = frame.rows
        painter.drawPixmap(0, 0, self._kept.pixmap)
        if frame.is_paused:
            self._paint_pause(painter, frame, width, height)
        elif frame.note:
            paint_note(
                painter, self._theme, frame.note, QtCore.QRect(0, self.header_px, width, height - self.header_px)
            )

    def forget_picture(self) -> None:
        """Let go of the kept picture, which a tape that nobody sees doesn't need."""
        self._kept = KeptPicture()

    def _page(self, frame: TapeFrame, width: int, height: int) -> _Page:
        figures = self._figures
        time_px = round(figures.width("00:00:00"))
        self._note_widest(frame)
        fraction_px = figures.width(".") + frame.fraction * figures.width("0") if frame.fraction else 0.0
        price_px, whole_px = figures.width(self._widest_price), figures.width(self._widest_whole)
        has_time = width >= time_px + max(150, math.ceil(price_px + whole_px + fraction_px) + 4 * _PAD)
        time_left = width - _PAD - time_px
        size_right = time_left - _PAD - 2 if has_time else width - _PAD
        return _Page(
            width,
            height,
            self._ratio,
            len(frame.rows),
            frame.stale,
            frame.point,
            size_right - fraction_px,
            size_right,
            time_left,
            has_time,
            round(_PAD + price_px + 4),
        )

    def _note_widest(self, frame: TapeFrame) -> None:
        # Both only grow, lest columns dance.
        for row in frame.rows:
            if len(row.price) > len(self._widest_price):
                self._widest_price = row.price
            whole = row.size[0].partition(frame.point)[0]
            if len(whole) > len(self._widest_whole):
                self._widest_whole = whole

    def _draw_new(self, page: _Page, rows: tuple[TapeRow, ...]) -> None:
        shift = _shift(rows, self._rows)
        top, down_px = self.header_px * self._ratio, shift * self.row_px * self._ratio
        if shift and top.is_integer() and down_px.is_integer():
            below = QtCore.QRect(0, int(top), self._kept.pixmap.width(), self._kept.pixmap.height() - int(top))
            self._kept.pixmap.scroll(0, int(down_px), below)
        elif shift:  # a row is no whole number of device pixels
            shift = page.row_count
        changed = [at for at, row in enumerate(rows) if at < shift or row != self._rows[at - shift]]
        drawn_for, self._kept.drawn_for = self._kept.drawn_for, None  # until it is whole again
        with painting(self._kept.pixmap) as painter:
            self._draw_rows(painter, page, rows, changed)
        self._kept.drawn_for = drawn_for

    def _draw_rows(self, painter: QtGui.QPainter, page: _Page, rows: Sequence[TapeRow], places: Sequence[int]) -> None:
        for at in places:
            row, y = rows[at], self.header_px + at * self.row_px
            painter.setOpacity(1.0)
            painter.fillRect(0, y, page.width, self.row_px, self._background)
            painter.setOpacity(STALE_OPACITY if page.is_stale else 1.0)
            if row.is_large:
                painter.fillRect(0, y, page.width, self.row_px, self._washes[row.is_buy])
                painter.fillRect(0, y, 2, self.row_px, self._edges[row.is_buy])
            self._paint_row(painter, row, y + 1, page)
            if page.has_time:
                self._figures.draw(painter, page.time_left, y + 1, row.time, _MUTED)

    def paint_message(self, painter: QtGui.QPainter, width: int, height: int, message: str) -> None:
        """Draw an empty tape with a sentence in it."""
        painter.fillRect(0, 0, width, height, self._theme.colour("background"))
        painter.setFont(self._theme.typeface.font(12))
        painter.setPen(self._theme.colour("muted"))
        flags = QtCore.Qt.AlignmentFlag.AlignCenter.value | QtCore.Qt.TextFlag.TextWordWrap.value
        painter.drawText(QtCore.QRect(10, self.header_px, width - 20, height - self.header_px), flags, message)
        self._paint_header(painter, width, width - _PAD, has_time=False)

    def _paint_row(self, painter: QtGui.QPainter, row: TapeRow, y: int, page: _Page) -> None:
        figures = self._figures
        figures.draw(painter, _PAD, y, row.price, _BID if row.is_buy else _ASK)
        head, tail = row.size
        x = round(page.size_point - figures.width(head.partition(page.point)[0]))
        if x >= page.size_left and figures.width(head) + figures.width(tail) <= page.width - x:
            figures.draw_figure(painter, x, y, row.size, _TEXT)
            return
        # No room: a shorter form on the right edge. A number that is cut off would be another number.
        room = page.size_right - page.size_left
        forms = [head, *compact_forms(head, page.point)]
        text = next((form for form in forms if figures.width(form) <= room), forms[-1])
        figures.draw(painter, page.size_right - math.ceil(figures.width(text)), y, text, _TEXT)

    def _paint_header(self, painter: QtGui.QPainter, width: int, size_right: int, *, has_time: bool) -> None:
        height, labels = self.header_px, self._labels
        painter.fillRect(0, 0, width, height, self._theme.colour("background"))
        painter.fillRect(0, height - 1, width, 1, self._theme.colour("line"))
        y = (height - labels.height) // 2
        labels.draw(painter, _PAD, y, "Price", _MUTED)
        labels.draw(painter, size_right - round(labels.width("Size")), y, "Size", _MUTED)
        if has_time:
            labels.draw(painter, width - _PAD - round(labels.width("Time")), y, "Time", _MUTED)

    def _paint_pause(self, painter: QtGui.QPainter, frame: TapeFrame, width: int, height: int) -> None:
        text = f"Paused \u00b7 {frame.waiting} new" if frame.waiting else "Paused"
        labels = self._labels
        wide, tall = round(labels.width(text)) + 22, labels.height + 8
        left, top = (width - wide) // 2, height - tall - 8
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.pen("line"))
        painter.setBrush(self._theme.colour("raised"))
        painter.drawRoundedRect(QtCore.QRectF(left + 0.5, top + 0.5, wide, tall), tall / 2, tall / 2)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, on=False)
        labels.draw(painter, left + 11, top + 4, text, _TEXT)


def _shift(rows: Sequence[TapeRow], before: Sequence[TapeRow]) -> int:
    # How many rows came on top. The newest of before may have grown, so that the next one is looked for.
    if len(before) < 2 or rows[1] == before[1]:
        return 0
    return next((at for at in range(1, len(rows) - 1) if rows[at + 1] == before[1]), len(rows))
