"""Paints one frame of the ladder in one pass. Knows colours, fonts and columns; knows nothing of books or input."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6 import QtCore, QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.ladder_frame import (
    ASK_SIDE,
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    Band,
    LadderFrame,
)
from depthgui.ui.widgets.hatch import hatch_brush
from depthgui.ui.widgets.text_cache import DIMMED, TextCache

STALE_OPACITY = 0.55
_FLASH_S = 0.45
_PAD = 8
_SHARES = (84, 91, 101, 91, 84)
_TITLES = ("\u03a3 Bid", "Bid", "Price", "Ask", "\u03a3 Ask")

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
        self._edges: list[int] = []
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

    def edges(self, width: int) -> list[int]:
        """Left edges of the five columns, and the right edge."""
        if width != self._width:
            total, at = sum(_SHARES), 0
            self._edges = [0]
            for share in _SHARES:
                at += share
                self._edges.append(round(width * at / total))
            self._width = width
        return self._edges

    def paint(
        self, painter: QtGui.QPainter, frame: LadderFrame, size: QtCore.QSize, overlay: LadderOverlay, now_s: float
    ) -> None:
        """Draw everything: header, rows, band, overlay."""
        width, height = size.width(), size.height()
        edges = self.edges(width)
        top = self.metrics.header_px
        painter.fillRect(0, 0, width, height, self._background)
        painter.fillRect(edges[2], top, edges[3] - edges[2], height - top, self._price_ground)
        painter.save()
        painter.setClipRect(0, top, width, height - top)
        painter.translate(0, top)
        painter.setOpacity(STALE_OPACITY if frame.stale else 1.0)
        self._paint_grounds(painter, frame, edges, overlay)
        if frame.flashes and not frame.stale:
            self._paint_flashes(painter, frame, edges, now_s)
        self._paint_texts(painter, frame, edges)
        if frame.band is not None:
            self._paint_band(painter, frame.band, width)
        painter.setOpacity(1.0)
        if overlay.ruler and overlay.hovered is not None:
            self._paint_ruler(painter, frame, edges, height - top, overlay)
        painter.restore()
        self._paint_header(painter, edges)

    def paint_message(self, painter: QtGui.QPainter, width: int, height: int, message: str) -> None:
        """Draw the empty ladder with a sentence in the middle."""
        painter.fillRect(0, 0, width, height, self._background)
        painter.setFont(self._theme.typeface.font(13))
        painter.setPen(self._theme.colour("muted"))
        flags = QtCore.Qt.AlignmentFlag.AlignCenter.value | QtCore.Qt.TextFlag.TextWordWrap.value
        painter.drawText(
            QtCore.QRect(16, self.metrics.header_px, width - 32, height - 2 * self.metrics.header_px), flags, message
        )
        self._paint_header(painter, self.edges(width))

    # -- parts

    def _paint_header(self, painter: QtGui.QPainter, edges: list[int]) -> None:
        height = self.metrics.header_px
        painter.fillRect(0, 0, edges[-1], height, self._background)
        painter.fillRect(0, height - 1, edges[-1], 1, self._line)
        labels = self._labels
        y = (height - labels.height) // 2
        for number, title in enumerate(_TITLES):
            width = round(labels.width(title))
            if number == 0:
                x = edges[0] + _PAD + 2
            elif number == len(_TITLES) - 1:
                x = edges[-1] - _PAD - 2 - width
            else:
                x = (edges[number] + edges[number + 1] - width) // 2
            labels.draw(painter, x, y, title, _MUTED)

    def _paint_grounds(
        self, painter: QtGui.QPainter, frame: LadderFrame, edges: list[int], overlay: LadderOverlay
    ) -> None:
        _, bid, price, ask, sum_ask, right = edges
        row_px = self.metrics.row_px
        fill = painter.fillRect
        for row in frame.rows:
            flags = row.flags
            if flags & UNCOVERED:
                left = 0 if flags & BID_SIDE else ask
                fill(left, row.y, (price if flags & BID_SIDE else right) - left, row_px, self._hatch)
            if flags & (BEST_BID | BEST_ASK):
                fill(price, row.y, ask - price, row_px, self._best["bid" if flags & BEST_BID else "ask"])
        self._paint_bars(painter, frame, edges)
        for row in frame.rows:
            if row.flags & LARGE:
                is_bid = row.flags & BID_SIDE
                painter.setPen(self._outline["bid" if is_bid else "ask"])
                painter.drawRect(
                    bid if is_bid else ask, row.y, (price - bid if is_bid else sum_ask - ask) - 1, row_px - 1
                )
        if overlay is not NO_OVERLAY:
            self._paint_overlay(painter, frame, edges, overlay)

    def _paint_bars(self, painter: QtGui.QPainter, frame: LadderFrame, edges: list[int]) -> None:
        _, bid, price, ask, sum_ask, right = edges
        bar_px = self.metrics.row_px - 2
        fill = painter.fillRect
        bid_bar, ask_bar = self._bars["bid"], self._bars["ask"]
        bid_sum_bar, ask_sum_bar = self._sum_bars["bid"], self._sum_bars["ask"]
        bid_px, ask_px, bid_sum_px, ask_sum_px = price - bid, sum_ask - ask, bid - 5, right - sum_ask - 5
        for row in frame.rows:
            y = row.y + 1
            if row.bid_sum_bar:
                if row.bid_units is not None:
                    length = max(1, round(row.bid_bar * bid_px))
                    fill(price - length, y, length, bar_px, bid_bar)
                length = max(1, round(row.bid_sum_bar * bid_sum_px))
                fill(bid - 1 - length, y, length, bar_px, bid_sum_bar)
            elif row.ask_sum_bar:
                if row.ask_units is not None:
                    fill(ask, y, max(1, round(row.ask_bar * ask_px)), bar_px, ask_bar)
                fill(sum_ask + 1, y, max(1, round(row.ask_sum_bar * ask_sum_px)), bar_px, ask_sum_bar)

    def _paint_overlay(
        self, painter: QtGui.QPainter, frame: LadderFrame, edges: list[int], overlay: LadderOverlay
    ) -> None:
        price, ask, right = edges[2], edges[3], edges[5]
        row_px = self.metrics.row_px
        for row in frame.rows:
            if row.index in overlay.selected:
                painter.fillRect(0, row.y, right, row_px, self._selection)
            if row.index == overlay.hovered:
                painter.fillRect(0, row.y, right, row_px, self._hover)
            if row.index in overlay.marked:
                painter.fillRect(price, row.y, 3, row_px, self._accent)
                painter.fillRect(ask - 3, row.y, 3, row_px, self._accent)

    def _paint_flashes(self, painter: QtGui.QPainter, frame: LadderFrame, edges: list[int], now_s: float) -> None:
        _, bid, price, ask, sum_ask, _ = edges
        for row in frame.rows:
            flash = frame.flashes.get(row.index)
            if flash is None:
                continue
            strength = 1.0 - (now_s - flash[0]) / _FLASH_S
            if strength <= 0:
                continue
            # Growth flashes bright and a shrinking level dark: a light, not a hue, tells them apart.
            colour = self._theme.colour("text" if flash[1] > 0 else "background", 0.28 * strength)
            x, width = (bid, price - bid) if row.flags & BID_SIDE else (ask, sum_ask - ask)
            painter.fillRect(x, row.y + 1, width, self.metrics.row_px - 2, colour)

    def _paint_texts(self, painter: QtGui.QPainter, frame: LadderFrame, edges: list[int]) -> None:
        _, bid, price, ask, sum_ask, _ = edges
        figures, strong = self._figures, self._strong
        dy = (self.metrics.row_px - figures.height + 1) // 2
        digit, point = figures.width("0"), figures.width(".")
        fraction_px = point + frame.fraction * digit if frame.fraction else 0.0
        bid_point = price - _PAD - fraction_px
        ask_point = ask + _PAD + figures.width(frame.widest_whole)
        price_right = (price + ask + round(figures.width(frame.widest_price))) // 2
        sum_right = sum_ask + _PAD + round(figures.width(frame.widest_sum))
        size_room = min(price - bid, sum_ask - ask) - 4
        draw, width = figures.draw, figures.width
        for row in frame.rows:
            y, flags = row.y + dy, row.flags
            role = _SPREAD if flags & IN_SPREAD else _BID if flags & BID_SIDE else _ASK
            if flags & (BEST_BID | BEST_ASK):
                strong.draw(painter, price_right - round(strong.width(row.price)), y, row.price, role)
            else:
                draw(painter, price_right - round(width(row.price)), y, row.price, role)
            if row.bid_units is not None:
                self._draw_size(painter, bid_point, y, row.bid, size_room)
                draw(painter, bid - _PAD - round(width(row.bid_sum)), y, row.bid_sum, _MUTED)
            if row.ask_units is not None:
                self._draw_size(painter, ask_point, y, row.ask, size_room)
                draw(painter, sum_right - round(width(row.ask_sum)), y, row.ask_sum, _MUTED)

    def _draw_size(self, painter: QtGui.QPainter, point_x: float, y: int, figure: tuple[str, str], room: int) -> None:
        figures = self._figures
        head, tail = figure
        whole = head.partition(".")[0]
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
        self, painter: QtGui.QPainter, frame: LadderFrame, edges: list[int], height: int, overlay: LadderOverlay
    ) -> None:
        row = next((row for row in frame.rows if row.index == overlay.hovered), None)
        if row is None:
            return
        labels = self._labels
        line_px = labels.height + 2
        card_px = line_px * len(overlay.ruler) + 12
        wide = round(max(labels.width(line) for line in overlay.ruler)) + 20
        # The other side's columns are empty beside this row, so that the card hides nothing.
        x = edges[2] - wide - 6 if row.flags & ASK_SIDE else edges[3] + 6
        y = min(max(row.y - card_px // 2 + self.metrics.row_px // 2, 4), height - card_px - 4)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.pen("line"))
        painter.setBrush(self._card)
        painter.drawRoundedRect(QtCore.QRectF(max(2, x) + 0.5, y + 0.5, wide, card_px), 6, 6)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, on=False)
        for number, line in enumerate(overlay.ruler):
            role = _TEXT if number in {0, 2} else _MUTED
            labels.draw(painter, max(2, x) + 10, y + 6 + number * line_px, line, role)
