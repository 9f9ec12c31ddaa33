"""The add-symbol dialog: instant search over the venue's real symbol lists. The keyboard is enough for all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.settings import RecentSymbols
from depthgui.ui.dialogs.symbol_table import MARKET, STAR, STATUS, SYMBOL, TICK, SymbolDelegate, SymbolModel
from depthgui.ui.engine import Market, SymbolRef
from depthgui.ui.symbol_catalogue import SymbolCatalogue
from depthgui.ui.symbol_search import Entry, Query, near_matches, parse_query, search
from depthgui.ui.theme import Theme

_WIDTHS = {MARKET: 136, TICK: 128, STATUS: 112, STAR: 34}
_LIST_KEYS = {
    QtCore.Qt.Key.Key_Up,
    QtCore.Qt.Key.Key_Down,
    QtCore.Qt.Key.Key_PageUp,
    QtCore.Qt.Key.Key_PageDown,
}


class AddSymbolDialog(QtWidgets.QDialog):
    """Search, filter, open. `chosen` carries the symbol; Ctrl+Enter opens and leaves the dialog open."""

    chosen = QtCore.Signal(object)  # SymbolRef
    reload_wanted = QtCore.Signal()

    def __init__(
        self,
        catalogue: SymbolCatalogue,
        recent: RecentSymbols,
        open_refs: Callable[[], Collection[SymbolRef]],
        theme: Theme,
        parent: QtWidgets.QWidget,
    ) -> None:
        """`open_refs` gives the symbols that have a tab now."""
        super().__init__(parent)
        self._catalogue = catalogue
        self._recent = recent
        self._open_refs = open_refs
        self._theme = theme
        self._market: Market | None = None
        self.setObjectName("addSymbolDialog")
        self.setWindowTitle("Add symbol")
        self.setModal(False)
        self._build()
        self._unlisten = catalogue.listen(self.refresh)
        self.refresh()

    def _build(self) -> None:
        self._search = QtWidgets.QLineEdit()
        self._search.setObjectName("symbolSearch")
        self._search.setPlaceholderText("Symbol, base or quote — btc, eth usdc, usdm:sol")
        self._search.setAccessibleName("Search symbols")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self.refresh)
        self._search.installEventFilter(self)
        self._model = SymbolModel(self, self._theme)
        self._list = self._build_list()
        self._message = QtWidgets.QLabel()
        self._message.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._message.setObjectName("symbolMessage")
        self._message.setProperty("role", "muted")
        self._message.setWordWrap(True)
        self._retry = QtWidgets.QPushButton("Try again")
        self._retry.setObjectName("symbolReload")
        self._retry.setProperty("role", "chip")
        self._retry.setAutoDefault(False)
        self._retry.clicked.connect(self.reload_wanted)
        below = QtWidgets.QHBoxLayout()
        below.addWidget(self._message, 1)
        below.addWidget(self._retry, 0, QtCore.Qt.AlignmentFlag.AlignTop)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 16)
        column.setSpacing(10)
        column.addWidget(self._search)
        column.addLayout(self._build_filters())
        column.addWidget(self._list, 1)
        column.addLayout(below)
        column.addLayout(self._build_buttons())
        self.resize(660, 520)

    def _build_filters(self) -> QtWidgets.QHBoxLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(6)
        self._filters = QtWidgets.QButtonGroup(self)
        self._filters.setExclusive(True)
        choices: tuple[tuple[str, Market | None], ...] = (("All", None), *((market.label, market) for market in Market))
        for number, (label, market) in enumerate(choices):
            button = QtWidgets.QPushButton(label)
            button.setObjectName(f"filter{'All' if market is None else market.value.capitalize()}")
            button.setProperty("role", "chip")
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setChecked(market is None)
            button.setShortcut(QtGui.QKeySequence(f"Alt+{number + 1}"))
            button.setToolTip(f"Alt+{number + 1}")
            button.clicked.connect(lambda _checked=False, chosen=market: self.set_market(chosen))
            self._filters.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _build_list(self) -> QtWidgets.QTableView:
        view = QtWidgets.QTableView()
        view.setObjectName("symbolList")
        view.setAccessibleName("Symbols found")
        view.setModel(self._model)
        delegate = SymbolDelegate(view, lambda: self._theme)
        self._model.panel_guard = delegate.panel_guard
        view.setItemDelegate(delegate)
        view.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setShowGrid(False)
        view.setTabKeyNavigation(False)
        view.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.verticalHeader().hide()
        view.verticalHeader().setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.Fixed)
        header = view.horizontalHeader()
        header.hide()
        header.setSectionResizeMode(SYMBOL, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            header.setSectionResizeMode(column, QtWidgets.QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        view.clicked.connect(self._on_clicked)
        view.activated.connect(lambda _index: self.open_current())
        return view

    def _build_buttons(self) -> QtWidgets.QHBoxLayout:
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        self._count = QtWidgets.QLabel()
        self._count.setProperty("role", "small")
        cancel = QtWidgets.QPushButton("Cancel")
        cancel.setObjectName("symbolCancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self._open = QtWidgets.QPushButton("Open tab ⏎")
        self._open.setObjectName("symbolOpen")
        self._open.setAccessibleName("Open tab")
        self._open.setDefault(True)
        self._open.setToolTip("Enter opens; Ctrl+Enter opens and stays here")
        self._open.clicked.connect(self.open_current)
        row.addWidget(self._count, 1)
        row.addWidget(cancel)
        row.addWidget(self._open)
        return row

    def set_market(self, market: Market | None) -> None:
        """Filter by market; None shows all."""
        self._market = market
        self.refresh()
        self._search.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Take over fonts and colours."""
        self._theme = theme
        self._list.verticalHeader().setDefaultSectionSize(round(32 * theme.typeface.scale))
        self._list.viewport().update()

    def refresh(self) -> None:
        """Search again: the text, the filter or the lists changed."""
        text = self._search.text()
        query = parse_query(text)
        entries = self._catalogue.entries()
        preferred = [*self._recent.favourites, *self._recent.recents]
        found = search(entries, query, self._market, preferred)
        is_guess = False
        if not found and not query.is_empty and entries:
            found = near_matches(entries, text, query.market or self._market)
            is_guess = bool(found)
        # Near matches have nothing in common with the text at their beginning: nothing to show in bold.
        self._model.show_rows(found, Query(()) if is_guess else query, self._open_refs(), self._recent.favourites)
        if found:
            self._list.selectRow(0)
            self._list.scrollToTop()
        self._tell(text, found, is_guess=is_guess)

    def _tell(self, text: str, found: list[Entry], *, is_guess: bool) -> None:
        problem = self._catalogue.status_text()
        message = problem
        name = text.strip().upper()
        if name and (is_guess or not found) and self._catalogue.entries():
            message = f"{name} is not a symbol of this venue. " + (
                "Did you mean one of these?" if is_guess else problem
            )
        elif name and not found and problem:
            message = f"{problem}\nEnter opens {name} without the list."
        self._message.setText(message)
        self._message.setVisible(bool(message))
        self._retry.setVisible(self._catalogue.is_complete and self._catalogue.needs_loading)
        number = len(found)
        self._count.setText("" if is_guess or not number else f"{number:,} {'symbol' if number == 1 else 'symbols'}")
        self._open.setEnabled(bool(found) or self._can_open_unlisted())

    def _can_open_unlisted(self) -> bool:
        """True where there is text, and no list that could say whether it is a symbol."""
        return bool(parse_query(self._search.text()).words) and not self._catalogue.entries()

    def open_current(self, _checked: bool = False, *, stay: bool = False) -> None:
        """Open the selected symbol; without any list, what was typed."""
        entry = self._model.entry(self._list.currentIndex().row())
        if entry is not None:
            ref = entry.ref
        elif self._can_open_unlisted():
            query = parse_query(self._search.text())
            ref = SymbolRef(query.market or self._market or Market.SPOT, "".join(query.words))
        else:
            return
        if stay:
            self.chosen.emit(ref)
            self.refresh()
            self._search.selectAll()
            return
        self.accept()
        self.chosen.emit(ref)

    def toggle_favourite(self) -> None:
        """Give the selected symbol a star, or take it away."""
        row = self._list.currentIndex().row()
        entry = self._model.entry(row)
        if entry is None:
            return
        self._recent.toggle_favourite(str(entry.ref))
        self.refresh()
        for number in range(self._model.rowCount()):
            if self._model.entry(number) is entry:
                self._list.selectRow(number)
                break

    def _on_clicked(self, index: QtCore.QModelIndex) -> None:
        if index.column() == STAR:
            self.toggle_favourite()

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Arrow keys move in the list while the cursor stays in the search field."""
        if isinstance(event, QtGui.QKeyEvent):
            is_control = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ControlModifier)
            if (
                event.type() is QtCore.QEvent.Type.ShortcutOverride
                and is_control
                and event.key() == QtCore.Qt.Key.Key_B
            ):
                event.accept()  # the star is for the row here, not for the tab behind
                return True
            if event.type() is QtCore.QEvent.Type.KeyPress:
                return self._on_key(event, is_control=is_control) or super().eventFilter(watched, event)
        return super().eventFilter(watched, event)

    def _on_key(self, event: QtGui.QKeyEvent, *, is_control: bool) -> bool:
        """Act on a key typed in the search field; True if it was ours."""
        if event.key() in _LIST_KEYS:
            QtWidgets.QApplication.sendEvent(self._list, event)
            return True
        if event.key() in {QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter}:
            self.open_current(stay=is_control)
            return True
        if is_control and event.key() == QtCore.Qt.Key.Key_B:
            self.toggle_favourite()
            return True
        return False

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """Ready to type."""
        super().showEvent(event)
        self.set_theme(self._theme)
        self._search.setFocus()
        self._search.selectAll()
        self.refresh()

    def done(self, result: int) -> None:
        """Stop following the lists when it is closed."""
        self._unlisten()
        super().done(result)
