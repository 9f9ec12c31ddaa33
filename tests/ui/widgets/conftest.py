"""A theme, a clock, and feeds for the tests of single widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.ui.books import FakeFeed, small_book

from depthgui.ui.fonts import load_typeface
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.palettes import DARK
from depthgui.ui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication


class Time:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(DARK, load_typeface())


@pytest.fixture
def clock(qapp: QApplication, time: Time) -> Iterator[FrameClock]:
    made = FrameClock(now=time)
    yield made
    made.stop()


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed(small_book())
