"""The venue's symbol lists as the window knows them: loaded once a venue, kept on disk for when there is no network."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from depthgui.book.errors import DepthGuiError
from depthgui.settings.files import write_atomically
from depthgui.ui.engine import Hub, Market, SymbolInfo
from depthgui.ui.symbol_search import Entry, entry_of
from depthgui.ui.wording import duration_text

_LOG = logging.getLogger(__name__)


class Loading(enum.Enum):
    """How far the list of one market is."""

    WAITING = enum.auto()
    LOADED = enum.auto()
    CACHED = enum.auto()
    FAILED = enum.auto()


@dataclass(frozen=True, slots=True)
class MarketList:
    """One market's list. `error` is a sentence; `age_s` how old a cached list is."""

    loading: Loading
    entries: tuple[Entry, ...] = ()
    error: str = ""
    age_s: float = 0.0


class _CachedList(msgspec.Struct):
    saved_wall_s: float
    symbols: list[SymbolInfo]


class SymbolCatalogue:
    """All symbols of one venue. `changed` callbacks are called whenever a market's list arrives or fails."""

    def __init__(
        self, hub: Hub, venue_key: str, markets: Sequence[Market], cache_dir: Path, wall_s: Callable[[], float]
    ) -> None:
        """`wall_s` gives the Unix time in seconds. The cache files carry `venue_key` in their names."""
        self._hub = hub
        self._venue_key = venue_key
        self._cache_dir = cache_dir
        self._wall_s = wall_s
        self._lists = {market: MarketList(Loading.WAITING) for market in markets}
        self._listeners: list[Callable[[], None]] = []
        self._is_loading = False

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Hear of arrivals; returns what ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def market(self, market: Market) -> MarketList:
        """One market's list as it is now."""
        return self._lists[market]

    def entries(self) -> list[Entry]:
        """Every symbol known now, market by market."""
        return [entry for found in self._lists.values() for entry in found.entries]

    @property
    def is_complete(self) -> bool:
        """True when every market has been asked and answered, well or badly."""
        return all(found.loading is not Loading.WAITING for found in self._lists.values())

    @property
    def needs_loading(self) -> bool:
        """True while a market's fresh list is missing and nobody is fetching it."""
        return not self._is_loading and any(found.loading is not Loading.LOADED for found in self._lists.values())

    async def load(self) -> None:
        """Fetch what is missing, all markets at once; failures are kept as sentences."""
        if not self.needs_loading:
            return
        self._is_loading = True
        try:
            missing = [market for market, found in self._lists.items() if found.loading is not Loading.LOADED]
            await asyncio.gather(*(self._load_market(market) for market in missing))
        finally:
            self._is_loading = False

    async def _load_market(self, market: Market) -> None:
        try:
            symbols = await self._hub.symbols(market)
        except DepthGuiError as error:
            _LOG.warning("symbol list of %s: %s", market.label, error)
            self._lists[market] = await asyncio.to_thread(self._read_cache, market, str(error))
        else:
            self._lists[market] = MarketList(Loading.LOADED, tuple(entry_of(info) for info in symbols))
            await asyncio.to_thread(self._write_cache, market, symbols)
        for callback in tuple(self._listeners):
            callback()

    def status_text(self) -> str:
        """A sentence about what is missing or old; "" when all lists are fresh."""
        if not self.is_complete:
            return "Loading the venue's symbol lists…"
        parts = []
        for market, found in self._lists.items():
            if found.loading is Loading.CACHED:
                parts.append(f"{market.label}: list of {duration_text(found.age_s)} ago")
            elif found.loading is Loading.FAILED:
                parts.append(f"{market.label}: {found.error}")
        return " · ".join(parts)

    def problem_text(self) -> str:
        """Why there is no list at all, as a sentence; "" when at least one market answered or was remembered."""
        if not self.is_complete or any(found.loading is not Loading.FAILED for found in self._lists.values()):
            return ""
        errors = list(dict.fromkeys(found.error for found in self._lists.values()))
        return errors[0] if errors else ""

    def _cache_file(self, market: Market) -> Path:
        return self._cache_dir / f"symbols-{self._venue_key}-{market.value}.json"

    def _read_cache(self, market: Market, error: str) -> MarketList:
        try:
            cached = msgspec.json.decode(self._cache_file(market).read_bytes(), type=_CachedList)
        except FileNotFoundError:
            return MarketList(Loading.FAILED, error=error)
        except (OSError, msgspec.DecodeError) as problem:
            _LOG.warning("cached symbol list of %s: %s", market.label, problem)
            return MarketList(Loading.FAILED, error=error)
        age_s = max(0.0, self._wall_s() - cached.saved_wall_s)
        return MarketList(Loading.CACHED, tuple(entry_of(info) for info in cached.symbols), error, age_s)

    def _write_cache(self, market: Market, symbols: list[SymbolInfo]) -> None:
        content = msgspec.json.encode(_CachedList(self._wall_s(), symbols)).decode()
        try:
            write_atomically(self._cache_file(market), content)
        except OSError as error:
            _LOG.warning("could not keep the symbol list of %s: %s", market.label, error)
