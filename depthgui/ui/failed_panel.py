"""What a tab shows when there is no book and none will come by itself: why, and what can be done."""

from __future__ import annotations

from PySide6 import QtCore, QtWidgets

from depthgui.book.errors import DepthGuiError, RegionNotServedError, UnknownSymbolError
from depthgui.ui.engine import FeedStatus, Market, SymbolRef
from depthgui.ui.icons import icon_pixmap
from depthgui.ui.theme import Theme

_MOST_SUGGESTIONS = 5


def failure_heading(ref: SymbolRef, error: Exception | None) -> str:
    """The headline for a person."""
    if isinstance(error, UnknownSymbolError):
        return f"{ref.symbol} is not a symbol of {ref.market.label}"
    if isinstance(error, RegionNotServedError):
        return "This region is not served"
    return f"{ref.symbol} could not be opened"


def failure_sentence(status: FeedStatus) -> str:
    """Why, in one or two sentences."""
    error = status.error
    if isinstance(error, UnknownSymbolError):
        if error.suggestions:
            return "The venue does not list it. Did you mean one of these?"
        return "The venue does not list it, and nothing on its list looks like it."
    if isinstance(error, DepthGuiError):
        return str(error)
    return status.detail or "No reason is known."


class FailedPanel(QtWidgets.QFrame):
    """A card in the middle of the page."""

    open_wanted = QtCore.Signal(object)  # SymbolRef of a suggestion
    retry_wanted = QtCore.Signal()
    close_wanted = QtCore.Signal()
    search_wanted = QtCore.Signal()
    data_only_wanted = QtCore.Signal()

    def __init__(self, ref: SymbolRef, theme: Theme) -> None:
        """Make it for a symbol; `show_failure` fills it."""
        super().__init__()
        self._ref = ref
        self._theme = theme
        self.setObjectName("failedPanel")
        self.setProperty("role", "panel")
        self._mark = QtWidgets.QLabel()
        self._heading = QtWidgets.QLabel()
        self._heading.setObjectName("failedHeading")
        self._heading.setWordWrap(True)
        self._sentence = QtWidgets.QLabel()
        self._sentence.setObjectName("failedSentence")
        for label in (self._heading, self._sentence):
            label.setTextFormat(QtCore.Qt.TextFormat.PlainText)  # they quote the venue
        self._sentence.setProperty("role", "muted")
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._suggestions = QtWidgets.QHBoxLayout()
        self._suggestions.setSpacing(6)
        card = QtWidgets.QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(620)
        card.setMinimumWidth(440)
        column = QtWidgets.QVBoxLayout(card)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        head = QtWidgets.QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._mark, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._heading, 1)
        column.addLayout(head)
        column.addWidget(self._sentence)
        column.addLayout(self._suggestions)
        column.addSpacing(4)
        column.addLayout(self._build_buttons())
        self.set_theme(theme)
        outer = QtWidgets.QGridLayout(self)
        outer.addWidget(card, 1, 1)
        for side in (0, 2):
            outer.setRowStretch(side, 1)
            outer.setColumnStretch(side, 1)

    def _build_buttons(self) -> QtWidgets.QHBoxLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        self._data_only = QtWidgets.QPushButton("Use the data-only hosts")
        self._data_only.setObjectName("failedDataOnly")
        self._data_only.setToolTip("Spot market data from hosts that serve more regions")
        self._data_only.clicked.connect(self.data_only_wanted)
        row.addWidget(self._data_only)
        choices = (
            ("Close tab", "failedClose", self.close_wanted, ""),
            ("Find a symbol…", "failedSearch", self.search_wanted, ""),
            ("Try again", "failedRetry", self.retry_wanted, "primary"),
        )
        for text, name, signal, role in choices:
            button = QtWidgets.QPushButton(text)
            button.setObjectName(name)
            button.setProperty("role", role)
            button.clicked.connect(lambda _checked=False, wanted=signal: wanted.emit())
            row.addWidget(button)
        return row

    def show_failure(self, status: FeedStatus) -> None:
        """Say why, and offer near matches where there are some."""
        error = status.error
        self._heading.setText(failure_heading(self._ref, error))
        self._sentence.setText(failure_sentence(status))
        while (item := self._suggestions.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        is_spot = self._ref.market is Market.SPOT
        self._data_only.setVisible(isinstance(error, RegionNotServedError) and is_spot)
        names = error.suggestions if isinstance(error, UnknownSymbolError) else ()
        for name in names[:_MOST_SUGGESTIONS]:
            button = QtWidgets.QPushButton(name)
            button.setObjectName(f"suggestion{name}")
            button.setProperty("role", "chip")
            ref = SymbolRef(self._ref.market, name)
            button.clicked.connect(lambda _checked=False, chosen=ref: self.open_wanted.emit(chosen))
            self._suggestions.addWidget(button)
        self._suggestions.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Take over font and colours."""
        self._theme = theme
        self._heading.setFont(theme.typeface.font(16, 600))
        ratio = self.devicePixelRatioF()
        self._mark.setPixmap(icon_pixmap("state-failed", theme.palette.colours()["ask"], 20, ratio))
