"""The status bar: venue, connections and streams, request weight used, and what the program itself costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.icons import icon_pixmap, themed_icon
from depthgui.ui.paint_meter import MeterFigures
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.theme import Theme
from depthgui.ui.wording import count_text

_NOTICE_MS = 8000
_WEIGHT_FROM_PX = 960
_SPARE_PX = 48
_Label = TypeVar("_Label", bound=QtWidgets.QLabel)


@dataclass(frozen=True, slots=True)
class StatusFigures:
    """What it shows. Weights are per minute; `troubles` counts connections that are down."""

    venue: str
    connections: int
    streams: int
    weight_used: int
    weight_limit: int
    fps: float
    paint_ms: float
    troubles: int = 0


class SteadyLabel(QtWidgets.QLabel):
    """A label of a fixed size, which follows its text in steps.

    A new text of an ordinary label has the whole window laid out anew, twice a second here.
    """

    def say(self, text: str) -> None:
        """Show a text."""
        if text != self.text():
            self.setText(text)
            self.fit()

    def fit(self) -> None:
        """Take the size that the text needs, unless there is room for it, and not much more."""
        wanted, now = self.sizeHint(), self.minimumSize()
        if wanted.height() != now.height() or not 0 <= now.width() - wanted.width() <= _SPARE_PX:
            self.setFixedSize(wanted)


@guarded
class StatusBar(QtWidgets.QStatusBar):
    """Fixed labels, and room for a short notice between them."""

    troubles_clicked = QtCore.Signal()

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self.setObjectName("statusBar")
        self.setSizeGripEnabled(False)
        self.panel_guard = PanelGuard(self, "status bar", lambda: self.set_theme(self._theme))
        self._theme = theme
        self._mark = QtWidgets.QLabel()
        self._mark.setObjectName("statusMark")
        self._venue = _named(SteadyLabel(), "statusVenue", "Venue")
        self._connections = _named(SteadyLabel(), "statusConnections", "Connections and streams")
        self._weight = _named(SteadyLabel(), "statusWeight", "Request weight used of the budget, this minute")
        self._notice = _named(QtWidgets.QLabel(), "statusNotice", "Notice")
        self._notice.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._notice.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._trouble = QtWidgets.QPushButton()
        self._trouble.setObjectName("statusTrouble")
        self._trouble.setProperty("role", "flat")
        self._trouble.setToolTip("Show what is wrong with the connection")
        self._trouble.setStyleSheet("padding: 0 6px; min-height: 18px;")
        self._trouble.clicked.connect(self.troubles_clicked)
        self._trouble.hide()
        self._paint = _named(SteadyLabel(), "statusPaint", "Frames a second and time of a paint")
        self._cpu = _named(SteadyLabel(), "statusCpu", "Processor time of this program, of one core")
        self._timer = QtCore.QTimer(self, interval=_NOTICE_MS, singleShot=True)
        self._timer.timeout.connect(self._notice.clear)
        for widget in (self._mark, self._venue, self._connections, self._weight):
            self.addWidget(widget)
        self.addWidget(self._trouble)
        self.addWidget(self._notice, 1)
        self.addPermanentWidget(self._paint)
        self.addPermanentWidget(self._cpu)
        self._mark.setContentsMargins(10, 0, 0, 0)
        self._mark_state: bool | None = None

    def show_figures(self, figures: StatusFigures) -> None:
        """Show the newest figures; labels that would say the same are left alone."""
        links = f"{count_text(figures.connections, 'connection')} · {count_text(figures.streams, 'stream')}"
        weight = f"REST weight {figures.weight_used} / {figures.weight_limit}" if figures.weight_limit else ""
        self._venue.say(figures.venue)
        self._connections.say(links)
        self._weight.say(weight)
        self._paint.say(f"{figures.fps:.0f} fps · paint {figures.paint_ms:.1f} ms")
        has_trouble = figures.troubles > 0
        if has_trouble:
            self._trouble.setText(f"{count_text(figures.troubles, 'connection')} down")
        self._trouble.setVisible(has_trouble)
        is_well = figures.connections > 0 and not has_trouble
        if is_well is not self._mark_state:
            self._mark_state = is_well
            self._paint_mark()

    def show_meter(self, figures: MeterFigures) -> None:
        """Show what the last seconds have cost."""
        self._cpu.say(f"CPU {figures.cpu_percent:.0f} %")
        tip = meter_text(figures)
        for label in (self._paint, self._cpu):
            label.setToolTip(tip)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Leave out the less important where there is no room."""
        super().resizeEvent(event)
        self._weight.setVisible(self.width() >= _WEIGHT_FROM_PX)

    def notify(self, text: str) -> None:
        """Show a short notice for a few seconds."""
        self._notice.setText(text)
        self._notice.setAccessibleDescription(text)
        self._timer.start()

    @property
    def notice(self) -> str:
        """The notice shown now."""
        return self._notice.text()

    def set_theme(self, theme: Theme) -> None:
        """Take over colours and fonts."""
        self._theme = theme
        self._notice.setFont(theme.typeface.font(12))
        for label in (self._venue, self._connections, self._weight, self._paint, self._cpu):
            label.setFont(theme.typeface.font(12))
            label.fit()
        self._trouble.setFont(theme.typeface.font(12))
        self._trouble.setIcon(themed_icon("warning", theme.palette, "amber"))
        self._trouble.setIconSize(QtCore.QSize(14, 14))
        self._paint_mark()

    def _paint_mark(self) -> None:
        name, colour = ("state-live", "bid") if self._mark_state else ("state-stopped", "muted")
        pixmap = icon_pixmap(name, self._theme.palette.colours()[colour], 12, self.devicePixelRatioF())
        self._mark.setPixmap(pixmap)


def meter_text(figures: MeterFigures) -> str:
    """The paint meter in words."""
    memory = f", memory {figures.rss_mb:.0f} MB" if figures.rss_mb else ""  # not every system tells
    return "\n".join(
        (
            f"Paint {figures.paint_ms:.1f} ms, at most {figures.paint_max_ms:.1f} ms",
            f"From a change to its paint {figures.event_to_paint_ms:.0f} ms, "
            f"99 of 100 within {figures.event_to_paint_p99_ms:.0f} ms",
            f"Event loop late by {figures.loop_lag_ms:.0f} ms at most",
            f"{figures.messages_per_s:.0f} messages a second, {figures.diffs_per_s:.0f} of them diffs",
            f"CPU {figures.cpu_percent:.0f} % of one core{memory}",
        )
    )


def _named(label: _Label, name: str, what: str) -> _Label:
    label.setObjectName(name)
    label.setAccessibleName(what)
    label.setToolTip(what)
    return label
