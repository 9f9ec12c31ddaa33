"""Where the ladder's rows are: a fixed price grid seen through a window that scrolls in pixels.

Rows are integers (price = index x step), highest at the top. The spread band is a strip of its own between the row
`boundary` and the row below it. Rows keep their place on screen while prices move; only when the band leaves the
middle of the window is the view centred again, and never while it is locked.
"""

from __future__ import annotations

_MIDDLE_LOW = 0.35  # of the height: where the band's centre may wander before the view moves
_MIDDLE_HIGH = 0.65


class LadderGrid:
    """Scroll position and size of the ladder's window. Lengths in logical pixels."""

    __slots__ = (
        "_boundary",
        "_height",
        "_is_fresh",
        "_laid_out_for",
        "_layout",
        "_offset",
        "_top",
        "band_px",
        "is_locked",
        "row_px",
    )

    def __init__(self, row_px: int = 19, band_px: int = 24) -> None:
        """Start without a position; the first `follow` centres."""
        self.row_px = row_px
        self.band_px = band_px
        self.is_locked = False
        self._height = 600
        self._top = 0  # index of the first row, which may be cut off above by `_offset` pixels
        self._offset = 0
        self._boundary = 0
        self._is_fresh = True
        self._laid_out_for: tuple[int, ...] = ()
        self._layout: tuple[list[tuple[int, int]], int | None] = ([], None)

    @property
    def boundary(self) -> int:
        """Index of the lowest row above the spread band."""
        return self._boundary

    @property
    def visible_rows(self) -> int:
        """Whole rows that fit beside the band."""
        return max(1, (self._height - self.band_px) // self.row_px)

    def resize(self, height_px: int, row_px: int, band_px: int) -> None:
        """Take a new size; an unlocked view is centred for it."""
        if (height_px, row_px, band_px) == (self._height, self.row_px, self.band_px):
            return
        self._height, self.row_px, self.band_px = max(height_px, row_px), row_px, band_px
        self._offset = 0
        self._is_fresh = self._is_fresh or not self.is_locked

    def reset(self) -> None:
        """Forget the position: another symbol, another step."""
        self.is_locked = False
        self._is_fresh = True

    def centre(self) -> None:
        """Unlock, and put the band in the middle at the next `follow`."""
        self.reset()

    def regrid(self, old_units: int, new_units: int) -> None:
        """Change the step, given both in the same unit; a locked view keeps the price in its middle."""
        if self.is_locked:
            half = self.visible_rows // 2
            self._top = (self._top - half) * old_units // new_units + half
            self._offset = 0
        else:
            self._is_fresh = True

    def scroll(self, pixels: float) -> None:
        """Move the view towards higher prices (positive) or lower ones, and lock it."""
        self.is_locked = True
        rows, self._offset = divmod(round(self._offset - pixels), self.row_px)
        self._top -= rows
        if self._top < 1:
            self._top, self._offset = 1, 0

    def follow(self, boundary: int) -> None:
        """Say where the band is now; centres the view if it may and must."""
        self._boundary = boundary
        if self._is_fresh:
            self._centre_now()
        elif not self.is_locked:
            centre = self._band_y() + self.band_px / 2
            if not _MIDDLE_LOW * self._height <= centre <= _MIDDLE_HIGH * self._height:
                self._centre_now()

    def layout(self) -> tuple[list[tuple[int, int]], int | None]:
        """Rows on screen as (index, y), top to bottom, cut-off ones included; and the band's y, None if not on it.

        While nothing moves the list is the same one; it isn't to be changed.
        """
        place = (self._top, self._offset, self._boundary, self._height, self.row_px, self.band_px)
        if place != self._laid_out_for:
            self._laid_out_for, self._layout = place, self._lay_out()
        return self._layout

    def _lay_out(self) -> tuple[list[tuple[int, int]], int | None]:
        rows: list[tuple[int, int]] = []
        band_y: int | None = None
        y, index = -self._offset, self._top
        while y < self._height and index > 0:
            if index == self._boundary - 1 and band_y is None:
                band_y = y
                y += self.band_px
                continue
            rows.append((index, y))
            y += self.row_px
            index -= 1
        return rows, band_y

    def _band_y(self) -> int:
        return (self._top - self._boundary + 1) * self.row_px - self._offset

    def _centre_now(self) -> None:
        self._is_fresh = False
        self._offset = 0
        above = (self._height - self.band_px) // 2 // self.row_px
        self._top = max(1, self._boundary + above - 1)
