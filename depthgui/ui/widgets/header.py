"""The header strip of a page: figures, the state pill, grouping, centre, stop."""

from __future__ import annotations

import dataclasses

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.icons import themed_icon
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.feed_view import FeedView, LastPriceTracker
from depthgui.ui.viewmodels.header import HeaderModel, HeaderOptions, HeaderView
from depthgui.ui.viewmodels.trading_status import shown_state
from depthgui.ui.widgets.group_button import GroupButton
from depthgui.ui.widgets.stat_strip import StatStrip
from depthgui.ui.widgets.state_pill import StatePill

_REST_S = 0.2  # figures that change more often can't be read; the last price is the ladder's in every frame
_ICONS_ONLY_PX = 1180  # width below which buttons show only their icons
_BRIEF_PX = 1060  # width below which the state is one word
_STARTABLE = frozenset({"stopped", "failed"})


@guarded
class Header(QtWidgets.QFrame):
    """Header of one feed's page. Its parts are `stats`, `pill`, `group`, `centre_button`, `stop_button`."""

    wants_heartbeat = True

    grouping_chosen = QtCore.Signal(int)  # ticks in a row
    centre_clicked = QtCore.Signal()
    run_clicked = QtCore.Signal()  # stop, or start: by the feed's state

    def __init__(
        self,
        clock: FrameClock,
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
        *,
        last_price: LastPriceTracker | None = None,
    ) -> None:
        """Make an empty header; give it a feed with `set_feed`. `last_price` is shared with the feed's other views."""
        super().__init__(parent)
        self.setObjectName("header")
        self.setProperty("role", "strip")
        self.panel_guard = PanelGuard(self, "header", self._begin_again)
        self._clock = clock
        self._last_price = last_price or LastPriceTracker()
        self._last_price.listen(self._on_last_price)
        self._model = HeaderModel(None, self._last_price)
        self._feed: FeedView | None = None
        self._view: HeaderView | None = None
        self._shown_s = -1.0
        self._can_start = False
        self.loop_lag_ms = 0.0
        self.stats = StatStrip(theme)
        self.pill = StatePill(theme)
        self.group = GroupButton()
        self.centre_button = QtWidgets.QPushButton("Centre")
        self.centre_button.setObjectName("centreButton")
        self.stop_button = QtWidgets.QPushButton("Stop")
        self.stop_button.setObjectName("stopButton")
        self._lay_out()
        self.group.grouping_chosen.connect(self.grouping_chosen)
        self.centre_button.clicked.connect(self.centre_clicked)
        self.stop_button.clicked.connect(self.run_clicked)
        self.set_theme(theme)

    def _lay_out(self) -> None:
        for button in (self.centre_button, self.stop_button):
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 14, 0)
        row.setSpacing(10)
        row.addWidget(self.stats, 1)
        for widget in (self.pill, self.group, self.centre_button, self.stop_button):
            row.addWidget(widget, 0, QtCore.Qt.AlignmentFlag.AlignVCenter)

    @property
    def view(self) -> HeaderView | None:
        """What is shown."""
        return self._view

    def set_feed(self, feed: FeedView | None) -> None:
        """Show another feed, or none."""
        self._feed = feed
        self._model = HeaderModel(self._model.options, self._last_price)
        self._shown_s = -1.0
        self.stats.forget_widths()
        self.render_frame(self._clock.now_s())

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self._theme = theme
        self.stats.set_theme(theme)
        self.pill.set_theme(theme)
        self.centre_button.setIcon(themed_icon("centre", theme.palette))
        self._dress_stop_button()

    def set_options(self, options: HeaderOptions) -> None:
        """Take the user's choices."""
        self._model.options = options
        self._shown_s = -1.0
        self.render_frame(self._clock.now_s())

    def set_grouping(self, ticks: int) -> None:
        """Show a grouping that was chosen elsewhere."""
        self.group.set_ticks(ticks)

    def step_grouping(self, direction: int) -> None:
        """Choose the next coarser (1) or finer (-1) grouping."""
        self.group.step(direction)

    # -- the clock's side

    def frame_key(self, now_s: float) -> object:
        """See `FrameSource.frame_key`."""
        feed = self._feed
        if feed is None:
            return None
        version = 0 if feed.book is None else feed.book.version
        status, trading = feed.status, (feed.info, feed.trading_status_since_wall_ms)
        return (version, feed.trade_version, feed.state, status.since_s, status.buffered, trading, int(now_s))

    def is_frame_visible(self) -> bool:
        """See `FrameSource.is_frame_visible`."""
        return self.isVisible() and not self.panel_guard.has_failed and not self.window().isMinimized()

    def take_error(self, error: Exception) -> None:
        """See `FrameSource.take_error`."""
        self.panel_guard.take(error)

    def _begin_again(self) -> None:
        self.set_feed(self._feed)
        self._clock.add(self)

    def render_frame(self, now_s: float) -> float | None:
        """See `FrameSource.render_frame`."""
        feed = self._feed
        if feed is None:
            self._view = None
            self.stats.show_view(None)
            return None
        if 0 <= self._shown_s <= now_s < self._shown_s + _REST_S and self.pill.state == shown_state(feed):
            self._show_last(feed)  # too soon for all the others
            return self._shown_s + _REST_S
        self._shown_s = now_s
        self._view = self._model.build(feed, now_s, self.loop_lag_ms)
        self.stats.show_view(self._view)
        self.pill.show_state(self._view.pill)
        self.group.set_tick(self._model.tick(feed))
        can_start = self._view.pill.state in _STARTABLE
        if can_start != self._can_start:
            self._can_start = can_start
            self._dress_stop_button()
        return None

    def _on_last_price(self) -> None:
        # Another view has found a new last price: one price, one moment.
        if self._feed is not None and self.is_frame_visible():
            self.panel_guard.run(self._show_last, self._feed)

    def _show_last(self, feed: FeedView) -> None:
        last, direction = self._model.last(feed)
        view = self._view  # after that: to read a new price calls this method
        if view is not None and (last, direction) != (view.last, view.direction):
            self._view = dataclasses.replace(view, last=last, direction=direction)
            self.stats.show_last(self._view)

    # -- looks

    def _dress_stop_button(self) -> None:
        icon, word = ("start", "Start") if self._can_start else ("stop", "Stop")
        self.stop_button.setIcon(themed_icon(icon, self._theme.palette))
        for button, text, tip in (
            (self.stop_button, word, f"{word} this symbol"),
            (self.centre_button, "Centre", "Put the spread in the middle (Space)"),
        ):
            button.setText("" if self.width() < _ICONS_ONLY_PX else text)
            button.setToolTip(tip)
            button.setAccessibleName(text)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Say less where there is less room."""
        super().resizeEvent(event)
        self.pill.set_brief(self.width() < _BRIEF_PX)
        self.group.set_brief(self.width() < _BRIEF_PX)
        self._dress_stop_button()

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """Join the clock."""
        super().showEvent(event)
        self._clock.add(self)

    def hideEvent(self, event: QtGui.QHideEvent) -> None:
        """Leave the clock."""
        self._clock.remove(self)
        super().hideEvent(event)
