"""What part of a heatmap's history is on screen: zoom and pan in time, a price window that follows the market.

All lengths are device pixels. A group of columns is one or more whole pixels wide and a row one or more whole pixels
high, so that nothing on screen is ever blended.
"""

from __future__ import annotations

from depthgui.ui.viewmodels.heatmap_cells import Window

ZOOMS = ((16, 1), (8, 1), (4, 1), (3, 1), (2, 1), (1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (1, 32))
"""Choices of zoom, nearest first: pixels a group is wide, and columns it holds."""

ROW_PIXELS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Choices of a row's height."""

_USUAL_S = 300.0  # of time are shown until something else is chosen, if so much has been kept
_LEAST_S = 30.0
_LEAST_ROWS = 80
_MIDDLE_LOW, _MIDDLE_HIGH = 0.3, 0.7  # of the height: where the mid may wander before the view moves


class HeatmapView:
    """Position and zoom. `end_slot` None follows the newest column; `is_price_held` keeps the prices still.

    `zoom` is an index in `ZOOMS`, `row_px` the height of a row.
    """

    def __init__(self, column_s: float, capacity: int) -> None:
        """Follow the newest column."""
        self.column_s = column_s
        self.capacity = capacity
        self.width = 1
        self.height = 1
        self.top_row = 0
        self.end_slot: int | None = None
        self.is_price_held = False
        self.zoom = 0
        self.row_px = ROW_PIXELS[0]
        self._chosen_zoom: int | None = None
        self._chosen_row_px: int | None = None
        self._kept_s = 0.0
        self._is_fresh = True
        self._fit()

    # -- sizes

    @property
    def group_px(self) -> int:
        """Width of a group."""
        return ZOOMS[self.zoom][0]

    @property
    def merge(self) -> int:
        """Columns in a group."""
        return ZOOMS[self.zoom][1]

    @property
    def groups(self) -> int:
        """Groups on screen, a cut-off one included."""
        return -(-self.width // self.group_px)

    @property
    def rows(self) -> int:
        """Rows on screen, a cut-off one included."""
        return -(-self.height // self.row_px)

    @property
    def span_s(self) -> float:
        """Seconds on screen."""
        return self._span_of(self.zoom)

    @property
    def is_following(self) -> bool:
        """True while the newest column is at the right edge."""
        return self.end_slot is None

    def resize(self, width: int, height: int) -> None:
        """Take a new size."""
        if (width, height) != (self.width, self.height):
            middle = self.top_row - self.rows // 2
            self.width, self.height = max(1, width), max(1, height)
            self._fit()
            self.top_row = middle + self.rows // 2

    def window(self, newest_slot: int) -> Window:
        """What is on screen; the last group holds the newest slot, or `end_slot`."""
        last = (newest_slot if self.end_slot is None else self.end_slot) // self.merge
        return Window(last - self.groups + 1, self.groups, self.merge, self.top_row, self.rows)

    # -- time

    def pan(self, slots: int, oldest_slot: int, newest_slot: int) -> None:
        """Move by slots, back with a negative number; at the newest slot the view follows again."""
        end = (newest_slot if self.end_slot is None else self.end_slot) + slots
        earliest = oldest_slot + self.groups * self.merge // 2
        end = max(end, min(earliest, newest_slot))
        self.end_slot = None if end >= newest_slot else end

    def to_oldest(self, oldest_slot: int, newest_slot: int) -> None:
        """Show the oldest kept column at the left edge."""
        end = oldest_slot + self.groups * self.merge - 1
        self.end_slot = None if end >= newest_slot else end

    def to_now(self) -> None:
        """Follow the newest column and the mid again."""
        self.end_slot = None
        self.centre()

    def zoom_time(self, step: int, anchor: float, newest_slot: int) -> None:
        """Show less time (step 1) or more (-1); the column at `anchor` (0 left to 1 right) stays unless it follows."""
        before = self.zoom
        widest = next((at for at in range(len(ZOOMS)) if self._span_of(at) >= self.capacity * self.column_s), before)
        self.zoom = self._chosen_zoom = min(max(before - step, 0), widest)
        if self.end_slot is not None and self.zoom != before:
            moved = (1 - anchor) * (self._span_of(self.zoom) - self._span_of(before)) / self.column_s
            end = self.end_slot + round(moved)
            self.end_slot = None if end >= newest_slot else end

    def set_zoom(self, zoom: int | None) -> None:
        """Take a remembered zoom; None for the usual span. What makes no sense is left alone."""
        if zoom is None or 0 <= zoom < len(ZOOMS):
            self._chosen_zoom = zoom
            self._fit()

    def keep(self, slots: int) -> None:
        """Say how many slots are kept: a young history is shown nearer, until a zoom is chosen."""
        self._kept_s = slots * self.column_s
        if self._chosen_zoom is None and self._kept_s > self.span_s and self.end_slot is None:
            self._fit()

    @property
    def chosen_zoom(self) -> int | None:
        """The zoom that was chosen, None while it is the usual span."""
        return self._chosen_zoom

    # -- price

    def follow(self, mid_row: float) -> None:
        """Say where the mid is now; the view moves if it must and may."""
        share = (self.top_row - mid_row) / self.rows
        if self._is_fresh or not (self.is_price_held or _MIDDLE_LOW <= share <= _MIDDLE_HIGH):
            self.top_row = round(mid_row) + self.rows // 2
            self._is_fresh = False

    def centre(self) -> None:
        """Put the mid in the middle at the next `follow`, and follow it."""
        self.is_price_held = False
        self._is_fresh = True

    def scroll_rows(self, rows: int) -> None:
        """Move towards higher prices (positive) or lower ones, and stay there."""
        self.top_row += rows
        self.is_price_held = True

    def zoom_price(self, step: int) -> None:
        """Make rows higher (1) or lower (-1); the price in the middle stays."""
        middle = self.top_row - self.rows // 2
        at = ROW_PIXELS.index(self.row_px)
        self.row_px = self._chosen_row_px = ROW_PIXELS[min(max(at + step, 0), len(ROW_PIXELS) - 1)]
        self.top_row = middle + self.rows // 2

    # -- places

    def y_of(self, row: float) -> float:
        """Pixel of a price, in rows: the middle of its row's band."""
        return (self.top_row - row + 0.5) * self.row_px

    def row_at(self, y: float) -> int:
        """Row of a pixel."""
        return self.top_row - int(y // self.row_px)

    def x_of(self, group: int, window: Window) -> int:
        """Left pixel of a group; the last group ends at the right edge."""
        return self.width - (window.first + window.groups - group) * self.group_px

    def group_at(self, x: float, window: Window) -> int:
        """Group of a pixel."""
        return window.first + window.groups - 1 - int((self.width - 1 - x) // self.group_px)

    def _fit(self) -> None:
        wanted = min(max(self._kept_s, _LEAST_S), _USUAL_S)
        fitting = (at for at in range(len(ZOOMS)) if self._span_of(at) >= 0.9 * wanted)
        self.zoom = next(fitting, len(ZOOMS) - 1) if self._chosen_zoom is None else self._chosen_zoom
        rows = [pixels for pixels in ROW_PIXELS if self.height / pixels >= _LEAST_ROWS]
        self.row_px = self._chosen_row_px or (rows[-1] if rows else ROW_PIXELS[0])

    def _span_of(self, zoom: int) -> float:
        pixels, merge = ZOOMS[zoom]
        return self.width / pixels * merge * self.column_s
