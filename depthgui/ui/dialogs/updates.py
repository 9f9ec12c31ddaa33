"""The answer to "Check for updates…": what was found, what went wrong, or how to turn it on. Nothing is installed."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.book.errors import DepthGuiError, TransportError
from depthgui.transport.updates import UpdateAnswerError, UpdateCheck
from depthgui.ui.theme import Theme
from depthgui.ui.wording import sentence

_WIDTH = 460
_LONG_WORD = 40
_PIECE = re.compile(r"[^/?&=._\n-]{40}|[^/?&=._\n-]*[/?&=._\n-]")
_OFF = (
    "No address is set, so nobody is asked. To turn it on, type the address that your copy came with, "
    "or that of your team, in the settings under Network."
)


class UpdateDialog(QtWidgets.QDialog):
    """Stays beside the window while it is asked; `check_wanted` and `settings_wanted` come from its buttons."""

    check_wanted = QtCore.Signal()
    settings_wanted = QtCore.Signal()

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget) -> None:
        """Build it; one of the `show_...` methods fills it."""
        super().__init__(parent)
        self.setObjectName("updateDialog")
        self.setWindowTitle("Updates")
        self._page_url = ""
        self.is_checking = False
        self._title = _label("updateTitle", "title")
        self._title.setFont(theme.typeface.font(16, 600))
        self._text = _label("updateText")
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 16)
        column.setSpacing(12)
        column.setSizeConstraint(QtWidgets.QLayout.SizeConstraint.SetFixedSize)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addSpacing(4)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        self._settings = _button(row, "Settings…", "updateSettings", self.settings_wanted.emit)
        row.addStretch(1)
        self._check = _button(row, "Check now", "updateCheck", self.check_wanted.emit)
        self._page = _button(row, "Open its page", "updatePage", self._open_page)
        self._close = _button(row, "Close", "updateClose", self.close)
        column.addLayout(row)

    def show_off(self) -> None:
        """There is no address to ask."""
        self._show("Checking for updates is off", _OFF, self._settings)

    def show_checking(self, url: str) -> None:
        """An answer is awaited."""
        self._show("Checking…", f"Asking {url}", self._close)
        self._check.setEnabled(False)
        self.is_checking = True

    def show_found(self, found: UpdateCheck) -> None:
        """The address has told a version."""
        if not found.is_newer:
            self._show("No newer version", found.sentence, self._close)
            return
        where = f"\n{found.page_url}" if found.page_url else ""
        text = f"{found.sentence} Nothing is downloaded or installed by itself.{where}"
        self._show("A newer version", text, self._page if found.page_url else self._close)
        self._page_url = found.page_url
        self._page.setVisible(bool(found.page_url))

    def show_problem(self, error: DepthGuiError) -> None:
        """The address could not be asked, or told no version."""
        self._show("The check did not work", f"{sentence(str(error))} {_remedy(error)}", self._check)

    def _show(self, title: str, text: str, default: QtWidgets.QPushButton) -> None:
        self.is_checking = False
        self._page_url = ""
        self._page.setVisible(False)
        self._check.setEnabled(True)
        self._title.setText(title)
        self._text.setText(_breakable(text))
        self.setAccessibleDescription(f"{title}. {text}")
        for button in (self._settings, self._check, self._page, self._close):
            button.setDefault(button is default)
        default.setFocus()

    def _open_page(self) -> None:
        QtGui.QDesktopServices.openUrl(QtCore.QUrl(self._page_url))


def _remedy(error: DepthGuiError) -> str:
    if isinstance(error, UpdateAnswerError):
        return "The address in the settings may be wrong, or out of date."
    if isinstance(error, TransportError):
        return "Check the network, and the proxy and the address in the settings; then try again."
    return "It can be put right in the settings under Network."


def _breakable(text: str) -> str:
    """Long words, addresses mostly, may be broken at their marks, and anywhere after 40 characters."""
    words = (word if len(word) < _LONG_WORD else _PIECE.sub("\\g<0>\u200b", word) for word in text.split(" "))
    return " ".join(words)


def _label(name: str, role: str = "") -> QtWidgets.QLabel:
    label = QtWidgets.QLabel()
    label.setObjectName(name)
    if role:
        label.setProperty("role", role)
    label.setWordWrap(True)
    label.setFixedWidth(_WIDTH)
    # What an address answers is text, never markup.
    label.setTextFormat(QtCore.Qt.TextFormat.PlainText)
    return label


def _button(row: QtWidgets.QHBoxLayout, text: str, name: str, handler: Callable[[], object]) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setObjectName(name)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked=False: handler())
    row.addWidget(button)
    return button
