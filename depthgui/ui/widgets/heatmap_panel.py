"""The heatmap with its header: what span is shown, what a column is, what is drawn, and the way back to now."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.feed_view import FeedView, LastPriceTracker
from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.widgets.heatmap import Heatmap
from depthgui.ui.widgets.heatmap_recorder import HeatmapRecorder
from depthgui.ui.wording import TimeZone, duration_text

_NARROW_PX = 430  # below this the column's length is left out


@guarded
class HeatmapPanel(QtWidgets.QWidget):
    """Header and plot of one feed, and the recorder behind them."""

    def __init__(
        self,
        clock: FrameClock,
        theme: Theme,
        parent: QtWidgets.QWidget | None = None,
        *,
        last_price: LastPriceTracker | None = None,
    ) -> None:
        """Make an empty panel; give it a feed with `set_feed`. `last_price` is shared with the feed's other views."""
        super().__init__(parent)
        self.setObjectName("heatmapPanel")
        self.setAutoFillBackground(True)
        self.panel_guard = PanelGuard(self, "heatmap", self._begin_again)
        self.recorder = HeatmapRecorder(clock, self)
        self.plot = Heatmap(clock, theme, self.recorder, self, last_price=last_price)
        self._title = QtWidgets.QLabel()
        self._title.setObjectName("heatmapTitle")
        self._column = QtWidgets.QLabel()
        self._column.setObjectName("heatmapColumn")
        self._now = QtWidgets.QToolButton()
        self._now.setObjectName("heatmapNow")
        self._now.setText("Now")
        self._now.setToolTip("Back to the newest column (End, or a double click)")
        self._heat = self._box("heatmapHeat", "Heatmap", "Resting sizes as colours")
        self._trades = self._box("heatmapTrades", "Trades", "Trades as circles by size and side")
        self._build()
        self._now.clicked.connect(self.plot.to_now)
        self.plot.view_changed.connect(lambda: self.panel_guard.run(self._show_view))
        self.recorder.failed.connect(self.panel_guard.take)
        self._dress(theme)

    def _box(self, name: str, text: str, tip: str) -> QtWidgets.QCheckBox:
        box = QtWidgets.QCheckBox(text)
        box.setObjectName(name)
        box.setToolTip(tip)
        box.setChecked(True)
        box.toggled.connect(self._on_layers)
        return box

    def _build(self) -> None:
        self._strip = QtWidgets.QWidget()
        self._strip.setObjectName("heatmapStrip")
        self._strip.setAttribute(QtCore.Qt.WidgetAttribute.WA_StyledBackground)
        row = QtWidgets.QHBoxLayout(self._strip)
        row.setContentsMargins(10, 0, 10, 0)
        row.setSpacing(10)
        self._title.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        row.addWidget(self._title, 1)
        for widget in (self._now, self._column, self._heat, self._trades):
            row.addWidget(widget)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._strip)
        column.addWidget(self.plot, 1)
        self.setFocusProxy(self.plot)

    # -- what a page uses

    def set_feed(self, feed: FeedView | None) -> None:
        """Record and show another feed, or none."""
        self.recorder.set_feed(feed)
        self.plot.set_feed(feed)

    def follow_state(self) -> None:
        """Hear that the feed's state has changed."""
        self.recorder.follow_state()

    def _begin_again(self) -> None:
        self.recorder.begin_anew()
        self.plot.begin_anew()
        self._show_view()

    def set_lengths(self, column_ms: int, kept_s: int) -> None:
        """Choose the time of a column, and how much time is kept."""
        if self.recorder.set_lengths(column_ms, kept_s):
            self.plot.follow_history()

    def set_format(self, style: NumberFormat, zone: TimeZone) -> None:
        """Take another way to write numbers and times."""
        self.plot.set_format(style, zone)

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self.plot.set_theme(theme)
        self._dress(theme)

    def _dress(self, theme: Theme) -> None:
        font = theme.typeface.font(12)
        for widget in (self._title, self._column, self._now, self._heat, self._trades):
            widget.setFont(font)
        # As tall as the header of the depth chart below.
        self._strip.setFixedHeight(round(QtGui.QFontMetricsF(theme.typeface.figures(12)).height()) + 13)
        self._show_view()

    def layout_state(self) -> dict[str, str]:
        """Choices made in the panel, to remember."""
        zoom = self.plot.view.chosen_zoom
        return {
            "heat": "1" if self._heat.isChecked() else "0",
            "bubbles": "1" if self._trades.isChecked() else "0",
            "heat_zoom": "" if zoom is None else str(zoom),
        }

    def restore_layout(self, layout: dict[str, str]) -> None:
        """Take over what `layout_state` gave; what makes no sense is left as it is."""
        for box, key in ((self._heat, "heat"), (self._trades, "bubbles")):
            if layout.get(key) in {"0", "1"}:
                box.setChecked(layout[key] == "1")
        zoom = layout.get("heat_zoom", "")
        if zoom.isdecimal():
            self.plot.view.set_zoom(int(zoom))
            self.plot.refresh()

    # -- parts

    def _on_layers(self) -> None:
        self.plot.show_layers(heat=self._heat.isChecked(), trades=self._trades.isChecked())

    def _show_view(self) -> None:
        view = self.plot.view
        until = self.plot.end_text()
        title = f"Liquidity \u00b7 {duration_text(view.span_s)}" + (f" until {until}" if until else "")
        if title != self._title.text():
            self._title.setText(title)
        column_ms = round(self.recorder.column_s * view.merge * 1000)
        self._column.setText(f"1 column = {column_ms} ms" if column_ms < 1000 else f"1 column = {column_ms / 1000:g} s")
        self._column.setVisible(self.width() >= _NARROW_PX)
        self._now.setVisible(not view.is_following or view.is_price_held)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Leave out what has no room."""
        super().resizeEvent(event)
        self._show_view()

    def minimumSizeHint(self) -> QtCore.QSize:
        """Room for the boxes and a little of the plot."""
        return QtCore.QSize(220, self._strip.height() + 90)
