"""Paints frames of the ladder. Knows colours, fonts and columns; knows nothing of books or input.

It keeps the picture of the last frame and draws into it what the new one changes: a few dozen cells of three hundred.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.ladder_frame import ASK_SIDE, Band, LadderFrame
from depthgui.ui.viewmodels.ladder_options import USUAL_COLUMNS, Column
from depthgui.ui.widgets.ladder_cells import (
    ASK,
    BID,
    MUTED,
    PAD,
    SPREAD,
    TEXT,
    WHOLE_ROW,
    CellPainter,
    Cells,
    Geometry,
    Seen,
    Span,
)
from depthgui.ui.widgets.ladder_overlay import LadderOverlay
from depthgui.ui.widgets.note import paint_note
from depthgui.ui.widgets.number_runs import NumberRuns
from depthgui.ui.widgets.text_cache import DIMMED, TextCache

STALE_OPACITY = 0.55
_SHARES = {
    Column.BID_SUM: 84,
    Column.BID: 91,
    Column.PRICE: 101,
    Column.ASK: 91,
    Column.ASK_SUM: 84,
    Column.VOLUME: 84,
}
TITLES = {
    Column.BID_SUM: "\u03a3 Bid",
    Column.BID: "Bid",
    Column.PRICE: "Price",
    Column.ASK: "Ask",
    Column.ASK_SUM: "\u03a3 Ask",
    Column.VOLUME: "Volume",
}


@dataclass(frozen=True, slots=True)
class LadderMetrics:
    """Heights in logical pixels that follow from the font."""

    row_px: int
    band_px: int
    header_px: int


class LadderPainter:
    """Draws frames with one theme. Make a new one when the theme changes."""

    def __init__(self, theme: Theme, ratio: float = 1.0) -> None:
        """Prepare fonts, colours and metrics of `theme`."""
        self._theme = theme
        self._ratio = ratio
        face = theme.typeface
        roles = {
            TEXT: theme.colour("text"),
            DIMMED: theme.mix("muted", "background", 0.72),
            MUTED: theme.colour("muted"),
            BID: theme.colour("bid"),
            ASK: theme.colour("ask"),
            SPREAD: theme.mix("muted", "background", 0.6),
        }
        self._figures = NumberRuns(face.figures(13), roles, ratio)
        self._strong = NumberRuns(face.figures(13, 650), roles, ratio)
        self._labels = TextCache(face.figures(12), roles, ratio)
        row_px = self._figures.height + 3
        self.metrics = LadderMetrics(row_px=row_px, band_px=row_px + 5, header_px=self._labels.height + 13)
        self._columns: tuple[Column, ...] = USUAL_COLUMNS
        self._spans: dict[Column, Span] = {}
        self._width = -1
        self._widest_price, self._price_px = "", 0
        self._cells = CellPainter(theme, self._figures, self._strong, row_px)
        self._cells.set_ratio(ratio)
        self._picture: QtGui.QPixmap | None = None
        self._page: object = None
        self._seen: Seen | None = None
        self._band: Band | None = None
        self._background = theme.colour("background")
        self._band_ground = theme.colour("panel")
        self._line = theme.colour("line")
        self._rising, self._falling = theme.colour("bid"), theme.colour("ask")
        self._card = theme.colour("raised", 0.96)

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        if ratio == self._ratio:
            return
        self._ratio = ratio
        self._cells.set_ratio(ratio)
        for cache in (self._figures, self._strong, self._labels):
            cache.set_ratio(ratio)

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Show these columns, from left to right."""
        self._columns = columns
        self._width = -1

    def spans(self, width: int) -> dict[Column, Span]:
        """Where each column is in a ladder of this width, from left to right."""
        if width != self._width:
            shares = {column: float(_SHARES[column]) for column in self._columns}
            total = sum(shares.values())
            share = shares.get(Column.PRICE, total)
            # A price is never shortened: where it needs more than its share, it gets that, up to half of the ladder.
            wanted = min(self._price_px, width // 2) / max(width, 1)
            if share / total < wanted:
                shares[Column.PRICE] = wanted / (1 - wanted) * (total - share)
                total += shares[Column.PRICE] - share
            self._spans, at = {}, 0.0
            for column in self._columns:
                left = round(width * at / total)
                at += shares[column]
                self._spans[column] = (left, round(width * at / total))
            self._width = width
        return self._spans

    def paint(
        self, painter: QtGui.QPainter, frame: LadderFrame, size: QtCore.QSize, overlay: LadderOverlay, now_s: float
    ) -> None:
        """Draw everything: header, rows, band, and the card beside the hovered row."""
        width, height = size.width(), size.height()
        if len(frame.widest_price) > len(self._widest_price):
            self._widest_price = frame.widest_price
            self._price_px = math.ceil(self._strong.width(frame.widest_price)) + PAD
            self._width = -1
        place = self._cells.geometry(frame, self.spans(width), width)
        picture = self._renew(frame, self._cells.see(frame, place, overlay, self._seen), height)
        painter.drawPixmap(0, 0, picture)
        top = self.metrics.header_px
        painter.translate(0, top)
        if frame.flashes and not frame.stale:
            painter.setClipRect(0, 0, width, height - top)
            self._cells.draw_flashes(painter, place, frame, now_s)
            painter.setClipping(False)
        if overlay.ruler and overlay.hovered is not None:
            self._paint_ruler(painter, frame, QtCore.QSize(width, height - top), overlay)
        painter.translate(0, -top)
        if frame.note:
            paint_note(painter, self._theme, frame.note, QtCore.QRect(0, top, width, height - top))

    def forget_picture(self) -> None:
        """Let go of the kept picture, which a ladder that nobody sees doesn't need."""
        self._picture = None
        self._page = self._seen = None

    # -- the kept picture

    def _renew(self, frame: LadderFrame, seen: Seen, height: int) -> QtGui.QPixmap:
        # Rows and band cover the same ground while their number and the first one's place stay; else all is drawn.
        place, looks, before = seen.place, seen.looks, self._seen
        first_y = looks[0].y if looks else 0
        page = (place, height, self._ratio, frame.stale, len(looks), first_y, frame.band is None)
        is_new = page != self._page or self._picture is None or before is None
        if is_new or before is None or self._picture is None:
            picture = self._blank(place, height)
            changed = [(look, total, WHOLE_ROW) for look, total in zip(looks, seen.totals, strict=True)]
        else:
            picture = self._picture
            changed = seen.changes(before)
        band = frame.band if is_new or frame.band != self._band else None
        if changed or band is not None:
            self._page = None  # until it is whole again
            self._draw(picture, place, changed, band, stale=frame.stale, is_new=is_new)
        self._picture, self._page, self._seen, self._band = picture, page, seen, frame.band
        return picture

    def _blank(self, place: Geometry, height: int) -> QtGui.QPixmap:
        picture = QtGui.QPixmap(math.ceil(place.width * self._ratio), math.ceil(height * self._ratio))
        picture.setDevicePixelRatio(self._ratio)
        picture.fill(self._background)
        with painting(picture) as painter:
            self._cells.clear_strip(painter, place, 0, height)
            self._paint_header(painter, place.width)
        return picture

    def _draw(
        self,
        picture: QtGui.QPixmap,
        place: Geometry,
        changed: Sequence[Cells],
        band: Band | None,
        *,
        stale: bool,
        is_new: bool,
    ) -> None:
        top = self.metrics.header_px
        with painting(picture) as painter:
            painter.setClipRect(0, top, place.width, picture.height())
            painter.translate(0, top)
            if not is_new:
                self._cells.clear(painter, place, changed)
                if band is not None:
                    self._cells.clear_strip(painter, place, band.y, self.metrics.band_px)
            painter.setOpacity(STALE_OPACITY if stale else 1.0)
            self._cells.draw(painter, place, changed)
            if band is not None:
                self._paint_band(painter, band, place.width)

    def paint_message(self, painter: QtGui.QPainter, width: int, height: int, message: str) -> None:
        """Draw the empty ladder with a sentence in the middle."""
        painter.fillRect(0, 0, width, height, self._background)
        painter.setFont(self._theme.typeface.font(13))
        painter.setPen(self._theme.colour("muted"))
        flags = QtCore.Qt.AlignmentFlag.AlignCenter.value | QtCore.Qt.TextFlag.TextWordWrap.value
        painter.drawText(
            QtCore.QRect(16, self.metrics.header_px, width - 32, height - 2 * self.metrics.header_px), flags, message
        )
        self._paint_header(painter, width)

    # -- parts

    def _paint_header(self, painter: QtGui.QPainter, width: int) -> None:
        height = self.metrics.header_px
        painter.fillRect(0, 0, width, height, self._background)
        painter.fillRect(0, height - 1, width, 1, self._line)
        labels = self._labels
        y = (height - labels.height) // 2
        for column, (left, right) in self.spans(width).items():
            title = TITLES[column]
            wide = round(labels.width(title))
            if left == 0 and column is not Column.PRICE:
                x = PAD + 2
            elif right == width and column is not Column.PRICE:
                x = right - PAD - 2 - wide
            else:
                x = (left + right - wide) // 2
            labels.draw(painter, x, y, title, MUTED)

    def _paint_band(self, painter: QtGui.QPainter, band: Band, width: int) -> None:
        height = self.metrics.band_px
        painter.fillRect(0, band.y, width, height, self._band_ground)
        painter.fillRect(0, band.y, width, 1, self._line)
        painter.fillRect(0, band.y + height - 1, width, 1, self._line)
        figures, labels = self._strong, self._labels
        arrow_px = 18
        role = BID if band.direction > 0 else ASK if band.direction < 0 else TEXT
        total = figures.width(band.price) + arrow_px + PAD + labels.width(band.spread)
        x = round((width - total) / 2)
        figures.draw_numbers(painter, role, [(x, band.y + (height - figures.height + 1) // 2, band.price)])
        x += round(figures.width(band.price)) + 5
        if band.direction:
            self._paint_arrow(painter, x, band.y + height // 2, band.direction)
        x += arrow_px - 5 + PAD
        labels.draw(painter, x, band.y + (height - labels.height + 1) // 2, band.spread, MUTED)

    def _paint_arrow(self, painter: QtGui.QPainter, x: int, middle: int, direction: int) -> None:
        half = 4
        tip = middle - half if direction > 0 else middle + half
        base = middle + half - 1 if direction > 0 else middle - half + 1
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(self._rising if direction > 0 else self._falling)
        corners = [QtCore.QPointF(x, base), QtCore.QPointF(x + 2 * half + 1, base), QtCore.QPointF(x + half + 0.5, tip)]
        painter.drawPolygon(corners)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, on=False)

    def _paint_ruler(
        self, painter: QtGui.QPainter, frame: LadderFrame, size: QtCore.QSize, overlay: LadderOverlay
    ) -> None:
        row = next((row for row in frame.rows if row.index == overlay.hovered), None)
        if row is None:
            return
        labels = self._labels
        line_px = labels.height + 2
        card_px = line_px * len(overlay.ruler) + 12
        wide = round(max(labels.width(line) for line in overlay.ruler)) + 20
        # Beside this row the other side's columns are empty, so that the card hides nothing.
        left, right = self._spans.get(Column.PRICE, (size.width() // 2, size.width() // 2))
        x = left - wide - 6 if row.flags & ASK_SIDE else right + 6
        x = min(max(2, x), max(2, size.width() - wide - 3))
        y = min(max(row.y - card_px // 2 + self.metrics.row_px // 2, 4), size.height() - card_px - 4)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.pen("line"))
        painter.setBrush(self._card)
        painter.drawRoundedRect(QtCore.QRectF(x + 0.5, y + 0.5, wide, card_px), 6, 6)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, on=False)
        for number, line in enumerate(overlay.ruler):
            role = TEXT if number in {0, 2} else MUTED
            labels.draw(painter, x + 10, y + 6 + number * line_px, line, role)
