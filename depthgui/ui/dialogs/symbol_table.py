"""The rows of the add-symbol dialog: a model over the search's result, and a delegate that shows the match in bold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.engine import SymbolRef
from depthgui.ui.icons import themed_icon
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.symbol_search import Entry, Query, matched_length
from depthgui.ui.theme import Theme
from depthgui.ui.wording import tool_tip

REF_ROLE = int(QtCore.Qt.ItemDataRole.UserRole)
MATCH_ROLE = REF_ROLE + 1
TONE_ROLE = REF_ROLE + 2

SYMBOL, MARKET, TICK, STATUS, STAR = range(5)
_TITLES = ("Symbol", "Market", "Tick", "Status", "Favourite")
_KINDS = {"perpetual": "perpetual", "quarterly": "quarterly", "option": "option"}
_Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex


def market_text(entry: Entry) -> str:
    """Market and kind: Spot, USD-M perpetual, Option."""
    label = entry.ref.market.label
    kind = _KINDS.get(entry.info.kind.lower(), "")
    if kind == "option":
        return "Option"
    return f"{label} {kind}".strip()


@guarded
class SymbolModel(QtCore.QAbstractTableModel):
    """The symbols found, one a row."""

    def __init__(self, parent: QtCore.QObject, theme: Theme) -> None:
        """Start empty; its view's delegate brings the `panel_guard`."""
        super().__init__(parent)
        self.panel_guard: PanelGuard
        self._theme = theme
        self._rows: Sequence[Entry] = ()
        self._query = Query(())
        self._open: Collection[SymbolRef] = ()
        self._favourites: Collection[str] = ()
        self._givers: dict[int, Callable[[Entry, int], object]] = {
            QtCore.Qt.ItemDataRole.DisplayRole: self._text,
            QtCore.Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            QtCore.Qt.ItemDataRole.ToolTipRole: self._tool_tip,
            QtCore.Qt.ItemDataRole.DecorationRole: self._star,
            REF_ROLE: lambda entry, _column: entry.ref,
            MATCH_ROLE: lambda entry, _column: matched_length(entry, self._query),
            TONE_ROLE: self._tone,
        }

    def show_rows(
        self, rows: Sequence[Entry], query: Query, open_refs: Collection[SymbolRef], favourites: Collection[str]
    ) -> None:
        """Replace what is shown."""
        self.beginResetModel()
        self._rows, self._query, self._open, self._favourites = rows, query, open_refs, favourites
        self.endResetModel()

    def entry(self, row: int) -> Entry | None:
        """The symbol in a row, None outside the list."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: _Index | None = None) -> int:
        """One row a symbol."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Symbol, market, tick, status, star."""
        return 0 if parent is not None and parent.isValid() else len(_TITLES)

    def headerData(self, section: int, orientation: QtCore.Qt.Orientation, role: int = 0) -> object:
        """Column titles, for those who hear the table."""
        if role == QtCore.Qt.ItemDataRole.DisplayRole and orientation is QtCore.Qt.Orientation.Horizontal:
            return _TITLES[section]
        return None

    def data(self, index: _Index, role: int = 0) -> object:
        """Text, tool tip and the roles of this module."""
        entry = self.entry(index.row())
        give = self._givers.get(role)
        return None if entry is None or give is None else give(entry, index.column())

    def _spoken(self, entry: Entry, column: int) -> str | None:
        if column != SYMBOL:
            return None
        return ", ".join(filter(None, (self._text(entry, part) for part in (SYMBOL, MARKET, TICK, STATUS))))

    def _tool_tip(self, entry: Entry, column: int) -> str:
        return "Favourite (Ctrl+B)" if column == STAR else tool_tip(f"{entry.info.base} / {entry.info.quote}")

    def _star(self, entry: Entry, column: int) -> QtGui.QIcon | None:
        if column != STAR:
            return None
        is_favourite = str(entry.ref) in self._favourites
        name, colour = ("star-filled", "amber") if is_favourite else ("star", "faint")
        return themed_icon(name, self._theme.palette, colour)

    def _text(self, entry: Entry, column: int) -> str:
        if column == SYMBOL:
            return entry.info.symbol
        if column == MARKET:
            return market_text(entry)
        if column == TICK:
            tick = entry.info.tick
            return "" if tick is None else f"tick {tick.normalize():f}"
        if column == STATUS:
            if entry.ref in self._open:
                return "open in a tab"
            return entry.info.status.lower().replace("_", " ")
        return ""

    def _tone(self, entry: Entry, column: int) -> str:
        if column == STATUS:
            if entry.ref in self._open:
                return "accent"
            return "muted" if entry.is_trading else "amber"
        if column == SYMBOL:
            return "text" if entry.is_trading else "muted"
        return "text" if column == MARKET else "muted"


@guarded
class SymbolDelegate(QtWidgets.QStyledItemDelegate):
    """Paints a row: the typed beginning of the symbol in bold, the rest in the column's colour."""

    def __init__(self, view: QtWidgets.QAbstractItemView, theme: Callable[[], Theme]) -> None:
        """`theme` gives the theme in use; what painting raises is shown in the place of `view`."""
        super().__init__(view)
        self.panel_guard = PanelGuard(view, "list of symbols", view.viewport().update)
        self._theme = theme

    def paint(self, painter: QtGui.QPainter, option: QtWidgets.QStyleOptionViewItem, index: _Index) -> None:
        """Background by the style, text by hand."""
        text = str(index.data(QtCore.Qt.ItemDataRole.DisplayRole) or "")
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(
            QtWidgets.QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget
        )
        if not text:
            return
        theme = self._theme()
        rect = option.rect.adjusted(8, 0, -8, 0)
        painter.save()
        try:
            self._draw_text(painter, rect, theme, index, text)
        finally:
            painter.restore()

    @staticmethod
    def _draw_text(painter: QtGui.QPainter, rect: QtCore.QRect, theme: Theme, index: _Index, text: str) -> None:
        painter.setPen(theme.colour(str(index.data(TONE_ROLE))))
        bold = int(index.data(MATCH_ROLE) or 0) if index.column() == SYMBOL else 0
        if bold:
            font = theme.typeface.font(13, 700)
            painter.setFont(font)
            painter.drawText(rect, _LEFT, text[:bold])
            rect.setLeft(rect.left() + QtGui.QFontMetrics(font).horizontalAdvance(text[:bold]))
        painter.setFont(theme.typeface.font(13))
        rest = painter.fontMetrics().elidedText(text[bold:], QtCore.Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, _LEFT, rest)


_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
