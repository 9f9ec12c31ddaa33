"""Many numbers drawn at once, the same to the pixel as one by one: all of a colour are one run of glyphs.

Measured on the raster engine for thirty running totals such as 123.4, which are new in every frame: drawText 4.4 us
each, of which shaping is half; as a run each 3.0; in one run, whose places are kept, 2.2. Put together from pictures of
two digits each 1.9, but there are hundreds of those (colours, fractions of a pixel), at 50 us for making one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from PySide6 import QtCore, QtGui

from depthgui.ui.widgets.text_cache import DIMMED, SHAPE, TextCache

_LETTERS = "0123456789.,-KMBT"
_MAX_PLACES = 5_000
_UNBROKEN = 1e6

Number = tuple[float, int, str]
"""Left or right edge, top of the line, text."""

_Places = dict[Number, list[QtCore.QPointF]]
_ORIGIN = QtCore.QPointF(0, 0)


class NumberRuns(TextCache):
    """A text cache that also draws many numbers at once which it hasn't drawn before."""

    __slots__ = ("_advances", "_glyphs", "_places", "_run")

    def __init__(self, font: QtGui.QFont, colours: dict[int, QtGui.QColor], ratio: float = 1.0) -> None:
        """Prepare `font`; numbers are drawn for the device pixel ratio `ratio`."""
        super().__init__(font, colours, ratio)
        self._run: QtGui.QGlyphRun | None = None
        self._glyphs: dict[str, int] = {}
        self._advances: dict[str, float] = {}
        # Where a number's glyphs stand, by its edge, line and shape; kept apart for left edges and right ones.
        self._places: tuple[_Places, _Places] = ({}, {})

    def draw_numbers(
        self, painter: QtGui.QPainter, role: int, numbers: Sequence[Number], *, from_right: bool = False
    ) -> None:
        """Draw numbers in the colour of `role`, each from its left edge, or up to its right one."""
        if not numbers:
            return
        run = self._run or self._make_run()
        try:
            glyphs = [*map(self._glyphs.__getitem__, "".join([text for _, _, text in numbers]))]
        except KeyError:  # a letter that numbers don't have
            self._draw_texts(painter, role, numbers, from_right=from_right)
            return
        kept, place, is_tabular = self._places[from_right], self._place, self.is_tabular
        places: list[QtCore.QPointF] = []
        for x, y, text in numbers:
            key = (x, y, text.translate(SHAPE) if is_tabular else text)
            places += kept.get(key) or place(key, from_right=from_right)
        painter.setPen(self._colours[role])
        run.setGlyphIndexes(glyphs)
        run.setPositions(places)
        painter.drawGlyphRun(_ORIGIN, run)

    def draw_tails(self, painter: QtGui.QPainter, figures: Sequence[tuple[int, int, tuple[str, str]]]) -> None:
        """Draw the dimmed second parts of numbers whose first parts were drawn by `draw_numbers` at the same places."""
        width = self.width
        self.draw_numbers(painter, DIMMED, [(x + width(head), y, tail) for x, y, (head, tail) in figures])

    def _draw_texts(self, painter: QtGui.QPainter, role: int, numbers: Sequence[Number], *, from_right: bool) -> None:
        painter.setFont(self._font)
        painter.setPen(self._colours[role])
        for x, y, text in numbers:
            left = x - round(self.width(text)) if from_right else x
            painter.drawText(QtCore.QPointF(left, y + self.ascent), text)

    def _make_run(self) -> QtGui.QGlyphRun:
        # Qt's own layout knows the glyphs that the font's features put in place of the usual ones.
        layout = QtGui.QTextLayout(_LETTERS, self._font)
        layout.beginLayout()
        layout.createLine().setLineWidth(_UNBROKEN)
        layout.endLayout()
        runs = layout.glyphRuns()
        run = self._run = runs[0]
        if len(runs) == 1 and len(run.glyphIndexes()) == len(_LETTERS):  # else some come from another font
            self._glyphs = dict(zip(_LETTERS, run.glyphIndexes(), strict=True))
            self._advances = {letter: self.width(letter) for letter in _LETTERS}
        return run

    def _place(self, number: Number, *, from_right: bool) -> list[QtCore.QPointF]:
        kept = self._places[from_right]
        if len(kept) >= _MAX_PLACES:
            kept.clear()
        x, y, shape = number
        left = x - round(self.width(shape)) if from_right else x
        lefts = accumulate(map(self._advances.__getitem__, shape[:-1]), initial=left)
        made = kept[number] = [QtCore.QPointF(each, y + self.ascent) for each in lefts]
        return made
