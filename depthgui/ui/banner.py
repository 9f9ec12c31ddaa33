"""The banner over a book that is not live: since when, and what happens next. Amber; it never hides the book."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from depthgui.ui.icons import icon_pixmap
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.theme import Theme
from depthgui.ui.wording import tool_tip


@guarded
class StaleBanner(QtWidgets.QFrame):
    """One line with a mark, and one button for what helps."""

    action_clicked = QtCore.Signal()

    def __init__(self, theme: Theme) -> None:
        """Start hidden."""
        super().__init__()
        self.setObjectName("staleBanner")
        self.setProperty("role", "banner")
        self.panel_guard = PanelGuard(self, "banner", lambda: self.set_theme(theme))
        self.panel_guard.changed.connect(self._on_guard)
        self.setAccessibleName("The book is not live")
        self._mark = QtWidgets.QLabel()
        self._text = QtWidgets.QLabel()
        self._text.setObjectName("staleText")
        self._text.setTextFormat(QtCore.Qt.TextFormat.PlainText)  # it quotes the venue
        self._text.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._button = QtWidgets.QPushButton()
        self._button.setObjectName("staleAction")
        self._button.setProperty("role", "chip")
        self._button.clicked.connect(self.action_clicked)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.setSpacing(8)
        row.addWidget(self._mark)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        self.set_theme(theme)
        self.hide()

    def _on_guard(self, has_failed: bool) -> None:
        if has_failed:
            self.show()  # what may have to be said here is not known any more

    @property
    def text(self) -> str:
        """What it says now; "" while it is hidden."""
        return self._text.text()

    def show_text(self, text: str, action: str) -> None:
        """Say `text`, or hide when it is empty; `action` is the button's text, "" for none."""
        if text != self._text.text():
            self._text.setText(text)
            self._text.setToolTip(tool_tip(text))
            self.setAccessibleDescription(text)
        self._button.setText(action)
        self._button.setVisible(bool(action))
        self.setVisible(bool(text))

    def set_theme(self, theme: Theme) -> None:
        """Take over font and colour."""
        self._text.setFont(theme.typeface.font(13, 500))
        ratio = self.devicePixelRatioF()
        self._mark.setPixmap(icon_pixmap("state-stale", theme.palette.colours()["amber"], 16, ratio))
