"""The heatmap's plot: resting sizes over time, from what the recorder has kept, with zoom, pan and a hover card."""

from __future__ import annotations

import math
from decimal import Decimal

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.feed_view import FeedView, LastPriceTracker, is_live
from depthgui.ui.viewmodels.figures import NumberFormat, decimals_of, format_decimal
from depthgui.ui.viewmodels.heatmap_cells import next_cap, sample_cap
from depthgui.ui.viewmodels.heatmap_history import BUY, SELL, Column, HeatmapHistory
from depthgui.ui.viewmodels.heatmap_trades import TradeScale, next_scale, sample_scale
from depthgui.ui.viewmodels.heatmap_view import HeatmapView
from depthgui.ui.viewmodels.instrument import NOT_DESCRIBED, Instrument
from depthgui.ui.viewmodels.trading_status import empty_text
from depthgui.ui.widgets.canvas import Canvas
from depthgui.ui.widgets.heatmap_image import HeatmapImage, Look
from depthgui.ui.widgets.heatmap_painter import HeatmapFrame, HeatmapPainter
from depthgui.ui.widgets.heatmap_recorder import HeatmapRecorder
from depthgui.ui.widgets.note import paint_note
from depthgui.ui.wording import TimeZone, clock_text

_COLLECTING = "Collecting the first columns"
_RESCALE_EVERY = 8  # columns
_MOST_TRADES = 80
_LATE_SLOTS = 2  # so many slots may be missing at the right edge before they are shown as a gap
_PAN_SHARE = 0.1
_PAN_ROWS = 5
_KEY = QtCore.Qt.Key
_OWN_KEYS = frozenset(
    {
        *(_KEY.Key_Left, _KEY.Key_Right, _KEY.Key_Up, _KEY.Key_Down, _KEY.Key_PageUp, _KEY.Key_PageDown),
        *(_KEY.Key_Home, _KEY.Key_End, _KEY.Key_Plus, _KEY.Key_Equal, _KEY.Key_Minus),
    }
)


class Heatmap(Canvas):
    """Liquidity of one feed over time."""

    title = "heatmap"
    wants_heartbeat = True  # time goes on while nothing else does
    view_changed = QtCore.Signal()

    def __init__(
        self,
        clock: FrameClock,
        theme: Theme,
        recorder: HeatmapRecorder,
        parent: QtWidgets.QWidget | None = None,
        *,
        last_price: LastPriceTracker | None = None,
    ) -> None:
        """Make a plot of what `recorder` keeps. `last_price` is shared with the feed's other views."""
        super().__init__(clock, parent)
        self.setObjectName("heatmap")
        self.setAccessibleName("Liquidity heatmap")
        self.setMinimumSize(220, 90)
        self.view = HeatmapView(recorder.column_s, recorder.capacity)
        self._recorder = recorder
        self._theme = theme
        self._style = NumberFormat()
        self._zone = TimeZone.LOCAL
        self._painter = HeatmapPainter(theme, self._style, self.devicePixelRatioF())
        self._image = HeatmapImage(theme)
        self._last_price = last_price or LastPriceTracker()
        self._feed: FeedView | None = None
        self._history: HeatmapHistory | None = None
        self._frame: HeatmapFrame | None = None
        self._with_heat = self._with_trades = True
        self._cap = 0.0
        self._trade_scale = TradeScale()
        self._cap_text = ""
        self._capped_version = -1
        self._capped_for: Instrument | None = None
        self._drawn_until = 0
        self._revision = 0
        self._axis_px, self._axis_price = 0, -1
        self._step = 1.0  # price of a row
        self._decimals = 0  # of a price on the tick
        self._extent = (self.viewport().width(), self.viewport().height())
        self._pointer: QtCore.QPointF | None = None
        self._dragged: QtCore.QPointF | None = None
        recorder.recorded.connect(self._on_recorded)
        self._describe()

    # -- what a panel uses

    @property
    def frame(self) -> HeatmapFrame | None:
        """The latest frame, None while there is nothing to show."""
        return self._frame

    @property
    def with_heat(self) -> bool:
        """True while resting sizes are drawn."""
        return self._with_heat

    @property
    def with_trades(self) -> bool:
        """True while trades are drawn."""
        return self._with_trades

    def show_layers(self, *, heat: bool, trades: bool) -> None:
        """Choose what is drawn besides the best prices."""
        self._with_heat, self._with_trades = heat, trades
        self.refresh()

    def set_feed(self, feed: FeedView | None) -> None:
        """Show another feed, or none; the recorder has been given it."""
        self._feed = feed
        self._forget()
        self.follow_history()

    def begin_anew(self) -> None:
        """See `Canvas.begin_anew`; the history that is kept stays."""
        self._painter = HeatmapPainter(self._theme, self._style, self.devicePixelRatioF())
        self._image = HeatmapImage(self._theme)
        self._forget()
        self.follow_history()

    def follow_history(self) -> None:
        """Follow the newest column of a history that begins; a chosen zoom stays."""
        zoom = self.view.chosen_zoom
        self.view = HeatmapView(self._recorder.column_s, self._recorder.capacity)
        self.view.set_zoom(zoom)
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self._theme = theme
        self._painter = HeatmapPainter(theme, self._style, self.devicePixelRatioF())
        self._image.set_theme(theme)
        self._axis_px, self._axis_price = 0, -1
        self.refresh()

    def set_format(self, style: NumberFormat, zone: TimeZone) -> None:
        """Take another way to write numbers and times."""
        if (style, zone) != (self._style, self._zone):
            self._style, self._zone = style, zone
            self._painter = HeatmapPainter(self._theme, style, self.devicePixelRatioF())
            self.refresh()

    def to_now(self) -> None:
        """Go back to the newest column and the present price."""
        self.view.to_now()
        self.refresh()

    def refresh(self) -> None:
        """Make a new frame now, because of something that the user did."""
        self._revision += 1
        if self.is_frame_visible():
            super().refresh()
        self.view_changed.emit()

    # -- the clock's side

    def frame_key(self, now_s: float) -> object:
        """See `FrameSource.frame_key`."""
        history, feed = self._recorder.history, self._feed
        if history is None or feed is None:
            return None if feed is None else (feed.state, feed.status.detail)
        is_running = self._recorder.is_running
        return (history.version, self._revision, feed.state, feed.info, None if is_running else int(now_s))

    def render_frame(self, now_s: float) -> None:
        """See `FrameSource.render_frame`."""
        self._frame = self._build()
        self.request_paint()

    def on_resized(self, size: QtCore.QSize) -> None:
        """Fill the new size."""
        self._extent = (size.width(), size.height())
        self.refresh()

    def paint_canvas(self, painter: QtGui.QPainter, width: int, height: int) -> None:
        """Draw the latest frame."""
        size = QtCore.QSize(width, height)
        ratio = self.devicePixelRatioF()
        self._painter.set_ratio(ratio)
        if self._frame is not None and self.view.height != int(height * ratio):
            self._frame = self._build()  # another screen
        if self._frame is None:
            self._painter.paint_message(painter, size, self._message())
            return
        self._painter.paint(painter, self._frame, self.view, self._image, size)
        if self._pointer is not None and self._dragged is None and self._plot().contains(self._pointer):
            self._painter.paint_cursor(painter, self._pointer, self._plot(), self.card_lines(self._pointer))
        elif self._capped_for is not None and not self._capped_for.is_described:
            paint_note(painter, self._theme, NOT_DESCRIBED, self._plot().toRect())

    def _on_recorded(self) -> None:
        if self.isVisible():
            self._clock.wake()

    def _message(self) -> str:
        if self._feed is None:
            return "No symbol"
        book = self._feed.book
        if book is None:
            return self._feed.status.detail or _COLLECTING
        return _COLLECTING if book.bids or book.asks else empty_text(self._feed, self._clock.now_s(), self._zone)

    # -- frames

    def _forget(self) -> None:
        self._history = None
        self._image.forget()
        self._cap = 0.0
        self._trade_scale = TradeScale()
        self._capped_version = -1
        self._drawn_until = 0
        self._axis_px, self._axis_price = 0, -1

    def newest_slot(self) -> int:
        """The slot at the right edge while the view follows: the last column, unless it is long ago."""
        now, history = self._recorder.slot_now(), self._recorder.history
        if history is None or history.last_slot is None:
            return now
        is_fresh = self._recorder.is_running and now - history.last_slot <= _LATE_SLOTS
        return history.last_slot if is_fresh else max(now, history.last_slot)

    def _build(self) -> HeatmapFrame | None:
        history, feed = self._recorder.history, self._feed
        if history is not self._history:
            self._forget()
            self._history = history
            if history is not None:
                self._step, self._decimals = float(history.grid.step), decimals_of(history.grid.tick)
        if history is None or feed is None or history.last_slot is None:
            return None
        bid, ask = history.best_at(history.last_slot)
        instrument = self._recorder.instrument
        if instrument is None:
            return None
        view, ratio = self.view, self.devicePixelRatioF()
        step, decimals = self._step, self._decimals
        mid = _mid(bid, ask)
        if int(mid) != self._axis_price:  # few prices have more digits than the one before
            self._axis_price = int(mid)
            self._axis_px = max(self._axis_px, self._painter.axis_px(self._painter.price_text(mid, decimals)))
        before = (view.width, view.zoom)
        width, height = self._extent
        view.resize(int(max(1, width - self._axis_px) * ratio), int(height * ratio))
        view.keep(history.last_slot - (history.oldest_slot or 0) + 1)
        if (view.width, view.zoom) != before:
            self.view_changed.emit()
        if view.is_following:
            view.follow(mid / step)
        newest = self.newest_slot()
        window = view.window(newest)
        self._rescale(history, instrument, newest)
        look = Look(
            *(view.width, view.height, view.row_px, view.group_px, view.merge, view.top_row),
            ratio,
            self._cap,
            self._with_heat,
            self._trade_scale if self._with_trades else None,
        )
        self._image.show(history, window, look, newest, self._drawn_until)
        self._drawn_until = history.last_slot + 1
        price = self._last_price.read(feed)
        stale = not is_live(feed)
        shown = mid if price is None else float(price.text)
        return HeatmapFrame(
            window=window,
            newest_slot=newest,
            step=step,
            decimals=decimals,
            stale=stale,
            last=shown,
            last_text=self._painter.price_text(shown, decimals),
            direction=0 if price is None or stale else price.direction,
            cap_text=self._cap_text if self._with_heat else "",
        )

    def _rescale(self, history: HeatmapHistory, instrument: Instrument, newest: int) -> None:
        is_fresh = self._capped_version >= 0 and history.version - self._capped_version < _RESCALE_EVERY
        if is_fresh and instrument is self._capped_for:
            return
        self._capped_version, self._capped_for = history.version, instrument
        window = self.view.window(newest)
        self._cap = next_cap(self._cap, sample_cap(history, window))
        self._trade_scale = next_scale(self._trade_scale, sample_scale(history, window, _MOST_TRADES))
        text = self._painter.size_text(self._cap / 10.0**history.decimals)
        self._cap_text = f"{text} {instrument.size_unit}".rstrip()

    def _plot(self) -> QtCore.QRectF:
        ratio = self.devicePixelRatioF()
        return QtCore.QRectF(0, 0, self.view.width / ratio, self.view.height / ratio)

    # -- what is under the pointer

    def card_lines(self, at: QtCore.QPointF) -> tuple[str, ...]:
        """Time, price, and what rested there, for a place in the plot."""
        history, frame = self._history, self._frame
        if history is None or frame is None:
            return ()
        ratio = self.devicePixelRatioF()
        window = frame.window
        group = self.view.group_at(at.x() * ratio, window)
        row = self.view.row_at(at.y() * ratio)
        slots = range(group * window.merge, min((group + 1) * window.merge, frame.newest_slot + 1))
        columns = [history.column(slot) for slot in slots]
        if not columns:
            return ()
        time_text = self._time(slots[0])
        price = format_decimal(history.grid.price_of(row), self._style, self._decimals)
        return (f"{time_text} \u00b7 {price}", *self._cell_lines(slots[0], columns, row))

    def _cell_lines(self, first_slot: int, columns: list[Column | None], row: int) -> tuple[str, ...]:
        instrument = self._recorder.instrument
        there = [column for column in columns if column is not None]
        oldest = None if self._history is None else self._history.oldest_slot
        if instrument is None or oldest is None or first_slot < oldest:
            return ("Before what is kept",)
        if len(there) < len(columns):
            return ("Gap: no book in step was recorded here",)
        sizes = [column.size_at(row) for column in there]
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return ("Not known: outside what the snapshot proved or was recorded",)
        column = there[known.index(max(known))]
        word = "Bid" if row * self._step < _mid(column.bid, column.ask) else "Ask"
        unit = instrument.size_unit
        lines = [f"{word} {self._size(max(known), instrument.size_decimals)} {unit}".rstrip()]
        bid, ask = (_price_text(price, self._style, instrument.price_decimals) for price in (column.bid, column.ask))
        lines.append(f"Best {bid} / {ask}")
        bought = math.fsum(column.traded[BUY] for column in there)
        sold = math.fsum(column.traded[SELL] for column in there)
        if bought or sold:
            lines.append(f"Bought {bought:.{instrument.size_decimals}f}, sold {sold:.{instrument.size_decimals}f}")
        return tuple(lines)

    def _size(self, size: Decimal, decimals: int) -> str:
        return format_decimal(size, self._style, max(decimals, decimals_of(size)))

    def _time(self, slot: int) -> str:
        wall_ms = self._recorder.wall_ms(slot)
        text = clock_text(wall_ms, self._zone)
        return text if self._recorder.column_s >= 1 else f"{text.removesuffix('Z')}.{wall_ms % 1000 // 10:02d}"

    def end_text(self) -> str:
        """Time of day at the right edge; "" while the view follows."""
        return "" if self.view.end_slot is None else clock_text(self._recorder.wall_ms(self.view.end_slot), self._zone)

    def _describe(self) -> None:
        column = None
        if self._history is not None and self._history.last_slot is not None:
            slot = self._history.last_slot if self.view.end_slot is None else self.view.end_slot
            column = self._history.column(slot)
        keys = "Arrows pan, plus and minus change the time shown, Home goes to the oldest column, End to now."
        if column is None:
            self.setAccessibleDescription(f"Resting size by price and time. {keys}")
            return
        instrument = self._recorder.instrument
        decimals = 2 if instrument is None else instrument.price_decimals
        bid, ask = (_price_text(price, self._style, decimals) for price in (column.bid, column.ask))
        when = self._time(column.slot)
        self.setAccessibleDescription(f"Best bid {bid}, best ask {ask} at {when}. {keys}")

    # -- pointer, wheel, keys, menu

    def contextMenuEvent(self, event: QtGui.QContextMenuEvent) -> None:
        """Offer what wheel and keys do."""
        self.make_menu().popup(event.globalPos())
        event.accept()

    def make_menu(self) -> QtWidgets.QMenu:
        """The menu of moves; deletes itself when closed."""
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, do in (
            ("Back to now", self.to_now),
            ("Oldest column", self.to_oldest),
            ("", None),
            ("Show less time", lambda: self._zoom(1, 0.5)),
            ("Show more time", lambda: self._zoom(-1, 0.5)),
            ("Higher rows", lambda: self._zoom_price(1)),
            ("Lower rows", lambda: self._zoom_price(-1)),
        ):
            if do is None:
                menu.addSeparator()
            else:
                menu.addAction(text).triggered.connect(do)
        return menu

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Drag the plot, or read off it."""
        at = event.position()
        if self._dragged is not None and event.buttons() & QtCore.Qt.MouseButton.LeftButton:
            self._drag(at - self._dragged)
        else:
            self._dragged = None
        self._pointer = at
        self.request_paint()
        event.accept()

    def _drag(self, by: QtCore.QPointF) -> None:
        ratio, view = self.devicePixelRatioF(), self.view
        groups = int(by.x() * ratio / view.group_px)
        rows = int(by.y() * ratio / view.row_px)
        if self._dragged is None or not (groups or rows):
            return
        moved = QtCore.QPointF(groups * view.group_px / ratio, rows * view.row_px / ratio)
        self._dragged = self._dragged + moved
        if rows:
            view.scroll_rows(rows)
        self._pan(-groups * view.merge)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Begin to drag."""
        if event.button() is QtCore.Qt.MouseButton.LeftButton and self._plot().contains(event.position()):
            self._dragged = event.position()
            self.viewport().setCursor(QtCore.Qt.CursorShape.ClosedHandCursor)
        event.accept()

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """End the drag."""
        self._dragged = None
        self.viewport().unsetCursor()
        self._describe()
        event.accept()

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """Go back to now."""
        self._dragged = None
        self.to_now()
        event.accept()

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """Forget the pointer."""
        self._pointer = None
        self.request_paint()
        super().leaveEvent(event)

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """A notch shows less or more time; with Ctrl fewer or more prices; sideways or with Shift it pans."""
        turn = event.angleDelta()
        modifiers = event.modifiers()
        if turn.x() or modifiers & QtCore.Qt.KeyboardModifier.ShiftModifier:
            self._pan_share(-_PAN_SHARE if (turn.x() or turn.y()) > 0 else _PAN_SHARE)
        elif turn.y() and modifiers & QtCore.Qt.KeyboardModifier.ControlModifier:
            self._zoom_price(1 if turn.y() > 0 else -1)
        elif turn.y():
            self._zoom(1 if turn.y() > 0 else -1, event.position().x() / max(1.0, self._plot().width()))
        event.accept()

    def event(self, event: QtCore.QEvent) -> bool:
        """Keep the keys that the window would take for the ladder."""
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and isinstance(event, QtGui.QKeyEvent):
            has_control = event.modifiers() & QtCore.Qt.KeyboardModifier.ControlModifier
            if event.key() in _OWN_KEYS and not has_control:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Arrows pan, Page Up and Down by a screenful, Home and End to the oldest and to now, + and - zoom."""
        key = event.key()
        is_price = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ShiftModifier)
        if key in {_KEY.Key_Left, _KEY.Key_Right}:
            self._pan_share(_PAN_SHARE if key == _KEY.Key_Right else -_PAN_SHARE)
        elif key in {_KEY.Key_PageUp, _KEY.Key_PageDown}:
            self._pan_share(1.0 if key == _KEY.Key_PageDown else -1.0)
        elif key in {_KEY.Key_Up, _KEY.Key_Down} and is_price:
            self._zoom_price(1 if key == _KEY.Key_Up else -1)
        elif key in {_KEY.Key_Up, _KEY.Key_Down}:
            self.view.scroll_rows(_PAN_ROWS if key == _KEY.Key_Up else -_PAN_ROWS)
            self.refresh()
        elif key == _KEY.Key_Home:
            self.to_oldest()
        elif key == _KEY.Key_End:
            self.to_now()
        elif key in {_KEY.Key_Plus, _KEY.Key_Equal, _KEY.Key_Minus}:
            self._zoom(-1 if key == _KEY.Key_Minus else 1, 0.5)
        else:
            event.ignore()
            return
        self._describe()
        event.accept()

    def to_oldest(self) -> None:
        """Show the oldest column that is kept."""
        oldest = None if self._history is None else self._history.oldest_slot
        if oldest is not None:
            self.view.to_oldest(oldest, self.newest_slot())
            self.refresh()

    def _pan_share(self, share: float) -> None:
        self._pan(round(share * self.view.groups) * self.view.merge)

    def _pan(self, slots: int) -> None:
        oldest = None if self._history is None else self._history.oldest_slot
        if oldest is not None:
            self.view.pan(slots, oldest, self.newest_slot())
            self.refresh()

    def _zoom(self, step: int, anchor: float) -> None:
        self.view.zoom_time(step, min(max(anchor, 0.0), 1.0), self.newest_slot())
        self.refresh()

    def _zoom_price(self, step: int) -> None:
        self.view.zoom_price(step)
        self.refresh()


def _mid(bid: float, ask: float) -> float:
    if math.isnan(bid) or math.isnan(ask):
        return ask if math.isnan(bid) else bid
    return (bid + ask) / 2


def _price_text(price: float, style: NumberFormat, decimals: int) -> str:
    return "none" if math.isnan(price) else format_decimal(Decimal(repr(price)), style, decimals)
