"""Ready-drawn texts for painters that draw the same few hundred strings in every frame.

Measured for 240 known texts on the raster engine: drawText 1.1-1.3 ms, glyph runs 1.4 ms, QStaticText 0.5 ms, pixmaps
0.3 ms. A new text costs 8 us with drawText, 25 us as QStaticText, 38 us as a pixmap. So a text is drawn directly the
first few times and kept as a pixmap after that, because in a lively market most are never seen again.
"""

from __future__ import annotations

from PySide6 import QtCore, QtGui

from depthgui.ui.painting import painting

_MAX_PIXELS = 6_000_000  # of device pixels kept, 24 MB
_MAX_SEEN = 20_000
_PASSING = 4  # a pixmap costs as much as five times drawing

DIMMED = -1
"""The role of trailing zeros."""

SHAPE = str.maketrans("123456789", "000000000")
"""Texts of one shape are equally wide where all digits are."""

Key = tuple[str, str, int]


class TextCache:
    """Draws texts of one font by role; a role is a number that stands for a colour."""

    __slots__ = (
        "_colours",
        "_font",
        "_is_tabular",
        "_metrics",
        "_pixels",
        "_pixmaps",
        "_ratio",
        "_seen",
        "_widths",
        "ascent",
        "height",
    )

    def __init__(self, font: QtGui.QFont, colours: dict[int, QtGui.QColor], ratio: float = 1.0) -> None:
        """Prepare `font`; texts are rendered for the device pixel ratio `ratio`."""
        # Texts in pixmaps can't have sub-pixel colours; without them a text looks the same drawn either way.
        font.setStyleStrategy(QtGui.QFont.StyleStrategy.NoSubpixelAntialias)
        self._font = font
        self._colours = colours
        self._metrics = QtGui.QFontMetricsF(font)
        self._ratio = float(ratio)
        self._pixmaps: dict[Key, QtGui.QPixmap] = {}
        self._widths: dict[str, float] = {}
        self._seen: dict[Key, int] = {}
        self._is_tabular: bool | None = None  # not asked before the first width: few of a hidden page's are needed
        self._pixels = 0
        self.height = round(self._metrics.height())
        self.ascent = round(self._metrics.ascent())

    def set_ratio(self, ratio: float) -> None:
        """Take another device pixel ratio, as when the window moves to another screen."""
        if ratio != self._ratio:
            self._ratio = float(ratio)
            self._forget()

    @property
    def is_tabular(self) -> bool:
        """True where all digits are equally wide, whatever stands beside them."""
        if self._is_tabular is None:
            advances = {self._metrics.horizontalAdvance(digit) for digit in "0123456789"}
            self._is_tabular = not self._font.kerning() and len(advances) == 1
        return self._is_tabular

    def width(self, text: str) -> float:
        """Width of a text in logical pixels."""
        shape = text.translate(SHAPE) if self.is_tabular else text
        found = self._widths.get(shape)
        if found is None:
            if len(self._widths) > _MAX_SEEN:
                self._widths.clear()
            found = self._widths[shape] = self._metrics.horizontalAdvance(shape)
        return found

    def draw(self, painter: QtGui.QPainter, x: int, y: int, text: str, role: int) -> None:
        """Draw a text; (x, y) is the top left corner of its line."""
        key = (text, "", role)
        pixmap = self._pixmaps.get(key)
        if pixmap is not None:
            painter.drawPixmap(x, y, pixmap)
        else:
            self._draw_new(painter, x, y, key)

    def draw_figure(self, painter: QtGui.QPainter, x: int, y: int, figure: tuple[str, str], role: int) -> None:
        """Draw a number whose second part is in the role of dimmed zeros."""
        key = (figure[0], figure[1], role)
        pixmap = self._pixmaps.get(key)
        if pixmap is not None:
            painter.drawPixmap(x, y, pixmap)
        else:
            self._draw_new(painter, x, y, key)

    def _draw_new(self, painter: QtGui.QPainter, x: int, y: int, key: Key) -> None:
        times = self._seen.get(key, 0) + 1
        if times > _PASSING and self._ratio.is_integer():  # else a pixmap would be moved to whole device pixels
            painter.drawPixmap(x, y, self._render(key))
            return
        if len(self._seen) > _MAX_SEEN:
            self._seen.clear()
        self._seen[key] = times
        painter.setFont(self._font)
        self._draw_now(painter, x, y, key)

    def _draw_now(self, painter: QtGui.QPainter, x: int, y: int, key: Key) -> None:
        text, tail, role = key
        painter.setPen(self._colours[role])
        painter.drawText(QtCore.QPointF(x, y + self.ascent), text)
        if tail:
            painter.setPen(self._colours[DIMMED])
            painter.drawText(QtCore.QPointF(x + self.width(text), y + self.ascent), tail)

    def _render(self, key: Key) -> QtGui.QPixmap:
        ratio = self._ratio
        width = max(1, round((self.width(key[0]) + self.width(key[1]) + 2) * ratio))
        height = max(1, round(self.height * ratio))
        if self._pixels + width * height > _MAX_PIXELS:
            self._forget()
        self._pixels += width * height
        pixmap = QtGui.QPixmap(width, height)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QtCore.Qt.GlobalColor.transparent)
        with painting(pixmap) as painter:
            painter.setFont(self._font)
            self._draw_now(painter, 0, 0, key)
        self._pixmaps[key] = pixmap
        self._seen.pop(key, None)
        return pixmap

    def _forget(self) -> None:
        self._pixmaps.clear()
        self._seen.clear()
        self._pixels = 0
