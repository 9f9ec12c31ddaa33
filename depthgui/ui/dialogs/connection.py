"""The dialog about one venue connection: reconnecting with a countdown, then restored or "Unable to connect".

It is shown with show() and takes no focus; it updates in place and says nothing that `connection_text` doesn't.
"""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.dialogs.connection_text import ConnectionText, Outage, connection_text
from depthgui.ui.engine import ConnectionPhase, ConnectionStatus
from depthgui.ui.icons import icon_pixmap
from depthgui.ui.theme import Theme
from depthgui.ui.wording import TimeZone

_MARKS = {
    Outage.RETRYING: ("state-reconnecting", "amber"),
    Outage.RESTORED: ("state-live", "bid"),
    Outage.GIVEN_UP: ("state-failed", "ask"),
}
_PROGRESS_STEPS = 1000
_DETAILS_FRAME_PX = 34
_DETAILS_MOST_PX = 240
_WIDTH = 476
_SETTLE_MS = 300  # within which an activation comes from the platform and not from the user


class ConnectionDialog(QtWidgets.QDialog):
    """What is wrong with one connection and what can be done. Its signals carry the connection's key."""

    retry_wanted = QtCore.Signal(str)
    stop_wanted = QtCore.Signal(str)
    close_tabs_wanted = QtCore.Signal(str)
    log_wanted = QtCore.Signal()
    hidden_by_user = QtCore.Signal(str)

    def __init__(self, key: str, theme: Theme, parent: QtWidgets.QWidget) -> None:
        """Make it for the connection of that key; it shows nothing until `show_status`."""
        super().__init__(parent, QtCore.Qt.WindowType.Tool)
        self.key = key
        self._theme = theme
        self._waiting_since_s: float | None = None
        self._active: QtWidgets.QWidget | None = None
        self._outage = Outage.NONE
        self._status: ConnectionStatus | None = None
        self.setObjectName("connectionDialog")
        self.setModal(False)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._build()
        self.set_theme(theme)

    @property
    def outage(self) -> Outage:
        """What it tells about now."""
        return self._outage

    def _build(self) -> None:
        self._mark = QtWidgets.QLabel()
        self._mark.setAccessibleName("State")
        self._heading = QtWidgets.QLabel()
        self._heading.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._heading.setObjectName("connectionHeading")
        self._heading.setWordWrap(True)
        self._paragraph = QtWidgets.QLabel()
        self._paragraph.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._paragraph.setObjectName("connectionParagraph")
        self._paragraph.setProperty("role", "muted")
        self._paragraph.setWordWrap(True)
        self._rows = _Rows()
        self._progress = QtWidgets.QProgressBar()
        self._progress.setObjectName("connectionCountdown")
        self._progress.setProperty("state", "amber")
        self._progress.setRange(0, _PROGRESS_STEPS)
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("Time until the next attempt")
        self._details = QtWidgets.QPlainTextEdit()
        self._details.setObjectName("connectionDetails")
        self._details.setProperty("role", "log")
        self._details.setReadOnly(True)
        self._details.setTabChangesFocus(True)
        self._details.setAccessibleName("Details")
        self._details.setFont(QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont))
        head = QtWidgets.QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._mark, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._heading, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(10)
        column.setSizeConstraint(QtWidgets.QLayout.SizeConstraint.SetFixedSize)
        column.addLayout(head)
        for widget in (self._paragraph, self._rows, self._progress, self._details):
            widget.setFixedWidth(_WIDTH - 40)
            column.addWidget(widget)
        column.addSpacing(4)
        column.addLayout(self._build_buttons())

    def _build_buttons(self) -> QtWidgets.QHBoxLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        self._stop = self._button(row, "Stop these tabs", "connectionStop")
        self._hide = self._button(row, "Hide", "connectionHide")
        self._retry = self._button(row, "Retry now", "connectionRetry", role="primary")
        self._copy = self._button(row, "Copy details", "connectionCopy")
        self._log = self._button(row, "Open log", "connectionLog")
        self._close_tabs = self._button(row, "Close tab", "connectionCloseTabs")
        self._reconnect = self._button(row, "Reconnect", "connectionReconnect", role="primary")
        self._stop.clicked.connect(lambda: self.stop_wanted.emit(self.key))
        self._hide.clicked.connect(self._on_hide)
        self._retry.clicked.connect(lambda: self.retry_wanted.emit(self.key))
        self._copy.clicked.connect(lambda: QtGui.QGuiApplication.clipboard().setText(self._details.toPlainText()))
        self._log.clicked.connect(self.log_wanted)
        self._close_tabs.clicked.connect(lambda: self.close_tabs_wanted.emit(self.key))
        self._reconnect.clicked.connect(lambda: self.retry_wanted.emit(self.key))
        return row

    def _button(self, row: QtWidgets.QHBoxLayout, text: str, name: str, role: str = "") -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(text)
        button.setObjectName(name)
        button.setAutoDefault(False)
        if role:
            button.setProperty("role", role)
        row.addWidget(button)
        return button

    def show_status(
        self, status: ConnectionStatus, outage: Outage, now_s: float, zone: TimeZone, *, has_books: bool
    ) -> None:
        """Take over the newest status at the monotonic time `now_s`; shows nothing by itself."""
        if status.phase is not ConnectionPhase.WAITING:
            self._waiting_since_s = None
        elif self._status is None or self._status.retry_at_s != status.retry_at_s or self._waiting_since_s is None:
            self._waiting_since_s = now_s
        self._status = status
        text = connection_text(status, outage, now_s, zone, has_books=has_books)
        if outage is not self._outage:
            self._outage = outage
            self._arrange(outage, tab_count=len(status.symbols))
        self._fill(text)
        self._progress.setValue(self._progress_value(status, now_s))

    def _arrange(self, outage: Outage, tab_count: int) -> None:
        """Show what belongs to this kind of trouble."""
        is_retrying, is_given_up = outage is Outage.RETRYING, outage is Outage.GIVEN_UP
        self._rows.setVisible(not is_given_up)
        self._progress.setVisible(is_retrying)
        self._details.setVisible(is_given_up)
        for button in (self._stop, self._retry):
            button.setVisible(is_retrying)
        self._hide.setVisible(not is_given_up)
        for button in (self._copy, self._log, self._close_tabs, self._reconnect):
            button.setVisible(is_given_up)
        (self._reconnect if is_given_up else self._retry if is_retrying else self._hide).setFocus()
        self._close_tabs.setText("Close tab" if tab_count == 1 else "Close tabs")
        self.set_theme(self._theme)

    def _fill(self, text: ConnectionText) -> None:
        self.setWindowTitle(text.title)
        self._heading.setText(text.heading)
        self._mark.setAccessibleDescription(text.title)
        self._paragraph.setText(text.paragraph)
        self._rows.fill(text.rows)
        if self._details.toPlainText() != text.details:
            self._details.setPlainText(text.details)
            self._details.setFixedHeight(min(self._height_of(text.details), _DETAILS_MOST_PX))

    def _height_of(self, text: str) -> int:
        """Height of the log box that shows all of `text`, wrapped."""
        room = QtCore.QRect(0, 0, _WIDTH - 40 - _DETAILS_FRAME_PX, 10_000)
        flags = QtCore.Qt.TextFlag.TextWrapAnywhere | QtCore.Qt.TextFlag.TextWordWrap
        return self._details.fontMetrics().boundingRect(room, int(flags), text).height() + _DETAILS_FRAME_PX

    def _progress_value(self, status: ConnectionStatus, now_s: float) -> int:
        if status.retry_at_s is None or self._waiting_since_s is None:
            return _PROGRESS_STEPS
        whole = status.retry_at_s - self._waiting_since_s
        if whole <= 0:
            return _PROGRESS_STEPS
        return min(_PROGRESS_STEPS, max(0, round(_PROGRESS_STEPS * (now_s - self._waiting_since_s) / whole)))

    def set_theme(self, theme: Theme) -> None:
        """Take over fonts and the mark's colour."""
        self._theme = theme
        self._heading.setFont(theme.typeface.font(15, 600))
        icon, colour = _MARKS.get(self._outage, _MARKS[Outage.RETRYING])
        self._mark.setPixmap(icon_pixmap(icon, theme.palette.colours()[colour], 16, self.devicePixelRatioF()))

    def show_beside(self, active: QtWidgets.QWidget | None) -> None:
        """Show it, and leave the focus to `active`, the window that has it now."""
        self._active = active
        self.show()
        QtCore.QTimer.singleShot(_SETTLE_MS, self, self._forget_active)

    def _forget_active(self) -> None:
        self._active = None

    def event(self, event: QtCore.QEvent) -> bool:
        """Some platforms activate every window that is shown, whatever it asks for: give the focus back."""
        if event.type() is QtCore.QEvent.Type.WindowActivate and self._active is not None:
            active, self._active = self._active, None
            QtCore.QTimer.singleShot(0, active, active.activateWindow)
        return super().event(event)

    def _on_hide(self) -> None:
        self.hidden_by_user.emit(self.key)
        self.hide()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """The window's own close button hides it for this outage."""
        self.hidden_by_user.emit(self.key)
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape hides it for this outage."""
        self._on_hide()


class _Rows(QtWidgets.QWidget):
    """Label and value, one row each, with a fine line below."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, 84)
        self._grid.setColumnStretch(1, 1)
        self._labels: list[tuple[QtWidgets.QLabel, QtWidgets.QLabel, QtWidgets.QFrame]] = []

    def fill(self, rows: tuple[tuple[str, str], ...]) -> None:
        """Show these rows; widgets are made once and used again."""
        while len(self._labels) < len(rows):
            self._add_row()
        for index, parts in enumerate(self._labels):
            for part in parts:
                part.setVisible(index < len(rows))
            if index < len(rows):
                parts[0].setText(rows[index][0])
                parts[1].setText(rows[index][1])
                parts[1].setAccessibleName(rows[index][0])

    def _add_row(self) -> None:
        label, value, line = QtWidgets.QLabel(), QtWidgets.QLabel(), QtWidgets.QFrame()
        value.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        label.setProperty("role", "muted")
        value.setWordWrap(True)
        value.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        line.setProperty("role", "rule")
        line.setFixedHeight(1)
        row = len(self._labels) * 2
        self._grid.addWidget(label, row, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self._grid.addWidget(line, row + 1, 0, 1, 2)
        self._labels.append((label, value, line))
