"""Wires engine and window: profile, theme, venue, main window; and takes them apart again in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from depthgui._version import __version__
from depthgui.app import doorbell, profile_lock
from depthgui.app.early_feeds import EarlyFeeds
from depthgui.app.error_hooks import ErrorHooks
from depthgui.app.exchange_messages import orders_of
from depthgui.app.exchange_process import ExchangeProcess, ExchangeStartError
from depthgui.app.exchange_start import ExchangeChild, end_child, start_child
from depthgui.app.logs import log_to
from depthgui.app.stats import FirstPaint, StatsWriter
from depthgui.app.venue_settings import (
    EXCHANGE_NAME,
    REPLAY_KEY,
    VenueWish,
    endpoints_of,
    feed_options,
    first_venue,
    hub_options,
    proxy_choice,
)
from depthgui.binance.endpoints import parse_symbol_ref
from depthgui.book.errors import DepthGuiError, UnknownSymbolError, UsageError
from depthgui.cli import Arguments
from depthgui.depthcache.hub import Hub, HubOptions
from depthgui.settings import Profile, profile_paths, schema
from depthgui.transport.rest import RestClient
from depthgui.transport.updates import UpdateCheck, check_for_update
from depthgui.ui.engine import SymbolRef
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.loading import load_panels
from depthgui.ui.main_window import MainWindow, Services
from depthgui.ui.pages import running_refs
from depthgui.ui.palettes import Scheme
from depthgui.ui.qt import QtCore, QtWidgets
from depthgui.ui.tasks import Tasks
from depthgui.ui.theme import Theme, ThemeManager
from depthgui.ui.venues import ConnectedVenue, venue_choice
from depthgui.ui.window_place import bring_to_front
from depthgui.ui.wording import sentence

_LOG = logging.getLogger(__name__)

_DEMO_SYMBOLS = ("BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP")
_RECONNECTING_SETTINGS = frozenset(
    setting.key
    for setting in (schema.PROXY, schema.AFTER_FAILURE, schema.UPDATE_MS, schema.DEPTH_LIMIT, schema.REFRESH_MIN)
)
_SETTLE_MS = 800
_TURN_S = 0.001  # enough for Qt to paint what has changed
_SEEN_S = 0.3  # a window that starts hidden is never painted


class AlreadyOpenError(Exception):
    """Another program has this profile open, and its window has come to the front instead."""

    def __init__(self) -> None:
        super().__init__("DepthGUI runs with this profile already; its window has come to the front.")


class Application:
    """The venue in use and what depends on it. It is the window's `VenueSwitch`."""

    def __init__(
        self,
        arguments: Arguments,
        profile: Profile,
        themes: ThemeManager,
        hooks: ErrorHooks,
        child: ExchangeChild | None = None,
    ) -> None:
        """Build the window, without a venue. `child` is an embedded exchange that boots already."""
        self._arguments = arguments
        self._profile = profile
        self._themes = themes
        self._tasks = Tasks(hooks.report)
        self._clock = FrameClock(None, profile.settings.get(schema.FRAME_CAP))
        self._switching = asyncio.Lock()
        self._venue_stack = AsyncExitStack()
        self._wish: VenueWish | None = None
        self._child = child
        self._rung: list[str] = []
        self._has_started = False
        self.exchange: ExchangeProcess | None = None
        loop = asyncio.get_running_loop()
        services = Services(themes, profile, self._clock, self._tasks, self, loop.time, time.time)
        self.window = MainWindow(services)
        self._seen = asyncio.Event()
        FirstPaint(self.window, self._seen.set)
        hooks.tell = self.window.notices.add
        self._reconnect_timer = QtCore.QTimer(self.window, interval=_SETTLE_MS, singleShot=True)
        self._reconnect_timer.timeout.connect(self._reconnect)
        self._unlisten = profile.settings.listen(self._on_setting)

    @property
    def theme(self) -> Theme:
        """The theme in use."""
        return self._themes.theme

    async def start(self) -> None:
        """Connect to the first venue, open its tabs and those of the command line."""
        wish = first_venue(self._arguments, self._profile.settings)
        if wish.key == "demo" and self._child is None:
            # If it does not start, connecting tries again, and tells why not.
            with contextlib.suppress(OSError):
                self._child = start_child(orders_of(self._arguments))
        await self._be_seen()
        await self._connect(wish)
        venue = self.window.venue
        wanted = [parse_symbol_ref(text) for text in self._arguments.symbols]
        if not wanted and venue is not None and not self.window.pages.all():
            wanted = [parse_symbol_ref(text) for text in self._default_symbols(venue)]
        await self._open(wanted)
        for ref in wanted:
            self._tasks.spawn(self._tell_unknown(ref), f"check {ref}")
        self._has_started = True
        self._open_rung()

    async def _be_seen(self) -> None:
        """Let the window appear; all that can wait until then does."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._seen.wait(), _SEEN_S)

    def _expected(self, venue: ConnectedVenue) -> list[SymbolRef]:
        """The symbols whose tabs a start opens, the one in front first."""
        named = [parse_symbol_ref(text) for text in self._arguments.symbols]
        remembered = running_refs(self._profile.state.tabs_of(venue.key))
        return [*named, *remembered] or [parse_symbol_ref(text) for text in self._default_symbols(venue)]

    async def _open(self, wanted: list[SymbolRef]) -> None:
        """Open tabs, the first one in front; the others wait until that has been painted."""
        for number, ref in enumerate(wanted):
            if number:
                await asyncio.sleep(_TURN_S)
            self.window.pages.open(ref, in_front=not number)

    def on_ring(self, ring: doorbell.Ring) -> None:
        """Somebody has started the program again: show what is here, and open what was asked for."""
        bring_to_front(self.window, ring.activation)
        self._rung.extend(ring.symbols)
        if self._has_started:
            self._open_rung()

    def _open_rung(self) -> None:
        while self._rung:
            text = self._rung.pop(0)
            if self.window.venue is None:
                self.window.notices.add(f"{text} can be opened once there is a connection to a venue.")
            else:
                self.window.open_symbol(parse_symbol_ref(text))

    def meter(self, path: Path) -> StatsWriter:
        """A meter of this window; it writes to `path` once it is entered. Raises OSError then if it can't."""
        pages = self.window.pages

        def shows_live() -> bool:
            page = pages.current()
            if page is None or page.state != "live":
                return False
            painted = page.panels.ladder.painted
            return bool(painted.rows) and not painted.stale

        feeds = lambda: [page.feed for page in pages.all() if page.feed is not None]  # noqa: E731
        writer = StatsWriter(path, self._clock, feeds, {"first_live_ladder": shows_live})
        FirstPaint(self.window, lambda: writer.reach("first_window"))
        return writer

    def _default_symbols(self, venue: ConnectedVenue) -> tuple[str, ...]:
        if venue.symbols:
            return venue.symbols
        return _DEMO_SYMBOLS if self._arguments.demo else ()

    async def _tell_unknown(self, ref: SymbolRef) -> None:
        """Say on the command line, too, that a symbol it named does not exist."""
        page = next(iter(self.window.pages.of([ref])), None)
        if page is None:
            return
        known = asyncio.Event()
        page.state_changed.connect(lambda _page: known.set())
        while page.feed is not None and page.state in {"connecting", "stopped"}:
            known.clear()
            await known.wait()
        error = None if page.feed is None else page.feed.status.error
        if isinstance(error, UnknownSymbolError) and sys.stderr is not None:
            sys.stderr.write(f"depthgui: {error}\n")

    # ---- venues

    async def switch(self, key: str, endpoint: str = "") -> None:
        """Connect to another environment and remember it as the choice."""
        self._profile.settings.set(schema.VENUE, key)
        self._profile.save_settings()
        await self._connect(VenueWish(key, endpoint))
        self.window.settle_in()

    async def try_proxy(self, proxy: str) -> str:
        """See `VenueSwitch.try_proxy`."""
        venue = self.window.venue
        if venue is None or self._wish is None:
            return "There is no venue to try it with."
        url = "" if self.exchange is None else self.exchange.base_url
        begun_s = time.monotonic()
        try:
            options = HubOptions(proxy=proxy_choice(proxy))
            async with Hub(endpoints_of(self._wish, url), options=options) as hub:
                await hub.rest.server_time_ms(venue.markets[0])
        except DepthGuiError as error:
            return sentence(str(error))
        return f"{venue.name} answered in {(time.monotonic() - begun_s) * 1000:.0f} ms."

    async def check_update(self, url: str) -> UpdateCheck:
        """See `VenueSwitch.check_update`."""
        proxy = proxy_choice(self._profile.settings.get(schema.PROXY))
        async with RestClient(proxy=proxy) as client:
            return await check_for_update(url, __version__, client)

    async def _connect(self, wish: VenueWish) -> None:
        """Leave the venue in use and enter another; what goes wrong is told in the window."""
        async with self._switching:
            self.window.detach()
            await self._venue_stack.aclose()
            self._wish = wish
            try:
                venue = await self._enter(wish)
            except (ExchangeStartError, UsageError) as error:
                _LOG.error("could not connect to %s: %s", wish.key, error)
                self.window.show_no_venue(wish.key, str(error))
                if sys.stderr is not None:
                    sys.stderr.write(f"depthgui: {error}\n")
                return
            # Not between these two: the tabs that are open when the session is saved are all that is remembered.
            await load_panels()
            self.window.attach(venue)
            await self.window.restore_session()

    async def _enter(self, wish: VenueWish) -> ConnectedVenue:
        url = ""
        symbols: tuple[str, ...] = ()
        is_replay = wish.key == "demo" and bool(self._arguments.replay)
        if wish.key == "demo":
            child, self._child = self._child, None
            process = ExchangeProcess(orders_of(self._arguments), self._on_exchange_warning, child)
            self.exchange = await self._venue_stack.enter_async_context(process)
            url, symbols = self.exchange.base_url, self.exchange.symbols
            for warning in self.exchange.warnings:
                self._on_exchange_warning(warning)
        endpoints = endpoints_of(wish, url)
        settings = self._profile.settings
        hub = await self._venue_stack.enter_async_context(Hub(endpoints, options=hub_options(settings)))
        feeds = EarlyFeeds(lambda ref: hub.feed(ref, feed_options(settings, ref)))
        venue = ConnectedVenue(
            key=REPLAY_KEY if is_replay else wish.key,
            choice=venue_choice(wish.key),
            name=EXCHANGE_NAME if wish.key == "demo" else endpoints.name,
            markets=endpoints.markets,
            hub=hub,
            make_feed=feeds.take,
            loop_lag_ms=lambda: hub.loop_lag.lag_ms,
            symbols=symbols,
        )
        if not self._has_started and not is_replay:  # a recording begins when its tab is there to show it
            feeds.begin(self._expected(venue))
        return venue

    def _on_exchange_warning(self, text: str) -> None:
        """A recording that is damaged, for example: what cannot be played is named with its line."""
        self.window.notices.add(text)

    # ---- settings that concern more than the window

    def _on_setting(self, key: str) -> None:
        settings = self._profile.settings
        if key == schema.THEME.key:
            self._themes.set_scheme(Scheme(settings.get(schema.THEME)))
        elif key == schema.FONT_SCALE.key:
            self._themes.set_font_scale(settings.get(schema.FONT_SCALE) / 100)
        elif key == schema.FRAME_CAP.key:
            self._clock.set_cap(settings.get(schema.FRAME_CAP))
        elif key in _RECONNECTING_SETTINGS:
            self._reconnect_timer.start()

    def _reconnect(self) -> None:
        """The engine's options have changed: the same venue again, with the same tabs."""
        if self._wish is not None:
            self._tasks.spawn(self._connect(self._wish), "reconnect with new settings")

    async def aclose(self) -> None:
        """Window, then tasks, then feeds and sockets, then the embedded exchange."""
        self._unlisten()
        self._reconnect_timer.stop()
        self.window.shut_down()
        await self._tasks.aclose()
        await self._venue_stack.aclose()
        child, self._child = self._child, None
        if child is not None:
            end_child(child)
        self.window.hide()
        self.window.deleteLater()
        self._clock.stop()
        self._clock.deleteLater()


def _qapplication() -> QtWidgets.QApplication:
    app = QtWidgets.QApplication.instance()
    if not isinstance(app, QtWidgets.QApplication):
        raise UsageError("open_app needs a QApplication and a running qasync loop")
    app.setQuitOnLastWindowClosed(False)
    app.setApplicationName("depthgui")
    app.setApplicationDisplayName("DepthGUI")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("depthgui")
    return app


@asynccontextmanager
async def open_app(arguments: Arguments) -> AsyncIterator[MainWindow]:
    """See `depthgui.app.open_app`."""
    async with open_application(arguments) as application:
        yield application.window


@asynccontextmanager
async def open_application(arguments: Arguments, child: ExchangeChild | None = None) -> AsyncIterator[Application]:
    """The same, for those who need more than the window. `child` is an embedded exchange started before.

    Raises AlreadyOpenError if another program's window was shown instead.
    """
    app = _qapplication()
    paths = profile_paths(arguments.profile)
    paths.make()
    async with AsyncExitStack() as stack:
        is_writer = stack.enter_context(profile_lock.lock_profile(paths.lock_file))
        # Without a lock file nobody holds it: this profile cannot be written to.
        may_join = not is_writer and arguments.may_join and paths.lock_file.exists()
        if may_join and await doorbell.ring(paths.doorbell_file, arguments.symbols):
            raise AlreadyOpenError
        stack.enter_context(log_to(paths.log_file, arguments.log_level, is_writer=is_writer))
        hooks = stack.enter_context(ErrorHooks(asyncio.get_running_loop()))
        _LOG.info("depthgui %s starts", __version__)
        stack.callback(_LOG.info, "depthgui has ended")
        profile = Profile(paths, is_writer=is_writer)
        profile.load(datetime.datetime.now().astimezone())
        settings = profile.settings
        themes = ThemeManager(app, Scheme(settings.get(schema.THEME)), settings.get(schema.FONT_SCALE) / 100)
        application = Application(arguments, profile, themes, hooks, child)
        stack.push_async_callback(application.aclose)
        for notice in [*profile.notices, *([] if is_writer else [profile_lock.SECOND])]:
            application.window.notices.add(notice)
        if arguments.stats is not None:
            stack.enter_context(application.meter(arguments.stats))
        application.window.show()
        if is_writer:
            await stack.enter_async_context(doorbell.listening(paths.doorbell_file, application.on_ring))
        await application.start()
        yield application
