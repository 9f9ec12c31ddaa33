"""What the window shows while no tab is open: popular symbols one click away, and where the data comes from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.engine import parse_symbol_ref
from depthgui.ui.icons import app_icon
from depthgui.ui.theme import Theme
from depthgui.ui.venues import CHOICES

_COLUMNS = 4
_CARD_WIDTH = 680


class WelcomePage(QtWidgets.QWidget):
    """Never an empty window: pick a symbol, search, or change the venue."""

    symbol_chosen = QtCore.Signal(object)  # SymbolRef
    search_wanted = QtCore.Signal()
    venue_chosen = QtCore.Signal(str)  # key of a VenueChoice
    back_wanted = QtCore.Signal()
    retry_wanted = QtCore.Signal()

    def __init__(self, theme: Theme) -> None:
        """Build the page; `show_symbols` and `show_venue` fill it."""
        super().__init__()
        self.setObjectName("welcomePage")
        self.setAccessibleName("Welcome")
        self._theme = theme
        self._venue_key = ""
        self._picture = QtWidgets.QLabel()
        self._title = QtWidgets.QLabel("Which order book?")
        self._subtitle = QtWidgets.QLabel()
        self._subtitle.setObjectName("welcomeVenue")
        self._subtitle.setProperty("role", "muted")
        self._subtitle.setWordWrap(True)
        self._problem = QtWidgets.QLabel()
        self._problem.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._problem.setObjectName("welcomeProblem")
        self._problem.setProperty("role", "amber")
        self._problem.setWordWrap(True)
        self._problem.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._problem.hide()
        self._symbols_title = QtWidgets.QLabel("Popular symbols")
        self._symbols_title.setProperty("role", "muted")
        self._symbols = QtWidgets.QGridLayout()
        self._symbols.setSpacing(8)
        self._venues: dict[str, QtWidgets.QPushButton] = {}
        self._build()
        self.set_theme(theme)

    def _build(self) -> None:
        column = QtWidgets.QVBoxLayout()
        column.setSpacing(10)
        head = QtWidgets.QHBoxLayout()
        head.setSpacing(14)
        words = QtWidgets.QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._subtitle)
        head.addWidget(self._picture)
        head.addLayout(words, 1)
        column.addLayout(head)
        trouble = QtWidgets.QHBoxLayout()
        trouble.addWidget(self._problem, 1)
        self._retry = QtWidgets.QPushButton("Try again")
        self._retry.setObjectName("welcomeRetry")
        self._retry.setProperty("role", "chip")
        self._retry.clicked.connect(self.retry_wanted)
        self._retry.hide()
        trouble.addWidget(self._retry, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        column.addLayout(trouble)
        column.addSpacing(8)
        column.addWidget(self._symbols_title)
        column.addLayout(self._symbols)
        self._search = QtWidgets.QPushButton("Search all symbols…    Ctrl+T")
        self._search.setObjectName("welcomeSearch")
        self._search.setAccessibleName("Search all symbols")
        self._search.setProperty("role", "primary")
        self._search.clicked.connect(self.search_wanted)
        column.addWidget(self._search)
        self._back = QtWidgets.QPushButton("Back to the tabs")
        self._back.setObjectName("welcomeBack")
        self._back.setShortcut(QtGui.QKeySequence("Esc"))
        self._back.clicked.connect(self.back_wanted)
        self._back.hide()
        column.addWidget(self._back)
        column.addSpacing(14)
        title = QtWidgets.QLabel("Where the data comes from")
        title.setProperty("role", "muted")
        column.addWidget(title)
        column.addLayout(self._build_venues())
        card = QtWidgets.QWidget()
        card.setFixedWidth(_CARD_WIDTH)
        card.setLayout(column)
        outer = QtWidgets.QGridLayout(self)
        outer.addWidget(card, 1, 1)
        for side in (0, 2):
            outer.setRowStretch(side, 1)
            outer.setColumnStretch(side, 1)

    def _build_venues(self) -> QtWidgets.QGridLayout:
        grid = QtWidgets.QGridLayout()
        grid.setSpacing(8)
        for number, choice in enumerate(CHOICES):
            button = QtWidgets.QPushButton(choice.label)
            button.setObjectName(f"venue-{choice.key}")
            button.setCheckable(True)
            button.setToolTip(choice.blurb)
            button.setAccessibleDescription(choice.blurb)
            button.clicked.connect(lambda _checked=False, key=choice.key: self._on_venue(key))
            self._venues[choice.key] = button
            grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)
        return grid

    def show_venue(self, key: str, text: str) -> None:
        """Say which environment is in use."""
        self._venue_key = key
        self._subtitle.setText(text)
        for choice_key, button in self._venues.items():
            button.setChecked(choice_key == key)

    def _on_venue(self, key: str) -> None:
        """The mark stays with the environment in use until the new one is connected."""
        self.show_venue(self._venue_key, self._subtitle.text())
        self.venue_chosen.emit(key)

    def show_problem(self, text: str) -> None:
        """Say why there is no data; "" when all is well."""
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        self._retry.setVisible(bool(text))

    def show_symbols(self, symbols: Sequence[str], title: str = "Popular symbols") -> None:
        """Offer these symbols, one button each."""
        self._symbols_title.setText(title)
        self._symbols_title.setVisible(bool(symbols))
        while (item := self._symbols.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for number, text in enumerate(symbols[: 2 * _COLUMNS]):
            ref = parse_symbol_ref(text)
            button = QtWidgets.QPushButton(f"{ref.symbol}\n{ref.market.label}")
            button.setObjectName(f"open-{text}")
            button.setAccessibleName(f"Open {ref.symbol}, {ref.market.label}")
            button.setMinimumHeight(50)
            button.clicked.connect(lambda _checked=False, chosen=ref: self.symbol_chosen.emit(chosen))
            self._symbols.addWidget(button, number // _COLUMNS, number % _COLUMNS)

    def show_back(self, *, is_shown: bool) -> None:
        """Offer the way back to the open tabs, where there are some."""
        self._back.setVisible(is_shown)

    def focus_first(self) -> None:
        """Ready for the keyboard."""
        self._search.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Take over fonts and colours."""
        self._theme = theme
        self._title.setFont(theme.typeface.font(22, 600))
        self._picture.setPixmap(app_icon().pixmap(48, 48))
