"""The main window: menu, tabs of symbols, status bar; hands the hub's feeds to the pages and the hub's news to people.

It owns no data and no connection: `attach` gives it a venue, `detach` takes it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.settings import Profile, SessionState, schema
from depthgui.settings.state import VenueTabs
from depthgui.ui.actions import ActionRegistry, Menu
from depthgui.ui.commands import Commands
from depthgui.ui.dialogs.connection_text import tab_note
from depthgui.ui.dialogs.connections import ConnectionDialogs
from depthgui.ui.engine import ConnectionPhase, ConnectionStatus, Feed, FeedState, SymbolRef
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.icons import app_icon
from depthgui.ui.key_window import KeyWindow
from depthgui.ui.notice_bar import NoticeBar
from depthgui.ui.pages import Pages
from depthgui.ui.paint_meter import PaintMeter
from depthgui.ui.status_bar import StatusBar, StatusFigures
from depthgui.ui.symbol_catalogue import SymbolCatalogue
from depthgui.ui.symbol_tab import PANEL_NAMES, SymbolTab
from depthgui.ui.tab_menu import make_tab_menu
from depthgui.ui.tabs import SymbolTabs
from depthgui.ui.tasks import Tasks
from depthgui.ui.theme import Theme, ThemeManager
from depthgui.ui.venues import DATA_ONLY, ConnectedVenue, VenueSwitch
from depthgui.ui.viewmodels.trading_status import HALTED, halt_of, shown_state
from depthgui.ui.welcome import WelcomePage
from depthgui.ui.window_dialogs import WindowDialogs
from depthgui.ui.window_place import place_of, restore_place
from depthgui.ui.wording import TimeZone, sentence
from depthgui.ui.workspaces import Workspaces

_TICK_MS = 500
_METER_S = 2.0
_SAVE_AFTER_MS = 1500
_TURN_S = 0.001  # enough for Qt to paint what has changed
_IN_FRONT, _BEHIND = 0, 1  # whose snapshot is fetched first
_WAITING_STATES = frozenset({FeedState.CONNECTING, FeedState.STALE, FeedState.RECONNECTING})


@dataclass(frozen=True, slots=True)
class Services:
    """What the window is given. `now_s` is the event loop's clock, `wall_s` the Unix time in seconds."""

    themes: ThemeManager
    profile: Profile
    clock: FrameClock
    tasks: Tasks
    switch: VenueSwitch
    now_s: Callable[[], float]
    wall_s: Callable[[], float]


class MainWindow(KeyWindow):
    """The application's window. `closed` is emitted once, when the user has closed it."""

    closed = QtCore.Signal()

    def __init__(self, services: Services) -> None:
        """Build it, without a venue."""
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("DepthGUI")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(760, 480)
        self._services = services
        self._profile = services.profile
        self._venue: ConnectedVenue | None = None
        self._catalogue: SymbolCatalogue | None = None
        self._unlisten: list[Callable[[], None]] = []
        self._is_compact = False
        self.is_closed = False
        self._is_reopening = False
        self._feeds: dict[SymbolRef, Feed] = {}
        theme = services.themes.theme
        self.notices = NoticeBar(theme)
        self.tabs = SymbolTabs(theme)
        self.pages = Pages(self.tabs, self._make_page, self._release, self)
        self.welcome = WelcomePage(theme)
        self.status = StatusBar(theme)
        self._meter = PaintMeter(services.clock, self._feeds.values, services.now_s)
        self.dialogs = WindowDialogs(self, services)
        self.connections = ConnectionDialogs(self, self, theme, self.zone, services.now_s)
        self.actions_by_name = ActionRegistry(self, Commands(self), self._profile.settings.shortcuts)
        self._build()
        self._connect()
        self._restore_geometry()
        self._on_theme(theme)
        self._on_pages_changed()

    # ---- building

    def _build(self) -> None:
        self._centre = QtWidgets.QStackedWidget()
        self._centre.addWidget(self.welcome)
        self._centre.addWidget(self.tabs)
        body = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._centre, 1)
        column.addWidget(self.notices)
        self.setCentralWidget(body)
        self.setStatusBar(self.status)
        menus = self.actions_by_name.fill_menu_bar(self.menuBar())
        self.workspaces = Workspaces(self, menus[Menu.VIEW].addMenu("&Workspaces"))
        self._brand = QtWidgets.QLabel("DepthGUI")
        self._brand.setContentsMargins(14, 0, 10, 0)
        self.menuBar().setCornerWidget(self._brand, QtCore.Qt.Corner.TopLeftCorner)
        for number in range(1, 10):
            shortcut = QtGui.QShortcut(QtGui.QKeySequence(f"Ctrl+{number}"), self)
            shortcut.activated.connect(lambda chosen=number: self.pages.go_to(chosen))

    def _connect(self) -> None:
        self.tabs.add_wanted.connect(self.dialogs.add_symbol)
        self.tabs.close_wanted.connect(self.pages.close)
        self.tabs.menu_wanted.connect(self._show_tab_menu)
        self.tabs.currentChanged.connect(self._on_current_changed)
        self.pages.changed.connect(self._on_pages_changed)
        self.pages.opened.connect(self._on_opened)
        self.welcome.search_wanted.connect(self.dialogs.add_symbol)
        self.welcome.symbol_chosen.connect(self.open_symbol)
        self.welcome.venue_chosen.connect(self.switch_venue)
        self.welcome.retry_wanted.connect(self.reload_catalogue)
        self.welcome.back_wanted.connect(self._on_pages_changed)
        self.notices.log_wanted.connect(self.open_log)
        self.status.troubles_clicked.connect(self.show_connection_problems)
        self._services.themes.changed.connect(self._on_theme)
        self._unlisten.append(self._profile.settings.listen(self._on_setting))
        self._tick_timer = QtCore.QTimer(self, interval=_TICK_MS)
        self._tick_timer.timeout.connect(self._tick)
        self._tick_timer.start()
        self._save_timer = QtCore.QTimer(self, interval=_SAVE_AFTER_MS, singleShot=True)
        self._save_timer.timeout.connect(self.save_session)

    # ---- the venue

    @property
    def venue(self) -> ConnectedVenue | None:
        """The venue in use."""
        return self._venue

    @property
    def state(self) -> SessionState:
        """What is remembered between two runs."""
        return self._profile.state

    @property
    def catalogue(self) -> SymbolCatalogue | None:
        """The venue's symbol lists."""
        return self._catalogue

    def attach(self, venue: ConnectedVenue) -> None:
        """Use this venue: its tabs come back, its connections are followed."""
        self._venue = venue
        cache_dir = self._profile.paths.cache_dir
        self._catalogue = SymbolCatalogue(venue.hub, venue.key, venue.markets, cache_dir, self._services.wall_s)
        self._catalogue_unlisten = self._catalogue.listen(self._on_catalogue)
        self.connections.attach(venue.hub)
        self._venue_unlisten = venue.hub.listen(self._on_connection)
        self.welcome.show_venue(venue.choice.key, f"{venue.name}: {venue.choice.blurb}")
        self.welcome.show_symbols(venue.popular)
        self.welcome.show_problem("")
        self._services.tasks.spawn(self._catalogue.load(), "load symbol lists")
        self._tick()

    def show_no_venue(self, key: str, problem: str) -> None:
        """Say that there is no venue now, and why; another can be chosen."""
        self.welcome.show_venue(key, "Not connected.")
        self.welcome.show_problem(sentence(problem))
        self.welcome.show_symbols(())
        self.show_welcome()

    def settle_in(self) -> None:
        """A venue was chosen by hand: without tabs of its own, its symbols are offered."""
        self._on_pages_changed()

    def detach(self) -> None:
        """Let go of the venue: pages are remembered and closed."""
        if self._venue is None:
            return
        self.save_session()
        self.dialogs.leave_venue()
        self._venue_unlisten()
        self._catalogue_unlisten()
        self.connections.detach()
        self._venue = None
        self.pages.close_all()
        self._feeds.clear()
        self._catalogue = None

    def switch_venue(self, key: str) -> None:
        """Ask for another environment; "custom" needs the address of the settings."""
        endpoint = self._profile.settings.get(schema.ENDPOINT)
        if key == "custom" and not endpoint:
            self.dialogs.settings()
            return
        self._services.tasks.spawn(self._services.switch.switch(key, endpoint), f"switch to {key}")

    def _use_data_only(self, page: SymbolTab) -> None:
        """The region is not served: the same symbol from the hosts that serve more."""
        ref = page.ref

        async def use() -> None:
            await self._services.switch.switch(DATA_ONLY)
            self.open_symbol(ref)

        self._services.tasks.spawn(use(), "switch to the data-only hosts")

    def _on_catalogue(self) -> None:
        catalogue, venue = self._catalogue, self._venue
        if catalogue is None or venue is None or not catalogue.is_complete:
            return
        problem = catalogue.problem_text()
        if problem and venue.choice.key != "demo":
            problem = f"{sentence(problem)} The embedded exchange works without a network."
        self.welcome.show_problem(problem)
        if not venue.choice.popular and not venue.symbols:
            traded = [
                str(entry.ref)
                for entry in sorted(catalogue.entries(), key=lambda entry: entry.order)
                if entry.is_trading
            ]
            self.welcome.show_symbols(traded, "Symbols")

    # ---- pages

    @property
    def zone(self) -> TimeZone:
        """The clock that times are told in."""
        return TimeZone(self._profile.settings.get(schema.TIME_ZONE))

    def open_symbol(self, ref: SymbolRef) -> SymbolTab:
        """Open a tab for a symbol, or bring its tab to the front."""
        return self.pages.open(ref)

    def duplicate(self, page: SymbolTab) -> None:
        """A second page of the same symbol, with the same layout."""
        self.pages.open(page.ref, layout=page.layout_state(), again=True)

    async def restore_session(self) -> None:
        """Open the tabs that this venue had when it was last used; the one in front is painted before the others come.

        What is remembered stays as it is until all are there.
        """
        if self._venue is None:
            return
        self._is_reopening = True
        for page, is_stopped in self.pages.restore(self._profile.state.tabs_of(self._venue.key)):
            self._stop_again(page, is_stopped=is_stopped)
            await asyncio.sleep(_TURN_S)
            if self.is_closed:
                return
        self._is_reopening = False

    def reopen(self, remembered: VenueTabs) -> None:
        """Open remembered tabs as they were, stopped ones stopped."""
        for page, is_stopped in self.pages.restore(remembered):
            self._stop_again(page, is_stopped=is_stopped)

    def _stop_again(self, page: SymbolTab, *, is_stopped: bool) -> None:
        if is_stopped and page.feed is not None:
            self._services.tasks.spawn(page.feed.stop(), f"stop {page.ref}")

    def _make_page(self, ref: SymbolRef) -> SymbolTab:
        from depthgui.ui.panels import Panels  # what paints comes after the first window: it takes long to import

        theme = self._services.themes.theme
        panels = Panels(theme, self._services.clock)
        page = SymbolTab(ref, panels, theme, self.zone, self._services.now_s)
        page.state_changed.connect(self._on_page_state)
        page.stop_wanted.connect(self.stop_or_start)
        page.retry_wanted.connect(self.retry_page)
        page.close_wanted.connect(self.pages.close)
        page.open_wanted.connect(self.open_symbol)
        page.data_only_wanted.connect(self._use_data_only)
        page.search_wanted.connect(self.dialogs.add_symbol)
        panels.apply_settings(self._profile.settings)
        if self._is_compact:
            page.set_compact(is_compact=True)
        return page

    def _on_opened(self, page: SymbolTab) -> None:
        if self._venue is None:
            return
        feed = self._feeds.get(page.ref)
        if feed is None:
            feed = self._feeds[page.ref] = self._venue.make_feed(page.ref)
            feed.wake = self._services.clock.wake
            feed.urgency = _BEHIND
            if feed.state is FeedState.STOPPED:  # it may have begun before its tab, and even have failed by now
                feed.start()
        page.attach(feed)
        self._profile.state.symbols_of(self._venue.key).opened(str(page.ref))
        self._show_connection_of(page)

    def _release(self, page: SymbolTab) -> None:
        page.detach()
        self._services.tasks.spawn(self._stop_unused(page.ref), f"stop {page.ref}")

    async def _stop_unused(self, ref: SymbolRef) -> None:
        """Stop a symbol's feed unless a page shows it; it may have been opened again in the meantime."""
        feed = self._feeds.get(ref)
        if feed is not None and not self.pages.of([ref]):
            del self._feeds[ref]
            await feed.stop()

    def stop_or_start(self, page: SymbolTab) -> None:
        """Stop the page's feed, or start it again; other pages go on."""
        feed = page.feed
        if feed is None:
            return
        if feed.state in {FeedState.STOPPED, FeedState.FAILED}:
            feed.start()
        else:
            self._services.tasks.spawn(feed.stop(), f"stop {page.ref}")

    def resync(self, page: SymbolTab) -> None:
        """Fetch a fresh snapshot for the page."""
        if page.feed is not None:
            page.feed.resync()

    def retry_page(self, page: SymbolTab) -> None:
        """Try again at once, whatever kept the page from being live."""
        if page.feed is None or self._venue is None:
            return
        connection = page.connection
        if connection is not None and connection.phase in {ConnectionPhase.WAITING, ConnectionPhase.FAILED}:
            self._venue.hub.retry_now(connection.key)
        if page.feed.state in {FeedState.FAILED, FeedState.STOPPED}:
            page.feed.start()

    def toggle_favourite(self, page: SymbolTab) -> None:
        """Give the page's symbol a star, or take it away."""
        if self._venue is None:
            return
        has_star = self._profile.state.symbols_of(self._venue.key).toggle_favourite(str(page.ref))
        self.notify(f"{page.symbol} is {'now' if has_star else 'no longer'} a favourite")
        self._on_pages_changed()

    # ---- what the connection dialogs ask (TabCommands)

    def stop_symbols(self, refs: tuple[SymbolRef, ...]) -> None:
        """Stop the tabs of these symbols."""
        for page in self.pages.of(refs):
            if page.feed_state is not FeedState.STOPPED:
                self.stop_or_start(page)

    def start_failed(self, refs: tuple[SymbolRef, ...]) -> None:
        """Start those tabs of these symbols again that had given up."""
        for page in self.pages.of(refs):
            if page.feed is not None and page.feed.state is FeedState.FAILED:
                page.feed.start()

    def close_symbols(self, refs: tuple[SymbolRef, ...]) -> None:
        """Close the tabs of these symbols."""
        for page in self.pages.of(refs):
            self.pages.close(page)

    def are_waiting(self, refs: tuple[SymbolRef, ...]) -> bool:
        """True while a tab of these symbols is on its way to being live."""
        return any(page.feed_state in _WAITING_STATES for page in self.pages.of(refs))

    def have_books(self, refs: tuple[SymbolRef, ...]) -> bool:
        """True if a tab of these symbols shows a book, live or not."""
        return any(page.feed is not None and page.feed.book is not None for page in self.pages.of(refs))

    def notify(self, text: str) -> None:
        """Show a short notice in the status bar."""
        self.status.notify(text)

    # ---- news

    def _on_connection(self, status: ConnectionStatus) -> None:
        for page in self.pages.of(status.symbols):
            page.set_connection(status)
        self._tick()

    def _show_connection_of(self, page: SymbolTab) -> None:
        if self._venue is None:
            return
        for status in self._venue.hub.connections.values():
            if page.ref in status.symbols:
                page.set_connection(status)

    def _on_page_state(self, page: SymbolTab) -> None:
        halt = None if page.feed is None else halt_of(page.feed)
        state = page.state if page.feed is None else shown_state(page.feed)
        note = tab_note(page.market.label, page.feed_state, page.connection, "" if halt is None else halt.word)
        lines = [f"{page.symbol} · {page.market.label} · {state}"]
        if halt is not None:
            lines.append(f"{halt.text(self._services.wall_s() * 1000, self.zone)}. {halt.meaning}")
        if page.feed is not None and page.feed.status.detail and state != HALTED:
            lines.append(page.feed.status.detail)
        self.tabs.mark(page, state, note, "\n".join(lines))

    def _on_current_changed(self, _index: int) -> None:
        self._on_pages_changed()
        page = self.tabs.currentWidget()
        if self.tabs.count() and not self.tabs.tabBar().hasFocus():
            page.setFocus()

    def _on_pages_changed(self) -> None:
        pages = self.pages.in_tabs()
        self.welcome.show_back(is_shown=False)
        self._centre.setCurrentWidget(self.tabs if pages else self.welcome)
        page = self.pages.current()
        self.actions_by_name.set_available(has_tab=page is not None, has_closed_tab=self.pages.has_closed)
        if page is not None:
            self.setWindowTitle(f"{page.symbol} · {page.market.label} — DepthGUI")
            for name in PANEL_NAMES:
                self.actions_by_name[f"actionShow{name.title()}"].setChecked(page.is_panel_shown(name))
            favourites = self._favourites()
            self.actions_by_name["actionFavourite"].setChecked(str(page.ref) in favourites)
        else:
            self.setWindowTitle("DepthGUI")
        behind = [other for other in pages if other is not self.tabs.currentWidget()]
        in_view = {other.ref for other in self.pages.all() if other not in behind}
        for ref, feed in self._feeds.items():
            feed.urgency = _IN_FRONT if page is not None and page.feed is feed else _BEHIND
            feed.is_watched = ref in in_view
            feed.wake = self._services.clock.wake if feed.is_watched else _let_sleep
        self._save_timer.start()

    def _favourites(self) -> list[str]:
        return [] if self._venue is None else self._profile.state.symbols_of(self._venue.key).favourites

    def _tick(self) -> None:
        lag_ms = 0.0 if self._venue is None else self._venue.loop_lag_ms()
        for page in self.pages.all():
            page.refresh_banner()
            page.panels.header.loop_lag_ms = lag_ms
        if not self.status.panel_guard.has_failed:
            self.status.panel_guard.run(self._show_status, lag_ms)

    def _show_status(self, lag_ms: float) -> None:
        self.status.show_figures(self._figures())
        if self._meter.age_s >= _METER_S:
            self.status.show_meter(self._meter.read(lag_ms))

    def _figures(self) -> StatusFigures:
        stats = self._services.clock.stats()
        if self._venue is None:
            return StatusFigures("Not connected", 0, 0, 0, 0, stats.fps, stats.paint_ms)
        hub = self._venue.hub
        statuses = list(hub.connections.values())
        is_open = [status for status in statuses if status.phase is ConnectionPhase.OPEN]
        page = self.pages.current()
        used, limit = hub.weight(self._venue.markets[0] if page is None else page.market)
        return StatusFigures(
            self._venue.name,
            len(is_open),
            sum(status.streams for status in is_open),
            used,
            limit,
            stats.fps,
            stats.paint_ms,
            troubles=len(self.connections.open_keys),
        )

    # ---- settings and theme

    def _on_theme(self, theme: Theme) -> None:
        self._brand.setFont(theme.typeface.font(13, 700))
        for part in (self.tabs, self.welcome, self.status, self.notices, self.connections, self.actions_by_name):
            part.set_theme(theme)
        for page in self.pages.all():
            page.set_theme(theme)
        self.dialogs.set_theme(theme)
        for page in self.pages.all():
            self._on_page_state(page)

    def _on_setting(self, key: str) -> None:
        settings = self._profile.settings
        if key == "shortcuts":
            self.actions_by_name.set_shortcuts(settings.shortcuts)
        elif key == schema.TIME_ZONE.key:
            self.connections.set_zone(self.zone)
            for page in self.pages.all():
                page.set_zone(self.zone)
        for page in self.pages.all():
            page.panels.apply_settings(settings, key)

    # ---- what dialogs and commands ask

    def reload_catalogue(self) -> None:
        """Fetch the symbol lists that are missing or old."""
        if self._catalogue is not None and self._catalogue.needs_loading:
            self._services.tasks.spawn(self._catalogue.load(), "load symbol lists")

    def open_refs(self) -> set[SymbolRef]:
        """The symbols that have a tab."""
        return {page.ref for page in self.pages.all()}

    def _show_tab_menu(self, page: SymbolTab, position: QtCore.QPoint) -> None:
        self.tabs.setCurrentWidget(page)
        make_tab_menu(self, page).popup(position)

    def show_welcome(self) -> None:
        """Show the welcome page, also while tabs are open; a tab's click goes back."""
        self.welcome.show_back(is_shown=bool(self.pages.in_tabs()))
        self._centre.setCurrentWidget(self.welcome)
        self.welcome.focus_first()

    def show_connection_problems(self) -> None:
        """Show the connection dialogs that were hidden."""
        self.connections.show_all()
        if not self.connections.open_keys:
            self.notify("All connections are well")

    def open_log(self) -> None:
        """Show the log."""
        self.dialogs.log()

    def set_compact(self, *, is_compact: bool) -> None:
        """Only the ladders, or everything."""
        self._is_compact = is_compact
        self.setMinimumSize(320 if is_compact else 760, 480)
        for page in self.pages.all():
            page.set_compact(is_compact=is_compact)
        self.status.setVisible(not is_compact)
        if is_compact:
            self.resize(460, self.height())

    # ---- memory and end

    def _restore_geometry(self) -> None:
        restore_place(self, self._profile.state.window)

    def save_session(self) -> None:
        """Write tabs, order and geometry to the profile."""
        self._save_timer.stop()
        state = self._profile.state
        state.window = place_of(self)
        if self._venue is not None and not self._is_reopening:
            state.venues[self._venue.key] = self.pages.remember()
        self._profile.save_state()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Remember everything; the program ends when the composition root hears of it."""
        self.save_session()
        self.is_closed = True
        self.closed.emit()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Let go of everything that was handed in; call it once, before the hub is closed."""
        self.detach()
        self._tick_timer.stop()
        self._save_timer.stop()
        self._meter.close()
        for unlisten in self._unlisten:
            unlisten()
        self._unlisten.clear()


def _let_sleep() -> None:
    """What happens in a tab behind is shown when it comes to the front."""
