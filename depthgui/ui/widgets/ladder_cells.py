"""The ladder's rows as cells: what each looks like, as plain data that can be compared, and how such looks are drawn.

A frame changes a few dozen cells of some three hundred. The painter keeps the picture of the last frame and draws anew
only the cells whose looks differ. So a cell must be drawn inside its own bounds: neighbours are not drawn after it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from PySide6 import QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.figures import Figure, compact_forms
from depthgui.ui.viewmodels.ladder_frame import (
    BEST_ASK,
    BEST_BID,
    BID_SIDE,
    FADE_STEP_S,
    FADE_STEPS,
    IN_SPREAD,
    LARGE,
    UNCOVERED,
    LadderFrame,
    LadderRow,
)
from depthgui.ui.viewmodels.ladder_options import Column
from depthgui.ui.widgets.hatch import hatch_brush
from depthgui.ui.widgets.ladder_overlay import LadderOverlay
from depthgui.ui.widgets.number_runs import Number, NumberRuns

PAD = 8
TEXT, MUTED, BID, ASK, SPREAD = range(5)
"""Roles of texts."""

PRICE_CELL, SIZE_CELL, SUM_CELL, VOLUME_CELL = 1, 2, 4, 8
WHOLE_ROW = 31
"""What of a row is to be drawn: the cells of its side; or the whole row, the other side's empty cells included."""

Span = tuple[int, int]
"""Left and right edge."""

_NOWHERE: Span = (0, 0)
_FLASH_ALPHA = 0.18
_SUM_MARGIN = 5
_MOST_COMPACT = 2000
_VOLUME_MARGIN = 4
_HOVERED, _SELECTED, _MARKED = 1024, 2048, 4096
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


class RowLook(msgspec.Struct, frozen=True, gc=False):
    """What stands in a row but for its total, by cells. Bars are in pixels; a figure is None where no level is.

    `flags` are of the whole row, `price_flags` of its price. `bought` and `sold` are the parts of the volume's bar.
    """

    y: int
    flags: int
    price: str
    price_flags: int
    figure: Figure | None
    bar: int
    is_large: int
    volume: str
    bought: int
    sold: int

    def changes(self, old: RowLook) -> int:
        """The cells that differ from those of another look at the same place."""
        if self.y != old.y or self.flags != old.flags:
            return WHOLE_ROW
        cells = 0
        if self.figure != old.figure or self.bar != old.bar or self.is_large != old.is_large:
            cells |= SIZE_CELL
        if self.price != old.price or self.price_flags != old.price_flags:
            cells |= PRICE_CELL
        if self.bought != old.bought or self.sold != old.sold or self.volume != old.volume:
            cells |= VOLUME_CELL
        return cells


TotalLook = tuple[str, int]
"""Of a running total: its text, and the length of its bar in pixels."""

Cells = tuple[RowLook, TotalLook, int]
"""Cells of a row that are to be drawn: how the row looks, its total, and which cells."""


class Seen(NamedTuple):
    """What was looked at for the last picture, and what was seen."""

    place: Geometry
    overlay: LadderOverlay
    rows: tuple[LadderRow, ...]
    looks: list[RowLook]
    totals: list[TotalLook]

    def changes(self, before: Seen) -> list[Cells]:
        """The cells that differ from those seen before at the same places."""
        changed = []
        rows = zip(self.looks, before.looks, self.totals, before.totals, strict=True)
        for look, old_look, total, old_total in rows:
            cells = 0 if look is old_look else look.changes(old_look)
            if total != old_total:
                cells |= SUM_CELL
            if cells:
                changed.append((look, total, WHOLE_ROW if self.place.is_tight else cells))
        return changed


class _Rooms(NamedTuple):
    """Lengths of the longest bars."""

    bid: int
    ask: int
    bid_sum: int
    ask_sum: int
    volume: int

    @classmethod
    def of(cls, place: Geometry) -> _Rooms:
        bids, asks = place.bids, place.asks
        return cls(
            bids.sizes[1] - bids.sizes[0],
            asks.sizes[1] - asks.sizes[0],
            bids.sums[1] - bids.sums[0] - _SUM_MARGIN,
            asks.sums[1] - asks.sums[0] - _SUM_MARGIN,
            place.volume[1] - place.volume[0] - _VOLUME_MARGIN,
        )


def _look(row: LadderRow, rooms: _Rooms, overlay: LadderOverlay | None) -> RowLook:
    index, flags = row.index, row.flags
    shared = flags & _ROW_FLAGS
    if overlay is not None:
        shared |= (
            (index == overlay.hovered) * _HOVERED
            | (index in overlay.selected) * _SELECTED
            | (index in overlay.marked) * _MARKED
        )
    if flags & BID_SIDE:
        units, figure, bar = row.bid_units, row.bid, row.bid_bar * rooms.bid
    else:
        units, figure, bar = row.ask_units, row.ask, row.ask_bar * rooms.ask
    is_level = units is not None
    length = bought = 0
    if row.volume_bar:
        length = max(1, round(row.volume_bar * rooms.volume))
        bought = round(length * row.bought)
    return RowLook(
        row.y,
        shared,
        row.price,
        flags & _PRICE_FLAGS,
        figure if is_level else None,
        (round(bar) or 1) if is_level else 0,
        flags & LARGE,
        row.volume if length else "",
        bought,
        length - bought,
    )


class CellPainter:
    """Looks at the rows of frames, and draws looks, with one theme."""

    def __init__(self, theme: Theme, figures: NumberRuns, strong: NumberRuns, row_px: int) -> None:
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
        alphas = [_FLASH_ALPHA * (1 - step / FADE_STEPS) for step in range(FADE_STEPS)]
        self._flashes = {
            direction: [theme.colour(name, alpha) for alpha in alphas]
            for direction, name in ((1, "text"), (-1, "background"))
        }
        self._spans: dict[Column, Span] = {}
        self._fit: object = None
        self._geometry: Geometry | None = None
        self._compact: dict[tuple[str, int], str] = {}

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio."""
        self._hatch = hatch_brush(self._theme.colour("muted", 0.3), ratio)

    # -- looking

    def geometry(self, frame: LadderFrame, spans: dict[Column, Span], width: int) -> Geometry:
        """Where this frame's numbers stand. `spans` are the columns' places at this width, another dict if others."""
        texts = (frame.widest_price, frame.widest_whole, frame.widest_sum, frame.widest_volume)
        fit = (*map(self._figures.width, texts), *map(len, texts), frame.fraction, frame.point)
        if spans is not self._spans or fit != self._fit or self._geometry is None:
            self._geometry = self._make_geometry(frame, spans, width)
            self._spans, self._fit = spans, fit
        return self._geometry

    def _make_geometry(self, frame: LadderFrame, spans: dict[Column, Span], width: int) -> Geometry:
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
            ((len(frame.widest_volume) + 1) * digit_px + PAD, volume),
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

    def see(self, frame: LadderFrame, place: Geometry, overlay: LadderOverlay, before: Seen | None) -> Seen:
        """What is seen of each row. Rows that are as they were `before` aren't looked at again."""
        rooms = _Rooms.of(place)
        bid_px, ask_px = rooms.bid_sum, rooms.ask_sum
        totals = [
            (text, (round(bar * (bid_px if row.flags & BID_SIDE else ask_px)) or 1) if bar > 0 else 0)
            for row, (text, bar) in zip(frame.rows, frame.totals, strict=True)
        ]
        return Seen(place, overlay, frame.rows, self._looks(frame, place, overlay, rooms, before), totals)

    @staticmethod
    def _looks(
        frame: LadderFrame, place: Geometry, overlay: LadderOverlay, rooms: _Rooms, before: Seen | None
    ) -> list[RowLook]:
        is_plain = overlay.hovered is None and not overlay.selected and not overlay.marked
        pointed = None if is_plain else overlay
        rows = frame.rows
        if before is None or before.place != place or before.overlay != overlay or len(before.rows) != len(rows):
            return [_look(row, rooms, pointed) for row in rows]
        return [
            old if row is old_row else _look(row, rooms, pointed)
            for row, old_row, old in zip(rows, before.rows, before.looks, strict=True)
        ]

    # -- drawing

    def clear(self, painter: QtGui.QPainter, place: Geometry, changed: Sequence[Cells]) -> None:
        """Take away what was drawn of these cells before."""
        row_px = place.row_px
        tops: dict[tuple[int, Span], list[int]] = {}
        for look, _, cells in changed:
            y, flags = look.y, look.flags
            if cells == WHOLE_ROW:
                self.clear_strip(painter, place, y, row_px)
                continue
            side = place.bids if flags & BID_SIDE else place.asks
            if cells & SIZE_CELL:
                tops.setdefault((SIZE_CELL, side.sizes), []).append(y)
            if cells & SUM_CELL:
                tops.setdefault((SUM_CELL, side.sums), []).append(y)
            if cells & PRICE_CELL:
                tops.setdefault((PRICE_CELL, place.price), []).append(y)
            if cells & VOLUME_CELL:
                tops.setdefault((VOLUME_CELL, place.volume), []).append(y)
        for (cell, (left, right)), ys in tops.items():
            ground = self._price_ground if cell == PRICE_CELL else self._background
            start = end = ys[0]
            for y in ys:
                if y != end:
                    painter.fillRect(left, start, right - left, end - start, ground)
                    start = y
                end = y + row_px
            painter.fillRect(left, start, right - left, end - start, ground)

    def clear_strip(self, painter: QtGui.QPainter, place: Geometry, y: int, height: int) -> None:
        """Draw the empty ground from edge to edge."""
        painter.fillRect(0, y, place.width, height, self._background)
        left, right = place.price
        painter.fillRect(left, y, right - left, height, self._price_ground)

    def draw(self, painter: QtGui.QPainter, place: Geometry, changed: Sequence[Cells]) -> None:
        """Draw these cells on cleared ground: bars and washes, then what the pointer adds, then numbers."""
        prices = [look for look, _, cells in changed if cells & PRICE_CELL] if place.price[1] else []
        sizes = [look for look, _, cells in changed if cells & SIZE_CELL]
        sums = [(look, total) for look, total, cells in changed if cells & SUM_CELL]
        volumes = [look for look, _, cells in changed if cells & VOLUME_CELL] if place.volume[1] else []
        for look, _, cells in changed:
            if look.flags & UNCOVERED:
                self._draw_hatch(painter, place, look, cells)
        self._draw_best(painter, place, prices)
        self._draw_sum_bars(painter, place, sums)
        self._draw_size_bars(painter, place, sizes)
        self._draw_volume_bars(painter, place, volumes)
        for look, _, cells in changed:
            if look.flags & (_HOVERED | _SELECTED | _MARKED):
                self._draw_overlay(painter, place, look, cells)
        self._draw_prices(painter, place, prices)
        self._draw_sizes(painter, place, sizes)
        self._draw_totals(painter, place, sums, volumes)

    def draw_flashes(self, painter: QtGui.QPainter, place: Geometry, frame: LadderFrame, now_s: float) -> None:
        """Light up what has changed lately, over the finished rows: a step of fading draws no cell anew.

        Growth flashes bright and a shrinking level dark: a light, not a hue, tells them apart.
        """
        rows, fill, height = frame.rows, painter.fillRect, place.row_px - 2
        top = rows[0].index if rows else 0
        (bid_left, bid_right), (ask_left, ask_right) = place.bids.sizes, place.asks.sizes
        bid_px, ask_px = bid_right - bid_left, ask_right - ask_left
        for index, (moment_s, direction) in frame.flashes.items():
            step = int((now_s - moment_s) / FADE_STEP_S)
            if step < FADE_STEPS and 0 <= top - index < len(rows):
                row = rows[top - index]
                if row.flags & BID_SIDE:
                    fill(bid_left, row.y + 1, bid_px, height, self._flashes[direction][step])
                else:
                    fill(ask_left, row.y + 1, ask_px, height, self._flashes[direction][step])

    def _draw_best(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[RowLook]) -> None:
        left, right = place.price
        for look in looks:
            flags = look.price_flags
            if flags & (BEST_BID | BEST_ASK):
                colour = self._best["bid" if flags & BEST_BID else "ask"]
                painter.fillRect(left, look.y, right - left, place.row_px, colour)

    def _draw_sum_bars(
        self, painter: QtGui.QPainter, place: Geometry, sums: Sequence[tuple[RowLook, TotalLook]]
    ) -> None:
        # Empty rows carry the total on, so that the totals make one shape.
        fill, height = painter.fillRect, place.row_px - 2
        right, left = place.bids.sums[1] - 1, place.asks.sums[0] + 1
        bid, ask = self._sum_bars["bid"], self._sum_bars["ask"]
        has_bids, has_asks = place.bids.sums[1], place.asks.sums[1]
        for look, (_, length) in sums:
            if look.flags & BID_SIDE:
                if length and has_bids:
                    fill(right - length, look.y + 1, length, height, bid)
            elif length and has_asks:
                fill(left, look.y + 1, length, height, ask)

    def _draw_size_bars(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[RowLook]) -> None:
        fill, height = painter.fillRect, place.row_px - 2
        for look in looks:
            y, length, is_bid = look.y, look.bar, look.flags & BID_SIDE
            left, right = place.bids.sizes if is_bid else place.asks.sizes
            if not right:
                continue
            name = "bid" if is_bid else "ask"
            if length:
                fill(right - length if is_bid else left, y + 1, length, height, self._bars[name])
            if look.is_large:
                self._draw_outline(painter, name, left, y, right - left)

    def _draw_volume_bars(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[RowLook]) -> None:
        left, height = place.volume[0] + 2, place.row_px - 2
        for look in looks:
            y = look.y + 1
            bought = look.bought
            painter.fillRect(left, y, bought, height, self._bars["bid"])
            painter.fillRect(left + bought, y, look.sold, height, self._bars["ask"])

    def _draw_hatch(self, painter: QtGui.QPainter, place: Geometry, look: RowLook, cells: int) -> None:
        y, flags = look.y, look.flags
        side = place.bids if flags & BID_SIDE else place.asks
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
        y, flags = look.y, look.flags
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

    def _draw_prices(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[RowLook]) -> None:
        right, dy = place.price_x, self._dy
        plain: dict[int, list[Number]] = {SPREAD: [], BID: [], ASK: []}
        best: dict[int, list[Number]] = {SPREAD: [], BID: [], ASK: []}
        for look in looks:
            flags = look.price_flags
            role = SPREAD if flags & IN_SPREAD else BID if look.flags & BID_SIDE else ASK
            (best if flags & (BEST_BID | BEST_ASK) else plain)[role].append((right, look.y + dy, look.price))
        for numbers, groups in ((self._figures, plain), (self._strong, best)):
            for role, texts in groups.items():
                numbers.draw_numbers(painter, role, texts, from_right=True)

    def _draw_sizes(self, painter: QtGui.QPainter, place: Geometry, looks: Sequence[RowLook]) -> None:
        figures, dy, point = self._figures, self._dy, place.point
        widest = figures.width("0")
        heads: list[Number] = []
        tails: list[tuple[int, int, Figure]] = []
        for look in looks:
            y, figure = look.y, look.figure
            side = place.bids if look.flags & BID_SIDE else place.asks
            left, right = side.sizes
            if figure is None or not right:
                continue
            head, tail = figure
            # A figure that ends in a letter stands on its right edge, any other on its decimal point.
            whole = head if head[-1:].isalpha() else head.partition(point)[0]
            room = right - left - 4
            if (len(head) + len(tail) + 1) * widest > room and figures.width(head) + figures.width(tail) > room:
                head, tail = self._fitting(head + tail, room, point), ""
                whole = head
            x = round(side.point_x - figures.width(whole))
            if place.is_tight:
                last_x = right - 2 - math.ceil(figures.width(head) + figures.width(tail))
                x = max(left + 2, min(x, last_x))
            heads.append((x, y + dy, head))
            if tail:
                tails.append((x, y + dy, (head, tail)))
        figures.draw_numbers(painter, TEXT, heads)
        figures.draw_tails(painter, tails)

    def _draw_totals(
        self,
        painter: QtGui.QPainter,
        place: Geometry,
        sums: Sequence[tuple[RowLook, TotalLook]],
        volumes: Sequence[RowLook],
    ) -> None:
        dy, bid_x, ask_x = self._dy, place.bids.sum_x, place.asks.sum_x
        has_bids, has_asks = place.bids.sums[1], place.asks.sums[1]
        texts: list[Number] = [
            (bid_x if look.flags & BID_SIDE else ask_x, look.y + dy, text)
            for look, (text, _) in sums
            if text and (has_bids if look.flags & BID_SIDE else has_asks)
        ]
        volume_x = place.volume[1] - PAD
        volume_texts: list[Number] = [(volume_x, look.y + dy, look.volume) for look in volumes if look.volume]
        if place.is_tight:
            bid_sums, ask_sums = place.bids.sums, place.asks.sums
            texts = [self._fitted(number, bid_sums if number[0] == bid_x else ask_sums, place) for number in texts]
            volume_texts = [self._fitted(number, place.volume, place) for number in volume_texts]
        self._figures.draw_numbers(painter, MUTED, texts + volume_texts, from_right=True)

    def _fitted(self, number: Number, span: Span, place: Geometry) -> Number:
        # A number that stands on its right edge, inside of its column.
        x, y, text = number
        left, right = span
        shown = self._fitting(text, right - left - 4, place.point)
        return (min(max(x, left + 2 + math.ceil(self._figures.width(shown))), right - 2), y, shown)

    def _fitting(self, text: str, room: int, point: str) -> str:
        # The text, or a shorter form where it has no room: a number that is cut off would be another number.
        if self._figures.width(text) <= room:
            return text
        found = self._compact.get((text, room))
        if found is None:
            if len(self._compact) > _MOST_COMPACT:
                self._compact.clear()
            forms = [*compact_forms(text, point)] or [text]
            found = next((form for form in forms if self._figures.width(form) <= room), forms[-1])
            self._compact[text, room] = found
        return found
