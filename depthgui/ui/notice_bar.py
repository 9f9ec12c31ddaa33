"""A strip at the bottom of the window for what went wrong unexpectedly, and for notices about the profile.

One strip with a count, not a storm of messages; it takes no focus and stays until it is dismissed.
"""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.icons import icon_pixmap
from depthgui.ui.theme import Theme
from depthgui.ui.wording import count_text


class NoticeBar(QtWidgets.QFrame):
    """Shows the newest notice and how many more there are."""

    log_wanted = QtCore.Signal()

    def __init__(self, theme: Theme) -> None:
        """Start hidden."""
        super().__init__()
        self.setObjectName("noticeBar")
        self.setProperty("role", "banner")
        self._notices: list[tuple[str, str]] = []
        self._mark = QtWidgets.QLabel()
        self._text = QtWidgets.QLabel()
        self._text.setObjectName("noticeText")
        self._text.setTextFormat(QtCore.Qt.TextFormat.PlainText)  # an error may quote the venue
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, QtCore.Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._text, 1)
        choices = (("Copy details", "noticeCopy", self._copy), ("Open log", "noticeLog", self.log_wanted.emit))
        for text, name, handler in (*choices, ("Dismiss", "noticeDismiss", self.dismiss)):
            button = QtWidgets.QPushButton(text)
            button.setObjectName(name)
            button.setProperty("role", "chip")
            button.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _checked=False, call=handler: call())
            row.addWidget(button)
        self.set_theme(theme)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """The notices that have not been dismissed, oldest first."""
        return tuple(text for text, _details in self._notices)

    def add(self, text: str, details: str = "") -> None:
        """Show a notice; the same one again is not shown twice."""
        if text in self.texts:
            return
        self._notices.append((text, details))
        more = len(self._notices) - 1
        self._text.setText(text + (f"  (and {count_text(more, 'earlier notice')})" if more else ""))
        self.setAccessibleName(text)
        self.show()

    def dismiss(self) -> None:
        """Take all notices away."""
        self._notices.clear()
        self.hide()

    def _copy(self) -> None:
        QtGui.QGuiApplication.clipboard().setText(
            "\n\n".join(f"{text}\n{details}".strip() for text, details in self._notices)
        )

    def set_theme(self, theme: Theme) -> None:
        """Take over the mark's colour."""
        self._mark.setPixmap(icon_pixmap("warning", theme.palette.colours()["amber"], 16, self.devicePixelRatioF()))
