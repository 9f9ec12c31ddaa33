"""Header and ladder show one last price, whichever of them comes to it first, at every moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6 import QtWidgets
from unit.ui.books import FakeFeed, change

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.panels import Panels
from depthgui.ui.theme import Theme


@pytest.fixture
def panels(clock: FrameClock, theme: Theme, feed: FakeFeed) -> Iterator[Panels]:
    made = Panels(theme, clock)
    window = QtWidgets.QWidget()
    column = QtWidgets.QVBoxLayout(window)
    for widget in made._widgets:
        column.addWidget(widget)
    window.resize(1300, 900)
    window.show()
    made.attach(feed)  # type: ignore[arg-type]
    clock.tick()
    QtWidgets.QApplication.processEvents()
    yield made
    made.detach()
    window.close()
    window.deleteLater()


def shown(panels: Panels) -> set[tuple[str, int]]:
    frame, view = panels.ladder._frame, panels.header.view
    assert frame is not None
    assert frame.band is not None
    assert view is not None
    assert panels.header.stats._view == view
    return {(frame.band.price, frame.band.direction), (view.last, view.direction)}


def test_every_frame_has_one_last_price(panels: Panels, feed: FakeFeed, clock: FrameClock, time: Any) -> None:
    for number in range(30):  # 60 frames a second: the header's other figures rest meanwhile
        time.now_s += 1 / 60
        feed.trade(f"100.{number % 7:02d}")
        clock.tick()
        assert len(shown(panels)) == 1
    assert panels.header.view is not None
    assert panels.header.view.last == "100.01"


def test_a_view_that_the_user_moves_between_two_frames_takes_the_other_along(panels: Panels, feed: FakeFeed) -> None:
    feed.trade("100.02")
    panels.ladder.scroll_rows(1)
    panels.ladder.centre()
    assert shown(panels) == {("100.02", 0)}
    feed.trade("100.01")
    panels.header.set_options(panels.header._model.options)
    assert shown(panels) == {("100.01", -1)}


def test_without_a_trade_it_is_the_mid_of_the_same_moment(
    panels: Panels, feed: FakeFeed, clock: FrameClock, time: Any
) -> None:
    assert feed.book is not None
    for number in range(5):
        time.now_s += 0.02
        change(feed.book, [(f"99.9{number}", "0"), ("100.00", "0" if number % 2 else "1")])
        clock.tick()
        assert len(shown(panels)) == 1


def test_another_feed_begins_without_a_last_price(panels: Panels, feed: FakeFeed, clock: FrameClock) -> None:
    feed.trade("100.02")
    clock.tick()
    other = FakeFeed(feed.book)
    panels.attach(other)  # type: ignore[arg-type]
    clock.tick()
    assert shown(panels) == {("100.005", 0)}


def test_only_the_price_is_painted_anew_when_nothing_else_changed(
    panels: Panels, feed: FakeFeed, clock: FrameClock, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.trade("100.02")
    clock.tick()
    time.now_s += 1
    clock.tick()
    QtWidgets.QApplication.processEvents()
    asked: list[tuple[int, ...]] = []
    monkeypatch.setattr(panels.header.stats, "update", lambda *place: asked.append(place), raising=False)
    time.now_s += 0.02
    feed.trade("100.01")
    clock.tick()
    assert [len(place) for place in asked] == [4]
    assert asked[0][2] < panels.header.stats.width() / 2
