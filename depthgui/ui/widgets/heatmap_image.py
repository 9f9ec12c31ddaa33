"""The heatmap's picture: a ring of pixel columns in one image, of which a frame draws only the new ones.

Time runs to the right and round the end of the image, so that a new column costs one column of pixels and showing the
whole two plain copies. When prices scroll, or the scale or the theme changes, all of it is drawn anew from the history.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PySide6 import QtCore, QtGui

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.heatmap_cells import GAP, UNKNOWN, Codes, Lines, Window, cells, lines, places_of
from depthgui.ui.viewmodels.heatmap_colours import heat_table
from depthgui.ui.viewmodels.heatmap_history import HeatmapHistory

Pixels = npt.NDArray[np.uint32]
Pixel = TypeVar("Pixel", np.uint8, np.uint32)

_NOWHERE = (0, 0)
_HATCH_PX = 6  # logical pixels from one line of hatching to the next


@dataclass(frozen=True, slots=True)
class Look:
    """What the picture depends on besides its data: geometry in device pixels, scale, and what is drawn."""

    width: int
    height: int
    row_px: int
    group_px: int
    merge: int
    top_row: int
    ratio: float
    cap: float
    with_heat: bool


class HeatmapImage:
    """The picture of one heatmap."""

    def __init__(self, theme: Theme) -> None:
        """Start without a picture."""
        self._look: Look | None = None
        self._pixels: Pixels = np.zeros((1, 1), np.uint32)
        self._image = QtGui.QImage()
        self._groups = 1
        self._first = 0  # groups from here to before `_end` are drawn, in the ring's places
        self._end = 0
        self.drawn_groups = 0
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours; draws everything anew."""
        self._table = heat_table(theme.palette)
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
        for start, stop in parts:
            if start < stop:
                self._draw(history, window, look, start, stop, newest_slot)
                self.drawn_groups += stop - start
        self._first, self._end = first, end

    def paint(self, painter: QtGui.QPainter) -> None:
        """Draw the picture with its top left corner at the origin: what is right of the ring's seam, then the rest."""
        look = self._look
        if look is None:
            return
        total = self._groups * look.group_px
        start = (self._end * look.group_px - look.width) % total
        left = min(total - start, look.width)
        for x, source_x, width in ((0, start, left), (left, 0, look.width - left)):
            if width > 0:
                source = QtCore.QRect(source_x, 0, width, look.height)
                if look.ratio == 1:
                    painter.drawImage(QtCore.QPoint(x, 0), self._image, source)
                else:
                    target = QtCore.QRectF(x / look.ratio, 0, width / look.ratio, look.height / look.ratio)
                    painter.drawImage(target, self._image, QtCore.QRectF(source))

    # -- drawing

    def _take(self, look: Look, window: Window) -> None:
        old, self._look = self._look, look
        self._groups = window.groups
        shape = (look.height, window.groups * look.group_px)
        if old is None or self._pixels.shape != shape:
            self._pixels = np.zeros(shape, np.uint32)
            # The image reads the array's own memory: what is written there is on screen at the next paint.
            kind = QtGui.QImage.Format.Format_RGB32
            self._image = QtGui.QImage(self._pixels.data, shape[1], shape[0], self._pixels.strides[0], kind)
        self.forget()

    def _draw(
        self, history: HeatmapHistory, window: Window, look: Look, start: int, stop: int, newest_slot: int
    ) -> None:
        # One group more on the left: the lines come from there.
        part = Window(start - 1, stop - start + 1, window.merge, window.top_row, window.rows)
        places = places_of(history, part)
        codes = cells(history, part, newest_slot, look.cap, places)[:, 1:]
        heat = self._table[codes if look.with_heat else np.where(codes >= UNKNOWN, codes, 0)]
        picture = _magnified(heat, look)
        self._draw_lines(picture, lines(history, part, places), look)
        if codes.max() >= UNKNOWN:
            self._hatch(picture, _magnified(codes, look), look, start)
        at = start % self._groups
        until_seam = min(stop - start, self._groups - at) * look.group_px
        x = at * look.group_px
        self._pixels[:, x : x + until_seam] = picture[:, :until_seam]
        rest = picture.shape[1] - until_seam
        if rest:
            self._pixels[:, :rest] = picture[:, until_seam:]

    def _hatch(self, picture: Pixels, codes: Codes, look: Look, start: int) -> None:
        # Lines that lean one way over prices that are not known, the other way over times without a book.
        period = max(4, round(_HATCH_PX * look.ratio))
        thick = max(1, round(look.ratio * 0.8))
        xs = np.arange(picture.shape[1]) + start * look.group_px
        ys = np.arange(look.height)[:, None]
        for code, places, colour in ((UNKNOWN, xs + ys, self._unknown), (GAP, xs - ys, self._gap)):
            found = codes == code
            if found.any():
                picture[found & (places % period < thick)] = colour

    def _draw_lines(self, picture: Pixels, best: Lines, look: Look) -> None:
        # Across a group go its own best prices; its first pixels join them to those of the group before, if both are
        # of one stretch. Group by group, since masks of the picture would be looked through for a few pixels each.
        thick = max(1, round(look.ratio))
        joint = min(thick, look.group_px)
        joined = (best.stretch[1:] == best.stretch[:-1]).tolist()
        bids, asks = (
            _bars(low, high, joined, look, thick)
            for low, high in zip(best.low.tolist(), best.high.tolist(), strict=True)
        )
        for group, (bid, ask) in enumerate(zip(bids, asks, strict=True)):
            left = group * look.group_px
            self._draw_bars(picture[:, left : left + joint], *bid[:2], *ask[:2])
            if look.group_px > joint:
                self._draw_bars(picture[:, left + joint : left + look.group_px], *bid[2:], *ask[2:])

    def _draw_bars(self, part: Pixels, bid_top: int, bid_bottom: int, ask_top: int, ask_bottom: int) -> None:
        part[bid_top:bid_bottom] = self._bid
        part[ask_top:ask_bottom] = self._ask
        if bid_top < ask_bottom:  # else nothing is of both: a bid is further down
            part[max(bid_top, ask_top) : min(bid_bottom, ask_bottom)] = self._both


def _bars(
    lows: list[float], highs: list[float], joined: list[bool], look: Look, thick: int
) -> Iterator[tuple[int, int, int, int]]:
    # From the second group on: top and bottom of the joint's pixels, then of the others'. Nothing where NaN is.
    before: tuple[int, int] | None = None
    for number, (low, high) in enumerate(zip(lows, highs, strict=True)):
        own = joint = None
        if not math.isnan(high):
            top = math.floor((look.top_row + 0.5 - high) * look.row_px)
            bottom = math.floor((look.top_row + 0.5 - low) * look.row_px) + thick
            own = joint = (top, bottom)
            if before is not None and joined[number - 1]:
                joint = (min(top, before[1] - thick), max(bottom, before[0] + thick))
        before = own
        if number:
            (a, b), (c, d) = joint or _NOWHERE, own or _NOWHERE
            yield max(a, 0), max(b, 0), max(c, 0), max(d, 0)


def _magnified(cells: npt.NDArray[Pixel], look: Look) -> npt.NDArray[Pixel]:
    tall = np.repeat(cells, look.row_px, axis=0)[: look.height] if look.row_px > 1 else cells
    return np.repeat(tall, look.group_px, axis=1) if look.group_px > 1 else tall


def _word(colour: QtGui.QColor) -> int:
    return int(colour.rgb())
