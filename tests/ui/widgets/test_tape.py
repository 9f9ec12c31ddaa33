"""The tape widget."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt
from unit.ui.books import FakeFeed, State

from depthgui.ui.viewmodels.tape import Merge, TapeOptions
from depthgui.ui.widgets.tape import Tape
from depthgui.ui.widgets.tape_painter import TapePainter

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from depthgui.ui.frame_clock import FrameClock
    from depthgui.ui.theme import Theme


@pytest.fixture
def tape(qtbot: QtBot, clock: FrameClock, theme: Theme, feed: FakeFeed) -> Tape:
    made = Tape(clock, theme)
    qtbot.addWidget(made)
    made.resize(230, 600)
    for number in range(100):
        feed.trade(f"{100 + number / 100:.2f}", "9.5" if number == 95 else "0.5", time_ms=number * 1000)
    made.set_feed(feed)
    made.show()
    clock.tick()
    return made


def paint(tape: Tape) -> QtGui.QImage:
    return tape.viewport().grab().toImage()


def move(tape: Tape, y: float) -> None:
    at = QtCore.QPointF(60, y)
    none = Qt.MouseButton.NoButton
    event = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove, at, tape.viewport().mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier
    )
    QtWidgets.QApplication.sendEvent(tape.viewport(), event)


def prices(tape: Tape) -> list[str]:
    return [row.price for row in tape.frame.rows]


def test_newest_on_top_and_as_many_as_fit(tape: Tape) -> None:
    assert prices(tape)[:2] == ["100.99", "100.98"]
    assert len(tape.frame.rows) == tape._painter.row_count(tape.viewport().height())
    assert len(tape.frame.rows) * tape._painter.row_px + tape._painter.header_px >= 600


def test_new_trades_come_with_the_next_tick(tape: Tape, feed: FakeFeed, clock: FrameClock) -> None:
    feed.trade("55.55", time_ms=200_000)
    assert prices(tape)[0] == "100.99"
    clock.tick()
    assert prices(tape)[0] == "55.55"


def test_large_prints_have_a_ground(tape: Tape) -> None:
    large = next(number for number, row in enumerate(tape.frame.rows) if row.is_large)
    assert large == 4
    picture = paint(tape)
    y = tape._painter.header_px + large * tape._painter.row_px + 2
    assert picture.pixel(120, y) != picture.pixel(120, y + tape._painter.row_px)


def test_it_stands_still_under_the_pointer(tape: Tape, feed: FakeFeed, clock: FrameClock) -> None:
    move(tape, 200)
    feed.trade("55.55", time_ms=200_000)
    clock.tick()
    assert (prices(tape)[0], tape.frame.is_paused, tape.frame.waiting) == ("100.99", True, 1)
    paint(tape)
    move(tape, 5)  # the header
    assert prices(tape)[0] == "55.55"
    move(tape, 200)
    QtWidgets.QApplication.sendEvent(tape, QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert not tape.frame.is_paused


def test_the_menu_filters_and_merges(tape: Tape) -> None:
    chosen: list[TapeOptions] = []
    tape.options_changed.connect(chosen.append)
    menu = tape.make_menu()
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions)[:3] == ["All sizes", "Only 0.01 and more", "Only 0.1 and more"]
    actions["Only 1 and more"].trigger()
    assert [row.size[0] for row in tape.frame.rows] == ["9.5"]
    actions["Show every print"].trigger()
    assert (chosen[-1].min_size, chosen[-1].merge) == (Decimal(1), Merge.NONE)
    menu.deleteLater()


def test_a_size_of_the_users_own_is_in_the_menu(tape: Tape) -> None:
    tape.set_options(TapeOptions(min_size=Decimal("0.25")))
    menu = tape.make_menu()
    assert next(action.text() for action in menu.actions() if action.isChecked()) == "Only 0.25 and more"
    menu.deleteLater()


def test_stale_and_empty(tape: Tape, feed: FakeFeed, clock: FrameClock) -> None:
    feed.state = State.STALE
    clock.tick()
    assert tape.frame.stale
    tape.set_feed(FakeFeed())
    assert tape.frame is None
    paint(tape)
    tape.set_feed(None)
    paint(tape)


def test_narrow_tapes_leave_the_time_out(tape: Tape) -> None:
    wide = paint(tape)
    tape.resize(160, 600)
    assert not paint(tape).isNull()
    assert wide.width() == 230


# The kept picture


class Stage:
    """A tape that paints into pictures of any density."""

    def __init__(self, tape: Tape, ratio: float) -> None:
        self.tape, self.ratio = tape, ratio
        tape.devicePixelRatioF = lambda: ratio  # type: ignore[method-assign]

    def _painted(self, painter: TapePainter | None) -> QtGui.QImage:
        size = self.tape.viewport().size()
        picture = QtGui.QImage(size * self.ratio, QtGui.QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(self.ratio)
        picture.fill(0xFFFF00FF)
        drawn = QtGui.QPainter(picture)
        if painter is None:
            self.tape.paint_canvas(drawn, size.width(), size.height())
        else:
            painter.paint(drawn, self.tape.frame, size.width(), size.height())
        drawn.end()
        return picture

    def check(self) -> QtGui.QImage:
        """By way of the kept picture it looks as if painted by one who has painted nothing before."""
        self.tape.render_frame(0.0)
        kept = self._painted(None)
        fresh = self._painted(TapePainter(self.tape._theme, self.ratio))
        # A text that is drawn with opacity may differ by one from a ready-drawn one: in rounding, not to the eye.
        assert kept == fresh or (self.tape.frame.stale and farthest_apart(kept, fresh) <= 1)
        return kept


def farthest_apart(one: QtGui.QImage, other: QtGui.QImage) -> int:
    """Largest difference of a colour's part."""
    parts = [np.frombuffer(image.constBits(), np.uint8).astype(np.int16) for image in (one, other)]
    return int(abs(parts[0] - parts[1]).max())


@pytest.fixture(params=[1.0, 1.5, 2.0], ids=["x1", "x1.5", "x2"])
def stage(request: pytest.FixtureRequest, tape: Tape) -> Stage:
    return Stage(tape, request.param)


@pytest.mark.parametrize("height", [600, 597, 130])
@pytest.mark.parametrize("merge", Merge)
def test_the_picture_is_what_it_would_be_afresh(stage: Stage, feed: FakeFeed, height: int, merge: Merge) -> None:
    random = Random(height)
    stage.tape.set_options(TapeOptions(merge=merge))
    stage.tape.resize(230, height)
    now_ms = 200_000
    for step in range(25):
        for _ in range(random.choice((0, 1, 1, 1, 2, 3, 7, 60))):
            now_ms += random.choice((0, 0, 3, 400))
            price, size = f"{random.randrange(9990, 10010) / 100:.2f}", random.choice(("0.5", "0.5", "9.5", "1234.5"))
            feed.trade(price, size, time_ms=now_ms, is_sell=random.random() < 0.5)
            if random.random() < 0.3:  # the same once more
                feed.trade(price, size, time_ms=now_ms, is_sell=feed.trades[-1].buyer_is_maker)
        if step % 11 == 7:
            feed.state = State.STALE if feed.state is State.LIVE else State.LIVE
        stage.check()


def test_what_stays_is_not_drawn_again(stage: Stage, feed: FakeFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.check()
    drawn: list[str] = []
    plain = TapePainter._paint_row
    monkeypatch.setattr(
        TapePainter,
        "_paint_row",
        lambda self, painter, row, *more: drawn.append(row.price) or plain(self, painter, row, *more),
    )
    stage.check()
    count = len(stage.tape.frame.rows)
    assert len(drawn) == count  # by the fresh painter
    drawn.clear()
    feed.trade("55.55", time_ms=200_000)
    feed.trade("44.44", time_ms=201_000)
    stage.check()
    is_whole = (2 * stage.tape._painter.row_px * stage.ratio).is_integer()
    is_whole &= (stage.tape._painter.header_px * stage.ratio).is_integer()
    assert len(drawn) == count + (2 if is_whole else count)


def test_hidden_and_shown_again(stage: Stage, feed: FakeFeed) -> None:
    before = stage.check()
    stage.tape.hide()
    feed.trade("55.55", time_ms=200_000)
    stage.tape.show()
    assert stage.check() != before
