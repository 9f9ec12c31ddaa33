"""All open pages: opening, closing, reopening, popping out and back, and their memory between two runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.settings import TabState
from depthgui.settings.state import VenueTabs
from depthgui.ui.engine import FeedState, SymbolRef, parse_symbol_ref
from depthgui.ui.key_window import KeyWindow
from depthgui.ui.symbol_tab import SymbolTab
from depthgui.ui.tabs import SymbolTabs

_MOST_CLOSED = 20


@dataclass(frozen=True, slots=True)
class ClosedTab:
    """A tab that was closed, and where it stood."""

    state: TabState
    index: int


class PoppedWindow(KeyWindow):
    """A window of its own for one page; closing it puts the page back among the tabs."""

    back_wanted = QtCore.Signal(object)  # SymbolTab

    def __init__(self, page: SymbolTab, parent: QtWidgets.QWidget) -> None:
        """Take the page over."""
        super().__init__(parent, QtCore.Qt.WindowType.Window)
        self.page = page
        self.setObjectName(f"window-{page.ref}")
        self.setWindowTitle(f"{page.symbol} · {page.market.label} — DepthGUI")
        self.setCentralWidget(page)
        # The same commands as in the main window; they act on the page of the window that is active.
        self.addActions(parent.actions())
        page.show()
        self.resize(980, 640)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Give the page back first."""
        self.back_wanted.emit(self.page)
        super().closeEvent(event)


class Pages(QtCore.QObject):
    """The pages in the tabs and in windows of their own.

    `make_page` builds a page for a symbol; `release` is told when one is closed for good.
    """

    changed = QtCore.Signal()
    opened = QtCore.Signal(object)  # SymbolTab

    def __init__(
        self,
        tabs: SymbolTabs,
        make_page: Callable[[SymbolRef], SymbolTab],
        release: Callable[[SymbolTab], None],
        parent: QtWidgets.QWidget,
    ) -> None:
        """Manage the pages of `tabs`."""
        super().__init__(parent)
        self._parent = parent
        self._tabs = tabs
        self._make_page = make_page
        self._release = release
        self._windows: dict[SymbolTab, PoppedWindow] = {}
        self._closed: list[ClosedTab] = []

    def all(self) -> list[SymbolTab]:
        """Every page: those in the tabs, then those in windows of their own."""
        return [*self.in_tabs(), *self._windows]

    def in_tabs(self) -> list[SymbolTab]:
        """The pages in the tabs, from left to right."""
        return [page for page in self._tabs.pages() if isinstance(page, SymbolTab)]

    def current(self) -> SymbolTab | None:
        """The page in front: in the active window of its own, else the current tab."""
        active = QtWidgets.QApplication.activeWindow()
        if isinstance(active, PoppedWindow) and active.page in self._windows:
            return active.page
        page = self._tabs.currentWidget()
        return page if isinstance(page, SymbolTab) else None

    def of(self, refs: Iterable[SymbolRef]) -> list[SymbolTab]:
        """The pages of these symbols."""
        wanted = set(refs)
        return [page for page in self.all() if page.ref in wanted]

    @property
    def has_closed(self) -> bool:
        """True when there is a tab to reopen."""
        return bool(self._closed)

    def open(
        self,
        ref: SymbolRef,
        *,
        index: int = -1,
        layout: dict[str, str] | None = None,
        in_front: bool = True,
        again: bool = False,
    ) -> SymbolTab:
        """Open a page, or bring the symbol's page to the front; `again` makes a second one."""
        if not again:
            for page in self.of([ref]):
                if in_front:
                    self.show(page)
                return page
        page = self._make_page(ref)
        if layout:
            page.restore_layout(layout)
        self._tabs.add_page(page, ref.symbol, index)
        if in_front:
            self._tabs.setCurrentWidget(page)
        self.opened.emit(page)
        self.changed.emit()
        return page

    def show(self, page: SymbolTab) -> None:
        """Bring a page to the front."""
        window = self._windows.get(page)
        if window is None:
            self._tabs.setCurrentWidget(page)
        else:
            window.raise_()
            window.activateWindow()

    def close(self, page: SymbolTab) -> None:
        """Close a page for good; `reopen` brings its symbol back."""
        index = self._tabs.indexOf(page)
        self._closed.append(ClosedTab(tab_state(page), index))
        del self._closed[:-_MOST_CLOSED]
        if index >= 0:
            self._tabs.removeTab(index)
        window = self._windows.pop(page, None)
        self._release(page)
        page.setParent(None)
        page.deleteLater()
        if window is not None:
            window.deleteLater()
        self.changed.emit()

    def close_all(self) -> None:
        """Close every page without remembering it for `reopen`."""
        for page in self.all():
            self.close(page)
        self._closed.clear()

    def reopen(self) -> SymbolTab | None:
        """Open the tab that was closed last, in its old place."""
        if not self._closed:
            return None
        closed = self._closed.pop()
        page = self.open(parse_symbol_ref(closed.state.symbol), index=closed.index, layout=closed.state.layout)
        self.changed.emit()
        return page

    def pop_out(self, page: SymbolTab) -> None:
        """Give a page a window of its own; one that has one comes back."""
        if page in self._windows:
            self._windows[page].close()
            return
        index = self._tabs.indexOf(page)
        if index < 0:
            return
        self._tabs.removeTab(index)
        window = PoppedWindow(page, self._parent)
        window.back_wanted.connect(self._put_back)
        self._windows[page] = window
        window.show()
        self.changed.emit()

    def _put_back(self, page: SymbolTab) -> None:
        window = self._windows.pop(page, None)
        if window is None:
            return
        window.takeCentralWidget()
        self._tabs.add_page(page, page.symbol)
        self._tabs.setCurrentWidget(page)
        page.state_changed.emit(page)
        window.deleteLater()
        self.changed.emit()

    def step(self, by: int) -> None:
        """Go to the next (1) or previous (-1) tab, round the end."""
        if self._tabs.count():
            self._tabs.setCurrentIndex((self._tabs.currentIndex() + by) % self._tabs.count())

    def go_to(self, number: int) -> None:
        """Go to tab 1 to 8; 9 is the last one."""
        last = self._tabs.count() - 1
        index = last if number == 9 else number - 1
        if 0 <= index <= last:
            self._tabs.setCurrentIndex(index)

    def remember(self) -> VenueTabs:
        """What `restore` takes."""
        tabs = [tab_state(page) for page in self.in_tabs()]
        popped = [tab_state(page) for page in self._windows]
        for state in popped:
            state.is_popped_out = True
        return VenueTabs(tabs=tabs + popped, current=max(0, self._tabs.currentIndex()))

    def restore(self, remembered: VenueTabs) -> Iterator[tuple[SymbolTab, bool]]:
        """Open remembered tabs as they were, one with each step, the one in front first.

        Gives each page and whether it was stopped. Unreadable symbols are left out.
        """
        in_order = list(enumerate(remembered.tabs))
        in_order.sort(key=lambda numbered: numbered[0] != remembered.current)
        left_of_front = 0
        for number, state in in_order:
            try:
                ref = parse_symbol_ref(state.symbol)
            except ValueError:
                continue
            is_left = number < remembered.current
            page = self.open(ref, index=left_of_front if is_left else -1, layout=state.layout, in_front=False)
            left_of_front += is_left
            if state.is_popped_out:
                self.pop_out(page)
            yield page, state.is_stopped


def running_refs(remembered: VenueTabs) -> list[SymbolRef]:
    """The symbols of remembered tabs, the one in front first; without those that were stopped or are unreadable."""
    tabs = remembered.tabs
    front = tabs[remembered.current : remembered.current + 1]
    refs = []
    for state in (*front, *tabs):
        if state.is_stopped:
            continue
        try:
            refs.append(parse_symbol_ref(state.symbol))
        except ValueError:
            continue
    return list(dict.fromkeys(refs))


def tab_state(page: SymbolTab) -> TabState:
    """What is remembered of a page."""
    return TabState(
        symbol=str(page.ref),
        is_stopped=page.feed_state is FeedState.STOPPED and page.feed is not None,
        layout=page.layout_state(),
    )
