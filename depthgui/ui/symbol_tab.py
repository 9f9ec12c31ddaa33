"""One symbol's page: header, stale banner, ladder, heatmap, chart and tape; wires a feed to what shows it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtWidgets

from depthgui.ui.banner import StaleBanner
from depthgui.ui.dialogs.connection_text import banner_text, bearing
from depthgui.ui.engine import ConnectionPhase, ConnectionStatus, Feed, FeedState, Market, SymbolRef
from depthgui.ui.failed_panel import FailedPanel
from depthgui.ui.theme import Theme
from depthgui.ui.wording import TimeZone

if TYPE_CHECKING:
    from depthgui.ui.panels import Panels

PANEL_NAMES = ("heatmap", "chart", "tape")
"""The panels that can be put away; the ladder always stays."""

_WIDTHS = (444, 760, 236)  # ladder, heatmap and chart, tape
_HEIGHTS = (410, 330)  # heatmap, chart


class SymbolTab(QtWidgets.QWidget):
    """The page of one symbol. It outlives its feed: the venue may be changed while it stays open."""

    state_changed = QtCore.Signal(object)  # self
    stop_wanted = QtCore.Signal(object)  # self; stop or start
    retry_wanted = QtCore.Signal(object)  # self
    close_wanted = QtCore.Signal(object)  # self
    open_wanted = QtCore.Signal(object)  # SymbolRef
    search_wanted = QtCore.Signal()
    data_only_wanted = QtCore.Signal(object)  # self

    def __init__(
        self, ref: SymbolRef, panels: Panels, theme: Theme, zone: TimeZone, now_s: Callable[[], float]
    ) -> None:
        """Build the page; it is empty until `attach`."""
        super().__init__()
        self.ref = ref
        self.setObjectName(f"page-{ref}")
        self.setAccessibleName(f"{ref.symbol} {ref.market.label}")
        self._panels = panels
        self._zone = zone
        self._now_s = now_s
        self._feed: Feed | None = None
        self._unlisten: Callable[[], None] | None = None
        self._connection: ConnectionStatus | None = None
        self._shown = dict.fromkeys(PANEL_NAMES, True)
        self._is_compact = False
        self.banner = StaleBanner(theme)
        self._theme = theme
        self._failed_panel: FailedPanel | None = None
        self.setFocusProxy(panels.ladder)  # the keys that scroll are the ladder's
        self._build()
        self._connect()
        self.set_theme(theme)
        self._show_state()

    def _build(self) -> None:
        # From the outside to the inside: the style sheet goes through everything below a widget that gets a parent,
        # and did so five times for the innermost (15 ms of a new tab, now 6).
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._stack = QtWidgets.QStackedWidget()
        self._body = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal)
        self._body.setObjectName("bodySplitter")
        self._middle = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        self._middle.setObjectName("middleSplitter")
        column.addWidget(self._panels.header)
        column.addWidget(self.banner)
        column.addWidget(self._stack, 1)
        self._stack.addWidget(self._body)
        for widget in (self._panels.ladder, self._middle, self._panels.tape):
            self._body.addWidget(widget)
        self._middle.addWidget(self._panels.heatmap)
        self._middle.addWidget(self._panels.chart)
        for splitter in (self._middle, self._body):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        # More room is the chart's; ladder and tape have columns and a width that suits them.
        for index, stretch in enumerate((0, 1, 0)):
            self._body.setStretchFactor(index, stretch)
        self._body.setSizes(list(_WIDTHS))
        for index, height in enumerate(_HEIGHTS):
            self._middle.setStretchFactor(index, height)
        self._middle.setSizes(list(_HEIGHTS))

    def _connect(self) -> None:
        self._panels.on_stop(lambda: self.stop_wanted.emit(self))
        self.banner.action_clicked.connect(self._on_banner_action)

    @property
    def symbol(self) -> str:
        """The symbol, as the venue writes it."""
        return self.ref.symbol

    @property
    def market(self) -> Market:
        """The symbol's market."""
        return self.ref.market

    @property
    def state(self) -> str:
        """The feed's state: "connecting", "live", "stale", "reconnecting", "stopped" or "failed"."""
        return self.feed_state.value

    @property
    def feed_state(self) -> FeedState:
        """The same as an enum; a page without a feed is stopped."""
        return FeedState.STOPPED if self._feed is None else self._feed.state

    @property
    def feed(self) -> Feed | None:
        """The feed that is shown, None while there is none."""
        return self._feed

    @property
    def connection(self) -> ConnectionStatus | None:
        """The last known status of the feed's connection."""
        return self._connection

    @property
    def panels(self) -> Panels:
        """The widgets of the page."""
        return self._panels

    def attach(self, feed: Feed) -> None:
        """Show this feed from now on."""
        self.detach()
        self._feed = feed
        self._unlisten = feed.listen(self._on_feed)
        self._panels.attach(feed)
        self._show_state()

    def detach(self) -> None:
        """Let go of the feed; what was painted last stays."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        if self._feed is not None:
            self._panels.detach()
            self._feed = None
        self._connection = None

    def set_connection(self, status: ConnectionStatus | None) -> None:
        """Take over the status of the feed's connection."""
        if status != self._connection:
            self._connection = status
            self._show_state()

    def _on_feed(self, _feed: Feed) -> None:
        self._panels.follow_state()
        self._show_state()

    def _show_state(self) -> None:
        self._show_failure()
        self.refresh_banner()
        self.state_changed.emit(self)

    @property
    def failed_panel(self) -> FailedPanel:
        """What is shown instead of the widgets when there is no book; made when it is first needed."""
        if self._failed_panel is None:
            panel = self._failed_panel = FailedPanel(self.ref, self._theme)
            panel.open_wanted.connect(self.open_wanted)
            panel.retry_wanted.connect(lambda: self.retry_wanted.emit(self))
            panel.close_wanted.connect(lambda: self.close_wanted.emit(self))
            panel.search_wanted.connect(self.search_wanted)
            panel.data_only_wanted.connect(lambda: self.data_only_wanted.emit(self))
            self._stack.addWidget(panel)
        return self._failed_panel

    def _show_failure(self) -> None:
        feed = self._feed
        if feed is not None and feed.state is FeedState.FAILED and feed.book is None:
            self.failed_panel.show_failure(feed.status)
            self._stack.setCurrentWidget(self.failed_panel)
        else:
            self._stack.setCurrentWidget(self._body)

    def refresh_banner(self) -> None:
        """Say the banner's sentence anew: its countdown moves with time."""
        if not self.banner.panel_guard.has_failed:
            self.banner.panel_guard.run(self._show_banner)

    def _show_banner(self) -> None:
        if self._feed is None:
            self.banner.show_text("", "")
            return
        has_book = self._feed.book is not None
        text = banner_text(self._feed.status, self._connection, self._now_s(), self._zone, has_book=has_book)
        self.banner.show_text(text, self._banner_action() if text else "")

    def _banner_action(self) -> str:
        state = self.feed_state
        if state is FeedState.STOPPED:
            return "Start"
        if state is FeedState.FAILED:
            return "Reconnect"
        cause = bearing(self._connection, state)
        if cause is not None and cause.phase is ConnectionPhase.WAITING:
            return "Retry now"
        return ""

    def _on_banner_action(self) -> None:
        if self.feed_state is FeedState.STOPPED:
            self.stop_wanted.emit(self)
        else:
            self.retry_wanted.emit(self)

    def set_zone(self, zone: TimeZone) -> None:
        """Tell times in this zone."""
        self._zone = zone
        self.refresh_banner()

    def set_theme(self, theme: Theme) -> None:
        """Hand the theme on."""
        self.banner.panel_guard.run(self.banner.set_theme, theme)
        self._theme = theme
        if self._failed_panel is not None:
            self._failed_panel.set_theme(theme)
        self._panels.set_theme(theme)

    def show_panel(self, name: str, *, is_shown: bool) -> None:
        """Show or hide one of `PANEL_NAMES`."""
        self._shown[name] = is_shown
        self._show_panels()

    def is_panel_shown(self, name: str) -> bool:
        """Whether one of `PANEL_NAMES` is meant to be seen, also while another tab is in front."""
        return self._shown[name]

    def set_compact(self, *, is_compact: bool) -> None:
        """Only the ladder, or everything that is shown otherwise."""
        self._is_compact = is_compact
        self._panels.header.setVisible(not is_compact)
        self._show_panels()

    def _show_panels(self) -> None:
        shown = {name: is_shown and not self._is_compact for name, is_shown in self._shown.items()}
        self._panels.heatmap.setVisible(self._shown["heatmap"])
        self._panels.heatmap.recorder.set_on(self._shown["heatmap"])
        self._panels.chart.setVisible(self._shown["chart"])
        self._middle.setVisible(shown["heatmap"] or shown["chart"])
        self._panels.tape.setVisible(shown["tape"])

    def layout_state(self) -> dict[str, str]:
        """Sizes and choices to remember, as text."""
        return {
            "body": _encoded(self._body.saveState()),
            "centre": _encoded(self._middle.saveState()),
            "panels": ",".join(name for name in PANEL_NAMES if self.is_panel_shown(name)),
            "panels_known": ",".join(PANEL_NAMES),
            **self._panels.layout_state(),
        }

    def restore_layout(self, layout: dict[str, str]) -> None:
        """Take over what `layout_state` gave; what is missing or damaged is left as it is."""
        for splitter, key in ((self._body, "body"), (self._middle, "centre")):
            if layout.get(key):
                splitter.restoreState(QtCore.QByteArray.fromBase64(layout[key].encode("ascii", "ignore")))
        if "panels" in layout:
            shown = layout["panels"].split(",")
            # A layout of an older version says nothing of a panel that it didn't have.
            for name in layout.get("panels_known", "chart,tape").split(","):
                if name in PANEL_NAMES:
                    self.show_panel(name, is_shown=name in shown)
        self._panels.restore_layout(layout)


def _encoded(data: QtCore.QByteArray) -> str:
    return base64.b64encode(data.data()).decode("ascii")
