"""The depth chart widget: cumulative curves around the mid, with a choice of range and scale and a measuring cursor."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.depth import RANGES_PERCENT, DepthFrame, DepthModel, impact_lines, impact_to, on_tick
from depthgui.ui.viewmodels.feed_view import FeedView, InstrumentTracker, is_live
from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.viewmodels.instrument import NOT_DESCRIBED, Instrument
from depthgui.ui.viewmodels.trading_status import empty_text
from depthgui.ui.widgets.canvas import Canvas
from depthgui.ui.widgets.depth_painter import DepthPainter, DepthView
from depthgui.ui.widgets.note import paint_note

_REST_S = 0.045  # a curve that moves more often than 20 times a second is not seen better
_WAITING = "Waiting for the first snapshot"
_CHOICES = (*RANGES_PERCENT, None)
_RANGE_WORD, _SCALE_WORD = 0, 1


class DepthChart(Canvas):
    """Depth chart of one feed."""

    title = "depth chart"

    range_changed = QtCore.Signal(object)  # percent as float, or None for all that is proven
    log_changed = QtCore.Signal(bool)

    def __init__(self, clock: FrameClock, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Make an empty chart; give it a feed with `set_feed`."""
        super().__init__(clock, parent)
        self.setObjectName("depthChart")
        self.setAccessibleName("Depth chart")
        self.setAccessibleDescription("Cumulative size around the mid. Plus and minus change the range, L the scale.")
        self.setMinimumSize(220, 120)
        self._style = NumberFormat()
        self._painter = DepthPainter(theme, self._style, self.devicePixelRatioF())
        self._theme = theme
        self._model = DepthModel()
        self._feed: FeedView | None = None
        self._instruments = InstrumentTracker()
        self._instrument: Instrument | None = None
        self._frame: DepthFrame | None = None
        self._is_log = False
        self._pointer: QtCore.QPointF | None = None
        self._card: tuple[str, ...] = ()
        self._rendered_s = -_REST_S

    # -- what a tab uses

    @property
    def range_percent(self) -> float | None:
        """Percent of the mid shown on each side; None: all that is proven."""
        return self._model.range_percent

    @property
    def is_log(self) -> bool:
        """True for a logarithmic scale of sizes."""
        return self._is_log

    @property
    def frame(self) -> DepthFrame | None:
        """The latest frame."""
        return self._frame

    def set_feed(self, feed: FeedView | None) -> None:
        """Show another feed, or none."""
        self._feed = feed
        self._instruments = InstrumentTracker()
        self._instrument = None
        self._frame = None
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        if theme is not self._theme:
            self._theme = theme
            self._renew_painter()

    def set_number_format(self, style: NumberFormat) -> None:
        """Take another way to write numbers."""
        if style != self._style:
            self._style = style
            self._renew_painter()

    def _renew_painter(self) -> None:
        self._painter = DepthPainter(self._theme, self._style, self.devicePixelRatioF())
        self.refresh()

    def begin_anew(self) -> None:
        """See `Canvas.begin_anew`."""
        range_percent = self._model.range_percent
        self._model = DepthModel()
        self._model.range_percent = range_percent
        self._instrument = None
        self._renew_painter()

    def set_range(self, percent: float | None) -> None:
        """Show `percent` of the mid on each side, or all that is proven (None).

        Raises ValueError unless it is above 0 and at most 100.
        """
        if percent is not None and not 0 < percent <= 100:
            raise ValueError(f"a range is above 0 and at most 100 percent, not {percent}")
        if percent == self._model.range_percent:
            return
        self._model.range_percent = percent
        self.refresh()
        self.range_changed.emit(percent)

    def set_log(self, is_log: bool) -> None:
        """Choose between a logarithmic and a linear scale of sizes."""
        if is_log == self._is_log:
            return
        self._is_log = is_log
        self.refresh()
        self.log_changed.emit(is_log)

    def refresh(self) -> None:
        """Make a new frame now, because of something that the user did."""
        self._rendered_s = -_REST_S
        super().refresh()

    # -- the clock's side

    def frame_key(self, now_s: float) -> object:
        """See `FrameSource.frame_key`."""
        feed = self._feed
        if feed is None:
            return None
        book = feed.book
        if book is None:
            return (feed.state, feed.status.detail)
        return (book.version, book.last_update_id, feed.state, feed.info)

    def render_frame(self, now_s: float) -> float | None:
        """See `FrameSource.render_frame`."""
        if now_s < self._rendered_s + _REST_S:
            return self._rendered_s + _REST_S
        self._rendered_s = now_s
        feed = self._feed
        book = feed.book if feed is not None else None
        self._frame = None
        if feed is not None and book is not None:
            self._instrument = self._instruments.read(feed)
            self._frame = self._model.build(book, stale=not is_live(feed))
        self._measure()
        self.request_paint()
        return None

    def paint_canvas(self, painter: QtGui.QPainter, width: int, height: int) -> None:
        """Draw the latest frame."""
        self._painter.set_ratio(self.devicePixelRatioF())
        size = QtCore.QSize(width, height)
        view = self._view()
        if view is None:
            self._painter.paint_message(painter, size, self._message())
        else:
            self._painter.paint(painter, view, size)
            price = self._pointer_price(view)
            if price is not None:
                self._painter.paint_cursor(painter, view, price, self._card)
            elif self._instrument is not None and not self._instrument.is_described:
                paint_note(painter, self._theme, NOT_DESCRIBED, view.plot.toRect())
        self._painter.paint_header(painter, size, self._words(), self._hovered_word())

    def _view(self) -> DepthView | None:
        if self._frame is None:
            return None
        return DepthView(self._frame, self._painter.plot_rect(self.viewport().size()), self._is_log)

    def _message(self) -> str:
        if self._feed is None:
            return "No symbol"
        book = self._feed.book
        if book is not None:
            one_sided = "One side of the book is empty"
            return one_sided if book.bids or book.asks else empty_text(self._feed, self._clock.now_s())
        return self._feed.status.detail or _WAITING

    # -- pointer, keys, menu

    def _words(self) -> tuple[str, str]:
        return (_range_text(self._model.range_percent), "logarithmic" if self._is_log else "cumulative")

    def _hovered_word(self) -> int | None:
        if self._pointer is None:
            return None
        spots = self._painter.header_spots(self.viewport().size(), self._words())
        return next((number for number, spot in enumerate(spots) if spot.contains(self._pointer)), None)

    def _pointer_price(self, view: DepthView) -> float | None:
        if self._pointer is None or not view.plot.contains(self._pointer):
            return None
        return view.price_at(self._pointer.x())

    def _measure(self) -> None:
        self._card = ()
        if self._pointer is None:
            return
        view, feed = self._view(), self._feed
        if view is None or feed is None or feed.book is None or self._instrument is None:
            return
        price = self._pointer_price(view)
        if price is None:
            return
        impact = impact_to(feed.book, self._instrument, on_tick(price, self._instrument.tick))
        if impact is not None:
            self._card = impact_lines(impact, self._instrument, self._style)

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Measure at the pointer."""
        self._pointer = event.position()
        hovered = self._hovered_word() is not None
        self.viewport().setCursor(
            QtCore.Qt.CursorShape.PointingHandCursor if hovered else QtCore.Qt.CursorShape.ArrowCursor
        )
        self._measure()
        self.request_paint()
        event.accept()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """Forget the pointer."""
        self._pointer = None
        self._card = ()
        self.request_paint()
        super().leaveEvent(event)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Choose a range or a scale from the words in the header."""
        self._pointer = event.position()
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            word = self._hovered_word()
            if word == _RANGE_WORD:
                self._menu().popup(event.globalPosition().toPoint())
            elif word == _SCALE_WORD:
                self.set_log(not self._is_log)
        event.accept()

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """A notch up shows less and larger, a notch down shows more."""
        if event.angleDelta().y():
            self.step_range(-1 if event.angleDelta().y() > 0 else 1)
        event.accept()

    def contextMenuEvent(self, event: QtGui.QContextMenuEvent) -> None:
        """Offer ranges and scales."""
        self._menu().popup(event.globalPos())
        event.accept()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """+ and - change the range, L the scale."""
        key = event.key()
        if key in {QtCore.Qt.Key.Key_Plus, QtCore.Qt.Key.Key_Equal}:
            self.step_range(-1)
        elif key == QtCore.Qt.Key.Key_Minus:
            self.step_range(1)
        elif key == QtCore.Qt.Key.Key_L:
            self.set_log(not self._is_log)
        else:
            event.ignore()
            return
        event.accept()

    def step_range(self, step: int) -> None:
        """Go to the next wider (+1) or narrower (-1) of the usual ranges."""
        now = self._model.range_percent
        at = _CHOICES.index(now) if now in _CHOICES else 1
        self.set_range(_CHOICES[min(max(at + step, 0), len(_CHOICES) - 1)])

    def _menu(self) -> QtWidgets.QMenu:
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QtGui.QActionGroup(menu)
        for percent in _CHOICES:
            action = menu.addAction(_range_text(percent))
            action.setCheckable(True)
            action.setChecked(percent == self._model.range_percent)
            action.triggered.connect(lambda _checked, chosen=percent: self.set_range(chosen))
            group.addAction(action)
        menu.addSeparator()
        scale = menu.addAction("Logarithmic size")
        scale.setCheckable(True)
        scale.setChecked(self._is_log)
        scale.triggered.connect(self.set_log)
        return menu


def _range_text(percent: float | None) -> str:
    return "all proven" if percent is None else f"\u00b1{percent:g} %"
