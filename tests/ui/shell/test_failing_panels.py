"""A panel that raises fails alone: in paints, frames and event handlers, once and always; every panel of the window."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from guards.logs import RecordKeeper
from PySide6 import QtCore, QtGui, QtWidgets
from ui.shell.conftest import Shell
from unit.ui.books import small_book

from depthgui.app.error_hooks import ErrorHooks
from depthgui.depthcache.feed import FeedState
from depthgui.ui import panel_guard
from depthgui.ui.banner import StaleBanner
from depthgui.ui.panel_guard import PanelGuard
from depthgui.ui.status_bar import StatusBar
from depthgui.ui.symbol_tab import SymbolTab
from depthgui.ui.widgets.canvas import Canvas
from depthgui.ui.widgets.depth_chart import DepthChart
from depthgui.ui.widgets.header import Header
from depthgui.ui.widgets.heatmap import Heatmap
from depthgui.ui.widgets.heatmap_panel import HeatmapPanel
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.stat_strip import StatStrip
from depthgui.ui.widgets.state_pill import StatePill
from depthgui.ui.widgets.tape import Tape

CANVASES = ("ladder", "heatmap", "depthChart", "tape")
CLASSES: dict[str, type] = {
    "ladder": Ladder,
    "heatmap": Heatmap,
    "depthChart": DepthChart,
    "tape": Tape,
    "header": Header,
    "statStrip": StatStrip,
    "stateLabel": StatePill,
    "heatmapPanel": HeatmapPanel,
    "staleBanner": StaleBanner,
    "statusBar": StatusBar,
}
GUARDED = tuple(CLASSES)
FAILED = r"has failed; the rest of the window goes on(?s:.*)RuntimeError: planted"


class Fault:
    """Raises so many times, and counts."""

    def __init__(self, times: float) -> None:
        self.left = times
        self.raised = 0
        self.panel: Any = None  # only this one's code

    def __call__(self, *_: Any, **__: Any) -> Any:
        if self.left > 0:
            self.left -= 1
            self.raised += 1
            raise RuntimeError("planted <b>fault</b>")
        return None


@pytest.fixture
async def page(shell: Shell) -> SymbolTab:
    """A live tab with every panel painted."""
    return await live_page(shell)


async def live_page(shell: Shell) -> SymbolTab:
    opened = shell.open("BTCUSDT")
    feed = shell.feed("BTCUSDT")
    feed.book = small_book()
    feed.trade("100.01", "0.5")
    feed.become(FeedState.LIVE)
    await turns(shell)
    return opened


async def turns(shell: Shell, count: int = 6) -> None:
    for _ in range(count):
        shell.time.now_s += 0.3
        shell.window._services.clock.tick()
        QtWidgets.QApplication.processEvents()
        await asyncio.sleep(0)


def panel_of(shell: Shell, page: SymbolTab, name: str) -> Any:
    if name == "statusBar":
        return shell.window.status
    return page.findChild(QtWidgets.QWidget, name)


def other_panels(shell: Shell, page: SymbolTab, name: str) -> list[Any]:
    return [panel for other in CANVASES if other != name and (panel := panel_of(shell, page, other))]


def cover_of(panel: Any) -> QtWidgets.QWidget | None:
    cover = panel.panel_guard.cover
    return cover if cover is not None and cover.isVisibleTo(panel) else None


def send(panel: Any, name: str) -> None:
    """Let Qt deliver an event of a kind to a panel, by way of its queue."""
    target = panel.viewport() if isinstance(panel, QtWidgets.QAbstractScrollArea) else panel
    middle = QtCore.QPointF(target.width() / 2, target.height() / 2)
    no_button, left = QtCore.Qt.MouseButton.NoButton, QtCore.Qt.MouseButton.LeftButton
    no_key, whole = QtCore.Qt.KeyboardModifier.NoModifier, target.mapToGlobal(middle)
    kinds = QtCore.QEvent.Type
    event: QtCore.QEvent
    if name == "wheelEvent":
        phase = QtCore.Qt.ScrollPhase.NoScrollPhase
        event = QtGui.QWheelEvent(
            middle, whole, QtCore.QPoint(), QtCore.QPoint(0, 120), no_button, no_key, phase, False
        )
    elif name == "keyPressEvent":
        target = panel
        event = QtGui.QKeyEvent(kinds.KeyPress, QtCore.Qt.Key.Key_Insert, no_key)
    elif name == "resizeEvent":
        panel.resize(panel.width() - 7, panel.height() - 7)
        return
    elif name == "paintEvent":
        target.update()
        return
    elif name == "leaveEvent":
        target = panel
        event = QtCore.QEvent(kinds.Leave)
    else:
        kind = kinds.MouseMove if name == "mouseMoveEvent" else kinds.MouseButtonPress
        event = QtGui.QMouseEvent(kind, middle, whole, left, left, no_key)
    QtWidgets.QApplication.postEvent(target, event)


def plant(monkeypatch: pytest.MonkeyPatch, panel_class: type, place: str, fault: Fault) -> None:
    """Let a method of `fault.panel` raise while the fault lasts, and do its work after that."""
    owner = next(each for each in panel_class.__mro__ if place in vars(each))
    real = vars(owner)[place]

    def method(self: Any, *arguments: Any) -> Any:
        if self is fault.panel:
            fault()
        return real(self, *arguments)

    if hasattr(real, "method"):
        handler, real = real, real.method
        monkeypatch.setattr(handler, "method", method)
    else:
        monkeypatch.setattr(owner, place, method)


@pytest.fixture
def hooks(qapp: QtWidgets.QApplication, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The application's last net, for what is raised straight out of a method that Qt calls."""

    def install() -> list[str]:
        told: list[str] = []
        made = ErrorHooks(asyncio.get_running_loop())
        made.tell = lambda text, _details: told.append(text)
        monkeypatch.setattr(sys, "excepthook", made._on_exception)
        return told

    return install


PLACES = ("paint_canvas", "frame_key", "render_frame", "paintEvent", "mouseMoveEvent", "wheelEvent", "keyPressEvent")
EVENTS = ("paintEvent", "resizeEvent", "mouseMoveEvent", "mousePressEvent", "wheelEvent", "keyPressEvent", "leaveEvent")


@pytest.mark.parametrize("times", [1, 1e9], ids=["once", "always"])
@pytest.mark.parametrize("place", [*PLACES, "resizeEvent", "mousePressEvent", "leaveEvent"])
@pytest.mark.parametrize("name", CANVASES)
async def test_a_view_that_raises_fails_alone(
    shell: Shell,
    hooks: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    expected_logs: RecordKeeper,
    name: str,
    place: str,
    times: float,
) -> None:
    expected_logs.require(FAILED)
    told = hooks()
    fault = Fault(times)
    plant(monkeypatch, CLASSES[name], place, fault)
    page = await live_page(shell)
    panel = fault.panel = panel_of(shell, page, name)
    others = other_panels(shell, page, name)
    shell.feed("BTCUSDT").become(FeedState.STALE)
    shell.feed("BTCUSDT").trade("100.02")
    send(panel, place if place in EVENTS else "paintEvent")
    await turns(shell)
    assert fault.raised >= 1
    cover = cover_of(panel)
    assert cover is not None, "its place says so"
    assert panel.panel_guard.title in cover.text
    assert "planted <b>fault</b>" in cover.text
    assert cover.geometry() == panel.rect()
    assert told == [], "in its place, not in a notice"

    raised = fault.raised
    painted = [other.paint_ms for other in others]
    for other in others:
        other.paint_ms = -1.0
        other.request_paint()
    for kind in ("mouseMoveEvent", "wheelEvent", "paintEvent"):
        send(panel, kind)
    await turns(shell, 10)
    assert painted
    assert all(other.paint_ms >= 0 for other in others), "the others are painted"
    assert all(cover_of(other) is None for other in others)
    assert fault.raised - raised <= 4, "it is left alone"
    assert sum("Traceback" in record.getMessage() for record in expected_logs.records) == 1

    button = cover.findChild(QtWidgets.QPushButton, "panelFailedRetry")
    assert button is not None
    button.click()
    await turns(shell)
    if times == 1:
        assert cover_of(panel) is None, "the cause has gone"
        panel.paint_ms = -1.0
        panel.request_paint()
        await turns(shell)
        assert panel.paint_ms >= 0, "it is painted again"
    else:
        send(panel, place if place in EVENTS else "paintEvent")
        await turns(shell)
        assert cover_of(panel) is not None, "and says so again"
        assert sum("Traceback" in record.getMessage() for record in expected_logs.records) == 1
    assert told == []


@pytest.mark.parametrize("times", [1, 1e9], ids=["once", "always"])
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("header", "frame_key"),
        ("header", "render_frame"),
        ("header", "resizeEvent"),
        ("statStrip", "paintEvent"),
        ("statStrip", "shown_stats"),
        ("stateLabel", "paintEvent"),
        ("heatmapPanel", "resizeEvent"),
        ("heatmapPanel", "_show_view"),
        ("staleBanner", "show_text"),
        ("statusBar", "show_figures"),
        ("statusBar", "resizeEvent"),
    ],
)
async def test_a_strip_that_raises_fails_alone(
    shell: Shell,
    hooks: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    expected_logs: RecordKeeper,
    name: str,
    place: str,
    times: float,
) -> None:
    expected_logs.require(FAILED)
    told = hooks()
    fault = Fault(times)
    plant(monkeypatch, CLASSES[name], place, fault)
    page = await live_page(shell)
    panel = fault.panel = panel_of(shell, page, name)
    shell.feed("BTCUSDT").become(FeedState.STALE)
    panel.update()
    if place in {"resizeEvent", "_show_view"}:
        shell.window.resize(shell.window.width() - 40, shell.window.height() - 40)
    await turns(shell)
    shell.window._tick()
    await turns(shell)
    assert cover_of(panel) is not None
    assert not panel.panel_guard.cover.size().isEmpty()
    assert all(cover_of(view) is None for view in other_panels(shell, page, ""))
    assert sum("Traceback" in record.getMessage() for record in expected_logs.records) == 1
    panel.panel_guard.retry()
    await turns(shell)
    shell.window._tick()
    if place == "resizeEvent":
        shell.window.resize(shell.window.width() - 40, shell.window.height())
    await turns(shell)
    is_covered = cover_of(panel) is not None
    assert is_covered is (times > 1)
    assert sum("Traceback" in record.getMessage() for record in expected_logs.records) == 1
    assert told == []


@pytest.mark.expected_logs(FAILED)
@pytest.mark.parametrize("times", [1, 1e9], ids=["once", "always"])
async def test_the_heatmaps_recorder_is_part_of_it(
    shell: Shell, page: SymbolTab, monkeypatch: pytest.MonkeyPatch, times: float
) -> None:
    panel = page.panels.heatmap
    monkeypatch.setattr(type(panel.recorder), "_record", Fault(times))
    panel.recorder.record()
    await turns(shell)
    assert cover_of(panel) is not None
    assert not panel.recorder.is_running
    panel.panel_guard.retry()
    await turns(shell)
    assert (cover_of(panel) is None) is (times == 1)
    assert panel.recorder.is_running is (times == 1)


@pytest.mark.expected_logs(FAILED)
async def test_the_list_of_symbols_fails_alone(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.window.dialogs.add_symbol()
    await turns(shell)
    view = shell.window.findChild(QtWidgets.QTableView, "symbolList")
    assert view is not None
    delegate = view.itemDelegate()
    guard = delegate.panel_guard  # type: ignore[attr-defined]
    monkeypatch.setattr(type(delegate), "_draw_text", Fault(1e9))
    view.viewport().update()
    await turns(shell)
    assert guard.cover is not None
    assert guard.cover.isVisibleTo(view)
    monkeypatch.undo()
    guard.retry()
    await turns(shell)
    assert not guard.cover.isVisibleTo(view)
    dialog = shell.dialog("symbolDialog") or view.window()
    dialog.close()


@pytest.mark.expected_logs(FAILED)
async def test_another_feed_is_a_new_try(shell: Shell, page: SymbolTab, monkeypatch: pytest.MonkeyPatch) -> None:
    ladder = page.panels.ladder
    monkeypatch.setattr(ladder, "paint_canvas", Fault(1))
    ladder.request_paint()
    await turns(shell)
    assert ladder.panel_guard.has_failed
    feed = page.feed
    assert feed is not None
    page.attach(feed)
    await turns(shell)
    assert not ladder.panel_guard.has_failed


@pytest.mark.expected_logs(FAILED)
async def test_the_state_is_told_though_the_heatmap_fails(
    shell: Shell, page: SymbolTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(page.panels.heatmap), "follow_state", Fault(1e9))
    shell.feed("BTCUSDT").become(FeedState.STALE, "planted")
    await turns(shell)
    assert "Stale since" in page.banner.text
    assert page.panels.header.pill.state == "stale"


async def test_every_panel_has_a_guard_and_every_handler_of_it_goes_through_it(shell: Shell, page: SymbolTab) -> None:
    found = {
        widget.objectName(): widget
        for widget in shell.window.findChildren(QtWidgets.QWidget)
        if isinstance(getattr(widget, "panel_guard", None), PanelGuard)
    }
    assert set(GUARDED) <= set(found)
    for panel in page.panels._widgets:
        assert panel.objectName() in GUARDED, "a new panel needs its name here, so that the tests above try it"
    handlers = set(panel_guard._ANSWERS)
    for panel_class in {*Canvas.__subclasses__(), Canvas, *(type(widget) for widget in found.values())}:
        for name in handlers & set(vars(panel_class)):
            assert hasattr(vars(panel_class)[name], "method"), f"{panel_class.__name__}.{name}"


async def test_an_error_that_comes_again_and_again_is_told_once(
    shell: Shell, caplog: pytest.LogCaptureFixture, expected_logs: RecordKeeper
) -> None:
    expected_logs.allow("unexpected error")
    told: list[str] = []
    hooks = ErrorHooks(asyncio.get_running_loop())
    hooks.tell = lambda text, _details: told.append(text)
    fault = Fault(1e9)
    with caplog.at_level(logging.ERROR):
        for _ in range(150):
            try:
                fault()
            except RuntimeError as error:
                hooks.report(error)
        assert told == [], "not inside of what raised it: that may be a paint"
        await asyncio.sleep(0)
    assert len(told) == 1
    assert len(caplog.records) == 2
    assert "for the 100th time" in caplog.records[1].getMessage()


class RawPanel(QtWidgets.QWidget):
    """A panel whose paint is not wrapped, as in code that is still to come; its painter outlives the failing paint."""

    def __init__(self) -> None:
        super().__init__()
        self.panel_guard = PanelGuard(self, "raw panel", self.update)
        self.painted = 0

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtGui.QPainter(self)
        painter.drawLine(0, 0, 5, 5)
        self.painted += 1
        raise RuntimeError("planted <b>fault</b>")


async def test_what_no_handler_catches_reaches_its_panel_all_the_same(
    shell: Shell, hooks: Callable[[], list[str]], expected_logs: RecordKeeper
) -> None:
    expected_logs.require(FAILED)
    told = hooks()
    panel = RawPanel()
    panel.resize(300, 200)
    panel.show()
    await turns(shell)
    assert cover_of(panel) is not None
    painted = panel.painted
    panel.update()
    await turns(shell)
    assert panel.painted <= painted + 1, "an opaque cover: Qt paints nothing below it"
    assert told == []
    panel.close()
    panel.deleteLater()
