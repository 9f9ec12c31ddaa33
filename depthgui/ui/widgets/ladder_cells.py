"""The ladder's rows as cells: what each looks like, as plain data that can be compared, and how such looks are drawn.

A frame changes a few dozen cells of some three hundred. The painter keeps the picture of the last frame and draws anew
only the cells whose looks differ. So a cell must be drawn inside its own bounds: neighbours are not drawn after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6 import QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.figures import Figure
from depthgui.ui.viewmodels.ladder_frame import (
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    FADE_STEP_S,
    FLASH_S,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    LadderFrame,
    LadderRow,
)
from depthgui.ui.viewmodels.ladder_options import Column
from depthgui.ui.widgets.hatch import hatch_brush
from depthgui.ui.widgets.ladder_overlay import LadderOverlay
from depthgui.ui.widgets.text_cache import TextCache

PAD = 8
TEXT, MUTED, BID, ASK, SPREAD = range(5)
"""Roles of texts."""

PRICE_CELL, SIZE_CELL, SUM_CELL, VOLUME_CELL = 1, 2, 4, 8
WHOLE_ROW = 31
"""What of a row is to be drawn: the cells of its side; or the whole row, the other side's empty cells included."""

Span = tuple[int, int]
"""Left and right edge."""

_NOWHERE: Span = (0, 0)
_FLASH_ALPHA = 0.18 * 255
_SUM_MARGIN = 5
_VOLUME_MARGIN = 4
_HOVERED, _SELECTED, _MARKED = 1024, 2048, 4096
_NOT_TRADED = ("", 0, 0)
_ROW_FLAGS = BID_SIDE | UNCOVERED
_PRICE_FLAGS = BEST_BID | BEST_ASK | IN_SPREAD


class SideColumns(NamedTuple):
    """Where one side's sizes and running totals stand: `point_x` is their decimal point, `sum_x` the right edge."""

    sizes: Span
    sums: Span
    point_x: float
    sum_x: int


class Geometry(NamedTuple):
    """Where the columns and the numbers in them are. Equal geometries put equal looks on equal pixels.

    `is_tight`: a number may be wider than its column, and is then seen in the cells beside it.
    """

    width: int
    row_px: int
    bids: SideColumns
    asks: SideColumns
    price: Span
    price_x: int
    volume: Span
    is_tight: bool
    point: str


class RowLook(NamedTuple):
    """All that can be seen of a row, by cells.

    `row` is (y, flags of the whole row); `price` (text, flags); `size` (figure, bar, is large, flash);
    `sums` (text, bar); `volume` (text, bar of what was bought, and of what was sold). Bars in pixels; a flash is its
    opacity of 255, negative where the level shrank.
    """

    row: tuple[int, int]
    price: tuple[str, int]
    size: tuple[Figure | None, int, int, int]
    sums: tuple[str, int]
    volume: tuple[str, int, int]

    def changes(self, old: RowLook) -> int:
        """The cells that differ from those of another look at the same place."""
        if self.row != old.row:
            return WHOLE_ROW
        return (
            (self.price != old.price) * PRICE_CELL
            | (self.size != old.size) * SIZE_CELL
            | (self.sums != old.sums) * SUM_CELL
            | (self.volume != old.volume) * VOLUME_CELL
        )


class CellPainter:
    """Looks at the rows of frames, and draws looks, with one theme."""

    def __init__(self, theme: Theme, figures: TextCache, strong: TextCache, row_px: int) -> None:
        """Prepare colours; `figures` and `strong` draw the numbers and the best prices."""
        self._theme = theme
        self._figures, self._strong = figures, strong
        self._row_px = row_px
        self._dy = (row_px - figures.height + 1) // 2
        dark = theme.is_dark
        self._bars = {side: theme.colour(side, 0.30 if dark else 0.22) for side in ("bid", "ask")}
        self._sum_bars = {side: theme.colour(side, 0.13 if dark else 0.10) for side in ("bid", "ask")}
        self._best = {side: theme.colour(side, 0.16) for side in ("bid", "ask")}
        self._outline = {side: theme.colour(side) for side in ("bid", "ask")}
        self._hatch = QtGui.QBrush()
        self._background = theme.colour("background")
        self._price_ground = theme.mix("panel", "background", 0.9)
        self._hover = theme.colour("text", 0.07)
        self._selection = theme.colour("accent", 0.16)
        self._accent = theme.colour("accent")
        self._flashes: dict[int, QtGui.QColor] = {}
        self._spans: dict[Column, Span] = {}
        self._fit: object = None
        self._geometry: Geometry | None = None

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._hatch = hatch_brush(self._theme.colour("muted", 0.3), ratio)

    # -- looking

    def geometry(self, frame: LadderFrame, spans: dict[Column, Span], width: int) -> Geometry:
        """Where this frame's numbers stand. `spans` are the columns' places at this width, another dict if others."""
        widest_volume = max([len(row.volume) for row in frame.rows], default=0) if Column.VOLUME in spans else 0
        fit = (
            frame.widest_price,
            frame.widest_whole,
            frame.fraction,
            frame.widest_sum,
            widest_volume,
            frame.point,
        )
        if spans is not self._spans or fit != self._fit or self._geometry is None:
            self._geometry = self._make_geometry(frame, spans, width, widest_volume)
            self._spans, self._fit = spans, fit
        return self._geometry

    def _make_geometry(self, frame: LadderFrame, spans: dict[Column, Span], width: int, widest_volume: int) -> Geometry:
        figures = self._figures
        digit_px = figures.width("0")
        fraction_px = figures.width(".") + frame.fraction * digit_px if frame.fraction else 0.0
        whole_px, sum_px = figures.width(frame.widest_whole), round(figures.width(frame.widest_sum))
        price, volume = spans.get(Column.PRICE, _NOWHERE), spans.get(Column.VOLUME, _NOWHERE)
        bid, ask = spans.get(Column.BID, _NOWHERE), spans.get(Column.ASK, _NOWHERE)
        bid_sum, ask_sum = spans.get(Column.BID_SUM, _NOWHERE), spans.get(Column.ASK_SUM, _NOWHERE)
        # A letter at the end is less than two digits wide.
        size_px = whole_px + digit_px + fraction_px + PAD
        wanted = (
            ((len(frame.widest_price) + 1) * digit_px, price),
            (size_px, bid),
            (size_px, ask),
            ((len(frame.widest_sum) + 1) * digit_px + PAD, bid_sum),
            ((len(frame.widest_sum) + 1) * digit_px + PAD, ask_sum),
            ((widest_volume + 1) * digit_px + PAD, volume),
        )
        return Geometry(
            width=width,
            row_px=self._row_px,
            bids=SideColumns(bid, bid_sum, bid[1] - PAD - fraction_px, bid_sum[1] - PAD),
            asks=SideColumns(ask, ask_sum, ask[0] + PAD + whole_px, ask_sum[0] + PAD + sum_px),
            price=price,
            price_x=(price[0] + price[1] + round(figures.width(frame.widest_price))) // 2,
            volume=volume,
            is_tight=not price[1] or any(span[1] and px > span[1] - span[0] for px, span in wanted),
            point=frame.point,
        )

    def looks(self, frame: LadderFrame, place: Geometry, overlay: LadderOverlay, now_s: float) -> list[RowLook]:
        """What is seen of each row."""
        flashes = {} if frame.stale else frame.flashes
        bid_room, ask_room = place.bids.sizes[1] - place.bids.sizes[0], place.asks.sizes[1] - place.asks.sizes[0]
        bid_sum_room = place.bids.sums[1] - place.bids.sums[0] - _SUM_MARGIN
        ask_sum_room = place.asks.sums[1] - place.asks.sums[0] - _SUM_MARGIN
        volume_room = place.volume[1] - place.volume[0] - _VOLUME_MARGIN
        hovered, selected, marked = overlay.hovered, overlay.selected, overlay.marked
        is_plain = hovered is None and not selected and not marked
        found = []
        for row in frame.rows:
            index, flags = row.index, row.flags
            shared = flags & _ROW_FLAGS
            if not is_plain:
                shared |= (index == hovered) * _HOVERED | (index in selected) * _SELECTED | (index in marked) * _MARKED
            if flags & BID_SIDE:
                units, figure, bar, text = row.bid_units, row.bid, row.bid_bar * bid_room, row.bid_sum
                sum_bar = row.bid_sum_bar * bid_sum_room
            else:
                units, figure, bar, text = row.ask_units, row.ask, row.ask_bar * ask_room, row.ask_sum
                sum_bar = row.ask_sum_bar * ask_sum_room
            flash = self._flash(flashes[index], now_s) if index in flashes else 0
            large = flags & LARGE
            found.append(
                RowLook(
                    (row.y, shared),
                    (row.price, flags & _PRICE_FLAGS),
                    (None, 0, large, flash) if units is None else (figure, max(1, round(bar)), large, flash),
                    (text, max(1, round(sum_bar)) if sum_bar > 0 else 0),
                    self._volume(row, volume_room) if row.volume_bar else _NOT_TRADED,
                )
            )
        return found

    @staticmethod
    def _flash(flash: tuple[float, int], now_s: float) -> int:
        strength = 1.0 - int((now_s - flash[0]) / FADE_STEP_S) * FADE_STEP_S / FLASH_S
        return flash[1] * round(_FLASH_ALPHA * strength) if strength > 0 else 0

    @staticmethod
    def _volume(row: LadderRow, room: int) -> tuple[str, int, int]:
        length = max(1, round(row.volume_bar * room))
        bought = round(length * row.bought)
        return (row.volume, bought, length - bought)

    # -- drawing

    def clear(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[tuple[RowLook, int]]) -> None:
        """Take away what was drawn of these cells before."""
        fill, row_px = painter.fillRect, place.row_px
        background = self._background
        for look, cells in looks:
            y, flags = look.row
            if cells == WHOLE_ROW:
                self.clear_strip(painter, place, y, row_px)
                continue
            side = place.bids if flags & BID_SIDE else place.asks
            if cells & SIZE_CELL:
                left, right = side.sizes
                fill(left, y, right - left, row_px, background)
            if cells & SUM_CELL:
                left, right = side.sums
                fill(left, y, right - left, row_px, background)
            if cells & PRICE_CELL:
                left, right = place.price
                fill(left, y, right - left, row_px, self._price_ground)
            if cells & VOLUME_CELL:
                left, right = place.volume
                fill(left, y, right - left, row_px, background)

    def clear_strip(self, painter: QtGui.QPainter, place: Geometry, y: int, height: int) -> None:
        """Draw the empty ground from edge to edge."""
        painter.fillRect(0, y, place.width, height, self._background)
        left, right = place.price
        painter.fillRect(left, y, right - left, height, self._price_ground)

    def draw(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[tuple[RowLook, int]]) -> None:
        """Draw these cells on cleared ground: bars and washes, then what the pointer adds, then numbers."""
        for look, cells in looks:
            self._draw_grounds(painter, place, look, cells)
            if cells & SIZE_CELL and look.size[3]:
                self._draw_flash(painter, place, look)
        self._draw_prices(painter, place, looks)
        self._draw_sizes(painter, place, looks)
        self._draw_totals(painter, place, looks)

    def _draw_grounds(self, painter: QtGui.QPainter, place: Geometry, look: RowLook, cells: int) -> None:
        fill, height = painter.fillRect, place.row_px - 2
        y, flags = look.row
        is_bid = bool(flags & BID_SIDE)
        name, side = ("bid", place.bids) if is_bid else ("ask", place.asks)
        if flags & UNCOVERED:
            self._draw_hatch(painter, side, y, cells)
        if cells & PRICE_CELL and look.price[1] & (BEST_BID | BEST_ASK):
            left, right = place.price
            fill(left, y, right - left, place.row_px, self._best["bid" if look.price[1] & BEST_BID else "ask"])
        if cells & SUM_CELL and look.sums[1] and side.sums[1]:
            # Empty rows carry the total on, without a gap between the rows, so that the totals make one shape.
            length = look.sums[1]
            left = side.sums[1] - 1 - length if is_bid else side.sums[0] + 1
            fill(left, y + 1, length, height, self._sum_bars[name])
        if cells & SIZE_CELL and side.sizes[1]:
            left, right = side.sizes
            length = look.size[1]
            if length:
                fill(right - length if is_bid else left, y + 1, length, height, self._bars[name])
            if look.size[2]:
                self._draw_outline(painter, name, left, y, right - left)
        if cells & VOLUME_CELL and place.volume[1]:
            left = place.volume[0] + 2
            _, bought, sold = look.volume
            fill(left, y + 1, bought, height, self._bars["bid"])
            fill(left + bought, y + 1, sold, height, self._bars["ask"])
        if flags & (_HOVERED | _SELECTED | _MARKED):
            self._draw_overlay(painter, place, look, cells)

    def _draw_hatch(self, painter: QtGui.QPainter, side: SideColumns, y: int, cells: int) -> None:
        for cell, (left, right) in ((SIZE_CELL, side.sizes), (SUM_CELL, side.sums)):
            if cells & cell and right:
                painter.fillRect(left, y, right - left, self._row_px, self._hatch)

    def _draw_outline(self, painter: QtGui.QPainter, name: str, left: int, y: int, width: int) -> None:
        # Four bars and no pen: a pen's line would lie half outside of the cell on a screen of high density.
        colour, height = self._outline[name], self._row_px
        painter.fillRect(left, y, width, 1, colour)
        painter.fillRect(left, y + height - 1, width, 1, colour)
        painter.fillRect(left, y + 1, 1, height - 2, colour)
        painter.fillRect(left + width - 1, y + 1, 1, height - 2, colour)

    def _draw_overlay(self, painter: QtGui.QPainter, place: Geometry, look: RowLook, cells: int) -> None:
        y, flags = look.row
        side = place.bids if flags & BID_SIDE else place.asks
        washes = [colour for flag, colour in ((_SELECTED, self._selection), (_HOVERED, self._hover)) if flags & flag]
        spans = [(0, place.width)] if cells == WHOLE_ROW else [
            span
            for cell, span in (
                (SIZE_CELL, side.sizes),
                (SUM_CELL, side.sums),
                (PRICE_CELL, place.price),
                (VOLUME_CELL, place.volume),
            )
            if cells & cell
        ]  # fmt: skip
        for colour in washes:
            for left, right in spans:
                painter.fillRect(left, y, right - left, place.row_px, colour)
        if flags & _MARKED and cells & PRICE_CELL:
            left, right = place.price if place.price[1] else (0, place.width)
            painter.fillRect(left, y, 3, place.row_px, self._accent)
            painter.fillRect(right - 3, y, 3, place.row_px, self._accent)

    def _draw_flash(self, painter: QtGui.QPainter, place: Geometry, look: RowLook) -> None:
        # Growth flashes bright and a shrinking level dark: a light, not a hue, tells them apart.
        y, flags = look.row
        left, right = place.bids.sizes if flags & BID_SIDE else place.asks.sizes
        flash = look.size[3]
        colour = self._flashes.get(flash)
        if colour is None:
            name = "text" if flash > 0 else "background"
            colour = self._flashes[flash] = self._theme.colour(name, abs(flash) / 255)
        painter.fillRect(left, y + 1, right - left, place.row_px - 2, colour)

    def _draw_prices(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[tuple[RowLook, int]]) -> None:
        if not place.price[1]:
            return
        figures, strong, right, dy = self._figures, self._strong, place.price_x, self._dy
        plain: dict[int, list[tuple[int, int, str]]] = {SPREAD: [], BID: [], ASK: []}
        best: dict[int, list[tuple[int, int, str]]] = {SPREAD: [], BID: [], ASK: []}
        for look, cells in looks:
            if not cells & PRICE_CELL:
                continue
            text, flags = look.price
            y, shared = look.row
            role = SPREAD if flags & IN_SPREAD else BID if shared & BID_SIDE else ASK
            if flags & (BEST_BID | BEST_ASK):
                best[role].append((right - round(strong.width(text)), y + dy, text))
            else:
                plain[role].append((right - round(figures.width(text)), y + dy, text))
        for cache, groups in ((figures, plain), (strong, best)):
            for role, texts in groups.items():
                cache.draw_all(painter, role, texts)

    def _draw_sizes(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[tuple[RowLook, int]]) -> None:
        figures, dy, point = self._figures, self._dy, place.point
        widest = figures.width("0")
        heads: list[tuple[int, int, str]] = []
        tails: list[tuple[int, int, Figure]] = []
        for look, cells in looks:
            figure = look.size[0]
            if figure is None or not cells & SIZE_CELL:
                continue
            y, flags = look.row
            side = place.bids if flags & BID_SIDE else place.asks
            left, right = side.sizes
            if not right:
                continue
            head, tail = figure
            # A figure that ends in a letter stands on its right edge, any other on its decimal point.
            whole = head if head[-1:].isalpha() else head.partition(point)[0]
            room = right - left - 4
            if (len(head) + len(tail) + 1) * widest > room and figures.width(head) + figures.width(tail) > room:
                head, tail = self._shortened(head, room), ""
            x = round(side.point_x - figures.width(whole))
            heads.append((x, y + dy, head))
            if tail:
                tails.append((x, y + dy, (head, tail)))
        figures.draw_all(painter, TEXT, heads)
        figures.draw_tails(painter, tails)

    def _draw_totals(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[tuple[RowLook, int]]) -> None:
        width, dy = self._figures.width, self._dy
        volume_x = place.volume[1] - PAD
        texts = []
        for look, cells in looks:
            y, flags = look.row
            text = look.sums[0]
            if text and cells & SUM_CELL:
                side = place.bids if flags & BID_SIDE else place.asks
                if side.sums[1]:
                    texts.append((side.sum_x - round(width(text)), y + dy, text))
            text = look.volume[0]
            if text and cells & VOLUME_CELL and place.volume[1]:
                texts.append((volume_x - round(width(text)), y + dy, text))
        self._figures.draw_all(painter, MUTED, texts)

    def _shortened(self, text: str, room: int) -> str:
        while len(text) > 1 and self._figures.width(text + "\u2026") > room:
            text = text[:-1]
        return text + "\u2026"
