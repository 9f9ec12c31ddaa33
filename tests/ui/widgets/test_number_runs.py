"""Numbers drawn in one run of glyphs are the same to the pixel as texts drawn one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore, QtGui

from depthgui.ui.widgets.number_runs import NumberRuns
from depthgui.ui.widgets.text_cache import DIMMED

if TYPE_CHECKING:
    from collections.abc import Callable

    from depthgui.ui.theme import Theme

COLOURS = {0: QtGui.QColor("#d5dce6"), 1: QtGui.QColor("#26a69a"), DIMMED: QtGui.QColor("#75808f")}
USUAL = ["0", "1.00", "123.4", "987.6", "67,412.85", "12.34567809", "1.25K", "3.40M", "-7"]
NUMBERS = [*USUAL, "1 234,5", "1'000", "3.4\u2026"]


def picture(ratio: float, draw: Callable[[QtGui.QPainter], object]) -> QtGui.QImage:
    image = QtGui.QImage(QtCore.QSize(240, 24 * len(NUMBERS)) * ratio, QtGui.QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0xFF0E1116)
    painter = QtGui.QPainter(image)
    draw(painter)
    painter.end()
    return image


def plainly(painter: QtGui.QPainter, runs: NumberRuns, role: int, x: float, y: int, text: str) -> None:
    painter.setFont(runs._font)
    painter.setPen(COLOURS[role])
    painter.drawText(QtCore.QPointF(x, y + runs.ascent), text)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("weight", [400, 650])
@pytest.mark.parametrize("texts", [NUMBERS, USUAL], ids=["odd letters among them", "numbers only"])
def test_a_run_looks_like_its_texts(theme: Theme, ratio: float, weight: int, texts: list[str]) -> None:
    runs = NumberRuns(theme.typeface.figures(13, weight), COLOURS, ratio)
    left = [(11, 24 * n, text) for n, text in enumerate(texts)]
    right = [(230, 24 * n, text) for n, text in enumerate(texts)]

    def in_runs(painter: QtGui.QPainter) -> None:
        runs.draw_numbers(painter, 0, left)
        runs.draw_numbers(painter, 1, right, from_right=True)

    def one_by_one(painter: QtGui.QPainter) -> None:
        for x, y, text in left:
            plainly(painter, runs, 0, x, y, text)
        for x, y, text in right:
            plainly(painter, runs, 1, x - round(runs.width(text)), y, text)

    expected = picture(ratio, one_by_one)
    assert expected != picture(ratio, lambda _: None)
    assert picture(ratio, in_runs) == expected
    assert picture(ratio, in_runs) == expected  # from places that were kept


def test_a_tail_follows_its_head(theme: Theme) -> None:
    runs = NumberRuns(theme.typeface.figures(13), COLOURS)
    figures = [(10, 0, ("0.05", "00")), (10, 24, ("12", ".000"))]

    def one_by_one(painter: QtGui.QPainter) -> None:
        for x, y, (head, tail) in figures:
            plainly(painter, runs, DIMMED, x + runs.width(head), y, tail)

    assert picture(1.0, lambda painter: runs.draw_tails(painter, figures)) == picture(1.0, one_by_one)


def test_places_are_not_kept_without_end(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthgui.ui.widgets.number_runs._MAX_PLACES", 10)
    runs = NumberRuns(theme.typeface.figures(13), COLOURS)
    for y in range(50):
        picture(1.0, lambda painter, y=y: runs.draw_numbers(painter, 0, [(5, y, "12.5"), (5, y, "12.55")]))
    assert sum(map(len, runs._places)) <= 11
