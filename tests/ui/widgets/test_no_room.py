"""Numbers that are wider than their column: shown in a shorter form, inside of the column, never cut."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from PySide6 import QtCore
from pytestqt.qtbot import QtBot
from unit.ui.books import FakeFeed, Info, make_book

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.ladder_options import Column
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.number_runs import NumberRuns
from depthgui.ui.widgets.tape import Tape
from depthgui.ui.widgets.text_cache import TextCache


@pytest.mark.parametrize("width", [300, 330, 444])
@pytest.mark.parametrize(
    ("prices", "sizes"),
    [
        (("100.00", "100.01"), ("1000000000000000.00000001", "0.00000001")),
        (("0.00000100", "0.00000101"), ("0.00000012", "123456789.12345678")),
        (("1000000000.00", "1000000000.01"), ("1", "2.5")),
    ],
    ids=["large sizes", "small prices", "large prices"],
)
def test_the_ladders_numbers_stay_in_their_columns(
    qtbot: QtBot,
    clock: FrameClock,
    theme: Theme,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    prices: tuple[str, str],
    sizes: tuple[str, str],
) -> None:
    drawn: list[tuple[float, float, str]] = []
    real = NumberRuns.draw_numbers

    def note(self: NumberRuns, painter: object, role: int, numbers: list, *, from_right: bool = False) -> None:
        for x, _, text in numbers:
            px = self.width(text)
            drawn.append((x - px if from_right else x, x if from_right else x + px, text))
        real(self, painter, role, numbers, from_right=from_right)  # type: ignore[arg-type]

    monkeypatch.setattr(NumberRuns, "draw_numbers", note)
    ladder = Ladder(clock, theme)
    qtbot.addWidget(ladder)
    ladder.resize(width, 300)
    ladder.show()
    tick = Decimal(prices[1]) - Decimal(prices[0])
    book = make_book([(prices[0], sizes[0])], [(prices[1], sizes[1])])
    ladder.set_feed(FakeFeed(book, info=Info(tick=tick)))
    clock.tick()
    ladder.grab()
    drawn.clear()
    ladder._painter.forget_picture()
    ladder.grab()
    spans = ladder._painter.spans(ladder.viewport().width())
    assert set(spans) >= {Column.BID, Column.PRICE, Column.ASK}
    texts = [text for _, _, text in drawn if text and text != ladder._frame.band.price]  # type: ignore[union-attr]
    assert not any("\u2026" in text for text in texts), "a number that is cut off is another number"
    band = ladder._frame.band  # type: ignore[union-attr]
    assert band is not None
    for left, right, text in drawn:
        if text and text != band.price:
            inside = any(span[0] - 1 <= left and right <= span[1] + 1 for span in spans.values())
            assert inside, (text, left, right, spans)
    assert any(text.replace(",", "") == prices[0] for _, _, text in drawn), "a price is whole"


def test_the_exact_size_is_a_pointers_rest_away(qtbot: QtBot, clock: FrameClock, theme: Theme) -> None:
    ladder = Ladder(clock, theme)
    qtbot.addWidget(ladder)
    ladder.resize(330, 300)
    ladder.show()
    ladder.set_feed(FakeFeed(make_book([("100.00", "1000000000000000.00000001")], [("100.01", "2")])))
    clock.tick()
    ladder.grab()
    (row,) = [row for row in ladder._rows() if row.bid_units]
    place = QtCore.QPoint(20, row.y + ladder._painter.metrics.header_px + 3)
    assert ladder.tip_at(place) == "1,000,000,000,000,000.00000001 BTC"


@pytest.mark.parametrize("width", [150, 214, 300])
def test_the_tapes_prices_and_sizes_do_not_overlap(
    qtbot: QtBot, clock: FrameClock, theme: Theme, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    drawn: list[tuple[int, float, float]] = []

    def note(self: TextCache, painter: object, x: int, y: int, text: object, role: int) -> None:
        px = self.width(text) if isinstance(text, str) else self.width(text[0]) + self.width(text[1])  # type: ignore[index]
        drawn.append((y, x, x + px))

    tape = Tape(clock, theme)
    qtbot.addWidget(tape)
    tape.resize(width, 300)
    tape.show()
    feed = FakeFeed(make_book([("0.00000100", "1")], [("0.00000101", "1")]), info=Info(tick=Decimal("0.00000001")))
    for number, size in enumerate(("0.00000012", "1000000000000000.00000001", "5")):
        feed.trade(f"0.0000010{number}", size, time_ms=number * 100_000)
    tape.set_feed(feed)
    clock.tick()
    tape.grab()
    monkeypatch.setattr(TextCache, "draw", note)
    monkeypatch.setattr(TextCache, "draw_figure", note)
    tape._painter.forget_picture()
    tape.grab()
    lines: dict[int, list[tuple[float, float]]] = {}
    for y, left, right in drawn:
        lines.setdefault(y, []).append((left, right))
    assert len(lines) == 4
    for parts in lines.values():
        parts.sort()
        assert parts[-1][1] <= width + 1
        for (_, right), (left, _) in itertools.pairwise(parts):
            assert right <= left
