"""The heatmap's picture: pixel columns in an image that is a little too wide, of which a frame draws only the new ones.

Time runs to the right, so that a new column costs one column of pixels and showing the whole one plain copy. At the
end of the image, what is still on screen is moved back to its beginning. When prices scroll, or the scale or the theme
changes, all of it is drawn anew from the history.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt
from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.heatmap_cells import GAP, UNKNOWN, Codes, Lines, Window, cells, lines
from depthgui.ui.viewmodels.heatmap_colours import heat_table
from depthgui.ui.viewmodels.heatmap_history import HeatmapHistory
from depthgui.ui.viewmodels.heatmap_trades import Bubble, TradeScale, bubbles
from depthgui.ui.widgets.heatmap_circles import Circles

Pixels = npt.NDArray[np.uint32]
Bar = tuple[int, int]

_NOWHERE = (0, 0)
_NO_STRETCH = -2
_HATCH_PX = 6  # logical pixels from one line of hatching to the next
_SPARE = 4  # there is room for as many groups more as this part of those on screen


class Look(msgspec.Struct, frozen=True):
    """What the picture depends on besides its data: geometry in device pixels, scales, and what is drawn.

    `trades` is the scale of the circles, None for a picture without.
    """

    width: int
    height: int
    row_px: int
    group_px: int
    merge: int
    top_row: int
    ratio: float
    cap: float
    with_heat: bool
    trades: TradeScale | None


class HeatmapImage:
    """The picture of one heatmap."""

    def __init__(self, theme: Theme) -> None:
        """Start without a picture."""
        self._look: Look | None = None
        self._pixels: Pixels = np.zeros((1, 1), np.uint32)
        self._cells = self._pixels.reshape(1, 1, 1, 1)  # the same by row, its pixels, group, its pixels
        self._image = QtGui.QImage()
        self._room = 1
        self._origin = 0  # the group at the left edge of the image
        self._first = 0  # groups from here to before `_end` are drawn
        self._end = 0
        self.drawn_groups = 0
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours; draws everything anew."""
        self._table = heat_table(theme.palette)
        self._bare = self._table.copy()
        self._bare[1:UNKNOWN] = self._bare[0]
        self._circles = Circles(theme)
        self._bid, self._ask = _word(theme.colour("bid")), _word(theme.colour("ask"))
        self._both = _word(theme.colour("text"))
        self._unknown = _word(theme.mix("muted", "background", 0.3))
        self._gap = _word(theme.mix("amber", "panel", 0.3))
        self.forget()

    def forget(self) -> None:
        """Draw everything anew at the next `show`."""
        self._first = self._end = 0

    def show(self, history: HeatmapHistory, window: Window, look: Look, newest_slot: int, changed_slot: int) -> None:
        """Bring the picture up to date: what comes into view, and everything from `changed_slot` on, is drawn."""
        if look != self._look:
            self._take(look, window)
        first, end = window.first, window.first + window.groups
        keep_first, keep_end = max(self._first, first), min(self._end, end, changed_slot // window.merge)
        parts = [(first, end)] if keep_first >= keep_end else [(first, keep_first), (keep_end, end)]
        self.drawn_groups = 0
        self._make_room(first, end, keep_first, keep_end)
        for start, stop in parts:
            if start < stop:
                self._show_part(history, window, look, start, stop, newest_slot)
        self._first, self._end = first, end

    def paint(self, painter: QtGui.QPainter) -> None:
        """Draw the picture with its top left corner at the origin."""
        look = self._look
        if look is None:
            return
        left = (self._end - self._origin) * look.group_px - look.width
        if look.ratio == 1:
            painter.drawImage(0, 0, self._image, left, 0, look.width, look.height)
        else:
            target = QtCore.QRectF(0, 0, look.width / look.ratio, look.height / look.ratio)
            painter.drawImage(target, self._image, QtCore.QRectF(left, 0, look.width, look.height))

    # -- drawing

    def _take(self, look: Look, window: Window) -> None:
        self._look = look
        self._room = window.groups + window.groups // _SPARE + 1
        shape = (window.rows * look.row_px, self._room * look.group_px)  # the lowest row may reach below the picture
        if self._pixels.shape != shape:
            self._pixels = np.zeros(shape, np.uint32)
            # The image reads the array's own memory: what is written there is on screen at the next paint.
            kind = QtGui.QImage.Format.Format_RGB32
            self._image = QtGui.QImage(self._pixels.data, shape[1], shape[0], self._pixels.strides[0], kind)
        self._cells = self._pixels.reshape(window.rows, look.row_px, self._room, look.group_px)
        self._origin = window.first
        self.forget()

    def _make_room(self, first: int, end: int, keep_first: int, keep_end: int) -> None:
        # Moves what is kept if the groups from `first` to before `end` reach beyond the image.
        old = self._origin
        if first < old:
            self._origin = end - self._room
        elif end > old + self._room:
            self._origin = first
        if self._origin != old and keep_first < keep_end:
            kept = self._cells[:, :, keep_first - old : keep_end - old].copy()
            self._cells[:, :, keep_first - self._origin : keep_end - self._origin] = kept

    def _show_part(
        self, history: HeatmapHistory, window: Window, look: Look, start: int, stop: int, newest_slot: int
    ) -> None:
        trades = self._trades(history, window, look, start, stop)
        if start > window.first and any(trade.slot // look.merge >= start for trade in trades):
            # New circles reach back over what was drawn before they came.
            start = max(window.first, start - self._reach(look))
            trades = self._trades(history, window, look, start, stop)
        self._draw(history, window, look, start, stop, newest_slot)
        if trades:
            self._paint_trades(trades, look, start, stop)
        self.drawn_groups += stop - start

    def _draw(
        self, history: HeatmapHistory, window: Window, look: Look, start: int, stop: int, newest_slot: int
    ) -> None:
        part = Window(start, stop - start, window.merge, window.top_row, window.rows)
        codes, has_marks = cells(history, part, newest_slot, look.cap)
        left, right = start - self._origin, stop - self._origin
        drawn = self._cells[:, :, left:right]
        drawn[:] = (self._table if look.with_heat else self._bare)[codes][:, None, :, None]
        # One group more on the left: the lines come from there.
        part = Window(start - 1, stop - start + 1, window.merge, window.top_row, window.rows)
        self._draw_lines(left * look.group_px, lines(history, part), look)
        if has_marks:
            self._hatch(drawn, codes, look, start)

    def _hatch(self, drawn: Pixels, codes: Codes, look: Look, start: int) -> None:
        # Lines that lean one way over prices that are not known, the other way over times without a book.
        period = max(4, round(_HATCH_PX * look.ratio))
        thick = max(1, round(look.ratio * 0.8))
        is_line = np.arange(2 * period) % period < thick
        rows, row_px, groups, group_px = drawn.shape
        xs = (np.arange(start * group_px, (start + groups) * group_px) % period).reshape(groups, group_px)
        ys = np.arange(rows * row_px).reshape(rows, row_px, 1, 1)
        for code, along, colour in ((UNKNOWN, ys, self._unknown), (GAP, -ys, self._gap)):
            found = codes == code
            if found.any():
                drawn[found[:, None, :, None] & is_line[xs + along % period]] = colour

    def _draw_lines(self, left: int, best: Lines, look: Look) -> None:
        # Across a group go its own best prices; its first pixels join them to those of the group before, if both are
        # of one stretch. Group by group, since masks of the picture would be looked through for a few pixels each.
        thick = max(1, round(look.ratio))
        joint = min(thick, look.group_px)
        stretches = best.stretch.tolist()
        lows = best.low.tolist()
        highs = lows if best.high is best.low else best.high.tolist()
        bids, asks = (_bars(low, high, stretches, look, thick) for low, high in zip(lows, highs, strict=True))
        pixels, group_px, draw = self._pixels, look.group_px, self._draw_bars
        for (bid_joint, bid), (ask_joint, ask) in zip(bids, asks, strict=True):
            draw(pixels[:, left : left + joint], *bid_joint, *ask_joint)
            if group_px > joint:
                draw(pixels[:, left + joint : left + group_px], *bid, *ask)
            left += group_px

    def _reach(self, look: Look) -> int:
        return -(-self._circles.reach(look.ratio) // look.group_px)

    def _trades(self, history: HeatmapHistory, window: Window, look: Look, start: int, stop: int) -> list[Bubble]:
        # Those that can be seen in a part of the picture, though their middles may be beside it.
        if look.trades is None:
            return []
        reach = self._reach(look)
        part = Window(start - reach, stop - start + 2 * reach, window.merge, window.top_row, window.rows)
        return bubbles(history, part, look.trades)

    def _paint_trades(self, trades: list[Bubble], look: Look, start: int, stop: int) -> None:
        with painting(self._image) as painter:
            painter.setClipRect((start - self._origin) * look.group_px, 0, (stop - start) * look.group_px, look.height)
            for trade in trades:
                x = (trade.slot // look.merge - self._origin + 0.5) * look.group_px
                y = (look.top_row - trade.row + 0.5) * look.row_px
                self._circles.paint(painter, x, y, trade, look.ratio)

    def _draw_bars(self, part: Pixels, bid_top: int, bid_bottom: int, ask_top: int, ask_bottom: int) -> None:
        part[bid_top:bid_bottom] = self._bid
        part[ask_top:ask_bottom] = self._ask
        if bid_top < ask_bottom:  # else nothing is of both: a bid is further down
            part[max(bid_top, ask_top) : min(bid_bottom, ask_bottom)] = self._both


def _bars(lows: list[float], highs: list[float], stretches: list[int], look: Look, thick: int) -> list[tuple[Bar, Bar]]:
    # From the second group on: top and bottom of the joint's pixels, and of the others'. Nothing where NaN is.
    middle, row_px = look.top_row + 0.5, look.row_px
    found: list[tuple[Bar, Bar]] = []
    above, below, last = 0, 0, _NO_STRETCH
    for low, high, stretch in zip(lows, highs, stretches, strict=True):
        if math.isnan(high):
            found.append((_NOWHERE, _NOWHERE))
            last = _NO_STRETCH
            continue
        top, bottom = math.floor((middle - high) * row_px), math.floor((middle - low) * row_px) + thick
        bar = joint = (top if top > 0 else 0, bottom if bottom > 0 else 0)
        if stretch == last and (top != above or bottom != below):
            joint = (max(min(top, below - thick), 0), max(bottom, above + thick, 0))
        found.append((joint, bar))
        above, below, last = top, bottom, stretch
    return found[1:]


def _word(colour: QtGui.QColor) -> int:
    return int(colour.rgb())
