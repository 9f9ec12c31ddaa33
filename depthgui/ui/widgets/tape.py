"""The tape widget: market trades as they come, newest on top; it stands still while the pointer is on it."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.feed_view import FeedView, InstrumentTracker, is_live
from depthgui.ui.viewmodels.figures import format_decimal, plain
from depthgui.ui.viewmodels.tape import Merge, TapeFrame, TapeModel, TapeOptions
from depthgui.ui.widgets.canvas import Canvas
from depthgui.ui.widgets.tape_painter import TapePainter

_WAITING = "No trades yet"
_FILTERS = 5  # choices of a smallest size, each ten times the one before
_MERGES = (
    (Merge.NONE, "Show every print"),
    (Merge.SAME_PRICE, "Merge prints at one price"),
    (Merge.SWEEP, "Merge prints of one sweep"),
)


class Tape(Canvas):
    """Time and sales of one feed."""

    title = "tape of trades"

    options_changed = QtCore.Signal(object)  # TapeOptions, chosen in the widget's own menu

    def __init__(self, clock: FrameClock, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Make an empty tape; give it a feed with `set_feed`."""
        super().__init__(clock, parent)
        self.setObjectName("tape")
        self.setAccessibleName("Trades")
        self.setMinimumSize(150, 120)
        self._theme = theme
        self._painter = TapePainter(theme, self.devicePixelRatioF())
        self._options = TapeOptions()
        self._feed: FeedView | None = None
        self._instruments = InstrumentTracker()
        self._model: TapeModel | None = None
        self._frame: TapeFrame | None = None

    @property
    def frame(self) -> TapeFrame | None:
        """What is shown."""
        return self._frame

    @property
    def options(self) -> TapeOptions:
        """The user's choices."""
        return self._options

    def set_feed(self, feed: FeedView | None) -> None:
        """Show another feed, or none."""
        self._feed = feed
        self._instruments = InstrumentTracker()
        self._model = None
        self._frame = None
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        if theme is self._theme:
            return
        self._theme = theme
        self._painter = TapePainter(theme, self.devicePixelRatioF())
        self.refresh()

    def begin_anew(self) -> None:
        """See `Canvas.begin_anew`."""
        self._painter = TapePainter(self._theme, self.devicePixelRatioF())
        self.set_feed(self._feed)

    def set_options(self, options: TapeOptions) -> None:
        """Take the user's choices."""
        self._options = options
        if self._model is not None and self._feed is not None:
            self._model.set_options(options, self._feed.trades)
        self.refresh()

    # -- the clock's side

    def frame_key(self, now_s: float) -> object:
        """See `FrameSource.frame_key`."""
        feed = self._feed
        return None if feed is None else (feed.trade_version, feed.state, feed.info, feed.book is None)

    def render_frame(self, now_s: float) -> None:
        """See `FrameSource.render_frame`."""
        feed = self._feed
        self._frame = None
        if feed is not None and (feed.trades or self._model is not None):
            instrument, before = self._instruments.read(feed), self._model
            model = before
            if model is None or model.instrument is not instrument:
                model = self._model = TapeModel(instrument, self._options)
            model.read(feed)
            if before is not None and before is not model and before.is_paused:
                model.pause()
            rows = self._painter.row_count(self.viewport().height())
            self._frame = model.frame(rows, stale=not is_live(feed))
        self.request_paint()

    def on_resized(self, size: QtCore.QSize) -> None:
        """Fill the new height."""
        self.refresh()

    def paint_canvas(self, painter: QtGui.QPainter, width: int, height: int) -> None:
        """Draw the latest frame."""
        self._painter.set_ratio(self.devicePixelRatioF())
        if self._frame is None or not self._frame.rows:
            self._painter.paint_message(painter, width, height, _WAITING if self._feed is not None else "")
        else:
            self._painter.paint(painter, self._frame, width, height)

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        """Keep no picture of what nobody sees."""
        super().hideEvent(event)
        self._painter.forget_picture()

    # -- pointer and menu

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Stand still while the pointer is on the rows."""
        if self._model is not None:
            was_paused = self._model.is_paused
            if event.position().y() > self._painter.header_px:
                self._model.pause()
            else:
                self._model.resume()
            if was_paused is not self._model.is_paused:
                self.refresh()
        event.accept()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """Go on."""
        if self._model is not None and self._model.is_paused:
            self._model.resume()
            self.refresh()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Nothing to press here; keeps pyqtgraph from panning."""
        event.accept()

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """Nothing to scroll: the newest are on top."""
        event.accept()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """The menu by keyboard; everything else goes on to the window."""
        event.ignore()

    def contextMenuEvent(self, event: QtGui.QContextMenuEvent) -> None:
        """Offer sizes and merging."""
        self.make_menu().popup(event.globalPos())
        event.accept()

    def make_menu(self) -> QtWidgets.QMenu:
        """The menu of choices; deletes itself when closed."""
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        sizes = QtGui.QActionGroup(menu)
        for size in self._filters():
            text = "All sizes" if not size else f"Only {format_decimal(size, self._options.number_format)} and more"
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(size == self._options.min_size)
            action.triggered.connect(lambda _checked, chosen=size: self._choose(min_size=chosen))
            sizes.addAction(action)
        menu.addSeparator()
        merges = QtGui.QActionGroup(menu)
        for merge, text in _MERGES:
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(merge is self._options.merge)
            action.triggered.connect(lambda _checked, chosen=merge: self._choose(merge=chosen))
            merges.addAction(action)
        return menu

    def _filters(self) -> list[Decimal]:
        step = self._model.instrument.size_step if self._model is not None else Decimal("0.001")
        choices = [Decimal(0), *(plain(step * 10**power) for power in range(1, _FILTERS))]
        chosen = self._options.min_size
        return choices if chosen in choices else sorted([*choices, chosen])

    def _choose(self, *, min_size: Decimal | None = None, merge: Merge | None = None) -> None:
        options = self._options
        if min_size is not None:
            options = dataclasses.replace(options, min_size=min_size)
        if merge is not None:
            options = dataclasses.replace(options, merge=merge)
        self.set_options(options)
        self.options_changed.emit(options)
