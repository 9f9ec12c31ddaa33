"""The row of tabs: a state mark and a note on each, movable, closable, "+" at the end, a list when it overflows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.icons import state_icon, themed_icon
from depthgui.ui.theme import Theme
from depthgui.ui.wording import tool_tip

_MARK_PX = 12
_PLUS_GAP = 6
_SPARE_PX = 10


class SymbolTabs(QtWidgets.QTabWidget):
    """A QTabWidget whose signals speak of pages, not of numbers."""

    add_wanted = QtCore.Signal()
    close_wanted = QtCore.Signal(QtWidgets.QWidget)
    menu_wanted = QtCore.Signal(QtWidgets.QWidget, QtCore.QPoint)  # page, where on the screen

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Start without tabs."""
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("symbolTabs")
        self.setTabBar(_TabBar())
        self.setMovable(True)
        self.setDocumentMode(True)
        self.setElideMode(QtCore.Qt.TextElideMode.ElideNone)
        self.setUsesScrollButtons(True)
        self.setIconSize(QtCore.QSize(_MARK_PX, _MARK_PX))
        bar = self.tabBar()
        bar.setAccessibleName("Symbols")
        bar.setExpanding(False)
        bar.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
        bar.customContextMenuRequested.connect(self._on_context_menu)
        bar.installEventFilter(self)
        self._plus = self._button("tabAdd", "Add symbol (Ctrl+T)", self.add_wanted.emit)
        # Where the bar is too short for its tabs, "+" stands at its end, beside the list of all tabs.
        self._corner_plus = self._button("tabAddCorner", "Add symbol (Ctrl+T)", self.add_wanted.emit)
        self._list = self._button("tabList", "All tabs", self._show_list)
        self._corner = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(self._corner)
        row.setContentsMargins(_PLUS_GAP, 0, _PLUS_GAP, 0)
        row.setSpacing(2)
        row.addWidget(self._corner_plus)
        row.addWidget(self._list)
        self.setCornerWidget(self._corner, QtCore.Qt.Corner.TopRightCorner)
        self._corner.hide()
        self.set_theme(theme)

    def _button(self, name: str, tip: str, on_click: Callable[[], None]) -> QtWidgets.QToolButton:
        button = QtWidgets.QToolButton(self)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.clicked.connect(lambda _checked=False: on_click())
        return button

    def pages(self) -> list[QtWidgets.QWidget]:
        """All pages, from left to right."""
        return [page for index in range(self.count()) if (page := self.widget(index)) is not None]

    def add_page(self, page: QtWidgets.QWidget, title: str, index: int = -1) -> int:
        """Add a page, at the end by default; returns its place."""
        place = self.insertTab(index, page, title)
        self.tabBar().setTabButton(place, QtWidgets.QTabBar.ButtonPosition.LeftSide, None)
        side = _TabSide(title, self._theme)
        side.close_clicked.connect(lambda: self.close_wanted.emit(page))
        self.tabBar().setTabButton(place, QtWidgets.QTabBar.ButtonPosition.RightSide, side)
        self._place_plus()
        return place

    def mark(self, page: QtWidgets.QWidget, state: str, note: str, tip: str) -> None:
        """Show a page's state ("live", ...): its mark, the note beside its title, and its tool tip."""
        place = self.indexOf(page)
        if place < 0:
            return
        self.setTabIcon(place, state_icon(state, self._theme.palette))
        self.setTabToolTip(place, tool_tip(tip))
        self.tabBar().setAccessibleTabName(place, f"{self.tabText(place)}, {note}, {state}")
        side = self._side(place)
        if side is not None and side.show_note(note, state):
            self._refit(place)

    def _side(self, place: int) -> _TabSide | None:
        side = self.tabBar().tabButton(place, QtWidgets.QTabBar.ButtonPosition.RightSide)
        return side if isinstance(side, _TabSide) else None

    def _refit(self, place: int) -> None:
        """Make the bar lay its tabs out again: it reads the size of a tab's button only when the button is set."""
        side = self._side(place)
        bar = self.tabBar()
        bar.setTabButton(place, QtWidgets.QTabBar.ButtonPosition.RightSide, None)
        bar.setTabButton(place, QtWidgets.QTabBar.ButtonPosition.RightSide, side)
        if side is not None:
            side.show()

    def set_theme(self, theme: Theme) -> None:
        """Tint the buttons; the owner marks the tabs again."""
        self._theme = theme
        for plus in (self._plus, self._corner_plus):
            plus.setIcon(themed_icon("add", theme.palette, "muted"))
        self._list.setIcon(themed_icon("chevron-down", theme.palette, "muted"))
        for place in range(self.count()):
            side = self._side(place)
            if side is not None:
                side.set_theme(theme)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Keep "+" behind the last tab; a middle click closes."""
        kinds = QtCore.QEvent.Type
        if watched is self.tabBar():
            if event.type() in {kinds.Resize, kinds.Move, kinds.Show, kinds.LayoutRequest}:
                self._place_plus()
            elif isinstance(event, QtGui.QMouseEvent) and _is_middle_click(event):
                self._close_at(event.position().toPoint())
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Lay out "+" and the list button again."""
        super().resizeEvent(event)
        self._place_plus()

    def tabInserted(self, index: int) -> None:
        """Keep "+" in place."""
        super().tabInserted(index)
        self._place_plus()

    def tabRemoved(self, index: int) -> None:
        """Keep "+" in place."""
        super().tabRemoved(index)
        self._place_plus()

    def _place_plus(self) -> None:
        bar = self.tabBar()
        size = self._plus.sizeHint()
        wanted = sum(bar.tabRect(index).width() for index in range(self.count()))
        does_overflow = bar.x() + wanted + size.width() + 2 * _PLUS_GAP > self.width()
        self._corner.setVisible(does_overflow)
        self._plus.setVisible(not does_overflow)
        right = bar.x() + wanted
        height = max(bar.height(), size.height())
        self._plus.setGeometry(right + _PLUS_GAP, (height - size.height()) // 2 + 2, size.width(), size.height())
        self._plus.raise_()

    def _close_at(self, position: QtCore.QPoint) -> None:
        index = self.tabBar().tabAt(position)
        if index >= 0:
            self.close_wanted.emit(self.widget(index))

    def _on_context_menu(self, position: QtCore.QPoint) -> None:
        index = self.tabBar().tabAt(position)
        if index >= 0:
            self.menu_wanted.emit(self.widget(index), self.tabBar().mapToGlobal(position))

    def _show_list(self) -> None:
        menu = QtWidgets.QMenu(self)
        menu.setObjectName("tabListMenu")
        menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        for index in range(self.count()):
            action = menu.addAction(self.tabIcon(index), self.tabText(index))
            action.setCheckable(True)
            action.setChecked(index == self.currentIndex())
            action.triggered.connect(lambda _checked=False, chosen=index: self.setCurrentIndex(chosen))
        menu.popup(self._list.mapToGlobal(self._list.rect().bottomLeft()))


def _is_middle_click(event: QtGui.QMouseEvent) -> bool:
    is_release = event.type() is QtCore.QEvent.Type.MouseButtonRelease
    return is_release and event.button() is QtCore.Qt.MouseButton.MiddleButton


class _TabBar(QtWidgets.QTabBar):
    """Tabs a little narrower than the style makes them: the note belongs to the title."""

    def tabSizeHint(self, index: int) -> QtCore.QSize:
        """The style's size without the space it leaves for a button that stands alone."""
        return super().tabSizeHint(index) - QtCore.QSize(_SPARE_PX, 0)


class _TabSide(QtWidgets.QWidget):
    """What stands right of a tab's title: the note and the close button."""

    close_clicked = QtCore.Signal()

    def __init__(self, title: str, theme: Theme) -> None:
        super().__init__()
        self._note = QtWidgets.QLabel(self)
        self._note.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self._close = QtWidgets.QToolButton(self)
        self._close.setObjectName("tabClose")
        self._close.setAutoRaise(True)
        self._close.setFocusPolicy(QtCore.Qt.FocusPolicy.NoFocus)
        self._close.setIconSize(QtCore.QSize(12, 12))
        self._close.setFixedSize(20, 20)
        self._close.setAccessibleName(f"Close {title}")
        self._close.setToolTip("Close tab (Ctrl+W)")
        self._close.clicked.connect(self.close_clicked)
        self._row = QtWidgets.QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._row.addWidget(self._note)
        self._row.addWidget(self._close)
        self.set_theme(theme)

    def show_note(self, note: str, state: str) -> bool:
        """Show the note in the colour of the state; True when the width changed."""
        role = {"reconnecting": "amber", "stale": "amber", "halted": "amber", "failed": "ask"}.get(state, "muted")
        if self._note.property("role") != role:
            self._note.setProperty("role", role)
            self._note.style().unpolish(self._note)
            self._note.style().polish(self._note)
        if self._note.text() == note:
            return False
        before = self.sizeHint().width()
        self._note.setText(note)
        self._row.activate()
        self.adjustSize()
        return self.sizeHint().width() != before

    def set_theme(self, theme: Theme) -> None:
        """Take over font and icon."""
        self._note.setFont(theme.typeface.font(11))
        self._close.setIcon(themed_icon("close", theme.palette, "muted"))
        # The bar's own tool buttons are its scroll arrows; this one must not look like them.
        self._close.setStyleSheet(
            "QToolButton { background: transparent; border: none; border-radius: 4px; padding: 0; margin: 0; }"
            f"QToolButton:hover {{ background: {theme.palette.hover}; }}"
        )
        self.adjustSize()
