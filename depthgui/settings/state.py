"""How the window was left: tabs, order, geometry, recent and favourite symbols. No choices; those are settings."""

from __future__ import annotations

import msgspec

_MOST_RECENTS = 20


class TabState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One tab: its symbol as on the command line, whether it was stopped, and its layout as the page wrote it."""

    symbol: str
    is_stopped: bool = False
    is_popped_out: bool = False
    layout: dict[str, str] = {}


class VenueTabs(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The tabs of one environment, in order, and which of them was in front."""

    tabs: list[TabState] = []
    current: int = 0


class RecentSymbols(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Symbols opened lately (newest first) and those marked with a star, as on the command line."""

    recents: list[str] = []
    favourites: list[str] = []

    def opened(self, symbol: str) -> None:
        """Note that `symbol` was opened."""
        self.recents = [symbol, *(other for other in self.recents if other != symbol)][:_MOST_RECENTS]

    def toggle_favourite(self, symbol: str) -> bool:
        """Add or take away the star; True when `symbol` has one now."""
        if symbol in self.favourites:
            self.favourites.remove(symbol)
            return False
        self.favourites.append(symbol)
        return True


class WindowPlace(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a window was, in logical pixels of the desktop; a width of 0 stands for never shown."""

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
    is_maximized: bool = False


class SessionState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that is remembered between two runs; `venues` and `symbols` are by the environment's key."""

    window: WindowPlace = msgspec.field(default_factory=WindowPlace)
    venues: dict[str, VenueTabs] = {}
    symbols: dict[str, RecentSymbols] = {}
    workspaces: dict[str, VenueTabs] = {}

    def tabs_of(self, venue_key: str) -> VenueTabs:
        """The tabs of an environment; made empty when it is new."""
        return self.venues.setdefault(venue_key, VenueTabs())

    def symbols_of(self, venue_key: str) -> RecentSymbols:
        """Recent and favourite symbols of an environment; made empty when it is new."""
        return self.symbols.setdefault(venue_key, RecentSymbols())
