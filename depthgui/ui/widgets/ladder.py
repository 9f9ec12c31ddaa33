"""The ladder widget: shows a feed's book as rows of prices, and lets the user scroll, measure, mark and copy.

The work is elsewhere: `viewmodels.ladder` shapes the frame, `ladder_painter` paints it. This is input and wiring.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.book.order_book import OrderBook
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.feed_view import FeedView, InstrumentTracker, LastPriceTracker, is_live
from depthgui.ui.viewmodels.figures import format_decimal, plain
from depthgui.ui.viewmodels.grouping import suggested_ticks
from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder import LadderModel
from depthgui.ui.viewmodels.ladder_frame import (
    BID_SIDE,
    FADE_STEP_S,
    FLASH_S,
    NOTHING_PAINTED,
    UNCOVERED,
    LadderFrame,
    LadderRow,
    Painted,
)
from depthgui.ui.viewmodels.ladder_options import Column, LadderOptions, SizeUnit
from depthgui.ui.viewmodels.ladder_ruler import measure, ruler_lines
from depthgui.ui.viewmodels.trading_status import empty_text
from depthgui.ui.viewmodels.volume import VolumeProfile
from depthgui.ui.widgets.canvas import Canvas
from depthgui.ui.widgets.ladder_menu import ladder_menu, with_column_moved
from depthgui.ui.widgets.ladder_overlay import NO_OVERLAY, LadderOverlay
from depthgui.ui.widgets.ladder_painter import LadderPainter

_WHEEL_NOTCH = 120
_ROWS_A_NOTCH = 3
_LONG_SIZE = 12  # letters; one that has no room in its column is shown in a shorter form
_WAITING = "Waiting for the first snapshot"
_Key = QtCore.Qt.Key


class Ladder(Canvas):
    """Price ladder of one feed. `painted` is what the last paint drew, in exact numbers."""

    grouping_stepped = QtCore.Signal(int)  # +1 for coarser, -1 for finer rows
    grouping_changed = QtCore.Signal(int)  # ticks in a row
    lock_changed = QtCore.Signal(bool)  # True: scrolled by hand, no longer centring by itself
    options_changed = QtCore.Signal(object)  # LadderOptions, chosen in the ladder's own menu or by dragging a column
    title = "price ladder"

    price_marked = QtCore.Signal(object, bool)  # Decimal price; True: marked, False: mark taken away

    def __init__(
        self,
        clock: FrameClock,
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
        *,
        last_price: LastPriceTracker | None = None,
    ) -> None:
        """Make an empty ladder; give it a feed with `set_feed`. `last_price` is shared with the feed's other views."""
        super().__init__(clock, parent)
        self.setObjectName("ladder")
        self.setAccessibleName("Price ladder")
        self.setMinimumSize(300, 160)
        self._feed: FeedView | None = None
        self._model: LadderModel | None = None
        self._options = LadderOptions()
        self._grouping = 1
        self._is_grouping_chosen = False
        self._suggested_for: Decimal | None = None  # the tick that the grouping was suggested for
        self._instruments = InstrumentTracker()
        self._volumes: VolumeProfile | None = None
        self._dragged: Column | None = None
        self._theme = theme
        self._painter = LadderPainter(theme, self.devicePixelRatioF())
        self._last_price = last_price or LastPriceTracker()
        self._last_price.listen(self._on_last_price)
        self._is_rendering = False
        self._frame: LadderFrame | None = None
        self._painted_frame: LadderFrame | None = None
        self._painted_now_s = 0.0
        self._rendered_key: object = None
        self._overlay = NO_OVERLAY
        self._marks: set[Decimal] = set()
        self._pointer: QtCore.QPoint | None = None
        self._press_index: int | None = None
        self._is_dragging = False
        self._wheel_px = 0.0

    # -- what a tab uses

    @property
    def painted(self) -> Painted:
        """What the last paint drew: update id, stale, step, and rows of (price, bid size, ask size)."""
        return NOTHING_PAINTED if self._painted_frame is None else self._painted_frame.painted

    @property
    def grouping(self) -> int:
        """Ticks in a row."""
        return self._grouping

    @property
    def step(self) -> Decimal | None:
        """Price step of a row; None before there is a book."""
        return None if self._model is None else self._model.step

    @property
    def is_locked(self) -> bool:
        """True after scrolling by hand, until `centre`."""
        return self._model is not None and self._model.grid.is_locked

    @property
    def marks(self) -> frozenset[Decimal]:
        """Marked prices."""
        return frozenset(self._marks)

    @property
    def options(self) -> LadderOptions:
        """The user's choices."""
        return self._options

    def set_feed(self, feed: FeedView | None) -> None:
        """Show another feed, or none."""
        self._feed = feed
        self._instruments = InstrumentTracker()
        self._volumes = None
        self._model = None
        self._frame = None
        self._overlay = NO_OVERLAY
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        if theme is not self._theme:
            self._theme = theme
            self._renew_painter()
            self.on_resized(self.viewport().size())
            self.refresh()

    def _renew_painter(self) -> None:
        self._painter = LadderPainter(self._theme, self.devicePixelRatioF())
        self._painter.set_columns(self._options.columns)

    def begin_anew(self) -> None:
        """See `Canvas.begin_anew`."""
        self._renew_painter()
        self.set_feed(self._feed)

    def set_options(self, options: LadderOptions) -> None:
        """Take the user's choices: large orders, flashes, columns, number format and units."""
        self._options = options
        self._painter.set_columns(options.columns)
        if self._model is not None:
            self._model.set_options(options)
        self.refresh()

    def set_grouping(self, ticks: int) -> None:
        """Put `ticks` ticks in a row; until then the ladder chooses by the book. Raises ValueError below 1."""
        if ticks < 1:
            raise ValueError(f"a row holds at least one tick, not {ticks}")
        self._is_grouping_chosen = True
        if ticks == self._grouping:
            return
        self._grouping = ticks
        self._overlay = NO_OVERLAY
        if self._model is not None:
            self._model.set_grouping(ticks)
        self.refresh()
        self.grouping_changed.emit(ticks)

    def centre(self) -> None:
        """Put the spread in the middle and follow it again."""
        if self._model is None:
            return
        was_locked = self.is_locked
        self._model.grid.centre()
        self.refresh()
        if was_locked:
            self.lock_changed.emit(False)

    def scroll_rows(self, rows: float) -> None:
        """Scroll towards higher (positive) or lower prices; locks the view."""
        if self._model is None:
            return
        was_locked = self.is_locked
        self._model.grid.scroll(rows * self._painter.metrics.row_px)
        self.refresh()
        if not was_locked:
            self.lock_changed.emit(True)

    def copy_text(self) -> str:
        """Selected rows, else all on screen, as tab-separated exact text with a heading."""
        chosen = self._overlay.selected
        lines = ["Bid\tPrice\tAsk"]
        for row, (price, bid, ask) in zip(self._rows(), self.painted.rows, strict=False):
            if not chosen or row.index in chosen:
                sizes = ("" if size is None else f"{plain(size):f}" for size in (bid, ask))
                lines.append(f"\t{price:f}\t".join(sizes))
        return "\n".join(lines)

    # -- the clock's side

    def frame_key(self, now_s: float) -> object:
        """See `FrameSource.frame_key`."""
        feed = self._feed
        if feed is None:
            return None
        book = feed.book
        if book is None:
            return (feed.state, feed.status.detail)
        trading = (feed.info, feed.trading_status_since_wall_ms)
        return (book.version, book.last_update_id, feed.state, feed.trade_version, trading)

    def render_frame(self, now_s: float) -> float | None:
        """See `FrameSource.render_frame`."""
        key = self.frame_key(now_s)
        if key == self._rendered_key and self._frame is not None:
            return self._fade(self._frame, now_s)
        self._rendered_key = key
        feed = self._feed
        book = feed.book if feed is not None else None
        if feed is None or book is None:
            self._frame = None
            self.request_paint()
            return None
        instrument, model = self._instruments.read(feed), self._model
        if model is None or model.instrument is not instrument:
            model = self._make_model(instrument)
        if not self._is_grouping_chosen and self._suggested_for != instrument.tick and is_live(feed):
            self._suggest_grouping(book, model)
        model.volumes = self._read_volumes(feed, model)
        self._is_rendering = True
        try:
            last = self._last_price.read(feed)
        finally:
            self._is_rendering = False
        self._frame = model.build(book, stale=not is_live(feed), now_s=now_s, last=last)
        if not (book.bids or book.asks):
            self._frame = msgspec.structs.replace(self._frame, note=empty_text(feed, now_s))
        self._painted_now_s = now_s
        if self._pointer is not None:
            self._measure(self._pointer)
        self.request_paint()
        return now_s + FADE_STEP_S if self._frame.flashes and not self._frame.stale else None

    def _on_last_price(self) -> None:
        # Another view has found a new last price: one price, one moment.
        if not self._is_rendering and self._frame is not None and self.is_frame_visible():
            self.panel_guard.run(self.render_frame, self._clock.now_s())

    def _fade(self, frame: LadderFrame, now_s: float) -> float | None:
        # Nothing new but time: the same frame again, with its flashes weaker.
        is_flashing = not frame.stale and any(now_s - moment_s < FLASH_S for moment_s, _ in frame.flashes.values())
        if not is_flashing or now_s >= self._painted_now_s + FADE_STEP_S:
            self._painted_now_s = now_s
            self.request_paint()
        return self._painted_now_s + FADE_STEP_S if is_flashing else None

    def refresh(self) -> None:
        """Make a new frame now, because of something that the user did."""
        self._rendered_key = None
        super().refresh()

    def paint_canvas(self, painter: QtGui.QPainter, width: int, height: int) -> None:
        """Draw the latest frame."""
        self._painter.set_ratio(self.devicePixelRatioF())
        frame = self._frame
        if frame is None:
            self._painter.paint_message(painter, width, height, self._message())
        else:
            self._painter.paint(painter, frame, QtCore.QSize(width, height), self._overlay, self._painted_now_s)
        self._painted_frame = frame

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        """Keep no picture of what nobody sees."""
        super().hideEvent(event)
        self._painter.forget_picture()

    def _make_model(self, instrument: Instrument) -> LadderModel:
        self._volumes = None  # counted in the old model's scale
        before, self._model = self._model, LadderModel(instrument, self._options)
        if before is not None:
            self._keep_step(before.instrument, instrument)
        self._model.set_grouping(self._grouping)
        if before is not None and before.step == self._model.step:
            self._model.grid = before.grid  # the same rows, at the same place
        else:
            self._overlay = NO_OVERLAY
        metrics = self._painter.metrics
        room_px = self.viewport().height() - metrics.header_px
        self._model.grid.resize(room_px, metrics.row_px, metrics.band_px)
        return self._model

    def _keep_step(self, before: Instrument, now: Instrument) -> None:
        # The venue has changed the tick: rows that the user chose stay as high as they are. Where the tick was only
        # read off a book, the ticks in a row were chosen or remembered for the tick that is known now.
        step = before.tick * self._grouping
        if self._is_grouping_chosen and before.is_described and before.tick != now.tick and not step % now.tick:
            self._grouping = int(step / now.tick)
            self.grouping_changed.emit(self._grouping)

    def _suggest_grouping(self, book: OrderBook, model: LadderModel) -> None:
        self._suggested_for = model.instrument.tick
        ticks = suggested_ticks(book, model.instrument.tick)
        if ticks != self._grouping:
            self._grouping = ticks
            model.set_grouping(ticks)
            self.grouping_changed.emit(ticks)

    def _read_volumes(self, feed: FeedView, model: LadderModel) -> VolumeProfile | None:
        if Column.VOLUME not in self._options.columns:
            return None
        if self._volumes is None:
            self._volumes = VolumeProfile()
        self._volumes.read(feed, model.size_scale)
        return self._volumes

    def _message(self) -> str:
        if self._feed is None:
            return "No symbol"
        return self._feed.status.detail or _WAITING

    def on_resized(self, size: QtCore.QSize) -> None:
        """Fit the grid to the new height."""
        metrics = self._painter.metrics
        if self._model is not None:
            self._model.grid.resize(size.height() - metrics.header_px, metrics.row_px, metrics.band_px)
            self.refresh()

    # -- pointer and keys

    def _rows(self) -> tuple[LadderRow, ...]:
        return () if self._painted_frame is None else self._painted_frame.rows

    def _row_at(self, position: QtCore.QPoint) -> LadderRow | None:
        y = position.y() - self._painter.metrics.header_px
        if y < 0:
            return None
        row_px = self._painter.metrics.row_px
        return next((row for row in self._rows() if row.y <= y < row.y + row_px), None)

    def _price_of(self, index: int) -> Decimal:
        return index * (self.step or Decimal(0))

    def _measure(self, position: QtCore.QPoint) -> None:
        row = self._row_at(position)
        lines: tuple[str, ...] = ()
        feed, model = self._feed, self._model
        if row is not None and feed is not None and feed.book is not None and model is not None:
            ruler = measure(feed.book, model.instrument, self._price_of(row.index))
            lines = () if ruler is None else ruler_lines(ruler, model.instrument, self._options.number_format)
        self._set_overlay(hovered=None if row is None else row.index, ruler=lines)

    def _set_overlay(self, *, hovered: int | None, ruler: tuple[str, ...] = (), selected: range | None = None) -> None:
        step = self.step
        marked = frozenset(int(price // step) for price in self._marks) if step else frozenset()
        chosen = self._overlay.selected if selected is None else selected
        self._overlay = LadderOverlay(hovered, chosen, marked, ruler)
        self.request_paint()

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Measure the row under the pointer; select rows while the button is down."""
        self._pointer = event.position().toPoint()
        self._measure(self._pointer)
        hovered = self._overlay.hovered
        if self._press_index is not None and hovered is not None and hovered != self._press_index:
            self._is_dragging = True
        if self._is_dragging and self._press_index is not None and hovered is not None:
            low, high = sorted((self._press_index, hovered))
            self._set_overlay(hovered=hovered, ruler=self._overlay.ruler, selected=range(low, high + 1))
        event.accept()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Begin a click or a selection."""
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            self._dragged = self._column_title_at(event.position().toPoint())
            row = self._row_at(event.position().toPoint())
            self._press_index = None if row is None else row.index
            self._is_dragging = False
            self._set_overlay(hovered=self._overlay.hovered, ruler=self._overlay.ruler, selected=range(0))
        event.accept()

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """A click marks the price, or takes the mark away."""
        if event.button() is QtCore.Qt.MouseButton.LeftButton:
            if self._press_index is not None and not self._is_dragging:
                self.toggle_mark(self._price_of(self._press_index))
            self._press_index = None
            self._is_dragging = False
            self._drop_column(event.position().toPoint())
        event.accept()

    def _column_title_at(self, position: QtCore.QPoint) -> Column | None:
        if position.y() >= self._painter.metrics.header_px:
            return None
        spans = self._painter.spans(self.viewport().width())
        return next((column for column, (left, right) in spans.items() if left <= position.x() < right), None)

    def _drop_column(self, position: QtCore.QPoint) -> None:
        column, self._dragged = self._dragged, None
        target = self._column_title_at(position)
        if column is not None and target is not None and target is not column:
            self._choose(with_column_moved(self._options, column, self._options.columns.index(target)))

    def _choose(self, options: LadderOptions) -> None:
        self.set_options(options)
        self.options_changed.emit(options)

    def make_menu(self) -> QtWidgets.QMenu:
        """The menu of columns and units; deletes itself when closed."""
        instrument = self._model.instrument if self._model is not None else None
        return ladder_menu(self, self._options, instrument, self._choose)

    def contextMenuEvent(self, event: QtGui.QContextMenuEvent) -> None:
        """Offer columns and units."""
        self.make_menu().popup(event.globalPos())
        event.accept()

    def toggle_mark(self, price: Decimal) -> None:
        """Mark a price, or take its mark away."""
        is_new = price not in self._marks
        self._marks ^= {price}
        self._set_overlay(hovered=self._overlay.hovered, ruler=self._overlay.ruler)
        self.price_marked.emit(price, is_new)

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """Forget the pointer."""
        self._pointer = None
        self._set_overlay(hovered=None)
        super().leaveEvent(event)

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """Scroll by rows with a wheel, by pixels with a touch pad."""
        pixels = float(event.pixelDelta().y())
        if not pixels:
            pixels = event.angleDelta().y() / _WHEEL_NOTCH * _ROWS_A_NOTCH * self._painter.metrics.row_px
        if pixels:
            self.scroll_rows(pixels / self._painter.metrics.row_px)
        event.accept()

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Space, arrows, page keys, + and -, copy, Escape; everything else goes on to the window."""
        page = self._model.grid.visible_rows - 1 if self._model is not None else 1
        key = _Key(event.key())
        scrolls = {_Key.Key_Up: 1, _Key.Key_Down: -1, _Key.Key_PageUp: page, _Key.Key_PageDown: -page}
        if event.matches(QtGui.QKeySequence.StandardKey.Copy):
            QtGui.QGuiApplication.clipboard().setText(self.copy_text())
        elif key in scrolls:
            self.scroll_rows(scrolls[key])
        elif key in {_Key.Key_Space, _Key.Key_Home}:
            self.centre()
        elif key in {_Key.Key_Plus, _Key.Key_Equal}:
            self.grouping_stepped.emit(1)
        elif key is _Key.Key_Minus:
            self.grouping_stepped.emit(-1)
        elif key is _Key.Key_Escape and self._overlay.selected:
            self._set_overlay(hovered=self._overlay.hovered, ruler=self._overlay.ruler, selected=range(0))
        else:
            event.ignore()
            return
        event.accept()

    def viewportEvent(self, event: QtCore.QEvent) -> bool:
        """Say why a hatched row is hatched."""
        if event.type() == QtCore.QEvent.Type.ToolTip and isinstance(event, QtGui.QHelpEvent):
            text = self.tip_at(event.pos())
            if text:
                QtWidgets.QToolTip.showText(event.globalPos(), text, self)
            else:
                QtWidgets.QToolTip.hideText()
            return True
        return bool(super().viewportEvent(event))

    def tip_at(self, position: QtCore.QPoint) -> str:
        """Tool tip for a place in the ladder, empty where there is nothing to explain."""
        row = self._row_at(position)
        feed = self._feed
        if row is None or feed is None or feed.book is None:
            return ""
        if not row.flags & UNCOVERED:
            return self._exact_tip(row)
        is_bid = bool(row.flags & BID_SIDE)
        if feed.book.coverage.is_empty:
            return "Not proven: the recording has no snapshot.\nOnly levels that were seen are known."
        edge = feed.book.coverage.low if is_bid else feed.book.coverage.high
        shown = "" if edge is None else format_decimal(plain(edge), self._options.number_format)
        return (
            f"Not proven {'below' if is_bid else 'above'} {shown}.\n"
            "The exchange's snapshot ended there. Beyond it, only levels that changed since are known,\n"
            "so sizes and sums here may be too small."
        )

    def _exact_tip(self, row: LadderRow) -> str:
        # Where the columns show something rounded, the exact size is one pointer's rest away.
        units = row.ask_units if row.bid_units is None else row.bid_units
        is_exact = self._options.size_unit is SizeUnit.NATIVE and not self._options.short_numbers
        if units is None or self._model is None:
            return ""
        text = self._model.exact_size(units)
        return text if not is_exact or len(text) > _LONG_SIZE else ""

    def focusInEvent(self, event: QtGui.QFocusEvent) -> None:
        """Describe the book for a screen reader when it is reached."""
        frame = self._frame
        if frame is not None and frame.mid is not None:
            state = "stale" if frame.stale else "live"
            self.setAccessibleDescription(f"{frame.symbol}, {state}, mid {frame.mid}, spread {frame.spread}")
        super().focusInEvent(event)
