"""Paints one frame of the ladder in one pass. Knows colours, fonts and columns; knows nothing of books or input."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6 import QtCore, QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.figures import Figure
from depthgui.ui.viewmodels.ladder_frame import (
    ASK_SIDE,
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    FLASH_S,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    Band,
    LadderFrame,
)
from depthgui.ui.viewmodels.ladder_options import USUAL_COLUMNS, Column
from depthgui.ui.widgets.hatch import hatch_brush
from depthgui.ui.widgets.text_cache import DIMMED, TextCache

STALE_OPACITY = 0.55
_PAD = 8
_FLASH_ALPHA = 0.18
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
_BID_COLUMNS = (Column.BID_SUM, Column.BID)
_ASK_COLUMNS = (Column.ASK, Column.ASK_SUM)

Span = tuple[int, int]
"""Left and right edge."""

_NOWHERE: Span = (0, 0)

_TEXT, _MUTED, _BID, _ASK, _SPREAD = range(5)


@dataclass(frozen=True, slots=True)
class LadderOverlay:
    """What the pointer and the keyboard add to a frame. Rows are named by their index."""

    hovered: int | None = None
    selected: range = range(0)
    marked: frozenset[int] = frozenset()
    ruler: tuple[str, ...] = ()


NO_OVERLAY = LadderOverlay()


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
            _TEXT: theme.colour("text"),
            DIMMED: theme.mix("muted", "background", 0.72),
            _MUTED: theme.colour("muted"),
            _BID: theme.colour("bid"),
            _ASK: theme.colour("ask"),
            _SPREAD: theme.mix("muted", "background", 0.6),
        }
        self._figures = TextCache(face.figures(13), roles, ratio)
        self._strong = TextCache(face.figures(13, 650), roles, ratio)
        self._sums = TextCache(face.figures(13), roles, ratio)
        self._labels = TextCache(face.figures(12), roles, ratio)
        row_px = self._figures.height + 3
        self.metrics = LadderMetrics(row_px=row_px, band_px=row_px + 5, header_px=self._labels.height + 13)
        self._columns: tuple[Column, ...] = USUAL_COLUMNS
        self._spans: dict[Column, Span] = {}
        self._width = -1
        is_dark = theme.is_dark
        self._bars = {side: theme.colour(side, 0.30 if is_dark else 0.22) for side in ("bid", "ask")}
        self._sum_bars = {side: theme.colour(side, 0.13 if is_dark else 0.10) for side in ("bid", "ask")}
        self._best = {side: theme.colour(side, 0.16) for side in ("bid", "ask")}
        self._outline = {side: theme.pen(side) for side in ("bid", "ask")}
        self._hatch = hatch_brush(theme.colour("muted", 0.3), ratio)
        self._background = theme.colour("background")
        self._price_ground = theme.mix("panel", "background", 0.9)
        self._band_ground = theme.colour("panel")
        self._line = theme.colour("line")
        self._hover = theme.colour("text", 0.07)
        self._selection = theme.colour("accent", 0.16)
        self._accent = theme.colour("accent")
        self._card = theme.colour("raised", 0.96)

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        if ratio == self._ratio:
            return
        self._ratio = ratio
        self._hatch = hatch_brush(self._theme.colour("muted", 0.3), ratio)
        for cache in (self._figures, self._strong, self._sums, self._labels):
            cache.set_ratio(ratio)

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Show these columns, from left to right."""
        self._columns = columns
        self._width = -1

    def spans(self, width: int) -> dict[Column, Span]:
        """Where each column is in a ladder of this width, from left to right."""
        if width != self._width:
            total, at = sum(_SHARES[column] for column in self._columns), 0
            self._spans = {}
            for column in self._columns:
                left = round(width * at / total)
                at += _SHARES[column]
                self._spans[column] = (left, round(width * at / total))
            self._width = width
        return self._spans

    def paint(
        self, painter: QtGui.QPainter, frame: LadderFrame, size: QtCore.QSize, overlay: LadderOverlay, now_s: float
    ) -> None:
        """Draw everything: header, rows, band, overlay."""
        width, height = size.width(), size.height()
        spans = self.spans(width)
        top = self.metrics.header_px
        painter.fillRect(0, 0, width, height, self._background)
        if Column.PRICE in spans:
            left, right = spans[Column.PRICE]
            painter.fillRect(left, top, right - left, height - top, self._price_ground)
        painter.save()
        painter.setClipRect(0, top, width, height - top)
        painter.translate(0, top)
        painter.setOpacity(STALE_OPACITY if frame.stale else 1.0)
        self._paint_grounds(painter, frame, spans)
        if overlay is not NO_OVERLAY:
            self._paint_overlay(painter, frame, width, overlay)
        if frame.flashes and not frame.stale:
            self._paint_flashes(painter, frame, now_s)
        self._paint_texts(painter, frame, spans)
        if frame.band is not None:
            self._paint_band(painter, frame.band, width)
        painter.setOpacity(1.0)
        if overlay.ruler and overlay.hovered is not None:
            self._paint_ruler(painter, frame, QtCore.QSize(width, height - top), overlay)
        painter.restore()
        self._paint_header(painter, width)

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
                x = _PAD + 2
            elif right == width and column is not Column.PRICE:
                x = right - _PAD - 2 - wide
            else:
                x = (left + right - wide) // 2
            labels.draw(painter, x, y, title, _MUTED)

    def _paint_grounds(self, painter: QtGui.QPainter, frame: LadderFrame, spans: dict[Column, Span]) -> None:
        row_px = self.metrics.row_px
        fill = painter.fillRect
        price = spans.get(Column.PRICE)
        for row in frame.rows:
            flags = row.flags
            if flags & UNCOVERED:
                for column in _BID_COLUMNS if flags & BID_SIDE else _ASK_COLUMNS:
                    if column in spans:
                        left, right = spans[column]
                        fill(left, row.y, right - left, row_px, self._hatch)
            if flags & (BEST_BID | BEST_ASK) and price is not None:
                fill(price[0], row.y, price[1] - price[0], row_px, self._best["bid" if flags & BEST_BID else "ask"])
        self._paint_sum_bars(painter, frame, spans)
        self._paint_bars(painter, frame, spans)
        if Column.VOLUME in spans:
            self._paint_volume_bars(painter, frame, *spans[Column.VOLUME])

    def _paint_bars(self, painter: QtGui.QPainter, frame: LadderFrame, spans: dict[Column, Span]) -> None:
        row_px = self.metrics.row_px
        fill = painter.fillRect
        bid_bar, ask_bar = self._bars["bid"], self._bars["ask"]
        bid_left, bid_right = spans.get(Column.BID, _NOWHERE)
        ask_left, ask_right = spans.get(Column.ASK, _NOWHERE)
        for row in frame.rows:
            if row.bid_units is not None and bid_right:
                length = max(1, round(row.bid_bar * (bid_right - bid_left)))
                fill(bid_right - length, row.y + 1, length, row_px - 2, bid_bar)
            if row.ask_units is not None and ask_right:
                fill(ask_left, row.y + 1, max(1, round(row.ask_bar * (ask_right - ask_left))), row_px - 2, ask_bar)
            if row.flags & LARGE:
                side, left, right = (
                    ("bid", bid_left, bid_right) if row.flags & BID_SIDE else ("ask", ask_left, ask_right)
                )
                painter.setPen(self._outline[side])
                painter.drawRect(left, row.y, right - left - 1, row_px - 1)

    def _paint_sum_bars(self, painter: QtGui.QPainter, frame: LadderFrame, spans: dict[Column, Span]) -> None:
        # Empty rows carry the total on, without a gap between the rows, so that the totals make one shape.
        row_px = self.metrics.row_px
        fill = painter.fillRect
        if Column.BID_SUM in spans:
            left, right = spans[Column.BID_SUM]
            colour, room = self._sum_bars["bid"], right - left - 5
            for row in frame.rows:
                if row.bid_sum_bar:
                    length = max(1, round(row.bid_sum_bar * room))
                    fill(right - 1 - length, row.y + 1, length, row_px - 2, colour)
        if Column.ASK_SUM in spans:
            left, right = spans[Column.ASK_SUM]
            colour, room = self._sum_bars["ask"], right - left - 5
            for row in frame.rows:
                if row.ask_sum_bar:
                    fill(left + 1, row.y + 1, max(1, round(row.ask_sum_bar * room)), row_px - 2, colour)

    def _paint_volume_bars(self, painter: QtGui.QPainter, frame: LadderFrame, left: int, right: int) -> None:
        row_px = self.metrics.row_px
        for row in frame.rows:
            if row.volume_bar:
                length = max(1, round(row.volume_bar * (right - left - 4)))
                bought = round(length * row.bought)
                painter.fillRect(left + 2, row.y + 1, bought, row_px - 2, self._bars["bid"])
                painter.fillRect(left + 2 + bought, row.y + 1, length - bought, row_px - 2, self._bars["ask"])

    def _paint_overlay(self, painter: QtGui.QPainter, frame: LadderFrame, width: int, overlay: LadderOverlay) -> None:
        left, right = self.spans(width).get(Column.PRICE, (0, width))
        row_px = self.metrics.row_px
        for row in frame.rows:
            if row.index in overlay.selected:
                painter.fillRect(0, row.y, width, row_px, self._selection)
            if row.index == overlay.hovered:
                painter.fillRect(0, row.y, width, row_px, self._hover)
            if row.index in overlay.marked:
                painter.fillRect(left, row.y, 3, row_px, self._accent)
                painter.fillRect(right - 3, row.y, 3, row_px, self._accent)

    def _paint_flashes(self, painter: QtGui.QPainter, frame: LadderFrame, now_s: float) -> None:
        spans = self._spans
        for row in frame.rows:
            flash = frame.flashes.get(row.index)
            span = spans.get(Column.BID if row.flags & BID_SIDE else Column.ASK)
            if flash is None or span is None:
                continue
            strength = 1.0 - (now_s - flash[0]) / FLASH_S
            if strength <= 0:
                continue
            # Growth flashes bright and a shrinking level dark: a light, not a hue, tells them apart.
            colour = self._theme.colour("text" if flash[1] > 0 else "background", _FLASH_ALPHA * strength)
            painter.fillRect(span[0], row.y + 1, span[1] - span[0], self.metrics.row_px - 2, colour)

    def _paint_texts(self, painter: QtGui.QPainter, frame: LadderFrame, spans: dict[Column, Span]) -> None:
        figures = self._figures
        dy = (self.metrics.row_px - figures.height + 1) // 2
        self._paint_prices(painter, frame, spans.get(Column.PRICE), dy)
        fraction_px = figures.width(".") + frame.fraction * figures.width("0") if frame.fraction else 0.0
        whole_px = figures.width(frame.widest_whole)
        sum_px = round(figures.width(frame.widest_sum))
        if Column.BID in spans:
            left, right = spans[Column.BID]
            point = right - _PAD - fraction_px
            for row in frame.rows:
                if row.bid_units is not None:
                    self._draw_size(painter, point, row.y + dy, row.bid, right - left - 4)
        if Column.ASK in spans:
            left, right = spans[Column.ASK]
            point = left + _PAD + whole_px
            for row in frame.rows:
                if row.ask_units is not None:
                    self._draw_size(painter, point, row.y + dy, row.ask, right - left - 4)
        for column, right in (
            (Column.BID_SUM, spans.get(Column.BID_SUM, _NOWHERE)[1] - _PAD),
            (Column.ASK_SUM, spans.get(Column.ASK_SUM, _NOWHERE)[0] + _PAD + sum_px),
            (Column.VOLUME, spans.get(Column.VOLUME, _NOWHERE)[1] - _PAD),
        ):
            if column in spans:
                self._paint_totals(painter, frame, column, right, dy)

    def _paint_totals(self, painter: QtGui.QPainter, frame: LadderFrame, column: Column, right: int, dy: int) -> None:
        draw, width = self._figures.draw, self._figures.width
        for row in frame.rows:
            text = row.volume if column is Column.VOLUME else row.bid_sum if column is Column.BID_SUM else row.ask_sum
            if text:
                draw(painter, right - round(width(text)), row.y + dy, text, _MUTED)

    def _paint_prices(self, painter: QtGui.QPainter, frame: LadderFrame, span: Span | None, dy: int) -> None:
        if span is None:
            return
        figures, strong = self._figures, self._strong
        right = (span[0] + span[1] + round(figures.width(frame.widest_price))) // 2
        for row in frame.rows:
            flags, text = row.flags, row.price
            role = _SPREAD if flags & IN_SPREAD else _BID if flags & BID_SIDE else _ASK
            if flags & (BEST_BID | BEST_ASK):
                strong.draw(painter, right - round(strong.width(text)), row.y + dy, text, role)
            else:
                figures.draw(painter, right - round(figures.width(text)), row.y + dy, text, role)

    def _draw_size(self, painter: QtGui.QPainter, point_x: float, y: int, figure: Figure, room: int) -> None:
        # A figure that ends in a letter stands on its right edge, any other on its decimal point.
        figures = self._figures
        head, tail = figure
        whole = head if head[-1:].isalpha() else head.partition(".")[0]
        if figures.width(head) + figures.width(tail) > room:
            head, tail = self._shortened(head, room), ""
        figures.draw_figure(painter, round(point_x - figures.width(whole)), y, (head, tail), _TEXT)

    def _shortened(self, text: str, room: int) -> str:
        while len(text) > 1 and self._figures.width(text + "\u2026") > room:
            text = text[:-1]
        return text + "\u2026"

    def _paint_band(self, painter: QtGui.QPainter, band: Band, width: int) -> None:
        height = self.metrics.band_px
        painter.fillRect(0, band.y, width, height, self._band_ground)
        painter.fillRect(0, band.y, width, 1, self._line)
        painter.fillRect(0, band.y + height - 1, width, 1, self._line)
        figures, labels = self._strong, self._labels
        arrow_px = 18
        role = _BID if band.direction > 0 else _ASK if band.direction < 0 else _TEXT
        total = figures.width(band.price) + arrow_px + _PAD + labels.width(band.spread)
        x = round((width - total) / 2)
        figures.draw(painter, x, band.y + (height - figures.height + 1) // 2, band.price, role)
        x += round(figures.width(band.price)) + 5
        if band.direction:
            self._paint_arrow(painter, x, band.y + height // 2, band.direction)
        x += arrow_px - 5 + _PAD
        labels.draw(painter, x, band.y + (height - labels.height + 1) // 2, band.spread, _MUTED)

    def _paint_arrow(self, painter: QtGui.QPainter, x: int, middle: int, direction: int) -> None:
        half = 4
        tip = middle - half if direction > 0 else middle + half
        base = middle + half - 1 if direction > 0 else middle - half + 1
        painter.save()
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("bid" if direction > 0 else "ask"))
        corners = [QtCore.QPointF(x, base), QtCore.QPointF(x + 2 * half + 1, base), QtCore.QPointF(x + half + 0.5, tip)]
        painter.drawPolygon(corners)
        painter.restore()

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
            role = _TEXT if number in {0, 2} else _MUTED
            labels.draw(painter, x + 10, y + 6 + number * line_px, line, role)
