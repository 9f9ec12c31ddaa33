"""The ladder keeps the picture of its last frame: after whatever happens it equals one that is painted afresh."""

from __future__ import annotations

import dataclasses
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6 import QtCore, QtGui
from unit.ui.books import FakeFeed, State, change, make_book, small_book

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.palettes import LIGHT
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.viewmodels.ladder_frame import FADE_STEP_S, FLASH_S
from depthgui.ui.viewmodels.ladder_options import Column, LadderOptions, SizeUnit
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.ladder_painter import LadderPainter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

WIDE = LadderOptions(columns=tuple(Column))


class Stage:
    """A ladder that paints into pictures of any density, and what may happen to it."""

    def __init__(self, theme: Theme, ratio: float) -> None:
        self.now_s = 1000.0
        self.clock = FrameClock(now=lambda: self.now_s)
        self.feed = FakeFeed(small_book(limit=3))
        self.ladder = Ladder(self.clock, theme)
        self.ladder.resize(450, 420)
        self.ladder.devicePixelRatioF = lambda: ratio  # type: ignore[method-assign]
        self.ratio = ratio
        self.theme = theme
        self.ladder.set_feed(self.feed)
        self.ladder.show()

    def close(self) -> None:
        self.ladder.close()
        self.clock.stop()
        self.ladder.deleteLater()

    def paint(self) -> QtGui.QImage:
        """The ladder's own painting, by way of its kept picture."""
        self.ladder.render_frame(self.now_s)
        size = self.ladder.viewport().size()
        picture = self._blank(size)
        painter = QtGui.QPainter(picture)
        self.ladder.paint_canvas(painter, size.width(), size.height())
        painter.end()
        return picture

    def paint_afresh(self) -> QtGui.QImage:
        """The same frame by a painter that has painted nothing before."""
        ladder = self.ladder
        fresh = LadderPainter(self.theme, self.ratio)
        fresh.set_columns(ladder.options.columns)
        size = ladder.viewport().size()
        picture = self._blank(size)
        painter = QtGui.QPainter(picture)
        assert ladder._frame is not None
        fresh.paint(painter, ladder._frame, size, ladder._overlay, ladder._painted_now_s)
        painter.end()
        return picture

    def _blank(self, size: QtCore.QSize) -> QtGui.QImage:
        image = QtGui.QImage(size * self.ratio, QtGui.QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(self.ratio)
        image.fill(0xFFFF00FF)  # of no theme: a pixel that isn't covered is seen
        return image

    def check(self) -> QtGui.QImage:
        painted = self.paint()
        assert painted == self.paint_afresh()
        return painted

    # -- what happens

    def diff(self, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        change(self.feed.book, bids, asks)

    def hover(self, row: int | None) -> None:
        rows = self.ladder._rows()
        index = rows[row % len(rows)].index if row is not None and rows else None
        self.ladder._set_overlay(hovered=index, ruler=("+1", "2 %") if index is not None else ())

    def select(self, row: int, count: int) -> None:
        rows = self.ladder._rows()
        if rows:
            low = rows[row % len(rows)].index
            self.ladder._set_overlay(hovered=None, selected=range(low, low + count))

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture(params=[1.0, 1.5, 2.0], ids=["x1", "x1.5", "x2"])
def stage(request: pytest.FixtureRequest, theme: Theme) -> Iterator[Stage]:
    made = Stage(theme, request.param)
    yield made
    made.close()


def sizes() -> st.SearchStrategy[str]:
    return st.sampled_from(["0", "0.001", "0.250", "1.000", "7.77", "7.770", "123.456", "98765.432"])


def bids() -> st.SearchStrategy[list[tuple[str, str]]]:
    price = st.integers(9950, 10000).map(lambda units: f"{units / 100:.2f}")
    return st.lists(st.tuples(price, sizes()), max_size=4)


def asks() -> st.SearchStrategy[list[tuple[str, str]]]:
    price = st.integers(10001, 10040).map(lambda units: f"{units / 100:.2f}")
    return st.lists(st.tuples(price, sizes()), max_size=4)


COLUMNS = [
    tuple(Column),
    (Column.BID_SUM, Column.BID, Column.PRICE, Column.ASK, Column.ASK_SUM),
    (Column.PRICE, Column.ASK, Column.BID),
    (Column.VOLUME, Column.BID, Column.ASK, Column.PRICE),
]

OPERATIONS = st.one_of(
    st.tuples(st.just("diff"), bids(), asks()),
    st.tuples(st.just("wait"), st.sampled_from([0.0, FADE_STEP_S / 3, FADE_STEP_S, 0.2, FLASH_S])),
    st.tuples(st.just("hover"), st.none() | st.integers(0, 40)),
    st.tuples(st.just("select"), st.integers(0, 40), st.integers(0, 5)),
    st.tuples(st.just("mark"), st.integers(9980, 10020)),
    st.tuples(st.just("scroll"), st.sampled_from([-3.0, -0.3, 0.4, 1.0, 30.0])),
    st.tuples(st.just("centre")),
    st.tuples(st.just("state"), st.sampled_from([State.LIVE, State.STALE])),
    st.tuples(st.just("columns"), st.sampled_from(COLUMNS)),
    st.tuples(st.just("unit"), st.sampled_from(list(SizeUnit)), st.booleans()),
    st.tuples(st.just("format"), st.sampled_from([",.", ".,", "_."])),
    st.tuples(st.just("grouping"), st.sampled_from([1, 2, 10])),
    st.tuples(st.just("resize"), st.sampled_from([300, 451, 640]), st.sampled_from([200, 417, 520])),
    st.tuples(st.just("trade"), st.integers(9990, 10010), st.booleans()),
    st.tuples(st.just("hide")),
)


def happen(stage: Stage, name: str, *arguments: object) -> None:
    """Do one of OPERATIONS."""
    ladder, options = stage.ladder, stage.ladder.options
    replace = dataclasses.replace
    actions: dict[str, Callable[..., object]] = {
        "diff": stage.diff,
        "wait": stage.wait,
        "hover": stage.hover,
        "select": stage.select,
        "mark": lambda units: ladder.toggle_mark(Decimal(units) / 100),
        "scroll": ladder.scroll_rows,
        "centre": ladder.centre,
        "state": lambda state: setattr(stage.feed, "state", state),
        "columns": lambda columns: ladder.set_options(replace(options, columns=columns)),
        "unit": lambda unit, short: ladder.set_options(replace(options, size_unit=unit, short_numbers=short)),
        "format": lambda marks: ladder.set_options(replace(options, number_format=number_format(marks))),
        "grouping": ladder.set_grouping,
        "resize": ladder.resize,
        "trade": lambda units, is_sell: stage.feed.trade(f"{units / 100:.2f}", "0.5", is_sell=is_sell),
        "hide": ladder._painter.forget_picture,
    }
    actions[name](*arguments)


def number_format(marks: str) -> NumberFormat:
    return NumberFormat(thousands="" if marks[0] == "_" else marks[0], point=marks[1])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ratio=st.sampled_from([1.0, 1.5, 2.0]), operations=st.lists(OPERATIONS, min_size=1, max_size=12))
def test_the_kept_picture_equals_a_fresh_one(theme: Theme, ratio: float, operations: list[tuple[object, ...]]) -> None:
    stage = Stage(theme, ratio)
    try:
        stage.check()
        for name, *arguments in operations:
            happen(stage, str(name), *arguments)
            stage.check()
    finally:
        stage.close()


CHANGES: dict[str, Callable[[Stage], object]] = {
    "a size": lambda stage: stage.diff([("99.95", "3.000")], []),
    "a level that goes": lambda stage: stage.diff([("99.95", "0")], []),
    "a level that comes": lambda stage: stage.diff([], [("100.05", "0.200")]),
    "the best price": lambda stage: stage.diff([], [("100.01", "0")]),
    "the last trade": lambda stage: stage.feed.trade("100.01"),
    "traded volume": lambda stage: stage.feed.trade("99.99", "3"),
    "the pointer": lambda stage: stage.hover(5),
    "a selection": lambda stage: stage.select(4, 3),
    "a mark": lambda stage: stage.ladder.toggle_mark(Decimal("100.05")),
    "a state": lambda stage: setattr(stage.feed, "state", State.STALE),
    "scrolling by pixels": lambda stage: stage.ladder.scroll_rows(0.4),
    "scrolling by rows": lambda stage: stage.ladder.scroll_rows(3),
    "the columns": lambda stage: stage.ladder.set_options(LadderOptions(columns=COLUMNS[2])),
    "large orders": lambda stage: stage.ladder.set_options(LadderOptions(columns=WIDE.columns, large_order=Decimal(2))),
    "short numbers": lambda stage: stage.ladder.set_options(LadderOptions(columns=WIDE.columns, short_numbers=True)),
    "the grouping": lambda stage: stage.ladder.set_grouping(10),
    "the width": lambda stage: stage.ladder.resize(500, 420),
    "the height": lambda stage: stage.ladder.resize(450, 480),
    "a snapshot that proves more": lambda stage: setattr(stage.feed, "book", small_book(update_id=8)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen(stage: Stage, what: str) -> None:
    stage.ladder.set_options(WIDE)
    stage.feed.trade("100.00")
    before = stage.check()
    CHANGES[what](stage)
    assert stage.check() != before


def test_flashes_fade_step_by_step_and_go(stage: Stage) -> None:
    stage.check()
    stage.diff([("99.95", "3.000")], [("100.02", "9.000")])
    pictures = [stage.check()]
    for _ in range(round(FLASH_S / FADE_STEP_S) + 1):
        stage.wait(FADE_STEP_S + 0.0001)
        pictures.append(stage.check())
    *fading, last, rest = pictures
    assert all(one != other for one, other in itertools.pairwise([*fading, last]))
    assert rest == last


def test_the_theme_and_the_screen_may_change(stage: Stage) -> None:
    before = stage.check()
    stage.theme = Theme(LIGHT, stage.theme.typeface)
    stage.ladder.set_theme(stage.theme)
    assert stage.check() != before
    stage.ratio = 3.0 - stage.ratio  # 1 and 2 swap; 1.5 stays
    ratio = stage.ratio
    stage.ladder.devicePixelRatioF = lambda: ratio  # type: ignore[method-assign]
    stage.check()


def test_every_pixel_is_covered_and_once_more_costs_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.ladder.resize(451, 421)  # of which half a device pixel is left at 1.5
    picture = stage.check()
    colours = {picture.pixel(x, y) for x in range(picture.width()) for y in (0, picture.height() - 1)}
    colours |= {picture.pixel(x, y) for x in (0, picture.width() - 1) for y in range(picture.height())}
    assert 0xFFFF00FF not in colours
    drawn: list[object] = []
    monkeypatch.setattr(LadderPainter, "_draw", lambda *arguments, **_: drawn.append(arguments))
    assert stage.paint() == picture
    assert not drawn


def test_only_the_cells_that_differ_are_drawn(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    book = make_book(
        [(f"{100 - n / 100:.2f}", "1.000") for n in range(15)],
        [(f"{100 + n / 100:.2f}", "1.000") for n in range(1, 15)],
    )
    stage.feed.book = book
    stage.ladder.set_options(LadderOptions(flashes=False))
    stage.check()
    drawn: set[Decimal] = set()
    plain = LadderPainter._draw

    def spy(painter: LadderPainter, *arguments: Any, **more: Any) -> None:
        drawn.update(Decimal(look.price) for look, *_ in arguments[2])
        plain(painter, *arguments, **more)

    monkeypatch.setattr(LadderPainter, "_draw", spy)
    # The same sum, shifted between two levels: their sizes change, and the total between them.
    change(book, [("99.95", "1.500"), ("99.94", "0.500")])
    stage.paint()
    assert drawn == {Decimal("99.95"), Decimal("99.94")}


def test_numbers_that_spill_over_their_column_are_drawn_whole(stage: Stage) -> None:
    book = make_book(
        [(f"{12345678 - n / 100:.2f}", "98765.432") for n in range(12)],
        [(f"{12345678 + n / 100:.2f}", "98765.432") for n in range(1, 12)],
    )
    stage.feed.book = book
    stage.ladder.set_options(LadderOptions(columns=tuple(Column), flashes=False))
    stage.ladder.resize(300, 420)
    stage.feed.trade("12345677.99", "123456.7")
    stage.check()
    for size in ("98765.431", "1", "0", "12345.678"):
        change(book, [("12345677.95", size)], [("12345678.03", size)])
        stage.check()


def test_a_hidden_ladder_keeps_no_picture(qtbot: QtBot, theme: Theme, clock: FrameClock, feed: FakeFeed) -> None:
    ladder = Ladder(clock, theme)
    qtbot.addWidget(ladder)
    ladder.set_feed(feed)
    ladder.show()
    ladder.viewport().grab()
    assert ladder._painter._picture is not None
    ladder.hide()
    assert ladder._painter._picture is None


def test_sizes_stand_in_their_column_whatever_the_decimal_mark(stage: Stage) -> None:
    def inked(marks: str) -> set[int]:
        """Columns of pixels, right of the asks' column, that a size of the asks has ink in."""
        stage.ladder.set_options(LadderOptions(flashes=False, number_format=number_format(marks)))
        picture = stage.check()
        left, right = stage.ladder._painter.spans(stage.ladder.viewport().width())[Column.ASK]
        painted = stage.ladder._frame
        assert painted is not None
        row = next(row for row in painted.rows if row.ask_units)
        top = stage.ladder._painter.metrics.header_px + row.y
        ground = picture.pixel(int((right - 1) * stage.ratio), int((top + 1) * stage.ratio))
        at = range(int(left * stage.ratio), int(right * stage.ratio))
        lines = range(int((top + 3) * stage.ratio), int((top + 15) * stage.ratio))
        return {x for x in at if any(QtGui.qGray(picture.pixel(x, y)) > QtGui.qGray(ground) + 60 for y in lines)}

    stage.feed.book = make_book([("100.00", "1234.567")], [("100.01", "1234.567")])
    with_point, with_comma = inked("_."), inked("_,")
    assert with_point
    assert abs(min(with_point) - min(with_comma)) <= 2 * stage.ratio
    assert abs(max(with_point) - max(with_comma)) <= 2 * stage.ratio
